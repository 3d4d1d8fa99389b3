package alert

import (
	"errors"
	"strings"
)

// readInspector reads findings of Inspector: packages, code and reachable
// networks, as events and as answers of ListFindings.
func readInspector(v value) (Alert, error) {
	a := Alert{
		Ref: Ref{"inspector", v.get("findingArn").str()}, Product: "Inspector", UID: v.get("findingArn").str(), Class: Vulnerability, Cloud: "AWS",
		Type: v.get("type").str(), Title: v.get("title").str(), Description: v.get("description").str(),
		Account: v.get("awsAccountId").str(), Region: arnPart(v.get("findingArn").str(), 3),
		At: v.time("updatedAt", "lastObservedAt", "firstObservedAt"), First: v.time("firstObservedAt"), Last: v.time("lastObservedAt"),
		Severity: severityOf(v.get("severity").str()), Level: v.get("severity").str(), Said: v.get("status").str(),
		Fix: v.get("remediation.recommendation.text").str(), Links: []string{v.get("remediation.recommendation.url").str()},
	}
	if a.At.IsZero() {
		return a, errors.New("updatedAt is missing or no time")
	}
	switch strings.ToUpper(a.Said) {
	case "SUPPRESSED":
		a.Status = Suppressed
	case "CLOSED":
		a.Status = Resolved
	}
	if strings.EqualFold(a.Fix, "None Provided") {
		a.Fix = ""
	}
	for _, r := range v.get("resources").list() {
		a.Resources = append(a.Resources, Resource{UID: r.get("id").str(), Type: r.get("type").str(), Account: a.Account, Region: r.get("region").str()})
	}
	pkg := v.get("packageVulnerabilityDetails")
	a.CVE = append(a.CVE, pkg.get("vulnerabilityId").str())
	a.CVE = append(a.CVE, pkg.get("relatedVulnerabilities").strs()...)
	a.Links = append(a.Links, pkg.get("sourceUrl").str())
	for _, p := range pkg.get("vulnerablePackages").list() {
		if fix := p.get("remediation").str(); fix != "" && a.Fix == "" {
			a.Fix = fix
		}
		if in := p.get("fixedInVersion").str(); in != "" {
			a.note(MendedIn, p.get("name").str()+" "+p.get("version").str(), in)
		}
	}
	if s := v.get("inspectorScore").str(); s != "" {
		a.note(Score, s, "")
	}
	if s := v.get("exploitAvailable").str(); s != "" {
		a.note(Exploit, strings.ToLower(s), "")
	}
	if ports := v.get("networkReachabilityDetails.openPortRange"); ports.exists() {
		a.note(OpenPorts, ports.get("begin").str()+"-"+ports.get("end").str(), v.get("networkReachabilityDetails.protocol").str())
	}
	return a, nil
}
