package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// log writes an audit line.
func (r *recording) log(l finding.AuditLine) error {
	_, err := r.t.Exec(`INSERT INTO audit (at, by, action, subject, text) VALUES (?, ?, ?, ?, ?)`, l.At.UnixMicro(), l.By, l.Action, l.Subject, l.Text)
	return err
}

// Log is triage.Auditor's.
func (s *Store) Log(ctx context.Context, l finding.AuditLine) error {
	l, err := triage.PrepareLine(l)
	if err != nil {
		return err
	}
	if err := s.tx(ctx, func(r *recording) error { return r.log(l) }); err != nil {
		return fmt.Errorf("write an audit line: %w", err)
	}
	return nil
}

// Audit is triage.Auditor's.
func (s *Store) Audit(ctx context.Context, x triage.AuditFilter) (lines []finding.AuditLine, next string, err error) {
	before, err := triage.AuditCursor(x.Cursor)
	if err != nil {
		return nil, "", err
	}
	conds, args := []string{"id < ?"}, []any{before}
	add := func(cond string, values ...any) {
		conds = append(conds, cond)
		args = append(args, values...)
	}
	if !x.Since.IsZero() {
		add("at >= ?", ceilMicros(x.Since))
	}
	if !x.Until.IsZero() {
		add("at < ?", ceilMicros(x.Until))
	}
	if x.By != "" {
		add("by = ?", x.By)
	}
	if x.Subject != "" {
		add("subject = ?", x.Subject)
	}
	if x.Action != "" {
		add("(action = ? OR substr(action, 1, ?) = ?)", x.Action, utf8.RuneCountInString(x.Action)+1, x.Action+".")
	}
	query := `SELECT id, at, by, action, subject, text FROM audit WHERE ` + strings.Join(conds, " AND ") + ` ORDER BY id DESC`
	if x.Limit > 0 {
		query += ` LIMIT ?`
		args = append(args, x.Limit+1)
	}
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, "", fmt.Errorf("read the audit: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l finding.AuditLine
		var at int64
		if err := rows.Scan(&l.ID, &at, &l.By, &l.Action, &l.Subject, &l.Text); err != nil {
			return nil, "", fmt.Errorf("read the audit: %w", err)
		}
		l.At = time.UnixMicro(at).UTC()
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("read the audit: %w", err)
	}
	if x.Limit > 0 && len(lines) > x.Limit {
		lines = lines[:x.Limit]
		next = strconv.FormatInt(lines[x.Limit-1].ID, 10)
	}
	return lines, next, nil
}

// Views is triage.Views'.
func (s *Store) Views(ctx context.Context, page, who string) (out []finding.View, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT body FROM view WHERE (?1 = '' OR page = ?1) AND (shared OR owner = ?2) ORDER BY title, id`, page, who)
	if err != nil {
		return nil, fmt.Errorf("read views: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body sql.RawBytes
		var v finding.View
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read views: %w", err)
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return nil, fmt.Errorf("read views: %w", err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// SetView is triage.Views'.
func (s *Store) SetView(ctx context.Context, v finding.View) error {
	v, err := triage.PrepareView(v)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(r *recording) error {
		var owner string
		err := r.t.Scan(`SELECT owner FROM view WHERE id = ?`, []any{v.ID}, &owner)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && owner != v.Owner {
			return fmt.Errorf("%w: it is somebody else's", triage.ErrWrong)
		}
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		_, err = r.t.Exec(`INSERT OR REPLACE INTO view VALUES (?, ?, ?, ?, ?, ?)`, v.ID, v.Page, v.Owner, v.Shared, v.Title, string(body))
		return err
	})
	if err != nil {
		return fmt.Errorf("view %s: %w", v.ID, err)
	}
	return nil
}

// DeleteView is triage.Views'.
func (s *Store) DeleteView(ctx context.Context, id, who string) error {
	err := s.tx(ctx, func(r *recording) error {
		done, err := r.t.Exec(`DELETE FROM view WHERE id = ? AND owner = ?`, id, who)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, triage.ErrUnknown)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("view %s: %w", id, err)
	}
	return nil
}
