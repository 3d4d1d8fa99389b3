package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

const notebooks, compute = "notebooks.googleapis.com", "compute.googleapis.com"

// workshop is a house with one project in the register, and who may change it.
func workshop(t *testing.T) (x *house, rose *browser) {
	t.Helper()
	x = newHouse(t, Config{})
	x.add("rose", people.Responder)
	rose = x.signedIn("rose")
	rose.want(200, "PUT", "/api/register/projects/kite-ml", `{"applicant":"mia@kite.example","owner":"ml-team","services":[{"id":"Notebooks.googleapis.com"}],"note":"first"}`)
	return x, rose
}

func TestRegisterEntries(t *testing.T) {
	x, rose := workshop(t)
	x.add("vera", people.Viewer)
	x.add("ann", people.Analyst)
	vera, ann := x.signedIn("vera"), x.signedIn("ann")
	got := vera.ask("GET", "/api/register/projects/kite-ml", "")
	tag := got.Header.Get("ETag")
	e := into[RegisterEntry](vera, 200, "GET", "/api/register/projects/kite-ml", "")
	if len(e.Services) != 1 || e.Services[0].ID != notebooks || e.Services[0].Name != "Vertex AI Workbench" {
		t.Errorf("services %+v", e.Services)
	}
	if len(e.Implied) == 0 || e.Implied[0].Service != compute || !e.Implied[0].Always || !strings.HasPrefix(e.Implied[0].Text.String(), "Vertex AI Workbench needs Compute Engine: ") || e.Implied[0].Source == "" {
		t.Errorf("implied %+v", e.Implied)
	}
	if ja := into[RegisterEntry](vera, 200, "GET", "/api/register/projects/kite-ml", "", header("Accept-Language", "ja")); !strings.Contains(ja.Implied[0].Text.String(), "が必要") || ja.Implied[0].Why == e.Implied[0].Why {
		t.Errorf("in Japanese %+v", ja.Implied[0])
	}
	const more = `{"owner":"ml-team","services":[{"id":"notebooks.googleapis.com"},{"id":"compute.googleapis.com","until":"2026-12-31T00:00:00Z"}]}`
	vera.want(403, "PUT", "/api/register/projects/kite-ml", more)
	ann.want(403, "PUT", "/api/register/projects/kite-ml", more)
	rose.want(412, "PUT", "/api/register/projects/kite-ml", more, header("If-Match", `"old"`))
	rose.want(404, "PUT", "/api/register/projects/kite-web", more, header("If-Match", tag))
	rose.want(200, "PUT", "/api/register/projects/kite-ml", more, header("If-Match", tag))
	rose.want(412, "DELETE", "/api/register/projects/kite-ml", "", header("If-Match", tag))
	rose.want(422, "PUT", "/api/register/projects/kite-web", `{"services":[]}`)
	rose.want(422, "PUT", "/api/register/projects/kite-web", `{"owner":"a","services":[{"id":"x","from":"2026-02-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}]}`)

	rose.want(204, "DELETE", "/api/register/projects/kite-ml?note=over", "")
	vera.want(404, "GET", "/api/register/projects/kite-ml", "")
	h := into[RegisterHistory](vera, 200, "GET", "/api/register/projects/kite-ml/history", "")
	if len(h.Changes) != 3 || h.Changes[0].After != nil || h.Changes[0].Note != "over" || !slices.Equal(h.Changes[1].Added, []string{compute}) || h.Changes[2].By != "rose" || h.Changes[2].Note != "first" {
		t.Errorf("history %+v", h.Changes)
	}
	// The page behind a team's link is open; what lies beside it is not.
	nobody := x.browser()
	nobody.want(401, "GET", "/api/register/projects", "")
	nobody.want(401, "GET", "/api/register/export", "")
	nobody.want(410, "GET", "/api/register/some-link", "")
}

