// Package lint finds what is wrong with rules: what keeps them from being used,
// and what their authors would want to know although they can be used.
package lint

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/attack"
	"github.com/yagura-sec/yagura/sigma/cond"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// Severity says whether a rule can be used.
type Severity string

// The severities.
const (
	// Error: the rule is refused, or breaks what the specification demands.
	Error Severity = "error"
	// Warning: the rule works, but perhaps not as meant.
	Warning Severity = "warning"
)

// Problem is one finding about a rule.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Col      int      `json:"col"`
	Rule     string   `json:"rule,omitempty"`
	Severity Severity `json:"severity"`
	Check    string   `json:"check"` // a word for the kind of problem
	Reason   string   `json:"reason"`
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s (%s)", p.File, p.Line, p.Col, p.Severity, p.Reason, p.Check)
}

// Options is what rules are checked with.
type Options struct {
	ir.Options
	// Correlate is what correlations are compiled with.
	Correlate correlate.Options
	// Known are rules of elsewhere that will be in use besides: correlations and
	// filters may refer to them, and their ids are taken. One of a file of the
	// same name is held to be the one that is checked, in another version.
	Known sigma.Documents
	// Columns are names that correlations may use besides the fields of records;
	// nil: it is not known which, and their fields are not checked.
	Columns []string
	// Stored is what occurs in stored records; nil: nobody has looked.
	Stored []Stored
}

// Run checks documents. What was refused when they were read is told too, so
// that the answer is whole; it is ordered by file and place.
func Run(docs sigma.Documents, refused []*sigma.Error, o ir.Options) []Problem {
	return Check(docs, refused, Options{Options: o})
}

// Check is Run with all that can be known besides.
func Check(docs sigma.Documents, refused []*sigma.Error, o Options) []Problem {
	l := linter{o: o, serves: map[string]bool{}}
	o.Filters = append(slices.Clone(o.Filters), docs.Filters...)
	program, more := ir.Compile(docs.Rules, o.Options)
	all := sigma.Documents{}
	all.Add(docs)
	all.Add(others(docs, o.Known))
	_, unfit := correlate.Compile(all.Correlations, all.Rules, o.Correlate)
	unfit = slices.DeleteFunc(unfit, func(e *sigma.Error) bool {
		return !slices.ContainsFunc(docs.Correlations, func(c *sigma.Correlation) bool { return c.File == e.File && c.Key() == e.Rule })
	})
	for _, e := range slices.Concat(refused, more, unfit) {
		l.add(e, Error, "refused")
	}
	byName := map[string]*sigma.Rule{}
	for _, r := range all.Rules {
		r = l.as(r)
		byName[r.ID], byName[r.Name] = r, r
	}
	for _, c := range all.Correlations {
		for _, ref := range c.Rules {
			l.serves[ref.Rule] = true
		}
	}
	l.taken(docs, o.Known)
	for _, r := range docs.Rules {
		l.meta(&r.Meta)
		l.searches(r)
	}
	for i := range program.Rules {
		r := &program.Rules[i]
		l.fields(&r.As.Detection, r.LogSource, r.Errorf)
		l.constant(program, &program.Rules[i])
		l.dead(program, &program.Rules[i])
	}
	for _, c := range docs.Correlations {
		l.meta(&c.Meta)
		l.correlation(c)
		l.grouped(l.correlationAs(c, all.Rules), byName)
	}
	for _, f := range docs.Filters {
		l.filter(f, all)
	}
	return l.sorted()
}

// others gives those of known that docs do not hold themselves.
func others(docs, known sigma.Documents) sigma.Documents {
	taken := map[string]bool{}
	for _, r := range docs.Rules {
		taken[r.ID], taken[r.Name], taken[r.Key()] = true, true, true
	}
	for _, c := range docs.Correlations {
		taken[c.ID], taken[c.Name], taken[c.Key()] = true, true, true
	}
	delete(taken, "")
	known.Rules = slices.DeleteFunc(slices.Clone(known.Rules), func(r *sigma.Rule) bool { return taken[r.ID] || taken[r.Name] || taken[r.Key()] })
	known.Correlations = slices.DeleteFunc(slices.Clone(known.Correlations), func(c *sigma.Correlation) bool { return taken[c.ID] || taken[c.Name] || taken[c.Key()] })
	return known
}

