package simulate

import "strconv"

// operation is one kind of call: who makes it, and what its record tells.
type operation struct {
	source, name string
	by           class // set of classes
	readOnly     bool
	data         bool
	global       bool // recorded in us-east-1
	version      string
	fill         func(r *renderer, a *account, d *draft)
}

// What programs and people do with secrets and keys.
var (
	readOp      = operation{source: "secretsmanager", name: "GetSecretValue", readOnly: true}
	parameterOp = operation{source: "ssm", name: "GetParameter", readOnly: true}
	decryptOp   = operation{source: "kms", name: "Decrypt", readOnly: true}
)

// operations in order of how often they are seen: rank r has weight 1/r.
var operations = []operation{
	{"sts", "AssumeRole", 1<<service | 1<<ci, true, false, true, "2011-06-15", assumeRole},
	{"kms", "Decrypt", programs, true, false, false, "", decrypt},
	{"s3", "GetBucketAcl", 1<<service | people, true, false, false, "", bucket},
	{"s3", "GetObject", programs, true, true, false, "", object},
	{"ec2", "DescribeInstances", operators | 1<<service, true, false, false, "", describe},
	{"kms", "GenerateDataKey", programs | 1<<service, true, false, false, "", dataKey},
	{"dynamodb", "GetItem", programs, true, true, false, "2012-08-10", item},
	{"sts", "GetCallerIdentity", anyone | 1<<static, true, false, true, "2011-06-15", callerIdentity},
	{"ssm", "GetParameter", programs | 1<<ci, true, false, false, "", parameter},
	{"s3", "PutObject", programs | 1<<static, false, true, false, "", object},
	{"logs", "CreateLogStream", 1<<lambda | 1<<ecs, false, false, false, "20140328", logStream},
	{"dynamodb", "Query", programs, true, true, false, "2012-08-10", item},
	{"lambda", "Invoke", 1<<lambda | 1<<ecs, false, true, false, "", invoke},
	{"sqs", "ReceiveMessage", programs, true, true, false, "", queue},
	{"s3", "ListObjects", anyone | 1<<static, true, true, false, "", object},
	{"dynamodb", "PutItem", programs, false, true, false, "2012-08-10", item},
	{"dynamodb", "UpdateItem", programs, false, true, false, "2012-08-10", item},
	{"sqs", "SendMessage", programs, false, true, false, "", queue},
	{"ec2", "DescribeSecurityGroups", operators, true, false, false, "", describe},
	{"ecr", "BatchGetImage", 1<<ecs | 1<<eks, true, false, false, "", repository},
	{"ecs", "DescribeTasks", operators | 1<<service, true, false, false, "", cluster},
	{"iam", "GetRole", operators, true, false, true, "", role},
	{"cloudtrail", "LookupEvents", people, true, false, false, "", lookup},
	{"ec2", "DescribeNetworkInterfaces", operators | 1<<service, true, false, false, "", describe},
	{"s3", "HeadObject", programs, true, true, false, "", object},
	{"ecr", "GetAuthorizationToken", 1<<ecs | 1<<eks | 1<<ci, true, false, false, "", nil},
	{"ec2", "DescribeSubnets", operators, true, false, false, "", describe},
	{"ssm", "UpdateInstanceInformation", 1 << ec2, false, false, false, "", instanceInformation},
	{"lambda", "GetFunction20150331v2", operators, true, false, false, "", function},
	{"iam", "ListAttachedRolePolicies", operators, true, false, true, "", role},
	{"monitoring", "PutMetricData", programs, false, true, false, "", nil},
	{"monitoring", "DescribeAlarms", operators, true, false, false, "", nil},
	{"ec2", "DescribeVpcs", operators, true, false, false, "", describe},
	{"s3", "GetBucketPolicy", operators, true, false, false, "", bucket},
	{"secretsmanager", "DescribeSecret", operators | 1<<service, true, false, false, "", describeSecret},
	{"elasticloadbalancing", "DescribeTargetHealth", operators | 1<<service, true, false, false, "2015-12-01", nil},
	{"kms", "DescribeKey", operators, true, false, false, "", describeKey},
	{"ecs", "DescribeServices", operators, true, false, false, "", cluster},
	{"s3", "GetBucketLocation", anyone, true, false, false, "", bucket},
	{"rds", "DescribeDBInstances", operators, true, false, false, "", database},
	{"config", "PutEvaluations", 1 << lambda, false, false, false, "", nil},
	{"iam", "GetRolePolicy", operators, true, false, true, "", role},
	{"ecs", "SubmitTaskStateChange", 1 << ec2, false, false, false, "", cluster},
	{"ec2", "DescribeTags", operators, true, false, false, "", describe},
	{"lambda", "ListFunctions20150331", people, true, false, false, "", nil},
	{"s3", "DeleteObject", programs, false, true, false, "", object},
	{"ssm", "GetParameters", programs | 1<<ci, true, false, false, "", parameter},
	{"s3", "ListBuckets", people, true, false, false, "", nil},
	{"iam", "ListRoles", people, true, false, true, "", nil},
	{"eks", "DescribeCluster", operators, true, false, false, "", cluster},
	{"sns", "Publish", programs, false, true, false, "", topic},
	{"autoscaling", "DescribeAutoScalingGroups", operators, true, false, false, "", nil},
	{"secretsmanager", "ListSecrets", people, true, false, false, "", nil},
	{"ec2", "DescribeRouteTables", operators, true, false, false, "", describe},
	{"iam", "ListUsers", people, true, false, true, "", nil},
	{"logs", "DescribeLogGroups", operators, true, false, false, "20140328", nil},
	{"dynamodb", "DescribeTable", operators | programs, true, false, false, "2012-08-10", item},
	{"cloudformation", "DescribeStacks", operators, true, false, false, "", nil},
	{"ec2", "DescribeImages", operators, true, false, false, "", describe},
	{"guardduty", "ListFindings", people, true, false, false, "", nil},
	{"s3", "GetBucketTagging", operators, true, false, false, "", bucket},
	{"securityhub", "GetFindings", people, true, false, false, "", nil},
	{"kms", "ListAliases", people, true, false, false, "", nil},
	{"ec2", "DescribeVolumes", operators, true, false, false, "", describe},
	{"rds", "DescribeDBSnapshots", operators, true, false, false, "", database},
	{"signin", "ConsoleLogin", 1 << console, false, false, true, "", signIn},
	{"lambda", "UpdateFunctionCode20150331v2", 1 << ci, false, false, false, "", function},
	{"ecs", "RegisterTaskDefinition", 1 << ci, false, false, false, "", cluster},
	{"ecs", "UpdateService", 1 << ci, false, false, false, "", cluster},
	{"iam", "GetPolicy", operators, true, false, true, "", role},
	{"ecr", "PutImage", 1<<ci | 1<<static, false, false, false, "", repository},
	{"ecr", "InitiateLayerUpload", 1 << ci, false, false, false, "", repository},
	{"elasticache", "DescribeCacheClusters", operators, true, false, false, "", nil},
	{"route53", "ListResourceRecordSets", operators, true, false, true, "2013-04-01", nil},
	{"ec2", "CreateTags", 1<<ci | 1<<service, false, false, false, "", describe},
	{"s3", "GetBucketVersioning", operators, true, false, false, "", bucket},
	{"acm", "DescribeCertificate", operators, true, false, false, "", nil},
	{"events", "PutEvents", programs, false, false, false, "", nil},
	{"states", "StartExecution", programs, false, false, false, "", nil},
	{"organizations", "ListAccounts", people | 1<<ci, true, false, true, "", nil},
	{"ec2", "RunInstances", 1<<service | 1<<ci, false, false, false, "", runInstances},
	{"ec2", "TerminateInstances", 1<<service | 1<<ci, false, false, false, "", runInstances},
	{"sqs", "GetQueueAttributes", operators, true, false, false, "", queue},
	{"backup", "ListRecoveryPointsByBackupVault", people, true, false, false, "", nil},
	{"cloudformation", "DescribeStackEvents", 1 << ci, true, false, false, "", nil},
	{"ssm", "DescribeInstanceInformation", people, true, false, false, "", nil},
	{"inspector2", "ListFindings", people, true, false, false, "", nil},
	{"wafv2", "GetWebACL", operators, true, false, false, "", nil},
	{"config", "DescribeComplianceByConfigRule", people, true, false, false, "", nil},
	{"health", "DescribeEventAggregates", 1 << console, true, false, true, "", nil},
	{"cloudfront", "ListDistributions", people, true, false, true, "", nil},
	{"iam", "SimulatePrincipalPolicy", people, true, false, true, "", role},
	{"athena", "StartQueryExecution", people, false, false, false, "", nil},
	{"athena", "GetQueryResults", people, true, false, false, "", nil},
	{"glue", "GetTable", people | 1<<lambda, true, false, false, "", nil},
	{"ec2", "CreateSnapshot", 1 << service, false, false, false, "", volume},
	{"rds", "CreateDBSnapshot", 1 << service, false, false, false, "", database},
	{"secretsmanager", "RotateSecret", 1 << service, false, false, false, "", describeSecret},
	{"kms", "CreateGrant", 1<<service | 1<<ci, false, false, false, "", describeKey},
	{"ec2", "AuthorizeSecurityGroupIngress", 1 << ci, false, false, false, "", openHTTPS},
	{"s3", "PutBucketPolicy", 1 << ci, false, false, false, "", bucketPolicy},
	{"iam", "CreateRole", 1 << ci, false, false, true, "", createRole},
	{"iam", "AttachRolePolicy", 1 << ci, false, false, true, "", attachRolePolicy},
}

