package dossier

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/internal/golden"
	"github.com/yagura-sec/yagura/say"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// sample is a decision with all that one may have.
func sample() Dossier {
	record := say.T("advice.title.recording", say.Values{"type": "AWS::EC2::NetworkInterface", "where": "111122223333"})
	items, err := decision.ParseTrigger("items:111122223333:AWS::EC2::NetworkInterface>600000")
	if err != nil {
		panic(err) // of our own words
	}
	x := decision.Decision{
		ID: "dec-1", Title: "Record network interfaces daily", Verdict: decision.Deferred, Reason: "The landing zone forbids changes of the recorder.\nIt waits for the vendor.",
		About: []decision.Subject{{Kind: decision.Advice, ID: "key", Title: record.String(), TitleMade: record.Made(), Account: "111122223333"}},
		Owner: "dean.finch", By: "dean.finch", At: noon.AddDate(0, 0, -3), Decided: noon.AddDate(0, 0, -3), Revisit: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC),
		Triggers: []decision.Trigger{items, {Kind: decision.OnNews, Of: "Control Tower recorder"}},
		Figures: []decision.Figure{
			{Name: "items", Of: "111122223333 AWS::EC2::NetworkInterface", Value: "510000", Basis: "metric", At: noon},
			{Name: "resource_days", Of: "111122223333 AWS::EC2::NetworkInterface", Value: "900", Basis: "history", At: noon},
			{Name: "tasks", Of: "cluster kite", Value: "4", Unit: "a day", At: noon},
		},
		Evidence: []decision.Evidence{{Text: "AWS Control Tower: do not modify its resources", Link: "https://docs.example.com/guide", At: noon}, {Text: "seen by hand", At: noon}},
		Saving:   &decision.Saving{Month: "1519.2", Currency: "USD"},
		Asked: []decision.Inquiry{
			{ID: "q1", Vendor: "AWS", Case: "170000000000001", Question: "May the recorder be changed?", At: noon.AddDate(0, 0, -2), By: "dean.finch", Answers: []decision.Answer{{Text: "No.\nNot in this version.", At: noon.AddDate(0, 0, -1), By: "mia"}}},
			{ID: "q2", Vendor: "AWS", Case: "170000000000001", Question: "When will it be possible?", At: noon, By: "mia"},
		},
		Reopened: []decision.Reopening{{Trigger: items, Value: "612000", At: noon}},
	}
	after := x.Copy()
	return Dossier{
		Decision: x, State: x.Due(noon, nil), Changes: []decision.Change{{ID: x.ID, At: noon.AddDate(0, 0, -3), By: "dean.finch", Note: "first", Action: "create", After: &after}},
		Pictures: []Picture{{Name: "changes.svg", Title: "Changes a day", SVG: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10" fill="#000000"/></svg>`)}},
		Language: say.English, At: noon,
	}
}

// TestTitles: a title of ours is in the dossier's language, somebody's words are as
// they are.
func TestTitles(t *testing.T) {
	d := sample()
	d.Language = say.Japanese
	if title, _, _ := d.content(); title != "Record network interfaces daily" {
		t.Errorf("it is called %q", title)
	}
	d.Decision.Title, d.Decision.TitleMade = d.Decision.About[0].Title, d.Decision.About[0].TitleMade
	if title, _, _ := d.content(); title != "111122223333 の AWS::EC2::NetworkInterface を日次で記録する" {
		t.Errorf("it is called %q", title)
	}
	d.Mask = func(s string) string { return strings.ReplaceAll(s, "111122223333", "account-1") }
	if title, _, _ := d.content(); title != "account-1 の AWS::EC2::NetworkInterface を日次で記録する" {
		t.Errorf("it is called %q under a mask", title)
	}
}

func TestGolden(t *testing.T) {
	for _, l := range say.Languages {
		d := sample()
		d.Language = l
		golden.Check(t, "testdata/dossier-"+string(l)+".md", d.Markdown(File))
		page, err := d.HTML()
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "testdata/dossier-"+string(l)+".html", page)
	}
}

// TestQuestions: what was never asked is asked for; what was answered is not asked
// again.
func TestQuestions(t *testing.T) {
	f := func(says string, change func(*decision.Decision)) {
		t.Helper()
		d := sample()
		change(&d.Decision)
		if got := string(d.Markdown(File)); !strings.Contains(got, "## Question\n\n"+says+"\n") {
			t.Errorf("it says %.300s; want %q", got, says)
		}
	}
	f("> When will it be possible?", func(*decision.Decision) {})
	f("Every question has been answered: see below.", func(d *decision.Decision) { d.Asked = d.Asked[:1] })
	f("Is there a supported way to do this: Record network interfaces daily? If there is none, please take it as a feature request.", func(d *decision.Decision) { d.Asked = nil })
}

func TestHostile(t *testing.T) {
	const bad = "</title><script>alert(1)</script> [x](javascript:alert(1)) ![y](http://203.0.113.1/) | a\n# heading\n- list `code`"
	d := sample()
	x := &d.Decision
	x.Title, x.Reason, x.Owner, x.About[0].Title, x.Figures[0].Of, x.Evidence[0].Text, x.Evidence[0].Link, x.Asked[0].Question, x.Asked[0].Answers[0].Text = bad, bad, bad, bad, bad, bad, "javascript:alert(1)", bad, bad
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<script") || strings.Contains(string(page), `href="javascript`) {
		t.Errorf("it runs: %s", page)
	}
	md := strings.NewReplacer(`\]`, "", `\<`, "", `\!`, "").Replace(string(d.Markdown(File)))
	for _, no := range []string{"<script", "](javascript", "\n# heading", "\n- list", "![y]"} {
		if strings.Contains(md, no) {
			t.Errorf("Markdown has %q: %s", no, md)
		}
	}
	for line := range strings.Lines(md) {
		if strings.HasPrefix(line, "| ") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 6 && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 5 {
			t.Errorf("a row of a table is %q", line)
		}
	}
}

func TestMasked(t *testing.T) {
	d := sample()
	d.Mask = strings.NewReplacer("111122223333", "999988887777", "dean.finch", "person-a", "mia", "person-b").Replace
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"HTML": string(page), "Markdown": string(d.Markdown(Inline))} {
		for _, no := range []string{"111122223333", "dean.finch", "mia"} {
			if strings.Contains(text, no) {
				t.Errorf("%s has %s", name, no)
			}
		}
		if !strings.Contains(text, "999988887777") || !strings.Contains(text, "stand under aliases") {
			t.Errorf("%s is %s", name, text)
		}
	}
}

// FuzzMarkdown: words are words, whatever they are: in one line, and without a mark
// that means something.
func FuzzMarkdown(f *testing.F) {
	f.Add("a *b* [c](d) <e> | f\n# g\n1. h\n- i")
	f.Fuzz(func(t *testing.T, s string) {
		got := words(s)
		if strings.ContainsAny(got, "\n\r") {
			t.Errorf("%q has lines", got)
		}
		bare := strings.ReplaceAll(got, `\\`, "")
		for _, r := range "`*_[]<>#|" {
			if n := strings.Count(bare, string(r)); n != strings.Count(bare, `\`+string(r)) {
				t.Errorf("%q has a bare %c", got, r)
			}
		}
	})
}

// TestWhole: the page is whole, with the picture in it.
func TestWhole(t *testing.T) {
	d := sample()
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(strings.NewReader(string(page)))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	svg := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if x, ok := token.(xml.StartElement); ok && x.Name.Local == "svg" {
			svg++
		}
	}
	if svg != 1 {
		t.Errorf("it has %d pictures", svg)
	}
}
