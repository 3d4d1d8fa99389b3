package alert

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// isSysdig knows runtime events of policies, and posture results.
func isSysdig(v value) bool {
	if hasAll(v, "control.id", "requirementId", "policyId") {
		return true
	}
	if !hasAll(v, "id") || !v.get("timestampRFC3339Nano").exists() && !v.get("timestamp").exists() {
		return false
	}
	return strings.EqualFold(v.get("type").str(), "policy") || v.get("content.ruleName").exists()
}

// readSysdig reads Sysdig Secure's findings.
func readSysdig(v value) (Alert, error) {
	if v.get("control").exists() {
		return readSysdigPosture(v)
	}
	return readSysdigRuntime(v)
}

// readSysdigRuntime reads an event of a policy, as forwarded and as the API of
// secure events answers. The same finding is the same rule at the same place:
// the id is that of one event.
func readSysdigRuntime(v value) (Alert, error) {
	content, labels := v.get("content"), v.get("labels")
	label := func(names ...string) string {
		for _, n := range names {
			if s := labels.key(n).str(); s != "" {
				return s
			}
		}
		return ""
	}
	a := Alert{
		Product: "Sysdig", Class: Detection, UID: v.get("id").str(), Type: v.get("name").str(),
		Title: firstOf(content.get("ruleName").str(), v.get("name").str()), Description: firstOf(content.get("output").str(), v.get("description").str()),
		At: v.time("timestampRFC3339Nano", "timestamp"), Status: Open, Level: v.get("severity").str(),
		Cloud: cloudName(label("cloudProvider.name")), Account: label("cloudProvider.account.id", "aws.accountId", "gcp.projectId"), Region: label("cloudProvider.region", "aws.region"),
		Host: label("host.hostName"),
	}
	if a.At.IsZero() {
		return a, errors.New("timestampRFC3339Nano and timestamp are missing or no times")
	}
	n, ok := v.get("severity").num()
	switch {
	case !ok || n < 0 || n > 7:
		a.Severity = Unknown
	case n <= 3:
		a.Severity = High
	case n <= 5:
		a.Severity = Medium
	case n <= 6:
		a.Severity = Low
	default:
		a.Severity = Informational
	}
	a.First, a.Last, a.Count = a.At, a.At, 1
	tags := content.get("ruleTags").strs()
	a.Attack = attacks(tags...)
	for _, t := range tags {
		a.Attack = append(a.Attack, tactic(t))
	}
	pod := label("kubernetes.pod.name")
	if pod != "" {
		a.Resources = append(a.Resources, Resource{UID: strings.Trim(strings.Join([]string{label("kubernetes.cluster.name"), label("kubernetes.namespace.name"), pod}, "/"), "/"), Type: "Pod", Name: pod})
	}
	a.runtime(content.get("fields"))
	if id := v.get("containerId").str(); len(a.Resources) == 0 && id != "" {
		a.Resources = append(a.Resources, Resource{UID: id, Type: "Container"})
	}
	if user := content.get("fields").key("ct.user.arn").str(); user != "" {
		a.falcoPlugins(content.get("fields"))
	}
	a.Ref = Ref{"sysdig", strings.Join([]string{a.Title, a.Resource().UID, a.Actor.UID}, "|")}
	for _, act := range v.get("actions").list() {
		if typ := act.get("type").str(); typ != "" {
			did := ActedNot
			if act.get("successful").truth() {
				did = Acted
			}
			a.note(did, typ, "")
		}
	}
	return a, nil
}

// readSysdigPosture reads a requirement's control as the compliance API answers.
// It says no time: it is a state as of when it was read.
func readSysdigPosture(v value) (Alert, error) {
	c := v.get("control")
	a := Alert{
		Product: "Sysdig", Class: Compliance, Type: c.get("name").str(), UID: v.get("requirementId").str() + "/" + c.get("id").str(),
		Title: firstOf(c.get("name").str(), v.get("name").str()), Description: firstOf(c.get("description").str(), v.get("description").str()),
		Control: v.get("name").str(), Standards: []string{v.get("policyName").str()}, Level: firstOf(c.get("severity").str(), v.get("severity").str()),
		Cloud: cloudName(c.get("target").str()), Verdict: "Fail", Status: Open, Attack: attacks(v.get("name").str()),
	}
	switch a.Cloud {
	case "AWS", "GCP", "Azure":
	default:
		a.Cloud = "" // it is a kind of host or cluster
	}
	a.Severity = severityOf(a.Level)
	zone := v.get("zone")
	a.Ref = Ref{"sysdig", strings.Join([]string{"posture", v.get("policyId").str(), v.get("requirementId").str(), c.get("id").str(), zone.get("id").str()}, "|")}
	if c.get("pass").truth() {
		a.Verdict, a.Status = "Pass", Resolved
	}
	if accepted, all := c.get("acceptedCount").count(), c.get("objectsCount").count(); accepted > 0 && accepted >= all {
		a.Status = Suppressed
		a.Said = fmt.Sprintf("%s, risk accepted for %d", a.Verdict, accepted)
	}
	a.Said = firstOf(a.Said, a.Verdict)
	if kind := c.get("resourceKind").str(); kind != "" {
		a.Resources = append(a.Resources, Resource{UID: strings.Trim(zone.get("name").str()+"/"+kind, "/"), Type: kind})
	}
	if n := c.get("objectsCount").count(); n > 0 {
		a.note(Looked, strconv.FormatInt(n, 10), strconv.FormatInt(c.get("passingCount").count(), 10))
	}
	return a, nil
}
