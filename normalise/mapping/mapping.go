// Package mapping reads formats that are described by files instead of Go: how a
// record is known, and what fills each column of its event.
//
//	title: Proxy of the branch offices
//	format: proxy.branch
//	when:
//	  - {product: branchproxy, url: present}
//	set:
//	  time: {from: when, time: iso}
//	  class: http
//	  src_ip: {from: client}
//	  url: {from: url}
//	  outcome: {from: verdict, table: {allow: success, block: denied}}
//	cases:
//	  - name: a page
//	    record: {product: branchproxy, when: "2026-11-22T09:00:00Z", client: 203.0.113.7, url: "https://example.com/", verdict: allow}
//	    expect: {time: "2026-11-22T09:00:00Z", class_uid: 4002, src_ip: 203.0.113.7, outcome: success}
//
// docs/mappings.md describes the language. A file is strict: what it does not
// know, it refuses, with line and column.
package mapping

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
)

// A Mapping is one file.
type Mapping struct {
	File      string
	Title     string
	Format    string
	InsteadOf []string // formats whose records it may take
	Cases     []Case

	lines    []*line // nil: of records that are JSON by themselves
	when     []clause
	identity []fieldPath
	place    bool // a record's identity is its place
	set      []assignment
}

// An Error is what is wrong with a file, and where.
type Error struct {
	File      string
	Line, Col int
	Reason    string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Reason) }

// clause is true of a record of which all conditions are.
type clause []condition

type condition struct {
	path   fieldPath
	oneOf  []string
	match  *regexp.Regexp
	absent bool
}

// An assignment fills a column.
type assignment struct {
	column *column
	value  value
}

// value is what fills a column: the first of its alternatives that is not empty.
type value []alternative

// alternative is one way to a value.
type alternative struct {
	constant string
	isConst  bool
	from     []fieldPath
	text     *template
	when     clause
	match    *regexp.Regexp
	table    map[string]string
	fold     bool // the table's keys are in lower case
	other    string
	hasOther bool
	lower    bool
	times    []timeFormat
	zone     *time.Location
}

// template is a text with values in it.
type template struct {
	fixed []string // around the values: one more than there are
	paths []fieldPath
}

// fieldPath leads to a value of a record: a key with dots in it before one level a dot.
type fieldPath struct {
	text string
	deep bool // there are dots in it
}

func newPath(s string) fieldPath { return fieldPath{s, strings.Contains(s, ".")} }

// opened is a record that a mapping knows: what paths are looked up in.
type opened struct {
	root   jsontree.Value
	names  []string // of a line: what its pattern found
	values []string
}

// get is the text of a value: of a list that of its first member, of true and
// false these words; empty where there is none.
func (r *opened) get(p fieldPath) string {
	if r.names != nil {
		if i := slices.Index(r.names, p.text); i >= 0 {
			return r.values[i]
		}
		return ""
	}
	v := r.find(p)
	if v.Kind() == jsontree.Array {
		v = v.First()
	}
	switch v.Kind() {
	case jsontree.True:
		return "true"
	case jsontree.False:
		return "false"
	}
	return v.Text()
}

// has tells whether the value is there, be it null or empty; of a line: not empty.
func (r *opened) has(p fieldPath) bool {
	if r.names != nil {
		return r.get(p) != ""
	}
	return r.find(p).Exists()
}

func (r *opened) find(p fieldPath) jsontree.Value {
	v := r.root.Get(p.text)
	if v.Exists() || !p.deep {
		return v
	}
	return within(r.root, p.text)
}

// within looks below v, level by level, where keys with dots are tried too.
func within(v jsontree.Value, text string) jsontree.Value {
	for i := range len(text) {
		if text[i] != '.' {
			continue
		}
		below := v.Get(text[:i])
		if below.Kind() != jsontree.Object {
			continue
		}
		found := below.Get(text[i+1:])
		if !found.Exists() {
			found = within(below, text[i+1:])
		}
		if found.Exists() {
			return found
		}
	}
	return jsontree.Value{}
}

func (c clause) holds(r *opened) bool {
	for _, x := range c {
		if !x.holds(r) {
			return false
		}
	}
	return true
}

