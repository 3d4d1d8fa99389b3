package correlate

import (
	"math"
	"slices"
	"time"
)

// EngineOptions bounds an engine. A zero bound stands for the default.
type EngineOptions struct {
	// Lateness is how much later than newer hits a hit may come. Until then
	// hits wait, so that they are evaluated in the order of their times.
	Lateness time.Duration
	// MaxAhead is how much later than Now the time of a hit may be; by default
	// an hour, and less than 0 for no bound. One wrong date would else move the
	// watermark to where every true hit is late. What goes beyond is set aside:
	// not evaluated, counted in Stats.Ahead, and taken if it comes again when
	// its time has come.
	MaxAhead time.Duration
	// Now is the clock that MaxAhead goes by; nil: the machine's. Who replays a
	// log gives the time at which its hits came.
	Now func() time.Time
	// MaxGroups is how many groups a correlation may have at a time; by default
	// 100,000. Hits of further groups are dropped and counted.
	MaxGroups int
	// MaxHits is how many hits of a group are kept for a timespan; by default
	// 10,000, and never less than the condition asks for. The oldest make room.
	MaxHits int
	// MaxWaiting is how many hits may wait; by default 1,000,000. Beyond it the
	// oldest are evaluated before their time.
	MaxWaiting int
}

// Stats counts what an engine saw, from its beginning.
type Stats struct {
	Hits    int64 // that were fed
	Repeats int64 // of them, those that came before: same rule, id and time
	Late    int64 // that came after their time was evaluated, and are lost
	Hurried int64 // evaluated before their time because too many waited
	Undated int64 // with a time no log has: before 1700 or after 2200
	Ahead   int64 // with a time further ahead than MaxAhead, and set aside
	Firings int64

	// NoGroup are hits, once per correlation, that lack a field of group-by and
	// therefore belong to no group.
	NoGroup int64
	// DroppedGroups are hits of groups that were too many.
	DroppedGroups int64
	// DroppedHits are hits that a group could not keep.
	DroppedHits int64
	// DroppedValues are combinations of values beyond those that one hit may
	// stand for.
	DroppedValues int64

	Groups  int // now
	Waiting int // hits, now
}

// Engine evaluates a plan over hits as they come. One goroutine uses it at a
// time.
//
// Time goes forward in instants: moments at which hits come or something falls
// due. Hits of the same instant are taken together, so that their order does not
// matter.
type Engine struct {
	o      EngineOptions
	states []*state // in the order of the plan
	feeds  map[any][]route

	sorted  []*Hit // that wait, of Evaluate
	waiting hitHeap
	known   map[hitKey]struct{} // hits that wait or were evaluated lately
	recent  []stamp             // of known, those evaluated, in order
	timers  timerHeap
	seq     int64

	newest, watermark int64
	stats             Stats
	out               []*Firing
	instantHits       []*Hit
	due               []timer
}

// route says which correlation a hit goes to, as which member.
type route struct{ state, member int }

// hitKey is what repeats share. The time is part of it, so that what is a repeat
// does not depend on how long hits are remembered.
type hitKey struct {
	base *Base
	id   string
	at   int64
}

type stamp struct {
	at  int64
	key hitKey
}

const (
	never  = math.MinInt64 / 4 // before all times, with room to subtract
	always = math.MaxInt64
)