// kv appends "key":"value", with a brace or comma before it as needed.
func kv(b []byte, key, value string) []byte {
	if len(b) == 0 {
		b = append(b, '{', '"')
	} else {
		b = append(b, ',', '"')
	}
	b = append(b, key...)
	b = append(b, `":"`...)
	b = append(b, value...)
	return append(b, '"')
}

func object(r *renderer, a *account, d *draft) {
	b := pick(r, a.buckets)
	d.req = kv(d.req, "bucketName", b)
	d.req = kv(d.req, "Host", b+".s3."+a.Home+".amazonaws.com")
	d.req = append(d.req, `,"key":"2026/03/`...)
	d.req = strconv.AppendInt(d.req, int64(r.rng.IntN(4000)), 10)
	d.req = append(d.req, `.json"}`...)
	d.extra = append(d.extra, `{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"SSEApplied":"SSE_KMS","AuthenticationMethod":"AuthHeader","x-amz-id-2":"`...)
	d.extra = appendUUID(d.extra, r.rng.Uint64(), r.rng.Uint64())
	d.extra = append(d.extra, `","bytesTransferredOut":`...)
	d.extra = strconv.AppendInt(d.extra, int64(r.rng.IntN(200000)), 10)
	d.extra = append(d.extra, '}')
	d.resource(a.ID, "AWS::S3::Object", "arn:aws:s3:::"+b+"/2026/03/")
	d.resource(a.ID, "AWS::S3::Bucket", "arn:aws:s3:::"+b)
}

