package say

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// shape finds the values in words that a template made.
type shape struct {
	made  *regexp.Regexp
	names []string // by group of the expression
}

func (t template) shape() shape {
	var s shape
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := range t {
		switch p := &t[i]; {
		case p.name == "":
			b.WriteString(regexp.QuoteMeta(p.words))
		case p.choice != nil:
			b.WriteString("(?:" + regexp.QuoteMeta(p.choice[0]) + "|" + regexp.QuoteMeta(p.choice[1]) + ")")
		default:
			b.WriteString("(.*?)")
			s.names = append(s.names, p.name)
		}
	}
	b.WriteString(`\z`)
	s.made = regexp.MustCompile(b.String())
	return s
}

// Pair is a sentence of others in two languages, with {names} where values stand:
// names of letters, digits, points and low lines. A name that comes twice may stand
// for two values: they keep their order.
type Pair struct {
	from shape
	to   template
}

// NewPair is the pair of both.
func NewPair(from, to string) *Pair {
	return &Pair{held(strings.ToValidUTF8(from, "\uFFFD")).shape(), held(to)}
}

var holder = regexp.MustCompile(`\{[\w.]+\}`)

// held reads a sentence of others, in which other braces are words.
func held(text string) (out template) {
	words := func(s string) {
		if s != "" {
			out = append(out, piece{words: s})
		}
	}
	at := 0
	for _, place := range holder.FindAllStringIndex(text, -1) {
		words(text[at:place[0]])
		out = append(out, piece{name: text[place[0]+1 : place[1]-1]})
		at = place[1]
	}
	words(text[at:])
	return out
}

// Told gives words that the first sentence made as the second has them; ok is false
// where it made them not.
func (p *Pair) Told(words string) (told string, ok bool) {
	found := p.from.made.FindStringSubmatch(words)
	if found == nil {
		return "", false
	}
	values := map[string][]string{}
	for i, name := range p.from.names {
		values[name] = append(values[name], found[i+1])
	}
	var b strings.Builder
	for i := range p.to {
		x := &p.to[i]
		b.WriteString(x.words)
		if all := values[x.name]; len(all) > 0 {
			b.WriteString(all[0])
			if len(all) > 1 {
				values[x.name] = all[1:]
			}
		}
	}
	return b.String(), true
}

// candidate is a sentence of the catalogue that may be known again.
type candidate struct {
	id string
	shape
	begins int      // 0: with words, 1: with a value
	words  int      // bytes that are no values
	counts []string // names of values that choose words
}

// again holds the sentences whose ids begin alike, by how: []candidate.
var again sync.Map

func beginning(ids string) []candidate {
	if all, ok := again.Load(ids); ok {
		return all.([]candidate)
	}
	var out []candidate
	for id, s := range catalogue {
		if !strings.HasPrefix(id, ids) {
			continue
		}
		t := s.pieces[English]
		k := candidate{id: id, shape: t.shape()}
		if len(t) > 0 && t[0].words == "" {
			k.begins = 1
		}
		for i := range t {
			k.words += len(t[i].words)
			if t[i].choice != nil {
				k.counts = append(k.counts, t[i].name)
			}
		}
		if k.words > 0 { // else anything may be made of it
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.begins, b.begins), cmp.Compare(b.words, a.words), cmp.Compare(a.id, b.id))
	})
	all, _ := again.LoadOrStore(ids, out)
	return all.([]candidate)
}

// Again is a sentence that was kept as its English alone: of those whose ids begin
// so, the one that makes these very words, one that begins with words of its own
// before others, and that with the most of them; else they are words of others. A value that is called why is such a sentence too.
func Again(ids, english string) Text {
	if english == "" {
		return Text{}
	}
	for _, k := range beginning(ids) {
		found := k.made.FindStringSubmatch(english)
		if found == nil {
			continue
		}
		values := Values{}
		for i, name := range k.names {
			values[name] = found[i+1]
			if name == "why" {
				values[name] = Again(ids, found[i+1])
			}
			if n, err := strconv.ParseFloat(found[i+1], 64); err == nil && slices.Contains(k.counts, name) {
				values[name] = n
			}
		}
		if said := T(k.id, values); said.en == english {
			return said
		}
	}
	return Plain(english)
}
