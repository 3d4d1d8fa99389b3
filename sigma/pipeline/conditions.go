package pipeline

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// ruleCondition is asked about the whole rule.
type ruleCondition func(*work, *step) bool

// itemCondition is asked about one item.
type itemCondition func(*work, *node) bool

// fieldCondition is asked about the name of a field, in an item or elsewhere.
type fieldCondition struct {
	name func(*work, string) bool
	item func(*node) bool // about an item, where that is another question; or nil
}

var ruleConditions = map[string]func(*mapping) ruleCondition{
	"logsource":               logSourceCondition,
	"contains_field":          containsField,
	"contains_detection_item": containsItem,
	"rule_attribute":          attributeCondition,
	"tag":                     tagCondition,
	"is_sigma_rule": func(*mapping) ruleCondition {
		return func(w *work, _ *step) bool { return w.correlation == nil }
	},
	"is_sigma_correlation_rule": func(*mapping) ruleCondition {
		return func(w *work, _ *step) bool { return w.correlation != nil }
	},
	"processing_item_applied": func(m *mapping) ruleCondition {
		id := m.text("processing_item_id", true)
		return func(w *work, _ *step) bool { return w.applied[id] }
	},
	"processing_state": func(m *mapping) ruleCondition {
		test := stateCondition(m)
		return func(w *work, _ *step) bool { return test(w) }
	},
}

var itemConditions = map[string]func(*mapping) itemCondition{
	"match_string":      matchString,
	"match_value":       matchValue,
	"is_null":           valueCondition(func(v sigma.Value, _ *sigma.Item) bool { return v.Kind == sigma.Null }),
	"contains_wildcard": valueCondition(isWild),
	"processing_item_applied": func(m *mapping) itemCondition {
		id := m.text("processing_item_id", true)
		return func(_ *work, n *node) bool { return n.applied[id] }
	},
	"processing_state": func(m *mapping) itemCondition {
		test := stateCondition(m)
		return func(w *work, _ *node) bool { return test(w) }
	},
}

var fieldConditions = map[string]func(*mapping) fieldCondition{
	"include_fields": func(m *mapping) fieldCondition { return fieldCondition{name: namesField(m)} },
	"exclude_fields": func(m *mapping) fieldCondition {
		names := namesField(m)
		return fieldCondition{name: func(w *work, field string) bool { return !names(w, field) }}
	},
	"processing_item_applied": func(m *mapping) fieldCondition {
		id := m.text("processing_item_id", true)
		return fieldCondition{
			name: func(w *work, field string) bool { return w.fields[field][id] },
			item: func(n *node) bool { return n.applied[id] },
		}
	},
	"processing_state": func(m *mapping) fieldCondition {
		test := stateCondition(m)
		return fieldCondition{name: func(w *work, _ string) bool { return test(w) }}
	},
}

func logSourceCondition(m *mapping) ruleCondition {
	want := sigma.LogSource{Category: m.text("category", false), Product: m.text("product", false), Service: m.text("service", false)}
	if want.String() == "" {
		m.r.fail(m.self, "%s names no category, product or service", m.what)
	}
	within := func(want, have string) bool { return want == "" || want == have }
	covers := func(have sigma.LogSource) bool {
		return within(want.Category, have.Category) && within(want.Product, have.Product) && within(want.Service, have.Service)
	}
	return func(w *work, _ *step) bool {
		if w.correlation != nil {
			return slices.ContainsFunc(w.refers, func(r *sigma.Rule) bool { return covers(r.LogSource) })
		}
		return covers(w.rule.LogSource)
	}
}

func containsField(m *mapping) ruleCondition {
	field := m.text("field", true)
	return func(w *work, _ *step) bool {
		return slices.ContainsFunc(w.leaves(), func(n *node) bool { return n.item.Field == field })
	}
}

func containsItem(m *mapping) ruleCondition {
	field, value := m.text("field", true), m.scalar("value")
	return func(w *work, _ *step) bool {
		return slices.ContainsFunc(w.leaves(), func(n *node) bool {
			it, ok := ir.Worked(n.item)
			return ok && it.Field == field && slices.ContainsFunc(it.Values, func(v sigma.Value) bool { return same(v, value) })
		})
	}
}

func tagCondition(m *mapping) ruleCondition {
	tag := m.text("tag", true)
	if tag != "" && !strings.Contains(tag, ".") {
		m.r.fail(m.at["tag"], "tag %q has no namespace: expected one such as attack.t1098", tag)
	}
	return func(w *work, _ *step) bool { return slices.Contains(w.rule.Tags, tag) }
}

