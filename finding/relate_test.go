package finding

import (
	"testing"
	"time"
)

func TestRelate(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	made := func(f Finding) Finding {
		if f.FirstSeen.IsZero() {
			f.FirstSeen, f.LastSeen = noon, noon
		}
		return f
	}
	f := func(a, b Finding, want string) {
		t.Helper()
		a, b = made(a), made(b)
		got := ""
		if r := Relate(&a, []Finding{b}); len(r) > 0 {
			got = r[0].Why.String()
		}
		if got != want {
			t.Errorf("%s and %s: %q, want %q", a.Key, b.Key, got, want)
		}
		if back := Relate(&b, []Finding{a}); (len(back) > 0) != (want != "") {
			t.Errorf("%s and %s are related one way only", a.Key, b.Key)
		}
	}
	const role, bucket = "arn:aws:iam::111122223333:role/deploy", "arn:aws:s3:::books"
	ours := Finding{Trouble: Trouble{Key: "ours", Kind: KindRule, Actor: role, Resource: bucket, Attack: []Attack{{ID: "T1530"}}}}
	theirs := func(key, actor, resource string, change ...func(*Finding)) Finding {
		x := Finding{Trouble: Trouble{Key: key, Kind: KindExternal, Source: "guardduty", Actor: actor, Resource: resource, External: &External{Product: "GuardDuty", Given: New}}}
		for _, c := range change {
			c(&x)
		}
		return x
	}
	at := func(d time.Duration) func(*Finding) {
		return func(f *Finding) { f.FirstSeen, f.LastSeen = noon.Add(d), noon.Add(d) }
	}
	attack := func(f *Finding) { f.Attack = []Attack{{ID: "T1530"}} }
	f(ours, theirs("a", role, bucket), "the same principal and resource at about the same time")
	f(ours, theirs("a", role, bucket, at(50*time.Minute)), "the same principal and resource at about the same time")
	f(ours, theirs("a", role, bucket, at(5*time.Hour)), "")
	f(ours, theirs("a", role, role), "the same principal at about the same time") // GuardDuty of a principal
	f(ours, theirs("a", role, ""), "the same principal at about the same time")
	f(ours, theirs("a", role, "arn:aws:s3:::other"), "")
	f(ours, theirs("a", "", bucket), "")
	f(ours, theirs("a", "", bucket, attack), "both tell of T1530 on the same resource at about the same time")
	f(ours, theirs("a", "", bucket, attack, at(5*time.Hour)), "")
	f(ours, theirs("a", "", ""), "")
	f(ours, theirs("a", "x", "y", func(f *Finding) { f.Related = []string{"ours"} }), "GuardDuty names this one")
	// A record may be written long after what it tells of.
	f(ours, theirs("a", role, bucket, at(9*time.Hour), func(f *Finding) {
		f.External.First, f.External.Last = noon.Add(-time.Minute), noon.Add(time.Minute)
	}), "the same principal and resource at about the same time")
	// Checks of a configuration, months apart.
	config := func(f *Finding) { f.Source, f.External.State = "config", true }
	hub := func(f *Finding) { f.Source, f.External.State = "securityhub", true }
	f(theirs("a", "", bucket, config), theirs("b", "", bucket, hub, at(2000*time.Hour)), "both check how "+bucket+" is configured")
	// Of one product nothing is said to be the same but by its id.
	f(theirs("a", role, bucket), theirs("b", role, bucket), "")
	other := ours
	other.Key = "other"
	f(ours, other, "")
}
