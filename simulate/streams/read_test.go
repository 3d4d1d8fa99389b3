package streams

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/texttable"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/mapping"
	"github.com/yagura-sec/yagura/simulate/logs"
)

// readers are the formats that files describe.
func readers(t *testing.T) normalise.Registry {
	t.Helper()
	all, refused := mapping.Load(os.DirFS("../../mappings"), "mappings")
	for _, err := range refused {
		t.Fatal(err)
	}
	set := mapping.NewSet(all, nil)
	return normalise.NewRegistry(set.Formats()...).Mapped(set)
}

// TestEndpointIsRead: what the sensors, the proxy and the leases of the office
// say comes in as it is written, nothing is refused, and every column says what
// the record does.
func TestEndpointIsRead(t *testing.T) {
	_, _, files := ofMonth(t)
	formats := readers(t)
	received := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	seen := map[event.UID]bool{}
	read := func(body []byte, format string) event.Event {
		t.Helper()
		events, err := formats.Append(nil, event.Raw{Object: "o", Body: body, Received: received})
		if err != nil || len(events) != 1 || events[0].Format != format {
			t.Fatalf("%s: %d events, %v, want one of %s", body, len(events), err, format)
		}
		if seen[events[0].UID] {
			t.Errorf("%s has the identity of another record", body)
		}
		seen[events[0].UID] = true
		return events[0]
	}
	same := func(body []byte, what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s is %q, want %q", body, what, got, want)
		}
	}
	table := texttable.New(texttable.Lines)
	for _, l := range lines(t, files, "endpoint/proxy/") {
		body, ok, reason := table.Append(nil, l)
		if !ok {
			t.Fatalf("%s: %s", l, reason)
		}
		e, f := read(body, "squid.access"), strings.Fields(string(l))
		same(l, "time", fmt.Sprintf("%d.%03d", e.Time.Unix(), e.Time.Nanosecond()/1e6), f[0])
		same(l, "src_ip", e.SrcIP, f[2])
		same(l, "url", e.URL, f[6])
		same(l, "actor_uid", e.ActorUID, strings.ToLower(f[7]))
		want := event.Success
		if strings.HasPrefix(f[3], "TCP_DENIED") {
			want = event.Denied
		}
		same(l, "outcome", string(e.Outcome), string(want))
	}
	for _, l := range lines(t, files, "endpoint/edr/") {
		var s logs.Sensor
		if err := json.Unmarshal(l, &s); err != nil {
			t.Fatal(err)
		}
		format := "edr.logon"
		if s.Event == "ProcessRollup2" {
			format = "edr.process"
		}
		e := read(l, format)
		same(l, "actor_uid", e.ActorUID, strings.ToLower(s.Principal))
		same(l, "device_uid", e.DeviceUID, s.Agent)
		same(l, "device_name", e.DeviceName, s.Computer)
		same(l, "process", e.Process, s.Image)
	}
	for _, l := range lines(t, files, "endpoint/dhcp/") {
		var d logs.Lease
		if err := json.Unmarshal(l, &d); err != nil {
			t.Fatal(err)
		}
		e := read(l, "zeek.dhcp")
		same(l, "src_ip", e.SrcIP, d.Assigned)
		same(l, "device_uid", e.DeviceUID, strings.ToLower(d.MAC))
		same(l, "device_name", e.DeviceName, d.Host)
		same(l, "outcome", string(e.Outcome), string(event.Success))
	}
}
