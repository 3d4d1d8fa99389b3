package denials_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect/denials"
	"github.com/yagura-sec/yagura/detect/detecttest"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
)

const mei = "mei.tanaka@example.com"

// logged is a call that names somebody.
func logged(after time.Duration, actor, project, service, operation string, change ...func(*event.Event)) event.Event {
	return refused(after, project, append([]func(*event.Event){func(e *event.Event) {
		e.Outcome, e.StatusCode, e.StatusDetail = event.Success, "", ""
		e.ActorUID, e.ActorType, e.APIService, e.APIOperation = actor, event.ActorUser, service, operation
		e.ResourceUID = ""
	}}, change...)...)
}

// story is that somebody who works in a project opens a notebook, alone behind an
// address.
func story(more ...event.Event) []event.Event {
	var out []event.Event
	for k := range 6 {
		out = append(out, logged(time.Duration(2+k)*time.Hour, mei, "kite-ml", "storage.googleapis.com", "storage.objects.list"))
	}
	for i, e := range burst(9*time.Hour, 6, "kite-ml") {
		out = append(out, e, logged(9*time.Hour+time.Duration(i)*time.Minute-5*time.Second, "", "kite-ml", "notebooks.googleapis.com",
			"google.cloud.notebooks.v2.NotebookService.CreateInstance", func(e *event.Event) { e.ActorType = event.ActorMasked }))
	}
	return append(out, more...)
}

func registered(entry register.Entry) func(context.Context, string) (register.Entry, bool, error) {
	entry.Clean()
	return func(_ context.Context, project string) (register.Entry, bool, error) {
		return entry, project == entry.Project, nil
	}
}

func entry(services ...string) register.Entry {
	e := register.Entry{Project: "kite-ml", Applicant: "sora.kato@example.com", Owner: "sora.kato@example.com"}
	for _, s := range services {
		e.Services = append(e.Services, register.Service{ID: s})
	}
	return e
}

