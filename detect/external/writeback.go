package external

import (
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/finding"
)

// WriteBack says by which commands what was decided about a finding of another
// product would be told to that product, one command a line. It runs nothing:
// Yagura changes no other product unless a person asks for it. Where nothing can
// be written, why says so.
//
// Every value is quoted for a POSIX shell, for ids come from records; one that a
// command would take for an option is none.
func WriteBack(t finding.Trouble, decided finding.Status, note string) (commands []string, why string) {
	x := t.External
	if x == nil {
		return nil, "the finding is Yagura's own: there is no other product to tell"
	}
	if x.UID == "" {
		return nil, x.Product + " gives no id to name the finding by"
	}
	w, ok := writers[x.Format]
	if !ok {
		return nil, fmt.Sprintf("%s keeps no status that could be changed from outside", x.Product)
	}
	commands, why = w(t, decided, note)
	for _, c := range commands {
		if strings.Contains(c, " '-") {
			return nil, "the id or the note begins with a dash, which the command would take for an option: " + c
		}
	}
	return commands, why
}

type writer func(t finding.Trouble, decided finding.Status, note string) ([]string, string)

var writers = map[string]writer{
	alert.SecurityHub: toSecurityHub, alert.GuardDuty: toGuardDuty, alert.AccessAnalyzer: toAccessAnalyzer,
	alert.SCC: toSCC, alert.Defender: toDefender,
}

// workflows are Security Hub's words; v2 takes OCSF's numbers.
var (
	workflows = map[finding.Status]string{finding.New: "NEW", finding.InProgress: "NOTIFIED", finding.Suppressed: "SUPPRESSED", finding.Resolved: "RESOLVED"}
	numbers   = map[finding.Status]string{finding.New: "1", finding.InProgress: "2", finding.Suppressed: "3", finding.Resolved: "4"}
)

func toSecurityHub(t finding.Trouble, decided finding.Status, note string) ([]string, string) {
	x := t.External
	if strings.Contains(x.Parent, ":productv2/") {
		c := "aws securityhub batch-update-findings-v2" + region(t.Region) +
			" --finding-identifiers " + quote(`[{"CloudAccountUid":`+jsonString(t.Account)+`,"FindingInfoUid":`+jsonString(x.UID)+`,"MetadataProductUid":`+jsonString(x.Parent)+`}]`) +
			" --status-id " + numbers[decided]
		if note != "" {
			c += " --comment " + quote(note)
		}
		return []string{c}, ""
	}
	if x.Parent == "" {
		return nil, "Security Hub names a finding by its ProductArn too, and the record has none"
	}
	c := "aws securityhub batch-update-findings" + region(t.Region) +
		" --finding-identifiers " + quote(`[{"Id":`+jsonString(x.UID)+`,"ProductArn":`+jsonString(x.Parent)+`}]`) + " --workflow Status=" + workflows[decided]
	if note != "" {
		c += " --note " + quote(`{"Text":`+jsonString(note)+`,"UpdatedBy":"yagura"}`)
	}
	return []string{c}, ""
}

func toGuardDuty(t finding.Trouble, decided finding.Status, _ string) ([]string, string) {
	x := t.External
	if x.Parent == "" {
		return nil, "GuardDuty names a finding by its detector too, and the record has none"
	}
	id := x.UID[strings.LastIndexByte(x.UID, '/')+1:]
	verb := "archive-findings"
	if decided == finding.New || decided == finding.InProgress {
		verb = "unarchive-findings"
	}
	return []string{"aws guardduty " + verb + region(t.Region) + " --detector-id " + quote(x.Parent) + " --finding-ids " + quote(id)}, ""
}

func toAccessAnalyzer(t finding.Trouble, decided finding.Status, _ string) ([]string, string) {
	x := t.External
	switch {
	case x.Parent == "":
		return nil, "Access Analyzer names a finding by its analyzer too, and the record has none"
	case decided == finding.Resolved:
		return nil, "Access Analyzer resolves a finding itself once the access is gone; it can be archived"
	}
	to := "ACTIVE"
	if decided == finding.Suppressed {
		to = "ARCHIVED"
	}
	return []string{"aws accessanalyzer update-findings" + region(t.Region) + " --analyzer-arn " + quote(x.Parent) + " --ids " + quote(x.UID) + " --status " + to}, ""
}

func toSCC(t finding.Trouble, decided finding.Status, _ string) ([]string, string) {
	switch decided {
	case finding.Suppressed:
		return []string{"gcloud scc findings set-mute " + quote(t.External.UID) + " --mute=MUTED"}, ""
	case finding.Resolved:
		return []string{"gcloud scc findings update " + quote(t.External.UID) + " --state=INACTIVE"}, ""
	}
	return []string{"gcloud scc findings update " + quote(t.External.UID) + " --state=ACTIVE", "gcloud scc findings set-mute " + quote(t.External.UID) + " --mute=UNMUTED"}, ""
}

func toDefender(t finding.Trouble, decided finding.Status, _ string) ([]string, string) {
	x := t.External
	if strings.Contains(strings.ToLower(x.UID), "/assessments/") || strings.Contains(strings.ToLower(x.UID), "/regulatorycompliance") {
		return nil, "Defender for Cloud assesses by itself; exempt the resource there"
	}
	to := map[finding.Status]string{finding.New: "activate", finding.InProgress: "inprogress", finding.Suppressed: "dismiss", finding.Resolved: "resolve"}[decided]
	id := x.UID
	if !strings.HasPrefix(id, "/") {
		return []string{"az security alert update --subscription " + quote(t.Account) + " --name " + quote(id) + " --status " + to}, ""
	}
	return []string{"az rest --method post --url " + quote("https://management.azure.com"+id+"/"+to+"?api-version=2022-01-01")}, ""
}

func region(r string) string {
	if r == "" {
		return ""
	}
	return " --region " + quote(r)
}

// quote writes s as one word of a POSIX shell, on one line.
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// jsonString writes s as a JSON string.
func jsonString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
