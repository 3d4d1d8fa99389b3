package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/triage"
)

// Decision is triage.Decisions's.
func (s *Store) Decision(ctx context.Context, id string) (decision.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.standing(id)
	if d == nil {
		return decision.Decision{}, fmt.Errorf("decision %s: %w", id, triage.ErrUnknown)
	}
	return d.Copy(), ctx.Err()
}

// standing is a decision as it stands, nil where there is none; s.mu is held.
func (s *Store) standing(id string) *decision.Decision {
	for _, c := range slices.Backward(s.waiting) {
		if c.ID == id {
			return c.After
		}
	}
	return nil
}

// Decisions is triage.Decisions's.
func (s *Store) Decisions(ctx context.Context) ([]decision.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []decision.Decision
	seen := map[string]bool{}
	for _, c := range slices.Backward(s.waiting) {
		if !seen[c.ID] {
			seen[c.ID] = true
			out = append(out, c.After.Copy())
		}
	}
	triage.SortDecisions(out)
	return out, ctx.Err()
}

// PutDecision is triage.Decisions's.
func (s *Store) PutDecision(ctx context.Context, d decision.Decision, e triage.Edit) (decision.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, changed, err := triage.PrepareStanding(d, s.standing(d.ID), e)
	if err != nil {
		return decision.Decision{}, err
	}
	s.keepDecision(c, changed)
	return c.After.Copy(), ctx.Err()
}

// Reopen is triage.Decisions's.
func (s *Store) Reopen(ctx context.Context, id string, why []decision.Reopening, e triage.Edit) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.standing(id)
	if old == nil {
		return false, fmt.Errorf("decision %s: %w", id, triage.ErrUnknown)
	}
	c, changed, err := triage.PrepareReopening(*old, why, e)
	if err != nil {
		return false, err
	}
	s.keepDecision(c, changed)
	return changed, ctx.Err()
}

// keepDecision keeps a change; s.mu is held.
func (s *Store) keepDecision(c triage.PreparedDecision, changed bool) {
	if changed {
		s.waiting = append(s.waiting, c.Change)
		s.log(c.Line)
	}
}

// DecisionHistory is triage.Decisions's.
func (s *Store) DecisionHistory(ctx context.Context, id string) ([]decision.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []decision.Change
	for _, c := range slices.Backward(s.waiting) {
		if id == "" || c.ID == id {
			out = append(out, c)
		}
	}
	return out, ctx.Err()
}
