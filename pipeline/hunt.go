package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// HuntRooms are what hunting joins.
type HuntRooms struct {
	Hunters []detect.Hunter
	Triage  triage.Hunts
	// Latest gives the time of the latest stored event; zero: there is none.
	Latest func(ctx context.Context) (time.Time, error)
	// Horizon gives the time before which events were dropped. What was found
	// of earlier hours stays as it is: nobody can look again. Nil: none were.
	Horizon func() (time.Time, error)
}

// HuntOptions shape hunting.
type HuntOptions struct {
	// Lateness is how far behind the latest stored event the log is taken to
	// be complete; 0: DefaultLateness.
	Lateness time.Duration
	// Now bounds Latest, so that a clock that runs ahead somewhere closes
	// nothing before its time; nil: time.Now.
	Now func() time.Time
	// Quiet is as that of a pipeline.
	Quiet func(rule string) bool
	// Share is which part of the time hunting may take, where others are waiting
	// for the processor too; 0: all.
	Share float64
}

// DefaultLateness is longer than CloudTrail's records of one moment are apart
// from each other most of the time. Records that come later still change what
// was found: they mark their hours.
const DefaultLateness = 5 * time.Minute

// Windows of a round: hunters look at a slice together, and so read it once, but
// for what lies around it as far as they reach.
const (
	huntSlice = 180 * 24 * time.Hour
	// reopen is how much further the log has to reach before hours are looked at
	// again in which something is open.
	reopen = time.Minute
)

// Hunting sends hunters to the hours that are marked for them. One goroutine
// runs its rounds.
type Hunting struct {
	rooms   HuntRooms
	opt     HuntOptions
	hunters map[string]detect.Hunter
	looked  map[finding.Mark]time.Time // at marks that stayed: up to which time of the log

	mu    sync.Mutex      // guards everything below
	rest  time.Time       // until then nothing is looked at, by Now
	next  []detect.Hunter // that the next round takes up; nil: those there are
	stats HuntStats
	keys  map[string]struct{}
}

// NewHunting joins the rooms.
func NewHunting(rooms HuntRooms, opt HuntOptions) *Hunting {
	if opt.Lateness == 0 {
		opt.Lateness = DefaultLateness
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Hunting{
		rooms: rooms, opt: opt, hunters: byName(rooms.Hunters), looked: map[finding.Mark]time.Time{}, keys: map[string]struct{}{},
	}
}

func byName(hunters []detect.Hunter) map[string]detect.Hunter {
	out := map[string]detect.Hunter{}
	for _, x := range hunters {
		for _, name := range x.Hunters() {
			out[name] = x
		}
	}
	return out
}

// Exchange has the next round, and those after it, send these hunters. It may be
// called from any goroutine.
func (h *Hunting) Exchange(hunters ...detect.Hunter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next = hunters
}

// takeUp takes up hunters that were exchanged.
func (h *Hunting) takeUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next != nil {
		h.hunters, h.next = byName(h.next), nil
	}
}

// HuntStats say what was hunted since NewHunting.
type HuntStats struct {
	Waiting int64 // hours marked for hunters there are, as of the last round
	Open    int64 // of them, those that wait for more of the log
	Hunts   int64
	Hours   int64 // looked at, each hunter's
	// Findings is how many different findings the hunts gave.
	Findings int64
	Seconds  float64
}

// Stats gives the counts so far.
func (h *Hunting) Stats() HuntStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats
	s.Findings = int64(len(h.keys))
	return s
}

// Run runs rounds until no mark is left but those that wait for more of the log.
func (h *Hunting) Run(ctx context.Context) error {
	for {
		if did, err := h.Round(ctx); err != nil || !did {
			return err
		}
	}
}

// Round looks at every hour that is marked now, and tells whether there was
// any to look at. What it did before an error stays done.
func (h *Hunting) Round(ctx context.Context) (did bool, err error) {
	if h.Resting() {
		return false, nil
	}
	began := time.Now()
	h.takeUp()
	marks, now, err := h.marked(ctx)
	if err != nil || len(marks) == 0 {
		return false, err
	}
	for _, some := range h.packs(h.windows(marks)) {
		if err := h.together(ctx, some, now); err != nil {
			return true, err
		}
	}
	took := time.Since(began)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Seconds += took.Seconds()
	if h.opt.Share > 0 {
		h.rest = h.opt.Now().Add(time.Duration(float64(took) * (1/h.opt.Share - 1)))
	}
	return true, nil
}

// Resting tells whether a round would do nothing now because the one before took
// its share of the time.
func (h *Hunting) Resting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.opt.Now().Before(h.rest)
}

// marked are the marks to look at, and how far the log may be taken to be
// complete.
func (h *Hunting) marked(ctx context.Context) (due []finding.Mark, now time.Time, err error) {
	all, err := h.rooms.Triage.Marks(ctx)
	if err != nil {
		return nil, now, err
	}
	var horizon time.Time
	if h.rooms.Horizon != nil && len(all) > 0 {
		if horizon, err = h.rooms.Horizon(); err != nil {
			return nil, now, err
		}
	}
	// Rules come and go: marks of those that are not here wait for them.
	all = slices.DeleteFunc(all, func(m finding.Mark) bool {
		return h.hunters[m.Hunter] == nil || m.Hour.Before(horizon)
	})
	there := map[finding.Mark]bool{}
	for _, m := range all {
		there[m] = true
	}
	maps.DeleteFunc(h.looked, func(m finding.Mark, _ time.Time) bool { return !there[m] })
	if len(all) > 0 {
		if now, err = h.reach(ctx); err != nil {
			return nil, now, err
		}
	}
	for _, m := range all {
		if to, open := h.looked[m]; !open || now.Sub(to) >= reopen {
			due = append(due, m)
		}
	}
	h.mu.Lock()
	h.stats.Waiting, h.stats.Open = int64(len(all)), int64(len(all)-len(due))
	h.mu.Unlock()
	return due, now, nil
}

