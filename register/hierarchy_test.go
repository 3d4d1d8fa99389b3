package register_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/register"
)

// asLogged is a record of Google Cloud about a project, or none.
func asLogged(service, operation, project, payload string) *event.Event {
	return &event.Event{
		APIService: service, APIOperation: operation, AccountUID: project, Outcome: event.Success, ActorUID: "ola@kite.example", Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		Raw: []byte(`{"protoPayload":` + payload + `}`),
	}
}

// resources is a record of the Resource Manager.
func resources(operation, project, payload string) *event.Event {
	return asLogged("cloudresourcemanager.googleapis.com", operation, project, payload)
}

// sets is a record that sets the policy of something: rules as they are written.
func sets(on, spec string) *event.Event {
	return asLogged("orgpolicy.googleapis.com", "google.cloud.orgpolicy.v2.OrgPolicy.UpdatePolicy", "",
		fmt.Sprintf(`{"request":{"policy":{"name":"%s/policies/gcp.restrictServiceUsage","spec":%s}}}`, on, spec))
}

// allows are rules that allow services, "+" before them where they inherit.
func allows(services ...string) string {
	inherits := ""
	if services[0] == "+" {
		inherits, services = `"inheritFromParent":true,`, services[1:]
	}
	if len(services) == 0 {
		return `{` + inherits + `"rules":[]}`
	}
	return fmt.Sprintf(`{%s"rules":[{"values":{"allowedValues":["%s"]}}]}`, inherits, strings.Join(services, `","`))
}

// TestHierarchy: what a folder or an organisation allows is what a project below it
// is allowed, where the log names the way up and has all policies on it.
func TestHierarchy(t *testing.T) {
	const v3 = "google.cloud.resourcemanager.v3."
	folder := resources(v3+"Folders.CreateFolder", "", `{"request":{"folder":{"parent":"organizations/1"}},"response":{"name":"folders/7"}}`)
	project := resources("CreateProject", "kite-ml", `{"resourceName":"projects/kite-ml","request":{"project":{"projectId":"kite-ml","parent":{"type":"folder","id":"7"}}}}`)
	newer := resources(v3+"Projects.CreateProject", "kite-ml", `{"request":{"project":{"projectId":"kite-ml","parent":"folders/7"}},"response":{"name":"projects/415104041262","projectId":"kite-ml"}}`)
	below := resources(v3+"Folders.CreateFolder", "", `{"request":{"parent":"organizations/1"},"response":{"name":"folders/8"}}`)
	moved := resources(v3+"Projects.MoveProject", "kite-ml", `{"request":{"name":"projects/415104041262","destinationParent":"folders/8"}}`)
	clear := func(on string) *event.Event {
		return asLogged("orgpolicy.googleapis.com", "google.cloud.orgpolicy.v2.OrgPolicy.DeletePolicy", "", `{"request":{"name":"`+on+`/policies/gcp.restrictServiceUsage"}}`)
	}
	f := func(why, resource string, want []string, events ...*event.Event) {
		t.Helper()
		var p register.Policies
		for _, e := range events {
			p.Add(e)
		}
		a := p.Of("kite-ml")
		switch {
		case a == nil && want != nil:
			t.Errorf("%s: it is not known, want %v", why, want)
		case a != nil && (!reflect.DeepEqual(a.Services, want) || a.Resource != resource || a.Source != register.FromLog):
			t.Errorf("%s: %+v, want %v of %s", why, a, want, resource)
		}
	}
	own, of7, ofOrg := sets("projects/kite-ml", allows("run.googleapis.com")), sets("folders/7", allows("notebooks.googleapis.com")), sets("organizations/1", allows("storage.googleapis.com"))
	f("its own", "projects/kite-ml", []string{"run.googleapis.com"}, ofOrg, folder, of7, project, own)
	f("its own, however it began", "projects/kite-ml", []string{"run.googleapis.com"}, own)
	f("its folder's", "folders/7", []string{"notebooks.googleapis.com"}, ofOrg, folder, of7, project)
	f("its folder's, set later", "folders/7", []string{"notebooks.googleapis.com"}, newer, folder, of7)
	f("its organisation's", "organizations/1", []string{"storage.googleapis.com"}, folder, project, ofOrg)
	f("what it had is taken away", "folders/7", []string{"notebooks.googleapis.com"}, own, of7, project, clear("projects/kite-ml"))
	f("by its number", "projects/415104041262", []string{"run.googleapis.com"}, newer, sets("projects/415104041262", allows("run.googleapis.com")))
	f("moved", "folders/8", []string{"bigquery.googleapis.com"}, folder, of7, below, newer, moved, sets("folders/8", allows("bigquery.googleapis.com")))
	f("with what it inherits", "projects/kite-ml", []string{"notebooks.googleapis.com", "run.googleapis.com"}, of7, project, sets("projects/kite-ml", allows("+", "run.googleapis.com")))
	f("with all that it inherits", "folders/7", []string{"notebooks.googleapis.com", "storage.googleapis.com"}, ofOrg, folder, sets("folders/7", allows("+", "notebooks.googleapis.com")), project)
	f("nothing but what it inherits", "folders/7", []string{"storage.googleapis.com"}, ofOrg, folder, sets("folders/7", allows("+")), project)
	f("nothing at all", "folders/7", []string{}, ofOrg, folder, sets("folders/7", `{"inheritFromParent":true,"rules":[{"denyAll":true}]}`), project)
	// Nothing is known of a policy that may have been set before the log begins.
	f("nothing is said", "", nil)
	f("it was there before", "", nil, of7, moved)
	f("its folder was there before, without a policy in the log", "", nil, ofOrg, project)
	f("its organisation's is not in the log", "", nil, folder, project)
	f("its folder's says not all", "", nil, ofOrg, folder, sets("folders/7", `{"rules":[{"values":{"deniedValues":["compute.googleapis.com"]}}]}`), project)
	f("what it inherits is not known", "", nil, sets("projects/kite-ml", allows("+", "run.googleapis.com")))
	refused := *project
	refused.Outcome = event.Denied
	f("that it began was refused", "", nil, of7, &refused)
	other := *project
	other.APIService = "script.googleapis.com"
	f("another service says so", "", nil, of7, &other)
	circle := resources(v3+"Folders.MoveFolder", "", `{"request":{"name":"folders/7","destinationParent":"folders/7"}}`)
	f("it lies in itself", "", nil, folder, project, circle)
}

func FuzzHierarchy(f *testing.F) {
	f.Add(`{"request":{"project":{"projectId":"kite-ml","parent":{"type":"folder","id":"7"}}}}`, "CreateProject")
	f.Add(`{"request":{"name":"folders/7","destinationParent":"folders/7"},"response":{"parent":3}}`, "MoveFolder")
	f.Fuzz(func(t *testing.T, payload, operation string) {
		var p register.Policies
		p.Add(sets("folders/7", allows("b.googleapis.com", "a.googleapis.com")))
		p.Add(resources(operation, "kite-ml", payload))
		if a := p.Of("kite-ml"); a != nil && (len(a.Services) != 2 || a.Resource != "folders/7") {
			t.Errorf("%s of %s: %+v, which nobody set", operation, payload, a)
		}
	})
}
