package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
)

func (p *program) exceptions() *cobra.Command {
	c := &cobra.Command{
		Use: "exceptions", Short: "Accept findings for a time",
		Long: `An exception says of findings that they are known and accepted: by whom, why, and
until when. What it covers is found all the same, marked with it, and counted; when
its time is over it waits for a person again.`,
	}
	c.AddCommand(p.exceptionsList(), p.exceptionsAdd(), p.exceptionsPreview(), p.exceptionsRevoke())
	return c
}

func (p *program) exceptionsList() *cobra.Command {
	var state string
	c := &cobra.Command{
		Use: "list", Short: "List exceptions, and how much each explains", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, err := r.triage.Exceptions(c.Context())
			if err != nil {
				return err
			}
			out := []api.Exception{}
			for _, x := range all {
				if v := api.ViewException(x, p.now()); state == "" || state == string(v.State) {
					out = append(out, v)
				}
			}
			return p.printExceptions(out)
		},
	}
	c.Flags().StringVar(&state, "state", "", "proposed, active, expired or revoked")
	return c
}

func (p *program) printExceptions(all []api.Exception) error {
	if p.json() {
		return p.printJSON(api.Exceptions{Exceptions: all})
	}
	var rows [][]string
	for _, x := range all {
		rows = append(rows, []string{x.ID, string(x.State), p.when(x.Until), p.count(int64(x.Explains)), x.Owner, oneLine(x.Title), oneLine(x.Scope), oneLine(x.Reason)})
	}
	return p.printTable([]string{"id", "state", "until", "explains", "owner", "title", "scope", "reason"}, rows)
}

// scopeFlag reads a scope of a command line, with a caret under what is wrong.
func (p *program) scopeFlag(text string) (finding.Scope, error) {
	s, err := finding.ParseScopeAt(text, p.now())
	var syntax *query.SyntaxError
	if errors.As(err, &syntax) {
		return s, wrong("%v\n%s", syntax, syntax.Caret())
	}
	return s, err
}

// ends reads when something ends: at --until, or after --for.
func (p *program) ends(until, lasts string) (time.Time, error) {
	switch {
	case until != "" && lasts != "":
		return time.Time{}, wrong("give --until or --for, not both")
	case lasts != "":
		d, err := config.ParseDuration(lasts)
		if err != nil {
			return time.Time{}, wrong("--for %s: %v", lasts, err)
		}
		return p.now().UTC().Add(d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, until); err == nil {
			return t.UTC(), nil
		}
	}
	if until == "" {
		return time.Time{}, nil
	}
	return time.Time{}, wrong("--until %s: a time in RFC 3339 or a date is needed, such as 2026-12-31", until)
}

func (p *program) exceptionsAdd() *cobra.Command {
	x := finding.Exception{State: finding.ExceptionActive}
	var until, lasts, by string
	var propose bool
	c := &cobra.Command{
		Use: "add SCOPE", Short: "Accept the findings that a scope chooses", Args: cobra.ExactArgs(1),
		Long: `Add accepts the findings that SCOPE chooses, a filter over the fields of findings
as "yagura findings list" shows them. "yagura exceptions preview" tells beforehand
what it would explain.`,
		Example: `  yagura exceptions add 'rule:aws_console_login_without_mfa account:111122223333' --owner shop --reason "break-glass user, MFA in a safe" --for 90d`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if x.Scope, err = p.scopeFlag(args[0]); err != nil {
				return err
			}
			if x.Until, err = p.ends(until, lasts); err != nil {
				return err
			}
			if x.Title == "" {
				x.Title = x.Scope.String()
			}
			if propose {
				x.State = finding.ExceptionProposed
			}
			x.ID = "ex-" + strings.ToLower(rand.Text()[:12])
			return p.keepException(c.Context(), x, by)
		},
	}
	flags := c.Flags()
	flags.StringVar(&x.Title, "title", "", "what findings are marked with (default the scope)")
	flags.StringVar(&x.Owner, "owner", "", "who answers for it")
	flags.StringVar(&x.Reason, "reason", "", "why that is accepted")
	flags.StringVar(&until, "until", "", "the day or time it ends")
	flags.StringVar(&lasts, "for", "", "how long it holds from now, such as 90d")
	flags.BoolVar(&propose, "propose", false, "leave it to somebody else to accept it")
	flags.StringVar(&by, "by", "", "who accepts it (default: the user of this process)")
	return c
}

