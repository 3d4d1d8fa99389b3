package detecttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Hunted is a hunter, the detector that marks hours for it, and what it reads.
type Hunted struct {
	Hunter   detect.Hunter
	Detector detect.Detector
	// Append stores events, which are new, where Hunter reads.
	Append func(events ...event.Event)
}

// place of an occurrence.
type place struct {
	hunter, key string
	hour        time.Time
}

// known is what hunts said, as triage keeps it.
type known map[place]finding.Occurrence

func (k known) record(t *testing.T, h finding.Hunt) {
	t.Helper()
	for at := range k {
		if at.hunter == h.Hunter && !at.hour.Before(h.Since) && at.hour.Before(h.Until) {
			delete(k, at)
		}
	}
	for _, o := range h.Occurrences {
		at := place{h.Hunter, o.Key, o.Since}
		switch _, twice := k[at]; {
		case o.Key == "" || twice:
			t.Errorf("%s: key %q is empty or there twice in an hour", h.Hunter, o.Key)
		case o.Hunter != h.Hunter || o.Batch != event.BatchID{}:
			t.Errorf("%s: %s is of hunter %q, batch %s", h.Hunter, o.Key, o.Hunter, o.Batch)
		case !o.Since.Equal(finding.Hour(o.Since)) || !o.Until.Equal(o.Since.Add(time.Hour)) || o.Since.Before(h.Since) || o.Until.After(h.Until):
			t.Errorf("%s: %s is of %s to %s, no hour of the hunt", h.Hunter, o.Key, o.Since, o.Until)
		case o.FirstSeen.Before(o.Since) || !o.LastSeen.Before(o.Until) || o.LastSeen.Before(o.FirstSeen):
			t.Errorf("%s: %s has events from %s to %s, in the hour %s", h.Hunter, o.Key, o.FirstSeen, o.LastSeen, o.Since)
		case o.Count < 1 || o.Evidence.Len() == 0 || int64(o.Evidence.Len()) > o.Count || !o.Evidence.First[0].Time.Equal(o.FirstSeen):
			t.Errorf("%s: %s has %d events, %d of them as evidence", h.Hunter, o.Key, o.Count, o.Evidence.Len())
		case o.Title == "" || o.Severity.Rank() < 0 || o.Confidence <= 0 || o.Confidence > 1 || len(o.Reasons) == 0 || o.Reasons[0].Text.String() == "":
			t.Errorf("%s: %s lacks a title, severity, confidence or reason: %+v", h.Hunter, o.Key, o.Trouble)
		}
		k[at] = o
	}
	for _, hour := range h.Again {
		if !hour.Equal(finding.Hour(hour)) || hour.Before(h.Since) || !hour.Before(h.Until) {
			t.Errorf("%s: %s is no hour of the hunt", h.Hunter, hour)
		}
	}
}

