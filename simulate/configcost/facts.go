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
	if a.governed {
		trail = towerTrail
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
	case a == w.audit:
		out["list-analyzers"] = doc{"analyzers": []doc{{"arn": "arn:aws:access-analyzer:" + home + ":" + a.id + ":analyzer/organization-unused", "name": "organization-unused", "type": "ORGANIZATION_UNUSED_ACCESS",
			"createdAt": stamp(w.months[0].AddDate(-1, 0, 0)), "status": "ACTIVE", "configuration": doc{"unusedAccess": doc{"unusedAccessAge": 90}}}}}
	}
	if a == w.firewall {
		out["get-admin-account"] = doc{"AdminAccount": a.id, "RoleStatus": "READY"}
		out["fms-list-policies"] = doc{"PolicyList": []doc{{"PolicyArn": arn("fms", "policy/"+logs.UUID(w.chance("fms"))), "PolicyId": logs.UUID(w.chance("fms")), "PolicyName": w.company + "-" + w.firewallPolicy(),
			"ResourceType": w.firewallResource(), "SecurityServiceType": w.firewallType(), "RemediationEnabled": true, "DeleteUnusedFMManagedResources": false}}}
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

// policies are the service control policies of the organisation.
func (w *world) policies() doc {
	policy := func(id, name, description string, managed bool) doc {
		owner := w.management.id + ":policy/" + w.org
		if managed {
			owner = "aws:policy"
		}
		return doc{"Id": id, "Arn": "arn:aws:organizations::" + owner + "/service_control_policy/" + id, "Name": name, "Description": description, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": managed}
	}
	return doc{"Policies": []doc{
		policy("p-FullAWSAccess", "FullAWSAccess", "Allows access to every operation", true),
		policy("p-"+logs.Drawn(w.chance("policy"), 8, logs.Letters), "aws-guardrails-"+logs.Drawn(w.chance("guardrail"), 6, logs.Letters), "SCP for AWS Control Tower preventive guardrails", false),
	}}
}
