package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scene is a call that the story puts among the others.
type scene struct {
	at   int64
	play func()
}

// act is what a scene says of itself.
type act struct {
	account  *account
	who      *session
	source   string
	name     string
	region   string
	readOnly bool
	req      string // JSON
	resp     string
	deny     bool
	bad      bool
	what     string
	secret   *secret
	more     more
}

// writeScript prepares the story: a pipeline's key leaks, and what follows is
// mixed with harmless work that looks the same.
func (e *engine) writeScript() {
	build, shop, pay := e.named("build"), e.named("prod-shop"), e.named("prod-pay")
	quiet := e.named("shared-network")
	day := e.middle()
	e.sum.Silent = Silence{Account: quiet.ID, From: day.Add(2 * time.Hour), To: day.Add(3 * time.Hour)}
	e.attack(day.Add(15*time.Hour+7*time.Minute), build, shop, pay)
	e.harmless(day, build, shop, pay)
	slices.SortStableFunc(e.told, func(a, b scene) int { return cmp.Compare(a.at, b.at) })
}

// named finds an account by name; the last one where there is none.
func (e *engine) named(name string) *account {
	if i := slices.IndexFunc(e.accounts, func(a *account) bool { return a.Name == name }); i >= 0 {
		return e.accounts[i]
	}
	return e.accounts[len(e.accounts)-1]
}

func (e *engine) scene(at time.Time, c act) {
	e.told = append(e.told, scene{at.Unix(), func() { e.play(at, c) }})
}

// play makes one scene's call and tells the truth about it.
func (e *engine) play(at time.Time, c act) {
	region := either(c.region, c.account.Home)
	m := c.more
	m.req, m.resp = either(c.req, m.req), either(c.resp, m.resp)
	k := call{at: at.Unix(), who: c.who, op: &operation{source: c.source, name: c.name, readOnly: c.readOnly}, in: c.account.stream(region), secret: c.secret, more: &m}
	if c.deny {
		m.errCode, m.errMsg = denial(c.source, c.name, c.who.sessionARN())
		if c.source != "ec2" {
			m.errCode = "AccessDenied"
		}
	}
	k.id = e.newID()
	e.sum.Story = append(e.sum.Story, Scene{at, c.account.ID, eventID(k.id), c.name, c.who.sessionARN(), c.bad, c.what})
	e.emit(k)
	if k.secret != nil {
		e.twinOf(k, nil)
	}
}

const strangerIP = "198.51.100.77"

// attack: a key found in public is tried, looks around, makes itself a way
// back, takes secrets and a disk, and stops the trail.
func (e *engine) attack(t time.Time, build, shop, pay *account) {
	agent := "aws-cli/2.28.1 md/awscrt#0.26.1 ua/2.1 os/linux#6.12.38 md/arch#x86_64 lang/python#3.13.5"
	key := newPrincipal(static, "arn:aws:iam::"+shop.ID+":user/ci-publisher", traits{})
	// The pipeline goes on using the same key from its usual address.
	shop.byClass[static] = append(shop.byClass[static], key.session("", "192.0.2.51", agentCI))
	leaked := *key.session("", strangerIP, agent)
	scanner := leaked
	scanner.agent = "TruffleHog"
	bad := func(after time.Duration, c act) {
		c.bad = true
		if c.account == nil {
			c.account = shop
		}
		if c.who == nil {
			c.who = &leaked
		}
		e.scene(t.Add(after), c)
	}
	bad(0, act{who: &scanner, source: "sts", name: "GetCallerIdentity", region: global, readOnly: true, what: "the leaked key of a pipeline is tried from an unknown address"})
	probes := []string{"iam:ListUsers", "iam:ListRoles", "iam:GetAccountAuthorizationDetails", "s3:ListBuckets", "secretsmanager:ListSecrets", "ec2:DescribeInstances", "rds:DescribeDBInstances", "organizations:DescribeOrganization", "ssm:DescribeParameters", "lambda:ListFunctions20150331", "kms:ListKeys", "dynamodb:ListTables", "ecr:DescribeRepositories", "logs:DescribeLogGroups", "cloudtrail:DescribeTrails", "guardduty:ListDetectors", "ses:GetAccount", "bedrock:ListFoundationModels"}
	for i, p := range probes {
		source, name, _ := strings.Cut(p, ":")
		region := home
		if source == "iam" || source == "organizations" {
			region = global
		}
		bad(2*time.Minute+time.Duration(i*17)*time.Second, act{source: source, name: name, region: region, readOnly: true, deny: i%4 != 3, what: "looks around, mostly refused"})
	}
	e.foothold(bad, shop)
	e.theft(t, agent, shop)
	// Half an hour later the same address tries its luck in another account.
	for i := range 6 {
		bad(55*time.Minute+time.Duration(i*20)*time.Second, act{account: build, who: &leaked, source: "sts", name: "AssumeRole", region: global, readOnly: true, deny: true,
			req: fmt.Sprintf(`{"roleArn":"arn:aws:iam::%s:role/ci-deploy","roleSessionName":"test%d"}`, pay.ID, i), what: "tries to move on to another account"})
	}
}

