package alert

import (
	"errors"
	"slices"
	"strings"
)

// readSecurityHub reads what Security Hub hands on: ASFF, or OCSF since v2.
func readSecurityHub(v value) (Alert, error) {
	if isOCSF(v) {
		return readOCSF(v)
	}
	return readASFF(v)
}

// readASFF reads the AWS Security Finding Format, of Security Hub's own checks
// and of the products that it passes on.
// (docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html)
func readASFF(v value) (Alert, error) {
	fields := v.key("ProductFields")
	product := v.key("ProductArn").str()
	a := Alert{
		UID: v.key("Id").str(), Parent: product, Cloud: "AWS", Class: Detection,
		Title: v.key("Title").str(), Description: v.key("Description").str(), Type: v.key("Types").first().str(),
		Account: v.key("AwsAccountId").str(),
		Region:  firstOf(v.key("Region").str(), arnPart(product, 3), v.key("Resources").first().key("Region").str()),
		At:      v.time("UpdatedAt", "CreatedAt"), First: v.time("FirstObservedAt", "CreatedAt"), Last: v.time("LastObservedAt"),
		Count:  fields.key("aws/guardduty/service/count").count(),
		Sample: v.key("Sample").truth() || fields.key("aws/guardduty/service/additionalInfo/sample").truth(),
	}
	a.Product = firstOf(v.key("ProductName").str(), fields.key("aws/securityhub/ProductName").str(), productName(product))
	if a.UID == "" {
		return a, errors.New("no Id")
	}
	if a.At.IsZero() {
		return a, errors.New("UpdatedAt and CreatedAt are missing or no times")
	}
	source := sourceOf(product, a.Product)
	a.Ref = canonical(source, a.UID)
	if _, id, ok := strings.Cut(v.key("SourceUrl").str(), "/findings/details/"); ok && source == "accessanalyzer" {
		a.ID = id // Id is that of the resource, of which there may be several findings
	}
	if source != "securityhub" {
		a.Via = "Security Hub"
	}
	if !known(source) {
		a.ID = a.Account + "|" + a.ID
	}
	a.asffSeverity(v)
	a.asffStatus(v)
	if c, ok := v.key("Confidence").num(); ok && c > 0 && c <= 100 {
		a.Confidence = c / 100
	}
	for _, r := range v.key("Resources").list() {
		a.Resources = append(a.Resources, Resource{UID: r.key("Id").str(), Type: r.key("Type").str(), Account: a.Account, Region: r.key("Region").str()})
	}
	a.asffActor(v)
	a.asffKind(v, source)
	a.Fix = v.get("Remediation.Recommendation.Text").str()
	a.Links = append(a.Links, v.get("Remediation.Recommendation.Url").str(), v.key("SourceUrl").str())
	a.Attack = attacks(v.key("Types").strs()...)
	for _, t := range v.key("Types").strs() {
		for _, part := range strings.FieldsFunc(t, func(r rune) bool { return r == '/' || r == ':' }) {
			if id := tactic(part); id != "" {
				a.Attack = append(a.Attack, id)
			}
		}
	}
	for _, r := range v.key("RelatedFindings").list() {
		a.Related = append(a.Related, canonical(sourceOf(r.key("ProductArn").str(), ""), r.key("Id").str()))
	}
	if at := v.time("Note.UpdatedAt"); at.After(a.At) {
		a.At = at // who writes a note changes the finding, and not UpdatedAt
	}
	if n := v.get("Note.Text").str(); n != "" {
		a.note(NoteBy, n, v.get("Note.UpdatedBy").str())
	}
	if p := v.key("Process"); p.exists() {
		a.Process = p.any("Path", "Name")
	}
	a.guardDutySequence(v.get("Detection.Sequence"))
	return a, nil
}

