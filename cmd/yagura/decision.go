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
	"github.com/yagura-sec/yagura/decision"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) decision() *cobra.Command {
	c := &cobra.Command{
		Use: "decision", Short: "Keep decisions that wait, and be told when they come back",
		Long: `A decision is about an advice on cost, a finding, a case, or anything in words. It
is taken, deferred or rejected, with a reason and an owner; a deferred one waits for
a day, or for something to happen, and is told of when it comes back. What a vendor
was asked and answered stands beside it. See docs/decisions-that-wait.md.`,
	}
	c.AddCommand(p.decisionList(), p.decisionShow(), p.decisionAdd(), p.decisionChange(), p.decisionAsk(), p.decisionAnswer(), p.decisionSummary())
	return c
}

// standing gives all decisions with what is measured for them now.
func (p *program) standing(ctx context.Context, r *rooms) ([]decision.Decision, decision.Readings, error) {
	all, err := r.triage.Decisions(ctx)
	return all, p.reopeners(r).readings(ctx), err
}

func (p *program) decisionList() *cobra.Command {
	var status, verdict, about string
	c := &cobra.Command{
		Use: "list", Short: "List decisions, those that came back first", Args: cobra.NoArgs,
		Long: `List judges every decision as of now: one comes back on its day, or when what it
waits for has happened. What cannot be told at present is said: nobody would see it
happen.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if status != "" && !slices.Contains(decision.Statuses, decision.Status(status)) {
				return wrong("--status %s: reopened, waiting or settled", status)
			}
			if verdict != "" && !slices.Contains(decision.Verdicts, decision.Verdict(verdict)) {
				return wrong("--verdict %s: taken, deferred or rejected", verdict)
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			all, readings, err := p.standing(c.Context(), r)
			if err != nil {
				return err
			}
			all = slices.DeleteFunc(all, func(d decision.Decision) bool {
				return verdict != "" && string(d.Verdict) != verdict || about != "" && !d.IsAbout(about)
			})
			v := api.ViewDecisions(all, p.now(), readings)
			if status != "" {
				v.Decisions = slices.DeleteFunc(v.Decisions, func(d api.StandingDecision) bool { return string(d.Status) != status })
			}
			return p.printDecisions(v)
		},
	}
	flags := c.Flags()
	flags.StringVar(&status, "status", "", "reopened, waiting or settled")
	flags.StringVar(&verdict, "verdict", "", "taken, deferred or rejected")
	flags.StringVar(&about, "about", "", "about the advice, finding or case of this key")
	return c
}

func (p *program) printDecisions(v api.StandingDecisions) error {
	if p.json() {
		return p.printJSON(v)
	}
	var rows [][]string
	for _, d := range v.Decisions {
		why := decisionWhy(&d)
		saving := ""
		if d.Saving != nil {
			saving = p.saving(d.Saving.Month, d.Saving.Currency)
		}
		rows = append(rows, []string{d.ID, string(d.Status), string(d.Verdict), oneLine(d.Title.String()), d.Owner, d.Revisit, saving, why})
	}
	return p.printTable([]string{"id", "status", "verdict", "title", "owner", "revisit", "saving a month", "why"}, rows)
}

// decisionWhy is why a decision came back, or what nobody would see happen; else
// why it was decided so.
func decisionWhy(d *api.StandingDecision) string {
	var said []string
	for _, r := range d.Reopened {
		said = append(said, r.Said.String())
	}
	for _, t := range d.Triggers {
		if why := t.Unread.String(); why != "" {
			said = append(said, why)
		}
	}
	if len(said) == 0 {
		said = append(said, d.Reason)
	}
	return oneLine(strings.Join(said, " "))
}

// newDecision is an id that is short enough to be read out.
func newDecision() string { return "dec-" + strings.ToLower(rand.Text()[:12]) }

// decisionFlags are what is decided.
type decisionFlags struct {
	about, accounts, when, evidence                              []string
	title, verdict, reason, owner, revisit, saving, note, by, id string
}

func (f *decisionFlags) flags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.about, "about", nil, "what it is about: the key of an advice or of a finding, case:ID, or words; may be repeated")
	flags.StringVar(&f.title, "title", "", "a line (default: that of what it is about)")
	flags.StringVar(&f.verdict, "verdict", "", "taken, deferred or rejected")
	flags.StringVar(&f.reason, "reason", "", "why")
	flags.StringVar(&f.owner, "owner", "", "who answers for it (default: who decides)")
	flags.StringSliceVar(&f.accounts, "account", nil, "accounts that it is about, besides those of what it is about")
	flags.StringVar(&f.revisit, "revisit", "", "the day to look at it again, such as 2027-03-01")
	flags.StringArrayVar(&f.when, "when", nil, `what reopens it: "items:ACCOUNT:TYPE>N", "operations:ACCOUNT:NAME>N", "findings:RULE>N", "price:NAME<X", "saving>X", "date:DAY", "news:WORDS"; may be repeated`)
	flags.StringArrayVar(&f.evidence, "evidence", nil, "something that it rests on; may be repeated")
	flags.StringVar(&f.saving, "saving", "", "what it saves in a month of 30 days, such as \"1519.20 USD\" (default: what the advice says)")
	flags.StringVar(&f.by, "by", "", "who decides (default: the user of this process)")
}

// put writes what flags say into a decision.
func (f *decisionFlags) put(c *cobra.Command, d *decision.Decision, now time.Time) error {
	given := c.Flags().Changed
	for _, x := range []struct {
		flag     string
		to, from *string
	}{{"title", &d.Title, &f.title}, {"reason", &d.Reason, &f.reason}, {"owner", &d.Owner, &f.owner}} {
		if given(x.flag) {
			*x.to = *x.from
		}
	}
	if given("title") {
		d.TitleMade = ""
	}
	if given("verdict") {
		d.Verdict = decision.Verdict(f.verdict)
	}
	if given("account") {
		d.Accounts = f.accounts
	}
	if given("revisit") {
		d.Revisit = time.Time{}
		if f.revisit != "" {
			day, err := time.Parse(time.DateOnly, f.revisit)
			if err != nil {
				return wrong("--revisit %s: a day is needed, such as 2027-03-01", f.revisit)
			}
			d.Revisit = day
		}
	}
	if given("when") {
		d.Triggers = nil
		for _, text := range f.when {
			if text == "" { // takes all away
				continue
			}
			t, err := decision.ParseTrigger(text)
			if err != nil {
				return exit{exitUsage, fmt.Errorf("--when: %w", err)}
			}
			d.Triggers = append(d.Triggers, t)
		}
	}
	for _, text := range f.evidence {
		d.Evidence = append(d.Evidence, decision.Evidence{Text: text, At: now})
	}
	if given("saving") {
		month, currency, _ := strings.Cut(strings.TrimSpace(f.saving), " ")
		if plain := strings.ReplaceAll(month, ",", ""); sentences.Grouped(plain) == month { // as it is shown
			month = plain
		}
		d.Saving = &decision.Saving{Month: month, Currency: currency}
	}
	return nil
}

func (p *program) decisionAdd() *cobra.Command {
	var f decisionFlags
	c := &cobra.Command{
		Use: "add", Short: "Decide, and say what would reopen it", Args: cobra.NoArgs,
		Example: `  yagura decision add --about kv44n2v6 --verdict deferred --reason "the landing zone forbids it" --owner platform --revisit 2027-03-01 --when "items:111122223333:AWS::EC2::NetworkInterface>600000"
  yagura decision add --about "move the audit trail" --verdict rejected --reason "the auditors read it"`,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			r, err := p.existing(c.Context(), deciding)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			d := decision.Decision{ID: f.id, Owner: p.signed(f.by)}
			if d.ID == "" {
				d.ID = newDecision()
			}
			if err := f.put(c, &d, p.now()); err != nil {
				return err
			}
			if d.About, err = p.subjects(c.Context(), r, f.about); err != nil {
				return err
			}
			return p.putDecision(c.Context(), r, d, decision.Decision{}, f.by, f.note)
		},
	}
	f.flags(c)
	c.Flags().StringVar(&f.note, "note", "", "for the history")
	c.Flags().StringVar(&f.id, "id", "", "the id that it is to have (default: one that is made)")
	return c
}

// subjects tells what flags name: what is no key of an advice, a finding or a case
// is words.
func (p *program) subjects(ctx context.Context, r *rooms, about []string) (out []decision.Subject, err error) {
	look := p.subjectsOf(r)
	for _, text := range about {
		text = strings.TrimSpace(text)
		if id, is := strings.CutPrefix(text, "case:"); is {
			out = append(out, decision.Subject{Kind: decision.Case, ID: id})
			continue
		}
		s := decision.Subject{Kind: decision.Other, ID: text}
		switch _, err := look.Advised(ctx, text); {
		case err == nil:
			s.Kind = decision.Advice
		case !errors.Is(err, triage.ErrUnknown):
			return nil, err
		}
		if s.Kind == decision.Other && !strings.Contains(text, " ") {
			switch f, err := look.Finding(ctx, text); {
			case err == nil:
				s.Kind, s.ID = decision.Finding, f.Key
			case !errors.Is(err, triage.ErrNotFound):
				return nil, err
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// subjectsOf looks up what decisions are about.
func (p *program) subjectsOf(r *rooms) api.LookUp {
	return api.LookUp{Finding: r.triage.Get, Cases: r.triage, Advised: advisedBy(p.reopeners(r).advice)}
}

// putDecision keeps d in the place of was, and shows it.
func (p *program) putDecision(ctx context.Context, r *rooms, d, was decision.Decision, by, note string) error {
	if err := api.FillStanding(ctx, &d, &was, p.subjectsOf(r)); err != nil {
		return err
	}
	d, err := r.triage.PutDecision(ctx, d, triage.Edit{By: p.signed(by), At: p.now().UTC(), Note: note})
	if errors.Is(err, triage.ErrWrong) {
		return exit{exitUsage, err}
	}
	if err != nil {
		return err
	}
	return p.showDecision(ctx, r, d)
}

func (p *program) decisionChange() *cobra.Command {
	var f decisionFlags
	c := &cobra.Command{
		Use: "change ID", Short: "Decide again", Args: cobra.ExactArgs(1),
		Long: `Change says what flags name anew; the rest stays. Another verdict answers what
reopened the decision, and so does another day or limit in the place of the one that
did. --when names all that reopens it from now on; --when "" takes all away.`,
		Example: `  yagura decision change dec-7f3kq2 --revisit 2027-06-01 --note "the vendor answers in May"
  yagura decision change dec-7f3kq2 --verdict taken --note "landing zone 4.0 allows it"`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			r, err := p.existing(c.Context(), deciding)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			was, err := r.triage.Decision(c.Context(), args[0])
			if err != nil {
				return err
			}
			d := was.Copy()
			if err := f.put(c, &d, p.now()); err != nil {
				return err
			}
			if len(f.about) > 0 {
				if d.About, err = p.subjects(c.Context(), r, f.about); err != nil {
					return err
				}
			}
			return p.putDecision(c.Context(), r, d, was, f.by, f.note)
		},
	}
	f.flags(c)
	c.Flags().StringVar(&f.note, "note", "", "why it is changed, for the history")
	return c
}

func (p *program) decisionSummary() *cobra.Command {
	return &cobra.Command{
		Use: "summary", Short: "Sum up savings found, done and lost, by quarter", Args: cobra.NoArgs,
		Long: `Found and done are savings a month: of decisions first written down in a quarter,
and of those that came to be taken in it. Saved and lost are amounts of the quarter:
the saving a month times the months of 30 days for which decisions were taken, and
for which they were deferred or rejected.`,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			changes, err := r.triage.DecisionHistory(c.Context(), "")
			if err != nil {
				return err
			}
			open, err := undecidedBy(c.Context(), r, p.reopeners(r).advice, nil)
			if err != nil {
				return err
			}
			v := api.ViewSummary(decision.Summary(changes, p.now()), open)
			if p.json() {
				return p.printJSON(v)
			}
			var rows [][]string
			for _, q := range v.Quarters {
				rows = append(rows, []string{q.Quarter, q.Currency, p.amount(q.Found, q.Currency), p.amount(q.Done, q.Currency), p.amount(q.Saved, q.Currency), p.amount(q.Lost, q.Currency)})
			}
			if err := p.printTable([]string{"quarter", "currency", "found a month", "done a month", "saved", "lost"}, rows); err != nil || p.flags.format == "csv" {
				return err
			}
			for _, s := range v.Undecided {
				fmt.Fprintf(p.stdout, "\nNobody has decided about advice that saves %s a month.\n", sentences.Saving(s.Month, safe(s.Currency)))
			}
			if !v.Known {
				fmt.Fprintln(p.stdout, "\nNo advice is known: what could be saved besides is not known.")
			}
			return nil
		},
	}
}