// reach is up to when the log may be taken to be complete.
func (h *Hunting) reach(ctx context.Context) (time.Time, error) {
	latest, err := h.rooms.Latest(ctx)
	if err != nil {
		return latest, fmt.Errorf("find the latest event: %w", err)
	}
	if now := h.opt.Now(); latest.After(now) {
		latest = now
	}
	return latest.Add(-h.opt.Lateness), nil
}

func sliceOf(t time.Time) int64 { return t.Unix() / int64(huntSlice/time.Second) }

// window is adjoining hours that are marked for one hunter.
type window struct {
	hunter       string
	since, until time.Time
	seen         int64
	marks        []finding.Mark
}

// windows groups marks, a slice of time after the other so that hunters share
// what was read of it. What is marked for a hunter that looks onward is one window
// from its first hour to its last, for all of it is looked at.
func (h *Hunting) windows(marks []finding.Mark) []*window {
	slices.SortFunc(marks, func(a, b finding.Mark) int {
		return cmp.Or(cmp.Compare(sliceOf(a.Hour), sliceOf(b.Hour)), cmp.Compare(a.Hunter, b.Hunter), a.Hour.Compare(b.Hour))
	})
	var out []*window
	for _, m := range marks {
		end := m.Hour.Add(time.Hour)
		if w := h.joined(out, m); w != nil {
			w.until, w.seen = end, max(w.seen, m.Seq)
			w.marks = append(w.marks, m)
			continue
		}
		out = append(out, &window{m.Hunter, m.Hour, end, m.Seq, []finding.Mark{m}})
	}
	return out
}

// joined is the window that m continues, if there is one.
func (h *Hunting) joined(all []*window, m finding.Mark) *window {
	if _, onward := h.hunters[m.Hunter].(detect.Onward); onward {
		i := slices.IndexFunc(all, func(w *window) bool { return w.hunter == m.Hunter })
		if i < 0 {
			return nil
		}
		return all[i]
	}
	if n := len(all) - 1; n >= 0 && all[n].hunter == m.Hunter && all[n].until.Equal(m.Hour) && sliceOf(all[n].since) == sliceOf(m.Hour) {
		return all[n]
	}
	return nil
}

// packs puts the windows of a slice together that one hunter takes at once.
func (h *Hunting) packs(all []*window) (out [][]*window) {
	for _, w := range all {
		if n := len(out) - 1; n >= 0 {
			last := out[n][0]
			if _, ok := h.hunters[w.hunter].(detect.Pack); ok && h.hunters[w.hunter] == h.hunters[last.hunter] && sliceOf(w.since) == sliceOf(last.since) {
				out[n] = append(out[n], w)
				continue
			}
		}
		out = append(out, []*window{w})
	}
	return out
}

// together hunts in the windows, which are one unless the hunter is a pack.
func (h *Hunting) together(ctx context.Context, all []*window, now time.Time) error {
	first := all[0]
	hunter := h.hunters[first.hunter]
	pack, ok := hunter.(detect.Pack)
	if !ok {
		said, err := hunter.Hunt(ctx, first.hunter, first.since, first.until, now)
		if err != nil {
			return fmt.Errorf("hunt with %s from %s: %w", first.hunter, first.since.Format(time.RFC3339), err)
		}
		return h.record(ctx, all, []finding.Hunt{said}, now)
	}
	looks := make([]detect.Look, len(all))
	for i, w := range all {
		looks[i] = detect.Look{Hunter: w.hunter, Since: w.since, Until: w.until}
	}
	said, err := pack.HuntTogether(ctx, looks, now)
	if err != nil {
		return fmt.Errorf("hunt with %s and others from %s: %w", first.hunter, first.since.Format(time.RFC3339), err)
	}
	for len(all) > 0 {
		n, found := 1, len(said[0].Occurrences)
		for n < min(len(all), recordHunts) && found < recordFound {
			found += len(said[n].Occurrences)
			n++
		}
		if err := h.record(ctx, all[:n], said[:n], now); err != nil {
			return err
		}
		all, said = all[n:], said[n:]
	}
	return nil
}

// So many hunts are recorded in one transaction at most, and of more occurrences
// than that only the last has some, so that nobody waits for it long.
const (
	recordHunts = 100
	recordFound = 1000
)

// record records what was said of windows.
func (h *Hunting) record(ctx context.Context, windows []*window, said []finding.Hunt, now time.Time) error {
	all := make([]triage.Hunted, len(windows))
	for i, w := range windows {
		all[i] = triage.Hunted{Hunt: said[i], Seen: w.seen}
	}
	if err := h.rooms.Triage.RecordHunts(ctx, all); err != nil {
		return err
	}
	for i, w := range windows {
		h.recorded(w, said[i], now)
	}
	return nil
}

// recorded notes what is open of a window, and counts.
func (h *Hunting) recorded(w *window, said finding.Hunt, now time.Time) {
	open := 0
	for _, m := range w.marks {
		delete(h.looked, m)
		if slices.ContainsFunc(said.Again, m.Hour.Equal) {
			h.looked[m] = now
			open++
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Hunts++
	h.stats.Hours += int64(w.until.Sub(w.since) / time.Hour)
	for _, o := range said.Occurrences {
		if h.opt.Quiet == nil || !h.opt.Quiet(o.Rule) {
			h.keys[o.Key] = struct{}{}
		}
	}
	h.stats.Waiting -= int64(len(w.marks) - open)
	h.stats.Open += int64(open)
}
