package attack

import "strings"

// Tactics are the ids of the tactics that a technique or a part of one serves, as
// ATT&CK's matrix has it; none: the technique is not known here. Open says that it
// served Defense Evasion before version 19 split that tactic, and may serve
// Stealth, Defense Impairment or both besides: which, a rule about it has to say.
// https://attack.mitre.org/matrices/enterprise/
func Tactics(id string) (ids []string, open bool) {
	id, _, _ = strings.Cut(id, ".") // a part serves what the whole serves
	for _, name := range strings.Fields(serves[id]) {
		if name == evasion {
			open = true
			continue
		}
		ids = append(ids, tactics[name])
	}
	return ids, open
}

// Evasion are the tactics that Defense Evasion became.
var Evasion = []string{tactics["stealth"], tactics["defense-impairment"]}

// evasion stands for the tactic that was split.
const evasion = "defense-evasion"

// serves gives the tactics of techniques, in the order of the matrix.
var serves = map[string]string{
	"T1021": "lateral-movement",
	"T1037": "persistence privilege-escalation",
	"T1040": "credential-access discovery",
	"T1048": "exfiltration",
	"T1059": "execution",
	"T1069": "discovery",
	"T1070": evasion,
	"T1074": "collection",
	"T1078": "initial-access persistence privilege-escalation " + evasion,
	"T1087": "discovery",
	"T1090": "command-and-control",
	"T1098": "persistence privilege-escalation",
	"T1110": "credential-access",
	"T1114": "collection",
	"T1119": "collection",
	"T1133": "initial-access persistence",
	"T1136": "persistence",
	"T1140": evasion,
	"T1190": "initial-access",
	"T1199": "initial-access",
	"T1204": "execution",
	"T1484": "privilege-escalation " + evasion,
	"T1485": "impact",
	"T1486": "impact",
	"T1489": "impact",
	"T1490": "impact",
	"T1496": "impact",
	"T1525": "persistence",
	"T1526": "discovery",
	"T1528": "credential-access",
	"T1530": "collection",
	"T1531": "impact",
	"T1535": evasion,
	"T1537": "exfiltration",
	"T1538": "discovery",
	"T1546": "persistence privilege-escalation",
	"T1548": "privilege-escalation " + evasion,
	"T1550": "lateral-movement " + evasion,
	"T1552": "credential-access",
	"T1555": "credential-access",
	"T1556": "persistence credential-access " + evasion,
	"T1565": "impact",
	"T1566": "initial-access",
	"T1567": "exfiltration",
	"T1573": "command-and-control",
	"T1578": evasion,
	"T1580": "discovery",
	"T1584": "resource-development",
	"T1586": "resource-development",
	"T1589": "reconnaissance",
	"T1606": "credential-access",
	"T1608": "resource-development",
	"T1619": "discovery",
	"T1621": "credential-access",
	"T1648": "execution",
	"T1649": "credential-access",
	"T1651": "execution",
	"T1666": evasion,
	"T1685": "defense-impairment",
	"T1686": "defense-impairment",
	"T1688": "defense-impairment",
	"T1689": "defense-impairment",
}