// keepException keeps x and shows it with what it explains.
func (p *program) keepException(ctx context.Context, x finding.Exception, by string) error {
	if err := x.Check(); err != nil {
		return exit{exitUsage, err}
	}
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.triage.SetException(ctx, x, p.signed(by), p.clock().UTC()); err != nil {
		return err
	}
	x, err = oneException(ctx, r, x.ID)
	if err != nil {
		return err
	}
	v := api.ViewException(x, p.now())
	if p.json() {
		return p.printJSON(v)
	}
	return p.printExceptions([]api.Exception{v})
}

func oneException(ctx context.Context, r *rooms, id string) (finding.Exception, error) {
	all, err := r.triage.Exceptions(ctx)
	if err != nil {
		return finding.Exception{}, err
	}
	i := slices.IndexFunc(all, func(x finding.Exception) bool { return x.ID == id })
	if i < 0 {
		return finding.Exception{}, fmt.Errorf("there is no exception %s: `yagura exceptions list` has them all", id)
	}
	return all[i], nil
}

func (p *program) exceptionsPreview() *cobra.Command {
	during := period{since: "30d"}
	c := &cobra.Command{
		Use: "preview SCOPE", Short: "Tell what an exception would explain", Args: cobra.ExactArgs(1),
		Example: `  yagura exceptions preview 'kind:anomaly.view actor:*deploy*'`,
		RunE: func(c *cobra.Command, args []string) error {
			scope, err := p.scopeFlag(args[0])
			if err != nil {
				return err
			}
			if during.until == "" {
				during.until = p.now().UTC().Format(time.RFC3339Nano)
			}
			since, until, err := during.times(p.now())
			if err != nil {
				return err
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			found, err := r.triage.Preview(c.Context(), scope, since, until)
			if err != nil {
				return err
			}
			if p.json() {
				v := api.ViewPreview(found)
				v.Scope, v.Since, v.Until = scope.String(), since, until
				return p.printJSON(v)
			}
			if p.flags.format == "csv" {
				return p.tableOfFindings(found.Sample, "")
			}
			fmt.Fprintf(p.stdout, "It would explain %s of the last %d days, %d of them critical; %d are explained already.\n\n",
				many(int64(found.Findings), "finding", "findings"), found.Days, found.Critical, found.Explained)
			p.listed(found.Sample)
			return nil
		},
	}
	c.Flags().StringVar(&during.since, "since", "30d", "look at findings from this time on: RFC 3339, a date, or 90d ago")
	c.Flags().StringVar(&during.until, "until", "", "before this time")
	return c
}

func (p *program) exceptionsRevoke() *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: "revoke ID", Short: "Revoke an exception", Args: cobra.ExactArgs(1),
		Long: "What it alone explained waits for a person again. The exception stays, revoked: nothing is deleted.",
		RunE: func(c *cobra.Command, args []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			x, err := oneException(c.Context(), r, args[0])
			if err := errors.Join(err, r.Close()); err != nil {
				return err
			}
			if reason != "" {
				x.Reason = reason
			}
			api.Revoke(&x, p.signed(by), p.now())
			return p.keepException(c.Context(), x, by)
		},
	}
	c.Flags().StringVar(&by, "by", "", "who revokes it (default: the user of this process)")
	c.Flags().StringVar(&reason, "reason", "", "why (default: its reason stays)")
	return c
}
