package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/internal/golden"
)

// TestGolden: testdata/NAME.json is one record, perhaps in an envelope;
// NAME.json.golden what it says, or why it is none.
func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range golden.Inputs(t, "testdata/*.json") {
		t.Run(strings.TrimSuffix(filepath.Base(in.Path), ".json"), func(t *testing.T) {
			var got []byte
			a, err := Parse(in.Body)
			if err != nil {
				got = fmt.Appendf(nil, "error: %v\n", err)
			} else {
				seen[a.Format] = true
				if why := flaw(&a); why != "" {
					t.Error(why)
				}
				if got, err = json.MarshalIndent(a, "", "  "); err != nil {
					t.Fatal(err)
				}
				got = append(got, '\n')
			}
			if strings.HasPrefix(filepath.Base(in.Path), "bad-") != (err != nil) {
				t.Errorf("error %v", err)
			}
			golden.Check(t, in.Path+".golden", got)
		})
	}
	for _, f := range Formats {
		if !seen[f] {
			t.Errorf("no golden file is of format %s", f)
		}
	}
}

// flaw says what is wrong with an alert: something that every one has is
// missing, or a text is none.
func flaw(a *Alert) string {
	switch {
	case a.Source == "" || a.ID == "" || a.Product == "" || (a.Title == "") == (a.Titled.Kind == "") || a.UID == "":
		return fmt.Sprintf("nameless: %+v", a)
	case a.Class == 0 || a.Status == "" || a.Severity < Unknown || a.Severity > Critical:
		return fmt.Sprintf("class %d, status %q, severity %d", a.Class, a.Status, a.Severity)
	case a.Confidence < 0 || a.Confidence > 1 || a.Count < 0:
		return fmt.Sprintf("confidence %v, count %d", a.Confidence, a.Count)
	case !a.At.IsZero() && (a.At.Nanosecond()%1000 != 0 || a.At.Location().String() != "UTC"):
		return fmt.Sprintf("time %v", a.At)
	case !a.First.IsZero() && !a.Last.IsZero() && a.Last.Before(a.First):
		return fmt.Sprintf("first seen %v after %v", a.First, a.Last)
	case a.Closed && a.Status != Resolved && a.Status != Suppressed:
		return "closed, and " + string(a.Status)
	}
	texts := append([]string{a.Title, a.Titled.What, a.Titled.Of, a.Description, a.Said, a.Level, a.Actor.UID, a.Account, a.Fix}, a.Links...)
	for _, n := range a.Notes {
		texts = append(texts, n.What, n.Of)
	}
	for _, r := range a.Resources {
		if r.UID == "" {
			return "a resource without a name"
		}
		texts = append(texts, r.UID, r.Type)
	}
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			return fmt.Sprintf("text %q", s)
		}
	}
	return ""
}

// fuzz feeds a reader its own fixtures, cut and changed: what it makes of them
// has no flaw, and what it refuses says why in one line.
func fuzz(f *testing.F, format string) {
	for _, in := range golden.Inputs(f, "testdata/*.json") {
		if found, _ := Find(in.Body); found.Format == format {
			f.Add([]byte(found.Body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := Read(format, body)
		if err != nil {
			if err.Error() == "" || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Fatalf("error %q", err)
			}
			return
		}
		if why := flaw(&a); why != "" {
			t.Fatal(why)
		}
		if again, err := Read(format, body); err != nil || again.Ref != a.Ref {
			t.Fatalf("read again it is %v, %v", again.Ref, err)
		}
	})
}

func FuzzGuardDuty(f *testing.F)      { fuzz(f, GuardDuty) }
func FuzzSecurityHub(f *testing.F)    { fuzz(f, SecurityHub) }
func FuzzAccessAnalyzer(f *testing.F) { fuzz(f, AccessAnalyzer) }
func FuzzInspector(f *testing.F)      { fuzz(f, Inspector) }
func FuzzMacie(f *testing.F)          { fuzz(f, Macie) }
func FuzzConfig(f *testing.F)         { fuzz(f, Config) }
func FuzzSCC(f *testing.F)            { fuzz(f, SCC) }
func FuzzDefender(f *testing.F)       { fuzz(f, Defender) }
func FuzzSysdig(f *testing.F)         { fuzz(f, Sysdig) }
func FuzzFalco(f *testing.F)          { fuzz(f, Falco) }
func FuzzProwler(f *testing.F)        { fuzz(f, Prowler) }
func FuzzOCSF(f *testing.F)           { fuzz(f, OCSF) }

// FuzzFind: a format and a finding that is read as that format, or a reason;
// never both or neither, and the reason is one line.
func FuzzFind(f *testing.F) {
	for _, in := range golden.Inputs(f, "testdata/*.json") {
		f.Add(in.Body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		found, why := Find(body)
		if (found.Format == "") == (why == "") || strings.ContainsFunc(why, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("format %q, why %q", found.Format, why)
		}
		if why != "" {
			return
		}
		if again, _ := Find(found.Body); again.Format != found.Format || !bytes.Equal(again.Body, found.Body) {
			t.Fatalf("bare it is %q, not %q", again.Format, found.Format)
		}
	})
}