// scalar is the value of a key that has to be there.
func (m *mapping) scalar(key string) sigma.Value {
	n, ok := m.take(key)
	if !ok {
		m.r.fail(m.self, "%s lacks %q", m.what, key)
		return sigma.Value{}
	}
	return m.r.scalar(n)
}

// same tells whether two values are the same: numbers by value, text by what it
// says whatever its escapes.
func same(a, b sigma.Value) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case sigma.Number:
		x, _ := strconv.ParseFloat(a.Text, 64)
		y, _ := strconv.ParseFloat(b.Text, 64)
		return x == y
	case sigma.String:
		return notation(a.Text) == notation(b.Text)
	}
	return a.Text == b.Text
}

// notation is text with no more escapes than it needs.
func notation(text string) string { return ir.ParseText(text, false).Format(false) }

var comparisons = []string{"eq", "ne", "gte", "gt", "lte", "lt"}

// compare answers one of comparisons, given the order of two values.
func compare(op string, order int) bool {
	switch op {
	case "eq":
		return order == 0
	case "ne":
		return order != 0
	case "gte":
		return order >= 0
	case "gt":
		return order > 0
	case "lte":
		return order <= 0
	}
	return order < 0
}

// stateCondition is about what set_state set. A key that was never set, or one
// that holds a value of another type, satisfies nothing but ne of another type.
func stateCondition(m *mapping) func(*work) bool {
	key, want, op := m.text("key", true), m.scalar("val"), m.one("op", comparisons...)
	if want.Kind != sigma.Number && want.Kind != sigma.String && op != "eq" && op != "ne" {
		m.r.fail(m.at["val"], "%s asks for numbers or text, not %q", op, want.Text)
	}
	return func(w *work) bool {
		have, ok := w.state[key]
		if !ok {
			return false
		}
		if have.Kind != want.Kind {
			return op == "ne"
		}
		order := strings.Compare(have.Text, want.Text)
		if want.Kind == sigma.Number {
			x, _ := strconv.ParseFloat(have.Text, 64)
			y, _ := strconv.ParseFloat(want.Text, 64)
			order = cmp.Compare(x, y)
		}
		return compare(op, order)
	}
}

// ordered are the attributes of rules whose values have an order of their own.
var ordered = map[string][]string{
	"level":  {"informational", "low", "medium", "high", "critical"},
	"status": {"unsupported", "deprecated", "experimental", "test", "stable"},
}

