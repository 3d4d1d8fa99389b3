package local

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

// catalogSteps make lake.db. Times are microseconds since 1970 UTC; dropped is
// when a file was unlisted, NULL while it is live. meta's generation counts the
// commits that changed the list, horizon is where retention has got to.
var catalogSteps = []string{`
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 0);
CREATE TABLE segment (
	id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, day INTEGER NOT NULL,
	rows INTEGER NOT NULL, bytes INTEGER NOT NULL, min_time INTEGER NOT NULL, max_time INTEGER NOT NULL,
	min_account TEXT NOT NULL, max_account TEXT NOT NULL, min_operation TEXT NOT NULL, max_operation TEXT NOT NULL,
	batch BLOB, released INTEGER NOT NULL, dropped INTEGER);
CREATE INDEX segment_batch ON segment (batch) WHERE batch IS NOT NULL;
CREATE INDEX segment_dropped ON segment (dropped) WHERE dropped IS NOT NULL;
CREATE TABLE usage_segment (
	id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, month INTEGER NOT NULL,
	rows INTEGER NOT NULL, bytes INTEGER NOT NULL, min_hour INTEGER NOT NULL, max_hour INTEGER NOT NULL,
	fanout INTEGER NOT NULL, dropped INTEGER);
CREATE INDEX usage_segment_dropped ON usage_segment (dropped) WHERE dropped IS NOT NULL;
CREATE TABLE batch (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, at INTEGER NOT NULL,
	released INTEGER NOT NULL, answer BLOB NOT NULL, rest BLOB);
CREATE INDEX batch_unreleased ON batch (seq) WHERE released = 0;
`}

// catalog is the list of live files in memory. Its slices are replaced, never
// changed, so that a snapshot stays what it was.
type catalog struct {
	generation int64 // of lake.db
	days       map[int32][]segment
	months     map[int32][]usageSegment
	// horizon: events before it were dropped by retention; zero: none.
	horizon time.Time
}

func (s *Store) openDB(ctx context.Context) (err error) {
	path := filepath.Join(s.dir, "lake.db")
	if s.opt.ReadOnly {
		s.db, err = sqlitedb.OpenReader(ctx, path)
	} else {
		s.db, err = sqlitedb.Open(ctx, path)
	}
	if err != nil {
		return err
	}
	return s.db.Migrate(ctx, "lake", catalogSteps)
}

// reload makes the list current. The writer's own always is; reading it again
// beside a commit could take it back to what it was.
func (s *Store) reload(ctx context.Context) error {
	if !s.opt.ReadOnly {
		return nil
	}
	return s.load(ctx)
}

// load reads the list of live files.
func (s *Store) load(ctx context.Context) error {
	c := catalog{days: map[int32][]segment{}, months: map[int32][]usageSegment{}}
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("lake.db: %w", err)
	}
	defer tx.Rollback()
	if err := tx.QueryRow(`SELECT value FROM meta WHERE key = 'generation'`).Scan(&c.generation); err != nil {
		return fmt.Errorf("lake.db: %w", err)
	}
	var horizon sql.NullInt64
	if err := tx.QueryRow(`SELECT max(value) FROM meta WHERE key = 'horizon'`).Scan(&horizon); err != nil {
		return fmt.Errorf("lake.db: %w", err)
	}
	if horizon.Valid {
		c.horizon = time.UnixMicro(horizon.Int64).UTC()
	}
	if err := s.readSegments(tx, &c); err != nil {
		return fmt.Errorf("lake.db: segments: %w", err)
	}
	if err := s.readUsageSegments(tx, &c); err != nil {
		return fmt.Errorf("lake.db: usage segments: %w", err)
	}
	s.mu.Lock()
	s.list = c
	s.mu.Unlock()
	return nil
}