func bucket(r *renderer, a *account, d *draft) {
	b := pick(r, a.buckets)
	d.req = append(kv(kv(d.req, "bucketName", b), "Host", b+".s3."+a.Home+".amazonaws.com"), `,"acl":""}`...)
	d.extra = append(d.extra, `{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","bytesTransferredOut":549}`...)
	d.resource(a.ID, "AWS::S3::Bucket", "arn:aws:s3:::"+b)
}

func item(r *renderer, a *account, d *draft) {
	t := pick(r, a.tables)
	d.req = append(kv(d.req, "tableName", t), `,"key":{"id":{}},"consistentRead":false,"returnConsumedCapacity":"TOTAL"}`...)
	d.resource(a.ID, "AWS::DynamoDB::Table", "arn:aws:dynamodb:"+d.in.region+":"+a.ID+":table/"+t)
}

func decrypt(r *renderer, a *account, d *draft) {
	d.req = append(d.req, `{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"app":"`...)
	d.req = append(append(d.req, pick(r, systems)...), `"}}`...)
	d.resource(a.ID, "AWS::KMS::Key", keptTo(d, a.keysOf(d)))
}

func dataKey(r *renderer, a *account, d *draft) {
	k := keptTo(d, a.keysOf(d))
	d.req = append(kv(d.req, "keyId", k), `,"keySpec":"AES_256","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::`...)
	d.req = append(append(d.req, pick(r, a.buckets)...), `"}}`...)
	d.resource(a.ID, "AWS::KMS::Key", k)
}