func told(t *testing.T, o denials.Options, events []event.Event) finding.Finding {
	t.Helper()
	s := &store{events: events}
	o.Events = s.source()
	said, err := denials.New(o).Hunt(t.Context(), denials.Name, monday.AddDate(0, 0, -2), monday.AddDate(0, 0, 5), monday.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	all := found(said)
	if len(all) != 1 {
		t.Fatalf("%d findings, want 1", len(all))
	}
	for _, f := range all {
		return f
	}
	panic("unreachable")
}

func TestGap(t *testing.T) {
	gap := registered(entry("notebooks.googleapis.com", "storage.googleapis.com"))
	f := told(t, denials.Options{Register: gap}, story())
	if f.Count != 6 || f.Inferred == nil || f.Inferred.UID != mei || f.Intent != "workbench-notebook" || f.ImpliedService != "compute.googleapis.com" {
		t.Fatalf("count %d, inferred %+v, intent %q, implied %q", f.Count, f.Inferred, f.Intent, f.ImpliedService)
	}
	g := f.RegisterGap
	if g == nil || g.Project != "kite-ml" || g.Service != "compute.googleapis.com" || g.NeededBy != "notebooks.googleapis.com" || !slices.Contains(g.Applied, "storage.googleapis.com") {
		t.Errorf("gap %+v", g)
	}
	if p := f.Proposed; p == nil || p.Verdict != finding.Expected || p.Reason != finding.ApplicationGap || len(p.Why) < 4 || f.Severity != finding.Medium {
		t.Errorf("proposed %+v, severity %s", p, f.Severity)
	}
	// No gap: it was applied for, or no register tells, or the project is not in it.
	for name, o := range map[string]denials.Options{
		"applied for": {Register: registered(entry("notebooks.googleapis.com", "compute.googleapis.com"))},
		"no register": {},
		"unknown":     {Register: registered(register.Entry{Project: "other", Owner: "x"})},
	} {
		if f := told(t, o, story()); f.RegisterGap != nil || f.Proposed != nil || f.Intent == "" {
			t.Errorf("%s: gap %+v, proposed %+v, intent %q", name, f.RegisterGap, f.Proposed, f.Intent)
		}
	}
	// The notebook itself was not applied for either: a gap, and not for us to wave through.
	if f := told(t, denials.Options{Register: registered(entry("storage.googleapis.com"))}, story()); f.RegisterGap == nil || f.Proposed != nil {
		t.Errorf("gap %+v, proposed %+v", f.RegisterGap, f.Proposed)
	}
}

// TestSeenCompanions: what services' agents are seen to call in the project is what
// those bring along, beside what the list has.
func TestSeenCompanions(t *testing.T) {
	const robot, files = "service-1@container-engine-robot.iam.gserviceaccount.com", "file.googleapis.com"
	events := burst(9*time.Hour, 6, "kite-ml", func(e *event.Event) {
		e.APIService, e.APIOperation, e.ActorUID = files, "google.cloud.filestore.v1.CloudFilestoreManager.CreateInstance", robot
		e.StatusDetail = "Request is disallowed by organization's constraints/gcp.restrictServiceUsage constraint for 'projects/kite-ml' attempting to use service 'file.googleapis.com'."
	})
	for k := range 6 {
		events = append(events, logged(time.Duration(2+k)*time.Hour, mei, "kite-ml", "storage.googleapis.com", "storage.objects.list"))
	}
	o := denials.Options{Register: registered(entry("container.googleapis.com"))}
	if f := told(t, o, events); f.ImpliedService != "" || f.RegisterGap != nil {
		t.Errorf("nobody saw it: implied %q, gap %+v", f.ImpliedService, f.RegisterGap)
	}
	var asked []string
	o.Agents = func(_ context.Context, project, service string, since, until time.Time) ([]companion.Sighting, error) {
		asked = append(asked, project, service)
		if since.After(monday.AddDate(0, 0, -13)) || until.Before(monday.Add(10*time.Hour)) {
			t.Errorf("asked for %s to %s", since, until)
		}
		return []companion.Sighting{{Agent: robot, Called: files, Last: monday}, {Agent: "somebody@kite-ml.iam.gserviceaccount.com", Called: files, Last: monday}}, nil
	}
	f := told(t, o, events)
	if g := f.RegisterGap; f.ImpliedService != files || g == nil || g.NeededBy != "container.googleapis.com" || g.Service != files {
		t.Errorf("implied %q, gap %+v", f.ImpliedService, g)
	}
	if !slices.ContainsFunc(f.Reasons, func(r finding.Reason) bool {
		return strings.Contains(r.Text.String(), "its agent was seen to call it, last at 2026-03-02")
	}) || f.Proposed != nil {
		t.Errorf("said %+v, proposed %+v", f.Reasons, f.Proposed)
	}
	if len(asked) != 2 || asked[0] != "kite-ml" || asked[1] != files {
		t.Errorf("asked for %v", asked)
	}
	o.Agents = func(context.Context, string, string, time.Time, time.Time) ([]companion.Sighting, error) {
		return nil, errors.New("no sums")
	}
	s := &store{events: events}
	o.Events = s.source()
	if _, err := denials.New(o).Hunt(t.Context(), denials.Name, monday, monday.AddDate(0, 0, 1), monday.AddDate(1, 0, 0)); err == nil {
		t.Error("what cannot be asked is passed over")
	}
}

func TestNeverHarmless(t *testing.T) {
	gap := denials.Options{Register: registered(entry("notebooks.googleapis.com"))}
	high := func(name string, events []event.Event) {
		t.Helper()
		if f := told(t, gap, events); f.Severity != finding.High || f.Proposed != nil || f.RegisterGap != nil {
			t.Errorf("%s: severity %s, proposed %+v, gap %+v", name, f.Severity, f.Proposed, f.RegisterGap)
		}
	}
	high("a key", story(logged(20*time.Hour, mei, "kite-ml", "iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey")))
	high("a policy", story(logged(8*time.Hour, mei, "kite-ml", "cloudresourcemanager.googleapis.com", "SetIamPolicy")))
	high("a sink", story(logged(10*time.Hour, mei, "other", "logging.googleapis.com", "google.logging.v2.ConfigServiceV2.DeleteSink")))
	// From an address that is used for nothing else.
	elsewhere := story()
	for i := range elsewhere {
		if elsewhere[i].ActorUID == mei {
			elsewhere[i].SrcIP = "198.51.100.7"
		}
	}
	high("a new network", append(elsewhere, logged(9*time.Hour-3*time.Minute, mei, "", "login", "login_success", func(e *event.Event) { e.ClassUID = event.ClassAuthentication })))
	// Somebody else's key, or one that was refused, is no warning; but who does not
	// work in the project, and nobody at all, is not waved through.
	calm := func(name string, proposed bool, events []event.Event) {
		t.Helper()
		if f := told(t, gap, events); f.Severity != finding.Medium || (f.Proposed != nil) != proposed {
			t.Errorf("%s: severity %s, proposed %+v", name, f.Severity, f.Proposed)
		}
	}
	key := func(actor string, change ...func(*event.Event)) event.Event {
		return logged(10*time.Hour, actor, "other", "iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey", append(change, func(e *event.Event) {
			if actor != mei {
				e.SrcIP = "198.51.100.9"
			}
		})...)
	}
	calm("another's key", true, story(key("sora.kato@example.com")))
	calm("a refused key", true, story(key(mei, func(e *event.Event) { e.Outcome = event.Denied })))
	stranger := story()
	for i := range stranger {
		if stranger[i].ActorUID == mei {
			stranger[i].AccountUID = "other"
		}
	}
	calm("a stranger", false, stranger)
	crowd := story()
	for i := range 40 {
		crowd = append(crowd, logged(8*time.Hour, fmt.Sprintf("colleague.%d@example.com", i), "kite-ml", "storage.googleapis.com", "storage.objects.list"))
	}
	calm("nobody named", false, crowd)
	// A perimeter's refusal is about data.
	perimeter := story()
	for i := range perimeter {
		if perimeter[i].Outcome == event.DeniedByOrgPolicy {
			perimeter[i].StatusCode = "vpc-service-controls"
		}
	}
	calm("a perimeter", false, perimeter)
	if f := told(t, gap, perimeter); f.Intent != "" || f.ImpliedService != "" || f.RegisterGap != nil {
		t.Errorf("of a perimeter is said %q, %q, %+v", f.Intent, f.ImpliedService, f.RegisterGap)
	}
	// How a service is used is no matter of applications.
	external := story()
	for i := range external {
		if external[i].Outcome == event.DeniedByOrgPolicy {
			external[i].StatusCode = "constraints/compute.vmExternalIpAccess"
		}
	}
	if f := told(t, gap, external); f.RegisterGap != nil || f.Proposed != nil {
		t.Errorf("gap %+v", f.RegisterGap)
	}
}

// What is inferred rests on what is stored, in whatever order it came.
func TestHunterInfers(t *testing.T) {
	events := slices.Concat(story(logged(20*time.Hour, mei, "kite-ml", "iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey")),
		burst(31*time.Hour, 3, "kite-ml"), []event.Event{logged(30*time.Hour, mei, "kite-ml", "storage.googleapis.com", "storage.objects.list")})
	detecttest.TestHunter(t, func(*testing.T) detecttest.Hunted {
		s := &store{}
		h := denials.New(denials.Options{Events: s.source(), Register: registered(entry("notebooks.googleapis.com"))})
		return detecttest.Hunted{Hunter: h, Detector: &denials.Marker{}, Append: s.add}
	}, events)
}
