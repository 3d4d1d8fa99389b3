package ruletest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/ir"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Options is how cases beside rules are run.
type Options struct {
	match.Options
	// Require makes a rule fail that has no case which fires, or none which
	// stays quiet. Without it a rule that has no cases file is skipped.
	Require bool
	// Known are rules and correlations of elsewhere that correlations may refer
	// to. They are not tested, and where fsys holds one of the same id or name
	// that one is meant.
	Known sigma.Documents
	// Correlate is what correlations are compiled with.
	Correlate correlate.Options
	// Record makes of an event of a correlation's case what the program holds
	// rules against, and says how the fields are read that are not in it; nil:
	// the record stands for itself. At is the time of the event in its case, for
	// records that do not say.
	Record func(record []byte, at time.Time, source match.Source) ([]byte, correlate.Lookup, error)
	// Clock times the cases, for reports; nil: they take no time.
	Clock func() time.Time
}

// got is what a case came out as.
const (
	gotTrue  = "true"
	gotError = "error"
)

// Test runs the cases beside the rules of fsys: NAME.cases.yml beside NAME.yml
// holds
//
//	cases:
//	  - name: what it shows
//	    fires: true
//	    event: {…}   # one raw record, as YAML or as JSON text
//
// and the case of a correlation has several, each so long after Start:
//
//	groups: [[a, b]]   # optional: exactly the groups that fire
//	until: 2h          # optional: how far the log reaches
//	events:
//	  - at: 90s
//	    repeat: 10     # optional, with every; {n} in texts is then 0, 1, …
//	    every: 20s
//	    event: {…}
//
// Where a file holds several rules, a case says by "rule" which of them it is
// about, by id, name or title; without it that is the only one to which no
// correlation of the file refers. A case is held against its rule alone, whatever
// the log source. The cases of a filter name a rule that it touches, here or in
// o.Known, and are held against that rule with the filter. Rules that are refused
// are failures; shown is how messages name fsys.
func Test(fsys fs.FS, shown string, o Options) Result {
	out := Result{Failures: []Failure{}}
	docs, refused := sigma.Load(fsys, shown)
	t, more := newTester(docs, o)
	t.out, t.fsys = &out, fsys
	t.prefix = strings.TrimSuffix(path.Join(shown, "x"), "x") // as Load joins them
	for _, e := range append(refused, more...) {
		t.refused[e.File] = true
		out.broken(fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col), e.File, "a rule that compiles", e.Reason)
	}
	files, byFile := t.subjects(docs)
	for _, file := range files {
		t.file(file, byFile[file])
	}
	t.filters(docs.Filters, byFile)
	return out
}

// newTester compiles docs, with what they may refer to. The errors are of docs.
func newTester(docs sigma.Documents, o Options) (*tester, []*sigma.Error) {
	t := &tester{o: o, indexOf: map[*sigma.Rule]int{}, own: map[string]bool{}, unread: map[string]bool{}, refused: map[string]bool{}}
	files := map[string]bool{}
	taken := map[string]bool{}
	for _, r := range docs.Rules {
		t.own[place(&r.Meta)], files[r.File] = true, true
		taken[r.ID], taken[r.Name], taken[r.Key()] = true, true, true
	}
	for _, c := range docs.Correlations {
		t.own[place(&c.Meta)], files[c.File] = true, true
		taken[c.ID], taken[c.Name], taken[c.Key()] = true, true, true
	}
	t.correlations = slices.Clone(docs.Correlations)
	rules := slices.Clone(docs.Rules)
	delete(taken, "")
	for _, r := range o.Known.Rules {
		if !taken[r.ID] && !taken[r.Name] && !taken[r.Key()] {
			rules = append(rules, r)
		}
	}
	for _, c := range o.Known.Correlations {
		if !taken[c.ID] && !taken[c.Name] && !taken[c.Key()] {
			t.correlations = append(t.correlations, c)
		}
	}
	var errs, more []*sigma.Error
	t.set, errs = match.Compile(rules, o.Options)
	t.scratch = t.set.NewScratch()
	compiled := make([]*sigma.Rule, t.set.Len())
	for i := range compiled {
		compiled[i] = t.set.Rule(i)
		t.indexOf[compiled[i]] = i
	}
	t.correlations, more = rewritten(t.correlations, compiled, o.Pipelines)
	errs = append(errs, more...)
	t.plan, more = correlate.Compile(t.correlations, compiled, o.Correlate)
	return t, slices.DeleteFunc(append(errs, more...), func(e *sigma.Error) bool { return !files[e.File] })
}

// place tells rules apart, also where pipelines have made copies of them.
func place(m *sigma.Meta) string { return m.File + "\x00" + m.Key() }

