package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/decision/dossier"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// advised knows one advice, in the account mine.
func advised(_ context.Context, key string) (Advised, error) {
	if key != "advice-1" {
		return Advised{}, triage.ErrUnknown
	}
	title := say.T("advice.title.recording", say.Values{"type": "AWS::EC2::NetworkInterface", "where": mine})
	return Advised{
		Subject:  decision.Subject{Kind: decision.Advice, ID: key, Title: title.String(), TitleMade: title.Made(), Account: mine},
		Saving:   &decision.Saving{Month: "1519.2", Currency: "USD"},
		Figures:  []decision.Figure{{Name: "items", Of: "AWS::EC2::NetworkInterface", Value: "510000", Basis: "metric", At: noon}},
		Evidence: []decision.Evidence{{Text: "the landing zone forbids it", At: noon}},
	}, nil
}

// TestDecisionTitles: a title of ours is read in both languages, and stays ours when it comes
// back in one of them.
func TestDecisionTitles(t *testing.T) {
	_, ann, vera := council(t)
	path := "/api/decisions/" + into[StandingDecision](ann, 201, "POST", "/api/decisions/new", defer1).ID
	japanese := mine + " の AWS::EC2::NetworkInterface を日次で記録する"
	reads := func(title, about string) {
		t.Helper()
		d := into[StandingDecision](vera, 200, "GET", path, "", header("Accept-Language", "ja"))
		if d.Title.String() != title || d.About[0].Title.String() != about {
			t.Errorf("it is called %q, about %q", d.Title, d.About[0].Title)
		}
	}
	put := func(title, about string) {
		t.Helper()
		body := strings.Replace(defer1, `{"about":[{"kind":"advice","id":"advice-1"}]`, fmt.Sprintf(`{"title":%q,"about":[{"kind":"advice","id":"advice-1","title":%q}]`, title, about), 1)
		ann.want(200, "PUT", path, body)
	}
	reads(japanese, japanese)
	put(japanese, japanese)
	reads(japanese, japanese)
	put("somebody's words", "Record AWS::EC2::NetworkInterface daily in "+mine)
	reads("somebody's words", japanese)
	put("", "their words")
	reads("their words", "their words")
	if h := into[StandingHistory](vera, 200, "GET", path+"/history", "", header("Accept-Language", "ja")); !strings.Contains(h.Changes[3].Text.String(), japanese) {
		t.Errorf("its history tells %q", h.Changes[3].Text)
	}
}

// council is a house in which decisions are taken, by ann and read by vera.
func council(t *testing.T) (x *house, ann, vera *browser) {
	t.Helper()
	x = newHouse(t, Config{})
	x.rooms.Decisions = Decisions{Advised: advised, Readings: func(context.Context) decision.Readings {
		return func(_ *decision.Decision, tr decision.Trigger) decision.Reading {
			if tr.Kind == decision.OnItems {
				return decision.Reading{Value: "510000"}
			}
			return decision.Reading{}
		}
	}}
	x.again()
	x.add("ann", people.Analyst)
	x.add("vera", people.Viewer)
	return x, x.signedIn("ann"), x.signedIn("vera")
}

const defer1 = `{"about":[{"kind":"advice","id":"advice-1"}],"verdict":"deferred","reason":"the landing zone forbids it","revisit":"2027-03-01",
	"triggers":["items:111122223333:AWS::EC2::NetworkInterface>600000","findings:rule>3"],"note":"first"}`

