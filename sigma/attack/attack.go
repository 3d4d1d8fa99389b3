// Package attack knows the MITRE ATT&CK ids that Sigma's tags name: which are out
// of date, what took their place, and what those for clouds and identities are
// called.
package attack

import "strings"

// Version is the version of ATT&CK whose ids and names these are.
const Version = "19"

// ID reads a tag such as attack.t1098.001 or attack.persistence and gives the id
// it names today. What is not known here keeps its id. False: the tag names
// neither a technique nor a tactic, but for example a group.
func ID(tag string) (id string, ok bool) {
	what, isAttack := strings.CutPrefix(strings.ToLower(tag), "attack.")
	switch name := strings.ReplaceAll(what, "_", "-"); {
	case !isAttack:
		return "", false
	case IsTechnique(what):
		id = strings.ToUpper(what)
		if now := replaced[id]; now != "" {
			id = now
		}
	case tactics[name] != "":
		id = tactics[name]
	case strings.HasPrefix(what, "ta") && names[strings.ToUpper(what)] != "":
		id = strings.ToUpper(what)
	default:
		return "", false
	}
	return id, true
}

// Outdated says how a tag is to be written today, one of several choices; none:
// as it is, or nothing is known of it.
func Outdated(tag string) (today []string) {
	what, isAttack := strings.CutPrefix(tag, "attack.")
	if !isAttack {
		return nil
	}
	if now := replaced[strings.ToUpper(what)]; now != "" {
		return []string{"attack." + strings.ToLower(now)}
	}
	if strings.ReplaceAll(what, "_", "-") == "defense-evasion" { // split by version 19
		return []string{"attack.stealth", "attack.defense-impairment"}
	}
	if name := strings.ReplaceAll(what, "_", "-"); name != what && tactics[name] != "" {
		return []string{"attack." + name} // written so until 2023
	}
	return nil
}

// Name is what an id is called; empty: not known here.
func Name(id string) string { return names[id] }

// IsTactic tells whether an id such as TA0003 is that of a tactic.
func IsTactic(id string) bool { return strings.HasPrefix(id, "TA") }

// IsTechnique tells whether s is t1234 or t1234.001.
func IsTechnique(s string) bool {
	digits := func(s string, n int) bool {
		return len(s) == n && strings.Trim(s, "0123456789") == ""
	}
	s, ok := strings.CutPrefix(s, "t")
	head, sub, has := strings.Cut(s, ".")
	return ok && digits(head, 4) && (!has || digits(sub, 3))
}

// tactics by the names that tags use; the old one is that before version 19.
var tactics = map[string]string{
	"reconnaissance": "TA0043", "resource-development": "TA0042", "initial-access": "TA0001",
	"execution": "TA0002", "persistence": "TA0003", "privilege-escalation": "TA0004",
	"stealth": "TA0005", "defense-evasion": "TA0005", "defense-impairment": "TA0112",
	"credential-access": "TA0006", "discovery": "TA0007", "lateral-movement": "TA0008",
	"collection": "TA0009", "command-and-control": "TA0011", "exfiltration": "TA0010", "impact": "TA0040",
}

// replaced gives, for ids that are no more, those that took their place: what
// version 19 revoked, and before that the techniques that became parts of others
// in 2020.
var replaced = map[string]string{
	"T1562": "T1685", "T1562.001": "T1685", "T1562.002": "T1685.001", "T1562.003": "T1690",
	"T1562.004": "T1686", "T1562.006": "T1685", "T1562.007": "T1686.001", "T1562.008": "T1685.002",
	"T1562.009": "T1688", "T1562.010": "T1689", "T1562.011": "T1685.003", "T1562.012": "T1685.004",
	"T1562.013": "T1686.002", "T1070.001": "T1685.005", "T1070.002": "T1685.006",

	"T1004": "T1547.004", "T1009": "T1027.001", "T1013": "T1547.010", "T1015": "T1546.008",
	"T1023": "T1547.009", "T1028": "T1021.006", "T1035": "T1569.002", "T1045": "T1027.002",
	"T1050": "T1543.003", "T1054": "T1685", "T1060": "T1547.001", "T1063": "T1518.001",
	"T1066": "T1027.005", "T1075": "T1550.002", "T1076": "T1021.001", "T1077": "T1021.002",
	"T1081": "T1552.001", "T1084": "T1546.003", "T1085": "T1218.011", "T1086": "T1059.001",
	"T1088": "T1548.002", "T1089": "T1685", "T1093": "T1055.012", "T1096": "T1564.004",
	"T1097": "T1550.003", "T1099": "T1070.006", "T1100": "T1505.003", "T1107": "T1070.004",
	"T1116": "T1553.002", "T1117": "T1218.010", "T1118": "T1218.004", "T1121": "T1218.009",
	"T1126": "T1070.005", "T1130": "T1553.004", "T1139": "T1552.003", "T1145": "T1552.004",
	"T1146": "T1070.003", "T1158": "T1564.001", "T1169": "T1548.003", "T1170": "T1218.005",
	"T1188": "T1090.003", "T1191": "T1218.003", "T1192": "T1566.002", "T1193": "T1566.001",
	"T1194": "T1566.003", "T1206": "T1548.003", "T1208": "T1558.003", "T1214": "T1552.002",
	"T1223": "T1218.001", "T1483": "T1568.002", "T1492": "T1565.001", "T1493": "T1565.002",
	"T1494": "T1565.003", "T1500": "T1027.004", "T1501": "T1543.002", "T1503": "T1555.003",
	"T1506": "T1550.004", "T1522": "T1552.005", "T1527": "T1550.001", "T1536": "T1578.004",
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
	"T1040":     "Network Sniffing",
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
	"T1110.001": "Password Guessing",
	"T1110.003": "Password Spraying",
	"T1110.004": "Credential Stuffing",
	"T1114":     "Email Collection",
	"T1114.002": "Remote Email Collection",
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
	"T1566.001": "Spearphishing Attachment",
	"T1566.002": "Spearphishing Link",
	"T1567":     "Exfiltration Over Web Service",
	"T1567.002": "Exfiltration to Cloud Storage",
	"T1573":     "Encrypted Channel",
	"T1578":     "Modify Cloud Compute Infrastructure",
	"T1578.001": "Create Snapshot",
	"T1578.002": "Create Cloud Instance",
	"T1578.003": "Delete Cloud Instance",
	"T1578.005": "Modify Cloud Compute Configurations",
	"T1580":     "Cloud Infrastructure Discovery",
	"T1584.001": "Domains",
	"T1586.003": "Cloud Accounts",
	"T1589":     "Gather Victim Identity Information",
	"T1606":     "Forge Web Credentials",
	"T1606.002": "SAML Tokens",
	"T1608.003": "Install Digital Certificate",
	"T1619":     "Cloud Storage Object Discovery",
	"T1621":     "Multi-Factor Authentication Request Generation",
	"T1648":     "Serverless Execution",
	"T1649":     "Steal or Forge Authentication Certificates",
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

// ByName is the id of a technique or tactic that is called so, in whatever case;
// empty: none is known here. Of several the least: T1098 before T1098.001.
func ByName(name string) string {
	least := ""
	for id, n := range names {
		if strings.EqualFold(n, name) && (least == "" || id < least) {
			least = id
		}
	}
	return least
}
