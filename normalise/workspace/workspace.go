// Package workspace reads activities of Google Workspace: sign-ins, what
// administrators do, Drive, tokens, SAML, groups, accounts and every other
// application of the Reports API, as that gives them ("admin#reports#activity"),
// bare or in the envelopes that gcpaudit opens. Where they come as entries of
// Google Cloud's audit logs, gcpaudit reads them.
//
// A record may hold several events of one moment: the columns tell of the first,
// the message how many more there are, Raw holds all.
//
// An account is the domain of whoever acted. A sign-in that Google blocked or a
// warning is told under its own name; only what says so is a failure.
package workspace

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/gcpaudit"
	"github.com/yagura-sec/yagura/normalise/record"
	"github.com/yagura-sec/yagura/normalise/workspace/activity"
)

// Normaliser reads activities; its value is the name of a format. A record is of
// the format of its own application, whichever was asked.
type Normaliser string

var _ normalise.Normaliser = Normaliser("")

// All are the normalisers of every format of Workspace's.
func All() []normalise.Normaliser {
	var out []normalise.Normaliser
	for _, f := range normalise.WorkspaceFormats() {
		out = append(out, Normaliser(f))
	}
	return out
}

// Format is the name of the format.
func (n Normaliser) Format() string { return string(n) }

var trees = sync.Pool{New: func() any { return new(jsontree.Tree) }}

// maxWrappers is how many envelopes may lie around a record.
const maxWrappers = 3

// Append appends the event of r to dst.
func (n Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	tree := trees.Get().(*jsontree.Tree)
	defer func() {
		if !tree.Large() {
			trees.Put(tree)
		}
	}()
	body := bytes.TrimSpace(r.Body)
	root, err := open(tree, &body, 0)
	if err != nil {
		return dst, err
	}
	if normalise.IsLogEntry(root) {
		r.Body = body
		return gcpaudit.Normaliser{}.Append(dst, r)
	}
	e, err := read(root, body, r)
	if err != nil {
		return dst, err
	}
	return append(dst, e), nil
}

// open parses *body and makes it what lies in its envelopes.
func open(tree *jsontree.Tree, body *[]byte, wrappers int) (jsontree.Value, error) {
	root, err := tree.Parse(column.Share(*body))
	if err != nil {
		return root, fmt.Errorf("the record is not JSON: %w", err)
	}
	if root.Kind() != jsontree.Object {
		return root, fmt.Errorf("the record is %s, not a JSON object", root.Kind())
	}
	inner, such := normalise.PubSub(root)
	if m := root.Get("message"); !such && m.Kind() == jsontree.String && !root.Get("id").Exists() {
		inner, such = strings.TrimSpace(m.String()), true
	}
	if !such && !root.Get("id").Exists() && !normalise.IsLogEntry(root) {
		if text, where := record.Inner(root); where != "" {
			inner, such = text, true
		}
	}
	switch {
	case !such:
		return root, nil
	case wrappers == maxWrappers:
		return root, fmt.Errorf("the record lies in more envelopes than Yagura opens")
	case inner == "":
		return root, fmt.Errorf("data: it is no base64 of a record")
	}
	*body = []byte(inner)
	if root, err = open(tree, body, wrappers+1); err != nil {
		return root, fmt.Errorf("in its envelope: %w", err)
	}
	return root, nil
}

