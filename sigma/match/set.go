// Package match holds many compiled rules against records.
//
// A Set is made once and shared; a Scratch belongs to one goroutine and keeps
// its memory from record to record, so that a record no rule matches costs no
// allocation. Records are JSON bytes, walked once, in which only the fields that
// rules name are looked at. What is found there tells which rules may match, and
// only those are evaluated: of each rule some atoms are its witnesses, of which
// one must hold if the rule does. Equality is found by hash, text by one automaton
// a field, and an expression is tried where a text that it requires occurs.
//
// Live is a set that is replaced while records are matched.
//
// A name with dots is looked for as it stands and then as a path: at each object
// the whole remaining name as a key comes first, its first segment second.
// Arrays on the way and at the end stand for their elements. A key that occurs
// twice in an object stands for both its values. An object as a value is its
// JSON text without white space.
package match

import (
	"strings"
	"sync"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// Source says what log a record is from. A rule applies if everything its log
// source names is the same here, in any case of letters.
type Source struct {
	Category, Product, Service string
}

// SourceOf is the source that a rule asks for.
func SourceOf(r *sigma.Rule) Source {
	return Source{r.LogSource.Category, r.LogSource.Product, r.LogSource.Service}
}

func (s Source) covers(l sigma.LogSource) bool {
	same := func(rule, record string) bool { return rule == "" || strings.EqualFold(rule, record) }
	return same(l.Category, s.Category) && same(l.Product, s.Product) && same(l.Service, s.Service)
}

// Options is what rules are compiled with.
type Options = ir.Options

// Set is rules ready to be held against records. It never changes.
type Set struct {
	program *ir.Program
	fields  []string       // by slot
	slots   map[string]int // of fields
	atomAt  []int32        // the slot of each atom; keywordSlot for keywords
	refAt   []int32        // the slot of the other field of a FieldRef

	jumps []jump
	entry []int32 // by rule: where it begins in jumps, or viaTree
	only  []bool  // by rule: whether it is held against records; nil: all are

	mu    sync.Mutex
	plans map[Source]*plan
	// byRules has plans by the rules that apply: sources differ more than they do.
	byRules map[string]*plan
}

// viaTree marks a rule that is evaluated from its tree.
const viaTree = -10

// keywordSlot is where an atom without a field finds all values of the record.
const keywordSlot = 0

// maxPlans bounds how many sources a set remembers. Callers have a handful.
const maxPlans = 1000

// Compile makes a set of the rules that can be compiled and tells of the others.
func Compile(rules []*sigma.Rule, o Options) (*Set, []*sigma.Error) {
	program, refused := ir.Compile(rules, o)
	s := &Set{program: program, fields: []string{""}, slots: map[string]int{}, plans: map[Source]*plan{}, byRules: map[string]*plan{}}
	for i := range program.Atoms {
		a := &program.Atoms[i]
		at, ref := int32(keywordSlot), int32(keywordSlot)
		if a.Field != "" {
			at = s.slot(a.Field)
		}
		if a.Op == ir.FieldRef {
			ref = s.slot(a.Ref)
		}
		s.atomAt, s.refAt = append(s.atomAt, at), append(s.refAt, ref)
	}
	s.translate()
	return s, refused
}

// translate makes jumps of all rules.
func (s *Set) translate() {
	c := coder{cost: func(id ir.AtomID) int { return costOf(&s.program.Atoms[id]) }}
	for i := range s.program.Rules {
		entry, ok := c.rule(s.program.Rules[i].Expr)
		if !ok {
			entry = viaTree
		}
		s.entry = append(s.entry, entry)
	}
	s.jumps = c.jumps
}

func (s *Set) slot(field string) int32 {
	at, ok := s.slots[field]
	if !ok {
		at = len(s.fields)
		s.slots[field] = at
		s.fields = append(s.fields, field)
	}
	return int32(at)
}

// Len is how many rules the set holds.
func (s *Set) Len() int { return len(s.program.Rules) }

// Rule is the i-th rule, as it was handed to Compile.
func (s *Set) Rule(i int) *sigma.Rule { return s.program.Rules[i].Rule }

// Source is the source that the i-th rule asks for, as pipelines left it.
func (s *Set) Source(i int) Source { return SourceOf(s.program.Rules[i].As) }

// Program is what the rules were compiled to. It must not be changed.
func (s *Set) Program() *ir.Program { return s.program }

// Applies gives the rules that apply to a source, in order.
func (s *Set) Applies(src Source) []int {
	var out []int
	for i := range s.program.Rules {
		if src.covers(s.program.Rules[i].LogSource) && (s.only == nil || s.only[i]) {
			out = append(out, i)
		}
	}
	return out
}
