package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/sigma"
)

// trees are the folders and files that the paths name, or our own rules if there
// is none. One in which no rule stands is wrong use: a typing error would
// otherwise pass as rules without a fault.
func trees(paths []string) ([]rule.Tree, error) {
	if len(paths) == 0 {
		return []rule.Tree{catalogue.BuiltinRules()}, nil
	}
	var out []rule.Tree
	for _, path := range paths {
		t := rule.Tree{FS: os.DirFS(path), Shown: path}
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() {
			t, err = single(path)
		}
		if err != nil {
			return nil, wrong("rules: %w", err)
		}
		if docs, refused := sigma.Load(t.FS, t.Shown); len(docs.Rules)+len(docs.Correlations)+len(docs.Filters)+len(refused) == 0 {
			return nil, wrong("there are no rules in %s", path)
		}
		out = append(out, t)
	}
	return out, nil
}

// known is what documents of the paths may refer to, and what they stand beside
// when they judge: those of all paths, those beside a file, and what is built in
// and configured. What of them is refused is none of the paths'.
func (p *program) known(paths []string) sigma.Documents {
	out, _ := catalogue.Documents(p.cfg.Rules, nil)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			path = filepath.Dir(path)
		}
		some, _ := sigma.LoadPath(path)
		out.Add(some)
	}
	return out
}

// elsewhere gives those of known that are not of the files of a tree: nothing is
// its own duplicate.
func elsewhere(known sigma.Documents, t rule.Tree) sigma.Documents {
	own := map[string]bool{}
	docs, refused := sigma.Load(t.FS, t.Shown)
	for _, r := range docs.Rules {
		own[whole(r.File)] = true
	}
	for _, c := range docs.Correlations {
		own[whole(c.File)] = true
	}
	for _, f := range docs.Filters {
		own[whole(f.File)] = true
	}
	for _, e := range refused {
		own[whole(e.File)] = true
	}
	met := map[string]bool{} // a file may be reached by two ways
	again := func(file, key string) bool {
		at := whole(file) + "\x00" + key
		was := own[whole(file)] || met[at]
		met[at] = true
		return was
	}
	return sigma.Documents{
		Rules:        slices.DeleteFunc(slices.Clone(known.Rules), func(r *sigma.Rule) bool { return again(r.File, r.Key()) }),
		Correlations: slices.DeleteFunc(slices.Clone(known.Correlations), func(c *sigma.Correlation) bool { return again(c.File, c.Key()) }),
		Filters:      slices.DeleteFunc(slices.Clone(known.Filters), func(f *sigma.Filter) bool { return again(f.File, f.ID+f.Title) }),
	}
}

// whole is the one name of a file, however it was reached.
func whole(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		return abs
	}
	return file
}

// onlyFS shows one rule file of a folder, and its cases.
type onlyFS struct {
	fs.FS
	rule string
}

func (o onlyFS) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(o.FS, name)
	if name != "." {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool { return e.Name() != o.rule }), err
}

// single is the tree of one rule file.
func single(path string) (rule.Tree, error) {
	dir, base := filepath.Split(path)
	if !sigma.IsRuleFile(base) {
		return rule.Tree{}, fmt.Errorf("%s is no rule file: its name ends in .yml or .yaml", path)
	}
	dir = filepath.Clean(dir)
	return rule.Tree{FS: onlyFS{os.DirFS(dir), base}, Shown: dir}, nil
}