func attributeCondition(m *mapping) ruleCondition {
	name, want := m.text("attribute", true), m.scalar("value")
	op := m.one("op", append(slices.Clone(comparisons), "in", "not_in")...)
	member := op == "in" || op == "not_in"
	wrong := func(why string) { m.r.fail(m.self, "%s: %s", m.what, why) }
	switch {
	case ordered[name] != nil && !slices.Contains(ordered[name], strings.ToLower(want.Text)):
		wrong(name + " is one of " + strings.Join(ordered[name], ", ") + ", not " + strconv.Quote(want.Text))
	case (name == "date" || name == "modified") && !isDate(want.Text):
		wrong(name + " is compared with a date such as 2026-03-04, not " + strconv.Quote(want.Text))
	case (ordered[name] != nil || name == "date" || name == "modified") && member:
		wrong(name + " is no list")
	}
	return func(w *work, s *step) bool {
		text, list, number, ok := attribute(w.rule, name)
		switch {
		case !ok:
			return false
		case list != nil:
			in := slices.Contains(list, want.Text)
			return op == "in" && in || op == "not_in" && !in || op == "ne"
		case ordered[name] != nil:
			at, wanted := slices.Index(ordered[name], strings.ToLower(text)), slices.Index(ordered[name], strings.ToLower(want.Text))
			return at >= 0 && compare(op, cmp.Compare(at, wanted))
		case name == "date" || name == "modified":
			return isDate(text) && compare(op, strings.Compare(text, want.Text))
		case number:
			x, _ := strconv.ParseFloat(text, 64)
			y, err := strconv.ParseFloat(want.Text, 64)
			if err != nil || member {
				w.fail(nil, s, "rule attribute %s is a number and cannot be compared by %s with %q", name, op, want.Text)
			}
			return err == nil && compare(op, cmp.Compare(x, y))
		}
		if op != "eq" && op != "ne" {
			w.fail(nil, s, "rule attribute %s is text and knows eq and ne only, not %s", name, op)
		}
		return compare(op, strings.Compare(text, want.Text))
	}
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// attributes are what the specification knows of a rule: texts, or lists, which
// are there even if they are empty.
var attributes = map[string]func(*sigma.Rule) (string, []string){
	"id":             func(r *sigma.Rule) (string, []string) { return r.ID, nil },
	"name":           func(r *sigma.Rule) (string, []string) { return r.Name, nil },
	"title":          func(r *sigma.Rule) (string, []string) { return r.Title, nil },
	"taxonomy":       func(r *sigma.Rule) (string, []string) { return r.Taxonomy, nil },
	"status":         func(r *sigma.Rule) (string, []string) { return r.Status, nil },
	"description":    func(r *sigma.Rule) (string, []string) { return r.Description, nil },
	"license":        func(r *sigma.Rule) (string, []string) { return r.License, nil },
	"author":         func(r *sigma.Rule) (string, []string) { return r.Author, nil },
	"date":           func(r *sigma.Rule) (string, []string) { return r.Date, nil },
	"modified":       func(r *sigma.Rule) (string, []string) { return r.Modified, nil },
	"level":          func(r *sigma.Rule) (string, []string) { return r.Level, nil },
	"references":     func(r *sigma.Rule) (string, []string) { return "", append([]string{}, r.References...) },
	"tags":           func(r *sigma.Rule) (string, []string) { return "", append([]string{}, r.Tags...) },
	"falsepositives": func(r *sigma.Rule) (string, []string) { return "", append([]string{}, r.FalsePositives...) },
	"fields":         func(r *sigma.Rule) (string, []string) { return "", append([]string{}, r.Fields...) },
	"scope":          func(r *sigma.Rule) (string, []string) { return "", append([]string{}, r.Scope...) },
}

// attribute is what a rule says under a name: text, a list, or a number as text.
func attribute(r *sigma.Rule, name string) (text string, list []string, number, ok bool) {
	if get, known := attributes[name]; known {
		text, list = get(r)
		return text, list, false, text != "" || list != nil
	}
	switch v := r.Extra[name].(type) {
	case string:
		return v, nil, false, true
	case bool:
		return strconv.FormatBool(v), nil, false, true
	case int:
		return strconv.Itoa(v), nil, true, true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil, true, true
	case []any:
		list := []string{}
		for _, x := range v {
			if s, ok := x.(string); ok {
				list = append(list, s)
			}
		}
		return "", list, false, true
	}
	return "", nil, false, false
}

// valueCondition is a condition on the values of an item: cond says whether any
// or all of them have to satisfy it.
func valueCondition(test func(sigma.Value, *sigma.Item) bool) func(*mapping) itemCondition {
	return func(m *mapping) itemCondition {
		if m.value["cond"] == nil {
			m.r.fail(m.self, `%s lacks "cond"`, m.what)
		}
		all := m.one("cond", "any", "all") == "all"
		return func(_ *work, n *node) bool {
			it := n.item
			if as, ok := ir.Worked(it); ok {
				it = as
			}
			fails := func(v sigma.Value) bool { return !test(v, &it) }
			if all {
				return !slices.ContainsFunc(it.Values, fails)
			}
			return slices.ContainsFunc(it.Values, func(v sigma.Value) bool { return test(v, &it) })
		}
	}
}

// isText tells whether the values of it are texts with nothing left to be done to
// them, and v is one.
func isText(v sigma.Value, it *sigma.Item) bool {
	_, ok := ir.Worked(*it)
	return ok && v.Kind == sigma.String
}

func isWild(v sigma.Value, it *sigma.Item) bool {
	return isText(v, it) && ir.ParseText(v.Text, slices.Contains(it.Modifiers, "expand")).Wild()
}

func matchString(m *mapping) itemCondition {
	re, negate := m.regex("pattern", true), m.flag("negate")
	return valueCondition(func(v sigma.Value, it *sigma.Item) bool {
		return (re != nil && isText(v, it) && re.MatchString(notation(v.Text))) != negate
	})(m)
}

func matchValue(m *mapping) itemCondition {
	want := m.scalar("value")
	return valueCondition(func(v sigma.Value, it *sigma.Item) bool {
		_, plain := ir.Worked(*it)
		return plain && same(v, want)
	})(m)
}

// namesField is whether a field is among some names or matches some expressions.
// A keyword has no field and is never among them.
func namesField(m *mapping) func(*work, string) bool {
	n, ok := m.take("fields")
	if !ok {
		m.r.fail(m.self, `%s lacks "fields"`, m.what)
		n = &yaml.Node{Kind: yaml.ScalarNode, Value: "x"}
	}
	fields := m.r.texts(n, "fields")
	if m.one("mode", "plain", "re") == "plain" {
		return func(_ *work, field string) bool { return field != "" && slices.Contains(fields, field) }
	}
	var all []*regexp.Regexp
	for _, f := range fields {
		if re := m.r.compile(f, pos(n), true); re != nil {
			all = append(all, re)
		}
	}
	return func(_ *work, field string) bool {
		return field != "" && slices.ContainsFunc(all, func(re *regexp.Regexp) bool { return re.MatchString(field) })
	}
}
