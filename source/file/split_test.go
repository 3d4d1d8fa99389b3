package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/event"
)

// split runs the splitter over in. A record shows as its text, a reject as "!" and its text.
func split(s *splitter, r io.Reader, form string) (got []string, failure string) {
	if s.maxRecord == 0 {
		s.maxRecord, s.maxDepth = 16<<20, 64
	}
	s.reset(r, form)
	for {
		it, ok := s.next()
		if !ok {
			return got, s.failure
		}
		text := string(it.body)
		if it.reason != "" {
			text = "!" + text
		}
		got = append(got, text)
	}
}

func TestSplit(t *testing.T) {
	form := Auto
	f := func(in string, want ...string) {
		t.Helper()
		var s splitter
		got, failure := split(&s, strings.NewReader(in), form)
		if d := cmp.Diff(want, got); d != "" || failure != "" {
			t.Errorf("%q, failure %q: (-want +got)\n%s", in, failure, d)
		}
		if again, _ := split(&s, iotest.OneByteReader(strings.NewReader(in)), form); !cmp.Equal(got, again) {
			t.Errorf("%q: read byte by byte it gives %q", in, again)
		}
	}
	// Containers.
	f("")
	f(" \n ")
	f(`{"Records":[]}`)
	f(`{"Records":[{"a":1},{"b":"]}"}]}`, `{"a":1}`, `{"b":"]}"}`)
	f("{ \"Records\" : [\n {\"a\":1} ,\n {\"b\":2}\n ]\n}\n", `{"a":1}`, `{"b":2}`)
	f(`{"v":1,"Records":[{"a":1}],"more":{"x":[1]}}`, `{"a":1}`)
	f(`{"entries":[{"a":1},{"b":2}],"nextPageToken":"x"}`, `{"a":1}`, `{"b":2}`)
	f(`{"receivedMessages":[{"ackId":"x","message":{"data":"e30="}}]}`, `{"ackId":"x","message":{"data":"e30="}}`)
	f(`{"kind":"admin#reports#activities","items":[{"kind":"admin#reports#activity","events":[{"a":1}]}]}`, `{"kind":"admin#reports#activity","events":[{"a":1}]}`)
	f(`{"v":{"Records":[1]},"Records":[{"a":1}]}`, `{"a":1}`)
	f(`{"Records":[{"Records":[{"a":1}]}]}`, `{"Records":[{"a":1}]}`)
	f(`{"NextToken":"t","Events":[{"CloudTrailEvent":"{\"a\":1}"}]}`, `{"CloudTrailEvent":"{\"a\":1}"}`)
	f(`{"Records":[{"a":1}]}{"Records":[{"a":2}]}`, `{"a":1}`, `{"a":2}`)
	// Answers and events with findings.
	f(`{"Findings":[{"Id":"1"},{"Id":"2"}],"NextToken":"t"}`, `{"Id":"1"}`, `{"Id":"2"}`)
	f(`{"findings":[{"a":1}]}`, `{"a":1}`)
	f(`{"listFindingsResults":[],"totalSize":0}`)
	f(`{"EvaluationResults":[{"a":1}]}`, `{"a":1}`)
	f(`{"value":[{"id":"x"}],"nextLink":"n"}`, `{"id":"x"}`)
	f("{\n \"events\" : [{\"message\":\"m\"}],\"nextToken\":\"t\"}", `{"message":"m"}`)                               // CloudWatch Logs
	f(`{"kind":"admin#reports#activity","events":[{"a":1}]}`, `{"kind":"admin#reports#activity","events":[{"a":1}]}`) // Google Workspace
	f(`{"page":{"total":2},"data":[{"a":1},{"a":2}]}`, `{"a":1}`, `{"a":2}`)
	f(`{"detail-type":"Security Hub Findings - Imported","detail":{"x":[1],"findings":[{"a":1},{"a":2}],"y":{}},"id":"e"}`, `{"a":1}`, `{"a":2}`)
	f(`{"detail":{"findings":[{"a":1}]}}{"detail":{"findings":[{"a":2}]}}`, `{"a":1}`, `{"a":2}`)
	f(`{"status_code":200,"data":{"ResponseMetadata":{},"Findings":[{"a":1}],"FailedFindings":[]}}`, `{"a":1}`)
	f(`{"detail":{"type":"x"}}`, `{"detail":{"type":"x"}}`)
	f(`{"detail":{"requestParameters":{"findings":[{"a":1}]}}}`, `{"detail":{"requestParameters":{"findings":[{"a":1}]}}}`) // CloudTrail of BatchImportFindings
	f(`{"other":{"findings":[{"a":1}]}}`, `{"other":{"findings":[{"a":1}]}}`)
	f(`{"RelatedFindings":[{"a":1}]}`, `{"RelatedFindings":[{"a":1}]}`)
	f(`[{"a":1},{"b":[2,{}]}]`, `{"a":1}`, `{"b":[2,{}]}`)
	f("[]\n")
	f("{\"a\":1}\n{\"b\":2}\r\n\n{\"c\":3}", `{"a":1}`, `{"b":2}`, `{"c":3}`)
	f(`{"a":1}{"b":2} {"c":3}`, `{"a":1}`, `{"b":2}`, `{"c":3}`)
	f("{\n \"a\": 1\n}\n{\n \"b\": [\n  2\n ]\n}", "{\n \"a\": 1\n}", "{\n \"b\": [\n  2\n ]\n}")
	f(`{"detail-type":"x","detail":{"a":1}}`, `{"detail-type":"x","detail":{"a":1}}`)
	f("\xef\xbb\xbf{\"a\":1}", `{"a":1}`)
	f("\x1e{\"a\":1}\n\x1e{\"b\":2}\n", `{"a":1}`, `{"b":2}`)
	f("{\"a\":\"tab\t, ! # end\"}[\"x\ty\\\"\"]", "{\"a\":\"tab\t, ! # end\"}", "!\"x\ty\\\"\"")
	f(`{"a":"\\"}{"b":"\""}`, `{"a":"\\"}`, `{"b":"\""}`)
	f(`{"Records":"none"}`, `{"Records":"none"}`)

	// Lines that are broken, and those around them.
	f("{\"a\":1}\n{\"a\":tru\n{\"a\":3}\n", `{"a":1}`, `!{"a":tru`, `{"a":3}`)
	f("{\"a\":1}\n{\"a\":\"x\n{\"a\":3}\n", `{"a":1}`, `!{"a":"x`, `{"a":3}`)
	f("{\"a\":1}\n{\"a\":{\"b\":1}\n{\"a\":3}\n", `{"a":1}`, `!{"a":{"b":1}`, `{"a":3}`)
	f("{\"a\":{\"b\":1}\n{\"a\":3}\n", `!{"a":{"b":1}`, `{"a":3}`)
	f("{\"a\":1}\n{\"a\":\n{\"a\":3}\n", `{"a":1}`, `!{"a":`, `{"a":3}`)
	f("{\"a\":1}\n{\"a\":[1}\n{\"a\":3}\n", `{"a":1}`, `!{"a":[1}`, `{"a":3}`)
	f("{\"a\":1}\n{\"a\":\"x\\\n{\"a\":3}\n", `{"a":1}`, "!{\"a\":\"x\\", `{"a":3}`)
	f("{\"a\":1}\ngarbage\n# more\n{\"a\":3}\n", `{"a":1}`, `!garbage`, `!# more`, `{"a":3}`)
	f("\"x\",\"tail\":1}\n{\"a\":1}\n", `!"x","tail":1}`, `{"a":1}`)
	f("{\"a\":1}\n[1,{\"a\":2}]\n7\n", `{"a":1}`, `!1`, `{"a":2}`, `!7`)
	f("{\"a\":1}\n{\"a\":2", `{"a":1}`, `!{"a":2`)
	f("{\"a\":1}}\n{\"a\":2}\n", `{"a":1}`, `!}`, `{"a":2}`)
	f("{\"a\" 'b'}\n{\"a\":1}\n", `!{"a" 'b'}`, `{"a":1}`)
	f("{\n \"a\": x\n}\n{\n \"b\": 2\n}\n", "!{\n \"a\": x\n}", "{\n \"b\": 2\n}")

	// Elements that are broken, and those around them.
	f(`[{"a":1},{"a":x},{"a":3}]`, `{"a":1}`, `!{"a":x},`, `{"a":3}`)
	f(`{"Records":[{"a":1},{"a":{"b":2},{"a":3}]}`, `{"a":1}`, `!{"a":{"b":2},`, `{"a":3}`)
	f(`{"Records":[{"a":1},{"a":"b},{"a":3}]}`, `{"a":1}`, `!{"a":"b},`, `{"a":3}`)
	f(`{"Records":[{"a":1}},{"a":3}]}`, `{"a":1}`, `!},`, `{"a":3}`)
	f(`{"Records":[{"a":1}],{"a":3}]}`, `{"a":1}`, `!,`, `{"a":3}`)
	f(`[{"a":"{\"a\":1},{\"a\":x"},{"a":x},{"a":3}]`, `{"a":"{\"a\":1},{\"a\":x"}`, `!{"a":x},`, `{"a":3}`)
	f(`[1,"x,]",null,{"a":1},[2]]`, `!1`, `!"x,]"`, `!null`, `{"a":1}`, `![2]`)

	// Not JSON at all.
	f("time,user\n1,x\n", "!time,user\n1,x")
	f("# Notes\n\nlog of July\n", "!# Notes\n\nlog of July")
	f("[section]\nkey=value\n", "!section]\nkey=value")
	f("{{ template }}\n", "!{{ template }}")
	f("{'a': 1}\n{'a': 2}\n", "!{'a': 1}\n{'a': 2}")
	f("2021-01-01T00:00:00Z x\n", "!2021-01-01T00:00:00Z x")
	f("\x89PNG\r\n\x1a\n\x00\x00", "!\x89PNG\r\n\x1a\n\x00\x00")
	f("\xff\xfe{\x00}\x00", "!\xff\xfe{\x00}\x00")
	f("{\x00\"\x00", "!{\x00\"\x00")
	f("\x00\x00\x00\x00\x00\x00", "!\x00\x00\x00\x00\x00\x00")

	form = JSONL
	f("{\"Records\":[{}]}\n[1]\n", `{"Records":[{}]}`, `![1]`)
	form = JSON
	f("{\"Records\":[{}]}[{}]", `{"Records":[{}]}`, `![{}]`)
	form = Records
	f(`{"Records":[{"a":1}]}{"b":1}`, `{"a":1}`, `!{"b":1}`)
	form = Array
	f(`[{"Records":[]}]{"b":1}`, `{"Records":[]}`, `!{"b":1}`)
}

