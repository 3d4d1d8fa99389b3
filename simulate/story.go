package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// scene is a call that the story puts among the others.
type scene struct {
	at   time.Time
	play func(w *world)
}

// call is what a scene says of itself.
type call struct {
	account  *account
	who      *principal
	source   string
	name     string
	region   string
	readOnly bool
	req      string // JSON
	resp     string
	deny     bool
	bad      bool
	what     string
	edit     func(d *draft)
}

// middle is midnight of the day in which things happen.
func (w *world) middle() time.Time { return w.o.Start.AddDate(0, 0, w.o.Days/2) }

// writeScript prepares the story: a pipeline's key leaks, and what follows is
// mixed with harmless work that looks the same.
func (w *world) writeScript() {
	build, shop, pay := w.named("build"), w.named("prod-shop"), w.named("prod-pay")
	quiet := w.named("shared-network")
	day := w.middle()
	w.sum.Silent = Silence{Account: quiet.id, From: day.Add(2 * time.Hour), To: day.Add(3 * time.Hour)}
	w.attack(day.Add(15*time.Hour+7*time.Minute), build, shop, pay)
	w.harmless(day, build, shop, pay)
	slices.SortStableFunc(w.script, func(a, b scene) int { return a.at.Compare(b.at) })
}

func (w *world) scene(at time.Time, c call) {
	w.script = append(w.script, scene{at, func(w *world) { w.perform(at, c) }})
}

// perform writes one scene's record, its twin if it reads a secret, and the
// truth about it.
func (w *world) perform(at time.Time, c call) {
	op := operation{source: c.source, name: c.name, readOnly: c.readOnly}
	d := w.begin(c.account, c.who, &op, at.Unix())
	if c.region != "" {
		d.region = c.region
	}
	d.req = append(d.req, c.req...)
	d.resp = append(d.resp, c.resp...)
	if c.deny {
		d.errCode, d.errMsg = "AccessDenied", "User: "+c.who.arn+" is not authorized to perform: "+c.source+":"+c.name+" because no identity-based policy allows the action"
		if c.source == "ec2" {
			d.errCode = "Client.UnauthorizedOperation"
		}
		d.resp = d.resp[:0]
	}
	if c.edit != nil {
		c.edit(d)
	}
	w.sum.Story = append(w.sum.Story, Scene{at, c.account.id, string(d.eventID), c.name, c.who.arn, c.bad, c.what})
	c.account.stream(d.region).add(d)
	if d.secret != nil && d.errCode == "" {
		w.twin(c.account, d)
	}
}

const strangerIP = "198.51.100.77"

// attack: a key found in public is tried, looks around, makes itself a way
// back, takes secrets and a disk, and stops the trail.
func (w *world) attack(t time.Time, build, shop, pay *account) {
	agent := "aws-cli/2.28.1 md/awscrt#0.26.1 ua/2.1 os/linux#6.12.38 md/arch#x86_64 lang/python#3.13.5"
	leaked := *w.user(shop, "ci-publisher")
	leaked.ip, leaked.agent = strangerIP, agent
	// The pipeline goes on using the same key from its usual address.
	shop.byClass[static][len(shop.byClass[static])-1].ip = "192.0.2.51"
	shop.byClass[static][len(shop.byClass[static])-1].agent = agentCI
	scanner := leaked
	scanner.agent = "TruffleHog"
	bad := func(after time.Duration, c call) {
		c.bad = true
		if c.account == nil {
			c.account = shop
		}
		if c.who == nil {
			c.who = &leaked
		}
		w.scene(t.Add(after), c)
	}
	bad(0, call{who: &scanner, source: "sts", name: "GetCallerIdentity", region: global, readOnly: true, what: "the leaked key of a pipeline is tried from an unknown address"})
	probes := []string{"iam:ListUsers", "iam:ListRoles", "iam:GetAccountAuthorizationDetails", "s3:ListBuckets", "secretsmanager:ListSecrets", "ec2:DescribeInstances", "rds:DescribeDBInstances", "organizations:DescribeOrganization", "ssm:DescribeParameters", "lambda:ListFunctions20150331", "kms:ListKeys", "dynamodb:ListTables", "ecr:DescribeRepositories", "logs:DescribeLogGroups", "cloudtrail:DescribeTrails", "guardduty:ListDetectors", "ses:GetAccount", "bedrock:ListFoundationModels"}
	for i, p := range probes {
		source, name, _ := strings.Cut(p, ":")
		region := home
		if source == "iam" || source == "organizations" {
			region = global
		}
		bad(2*time.Minute+time.Duration(i*17)*time.Second, call{source: source, name: name, region: region, readOnly: true, deny: i%4 != 3, what: "looks around, mostly refused"})
	}
	w.foothold(bad, shop)
	w.theft(t, agent, shop)
	// Half an hour later the same address tries its luck in another account.
	for i := range 6 {
		bad(55*time.Minute+time.Duration(i*20)*time.Second, call{account: build, who: &leaked, source: "sts", name: "AssumeRole", region: global, readOnly: true, deny: true,
			req: fmt.Sprintf(`{"roleArn":"arn:aws:iam::%s:role/ci-deploy","roleSessionName":"test%d"}`, pay.id, i), what: "tries to move on to another account"})
	}
}

