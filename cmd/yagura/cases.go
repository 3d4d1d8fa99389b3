package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) findingsCases() *cobra.Command {
	var chosen chosenFindings
	c := &cobra.Command{
		Use: "cases", Short: "Gather findings by principal, resource and day", Args: cobra.NoArgs,
		Long: `Cases gathers what was found of one principal, one resource and one UTC day: the
most pressing case first, and in each the strongest reason first.`,
		Example: "  yagura findings cases --since 7d --unexplained",
		RunE: func(c *cobra.Command, _ []string) error {
			f, err := chosen.filter(p.now())
			if err != nil {
				return err
			}
			return p.listCases(c.Context(), f)
		},
	}
	chosen.flags(c)
	return c
}

func (p *program) listCases(ctx context.Context, f triage.Filter) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	found, _, err := r.triage.List(ctx, f)
	if err != nil {
		return err
	}
	cases := finding.Gather(found)
	switch p.flags.format {
	case "json":
		whole := struct {
			Cases []api.Gathered `json:"cases"`
			Next  string         `json:"next"`
		}{Cases: []api.Gathered{}}
		for _, c := range cases {
			whole.Cases = append(whole.Cases, api.ViewGathered(c))
		}
		return p.printJSON(whole)
	case "jsonl":
		for _, c := range cases {
			if err := p.printRow(api.ViewGathered(c)); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		var rows [][]string
		for _, c := range cases {
			rows = append(rows, []string{c.ID, fmt.Sprint(c.Priority), string(c.Severity), c.Actor, c.Resource, c.Account,
				p.when(c.First), p.when(c.Last), fmt.Sprint(len(c.Findings)), fmt.Sprint(c.Explained), sentence(c.Findings[0])})
		}
		return p.printTable([]string{"case", "priority", "severity", "actor", "resource", "account", "first_seen", "last_seen", "findings", "explained", "reason"}, rows)
	}
	for _, c := range cases {
		about := strings.TrimSuffix(strings.TrimPrefix(who(c.Findings[0])+" on "+c.Resource, " on "), " on ")
		fmt.Fprintf(p.stdout, "%3d %-8s %s  %s, %s\n", c.Priority, c.Severity, c.ID[:12], stamp(c.First), safe(oneLine(about)))
		for _, x := range c.Findings {
			fmt.Fprintf(p.stdout, "             - %s\n", safe(oneLine(sentence(x))))
		}
		if c.Explained {
			fmt.Fprintf(p.stdout, "             accounted for: %s\n", safe(oneLine(c.Findings[0].Explained[0].Text.String())))
		}
		fmt.Fprintln(p.stdout)
	}
	_, err = fmt.Fprintf(p.stdout, "%s of %s.\n", many(int64(len(cases)), "case", "cases"), many(int64(len(found)), "finding", "findings"))
	return err
}

// who is the person, where one acted, and the actor.
func who(f finding.Finding) string {
	if a := f.Anomaly; a != nil && a.Person != "" && a.Person != f.Actor {
		return strings.TrimSuffix(a.Person+" as "+f.Actor, " as ")
	}
	return f.Actor
}

// unitOf is what the chance of an anomaly is of. A run of denials has nothing to do
// with secrets: it is of a caller where it was refused.
func unitOf(a *finding.Anomaly) string {
	if a.Sign == finding.SignDenials {
		return ", for one caller in one project or account"
	}
	return fmt.Sprintf("; expected by chance %s a day and 1,000 secrets", small(a.Rate))
}

// showAnomaly shows the numbers of an anomaly.
func (p *program) showAnomaly(a *finding.Anomaly) {
	if a == nil {
		return
	}
	fmt.Fprintf(p.stdout, "\nHow unusual\n  - chance under the usual pattern 1 in %s%s\n", oneIn(a.Score), unitOf(a))
	fmt.Fprintf(p.stdout, "  - rests on %s and %s\n", many(int64(a.Days), "day", "days"), many(a.Calls, "call", "calls"))
	if a.Person != "" {
		fmt.Fprintf(p.stdout, "  - person %s\n", safe(oneLine(a.Person)))
	}
	for _, u := range a.Unseen {
		fmt.Fprintf(p.stdout, "  - not seen: %s\n", safe(oneLine(u.String())))
	}
	p.section("Secrets and keys", len(a.Resources), func(i int) string { return a.Resources[i] })
	p.series(a.Series)
}

// series draws what was seen beside what is usual, one line a point.
func (p *program) series(points []finding.Point) {
	const width, shown = 40, 24
	if len(points) == 0 {
		return
	}
	if len(points) > shown { // the latest: that is where it stands out
		points = points[len(points)-shown:]
	}
	most := 1.0
	for _, x := range points {
		most = max(most, x.Seen, x.High)
	}
	fmt.Fprintf(p.stdout, "\nSeen beside usual (# seen, - up to what is usual)\n")
	for _, x := range points {
		seen, high := int(width*x.Seen/most+0.5), int(width*x.High/most+0.5)
		bar := strings.Repeat("#", seen) + strings.Repeat("-", max(0, high-seen))
		fmt.Fprintf(p.stdout, "  %s %-*s %s, usual %s to %s\n", stamp(x.Time), width, bar, small(x.Seen), small(x.Low), small(x.High))
	}
}

// small writes a figure with three digits that matter.
func small(x float64) string {
	if x >= 1000 {
		return number(int64(x + 0.5))
	}
	return fmt.Sprintf("%.3g", x)
}

// oneIn is the 10^score of "1 in 10^score", in words a person reads.
func oneIn(score float64) string {
	if score > 15 {
		return fmt.Sprintf("10^%.0f", score)
	}
	return number(int64(math.Pow(10, max(0, score)) + 0.5))
}
