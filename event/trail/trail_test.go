package trail

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

var nine = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

const mei = "mei.tanaka@hoshino.example"

// at is an event of Mei's at a minute past nine.
func at(minute float64, e event.Event) Event {
	e.Time = nine.Add(time.Duration(minute * float64(time.Minute)))
	if e.ActorUID == "" && e.ActorType != event.ActorMasked {
		e.ActorUID = mei
	}
	if e.Outcome == "" {
		e.Outcome = event.Success
	}
	return Event{Event: e, Rule: ByName, Whose: query.Eq{Field: "actor_uid", Value: mei}}
}

// gcp is a call in the project kite-ml.
func gcp(operation, service, resource string) event.Event {
	return event.Event{
		Format: "gcp.audit", CloudProvider: "Google Cloud", ClassUID: event.ClassAPIActivity, AccountUID: "kite-ml",
		APIService: service, APIOperation: operation, ResourceUID: "//" + service + "/projects/kite-ml/" + resource,
	}
}

// story is the day of the engineer whose notebook was refused its machine.
func story() []Event {
	denied := gcp("v1.compute.instances.insert", "compute.googleapis.com", "zones/asia-northeast1-b/instances/nb-1")
	denied.ActorType, denied.Outcome, denied.StatusCode = event.ActorMasked, event.DeniedByOrgPolicy, "constraints/gcp.restrictServiceUsage"
	denied.SrcIP = "203.0.113.9"
	read := gcp("google.cloud.notebooks.v2.NotebookService.ListInstances", "notebooks.googleapis.com", "locations/asia-northeast1-b")
	read.ReadOnly = true
	out := []Event{
		at(0, event.Event{Format: "edr.logon", ClassUID: event.ClassAuthentication, DeviceName: "hsn-mbp-1007", APIOperation: "UserLogon", ActorUID: `hoshino\mei.tanaka`}),
		at(2, event.Event{Format: "google.workspace.login", ClassUID: event.ClassAuthentication, AccountUID: "hoshino.example", APIOperation: "login_success", SrcIP: "203.0.113.9"}),
		at(3, event.Event{Format: "squid.access", ClassUID: event.ClassHTTP, APIOperation: "CONNECT", APIService: "console.cloud.google.com", URL: "console.cloud.google.com:443", SrcIP: "10.20.3.7"}),
		at(5, gcp("google.api.serviceusage.v1.ServiceUsage.EnableService", "serviceusage.googleapis.com", "services/notebooks.googleapis.com")),
		at(5.5, read), at(5.6, read),
		at(6, gcp("google.cloud.notebooks.v2.NotebookService.CreateInstance", "notebooks.googleapis.com", "locations/asia-northeast1-b/instances/nb-1")),
	}
	for i := range 6 {
		e := at(7+float64(i), denied)
		e.Rule, e.Whose = ByFinding, query.Eq{Field: "src_ip", Value: "203.0.113.9"}
		out = append(out, e)
	}
	twin := at(14, denied)
	twin.Twin = true
	late := at(40, denied)
	late.Rule, late.Whose = ByFinding, query.Eq{Field: "src_ip", Value: "203.0.113.9"}
	return append(out, twin, late)
}

func TestFold(t *testing.T) {
	events := story()
	lanes, runs := Fold(events)
	var names []string
	for _, l := range lanes {
		names = append(names, l.ID)
	}
	if got, want := strings.Join(names, " "), "identity:google workspace:hoshino.example cloud:google cloud:kite-ml proxy:: device::hsn-mbp-1007"; got != want {
		t.Errorf("lanes %s, want %s", got, want)
	}
	want := []struct {
		n       int
		notable bool
		en, ja  string
	}{
		{1, true, "logs on to hsn-mbp-1007", "hsn-mbp-1007 にログオン"},
		{1, true, "signs in to Google Workspace from 203.0.113.9", "Google Workspace にサインイン(203.0.113.9 から)"},
		{1, false, "opens console.cloud.google.com from 10.20.3.7", "console.cloud.google.com を開く(10.20.3.7 から)"},
		{1, true, "enables notebooks.googleapis.com in kite-ml", "kite-ml で notebooks.googleapis.com を有効化"},
		{2, false, "looks: NotebookService.ListInstances of notebooks.googleapis.com in kite-ml, 2 times", "参照: kite-ml の notebooks.googleapis.com の NotebookService.ListInstances(2 回)"},
		{1, true, "asks for the notebook nb-1 in kite-ml", "kite-ml でノートブック nb-1 の作成を要求"},
		{6, true, "asks for the machine nb-1 in kite-ml: refused 6 times by constraints/gcp.restrictServiceUsage", "kite-ml で仮想マシン nb-1 の作成を要求: constraints/gcp.restrictServiceUsage により 6 回拒否"},
		{1, true, "asks for the machine nb-1 in kite-ml: refused 1 time by constraints/gcp.restrictServiceUsage", "kite-ml で仮想マシン nb-1 の作成を要求: constraints/gcp.restrictServiceUsage により 1 回拒否"},
	}
	if len(runs) != len(want) {
		t.Fatalf("%d runs, want %d", len(runs), len(want))
	}
	for i, w := range want {
		if r := runs[i]; r.Count != w.n || r.Notable != w.notable || r.Text.String() != w.en || r.Text.In(say.Japanese) != w.ja {
			t.Errorf("run %d is %d events, notable %v:\n%s\n%s", i, r.Count, r.Notable, r.Text, r.Text.In(say.Japanese))
		}
	}
	if first := runs[0]; first.Inferred || !runs[6].Inferred || runs[6].Rule != ByFinding {
		t.Error("what a finding infers is inferred, and nothing else")
	}
}

