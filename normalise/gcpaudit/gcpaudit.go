// Package gcpaudit reads entries of Google Cloud's audit logs: admin activity,
// data access, system event and policy denied, of every service, Kubernetes and
// Google Workspace among them.
//
// A raw record may be the LogEntry itself, as sinks write it to Cloud Storage and
// the console and gcloud export it, or come in a message of Pub/Sub (pushed,
// pulled or alone), in an event under "data", or as text under "message".
// Event.Raw is the LogEntry, its bytes as they came but for values of secrets
// (redact.go).
//
// A field of the wrong type is as good as absent. Only what makes it no event at
// all is an error: text that is not JSON or not UTF-8, no readable time, no name
// of what happened.
//
// # Who acted
//
// A person or service account is known by its e-mail address in small letters. A
// principal that is absent or redacted is masked, and so is a service agent of
// Google's that acts because somebody asked its service to: its address stays
// ActorUID, its service is ActorInvokedBy, and nothing here guesses at the
// somebody.
//
// # What refused
//
// An organisation policy and VPC Service Controls both end a call as
// denied_by_org_policy; StatusCode then names the constraints, or
// "vpc-service-controls". A policyViolationInfo on a call that was granted, empty
// or of a trial run, is no denial.
//
// # Names of resources
//
// ResourceUID is "//SERVICE/" and the entry's resourceName, as Cloud Asset
// Inventory names things. Versions of secrets and keys are left out (the version
// stands in CallerEvidence), and a project's number becomes its id where the
// entry, which lies in the project of the resource, tells it.
package gcpaudit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Format is the name of the format.
const Format = normalise.GCPAudit

// Normaliser reads LogEntries. The zero value is ready and may be used from
// several goroutines.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is "gcp.audit".
func (Normaliser) Format() string { return Format }

// Append appends the event of r to dst. An entry of an activity of Google
// Workspace becomes an event of that application's format.
func (Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	rd := readers.Get().(*reader)
	defer rd.release()
	n := len(dst)
	dst = append(dst, event.Event{})
	if err := rd.read(&dst[n], r); err != nil {
		return dst[:n], err
	}
	return dst, nil
}

