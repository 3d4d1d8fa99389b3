package products

import (
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// failure is a control of Security Hub that a resource does not pass.
type failure struct {
	account  *estate.Account
	control  string
	severity string
	title    string
	fix      string
	kind     string // of the resource, as ASFF says it
	resource string // ARN
	first    time.Time
}

// failures are the same however they are written down.
func (s *scene) failures() (all []failure) {
	add := func(days int, account, control, severity, title, fix, kind, service, resource string) {
		a := s.account(account)
		if a == nil {
			return
		}
		arn := "arn:aws:s3:::" + resource // which has neither region nor account
		if service != "s3" {
			arn = fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, a.Home, a.ID, resource)
		}
		all = append(all, failure{a, control, severity, title, fix, kind, arn, s.day(days, 6, 11)})
	}
	// Whoever serves a site from a bucket means it to be public.
	for i, site := range []string{"assets", "campaigns", "help", "status"} {
		add(2+4*i, "prod-shop", "S3.8", "HIGH", "S3 general purpose buckets should block public access", "Block public access on the bucket.", "AwsS3Bucket", "s3", "hoshino-shop-"+site)
	}
	for i, account := range []string{"sandbox", "dev-pay"} {
		add(5+6*i, account, "EC2.19", "HIGH", "Security groups should not allow unrestricted access to ports with high risk", "Close the ports, or name who may reach them.",
			"AwsEc2SecurityGroup", "ec2", fmt.Sprintf("security-group/sg-0a11c0ffee5eed%03d", i+1))
	}
	add(1, "prod-data", "RDS.3", "MEDIUM", "RDS DB instances should have encryption at-rest enabled", "Restore a copy that is encrypted.", "AwsRdsDbInstance", "rds", "db:reports")
	add(8, "staging", "Lambda.2", "MEDIUM", "Lambda functions should use supported runtimes", "Move to a runtime that is supported.", "AwsLambdaFunction", "lambda", "function:thumbnails")
	add(3, "backup", "KMS.4", "MEDIUM", "AWS KMS key rotation should be enabled", "Have the key rotated.", "AwsKmsKey", "kms", "key/0ba5eba1-0000-4000-8000-00000000cafe")
	return all
}

func (f failure) arn() string {
	return fmt.Sprintf("arn:aws:securityhub:%s:%s:security-control/%s/finding/%08x-0000-4000-8000-%012x", f.account.Home, f.account.ID, f.control, uint32(sum(f.resource)), sum(f.resource+f.control)>>16)
}

var normalized = map[string]int{"LOW": 30, "MEDIUM": 50, "HIGH": 80, "CRITICAL": 95}

// asff is the failure as seen at that time.
func (f failure) asff(at time.Time) object {
	return object{
		"SchemaVersion": "2018-10-08", "Id": f.arn(), "ProductArn": "arn:aws:securityhub:" + f.account.Home + "::product/aws/securityhub",
		"ProductName": "Security Hub", "CompanyName": "AWS", "Region": f.account.Home, "GeneratorId": "security-control/" + f.control, "AwsAccountId": f.account.ID,
		"Types":           []string{"Software and Configuration Checks/Industry and Regulatory Standards"},
		"FirstObservedAt": stamp(f.first), "LastObservedAt": stamp(at), "CreatedAt": stamp(f.first), "UpdatedAt": stamp(at),
		"Severity": object{"Label": f.severity, "Normalized": normalized[f.severity], "Original": f.severity},
		"Title":    f.title, "Description": "This control checks whether that holds.",
		"Remediation": object{"Recommendation": object{"Text": f.fix}},
		"Resources":   []object{{"Type": f.kind, "Id": f.resource, "Partition": "aws", "Region": f.account.Home}},
		"Compliance":  object{"Status": "FAILED", "SecurityControlId": f.control, "AssociatedStandards": []object{{"StandardsId": "standards/aws-foundational-security-best-practices/v/1.0.0"}}},
		"Workflow":    object{"Status": "NEW"}, "RecordState": "ACTIVE",
	}
}

