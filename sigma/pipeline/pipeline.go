// Package pipeline rewrites rules for the records they are held against, by
// processing pipelines in pySigma's YAML format: fields are renamed, conditions
// added, placeholders filled, log sources changed.
//
//	pipelines, refused := pipeline.Load("pipelines/")
//	set, more := match.Compile(rules, match.Options{Pipelines: pipelines})
//
// Rules are copied, never changed, and every place in the copy is that of the
// rule as written. Pipelines run in the order of their priorities, and those of
// one priority in the order they are given; variables and state are shared
// between them, as they are in pySigma.
//
// What is not known is refused with file, line, column and reason, and so is what
// cannot be meant here: query postprocessing and finalizers, which work on the
// texts of queries; placeholders that run commands or ask the network, and files
// unless Options.Files holds them; pipelines that name the backends they are for
// without naming yagura.
//
// Where pySigma leaves the meaning to queries, the package differs on purpose:
//
//   - A field mapped to several names is any of them, and its negations are the
//     complement: neq asks that no name holds the value, null that every name is
//     absent or null.
//   - A search that drop_detection_item leaves empty says nothing, and conditions
//     pass over it; a rule of which nothing is left is refused.
//   - Conditions that add_condition adds cannot be seen by "1 of them".
//   - Several values put in place of one are alternatives, even in a list with
//     the modifier all.
//   - Regular expressions are RE2's; what Python has besides is refused.
//
// DefaultAliases is the other way to meet records half-way: names under which the
// fields of published cloud rules really occur.
package pipeline

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// Backend is how a pipeline's allowed_backends has to call this engine.
const Backend = "yagura"

// Pipeline is one pipeline as read.
type Pipeline struct {
	File string
	Name string
	// Priority orders pipelines, the least first. pySigma's convention: 10 for
	// log sources, 20 for what goes before a backend's own, 50 for a backend's.
	Priority int

	vars  map[string][]string
	steps []*step
}

// Pipelines are applied one after the other. The zero value changes nothing.
type Pipelines []*Pipeline

var _ ir.Rewriter = Pipelines(nil)

// Apply gives a copy of the rule as the pipelines leave it, or what keeps them
// from it: the fault is the rule's, at its place.
func (ps Pipelines) Apply(r *sigma.Rule) (*sigma.Rule, []*sigma.Error) {
	out, _, errs := ps.Rewrite(r, nil)
	return out, errs
}

// Rewrite is Apply for a rule and the filters that cover it. Filters are
// rewritten as the parts of the rule that they become.
func (ps Pipelines) Rewrite(r *sigma.Rule, filters []*sigma.Filter) (*sigma.Rule, []*sigma.Filter, []*sigma.Error) {
	if len(ps) == 0 {
		return r, filters, nil
	}
	w := newWork(r, filters)
	if ps.run(w); len(w.errs) > 0 {
		return nil, nil, w.errs
	}
	w.finish()
	return w.rule, w.filters, nil
}

// run applies the pipelines in their order.
func (ps Pipelines) run(w *work) {
	ordered := slices.Clone(ps)
	slices.SortStableFunc(ordered, func(a, b *Pipeline) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, p := range ordered {
		for name, values := range p.vars {
			w.vars[name] = values
		}
	}
	for _, p := range ordered {
		if len(w.errs) == 0 {
			w.run(p.steps)
		}
	}
}

// maxFile is the size in bytes above which a file is refused unread.
const maxFile = 4 << 20

// Options is what pipelines are read with.
type Options struct {
	// Files holds the files that file_placeholders names; nil refuses it.
	Files fs.FS
}

// Load is Options.Load without options.
func Load(paths ...string) (Pipelines, []*sigma.Error) { return Options{}.Load(paths...) }

// Parse is Options.Parse without options.
func Parse(file string, text []byte) (*Pipeline, []*sigma.Error) { return Options{}.Parse(file, text) }

// Load reads pipelines from files and folders. Of a folder every file that ends
// in .yml or .yaml is read, folders within included, in the order of their names.
// A pipeline with mistakes is left out and all its mistakes are told.
func (o Options) Load(paths ...string) (Pipelines, []*sigma.Error) {
	var out Pipelines
	var refused []*sigma.Error
	for _, p := range paths {
		files, err := filesOf(p)
		if err != nil {
			refused = append(refused, &sigma.Error{File: p, Pos: sigma.Pos{Line: 1, Col: 1}, Reason: err.Error()})
			continue
		}
		for _, file := range files {
			text, err := readFile(file)
			if err != nil {
				refused = append(refused, &sigma.Error{File: file, Pos: sigma.Pos{Line: 1, Col: 1}, Reason: err.Error()})
				continue
			}
			one, errs := o.Parse(file, text)
			refused = append(refused, errs...)
			if len(errs) == 0 {
				out = append(out, one)
			}
		}
	}
	return out, refused
}

func filesOf(p string) ([]string, error) {
	info, err := os.Stat(p)
	if err != nil || !info.IsDir() {
		return []string{p}, err
	}
	var files []string
	err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yml", ".yaml"}, path.Ext(name)) {
			files = append(files, name)
		}
		return err
	})
	return files, err
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = errors.New("file has more than 4 MiB")
	}
	return text, err
}

// Parse reads one pipeline. With a mistake there is none.
func (o Options) Parse(file string, text []byte) (*Pipeline, []*sigma.Error) {
	r := &reader{file: file, files: o.Files, budget: maxNodes}
	p := &Pipeline{File: file, vars: map[string][]string{}}
	root := r.document(text)
	if root == nil {
		return nil, r.errs
	}
	top := r.mapping(root, "the pipeline")
	p.Name = top.text("name", false)
	p.Priority = top.integer("priority")
	top.backends()
	if vars, ok := top.take("vars"); ok {
		m := r.mapping(vars, "vars")
		for _, key := range m.keys {
			p.vars[key] = m.texts(key)
		}
	}
	for key, why := range map[string]string{
		"postprocessing": "postprocessing works on the texts of queries, and there are none: rules are compiled to a program",
		"finalizers":     "finalizers work on the texts of queries, and there are none: rules are compiled to a program",
	} {
		if n, ok := top.take(key); ok && len(n.Content) > 0 {
			r.fail(top.at[key], "%s", why)
		}
	}
	if list, ok := top.take("transformations"); ok {
		p.steps = r.steps(list, "transformations", 0)
	}
	top.done()
	if len(r.errs) > 0 {
		for _, e := range r.errs {
			e.Rule = p.Name
		}
		slices.SortStableFunc(r.errs, func(a, b *sigma.Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
		})
		return nil, r.errs
	}
	return p, nil
}

// backends reads allowed_backends.
func (m *mapping) backends() {
	names := m.texts("allowed_backends")
	if len(names) > 0 && !slices.Contains(names, Backend) {
		m.r.fail(m.at["allowed_backends"], "pipeline is for %s only: allowed_backends does not name %s", strings.Join(names, ", "), Backend)
	}
}
