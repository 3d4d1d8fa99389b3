package register

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// tenant is what a tenant of Azure is made of and which policies are assigned on what,
// as answers of `az` say that were saved as files. Groups and subscriptions are named
// by their scopes, in small letters, as Azure does not tell them apart by case.
type tenant struct {
	parent   map[string]string        // disputed: answers do not agree
	roots    map[string]bool          // groups that have the tenant's own id
	assigned map[string][]*assignment // on a scope: all that lie there
	empty    map[string]bool          // ids of groups and subscriptions on which nothing lies
	exempt   map[string][]string      // of a subscription: assignments that do not bind all of it
}

const (
	groupScope        = "/providers/microsoft.management/managementgroups/"
	subscriptionScope = "/subscriptions/"
	disputed          = "?"
)

// scopeOf is a scope as it is compared.
func scopeOf(id string) string { return strings.TrimRight(strings.ToLower(strings.TrimSpace(id)), "/") }

// isLevel tells whether a scope is a management group or a subscription, not what lies in one.
func isLevel(scope string) bool {
	for _, p := range []string{groupScope, subscriptionScope} {
		if id, ok := strings.CutPrefix(scope, p); ok {
			return id != "" && !strings.Contains(id, "/")
		}
	}
	return false
}

// tenantGroup is a management group of `az account management-group show`, or what lies in it.
type tenantGroup struct {
	ID       string
	Name     string
	TenantID string
	Children []tenantGroup
	Details  struct{ Parent struct{ ID string } }
}

func (t *tenant) addGroup(text []byte) error {
	var g tenantGroup
	if err := json.Unmarshal(text, &g); err != nil {
		return err
	}
	if !strings.HasPrefix(scopeOf(g.ID), groupScope) {
		return fmt.Errorf("%q is no management group", g.ID)
	}
	return errors.Join(t.place(g.ID, g.Details.Parent.ID, g.Name, g.TenantID), t.addChildren(&g))
}

func (t *tenant) addChildren(g *tenantGroup) error {
	var wrong []error
	for i := range g.Children {
		c := &g.Children[i]
		wrong = append(wrong, t.place(c.ID, g.ID, "", ""), t.addChildren(c))
	}
	return errors.Join(wrong...)
}

// place says what a group or subscription lies under; empty: nothing is said. The root
// group of a tenant is the one that has the tenant's id.
// https://learn.microsoft.com/azure/governance/management-groups/overview#root-management-group-for-each-directory
func (t *tenant) place(id, parent, name, tenantID string) error {
	child, above := scopeOf(id), scopeOf(parent)
	if !isLevel(child) || above != "" && !isLevel(above) {
		return fmt.Errorf("%q under %q: these are no management groups or subscriptions", id, parent)
	}
	if name != "" && strings.EqualFold(name, tenantID) && child == groupScope+scopeOf(name) {
		t.roots[child] = true
	}
	switch before := t.parent[child]; {
	case above == "" || before == above:
	case before == "":
		t.parent[child] = above
	default:
		t.parent[child] = disputed
		return fmt.Errorf("%s lies under %s, and in another answer it does not", id, parent)
	}
	return nil
}

// tenantItem is an item of any of the lists that are read.
type tenantItem struct {
	ID, Name, TenantID string
	Parent             struct{ ID string } // of an entity

	Scope              string // of an assignment
	PolicyDefinitionID string
	EnforcementMode    string
	NotScopes          []string
	Parameters         map[string]struct{ Value json.RawMessage }
	ResourceSelectors  []json.RawMessage
	Overrides          []json.RawMessage

	PolicyAssignmentID string // of an exemption
}

// addList reads what `az account management-group entities list`, `az policy assignment
// list` and `az policy exemption list` answer. Of an empty list the path tells of what:
// policy-assignments/NAME.json; of exemptions it always does.
func (t *tenant) addList(name string, text []byte) error {
	var all []tenantItem
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	of, folder := scopeOf(strings.TrimSuffix(path.Base(name), ".json")), strings.ToLower(path.Dir(name))
	is := func(has func(x *tenantItem) string) bool {
		return len(all) > 0 && !slices.ContainsFunc(all, func(x tenantItem) bool { return has(&x) == "" })
	}
	switch {
	case len(all) == 0 && strings.Contains(folder, "exemption"), is(func(x *tenantItem) string { return x.PolicyAssignmentID }):
		return t.addExemptions(of, all)
	case len(all) == 0 && strings.Contains(folder, "assignment"):
		t.empty[of] = true
		return nil
	case is(func(x *tenantItem) string { return x.PolicyDefinitionID }):
		return t.addAssignments(all)
	case len(all) > 0 && isLevel(scopeOf(all[0].ID)):
		var wrong []error
		for i := range all {
			wrong = append(wrong, t.place(all[i].ID, all[i].Parent.ID, all[i].Name, all[i].TenantID))
		}
		return errors.Join(wrong...)
	}
	return errors.New("it is no list of entities, policy assignments or exemptions, or is empty and its path does not say of what: policy-assignments/NAME.json, policy-exemptions/ID.json")
}

