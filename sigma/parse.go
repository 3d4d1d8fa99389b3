package sigma

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Documents is what was read.
type Documents struct {
	Rules        []*Rule
	Filters      []*Filter
	Correlations []*Correlation
}

// Add appends what other holds.
func (d *Documents) Add(other Documents) {
	d.Rules = append(d.Rules, other.Rules...)
	d.Filters = append(d.Filters, other.Filters...)
	d.Correlations = append(d.Correlations, other.Correlations...)
}

// MaxFile is the size in bytes above which a file is refused unread: the
// largest rules in use have some tens of kilobytes.
const MaxFile = 4 << 20

// MaxDocuments is how many documents of a file are read: SigmaHQ's rules, all in
// one file, are a third of it. MaxErrors is how many mistakes of a file are told.
const (
	MaxDocuments = 10_000
	MaxErrors    = 1_000
)

// Parse reads all documents of a file. A document with mistakes is left out and
// all its mistakes are told; the others are read nevertheless.
func Parse(file string, text []byte) (Documents, []*Error) {
	var out Documents
	var refused []*Error
	if len(text) > MaxFile {
		return out, []*Error{{File: file, Pos: Pos{1, 1}, Reason: fmt.Sprintf("file has %d bytes, more than the %d that a rule file may have", len(text), MaxFile)}}
	}
	for n, doc := range split(withLines(text)) {
		if n == MaxDocuments {
			refused = append(refused, &Error{File: file, Pos: Pos{doc.line, 1}, Reason: fmt.Sprintf("file has more than %d documents: what stands from here on is not read", MaxDocuments)})
			break
		}
		p := &parser{file: file, skip: doc.line - 1, nodes: maxNodes}
		p.document(doc.text, &out)
		for _, e := range p.errs {
			switch {
			case len(refused) == MaxErrors:
				e = &Error{File: file, Pos: e.Pos, Reason: fmt.Sprintf("file has more than %d mistakes: those from here on are not told", MaxErrors)}
				fallthrough
			case len(refused) < MaxErrors:
				refused = append(refused, e)
			}
		}
	}
	return out, refused
}

// withLines is text in which a carriage return alone, which ends a line to YAML,
// is a line feed: else documents behind it would not be seen.
func withLines(text []byte) []byte {
	if !bytes.Contains(text, []byte("\r")) {
		return text
	}
	text = bytes.Clone(text)
	for i, c := range text {
		if c == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			text[i] = '\n'
		}
	}
	return text
}

// document is one YAML document of a file and the line it begins at.
type document struct {
	text []byte
	line int
}

// split cuts a file at its document markers, so that a document which is no
// YAML does not take those behind it along. YAML allows a marker at the start of
// a line nowhere inside a document.
func split(text []byte) []document {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	var docs []document
	start, startLine, line := 0, 1, 1
	add := func(end int) {
		if !blank(text[start:end]) {
			docs = append(docs, document{text[start:end], startLine})
		}
	}
	for i := 0; i < len(text); line++ {
		next := len(text)
		if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
			next = i + n + 1
		}
		if marker(text[i:next]) {
			add(i)
			// What follows "--- " on the line belongs to the document; blanking
			// the marker keeps its columns.
			start, startLine = next, line+1
			if rest := text[i+3 : next]; len(bytes.TrimSpace(rest)) > 0 && rest[0] != '#' && !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("#")) {
				start, startLine = i, line
			}
		}
		i = next
	}
	add(len(text))
	return docs
}

// blank tells whether text holds nothing but comments and, as before a marker,
// directives such as %YAML.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

func marker(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("---")) && !bytes.HasPrefix(line, []byte("...")) {
		return false
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r' || line[3] == '\n'
}

// maxNodes bounds how many YAML nodes of a document are visited, aliases
// counted each time: a few lines of aliases can stand for billions.
const maxNodes = 200_000

type parser struct {
	file  string
	skip  int // lines of the file before the document
	rule  string
	nodes int
	errs  []*Error
}

// maxErrors is how many mistakes of one document are told.
const maxErrors = 50

func (p *parser) fail(pos Pos, format string, args ...any) {
	e := Error{File: p.file, Pos: pos, Rule: p.rule, Reason: fmt.Sprintf(format, args...)}
	if len(p.errs) >= maxErrors {
		return
	}
	// The outermost mapping is gone through twice: for the kind of document, and
	// for what it says.
	if !slices.ContainsFunc(p.errs, func(x *Error) bool { return x.Pos == e.Pos && x.Reason == e.Reason }) {
		p.errs = append(p.errs, &e)
	}
}

func (p *parser) pos(n *yaml.Node) Pos { return Pos{max(n.Line, 1) + p.skip, max(n.Column, 1)} }

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

