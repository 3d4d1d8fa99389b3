package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// strings calls f for the text values of items that the step is for, with their
// modifiers worked in; f gives what to put in a text's place, or false to leave
// it. Values of another type, and such as unfold into several, are left alone, as
// pySigma leaves them.
func (w *work) strings(s *step, f func(n *node, v sigma.Value, expand bool) ([]sigma.Value, bool)) {
	w.each(s, func(n *node) bool {
		it, ok := ir.Worked(n.item)
		if !ok {
			return false
		}
		expand := slices.Contains(it.Modifiers, "expand")
		var values [][]sigma.Value
		changed := false
		for _, v := range it.Values {
			to, ok := f(n, v, expand)
			if !ok {
				to = []sigma.Value{v}
			}
			for i := range to {
				to[i].Pos = v.Pos
			}
			changed = changed || ok
			values = append(values, to)
		}
		if changed {
			w.replace(n, it, values)
		}
		return changed
	})
}

// replace puts values in the place of those of n, which is read as it from now
// on. Several in the place of one are alternatives.
func (w *work) replace(n *node, it sigma.Item, values [][]sigma.Value) {
	if len(it.Modifiers) != len(n.item.Modifiers) {
		it.Key = renamed(&it)
	}
	n.item = it
	n.item.Values = slices.Concat(values...)
	if w.size += len(n.item.Values); !n.has("all") || !slices.ContainsFunc(values, func(vs []sigma.Value) bool { return len(vs) > 1 }) {
		return
	}
	var parts []sigma.Item
	for _, vs := range values {
		part := it
		part.Values = vs
		part.Modifiers = slices.DeleteFunc(slices.Clone(it.Modifiers), func(m string) bool { return m == "all" })
		parts = append(parts, part)
	}
	w.split(n, parts, !n.has("neq"))
}

// placeholders fills placeholders with values of vars, with those of a file, or
// with a wildcard.
type placeholders struct {
	wildcard         bool
	values           []string // of a file, whatever the name; nil: those of vars
	include, exclude []string // nil: not given
}

func readPlaceholders(m *mapping, wildcard bool) transformation {
	t := placeholders{wildcard: wildcard, include: m.texts("include"), exclude: m.texts("exclude")}
	if m.value["include"] != nil && m.value["exclude"] != nil {
		m.r.fail(m.at["exclude"], "include and exclude exclude each other")
	}
	return t
}

func (t placeholders) handles(name string) bool {
	return (t.include == nil || slices.Contains(t.include, name)) && !slices.Contains(t.exclude, name)
}

func (t placeholders) apply(w *work, s *step) {
	w.each(s, func(n *node) bool {
		if !n.has("expand") {
			return false
		}
		values := func(name string) ([]string, bool) {
			if !t.handles(name) {
				return nil, false
			}
			if t.wildcard {
				return []string{"*"}, true
			}
			if t.values != nil {
				return t.values, true
			}
			if w.vars[name] == nil {
				w.fail(n, s, "%s: the pipelines have no variable %q for the placeholder", keyOf(&n.item), name)
			}
			return w.vars[name], true
		}
		if n.has("re") {
			return t.expandRegex(w, s, n, values)
		}
		return t.expandText(w, s, n, values)
	})
}

func (t placeholders) expandText(w *work, s *step, n *node, values func(string) ([]string, bool)) bool {
	var all [][]ir.Text
	changed, left := false, false
	for _, v := range n.item.Values {
		forms := []ir.Text{nil}
		if v.Kind != sigma.String {
			all = append(all, []ir.Text{{{Kind: ir.Plain, Text: v.Text}}})
			continue
		}
		for _, p := range ir.ParseText(v.Text, true) {
			some := []ir.Text{{p}}
			if p.Kind == ir.Placeholder {
				if found, ok := values(p.Text); ok {
					changed, some = true, nil
					for _, x := range found {
						some = append(some, ir.ParseText(x, false))
					}
				} else {
					left = true
				}
			}
			if len(forms)*len(some) > maxItems {
				w.fail(n, s, "%s: placeholders unfold into more than %d values", keyOf(&n.item), maxItems)
				return false
			}
			var next []ir.Text
			for _, head := range forms {
				for _, tail := range some {
					next = append(next, slices.Concat(head, tail))
				}
			}
			forms = next
		}
		all = append(all, forms)
	}
	if !changed {
		return false
	}
	it := n.item
	if !left {
		it.Modifiers = slices.DeleteFunc(slices.Clone(it.Modifiers), func(m string) bool { return m == "expand" })
	}
	var out [][]sigma.Value
	for i, forms := range all {
		var vs []sigma.Value
		for _, x := range forms {
			vs = append(vs, sigma.Value{Kind: sigma.String, Text: x.Format(left), Pos: n.item.Values[i].Pos})
		}
		out = append(out, vs)
	}
	w.replace(n, it, out)
	return true
}

