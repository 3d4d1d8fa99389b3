package anomaly

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

const oneDay = 24 * time.Hour

// What was learned before a day is kept for the last two days, and of the days
// before for every second, fourth and eighth: an event that comes late has little
// learned again, and one that comes later than daysBack everything.
const daysBack = 16

// maxPast is how much memory what was learned before may take, beside that of the
// last two days.
const maxPast = 256 << 20

// keeps tells whether what was learned before a day is kept until another. What is
// kept until then was kept all the time before.
func keeps(day, until time.Time) bool {
	n, age := day.Unix()/int64(oneDay/time.Second), int64(until.Sub(day)/oneDay)
	switch {
	case age <= 2:
		return true
	case age <= 4:
		return n%2 == 0
	case age <= 8:
		return n%4 == 0
	}
	return age <= daysBack && n%8 == 0
}

// learned is what the days before say.
type learned struct {
	signs   []watch.Sign
	tails   *tails
	history *history
}

func (l *learned) clone() *learned {
	c := &learned{tails: l.tails.clone(), history: l.history.clone()}
	for _, s := range l.signs {
		c.signs = append(c.signs, s.Clone())
	}
	return c
}

// model goes through the days.
type model struct {
	names   *names
	words   words
	learned *learned  // of the days before day
	day     time.Time // the day it is in
	next    time.Time // the next hour to judge, in day
	sum     *summary  // of day, its hours before next
	today   *watch.Day
	sizes   [24]count          // of names before each hour of today
	alarms  [24][]raised       // of today
	wider   [24][]wide         // likewise
	past    []checkpoint       // the starts of the days before, oldest first
	cut     map[time.Time]bool // hours that were cut
	unnoted map[time.Time]bool // days that no note was large enough for
}

// checkpoint is a day's start.
type checkpoint struct {
	day     time.Time
	learned *learned
	size    count
	bytes   int // of what is learned, about
}

func (h *Hunter) newModel(first time.Time) *model {
	return h.newModelOf(first, h.o.Signs())
}

func (h *Hunter) newModelOf(first time.Time, signs []watch.Sign) *model {
	m := &model{cut: map[time.Time]bool{}, unnoted: map[time.Time]bool{}, names: newNames(), words: words{}, learned: &learned{signs: signs, tails: newTails(h.o.Nominal), history: &history{}}}
	m.begin(first)
	return m
}

// begin begins a day.
func (m *model) begin(day time.Time) {
	m.day, m.next, m.sum = day, day, newSummary(day)
	m.today = &watch.Day{Start: day, Names: &m.names.Names}
	m.alarms, m.wider = [24][]raised{}, [24][]wide{}
}

// back goes back to an hour, or to the start of the latest day before it that
// what was learned before is kept of, if any.
func (m *model) back(to time.Time) bool {
	if !to.Before(m.next) {
		return true
	}
	if day := to.Truncate(oneDay); !day.Equal(m.day) {
		for len(m.past) > 0 && m.past[len(m.past)-1].day.After(day) {
			m.past = m.past[:len(m.past)-1]
		}
		n := len(m.past) - 1
		if n < 0 {
			return false
		}
		c := m.past[n]
		m.past = m.past[:n]
		m.names.cut(c.size)
		m.learned = c.learned
		m.begin(c.day)
		return true
	}
	i := int(to.Sub(m.day) / time.Hour)
	m.names.cut(m.sizes[i])
	// Another day, so that no sign takes it for the one it has judged.
	today := &watch.Day{Start: m.day, Names: m.today.Names}
	copy(today.Hours[:i], m.today.Hours[:i])
	m.today, m.next = today, to
	clear(m.sum.hours[i:])
	clear(m.alarms[i:])
	clear(m.wider[i:])
	return true
}