// TestQueries holds that the filter of every run finds its events and no others.
func TestQueries(t *testing.T) {
	events := story()
	_, runs := Fold(events)
	for _, r := range runs {
		where, err := query.Parse(r.Query)
		if err != nil {
			t.Errorf("%s: %v", r.Query, err)
			continue
		}
		q, n := query.Query{Where: where, Since: r.Since, Until: r.Until}, 0
		for i := range events {
			e := events[i].Event
			if e.ActorUID == `hoshino\mei.tanaka` {
				e.ActorUID = mei // Whose of these events says so
			}
			if !e.Time.Before(q.Since) && e.Time.Before(q.Until) && query.Match(q.Where, &e) {
				n++
			}
		}
		if n != r.Count {
			t.Errorf("%s finds %d events, not %d", r.Query, n, r.Count)
		}
	}
}

func TestActs(t *testing.T) {
	f := func(format, operation string, class int32, want string) {
		t.Helper()
		if got := actOf(&event.Event{Format: format, APIOperation: operation, ClassUID: class}); got != want {
			t.Errorf("%s of %s is %q, want %q", operation, format, got, want)
		}
	}
	f("gcp.audit", "google.api.serviceusage.v1.ServiceUsage.BatchEnableServices", 6003, "enable")
	f("gcp.audit", "beta.compute.instances.insert", 6003, "machine")
	f("gcp.audit", "google.cloud.dataproc.v1.ClusterController.CreateCluster", 6003, "cluster")
	f("gcp.audit", "google.iam.admin.v1.SetIAMPolicy", 6003, "rights")
	f("gcp.audit", "google.cloud.orgpolicy.v2.OrgPolicy.UpdatePolicy", 6003, "policy")
	f("gcp.audit", "google.cloud.run.v2.Services.UpdateService", 6003, "call")
	f("azure.activity", "microsoft.compute/virtualmachines/write", 6003, "machine")
	f("azure.activity", "microsoft.compute/virtualmachines/extensions/write", 6003, "call")
	f("azure.activity", "microsoft.notebooks/register/action", 6003, "enable")
	f("aws.cloudtrail", "RunInstances", 6003, "machine")
	f("aws.cloudtrail", "ConsoleLogin", event.ClassAuthentication, "signin")
	f("okta.system", "user.session.end", event.ClassAuthentication, "signout")
	f("edr.logon", "UserLogon", event.ClassAuthentication, "logon")
	f("edr.logon", "UserLogoff", event.ClassAuthentication, "logoff")
	f("zeek.dhcp", "", event.ClassDHCP, "lease")
	f("zeek.dns", "", event.ClassDNS, "resolve")
	f("zeek.conn", "", event.ClassNetwork, "connect")
	f("proxy.zscaler", "GET", event.ClassHTTP, "page")
	f("edr.process", "", event.ClassProcess, "process")
}

func TestKinds(t *testing.T) {
	f := func(format string, want Kind) {
		t.Helper()
		if got := KindOf(format); got != want {
			t.Errorf("%s is of %s, want %s", format, got, want)
		}
		if want == Cloud {
			return
		}
		if e := (event.Event{Format: format}); !query.Match(Of(want), &e) {
			t.Errorf("the filter of %s leaves %s out", want, format)
		}
	}
	f("gcp.audit", Cloud)
	f("m365.audit", Cloud)
	f("entra.signin", Identity)
	f("google.workspace.login", Identity)
	f("squid.access", Proxy)
	f("dns.query", Network)
	f("zeek.dhcp", Device)
	f("edr.process", Device)
}
