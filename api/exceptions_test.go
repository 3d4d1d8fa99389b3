package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

// TestPreviewCounts holds a preview to what the exception then explains, and both
// to a count of our own.
func TestPreviewCounts(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	rose := x.signedIn("rose")
	for i, scope := range []string{"rule:rule-1", "severity:critical environment:production", "text:~x or title:~trouble resource:secret-2", "actor:*app-0"} {
		s, err := finding.ParseScope(scope)
		if err != nil {
			t.Fatal(err)
		}
		want := Preview{BySeverity: map[string]int{}}
		before := x.stored()
		for k := range before {
			f := &before[k]
			if !s.Match(f) || f.LastSeen.Before(noon.AddDate(0, 0, -10)) || !f.LastSeen.Before(noon) {
				continue
			}
			want.Findings++
			want.BySeverity[string(f.Severity)]++
			if len(f.Explained) > 0 {
				want.Explained++
			}
		}
		body := fmt.Sprintf(`{"scope":%q,"since":"2026-02-19T12:00:00Z"}`, scope)
		got := into[Preview](rose, 200, "POST", "/api/exceptions/preview", body)
		if want.Findings == 0 || got.Findings != want.Findings || got.Explained != want.Explained || got.Critical != want.BySeverity["critical"] || got.Days != 11 || len(got.Sample) != min(20, want.Findings) {
			t.Errorf("%s: %+v, want %+v", scope, got, want)
		}
		for s, n := range got.BySeverity {
			if want.BySeverity[s] != n {
				t.Errorf("%s: %d of severity %s, want %d", scope, n, s, want.BySeverity[s])
			}
		}
		if got.Open != want.Findings-want.Explained {
			t.Errorf("%s: takes %d from people, want %d", scope, got.Open, want.Findings-want.Explained)
		}
		made := into[Exception](rose, 201, "POST", "/api/exceptions", fmt.Sprintf(`{"scope":%q,"owner":"shop","reason":"known %d","from":"2026-02-19T12:00:00Z","until":"2026-04-01T00:00:00Z"}`, scope, i))
		covered := 0 // the exception asks for first_seen from its start on, the preview for last_seen
		for k := range before {
			if s.Match(&before[k]) && !before[k].FirstSeen.Before(noon.AddDate(0, 0, -10)) {
				covered++
			}
		}
		if made.Explains != covered || made.State != finding.ExceptionActive || made.By != "rose" {
			t.Errorf("%s: explains %d, want %d: %+v", scope, made.Explains, covered, made)
		}
	}
	rose.want(422, "POST", "/api/exceptions/preview", `{"scope":"colour:red"}`)
	rose.want(422, "POST", "/api/exceptions/preview", `{"scope":"","since":"2026-04-01T00:00:00Z"}`)
}

func TestExceptionLife(t *testing.T) {
	x := morning(t)
	x.add("rose", people.Responder)
	rose := x.signedIn("rose")
	for body, says := range map[string]string{
		`{"scope":"","owner":"a","reason":"b","until":"2026-04-01T00:00:00Z","title":"t"}`: "explain everything",
		`{"scope":"rule:rule-1","reason":"b","until":"2026-04-01T00:00:00Z"}`:              "no owner",
		`{"scope":"rule:rule-1","owner":"a","until":"2026-04-01T00:00:00Z"}`:               "no reason",
		`{"scope":"rule:rule-1","owner":"a","reason":"b"}`:                                 "no end",
		`{"scope":"status:new","owner":"a","reason":"b","until":"2026-04-01T00:00:00Z"}`:   "status",
	} {
		if text := rose.want(422, "POST", "/api/exceptions", body); !strings.Contains(text, says) {
			t.Errorf("%s: %s", body, text)
		}
	}
	made := into[Exception](rose, 201, "POST", "/api/exceptions", `{"scope":"rule:rule-1","owner":"a","reason":"b","until":"2026-04-01T00:00:00Z"}`)
	path := "/api/exceptions/" + made.ID
	old := rose.ask("GET", path, "").Header.Get("ETag")
	if got := into[Exception](rose, 200, "PATCH", path, `{"owner":"c"}`, header("If-Match", old)); got.Owner != "c" || got.Reason != "b" || got.Explains != 15 {
		t.Errorf("%+v", got)
	}
	rose.want(412, "PATCH", path, `{"owner":"d"}`, header("If-Match", old))
	rose.want(412, "DELETE", path, "", header("If-Match", old))
	x.now = noon.AddDate(1, 0, 0)
	if got := into[Exceptions](rose, 401, "GET", "/api/exceptions", ""); len(got.Exceptions) != 0 {
		t.Errorf("%+v", got)
	}
	rose = x.signedIn("rose")
	if got := into[Exceptions](rose, 200, "GET", "/api/exceptions?state=expired", ""); len(got.Exceptions) != 1 {
		t.Errorf("a year later: %+v", got)
	}
	if got := into[Exception](rose, 200, "DELETE", path, ""); got.State != finding.ExceptionRevoked || got.Explains != 0 {
		t.Errorf("%+v", got)
	}
	for _, f := range x.stored() {
		if len(f.Explained) > 0 {
			t.Errorf("%s is still explained: %+v", f.Title, f.Explained)
		}
	}
	rose.want(404, "GET", "/api/exceptions/none", "")
	lines, _, err := x.rooms.Triage.Store.Audit(t.Context(), triage.AuditFilter{Subject: made.ID})
	if err != nil || len(lines) != 3 || lines[0].Action != "exception.revoke" || lines[2].By != "rose" {
		t.Errorf("%+v, %v", lines, err)
	}
}
