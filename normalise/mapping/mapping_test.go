package mapping

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

var received = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

// shipped are the program's own mappings as a set.
func shipped(tb testing.TB) *Set {
	tb.Helper()
	all, refused := Load(os.DirFS("../../mappings"), "mappings")
	for _, err := range refused {
		tb.Fatal(err)
	}
	return NewSet(all, nil)
}

// read recognises a record and reads it.
func (s *Set) read(body string) (event.Event, error) {
	var tree jsontree.Tree
	root, err := tree.Parse(body)
	if err != nil {
		return event.Event{}, err
	}
	format := s.Ours(root)
	if format == "" {
		return event.Event{}, fmt.Errorf("of no format")
	}
	events, err := s.formats[format].Append(nil, event.Raw{Object: "o", Position: 7, Body: []byte(body), Received: received})
	if err != nil {
		return event.Event{}, err
	}
	return events[0], nil
}

// TestGolden: each line of testdata/*.jsonl is a record; the golden file beside
// has the event or the reason that it becomes.
func TestGolden(t *testing.T) {
	set := shipped(t)
	inputs, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("%d inputs, %v", len(inputs), err)
	}
	for _, path := range inputs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var out []byte
		for line := range strings.Lines(string(text)) {
			e, err := set.read(strings.TrimSpace(line))
			if err != nil {
				out = fmt.Appendf(out, "refused: %v\n", err)
				continue
			}
			shown, err := json.MarshalIndent(e, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			out = append(append(out, shown...), '\n')
		}
		golden.Check(t, path+".golden", out)
	}
}

// TestRefused: each testdata/NAME.bad.yml is refused with the message in its
// first line.
func TestRefused(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(inputs) < 10 {
		t.Fatalf("%d inputs, %v", len(inputs), err)
	}
	for _, path := range inputs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		want := filepath.Base(path) + ":" + strings.TrimPrefix(first, "# ")
		if _, wrong := Parse(filepath.Base(path), text); wrong == nil || wrong.Error() != want {
			t.Errorf("%v\nwant %s", wrong, want)
		}
	}
}

const small = "title: T\nformat: a.b\nwhen: [{p: x}]\nset: {time: {from: at}, src_ip: {from: ip}}\ncases: [{name: n, record: {p: x, at: 1}, expect: {}}]\n"

func parse(t *testing.T, text string) *Mapping {
	t.Helper()
	m, wrong := Parse("m.yml", []byte(text))
	if wrong != nil {
		t.Fatal(wrong)
	}
	return m
}

// TestOrder: ours come first, a user's gets what nobody knows, or what it says it
// takes.
func TestOrder(t *testing.T) {
	ours := parse(t, small)
	theirs := parse(t, strings.Replace(small, "a.b", "c.d", 1))
	taker := parse(t, strings.Replace(small, "format: a.b", "format: e.f\ninstead_of: [a.b, aws.cloudtrail]", 1))
	var tree jsontree.Tree
	root, err := tree.Parse(`{"p":"x","at":1}`)
	if err != nil {
		t.Fatal(err)
	}
	f := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	s := NewSet([]*Mapping{ours}, []*Mapping{theirs, taker})
	f("ours", s.Ours(root), "a.b")
	f("theirs", s.Theirs(root), "c.d")
	f("instead", s.Instead(root, "a.b"), "e.f")
	f("instead of another", s.Instead(root, "x.y"), "")
	if !s.Replaces("a.b") || s.Replaces("c.d") || NewSet([]*Mapping{ours}, []*Mapping{theirs}).Replaces("a.b") {
		t.Error("who replaces what is wrong")
	}
	clashes := s.Clashes(func(format string) bool { return format == "c.d" || format == "e.f" })
	if len(clashes) != 2 {
		t.Errorf("%+v", clashes)
	}
}

// TestSaid: what was said to be of a format is read by its mapping even if that
// would not know it, where there is one only.
func TestSaid(t *testing.T) {
	one, two := parse(t, small), parse(t, small)
	f := func(theirs []*Mapping, want string) {
		t.Helper()
		format := NewSet([]*Mapping{one}, theirs).formats["a.b"]
		_, err := format.Append(nil, event.Raw{Body: []byte(`{"at":1763799000}`), Format: "a.b", Received: received})
		if got := fmt.Sprint(err); got != want {
			t.Errorf("%d mappings: %s, want %s", len(theirs)+1, got, want)
		}
	}
	f(nil, "<nil>")
	f([]*Mapping{two}, "no record of the format a.b: none of its mappings knows it")
}

