package calendar

import (
	"errors"
	"fmt"
	"strings"
)

// component is what lies between BEGIN and END.
type component struct {
	name     string
	line     int
	props    []prop
	children []*component
	err      error // why it cannot be believed
	errLine  int
}

// prop is a property: a content line.
type prop struct {
	name   string
	params map[string]string
	value  string
	line   int
}

// get is the first property of the name; nil: there is none.
func (c *component) get(name string) *prop {
	for i := range c.props {
		if c.props[i].name == name {
			return &c.props[i]
		}
	}
	return nil
}

// all are the properties of the name.
func (c *component) all(name string) []*prop {
	var out []*prop
	for i := range c.props {
		if c.props[i].name == name {
			out = append(out, &c.props[i])
		}
	}
	return out
}

// text is the value of a property of text, without escapes.
func (c *component) text(name string) string {
	if p := c.get(name); p != nil {
		return strings.TrimSpace(unescape(p.value))
	}
	return ""
}

func (c *component) fail(line int, err error) {
	if c.err == nil {
		c.err, c.errLine = err, line
	}
}

const maxDepth = 8

// components reads all calendars of a text. A component with a line that cannot
// be read carries the error and is not to be used: a window whose scope was lost
// would cover more than was meant.
func (s *reading) components(text string) []*component {
	var calendars, open []*component
	unfold(text, func(number int, line string) {
		p, err := parseLine(line, number)
		top := (*component)(nil)
		if len(open) > 0 {
			top = open[len(open)-1]
		}
		switch {
		case err != nil && top == nil:
			s.wrong(number, err)
		case err != nil && top.name == "VCALENDAR":
			s.wrong(number, err)
		case err != nil:
			top.fail(number, err)
		case p.name == "BEGIN":
			c := &component{name: strings.ToUpper(strings.TrimSpace(p.value)), line: number}
			switch {
			case top == nil && c.name == "VCALENDAR":
				calendars = append(calendars, c)
			case top == nil:
				s.wrong(number, fmt.Errorf("BEGIN:%.40s outside of a calendar", c.name))
				return
			case len(open) == maxDepth:
				top.fail(number, errors.New("components lie too deep in each other"))
				return
			default:
				top.children = append(top.children, c)
			}
			open = append(open, c)
		case p.name == "END":
			open = s.end(open, p)
		case top == nil:
			s.wrong(number, fmt.Errorf("%.40s outside of a calendar", p.name))
		default:
			top.props = append(top.props, p)
		}
	})
	for _, c := range open {
		if c.name != "VCALENDAR" {
			c.fail(c.line, fmt.Errorf("%.40s has no END: the file may be cut off", c.name))
		}
	}
	return calendars
}

// end closes the component that p names. Those within it that were not closed
// cannot be believed.
func (s *reading) end(open []*component, p prop) []*component {
	name := strings.ToUpper(strings.TrimSpace(p.value))
	for i := len(open) - 1; i >= 0; i-- {
		if open[i].name != name {
			continue
		}
		for _, c := range open[i+1:] {
			c.fail(c.line, fmt.Errorf("%.40s has no END", c.name))
		}
		return open[:i]
	}
	s.wrong(p.line, fmt.Errorf("END:%.40s of nothing that was begun", name))
	return open
}

// unfold gives content lines with the number of the line each begins on: a line
// that starts with a blank goes on with the one before it (RFC 5545, 3.1).
func unfold(text string, yield func(number int, line string)) {
	var whole strings.Builder
	number, begun := 0, 0
	flush := func() {
		if line := whole.String(); strings.TrimSpace(line) != "" {
			yield(begun, line)
		}
		whole.Reset()
	}
	for len(text) > 0 {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, "\r")
		number++
		if begun > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			whole.WriteString(line[1:])
			continue
		}
		if begun > 0 {
			flush()
		}
		begun = number
		whole.WriteString(line)
	}
	if begun > 0 {
		flush()
	}
}

// parseLine reads name, parameters and value of a content line.
func parseLine(s string, number int) (prop, error) {
	end := strings.IndexAny(s, ";:")
	if end <= 0 {
		return prop{}, fmt.Errorf("%.40q is no property: it has no name and colon", s)
	}
	p := prop{name: strings.ToUpper(strings.TrimSpace(s[:end])), line: number}
	rest := s[end:]
	for strings.HasPrefix(rest, ";") {
		key, after, ok := strings.Cut(rest[1:], "=")
		if !ok || key == "" || strings.ContainsAny(key, ":;\"") {
			return prop{}, fmt.Errorf("%s: a parameter has no name and value", p.name)
		}
		value, after, err := paramValue(after)
		if err != nil {
			return prop{}, fmt.Errorf("%s: %w", p.name, err)
		}
		if p.params == nil {
			p.params = map[string]string{}
		}
		p.params[strings.ToUpper(key)] = value
		rest = after
	}
	if !strings.HasPrefix(rest, ":") {
		return prop{}, fmt.Errorf("%s has no value", p.name)
	}
	p.value = rest[1:]
	return p, nil
}

// paramValue reads a parameter's value, the first one of a list, and gives what
// follows all of them.
func paramValue(s string) (value, rest string, err error) {
	for n := 0; ; n++ {
		var one string
		if strings.HasPrefix(s, `"`) {
			end := strings.IndexByte(s[1:], '"')
			if end < 0 {
				return "", "", errors.New("a quoted parameter has no end")
			}
			one, s = s[1:1+end], s[end+2:]
		} else {
			end := strings.IndexAny(s, `;:,"`)
			if end < 0 {
				return "", "", errors.New("a parameter has no end")
			}
			one, s = s[:end], s[end:]
		}
		if n == 0 {
			value = one
		}
		if !strings.HasPrefix(s, ",") {
			return value, s, nil
		}
		s = s[1:]
	}
}

var escapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";")

// unescape undoes the escapes of text values (RFC 5545, 3.3.11).
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return escapes.Replace(s)
}
