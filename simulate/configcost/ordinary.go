package configcost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// writeLogs writes the week, day by day.
func (w *world) writeLogs(ctx context.Context, root string) error {
	w.delivery = &delivery{w: w, root: root, rng: w.chance("records"), pending: map[stream][]delivered{}}
	w.telling = true
	if err := w.interfaces(w.start.Add(-day)); err != nil { // whose end is in the week
		return err
	}
	for at := w.start; at.Before(w.end); at = at.Add(day) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.telling = true
		for _, part := range []func(time.Time) error{w.interfaces, w.governing, w.walling} {
			if err := part(at); err != nil {
				return err
			}
		}
		w.telling = false
		wanted := w.Records * (int(at.Sub(w.start)/day) + 1) / loggedDays
		if err := w.working(at, wanted); err != nil {
			return err
		}
		if err := w.delivery.flush(at.Add(day)); err != nil {
			return err
		}
	}
	return w.delivery.flush(w.end.Add(day))
}

// asked is a call that people or programs make every day.
type asked struct {
	source, name, request, response string
	readOnly                        bool
}

// looks are what people look at, changes what they change.
var (
	looks = []asked{
		{"ecs", "DescribeServices", `{"cluster":"%c","services":["%s"],"include":["TAGS"]}`, "", true},
		{"ecs", "ListTasks", `{"cluster":"%c","serviceName":"%s"}`, "", true},
		{"ec2", "DescribeNetworkInterfaces", `{"networkInterfaceIdSet":{},"filterSet":{}}`, "", true},
		{"ec2", "DescribeInstances", `{"instancesSet":{},"filterSet":{}}`, "", true},
		{"ec2", "DescribeSubnets", `{"subnetSet":{},"filterSet":{}}`, "", true},
		{"cloudformation", "DescribeStacks", `{"stackName":"%s"}`, "", true},
		{"logs", "DescribeLogGroups", `{"logGroupNamePrefix":"/ecs/%s"}`, "", true},
		{"monitoring", "DescribeAlarms", `{"alarmTypes":["MetricAlarm"]}`, "", true},
		{"lambda", "ListFunctions20150331", "", "", true},
		{"rds", "DescribeDBInstances", `{"maxRecords":100}`, "", true},
		{"config", "DescribeConfigurationRecorders", "", "", true},
	}
	changes = []asked{
		{"ecs", "UpdateService", `{"cluster":"%c","service":"%s","forceNewDeployment":true}`, `{"service":{"serviceName":"%s","status":"ACTIVE","launchType":"FARGATE"}}`, false},
		{"ecs", "RegisterTaskDefinition", `{"family":"%s","networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],"cpu":"512","memory":"1024"}`, `{"taskDefinition":{"family":"%s","status":"ACTIVE"}}`, false},
		{"logs", "PutRetentionPolicy", `{"logGroupName":"/ecs/%s","retentionInDays":90}`, "", false},
		{"cloudformation", "UpdateStack", `{"stackName":"%s","capabilities":["CAPABILITY_IAM"]}`, `{"stackId":"arn:aws:cloudformation:%r:%a:stack/%s"}`, false},
		{"ec2", "CreateTags", `{"resourcesSet":{"items":[{"resourceId":"%g"}]},"tagSet":{"items":[{"key":"team","value":"%s"}]}}`, `{"_return":true}`, false},
		{"s3", "PutBucketTagging", `{"bucketName":"%s-data","Host":"%s-data.s3.%r.amazonaws.com","tagging":""}`, "", false},
	}
	programs = []asked{
		{"sts", "AssumeRole", `{"roleArn":"arn:aws:iam::%a:role/%s-task","roleSessionName":"task"}`, `{"credentials":{"sessionToken":"","expiration":""},"assumedRoleUser":{"arn":"arn:aws:sts::%a:assumed-role/%s-task/task"}}`, true},
		{"kms", "Decrypt", `{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"service":"%s"}}`, "", true},
		{"ecr", "BatchGetImage", `{"registryId":"%a","repositoryName":"%s","imageIds":[{"imageTag":"latest"}]}`, "", true},
		{"ec2", "DescribeNetworkInterfaces", `{"networkInterfaceIdSet":{},"filterSet":{}}`, "", true},
		{"elasticloadbalancing", "DescribeTargetHealth", `{"targetGroupArn":"arn:aws:elasticloadbalancing:%r:%a:targetgroup/%s/1234567890abcdef"}`, "", true},
		{"logs", "CreateLogStream", `{"logGroupName":"/aws/lambda/%s","logStreamName":"%x"}`, "", false},
		{"autoscaling", "DescribeAutoScalingGroups", `{"maxRecords":100}`, "", true},
	}
)

