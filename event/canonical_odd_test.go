package event

import (
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCanonicalOddInputs holds Canonical to the inputs that every reader of
// JSON here is held to. See docs/decisions/reading-json.md.
func TestCanonicalOddInputs(t *testing.T) {
	file, err := os.Open("../internal/jsontree/testdata/odd.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for dec := json.NewDecoder(file); ; n++ {
		var c struct {
			What, In, Canonical string
			Nest                int // "@" stands for so many arrays inside each other
			Refused             []string
		}
		if err := dec.Decode(&c); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		deep := strings.Repeat("[", c.Nest) + strings.Repeat("]", c.Nest)
		got, err := Canonical([]byte(strings.ReplaceAll(c.In, "@", deep)))
		if refused := slices.Contains(c.Refused, "canonical"); refused != (err != nil) {
			t.Errorf("%s: %v; to be refused: %v", c.What, err, refused)
			continue
		}
		if want := strings.ReplaceAll(c.Canonical, "@", deep); err == nil && string(got) != want {
			t.Errorf("%s: %s, want %s", c.What, got, want)
		}
	}
	if n < 40 {
		t.Errorf("only %d inputs", n)
	}
}
