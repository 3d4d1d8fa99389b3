package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/gcpaudit"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
)

var received = time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.UTC)

// registry reads what it recognises.
var registry = normalise.NewRegistry(append(All(), gcpaudit.Normaliser{})...)

// TestGolden: testdata/NAME.json is one raw record; NAME.json.golden the event
// or the error it becomes.
func TestGolden(t *testing.T) {
	paths, bodies := normalisetest.Inputs(t, "")
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
	return normalisetest.Flaw(Normaliser(events[0].Format), events)
}

// oneFormat is the normaliser under the name of one format: a record is of that of
// its own application.
type oneFormat struct{ Normaliser }

func (n oneFormat) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	out, err := n.Normaliser.Append(dst, r)
	for i := len(dst); i < len(out); i++ {
		out[i].Format = n.Format()
	}
	return out, err
}

// TestHostile: wrong types, huge texts and records cut short.
func TestHostile(t *testing.T) { normalisetest.Hostile(t, oneFormat{normalise.Workspace}, "") }

// TestSame: the same activity has the same uid in an envelope and when it is read
// again; another event of the same moment has another.
func TestSame(t *testing.T) {
	uid := func(body []byte) event.UID {
		t.Helper()
		events, err := registry.Append(nil, event.Raw{Body: body, Object: "o"})
		if err != nil {
			t.Fatal(err)
		}
		return events[0].UID
	}
	read := func(name string) []byte {
		t.Helper()
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	alone := read("event-alone")
	for _, wrapped := range [][]byte{read("pubsub"), fmt.Appendf(nil, `{"sourcetype":"gsuite","event":%s}`, alone)} {
		if uid(alone) != uid(wrapped) {
			t.Errorf("an activity has another uid in an envelope: %.40s", wrapped)
		}
	}
	if uid(alone) == uid(bytes.ReplaceAll(alone, []byte("AUTO_RENEWAL"), []byte("ADDRESS"))) {
		t.Error("two activities whose qualifier is 1 are one")
	}
}

func TestRefused(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		got, err := Normaliser(normalise.Workspace).Append([]event.Event{{EventUID: "kept"}}, event.Raw{Body: []byte(body)})
		if err == nil || !strings.Contains(err.Error(), want) || len(got) != 1 {
			t.Errorf("%.80q: %d events, %v; want %q", body, len(got)-1, err, want)
		}
	}
	f("", "the record is not JSON: byte 0")
	f("7", "the record is a number, not a JSON object")
	f(`{"kind":"admin#reports#activity"}`, "id.time is missing")
	f(`{"id":{"time":[]}}`, "id.time is an array")
	f(`{"id":{"time":"2026-03-01T00:00:00Z"},"events":{}}`, "events.name is missing")
	f(`{"message":"{"}`, "in its envelope: the record is not JSON")
	f(`{"data":"%","messageId":"1"}`, "data: it is no base64")
}

// FuzzAppend: no event where there is an error, else exactly one without a flaw.
func FuzzAppend(f *testing.F) {
	_, bodies := normalisetest.Inputs(f, "")
	for _, body := range bodies {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n := oneFormat{normalise.Workspace}
		got, err := n.Append([]event.Event{{EventUID: "kept"}}, event.Raw{Object: "o", Position: 3, Body: body, Received: received})
		switch {
		case len(got) < 1 || got[0].EventUID != "kept":
			t.Fatal("lost what was in dst")
		case err != nil && (len(got) != 1 || strings.TrimSpace(err.Error()) == ""):
			t.Fatalf("%d events beside the error %v", len(got)-1, err)
		case err == nil:
			if why := normalisetest.Flaw(n, got[1:]); why != "" {
				t.Fatal(why)
			}
		}
	})
}
