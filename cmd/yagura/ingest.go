package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/source/file"
	"github.com/yagura-sec/yagura/triage"
)

// What the garbage collector keeps the program to, so that it stays near 512 MB
// with what is not the collector's: while it serves, that is the query engine.
const (
	ingestMemory = 400 << 20
	serveMemory  = 320 << 20
)

type ingestFlags struct {
	container, format, failOn string
	rules                     []string
	reread                    bool
	later                     bool // look for anomalies another time
}

func (p *program) ingest() *cobra.Command {
	var f ingestFlags
	c := &cobra.Command{
		Use:   "ingest PATH...",
		Short: "Read log files, store and judge them",
		Long: `Ingest reads files, folders, globs or standard input (-) as they lie in buckets:
plain, .gz or .zst, logs of AWS, Google Cloud, Azure, identity providers, proxies and
devices in whatever container, recognised by content. Every record ends as stored,
duplicate, expired or quarantined, and the counts add up. Running it again reads
nothing twice. A path that is not there is told of, and the others are read.

Exit codes of a run: 3 when an undecided finding at or above --fail-on is there, 4 when
it met incomplete data (records for quarantine, objects that could not be read);
what earlier runs met, ledger tells.`,
		Example: "  yagura ingest ./AWSLogs\n  zcat trail.json.gz | yagura ingest -",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.runIngest(c.Context(), args, f)
		},
	}
	c.Flags().StringVar(&f.container, "input-format", "", "how records lie in a file: records, array, jsonl, json, zeek, csv, lines (default: by content)")
	c.Flags().StringVar(&f.format, "record-format", "", "what the records are, such as aws.cloudtrail (default: by content)")
	c.Flags().StringArrayVar(&f.rules, "rules", nil, "a folder of Sigma rules besides our own; may be repeated")
	c.Flags().BoolVar(&f.reread, "reread", false, "read objects again that are settled")
	c.Flags().BoolVar(&f.later, "no-anomalies", false, "leave looking for anomalies to hunt, serve or the next ingest")
	c.Flags().StringVar(&f.failOn, "fail-on", "", "exit with 3 when there is an undecided finding of this severity or above")
	return c
}

// Ingested is what one run did: the JSON of `ingest`.
type Ingested struct {
	Objects        int64   `json:"objects"`
	AlreadySettled int64   `json:"already_settled"`
	Read           int64   `json:"read"`
	Stored         int64   `json:"stored"`
	Duplicate      int64   `json:"duplicate"`
	Quarantined    int64   `json:"quarantined"`
	Expired        int64   `json:"expired"`
	Findings       int64   `json:"findings"`
	Seconds        float64 `json:"seconds"`
	// RestSeconds is when merging had come to rest, counted from the start too.
	RestSeconds float64 `json:"rest_seconds"`
	// HuntSeconds is how long correlations and anomalies took after that.
	HuntSeconds float64 `json:"hunt_seconds"`
	// OpenHours are those of correlations that wait for more of the log.
	OpenHours int64 `json:"open_hours"`
	Skipped   int64 `json:"skipped"` // files that are no logs
	// Registers are those that lay beside the logs and were not imported before.
	Registers []api.RegisterImported `json:"registers"`
	Failures  []Failure              `json:"failures"`
}

// Failure is an object that could not be read to its end.
type Failure struct {
	Object string `json:"object"`
	Reason string `json:"reason"`
}

func (p *program) runIngest(ctx context.Context, paths []string, f ingestFlags) error {
	if f.failOn != "" && finding.Severity(f.failOn).Rank() < 0 {
		return wrong("--fail-on %s: it is one of %v", f.failOn, finding.Severities)
	}
	if err := p.checkIngest(f); err != nil {
		return err
	}
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	done, err := p.ingestInto(ctx, r, paths, f)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	if err != nil && !fullDisk(err) {
		return err
	}
	if err := p.printIngested(done); err != nil {
		return err
	}
	if err != nil { // what was acknowledged is whole; the rest waits for room
		return exit{exitIncomplete, err}
	}
	return p.ingestExit(ctx, done, f)
}

