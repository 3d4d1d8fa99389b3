package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Line is one setting as it holds.
type Line struct {
	Key   string // "retention.events", "sources[0].paths"
	Value string // as YAML on one line; a secret as the reference it is given by
	// Default: it is as Default has it.
	Default bool
}

// Lines are all settings in the order of the file's keys. None shows a secret.
func (c Config) Lines() []Line {
	var out []Line
	lines(&out, "", reflect.ValueOf(c), reflect.ValueOf(Default()))
	return out
}

// Lines are the settings of a node as it is written.
func (n Node) Lines() []Line {
	var out []Line
	written(&out, "", n.node)
	return out
}

// lines adds the settings of v; like is the default of it.
func lines(out *[]Line, key string, v, like reflect.Value) {
	if n, ok := v.Interface().(Node); ok {
		written(out, key, n.node)
		return
	}
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "" {
				lines(out, under(key, name), v.Field(i), like.Field(i))
			}
		}
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Index(0).Kind() == reflect.Struct:
		for i := range v.Len() {
			lines(out, fmt.Sprintf("%s[%d]", key, i), v.Index(i), reflect.Zero(v.Index(i).Type()))
		}
	default:
		*out = append(*out, Line{key, valueText(v), reflect.DeepEqual(v.Interface(), like.Interface())})
	}
}

func under(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// valueText is a value as the file would have it.
func valueText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Duration:
		return durationText(time.Duration(x))
	case Bytes:
		return bytesText(int64(x))
	}
	text, err := yaml.Marshal(v.Interface())
	if err != nil {
		return fmt.Sprint(v.Interface())
	}
	var n yaml.Node
	if yaml.Unmarshal(text, &n) != nil || len(n.Content) == 0 {
		return strings.TrimSpace(string(text))
	}
	return flow(n.Content[0])
}

// flow writes a node on one line.
func flow(n *yaml.Node) string {
	flat := *n
	if flat.Kind == yaml.MappingNode || flat.Kind == yaml.SequenceNode {
		flat.Style = yaml.FlowStyle
	}
	flat.HeadComment, flat.LineComment, flat.FootComment = "", "", ""
	text, err := yaml.Marshal(&flat)
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func durationText(d time.Duration) string {
	if day := 24 * time.Hour; d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func bytesText(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 40, "TB"}, {1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "KB"}} {
		if n >= u.size && n%u.size == 0 {
			return fmt.Sprintf("%d%s", n/u.size, u.name)
		}
	}
	return fmt.Sprint(n)
}

// secretly are parts of keys whose values are not shown unless they are
// references: what a connector reads by itself is not known here.
var secretly = []string{"token", "secret", "password", "key", "credential"}

// written adds the settings of a node as it stands in the file.
func written(out *[]Line, key string, n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			written(out, under(key, n.Content[i].Value), n.Content[i+1])
		}
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode:
		for i, item := range n.Content {
			written(out, fmt.Sprintf("%s[%d]", key, i), item)
		}
	default:
		value := flow(n)
		last := strings.ToLower(key[strings.LastIndexByte(key, '.')+1:])
		for _, part := range secretly {
			if strings.Contains(last, part) && !reference(n) {
				value = "(not shown)"
			}
		}
		*out = append(*out, Line{Key: key, Value: value})
	}
}

// reference tells whether all values of a node are references to secrets, or empty.
func reference(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode {
		return n.Value == "" || strings.HasPrefix(n.Value, "env:") || strings.HasPrefix(n.Value, "file:")
	}
	for _, c := range n.Content {
		if !reference(c) {
			return false
		}
	}
	return true
}
