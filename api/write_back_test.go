package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/respond"
	"github.com/yagura-sec/yagura/triage"
)

// heard is a product that can be told, and refuses when asked to.
type heard struct {
	told   int
	refuse error
}

func (*heard) As(*finding.Finding) string { return "as tester" }

func (*heard) Plan(_ context.Context, f *finding.Finding, t respond.Told) ([]respond.Call, error) {
	body, err := json.Marshal(map[string]string{"id": f.External.UID, "status": string(t.Status)})
	return []respond.Call{{Operation: "Archive", Region: "eu-west-1", Method: "POST", URL: "https://guardduty.example/archive", Body: body}}, err
}

func (h *heard) Apply(context.Context, *finding.Finding, respond.Told) ([]respond.Answer, error) {
	h.told++
	return []respond.Answer{{Operation: "Archive", Text: "archived"}}, h.refuse
}

// TestWriteBack: ours and GuardDuty's of one trouble are one finding, decided as
// one; GuardDuty is told when a responder asks, and not otherwise.
func TestWriteBack(t *testing.T) {
	x := newHouse(t, Config{})
	h := &heard{}
	store := x.rooms.Triage.Store
	x.rooms.Triage.WriteBack = &respond.Desk{
		Responders: map[string]respond.Responder{"aws.guardduty": h}, Now: func() time.Time { return x.now }, Log: store.Log,
		Commands: func(finding.Trouble, finding.Status, string) ([]string, string) {
			return []string{"aws guardduty archive-findings"}, ""
		},
		Lines: func(ctx context.Context, key string) ([]finding.AuditLine, error) {
			lines, _, err := store.Audit(ctx, triage.AuditFilter{Subject: key, Action: respond.Action})
			return lines, err
		},
	}
	x.again()
	const role = "arn:aws:iam::111122223333:role/app"
	occurrence := func(key string, change func(o *finding.Occurrence)) finding.Occurrence {
		o := finding.Occurrence{Batch: event.BatchID{2}, FirstSeen: noon, LastSeen: noon, Count: 1}
		o.Key, o.Kind, o.Title, o.Severity, o.Actor, o.Account = finding.Key(key), finding.KindRule, "told by "+key, finding.High, role, "111122223333"
		o.Attack = []finding.Attack{{ID: "T1555.006"}}
		change(&o)
		return o
	}
	ours := occurrence("us", func(o *finding.Occurrence) {
		o.Resource = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"
	})
	theirs := occurrence("them", func(o *finding.Occurrence) {
		o.Kind, o.Source = finding.KindExternal, "guardduty"
		o.External = &finding.External{Product: "GuardDuty", UID: "f1", Format: "aws.guardduty", Given: finding.New, Type: "CredentialAccess:IAMUser/AnomalousBehavior"}
	})
	recorder := x.rooms.Findings.(triage.Recorder)
	if err := recorder.Record(t.Context(), event.BatchID{2}, finding.Judged{Occurrences: []finding.Occurrence{ours, theirs}}); err != nil {
		t.Fatal(err)
	}
	x.add("ann", people.Analyst)
	x.add("rita", people.Responder)
	ann, rita := x.signedIn("ann"), x.signedIn("rita")

	var page Findings
	read := func(text string, into any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	read(ann.want(200, "GET", "/api/findings?q=source:guardduty", ""), &page)
	if len(page.Findings) != 1 || *page.Total != 1 || page.Findings[0].Key != ours.Key || len(page.Findings[0].AlsoReportedBy) != 1 || page.Findings[0].AlsoReportedBy[0].UID != "f1" {
		t.Fatalf("listed are %+v", page.Findings)
	}
	read(ann.want(200, "GET", "/api/findings?folded=true&q=source:guardduty", ""), &page)
	if len(page.Findings) != 2 || page.Findings[1].FoldedInto+page.Findings[0].FoldedInto != ours.Key {
		t.Fatalf("with what is folded there are %+v", page.Findings)
	}
	of := "/api/findings/" + theirs.Key + "/write-back"
	ann.want(403, "GET", of, "")
	var plan respond.Plan
	read(rita.want(200, "GET", of, ""), &plan)
	if plan.ID != "" || !strings.Contains(plan.Why, "nothing was decided") {
		t.Errorf("before a decision: %+v", plan)
	}
	ann.want(200, "POST", "/api/findings/"+ours.Key+"/decisions", `{"status":"suppressed","verdict":"expected","reason":"planned_change"}`)
	read(rita.want(200, "GET", of, ""), &plan)
	if plan.ID == "" || plan.As != "as tester" || len(plan.Calls) != 1 || string(plan.Calls[0].Body) != `{"id":"f1","status":"suppressed"}` || len(plan.Sent) != 0 || h.told != 0 {
		t.Errorf("the plan is %+v, told %d times", plan, h.told)
	}
	ann.want(403, "POST", of, fmt.Sprintf(`{"plan":%q}`, plan.ID))
	rita.want(409, "POST", of, `{"plan":"another"}`)
	if h.told != 0 {
		t.Fatal("it was told without being asked")
	}
	var sent respond.Sent
	read(rita.want(200, "POST", of, fmt.Sprintf(`{"plan":%q}`, plan.ID)), &sent)
	if h.told != 1 || sent.Step != respond.Done || !strings.Contains(sent.By, "rita") {
		t.Errorf("told %d times: %+v", h.told, sent)
	}
	h.refuse = errors.New("AccessDeniedException: you may not")
	if text := rita.want(502, "POST", of, fmt.Sprintf(`{"plan":%q}`, plan.ID)); !strings.Contains(text, "you may not") {
		t.Errorf("refused with %s", text)
	}
	read(rita.want(200, "GET", of, ""), &plan)
	if len(plan.Sent) != 4 || plan.Sent[0].Step != respond.Failed || plan.Sent[2].Step != respond.Done {
		t.Errorf("kept are %+v", plan.Sent)
	}
	read(rita.want(200, "GET", "/api/findings/"+ours.Key+"/write-back", ""), &plan)
	if plan.ID != "" || !strings.Contains(plan.Why, "Yagura's own") {
		t.Errorf("of ours: %+v", plan)
	}
	rita.want(422, "POST", "/api/findings/"+ours.Key+"/write-back", `{"plan":"x"}`)
}
