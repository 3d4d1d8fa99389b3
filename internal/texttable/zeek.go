package texttable

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// zeekType says how a value of a column is written in JSON, as Zeek itself would:
// https://docs.zeek.org/en/master/log-formats.html.
type zeekType byte

const (
	zeekText zeekType = iota
	zeekNumber
	zeekBool
	zeekTexts // sets and vectors
	zeekNumbers
	zeekBools
)

var zeekTypes = map[string]zeekType{
	"count": zeekNumber, "int": zeekNumber, "port": zeekNumber, "double": zeekNumber, "time": zeekNumber, "interval": zeekNumber,
	"bool": zeekBool,
}

func typeOf(name string) zeekType {
	for _, of := range []string{"set[", "vector["} {
		if inner, ok := strings.CutPrefix(name, of); ok {
			return zeekTexts + zeekTypes[strings.TrimSuffix(inner, "]")]
		}
	}
	return zeekTypes[name]
}

func (t *Table) zeekLine(dst, line []byte) (out []byte, ok bool, reason string) {
	if line[0] == '#' {
		return dst, false, t.zeekHeader(string(line))
	}
	if t.columns == nil {
		return dst, false, "a row before the header that names its fields (#fields)"
	}
	if n := bytes.Count(line, []byte(t.sep)) + 1; n != len(t.columns) {
		return dst, false, t.width(n)
	}
	n := len(dst)
	dst = append(append(dst, '{'), t.path...)
	for rest, i := line, 0; i < len(t.columns); i++ {
		var value []byte
		value, rest, _ = bytes.Cut(rest, []byte(t.sep))
		if string(value) == t.unset {
			continue
		}
		if len(dst) > n+1 {
			dst = append(dst, ',')
		}
		dst = append(dst, t.columns[i].key...)
		if dst, reason = t.appendZeek(dst, t.columns[i].typ, value); reason != "" {
			return dst[:n], false, "in the column " + string(t.columns[i].key) + " " + reason
		}
	}
	return append(dst, '}'), true, ""
}

// zeekHeader takes a line of the header; those that are none are comments.
func (t *Table) zeekHeader(line string) (reason string) {
	if rest, ok := strings.CutPrefix(line, "#separator "); ok {
		if sep := unescape([]byte(strings.TrimSpace(rest))); len(sep) > 0 {
			t.sep = string(sep)
		}
		return ""
	}
	name, rest, _ := strings.Cut(line, t.sep)
	switch name {
	case "#set_separator":
		t.set = rest
	case "#empty_field":
		t.empty = rest
	case "#unset_field":
		t.unset = rest
	case "#path":
		path, reason := appendString([]byte(`"`+PathKey+`":`), []byte(rest))
		if reason != "" {
			return "in the name of the log: " + reason
		}
		t.changed = t.changed || t.path != nil && !bytes.Equal(path, t.path)
		t.path = path
	case "#fields":
		names := strings.Split(rest, t.sep)
		if t.columns != nil && rest == strings.Join(t.names, t.sep) {
			return "" // after a restart Zeek says it again
		}
		t.changed = t.changed || t.columns != nil
		return t.setColumns(names)
	case "#types":
		for i, typ := range strings.Split(rest, t.sep) {
			if i < len(t.columns) {
				t.columns[i].typ = typeOf(typ)
			}
		}
	}
	return ""
}

func (t *Table) appendZeek(dst []byte, typ zeekType, value []byte) ([]byte, string) {
	if typ < zeekTexts {
		return t.appendScalar(dst, typ, value)
	}
	dst = append(dst, '[')
	if string(value) != t.empty {
		for i, part := range bytes.Split(value, []byte(t.set)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			var reason string
			if dst, reason = t.appendScalar(dst, typ-zeekTexts, part); reason != "" {
				return dst, reason
			}
		}
	}
	return append(dst, ']'), ""
}

func (t *Table) appendScalar(dst []byte, typ zeekType, value []byte) ([]byte, string) {
	switch {
	case typ == zeekNumber && 0 < len(value) && len(value) < 64 && isDigit(value[len(value)-1]) && json.Valid(value):
		return append(dst, value...), ""
	case typ == zeekBool && string(value) == "T":
		return append(dst, "true"...), ""
	case typ == zeekBool && string(value) == "F":
		return append(dst, "false"...), ""
	case string(value) == t.empty:
		value = nil
	}
	return appendString(dst, unescape(value))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// unescape turns \x09 into what it stands for, where that is text.
func unescape(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\x`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+3 < len(b) && b[i+1] == 'x' {
			if n, err := strconv.ParseUint(string(b[i+2:i+4]), 16, 8); err == nil {
				out = append(out, byte(n))
				i += 3
				continue
			}
		}
		out = append(out, b[i])
	}
	if !utf8.Valid(out) {
		return b
	}
	return out
}