func (s *Store) readSegments(tx *sql.Tx, c *catalog) error {
	rows, err := tx.Query(`SELECT id, path, day, rows, bytes, min_time, max_time, min_account, max_account,
		min_operation, max_operation, batch, released FROM segment WHERE dropped IS NULL ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var g segment
		var rel string
		var from, to int64
		var batch []byte
		if err := rows.Scan(&g.ID, &rel, &g.Day, &g.Rows, &g.Bytes, &from, &to, &g.MinAccount, &g.MaxAccount,
			&g.MinOperation, &g.MaxOperation, &batch, &g.Released); err != nil {
			return err
		}
		g.Path = filepath.Join(s.dir, rel)
		g.MinTime, g.MaxTime = time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
		copy(g.Batch[:], batch)
		c.days[g.Day] = append(c.days[g.Day], g)
	}
	return rows.Err()
}

func (s *Store) readUsageSegments(tx *sql.Tx, c *catalog) error {
	rows, err := tx.Query(`SELECT id, path, month, rows, bytes, min_hour, max_hour, fanout
		FROM usage_segment WHERE dropped IS NULL ORDER BY id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var u usageSegment
		var rel string
		var from, to int64
		if err := rows.Scan(&u.ID, &rel, &u.Month, &u.Rows, &u.Bytes, &from, &to, &u.Fanout); err != nil {
			return err
		}
		u.Path = filepath.Join(s.dir, rel)
		u.MinHour, u.MaxHour = time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()
		c.months[u.Month] = append(c.months[u.Month], u)
	}
	return rows.Err()
}

