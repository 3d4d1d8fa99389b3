package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/laketest"
	"github.com/yagura-sec/yagura/lake/local"
	lakememory "github.com/yagura-sec/yagura/lake/memory"
	"github.com/yagura-sec/yagura/usage"
)

// TestSecretUse: what is kept in memory is what usage says, of all that was there
// and of what came in since.
func TestSecretUse(t *testing.T) {
	store, err := local.Open(t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := newSecretUse(&rooms{lake: store})
	m := laketest.NewMaker(3)
	add := func(name string, at time.Time, span time.Duration) []event.Event {
		b := laketest.Batch(name, "v", m.Events(800, at, span)...)
		a, err := store.Append(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		return b.Events[:len(a.New)]
	}
	add("before", laketest.Day, 40*24*time.Hour)
	if err := s.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	agrees(t, s, store)
	news := add("since", laketest.Day.AddDate(0, 0, 39), 3*24*time.Hour)
	if _, err := s.Judge(t.Context(), event.BatchID{}, news); err != nil {
		t.Fatal(err)
	}
	for {
		worked, err := s.some(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			break
		}
	}
	agrees(t, s, store)
}

// agrees holds every secret against the lake's usage.
func agrees(t *testing.T, s *secretUse, store *local.Store) {
	t.Helper()
	calls, failures, first := map[string]int64{}, map[string]int64{}, map[string]time.Time{}
	for row, err := range store.Usage(t.Context(), usage.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.APIOperation != "GetSecretValue" || row.ResourceUID == "" {
			continue
		}
		calls[row.ResourceUID] += row.Count
		if row.Outcome != event.Success {
			failures[row.ResourceUID] += row.Count
		}
		if at, ok := first[row.ResourceUID]; !ok || row.First.Before(at) {
			first[row.ResourceUID] = row.First
		}
	}
	b := s.table.Latest()
	if len(b.Secrets) != len(calls) || len(calls) < 50 {
		t.Errorf("%d secrets are known; usage has %d", len(b.Secrets), len(calls))
	}
	for _, x := range b.Secrets {
		if x.Calls != calls[x.Resource] || x.Failures != failures[x.Resource] || !x.First.Equal(first[x.Resource].Truncate(time.Second)) {
			t.Errorf("%s: %d calls, %d failures, first %s; usage has %d, %d, %s",
				x.Resource, x.Calls, x.Failures, x.First, calls[x.Resource], failures[x.Resource], first[x.Resource])
		}
	}
}

// TestComplete: values that begin with what was typed come before those that hold
// it, and nobody is shown values of other accounts.
func TestComplete(t *testing.T) {
	store := &lakememory.Store{}
	var events []event.Event
	for i, name := range []string{"deploy", "deploy", "web-deploy", "Deployer", "orders"} {
		account := "111122223333"
		if name == "Deployer" {
			account = "444455556666"
		}
		events = append(events, event.Event{UID: event.UID{byte(i)}, Time: laketest.Day, ActorName: name, AccountUID: account, Outcome: event.Success, Raw: []byte("{}")})
	}
	if _, err := store.Append(t.Context(), laketest.Batch("o", "v", events...)); err != nil {
		t.Fatal(err)
	}
	x := &explorer{lake: store, changes: func() int64 { return 0 }}
	f := func(field, prefix string, accounts, want []string) {
		t.Helper()
		got, err := x.complete(t.Context(), field, prefix, accounts, 3)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s:%s of %v gives %q, %v; want %q", field, prefix, accounts, got, err, want)
		}
	}
	f("actor_name", "dep", nil, []string{"deploy", "Deployer", "web-deploy"})
	f("actor_name", "dep", []string{"111122223333"}, []string{"deploy", "web-deploy"})
	f("actor_name", "nobody", nil, nil)
	f("outcome", "den", nil, []string{"denied", "denied_by_org_policy"}) // though there is none yet
	f("raw", "x", nil, nil)
	f("time", "2026", nil, nil)
}

// TestKeptAnswers: an answer is worked out once for all who ask, again when
// something has changed, and not kept if it went wrong.
func TestKeptAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a keptAnswers[int64]
		var worked atomic.Int64
		work := func(context.Context) (int64, error) { time.Sleep(time.Second); return worked.Add(1), nil }
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if v, err := a.get(t.Context(), "k", 0, work); v != 1 || err != nil {
					t.Errorf("%d, %v", v, err)
				}
			})
		}
		wg.Wait()
		f := func(want, changes int64) {
			t.Helper()
			if v, err := a.get(t.Context(), "k", changes, work); v != want || err != nil {
				t.Errorf("%d, %v; want %d", v, err, want)
			}
		}
		f(1, 1) // a little old is good enough
		time.Sleep(answerFresh)
		f(1, 0) // nothing has changed
		f(2, 1)
		time.Sleep(answerKept + time.Second)
		f(3, 1)
		hurried, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := a.get(hurried, "other", 0, work); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who has no time waits: %v", err)
		}
		time.Sleep(2 * time.Second)
		if v, err := a.get(t.Context(), "other", 0, work); v != 4 || err != nil { // it was worked out all the same
			t.Errorf("%d, %v", v, err)
		}
		if _, err := a.get(t.Context(), "bad", 0, func(context.Context) (int64, error) { return 0, errBroken }); !errors.Is(err, errBroken) {
			t.Error(err)
		}
		if v, err := a.get(t.Context(), "bad", 0, work); v != 5 || err != nil {
			t.Errorf("an error is kept: %d, %v", v, err)
		}
		for i := range 3 * answersMost {
			if _, err := a.get(t.Context(), strings.Repeat("x", i), 0, func(context.Context) (int64, error) { return 0, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if len(a.all) > answersMost {
			t.Errorf("%d answers are kept", len(a.all))
		}
	})
}

