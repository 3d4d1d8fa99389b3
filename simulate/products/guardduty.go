package products

import (
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// notice is a finding of GuardDuty.
type notice struct {
	account     *estate.Account
	kind        string
	severity    float64
	title, text string
	principal   string // ARN; empty: the resource says who
	api         string // "secretsmanager.amazonaws.com GetSecretValue"
	ip          string
	first, last time.Time
	count       int
	archived    bool
	resource    object // of another sort than an access key
	sequence    object
	id          string // made if empty
}

// detector is the id of an account's detector.
func detector(a *estate.Account) string {
	return fmt.Sprintf("%016x%016x", sum(a.ID), sum(a.Home+a.ID))
}

func (n notice) arn() string {
	return fmt.Sprintf("arn:aws:guardduty:%s:%s:detector/%s/finding/%s", n.account.Home, n.account.ID, detector(n.account), n.id)
}

// key and principalID are made of the finding's id.
func (n notice) key() string         { return "ASIASIMULATED" + strings.ToUpper(n.id[:7]) }
func (n notice) principalID() string { return "AROASIMULATED" + strings.ToUpper(n.id[7:15]) }

// userType is how AWS calls the sort of a principal.
func userType(arn string) string {
	if strings.Contains(arn, ":user/") {
		return "IAMUser"
	}
	return "AssumedRole"
}

// guardDutyLag is how long after the latest call a finding is written.
const guardDutyLag = 6 * time.Minute

func (n notice) detail() object {
	service := object{
		"serviceName": "guardduty", "detectorId": detector(n.account), "archived": n.archived, "count": n.count,
		"eventFirstSeen": second(n.first), "eventLastSeen": second(n.last), "resourceRole": "TARGET", "additionalInfo": object{},
	}
	if operator, call, ok := strings.Cut(n.api, " "); ok {
		service["action"] = object{"actionType": "AWS_API_CALL", "awsApiCallAction": object{
			"api": call, "serviceName": operator, "callerType": "Remote IP", "affectedResources": object{},
			"remoteIpDetails": object{"ipAddressV4": n.ip, "organization": object{"asn": "64500", "asnOrg": "Example Net"}},
		}}
	}
	if n.sequence != nil {
		service["detection"] = object{"sequence": n.sequence}
	}
	resource := n.resource
	if resource == nil {
		resource = object{"resourceType": "AccessKey", "accessKeyDetails": object{
			"accessKeyId": n.key(), "principalId": n.principalID(), "userType": userType(n.principal), "userName": name(n.principal),
		}}
	}
	return object{
		"schemaVersion": "2.0", "accountId": n.account.ID, "region": n.account.Home, "partition": "aws", "id": n.id, "arn": n.arn(),
		"type": n.kind, "severity": n.severity, "title": n.title, "description": n.text, "resource": resource, "service": service,
		"createdAt": stamp(n.first.Add(guardDutyLag)), "updatedAt": stamp(n.last.Add(guardDutyLag)),
	}
}

func guardDuty(s *scene) []file {
	var out []object
	for _, n := range s.notices() {
		if at := n.last.Add(guardDutyLag); s.within(at) {
			out = append(out, s.event("GuardDuty Finding", "aws.guardduty", n.account, at, n.detail()))
		}
	}
	return []file{{name: "events.jsonl", records: out}}
}

// notices are all findings of GuardDuty. Security Hub passes some on, so they do
// not depend on who asks.
func (s *scene) notices() []notice {
	all := append(s.stolenKey(), s.unusual()...)
	all = append(all, s.inventory()...)
	all = append(all, s.probes()...)
	for i := range all {
		n := &all[i]
		n.id = fmt.Sprintf("%016x%016x", sum(fmt.Sprint("guardduty/", i, n.kind, n.principal)), sum(fmt.Sprint(s.Seed, n.first, n.account.ID)))
		if n.sequence != nil {
			n.sequence["signals"] = signals(all[:i])
		}
	}
	return all
}

// stolenKey is what there is to notice of the story: single signals, and the
// sequence that they make.
func (s *scene) stolenKey() (all []notice) {
	var last Call
	add := func(operation, service, kind string, severity float64, title string) {
		c, ok := s.told(operation)
		if !ok {
			return
		}
		last = c
		all = append(all, notice{
			account: s.accountOf(c.Account), kind: kind, severity: severity, principal: c.Actor, api: service + ".amazonaws.com " + operation, ip: c.IP,
			first: c.At, last: c.At, count: 1, title: title, text: fmt.Sprintf("%s called %s from %s.", name(c.Actor), operation, c.IP),
		})
	}
	add("ListUsers", "iam", "Recon:IAMUser/MaliciousIPCaller.Custom", 5, "Users were listed from an address on a threat list")
	add("CreateAccessKey", "iam", "Persistence:IAMUser/AnomalousBehavior", 5, "An access key was made for another user in an unusual way")
	add("GetSecretValue", "secretsmanager", "CredentialAccess:IAMUser/AnomalousBehavior", 5, "Secrets were read in an unusual way")
	add("StopLogging", "cloudtrail", "Stealth:IAMUser/CloudTrailLoggingDisabled", 2, "A CloudTrail trail was disabled")
	add("ModifySnapshotAttribute", "ec2", "Exfiltration:IAMUser/AnomalousBehavior", 8, "A snapshot was shared in an unusual way")
	if len(all) == 0 {
		return nil
	}
	first := all[0]
	user := object{"name": name(first.principal), "uid": "AIDASIMULATED00001", "type": "IAMUser", "account": object{"uid": first.account.ID}}
	return append(all, notice{
		account: first.account, kind: "AttackSequence:IAM/CompromisedCredentials", severity: 9, first: first.first, last: last.At, count: 1,
		title: "The credentials of " + name(first.principal) + " seem to be in other hands", text: "A sequence of actions.",
		resource: object{"resourceType": "AttackSequence"},
		sequence: object{
			"uid": "sequence-1", "description": "Calls from an address on a threat list, a new key for another user, secrets read, a trail stopped, and a snapshot shared.",
			"actors":    []object{{"id": "actor-1", "user": user}},
			"endpoints": []object{{"id": "endpoint-1", "ip": first.ip}},
			"resources": []object{{"uid": "arn:aws:iam::" + first.account.ID + ":user/" + name(last.Actor), "name": name(last.Actor), "accountId": first.account.ID, "resourceType": "ACCESS_KEY", "region": first.account.Home}},
			"sequenceIndicators": []object{
				{"key": "ATTACK_TECHNIQUE", "values": []string{"T1078.004", "T1098.001", "T1562.008"}},
				{"key": "ATTACK_TACTIC", "values": []string{"TA0003", "TA0005", "TA0010"}},
			},
		},
	})
}

// signals are what a sequence is made of.
func signals(parts []notice) (out []object) {
	for _, n := range parts {
		out = append(out, object{
			"uid": n.arn(), "type": "FINDING", "name": n.kind, "severity": n.severity, "count": n.count,
			"firstSeenAt": n.first.Unix(), "lastSeenAt": n.last.Unix(),
		})
	}
	return out
}

// behaviours are what GuardDuty makes of each sign; it has none for the others.
var behaviours = map[string]struct {
	kind     string
	severity float64
	title    string
}{
	"failures": {"CredentialAccess:IAMUser/AnomalousBehavior", 5, "Secrets were asked for in an unusual way"},
	"region":   {"InitialAccess:IAMUser/AnomalousBehavior", 5, "Calls were made in a region that is unusual for the principal"},
	"view":     {"UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", 5, "A console session came from an unusual place"},
	"denials":  {"Discovery:IAMUser/AnomalousBehavior", 2, "Calls that explore the account were made in an unusual way"},
}

// unusual is about every other trouble, and some of what only looks like it.
func (s *scene) unusual() (all []notice) {
	for _, l := range s.labels {
		b, known := behaviours[l.Kind]
		chance := sum("noticed/"+l.ID) % 100
		a := s.accountOf(l.Account)
		if !known || a == nil || l.Principal == "" || l.Benign && chance >= 30 || !l.Benign && chance >= 70 {
			continue
		}
		at := l.Start.Add(9 * time.Minute)
		all = append(all, notice{
			account: a, kind: b.kind, severity: b.severity, title: b.title, principal: l.Principal, api: "secretsmanager.amazonaws.com GetSecretValue",
			ip: a.NAT, first: at, last: at.Add(14 * time.Minute), count: 3 + int(chance%17),
			text: fmt.Sprintf("What %s did differs from what it usually does.", name(l.Principal)),
		})
	}
	return all
}

// inventory is a job that looks at everything each Monday evening and is noticed
// every time, since it comes with other credentials.
func (s *scene) inventory() (all []notice) {
	a := s.account("security")
	if a == nil {
		return nil
	}
	for i, at := range s.every(time.Monday, 19, 5) {
		at = at.Add(time.Duration(i*3) * time.Minute)
		all = append(all, notice{
			account: a, kind: "Discovery:IAMUser/AnomalousBehavior", severity: 2, title: "Calls that explore the account were made in an unusual way",
			text: "What asset-inventory did differs from what it usually does.", principal: "arn:aws:iam::" + a.ID + ":role/asset-inventory",
			api: "ec2.amazonaws.com DescribeInstances", ip: a.NAT, first: at, last: at.Add(21 * time.Minute), count: 140 + 9*i,
		})
	}
	return all
}

// probes are what every machine with a public address sees; some were archived
// at the product.
func (s *scene) probes() (all []notice) {
	for i, name := range []string{"prod-shop", "staging", "sandbox"} {
		a := s.account(name)
		if a == nil {
			continue
		}
		at := s.day(4+5*i, 3+i, 17)
		all = append(all, notice{
			account: a, kind: "Recon:EC2/PortProbeUnprotectedPort", severity: 2, title: "A port that nothing protects is probed",
			text: "Known scanners ask at port 22.", first: at, last: at.Add(5 * time.Hour), count: 31 + i, archived: i == 2,
			resource: object{"resourceType": "Instance", "instanceDetails": object{"instanceId": instance(a.ID, "bastion"), "instanceType": "t4g.small",
				"tags": []object{{"key": "Name", "value": "bastion"}}}},
		})
	}
	return all
}
