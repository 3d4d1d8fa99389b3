package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/triage"
)

// Decision is triage.Decisions's.
func (s *Store) Decision(ctx context.Context, id string) (d decision.Decision, err error) {
	var body string
	err = s.db.Read().QueryRowContext(ctx, `SELECT body FROM standing WHERE id = ?`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return d, fmt.Errorf("decision %s: %w", id, triage.ErrUnknown)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &d)
	}
	if err != nil {
		return d, fmt.Errorf("read decision %s: %w", id, err)
	}
	return d, nil
}

// Decisions is triage.Decisions's.
func (s *Store) Decisions(ctx context.Context) (all []decision.Decision, err error) {
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	defer tx.Rollback() // nothing was written
	if err := bodies(ctx, tx, `SELECT body FROM standing ORDER BY id`, func(d decision.Decision) { all = append(all, d) }); err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	triage.SortDecisions(all)
	return all, nil
}

// PutDecision is triage.Decisions's.
func (s *Store) PutDecision(ctx context.Context, d decision.Decision, e triage.Edit) (out decision.Decision, err error) {
	err = s.tx(ctx, func(r *recording) error {
		old, err := r.standing(d.ID)
		if err != nil {
			return err
		}
		c, changed, err := triage.PrepareStanding(d, old, e)
		if err != nil {
			return err
		}
		out = *c.After
		return r.stand(c, changed)
	})
	if err != nil {
		return decision.Decision{}, fmt.Errorf("keep decision %s: %w", d.ID, err)
	}
	return out, nil
}

// Reopen is triage.Decisions's.
func (s *Store) Reopen(ctx context.Context, id string, why []decision.Reopening, e triage.Edit) (reopened bool, err error) {
	err = s.tx(ctx, func(r *recording) error {
		old, err := r.standing(id)
		if err != nil {
			return err
		}
		if old == nil {
			return triage.ErrUnknown
		}
		c, changed, err := triage.PrepareReopening(*old, why, e)
		if err != nil {
			return err
		}
		reopened = changed
		return r.stand(c, changed)
	})
	if err != nil {
		return false, fmt.Errorf("reopen decision %s: %w", id, err)
	}
	return reopened, nil
}

// standing is a decision as it stands, nil where there is none.
func (r *recording) standing(id string) (*decision.Decision, error) {
	found, err := r.strings(`SELECT body FROM standing WHERE id = ?`, id)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var d decision.Decision
	return &d, json.Unmarshal([]byte(found[0]), &d)
}

// stand writes a change with its history and audit line.
func (r *recording) stand(c triage.PreparedDecision, changed bool) error {
	if !changed {
		return nil
	}
	if err := r.body(`INSERT OR REPLACE INTO standing VALUES (?, ?)`, c.ID, c.After); err != nil {
		return err
	}
	if err := r.body(`INSERT INTO standing_change (id, body) VALUES (?, ?)`, c.ID, c.Change); err != nil {
		return err
	}
	return r.log(c.Line)
}

// DecisionHistory is triage.Decisions's.
func (s *Store) DecisionHistory(ctx context.Context, id string) (out []decision.Change, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT body FROM standing_change WHERE ?1 = '' OR id = ?1 ORDER BY n DESC`, id)
	if err != nil {
		return nil, fmt.Errorf("read the history of decisions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body sql.RawBytes
		var c decision.Change
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read the history of decisions: %w", err)
		}
		if err := json.Unmarshal(body, &c); err != nil {
			return nil, fmt.Errorf("read the history of decisions: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}
