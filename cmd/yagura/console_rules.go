package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/query"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/attack"
	"github.com/yagura-sec/yagura/sigma/ruletest"
	"github.com/yagura-sec/yagura/triage"
)

// ruleBook answers for the pages about rules.
type ruleBook struct {
	server *server

	tested  keptAnswers[map[string][]api.RuleCase] // by file; until rules change
	present keptAnswers[map[string]bool]           // log sources of which records are stored
}

// judged is a rule or correlation that gives findings.
type judged struct {
	meta    *sigma.Meta
	kind    string
	sources []sigma.LogSource
	rule    *sigma.Rule
	cor     *sigma.Correlation
}

// all are those that judge, by title.
func (b *ruleBook) all() []judged {
	d := b.server.rooms.rules.Detector()
	var out []judged
	for i := range d.Len() {
		if r := d.Set().Rule(i); !d.Plan().Quiet(&r.Meta) {
			out = append(out, judged{meta: &r.Meta, kind: "rule", sources: []sigma.LogSource{r.LogSource}, rule: r})
		}
	}
	for _, c := range d.Plan().Correlations {
		if d.Plan().Quiet(&c.Meta) {
			continue
		}
		j := judged{meta: &c.Meta, kind: "correlation", cor: c.Correlation}
		for _, base := range c.Bases {
			if !slices.Contains(j.sources, base.Rule.LogSource) {
				j.sources = append(j.sources, base.Rule.LogSource)
			}
		}
		out = append(out, j)
	}
	slices.SortFunc(out, func(x, y judged) int {
		return cmp.Or(strings.Compare(x.meta.Title, y.meta.Title), strings.Compare(x.meta.Key(), y.meta.Key()))
	})
	return out
}

// around is what is known of rules beside themselves.
type around struct {
	counts  counts
	stages  map[string]string
	demoted map[string]bool
	present map[string]bool
	cases   map[string][]api.RuleCase
}

func (b *ruleBook) around(ctx context.Context) (a around, err error) {
	r := b.server.rooms
	if a.counts, err = r.secrets.counts.get(ctx, r.triage); err != nil {
		return a, err
	}
	stages, err := r.triage.Stages(ctx)
	if err != nil {
		return a, err
	}
	a.stages = map[string]string{}
	for _, s := range slices.Backward(stages) { // the latest has the word
		a.stages[s.Rule] = string(s.State)
	}
	tallies, err := r.triage.Counters(ctx)
	if err != nil {
		return a, err
	}
	a.demoted = map[string]bool{}
	for _, t := range tallies {
		a.demoted[t.Rule] = true
	}
	if a.present, err = b.present.get(ctx, "", b.server.changes(), b.stored); err != nil {
		return a, err
	}
	a.cases, err = b.tested.get(ctx, fmt.Sprint(b.server.reloads.Load()), 0, b.test)
	return a, err
}

// stored says of which log sources there are records.
func (b *ruleBook) stored(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	for format, s := range rule.Sources {
		for _, err := range b.server.rooms.lake.Select(ctx, query.Query{Where: query.Eq{Field: "format", Value: format}, Limit: 1}) {
			if err != nil {
				return nil, err
			}
			out[sigma.LogSource{Category: s.Category, Product: s.Product, Service: s.Service}.String()] = true
		}
	}
	return out, nil
}

// test runs the cases that stand beside rules.
func (b *ruleBook) test(context.Context) (map[string][]api.RuleCase, error) {
	cfg := b.server.cfg.Rules
	var all []ruletest.Case
	add := func(paths []string) error {
		r, err := b.server.testRules(paths, false)
		all = append(all, r.Cases...)
		return err
	}
	if cfg.Builtin {
		if err := add(nil); err != nil {
			return nil, err
		}
	}
	for _, dir := range cfg.Dirs {
		if err := add([]string{dir}); err != nil {
			b.server.warn("cases of rules: %v", err) // the others have theirs
		}
	}
	out := map[string][]api.RuleCase{}
	for _, c := range all {
		if c.Skipped != "" {
			continue
		}
		x := api.RuleCase{Name: c.Name, Passed: c.Failure == nil}
		if c.Failure != nil {
			x.Why = cmp.Or(c.Failure.Why, "expected "+c.Failure.Expected+", got "+c.Failure.Got)
		}
		out[c.File] = append(out[c.File], x)
	}
	return out, nil
}

// list is api.Console's Rules.
func (b *ruleBook) list(ctx context.Context) ([]api.Rule, error) {
	a, err := b.around(ctx)
	if err != nil {
		return nil, err
	}
	out := []api.Rule{}
	for _, j := range b.all() {
		out = append(out, j.view(a))
	}
	return out, nil
}

func (j *judged) view(a around) api.Rule {
	m := j.meta
	n := a.counts.rule[m.Key()]
	_, builtin := builtinFile(m.File)
	r := api.Rule{
		ID: m.Key(), Title: sentences.OfRule(m.Key(), m.Title), Level: m.Level, Status: m.Status, Kind: j.kind, Attack: techniques(m.Tags),
		File: m.File, Builtin: builtin, Stage: a.stages[m.Key()], Demoted: a.demoted[m.Key()],
		Findings: n.all, Open: n.open, Description: sentences.OfRule(m.Key(), strings.TrimSpace(m.Description)),
	}
	var names []string
	for _, l := range j.sources {
		if !slices.Contains(names, l.String()) {
			names = append(names, l.String())
		}
		for _, s := range rule.Sources {
			if covered(l, s) && a.present[sigma.LogSource{Category: s.Category, Product: s.Product, Service: s.Service}.String()] {
				r.Logs = true
			}
		}
	}
	r.LogSource = strings.Join(names, ", ")
	for _, c := range a.cases[m.File] {
		if c.Passed {
			r.Cases.Passed++
		} else {
			r.Cases.Failed++
		}
	}
	return r
}

