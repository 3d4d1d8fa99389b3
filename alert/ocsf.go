package alert

import (
	"errors"
	"strconv"
	"strings"
)

// isOCSF knows findings in OCSF: category 2, of any version since 1.0-rc.
func isOCSF(v value) bool {
	class, ok := v.key("class_uid").num()
	return ok && class >= 2001 && class < 3000 && v.key("metadata").isObject()
}

// readOCSF reads a finding in OCSF (schema.ocsf.io, category Findings), of
// Security Hub v2, Prowler or any other product.
func readOCSF(v value) (Alert, error) {
	info := v.key("finding_info")
	if !info.exists() {
		info = v.key("finding") // class 2001, before 1.1
	}
	product := v.get("metadata.product")
	a := Alert{
		UID: firstOf(info.key("uid").str(), v.get("metadata.uid").str()), Product: product.key("name").str(),
		Title: info.key("title").str(), Description: firstOf(info.key("desc").str(), v.key("message").str()), Type: ocsfType(info),
		Cloud: cloudName(v.get("cloud.provider").str()), Account: v.get("cloud.account.uid").str(), Region: v.get("cloud.region").str(),
		At:    v.time("time_dt", "time"),
		First: info.time("first_seen_time_dt", "first_seen_time", "created_time_dt", "created_time"),
		Last:  info.time("last_seen_time_dt", "last_seen_time"),
		Count: v.key("count").count(),
		Fix:   firstOf(v.get("remediation.desc").str(), info.get("remediation.desc").str()),
	}
	if a.At.IsZero() {
		a.At = info.time("modified_time_dt", "modified_time", "created_time_dt", "created_time")
	}
	if a.At.IsZero() {
		return a, errors.New("time is missing or no time")
	}
	if a.Product == "" {
		return a, errors.New("metadata.product.name is missing")
	}
	if a.UID == "" {
		return a, errors.New("finding_info.uid is missing")
	}
	arn := product.key("uid").str()
	a.Parent = arn
	source := sourceOf(securityHubARN(arn), a.Product)
	a.Ref = canonical(source, a.UID)
	if strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":securityhub:") && source != "securityhub" {
		a.Via = "Security Hub"
	}
	if !known(source) {
		a.ID = a.Account + "|" + a.ID
	}
	a.ocsfClass(v)
	a.ocsfSeverity(v)
	a.ocsfResources(v)
	a.ocsfActor(v)
	a.ocsfStatus(v)
	a.ocsfDetails(v, info)
	if source == "prowler" {
		// Its uid names check, account, region and resource, unless they are masked.
		a.ID += "|" + v.get("metadata.event_code").str() + "|" + a.Resource().UID
	}
	return a, nil
}

func securityHubARN(s string) string {
	if strings.HasPrefix(s, "arn:") {
		return s
	}
	return ""
}

// ocsfType is the product's own type among the types: the last, which is the
// finest, unless it is one of Security Hub's broad words.
func ocsfType(info value) string {
	types := info.key("types").strs()
	for i := len(types) - 1; i >= 0; i-- {
		if t := types[i]; t != "Threats" && t != "Posture Management" && t != "Exposure" && t != "Vulnerabilities" && t != "Sensitive Data" {
			return t
		}
	}
	return firstOf(info.key("types").first().str(), info.get("analytic.name").str())
}

func cloudName(s string) string {
	switch strings.ToLower(s) {
	case "aws", "amazon":
		return "AWS"
	case "gcp", "google", "google cloud":
		return "GCP"
	case "azure", "microsoft":
		return "Azure"
	}
	return s
}

func (a *Alert) ocsfClass(v value) {
	n, _ := v.key("class_uid").num()
	switch Class(n) {
	case Vulnerability, Compliance, DataSecurity, IAMAnalysis:
		a.Class = Class(n)
	case 2001:
		switch {
		case v.key("compliance").exists():
			a.Class = Compliance
		case v.key("vulnerabilities").exists():
			a.Class = Vulnerability
		default:
			a.Class = Detection
		}
	default:
		a.Class = Detection
	}
	if strings.EqualFold(a.Product, "Prowler") {
		a.Class = Compliance // it writes detections, and checks configurations
	}
	if x, ok := v.key("activity_id").num(); ok && x == 3 {
		a.Closed = true
	}
}

func (a *Alert) ocsfSeverity(v value) {
	if n, ok := v.key("severity_id").num(); ok {
		switch {
		case n >= 1 && n <= 5:
			a.Severity = Severity(n)
		case n == 6:
			a.Severity = Critical
		}
	} else {
		a.Severity = severityOf(v.key("severity").str())
	}
	a.Level = firstOf(v.key("severity").str(), v.key("severity_id").str())
	if own := v.get("vendor_attributes.severity").str(); own != "" && !strings.EqualFold(own, a.Level) {
		a.Level += " (" + own + " by " + a.Product + ")"
	}
	info := v.key("finding_info")
	if c, ok := firstValue(v.key("confidence_score"), info.key("confidence_score")).num(); ok && c > 0 && c <= 100 {
		a.Confidence = c / 100
	} else if c, ok := v.key("confidence_id").num(); ok {
		a.Confidence = map[float64]float64{1: 0.3, 2: 0.6, 3: 0.9}[c]
	}
}

func firstValue(list ...value) value {
	for _, v := range list {
		if v.exists() {
			return v
		}
	}
	return value{}
}

