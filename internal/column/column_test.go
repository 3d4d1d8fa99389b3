package column

import (
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/internal/jsontree"
)

func value(t *testing.T, text string) jsontree.Value {
	t.Helper()
	var tree jsontree.Tree
	v, err := tree.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestText(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Text(in); got != want {
			t.Errorf("%.20q: %.20q of %d bytes, want %.20q", in, got, len(got), want)
		}
	}
	f("a", "a")
	f("a\x00b", "a\uFFFDb")
	f(strings.Repeat("é", Max), strings.Repeat("é", Max/2))
	f("x"+strings.Repeat("é", Max), "x"+strings.Repeat("é", Max/2-1))
}

func TestValues(t *testing.T) {
	if got := Str(value(t, `"a\u0000"`)) + Str(value(t, `7`)) + Scalar(value(t, `7`)); got != "a\uFFFD7" {
		t.Errorf("%q", got)
	}
	truth := func(text string, val, known bool) {
		t.Helper()
		if v, k := Truth(value(t, text)); v != val || k != known {
			t.Errorf("%s: %t, %t", text, v, k)
		}
	}
	truth(`true`, true, true)
	truth(`false`, false, true)
	truth(`"True"`, true, true)
	truth(`"no"`, false, true)
	truth(`1`, false, false)
	describe := func(v jsontree.Value, want string) {
		t.Helper()
		if got := Describe(v); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	describe(jsontree.Value{}, "missing")
	describe(value(t, `"x"`), `"x"`)
	describe(value(t, `"`+strings.Repeat("x", 99)+`"`), "a long string")
	describe(value(t, `[]`), "an array")
	if got := Join("", "a") + "|" + Join("a", "") + "|" + Join("a", "b"); got != "a|a|a; b" {
		t.Error(got)
	}
}

func TestAddress(t *testing.T) {
	f := func(in, ip, host string) {
		t.Helper()
		if i, h := Address(in); i != ip || h != host {
			t.Errorf("%q: %q, %q", in, i, h)
		}
	}
	f("203.0.113.7", "203.0.113.7", "")
	f(" 2001:DB8::1 ", "2001:db8::1", "")
	f("::ffff:203.0.113.7", "203.0.113.7", "")
	f("fe80::1%eth0", "", "fe80::1%eth0")
	f("gce-internal-ip", "", "gce-internal-ip")
	f("", "", "")
}

func TestTime(t *testing.T) {
	want := time.Date(2026, 3, 2, 9, 14, 5, 120734000, time.UTC)
	f := func(text string, want time.Time) {
		t.Helper()
		got, ok := Time(value(t, text))
		if ok != !want.IsZero() || !got.Equal(want) {
			t.Errorf("%s: %v, %t", text, got, ok)
		}
	}
	f(`"2026-03-02T09:14:05.120734567Z"`, want)
	f(`"2026-03-02T18:14:05.120734+09:00"`, want)
	f(`"2026-03-02 09:14:05.120734"`, want)
	f(`1772442845.120734`, want)
	f(`1772442845120`, want.Truncate(time.Millisecond))
	f(`-1`, time.Time{})
	f(`1e300`, time.Time{})
	f(`"yesterday"`, time.Time{})
	f(`{}`, time.Time{})
}

func TestLine(t *testing.T) {
	l := NewLine([]byte("of another"))
	l.Words("by ")
	l.Name("a\x1b\nb" + strings.Repeat("é", 99))
	got := l.String()
	if !strings.HasPrefix(got, "by a  bé") || !strings.HasSuffix(got, "é…") || len(got) > 130 || len(l.Bytes()) != len(got) {
		t.Errorf("%q", got)
	}
}
