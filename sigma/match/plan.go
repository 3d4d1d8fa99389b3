package match

import (
	"encoding/binary"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// plan is what of a set matters to one source.
type plan struct {
	rules  []int32 // that apply
	always []int32 // of them, those without a witness
	slots  []int32 // that their atoms read
	root   *node   // what to look for in a record
	// looks are by slot. Atoms in them are those in indexed.
	looks    []look
	indexed  []uint64 // a bit for each atom of the set
	watchers []int32  // rules, by the hits they wait for
}

// look says what the values of one field tell, all atoms at once.
type look struct {
	equal   *table            // by what the value is
	numbers map[float64][]hit // by what number it is
	any     []hit             // whatever it is, null aside
	present []hit             // even if it is null or an empty array
	texts   []*automaton      // by what occurs in it

	values bool // there is anything but text

	// A witness is among what the value is, or among what occurs in it. What
	// bears no witness is looked up when a rule asks.
	valueEager, textEager bool
}

// hit is what is known of an atom when a value was found in a look.
type hit struct {
	atom ir.AtomID
	// Rules that wait for it: of the plan's watchers.
	from, upto uint32
	length     uint32 // of the text, for anchors
	anchor     anchor
	certain    bool // the atom holds; else it may
}

type anchor uint8

const (
	anywhere anchor = iota
	atStart
	atEnd
)

// Prepare does what would else be done at the first record of a source. It takes
// up to a second for thousands of rules.
func (s *Set) Prepare(sources ...Source) {
	for _, src := range sources {
		s.plan(src)
	}
}

func (s *Set) plan(src Source) *plan {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plans[src]
	if p != nil {
		return p
	}
	var key []byte
	applies := s.Applies(src)
	for _, i := range applies {
		key = binary.AppendUvarint(key, uint64(i))
	}
	if p = s.byRules[string(key)]; p == nil {
		p = s.newPlan(applies)
	}
	if len(s.plans) < maxPlans {
		s.plans[src], s.byRules[string(key)] = p, p
	}
	return p
}

func (s *Set) newPlan(rules []int) *plan {
	p := &plan{root: &node{}, looks: make([]look, len(s.fields)), indexed: make([]uint64, len(s.program.Atoms)/64+1)}
	read := make([]bool, len(s.fields))
	use := func(slot int32) {
		if !read[slot] && slot != keywordSlot {
			read[slot] = true
			p.slots = append(p.slots, slot)
		}
	}
	b := builder{set: s, plan: p, users: map[ir.AtomID]int{}}
	for _, i := range rules {
		p.rules = append(p.rules, int32(i))
		s.program.Rules[i].Expr.Walk(func(n *ir.Node) {
			if n.Op != ir.Leaf {
				return
			}
			use(s.atomAt[n.Atom])
			use(s.refAt[n.Atom])
			if b.users[n.Atom]++; b.users[n.Atom] == 1 {
				b.atoms = append(b.atoms, n.Atom)
			}
		})
	}
	for _, slot := range p.slots {
		p.root.add(s.fields[slot], slot)
	}
	p.root.finish()
	b.index()
	return p
}

// builder makes the looks of a plan.
type builder struct {
	set   *Set
	plan  *plan
	users map[ir.AtomID]int // how often rules ask each atom
	atoms []ir.AtomID       // of all rules that apply
	found map[ir.AtomID]findable

	values  map[int32]int           // by slot: of how many values rules ask whether it is one
	watched map[ir.AtomID][2]uint32 // a place in the plan's watchers
	budget  int                     // what is left for rows of automata
}

// maxRows is how many entries the rows of a plan's automata have together: 16 MiB.
const maxRows = 4 << 20

func (b *builder) index() {
	b.budget = maxRows
	b.found = make(map[ir.AtomID]findable, len(b.atoms))
	for _, id := range b.atoms {
		b.found[id] = findableBy(&b.set.program.Atoms[id])
	}
	b.chooseWitnesses()
	slots := map[int32][]ir.AtomID{}
	for _, id := range b.atoms {
		if b.found[id].by != byAsking {
			slots[b.set.atomAt[id]] = append(slots[b.set.atomAt[id]], id)
		}
	}
	for _, slot := range append([]int32{keywordSlot}, b.plan.slots...) {
		if len(slots[slot]) > 0 {
			b.slot(slot, slots[slot])
		}
	}
}

// kind is how an atom can be found without asking it.
type kind uint8

const (
	byAsking kind = iota // not at all
	byEqual
	byNumber
	byText
	byAny
	byPresence
)

// findable is how an atom can be found, with its texts if it is by those.
type findable struct {
	by    kind
	texts []string
}

func findableBy(a *ir.Atom) findable {
	switch a.Op {
	case ir.IsNull:
		return findable{by: byAsking}
	case ir.Exists:
		return findable{by: byPresence}
	case ir.Eq:
		return findable{by: byEqual}
	case ir.Compare:
		if a.Cmp == ir.Equal {
			return findable{by: byNumber}
		}
	case ir.Prefix, ir.Suffix, ir.Contains, ir.Glob, ir.Regex:
		if texts, ok := a.Literals(); ok {
			return findable{byText, texts}
		}
	}
	return findable{by: byAny}
}

// chooseWitnesses finds for each rule atoms of which one must hold, such that
// seldom hold and are cheap to find.
func (b *builder) chooseWitnesses() {
	b.values = map[int32]int{}
	for _, id := range b.atoms {
		if k := b.found[id].by; k == byEqual || k == byNumber {
			b.values[b.set.atomAt[id]]++
		}
	}
	costs := map[ir.AtomID]float64{}
	for _, id := range b.atoms {
		costs[id] = b.frequency(id)
	}
	can := func(id ir.AtomID) bool { return b.found[id].by != byAsking }
	cost := func(id ir.AtomID) float64 { return costs[id] }
	waiting := map[ir.AtomID][]int32{}
	for _, i := range b.plan.rules {
		atoms, ok := b.set.program.Rules[i].Expr.Witness(can, cost)
		if !ok {
			b.plan.always = append(b.plan.always, i)
			continue
		}
		for _, id := range atoms {
			if w := waiting[id]; len(w) == 0 || w[len(w)-1] != i {
				waiting[id] = append(w, i)
			}
		}
	}
	b.watched = map[ir.AtomID][2]uint32{}
	for _, id := range b.atoms {
		if w := waiting[id]; len(w) > 0 {
			from := uint32(len(b.plan.watchers))
			b.plan.watchers = append(b.plan.watchers, w...)
			b.watched[id] = [2]uint32{from, uint32(len(b.plan.watchers))}
		}
	}
}

// frequency guesses how often an atom holds, from 0 for never to about 1. Fields
// of which rules name many values tell records apart best, then long texts.
// What many rules ask is what is frequent. Something is added for what it costs to
// find: looking through text costs more than looking up a value, and through a
// whole record most.
func (b *builder) frequency(id ir.AtomID) float64 {
	a := &b.set.program.Atoms[id]
	cost := 0.002 * float64(b.users[id])
	switch b.found[id].by {
	case byEqual, byNumber:
		cost += 1 / float64(b.values[b.set.atomAt[id]])
	case byText:
		for _, t := range b.found[id].texts {
			often := 0.5
			for range min(len(t), 20) {
				often *= 0.7
			}
			cost += 0.05 + often
		}
	default:
		cost += 1
	}
	if a.Field == "" {
		cost += 0.3
	}
	return cost
}

// byLength groups the texts of keywords, which are looked for in whole records:
// a gate serves long ones best and those of a letter or two not at all.
func byLength(all []pattern) [][]pattern {
	var short, middle, long []pattern
	for _, p := range all {
		switch {
		case len(p.text) < 3:
			short = append(short, p)
		case len(p.text) < longText:
			middle = append(middle, p)
		default:
			long = append(long, p)
		}
	}
	return [][]pattern{short, middle, long}
}

// fewText is how many texts of a field are not worth an automaton if no witness
// is among them: they are asked one by one, if they are.
const fewText = 4

// slot makes the look of one field.
func (b *builder) slot(slot int32, atoms []ir.AtomID) {
	l := &b.plan.looks[slot]
	equal := map[string][]hit{}
	var texts []pattern
	var asText []ir.AtomID
	keywords := slot == keywordSlot
	for _, id := range atoms {
		a := &b.set.program.Atoms[id]
		h := b.hit(id)
		k := b.found[id].by
		if k == byText {
			if keywords && h.upto == h.from {
				continue // asked one by one, of the few records where a witness is
			}
			asText = append(asText, id)
			l.textEager = l.textEager || h.upto > h.from
			for _, t := range b.found[id].texts {
				h.length = uint32(len(t))
				texts = append(texts, pattern{t, h})
			}
			continue
		}
		l.values = true
		l.valueEager = l.valueEager || h.upto > h.from
		b.mark(id)
		switch k {
		case byEqual:
			text := ir.FoldString(a.Text)
			equal[text] = append(equal[text], h)
		case byNumber:
			if l.numbers == nil {
				l.numbers = map[float64][]hit{}
			}
			l.numbers[a.Number.Float()] = append(l.numbers[a.Number.Float()], h)
		case byAny:
			l.any = append(l.any, h)
		case byPresence:
			l.present = append(l.present, h)
		}
	}
	if len(equal) > 0 {
		l.equal = newTable(equal)
	}
	if len(texts) > 0 && (l.textEager || len(asText) >= fewText) {
		groups := [][]pattern{texts}
		if keywords {
			groups = byLength(texts)
		}
		for _, group := range groups {
			if len(group) > 0 {
				m := newAutomaton(group, b.budget, keywords && len(group[0].text) >= 3)
				b.budget -= len(m.rows)
				l.texts = append(l.texts, m)
			}
		}
		for _, id := range asText {
			b.mark(id)
		}
	}
}

func (b *builder) mark(id ir.AtomID) { b.plan.indexed[id/64] |= 1 << (id % 64) }

func (p *plan) has(id ir.AtomID) bool { return p.indexed[id/64]>>(id%64)&1 == 1 }

// hit is what finding the atom's text or value tells. Keywords may lie across
// two values of the record, and equal numbers may differ beyond float64.
func (b *builder) hit(id ir.AtomID) hit {
	a := &b.set.program.Atoms[id]
	w := b.watched[id]
	h := hit{atom: id, from: w[0], upto: w[1]}
	switch a.Op {
	case ir.Eq, ir.Contains:
		h.certain = !a.Cased && a.Text != ""
	case ir.Prefix:
		h.certain, h.anchor = !a.Cased, atStart
	case ir.Suffix:
		h.certain, h.anchor = !a.Cased, atEnd
	case ir.Exists:
		h.certain = true
	}
	if a.Field == "" {
		h.certain, h.anchor = false, anywhere
	}
	return h
}
