package external

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/detect/detecttest"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/say"
)

// eventOf is an event as normalise/alerts makes it, as far as a detector looks:
// detectors and normalisers are different rooms.
func eventOf(t testing.TB, name string, body []byte) (event.Event, alert.Alert) {
	t.Helper()
	found, why := alert.Find(body)
	if why != "" {
		t.Fatalf("%s: %s", name, why)
	}
	a, err := alert.Read(found.Format, found.Body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	at := a.At
	if at.IsZero() {
		at = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	}
	return event.Event{Time: at, UID: event.HashUID(string(found.Body)), Format: found.Format, Raw: found.Body}, a
}

func fixture(t testing.TB, name string) event.Event {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../../alert/testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := eventOf(t, name, body)
	return e
}

// fixtures are all that the library reads, in the order of their names.
func fixtures(t testing.TB) (names []string, events []event.Event) {
	t.Helper()
	paths, err := filepath.Glob("../../alert/testdata/*.json")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d fixtures, %v", len(paths), err)
	}
	for _, p := range paths {
		if name := strings.TrimSuffix(filepath.Base(p), ".json"); !strings.HasPrefix(name, "bad-") {
			names = append(names, name)
			events = append(events, fixture(t, name))
		}
	}
	return names, events
}

func judge(t testing.TB, events ...event.Event) []finding.Occurrence {
	t.Helper()
	d := &Detector{}
	j, err := d.Judge(t.Context(), event.BatchID{1}, events)
	if err != nil || d.Unread() > 0 {
		t.Fatalf("%d unread, %v", d.Unread(), err)
	}
	return j.Occurrences
}

func TestContract(t *testing.T) {
	_, events := fixtures(t)
	detecttest.Test(t, &Detector{}, events)
}

// TestGolden: testdata/NAME.golden is the finding that each fixture alone makes.
func TestGolden(t *testing.T) {
	names, events := fixtures(t)
	for i, name := range names {
		o := judge(t, events[i])
		if len(o) != 1 {
			t.Fatalf("%s: %d occurrences", name, len(o))
		}
		got, err := json.MarshalIndent(finding.Fold(o).Trouble, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		file := filepath.Join("testdata", name+".golden")
		golden.Check(t, file, got)
	}
}

// TestOneFinding: which records are one finding, whichever way they came.
func TestOneFinding(t *testing.T) {
	f := func(want int, names ...string) {
		t.Helper()
		keys := map[string]bool{}
		for _, n := range names {
			for _, o := range judge(t, fixture(t, n)) {
				keys[o.Key] = true
			}
		}
		if len(keys) != want {
			t.Errorf("%v are %d findings, want %d", names, len(keys), want)
		}
	}
	f(1, "guardduty-event", "guardduty-api-archived", "asff-guardduty-suppressed", "securityhub-v2-guardduty")
	f(1, "asff-control-failed", "asff-control-passed", "securityhub-v2-control")
	f(1, "accessanalyzer-event", "asff-accessanalyzer")
	f(1, "config-event", "asff-config")
	f(1, "prowler-fail", "prowler-pass")
	f(1, "scc-notification", "scc-muted")
	f(1, "defender-alert", "defender-alert-arm")
	f(1, "falco-native", "falco-falcosidekick")
	f(1, "sysdig-posture-fail", "sysdig-posture-accepted")
	f(4, "guardduty-event", "guardduty-sequence", "guardduty-instance-sample", "inspector-event")
	f(2, "macie-event", "macie-policy-archived")
	f(2, "falco-native", "sysdig-runtime") // two products
	f(2, "config-event", "asff-control-failed")
}

// TestUpdates: the latest record says what the finding is, in whatever order the
// records came.
func TestUpdates(t *testing.T) {
	f := func(want finding.Status, count int64, names ...string) finding.Finding {
		t.Helper()
		var all []finding.Occurrence
		for _, n := range names {
			all = append(all, judge(t, fixture(t, n))...)
		}
		got := finding.Fold(all)
		if got.Status != want || got.Count != count {
			t.Errorf("%v: %s, %d records; want %s, %d", names, got.Status, got.Count, want, count)
		}
		return got
	}
	f(finding.New, 1, "guardduty-event")
	f(finding.Suppressed, 2, "guardduty-event", "guardduty-api-archived")
	f(finding.Suppressed, 2, "guardduty-api-archived", "guardduty-event")
	f(finding.Resolved, 2, "asff-control-passed", "asff-control-failed")
	f(finding.Suppressed, 2, "scc-notification", "scc-muted")
	f(finding.Suppressed, 2, "guardduty-event", "asff-guardduty-suppressed")
	f(finding.Suppressed, 2, "asff-control-failed", "securityhub-v2-control") // of one instant
	f(finding.InProgress, 1, "defender-alert")
	f(finding.Suppressed, 2, "defender-alert", "defender-alert-arm")
	got := f(finding.Resolved, 2, "prowler-fail", "prowler-pass")
	if got.Severity != finding.Informational {
		t.Errorf("a check that passes is %s", got.Severity)
	}
	if got := f(finding.New, 1, "guardduty-instance-sample"); len(got.Explained) != 1 {
		t.Errorf("a sample is explained by %v", got.Explained)
	}
}

// TestRelated: what names other findings is tied to them by their keys.
func TestRelated(t *testing.T) {
	f := func(name, other string) {
		t.Helper()
		o := judge(t, fixture(t, name))[0]
		if want := judge(t, fixture(t, other))[0].Key; len(o.Related) != 1 || o.Related[0] != want {
			t.Errorf("%s is related to %v, want %s of %s", name, o.Related, want, other)
		}
	}
	f("guardduty-sequence", "guardduty-event")
	f("asff-partner", "guardduty-event")
	_, a := eventOf(t, "control", []byte(fixture(t, "asff-control-failed").Raw))
	if len(a.Related) != 1 || a.Related[0].Source != "config" {
		t.Errorf("a control is related to %v, want the rule of Config that it rests on", a.Related)
	}
}

// TestSameCase: what a rule of ours says of the same principal, resource and day
// is in the same case.
func TestSameCase(t *testing.T) {
	theirs := finding.Fold(judge(t, fixture(t, "macie-policy-archived")))
	ours := finding.Trouble{Key: "k", Actor: "arn:aws:iam::111122223333:role/deploy", Resource: "arn:aws:s3:::ledger-books"}
	if got := finding.CaseID(ours, time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)); got != theirs.Case {
		t.Errorf("ours is in case %s, theirs (%s, %s) in %s", got, theirs.Actor, theirs.Resource, theirs.Case)
	}
}

