package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/advise"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

func (p *program) costAdvise() *cobra.Command {
	var accounts []string
	var exclusions, plans, masked bool
	var drawing pictureFlags
	c := &cobra.Command{
		Use: "advise", Short: "Tell what could be cheaper, what would be lost by it, and how it is done and undone", Args: cobra.NoArgs,
		Long: `Advise holds what was counted, billed and described (cost import) and what the log
shows against prices: daily against continuous recording by AWS Config of each
resource type and account, further copies of the same events, analyzers of what
another analyses, protections of what is not in use, keys and secrets that nobody
uses, data events that nothing looks at.

Nothing is ever called: plans are commands to read and run, each with those that take
it back. Where AWS Control Tower governs an account, or it is not known whether it
does, no plan touches the recorder. What is not known is said. A tie changes nothing.

The saving is that of a month of 30 days where it rests on counts, and of the latest
whole month where it rests on the bill. total_saving_month is what would be saved were
nothing against it, total_actionable_month what is advised. See docs/cost.md.`,
		Example: `  yagura cost advise
  yagura cost advise --account 111122223333 --plans
  yagura cost advise --all --format json`,
		RunE: func(c *cobra.Command, _ []string) error {
			draws, err := drawing.draws()
			if err != nil {
				return err
			}
			aliases, err := p.aliases(masked)
			if err != nil {
				return err
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, err := p.advice(c.Context(), r, accounts, exclusions)
			if err != nil {
				return err
			}
			if all, err = r.withDecisions(c.Context(), all); err != nil {
				return err
			}
			if draws {
				drawing.masked = masked
				return p.drawInto(drawing, breakEvenPicture(all))
			}
			v := api.ViewAdvice(all, accountNames(p.cfg.Estate))
			if aliases != nil {
				v = maskedAdvice(v, aliases)
			}
			if p.json() {
				return p.printJSON(v)
			}
			return p.printAdvice(v, plans)
		},
	}
	c.Flags().StringSliceVar(&accounts, "account", nil, "about these accounts")
	c.Flags().BoolVar(&masked, "masked", false, "put aliases in the place of accounts and resources")
	drawing.flags(c)
	c.Flags().BoolVar(&exclusions, "all", false, "also what leaving a resource type out altogether would save, and lose: another way than daily recording, not in the totals")
	c.Flags().BoolVar(&plans, "plans", false, "write the commands of each plan, and those that take it back, below the table")
	return c
}

// advice judges everything that is known of some accounts; none: of all.
func (p *program) advice(ctx context.Context, r *rooms, accounts []string, exclusions bool) ([]cost.Advice, error) {
	in, err := p.adviseInput(ctx, r)
	if err != nil {
		return nil, err
	}
	in.Exclusions = exclusions
	return ofAccounts(advise.Judge(in), accounts), nil
}

// withDecisions names the latest decision about each advice. What is given is not
// changed.
func (r *rooms) withDecisions(ctx context.Context, all []cost.Advice) ([]cost.Advice, error) {
	decisions, err := r.triage.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(all)
	for i := range out {
		for j := range decisions {
			if decisions[j].IsAbout(out[i].Key) {
				out[i].Decision = decisions[j].ID
				break // the latest
			}
		}
	}
	return out, nil
}

// printAdvice writes advice as a table; reasons stand below it, where lines may be as
// long as they are.
func (p *program) printAdvice(v api.CostAdvices, plans bool) error {
	if len(v.Advice) == 0 && p.flags.format != "csv" {
		fmt.Fprintln(p.stdout, "There is nothing to judge: `yagura cost import` reads bills, counts and settings. See docs/cost.md.")
		return nil
	}
	head := []string{"account", "region", "about", "type", "items", "resource-days", "saving a month", "verdict", "basis", "sure"}
	if p.flags.format == "csv" {
		head = append(head, "currency", "reason", "lost")
	}
	var rows [][]string
	for _, a := range v.Advice {
		row := []string{a.Account, a.Region, a.Kind, a.ResourceType, p.counted(a.Items), p.counted(a.ResourceDays), p.saved(a),
			string(a.Verdict), string(a.Basis), fmt.Sprintf("%.0f %%", 100*a.Confidence)}
		if p.flags.format == "csv" {
			row = append(row, a.Currency, oneLine(a.Reason.String()), oneLine(a.Lost.String()))
		}
		rows = append(rows, row)
	}
	if err := p.printTable(head, rows); err != nil || p.flags.format == "csv" {
		return err
	}
	fmt.Fprintf(p.stdout, "\nActionable: %s a month, of %s that could be saved were nothing against it.\n", sentences.Saving(v.Actionable, safe(v.Currency)), sentences.Saving(v.Saving, safe(v.Currency)))
	for _, a := range v.Advice {
		if a.Verdict == cost.Keep || a.Verdict == cost.Cannot {
			continue
		}
		fmt.Fprintf(p.stdout, "\n%s\n  %s\n", safe(a.Key), safe(a.Reason.String()))
		if lost := a.Lost.String(); lost != "" {
			fmt.Fprintf(p.stdout, "  Lost: %s\n", safe(lost))
		}
		if plans {
			p.printPlan("Plan", a.Plan)
			p.printPlan("Undo", a.Undo)
		}
		switch {
		case a.Decision != "":
			fmt.Fprintf(p.stdout, "  Decided: yagura decision show %s\n", safe(a.Decision))
		case a.Verdict == cost.NotAdvised:
			fmt.Fprintf(p.stdout, "  To come back to it: yagura decision add --about %s --verdict deferred --revisit DAY --reason WHY\n", safe(a.Key))
		}
	}
	p.printSources(v.Advice)
	return nil
}

// printSources names where what is said was read, each once.
func (p *program) printSources(all []api.CostAdvice) {
	var said []api.CostSource
	for _, a := range all {
		for _, s := range a.Sources {
			if !slices.Contains(said, s) {
				said = append(said, s)
			}
		}
	}
	fmt.Fprintln(p.stdout, "\nSources")
	for _, s := range said {
		fmt.Fprintf(p.stdout, "  %s, %s (read %s)\n", safe(s.Title), safe(s.URL), s.Date)
	}
}

func (p *program) printPlan(what string, commands []string) {
	for _, c := range commands {
		fmt.Fprintf(p.stdout, "  %s: %s\n", what, safe(strings.ReplaceAll(c, "\n", `\n`)))
	}
}

// saved is what an advice saves, for a cell: as much of it as matters in a table, or
// the bounds where no more is known.
func (p *program) saved(a api.CostAdvice) string {
	if p.flags.format == "csv" {
		return a.Saving.String()
	}
	if a.Saving.IsZero() && a.Low != nil && a.High != nil {
		return sentences.Saving(a.Low, a.Currency) + " to " + sentences.Saving(a.High, a.Currency)
	}
	return sentences.Saving(a.Saving, a.Currency)
}

// counted is a count that may not be known.
func (p *program) counted(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return p.count(*n)
}

// ofAccounts are those about some accounts; none: all.
func ofAccounts(all []cost.Advice, accounts []string) []cost.Advice {
	if len(accounts) == 0 {
		return all
	}
	named := map[string]bool{}
	for _, a := range accounts {
		named[a] = true
	}
	var out []cost.Advice
	for _, a := range all {
		if named[a.Account] {
			out = append(out, a)
		}
	}
	return out
}
