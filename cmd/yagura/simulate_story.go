package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/configcost"
	"github.com/yagura-sec/yagura/simulate/denied"
)

// The stories that simulate and evaluate know.
const (
	storyDenied = "policy-denied"
	storyCost   = "config-cost"
)

// stories are the names that --story takes.
var stories = []string{storyDenied, storyCost}

// variantsOf are those of a story.
func variantsOf(story string) []string {
	if story == storyCost {
		return configcost.Variants
	}
	return denied.Variants
}

// Told is what one run wrote: the JSON of `simulate --story`.
type Told struct {
	Out     string    `json:"out"`
	Story   string    `json:"story"`
	Variant string    `json:"variant"`
	Seed    int64     `json:"seed"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"` // not included
	Seconds float64   `json:"seconds"`
	Records int       `json:"records"`       // of ordinary work
	Beside  int       `json:"story_records"` // the story's, beside them
	Parts   []Part    `json:"parts"`
}

// storyWhats are the folders and files of the stories; each has some of them.
var storyWhats = []folder{
	{"logs/gcp", "Google Cloud audit logs: activity, data access, and what policies denied"},
	{"logs/workspace", "sign-ins at Google Workspace"},
	{"logs/proxy", "what the proxy sees"},
	{"logs/endpoint", "programs and logons"},
	{"logs/dhcp", "leases of addresses"},
	{"logs/register", "what projects were applied for"},
	{"logs/AWSLogs", "CloudTrail of six accounts, a week"},
	{"bills", "bills of three months, as CUR 2.0: two as CSV, one as Parquet"},
	{"counts", "what AWS Config recorded in thirty days, and how accounts are set up"},
	{"extra", "the last month's bill once more, as FOCUS"},
	{"world.json", "the truth, and who is who"},
}

// simulateStory writes a story. What is of the other kind of world is refused.
func (p *program) simulateStory(ctx context.Context, f simulateFlags, changed func(flag string) bool) error {
	if f.out == "" {
		return wrong("--out DIR: say where the world is to be written")
	}
	for _, flag := range []string{"size", "family", "days", "accounts", "secrets", "start", "calm", "products"} {
		if changed(flag) {
			return wrong("--%s: a story has none", flag)
		}
	}
	if !slices.Contains(stories, f.story) {
		return wrong("--story %s: it is %s", f.story, strings.Join(stories, " or "))
	}
	write, err := f.storyWriter()
	if err != nil {
		return exit{exitUsage, err}
	}
	if entries, err := os.ReadDir(f.out); err == nil && len(entries) > 0 {
		return wrong("--out %s: the folder is not empty", f.out)
	}
	begun := time.Now()
	done, err := write(ctx)
	if err != nil {
		return err
	}
	done.Out, done.Story, done.Variant, done.Seed, done.Seconds = f.out, f.story, f.variant, f.seed, time.Since(begun).Seconds()
	for _, x := range storyWhats {
		part, err := partOf(f.out, x)
		if err != nil {
			return err
		}
		if part.Files > 0 {
			done.Parts = append(done.Parts, part)
		}
	}
	return p.printTold(done)
}

// storyWriter is what writes the story that is asked for, which it checks first.
func (f *simulateFlags) storyWriter() (func(context.Context) (Told, error), error) {
	if f.story == storyCost {
		c := configcost.Config{Seed: f.seed, Variant: f.variant, Records: f.records}
		return func(ctx context.Context) (Told, error) {
			sum, err := c.Write(ctx, f.out)
			return Told{Start: sum.Start, End: sum.End, Records: sum.Ordinary, Beside: sum.Story}, err
		}, c.Check()
	}
	c := denied.Config{Seed: f.seed, Variant: f.variant, Records: f.records}
	return func(ctx context.Context) (Told, error) {
		sum, err := c.Write(ctx, f.out)
		return Told{Start: sum.Start, End: sum.End, Records: sum.Ordinary, Beside: sum.Story}, err
	}, c.Check()
}

func (p *program) printTold(d Told) error {
	if p.json() {
		return p.printJSON(d)
	}
	rows := make([][]string, len(d.Parts))
	for i, part := range d.Parts {
		rows[i] = []string{part.Name, p.count(part.Files), p.count(part.Bytes), part.What}
	}
	if p.flags.format != "csv" {
		fmt.Fprintf(p.stdout, "A world in %s: %s to %s, %s of ordinary work and %s of the story, made in %.1f s.\n\n", safe(d.Out),
			d.Start.Format(time.DateOnly), d.End.Format(time.DateOnly), many(int64(d.Records), "record", "records"), many(int64(d.Beside), "record", "records"), d.Seconds)
	}
	return p.printTable([]string{"part", "files", "bytes", "what"}, rows)
}
