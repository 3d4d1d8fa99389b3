package rules

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed ja
var ja embed.FS

// Text is what a rule or correlation says to people, in another language.
type Text struct {
	File string `yaml:"-"` // below ja/
	ID   string // the rule's
	// Of tells the English that it was made of, so that a test finds what has
	// changed since: the first eight digits of the SHA-256 of its lines.
	Of             string
	Title          string
	Description    string
	FalsePositives []string `yaml:"falsepositives"` // each of the rule's, in its order
	// Next are next steps by their number, the first is 1: sentences, and of commands
	// the note behind. A command alone is the same in every language.
	Next map[int]string
}

// Japanese are the texts of all that finds something, by id. They stand below ja/
// as the rules stand beside it.
func Japanese() (map[string]Text, error) {
	out := map[string]Text{}
	return out, fs.WalkDir(ja, "ja", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := ja.ReadFile(name)
		if err != nil {
			return err
		}
		var t Text
		if err := yaml.Unmarshal(b, &t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if _, twice := out[t.ID]; twice {
			return fmt.Errorf("%s: its id is that of another", name)
		}
		t.File = name
		out[t.ID] = t
		return nil
	})
}

// Note stands between a command and what is said of it, as the shell reads it.
const Note = " # "

// CutNote parts a next step that is a command from the note behind it; empty: it has
// none, or is a sentence. Sentences begin with a capital letter.
func CutNote(step string) (command, note string) {
	if step == "" || step[0] < 'a' || step[0] > 'z' {
		return step, ""
	}
	command, note, _ = strings.Cut(step, Note)
	return command, note
}