func (w *world) foothold(bad func(time.Duration, call), shop *account) {
	bad(11*time.Minute, call{source: "iam", name: "CreateAccessKey", region: global, req: `{"userName":"report-export"}`,
		resp: `{"accessKey":{"userName":"report-export","status":"Active","accessKeyId":"AKIASIMULATED0000099","createDate":"Mar 3, 2026, 3:18:00 PM"}}`, what: "makes a key for another user as a way back"})
	bad(13*time.Minute, call{source: "iam", name: "AttachUserPolicy", region: global, req: `{"userName":"report-export","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, what: "gives that user full rights"})
}

func (w *world) theft(t time.Time, agent string, shop *account) {
	thief := *shop.byClass[static][0] // report-export, with the new key
	thief.ip, thief.agent = strangerIP, agent
	thief.before = strings.Replace(thief.before, `"accessKeyId":"AKIA`, `"accessKeyId":"AKIASIMULATED0000099","x":"`, 1)
	thief.before = cutField(thief.before)
	add := func(after time.Duration, c call) {
		c.account, c.who, c.bad = shop, &thief, true
		w.scene(t.Add(after), c)
	}
	for i := range shop.secrets[:6] {
		s := &shop.secrets[i]
		add(20*time.Minute+time.Duration(i*9)*time.Second, call{source: "secretsmanager", name: "GetSecretValue", readOnly: true, req: `{"secretId":"` + s.name + `"}`,
			what: "reads one secret after the other", edit: func(d *draft) { d.secret = s }})
	}
	add(24*time.Minute, call{source: "cloudtrail", name: "StopLogging", req: `{"name":"arn:aws:cloudtrail:` + home + `:` + shop.id + `:trail/local"}`, what: "stops the account's own trail"})
	snap := "snap-" + w.hex(17)
	add(31*time.Minute, call{source: "ec2", name: "CreateSnapshot", req: `{"volumeId":"vol-` + w.hex(17) + `"}`, resp: `{"snapshotId":"` + snap + `","status":"pending"}`, what: "copies a disk"})
	add(38*time.Minute, call{source: "ec2", name: "ModifySnapshotAttribute", req: `{"snapshotId":"` + snap + `","createVolumePermission":{"add":{"items":[{"userId":"999988887777"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}`, what: "shares the copy with an account outside"})
}

// cutField removes the helper field "x" with its value.
func cutField(s string) string {
	head, tail, ok := strings.Cut(s, `,"x":"`)
	if !ok {
		return s
	}
	_, tail, _ = strings.Cut(tail, `"`)
	return head + tail
}

// harmless is work that looks like trouble and is not.
func (w *world) harmless(day time.Time, build, shop, pay *account) {
	ok := func(at time.Duration, c call) { w.scene(day.Add(at), c) }
	cfn := *pay.byClass[ci][0]
	cfn.ip, cfn.agent = "cloudformation.amazonaws.com", "cloudformation.amazonaws.com"
	ok(3*time.Hour, call{account: pay, who: &cfn, source: "kms", name: "ScheduleKeyDeletion", req: `{"keyId":"` + pay.keys[3] + `","pendingWindowInDays":30}`, what: "planned: the pipeline retires a key",
		edit: func(d *draft) {
			d.invokedBy = "cloudformation.amazonaws.com"
			d.resource(pay.id, "AWS::KMS::Key", pay.keys[3])
		}})
	root := &principal{class: person, arn: "arn:aws:iam::" + build.id + ":root", ip: "192.0.2.20", agent: agentBrowser,
		before: fmt.Sprintf(`{"type":"Root","principalId":"%s","arn":"arn:aws:iam::%s:root","accountId":"%s"`, build.id, build.id, build.id)}
	ok(5*time.Hour, call{account: build, who: root, source: "signin", name: "ConsoleLogin", region: global, resp: `{"ConsoleLogin":"Success"}`, what: "planned: the yearly test of the break-glass root user, with its second factor", edit: func(d *draft) {
		d.eventType = "AwsConsoleSignIn"
		d.extra = append(d.extra, `{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"}`...)
	}})
	backup := *pay.byClass[ec2][0]
	backup.ip, backup.agent, backup.vpce = "backup.amazonaws.com", "backup.amazonaws.com", ""
	ok(18*time.Hour, call{account: pay, who: &backup, source: "ec2", name: "ModifySnapshotAttribute", req: `{"snapshotId":"snap-` + w.hex(17) + `","createVolumePermission":{"add":{"items":[{"userId":"` + w.named("backup").id + `"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}`,
		what: "the back-up service shares a snapshot with the back-up account", edit: func(d *draft) { d.invokedBy = "backup.amazonaws.com" }})
	ok(4*time.Hour, call{account: build, who: build.byClass[ci][0], source: "ec2", name: "ModifyImageAttribute", req: `{"imageId":"ami-` + w.hex(17) + `","attributeType":"launchPermission","launchPermission":{"add":{"items":[{"userId":"` + shop.id + `"}]}}}`, what: "the image pipeline hands a new image to production"})
	admin := shop.byClass[console][2%len(shop.byClass[console])]
	ok(6*time.Hour, call{account: shop, who: admin, source: "iam", name: "UpdateLoginProfile", region: global, req: `{"userName":"audit-visitor","passwordResetRequired":true}`, what: "the help desk resets a forgotten password"})
	for i, result := range []string{"Failure", "Success"} {
		ok(time.Hour+time.Duration(i)*time.Minute, call{account: pay, who: pay.byClass[console][0], source: "signin", name: "ConsoleLogin", region: global, resp: `{"ConsoleLogin":"` + result + `"}`, what: "a colleague mistypes a password, then signs in", edit: func(d *draft) {
			d.eventType, d.console = "AwsConsoleSignIn", false
			d.extra = append(d.extra, `{"LoginTo":"https://`+home+`.console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"No"}`...)
			if result == "Failure" {
				d.errMsg = "Failed authentication"
			}
		}})
	}
	ok(7*time.Hour, call{account: shop, who: admin, source: "ec2", name: "AuthorizeSecurityGroupIngress", req: `{"groupId":"sg-` + w.hex(17) + `","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"192.0.2.0/24"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}`, what: "SSH is opened to the office, not to the world"})
	// A deployment with a missing permission fails the same call again and again.
	broken := pay.byClass[ecs][0]
	for i := range 40 {
		ok(8*time.Hour+time.Duration(i*11)*time.Second, call{account: pay, who: broken, source: "s3", name: "GetBucketLocation", readOnly: true, deny: true, req: `{"bucketName":"` + pay.buckets[0] + `"}`, what: "a broken deployment fails the same call"})
	}
}

// insight writes the pair of Insight events that the probing caused.
func (d *delivery) insight() error {
	w := d.w
	shop := w.named("prod-shop")
	at := w.middle().Add(15*time.Hour + 20*time.Minute)
	shared := w.uuid()
	d.content.Reset()
	d.content.WriteString(`{"Records":[`)
	for i, state := range []string{"Start", "End"} {
		if i > 0 {
			d.content.WriteByte(',')
		}
		when := at.Add(time.Duration(i*6) * time.Minute)
		fmt.Fprintf(d.content, `{"eventVersion":"1.11","eventTime":"%s","awsRegion":"%s","eventID":"%s","eventType":"AwsCloudTrailInsight","recipientAccountId":"%s","sharedEventID":"%s","insightDetails":{"state":"%s","eventSource":"iam.amazonaws.com","eventName":"ListUsers","insightType":"ApiErrorRateInsight","errorCode":"AccessDenied","insightContext":{"statistics":{"baseline":{"average":0.0021},"insight":{"average":2.8}%s},"attributions":[{"attribute":"userIdentityArn","insight":[{"value":"arn:aws:iam::%s:user/ci-publisher","average":2.8}],"baseline":[]}]}},"eventCategory":"Insight"}`,
			when.Format(time.RFC3339), home, w.uuid(), shop.id, shared, state, []string{"", `,"insightDuration":6,"baselineDuration":11460`}[i], shop.id)
	}
	d.content.WriteString(`]}`)
	w.sum.Records += 2
	return d.write(d.key(shop, "CloudTrail-Insight", home, at, "_"+at.Format("20060102T1504Z")+"_"+w.mixed(16)+".json.gz"), false)
}

// foreign puts a file into the bucket that is no CloudTrail: flow logs, which
// often share one.
func (d *delivery) foreign() error {
	w := d.w
	a := w.accounts[0]
	at := w.middle().Add(9 * time.Hour)
	d.content.Reset()
	d.content.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	for i := range 12 {
		fmt.Fprintf(d.content, "2 %s eni-%s 10.0.4.%d 10.0.8.11 %d 443 6 12 4210 %d %d ACCEPT OK\n", a.id, w.hex(17), 20+i, 40000+i*37, at.Unix()+int64(i*60), at.Unix()+int64(i*60+59))
	}
	path := d.key(a, "vpcflowlogs", home, at, "_fl-"+w.hex(17)+"_"+at.Format("20060102T1504Z")+"_"+w.hex(8)+".log.gz")
	w.sum.ForeignFile = path
	return d.write(path, false)
}
