package denials_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/denials"
	"github.com/yagura-sec/yagura/detect/detecttest"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/normalise/azureactivity"
	"github.com/yagura-sec/yagura/query"
)

// store is events in memory.
type store struct {
	mu     sync.Mutex
	events []event.Event
}

func (s *store) add(events ...event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, events...)
}

func (s *store) source() stored.Source {
	return stored.Source{Select: func(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
		s.mu.Lock()
		defer s.mu.Unlock()
		var out []event.Event
		for _, e := range s.events {
			if q.Matches(&e) {
				out = append(out, e)
			}
		}
		slices.SortFunc(out, func(a, b event.Event) int { return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:])) })
		return func(yield func(event.Event, error) bool) {
			for _, e := range out {
				if ctx.Err() != nil {
					yield(event.Event{}, ctx.Err())
					return
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}}
}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const office = "203.0.113.24"

var made int

// refused is a masked denial of a machine in a project, at a time after monday.
func refused(after time.Duration, project string, change ...func(*event.Event)) event.Event {
	made++
	e := event.Event{
		Time: monday.Add(after), Format: "gcp.audit", CloudProvider: "GCP", AccountUID: project, Region: "europe-west3",
		APIService: "compute.googleapis.com", APIOperation: "v1.compute.instances.insert", Category: event.Management,
		Outcome: event.DeniedByOrgPolicy, StatusCode: "constraints/gcp.restrictServiceUsage", ActorType: event.ActorMasked,
		SrcIP: office, UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/148.0.0.0 Safari/537.36",
		StatusDetail: "Request is disallowed by organization's constraints/gcp.restrictServiceUsage constraint for 'projects/" + project + "' attempting to use service 'compute.googleapis.com'.",
		ResourceUID:  fmt.Sprintf("//compute.googleapis.com/projects/%s/zones/europe-west3-a/instances/study-%d", project, made),
	}
	for _, f := range change {
		f(&e)
	}
	e.UID = event.HashUID("test", fmt.Sprint(made))
	return e
}

func by(actor string) func(*event.Event) {
	return func(e *event.Event) { e.ActorUID, e.ActorType = actor, event.ActorUser }
}

// same is a call for one and the same machine.
func same(e *event.Event) {
	e.ResourceUID = "//compute.googleapis.com/projects/p/zones/europe-west3-a/instances/churn-study"
}