func (k known) differs(t *testing.T, from known, when string) {
	t.Helper()
	for at, o := range from {
		if got, ok := k[at]; !ok {
			t.Errorf("%s: %s does not find %s in %s", when, at.hunter, o.Title, at.hour)
		} else if !reflect.DeepEqual(got, o) {
			t.Errorf("%s: %s says of %s\n%+v\nwant\n%+v", when, at.hunter, at.hour, got, o)
		}
	}
	for at, o := range k {
		if _, ok := from[at]; !ok {
			t.Errorf("%s: %s finds %s in %s", when, at.hunter, o.Title, at.hour)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// TestHunter holds a hunter to the contract of detect.Hunter. The events are
// such that each of its hunters finds something in them, and not more than a few
// days long; open makes one over an empty store.
func TestHunter(t *testing.T, open func(t *testing.T) Hunted, events []event.Event) {
	since, until := events[0].Time, events[0].Time
	for _, e := range events {
		if e.Time.Before(since) {
			since = e.Time
		}
		if e.Time.After(until) {
			until = e.Time
		}
	}
	// Around the events lies what their correlations may reach into.
	since, until = finding.Hour(since).Add(-48*time.Hour), finding.Hour(until).Add(48*time.Hour)
	hours := int(until.Sub(since) / time.Hour)
	complete := until.AddDate(1, 0, 0)

	hunt := func(t *testing.T, h detect.Hunter, hunter string, since, until, now time.Time) finding.Hunt {
		t.Helper()
		said, err := h.Hunt(t.Context(), hunter, since, until, now)
		if err != nil {
			t.Fatal(err)
		}
		if said.Hunter != hunter || !said.Since.Equal(since) || !said.Until.Equal(until) {
			t.Fatalf("%s, asked from %s to %s, speaks as %s from %s to %s", hunter, since, until, said.Hunter, said.Since, said.Until)
		}
		return said
	}
	whole := func(t *testing.T, h detect.Hunter, now time.Time) (known, map[place]bool) {
		t.Helper()
		k, again := known{}, map[place]bool{}
		for _, hunter := range h.Hunters() {
			said := hunt(t, h, hunter, since, until, now)
			k.record(t, said)
			for _, hour := range said.Again {
				again[place{hunter: hunter, hour: hour}] = true
			}
		}
		return k, again
	}
	stored := func(t *testing.T, events []event.Event) Hunted {
		h := open(t)
		h.Append(events...)
		return h
	}
	first := stored(t, events)
	want, again := whole(t, first.Hunter, complete)
	rng := rand.New(rand.NewPCG(5, 6))

	t.Run("says something whole", func(t *testing.T) {
		if len(first.Hunter.Hunters()) == 0 || len(again) > 0 {
			t.Fatalf("hunters %v, of the whole log is open %v", first.Hunter.Hunters(), again)
		}
		for _, hunter := range first.Hunter.Hunters() {
			n := 0
			for at := range want {
				if at.hunter == hunter {
					n++
				}
			}
			if n == 0 {
				t.Errorf("%s finds nothing in the events", hunter)
			}
		}
	})
	t.Run("twice the same", func(t *testing.T) {
		got, _ := whole(t, first.Hunter, complete)
		got.differs(t, want, "again")
	})
	t.Run("any order of storing", func(t *testing.T) {
		for range 3 {
			shuffled := slices.Clone(events)
			rng.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
			got, _ := whole(t, stored(t, shuffled).Hunter, complete)
			got.differs(t, want, "stored in another order")
		}
	})
	t.Run("any cut of the hours", func(t *testing.T) {
		for n := range 4 {
			h, got := stored(t, events).Hunter, known{}
			for _, hunter := range h.Hunters() {
				for _, piece := range cut(rng, hours, 1+n*n*4) {
					got.record(t, hunt(t, h, hunter, since.Add(time.Duration(piece[0])*time.Hour), since.Add(time.Duration(piece[1])*time.Hour), complete))
				}
			}
			got.differs(t, want, "hour by hour")
		}
	})
	t.Run("what is not open stays", func(t *testing.T) {
		for range 6 {
			now := since.Add(time.Duration(rng.IntN(hours*60)) * time.Minute)
			got, open := whole(t, first.Hunter, now)
			closed := func(k known) known {
				out := known{}
				for at, o := range k {
					if !open[place{hunter: at.hunter, hour: at.hour}] {
						out[at] = o
					}
				}
				return out
			}
			closed(got).differs(t, closed(want), fmt.Sprintf("with the log as far as %s", now))
		}
	})
	t.Run("marked hours are enough", func(t *testing.T) {
		for range 3 {
			live(t, open(t), events, rng, hunt).differs(t, want, "hunting as it comes")
		}
	})
	t.Run("strangers", func(t *testing.T) {
		if _, err := first.Hunter.Hunt(t.Context(), "nobody/knows", since, until, complete); err == nil {
			t.Error("an unknown hunter hunts")
		}
		h := stored(t, events)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Hunter.Hunt(ctx, h.Hunter.Hunters()[0], since, until, complete); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context gives %v", err)
		}
	})
}

// cut makes pieces of hours 0 to before n, of at most so many, which overlap
// now and then.
func cut(rng *rand.Rand, n, most int) (out [][2]int) {
	for from := 0; from < n; {
		until := min(n, from+1+rng.IntN(most))
		out = append(out, [2]int{max(0, from-rng.IntN(3)), until})
		from = until
	}
	rng.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// live appends the events in small batches in any order, and now and then hunts
// in the hours marked so far. In the end every mark was looked at.
func live(t *testing.T, h Hunted, events []event.Event, rng *rand.Rand,
	hunt func(*testing.T, detect.Hunter, string, time.Time, time.Time, time.Time) finding.Hunt,
) known {
	t.Helper()
	got, marks := known{}, map[finding.Mark]bool{}
	order := slices.Clone(events)
	rng.Shuffle(len(order), func(i, k int) { order[i], order[k] = order[k], order[i] })
	var latest time.Time
	look := func(now time.Time) {
		for m := range marks {
			said := hunt(t, h.Hunter, m.Hunter, m.Hour, m.Hour.Add(time.Hour), now)
			got.record(t, said)
			if len(said.Again) == 0 {
				delete(marks, m)
			}
		}
	}
	for n := 0; len(order) > 0; n++ {
		batch := order[:min(len(order), 1+rng.IntN(len(events)/8+1))]
		order = order[len(batch):]
		h.Append(batch...)
		j, err := h.Detector.Judge(t.Context(), event.BatchID{byte(n), 1}, batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range j.Marks {
			marks[m] = true
		}
		for _, e := range batch {
			if e.Time.After(latest) {
				latest = e.Time
			}
		}
		if rng.IntN(3) == 0 {
			look(latest)
		}
	}
	look(latest.AddDate(1, 0, 0))
	if len(marks) > 0 {
		t.Errorf("%d hours stay open although the log reaches a year further", len(marks))
	}
	return got
}
