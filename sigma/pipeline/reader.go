package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// maxNodes bounds how many YAML nodes are visited, aliases counted each time;
// maxErrors how many mistakes are told.
const (
	maxNodes  = 200_000
	maxErrors = 50
)

// reader turns YAML into what it means and notes every mistake with its place.
type reader struct {
	file   string
	files  fs.FS // for values of placeholders, or nil
	budget int
	errs   []*sigma.Error
}

func pos(n *yaml.Node) sigma.Pos { return sigma.Pos{Line: max(n.Line, 1), Col: max(n.Column, 1)} }

func (r *reader) fail(at sigma.Pos, format string, args ...any) {
	if len(r.errs) < maxErrors {
		r.errs = append(r.errs, &sigma.Error{File: r.file, Pos: at, Reason: fmt.Sprintf(format, args...)})
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// document reads the only document of a file.
func (r *reader) document(text []byte) *yaml.Node {
	if len(text) > maxFile {
		r.fail(sigma.Pos{Line: 1, Col: 1}, "file has more than 4 MiB")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var root, second yaml.Node
	err := dec.Decode(&root)
	if err == nil {
		if err = dec.Decode(&second); err == nil {
			r.fail(pos(&second), "a file holds one pipeline: begin another file")
			return nil
		}
	} else if errors.Is(err, io.EOF) {
		r.fail(sigma.Pos{Line: 1, Col: 1}, "file is empty")
		return nil
	}
	if !errors.Is(err, io.EOF) {
		line, reason := 1, err.Error()
		if m := yamlLine.FindStringSubmatch(reason); m != nil {
			reason = m[2]
			if m[1] != "" {
				line, _ = strconv.Atoi(m[1])
			}
		}
		r.fail(sigma.Pos{Line: line, Col: 1}, "not valid YAML: %s", reason)
		return nil
	}
	return r.deref(root.Content[0])
}

func (r *reader) deref(n *yaml.Node) *yaml.Node {
	if r.budget--; r.budget == 0 {
		r.fail(pos(n), "file has more than %d values, aliases counted each time", maxNodes)
	}
	for i := 0; n.Kind == yaml.AliasNode && n.Alias != nil && i < 16; i++ {
		n = n.Alias
	}
	return n
}

// entries gives the entries of a list; anything else is a mistake.
func (r *reader) entries(n *yaml.Node, what string) []*yaml.Node {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(pos(n), "%s is %s: expected a list", what, describe(n))
		return nil
	}
	var out []*yaml.Node
	for _, x := range n.Content {
		if r.budget <= 0 {
			break
		}
		out = append(out, r.deref(x))
	}
	return out
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias that refers to itself"
	case isNull(n):
		return "empty"
	}
	return fmt.Sprintf("%q", n.Value)
}

// mapping is a YAML mapping of which keys are taken one by one, so that what
// nobody takes can be refused.
type mapping struct {
	r     *reader
	what  string
	self  sigma.Pos
	keys  []string // in order; a null key is nullKey
	value map[string]*yaml.Node
	at    map[string]sigma.Pos
	taken map[string]bool
}

// nullKey stands for a key that is null: keywords in a mapping of fields.
const nullKey = "\x00null"

func (r *reader) mapping(n *yaml.Node, what string) *mapping {
	m := &mapping{r: r, what: what, self: pos(n), value: map[string]*yaml.Node{}, at: map[string]sigma.Pos{}, taken: map[string]bool{}}
	if isNull(n) {
		return m
	}
	if n.Kind != yaml.MappingNode {
		r.fail(pos(n), "%s is %s: expected a mapping of keys to values", what, describe(n))
		return m
	}
	for i := 0; i+1 < len(n.Content) && r.budget > 0; i += 2 {
		k := r.deref(n.Content[i])
		key := k.Value
		switch {
		case k.Kind != yaml.ScalarNode:
			r.fail(pos(k), "key in %s is %s: expected text", what, describe(k))
			continue
		case k.Tag == "!!merge":
			r.fail(pos(k), "YAML merge keys (<<) are not read")
			continue
		case isNull(k):
			key = nullKey
		}
		if m.value[key] != nil {
			r.fail(pos(k), "key %q occurs twice in %s", k.Value, what)
			continue
		}
		m.keys = append(m.keys, key)
		m.value[key], m.at[key] = r.deref(n.Content[i+1]), pos(n.Content[i])
	}
	return m
}

// take gives the value of a key, which is known from then on.
func (m *mapping) take(key string) (*yaml.Node, bool) {
	m.taken[key] = true
	n, ok := m.value[key]
	return n, ok
}

// done refuses what nobody took.
func (m *mapping) done() {
	for _, key := range m.keys {
		if !m.taken[key] {
			m.r.fail(m.at[key], "%s has no parameter %q", m.what, strings.TrimPrefix(key, "\x00"))
		}
	}
}

// text is the text of a key.
func (m *mapping) text(key string, required bool) string {
	n, ok := m.take(key)
	if !ok || isNull(n) {
		if required {
			m.r.fail(m.self, "%s lacks %q", m.what, key)
		}
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		m.r.fail(pos(n), "%q is %s: expected text", key, describe(n))
		return ""
	}
	return n.Value
}

// one is the text of a key that is one of some, the first where it is absent.
func (m *mapping) one(key string, of ...string) string {
	text := m.text(key, false)
	if text == "" {
		return of[0]
	}
	if !slices.Contains(of, text) {
		m.r.fail(pos(m.value[key]), "%q is %q: expected %s", key, text, strings.Join(of, " or "))
	}
	return text
}

func (m *mapping) flag(key string) bool {
	n, ok := m.take(key)
	if !ok {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		m.r.fail(pos(n), "%q is %s: expected true or false", key, describe(n))
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

func (m *mapping) integer(key string) int {
	n, ok := m.take(key)
	if !ok {
		return 0
	}
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		m.r.fail(pos(n), "%q is %s: expected a whole number", key, describe(n))
	}
	return i
}

// texts is the list of texts or numbers of a key; one of them stands for itself.
func (m *mapping) texts(key string) []string {
	n, ok := m.take(key)
	if !ok {
		return nil
	}
	return m.r.texts(n, key)
}

func (r *reader) texts(n *yaml.Node, what string) []string {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = r.entries(n, what)
	}
	var out []string
	for _, x := range nodes {
		if x.Kind != yaml.ScalarNode || isNull(x) || x.Tag == "!!bool" {
			r.fail(pos(x), "value of %q is %s: expected text, a number or a list of them", what, describe(x))
			continue
		}
		out = append(out, r.scalar(x).Text)
	}
	return out
}

// scalar is a value as rules have them.
func (r *reader) scalar(n *yaml.Node) sigma.Value {
	v := sigma.Value{Kind: sigma.String, Text: n.Value, Pos: pos(n)}
	if n.Kind != yaml.ScalarNode {
		r.fail(pos(n), "value is %s: expected text, a number, true, false or null", describe(n))
		return v
	}
	switch n.Tag {
	case "!!null":
		v.Kind, v.Text = sigma.Null, ""
	case "!!bool":
		v.Kind, v.Text = sigma.Bool, strings.ToLower(n.Value)
	case "!!int", "!!float":
		text, ok := decimal(n.Value)
		if !ok {
			r.fail(pos(n), "%s is no number that can be compared", n.Value)
		}
		v.Kind, v.Text = sigma.Number, text
	}
	return v
}

// decimal writes a YAML number as JSON would.
func decimal(s string) (string, bool) {
	s = strings.TrimPrefix(strings.ReplaceAll(s, "_", ""), "+")
	for _, base := range []int{10, 0} {
		if n, ok := new(big.Int).SetString(s, base); ok {
			return n.String(), true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f-f != 0 {
		return "", false
	}
	return strconv.FormatFloat(f, 'g', -1, 64), true
}

// regex is the expression of a key. Atstart: it has to begin where the text does,
// as Python's re.match has it.
func (m *mapping) regex(key string, atStart bool) *regexp.Regexp {
	text := m.text(key, true)
	n := m.value[key]
	if n == nil {
		return nil
	}
	return m.r.compile(text, pos(n), atStart)
}

func (r *reader) compile(text string, at sigma.Pos, atStart bool) *regexp.Regexp {
	re, err := regexp.Compile(text)
	if err != nil {
		r.fail(at, "%v", ir.RegexError(err))
		return nil
	}
	if atStart {
		re = regexp.MustCompile(`\A(?:` + text + `)`)
	}
	return re
}