// current is the list as it is now. The writer's own is always current; a
// reader looks whether another process has committed since.
func (s *Store) current() (catalog, error) {
	s.mu.RLock()
	c := s.list
	s.mu.RUnlock()
	if !s.opt.ReadOnly {
		return c, nil
	}
	var v int64
	if err := s.db.Read().QueryRow(`SELECT value FROM meta WHERE key = 'generation'`).Scan(&v); err != nil {
		return c, fmt.Errorf("lake.db: %w", err)
	}
	if v == c.generation {
		return c, nil
	}
	if err := s.reload(context.Background()); err != nil {
		return c, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.list, nil
}

// live is the segments that may hold events with time in [since, until), by day
// and id; zero times are open ends. The caller may keep the slice. A file of it
// stays on disk for Options.Linger even when a merge replaces it meanwhile.
func (s *Store) live(since, until time.Time) ([]segment, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, day := range c.days {
		for _, g := range day {
			if (since.IsZero() || !g.MaxTime.Before(since)) && (until.IsZero() || g.MinTime.Before(until)) {
				out = append(out, g)
			}
		}
	}
	slices.SortFunc(out, func(a, b segment) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// liveUsage is the usage segments that may hold hours in [since, until), by
// month and id; zero times are open ends.
func (s *Store) liveUsage(since, until time.Time) ([]usageSegment, error) {
	c, err := s.current()
	if err != nil {
		return nil, err
	}
	var out []usageSegment
	for _, month := range c.months {
		for _, u := range month {
			if (since.IsZero() || !u.MaxHour.Before(since)) && (until.IsZero() || u.MinHour.Before(until)) {
				out = append(out, u)
			}
		}
	}
	slices.SortFunc(out, func(a, b usageSegment) int {
		return cmp.Or(cmp.Compare(a.Month, b.Month), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// change is one transaction's effect on the list of files.
type change struct {
	add       []segment
	drop      []segment
	addUsage  []usageSegment
	dropUsage []usageSegment
	released  *event.BatchID  // in memory only
	releases  []event.BatchID // in lake.db only
	horizon   time.Time       // moves the horizon when set
	// also runs in the same transaction.
	also func(*sqlitedb.Tx) error
}

// commit lists and unlists files in one durable transaction, then in memory.
func (s *Store) commit(ctx context.Context, ch *change) error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	n := len(s.releasing)
	ch.releases = slices.Clone(s.releasing)
	s.mu.Unlock()
	err := s.db.Tx(ctx, func(tx *sqlitedb.Tx) error {
		if err := s.apply(tx, ch); err != nil {
			return err
		}
		return s.opt.fault("before commit")
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.list = s.list.changed(ch)
	s.releasing = slices.Delete(s.releasing, 0, n)
	s.mu.Unlock()
	return s.opt.fault("after commit")
}

// settleReleases makes the releases so far durable.
func (s *Store) settleReleases() error {
	s.mu.RLock()
	n := len(s.releasing)
	s.mu.RUnlock()
	if n == 0 {
		return nil
	}
	return s.commit(context.Background(), &change{})
}

func (s *Store) apply(tx *sqlitedb.Tx, ch *change) error {
	if _, err := tx.Exec(`UPDATE meta SET value = value + 1 WHERE key = 'generation'`); err != nil {
		return err
	}
	for i := range ch.add {
		g := &ch.add[i]
		var batch []byte
		if g.Batch != (event.BatchID{}) {
			batch = g.Batch[:]
		}
		r, err := tx.Exec(`INSERT INTO segment (path, day, rows, bytes, min_time, max_time, min_account, max_account,
			min_operation, max_operation, batch, released) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
			s.rel(g.Path), g.Day, g.Rows, g.Bytes, g.MinTime.UnixMicro(), g.MaxTime.UnixMicro(),
			g.MinAccount, g.MaxAccount, g.MinOperation, g.MaxOperation, batch, g.Released)
		if err != nil {
			return err
		}
		if g.ID, err = r.LastInsertId(); err != nil {
			return err
		}
	}
	for i := range ch.addUsage {
		u := &ch.addUsage[i]
		r, err := tx.Exec(`INSERT INTO usage_segment (path, month, rows, bytes, min_hour, max_hour, fanout) VALUES (?,?,?,?,?,?,?)`,
			s.rel(u.Path), u.Month, u.Rows, u.Bytes, u.MinHour.UnixMicro(), u.MaxHour.UnixMicro(), u.Fanout)
		if err != nil {
			return err
		}
		if u.ID, err = r.LastInsertId(); err != nil {
			return err
		}
	}
	for _, id := range ch.releases {
		if _, err := tx.Exec(`UPDATE batch SET released = 1, rest = NULL WHERE id = ?`, id[:]); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE segment SET released = 1 WHERE batch = ?`, id[:]); err != nil {
			return err
		}
	}
	now := s.opt.Now().UnixMicro()
	for _, g := range ch.drop {
		if _, err := tx.Exec(`UPDATE segment SET dropped = ? WHERE id = ?`, now, g.ID); err != nil {
			return err
		}
	}
	for _, u := range ch.dropUsage {
		if _, err := tx.Exec(`UPDATE usage_segment SET dropped = ? WHERE id = ?`, now, u.ID); err != nil {
			return err
		}
	}
	if !ch.horizon.IsZero() {
		if _, err := tx.Exec(`INSERT INTO meta VALUES ('horizon', ?1) ON CONFLICT DO UPDATE SET value = max(value, ?1)`,
			ch.horizon.UnixMicro()); err != nil {
			return err
		}
	}
	if ch.also != nil {
		return ch.also(tx)
	}
	return nil
}

func (s *Store) rel(path string) string {
	rel, err := filepath.Rel(s.dir, path)
	if err != nil {
		panic(err) // both are absolute
	}
	return rel
}

// changed is c with ch applied, sharing what did not change.
func (c catalog) changed(ch *change) catalog {
	out := catalog{generation: c.generation + 1, days: c.days, months: c.months, horizon: c.horizon}
	if ch.horizon.After(out.horizon) {
		out.horizon = ch.horizon
	}
	if len(ch.add)+len(ch.drop) > 0 || ch.released != nil {
		out.days = regrouped(c.days, ch.add, ch.drop, func(g segment) (int32, int64) { return g.Day, g.ID })
	}
	if len(ch.addUsage)+len(ch.dropUsage) > 0 {
		out.months = regrouped(c.months, ch.addUsage, ch.dropUsage, func(u usageSegment) (int32, int64) { return u.Month, u.ID })
	}
	if ch.released != nil {
		for day, list := range out.days {
			if !slices.ContainsFunc(list, func(g segment) bool { return g.Batch == *ch.released && !g.Released }) {
				continue
			}
			list = slices.Clone(list)
			for i := range list {
				if list[i].Batch == *ch.released {
					list[i].Released = true
				}
			}
			out.days[day] = list
		}
	}
	return out
}

func regrouped[T any](old map[int32][]T, add, drop []T, key func(T) (group int32, id int64)) map[int32][]T {
	out := make(map[int32][]T, len(old)+1)
	for k, v := range old {
		out[k] = v
	}
	gone := map[int64]bool{}
	touched := map[int32]bool{}
	for _, t := range drop {
		group, id := key(t)
		gone[id], touched[group] = true, true
	}
	for _, t := range add {
		group, _ := key(t)
		touched[group] = true
	}
	for group := range touched {
		var list []T
		for _, t := range old[group] {
			if _, id := key(t); !gone[id] {
				list = append(list, t)
			}
		}
		for _, t := range add {
			if g, _ := key(t); g == group {
				list = append(list, t)
			}
		}
		if len(list) == 0 {
			delete(out, group)
		} else {
			out[group] = list
		}
	}
	return out
}
