package alert

import (
	"net/netip"
	"regexp"
	"strings"
)

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// once is a list without empty and repeated things, in its order.
func once[T comparable](list []T) []T {
	var out []T
	var nothing T
	seen := map[T]bool{nothing: true}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out[:min(len(out), maxList)]
}

// severityOf reads the words that products use for severities.
func severityOf(word string) Severity {
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "INFORMATIONAL", "INFORMATION", "INFO", "NONE", "DEBUG", "UNTRIAGED":
		if strings.EqualFold(word, "UNTRIAGED") {
			return Unknown
		}
		return Informational
	case "LOW", "NOTICE":
		return Low
	case "MEDIUM", "MODERATE", "WARNING":
		return Medium
	case "HIGH", "IMPORTANT", "ERROR":
		return High
	case "CRITICAL", "FATAL", "ALERT", "EMERGENCY":
		return Critical
	}
	return Unknown
}

var techniqueID = regexp.MustCompile(`\b(?:T\d{4}(?:\.\d{3})?|TA\d{4})\b`)

// attacks finds ATT&CK ids in texts.
func attacks(texts ...string) []string {
	var out []string
	for _, s := range texts {
		out = append(out, techniqueID.FindAllString(strings.ToUpper(s), -1)...)
	}
	return once(out)
}

// tactics are ATT&CK's ids of the words that products use for a purpose, without
// their spaces and dashes.
var tactics = map[string]string{
	"reconnaissance": "TA0043", "recon": "TA0043", "resourcedevelopment": "TA0042", "initialaccess": "TA0001",
	"execution": "TA0002", "persistence": "TA0003", "privilegeescalation": "TA0004", "defenseevasion": "TA0005",
	"credentialaccess": "TA0006", "discovery": "TA0007", "lateralmovement": "TA0008", "collection": "TA0009",
	"exfiltration": "TA0010", "commandandcontrol": "TA0011", "impact": "TA0040",
}

// tactic is the id of a purpose in words; empty where it is none of ATT&CK's.
func tactic(word string) string {
	return tactics[strings.TrimPrefix(strings.ToLower(plain(word)), "mitre")]
}

// address is s if it is an IP address.
func address(s string) string {
	if _, err := netip.ParseAddr(s); err != nil {
		return ""
	}
	return s
}

// arnPart is one of the first six parts of an ARN: 1 partition, 2 service, 3
// region, 4 account, 5 the resource.
func arnPart(arn string, n int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[n]
}

// tail is what follows the last of the separators.
func tail(s, separators string) string {
	if i := strings.LastIndexAny(s, separators); i >= 0 {
		return s[i+1:]
	}
	return s
}

// plain is a word without the punctuation that products set differently.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '_', ':':
			return -1
		}
		return r
	}, s)
}

// kind is a type of resource without the punctuation in which products differ:
// AWS::S3::Bucket, AwsS3Bucket, AWS_S3_BUCKET.
func kind(typ string) string {
	return strings.ToLower(plain(typ))
}

// shapes of names: how a bare id of that kind of resource is written in full.
var shapes = map[string]string{
	"awsec2instance": "ec2:R:A:instance/", "instance": "ec2:R:A:instance/", "awsec2securitygroup": "ec2:R:A:security-group/",
	"awsec2volume": "ec2:R:A:volume/", "awsec2vpc": "ec2:R:A:vpc/", "awsec2subnet": "ec2:R:A:subnet/",
	"awsec2snapshot": "ec2:R::snapshot/", "awss3bucket": "s3:::", "awsiamrole": "iam::A:role/", "awsiamuser": "iam::A:user/",
	"awsiampolicy": "iam::A:policy/", "awslambdafunction": "lambda:R:A:function:", "awskmskey": "kms:R:A:key/",
	"awsrdsdbinstance": "rds:R:A:db:", "awsekscluster": "eks:R:A:cluster/", "awsecscluster": "ecs:R:A:cluster/",
	"awscloudtrailtrail": "cloudtrail:R:A:trail/", "awsdynamodbtable": "dynamodb:R:A:table/", "awssnstopic": "sns:R:A:",
	"awssqsqueue": "sqs:R:A:",
}

// qualify writes an id as the name that CloudTrail gives the resource, so that
// what different products say of one resource stands together.
func (r *Resource) qualify(account, region string) {
	if r.Account != "" {
		account = r.Account
	}
	if r.Region != "" && r.Region != "global" {
		region = r.Region
	}
	k := kind(r.Type)
	if k == "awsaccount" || k == "awsorganizationsaccount" {
		// Not arn:aws:iam::A:root, which is the root user.
		if id := tail(r.UID, ":/"); arnPart(r.UID, 0) == "" && len(id) == 12 {
			r.UID = id
		}
		return
	}
	if strings.HasPrefix(r.UID, "arn:") || r.UID == "" {
		return
	}
	shape, ok := shapes[k]
	if !ok || strings.ContainsAny(r.UID, ": \t") && !strings.HasPrefix(r.UID, "https://sqs.") {
		return
	}
	id := r.UID
	if k == "awssqsqueue" {
		id = tail(id, "/")
	}
	parts := strings.SplitN(shape, ":", 4) // service, R, A, prefix of the id
	for i, in := range []string{1: region, 2: account} {
		if i > 0 && parts[i] != "" {
			if in == "" {
				return
			}
			parts[i] = in
		}
	}
	if r.Name == "" {
		r.Name = id
	}
	r.UID = "arn:" + partition(region) + ":" + strings.Join(parts, ":") + id
}

// partition of a region, by its name.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
