package main

import (
	"context"
	"os"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

// placeFindings gives triage the estate as the configuration has it now. What it
// moves is made anew. Without a configuration what an earlier one said stays.
func (p *program) placeFindings(ctx context.Context, store triage.Keeper) error {
	if p.flags.config == "" && p.cfg.Estate.File == "" && len(p.cfg.Estate.Accounts)+len(p.cfg.Estate.Rules) == 0 {
		return nil
	}
	e, err := p.cfg.Estate.Finding(os.ReadFile)
	if err != nil {
		return err
	}
	_, err = store.SetEstate(ctx, e)
	return err
}

// configured is e as a configuration says it.
func configured(e finding.Estate) (out config.Estate) {
	for _, a := range e.Accounts {
		out.Accounts = append(out.Accounts, config.Account{ID: a.ID, Name: a.Name, Tags: a.Tags, Environment: a.Environment, Owner: a.Owner, Criticality: a.Criticality})
	}
	for _, r := range e.Rules {
		out.Rules = append(out.Rules, config.EstateRule{Accounts: r.Accounts, Tags: r.Tags, Resources: r.Resources, Environment: r.Environment, Owner: r.Owner, Criticality: r.Criticality})
	}
	return out
}
