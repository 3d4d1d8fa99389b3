package config

import (
	"os"
	"strings"
	"testing"
)

// TestDocumented loads the example of docs/configuration.md, which names every key.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/configuration.md has no example")
	}
	if _, err := Parse("docs/configuration.md", []byte(example)); err != nil {
		t.Error(err)
	}
}
