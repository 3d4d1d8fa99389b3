package register_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/register"
)

func TestUsage(t *testing.T) {
	var u register.Usage
	at := func(text string) time.Time {
		out, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	u.Add("p", "Compute.googleapis.com", 2, true, at("2026-03-01 08:10:00"), at("2026-03-01 08:20:00"))
	u.Add("p", "compute.googleapis.com", 3, false, at("2026-03-01 07:10:00"), at("2026-03-01 07:20:00"))
	u.Add("p", "compute.googleapis.com", 1, false, at("2026-03-02 09:00:00"), at("2026-03-02 09:00:00"))
	u.Add("", "compute.googleapis.com", 1, false, at("2026-03-02 09:00:00"), at("2026-03-02 09:00:00"))
	if got, want := u.Projects(), []string{"p"}; !reflect.DeepEqual(got, want) {
		t.Errorf("projects %v, want %v", got, want)
	}
	want := []register.Use{{Service: "compute.googleapis.com", Calls: 6, Denied: 2, First: at("2026-03-01 07:10:00"), Last: at("2026-03-02 09:00:00")}}
	if got := u.Uses("p"); !reflect.DeepEqual(got, want) {
		t.Errorf("uses %+v, want %+v", got, want)
	}
}

func TestDays(t *testing.T) {
	var d register.Days
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 10, 0, 0, time.UTC) }
	d.Add(1, at(2, 9), at(2, 9))
	d.Add(3, at(1, 8), at(1, 8).Add(time.Minute))
	d.Add(2, at(1, 7), at(1, 7))
	d.Add(0, at(3, 7), at(3, 7))
	want := []register.Day{
		{Day: day("2026-03-01"), Calls: 5, First: at(1, 7), Last: at(1, 8).Add(time.Minute)},
		{Day: day("2026-03-02"), Calls: 1, First: at(2, 9), Last: at(2, 9)},
	}
	if got := d.All(); !reflect.DeepEqual(got, want) {
		t.Errorf("days %+v, want %+v", got, want)
	}
}

// policyEvent is a record that sets a policy.
func policyEvent(operation, request string) *event.Event {
	return &event.Event{
		APIOperation: operation, Outcome: event.Success, ActorUID: "ola@kite.example", Time: time.Date(2026, 3, 1, 9, 0, 0, 5, time.UTC),
		Raw: []byte(`{"protoPayload":{"resourceName":"projects/kite-ml","request":` + request + `}}`),
	}
}

func TestPolicyChange(t *testing.T) {
	const v1, v2 = "SetOrgPolicy", "google.cloud.orgpolicy.v2.OrgPolicy.UpdatePolicy"
	f := func(operation, request, resource string, services ...string) {
		t.Helper()
		c, ok := register.PolicyChangeOf(policyEvent(operation, request))
		if ok != (resource != "") || c.Resource != resource {
			t.Errorf("%s: %+v, %v; want a change of %q", request, c, ok, resource)
			return
		}
		var got []string
		if c.Allowance != nil {
			got = c.Allowance.Services
			if c.Allowance.Source != register.FromLog || c.Allowance.By != "ola@kite.example" || c.Allowance.Resource != resource {
				t.Errorf("%s: allowance %+v", request, c.Allowance)
			}
		}
		if !reflect.DeepEqual(got, services) {
			t.Errorf("%s allows %v, want %v", request, got, services)
		}
	}
	rules := func(rules string) string {
		return `{"policy":{"name":"projects/kite-ml/policies/gcp.restrictServiceUsage","spec":{"rules":[` + rules + `]}}}`
	}
	f(v1, `{"resource":"projects/kite-ml","policy":{"constraint":"constraints/gcp.restrictServiceUsage","listPolicy":{"allowedValues":["storage.googleapis.com","is:Notebooks.googleapis.com"]}}}`,
		"projects/kite-ml", "notebooks.googleapis.com", "storage.googleapis.com")
	f(v1, `{"resource":"projects/kite-ml","policy":{"constraint":"constraints/gcp.restrictServiceUsage","listPolicy":{"allValues":"DENY"}}}`, "projects/kite-ml", []string{}...)
	f(v2, rules(`{"values":{"allowedValues":["storage.googleapis.com"]}}`), "projects/kite-ml", "storage.googleapis.com")
	f(v2, rules(`{"denyAll":true}`), "projects/kite-ml", []string{}...)
	// What is allowed besides is not in the record: it is not known.
	f(v1, `{"resource":"projects/kite-ml","policy":{"constraint":"constraints/gcp.restrictServiceUsage","listPolicy":{"inheritFromParent":true,"allowedValues":["storage.googleapis.com"]}}}`, "projects/kite-ml")
	f(v1, `{"resource":"projects/kite-ml","policy":{"constraint":"constraints/gcp.restrictServiceUsage","listPolicy":{"allValues":"ALLOW"}}}`, "projects/kite-ml")
	f(v1, `{"resource":"projects/kite-ml","policy":{"constraint":"constraints/gcp.restrictServiceUsage","listPolicy":{"deniedValues":["compute.googleapis.com"]}}}`, "projects/kite-ml")
	f(v2, rules(`{"values":{"deniedValues":["compute.googleapis.com"]}}`), "projects/kite-ml")
	f(v2, rules(`{"values":{"allowedValues":["in:all-services"]}}`), "projects/kite-ml")
	f(v2, rules(`{"condition":{"expression":"resource.matchTag('1/env','dev')"},"values":{"allowedValues":["storage.googleapis.com"]}}`), "projects/kite-ml")
	f("ClearOrgPolicy", `{"resource":"projects/kite-ml","constraint":"constraints/gcp.restrictServiceUsage"}`, "projects/kite-ml")
	f("google.cloud.orgpolicy.v2.OrgPolicy.DeletePolicy", `{"name":"projects/kite-ml/policies/gcp.restrictServiceUsage"}`, "projects/kite-ml")
	// Something else.
	f(v1, `{"resource":"projects/kite-ml","policy":{"constraint":"constraints/gcp.resourceLocations","listPolicy":{"allowedValues":["in:eu-locations"]}}}`, "")
	f("GetOrgPolicy", `{}`, "")
	f(v1, `[]`, "")
	refused := policyEvent(v2, rules(`{"denyAll":true}`))
	refused.Outcome = event.Denied
	if _, ok := register.PolicyChangeOf(refused); ok {
		t.Error("a change that was refused is one")
	}
}

func FuzzPolicyChange(f *testing.F) {
	f.Add(`{"policy":{"name":"projects/p/policies/gcp.restrictServiceUsage","spec":{"rules":[{"values":{"allowedValues":["a"]}}]}}}`)
	f.Add(`{"resource":"projects/p","policy":{"constraint":"constraints/gcp.restrictServiceUsage","listPolicy":{"allowedValues":["b","a","a"]}}}`)
	f.Fuzz(func(t *testing.T, request string) {
		e := policyEvent("SetOrgPolicy", request)
		c, ok := register.PolicyChangeOf(e)
		if ok && !json.Valid(e.Raw) {
			t.Error("what is no JSON tells of a change")
		}
		if c.Allowance == nil {
			return
		}
		for i, s := range c.Allowance.Services {
			if i > 0 && c.Allowance.Services[i-1] >= s || s != register.ServiceID(s) {
				t.Errorf("services are %q", c.Allowance.Services)
			}
		}
	})
}
