package pipeline_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
	"github.com/yagura-sec/yagura/sigma/pipeline"
)

const table = `
aliases:
- logsource: {product: p}
  fields: {f: [g, h.i], other: [x]}
  prefixes: {a.: b.}
  known: [Known.name, g]
- logsource: {product: elsewhere}
  fields: {f: [never]}
`

// TestAliases says what a field of several names means: what all of them hold,
// as one array would.
func TestAliases(t *testing.T) {
	aliases, refused := pipeline.ParseAliases("a.yml", []byte(table))
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	f := func(detection string, yes, no []string) {
		t.Helper()
		set, refused := match.Compile([]*sigma.Rule{ruleOf(t, detection, "")}, match.Options{Aliases: aliases})
		if len(refused) > 0 {
			t.Errorf("%s: %v", detection, refused)
			return
		}
		sc := set.NewScratch()
		for i, record := range append(yes, no...) {
			hits, err := set.MatchJSON(sc, []byte(record), match.Source{Product: "p", Service: "v"})
			if err != nil || (len(hits) == 1) != (i < len(yes)) {
				t.Errorf("%s with %s: %d hits, %v", detection, record, len(hits), err)
			}
		}
	}
	l := func(records ...string) []string { return records }
	f(`{f: a}`, l(`{"f":"a"}`, `{"g":"A"}`, `{"h":{"i":"a"}}`, `{"f":"x","g":"a"}`), l(`{"never":"a"}`, `{"x":"a"}`, `{}`))
	f(`{f|contains|all: [a, b]}`, l(`{"f":"a","g":"b"}`, `{"f":["a","b"]}`), l(`{"f":"a"}`))
	f(`{f|neq: a}`, l(`{}`, `{"f":"x","g":"y"}`), l(`{"f":"x","g":"a"}`))
	f("s: {f: a}\ncondition: not s", l(`{}`, `{"f":"x","g":"y"}`), l(`{"f":"x","g":"a"}`))
	f(`{f: null}`, l(`{}`, `{"f":null}`, `{"f":null,"g":null}`), l(`{"f":"x"}`, `{"f":null,"g":"x"}`, `{"h.i":0}`))
	f(`{f|neq: null}`, l(`{"f":null,"g":"x"}`), l(`{}`, `{"g":null}`))
	f(`{f|exists: true}`, l(`{"g":null}`, `{"f":1}`), l(`{}`, `{"x":1}`))
	f(`{f|exists: false}`, l(`{}`, `{"x":1}`), l(`{"g":null}`))
	f(`{f|gt: 5}`, l(`{"f":3,"g":6}`), l(`{"f":3,"g":4}`))
	f(`{f|re: '^a$'}`, l(`{"g":"a"}`), l(`{"g":"b"}`))
	f(`{f|cidr: 10.0.0.0/8}`, l(`{"h":{"i":"10.1.1.1"}}`), l(`{"h":{"i":"11.1.1.1"}}`))
	f(`{k|fieldref: f}`, l(`{"k":"a","g":"a"}`), l(`{"k":"a","x":"a"}`))
	f(`{f|fieldref: other}`, l(`{"g":"a","x":"a"}`), l(`{"f":"b","x":"a"}`))
	f(`{a.z: 1}`, l(`{"a":{"z":1}}`, `{"b":{"z":1}}`), l(`{"z":1}`))
	f(`{KNOWN.Name: 1}`, l(`{"KNOWN":{"Name":1}}`, `{"Known":{"name":1}}`), l(`{"known":{"name":1}}`))
	f(`{F: 1}`, l(`{"F":1}`, `{"f":1}`, `{"g":1}`), l(`{"x":1}`))
	f(`[a]`, l(`{"any":"a"}`), l(`{}`))
}

// Without aliases, and for other log sources, fields are what rules call them.
func TestAliasesAreAskedFor(t *testing.T) {
	aliases, _ := pipeline.ParseAliases("a.yml", []byte(table))
	f := func(o match.Options, source string, want int) {
		t.Helper()
		set, refused := match.Compile([]*sigma.Rule{ruleOf(t, `{f: a}`, "logsource: {product: "+source+"}")}, o)
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		hits, err := set.MatchJSON(set.NewScratch(), []byte(`{"g":"a"}`), match.Source{Product: source})
		if err != nil || len(hits) != want {
			t.Errorf("%s: %d hits, %v", source, len(hits), err)
		}
	}
	f(match.Options{}, "p", 0)
	f(match.Options{Aliases: aliases}, "p", 1)
	f(match.Options{Aliases: aliases}, "P", 1)
	f(match.Options{Aliases: aliases}, "q", 0)
	// The log source that counts is the one that pipelines leave.
	f(match.Options{Aliases: aliases, Pipelines: parse(t, `- {type: change_logsource, product: q}`)}, "p", 0)
}

