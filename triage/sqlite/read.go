package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/triage"
)

// List is triage.Reader's.
func (s *Store) List(ctx context.Context, x triage.Filter) (page []finding.Finding, next string, err error) {
	where, args, err := conditions(&x)
	if err != nil {
		return nil, "", err
	}
	tail := ` WHERE ` + where + ` ORDER BY priority DESC, last DESC, key`
	if x.Limit > 0 {
		tail += ` LIMIT ?`
		args = append(args, x.Limit+1) // one more tells whether there is a next page
	}
	page, err = s.findings(ctx, tail, args...)
	if err != nil {
		return nil, "", fmt.Errorf("list findings: %w", err)
	}
	if x.Limit > 0 && len(page) > x.Limit {
		page = page[:x.Limit]
		next = triage.PlaceOf(&page[x.Limit-1], x.Sort).Cursor()
	}
	return page, next, nil
}

// conditions are x as SQL; they choose what x.Match does.
func conditions(x *triage.Filter) (where string, args []any, err error) {
	conds := []string{"1"}
	add := func(cond string, values ...any) {
		conds = append(conds, cond)
		args = append(args, values...)
	}
	if x.Severity != "" {
		add("severity >= ?", x.Severity.Rank())
	}
	if len(x.Status) > 0 {
		add("status IN (?" + strings.Repeat(", ?", len(x.Status)-1) + ")")
		for _, status := range x.Status {
			args = append(args, string(status))
		}
	}
	for _, equal := range []struct{ column, value string }{
		{"rule", x.Rule}, {"account", x.Account}, {"actor", x.Actor}, {"resource", x.Resource},
	} {
		if equal.value != "" {
			add(equal.column+" = ?", equal.value)
		}
	}
	if x.Kind != "" {
		add("(kind = ? OR substr(kind, 1, ?) = ?)", string(x.Kind), utf8.RuneCountInString(string(x.Kind))+1, string(x.Kind)+".")
	}
	if x.Unexplained {
		add("json_extract(trouble, '$.explained_by') IS NULL")
	}
	if x.Text != "" {
		add("instr(text, ?) > 0", strings.ToLower(x.Text))
	}
	if !x.Since.IsZero() {
		add("last >= ?", ceilMicros(x.Since))
	}
	if !x.Until.IsZero() {
		add("last < ?", ceilMicros(x.Until))
	}
	if !x.Demoted {
		add("NOT demoted")
	}
	if !x.Staged {
		add("NOT " + hidden)
	}
	if x.Cursor != "" {
		p, err := triage.ParseCursor(x.Cursor, x.Sort)
		if err != nil {
			return "", nil, err
		}
		last := p.LastSeen.UnixMicro()
		// The first term bounds the walk along the index.
		add("priority <= ? AND (priority < ? OR last < ? OR last = ? AND key > ?)", p.Priority, p.Priority, last, last, p.Key)
	}
	return strings.Join(conds, " AND "), args, nil
}

// hidden tells of a finding whether its rule is on trial or was retired.
const hidden = `finding.rule IN (SELECT rule FROM stage WHERE latest AND hidden)`

// findings reads those that the tail of a query chooses, in its order.
func (s *Store) findings(ctx context.Context, tail string, args ...any) ([]finding.Finding, error) {
	query := func(text string, args ...any) (*sql.Rows, error) { return s.db.Read().QueryContext(ctx, text, args...) }
	rows, err := query(`SELECT `+occurrenceColumns+`, demoted, `+hidden+`, decisions FROM finding`+tail, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type row struct {
		sum             finding.Occurrence
		demoted, staged bool
	}
	var found []row
	var decided []string
	for rows.Next() {
		var x row
		var decisions int
		if err := scanOccurrence(rows.Scan, &x.sum, &x.demoted, &x.staged, &decisions); err != nil {
			return nil, err
		}
		found = append(found, x)
		if decisions > 0 {
			decided = append(decided, x.sum.Key)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	decisions, err := decisionsOf(query, decided)
	if err != nil {
		return nil, err
	}
	out := make([]finding.Finding, len(found))
	for i, x := range found {
		out[i] = finding.Of(x.sum, decisions[x.sum.Key], nil)
		out[i].Demoted, out[i].Staged = x.demoted, x.staged
	}
	return out, nil
}

// Get is triage.Reader's.
func (s *Store) Get(ctx context.Context, key string) (finding.Finding, error) {
	found, err := s.findings(ctx, ` WHERE key = ?`, key)
	if err == nil && len(found) == 0 && len(key) >= triage.PrefixLength {
		// Keys are valid UTF-8, which has no byte 0xff.
		found, err = s.findings(ctx, ` WHERE key >= ? AND key < ? LIMIT 2`, key, key+"\xff")
	}
	if err != nil {
		return finding.Finding{}, fmt.Errorf("read finding %s: %w", key, err)
	}
	if len(found) != 1 {
		return finding.Finding{}, triage.ErrNotFound
	}
	return found[0], nil
}

// Decide is triage.Decider's.
func (s *Store) Decide(ctx context.Context, key string, d finding.Decision) (finding.Finding, error) {
	d, err := triage.PrepareDecision(d)
	if err != nil {
		return finding.Finding{}, err
	}
	f, err := s.Get(ctx, key)
	if err != nil {
		return finding.Finding{}, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return finding.Finding{}, fmt.Errorf("decide about %s: %w", f.Key, err)
	}
	err = s.db.Tx(ctx, func(t *sqlitedb.Tx) error {
		r := newRecording(t)
		if _, err := t.Exec(`INSERT INTO decision (key, decision) VALUES (?, ?)`, f.Key, string(text)); err != nil {
			return err
		}
		var sum finding.Occurrence
		var decisions int
		found, err := r.one(`SELECT `+occurrenceColumns+`, decisions FROM finding WHERE key = ?`, f.Key, &sum, &decisions)
		if err != nil {
			return err
		}
		if !found {
			return triage.ErrNotFound // it went since it was looked up
		}
		return r.put(&sum, decisions+1)
	})
	if err != nil {
		return finding.Finding{}, fmt.Errorf("decide about %s: %w", f.Key, err)
	}
	return s.Get(ctx, f.Key)
}

// ceilMicros is the first microsecond not before t: stored times are whole ones.
func ceilMicros(t time.Time) int64 {
	m := t.UnixMicro()
	if t.Nanosecond()%1000 > 0 {
		m++
	}
	return m
}
