package rule

import (
	"strings"

	"github.com/yagura-sec/yagura/finding"
)

// attackVersion is the version of ATT&CK whose names and ids are used here.
const attackVersion = "19"

// attacks gives the ATT&CK ids that a rule's tags name, in their order. Ids that
// version 19 revoked become those that took their place; what is not known here
// keeps its id and has no name.
func attacks(tags []string) []finding.Attack {
	var out []finding.Attack
	seen := map[string]bool{}
	for _, tag := range tags {
		what, ok := strings.CutPrefix(strings.ToLower(tag), "attack.")
		if !ok {
			continue
		}
		var id string
		switch {
		case isTechnique(what):
			id = strings.ToUpper(what)
			if now := revoked[id]; now != "" {
				id = now
			}
		case tactics[strings.ReplaceAll(what, "_", "-")] != "":
			id = tactics[strings.ReplaceAll(what, "_", "-")]
		case strings.HasPrefix(what, "ta") && names[strings.ToUpper(what)] != "":
			id = strings.ToUpper(what)
		default:
			continue // groups and software: g0001, s0001
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, finding.Attack{ID: id, Name: names[id], Version: attackVersion})
		}
	}
	return out
}

// isTechnique tells whether s is t1234 or t1234.001.
func isTechnique(s string) bool {
	digits := func(s string, n int) bool {
		return len(s) == n && strings.Trim(s, "0123456789") == ""
	}
	s, ok := strings.CutPrefix(s, "t")
	head, sub, has := strings.Cut(s, ".")
	return ok && digits(head, 4) && (!has || digits(sub, 3))
}

// tactics by the names that tags use; the old ones are those before version 19.
var tactics = map[string]string{
	"reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001",
	"execution": "TA0002", "persistence": "TA0003", "privilege-escalation": "TA0004",
	"stealth": "TA0005", "defense-evasion": "TA0005", "defense-impairment": "TA0112",
	"credential-access": "TA0006", "discovery": "TA0007", "lateral-movement": "TA0008",
	"collection": "TA0009", "command-and-control": "TA0011", "exfiltration": "TA0010", "impact": "TA0040",
}

// revoked techniques and what version 19 has in their place.
var revoked = map[string]string{
	"T1562": "T1685", "T1562.001": "T1685", "T1562.002": "T1685.001", "T1562.003": "T1690",
	"T1562.004": "T1686", "T1562.006": "T1685", "T1562.007": "T1686.001", "T1562.008": "T1685.002",
	"T1562.009": "T1688", "T1562.010": "T1689", "T1562.011": "T1685.003", "T1562.012": "T1685.004",
	"T1562.013": "T1686.002", "T1070.001": "T1685.005", "T1070.002": "T1685.006",
}

