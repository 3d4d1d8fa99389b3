package api

import (
	"context"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// TestTitles holds that titles of rules are told as the rooms know them: of their
// findings, and of rules.
func TestTitles(t *testing.T) {
	x := morning(t)
	x.rooms.Console.RuleWords = func(l say.Language, rule, words string) string {
		if l == say.Japanese && rule == "rule-1" {
			return "題 " + words
		}
		return words
	}
	x.rooms.Console.Rules = func(context.Context) ([]Rule, error) {
		return []Rule{{ID: "rule-1", Title: say.OfRule("rule-1", "One")}, {ID: "rule-2", Title: say.OfRule("rule-2", "Two")}}, nil
	}
	x.again()
	x.add("alice", people.Analyst)
	alice := x.signedIn("alice")
	f := func(language string) {
		t.Helper()
		accept := header("Accept-Language", language)
		page := into[Findings](alice, 200, "GET", "/api/findings", "", accept)
		of := map[string]int{}
		for _, found := range page.Findings {
			of[found.Rule]++
			title := found.Title.String()
			if japanese := strings.HasPrefix(title, "題 trouble "); japanese != (language == "ja" && found.Rule == "rule-1") {
				t.Errorf("in %s a finding of %s is called %q", language, found.Rule, title)
			}
			if one := into[Finding](alice, 200, "GET", "/api/findings/"+found.Key, "", accept); one.Title.String() != title {
				t.Errorf("in %s it is called %q on its own, %q in the list", language, one.Title, title)
			}
		}
		if of["rule-1"] == 0 || of["rule-2"] == 0 {
			t.Errorf("findings are of %v", of)
		}
		want := map[string]string{"en": "One, Two", "ja": "題 One, Two"}[language]
		rules := into[Rules](alice, 200, "GET", "/api/rules", "", accept).Rules
		if got := rules[0].Title.String() + ", " + rules[1].Title.String(); got != want {
			t.Errorf("in %s rules are called %q, want %q", language, got, want)
		}
	}
	f("en")
	f("ja")
}

// TestLanguage holds in which language an answer is, that its tag tells, and that
// what was read in one language is not refused when it is changed in another.
func TestLanguage(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Analyst)
	alice := x.signedIn("alice")
	path := "/api/findings/" + x.stored()[0].Key
	f := func(accept, language string) (tag string) {
		t.Helper()
		answer := alice.ask("GET", path, "", header("Accept-Language", accept))
		if got := answer.Header.Get("Content-Language"); got != language {
			t.Errorf("%q is answered in %s, want %s", accept, got, language)
		}
		for _, p := range into[Finding](alice, 200, "GET", path, "", header("Accept-Language", accept)).PriorityParts {
			if latin := strings.Contains(p.Why.String(), "severity "); p.Name == "severity" && latin != (language == "en") {
				t.Errorf("%q is answered %q", accept, p.Why)
			}
		}
		return answer.Header.Get("ETag")
	}
	en := f("", "en")
	ja := f("ja", "ja")
	if f("ja-JP,en;q=0.5", "ja"); f("en-GB,ja;q=0.5", "en") != en || ja == en {
		t.Errorf("tags are %s and %s", en, ja)
	}
	if status := alice.ask("GET", path, "", header("Accept-Language", "ja"), header("If-None-Match", en)).StatusCode; status != 200 {
		t.Errorf("who has the English is told %d of the Japanese", status)
	}
	if status := alice.ask("GET", path, "", header("Accept-Language", "ja"), header("If-None-Match", ja)).StatusCode; status != 304 {
		t.Errorf("who has the Japanese is told %d", status)
	}
	alice.want(200, "POST", path+"/decisions", `{"comment":"x"}`, header("If-Match", ja))

	// What a person chose comes before what a browser lists, not before what is asked for alone.
	alice.want(200, "PATCH", "/api/session", `{"language":"ja"}`)
	f("en-GB,en;q=0.9", "ja")
	f("en", "en")
	f("", "ja")
}
