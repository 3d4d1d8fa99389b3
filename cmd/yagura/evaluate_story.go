package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/evaluate/story"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/simulate/denied"
)

// plannedStory is a world of a story to be evaluated.
type plannedStory struct {
	name string
	make denied.Config
}

// plannedStories lists the worlds: by variant, then by seed.
func (f *evaluation) plannedStories() (out []plannedStory, err error) {
	switch {
	case !slices.Contains(stories, f.story):
		return nil, wrong("--story %s: it is %s", f.story, strings.Join(stories, ", "))
	case f.seeds == "":
		return nil, wrong("evaluate --story: say which worlds: --seeds")
	case len(f.worlds) > 0 || len(f.ablations) > 0:
		return nil, wrong("--world and --ablations are of no story")
	case f.jobs < 1:
		return nil, wrong("--jobs %d: it is one at least", f.jobs)
	}
	variants := f.variants
	if len(variants) == 0 {
		variants = []string{denied.Default}
	}
	if slices.Equal(variants, []string{"all"}) {
		variants = denied.Variants
	}
	for _, spec := range variants {
		some, err := f.plannedVariant(spec)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// plannedVariant lists the worlds of NAME[@SEEDS][:RECORDS].
func (f *evaluation) plannedVariant(spec string) (out []plannedStory, err error) {
	text, size, sized := strings.Cut(spec, ":")
	variant, numbers, own := strings.Cut(text, "@")
	records := f.records
	if sized {
		if records, err = strconv.Atoi(size); err != nil {
			return nil, wrong("--variant %s: %q is no number of records", spec, size)
		}
	}
	if !own {
		numbers = f.seeds
	}
	list, err := seeds(numbers)
	if err != nil {
		return nil, err
	}
	for _, seed := range list {
		c := denied.Config{Seed: seed, Variant: variant, Records: records}
		if err := c.Check(); err != nil {
			return nil, exit{exitUsage, err}
		}
		out = append(out, plannedStory{fmt.Sprintf("%s-%s-%d-%d", f.story, variant, seed, records), c})
	}
	return out, nil
}

// evaluateStory evaluates worlds of a story, some at a time, and writes the report
// after each.
func (p *program) evaluateStory(ctx context.Context, f *evaluation) error {
	worlds, err := f.plannedStories()
	if err != nil {
		return err
	}
	keep, done, err := f.place()
	if err != nil {
		return err
	}
	defer done()
	if local.Landlock() == 0 {
		p.warn("this kernel has no Landlock: the truth is out of the way of what is evaluated, but not out of its reach")
	}
	var mu sync.Mutex
	verdicts := make([]*story.Verdict, len(worlds))
	why := make([]error, len(worlds))
	for i := range why {
		why[i] = errors.New("it was not its turn yet")
	}
	confined := true
	sofar := func() *story.Result {
		var all []story.Verdict
		var failed []story.Failed
		for i, v := range verdicts {
			if v != nil {
				all = append(all, *v)
			} else {
				failed = append(failed, story.Failed{World: worlds[i].name, Why: oneLine(why[i].Error())})
			}
		}
		return story.Add(all, failed, confined)
	}
	var g errgroup.Group
	g.SetLimit(f.jobs)
	for i, w := range worlds {
		g.Go(func() error {
			run, err := p.storyRun(ctx, f, w, filepath.Join(keep, w.name))
			mu.Lock()
			defer mu.Unlock()
			if why[i] = err; err != nil {
				p.warn("%s: %v", w.name, err)
				return nil
			}
			v := story.Judge(run)
			verdicts[i], confined = &v, confined && run.Confined
			if p.terminal || f.report != "" {
				p.warn("%s: counted %d, %s %s %.2f, ingested in %.0f s, hunted in %.0f s", w.name, v.Count, v.Naming, v.Named, v.Sure, run.Ingest, run.Hunt)
			}
			return f.writeStory(sofar())
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return p.printStory(sofar())
}

// storyRun makes a world, and has it ingested and hunted as anybody would, apart
// from its truth.
func (p *program) storyRun(ctx context.Context, f *evaluation, w plannedStory, dir string) (run story.Run, err error) {
	if err := ctx.Err(); err != nil {
		return run, err
	}
	world, data := filepath.Join(dir, "world"), filepath.Join(dir, "data")
	if err := os.RemoveAll(dir); err != nil {
		return run, err
	}
	if f.keep == "" {
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	}
	if _, err := w.make.Write(ctx, world); err != nil {
		return run, fmt.Errorf("simulate %s: %w", w.name, err)
	}
	truth := filepath.Join(world, "world.json")
	text, err := os.ReadFile(truth)
	if err == nil {
		err = json.Unmarshal(text, &run.World)
	}
	if err != nil {
		return run, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return run, err
	}
	logs := filepath.Join(world, "logs")
	step := func(args ...string) []string { return append([]string{"--data", data, "--format", "json"}, args...) }
	answer, err := p.apart(ctx, apartRequest{
		Logs: []string{logs}, Data: data, Out: []string{truth, filepath.Join(world, "register.csv")},
		Steps: [][]string{step("ingest", logs), step("hunt"), step("findings", "list")},
	})
	if err != nil {
		return run, err
	}
	run.Confined = answer.Landlock > 0
	run.Ingest, run.Hunt = answer.Steps[0].Seconds, answer.Steps[1].Seconds
	var in Ingested
	var found struct{ Findings []story.Finding }
	if err := json.Unmarshal([]byte(answer.Steps[0].Out), &in); err != nil {
		return run, fmt.Errorf("what ingest says: %w", err)
	}
	if err := json.Unmarshal([]byte(answer.Steps[2].Out), &found); err != nil {
		return run, fmt.Errorf("what findings list says: %w", err)
	}
	run.Quarantined, run.Findings = in.Quarantined+int64(len(in.Failures)), found.Findings
	return run, nil
}

// writeStory writes the document.
func (f *evaluation) writeStory(r *story.Result) error {
	if f.report == "" {
		return nil
	}
	parts := []string{"yagura evaluate --story " + f.story, "--seeds " + f.seeds}
	if len(f.variants) > 0 {
		parts = append(parts, "--variant "+strings.Join(f.variants, ","))
	}
	if f.records > 0 {
		parts = append(parts, fmt.Sprint("--records ", f.records))
	}
	text := r.Report(story.Header{
		Command: strings.Join(append(parts, "--report "+f.report), " "), Seeds: f.seeds,
		Version: revision(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
	})
	next := f.report + ".new"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(next, f.report)
}

func (p *program) printStory(r *story.Result) error {
	var err error
	switch {
	case p.json():
		err = p.printJSON(r)
	case p.flags.format == "csv":
		err = p.printTable(story.Head, r.Cells())
	default:
		if err = p.printTable(story.BarHead, r.BarCells()); err == nil {
			fmt.Fprintln(p.stdout)
			err = p.printTable(story.Head, r.Cells())
		}
	}
	for _, w := range r.Failed {
		err = errors.Join(err, fmt.Errorf("world %s was not evaluated: %s", w.World, w.Why))
	}
	return err
}
