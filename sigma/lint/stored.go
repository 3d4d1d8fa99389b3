package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Stored is what occurs in the stored records of a log source.
type Stored struct {
	LogSource sigma.LogSource
	Records   int64            // that were looked at
	Fields    map[string]int64 // in how many of them a field has a value
	Empty     map[string]bool  // fields that never had one
}

// Survey counts in which records of a log source the fields occur that rules ask
// for.
type Survey struct {
	source match.Source
	names  []string
	fields *match.Fields
	counts []int64
	seen   int64
}

// NewSurvey makes a survey of the fields that rules of the log source ask for,
// under all names that aliases give them; nil: there is no such rule.
func NewSurvey(p *ir.Program, source match.Source) *Survey {
	names := map[string]bool{}
	covered := false
	for i := range p.Rules {
		if !covers(source, p.Rules[i].LogSource) {
			continue
		}
		covered = true
		p.Rules[i].Expr.Walk(func(n *ir.Node) {
			if n.Op == ir.Leaf {
				a := &p.Atoms[n.Atom]
				names[a.Field], names[a.Ref] = true, true
			}
		})
	}
	if !covered {
		return nil
	}
	delete(names, "")
	s := &Survey{source: source, names: slices.Sorted(maps.Keys(names))}
	s.fields, s.counts = match.NewFields(s.names), make([]int64, len(s.names))
	return s
}

// covers tells whether a rule's log source is, or is wider than, that of records.
func covers(s match.Source, l sigma.LogSource) bool {
	within := func(rule, record string) bool { return rule == "" || strings.EqualFold(rule, record) }
	return within(l.Category, s.Category) && within(l.Product, s.Product) && within(l.Service, s.Service)
}

// Add looks at a record. One that is no JSON object is passed over.
func (s *Survey) Add(record []byte) {
	values, err := s.fields.Read(record)
	if err != nil {
		return
	}
	s.seen++
	for i := range values {
		if len(values[i]) > 0 {
			s.counts[i]++
		}
	}
}

// Stored is what was seen.
func (s *Survey) Stored() Stored {
	out := Stored{
		LogSource: sigma.LogSource{Category: s.source.Category, Product: s.source.Product, Service: s.source.Service},
		Records:   s.seen, Fields: map[string]int64{}, Empty: map[string]bool{},
	}
	for i, name := range s.names {
		out.Fields[name] = s.counts[i]
		if s.counts[i] == 0 {
			out.Empty[name] = true
		}
	}
	return out
}

// dead finds fields that never occur in what is stored, and rules that cannot
// match for want of them. Where nothing of the log source is stored, nothing is
// said.
func (l *linter) dead(p *ir.Program, r *ir.Rule) {
	for _, s := range l.o.Stored {
		source := match.Source{Category: s.LogSource.Category, Product: s.LogSource.Product, Service: s.LogSource.Service}
		if s.Records == 0 || !covers(source, r.LogSource) {
			continue
		}
		looked := fmt.Sprintf("in %d stored records of %s", s.Records, s.LogSource)
		never := unseen(p, r.Expr, s.Empty)
		if len(never) == 0 {
			continue
		}
		names := strings.Join(never, ", ") + " never occurs"
		if len(never) > 1 {
			names = strings.TrimSuffix(names, "s")
		}
		if can(p, r.Expr, s.Empty) == no {
			l.add(r.Errorf(r.Places["detection"], "rule cannot match: %s %s", names, looked), Warning, "dead")
		} else {
			l.add(r.Errorf(r.Places["detection"], "%s %s", names, looked), Warning, "unseen")
		}
	}
}

// unseen names the fields, as the rule writes them, that occur under none of the
// names they are looked for by.
func unseen(p *ir.Program, n *ir.Node, empty map[string]bool) []string {
	var written []string
	seen := map[string]bool{}
	n.Walk(func(n *ir.Node) {
		name, _, _ := strings.Cut(n.Key, "|")
		if n.Op != ir.Leaf || name == "" {
			return
		}
		if !slices.Contains(written, name) {
			written = append(written, name)
		}
		seen[name] = seen[name] || !empty[p.Atoms[n.Atom].Field]
	})
	return slices.DeleteFunc(written, func(name string) bool { return seen[name] })
}

// answer is what is known of a part of a rule: it holds, it does not, or it
// depends.
type answer int8

const (
	no answer = iota
	perhaps
	yes
)

// can works out what is known of n if the fields in absent have no value.
func can(p *ir.Program, n *ir.Node, absent map[string]bool) answer {
	switch n.Op {
	case ir.Leaf:
		a := &p.Atoms[n.Atom]
		switch {
		case a.Op == ir.Exists || !absent[a.Field] && !absent[a.Ref]:
			return perhaps // the name may be there without a value
		case a.Op == ir.IsNull:
			return yes
		}
		return no
	case ir.Not:
		return yes - can(p, n.X[0], absent)
	}
	held, open := 0, 0
	for _, x := range n.X {
		switch can(p, x, absent) {
		case yes:
			held++
		case perhaps:
			open++
		}
	}
	need := n.N
	switch n.Op {
	case ir.And:
		need = len(n.X)
	case ir.Or:
		need = 1
	}
	switch {
	case held >= need:
		return yes
	case held+open < need:
		return no
	}
	return perhaps
}
