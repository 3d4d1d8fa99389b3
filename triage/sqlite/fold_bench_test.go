package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// reported is what GuardDuty says of what varied(n) tells.
func reported(n int) finding.Occurrence {
	o := varied(n)
	o.Key, o.Kind, o.Rule, o.Source, o.LogSource = finding.Key("theirs", fmt.Sprint(n)), finding.KindExternal, "", "guardduty", "aws.guardduty"
	o.Resource, o.Anomaly, o.Attack = o.Actor, nil, nil
	o.External = &finding.External{Product: "GuardDuty", UID: fmt.Sprint(n), Type: "CredentialAccess:IAMUser/AnomalousBehavior", Given: finding.New, At: o.LastSeen}
	return o
}

// BenchmarkFolded: 80,000 findings of ours, and of 20,000 of them GuardDuty's too.
func BenchmarkFolded(b *testing.B) {
	ctx := b.Context()
	s := crowded(b, 80_000)
	began := time.Now()
	for i := 0; i < 20_000; i += 100 {
		var os []finding.Occurrence
		for k := range 100 {
			os = append(os, reported(4*(i+k)))
		}
		if err := s.Record(ctx, batchID(1_000_000+i), finding.Judged{Occurrences: os}); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("20,000 findings of another product are recorded in %v", time.Since(began))
	all, err := s.Count(ctx, triage.Filter{Folded: true})
	if err != nil {
		b.Fatal(err)
	}
	shown, err := s.Count(ctx, triage.Filter{})
	if err != nil || all != 100_000 || shown > 85_000 {
		b.Fatalf("%d of %d are shown, %v", shown, all, err)
	}
	b.Logf("%d of %d are shown", shown, all)
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if page, _, err := s.List(ctx, triage.Filter{Limit: 50}); err != nil || len(page) != 50 {
				b.Fatal(len(page), err)
			}
		}
	})
	b.Run("facets", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Facets(ctx, triage.Filter{}, 20); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decide", func(b *testing.B) {
		page, _, err := s.List(ctx, triage.Filter{Limit: 1, Scope: scopeOf(b, "source:guardduty source:yagura")})
		if err != nil || len(page) != 1 || len(page[0].Also) == 0 {
			b.Fatal(page, err)
		}
		at := start
		for b.Loop() {
			at = at.Add(time.Second)
			if _, err := s.Decide(ctx, page[0].Key, finding.Decision{At: at, By: "ann", Status: finding.InProgress}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFoldedCrowd: one operation is a finding more of a product about a
// principal of whom it and we have said a thousand things within the hour.
func BenchmarkFoldedCrowd(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	var os []finding.Occurrence
	add := func(n int, o finding.Occurrence) {
		o.Actor, o.Account, o.Severity = "arn:aws:iam::111122223333:role/app", "111122223333", finding.High
		if o.External != nil {
			o.Resource = o.Actor
		}
		o.FirstSeen = start.Add(time.Duration(n) * time.Second)
		o.LastSeen = o.FirstSeen
		o.Evidence = finding.Evidence{First: []finding.Sighting{{Time: o.FirstSeen, UID: o.Evidence.First[0].UID}}}
		os = append(os, o)
	}
	for n := range 500 {
		add(n, varied(n))
		add(n, reported(n))
	}
	if err := s.Record(b.Context(), batchID(1), finding.Judged{Occurrences: os}); err != nil {
		b.Fatal(err)
	}
	n := 1000
	for b.Loop() {
		os = nil
		n++
		add(n, reported(n))
		if err := s.Record(b.Context(), batchID(n), finding.Judged{Occurrences: os}); err != nil {
			b.Fatal(err)
		}
	}
}

func scopeOf(b *testing.B, text string) finding.Scope {
	b.Helper()
	x, err := finding.ParseScope(text)
	if err != nil {
		b.Fatal(err)
	}
	return x
}
