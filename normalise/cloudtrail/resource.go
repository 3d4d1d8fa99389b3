package cloudtrail

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// maxResources is how many resources of one record are named in columns.
const maxResources = 256

// scope is what a bare name is completed with.
type scope struct{ partition, region, account string }

// found is one resource a record names.
type found struct{ uid, typ, account string }

// gathering collects a record's resources.
type gathering struct {
	scope scope
	list  []found
}

func (g *gathering) add(f found) {
	if f.uid == "" || len(g.list) == maxResources {
		return
	}
	for _, have := range g.list {
		if have.uid == f.uid {
			return
		}
	}
	g.list = append(g.list, f)
}

func hasType(list []found, typ string) bool {
	for _, f := range list {
		if f.typ == typ {
			return true
		}
	}
	return false
}

// resources fills the resource columns. What the record lists as resources
// comes first, an object before its bucket; then what the parameters name. A
// service's use of a key on someone's behalf is about the thing the key
// protects, which the encryption context names.
func (rd *reader) resources(e *event.Event, rec *record, in scope, id *identity) {
	g := gathering{scope: in, list: rd.found[:0]}
	if isTwin(rec, id) {
		e.Twin = true
		g.encryptionContext(rec.request.Get("encryptionContext"))
	}
	g.listed(rec.resources)
	g.parameters(rec)
	if len(g.list) == 0 {
		g.ownUser(rec, e)
	}
	if len(g.list) == 0 && rec.errorMessage != "" {
		g.addARN(deniedResource(rec.errorMessage), "")
	}
	rd.found = g.list
	if len(g.list) == 0 {
		return
	}
	first := g.list[0]
	e.ResourceUID, e.ResourceType = first.uid, first.typ
	e.ResourceAccountUID = first.account
	if e.ResourceAccountUID == "" {
		e.ResourceAccountUID = accountOfARN(first.uid)
	}
	e.ResourceUIDs = make([]string, len(g.list))
	for i, f := range g.list {
		e.ResourceUIDs[i] = f.uid
	}
}

// isTwin recognises a service's use of a key on behalf of the caller, which
// repeats the caller's own request to that service. A service that uses a key
// for itself repeats nobody.
func isTwin(rec *record, id *identity) bool {
	return rec.source == "kms.amazonaws.com" && id.invokedBy != "" && id.typ != "AWSService" &&
		rec.request.Get("encryptionContext").First().Exists()
}

// contexts are the encryption context's keys that name what is protected.
var contexts = [...]struct {
	key string
	typ string
	arn form
}{
	{"SecretARN", "AWS::SecretsManager::Secret", form{}},
	{"aws:secretsmanager:arn", "AWS::SecretsManager::Secret", form{}},
	{"PARAMETER_ARN", "AWS::SSM::Parameter", form{}},
	{"aws:s3:arn", "", form{}},
	{"aws:sqs:arn", "AWS::SQS::Queue", form{}},
	{"aws:sns:topicArn", "AWS::SNS::Topic", form{}},
	{"aws:lambda:FunctionArn", "AWS::Lambda::Function", form{}},
	{"aws:ebs:id", "AWS::EC2::Volume", form{service: "ec2", prefix: "volume/"}},
	{"aws:rds:db-id", "AWS::RDS::DBInstance", form{service: "rds", prefix: "db:"}},
	{"aws:dynamodb:tableName", "AWS::DynamoDB::Table", form{service: "dynamodb", prefix: "table/"}},
	{"aws:elasticfilesystem:filesystem:id", "AWS::EFS::FileSystem", form{service: "elasticfilesystem", prefix: "file-system/"}},
	{"aws:logs:arn", "AWS::Logs::LogGroup", form{}},
	{"aws:cloudtrail:arn", "AWS::CloudTrail::Trail", form{}},
}

func (g *gathering) encryptionContext(v jsontree.Value) {
	for _, c := range contexts {
		value := column.Str(v.Get(c.key))
		switch {
		case value == "":
		case isARN(value):
			g.addARN(value, c.typ)
			return
		case c.arn.service != "":
			g.add(found{c.arn.arn(g.scope, value), c.typ, g.scope.account})
			return
		}
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		if value := column.Str(m); isARN(value) {
			g.addARN(value, "")
			return
		}
	}
}

// addARN adds a resource named in full; its type, if not given, is read from
// the name.
func (g *gathering) addARN(arn, typ string) {
	if typ == "" {
		typ = typeOfARN(arn)
	}
	g.add(found{arn, typ, accountOfARN(arn)})
}

