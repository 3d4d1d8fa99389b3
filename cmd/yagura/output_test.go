package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSafe(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := safe(in); got != want {
			t.Errorf("safe(%q) = %q, want %q", in, got, want)
		}
	}
	f("role ci-deploy 櫓", "role ci-deploy 櫓")
	f("\x1b[31mred", `\u001b[31mred`)
	f("a\rb\tc", `a\u000db\u0009c`)
	f("abc\u202ecba", `abc\u202ecba`)
	f("two\nlines", "two\nlines")
	f("\xff", `\ufffd`)
}

func TestPlainCells(t *testing.T) {
	got := plainCells([]string{"=1+1", "+1+1", "-x", "@x", "\tx", "plain", "", "-5", "+1e3"})
	want := []string{"'=1+1", "'+1+1", "'-x", "'@x", "'\tx", "plain", "", "-5", "+1e3"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

func TestShort(t *testing.T) {
	f := func(in string, most int, want string) {
		t.Helper()
		if got := short(in, most); got != want {
			t.Errorf("short(%q, %d) = %q, want %q", in, most, got, want)
		}
	}
	f("short", 5, "short")
	f("arn:aws:iam::1:role/x", 9, "arn:…le/x")
	f("櫓櫓櫓櫓櫓", 3, "櫓…櫓")
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %s", n, got)
		}
	}
}

func TestDistinct(t *testing.T) {
	got := strings.Join(distinct([]string{"a", "b", "a", "a", "a_2"}), " ")
	if got != "a b a_2 a_3 a_2_2" {
		t.Error(got)
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f := func(in, want string) {
		t.Helper()
		got, err := moment("--since", in, now)
		if want == "" {
			if err == nil {
				t.Errorf("%q is taken for %v", in, got)
			}
			return
		}
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q gives %v, %v; want %s", in, got, err, want)
		}
	}
	f("2026-11-20T10:00:00+09:00", "2026-11-20T01:00:00Z")
	f("2026-11-20", "2026-11-20T00:00:00Z")
	f("90d", "2026-08-23T12:00:00Z")
	f("1d12h", "2026-11-20T00:00:00Z")
	f("yesterday", "")
	f("-1h", "")
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	p := &program{world: world{stdout: &b}}
	p.flags.format = "table"
	if err := p.printTable([]string{"a", "b"}, [][]string{{"x\ny", "\x1b[2J"}, {"long cell", ""}}); err != nil {
		t.Fatal(err)
	}
	want := "A          B\nx\\ny       \\u001b[2J\nlong cell  \n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	b.Reset()
	p.flags.format = "csv"
	if err := p.printTable([]string{"a"}, [][]string{{"=x"}, {"two\nlines, \"quoted\""}}); err != nil {
		t.Fatal(err)
	}
	if want := "a\n'=x\n\"two\nlines, \"\"quoted\"\"\"\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	if strings.Contains(b.String(), "A\n") {
		t.Error("the head of CSV is in capitals")
	}
	b.Reset()
	p.flags.format = "table"
	if err := p.printRows([]string{"theirs"}, nil); err != nil || b.String() != "theirs\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
