package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decode reads n into the struct that into points to, after it has checked that
// every key of every mapping is one the struct has: yaml's own strict mode
// knows the line but not the column, and nothing of nodes decoded later.
func decode(file string, n *yaml.Node, into any) error {
	if err := known(file, n, reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	if err := n.Decode(into); err != nil {
		return fmt.Errorf("%s: %s", file, strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: unmarshal errors: "))
	}
	return nil
}

var unmarshaler = reflect.TypeFor[yaml.Unmarshaler]()

func known(file string, n *yaml.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	switch {
	case n.Kind == yaml.AliasNode:
		return known(file, n.Alias, t)
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			if err := known(file, item, t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		return knownKeys(file, n, t)
	case t.Kind() == reflect.Struct && n.Tag != "!!null":
		return fmt.Errorf("%s:%d:%d: a mapping is needed here", file, n.Line, n.Column)
	}
	return nil
}

func knownKeys(file string, n *yaml.Node, t reflect.Type) error {
	fields := map[string]reflect.Type{}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			fields[name] = f.Type
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		field, ok := fields[key.Value]
		if !ok {
			return fmt.Errorf("%s:%d:%d: unknown key %q; known here: %s", file, key.Line, key.Column, key.Value, names(fields))
		}
		if err := known(file, n.Content[i+1], field); err != nil {
			return err
		}
	}
	return nil
}

func names(fields map[string]reflect.Type) string {
	var all []string
	for name := range fields {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
