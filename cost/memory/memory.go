// Package memory keeps bills, counts and facts in memory, for tests.
package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/yagura-sec/yagura/cost"
)

// Store is a cost.Store in memory. Its zero value is ready to use.
type Store struct {
	mu     sync.Mutex // guards all below
	bills  []held
	taking *draft // nil: none
	counts []cost.Count
	facts  []cost.Fact
}

// held is a file with its lines.
type held struct {
	file  cost.File
	lines []cost.Line
}

var _ cost.Store = (*Store)(nil)

type draft struct {
	s     *Store
	lines []cost.Line
}

// Begin is cost.Bills'.
func (s *Store) Begin(context.Context) (cost.Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taking = &draft{s: s}
	return s.taking, nil
}

// Add is cost.Draft's.
func (d *draft) Add(_ context.Context, lines []cost.Line) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.s.taking != d {
		return cost.ErrDropped
	}
	d.lines = append(d.lines, lines...)
	return nil
}

// Commit is cost.Draft's.
func (d *draft) Commit(_ context.Context, f cost.File) (cost.Settled, error) {
	s := d.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taking != d {
		return cost.Settled{}, cost.ErrDropped
	}
	s.taking = nil
	files := make([]cost.File, len(s.bills))
	for i, h := range s.bills {
		files[i] = h.file
	}
	done := cost.Settle(f, files)
	if done.Outcome != cost.Stored {
		return done, nil
	}
	for _, i := range slices.Backward(done.Replaces) {
		s.bills = slices.Delete(s.bills, i, i+1)
	}
	s.bills = append(s.bills, held{f, d.lines})
	slices.SortStableFunc(s.bills, func(a, b held) int { return strings.Compare(a.file.Name, b.file.Name) })
	return done, nil
}

// Discard is cost.Draft's.
func (d *draft) Discard(context.Context) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.s.taking == d {
		d.s.taking = nil
	}
	return nil
}

// Note is cost.Store's.
func (s *Store) Note(_ context.Context, f cost.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bills = slices.DeleteFunc(s.bills, func(h held) bool {
		return h.file.Holds == f.Holds && (h.file.Fingerprint == f.Fingerprint || h.file.Name == f.Name)
	})
	s.bills = append(s.bills, held{file: f})
	slices.SortStableFunc(s.bills, func(a, b held) int { return strings.Compare(a.file.Name, b.file.Name) })
	return nil
}

// Files is cost.Bills'.
func (s *Store) Files(context.Context) ([]cost.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]cost.File, len(s.bills))
	for i, h := range s.bills {
		out[i] = h.file
	}
	return out, nil
}

// Sums is cost.Bills'.
func (s *Store) Sums(_ context.Context, q cost.Query) ([]cost.Sum, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := cost.NewFold(q)
	for _, h := range s.bills {
		for _, l := range h.lines {
			if id, _ := cost.Security(l.Provider, l.Service, l.UsageType); q.Holds(&l, id) {
				f.Add(l, id)
			}
		}
	}
	return f.Sums(), nil
}

// TakeCounts is cost.Counts'.
func (s *Store) TakeCounts(_ context.Context, all []cost.Count) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range all {
		at, there := slices.BinarySearchFunc(s.counts, c, compareCounts)
		if there {
			s.counts[at] = c
		} else {
			s.counts = slices.Insert(s.counts, at, c)
		}
	}
	return nil
}

func compareCounts(a, b cost.Count) int {
	return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region), strings.Compare(a.ResourceType, b.ResourceType),
		a.Day.Compare(b.Day), strings.Compare(string(a.Basis), string(b.Basis)))
}

// Counts is cost.Counts'.
func (s *Store) Counts(_ context.Context, f cost.CountFilter) ([]cost.Count, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []cost.Count
	for _, c := range s.counts {
		if f.Holds(&c) {
			out = append(out, c)
		}
	}
	return out, nil
}

// TakeFacts is cost.Facts'.
func (s *Store) TakeFacts(_ context.Context, all []cost.Fact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range all {
		f.Document = slices.Clone(f.Document)
		at, there := slices.BinarySearchFunc(s.facts, f, compareFacts)
		switch {
		case !there:
			s.facts = slices.Insert(s.facts, at, f)
		case !s.facts[at].At.After(f.At):
			s.facts[at] = f
		}
	}
	return nil
}

func compareFacts(a, b cost.Fact) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region), strings.Compare(a.Name, b.Name))
}

// Facts is cost.Facts'.
func (s *Store) Facts(_ context.Context, kind, account string) ([]cost.Fact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []cost.Fact
	for _, f := range s.facts {
		if (kind == "" || f.Kind == kind) && (account == "" || f.Account == account) {
			f.Document = slices.Clone(f.Document)
			out = append(out, f)
		}
	}
	return out, nil
}
