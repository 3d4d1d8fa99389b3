package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

func TestWindowLife(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	x.add("alice", people.Analyst)
	rose, alice := x.signedIn("rose"), x.signedIn("alice")
	rose.want(422, "POST", "/api/windows", `{"title":"all","start":"2026-02-20T00:00:00Z","end":"2026-02-21T00:00:00Z"}`)
	rose.want(422, "POST", "/api/windows", `{"start":"2026-02-20T00:00:00Z","end":"2026-02-21T00:00:00Z","accounts":["x"]}`)
	rose.want(422, "POST", "/api/windows", `{"title":"x","start":"2026-02-22T00:00:00Z","end":"2026-02-21T00:00:00Z","accounts":["x"]}`)
	w := into[Window](rose, 201, "POST", "/api/windows", `{"title":"patching","ticket":"CHG-1","accounts":["`+mine+`"],"start":"2026-02-20T00:00:00Z","end":"2026-03-01T11:00:00Z"}`)
	want, beside := 0, 0
	for _, f := range x.stored() {
		in := !f.LastSeen.Before(w.Start) && f.LastSeen.Before(w.End)
		if len(f.Explained) > 0 {
			want++
		} else if in && f.Account == mine {
			beside++
		}
	}
	s := into[WindowSummary](alice, 200, "GET", "/api/windows/"+w.ID+"/summary", "")
	if want == 0 || w.Phase != "over" || w.Explains != want || s.Explained != want || s.Beside != beside || len(s.Times) != 1 || s.Decided != 0 || !strings.Contains(s.Text.String(), "patching ended 2026-03-01 11:00 UTC") {
		t.Errorf("%+v; explains %d, want %d and %d beside", s, w.Explains, want, beside)
	}
	today := into[Today](alice, 200, "GET", "/api/today", "")
	if len(today.Windows.Ended) != 1 || today.Windows.Ended[0].Explained != want || today.NeedsTotal != 60-want || today.Explained != want {
		t.Errorf("%+v", today.Windows)
	}
	if got := into[Today](alice, 200, "GET", "/api/today?since=2026-03-01T11:30:00Z", ""); len(got.Windows.Ended) != 0 {
		t.Errorf("what ended before is told: %+v", got.Windows)
	}
	nightly := into[Window](rose, 201, "POST", "/api/windows", `{"title":"backup","actors":["x"],"start":"2026-02-20T11:30:00Z","end":"2026-02-20T12:30:00Z","repeat":"FREQ=DAILY"}`)
	if nightly.Phase != "open" || nightly.Now == nil || !nightly.Now.Start.Equal(noon.Add(-30*time.Minute)) || nightly.Next == nil || !nightly.Next.Start.Equal(noon.Add(23*time.Hour+30*time.Minute)) {
		t.Errorf("%+v", nightly)
	}
	if list := into[Windows](alice, 200, "GET", "/api/windows", ""); len(list.Windows) != 2 || list.Windows[0].ID != nightly.ID {
		t.Errorf("%+v", list)
	}
	alice.want(403, "DELETE", "/api/windows/"+w.ID, "")
	if got := into[Window](rose, 200, "DELETE", "/api/windows/"+w.ID, ""); got.Phase != "cancelled" || got.Explains != 0 {
		t.Errorf("%+v", got)
	}
}

