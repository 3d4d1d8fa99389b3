package api

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
)

func TestViewsOfPeople(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Analyst)
	x.add("vera", people.Viewer)
	alice, vera := x.signedIn("alice"), x.signedIn("vera")
	vera.want(200, "PUT", "/api/views/mine", `{"page":"findings","title":"high","query":"q=severity:high"}`)
	vera.want(403, "PUT", "/api/views/mine", `{"page":"findings","title":"high","shared":true}`)
	board := alice.ask("PUT", "/api/views/board", `{"page":"dashboard","title":"board","shared":true,"panels":[{"kind":"count","q":"x"}]}`)
	if board.StatusCode != 200 {
		t.Error(board.Status)
	}
	titles := func(b *browser, page string) (out []string) {
		for _, v := range into[Views](b, 200, "GET", "/api/views?page="+page, "").Views {
			out = append(out, v.Title)
		}
		return out
	}
	if a, v := titles(alice, ""), titles(vera, ""); !slices.Equal(a, []string{"board"}) || !slices.Equal(v, []string{"board", "high"}) {
		t.Errorf("%v, %v", a, v)
	}
	if got := into[View](vera, 200, "GET", "/api/views/board", ""); len(got.Panels) != 1 || got.Panels[0]["kind"] != "count" {
		t.Errorf("%+v", got)
	}
	vera.want(403, "PUT", "/api/views/board", `{"page":"dashboard","title":"mine now"}`)
	vera.want(403, "DELETE", "/api/views/board", "")
	alice.want(404, "GET", "/api/views/mine", "")
	alice.want(200, "PUT", "/api/views/board", `{"page":"dashboard","title":"board 2","shared":true}`, header("If-Match", board.Header.Get("ETag")))
	alice.want(412, "PUT", "/api/views/board", `{"page":"dashboard","title":"board 3"}`, header("If-Match", board.Header.Get("ETag")))
	alice.want(204, "DELETE", "/api/views/board", "")
	alice.want(404, "DELETE", "/api/views/board", "")
	vera.want(422, "PUT", "/api/views/a%20b", `{"page":"findings","title":"x"}`)
}

func TestAudit(t *testing.T) {
	x := morning(t)
	x.add("alice", people.Responder)
	x.add("ann", people.Analyst)
	alice, ann := x.signedIn("alice"), x.signedIn("ann")
	ann.want(403, "GET", "/api/audit", "")
	ann.want(403, "GET", "/api/audit/export", "")
	key := x.stored()[0].Key
	alice.want(200, "POST", "/api/findings/"+key+"/decisions", `{"comment":"=HYPERLINK(\"x\")"}`)
	x.now = x.now.Add(time.Minute)
	alice.want(200, "POST", "/api/findings/"+key+"/decisions", `{"verdict":"expected"}`)
	trail := into[AuditTrail](alice, 200, "GET", "/api/audit?limit=1&who=alice&subject="+key, "")
	if len(trail.Lines) != 1 || trail.Lines[0].Text.String() != "verdict expected" || trail.Next == "" {
		t.Errorf("%+v", trail)
	}
	if trail = into[AuditTrail](alice, 200, "GET", "/api/audit?limit=1&action=finding&cursor="+trail.Next, ""); len(trail.Lines) != 1 || !strings.Contains(trail.Lines[0].Text.String(), "HYPERLINK") || trail.Next != "" {
		t.Errorf("%+v", trail)
	}
	inJapanese := into[AuditTrail](alice, 200, "GET", "/api/audit?limit=1&who=alice&subject="+key, "", header("Accept-Language", "ja"))
	if got := inJapanese.Lines[0].Text.String(); got != "判定: 想定内" {
		t.Errorf("in Japanese it says %q", got)
	}
	alice.want(422, "GET", "/api/audit?cursor=x", "")
	if text := alice.want(200, "GET", "/api/audit/export?format=csv", ""); strings.Count(text, "\n") != 3 || strings.Contains(text, ",=") || !strings.HasPrefix(text, "id,at,by,action,subject,text\n") {
		t.Error(text)
	}
	if text := alice.want(200, "GET", "/api/audit/export", ""); strings.Count(text, "\n") != 2 {
		t.Error(text)
	}
	var out bytes.Buffer
	if err := WriteAudit(&out, "csv")([]finding.AuditLine{{ID: 1, At: noon, By: "+A1", Action: "＝a", Subject: "@x", Text: "ok;=b \u202ec"}}, true); err != nil || !strings.Contains(out.String(), `'+A1,'＝a,'@x,ok;'=b \u202ec`) {
		t.Errorf("%s, %v", out.String(), err)
	}
}
