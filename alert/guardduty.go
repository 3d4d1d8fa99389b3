package alert

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// readGuardDuty reads a finding of GuardDuty: camelCase as EventBridge and S3
// exports write it, PascalCase as GetFindings answers.
// (docs.aws.amazon.com/guardduty/latest/ug, "GuardDuty finding format")
func readGuardDuty(v value) (Alert, error) {
	service := v.get("service")
	a := Alert{
		Product: "GuardDuty", Class: Detection, Cloud: "AWS", UID: v.any("arn", "id"), Parent: service.get("detectorId").str(),
		Type: v.get("type").str(), Title: v.get("title").str(), Description: v.get("description").str(),
		Account: v.get("accountId").str(), Region: v.get("region").str(),
		At: v.time("updatedAt", "createdAt"), First: service.time("eventFirstSeen"), Last: service.time("eventLastSeen"),
		Count: service.get("count").count(), Level: v.get("severity").str(),
		Sample: service.get("additionalInfo.sample").truth() || strings.HasPrefix(v.get("title").str(), "[SAMPLE]"),
	}
	a.Ref = Ref{"guardduty", guardDutyID(firstOf(v.get("id").str(), a.UID))}
	if a.At.IsZero() {
		return a, errors.New("updatedAt and createdAt are missing or no times")
	}
	n, ok := v.get("severity").num()
	if !ok {
		return a, errors.New("severity is missing or no number")
	}
	a.Severity = guardDutySeverity(n)
	// Confidence is no longer used by GuardDuty and 0 or absent; only an older one says it.
	if c, ok := v.get("confidence").num(); ok && c > 0 && c <= 10 {
		a.Confidence = c / 10
	}
	a.Status, a.Said = Open, "not archived"
	if service.get("archived").truth() {
		a.Status, a.Said = Suppressed, "archived"
	}
	purpose, _, _ := strings.Cut(a.Type, ":")
	if id := tactic(purpose); id != "" {
		a.Attack = append(a.Attack, id)
	}
	a.guardDutyResource(v.get("resource"))
	a.guardDutyAction(service)
	a.guardDutySequence(service.get("detection.sequence"))
	if len(a.Resources) == 0 && a.Actor.UID != "" {
		a.Resources = append(a.Resources, Resource{UID: a.Actor.UID, Type: "AwsIamPrincipal", Account: a.Account})
	}
	if d := service.get("featureName").str(); d != "" {
		a.note(Feature, d, "")
	}
	return a, nil
}

// guardDutyID is the id of a finding, of its ARN the last part.
func guardDutyID(id string) string { return tail(id, "/") }

// guardDutySeverity: low below 4, medium below 7, high below 9, then critical.
func guardDutySeverity(n float64) Severity {
	switch {
	case n >= 9:
		return Critical
	case n >= 7:
		return High
	case n >= 4:
		return Medium
	case n >= 1:
		return Low
	}
	return Informational
}

func (a *Alert) guardDutyResource(r value) {
	if key := r.get("accessKeyDetails"); key.exists() {
		a.Actor.Credential = key.get("accessKeyId").str()
		a.Actor.principal(a.Account, a.Region, key.get("userType").str(), key.get("userName").str())
	}
	add := func(typ string, v value, names ...string) {
		if id := v.any(names...); id != "" {
			a.Resources = append(a.Resources, Resource{UID: id, Type: typ, Name: v.get("name").str(), Account: a.Account, Region: a.Region})
		}
	}
	for _, b := range r.get("s3BucketDetails").list() {
		add("AwsS3Bucket", b, "arn", "name")
	}
	add("AwsEc2Instance", r.get("instanceDetails"), "instanceId")
	add("AwsEksCluster", r.get("eksClusterDetails"), "arn", "name")
	add("AwsEcsCluster", r.get("ecsClusterDetails"), "arn", "name")
	add("AwsRdsDbInstance", r.get("rdsDbInstanceDetails"), "dbInstanceArn", "dbInstanceIdentifier")
	add("AwsLambdaFunction", r.get("lambdaDetails"), "functionArn", "functionName")
	add("Container", r.get("containerDetails"), "id", "name")
	for _, ebs := range r.get("ebsVolumeDetails.scannedVolumeDetails").list() {
		add("AwsEc2Volume", ebs, "volumeArn")
	}
	if profile := r.get("instanceDetails.iamInstanceProfile.arn").str(); profile != "" {
		a.Resources = append(a.Resources, Resource{UID: profile, Type: "AwsIamInstanceProfile", Account: a.Account})
	}
	if k8s := r.get("kubernetesDetails.kubernetesUserDetails"); a.Actor.Name == "" && k8s.exists() {
		a.Actor.Name, a.Actor.Type = k8s.get("username").str(), "user"
		a.Actor.UID = a.Actor.Name
	}
	if user := r.get("rdsDbUserDetails.user").str(); a.Actor.Name == "" {
		a.Actor.Name = user
	}
}

