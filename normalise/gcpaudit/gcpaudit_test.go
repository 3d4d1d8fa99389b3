package gcpaudit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/normalise/normalisetest"
)

var received = time.Date(2026, 3, 2, 10, 0, 0, 123456789, time.UTC)

// TestGolden: testdata/NAME.json is one raw record; NAME.json.golden the event
// or the error it becomes.
func TestGolden(t *testing.T) {
	paths, bodies := normalisetest.Inputs(t, "")
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
	named := slices.Clone(events)
	named[0].Format = Format
	if why := flaw(named); why != "" {
		t.Error(why)
	}
	out, err := json.MarshalIndent(events[0], "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// flaw says what is wrong with the events made of one record, beyond what every
// normaliser is held to: nobody is named where the principal is masked, but for the
// service agent that acted, and a policy that refused has a name.
func flaw(events []event.Event) string {
	if why := normalisetest.Flaw(oneFormat{}, events); why != "" {
		return why
	}
	e := events[0]
	switch {
	case e.ActorType == event.ActorMasked && e.ActorUID != "" && e.ActorInvokedBy == "":
		return fmt.Sprintf("a masked actor %q that no service asked", e.ActorUID)
	case e.Outcome == event.DeniedByOrgPolicy && e.StatusCode == "":
		return "an organisation's policy without a name"
	case e.SrcIP != "" && e.SrcHost != "":
		return fmt.Sprintf("address %q, host %q", e.SrcIP, e.SrcHost)
	case e.StatusCode == VPCServiceControls && e.Outcome != event.DeniedByOrgPolicy && !e.Twin:
		return "a trial of a perimeter that counts"
	}
	return ""
}

// oneFormat is the normaliser under the name of one format: entries of Google
// Workspace are of others.
type oneFormat struct{ Normaliser }

func (n oneFormat) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	out, err := n.Normaliser.Append(dst, r)
	for i := len(dst); i < len(out); i++ {
		out[i].Format = Format
	}
	return out, err
}

// TestHostile: wrong types, huge texts and records cut short.
func TestHostile(t *testing.T) { normalisetest.Hostile(t, oneFormat{}, "") }

func TestRefused(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		got, err := Normaliser{}.Append([]event.Event{{EventUID: "kept"}}, event.Raw{Body: []byte(body)})
		if err == nil || !strings.Contains(err.Error(), want) || len(got) != 1 {
			t.Errorf("%.80q: %d events, %v; want %q", body, len(got)-1, err, want)
		}
	}
	const payload = `"protoPayload":{"methodName":"m"}`
	f("", "the record is not JSON: byte 0")
	f("[]", "the record is an array, not a JSON object")
	f(`{`+payload+`}`, "timestamp is missing")
	f(`{`+payload+`,"timestamp":{}}`, "timestamp is an object")
	f(`{`+payload+`,"timestamp":"`+strings.Repeat("9", 1000)+`"}`, "timestamp is a long string")
	f(`{"protoPayload":{},"timestamp":"2026-03-01T00:00:00Z"}`, "protoPayload.methodName is missing")
	f(`{"protoPayload":{"methodName":7},"timestamp":"2026-03-01T00:00:00Z"}`, `protoPayload.methodName is "7"`)
	f(`{"logName":"x","timestamp":"2026-03-01T00:00:00Z"}`, "protoPayload is missing")
	f(`{"data":"bm90IGpzb24=","messageId":"1"}`, "in data: the record is not JSON")
	f(`{"data":"%","messageId":"1"}`, "data: it is no base64")
	inner := `{}`
	for range 5 {
		quoted, _ := json.Marshal(inner)
		inner = `{"message":` + string(quoted) + `}`
	}
	f(inner, "more envelopes than Yagura opens")
}

// TestSame: one entry has one uid, in whatever it came.
func TestSame(t *testing.T) {
	read := func(name string) []byte {
		t.Helper()
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	of := func(name string, body []byte) event.UID {
		t.Helper()
		events, err := Normaliser{}.Append(nil, event.Raw{Body: body, Object: name})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return events[0].UID
	}
	uid := func(name string) event.UID { return of(name, read(name)) }
	quoted, err := json.Marshal(string(read("enable-service")))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"event": `{"sourcetype":"gcp","event":` + string(read("enable-service")) + `}`,
		"_raw":  `{"_time":"1","_raw":` + string(quoted) + `}`,
	} {
		if of(name, []byte(body)) != uid("enable-service") {
			t.Errorf("in %s it is another event", name)
		}
	}
	for _, name := range []string{"pubsub-push", "pubsub-pull", "pubsub-message", "event-data", "text-message"} {
		if uid(name) != uid("enable-service") {
			t.Errorf("%s is another event", name)
		}
	}
	if uid("activity-create-notebook") == uid("activity-create-notebook-end") {
		t.Error("the end of an operation is its beginning")
	}
}

// TestNoSecretIsKept: no column and no record holds the value of a secret.
func TestNoSecretIsKept(t *testing.T) {
	f := func(name, secret string) {
		t.Helper()
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		events, err := Normaliser{}.Append(nil, event.Raw{Body: body})
		if err != nil || !strings.Contains(string(body), secret) {
			t.Fatalf("%v; it holds no secret", err)
		}
		if shown := fmt.Sprintf("%s %+v", events[0].Raw, events[0]); strings.Contains(shown, secret) || !strings.Contains(shown, Redacted) {
			t.Errorf("%s: %s", name, shown)
		}
	}
	f("secret-value-in-request", "bm90LWEtcmVhbC1zZWNyZXQ=")
	f("service-account-key", "bm90IGEga2V5")
}

// FuzzAppend: no event where there is an error, else exactly one without a flaw;
// what was in dst is kept, and the body is not touched.
func FuzzAppend(f *testing.F) {
	_, bodies := normalisetest.Inputs(f, "")
	for _, body := range bodies {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		got, err := oneFormat{}.Append([]event.Event{{EventUID: "kept"}}, event.Raw{Object: "o", Position: 3, Body: body, Received: received})
		switch {
		case !bytes.Equal(body, before):
			t.Fatal("changed the body")
		case len(got) < 1 || got[0].EventUID != "kept":
			t.Fatal("lost what was in dst")
		case err != nil && (len(got) != 1 || strings.TrimSpace(err.Error()) == ""):
			t.Fatalf("%d events beside the error %v", len(got)-1, err)
		case err == nil:
			if why := flaw(got[1:]); why != "" {
				t.Fatal(why)
			}
		}
	})
}
