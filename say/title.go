package say

import "strings"

// titleOf begins what the title of a rule is made of; the rule's id follows. What
// sentences are made of is JSON and never begins so.
const titleOf = "title "

// Title is the title of a rule or correlation, in its author's words.
func Title(rule, words string) Text { return Text{en: words, of: titleOf + rule} }

// Titles gives the title of a rule in a language, by the rule's id and its author's
// words; those words themselves where it knows no others.
type Titles func(l Language, rule, words string) string

// in is the text in a language, titles of rules included. Of nil there are none.
func (names Titles) in(l Language, t Text) string {
	if rule, is := strings.CutPrefix(t.of, titleOf); is && names != nil {
		return names(l, rule, t.en)
	}
	return t.In(l)
}