func TestDecisionsThatWait(t *testing.T) {
	_, ann, vera := council(t)
	vera.want(403, "POST", "/api/decisions/new", defer1)
	d := into[StandingDecision](ann, 201, "POST", "/api/decisions/new", defer1)
	if d.Title.String() != "Record AWS::EC2::NetworkInterface daily in "+mine || d.Owner != "ann" || d.Status != decision.Waiting || d.About[0].Account != mine || d.Saving.Month.String() != "1519.2" || len(d.Figures) != 1 || len(d.Evidence) != 1 {
		t.Errorf("it is kept as %+v", d)
	}
	if d.Triggers[0].Reading != "510000" || d.Triggers[0].Unread.String() != "" || d.Triggers[1].Unread.String() != "It is not known: the number of open findings of rule." {
		t.Errorf("triggers %+v", d.Triggers)
	}
	if ja := into[StandingDecision](vera, 200, "GET", "/api/decisions/"+d.ID, "", header("Accept-Language", "ja")); ja.Triggers[1].Unread.String() != "不明: rule の未対応の検出件数。" {
		t.Errorf("in Japanese %+v", ja.Triggers[1])
	}
	wrong := func(status int, says, from, to string) {
		t.Helper()
		if got := ann.want(status, "POST", "/api/decisions/new", strings.Replace(defer1, from, to, 1)); !strings.Contains(got, says) {
			t.Errorf("it says %s, want %q", got, says)
		}
	}
	wrong(404, "none of that id", "advice-1", "advice-2")
	wrong(422, "none of date:DAY", "findings:rule>3", "weather>3")
	wrong(422, "is no day", "2027-03-01", "2027-02-31")
	wrong(422, "reason", "the landing zone forbids it", "")
	wrong(404, "no such finding", `"advice","id":"advice-1"`, `"finding","id":"nothing-there"`)

	path := "/api/decisions/" + d.ID
	tag := vera.ask("GET", path, "").Header.Get("ETag")
	ann.want(200, "POST", path+"/questions", `{"vendor":"AWS","case":"170000000000001","question":"May the recorder be changed?"}`, header("If-Match", tag))
	ann.want(412, "POST", path+"/questions", `{"vendor":"AWS","question":"again?"}`, header("If-Match", tag))
	vera.want(403, "POST", path+"/answers", `{"text":"no"}`)
	ann.want(422, "POST", path+"/answers", `{"question":"q9","text":"no"}`)
	d = into[StandingDecision](ann, 200, "POST", path+"/answers", `{"text":"No.","at":"2026-03-02T09:00:00Z"}`)
	if len(d.Asked) != 1 || d.Asked[0].By != "ann" || len(d.Asked[0].Answers) != 1 || d.Asked[0].Answers[0].Text != "No." {
		t.Errorf("asked %+v", d.Asked)
	}
	again := strings.Replace(defer1, "2027-03-01", "2027-06-01", 1)
	vera.want(403, "PUT", path, again)
	ann.want(412, "PUT", path, again, header("If-Match", tag))
	d = into[StandingDecision](ann, 200, "PUT", path, again)
	if d.Revisit != "2027-06-01" || len(d.Asked) != 1 || len(d.Figures) != 1 || d.Saving.Month.String() != "1519.2" || d.Version != 4 {
		t.Errorf("changed to %+v", d)
	}
	h := into[StandingHistory](vera, 200, "GET", path+"/history", "")
	var got []string
	for _, c := range h.Changes {
		got = append(got, c.Action)
	}
	if fmt.Sprint(got) != "[change answer ask create]" || h.Changes[0].Note != "first" || h.Changes[3].Before != "" {
		t.Errorf("history %+v", h)
	}
	for _, p := range []string{"/api/decisions/dec-none", "/api/decisions/dec-none/history"} {
		vera.want(404, "GET", p, "")
	}
	s := into[StandingSummary](vera, 200, "GET", "/api/decisions/summary", "")
	if len(s.Quarters) != 1 || s.Quarters[0].Quarter != "2026-Q1" || s.Quarters[0].Found.String() != "1519.2" || s.Known {
		t.Errorf("summary %+v", s)
	}
}

// TestDossier: a decision is written down in both languages and formats, and masked.
func TestDossier(t *testing.T) {
	x := newHouse(t, Config{})
	var err error
	if x.rooms.Mask, err = mask.New([]byte("a key of a test, long enough")); err != nil {
		t.Fatal(err)
	}
	x.rooms.Decisions = Decisions{Advised: advised, Pictures: func(_ context.Context, d decision.Decision, _ say.Language, mask func(string) string) ([]dossier.Picture, error) {
		name := d.About[0].Account
		if mask != nil {
			name = mask(name)
		}
		return []dossier.Picture{{Name: "changes.svg", Title: "Changes", SVG: []byte("<svg><text>" + name + "</text></svg>")}}, nil
	}}
	x.again()
	x.add("ann.finch", people.Analyst)
	ann := x.signedIn("ann.finch")
	d := into[StandingDecision](ann, 201, "POST", "/api/decisions/new", defer1)
	path := "/api/decisions/" + d.ID + "/dossier"
	f := func(query, kind string, has ...string) string {
		t.Helper()
		got := ann.ask("GET", path+query, "")
		text, err := io.ReadAll(got.Body)
		if err != nil || got.StatusCode != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), kind) || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%s is answered %d %v %v: %.200s", query, got.StatusCode, got.Header, err, text)
		}
		for _, s := range has {
			if !strings.Contains(string(text), s) {
				t.Errorf("%s has no %q: %s", query, s, text)
			}
		}
		return string(text)
	}
	f("", "text/html", `<html lang="en">`, "<h2>Question</h2>", "the landing zone forbids it", "510,000", "<svg><text>"+mine, "ann.finch")
	f("?lang=ja&format=md", "text/markdown", "## 質問", "the landing zone forbids it", "data:image/svg+xml;base64,")
	for _, query := range []string{"?masked=1", "?masked=true&format=md&lang=ja"} {
		if text := f(query, "text/", "person-"); strings.Contains(text, mine) || strings.Contains(text, "ann.finch") {
			t.Errorf("%s tells names: %s", query, text)
		}
	}
	ann.want(404, "GET", "/api/decisions/dec-none/dossier", "")
	ann.want(422, "GET", path+"?lang=fr", "")
}

