package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/denied"
)

// storyDenied is the story that simulate and evaluate know.
const storyDenied = "policy-denied"

// stories are the names that --story takes.
var stories = []string{storyDenied}

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

// storyWhats are the folders and files of a story.
var storyWhats = []folder{
	{"logs/gcp", "Google Cloud audit logs: activity, data access, and what policies denied"},
	{"logs/workspace", "sign-ins at Google Workspace"},
	{"logs/proxy", "what the proxy sees"},
	{"logs/endpoint", "programs and logons"},
	{"logs/dhcp", "leases of addresses"},
	{"logs/register", "what projects were applied for"},
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
		return wrong("--story %s: it is %s", f.story, strings.Join(stories, ", "))
	}
	c := denied.Config{Seed: f.seed, Variant: f.variant, Records: f.records}
	if err := c.Check(); err != nil {
		return exit{exitUsage, err}
	}
	if entries, err := os.ReadDir(f.out); err == nil && len(entries) > 0 {
		return wrong("--out %s: the folder is not empty", f.out)
	}
	begun := time.Now()
	sum, err := c.Write(ctx, f.out)
	if err != nil {
		return err
	}
	done := Told{
		Out: f.out, Story: f.story, Variant: f.variant, Seed: f.seed, Start: sum.Start, End: sum.End, Seconds: time.Since(begun).Seconds(),
		Records: sum.Ordinary, Beside: sum.Story,
	}
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
