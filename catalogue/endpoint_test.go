package catalogue

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/source/file"
)

// arrivals is what became of the records of some paths.
type arrivals struct {
	records, aside, failed int
	formats                map[string]int
	reasons                map[string]int
	events                 []event.Event
}

// positions in a reason differ between records that fail alike.
var positions = regexp.MustCompile(`(line|byte) \d+`)

// arrive reads the paths as ingest does, and counts.
func arrive(t *testing.T, paths ...string) arrivals {
	t.Helper()
	var mu sync.Mutex
	out := arrivals{formats: map[string]int{}, reasons: map[string]int{}}
	formats := Formats()
	src, err := file.New(file.Config{Paths: paths, Known: Known(formats), Now: func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(reason string) { out.reasons[positions.ReplaceAllString(reason, "$1 N")]++ }
	err = src.Run(t.Context(), func(_ context.Context, b event.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		out.records += len(b.Raws) + len(b.Rejects)
		for _, r := range b.Rejects {
			refuse(r.Reason)
		}
		for _, raw := range b.Raws {
			events, err := formats.Append(nil, raw)
			if err != nil {
				refuse(err.Error())
				continue
			}
			out.formats[events[0].Format] += len(events)
			out.events = append(out.events, events...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	st := src.Stats()
	out.aside, out.failed = int(st.Skipped), int(st.Failed)
	return out
}

// log shows the reasons, the most frequent first.
func (a arrivals) log(t *testing.T) {
	t.Helper()
	t.Logf("%d records, %d files aside, %d failed; %v", a.records, a.aside, a.failed, a.formats)
	for _, reason := range slices.SortedFunc(maps.Keys(a.reasons), func(x, y string) int {
		return cmp.Or(cmp.Compare(a.reasons[y], a.reasons[x]), strings.Compare(x, y))
	}) {
		t.Logf("%5d %s", a.reasons[reason], reason)
	}
}

// TestSharedEndpoint takes in everything that there is of devices, networks and
// proxies, and counts what became of it. docs/formats.md tells the same numbers.
func TestSharedEndpoint(t *testing.T) {
	a := arrive(t, shared.Dir(t, "endpoint"))
	a.log(t)
	want := map[string]int{ // the others are identity providers', which have their own test
		"dns.query": 22, "edr.logon": 3, "edr.network": 6, "edr.process": 37,
		"proxy.cloudflare": 2, "proxy.umbrella": 7, "proxy.zscaler": 3, "squid.access": 50,
		"zeek.conn": 622, "zeek.dhcp": 1, "zeek.dns": 57, "zeek.http": 71, "zeek.ssl": 384,
	}
	for format, n := range want {
		if a.formats[format] != n {
			t.Errorf("%d records of %s, want %d", a.formats[format], format, n)
		}
	}
	if a.records != 5346 || a.aside != 162 || a.failed != 0 {
		t.Errorf("%d records, %d aside, %d failed: %v", a.records, a.aside, a.failed, a.formats)
	}
	stored := 0
	for _, n := range a.formats {
		stored += n
	}
	refused, unnamed := 0, 0
	for reason, n := range a.reasons {
		refused += n
		if strings.Contains(reason, "none of the formats") {
			unnamed += n
		}
	}
	if stored+refused != a.records || unnamed > 40 {
		t.Errorf("%d stored and %d refused of %d records; of %d nobody says what they are", stored, refused, a.records, unnamed)
	}
	for _, e := range a.events {
		if mapped := strings.ContainsAny(e.Format[:4], "zspd") && e.Format != "entra.signin"; mapped && (e.Time.IsZero() || e.ClassUID == 0 || e.UID.IsZero() || e.Message == "") {
			t.Errorf("%s at %s/%d lacks its time, class, identity or message", e.Format, filepath.Base(e.Object), e.Position)
		}
	}
}

// TestText takes in text as it lies on disks: what is of a format that is read
// becomes events, other text stays what it was.
func TestText(t *testing.T) {
	dir := t.TempDir()
	f := func(name, text string, want map[string]int, reasons ...string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a := arrive(t, path)
		if !maps.Equal(a.formats, want) || len(a.reasons) != len(reasons) {
			t.Errorf("%s: %v, want %v; refused %v", name, a.formats, want, a.reasons)
		}
		for _, want := range reasons {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(a.reasons)), func(reason string) bool { return strings.Contains(reason, want) }) {
				t.Errorf("%s: refused %v, none is %q", name, a.reasons, want)
			}
		}
	}
	f("access.log", "1763799000.123   5006 10.64.3.17 TCP_TUNNEL/200 19763 CONNECT example.com:443 a@hoshino.example HIER_DIRECT/198.51.100.7 -\r\n"+
		"1763799000.200 5 10.64.3.17 TCP_\xff/200\n1763799001.5 0 10.64.3.18 TCP_DENIED/403 3900 GET http://example.com/ - HIER_NONE/- text/html\nsomething else\n",
		map[string]int{"squid.access": 2}, "line N: the text is not UTF-8", `a line of text of no format that Yagura reads: it starts with "something else"`)
	f("conn.log", "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.resp_h\tid.resp_p\tproto\tconn_state\ttunnel_parents\n"+
		"#types\ttime\tstring\taddr\taddr\tport\tenum\tstring\tset[string]\n1763799000.25\tC1\t10.0.0.7\t203.0.113.9\t443\ttcp\tSF\t(empty)\n1763799000.26\tC2\n#close\t2025-11-22-09-00-00\n",
		map[string]int{"zeek.conn": 1}, "line N: 2 fields where the header names 8")
	f("weird.log", "#separator \\x09\n#path\tweird\n#fields\tts\tuid\n1763799000.25\tC1\n", map[string]int{}, "a record of Zeek's log weird")
	f("DhcpSrvLog-Sun.log", "\t\tMicrosoft DHCP Service Activity Log\r\n\r\n\r\nEvent ID  Meaning\r\n00\tThe log was started.\r\n\r\n"+
		"ID,Date,Time,Description,IP Address,Host Name,MAC Address,User Name, TransactionID\r\n00,11/22/26,00:00:05,Started,,,,,0\r\n10,11/22/26,09:30:00,Assign,172.20.64.9,PC-17,021AC5001122,,12\r\n",
		map[string]int{"dhcp.lease": 2})
	f("umbrella.csv", `"2026-11-22 09:30:00","PC-17","PC-17","172.20.64.9","203.0.113.7","Allowed","1 (A)","NOERROR","www.example.com.","Technology","Roaming Computers","Roaming Computers",""`+"\n",
		map[string]int{"dns.query": 1})
	f("query.log", "22-Nov-2026 09:30:00.123 queries: info: client @0x7f0c 10.0.0.7#53211 (www.example.com): query: www.example.com IN A +E(0)K (10.0.0.1)\n", map[string]int{"dns.query": 1})
	f("bill.log", "date,account,cost\n2026-11-22,111122223333,7\n", map[string]int{}, "not JSON: it starts with")
	f("notes.txt", "Proxy was slow on Monday, they say.\n", map[string]int{})
}
