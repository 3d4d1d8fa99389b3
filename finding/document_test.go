package finding

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumented: docs/triage.md names every field as it is, and its examples
// choose what it says.
func TestDocumented(t *testing.T) {
	b, err := os.ReadFile("../docs/triage.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	var rows []string
	for _, x := range Fields() {
		asks := "lists"
		if x.Lasting {
			asks = "exceptions too"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", x.Name, x.Doc, asks))
	}
	if want := strings.Join(rows, "\n"); !strings.Contains(text, "| --- | --- | --- |\n"+want+"\n\n") {
		t.Errorf("docs/triage.md has not this table of fields:\n%s", want)
	}
	for block, want := range map[string]bool{"chooses": true, "leaves": false} {
		_, rest, _ := strings.Cut(text, "```"+block+"\n")
		examples, _, ok := strings.Cut(rest, "\n```")
		if !ok {
			t.Fatalf("docs/triage.md has no examples of what a scope %s", block)
		}
		for line := range strings.SplitSeq(examples, "\n") {
			s, err := ParseScope(line)
			if err != nil || s.Match(&sample) != want {
				t.Errorf("%s chooses the sample: %v, %v, want %v", line, s.Match(&sample), err, want)
			}
		}
	}
}
