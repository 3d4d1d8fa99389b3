package gcpaudit

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
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

var received = time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.UTC)

// inputs are the records of testdata.
func inputs(t testing.TB) (paths []string, bodies [][]byte) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d inputs, %v", len(paths), err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	return paths, bodies
}

// TestGolden: testdata/NAME.json is one raw record; NAME.json.golden the event
// or the error it becomes.
func TestGolden(t *testing.T) {
	paths, bodies := inputs(t)
	for i, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			golden.Check(t, path+".golden", shown(t, bodies[i]))
		})
	}
}

func shown(t *testing.T, body []byte) []byte {
	t.Helper()
	events, err := Normaliser{}.Append(nil, event.Raw{Object: "o", Position: 7, Body: body, Received: received})
	if err != nil {
		return fmt.Appendf(nil, "error: %v\n", err)
	}
	if why := flaw(events); why != "" {
		t.Error(why)
	}
	out, err := json.MarshalIndent(events[0], "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// flaw says what is wrong with the events made of one record: exactly one, with
// all that every event has, an address that is one, a masked actor where nobody is
// named, valid text in every column, and the same again from its own Raw.
func flaw(events []event.Event) string {
	if len(events) != 1 {
		return fmt.Sprintf("%d events of one record", len(events))
	}
	e := events[0]
	_, badIP := netip.ParseAddr(e.SrcIP)
	switch {
	case e.UID.IsZero():
		return "no uid"
	case e.Time.IsZero() || e.Time.Location() != time.UTC || e.Time.Nanosecond()%1000 != 0:
		return fmt.Sprintf("time %v", e.Time)
	case e.ActorType == "" || e.Outcome == "" || e.Caller == "" || e.Category == "" || e.Message == "" || e.APIOperation == "":
		return fmt.Sprintf("an empty column: %+v", e)
	case e.SrcIP != "" && badIP != nil, e.SrcIP != "" && e.SrcHost != "":
		return fmt.Sprintf("address %q, host %q", e.SrcIP, e.SrcHost)
	case e.ActorUID == "" && e.ActorType != event.ActorMasked, e.ActorType == event.ActorMasked && e.ActorUID != "" && e.ActorInvokedBy == "":
		return fmt.Sprintf("actor %q of type %s, invoked by %q", e.ActorUID, e.ActorType, e.ActorInvokedBy)
	case e.Outcome == event.DeniedByOrgPolicy && e.StatusCode == "":
		return "an organisation's policy without a name"
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
