// Package correlate finds what Sigma correlations say of stored events.
//
// A correlation is about hits: events that its base rules match. Hunter reads
// them around the hours it is asked about and evaluates them in the order of
// their times, so that what it says is a function of what is stored: late,
// repeated and disordered records, restarts and the cut of the hours make no
// difference. What a firing rests on is told in the hour of each event, one
// occurrence a group and hour.
//
// Fields that a correlation groups by or counts are those of the record, as
// Sigma names them, or the columns of our events by their own names: actor_uid,
// src_ip, account_uid, resource_uid and so on. A role's sessions are one
// actor_uid.
package correlate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// Options bound a hunter's memory. The zero Options stand for the defaults.
type Options struct {
	// HourHits is how many hits of a rule and hour are remembered at most, by
	// default 4,000: where there are more they are read whenever they are needed.
	HourHits int
	// Hits is how many are remembered in all, by default 200,000, which is some
	// 100 MB. Less than 0: none are, and whatever is asked for is read from the
	// lake. A program that runs once reads less than it would remember.
	Hits int
	// Count, if given, tells how many events are stored, so that hours of which
	// the detector judged all events since the start need not be read, and days
	// that are far apart are read together where little lies between them.
	Count Count
	// DayHits is how many hits of a day are put in order in memory where none are
	// remembered, by default 200,000; of a day with more the lake is asked for the
	// order.
	DayHits int
	// Engine bounds what is kept of groups while they are evaluated. What does
	// not fit is counted, and said in the finding.
	Engine correlate.EngineOptions
}

// Hunter hunts for the correlations of a detector.
type Hunter struct {
	all      map[string]*correlation // by hunter
	names    []string
	engine   correlate.EngineOptions
	overflow atomic.Int64

	mu   sync.Mutex // held by a hunt
	hits *hits
}

// correlation is one with what its findings share.
type correlation struct {
	*correlate.Correlation
	about.Rule
	only      *correlate.Plan
	bases     map[*correlate.Base]bool
	logSource string
	margin    time.Duration // how far around an hour hits matter to it
}

var _ detect.Pack = (*Hunter)(nil)

// New makes a hunter of d's correlations that reads stored events from src. It
// watches d, and so knows what comes without reading it back.
func New(d *rule.Detector, src stored.Source, o Options) *Hunter {
	if o.HourHits <= 0 {
		o.HourHits = 4000
	}
	if o.Hits == 0 {
		o.Hits = 200_000
	}
	if o.DayHits <= 0 {
		o.DayHits = 200_000
	}
	h := &Hunter{all: map[string]*correlation{}, engine: o.Engine, hits: newHits(d, src, o)}
	h.engine.Lateness = 0  // hits come in order
	h.engine.MaxAhead = -1 // and none later than the hunt's now
	for _, c := range d.Plan().Correlations {
		if !c.Findings {
			continue
		}
		x := &correlation{
			Correlation: c, Rule: about.Of(&c.Meta), only: d.Plan().Only(c), bases: map[*correlate.Base]bool{},
			margin: rule.Reach(c),
		}
		for i, b := range c.Bases {
			x.bases[b] = true
			if s := b.Rule.LogSource.String(); i == 0 {
				x.logSource = s
			} else if s != x.logSource {
				x.logSource = "" // of several
			}
		}
		name := rule.Hunter(c.Key())
		h.all[name] = x
		h.names = append(h.names, name)
	}
	if o.Hits > 0 {
		d.Watch(h.hits.see)
	}
	return h
}

// Hunters is detect.Hunter's.
func (h *Hunter) Hunters() []string { return slices.Clone(h.names) }

// Overflow is how many hits did not fit into the bounds, each time they were
// evaluated.
func (h *Hunter) Overflow() int64 { return h.overflow.Load() }

// Hunt is detect.Hunter's.
func (h *Hunter) Hunt(ctx context.Context, hunter string, since, until, now time.Time) (finding.Hunt, error) {
	said, err := h.HuntTogether(ctx, []detect.Look{{Hunter: hunter, Since: since, Until: until}}, now)
	if err != nil {
		return finding.Hunt{}, err
	}
	return said[0], nil
}

// HuntTogether is detect.Pack's. It may be called from several goroutines, which
// wait for each other.
func (h *Hunter) HuntTogether(ctx context.Context, looks []detect.Look, now time.Time) ([]finding.Hunt, error) {
	var all []*evaluation
	var parts []*part
	for _, l := range looks {
		c := h.all[l.Hunter]
		if c == nil {
			return nil, fmt.Errorf("no correlation is hunted for by %q", l.Hunter)
		}
		e := &evaluation{look: l, c: c, engine: correlate.New(c.only, h.engine), telling: newTelling(c, l.Since, l.Until, now)}
		all = append(all, e)
		parts = append(parts, &part{since: l.Since.Add(-c.margin), until: l.Until.Add(c.margin), rules: c.bases, take: e.take})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.hits.pass(ctx, parts); err != nil {
		return nil, err
	}
	out := make([]finding.Hunt, len(all))
	for i, e := range all {
		out[i] = e.finish(now)
		s := e.engine.Stats()
		h.overflow.Add(s.DroppedGroups + s.DroppedHits + s.DroppedValues)
	}
	return out, nil
}

// evaluation is of one look.
type evaluation struct {
	look    detect.Look
	c       *correlation
	engine  *correlate.Engine
	telling *telling
}

func (e *evaluation) take(hit *correlate.Hit) {
	e.telling.hit(hit)
	e.telling.firings(e.engine.Feed(*hit))
}

func (e *evaluation) finish(now time.Time) finding.Hunt {
	// Beyond what was read nothing is said, and beyond now nothing is known.
	end := e.look.Until.Add(e.c.margin)
	if now.Before(end) {
		end = now
	}
	e.telling.firings(e.engine.Advance(end))
	e.telling.firings(e.engine.Close())
	return finding.Hunt{
		Hunter: e.look.Hunter, Rule: e.c.Rule.Key, Since: e.look.Since.UTC(), Until: e.look.Until.UTC(),
		Occurrences: e.telling.occurrences(e.look.Hunter), Again: e.telling.again(),
	}
}
