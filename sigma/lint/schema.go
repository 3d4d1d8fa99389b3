package lint

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
)

// form is what the specification (2.1.0) asks of a value: of which kind it is,
// and how long.
type form struct {
	kind     formKind
	min, max int            // letters of a text; 0: any
	pattern  *regexp.Regexp // of a text
	called   string         // what pattern asks for
	unique   bool           // entries of a list
	of       *form          // entries of a list, values of an object that keys does not name
	keys     map[string]*form
	required []string
}

type formKind uint8

const (
	anything  formKind = iota
	text               // also dates, which YAML knows
	textOrSet          // a text, or a list of texts
	number
	boolean
	list
	object
	search // of a detection: a list or a mapping
)

func long(most int) *form { return &form{kind: text, max: most} }
func texts(least int) *form {
	return &form{kind: list, unique: true, of: &form{kind: text, min: least}}
}
func either(a map[string]*form, b map[string]*form) map[string]*form {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

var (
	day  = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
	span = regexp.MustCompile(`^[0-9]+[a-zA-Z]$`)
)

// Lengths in letters.
const (
	maxName        = 256
	maxDescription = 65_535
	maxSpan        = 10
)

// described is what documents of every kind may say of themselves. Whether ids,
// levels and the like are one of those allowed is checked of the rule that was
// read; filters, which have few of them, are checked here.
var described = map[string]*form{
	"title": long(0), "id": long(0), "description": long(maxDescription), "taxonomy": long(maxName),
	"date": long(0), "modified": long(0),
}

var judged = either(described, map[string]*form{
	"name": long(maxName), "status": long(0), "author": long(0), "license": long(0), "references": texts(0), "level": long(0),
	"tags": texts(0), "related": {kind: list, of: &form{kind: object, keys: map[string]*form{"id": long(0), "type": long(0)}, required: []string{"id", "type"}}},
})

var logSource = &form{kind: object, keys: map[string]*form{
	"category": long(0), "product": long(0), "service": long(0), "definition": long(0)}}

// documents are the kinds there are, by the key that tells them.
var documents = map[string]*form{
	"detection": {kind: object, keys: either(judged, map[string]*form{
		"logsource": logSource, "fields": texts(0), "falsepositives": texts(2), "scope": texts(2),
		"detection": {kind: object, of: &form{kind: search}, keys: map[string]*form{"condition": {kind: textOrSet}}, required: []string{"condition"}},
	}), required: []string{"title", "logsource", "detection"}},
	"correlation": {kind: object, keys: either(judged, map[string]*form{
		"falsepositives": {kind: textOrSet, min: 2, unique: true}, "generate": {kind: boolean},
		"correlation": {kind: object, required: []string{"type", "rules", "timespan"}, keys: map[string]*form{
			"type": long(0), "rules": {kind: list, unique: true, of: &form{kind: text, min: 2}},
			"aliases":  {kind: object, of: &form{kind: object, of: &form{kind: text}}},
			"group-by": texts(0), "timespan": {kind: text, max: maxSpan, pattern: span, called: "a number and a letter"},
			"condition": {kind: anything}, "generate": {kind: boolean},
		}},
	}), required: []string{"title", "correlation"}},
	"filter": {kind: object, keys: either(described, map[string]*form{
		"id":       {kind: text, pattern: uuid, called: "a UUID"},
		"title":    long(maxTitle),
		"date":     {kind: text, pattern: day, called: "written as YYYY-MM-DD"},
		"modified": {kind: text, pattern: day, called: "written as YYYY-MM-DD"},
		// Not in the specification's list, but said of filters everywhere.
		"author": long(0), "references": texts(0), "status": long(0), "level": long(0), "tags": texts(0), "falsepositives": {kind: textOrSet, min: 2, unique: true}, "name": long(maxName), "related": {kind: list}, "license": long(0),
		"logsource": logSource,
		"filter":    {kind: object, of: &form{kind: search}, keys: map[string]*form{"rules": {kind: textOrSet, unique: true}, "condition": {kind: textOrSet}}, required: []string{"rules", "condition"}},
	}), required: []string{"title", "logsource", "filter"}},
}

// Schema holds the documents of a file against the forms of the specification:
// which keys there are, and what their values have to be. A file that is no YAML
// has no problem here: it is refused. Of a file with very many documents or
// problems the first are looked at and told, as in sigma.Parse.
func Schema(file string, text []byte) []Problem {
	s := schema{file: file}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		var doc yaml.Node
		if n == sigma.MaxDocuments || len(s.found) > sigma.MaxErrors {
			return s.found[:min(len(s.found), sigma.MaxErrors)]
		}
		if err := dec.Decode(&doc); err != nil || s.nodes > maxNodes {
			return s.found // the end, or what is refused anyway
		}
		if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
			continue
		}
		top := doc.Content[0]
		s.rule = ""
		for _, key := range []string{"title", "name", "id"} {
			if v := at(top, key); v != nil && v.Kind == yaml.ScalarNode && v.Value != "" {
				s.rule = v.Value
			}
		}
		kind := "detection"
		for _, key := range []string{"correlation", "filter"} {
			if at(top, key) != nil {
				kind = key
			}
		}
		s.check(top, "", documents[kind])
		s.strange(top, documents[kind].keys)
	}
}

