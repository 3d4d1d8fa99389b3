package match

import (
	"encoding/json"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
)

// TestOddInputs holds the walker to the inputs that every reader of JSON here is
// held to. Of a key given twice a rule sees every value, so that none hides
// behind another; what no rule looks at is not checked.
// See docs/decisions/reading-json.md.
func TestOddInputs(t *testing.T) {
	docs, refused := sigma.Parse("r.yml", []byte("title: t\nlogsource: {product: p}\ndetection:\n  s: {v: x}\n  condition: s\n"))
	set, more := Compile(docs.Rules, Options{})
	if len(refused)+len(more) > 0 {
		t.Fatal(refused, more)
	}
	file, err := os.Open("../../internal/jsontree/testdata/odd.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n, sc := 0, set.NewScratch()
	for dec := json.NewDecoder(file); ; n++ {
		var c struct {
			What, In   string
			Nest       int // "@" stands for so many arrays inside each other
			V, Refused []string
		}
		if err := dec.Decode(&c); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		in := strings.ReplaceAll(c.In, "@", strings.Repeat("[", c.Nest)+strings.Repeat("]", c.Nest))
		_, err := set.MatchJSON(sc, []byte(in), Source{Product: "p"})
		if refused := slices.Contains(c.Refused, "walk"); refused != (err != nil) {
			t.Errorf("%s: %v; to be refused: %v", c.What, err, refused)
			continue
		}
		if err != nil {
			continue
		}
		var got []string
		for _, v := range sc.fields[sc.plan.slots[0]].Values {
			got = append(got, string(v.Text))
		}
		if !reflect.DeepEqual(got, c.V) {
			t.Errorf("%s: read %q, want %q", c.What, got, c.V)
		}
	}
	if n < 40 {
		t.Errorf("only %d inputs", n)
	}
}
