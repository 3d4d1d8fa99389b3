package memory

import (
	"context"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

var _ lake.Summer = (*Store)(nil)

// Sum implements lake.Summer.
func (s *Store) Sum(ctx context.Context, q query.Sum) ([]query.Group, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	x := lake.NewSummation(q)
	if q.Usage {
		for r, err := range s.Usage(ctx, usage.Query{Since: q.Since, Until: q.Until}) {
			if err != nil {
				return nil, err
			}
			x.AddUsage(&r)
		}
		return x.Groups(), nil
	}
	for e, err := range s.Select(ctx, query.Query{Since: q.Since, Until: q.Until}) {
		if err != nil {
			return nil, err
		}
		x.Add(&e, 1)
	}
	return x.Groups(), nil
}
