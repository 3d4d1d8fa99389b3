package api

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
)

func TestEvidenceAndTimeline(t *testing.T) {
	x := morning(t)
	x.add("vera", people.Viewer)
	vera := x.signedIn("vera")
	path := "/api/findings/" + finding.Key("morning", "3")
	e := into[FindingEvidence](vera, 200, "GET", path+"/evidence", "")
	if len(e.Events) != 1 || len(e.Missing) != 1 || e.Missing[0] != (event.UID{99}) {
		t.Errorf("%d events, missing %v", len(e.Events), e.Missing)
	}
	// Trouble 3 is of app-0 in theirs, as is every sixth: the others are days away.
	line := into[Timeline](vera, 200, "GET", path+"/timeline", "")
	if len(line.Events) != 2 || !line.Events[0].OfFinding || line.Events[1].OfFinding || line.Events[1].Time.Before(line.Events[0].Time) || line.More {
		t.Errorf("%d events from %s to %s, more %v", len(line.Events), line.Since, line.Until, line.More)
	}
	if len(line.Events) == 2 && string(line.Events[0].Raw) == "null" {
		t.Error("a timeline has no records")
	}
	bare := into[Timeline](vera, 200, "GET", path+"/timeline?raw=false", "")
	for i, e := range bare.Events {
		if string(e.Raw) != "null" || e.UID != line.Events[i].UID {
			t.Errorf("without records: %s, %s", e.UID, e.Raw)
		}
	}
	if wide := into[Timeline](vera, 200, "GET", path+"/timeline?hours=48", ""); !wide.Since.Equal(line.Since.Add(-46 * time.Hour)) {
		t.Errorf("since %s, of two hours %s", wide.Since, line.Since)
	}
	vera.want(422, "GET", path+"/timeline?hours=100", "")
	like := into[SimilarFindings](vera, 200, "GET", path+"/similar", "").Similar
	if len(like) == 0 || like[0].Alike != "actor_resource" || like[0].Finding.Actor != "arn:aws:iam::"+theirs+":role/app-0" || like[0].Finding.Rule != "rule-3" {
		t.Errorf("%+v", like)
	}
	for _, s := range like {
		if s.Finding.Key == finding.Key("morning", "3") || s.Finding.Rule != "rule-3" {
			t.Errorf("%s is like it: %s", s.Finding.Title, s.Why)
		}
	}
	for _, part := range []string{"/evidence", "/timeline", "/similar"} {
		vera.want(404, "GET", "/api/findings/nothing-at-all"+part, "")
	}
	if f := into[Finding](vera, 200, "GET", path, ""); f.ProposedCause == nil || f.ProposedCause.Cause != finding.CausePerson {
		t.Errorf("%+v", f.ProposedCause)
	}
}

// TestCauses: nobody waits long for a cause, who listens is told of it, and what
// one person may see is not told to another.
func TestCauses(t *testing.T) {
	x := morning(t)
	x.rooms.Triage.Causes = &Causes{}
	asked, open := 0, make(chan struct{})
	all := x.rooms.Select
	var mu sync.Mutex
	x.rooms.Select = func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
		mu.Lock()
		asked++
		mu.Unlock()
		<-open
		return all(ctx, q)
	}
	x.again()
	x.add("vera", people.Viewer)
	x.add("alice", people.Viewer, theirs)
	vera, alice := x.signedIn("vera"), x.signedIn("alice")
	path := "/api/findings/" + finding.Key("morning", "3")
	if f := into[Finding](vera, 200, "GET", path, ""); f.ProposedCause != nil || !f.CausePending {
		t.Errorf("at first: %+v, pending %v", f.ProposedCause, f.CausePending)
	}
	close(open)
	settled := func(b *browser) Finding {
		t.Helper()
		for range 200 {
			if f := into[Finding](b, 200, "GET", path, ""); !f.CausePending {
				return f
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal("the cause stays pending")
		return Finding{}
	}
	if f := settled(vera); f.ProposedCause == nil || f.ProposedCause.Cause != finding.CausePerson {
		t.Errorf("then: %+v", f.ProposedCause)
	}
	before := asked
	settled(vera)
	if asked != before {
		t.Error("what is known is looked for again")
	}
	if settled(alice); asked == before {
		t.Error("alice, who is limited, is told what vera may see")
	}
	// It is looked for again once it is old and something came in.
	changes := int64(1)
	causes := x.rooms.Triage.Causes
	causes.Changes = func() int64 { return changes }
	age := func() {
		causes.mu.Lock()
		defer causes.mu.Unlock()
		for _, c := range causes.all {
			c.at = c.at.Add(-2 * causeLasts)
		}
	}
	age()
	settled(vera) // known from before there were changes
	before = asked
	age()
	if settled(vera); asked != before {
		t.Error("nothing came in, and it is looked for again")
	}
	changes++
	if settled(vera); asked == before {
		t.Error("something came in, and it is not looked for again")
	}
}

// TestCircumstances: what tells of a cause is asked for in one question.
func TestCircumstances(t *testing.T) {
	f := func(actor, person, resource, account, want string) {
		t.Helper()
		x := finding.Finding{Trouble: finding.Trouble{Actor: actor, Resource: resource, Account: account}}
		if person != "" {
			x.Anomaly = &finding.Anomaly{Person: person}
		}
		if got := query.String(circumstances(&x)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f("", "", "", "", "")
	f("", "", "", "1", "account_uid:1 read_only:false")
	f("role", "", "", "", "actor_uid:role (read_only:false or outcome:denied or outcome:auth_failed or outcome:denied_by_org_policy)")
	f("role", "ann", "", "1", "account_uid:1 read_only:false or actor_uid:role")
	f("", "", "db", "1", "account_uid:1 read_only:false or (resource_uid:db or resource_uids:db) (read_only:false or outcome:denied or outcome:auth_failed or outcome:denied_by_org_policy)")
}
