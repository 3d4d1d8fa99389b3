package stored

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// Find yields the events of [since, until) for which where holds, in any order.
// Of each it fills at least the columns asked for, time and uid; the record
// itself is not read. What a source with Where can say in SQL it is asked in SQL.
func (s Source) Find(ctx context.Context, since, until time.Time, where query.Expr, columns ...string) iter.Seq2[event.Event, error] {
	if s.Where == nil && s.Select == nil {
		return func(yield func(event.Event, error) bool) {
			yield(event.Event{}, errors.New("no way to read stored events is given"))
		}
	}
	if s.Where != nil && s.Dialect == "duckdb" {
		if text, args, exact := query.SQL(where); exact {
			return s.Where(ctx, Condition{Since: since, Until: until, Where: text, Args: args, Columns: columns})
		}
	}
	if s.Select == nil {
		return func(yield func(event.Event, error) bool) {
			yield(event.Event{}, errors.New("the condition cannot be asked in SQL"))
		}
	}
	return s.Select(ctx, query.Query{Where: where, Since: since, Until: until, OldestFirst: true, NoRaw: true})
}