func (t placeholders) expandRegex(w *work, s *step, n *node, values func(string) ([]string, bool)) bool {
	it := n.item
	it.Values = slices.Clone(it.Values)
	changed, left := false, false
	for i := range it.Values {
		text, _, err := ir.ExpandRegex(it.Values[i].Text, func(name string) ([]string, bool) {
			found, ok := values(name)
			left = left || !ok
			return found, ok
		})
		if err != nil {
			w.fail(n, s, "%s: %v", keyOf(&n.item), err)
			return false
		}
		changed = changed || text != it.Values[i].Text
		it.Values[i].Text = text
	}
	if !changed {
		return false
	}
	if !left {
		it.Modifiers = slices.DeleteFunc(slices.Clone(it.Modifiers), func(m string) bool { return m == "expand" })
	}
	it.Key = renamed(&it)
	n.item = it
	return true
}

// replaceString replaces what an expression matches in texts.
type replaceString struct {
	re       *regexp.Regexp
	with     string // as Go's templates have it
	parts    bool   // of plain parts alone, wildcards and placeholders left as they are
	wildcard bool   // with parts: wildcards in the replacement count
}

func readReplace(m *mapping) transformation {
	t := replaceString{re: m.regex("regex", false), parts: m.flag("skip_special"), wildcard: m.flag("interpret_special")}
	if m.value["replacement"] == nil {
		m.r.fail(m.self, `%s lacks "replacement"`, m.what)
		return t
	}
	text := m.text("replacement", false)
	with, err := template(text, t.re)
	if err != nil {
		m.r.fail(pos(m.value["replacement"]), "replacement: %v", err)
	}
	t.with = with
	return t
}

