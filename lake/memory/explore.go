package memory

import (
	"context"
	"time"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

var _ lake.Explorer = (*Store)(nil)

// Histogram implements lake.Explorer; it looks at everything.
func (s *Store) Histogram(ctx context.Context, q query.Query, buckets int, _ time.Duration) (lake.Histogram, error) {
	out := lake.Histogram{Buckets: []lake.Bucket{}}
	since, until := q.Since, q.Until
	first := true
	for e, err := range s.Select(ctx, query.Query{Since: q.Since, Until: q.Until, OldestFirst: true}) {
		if err != nil {
			return out, err
		}
		if first && q.Since.IsZero() {
			since = e.Time
		}
		if q.Until.IsZero() {
			until = e.Time.Add(time.Microsecond)
		}
		first = false
		out.Stored++
	}
	if since.IsZero() || until.IsZero() || !since.Before(until) {
		return out, nil
	}
	start, width, n := lake.Grid(since, until, buckets)
	out.Since, out.Width, out.Until, out.Looked = start, width, start.Add(time.Duration(int64(n)*width)*time.Second), out.Stored
	for i := range n {
		out.Buckets = append(out.Buckets, lake.Bucket{Time: start.Add(time.Duration(int64(i)*width) * time.Second), Part: 1})
	}
	for e, err := range s.Select(ctx, query.Query{Where: q.Where, Since: q.Since, Until: q.Until}) {
		if err != nil {
			return out, err
		}
		out.Buckets[(e.Time.Unix()-start.Unix())/width].Count++
		out.Total++
	}
	return out, nil
}

// Values implements lake.Explorer; it looks at everything.
func (s *Store) Values(ctx context.Context, q query.Query, fields []string, most int, _ time.Duration) (lake.FieldValues, error) {
	t, err := lake.NewTally(fields)
	if err != nil {
		return lake.FieldValues{}, err
	}
	var all lake.Sample
	for _, err := range s.Select(ctx, query.Query{Since: q.Since, Until: q.Until}) {
		if err != nil {
			return lake.FieldValues{}, err
		}
		all.Stored++
	}
	all.Looked = all.Stored
	for e, err := range s.Select(ctx, query.Query{Where: q.Where, Since: q.Since, Until: q.Until}) {
		if err != nil {
			return lake.FieldValues{}, err
		}
		t.Add(&e)
	}
	return t.Values(most, all), nil
}
