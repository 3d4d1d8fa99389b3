package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/source/sourcetest"
)

// proxied stands for the lines and rows that somebody reads.
func proxied(record []byte) bool {
	return bytes.HasPrefix(record, []byte(`{"line":"PROXY `)) || bytes.Contains(record, []byte(`"address":`))
}

func TestSplitTables(t *testing.T) {
	form, growing := Auto, false
	f := func(in string, want ...string) {
		t.Helper()
		s := splitter{window: window{maxRecord: 60, maxDepth: 8}, known: proxied}
		run := func(chunked bool) (got []string) {
			if chunked {
				s.reset(iotest.OneByteReader(strings.NewReader(in)), form)
			} else {
				s.reset(strings.NewReader(in), form)
			}
			s.growing = growing
			for it, ok := s.next(); ok; it, ok = s.next() {
				text := string(it.body)
				if it.reason != "" {
					text = "!" + it.reason + "|" + text
				}
				got = append(got, text)
			}
			if s.held {
				got = append(got, "held")
			}
			return got
		}
		got := run(false)
		if d := cmp.Diff(want, got); d != "" || s.failure != "" {
			t.Errorf("%q, failure %q: (-want +got)\n%s", in, s.failure, d)
		}
		if d := cmp.Diff(got, run(true)); d != "" {
			t.Errorf("%q: read byte by byte (-whole +bytes)\n%s", in, d)
		}
	}
	f("#fields\ta\tb\n1\t2\n#close\n\n3\t4\n", `{"a":"1","b":"2"}`, `{"a":"3","b":"4"}`)
	f("#fields\ta\tb\n1\n3\t4", `!line 2: 1 fields where the header names 2|1`, `{"a":"3","b":"4"}`)
	f("PROXY 1\r\n\nPROXY 2\nother\n{\"a\":1}\n", `{"line":"PROXY 1"}`, `{"line":"PROXY 2"}`, `{"line":"other"}`, `{"line":"{\"a\":1}"}`)
	f("\xef\xbb\xbf\n\naddress,to\nx,\"y\nz\"\n1\n2,\"3\n4,5\n", `{"address":"x","to":"y\nz"}`, "!line 6: 1 fields where the header names 2|1",
		`!line 7: not CSV: extraneous or missing " in quoted-field|2,"3`, `{"address":"4","to":"5"}`)
	f("PROXY "+strings.Repeat("x", 100)+"\nPROXY 2\n", "!line 1: it is 107 bytes long; the limit is 60 (max_record)|PROXY "+strings.Repeat("x", 100), `{"line":"PROXY 2"}`)
	f("PROXY "+strings.Repeat("\x00", 20)+"\nPROXY 2\n", "!line 1: as JSON it is 137 bytes long; the limit is 60 (max_record)|PROXY "+strings.Repeat("\x00", 20), `{"line":"PROXY 2"}`)
	f("PROXY \xff\nPROXY 2\n", "!line 1: the text is not UTF-8 at byte 6 (0xff)|PROXY \xff", `{"line":"PROXY 2"}`)
	// Text of nobody stays what it was: no log.
	f("time,user\n1,x\n", `!not JSON: it starts with "time,user"|time,user`+"\n1,x")
	f("hello\n", `!not JSON: it starts with "hello"|hello`)

	growing = true
	f("PROXY 1\nPROXY", `{"line":"PROXY 1"}`, "held")
	f("PROXY 1\n  ", `{"line":"PROXY 1"}`)
	f("address,to,x\n", "held")
	f("address,to,x\n1,2", "held")
	f("address,to\n1,2\n3,\"4\n", `{"address":"1","to":"2"}`, "held")
	f("hello,you\n", `!not JSON: it starts with "hello,you"|hello,you`)
	growing = false

	form = Lines
	f("hello\n{\"a\":1}\n", `{"line":"hello"}`, `{"line":"{\"a\":1}"}`)
	form = CSV
	f("time,user\n1,x\n", `{"time":"1","user":"x"}`)
	f("time,user\n")
	form = Zeek
	f("a\tb\n", "!line 1: a row before the header that names its fields (#fields)|a\tb")
}

// TestTablesGrow reads logs that grow, again and again, by one source after
// another: every record comes once, whatever its header is.
func TestTablesGrow(t *testing.T) {
	f := func(header string, row func(i int) string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "a.log")
		var l sourcetest.Ledger
		write(t, path, []byte(header+row(0)+row(1)))
		for i := 2; i < 8; i += 2 {
			cfg := config(&l, path)
			cfg.Known = proxied
			ingest(t, cfg, &l)
			appendTo(t, path, []byte(row(i)+row(i+1)))
		}
		cfg := config(&l, path)
		cfg.Known = proxied
		if st := ingest(t, cfg, &l); st.Records != 2 || st.Rejects != 0 {
			t.Errorf("%.20q: the last reading has %+v", header, st)
		}
		seen := map[string]bool{}
		n := 0
		for _, b := range l.Batches {
			for _, r := range b.Raws {
				n++
				seen[fmt.Sprint(r.Position)+string(r.Body)] = true
				if !json.Valid(r.Body) {
					t.Errorf("%s", r.Body)
				}
			}
		}
		if n != 8 || len(seen) != 8 || l.Records()[path] != 8 {
			t.Errorf("%.20q: %d records, %d of them different, %v", header, n, len(seen), l.Records())
		}
	}
	f("#separator \\x09\n#path\tconn\n#fields\tts\tuid\n", func(i int) string { return fmt.Sprintf("%d.5\tC%d\n", i, i) })
	f("address,to\n", func(i int) string { return fmt.Sprintf("a%d,\"b\n%d\"\n", i, i) })
	f("", func(i int) string { return fmt.Sprintf("PROXY %d\n", i) })
}

