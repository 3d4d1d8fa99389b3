package local

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/internal/instant"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// usageSlice is about how many rows of usage are summed in one query.
const usageSlice = 300_000

// Usage yields hourly sums, see lake.UsageReader. The cap on resources of a
// group holds for what is yielded, however many segments it came from.
func (s *Store) Usage(ctx context.Context, q usage.Query) iter.Seq2[usage.Row, error] {
	return func(yield func(usage.Row, error) bool) {
		if err := s.usage(ctx, q, yield); err != nil && !errors.Is(err, errStop) {
			yield(usage.Row{}, fmt.Errorf("usage: %w", contextFirst(ctx, err)))
		}
	}
}

func (s *Store) usage(ctx context.Context, q usage.Query, yield func(usage.Row, error) bool) error {
	return s.usageSlices(ctx, q.Since, q.Until, func(from, to time.Time) (int, error) {
		return s.usageBetween(ctx, q, from, to, yield)
	})
}

// usageSlices asks for the usage of some hours in slices; ask tells how many rows
// there were.
func (s *Store) usageSlices(ctx context.Context, since, before time.Time, ask func(from, to time.Time) (int, error)) error {
	segs, err := s.liveUsage(since, before)
	if err != nil || len(segs) == 0 {
		return err
	}
	from, until := segs[0].MinHour, segs[0].MaxHour
	for _, u := range segs {
		if u.MinHour.Before(from) {
			from = u.MinHour
		}
		if u.MaxHour.After(until) {
			until = u.MaxHour
		}
	}
	until = until.Add(time.Hour)
	if since.After(from) {
		from = since
	}
	if !before.IsZero() && before.Before(until) {
		until = before
	}
	step := 24 * time.Hour
	for from.Before(until) {
		to := instant.Earlier(from.Truncate(24*time.Hour).Add(step), until)
		n, err := ask(from, to)
		if isGone(err) {
			if err = s.reload(ctx); err == nil {
				n, err = ask(from, to)
			}
		}
		if err != nil {
			return err
		}
		switch { // keep slices near their size whatever the filter leaves
		case n < usageSlice/4 && step < 365*24*time.Hour:
			step *= 2
		case n > usageSlice && step > 24*time.Hour:
			step /= 2
		}
		from = to
	}
	return nil
}

// usageBetween yields the rows of some hours and tells how many it read.
func (s *Store) usageBetween(ctx context.Context, q usage.Query, from, to time.Time, yield func(usage.Row, error) bool) (int, error) {
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
	// Which resources of a group stay is known from the whole group only, so the
	// resource is chosen after folding, unless there is surely nothing to fold.
	folds := fanout > int64(s.opt.MaxResources)
	text := `SELECT hour, cloud_provider, account_uid, actor_uid, actor_type, caller, api_service, api_operation, resource_uid,
		region, outcome, CAST(sum("count") AS BIGINT), min("first"), max("last") FROM ` + readParquet(paths) + ` WHERE hour >= ` +
		query.Timestamp(from) + ` AND hour < ` + query.Timestamp(to)
	var args []any
	add := func(column, value string) {
		if value != "" {
			text += " AND " + column + " = ?"
			args = append(args, value)
		}
	}
	add("account_uid", q.AccountUID)
	add("actor_uid", q.ActorUID)
	add("api_operation", q.APIOperation)
	if !folds {
		add("resource_uid", q.ResourceUID)
	}
	text += ` GROUP BY ALL ORDER BY hour, cloud_provider, account_uid, actor_uid, api_service, api_operation, resource_uid,
		actor_type, caller, region, outcome`
	return s.usageRows(ctx, text, args, folds, q.ResourceUID, yield)
}

func (s *Store) usageRows(ctx context.Context, text string, args []any, folds bool, resource string, yield func(usage.Row, error) bool) (n int, err error) {
	db, err := s.duckdb()
	if err != nil {
		return 0, err
	}
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var group []usage.Row // rows of one hour, account, actor and operation
	emit := func() error {
		for _, r := range usage.Fold(group, s.opt.MaxResources) {
			if (resource == "" || r.ResourceUID == resource) && !yield(r, nil) {
				return errStop
			}
		}
		group = group[:0]
		return nil
	}
	for rows.Next() {
		var r usage.Row
		if err := rows.Scan(&r.Hour, &r.CloudProvider, &r.AccountUID, &r.ActorUID, &r.ActorType, &r.Caller, &r.APIService, &r.APIOperation,
			&r.ResourceUID, &r.Region, &r.Outcome, &r.Count, &r.First, &r.Last); err != nil {
			return n, err
		}
		r.Hour, r.First, r.Last = r.Hour.UTC(), r.First.UTC(), r.Last.UTC()
		n++
		if len(group) > 0 && (!folds || !sameGroup(group[0].Key, r.Key)) {
			if err := emit(); err != nil {
				return n, err
			}
		}
		group = append(group, r)
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	return n, emit()
}

func sameGroup(a, b usage.Key) bool {
	return a.Hour.Equal(b.Hour) && a.CloudProvider == b.CloudProvider && a.AccountUID == b.AccountUID &&
		a.ActorUID == b.ActorUID && a.APIService == b.APIService && a.APIOperation == b.APIOperation
}
