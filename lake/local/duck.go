package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // the "duckdb" driver

	"github.com/yagura-sec/yagura/query"
)

// QueryOptions bounds the embedded DuckDB, which runs the queries this package
// writes itself. Analysts' own SQL runs in a child process: see SQLOptions.
type QueryOptions struct {
	// Memory is what DuckDB may hold, in bytes, before it spills to disk; 0
	// means 512 MiB.
	Memory int64
	// Threads at work for one query; 0 means as many as there are processors,
	// at most 4.
	Threads int
	// Spill bounds the temporary files, in bytes; 0 means 16 GiB.
	Spill int64
	// Concurrent is how many queries run at once, others wait; 0 means 4.
	Concurrent int
}

func (o QueryOptions) withDefaults() QueryOptions {
	if o.Memory == 0 {
		o.Memory = 512 << 20
	}
	if o.Threads == 0 {
		o.Threads = min(runtime.GOMAXPROCS(0), 4)
	}
	if o.Spill == 0 {
		o.Spill = 16 << 30
	}
	if o.Concurrent == 0 {
		o.Concurrent = 4
	}
	return o
}

// duck is the embedded DuckDB: in memory, opened by the first query, so that a
// process that only writes never has it.
type duck struct {
	mu   sync.Mutex
	db   *sql.DB
	temp string
}

// duckdb opens the engine if it is not open yet.
func (s *Store) duckdb() (*sql.DB, error) {
	s.duck.mu.Lock()
	defer s.duck.mu.Unlock()
	if s.duck.db != nil {
		return s.duck.db, nil
	}
	o := s.opt.Query.withDefaults()
	temp, err := s.tempDir()
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("duckdb", "")
	if err == nil {
		for _, set := range []string{
			fmt.Sprintf("SET memory_limit = '%dB'", o.Memory),
			fmt.Sprintf("SET threads = %d", o.Threads),
			"SET temp_directory = " + quoteSQL(temp),
			fmt.Sprintf("SET max_temp_directory_size = '%dB'", o.Spill),
			"SET autoinstall_known_extensions = false",
			"SET autoload_known_extensions = false",
			"SET parquet_metadata_cache = true", // footers of files that never change
			// A page of results is read narrow, then raw for its rows only; so are
			// the other columns, up to so many rows.
			"SET late_materialization_max_rows = 1000",
			"SET TimeZone = 'UTC'",
			"SET lock_configuration = true",
		} {
			if _, err = db.Exec(set); err != nil {
				err = fmt.Errorf("%s: %w", set, err)
				break
			}
		}
	}
	if err != nil {
		os.RemoveAll(temp)
		if db != nil {
			db.Close()
		}
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db.SetMaxOpenConns(o.Concurrent)
	s.duck.db, s.duck.temp = db, temp
	return db, nil
}

// tempDir makes a folder for what queries spill: in the data directory, which
// has the room, or where a reader may not write there, in the system's.
// Folders that a killed process left are removed after a day.
func (s *Store) tempDir() (string, error) {
	dir := filepath.Join(s.dir, "tmp")
	if os.MkdirAll(dir, 0o700) == nil {
		old, _ := os.ReadDir(dir) // sweeping is a courtesy
		for _, e := range old {
			if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), "query-") && time.Since(info.ModTime()) > 24*time.Hour {
				os.RemoveAll(filepath.Join(dir, e.Name()))
			}
		}
		if temp, err := os.MkdirTemp(dir, "query-"); err == nil {
			return temp, nil
		}
	}
	return os.MkdirTemp("", "yagura-query-")
}

func (d *duck) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.db == nil {
		return nil
	}
	err := errors.Join(d.db.Close(), os.RemoveAll(d.temp))
	d.db = nil
	return err
}

// quoteSQL writes a string literal.
func quoteSQL(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// isGone tells whether a query met a file that a merge or retention removed
// after the list was taken.
func isGone(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return errors.Is(err, fs.ErrNotExist) || strings.Contains(text, "No such file or directory") ||
		strings.Contains(text, "No files found that match")
}

// readParquet is the table function over the files.
func readParquet(paths []string) string {
	var b strings.Builder
	b.WriteString("read_parquet([")
	for i, p := range paths {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteSQL(p))
	}
	b.WriteString("], hive_partitioning = false)")
	return b.String()
}

func pathsOf(segs []segment) []string {
	paths := make([]string, len(segs))
	for i, g := range segs {
		paths[i] = g.Path
	}
	return paths
}

// eventsFrom is the segments as a relation with the columns of an event, and
// the place of each row: filename and file_row_number.
func eventsFrom(segs []segment) string {
	return "(SELECT * REPLACE (coalesce(event_uid, CAST(uid AS VARCHAR)) AS event_uid), filename, file_row_number FROM " +
		readParquet(pathsOf(segs)) + ")"
}

// condition is a query's filter in SQL.
type condition struct {
	text  string
	args  []any
	exact bool // otherwise it lets through some events that Match refuses
}

func conditionOf(q *query.Query) condition {
	text, args, exact := query.SQL(q.Where)
	if !q.Since.IsZero() {
		text += ` AND "time" >= ` + query.Timestamp(q.Since)
	}
	if !q.Until.IsZero() {
		text += ` AND "time" < ` + query.Timestamp(q.Until)
	}
	return condition{text, args, exact}
}

// candidates is the live segments that may hold what the query asks for: by
// time, and by the account and the operation that it needs.
func (s *Store) candidates(q *query.Query, since, until time.Time) ([]segment, error) {
	segs, err := s.live(since, until)
	if err != nil {
		return nil, err
	}
	for _, x := range query.Conjuncts(q.Where) {
		eq, ok := x.(query.Eq)
		v, isText := eq.Value.(string)
		if !ok || !isText {
			continue
		}
		switch eq.Field {
		case "account_uid":
			segs = slices.DeleteFunc(segs, func(g segment) bool { return v < g.MinAccount || v > g.MaxAccount })
		case "api_operation":
			segs = slices.DeleteFunc(segs, func(g segment) bool { return v < g.MinOperation || v > g.MaxOperation })
		}
	}
	return segs, nil
}

// Count counts the events that Select would yield.
func (s *Store) Count(ctx context.Context, q query.Query) (int64, error) {
	n, err := s.count(ctx, q)
	if isGone(err) {
		if err = s.reload(ctx); err == nil {
			n, err = s.count(ctx, q)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	if q.Limit > 0 {
		n = min(n, int64(q.Limit))
	}
	return n, nil
}

func (s *Store) count(ctx context.Context, q query.Query) (n int64, err error) {
	cond := conditionOf(&q)
	if !cond.exact {
		for _, err := range s.Select(ctx, q) {
			if err != nil {
				return 0, err
			}
			n++
		}
		return n, nil
	}
	segs, err := s.candidates(&q, q.Since, q.Until)
	if err != nil {
		return 0, err
	}
	var partly []segment
	for _, g := range segs {
		if q.Where == nil && (q.Since.IsZero() || !g.MinTime.Before(q.Since)) && (q.Until.IsZero() || g.MaxTime.Before(q.Until)) {
			n += g.Rows
			continue
		}
		partly = append(partly, g)
	}
	if len(partly) == 0 {
		return n, nil
	}
	db, err := s.duckdb()
	if err != nil {
		return 0, err
	}
	var more int64
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM "+eventsFrom(partly)+" WHERE "+cond.text, cond.args...).Scan(&more)
	return n + more, contextFirst(ctx, err)
}

// contextFirst gives the reason a query was interrupted rather than DuckDB's
// word for it.
func contextFirst(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