func TestLoad(t *testing.T) {
	all, refused := Load(fstest.MapFS{
		"a.yml": {Data: []byte(small)}, "deep/b.yaml": {Data: []byte(small)}, "notes.txt": {Data: []byte("x")}, "c.yml": {Data: []byte("title: [")},
	}, "dir")
	if len(all) != 2 || len(refused) != 1 || !strings.HasPrefix(refused[0].Error(), "dir/c.yml:1:1: ") {
		t.Errorf("%d mappings, %v", len(all), refused)
	}
}

func TestColumns(t *testing.T) {
	f := func(name, value string, want event.Event) {
		t.Helper()
		var got event.Event
		columnNamed(name).set(&got, value)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s = %q gives %+v", name, value, got)
		}
	}
	f("src_ip", "203.0.113.7", event.Event{SrcIP: "203.0.113.7"})
	f("src_ip", "203.0.113.7:443", event.Event{SrcIP: "203.0.113.7"})
	f("src_ip", "::ffff:203.0.113.7", event.Event{SrcIP: "203.0.113.7"})
	f("src_ip", "fe80::1%eth0", event.Event{SrcIP: "fe80::1"})
	f("src_ip", "gce-internal-ip", event.Event{SrcHost: "gce-internal-ip"})
	f("device_uid", "02-1A-C5-00-11-22", event.Event{DeviceUID: "02:1a:c5:00:11:22"})
	f("device_uid", "021a.c500.1122", event.Event{DeviceUID: "02:1a:c5:00:11:22"})
	f("device_uid", "021AC5001122", event.Event{DeviceUID: "02:1a:c5:00:11:22"})
	f("device_uid", "i-0a1b2c3d", event.Event{DeviceUID: "i-0a1b2c3d"})
	f("device_uid", "0a1b2c3d4e5f60718293", event.Event{DeviceUID: "0a1b2c3d4e5f60718293"})
	f("outcome", "denied", event.Event{Outcome: event.Denied})
	f("outcome", "perhaps", event.Event{})
	f("read_only", "true", event.Event{ReadOnly: true})
	f("message", "a\n\tb\x00", event.Event{Message: "a b\uFFFD"})
	f("url", "a\x00b", event.Event{URL: "a\uFFFDb"})
}

func TestTimes(t *testing.T) {
	f := func(form, zone, text, want string) {
		t.Helper()
		format, err := newTimeFormat(form)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		a := alternative{times: []timeFormat{format}, zone: loc}
		got := "none"
		if at, ok := a.time(text, received); ok {
			got = at.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s %q: %s, want %s", form, text, got, want)
		}
	}
	f("iso", "UTC", "2026-11-22T09:30:00.5+09:00", "2026-11-22T00:30:00.5Z")
	f("iso", "UTC", "2026-11-22 09:30:00.123456789 +0900", "2026-11-22T00:30:00.123456Z")
	f("iso", "Asia/Tokyo", "2026-11-22 09:30:00", "2026-11-22T00:30:00Z")
	f("iso", "UTC", "22 November", "none")
	f("unix", "UTC", "1763799000.123456789", "2025-11-22T08:10:00.123456Z")
	f("unix", "UTC", "1763799000123", "2025-11-22T08:10:00.123Z")
	f("unix", "UTC", "1763799000123456", "2025-11-22T08:10:00.123456Z")
	f("unix", "UTC", "1763799000123456789", "2025-11-22T08:10:00.123456Z")
	f("unix", "UTC", "-5", "none")
	f("unix", "UTC", "1e9", "none")
	f("unix", "UTC", "99999999999999999999", "none")
	f("unix", "UTC", "99999999999", "none")
	f("filetime", "UTC", "134082726000000000", "2025-11-22T08:10:00Z")
	f("%d/%b/%Y:%H:%M:%S %z", "UTC", "22/Nov/2026:09:30:00 +0900", "2026-11-22T00:30:00Z")
	f("%b %e %H:%M:%S", "UTC", "Nov  2 09:30:00", "2026-11-02T09:30:00Z")
	f("%b %e %H:%M:%S", "UTC", "Dec 31 23:59:59", "2025-12-31T23:59:59Z")
	for _, bad := range []string{"%Q", "%", "soon", "2006-01-02", ""} {
		if _, err := newTimeFormat(bad); err == nil {
			t.Errorf("the form %q is taken", bad)
		}
	}
}

