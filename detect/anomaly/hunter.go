// Package anomaly hunts for unusual use of secrets and keys: it reads stored
// usage and events hour by hour, has the signs of trouble judge them, weighs
// their alarms against what happens by chance, and tells those that an alert
// budget has room for.
//
// What it says is a function of what is stored and of the calendar alone. Each
// hour is judged by what was learned of the days before it and by the hours of
// its own day up to it, so that a look back and a look that goes along with the
// log come to the same; an event that comes late has the hunter look again from
// its hour on.
package anomaly

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/usage"
)

// Name is the hunter's: that of its marks and hunts.
const Name = "anomaly"

// Sums is lake.UsageCondition: one converts into the other.
type Sums struct {
	Since, Until time.Time
	Where        string
	Args         []any
	By           []string
}

// Usage is where hourly sums are read: with Where if it is there, else whole with
// Select.
type Usage struct {
	// Where is lake.UsageConditioner's UsageWhere in the dialect of DuckDB.
	Where  func(context.Context, Sums) iter.Seq2[usage.Row, error]
	Select func(context.Context, usage.Query) iter.Seq2[usage.Row, error]
}

// Options is what a hunter reads and how it decides. Usage, Events and Signs have
// to be given.
type Options struct {
	Usage  Usage
	Events stored.Source
	// Horizon gives the time before which events were dropped; nil: none were.
	Horizon func() (time.Time, error)
	// Notes gives back what Hunt.Notes kept of the days in [since, until), in
	// order: triage.Hunts.Notes of Name. Nil: days without events are learned
	// from by their usage alone.
	Notes func(ctx context.Context, since, until time.Time) ([]finding.Note, error)
	// Reread has days read from events wherever they are held, although there is
	// a note: after events were read anew by another version, for example.
	Reread bool
	// Signs makes all signs, having learned nothing: see Signs.
	Signs func() []watch.Sign
	// Windows are the calendar's.
	Windows func() []finding.Window
	// Budget is how many alerts a day and 1,000 secrets and keys may be expected
	// by chance, all signs together; 0: DefaultBudget.
	Budget float64
	// Lateness is how long after its end an hour waits for its records, beyond
	// what now allows for; 0: DefaultLateness. Less than 0: not at all.
	Lateness time.Duration
	// Nominal has scores taken at their word: the tail of what is observed
	// corrects nothing. For comparison.
	Nominal bool
	// Progress, if given, is called after each day.
	Progress func(Progress)
}

// Defaults of Options.
const (
	DefaultBudget   = 1.0
	DefaultLateness = 20 * time.Minute
)

// Progress is how far a hunt is.
type Progress struct {
	Day      time.Time
	Last     time.Time // the day it goes up to
	Secrets  int
	Events   int64 // read of events, in all
	Rows     int64 // read of usage
	Alarms   int64 // that signs raised
	Findings int64 // occurrences of them that the budget had room for
	Bytes    int64 // of what is learned
	Drops
}

// Drops are what was too much, as of what a hunter has read since it began anew.
type Drops struct {
	// CutHours are those of the events of which only the first were kept.
	CutHours int `json:"cut_hours,omitempty"`
	// UnnotedDays are too large to be noted: once their events are dropped they
	// are learned from by their usage alone.
	UnnotedDays int `json:"unnoted_days,omitempty"`
	// Unnamed tells that there are more secrets, keys or principals than are told
	// apart.
	Unnamed bool `json:"unnamed,omitempty"`
}

// Hunter is the hunter named Name.
type Hunter struct {
	o     Options
	limit int        // bytes of a note
	run   int64      // runEvents
	mu    sync.Mutex // held by a hunt, and by who asks for the state
	m     *model     // nil: nothing read yet
	p     Progress

	shown atomic.Pointer[Progress] // a copy of p
	state atomic.Pointer[State]
}

var _ detect.Onward = (*Hunter)(nil)

// New makes a hunter that has read nothing yet.
func New(o Options) *Hunter {
	if o.Budget == 0 {
		o.Budget = DefaultBudget
	}
	if o.Lateness == 0 {
		o.Lateness = DefaultLateness
	}
	if o.Windows == nil {
		o.Windows = func() []finding.Window { return nil }
	}
	return &Hunter{o: o, limit: maxNote, run: runEvents}
}

// Hunters is detect.Hunter's.
func (h *Hunter) Hunters() []string { return []string{Name} }

// Onward is detect.Onward's.
func (h *Hunter) Onward() {}

// Hunt is detect.Hunter's. What is asked for may be widened: every hour from
// since up to the last one that is over is told, because what was learned of an
// hour decides on those after it. Hours that are not over come back in Again.
func (h *Hunter) Hunt(ctx context.Context, hunter string, since, until, now time.Time) (finding.Hunt, error) {
	if hunter != Name {
		return finding.Hunt{}, fmt.Errorf("%q is not hunted for here", hunter)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	end := finding.Hour(now.Add(-max(h.o.Lateness, 0))) // hours before it are over
	out := finding.Hunt{Hunter: Name, Since: finding.Hour(since), Until: finding.Hour(until.Add(time.Hour - 1))}
	for t := out.Since; t.Before(out.Until); t = t.Add(time.Hour) {
		if !t.Before(end) {
			out.Again = append(out.Again, t)
		}
	}
	if !out.Since.Before(end) {
		return out, nil
	}
	said, err := h.from(ctx, out.Since, end)
	if err != nil {
		return out, err
	}
	h.keepState()
	if out.Until.Before(end) {
		out.Until = end
	}
	out.Occurrences, out.Notes = said.Occurrences, said.Notes
	return out, nil
}

// Progress is that of the hunt under way, or of the latest one.
func (h *Hunter) Progress() Progress {
	if p := h.shown.Load(); p != nil {
		return *p
	}
	return Progress{}
}
