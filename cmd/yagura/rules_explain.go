package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

func (p *program) rulesExplain() *cobra.Command {
	var extra []string
	var number int
	c := &cobra.Command{
		Use: "explain RULE EVENT", Short: "Say why a rule matches an event, or why it does not", Args: cobra.ExactArgs(2),
		Long: `Explain holds one record against one rule and shows, part by part, what holds and
what does not: the pattern as it is written, what the record has, and why. RULE is
an id, name or title of a rule that is configured or built in, or a file that holds
one. EVENT is the uid of a stored event or the beginning of one, a file with raw
records as logs hold them, or - for standard input; of several records --record says
which. Of a correlation it shows which of its rules the event matches, and for which
group it then counts.`,
		Example: `  yagura rules explain trail-stopped 01a3f5c2
  yagura rules explain my-rules/sweep.yml record.json --format json`,
		RunE: func(c *cobra.Command, args []string) error {
			if number < 0 || c.Flags().Changed("record") && number == 0 {
				return wrong("--record %d: records are counted from 1", number)
			}
			return p.explain(c.Context(), args[0], args[1], number, extra)
		},
	}
	c.Flags().IntVar(&number, "record", 0, "the number of the record in its file, from 1")
	c.Flags().StringArrayVar(&extra, "rules", nil, "a folder of Sigma rules besides our own, to look RULE up in; may be repeated")
	return c
}

// Explained is one of the rules in the JSON of `rules explain`.
type Explained struct {
	Rule  string `json:"rule"`
	Title string `json:"title"`
	Kind  string `json:"kind"` // rule or correlation
	Event string `json:"event"`
	// Held: the rule matches the event. Of a correlation: one of its rules does.
	Held bool `json:"held"`
	// Applies: the rule's log source is that of the event, as far as it is known.
	Applies bool        `json:"applies"`
	Root    *match.Step `json:"root,omitempty"`
	// Of a correlation, for each rule that it rests on:
	Rules []Explained `json:"rules,omitempty"`
	// Of such a rule: the fields that the correlation looks at.
	Fields map[string][]string `json:"fields,omitempty"`
}

// record is what is explained.
type record struct {
	name   string
	raw    []byte
	source match.Source // zero: not known
	ask    correlate.Lookup
}

