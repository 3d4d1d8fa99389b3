package pipeline

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
)

// transformations are all that are known, by the names pySigma gives them.
var transformations map[string]func(m *mapping, depth int) transformation

func init() { // a map that nest's reader reads: written out it would be a cycle
	transformations = map[string]func(*mapping, int) transformation{
		"field_name_mapping":        func(m *mapping, _ int) transformation { return readMapping(m) },
		"field_name_prefix_mapping": func(m *mapping, _ int) transformation { return readPrefixMapping(m) },
		"field_name_prefix": func(m *mapping, _ int) transformation {
			prefix := m.text("prefix", true)
			return rename(func(field string) ([]string, bool) { return []string{prefix + field}, field != "" })
		},
		"field_name_suffix": func(m *mapping, _ int) transformation {
			suffix := m.text("suffix", true)
			return rename(func(field string) ([]string, bool) { return []string{field + suffix}, field != "" })
		},
		"add_field":    func(m *mapping, _ int) transformation { return addFields(m.some("field")) },
		"remove_field": func(m *mapping, _ int) transformation { return removeFields(m.some("field")) },
		"set_field":    func(m *mapping, _ int) transformation { return setFields(m.some("fields")) },

		"add_condition":        func(m *mapping, _ int) transformation { return readAddCondition(m) },
		"change_logsource":     func(m *mapping, _ int) transformation { return readLogSource(m) },
		"set_custom_attribute": func(m *mapping, _ int) transformation { return readAttribute(m) },
		"set_state": func(m *mapping, _ int) transformation {
			return setState{m.text("key", true), m.scalar("val")}
		},
		"nest":                         func(m *mapping, depth int) transformation { return readNest(m, depth) },
		"drop_detection_item":          func(*mapping, int) transformation { return drop{} },
		"rule_failure":                 func(m *mapping, _ int) transformation { return ruleFailure(m.text("message", true)) },
		"detection_item_failure":       func(m *mapping, _ int) transformation { return itemFailure(m.text("message", true)) },
		"strict_field_mapping_failure": func(*mapping, int) transformation { return strictMapping{} },

		"value_placeholders":    func(m *mapping, _ int) transformation { return readPlaceholders(m, false) },
		"wildcard_placeholders": func(m *mapping, _ int) transformation { return readPlaceholders(m, true) },
		"file_placeholders":     func(m *mapping, _ int) transformation { return readFilePlaceholders(m) },
		"replace_string":        func(m *mapping, _ int) transformation { return readReplace(m) },
		"map_string":            func(m *mapping, _ int) transformation { return readMapString(m) },
		"set_value":             func(m *mapping, _ int) transformation { return readSetValue(m) },
		"convert_type":          func(m *mapping, _ int) transformation { return readConvert(m) },
		"case":                  func(m *mapping, _ int) transformation { return readCase(m) },
		"regex":                 func(m *mapping, _ int) transformation { return readRegex(m) },
		"hashes_fields":         func(m *mapping, _ int) transformation { return readHashes(m) },
	}
}

// some is the list of a key that has to be there and hold something.
func (m *mapping) some(key string) []string {
	out := m.texts(key)
	if m.value[key] == nil {
		m.r.fail(m.self, "%s lacks %q", m.what, key)
	} else if len(out) == 0 {
		m.r.fail(m.at[key], "%q is empty", key)
	}
	return out
}

// rename gives fields other names: in items, in references to other fields and
// in the rule's list of fields. False leaves a name as it is. The name of a
// keyword is empty.
type rename func(field string) ([]string, bool)

func (f rename) apply(w *work, s *step) {
	var fields []string
	for _, field := range w.rule.Fields {
		fields = append(fields, f.names(w, s, field)...)
	}
	w.rule.Fields = fields
	if w.correlation != nil {
		f.correlation(w, s)
		return
	}
	w.each(s, func(n *node) bool {
		changed := f.references(w, s, n)
		names, ok := f(n.item.Field)
		if !ok || !s.matchesName(w, n.item.Field) {
			return changed
		}
		f.names(w, s, n.item.Field) // for the record
		w.mapped[n.item.Field] = true
		for _, name := range names {
			w.mapped[name] = true
		}
		if n.item.Field == "" && !n.has("contains") && !n.has("re") {
			// A keyword may stand anywhere in a value, and so it may in the field.
			n.item.Modifiers = append(slices.Clone(n.item.Modifiers), "contains")
		}
		w.alternatives(n, names)
		return true
	})
}

// names is what field is called from now on, with a record of who said so.
func (f rename) names(w *work, s *step, field string) []string {
	names, ok := f(field)
	if !ok || !s.matchesName(w, field) {
		return []string{field}
	}
	if s.id != "" && field != "" && !(len(names) == 1 && names[0] == field) {
		by := maps.Clone(w.fields[field])
		if by == nil {
			by = map[string]bool{}
		}
		by[s.id] = true
		for _, name := range names {
			w.fields[name] = maps.Clone(by)
		}
	}
	return names
}

