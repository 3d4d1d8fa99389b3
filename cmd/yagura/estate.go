package main

import (
	"context"
	"os"

	"github.com/yagura-sec/yagura/triage"
)

// placeFindings gives triage the estate as the configuration has it now. What it
// moves is made anew.
func (p *program) placeFindings(ctx context.Context, store triage.Keeper) error {
	e, err := p.cfg.Estate.Finding(os.ReadFile)
	if err != nil {
		return err
	}
	_, err = store.SetEstate(ctx, e)
	return err
}