// severityOf are OCSF's ids.
var severityOf = map[string]int{"LOW": 2, "MEDIUM": 3, "HIGH": 4, "CRITICAL": 5}

// ocsf is the same finding as Security Hub v2 writes it.
func (f failure) ocsf(at time.Time) object {
	return object{
		"activity_id": 2, "category_uid": 2, "class_name": "Compliance Finding", "class_uid": 2003, "type_uid": 200302,
		"cloud":      object{"account": object{"uid": f.account.ID}, "provider": "AWS", "region": f.account.Home},
		"compliance": object{"control": f.control, "standards": []string{"standards/aws-foundational-security-best-practices/v/1.0.0"}, "status": "Fail", "status_id": 3},
		"finding_info": object{
			"uid": f.arn(), "title": f.title, "desc": "This control checks whether that holds.", "types": []string{"Posture Management"},
			"created_time": f.first.UnixMilli(), "first_seen_time": f.first.UnixMilli(), "last_seen_time": at.UnixMilli(),
		},
		"metadata":    object{"product": object{"name": "Security Hub", "uid": "arn:aws:securityhub:" + f.account.Home + "::productv2/aws/securityhub", "vendor_name": "AWS"}, "version": "1.6.0"},
		"remediation": object{"desc": f.fix},
		"resources":   []object{{"type": f.kind, "uid": f.resource, "owner": object{"account": object{"uid": f.account.ID}}, "region": f.account.Home}},
		"severity":    f.severity, "severity_id": severityOf[f.severity], "status": "New", "status_id": 1, "time": at.UnixMilli(),
	}
}

// securityHub has its own controls, and passes on what GuardDuty found.
func securityHub(s *scene) []file {
	var asff, ocsf []object
	imported := func(a *estate.Account, at time.Time, finding object) {
		asff = append(asff, s.event("Security Hub Findings - Imported", "aws.securityhub", a, at, object{"findings": []object{finding}}))
	}
	for i, f := range s.failures() {
		again := f.first.AddDate(0, 0, 7)
		if s.within(f.first) {
			imported(f.account, f.first, f.asff(f.first))
		}
		if i%2 == 1 && s.within(again) { // written again in the newer form: one finding all the same
			ocsf = append(ocsf, f.ocsf(again))
		}
	}
	for _, n := range s.notices() {
		at := n.last.Add(guardDutyLag + 2*time.Minute)
		if n.severity < 5 || n.principal == "" || !s.within(at) {
			continue
		}
		imported(n.account, at, n.asff(at))
	}
	return []file{{name: "asff.jsonl", records: asff}, {name: "ocsf.jsonl", records: ocsf}}
}

// asff is a finding of GuardDuty as Security Hub passes it on.
func (n notice) asff(at time.Time) object {
	label := "MEDIUM"
	if n.severity >= 7 {
		label = "HIGH"
	}
	operator, call, _ := strings.Cut(n.api, " ")
	return object{
		"SchemaVersion": "2018-10-08", "Id": n.arn(), "ProductArn": "arn:aws:securityhub:" + n.account.Home + "::product/aws/guardduty",
		"ProductName": "GuardDuty", "CompanyName": "Amazon", "Region": n.account.Home, "AwsAccountId": n.account.ID,
		"GeneratorId": "arn:aws:guardduty:" + n.account.Home + ":" + n.account.ID + ":detector/" + detector(n.account),
		"Types":       []string{"TTPs/" + strings.ReplaceAll(n.kind, "/", "-")}, "FirstObservedAt": stamp(n.first), "LastObservedAt": stamp(n.last),
		"CreatedAt": stamp(n.first.Add(guardDutyLag)), "UpdatedAt": stamp(at), "Severity": object{"Label": label, "Normalized": normalized[label], "Product": n.severity},
		"Title": n.title, "Description": n.text,
		"ProductFields": object{"aws/guardduty/service/count": fmt.Sprint(n.count), "aws/securityhub/ProductName": "GuardDuty"},
		"Resources": []object{{"Type": "AwsIamAccessKey", "Id": "AWS::IAM::AccessKey:" + n.key(), "Partition": "aws", "Region": n.account.Home,
			"Details": object{"AwsIamAccessKey": object{"PrincipalId": n.principalID(), "PrincipalName": name(n.principal), "PrincipalType": userType(n.principal), "AccessKeyId": n.key()}}}},
		"Action":   object{"ActionType": "AWS_API_CALL", "AwsApiCallAction": object{"Api": call, "ServiceName": operator, "RemoteIpDetails": object{"IpAddressV4": n.ip}}},
		"Workflow": object{"Status": "NEW"}, "RecordState": "ACTIVE",
	}
}

