// Package cond parses the conditions of Sigma rules.
//
// Or binds least, then and, then not, then "x of y", then parentheses. The
// operators may be written in any case. Names stay as they are written: which
// searches a pattern means is decided by whoever knows the rule.
package cond

import (
	"fmt"
	"strconv"
	"strings"
)

// Op is the kind of an expression.
type Op uint8

// The operators.
const (
	Ident Op = iota // Name
	And             // X...
	Or              // X...
	Not             // X[0]
	Of              // at least N of the searches that match Name
)

// All as N of an Of asks for every search.
const All = -1

// Them as Name of an Of means every search.
const Them = "them"

// Expr is a parsed condition.
type Expr struct {
	Op     Op
	X      []*Expr
	Name   string
	N      int
	Offset int // byte in the text at which it begins
}

// Error is a mistake at a byte of the text.
type Error struct {
	Offset int
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// maxDepth bounds nesting, so that a condition of a million parentheses is an
// error and no overflow of the stack.
const maxDepth = 200

// maxLength bounds a condition, in bytes; the longest that people write have a
// hundredth of it.
const maxLength = 64 << 10

// Parse reads a condition. Its errors are *Error.
func Parse(text string) (*Expr, error) {
	if len(text) > maxLength {
		return nil, &Error{maxLength, fmt.Sprintf("condition is longer than %d bytes", maxLength)}
	}
	toks, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks, end: len(text)}
	if len(toks) == 0 {
		return nil, &Error{0, "condition is empty"}
	}
	e, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t, ok := p.peek(); ok {
		return nil, &Error{t.offset, fmt.Sprintf("unexpected %q: expected \"and\", \"or\" or the end of the condition", t.text)}
	}
	return e, nil
}

type token struct {
	text   string
	offset int
}

func (t token) is(word string) bool { return strings.EqualFold(t.text, word) }

func scan(text string) ([]token, error) {
	var toks []token
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')':
			toks = append(toks, token{text[i : i+1], i})
			i++
		case c == '|':
			return nil, &Error{i, `aggregations after "|" are not part of Sigma 2: write a correlation rule (type event_count for count(), value_count for count(field), temporal for near)`}
		default:
			j := i
			for j < len(text) && !strings.ContainsRune(" \t\r\n()|", rune(text[j])) {
				j++
			}
			toks = append(toks, token{text[i:j], i})
			i = j
		}
	}
	return toks, nil
}

type parser struct {
	toks []token
	at   int
	end  int
}

func (p *parser) peek() (token, bool) {
	if p.at < len(p.toks) {
		return p.toks[p.at], true
	}
	return token{offset: p.end}, false
}

// accept takes the next token if it is word.
func (p *parser) accept(word string) bool {
	if t, ok := p.peek(); ok && t.is(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) or(depth int) (*Expr, error)  { return p.chain(depth, Or, "or", p.and) }
func (p *parser) and(depth int) (*Expr, error) { return p.chain(depth, And, "and", p.not) }

func (p *parser) chain(depth int, op Op, word string, operand func(int) (*Expr, error)) (*Expr, error) {
	first, err := operand(depth)
	if err != nil {
		return nil, err
	}
	xs := []*Expr{first}
	for p.accept(word) {
		x, err := operand(depth)
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
	}
	if len(xs) == 1 {
		return first, nil
	}
	return &Expr{Op: op, X: xs, Offset: first.Offset}, nil
}

func (p *parser) not(depth int) (*Expr, error) {
	t, _ := p.peek()
	if depth > maxDepth {
		return nil, &Error{t.offset, fmt.Sprintf("condition is nested more than %d deep", maxDepth)}
	}
	if !p.accept("not") {
		return p.primary(depth)
	}
	x, err := p.not(depth + 1)
	if err != nil {
		return nil, err
	}
	return &Expr{Op: Not, X: []*Expr{x}, Offset: t.offset}, nil
}

func (p *parser) primary(depth int) (*Expr, error) {
	t, ok := p.peek()
	if !ok {
		return nil, &Error{t.offset, "condition ends where the name of a search is expected"}
	}
	p.at++
	switch {
	case t.text == "(":
		e, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.accept(")") {
			return nil, &Error{t.offset, "parenthesis is not closed"}
		}
		return e, nil
	case t.text == ")" || t.is("and") || t.is("or"):
		return nil, &Error{t.offset, fmt.Sprintf("unexpected %q: expected the name of a search", t.text)}
	}
	if next, ok := p.peek(); ok && next.is("of") {
		return p.of(t)
	}
	return &Expr{Op: Ident, Name: t.text, Offset: t.offset}, nil
}

// of parses what follows the quantifier.
func (p *parser) of(quantifier token) (*Expr, error) {
	e := &Expr{Op: Of, Offset: quantifier.offset}
	switch n, err := strconv.Atoi(quantifier.text); {
	case quantifier.is("all"):
		e.N = All
	case quantifier.is("any"):
		e.N = 1
	case err == nil && n > 0:
		e.N = n
	default:
		return nil, &Error{quantifier.offset, fmt.Sprintf(`%q before "of": expected all, any or a number above 0`, quantifier.text)}
	}
	p.at++ // of
	t, ok := p.peek()
	if !ok || t.text == "(" || t.text == ")" {
		return nil, &Error{t.offset, `expected "them" or the pattern of searches after "of"`}
	}
	p.at++
	e.Name = t.text
	if t.is(Them) {
		e.Name = Them
	}
	return e, nil
}

// Matches tells whether the name of a search is meant by a pattern of an Of.
// Names with a leading underscore are left out unless the pattern begins with one.
func Matches(pattern, name string) bool {
	if pattern == Them {
		pattern = "*"
	}
	if strings.HasPrefix(name, "_") && !strings.HasPrefix(pattern, "_") {
		return false
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return name == pattern
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	rest := name[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