func TestRegisterFiles(t *testing.T) {
	x, rose := workshop(t)
	csv := header("Content-Type", "text/csv")
	const sheet = "project,owner,services\nkite-web,web,run.googleapis.com\nkite-ops,,\n"
	dry := into[RegisterImported](rose, 200, "POST", "/api/register/import?dry=true", sheet, csv)
	if dry.New != 0 || len(dry.Problems) != 1 || dry.Problems[0].Line != 3 {
		t.Errorf("dry: %+v", dry)
	}
	done := into[RegisterImported](rose, 200, "POST", "/api/register/import?file=sheet.csv", sheet, csv)
	if done.New != 1 || done.File != "sheet.csv" || len(done.Problems) != 1 {
		t.Errorf("imported: %+v", done)
	}
	rose.want(422, "POST", "/api/register/import", "owner\nweb\n", csv)
	all := into[RegisterProjects](rose, 200, "GET", "/api/register/projects?limit=1", "")
	if all.Total != 2 || len(all.Projects) != 1 || all.Projects[0].Project != "kite-ml" || all.Next == "" {
		t.Errorf("first page %+v", all)
	}
	if found := into[RegisterProjects](rose, 200, "GET", "/api/register/projects?q=RUN.google", ""); found.Total != 1 || found.Projects[0].Project != "kite-web" {
		t.Errorf("found %+v", found)
	}
	text := rose.want(200, "GET", "/api/register/export", "")
	if entries, problems, err := register.ReadCSV(strings.NewReader(text)); err != nil || len(problems) > 0 || len(entries) != 2 {
		t.Errorf("the export is read as %+v, %v, %v", entries, problems, err)
	}
	lines, _, err := x.rooms.Triage.Store.Audit(t.Context(), triage.AuditFilter{Action: "register.import"})
	if err != nil || len(lines) != 1 || lines[0].By != "rose" || !strings.HasPrefix(lines[0].Text, "import of sheet.csv: 1 new") {
		t.Errorf("audit %+v, %v", lines, err)
	}
}

func TestImplied(t *testing.T) {
	_, rose := workshop(t)
	f := func(services string, want ...string) {
		t.Helper()
		got := into[ImpliedBy](rose, 200, "POST", "/api/register/implied", `{"services":`+services+`}`)
		var is []string
		for _, i := range got.Implied {
			if i.Always {
				is = append(is, i.Service)
			}
		}
		is = append(is, got.Unknown...)
		if !slices.Equal(is, want) {
			t.Errorf("%s implies %v, want %v", services, is, want)
		}
	}
	f(`["notebooks.googleapis.com"]`, compute)
	f(`["Notebooks.googleapis.com","compute.googleapis.com"]`)
	f(`["nosuch.example"]`, "nosuch.example")
	f(`[]`)
	all := into[Companions](rose, 200, "GET", "/api/companions", "")
	if i := slices.IndexFunc(all.Services, func(c Companion) bool { return c.ID == notebooks }); i < 0 || len(all.Services[i].Brings) == 0 {
		t.Errorf("companions %+v", all)
	}
}

func TestDifferences(t *testing.T) {
	x, rose := workshop(t)
	no := false
	x.rooms.Register.Compared = func(_ context.Context, e register.Entry) (register.Comparison, error) {
		return register.Comparison{Entry: e, Registered: e.Owner != "", Lines: []register.Line{
			{Service: compute, State: register.NotApplied, Calls: 3}, {Service: notebooks, State: register.NotAllowed, Applied: true, Allowed: &no},
		}, Allowance: &register.Allowance{Services: []string{"storage.googleapis.com"}, Source: register.FromLog, Resource: "projects/kite-ml", At: noon, By: "ola@kite.example"}}, nil
	}
	x.rooms.Register.Differences = func(ctx context.Context) (register.Differences, error) {
		a, _ := x.rooms.Register.Compared(ctx, register.Entry{Project: "kite-ml", Owner: "ml"})
		b, _ := x.rooms.Register.Compared(ctx, register.Entry{Project: "kite-new"})
		fine := register.Comparison{Entry: register.Entry{Project: "kite-web"}, Registered: true, Lines: []register.Line{{Service: "run.googleapis.com", State: register.Fine}}}
		return register.Differences{At: noon, Projects: []register.Comparison{a, b, fine}}, nil
	}
	x.h = New(Config{Version: "test", Token: "secret", Hosts: []string{"localhost"}}, x.rooms)
	c := into[RegisterComparison](rose, 200, "GET", "/api/register/projects/kite-ml/compare", "")
	if !c.Registered || len(c.Lines) != 2 || !slices.Equal(c.Lines[0].NeededBy, []string{notebooks}) || c.Counts[register.NotApplied] != 1 || !strings.Contains(c.Allowed.String(), "ola@kite.example") {
		t.Errorf("compared %+v", c)
	}
	if c := into[RegisterComparison](rose, 200, "GET", "/api/register/projects/kite-new/compare", ""); c.Registered {
		t.Error("nobody applied for it")
	}
	for _, f := range []struct {
		missing []string
		says    string
	}{{nil, "conditions or a part are denied"}, {[]string{"describe-policy p-examplescp"}, "without describe-policy p-examplescp,"}} {
		said := allowanceSaid(&register.Allowance{Source: register.FromOrganization, Missing: f.missing})
		if !strings.Contains(said.String(), f.says) {
			t.Errorf("of an organisation it is said: %s", said)
		}
	}
	for _, f := range []struct {
		missing []string
		says    string
	}{{nil, "whose text is not read may deny"}, {[]string{"az policy exemption list"}, "what az policy exemption list would tell"}} {
		said := allowanceSaid(&register.Allowance{Source: register.FromTenant, Missing: f.missing})
		if !strings.Contains(said.String(), f.says) {
			t.Errorf("of a tenant it is said: %s", said)
		}
	}
	d := into[RegisterDifferences](rose, 200, "GET", "/api/register/differences", "")
	if len(d.Projects) != 1 || len(d.Unregistered) != 1 || d.Fine != 1 || !d.At.Equal(noon) {
		t.Errorf("differences %+v", d)
	}
}

