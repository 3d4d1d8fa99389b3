package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	costs "github.com/yagura-sec/yagura/evaluate/configcost"
	"github.com/yagura-sec/yagura/evaluate/story"
	"github.com/yagura-sec/yagura/simulate/configcost"
	"github.com/yagura-sec/yagura/simulate/denied"
)

// deniedJudge evaluates worlds of a hidden caller.
type deniedJudge struct{ verdicts []*story.Verdict }

func (*deniedJudge) plan(seed int64, variant string, records int) (func(context.Context, string) error, error) {
	c := denied.Config{Seed: seed, Variant: variant, Records: records}
	return func(ctx context.Context, dir string) error { _, err := c.Write(ctx, dir); return err }, c.Check()
}

func (*deniedJudge) ask(at string, _ []byte, step func(args ...string) []string) (apartRequest, error) {
	logs := filepath.Join(at, "logs")
	return apartRequest{
		Logs: []string{logs}, Out: []string{filepath.Join(at, "register.csv")},
		Steps: [][]string{step("ingest", logs), step("hunt"), step("findings", "list")},
	}, nil
}

func (d *deniedJudge) judge(i int, truth []byte, answer apartAnswer) (string, error) {
	run := story.Run{Confined: answer.Landlock > 0, Ingest: answer.Steps[0].Seconds, Hunt: answer.Steps[1].Seconds}
	var in Ingested
	var found struct{ Findings []story.Finding }
	if err := json.Unmarshal(truth, &run.World); err != nil {
		return "", err
	}
	if err := answer.Steps[0].read("ingest", &in); err != nil {
		return "", err
	}
	if err := answer.Steps[2].read("findings list", &found); err != nil {
		return "", err
	}
	run.Quarantined, run.Findings = in.Quarantined+int64(len(in.Failures)), found.Findings
	v := story.Judge(run)
	d.verdicts[i] = &v
	return fmt.Sprintf("counted %d, %s %s %.2f, ingested in %.0f s, hunted in %.0f s", v.Count, v.Naming, v.Named, v.Sure, run.Ingest, run.Hunt), nil
}

func (d *deniedJudge) result(failed []story.Failed, confined bool) storyResult {
	return story.Add(withoutNil(d.verdicts), failed, confined)
}

// costJudge evaluates worlds of what AWS Config costs.
type costJudge struct{ verdicts []*costs.Verdict }

func (*costJudge) plan(seed int64, variant string, records int) (func(context.Context, string) error, error) {
	c := configcost.Config{Seed: seed, Variant: variant, Records: records}
	return func(ctx context.Context, dir string) error { _, err := c.Write(ctx, dir); return err }, c.Check()
}

func (*costJudge) ask(at string, truth []byte, step func(args ...string) []string) (apartRequest, error) {
	var world configcost.World
	if err := json.Unmarshal(truth, &world); err != nil {
		return apartRequest{}, err
	}
	logs, bills, counts := filepath.Join(at, "logs"), filepath.Join(at, "bills"), filepath.Join(at, "counts")
	day := func(i int) string { return world.Start.AddDate(0, 0, i).Format("2006-01-02") }
	return apartRequest{
		Logs: []string{logs, bills, counts}, Out: []string{filepath.Join(at, "extra", "focus", world.Truth.Months[2].Month+".csv.gz")},
		Steps: [][]string{
			step("ingest", logs), step("cost", "import", bills, counts), step("cost", "shares"), step("cost", "import", bills, counts), step("cost", "shares"),
			step("cost", "changes", "--account", world.Truth.Account, "--since", day(0), "--until", day(7)), step("cost", "advise"), step("cost", "trend"),
		},
	}, nil
}

func (c *costJudge) judge(i int, truth []byte, answer apartAnswer) (string, error) {
	s := answer.Steps
	run := costs.Run{Confined: answer.Landlock > 0, Ingest: s[0].Seconds, Import: s[1].Seconds, Ask: s[4].Seconds + s[5].Seconds + s[6].Seconds + s[7].Seconds}
	var in Ingested
	if err := json.Unmarshal(truth, &run.World); err != nil {
		return "", err
	}
	for _, x := range []struct {
		step int
		what string
		into any
	}{{0, "ingest", &in}, {2, "cost shares", &run.Shares}, {4, "cost shares", &run.Again}, {5, "cost changes", &run.Changes}, {6, "cost advise", &run.Advised}, {7, "cost trend", &run.Trend}} {
		if err := s[x.step].read(x.what, x.into); err != nil {
			return "", err
		}
	}
	run.Quarantined = in.Quarantined + int64(len(in.Failures))
	v := costs.Judge(run)
	c.verdicts[i] = &v
	return fmt.Sprintf("%d things wrong, ingested in %.0f s, imported in %.1f s, asked in %.1f s", len(v.Wrong), v.Ingest, v.Import, v.Ask), nil
}

func (c *costJudge) result(failed []story.Failed, confined bool) storyResult {
	return costs.Add(withoutNil(c.verdicts), failed, confined)
}

// withoutNil are those of the worlds that were judged.
func withoutNil[V any](all []*V) (out []V) {
	for _, v := range all {
		if v != nil {
			out = append(out, *v)
		}
	}
	return out
}
