package say

import "strings"

// ruleOf begins what words of a rule are made of; the rule's id follows. What
// sentences are made of is JSON and never begins so.
const ruleOf = "rule "

// OfRule are words that the author of a rule or correlation wrote: its title, what
// it is about, what else looks like it, what to do about a finding.
func OfRule(rule, words string) Text { return Text{en: words, of: ruleOf + rule} }

// AllOfRule are several of them.
func AllOfRule(rule string, words []string) []Text {
	out := make([]Text, len(words))
	for i, w := range words {
		out[i] = OfRule(rule, w)
	}
	return out
}

// RuleWords gives words of a rule in a language, by the rule's id and its author's
// words; those words themselves where it knows no others.
type RuleWords func(l Language, rule, words string) string

// in is the text in a language, words of rules included, also those within a
// sentence. Of nil there are none.
func (known RuleWords) in(l Language, t Text) string {
	if l == English || t.of == "" {
		return t.en
	}
	if rule, is := strings.CutPrefix(t.of, ruleOf); is {
		if known == nil {
			return t.en
		}
		return known(l, rule, t.en)
	}
	id, values, err := decode(t.of)
	if s, ok := catalogue[id]; err == nil && ok && s.pieces[l] != nil {
		return s.pieces[l].render(l, known, values)
	}
	return t.en
}
