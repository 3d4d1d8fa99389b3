package api

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// TestTodayChanges: what is new since a time, and what there is to believe it by.
func TestTodayChanges(t *testing.T) {
	x := morning(t)
	x.rooms.Triage.Activity = func(context.Context) (*Activity, error) {
		sights := []FirstSight{{"later", mine, noon.Add(-time.Hour)}, {"other", theirs, noon.Add(-2 * time.Hour)}, {"before", mine, noon.Add(-48 * time.Hour)}}
		return &Activity{Principals: sights, Regions: sights[2:], LastEvent: map[string]time.Time{mine: noon, theirs: noon.Add(time.Minute)}}, nil
	}
	x.rooms.Triage.Gaps = func(context.Context, time.Time, time.Time) ([]ledger.Gap, error) {
		return []ledger.Gap{{Kind: ledger.Silent, Account: mine, From: noon.Add(-3 * time.Hour), To: noon.Add(-2 * time.Hour), Reason: say.Plain("silent")}, {Kind: ledger.Silent, Account: theirs}}, nil
	}
	x.rooms.Console.Days = func(context.Context, int) (ledger.Matrix, error) {
		row := func(a string, s ...ledger.DayState) (out ledger.AccountDays) {
			out.Account = a
			for _, state := range s {
				out.Cells = append(out.Cells, ledger.Cell{State: state})
			}
			return out
		}
		return ledger.Matrix{Days: []string{"2026-02-28", "2026-03-01"}, Accounts: []ledger.AccountDays{row(mine, ledger.DayPartial, ledger.DayLate), row(theirs, ledger.DayComplete, ledger.DayUnknown)}}, nil
	}
	x.rooms.Console.Secrets = func(context.Context) (KnownSecrets, error) {
		week := 7 * 24 * time.Hour
		return KnownSecrets{Book: &secrets.Book{Until: noon, Secrets: []secrets.Summary{
			{Resource: "new", Account: mine, Confirmed: true, First: noon.Add(-time.Hour)},
			{Resource: "guessed", Account: mine, First: noon.Add(-time.Hour)},
			{Resource: "quiet", Account: mine, UsedDays: 20, LastUse: noon.Add(-week - time.Hour)},
			{Resource: "quiet for long", Account: mine, UsedDays: 20, LastUse: noon.Add(-2 * week)},
			{Resource: "in use", Account: mine, UsedDays: 20, LastUse: noon.Add(-week + time.Hour)},
			{Resource: "hardly used", Account: mine, UsedDays: 2, LastUse: noon.Add(-week - time.Hour)},
			{Resource: "theirs", Account: theirs, UsedDays: 20, LastUse: noon.Add(-week - time.Hour)},
		}}}, nil
	}
	x.again()
	x.add("alice", people.Viewer, mine)
	x.add("bob", people.Viewer)
	alice, bob := x.signedIn("alice"), x.signedIn("bob")
	f := func(b *browser, since string, want string) {
		t.Helper()
		d := into[Today](b, 200, "GET", "/api/today"+since, "")
		c := d.Changes
		var got []string
		for _, p := range c.Principals {
			got = append(got, p.Actor)
		}
		for _, p := range c.Regions {
			got = append(got, "region "+p.Region)
		}
		for _, p := range c.Resources {
			got = append(got, "new "+p.Resource)
		}
		for _, p := range c.Quiet {
			got = append(got, "quiet "+p.Resource)
		}
		v := d.Coverage
		text := fmt.Sprintf("%s; %d of %d×%d, %d late, %d partial, %d unknown, %d gaps, %s", strings.Join(got, ", "), v.Complete, v.Accounts, v.Days, v.Late, v.Partial, v.Unknown, v.GapsTotal, v.LastEvent.Format("15:04"))
		if text != want {
			t.Errorf("%s: %s\nwant %s", since, text, want)
		}
	}
	f(bob, "", "later, other, new new, quiet quiet, quiet theirs; 1 of 2×2, 1 late, 1 partial, 1 unknown, 2 gaps, 12:01")
	f(alice, "", "later, new new, quiet quiet; 0 of 1×2, 1 late, 1 partial, 0 unknown, 1 gaps, 12:00")
	f(bob, "?since=2026-02-01T00:00:00Z", "later, other, before, region before, new new, quiet quiet, quiet theirs, quiet quiet for long; 1 of 2×2, 1 late, 1 partial, 1 unknown, 2 gaps, 12:01")
	f(bob, "?since=2026-03-01T11:59:00Z", "; 1 of 2×2, 1 late, 1 partial, 1 unknown, 2 gaps, 12:01")
	d := into[Today](bob, 200, "GET", "/api/today", "")
	made := 0
	for _, day := range d.Days {
		made += day.Made
	}
	want := 0
	for _, f := range x.stored() {
		if !f.FirstSeen.Before(finding.Day(noon).AddDate(0, 0, -13)) {
			want++
		}
	}
	if len(d.Days) != 14 || d.Days[13].Day != "2026-03-01" || made != want || d.Days[13].Open != 60 || len(d.Needs) != todayNeeds {
		t.Errorf("made %d, want %d: %+v", made, want, d.Days)
	}
}
