package match

import (
	"bytes"
	"errors"
	"slices"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// Scratch is the memory that one goroutine matches in.
type Scratch struct {
	set    *Set
	source Source
	plan   *plan
	record []byte

	fields  []ir.Field // by slot
	touched []int32    // the slots that the record gave something
	blocked []int32    // by slot: the depth of the object that gave it by its flat name, or 0
	flat    int        // how many slots are blocked
	saved   []saved    // states of fields at the entry of objects being walked
	text    []byte     // strings without their escapes
	nest    []uint64   // brackets that are open in what is being skipped
	buf     ir.Buffer

	// What is of a record carries its epoch, so that nothing has to be cleared.
	epoch     uint32
	answers   []uint32 // by atom: the epoch and an answer
	valueSeen []uint32 // by slot: the epoch in which its values were looked up
	textSeen  []uint32 // by slot: the epoch in which its texts were looked through
	tried     []uint32 // by rule: the epoch in which it was a candidate
	cands     []int32
	hits      []int

	atom func(ir.AtomID) bool // the method below, bound once
}

// Answers, below the epoch. An atom of a look without any does not hold.
const (
	maybe = iota
	no
	yes
	answerBits = 2
)

// NewScratch makes a scratch for the set.
func (s *Set) NewScratch() *Scratch {
	sc := &Scratch{
		set:       s,
		fields:    make([]ir.Field, len(s.fields)),
		blocked:   make([]int32, len(s.fields)),
		answers:   make([]uint32, len(s.program.Atoms)),
		valueSeen: make([]uint32, len(s.fields)),
		textSeen:  make([]uint32, len(s.fields)),
		tried:     make([]uint32, len(s.program.Rules)),
	}
	sc.atom = sc.holds
	return sc
}

// Set is the set that the scratch was made for.
func (sc *Scratch) Set() *Set { return sc.set }

var errForeign = errors.New("the scratch was made for another set")

// MatchJSON gives the indexes of all rules that match the record, in order. They
// are valid until the next call. The record must not change before then.
//
// A record that is no JSON object is an error, but not all of it is checked: what
// no rule looks at is passed over. Checked are the outermost object, every object
// and array on the way to a field of the rules, the numbers, true, false and null
// in those, and that all brackets and quotes pair. Not checked are, in strings,
// control characters and escapes, which are taken for what they come closest to,
// and, in objects and arrays that are passed over, what stands between brackets.
func (s *Set) MatchJSON(sc *Scratch, record []byte, src Source) ([]int, error) {
	if sc.set != s {
		return nil, errForeign
	}
	sc.enter(src)
	if err := sc.read(record); err != nil {
		return nil, err
	}
	sc.candidates()
	sc.hits = sc.hits[:0]
	for _, i := range sc.cands {
		if sc.matches(i) {
			sc.hits = append(sc.hits, int(i))
		}
	}
	return sc.hits, nil
}

// matches evaluates one rule.
func (sc *Scratch) matches(i int32) bool {
	at := sc.set.entry[i]
	if at == viaTree {
		return sc.set.program.Rules[i].Expr.Eval(sc.atom)
	}
	for at >= 0 {
		if j := &sc.set.jumps[at]; sc.holds(j.atom) {
			at = j.yes
		} else {
			at = j.no
		}
	}
	return at == itHolds
}

// enter begins a record of a source.
func (sc *Scratch) enter(src Source) {
	if sc.plan == nil || sc.source != src {
		sc.plan, sc.source = sc.set.plan(src), src
	}
	for _, slot := range sc.touched {
		f := &sc.fields[slot]
		f.Present, f.Values = false, f.Values[:0]
	}
	sc.touched, sc.record = sc.touched[:0], nil
	sc.saved, sc.text = sc.saved[:0], sc.text[:0]
	sc.buf.Reset()
	if sc.epoch++; sc.epoch == 1<<(32-answerBits) { // after a billion records
		for _, of := range [][]uint32{sc.answers, sc.valueSeen, sc.textSeen, sc.tried} {
			clear(of)
		}
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
	sc.record = nil
}

// candidates finds the rules that may match: those without a witness, and those
// of which a witness may hold.
func (sc *Scratch) candidates() {
	sc.cands = append(sc.cands[:0], sc.plan.always...)
	sc.lookAhead(keywordSlot)
	for _, slot := range sc.touched {
		sc.lookAhead(slot)
	}
	slices.Sort(sc.cands)
}

func (sc *Scratch) lookAhead(slot int32) {
	l := &sc.plan.looks[slot]
	if l.valueEager {
		sc.lookUp(slot)
	}
	if l.textEager {
		sc.lookThrough(slot)
	}
}

// found notes what a hit tells, and who waited for it.
func (sc *Scratch) found(h *hit, certain bool) {
	known := sc.answers[h.atom]
	if known>>answerBits == sc.epoch {
		if certain && known&(1<<answerBits-1) == maybe {
			sc.answer(h.atom, yes)
		}
		return
	}
	if certain {
		sc.answer(h.atom, yes)
	} else {
		sc.answer(h.atom, maybe)
	}
	for _, r := range sc.plan.watchers[h.from:h.upto] {
		if sc.tried[r] != sc.epoch {
			sc.tried[r] = sc.epoch
			sc.cands = append(sc.cands, r)
		}
	}
}

func (sc *Scratch) answer(id ir.AtomID, a uint32) { sc.answers[id] = sc.epoch<<answerBits | a }

// holds answers an atom.
func (sc *Scratch) holds(id ir.AtomID) bool {
	a, known := sc.known(id)
	if !known && sc.plan.has(id) {
		// Looked up already, or to be looked up now; then what was not met
		// does not hold.
		slot := sc.set.atomAt[id]
		sc.lookUp(slot)
		sc.lookThrough(slot)
		if a, known = sc.known(id); !known {
			return false
		}
	}
	if known && a != maybe {
		return a == yes
	}
	held := sc.set.program.Atoms[id].Holds(sc.field(sc.set.atomAt[id]), &sc.fields[sc.set.refAt[id]], &sc.buf)
	if held {
		sc.answer(id, yes)
	} else {
		sc.answer(id, no)
	}
	return held
}

func (sc *Scratch) known(id ir.AtomID) (uint32, bool) {
	a := sc.answers[id]
	return a & (1<<answerBits - 1), a>>answerBits == sc.epoch
}

// field is what the record holds in a slot. Keywords are collected when somebody
// asks.
func (sc *Scratch) field(slot int32) *ir.Field {
	f := &sc.fields[slot]
	if slot == keywordSlot && !f.Present && sc.record != nil {
		f.Present = true
		sc.touched = append(sc.touched, keywordSlot)
		w := walker{sc: sc, data: sc.record}
		w.keywords(0)
	}
	return f
}

// lookUp finds the atoms that tell of whole values of a field, once a record.
func (sc *Scratch) lookUp(slot int32) {
	l := &sc.plan.looks[slot]
	if !l.values || sc.valueSeen[slot] == sc.epoch {
		return
	}
	sc.valueSeen[slot] = sc.epoch
	f := sc.field(slot)
	if f.Present {
		sc.foundAll(l.present)
	}
	any := false
	for i := range f.Values {
		v := &f.Values[i]
		if v.Kind == ir.Null {
			continue
		}
		if !any {
			any = true
			sc.foundAll(l.any)
		}
		if l.equal != nil && (v.Kind != ir.Object || l.equal.objects) {
			text := v.Content(&sc.buf)
			hits, ok := l.equal.find(text)
			if !ok {
				hits = l.equal.findFolded(v.Folded(&sc.buf))
			}
			sc.foundAll(hits)
		}
		if l.numbers != nil {
			if n, ok := ir.NumberOf(v); ok {
				sc.foundAll(l.numbers[n])
			}
		}
	}
}

func (sc *Scratch) foundAll(hits []hit) {
	for i := range hits {
		sc.found(&hits[i], hits[i].certain)
	}
}

// lookThrough finds the atoms that tell of what occurs in values of a field,
// once a record.
func (sc *Scratch) lookThrough(slot int32) {
	l := &sc.plan.looks[slot]
	if len(l.texts) == 0 || sc.textSeen[slot] == sc.epoch {
		return
	}
	sc.textSeen[slot] = sc.epoch
	if slot == keywordSlot && bytes.IndexByte(sc.record, '\\') < 0 && ascii(sc.record) {
		// All values stand in the record as they are. Names of fields and what
		// lies between values may give a hit as well, which is why hits of
		// keywords are never certain.
		sc.scan(l.texts, sc.record)
		return
	}
	f := sc.field(slot)
	for i := range f.Values {
		if v := &f.Values[i]; v.Kind != ir.Null {
			text := v.Content(&sc.buf)
			if !ascii(text) {
				text = v.Folded(&sc.buf)
			}
			sc.scan(l.texts, text)
		}
	}
}

// scan looks through one text.
func (sc *Scratch) scan(ms []*automaton, text []byte) {
	for _, m := range ms {
		m.scan(text, func(state uint32, end int) {
			for s := m.found[state]; s != 0; s = m.found[m.fail[s]] {
				for i := m.from[s]; i < m.upto[s]; i++ {
					h := &m.hits[i]
					if h.anchor == anywhere || h.anchor == atStart && int(h.length) == end || h.anchor == atEnd && end == len(text) {
						sc.found(h, h.certain)
					}
				}
			}
		})
	}
}