func describeKey(r *renderer, a *account, d *draft) {
	k := pick(r, a.keysOf(d))
	d.req = append(kv(d.req, "keyId", k), '}')
	d.resource(a.ID, "AWS::KMS::Key", k)
}

func describeSecret(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "secretId", a.secretName(r, d.in.region)), '}')
}

func invoke(r *renderer, a *account, d *draft) {
	arn := "arn:aws:lambda:" + d.in.region + ":" + a.ID + ":function:" + pick(r, a.functions)
	d.req = append(kv(d.req, "functionName", arn), `,"invocationType":"Event"}`...)
	d.resource(a.ID, "AWS::Lambda::Function", arn)
}

func function(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "functionName", pick(r, a.functions)), '}')
}

func queue(r *renderer, a *account, d *draft) {
	q := pick(r, a.queues)
	d.req = append(kv(d.req, "queueUrl", "https://sqs."+d.in.region+".amazonaws.com/"+a.ID+"/"+q), '}')
	d.resource(a.ID, "AWS::SQS::Queue", "arn:aws:sqs:"+d.in.region+":"+a.ID+":"+q)
}

func topic(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "topicArn", "arn:aws:sns:"+d.in.region+":"+a.ID+":"+pick(r, a.queues)), '}')
	d.resp = append(append(append(d.resp, `{"messageId":"`...), r.uuid()...), `"}`...)
}

func logStream(r *renderer, a *account, d *draft) {
	d.req = kv(d.req, "logGroupName", "/aws/lambda/"+pick(r, a.functions))
	d.req = append(append(d.req, `,"logStreamName":"2026/03/02/[$LATEST]`...), r.hex(32)...)
	d.req = append(d.req, `"}`...)
}

func parameter(r *renderer, a *account, d *draft) {
	n := "/" + a.Name + "/" + keptTo(d, systems) + "/endpoint"
	if d.name == "GetParameters" {
		d.req = append(append(append(d.req, `{"names":["`...), n...), `"],"withDecryption":true}`...)
	} else {
		d.req = append(kv(d.req, "name", n), `,"withDecryption":true}`...)
	}
	d.resource(a.ID, "AWS::SSM::Parameter", "arn:aws:ssm:"+d.in.region+":"+a.ID+":parameter"+n)
}

func describe(r *renderer, a *account, d *draft) {
	d.req = append(d.req, `{"maxResults":100,"filterSet":{"items":[{"name":"tag:system","valueSet":{"items":[{"value":"`...)
	d.req = append(append(d.req, pick(r, systems)...), `"}]}}]}}`...)
}

func repository(r *renderer, a *account, d *draft) {
	name := pick(r, systems)
	d.req = append(kv(kv(d.req, "repositoryName", name), "registryId", a.ID), '}')
	d.resource(a.ID, "AWS::ECR::Repository", "arn:aws:ecr:"+d.in.region+":"+a.ID+":repository/"+name)
}

func cluster(r *renderer, a *account, d *draft) {
	d.req = append(kv(kv(d.req, "cluster", a.Name), "name", pick(r, systems)), '}')
}

func role(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "roleName", pick(r, systems)+"-task"), '}')
}

func lookup(r *renderer, a *account, d *draft) {
	d.req = append(d.req, `{"lookupAttributes":[{"attributeKey":"EventName","attributeValue":"UpdateService"}],"maxResults":50}`...)
}

func callerIdentity(r *renderer, a *account, d *draft) {
	d.resp = append(kv(kv(d.resp, "account", a.ID), "arn", d.who.sessionARN()), '}')
}

func instanceInformation(r *renderer, a *account, d *draft) {
	d.req = append(kv(kv(kv(d.req, "agentStatus", "Active"), "agentVersion", "3.3.3050.0"), "platformType", "Linux"), '}')
}

func database(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "dBInstanceIdentifier", pick(r, systems)), '}')
}

func volume(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "volumeId", "vol-"+r.hex(17)), '}')
	d.resp = append(kv(kv(d.resp, "snapshotId", "snap-"+r.hex(17)), "status", "pending"), '}')
}

