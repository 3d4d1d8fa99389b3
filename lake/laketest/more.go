package laketest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// expressions of every kind; on the stored events each engine must agree with
// query.Match.
var expressions = []string{
	``,
	`api_operation:GetSecretValue`,
	`api_operation:getsecretvalue`,
	`api_operation:Get*`,
	`not api_operation:Get*`,
	`api_operation:GetObject or api_operation:PutObject`,
	`(api_operation:GetObject or api_operation:Decrypt) and not outcome:success`,
	`outcome:denied account_uid:111122223333`,
	`src_ip:203.0.113.0/25`,
	`src_ip:203.0.113.*`,
	`read_only:true`,
	`not twin:true`,
	`activity_id:2`,
	`activity_id:>=3`,
	`caller_confidence:>0.5`,
	`resource_uids:"arn:aws:s3:::logs-1"`,
	`resource_uids:*logs-1*`,
	`resource_uid:*secret*`,
	`status_code:""`,
	`status_detail:"not authorised*"`,
	`actor_session:i-0000000?`,
	`AccessDenied`,
	`"TLS_AES_128_GCM_SHA256"`,
	`nosuchwordanywhere`,
}

func testQueries(t *testing.T, s *store) {
	m := NewMaker(13)
	events := m.Events(400, Day.Add(-20*time.Hour), 40*time.Hour)
	for i := range 4 {
		a := s.append(Batch(fmt.Sprint("o", i), "v1", events[i*100:i*100+100]...))
		if i%2 == 0 {
			s.release(a.Batch)
		}
	}
	stored := s.events()
	exprs := slices.Clone(expressions)
	for i := 0; i < 400; i += 97 {
		exprs = append(exprs, fmt.Sprintf("uid:%s", events[i].UID), fmt.Sprintf("event_uid:%s", events[i].EventUID),
			"actor_credential_uid:"+events[i].ActorCredentialUID, "api_request_uid:"+events[i].APIRequestUID)
	}
	some := 0
	for _, text := range exprs {
		where, err := query.Parse(text)
		if err != nil {
			t.Errorf("parse %q: %v", text, err)
			continue
		}
		for _, q := range []query.Query{
			{Where: where, OldestFirst: true},
			{Where: where, Since: Day.Add(-time.Hour), Until: Day.Add(3 * time.Hour)},
			{Where: where, Limit: 5},
		} {
			some += s.agree(t, text, q, stored)
		}
	}
	if some == 0 {
		t.Error("no expression chose anything")
	}
}

// agree compares the engine with query.Match and returns how many it chose.
func (s *store) agree(t *testing.T, text string, q query.Query, stored []event.Event) int {
	t.Helper()
	var want []event.Event
	for i := range stored {
		if q.Matches(&stored[i]) {
			want = append(want, stored[i])
		}
	}
	if c, ok := s.Store.(lake.Counter); ok && q.Limit == 0 {
		if n, err := c.Count(context.Background(), q); err != nil || n != int64(len(want)) {
			t.Errorf("%q: count is %d, %v; want %d", text, n, err, len(want))
		}
	}
	byTime(want)
	if !q.OldestFirst {
		slices.Reverse(want)
	}
	if q.Limit > 0 {
		want = want[:min(q.Limit, len(want))]
	}
	got := collect(t, s.Select(context.Background(), q))
	if len(got) != len(want) {
		t.Errorf("%q %v: %d events, want %d", text, q, len(got), len(want))
		return 0
	}
	for i := range got {
		if d := diff(got[i], want[i]); d != "" {
			t.Errorf("%q: event %d: %s", text, i, d)
			break
		}
	}
	return len(got)
}

// naive sums events the obvious way.
func naive(events []event.Event) []usage.Row {
	sums := map[usage.Key]usage.Row{}
	for _, e := range events {
		if e.Twin || e.Category == event.Insight {
			continue
		}
		names := map[string]bool{"": true}
		for _, r := range append([]string{e.ResourceUID}, e.ResourceUIDs...) {
			names[r] = true
		}
		for name := range names {
			k := usage.Key{
				Hour:          time.Unix(e.Time.Unix()/3600*3600, 0).UTC(),
				CloudProvider: e.CloudProvider, AccountUID: e.AccountUID, ActorUID: e.ActorUID, ActorType: e.ActorType,
				Caller: e.Caller, APIService: e.APIService, APIOperation: e.APIOperation, ResourceUID: name,
				Region: e.Region, Outcome: e.Outcome,
			}
			r, ok := sums[k]
			if !ok {
				r = usage.Row{Key: k, First: e.Time, Last: e.Time}
			}
			r.Count++
			r.First, r.Last = instant.Earlier(r.First, e.Time), instant.Later(r.Last, e.Time)
			sums[k] = r
		}
	}
	var out []usage.Row
	for _, r := range sums {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b usage.Row) int { return usage.Compare(&a.Key, &b.Key) })
	return out
}