// hunt looks at all of it.
func hunt(t *testing.T, events []event.Event) finding.Hunt {
	t.Helper()
	s := &store{events: events}
	said, err := denials.New(denials.Options{Events: s.source()}).Hunt(t.Context(), denials.Name, monday.AddDate(0, 0, -30), monday.AddDate(0, 0, 30), monday.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// found are the findings of what was said.
func found(said finding.Hunt) map[string]finding.Finding {
	by := map[string][]finding.Occurrence{}
	for _, o := range said.Occurrences {
		by[o.Key] = append(by[o.Key], o)
	}
	out := map[string]finding.Finding{}
	for key, some := range by {
		out[key] = finding.Fold(some)
	}
	return out
}

func one(t *testing.T, events []event.Event) finding.Finding {
	t.Helper()
	all := found(hunt(t, events))
	if len(all) != 1 {
		t.Fatalf("%d findings, want 1: %v", len(all), all)
	}
	for _, f := range all {
		return f
	}
	panic("unreachable")
}

func quiet(t *testing.T, events []event.Event) {
	t.Helper()
	if all := found(hunt(t, events)); len(all) != 0 {
		t.Errorf("%d findings, want none: %v", len(all), all)
	}
}

// chance: the reason says what its figure is of.
func chance(t *testing.T, f finding.Finding, want string) {
	t.Helper()
	i := slices.IndexFunc(f.Reasons, func(r finding.Reason) bool { return r.Kind == "chance" })
	if i < 0 || !strings.Contains(f.Reasons[i].Text.String(), want) || strings.Contains(f.Reasons[i].Text.String(), "secrets") {
		t.Errorf("the reasons are %v, want one that says %q", f.Reasons, want)
	}
}

// burst is so many attempts, a minute apart.
func burst(at time.Duration, n int, project string, change ...func(*event.Event)) (out []event.Event) {
	for i := range n {
		out = append(out, refused(at+time.Duration(i)*time.Minute, project, change...))
	}
	return out
}

func TestRun(t *testing.T) {
	// Four bursts on two days are one finding, and a burst that an hour's end cuts
	// is counted whole.
	events := slices.Concat(burst(9*time.Hour+50*time.Minute, 12, "kite-ml"), burst(14*time.Hour, 5, "kite-ml"),
		burst(33*time.Hour, 4, "kite-ml"), burst(36*time.Hour, 2, "kite-ml"))
	f := one(t, events)
	if f.Count != 23 || f.Kind != "anomaly.denials" || f.Account != "kite-ml" || f.Actor != office || f.Evidence.Len() != 23 {
		t.Errorf("count %d, kind %s, account %s, actor %s, evidence %d", f.Count, f.Kind, f.Account, f.Actor, f.Evidence.Len())
	}
	// What stands in the place of an address is no actor: others come from there too.
	if f := one(t, burst(9*time.Hour, 6, "kite-ml", func(e *event.Event) { e.SrcIP, e.SrcHost = "", "private" })); f.Actor != "" {
		t.Errorf("the actor of calls without an address is %q", f.Actor)
	}
	if want := "constraints/gcp.restrictServiceUsage refuses call after call in kite-ml; the log does not say whose"; f.Title != want {
		t.Errorf("title %q, want %q", f.Title, want)
	}
}

// Who calls chooses their name, and commands are pasted into shells.
func TestNextIsSafeToPaste(t *testing.T) {
	f := one(t, burst(0, 5, "kite-ml", by("mia'; rm -rf ~ #@kite.example")))
	if len(f.Next) != 1 || !strings.Contains(f.Next[0], `mia'\''; rm -rf ~ #@kite.example"`) {
		t.Errorf("next: %q", f.Next)
	}
}

func TestGates(t *testing.T) {
	// Two are a mistake and a second try.
	quiet(t, burst(9*time.Hour, 2, "p"))
	chance(t, one(t, burst(9*time.Hour, 3, "p")), "in an hour of one caller, project and policy")
	// One a day, on three days.
	days := func(n int) (out []event.Event) {
		for d := range n {
			out = append(out, refused(time.Duration(24*d+10)*time.Hour, "p"))
		}
		return out
	}
	quiet(t, days(2))
	chance(t, one(t, days(3)), "on so many of 7 days")
	// What is granted is no denial, whatever is written beside it; nor is what a
	// caller's own permissions refuse.
	quiet(t, burst(9*time.Hour, 9, "p", func(e *event.Event) { e.Outcome, e.StatusCode = event.Success, "" }))
	quiet(t, burst(9*time.Hour, 9, "p", func(e *event.Event) { e.Outcome, e.StatusCode = event.Denied, "PERMISSION_DENIED" }))
	// AWS's principals are judged elsewhere, and what names none is here.
	aws := func(e *event.Event) {
		e.CloudProvider, e.AccountUID, e.StatusCode = "AWS", "111122223333", "AccessDenied"
	}
	quiet(t, burst(9*time.Hour, 9, "p", aws, by("arn:aws:iam::111122223333:role/app")))
	one(t, burst(9*time.Hour, 9, "p", aws))
}

func TestFold(t *testing.T) {
	count := func(want int64, records int, events []event.Event) {
		t.Helper()
		if f := one(t, events); f.Count != want {
			t.Errorf("%d records count %d, want %d", records, f.Count, want)
		}
	}
	others := burst(9*time.Hour, 3, "p")
	// A client that tries the same again and again, however long, tries once.
	polling := burst(9*time.Hour, 50, "p", same)
	count(4, 53, slices.Concat(others, polling))
	// Who comes back after a pause tries again.
	again := refused(10*time.Hour, "p", same)
	count(5, 54, slices.Concat(others, polling, []event.Event{again}))
	// The end of a long-running operation is not another attempt, unless its
	// beginning was no denial.
	operation := func(twin bool) func(*event.Event) {
		return func(e *event.Event) { e.APIRequestUID, e.Twin = "operation-1", twin }
	}
	count(4, 5, slices.Concat(others, []event.Event{refused(9*time.Hour, "p", operation(false)), refused(9*time.Hour+20*time.Minute, "p", operation(true))}))
	count(4, 4, slices.Concat(others, []event.Event{refused(9*time.Hour+20*time.Minute, "p", operation(true))}))
	// Azure tells of a refusal twice, under one correlation id.
	azure := func(operation string) func(*event.Event) {
		return func(e *event.Event) {
			e.CloudProvider, e.APIOperation, e.APIRequestUID, e.ResourceUID = "Azure", operation, "c-1", "/subscriptions/s/x"
		}
	}
	count(4, 5, slices.Concat(others, []event.Event{refused(9*time.Hour, "p", azure("write")), refused(9*time.Hour+time.Second, "p", azure("policies/deny/action"))}))
}

// records are Azure's records of changes that its policies refused, as the log
// has them.
func records(t *testing.T, lines ...string) (out []event.Event) {
	t.Helper()
	for i, line := range lines {
		var err error
		if out, err = (azureactivity.Normaliser{}).Append(out, event.Raw{Body: []byte(line), Object: "o", Position: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestAzureWritesTwice: the policy's record and that of the change, or of the
// deployment that it was part of, are one refusal, told by the policy's: whichever
// comes first, and whether or not they name the same policies.
func TestAzureWritesTwice(t *testing.T) {
	const vault = "microsoft.keyvault/vaults"
	var policies, changes []string
	for i := range 5 {
		minute := 10 * i
		policies = append(policies, activity("Policy", "Microsoft.Authorization/policies/deny/action", vault+fmt.Sprintf("/v%d", i), minute, i,
			`"policies":"[{\"policyDefinitionName\":\"allowed-regions\",\"policyDefinitionEffect\":\"deny\"},{\"policyDefinitionName\":\"no-vaults\",\"policyDefinitionEffect\":\"deny\"}]"`))
		what, operation := vault+fmt.Sprintf("/v%d", i), "Microsoft.KeyVault/vaults/write"
		if i == 4 { // as part of a deployment
			what, operation = "microsoft.resources/deployments/d", "Microsoft.Resources/deployments/write"
		}
		changes = append(changes, activity("Administrative", operation, what, minute, i,
			`"statusMessage":"{\"error\":{\"code\":\"RequestDisallowedByPolicy\",\"message\":\"Disallowed.\",\"additionalInfo\":[{\"info\":{\"policyDefinitionName\":\"no-vaults\"}}]}}"`))
	}
	both := one(t, records(t, slices.Concat(policies, changes)...))
	alone := one(t, records(t, policies...))
	turned := one(t, records(t, slices.Concat(changes, policies)...))
	for _, f := range []finding.Finding{both, alone, turned} {
		if f.Count != 5 || f.Constraint != "allowed-regions,no-vaults" || f.Actor != "mei.tanaka@example.com" || f.Evidence.Len() != 5 {
			t.Errorf("count %d by %s of %s, evidence %d; want 5", f.Count, f.Constraint, f.Actor, f.Evidence.Len())
		}
	}
	if text := both.Reasons[0].Text.String(); !strings.Contains(text, "microsoft.keyvault/vaults/write") || !strings.Contains(text, "10 records") {
		t.Errorf("said %q, want what was tried and how many records", text)
	}
	// Without the policies' records those of the changes count.
	if f := one(t, records(t, changes...)); f.Count != 5 || f.Constraint != "no-vaults" {
		t.Errorf("changes alone: count %d by %s", f.Count, f.Constraint)
	}
	// One that Azure answers a quarter of an hour later is none of its.
	late := records(t, slices.Concat(policies, changes)...)
	for i := range late[5:] {
		late[5+i].Time = late[5+i].Time.Add(15 * time.Minute)
	}
	if all := found(hunt(t, late)); len(all) != 2 {
		t.Errorf("%d findings, want 2", len(all))
	}
}

// activity is a record of Azure's activity log of somebody's refused change.
func activity(category, operation, resource string, minute, request int, properties string) string {
	return fmt.Sprintf(`{"time":"2026-03-02T09:%02d:05Z","resourceId":"/subscriptions/11112222-3333-4444-8555-666677778888/resourcegroups/shop/providers/%s",`+
		`"operationName":%q,"category":%q,"resultType":"Failure","resultSignature":"Failed.Forbidden","correlationId":"940e0e90-fc03-4396-9a39-c20c36dad6%02d",`+
		`"callerIpAddress":"203.0.113.24","identity":{"claims":{"idtyp":"user","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"mei.tanaka@example.com"}},`+
		`"properties":{%s}}`, minute, resource, operation, category, request, properties)
}

func TestClusters(t *testing.T) {
	// Another project, constraint, address, client or person is another finding;
	// another version of the client is none.
	events := slices.Concat(
		burst(9*time.Hour, 4, "p"), burst(9*time.Hour, 4, "q"),
		burst(9*time.Hour, 4, "p", func(e *event.Event) { e.StatusCode = "constraints/compute.vmExternalIpAccess" }),
		burst(9*time.Hour, 4, "p", func(e *event.Event) { e.SrcIP = "198.51.100.7" }),
		burst(9*time.Hour, 4, "p", func(e *event.Event) { e.UserAgent = "google-cloud-sdk gcloud/548.0.0" }),
		burst(9*time.Hour, 4, "p", by("mei.tanaka@example.com")),
		burst(9*time.Hour+10*time.Minute, 2, "p", func(e *event.Event) { e.UserAgent = "Mozilla/5.0 Chrome/149.0.0.0 Safari/537.36" }),
	)
	all := found(hunt(t, events))
	if len(all) != 6 {
		t.Errorf("%d findings, want 6", len(all))
	}
	for _, f := range all {
		if f.Actor == "mei.tanaka@example.com" && f.Inferred != nil {
			t.Error("who is logged is inferred")
		}
	}
}

func TestPast(t *testing.T) {
	// A pipeline that a policy has refused for weeks is no news; the same of
	// somebody else is.
	pipeline := func(e *event.Event) { e.UserAgent, e.SrcIP = "Terraform/1.15", "198.51.100.80" }
	var past []event.Event
	for d := range 14 {
		for _, h := range []int{2, 8, 14, 20} {
			past = append(past, burst(time.Duration(24*(d-14)+h)*time.Hour, 4, "p", pipeline)...)
		}
	}
	today := func(n int, change ...func(*event.Event)) (n2 int) {
		for _, o := range hunt(t, slices.Concat(past, burst(8*time.Hour, n, "p", change...))).Occurrences {
			if !o.Since.Before(monday) {
				n2++
			}
		}
		return n2
	}
	if n := today(5, pipeline); n != 0 {
		t.Errorf("what comes every day is told %d times", n)
	}
	if n := today(5); n != 1 {
		t.Errorf("what never came is told %d times, want once", n)
	}
	if n := today(40, pipeline); n != 1 {
		t.Errorf("ten times the usual is told %d times, want once", n)
	}
}

func TestOpen(t *testing.T) {
	s := &store{events: burst(9*time.Hour, 4, "p")}
	h := denials.New(denials.Options{Events: s.source()})
	open := func(now time.Time) int {
		said, err := h.Hunt(t.Context(), denials.Name, monday, monday.AddDate(0, 0, 1), now)
		if err != nil || len(said.Occurrences) != 1 {
			t.Fatalf("%v, %v", said, err)
		}
		return len(said.Again)
	}
	if open(monday.Add(10*time.Hour)) != 1 || open(monday.Add(36*time.Hour)) != 0 {
		t.Error("an hour is to stay open until the log reaches a day beyond it, and no longer")
	}
}

func TestHunter(t *testing.T) {
	events := slices.Concat(
		burst(9*time.Hour+57*time.Minute, 7, "p"), burst(20*time.Hour, 2, "p"), burst(30*time.Hour, 8, "p", same), burst(30*time.Hour, 3, "p"),
		burst(40*time.Hour, 2, "q"), []event.Event{refused(64*time.Hour, "q"), refused(90*time.Hour, "q")},
	)
	detecttest.TestHunter(t, func(t *testing.T) detecttest.Hunted {
		s := &store{}
		return detecttest.Hunted{Hunter: denials.New(denials.Options{Events: s.source()}), Detector: &denials.Marker{}, Append: s.add}
	}, events)
}
