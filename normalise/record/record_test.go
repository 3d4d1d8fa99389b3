package record

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

func TestAddress(t *testing.T) {
	f := func(s, ip, host string) {
		t.Helper()
		if i, h := Address(s); i != ip || h != host {
			t.Errorf("Address(%q) = %q, %q; want %q, %q", s, i, h, ip, host)
		}
	}
	f("203.0.113.7", "203.0.113.7", "")
	f(" 203.0.113.7:443 ", "203.0.113.7", "")
	f("::ffff:203.0.113.7", "203.0.113.7", "")
	f("[2001:db8::17]:50001", "2001:db8::17", "")
	f("[2001:db8::17]", "2001:db8::17", "")
	f("203.0.113.7, 198.51.100.9", "203.0.113.7", "")
	f("private", "", "private")
	f("somewhere (10.9000.0.1)", "", "somewhere (10.9000.0.1)")
	f("fe80::1%eth0", "", "fe80::1%eth0")
	f("", "", "")
	f("<null>", "", "")
	f("-", "", "")
}

// value is a JSON text.
func value(t *testing.T, text string) jsontree.Value {
	t.Helper()
	v, err := new(jsontree.Tree).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTime(t *testing.T) {
	want := time.Date(2026, 3, 2, 9, 14, 5, 120734000, time.UTC)
	f := func(text string, want time.Time) {
		t.Helper()
		if got, err := Time(value(t, text), "time"); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("Time(%s) = %v, %v; want %v", text, got, err, want)
		}
	}
	f(`"2026-03-02T09:14:05.1207343Z"`, want)
	f(`"2026-03-02T18:14:05.1207349+09:00"`, want)
	f(`"2026-03-02 09:14:05.120734"`, want)
	f(`"2026-03-02T09:14:05"`, want.Truncate(time.Second))
	f(`1772442845`, want.Truncate(time.Second))
	f(`1772442845120`, want.Truncate(time.Millisecond))
	refuse := func(text, why string) {
		t.Helper()
		if _, err := Time(value(t, text), "time"); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("Time(%s): %v; want %q", text, err, why)
		}
	}
	refuse(`"0001-01-01T00:00:00Z"`, "before there were such logs")
	refuse(`"soon"`, `time is "soon", not a time`)
	refuse(`null`, "time is null")
	refuse(`-5`, "not a time")
	refuse(`1e300`, "not a time")
	refuse(`"`+strings.Repeat("x", 65)+`"`, "a long string")
}

// is a record that has an id.
func is(v jsontree.Value) bool { return v.Get("id").Exists() }

func fill(e *event.Event, d *Doc) error {
	e.EventUID = d.Root.Get("id").Text()
	return nil
}

// TestAppend: what a collector put around a record is taken off, and the same record
// is the same event however it came.
func TestAppend(t *testing.T) {
	want := event.UID{}
	f := func(body, raw string) {
		t.Helper()
		events, err := Append(nil, event.Raw{Body: []byte(body)}, "x", is, fill)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		e := events[0]
		if string(e.Raw) != raw || e.EventUID != "7" {
			t.Errorf("%s: raw %s, id %q", body, e.Raw, e.EventUID)
		}
		if want.IsZero() {
			want = e.UID
		}
		if e.UID != want {
			t.Errorf("%s: another uid", body)
		}
	}
	f(`{"id":"7"}`, `{"id":"7"}`)
	f("\n {\"id\" : \"7\"}\r\n", `{"id" : "7"}`)
	f(`{"message":"{\"id\":\"7\"}"}`, `{"id":"7"}`)
	f(`{"event":{"original":" {\"id\":\"7\"}"}}`, `{"id":"7"}`)
	f(`{"_raw":"{\"message\":\"{\\\"id\\\":\\\"7\\\"}\"}"}`, `{"id":"7"}`)
	f(`{"host":"h","event":{"id":"7"}}`, `{"id":"7"}`)
	f(`{"json":{"id":"7"}}`, `{"id":"7"}`)

	refuse := func(body, why string) {
		t.Helper()
		events, err := Append(nil, event.Raw{Body: []byte(body)}, "x", is, fill)
		if err == nil || !strings.Contains(err.Error(), why) || len(events) > 0 {
			t.Errorf("%s: %d events, %v; want %q", body, len(events), err, why)
		}
	}
	refuse(`{"message":"{"}`, "in message: the record is not JSON: byte 1")
	refuse(`[]`, "the record is an array, not a JSON object")
	refuse(``, "the record is not JSON: byte 0")
	refuse(`{"event":{"event":{"event":{"event":{"event":{}}}}}}`, "more envelopes than Yagura opens")
}

func TestName(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := Name(s); got != want {
			t.Errorf("Name(%q) = %q, want %q", s, got, want)
		}
	}
	f("prod/db", "prod/db")
	f("a\x1b[31m\nb", "a [31m b")
	f(strings.Repeat("長", 200), strings.Repeat("長", maxName)+"…")
}
