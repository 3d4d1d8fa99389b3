package anomaly

import (
	"context"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/usage"
)

// runEvents is how many events the days have at most that are read together: a
// question takes its time even if it is about little, and what was read is held
// until it is judged.
const runEvents = 20_000

// runs cuts spans, which adjoin, into those that are read together: a day with
// more events than that is read alone, and years in which little happened are
// read at once.
func (r *reader) runs(ctx context.Context, spans []span) ([][]span, error) {
	if len(spans) < 2 {
		return [][]span{spans}[:len(spans)], nil
	}
	calls, err := r.perDay(ctx, spans[0].since, spans[len(spans)-1].until)
	if err != nil {
		return nil, err
	}
	var out [][]span
	from, held := 0, int64(0)
	for i, s := range spans {
		n := calls[s.sum.day]
		if i > from && held+n > r.most {
			out = append(out, spans[from:i])
			from, held = i, 0
		}
		held += n
	}
	return append(out, spans[from:]), nil
}

// perDay gives how many calls there were in [since, until), by UTC day.
func (r *reader) perDay(ctx context.Context, since, until time.Time) (map[time.Time]int64, error) {
	rows := r.usage.Select
	if r.usage.Where != nil {
		rows = func(ctx context.Context, q usage.Query) iter.Seq2[usage.Row, error] {
			return r.usage.Where(ctx, Sums{Since: q.Since, Until: q.Until, Where: callsWhere, By: []string{}})
		}
	}
	calls := map[time.Time]int64{}
	for row, err := range rows(ctx, usage.Query{Since: since, Until: until}) {
		if err != nil {
			return nil, err
		}
		if row.ResourceUID == "" {
			calls[row.Hour.UTC().Truncate(oneDay)] += row.Count
		}
	}
	return calls, nil
}
