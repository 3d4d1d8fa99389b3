package register

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// RestrictServices is the constraint of Google Cloud whose values are the services
// that may be used.
// https://cloud.google.com/resource-manager/docs/organization-policy/restricting-resources
const RestrictServices = "gcp.restrictServiceUsage"

// PolicyOperations are the calls of Google Cloud that change an organisation
// policy, as audit logs name them.
var PolicyOperations = []string{
	"SetOrgPolicy", "ClearOrgPolicy",
	"google.cloud.orgpolicy.v2.OrgPolicy.CreatePolicy", "google.cloud.orgpolicy.v2.OrgPolicy.UpdatePolicy", "google.cloud.orgpolicy.v2.OrgPolicy.DeletePolicy",
}

// PolicyChange is that somebody changed which services a policy allows.
type PolicyChange struct {
	Resource string // "projects/kite-ml"
	// Allowance is nil where the policy names no services any more, or not all of
	// those that it allows: what it inherits, or allows under a condition, no
	// record of it says.
	Allowance *Allowance
	// Added is what it allows besides all that it inherits; nil: it does not inherit,
	// or does not name those.
	Added *Allowance
	// Cleared: there is no policy on it any more.
	Cleared bool
}

// orgPolicyRequest is of a record what tells the policy that was set. The first
// version of the interface has resource, constraint and listPolicy, the second a
// name and a spec.
type orgPolicyRequest struct {
	Payload struct {
		ResourceName string `json:"resourceName"`
		Request      struct {
			Resource   string `json:"resource"`
			Constraint string `json:"constraint"`
			Name       string `json:"name"`
			Policy     struct {
				Name       string `json:"name"`
				Constraint string `json:"constraint"`
				List       *struct {
					Allowed  []string `json:"allowedValues"`
					Denied   []string `json:"deniedValues"`
					Inherits bool     `json:"inheritFromParent"`
					All      string   `json:"allValues"`
				} `json:"listPolicy"`
				Spec *struct {
					Inherits bool         `json:"inheritFromParent"`
					Rules    []policyRule `json:"rules"`
				} `json:"spec"`
			} `json:"policy"`
		} `json:"request"`
	} `json:"protoPayload"`
}

type policyRule struct {
	Values *struct {
		Allowed []string `json:"allowedValues"`
		Denied  []string `json:"deniedValues"`
	} `json:"values"`
	DenyAll   bool            `json:"denyAll"`
	Condition json.RawMessage `json:"condition"`
}

// PolicyChangeOf reads the change that an event tells of: false where it is none
// of RestrictServices, or was not granted.
func PolicyChangeOf(e *event.Event) (c PolicyChange, ok bool) {
	var r orgPolicyRequest
	if e.Outcome != event.Success || !slices.Contains(PolicyOperations, e.APIOperation) || json.Unmarshal(e.Raw, &r) != nil {
		return c, false
	}
	q := &r.Payload.Request
	name := cmp.Or(q.Policy.Name, q.Name, r.Payload.ResourceName)
	resource, constraint, second := strings.Cut(name, "/policies/")
	if !second {
		resource, constraint = cmp.Or(q.Resource, r.Payload.ResourceName), strings.TrimPrefix(cmp.Or(q.Policy.Constraint, q.Constraint), "constraints/")
	}
	if constraint != RestrictServices {
		return c, false
	}
	c.Resource = strings.TrimPrefix(strings.TrimPrefix(resource, "//"), "cloudresourcemanager.googleapis.com/")
	var services []string
	whole, inherits := false, false
	switch spec, list := q.Policy.Spec, q.Policy.List; {
	case strings.HasSuffix(e.APIOperation, "ClearOrgPolicy") || strings.HasSuffix(e.APIOperation, "DeletePolicy"):
		c.Cleared = true
		return c, true
	case list != nil:
		services, inherits = list.Allowed, list.Inherits && list.All != "DENY"
		whole = list.All != "ALLOW" && (len(list.Allowed) > 0 || list.All == "DENY" || inherits && len(list.Denied) == 0)
	case spec != nil:
		services, whole = allowedBy(spec.Rules)
		inherits = spec.Inherits && !slices.ContainsFunc(spec.Rules, func(r policyRule) bool { return r.DenyAll }) // which outweighs it
		whole = whole || inherits && len(spec.Rules) == 0
	}
	services, all := values(services)
	if !whole || !all {
		return c, true
	}
	a := &Allowance{Services: services, Source: FromLog, Resource: c.Resource, At: e.Time.UTC().Truncate(time.Second), By: e.ActorUID}
	if inherits {
		c.Added = a
	} else {
		c.Allowance = a
	}
	return c, true
}

// allowedBy are the values that rules allow; whole: no others are.
func allowedBy(rules []policyRule) (out []string, whole bool) {
	for _, r := range rules {
		switch {
		case len(r.Condition) > 0 && string(r.Condition) != "null" && string(r.Condition) != "{}":
			return nil, false
		case r.DenyAll:
			whole = true
		case r.Values == nil || len(r.Values.Denied) > 0 || len(r.Values.Allowed) == 0:
			return nil, false
		default:
			out, whole = append(out, r.Values.Allowed...), true
		}
	}
	return out, whole
}

// values are the services of values of a policy; all: each is one service.
func values(in []string) (out []string, all bool) {
	out = []string{}
	for _, v := range in {
		v = ServiceID(strings.TrimPrefix(v, "is:"))
		if strings.Contains(v, ":") {
			return nil, false // a group of services, or what lies below something
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return slices.Compact(out), true
}
