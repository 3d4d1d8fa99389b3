package alerts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/normalise"
)

var received = time.Date(2026, 3, 3, 8, 0, 0, 123456789, time.UTC)

// registry reads what it recognises.
var registry = normalise.NewRegistry(All()...)

// TestGolden: the inputs are those of the library alert; testdata/NAME.json.golden
// is the event or the error that one becomes.
func TestGolden(t *testing.T) {
	for _, in := range golden.Inputs(t, "../../alert/testdata/*.json") {
		name := filepath.Base(in.Path)
		t.Run(strings.TrimSuffix(name, ".json"), func(t *testing.T) {
			file := filepath.Join("testdata", name+".golden")
			got := shown(t, in.Body)
			golden.Check(t, file, got)
		})
	}
}

func shown(t *testing.T, body []byte) []byte {
	t.Helper()
	events, err := registry.Append(nil, event.Raw{Object: "o", Position: 7, Body: body, Received: received})
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

// flaw says what is wrong with the events of one record: exactly one, of OCSF's
// findings, with a time and a uid, and the same again from its own Raw.
func flaw(events []event.Event) string {
	if len(events) != 1 {
		return fmt.Sprintf("%d events of one record", len(events))
	}
	e := events[0]
	switch {
	case e.UID.IsZero() || e.EventUID == "":
		return "no uid"
	case e.Time.IsZero() || e.Time.Location() != time.UTC || e.Time.Nanosecond()%1000 != 0:
		return fmt.Sprintf("time %v", e.Time)
	case e.ClassUID < 2002 || e.ClassUID > 2008 || e.ActivityID < 1 || e.ActivityID > 3 || e.StatusID < 1 || e.StatusID > 4:
		return fmt.Sprintf("class %d, activity %d, status %d", e.ClassUID, e.ActivityID, e.StatusID)
	case e.Category != event.Insight || e.Caller == "" || e.ActorType == "" || e.Message == "" || e.APIService == "":
		return fmt.Sprintf("an empty column: %+v", e)
	case len(e.ResourceUIDs) > 0 && e.ResourceUIDs[0] != e.ResourceUID, (len(e.ResourceUIDs) == 0) != (e.ResourceUID == ""):
		return fmt.Sprintf("resource %q of %q", e.ResourceUID, e.ResourceUIDs)
	case strings.ContainsFunc(e.Message, func(r rune) bool { return r < ' ' }):
		return fmt.Sprintf("message %q", e.Message)
	case !json.Valid(e.Raw):
		return "Raw is no JSON"
	}
	again, err := Normaliser(e.Format).Append(nil, event.Raw{Object: e.Object, Position: e.Position, Body: e.Raw, Received: received})
	if err != nil || len(again) != 1 || again[0].UID != e.UID {
		return fmt.Sprintf("from its own Raw it is %+v, %v", again, err)
	}
	return ""
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../../alert/testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestAppend(t *testing.T) {
	before := []event.Event{{EventUID: "kept"}}
	refuse := func(n Normaliser, body []byte, want string) {
		t.Helper()
		got, err := n.Append(before, event.Raw{Body: body, Received: received})
		if err == nil || !strings.Contains(err.Error(), want) || len(got) != 1 {
			t.Errorf("%s: %d events, %v; want %q", n, len(got), err, want)
		}
	}
	refuse(alert.GuardDuty, read(t, "falco-native"), "a finding of format falco, where the source was said to be of aws.guardduty")
	refuse(alert.GuardDuty, []byte(`{`), "not JSON")
	refuse(alert.GuardDuty, read(t, "bad-guardduty-no-severity"), "severity is missing or no number")
	refuse(alert.OCSF, []byte(`{"a":1}`), "top-level keys a")

	uid := func(body []byte) event.UID {
		t.Helper()
		events, err := registry.Append(nil, event.Raw{Body: body, Received: received})
		if err != nil {
			t.Fatal(err)
		}
		return events[0].UID
	}
	// In another envelope, with other white space: the same event.
	enveloped := read(t, "guardduty-event")
	found, _ := alert.Find(enveloped)
	var small bytes.Buffer
	if err := json.Compact(&small, found.Body); err != nil {
		t.Fatal(err)
	}
	if uid(enveloped) != uid(small.Bytes()) {
		t.Error("a finding has another uid outside its envelope")
	}
	// Told again with another word: another event.
	if uid(enveloped) == uid(bytes.Replace(enveloped, []byte(`"count": 7`), []byte(`"count": 8`), 1)) {
		t.Error("an update has the uid of what it updates")
	}
}

// TestStateTime: what says no time is of the time at which it was read.
func TestStateTime(t *testing.T) {
	events, err := registry.Append(nil, event.Raw{Body: read(t, "sysdig-posture-fail"), Received: received})
	if err != nil || !events[0].Time.Equal(received.Truncate(time.Microsecond)) {
		t.Errorf("%v, %v", events, err)
	}
}

// FuzzAppend: no event when there is an error, and a sound one else.
func FuzzAppend(f *testing.F) {
	for _, in := range golden.Inputs(f, "../../alert/testdata/*.json") {
		f.Add(in.Body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := registry.Append(nil, event.Raw{Object: "o", Body: body, Received: received})
		if err != nil {
			if len(events) > 0 {
				t.Fatalf("%d events and %v", len(events), err)
			}
			return
		}
		if why := flaw(events); why != "" {
			t.Fatal(why)
		}
	})
}
