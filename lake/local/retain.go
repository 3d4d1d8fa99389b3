package local

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/lake"
)

var _ lake.Expirer = (*Store)(nil)

// Expire implements lake.Expirer.
func (s *Store) Expire(ctx context.Context, t time.Time) (int64, error) {
	if s.opt.ReadOnly {
		return 0, ErrReadOnly
	}
	s.maint.Lock()
	defer s.maint.Unlock()
	n, err := s.expire(ctx, dayOf(t))
	if err != nil {
		return n, fmt.Errorf("expire events before %s: %w", t.UTC().Format(time.DateOnly), err)
	}
	return n, nil
}

// ExpireBytes drops the oldest days until the segments of events take at most
// so many bytes. It returns how many events went. The latest day always stays.
func (s *Store) ExpireBytes(ctx context.Context, limit int64) (int64, error) {
	if s.opt.ReadOnly {
		return 0, ErrReadOnly
	}
	s.maint.Lock()
	defer s.maint.Unlock()
	c, err := s.current()
	if err != nil {
		return 0, err
	}
	var bytes int64
	for _, list := range c.days {
		for _, g := range list {
			bytes += g.Bytes
		}
	}
	days := slices.Sorted(maps.Keys(c.days))
	first := 0
	for ; bytes > limit && first < len(days)-1; first++ {
		for _, g := range c.days[days[first]] {
			bytes -= g.Bytes
		}
	}
	if first == 0 {
		return 0, nil
	}
	n, err := s.expire(ctx, days[first])
	if err != nil {
		return n, fmt.Errorf("expire events down to %d bytes: %w", limit, err)
	}
	return n, nil
}

// expire drops the days before first.
func (s *Store) expire(ctx context.Context, first int32) (int64, error) {
	c, err := s.current()
	if err != nil {
		return 0, err
	}
	ch := &change{horizon: dayTime(first)}
	var n int64
	for day, list := range c.days {
		for _, g := range list {
			// What waits to be judged is left for the next time.
			if day < first && g.Released {
				ch.drop = append(ch.drop, g)
				n += g.Rows
			}
		}
	}
	if len(ch.drop) > 0 || ch.horizon.After(c.horizon) {
		if err := s.commit(ctx, ch); err != nil {
			return 0, err
		}
		s.tables.forget(ch.drop)
	}
	return n, s.unlinkDropped(ctx)
}

// Horizon is the time before which retention has dropped the events; zero: it
// has dropped none.
func (s *Store) Horizon() (time.Time, error) {
	c, err := s.current()
	if err != nil {
		return time.Time{}, fmt.Errorf("lake.db: %w", err)
	}
	return c.horizon, nil
}