// rewritten are the correlations as pipelines leave them, where these know about
// correlations.
func rewritten(all []*sigma.Correlation, rules []*sigma.Rule, pipelines ir.Rewriter) (out []*sigma.Correlation, refused []*sigma.Error) {
	p, ok := pipelines.(interface {
		ApplyCorrelation(*sigma.Correlation, []*sigma.Rule) (*sigma.Correlation, []*sigma.Error)
	})
	if !ok {
		return all, nil
	}
	for _, c := range all {
		var referred []*sigma.Rule
		for _, r := range rules {
			if refersTo(c, &r.Meta) {
				referred = append(referred, r)
			}
		}
		x, errs := p.ApplyCorrelation(c, referred)
		if refused = append(refused, errs...); len(errs) == 0 {
			out = append(out, x)
		}
	}
	return out, refused
}

// subjects gives what cases can be about, by file, in the order of the files.
func (t *tester) subjects(docs sigma.Documents) (files []string, byFile map[string][]subject) {
	byFile = map[string][]subject{}
	add := func(s subject) {
		if byFile[s.File] == nil {
			files = append(files, s.File)
		}
		byFile[s.File] = append(byFile[s.File], s)
	}
	for i := range t.set.Len() {
		if m := &t.set.Rule(i).Meta; t.own[place(m)] {
			add(subject{Meta: m, rule: i})
		}
	}
	for _, c := range t.plan.Correlations {
		if t.own[place(&c.Meta)] {
			add(subject{Meta: &c.Meta, correlation: c})
		}
	}
	for _, c := range docs.Correlations {
		for i, s := range byFile[c.File] {
			if refersTo(c, s.Meta) {
				byFile[c.File][i].serves = true
			}
		}
	}
	slices.Sort(files)
	return files, byFile
}

// tester is one call of Test.
type tester struct {
	out     *Result
	fsys    fs.FS
	prefix  string // of the names of files, as shown
	set     *match.Set
	indexOf map[*sigma.Rule]int // in set
	scratch *match.Scratch
	plan    *correlate.Plan
	own     map[string]bool // by place, those that are tested
	unread  map[string]bool // files whose cases cannot be read
	refused map[string]bool // files of which something was
	o       Options

	correlations []*sigma.Correlation // those of elsewhere included
}

// subject is what cases can be about.
type subject struct {
	*sigma.Meta
	rule         int                    // in the set, or
	correlation  *correlate.Correlation // one of the two
	serves       bool                   // a correlation of its file refers to it
	fires, quiet int                    // cases met
}

// oneCase is a case as written.
type oneCase struct {
	Name  string
	Rule  string
	Fires *bool
	Event yaml.Node // of a rule
	// Of a correlation:
	Events []oneEvent
	Groups [][]string
	Until  string

	line int
}

// verdict is how a case came out.
type verdict struct {
	got  string // gotTrue, "false" or gotError
	why  string // in a sentence
	diff string // over several lines

	expected string // where it is more than whether it fires
	unfit    bool   // it is no case
	skipped  string // why it was not run
}

// unfit says what keeps a case from being one.
func unfit(err error) verdict { return verdict{got: gotError, why: err.Error(), unfit: true} }

func problem(err error) verdict { return verdict{got: gotError, why: err.Error()} }

func (t *tester) file(file string, subjects []subject) {
	t.cases(file, "rule has no cases", func(c *oneCase) verdict {
		s, err := subjectOf(subjects, c.Rule)
		if t.refused[file] && (c.Rule == "" || err != nil) {
			return verdict{skipped: "what the case is about may be what was refused"}
		}
		if err != nil {
			return unfit(err)
		}
		if *c.Fires {
			s.fires++
		} else {
			s.quiet++
		}
		return t.run(s, c)
	})
	if !t.o.Require || t.unread[file] || t.refused[file] {
		return
	}
	for i := range subjects {
		s := &subjects[i]
		if s.serves && s.fires+s.quiet == 0 {
			continue // its correlation's cases show it
		}
		t.out.require(file, "rule "+s.Key(), s.fires, s.quiet)
	}
}