// reader holds what is worth keeping between records.
type reader struct {
	tree jsontree.Tree
	line []byte // scratch: the message, the canonical body
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// release keeps rd for the next record, unless an uncommon one made it large.
func (rd *reader) release() {
	if !rd.tree.Large() && cap(rd.line) < 1<<20 {
		readers.Put(rd)
	}
}

// maxWrappers is how many envelopes may lie around a record.
const maxWrappers = 3

// open parses body and takes the LogEntry out of what it came in.
func (rd *reader) open(body []byte, wrappers int) (entry, error) {
	root, err := rd.tree.Parse(column.Share(body))
	if err != nil {
		return entry{}, fmt.Errorf("the record is not JSON: %w", err)
	}
	if root.Kind() != jsontree.Object {
		return entry{}, fmt.Errorf("the record is %s, not a JSON object", root.Kind())
	}
	if normalise.IsLogEntry(root) {
		return readEntry(root, body), nil
	}
	if wrappers == maxWrappers {
		return entry{}, errors.New("the record lies in more envelopes than Yagura opens")
	}
	if inner, such := normalise.PubSub(root); such {
		if inner == "" {
			return entry{}, errors.New("data: it is no base64 of a record")
		}
		en, err := rd.open([]byte(inner), wrappers+1)
		if err != nil {
			return entry{}, fmt.Errorf("in data: %w", err)
		}
		return en, nil
	}
	if inner := root.Get("message"); inner.Kind() == jsontree.String {
		en, err := rd.open([]byte(strings.TrimSpace(inner.String())), wrappers+1)
		if err != nil {
			return entry{}, fmt.Errorf("in message: %w", err)
		}
		return en, nil
	}
	if inner, where := record.Inner(root); where != "" {
		en, err := rd.open([]byte(inner), wrappers+1)
		if err != nil {
			return entry{}, fmt.Errorf("in %s: %w", where, err)
		}
		return en, nil
	}
	return readEntry(root, body), nil
}

func (rd *reader) read(e *event.Event, r event.Raw) error {
	en, err := rd.open(bytes.TrimSpace(r.Body), 0)
	if err != nil {
		return err
	}
	when, err := en.time()
	if err != nil {
		return err
	}
	if en.payload.Kind() != jsontree.Object {
		return fmt.Errorf("protoPayload is %s, not an audit log", column.Describe(en.payload))
	}
	if en.method == "" {
		return fmt.Errorf("protoPayload.methodName is %s, not the name of what happened", column.Describe(en.rawMethod))
	}
	*e = event.Event{
		Time:          when,
		IngestTime:    r.Received.UTC().Truncate(time.Microsecond),
		EventUID:      en.insertID,
		Format:        Format,
		CloudProvider: "GCP",
		AccountUID:    en.account(),
		APIService:    en.service,
		APIOperation:  en.method,
		APIRequestUID: en.operationID,
		Twin:          en.repeats(),
		SrcVPCE:       en.network,
		UserAgent:     en.agent,
		Raw:           redacted(en.body, en.payload),
		Object:        r.Object,
		Position:      r.Position,
	}
	rd.fill(e, &en)
	return rd.identify(e, &en)
}

// identify sets the uid. Of entries with the same log, time and insertId Cloud
// Logging keeps one; where there is no insertId the entry itself is hashed.
func (rd *reader) identify(e *event.Event, en *entry) error {
	if en.insertID != "" {
		e.UID = event.HashUID(Format, en.logName, e.Time.Format(time.RFC3339Nano), en.insertID)
		return nil
	}
	canonical, err := event.AppendCanonical(rd.line[:0], e.Raw)
	if err != nil {
		return err
	}
	rd.line = canonical
	e.UID = event.HashUID(Format, e.AccountUID, string(canonical))
	return nil
}

// fill sets the columns that are judged rather than copied.
func (rd *reader) fill(e *event.Event, en *entry) {
	var zone string
	e.Region, zone = en.place()
	e.SrcIP, e.SrcHost = column.Address(en.callerIP)
	e.Category = en.category()

	v := en.verdict()
	e.Outcome, e.StatusCode, e.StatusDetail = v.outcome, v.code, v.detail
	e.ClassUID, e.ActivityID, e.ReadOnly = classOf(en)
	if app := en.application(); app != "" {
		en.activity(e, app)
	}
	e.StatusID = event.StatusSuccess
	if e.Outcome != event.Success {
		e.StatusID = event.StatusFailure
	}
	e.SeverityID = severityOf(e.Outcome)
	if v.trial {
		e.Twin = true // the call itself went on, and has an entry of its own
	}

	a := actorOf(en)
	e.ActorType, e.ActorUID, e.ActorName = a.typ, a.uid, a.uid
	e.ActorAccountUID, e.ActorSession = a.account, a.session
	e.ActorCredentialUID, e.ActorInvokedBy = a.credential, a.invokedBy

	c := callerOf(en, &a)
	e.Caller, e.CallerConfidence = c.class, c.confidence
	e.CallerEvidence = column.Join(c.why, a.note)

	version := en.resources(e)
	if version != "" {
		e.CallerEvidence = column.Join(e.CallerEvidence, "version "+version)
	}
	if zone != "" {
		e.CallerEvidence = column.Join(e.CallerEvidence, "zone "+zone)
	}
	e.CallerEvidence = column.Text(e.CallerEvidence)
	e.Message = rd.message(e, en, &a)
}

// severityOf is the event's own weight, which is no judgement: low where a caller
// was turned away. Judging is detection's work.
func severityOf(o event.Outcome) int32 {
	switch o {
	case event.Denied, event.DeniedByOrgPolicy, event.AuthFailed:
		return event.SeverityLow
	}
	return event.SeverityInformational
}
