package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/calendar"
)

func (p *program) windows() *cobra.Command {
	c := &cobra.Command{
		Use: "windows", Short: "Tell of planned work",
		Long: `A window is a time in which something is planned: maintenance, a load test,
somebody on call. What falls into it is found all the same, marked with it, and
counted. Windows may repeat, by the rules of iCalendar, at the same time of day in
their zone.`,
	}
	c.AddCommand(p.windowsList(), p.windowsAdd(), p.windowsImport(), p.windowsCancel(), p.windowsSummary())
	return c
}

func (p *program) windowsList() *cobra.Command {
	var phase string
	c := &cobra.Command{
		Use: "list", Short: "List windows: open ones first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, err := r.triage.Windows(c.Context())
			if err != nil {
				return err
			}
			out := []api.Window{}
			for _, w := range all {
				if v := api.ViewWindow(w, p.now(), calendar.Expand); phase == "" || phase == v.Phase {
					out = append(out, v)
				}
			}
			slices.SortStableFunc(out, api.Sooner)
			return p.printWindows(out)
		},
	}
	c.Flags().StringVar(&phase, "phase", "", "proposed, open, coming, over or cancelled")
	return c
}

func (p *program) printWindows(all []api.Window) error {
	if p.json() {
		return p.printJSON(api.Windows{Windows: all})
	}
	var rows [][]string
	for _, w := range all {
		at := finding.Span{Start: w.Start, End: w.End}
		for _, s := range []*finding.Span{w.Last, w.Next, w.Now} {
			if s != nil {
				at = *s
			}
		}
		covers := strings.Join(slices.Concat(w.Accounts, w.Actors, w.People, w.Resources, w.Regions, w.Kinds), " ")
		if w.Scope != "" {
			covers = strings.TrimSpace(covers + " " + w.Scope)
		}
		rows = append(rows, []string{w.ID, w.Phase, p.when(at.Start), p.when(at.End), w.Repeat, p.count(int64(w.Explains)), w.Owner, w.Ticket, oneLine(w.Title), oneLine(covers)})
	}
	return p.printTable([]string{"id", "phase", "start", "end", "repeat", "explains", "owner", "ticket", "title", "covers"}, rows)
}

func (p *program) windowsAdd() *cobra.Command {
	w := finding.Window{State: finding.WindowActive}
	var start, end, scope, by string
	var propose bool
	c := &cobra.Command{
		Use: "add TITLE", Short: "Tell of planned work", Args: cobra.ExactArgs(1),
		Example: `  yagura windows add "patching of the shop" --start 2026-12-06T01:00:00+09:00 --end 2026-12-06T05:00:00+09:00 --account 111122223333 --ticket CHG-4711
  yagura windows add "backup" --start 2026-12-01T02:00:00Z --end 2026-12-01T03:00:00Z --repeat 'FREQ=DAILY' --zone Asia/Tokyo --actor 'arn:aws:iam::*:role/backup'`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			w.Title = args[0]
			for _, x := range []struct {
				name, text string
				to         *time.Time
			}{{"--start", start, &w.Start}, {"--end", end, &w.End}} {
				if *x.to, err = time.Parse(time.RFC3339, x.text); err != nil {
					return wrong("%s %s: a time in RFC 3339 is needed, such as 2026-12-06T01:00:00Z", x.name, x.text)
				}
			}
			if w.Scope, err = p.scopeFlag(scope); err != nil {
				return err
			}
			if w.Unscoped() {
				return wrong("the window names nothing that it covers, and would explain everything in its time: give --account, --actor, --person, --resource, --region, --kind or --scope")
			}
			if propose {
				w.State = finding.WindowProposed
			}
			w.ID = "win-" + strings.ToLower(rand.Text()[:12])
			return p.keepWindow(c.Context(), w, by)
		},
	}
	flags := c.Flags()
	flags.StringVar(&start, "start", "", "when it begins (RFC 3339)")
	flags.StringVar(&end, "end", "", "when it ends (RFC 3339)")
	flags.StringVar(&w.Repeat, "repeat", "", "by which rule it repeats, an RRULE of iCalendar such as FREQ=WEEKLY;BYDAY=SU")
	flags.StringVar(&w.Zone, "zone", "", "in which time zone it repeats, such as Asia/Tokyo (default UTC)")
	flags.StringSliceVar(&w.Accounts, "account", nil, "accounts that it covers")
	flags.StringSliceVar(&w.Actors, "actor", nil, "principals; a name that ends in * stands for all that begin so")
	flags.StringSliceVar(&w.People, "person", nil, "people by session or user name")
	flags.StringSliceVar(&w.Resources, "resource", nil, "resources")
	flags.StringSliceVar(&w.Regions, "region", nil, "regions")
	flags.StringSliceVar(&w.Kinds, "kind", nil, "kinds of findings")
	flags.StringVar(&scope, "scope", "", "a filter over the fields of findings besides")
	flags.StringVar(&w.Sort, "sort", "", "maintenance, on_call, travel, test, ...")
	flags.StringVar(&w.Ticket, "ticket", "", "where it was approved")
	flags.StringVar(&w.Owner, "owner", "", "who answers for it")
	flags.BoolVar(&propose, "propose", false, "leave it to somebody else to accept it")
	flags.StringVar(&by, "by", "", "who tells of it (default: the user of this process)")
	return c
}