// TestDossierNamesNobody: no name of a person or an account that a decision, its
// history or what it is about gives is in a masked dossier: not in its text, its
// picture or its file's name.
func TestDossierNamesNobody(t *testing.T) {
	for _, names := range [][]string{
		{"root", "admin", "ec2-user", "system", "test"},
		{"佐藤", "林", "김철수", "İlker Öz", "kite-検証"},
		{"ann (root)", "Dean Finch <dean@corp.example>", "svc_backup", "o'brien", "production"},
		{"al", "ops.mia@corp.example", "Оля", "สมชาย", "sandbox-kite"},
	} {
		x := newHouse(t, Config{})
		var err error
		if x.rooms.Mask, err = mask.New([]byte("a key of a test, long enough")); err != nil {
			t.Fatal(err)
		}
		said := "So " + strings.Join(names, ", ") + " と" + names[0] + "が言う。"
		x.rooms.Decisions = Decisions{Pictures: func(_ context.Context, _ decision.Decision, _ say.Language, mask func(string) string) ([]dossier.Picture, error) {
			return []dossier.Picture{{Name: "changes.svg", Title: mask(said), SVG: []byte("<svg><text>" + html.EscapeString(mask(said)) + "</text></svg>")}}, nil
		}}
		x.again()
		ann := x.signedIn(func() string { x.add("reader", people.Viewer); return "reader" }())
		d := decision.Decision{
			ID: "dec-" + strings.Fields(names[0])[0], Title: said, Verdict: decision.Deferred, Reason: said, Owner: names[0], Accounts: []string{names[4]}, Revisit: noon.AddDate(0, 1, 0),
			About:    []decision.Subject{{Kind: decision.Other, ID: said, Account: names[4]}},
			Evidence: []decision.Evidence{{Text: said, At: noon}},
			Figures:  []decision.Figure{{Name: said, Of: names[4], Value: "1", At: noon}},
			Asked:    []decision.Inquiry{{Vendor: "Elsewhere", Question: said, At: noon, By: names[1], Answers: []decision.Answer{{Text: said, At: noon, By: names[2]}}}},
		}
		put := func(owner, by, note string) {
			t.Helper()
			d.Owner = owner
			if d, err = x.rooms.Triage.Store.PutDecision(t.Context(), d, triage.Edit{By: by, At: noon, Note: note}); err != nil {
				t.Fatal(err)
			}
		}
		put(names[0], names[1], said)
		put(names[3], names[3], said) // who answered for it before is a name as well
		for _, query := range []string{"?masked=1", "?masked=1&format=md&lang=ja", "?masked=1&format=md", "?masked=1&lang=ja"} {
			got := ann.ask("GET", "/api/decisions/"+url.PathEscape(d.ID)+"/dossier"+query, "")
			text, err := io.ReadAll(got.Body)
			if err != nil || got.StatusCode != 200 {
				t.Fatalf("it is answered %d, %v: %s", got.StatusCode, err, text)
			}
			shown := got.Header.Get("Content-Disposition") + readable(t, string(text))
			for _, name := range names {
				for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("()<> ", r) }) {
					if found := regexp.MustCompile(`(?i)(^|[^a-z])` + regexp.QuoteMeta(part) + `($|[^a-z])`).FindString(shown); found != "" {
						t.Errorf("%s tells %q: %s", query, part, shown)
					}
				}
			}
		}
	}
}

