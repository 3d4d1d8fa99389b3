package dashboard

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/query"
)

// maxFile is how many bytes a file has at most.
const maxFile = 1 << 20

// LoadQueries reads all queries in a folder; shown is how messages name it. What is
// refused is left out, each with its error.
func LoadQueries(fsys fs.FS, shown string) ([]*Query, []*Error) {
	return load(fsys, shown, ParseQuery)
}

// LoadDashboards reads all dashboards in a folder, as LoadQueries does queries.
func LoadDashboards(fsys fs.FS, shown string) ([]*Dashboard, []*Error) {
	return load(fsys, shown, ParseDashboard)
}

func load[T any](fsys fs.FS, shown string, parse func(name string, text []byte) (*T, *Error)) (all []*T, refused []*Error) {
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if ext := path.Ext(name); err != nil || d.IsDir() || ext != ".yml" && ext != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		x, wrong := parse(path.Join(shown, name), text)
		if wrong != nil {
			refused = append(refused, wrong)
			return nil
		}
		all = append(all, x)
		return nil
	})
	if err != nil {
		refused = append(refused, &Error{shown, 1, err.Error()})
	}
	return all, refused
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// strictly decodes a file of one document without unknown keys.
func strictly(name string, text []byte, into any) (lines, *Error) {
	if len(text) > maxFile {
		return lines{}, &Error{name, 1, fmt.Sprintf("the file is %d bytes long; the limit is %d", len(text), maxFile)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	err := dec.Decode(into)
	if err == nil {
		if more := dec.Decode(new(yaml.Node)); !errors.Is(more, io.EOF) {
			err = fmt.Errorf("a second document: a file holds one")
		}
	}
	var root yaml.Node
	if err == nil {
		err = yaml.Unmarshal(text, &root)
	}
	if err == nil {
		return lines{&root}, nil
	}
	e := &Error{name, 1, strings.TrimPrefix(err.Error(), "yaml: ")}
	if errors.Is(err, io.EOF) {
		e.Reason = "the file is empty"
	}
	if many := (*yaml.TypeError)(nil); errors.As(err, &many) && len(many.Errors) > 0 {
		e.Reason = many.Errors[0]
	}
	if m := yamlLine.FindStringSubmatchIndex(e.Reason); m != nil {
		e.Line, _ = strconv.Atoi(e.Reason[m[2]:m[3]]) // digits, as the pattern says
		e.Reason = e.Reason[:m[0]] + e.Reason[m[1]:]
	}
	return lines{}, e
}

// lines tells where in a file something stands.
type lines struct{ root *yaml.Node }

// at is the line of what lies at the path of keys and places in lists, or of the
// last part of it that is there.
func (l lines) at(path ...any) int {
	n := l.root
	if n == nil || len(n.Content) == 0 {
		return 1
	}
	n = n.Content[0]
	line := max(n.Line, 1)
	for _, step := range path {
		next := child(n, step)
		if next == nil {
			break
		}
		n, line = next, next.Line
	}
	return line
}

func child(n *yaml.Node, step any) *yaml.Node {
	if i, ok := step.(int); ok {
		if n.Kind == yaml.SequenceNode && i < len(n.Content) {
			return n.Content[i]
		}
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1]
		}
	}
	return nil
}

// checker finds the first thing wrong with a file.
type checker struct {
	file string
	at   lines
	err  *Error
}

// hold notes what is wrong at a path unless ok.
func (c *checker) hold(ok bool, path []any, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = &Error{c.file, c.at.at(path...), fmt.Sprintf(format, args...)}
	}
}

func at(path ...any) []any { return path }

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (c *checker) head(id string, version int, title Text) {
	c.hold(idPattern.MatchString(id), at("id"), "id: lower case letters, digits and hyphens are needed, at most 63")
	c.hold(version > 0, at("version"), "version: a number from 1 on is needed; a change of what is answered is a new one")
	c.both(title, "title")
}

// both holds that a text is there in both languages.
func (c *checker) both(t Text, path ...any) {
	c.hold(t.En != "" && t.Ja != "", path, "%v: en and ja are needed", path[len(path)-1])
}

// ParseQuery reads one query; name is for messages. The error is the first thing wrong.
func ParseQuery(name string, text []byte) (*Query, *Error) {
	q := &Query{File: name}
	at1, err := strictly(name, text, q)
	if err != nil {
		return nil, err
	}
	q.lines = at1
	c := &checker{file: name, at: at1}
	c.head(q.ID, q.Version, q.Title)
	c.hold((q.Description.En == "") == (q.Description.Ja == ""), at("description"), "description: en and ja are needed, or neither")
	c.parameters(q.Parameters)
	if q.SQL != "" {
		c.statement(q)
	} else {
		c.counted(q)
	}
	for i := range q.Cases {
		c.oneCase(q, i)
	}
	if c.err != nil {
		return nil, c.err
	}
	return q, nil
}

func (c *checker) parameters(ps []Parameter) {
	for i := range ps {
		p := &ps[i]
		p.Type = cmp.Or(p.Type, TypeText)
		c.hold(isName(p.Name) && p.Name != "since" && p.Name != "until", at("parameters", i, "name"), "name: lower case letters, digits and _ are needed, not since and until")
		c.hold(find(ps[:i], p.Name) == nil, at("parameters", i, "name"), "name: %s is given twice", p.Name)
		c.both(p.Title, "parameters", i, "title")
		c.hold(slices.Contains([]string{TypeText, TypePattern, TypeNumber}, p.Type), at("parameters", i, "type"), "type: text, pattern or number")
		c.hold(len(p.Choices) == 0 || p.Query == "", at("parameters", i, "query"), "query: choices are given already")
		if err := p.check(p.Default); err != nil {
			c.hold(false, at("parameters", i, "default"), "default: %v", err)
		}
	}
}