func TestDrafts(t *testing.T) {
	x, rose := workshop(t)
	put := func(change func(*finding.Occurrence)) string {
		t.Helper()
		o := finding.Occurrence{Batch: event.BatchID{99}, FirstSeen: noon.Add(-time.Hour), LastSeen: noon, Count: 23}
		o.Kind, o.Title, o.Severity, o.Account, o.Constraint, o.ImpliedService = "anomaly.denials", "Refused", finding.Medium, "kite-ml", "constraints/gcp.restrictServiceUsage", compute
		o.RegisterGap = &finding.RegisterGap{Project: "kite-ml", Service: compute, NeededBy: notebooks, Applied: []string{notebooks}}
		o.Inferred = &finding.Inference{UID: "mia@kite.example", Probability: 0.97, Candidates: []finding.Candidate{}}
		change(&o)
		o.Key = finding.Key("draft", o.Account, o.Constraint, o.ImpliedService)
		if err := x.rooms.Findings.(triage.Recorder).Record(t.Context(), o.Batch, finding.Judged{Occurrences: []finding.Occurrence{o}}); err != nil {
			t.Fatal(err)
		}
		return o.Key
	}
	drafts := func(key string) Drafts { return into[Drafts](rose, 200, "GET", "/api/findings/"+key+"/drafts", "") }
	key := put(func(*finding.Occurrence) {})
	d := drafts(key)
	if len(d.Messages) != 2 || d.Messages[0].To != "mia@kite.example" || d.Why.String() != "" {
		t.Fatalf("%+v", d)
	}
	for _, m := range d.Messages {
		for _, want := range []string{"kite-ml", compute, notebooks, "23", "97 %", "constraints/gcp.restrictServiceUsage"} {
			if !strings.Contains(m.Subject+m.Body, want) {
				t.Errorf("the message in %s lacks %q:\n%s", m.Language, want, m.Body)
			}
		}
	}
	if !strings.Contains(d.Messages[0].Body, "not logged") || !strings.Contains(d.Messages[1].Body, "推定") {
		t.Errorf("the messages say who as if it were logged: %+v", d.Messages)
	}
	if d.Policy == nil || !strings.Contains(d.Policy.Text, "inheritFromParent: true") || !strings.Contains(d.Policy.Text, "      - "+compute+"\n") {
		t.Errorf("policy %+v", d.Policy)
	}
	// The register's draft is what PUT takes; then there is nothing to add.
	body := sent(t, d.Register.Body)
	rose.want(200, "PUT", "/api/register/projects/kite-ml", body, header("If-Match", d.Register.ETag))
	if d = drafts(key); d.Register != nil {
		t.Errorf("the register covers it: %+v", d.Register)
	}
	if d := drafts(put(func(o *finding.Occurrence) { o.Constraint = "vpc-service-controls" })); d.Policy != nil {
		t.Errorf("a perimeter names no services: %+v", d.Policy)
	}
	if d := drafts(put(func(o *finding.Occurrence) { o.Account = "kite'; rm -rf" })); d.Policy != nil || d.Register != nil || d.Messages[0].To != "" {
		t.Errorf("of a name that is none: %+v", d)
	}
	if d := drafts(put(func(o *finding.Occurrence) { o.RegisterGap, o.ImpliedService = nil, "" })); len(d.Messages) != 0 || d.Why.String() == "" {
		t.Errorf("where nothing is missing: %+v", d)
	}
	rose.want(404, "GET", "/api/findings/nosuchkey/drafts", "")
	if x.browser().ask("GET", "/api/findings/"+key+"/drafts", "").StatusCode != http.StatusUnauthorized {
		t.Error("drafts are for who has signed in")
	}
}

// sent is a body as a browser sends it.
func sent(t *testing.T, x any) string {
	t.Helper()
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
