package catalogue

import (
	"cmp"
	"context"
	"maps"
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