// principal names a principal as CloudTrail's stable actor is named.
func (x *Actor) principal(account, region, typ, name string) {
	x.Name, x.Account = name, account
	arn := "arn:" + partition(region) + ":iam::" + account + ":"
	switch strings.ToLower(typ) {
	case "root":
		x.Type, x.UID = "root", arn+"root"
	case "iamuser", "user":
		x.Type, x.UID = "user", arn+"user/"+name
	case "role", "assumedrole":
		x.Type = "role"
		if role, session, ok := strings.Cut(name, "/"); ok && strings.EqualFold(typ, "assumedrole") {
			name, x.Session = role, session
		}
		x.UID = arn + "role/" + name
	case "federateduser", "saml user", "webidentityuser":
		x.Type, x.UID = "federated", arn+"federated-user/"+name
	case "awsservice":
		x.Type, x.UID = "service", name
	case "awsaccount":
		x.Type, x.UID = "account", name
	default:
		x.UID = name
	}
	if account == "" || name == "" && x.Type != "root" {
		x.UID = name
	}
}

// actions hold where from, each under its own name.
var actions = []string{"awsApiCallAction", "networkConnectionAction", "kubernetesApiCallAction", "rdsLoginAttemptAction", "portProbeAction"}

func (a *Alert) guardDutyAction(service value) {
	action := service.get("action")
	outward := strings.EqualFold(service.get("resourceRole").str(), "ACTOR")
	for _, name := range actions {
		x := action.get(name)
		if name == "portProbeAction" {
			x = x.get("portProbeDetails").first()
		}
		if ip := x.any("remoteIpDetails.ipAddressV4", "remoteIpDetails.ipAddressV6"); ip != "" && !outward {
			a.Actor.IP = firstOf(a.Actor.IP, address(ip))
		}
		a.Actor.Agent = firstOf(a.Actor.Agent, x.get("userAgent").str())
		if api := x.get("api").str(); api != "" {
			a.note(Called, strings.TrimSpace(x.get("serviceName").str()+" "+api), "")
		}
		if touched, _ := x.get("affectedResources").v.(map[string]any); len(a.Resources) == 0 {
			for _, typ := range slices.Sorted(maps.Keys(touched)) {
				a.Resources = append(a.Resources, Resource{UID: value{touched[typ]}.str(), Type: typ, Account: a.Account, Region: a.Region})
			}
		}
		if ip := x.any("remoteIpDetails.ipAddressV4", "remoteIpDetails.ipAddressV6"); ip != "" && outward {
			a.note(Connected, ip, "")
		}
	}
	if domain := action.get("dnsRequestAction.domain").str(); domain != "" {
		a.note(AskedName, domain, "")
	}
	if p := service.get("runtimeDetails.process"); p.exists() {
		a.Process = p.any("executablePath", "name")
	}
}

// guardDutySequence reads an attack sequence (GuardDuty Extended Threat
// Detection): actors, resources and signals, some of which are findings.
func (a *Alert) guardDutySequence(s value) {
	if !s.exists() {
		return
	}
	a.Description = firstOf(s.get("description").str(), a.Description)
	for _, actor := range s.get("actors").list() {
		user := actor.get("user")
		if a.Actor.Name == "" && user.exists() {
			a.Actor.principal(firstOf(user.get("account.uid").str(), a.Account), a.Region, user.get("type").str(), user.get("name").str())
			a.Actor.Credential = firstOf(a.Actor.Credential, user.get("credentialUid").str())
		}
	}
	for _, r := range s.get("resources").list() {
		a.Resources = append(a.Resources, Resource{UID: r.any("uid", "name"), Type: sequenceType(r.get("resourceType").str()), Name: r.get("name").str(), Account: firstOf(r.get("accountId").str(), a.Account), Region: r.get("region").str()})
	}
	for _, e := range s.get("endpoints").list() {
		a.Actor.IP = firstOf(a.Actor.IP, address(e.get("ip").str()))
	}
	indicators := s.get("sequenceIndicators").list()
	signals := s.get("signals").list()
	for _, signal := range signals {
		indicators = append(indicators, signal.get("signalIndicators").list()...)
		if strings.EqualFold(signal.get("type").str(), "FINDING") {
			if id := guardDutyID(signal.get("uid").str()); id != "" {
				a.Related = append(a.Related, Ref{"guardduty", id})
			}
		}
		if t := signal.time("firstSeenAt"); !t.IsZero() && (a.First.IsZero() || t.Before(a.First)) {
			a.First = t
		}
		if t := signal.time("lastSeenAt"); t.After(a.Last) {
			a.Last = t
		}
	}
	for _, i := range indicators {
		a.Attack = append(a.Attack, attacks(append(i.get("values").strs(), i.get("key").str())...)...)
	}
	if n := len(signals); n > 0 {
		a.note(Sequence, strconv.Itoa(n), "")
	}
}

// sequenceType writes EC2_INSTANCE as others do.
func sequenceType(s string) string {
	switch s {
	case "EC2_INSTANCE":
		return "AwsEc2Instance"
	case "S3_BUCKET":
		return "AwsS3Bucket"
	case "EKS_CLUSTER":
		return "AwsEksCluster"
	case "ACCESS_KEY":
		return "AwsIamAccessKey"
	}
	return s
}
