package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yagura-sec/yagura/query"
)

// maxValue is how long a parameter's value may be, in bytes.
const maxValue = 2048

// reference tells which parameter a value stands for ("$account").
func reference(value string) (name string, ok bool) {
	name, ok = strings.CutPrefix(value, "$")
	return name, ok && isName(name)
}

// isName: parameters are called so in filters and in SQL.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !('a' <= r && r <= 'z') && !('0' <= r && r <= '9' && i > 0) {
			return false
		}
	}
	return s != "" && len(s) <= 40
}

// settle gives every parameter its value: the one given, else its default.
func settle(ps []Parameter, given map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for name := range given {
		if find(ps, name) == nil {
			return nil, &ValueError{name, "there is no such parameter"}
		}
	}
	for _, p := range ps {
		v, ok := given[p.Name]
		if !ok {
			v = p.Default
		}
		if err := p.check(v); err != nil {
			return nil, &ValueError{p.Name, err.Error()}
		}
		out[p.Name] = v
	}
	return out, nil
}

// ValueError is a parameter's value that cannot be taken.
type ValueError struct{ Name, Reason string }

func (e *ValueError) Error() string { return fmt.Sprintf("parameter %s: %s", e.Name, e.Reason) }

func (p *Parameter) check(v string) error {
	switch {
	case len(v) > maxValue:
		return fmt.Errorf("longer than %d bytes", maxValue)
	case strings.ContainsFunc(v, unicode.IsControl) || !utf8.ValidString(v):
		return fmt.Errorf("not printable text")
	case v == "" && p.Type != TypeNumber:
		return nil
	case len(p.Choices) > 0 && !slices.Contains(p.Choices, v):
		return fmt.Errorf("%q is none of %s", v, strings.Join(p.Choices, ", "))
	case p.Type == TypeNumber:
		if n, err := strconv.ParseFloat(v, 64); err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return fmt.Errorf("%q is no number", v)
		}
	case p.Type == TypePattern:
		if strings.Count(v, "*")+strings.Count(v, "?") > 50 || len([]rune(v)) > 1000 {
			return fmt.Errorf("more than 50 wildcards or 1000 characters")
		}
	}
	return nil
}

// bind puts values in the place of parameters in a filter: in its tree, never in
// its text, so that no value can be anything but a value. A term whose parameter is
// empty is left out; present is false if nothing is left.
func bind(e query.Expr, ps []Parameter, values map[string]string) (_ query.Expr, present bool) {
	switch e := e.(type) {
	case nil:
		return nil, false
	case query.And:
		xs := bindAll(e.X, ps, values)
		return joined(xs, func() query.Expr { return query.And{X: xs} })
	case query.Or:
		xs := bindAll(e.X, ps, values)
		return joined(xs, func() query.Expr { return query.Or{X: xs} })
	case query.Not:
		if x, ok := bind(e.X, ps, values); ok {
			return query.Not{X: x}, true
		}
		return nil, false
	}
	text, ok := termText(e)
	name, ok2 := reference(text)
	if !ok || !ok2 {
		return e, true
	}
	v := values[name]
	if v == "" {
		return nil, false
	}
	return bound(e, v, find(ps, name).Type == TypePattern), true
}

func bindAll(xs []query.Expr, ps []Parameter, values map[string]string) (out []query.Expr) {
	for _, x := range xs {
		if y, ok := bind(x, ps, values); ok {
			out = append(out, y)
		}
	}
	return out
}

func joined(xs []query.Expr, all func() query.Expr) (query.Expr, bool) {
	switch len(xs) {
	case 0:
		return nil, false
	case 1:
		return xs[0], true
	}
	return all(), true
}

// bound is the term with the value in the place of its own.
func bound(e query.Expr, v string, pattern bool) query.Expr {
	p := query.Escape(v)
	if pattern {
		p = v
	}
	switch e := e.(type) {
	case query.Eq:
		if pattern {
			return query.Like{Field: e.Field, Pattern: p}
		}
		return query.Eq{Field: e.Field, Value: v}
	case query.Has:
		return query.Has{Field: e.Field, Pattern: p}
	}
	return query.Word{Pattern: p}
}

// termText is the text that a term looks for, if it looks for plain text.
func termText(e query.Expr) (string, bool) {
	switch e := e.(type) {
	case query.Eq:
		v, ok := e.Value.(string)
		return v, ok
	case query.Has:
		return e.Pattern, true
	case query.Word:
		return e.Pattern, true
	}
	return "", false
}

// checkReferences holds that what looks like a parameter is one, and stands alone.
func checkReferences(e query.Expr, ps []Parameter) error {
	var wrong error
	query.Terms(e, func(term query.Expr) {
		if like, ok := term.(query.Like); ok && strings.HasPrefix(like.Pattern, "$") {
			wrong = fmt.Errorf("%s: a parameter stands alone; one of type pattern may hold wildcards", like.Pattern)
		}
		text, ok := termText(term)
		name, isRef := reference(text)
		if ok && isRef && find(ps, name) == nil {
			wrong = fmt.Errorf("there is no parameter $%s", name)
		}
	})
	return wrong
}

// sqlValues are the values as SQL is given them.
func sqlValues(ps []Parameter, values map[string]string) map[string]any {
	out := map[string]any{}
	for _, p := range ps {
		v := values[p.Name]
		if p.Type != TypeNumber {
			out[p.Name] = v
			continue
		}
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			out[p.Name] = n
			continue
		}
		n, err := strconv.ParseFloat(v, 64)
		if err == nil {
			out[p.Name] = n
		}
	}
	return out
}
