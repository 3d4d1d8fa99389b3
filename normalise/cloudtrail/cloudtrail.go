// Package cloudtrail reads AWS CloudTrail records: management, data, Insight
// and network activity events, console sign-in and service events, of event
// versions 1.0x to 1.11.
//
// A raw record may be the bare record or come inside an EventBridge event, an
// element of a LookupEvents answer, or a CloudWatch Logs event; Event.Raw is
// always the CloudTrail record itself, its bytes as they came, because rules
// and queries read it by CloudTrail's own paths.
//
// A field of the wrong type is as good as absent: its column stays empty and
// the record is kept. Only what makes it no event at all is an error: text that
// is not JSON or not UTF-8, no readable eventTime, no name of what happened.
//
// # Names of resources
//
// A resource given by name becomes an ARN with the record's partition, region
// and account. Two things cannot be known from one record: the path of an IAM
// user or role named without it, and the six random characters that end a
// secret's ARN. So a secret read by name is arn:…:secret:NAME and one read by
// ARN is arn:…:secret:NAME-AbCdEf, both as the caller gave them.
package cloudtrail

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
)

// Format is the name of the format.
const Format = normalise.CloudTrail

// Normaliser reads CloudTrail records. The zero value is ready and may be used
// from several goroutines.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is "aws.cloudtrail".
func (Normaliser) Format() string { return Format }

// Append appends the event of r to dst.
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
	tree  jsontree.Tree
	found []found
	line  []byte // scratch: the message, the canonical body
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// release keeps rd for the next record, unless an uncommon one made it large.
func (rd *reader) release() {
	if !rd.tree.Large() && cap(rd.line) < 1<<20 {
		readers.Put(rd)
	}
}

// record is a CloudTrail record's top level.
type record struct {
	body []byte // the record alone

	name, source, region, agent, errorCode, errorMessage string
	id, sharedID, requestID, typ, category, account      string
	address, vpce                                        string

	identity, request, response, resources, insight, additional, service jsontree.Value
	readOnly, management, fromConsole                                    jsontree.Value
	rawTime, rawName                                                     jsontree.Value
}

func (rd *reader) read(e *event.Event, r event.Raw) error {
	rec, err := rd.open(bytes.TrimSpace(r.Body), 0)
	if err != nil {
		return err
	}
	when, err := parseTime(rec.rawTime)
	if err != nil {
		return err
	}
	if rec.insight.Exists() {
		if rec.name == "" {
			rec.name = column.Str(rec.insight.Get("eventName"))
		}
		if rec.source == "" {
			rec.source = column.Str(rec.insight.Get("eventSource"))
		}
	}
	if rec.name == "" {
		return fmt.Errorf("eventName is %s, not the name of what happened", describe(rec.rawName))
	}
	*e = event.Event{
		Time:          when,
		IngestTime:    r.Received.UTC().Truncate(time.Microsecond),
		EventUID:      rec.id,
		SharedUID:     rec.sharedID,
		Format:        Format,
		CloudProvider: "AWS",
		Region:        rec.region,
		APIService:    rec.source,
		APIOperation:  rec.name,
		APIRequestUID: rec.requestID,
		StatusCode:    rec.errorCode,
		StatusDetail:  rec.errorMessage,
		SrcVPCE:       rec.vpce,
		UserAgent:     rec.agent,
		Raw:           rec.body,
		Object:        r.Object,
		Position:      r.Position,
	}
	rd.fill(e, &rec)
	return rd.identify(e)
}

// identify sets the uid: the eventID where it is a UUID, else a hash of what
// names the event, else of the event itself.
func (rd *reader) identify(e *event.Event) error {
	if uid, ok := event.ParseUID(e.EventUID); ok && !uid.IsZero() {
		e.UID = uid
		return nil
	}
	if e.EventUID != "" {
		e.UID = event.HashUID(Format, e.AccountUID, e.EventUID)
		return nil
	}
	canonical, err := event.AppendCanonical(rd.line[:0], e.Raw)
	if err != nil {
		return err
	}
	e.UID = event.HashUID(Format, e.AccountUID, column.Share(canonical))
	return nil
}

// describe names a value as a person would in an error.
func describe(v jsontree.Value) string {
	switch v.Kind() {
	case jsontree.Absent:
		return "missing"
	case jsontree.String, jsontree.Number:
		if s := v.Text(); len(s) <= 64 {
			return fmt.Sprintf("%q", s)
		}
		return "a long " + strings.TrimPrefix(v.Kind().String(), "a ")
	}
	return v.Kind().String()
}

// parseTime reads eventTime: RFC 3339, or as Athena and spreadsheets render it
// ("2006-01-02 15:04:05", UTC), or seconds or milliseconds since 1970.
func parseTime(v jsontree.Value) (time.Time, error) {
	switch v.Kind() {
	case jsontree.String:
		s := v.String()
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			return t.UTC().Truncate(time.Microsecond), nil
		}
		for _, layout := range []string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
			if t, err := time.Parse(layout, s); err == nil {
				return t.UTC().Truncate(time.Microsecond), nil
			}
		}
	case jsontree.Number:
		if t, ok := epoch(v.Text()); ok {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("eventTime is %s, not a time such as 2006-01-02T15:04:05Z", describe(v))
}
