package api

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/people"
)

// TestLimitedToAccounts asks every read of who is limited to one account, and
// finds nothing of another.
func TestLimitedToAccounts(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Viewer, mine)
	x.add("bob", people.Viewer)
	keys := x.twoAccounts()
	alice, bob := x.signedIn("alice"), x.signedIn("bob")
	ids := slices.Concat([]string{"", told, theirs, "ex-theirs", "win-theirs", "dec-theirs", "learned-1", "learned-2"}, slices.Collect(maps.Values(keys)))
	var c Cases
	if err := json.Unmarshal([]byte(bob.want(200, "GET", "/api/cases", "")), &c); err != nil {
		t.Fatal(err)
	}
	for _, one := range c.Cases {
		ids = append(ids, one.ID)
	}
	questions := []string{"", "?q=account:" + theirs, "?q=account_uid:" + theirs, "?account=" + theirs, "?resource=told%20of%20theirs", "?q=not%20x", "?text=told", "?format=csv", "?hours=24"}
	asked, answered := 0, 0
	for _, op := range operations(t, x.h) {
		if op.Method != "GET" || op.Accounts != "within" || op.Path == "/api/live" {
			continue
		}
		for _, id := range ids {
			if (id == "") == variable.MatchString(op.Path) {
				continue
			}
			path := variable.ReplaceAllString(op.Path, strings.ReplaceAll(id, " ", "%20"))
			for _, q := range questions {
				got := alice.ask("GET", path+q, "")
				text, err := io.ReadAll(got.Body)
				if err != nil {
					t.Fatal(err)
				}
				asked++
				if got.StatusCode >= 400 {
					continue // which may repeat what was asked for
				}
				answered++
				if strings.Contains(string(text), told) || strings.Contains(string(text), keys[theirs]) {
					t.Errorf("GET %s%s leaks: %s", path, q, text)
				}
			}
		}
	}
	if asked < 400 || answered < 100 {
		t.Errorf("of only %d questions %d were answered", asked, answered)
	}
	for _, path := range []string{"/api/findings/" + keys[theirs], "/api/findings/" + keys[""], "/api/exceptions/ex-theirs", "/api/windows/win-theirs", "/api/decisions/dec-theirs", "/api/decisions/dec-theirs/history"} {
		alice.want(404, "GET", path, "")
	}
	for path, want := range map[string]string{"/api/findings": "seen in " + mine, "/api/cases": mine, "/api/search": "seen in " + mine, "/api/today": "mine", "/api/findings/" + keys[mine]: mine} {
		if text := alice.want(200, "GET", path, ""); !strings.Contains(text, want) {
			t.Errorf("%s keeps what is hers from alice: %s", path, text)
		}
		if text := bob.want(200, "GET", strings.Replace(path, keys[mine], keys[theirs], 1), ""); !strings.Contains(text, told) {
			t.Errorf("%s keeps something from bob, who is not limited: %s", path, text)
		}
	}
	alice.want(403, "GET", "/metrics", "")
	alice.want(403, "GET", "/api/ledger", "")
	alice.want(403, "GET", "/api/audit", "")
}

