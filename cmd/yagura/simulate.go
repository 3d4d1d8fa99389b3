package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/simulate"
	"github.com/yagura-sec/yagura/simulate/configcost"
	"github.com/yagura-sec/yagura/simulate/denied"
	"github.com/yagura-sec/yagura/simulate/estate"
)

type simulateFlags struct {
	seed                    int64
	size, family, out       string
	days, accounts, secrets int
	start                   string
	calm, products          bool
	story, variant          string
	records                 int
}

func (p *program) simulate() *cobra.Command {
	var f simulateFlags
	c := &cobra.Command{
		Use: "simulate --out DIR", Short: "Write the logs of an invented organisation, with labels", Args: cobra.NoArgs, Annotations: noData,
		Long: `Simulate writes a world: the CloudTrail of an invented organisation as it would lie
in a bucket, a thin stream each of other providers, and the truth beside them: what
there is (world.json), what happened that is trouble or only looks like it
(labels.jsonl), and what a calendar tells of it (calendar.json). The same seed and
settings write the same bytes. What it writes is no log of anybody; see
docs/simulate.md.

The folder must be empty or absent. A world of size small has 12 accounts, 150
secrets and 45 days; medium 100, 1,500 and 60; large 1,000, 20,000 and 14. The family
says how traffic is made: smooth draws counts around a rhythm, bursts switches on
and off, with caches and cold starts.

With --story it writes a single story instead. policy-denied is somebody in a Google
Cloud project whom a policy of the organisation refuses again and again, while the log
hides who it was, among two days of ordinary work. Its logs/ have audit logs,
sign-ins, proxy, endpoint, leases and a register of what projects were applied for.
config-cost is an organisation whose AWS Config costs too much, since a service on
Fargate restarts all day and each start makes a network interface: a week of
CloudTrail, bills of three months, and what was counted.`,
		Example: "  yagura simulate --seed 7 --out ./world\n  yagura --data ./data ingest ./world/logs\n  yagura simulate --story policy-denied --seed 7 --out ./story\n  yagura simulate --story config-cost --seed 7 --out ./costs",
		RunE: func(c *cobra.Command, _ []string) error {
			if f.story != "" {
				return p.simulateStory(c.Context(), f, c.Flags().Changed)
			}
			if c.Flags().Changed("variant") || c.Flags().Changed("records") {
				return wrong("--variant and --records are of a --story")
			}
			return p.runSimulate(c.Context(), f)
		},
	}
	c.Flags().Int64Var(&f.seed, "seed", 1, "the world's number")
	c.Flags().StringVar(&f.size, "size", "small", "small, medium or large")
	c.Flags().StringVar(&f.family, "family", string(estate.Smooth), "how traffic is made: smooth or bursts")
	c.Flags().StringVar(&f.out, "out", "", "folder for the world")
	c.Flags().IntVar(&f.days, "days", 0, "days of logs (default those of the size)")
	c.Flags().IntVar(&f.accounts, "accounts", 0, "accounts (default those of the size)")
	c.Flags().IntVar(&f.secrets, "secrets", 0, "secrets and keys (default those of the size)")
	c.Flags().StringVar(&f.start, "start", "", "first day of the logs (default 2026-03-02)")
	c.Flags().BoolVar(&f.calm, "calm", false, "leave out trouble and what looks like it")
	c.Flags().BoolVar(&f.products, "products", false, "add what security products say, in findings/")
	c.Flags().StringVar(&f.story, "story", "", "write this story instead: "+strings.Join(stories, ", "))
	c.Flags().StringVar(&f.variant, "variant", "", fmt.Sprintf("of the story; of %s: %s; of %s: %s", storyDenied, strings.Join(variantsOf(storyDenied), ", "), storyCost, strings.Join(variantsOf(storyCost), ", ")))
	c.Flags().IntVar(&f.records, "records", 0, fmt.Sprintf("of ordinary work in the story (default %d or %d)", denied.Records, configcost.Records))
	return c
}

// Simulated is what one run wrote: the JSON of `simulate`.
type Simulated struct {
	Out     string        `json:"out"`
	Seed    int64         `json:"seed"`
	Size    string        `json:"size"`
	Family  estate.Family `json:"family"`
	Start   time.Time     `json:"start"`
	End     time.Time     `json:"end"` // not included
	Seconds float64       `json:"seconds"`
	Parts   []Part        `json:"parts"`

	Accounts int `json:"accounts"`
	Records  int `json:"records"` // of CloudTrail, with duplicates
	Labels   int `json:"labels"`  // of what happens in CloudTrail
}