// taken finds ids that other rules or correlations have already, of which one
// would be refused.
func (l *linter) taken(docs, known sigma.Documents) {
	type owner struct {
		what string
		m    *sigma.Meta
	}
	byID := map[string]owner{}
	for _, r := range known.Rules {
		byID[r.ID] = owner{"rule", &r.Meta}
	}
	for _, c := range known.Correlations {
		byID[c.ID] = owner{"correlation", &c.Meta}
	}
	delete(byID, "")
	check := func(m *sigma.Meta) {
		if of, ok := byID[m.ID]; ok && path.Base(filepath.ToSlash(of.m.File)) != path.Base(filepath.ToSlash(m.File)) {
			l.add(m.Errorf(m.Places["id"], "id %s is that of the %s %q too, %s:%d: one of them is refused", m.ID, of.what, of.m.Title, of.m.File, of.m.Pos.Line), Error, "duplicate")
		}
	}
	for _, r := range docs.Rules {
		check(&r.Meta)
	}
	for _, c := range docs.Correlations {
		check(&c.Meta)
	}
}

// correlation finds what a correlation says in vain, and timespans that are
// longer than they look.
func (l *linter) correlation(c *sigma.Correlation) {
	if n, months := strings.CutSuffix(c.Span, "M"); months {
		l.add(c.Errorf(c.At["timespan"], "timespan %s is months: minutes are %sm", c.Span, n), Warning, "timespan")
	}
	for _, a := range c.Aliases {
		if !slices.Contains(c.GroupBy, a.Name) && (c.Condition == nil || !slices.Contains(c.Condition.Fields, a.Name)) {
			l.add(c.Errorf(a.Pos, "alias %q is named neither by group-by nor by the condition", a.Name), Warning, "unused")
		}
	}
}

