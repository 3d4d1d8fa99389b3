package ruletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// recordOf writes an event as JSON with its keys in the order of the file: some
// rules look at an object as text. Each old of fill, such as {n}, becomes what
// follows it, in every text of the event.
func recordOf(n *yaml.Node, fill ...string) ([]byte, error) {
	w := writer{nodes: maxNodes}
	if len(fill) > 0 {
		w.fill = strings.NewReplacer(fill...)
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		text := w.text(n.Value)
		if !json.Valid([]byte(text)) {
			return nil, errors.New("event is text, but no JSON")
		}
		return []byte(text), nil
	}
	if err := w.value(n, 0); err != nil {
		return nil, err
	}
	return w.dst, nil
}

// What aliases can make of a few lines is bounded.
const (
	maxNesting = 100
	maxNodes   = 1_000_000
)

// writer writes a YAML value as JSON.
type writer struct {
	dst   []byte
	fill  *strings.Replacer // nil: nothing
	nodes int               // that may still be visited, aliases counted each time
}

func (w *writer) text(s string) string {
	if w.fill == nil {
		return s
	}
	return w.fill.Replace(s)
}

func (w *writer) value(n *yaml.Node, depth int) error {
	if w.nodes--; w.nodes < 0 {
		return fmt.Errorf("line %d: event has more than %d values, aliases counted each time", n.Line, maxNodes)
	}
	if depth > maxNesting {
		return fmt.Errorf("line %d: event is nested more than %d deep", n.Line, maxNesting)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return w.value(n.Alias, depth+1)
	case yaml.MappingNode:
		return w.object(n, depth)
	case yaml.SequenceNode:
		w.dst = append(w.dst, '[')
		for i, x := range n.Content {
			if i > 0 {
				w.dst = append(w.dst, ',')
			}
			if err := w.value(x, depth+1); err != nil {
				return err
			}
		}
		w.dst = append(w.dst, ']')
		return nil
	case yaml.ScalarNode:
		return w.scalar(n)
	}
	return errors.New("event is missing")
}

// entry is a key of a mapping and its value.
type entry struct{ key, value *yaml.Node }

func (w *writer) object(n *yaml.Node, depth int) error {
	all, err := entries(n, depth)
	if err != nil {
		return err
	}
	w.dst = append(w.dst, '{')
	for i, e := range all {
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		if err := w.encode(w.text(e.key.Value)); err != nil {
			return fmt.Errorf("line %d: %w", e.key.Line, err)
		}
		w.dst = append(w.dst, ':')
		if err := w.value(e.value, depth+1); err != nil {
			return err
		}
	}
	w.dst = append(w.dst, '}')
	return nil
}

// entries are those of a mapping, with what it merges (<<: *other) before its
// own; its own stand in the place of merged ones of the same name.
func entries(n *yaml.Node, depth int) ([]entry, error) {
	for i := 0; n.Kind == yaml.AliasNode && i < maxNesting; i++ {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode || depth > maxNesting {
		return nil, fmt.Errorf("line %d: << merges mappings only", n.Line)
	}
	var out []entry
	set := func(e entry) {
		if i := slices.IndexFunc(out, func(x entry) bool { return x.key.Value == e.key.Value }); i >= 0 {
			out[i] = e
		} else {
			out = append(out, e)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		merged := []*yaml.Node{n.Content[i+1]}
		if merged[0].Kind == yaml.SequenceNode {
			merged = slices.Clone(merged[0].Content)
			slices.Reverse(merged) // the first named wins
		}
		for _, m := range merged {
			some, err := entries(m, depth+1)
			if err != nil {
				return nil, err
			}
			for _, e := range some {
				set(e)
			}
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			set(entry{n.Content[i], n.Content[i+1]})
		}
	}
	return out, nil
}

func (w *writer) scalar(n *yaml.Node) error {
	if n.Tag == "!!str" || n.Tag == "!!timestamp" {
		return w.encode(w.text(n.Value))
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	if err := w.encode(v); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// encode writes a scalar as the provider would: without escapes for HTML.
func (w *writer) encode(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	w.dst = append(w.dst, bytes.TrimRight(b.Bytes(), "\n")...)
	return nil
}