// TestTableFollowed: of a line that is being written nothing is read.
func TestTableFollowed(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "access.log"), []byte("PROXY 1\nPRO"))
	var l sourcetest.Ledger
	cfg := config(&l, dir)
	cfg.Known = proxied
	fl := followWith(t, &l, cfg)
	fl.quiet(path, 1)
	appendTo(t, path, []byte("XY 2\n"))
	fl.reaches(path, 2, true, false)
	if err := fl.stop(); err == nil {
		t.Error("it ended by itself")
	}
	for _, b := range l.Batches {
		for _, r := range b.Raws {
			if want := fmt.Sprintf(`{"line":"PROXY %d"}`, r.Position+1); string(r.Body) != want {
				t.Errorf("%s, want %s", r.Body, want)
			}
		}
	}
}

// TestTableHoldsOneLine: what is held of an object is one line, whatever it is.
func TestTableHoldsOneLine(t *testing.T) {
	f := func(form, begin, text string, size int64, wantRecords int) {
		t.Helper()
		s := splitter{window: window{maxRecord: 1 << 20, maxDepth: 64}}
		s.reset(io.MultiReader(strings.NewReader(begin), io.LimitReader(&endless{text: text}, size)), form)
		n, head := 0, 0
		for it, ok := s.next(); ok; it, ok = s.next() {
			n++
			head = max(head, len(it.body))
		}
		if n < wantRecords || head > event.MaxRejectBody || len(s.buf) > 4<<20 || cap(s.out) > 16<<20 {
			t.Errorf("%s: %d records, the largest body %d, the window %d bytes, %d of an object", form, n, head, len(s.buf), cap(s.out))
		}
	}
	f(Lines, "", "x", 48<<20, 1)
	f(Lines, "", strings.Repeat("x", 1000)+"\n", 48<<20, 48_000)
	f(CSV, "a,b\n", "\"x\n", 3<<20, 1_000_000) // every two lines are in one pair of quotes
	f(CSV, "a,b\n\"", "1,2\n", 3<<20, 700_000) // a quote that never ends
	f(Zeek, "#fields\ta\n", "\x00", 48<<20, 1)
}

// FuzzSplitTables: as many records as lines, readable or not, however it is read.
func FuzzSplitTables(f *testing.F) {
	f.Add([]byte("#fields\ta\tb\n1\t2\nx\n"), uint8(0), uint8(3))
	f.Add([]byte("a,b\n1,2\n\"x\ny\",2\n\"\n"), uint8(1), uint8(1))
	f.Add([]byte("one\r\n\n\x00two"), uint8(2), uint8(9))
	f.Fuzz(func(t *testing.T, in []byte, kind, chunk uint8) {
		form := []string{Zeek, CSV, Lines}[kind%3]
		read := func(s *splitter) (got []string) {
			size := int64(0)
			for it, ok := s.next(); ok; it, ok = s.next() {
				if it.reason == "" && !json.Valid(it.body) || len(it.body) > event.MaxRejectBody {
					t.Fatalf("%q %s", it.body, it.reason)
				}
				size += it.size
				got = append(got, string(it.body)+"!"+it.reason)
			}
			if size > int64(len(in)) || s.failure != "" {
				t.Fatalf("%d bytes in records of %d; %s", size, len(in), s.failure)
			}
			return got
		}
		small := splitter{window: window{maxRecord: 200, maxDepth: 8, buf: make([]byte, 16)}}
		small.reset(&chunks{in, int(chunk%17) + 1}, form)
		got := read(&small)
		large := splitter{window: window{maxRecord: 200, maxDepth: 8}}
		large.reset(bytes.NewReader(in), form)
		if d := cmp.Diff(read(&large), got); d != "" {
			t.Fatalf("in one piece and in small ones: %s", d)
		}
		if s := string(in); utf8.Valid(in) && !strings.ContainsAny(s, "\"\ufeff\x00") && !strings.Contains(s, "Microsoft") {
			lines, headed := 0, form != CSV
			for line := range strings.Lines(s) {
				switch blank := strings.TrimSpace(line) == ""; {
				case blank, form == Zeek && line[0] == '#':
				case !headed:
					headed = true
				default:
					lines++
				}
			}
			broken := 0 // headers that are rejected are no rows
			for _, g := range got {
				if strings.Contains(g, ": not a header of CSV") || strings.Contains(g, ": in the name of ") || strings.Contains(g, ": a header of") {
					broken++
				}
			}
			if lines != len(got)-broken {
				t.Fatalf("%d lines, %d records: %q", lines, len(got), got)
			}
		}
	})
}