// from tells the hours [since, end) anew. It holds h.mu.
func (h *Hunter) from(ctx context.Context, since, end time.Time) (said finding.Hunt, err error) {
	h.p = Progress{Secrets: h.p.Secrets, Bytes: h.p.Bytes} // what is known stays
	r := &reader{usage: h.o.Usage, events: h.o.Events, most: h.run}
	if h.m == nil || !h.m.back(since) {
		h.m = nil
		first, err := r.first(ctx)
		if err != nil || first.IsZero() || !first.Before(end) {
			return said, err
		}
		h.m = h.newModel(first)
	}
	m := h.m
	if !m.next.Before(end) {
		return said, nil
	}
	defer func() {
		if err != nil {
			h.m = nil // it is somewhere in the middle of a day
		}
	}()
	horizon, notes, err := h.kept(ctx, m.day, since, end)
	if err != nil {
		return said, err
	}
	t := &teller{h: h, r: r, since: since, windows: h.o.Windows(), budget: h.o.Budget}
	ctx, cancel := context.WithCancel(ctx)
	read := h.ahead(ctx, r, h.spans(since, end, horizon, notes))
	defer func() { // nothing reads on behind our back
		cancel()
		for range read {
		}
	}()
	for x := range read {
		if x.err != nil {
			return said, x.err
		}
		if err := h.judge(ctx, x, t, end); err != nil {
			return said, err
		}
		if !x.noted && x.events && x.sum.whole() && since.Before(x.until) {
			note, ok := x.sum.note(h.limit)
			if ok {
				said.Notes = append(said.Notes, note)
			}
			set(m.unnoted, note.Day, !ok)
		}
	}
	if err := ctx.Err(); err != nil {
		return said, err
	}
	inOrder(t.out)
	said.Occurrences = t.out
	return said, nil
}

// kept is from which day on events are held, and the notes of the days before
// since that can stand for them.
func (h *Hunter) kept(ctx context.Context, from, since, end time.Time) (horizon time.Time, notes map[time.Time]finding.Note, err error) {
	if h.o.Horizon != nil {
		if horizon, err = h.o.Horizon(); err != nil {
			return horizon, nil, fmt.Errorf("find what was dropped: %w", err)
		}
		horizon = horizon.UTC().Truncate(oneDay)
	}
	until := since.Truncate(oneDay)
	if h.o.Reread || horizon.After(until) {
		until = horizon
	}
	if end.Before(until) {
		until = end
	}
	notes = map[time.Time]finding.Note{}
	if h.o.Notes == nil || !from.Before(until) {
		return horizon, notes, nil
	}
	all, err := h.o.Notes(ctx, from, until)
	if err != nil {
		return horizon, nil, fmt.Errorf("read notes: %w", err)
	}
	for _, n := range all {
		notes[n.Day.UTC()] = n
	}
	return horizon, notes, nil
}

// spans cuts the hours up to end into days. What is asked for is read from events
// as long as they are held: what notes say of it may be out of date.
func (h *Hunter) spans(since, end, horizon time.Time, notes map[time.Time]finding.Note) []span {
	m := h.m
	var out []span
	for at := m.next; at.Before(end); {
		day := at.Truncate(oneDay)
		s := span{since: at, until: day.Add(oneDay), sum: m.sum, events: !day.Before(horizon)}
		if end.Before(s.until) {
			s.until = end
		}
		if !day.Equal(m.day) {
			s.sum = newSummary(day)
		}
		if n, ok := notes[day]; ok && at.Equal(day) && (!s.events || !h.o.Reread && !s.until.After(since)) {
			// A note that cannot be read is as none.
			if sum, err := noted(n); err == nil && sum.whole() {
				s.sum, s.noted = sum, true
			}
		}
		out = append(out, s)
		at = s.until
	}
	return out
}

