package ir

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
)

// Aliases say under which names the fields of rules occur in records.
//
// A field of several names stands for what all of them hold, as one array would:
// a comparison holds if the value of any name satisfies it, the field exists if
// any name does, it is null if every name is absent or null, and neq and not are
// the complement of that. So an alias that never occurs changes nothing.
type Aliases []AliasTable

// AliasTable is the names of one log source.
type AliasTable struct {
	// The rules it is about: those whose log source says the same, letters of
	// either case. An empty part stands for any.
	Category, Product, Service string
	// Fields gives to the name in a rule further names to look for.
	Fields map[string][]string
	// Prefixes does the same for the first part of a name.
	Prefixes map[string][]string
	// Known lists names that records of the source have. A rule's name that
	// differs from one of them in the case of letters alone stands for it too.
	Known []string
}

func (t *AliasTable) covers(l sigma.LogSource) bool {
	same := func(table, rule string) bool { return table == "" || strings.EqualFold(table, rule) }
	return same(t.Category, l.Category) && same(t.Product, l.Product) && same(t.Service, l.Service)
}

// maxNames bounds how many names a field has.
const maxNames = 32

// Names gives the names to look for when a rule of log source l speaks of field:
// field itself, then the others in the order of the tables.
func (as Aliases) Names(l sigma.LogSource, field string) []string {
	out := []string{field}
	if field == "" {
		return out
	}
	add := func(name string) {
		if len(out) < maxNames && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for i := range as {
		t := &as[i]
		if !t.covers(l) {
			continue
		}
		for _, key := range sortedKeys(t.Fields) {
			if strings.EqualFold(key, field) {
				add(key)
				for _, name := range t.Fields[key] {
					add(name)
				}
			}
		}
		for _, key := range sortedKeys(t.Prefixes) {
			if rest, ok := cutPrefixFold(field, key); ok {
				for _, prefix := range t.Prefixes[key] {
					add(prefix + rest)
				}
			}
		}
		for _, name := range slices.Clone(out) { // what was found may be spelled otherwise too
			for _, known := range t.Known {
				if strings.EqualFold(known, name) {
					add(known)
				}
			}
		}
	}
	return out
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// names is Names for the current rule, remembered.
func (c *compiler) names(field string) []string {
	if names, ok := c.aliased[field]; ok {
		return names
	}
	names := c.options.Aliases.Names(c.current.LogSource, field)
	c.aliased[field] = names
	return names
}

// leaf asks a of every name that its field has.
func (c *compiler) leaf(a Atom, key string, v sigma.Value) *Node {
	op := Or
	if a.Op == IsNull {
		op = And
	}
	refs := []string{""}
	if a.Op == FieldRef {
		refs = c.names(a.Ref)
	}
	var xs []*Node
	for _, name := range c.names(a.Field) {
		for _, ref := range refs {
			a.Field, a.Ref = name, ref
			xs = append(xs, &Node{Op: Leaf, Atom: c.atom(a), Key: key, Value: written(v), Pos: v.Pos})
		}
	}
	return join(op, xs)
}

// selector refuses names that look into arrays: taken as they stand they would
// be keys that no record has, and the rule would be silent.
func selector(field string) error {
	open := strings.LastIndexByte(field, '[')
	for ; open >= 0; open = strings.LastIndexByte(field[:open], '[') {
		inside, _, closed := strings.Cut(field[open+1:], "]")
		if closed && (inside == "any" || inside == "all" || inside == "none" || isIndex(inside)) {
			return fmt.Errorf("array selector [%s] is a proposal and not supported: a field stands for every element of an array, and any of them may hold", inside)
		}
	}
	return nil
}

func isIndex(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, "0123456789") == ""
}
