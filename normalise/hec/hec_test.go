package hec

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func read(body string, position int64) ([]event.Event, error) {
	return Normaliser{}.Append(nil, event.Raw{Object: "receive/x/1", Position: position, Body: []byte(body), Received: noon})
}

func TestAppend(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		es, err := read(body, 3)
		if err != nil || len(es) != 1 {
			t.Errorf("%s: %v", body, err)
			return
		}
		e := es[0]
		if got := fmt.Sprintf("%s %s %s", e.Time.Format(time.RFC3339Nano), e.DeviceName, e.Message); got != want {
			t.Errorf("%s\n became %s\n    want %s", body, got, want)
		}
	}
	f(`{"time":1772366400,"host":"db1","source":"/var/log/auth.log","sourcetype":"syslog","event":"Failed  password\tfor root"}`,
		"2026-03-01T12:00:00Z db1 syslog: Failed password for root")
	f(`{"time":"1772366400.250","event":"x"}`, "2026-03-01T12:00:00.25Z  x")
	f(`{"time":1772366400250,"event":"x"}`, "2026-03-01T12:00:00.25Z  x")
	f(`{"time":1772366400250000,"event":"x"}`, "2026-03-01T12:00:00.25Z  x")
	f(`{"time":1772366400250000000,"event":"x"}`, "2026-03-01T12:00:00.25Z  x")
	f(`{"event":{"msg":"disk is full","level":3}}`, "2026-03-01T12:00:00Z  disk is full")
	f(`{"time":null,"event":{"level":3}}`, `2026-03-01T12:00:00Z  {"level":3}`)
	f(`{"event":17}`, "2026-03-01T12:00:00Z  17")
}

func TestRefused(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		es, err := read(body, 0)
		if err == nil || !strings.Contains(err.Error(), want) || len(es) > 0 {
			t.Errorf("%s: %d events, %v; want %s", body, len(es), err, want)
		}
	}
	f(`{"time":"noon","event":"x"}`, "time")
	f(`{"time":1e30,"event":"x"}`, "too far")
	f(`{"time":[1],"event":"x"}`, "time")
	f(`{"host":"x"}`, "event: it is missing")
	f(`["x"]`, "an array")
	f(`{"event":`, "not JSON")
}

// TestUID: lines that say the same are events of their own, and the same place
// is the same event.
func TestUID(t *testing.T) {
	line := `{"time":1772366400,"event":"Failed password"}`
	a, _ := read(line, 0)
	b, _ := read(line, 1)
	again, _ := read(line, 0)
	if a[0].UID == b[0].UID || a[0].UID != again[0].UID {
		t.Errorf("uids %s, %s, %s", a[0].UID, b[0].UID, again[0].UID)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add(`{"time":1,"host":"h","event":{"msg":"a\u0000b"}}`)
	f.Add(`{"time":"1e3","event":"\ud800"}`)
	f.Fuzz(func(t *testing.T, body string) {
		es, err := read(body, 0)
		if (err == nil) != (len(es) == 1) {
			t.Fatalf("%q: %d events and %v", body, len(es), err)
		}
		if err == nil && (!utf8.ValidString(es[0].Message) || utf8.RuneCountInString(es[0].Message) > maxMessage || es[0].Time.IsZero()) {
			t.Errorf("%q: message %q at %s", body, es[0].Message, es[0].Time)
		}
	})
}