func TestSplitFailure(t *testing.T) {
	f := func(in, wantFailure string, want ...string) {
		t.Helper()
		var s splitter
		got, failure := split(&s, strings.NewReader(in), Auto)
		if d := cmp.Diff(want, got); d != "" || failure != wantFailure {
			t.Errorf("%q: failure %q, want %q (-want +got)\n%s", in, failure, wantFailure, d)
		}
	}
	f(`{"Records":[{"a":1},{"a":`, "the file ends in the middle of a record, at byte 25", `{"a":1}`, `!{"a":`)
	f(`{"Records":[{"a":1}`, "the file ends inside its array of records, at byte 19", `{"a":1}`)
	f(`{"Records":[{"a":1}]`, "the file ends inside the object around its records, at byte 20", `{"a":1}`)
	f(`[{"a":1},{"b":x},{"b":2}]`, "not valid JSON from byte 14 on, and no next record can be found", `{"a":1}`, `!{"b":x},{"b":2}]`)
}

func TestSplitLimits(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		s := splitter{window: window{maxRecord: 100, maxDepth: 4, buf: make([]byte, 64)}}
		var got []string
		s.reset(iotest.HalfReader(strings.NewReader(in)), Auto)
		for it, ok := s.next(); ok; it, ok = s.next() {
			got = append(got, fmt.Sprintf("%d %s", it.size, it.reason))
		}
		if d := cmp.Diff(want, got); d != "" || s.failure != "" {
			t.Errorf("failure %q (-want +got)\n%s", s.failure, d)
		}
	}
	long := strings.Repeat("x", 1<<20)
	f(`[{"a":1},{"a":"`+long+`"},{"a":2}]`, "7 ", "1048584 the record is 1048584 bytes long; the limit is 100 (max_record)", "7 ")
	f(`{"a":1}`+"\n"+`{"a":"`+long[:94]+`"}`, "7 ", "102 the record is 102 bytes long; the limit is 100 (max_record)")
	f(`{"a":1}`+"\n"+`{"a":"`+long[:92]+`"}`, "7 ", "100 ")
	f(`{"a":{"b":{"c":{}}}}{"a":{"b":{"c":[{}]}}}{"a":1}`, "20 ", "22 the record is nested deeper than 4 levels (max_depth)", "7 ")
	f(`[{"a":`+strings.Repeat("[", 1<<20)+strings.Repeat("]", 1<<20)+`},{"a":2}]`, "2097158 the record is 2097158 bytes long; the limit is 100 (max_record)", "7 ")
}