// references renames the other fields that n is compared with.
func (f rename) references(w *work, s *step, n *node) bool {
	if !n.has("fieldref") {
		return false
	}
	changed := false
	var values []sigma.Value
	for _, v := range n.item.Values {
		names := f.names(w, s, v.Text)
		if len(names) > 1 && n.has("all") {
			w.fail(n, s, "%s: field %s stands for several, and all asks for each of them", n.item.Key, v.Text)
		}
		changed = changed || len(names) != 1 || names[0] != v.Text
		for _, name := range names {
			v.Text = name
			values = append(values, v)
		}
	}
	n.item.Values = values
	return changed
}

// alternatives gives n's field another name, or several of which any may be meant.
func (w *work) alternatives(n *node, names []string) {
	if len(names) == 1 {
		n.item.Field = names[0]
		return
	}
	isNull := func(v sigma.Value) bool { return v.Kind == sigma.Null }
	nulls := slices.ContainsFunc(n.item.Values, isNull)
	if nulls && slices.ContainsFunc(n.item.Values, func(v sigma.Value) bool { return !isNull(v) }) {
		w.splitValues(n, func(v sigma.Value) string {
			if isNull(v) {
				return "null"
			}
			return ""
		})
		for _, part := range n.parts {
			w.alternatives(part, names)
		}
		return
	}
	// The field is any of the names. That it is null, or that it does not exist,
	// has to be so of each of them, and neq turns the question round.
	every := nulls || n.has("exists") && slices.ContainsFunc(n.item.Values, func(v sigma.Value) bool { return v.Text == "false" })
	var parts []sigma.Item
	for _, name := range names {
		part := n.item
		part.Field = name
		parts = append(parts, part)
	}
	w.split(n, parts, every != n.has("neq"))
}

// splitValues makes several items of n, one for each key that its values have.
func (w *work) splitValues(n *node, key func(sigma.Value) string) {
	var keys []string
	values := map[string][]sigma.Value{}
	for _, v := range n.item.Values {
		k := key(v)
		if values[k] == nil {
			keys = append(keys, k)
		}
		values[k] = append(values[k], v)
	}
	var parts []sigma.Item
	for _, k := range keys {
		part := n.item
		part.Values = values[k]
		parts = append(parts, part)
	}
	w.split(n, parts, n.has("all") != n.has("neq"))
}

// targets reads to what a field or a prefix is mapped.
func (m *mapping) targets(key string) []string {
	out := m.texts(key)
	if n := m.value[key]; n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		m.r.fail(m.at[key], "%q is mapped to nothing", strings.TrimPrefix(key, "\x00"))
	}
	if slices.Contains(out, "") {
		m.r.fail(m.at[key], "%q is mapped to an empty name", strings.TrimPrefix(key, "\x00"))
	}
	return out
}

// table is the mapping of a step.
func (m *mapping) table() *mapping {
	n, ok := m.take("mapping")
	if !ok || isNull(n) {
		m.r.fail(m.self, `%s lacks "mapping"`, m.what)
		return &mapping{r: m.r}
	}
	return m.r.mapping(n, "mapping")
}

func readMapping(m *mapping) rename {
	t := m.table()
	names := map[string][]string{}
	for _, key := range t.keys {
		field := key
		if key == nullKey {
			field = ""
		}
		names[field] = t.targets(key)
	}
	return func(field string) ([]string, bool) {
		to, ok := names[field]
		return to, ok
	}
}

func readPrefixMapping(m *mapping) rename {
	t := m.table()
	to := map[string][]string{}
	for _, key := range t.keys {
		if key == nullKey || key == "" {
			m.r.fail(t.at[key], "an empty prefix is none")
		}
		to[key] = t.targets(key)
	}
	return func(field string) ([]string, bool) {
		for _, prefix := range t.keys { // the first that fits
			rest, ok := strings.CutPrefix(field, prefix)
			if !ok {
				continue
			}
			var names []string
			for _, p := range to[prefix] {
				names = append(names, p+rest)
			}
			return names, true
		}
		return nil, false
	}
}

type addFields []string

func (f addFields) apply(w *work, _ *step) { w.rule.Fields = append(w.rule.Fields, f...) }

type setFields []string

func (f setFields) apply(w *work, _ *step) { w.rule.Fields = slices.Clone(f) }

// removeFields takes each name out once, where it first stands.
type removeFields []string

func (f removeFields) apply(w *work, _ *step) {
	for _, name := range f {
		if i := slices.Index(w.rule.Fields, name); i >= 0 {
			w.rule.Fields = slices.Delete(w.rule.Fields, i, i+1)
		}
	}
}
