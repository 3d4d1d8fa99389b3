package mapping

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load reads all files NAME.yml and NAME.yaml below a folder; shown is how
// messages name it. What is refused is left out, each with its error.
func Load(fsys fs.FS, shown string) (all []*Mapping, refused []*Error) {
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if ext := path.Ext(name); err != nil || d.IsDir() || ext != ".yml" && ext != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		m, wrong := Parse(path.Join(shown, name), text)
		if wrong != nil {
			refused = append(refused, wrong)
			return nil
		}
		all = append(all, m)
		return nil
	})
	if err != nil {
		refused = append(refused, &Error{shown, 1, 1, err.Error()})
	}
	return all, refused
}

// maxFile is how many bytes a file has at most.
const maxFile = 1 << 20

// Parse reads one file; name is for messages. The error is the first thing wrong.
func Parse(name string, text []byte) (m *Mapping, wrong *Error) {
	p := &parser{file: name}
	defer func() {
		if r := recover(); r != nil {
			e, ours := r.(*Error)
			if !ours {
				panic(r)
			}
			m, wrong = nil, e
		}
	}()
	if len(text) > maxFile {
		p.fail(nil, "the file is %d bytes long; the limit is %d", len(text), maxFile)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, p.syntax(err)
	}
	if err := dec.Decode(&more); err == nil {
		p.fail(&more, "a second document: a file holds one mapping")
	}
	return p.mapping(doc.Content[0]), nil
}

