package ir

import "regexp"

// GlobPart is a piece of a Glob: text as Atom.Text is, or a wildcard.
type GlobPart struct {
	Text string
	Any  bool // any text, the empty one too
	One  bool // one character
}

// Glob gives the pieces of a Glob in order.
func (a *Atom) Glob() []GlobPart {
	var out []GlobPart
	for _, t := range a.glob {
		out = append(out, GlobPart{t.text, t.kind == anyText, t.kind == anyRune})
	}
	return out
}

// Regexp is the expression of a Regex.
func (a *Atom) Regexp() *regexp.Regexp { return a.regex }
