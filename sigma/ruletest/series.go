package ruletest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Start is when the events of a correlation's case begin; "at" counts from it.
var Start = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// oneEvent is an event of a correlation's case as written, or a row of them.
type oneEvent struct {
	At     string
	Repeat int
	Every  string
	Event  yaml.Node
}

// maxEvents is how many events a case may come to.
const maxEvents = 100_000

// placed is one event of a case.
type placed struct {
	at     time.Time
	record []byte
	line   int
}

// series writes out the events of a case, in the order of their times; events of
// the same time keep that of the file.
func series(all []oneEvent) ([]placed, error) {
	var out []placed
	for n, e := range all {
		fail := func(err error) error { return fmt.Errorf("event %d: %w", n+1, err) }
		at, err := offset(e.At)
		if err != nil {
			return nil, fail(fmt.Errorf("at: %w", err))
		}
		times, every := e.Repeat, time.Duration(0)
		switch {
		case times < 0 || len(out)+times > maxEvents:
			return nil, fail(fmt.Errorf("repeat is %d: a case has at most %d events", times, maxEvents))
		case times == 0 && e.Every != "":
			return nil, fail(errors.New(`"every" needs "repeat"`))
		case times > 1 && e.Every == "":
			return nil, fail(errors.New(`"repeat" needs "every"`))
		case e.Every != "":
			if every, err = offset(e.Every); err != nil {
				return nil, fail(fmt.Errorf("every: %w", err))
			}
		}
		for i := range max(times, 1) {
			var fill []string
			if times > 0 {
				fill = []string{"{n}", strconv.Itoa(i)}
			}
			record, err := recordOf(&e.Event, fill...)
			if err != nil {
				return nil, fail(err)
			}
			out = append(out, placed{Start.Add(at + time.Duration(i)*every), record, e.Event.Line})
		}
	}
	slices.SortStableFunc(out, func(a, b placed) int { return a.at.Compare(b.at) })
	return out, nil
}

// maxOffset bounds how long a case may last.
const maxOffset = 10 * 366 * 24 * time.Hour

// offset reads how long after the start: 0s, 90m, 1h30m, 2d.
func offset(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, isDays := strings.CutSuffix(s, "d"); err != nil && isDays {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		d = time.Duration(n * float64(24*time.Hour))
		if n > maxOffset.Hours()/24 {
			d = maxOffset + 1
		}
	}
	if err != nil || d < 0 || d > maxOffset {
		return 0, fmt.Errorf("%q is no time such as 0s, 20s, 5m, 1h30m or 2d", s)
	}
	return d, nil
}

// observed is the events of a case and what the base rules make of them.
type observed struct {
	events []placed
	hits   []correlate.Hit
	byBase map[*correlate.Base][]int // events that hit, by place
}

// observe holds every event against every base rule of c.
func (t *tester) observe(c *correlate.Correlation, events []placed) (observed, error) {
	out := observed{events: events, byBase: map[*correlate.Base][]int{}}
	for n, e := range events {
		for _, b := range c.Bases {
			source := match.SourceOf(b.Rule)
			record, ask := e.record, correlate.Lookup(nil)
			if t.o.Record != nil {
				var err error
				if record, ask, err = t.o.Record(e.record, e.at, source); err != nil {
					return out, fmt.Errorf("event %d (line %d): %w", n+1, e.line, err)
				}
			}
			held, err := t.set.ExplainJSON(t.scratch, record, source, t.indexOf[b.Rule])
			if err != nil {
				return out, fmt.Errorf("event %d (line %d): %w", n+1, e.line, err)
			}
			if !held.Held {
				continue
			}
			h, err := b.Hit(e.at, strconv.Itoa(n), record, ask)
			if err != nil {
				return out, fmt.Errorf("event %d (line %d): %w", n+1, e.line, err)
			}
			out.hits = append(out.hits, h)
			out.byBase[b] = append(out.byBase[b], n)
		}
	}
	return out, nil
}

// until is how far the log of a case reaches: as the case says, or far enough
// for everything to be settled.
func until(c *oneCase, corr *correlate.Correlation, events []placed) (time.Time, error) {
	if c.Until != "" {
		d, err := offset(c.Until)
		if err != nil {
			return time.Time{}, fmt.Errorf("until: %w", err)
		}
		return Start.Add(d), nil
	}
	last := Start
	if len(events) > 0 {
		last = events[len(events)-1].at
	}
	return last.Add(max(corr.Timespan, corr.Wait)), nil
}

// correlation holds a case of several events against its correlation.
func (t *tester) correlation(s *subject, c *oneCase) verdict {
	corr := s.correlation
	all := c.Events
	if len(all) == 0 {
		if c.Event.Kind == 0 {
			return problem(errors.New("events are missing"))
		}
		all = []oneEvent{{At: "0s", Event: c.Event}}
	}
	events, err := series(all)
	if err != nil {
		return problem(err)
	}
	end, err := until(c, corr, events)
	if err != nil {
		return problem(err)
	}
	seen, err := t.observe(corr, events)
	if err != nil {
		return problem(err)
	}
	firings, _ := evaluate(t.plan, corr, seen.hits, end)
	return t.compare(c, corr, seen, firings, end)
}

// evaluate gives the firings of one correlation.
func evaluate(plan *correlate.Plan, corr *correlate.Correlation, hits []correlate.Hit, end time.Time) ([]*correlate.Firing, correlate.Stats) {
	firings, stats := correlate.Evaluate(plan.Only(corr), hits, end, correlate.EngineOptions{MaxHits: maxEvents})
	return slices.DeleteFunc(firings, func(f *correlate.Firing) bool { return f.Correlation != corr }), stats
}

// compare says whether the case went as it says.
func (t *tester) compare(c *oneCase, corr *correlate.Correlation, seen observed, firings []*correlate.Firing, end time.Time) verdict {
	got := groupsOf(firings)
	v := verdict{got: strconv.FormatBool(len(got) > 0)}
	switch {
	case *c.Fires && c.Groups != nil:
		want := map[string]bool{}
		for _, g := range c.Groups {
			want[tuple(g)] = true
		}
		missing, extra := without(want, got), without(got, want)
		if len(got) > 0 && len(missing)+len(extra) > 0 {
			v.got = gotTrue + " for " + strings.Join(sorted(got), " and ")
			v.expected = gotTrue + " for " + strings.Join(sorted(want), " and ")
		}
	case len(c.Groups) > 0:
		return problem(errors.New(`"groups" are those that fire, and "fires" is false`))
	}
	if v.got == strconv.FormatBool(*c.Fires) {
		return v
	}
	v.why, v.diff = t.tell(corr, seen, firings, end)
	return v
}

func groupsOf(firings []*correlate.Firing) map[string]bool {
	out := map[string]bool{}
	for _, f := range firings {
		out[tuple(f.Group)] = true
	}
	return out
}

// tuple is a group as people read it.
func tuple(g []string) string { return "[" + strings.Join(g, ", ") + "]" }

func without(a, b map[string]bool) []string {
	var out []string
	for x := range a {
		if !b[x] {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

func sorted(a map[string]bool) []string { return without(a, nil) }

// refersTo tells whether c refers to a rule or correlation.
func refersTo(c *sigma.Correlation, m *sigma.Meta) bool {
	return slices.ContainsFunc(c.Rules, func(r sigma.Reference) bool {
		return r.Rule != "" && (r.Rule == m.ID || r.Rule == m.Name)
	})
}
