package alert

import (
	"errors"
	"strings"
)

func isSCC(v value) bool {
	f := sccFinding(v)
	return f.get("category").exists() && f.get("state").exists() && strings.Contains(f.get("name").str(), "/findings/") ||
		f.get("name").exists() && hasAll(f, "parent", "resourceName", "category", "state")
}

// sccFinding is the finding of a notification or of a list's element, which hold
// the resource beside it.
func sccFinding(v value) value {
	if f := v.get("finding"); f.isObject() {
		return f
	}
	return v
}

// readSCC reads findings of Google's Security Command Center: notifications
// through Pub/Sub, answers of findings.list and exports.
func readSCC(v value) (Alert, error) {
	f, r := sccFinding(v), v.get("resource")
	a := Alert{
		Ref: Ref{"scc", sccID(firstOf(f.get("canonicalName").str(), f.get("name").str()))}, Product: "Security Command Center", UID: f.get("name").str(),
		Class: Detection, Cloud: "GCP", Type: f.get("category").str(), Description: f.get("description").str(),
		At: f.time("eventTime", "createTime"), First: f.time("createTime"), Last: f.time("eventTime"),
		Severity: severityOf(f.get("severity").str()), Level: f.get("severity").str(), Said: f.get("state").str(),
		Fix: f.get("nextSteps").str(), Links: []string{f.get("externalUri").str()}, Status: Open,
	}
	if old := f.get("sourceProperties"); a.Level == "" { // before findings had these of their own
		a.Level = firstOf(old.key("SeverityLevel").str(), old.key("detectionPriority").str())
		a.Severity = severityOf(a.Level)
		a.Description, a.Fix = firstOf(a.Description, old.key("Explanation").str()), firstOf(a.Fix, old.key("Recommendation").str())
	}
	a.Title = strings.ReplaceAll(firstOf(f.get("findingTitle").str(), a.Type), "_", " ")
	if a.At.IsZero() {
		return a, errors.New("eventTime and createTime are missing or no times")
	}
	switch strings.ToUpper(f.get("findingClass").str()) {
	case "VULNERABILITY":
		a.Class = Vulnerability
	case "MISCONFIGURATION", "POSTURE_VIOLATION", "OBSERVATION":
		a.Class = Compliance
	}
	if strings.EqualFold(f.get("state").str(), "INACTIVE") {
		a.Status = Resolved
	}
	if mute := f.get("mute").str(); strings.EqualFold(mute, "MUTED") {
		a.Status = Suppressed
		a.Said += ", " + mute
	}
	name := firstOf(f.get("resourceName").str(), r.get("name").str())
	a.Account = firstOf(r.any("gcpMetadata.projectDisplayName", "projectDisplayName", "projectName"), projectOf(name), projectOf(r.any("project", "gcpMetadata.project")), f.key("sourceProperties").key("ProjectId").str(), f.key("sourceProperties").key("properties_project_id").str())
	a.Region = r.get("location").str()
	a.Resources = []Resource{{UID: strings.TrimPrefix(name, "//"), Type: r.get("type").str(), Name: r.get("displayName").str(), Account: a.Account}}
	if cloud := r.get("cloudProvider").str(); cloud == "AMAZON_WEB_SERVICES" {
		a.Cloud = "AWS"
	} else if cloud == "MICROSOFT_AZURE" {
		a.Cloud = "Azure"
	}
	access := f.get("access")
	a.Actor = Actor{UID: firstOf(access.get("principalEmail").str(), access.get("principalSubject").str()), IP: address(access.get("callerIp").str()), Agent: access.get("userAgentFamily").str()}
	a.Actor.Name = a.Actor.UID
	if m := access.get("methodName").str(); m != "" {
		a.note(Called, strings.TrimSpace(access.get("serviceName").str()+" "+m), "")
	}
	a.CVE = append(a.CVE, f.get("vulnerability.cve.id").str())
	mitre := f.get("mitreAttack")
	for _, t := range append(mitre.get("primaryTactic").strs(), mitre.get("additionalTactics").strs()...) {
		a.Attack = append(a.Attack, tactic(t))
	}
	for _, t := range append(mitre.get("primaryTechniques").strs(), mitre.get("additionalTechniques").strs()...) {
		a.Technique = append(a.Technique, strings.ToLower(strings.ReplaceAll(t, "_", " ")))
	}
	for _, c := range f.get("compliances").list() {
		for _, id := range c.get("ids").strs() {
			a.Standards = append(a.Standards, strings.TrimSpace(c.get("standard").str()+" "+c.get("version").str()+" "+id))
		}
	}
	a.Process = f.get("processes").first().any("binary.path", "name")
	if k := f.get("kubernetes.pods").first(); k.exists() {
		a.note(Pod, k.any("ns")+"/"+k.get("name").str(), "")
	}
	return a, nil
}

// sccID is sources/S/findings/F of a finding's name, which may also name an
// organisation, folder or project, and a location.
func sccID(name string) string {
	_, rest, ok := strings.Cut(name, "sources/")
	if !ok {
		return name
	}
	source, _, _ := strings.Cut(rest, "/")
	return source + "/" + tail(name, "/")
}

// projectOf is the project that a resource's name holds.
func projectOf(name string) string {
	_, rest, ok := strings.Cut(name, "projects/")
	if !ok {
		return ""
	}
	p, _, _ := strings.Cut(rest, "/")
	return p
}