// template translates a replacement of Python's re.sub into one of Go's.
func template(s string, re *regexp.Regexp) (string, error) {
	var b strings.Builder
	group := func(name string) error {
		if n, err := strconv.Atoi(name); re != nil && (err == nil && n > re.NumSubexp() || err != nil && re.SubexpIndex(name) < 0) {
			return fmt.Errorf("the expression has no group %s", name)
		}
		b.WriteString("${" + name + "}")
		return nil
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '$' {
			b.WriteString("$$")
			continue
		}
		if c != '\\' || i+1 == len(s) {
			b.WriteByte(c)
			continue
		}
		i++
		switch c := s[i]; {
		case c == '\\':
			b.WriteByte('\\')
		case c == 'n':
			b.WriteByte('\n')
		case c == 't':
			b.WriteByte('\t')
		case c == 'r':
			b.WriteByte('\r')
		case c == 'g' && i+1 < len(s) && s[i+1] == '<' && strings.Contains(s[i:], ">"):
			name, _, _ := strings.Cut(s[i+2:], ">")
			i += len(name) + 2
			if err := group(name); err != nil {
				return "", err
			}
		case '1' <= c && c <= '9':
			j := i + 1
			if j < len(s) && '0' <= s[j] && s[j] <= '9' {
				j++
			}
			if err := group(s[i:j]); err != nil {
				return "", err
			}
			i = j - 1
		case unicode.IsLetter(rune(c)) || c == '0':
			return "", fmt.Errorf(`\%c means nothing in a replacement`, c)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

func (t replaceString) apply(w *work, s *step) {
	w.strings(s, func(_ *node, v sigma.Value, expand bool) ([]sigma.Value, bool) {
		switch v.Kind {
		case sigma.Number:
		case sigma.String:
		default:
			return nil, false
		}
		if !t.parts || v.Kind == sigma.Number {
			text := v.Text
			if v.Kind == sigma.String {
				text = ir.ParseText(v.Text, expand).Format(expand)
			}
			return []sigma.Value{{Kind: sigma.String, Text: t.re.ReplaceAllString(text, t.with)}}, true
		}
		var out ir.Text
		for _, p := range ir.ParseText(v.Text, expand) {
			if p.Kind != ir.Plain {
				out = append(out, p)
				continue
			}
			text := t.re.ReplaceAllString(p.Text, t.with)
			if t.wildcard {
				out = append(out, ir.ParseText(text, expand)...)
			} else {
				out = append(out, ir.TextPart{Kind: ir.Plain, Text: text})
			}
		}
		return []sigma.Value{{Kind: sigma.String, Text: out.Format(expand)}}, true
	})
}

// mapString replaces whole texts by others.
type mapString map[string][]sigma.Value

func readMapString(m *mapping) transformation {
	t := mapString{}
	table := m.table()
	for _, key := range table.keys {
		for _, text := range table.targets(key) {
			t[notation(key)] = append(t[notation(key)], sigma.Value{Kind: sigma.String, Text: text})
		}
	}
	return t
}

func (t mapString) apply(w *work, s *step) {
	w.strings(s, func(_ *node, v sigma.Value, _ bool) ([]sigma.Value, bool) {
		to, ok := t[notation(v.Text)]
		return slices.Clone(to), ok && v.Kind == sigma.String
	})
}

// setValue puts one value in the place of all that an item has, whatever they are.
type setValue sigma.Value

func readSetValue(m *mapping) transformation {
	v := m.scalar("value")
	switch m.one("force_type", "", "str", "num") {
	case "str":
		if v.Kind == sigma.Null || v.Kind == sigma.Bool {
			m.r.fail(m.at["force_type"], "force_type goes with text and numbers")
		}
		v.Kind = sigma.String
	case "num":
		if text, ok := decimal(v.Text); ok && v.Kind != sigma.Null {
			v.Kind, v.Text = sigma.Number, text
		} else {
			m.r.fail(v.Pos, "%q is no number", v.Text)
		}
	}
	return setValue(v)
}

func (t setValue) apply(w *work, s *step) {
	w.each(s, func(n *node) bool {
		v := sigma.Value(t)
		if len(n.item.Values) > 0 {
			v.Pos = n.item.Values[0].Pos
		}
		n.item.Values = []sigma.Value{v}
		n.item.Modifiers = slices.DeleteFunc(slices.Clone(n.item.Modifiers), func(m string) bool { return m != "neq" })
		n.item.Key = renamed(&n.item)
		return true
	})
}

// convertType makes text of values, or numbers.
type convertType string

func readConvert(m *mapping) transformation {
	if m.value["target_type"] == nil {
		m.r.fail(m.self, `%s lacks "target_type"`, m.what)
	}
	return convertType(m.one("target_type", "str", "num"))
}

func (t convertType) apply(w *work, s *step) {
	w.strings(s, func(n *node, v sigma.Value, expand bool) ([]sigma.Value, bool) {
		switch {
		case v.Kind == sigma.Null:
			return nil, false
		case t == "str":
			if v.Kind == sigma.String {
				return nil, false
			}
			return []sigma.Value{{Kind: sigma.String, Text: v.Text}}, true
		}
		text, ok := decimal(v.Text)
		if !ok || v.Kind == sigma.Bool {
			w.fail(n, s, "%s: %q is no number", keyOf(&n.item), v.Text)
			return nil, false
		}
		return []sigma.Value{{Kind: sigma.Number, Text: text}}, v.Kind == sigma.String
	})
}

// changeCase writes texts in lower or upper case, or as snake_case.
type changeCase func(string) string

func readCase(m *mapping) transformation {
	return map[string]changeCase{"lower": strings.ToLower, "upper": strings.ToUpper, "snake_case": snake}[m.one("method", "lower", "upper", "snake_case")]
}

// snake writes CreateAccessKey as create_access_key and HTTPPort as http_port.
func snake(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && runes[i-1] != '_' &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (f changeCase) apply(w *work, s *step) {
	if f == nil { // a method that was refused
		return
	}
	w.strings(s, func(_ *node, v sigma.Value, expand bool) ([]sigma.Value, bool) {
		if v.Kind != sigma.String {
			return nil, false
		}
		x := ir.ParseText(v.Text, expand)
		for i := range x {
			if x[i].Kind == ir.Plain {
				x[i].Text = f(x[i].Text)
			}
		}
		return []sigma.Value{{Kind: sigma.String, Text: x.Format(expand)}}, true
	})
}

// toRegex makes regular expressions of texts, which match the same values: plain
// ones by case, the others whatever it is.
type toRegex bool // case counts

func readRegex(m *mapping) transformation {
	method := m.one("method", "ignore_case_brackets", "ignore_case_flag", "plain")
	return toRegex(method == "plain")
}

func (t toRegex) apply(w *work, s *step) {
	w.each(s, func(n *node) bool {
		it, ok := ir.Worked(n.item)
		if !ok || !slices.ContainsFunc(it.Values, func(v sigma.Value) bool { return v.Kind == sigma.String && v.Text != "" }) {
			return false
		}
		if slices.Contains(it.Modifiers, "expand") {
			w.fail(n, s, "%s: placeholders have to be filled before expressions are made", keyOf(&n.item))
			return false
		}
		n.item = it
		n.item.Key = renamed(&n.item)
		w.splitValues(n, func(v sigma.Value) string {
			if v.Kind == sigma.String && v.Text != "" {
				return "re"
			}
			return ""
		})
		for _, part := range n.parts {
			if part.item.Values[0].Kind == sigma.String && part.item.Values[0].Text != "" {
				t.rewrite(&part.item)
			}
		}
		return true
	})
}

func (t toRegex) rewrite(it *sigma.Item) {
	for i := range it.Values {
		it.Values[i].Text = ir.ParseText(it.Values[i].Text, false).Regex()
	}
	mods := []string{"re"}
	if !bool(t) && !slices.Contains(it.Modifiers, "cased") {
		mods = append(mods, "i")
	}
	for _, m := range it.Modifiers {
		if m != "cased" {
			mods = append(mods, m)
		}
	}
	it.Modifiers = mods
	it.Key = renamed(it)
}

// hashes makes of a field of several hashes one field for each algorithm.
type hashes struct {
	algorithms []string
	prefix     string
	drop       bool // the algorithm stays out of the field's name
}

func readHashes(m *mapping) transformation {
	t := hashes{algorithms: m.some("valid_hash_algos"), prefix: m.text("field_prefix", false), drop: m.flag("drop_algo_prefix")}
	if t.drop && t.prefix == "" {
		m.r.fail(m.at["drop_algo_prefix"], "without the algorithm and without field_prefix the field would have no name")
	}
	return t
}

// byLength is the algorithm of a hash that names none, by its length in hexadecimal.
var byLength = map[int]string{32: "MD5", 40: "SHA1", 64: "SHA256", 128: "SHA512"}

func (t hashes) apply(w *work, s *step) {
	w.each(s, func(n *node) bool {
		it, ok := ir.Worked(n.item)
		if !ok || slices.ContainsFunc(it.Values, func(v sigma.Value) bool { return v.Kind != sigma.String }) {
			return false
		}
		fields := map[string]string{}
		for i, v := range it.Values {
			algorithm, hash, ok := t.parse(v.Text)
			if !ok {
				w.fail(n, s, "%s: %q is no hash of %s", keyOf(&n.item), v.Text, strings.Join(t.algorithms, ", "))
				return false
			}
			it.Values[i].Text = hash
			if t.drop {
				algorithm = ""
			}
			fields[hash] = t.prefix + algorithm
		}
		it.Key = renamed(&it)
		n.item = it
		w.splitValues(n, func(v sigma.Value) string { return fields[v.Text] })
		for _, part := range n.parts {
			part.item.Field = fields[part.item.Values[0].Text]
			part.item.Key = renamed(&part.item)
		}
		return true
	})
}

// parse reads MD5=… or MD5|… or a hash alone, within wildcards.
func (t hashes) parse(text string) (algorithm, hash string, ok bool) {
	hash = strings.Trim(text, "*")
	if name, rest, found := strings.Cut(strings.ReplaceAll(hash, "|", "="), "="); found {
		algorithm, hash = strings.ToUpper(name), rest
	} else {
		algorithm = byLength[len(hash)]
	}
	return algorithm, hash, hash != "" && !strings.Contains(hash, "=") && slices.Contains(t.algorithms, algorithm)
}
