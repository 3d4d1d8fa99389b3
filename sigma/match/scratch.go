package match

import (
	"slices"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// Scratch is the memory that one goroutine matches in.
type Scratch struct {
	set    *Set
	source Source
	plan   *plan

	fields  []ir.Field // by slot
	blocked []int32    // by slot: the depth of the object that gave it by its flat name, or 0
	saved   []saved    // states of fields at the entry of objects being walked
	text    []byte     // strings without their escapes
	buf     ir.Buffer

	epoch  uint32
	asked  []uint32 // by atom: the epoch in which it was asked
	answer []bool   // by atom
	tried  []uint32 // by rule: the epoch in which it was a candidate
	cands  []int32
	hits   []int

	atom func(ir.AtomID) bool // the method below, bound once
}

// NewScratch makes a scratch for the set.
func (s *Set) NewScratch() *Scratch {
	sc := &Scratch{
		set:     s,
		fields:  make([]ir.Field, len(s.fields)),
		blocked: make([]int32, len(s.fields)),
		asked:   make([]uint32, len(s.program.Atoms)),
		answer:  make([]bool, len(s.program.Atoms)),
		tried:   make([]uint32, len(s.program.Rules)),
	}
	sc.atom = sc.holds
	return sc
}

// MatchJSON gives the indexes of all rules that match the record, in order. They
// are valid until the next call. The record must not change before then.
func (s *Set) MatchJSON(sc *Scratch, record []byte, src Source) ([]int, error) {
	sc.enter(src)
	if err := sc.read(record); err != nil {
		return nil, err
	}
	sc.candidates()
	sc.hits = sc.hits[:0]
	for _, i := range sc.cands {
		if s.program.Rules[i].Expr.Eval(sc.atom) {
			sc.hits = append(sc.hits, int(i))
		}
	}
	return sc.hits, nil
}

// enter begins a record of a source.
func (sc *Scratch) enter(src Source) {
	if sc.plan == nil || sc.source != src {
		sc.plan, sc.source = sc.set.plan(src), src
	}
	for _, slot := range sc.plan.slots {
		f := &sc.fields[slot]
		f.Present, f.Values = false, f.Values[:0]
	}
	all := &sc.fields[keywordSlot]
	all.Present, all.Values = false, all.Values[:0]
	sc.saved, sc.text = sc.saved[:0], sc.text[:0]
	sc.buf.Reset()
	if sc.epoch++; sc.epoch == 0 { // after four billion records
		clear(sc.asked)
		clear(sc.tried)
		sc.epoch = 1
	}
}

// Forget lets go of the last record, so that a scratch which waits for work
// keeps no record's memory alive.
func (sc *Scratch) Forget() {
	for i := range sc.fields {
		values := sc.fields[i].Values
		clear(values[:cap(values)])
		sc.fields[i] = ir.Field{Values: values[:0]}
	}
}

// candidates finds the rules that may match: those without a witness, and those
// of which a witness holds.
func (sc *Scratch) candidates() {
	sc.cands = append(sc.cands[:0], sc.plan.always...)
	sorted := true
	for k := range sc.plan.index {
		look := &sc.plan.index[k]
		values := sc.fields[look.slot].Values
		for i := range values {
			if values[i].Kind == ir.Null {
				continue
			}
			for _, r := range look.rules[string(values[i].Folded(&sc.buf))] {
				if sc.tried[r] != sc.epoch {
					sc.tried[r] = sc.epoch
					sc.cands = append(sc.cands, r)
					sorted = false
				}
			}
		}
	}
	if !sorted {
		slices.Sort(sc.cands)
	}
}

// holds answers an atom once a record.
func (sc *Scratch) holds(id ir.AtomID) bool {
	if sc.asked[id] == sc.epoch {
		return sc.answer[id]
	}
	a := &sc.set.program.Atoms[id]
	v := a.Holds(&sc.fields[sc.set.atomAt[id]], &sc.fields[sc.set.refAt[id]], &sc.buf)
	sc.asked[id], sc.answer[id] = sc.epoch, v
	return v
}
