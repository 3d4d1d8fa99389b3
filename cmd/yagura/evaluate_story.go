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

	costs "github.com/yagura-sec/yagura/evaluate/configcost"
	"github.com/yagura-sec/yagura/evaluate/story"
	"github.com/yagura-sec/yagura/lake/local"
)

// plannedStory is a world of a story to be evaluated.
type plannedStory struct {
	name  string
	write func(ctx context.Context, dir string) error
}

// storyJudge evaluates worlds of one story, by their places in the order of planning.
type storyJudge interface {
	// plan checks a world and gives what writes it.
	plan(seed int64, variant string, records int) (func(ctx context.Context, dir string) error, error)
	// ask says what a world's run reads and does; at has world.json and the folders of
	// the story, step begins the arguments of a step with what all have.
	ask(at string, truth []byte, step func(args ...string) []string) (apartRequest, error)
	// judge holds what came of it against the truth, and gives that in a line.
	judge(i int, truth []byte, answer apartAnswer) (string, error)
	// result is what all worlds come to that were judged so far.
	result(failed []story.Failed, confined bool) storyResult
}

// storyResult is what worlds come to, as it is printed and written.
type storyResult interface {
	Report(h story.Header) string
	Cells() [][]string
	BarCells() [][]string
}

// judgeOf is what evaluates n worlds of a story, and the columns of its table.
func judgeOf(name string, n int) (storyJudge, []string) {
	if name == storyCost {
		return &costJudge{verdicts: make([]*costs.Verdict, n)}, costs.Head
	}
	return &deniedJudge{verdicts: make([]*story.Verdict, n)}, story.Head
}

// plannedStories lists the worlds: by variant, then by seed.
func (f *evaluation) plannedStories() (out []plannedStory, err error) {
	switch {
	case !slices.Contains(stories, f.story):
		return nil, wrong("--story %s: it is %s", f.story, strings.Join(stories, " or "))
	case f.seeds == "":
		return nil, wrong("evaluate --story: say which worlds: --seeds")
	case len(f.worlds) > 0 || len(f.ablations) > 0:
		return nil, wrong("--world and --ablations are of no story")
	case f.jobs < 1:
		return nil, wrong("--jobs %d: it is one at least", f.jobs)
	}
	variants := f.variants
	if len(variants) == 0 {
		variants = variantsOf(f.story)[:1]
	}
	if slices.Equal(variants, []string{"all"}) {
		variants = variantsOf(f.story)
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
	judge, _ := judgeOf(f.story, 0)
	for _, seed := range list {
		write, err := judge.plan(seed, variant, records)
		if err != nil {
			return nil, exit{exitUsage, err}
		}
		out = append(out, plannedStory{fmt.Sprintf("%s-%s-%d-%d", f.story, variant, seed, records), write})
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
	judge, head := judgeOf(f.story, len(worlds))
	var mu sync.Mutex
	why := make([]error, len(worlds))
	for i := range why {
		why[i] = errors.New("it was not its turn yet")
	}
	confined := true
	sofar := func() (storyResult, []story.Failed) {
		var failed []story.Failed
		for i, err := range why {
			if err != nil {
				failed = append(failed, story.Failed{World: worlds[i].name, Why: oneLine(err.Error())})
			}
		}
		return judge.result(failed, confined), failed
	}
	var g errgroup.Group
	g.SetLimit(f.jobs)
	for i, w := range worlds {
		g.Go(func() error {
			truth, answer, err := p.storyRun(ctx, f, judge, w, filepath.Join(keep, w.name))
			mu.Lock()
			defer mu.Unlock()
			said := ""
			if err == nil {
				said, err = judge.judge(i, truth, answer)
			}
			if why[i] = err; err != nil {
				p.warn("%s: %v", w.name, err)
				return nil
			}
			confined = confined && answer.Landlock > 0
			if p.terminal || f.report != "" {
				p.warn("%s: %s", w.name, said)
			}
			r, _ := sofar()
			return f.writeStory(r)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r, failed := sofar()
	return p.printStory(r, head, failed)
}

// storyRun makes a world, and has it read and asked about as anybody would, apart
// from its truth.
func (p *program) storyRun(ctx context.Context, f *evaluation, judge storyJudge, w plannedStory, dir string) (truth []byte, answer apartAnswer, err error) {
	if err := ctx.Err(); err != nil {
		return nil, answer, err
	}
	world, data := filepath.Join(dir, "world"), filepath.Join(dir, "data")
	if err := os.RemoveAll(dir); err != nil {
		return nil, answer, err
	}
	if f.keep == "" {
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	}
	if err := w.write(ctx, world); err != nil {
		return nil, answer, fmt.Errorf("simulate %s: %w", w.name, err)
	}
	path := filepath.Join(world, "world.json")
	if truth, err = os.ReadFile(path); err != nil {
		return nil, answer, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, answer, err
	}
	asked, err := judge.ask(world, truth, func(args ...string) []string { return append([]string{"--data", data, "--format", "json"}, args...) })
	if err != nil {
		return nil, answer, err
	}
	asked.Data, asked.Out = data, append(asked.Out, path)
	if answer, err = p.apart(ctx, asked); err != nil {
		return nil, answer, err
	}
	if n := len(answer.Steps); n < len(asked.Steps) {
		last := answer.Steps[n-1]
		return nil, answer, fmt.Errorf("%s: %s", strings.Join(asked.Steps[n-1][4:], " "), oneLine(last.Err))
	}
	return truth, answer, nil
}

// read puts what a step printed into what scripts read it as.
func (s apartStep) read(what string, into any) error {
	if err := json.Unmarshal([]byte(s.Out), into); err != nil {
		return fmt.Errorf("what %s says: %w", what, err)
	}
	return nil
}

// writeStory writes the document.
func (f *evaluation) writeStory(r storyResult) error {
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

func (p *program) printStory(r storyResult, head []string, failed []story.Failed) error {
	var err error
	switch {
	case p.json():
		err = p.printJSON(r)
	case p.flags.format == "csv":
		err = p.printTable(head, r.Cells())
	default:
		if err = p.printTable(story.BarHead, r.BarCells()); err == nil {
			fmt.Fprintln(p.stdout)
			err = p.printTable(head, r.Cells())
		}
	}
	for _, w := range failed {
		err = errors.Join(err, fmt.Errorf("world %s was not evaluated: %s", w.World, w.Why))
	}
	return err
}