func (p *parser) document(text []byte, out *Documents) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		line, reason := 1, err.Error()
		if m := yamlLine.FindStringSubmatch(reason); m != nil {
			reason = m[2]
			if m[1] != "" {
				line, _ = strconv.Atoi(m[1])
			}
		}
		p.fail(Pos{line + p.skip, 1}, "not valid YAML: %s", reason)
		return
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) == 0 {
		return // comments only
	}
	top := p.deref(root.Content[0])
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return
	}
	fields, ok := p.mapping(top, "the document")
	if !ok {
		return
	}
	p.name(fields)
	switch {
	case fields["correlation"].value != nil:
		if c := p.correlationDocument(top, fields); len(p.errs) == 0 {
			out.Correlations = append(out.Correlations, c)
		}
	case fields["action"].value != nil:
		p.fail(fields["action"].pos, `"action" documents belong to the old rule format: write every rule as a document of its own`)
	case fields["filter"].value != nil:
		if f := p.filter(top, fields); len(p.errs) == 0 {
			out.Filters = append(out.Filters, f)
		}
	default:
		if r := p.ruleDocument(top, fields); len(p.errs) == 0 {
			out.Rules = append(out.Rules, r)
		}
	}
}

// name finds how messages are to call the rule.
func (p *parser) name(fields map[string]field) {
	for _, key := range []string{"id", "name", "title"} {
		if v := fields[key].value; v != nil && v.Kind == yaml.ScalarNode && v.Value != "" {
			p.rule = v.Value
			return
		}
	}
}

// field is an entry of a mapping.
type field struct {
	value *yaml.Node
	pos   Pos // of the key
}

// deref follows aliases. Budget is counted here because every node that is
// looked at passes.
func (p *parser) deref(n *yaml.Node) *yaml.Node {
	if p.nodes--; p.nodes == 0 {
		p.fail(p.pos(n), "document has more than %d values, aliases counted each time", maxNodes)
	}
	for i := 0; n.Kind == yaml.AliasNode && n.Alias != nil && i < 16; i++ {
		n = n.Alias
	}
	if n.Kind != yaml.AliasNode && !slices.Contains(tags, n.ShortTag()) {
		p.fail(p.pos(n), "YAML tag %s means nothing in a rule", n.ShortTag())
	}
	return n
}

// tags are those that YAML's own values have, written or not.
var tags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge"}

// entries gives the entries of a list, as far as the budget goes.
func (p *parser) entries(n *yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for _, x := range n.Content {
		if p.nodes <= 0 {
			break
		}
		out = append(out, p.deref(x))
	}
	return out
}

// mapping gives the entries of n by key.
func (p *parser) mapping(n *yaml.Node, what string) (map[string]field, bool) {
	out := map[string]field{}
	ok := p.each(n, what, func(key string, pos Pos, value *yaml.Node) { out[key] = field{value, pos} })
	return out, ok
}

// each calls f for every entry of the mapping n in order.
func (p *parser) each(n *yaml.Node, what string, f func(key string, pos Pos, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		p.fail(p.pos(n), "%s is %s: expected a mapping of keys to values", what, describe(n))
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if p.nodes <= 0 {
			return false
		}
		k := p.deref(n.Content[i])
		switch {
		case k.Kind != yaml.ScalarNode:
			p.fail(p.pos(k), "key in %s is %s: expected text", what, describe(k))
		case k.Tag == "!!merge":
			p.fail(p.pos(k), "YAML merge keys (<<) are not part of Sigma")
		case seen[k.Value]:
			p.fail(p.pos(k), "key %q occurs twice in %s", k.Value, what)
		default:
			seen[k.Value] = true
			f(k.Value, p.pos(n.Content[i]), p.deref(n.Content[i+1]))
		}
	}
	return true
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias that refers to itself"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return fmt.Sprintf("%q", n.Value)
}

func (p *parser) ruleDocument(top *yaml.Node, fields map[string]field) *Rule {
	r := &Rule{}
	p.meta(&r.Meta, top, func(key string, pos Pos, v *yaml.Node) bool {
		switch key {
		case "logsource":
			r.LogSource = p.logSource(v)
		case "detection":
			r.Detection = p.detection(v, pos, nil)
		default:
			return false
		}
		return true
	})
	p.required(r.Pos, fields, "title", "logsource", "detection")
	if at, ok := r.Places["logsource"]; ok && r.LogSource.String() == "" {
		p.fail(at, "logsource names no category, product or service")
	}
	return r
}

