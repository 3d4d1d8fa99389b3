package ruletest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

// TestOwnCorpus holds the engine to our own labelled cases, of every section,
// which a plain clone has.
func TestOwnCorpus(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "own.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := ruletest.Conform(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got.Failures {
		t.Errorf("%s: got %s, want %s: %s", x.ID, x.Got, x.Expected, x.Why)
	}
	if got.Skipped > 0 || got.Passed < 60 {
		t.Errorf("%d passed, %d skipped", got.Passed, got.Skipped)
	}
	// Every case decides: labelled otherwise, it fails.
	var flipped bytes.Buffer
	ids := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var c map[string]any
		exact := json.NewDecoder(strings.NewReader(line))
		exact.UseNumber()
		if err := exact.Decode(&c); err != nil {
			t.Fatal(err)
		}
		id, _ := c["id"].(string)
		if ids[id] {
			t.Errorf("two cases are called %s", id)
		}
		ids[id] = true
		c["expect"] = c["expect"] != true && c["expect"] != "error"
		if c["event"] == nil && c["events"] == nil {
			c["event"], c["events"] = map[string]any{}, []any{map[string]any{"@ts": 0}}
		}
		delete(c, "expect_groups")
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		flipped.Write(append(again, '\n'))
	}
	other, err := ruletest.Conform(&flipped)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range other.Failures {
		delete(ids, x.ID)
	}
	for id := range ids {
		t.Errorf("%s passes, whatever its label", id)
	}
}
