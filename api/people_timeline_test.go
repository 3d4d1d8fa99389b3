package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/event/trail"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/lake/memory"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/triage"
)

const (
	mei     = "mei.tanaka@hoshino.example"
	kite    = "kite-ml"
	refuser = "constraints/gcp.restrictServiceUsage"
)

var nine = time.Date(2026, 2, 24, 9, 0, 0, 0, time.UTC) // a Tuesday

// followed are the logs of eight days in which Mei has one morning: a logon, a
// lease, a page through a proxy that asks nobody's name, a call, and two that were
// refused without a name. Every log is busy in every hour, but the proxy's at noon
// of that day, and devices' logs behind the last.
func followed() []event.Event {
	var out []event.Event
	add := func(at time.Time, e event.Event) {
		e.UID, e.Time, e.Object = event.UID{9, byte(len(out) >> 8), byte(len(out))}, at, "o"
		if e.Outcome == "" {
			e.Outcome = event.Success
		}
		out = append(out, e)
	}
	for h := -7 * 24; h < 24; h++ {
		for n := range 13 {
			at := nine.Add(time.Duration(h)*time.Hour + time.Duration(n)*time.Minute)
			add(at, event.Event{Format: "gcp.audit", CloudProvider: "Google Cloud", AccountUID: kite, ActorUID: "batch@kite-ml.iam.gserviceaccount.com", APIOperation: "storage.objects.get"})
			if h != 3 {
				add(at, event.Event{Format: "squid.access", ActorUID: "other@hoshino.example", SrcIP: "10.20.9.9", APIService: "example.com"})
			}
			add(at, event.Event{Format: "edr.process", DeviceName: "hsn-pc-2000", ActorUID: `hoshino\other`, Process: "/bin/true"})
			add(at, event.Event{Format: "google.workspace.login", ClassUID: event.ClassAuthentication, AccountUID: "hoshino.example", ActorUID: "other@hoshino.example", APIOperation: "login_success"})
		}
	}
	minute := func(n int) time.Time { return nine.Add(time.Duration(n) * time.Minute) }
	add(minute(-30), event.Event{Format: "dhcp.lease", DeviceUID: "02:1a:c5:00:11:22", DeviceName: "HSN-mbp-1007", SrcHost: "hsn-mbp-1007", SrcIP: "10.20.3.7"})
	add(minute(0), event.Event{Format: "edr.logon", ClassUID: event.ClassAuthentication, ActivityID: 1, DeviceName: "hsn-mbp-1007", ActorUID: `hoshino\mei.tanaka`, APIOperation: "UserLogon"})
	add(minute(2), event.Event{Format: "squid.access", ClassUID: event.ClassHTTP, SrcIP: "10.20.3.7", APIService: "console.cloud.google.com", URL: "console.cloud.google.com:443", APIOperation: "CONNECT"})
	add(minute(5), event.Event{Format: "gcp.audit", CloudProvider: "Google Cloud", AccountUID: kite, ActorUID: mei, APIService: "notebooks.googleapis.com",
		APIOperation: "google.cloud.notebooks.v2.NotebookService.CreateInstance", ResourceUID: "//notebooks.googleapis.com/projects/kite-ml/locations/a/instances/nb-1"})
	add(minute(5).Add(30*time.Second), event.Event{Format: "gcp.audit", CloudProvider: "Google Cloud", AccountUID: kite, ActorType: event.ActorMasked, APIService: "notebooks.googleapis.com",
		APIOperation: "google.cloud.notebooks.v2.NotebookService.CreateInstance", ResourceUID: "//notebooks.googleapis.com/projects/kite-ml/locations/a/instances/nb-2"})
	for n := range 2 {
		add(minute(6+n), event.Event{Format: "gcp.audit", CloudProvider: "Google Cloud", AccountUID: kite, ActorType: event.ActorMasked, SrcIP: "203.0.113.9",
			APIService: "compute.googleapis.com", APIOperation: "v1.compute.instances.insert", Outcome: event.DeniedByOrgPolicy, StatusCode: refuser})
	}
	// The lease went to another, who asks for a page too.
	add(minute(60), event.Event{Format: "dhcp.lease", DeviceUID: "02:1a:c5:00:99:99", DeviceName: "hsn-pc-3000", SrcIP: "10.20.3.7"})
	add(minute(65), event.Event{Format: "squid.access", ClassUID: event.ClassHTTP, SrcIP: "10.20.3.7", APIService: "elsewhere.example"})
	return out
}

