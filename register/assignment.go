package register

import (
	"encoding/json"
	"slices"
	"strings"
)

// Azure's own definitions that are judged, by their ids, with the parameter that lists
// types: what is listed is denied, unless the effect is another; and what has a location
// and tags and is not listed is denied.
// https://github.com/Azure/azure-policy/blob/master/built-in-policies/policyDefinitions/General/InvalidResourceTypes_Deny.json
// https://github.com/Azure/azure-policy/blob/master/built-in-policies/policyDefinitions/General/AllowedResourceTypes_Deny.json
const (
	notAllowedTypes    = "/providers/microsoft.authorization/policydefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749"
	listedNotAllowed   = "listOfResourceTypesNotAllowed"
	onlyAllowedTypes   = "/providers/microsoft.authorization/policydefinitions/a08ec900-254a-4555-9bf5-e42af04b5c5c"
	listedAllowed      = "listOfResourceTypesAllowed"
	effectOfAssignment = "effect"
)

// typeRule is what an assignment denies.
type typeRule struct {
	types   []string // of resources, in small letters
	but     bool     // all types but these
	any     bool     // nobody can tell what: perhaps everything
	certain bool     // it denies what it lists, everywhere in the subscription
}

// assignment is that a policy is assigned on a group or subscription.
type assignment struct {
	id       string
	excluded []string // scopes that it does not bind
	idle     bool     // it denies nothing
	rule     typeRule
}

// assignmentOf reads an assignment. What is not understood of it may deny anything.
// https://learn.microsoft.com/azure/governance/policy/concepts/assignment-structure
func assignmentOf(x *tenantItem) *assignment {
	a := &assignment{id: scopeOf(x.ID), rule: typeRule{any: true}}
	for _, s := range x.NotScopes {
		a.excluded = append(a.excluded, scopeOf(s))
	}
	if strings.EqualFold(x.EnforcementMode, "DoNotEnforce") {
		a.idle = true
		return a
	}
	list := ""
	switch scopeOf(x.PolicyDefinitionID) {
	case notAllowedTypes:
		list = listedNotAllowed
	case onlyAllowedTypes:
		list = listedAllowed
	default:
		return a // a definition or an initiative whose text is not read
	}
	types, ok := typesListed(x.Parameters[list].Value)
	if !ok {
		return a
	}
	effect, plain := "Deny", true
	if p, there := x.Parameters[effectOfAssignment]; there {
		plain = json.Unmarshal(p.Value, &effect) == nil
	}
	enforced := x.EnforcementMode == "" || strings.EqualFold(x.EnforcementMode, "Default")
	simple := plain && len(x.Overrides) == 0 // which may give it another effect
	a.rule = typeRule{types: types, but: list == listedAllowed,
		certain: simple && enforced && strings.EqualFold(effect, "Deny") && len(x.ResourceSelectors) == 0}
	a.idle = simple && list == listedNotAllowed && (strings.EqualFold(effect, "Audit") || strings.EqualFold(effect, "Disabled"))
	return a
}

// typesListed are the types that a parameter lists; false: it has no list of types, or
// an expression is in it.
func typesListed(value json.RawMessage) ([]string, bool) {
	var types []string
	if json.Unmarshal(value, &types) != nil || types == nil {
		return nil, false
	}
	for i, t := range types {
		types[i] = scopeOf(t)
		if strings.Count(types[i], "/") == 0 || strings.ContainsAny(types[i], "[]*") {
			return nil, false
		}
	}
	return types, true
}

// on is what the assignment denies in a subscription, below and up to where it lies;
// false: nothing.
func (a *assignment) on(chain []string) (r typeRule, binds bool) {
	r = a.rule
	for _, s := range a.excluded {
		switch {
		case slices.Contains(chain, s):
			return r, false
		case strings.HasPrefix(s, chain[0]+"/"), !strings.HasPrefix(s, groupScope) && !strings.HasPrefix(s, subscriptionScope):
			r.certain = false // a part of it, or nobody can tell
		}
	}
	return r, !a.idle
}

// denies tells whether the rule denies a type for certain.
func (r *typeRule) denies(kind string) bool {
	return r.certain && !r.any && slices.Contains(r.types, kind) != r.but
}

// touches tells whether the rule may deny a type of a namespace.
func (r *typeRule) touches(namespace string) bool {
	return r.any || r.but || slices.ContainsFunc(r.types, func(t string) bool { return strings.HasPrefix(t, namespace+"/") })
}

// mainTypes are the types by which the work with a service begins: all others lie in
// one of these, do nothing without, or are retired. Each has a location and tags.
// Services that are many things, such as Microsoft.Network, have none: no list shuts
// them out for certain. One type of several left open is work that can be done, so all
// of a service's are asked for.
// https://learn.microsoft.com/azure/azure-resource-manager/management/tag-support
var mainTypes = map[string][]string{
	"microsoft.batch":                   {"batchaccounts"},
	"microsoft.cognitiveservices":       {"accounts"},
	"microsoft.containerregistry":       {"registries"},
	"microsoft.containerservice":        {"managedclusters", "fleets"},
	"microsoft.databricks":              {"workspaces"},
	"microsoft.datafactory":             {"factories"},
	"microsoft.keyvault":                {"vaults", "managedhsms"},
	"microsoft.machinelearningservices": {"workspaces", "registries"},
	"microsoft.search":                  {"searchservices"},
	"microsoft.servicebus":              {"namespaces"},
	"microsoft.storage":                 {"storageaccounts"},
	"microsoft.synapse":                 {"workspaces"},
}

// judgeTypes tells whether rules leave a service, a namespace of resource types, to a
// subscription: false where all its main types are denied, true where no rule can deny
// any type of it, nil where neither is known. whole: all rules that bind are known.
func judgeTypes(rules []typeRule, service string, whole bool) *bool {
	namespace := ServiceID(service)
	if !strings.HasPrefix(namespace, "microsoft.") || strings.Contains(namespace, "/") {
		return nil
	}
	yes, no := true, false
	shut := func(kind string) bool {
		return slices.ContainsFunc(rules, func(r typeRule) bool { return r.denies(namespace + "/" + kind) })
	}
	main := mainTypes[namespace]
	if len(main) > 0 && !slices.ContainsFunc(main, func(kind string) bool { return !shut(kind) }) {
		return &no
	}
	if !whole || slices.ContainsFunc(rules, func(r typeRule) bool { return r.touches(namespace) }) {
		return nil
	}
	return &yes
}