// asffKind sorts what the finding is into its class, and names its control.
func (a *Alert) asffKind(v value, source string) {
	fields := v.key("ProductFields")
	for _, x := range v.key("Vulnerabilities").list() {
		a.CVE = append(a.CVE, x.key("Id").str())
	}
	compliance := v.key("Compliance")
	switch {
	case source == "inspector" || len(a.CVE) > 0 && !compliance.exists():
		a.Class = Vulnerability
	case source == "accessanalyzer":
		a.Class = IAMAnalysis
	case source == "macie":
		a.Class = DataSecurity
	case compliance.exists() || strings.HasPrefix(a.Type, "Software and Configuration Checks"):
		a.Class = Compliance
	}
	a.Verdict = compliance.key("Status").str()
	a.Control = firstOf(compliance.key("SecurityControlId").str(), fields.key("ControlId").str(), fields.key("RuleId").str(), fields.key("aws/config/ConfigRuleName").str())
	a.Standards = compliance.key("RelatedRequirements").strs()
	for _, s := range compliance.key("AssociatedStandards").list() {
		a.Standards = append(a.Standards, s.key("StandardsId").str())
	}
	a.Standards = once(append(a.Standards, firstOf(fields.key("StandardsArn").str(), fields.key("StandardsGuideArn").str())))
	for _, r := range compliance.key("StatusReasons").list() {
		if d := r.any("Description", "ReasonCode"); d != "" {
			a.note(OwnWords, d, "")
		}
	}
	// The rule of Config that a check rests on, or whose result this is.
	rule := fields.key("aws/config/ConfigRuleName").str()
	if fields.key("RelatedAWSResources:0/type").str() == "AWS::Config::ConfigRule" {
		rule = firstOf(rule, fields.key("RelatedAWSResources:0/name").str())
	}
	if rule == "" || len(a.Resources) == 0 {
		return
	}
	ref := configRef(a.Account, a.Region, rule, a.Resources[0].Type, a.Resources[0].UID)
	if source == "config" {
		a.Ref = ref
	} else {
		a.Related = append(a.Related, ref)
	}
}

func (a *Alert) asffSeverity(v value) {
	s := v.key("Severity")
	if !s.exists() {
		s = v.get("FindingProviderFields.Severity")
	}
	a.Severity = severityOf(s.key("Label").str())
	n, ok := s.key("Normalized").num()
	if a.Severity == Unknown && ok {
		switch {
		case n >= 90:
			a.Severity = Critical
		case n >= 70:
			a.Severity = High
		case n >= 40:
			a.Severity = Medium
		case n >= 1:
			a.Severity = Low
		default:
			a.Severity = Informational
		}
	}
	a.Level = firstOf(s.key("Label").str(), s.key("Normalized").str())
	if original := firstOf(v.get("FindingProviderFields.Severity.Original").str(), s.key("Original").str(), s.key("Product").str()); original != "" && !strings.EqualFold(original, a.Level) {
		a.Level = strings.TrimSpace(a.Level + " (" + original + " by " + firstOf(a.Product, "its product") + ")")
	}
}

// asffStatus: a product archives what it no longer sees; the workflow is that of
// people, and the later word of the two where the record is still active.
func (a *Alert) asffStatus(v value) {
	workflow := firstOf(v.get("Workflow.Status").str(), v.key("WorkflowState").str(), "NEW")
	a.Status, a.Said = Open, "workflow "+workflow
	switch strings.ToUpper(workflow) {
	case "NOTIFIED", "ASSIGNED", "IN_PROGRESS":
		a.Status = InProgress
	case "SUPPRESSED":
		a.Status = Suppressed
	case "RESOLVED":
		a.Status = Resolved
	}
	if compliance := v.get("Compliance.Status").str(); strings.EqualFold(compliance, "PASSED") {
		a.Said += ", compliance " + compliance
		if a.Status != Suppressed {
			a.Status = Resolved
		}
	}
	if strings.EqualFold(v.key("RecordState").str(), "ARCHIVED") {
		a.Said += ", record ARCHIVED"
		if a.Status != Suppressed {
			a.Status = Resolved
		}
	}
}

