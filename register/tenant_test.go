package register_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/yagura-sec/yagura/register"
)

const (
	tenantID     = "00000000-1111-2222-3333-444455556666"
	subscription = "aaaaaaaa-1111-2222-3333-444455556666"
	groupsScope  = "/providers/Microsoft.Management/managementGroups/"
	builtIn      = "/providers/Microsoft.Authorization/policyDefinitions/"
	notAllowed   = builtIn + "6c112d4e-5bc7-47ae-a041-ea2d9dccd749"
	onlyAllowed  = builtIn + "a08ec900-254a-4555-9bf5-e42af04b5c5c"
)

// tenantAnswers are a tenant with one group and one subscription in it, nothing assigned.
func tenantAnswers() fstest.MapFS {
	f := fstest.MapFS{}
	put := func(name, text string) { f[name] = &fstest.MapFile{Data: []byte(text)} }
	put("root.json", fmt.Sprintf(`{"id":%q,"name":%q,"tenantId":%q,"type":"Microsoft.Management/managementGroups","details":{"parent":null},"children":[
		{"id":%q,"name":"kite-corp","type":"Microsoft.Management/managementGroups","children":[{"id":"/subscriptions/%s","name":%q,"type":"/subscriptions","children":null}]}]}`,
		groupsScope+tenantID, tenantID, tenantID, groupsScope+"kite-corp", subscription, subscription))
	for _, name := range []string{tenantID, "kite-corp", subscription} {
		put("policy-assignments/"+name+".json", "[]")
	}
	put("policy-exemptions/"+subscription+".json", "[]")
	return f
}

// assigned is an answer with one assignment on a scope; more is of its fields.
func assigned(scope, definition, parameters, more string) string {
	return fmt.Sprintf(`[{"id":%q,"name":"kite","scope":%q,"policyDefinitionId":%q,"parameters":%s%s}]`,
		scope+"/providers/Microsoft.Authorization/policyAssignments/kite", scope, definition, parameters, more)
}

func without(types ...string) string {
	return `{"listOfResourceTypesNotAllowed":{"value":["` + strings.Join(types, `","`) + `"]}}`
}

// saidOf is yes, no or unknown of Azure's services.
func saidOf(a *register.Allowance, services ...string) string {
	var out []string
	for _, s := range services {
		word := "unknown"
		if yes := a.Allows("Microsoft." + s); yes != nil {
			word = map[bool]string{true: "yes", false: "no"}[*yes]
		}
		out = append(out, s+" "+word)
	}
	return strings.Join(out, ", ")
}

const mlTypes = "Microsoft.MachineLearningServices/workspaces,microsoft.machinelearningservices/Registries"

// TestAssignments: what an assignment on a group leaves the subscription below it.
func TestAssignments(t *testing.T) {
	ml := without(strings.Split(mlTypes, ",")...)
	effect := func(e string) string {
		return strings.TrimSuffix(ml, "}") + `,"effect":{"value":` + e + `}}`
	}
	only := func(types string) string {
		return `{"listOfResourceTypesAllowed":{"value":[` + types + `]}}`
	}
	const (
		none    = "MachineLearningServices yes, Storage yes, Network yes"
		denied  = "MachineLearningServices no, Storage yes, Network yes"
		part    = "MachineLearningServices unknown, Storage yes, Network yes"
		unclear = "MachineLearningServices unknown, Storage unknown, Network unknown"
	)
	for _, f := range []struct{ want, definition, parameters, more string }{
		{denied, notAllowed, ml, ""},
		{denied, strings.ToUpper(notAllowed), ml, `,"enforcementMode":"Default","overrides":[],"resourceSelectors":null,"notScopes":[]`},
		{denied, notAllowed, effect(`"deny"`), ""},
		{denied, notAllowed, ml, `,"notScopes":["/subscriptions/bbbbbbbb-1111-2222-3333-444455556666","` + groupsScope + `kite-labs"]`},
		{part, notAllowed, without("Microsoft.MachineLearningServices/workspaces"), ""},
		{"MachineLearningServices yes, Storage yes, Network unknown", notAllowed, without("Microsoft.Network/publicIPAddresses"), ""},
		{none, notAllowed, `{"listOfResourceTypesNotAllowed":{"value":[]}}`, ""},
		// What is not enforced, or not here, denies nothing.
		{none, notAllowed, effect(`"Audit"`), ""},
		{none, notAllowed, effect(`"Disabled"`), ""},
		{none, notAllowed, ml, `,"enforcementMode":"DoNotEnforce"`},
		{none, builtIn + "other", `{}`, `,"enforcementMode":"DoNotEnforce"`},
		{none, notAllowed, ml, `,"notScopes":["/SUBSCRIPTIONS/` + subscription + `/"]`},
		{none, builtIn + "other", `{}`, `,"notScopes":["` + groupsScope + `Kite-Corp"]`},
		// A part of it, or nobody can tell.
		{part, notAllowed, ml, `,"notScopes":["/subscriptions/` + subscription + `/resourceGroups/lab"]`},
		{part, notAllowed, ml, `,"notScopes":["[parameters('x')]"]`},
		{part, notAllowed, ml, `,"resourceSelectors":[{"name":"x","selectors":[{"kind":"resourceLocation","in":["eastus"]}]}]`},
		{part, notAllowed, ml, `,"overrides":[{"kind":"policyEffect","value":"Audit"}]`},
		{part, notAllowed, effect(`"Audit"`), `,"overrides":[{"kind":"policyEffect","value":"Deny"}]`},
		{part, notAllowed, ml, `,"enforcementMode":"Enroll"`},
		{part, notAllowed, effect(`"[parameters('effect')]"`), ""},
		{part, notAllowed, effect(`7`), ""},
		{unclear, notAllowed, `{"listOfResourceTypesNotAllowed":{"value":"[parameters('types')]"}}`, ""},
		{unclear, notAllowed, without("[concat('Microsoft.','Storage/storageAccounts')]"), ""},
		{unclear, notAllowed, without("Microsoft.Storage/*"), ""},
		{unclear, notAllowed, `{}`, ""},
		{unclear, builtIn + "other", ml, ""},
		{unclear, groupsScope + "kite-corp" + notAllowed, ml, ""},
		{unclear, "/providers/Microsoft.Authorization/policySetDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749", ml, ""},
		// A list of what is allowed: of services with many types it cannot be told.
		{"MachineLearningServices no, Storage unknown, Network unknown", onlyAllowed, only(`"Microsoft.Storage/storageAccounts"`), ""},
		{"MachineLearningServices no, Storage no, Network unknown", onlyAllowed, only(""), ""},
		{unclear, onlyAllowed, only(`"microsoft.machinelearningservices/workspaces","Microsoft.Storage/storageAccounts"`), ""},
		{unclear, onlyAllowed, only(""), `,"resourceSelectors":[{}]`},
	} {
		files := tenantAnswers()
		files["policy-assignments/kite-corp.json"] = &fstest.MapFile{Data: []byte(assigned(groupsScope+"kite-corp", f.definition, f.parameters, f.more))}
		if got := saidOf(read(t, files).Of(subscription), "MachineLearningServices", "Storage", "Network"); got != f.want {
			t.Errorf("%s %s %s:\n%s, want\n%s", f.definition, f.parameters, f.more, got, f.want)
		}
	}
}