// checkIngest refuses what can be known to be wrong before anything is read.
func (p *program) checkIngest(f ingestFlags) error {
	if f.format != "" && !p.formats.Has(f.format) {
		return wrong("--record-format %s: it is one of %s", f.format, strings.Join(p.formats.Formats(), ", "))
	}
	return p.rulesThere(f.rules)
}

// rulesThere refuses to go on without rules that were asked for.
func (p *program) rulesThere(extra []string) error {
	for _, dir := range slices.Concat(p.cfg.Rules.Dirs, extra) {
		if _, err := os.Stat(dir); err != nil {
			return wrong("rules: %w", err)
		}
	}
	return nil
}

// ingestInto reads the paths into opened rooms and merges until at rest.
func (p *program) ingestInto(ctx context.Context, r *rooms, paths []string, f ingestFlags) (Ingested, error) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(ingestMemory))
	start := time.Now()
	pipe, err := p.pipe(ctx, r, pipeline.Options{}, f.rules)
	if err != nil {
		return Ingested{}, err
	}
	recovered := pipe.Stats()
	owed := p.owe()
	src, err := file.New(file.Config{
		Paths: paths, Format: f.format, InputFormat: f.container, Known: catalogue.Known(p.formats), Reread: f.reread,
		Settled: r.ledger.Settled, Listed: r.ledger.List, Now: p.now, Stdin: p.stdin,
	})
	if err != nil {
		return Ingested{}, exit{exitUsage, err}
	}
	stop := p.progress(func() string {
		s := pipe.Stats()
		return fmt.Sprintf("%s records read, %s stored", number(s.Read), number(s.Stored))
	})
	imported := p.clock().UTC()
	registers, err := p.importRegisters(ctx, r, paths)
	if err != nil {
		p.warn("registers: %v", err) // the logs are read all the same
	}
	acknowledged, err := readAndMerge(ctx, r, func(ctx context.Context) error { return src.Run(ctx, pipe.Deliver) })
	stop()
	rest := time.Now()
	if err == nil {
		err = p.correlate(ctx, r)
	}
	hunted := r.hunting.Stats()
	if err == nil && r.lookout != nil && !f.later {
		err = p.look(ctx, r)
		looked := r.lookout.Stats()
		hunted.Findings += looked.Findings
		hunted.Seconds += looked.Seconds
	}
	if err == nil {
		err = p.retain(ctx, r) // by size: what came in may be too much
	}
	s, read := pipe.Stats(), src.Stats()
	owed = owed || s.Stored > 0
	if err == nil && owed {
		p.assess(ctx, r)
	}
	if err == nil && (owed || len(registers) > 0) {
		err = p.registerChanged(ctx, r, imported)
	}
	if err == nil {
		p.paid()
	}
	if acknowledged.IsZero() {
		acknowledged = time.Now() // of what was, before the error
	}
	done := Ingested{
		Objects: read.Objects, AlreadySettled: read.AlreadySettled,
		Read: s.Read - recovered.Read, Stored: s.Stored - recovered.Stored, Duplicate: s.Duplicate - recovered.Duplicate,
		Quarantined: s.Quarantined - recovered.Quarantined, Expired: s.Expired - recovered.Expired, Findings: s.Findings + hunted.Findings,
		Seconds: acknowledged.Sub(start).Seconds(), RestSeconds: rest.Sub(start).Seconds(), HuntSeconds: hunted.Seconds,
		OpenHours: hunted.Open,
		Skipped:   read.Skipped, Registers: append([]api.RegisterImported{}, registers...), Failures: []Failure{},
	}
	for _, x := range read.Failures {
		done.Failures = append(done.Failures, Failure{x.Object, x.Reason})
	}
	return done, err
}

// readAndMerge runs read while the lake merges beside it, and merges what is
// left afterwards; it tells when everything was acknowledged.
func readAndMerge(ctx context.Context, r *rooms, read func(context.Context) error) (acknowledged time.Time, err error) {
	g, gctx := errgroup.WithContext(ctx)
	reading, finished := context.WithCancel(gctx)
	g.Go(func() error {
		defer finished()
		return read(gctx)
	})
	g.Go(func() error { return tend(reading, r.lake) })
	if err := g.Wait(); err != nil {
		return time.Time{}, err
	}
	acknowledged = time.Now()
	return acknowledged, r.lake.Merge(ctx)
}

