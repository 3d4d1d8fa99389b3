package export

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/finding"
)

// asffBatch is how many findings BatchImportFindings takes at a time.
const asffBatch = 100

// asffWriter writes {"Findings": […]} a line, each fit for one call of
// BatchImportFindings.
type asffWriter struct {
	w    io.Writer
	o    *Options
	next []asffFinding
	any  bool
}

func (a *asffWriter) add(f *finding.Finding) (bool, error) {
	if !isAccount(f.Account) {
		return false, nil
	}
	a.next = append(a.next, asffOf(f, a.o))
	if len(a.next) == asffBatch {
		return true, a.flush()
	}
	return true, nil
}

func (a *asffWriter) flush() error {
	batch := map[string]any{"Findings": list(a.next)}
	a.next, a.any = nil, true
	return encode(a.w, batch)
}

func (a *asffWriter) end() error {
	if len(a.next) == 0 && a.any {
		return nil
	}
	return a.flush()
}

// asffFinding is a finding in the AWS Security Finding Format
// (docs.aws.amazon.com/securityhub, "AWS Security Finding Format (ASFF)").
type asffFinding struct {
	SchemaVersion         string            `json:"SchemaVersion"`
	ID                    string            `json:"Id"`
	ProductArn            string            `json:"ProductArn"`
	ProductName           string            `json:"ProductName"`
	CompanyName           string            `json:"CompanyName"`
	Region                string            `json:"Region,omitempty"`
	GeneratorID           string            `json:"GeneratorId"`
	AwsAccountID          string            `json:"AwsAccountId"`
	AwsAccountName        string            `json:"AwsAccountName,omitempty"`
	Types                 []string          `json:"Types"`
	FirstObservedAt       string            `json:"FirstObservedAt"`
	LastObservedAt        string            `json:"LastObservedAt"`
	CreatedAt             string            `json:"CreatedAt"`
	UpdatedAt             string            `json:"UpdatedAt"`
	Severity              asffSeverity      `json:"Severity"`
	Confidence            int               `json:"Confidence"`
	Title                 string            `json:"Title"`
	Description           string            `json:"Description"`
	Remediation           *asffRemediation  `json:"Remediation,omitempty"`
	SourceURL             string            `json:"SourceUrl,omitempty"`
	ProductFields         map[string]string `json:"ProductFields"`
	Resources             []asffResource    `json:"Resources"`
	RecordState           string            `json:"RecordState"`
	Workflow              asffWorkflow      `json:"Workflow"`
	VerificationState     string            `json:"VerificationState"`
	Note                  *asffNote         `json:"Note,omitempty"`
	FindingProviderFields asffProvider      `json:"FindingProviderFields"`
}

type asffSeverity struct {
	Label    string `json:"Label"`
	Original string `json:"Original"`
}

type asffRemediation struct {
	Recommendation struct {
		Text string `json:"Text"`
	} `json:"Recommendation"`
}

type asffResource struct {
	Type      string `json:"Type"`
	ID        string `json:"Id"`
	Partition string `json:"Partition"`
	Region    string `json:"Region,omitempty"`
}

type asffWorkflow struct {
	Status string `json:"Status"`
}

type asffNote struct {
	Text      string `json:"Text"`
	UpdatedBy string `json:"UpdatedBy"`
	UpdatedAt string `json:"UpdatedAt"`
}

type asffProvider struct {
	Confidence int          `json:"Confidence"`
	Severity   asffSeverity `json:"Severity"`
	Types      []string     `json:"Types"`
}

var asffVerification = map[finding.Verdict]string{
	finding.NoVerdict: "UNKNOWN", finding.Undetermined: "UNKNOWN", finding.TruePositive: "TRUE_POSITIVE",
	finding.FalsePositive: "FALSE_POSITIVE", finding.Expected: "BENIGN_POSITIVE",
}

// asffWorkflows: a finding that somebody looks at is NOTIFIED, "the owner of the
// resource was told".
var asffWorkflows = map[finding.Status]string{
	finding.New: "NEW", finding.InProgress: "NOTIFIED", finding.Resolved: "RESOLVED", finding.Suppressed: "SUPPRESSED",
}

