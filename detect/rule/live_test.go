package rule_test

import (
	"sync"
	"testing"

	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
)

// TestLive: while rules are exchanged every batch is judged whole, by the rules
// before or by those after.
func TestLive(t *testing.T) {
	one, two := detector(t, stopped), detector(t, stopped, described)
	live := rule.NewLive(one)
	events := []event.Event{call(1, "StopLogging", "s", trail), call(2, "DescribeTrails", "s", trail), {Format: "aws.cloudtrail", Raw: []byte("{")}}
	const rounds = 200
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range rounds {
				j, err := live.Judge(t.Context(), event.BatchID{1}, events)
				if n := len(j.Occurrences); err != nil || n != 1 && n != 2 {
					t.Errorf("%d occurrences, %v", n, err)
				}
			}
		})
	}
	for i := range rounds {
		live.Exchange([]*rule.Detector{two, one}[i%2])
	}
	wg.Wait()
	if live.Detector() != one {
		t.Error("another detector is in use than was put last")
	}
	if got, err := rule.NewLive(two).Judge(t.Context(), event.BatchID{1}, events); err != nil || len(got.Occurrences) != 2 {
		t.Errorf("%d occurrences, %v", len(got.Occurrences), err)
	}
}

// TestLiveUnjudged: exchanging loses no count.
func TestLiveUnjudged(t *testing.T) {
	live := rule.NewLive(detector(t, stopped))
	for range 3 {
		if _, err := live.Judge(t.Context(), event.BatchID{1}, []event.Event{{Format: "aws.cloudtrail", Raw: []byte("{")}}); err != nil {
			t.Fatal(err)
		}
		live.Exchange(detector(t, described))
	}
	if n := live.Unjudged(); n != 3 {
		t.Errorf("%d events unjudged, want 3", n)
	}
}