// config has rules of the organisation: some results change, some come back.
func config(s *scene) []file {
	var out []object
	add := func(a *estate.Account, rule, kind, resource, note string, at time.Time, now, before string) {
		if a == nil || !s.within(at) {
			return
		}
		out = append(out, s.event("Config Rules Compliance Change", "aws.config", a, at.Add(time.Second), object{
			"resourceId": resource, "resourceType": kind, "awsRegion": a.Home, "awsAccountId": a.ID, "configRuleName": rule, "recordVersion": "1.0",
			"configRuleARN": fmt.Sprintf("arn:aws:config:%s:%s:config-rule/config-rule-%06x", a.Home, a.ID, sum(rule)&0xffffff), "messageType": "ComplianceChangeNotification",
			"newEvaluationResult": object{
				"evaluationResultIdentifier": object{"evaluationResultQualifier": object{"configRuleName": rule, "resourceType": kind, "resourceId": resource}, "orderingTimestamp": stamp(at.Add(-time.Minute))},
				"complianceType":             now, "resultRecordedTime": stamp(at), "configRuleInvokedTime": stamp(at.Add(-10 * time.Second)), "annotation": note,
			},
			"oldEvaluationResult": object{"complianceType": before}, "notificationCreationTime": stamp(at.Add(time.Second)),
		}))
	}
	const bad, good = "NON_COMPLIANT", "COMPLIANT"
	if c, ok := s.told("StopLogging"); ok {
		a := s.accountOf(c.Account)
		add(a, "trail-is-logging", "AWS::CloudTrail::Trail", "arn:aws:cloudtrail:"+a.Home+":"+a.ID+":trail/local", "The trail does not log", c.At.Add(4*time.Minute), bad, good)
	}
	if c, ok := s.told("AttachUserPolicy"); ok {
		add(s.accountOf(c.Account), "no-administrators-but-by-sign-on", "AWS::IAM::User", "report-export", "AdministratorAccess is attached to a user", c.At.Add(7*time.Minute), bad, good)
	}
	for i, name := range []string{"staging", "dev-shop", "dev-pay"} {
		a := s.account(name)
		add(a, "volumes-are-encrypted", "AWS::EC2::Volume", fmt.Sprintf("vol-0c0ffee%010x", i+1), "Encryption is not switched on", s.day(3+4*i, 9, 30), bad, good)
		if i == 0 {
			add(a, "volumes-are-encrypted", "AWS::EC2::Volume", "vol-0c0ffee0000000001", "", s.day(6, 10, 5), good, bad)
		}
	}
	return []file{{name: "events.jsonl", records: out}}
}