func (t *tenant) addAssignments(all []tenantItem) error {
	scope := scopeOf(all[0].Scope)
	var read []*assignment
	for i := range all {
		if scopeOf(all[i].Scope) != scope {
			return fmt.Errorf("its assignments lie on %q and %q: it is to be of one scope, without --disable-scope-strict-match", all[0].Scope, all[i].Scope)
		}
		read = append(read, assignmentOf(&all[i]))
	}
	if !isLevel(scope) {
		return fmt.Errorf("its assignments lie on %q, which is no management group or subscription", all[0].Scope)
	}
	if t.assigned[scope] != nil {
		return fmt.Errorf("there is another answer of the assignments on %s", all[0].Scope)
	}
	t.assigned[scope] = read
	return nil
}

func (t *tenant) addExemptions(subscription string, all []tenantItem) error {
	scope := subscriptionScope + subscription
	if !isLevel(scope) {
		return errors.New("the answer of policy exemption list: its path does not name the subscription")
	}
	if t.exempt[scope] == nil {
		t.exempt[scope] = []string{}
	}
	for i := range all {
		t.exempt[scope] = append(t.exempt[scope], scopeOf(all[i].PolicyAssignmentID))
	}
	return nil
}

// on gives the assignments that lie on a scope, and whether these are known.
func (t *tenant) on(scope string) ([]*assignment, bool) {
	if all := t.assigned[scope]; all != nil {
		return all, true
	}
	return nil, t.empty[path.Base(scope)]
}

// above is the subscription with all that lies above it, and whether that is known up
// to the root group.
func (t *tenant) above(scope string) (chain []string, whole bool) {
	const deepest = 8 // six levels of groups, the root and the subscription
	for range deepest {
		chain = append(chain, scope)
		next := t.parent[scope]
		if next == "" || next == disputed {
			return chain, next == "" && t.roots[scope]
		}
		scope = next
	}
	return chain, false
}

// of is what policies of the tenant leave a subscription; nil: nothing is known of it.
func (t *tenant) of(subscription string) *Allowance {
	scope := subscriptionScope + scopeOf(subscription)
	if subscription == "" || t.parent[scope] == "" {
		return nil
	}
	chain, whole := t.above(scope)
	a := &Allowance{Services: []string{}, Source: FromTenant, Resource: chain[len(chain)-1]}
	if !whole {
		a.Missing = append(a.Missing, "az account management-group entities list")
	}
	exempt, told := t.exempt[scope]
	if !told {
		a.Missing = append(a.Missing, "az policy exemption list --disable-scope-strict-match --scope "+scope)
	}
	var rules []typeRule
	for i, at := range chain {
		all, known := t.on(at)
		if !known {
			whole = false
			a.Missing = append(a.Missing, "az policy assignment list --scope "+at)
		}
		for _, x := range all {
			if r, binds := x.on(chain[:i+1]); binds {
				r.certain = r.certain && told && !slices.Contains(exempt, x.id) // else it may be exempt
				rules = append(rules, r)
			}
		}
	}
	slices.Sort(a.Missing)
	a.judge = func(service string) *bool { return judgeTypes(rules, service, whole) }
	return a
}

// add reads an answer of `az`; false: it is none.
func (t *tenant) add(name string, text []byte) (bool, error) {
	text = []byte(strings.TrimSpace(string(text)))
	if strings.HasPrefix(string(text), "[") {
		return true, t.addList(name, text)
	}
	var g struct{ ID, Type, TenantID string }
	if json.Unmarshal(text, &g) != nil || !strings.Contains(strings.ToLower(cmp.Or(g.Type, g.ID)), "microsoft.management/managementgroups") {
		return false, nil
	}
	return true, t.addGroup(text)
}

func newTenant() *tenant {
	return &tenant{parent: map[string]string{}, roots: map[string]bool{}, assigned: map[string][]*assignment{}, empty: map[string]bool{}, exempt: map[string][]string{}}
}
