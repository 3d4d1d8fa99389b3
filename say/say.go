// Package say holds every sentence that Yagura itself says to people, in English
// and in Japanese.
//
// To add a sentence:
//
//  1. Write its template in both languages into the file of its subject
//     (anomaly.go, rule.go, triage.go, ...): "{who} read {n} {n|secret|secrets}".
//  2. Say it: say.T("novel.reads", say.Values{"who": name, "n": 3}). Every value
//     that a template names is given, and no other.
//  3. A part that is words itself is a T of its own, given as a value; names from
//     logs are given as they are. say.Plain is for words that are somebody else's:
//     titles of rules, what other products say, what people wrote.
//  4. go test ./say holds that both languages have the same values, and that every
//     T in the repository names a template and gives its values.
//
// In a template {name} is the value itself. {n|one|many} is the first word where n
// is 1 or true, else the second, and may be left out of a language that does not
// count so. {name:FORMAT} shows the value in a form: see formats.
package say

import (
	"strings"
)

// Language of what is said.
type Language string

// The languages. What is English in one of them is so in all: names, ids,
// commands.
const (
	English  Language = "en"
	Japanese Language = "ja"
)

// Languages are all of them.
var Languages = []Language{English, Japanese}

// Text is what a person reads: a sentence of the catalogue with its values, or
// words of others, which are the same in every language. It is comparable: two
// that say the same are equal. As JSON it is its English.
type Text struct {
	en string
	of string // what it is made of, as encode writes it; empty: words of others
}

// Values of a template by name: texts, numbers, booleans, times, lists (see List)
// and Texts.
type Values map[string]any

// Plain are words of others.
func Plain(words string) Text { return Text{en: words} }

// T says the sentence of the catalogue that id names.
func T(id string, values Values) Text {
	s, ok := catalogue[id]
	if !ok {
		return Text{en: id} // a test holds that there is none
	}
	for name, v := range values {
		values[name] = canonical(v)
	}
	return Text{en: s.pieces[English].render(English, nil, values), of: string(encode(nil, id, s.pieces[English], values))}
}

// String is the text in English.
func (t Text) String() string { return t.en }

// In is the text in a language, and in English where it cannot be said in that:
// words of others, or a sentence of an older version whose template is gone.
func (t Text) In(l Language) string { return RuleWords(nil).in(l, t) }

// ID is the template's; empty: the words are those of others.
func (t Text) ID() string {
	if t.of == "" {
		return ""
	}
	id, _, _ := decode(t.of)
	return id
}

// Clean replaces what is no valid UTF-8.
func (t Text) Clean() Text {
	return Text{strings.ToValidUTF8(t.en, "\uFFFD"), strings.ToValidUTF8(t.of, "\uFFFD")}
}

// Made is what the text is made of, for stores to keep beside its English; empty:
// of nothing but its words.
func (t Text) Made() string { return t.of }

// Kept is a text that was kept: its English and what it is made of.
func Kept(english, made string) Text { return Text{english, made} }

// MarshalText gives the English.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.en), nil }

// UnmarshalText reads words of others.
func (t *Text) UnmarshalText(words []byte) error {
	*t = Text{en: string(words)}
	return nil
}

// List is a value that names at most so many things, and how many more there are.
func List[S ~string](all []S, most int) []any {
	out := make([]any, 0, min(len(all), most)+1)
	for _, x := range all[:min(len(all), most)] {
		out = append(out, string(x))
	}
	if more := len(all) - most; more > 0 {
		out = append(out, float64(more))
	}
	return out
}

// Each is a value of several texts.
func Each(all ...Text) []any {
	out := make([]any, len(all))
	for i, t := range all {
		out[i] = t
	}
	return out
}

// Equal tells whether two texts say the same, of the same.
func (t Text) Equal(u Text) bool { return t == u }
