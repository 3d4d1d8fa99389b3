package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/evaluate"
	"github.com/yagura-sec/yagura/lake/local"
)

// evaluation is one run of the command.
type evaluation struct {
	worlds    []string
	seeds     string
	size      string
	family    string
	days      int
	report    string
	keep      string
	anew      bool
	baselines bool
	ablations []string
	misses    float64
	jobs      int

	story    string
	variants []string
	records  int
}

func (p *program) evaluate() *cobra.Command {
	var f evaluation
	c := &cobra.Command{
		Use: "evaluate", Short: "Measure what is found in a labelled world", Args: cobra.NoArgs,
		Long: `Evaluate runs ingest and hunt on the logs and the calendar of a world, in a fresh
data directory and a process that cannot reach the labels (by Landlock, where the
kernel has it), reads the findings back and holds them against the labels: what was
found at alert budgets of 1, 5 and 20 a day and 1,000 secrets, how much of what is
alarming is trouble, how look-alikes fare, how soon, and how simple methods do.

A world is a folder with logs/ (or logs beside the other files), labels.jsonl and,
where there are, calendar.json and world.json: as yagura simulate writes them, or
another's. Rules have no part in it. A finding tells of a label where it is of its kind, within 30 minutes of
its time, and of its principal, person or secret.

With --seeds it makes the worlds itself, and --report writes a document. With --keep
worlds and data directories stay, and logs that were ingested before are not read
again; for a report, and with --seeds, only if this very build made them.

One world that fails does not keep the others from being reported, but the command
fails. It fails too if the scoring does: an oracle that is told the labels has to
find all, and chance as much as chance does.

With --story the worlds are those of yagura simulate --story. Of policy-denied it is
judged whether the run of refusals became one case with the right count, whether
somebody was named and rightly, and what was said of intent, service, register and
verdict; of config-cost whether shares are the bill's, changes counted, the loop
named, savings and verdicts right, and nothing of Control Tower's touched.`,
		Example: "  yagura evaluate --world ./world\n  yagura evaluate --seeds 1-3 --size small --report quality.md\n  yagura evaluate --world ./world --keep ./kept --misses 1\n  yagura evaluate --story policy-denied --seeds 1-20 --variant all --records 20000",
		RunE: func(c *cobra.Command, _ []string) error {
			if f.story != "" {
				return p.evaluateStory(c.Context(), &f)
			}
			return p.runEvaluate(c.Context(), &f)
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.worlds, "world", nil, "folder of a world; may be repeated")
	flags.StringVar(&f.seeds, "seeds", "", "worlds to simulate: 6-15, or 1,3,7")
	flags.StringVar(&f.size, "size", "small", "of worlds to simulate: small, medium or large")
	flags.StringVar(&f.family, "family", "both", "of worlds to simulate: smooth, bursts or both")
	flags.IntVar(&f.days, "days", 0, "of worlds to simulate (default: the size's)")
	flags.StringVar(&f.report, "report", "", "a file to write the report to, in Markdown")
	flags.StringVar(&f.keep, "keep", "", "folder in which worlds and data directories stay")
	flags.BoolVar(&f.anew, "anew", false, "make and ingest kept worlds anew")
	flags.BoolVar(&f.baselines, "baselines", true, "also do as simple methods would")
	flags.StringSliceVar(&f.ablations, "ablations", nil, "hunt once more without each of these: context, peers, shrinkage, tail")
	flags.Float64Var(&f.misses, "misses", 0, "list what is missed, and what is alarming for nothing, at this budget")
	flags.StringVar(&f.story, "story", "", "judge worlds of this story instead: "+strings.Join(stories, ", "))
	flags.StringSliceVar(&f.variants, "variant", nil, "of the story as NAME[@SEEDS][:RECORDS], or all (default: the story itself)")
	flags.IntVar(&f.records, "records", 0, "of ordinary work in a world of the story")
	flags.IntVar(&f.jobs, "jobs", 1, "worlds at a time")
	return c
}

func (p *program) runEvaluate(ctx context.Context, f *evaluation) error {
	if len(f.worlds) == 0 && f.seeds == "" {
		return wrong("evaluate: say which world: --world DIR, or --seeds")
	}
	if f.jobs < 1 {
		return wrong("--jobs %d: it is one at least", f.jobs)
	}
	keep, done, err := f.place()
	if err != nil {
		return err
	}
	defer done()
	if local.Landlock() == 0 && f.report != "" {
		return errors.New("this kernel has no Landlock: nothing keeps the labels from what is evaluated, so no report is written; without --report it can be tried")
	}
	if local.Landlock() == 0 {
		p.warn("this kernel has no Landlock: the labels are out of the way of what is evaluated, but not out of its reach")
	}
	worlds, err := f.planned(keep)
	if err != nil {
		return err
	}
	result, err := p.evaluateAll(ctx, f, worlds, keep)
	if err != nil {
		return err
	}
	if err := p.printEvaluated(result, f); err != nil {
		return err
	}
	return sound(result)
}

// sound tells what is wrong with a result that is printed nevertheless: worlds
// that failed, and checks of the scoring that do not hold.
func sound(r *evaluate.Result) error {
	var all []error
	for _, w := range r.Failed {
		all = append(all, fmt.Errorf("world %s was not evaluated: %s", w.World, w.Why))
	}
	for _, c := range r.Unsound() {
		all = append(all, fmt.Errorf("the scoring is not to be trusted: %s", c))
	}
	return errors.Join(all...)
}

// evaluateAll evaluates the worlds, some at a time, and writes the report after each,
// so that one is there whichever fails or is interrupted. If all fail, it fails.
func (p *program) evaluateAll(ctx context.Context, f *evaluation, worlds []plannedWorld, keep string) (*evaluate.Result, error) {
	var mu sync.Mutex
	outcomes := make([]*evaluate.Outcome, len(worlds))
	why := make([]error, len(worlds))
	for i := range why {
		why[i] = errors.New("it was not its turn yet")
	}
	// sofar is the result of those that are done, in the order of worlds.
	sofar := func() *evaluate.Result {
		var done []evaluate.Outcome
		var failed []evaluate.Failed
		for i, o := range outcomes {
			if o != nil {
				done = append(done, *o)
			} else {
				failed = append(failed, evaluate.Failed{World: worlds[i].name, Why: oneLine(why[i].Error())})
			}
		}
		r := evaluate.Add(done, f.misses)
		r.Failed = failed
		return &r
	}
	var g errgroup.Group
	g.SetLimit(f.jobs)
	for i := range worlds {
		g.Go(func() error {
			out, err := p.evaluatePlanned(ctx, f, &worlds[i], filepath.Join(keep, worlds[i].name, "data"))
			mu.Lock()
			defer mu.Unlock()
			if why[i] = err; err != nil {
				p.warn("%s: %v", worlds[i].name, err)
				return nil
			}
			outcomes[i] = &out
			return f.writeReport(sofar())
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(outcomes, func(o *evaluate.Outcome) bool { return o != nil }) {
		return nil, errors.Join(why...)
	}
	r := sofar()
	return r, f.writeReport(r)
}

// evaluatePlanned makes a world if need be, and evaluates it. What nobody wants
// to keep is gone afterwards: twenty worlds need room for one.
func (p *program) evaluatePlanned(ctx context.Context, f *evaluation, w *plannedWorld, data string) (evaluate.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return evaluate.Outcome{}, err
	}
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return evaluate.Outcome{}, err
	}
	if f.keep == "" {
		defer os.RemoveAll(filepath.Dir(data)) //nolint:errcheck // a temporary folder
	}
	if err := w.simulated(ctx, f.anew); err != nil {
		return evaluate.Outcome{}, err
	}
	out, err := p.evaluateWorld(ctx, f, w.dir, data)
	if err == nil && w.make != nil {
		out.Run.Name, out.Verdict.World.Name = w.name, w.name
	}
	if (p.terminal || f.report != "") && err == nil {
		p.warn("%s: %s records, ingested in %.0f s, hunted in %.0f s", out.Run.Name, number(out.Run.Records), out.Run.IngestSeconds, out.Run.HuntSeconds)
	}
	return out, err
}

// place is where data directories go, and what cleans up.
func (f *evaluation) place() (dir string, done func(), err error) {
	if f.keep != "" {
		dir, err = filepath.Abs(f.keep)
		if err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err == nil {
			dir, err = filepath.EvalSymlinks(dir)
		}
		return dir, func() {}, err
	}
	if dir, err = os.MkdirTemp("", "yagura-evaluate-"); err != nil {
		return "", nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", nil, err
	}
	return dir, func() { os.RemoveAll(dir) }, nil //nolint:errcheck // a temporary folder
}

// dataName is the name under which a world's data is kept: its path.
func dataName(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return strings.ReplaceAll(strings.Trim(dir, "/"), "/", "_")
}

func (p *program) printEvaluated(r *evaluate.Result, f *evaluation) error {
	if p.json() {
		return p.printJSON(r)
	}
	if p.flags.format == "csv" {
		return p.printTable(kindHead, kindRows(r))
	}
	for _, w := range r.Worlds {
		p.printWorld(&w)
	}
	if err := p.printTable(kindHead, kindRows(r)); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "\nRecall is of %s, with 95 %% intervals; precision of all alerts of the kind.\n", r.Basis)
	fmt.Fprintf(p.stdout, "Alerts a day and 1,000 secrets at budgets 1, 5, 20: %s, of them about no trouble %s; explained besides %s.\n",
		budgets(r.Alerts), budgets(r.False), budgets(r.Explained))
	for _, x := range []struct {
		name string
		a    evaluate.Alarmed
	}{{"known to the calendar", r.Lookalikes.Known}, {"unknown to it", r.Lookalikes.Unknown}} {
		fmt.Fprintf(p.stdout, "Look-alikes %s (%d): alarming unexplained %s, explained %s.\n", x.name, x.a.Labels, budgets(x.a.Unexplained), budgets(x.a.Explained))
	}
	fmt.Fprintln(p.stdout)
	if err := p.printLookalikes(r); err != nil {
		return err
	}
	if f.misses > 0 {
		return p.printMisses(r, f.misses)
	}
	return nil
}

func (p *program) printWorld(w *evaluate.Run) {
	fmt.Fprintf(p.stdout, "%s: %s records (ingested %s, %.1f s), hunted in %.1f s; %s secrets and keys, %.0f days of trouble, %d troubles, %d look-alikes\n",
		safe(w.Name), number(w.Records), w.Ingested, w.IngestSeconds, w.HuntSeconds, number(int64(w.Secrets)), w.Days(), w.Labels, w.Likes)
	if w.Early > 0 {
		fmt.Fprintf(p.stdout, "  %d alerts before trouble begins, at the loosest budget; they are not counted\n", w.Early)
	}
	for _, m := range w.Missing {
		fmt.Fprintln(p.stdout, " ", safe(m))
	}
	for i, x := range w.Problems {
		if i == 10 {
			fmt.Fprintf(p.stdout, "  %d more labels with something amiss\n", len(w.Problems)-i)
			break
		}
		fmt.Fprintf(p.stdout, "  label %d %s: %s\n", x.Line, safe(x.ID), safe(x.What))
	}
	fmt.Fprintln(p.stdout)
}

var kindHead = []string{"kind", "labels", "recall 1", "95 %", "5", "20", "easy", "medium", "hard", "precision 1", "5", "20", "any kind", "explained", "alerts/day", "minutes"}

// kindRows are one a kind that there are labels or alerts of.
func kindRows(r *evaluate.Result) (rows [][]string) {
	for _, name := range slices.Sorted(maps.Keys(r.Kinds)) {
		k := r.Kinds[name]
		if k.ByDifficulty[evaluate.All].Labels == 0 && k.Alerts.At(evaluate.Loosest) == 0 {
			continue
		}
		of := func(base string) string {
			d := k.ByDifficulty[base]
			return fmt.Sprintf("%s (%d)", figure(d.Recall.At(1)), d.Labels)
		}
		rows = append(rows, []string{name, fmt.Sprint(k.Labels), figure(k.Recall.At(1)), fmt.Sprintf("%s-%s", figure(float64(k.Interval["1"][0])), figure(float64(k.Interval["1"][1]))),
			figure(k.Recall.At(5)), figure(k.Recall.At(20)), of("1"), of("2"), of("3"),
			figure(k.Precision.At(1)), figure(k.Precision.At(5)), figure(k.Precision.At(20)),
			figure(k.RecallAnyKind.At(1)), figure(k.RecallExplained.At(1)), figure(k.Alerts.At(1)), figure(k.MedianMinutes.At(1))})
	}
	return rows
}

// figure is a number for a cell.
func figure(f float64) string {
	switch {
	case math.IsNaN(f):
		return "-"
	case math.Abs(f) >= 100:
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func budgets(b evaluate.ByBudget) string {
	var parts []string
	for _, budget := range evaluate.Budgets {
		parts = append(parts, figure(b.At(budget)))
	}
	return strings.Join(parts, " / ")
}

func (p *program) printLookalikes(r *evaluate.Result) error {
	var rows [][]string
	for _, sort := range slices.Sorted(maps.Keys(r.Lookalikes.Sorts)) {
		x := r.Lookalikes.Sorts[sort]
		rows = append(rows, []string{sort,
			fmt.Sprint(x.Known.Labels), figure(x.Known.Unexplained.At(1)), figure(x.Known.Explained.At(1)),
			fmt.Sprint(x.Unknown.Labels), figure(x.Unknown.Unexplained.At(1)), figure(x.Unknown.Explained.At(1))})
	}
	return p.printTable([]string{"look-alike", "known", "alarming", "explained", "unknown", "alarming", "explained"}, rows)
}

func (p *program) printMisses(r *evaluate.Result, budget float64) error {
	fmt.Fprintf(p.stdout, "\nMissed at budget %v:\n\n", budget)
	var rows [][]string
	for _, m := range r.Misses {
		rows = append(rows, []string{m.World, m.ID, m.Kind, fmt.Sprint(m.Difficulty), m.Sort, m.At, m.Why, short(m.About, 90)})
	}
	if err := p.printTable([]string{"world", "label", "kind", "difficulty", "sort", "start", "instead", "about"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "\nAlarming about no trouble at budget %v:\n\n", budget)
	rows = nil
	for _, a := range r.Wrong {
		rows = append(rows, []string{a.World, a.Sign, a.At, figure(float64(a.Needs)), strings.Join(a.Labels, " "), a.Key[:min(12, len(a.Key))], short(oneLine(a.Title), 120)})
	}
	return p.printTable([]string{"world", "sign", "first", "needs", "look-alikes", "key", "title"}, rows)
}
