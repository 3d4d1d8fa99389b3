package finding

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Relation is a finding that speaks of the same trouble as another, and why.
type Relation struct {
	Finding Finding  `json:"finding"`
	Why     say.Text `json:"why"`
}

// Nearby is how far apart two findings of one trouble may be: products take
// their time to say what they saw.
const Nearby = time.Hour

// Relate chooses those of others that speak of the same trouble as f, the most
// pressing first. They stay findings of their own: only the same finding of the
// same product is one (its key). Related are
//
//   - what one of the two names (Related);
//   - findings of different products, or of one and ours, with the same principal
//     or address and the same resource, at about the same time;
//   - such with the same principal or address, one of which names no other
//     resource than the principal itself, at about the same time;
//   - such of the same resource that share an ATT&CK technique or tactic, at
//     about the same time, or that both check how it is configured.
func Relate(f *Finding, others []Finding) []Relation {
	var out []Relation
	for i := range others {
		if why := sameTrouble(f, &others[i]); why != (say.Text{}) {
			out = append(out, Relation{others[i], why})
		}
	}
	slices.SortFunc(out, func(a, b Relation) int {
		return cmp.Or(cmp.Compare(b.Finding.Priority, a.Finding.Priority), strings.Compare(a.Finding.Key, b.Finding.Key))
	})
	return out
}

// sameTrouble says why two findings belong together; empty: they do not.
func sameTrouble(a, b *Finding) say.Text {
	switch {
	case a.Key == b.Key:
		return say.Text{}
	case slices.Contains(a.Related, b.Key):
		return say.T("related.names_it", say.Values{"product": a.Product()})
	case slices.Contains(b.Related, a.Key):
		return say.T("related.names_this", say.Values{"product": b.Product()})
	case a.Said() == b.Said():
		return say.Text{}
	}
	resource := shared(a.Resources(), b.Resources())
	if posture(a) && posture(b) && resource != "" {
		return say.T("related.configuration", say.Values{"resource": resource})
	}
	if !Near(a, b) {
		return say.Text{}
	}
	actor := a.Actor != "" && a.Actor == b.Actor
	switch {
	case actor && resource != "":
		return say.T("related.actor_resource", nil)
	case actor && (unplaced(a) || unplaced(b)):
		return say.T("related.actor", nil)
	case resource == "":
		return say.Text{}
	}
	if id := shared(attackIDs(a), attackIDs(b)); id != "" {
		return say.T("related.technique", say.Values{"technique": id})
	}
	return say.Text{}
}

// Product is who says it, as people call it.
func (t *Trouble) Product() string {
	if t.External != nil && t.External.Product != "" {
		return t.External.Product
	}
	if t.Source == "" {
		return "Yagura"
	}
	return t.Source
}

// unplaced: it is about no other resource than the principal itself.
func unplaced(f *Finding) bool { return f.Resource == "" || f.Resource == f.Actor }

// posture: it says how something is configured, which is so until it is changed.
func posture(f *Finding) bool {
	return f.Kind == KindPosture || f.Kind == KindExposure || f.Kind == KindUnused || f.External != nil && f.External.State
}

// shared is the first text that both lists hold.
func shared(a, b []string) string {
	for _, s := range a {
		if s != "" && slices.Contains(b, s) {
			return s
		}
	}
	return ""
}

func attackIDs(f *Finding) []string {
	var out []string
	for _, x := range f.Attack {
		out = append(out, x.ID)
	}
	return out
}

// Near tells whether the times of two findings touch, by the products' own word
// where they give one.
func Near(a, b *Finding) bool {
	from, to := a.Active()
	since, until := b.Active()
	return !from.After(until.Add(Nearby)) && !since.After(to.Add(Nearby))
}

// Active is from when to when it went on, by the product's own word where it
// gives one.
func (f *Finding) Active() (from, to time.Time) {
	from, to = f.FirstSeen, f.LastSeen
	if x := f.External; x != nil {
		if !x.First.IsZero() && x.First.Before(from) {
			from = x.First
		}
		if !x.Last.IsZero() {
			to = x.Last // its record may be written long after
		}
	}
	if to.Before(from) {
		to = from
	}
	return from, to
}
