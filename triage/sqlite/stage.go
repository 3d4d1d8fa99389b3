package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// Stages is triage.Stager's.
func (s *Store) Stages(ctx context.Context) ([]finding.Stage, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT stage FROM stage ORDER BY rule, id DESC`)
	if err != nil {
		return nil, fmt.Errorf("read trials: %w", err)
	}
	defer rows.Close()
	var out []finding.Stage
	for rows.Next() {
		var text sql.RawBytes
		var x finding.Stage
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read trials: %w", err)
		}
		if err := json.Unmarshal(text, &x); err != nil {
			return nil, fmt.Errorf("read trials: %w", err)
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

// SetStage is triage.Stager's.
func (s *Store) SetStage(ctx context.Context, x finding.Stage, at time.Time) error {
	x, err := triage.PrepareStage(x, at)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(r *recording) error { return r.setStage(x, at) })
	if err != nil {
		return fmt.Errorf("set rule %s to %s: %w", x.Rule, x.State, err)
	}
	return nil
}

func (r *recording) setStage(x finding.Stage, at time.Time) error {
	t := r.t
	var id int64
	var text string
	var latest finding.Stage
	err := t.Scan(`SELECT id, stage FROM stage WHERE rule = ? ORDER BY id DESC LIMIT 1`, []any{x.Rule}, &id, &text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &latest)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	on := latest.State == finding.Staged
	begins := x.State == finding.Staged
	switch {
	case begins && on:
		return fmt.Errorf("it is on trial already, since %s", latest.Since.Format(time.RFC3339))
	case !begins && !on:
		return fmt.Errorf("it is not on trial: %w", triage.ErrNotFound)
	case !begins:
		x.Since, x.Days = latest.Since, latest.Days
	}
	now, err := json.Marshal(x)
	if err != nil {
		return err
	}
	if begins {
		if _, err := t.Exec(`UPDATE stage SET latest = 0 WHERE rule = ?`, x.Rule); err != nil {
			return err
		}
		_, err = t.Exec(`INSERT INTO stage (rule, latest, hidden, stage) VALUES (?, 1, ?, ?)`, x.Rule, x.Hidden(), string(now))
	} else {
		_, err = t.Exec(`UPDATE stage SET hidden = ?, stage = ? WHERE id = ?`, x.Hidden(), string(now), id)
	}
	if err != nil {
		return err
	}
	r.hide = map[string]bool{x.Rule: x.Hidden()}
	return r.log(triage.StageLine(x, at))
}