// read makes the event of an activity.
// https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list
func read(root jsontree.Value, body []byte, r event.Raw) (event.Event, error) {
	id := root.Get("id")
	when, ok := column.Time(id.Get("time"))
	if !ok {
		return event.Event{}, fmt.Errorf("id.time is %s, not a time such as 2006-01-02T15:04:05.999Z", column.Describe(id.Get("time")))
	}
	events := root.Get("events")
	if !events.Exists() && root.Get("name").Exists() {
		events = root // an exporter that writes a record of each event
	}
	first := events
	if events.Kind() == jsontree.Array {
		first = events.First()
	}
	name := column.Str(first.Get("name"))
	if name == "" {
		return event.Event{}, fmt.Errorf("events.name is %s, not the name of what happened", column.Describe(first.Get("name")))
	}
	application := column.Str(id.Get("applicationName"))
	kind := activity.Of(first.Get("type").String(), name)
	e := event.Event{
		Time: when, IngestTime: r.Received.UTC().Truncate(time.Microsecond),
		EventUID: column.Scalar(id.Get("uniqueQualifier")), Format: normalise.WorkspaceFormat(application),
		ClassUID: kind.Class, ActivityID: kind.Activity, Outcome: kind.Outcome, ReadOnly: kind.ReadOnly,
		StatusID: event.StatusSuccess, SeverityID: event.SeverityInformational,
		CloudProvider: "GCP", AccountUID: account(root), Category: event.Management,
		APIService: serviceOf(application), APIOperation: name, Raw: body, Object: r.Object, Position: r.Position,
	}
	e.SrcIP, e.SrcHost = column.Address(column.Str(root.Get("ipAddress")))
	actorOf(&e, root.Get("actor"))
	parameters(&e, events)
	callerOf(&e, root.Get("actor"))
	if e.Outcome != event.Success {
		e.StatusID, e.SeverityID = event.StatusFailure, event.SeverityLow
	} else {
		e.StatusCode = ""
	}
	e.Message = message(&e, events)

	// The qualifier tells apart what one application wrote in one moment; some
	// exporters leave it at 1, so that what happened is part of the identity.
	canonical, err := event.Canonical([]byte(events.Raw()))
	if err != nil {
		return event.Event{}, fmt.Errorf("events: %w", err)
	}
	e.UID = event.HashUID(normalise.Workspace, column.Scalar(id.Get("customerId")), application, when.Format(time.RFC3339Nano),
		e.EventUID, e.ActorUID, string(canonical))
	return e, nil
}

// account is the domain that the activity is of, else the customer's id.
func account(root jsontree.Value) string {
	if d := column.Str(root.Get("ownerDomain")); d != "" {
		return strings.ToLower(d)
	}
	if _, domain, ok := strings.Cut(column.Str(root.Get("actor").Get("email")), "@"); ok {
		return strings.ToLower(domain)
	}
	return column.Scalar(root.Get("id").Get("customerId"))
}

// serviceOf is the service under whose name Cloud Logging has the application, so
// that one question finds both; applications that do not come there have their
// own name.
func serviceOf(application string) string {
	for _, service := range []string{"admin.googleapis.com", "login.googleapis.com", "oauth2.googleapis.com"} {
		if normalise.WorkspaceApplication(service) == application {
			return service
		}
	}
	if application == "drive" {
		return "drive.googleapis.com"
	}
	return application
}

// actorOf sets who acted: a user by his address, a client by its key.
func actorOf(e *event.Event, v jsontree.Value) {
	email := strings.ToLower(column.Str(v.Get("email")))
	key := column.Str(v.Get("key"))
	switch {
	case strings.HasSuffix(email, "gserviceaccount.com"):
		e.ActorType, e.ActorUID = event.ActorRole, email
	case strings.Contains(email, "@"):
		e.ActorType, e.ActorUID = event.ActorUser, email
	case key == "SYSTEM":
		e.ActorType, e.ActorUID = event.ActorService, "SYSTEM"
	case key != "":
		e.ActorType, e.ActorUID = event.ActorService, key
	default:
		e.ActorType = event.ActorMasked
	}
	e.ActorName = e.ActorUID
	if profile := column.Scalar(v.Get("profileId")); profile != "" && e.ActorUID != "" {
		e.CallerEvidence = "profile " + profile
	}
}