// TestTenantMissing: what is not known is never said to be allowed, and it is said what
// is missing; what is denied is denied all the same, unless it may be exempt.
func TestTenantMissing(t *testing.T) {
	const list, exemptions = "az policy assignment list --scope ", "az policy exemption list --disable-scope-strict-match --scope /subscriptions/" + subscription
	group := strings.ToLower(groupsScope)
	assignment := groupsScope + "kite-corp/providers/Microsoft.Authorization/policyAssignments/kite"
	f := func(want, missing string, change func(fstest.MapFS)) {
		t.Helper()
		files := tenantAnswers()
		files["policy-assignments/kite-corp.json"] = &fstest.MapFile{Data: []byte(assigned(groupsScope+"kite-corp", notAllowed, without(strings.Split(mlTypes, ",")...), ""))}
		change(files)
		a := read(t, files).Of(subscription)
		if a == nil {
			if want != "" {
				t.Errorf("nothing is known, want %s", want)
			}
			return
		}
		if got := saidOf(a, "MachineLearningServices", "Storage"); got != want || strings.Join(a.Missing, "; ") != missing || a.Source != register.FromTenant {
			t.Errorf("%s, missing %q, want %s, %q", got, a.Missing, want, missing)
		}
	}
	gone := func(name string) func(fstest.MapFS) { return func(f fstest.MapFS) { delete(f, name) } }
	put := func(name, text string) func(fstest.MapFS) {
		return func(f fstest.MapFS) { f[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	f("MachineLearningServices no, Storage yes", "", func(fstest.MapFS) {})
	f("", "", gone("root.json"))
	f("MachineLearningServices no, Storage unknown", list+group+tenantID, gone("policy-assignments/"+tenantID+".json"))
	f("MachineLearningServices no, Storage unknown", list+"/subscriptions/"+subscription, gone("policy-assignments/"+subscription+".json"))
	f("MachineLearningServices unknown, Storage unknown", list+group+"kite-corp", gone("policy-assignments/kite-corp.json"))
	f("MachineLearningServices unknown, Storage yes", exemptions, gone("policy-exemptions/"+subscription+".json"))
	f("MachineLearningServices unknown, Storage yes", "", put("policy-exemptions/"+subscription+".json", `[{"id":"/x","policyAssignmentId":"`+strings.ToUpper(assignment)+`"}]`))
	f("MachineLearningServices no, Storage yes", "", put("policy-exemptions/"+subscription+".json", `[{"id":"/x","policyAssignmentId":"/other"}]`))
	// The hierarchy from the entities; and without the root of the tenant.
	entity := func(id, name, parent string) string {
		return fmt.Sprintf(`{"id":%q,"name":%q,"tenantId":%q,"type":"x","parent":{"id":%s}}`, id, name, tenantID, parent)
	}
	corp := entity("/subscriptions/"+subscription, subscription, `"`+groupsScope+`kite-corp"`)
	under := entity(groupsScope+"kite-corp", "kite-corp", `"`+groupsScope+tenantID+`"`)
	f("MachineLearningServices no, Storage yes", "", put("root.json", "["+entity(groupsScope+tenantID, tenantID, "null")+","+under+","+corp+"]"))
	f("MachineLearningServices no, Storage unknown", "az account management-group entities list", put("root.json", "["+corp+"]"))
	f("MachineLearningServices no, Storage unknown", "az account management-group entities list", put("root.json", "["+under+","+corp+"]"))
	loop := entity(groupsScope+tenantID, tenantID, `"`+groupsScope+`kite-corp"`)
	f("MachineLearningServices no, Storage unknown", "az account management-group entities list", put("root.json", "["+loop+","+under+","+corp+"]"))
	// Of other clouds, and of what is no service, nothing is said.
	a := read(t, tenantAnswers()).Of(subscription)
	for _, s := range []string{"s3.amazonaws.com", "compute.googleapis.com", "", "microsoft.storage/storageaccounts"} {
		if yes := a.Allows(s); yes != nil {
			t.Errorf("of %q it is said %v", s, *yes)
		}
	}
}

// TestTenantRefuses: what cannot be read is told with its name, and nothing that it may
// have said is taken for allowed.
func TestTenantRefuses(t *testing.T) {
	f := func(name, text, want, said string) {
		t.Helper()
		files := tenantAnswers()
		files[name] = &fstest.MapFile{Data: []byte(text)}
		o, wrong := register.ReadOrganization(files)
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0].Error(), name+": ") || !strings.Contains(wrong[0].Error(), want) {
			t.Errorf("%s: %v, want one that says %q", name, wrong, want)
		}
		if got := saidOf(o.Of(subscription), "Storage"); got != said {
			t.Errorf("%s: the rest says %s, want %s", name, got, said)
		}
	}
	on := assigned(groupsScope+"kite-corp", notAllowed, "{}", "")
	f("a.json", `[`, "unexpected end", "Storage yes")
	f("a.json", `[]`, "does not say of what", "Storage yes")
	f("a.json", `[null,{}]`, "no list of", "Storage yes")
	f("policy-assignments/kite-corp.json", `[{"policyDefinitionId":"x","notScopes":"all"}]`, "cannot unmarshal", "Storage unknown")
	f("policy-assignments/kite-corp.json", assigned("/subscriptions/x/resourceGroups/y", notAllowed, "{}", ""), "no management group", "Storage unknown")
	f("policy-assignments/kite-corp.json", strings.TrimSuffix(on, "]")+","+strings.TrimPrefix(assigned("/subscriptions/x", notAllowed, "{}", ""), "["), "of one scope", "Storage unknown")
	f("z/moved.json", `{"id":"`+groupsScope+`kite-labs","children":[{"id":"/subscriptions/`+subscription+`"}]}`, "in another answer", "Storage unknown")
	f("z/odd.json", `{"id":"/subscriptions/x","type":"Microsoft.Management/managementGroups"}`, "no management group", "Storage yes")
}

// FuzzTenant: whatever an answer holds, a service that is denied at the root management
// group is never allowed.
func FuzzTenant(f *testing.F) {
	for name, file := range tenantAnswers() {
		f.Add(name, file.Data)
	}
	f.Add("policy-assignments/kite-corp.json", []byte(assigned(groupsScope+"kite-corp", onlyAllowed, `{"listOfResourceTypesAllowed":{"value":["Microsoft.MachineLearningServices/workspaces"]}}`, "")))
	f.Add("policy-exemptions/"+subscription+".json", []byte(`[{"policyAssignmentId":"`+groupsScope+tenantID+`/providers/Microsoft.Authorization/policyAssignments/kite"}]`))
	f.Add("x.json", []byte(`{"id":"`+groupsScope+`kite-corp","name":"kite-corp","tenantId":"kite-corp"}`))
	f.Add("x.json", []byte(`{"id":"`+groupsScope+`other","name":"other","tenantId":"other","children":[{"id":"/subscriptions/`+subscription+`"}]}`))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		files := tenantAnswers()
		files["policy-assignments/"+tenantID+".json"] = &fstest.MapFile{Data: []byte(assigned(groupsScope+tenantID, notAllowed, without(strings.Split(mlTypes, ",")...), ""))}
		o, wrong := register.ReadOrganization(files)
		if got := saidOf(o.Of(subscription), "MachineLearningServices"); got != "MachineLearningServices no" || len(wrong) > 0 {
			t.Fatalf("before: %s, %v", got, wrong)
		}
		_ = o.Add(name, text)
		if yes := o.Of(subscription).Allows("microsoft.machinelearningservices"); yes != nil && *yes {
			t.Errorf("%s %q: denied at the root group, and said to be allowed", name, text)
		}
	})
}
