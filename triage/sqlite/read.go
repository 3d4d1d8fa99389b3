package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// List is triage.Reader's.
func (s *Store) List(ctx context.Context, x triage.Filter) (page []finding.Finding, next string, err error) {
	keys, next, err := s.page(ctx, x)
	if err != nil {
		return nil, "", err
	}
	if page, err = s.findings(ctx, keys); err != nil {
		return nil, "", fmt.Errorf("list findings: %w", err)
	}
	return page, next, nil
}

// page gives the keys of a page and the cursor of the next.
func (s *Store) page(ctx context.Context, x triage.Filter) (keys []string, next string, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return nil, "", err
	}
	var after *triage.Place
	if x.Cursor != "" {
		p, err := triage.ParseCursor(x.Cursor, x.Sort)
		if err != nil {
			return nil, "", err
		}
		after = &p
	}
	now, err := s.current(ctx)
	if err != nil {
		return nil, "", err
	}
	i := now.index
	i.mu.RLock()
	defer i.mu.RUnlock()
	rows := i.page(i.choose(&x), &x, after)
	if x.Limit > 0 && len(rows) > x.Limit {
		rows = rows[:x.Limit]
		next = i.place(rows[x.Limit-1], x.Sort).Cursor()
	}
	keys = make([]string, len(rows))
	for n, row := range rows {
		keys[n] = i.keys[row]
	}
	return keys, next, nil
}

// hidden tells of a row of listed whether its rule is on trial or was retired.
const hidden = `listed.rule IN (SELECT rule FROM stage WHERE latest AND hidden)`

const chunk = 100 // keys in a query

// byKeys reads so many findings.
var byKeys = `SELECT finding.key, batch, hunter, since, until, finding.rule, finding.first, finding.last, finding.count, trouble, evidence, demoted, ` + hidden + `, decisions, facts
	FROM finding JOIN listed USING (key) WHERE finding.key IN (?` + strings.Repeat(", ?", chunk-1) + `)`

// findings reads those of the keys in their order. One that went since the keys
// were looked up is left out.
func (s *Store) findings(ctx context.Context, keys []string) ([]finding.Finding, error) {
	known, err := s.knownNow(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]finding.Finding, 0, len(keys))
	for part := range slices.Chunk(keys, chunk) {
		args := make([]any, chunk)
		for i := range args {
			args[i] = part[min(i, len(part)-1)]
		}
		found, err := s.read(ctx, known, byKeys, args)
		if err != nil {
			return nil, err
		}
		for _, key := range part {
			if f, there := found[key]; there {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// read gives the findings of a query such as byKeys.
func (s *Store) read(ctx context.Context, known *finding.Known, query string, args []any) (map[string]finding.Finding, error) {
	ask := func(text string, args ...any) (*sql.Rows, error) { return s.db.Read().QueryContext(ctx, text, args...) }
	rows, err := ask(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type row struct {
		sum             finding.Occurrence
		demoted, staged bool
		by              []string // exceptions and windows that account for it
	}
	var found []row
	var decided []string
	for rows.Next() {
		var x row
		var decisions int
		var facts sql.RawBytes
		if err := scanOccurrence(rows.Scan, &x.sum, &x.demoted, &x.staged, &decisions, &facts); err != nil {
			return nil, err
		}
		e := entry{key: x.sum.Key}
		if err := e.setFacts(facts); err != nil {
			return nil, err
		}
		if x.by, err = unpack(e.texts[columnOf["explained_by"]], nil); err != nil {
			return nil, err
		}
		found = append(found, x)
		if decisions > 0 {
			decided = append(decided, x.sum.Key)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	decisions, err := decisionsOf(ask, decided)
	if err != nil {
		return nil, err
	}
	of := make(map[string]*finding.Finding, len(found))
	for _, x := range found {
		f := finding.Of(x.sum, decisions[x.sum.Key], only(known, x.by))
		f.Demoted, f.Staged = x.demoted, x.staged
		of[f.Key] = &f
	}
	if err := foldedOf(ask, of); err != nil {
		return nil, err
	}
	out := make(map[string]finding.Finding, len(found))
	for key, f := range of {
		out[key] = *f
	}
	return out, nil
}

// only is what is known with the exceptions of those ids alone: of a finding
// that was written it is known which they are.
func only(known *finding.Known, ids []string) *finding.Known {
	out := *known
	out.Exceptions = nil
	if len(ids) == 0 {
		return &out
	}
	for _, x := range known.Exceptions {
		if slices.Contains(ids, x.ID) {
			out.Exceptions = append(out.Exceptions, x)
		}
	}
	return &out
}

// Get is triage.Reader's.
func (s *Store) Get(ctx context.Context, key string) (finding.Finding, error) {
	found, err := s.findings(ctx, []string{key})
	if err == nil && len(found) == 0 && len(key) >= triage.PrefixLength {
		var keys []string
		if keys, err = s.keysOf(ctx, key); err == nil && len(keys) == 1 {
			found, err = s.findings(ctx, keys)
		}
	}
	if err != nil {
		return finding.Finding{}, fmt.Errorf("read finding %s: %w", key, err)
	}
	if len(found) != 1 {
		return finding.Finding{}, triage.ErrNotFound
	}
	return found[0], nil
}

// keysOf gives up to two keys that begin so.
func (s *Store) keysOf(ctx context.Context, prefix string) (keys []string, err error) {
	// Keys are valid UTF-8, which has no byte 0xff.
	rows, err := s.db.Read().QueryContext(ctx, `SELECT key FROM finding WHERE key >= ? AND key < ? LIMIT 2`, prefix, prefix+"\xff")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// ceilMicros is the first microsecond not before t: stored times are whole ones.
func ceilMicros(t time.Time) int64 {
	m := t.UnixMicro()
	if t.Nanosecond()%1000 > 0 {
		m++
	}
	return m
}
