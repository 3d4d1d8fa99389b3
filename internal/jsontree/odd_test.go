package jsontree

import (
	"encoding/json"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// odd is a line of testdata/odd.jsonl, to which every reader of ours that
// decodes JSON is held: this one, event's canonical form and sigma/match's
// walker. See docs/decisions/reading-json.md.
type odd struct {
	What    string
	In      string
	Nest    int      // "@" in In stands for so many arrays inside each other
	V       []string // the texts of every member "v", in order
	Refused []string // the readers that refuse it
}

func TestOddInputs(t *testing.T) {
	file, err := os.Open("testdata/odd.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for dec := json.NewDecoder(file); ; n++ {
		var c odd
		if err := dec.Decode(&c); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		in := strings.ReplaceAll(c.In, "@", strings.Repeat("[", c.Nest)+strings.Repeat("]", c.Nest))
		var tree Tree
		root, err := tree.Parse(in)
		if refused := slices.Contains(c.Refused, "jsontree"); refused != (err != nil) {
			t.Errorf("%s: %v; to be refused: %v", c.What, err, refused)
			continue
		}
		if err != nil {
			if c.Nest == 0 && json.Valid([]byte(in)) {
				t.Errorf("%s: refused, though encoding/json reads it", c.What)
			}
			continue
		}
		var got []string
		for m := root.First(); m.Exists(); m = m.Next() {
			if m.Key() == "v" {
				got = append(got, m.Text())
			}
		}
		if !reflect.DeepEqual(got, c.V) || root.Get("v").Text() != c.V[0] {
			t.Errorf("%s: read %q, want %q", c.What, got, c.V)
		}
	}
	if n < 40 {
		t.Errorf("only %d inputs", n)
	}
}
