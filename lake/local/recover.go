package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/lake"
)

// Unreleased implements lake.Appender.
func (s *Store) Unreleased(ctx context.Context) iter.Seq2[lake.Recovered, error] {
	return func(yield func(lake.Recovered, error) bool) {
		// What is left out here is to stay out after a power cut as well.
		if s.lock != nil {
			if err := s.settleReleases(); err != nil {
				yield(lake.Recovered{}, err)
				return
			}
		}
		ids, err := s.unreleased(ctx)
		if err != nil {
			yield(lake.Recovered{}, err)
			return
		}
		for _, id := range ids {
			r, err := s.recovered(ctx, id)
			if err != nil {
				yield(lake.Recovered{}, fmt.Errorf("read back batch %s: %w", id, err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *Store) unreleased(ctx context.Context) ([]event.BatchID, error) {
	s.mu.RLock()
	pending := slices.Clone(s.releasing)
	s.mu.RUnlock()
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id FROM batch WHERE released = 0 ORDER BY seq`)
	if err != nil {
		return nil, fmt.Errorf("lake.db: %w", err)
	}
	defer rows.Close()
	var ids []event.BatchID
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, fmt.Errorf("lake.db: %w", err)
		}
		if id := event.BatchID(b); !slices.Contains(pending, id) {
			ids = append(ids, id)
		}
	}
	return ids, rows.Err()
}

// recovered reads a batch back. Its segments are its own until it is released.
func (s *Store) recovered(ctx context.Context, id event.BatchID) (lake.Recovered, error) {
	out := lake.Recovered{Batch: id}
	var at int64
	var ans, other []byte
	err := s.db.Read().QueryRowContext(ctx, `SELECT at, answer, rest FROM batch WHERE id = ?`, id[:]).Scan(&at, &ans, &other)
	if err != nil {
		return out, err
	}
	var a firstAnswer
	if err := unpack(ans, &a); err != nil {
		return out, err
	}
	var r rest
	if other != nil {
		if err := unpack(other, &r); err != nil {
			return out, err
		}
	}
	out.At = time.UnixMicro(at).UTC()
	out.Spans, out.Digests = a.Spans, r.Digests
	out.Rejects = append(r.Rejects, a.Conflicts...)
	c, err := s.current()
	if err != nil {
		return out, err
	}
	for _, list := range c.days {
		for _, g := range list {
			if g.Batch != id {
				continue
			}
			if out.Events, err = readEvents(out.Events, g.Path); err != nil {
				return out, err
			}
		}
	}
	inSpanOrder(out.Events, a.Spans)
	return out, nil
}

func readEvents(dst []event.Event, path string) ([]event.Event, error) {
	sf, err := openSegment(path)
	if err != nil {
		return dst, err
	}
	defer sf.close()
	for group := range sf.groups() {
		recs, err := sf.records(group, nil)
		if err != nil {
			return dst, err
		}
		for _, r := range recs {
			dst = append(dst, *r.Event)
		}
	}
	return dst, nil
}

// inSpanOrder puts events into the order in which their batch had them.
func inSpanOrder(events []event.Event, spans []event.SpanAccount) {
	place := make(map[string]int, len(spans))
	for i, s := range spans {
		if _, ok := place[s.Object]; !ok {
			place[s.Object] = i
		}
	}
	slices.SortFunc(events, func(a, b event.Event) int {
		return cmp.Or(cmp.Compare(place[a.Object], place[b.Object]), cmp.Compare(a.Position, b.Position))
	})
}

// sweep removes files that lake.db does not list and forgets those dropped long
// ago. Only under the lock: a writer lists its files after writing them.
func (s *Store) sweep() error {
	listed := map[string]bool{}
	for _, table := range []string{"segment", "usage_segment"} {
		rows, err := s.db.Read().Query(`SELECT path FROM ` + table)
		if err != nil {
			return fmt.Errorf("lake.db: %w", err)
		}
		for rows.Next() {
			var path string
			if err := rows.Scan(&path); err != nil {
				rows.Close()
				return fmt.Errorf("lake.db: %w", err)
			}
			listed[path] = true
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return fmt.Errorf("lake.db: %w", err)
		}
	}
	for _, root := range []string{"events", "usage"} {
		err := filepath.WalkDir(filepath.Join(s.dir, root), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || listed[s.rel(path)] {
				return err
			}
			// Only what we could have written: a stranger's file stays.
			if !strings.HasSuffix(path, ".parquet") && !strings.HasSuffix(path, ".parquet.tmp") {
				return nil
			}
			return os.Remove(path)
		})
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return s.leave(context.Background())
}

// unlinkDropped removes the files dropped so long ago that no query reads them.
func (s *Store) unlinkDropped(ctx context.Context) error {
	return s.unlinkDroppedUntil(ctx, s.opt.Now().Add(-max(s.opt.Linger, 0)).UnixMicro())
}

// unlinkDroppedUntil removes the files dropped by due, in Unix microseconds.
func (s *Store) unlinkDroppedUntil(ctx context.Context, due int64) error {
	for _, table := range []string{"segment", "usage_segment"} {
		rows, err := s.db.Read().QueryContext(ctx, `SELECT id, path FROM `+table+` WHERE dropped IS NOT NULL AND dropped <= ?`, due)
		if err != nil {
			return fmt.Errorf("lake.db: %w", err)
		}
		var ids []int64
		var paths []string
		for rows.Next() {
			var id int64
			var path string
			if err := rows.Scan(&id, &path); err != nil {
				rows.Close()
				return fmt.Errorf("lake.db: %w", err)
			}
			ids, paths = append(ids, id), append(paths, path)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return fmt.Errorf("lake.db: %w", err)
		}
		if err := s.unlink(ctx, table, ids, paths); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) unlink(ctx context.Context, table string, ids []int64, paths []string) error {
	if len(ids) == 0 {
		return nil
	}
	dirs := map[string]bool{}
	for _, path := range paths {
		path = filepath.Join(s.dir, path)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove replaced segment: %w", err)
		}
		dirs[filepath.Dir(path)] = true
	}
	if err := s.opt.fault("files unlinked"); err != nil {
		return err
	}
	for dir := range dirs {
		// Goes only when it is empty; a file being written in it keeps it.
		if os.Remove(dir) == nil {
			continue
		}
	}
	// Forgotten only after the files are gone, else nobody would find them.
	return s.db.Tx(ctx, func(tx *sqlitedb.Tx) error {
		for _, id := range ids {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE id = ?`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
