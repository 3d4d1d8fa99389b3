package local

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

var _ lake.UsageConditioner = (*Store)(nil)

// keyColumns are those of a usage key without the hour, those that make a group
// first: see usage.Fold.
var keyColumns = []string{
	"cloud_provider", "account_uid", "actor_uid", "api_service", "api_operation", "resource_uid",
	"actor_type", "caller", "region", "outcome",
}

const groupColumns = "hour, cloud_provider, account_uid, actor_uid, api_service, api_operation"

// UsageWhere implements lake.UsageConditioner.
func (s *Store) UsageWhere(ctx context.Context, c lake.UsageCondition) iter.Seq2[usage.Row, error] {
	return func(yield func(usage.Row, error) bool) {
		if err := s.usageWhere(ctx, c, yield); err != nil && !errors.Is(err, errStop) {
			yield(usage.Row{}, fmt.Errorf("usage: %w", contextFirst(ctx, err)))
		}
	}
}

func (s *Store) usageWhere(ctx context.Context, c lake.UsageCondition, yield func(usage.Row, error) bool) error {
	for _, name := range c.By {
		if !slices.Contains(keyColumns, name) {
			return fmt.Errorf("usage has no column %q to sum by", name)
		}
	}
	if c.By == nil {
		c.By = keyColumns
	}
	return s.usageSlices(ctx, c.Since, c.Until, func(from, to time.Time) (int, error) {
		return s.sumsBetween(ctx, c, from, to, yield)
	})
}

// sumsBetween yields the sums of some hours and tells how many there were.
func (s *Store) sumsBetween(ctx context.Context, c lake.UsageCondition, from, to time.Time, yield func(usage.Row, error) bool) (int, error) {
	segs, err := s.liveUsage(from, to)
	if err != nil || len(segs) == 0 {
		return 0, err
	}
	paths := make([]string, len(segs))
	var fanout int64
	for i, u := range segs {
		paths[i] = u.Path
		fanout += u.Fanout
	}
	within := "hour >= " + query.Timestamp(from) + " AND hour < " + query.Timestamp(to)
	where := within
	if c.Where != "" {
		where += " AND (" + c.Where + ")"
	}
	args := make([]any, len(c.Args))
	for i, a := range c.Args {
		if t, ok := a.(time.Time); ok {
			a = t.UTC()
		}
		args[i] = a
	}
	if slices.Contains(c.By, "resource_uid") && fanout > int64(s.opt.MaxResources) {
		return s.foldedSums(ctx, c, readParquet(paths), within, args, yield)
	}
	text := "SELECT hour, " + strings.Join(append(slices.Clone(c.By), ""), ", ") +
		`CAST(sum("count") AS BIGINT), min("first"), max("last") FROM ` + readParquet(paths) + " WHERE " + where +
		" GROUP BY ALL ORDER BY hour"
	for _, name := range c.By {
		text += ", " + name
	}
	n := 0
	err = s.sums(ctx, text, args, c.By, nil, func(r *usage.Row) error {
		n++
		if !yield(*r, nil) {
			return errStop
		}
		return nil
	})
	return n, err
}

// foldedSums is for hours in which groups may have more resources than the cap:
// which of them stay is known from whole groups only, and so is the sum.
func (s *Store) foldedSums(ctx context.Context, c lake.UsageCondition, from, within string, args []any, yield func(usage.Row, error) bool) (int, error) {
	wanted := "true"
	if c.Where != "" {
		wanted = "coalesce((" + c.Where + "), false)"
	}
	all := strings.Join(keyColumns, ", ")
	text := "WITH rows AS (SELECT hour, " + all + ", " + wanted + ` AS wanted, CAST(sum("count") AS BIGINT) AS n, min("first") AS a, max("last") AS z FROM ` +
		from + " WHERE " + within + " GROUP BY ALL) SELECT hour, " + all + ", wanted, n, a, z FROM rows WHERE (" + groupColumns +
		") IN (SELECT (" + groupColumns + ") FROM rows WHERE wanted) ORDER BY hour, " + all
	f := foldedHours{limit: s.opt.MaxResources, by: c.By, chosen: map[usage.Key]bool{}, yield: yield}
	var chosen bool
	err := s.sums(ctx, text, args, keyColumns, &chosen, func(r *usage.Row) error { return f.add(r, chosen) })
	if err == nil {
		err = f.closeHour()
	}
	return f.n, err
}

