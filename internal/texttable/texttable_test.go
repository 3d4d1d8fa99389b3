package texttable

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// all makes records of the lines of text; a reject shows as "!" and its reason.
func all(t *Table, text string) (got []string) {
	for line := range strings.Lines(text) {
		out, ok, reason := t.Append(nil, []byte(line))
		switch {
		case reason != "":
			got = append(got, "!"+reason)
		case ok:
			got = append(got, string(out))
		}
	}
	return got
}

func check(t *testing.T, kind, text string, want ...string) {
	t.Helper()
	got := all(New(kind), text)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s %q:\ngot  %s\nwant %s", kind, text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	for _, g := range got {
		if g[0] == '{' && !json.Valid([]byte(g)) {
			t.Errorf("not JSON: %s", g)
		}
	}
}

const zeekHead = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n" +
	"#open\t2026-11-22-00-00-00\n#fields\tts\tid.orig_h\tid.orig_p\tquery\tAA\tanswers\tTTLs\n#types\ttime\taddr\tport\tstring\tbool\tvector[string]\tvector[interval]\n"

func TestZeek(t *testing.T) {
	f := func(text string, want ...string) { t.Helper(); check(t, Zeek, text, want...) }
	f(zeekHead+"1763800000.25\t10.0.0.7\t53211\twww.example.com\tF\ta.example,203.0.113.9\t60.0,5.5\n#close\t2026-11-22-01-00-00\n",
		`{"_path":"dns","ts":1763800000.25,"id.orig_h":"10.0.0.7","id.orig_p":53211,"query":"www.example.com","AA":false,"answers":["a.example","203.0.113.9"],"TTLs":[60.0,5.5]}`)
	f(zeekHead+"1.5\t-\t-\t(empty)\tT\t(empty)\t-\r\n", `{"_path":"dns","ts":1.5,"query":"","AA":true,"answers":[]}`)
	f(zeekHead+"1.5\t10.0.0.7\n", "!2 fields where the header names 7")
	f(zeekHead+"soon\t\"x\"\\\tmany\ta\\x09b\\xff\t?\t-\t-\n", `{"_path":"dns","ts":"soon","id.orig_h":"\"x\"\\","id.orig_p":"many","query":"a\\x09b\\xff","AA":"?"}`)
	f(zeekHead+"1.5\t-\t-\ta\\x09b\t-\t-\t-\n", `{"_path":"dns","ts":1.5,"query":"a\tb"}`)
	f(zeekHead+"1.5\t-\t-\t\xff\t-\t-\t-\n", `!in the column "query": the text is not UTF-8 at byte 0 (0xff)`)
	f("1.5\t2\n", "!a row before the header that names its fields (#fields)")
	f("#separator |\n#fields|a|b\n1|2\n", `{"a":"1","b":"2"}`)
	f("#fields\ta\tb\n1\t2\n#fields\ta\n3\n", `{"a":"1","b":"2"}`, `{"a":"3"}`)
	f("#fields\ta\n\x00\n", `{"a":"\u0000"}`)
	f("#fields\t\xff\n1\n2\n", "!in the name of a column: the text is not UTF-8 at byte 0 (0xff)",
		"!under a header that cannot be read: in the name of a column: the text is not UTF-8 at byte 0 (0xff)",
		"!under a header that cannot be read: in the name of a column: the text is not UTF-8 at byte 0 (0xff)")
}

func TestZeekHeaderTwice(t *testing.T) {
	f := func(text string, changed bool) {
		t.Helper()
		z := New(Zeek)
		if all(z, text); z.Changed() != changed {
			t.Errorf("%q: changed is %v", text, z.Changed())
		}
	}
	f(zeekHead+zeekHead, false)
	f("#fields\ta\n#fields\tb\n", true)
	f("#path\ta\n#path\tb\n", true)
	z := New(Zeek)
	all(z, zeekHead+zeekHead)
	if out, ok, _ := z.Append(nil, []byte("1.5\t-\t9\t-\t-\t-\t-\n")); !ok || !strings.Contains(string(out), `"id.orig_p":9`) {
		t.Errorf("behind the same header again: %s", out)
	}
}

func TestCSV(t *testing.T) {
	f := func(text string, want ...string) { t.Helper(); check(t, CSV, text, want...) }
	f("time,user\n1,x\n\n2,\r\n", `{"time":"1","user":"x"}`, `{"time":"2","user":""}`)
	f("\xef\xbb\xbfa;b\n1,5;\"x;\"\"y\"\"\"\n", `{"a":"1,5","b":"x;\"y\""}`)
	f("a\tb\n1\t2\n", `{"a":"1","b":"2"}`)
	f("a, b\n\"1\", \"x,y\"\n", `{"a":"1","b":"x,y"}`)
	f("a,a,,a_2\n1,2,3,4\n", `{"a":"1","a_2":"2","column_3":"3","a_2_2":"4"}`)
	f("a,b\n1\n1,2,3\n1,2,,\n", "!1 fields where the header names 2", "!3 fields where the header names 2", `{"a":"1","b":"2"}`)
	f("a,b\n5\" disk,x\n", `{"a":"5\" disk","b":"x"}`)
	f("a,b\n\"1,2\n", `!not CSV: extraneous or missing " in quoted-field`)
	f("a,b\n\xe9,2\n3,4\n", `!in the column "a": the text is not UTF-8 at byte 0 (0xe9)`, `{"a":"3","b":"4"}`)
	f("a,b\nx\x00,2\n", `{"a":"x\u0000","b":"2"}`)
	f(strings.Repeat("a,", 5000)+"\n1\n", "!a header of 5001 columns; the limit is 4096", "!under a header that cannot be read: a header of 5001 columns; the limit is 4096")
	f("\t\tMicrosoft DHCP Service Activity Log\n\n\nEvent ID  Meaning\n00\tThe log was started.\n\nID,Date,Time,Description,IP Address\n10,11/22/26,09:30:00,Assign,10.0.0.5\n",
		`{"ID":"10","Date":"11/22/26","Time":"09:30:00","Description":"Assign","IP Address":"10.0.0.5"}`)
	c := New(CSV)
	c.Feed([]byte("a,b\n1,2\n"))
	if out, ok, _ := c.Append(nil, []byte("\"x\ny\",2")); !ok || string(out) != `{"a":"x\ny","b":"2"}` {
		t.Errorf("over two lines: %s", out)
	}
}

