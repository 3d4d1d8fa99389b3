package lint

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
)

// Folder checks every rule file of fsys as Check does, and besides whether its
// documents have the form that the specification asks for, and whether cases
// stand beside them. Shown is how messages name fsys.
func Folder(fsys fs.FS, shown string, o Options) (sigma.Documents, []Problem) {
	docs, refused := sigma.Load(fsys, shown)
	l := linter{found: Check(docs, refused, o), serves: map[string]bool{}}
	prefix := strings.TrimSuffix(path.Join(shown, "x"), "x") // as Load joins them
	type line struct {
		file string
		line int
	}
	count, told := map[string]int{}, map[line]bool{} // what is refused is told once
	for _, e := range refused {
		count[e.File]++
	}
	for _, p := range l.found {
		if p.Severity == Error {
			told[line{p.File, p.Line}] = true
		}
	}
	for _, file := range filesOf(docs, refused) {
		text, err := fs.ReadFile(fsys, strings.TrimPrefix(file, prefix))
		if err != nil || count[file] > sigma.MaxErrors {
			continue // refused
		}
		for _, p := range Schema(file, text) {
			if !told[line{p.File, p.Line}] {
				l.found = append(l.found, p)
			}
		}
	}
	l.tests(fsys, prefix, docs)
	return docs, l.sorted()
}

// filesOf names the files that documents and refused ones are of.
func filesOf(docs sigma.Documents, refused []*sigma.Error) []string {
	var out []string
	for _, r := range docs.Rules {
		out = append(out, r.File)
	}
	for _, c := range docs.Correlations {
		out = append(out, c.File)
	}
	for _, f := range docs.Filters {
		out = append(out, f.File)
	}
	for _, e := range refused {
		out = append(out, e.File)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tests finds rules without cases of both kinds. A folder that has none at all,
// as a checkout of others' rules, is told of once.
func (l *linter) tests(fsys fs.FS, prefix string, docs sigma.Documents) {
	byFile := map[string][]*sigma.Meta{}
	var files []string
	add := func(m *sigma.Meta) {
		if byFile[m.File] == nil {
			files = append(files, m.File)
		}
		byFile[m.File] = append(byFile[m.File], m)
	}
	for _, r := range docs.Rules {
		add(&r.Meta)
	}
	serves := map[*sigma.Meta]bool{}
	for _, c := range docs.Correlations {
		add(&c.Meta)
	}
	for _, c := range docs.Correlations {
		for _, m := range byFile[c.File] {
			serves[m] = serves[m] || slices.ContainsFunc(c.Rules, func(r sigma.Reference) bool { return r.Rule == m.ID || r.Rule == m.Name })
		}
	}
	before, some := len(l.found), false
	for _, file := range files {
		name := strings.TrimPrefix(file, prefix)
		cases := casesOf(fsys, strings.TrimSuffix(name, path.Ext(name))+sigma.CasesSuffix)
		some = some || cases != nil
		for _, m := range byFile[file] {
			fires, quiet := cases.about(m, byFile[file], serves)
			switch {
			case fires+quiet == 0 && serves[m]: // its correlation's cases show it
			case fires+quiet == 0:
				l.add(m.Errorf(sigma.Pos{}, "rule has no cases beside it: at least one that fires and one that stays quiet"), Warning, "tests")
			case fires == 0:
				l.add(m.Errorf(sigma.Pos{}, "rule has no case that fires"), Warning, "tests")
			case quiet == 0:
				l.add(m.Errorf(sigma.Pos{}, "rule has no case that stays quiet"), Warning, "tests")
			}
		}
	}
	if !some && len(files) > 1 {
		l.found = append(l.found[:before], Problem{
			File: files[0], Line: 1, Col: 1, Severity: Warning, Check: "tests", Reason: fmt.Sprintf("none of the %d files of rules has cases beside it", len(files)),
		})
	}
}

// cases are those of a file, as far as it matters whether there are any.
type cases []struct {
	Rule  string `yaml:"rule"`
	Fires *bool  `yaml:"fires"`
}

// casesOf reads a file of cases; nil: there is none, or none that can be read,
// which running them tells.
func casesOf(fsys fs.FS, name string) cases {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil
	}
	var file struct {
		Cases cases `yaml:"cases"`
	}
	if yaml.Unmarshal(text, &file) != nil {
		return nil
	}
	return file.Cases
}

// about counts the cases of m by what they expect. A case that names no rule is
// about the only one that serves no other.
func (c cases) about(m *sigma.Meta, beside []*sigma.Meta, serves map[*sigma.Meta]bool) (fires, quiet int) {
	for _, x := range c {
		if x.Rule == "" && serves[m] || x.Rule != "" && x.Rule != m.ID && x.Rule != m.Name && x.Rule != m.Title || x.Fires == nil {
			continue
		}
		if *x.Fires {
			fires++
		} else {
			quiet++
		}
	}
	return fires, quiet
}
