package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

// ingest is a run of `yagura ingest` and what it said.
type ingest struct {
	used
	Read, Stored, Duplicate, Quarantined, Objects int64

	Seconds     float64 // until acknowledged
	RestSeconds float64 `json:"rest_seconds"`
	HuntSeconds float64 `json:"hunt_seconds"` // of correlations, after that
}

func (i ingest) perCPU() float64  { return float64(i.Read) / i.cpu.Seconds() }
func (i ingest) acked() float64   { return float64(i.Read) / i.Seconds }
func (i ingest) settled() float64 { return float64(i.Read) / i.RestSeconds }

// ingest runs the command over a folder and checks that everything is
// accounted for.
func (b *bench) ingest(ctx context.Context, data, logs string, stored, duplicate int) (ingest, error) {
	u, err := b.yagura(ctx, data, "--format", "json", "ingest", logs)
	if err != nil {
		return ingest{}, err
	}
	i := ingest{used: u}
	if err := json.Unmarshal(u.out, &i); err != nil {
		return i, fmt.Errorf("what ingest says: %w", err)
	}
	if i.Stored != int64(stored) || i.Duplicate != int64(duplicate) || i.Read != i.Stored+i.Duplicate {
		return i, fmt.Errorf("%d read, %d stored and %d duplicate; want %d and %d", i.Read, i.Stored, i.Duplicate, stored, duplicate)
	}
	return i, nil
}

// filled is the data directory that holds the logs, filled once.
func (b *bench) filled(ctx context.Context) error {
	if b.store != "" {
		return nil
	}
	in, err := b.logs(ctx)
	if err != nil {
		return err
	}
	b.say("ingesting %s files", grouped(float64(in.files)))
	if b.first, err = b.ingest(ctx, b.path("data"), in.dir, in.records-in.again, in.again); err != nil {
		return err
	}
	b.store = b.path("data")
	return nil
}

func (b *bench) measureIngest(ctx context.Context) error {
	if err := b.filled(ctx); err != nil {
		return err
	}
	in, i, t := b.in, b.first, &b.table
	size, err := sizeOf(ctx, b.store)
	if err != nil {
		return err
	}
	t.title(fmt.Sprintf("ingest: %s records in %s files, all built-in rules", grouped(float64(i.Read)), grouped(float64(i.Objects))))
	t.least("until acknowledged", i.acked(), 100_000, perSecond)
	t.least("until at rest", i.settled(), 60_000, perSecond)
	t.plain("correlations, after that", "%.1f s", i.HuntSeconds)
	t.least("a CPU second (bar: 3.5 × 14,200)", i.perCPU(), 3.5*14_200, grouped)
	t.plain("CPU an event", "%.1f µs", i.cpu.Seconds()*1e6/float64(i.Read))
	b.toBaseline("a CPU second, by the baseline", i.perCPU())
	t.atMost("peak memory", i.peak, 512<<20, megabytes)
	t.title("stored, at rest")
	t.atMost("bytes a byte of input", float64(size.all())/float64(in.bytes), 1, twoPlaces)
	t.atMost("the same, input packed at gzip's default level", float64(size.all())/(float64(in.bytes)*in.repacked), 1, twoPlaces)
	t.plain("input", "%s", megabytes(float64(in.bytes)))
	t.plain(fmt.Sprintf("events, %d segments", size.segments), "%s", megabytes(float64(size.events)))
	t.plain(fmt.Sprintf("usage, %d segments", size.usageSegments), "%s", megabytes(float64(size.usage)))
	t.plain("lake.db", "%s", megabytes(float64(size.lakeDB)))
	t.plain("state.db", "%s", megabytes(float64(size.stateDB)))
	t.plain("replaced files that linger", "%s", megabytes(float64(size.lingering)))
	return nil
}

// measureResent ingests the same files under other names.
func (b *bench) measureResent(ctx context.Context) error {
	if err := b.filled(ctx); err != nil {
		return err
	}
	again := b.path("again")
	if err := linkAll(b.in.dir, again); err != nil {
		return err
	}
	b.say("ingesting the same under other names")
	i, err := b.ingest(ctx, b.store, again, 0, b.in.records)
	if err != nil {
		return err
	}
	t := &b.table
	t.title("the same records under other names")
	t.least("until acknowledged, by the first run", i.acked()/b.first.acked(), 0.5, twoPlaces)
	t.least("until at rest, by the first run", i.settled()/b.first.settled(), 0.5, twoPlaces)
	t.plain("until acknowledged", "%s", perSecond(i.acked()))
	t.plain("a CPU second", "%s", grouped(i.perCPU()))
	t.atMost("peak memory", i.peak, 512<<20, megabytes)
	return nil
}

// linkAll makes a tree of hard links under other names.
func linkAll(from, to string) error {
	return files(from, func(path string) error {
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.Dir(rel), "copy-"+filepath.Base(rel))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.Link(path, target)
	})
}

// sizes is what a data directory takes, in bytes.
type sizes struct {
	events, usage, lakeDB, stateDB, lingering int64
	segments, usageSegments                   int
}

// all leaves out files that were replaced and wait for the last query to end.
func (s sizes) all() int64 { return s.events + s.usage + s.lakeDB + s.stateDB }

// sizeOf counts the files that lake.db lists, the two databases with their
// logs, and what else lies there as lingering.
func sizeOf(ctx context.Context, data string) (s sizes, err error) {
	db, err := sqlitedb.OpenReader(ctx, filepath.Join(data, "lake.db"))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	add := func(table string, count *int, total *int64) error {
		rows, err := db.Read().QueryContext(ctx, `SELECT path FROM `+table+` WHERE dropped IS NULL`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var rel string
			if err := rows.Scan(&rel); err != nil {
				return err
			}
			info, err := os.Stat(filepath.Join(data, rel))
			if err != nil {
				return err
			}
			*count, *total = *count+1, *total+info.Size()
		}
		return rows.Err()
	}
	if err := errors.Join(add("segment", &s.segments, &s.events), add("usage_segment", &s.usageSegments, &s.usage)); err != nil {
		return s, err
	}
	for _, name := range []string{"lake.db", "lake.db-wal"} {
		s.lakeDB += fileSize(filepath.Join(data, name))
	}
	for _, name := range []string{"state.db", "state.db-wal"} {
		s.stateDB += fileSize(filepath.Join(data, name))
	}
	for _, dir := range []string{"events", "usage"} {
		err := files(filepath.Join(data, dir), func(path string) error { s.lingering += fileSize(path); return nil })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
	s.lingering -= s.events + s.usage
	return s, nil
}

// fileSize is 0 for a file that is not there.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