func TestImport(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	x.add("alice", people.Analyst)
	rose := x.signedIn("rose")
	rose.want(501, "POST", "/api/windows/import", "x")
	x.rooms.Triage.ReadWindows = func(name string, text []byte, _ time.Time) ([]finding.Window, []string, error) {
		if string(text) == "nothing" {
			return nil, nil, fmt.Errorf("%s:1: neither JSON nor iCalendar", name)
		}
		one := finding.Window{ID: "cal-1", Title: "patching", Accounts: []string{mine}, Start: noon, End: noon.Add(time.Hour)}
		two := finding.Window{ID: "cal-2", Title: "party", Start: noon, End: noon.Add(time.Hour)}
		return []finding.Window{one, two}, []string{name + ":2: cal-2: covers everything"}, fmt.Errorf("%s:9: no start", name)
	}
	x.again()
	rose = x.signedIn("rose")
	alice := x.signedIn("alice")
	alice.want(403, "POST", "/api/windows/import", "some")
	if got := into[Imported](alice, 200, "POST", "/api/windows/import?dry=true", "some"); len(got.Windows) != 2 {
		t.Errorf("%+v", got)
	}
	got := into[Imported](rose, 200, "POST", "/api/windows/import?owner=shop", "some", header("Content-Type", "text/calendar"))
	if len(got.Windows) != 1 || got.Windows[0].Owner != "shop" || len(got.Warnings) != 3 {
		t.Errorf("%+v", got)
	}
	if got := into[Imported](alice, 200, "POST", "/api/windows/import?state=proposed", "some"); len(got.Windows) != 2 || got.Windows[1].State != finding.WindowProposed {
		t.Errorf("%+v", got)
	}
	if text := rose.want(422, "POST", "/api/windows/import", "nothing"); !strings.Contains(text, "neither JSON") {
		t.Error(text)
	}
}

// TestRegister: a team proposes windows through its link, for its accounts and no
// longer than the link is good for.
func TestRegister(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	x.add("vera", people.Viewer)
	rose, vera, nobody := x.signedIn("rose"), x.signedIn("vera"), x.browser()
	ask := `{"owner":"shop","accounts":["` + mine + `"],"until":"2026-03-05T00:00:00Z"}`
	vera.want(403, "POST", "/api/window-links", ask)
	rose.want(422, "POST", "/api/window-links", strings.Replace(ask, "2026-03", "2036-03", 1))
	rose.want(422, "POST", "/api/window-links", strings.Replace(ask, mine, "1*", 1))
	link := into[WindowLink](rose, 200, "POST", "/api/window-links", ask)
	secret, ok := strings.CutPrefix(link.URL, "http://localhost:8484/register#link=")
	if !ok {
		t.Fatal(link.URL)
	}
	path := "/api/register/" + secret
	if got := into[Registering](nobody, 200, "GET", path, ""); got.Owner != "shop" || !slices.Equal(got.Accounts, []string{mine}) || got.Left != registeredMost {
		t.Errorf("%+v", got)
	}
	body := `{"title":"release","start":"2026-03-02T00:00:00Z","end":"2026-03-02T02:00:00Z"}`
	nobody.want(403, "POST", path, body, without("X-Yagura"))
	got := into[Registering](nobody, 201, "POST", path, body)
	if len(got.Windows) != 1 || got.Windows[0].Phase != "proposed" || got.Left != registeredMost-1 {
		t.Errorf("%+v", got)
	}
	nobody.want(422, "POST", path, `{"title":"x","accounts":["`+theirs+`"],"start":"2026-03-02T00:00:00Z","end":"2026-03-02T02:00:00Z"}`)
	nobody.want(422, "POST", path, `{"title":"x","start":"2026-03-03T00:00:00Z","end":"2026-03-02T02:00:00Z"}`)
	for _, x := range []struct {
		status            int
		end, repeat, says string
	}{
		{422, "2036-03-02T02:00:00Z", "", "good until 2026-03-05T00:00:00Z"},
		{422, "2026-03-05T00:00:01Z", "", "good until 2026-03-05T00:00:00Z"},
		{422, "2026-03-02T02:00:00Z", "FREQ=DAILY", "repeated after it"},
		{422, "2026-03-02T02:00:00Z", "FREQ=DAILY;UNTIL=20260310", "repeated after it"},
		{422, "2026-03-02T02:00:00Z", "FREQ=DAILY;UNTIL=x", "repeat: "},
		{201, "2026-03-02T02:00:00Z", "FREQ=DAILY;UNTIL=20260304", "20260304"},
		{201, "2026-03-05T00:00:00Z", "", "2026-03-05T00:00:00Z"},
	} {
		said := nobody.want(x.status, "POST", path, `{"title":"x","ticket":"BY-THE-END","start":"2026-03-02T00:00:00Z","end":"`+x.end+`","repeat":"`+x.repeat+`"}`)
		if !strings.Contains(said, x.says) {
			t.Errorf("until %s, %s: %s", x.end, x.repeat, said)
		}
	}
	for _, p := range into[Proposals](vera, 200, "GET", "/api/proposals", "").Proposals {
		if p.Window.Ticket == "BY-THE-END" {
			rose.want(200, "POST", "/api/proposals/"+p.ID, `{"dismiss":true}`)
		}
	}
	waiting := into[Proposals](vera, 200, "GET", "/api/proposals", "").Proposals
	if len(waiting) != 1 || waiting[0].From != "registered" || waiting[0].Owner != "shop" || !slices.Equal(waiting[0].Window.Accounts, []string{mine}) {
		t.Fatalf("%+v", waiting)
	}
	rose.want(200, "POST", "/api/proposals/"+waiting[0].ID, `{"accept":true}`)
	if got := into[Registering](nobody, 200, "GET", path, ""); !slices.ContainsFunc(got.Windows, func(w Registered) bool { return w.Title == "release" && w.Phase == "coming" }) {
		t.Errorf("%+v", got)
	}
	for i := range len(secret) - 1 { // the last character has bits that do not count
		wrong := []byte(secret)
		if wrong[i]++; !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", rune(wrong[i])) {
			wrong[i] = 'A'
		}
		nobody.want(410, "GET", "/api/register/"+string(wrong), "")
	}
	nobody.want(410, "GET", "/api/register/x", "")
	x.now = time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	nobody.want(410, "GET", path, "")
	nobody.want(410, "POST", path, body)
}