// flaw says what is wrong with the event of a record; empty: nothing.
func flaw(e *event.Event, body string) string {
	switch {
	case e.Time.IsZero() || e.Time.Nanosecond()%1000 != 0:
		return fmt.Sprintf("its time is %v", e.Time)
	case e.UID.IsZero():
		return "it has no identity"
	case !json.Valid(e.Raw) || !strings.Contains(body, string(e.Raw)) && !strings.Contains(body, `\`):
		return fmt.Sprintf("its record is %q", e.Raw)
	case strings.ContainsAny(e.Message, "\n\r\x00"):
		return fmt.Sprintf("its message is %q", e.Message)
	}
	for _, s := range []string{e.SrcIP, e.SrcHost, e.URL, e.ActorUID, e.DeviceUID, e.Message, e.StatusDetail, e.Process} {
		if !utf8.ValidString(s) || len(s) > maxColumn+8 || strings.Contains(s, "\x00") {
			return fmt.Sprintf("a column holds %.80q", s)
		}
	}
	return ""
}

// FuzzRecords: a record of any form becomes one event without a flaw, the same
// again from its own text, or is refused.
func FuzzRecords(f *testing.F) {
	set := shipped(f)
	for _, m := range set.Mappings() {
		for _, c := range m.Cases {
			f.Add(string(c.Record))
		}
	}
	f.Add(`{"line":"1763799000.5 0 \u0000 TCP_DENIED/403 3900 GET \ud800 - HIER_NONE/- -"}`)
	f.Add(`{"_path":"conn","ts":[[[1]]],"uid":{"a":null},"id.orig_h":7}`)
	f.Fuzz(func(t *testing.T, body string) {
		e, err := set.read(body)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Fatalf("the reason is %q", err)
			}
			return
		}
		if why := flaw(&e, body); why != "" {
			t.Fatal(why)
		}
		if again, err := set.read(string(e.Raw)); err != nil || again.UID != e.UID || !again.Time.Equal(e.Time) {
			t.Fatalf("from its own record it is another: %v", err)
		}
	})
}

// FuzzParse: a file is a mapping whose cases can be run, or is refused with a
// position within it.
func FuzzParse(f *testing.F) {
	f.Add(small)
	paths, _ := filepath.Glob("../../mappings/*.yml")
	bad, _ := filepath.Glob("testdata/*.bad.yml")
	for _, path := range append(paths, bad...) {
		if text, err := os.ReadFile(path); err == nil {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, wrong := Parse("m.yml", []byte(text))
		if (m == nil) == (wrong == nil) {
			t.Fatalf("%v, %v", m, wrong)
		}
		if wrong != nil {
			if wrong.Line < 1 || wrong.Col < 1 || wrong.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u0085")+strings.Count(text, "\u2028")+strings.Count(text, "\u2029")+2 || wrong.Reason == "" {
				t.Fatalf("%v", wrong)
			}
			return
		}
		m.Test()
	})
}

func BenchmarkSquid(b *testing.B) {
	set := shipped(b)
	body := []byte(`{"line":"1763799000.123   5006 10.64.3.17 TCP_TUNNEL/200 19763 CONNECT console.cloud.google.com:443 mei.tanaka@hoshino.example HIER_DIRECT/198.51.100.7 -"}`)
	bench(b, set, body)
}

func BenchmarkZeekConn(b *testing.B) {
	bench(b, shipped(b), []byte(`{"_path":"conn","ts":1763799000.123456,"uid":"CAcJw21BbVedgFnYH4","id.orig_h":"10.0.0.7","id.orig_p":38340,"id.resp_h":"203.0.113.9","id.resp_p":443,"proto":"tcp","service":"ssl","duration":0.076967,"orig_bytes":75,"resp_bytes":178,"conn_state":"SF","local_orig":true,"local_resp":false,"missed_bytes":0,"history":"Dd","orig_pkts":1,"orig_ip_bytes":103,"resp_pkts":1,"resp_ip_bytes":206}`))
}

// bench recognises and reads one record.
func bench(b *testing.B, set *Set, body []byte) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := set.read(string(body)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDocument runs the example of docs/mappings.md, and the one in the package's
// comment.
func TestDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/mappings.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("mapping.go")
	if err != nil {
		t.Fatal(err)
	}
	_, fenced, _ := strings.Cut(string(doc), "```yaml\n")
	fenced, _, _ = strings.Cut(fenced, "```")
	_, comment, _ := strings.Cut(string(source), "//\ttitle:")
	comment, _, _ = strings.Cut(comment, "//\n")
	for _, text := range []string{fenced, "title:" + strings.ReplaceAll(comment, "//\t", "")} {
		for _, f := range parse(t, text).Test() {
			t.Errorf("%d: %s: %s", f.Line, f.Case, f.Why)
		}
	}
}