func (a *Alert) ocsfResources(v value) {
	list := v.key("resources").list()
	if len(list) == 0 {
		list = v.key("resource").list()
	}
	if len(list) == 0 {
		list = v.key("affected_resources").list()
	}
	for _, r := range list {
		uid := firstOf(r.key("uid").str(), r.key("name").str())
		if alt := r.key("uid_alt").str(); strings.HasPrefix(alt, "arn:") && !strings.HasPrefix(uid, "arn:") {
			uid = alt
		}
		a.Resources = append(a.Resources, Resource{
			UID: uid, Name: r.key("name").str(), Type: r.key("type").str(),
			Account: r.get("owner.account.uid").str(), Region: r.key("region").str(),
		})
	}
	a.Host = firstOf(v.get("device.hostname").str(), v.get("device.name").str())
	if len(list) == 0 && v.key("device").exists() {
		a.Resources = append(a.Resources, Resource{UID: v.get("device").any("uid", "hostname", "name"), Type: "Device", Name: a.Host})
	}
}

func (a *Alert) ocsfActor(v value) {
	for _, e := range append(v.key("evidences").list(), v) {
		actor := e.key("actor")
		if u := actor.key("user"); a.Actor.UID == "" && u.exists() {
			a.Actor.Name = firstOf(a.Actor.Name, u.key("name").str())
			if uid := firstOf(u.key("uid_alt").str(), u.key("uid").str()); strings.HasPrefix(uid, "arn:") || strings.Contains(uid, "@") {
				a.Actor.UID = uid
			} else if n := u.key("email_addr").str(); n != "" {
				a.Actor.UID = n
			}
			a.Actor.Credential = firstOf(a.Actor.Credential, u.key("credential_uid").str())
		}
		a.Actor.IP = firstOf(a.Actor.IP, address(e.get("src_endpoint.ip").str()))
		a.Process = firstOf(a.Process, actor.get("process.file.path").str(), actor.get("process.name").str(), e.get("process.file.path").str(), e.get("process.name").str())
	}
}

// ocsfStatuses are the words of status_id.
var ocsfStatuses = map[float64]Status{1: Open, 2: InProgress, 3: Suppressed, 4: Resolved, 5: Suppressed, 6: Resolved}

func (a *Alert) ocsfStatus(v value) {
	id, ok := firstValue(v.key("status_id"), v.key("state_id")).num()
	a.Status = ocsfStatuses[id]
	said := firstOf(v.key("status").str(), v.key("state").str())
	if !ok || id == 0 || id == 99 {
		switch strings.ToLower(said) {
		case "suppressed", "muted", "archived":
			a.Status = Suppressed
		case "resolved", "closed":
			a.Status = Resolved
		case "in progress":
			a.Status = InProgress
		}
	}
	a.Said = firstOf(said, "not told")
	if a.Closed {
		a.Said += ", closed by this record"
	}
	compliance := v.key("compliance")
	a.Verdict = firstOf(v.key("status_code").str(), compliance.key("status").str())
	if n, ok := compliance.key("status_id").num(); ok && compliance.key("status").str() == "" && a.Verdict == "" {
		a.Verdict = map[float64]string{1: "Pass", 2: "Warning", 3: "Fail"}[n]
	}
	if a.Passing() && a.Status != Suppressed {
		a.Status = Resolved
	}
	if strings.EqualFold(a.Verdict, "MANUAL") {
		a.note(ByHand, "", "")
	}
}

func (a *Alert) ocsfDetails(v, info value) {
	compliance := v.key("compliance")
	a.Control = firstOf(compliance.key("control").str(), v.get("metadata.event_code").str())
	a.Standards = append(compliance.key("standards").strs(), compliance.key("requirements").strs()...)
	for _, x := range v.key("vulnerabilities").list() {
		a.CVE = append(a.CVE, firstOf(x.get("cve.uid").str(), x.key("uid").str()))
		if score, ok := x.get("cve.cvss").first().key("base_score").num(); ok {
			a.note(CVSS, x.get("cve.uid").str(), strconv.FormatFloat(score, 'f', -1, 64))
		}
	}
	for _, x := range append(info.key("attacks").list(), v.key("attacks").list()...) {
		a.Attack = append(a.Attack, attacks(x.get("technique.uid").str(), x.get("sub_technique.uid").str(), x.get("tactic.uid").str())...)
		for _, t := range x.key("tactics").list() {
			a.Attack = append(a.Attack, attacks(t.key("uid").str())...)
		}
	}
	if purpose, _, ok := strings.Cut(a.Type, ":"); ok && a.Source == "guardduty" {
		a.Attack = append(a.Attack, tactic(purpose))
	}
	a.Links = append(a.Links, v.get("remediation.references").strs()...)
	a.Links = append(a.Links, info.key("src_url").str(), v.get("unmapped.related_url").str())
	var pages []string
	for _, l := range a.Links {
		if isPage(l) {
			pages = append(pages, l)
		} else if l != "" {
			a.note(Mend, l, "") // Prowler gives commands among its references
		}
	}
	a.Links = pages
	for _, s := range []string{v.key("status_detail").str(), v.key("risk_details").str(), v.key("message").str()} {
		if s != "" && s != a.Description && s != a.Title {
			a.note(OwnWords, s, "")
		}
	}
	for _, r := range info.key("related_events").list() {
		if id := r.key("uid").str(); id != "" {
			a.Related = append(a.Related, canonical(sourceOf(r.key("product_uid").str(), r.get("product.name").str()), id))
		}
	}
}
