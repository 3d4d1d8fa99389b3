package triage_test

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/memory"
)

// TestRelated: what other products say of the same trouble is found by its
// principal, by any of its resources and by the keys that a record names.
func TestRelated(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const role, bucket, object = "arn:aws:iam::111122223333:role/deploy", "arn:aws:s3:::books", "arn:aws:s3:::books/a.csv"
	made := func(x finding.Trouble) finding.Occurrence {
		x.Title, x.Severity, x.Confidence, x.Reasons = "t", finding.High, 1, []finding.Reason{{Text: say.Plain("r")}}
		o := finding.Occurrence{Trouble: x, FirstSeen: noon, LastSeen: noon, Count: 1}
		o.Evidence.Add(finding.Sighting{Time: noon, UID: event.HashUID(x.Key)})
		return o
	}
	theirs := func(key, source string, x finding.Trouble) finding.Occurrence {
		x.Key, x.Kind, x.Source = key, finding.KindExternal, source
		if x.External == nil {
			x.External = &finding.External{}
		}
		x.External.Product, x.External.Given = source, finding.New
		return made(x)
	}
	store := &memory.Store{}
	err := store.Record(t.Context(), event.BatchID{1}, finding.Judged{Occurrences: []finding.Occurrence{
		made(finding.Trouble{Key: "ourskey00", Kind: finding.KindRule, Actor: role, Resource: bucket}),
		theirs("principal0", "guardduty", finding.Trouble{Actor: role, Resource: role}),
		theirs("resource00", "macie", finding.Trouble{Actor: role, Resource: object, External: &finding.External{Resources: []string{object, bucket}}}),
		theirs("stranger00", "guardduty", finding.Trouble{Actor: "arn:aws:iam::111122223333:role/other", Resource: bucket}),
		theirs("sequence00", "guardduty", finding.Trouble{Actor: "x", Related: []string{"principal0", "absent0000"}}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := func(key string, want ...string) {
		t.Helper()
		x, err := store.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		related, err := triage.Related(t.Context(), store, &x)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range related {
			if r.Why.String() == "" {
				t.Errorf("%s beside %s without a reason", r.Finding.Key, key)
			}
			got = append(got, r.Finding.Key)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", key, got, want)
			return
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %v, want %v", key, got, want)
			}
		}
	}
	f("ourskey00", "principal0", "resource00")
	f("principal0", "ourskey00", "resource00")
	f("resource00", "ourskey00", "principal0")
	f("stranger00")
	f("sequence00", "principal0") // what is not here is passed over
}