// listed reads the record's resources array.
func (g *gathering) listed(v jsontree.Value) {
	start := len(g.list)
	for m := v.First(); m.Exists(); m = m.Next() {
		if v.Kind() != jsontree.Array || m.Kind() != jsontree.Object {
			continue
		}
		arn := column.Str(m.Get("ARN"))
		if arn == "" {
			arn = column.Str(m.Get("arn"))
		}
		if !isARN(arn) {
			continue // only a prefix of names is given, or none
		}
		f := found{arn, column.Str(m.Get("type")), accountOfARN(arn)}
		if f.account == "" {
			f.account = accountID(m.Get("accountId"))
		}
		if f.typ == "" {
			f.typ = typeOfARN(arn)
		}
		g.add(f)
	}
	objectFirst(g.list[start:])
}

// objectFirst puts an S3 object before its bucket, being nearer to what was
// done; only the bucket is listed with its account.
func objectFirst(list []found) {
	for i := range list {
		if list[i].typ != "AWS::S3::Object" {
			continue
		}
		list[0], list[i] = list[i], list[0]
		for _, f := range list[1:] {
			if f.typ == "AWS::S3::Bucket" && list[0].account == "" && strings.HasPrefix(list[0].uid, f.uid+"/") {
				list[0].account = f.account
			}
		}
		return
	}
}

// parameters reads the resources that the request, and for things just made the
// answer, names. A type that the record listed is not looked for again.
func (g *gathering) parameters(rec *record) {
	listed, answered := len(g.list), "" // the type that the answer named in full
	rules := services[rec.source]
	if rec.source == "s3.amazonaws.com" {
		g.object(rec.request)
	}
	for i := range rules {
		r := &rules[i]
		if r.in != "" && !strings.Contains(rec.name, r.in) {
			continue
		}
		if hasType(g.list[:listed], r.typ) {
			continue
		}
		from, path := rec.request, r.param
		if rest, ok := strings.CutPrefix(path, "<"); ok {
			from, path = rec.response, rest
		} else if r.typ == answered {
			continue
		}
		before := len(g.list)
		eachText(from, path, func(s string) { g.named(r, s) })
		if len(g.list) > before && r.param[0] == '<' {
			answered = r.typ
		}
	}
	if len(g.list) > 0 {
		return
	}
	// Nothing is known about this service: take what is named in full.
	for m := rec.request.First(); m.Exists(); m = m.Next() {
		if s := column.Str(m); isARN(s) && m.Key() != "policyDocument" {
			g.addARN(s, "")
		}
	}
}

// object names an S3 object by its bucket and key.
func (g *gathering) object(request jsontree.Value) {
	bucket, key := column.Str(request.Get("bucketName")), column.Str(request.Get("key"))
	if bucket == "" || key == "" || hasType(g.list, "AWS::S3::Object") {
		return
	}
	g.add(found{"arn:" + g.scope.partition + ":s3:::" + bucket + "/" + key, "AWS::S3::Object", ""})
}

func (g *gathering) named(r *rule, s string) {
	if s == "" {
		return
	}
	if isARN(s) {
		g.add(found{s, r.typ, accountOfARN(s)})
		return
	}
	if r.arn.kind == onlyARN || s == "*" {
		return
	}
	uid := r.arn.arn(g.scope, s)
	account := accountOfARN(uid)
	if account == "" && r.arn.kind != foreign && r.arn.service != "s3" {
		account = g.scope.account
	}
	g.add(found{uid, r.typ, account})
}

// deniedResource is the resource that a denial names; some services leave out
// what was asked when they deny: "… is not authorized to perform: sts:AssumeRole
// on resource: arn:aws:iam::111122223333:role/x because …". Empty if it names
// none in full.
func deniedResource(message string) string {
	_, rest, ok := strings.Cut(message, " on resource: ")
	if !ok {
		return ""
	}
	end := " "
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		rest, end = quoted, `"`
	}
	arn, _, _ := strings.Cut(rest, end)
	if !isARN(arn) || strings.ContainsRune(arn, '*') {
		return ""
	}
	return arn
}

// ownUser is the user itself where an operation on users names nobody: IAM then
// takes the caller.
func (g *gathering) ownUser(rec *record, e *event.Event) {
	if rec.source != "iam.amazonaws.com" || e.ActorType != event.ActorUser {
		return
	}
	switch rec.name {
	case "ChangePassword", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "ListAccessKeys", "GetUser",
		"ListMFADevices", "ListSSHPublicKeys", "ListSigningCertificates", "GetLoginProfile", "CreateLoginProfile":
		g.add(found{e.ActorUID, "AWS::IAM::User", e.ActorAccountUID})
	}
}

// eachText calls f with every string at path in v. Arrays on the way are gone
// through.
func eachText(v jsontree.Value, path string, f func(string)) {
	if v.Kind() == jsontree.Array {
		for m := v.First(); m.Exists(); m = m.Next() {
			eachText(m, path, f)
		}
		return
	}
	if path == "" {
		if v.Kind() == jsontree.String {
			f(column.Str(v))
		}
		return
	}
	key, rest, _ := strings.Cut(path, ".")
	for m := v.First(); m.Exists(); m = m.Next() {
		if m.Key() == key {
			eachText(m, rest, f)
			return
		}
	}
}
