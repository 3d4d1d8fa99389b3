package ledger

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
)

func settle(a *Account, first int64, verdicts string, e end) event.Verdicts {
	s := event.SpanAccount{Span: event.Span{First: first, Final: e.final, AtEnd: e.atEnd, Mark: e.mark, SHA256: e.sha256, Failure: e.failure}}
	if err := s.Verdicts.UnmarshalText([]byte(verdicts)); err != nil {
		panic(err)
	}
	s.Records = s.Verdicts.Records()
	return a.Settle(s)
}

func TestAccountText(t *testing.T) {
	f := func(want string, build func(a *Account)) {
		t.Helper()
		var a, back Account
		build(&a)
		text, err := a.MarshalText()
		if err != nil || string(text) != want {
			t.Errorf("text %q, %v, want %q", text, err, want)
		}
		if err := back.UnmarshalText(text); err != nil || !reflect.DeepEqual(a, back) {
			t.Errorf("%q comes back as %+v, %v", text, back, err)
		}
	}
	f("", func(*Account) {})
	f("0 4s", func(a *Account) { settle(a, 0, "4s", end{}) })
	f("0 4s~ \"m\" \"\" \"\"", func(a *Account) { settle(a, 0, "4s", end{atEnd: true, mark: "m"}) })
	f("0 5s~", func(a *Account) {
		settle(a, 5, "", end{failure: "cut off"})
		settle(a, 0, "5s", end{atEnd: true})
	})
	// A million records end as one piece, whatever order their spans come in.
	f("0 1000000s!", func(a *Account) {
		for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(50) {
			settle(a, int64(i)*20_000, "20000s", end{final: i == 49})
		}
	})
	f("0 2s1d\n7 1q! \"m\\n\" \"cafe\" \"caf\\u00e9 \\xff\"", func(a *Account) {
		settle(a, 7, "1q", end{final: true, mark: "m\n", sha256: "cafe", failure: "café \xff"})
		settle(a, 0, "2s1d", end{})
	})
	// A look at an end that records follow is none, in whatever order.
	f("0 9s", func(a *Account) {
		settle(a, 5, "4s", end{})
		settle(a, 5, "", end{failure: "truncated"})
		settle(a, 0, "5s", end{})
	})
	f("0 9s", func(a *Account) {
		settle(a, 5, "", end{failure: "truncated"})
		settle(a, 0, "5s", end{})
		settle(a, 5, "4s", end{})
	})
	f("0 5s \"a\" \"\" \"\"\n5 ! \"b\" \"\" \"\"", func(a *Account) {
		settle(a, 5, "", end{final: true, mark: "b"})
		settle(a, 0, "5s", end{mark: "a"})
	})
}

// TestAccountKeepsFormats: formats stay with their records through cuts and merges.
func TestAccountKeepsFormats(t *testing.T) {
	var a Account
	f := func(want string, first int64, verdicts, formats string) {
		t.Helper()
		s := event.SpanAccount{Span: event.Span{First: first}}
		if err := s.Verdicts.UnmarshalText([]byte(verdicts)); err != nil {
			t.Fatal(err)
		}
		if err := s.Formats.UnmarshalText([]byte(formats)); err != nil {
			t.Fatal(err)
		}
		s.Records = s.Verdicts.Records()
		a.Settle(s)
		text, err := a.MarshalText()
		var back Account
		if err != nil || string(text) != want || back.UnmarshalText(text) != nil || !reflect.DeepEqual(a, back) {
			t.Errorf("settled %d %s as %q the account is %q, %v, want %q", first, verdicts, formats, text, err, want)
		}
	}
	f("0 4s", 0, "4s", "")
	f("0 4s2d \"\" \"\" \"\" \"4 ,2 okta.system\"", 4, "2d", "2 okta.system")
	f("0 4s1d1q \"\" \"\" \"\" \"4 ,1 okta.system,1 zeek.http\"", 5, "1q", "1 zeek.http")
	f("0 6s \"\" \"\" \"\" \"6 gcp.audit\"", 0, "6s", "6 gcp.audit")
	f("0 6s1q \"\" \"\" \"\" \"6 gcp.audit,1 \"", 6, "1q", "")
	f("0 2s2d2s1q \"\" \"\" \"\" \"2 gcp.audit,2 ,2 gcp.audit,1 \"", 2, "2d", "")
	if got := a.formatAt(1) + a.formatAt(3) + a.formatAt(99); got != "gcp.audit" {
		t.Errorf("formats at 1, 3 and 99: %q", got)
	}
}

func TestAccountGivesWhatItReplaces(t *testing.T) {
	var a Account
	f := func(first int64, verdicts, want string) {
		t.Helper()
		replaced := settle(&a, first, verdicts, end{})
		if got, _ := replaced.MarshalText(); string(got) != want {
			t.Errorf("%d %s replaces %s, want %s", first, verdicts, got, want)
		}
	}
	f(0, "3s2d", "")
	f(10, "5q", "")
	f(4, "1s", "1d")
	f(0, "20e", "3s1d1s5q")
	f(19, "2s", "1e")
	f(5, "", "")
}

func FuzzAccountText(f *testing.F) {
	f.Add([]byte("0 4s1d! \"mark\" \"\" \"\"\n5 1q"))
	f.Add([]byte("0 3s~"))
	f.Add([]byte("0 3s1q! \"\" \"\" \"\" \"3 gcp.audit,1 \"\n9 2s"))
	f.Add([]byte("0 ! \"\" \"\" \"\\xff\""))
	f.Fuzz(func(t *testing.T, b []byte) {
		var a, back Account
		if a.UnmarshalText(b) != nil {
			return
		}
		text, err := a.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := back.UnmarshalText(text); err != nil || !reflect.DeepEqual(a, back) {
			t.Fatalf("%q is read as %+v, written as %q and read as %+v, %v", b, a, text, back, err)
		}
	})
}

func TestAccountRefusesOtherText(t *testing.T) {
	for _, bad := range []string{"x", "0", "0 4", "0 4s \"", "0 4s x", "0 4s \"\" \"\" \"\" \"x\"", "4s", strings.Repeat("9", 30) + " 1s"} {
		var a Account
		if err := a.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, a)
		}
	}
}