func asffOf(f *finding.Finding, o *Options) asffFinding {
	region := or(f.Region, "us-east-1") // what has no region is told of in the global one
	if strings.HasPrefix(region, "aws-global") {
		region = "us-east-1"
	}
	label := strings.ToUpper(string(f.Severity))
	if f.Severity.Rank() < 0 {
		label = "MEDIUM" // as its priority counts it
	}
	severity := asffSeverity{label, string(f.Severity)}
	product := or(o.Product, "arn:"+partition(f)+":securityhub:"+region+":"+f.Account+":product/"+f.Account+"/default")
	types := asffTypes(f)
	a := asffFinding{
		SchemaVersion: "2018-10-08", ID: "yagura/" + region + "/" + f.Account + "/" + f.Key, ProductArn: product,
		ProductName: "Yagura", CompanyName: "Yagura", Region: region,
		GeneratorID: cut("yagura/"+or(f.Rule, string(f.Kind)), 512), AwsAccountID: f.Account, AwsAccountName: cut(f.AccountName, 50), Types: types,
		FirstObservedAt: stamp(f.FirstSeen), LastObservedAt: stamp(f.LastSeen), CreatedAt: stamp(f.FirstSeen), UpdatedAt: stamp(modified(f)),
		Severity: severity, Confidence: percent(f.Confidence), Title: cut(f.Title, 256), Description: cut(sentence(f), 1024),
		ProductFields: asffFields(f), Resources: asffResources(f, region), RecordState: "ACTIVE",
		Workflow: asffWorkflow{or(asffWorkflows[f.Status], "NEW")}, VerificationState: or(asffVerification[f.Verdict], "UNKNOWN"),
		FindingProviderFields: asffProvider{percent(f.Confidence), severity, types},
	}
	if len(f.Next) > 0 {
		a.Remediation = &asffRemediation{}
		a.Remediation.Recommendation.Text = cut(strings.Join(f.Next, "\n"), 512)
	}
	if d, ok := remark(f); ok {
		a.Note = &asffNote{cut(d.Comment, 512), cut(or(d.By, "unknown"), 512), stamp(d.At)}
	}
	if x := f.External; x != nil && len(x.Links) > 0 && strings.HasPrefix(x.Links[0], "https://") {
		a.SourceURL = x.Links[0]
	}
	return a
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// cut keeps at most so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// asffTypes names what sort of finding it is in ASFF's taxonomy: namespace,
// category, classifier.
func asffTypes(f *finding.Finding) []string {
	tactics := map[string]string{
		"TA0001": "Initial Access", "TA0002": "Execution", "TA0003": "Persistence", "TA0004": "Privilege Escalation",
		"TA0005": "Defense Evasion", "TA0006": "Credential Access", "TA0007": "Discovery", "TA0008": "Lateral Movement",
		"TA0009": "Collection", "TA0011": "Command and Control",
	}
	var types []string
	for _, a := range f.Attack {
		if t := tactics[a.ID]; t != "" {
			types = append(types, "TTPs/"+t)
		}
	}
	switch {
	case f.Anomaly != nil:
		types = append(types, "Unusual Behaviors/User/"+f.Anomaly.Sign)
	case f.Kind == finding.KindPosture, f.Kind == finding.KindExposure, f.Kind == finding.KindUnused:
		types = append(types, "Software and Configuration Checks/AWS Security Best Practices")
	}
	if len(types) == 0 {
		types = append(types, "TTPs")
	}
	return types[:min(len(types), 50)]
}

// asffFields holds what ASFF has no field for; at most 50, and values of at most
// 2,048 characters.
func asffFields(f *finding.Finding) map[string]string {
	fields := map[string]string{
		"yagura/Key": f.Key, "yagura/Case": f.Case, "yagura/Kind": string(f.Kind), "yagura/Actor": f.Actor,
		"yagura/Cause": string(f.Cause), "yagura/VerdictReason": f.Reason, "yagura/Assignee": f.Assignee,
		"yagura/Environment": f.Environment, "yagura/Owner": f.Owner,
	}
	if len(f.Explained) > 0 {
		fields["yagura/ExplainedBy"] = f.Explained[0].Text.String()
	}
	if x := f.External; x != nil {
		fields["yagura/Product"], fields["yagura/ProductFinding"] = x.Product, x.UID
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if fields[key] = cut(fields[key], 2048); fields[key] == "" {
			delete(fields, key)
		}
	}
	return fields
}

// asffResourceTypes are ASFF's names of what ARNs name.
var asffResourceTypes = map[string]string{
	"secretsmanager secret": "AwsSecretsManagerSecret", "kms key": "AwsKmsKey", "s3 bucket": "AwsS3Bucket", "s3 object": "AwsS3Object",
	"iam role": "AwsIamRole", "iam user": "AwsIamUser", "iam group": "AwsIamGroup", "iam policy": "AwsIamPolicy",
	"ec2 instance": "AwsEc2Instance", "ec2 security-group": "AwsEc2SecurityGroup", "ec2 volume": "AwsEc2Volume", "ec2 vpc": "AwsEc2Vpc",
	"lambda function": "AwsLambdaFunction", "rds db": "AwsRdsDbInstance", "rds cluster": "AwsRdsDbCluster", "cloudtrail trail": "AwsCloudTrailTrail",
	"dynamodb table": "AwsDynamoDbTable", "ecs cluster": "AwsEcsCluster", "eks cluster": "AwsEksCluster", "ssm parameter": "Other",
	"acm certificate": "AwsCertificateManagerCertificate", "cloudformation stack": "AwsCloudFormationStack",
}

func asffResources(f *finding.Finding, region string) []asffResource {
	r := asffResource{Type: "AwsAccount", ID: "AWS::::Account:" + f.Account, Partition: partition(f), Region: region}
	if f.Resource != "" {
		r.Type, r.ID = or(asffResourceTypes[resourceType(f.Resource)], "Other"), cut(f.Resource, 512)
	}
	return []asffResource{r}
}