// Part is a part of a world: a folder, or a file beside them.
type Part struct {
	Name  string `json:"name"`
	Files int64  `json:"files"`
	Bytes int64  `json:"bytes"`
	What  string `json:"what"`
}

func (p *program) runSimulate(ctx context.Context, f simulateFlags) error {
	if f.out == "" {
		return wrong("--out DIR: say where the world is to be written")
	}
	for _, n := range []struct {
		flag  string
		value int
	}{{"days", f.days}, {"accounts", f.accounts}, {"secrets", f.secrets}} {
		if n.value < 0 {
			return wrong("--%s %d: it cannot be negative", n.flag, n.value)
		}
	}
	start, err := moment("--start", f.start, p.now())
	if err != nil {
		return err
	}
	c := simulate.Config{
		Seed: f.seed, Size: f.size, Family: estate.Family(f.family), Days: f.days, Accounts: f.accounts, Secrets: f.secrets,
		Start: start, Calm: f.calm, Products: f.products,
	}
	if err := c.Check(); err != nil {
		return exit{exitUsage, err}
	}
	if entries, err := os.ReadDir(f.out); err == nil && len(entries) > 0 {
		return wrong("--out %s: the folder is not empty", f.out)
	}
	begun := time.Now()
	var at atomic.Int64
	c.Progress = func(hour time.Time) { at.Store(hour.Unix()) }
	stop := p.progress(func() string {
		if at.Load() == 0 {
			return "building the organisation"
		}
		return "writing " + time.Unix(at.Load(), 0).UTC().Format("2006-01-02 15:04")
	})
	sum, err := c.Write(ctx, f.out)
	stop()
	if err != nil {
		return err
	}
	done := Simulated{
		Out: f.out, Seed: f.seed, Size: f.size, Family: c.Family, Start: sum.Start, End: sum.End, Seconds: time.Since(begun).Seconds(),
		Accounts: len(sum.Accounts), Records: sum.Records, Labels: sum.Labels,
	}
	if done.Parts, err = parts(f.out, sum); err != nil {
		return err
	}
	return p.printSimulated(done)
}

// folder is a folder of a world.
type folder struct{ name, what string }

// streamWhats are the folders of the streams.
var streamWhats = []folder{
	{"streams/gcp", "Google Cloud audit logs: activity, and what policies denied"},
	{"streams/idp", "sign-ins at the identity provider"},
	{"streams/endpoint", "proxy, programs and logons, leases of addresses"},
	{"streams/hr", "who works here, who joined, moved and left"},
	{"streams/bill", "the bill by day, account and usage type"},
}

// parts sums up what was written.
func parts(dir string, sum simulate.Summary) ([]Part, error) {
	out := []Part{{"logs", int64(sum.Files), sum.Bytes, "CloudTrail as an organisation's trail delivers it"}}
	folders := streamWhats
	if sum.Findings > 0 {
		folders = append(slices.Clone(folders), folder{"findings", "what security products say"})
	}
	for _, s := range folders {
		part, err := partOf(dir, s)
		if err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	for _, f := range []struct{ name, what string }{
		{"labels.jsonl", "trouble, and what only looks like it"},
		{"calendar.json", "what a calendar tells: for --calendar"},
		{"world.json", "accounts, programs, people, secrets and rates"},
	} {
		info, err := os.Stat(filepath.Join(dir, f.name))
		if err != nil {
			return nil, err
		}
		out = append(out, Part{f.name, 1, info.Size(), f.what})
	}
	return out, nil
}

// partOf sums up a folder below dir, or a file; one that is not there has no files.
func partOf(dir string, s folder) (Part, error) {
	part := Part{Name: s.name, What: s.what}
	err := filepath.WalkDir(filepath.Join(dir, s.name), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			part.Files++
			part.Bytes += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return part, err
}

func (p *program) printSimulated(d Simulated) error {
	if p.json() {
		return p.printJSON(d)
	}
	rows := make([][]string, len(d.Parts))
	for i, part := range d.Parts {
		rows[i] = []string{part.Name, p.count(part.Files), p.count(part.Bytes), part.What}
	}
	if p.flags.format != "csv" {
		fmt.Fprintf(p.stdout, "A world in %s: %s, %s to %s, %s of CloudTrail, %s, made in %.1f s.\n\n", safe(d.Out), many(int64(d.Accounts), "account", "accounts"),
			d.Start.Format(time.DateOnly), d.End.Format(time.DateOnly), many(int64(d.Records), "record", "records"), many(int64(d.Labels), "label", "labels"), d.Seconds)
	}
	return p.printTable([]string{"part", "files", "bytes", "what"}, rows)
}
