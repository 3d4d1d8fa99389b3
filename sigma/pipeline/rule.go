package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

type setState struct {
	key string
	val sigma.Value
}

func (t setState) apply(w *work, _ *step) { w.state[t.key] = t.val }

type changeLogSource sigma.LogSource

func readLogSource(m *mapping) transformation {
	to := sigma.LogSource{Category: m.text("category", false), Product: m.text("product", false), Service: m.text("service", false)}
	if to.String() == "" {
		m.r.fail(m.self, "%s names no category, product or service", m.what)
	}
	return changeLogSource(to)
}

func (t changeLogSource) apply(w *work, _ *step) { w.rule.LogSource = sigma.LogSource(t) }

// attributeSetter sets a key of the rule that the specification does not know.
type attributeSetter struct {
	name  string
	value any
}

func readAttribute(m *mapping) transformation {
	t := attributeSetter{name: m.text("attribute", true)}
	n, ok := m.take("value")
	if !ok {
		m.r.fail(m.self, `%s lacks "value"`, m.what)
		return t
	}
	if err := n.Decode(&t.value); err != nil {
		m.r.fail(pos(n), "value: %v", err)
	}
	if _, known := attributes[t.name]; known {
		m.r.fail(m.at["attribute"], "%s is no custom attribute: the specification says what it means", t.name)
	}
	return t
}

func (t attributeSetter) apply(w *work, _ *step) {
	if w.rule.Extra == nil {
		w.rule.Extra = map[string]any{}
	}
	w.rule.Extra[t.name] = t.value
}

type nest []*step

func readNest(m *mapping, depth int) transformation {
	n, ok := m.take("items")
	if !ok {
		m.r.fail(m.self, `%s lacks "items"`, m.what)
		return nest(nil)
	}
	return nest(m.r.steps(n, "items", depth+1))
}

func (t nest) apply(w *work, _ *step) { w.run(t) }

type drop struct{}

func (drop) apply(w *work, s *step) {
	w.each(s, func(n *node) bool {
		n.gone = true
		return true
	})
}

type ruleFailure string

func (t ruleFailure) apply(w *work, s *step) { w.fail(nil, s, "%s", string(t)) }

type itemFailure string

func (t itemFailure) apply(w *work, s *step) {
	w.each(s, func(n *node) bool {
		w.fail(n, s, "%s: %s", keyOf(&n.item), string(t))
		return false
	})
}

// strictMapping refuses rules with a field that no step before it renamed.
type strictMapping struct{}

func (strictMapping) apply(w *work, s *step) {
	for _, n := range w.leaves() {
		if f := n.item.Field; f != "" && !w.mapped[f] {
			w.fail(n, s, "%s: field %s is not mapped", keyOf(&n.item), f)
		}
	}
}

func keyOf(it *sigma.Item) string {
	if it.Key == "" {
		return "keyword"
	}
	return it.Key
}

// addCondition joins a search to the rule: it has to hold besides the condition,
// or with not it must not.
type addCondition struct {
	search   sigma.Search
	template bool
	not      bool
}

func readAddCondition(m *mapping) transformation {
	t := addCondition{template: m.flag("template"), not: m.flag("negated")}
	name := m.text("name", false)
	n, ok := m.take("conditions")
	if !ok || isNull(n) {
		m.r.fail(m.self, `%s lacks "conditions"`, m.what)
		return t
	}
	if name == "" {
		name = fmt.Sprintf("_cond_%d", n.Line)
	}
	t.search = m.r.search(n, name)
	return t
}

// search reads n as the search of a rule by putting it into one.
func (r *reader) search(n *yaml.Node, name string) sigma.Search {
	body, err := yaml.Marshal(map[string]any{
		"title": "t", "logsource": map[string]string{"product": "p"},
		"detection": map[string]any{"s": n, "condition": "s"},
	})
	if err != nil {
		r.fail(pos(n), "conditions: %v", err)
		return sigma.Search{}
	}
	docs, errs := sigma.Parse(r.file, body)
	if len(errs) == 0 {
		// Placeholders may be filled later on.
		if _, more := ir.Compile(docs.Rules, ir.Options{}); !strings.Contains(string(body), "expand") {
			errs = more
		}
	}
	if len(errs) > 0 {
		r.fail(pos(n), "conditions: %s", errs[0].Reason)
		return sigma.Search{}
	}
	s := docs.Rules[0].Detection.Searches[0]
	s.Name = name
	return s
}

func (t addCondition) apply(w *work, s *step) {
	if w.correlation != nil {
		return
	}
	at := w.rule.Places["detection"]
	if at == (sigma.Pos{}) {
		at = w.rule.Pos
	}
	as := t.search
	as.Pos = at
	added := w.search(w.parts[0], as)
	added.required, added.not = true, t.not
	for _, g := range added.groups {
		for _, n := range g {
			n.item.Pos = at
			for i := range n.item.Values {
				v := &n.item.Values[i]
				v.Pos = at
				if t.template && v.Kind == sigma.String {
					v.Text = w.fill(s, v.Text)
				}
			}
			n.mark(s.id)
		}
	}
	w.parts[0].searches = append(w.parts[0].searches, added)
}

var templated = regexp.MustCompile(`\$(?:\$|(category|product|service)\b|\{(category|product|service)\})`)

// fill puts the rule's log source into a template: $category, ${product}, $$.
func (w *work) fill(s *step, text string) string {
	l := w.rule.LogSource
	return templated.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "${}")
		if name == "" {
			return "$"
		}
		value := map[string]string{"category": l.Category, "product": l.Product, "service": l.Service}[name]
		if value == "" {
			w.fail(nil, s, "log source of the rule has no %s to put into %q", name, text)
		}
		return value
	})
}

// renamed is the key of an item of which modifiers were worked into the values.
func renamed(it *sigma.Item) string {
	return strings.Join(slices.Concat([]string{it.Field}, it.Modifiers), "|")
}