// counted checks a query that counts.
func (c *checker) counted(q *Query) {
	q.From = cmp.Or(q.From, "events")
	c.hold(q.From == "events" || q.From == "usage", at("from"), "from: events or usage")
	c.hold(q.Lookback == "", at("lookback"), "lookback: it is for sql")
	c.hold(q.Search == "", at("search"), "search: the filter itself finds what is counted; search is for sql")
	for _, p := range q.Parameters {
		c.hold(p.Type != TypeNumber, at("parameters"), "parameters: numbers are for sql")
	}
	c.log(q)
	q.filter = c.expr(q, q.Filter, "filter")
	q.share = c.expr(q, q.Share, "share")
	c.hold(q.Share == "" || q.Distinct == "", at("share"), "share: different values have no share")
	c.hold(len(q.By) <= 4, at("by"), "by: at most four columns")
	s := query.Sum{Usage: q.From == "usage", By: q.By, Distinct: q.Distinct}
	for _, where := range []query.Expr{nil, q.log, q.filter, q.share} {
		s.Where = where
		if err := s.Check(); err != nil {
			c.hold(false, at("by"), "%v", err)
		}
	}
}

// log reads which records a query rests on.
func (c *checker) log(q *Query) {
	c.both(q.Log.Name, "log", "name")
	q.log = c.expr(q, q.Log.Filter, "log", "filter")
	c.hold(checkReferences(q.log, nil) == nil, at("log", "filter"), "filter: which log it is does not hang on parameters")
	c.hold(q.log != nil, at("log"), "log: a filter of the records that the query rests on is needed")
}

// expr reads a filter over the query's table.
func (c *checker) expr(q *Query, text string, path ...any) query.Expr {
	table := query.Events()
	if q.From == "usage" {
		table = query.UsageFilter()
	}
	e, err := table.Parse(text)
	if err == nil {
		err = checkReferences(e, q.Parameters)
	}
	c.hold(err == nil, path, "%v: %v", path[len(path)-1], err)
	return e
}

// statement checks a query of SQL, as far as can be told without an engine.
func (c *checker) statement(q *Query) {
	c.hold(q.From == "" && q.Filter == "" && q.By == nil && q.Distinct == "" && q.Share == "", at("sql"), "sql: from, filter, by, distinct and share are for queries without sql")
	for _, p := range q.Parameters {
		c.hold(p.Type != TypePattern, at("parameters"), "parameters: patterns are for filters")
		c.hold(strings.Contains(q.SQL, "$"+p.Name), at("sql"), "sql: $%s is not used", p.Name)
	}
	c.log(q)
	if q.Lookback != "" {
		span, ok := spanOf(q.Lookback)
		c.hold(ok, at("lookback"), "lookback: a number of hours or days is needed: 24h, 28d")
		q.lookback = span
	}
	q.search = c.expr(q, q.Search, "search")
}

func (c *checker) oneCase(q *Query, i int) {
	one := &q.Cases[i]
	c.hold(one.Name != "", at("cases", i), "case: name is missing")
	c.hold(len(one.Events) > 0, at("cases", i), "case: events are missing")
	c.hold(one.Expect != nil, at("cases", i), "case: expect is missing ([]: nothing)")
	if _, err := settle(q.Parameters, one.With); err != nil {
		c.hold(false, at("cases", i, "with"), "with: %v", err)
	}
	for j := range one.Events {
		if _, err := CaseEvent(one.Events[j], j); err != nil {
			c.hold(false, at("cases", i, "events", j), "%v", err)
		}
	}
}

// ParseDashboard reads one dashboard; name is for messages. The error is the first
// thing wrong.
func ParseDashboard(name string, text []byte) (*Dashboard, *Error) {
	d := &Dashboard{File: name}
	where, err := strictly(name, text, d)
	if err != nil {
		return nil, err
	}
	d.lines = where
	c := &checker{file: name, at: where}
	c.head(d.ID, d.Version, d.Title)
	c.both(d.Description, "description")
	c.parameters(d.Parameters)
	span, ok := spanOf(cmp.Or(d.Span, "7d"))
	c.hold(ok, at("span"), "span: a number of hours or days is needed: 24h, 7d")
	d.span = span
	c.hold(len(d.Panels) > 0 && len(d.Panels) <= 50, at("panels"), "panels: 1 to 50 are needed")
	seen := map[string]bool{}
	for i := range d.Panels {
		p := &d.Panels[i]
		p.Show = cmp.Or(p.Show, Rows)
		c.hold(idPattern.MatchString(p.ID) && !seen[p.ID], at("panels", i, "id"), "id: one of its own is needed, of lower case letters, digits and hyphens")
		seen[p.ID] = true
		c.hold((p.Title.En == "") == (p.Title.Ja == ""), at("panels", i, "title"), "title: en and ja are needed, or neither")
		c.hold((p.Description.En == "") == (p.Description.Ja == ""), at("panels", i, "description"), "description: en and ja are needed, or neither")
		c.hold(slices.Contains(Shows, p.Show), at("panels", i, "show"), "show: one of %s", strings.Join(Shows, ", "))
		c.hold(p.Most >= 0 && p.Most <= 200, at("panels", i, "most"), "most: up to 200")
	}
	if c.err != nil {
		return nil, c.err
	}
	return d, nil
}

// spanOf reads 24h or 7d.
func spanOf(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	unit, ok := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour}[s[len(s)-1]]
	return time.Duration(n) * unit, err == nil && ok && n > 0 && n <= 10_000
}
