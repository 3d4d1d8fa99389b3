package cloudtrail

import "strings"

// form is how a service builds the ARN of a kind of resource from its name.
type form struct {
	service string
	prefix  string // before the name
	kind    byte
}

// The kinds of form. Plain: region and account stand in the ARN.
const (
	plain     byte = iota
	global         // no region: iam, organizations
	unscoped       // neither region nor account: s3
	foreign        // a region and no account: images, snapshots, models
	onlyARN        // always named in full
	kmsKey         // a key's id or an alias
	parameter      // "/a/b" or "a"
	queueURL       // https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or a name
	function       // NAME, NAME:VERSION or ACCOUNT:function:NAME
)

// arn completes a name.
func (f form) arn(in scope, name string) string {
	region, account := in.region, in.account
	prefix := f.prefix
	switch f.kind {
	case global:
		region = ""
	case unscoped:
		region, account = "", ""
	case foreign:
		account = ""
	case kmsKey:
		if strings.HasPrefix(name, "alias/") {
			prefix = ""
		}
	case parameter:
		if strings.HasPrefix(name, "/") {
			prefix = "parameter"
		}
	case queueURL:
		if i := strings.Index(name, "://"); i >= 0 {
			_, path, _ := strings.Cut(name[i+3:], "/")
			if owner, queue, ok := strings.Cut(path, "/"); ok {
				account, name = owner, queue
			}
		}
	case function:
		if owner, rest, ok := strings.Cut(name, ":function:"); ok {
			account, name = owner, rest
		}
	}
	return "arn:" + in.partition + ":" + f.service + ":" + region + ":" + account + ":" + prefix + name
}

// typeOfARN reads the type from a full name by the same table that builds them.
func typeOfARN(arn string) string {
	rest := arn
	var service string
	for i := range 5 {
		part, after, ok := strings.Cut(rest, ":")
		if !ok {
			return ""
		}
		if i == 2 {
			service = part
		}
		rest = after
	}
	switch service {
	case "s3":
		if strings.Contains(rest, "/") && !strings.HasPrefix(rest, "accesspoint/") {
			return "AWS::S3::Object"
		}
		return "AWS::S3::Bucket"
	case "sns":
		return "AWS::SNS::Topic"
	case "sqs":
		return "AWS::SQS::Queue"
	case "sts":
		return ""
	}
	for _, r := range services[service+".amazonaws.com"] {
		if r.arn.service == service && r.arn.prefix != "" && strings.HasPrefix(rest, r.arn.prefix) {
			return r.typ
		}
	}
	return ""
}