// following gives a house with these logs and a finding that infers Mei.
func followedHouse(t *testing.T, events []event.Event) (*house, string) {
	t.Helper()
	x := newHouse(t, Config{})
	store := &memory.Store{Now: func() time.Time { return noon }}
	for i := range events {
		events[i].Position = int64(i)
	}
	if _, err := store.Append(t.Context(), event.Batch{Events: events, Spans: []event.Span{{Object: "o", Version: "v", Records: int64(len(events))}}}); err != nil {
		t.Fatal(err)
	}
	x.rooms.Select = store.Select
	x.rooms.Console.Histogram = func(ctx context.Context, q query.Query, n int) (lake.Histogram, error) {
		return store.Histogram(ctx, q, n, 0)
	}
	x.rooms.Console.Values = func(ctx context.Context, q query.Query, fields []string, most int) (lake.FieldValues, error) {
		return store.Values(ctx, q, fields, most, 0)
	}
	o := finding.Occurrence{Batch: event.BatchID{3}, FirstSeen: nine.Add(6 * time.Minute), LastSeen: nine.Add(7 * time.Minute), Count: 2}
	o.Key, o.Kind, o.Title, o.Severity, o.Confidence = finding.Key("run"), finding.KindAnomaly+".denials", "A run of denials", finding.Medium, 0.7
	o.Account, o.Constraint, o.Actor = kite, refuser, "203.0.113.9"
	o.RegisterGap = &finding.RegisterGap{Project: kite, Service: "compute.googleapis.com", NeededBy: "notebooks.googleapis.com"}
	o.Inferred = &finding.Inference{UID: mei, Probability: 0.93, Candidates: []finding.Candidate{{UID: mei, Probability: 0.93}}, None: 0.05}
	if err := x.rooms.Findings.(triage.Recorder).Record(t.Context(), o.Batch, finding.Judged{Occurrences: []finding.Occurrence{o}}); err != nil {
		t.Fatal(err)
	}
	x.again()
	return x, o.Key
}

func timelineOf(b *browser, uid, search string) PersonTimeline {
	b.t.Helper()
	return into[PersonTimeline](b, 200, "GET", "/api/people/"+url.PathEscape(uid)+"/timeline"+search, "")
}

func saidOf(runs []trail.Run) (out []string) {
	for _, r := range runs {
		mark := ""
		if r.Inferred {
			mark = "~"
		}
		out = append(out, fmt.Sprintf("%s %s%s", r.First.Format("15:04"), mark, r.Text))
	}
	return out
}

