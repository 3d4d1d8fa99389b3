package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/yagura-sec/yagura/evaluate"
	"github.com/yagura-sec/yagura/simulate"
	"github.com/yagura-sec/yagura/simulate/estate"
)

// Worlds that evaluate makes itself, by seeds.

// seeds reads "6-15", "1,3,7" and both mixed.
func seeds(text string) (out []int64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		from, err := strconv.ParseInt(first, 10, 64)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseInt(last, 10, 64)
		}
		if err != nil || to < from || to-from > 1000 {
			return nil, wrong("--seeds %s: write numbers and ranges, such as 6-15 or 1,3,7", text)
		}
		for s := from; s <= to; s++ {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// families are those that --family names.
func families(text string) ([]estate.Family, error) {
	switch text {
	case "both":
		return []estate.Family{estate.Smooth, estate.Bursts}, nil
	case string(estate.Smooth), string(estate.Bursts):
		return []estate.Family{estate.Family(text)}, nil
	}
	return nil, wrong("--family %s: it is one of both, %s, %s", text, estate.Smooth, estate.Bursts)
}

// plannedWorld is a world to evaluate: one that is there, or one of a seed.
type plannedWorld struct {
	name string
	dir  string           // where it is, or is to be
	make *simulate.Config // nil: it is there
}

// planned lists the worlds in their order.
func (f *evaluation) planned(keep string) (out []plannedWorld, err error) {
	for _, dir := range f.worlds {
		name := dataName(dir)
		if abs, err := filepath.Abs(dir); err == nil && filepath.Dir(filepath.Dir(abs)) == keep && filepath.Base(abs) == "world" {
			name = filepath.Base(filepath.Dir(abs)) // one that --seeds made
		}
		out = append(out, plannedWorld{name: name, dir: dir})
	}
	if f.seeds == "" {
		return out, nil
	}
	numbers, err := seeds(f.seeds)
	if err != nil {
		return nil, err
	}
	kinds, err := families(f.family)
	if err != nil {
		return nil, err
	}
	for _, family := range kinds {
		for _, seed := range numbers {
			name := fmt.Sprintf("%s-%s-%d", f.size, family, seed)
			if f.days > 0 {
				name += fmt.Sprintf("-%dd", f.days)
			}
			out = append(out, plannedWorld{name, filepath.Join(keep, name, "world"), &simulate.Config{Seed: seed, Size: f.size, Family: family, Days: f.days}})
		}
	}
	return out, nil
}

// simulated makes the world, unless it was made before by the same build.
func (w *plannedWorld) simulated(ctx context.Context, anew bool) error {
	if w.make == nil {
		return nil
	}
	mark := w.dir + ".json"
	said, err := json.Marshal(map[string]any{"seed": w.make.Seed, "size": w.make.Size, "family": w.make.Family, "days": w.make.Days, "version": revision()})
	if err != nil {
		return err
	}
	if had, err := os.ReadFile(mark); err == nil && !anew && settled(revision()) && string(had) == string(said) {
		return nil
	}
	if there(w.dir) && !there(mark) && !there(filepath.Join(w.dir, "logs")) {
		return fmt.Errorf("%s is there and was not made by evaluate", w.dir)
	}
	if err := cmp.Or(os.RemoveAll(mark), os.RemoveAll(w.dir), os.MkdirAll(filepath.Dir(w.dir), 0o700)); err != nil {
		return err
	}
	if _, err := w.make.Write(ctx, w.dir); err != nil {
		return fmt.Errorf("simulate %s: %w", w.name, err)
	}
	return os.WriteFile(mark, said, 0o600)
}

// writeReport writes the document.
func (f *evaluation) writeReport(r *evaluate.Result) error {
	if f.report == "" {
		return nil
	}
	text := r.Report(evaluate.Header{Command: f.command(), Version: revision(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH})
	next := f.report + ".new"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(next, f.report)
}

// settled tells whether a revision stands for one program: builds of changed or
// unknown sources all have one name.
func settled(revision string) bool {
	return revision != "unknown" && !strings.HasSuffix(revision, "with changes") && !strings.HasSuffix(revision, "-dirty")
}

// revision is the version, or the commit that an unversioned program was built
// from.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if version != "unknown" || !ok {
		return version
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	if commit == "" {
		return version
	}
	return "commit " + commit + changed
}

// command is what can be typed to get the same report.
func (f *evaluation) command() string {
	parts := []string{"yagura evaluate"}
	for _, w := range f.worlds {
		parts = append(parts, "--world "+w)
	}
	if f.seeds != "" {
		parts = append(parts, "--seeds "+f.seeds, "--size "+f.size, "--family "+f.family)
	}
	if f.days > 0 {
		parts = append(parts, fmt.Sprint("--days ", f.days))
	}
	if len(f.ablations) > 0 {
		parts = append(parts, "--ablations "+strings.Join(f.ablations, ","))
	}
	if !f.baselines {
		parts = append(parts, "--baselines=false")
	}
	return strings.Join(append(parts, "--report "+f.report), " ")
}
