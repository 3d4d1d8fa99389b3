// Package memory is a triage that forgets everything at the end: for tests, and
// the plain counterpart that the other engines are held against. It folds every
// finding anew whenever it is asked.
package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// Store is a triage in memory. The zero Store is ready to use.
type Store struct {
	// Expand tells when windows repeat; nil: those that do are refused.
	Expand triage.Expand

	mu        sync.Mutex // guards everything below
	seq       int64      // grows with every recording
	batches   map[event.BatchID]judged
	hunters   map[string]map[seen]finding.Occurrence
	counts    map[finding.MatchCount]int64 // of hunts, with Matches 0
	covered   map[ruleDay]int64            // by hunts: what batches up to this seq say of it counts no more
	marks     map[finding.Mark]int64       // seq, by marks with Seq 0
	decisions map[string][]finding.Decision
	stages    []finding.Stage         // in the order they were begun
	notes     map[finding.Mark][]byte // of hunters and days
	known     finding.Known
	audit     []finding.AuditLine
	views     []finding.View
	applied   applied
	waiting   []decision.Change // of decisions that stand, as they were made
}

// judged is what was last said of a batch, and when something first was.
type judged struct {
	finding.Judged
	seq int64
}

type seen struct {
	key  string
	hour time.Time
}

type ruleDay struct {
	rule string
	day  time.Time
}

var _ triage.Store = (*Store)(nil)

// Close does nothing.
func (s *Store) Close() error { return nil }

// Record is triage.Recorder's.
func (s *Store) Record(ctx context.Context, batch event.BatchID, j finding.Judged) error {
	j, err := triage.Prepare(batch, j)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.batches == nil {
		s.batches, s.marks = map[event.BatchID]judged{}, map[finding.Mark]int64{}
	}
	s.seq++
	first := s.seq
	if before, known := s.batches[batch]; known {
		first = before.seq
	}
	s.batches[batch] = judged{j, first}
	for _, m := range j.Marks {
		s.marks[m] = s.seq
	}
	return ctx.Err()
}

// says tells whether what a batch says of a rule and day does, or whether a
// hunt has the word.
func (s *Store) says(j judged, rule string, day time.Time) bool {
	return j.seq > s.covered[ruleDay{rule, day}]
}

// tallies of every rule and day; s.mu is held.
func (s *Store) tallies() []finding.Tally {
	events, matches := map[finding.SourceCount]int64{}, map[finding.MatchCount]int64{}
	for _, j := range s.batches {
		for _, c := range j.Sources {
			events[finding.SourceCount{LogSource: c.LogSource, Day: c.Day}] += c.Events
		}
		for _, c := range j.Matches {
			if s.says(j, c.Rule, c.Day) {
				matches[finding.MatchCount{Rule: c.Rule, LogSource: c.LogSource, Day: c.Day}] += c.Matches
			}
		}
	}
	for c, n := range s.counts {
		matches[c] += n
	}
	var out []finding.Tally
	for at, n := range matches {
		out = append(out, finding.Tally{Rule: at.Rule, LogSource: at.LogSource, Day: at.Day, Matches: n,
			Events: events[finding.SourceCount{LogSource: at.LogSource, Day: at.Day}]})
	}
	slices.SortFunc(out, func(a, b finding.Tally) int {
		return cmp.Or(a.Day.Compare(b.Day), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.LogSource, b.LogSource))
	})
	return out
}

// findings are all of them, by key; s.mu is held.
func (s *Store) findings() map[string]finding.Finding { return s.findingsAs(&s.known) }

// findingsAs is findings if that were known; s.mu is held.
func (s *Store) findingsAs(known *finding.Known) map[string]finding.Finding {
	byKey := map[string][]finding.Occurrence{}
	for _, j := range s.batches {
		for _, o := range j.Occurrences {
			if s.says(j, o.Rule, o.Since) {
				byKey[o.Key] = append(byKey[o.Key], o)
			}
		}
	}
	for _, said := range s.hunters {
		for _, o := range said {
			byKey[o.Key] = append(byKey[o.Key], o)
		}
	}
	known = s.planned(known, byKey)
	byRule := map[string][]finding.Tally{}
	for _, t := range s.tallies() {
		byRule[t.Rule] = append(byRule[t.Rule], t)
	}
	out := make(map[string]finding.Finding, len(byKey))
	for key, all := range byKey {
		f := finding.Of(finding.Sum(all, known), slices.Clone(s.decisions[key]), known)
		f.Demoted = finding.Demoted(&f, byRule[f.Rule])
		if i := s.stageOf(f.Rule); i >= 0 {
			f.Staged = s.stages[i].Hidden()
		}
		out[key] = f
	}
	triage.Fold(out)
	return out
}

