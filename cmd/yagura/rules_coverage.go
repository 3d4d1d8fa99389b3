package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/coverage"
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) rulesCoverage() *cobra.Command {
	var during period
	var navigator string
	c := &cobra.Command{
		Use: "coverage [PATH...]", Short: "Say which ATT&CK techniques rules are about, and which have fired",
		Long: `Coverage lists the techniques that the built-in and configured rules, and those of
further paths, name in their tags, and how far each is covered: a rule is about it
(covered), records of a log source that one of its rules needs are stored (present),
one of its rules has found something (fired). --since and --until bound both.

With --navigator it writes them as a layer of the ATT&CK Navigator (format 4.5)
too.`,
		Example: "  yagura rules coverage --since 90d\n  yagura rules coverage --navigator layer.json",
		RunE: func(c *cobra.Command, args []string) error {
			since, until, err := during.times(p.now())
			if err != nil {
				return err
			}
			return p.coverage(c.Context(), args, navigator, since, until)
		},
	}
	during.flags(c)
	c.Flags().StringVar(&navigator, "navigator", "", "write a layer of the ATT&CK Navigator into this file")
	return c
}

// Coverage is the JSON of `rules coverage`.
type Coverage struct {
	Techniques []coverage.Technique `json:"techniques"`
	Untagged   int                  `json:"rules_without_technique"`
	// Data: there is a data directory. Without it nothing is present or fired.
	Data bool `json:"data"`
}

func (p *program) coverage(ctx context.Context, paths []string, navigator string, since, until time.Time) error {
	if err := p.rulesThere(paths); err != nil {
		return err
	}
	d, refused := catalogue.Rules(p.cfg.Rules, paths)
	p.refused(refused)
	out := Coverage{Techniques: []coverage.Technique{}}
	present, fired := map[string]bool{}, map[string]int64{}
	if there(filepath.Join(p.dir, "lake.db")) {
		out.Data = true
		var err error
		if present, fired, err = p.happened(ctx, since, until); err != nil {
			return err
		}
	}
	var rules []coverage.Rule
	for _, r := range judging(d) {
		r.Fired = fired[r.ID]
		for _, name := range strings.Split(r.LogSource, ", ") {
			r.Present = r.Present || present[name]
		}
		rules = append(rules, r)
	}
	if all, untagged := coverage.Of(rules); len(all) > 0 {
		out.Techniques, out.Untagged = all, untagged
	}
	if navigator != "" {
		if err := writeLayer(navigator, out.Techniques); err != nil {
			return err
		}
	}
	return p.printCoverage(out, len(rules))
}

// judging is the rules and correlations of a detector that give findings. The
// id is what findings name, the log sources those of records that there are.
func judging(d *rule.Detector) []coverage.Rule {
	var out []coverage.Rule
	add := func(m *sigma.Meta, sources ...sigma.LogSource) {
		if d.Plan().Quiet(m) {
			return
		}
		var names []string
		for _, l := range sources {
			for _, s := range rule.Sources {
				if covered(l, s) {
					l = sigma.LogSource{Category: s.Category, Product: s.Product, Service: s.Service}
				}
			}
			names = append(names, l.String())
		}
		out = append(out, coverage.Rule{ID: m.Key(), Title: m.Title, Level: m.Level, Tags: m.Tags, LogSource: strings.Join(names, ", ")})
	}
	for i := range d.Len() {
		r := d.Set().Rule(i)
		add(&r.Meta, r.LogSource)
	}
	for _, c := range d.Plan().Correlations {
		var sources []sigma.LogSource
		for _, b := range c.Bases {
			sources = append(sources, b.Rule.LogSource)
		}
		add(&c.Meta, sources...)
	}
	return out
}

// happened says of which log sources records are stored, and how many events are
// in the findings of each rule; those out of sight count too.
func (p *program) happened(ctx context.Context, since, until time.Time) (present map[string]bool, fired map[string]int64, err error) {
	r, err := p.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	present, fired = map[string]bool{}, map[string]int64{}
	for format, s := range rule.Sources {
		q := query.Query{Where: query.Eq{Field: "format", Value: format}, Since: since, Until: until, Limit: 1}
		for _, err := range r.lake.Select(ctx, q) {
			if err != nil {
				return nil, nil, err
			}
			present[sigma.LogSource{Category: s.Category, Product: s.Product, Service: s.Service}.String()] = true
		}
	}
	page, _, err := r.triage.List(ctx, triage.Filter{Since: since, Until: until, Demoted: true, Staged: true})
	for _, f := range page {
		fired[f.Rule] += f.Count
	}
	return present, fired, err
}

func writeLayer(path string, all []coverage.Technique) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(coverage.WriteNavigator(f, all), f.Close())
}

func (p *program) printCoverage(c Coverage, rules int) error {
	if p.flags.format == "json" {
		return p.printJSON(c)
	}
	count := map[coverage.State]int{}
	var rows [][]string
	for _, t := range c.Techniques {
		count[t.State]++
		if p.flags.format == "jsonl" {
			if err := p.printRow(t); err != nil {
				return err
			}
			continue
		}
		titles := oneLine(strings.Join(t.Rules, "; "))
		if p.flags.format == "table" {
			titles = firstOf(t.Rules)
		}
		rows = append(rows, []string{t.ID, t.Name, string(t.State), fmt.Sprint(len(t.Rules)), fmt.Sprint(t.Present), fmt.Sprint(t.FiredRules), p.count(t.Events), titles})
	}
	if p.flags.format == "jsonl" {
		return nil
	}
	if err := p.printTable([]string{"technique", "name", "state", "rules", "with logs", "fired", "events", "titles"}, rows); err != nil || p.flags.format == "csv" {
		return err
	}
	fmt.Fprintf(p.stdout, "\n%s of %s: %d have fired, %d have logs and did not fire, %d have no logs. %s no technique.\n",
		many(int64(len(c.Techniques)), "technique", "techniques"), many(int64(rules), "rule", "rules"),
		count[coverage.Fired], count[coverage.Present], count[coverage.Covered], many(int64(c.Untagged), "rule names", "rules name"))
	if !c.Data {
		fmt.Fprintf(p.stdout, "%s holds no data: what is present and what has fired is not known.\n", safe(p.dir))
	}
	return nil
}

// firstOf is the first of several titles, and how many more there are.
func firstOf(titles []string) string {
	if len(titles) == 0 {
		return ""
	}
	first := cut(oneLine(titles[0]), 70)
	if more := len(titles) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", first, more)
	}
	return first
}
