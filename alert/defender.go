package alert

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

const (
	assessments   = "microsoft.security/assessments"
	subAssessment = "microsoft.security/assessments/subassessments"
	regulatory    = "microsoft.security/regulatorycompliancestandards"
)

// isDefender knows alerts as exported and as in Log Analytics, and what Azure's
// API gives: alerts, assessments, their parts, and regulatory compliance.
func isDefender(v value) bool {
	if v.get("systemAlertId").exists() {
		return hasAll(v, "alertDisplayName") || hasAll(v, "alertName") || hasAll(v, "displayName")
	}
	typ := strings.ToLower(v.get("type").str())
	return strings.HasPrefix(typ, "microsoft.security/") && v.get("properties").isObject() &&
		(strings.HasSuffix(typ, "/alerts") || strings.HasPrefix(typ, assessments) || strings.HasPrefix(typ, regulatory) && strings.Count(typ, "/") > 1)
}

// readDefender reads alerts and assessments of Microsoft Defender for Cloud.
func readDefender(v value) (Alert, error) {
	typ := strings.ToLower(v.get("type").str())
	if p := v.get("properties"); p.isObject() && strings.HasSuffix(typ, "/alerts") {
		return readDefenderAlert(p, v.get("id").str())
	} else if p.isObject() && !v.get("systemAlertId").exists() {
		return readDefenderAssessment(v, p, typ)
	}
	return readDefenderAlert(v, "")
}

func readDefenderAlert(v value, id string) (Alert, error) {
	a := Alert{
		Ref: Ref{"defender", v.get("systemAlertId").str()}, Product: "Microsoft Defender for Cloud", UID: firstOf(id, v.get("systemAlertId").str()), Class: Detection, Cloud: "Azure",
		Type: v.get("alertType").str(), Title: v.any("alertDisplayName", "alertName", "displayName"), Description: v.get("description").str(),
		At: v.time("processingEndTimeUtc", "processingEndTime", "timeGeneratedUtc", "timeGenerated", "endTimeUtc"), First: v.time("startTimeUtc", "startTime"), Last: v.time("endTimeUtc", "endTime"),
		Severity: severityOf(v.any("severity", "alertSeverity")), Level: v.any("severity", "alertSeverity"), Said: firstOf(v.get("status").str(), "not told"), Status: Open,
		Links: []string{v.any("alertUri", "alertLink")}, Fix: strings.Join(v.get("remediationSteps").strs(), " "),
	}
	if a.ID == "" {
		a.ID = tail(id, "/")
	}
	if a.At.IsZero() {
		return a, errors.New("timeGenerated is missing or no time")
	}
	switch strings.ToLower(strings.ReplaceAll(a.Said, " ", "")) {
	case "inprogress":
		a.Status = InProgress
	case "dismissed":
		a.Status = Suppressed
	case "resolved":
		a.Status = Resolved
	}
	switch strings.ToLower(v.get("confidenceLevel").str()) {
	case "high":
		a.Confidence = 0.9
	case "medium":
		a.Confidence = 0.6
	case "low":
		a.Confidence = 0.3
	}
	if s, ok := v.get("confidenceScore").num(); ok && s > 0 && s <= 1 {
		a.Confidence = s
	}
	for _, r := range v.get("resourceIdentifiers").list() {
		a.addAzure(r.get("azureResourceId").str())
	}
	own := v.any("azureResourceId", "resourceId")
	a.addAzure(own)
	// The identifiers often begin with the subscription; what it is about is finer.
	slices.SortStableFunc(a.Resources, func(x, y Resource) int { return strings.Count(y.UID, "/") - strings.Count(x.UID, "/") })
	a.Account = subscription(firstOf(own, a.Resource().UID, id))
	for _, t := range strings.FieldsFunc(strings.Join(append(v.get("intent").strs(), v.get("tactics").strs()...), ","), func(r rune) bool { return r == ',' }) {
		a.Attack = append(a.Attack, tactic(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(t)), "preattack", "reconnaissance")))
	}
	a.Attack = append(a.Attack, attacks(v.get("techniques").strs()...)...)
	a.Sample = strings.HasPrefix(strings.ToUpper(a.Title), "[SAMPLE ALERT]")
	a.defenderEntities(v)
	return a, nil
}