// TestCover: what rules say of a technique is summed up.
func TestCover(t *testing.T) {
	about := map[string]*covering{}
	cover(about, api.Rule{ID: "a", Attack: []string{"TA0003", "T1098", "TA0004"}, Logs: true})
	cover(about, api.Rule{ID: "b", Attack: []string{"TA0003", "T1098", "T1136"}, Findings: 2})
	cover(about, api.Rule{ID: "c", Attack: []string{"T1552"}})
	if cover(about, api.Rule{ID: "d", Attack: []string{"TA0040"}}) {
		t.Error("a rule without a technique is about one")
	}
	f := func(id, state string, findings int, rules ...string) {
		t.Helper()
		if c := about[id]; c.State != state || c.Findings != findings || !slices.Equal(c.Rules, rules) {
			t.Errorf("%s: %+v; want %s, %d, %v", id, c.CoverageTechnique, state, findings, rules)
		}
	}
	f("T1098", "fired", 2, "a", "b")
	f("T1136", "fired", 2, "b")
	f("T1552", "covered", 0, "c")
}

// A technique stands where ATT&CK has it, whatever else its rules are about.
func TestUnder(t *testing.T) {
	f := func(id string, rules [][]string, want ...string) {
		t.Helper()
		about := map[string]*covering{}
		for _, tactics := range rules {
			cover(about, api.Rule{Attack: append([]string{id}, tactics...)})
		}
		if got := about[id].under(); !slices.Equal(got, want) {
			t.Errorf("%s of rules about %v stands under %v, want %v", id, rules, got, want)
		}
	}
	f("T1537", [][]string{{"TA0010", "TA0003"}}, "TA0010")
	f("T1535", [][]string{{"TA0005", "TA0003"}, {"TA0003"}}, "TA0005")
	f("T1535", [][]string{{"TA0003"}}, "TA0003") // it leaves the tactic to the rule
	f("T9999", [][]string{{"TA0003", "TA0004"}, {"TA0004"}}, "TA0004")
	f("T9999", [][]string{{}}, "")
}

var _ lake.Explorer = (*local.Store)(nil)