// New makes an engine.
func New(p *Plan, o EngineOptions) *Engine {
	if o.MaxAhead == 0 {
		o.MaxAhead = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.MaxGroups = bound(o.MaxGroups, 100_000)
	o.MaxHits = bound(o.MaxHits, 10_000)
	o.MaxWaiting = bound(o.MaxWaiting, 1_000_000)
	e := &Engine{o: o, feeds: map[any][]route{}, known: map[hitKey]struct{}{}, newest: never, watermark: never}
	for i, c := range p.Correlations {
		limit := o.MaxHits
		if c.least < 1e7 { // more than that in one group is no condition
			limit = max(limit, int(c.least)+2)
		}
		e.states = append(e.states, &state{e: e, c: c, at: i, limit: limit, groups: map[string]*group{}})
		for k := range c.members {
			var from any = c.members[k].base
			if c.members[k].base == nil {
				from = c.members[k].child
			}
			e.feeds[from] = append(e.feeds[from], route{i, k})
		}
	}
	return e
}

func bound(n, standard int) int {
	if n <= 0 {
		return standard
	}
	return n
}

// nanos is a time on the engine's clock, which goes from 1700 to 2200; false:
// the time is outside, and the nearer end is given.
func nanos(t time.Time) (int64, bool) {
	switch y := t.Year(); {
	case y < 1700:
		return never, false
	case y > 2200:
		return always, false
	}
	return t.UnixNano(), true
}

// Feed takes a hit and gives the firings that are known now. The hit must not be
// changed afterwards.
func (e *Engine) Feed(h Hit) []*Firing {
	e.out = nil
	e.stats.Hits++
	at, ok := nanos(h.Time)
	if !ok {
		e.stats.Undated++
		return nil
	}
	if len(e.feeds[h.Base]) == 0 {
		return nil
	}
	if at > e.newest && e.ahead(at) {
		e.stats.Ahead++
		return nil
	}
	key := hitKey{h.Base, h.ID, at}
	if _, ok := e.known[key]; ok && h.ID != "" {
		e.stats.Repeats++
		return nil
	}
	if at < e.watermark {
		e.stats.Late++
		return nil
	}
	e.known[key] = struct{}{}
	e.waiting.push(&h)
	e.newest = max(e.newest, at)
	e.advance(e.newest - int64(e.o.Lateness))
	for len(e.waiting) > e.o.MaxWaiting {
		before := len(e.waiting)
		e.advance(e.waiting[0].Time.UnixNano() + 1)
		e.stats.Hurried += int64(before - len(e.waiting))
	}
	return e.out
}

// ahead tells whether a time is further ahead than hits may be.
func (e *Engine) ahead(at int64) bool {
	if e.o.MaxAhead < 0 {
		return false
	}
	limit, _ := nanos(e.o.Now().Add(e.o.MaxAhead))
	return at > limit
}

// Advance says that every hit with a time before t has come.
func (e *Engine) Advance(t time.Time) []*Firing {
	e.out = nil
	at, _ := nanos(t)
	e.advance(at)
	return e.out
}

// Close evaluates all hits that wait. What is still open stays untold: nobody
// knows what would have come.
func (e *Engine) Close() []*Firing {
	e.out = nil
	e.advance(e.newest + 1)
	return e.out
}

// Stats are the counts so far.
func (e *Engine) Stats() Stats {
	s := e.stats
	s.Waiting = len(e.waiting)
	for _, x := range e.states {
		s.Groups += len(x.groups)
	}
	return s
}

// Evaluate gives all firings of the hits, in whatever order these are, up to and
// including until. A zero until means that nothing comes after the last hit.
// The hits must not be changed afterwards. Lateness, MaxAhead and MaxWaiting mean
// nothing here: a hit with a wrong date makes no other late.
func Evaluate(p *Plan, hits []Hit, until time.Time, o EngineOptions) ([]*Firing, Stats) {
	e := New(p, o)
	e.sorted = make([]*Hit, 0, len(hits))
	for i := range hits {
		e.stats.Hits++
		if _, ok := nanos(hits[i].Time); !ok {
			e.stats.Undated++
		} else if len(e.feeds[hits[i].Base]) > 0 {
			e.sorted = append(e.sorted, &hits[i])
		}
	}
	slices.SortStableFunc(e.sorted, compareHits)
	end := int64(always)
	if at, ok := nanos(until); ok {
		end = at + 1
	} else if at == never && !until.IsZero() {
		end = never
	}
	e.advance(end)
	return e.out, e.Stats()
}

// advance evaluates all instants before t.
func (e *Engine) advance(t int64) {
	if t <= e.watermark {
		return
	}
	e.watermark = t
	for {
		at := e.next()
		if at >= t {
			break
		}
		e.instant(at)
	}
	forget := e.watermark - int64(e.o.Lateness)
	n := 0
	for n < len(e.recent) && e.recent[n].at < forget {
		delete(e.known, e.recent[n].key)
		n++
	}
	e.recent = e.recent[n:]
}

// next is the next instant.
func (e *Engine) next() int64 {
	at := int64(always)
	if len(e.sorted) > 0 {
		at = e.sorted[0].Time.UnixNano()
	}
	if len(e.waiting) > 0 {
		at = min(at, e.waiting[0].Time.UnixNano())
	}
	if len(e.timers) > 0 {
		at = min(at, e.timers[0].due)
	}
	return at
}

// take gives the hits of the instant t in order, each once.
func (e *Engine) take(t int64) []*Hit {
	hits := e.instantHits[:0]
	for len(e.sorted) > 0 && e.sorted[0].Time.UnixNano() == t {
		h := e.sorted[0]
		e.sorted = e.sorted[1:]
		if n := len(hits); n > 0 && h.ID != "" && hits[n-1].ID == h.ID && hits[n-1].Base == h.Base {
			e.stats.Repeats++
			continue
		}
		hits = append(hits, h)
	}
	for len(e.waiting) > 0 && e.waiting[0].Time.UnixNano() == t {
		h := e.waiting.pop()
		hits = append(hits, h)
		e.recent = append(e.recent, stamp{t, hitKey{h.Base, h.ID, t}})
	}
	e.instantHits = hits
	return hits
}

// instant evaluates the moment t: what comes, then what falls due, correlation
// by correlation, so that firings reach those they feed in the same instant.
func (e *Engine) instant(t int64) {
	for _, h := range e.take(t) {
		for _, r := range e.feeds[h.Base] {
			s := e.states[r.state]
			s.arrivals = append(s.arrivals, arrival{h, r.member})
		}
	}
	e.due = e.due[:0]
	for len(e.timers) > 0 && e.timers[0].due == t {
		e.due = append(e.due, e.timers.pop())
	}
	k := 0
	for i, s := range e.states {
		s.arrive(t)
		for ; k < len(e.due) && e.due[k].state == i; k++ {
			e.due[k].group.fallsDue(t, e.due[k].kind)
		}
	}
}

// fire tells of a firing, and feeds it to the correlations behind.
func (e *Engine) fire(f *Firing) {
	e.stats.Firings++
	e.out = append(e.out, f)
	routes := e.feeds[f.Correlation]
	if len(routes) == 0 {
		return
	}
	h := &Hit{Time: f.At, From: f}
	for _, r := range routes {
		s := e.states[r.state]
		s.arrivals = append(s.arrivals, arrival{h, r.member})
	}
}

// after makes g fall due at a time.
func (e *Engine) after(due int64, g *group, kind dueKind) {
	e.seq++
	e.timers.push(timer{due: due, state: g.s.at, seq: e.seq, group: g, kind: kind})
}