func (l *linter) sorted() []Problem {
	slices.SortStableFunc(l.found, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return l.found
}

type linter struct {
	o      Options
	serves map[string]bool // ids and names that correlations refer to
	found  []Problem
}

func (l *linter) add(e *sigma.Error, s Severity, check string) {
	l.found = append(l.found, Problem{e.File, e.Line, e.Col, e.Rule, s, check, e.Reason})
}

var (
	uuid      = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	tag       = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+$`)
	tagCVE    = regexp.MustCompile(`^cve\.[0-9]{4}[-.][0-9]{4,}$`)
	technique = regexp.MustCompile(`^t[0-9]{4}(\.[0-9]{3})?$`)
	group     = regexp.MustCompile(`^(g|s|ds|m|a)[0-9]{4}$`)
	tactic    = regexp.MustCompile(`^(ta[0-9]{4}|[a-z]+([-_][a-z]+)*)$`)
)

var (
	levels   = []string{"informational", "low", "medium", "high", "critical"}
	statuses = []string{"stable", "test", "experimental", "deprecated", "unsupported"}
	kinds    = []string{"derived", "obsolete", "merged", "renamed", "similar"}
)

// maxTitle is the longest title the specification allows, in characters.
const maxTitle = 256

// meta checks what a rule or correlation says of itself.
func (l *linter) meta(r *sigma.Meta) {
	say := func(s Severity, check, key, format string, args ...any) {
		l.add(r.Errorf(r.Places[key], format, args...), s, check)
	}
	// What only serves correlations gives no findings.
	serves := r.ID != "" && l.serves[r.ID] || r.Name != "" && l.serves[r.Name]
	switch {
	case r.Title == "":
		say(Error, "title", "title", "title is empty")
	case len([]rune(r.Title)) > maxTitle:
		say(Error, "title", "title", "title has more than %d characters", maxTitle)
	}
	switch {
	case r.ID == "" && serves:
	case r.ID == "":
		say(Warning, "id", "id", "id is missing: findings are told apart by it")
	case !uuid.MatchString(r.ID):
		say(Error, "id", "id", "id %q is no UUID", r.ID)
	}
	switch {
	case r.Level == "" && serves:
	case r.Level == "":
		say(Warning, "level", "level", "level is missing: it counts as medium")
	case !slices.Contains(levels, r.Level):
		say(Error, "level", "level", "level %q is none of %s", r.Level, strings.Join(levels, ", "))
	}
	switch {
	case r.Status == "" && serves:
	case r.Status == "":
		say(Warning, "status", "status", "status is missing")
	case !slices.Contains(statuses, r.Status):
		say(Error, "status", "status", "status %q is none of %s", r.Status, strings.Join(statuses, ", "))
	case r.Status == "deprecated", r.Status == "unsupported":
		say(Warning, "status", "status", "rule is %s by its own word", r.Status)
	}
	l.dates(r, say)
	l.tags(r, say)
	for _, rel := range r.Related {
		if !slices.Contains(kinds, rel.Type) {
			l.add(r.Errorf(rel.Pos, "related: type %q is none of %s", rel.Type, strings.Join(kinds, ", ")), Error, "related")
		}
	}
}

func (l *linter) dates(r *sigma.Meta, say func(Severity, string, string, string, ...any)) {
	for _, d := range []struct{ key, text string }{{"date", r.Date}, {"modified", r.Modified}} {
		if d.text == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, d.text); err != nil {
			say(Warning, "date", d.key, "%s %q is not written as YYYY-MM-DD", d.key, d.text)
		}
	}
}

func (l *linter) tags(r *sigma.Meta, say func(Severity, string, string, string, ...any)) {
	for _, t := range r.Tags {
		what, isAttack := strings.CutPrefix(t, "attack.")
		switch {
		case isAttack && !technique.MatchString(what) && !group.MatchString(what) && !isTactic(what):
			say(Error, "tag", "tags", "tag %q names neither a technique (attack.t1098.001) nor a tactic (attack.persistence), a group or software", t)
		case isAttack && len(attack.Outdated(t)) > 0:
			say(Warning, "attack", "tags", "tag %q is out of date: in version %s of ATT&CK it is %s", t, attack.Version, strings.Join(attack.Outdated(t), " or "))
		case isAttack && !group.MatchString(what) && !isKnown(t, what):
			say(Warning, "attack", "tags", "tag %q names no tactic of version %s of ATT&CK, such as attack.persistence, and no technique, group or software either", t, attack.Version)
		case !isAttack && !tag.MatchString(t) && !tagCVE.MatchString(t):
			say(Error, "tag", "tags", "tag %q is not of the form namespace.name in lower case", t)
		}
	}
}

// isKnown tells whether a tag names a technique or a tactic that there is.
// Techniques are too many to know them all.
func isKnown(tag, what string) bool {
	_, ok := attack.ID(tag)
	return ok || technique.MatchString(what)
}

// isTactic tells whether what could be the name of a tactic: words, but not a
// technique with a mistake in it.
func isTactic(what string) bool {
	return tactic.MatchString(what) && !regexp.MustCompile(`^t[0-9]+$`).MatchString(what)
}

// searches finds what is written and never asked for, and values that cannot do
// what they look like.
func (l *linter) searches(r *sigma.Rule) {
	used := map[string]bool{}
	for _, c := range r.Detection.Conditions {
		e, err := cond.Parse(c.Text)
		if err != nil {
			var at *cond.Error
			if !errors.As(err, &at) {
				continue
			}
			return // refused above
		}
		mark(e, r.Detection.Searches, used)
	}
	for _, s := range r.Detection.Searches {
		if !used[s.Name] {
			l.add(r.Errorf(s.Pos, "search %q is not used by the condition", s.Name), Warning, "unused")
		}
		for _, g := range s.Groups {
			for i := range g {
				l.item(r, &g[i])
			}
		}
	}
}

func mark(e *cond.Expr, searches []sigma.Search, used map[string]bool) {
	switch e.Op {
	case cond.Ident:
		used[e.Name] = true
	case cond.Of:
		for _, s := range searches {
			if cond.Matches(e.Name, s.Name) {
				used[s.Name] = true
			}
		}
	}
	for _, x := range e.X {
		mark(x, searches, used)
	}
}

func (l *linter) item(r *sigma.Rule, it *sigma.Item) {
	if slices.Contains(it.Modifiers, "all") && len(it.Values) == 1 {
		l.add(r.Errorf(it.Pos, "%s: all with a single value does nothing", it.Key), Warning, "all")
	}
	seen := map[string]bool{}
	for _, v := range it.Values {
		if v.Kind == sigma.Null && it.List {
			l.add(r.Errorf(v.Pos, "%s: null in a list is not allowed by the specification: give it a search of its own", it.Key), Warning, "null")
		}
		if key := fmt.Sprint(v.Kind, v.Text); seen[key] {
			l.add(r.Errorf(v.Pos, "%s: value %q is given twice", it.Key, v.Text), Warning, "repeated")
		} else {
			seen[key] = true
		}
	}
}