// parameters reads what the events are about and how they ended.
func parameters(e *event.Event, events jsontree.Value) {
	each(events, func(ev jsontree.Value) {
		for p := ev.Get("parameters").First(); p.Exists(); p = p.Next() {
			name, v := parameter(p)
			value := column.Str(v)
			switch name {
			case "login_failure_type", "failure_type":
				e.StatusCode = value
			case "saml_status_code":
				e.StatusDetail = value
			case "is_second_factor":
				second, _ := column.Truth(v)
				e.ActorMFA = e.ActorMFA || second
			case "login_challenge_method":
				e.ActorMFA = e.ActorMFA || secondFactor(v)
			}
			uid, typ := activity.Thing(name, value)
			if uid == "" || len(e.ResourceUIDs) == maxResources || slices.Contains(e.ResourceUIDs, uid) {
				continue
			}
			if e.ResourceUID == "" {
				e.ResourceUID, e.ResourceType, e.ResourceAccountUID = uid, typ, e.AccountUID
			}
			e.ResourceUIDs = append(e.ResourceUIDs, uid)
		}
	})
}

// parameter is the name and value of {"name": …, "value": …}, whose key for the
// value is by its type, or of a member of an object of parameters.
func parameter(p jsontree.Value) (name string, value jsontree.Value) {
	if p.Kind() == jsontree.Object {
		for _, key := range [...]string{"value", "boolValue", "multiValue", "intValue"} {
			if v := p.Get(key); v.Exists() {
				return p.Get("name").String(), v
			}
		}
	}
	return p.Key(), p
}

// maxResources is how many resources of one record are named in columns.
const maxResources = 256

// each calls f with every event of a record; some exporters write one alone.
func each(events jsontree.Value, f func(jsontree.Value)) {
	if events.Kind() != jsontree.Array {
		f(events)
		return
	}
	for m := events.First(); m.Exists(); m = m.Next() {
		f(m)
	}
}

// secondFactor tells whether a challenge beside the password was passed.
func secondFactor(methods jsontree.Value) bool {
	for m := methods.First(); m.Exists(); m = m.Next() {
		if s := m.String(); s != "" && !strings.EqualFold(s, "password") && !strings.EqualFold(s, "none") {
			return true
		}
	}
	return false
}

// callerOf tells what acted, as far as an activity does: it has no user agent.
func callerOf(e *event.Event, actor jsontree.Value) {
	note := e.CallerEvidence
	switch {
	case actor.Get("callerType").String() == "KEY":
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerStaticKey, 0.8, "callerType KEY"
	case e.ClassUID == event.ClassAuthentication && e.ActorType == event.ActorUser:
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerConsole, 0.7, "a sign-in page's event"
	case e.ActorType == event.ActorService:
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerAWSService, 0.8, "Google's own principal "+e.ActorUID
	default:
		e.Caller, e.CallerEvidence = event.CallerUnknown, ""
	}
	e.CallerEvidence = column.Text(column.Join(e.CallerEvidence, note))
}

// message is one line: "user mei@example.com: login_failure
// (login_failure_invalid_password) from 203.0.113.7 in example.com".
func message(e *event.Event, events jsontree.Value) string {
	var w column.Line
	switch e.ActorType {
	case event.ActorUser:
		w.Words("user ")
		w.Name(e.ActorUID)
	case event.ActorMasked:
		w.Words("someone unnamed")
	default:
		w.Words("principal ")
		w.Name(e.ActorUID)
	}
	w.Words(": ")
	w.Name(e.APIOperation)
	if e.StatusCode != "" {
		w.Words(" (")
		w.Name(e.StatusCode)
		w.Words(")")
	}
	if e.ResourceUID != "" {
		w.Words(" on ")
		w.Name(e.ResourceUID)
	}
	if from := e.SrcIP + e.SrcHost; from != "" {
		w.Words(" from ")
		w.Name(from)
	}
	if e.AccountUID != "" {
		w.Words(" in ")
		w.Name(e.AccountUID)
	}
	n := 0
	each(events, func(jsontree.Value) { n++ })
	if n > 1 {
		w.Words(" and " + strconv.Itoa(n-1) + " more in the same moment")
	}
	return w.String()
}
