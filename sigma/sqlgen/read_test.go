package sqlgen

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// read takes a condition apart by the grammar
//
//	condition = term { ("AND" | "OR") term }
//	term      = "NOT" term | operand [ ("=" | "<>" | "<" | ">=" | ">") operand | "IN" "(" operand { "," operand } ")" ]
//	operand   = "(" condition ")" | "?" | number | text | column | "true" | "false" | function "(" operand { "," operand } ")"
//
// and counts the question marks.
func read(q Query, dialect string) error {
	tokens, err := tokensOf(q.Where, dialect)
	if err != nil {
		return err
	}
	p := &sqlParser{tokens: tokens, functions: known[dialect]}
	if err := p.condition(); err != nil {
		return fmt.Errorf("token %d: %w", p.at, err)
	}
	if p.at != len(tokens) {
		return fmt.Errorf("token %d: %q is left over", p.at, tokens[p.at])
	}
	if p.marks != len(q.Args) {
		return fmt.Errorf("%d question marks for %d arguments", p.marks, len(q.Args))
	}
	return nil
}

func tokensOf(s, dialect string) ([]string, error) {
	quote := map[string]byte{"duckdb": '"', "clickhouse": '`'}[dialect]
	var out []string
	for i := 0; i < len(s); {
		start := i
		switch c := s[i]; {
		case c == ' ':
			i++
			continue
		case c == quote || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, errors.New("a quote does not end")
			}
			i += end + 2
		case unicode.IsLetter(rune(c)):
			for i < len(s) && (unicode.IsLetter(rune(s[i])) || unicode.IsDigit(rune(s[i])) || s[i] == '_') {
				i++
			}
		case unicode.IsDigit(rune(c)):
			for i < len(s) && unicode.IsDigit(rune(s[i])) {
				i++
			}
		case strings.HasPrefix(s[i:], "<>"), strings.HasPrefix(s[i:], ">="):
			i += 2
		case strings.IndexByte("(),=<>?", c) >= 0:
			i++
		default:
			return nil, fmt.Errorf("%q at %d is no part of a condition", c, i)
		}
		out = append(out, s[start:i])
	}
	return out, nil
}

type sqlParser struct {
	tokens    []string
	at        int
	marks     int
	functions []string
}

func (p *sqlParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *sqlParser) next(want string) error {
	if p.peek() != want {
		return fmt.Errorf("%q stands where %q should", p.peek(), want)
	}
	p.at++
	return nil
}

func (p *sqlParser) condition() error {
	for {
		if err := p.term(); err != nil {
			return err
		}
		if t := p.peek(); t != "AND" && t != "OR" {
			return nil
		}
		p.at++
	}
}

func (p *sqlParser) term() error {
	if p.peek() == "NOT" {
		p.at++
		return p.term()
	}
	if err := p.operand(); err != nil {
		return err
	}
	switch p.peek() {
	case "=", "<>", "<", ">", ">=":
		p.at++
		return p.operand()
	case "IN":
		p.at++
		return p.list()
	}
	return nil
}

func (p *sqlParser) list() error {
	if err := p.next("("); err != nil {
		return err
	}
	for {
		if err := p.operand(); err != nil {
			return err
		}
		if p.peek() != "," {
			return p.next(")")
		}
		p.at++
	}
}

func (p *sqlParser) operand() error {
	t := p.peek()
	p.at++
	switch {
	case t == "(":
		if err := p.condition(); err != nil {
			return err
		}
		return p.next(")")
	case t == "?":
		p.marks++
		return nil
	case t == "true", t == "false", t != "" && (unicode.IsDigit(rune(t[0])) || strings.IndexByte("'`\"", t[0]) >= 0):
		return nil
	case slices.Contains(p.functions, t):
		return p.list()
	}
	p.at--
	return fmt.Errorf("%q is no operand", t)
}
