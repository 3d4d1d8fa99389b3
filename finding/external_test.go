package finding

import (
	"testing"
	"time"
)

func TestExternalStatus(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := func(given Status, want Status, decisions ...Decision) {
		t.Helper()
		o := Occurrence{Trouble: Trouble{Key: "k", Kind: KindExternal, Severity: High, Confidence: 1,
			External: &External{Product: "GuardDuty", Given: given, At: noon}}, FirstSeen: noon, LastSeen: noon, Count: 1}
		if got := Of(o, decisions, nil); got.Status != want {
			t.Errorf("%s there, %v here: %s, want %s (%v)", given, decisions, got.Status, want, got.Reasons)
		}
	}
	decide := func(after time.Duration, s Status) Decision {
		return Decision{At: noon.Add(after), By: "ana", Status: s}
	}
	f(New, New)
	f(Suppressed, Suppressed)
	f(Resolved, Resolved)
	f(InProgress, InProgress)
	f(Suppressed, InProgress, decide(time.Hour, InProgress)) // the later word
	f(Suppressed, Suppressed, decide(-time.Hour, InProgress))
	f(Resolved, Resolved, decide(-time.Hour, New))
	f(New, New, decide(-time.Hour, Resolved)) // seen again
	f(New, Resolved, decide(time.Hour, Resolved))
	f(InProgress, Suppressed, decide(-time.Hour, Suppressed))
	f(Resolved, Resolved, decide(-time.Hour, Resolved)) // closed in both: nothing opens
}
