package triage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// drafting of a service that a constraint refused in a project.
func drafting(project, service, constraint string) triage.Drafting {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	f := finding.Finding{Trouble: finding.Trouble{Account: project, ImpliedService: service, Constraint: constraint}, FirstSeen: at, LastSeen: at.Add(time.Hour), Count: 4}
	return triage.Drafting{Finding: f, Known: companion.Builtin()}
}

func TestPolicyDrafts(t *testing.T) {
	const restrict, storage = "constraints/gcp.restrictServiceUsage", "storage.googleapis.com"
	f := func(d triage.Drafting, want ...string) {
		t.Helper()
		p := triage.Drafts(d).Policy
		if len(want) == 0 {
			if p != nil {
				t.Errorf("a change of a policy is drafted: %+v", p)
			}
			return
		}
		if p == nil {
			t.Errorf("no change of a policy is drafted; want %q", want)
			return
		}
		all := p.Text + "\n" + strings.Join(p.Commands, "\n")
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("it lacks %q:\n%s", w, all)
			}
		}
		if p.Note.In(say.Japanese) == p.Note.String() || p.Source == "" {
			t.Errorf("note %q, source %q", p.Note, p.Source)
		}
	}
	f(drafting("kite-ml", compute, restrict), "name: projects/kite-ml/policies/gcp.restrictServiceUsage\nspec:\n  inheritFromParent: true\n  rules:\n  - values:\n      allowedValues:\n      - compute.googleapis.com\n", "gcloud org-policies set-policy policy.yaml")
	own := drafting("kite-ml", compute, restrict)
	own.Allowance = &register.Allowance{Services: []string{storage}, Source: register.FromLog, Resource: "projects/kite-ml", At: own.Finding.FirstSeen}
	f(own, "spec:\n  rules:\n", "      - compute.googleapis.com\n      - storage.googleapis.com\n")
	own.Allowance.Resource = "organizations/1" // whatever else the project inherits is not known
	f(own, "inheritFromParent: true", "      - compute.googleapis.com\n")
	f(drafting("111122223333", "ec2.amazonaws.com", "p-examplescp"), `"Action": "ec2:*"`, "aws organizations list-policies")
	const subscription = "0a1b2c3d-1111-2222-3333-444455556666"
	f(drafting(subscription, "microsoft.compute", "Allowed types"), "--policy-assignment 'Allowed types' --scope /subscriptions/"+subscription)
	f(drafting(subscription, "microsoft.compute", "a'; rm -rf /"), "az policy assignment list --scope /subscriptions/"+subscription)
	// What names no services, and names that are none.
	f(drafting("kite-ml", compute, "vpc-service-controls"))
	f(drafting("kite-ml", compute, "constraints/compute.vmExternalIpAccess"))
	f(drafting("kite-ml\n  evil: true", compute, restrict))
	f(drafting("kite-ml", "compute.googleapis.com\n      - evil", restrict))
}

const compute, notebooks = "compute.googleapis.com", "notebooks.googleapis.com"

func TestMessages(t *testing.T) {
	d := drafting("kite-ml", compute, "")
	f := func(what string, want ...string) {
		t.Helper()
		out := triage.Drafts(d)
		for i, m := range out.Messages {
			if m.Language != say.Languages[i] || !strings.Contains(m.Body, "kite-ml") || strings.Contains(m.Body, "{") {
				t.Errorf("%s: %+v", what, m)
			}
			if !strings.Contains(m.To+"\n"+m.Body, want[i]) {
				t.Errorf("%s: the message in %s lacks %q:\n%s", what, m.Language, want[i], m.Body)
			}
		}
	}
	f("no entry", "Nobody applied for the project.", "申請は見当たりません")
	f("no policy", "a policy of the organisation", "組織のポリシー")
	f("nobody", "The log does not say who made them.", "ログに記録されていません")
	d.Finding.Actor = "ren@kite.example"
	f("logged", "made by ren@kite.example", "実行者は ren@kite.example です")
	d.Finding.Inferred = &finding.Inference{UID: "mia@kite.example", Probability: 0.91}
	f("inferred", "probably made by mia@kite.example (91 %; inferred from other logs, not logged)", "mia@kite.example と推定されます")
	d.Finding.Inferred.UID = "" // nobody stands out
	f("not named", "does not say who", "記録されていません")
	d.Entry = &register.Entry{Project: "kite-ml", Owner: "ml-team", Services: []register.Service{{ID: notebooks}}}
	f("to the owner", "ml-team\n", "ml-team\n")
	f("what needs it", "Vertex AI Workbench (notebooks.googleapis.com) needs Compute Engine (compute.googleapis.com): each instance", "Vertex AI Workbench (notebooks.googleapis.com) には Compute Engine")
	out := triage.Drafts(d)
	if out.Adds != compute || !out.After.Covers(compute, d.Finding.LastSeen) || len(d.Entry.Services) != 1 {
		t.Errorf("the register's draft: %+v", out.After)
	}
}

// What an application would not change is not asked for.
func TestNoMessages(t *testing.T) {
	const restrict = "constraints/gcp.restrictServiceUsage"
	f := func(what, says string, policy bool, change func(*triage.Drafting)) {
		t.Helper()
		d := drafting("kite-ml", compute, restrict)
		d.Entry = &register.Entry{Project: "kite-ml", Owner: "ml-team", Services: []register.Service{{ID: notebooks}}}
		if out := triage.Drafts(d); len(out.Messages) != len(say.Languages) || out.After == nil || out.Policy == nil || out.Why.String() != "" {
			t.Errorf("a service that nobody applied for: %+v", out)
		}
		change(&d)
		out := triage.Drafts(d)
		if len(out.Messages) != 0 || out.After != nil || (out.Policy != nil) != policy {
			t.Errorf("%s: drafted are %d messages, the register's %+v, the policy's %+v", what, len(out.Messages), out.After, out.Policy)
		}
		if !strings.Contains(out.Why.String(), says) || out.Why.In(say.Japanese) == out.Why.String() {
			t.Errorf("%s: why is %q, want %q", what, out.Why, says)
		}
	}
	f("a warning", "is a warning", false, func(d *triage.Drafting) {
		d.Finding.Reasons = []finding.Reason{{Kind: "denials"}, {Kind: finding.ReasonHostile}}
	})
	f("a policy about how", "says how compute.googleapis.com may be used", false, func(d *triage.Drafting) { d.Finding.Constraint = "constraints/compute.vmExternalIpAccess" })
	f("applied for", "kite-ml applied for compute.googleapis.com", true, func(d *triage.Drafting) {
		d.Entry.Services = append(d.Entry.Services, register.Service{ID: compute})
	})
	f("nothing refused", "names no service", false, func(d *triage.Drafting) { d.Finding.ImpliedService = "" })
}
