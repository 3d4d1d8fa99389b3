package catalogue

import (
	"fmt"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma"
)

// title is that of one of our own rules or correlations.
type title struct{ english, japanese string }

// titles are those of our own rules by id. They are read when the first of them is
// asked for in Japanese.
var titles = sync.OnceValue(func() map[string]title {
	var japanese map[string]string
	if err := yaml.Unmarshal(rules.JapaneseTitles(), &japanese); err != nil {
		panic(fmt.Sprintf("the titles of our rules in Japanese: %v", err)) // a test reads them
	}
	docs, _ := sigma.Load(rules.FS(), "builtin") // a test holds that none is refused
	out := make(map[string]title, len(japanese))
	add := func(m *sigma.Meta) {
		if ja, ok := japanese[m.ID]; ok {
			out[m.ID] = title{m.Title, ja}
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

// Titles gives the title of one of our own rules in a language. Rules of others
// keep their authors' words, and so does one of ours under another title: somebody
// changed it, or it had that title when it found something.
func Titles(l say.Language, rule, words string) string {
	if l != say.Japanese {
		return words
	}
	if t, ours := titles()[rule]; ours && t.english == words {
		return t.japanese
	}
	return words
}
