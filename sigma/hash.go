package sigma

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"
)

// hashLength is how many hex digits a content hash has.
const hashLength = 16

// Hash tells versions of a rule apart by what it matches: its log source, its
// searches and its condition. Titles, levels, comments and the order of searches
// make no difference.
func (r *Rule) Hash() string {
	h := hasher{sha256.New()}
	h.texts("rule", r.LogSource.Category, r.LogSource.Product, r.LogSource.Service)
	h.detection(&r.Detection)
	return h.sum()
}

// Hash tells versions of a correlation apart by what it fires on. Changes of the
// rules it refers to are theirs.
func (c *Correlation) Hash() string {
	h := hasher{sha256.New()}
	h.texts("correlation", string(c.Type), c.Timespan.String(), c.Extended.Text)
	h.number(len(c.Rules))
	for _, r := range c.Rules {
		h.texts(r.Rule)
	}
	h.list(c.GroupBy)
	if t := c.Condition; t != nil {
		h.texts(t.String())
		h.list(t.Fields)
		if t.Percentile != nil {
			h.number(int(*t.Percentile * 1000))
		}
	}
	for _, a := range c.Aliases {
		h.texts("alias", a.Name)
		for _, f := range a.Fields {
			h.texts(f.Rule, f.Field)
		}
	}
	return h.sum()
}

// hasher writes every text with its length, so that none can pass for another.
type hasher struct{ hash.Hash }

func (h hasher) sum() string { return hex.EncodeToString(h.Sum(nil))[:hashLength] }

func (h hasher) number(n int) {
	h.Write(binary.AppendVarint(nil, int64(n)))
}

func (h hasher) texts(all ...string) {
	for _, s := range all {
		h.number(len(s))
		h.Write([]byte(s))
	}
}

func (h hasher) list(all []string) {
	h.number(len(all))
	h.texts(all...)
}

func (h hasher) detection(d *Detection) {
	h.number(len(d.Conditions))
	for _, c := range d.Conditions {
		h.texts(strings.Join(strings.Fields(c.Text), " "))
	}
	byName := map[string]*Search{}
	for i := range d.Searches {
		byName[d.Searches[i].Name] = &d.Searches[i]
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		h.texts(name)
		h.number(len(byName[name].Groups))
		for _, g := range byName[name].Groups {
			h.number(len(g))
			for _, it := range g {
				h.texts(it.Key)
				h.number(len(it.Values))
				for _, v := range it.Values {
					h.number(int(v.Kind))
					h.texts(v.Text)
				}
			}
		}
	}
}
