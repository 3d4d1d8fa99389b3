package alert

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func isAccessAnalyzer(v value) bool {
	return v.any("id", "findingId") != "" && hasAll(v, "analyzedAt", "resourceType", "status") && (v.get("resource").str() != "" || v.get("error").exists())
}

// readAccessAnalyzer reads findings of IAM Access Analyzer: external, internal
// and unused access, as events and as answers of ListFindings, ListFindingsV2
// and GetFinding.
func readAccessAnalyzer(v value) (Alert, error) {
	resource, id := v.get("resource").str(), v.any("id", "findingId")
	a := Alert{
		Ref: Ref{"accessanalyzer", tail(id, "/")}, Product: "IAM Access Analyzer", UID: id,
		Class: IAMAnalysis, Cloud: "AWS", Type: firstOf(v.get("findingType").str(), "ExternalAccess"),
		Parent:  v.any("analyzerArn", "accessAnalyzerArn"),
		Account: v.any("resourceOwnerAccount", "resourceAccount", "accountId"), Region: firstOf(v.get("region").str(), arnPart(resource, 3)),
		At: v.time("updatedAt", "analyzedAt", "createdAt"), First: v.time("createdAt"), Last: v.time("analyzedAt"),
		Closed: v.get("isDeleted").truth(), Said: v.get("status").str(),
		Resources: []Resource{{UID: resource, Type: v.get("resourceType").str()}},
	}
	if a.At.IsZero() {
		return a, errors.New("updatedAt is missing or no time")
	}
	switch strings.ToUpper(a.Said) {
	case "ARCHIVED":
		a.Status = Suppressed
	case "RESOLVED":
		a.Status = Resolved
	case "ACTIVE":
		a.Status = Open
	default:
		return a, fmt.Errorf("status %q is none of ACTIVE, ARCHIVED, RESOLVED", Plain(a.Said))
	}
	// The event has its details beside the rest, the answer within.
	d := v
	for _, x := range v.get("findingDetails").list() {
		for _, name := range []string{"externalAccessDetails", "internalAccessDetails"} {
			if x.get(name).exists() {
				d = x.get(name)
			}
		}
	}
	who := principals(d.get("principal"))
	public := d.get("isPublic").truth()
	// Access Analyzer gives no severity: what anybody may do outweighs what a
	// named account may, and that what is merely unused.
	switch e := d.get("error").str(); {
	case e != "":
		a.Severity, a.Titled = Low, Note{UsedMay, shortName(resource), e}
	case public:
		a.Severity, a.Titled = High, Note{UsedByAll, shortName(resource), ""}
	case strings.HasPrefix(strings.ToUpper(a.Type), "UNUSED"):
		a.Severity, a.Titled = Low, Note{Unused, shortName(resource), ""}
	case who != "":
		a.Severity, a.Titled = Medium, Note{UsedBy, shortName(resource), who}
	default:
		a.Severity, a.Titled = Medium, Note{UsedOutside, shortName(resource), ""}
	}
	if acts := d.get("action").strs(); len(acts) > 0 {
		a.note(Allowed, strings.Join(acts[:min(len(acts), 10)], ", "), "")
	}
	if cond, _ := d.get("condition").v.(map[string]any); len(cond) > 0 {
		for _, k := range slices.Sorted(maps.Keys(cond)) {
			a.note(Condition, k, value{cond[k]}.str())
		}
	}
	return a, nil
}

// principals writes {"AWS": "111122223333"} in words.
func principals(v value) string {
	m, _ := v.v.(map[string]any)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+" "+strings.Join(value{m[k]}.strs(), ", "))
	}
	return strings.Join(out, "; ")
}

// shortName is the part of a full name that a person calls the thing.
func shortName(s string) string {
	if p := arnPart(s, 5); p != "" {
		return p
	}
	return firstOf(s, "A resource")
}