func runInstances(r *renderer, a *account, d *draft) {
	d.req = append(d.req, `{"instanceType":"m7g.large","instancesSet":{"items":[{"instanceId":"i-`...)
	d.req = append(append(d.req, r.hex(17)...), `","minCount":1,"maxCount":1}]},"blockDeviceMapping":{},"monitoring":{"enabled":true},"disableApiTermination":false}`...)
}

func signIn(r *renderer, a *account, d *draft) {
	d.eventType, d.apiVersion, d.console = "AwsConsoleSignIn", "", false
	d.resp = append(d.resp, `{"ConsoleLogin":"Success"}`...)
	d.extra = append(d.extra, `{"LoginTo":"https://`+a.Home+`.console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"No"}`...)
}

// assumeRole is a service taking up a role, or a pipeline going from one
// account to another: that one is recorded in both.
func assumeRole(r *renderer, a *account, d *draft) {
	to, name := a, pick(r, systems)+"-task"
	switch {
	case d.mark&isForeign != 0:
		to, name = d.in.account, "ci-deploy"
	case d.other != nil:
		to, name = d.other, "ci-deploy"
	}
	arn := "arn:aws:iam::" + to.ID + ":role/" + name
	session := r.hex(32)
	d.req = append(kv(kv(d.req, "roleArn", arn), "roleSessionName", session), `,"durationSeconds":3600}`...)
	d.resp = append(d.resp, `{"credentials":{"accessKeyId":"ASIA`...)
	d.resp = append(append(d.resp, "SIMULATED0000001"...), `","sessionToken":"AgoJc2ltdWxhdGVk`...)
	d.resp = append(append(d.resp, r.hex(64)...), `","expiration":"Mar 2, 2026, 11:59:59 PM"},"assumedRoleUser":{"assumedRoleId":"AROASIMULATED00000001:`...)
	d.resp = append(append(d.resp, session...), `","arn":"arn:aws:sts::`...)
	d.resp = append(append(append(append(append(append(d.resp, to.ID...), `:assumed-role/`...), name...), '/'), session...), `"}}`...)
	d.resource(to.ID, "AWS::IAM::Role", arn)
}

func openHTTPS(r *renderer, a *account, d *draft) {
	d.req = append(d.req, `{"groupId":"sg-`...)
	d.req = append(append(d.req, r.hex(17)...), `","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}`...)
}

func bucketPolicy(r *renderer, a *account, d *draft) {
	b := pick(r, a.buckets)
	d.req = append(kv(d.req, "bucketName", b), `,"bucketPolicy":{"Version":"2012-10-17","Statement":[{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`...)
	d.req = append(append(d.req, b...), `/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}}`...)
	d.resource(a.ID, "AWS::S3::Bucket", "arn:aws:s3:::"+b)
}

const lambdaTrust = `"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"`

func createRole(r *renderer, a *account, d *draft) {
	d.req = append(kv(d.req, "roleName", pick(r, systems)+"-worker-role"), `,"assumeRolePolicyDocument":`+lambdaTrust+`}`...)
}

func attachRolePolicy(r *renderer, a *account, d *draft) {
	d.req = append(kv(kv(d.req, "roleName", pick(r, systems)+"-worker-role"), "policyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"), '}')
}

// keptTo is the one of a list that a caller keeps to.
func keptTo[T any](d *draft, from []T) T { return from[d.who.hash%uint64(len(from))] }

func pick[T any](r *renderer, from []T) T { return from[r.rng.IntN(len(from))] }

func (r *renderer) hex(n int) string { return hexes(r.rng, n) }

func (r *renderer) uuid() string { return uuid(r.rng) }

// keysOf are the account's keys in the region of a call.
func (a *account) keysOf(d *draft) []string {
	if keys := a.keysIn[d.in.region]; len(keys) > 0 {
		return keys
	}
	return a.keys
}

// secretName is the name of one of the account's secrets in a region that do
// not come and go.
func (a *account) secretName(r *renderer, region string) string {
	if len(a.names[region]) == 0 {
		return a.Name + "/none"
	}
	return pick(r, a.names[region])
}