// keepWindow keeps w and shows it with what it explains.
func (p *program) keepWindow(ctx context.Context, w finding.Window, by string) error {
	if err := w.Check(); err != nil {
		return exit{exitUsage, err}
	}
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.triage.SetWindow(ctx, w, p.signed(by), p.clock().UTC()); err != nil {
		return err
	}
	if w, err = oneWindow(ctx, r, w.ID); err != nil {
		return err
	}
	v := api.ViewWindow(w, p.now(), calendar.Expand)
	if p.json() {
		return p.printJSON(v)
	}
	return p.printWindows([]api.Window{v})
}

func oneWindow(ctx context.Context, r *rooms, id string) (finding.Window, error) {
	all, err := r.triage.Windows(ctx)
	if err != nil {
		return finding.Window{}, err
	}
	i := slices.IndexFunc(all, func(w finding.Window) bool { return w.ID == id })
	if i < 0 {
		return finding.Window{}, fmt.Errorf("there is no window %s: `yagura windows list` has them all", id)
	}
	return all[i], nil
}

func (p *program) windowsImport() *cobra.Command {
	var propose, dry bool
	var by, owner string
	c := &cobra.Command{
		Use: "import FILE", Short: "Read planned work from an iCalendar file or JSON", Args: cobra.ExactArgs(1),
		Long: `Import takes the windows of FILE (- is standard input); docs/calendar.md says how a
file tells what a window covers. A window with the id of one that is kept takes its
place, so that a calendar may be imported again. What is wrong in the file is told,
the rest is taken, and the exit code is 1.`,
		RunE: func(c *cobra.Command, args []string) error {
			read, err := p.readCalendar(args[0])
			if len(read) == 0 {
				return cmp.Or(err, fmt.Errorf("%s has no windows", args[0]))
			}
			state := finding.WindowActive
			if propose {
				state = finding.WindowProposed
			}
			wrongs := []error{err}
			var take []finding.Window
			for _, w := range read {
				w.State, w.Owner = state, cmp.Or(w.Owner, owner)
				if w.Unscoped() && !propose {
					wrongs = append(wrongs, fmt.Errorf("left out: %s (%s) names nothing that it covers, and would explain everything in its time", w.Title, w.ID))
					continue
				}
				take = append(take, w)
			}
			kept, err := p.takeWindows(c.Context(), take, by, dry)
			wrongs = append(wrongs, err, p.printWindows(kept))
			return errors.Join(wrongs...)
		},
	}
	c.Flags().BoolVar(&propose, "propose", false, "leave it to somebody else to accept them")
	c.Flags().BoolVar(&dry, "dry-run", false, "only show what would be taken")
	c.Flags().StringVar(&owner, "owner", "", "of windows whose file names none")
	c.Flags().StringVar(&by, "by", "", "who tells of them (default: the user of this process)")
	return c
}

