package external

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// maxNotes is how many of a product's notes become reasons; the record has the
// rest.
const maxNotes = 12

// reasons say what the product says, each with its own words beside ours.
func reasons(r record) []finding.Reason {
	a, e := &r.alert, r.event
	evidence := []event.UID{e.UID}
	var out []finding.Reason
	add := func(kind, observed string, text say.Text) {
		out = append(out, finding.Reason{Kind: kind, Text: text, Observed: say.Plain(observed), Evidence: evidence})
	}
	product := line(a.Product)
	said := say.Plain(sentence(a.Description))
	if a.Description == "" {
		said = title(a)
	}
	add("finding", a.Type, say.T("external.says", say.Values{"product": product, "said": said}))
	if a.Via != "" {
		add("origin", a.Via, say.T("external.via", say.Values{"via": line(a.Via)}))
	}
	switch rated := severity(a).Said(); {
	case a.Passing():
		add("severity", a.Level, say.T("external.severity.passing", nil))
	case a.Severity == alert.Unknown:
		add("severity", a.Level, say.T("external.severity.unknown", say.Values{"product": product}))
	case a.Level == "":
		add("severity", "", say.T("external.severity.none", say.Values{"product": product, "severity": rated}))
	default:
		add("severity", a.Level, say.T("external.severity", say.Values{"product": product, "level": line(a.Level), "severity": rated}))
	}
	add("status", a.Said, statusSentence(a))
	if text := seen(a); text != (say.Text{}) {
		add("seen", fmt.Sprint(a.Count), text)
	}
	if a.Class == alert.Compliance && a.Verdict != "" {
		add("compliance", a.Verdict, compliance(a))
	}
	if len(a.CVE) > 0 {
		add("vulnerability", strings.Join(a.CVE, " "), say.T("external.cve", say.Values{"cve": a.CVE}))
	}
	if who := whom(a); who != (say.Text{}) {
		add("principal", a.Actor.Credential, who)
	}
	if a.Actor.UID == "" && a.Actor.IP != "" {
		out = append(out, about.Unnamed(a.Actor.IP, evidence))
	}
	if n := len(a.Resources); n > 1 {
		var names []string
		for _, x := range a.Resources[1:min(n, 6)] {
			names = append(names, line(x.UID))
		}
		add("resources", fmt.Sprint(n), say.T("external.resources", say.Values{"n": n, "first": line(a.Resources[0].UID), "others": names}))
	}
	if n := len(a.Related); n > 0 {
		add("related", fmt.Sprint(n), say.T("external.related", say.Values{"product": product, "n": n}))
	}
	for _, note := range a.Notes[:min(len(a.Notes), maxNotes)] {
		add("note", "", told(a, note))
	}
	return out
}

// told says a note.
func told(a *alert.Alert, n alert.Note) say.Text {
	if n.Kind == alert.OwnWords {
		return say.Plain(line(n.What))
	}
	values := say.Values{"product": line(a.Product), "what": line(n.What), "of": line(n.Of)}
	if n.Kind == alert.NoteBy && n.Of == "" {
		values["of"] = say.T("somebody", nil)
	}
	return say.T("alert."+string(n.Kind), values)
}

// title is the product's, or what stands for it.
func title(a *alert.Alert) say.Text {
	if a.Title != "" {
		return say.Plain(sentence(a.Title))
	}
	return told(a, a.Titled)
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

func statusSentence(a *alert.Alert) say.Text {
	said := say.Plain(line(a.Said))
	if a.Said == "" {
		said = say.T("external.status.nothing", nil)
	}
	values := say.Values{"by": line(cmp.Or(a.Via, a.Product)), "said": said}
	switch a.Status {
	case alert.Suppressed:
		return say.T("external.status.suppressed", values)
	case alert.Resolved:
		return say.T("external.status.closed", values)
	case alert.InProgress:
		return say.T("external.status.progress", values)
	}
	return say.T("external.status.open", values)
}

// seen tells when and how often, by the product's own word.
func seen(a *alert.Alert) say.Text {
	var times, first, last say.Text
	if a.Count > 1 {
		times = say.T("external.seen.times", say.Values{"n": a.Count})
	}
	if !a.First.IsZero() {
		first = say.T("external.seen.first", say.Values{"at": a.First})
	}
	if !a.Last.IsZero() && !a.Last.Equal(a.First) {
		last = say.T("external.seen.last", say.Values{"at": a.Last})
	}
	if times == first && first == last { // none of them
		return say.Text{}
	}
	return say.T("external.seen", say.Values{"product": line(a.Product), "times": times, "first": first, "last": last})
}

// compliance tells what came of a check, and whose check it is.
func compliance(a *alert.Alert) say.Text {
	name := say.Plain(line(cmp.Or(a.Control, a.Type)))
	if name == (say.Text{}) {
		name = say.T("external.check.unnamed", nil)
	}
	if len(a.Standards) == 0 {
		return say.T("external.check", say.Values{"check": name, "verdict": line(a.Verdict)})
	}
	return say.T("external.check.of", say.Values{"check": name, "verdict": line(a.Verdict), "standards": lines(a.Standards[:min(len(a.Standards), 8)])})
}

// whom tells who did it, with the credential and where from.
func whom(a *alert.Alert) say.Text {
	who := cmp.Or(a.Actor.UID, a.Actor.Name)
	if who == "" {
		return say.Text{}
	}
	var key, from say.Text
	if a.Actor.Credential != "" {
		key = say.T("external.whom.key", say.Values{"key": line(a.Actor.Credential)})
	}
	if a.Actor.IP != "" {
		from = say.T("external.whom.from", say.Values{"address": line(a.Actor.IP)})
	}
	return say.T("external.whom", say.Values{"who": line(who), "key": key, "from": from})
}

// lines are texts in one line each.
func lines(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = line(s)
	}
	return out
}
