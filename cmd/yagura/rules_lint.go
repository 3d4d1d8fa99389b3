package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/lint"
	"github.com/yagura-sec/yagura/sigma/match"
)

type lintFlags struct {
	strict, stored bool
	since          string
	sample         int
}

func (p *program) rulesLint() *cobra.Command {
	var f lintFlags
	c := &cobra.Command{
		Use: "lint [PATH...]", Short: "Say what is wrong with rules, and where",
		Long: `Lint reads rules (by default our own) and says with file, line and column what is
refused, what breaks the form of the specification, and what is allowed but
probably not meant: fields that the log source does not have, conditions that
cannot hold, missing cases, ATT&CK ids that are out of date, filters that touch
nothing or whose rules have changed since somebody looked. All paths are one set,
beside what is built in and configured: an id that is taken there is an error.

With --stored it looks into stored records besides, spread over the time, and
names rules whose fields never occur in them. Of a log source of which nothing is
stored it says nothing.

Exit code 1: something is an error, or with --strict anything was said.`,
		Example: "  yagura rules lint\n  yagura rules lint --stored --since 90d my-rules",
		RunE: func(c *cobra.Command, args []string) error {
			if f.sample < 1 {
				return wrong("--sample %d: at least one record", f.sample)
			}
			return p.lintRules(c.Context(), args, f)
		},
	}
	c.Flags().BoolVar(&f.strict, "strict", false, "warnings count as failures")
	c.Flags().BoolVar(&f.stored, "stored", false, "hold the rules' fields against stored records")
	c.Flags().StringVar(&f.since, "since", "30d", "with --stored, look at records from this time on: RFC 3339, a date, or 90d ago")
	c.Flags().IntVar(&f.sample, "sample", 20_000, "with --stored, look at about so many records of each log source")
	return c
}

// Looked says how many stored records of a log source rules were held against.
type Looked struct {
	LogSource string `json:"log_source"`
	Records   int64  `json:"records"`
	Rules     int    `json:"rules"`
}

func (p *program) lintRules(ctx context.Context, paths []string, f lintFlags) error {
	all, err := trees(paths)
	if err != nil {
		return err
	}
	out := struct {
		Rules    int            `json:"rules"`
		Problems []lint.Problem `json:"problems"`
		Stored   []Looked       `json:"stored,omitempty"`
	}{Problems: []lint.Problem{}}
	o := lint.Options{
		Options: p.placeholders(), Correlate: p.correlations(), Columns: catalogue.CaseColumns(),
	}
	if f.stored {
		var docs sigma.Documents
		for _, t := range all {
			some, _ := sigma.Load(t.FS, t.Shown)
			docs.Add(some)
		}
		if o.Stored, out.Stored, err = p.survey(ctx, docs.Rules, f); err != nil {
			return err
		}
	}
	known := p.known(paths)
	for _, t := range all {
		o.Known = elsewhere(known, t)
		docs, problems := lint.Folder(t.FS, t.Shown, o)
		out.Rules += len(docs.Rules) + len(docs.Correlations)
		out.Problems = append(out.Problems, problems...)
	}
	bad := slices.ContainsFunc(out.Problems, func(x lint.Problem) bool { return f.strict || x.Severity == lint.Error })
	switch p.flags.format {
	case "table":
		for _, x := range out.Problems {
			fmt.Fprintln(p.stdout, safe(x.String()))
		}
		for _, l := range out.Stored {
			p.looked(l)
		}
		_, err = fmt.Fprintf(p.stdout, "%d rules, %d problems\n", out.Rules, len(out.Problems))
	case "csv":
		rows := make([][]string, 0, len(out.Problems))
		for _, x := range out.Problems {
			rows = append(rows, []string{x.File, fmt.Sprint(x.Line), fmt.Sprint(x.Col), string(x.Severity), x.Check, x.Rule, x.Reason})
		}
		err = p.printTable([]string{"file", "line", "col", "severity", "check", "rule", "reason"}, rows)
	default:
		err = p.printJSON(out)
	}
	if err == nil && bad {
		return exit{code: exitFailed}
	}
	return err
}

func (p *program) looked(l Looked) {
	rules := many(int64(l.Rules), "rule", "rules")
	if l.Records == 0 {
		fmt.Fprintf(p.stdout, "of %s nothing is stored: whether the fields of its %s occur is unknown\n", safe(l.LogSource), rules)
		return
	}
	fmt.Fprintf(p.stdout, "of %s, %s were held against the fields of %s\n", safe(l.LogSource), many(l.Records, "stored record", "stored records"), rules)
}

// survey looks into stored records for the fields of rules, log source by log
// source. Those of which nothing is stored are told too.
func (p *program) survey(ctx context.Context, rules []*sigma.Rule, f lintFlags) ([]lint.Stored, []Looked, error) {
	since, err := moment("--since", f.since, p.now())
	if err != nil {
		return nil, nil, err
	}
	r, err := p.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	program, _ := ir.Compile(rules, p.placeholders())
	var stored []lint.Stored
	seen := map[string]*Looked{}
	for format, source := range rule.Sources {
		s := lint.NewSurvey(program, source)
		if s == nil {
			continue
		}
		if err := sample(ctx, r.lake, format, since, p.now(), f.sample, func(raw []byte) { s.Add(raw) }); err != nil {
			return nil, nil, err
		}
		got := s.Stored()
		stored = append(stored, got)
		seen[got.LogSource.String()] = &Looked{LogSource: got.LogSource.String(), Records: got.Records}
	}
	for _, x := range rules {
		name := x.LogSource.String()
		for _, source := range rule.Sources {
			if covered(x.LogSource, source) {
				name = sigma.LogSource{Category: source.Category, Product: source.Product, Service: source.Service}.String()
			}
		}
		if seen[name] == nil {
			seen[name] = &Looked{LogSource: name}
		}
		seen[name].Rules++
	}
	looked := make([]Looked, 0, len(seen))
	for _, l := range seen {
		looked = append(looked, *l)
	}
	slices.SortFunc(looked, func(a, b Looked) int { return strings.Compare(a.LogSource, b.LogSource) })
	return stored, looked, nil
}

// covered tells whether rules of a log source are held against records of another.
func covered(l sigma.LogSource, s match.Source) bool {
	within := func(rule, record string) bool { return rule == "" || strings.EqualFold(rule, record) }
	return within(l.Category, s.Category) && within(l.Product, s.Product) && within(l.Service, s.Service)
}

// sampleSlices is how many parts of the time a sample is spread over, at most.
const sampleSlices = 60

// sample calls f with the records of about n events of a format, spread over the
// time: the latest of every part of it.
func sample(ctx context.Context, l lake.Selecter, format string, since, until time.Time, n int, f func(raw []byte)) error {
	slices := max(1, min(sampleSlices, n/100))
	if since.IsZero() || !since.Before(until) {
		slices, until = 1, time.Time{}
	}
	part := until.Sub(since) / time.Duration(slices)
	for i := range slices {
		q := query.Query{Where: query.Eq{Field: "format", Value: format}, Since: since.Add(time.Duration(i) * part), Limit: (n + slices - 1) / slices}
		if i < slices-1 {
			q.Until = since.Add(time.Duration(i+1) * part)
		}
		for e, err := range l.Select(ctx, q) {
			if err != nil {
				return err
			}
			f(e.Raw)
		}
	}
	return ctx.Err()
}

// correlations is what the configuration says about correlations.
func (p *program) correlations() correlate.Options {
	return correlate.Options{Extended: p.ruleOptions.Extended}
}
