package api

import (
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/people"
)

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
