// Package alerts makes events of findings of other products: Security Hub,
// GuardDuty, Access Analyzer, Inspector, Macie, Config, Google's Security
// Command Center, Defender for Cloud, Sysdig, Falco, Prowler, and findings in
// OCSF of whatever product.
//
// A record is one finding, bare or in an envelope (library alert); Event.Raw is
// the finding itself, its bytes as they came. The classes are OCSF's category
// Findings. The category is insight: it is what somebody concluded from logs, no
// use of anything, and so never counted as use.
//
// Each record of a finding is an event of its own: the same finding told again
// with other words (an update) has another uid, the same record delivered again
// has the same. What makes records one finding is said by detect/external.
package alerts

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/say"
)

// Normaliser reads one format of findings; its value is the format's name.
type Normaliser string

var _ normalise.Normaliser = Normaliser("")

// All are the normalisers of every format of findings.
func All() []normalise.Normaliser {
	out := make([]normalise.Normaliser, len(alert.Formats))
	for i, f := range alert.Formats {
		out[i] = Normaliser(f)
	}
	return out
}

// Format is the name of the format.
func (n Normaliser) Format() string { return string(n) }

// Append appends the event of r to dst. A record of another format is an error
// that names it.
func (n Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	found, a, err := alert.Take(r.Body)
	switch {
	case found.Format != "" && found.Format != string(n):
		return dst, fmt.Errorf("a finding of format %s, where the source was said to be of %s", found.Format, n)
	case err != nil:
		return dst, err
	}
	canonical, err := event.Canonical(found.Body)
	if err != nil {
		return dst, fmt.Errorf("not JSON: %w", err)
	}
	e := eventOf(&a)
	e.Raw = found.Body
	e.IngestTime, e.Object, e.Position = r.Received.UTC().Truncate(time.Microsecond), r.Object, r.Position
	if e.Time.IsZero() { // a state as of when it was read
		e.Time = e.IngestTime
	}
	e.UID = event.HashUID(found.Format, a.Account, a.Source, a.ID, string(canonical))
	return append(dst, e), nil
}

// eventOf are the columns that a finding fills.
func eventOf(a *alert.Alert) event.Event {
	e := event.Event{
		Time: a.At, EventUID: a.UID, ClassUID: classes[a.Class], ActivityID: activity(a), SeverityID: int32(a.Severity),
		StatusID: statuses[a.Status], StatusCode: a.Verdict, StatusDetail: a.Said,
		Format: a.Format, CloudProvider: a.Cloud, AccountUID: a.Account, Region: a.Region,
		APIService: a.Source, APIOperation: a.Type, Category: event.Insight,
		ActorType: actorType(a.Actor), ActorUID: a.Actor.UID, ActorName: a.Actor.Name, ActorAccountUID: a.Actor.Account,
		ActorSession: a.Actor.Session, ActorCredentialUID: a.Actor.Credential,
		Caller: event.CallerUnknown, SrcIP: a.Actor.IP, UserAgent: a.Actor.Agent,
		DeviceName: a.Host, Process: a.Process, Message: message(a),
	}
	if len(a.Links) > 0 {
		e.URL = a.Links[0]
	}
	first := a.Resource()
	e.ResourceUID, e.ResourceType, e.ResourceAccountUID = first.UID, first.Type, cmp.Or(first.Account, a.Account)
	seen := map[string]bool{}
	for _, r := range a.Resources {
		if !seen[r.UID] {
			seen[r.UID] = true
			e.ResourceUIDs = append(e.ResourceUIDs, r.UID)
		}
	}
	return e
}

var classes = map[alert.Class]int32{
	alert.Vulnerability: event.ClassVulnerability, alert.Compliance: event.ClassComplianceFinding, alert.Detection: event.ClassDetectionFinding,
	alert.DataSecurity: event.ClassDataSecurity, alert.IAMAnalysis: event.ClassIAMAnalysis,
}

// statuses are OCSF's status_id of findings.
var statuses = map[alert.Status]int32{alert.Open: 1, alert.InProgress: 2, alert.Suppressed: 3, alert.Resolved: 4}

// activity is OCSF's activity_id of findings: 1 create, 2 update, 3 close.
func activity(a *alert.Alert) int32 {
	switch {
	case a.Status == alert.Resolved:
		return 3
	case !a.First.IsZero() && a.At.After(a.First) && a.Count != 1:
		return 2
	}
	return 1
}

func actorType(who alert.Actor) event.ActorType {
	switch who.Type {
	case "role", "user", "root", "account", "service", "federated":
		return event.ActorType(who.Type)
	}
	if who.UID == "" && who.Name == "" {
		return event.ActorMasked // the finding names nobody
	}
	return event.ActorUnknown
}

// message is one line: who says what about what.
func message(a *alert.Alert) string {
	title := a.Title
	if title == "" {
		values := say.Values{"product": a.Product, "what": a.Titled.What, "of": a.Titled.Of}
		title = say.T("alert."+string(a.Titled.Kind), values).String()
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s: %s", cmp.Or(a.Product, a.Source), title)), " ")
}
