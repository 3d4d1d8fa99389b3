package about

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/sigma"
)

// RuleWords says what a rule looks for.
func RuleWords(r *sigma.Rule) say.Text {
	var conditions []string
	for _, c := range r.Detection.Conditions {
		conditions = append(conditions, strings.TrimSpace(c.Text))
	}
	source := r.LogSource.String()
	lines := []say.Text{say.T("explain.source", say.Values{"source": source})}
	if len(conditions) > 0 {
		lines[0] = say.T("explain.of", say.Values{"source": source, "conditions": conditions})
	}
	indented := func(what say.Text) {
		lines = append(lines, say.T("explain.indent", say.Values{"what": what}))
	}
	for i := range r.Detection.Searches {
		s := &r.Detection.Searches[i]
		lines = append(lines, say.Text{}, say.T("explain.search", say.Values{"name": s.Name}))
		for g, group := range s.Groups {
			if g > 0 {
				indented(say.T("explain.or", nil))
			}
			for _, item := range group {
				indented(itemWords(item))
			}
		}
	}
	return say.T("explain.lines", say.Values{"lines": say.Each(lines...)})
}

// comparisons are the modifiers that say how is compared: ids of say.
var comparisons = []string{"contains", "startswith", "endswith", "re", "cidr", "gt", "gte", "lt", "lte", "exists", "neq", "fieldref", "expand"}

// wordsValues is how many values of an item are spelled out.
const wordsValues = 12

func itemWords(item sigma.Item) say.Text {
	field, how, join := say.Plain(item.Field), "is", "any"
	if item.Field == "" {
		field = say.T("explain.value", nil)
	}
	for _, m := range item.Modifiers {
		if slices.Contains(comparisons, m) {
			how = m
		}
		if m == "all" {
			join = m
		}
	}
	var values []any
	for _, v := range item.Values[:min(len(item.Values), wordsValues)] {
		if v.Kind == sigma.Null {
			values = append(values, say.T("explain.none", nil))
			continue
		}
		values = append(values, v.Text)
	}
	if more := len(item.Values) - wordsValues; more > 0 {
		values = append(values, float64(more)) // as say.List has it: how many more there are
	}
	joined := say.T("explain.any", say.Values{"values": values})
	if join == "all" {
		joined = say.T("explain.all", say.Values{"values": values})
	}
	return say.T("explain.item."+how, say.Values{"field": field, "values": joined})
}

// CorrelationWords says what a correlation looks for.
func CorrelationWords(c *sigma.Correlation) say.Text {
	var rules []string
	for _, r := range c.Rules {
		rules = append(rules, r.Rule)
	}
	var group, limits, fields, extended say.Text
	if len(c.GroupBy) > 0 {
		group = say.T("explain.group", say.Values{"fields": c.GroupBy})
	}
	if c.Condition != nil {
		var all []say.Text
		for _, l := range c.Condition.Limits {
			all = append(all, say.T("explain.limit."+l.Op, say.Values{"value": fmt.Sprint(l.Value)}))
		}
		if len(all) > 0 {
			limits = say.T("explain.limits", say.Values{"limits": say.Each(all...)})
		}
		if len(c.Condition.Fields) > 0 {
			fields = say.T("explain.fields", say.Values{"fields": c.Condition.Fields})
		}
	}
	if c.Extended.Text != "" {
		extended = say.T("explain.extended", say.Values{"text": c.Extended.Text})
	}
	return say.T("explain.correlation", say.Values{
		"type": say.T("explain.type."+string(c.Type), nil), "rules": rules, "span": c.Span,
		"group": group, "limits": limits, "fields": fields, "extended": extended,
	})
}
