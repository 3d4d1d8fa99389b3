// Package normalisetest is what normalisers are held to: the same for all, so that
// a column means the same whoever filled it.
package normalisetest

import (
	"bytes"
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
	"github.com/yagura-sec/yagura/normalise"
)

// Received is when the records of tests were received.
var Received = time.Date(2026, 3, 3, 8, 0, 0, 123456789, time.UTC)

// maxText is how long a column may be: a bounded text and the words around it.
const maxText = 8<<10 + 1000

// Flaw says what is wrong with the events that n made of one record: exactly one,
// with a uid, a time, an actor type, an outcome, a caller, an address or none where
// there is to be one, valid text in every column, and the same again from its own
// Raw. It is empty where nothing is.
func Flaw(n normalise.Normaliser, events []event.Event) string {
	if len(events) != 1 {
		return fmt.Sprintf("%d events of one record", len(events))
	}
	e := events[0]
	if why := emptiness(&e); why != "" {
		return why
	}
	if e.SrcIP != "" {
		if _, err := netip.ParseAddr(e.SrcIP); err != nil {
			return fmt.Sprintf("src_ip is %q", e.SrcIP)
		}
	}
	switch {
	case e.Format != n.Format():
		return fmt.Sprintf("format %q of the reader of %q", e.Format, n.Format())
	case e.Time.Location() != time.UTC || e.Time.Nanosecond()%1000 != 0:
		return fmt.Sprintf("time %v", e.Time)
	case e.CallerConfidence < 0 || e.CallerConfidence > 1:
		return fmt.Sprintf("confidence %v", e.CallerConfidence)
	case (e.ActorUID == "") != (e.ActorType == event.ActorMasked || e.ActorType == event.ActorAnonymous) && e.ActorInvokedBy == "" && e.ActorType != event.ActorUnknown:
		return fmt.Sprintf("an actor %q of type %s", e.ActorUID, e.ActorType)
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
			if s := f.String(); !utf8.ValidString(s) || strings.Contains(s, "\x00") || len(s) > maxText {
				return fmt.Sprintf("%s is %.200q", v.Type().Field(i).Name, s)
			}
		}
	}
	return again(n, &e)
}

func emptiness(e *event.Event) string {
	switch {
	case e.UID.IsZero():
		return "no uid"
	case e.Time.IsZero():
		return "no time"
	case e.ActorType == "" || e.Outcome == "" || e.Caller == "" || e.Category == "" || e.Message == "" || e.CloudProvider == "" || e.ClassUID == 0:
		return fmt.Sprintf("an empty column: %+v", *e)
	}
	return ""
}

// again reads an event's own Raw.
func again(n normalise.Normaliser, e *event.Event) string {
	events, err := n.Append(nil, event.Raw{Object: e.Object, Position: e.Position, Body: e.Raw, Received: e.IngestTime})
	if err != nil {
		return "from its own raw: " + err.Error()
	}
	if !reflect.DeepEqual(events[0], *e) {
		return fmt.Sprintf("from its own raw it becomes %+v, was %+v", events[0], *e)
	}
	return ""
}

// Inputs are the records in testdata whose names begin so, in order of their paths.
func Inputs(tb testing.TB, prefix string) (paths []string, bodies [][]byte) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", prefix+"*.json"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("%d inputs, %v", len(paths), err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	return paths, bodies
}