// TestLimitedChanges: who is limited changes nothing in another account,
// whichever way it is asked for.
func TestLimitedChanges(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Responder, mine)
	x.add("bob", people.Responder)
	keys := x.twoAccounts()
	alice, bob := x.signedIn("alice"), x.signedIn("bob")
	state := func() string {
		t.Helper()
		var out strings.Builder
		for _, account := range []string{theirs, ""} {
			f, err := x.rooms.Findings.Get(t.Context(), keys[account])
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%s %s %d %v;", f.Status, f.Verdict, len(f.Decisions), f.Explained)
		}
		return out.String()
	}
	before := state()
	const decision = `{"verdict":"expected","status":"resolved"}`
	alice.want(404, "POST", "/api/findings/"+keys[theirs]+"/decisions", decision)
	alice.want(404, "POST", "/api/findings/"+keys[theirs][:8]+"/decisions", decision)
	if got := alice.want(200, "POST", "/api/decisions", `{"q":"severity:high","decision":`+decision+`}`); !strings.Contains(got, `"decided":1,`) {
		t.Errorf("%s", got)
	}
	if got := alice.want(200, "POST", "/api/decisions", fmt.Sprintf(`{"keys":[%q,%q],"decision":{"comment":"x"}}`, keys[theirs], keys[mine])); !strings.Contains(got, `"decided":1,`) || !strings.Contains(got, "no such finding") {
		t.Errorf("%s", got)
	}
	// What she accepts is narrowed to her accounts, or refused.
	exception := func(scope string) string {
		return fmt.Sprintf(`{"title":"x","scope":%q,"owner":"alice","reason":"x","from":"2026-02-28T00:00:00Z","until":"2026-04-01T00:00:00Z"}`, scope)
	}
	accept := func(scope string) {
		t.Helper()
		alice.ask("POST", "/api/exceptions", exception(scope))
		if got := state(); got != before {
			t.Errorf("an exception of %s reaches theirs: %s, before %s", scope, got, before)
		}
	}
	accept("severity:high")
	accept("account:" + theirs)
	accept("account:" + mine + " or account:" + theirs)
	accept("account:" + mine + " or severity:high")
	accept("not account:" + mine)
	accept("(account:" + mine + " severity:low) or kind:rule")
	accept("account:*")
	for _, accounts := range []string{`[]`, `["` + theirs + `"]`, `["*"]`, `["` + mine + `","` + theirs + `"]`} {
		body := `{"title":"x","accounts":` + accounts + `,"kinds":["rule"],"start":"2026-02-28T00:00:00Z","end":"2026-04-01T00:00:00Z"}`
		alice.ask("POST", "/api/windows", body)
		if got := state(); got != before {
			t.Errorf("a window for %s reaches theirs: %s, before %s", accounts, got, before)
		}
	}
	for _, id := range []string{"ex-theirs", "learned-1"} {
		alice.want(404, "DELETE", "/api/exceptions/"+id, "")
		alice.want(404, "PATCH", "/api/exceptions/"+id, `{"state":"revoked"}`)
	}
	alice.want(404, "DELETE", "/api/windows/win-theirs", "")
	alice.want(422, "PUT", "/api/register/projects/"+theirs, `{"owner":"alice","services":[]}`)
	alice.want(404, "DELETE", "/api/register/projects/"+theirs, "")
	alice.want(422, "POST", "/api/register/import", "project,owner\n"+mine+",alice\n"+theirs+",alice\n", header("Content-Type", "text/csv"))
	for _, e := range into[RegisterProjects](bob, 200, "GET", "/api/register/projects", "").Projects {
		if e.Owner == "alice" {
			t.Errorf("alice owns %s", e.Project)
		}
	}
	alice.want(404, "POST", "/api/proposals/learned-1", `{"accept":true}`)
	alice.want(403, "POST", "/api/window-links", `{"owner":"x","accounts":["`+theirs+`"],"until":"2026-04-01T00:00:00Z"}`)
	if got := state(); got != before {
		t.Errorf("theirs are %s, before %s", got, before)
	}
	if f, err := x.rooms.Findings.Get(t.Context(), keys[mine]); err != nil || len(f.Explained) == 0 {
		t.Errorf("nothing that she accepted explains hers: %+v, %v", f.Explained, err)
	}
	bob.want(201, "POST", "/api/exceptions", exception("severity:high"))
	if got := state(); got == before {
		t.Error("what is not narrowed does not reach theirs either: this test sees nothing")
	}
	// Of a group that reaches beyond them she takes back what is hers.
	var done BulkDone
	if err := json.Unmarshal([]byte(bob.want(200, "POST", "/api/decisions", `{"q":"kind:rule","decision":`+decision+`}`)), &done); err != nil || done.Decided < 3 {
		t.Fatal(done, err)
	}
	before = state()
	alice.want(200, "POST", "/api/decisions/undo", `{"group":"`+done.Group+`"}`)
	if got := state(); got != before {
		t.Errorf("theirs are %s, before %s", got, before)
	}
}

// TestAnalystsPropose: what makes findings explained needs a responder, however
// it is asked for.
func TestAnalystsPropose(t *testing.T) {
	x := newHouse(t, Config{})
	x.add("alice", people.Analyst)
	x.add("bob", people.Responder)
	x.twoAccounts()
	alice, bob := x.signedIn("alice"), x.signedIn("bob")
	body := func(state string) string {
		return `{"title":"x","scope":"account:` + mine + `","owner":"a","reason":"x","until":"2026-04-01T00:00:00Z","state":"` + state + `"}`
	}
	alice.want(403, "POST", "/api/exceptions", body("active"))
	var made Exception
	if err := json.Unmarshal([]byte(alice.want(201, "POST", "/api/exceptions", body("proposed"))), &made); err != nil {
		t.Fatal(err)
	}
	alice.want(403, "PATCH", "/api/exceptions/"+made.ID, `{"state":"active"}`)
	alice.want(403, "POST", "/api/proposals/"+made.ID, `{"accept":true}`)
	alice.want(403, "DELETE", "/api/exceptions/ex-theirs", "")
	alice.want(403, "PATCH", "/api/exceptions/ex-theirs", `{"state":"proposed"}`)
	alice.want(403, "PATCH", "/api/exceptions/ex-theirs", `{"scope":"severity:low"}`)
	alice.want(403, "DELETE", "/api/windows/win-theirs", "")
	alice.want(403, "POST", "/api/windows", `{"title":"x","accounts":["`+mine+`"],"start":"2026-02-28T00:00:00Z","end":"2026-04-01T00:00:00Z"}`)
	alice.want(403, "POST", "/api/window-links", `{"owner":"x","accounts":["`+mine+`"],"until":"2026-04-01T00:00:00Z"}`)
	bob.want(200, "PATCH", "/api/exceptions/"+made.ID, `{"state":"active"}`)
}
