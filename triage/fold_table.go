package triage

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// foldTypes say of types of other products which trouble they are: a technique
// of ATT&CK, or a word where none says it. Products mostly name no technique,
// and ours do. What is not here, and names no technique, is folded with nothing.
var foldTypes = []struct {
	source, pattern string // path.Match over the product's type, any case
	trouble         string
}{
	// Secrets read out of a store, by whoever has never done so.
	{"guardduty", "CredentialAccess:IAMUser/*", "T1555.006"},
	{"defender", "ARM_AnomalousOperation.CredentialAccess", "T1555.006"},
	{"defender", "KV_*", "T1555.006"},
	// A principal's credentials used from a place that is not its own.
	{"guardduty", "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration*", troubleElsewhere},
	{"guardduty", "UnauthorizedAccess:IAMUser/MaliciousIPCaller*", troubleElsewhere},
	{"guardduty", "UnauthorizedAccess:IAMUser/TorIPCaller", troubleElsewhere},
	// Somebody looks around.
	{"guardduty", "Discovery:IAMUser/*", "T1580"},
	// Logging switched off.
	{"guardduty", "Stealth:IAMUser/CloudTrailLoggingDisabled", "T1685.002"},
	{"guardduty", "Stealth:S3/ServerAccessLoggingDisabled", "T1685.002"},
	// Rights added.
	{"guardduty", "PrivilegeEscalation:IAMUser/*", "T1098.003"},
	// Data taken out of a bucket, or destroyed in it.
	{"guardduty", "Exfiltration:S3/*", "T1530"},
	{"guardduty", "Impact:S3/AnomalousBehavior.Delete", "T1485"},
	// A bucket opened.
	{"guardduty", "Policy:S3/BucketAnonymousAccessGranted", troubleOpened},
	{"guardduty", "Policy:S3/BucketPublicAccessGranted", troubleOpened},
	{"macie", "Policy:IAMUser/S3BucketPublic", troubleOpened},
	// Somebody else's computing.
	{"guardduty", "CryptoCurrency:*/*", "T1496.001"},
	{"guardduty", "Impact:*/BitcoinDomainRequest*", "T1496.001"},
}

// Troubles that no technique says alone.
const (
	troubleElsewhere = "credentials used from elsewhere"
	troubleOpened    = "bucket opened"
)

// foldSigns are the same of our own signs of anomalies: what a secret read from
// an unusual region or network is.
var foldSigns = map[string]string{finding.SignRegion: troubleElsewhere}

// tooBroad are techniques that nearly every use of a cloud is: to share one says
// nothing.
var tooBroad = []string{"T1078", "T1078.001", "T1078.002", "T1078.003", "T1078.004", "T1133", "T1190", "T1199"}

// foldChecks are checks of one thing under the names that products give them, in
// lower case: Security Hub's control, AWS Config's managed rule, Prowler's check.
// Each is a trouble of its own, by its first name. A rule of Config that a
// control rests on is known by the record itself.
var foldChecks = [][]string{
	{"s3.2", "s3-bucket-public-read-prohibited"},
	{"s3.3", "s3-bucket-public-write-prohibited"},
	{"s3.8", "s3-bucket-level-public-access-prohibited", "s3_bucket_level_public_access_block"},
	{"iam.3", "access-keys-rotated", "iam_rotate_access_key_90_days"},
	{"iam.4", "iam-root-access-key-check", "iam_no_root_access_key"},
	{"iam.5", "mfa-enabled-for-iam-console-access", "iam_user_mfa_enabled_console_access"},
	{"iam.9", "root-account-mfa-enabled", "iam_root_mfa_enabled"},
	{"kms.4", "cmk-backing-key-rotation-enabled", "kms_cmk_rotation_enabled"},
	{"secretsmanager.1", "secretsmanager-rotation-enabled-check", "secretsmanager_automatic_rotation_enabled"},
	{"cloudtrail.1", "multi-region-cloudtrail-enabled", "cloudtrail_multi_region_enabled"},
	{"cloudtrail.2", "cloud-trail-encryption-enabled", "cloudtrail_kms_encryption_enabled"},
	{"cloudtrail.4", "cloud-trail-log-file-validation-enabled", "cloudtrail_log_file_validation_enabled"},
	{"ec2.6", "vpc-flow-logs-enabled", "vpc_flow_logs_enabled"},
	{"ec2.7", "ec2-ebs-encryption-by-default", "ec2_ebs_default_encryption"},
	{"ec2.13", "restricted-ssh", "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22"},
	{"rds.2", "rds-instance-public-access-check", "rds_instance_no_public_access"},
	{"rds.3", "rds-storage-encrypted", "rds_instance_storage_encrypted"},
}

var vulnerability = regexp.MustCompile(`(?i)\bCVE-\d{4}-\d{4,7}\b`)

// foldTroubles are what a finding is, in words that products share; none: it
// cannot be said.
func foldTroubles(f *finding.Trouble) (out []string) {
	x := f.External
	switch {
	case x != nil && x.State:
		return stateTroubles(f)
	case x != nil && strings.HasPrefix(plainType(x.Type), "AttackSequence:"):
		return nil // several troubles, each a finding of its own
	}
	for _, a := range f.Attack {
		if !strings.HasPrefix(a.ID, "TA") && !slices.Contains(tooBroad, a.ID) {
			out = append(out, a.ID)
		}
	}
	if f.Anomaly != nil {
		if t := foldSigns[f.Anomaly.Sign]; t != "" {
			out = append(out, t)
		}
	}
	if x == nil {
		return out
	}
	kind := strings.ToLower(plainType(x.Type))
	for _, t := range foldTypes {
		if is, _ := path.Match(strings.ToLower(t.pattern), kind); is && t.source == f.Source { // the patterns are well formed: a test has it
			out = append(out, t.trouble)
		}
	}
	return out
}

// plainType is a product's type as the product writes it: ASFF puts a category
// before it and a dash for its slash ("TTPs/Recon:EC2-PortProbe").
func plainType(s string) string {
	before, after, cut := strings.Cut(s, "/")
	if cut && !strings.Contains(before, ":") && strings.Contains(after, ":") {
		return strings.Replace(after, "-", "/", 1)
	}
	return s
}

// stateTroubles are those of how something is: the vulnerability by its number,
// the check by its names, and the very finding that another names as what it
// rests on.
func stateTroubles(f *finding.Trouble) (out []string) {
	x := f.External
	out = append(out, "finding "+f.Key)
	for _, key := range f.Related {
		out = append(out, "finding "+key)
	}
	for _, id := range vulnerability.FindAllString(f.Title+" "+x.Type, 4) {
		out = append(out, strings.ToUpper(id))
	}
	names := checkNames(x.Type + " " + f.Title + " " + x.UID)
	for _, check := range foldChecks {
		// A control's short name is one in Security Hub alone.
		if slices.ContainsFunc(check[1:], func(n string) bool { return slices.Contains(names, n) }) || f.Source == "securityhub" && slices.Contains(names, check[0]) {
			out = append(out, "check "+check[0])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// checkNames are the words of a text, once as they are and once without what
// follows and goes before dashes: ids join names by them.
func checkNames(s string) (out []string) {
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" /:,;()\"'", r) }) {
		out = append(out, w)
		if strings.Contains(w, "_") && strings.Contains(w, "-") {
			out = append(out, strings.Split(w, "-")...)
		}
	}
	return out
}