func (c condition) holds(r *opened) bool {
	switch {
	case c.absent:
		return !r.has(c.path)
	case c.match != nil:
		return r.has(c.path) && c.match.MatchString(r.get(c.path))
	case c.oneOf != nil:
		return r.has(c.path) && slices.Contains(c.oneOf, r.get(c.path))
	}
	return r.has(c.path)
}

// open makes the record that the mapping reads of a JSON object; false: it is
// none of its.
func (m *Mapping) open(root jsontree.Value) (opened, bool) {
	if root.Kind() != jsontree.Object {
		return opened{}, false
	}
	r := opened{root: root}
	if m.lines != nil {
		text := root.Get(normalise.LineKey)
		if text.Kind() != jsontree.String || root.First().Next().Exists() {
			return opened{}, false
		}
		for _, l := range m.lines {
			if values := l.read(text.String()); values != nil {
				r.names, r.values = l.names, values
				return r, m.known(&r)
			}
		}
		return opened{}, false
	}
	return r, m.known(&r)
}

func (m *Mapping) known(r *opened) bool {
	return m.when == nil || slices.ContainsFunc(m.when, func(c clause) bool { return c.holds(r) })
}

// of is the value for a record.
func (v value) of(r *opened, received time.Time) (string, error) {
	for i := range v {
		s, err := v[i].of(r, received)
		if err != nil || s != "" {
			return s, err
		}
	}
	return "", nil
}

func (a *alternative) of(r *opened, received time.Time) (string, error) {
	if a.when != nil && !a.when.holds(r) {
		return "", nil
	}
	if a.isConst {
		return a.constant, nil
	}
	s := a.given(r)
	if s == "" {
		return "", nil
	}
	if a.match != nil {
		if s = firstGroup(a.match, s); s == "" {
			return "", nil
		}
	}
	if a.table != nil {
		s = a.lookUp(s)
	}
	if a.lower {
		s = strings.ToLower(s)
	}
	if a.times != nil {
		t, ok := a.time(s, received)
		if !ok {
			return "", fmt.Errorf("%s is %.64q, not a time of the form that was said", a.source(), s)
		}
		return t.Format(time.RFC3339Nano), nil
	}
	return s, nil
}

// given is the text that the record has for it.
func (a *alternative) given(r *opened) string {
	if a.text != nil {
		return a.text.of(r)
	}
	for _, p := range a.from {
		if s := r.get(p); s != "" {
			return s
		}
	}
	return ""
}

func (a *alternative) lookUp(s string) string {
	key := s
	if a.fold {
		key = strings.ToLower(s)
	}
	if found, ok := a.table[key]; ok {
		return found
	}
	if a.hasOther {
		return a.other
	}
	return ""
}

// source names for a person where the value comes from.
func (a *alternative) source() string {
	var names []string
	for _, p := range a.from {
		names = append(names, p.text)
	}
	if a.text != nil {
		for _, p := range a.text.paths {
			names = append(names, p.text)
		}
	}
	return strings.Join(names, ", ")
}

// firstGroup is what the first group matched, or all where there is none.
func firstGroup(re *regexp.Regexp, s string) string {
	m := re.FindStringSubmatch(s)
	switch {
	case m == nil:
		return ""
	case len(m) == 1:
		return m[0]
	}
	return cmp.Or(m[1:]...)
}

// of fills the template; empty where one of its values is.
func (t *template) of(r *opened) string {
	var b strings.Builder
	for i, p := range t.paths {
		s := r.get(p)
		if s == "" {
			return ""
		}
		b.WriteString(t.fixed[i])
		b.WriteString(s)
	}
	b.WriteString(t.fixed[len(t.paths)])
	return b.String()
}

var _ normalise.Normaliser = (*Format)(nil)

// A Format reads the records of one format by the mappings of it.
type Format struct {
	name     string
	mappings *group
}

// Format is its name.
func (f *Format) Format() string { return f.name }

// Append appends the event of r; see normalise.Normaliser.
func (f *Format) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	e, err := f.read(r)
	if err != nil {
		return dst, err
	}
	return append(dst, e), nil
}
