package anomaly

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// TestBack: what came late is told as if it had come in time, and for that little
// is read again.
func TestBack(t *testing.T) {
	const days = 22
	l := &lakeOf{events: newWorld(51).events(days, 60)}
	end := start.Add(days * oneDay)
	want := whole(t, l.options(), end)
	h := New(l.options())
	for at := start.Add(oneDay); !at.After(end); at = at.Add(oneDay) { // day by day
		if _, err := h.Hunt(t.Context(), Name, at.Add(-oneDay), at, at); err != nil {
			t.Fatal(err)
		}
	}
	var ages []int
	for i := range h.m.past {
		ages = append(ages, int(end.Sub(h.m.past[i].day)/oneDay))
	}
	if len(ages) < 4 || len(ages) > 6 || ages[len(ages)-1] != 1 || ages[len(ages)-2] != 2 || ages[0] < 9 {
		t.Errorf("kept are the starts of the days %v days ago", ages)
	}
	all := New(l.options())
	if _, err := all.Hunt(t.Context(), Name, start, end, end); err != nil {
		t.Fatal(err)
	}
	var same []int
	for i := range all.m.past {
		same = append(same, int(end.Sub(all.m.past[i].day)/oneDay))
	}
	if !slices.Equal(ages, same) {
		t.Errorf("kept are %v, at one go %v", ages, same)
	}
	for _, back := range []int{3, 7, 6, 8, 12, 20, 1} {
		since := end.Add(-time.Duration(back) * oneDay).Add(5 * time.Hour)
		kept := ages[0] >= back
		said, err := h.Hunt(t.Context(), Name, since, since.Add(time.Hour), end)
		if err != nil {
			t.Fatal(err)
		}
		if rows := h.Progress().Rows; kept != (rows < all.Progress().Rows) {
			t.Errorf("%d days back: %d rows of %d are read again", back, rows, all.Progress().Rows)
		}
		got := newKept()
		got.record(finding.Hunt{Since: start, Until: end, Occurrences: values(want)})
		got.record(said)
		if d := cmp.Diff(want.all, got.all); d != "" {
			t.Fatalf("%d days back: %s", back, d[:min(len(d), 2000)])
		}
		ages = ages[:0]
		for i := range h.m.past {
			ages = append(ages, int(end.Sub(h.m.past[i].day)/oneDay))
		}
	}
}

// TestTooMuch: what was more than is kept is said, with the findings and in the
// state.
func TestTooMuch(t *testing.T) {
	w := newWorld(61)
	events := w.events(3, 300)
	at := start.Add(oneDay + 10*time.Hour)
	for i := range maxReads + 1 {
		e := w.base(at.Add(time.Duration(i)*time.Second), "secretsmanager", "GetSecretValue")
		w.by(&e, "AWSReservedSSO_Admin", event.CallerConsole, "person0@hoshino.example")
		e.ResourceUID = fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:111122223333:secret:many/part%d", i)
		events = append(events, e)
	}
	l := &lakeOf{events: events}
	end := start.Add(3 * oneDay)
	want := whole(t, l.options(), end)
	h := New(l.options())
	h.limit = 8000 // a usual day has half of that
	said, err := h.Hunt(t.Context(), Name, start, end, end)
	if err != nil {
		t.Fatal(err)
	}
	if d := h.State().Drops; d != (Drops{CutHours: 1, UnnotedDays: 1}) || h.Progress().Drops != d {
		t.Errorf("dropped: %+v; %d notes", d, len(said.Notes))
	}
	if len(said.Notes) != 2 || len(want.notes) != 3 {
		t.Errorf("%d notes, where there is room %d", len(said.Notes), len(want.notes))
	}
	for _, o := range said.Occurrences {
		told := slices.ContainsFunc(o.Anomaly.Unseen, func(s say.Text) bool { return strings.Contains(s.String(), "than are kept") })
		if cut := !o.Since.Before(at) && o.Since.Before(start.Add(2*oneDay)); told != cut {
			t.Errorf("%s: that something was cut is said: %v", o.Since, told)
		}
	}
	// A note says so too.
	sum, err := noted(want.notes[start.Add(oneDay)])
	if err != nil || !sum.hours[10].Cut || sum.hours[9].Cut {
		t.Errorf("noted: %v", err)
	}
}

// TestNamesAreBounded: who asks for secrets that are not there fills nothing up.
func TestNamesAreBounded(t *testing.T) {
	n := newNames()
	for i := range maxActors + 1000 {
		n.actor(fmt.Sprint("a", i))
	}
	for i := range maxAccounts + 1000 {
		n.account(fmt.Sprint(i))
	}
	for i := range maxSecrets + 1000 {
		n.secret(fmt.Sprint("s", i))
	}
	if len(n.Actors) != maxActors || len(n.Accounts) != maxAccounts || len(n.Secrets) != maxSecrets || !n.full() {
		t.Errorf("%d principals, %d accounts, %d secrets", len(n.Actors), len(n.Accounts), len(n.Secrets))
	}
	if i := n.secret("s0"); i != 0 || n.Secrets[n.secret("new")].UID != "(other)" {
		t.Errorf("number %d, %+v", i, n.Secrets[n.secret("new")])
	}
}