// asffActor finds who did it in what GuardDuty and others say.
func (a *Alert) asffActor(v value) {
	for _, r := range v.key("Resources").list() {
		key := r.get("Details.AwsIamAccessKey")
		if !key.exists() {
			continue
		}
		a.Actor.Credential = key.get("AccessKeyId").str()
		name := key.any("PrincipalName", "UserName")
		a.Actor.principal(firstOf(key.get("AccountId").str(), a.Account), a.Region, key.get("PrincipalType").str(), name)
	}
	if len(a.Resources) > 0 && a.Actor.UID == "" {
		switch kind(a.Resources[0].Type) {
		case "awsiamuser", "awsiamrole":
			if a.Type != "" && (strings.HasPrefix(a.Type, "TTPs") || strings.HasPrefix(a.Type, "Unusual Behaviors") || strings.HasPrefix(a.Type, "Effects")) {
				a.Actor.UID, a.Actor.Type = a.Resources[0].UID, strings.TrimPrefix(kind(a.Resources[0].Type), "awsiam")
			}
		}
	}
	// An access key is how somebody acted; what it is about is its owner.
	if a.Actor.UID != "" {
		i := slices.IndexFunc(a.Resources, func(r Resource) bool { return kind(r.Type) == "awsiamaccesskey" })
		if i >= 0 {
			a.Resources[i].UID, a.Resources[i].Type = a.Actor.UID, "AwsIamPrincipal"
		}
	}
	for _, name := range []string{"AwsApiCallAction", "NetworkConnectionAction"} {
		x := v.get("Action." + name)
		if ip := address(x.get("RemoteIpDetails.IpAddressV4").str()); ip != "" && !strings.EqualFold(x.get("ConnectionDirection").str(), "OUTBOUND") {
			a.Actor.IP = firstOf(a.Actor.IP, ip)
		}
		if api := x.get("Api").str(); api != "" {
			a.note(Called, strings.TrimSpace(x.get("ServiceName").str()+" "+api), "")
		}
	}
	probe := v.get("Action.PortProbeAction.PortProbeDetails").first()
	a.Actor.IP = firstOf(a.Actor.IP, address(probe.get("RemoteIpDetails.IpAddressV4").str()))
}

// productName is what an ARN says of a product: its last part.
func productName(arn string) string { return tail(arn, "/") }

// sources are the products whose findings also come directly, by the last part
// of the product's ARN or by its name, in small letters without spaces.
var sources = map[string]string{
	"guardduty": "guardduty", "inspector": "inspector", "inspector2": "inspector", "macie": "macie", "macie2": "macie",
	"access-analyzer": "accessanalyzer", "accessanalyzer": "accessanalyzer", "iamaccessanalyzer": "accessanalyzer",
	"config": "config", "awsconfig": "config", "securityhub": "securityhub", "securityhubcspm": "securityhub", "prowler": "prowler",
	"falco": "falco", "sysdig": "sysdig", "sysdigsecure": "sysdig",
	"microsoftdefenderforcloud": "defender", "securitycommandcenter": "scc",
}

// sourceOf is a short name of a product, of its ARN at Security Hub or of what
// it calls itself.
func sourceOf(arn, name string) string {
	last := strings.ToLower(productName(arn))
	if s, ok := sources[last]; ok && arn != "" {
		return s
	}
	plain := strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' || r == '_' {
			return -1
		}
		return r
	}, name))
	plain = strings.TrimPrefix(strings.TrimPrefix(plain, "amazon"), "aws")
	if s, ok := sources[plain]; ok {
		return s
	}
	return firstOf(plain, last, "unknown")
}

// known tells whether findings of that product come in other ways than through
// Security Hub too; ids of others are unique in their account only.
func known(source string) bool { return sources[source] != "" || source == "accessanalyzer" }

// canonical is the id of a finding as it is whichever way it came.
func canonical(source, id string) Ref {
	switch source {
	case "guardduty":
		id = guardDutyID(id)
	case "macie":
		id = tail(id, "/")
	}
	return Ref{source, id}
}
