// Package detecttest holds the contract of detect.Detector as a test.
package detecttest

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Test holds d to the contract. The events are such that d finds something in
// them; they are not changed.
func Test(t *testing.T, d detect.Detector, events []event.Event) {
	batch := event.BatchID{1, 2, 3}
	judge := func(t *testing.T, events []event.Event) finding.Judged {
		t.Helper()
		j, err := d.Judge(t.Context(), batch, events)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	want := judge(t, events)

	t.Run("says something whole", func(t *testing.T) {
		if len(want.Occurrences) == 0 {
			t.Fatal("the events show nothing: no occurrence")
		}
		type place struct {
			key string
			day time.Time
		}
		met := map[place]bool{}
		for _, o := range want.Occurrences {
			at := place{o.Key, o.Since}
			switch {
			case o.Key == "" || met[at]:
				t.Errorf("key %q is empty or there twice on a day", o.Key)
			case !o.Since.Equal(finding.Day(o.FirstSeen)) || !o.Until.Equal(o.Since.AddDate(0, 0, 1)) || !o.LastSeen.Before(o.Until):
				t.Errorf("%s: from %s to %s is no day that %s to %s is in", o.Key, o.Since, o.Until, o.FirstSeen, o.LastSeen)
			case o.Batch != batch || o.Hunter != "":
				t.Errorf("%s: batch %s, hunter %q", o.Key, o.Batch, o.Hunter)
			case o.Count < 1 || o.Evidence.Len() == 0 || int64(o.Evidence.Len()) > o.Count:
				t.Errorf("%s: %d events, %d of them as evidence", o.Key, o.Count, o.Evidence.Len())
			case o.FirstSeen.After(o.LastSeen) || !o.Evidence.First[0].Time.Equal(o.FirstSeen):
				t.Errorf("%s: from %s to %s, evidence from %s", o.Key, o.FirstSeen, o.LastSeen, o.Evidence.First[0].Time)
			case o.Title == "" || o.Severity.Rank() < 0 || o.Confidence <= 0 || o.Confidence > 1:
				t.Errorf("%s: title %q, severity %q, confidence %v", o.Key, o.Title, o.Severity, o.Confidence)
			case len(o.Reasons) == 0 || o.Reasons[0].Text.String() == "":
				t.Errorf("%s says no reason", o.Key)
			}
			met[at] = true
		}
	})
	t.Run("same events, same answer", func(t *testing.T) {
		if !reflect.DeepEqual(judge(t, events), want) {
			t.Error("judging again gives another answer")
		}
	})
	t.Run("order does not matter", func(t *testing.T) {
		shuffled := slices.Clone(events)
		rng := rand.New(rand.NewPCG(1, 2))
		for range 5 {
			rng.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
			if !reflect.DeepEqual(judge(t, shuffled), want) {
				t.Fatal("another order gives another answer")
			}
		}
	})
	t.Run("several goroutines", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if j, err := d.Judge(t.Context(), batch, events); err != nil || !reflect.DeepEqual(j, want) {
					t.Errorf("beside others the answer is another (%v)", err)
				}
			})
		}
		wg.Wait()
	})
	t.Run("nothing", func(t *testing.T) {
		if j := judge(t, nil); len(j.Occurrences)+len(j.Matches)+len(j.Sources) > 0 {
			t.Errorf("no events give %+v", j)
		}
	})
	t.Run("ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Judge(ctx, batch, events); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled context gives %v", err)
		}
	})
}
