package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/decision"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) decisionShow() *cobra.Command {
	var f dossierFlags
	c := &cobra.Command{
		Use: "show ID", Short: "Show a decision with its history, or write it down for others", Args: cobra.ExactArgs(1),
		Long: `Show tells how a decision stands, what it rests on and how it came about. --dossier
writes it down for a vendor's support, a request for a feature, or whoever decides
again: question, evidence, counts, graphs, what was asked when and answered what.`,
		Example: "  yagura decision show dec-7f3kq2\n  yagura decision show dec-7f3kq2 --dossier ja --masked --out dossier",
		RunE: func(c *cobra.Command, args []string) error {
			if f.language == "" && (f.masked || f.out != "") {
				return wrong("--masked and --out are of --dossier")
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			d, err := r.triage.Decision(c.Context(), args[0])
			if err != nil {
				return err
			}
			if f.language != "" {
				return p.writeDossier(c.Context(), r, d, f)
			}
			return p.showDecision(c.Context(), r, d)
		},
	}
	f.flags(c)
	return c
}

// ShownDecision is the JSON of `decision show`.
type ShownDecision struct {
	api.StandingDecision
	History []api.StandingChange `json:"history"` // the latest first
}

// showDecision shows a decision as it stands.
func (p *program) showDecision(ctx context.Context, r *rooms, d decision.Decision) error {
	changes, err := r.triage.DecisionHistory(ctx, d.ID)
	if err != nil {
		return err
	}
	v := ShownDecision{api.ViewStanding(d, p.now(), p.reopeners(r).readings(ctx)), api.ViewStandingHistory(d.ID, changes).Changes}
	if p.json() {
		return p.printJSON(v)
	}
	if p.flags.format == "csv" {
		return p.printDecisions(api.StandingDecisions{Decisions: []api.StandingDecision{v.StandingDecision}})
	}
	_, err = fmt.Fprint(p.stdout, decisionText(&v))
	return err
}

// decisionText is a decision for a terminal.
func decisionText(v *ShownDecision) string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, safe(text))
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", safe(v.ID), safe(oneLine(v.Title.String())))
	line("verdict", string(v.Verdict)+", "+string(v.Status))
	for _, x := range v.Reopened {
		line("", x.Said.String())
	}
	line("reason", v.Reason)
	line("owner", v.Owner)
	for _, s := range v.About {
		line("about", strings.TrimSpace(string(s.Kind)+" "+oneLine(s.ID)+" "+s.Account))
	}
	line("accounts", strings.Join(v.Accounts, " "))
	line("revisit", v.Revisit)
	for _, t := range v.Triggers {
		text := t.Said.String()
		if t.Reading != "" {
			text += " (now " + t.Kind.Shown(t.Reading) + ")"
		}
		if why := t.Unread.String(); why != "" {
			text += ". " + why
		}
		line("waits", text)
	}
	if v.Saving != nil {
		line("saving", sentences.Saving(v.Saving.Month, v.Saving.Currency)+" a month")
	}
	for _, f := range v.Figures {
		line("figure", strings.Join(strings.Fields(fmt.Sprintf("%s of %s: %s %s", f.Name, f.Of, decision.Figure(f).Shown(), f.Basis)), " "))
	}
	for _, e := range v.Evidence {
		line("evidence", strings.TrimSpace(oneLine(e.Text.String())+" "+e.Link))
	}
	for _, q := range v.Asked {
		line("asked", fmt.Sprintf("%s %s %s %s: %s", q.ID, q.At.Format(time.DateOnly), q.Vendor, q.Case, oneLine(q.Question)))
		for _, a := range q.Answers {
			line("answered", a.At.Format(time.DateOnly)+": "+oneLine(a.Text))
		}
	}
	b.WriteString("\n")
	for _, c := range v.History {
		fmt.Fprintf(&b, "%s  %s  %s  %s\n", stamp(c.At), safe(c.By), c.Action, safe(oneLine(c.Text.String())))
	}
	return b.String()
}

func (p *program) decisionAsk() *cobra.Command {
	var q decision.Inquiry
	var at, by string
	c := &cobra.Command{
		Use: "ask ID", Short: "Note what a vendor was asked; nothing is sent", Args: cobra.ExactArgs(1),
		Example: `  yagura decision ask dec-7f3kq2 --vendor AWS --case 170000000000001 --question "May the recorder be changed under a landing zone?"`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.amend(c.Context(), args[0], by, func(d *decision.Decision) (err error) {
				q.By = p.signed(by)
				if q.At, err = p.dayOr(at); err == nil {
					d.Asked = append(d.Asked, q)
				}
				return err
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&q.Vendor, "vendor", "", "who was asked")
	flags.StringVar(&q.Case, "case", "", "the number of the case")
	flags.StringVar(&q.Question, "question", "", "what was asked")
	flags.StringVar(&at, "at", "", "the day it was asked (default: now)")
	flags.StringVar(&by, "by", "", "who asked (default: the user of this process)")
	return c
}

func (p *program) decisionAnswer() *cobra.Command {
	var a decision.Answer
	var question, at, by string
	c := &cobra.Command{
		Use: "answer ID", Short: "Note what a vendor answered", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.amend(c.Context(), args[0], by, func(d *decision.Decision) (err error) {
				a.By = p.signed(by)
				if a.At, err = p.dayOr(at); err != nil {
					return err
				}
				if !d.Answer(question, a) {
					return wrong("--question %s: nothing was asked by that id: note it by `yagura decision ask`", question)
				}
				return nil
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&question, "question", "", "the question's id, such as q1 (default: the latest)")
	flags.StringVar(&a.Text, "text", "", "what was answered")
	flags.StringVar(&at, "at", "", "the day it was answered (default: now)")
	flags.StringVar(&by, "by", "", "who writes it down (default: the user of this process)")
	return c
}

// dayOr reads a day; none is now.
func (p *program) dayOr(text string) (time.Time, error) {
	if text == "" {
		return p.now().UTC(), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, wrong("--at %s: a day is needed, such as 2026-11-21", text)
	}
	return day, nil
}

// amend changes what stands beside a decision, and shows it.
func (p *program) amend(ctx context.Context, id, by string, change func(*decision.Decision) error) (err error) {
	r, err := p.existing(ctx, deciding)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	d, err := r.triage.Decision(ctx, id)
	if err != nil {
		return err
	}
	if err := change(&d); err != nil {
		return err
	}
	d, err = r.triage.PutDecision(ctx, d, triage.Edit{By: p.signed(by), At: p.now().UTC()})
	if errors.Is(err, triage.ErrWrong) {
		return exit{exitUsage, err}
	}
	if err != nil {
		return err
	}
	return p.showDecision(ctx, r, d)
}
