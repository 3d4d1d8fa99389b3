package correlate

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/sigma"
)

// maxFan is how many combinations of values one hit may stand for, where fields
// of group-by hold arrays.
const maxFan = 64

// state is one correlation with its groups.
type state struct {
	e      *Engine
	c      *Correlation
	at     int // among the engine's
	limit  int // of hits of a group
	groups map[string]*group

	arrivals []arrival // of this instant
	touched  []*group
	key      []byte
	tuple    []string
}

type arrival struct {
	hit    *Hit
	member int
}

// entry is what a group keeps of a hit beside the hit itself.
type entry struct {
	at     int64
	member int
	again  bool      // another rule matched the same event
	keys   []string  // of value_count and of shares
	nums   []float64 // of the other value types
}

// group is the hits with the same values of group-by. It keeps those of a
// timespan, and at the close of a timespan those of the one before.
type group struct {
	s       *state
	key     string
	values  []string
	hits    []*Hit
	entries []entry // of hits
	gone    int     // hits that were here before hits[0]
	told    int     // hits that firings listed, from the first on
	last    int64   // the last instant at which a hit came
	current int64   // the instant that the group is in touched for
	expires bool    // a timer for it runs

	lost   int   // hits that the limit made go too early
	lostAt int64 // the time of the last of them

	window  measure
	chain   *chain
	closing *closing
	absent  []int64 // by member: when one that must not match did so last
	pending []pending
}

// arrive takes the hits of the instant t.
func (s *state) arrive(t int64) {
	if len(s.arrivals) == 0 {
		return
	}
	s.touched = s.touched[:0]
	for _, a := range s.arrivals {
		s.place(t, a)
	}
	clear(s.arrivals)
	s.arrivals = s.arrivals[:0]
	for _, g := range s.touched {
		g.settle(t)
	}
}

// place puts a hit into its groups: one for each combination of the values of
// group-by. A hit that lacks one of the fields belongs to none.
func (s *state) place(t int64, a arrival) {
	m := &s.c.members[a.member]
	complete := true
	fanned := s.each(a.hit, m.group, func() { s.put(t, a) }, &complete)
	if !complete {
		s.e.stats.NoGroup++
	}
	s.e.stats.DroppedValues += int64(fanned)
}

// each calls f with every combination of a hit's values of the columns in
// s.tuple, as far as maxFan goes, and gives how many were left out.
func (s *state) each(h *Hit, columns []column, f func(), complete *bool) (left int) {
	n := 1
	var buf [8][]string
	all := buf[:0]
	for _, col := range columns {
		values := distinct(s.e.values(h, col))
		if len(values) == 0 {
			*complete = false
			return 0
		}
		all = append(all, values)
		n = min(n*len(values), 1<<20)
	}
	left = max(n-maxFan, 0)
	for i := range n - left {
		s.tuple = s.tuple[:0]
		for _, values := range all {
			s.tuple = append(s.tuple, values[i%len(values)])
			i /= len(values)
		}
		f()
	}
	return left
}

