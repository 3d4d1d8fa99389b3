package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/triage"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

// pack are hunters a and b, which find one thing in every hour they look at.
type pack struct {
	looks  []string
	open   func(hour, now time.Time) bool // nil: nothing is open
	during func()                         // called in a hunt
	err    error
}

func (p *pack) Hunters() []string { return []string{"a", "b"} }

func (p *pack) Hunt(_ context.Context, hunter string, since, until, now time.Time) (finding.Hunt, error) {
	p.looks = append(p.looks, fmt.Sprintf("%s %s+%d", hunter, since.Format("02T15"), until.Sub(since)/time.Hour))
	if p.during != nil {
		p.during()
	}
	h := finding.Hunt{Hunter: hunter, Since: since, Until: until}
	for hour := since; hour.Before(until); hour = hour.Add(time.Hour) {
		if p.open != nil && p.open(hour, now) {
			h.Again = append(h.Again, hour)
			continue
		}
		o := finding.Occurrence{Hunter: hunter, Since: hour, FirstSeen: hour, LastSeen: hour, Count: 1}
		o.Key, o.Title = "key of "+hunter, "found"
		h.Occurrences = append(h.Occurrences, o)
	}
	return h, p.err
}

// field is where a pack hunts.
type field struct {
	*testing.T
	*pack
	triage  *triagememory.Store
	latest  time.Time // stored event
	hunting *pipeline.Hunting
	batches byte
}

func newField(t *testing.T) *field {
	f := &field{T: t, pack: &pack{}, triage: &triagememory.Store{}, latest: noon.AddDate(0, 0, 30)}
	f.hunting = pipeline.NewHunting(pipeline.HuntRooms{
		Hunters: []detect.Hunter{f.pack}, Triage: f.triage,
		Latest: func(context.Context) (time.Time, error) { return f.latest, nil },
	}, pipeline.HuntOptions{Now: func() time.Time { return noon.AddDate(1, 0, 0) }})
	return f
}

// mark marks hours, counted from noon.
func (f *field) mark(hunter string, hours ...int) {
	f.Helper()
	var j finding.Judged
	for _, h := range hours {
		j.Marks = append(j.Marks, finding.Mark{Hunter: hunter, Hour: noon.Add(time.Duration(h) * time.Hour)})
	}
	f.batches++
	if err := f.triage.Record(f.Context(), event.BatchID{f.batches}, j); err != nil {
		f.Fatal(err)
	}
}

func (f *field) run(want ...string) {
	f.Helper()
	f.looks = nil
	if err := f.hunting.Run(f.Context()); err != nil {
		f.Fatal(err)
	}
	if !slices.Equal(f.looks, want) {
		f.Errorf("hunts are %q, want %q", f.looks, want)
	}
}

func (f *field) left(want int) {
	f.Helper()
	if marks, err := f.triage.Marks(f.Context()); err != nil || len(marks) != want {
		f.Errorf("%d marks are left, %v, want %d", len(marks), err, want)
	}
}

func TestHunting(t *testing.T) {
	f := newField(t)
	f.run()
	// Slices are of 180 days; 8 March begins one.
	f.mark("a", 0, 1, 2, 5, 220)
	f.mark("b", 1, 2)
	f.mark("a", 3, 1)
	f.mark("gone", 1)
	f.run("a 01T12+4", "a 01T17+1", "b 01T13+2", "a 10T16+1")
	f.left(1) // a hunter that is not here
	f.run()
	if s := f.hunting.Stats(); s.Waiting != 0 || s.Open != 0 || s.Hunts != 4 || s.Hours != 8 || s.Findings != 2 {
		t.Errorf("stats are %+v", s)
	}
	found, _, err := f.triage.List(t.Context(), triage.Filter{})
	if err != nil || len(found) != 2 || found[0].Count+found[1].Count != 8 {
		t.Errorf("found %+v, %v", found, err)
	}
}

// onward is a pack for which all hours that follow are looked at too.
type onward struct{ *pack }

func (onward) Onward() {}

func (o onward) Hunt(ctx context.Context, hunter string, since, until, now time.Time) (finding.Hunt, error) {
	if end := finding.Hour(now); end.After(until) {
		until = end
	}
	return o.pack.Hunt(ctx, hunter, since, until, now)
}