// Golden holds what n makes of testdata/PREFIX*.json against NAME.json.golden, the
// event or the error. Each record has to be recognised as of n's format, unless its
// name has "-bad" in it.
func Golden(t *testing.T, n normalise.Normaliser, prefix string, check func(t testing.TB, path string, got []byte)) {
	paths, bodies := Inputs(t, prefix)
	for i, path := range paths {
		body := bodies[i]
		t.Run(filepath.Base(path), func(t *testing.T) {
			if format, why := normalise.Recognise(body); format != n.Format() && !strings.Contains(path, "-bad") {
				t.Errorf("recognised as %q, %s", format, why)
			}
			events, err := n.Append(nil, event.Raw{Object: "o", Position: 7, Body: body, Received: Received})
			if err != nil {
				check(t, path+".golden", fmt.Appendf(nil, "error: %v\n", err))
				return
			}
			if why := Flaw(n, events); why != "" {
				t.Error(why)
			}
			out, err := json.MarshalIndent(events[0], "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			check(t, path+".golden", append(out, '\n'))
		})
	}
}

// wrong are values of types and sizes that no field is to have.
var wrong = []any{
	nil, true, 7.5, -1e300, "", "\x00\x1b[31m\n", strings.Repeat("長い", 4_000), []any{}, []any{[]any{map[string]any{}}}, map[string]any{},
	map[string]any{"value": []any{7}, "": nil}, "{\"a\":", "[{}]",
}

// Hostile replaces every field of every record in testdata by values of wrong types
// and sizes, and cuts the records short. Each has to give a sound event or an error
// with words.
func Hostile(t *testing.T, n normalise.Normaliser, prefix string) {
	tried := 0
	paths, bodies := Inputs(t, prefix)
	for i, path := range paths {
		body := bodies[i]
		for i := range 16 {
			short := body[:len(bytes.TrimSpace(body))*i/16]
			if events, err := n.Append(nil, event.Raw{Body: short, Received: Received}); err == nil || len(events) > 0 {
				t.Errorf("%s, cut to %d bytes: %d events, %v", path, len(short), len(events), err)
			}
		}
		var record any
		if json.Unmarshal(body, &record) != nil {
			continue
		}
		spoil(record, func(where string) {
			spoilt, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			tried++
			events, err := n.Append(nil, event.Raw{Body: spoilt, Received: Received})
			switch {
			case err != nil && (len(events) > 0 || err.Error() == "" || len(err.Error()) > 400):
				t.Errorf("%s, %s: %d events, %v", path, where, len(events), err)
			case err == nil:
				if why := Flaw(n, events); why != "" {
					t.Errorf("%s, %s: %.600s", path, where, why)
				}
			}
		})
	}
	t.Logf("%d records tried", tried)
}

// spoil calls try with each member of v replaced in turn.
func spoil(v any, try func(where string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, was := range v {
			for i, w := range wrong {
				v[key] = w
				try(fmt.Sprintf("%s as %d", key, i))
			}
			v[key] = was
			spoil(was, try)
		}
	case []any:
		for i, was := range v {
			v[i] = nil
			try(fmt.Sprintf("element %d", i))
			v[i] = was
			spoil(was, try)
		}
	}
}

// Fuzz holds of any input: an error with words and no event, or one sound event;
// what was there before is kept and the input not touched.
func Fuzz(f *testing.F, n normalise.Normaliser, prefix string) {
	_, bodies := Inputs(f, prefix)
	for _, body := range bodies {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		dst := make([]event.Event, 1, 4)
		dst[0].EventUID = "kept"
		got, err := n.Append(dst, event.Raw{Object: "o", Position: 3, Body: body, Received: Received})
		if !bytes.Equal(body, before) {
			t.Fatal("changed the body")
		}
		if len(got) < 1 || got[0].EventUID != "kept" {
			t.Fatal("lost what was in dst")
		}
		if err != nil {
			if len(got) != 1 || strings.TrimSpace(err.Error()) == "" {
				t.Fatalf("%d events beside the error %v", len(got)-1, err)
			}
			return
		}
		if why := Flaw(n, got[1:]); why != "" {
			t.Fatal(why)
		}
	})
}

// Bench reads a record of testdata again and again, as one that nobody said the
// format of.
func Bench(b *testing.B, n normalise.Normaliser, name string) {
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		b.Fatal(err)
	}
	reg := normalise.NewRegistry(n)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var dst []event.Event
	for b.Loop() {
		if dst, err = reg.Append(dst[:0], event.Raw{Body: body, Received: Received}); err != nil {
			b.Fatal(err)
		}
	}
}