func equalUsage(t *testing.T, got, want []usage.Row) {
	t.Helper()
	sorted := func(a, b usage.Row) int { return usage.Compare(&a.Key, &b.Key) }
	got, want = slices.Clone(got), slices.Clone(want)
	if !slices.IsSortedFunc(got, func(a, b usage.Row) int { return a.Hour.Compare(b.Hour) }) {
		t.Error("usage rows are not in the order of hours")
	}
	slices.SortFunc(got, sorted)
	slices.SortFunc(want, sorted)
	if len(got) != len(want) {
		t.Errorf("%d usage rows, want %d", len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("usage row %d is %+v, want %+v", i, got[i], want[i])
			return
		}
	}
}

// testUsage: however events are split into batches, and whatever is sent again,
// the sums are those of the events stored.
func testUsage(t *testing.T, s *store) {
	rnd := rand.New(rand.NewPCG(14, 14))
	// Across the end of a month.
	events := NewMaker(14).Events(600, time.Date(2026, 3, 31, 20, 0, 0, 0, time.UTC), 9*time.Hour)
	want := naive(events)
	rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for n, at := 0, 0; at < len(events); n++ {
		size := min(1+rnd.IntN(120), len(events)-at)
		again := rnd.IntN(at + 1)
		b := Batch(fmt.Sprint("o", n), "v1", slices.Concat(events[again:at], events[at:at+size])...)
		a := s.append(b)
		s.append(b)
		if n%3 != 0 {
			s.release(a.Batch)
		}
		at += size
	}
	ctx := context.Background()
	equalUsage(t, collect(t, s.Usage(ctx, usage.Query{})), want)

	f := func(q usage.Query) {
		t.Helper()
		var part []usage.Row
		for _, r := range want {
			if q.Matches(&r.Key) {
				part = append(part, r)
			}
		}
		if len(part) == 0 || len(part) == len(want) {
			t.Errorf("%+v chooses %d of %d rows", q, len(part), len(want))
		}
		equalUsage(t, collect(t, s.Usage(ctx, q)), part)
	}
	f(usage.Query{Since: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)})
	f(usage.Query{Since: time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC), Until: time.Date(2026, 4, 1, 1, 0, 0, 0, time.UTC)})
	f(usage.Query{AccountUID: "111122223333", APIOperation: "Decrypt"})
	f(usage.Query{ResourceUID: "arn:aws:s3:::logs-1"})
	f(usage.Query{ActorUID: want[0].ActorUID})
}

func testExpire(t *testing.T, s *store) {
	x, ok := s.Store.(lake.Expirer)
	if !ok {
		t.Skip("this engine has no retention")
	}
	ctx := context.Background()
	m := NewMaker(15)
	events := m.Events(300, Day.Add(-36*time.Hour), 72*time.Hour)
	s.release(s.append(Batch("a", "v1", events...)).Batch)
	sums := collect(t, s.Usage(ctx, usage.Query{}))
	var want []event.Event
	for _, e := range s.events() {
		if !e.Time.Before(Day) {
			want = append(want, e)
		}
	}
	// A time within a day means that day's start: the day is still wanted.
	n, err := x.Expire(ctx, Day.Add(5*time.Hour))
	if err != nil || n != int64(300-len(want)) {
		t.Errorf("expired %d, %v; want %d", n, err, 300-len(want))
	}
	s.wantEvents(want)
	equalUsage(t, collect(t, s.Usage(ctx, usage.Query{})), sums)
	if n, err := x.Expire(ctx, Day); n != 0 || err != nil {
		t.Errorf("expired %d more, %v", n, err)
	}

	late := Batch("late", "v1", m.Event(Day.Add(-time.Microsecond)), m.Event(Day), events[0])
	s.wantVerdicts(s.append(late), "1e1s1e", 1)
	equalUsage(t, collect(t, s.Usage(ctx, usage.Query{Until: Day})), before(sums, Day))
}

