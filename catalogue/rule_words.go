package catalogue

import (
	"fmt"
	"strings"
	"sync"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma"
)

// told are the words of one of our own rules or correlations in Japanese, by what
// they are in English.
type told struct {
	words map[string]string
	steps []*say.Pair // of next steps, which are filled in
	notes map[string]string
}

// ruleWords are those of our own rules by id. They are read when the first of them
// is asked for in Japanese.
var ruleWords = sync.OnceValue(func() map[string]told {
	japanese, err := rules.Japanese()
	if err != nil {
		panic(fmt.Sprintf("our rules in Japanese: %v", err)) // a test reads them
	}
	docs, _ := sigma.Load(rules.FS(), "builtin") // a test holds that none is refused
	out := make(map[string]told, len(japanese))
	add := func(m *sigma.Meta) {
		if ja, ok := japanese[m.ID]; ok {
			out[m.ID] = tell(m, ja)
		}
	}
	for _, r := range docs.Rules {
		add(&r.Meta)
	}
	for _, c := range docs.Correlations {
		add(&c.Meta)
	}
	return out
})

// tell puts what a rule says and its Japanese side by side.
func tell(m *sigma.Meta, ja rules.Text) told {
	t := told{words: map[string]string{m.Title: ja.Title, strings.TrimSpace(m.Description): ja.Description}, notes: map[string]string{}}
	for i, words := range ja.FalsePositives {
		if i < len(m.FalsePositives) {
			t.words[m.FalsePositives[i]] = words
		}
	}
	for i, step := range about.Next(m) {
		words, ok := ja.Next[i+1]
		if !ok {
			continue
		}
		if _, note := rules.CutNote(step); note != "" {
			t.notes[note] = words
			continue
		}
		t.steps = append(t.steps, say.NewPair(step, words))
	}
	return t
}

// RuleWords gives words of one of our own rules in a language: its title, what it is
// about, what else looks like it, and next steps, as they are written and filled in.
// Rules of others keep their authors' words, and so does one of ours in other words:
// somebody changed it, or it was so when it found something.
func RuleWords(l say.Language, rule, words string) string {
	if l != say.Japanese {
		return words
	}
	t := ruleWords()[rule]
	if ja := t.words[words]; ja != "" {
		return ja
	}
	if command, note := rules.CutNote(words); t.notes[note] != "" {
		return command + rules.Note + t.notes[note]
	}
	for _, step := range t.steps {
		if ja, ok := step.Told(words); ok {
			return ja
		}
	}
	return words
}
