// Package external takes in findings of other products: each event of a format
// of findings (library alert) is what its product says of one finding.
//
// Records of the same finding are one trouble, whichever way they came: its key
// is made of the product that found it and of the product's own id, so that what
// GuardDuty says itself and what Security Hub passes on of it is one. The latest
// record gives title, severity and reasons; the count is that of the records,
// the product's own count is told in a reason. What the product has closed or
// suppressed comes in so (finding.External).
//
// Nothing is written back from here. WriteBack says by which commands a
// person would.
package external

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma/attack"
)

// Detector takes in findings of others. The zero value is ready.
type Detector struct {
	unread atomic.Int64
}

var _ detect.Detector = (*Detector)(nil)

// Unread is how many events of such formats held no finding that could be read.
// They were read when they became events, so that anything but 0 is a fault.
func (d *Detector) Unread() int64 { return d.unread.Load() }

// Key is the key of the finding that a product calls so.
func Key(r alert.Ref) string { return finding.Key(string(finding.KindExternal), r.Source, r.ID) }

// maxResources is how many of a finding's resources are kept with it; the record
// has the rest.
const maxResources = 50

// record is one event with what it says.
type record struct {
	event *event.Event
	alert alert.Alert
}

type place struct {
	key string
	day time.Time
}

// Judge is detect.Detector's.
func (d *Detector) Judge(ctx context.Context, batch event.BatchID, events []event.Event) (finding.Judged, error) {
	groups := map[place][]record{}
	for i := range events {
		if i%1024 == 0 && ctx.Err() != nil {
			return finding.Judged{}, ctx.Err()
		}
		e := &events[i]
		if !slices.Contains(alert.Formats, e.Format) {
			continue
		}
		a, err := alert.Read(e.Format, e.Raw)
		if err != nil {
			d.unread.Add(1)
			continue
		}
		if a.Source == finding.Ours {
			continue // it was sent out, and comes back: it is a finding already
		}
		at := place{Key(a.Ref), finding.Day(e.Time)}
		groups[at] = append(groups[at], record{e, a})
	}
	var out finding.Judged
	for at, records := range groups {
		out.Occurrences = append(out.Occurrences, occurrence(batch, at, records))
	}
	slices.SortFunc(out.Occurrences, func(a, b finding.Occurrence) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), a.Since.Compare(b.Since))
	})
	return out, nil
}

// occurrence is what the records of one finding on one day say.
func occurrence(batch event.BatchID, at place, records []record) finding.Occurrence {
	slices.SortFunc(records, func(x, y record) int {
		return cmp.Or(x.event.Time.Compare(y.event.Time), bytes.Compare(x.event.UID[:], y.event.UID[:]))
	})
	first, latest := records[0], records[len(records)-1]
	o := finding.Occurrence{
		Trouble: trouble(at.key, latest), Batch: batch, Since: at.day, Until: at.day.AddDate(0, 0, 1),
		FirstSeen: first.event.Time, LastSeen: latest.event.Time, Count: int64(len(records)),
	}
	for _, r := range records {
		o.Evidence.Add(finding.Sighting{Time: r.event.Time, UID: r.event.UID})
	}
	return o
}

// trouble is the finding as its product tells it.
func trouble(key string, r record) finding.Trouble {
	a := &r.alert
	t := finding.Trouble{
		Key: key, Kind: finding.KindExternal, LogSource: a.Format, Source: a.Source,
		Severity: severity(a), Confidence: confidence(a), Actor: cmp.Or(a.Actor.UID, a.Actor.IP), Resource: a.Resource().UID,
		Account: a.Account, Region: a.Region, Reasons: reasons(r), Attack: attacks(a), Next: next(a),
		External: &finding.External{
			Product: a.Product, UID: a.UID, Parent: a.Parent, Format: a.Format, Via: a.Via, Type: a.Type, At: r.event.Time,
			First: a.First, Last: a.Last, Count: a.Count, Links: a.Links, Level: a.Level, Given: status(a.Status), Said: a.Said, Sample: a.Sample,
		},
	}
	if t.Title = title(a).String(); a.Title == "" {
		t.Entitle(title(a))
	}
	t.External.State = a.Class != alert.Detection && a.Class != alert.DataSecurity
	if len(a.Resources) > 1 {
		for _, r := range a.Resources[:min(len(a.Resources), maxResources)] {
			t.External.Resources = append(t.External.Resources, r.UID)
		}
	}
	for _, ref := range a.Related {
		if k := Key(ref); ref.ID != "" && k != key && !slices.Contains(t.Related, k) {
			t.Related = append(t.Related, k)
		}
	}
	if a.Sample {
		t.Explained = []finding.Explanation{{Kind: "context", ID: "sample", Text: say.T("external.sample", say.Values{"product": a.Product})}}
	}
	return t
}

func status(s alert.Status) finding.Status {
	switch s {
	case alert.InProgress:
		return finding.InProgress
	case alert.Suppressed:
		return finding.Suppressed
	case alert.Resolved:
		return finding.Resolved
	}
	return finding.New
}

// severities by OCSF's number. One that is not given counts as medium, and a
// reason says so: what nobody rated must not look harmless.
var severities = map[alert.Severity]finding.Severity{
	alert.Informational: finding.Informational, alert.Low: finding.Low, alert.Medium: finding.Medium,
	alert.High: finding.High, alert.Critical: finding.Critical,
}

func severity(a *alert.Alert) finding.Severity {
	switch s, ok := severities[a.Severity]; {
	case a.Passing():
		return finding.Informational
	case ok:
		return s
	}
	return finding.Medium
}

// confidence is the product's own, else one by what kind of judgement it is: a
// configuration is as it was read, while a detection may be mistaken.
func confidence(a *alert.Alert) float64 {
	switch {
	case strings.EqualFold(a.Verdict, "MANUAL") || a.Verdict == "INSUFFICIENT_DATA":
		return 0.3
	case a.Confidence > 0:
		return a.Confidence
	case a.Class == alert.Detection:
		return 0.7
	}
	return 0.9
}

// attacks names the techniques and tactics, those given by name too.
func attacks(a *alert.Alert) []finding.Attack {
	var out []finding.Attack
	add := func(id string) {
		if !slices.ContainsFunc(out, func(x finding.Attack) bool { return x.ID == id }) {
			out = append(out, finding.Attack{ID: id, Name: attack.Name(id), Version: attack.Version})
		}
	}
	for _, id := range a.Attack {
		if now, ok := attack.ID("attack." + strings.ToLower(id)); ok { // as it is called today
			id = now
		}
		add(id)
	}
	for _, name := range a.Technique {
		if id := attack.ByName(name); id != "" {
			add(id)
		}
	}
	return out
}

// next is what to do: the product's own advice, then its pages.
func next(a *alert.Alert) []string {
	var out []string
	if a.Fix != "" {
		out = append(out, line(a.Fix))
	}
	for _, l := range a.Links {
		out = append(out, say.T("step.read", say.Values{"page": l}).String())
	}
	return out
}

// line is a text in one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