// foldedHours folds groups and sums an hour of them.
type foldedHours struct {
	limit  int
	by     []string
	group  []usage.Row
	chosen map[usage.Key]bool // which of the group the condition holds for, all resources alike
	hour   []usage.Row
	n      int
	yield  func(usage.Row, error) bool
}

func anyResource(k usage.Key) usage.Key {
	if k.ResourceUID != "" {
		k.ResourceUID = usage.Other
	}
	return k
}

func (f *foldedHours) add(r *usage.Row, chosen bool) error {
	if len(f.group) > 0 && !sameGroup(f.group[0].Key, r.Key) {
		f.closeGroup()
	}
	if len(f.hour) > 0 && !f.hour[0].Hour.Equal(r.Hour) {
		if err := f.closeHour(); err != nil {
			return err
		}
	}
	f.group = append(f.group, *r)
	if chosen {
		f.chosen[anyResource(r.Key)] = true
	}
	return nil
}

func (f *foldedHours) closeGroup() {
	for _, r := range usage.Fold(f.group, f.limit) {
		if f.chosen[anyResource(r.Key)] {
			f.hour = append(f.hour, r)
		}
	}
	f.group = f.group[:0]
	clear(f.chosen)
}

func (f *foldedHours) closeHour() error {
	f.closeGroup()
	for _, r := range sumBy(f.hour, f.by) {
		f.n++
		if !f.yield(r, nil) {
			return errStop
		}
	}
	f.hour = f.hour[:0]
	return nil
}

// keyField is a key's field of a column.
func keyField(k *usage.Key, column string) *string {
	switch column {
	case "cloud_provider":
		return &k.CloudProvider
	case "account_uid":
		return &k.AccountUID
	case "actor_uid":
		return &k.ActorUID
	case "actor_type":
		return (*string)(&k.ActorType)
	case "caller":
		return (*string)(&k.Caller)
	case "api_service":
		return &k.APIService
	case "api_operation":
		return &k.APIOperation
	case "resource_uid":
		return &k.ResourceUID
	case "region":
		return &k.Region
	}
	return (*string)(&k.Outcome)
}

// sumBy sums rows of one hour by some columns, in their order.
func sumBy(rows []usage.Row, by []string) []usage.Row {
	sums := map[usage.Key]*usage.Row{}
	var out []*usage.Row
	for i := range rows {
		r := &rows[i]
		k := usage.Key{Hour: r.Hour}
		for _, name := range by {
			*keyField(&k, name) = *keyField(&r.Key, name)
		}
		had := sums[k]
		if had == nil {
			had = &usage.Row{Key: k, First: r.First, Last: r.Last}
			sums[k] = had
			out = append(out, had)
		}
		had.Count += r.Count
		if r.First.Before(had.First) {
			had.First = r.First
		}
		if r.Last.After(had.Last) {
			had.Last = r.Last
		}
	}
	slices.SortFunc(out, func(a, b *usage.Row) int {
		for _, name := range by {
			if c := strings.Compare(*keyField(&a.Key, name), *keyField(&b.Key, name)); c != 0 {
				return c
			}
		}
		return 0
	})
	flat := make([]usage.Row, len(out))
	for i, r := range out {
		flat[i] = *r
	}
	return flat
}

// sums calls f with each row of a query of hour, the columns, chosen if it is
// given, and the three sums.
func (s *Store) sums(ctx context.Context, text string, args []any, columns []string, chosen *bool, f func(*usage.Row) error) error {
	db, err := s.duckdb()
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var r usage.Row
	to := []any{&r.Hour}
	for _, name := range columns {
		to = append(to, keyField(&r.Key, name))
	}
	if chosen != nil {
		to = append(to, chosen)
	}
	to = append(to, &r.Count, &r.First, &r.Last)
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		r.Hour, r.First, r.Last = r.Hour.UTC(), r.First.UTC(), r.Last.UTC()
		if err := f(&r); err != nil {
			return err
		}
	}
	return rows.Err()
}
