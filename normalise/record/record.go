// Package record is what readers of logs in JSON share: taking a record out of
// what collectors put around it, and making columns of what it says.
//
// A field of the wrong type is as good as absent: its column stays empty and the
// record is kept. Only what makes it no event at all is an error.
package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// MaxColumn is how many bytes of a text go into a column; the record keeps the
// rest.
const MaxColumn = 8 << 10

// maxWrappers is how many envelopes may lie around a record.
const maxWrappers = 3

// Doc is one record. Its values are valid until the function that it was given
// to returns; strings taken from it share the memory of Body.
type Doc struct {
	Root jsontree.Value
	Body []byte // the record alone, as it came

	tree jsontree.Tree
	line []byte // scratch: the canonical body
}

var docs = sync.Pool{New: func() any { return new(Doc) }}

func (d *Doc) release() {
	d.Root, d.Body = jsontree.Value{}, nil
	if !d.tree.Large() && cap(d.line) < 1<<20 {
		docs.Put(d)
	}
}

// Append appends to dst the event of r that fill makes. It opens the record: is
// tells it from an envelope. It sets what is the same for all formats, Raw,
// IngestTime, Format, Object and Position, bounds the columns, and gives the event
// its UID: of the format, the account, the provider's id and the record's canonical
// form, so that a record delivered twice is one event and one told otherwise is
// another.
//
// fill may replace Doc.Body, where something is not to be kept. What it leaves
// empty of Caller, ActorType, Category and Outcome becomes unknown, unknown,
// management and success.
func Append(dst []event.Event, r event.Raw, format string, is func(jsontree.Value) bool, fill func(*event.Event, *Doc) error) ([]event.Event, error) {
	d := docs.Get().(*Doc)
	defer d.release()
	if err := d.open(bytes.TrimSpace(r.Body), is, 0); err != nil {
		return dst, err
	}
	e := event.Event{
		IngestTime: r.Received.UTC().Truncate(time.Microsecond), Format: format, Object: r.Object, Position: r.Position,
	}
	if err := fill(&e, d); err != nil {
		return dst, err
	}
	e.Raw = d.Body
	d.settle(&e)
	canonical, err := event.AppendCanonical(d.line[:0], d.Body)
	if err != nil {
		return dst, err
	}
	d.line = canonical
	e.UID = event.HashUID(format, e.AccountUID, e.EventUID, share(canonical))
	return append(dst, e), nil
}

// settle sets what follows from other columns or stands for nothing known.
func (d *Doc) settle(e *event.Event) {
	if e.Caller == "" {
		e.Caller = event.CallerUnknown
	}
	if e.ActorType == "" {
		e.ActorType = event.ActorUnknown
	}
	if e.Category == "" {
		e.Category = event.Management
	}
	if e.Outcome == "" {
		e.Outcome = event.Success
	}
	if e.StatusID == event.StatusUnknown && !e.Twin {
		e.StatusID = event.StatusSuccess
		if e.Outcome != event.Success {
			e.StatusID = event.StatusFailure
		}
	}
	if e.SeverityID == event.SeverityUnknown {
		e.SeverityID = event.SeverityInformational
		if e.Outcome == event.Denied || e.Outcome == event.DeniedByOrgPolicy || e.Outcome == event.AuthFailed {
			e.SeverityID = event.SeverityLow
		}
	}
	if e.ResourceUID != "" && len(e.ResourceUIDs) == 0 {
		e.ResourceUIDs = []string{e.ResourceUID}
	}
	for _, s := range [...]*string{
		&e.EventUID, &e.StatusCode, &e.StatusDetail, &e.AccountUID, &e.Region, &e.APIService, &e.APIOperation, &e.APIRequestUID,
		&e.ActorUID, &e.ActorName, &e.ActorAccountUID, &e.ActorSession, &e.ActorCredentialUID, &e.ActorInvokedBy, &e.CallerEvidence,
		&e.SrcHost, &e.UserAgent, &e.ResourceUID, &e.ResourceType, &e.ResourceAccountUID, &e.DeviceUID, &e.DeviceName, &e.Process, &e.URL,
	} {
		*s = Bound(*s)
	}
	uids := e.ResourceUIDs[:0]
	for _, s := range e.ResourceUIDs {
		if s = Bound(s); !slices.Contains(uids, s) {
			uids = append(uids, s)
		}
	}
	e.ResourceUIDs = uids
	if e.Message == "" {
		e.Message = Message(e)
	}
}

// open parses body and takes the record out of what it came in.
func (d *Doc) open(body []byte, is func(jsontree.Value) bool, wrappers int) error {
	root, err := d.tree.Parse(share(body))
	if err != nil {
		return fmt.Errorf("the record is not JSON: %w", err)
	}
	if root.Kind() != jsontree.Object {
		return fmt.Errorf("the record is %s, not a JSON object", root.Kind())
	}
	if !is(root) {
		if inner, where := Inner(root); where != "" {
			if wrappers == maxWrappers {
				return errors.New("the record lies in more envelopes than Yagura opens")
			}
			if err := d.open([]byte(inner), is, wrappers+1); err != nil {
				return fmt.Errorf("in %s: %w", where, err)
			}
			return nil
		}
	}
	d.Root, d.Body = root, body
	return nil
}

// Replace puts another text in place of the record's, without what is not to be
// kept. Values taken before are no longer valid.
func (d *Doc) Replace(body []byte) error {
	root, err := d.tree.Parse(share(body))
	if err != nil {
		return err
	}
	d.Root, d.Body = root, body
	return nil
}

// Inner is the record within what a collector made of it, and the name of the
// field that holds it; both are empty where there is none. Beats, CloudWatch Logs
// and others put the line into message, Elasticsearch keeps it in event.original,
// Filebeat puts a parsed line into json or into the name of its module, Splunk into
// event, and into _raw when it exports.
func Inner(root jsontree.Value) (inner, where string) {
	under := root.Get("event")
	for _, c := range [...]struct {
		v     jsontree.Value
		where string
	}{{root.Get("message"), "message"}, {under.Get("original"), "event.original"}, {root.Get("_raw"), "_raw"}} {
		if s := strings.TrimSpace(c.v.String()); strings.HasPrefix(s, "{") {
			return s, c.where
		}
	}
	for _, c := range [...]struct {
		v     jsontree.Value
		where string
	}{{root.Get("json"), "json"}, {root.Get("o365audit"), "o365audit"}, {under, "event"}} {
		if c.v.Kind() == jsontree.Object && !c.v.Get("dataset").Exists() { // those are Elastic's words about the event
			return c.v.Raw(), c.where
		}
	}
	return "", ""
}

// Within is the JSON that a text of the record holds, or v itself where it is no
// text: exporters write objects as strings.
func (d *Doc) Within(v jsontree.Value) jsontree.Value {
	s := strings.TrimSpace(v.String())
	if s == "" || s[0] != '{' && s[0] != '[' {
		return v
	}
	tree := new(jsontree.Tree)
	root, err := tree.Parse(s)
	if err != nil {
		return v
	}
	return root
}

// Bound makes a text fit for a column: bounded, and without NUL, which some
// stores cannot hold.
func Bound(s string) string {
	if len(s) > MaxColumn {
		cut := MaxColumn
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}

// share is b as a string without a copy: a raw record's bytes never change once
// delivered, and an event may share their memory (event.Raw, event.Event).
func share(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
