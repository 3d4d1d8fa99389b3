package sigma

import (
	"math/big"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// detection reads searches and conditions. Keys that taken wants are its.
func (p *parser) detection(n *yaml.Node, at Pos, taken func(string, *yaml.Node) bool) Detection {
	var d Detection
	found := false
	ok := p.each(n, "detection", func(key string, pos Pos, v *yaml.Node) {
		switch {
		case taken != nil && taken(key, v):
		case key == "condition":
			found = true
			d.Conditions = p.conditions(v)
		case key == "timeframe":
			p.fail(pos, "timeframe belongs to the old aggregations: write a correlation rule with a timespan")
		default:
			d.Searches = append(d.Searches, p.search(key, pos, v))
		}
	})
	if !ok {
		return d
	}
	if !found {
		p.fail(at, "condition is missing")
	}
	if len(d.Searches) == 0 {
		p.fail(at, "detection holds no search")
	}
	return d
}

func (p *parser) conditions(n *yaml.Node) []Condition {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = p.entries(n)
		if len(nodes) == 0 {
			p.fail(p.pos(n), "condition is empty")
		}
	}
	var out []Condition
	for _, x := range nodes {
		if x.Kind != yaml.ScalarNode || x.Tag == "!!null" {
			p.fail(p.pos(x), "condition is %s: expected text", describe(x))
			continue
		}
		c := Condition{Text: x.Value, Pos: p.pos(x)}
		switch {
		case x.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0, strings.Contains(x.Value, "\n"):
			c.Folded = true
		case x.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
			c.Pos.Col++
		}
		out = append(out, c)
	}
	return out
}

func (p *parser) search(name string, pos Pos, n *yaml.Node) Search {
	s := Search{Name: name, Pos: pos}
	switch n.Kind {
	case yaml.MappingNode:
		s.Groups = []Group{p.group(n, name)}
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			p.fail(pos, "search %q is empty", name)
		}
		for _, x := range p.entries(n) {
			switch x.Kind {
			case yaml.MappingNode:
				s.Groups = append(s.Groups, p.group(x, name))
			case yaml.ScalarNode:
				s.Groups = append(s.Groups, p.keyword(x))
			default:
				p.fail(p.pos(x), "entry of search %q is %s: expected text or a mapping of fields", name, describe(x))
			}
		}
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			p.fail(pos, "search %q is empty", name)
			break
		}
		s.Groups = []Group{p.keyword(n)}
	default:
		p.fail(pos, "search %q is %s", name, describe(n))
	}
	return s
}

func (p *parser) keyword(n *yaml.Node) Group {
	return Group{{Values: []Value{p.value(n)}, Pos: p.pos(n)}}
}

func (p *parser) group(n *yaml.Node, name string) Group {
	var g Group
	p.each(n, "search "+strconv.Quote(name), func(key string, pos Pos, v *yaml.Node) {
		parts := strings.Split(key, "|")
		it := Item{Key: key, Field: parts[0], Modifiers: parts[1:], Pos: pos}
		switch v.Kind {
		case yaml.ScalarNode:
			it.Values = []Value{p.value(v)}
		case yaml.SequenceNode:
			it.List = true
			if len(v.Content) == 0 {
				p.fail(pos, "%q has an empty list of values", key)
			}
			for _, x := range p.entries(v) {
				if x.Kind != yaml.ScalarNode {
					p.fail(p.pos(x), "value of %q is %s: expected text, a number, true, false or null", key, describe(x))
					continue
				}
				it.Values = append(it.Values, p.value(x))
			}
		default:
			p.fail(p.pos(v), "value of %q is %s: expected a value or a list of values", key, describe(v))
		}
		g = append(g, it)
	})
	if len(g) == 0 {
		p.fail(p.pos(n), "search %q holds an empty mapping", name)
	}
	return g
}

func (p *parser) value(n *yaml.Node) Value {
	v := Value{Kind: String, Text: n.Value, Pos: p.pos(n)}
	switch n.Tag {
	case "!!null":
		v.Kind, v.Text = Null, ""
	case "!!bool":
		v.Kind, v.Text = Bool, strings.ToLower(n.Value)
	case "!!int", "!!float":
		v.Kind = Number
		text, ok := decimal(n.Value, n.Tag == "!!int")
		if !ok {
			p.fail(v.Pos, "%s is no number that can be compared", n.Value)
		}
		v.Text = text
	}
	return v
}

// decimal writes a YAML number as JSON would.
func decimal(s string, isInt bool) (string, bool) {
	s = strings.TrimPrefix(strings.ReplaceAll(s, "_", ""), "+")
	if n, ok := new(big.Int).SetString(s, 10); ok { // "010" too: octal is written 0o10
		return n.String(), true // YAML calls the longest ones floats
	}
	if isInt {
		if n, ok := new(big.Int).SetString(s, 0); ok {
			return n.String(), true
		}
		return "", false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f-f != 0 { // infinite or not a number
		return "", false
	}
	return strconv.FormatFloat(f, 'g', -1, 64), true
}
