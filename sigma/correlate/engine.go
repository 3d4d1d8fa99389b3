package correlate

import (
	"time"
)

// EngineOptions bounds an engine. A zero bound stands for the default.
type EngineOptions struct {
	// Lateness is how much later than newer hits a hit may come. Until then
	// hits wait, so that they are evaluated in the order of their times.
	Lateness time.Duration
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
	Repeats int64 // of them, those that came before
	Late    int64 // that came after their time was evaluated, and are lost
	Hurried int64 // evaluated before their time because too many waited
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
type Engine struct {
}

// New makes an engine.
func New(p *Plan, o EngineOptions) *Engine { return &Engine{} }

// Feed takes a hit and gives the firings that are known now. The hit must not be
// changed afterwards.
func (e *Engine) Feed(h Hit) []*Firing { return nil }

// Advance says that every hit with a time before t has come.
func (e *Engine) Advance(t time.Time) []*Firing { return nil }

// Close evaluates all hits that wait. What is still open stays untold: nobody
// knows what would have come.
func (e *Engine) Close() []*Firing { return nil }

// Stats are the counts so far.
func (e *Engine) Stats() Stats { return Stats{} }

// Evaluate gives all firings of the hits, in whatever order these are, up to and
// including until. A zero until means that nothing comes after the last hit.
func Evaluate(p *Plan, hits []Hit, until time.Time, o EngineOptions) ([]*Firing, Stats) {
	return nil, Stats{}
}
