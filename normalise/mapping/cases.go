package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/query"
)

// A Case is a record and what is to become of it.
type Case struct {
	Name      string
	Line, Col int
	Record    []byte            // JSON
	Received  time.Time         // zero: a day of the year 2026
	Expect    map[string]string // columns, as text
	Fault     string            // a part of the reason for which it is refused
	Not       bool              // it is no record of this mapping's
}

// caseReceived is when the record of a case arrived unless it says otherwise.
var caseReceived = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (p *parser) cases(n *yaml.Node, m *Mapping) []Case {
	var out []Case
	if n = p.follow(n); n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fail(n, "cases: a list of records with what is expected of them is needed")
	}
	positive := false
	for _, one := range n.Content {
		c := p.oneCase(one, m)
		positive = positive || c.Expect != nil
		out = append(out, c)
	}
	if !positive {
		p.fail(n, "cases: none has expect: what becomes of a record nobody could say")
	}
	return out
}

func (p *parser) oneCase(n *yaml.Node, m *Mapping) Case {
	top := p.members(n, "case", "name", "record", "line", "received", "expect", "fault", "not")
	c := Case{Line: p.follow(n).Line, Col: p.follow(n).Column}
	if top["name"] == nil {
		p.fail(n, "case: name is missing")
	}
	c.Name = p.scalar(top["name"], "name")
	switch record, line := top["record"], top["line"]; {
	case (record == nil) == (line == nil):
		p.fail(n, "case: one of record and line is needed")
	case line != nil:
		c.Record, _ = json.Marshal(map[string]string{normalise.LineKey: p.scalar(line, "line")}) // a string always can be
	default:
		c.Record = p.json(record)
	}
	if x := top["received"]; x != nil {
		t, err := time.Parse(time.RFC3339, p.scalar(x, "received"))
		if err != nil {
			p.fail(x, "received: a time such as 2026-11-22T09:00:00Z is needed")
		}
		c.Received = t
	}
	p.expected(&c, n, top)
	return c
}

func (p *parser) expected(c *Case, n *yaml.Node, top map[string]*yaml.Node) {
	given := 0
	if x := top["expect"]; x != nil {
		given++
		c.Expect = map[string]string{}
		p.ordered(x, "expect", func(key, value *yaml.Node) {
			if _, ok := query.Lookup(key.Value); !ok {
				p.fail(key, "expect: there is no column %q", key.Value)
			}
			v := p.follow(value)
			if v.Kind != yaml.ScalarNode {
				p.fail(v, "expect: %s: one value is needed", key.Value)
			}
			c.Expect[key.Value] = v.Value
		})
	}
	if x := top["fault"]; x != nil {
		given++
		c.Fault = p.scalar(x, "fault")
	}
	if x := top["not"]; x != nil {
		given++
		if c.Not = p.truth(x, "not"); !c.Not {
			p.fail(x, "not: only true is possible")
		}
	}
	if given != 1 {
		p.fail(n, "case %s: one of expect, fault and not is needed", c.Name)
	}
}

// json is a node as JSON text; a text is taken as JSON itself.
func (p *parser) json(n *yaml.Node) []byte {
	n = p.follow(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		if !json.Valid([]byte(n.Value)) {
			p.fail(n, "record: the text is not JSON")
		}
		return []byte(n.Value)
	}
	if n.Kind != yaml.MappingNode {
		p.fail(n, "record: keys and values are needed, or JSON as text")
	}
	var b bytes.Buffer
	p.writeJSON(&b, n)
	return b.Bytes()
}

func (p *parser) writeJSON(b *bytes.Buffer, n *yaml.Node) {
	if n = p.follow(n); b.Len() > maxFile {
		p.fail(n, "record: it is larger than %d bytes, with what its aliases stand for", maxFile)
	}
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		first := true
		p.ordered(n, "record", func(key, value *yaml.Node) {
			if !first {
				b.WriteByte(',')
			}
			first = false
			writeString(b, key.Value)
			b.WriteByte(':')
			p.writeJSON(b, value)
		})
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, x := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			p.writeJSON(b, x)
		}
		b.WriteByte(']')
	default:
		plain := n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool"
		switch {
		case n.Tag == "!!null":
			b.WriteString("null")
		case plain && json.Valid([]byte(n.Value)):
			b.WriteString(n.Value)
		default:
			writeString(b, n.Value)
		}
	}
}

func writeString(b *bytes.Buffer, s string) {
	text, _ := json.Marshal(s) // a string always can be
	b.Write(text)
}

// A Failure is a case that went otherwise.
type Failure struct {
	Mapping *Mapping `json:"-"`
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Case    string   `json:"case"`
	Why     string   `json:"why"`
}

// Test runs the cases of the mapping.
func (m *Mapping) Test() (failures []Failure) {
	for _, c := range m.Cases {
		if why := m.test(c); why != "" {
			failures = append(failures, Failure{m, m.File, c.Line, c.Name, why})
		}
	}
	return failures
}

// test says what went otherwise; empty: nothing.
func (m *Mapping) test(c Case) string {
	var tree jsontree.Tree
	root, err := tree.Parse(string(c.Record))
	if err != nil {
		return "the record is not JSON: " + err.Error()
	}
	only := newGroup([]*Mapping{m})
	found, _ := only.whose(root)
	known := found != nil
	switch {
	case c.Not && known:
		return "the record is taken for one of this format"
	case c.Not:
		return ""
	case !known:
		return "the record is not taken for one of this format"
	}
	received := c.Received
	if received.IsZero() {
		received = caseReceived
	}
	f := Format{name: m.Format, mappings: only}
	e, err := f.read(event.Raw{Object: "case", Body: c.Record, Received: received})
	switch {
	case c.Fault != "" && err == nil:
		return "the record is read, where it was to be refused"
	case c.Fault != "" && !strings.Contains(err.Error(), c.Fault):
		return fmt.Sprintf("refused because of %q, not %q", err, c.Fault)
	case c.Fault != "":
		return ""
	case err != nil:
		return "refused: " + err.Error()
	}
	return differences(c, &e)
}

// differences are the columns that hold something else than was expected.
func differences(c Case, e *event.Event) string {
	var wrong []string
	for _, name := range keys(c.Expect) {
		column, _ := query.Lookup(name) // the parser looked it up
		got := shown(column.Value(e))
		if want := c.Expect[name]; got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %q, not %q", name, got, want))
		}
	}
	return strings.Join(wrong, "; ")
}

func shown(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}
