package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// Marks is triage.Hunts'.
func (s *Store) Marks(ctx context.Context) ([]finding.Mark, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []finding.Mark
	for m, seq := range s.marks {
		m.Seq = seq
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b finding.Mark) int {
		return cmp.Or(cmp.Compare(a.Hunter, b.Hunter), a.Hour.Compare(b.Hour))
	})
	return out, ctx.Err()
}

// RecordHunt is triage.Hunts'.
func (s *Store) RecordHunt(ctx context.Context, h finding.Hunt, upTo int64) error {
	return s.RecordHunts(ctx, []triage.Hunted{{Hunt: h, Seen: upTo}})
}

// RecordHunts is triage.Hunts'.
func (s *Store) RecordHunts(ctx context.Context, all []triage.Hunted) (err error) {
	all = slices.Clone(all)
	for i := range all {
		if all[i].Hunt, err = triage.PrepareHunt(all[i].Hunt); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range all {
		s.hunted(h.Hunt, h.Seen)
	}
	return ctx.Err()
}

// hunted records a hunt; s.mu is held.
func (s *Store) hunted(h finding.Hunt, upTo int64) {
	if s.hunters == nil {
		s.hunters, s.counts, s.covered = map[string]map[seen]finding.Occurrence{}, map[finding.MatchCount]int64{}, map[ruleDay]int64{}
	}
	if s.marks == nil {
		s.marks = map[finding.Mark]int64{}
	}
	within := func(t time.Time) bool { return !t.Before(h.Since) && t.Before(h.Until) }
	said := s.hunters[h.Hunter]
	if said == nil {
		said = map[seen]finding.Occurrence{}
		s.hunters[h.Hunter] = said
	}
	for at := range said {
		if within(at.hour) {
			delete(said, at)
		}
	}
	for _, o := range h.Occurrences {
		said[seen{o.Key, o.Since}] = o
	}
	if h.Rule != "" {
		s.cover(h)
	}
	for m, seq := range s.marks {
		if m.Hunter == h.Hunter && within(m.Hour) && seq <= upTo && !slices.ContainsFunc(h.Again, m.Hour.Equal) {
			delete(s.marks, m)
		}
	}
	for _, n := range h.Notes {
		if s.notes == nil {
			s.notes = map[finding.Mark][]byte{}
		}
		s.notes[finding.Mark{Hunter: h.Hunter, Hour: n.Day}] = bytes.Clone(n.Body)
	}
	for _, hour := range h.Again {
		if m := (finding.Mark{Hunter: h.Hunter, Hour: hour}); s.marks[m] == 0 {
			s.seq++
			s.marks[m] = s.seq
		}
	}
}

// Notes is triage.Hunts'.
func (s *Store) Notes(ctx context.Context, hunter string, since, until time.Time) ([]finding.Note, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []finding.Note
	for m, body := range s.notes {
		if m.Hunter == hunter && !m.Hour.Before(since) && m.Hour.Before(until) {
			out = append(out, finding.Note{Day: m.Hour, Body: bytes.Clone(body)})
		}
	}
	slices.SortFunc(out, func(a, b finding.Note) int { return a.Day.Compare(b.Day) })
	return out, ctx.Err()
}

// cover takes the word on the hunt's rule from batches; s.mu is held.
func (s *Store) cover(h finding.Hunt) {
	first, end := triage.WholeDays(h.Since, h.Until)
	for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
		s.covered[ruleDay{h.Rule, day}] = s.seq
	}
	for c := range s.counts {
		if c.Rule == h.Rule && !c.Day.Before(first) && c.Day.Before(end) {
			delete(s.counts, c)
		}
	}
	for _, c := range h.Matches {
		n := c.Matches
		c.Matches = 0
		s.counts[c] = n
	}
}

// stageOf is the place of a rule's latest trial, or -1; s.mu is held.
func (s *Store) stageOf(rule string) int {
	for i := len(s.stages) - 1; i >= 0; i-- {
		if s.stages[i].Rule == rule {
			return i
		}
	}
	return -1
}

// Stages is triage.Stager's.
func (s *Store) Stages(ctx context.Context) ([]finding.Stage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.stages)
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b finding.Stage) int { return cmp.Compare(a.Rule, b.Rule) })
	return out, ctx.Err()
}

// SetStage is triage.Stager's.
func (s *Store) SetStage(ctx context.Context, x finding.Stage, at time.Time) error {
	x, err := triage.PrepareStage(x, at)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.stageOf(x.Rule)
	on := i >= 0 && s.stages[i].State == finding.Staged
	switch {
	case x.State == finding.Staged && on:
		return fmt.Errorf("rule %s is on trial already, since %s", x.Rule, s.stages[i].Since.Format(time.RFC3339))
	case x.State == finding.Staged:
		s.stages = append(s.stages, x)
	case !on:
		return fmt.Errorf("rule %s is not on trial: %w", x.Rule, triage.ErrNotFound)
	default:
		x.Since, x.Days = s.stages[i].Since, s.stages[i].Days
		s.stages[i] = x
	}
	s.log(triage.StageLine(x, at))
	return ctx.Err()
}