// ahead reads spans while others are judged.
func (h *Hunter) ahead(ctx context.Context, r *reader, spans []span) <-chan *hours {
	out := make(chan *hours, 1)
	give := func(x *hours) bool {
		select {
		case out <- x:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(out)
		runs, err := r.runs(ctx, spans)
		for _, some := range runs {
			run, failed := r.read(ctx, some)
			if err = failed; err != nil {
				break
			}
			for _, x := range run {
				if !give(x) {
					return
				}
			}
		}
		if err != nil {
			give(&hours{err: err})
		}
	}()
	return out
}

// judge judges the hours of a span, and learns from the day if it is over.
func (h *Hunter) judge(ctx context.Context, x *hours, t *teller, end time.Time) error {
	m := h.m
	m.sum = x.sum
	for i := range m.today.Hours {
		hour := m.day.Add(time.Duration(i) * time.Hour)
		if hour.Before(x.since) || !hour.Before(x.until) {
			continue
		}
		m.sizes[i] = m.names.count(hour)
		m.today.Hours[i] = x.hour(i, m.names, m.words)
		set(m.cut, hour, m.today.Hours[i].Cut)
		var alarms []watch.Alarm
		for _, s := range m.learned.signs {
			alarms = append(alarms, s.Judge(m.today, i)...)
		}
		// Which sign tells of one trouble depends on what the others say.
		slices.SortStableFunc(alarms, func(a, b watch.Alarm) int { return cmp.Compare(rank(&a), rank(&b)) })
		for k := range alarms {
			m.alarms[i] = append(m.alarms[i], t.alarm(m, m.today.Hours[i], &alarms[k])...)
		}
		h.p.Alarms += int64(len(alarms))
		m.next = hour.Add(time.Hour)
	}
	if err := t.tell(ctx); err != nil {
		return err
	}
	h.p.Day, h.p.Last, h.p.Secrets = m.day, end.Add(-time.Hour).Truncate(oneDay), len(m.names.Secrets)
	h.p.Events += x.read
	h.p.Rows += x.rows
	h.p.Findings = int64(len(t.out))
	h.p.Drops = m.drops()
	if m.next.Equal(m.day.Add(oneDay)) {
		m.learn(end)
		h.p.Bytes = int64(m.bytes())
	}
	shown := h.p
	h.shown.Store(&shown)
	if h.o.Progress != nil {
		h.o.Progress(h.p)
	}
	return nil
}

// learn takes the day in, which is over.
func (m *model) learn(end time.Time) {
	if until := end.Truncate(oneDay); keeps(m.day, until) {
		m.past = append(m.past, checkpoint{m.day, m.learned, m.sizes[0], m.bytes()})
		m.learned = m.learned.clone()
		m.forget(m.day.Add(oneDay))
	}
	var all []raised
	for _, list := range m.alarms {
		all = append(all, list...)
	}
	for _, s := range m.learned.signs {
		s.Learn(m.today)
	}
	m.learned.history.learn(m.today)
	m.learned.tails.learn(m.day, m.learned.history.exposed(m.today), all)
	m.begin(m.day.Add(oneDay))
}

// forget drops what is not to be kept any more.
func (m *model) forget(until time.Time) {
	bytes := 0
	for i := len(m.past) - 1; i >= 0; i-- {
		c := &m.past[i]
		if until.Sub(c.day) > 2*oneDay {
			bytes += c.bytes
		}
		if !keeps(c.day, until) || bytes > maxPast {
			m.past = slices.Delete(m.past, i, i+1)
		}
	}
}

func set(there map[time.Time]bool, t time.Time, is bool) {
	if is {
		there[t] = true
	} else {
		delete(there, t)
	}
}

func (m *model) drops() Drops {
	return Drops{CutHours: len(m.cut), UnnotedDays: len(m.unnoted), Unnamed: m.names.full()}
}

// bytes is about how much memory what is known takes, the names among it.
func (m *model) bytes() int {
	n := m.names.size() + m.learned.history.bytes()
	for _, s := range m.learned.signs {
		n += s.Bytes()
	}
	return n
}
