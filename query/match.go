package query

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/event"
)

// Match tells whether the event satisfies the expression; nil is satisfied by
// every event. An expression that Parse would not have made (an unknown field,
// a value of the wrong type) is satisfied by none.
func Match(e Expr, ev *event.Event) bool {
	switch e := e.(type) {
	case nil, All:
		return true
	case And:
		for _, x := range e.X {
			if !Match(x, ev) {
				return false
			}
		}
		return true
	case Or:
		for _, x := range e.X {
			if Match(x, ev) {
				return true
			}
		}
		return false
	case Not:
		return !Match(e.X, ev)
	case Word:
		return found(e.Pattern, str(ev.Raw)) || found(e.Pattern, ev.Message)
	}
	return matchField(e, ev)
}

// Matches tells whether the event satisfies all of the query but its limit.
func (q *Query) Matches(ev *event.Event) bool {
	return (q.Since.IsZero() || !ev.Time.Before(q.Since)) && (q.Until.IsZero() || ev.Time.Before(q.Until)) && Match(q.Where, ev)
}

// str is the bytes as text without a copy; neither outlives the comparison.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func matchField(e Expr, ev *event.Event) bool {
	field := fieldOf(e)
	if isPath(field) {
		return matchPath(e, splitPath(field), ev.Raw)
	}
	c, ok := Lookup(field)
	if !ok {
		return false
	}
	switch c.Type {
	case Text, Enum, Addr:
		return matchText(e, c.text(ev))
	case JSON:
		return matchText(e, str(c.json(ev)))
	case List:
		for _, s := range c.list(ev) {
			if _, exists := e.(Exists); exists || matchText(e, s) {
				return true
			}
		}
		return false
	case UUID:
		if eq, ok := e.(Eq); ok {
			return eq.Value == c.uuid(ev)
		}
		return matchText(e, c.uuid(ev).String())
	}
	if _, ok := e.(Exists); ok {
		return true
	}
	return matchOrdered(e, c, ev)
}

func fieldOf(e Expr) string {
	switch e := e.(type) {
	case Has:
		return e.Field
	case Eq:
		return e.Field
	case Like:
		return e.Field
	case Cmp:
		return e.Field
	case CIDR:
		return e.Field
	case Exists:
		return e.Field
	}
	return ""
}

func matchText(e Expr, s string) bool {
	switch e := e.(type) {
	case Eq:
		v, ok := e.Value.(string)
		return ok && v == s
	case Like:
		return glob(tokens(e.Pattern), s, false)
	case Has:
		return found(e.Pattern, s)
	case CIDR:
		a, err := netip.ParseAddr(s)
		return err == nil && e.Prefix.Contains(a.WithZone(""))
	case Exists:
		return s != ""
	}
	return false
}

func matchOrdered(e Expr, c *Column, ev *event.Event) bool {
	op, value, eq := Lt, any(nil), false
	switch e := e.(type) {
	case Eq:
		value, eq = e.Value, true
	case Cmp:
		op, value = e.Op, e.Value
	}
	var order int
	switch v := value.(type) {
	case int64:
		if c.Type != Int {
			return false
		}
		order = cmp.Compare(c.int(ev), v)
	case float32:
		if c.Type != Float {
			return false
		}
		order = cmp.Compare(c.float(ev), v)
	case time.Time:
		if c.Type != Time {
			return false
		}
		order = c.time(ev).Compare(v)
	case bool:
		return eq && c.Type == Bool && c.bool(ev) == v
	default:
		return false
	}
	return eq && order == 0 || !eq && op.holds(order)
}

func (o Op) holds(order int) bool {
	switch o {
	case Lt:
		return order < 0
	case Le:
		return order <= 0
	case Gt:
		return order > 0
	}
	return order >= 0
}

func isPath(field string) bool { return strings.HasPrefix(field, "raw.") }

// splitPath is the keys of a path as fieldName writes them.
func splitPath(field string) []string {
	p := parser{in: field + ":"}
	path, _ := p.path(len("raw"))
	return path
}

// matchPath looks at every scalar the path leads to; arrays on the way, and at
// its end, stand for each of their elements.
func matchPath(e Expr, path []string, raw []byte) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var root any
	if len(path) == 0 || d.Decode(&root) != nil {
		return false
	}
	return walkPath(root, path, func(v any) bool {
		if _, ok := e.(Exists); ok {
			return v != nil
		}
		c, ok := e.(Cmp)
		if !ok {
			s, scalar := scalarText(v)
			return scalar && matchText(e, s)
		}
		limit, ok := c.Value.(float64)
		n, isNumber := v.(json.Number)
		if !ok || !isNumber {
			return false
		}
		f, err := strconv.ParseFloat(string(n), 64)
		return err == nil && c.Op.holds(cmp.Compare(f, limit))
	})
}

func walkPath(v any, path []string, f func(any) bool) bool {
	if list, ok := v.([]any); ok {
		for _, x := range list {
			if walkPath(x, path, f) {
				return true
			}
		}
		return false
	}
	if len(path) == 0 {
		return f(v)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	child, ok := object[path[0]]
	return ok && walkPath(child, path[1:], f)
}

// scalarText is a scalar as the record writes it, strings without quotes.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