// readable is a dossier without its style, and with the pictures that stand in it
// packed as they are drawn.
func readable(t *testing.T, text string) string {
	t.Helper()
	text = regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`base64,[A-Za-z0-9+/=]+`).ReplaceAllStringFunc(text, func(s string) string {
		drawn, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "base64,"))
		if err != nil {
			t.Fatal(err)
		}
		return string(drawn)
	})
	return html.UnescapeString(strings.ReplaceAll(text, `\`, ""))
}

// TestDecisionsReopened: what comes back is told first, today too, and on the
// finding that it is about. One decision is there before.
func TestDecisionsReopened(t *testing.T) {
	x, ann, vera := council(t)
	keys := x.twoAccounts()
	about := func(kind, id, revisit string) StandingDecision {
		return into[StandingDecision](ann, 201, "POST", "/api/decisions/new", fmt.Sprintf(`{"about":[{"kind":%q,"id":%q}],"verdict":"deferred","reason":"later","revisit":%q}`, kind, id, revisit))
	}
	due := about("finding", keys[mine], noon.Add(-24*time.Hour).Format(time.DateOnly))
	about("finding", keys[theirs], "2030-01-01")
	about("other", "move the trail", "2030-01-01")
	all := into[StandingDecisions](vera, 200, "GET", "/api/decisions", "")
	if len(all.Decisions) != 4 || all.Reopened != 2 || all.Decisions[0].ID != due.ID || all.Decisions[0].Reopened[0].Said.String() != "2026-02-28, the day to look at it again, has come." {
		t.Errorf("all %+v", all)
	}
	count := func(query string, want int) {
		t.Helper()
		if got := into[StandingDecisions](vera, 200, "GET", "/api/decisions"+query, ""); len(got.Decisions) != want {
			t.Errorf("%s gives %d, want %d", query, len(got.Decisions), want)
		}
	}
	count("?status=waiting", 2)
	count("?status=reopened", 2)
	count("?verdict=rejected", 0)
	count("?about="+keys[theirs], 2)
	count("?about=move%20the%20trail", 0) // words are no key
	if day := into[Today](vera, 200, "GET", "/api/today", ""); day.ReopenedTotal != 2 || len(day.Reopened) != 2 || day.Reopened[0].ID != due.ID {
		t.Errorf("today %+v", day.Reopened)
	}
	if f := into[Finding](vera, 200, "GET", "/api/findings/"+keys[mine], ""); len(f.Standing) != 2 || f.Standing[0].ID != due.ID || f.Standing[0].Status != decision.Reopened {
		t.Errorf("the finding has %+v", f.Standing)
	}
}

// TestDecisionsLimited: who is limited sees, takes and changes no decision that
// speaks of another account, or of all.
func TestDecisionsLimited(t *testing.T) {
	x, ann, _ := council(t)
	x.add("lim", people.Analyst, mine)
	lim := x.signedIn("lim")
	add := func(b *browser, status int, accounts, triggers string) (d StandingDecision) {
		t.Helper()
		body := fmt.Sprintf(`{"about":[{"kind":"other","id":"words"}],"verdict":"deferred","reason":"later","revisit":"2030-01-01","accounts":[%s],"triggers":[%s]}`, accounts, triggers)
		if status == 201 {
			return into[StandingDecision](b, status, "POST", "/api/decisions/new", body)
		}
		b.want(status, "POST", "/api/decisions/new", body)
		return d
	}
	hers, his := fmt.Sprintf("%q", mine), fmt.Sprintf("%q", theirs)
	seen := add(ann, 201, hers, "")
	hidden := []StandingDecision{
		add(ann, 201, "", ""), add(ann, 201, his, ""), add(ann, 201, hers+","+his, ""),
		add(ann, 201, hers, fmt.Sprintf("%q", "items:"+theirs+":AWS::EC2::Subnet>3")), add(ann, 201, hers, `"items:*:AWS::EC2::Subnet>3"`), add(ann, 201, hers, `"findings:rule>3"`),
	}
	own := add(lim, 201, "", "")
	if len(own.Accounts) != 1 || own.Accounts[0] != mine {
		t.Errorf("hers is about %v", own.Accounts)
	}
	add(lim, 422, his, "")
	add(lim, 422, hers, `"items:*:AWS::EC2::Subnet>3"`)
	all := into[StandingDecisions](lim, 200, "GET", "/api/decisions", "")
	if len(all.Decisions) != 2 {
		t.Errorf("she sees %d", len(all.Decisions))
	}
	lim.want(200, "GET", "/api/decisions/"+seen.ID+"/history", "")
	for _, d := range hidden {
		lim.want(404, "GET", "/api/decisions/"+d.ID, "")
		lim.want(404, "GET", "/api/decisions/"+d.ID+"/history", "")
		lim.want(404, "POST", "/api/decisions/"+d.ID+"/questions", `{"vendor":"AWS","question":"?"}`)
		lim.want(404, "PUT", "/api/decisions/"+d.ID, defer1)
	}
	lim.want(422, "PUT", "/api/decisions/"+seen.ID, `{"about":[{"kind":"other","id":"words"}],"verdict":"rejected","reason":"x","accounts":[`+his+`]}`)
}