func TestPersonTimeline(t *testing.T) {
	x, key := followedHouse(t, followed())
	x.add("vera", people.Viewer)
	vera := x.signedIn("vera")
	got := timelineOf(vera, mei, "?around="+key)
	want := []string{
		"08:30 HSN-mbp-1007 gets the address 10.20.3.7",
		"09:00 logs on to hsn-mbp-1007",
		"09:02 ~opens console.cloud.google.com from 10.20.3.7",
		"09:05 asks for the notebook nb-1 in kite-ml",
		"09:05 ~asks for the notebook nb-2 in kite-ml",
		"09:06 ~asks for the machine in kite-ml: refused 2 times by " + refuser,
	}
	if texts := saidOf(got.Runs); !slices.Equal(texts, want) {
		t.Errorf("what Mei did:\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(want, "\n"))
	}
	if !got.Since.Equal(nine.Add(6*time.Minute-2*time.Hour)) || got.Finding == nil || !got.Finding.Inferred || got.Finding.Probability != 0.93 {
		t.Errorf("since %s, finding %+v", got.Since, got.Finding)
	}
	// Every row leads to its records.
	for _, r := range got.Runs {
		a := into[struct{ Events []Event }](vera, 200, "GET", "/api/search?limit=1000&q="+url.QueryEscape(r.Query)+"&since="+r.Since.Format(time.RFC3339Nano)+"&until="+r.Until.Format(time.RFC3339Nano), "")
		if len(a.Events) != r.Count {
			t.Errorf("%s finds %d events, not %d", r.Query, len(a.Events), r.Count)
		}
	}
	rules := map[trail.Rule]string{}
	for _, i := range got.Identities {
		rules[i.Rule] = i.UID
	}
	if rules[trail.ByUser] != `hoshino\mei.tanaka` || rules[trail.ByLease] != "10.20.3.7 (hsn-mbp-1007)" || rules[trail.ByDevice] != "hsn-mbp-1007" {
		t.Errorf("looked for as %v", rules)
	}
	if got.End == nil || !got.End.Known || !got.End.At.Equal(nine.Add(7*time.Minute)) {
		t.Errorf("the end is %+v; notes %v", got.End, got.Notes)
	}
	// Without the finding nobody says whose the refused calls were.
	if n := len(timelineOf(vera, mei, "?since="+nine.Add(-time.Hour).Format(time.RFC3339)+"&until="+nine.Add(time.Hour).Format(time.RFC3339)).Runs); n != 4 {
		t.Errorf("%d runs without the finding, want 4", n)
	}
	// Somebody else's timeline infers nothing.
	if other := timelineOf(vera, "other@hoshino.example", "?around="+key); other.Finding.Inferred {
		t.Error("the finding infers Mei, and not another")
	}
	vera.want(422, "GET", "/api/people/x/timeline?since=2026-01-01T00:00:00Z&until=2026-02-24T00:00:00Z", "")
	vera.want(422, "GET", "/api/people/x/timeline?since=2026-02-24T00:00:00Z&until=2026-02-24T00:00:00Z", "")
	vera.want(404, "GET", "/api/people/x/timeline?around=nothing", "")
	if late := timelineOf(vera, mei, ""); len(late.Runs) != 0 || !late.Latest.Equal(nine.Add(5*time.Minute)) {
		t.Errorf("%d runs, the latest event %s", len(late.Runs), late.Latest)
	}
}

// TestPersonTimelineGaps: where a log is silent, ends, or never came, nothing is
// known, and that is said.
func TestPersonTimelineGaps(t *testing.T) {
	x, key := followedHouse(t, followed())
	x.add("vera", people.Viewer)
	vera := x.signedIn("vera")
	gaps := func(l []PersonLane, kind trail.Kind) (out []string) {
		for _, x := range l {
			for _, g := range x.Gaps {
				if x.Kind == kind {
					out = append(out, g.From.Format("02 15:04")+"-"+g.To.Format("02 15:04"))
				}
			}
		}
		return out
	}
	noonOn := timelineOf(vera, mei, "?around="+key+"&until="+nine.Add(5*time.Hour).Format(time.RFC3339))
	if got := gaps(noonOn.Lanes, trail.Proxy); !slices.Equal(got, []string{"24 12:00-24 13:00"}) {
		t.Errorf("the proxy is silent at %v", got)
	}
	if got := gaps(noonOn.Lanes, trail.Cloud); len(got) != 0 {
		t.Errorf("the cloud is silent at %v", got)
	}
	if noonOn.End == nil || noonOn.End.Known {
		t.Errorf("an hour of the proxy is missing behind the last event: %+v", noonOn.End)
	}
	behind := timelineOf(vera, mei, "?around="+key+"&until="+nine.Add(30*time.Hour).Format(time.RFC3339))
	if got := gaps(behind.Lanes, trail.Cloud); !slices.Equal(got, []string{"25 09:00-25 15:00"}) {
		t.Errorf("the cloud's log is not known at %v", got)
	}
	deaf, _ := followedHouse(t, slices.DeleteFunc(followed(), func(e event.Event) bool { return trail.KindOf(e.Format) == trail.Device }))
	deaf.add("vera", people.Viewer)
	line := timelineOf(deaf.signedIn("vera"), mei, "?around="+key)
	if len(line.Notes) != 1 || line.Notes[0].String() != "No log of devices comes in: what was done there is not known" || line.End.Known {
		t.Errorf("notes %v, end %+v", line.Notes, line.End)
	}
}

// TestPersonTimelineLimited: who is limited to accounts sees no other's events.
func TestPersonTimelineLimited(t *testing.T) {
	x, _ := followedHouse(t, followed())
	x.add("alice", people.Viewer, kite)
	x.add("bob", people.Viewer, "another")
	around := "?since=" + nine.Add(-time.Hour).Format(time.RFC3339) + "&until=" + nine.Add(time.Hour).Format(time.RFC3339)
	alice := timelineOf(x.signedIn("alice"), mei, around)
	if len(alice.Runs) != 1 || alice.Runs[0].Account != kite || len(alice.Notes) == 0 {
		t.Errorf("alice sees %v", saidOf(alice.Runs))
	}
	if bob := timelineOf(x.signedIn("bob"), mei, around); len(bob.Runs) != 0 || !bob.Latest.IsZero() {
		t.Errorf("bob sees %v", saidOf(bob.Runs))
	}
}

// TestAlike: of two who are called alike neither is taken for the other.
func TestAlike(t *testing.T) {
	events := followed()
	e := events[slices.IndexFunc(events, func(e event.Event) bool { return e.ActorUID == `hoshino\mei.tanaka` })]
	e.UID, e.ActorUID = event.UID{200}, `berlin\mei.tanaka`
	x, key := followedHouse(t, append(events, e))
	x.add("vera", people.Viewer)
	got := timelineOf(x.signedIn("vera"), mei, "?around="+key)
	if slices.ContainsFunc(got.Identities, func(i PersonIdentity) bool { return i.Rule == trail.ByUser || i.Rule == trail.ByLease }) || len(got.Notes) != 1 {
		t.Errorf("looked for as %+v, notes %v", got.Identities, got.Notes)
	}
}
