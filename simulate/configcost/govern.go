package configcost

import (
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// governing is what Control Tower leaves in the logs on a day: its own sessions in
// the accounts that it governs, what it looks up there, events of its own, changes of
// its policies, and what these refuse.
func (w *world) governing(at time.Time) error {
	if !w.tower {
		return nil
	}
	for _, a := range w.accounts {
		if a.governed {
			if err := w.visiting(a, at); err != nil {
				return err
			}
		}
	}
	n := int(at.Sub(w.start) / day)
	switch n {
	case 1:
		return w.enrolled(at.Add(2 * time.Hour))
	case 2:
		return w.landing(at.Add(3 * time.Hour))
	case 3:
		return w.guarding(at.Add(4 * time.Hour))
	case 4:
		return w.refused(at.Add(5 * time.Hour))
	}
	return nil
}

// visiting is a session of Control Tower in an account.
func (w *world) visiting(a *account, at time.Time) error {
	rng := w.chance("tower", a.id, at.Unix())
	when := at.Add(time.Duration(rng.Float64() * float64(20*time.Hour)))
	arn := "arn:aws:iam::" + a.id + ":role/" + towerRole
	tower := w.assumed(w.management, "/service-role/", "AWSControlTowerAdmin", "AWSControlTower", when)
	tower.InvokedBy = "controltower.amazonaws.com"
	if err := w.put(call{source: "sts", name: "AssumeRole", account: a, at: when, readOnly: true, requestedBy: caller{tower, "controltower.amazonaws.com", "controltower.amazonaws.com"},
		request:  object("roleArn", arn, "roleSessionName", "AWSControlTower"),
		response: `{"assumedRoleUser":{"assumedRoleId":"` + a.unique(w, towerRole) + `:AWSControlTower","arn":"arn:aws:sts::` + a.id + `:assumed-role/` + towerRole + `/AWSControlTower"}}`}); err != nil {
		return err
	}
	inside := w.assumed(a, "/", towerRole, "AWSControlTower", when)
	inside.InvokedBy = "controltower.amazonaws.com"
	who := caller{inside, "controltower.amazonaws.com", "controltower.amazonaws.com"}
	visits := []asked{{"cloudtrail", "GetTrailStatus", object("name", towerTrail), "", true}}
	if w.Variant != IntegrationOff {
		visits = append(visits,
			asked{"config", "DescribeConfigurationRecorders", `{"configurationRecorderNames":["` + towerRecorder + `"]}`, "", true},
			asked{"config", "DescribeDeliveryChannels", `{"deliveryChannelNames":["` + towerChannel + `"]}`, "", true})
	}
	for i, x := range visits {
		if err := w.put(call{source: x.source, name: x.name, account: a, at: when.Add(time.Duration(i+1) * 2 * time.Second), requestedBy: who, request: x.request, readOnly: true}); err != nil {
			return err
		}
	}
	return nil
}

// internal is a service event's caller.
func internal(a *account) caller {
	return caller{identity{Account: a.id, InvokedBy: "AWS Internal"}, "AWS Internal", "AWS Internal"}
}

// enrolled is the event of an account that Control Tower took in again.
func (w *world) enrolled(at time.Time) error {
	return w.put(call{source: "controltower", name: "UpdateManagedAccount", account: w.management, at: at, requestedBy: internal(w.management),
		serviceEvent: fmt.Sprintf(`{"updateManagedAccountStatus":{"organizationalUnit":{"organizationalUnitName":"Workloads","organizationalUnitId":"ou-%s"},"account":{"accountName":%q,"accountId":%q},"state":"SUCCEEDED","message":"AWS Control Tower successfully updated a managed account.","requestedTimestamp":%q,"completedTimestamp":%q}}`,
			logs.Drawn(w.chance("ou"), 8, logs.Letters), w.churn.name, w.churn.id, stamp(at.Add(-11*time.Minute)), stamp(at))})
}

// landing is the event of a landing zone that was updated.
func (w *world) landing(at time.Time) error {
	accounts := ""
	for _, a := range w.accounts {
		if a.governed {
			if accounts != "" {
				accounts += ","
			}
			accounts += object("accountName", a.name, "accountId", a.id)
		}
	}
	return w.put(call{source: "controltower", name: "UpdateLandingZone", account: w.management, at: at, requestedBy: internal(w.management),
		serviceEvent: fmt.Sprintf(`{"updateLandingZoneStatus":{"state":"SUCCEEDED","message":"AWS Control Tower successfully updated a landing zone.","rootOrganizationalId":"r-%s","accounts":[%s],"requestedTimestamp":%q,"completedTimestamp":%q}}`,
			logs.Drawn(w.chance("root"), 4, logs.Letters), accounts, stamp(at.Add(-25*time.Minute)), stamp(at))})
}

// guarding is a change of Control Tower's policies.
func (w *world) guarding(at time.Time) error {
	tower := w.assumed(w.management, "/service-role/", "AWSControlTowerAdmin", "AWSControlTower", at)
	tower.InvokedBy = "controltower.amazonaws.com"
	who := caller{tower, "controltower.amazonaws.com", "controltower.amazonaws.com"}
	id, name := w.guardID(), w.guardName()
	return w.put(call{source: "organizations", name: "UpdatePolicy", account: w.management, at: at, region: global, requestedBy: who,
		request:  `{"policyId":"` + id + `","name":"` + name + `","description":"SCP for AWS Control Tower preventive guardrails","content":` + quoted(w.guardText()) + `}`,
		response: `{"policy":{"policySummary":{"id":"` + id + `","arn":"arn:aws:organizations::` + w.management.id + `:policy/` + w.org + `/service_control_policy/` + id + `","name":"` + name + `","type":"SERVICE_CONTROL_POLICY","awsManaged":false}}}`})
}

// refused is somebody who tries to change the recorder, and whom a policy refuses.
func (w *world) refused(at time.Time) error {
	if w.Variant == IntegrationOff {
		return nil
	}
	p := w.people[0]
	who := w.by(p, w.churn, at)
	return w.put(call{source: "config", name: "PutConfigurationRecorder", account: w.churn, at: at, requestedBy: who, errorCode: "AccessDenied",
		error:   "User: " + who.who.ARN + " is not authorized to perform: config:PutConfigurationRecorder on resource: * with an explicit deny in a service control policy",
		request: `{"configurationRecorder":{"name":"` + towerRecorder + `","recordingMode":{"recordingFrequency":"DAILY"}}}`})
}

// walling is what Firewall Manager does on a day.
func (w *world) walling(at time.Time) error {
	rng := w.chance("firewall", at.Unix())
	a := w.firewall
	for i := range 3 {
		when := at.Add(time.Duration(rng.Float64() * float64(20*time.Hour)))
		who := w.linked(a, "fms", "AWSServiceRoleForFMS", "FMS", when)
		name := fmt.Sprintf("FMManagedRule-%d-%s", i, a.id)
		if err := w.put(call{source: "config", name: "PutConfigRule", account: a, at: when, requestedBy: who,
			request: `{"configRule":{"configRuleName":"` + name + `","createdBy":"fms.amazonaws.com","source":{"owner":"AWS","sourceIdentifier":"FMS_WEBACL_RESOURCE_POLICY_CHECK"}}}`}); err != nil {
			return err
		}
	}
	if at.Equal(w.start) {
		when := at.Add(90 * time.Minute)
		return w.put(call{source: "fms", name: "PutPolicy", account: a, at: when, requestedBy: w.by(w.people[1], a, when),
			request: `{"policy":{"policyName":"` + w.company + `-` + w.firewallPolicy() + `","securityServicePolicyData":{"type":"` + w.firewallType() + `"},"resourceType":"` + w.firewallResource() + `","excludeResourceTags":false,"remediationEnabled":true}}`})
	}
	return nil
}

// What Firewall Manager's policy is of: web access as a rule; in the variant that is
// about it, the subnets and networks of the account that owns them.
func (w *world) firewallPolicy() string {
	if w.Variant == FirewallManager {
		return "network"
	}
	return "web"
}

func (w *world) firewallType() string {
	if w.Variant == FirewallManager {
		return "NETWORK_FIREWALL"
	}
	return "WAFV2"
}

func (w *world) firewallResource() string {
	if w.Variant == FirewallManager {
		return vpc
	}
	return "AWS::ElasticLoadBalancingV2::LoadBalancer"
}