func TestRecognise(t *testing.T) {
	known := func(record []byte) bool {
		return bytes.Contains(record, []byte(`"user"`)) || bytes.HasPrefix(record, []byte(`{"line":"LOG `))
	}
	f := func(text string, all bool, want string, wantWait bool) {
		t.Helper()
		got, wait := Recognise([]byte(text), all, known)
		kind := ""
		if got != nil {
			kind = got.Kind()
		}
		if kind != want || wait != wantWait {
			t.Errorf("%q: %q, wait %v", text, kind, wait)
		}
	}
	f("#separator \\x09\n", false, Zeek, false)
	f("\n#fields\ta\n", true, Zeek, false)
	f("# Notes\n", true, "", false)
	f("time,user\n1,x\n", true, CSV, false)
	f("time,user\n1,x", true, CSV, false)
	f("time,user\n1,x", false, "", true)
	f("time,other\n1,x\n", true, "", false)
	f("time,user\nbroken\n1,x\n", true, CSV, false)
	f("LOG 1\n", false, Lines, false)
	f("hello\nLOG 1\n", false, Lines, false)
	f("LOG 1", false, "", true)
	f("LOG 1", true, Lines, false)
	f("time,user\n\"1\n2\",x\n", true, CSV, false)
	f(strings.Repeat("a\n", 10)+"LOG 1\n", true, "", false)
	f(strings.Repeat("a\n", 10), false, "", false)
	if got, wait := Recognise([]byte("LOG 1\n"), true, nil); got != nil || wait {
		t.Error("recognised by nobody")
	}
	begun := func(text string, want bool) {
		t.Helper()
		if Begun([]byte(text)) != want {
			t.Errorf("Begun(%q) is %v", text, !want)
		}
	}
	begun("time,user,host\n", true)
	begun("time,user,host\n1,x", true)
	begun("time,user,host\n1,x,y\n", false)
	begun("Notes, of July, and August.\n", true)
	begun("Notes of July\n", false)
	begun("1,2,3\n", false)
}

// FuzzSplit: every byte of a text that is not blank, a header or a comment is in
// one record, in order.
func FuzzSplit(f *testing.F) {
	f.Add("a,b\n1,2\n\"x\ny\",\"z\n\n3,4", uint8(0))
	f.Add(zeekHead+"1.5\t10.0.0.7\t1\tx\tT\ta,b\t1,2\n7\n", uint8(1))
	f.Add("\xef\xbb\xbfone\r\n\n\x00\n", uint8(2))
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		table := New([]string{CSV, Zeek, Lines}[kind%3])
		rest, line := strings.TrimPrefix(text, string(bom)), 1
		for r := range table.Split([]byte(text)) {
			k := strings.Index(rest, string(r.Text))
			if k < 0 || (r.Object == nil) == (r.Reason == "") || r.Object != nil && !json.Valid(r.Object) {
				t.Fatalf("%q: %s, %q", r.Text, r.Object, r.Reason)
			}
			if table.kind == Lines && strings.TrimSpace(rest[:k]) != "" {
				t.Fatalf("%q is lost", rest[:k])
			}
			if r.Line < line {
				t.Fatalf("line %d behind %d", r.Line, line)
			}
			rest, line = rest[k+len(r.Text):], r.Line
		}
		if table.kind == Lines && strings.TrimSpace(rest) != "" {
			t.Fatalf("%q is lost", rest)
		}
	})
}

// FuzzTable: of a line comes an object, a reason, or, where the line is blank or a
// header's, nothing; objects are JSON and hold a member for each column that is set.
func FuzzTable(f *testing.F) {
	f.Add("a,b\n1,2\n\"x\",\"y\"\"\"\n", uint8(0))
	f.Add(zeekHead+"1.5\t10.0.0.7\t1\tx\\x09\tT\ta,b\t1,2\n", uint8(1))
	f.Add("LOG \x00 \xff\n\n", uint8(2))
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		table := New([]string{CSV, Zeek, Lines}[kind%3])
		for line := range strings.Lines(text) {
			headed := table.Headed()
			out, ok, reason := table.Append(nil, []byte(line))
			bare := strings.TrimSpace(line)
			switch {
			case ok && reason != "" || !ok && len(out) > 0:
				t.Fatalf("%q: %s, %v, %q", line, out, ok, reason)
			case ok && !json.Valid(out):
				t.Fatalf("%q: %s", line, out)
			case !ok && reason == "" && bare != "" && (headed && table.kind == CSV && !table.preamble || table.kind == Lines || table.kind == Zeek && line[0] != '#'):
				t.Fatalf("%q is lost", line)
			case !ok && table.kind == Lines && bare != "" && utf8.ValidString(line):
				t.Fatalf("%q: %s", line, reason)
			}
			var members map[string]any
			if ok && table.kind == CSV && (json.Unmarshal(out, &members) != nil || len(members) != len(table.columns)) {
				t.Fatalf("%q: %d members in %s", line, len(members), out)
			}
		}
	})
}
