package external

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// maxNotes is how many of a product's notes become reasons; the record has the
// rest.
const maxNotes = 12

// reasons say what the product says, each with its own words beside ours.
func reasons(r record) []finding.Reason {
	a, e := &r.alert, r.event
	evidence := []event.UID{e.UID}
	var out []finding.Reason
	add := func(kind, observed, format string, args ...any) {
		out = append(out, finding.Reason{Kind: kind, Text: line(fmt.Sprintf(format, args...)), Observed: observed, Evidence: evidence})
	}
	add("finding", a.Type, "%s says: %s", a.Product, sentence(cmp.Or(a.Description, a.Title)))
	if a.Via != "" {
		add("origin", a.Via, "It came through %s", a.Via)
	}
	switch {
	case a.Passing():
		add("severity", a.Level, "The check passes or does not apply, so it is informational here")
	case a.Severity == alert.Unknown:
		add("severity", a.Level, "%s gives no severity; it is counted as medium until somebody looks", a.Product)
	case a.Level == "":
		add("severity", "", "%s gives no severity of its own; by what it found it is %s here", a.Product, severity(a))
	default:
		add("severity", a.Level, "%s rates it %s, which is %s here", a.Product, a.Level, severity(a))
	}
	add("status", a.Said, "%s", statusSentence(a))
	if text := seen(a); text != "" {
		add("seen", fmt.Sprint(a.Count), "%s", text)
	}
	if a.Class == alert.Compliance && a.Verdict != "" {
		add("compliance", a.Verdict, "Check %s: %s%s", cmp.Or(a.Control, a.Type, "without a name"), a.Verdict, of(a.Standards))
	}
	if len(a.CVE) > 0 {
		add("vulnerability", strings.Join(a.CVE, " "), "It is about %s", strings.Join(a.CVE, ", "))
	}
	if who := whom(a); who != "" {
		add("principal", a.Actor.Credential, "%s", who)
	}
	if a.Actor.UID == "" && a.Actor.IP != "" {
		out = append(out, about.Unnamed(a.Actor.IP, evidence))
	}
	if n := len(a.Resources); n > 1 {
		var names []string
		for _, x := range a.Resources[1:min(n, 6)] {
			names = append(names, x.UID)
		}
		add("resources", fmt.Sprint(n), "It names %d resources, besides %s also %s", n, a.Resources[0].UID, strings.Join(names, ", "))
	}
	if n := len(a.Related); n > 0 {
		add("related", fmt.Sprint(n), "%s names %d findings that belong to it", a.Product, n)
	}
	for _, note := range a.Notes[:min(len(a.Notes), maxNotes)] {
		add("note", "", "%s", note)
	}
	return out
}

// sentence keeps a text readable: the record has the rest.
func sentence(s string) string {
	const most = 300
	r := []rune(line(s))
	if len(r) <= most {
		return string(r)
	}
	cut := string(r[:most])
	if i := strings.LastIndexByte(cut, ' '); i > most/2 {
		cut = cut[:i]
	}
	return cut + " …"
}

func statusSentence(a *alert.Alert) string {
	by := cmp.Or(a.Via, a.Product)
	said := cmp.Or(a.Said, "nothing about its status")
	switch a.Status {
	case alert.Suppressed:
		return fmt.Sprintf("It was suppressed at %s (%s), and comes in so", by, said)
	case alert.Resolved:
		return fmt.Sprintf("It is closed at %s (%s), and comes in so", by, said)
	case alert.InProgress:
		return fmt.Sprintf("It is being worked on at %s (%s)", by, said)
	}
	return fmt.Sprintf("It is open at %s (%s)", by, said)
}

// seen tells when and how often, by the product's own word.
func seen(a *alert.Alert) string {
	var b strings.Builder
	if a.Count > 1 {
		fmt.Fprintf(&b, " %d times", a.Count)
	}
	if !a.First.IsZero() {
		fmt.Fprintf(&b, " first at %s", a.First.Format(time.RFC3339))
	}
	if !a.Last.IsZero() && !a.Last.Equal(a.First) {
		fmt.Fprintf(&b, " last at %s", a.Last.Format(time.RFC3339))
	}
	if b.Len() == 0 {
		return ""
	}
	return a.Product + " saw it" + b.String()
}

func of(standards []string) string {
	if len(standards) == 0 {
		return ""
	}
	return ", of " + strings.Join(standards[:min(len(standards), 8)], ", ")
}

// whom tells who did it, with the credential and where from.
func whom(a *alert.Alert) string {
	who := cmp.Or(a.Actor.UID, a.Actor.Name)
	if who == "" {
		return ""
	}
	text := "It was done by " + who
	if a.Actor.Credential != "" {
		text += " with the key " + a.Actor.Credential
	}
	if a.Actor.IP != "" {
		text += " from " + a.Actor.IP
	}
	return text
}
