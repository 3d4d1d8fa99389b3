package laketest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

// exploreQueries are held against adding up the events one by one: SQL can say
// some of them, and some not.
var exploreQueries = []string{
	"", "outcome:denied", "operation:(GetObject or PutObject) not caller:lambda", "api_operation:Get*", "user_agent:~SDK",
	"resource:arn:aws:s3:::logs-1", "nothingofthekind", "raw.eventSource:s3*", "ip:2001:db8::/32", "account:111122223333",
}

// exploreFields are columns of every type that has values.
var exploreFields = []string{
	"api_operation", "outcome", "src_ip", "class_uid", "caller_confidence", "twin", "uid", "resource_uids", "time", "event_uid", "url",
}

func testExplore(t *testing.T, s *store) {
	x, ok := s.Store.(lake.Explorer)
	if !ok {
		t.Skip("nobody can look around in this engine")
	}
	if h, err := x.Histogram(context.Background(), query.Query{}, 10, 0); err != nil || len(h.Buckets) != 0 || h.Total != 0 {
		t.Errorf("of an empty lake: %+v, %v", h, err)
	}
	m := NewMaker(31)
	events := m.Events(600, Day.Add(-30*time.Hour), 60*time.Hour)
	for i := range 6 {
		a := s.append(Batch(fmt.Sprint("o", i), "v1", events[i*100:i*100+100]...))
		s.release(a.Batch)
	}
	for _, text := range exploreQueries {
		where, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range [][2]time.Time{{}, {Day, Day.Add(7 * time.Hour)}, {Day.Add(30 * time.Minute), {}}, {{}, Day.Add(time.Second)}, {Day.AddDate(1, 0, 0), Day.AddDate(1, 0, 1)}, {Day, Day}} {
			q := query.Query{Where: where, Since: span[0], Until: span[1], Limit: 3} // the limit says nothing here
			matching := slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool { return !q.Matches(&e) })
			for _, n := range []int{1, 7, 60, 500} {
				histogramAgrees(t, x, q, n, matching, fmt.Sprintf("%q %v in %d", text, span, n))
			}
			valuesAgree(t, x, q, matching, fmt.Sprintf("%q %v", text, span))
		}
	}
	if _, err := x.Values(context.Background(), query.Query{}, []string{"raw"}, 3, 0); err == nil {
		t.Error("raw has values")
	}
	if _, err := x.Values(context.Background(), query.Query{}, []string{"nosuch"}, 3, 0); err == nil {
		t.Error("a column that there is not has values")
	}
}

func histogramAgrees(t *testing.T, x lake.Explorer, q query.Query, n int, events []event.Event, what string) {
	t.Helper()
	h, err := x.Histogram(context.Background(), q, n, 0)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if h.Sampled || h.Total != int64(len(events)) || len(h.Buckets) > n {
		t.Errorf("%s: %d events in %d buckets, sampled %v; there are %d", what, h.Total, len(h.Buckets), h.Sampled, len(events))
		return
	}
	for i, b := range h.Buckets {
		if want := h.Since.Add(time.Duration(int64(i)*h.Width) * time.Second); !b.Time.Equal(want) || b.Part != 1 {
			t.Errorf("%s: bucket %d is %+v, should begin at %s", what, i, b, want)
		}
		var count int64
		for _, e := range events {
			if !e.Time.Before(b.Time) && e.Time.Before(b.Time.Add(time.Duration(h.Width)*time.Second)) {
				count++
			}
		}
		if b.Count != count {
			t.Errorf("%s: %d events at %s, want %d", what, b.Count, b.Time, count)
		}
	}
}

func valuesAgree(t *testing.T, x lake.Explorer, q query.Query, events []event.Event, what string) {
	t.Helper()
	got, err := x.Values(context.Background(), q, exploreFields, 5, 0)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	tally, err := lake.NewTally(exploreFields)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		tally.Add(&events[i])
	}
	want := tally.Values(5, lake.Sample{})
	if got.Total != want.Total || got.Sampled {
		t.Errorf("%s: %d events, sampled %v; want %d", what, got.Total, got.Sampled, want.Total)
	}
	for i, f := range got.Fields {
		if !reflect.DeepEqual(f, want.Fields[i]) {
			t.Errorf("%s:\n got %+v\nwant %+v", what, f, want.Fields[i])
		}
	}
}