// cases runs the cases beside a file by run, which says of a case that it is not
// one by a verdict that is unfit.
func (t *tester) cases(file, none string, run func(c *oneCase) verdict) {
	name := strings.TrimPrefix(file, t.prefix)
	casesFile := strings.TrimSuffix(name, path.Ext(name)) + sigma.CasesSuffix
	all, err := readCases(t.fsys, casesFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !t.o.Require {
			t.out.passedOver(file, none)
		}
		return
	case err != nil:
		t.unread[file] = true
		t.out.broken(file, file, "cases that can be read", fmt.Sprintf("%s: %v", casesFile, err))
		return
	}
	for n := range all {
		c := &all[n]
		if c.Name == "" {
			c.Name = fmt.Sprintf("case %d", n+1)
		}
		began := t.now()
		v := unfit(errors.New(`"fires" is missing`))
		if c.Fires != nil {
			v = run(c)
		}
		if v.skipped != "" {
			t.out.skip(v.skipped)
			t.out.Cases = append(t.out.Cases, Case{File: file, Name: c.Name, Skipped: v.skipped})
			continue
		}
		if v.unfit {
			t.out.broken(idOf(file, c.Name), file, "a whole case", fmt.Sprintf("%s:%d: %s", casesFile, c.line, v.why))
			continue
		}
		t.out.judged(file, c.Name, fmt.Sprint(*c.Fires), v, t.now().Sub(began))
	}
}

func (t *tester) now() time.Time {
	if t.o.Clock == nil {
		return time.Time{}
	}
	return t.o.Clock()
}

// subjectOf finds what a case is about.
func subjectOf(subjects []subject, name string) (*subject, error) {
	if name == "" {
		var found *subject
		for i := range subjects {
			if subjects[i].serves {
				continue
			}
			if found != nil {
				return nil, errors.New(`file holds several rules: "rule" has to say which one is meant`)
			}
			found = &subjects[i]
		}
		if found == nil {
			return nil, errors.New(`the correlations of the file refer to each other: "rule" has to say which one is meant`)
		}
		return found, nil
	}
	for i := range subjects {
		if s := &subjects[i]; name == s.ID || name == s.Name || name == s.Title {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no rule %q in the file", name)
}

// run holds a case against what it is about.
func (t *tester) run(s *subject, c *oneCase) verdict {
	if s.correlation != nil {
		return t.correlation(s, c)
	}
	if c.Events != nil || c.Groups != nil || c.Until != "" {
		return problem(errors.New("events, groups and until are of correlations: the case of a rule has one event"))
	}
	return t.single(s, c)
}

// single holds a case of one record against its rule.
func (t *tester) single(s *subject, c *oneCase) verdict {
	return hold(t.set, t.scratch, s.rule, c)
}

// hold holds the record of a case against a rule of a set.
func hold(set *match.Set, scratch *match.Scratch, rule int, c *oneCase) verdict {
	record, err := recordOf(&c.Event)
	if err != nil {
		return problem(err)
	}
	e, err := set.ExplainJSON(scratch, record, match.SourceOf(set.Rule(rule)), rule)
	if err != nil {
		return problem(err)
	}
	v := verdict{got: fmt.Sprint(e.Held), why: Describe(e)}
	if e.Held != *c.Fires {
		v.diff = Diff(e)
	}
	return v
}

// idOf is how failures name a case.
func idOf(file, name string) string { return file + ": " + name }

// judged adds a case that was run.
func (r *Result) judged(file, name, expected string, v verdict, took time.Duration) {
	c := Case{File: file, Name: name, Took: took}
	if v.expected != "" {
		expected = v.expected
	}
	if v.got == expected {
		r.Passed++
	} else {
		c.Failure = r.failure(Failure{ID: idOf(file, name), Expected: expected, Got: v.got, Why: v.why, Diff: v.diff})
	}
	r.Cases = append(r.Cases, c)
}

// broken adds what could not be run.
func (r *Result) broken(id, file, expected, why string) {
	f := r.failure(Failure{ID: id, Expected: expected, Got: gotError, Why: why})
	name, isCase := strings.CutPrefix(strings.TrimPrefix(id, file), ": ")
	if !isCase {
		name = expected + name // a place, or nothing
	}
	r.Cases = append(r.Cases, Case{File: file, Name: name, Failure: f})
}

// require adds the cases that should be there and are not.
func (r *Result) require(file, what string, fires, quiet int) {
	if fires == 0 {
		r.lacks(file, "a case that fires", what+" has no case that fires")
	}
	if quiet == 0 {
		r.lacks(file, "a case that stays quiet", what+" has no case that stays quiet")
	}
}

// lacks adds a case that should be there and is not.
func (r *Result) lacks(file, expected, why string) {
	f := r.failure(Failure{ID: file, Expected: expected, Got: "none", Why: why})
	r.Cases = append(r.Cases, Case{File: file, Name: expected, Failure: f})
}

func (r *Result) passedOver(file, why string) {
	r.skip(why)
	r.Cases = append(r.Cases, Case{File: file, Name: "cases", Skipped: why})
}

func (r *Result) failure(f Failure) *Failure {
	r.Failed++
	r.Failures = append(r.Failures, f)
	return &f
}