// techniques are the ATT&CK ids that tags name.
func techniques(tags []string) []string {
	out := []string{}
	for _, t := range tags {
		if id, ok := attack.ID(t); ok && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// builtinFile is the place of a file among our own rules.
func builtinFile(file string) (string, bool) {
	t := catalogue.BuiltinRules()
	name, ok := strings.CutPrefix(file, t.Shown+"/")
	if !ok || !fs.ValidPath(name) {
		return "", false
	}
	_, err := fs.Stat(t.FS, name)
	return name, err == nil
}

// ruleBytes is how much of a rule's file is shown.
const ruleBytes = 256 << 10

// detail is api.Console's Rule.
func (b *ruleBook) detail(ctx context.Context, id string) (api.RuleDetail, error) {
	a, err := b.around(ctx)
	if err != nil {
		return api.RuleDetail{}, err
	}
	all := b.all()
	i := slices.IndexFunc(all, func(j judged) bool { return j.meta.Key() == id || j.meta.Name == id })
	if i < 0 {
		return api.RuleDetail{}, fmt.Errorf("rule %q: %w", id, triage.ErrUnknown)
	}
	j := &all[i]
	m := j.meta
	out := api.RuleDetail{
		Rule: j.view(a), Author: m.Author, License: m.License, References: orNone(m.References), FalsePositives: sentences.AllOfRule(m.Key(), m.FalsePositives),
		Next: sentences.AllOfRule(m.Key(), about.Next(m)), CaseList: orNone(a.cases[m.File]), Explain: j.words(),
	}
	var text []byte
	if name, builtin := builtinFile(m.File); builtin {
		text, err = fs.ReadFile(catalogue.BuiltinRules().FS, name)
	} else {
		text, err = os.ReadFile(m.File)
	}
	if err == nil { // else the file has gone since the rule was read, which judges on
		out.Text = strings.ToValidUTF8(string(text[:min(len(text), ruleBytes)]), "\uFFFD")
	}
	return out, nil
}

func orNone[T any](l []T) []T { return append([]T{}, l...) }

// words says what it looks for.
func (j *judged) words() sentences.Text {
	if j.cor != nil {
		return about.CorrelationWords(j.cor)
	}
	return about.RuleWords(j.rule)
}

// matrix is in the order of ATT&CK's enterprise matrix.
var matrix = []string{
	"TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0112",
	"TA0006", "TA0007", "TA0008", "TA0009", "TA0011", "TA0010", "TA0040",
}

// coverage is api.Console's Coverage. A rule says which tactics it is about, and
// which techniques, and not which belongs to which: see under.
func (b *ruleBook) coverage(ctx context.Context) (api.Coverage, error) {
	a, err := b.around(ctx)
	if err != nil {
		return api.Coverage{}, err
	}
	out := api.Coverage{Version: attack.Version, Tactics: []api.CoverageTactic{}}
	about := map[string]*covering{}
	for _, j := range b.all() {
		if !cover(about, j.view(a)) {
			out.Untagged++
		}
	}
	for _, tactic := range append(slices.Clone(matrix), "") {
		t := api.CoverageTactic{ID: tactic, Name: attack.Name(tactic), Techniques: []api.CoverageTechnique{}}
		for _, c := range about {
			if slices.Contains(c.under(), tactic) {
				t.Techniques = append(t.Techniques, c.CoverageTechnique)
			}
		}
		slices.SortFunc(t.Techniques, func(x, y api.CoverageTechnique) int { return strings.Compare(x.ID, y.ID) })
		if tactic != "" || len(t.Techniques) > 0 {
			out.Tactics = append(out.Tactics, t)
		}
	}
	return out, nil
}

// covering is a technique with the tactics of its rules.
type covering struct {
	api.CoverageTechnique
	common, any []string
}

// cover adds a rule to the techniques it is about; false: it names none.
func cover(about map[string]*covering, r api.Rule) bool {
	var tactics []string
	for _, id := range r.Attack {
		if attack.IsTactic(id) {
			tactics = append(tactics, id)
		}
	}
	named := false
	for _, id := range r.Attack {
		if attack.IsTactic(id) {
			continue
		}
		named = true
		c := about[id]
		if c == nil {
			c = &covering{CoverageTechnique: api.CoverageTechnique{ID: id, Name: attack.Name(id), State: "covered", Rules: []string{}}, common: tactics}
			about[id] = c
		}
		c.common = slices.DeleteFunc(slices.Clone(c.common), func(t string) bool { return !slices.Contains(tactics, t) })
		c.any = append(c.any, tactics...)
		c.Rules = append(c.Rules, r.ID)
		c.Findings += r.Findings
		switch {
		case c.Findings > 0:
			c.State = "fired"
		case r.Logs:
			c.State = "present"
		}
	}
	return named
}

// under are the tactics that it stands under: those that ATT&CK has it serve, and
// where that leaves one to the rule what its rules name of it. Of a technique that is
// not known here, those that all rules about it name, and where there is none in
// common each that one of them does; the empty one: no rule names any.
func (c *covering) under() []string {
	served, open := attack.Tactics(c.ID)
	if open {
		for _, id := range attack.Evasion {
			if slices.Contains(c.any, id) {
				served = append(served, id)
			}
		}
	}
	switch {
	case len(served) > 0:
		return served
	case len(c.common) > 0:
		return c.common
	case len(c.any) > 0:
		return c.any
	}
	return []string{""}
}
