package laketest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/usage"
)

// testUsageWhere: chosen and summed by the engine is as chosen and summed by hand
// of what Usage gives, the resources beyond the cap of a group included.
func testUsageWhere(t *testing.T, s *store) {
	c, ok := s.Store.(lake.UsageConditioner)
	if !ok {
		t.Skip("this engine takes no conditions on usage")
	}
	if c.Dialect() != "duckdb" {
		t.Skipf("conditions of dialect %s are not at hand", c.Dialect())
	}
	ctx := context.Background()
	start := time.Date(2026, 3, 31, 20, 0, 0, 0, time.UTC)
	events := wide(start)
	for i := 0; i < len(events); i += 290 {
		a := s.append(Batch(fmt.Sprint("o", i), "v1", events[i:min(i+290, len(events))]...))
		if i%3 == 0 {
			s.release(a.Batch)
		}
	}
	all := collect(t, s.Usage(ctx, usage.Query{}))
	f := func(c2 lake.UsageCondition, holds func(*usage.Row) bool) {
		t.Helper()
		var want []usage.Row
		for _, r := range all {
			if holds(&r) && !r.Hour.Before(c2.Since) && (c2.Until.IsZero() || r.Hour.Before(c2.Until)) {
				want = add(want, r, c2.By)
			}
		}
		slices.SortStableFunc(want, func(a, b usage.Row) int { return compareBy(&a, &b, c2.By) })
		got := collect(t, c.UsageWhere(ctx, c2))
		if c2.By == nil {
			byKey := func(a, b usage.Row) int { return usage.Compare(&a.Key, &b.Key) }
			slices.SortFunc(want, byKey)
			slices.SortStableFunc(got, byKey)
		}
		if len(want) == 0 {
			t.Errorf("%+v chooses nothing", c2)
		}
		if len(got) != len(want) {
			t.Fatalf("%+v: %d rows, want %d", c2, len(got), len(want))
		}
		for i := range got {
			if !reflect.DeepEqual(got[i], want[i]) {
				t.Fatalf("%+v: row %d\ngot  %+v\nwant %+v", c2, i, got[i], want[i])
			}
		}
	}
	some := func(*usage.Row) bool { return true }
	f(lake.UsageCondition{}, some)
	f(lake.UsageCondition{By: []string{}}, some)
	f(lake.UsageCondition{Where: "resource_uid = ''", By: []string{"account_uid", "actor_uid", "caller", "outcome"}},
		func(r *usage.Row) bool { return r.ResourceUID == "" })
	f(lake.UsageCondition{Where: "resource_uid <> '' AND outcome = ?", Args: []any{"denied"}, By: []string{"resource_uid", "actor_uid"}},
		func(r *usage.Row) bool { return r.ResourceUID != "" && r.Outcome == event.Denied })
	f(lake.UsageCondition{Since: start.Add(time.Hour), Until: start.Add(6 * time.Hour), Where: "api_operation IN ('Decrypt', 'GetObject') OR api_operation = '" + events[0].APIOperation + "'"},
		func(r *usage.Row) bool {
			return r.APIOperation == "Decrypt" || r.APIOperation == "GetObject" || r.APIOperation == events[0].APIOperation
		})
	for _, err := range c.UsageWhere(ctx, lake.UsageCondition{By: []string{"colour"}}) {
		if err == nil {
			t.Error("summed by a column that is not there")
		}
	}
}

// wide is some events of a few hours, more resources of one group among them than
// it holds, and such beside that no cap concerns.
func wide(start time.Time) []event.Event {
	events := NewMaker(31).Events(500, start, 9*time.Hour)
	for i := range 2400 {
		e := events[0]
		e.UID[0], e.UID[1], e.UID[2] = byte(i), byte(i>>8), 7
		e.EventUID = e.UID.String()
		e.ResourceUID, e.ResourceUIDs = fmt.Sprintf("arn:aws:s3:::wide/%d", i%1200), nil
		e.Time = start.Add(time.Duration(i%3) * time.Minute)
		if i%2 == 0 {
			e.Outcome = event.Denied
		}
		events = append(events, e)
	}
	return events
}

// compareBy orders rows by hour and the columns.
func compareBy(a, b *usage.Row, columns []string) int {
	if n := a.Hour.Compare(b.Hour); n != 0 {
		return n
	}
	for _, name := range columns {
		if n := strings.Compare(*field(&a.Key, name), *field(&b.Key, name)); n != 0 {
			return n
		}
	}
	return 0
}

// field is a key's field of a column.
func field(k *usage.Key, column string) *string {
	v := reflect.ValueOf(k).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("json") == column {
			return v.Field(i).Addr().Convert(reflect.TypeFor[*string]()).Interface().(*string)
		}
	}
	panic("no column " + column)
}

// add adds a row to sums by some columns; nil: by all.
func add(sums []usage.Row, r usage.Row, by []string) []usage.Row {
	if by != nil {
		k := usage.Key{Hour: r.Hour}
		for _, name := range by {
			*field(&k, name) = *field(&r.Key, name)
		}
		r.Key = k
	}
	for i := range sums {
		if sums[i].Key == r.Key {
			sums[i].Count += r.Count
			sums[i].First, sums[i].Last = instant.Earlier(sums[i].First, r.First), instant.Later(sums[i].Last, r.Last)
			return sums
		}
	}
	return append(sums, r)
}