func TestSplitHoldsOneRecord(t *testing.T) {
	s := splitter{window: window{maxRecord: 1 << 20, maxDepth: 64}}
	record := `{"a":"` + strings.Repeat("x", 1000) + `"},`
	in := io.MultiReader(strings.NewReader("["), io.LimitReader(&endless{text: record}, 64<<20), strings.NewReader(`{"z":"`), io.LimitReader(&endless{text: "y"}, 32<<20))
	s.reset(in, Auto)
	n, head := 0, 0
	for it, ok := s.next(); ok; it, ok = s.next() {
		n++
		head = max(head, len(it.body))
	}
	if n < 60_000 || head != event.MaxRejectBody || len(s.buf) > 4<<20 {
		t.Errorf("%d records, the largest body %d, the window %d bytes", n, head, len(s.buf))
	}
}

// endless repeats its text for ever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], e.text[e.at:])
		n += c
		e.at = (e.at + c) % len(e.text)
	}
	return n, nil
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{`{"Records":[{"a":1}]}`, "{\"a\":1}\n{\"b\":[\"x\\\"\"]}\n", `[{"a":{"b":[1,2]}},{"a":x},{"a":3}]`, "x\n{\"a\":1}\n", `{"Events":[{"a":"\\"}],"t":[{}]}`} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, chunk uint8) {
		s := splitter{window: window{maxRecord: 200, maxDepth: 8, buf: make([]byte, 16)}}
		s.reset(&chunks{in, int(chunk%17) + 1}, Auto)
		var small, large []string
		var size int64
		for it, ok := s.next(); ok; it, ok = s.next() {
			if len(it.body) > event.MaxRejectBody || it.reason == "" && (len(it.body) > 200 || it.body[0] != '{' || int64(len(it.body)) != it.size) {
				t.Fatalf("record %q of %d bytes, %s", it.body, it.size, it.reason)
			}
			size += it.size
			small = append(small, string(it.body)+"!"+it.reason)
		}
		if size > int64(len(in)) {
			t.Fatalf("%d bytes in records of %d", size, len(in))
		}
		b := splitter{window: window{maxRecord: 200, maxDepth: 8}}
		b.reset(bytes.NewReader(in), Auto)
		for it, ok := b.next(); ok; it, ok = b.next() {
			large = append(large, string(it.body)+"!"+it.reason)
		}
		if d := cmp.Diff(large, small); d != "" {
			t.Fatalf("read in one piece and in small ones: %s", d)
		}
	})
}