// distinct is values without repetitions.
func distinct(values []string) []string {
	if len(values) < 2 {
		return values
	}
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// put gives the hit to the group of s.tuple.
func (s *state) put(t int64, a arrival) {
	s.key = appendTuple(s.key[:0], s.tuple)
	g := s.groups[string(s.key)]
	if g == nil {
		if len(s.groups) >= s.e.o.MaxGroups {
			s.e.stats.DroppedGroups++
			return
		}
		g = s.newGroup()
	}
	if g.current != t {
		g.current = t
		s.touched = append(s.touched, g)
	}
	g.take(t, a)
}

func appendTuple(dst []byte, tuple []string) []byte {
	for _, v := range tuple {
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

func (s *state) newGroup() *group {
	g := &group{s: s, key: string(s.key), values: slices.Clone(s.tuple), current: never, last: never, lostAt: never}
	g.window = newMeasure(s.c)
	if s.c.Type == sigma.TemporalOrdered {
		g.chain = newChain(s.c)
	}
	if s.c.mode == atClose {
		g.closing = &closing{}
	}
	if s.c.extended != nil {
		g.absent = make([]int64, len(s.c.members))
		for i := range g.absent {
			g.absent[i] = never
		}
	}
	s.groups[g.key] = g
	return g
}

// take adds a hit.
func (g *group) take(t int64, a arrival) {
	g.last = t
	if x := g.s.c.extended; x != nil && x.never[a.member] {
		g.absent[a.member] = t
		return
	}
	g.age(t)
	en := entry{at: t, member: a.member}
	// Hits of one event follow each other: they have its time and its id.
	if n := len(g.hits); n > 0 && g.entries[n-1].at == t && a.hit.ID != "" && g.hits[n-1].ID == a.hit.ID {
		en.again = true
	}
	g.measureHit(&en, a.hit)
	g.hits, g.entries = append(g.hits, a.hit), append(g.entries, en)
	g.window.add(&en)
	if len(g.hits) > g.s.limit {
		g.lost++
		g.lostAt = g.entries[0].at
		g.s.e.stats.DroppedHits++
		g.drop()
	}
}

// age lets go of the hits that are in no window any more. Windows that close
// later began a timespan ago, and those that are fuller may have begun two ago.
func (g *group) age(t int64) {
	first := t - int64(g.s.c.Timespan)
	if g.closing != nil {
		first -= int64(g.s.c.Timespan)
	}
	for len(g.entries) > 0 && g.entries[0].at < first {
		g.drop()
	}
	if g.lostAt < first {
		g.lost = 0
	}
}

// measureHit reads what the condition asks of a hit.
func (g *group) measureHit(en *entry, h *Hit) {
	s := g.s
	m := &s.c.members[en.member]
	if len(m.values) == 0 {
		return
	}
	if g.window.keyed() {
		var key []byte
		complete := true
		tuple := s.tuple
		s.tuple = nil // the group's may still be in use
		left := s.each(h, m.values, func() {
			key = appendTuple(key[:0], s.tuple)
			en.keys = append(en.keys, string(key))
		}, &complete)
		s.tuple = tuple
		s.e.stats.DroppedValues += int64(left)
		return
	}
	if en.again {
		return // an event counts once
	}
	for _, v := range s.e.values(h, m.values[0]) {
		if x, ok := number(v); ok {
			en.nums = append(en.nums, x)
		}
	}
}

// since is the place of the first hit at t or later.
func (g *group) since(t int64) int {
	i, _ := slices.BinarySearchFunc(g.entries, t, func(en entry, t int64) int {
		switch {
		case en.at < t:
			return -1
		case en.at > t:
			return 1
		}
		return 0
	})
	return i
}

// drop lets go of the oldest hit.
func (g *group) drop() {
	if g.closing == nil {
		g.window.remove(&g.entries[0])
	} else if g.closing.from <= g.gone {
		g.window.remove(&g.entries[0])
		g.closing.from = g.gone + 1
	}
	g.hits, g.entries = g.hits[1:], g.entries[1:]
	g.gone++
}

// settle looks at the group after all hits of the instant t have come.
func (g *group) settle(t int64) {
	if !g.expires {
		g.expires = true
		g.s.e.after(t+g.keep(), g, dueExpiry)
	}
	if g.s.c.mode == atHits {
		g.look(t)
		return
	}
	g.s.e.after(t+int64(g.s.c.Timespan), g, dueClose)
}

// keep is how long a group without new hits is kept.
func (g *group) keep() int64 {
	if g.s.c.mode == atHits && g.s.c.extended == nil {
		return int64(g.s.c.Timespan) + 1
	}
	return 3*int64(g.s.c.Timespan) + 1 // until all has fallen due
}

// look is settle for conditions that are looked at whenever a hit comes.
func (g *group) look(t int64) {
	c := g.s.c
	from := len(g.entries)
	for from > 0 && g.entries[from-1].at == t {
		from--
	}
	if c.extended != nil {
		g.lookExtended(t, from)
		return
	}
	value, ok := 0.0, true
	start := 0
	if g.chain != nil {
		value = float64(g.chain.step(t, g.entries[from:], nil))
		start = g.chainStart()
	} else {
		value, ok = g.window.value(g.entries)
	}
	if !ok || !c.holds(value) {
		return
	}
	g.s.e.fire(g.firing(start, len(g.hits), value, t))
}

// holds tells whether the condition holds of a number.
func (c *Correlation) holds(value float64) bool {
	if c.Condition == nil {
		return value >= c.least
	}
	return c.Condition.Holds(value)
}

// firing is one on the hits from to to of those kept.
func (g *group) firing(from, to int, value float64, at int64) *Firing {
	return g.firingOf(g.hits[from:to:to], g.gone+from, value, at)
}

// firingOf is one on hits, of which the first is the start-th that the group had.
func (g *group) firingOf(hits []*Hit, start int, value float64, at int64) *Firing {
	c := g.s.c
	f := &Firing{
		Correlation: c, Group: g.values, Value: value, Condition: c.text,
		Hits: hits, At: time.Unix(0, at).UTC(),
		First: hits[0].Time, Last: hits[len(hits)-1].Time,
		New:   min(max(g.told-start, 0), len(hits)),
		group: g, start: start,
	}
	g.told = max(g.told, start+len(hits))
	if g.lost > 0 && g.lostAt >= at-int64(c.Depth) {
		f.Lost = g.lost
	}
	return f
}

// fallsDue is what a timer is for.
func (g *group) fallsDue(t int64, kind dueKind) {
	switch kind {
	case dueClose:
		if g.s.c.mode == atSilence {
			g.silence(t)
		} else {
			g.close(t)
		}
	case duePending:
		g.decide(t)
	case dueExpiry:
		if due := g.last + g.keep(); due > t {
			g.s.e.after(due, g, dueExpiry)
		} else {
			delete(g.s.groups, g.key)
		}
	}
}

// silence fires if nothing came since a timespan.
func (g *group) silence(t int64) {
	at := t - int64(g.s.c.Timespan)
	if g.last == at {
		g.s.e.fire(g.firing(g.since(at), len(g.hits), 0, t))
	}
	for len(g.entries) > 0 && g.entries[0].at <= at {
		g.drop()
	}
}

// maxScan is how many hits of a firing are asked for the values of a field that
// its correlation does not group by.
const maxScan = 4096

// values are those of a hit's column.
func (e *Engine) values(h *Hit, col column) []string {
	switch {
	case h.From == nil:
		if col.at < len(h.Values) {
			return h.Values[col.at]
		}
		return nil
	case col.at >= 0:
		return h.From.Group[col.at : col.at+1]
	}
	var out []string
	c := h.From.Correlation
	hits, columns := h.From.Hits, c.through[col.field]
	for i := len(hits) - 1; i >= max(0, len(hits)-maxScan) && len(out) < maxFan; i-- {
		m, ok := c.memberOf(hits[i])
		if !ok {
			continue
		}
		for _, v := range e.values(hits[i], columns[m]) {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// memberOf is the member that a hit came as.
func (c *Correlation) memberOf(h *Hit) (int, bool) {
	var from any = h.Base
	if h.From != nil {
		from = h.From.Correlation
	}
	m, ok := c.place[from]
	return m, ok
}
