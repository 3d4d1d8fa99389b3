package attack

import (
	"slices"
	"strings"
	"testing"
)

func TestID(t *testing.T) {
	f := func(tag, want string) {
		t.Helper()
		if got, ok := ID(tag); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v; want %q", tag, got, ok, want)
		}
	}
	f("attack.t1098.001", "T1098.001")
	f("ATTACK.T1098", "T1098")
	f("attack.t1562.008", "T1685.002")
	f("attack.t1089", "T1685")
	f("attack.defense_evasion", "TA0005")
	f("attack.defense-impairment", "TA0112")
	f("attack.ta0003", "TA0003")
	f("attack.ta9999", "")
	f("attack.g0016", "")
	f("attack.t12345", "")
	f("cve.2026-1", "")
}

func TestOutdated(t *testing.T) {
	f := func(tag string, want ...string) {
		t.Helper()
		if got := Outdated(tag); !slices.Equal(got, want) {
			t.Errorf("%s is to be %v, want %v", tag, got, want)
		}
	}
	f("attack.t1562.008", "attack.t1685.002")
	f("attack.t1193", "attack.t1566.001")
	f("attack.defense_evasion", "attack.stealth", "attack.defense-impairment")
	f("attack.credential_access", "attack.credential-access")
	f("attack.t1685.002")
	f("attack.stealth")
	f("t1562.008")
}

// What took an id's place is itself in use, and nothing stands for itself.
func TestTable(t *testing.T) {
	for old, now := range replaced {
		if replaced[now] != "" {
			t.Errorf("%s became %s, which became %s", old, now, replaced[now])
		}
		if names[old] != "" {
			t.Errorf("%s has a name although it became %s", old, now)
		}
		if !IsTechnique(strings.ToLower(old)) || !IsTechnique(strings.ToLower(now)) {
			t.Errorf("%s became %s: one is no technique", old, now)
		}
	}
	for _, id := range tactics {
		if Name(id) == "" || !IsTactic(id) {
			t.Errorf("tactic %s has no name", id)
		}
	}
}

func TestByName(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := ByName(name); got != want {
			t.Errorf("ByName(%q) = %q, want %q", name, got, want)
		}
	}
	f("account manipulation", "T1098")
	f("Valid Accounts", "T1078")
	f("no such thing", "")
}

func TestTactics(t *testing.T) {
	f := func(id string, open bool, want ...string) {
		t.Helper()
		if got, o := Tactics(id); !slices.Equal(got, want) || o != open {
			t.Errorf("%s serves %v, open %v; want %v, %v", id, got, o, want, open)
		}
	}
	f("T1098.003", false, "TA0003", "TA0004")
	f("T1078.004", true, "TA0001", "TA0003", "TA0004")
	f("T1535", true)
	f("T1685.002", false, "TA0112")
	f("T9999", false)
}

// Whatever has a name here has tactics, and only what tags can name is one.
func TestServes(t *testing.T) {
	for id := range names {
		if ids, open := Tactics(id); !IsTactic(id) && len(ids) == 0 && !open {
			t.Errorf("%s %s serves no tactic", id, Name(id))
		}
	}
	for id := range serves {
		if ids, _ := Tactics(id); slices.Contains(ids, "") {
			t.Errorf("%s serves a tactic that nothing calls so: %q", id, serves[id])
		}
	}
}