func (p *program) readCalendar(path string) ([]finding.Window, error) {
	reader := calendar.Reader{Now: p.now(), Warn: func(w calendar.Warning) { p.warn("%s", w) }}
	if path == "-" {
		return reader.Read("standard input", p.stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return reader.Read(path, io.Reader(f))
}

// takeWindows keeps windows, and gives those that were.
func (p *program) takeWindows(ctx context.Context, all []finding.Window, by string, dry bool) ([]api.Window, error) {
	out := []api.Window{}
	if dry {
		for _, w := range all {
			out = append(out, api.ViewWindow(w, p.now(), calendar.Expand))
		}
		return out, nil
	}
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return out, err
	}
	defer r.Close()
	var errs []error
	for _, w := range all {
		if _, err := r.triage.SetWindow(ctx, w, p.signed(by), p.clock().UTC()); err != nil {
			errs = append(errs, fmt.Errorf("left out: %s: %w", w.Title, err))
			continue
		}
		kept, err := oneWindow(ctx, r, w.ID)
		if err != nil {
			return out, err
		}
		out = append(out, api.ViewWindow(kept, p.now(), calendar.Expand))
	}
	return out, errors.Join(errs...)
}

func (p *program) windowsCancel() *cobra.Command {
	var by string
	c := &cobra.Command{
		Use: "cancel ID", Short: "Cancel a window", Args: cobra.ExactArgs(1),
		Long: "What it alone explained waits for a person again. The window stays, cancelled: nothing is deleted.",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			w, err := oneWindow(c.Context(), r, args[0])
			if err := errors.Join(err, r.Close()); err != nil {
				return err
			}
			w.State = finding.WindowCancelled
			return p.keepWindow(c.Context(), w, by)
		},
	}
	c.Flags().StringVar(&by, "by", "", "who cancels it (default: the user of this process)")
	return c
}

func (p *program) windowsSummary() *cobra.Command {
	return &cobra.Command{
		Use: "summary ID", Short: "Tell what happened in a window, and what beside it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			w, err := oneWindow(c.Context(), r, args[0])
			if err != nil {
				return err
			}
			s, err := api.Summarise(c.Context(), w, p.now(), calendar.Expand, r.triage, r.triage)
			if err != nil {
				return err
			}
			if p.json() {
				return p.printJSON(s)
			}
			if p.flags.format == "csv" {
				return p.printTable([]string{"id", "title", "explained", "decided", "beside"}, [][]string{{s.Window.ID, s.Window.Title, p.count(int64(s.Explained)), p.count(int64(s.Decided)), p.count(int64(s.Beside))}})
			}
			fmt.Fprintln(p.stdout, safe(s.Text.String()))
			return p.summaryFindings(c.Context(), r, w, s)
		},
	}
}

// summaryFindings shows the most pressing findings of a window.
func (p *program) summaryFindings(ctx context.Context, r *rooms, w finding.Window, s api.WindowSummary) error {
	if s.Explained > 0 {
		fmt.Fprintln(p.stdout, "\nExplained by it, the most pressing first:")
		page, _, err := r.triage.List(ctx, triage.Filter{Scope: api.ExplainedBy(w.ID), Demoted: true, Staged: true, Limit: 10})
		if err != nil {
			return err
		}
		p.listed(page)
	}
	if len(s.Unforeseen) > 0 {
		fmt.Fprintln(p.stdout, "\nIn its accounts and its latest time, and explained by nothing:")
		for _, f := range s.Unforeseen {
			fmt.Fprintf(p.stdout, "%3d %-8s %s  %s\n", f.Priority, f.Severity, f.Key[:12], safe(oneLine(f.Title.String())))
		}
	}
	return nil
}