// at is the value of a key of a mapping, or nil.
func at(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// maxNodes bounds what aliases can make of a few lines.
const maxNodes = 200_000

type schema struct {
	file, rule string
	nodes      int
	found      []Problem
}

func (s *schema) say(n *yaml.Node, format string, args ...any) {
	s.found = append(s.found, Problem{
		File: s.file, Line: max(n.Line, 1), Col: max(n.Column, 1), Rule: s.rule,
		Severity: Error, Check: "schema", Reason: fmt.Sprintf(format, args...),
	})
}

// check holds n, called what, against f.
func (s *schema) check(n *yaml.Node, what string, f *form) {
	for i := 0; n.Kind == yaml.AliasNode && i < 16; i++ {
		n = n.Alias
	}
	if s.nodes++; s.nodes > maxNodes || f.kind == anything || n.Kind == yaml.ScalarNode && n.Tag == "!!null" && what != "" {
		return // what is left empty is as if it were not there; where it is needed, the rule is refused
	}
	if !fits(n, f.kind) {
		s.say(n, "%s is %s, not %s", what, kindOf(n), wanted[f.kind])
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		s.text(n, what, f)
	case yaml.SequenceNode:
		s.list(n, what, f)
	case yaml.MappingNode:
		s.object(n, what, f)
	}
}

func (s *schema) text(n *yaml.Node, what string, f *form) {
	letters := utf8.RuneCountInString(n.Value)
	switch {
	case f.min > 0 && letters < f.min:
		s.say(n, "%s %q has fewer than %d characters", what, n.Value, f.min)
	case f.max > 0 && letters > f.max:
		s.say(n, "%s has more than %d characters", what, f.max)
	case f.pattern != nil && !f.pattern.MatchString(n.Value):
		s.say(n, "%s %q is not %s", what, n.Value, f.called)
	}
}

func (s *schema) list(n *yaml.Node, what string, f *form) {
	seen := map[string]bool{}
	of := f.of
	if f.kind == textOrSet {
		of = &form{kind: text, min: f.min}
	}
	for _, x := range n.Content {
		if f.unique && x.Kind == yaml.ScalarNode {
			if seen[x.Value] {
				s.say(x, "%s: %q is given twice", what, x.Value)
			}
			seen[x.Value] = true
		}
		if of != nil {
			s.check(x, "an entry of "+what, of)
		}
	}
}

func (s *schema) object(n *yaml.Node, what string, f *form) {
	inside := func(key string) string {
		if what == "" {
			return key
		}
		return what + "." + key
	}
	for _, key := range f.required {
		if v := at(n, key); v == nil {
			s.say(n, "%s is missing", inside(key))
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if of, known := f.keys[key]; known {
			s.check(n.Content[i+1], inside(key), of)
		} else if f.of != nil {
			s.check(n.Content[i+1], inside(key), f.of)
		} else if what != "" && f.keys != nil && what != "related" && !strings.HasPrefix(what, "an entry") {
			s.say(n.Content[i], "%s is no key of %s: they are %s", key, what, strings.Join(slices.Sorted(maps.Keys(f.keys)), ", "))
		}
	}
}

// strange finds top-level keys that are nearly one of the specification's. Others
// are anybody's own, which the specification allows.
func (s *schema) strange(n *yaml.Node, keys map[string]*form) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, known := keys[key.Value]; known {
			continue
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			if loose(k) == loose(key.Value) || oneOff(k, key.Value) {
				s.say(key, "key %q is not known: %s is", key.Value, k)
				s.found[len(s.found)-1].Severity = Warning
				break
			}
		}
	}
}

func loose(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// oneOff tells whether a and b differ by one letter that is missing or another.
func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 4 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return a[min(i+1, len(a)):] == b[min(i+1, len(b)):]
	}
	return a[i:] == b[i+1:]
}

var wanted = map[formKind]string{
	text: "text", textOrSet: "text or a list of texts", number: "a number", boolean: "true or false",
	list: "a list", object: "a mapping of keys to values", search: "a list or a mapping",
}

func fits(n *yaml.Node, k formKind) bool {
	switch k {
	case text:
		return n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Tag == "!!timestamp")
	case textOrSet:
		return n.Kind == yaml.SequenceNode || fits(n, text)
	case number:
		return n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float")
	case boolean:
		return n.Kind == yaml.ScalarNode && n.Tag == "!!bool"
	case list:
		return n.Kind == yaml.SequenceNode
	case object:
		return n.Kind == yaml.MappingNode
	case search: // a keyword alone is an old habit that everything reads
		return true
	}
	return true
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return n.Value + " (quote it, if it is text)"
	case "!!null":
		return "empty"
	}
	return "text"
}
