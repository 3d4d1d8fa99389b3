package configcost

import (
	"path/filepath"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// doc is a JSON document in the making.
type doc map[string]any

// writeFacts writes how things are set up, as the command line tools describe it.
func (w *world) writeFacts(dir string) error {
	for _, a := range w.accounts {
		for name, fact := range w.facts(a) {
			if err := writeJSON(filepath.Join(dir, a.id, home, name+".json"), fact); err != nil {
				return err
			}
		}
	}
	return nil
}

// facts are those of an account, by the command that prints them.
func (w *world) facts(a *account) map[string]any {
	arn := func(service, rest string) string { return "arn:aws:" + service + ":" + home + ":" + a.id + ":" + rest }
	trail := "organization-trail"
	if w.tower {
		trail = towerTrail // of the whole organisation: accounts that nobody governs see it, too
	}
	out := map[string]any{
		"describe-configuration-recorders": doc{"ConfigurationRecorders": []doc{{
			"arn": arn("config", "configuration-recorder/"+a.recorder+"/"+logs.Drawn(w.chance("recorder", a.id), 12, logs.Letters)), "name": a.recorder,
			"roleARN": "arn:aws:iam::" + a.id + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
			"recordingGroup": doc{"allSupported": true, "includeGlobalResourceTypes": true, "resourceTypes": []string{},
				"exclusionByResourceTypes": doc{"resourceTypes": []string{}}, "recordingStrategy": doc{"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}},
			"recordingMode": doc{"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []doc{}}, "recordingScope": "PAID",
		}}},
		"describe-configuration-recorder-status": doc{"ConfigurationRecordersStatus": []doc{{"name": a.recorder, "lastStatus": "SUCCESS", "recording": true, "lastStatusChangeTime": stamp(w.end)}}},
		"describe-trails": doc{"trailList": []doc{{
			"Name": trail, "S3BucketName": w.bucket, "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true, "HomeRegion": home,
			"TrailARN": "arn:aws:cloudtrail:" + home + ":" + w.management.id + ":trail/" + trail, "LogFileValidationEnabled": true, "HasCustomEventSelectors": false, "IsOrganizationTrail": true,
		}}},
	}
	switch {
	case a == w.management && w.tower:
		out["get-landing-zone"] = w.landingZone()
		out["list-policies"] = w.policies()
		out["describe-policy-"+w.guardID()] = doc{"Policy": doc{"PolicySummary": w.policy(w.guardID(), w.guardName(), false), "Content": w.guardText()}}
		out["list-targets-for-policy-"+w.guardID()] = w.targets()
		out["list-enabled-baselines"] = w.baselines()
	case a == w.audit:
		out["list-analyzers"] = doc{"analyzers": []doc{{"arn": "arn:aws:access-analyzer:" + home + ":" + a.id + ":analyzer/organization-unused", "name": "organization-unused", "type": "ORGANIZATION_UNUSED_ACCESS",
			"createdAt": stamp(w.months[0].AddDate(-1, 0, 0)), "status": "ACTIVE", "configuration": doc{"unusedAccess": doc{"unusedAccessAge": 90}}}}}
	}
	if a == w.firewall {
		id, name := logs.UUID(w.chance("fms")), w.company+"-"+w.firewallPolicy()
		out["fms-list-policies"] = doc{"PolicyList": []doc{{"PolicyArn": arn("fms", "policy/"+id), "PolicyId": id, "PolicyName": name,
			"ResourceType": w.firewallResource(), "SecurityServiceType": w.firewallType(), "RemediationEnabled": true, "DeleteUnusedFMManagedResources": false}}}
		out["fms-list-compliance-status"] = doc{"PolicyComplianceStatusList": []doc{{"PolicyOwner": a.id, "PolicyId": id, "PolicyName": name, "MemberAccount": a.id,
			"EvaluationResults": []doc{{"ComplianceStatus": "COMPLIANT", "ViolatorCount": 0, "EvaluationLimitExceeded": false}}, "LastUpdated": stamp(w.end)}}}
	}
	return out
}

// landingZone is what describes it: version 3.3, or 4.0 without AWS Config.
func (w *world) landingZone() doc {
	version := "3.3"
	manifest := doc{
		"governedRegions":       []string{home, global},
		"organizationStructure": doc{"security": doc{"name": "Security"}, "sandbox": doc{"name": "Workloads"}},
		"centralizedLogging":    doc{"accountId": w.archive.id, "enabled": true, "configurations": doc{"loggingBucket": doc{"retentionDays": "365"}, "accessLoggingBucket": doc{"retentionDays": "3650"}}},
		"securityRoles":         doc{"accountId": w.audit.id},
		"accessManagement":      doc{"enabled": true},
	}
	if w.Variant == IntegrationOff {
		version = "4.0"
		manifest["config"] = doc{"enabled": false}
		manifest["securityRoles"] = doc{"enabled": true, "accountId": w.audit.id}
	}
	return doc{"landingZone": doc{
		"arn":     "arn:aws:controltower:" + home + ":" + w.management.id + ":landingzone/" + logs.Drawn(w.chance("zone"), 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
		"version": version, "latestAvailableVersion": "4.0", "driftStatus": doc{"status": "IN_SYNC"}, "status": "ACTIVE", "manifest": manifest,
	}}
}

// The policy by which Control Tower guards what it set up.
func (w *world) guardID() string {
	return "p-" + logs.Drawn(w.chance("policy"), 8, logs.Letters)
}

func (w *world) guardName() string {
	return "aws-guardrails-" + logs.Drawn(w.chance("guardrail"), 6, logs.Letters)
}

// guardText is what the policy says: of AWS Config only where Control Tower set that
// up.
func (w *world) guardText() string {
	statement := `{"Sid":"GRCLOUDTRAILENABLED","Effect":"Deny","Action":["cloudtrail:DeleteTrail","cloudtrail:StopLogging","cloudtrail:UpdateTrail"],"Resource":["arn:aws:cloudtrail:*:*:trail/aws-controltower-*"],"Condition":{"ArnNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/` + towerRole + `"}}}`
	if w.Variant != IntegrationOff {
		statement = `{"Sid":"GRCONFIGENABLED","Effect":"Deny","Action":["config:DeleteConfigurationRecorder","config:DeleteDeliveryChannel","config:PutConfigurationRecorder","config:PutDeliveryChannel","config:StopConfigurationRecorder"],"Resource":["*"],"Condition":{"ArnNotLike":{"aws:PrincipalARN":"arn:aws:iam::*:role/` + towerRole + `"}}},` + statement
	}
	return `{"Version":"2012-10-17","Statement":[` + statement + `]}`
}

// policy is what lists say of a service control policy.
func (w *world) policy(id, name string, managed bool) doc {
	owner, description := w.management.id+":policy/"+w.org, "SCP for AWS Control Tower preventive guardrails"
	if managed {
		owner, description = "aws:policy", "Allows access to every operation"
	}
	return doc{"Id": id, "Arn": "arn:aws:organizations::" + owner + "/service_control_policy/" + id, "Name": name, "Description": description, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": managed}
}

// policies are the service control policies of the organisation.
func (w *world) policies() doc {
	return doc{"Policies": []doc{w.policy("p-FullAWSAccess", "FullAWSAccess", true), w.policy(w.guardID(), w.guardName(), false)}}
}

// targets are what the policy is attached to: units, by which accounts are reached.
func (w *world) targets() doc {
	unit := func(name string) doc {
		id := "ou-" + logs.Drawn(w.chance("ou", name), 4, logs.Letters) + "-" + logs.Drawn(w.chance("ou-id", name), 8, logs.Letters)
		return doc{"TargetId": id, "Arn": "arn:aws:organizations::" + w.management.id + ":ou/" + w.org + "/" + id, "Name": name, "Type": "ORGANIZATIONAL_UNIT"}
	}
	return doc{"Targets": []doc{unit("Security"), unit("Workloads")}}
}

// baselines are the accounts that Control Tower took in.
func (w *world) baselines() doc {
	all := []doc{}
	for _, a := range w.accounts {
		if a.governed && a != w.management {
			all = append(all, doc{
				"arn":                "arn:aws:controltower:" + home + ":" + w.management.id + ":enabledbaseline/" + logs.Drawn(w.chance("baseline", a.id), 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
				"baselineIdentifier": "arn:aws:controltower:" + home + "::baseline/17BSJV3IGJ2QSGA2", "baselineVersion": "4.0",
				"targetIdentifier": "arn:aws:organizations::" + w.management.id + ":account/" + w.org + "/" + a.id, "statusSummary": doc{"status": "SUCCEEDED"},
			})
		}
	}
	return doc{"enabledBaselines": all}
}
