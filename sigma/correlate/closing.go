package correlate

// A condition that more hits could undo, such as "fewer than 3", is looked at
// when nothing can change it any more, and of every hit it is asked about the
// fullest timespan that the hit is in: a timespan that begins with a hit of the
// group and holds the most. So three hits in a row are never "fewer than 3"
// because a shorter look at them would have been possible, and where a window
// begins does not hang on what was long before.

// closing is what a group keeps for that. Windows begin with an instant at which
// hits came, and close a timespan later.
type closing struct {
	from int // the first hit of the measure, counted like group.gone
	// fullest holds windows that may be the fullest of some hit, each less full
	// than those before it.
	fullest []closed
	// run is hits that follow each other and have the same fullest window.
	run            closed
	runFrom, runTo int
	runs           bool
	shares         map[string]int // values in a run's window, reused
}

// closed is a window that has closed: hits from to to.
type closed struct {
	at       int64
	from, to int
	full     float64
	value    float64
	some     bool // there is a value
}

// close ends the window that began a timespan before t, and settles its hits.
func (g *group) close(t int64) {
	k := g.closing
	span := int64(g.s.c.Timespan)
	at := t - span
	for k.from < g.gone+len(g.entries) && g.entries[k.from-g.gone].at < at {
		g.window.remove(&g.entries[k.from-g.gone])
		k.from++
	}
	value, some := g.window.value(g.entries[k.from-g.gone:])
	w := closed{at: at, from: k.from, to: g.gone + len(g.entries), value: value, some: some}
	w.full = g.window.fullness(value)
	for n := len(k.fullest); n > 0 && k.fullest[n-1].full < w.full; n-- {
		k.fullest = k.fullest[:n-1]
	}
	k.fullest = append(k.fullest, w)
	for k.fullest[0].at < at-span {
		k.fullest = k.fullest[1:]
	}
	if to := g.gone + g.since(at+1); to > w.from {
		g.settleHits(w.from, to, k.fullest[0], t)
	}
	for len(g.entries) > 0 && g.entries[0].at < at-span {
		g.drop()
	}
}

// settleHits adds hits to the run if they have its window, and else begins
// another.
func (g *group) settleHits(from, to int, w closed, t int64) {
	k := g.closing
	if k.runs && k.run.at != w.at {
		g.endRun(t)
	}
	if !k.runs {
		k.runs, k.run, k.runFrom = true, w, from
	}
	k.runTo = to
	if k.runTo == w.to { // no later hit is in the window
		g.endRun(t)
	}
}

// endRun fires if the window of the run satisfies the condition.
func (g *group) endRun(t int64) {
	k := g.closing
	k.runs = false
	from := max(k.runFrom-g.gone, 0) // what the limit made go is gone
	to := k.runTo - g.gone
	if to <= from {
		return
	}
	if g.window.share {
		g.fireShares(from, to, t)
		return
	}
	if k.run.some && g.s.c.holds(k.run.value) {
		g.s.e.fire(g.firing(from, to, k.run.value, t))
	}
}

// fireShares fires on the hits of the run with a value of which the share in the
// window, in percent, satisfies the condition.
func (g *group) fireShares(from, to int, t int64) {
	k := g.closing
	if k.shares == nil {
		k.shares = map[string]int{}
	}
	clear(k.shares)
	total := 0
	for i := max(k.run.from-g.gone, 0); i < k.run.to-g.gone; i++ {
		for _, key := range g.entries[i].keys {
			k.shares[key]++
			total++
		}
	}
	var hits []*Hit
	first := 0.0 // the share of the first of them
	for i := from; i < to; i++ {
		for _, key := range g.entries[i].keys {
			share := 100 * float64(k.shares[key]) / float64(total)
			if !g.s.c.holds(share) {
				continue
			}
			if len(hits) == 0 {
				first = share
			}
			hits = append(hits, g.hits[i])
			break
		}
	}
	if len(hits) == 0 {
		return
	}
	f := g.firingOf(hits, g.gone+from, first, t)
	f.New, f.group = 0, nil // other hits lie between
	g.s.e.fire(f)
}