// planned is what is known with repeating windows expanded as far as there are
// events.
func (s *Store) planned(known *finding.Known, byKey map[string][]finding.Occurrence) *finding.Known {
	var last time.Time
	for _, all := range byKey {
		for _, o := range all {
			if o.LastSeen.After(last) {
				last = o.LastSeen
			}
		}
	}
	out := *known
	out.Windows = slices.Clone(known.Windows)
	for i := range out.Windows {
		// It was expanded when it was set; one that cannot be any more explains
		// nothing.
		_ = triage.PlanWindow(&out.Windows[i], last.Add(triage.Ahead), s.Expand)
	}
	return &out
}

// List is triage.Reader's.
func (s *Store) List(ctx context.Context, x triage.Filter) (page []finding.Finding, next string, err error) {
	if err := triage.CheckSort(x.Sort); err != nil {
		return nil, "", err
	}
	var after triage.Place
	if x.Cursor != "" {
		if after, err = triage.ParseCursor(x.Cursor, x.Sort); err != nil {
			return nil, "", err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.findings() {
		if x.Match(&f) && (x.Cursor == "" || after.Compare(triage.PlaceOf(&f, x.Sort)) < 0) {
			page = append(page, f)
		}
	}
	slices.SortFunc(page, func(a, b finding.Finding) int { return triage.PlaceOf(&a, x.Sort).Compare(triage.PlaceOf(&b, x.Sort)) })
	if x.Limit > 0 && len(page) > x.Limit {
		page = page[:x.Limit]
		next = triage.PlaceOf(&page[x.Limit-1], x.Sort).Cursor()
	}
	return page, next, ctx.Err()
}

// Get is triage.Reader's.
func (s *Store) Get(ctx context.Context, key string) (finding.Finding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(ctx, key)
}

func (s *Store) get(ctx context.Context, key string) (finding.Finding, error) {
	all := s.findings()
	if f, ok := all[key]; ok {
		return f, ctx.Err()
	}
	var found []finding.Finding
	if len(key) >= triage.PrefixLength {
		for k := range maps.Keys(all) {
			if strings.HasPrefix(k, key) {
				found = append(found, all[k])
			}
		}
	}
	if len(found) != 1 {
		return finding.Finding{}, triage.ErrNotFound
	}
	return found[0], ctx.Err()
}

// Counters is triage.Reader's.
func (s *Store) Counters(ctx context.Context) ([]finding.Tally, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(s.tallies(), func(t finding.Tally) bool { return !t.Demoted() }), ctx.Err()
}

// Decide is triage.Decider's.
func (s *Store) Decide(ctx context.Context, key string, d finding.Decision) (finding.Finding, error) {
	d, err := triage.PrepareDecision(d)
	if err != nil {
		return finding.Finding{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.get(ctx, key)
	if err != nil {
		return finding.Finding{}, err
	}
	if len(f.Also) > 0 {
		d = triage.DecidedTogether(f.Key, d)
	}
	if _, err := s.decideWhole(ctx, &f, d); err != nil {
		return finding.Finding{}, err
	}
	return s.get(ctx, f.Key)
}

// decideWhole decides about a finding and what is folded into it; s.mu is held.
func (s *Store) decideWhole(ctx context.Context, f *finding.Finding, d finding.Decision) (kept bool, err error) {
	if d.Undoes == "" && len(f.Also) > 0 {
		all := s.findings()
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if also := all[key]; also.Folded == f.Key {
				if _, err = s.decide(&also, triage.OneOf(d, key)); err != nil {
					return false, err
				}
			}
		}
	}
	return s.decide(f, d)
}

// decide keeps a decision unless it is there already; s.mu is held.
func (s *Store) decide(f *finding.Finding, d finding.Decision) (kept bool, err error) {
	d.Name(f.Key)
	if err := triage.CheckUndo(f, d); err != nil {
		return false, err
	}
	if slices.ContainsFunc(f.Decisions, func(x finding.Decision) bool { return x.ID == d.ID }) {
		return false, nil
	}
	if s.decisions == nil {
		s.decisions = map[string][]finding.Decision{}
	}
	s.decisions[f.Key] = append(s.decisions[f.Key], d)
	s.log(triage.DecisionLine(f.Key, d))
	s.accept(f.Key)
	return true, nil
}