// fill puts names into what is asked.
func (w *world) fill(rng *rand.Rand, text string, a *account, name string) string {
	out := make([]byte, 0, len(text)+40)
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		i++
		switch text[i] {
		case 'c':
			out = append(out, w.cluster...)
		case 's':
			out = append(out, name...)
		case 'a':
			out = append(out, a.id...)
		case 'r':
			out = append(out, home...)
		case 'g':
			out = append(out, w.groups[rng.IntN(len(w.groups))]...)
		case 'x':
			out = append(out, logs.Drawn(rng, 32, logs.Hexes)...)
		}
	}
	return string(out)
}

// do writes an everyday call.
func (w *world) do(rng *rand.Rand, who caller, a *account, x asked, at time.Time) error {
	name := one(rng, w.others)
	return w.put(call{source: x.source, name: x.name, account: a, at: at, requestedBy: who, readOnly: x.readOnly,
		request: w.fill(rng, x.request, a, name), response: w.fill(rng, x.response, a, name)})
}

// working is a day's ordinary work: of people, of pipelines, of AWS Config itself, and
// of programs as much as is missing.
func (w *world) working(at time.Time, wanted int) error {
	rng := w.chance("work", at.Unix())
	weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
	for _, p := range w.people {
		n := int(40 * w.scale * (0.5 + rng.Float64()))
		if weekend {
			n /= 10
		}
		for range n {
			a := one(rng, p.accounts)
			when := at.Add(time.Duration(rng.Float64() * float64(10*time.Hour))) // 9 to 19 in Japan
			who := w.by(p, a, when)
			x := one(rng, looks)
			if rng.IntN(8) == 0 && w.worked(a) {
				x = one(rng, changes)
			}
			if rng.IntN(3) == 0 {
				who.agent = agentCLI
			}
			if err := w.do(rng, who, a, x, when); err != nil {
				return err
			}
		}
	}
	if err := w.recording(rng, at); err != nil {
		return err
	}
	for w.ordinary < wanted {
		a := one(rng, []*account{w.churn, w.churn, w.churn, w.network, w.legacy, w.legacy})
		when := at.Add(time.Duration(rng.Float64() * float64(day)))
		name := one(rng, w.functions)
		who := caller{w.assumed(a, "/", name+"-task", fmt.Sprintf("%s-%d", name, rng.IntN(4)), when), fmt.Sprintf("10.%d.0.%d", 32+rng.IntN(24), 5+rng.IntN(200)), agentSDK}
		if err := w.do(rng, who, a, one(rng, programs), when); err != nil {
			return err
		}
	}
	return nil
}

// worked tells whether people change things in an account: in those of the landing
// zone they only look, so that there is nothing to count.
func (w *world) worked(a *account) bool {
	return a == w.churn || a == w.network || a == w.legacy
}

// recording is what AWS Config itself calls to see how things are: most of its calls
// are to describe what changed.
func (w *world) recording(rng *rand.Rand, at time.Time) error {
	for _, a := range w.accounts {
		for range int(60*w.scale*min(a.size, 4)) + 2 {
			when := at.Add(time.Duration(rng.Float64() * float64(day)))
			x := one(rng, []asked{
				{"ec2", "DescribeNetworkInterfaces", `{"networkInterfaceIdSet":{},"filterSet":{}}`, "", true},
				{"ec2", "DescribeSecurityGroups", `{"securityGroupSet":{},"securityGroupIdSet":{},"filterSet":{}}`, "", true},
				{"s3", "GetBucketAcl", `{"bucketName":"%s-data","acl":""}`, "", true},
				{"iam", "GetRole", `{"roleName":"%s-task"}`, "", true},
			})
			if err := w.do(rng, w.linked(a, "config", "AWSServiceRoleForConfig", "AWSConfig-Describe", when), a, x, when); err != nil {
				return err
			}
		}
	}
	return nil
}
