package usage

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestSum(t *testing.T) {
	e := event.Event{
		Time: noon.Add(5 * time.Minute), CloudProvider: "AWS", AccountUID: "111122223333",
		ActorUID: "arn:aws:iam::111122223333:role/app", ActorType: event.ActorRole, Caller: event.CallerECS,
		APIService: "kms.amazonaws.com", APIOperation: "Decrypt", Region: "ap-northeast-1", Outcome: event.Success,
		ResourceUID: "b", ResourceUIDs: []string{"b", "a", "b"},
	}
	early, twin, insight := e, e, e
	early.Time, early.ResourceUID, early.ResourceUIDs = noon, "", nil
	twin.Twin, insight.Category = true, event.Insight
	next := e
	next.Time = noon.Add(time.Hour)

	got := Sum([]event.Event{e, early, twin, insight, next}, 10)
	var lines []string
	for _, r := range got {
		lines = append(lines, fmt.Sprintf("%s %s=%d %s-%s", r.Hour.Format("15"), r.ResourceUID, r.Count, r.First.Format("15:04"), r.Last.Format("15:04")))
	}
	want := []string{
		"12 =2 12:00-12:05", "12 a=1 12:05-12:05", "12 b=1 12:05-12:05",
		"13 =1 13:00-13:00", "13 a=1 13:00-13:00", "13 b=1 13:00-13:00",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	k := got[1].Key
	if k.CloudProvider != "AWS" || k.ActorType != event.ActorRole || k.Caller != event.CallerECS || k.Outcome != event.Success || k.Region != "ap-northeast-1" {
		t.Errorf("key %+v", k)
	}
}

func TestFoldKeepsBucketsBeforeObjects(t *testing.T) {
	var events []event.Event
	for i := range 50 {
		events = append(events, event.Event{Time: noon, APIOperation: "GetObject", ResourceUIDs: []string{
			fmt.Sprintf("arn:aws:s3:::logs/%d.gz", i), "arn:aws:s3:::logs"}})
	}
	rows := Sum(events, 3)
	counts := map[string]int64{}
	for _, r := range rows {
		counts[r.ResourceUID] += r.Count
	}
	if len(rows) != 5 || counts[""] != 50 || counts["arn:aws:s3:::logs"] != 50 || counts[Other] != 48 {
		t.Errorf("%d rows: %v", len(rows), counts)
	}
}

// TestFoldInParts: splitting, order and folding in between change nothing.
func TestFoldInParts(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		events := make([]event.Event, 400)
		for i := range events {
			events[i] = event.Event{
				Time:         noon.Add(time.Duration(rnd.IntN(120)) * time.Minute),
				ActorUID:     fmt.Sprint("actor", rnd.IntN(2)),
				APIOperation: fmt.Sprint("op", rnd.IntN(2)),
				Region:       fmt.Sprint("r", rnd.IntN(2)),
				ResourceUID:  fmt.Sprint("res", rnd.IntN(40)),
			}
		}
		limit := 1 + rnd.IntN(30)
		want := Sum(slices.Clone(events), limit)

		rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		var parts [][]Row
		for len(events) > 0 {
			n := 1 + rnd.IntN(len(events))
			parts = append(parts, Sum(events[:n], limit))
			events = events[n:]
		}
		for len(parts) > 1 {
			i := 1 + rnd.IntN(len(parts)-1)
			parts[0] = Fold(append(slices.Clone(parts[0]), parts[i]...), limit)
			parts = slices.Delete(parts, i, i+1)
		}
		if !reflect.DeepEqual(parts[0], want) {
			t.Fatalf("seed %d, limit %d: %d rows in parts, %d at once", seed, limit, len(parts[0]), len(want))
		}
		if Fanout(want) > limit {
			t.Errorf("seed %d: %d resources in a group, the cap is %d", seed, Fanout(want), limit)
		}
	}
}