// The spellings that published rules use reach the records as vendors write them.
func TestDefaultAliases(t *testing.T) {
	f := func(product, service, field string, want ...string) {
		t.Helper()
		names := pipeline.DefaultAliases().Names(sigma.LogSource{Product: product, Service: service}, field)
		if names[0] != field {
			t.Errorf("%s: the rule's own name is %s", field, names[0])
		}
		for _, w := range want {
			if !slices.Contains(names, w) {
				t.Errorf("%s/%s %s: %v lacks %s", product, service, field, names, w)
			}
		}
	}
	f("azure", "auditlogs", "OperationName", "operationName", "properties.activityDisplayName")
	f("azure", "auditlogs", "properties.message", "operationName")
	f("azure", "auditlogs", "Category", "category", "properties.category")
	f("azure", "auditlogs", "Initiatied.By", "properties.initiatedBy.user.userPrincipalName")
	f("azure", "auditlogs", "Initiatedby", "properties.initiatedBy")
	f("azure", "auditlogs", "Resultdescription", "resultDescription", "properties.resultReason")
	f("azure", "auditlogs", "LoggedByService", "properties.loggedByService")
	f("azure", "auditlogs", "TargetResources.modifiedProperties.newValue", "properties.targetResources.modifiedProperties.newValue")
	f("azure", "activitylogs", "OperationNameValue", "operationName")
	f("azure", "activitylogs", "operationName", "OperationNameValue", "operationName.value")
	f("azure", "activitylogs", "CategoryValue", "category")
	f("azure", "activitylogs", "ResourceId", "resourceId")
	f("azure", "signinlogs", "ResultType", "resultType", "properties.status.errorCode")
	f("azure", "signinlogs", "DeviceDetail.deviceId", "properties.deviceDetail.deviceId")
	f("azure", "signinlogs", "AuthenticationRequirement", "properties.authenticationRequirement")
	f("azure", "signinlogs", "conditionalAccessStatus", "properties.conditionalAccessStatus")
	f("azure", "riskdetection", "riskEventType", "properties.riskEventType")
	f("gcp", "gcp.audit", "gcp.audit.method_name", "protoPayload.methodName", "data.protoPayload.methodName")
	f("gcp", "gcp.audit", "data.protoPayload.request.name", "protoPayload.request.name")
	f("gcp", "gcp.audit", "protoPayload.methodName", "gcp.audit.method_name", "data.protoPayload.methodName")
	f("gcp", "google_workspace.login", "protoPayload.Servicename", "protoPayload.serviceName")
	f("gcp", "google_workspace.admin", "eventService", "protoPayload.serviceName")
	f("m365", "threat_management", "eventSource", "Workload")
	f("m365", "threat_management", "eventName", "Operation")
	f("aws", "cloudtrail", "eventname", "eventName")
	if names := pipeline.DefaultAliases().Names(sigma.LogSource{Product: "windows"}, "Image"); len(names) != 1 {
		t.Errorf("a source without a table has %v", names)
	}
	// No source asks for so many names that some are cut off.
	for _, table := range pipeline.DefaultAliases() {
		for field := range table.Fields {
			l := sigma.LogSource{Product: table.Product, Service: table.Service}
			if n := len(pipeline.DefaultAliases().Names(l, field)); n > 12 {
				t.Errorf("%s %s has %d names", l, field, n)
			}
		}
	}
}

func TestRefusesAliases(t *testing.T) {
	f := func(text string, line, col int, reason string) {
		t.Helper()
		_, refused := pipeline.ParseAliases("a.yml", []byte(text))
		if len(refused) == 0 {
			t.Errorf("%s: is read", text)
			return
		}
		if e := refused[0]; e.Line != line || e.Col != col || !strings.Contains(e.Reason, reason) {
			t.Errorf("%s: %v, want %q at %d:%d", text, refused, reason, line, col)
		}
	}
	f("[]", 1, 1, "expected a mapping")
	f("fields: {}", 1, 1, `lacks "aliases"`)
	f("aliases:\n- {field: {a: b}}", 2, 4, `no parameter "field"`)
	f("aliases:\n- {fields: {a: []}}", 2, 13, "mapped to nothing")
	f("aliases:\n- {fields: {null: b}}", 2, 13, "a name is empty")
	f("aliases:\n- {logsource: {vendor: x}}", 2, 16, `no parameter "vendor"`)
}

