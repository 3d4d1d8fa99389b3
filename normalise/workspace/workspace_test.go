package workspace

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
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/gcpaudit"
)

var received = time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.UTC)

// registry reads what it recognises.
var registry = normalise.NewRegistry(append(All(), gcpaudit.Normaliser{})...)

// inputs are the records of testdata.
func inputs(t testing.TB) (paths []string, bodies [][]byte) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	if err != nil || len(paths) < 20 {
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
			events, err := registry.Append(nil, event.Raw{Object: "o", Position: 7, Body: bodies[i], Received: received})
			if err != nil {
				golden.Check(t, path+".golden", fmt.Appendf(nil, "error: %v\n", err))
				return
			}
			if why := flaw(events); why != "" {
				t.Error(why)
			}
			out, err := json.MarshalIndent(events[0], "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, path+".golden", append(out, '\n'))
		})
	}
}

// flaw says what is wrong with the events of one record.
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
	case (e.ActorUID == "") != (e.ActorType == event.ActorMasked) && e.Format != gcpaudit.Format:
		return fmt.Sprintf("actor %q of type %s", e.ActorUID, e.ActorType)
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
	again, err := Normaliser(e.Format).Append(nil, event.Raw{Object: e.Object, Position: e.Position, Body: e.Raw, Received: e.IngestTime})
	if err != nil {
		return "from its own raw: " + err.Error()
	}
	if !reflect.DeepEqual(again[0], e) {
		return fmt.Sprintf("from its own raw it becomes %+v, was %+v", again[0], e)
	}
	return ""
}