func TestNothingElse(t *testing.T) {
	if o := judge(t, event.Event{Format: "aws.cloudtrail", Raw: []byte(`{}`)}); len(o) > 0 {
		t.Errorf("of a log record is said %v", o)
	}
	ours := fixture(t, "asff-partner")
	ours.Raw = bytes.Replace(ours.Raw, []byte(`"ProductFields": {}`), []byte(`"ProductName": "Yagura"`), 1)
	if o := judge(t, ours); len(o) > 0 {
		t.Errorf("our own finding comes back from Security Hub as %v", o)
	}
	d := &Detector{}
	j, err := d.Judge(t.Context(), event.BatchID{}, []event.Event{{Format: alert.Falco, Raw: []byte(`{}`)}})
	if err != nil || len(j.Occurrences) > 0 || d.Unread() != 1 {
		t.Errorf("%v, %v, %d unread", j, err, d.Unread())
	}
}

func TestWriteBack(t *testing.T) {
	f := func(name string, decided finding.Status, note string, want ...string) {
		t.Helper()
		got, why := WriteBack(judge(t, fixture(t, name))[0].Trouble, decided, note)
		if why != "" {
			got = append(got, "no: "+why)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: %s\nwant %s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const detector, id = "d1c0ffee00112233445566778899aabb", "6ac0ffee6ac0ffee6ac0ffee6ac0ffee"
	f("guardduty-event", finding.Suppressed, "", "aws guardduty archive-findings --region 'eu-west-1' --detector-id '"+detector+"' --finding-ids '"+id+"'")
	f("guardduty-event", finding.New, "", "aws guardduty unarchive-findings --region 'eu-west-1' --detector-id '"+detector+"' --finding-ids '"+id+"'")
	f("asff-guardduty-suppressed", finding.Resolved, "it's fine; $(reboot)",
		`aws securityhub batch-update-findings --region 'eu-west-1' --finding-identifiers '[{"Id":"arn:aws:guardduty:eu-west-1:111122223333:detector/`+detector+`/finding/`+id+
			`","ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/guardduty"}]' --workflow Status=RESOLVED --note '{"Text":"it'\''s fine; $(reboot)","UpdatedBy":"yagura"}'`)
	f("securityhub-v2-guardduty", finding.Suppressed, "",
		`aws securityhub batch-update-findings-v2 --region 'eu-west-1' --finding-identifiers '[{"CloudAccountUid":"111122223333","FindingInfoUid":"arn:aws:guardduty:eu-west-1:111122223333:detector/`+detector+`/finding/`+id+
			`","MetadataProductUid":"arn:aws:securityhub:eu-west-1::productv2/aws/guardduty"}]' --status-id 3`)
	f("scc-notification", finding.Suppressed, "", "gcloud scc findings set-mute 'organizations/900000000001/sources/55501/locations/global/findings/f00dfeedf00dfeedf00dfeedf00dfeed' --mute=MUTED")
	f("defender-alert", finding.Resolved, "", "az security alert update --subscription '0a0a0a0a-0000-4000-8000-000000000001' --name '2517000000000000000_0b0b0b0b-0000-4000-8000-000000000002' --status resolve")
	f("accessanalyzer-event", finding.Suppressed, "", "no: Access Analyzer names a finding by its analyzer too, and the record has none")
	f("falco-native", finding.Resolved, "", "no: Falco keeps no status that could be changed from outside")
	for _, uid := range []string{"--impersonate-service-account=x", "a/-x"} {
		for _, format := range []string{alert.SCC, alert.GuardDuty} {
			x := finding.Trouble{External: &finding.External{Product: "P", UID: uid, Parent: "d", Format: format}}
			for _, c := range first(WriteBack(x, finding.Suppressed, "")) {
				if strings.Contains(c, " '-") {
					t.Errorf("an id becomes an option: %s", c)
				}
			}
		}
	}
	if _, why := WriteBack(finding.Trouble{}, finding.Resolved, ""); why == "" {
		t.Error("our own finding would be written back")
	}
}

func first(commands []string, _ string) []string { return commands }

// FuzzWriteBack: whatever is in a record, a command is one line, and outside of
// its quotes there is nothing but plain words.
func FuzzWriteBack(f *testing.F) {
	f.Add("a'b", "arn:aws:securityhub:::product/x", "eu-west-1", "n\nm")
	f.Add("$(x)", ":productv2/", "`y`", "'")
	f.Fuzz(func(t *testing.T, uid, parent, region, note string) {
		for _, format := range alert.Formats {
			x := finding.Trouble{Region: region, Account: uid, External: &finding.External{Product: "P", UID: uid, Parent: parent, Format: format}}
			commands, why := WriteBack(x, finding.Suppressed, note)
			if (len(commands) == 0) == (why == "") {
				t.Fatalf("%q, %q", commands, why)
			}
			for _, c := range commands {
				if rest := outsideQuotes(c); strings.Trim(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-=_ ") != "" {
					t.Fatalf("%s leaves %q unquoted", c, rest)
				}
			}
		}
	})
}

// outsideQuotes is what a POSIX shell reads unquoted, with escaped quotes gone.
func outsideQuotes(s string) string {
	var b strings.Builder
	in := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			in = !in
		case !in && s[i] == '\\' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case !in:
			b.WriteByte(s[i])
		}
	}
	if in {
		b.WriteString("'")
	}
	return b.String()
}

// TestNotes: whatever kind of note there is, it is said in both languages.
func TestNotes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../alert/note.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		a := alert.Alert{Product: "GuardDuty"}
		said := told(&a, alert.Note{Kind: alert.NoteKind(kind), What: "a\n b", Of: "c"})
		switch en := said.String(); {
		case kind == "":
			if en != "a b" || said.In(say.Japanese) != "a b" {
				t.Errorf("own words become %q", said)
			}
		case said.ID() != "alert."+kind || en == said.In(say.Japanese) && kind != "pod":
			t.Errorf("%s is said as %q, and in Japanese as %q", kind, en, said.In(say.Japanese))
		}
		return true
	})
	if kinds < 30 {
		t.Errorf("%d kinds of notes were found", kinds)
	}
	if by := told(&alert.Alert{}, alert.Note{Kind: alert.NoteBy, What: "known"}); by.String() != "Note by somebody: known" || by.In(say.Japanese) != "不明な主体のメモ: known" {
		t.Errorf("a note of nobody is said as %q, %q", by, by.In(say.Japanese))
	}
}