func before(rows []usage.Row, t time.Time) []usage.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r usage.Row) bool { return !r.Hour.Before(t) })
}

func testRewrite(t *testing.T, s *store) {
	w, ok := s.Store.(lake.Rewriter)
	if !ok {
		t.Skip("this engine does not rewrite")
	}
	ctx := context.Background()
	events := NewMaker(16).Events(300, Day.Add(-20*time.Hour), 40*time.Hour)
	s.release(s.append(Batch("a", "v1", events[:200]...)).Batch)
	waiting := s.append(Batch("b", "v1", events[200:]...))
	since, until := Day.Add(-10*time.Hour), Day.Add(12*time.Hour)
	want := s.events()
	var expect int64
	newer := func(e event.Event) event.Event {
		if e.APIOperation == "Decrypt" {
			e.APIOperation, e.ActorUID, e.AccountUID = "A"+e.ActorName, "arn:aws:iam::000000000000:role/renamed", "999999999999"
		}
		return e
	}
	for i, e := range want {
		if !e.Time.Before(since) && e.Time.Before(until) && e.APIOperation == "Decrypt" {
			want[i] = newer(e)
			expect++
		}
	}
	n, err := w.Rewrite(ctx, since, until, func(e event.Event) (event.Event, error) {
		if e.Time.Before(since) || !e.Time.Before(until) {
			t.Errorf("an event of %s was passed", e.Time)
		}
		e = newer(e)
		// None of these may change.
		e.UID, e.Object, e.Position, e.Batch, e.Time = event.UID{}, "", 0, event.BatchID{}, time.Time{}
		return e, nil
	})
	if err != nil || n != expect || n == 0 {
		t.Errorf("rewrote %d, %v; want %d", n, err, expect)
	}
	s.wantEvents(want)
	equalUsage(t, collect(t, s.Usage(ctx, usage.Query{})), naive(want))
	got := s.unreleased()
	if len(got) != 1 || got[0].Batch != waiting.Batch || len(got[0].Events) != 100 {
		t.Errorf("unreleased after a rewrite: %d batches", len(got))
	}
	s.wantVerdicts(s.append(Batch("copy", "v1", events...)), "300d")

	stop := errors.New("stop")
	_, err = w.Rewrite(ctx, time.Time{}, time.Time{}, func(e event.Event) (event.Event, error) {
		e.Message = "half"
		return e, stop
	})
	if !errors.Is(err, stop) {
		t.Errorf("error of the function came back as %v", err)
	}
	s.wantEvents(want)
}

func testRebuild(t *testing.T, s *store) {
	r, ok := s.Store.(lake.UsageRebuilder)
	if !ok {
		t.Skip("this engine does not rebuild usage")
	}
	ctx := context.Background()
	events := NewMaker(17).Events(300, Day.Add(-3*time.Hour), 6*time.Hour)
	s.release(s.append(Batch("a", "v1", events[:150]...)).Batch)
	s.append(Batch("b", "v1", events[150:]...))
	want := collect(t, s.Usage(ctx, usage.Query{}))
	n, refused, err := r.RebuildUsage(ctx, Day.Add(-150*time.Minute), Day.Add(2*time.Hour))
	if err != nil || n != 4 || len(refused) != 0 {
		t.Errorf("rebuilt %d hours, refused %v, %v; want 4 whole hours", n, refused, err)
	}
	equalUsage(t, collect(t, s.Usage(ctx, usage.Query{})), want)

	x, ok := s.Store.(lake.Expirer)
	if !ok {
		return
	}
	if _, err := x.Expire(ctx, Day); err != nil {
		t.Fatal(err)
	}
	n, refused, err = r.RebuildUsage(ctx, time.Time{}, time.Time{})
	if err != nil || n != 3 || len(refused) != 3 {
		t.Fatalf("rebuilt %d hours, refused %v, %v; want 3 and 3", n, refused, err)
	}
	if !refused[0].Hour.Equal(Day.Add(-3*time.Hour)) || refused[0].Reason == "" {
		t.Errorf("refused %+v", refused[0])
	}
	equalUsage(t, collect(t, s.Usage(ctx, usage.Query{})), want)
}