// meta reads what every kind of rule says of itself. Keys that own takes are
// the kind's.
func (p *parser) meta(m *Meta, top *yaml.Node, own func(string, Pos, *yaml.Node) bool) {
	m.File, m.Pos, m.Places = p.file, p.pos(top), map[string]Pos{}
	p.each(top, "the document", func(key string, pos Pos, v *yaml.Node) {
		m.Places[key] = pos
		if text := metaText(m, key); text != nil {
			*text = p.text(v, key)
			return
		}
		if list := metaList(m, key); list != nil {
			*list = p.list(v, key)
			return
		}
		switch {
		case key == "related":
			m.Related = p.related(v)
		case own(key, pos, v):
		default:
			var value any
			if err := v.Decode(&value); err != nil {
				p.fail(p.pos(v), "%s: %v", key, err)
				return
			}
			if m.Extra == nil {
				m.Extra = map[string]any{}
			}
			m.Extra[key] = value
		}
	})
}

func (p *parser) required(pos Pos, fields map[string]field, keys ...string) {
	for _, key := range keys {
		if fields[key].value == nil {
			p.fail(pos, "%s is missing", key)
		}
	}
}

// metaText is where a top-level key with a text goes, or nil.
func metaText(m *Meta, key string) *string {
	switch key {
	case "id":
		return &m.ID
	case "name":
		return &m.Name
	case "title":
		return &m.Title
	case "taxonomy":
		return &m.Taxonomy
	case "status":
		return &m.Status
	case "description":
		return &m.Description
	case "license":
		return &m.License
	case "author":
		return &m.Author
	case "date":
		return &m.Date
	case "modified":
		return &m.Modified
	case "level":
		return &m.Level
	}
	return nil
}

// metaList is where a top-level key with a list of texts goes, or nil.
func metaList(m *Meta, key string) *[]string {
	switch key {
	case "references":
		return &m.References
	case "tags":
		return &m.Tags
	case "falsepositives":
		return &m.FalsePositives
	case "fields":
		return &m.Fields
	case "scope":
		return &m.Scope
	}
	return nil
}

func (p *parser) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode {
		p.fail(p.pos(n), "%s is %s: expected text", what, describe(n))
		return ""
	}
	if n.Tag == "!!null" {
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// list reads a list of texts; a single text is a list of one, as many old rules
// write it.
func (p *parser) list(n *yaml.Node, what string) []string {
	if n.Kind == yaml.ScalarNode {
		if n.Tag == "!!null" {
			return nil
		}
		return []string{strings.TrimSpace(n.Value)}
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(p.pos(n), "%s is %s: expected a list of texts", what, describe(n))
		return nil
	}
	var out []string
	for _, x := range p.entries(n) {
		out = append(out, p.text(x, "an entry of "+what))
	}
	return out
}

func (p *parser) related(n *yaml.Node) []Related {
	if n.Kind != yaml.SequenceNode {
		p.fail(p.pos(n), "related is %s: expected a list", describe(n))
		return nil
	}
	var out []Related
	for _, x := range p.entries(n) {
		r := Related{Pos: p.pos(x)}
		p.each(x, "an entry of related", func(key string, _ Pos, v *yaml.Node) {
			switch key {
			case "id":
				r.ID = p.text(v, key)
			case "type":
				r.Type = p.text(v, key)
			}
		})
		out = append(out, r)
	}
	return out
}

func (p *parser) logSource(n *yaml.Node) LogSource {
	var l LogSource
	p.each(n, "logsource", func(key string, _ Pos, v *yaml.Node) {
		switch key {
		case "category":
			l.Category = p.text(v, key)
		case "product":
			l.Product = p.text(v, key)
		case "service":
			l.Service = p.text(v, key)
		case "definition":
			l.Definition = p.text(v, key)
		}
	})
	return l
}

func (p *parser) filter(top *yaml.Node, fields map[string]field) *Filter {
	f := &Filter{File: p.file, Pos: p.pos(top), Extra: map[string]any{}, Places: map[string]Pos{}}
	p.required(f.Pos, fields, "title", "logsource")
	for key, v := range fields {
		f.Places[key] = v.pos
		switch key {
		case "id":
			f.ID = p.text(v.value, key)
		case "title":
			f.Title = p.text(v.value, key)
		case "logsource":
			f.LogSource = p.logSource(v.value)
		case "filter":
		default:
			var value any
			if err := v.value.Decode(&value); err != nil {
				p.fail(p.pos(v.value), "%s: %v", key, err)
				continue
			}
			f.Extra[key] = value
		}
	}
	body := fields["filter"]
	rules := false
	f.Detection = p.detection(body.value, body.pos, func(key string, v *yaml.Node) bool {
		if key != "rules" {
			return false
		}
		rules = true
		if v.Kind == yaml.ScalarNode && strings.EqualFold(v.Value, "any") {
			f.Any = true
		} else {
			f.Rules = p.list(v, key)
		}
		return true
	})
	if !rules {
		p.fail(body.pos, `filter names no rules: expected "rules" with ids, names or any`)
	}
	return f
}
