package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// applied is what was applied for.
type applied struct {
	entries map[string]register.Entry
	changes map[string][]register.Change // by project, as they were made
	files   map[string]bool              // by digest
}

// Registered is triage.Registrar's.
func (s *Store) Registered(ctx context.Context, project string) (register.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, there := s.applied.entries[project]
	if !there {
		return e, fmt.Errorf("project %s: %w", project, triage.ErrUnknown)
	}
	return e, ctx.Err()
}

// Register is triage.Registrar's.
func (s *Store) Register(ctx context.Context, f triage.RegisterFilter) (page []register.Entry, next string, total int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []register.Entry
	for _, project := range slices.Sorted(maps.Keys(s.applied.entries)) {
		all = append(all, s.applied.entries[project])
	}
	page, next, total = f.Page(all)
	return page, next, total, ctx.Err()
}

// PutEntries is triage.Registrar's.
func (s *Store) PutEntries(ctx context.Context, entries []register.Entry, e triage.Edit) (triage.Edited, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes, done, err := triage.PrepareEntries(entries, e, func(project string) *register.Entry {
		if old, there := s.applied.entries[project]; there {
			return &old
		}
		return nil
	})
	if err != nil {
		return triage.Edited{}, err
	}
	if e.File != "" {
		s.log(triage.ImportLine(e, done))
		if s.applied.files == nil {
			s.applied.files = map[string]bool{}
		}
		s.applied.files[e.Digest] = true
	}
	done.Touched = s.registered(changes)
	return done, ctx.Err()
}

// RemoveEntry is triage.Registrar's.
func (s *Store) RemoveEntry(ctx context.Context, project string, e triage.Edit) (touched int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, there := s.applied.entries[project]
	if !there {
		return 0, fmt.Errorf("project %s: %w", project, triage.ErrUnknown)
	}
	c, err := triage.PrepareRemoval(was, e)
	if err != nil {
		return 0, err
	}
	return s.registered([]triage.PreparedEntry{c}), ctx.Err()
}

// registered keeps changes, and says how many findings they change; s.mu is held.
func (s *Store) registered(changes []triage.PreparedEntry) (touched int) {
	next := applied{maps.Clone(s.applied.entries), s.applied.changes, s.applied.files}
	if next.entries == nil {
		next.entries, next.changes = map[string]register.Entry{}, map[string][]register.Change{}
	}
	for _, c := range changes {
		if c.After == nil {
			delete(next.entries, c.Project)
		} else {
			next.entries[c.Project] = *c.After
		}
		next.changes[c.Project] = append(next.changes[c.Project], c.Change)
		s.log(c.Line)
	}
	s.applied = next
	known := s.known
	known.Register = next.entries
	return s.know(known)
}

// accept sees to it that what was decided about a finding counts for others that
// are the same; s.mu is held.
func (s *Store) accept(key string) {
	f, there := s.findings()[key]
	if !there {
		return
	}
	at := func(a finding.Acceptance) bool { return a.Key == key }
	var old *finding.Acceptance
	if i := slices.IndexFunc(s.known.Accepted, at); i >= 0 {
		old = &s.known.Accepted[i]
	}
	is := finding.AcceptanceOf(&f, old)
	if is == old {
		return
	}
	all := slices.DeleteFunc(slices.Clone(s.known.Accepted), at)
	if is != nil {
		all = append(all, *is)
		slices.SortFunc(all, func(a, b finding.Acceptance) int { return strings.Compare(a.Key, b.Key) })
	}
	s.known.Accepted = all
}

// RegisterHistory is triage.Registrar's.
func (s *Store) RegisterHistory(ctx context.Context, project string) ([]register.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.applied.changes[project])
	slices.Reverse(out)
	return out, ctx.Err()
}

// Imported is triage.Registrar's.
func (s *Store) Imported(ctx context.Context, digest string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applied.files[digest], ctx.Err()
}
