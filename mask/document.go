package mask

import (
	"strings"
	"unicode"
)

// Document masks one document whose writer knows which names stand in it. These are
// masked however short or common they are, as Learn does not: who is called root in
// a document is so in every sentence of it. It may be used by several goroutines.
type Document struct {
	m   *Masker
	own words
}

// Document makes one of names of people and of projects (or of accounts that are no
// numbers), besides all that m knows. A name that holds several, as "ann (root)" and
// "Dean Finch <dean@corp.example>" do, is taken apart.
func (m *Masker) Document(people, projects []string) *Document {
	d := &Document{m: m}
	for _, name := range people {
		for _, part := range append(nameParts(name), People(name)...) {
			local, _, _ := strings.Cut(part, "@")
			for _, form := range otherForms(part) {
				d.own.add(form, m.Person(local))
			}
			d.own.add(part, m.Person(part))
		}
	}
	for _, name := range projects {
		if name = fromWord(name); name != "" {
			d.own.add(name, m.Project(name))
		}
	}
	return d
}

// Text masks s; see Masker.Text.
func (d *Document) Text(s string) string {
	d.m.mu.RLock()
	defer d.m.mu.RUnlock()
	return d.m.text(s, d.m.known, d.own)
}

// nameParts are the names that a name holds, each from its first letter or digit to
// its last: what is around them is found in texts beside anything. An ARN holds but
// those that People finds.
func nameParts(name string) (parts []string) {
	if strings.HasPrefix(name, "arn:") {
		return nil
	}
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool {
		return unicode.IsControl(r) || strings.ContainsRune(`()<>[]{}"“”「」(),;:|/\`, r)
	}) {
		if part = fromWord(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// fromWord is a name from its first letter or digit to its last, with the marks that
// stand on that.
func fromWord(name string) string {
	name = strings.TrimLeftFunc(name, func(r rune) bool { return !wordRune(r) })
	return strings.TrimRightFunc(name, func(r rune) bool { return !wordRune(r) && !unicode.IsMark(r) })
}
