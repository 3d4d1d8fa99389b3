package sqlite

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

var start = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)

func occurrence(key int, at time.Time) finding.Occurrence {
	o := finding.Occurrence{
		Trouble: finding.Trouble{
			Key: finding.Key("bench", fmt.Sprint(key)), Kind: finding.KindRule, Rule: fmt.Sprint("rule-", key%40), LogSource: "aws/cloudtrail",
			Title: "Secret read by somebody new", Severity: finding.Severities[key%5], Confidence: float64(key%10) / 10,
			Actor: "arn:aws:iam::111122223333:role/payments-api", Resource: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/payments-AbCdEf",
			Account: "111122223333", Region: "eu-west-1",
			Reasons: []finding.Reason{{Kind: "selection", Text: say.Plain("api_operation is GetSecretValue, as the rule asks"), Observed: say.Plain("GetSecretValue"), Expected: say.Plain("GetSecretValue")}},
			Attack:  []finding.Attack{{ID: "T1555.006", Version: "19"}}, Next: []string{"aws secretsmanager describe-secret --secret-id prod/payments"},
		},
		FirstSeen: at, LastSeen: at, Count: 3,
	}
	for i := range 3 {
		o.Evidence.Add(finding.Sighting{Time: at, UID: event.HashUID(fmt.Sprint(key, at, i))})
	}
	return o
}

func batchID(n int) (id event.BatchID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)*0x9e3779b97f4a7c15) // spread, as hashes are
	return id
}

func judged(at time.Time, os ...finding.Occurrence) finding.Judged {
	j := finding.Judged{Occurrences: os, Sources: []finding.SourceCount{{LogSource: "aws/cloudtrail", Day: at, Events: 1000}}}
	for _, o := range os {
		j.Matches = append(j.Matches, finding.MatchCount{Rule: o.Rule, LogSource: o.LogSource, Day: at, Matches: 3})
	}
	return j
}

// One operation is a live batch of three occurrences of keys seen long since,
// full of evidence.
func BenchmarkRecordFew(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	for i := range 100 {
		at := start.Add(time.Duration(i) * time.Second)
		if err := s.Record(b.Context(), batchID(i), judged(at, occurrence(1, at), occurrence(2, at), occurrence(3, at))); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for i := range b.N {
		at := start.Add(time.Duration(1000+i) * time.Second)
		if err := s.Record(b.Context(), batchID(1000+i), judged(at, occurrence(1, at), occurrence(2, at), occurrence(3, at))); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is a batch about which there is nothing to say.
func BenchmarkRecordNothing(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	for i := range b.N {
		if err := s.Record(b.Context(), batchID(i), finding.Judged{}); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is a batch of 20,000 occurrences, each of another new key.
func BenchmarkRecord20k(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	for i := range b.N {
		var os []finding.Occurrence
		for n := range 20_000 {
			os = append(os, occurrence(i*20_000+n, start))
		}
		if err := s.Record(b.Context(), batchID(i), judged(start, os...)); err != nil {
			b.Fatal(err)
		}
	}
}

// One operation is the first, or a later, page of 50 of 100,000 findings; "all"
// reads every one.
func BenchmarkList100k(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state.db"))
	for i := range 5 {
		var os []finding.Occurrence
		for n := range 20_000 {
			os = append(os, occurrence(i*20_000+n, start.Add(time.Duration(n)*time.Second)))
		}
		if err := s.Record(b.Context(), batchID(i), finding.Judged{Occurrences: os}); err != nil {
			b.Fatal(err)
		}
	}
	list := func(x triage.Filter, want int) func(b *testing.B) {
		return func(b *testing.B) {
			for range b.N {
				page, _, err := s.List(b.Context(), x)
				if err != nil || len(page) != want {
					b.Fatal(len(page), err)
				}
			}
		}
	}
	middle := triage.Place{Number: 20, Priority: 20, LastSeen: start.Add(time.Hour), Key: "m"}.Cursor()
	b.Run("page", list(triage.Filter{Limit: 50}, 50))
	b.Run("later", list(triage.Filter{Limit: 50, Cursor: middle}, 50))
	b.Run("rare", list(triage.Filter{Limit: 50, Text: "no such text"}, 0))
	b.Run("all", list(triage.Filter{}, 100_000))
}
