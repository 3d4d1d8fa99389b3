package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// registerChange is what flags say of an entry.
type registerChange struct {
	changed                func(flag string) bool // whether it was given
	said                   register.Entry
	applied, approved      string // days
	services, add, without []string
	note, by               string
}

func (p *program) registerSet() *cobra.Command {
	var change registerChange
	c := &cobra.Command{
		Use: "set PROJECT", Short: "Say what a project applied for", Args: cobra.ExactArgs(1),
		Long: `Set changes what stands in the register of PROJECT, or begins an entry. What no
flag names stays. Every change is kept in the entry's history and the audit trail.`,
		Example: `  yagura register set kite-ml --applicant mia@kite.example --owner ml-team --service notebooks.googleapis.com
  yagura register set kite-ml --add compute.googleapis.com --note "needed by the notebooks"`,
		RunE: func(c *cobra.Command, args []string) error { return p.setRegistered(c.Context(), args[0], &change) },
	}
	change.register(c)
	return c
}

// register makes the flags.
func (x *registerChange) register(c *cobra.Command) {
	e, flags := &x.said, c.Flags()
	x.changed = flags.Changed
	flags.StringVar(&e.Provider, "provider", "", "the cloud it is in")
	flags.StringVar(&e.Name, "name", "", "as people call it")
	flags.StringVar(&e.Applicant, "applicant", "", "who applied")
	flags.StringVar(&e.Owner, "owner", "", "who answers for it")
	flags.StringVar(&e.Purpose, "purpose", "", "what it is for")
	flags.StringVar(&e.Approver, "approver", "", "who approved it")
	flags.StringVar(&x.applied, "applied", "", "the day it was applied for")
	flags.StringVar(&x.approved, "approved", "", "the day it was approved")
	flags.StringSliceVar(&x.services, "service", nil, "all services that it applied for, as logs name them; ID@FROM..UNTIL for a time")
	flags.StringSliceVar(&x.add, "add", nil, "services besides those that stand there")
	flags.StringSliceVar(&x.without, "without", nil, "services that it does not apply for any more")
	flags.StringVar(&x.note, "note", "", "why, for the history")
	flags.StringVar(&x.by, "by", "", "who says so (default: the user of this process)")
}

// apply changes what the flags name.
func (x *registerChange) apply(e *register.Entry) (err error) {
	for flag, field := range map[string]struct{ to, from *string }{
		"provider": {&e.Provider, &x.said.Provider}, "name": {&e.Name, &x.said.Name}, "applicant": {&e.Applicant, &x.said.Applicant},
		"owner": {&e.Owner, &x.said.Owner}, "purpose": {&e.Purpose, &x.said.Purpose}, "approver": {&e.Approver, &x.said.Approver},
	} {
		if x.changed(flag) {
			*field.to = *field.from
		}
	}
	for _, day := range []struct {
		flag, text string
		to         *time.Time
	}{{"applied", x.applied, &e.Applied}, {"approved", x.approved, &e.Approved}} {
		if !x.changed(day.flag) {
			continue
		}
		if *day.to, err = time.Parse(time.DateOnly, day.text); err != nil && day.text != "" {
			return wrong("--%s %s: a day is needed, such as 2026-03-02", day.flag, day.text)
		}
	}
	if x.changed("service") {
		e.Services = nil
	}
	if e.Services, err = withServices(e.Services, append(x.services, x.add...), x.without); err != nil {
		return exit{exitUsage, err}
	}
	return nil
}

// setRegistered changes the entry of a project, and shows what it is then.
func (p *program) setRegistered(ctx context.Context, project string, change *registerChange) (err error) {
	r, err := p.recording(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	e, _, err := r.registered(ctx, project)
	if err != nil {
		return err
	}
	e.Project = project
	if err := change.apply(&e); err != nil {
		return err
	}
	at := p.clock().UTC()
	_, err = r.triage.PutEntries(ctx, []register.Entry{e}, triage.Edit{By: p.signed(change.by), At: at, Note: change.note})
	if errors.Is(err, triage.ErrWrong) {
		return exit{exitUsage, err}
	}
	if err != nil {
		return err
	}
	if err := p.registerChanged(ctx, r, at); err != nil {
		return err
	}
	return p.showEntry(ctx, r, project)
}

// withServices adds services, as CSV writes them, and takes others away.
func withServices(all []register.Service, add, without []string) ([]register.Service, error) {
	var added []register.Service
	for _, text := range add {
		s, err := register.ParseService(text)
		if err != nil {
			return nil, err
		}
		added = append(added, s)
		without = append(without, s.ID) // what stands there gives way
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(s register.Service) bool {
		return slices.ContainsFunc(without, func(id string) bool { return register.ServiceID(id) == s.ID })
	})
	return append(kept, added...), nil
}