func TestProposals(t *testing.T) {
	x := morning(t)
	scope, err := finding.ParseScope("rule:rule-2")
	if err != nil {
		t.Fatal(err)
	}
	x.rooms.Triage.Learned = func(context.Context) ([]triage.Proposal, error) {
		e := &finding.Exception{ID: "l-1", Title: "reads of the month", Scope: scope, State: finding.ExceptionProposed, Reason: "automation", Until: noon.AddDate(0, 3, 0)}
		w := &finding.Window{ID: "l-2", Title: "nightly", Accounts: []string{mine}, Start: noon, End: noon.Add(time.Hour), Repeat: "FREQ=DAILY", State: finding.WindowProposed}
		return []triage.Proposal{{ID: "l-1", Exception: e, Title: say.Plain(e.Title), Text: say.Plain("3 were expected"), Count: 3}, {ID: "l-2", Window: w, Title: say.Plain(w.Title), Text: say.Plain("every night"), Count: 7}}, nil
	}
	x.again()
	x.add("rose", people.Responder)
	x.add("alice", people.Analyst)
	rose, alice := x.signedIn("rose"), x.signedIn("alice")
	ids := func() (out []string) {
		for _, p := range into[Proposals](alice, 200, "GET", "/api/proposals", "").Proposals {
			out = append(out, p.ID+" "+p.From)
		}
		return out
	}
	if got := ids(); !slices.Equal(got, []string{"l-1 learned", "l-2 learned"}) {
		t.Error(got)
	}
	if n := into[Today](alice, 200, "GET", "/api/today", ""); n.Proposals != 2 || n.Explained != 0 {
		t.Errorf("nothing learned explains by itself: %d proposals, %d explained", n.Proposals, n.Explained)
	}
	alice.want(403, "POST", "/api/proposals/l-1", `{"accept":true}`)
	rose.want(422, "POST", "/api/proposals/l-1", `{}`)
	rose.want(422, "POST", "/api/proposals/l-1", `{"accept":true,"dismiss":true}`)
	rose.want(404, "POST", "/api/proposals/l-9", `{"accept":true}`)
	got := into[Answered](rose, 200, "POST", "/api/proposals/l-1", `{"accept":true,"owner":"shop"}`)
	if got.State != "accepted" || got.Exception == nil || got.Exception.Explains != 15 || got.Exception.Owner != "shop" || got.Exception.Reason != "automation" {
		t.Errorf("%+v", got)
	}
	if got := into[Answered](rose, 200, "POST", "/api/proposals/l-2", `{"dismiss":true}`); got.State != "dismissed" || got.Window == nil || got.Window.Explains != 0 {
		t.Errorf("%+v", got)
	}
	if got := ids(); len(got) != 0 {
		t.Errorf("what was answered is proposed again: %v", got)
	}
	rose.want(404, "POST", "/api/proposals/l-2", `{"accept":true}`)
}
