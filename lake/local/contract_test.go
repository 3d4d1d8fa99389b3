package local

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// plain reads whole segments in Go: the tests of writing do not lean on DuckDB.
type plain struct{ *Store }

func (s plain) all() ([]event.Event, error) {
	list, err := s.live(time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	var out []event.Event
	for _, g := range list {
		if out, err = readEvents(out, g.Path); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s plain) Select(_ context.Context, q query.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		events, err := s.all()
		if err != nil {
			yield(event.Event{}, err)
			return
		}
		slices.SortFunc(events, func(a, b event.Event) int {
			if !q.OldestFirst {
				a, b = b, a
			}
			if c := a.Time.Compare(b.Time); c != 0 {
				return c
			}
			return bytes.Compare(a.UID[:], b.UID[:])
		})
		n := 0
		for i := range events {
			if !q.Matches(&events[i]) || q.Limit > 0 && n == q.Limit {
				continue
			}
			n++
			if q.NoRaw {
				events[i].Raw = nil
			}
			if !yield(events[i], nil) {
				return
			}
		}
	}
}

func (s plain) Usage(_ context.Context, q usage.Query) iter.Seq2[usage.Row, error] {
	return func(yield func(usage.Row, error) bool) {
		list, err := s.liveUsage(time.Time{}, time.Time{})
		var rows []usage.Row
		for _, u := range list {
			var part []usage.Row
			if part, err = readUsage(u.Path); err != nil {
				break
			}
			rows = append(rows, part...)
		}
		if err != nil {
			yield(usage.Row{}, err)
			return
		}
		for _, r := range usage.Fold(rows, s.opt.MaxResources) {
			if q.Matches(&r.Key) && !yield(r, nil) {
				return
			}
		}
	}
}

func open(t testing.TB, dir string, opt Options) plain {
	t.Helper()
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return plain{s}
}

func TestContract(t *testing.T) {
	laketest.Test(t, func(t *testing.T) lake.Store { return open(t, t.TempDir(), Options{Linger: -1}) })
}
