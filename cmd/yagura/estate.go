package main

import (
	"context"
	"os"

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