// defenderEntities reads who and where from.
func (a *Alert) defenderEntities(v value) {
	list := v.get("entities").list()
	if s := v.get("entities").str(); strings.HasPrefix(s, "[") { // Log Analytics keeps text
		var parsed []any
		if json.Unmarshal([]byte(s), &parsed) == nil {
			list = value{parsed}.list()
		}
	}
	for _, e := range list {
		switch strings.ToLower(e.get("type").str()) {
		case "ip":
			a.Actor.IP = firstOf(a.Actor.IP, address(e.get("address").str()))
		case "account":
			name := e.any("upnSuffix", "UPNSuffix")
			if name != "" {
				name = e.get("name").str() + "@" + name
			}
			a.Actor.UID = firstOf(a.Actor.UID, e.get("aadUserId").str(), name, e.get("name").str())
			a.Actor.Name = firstOf(a.Actor.Name, name, e.get("name").str())
		case "host":
			a.Host = firstOf(a.Host, e.get("hostName").str())
		case "process":
			a.Process = firstOf(a.Process, e.get("commandLine").str())
		}
	}
	x := v.get("extendedProperties")
	a.Actor.Name = firstOf(a.Actor.Name, x.key("Client principal name").str(), x.key("User name").str())
	a.Actor.UID = firstOf(a.Actor.UID, a.Actor.Name)
	a.Actor.IP = firstOf(a.Actor.IP, address(x.key("Client IP address").str()))
	a.Host = firstOf(a.Host, v.get("compromisedEntity").str())
}

func (a *Alert) addAzure(id string) {
	id = strings.ToLower(id) // Azure's names are the same in either case
	if id == "" || slices.ContainsFunc(a.Resources, func(r Resource) bool { return r.UID == id }) {
		return
	}
	r := Resource{UID: id, Name: tail(id, "/"), Account: subscription(id)}
	if _, t, ok := strings.Cut(id, "/providers/"); ok {
		if i := strings.LastIndexByte(t, '/'); i > 0 {
			r.Type = t[:i]
		}
	}
	a.Resources = append(a.Resources, r)
}

func subscription(id string) string {
	_, rest, ok := strings.Cut(strings.ToLower(id), "/subscriptions/")
	if !ok {
		return ""
	}
	s, _, _ := strings.Cut(rest, "/")
	return s
}

// readDefenderAssessment reads a recommendation, a part of one or a standard's
// assessment. Some say no time: then they are a state as of when they were read.
func readDefenderAssessment(v, p value, typ string) (Alert, error) {
	id := strings.ToLower(v.get("id").str())
	status := p.get("status")
	a := Alert{
		Ref: Ref{"defender", id}, Product: "Microsoft Defender for Cloud", UID: v.get("id").str(), Class: Compliance, Cloud: "Azure", Type: v.get("type").str(),
		Title: p.any("displayName", "metadata.displayName", "description"), Description: p.any("description", "metadata.description"),
		Account: subscription(id), Control: v.get("name").str(), Fix: p.any("remediation", "metadata.remediationDescription"),
		At: firstTime(p.time("timeGenerated", "status.statusChangeDate"), v.time("timeGenerated", "eventTime")), First: p.time("status.firstEvaluationDate"),
		Verdict: firstOf(status.get("code").str(), p.get("state").str()), Status: Open,
		Level: firstOf(status.get("severity").str(), p.get("metadata.severity").str()),
	}
	if id == "" {
		return a, errors.New("id is missing")
	}
	a.Severity = severityOf(a.Level)
	a.Said = a.Verdict
	if typ == subAssessment && len(status.get("cause").str()) > 0 {
		a.note(OwnWords, status.get("cause").str(), "")
	}
	a.note(OwnWords, status.get("description").str(), "")
	a.note(OwnWords, p.get("impact").str(), "")
	action := v.any("securityEventDataEnrichment.action", "subAssessmentEventDataEnrichment.action")
	switch {
	case strings.EqualFold(action, "Delete"):
		a.Closed = true
		a.Said += ", deleted"
	case a.Passing():
		a.Status = Resolved
	case strings.EqualFold(a.Verdict, "Skipped") || strings.EqualFold(a.Verdict, "Unsupported"):
		a.Severity = Informational // it was not looked at: neither well nor wrong
	}
	a.addAzure(firstOf(p.get("resourceDetails.id").str(), resourceBefore(id)))
	if cve := p.get("additionalData.cve"); cve.exists() {
		a.Class = Vulnerability
		for _, c := range cve.list() {
			a.CVE = append(a.CVE, c.get("title").str())
		}
	}
	if details := p.get("additionalData.data"); details.isObject() {
		m, _ := details.v.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if strings.EqualFold(k, "vulnerability") {
				a.note(OwnWords, value{m[k]}.str(), "")
			}
		}
	}
	a.Links = append(a.Links, p.any("assessmentDetailsLink", "links.azurePortal"))
	return a, nil
}

// resourceBefore is the resource that an assessment's id hangs on.
func resourceBefore(id string) string {
	if i := strings.Index(id, "/providers/microsoft.security/"); i >= 0 {
		return id[:i]
	}
	return id
}