// parser turns nodes into a mapping. It fails by panicking with an *Error, which
// Parse recovers: a fault ends the reading of the file wherever it is.
type parser struct {
	file string
	seen int // nodes, aliases followed: what few bytes may unfold to is bounded
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	e := &Error{File: p.file, Line: 1, Col: 1, Reason: fmt.Sprintf(format, args...)}
	if n != nil && n.Line > 0 {
		e.Line, e.Col = n.Line, n.Column
	}
	panic(e)
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (p *parser) syntax(err error) *Error {
	e := &Error{File: p.file, Line: 1, Col: 1, Reason: strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatchIndex(e.Reason); m != nil {
		fmt.Sscan(e.Reason[m[2]:m[3]], &e.Line) // digits, as the pattern says
		e.Reason = e.Reason[:m[0]] + e.Reason[m[1]:]
	} else if err.Error() == "EOF" {
		e.Reason = "the file is empty"
	}
	return e
}

func (p *parser) follow(n *yaml.Node) *yaml.Node {
	if p.seen++; p.seen > 50_000 {
		p.fail(n, "more than 50000 values, with those behind aliases")
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// members are an object's, each key once; only the allowed ones, if any are given.
func (p *parser) members(n *yaml.Node, what string, allowed ...string) map[string]*yaml.Node {
	n = p.follow(n)
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s: keys and values are needed", what)
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode {
			p.fail(k, "%s: a key is a word", what)
		}
		if len(allowed) > 0 && !slices.Contains(allowed, k.Value) {
			p.fail(k, "%s: %q is none of %s", what, k.Value, strings.Join(allowed, ", "))
		}
		if _, twice := out[k.Value]; twice {
			p.fail(k, "%s: %s is given twice", what, k.Value)
		}
		out[k.Value] = n.Content[i+1]
	}
	return out
}

// ordered calls f for each member in the order of the file.
func (p *parser) ordered(n *yaml.Node, what string, f func(key, value *yaml.Node)) {
	p.members(n, what)
	n = p.follow(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i], n.Content[i+1])
	}
}

func (p *parser) scalar(n *yaml.Node, what string) string {
	n = p.follow(n)
	if n.Kind != yaml.ScalarNode {
		p.fail(n, "%s: one value is needed", what)
	}
	if n.Tag == "!!null" {
		p.fail(n, "%s: it is empty", what)
	}
	return n.Value
}

// list is a list, or a single value as a list of one.
func (p *parser) list(n *yaml.Node) []*yaml.Node {
	if n = p.follow(n); n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

func (p *parser) texts(n *yaml.Node, what string) []string {
	var out []string
	for _, x := range p.list(n) {
		out = append(out, p.scalar(x, what))
	}
	if len(out) == 0 {
		p.fail(n, "%s: the list is empty", what)
	}
	return out
}

func (p *parser) truth(n *yaml.Node, what string) bool {
	switch s := p.scalar(n, what); s {
	case "true", "false":
		return s == "true"
	}
	p.fail(n, "%s: true or false is needed", what)
	return false
}

func (p *parser) regexp(n *yaml.Node, what string) *regexp.Regexp {
	re, err := regexp.Compile(p.scalar(n, what))
	if err != nil {
		p.fail(n, "%s: %v", what, err)
	}
	return re
}

var formatName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)

func (p *parser) mapping(n *yaml.Node) *Mapping {
	top := p.members(n, "a mapping", "title", "format", "instead_of", "line", "when", "identity", "set", "cases")
	m := &Mapping{File: p.file}
	for _, key := range []string{"title", "format", "set", "cases"} {
		if top[key] == nil {
			p.fail(n, "%s is missing", key)
		}
	}
	m.Title, m.Format = p.scalar(top["title"], "title"), p.scalar(top["format"], "format")
	if !formatName.MatchString(m.Format) {
		p.fail(top["format"], "format %q: words in small letters with dots between them, such as proxy.branch", m.Format)
	}
	if x := top["instead_of"]; x != nil {
		m.InsteadOf = p.texts(x, "instead_of")
	}
	if x := top["line"]; x != nil {
		for _, one := range p.list(x) {
			m.lines = append(m.lines, p.line(one))
		}
	}
	if x := top["when"]; x != nil {
		for _, one := range p.list(x) {
			m.when = append(m.when, p.clause(one, "when"))
		}
	}
	if len(m.when) == 0 && !slices.ContainsFunc(m.lines, func(l *line) bool { return l.pattern != nil }) {
		p.fail(n, "when is missing: without it every record would be of this format")
	}
	if x := top["identity"]; x != nil {
		names := p.texts(x, "identity")
		if m.place = len(names) == 1 && names[0] == "place"; !m.place {
			for _, name := range names {
				m.identity = append(m.identity, newPath(name))
			}
		}
	}
	p.assignments(m, top["set"])
	m.Cases = p.cases(top["cases"], m)
	return m
}

func (p *parser) line(n *yaml.Node) *line {
	top := p.members(n, "line", "pattern", "csv")
	l := &line{}
	switch {
	case len(top) != 1:
		p.fail(n, "line: either pattern or csv is needed")
	case top["pattern"] != nil:
		l.pattern = p.regexp(top["pattern"], "pattern")
		l.names = l.pattern.SubexpNames()[1:]
		if len(l.names) == 0 {
			p.fail(top["pattern"], "pattern: it names no group: (?P<name>…)")
		}
		if !strings.HasPrefix(l.pattern.String(), "^") {
			p.fail(top["pattern"], "pattern: it begins with ^, so that no line is searched for it")
		}
	default:
		l.names = p.texts(top["csv"], "csv")
		if last := len(l.names) - 1; l.names[last] == "..." {
			l.names, l.more = l.names[:last], true
		}
		if len(l.names) < 2 {
			p.fail(top["csv"], "csv: the names of all columns are needed")
		}
	}
	return l
}

func (p *parser) clause(n *yaml.Node, what string) clause {
	var c clause
	p.ordered(n, what, func(key, value *yaml.Node) {
		x := condition{path: newPath(key.Value)}
		switch v := p.follow(value); {
		case v.Kind == yaml.MappingNode:
			more := p.members(v, key.Value, "match", "is")
			if re := more["match"]; re != nil {
				x.match = p.regexp(re, "match")
			}
			if is := more["is"]; is != nil {
				x.oneOf = p.texts(is, "is")
			}
			if len(more) != 1 {
				p.fail(v, "%s: match or is", key.Value)
			}
		case v.Kind == yaml.ScalarNode && v.Value == "present":
		case v.Kind == yaml.ScalarNode && v.Value == "absent":
			x.absent = true
		default:
			x.oneOf = p.texts(v, key.Value)
		}
		c = append(c, x)
	})
	if len(c) == 0 {
		p.fail(n, "%s: no condition is given", what)
	}
	return c
}

func (p *parser) assignments(m *Mapping, n *yaml.Node) {
	p.ordered(n, "set", func(key, value *yaml.Node) {
		c := columnNamed(key.Value)
		if c == nil {
			var names []string
			for _, c := range columns {
				names = append(names, c.name)
			}
			p.fail(key, "set: there is no column %q; there are %s", key.Value, strings.Join(names, ", "))
		}
		m.set = append(m.set, assignment{c, p.value(value, c)})
	})
	if !slices.ContainsFunc(m.set, func(a assignment) bool { return a.column.name == "time" }) {
		p.fail(n, "set: time is missing")
	}
	// src_ip goes behind src_host, which it fills with a name only where nothing did.
	slices.SortStableFunc(m.set, func(a, b assignment) int { return rank(a) - rank(b) })
}

func rank(a assignment) int {
	if a.column.name == "src_ip" {
		return 1
	}
	return 0
}

func (p *parser) value(n *yaml.Node, c *column) value {
	var v value
	for _, one := range p.list(n) {
		v = append(v, p.alternative(one, c))
	}
	if len(v) == 0 {
		p.fail(n, "%s: the list is empty", c.name)
	}
	return v
}

// constant is a value that the file gives itself.
func (p *parser) constant(n *yaml.Node, c *column) string {
	s := p.scalar(n, c.name)
	if c.words != nil && !slices.Contains(c.words, s) {
		p.fail(n, "%s: %q is none of %s", c.name, s, strings.Join(c.words, ", "))
	}
	return s
}

func (p *parser) alternative(n *yaml.Node, c *column) alternative {
	n = p.follow(n)
	if n.Kind == yaml.ScalarNode {
		if c.name == "time" {
			p.fail(n, "time: a record tells its own: {from: FIELD}")
		}
		return alternative{constant: p.constant(n, c), isConst: true}
	}
	top := p.members(n, c.name, "from", "text", "const", "when", "match", "table", "fold", "else", "lower", "time", "zone")
	var a alternative
	if x := top["when"]; x != nil {
		a.when = p.clause(x, "when")
	}
	if x := top["const"]; x != nil {
		a.constant, a.isConst = p.constant(x, c), true
		if len(top) > 2 || len(top) == 2 && a.when == nil {
			p.fail(n, "%s: beside const only when is possible", c.name)
		}
		return a
	}
	p.origin(&a, n, top, c)
	if x := top["match"]; x != nil {
		a.match = p.regexp(x, "match")
	}
	if x := top["lower"]; x != nil {
		a.lower = p.truth(x, "lower")
	}
	p.table(&a, n, top, c)
	p.times(&a, n, top, c)
	return a
}

func (p *parser) origin(a *alternative, n *yaml.Node, top map[string]*yaml.Node, c *column) {
	switch from, text := top["from"], top["text"]; {
	case (from == nil) == (text == nil):
		p.fail(n, "%s: one of from, text and const is needed", c.name)
	case from != nil:
		for _, s := range p.texts(from, "from") {
			a.from = append(a.from, newPath(s))
		}
	default:
		a.text = p.template(text)
	}
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

func (p *parser) template(n *yaml.Node) *template {
	s := p.scalar(n, "text")
	t := &template{}
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(s, -1) {
		if m[2] == m[3] {
			p.fail(n, "text: {} names no field")
		}
		t.fixed = append(t.fixed, s[at:m[0]])
		t.paths = append(t.paths, newPath(s[m[2]:m[3]]))
		at = m[1]
	}
	if t.fixed = append(t.fixed, s[at:]); strings.ContainsAny(strings.Join(t.fixed, ""), "{}") {
		p.fail(n, "text: a brace without its other one")
	}
	if len(t.paths) == 0 {
		p.fail(n, "text: it names no field: {name}; a text for every record is const")
	}
	return t
}

func (p *parser) table(a *alternative, n *yaml.Node, top map[string]*yaml.Node, c *column) {
	if x := top["fold"]; x != nil {
		a.fold = p.truth(x, "fold")
	}
	if x := top["else"]; x != nil {
		a.other, a.hasOther = p.constant(x, c), true
	}
	if x := top["table"]; x != nil {
		a.table = map[string]string{}
		p.ordered(x, "table", func(key, value *yaml.Node) {
			k := key.Value
			if a.fold {
				k = strings.ToLower(k)
			}
			if _, twice := a.table[k]; twice {
				p.fail(key, "table: %s is given twice", k)
			}
			a.table[k] = p.constant(value, c)
		})
	} else if a.fold || a.hasOther {
		p.fail(n, "%s: fold and else belong to a table", c.name)
	}
	if a.table == nil && c.words != nil && !slices.Equal(c.words, []string{"true", "false"}) {
		p.fail(n, "%s: a table is needed: the column has only %s", c.name, strings.Join(c.words, ", "))
	}
}

func (p *parser) times(a *alternative, n *yaml.Node, top map[string]*yaml.Node, c *column) {
	given, zone := top["time"], top["zone"]
	switch {
	case given == nil && c.name != "time" && zone == nil:
		return
	case given == nil && c.name != "time":
		p.fail(zone, "%s: zone belongs to a time", c.name)
	case given == nil:
		a.times = anyTime
	default:
		for _, x := range p.list(given) {
			f, err := newTimeFormat(p.scalar(x, "time"))
			if err != nil {
				p.fail(x, "%v", err)
			}
			a.times = append(a.times, f)
		}
	}
	a.zone = time.UTC
	if zone != nil {
		loc, err := time.LoadLocation(p.scalar(zone, "zone"))
		if err != nil || loc == time.Local {
			p.fail(zone, "zone: %q is no time zone such as Asia/Tokyo", zone.Value)
		}
		a.zone = loc
	}
}