// tendEvery is how often the lake is asked to merge what is worth it.
const tendEvery = 500 * time.Millisecond

// tend merges beside the intake until ctx ends.
func tend(ctx context.Context, l lake.Tender) error {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := l.Tend(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("merge: %w", err)
		}
	}
}

func (p *program) printIngested(d Ingested) error {
	if p.json() {
		return p.printJSON(d)
	}
	if p.flags.format == "csv" {
		return p.printTable([]string{"objects", "already_settled", "skipped", "read", "stored", "duplicate", "quarantined", "expired", "findings", "failures", "seconds", "rest_seconds", "hunt_seconds", "open_hours"},
			[][]string{{p.count(d.Objects), p.count(d.AlreadySettled), p.count(d.Skipped), p.count(d.Read), p.count(d.Stored), p.count(d.Duplicate),
				p.count(d.Quarantined), p.count(d.Expired), p.count(d.Findings), p.count(int64(len(d.Failures))), fmt.Sprint(d.Seconds), fmt.Sprint(d.RestSeconds), fmt.Sprint(d.HuntSeconds), p.count(d.OpenHours)}})
	}
	for _, f := range d.Failures {
		p.warn("%s: %s", f.Object, f.Reason)
	}
	for _, x := range d.Registers {
		for _, problem := range x.Problems {
			p.warn("%s, line %d: %s", x.File, problem.Line, problem.Reason)
		}
	}
	rows := [][]string{
		{"objects", number(d.Objects)}, {"already settled", number(d.AlreadySettled)}, {"no logs, skipped", number(d.Skipped)},
		{"records read", number(d.Read)}, {"stored", number(d.Stored)}, {"duplicate", number(d.Duplicate)},
		{"quarantined", number(d.Quarantined)}, {"expired", number(d.Expired)}, {"findings touched", number(d.Findings)},
		{"seconds", fmt.Sprintf("%.1f to acknowledged, %.1f to at rest, %.1f for correlations", d.Seconds, d.RestSeconds, d.HuntSeconds)},
	}
	for _, x := range d.Registers {
		rows = append(rows, []string{"register " + safe(x.File), fmt.Sprintf("%s new, %s changed, %s as they were", number(int64(x.New)), number(int64(x.Changed)), number(int64(x.Same)))})
	}
	fmt.Fprintf(p.stdout, "Into %s\n\n", safe(p.dir))
	if err := p.printTable([]string{"what", "count"}, rows); err != nil {
		return err
	}
	if d.Read == 0 && d.AlreadySettled > 0 {
		fmt.Fprintf(p.stdout, "\nNothing new: all %s objects were settled before.\nRules judge records as they arrive; `yagura rules hunt` holds them against what is stored.\n", number(d.AlreadySettled))
	}
	if d.Quarantined > 0 {
		fmt.Fprintln(p.stdout, "\n`yagura ledger` says what is in quarantine, and why.")
	}
	if d.Findings > 0 {
		fmt.Fprintln(p.stdout, "\n`yagura findings list` shows the findings.")
	}
	return nil
}

func (p *program) ingestExit(ctx context.Context, d Ingested, f ingestFlags) error {
	if d.Quarantined > 0 || len(d.Failures) > 0 {
		return exit{code: exitIncomplete}
	}
	if f.failOn == "" {
		return nil
	}
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	return failOn(ctx, r.triage, finding.Severity(f.failOn))
}

// failOn is the exit code for findings nobody has decided about at or above a
// severity.
func failOn(ctx context.Context, store triage.Reader, s finding.Severity) error {
	open := []finding.Status{finding.New, finding.InProgress}
	page, _, err := store.List(ctx, triage.Filter{Severity: s, Status: open, Limit: 1})
	if err == nil && slices.ContainsFunc(page, func(f finding.Finding) bool { return !f.Demoted }) {
		return exit{code: exitFindings}
	}
	return err
}

// progress draws a line on a terminal until the returned function is called.
func (p *program) progress(line func() string) (stop func()) {
	if !p.terminal {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(p.stderr, "\r\x1b[K%s", line())
			case <-done:
				fmt.Fprint(p.stderr, "\r\x1b[K")
				return
			}
		}
	}()
	return func() { close(done); <-gone }
}
