package calendar

import (
	"os"
	"strings"
	"testing"
)

// TestDocs holds that the examples of docs/calendar.md are read as it says.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/calendar.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	var open strings.Builder
	for line := range strings.SplitSeq(string(b), "\n") {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			open.WriteString(code + "\n")
		} else if open.Len() > 0 {
			blocks = append(blocks, open.String())
			open.Reset()
		}
	}
	if len(blocks) != 2 {
		t.Fatalf("%d examples, want one of each form", len(blocks))
	}
	event, warnings, err := read(t, "BEGIN:VCALENDAR\n"+blocks[0]+"END:VCALENDAR\n")
	if err != nil || len(warnings) > 0 || len(event) != 4 {
		t.Fatalf("%d windows, %v, %v", len(event), warnings, err)
	}
	if w := event[1]; w.ID != "load-test-17@example.org/20261201T190000Z" || w.Ticket != "CHG-1234" || len(w.Accounts) != 2 ||
		w.Actors[0] != "arn:aws:iam::111122223333:role/load-*" || w.Kinds[0] != "frequency" {
		t.Errorf("%+v", w)
	}
	own, warnings, err := read(t, blocks[1])
	if err != nil || len(warnings) > 0 || len(own) != 1 || own[0].ID != "chg-1234" || !own[0].Start.Equal(event[0].Start) || !own[0].End.Equal(event[0].End) {
		t.Errorf("%+v, %v, %v", own, warnings, err)
	}
}
