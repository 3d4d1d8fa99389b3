package cloudtrail

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/golden"
)

var received = time.Date(2026, 3, 2, 8, 0, 0, 123456789, time.UTC)

// TestGolden: testdata/NAME.json is one raw record; NAME.json.golden the event
// or the error it becomes.
func TestGolden(t *testing.T) {
	for _, in := range golden.Inputs(t, "testdata/*.json") {
		t.Run(filepath.Base(in.Path), func(t *testing.T) {
			golden.Check(t, in.Path+".golden", shown(t, in.Body))
		})
	}
}

func shown(t *testing.T, body []byte) []byte {
	t.Helper()
	events, err := Normaliser{}.Append(nil, event.Raw{Object: "o", Position: 7, Body: body, Received: received})
	if err != nil {
		return fmt.Appendf(nil, "error: %v\n", err)
	}
	if why := flaw(events, body); why != "" {
		t.Error(why)
	}
	out, err := json.MarshalIndent(events[0], "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// flaw says what is wrong with the events made of one record: exactly one, with
// a uid, a time, an actor type, an outcome, a caller, valid text in every
// column, and the same again from its own Raw.
func flaw(events []event.Event, body []byte) string {
	if len(events) != 1 {
		return fmt.Sprintf("%d events of one record", len(events))
	}
	e := events[0]
	switch {
	case e.UID.IsZero():
		return "no uid"
	case e.Time.IsZero() || e.Time.Location() != time.UTC || e.Time.Nanosecond()%1000 != 0:
		return fmt.Sprintf("time %v", e.Time)
	case e.ActorType == "" || e.Outcome == "" || e.Caller == "" || e.Category == "" || e.Message == "" || e.APIOperation == "":
		return fmt.Sprintf("an empty column: %+v", e)
	case e.CallerConfidence < 0 || e.CallerConfidence > 1:
		return fmt.Sprintf("confidence %v", e.CallerConfidence)
	case len(e.ResourceUIDs) > 0 && e.ResourceUIDs[0] != e.ResourceUID, (len(e.ResourceUIDs) == 0) != (e.ResourceUID == ""):
		return fmt.Sprintf("resource %q of %q", e.ResourceUID, e.ResourceUIDs)
	case strings.ContainsFunc(e.Message, func(r rune) bool { return r < ' ' }):
		return fmt.Sprintf("message %q", e.Message)
	case !json.Valid(e.Raw):
		return "raw is not JSON"
	}
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			if s := f.String(); !utf8.ValidString(s) || strings.Contains(s, "\x00") || len(s) > column.Max+200 {
				return fmt.Sprintf("%s is %q", v.Type().Field(i).Name, s)
			}
		}
	}
	again, err := Normaliser{}.Append(nil, event.Raw{Object: e.Object, Position: e.Position, Body: e.Raw, Received: e.IngestTime})
	if err != nil {
		return "from its own raw: " + err.Error()
	}
	if !reflect.DeepEqual(again[0], e) {
		return fmt.Sprintf("from its own raw it becomes %+v, was %+v", again[0], e)
	}
	return ""
}

// TestRaw: Raw is the CloudTrail record as it came, without what it came in.
func TestRaw(t *testing.T) {
	const record = `{"eventTime" : "2026-03-01T00:00:00Z", "eventName":"a\u0041\/" ,"z":[ 1.50 ]}`
	f := func(body string) {
		t.Helper()
		events, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(events[0].Raw); got != record {
			t.Errorf("raw of %s is %s", body, got)
		}
	}
	quoted, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	f(record)
	f("\n " + record + "\r\n")
	f(`{"detail-type":"AWS API Call via CloudTrail","detail": ` + record + ` ,"time":"x"}`)
	f(`{"EventId":"x","CloudTrailEvent":` + string(quoted) + `}`)
	f(`{"message":` + string(quoted) + `}`)
	inEventBridge, err := json.Marshal(`{"detail-type":"x","detail":` + record + `}`)
	if err != nil {
		t.Fatal(err)
	}
	f(`{"message":` + string(inEventBridge) + `}`)
}
