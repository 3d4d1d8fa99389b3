package cloudtrail

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
)

func TestResources(t *testing.T) {
	f := func(source, name, request, response string, want ...string) {
		t.Helper()
		body := fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AWSService","invokedBy":"test.amazonaws.com"},"eventTime":"2026-03-01T00:00:00Z","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"eu-west-1","requestParameters":%s,"responseElements":%s,"recipientAccountId":"111122223333"}`,
			source, name, request, response)
		events, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		if got := events[0].ResourceUIDs; !slices.Equal(got, want) {
			t.Errorf("%s %s %s: %q, want %q", source, name, request, got, want)
		}
	}
	const here, iam = ":eu-west-1:111122223333:", "arn:aws:iam::111122223333:"
	f("secretsmanager", "GetSecretValue", `{"secretId":"prod/db"}`, "null", "arn:aws:secretsmanager"+here+"secret:prod/db")
	f("secretsmanager", "GetSecretValue", `{"secretId":"arn:aws:secretsmanager:us-east-1:444455556666:secret:a-Xy12Zz"}`, "null", "arn:aws:secretsmanager:us-east-1:444455556666:secret:a-Xy12Zz")
	f("secretsmanager", "BatchGetSecretValue", `{"secretIdList":["a","b"]}`, "null", "arn:aws:secretsmanager"+here+"secret:a", "arn:aws:secretsmanager"+here+"secret:b")
	f("secretsmanager", "CreateSecret", `{"name":"a"}`, `{"arn":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-Xy12Zz"}`, "arn:aws:secretsmanager"+here+"secret:a-Xy12Zz")
	f("secretsmanager", "CreateSecret", `{"name":"a"}`, "null", "arn:aws:secretsmanager"+here+"secret:a")
	f("kms", "DescribeKey", `{"keyId":"alias/app"}`, "null", "arn:aws:kms"+here+"alias/app")
	f("kms", "DescribeKey", `{"keyId":"mrk-1"}`, "null", "arn:aws:kms"+here+"key/mrk-1")
	f("kms", "CreateAlias", `{"aliasName":"alias/app","targetKeyId":"k1"}`, "null", "arn:aws:kms"+here+"key/k1", "arn:aws:kms"+here+"alias/app")
	f("ssm", "GetParameter", `{"name":"/a/b"}`, "null", "arn:aws:ssm"+here+"parameter/a/b")
	f("ssm", "GetParametersByPath", `{"path":"/a","recursive":true}`, "null", "arn:aws:ssm"+here+"parameter/a")
	f("ssm", "CreateDocument", `{"name":"run"}`, "null", "arn:aws:ssm"+here+"document/run")
	f("ssm", "StartSession", `{"target":"i-1"}`, "null", "arn:aws:ec2"+here+"instance/i-1")
	f("ssm", "SendCommand", `{"instanceIds":["i-1","i-2"],"documentName":"AWS-RunShellScript"}`, "null",
		"arn:aws:ec2"+here+"instance/i-1", "arn:aws:ec2"+here+"instance/i-2", "arn:aws:ssm"+here+"document/AWS-RunShellScript")
	f("s3", "PutBucketPolicy", `{"bucketName":"b","policy":""}`, "null", "arn:aws:s3:::b")
	f("s3", "GetObject", `{"bucketName":"b","key":"x/y"}`, "null", "arn:aws:s3:::b/x/y", "arn:aws:s3:::b")
	f("s3", "ListBuckets", `{"Host":"s3.eu-west-1.amazonaws.com"}`, "null")
	f("iam", "PutRolePolicy", `{"roleName":"r","policyName":"inline"}`, "null", iam+"role/r")
	f("iam", "CreatePolicy", `{"policyName":"p"}`, "null", iam+"policy/p")
	f("iam", "CreatePolicy", `{"policyName":"p"}`, `{"policy":{"arn":"arn:aws:iam::111122223333:policy/x/p"}}`, iam+"policy/x/p")
	f("iam", "AttachRolePolicy", `{"roleName":"r","policyArn":"arn:aws:iam::aws:policy/ReadOnlyAccess"}`, "null", iam+"role/r", "arn:aws:iam::aws:policy/ReadOnlyAccess")
	f("iam", "AddUserToGroup", `{"userName":"u","groupName":"g"}`, "null", iam+"user/u", iam+"group/g")
	f("lambda", "Invoke", `{"functionName":"fn:PROD"}`, "null", "arn:aws:lambda"+here+"function:fn:PROD")
	f("lambda", "AddPermission20150331v2", `{"functionName":"arn:aws:lambda:us-east-1:444455556666:function:fn"}`, "null", "arn:aws:lambda:us-east-1:444455556666:function:fn")
	f("cloudtrail", "StopLogging", `{"name":"main"}`, "null", "arn:aws:cloudtrail"+here+"trail/main")
	f("cloudtrail", "PutEventSelectors", `{"trailName":"main"}`, "null", "arn:aws:cloudtrail"+here+"trail/main")
	f("ec2", "TerminateInstances", `{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}`, "null", "arn:aws:ec2"+here+"instance/i-1", "arn:aws:ec2"+here+"instance/i-2")
	f("ec2", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-1","ipPermissions":{}}`, "null", "arn:aws:ec2"+here+"security-group/sg-1")
	f("ec2", "CreateSnapshot", `{"volumeId":"vol-1"}`, `{"snapshotId":"snap-1","volumeId":"vol-1"}`, "arn:aws:ec2:eu-west-1::snapshot/snap-1", "arn:aws:ec2"+here+"volume/vol-1")
	f("ec2", "DeleteFlowLogs", `{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-1"}}}`, "null", "arn:aws:ec2"+here+"vpc-flow-log/fl-1")
	f("ec2", "DescribeInstances", `{"instancesSet":{},"filterSet":{}}`, "null")
	f("rds", "ModifyDBSnapshotAttribute", `{"dBSnapshotIdentifier":"s","valuesToAdd":["all"]}`, "null", "arn:aws:rds"+here+"snapshot:s")
	f("rds", "DeleteDBInstance", `{"dBInstanceIdentifier":"orders"}`, "null", "arn:aws:rds"+here+"db:orders")
	f("sns", "Subscribe", `{"topicArn":"arn:aws:sns:eu-west-1:111122223333:t"}`, "null", "arn:aws:sns"+here+"t")
	f("sqs", "SetQueueAttributes", `{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/444455556666/q"}`, "null", "arn:aws:sqs:eu-west-1:444455556666:q")
	f("sqs", "CreateQueue", `{"queueName":"q"}`, "null", "arn:aws:sqs"+here+"q")
	f("dynamodb", "DeleteTable", `{"tableName":"t"}`, "null", "arn:aws:dynamodb"+here+"table/t")
	f("ecr", "SetRepositoryPolicy", `{"repositoryName":"team/app"}`, "null", "arn:aws:ecr"+here+"repository/team/app")
	f("ecs", "RunTask", `{"cluster":"c","taskDefinition":"web:7"}`, "null", "arn:aws:ecs"+here+"cluster/c", "arn:aws:ecs"+here+"task-definition/web:7")
	f("eks", "UpdateClusterConfig", `{"name":"c"}`, "null", "arn:aws:eks"+here+"cluster/c")
	f("guardduty", "DeleteDetector", `{"detectorId":"12ab"}`, "null", "arn:aws:guardduty"+here+"detector/12ab")
	f("route53", "ChangeResourceRecordSets", `{"hostedZoneId":"Z1"}`, "null", "arn:aws:route53:::hostedzone/Z1")
	f("bedrock", "InvokeModel", `{"modelId":"example.model-v1"}`, "null", "arn:aws:bedrock:eu-west-1::foundation-model/example.model-v1")
	f("newservice", "Do", `{"widgetArn":"arn:aws:new:eu-west-1:111122223333:w/1","policyDocument":"arn:aws:x:y:z:w"}`, "null", "arn:aws:new"+here+"w/1")
	f("ec2", "StopInstances", `[{"instanceId":"i-1"}]`, "null", "arn:aws:ec2"+here+"instance/i-1")
	f("ec2", "StopInstances", `"i-1"`, "7")
}

func TestDeniedResource(t *testing.T) {
	f := func(message, want string) {
		t.Helper()
		if got := deniedResource(message); got != want {
			t.Errorf("deniedResource(%q) = %q, want %q", message, got, want)
		}
	}
	const who = "User: arn:aws:iam::111122223333:user/jo is not authorized to perform: "
	f(who+"sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/x")
	f(who+"sts:AssumeRole on resource: arn:aws:iam::111122223333:role/x because no policy allows it", "arn:aws:iam::111122223333:role/x")
	f(who+`s3:GetObject on resource: "arn:aws:s3:::b/a key" with an explicit deny`, "arn:aws:s3:::b/a key")
	f(who+"s3:ListAllMyBuckets on resource: *", "")
	f(who+"logs:DescribeLogGroups on resource: arn:aws:logs:eu-west-1:111122223333:log-group:* because", "")
	f(who+"secretsmanager:GetSecretValue on resource: prod/db because", "")
	f("Rate exceeded", "")
}

func TestTwin(t *testing.T) {
	f := func(identity, source, request string, twin bool, resource string) {
		t.Helper()
		body := fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":%s,"eventTime":"2026-03-01T00:00:00Z","eventSource":"%s.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-west-1","requestParameters":%s,"resources":[{"ARN":"arn:aws:kms:eu-west-1:111122223333:key/k","type":"AWS::KMS::Key"}],"recipientAccountId":"111122223333"}`,
			identity, source, request)
		events, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		if e := events[0]; e.Twin != twin || e.ResourceUID != resource {
			t.Errorf("%s %s: twin %v, %s", identity, request, e.Twin, e.ResourceUID)
		}
	}
	const key, caller = "arn:aws:kms:eu-west-1:111122223333:key/k", `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/jo","invokedBy":"x.amazonaws.com"}`
	in := func(context string) string { return `{"encryptionContext":` + context + `}` }
	f(caller, "kms", in(`{"SecretVersionId":"v","SecretARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-1"}`), true, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-1")
	f(caller, "kms", in(`{"PARAMETER_ARN":"arn:aws:ssm:eu-west-1:111122223333:parameter/p"}`), true, "arn:aws:ssm:eu-west-1:111122223333:parameter/p")
	f(caller, "kms", in(`{"aws:s3:arn":"arn:aws:s3:::b/k"}`), true, "arn:aws:s3:::b/k")
	f(caller, "kms", in(`{"aws:ebs:id":"vol-1"}`), true, "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1")
	f(caller, "kms", in(`{"aws:new:thing":"arn:aws:new:eu-west-1:111122223333:t/1"}`), true, "arn:aws:new:eu-west-1:111122223333:t/1")
	f(caller, "kms", in(`{"aws:new:thing":"plain"}`), true, key)
	f(caller, "kms", in(`{}`), false, key)
	f(caller, "kms", `{}`, false, key)
	f(caller, "s3", in(`{"aws:s3:arn":"arn:aws:s3:::b/k"}`), false, key)
	f(`{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/jo"}`, "kms", in(`{"SecretARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-1"}`), false, key)
	f(`{"type":"AWSService","invokedBy":"cloudtrail.amazonaws.com"}`, "kms", in(`{"aws:s3:arn":"arn:aws:s3:::b/k"}`), false, key)
}

func TestManyResources(t *testing.T) {
	ids := strings.Repeat(`"i-1",`, 10) + `"x0"`
	for i := range 2 * maxResources {
		ids += fmt.Sprintf(`,"i-%d"`, i)
	}
	body := `{"userIdentity":{},"eventTime":"2026-03-01T00:00:00Z","eventSource":"ssm.amazonaws.com","eventName":"SendCommand","requestParameters":{"instanceIds":[` + ids + `]}}`
	events, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(events[0].ResourceUIDs); got != maxResources {
		t.Errorf("%d resources, want %d", got, maxResources)
	}
}

// TestServices: what typeOfARN reads is what the table builds.
func TestServices(t *testing.T) {
	in := scope{"aws", "eu-west-1", "111122223333"}
	for source, rules := range services {
		for _, r := range rules {
			if r.arn.kind == onlyARN || r.arn.service == "" {
				continue
			}
			name := "x1"
			if r.typ == "AWS::S3::Object" {
				name = "b/k"
			}
			arn := r.arn.arn(in, name)
			if !isARN(arn) {
				t.Errorf("%s %s: %s is no ARN", source, r.param, arn)
			}
			if got := typeOfARN(arn); got != r.typ && r.arn.service+".amazonaws.com" == source {
				t.Errorf("%s %s: %s is of type %q, want %q", source, r.param, arn, got, r.typ)
			}
		}
	}
}