// macie looks at what lies in buckets.
func macie(s *scene) []file {
	var out []object
	for i, f := range []struct{ account, bucket, key, kind, title, text, category, detection string }{
		{"prod-data", "hoshino-reports", "exports/2026-03/customers.csv", "SensitiveData:S3Object/Personal", "The S3 object holds personal information", "The object holds names and addresses.", "PERSONAL_INFORMATION", "NAME"},
		{"dev-shop", "hoshino-dev-fixtures", "seed/orders.json", "SensitiveData:S3Object/Credentials", "The S3 object holds credentials", "The object holds a private key.", "CREDENTIALS", "OPENSSH_PRIVATE_KEY"},
	} {
		a, at := s.account(f.account), s.day(7+6*i, 8, 40)
		if a == nil || !s.within(at) {
			continue
		}
		out = append(out, s.event("Macie Finding", "aws.macie", a, at, object{
			"schemaVersion": "1.0", "id": s.drawn(32, hexDigits), "accountId": a.ID, "partition": "aws", "region": a.Home, "type": f.kind, "title": f.title, "description": f.text,
			"severity": object{"score": 3, "description": "High"}, "createdAt": second(at), "updatedAt": second(at), "count": 1, "category": "CLASSIFICATION", "sample": false, "archived": false,
			"resourcesAffected": object{
				"s3Bucket": object{"arn": "arn:aws:s3:::" + f.bucket, "name": f.bucket, "publicAccess": object{"effectivePermission": "NOT_PUBLIC"}},
				"s3Object": object{"bucketArn": "arn:aws:s3:::" + f.bucket, "key": f.key, "path": f.bucket + "/" + f.key},
			},
			"classificationDetails": object{"result": object{"sensitiveData": []object{{"category": f.category, "totalCount": 12 + 30*i, "detections": []object{{"type": f.detection, "count": 12 + 30*i}}}}}},
		}))
	}
	return []file{{name: "events.jsonl", records: out}}
}

// inspector looks at packages. The numbers of its vulnerabilities are of a year in
// which none was given.
func inspector(s *scene) []file {
	when := func(t time.Time) string { return t.Format("Jan 2, 2006, 3:04:05 PM") }
	var out []object
	for i, f := range []struct {
		account, machine, library, severity, text, exploit string
		score                                              float64
	}{
		{"staging", "web", "examplelib", "CRITICAL", "A parser in examplelib runs what a request says.", "YES", 9.8},
		{"dev-shop", "web", "samplessl", "HIGH", "samplessl accepts certificates of others.", "NO", 8.1},
		{"dev-pay", "web", "samplessl", "HIGH", "samplessl accepts certificates of others.", "NO", 8.1},
		{"prod-shop", "web", "toyxml", "MEDIUM", "toyxml reads files that a document names.", "NO", 5.9},
		{"prod-data", "loader", "toyxml", "MEDIUM", "toyxml reads files that a document names.", "NO", 5.9},
	} {
		a, at := s.account(f.account), s.End.Add(-26*time.Hour).AddDate(0, 0, -4*i) // the worst is the newest
		if a == nil || !s.within(at) {
			continue
		}
		cve := fmt.Sprintf("CVE-1998-%04d", 9000+sum(f.library)%1000)
		out = append(out, s.event("Inspector2 Finding", "aws.inspector2", a, at, object{
			"awsAccountId": a.ID, "description": f.text, "findingArn": fmt.Sprintf("arn:aws:inspector2:%s:%s:finding/%s", a.Home, a.ID, s.drawn(32, hexDigits)),
			"firstObservedAt": when(at.Add(-10 * time.Minute)), "lastObservedAt": when(at.Add(-10 * time.Minute)), "updatedAt": when(at),
			"exploitAvailable": f.exploit, "fixAvailable": "YES", "inspectorScore": f.score, "severity": f.severity, "status": "ACTIVE", "type": "PACKAGE_VULNERABILITY", "title": cve + " - " + f.library,
			"packageVulnerabilityDetails": object{"source": "EXAMPLE", "vulnerabilityId": cve, "relatedVulnerabilities": []string{},
				"vulnerablePackages": []object{{"name": f.library, "version": "1.2.0", "fixedInVersion": "1.2.4", "remediation": "apt-get install " + f.library}}},
			"remediation": object{"recommendation": object{"text": "None Provided"}},
			"resources":   []object{{"id": instance(a.ID, f.machine), "partition": "aws", "region": a.Home, "type": "AWS_EC2_INSTANCE", "tags": object{"Name": f.machine}}},
		}))
	}
	return []file{{name: "events.jsonl", records: out}}
}
