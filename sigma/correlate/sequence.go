package correlate

import "slices"

// chain follows how far the rules of a temporal_ordered correlation matched in
// their order. It holds for every rule and length the latest beginning of a
// sequence of that length which ends with the rule: a later beginning serves
// whatever an earlier one does. Hits of one instant are in any order one likes.
type chain struct {
	span  int64
	never []bool    // by member: must not match
	begin [][]int64 // by member and length-1
	all   int       // members that have to match
}

func newChain(c *Correlation) *chain {
	ch := &chain{span: int64(c.Timespan), never: make([]bool, len(c.members))}
	if c.extended != nil {
		ch.never = c.extended.never
	}
	for i := range c.members {
		if !ch.never[i] {
			ch.all++
		}
		begin := make([]int64, i+1)
		for k := range begin {
			begin[k] = never
		}
		ch.begin = append(ch.begin, begin)
	}
	return ch
}

// step takes the instant t, at which the entries came and, of members that must
// not match, those of which absent says so. It gives the length of the longest
// sequence that ends now.
func (ch *chain) step(t int64, entries []entry, absent []int64) int {
	longest := 0
	for k, begin := range ch.begin {
		if ch.never[k] {
			if absent[k] == t && ch.between(k) {
				ch.breaks(k)
			}
			continue
		}
		if !slices.ContainsFunc(entries, func(en entry) bool { return en.member == k }) {
			continue
		}
		begin[0] = t
		for n := 1; n <= k; n++ {
			for _, before := range ch.begin[:k] {
				if n-1 < len(before) {
					begin[n] = max(begin[n], before[n-1])
				}
			}
		}
		for n := range begin {
			if begin[n] >= t-ch.span {
				longest = max(longest, n+1)
			}
		}
	}
	return longest
}

// between tells whether rules that have to match stand on both sides of k.
func (ch *chain) between(k int) bool {
	return slices.Contains(ch.never[:k], false) && slices.Contains(ch.never[k+1:], false)
}

// breaks ends the sequences that k's match came into the middle of: those that
// got as far as the rule before it and no further.
func (ch *chain) breaks(k int) {
	for i := k - 1; i >= 0; i-- {
		if !ch.never[i] {
			for n := range ch.begin[i] {
				ch.begin[i][n] = never
			}
			return
		}
	}
}

// chainStart is the place of the first hit kept that can be part of a sequence: where
// all rules have to match, one at the time of a match of the first.
func (g *group) chainStart() int {
	c := g.s.c
	if c.Condition != nil && c.holds(float64(len(c.members)-1)) {
		return 0
	}
	first := slices.Index(g.chain.never, false)
	i := slices.IndexFunc(g.entries, func(en entry) bool { return en.member == first })
	if i < 0 { // the limit made it go
		return 0
	}
	return g.since(g.entries[i].at)
}

// pending is a time at which all held that has to match. Whether what must not
// match stays out is known a timespan later.
type pending struct {
	at      int64
	matched []bool // by member
	hits    []*Hit
	start   int // of hits in all that the group had
	value   float64
}

// lookExtended is look for boolean conditions.
func (g *group) lookExtended(t int64, from int) {
	c := g.s.c
	x := c.extended
	matched := make([]bool, len(c.members))
	for i, n := range g.window.rules {
		matched[i] = n > 0
	}
	start := 0
	if g.chain != nil {
		if g.chain.step(t, g.entries[from:], g.absent) < g.chain.all || g.before(t) {
			return
		}
		start = g.chainStart()
	} else if from == len(g.entries) || !x.holds(x.expr, func(i int) bool { return matched[i] }) {
		return // or only what must not match came
	}
	if x.negative() {
		start = g.tight(start)
	}
	value := 0.0
	for i := range matched {
		if matched[i] {
			value++
		}
	}
	if !g.waits() {
		g.s.e.fire(g.firing(start, len(g.hits), value, t))
		return
	}
	n := len(g.hits)
	g.pending = append(g.pending, pending{t, matched, g.hits[start:n:n], g.gone + start, value})
	g.s.e.after(t+int64(c.Timespan), g, duePending)
}

// tight is the place of the last hit from which on all holds that has to match.
// Hits before it may be such that something came which must not.
func (g *group) tight(start int) int {
	if g.chain != nil {
		last := g.chain.begin[g.chain.last()]
		return max(start, g.since(last[g.chain.all-1]))
	}
	x := g.s.c.extended
	matched := make([]bool, len(x.never))
	for i := len(g.entries) - 1; i > start; i-- {
		matched[g.entries[i].member] = true
		if x.holds(x.expr, func(k int) bool { return matched[k] }) {
			return g.since(g.entries[i].at)
		}
	}
	return start
}

// last is the last member that has to match.
func (ch *chain) last() int {
	k := len(ch.never) - 1
	for ch.never[k] {
		k--
	}
	return k
}

// before tells whether something matched in the timespan up to t that is listed
// before all rules that have to match, and must not match.
func (g *group) before(t int64) bool {
	for k, never := range g.chain.never {
		if !never {
			return false
		}
		if g.absent[k] >= t-g.chain.span {
			return true
		}
	}
	return false
}

// waits tells whether something must not match after what has to.
func (g *group) waits() bool {
	x := g.s.c.extended
	if g.chain != nil {
		return x.never[len(x.never)-1]
	}
	return x.negative()
}

// decide settles the oldest pending: t is a timespan after it.
func (g *group) decide(t int64) {
	p := g.pending[0]
	g.pending = g.pending[1:]
	x := g.s.c.extended
	if g.chain != nil {
		for k := len(x.never) - 1; k >= 0 && x.never[k]; k-- {
			if g.absent[k] >= p.at {
				return
			}
		}
	} else {
		earliest := p.at - int64(g.s.c.Timespan)
		if !x.holds(x.expr, func(i int) bool { return p.matched[i] || x.never[i] && g.absent[i] >= earliest }) {
			return
		}
	}
	g.s.e.fire(g.firingOf(p.hits, p.start, p.value, t))
}
