package laketest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// sumUsageFilters are filters over the columns of usage.
var sumUsageFilters = []string{
	"", "outcome:denied", "operation:(GetObject or PutObject) not caller:lambda", "api_operation:Get*", "account:111122223333", "resource_uid:arn*",
}

// testSum: counted by the engine is as counted one by one.
func testSum(t *testing.T, s *store) {
	x, ok := s.Store.(lake.Summer)
	if !ok {
		t.Skip("nothing is summed in this engine")
	}
	ctx := context.Background()
	if g, err := x.Sum(ctx, query.Sum{By: []string{"outcome"}}); err != nil || len(g) != 0 {
		t.Errorf("of an empty lake: %v, %v", g, err)
	}
	events := NewMaker(47).Events(600, Day.Add(-30*time.Hour), 60*time.Hour)
	for i := range 6 {
		a := s.append(Batch(fmt.Sprint("o", i), "v1", events[i*100:i*100+100]...))
		s.release(a.Batch)
	}
	rows := collect(t, s.Usage(ctx, usage.Query{}))
	sums := func(text string, table *query.Table, usage bool) {
		where, err := table.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range sumShapes(usage) {
			q.Where, q.Usage = where, usage
			want := lake.NewSummation(q)
			for i := range events {
				if !usage {
					want.Add(&events[i], 1)
				}
			}
			for i := range rows {
				if usage {
					want.AddUsage(&rows[i])
				}
			}
			got, err := x.Sum(ctx, q)
			if err != nil {
				t.Fatalf("%q %+v: %v", text, q, err)
			}
			if w := want.Groups(); (len(got) > 0 || len(w) > 0) && !reflect.DeepEqual(got, w) {
				t.Fatalf("%q %+v:\n got %+v\nwant %+v", text, q, got, w)
			}
		}
	}
	for _, text := range exploreQueries {
		sums(text, query.Events(), false)
	}
	for _, text := range sumUsageFilters {
		sums(text, query.UsageFilter(), true)
	}
	for _, bad := range []query.Sum{
		{By: []string{"raw"}}, {By: []string{"time"}}, {By: []string{"resource_uids"}}, {By: []string{"account"}}, {By: []string{`x"; --`}}, {Distinct: "nosuch"},
		{Usage: true, By: []string{"src_ip"}}, {Usage: true, Query: query.Query{Where: query.Word{Pattern: "x"}}},
		{Usage: true, Query: query.Query{Where: query.Eq{Field: "src_ip", Value: "x"}}},
		{Usage: true, Start: Day, Width: time.Minute, Step: time.Hour}, {Start: Day, Width: time.Hour, Step: time.Minute}, {Width: time.Hour, Step: time.Hour},
	} {
		if _, err := x.Sum(ctx, bad); err == nil {
			t.Errorf("%+v was answered", bad)
		}
	}
}

// sumShapes are the ways to count.
func sumShapes(usage bool) []query.Sum {
	column, other := "src_ip", "twin"
	if usage {
		column, other = "resource_uid", "region"
	}
	span := query.Query{Since: Day.Add(-20 * time.Hour), Until: Day.Add(21 * time.Hour)}
	few := span
	few.Limit = 3
	return []query.Sum{
		{},
		{Query: query.Query{Limit: 2}, By: []string{"api_operation", "outcome"}},
		{Query: span, By: []string{column}},
		{Query: few, By: []string{"api_operation", other}, Start: Day.Add(-20 * time.Hour), Width: 3 * time.Hour, Step: 3 * time.Hour, From: 7},
		{Query: few, By: []string{"actor_uid"}, Start: Day.Add(-20 * time.Hour), Width: 2 * time.Hour, Step: 12 * time.Hour, From: 2},
		{Query: few, By: []string{"account_uid"}, Distinct: "api_operation", Start: Day.Add(-26 * time.Hour), Width: 24 * time.Hour, Step: 24 * time.Hour},
		{Query: span, Distinct: column},
	}
}
