package rules_test

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/rules"
)

type rule struct {
	Title          string
	ID             string
	Status         string
	Description    string
	References     []string
	Author         string
	Date           string
	Tags           []string
	Logsource      map[string]string
	Detection      map[string]any
	Falsepositives []string
	Level          string
	Yagura         struct {
		Confidence    float64
		AttackVersion string `yaml:"attack_version"`
		Next          []string
	}
}

type cases struct {
	Cases []struct {
		Name  string
		Fires bool
		Event map[string]any
	}
}

// decode reads one file strictly: a misspelt key is an error.
func decode(t *testing.T, name string, into any) {
	t.Helper()
	text, err := fs.ReadFile(rules.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func list(t *testing.T) (names []string) {
	t.Helper()
	all, err := fs.Glob(rules.FS(), "*/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if stem, isCases := strings.CutSuffix(name, rules.CasesSuffix); isCases {
			if !slices.Contains(all, stem+".yml") {
				t.Errorf("%s has no rule beside it", name)
			}
		} else {
			names = append(names, name)
		}
	}
	for folder, least := range map[string]int{"aws": 30, "gcp": 22, "azure": 24} {
		if n := len(names) - len(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return path.Dir(name) == folder })); n < least {
			t.Fatalf("found %d rules below %s, want at least %d", n, folder, least)
		}
	}
	return names
}

// services names the log sources that the rules of a folder are about.
var services = map[string][]string{
	"aws":   {"cloudtrail"},
	"gcp":   {"gcp.audit", "google_workspace.admin"},
	"azure": {"activitylogs", "auditlogs", "signinlogs"},
}

// The tactics of ATT&CK v19, in which Defense Evasion became Stealth and
// Defense Impairment.
var tactics = []string{
	"reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
	"stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection",
	"command-and-control", "exfiltration", "impact",
}

var (
	uuid4     = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	technique = regexp.MustCompile(`^t1[0-9]{3}(\.[0-9]{3})?$`)
	revoked   = regexp.MustCompile(`^t1562(\.|$)`) // in v19: T1685, T1686, T1689, T1690
	holder    = regexp.MustCompile(`\{[a-z]+\}`)
)

var levels = []string{"informational", "low", "medium", "high", "critical"}

func TestRules(t *testing.T) {
	ids := map[string]string{}
	for _, name := range list(t) {
		t.Run(strings.TrimSuffix(name, ".yml"), func(t *testing.T) {
			var r rule
			decode(t, name, &r)
			if other, taken := ids[r.ID]; taken {
				t.Errorf("id %s is also that of %s", r.ID, other)
			}
			ids[r.ID] = name
			checkHead(t, r, path.Dir(name))
			checkTags(t, r.Tags)
			checkAdvice(t, r)
		})
	}
}

func checkHead(t *testing.T, r rule, folder string) {
	t.Helper()
	switch {
	case !uuid4.MatchString(r.ID):
		t.Errorf("id %q is no version 4 UUID", r.ID)
	case r.Title == "" || len(r.Title) > 110:
		t.Errorf("title %q: 1 to 110 characters", r.Title)
	case r.Author == "" || r.Date == "" || r.Status == "" || len(r.References) == 0:
		t.Error("author, date, status and references are needed")
	case r.Logsource["product"] != folder || !slices.Contains(services[folder], r.Logsource["service"]):
		t.Errorf("logsource %v, want %s with one of %v", r.Logsource, folder, services[folder])
	case r.Detection["condition"] == nil:
		t.Error("no condition")
	case !slices.Contains(levels, r.Level):
		t.Errorf("level %q", r.Level)
	}
	// The description says why this level and not another.
	argued := r.Level
	if argued == "informational" {
		argued = "Informational"
	}
	if !strings.Contains(strings.ToLower(r.Description), strings.ToLower(argued)) {
		t.Errorf("the description does not argue the level %s: %s", r.Level, r.Description)
	}
}

func checkTags(t *testing.T, tags []string) {
	t.Helper()
	var techniques int
	for _, tag := range tags {
		id, ok := strings.CutPrefix(tag, "attack.")
		switch {
		case !ok:
			t.Errorf("tag %q: only attack.* is used", tag)
		case revoked.MatchString(id):
			t.Errorf("tag %q was revoked in ATT&CK v19", tag)
		case technique.MatchString(id):
			techniques++
		case !slices.Contains(tactics, id):
			t.Errorf("tag %q is neither a technique nor a tactic of ATT&CK v19", tag)
		}
	}
	if techniques == 0 {
		t.Error("no ATT&CK technique")
	}
}