// TestHuntingOnward: all that is marked is one look, which may go further than
// asked.
func TestHuntingOnward(t *testing.T) {
	f := newField(t)
	f.latest = noon.Add(10*time.Hour + 10*time.Minute)
	f.hunting = pipeline.NewHunting(pipeline.HuntRooms{
		Hunters: []detect.Hunter{onward{f.pack}}, Triage: f.triage,
		Latest: func(context.Context) (time.Time, error) { return f.latest, nil },
	}, pipeline.HuntOptions{Now: func() time.Time { return noon.AddDate(1, 0, 0) }})
	f.mark("a", 1, 2, 5)
	f.mark("b", 9, 2)
	f.run("a 01T13+9", "b 01T14+8")
	f.left(0)
}

// TestHuntingShare: who took long rests for long.
func TestHuntingShare(t *testing.T) {
	f := newField(t)
	now := noon
	f.hunting = pipeline.NewHunting(pipeline.HuntRooms{
		Hunters: []detect.Hunter{f.pack}, Triage: f.triage,
		Latest: func(context.Context) (time.Time, error) { return f.latest, nil },
	}, pipeline.HuntOptions{Share: 1e-6, Now: func() time.Time { return now }})
	f.latest = noon
	f.mark("a", -2)
	f.run("a 01T10+1")
	f.mark("a", -3)
	f.run()
	if !f.hunting.Resting() {
		t.Error("it does not rest")
	}
	now = now.AddDate(1, 0, 0) // a look takes less than half a minute
	f.run("a 01T09+1")
}

// TestHuntingMarkedMeanwhile: what comes in while its hour is looked at is
// looked at again.
func TestHuntingMarkedMeanwhile(t *testing.T) {
	f := newField(t)
	f.mark("a", 1)
	f.during = func() {
		f.during = nil
		f.mark("a", 1)
	}
	f.run("a 01T13+1", "a 01T13+1")
	f.left(0)
}

// TestHuntingOpen: hours in which something is open wait for more of the log.
func TestHuntingOpen(t *testing.T) {
	f := newField(t)
	f.latest = noon.Add(2 * time.Hour)
	f.open = func(hour, now time.Time) bool { return hour.Add(2 * time.Hour).After(now) }
	f.mark("a", -2, -1, 0, 1)
	f.run("a 01T10+4")
	f.left(2) // 12:00 needs 14:00, and the log is whole to 13:55
	f.run()
	if s := f.hunting.Stats(); s.Waiting != 2 || s.Open != 2 {
		t.Errorf("stats are %+v", s)
	}
	f.latest = f.latest.Add(59 * time.Second)
	f.run()
	f.mark("a", 1) // something came into one of them
	f.run("a 01T13+1")
	f.latest = f.latest.Add(5 * time.Minute)
	f.run("a 01T12+2")
	f.left(1)
	f.latest = noon.AddDate(5, 0, 0) // a broken clock: no further than our own
	f.open = func(_, now time.Time) bool { return now.After(noon.AddDate(1, 0, 0)) }
	f.run("a 01T13+1")
	f.left(0)
}

// TestHuntingHorizon: hours whose events were dropped are left as they are.
func TestHuntingHorizon(t *testing.T) {
	f := newField(t)
	f.mark("a", 0, 1)
	f.run("a 01T12+2")
	f.hunting = pipeline.NewHunting(pipeline.HuntRooms{
		Hunters: []detect.Hunter{f.pack}, Triage: f.triage,
		Latest:  func(context.Context) (time.Time, error) { return f.latest, nil },
		Horizon: func() (time.Time, error) { return noon.Add(time.Hour), nil },
	}, pipeline.HuntOptions{})
	f.mark("a", 0, 1)
	f.run("a 01T13+1")
	f.left(1)
	if found, _, err := f.triage.List(t.Context(), triage.Filter{}); err != nil || len(found) != 1 || found[0].Count != 2 {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestHuntingFails(t *testing.T) {
	f := newField(t)
	f.mark("a", 1)
	f.err = errors.New("lame")
	if did, err := f.hunting.Round(t.Context()); !did || err == nil || !strings.Contains(err.Error(), "lame") {
		t.Errorf("a hunt that fails gives %v, %v", did, err)
	}
	f.left(1)
	f.err = nil
	f.run("a 01T13+1")
}

// other is a pack under another name.
type other struct{ pack }

func (o *other) Hunters() []string { return []string{"gone"} }

// TestHuntingExchange: hunters that are put in later find their marks waiting,
// and those of hunters that went away wait for them.
func TestHuntingExchange(t *testing.T) {
	f := newField(t)
	f.mark("gone", 1)
	f.run()
	late := &other{}
	f.hunting.Exchange(late)
	f.mark("a", 2)
	f.run()
	if len(late.looks) != 1 {
		t.Errorf("the new hunter looked at %q", late.looks)
	}
	f.left(1)
	f.hunting.Exchange(f.pack)
	f.run("a 01T14+1")
	f.left(0)
}