func (p *program) explain(ctx context.Context, name, what string, number int, extra []string) error {
	if err := p.rulesThere(extra); err != nil {
		return err
	}
	chosen, err := p.choose([]string{name}, extra)
	if err != nil {
		return err
	}
	rec, err := p.record(ctx, what, number)
	if err != nil {
		return err
	}
	d, refused := rule.New(chosen.all, p.ruleOptions)
	var all []Explained
	for _, c := range d.Plan().Correlations {
		if isOf(&c.Meta, chosen.Documents) && (!d.Plan().Quiet(&c.Meta) || len(chosen.Correlations) == 1) {
			e, err := explainCorrelation(d, c, rec)
			if err != nil {
				return err
			}
			all = append(all, e)
		}
	}
	for i := range d.Len() {
		// Of a file that holds a correlation, the rules below it are shown with it.
		if r := d.Set().Rule(i); isOf(&r.Meta, chosen.Documents) && !d.Plan().Quiet(&r.Meta) || len(chosen.Correlations) == 0 && isOf(&r.Meta, chosen.Documents) {
			e, err := explainRule(d, i, rec)
			if err != nil {
				return err
			}
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		p.refused(plain(refused))
		return fmt.Errorf("%s: the rule cannot be used", name)
	}
	return p.printExplained(all)
}

func isOf(m *sigma.Meta, docs sigma.Documents) bool {
	same := func(x *sigma.Meta) bool { return x.File == m.File && x.Key() == m.Key() } // pipelines make copies
	return slices.ContainsFunc(docs.Rules, func(r *sigma.Rule) bool { return same(&r.Meta) }) ||
		slices.ContainsFunc(docs.Correlations, func(c *sigma.Correlation) bool { return same(&c.Meta) })
}

// record finds what EVENT names.
func (p *program) record(ctx context.Context, what string, number int) (record, error) {
	if what != "-" && !there(what) {
		if number != 0 {
			return record{}, wrong("--record is of files: %s is none", what)
		}
		return p.storedRecord(ctx, what)
	}
	return p.fileRecord(what, number)
}

// storedRecord is the stored event whose uid begins so.
func (p *program) storedRecord(ctx context.Context, uid string) (record, error) {
	q := query.Query{Limit: 2}
	var err error
	if _, whole := event.ParseUID(uid); whole {
		q.Where, err = query.Parse("uid:" + uid)
	} else {
		q.Where, err = query.Parse("uid:" + uid + "*")
	}
	if err != nil {
		return record{}, wrong("%s is no file, nor the uid of an event: `yagura search` shows uids in its last column", uid)
	}
	r, err := p.read(ctx)
	if err != nil {
		return record{}, err
	}
	defer r.Close()
	var found []event.Event
	for e, err := range r.lake.Select(ctx, q) {
		if err != nil {
			return record{}, err
		}
		found = append(found, e)
	}
	switch len(found) {
	case 0:
		return record{}, fmt.Errorf("no stored event has a uid that begins with %s", uid)
	case 1:
		e := &found[0]
		return record{e.UID.String(), e.Raw, rule.Sources[e.Format], catalogue.ColumnsOf(e)}, nil
	}
	return record{}, wrong("the uids of several events begin with %s: write more of it", uid)
}

func explainRule(d *rule.Detector, i int, rec record) (Explained, error) {
	r := d.Set().Rule(i)
	source := rec.source
	if source == (match.Source{}) {
		source = match.SourceOf(r)
	}
	e, err := d.Set().ExplainJSON(d.Set().NewScratch(), rec.raw, source, i)
	if err != nil {
		return Explained{}, err
	}
	return Explained{Rule: r.Key(), Title: r.Title, Kind: "rule", Event: rec.name, Held: e.Held, Applies: e.Applies, Root: &e.Root}, nil
}

func explainCorrelation(d *rule.Detector, c *correlate.Correlation, rec record) (Explained, error) {
	out := Explained{Rule: c.Key(), Title: c.Title, Kind: "correlation", Event: rec.name}
	for _, b := range c.Bases {
		for i := range d.Len() {
			if d.Set().Rule(i) != b.Rule {
				continue
			}
			e, err := explainRule(d, i, rec)
			if err != nil {
				return out, err
			}
			hit, err := b.Hit(time.Time{}, rec.name, rec.raw, rec.ask)
			if err != nil {
				return out, err
			}
			e.Fields = map[string][]string{}
			for k, field := range b.Fields {
				e.Fields[field] = append([]string{}, hit.Values[k]...)
			}
			out.Held, out.Applies = out.Held || e.Held, out.Applies || e.Applies
			out.Rules = append(out.Rules, e)
		}
	}
	return out, nil
}

func (p *program) printExplained(all []Explained) error {
	switch p.flags.format {
	case "json":
		return p.printJSON(map[string]any{"rules": all})
	case "jsonl":
		for _, e := range all {
			if err := p.printRow(e); err != nil {
				return err
			}
		}
		return nil
	}
	for _, e := range all {
		if e.Kind == "correlation" && p.flags.format == "table" {
			n := 0
			for _, r := range e.Rules {
				if r.Held {
					n++
				}
			}
			fmt.Fprintf(p.stdout, "%s (correlation): the event matches %d of the %s it rests on\n\n", safe(oneLine(e.Title)), n, many(int64(len(e.Rules)), "rule", "rules"))
			for _, r := range e.Rules {
				if err := p.printTree(r); err != nil {
					return err
				}
			}
			continue
		}
		for _, x := range append([]Explained{e}, e.Rules...) {
			if x.Root == nil {
				continue
			}
			if err := p.printTree(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// printTree shows a rule, a line a node.
func (p *program) printTree(e Explained) error {
	if p.flags.format == "table" {
		verdict := "matches"
		if !e.Held {
			verdict = "does not match"
		}
		if !e.Applies {
			verdict += ", and is for another log source"
		}
		fmt.Fprintf(p.stdout, "%s: %s %s\n", safe(oneLine(e.Title)), safe(e.Event), verdict)
	}
	var rows [][]string
	var visit func(s *match.Step, depth int)
	visit = func(s *match.Step, depth int) {
		if len(s.Steps) == 1 && s.LeftOut == 0 && (s.Kind == "item" || s.Kind == "and" || s.Kind == "or") { // says no more than what it holds
			visit(&s.Steps[0], depth)
			return
		}
		holds := "no"
		if s.Held {
			holds = "yes"
		}
		pattern := s.Pattern
		if p.flags.format == "table" {
			pattern = cut(oneLine(pattern), 60)
		}
		rows = append(rows, []string{holds, strings.Repeat("  ", depth) + nodeOf(s), pattern, shown(s), reasonOf(s)})
		below := s
		if s.Kind == "search" && len(s.Steps) == 1 && s.Steps[0].Kind == "and" { // the map of a search
			below = &s.Steps[0]
		}
		for i := range below.Steps {
			visit(&below.Steps[i], depth+1)
		}
		if below.LeftOut > 0 {
			rows = append(rows, []string{"", strings.Repeat("  ", depth+1) + fmt.Sprintf("… and %d more", below.LeftOut), "", "", ""})
		}
	}
	visit(e.Root, 0)
	err := p.printTable([]string{"holds", "part", "pattern", "record has", "why"}, rows)
	if p.flags.format != "table" {
		return err
	}
	if e.Held && len(e.Fields) > 0 {
		fmt.Fprintln(p.stdout, "the correlation takes from it:")
		for _, field := range slices.Sorted(maps.Keys(e.Fields)) {
			fmt.Fprintf(p.stdout, "  %s: %s\n", safe(field), safe(oneLine(cmp.Or(strings.Join(e.Fields[field], ", "), absent))))
		}
	}
	_, werr := fmt.Fprintln(p.stdout)
	return errors.Join(err, werr)
}

// cut keeps the beginning of a text that is too long for a cell.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// nodeOf names a node of a rule as it is written.
func nodeOf(s *match.Step) string {
	switch s.Kind {
	case "search":
		return s.Name
	case "item":
		return s.Key
	case "value":
		if s.Key == "" {
			return "keyword"
		}
		return s.Key
	case "at_least":
		return "some of"
	case "and":
		return "all of"
	case "or":
		return "any of"
	}
	return s.Kind
}

// shown is what the record has where a value looks.
func shown(s *match.Step) string {
	if s.Kind != "value" {
		return ""
	}
	if len(s.Actual) == 0 && s.Field != "" {
		return absent
	}
	return short(oneLine(strings.Join(s.Actual, ", ")), 80)
}

// absent stands for what a record does not have.
const absent = "(absent)"

// reasonOf says in words how a value came to its answer.
func reasonOf(s *match.Step) string {
	if s.Kind != "value" {
		return ""
	}
	return map[match.Why]string{
		match.Matched: "matches", match.FieldAbsent: "absent", match.FieldPresent: "is there", match.ValueMismatch: "different",
		match.CaseMismatch: "different case", match.TypeMismatch: "of another type", match.NoKeyword: "occurs nowhere",
	}[s.Why]
}