func (e *engine) foothold(bad func(time.Duration, act), shop *account) {
	bad(11*time.Minute, act{source: "iam", name: "CreateAccessKey", region: global, req: `{"userName":"report-export"}`,
		resp: `{"accessKey":{"userName":"report-export","status":"Active","accessKeyId":"AKIASIMULATED0000099","createDate":"Mar 3, 2026, 3:18:00 PM"}}`, what: "makes a key for another user as a way back"})
	bad(13*time.Minute, act{source: "iam", name: "AttachUserPolicy", region: global, req: `{"userName":"report-export","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, what: "gives that user full rights"})
}

func (e *engine) theft(t time.Time, agent string, shop *account) {
	// report-export, with the new key
	user := *shop.byClass[static][0].principal
	head, tail, _ := strings.Cut(user.head, `"accessKeyId":"`)
	_, tail, _ = strings.Cut(tail, `"`)
	user.head = head + `"accessKeyId":"AKIASIMULATED0000099"` + tail
	thief := user.session("", strangerIP, agent)
	add := func(after time.Duration, c act) {
		c.account, c.who, c.bad = shop, thief, true
		e.scene(t.Add(after), c)
	}
	taken := 0
	for _, s := range e.w.Secrets {
		if s.Account.ID != shop.ID || taken == 6 {
			continue
		}
		add(20*time.Minute+time.Duration(taken*9)*time.Second, act{source: "secretsmanager", name: "GetSecretValue", readOnly: true, req: `{"secretId":"` + s.Name + `"}`,
			what: "reads one secret after the other", secret: e.secrets[s]})
		taken++
	}
	add(24*time.Minute, act{source: "cloudtrail", name: "StopLogging", req: `{"name":"arn:aws:cloudtrail:` + home + `:` + shop.ID + `:trail/local"}`, what: "stops the account's own trail"})
	snap := "snap-" + hexes(e.rng, 17)
	add(31*time.Minute, act{source: "ec2", name: "CreateSnapshot", req: `{"volumeId":"vol-` + hexes(e.rng, 17) + `"}`, resp: `{"snapshotId":"` + snap + `","status":"pending"}`, what: "copies a disk"})
	add(38*time.Minute, act{source: "ec2", name: "ModifySnapshotAttribute", req: `{"snapshotId":"` + snap + `","createVolumePermission":{"add":{"items":[{"userId":"999988887777"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}`, what: "shares the copy with an account outside"})
}

// harmless is work that looks like trouble and is not.
func (e *engine) harmless(day time.Time, build, shop, pay *account) {
	ok := func(at time.Duration, c act) { e.scene(day.Add(at), c) }
	ok(3*time.Hour, act{account: pay, who: pay.byClass[ci][0], source: "kms", name: "ScheduleKeyDeletion", req: `{"keyId":"` + pay.keys[3] + `","pendingWindowInDays":30}`, what: "planned: the pipeline retires a key",
		more: more{invokedBy: "cloudformation.amazonaws.com", resources: `{"accountId":"` + pay.ID + `","type":"AWS::KMS::Key","ARN":"` + pay.keys[3] + `"}`}})
	root := newPrincipal(person, "arn:aws:iam::"+build.ID+":root", traits{}).session("", "192.0.2.20", agentBrowser)
	ok(5*time.Hour, act{account: build, who: root, source: "signin", name: "ConsoleLogin", region: global, resp: `{"ConsoleLogin":"Success"}`, what: "planned: the yearly test of the break-glass root user, with its second factor",
		more: more{eventType: "AwsConsoleSignIn", extra: `{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"}`}})
	ok(18*time.Hour, act{account: pay, who: pay.byClass[ec2][0], source: "ec2", name: "ModifySnapshotAttribute", req: `{"snapshotId":"snap-` + hexes(e.rng, 17) + `","createVolumePermission":{"add":{"items":[{"userId":"` + e.named("backup").ID + `"}]}},"attributeType":"CREATE_VOLUME_PERMISSION"}`,
		what: "the back-up service shares a snapshot with the back-up account", more: more{invokedBy: "backup.amazonaws.com"}})
	ok(4*time.Hour, act{account: build, who: build.byClass[ci][0], source: "ec2", name: "ModifyImageAttribute", req: `{"imageId":"ami-` + hexes(e.rng, 17) + `","attributeType":"launchPermission","launchPermission":{"add":{"items":[{"userId":"` + shop.ID + `"}]}}}`, what: "the image pipeline hands a new image to production"})
	admin := e.visitor(shop, 2)
	ok(6*time.Hour, act{account: shop, who: admin, source: "iam", name: "UpdateLoginProfile", region: global, req: `{"userName":"audit-visitor","passwordResetRequired":true}`, what: "the help desk resets a forgotten password"})
	for i, result := range []string{"Failure", "Success"} {
		m := more{eventType: "AwsConsoleSignIn", noFlag: true, extra: `{"LoginTo":"https://` + home + `.console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"No"}`}
		if result == "Failure" {
			m.errMsg = "Failed authentication"
		}
		ok(time.Hour+time.Duration(i)*time.Minute, act{account: pay, who: e.visitor(pay, 0), source: "signin", name: "ConsoleLogin", region: global, resp: `{"ConsoleLogin":"` + result + `"}`, what: "a colleague mistypes a password, then signs in", more: m})
	}
	ok(7*time.Hour, act{account: shop, who: admin, source: "ec2", name: "AuthorizeSecurityGroupIngress", req: `{"groupId":"sg-` + hexes(e.rng, 17) + `","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"192.0.2.0/24"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}`, what: "SSH is opened to the office, not to the world"})
	// A deployment with a missing permission fails the same call again and again.
	broken := pay.byClass[ecs][0]
	for i := range 40 {
		ok(8*time.Hour+time.Duration(i*11)*time.Second, act{account: pay, who: broken, source: "s3", name: "GetBucketLocation", readOnly: true, deny: true, req: `{"bucketName":"` + pay.buckets[0] + `"}`, what: "a broken deployment fails the same call"})
	}
}

// visitor is somebody's session at the account's console.
func (e *engine) visitor(a *account, n int) *session {
	for _, h := range e.humans {
		for _, s := range h.sets {
			if s.Account == a.Account {
				if n == 0 {
					v := *h.sessionAs(s.Role, console)
					v.ip = h.Office
					return &v
				}
				n--
				break
			}
		}
	}
	return e.visitor(a, 0)
}

// insight writes the pair of Insight events that the probing caused.
func (d *delivery) insight() error {
	e := d.e
	shop := e.named("prod-shop")
	at := e.middle().Add(15*time.Hour + 20*time.Minute)
	shared := uuid(e.late)
	d.content.Reset()
	d.content.WriteString(`{"Records":[`)
	for i, state := range []string{"Start", "End"} {
		if i > 0 {
			d.content.WriteByte(',')
		}
		when := at.Add(time.Duration(i*6) * time.Minute)
		fmt.Fprintf(d.content, `{"eventVersion":"1.11","eventTime":"%s","awsRegion":"%s","eventID":"%s","eventType":"AwsCloudTrailInsight","recipientAccountId":"%s","sharedEventID":"%s","insightDetails":{"state":"%s","eventSource":"iam.amazonaws.com","eventName":"ListUsers","insightType":"ApiErrorRateInsight","errorCode":"AccessDenied","insightContext":{"statistics":{"baseline":{"average":0.0021},"insight":{"average":2.8}%s},"attributions":[{"attribute":"userIdentityArn","insight":[{"value":"arn:aws:iam::%s:user/ci-publisher","average":2.8}],"baseline":[]}]}},"eventCategory":"Insight"}`,
			when.Format(time.RFC3339), home, uuid(e.late), shop.ID, shared, state, []string{"", `,"insightDuration":6,"baselineDuration":11460`}[i], shop.ID)
	}
	d.content.WriteString(`]}`)
	e.sum.Records += 2
	return d.write(d.key(shop, "CloudTrail-Insight", home, at, "_"+at.Format("20060102T1504Z")+"_"+mixedLetters(e.late, 16)+".json.gz"), false)
}

// foreign puts a file into the bucket that is no CloudTrail: flow logs, which
// often share one.
func (d *delivery) foreign() error {
	e := d.e
	a := e.accounts[0]
	at := e.middle().Add(9 * time.Hour)
	d.content.Reset()
	d.content.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	for i := range 12 {
		fmt.Fprintf(d.content, "2 %s eni-%s 10.0.4.%d 10.0.8.11 %d 443 6 12 4210 %d %d ACCEPT OK\n", a.ID, hexes(e.late, 17), 20+i, 40000+i*37, at.Unix()+int64(i*60), at.Unix()+int64(i*60+59))
	}
	path := d.key(a, "vpcflowlogs", home, at, "_fl-"+hexes(e.late, 17)+"_"+at.Format("20060102T1504Z")+"_"+hexes(e.late, 8)+".log.gz")
	e.sum.ForeignFile = path
	return d.write(path, false)
}
