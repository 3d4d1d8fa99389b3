package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Options is how cases beside rules are run.
type Options struct {
	match.Options
	// Require makes a rule fail that has no case which fires, or none which
	// stays quiet. Without it a rule that has no cases file is skipped.
	Require bool
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
// Where a file holds several rules, a case says by "rule" which of them it is
// about, by id, name or title. A case is held against its rule alone, whatever
// the log source. Rules that are refused are failures; shown is how messages
// name fsys.
func Test(fsys fs.FS, shown string, o Options) Result {
	out := Result{Failures: []Failure{}}
	docs, refused := sigma.Load(fsys, shown)
	set, more := match.Compile(docs.Rules, o.Options)
	for _, e := range append(refused, more...) {
		out.broken(fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col), e.File, "a rule that compiles", e.Reason)
	}
	t := tester{out: &out, fsys: fsys, set: set, scratch: set.NewScratch(), o: o}
	t.prefix = strings.TrimSuffix(path.Join(shown, "x"), "x") // as Load joins them
	byFile := map[string][]subject{}
	var files []string
	for i := range set.Len() {
		r := set.Rule(i)
		if byFile[r.File] == nil {
			files = append(files, r.File)
		}
		byFile[r.File] = append(byFile[r.File], subject{id: r.ID, name: r.Name, title: r.Title, rule: i})
	}
	for _, file := range files {
		t.file(file, byFile[file])
	}
	return out
}

// tester is one call of Test.
type tester struct {
	out     *Result
	fsys    fs.FS
	prefix  string // of the names of files, as shown
	set     *match.Set
	scratch *match.Scratch
	o       Options
}

// subject is what cases can be about.
type subject struct {
	id, name, title string
	rule            int // in the set
	fires, quiet    int // cases met
}

// key names the subject as sigma.Rule.Key does.
func (s *subject) key() string {
	switch {
	case s.id != "":
		return s.id
	case s.name != "":
		return s.name
	}
	return s.title
}

// oneCase is a case as written.
type oneCase struct {
	Name  string
	Rule  string
	Fires *bool
	Event yaml.Node

	line int
}

// verdict is how a case came out.
type verdict struct {
	got  string // gotTrue, "false" or gotError
	why  string // in a sentence
	diff string // over several lines
}

func problem(err error) verdict { return verdict{got: gotError, why: err.Error()} }

func (t *tester) file(file string, subjects []subject) {
	name := strings.TrimPrefix(file, t.prefix)
	casesFile := strings.TrimSuffix(name, path.Ext(name)) + sigma.CasesSuffix
	cases, err := readCases(t.fsys, casesFile)
	if errors.Is(err, fs.ErrNotExist) {
		if !t.o.Require {
			t.out.passedOver(file, "rule has no cases")
			return
		}
		err = nil
	}
	if err != nil {
		t.out.broken(file, file, "cases that can be read", fmt.Sprintf("%s: %v", casesFile, err))
		return
	}
	for n, c := range cases {
		if c.Name == "" {
			c.Name = fmt.Sprintf("case %d", n+1)
		}
		s, err := subjectOf(subjects, c.Rule)
		if err == nil && c.Fires == nil {
			err = errors.New(`"fires" is missing`)
		}
		if err != nil {
			t.out.broken(idOf(file, c.Name), file, "a whole case", fmt.Sprintf("%s:%d: %v", casesFile, c.line, err))
			continue
		}
		if *c.Fires {
			s.fires++
		} else {
			s.quiet++
		}
		began := t.now()
		v := t.single(s, &c)
		t.out.judged(file, c.Name, fmt.Sprint(*c.Fires), v, t.now().Sub(began))
	}
	if !t.o.Require {
		return
	}
	for i := range subjects {
		s := &subjects[i]
		if s.fires == 0 {
			t.out.lacks(file, "a case that fires", "rule "+s.key()+" has no case that fires")
		}
		if s.quiet == 0 {
			t.out.lacks(file, "a case that stays quiet", "rule "+s.key()+" has no case that stays quiet")
		}
	}
}

func (t *tester) now() time.Time {
	if t.o.Clock == nil {
		return time.Time{}
	}
	return t.o.Clock()
}

func readCases(fsys fs.FS, name string) ([]oneCase, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var file struct{ Cases []oneCase }
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var places struct{ Cases []yaml.Node }
	if err := yaml.Unmarshal(text, &places); err != nil {
		return nil, err
	}
	for i := range file.Cases {
		file.Cases[i].line = places.Cases[i].Line
	}
	return file.Cases, nil
}

// subjectOf finds what a case is about.
func subjectOf(subjects []subject, name string) (*subject, error) {
	if name == "" {
		if len(subjects) > 1 {
			return nil, errors.New(`file holds several rules: "rule" has to say which one is meant`)
		}
		return &subjects[0], nil
	}
	for i := range subjects {
		if s := &subjects[i]; name == s.id || name == s.name || name == s.title {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no rule %q in the file", name)
}

// single holds a case of one record against its rule.
func (t *tester) single(s *subject, c *oneCase) verdict {
	record, err := recordOf(&c.Event)
	if err != nil {
		return problem(err)
	}
	e, err := t.set.ExplainJSON(t.scratch, record, match.SourceOf(t.set.Rule(s.rule)), s.rule)
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
	r.Cases = append(r.Cases, Case{File: file, Name: strings.TrimPrefix(strings.TrimPrefix(id, file), ": "), Failure: f})
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