// names of what rules for clouds and identities are about.
var names = map[string]string{
	"TA0043": "Reconnaissance", "TA0042": "Resource Development", "TA0001": "Initial Access",
	"TA0002": "Execution", "TA0003": "Persistence", "TA0004": "Privilege Escalation",
	"TA0005": "Stealth", "TA0112": "Defense Impairment", "TA0006": "Credential Access",
	"TA0007": "Discovery", "TA0008": "Lateral Movement", "TA0009": "Collection",
	"TA0011": "Command and Control", "TA0010": "Exfiltration", "TA0040": "Impact",

	"T1021":     "Remote Services",
	"T1021.001": "Remote Desktop Protocol",
	"T1021.004": "SSH",
	"T1021.007": "Cloud Services",
	"T1021.008": "Direct Cloud VM Connections",
	"T1037":     "Boot or Logon Initialization Scripts",
	"T1048":     "Exfiltration Over Alternative Protocol",
	"T1059":     "Command and Scripting Interpreter",
	"T1059.009": "Cloud API",
	"T1069":     "Permission Groups Discovery",
	"T1069.003": "Cloud Groups",
	"T1070":     "Indicator Removal",
	"T1074.002": "Remote Data Staging",
	"T1078":     "Valid Accounts",
	"T1078.001": "Default Accounts",
	"T1078.004": "Cloud Accounts",
	"T1087":     "Account Discovery",
	"T1087.004": "Cloud Account",
	"T1090":     "Proxy",
	"T1098":     "Account Manipulation",
	"T1098.001": "Additional Cloud Credentials",
	"T1098.003": "Additional Cloud Roles",
	"T1098.004": "SSH Authorized Keys",
	"T1098.005": "Device Registration",
	"T1098.006": "Additional Container Cluster Roles",
	"T1110":     "Brute Force",
	"T1110.003": "Password Spraying",
	"T1110.004": "Credential Stuffing",
	"T1114":     "Email Collection",
	"T1114.003": "Email Forwarding Rule",
	"T1119":     "Automated Collection",
	"T1133":     "External Remote Services",
	"T1136":     "Create Account",
	"T1136.003": "Cloud Account",
	"T1140":     "Deobfuscate/Decode Files or Information",
	"T1190":     "Exploit Public-Facing Application",
	"T1199":     "Trusted Relationship",
	"T1204":     "User Execution",
	"T1484":     "Domain or Tenant Policy Modification",
	"T1484.002": "Trust Modification",
	"T1485":     "Data Destruction",
	"T1485.001": "Lifecycle-Triggered Deletion",
	"T1486":     "Data Encrypted for Impact",
	"T1489":     "Service Stop",
	"T1490":     "Inhibit System Recovery",
	"T1496":     "Resource Hijacking",
	"T1496.001": "Compute Hijacking",
	"T1496.004": "Cloud Service Hijacking",
	"T1525":     "Implant Internal Image",
	"T1526":     "Cloud Service Discovery",
	"T1528":     "Steal Application Access Token",
	"T1530":     "Data from Cloud Storage",
	"T1531":     "Account Access Removal",
	"T1535":     "Unused/Unsupported Cloud Regions",
	"T1537":     "Transfer Data to Cloud Account",
	"T1538":     "Cloud Service Dashboard",
	"T1546":     "Event Triggered Execution",
	"T1548":     "Abuse Elevation Control Mechanism",
	"T1548.005": "Temporary Elevated Cloud Access",
	"T1550":     "Use Alternate Authentication Material",
	"T1550.001": "Application Access Token",
	"T1552":     "Unsecured Credentials",
	"T1552.001": "Credentials In Files",
	"T1552.005": "Cloud Instance Metadata API",
	"T1552.007": "Container API",
	"T1555":     "Credentials from Password Stores",
	"T1555.006": "Cloud Secrets Management Stores",
	"T1556":     "Modify Authentication Process",
	"T1556.006": "Multi-Factor Authentication",
	"T1556.007": "Hybrid Identity",
	"T1556.009": "Conditional Access Policies",
	"T1565":     "Data Manipulation",
	"T1565.001": "Stored Data Manipulation",
	"T1566":     "Phishing",
	"T1567":     "Exfiltration Over Web Service",
	"T1567.002": "Exfiltration to Cloud Storage",
	"T1573":     "Encrypted Channel",
	"T1578":     "Modify Cloud Compute Infrastructure",
	"T1578.001": "Create Snapshot",
	"T1578.002": "Create Cloud Instance",
	"T1578.003": "Delete Cloud Instance",
	"T1578.005": "Modify Cloud Compute Configurations",
	"T1580":     "Cloud Infrastructure Discovery",
	"T1586.003": "Cloud Accounts",
	"T1589":     "Gather Victim Identity Information",
	"T1606":     "Forge Web Credentials",
	"T1606.002": "SAML Tokens",
	"T1608.003": "Install Digital Certificate",
	"T1619":     "Cloud Storage Object Discovery",
	"T1621":     "Multi-Factor Authentication Request Generation",
	"T1648":     "Serverless Execution",
	"T1651":     "Cloud Administration Command",
	"T1666":     "Modify Cloud Resource Hierarchy",
	"T1685":     "Disable or Modify Tools",
	"T1685.001": "Disable or Modify Windows Event Log",
	"T1685.002": "Disable or Modify Cloud Log",
	"T1686":     "Disable or Modify System Firewall",
	"T1686.001": "Cloud Firewall",
	"T1688":     "Safe Mode Boot",
	"T1689":     "Downgrade Attack",
}