func checkAdvice(t *testing.T, r rule) {
	t.Helper()
	if len(r.Falsepositives) == 0 || strings.EqualFold(r.Falsepositives[0], "unknown") {
		t.Error("false positives need concrete notes")
	}
	if c := r.Yagura.Confidence; c <= 0 || c > 1 {
		t.Errorf("confidence %v", c)
	}
	if r.Yagura.AttackVersion != "19" {
		t.Errorf("attack_version %q", r.Yagura.AttackVersion)
	}
	if n := len(r.Yagura.Next); n < 2 || n > 4 {
		t.Errorf("%d next steps, want 2 to 4", n)
	}
	for _, step := range r.Yagura.Next {
		for _, h := range holder.FindAllString(step, -1) {
			if !slices.Contains([]string{"{account}", "{region}", "{actor}", "{resource}"}, h) {
				t.Errorf("unknown placeholder %s in %q", h, step)
			}
		}
	}
}

func TestCasesAreWhole(t *testing.T) {
	eventIDs := map[string]string{}
	for _, name := range list(t) {
		stem := strings.TrimSuffix(name, ".yml")
		t.Run(stem, func(t *testing.T) {
			var c cases
			decode(t, stem+rules.CasesSuffix, &c)
			var fires, quiet int
			for _, one := range c.Cases {
				if one.Fires {
					fires++
				} else {
					quiet++
				}
				id := checkRecord(t, path.Dir(name), one.Name, one.Event)
				if other, taken := eventIDs[id]; taken {
					t.Errorf("%s: id %s is also that of %s", one.Name, id, other)
				}
				eventIDs[id] = stem + ": " + one.Name
			}
			least := 2
			if path.Dir(name) == "aws" {
				least = 1
			}
			if fires == 0 || quiet < least {
				t.Errorf("%d cases fire and %d stay quiet, want at least 1 and %d", fires, quiet, least)
			}
		})
	}
}

// checkRecord holds a case to the fields that every record of its kind has, so
// that a case shows a rule on a record and not on a scrap. It returns what
// identifies the record.
func checkRecord(t *testing.T, folder, name string, e map[string]any) (id string) {
	t.Helper()
	text := func(fields ...string) (last string) {
		t.Helper()
		for _, field := range fields {
			var at any = e
			for key := range strings.SplitSeq(field, ".") {
				below, _ := at.(map[string]any)
				at = below[key]
			}
			if last, _ = at.(string); last == "" {
				t.Errorf("%s: %s is missing or no text", name, field)
			}
		}
		return last
	}
	if _, err := json.Marshal(e); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	switch {
	case folder == "aws":
		text("eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "eventType", "recipientAccountId", "userIdentity.type")
		return text("eventID")
	case e["kind"] == "admin#reports#activity": // Workspace, as the Reports API answers
		text("id.time", "id.applicationName", "id.customerId", "actor.email", "ipAddress")
		return text("id.uniqueQualifier")
	case folder == "gcp":
		text("logName", "timestamp", "severity", "resource.type", "protoPayload.@type", "protoPayload.serviceName", "protoPayload.methodName", "protoPayload.resourceName")
		return text("insertId")
	case e["@odata.type"] == "#microsoft.graph.directoryAudit":
		text("activityDisplayName", "activityDateTime", "category", "result", "loggedByService")
		return text("id")
	case e["@odata.type"] == "#microsoft.graph.signIn":
		text("createdDateTime", "ipAddress", "appId")
		return text("id")
	case e["eventDataId"] != nil: // the activity log, as its interface answers
		text("eventTimestamp", "operationName.value", "status.value", "resourceId", "subscriptionId", "caller")
		return text("eventDataId")
	case e["operationName"] == "Sign-in activity": // diagnostic settings write the others
		text("time", "resourceId", "category", "tenantId", "resultType", "properties.createdDateTime", "properties.ipAddress")
		return text("properties.id")
	case e["category"] == "AuditLogs":
		text("time", "resourceId", "operationName", "tenantId", "properties.activityDisplayName", "properties.result", "properties.category")
		return text("properties.id")
	}
	text("time", "resourceId", "operationName", "category", "resultType", "callerIpAddress", "tenantId")
	return text("correlationId")
}