// A field of several names is to every rule what one array of all their values
// would be.
func TestAliasesAreOneArray(t *testing.T) {
	aliases, _ := pipeline.ParseAliases("a.yml", []byte("aliases: [{fields: {f: [g, h]}}]"))
	r := rand.New(rand.NewPCG(59, 61))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	values := func() []string {
		var out []string
		for range r.IntN(3) {
			out = append(out, pick(`"a"`, `"ab"`, `"b"`, `5`, `"5"`, `true`, `""`, `"10.0.0.1"`))
		}
		return out
	}
	hits := 0
	for range 2000 {
		item := "f" + pick("", "|contains", "|contains|all", "|neq", "|startswith|neq", "|re", "|all") + ": [" + pick("a", "b", "5", "''") + ", " + pick("a", "ab", "'a*'") + "]"
		item = pick(item, item, item, "f: null", "f|exists: true", "f|exists: false", "f|neq: null", "f|gt: 4", "f|cidr: 10.0.0.0/8", "k|fieldref: f", "f|fieldref: k")
		detection := "s: {'" + strings.Replace(item, ":", "':", 1) + "}\ncondition: " + pick("s", "not s")
		rule := ruleOf(t, detection, "")
		with, refused := match.Compile([]*sigma.Rule{rule}, match.Options{Aliases: aliases})
		without, more := match.Compile([]*sigma.Rule{rule}, match.Options{})
		if len(refused)+len(more) > 0 {
			t.Fatal(refused, more)
		}
		var members, all []string
		for _, name := range []string{"f", "g", "h"} {
			if r.IntN(2) == 0 {
				continue
			}
			some := values()
			members = append(members, `"`+name+`":[`+strings.Join(some, ",")+`]`)
			all = append(all, some...)
		}
		k := `"k":"a"`
		one := `{` + k + `}`
		if len(members) > 0 {
			one = `{` + k + `,"f":[` + strings.Join(all, ",") + `]}`
		}
		several := `{` + strings.Join(append(members, k), ",") + `}`
		source := match.Source{Product: "p", Service: "v"}
		got, err := with.MatchJSON(with.NewScratch(), []byte(several), source)
		want, err2 := without.MatchJSON(without.NewScratch(), []byte(one), source)
		if err != nil || err2 != nil || len(got) != len(want) {
			t.Fatalf("%s: %d on %s, %d on %s; %v %v", detection, len(got), several, len(want), one, err, err2)
		}
		hits += len(got)
	}
	if hits < 500 || hits > 1500 {
		t.Errorf("%d of 2000 hit", hits)
	}
}

// Published rules for Azure and Google Cloud, of which every field occurs in real
// records: with the aliases there are more of them.
func TestAliasesReviveRules(t *testing.T) {
	data := filepath.Join("..", "..", "..", "shared", "data")
	docs, _ := sigma.LoadPath(filepath.Join(data, "sigma", "sigmahq-rules", "rules", "cloud"))
	if len(docs.Rules) == 0 {
		t.Skip("the rules in ../shared/data/sigma are not here")
	}
	f := func(product, service string, least int, logs ...string) {
		t.Helper()
		var records [][]byte
		for _, log := range logs {
			text, err := os.ReadFile(filepath.Join(data, log))
			if err != nil {
				t.Skipf("%s is not here", log)
			}
			for line := range bytes.Lines(text) {
				records = append(records, line)
			}
		}
		occurs := func(names []string) bool {
			fields := match.NewFields(names)
			for _, record := range records {
				got, err := fields.Read(record)
				if err == nil && slices.ContainsFunc(got, func(v []string) bool { return len(v) > 0 }) {
					return true
				}
			}
			return false
		}
		rules, before, after := 0, 0, 0
		for _, r := range docs.Rules {
			if r.LogSource.Product != product || r.LogSource.Service != service {
				continue
			}
			rules++
			plain, aliased := true, true
			for _, s := range r.Detection.Searches {
				for _, g := range s.Groups {
					for _, it := range g {
						plain = plain && occurs([]string{it.Field})
						aliased = aliased && occurs(pipeline.DefaultAliases().Names(r.LogSource, it.Field))
					}
				}
			}
			if plain {
				before++
			}
			if aliased {
				after++
			}
		}
		t.Logf("%s/%s: %d rules, every field occurs for %d, with aliases for %d", product, service, rules, before, after)
		if after < least || after <= before && before < rules {
			t.Errorf("%s/%s: %d of %d rules have fields that occur, %d without aliases", product, service, after, rules, before)
		}
	}
	f("azure", "auditlogs", 19, "azure/elastic-azure-auditlogs/test-auditlogs-raw.log", "azure/elastic-azure-auditlogs/test-audit-logs-sample.log")
	f("azure", "activitylogs", 15, "azure/elastic-azure-activitylogs/test-activitylogs-raw.log")
	f("azure", "signinlogs", 8, "azure/elastic-azure-signinlogs/test-signinlogs-raw.log", "azure/elastic-azure-signinlogs/test-signinlogs-sample.log", "azure/elastic-azure-signinlogs/test-non-interactive-user-sample.log")
	f("azure", "riskdetection", 11, "azure/elastic-azure-identity_protection/test-userriskevents-raw.log")
	f("gcp", "gcp.audit", 7, "gcp/elastic-gcp-audit/test-audit.log")
}