type chunks struct {
	b []byte
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.b)
	c.b = c.b[n:]
	return n, nil
}

// FuzzSplitValid checks that of valid JSON the same records are found as
// encoding/json finds.
func FuzzSplitValid(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"Records":[{"a":1},{"b":[]}]}`, `[{"a":{}},[1],"x"]`, `{"x":[{"y":1},{"z":"\u00e9\\"}]}`, "{\n\t\"a\" : [ ] }"} {
		f.Add([]byte(s), uint8(0))
	}
	f.Fuzz(func(t *testing.T, in []byte, kind uint8) {
		var v any
		if json.Unmarshal(in, &v) != nil {
			t.Skip()
		}
		if _, ok := v.(map[string]any); !ok {
			t.Skip()
		}
		s := splitter{window: window{maxRecord: 1 << 20, maxDepth: 10_000}}
		object := string(in)
		var got []string
		var want []string
		switch kind % 5 {
		case 0:
			want = []string{object, object}
			got, _ = split(&s, strings.NewReader(object+"\n"+object), JSON)
		case 1:
			want = []string{object, object}
			got, _ = split(&s, strings.NewReader("["+object+" ,\n"+object+"]"), Array)
		case 2:
			want = []string{object, object}
			got, _ = split(&s, strings.NewReader(`{"x":{"y":[]},"Records":[`+object+","+object+`],"z":1}`), Records)
		case 3:
			var compact bytes.Buffer
			_ = json.Compact(&compact, in)
			want = []string{compact.String(), compact.String(), compact.String()}
			got, _ = split(&s, strings.NewReader(strings.Join(want, "\n")), JSONL)
		case 4:
			want = []string{object}
			var keys map[string]json.RawMessage
			_ = json.Unmarshal(in, &keys)
			for k := range keys {
				if strings.ContainsAny(string(in), `\`) || k == "Records" || k == "Events" {
					t.Skip() // a container of its own
				}
			}
			got, _ = split(&s, strings.NewReader(object), Auto)
		}
		for i := range got {
			got[i] = strings.TrimSpace(got[i])
		}
		for i := range want {
			want[i] = strings.TrimSpace(want[i])
		}
		if !cmp.Equal(got, want) {
			t.Fatalf("kind %d of %q: got %q", kind%5, in, got)
		}
	})
}
