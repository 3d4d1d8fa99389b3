package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/yagura-sec/yagura/simulate/configcost"
)

// demoBilled are the demo's accounts that the story of the costs is about, by what
// they are in it: the management account, log archive, audit, that of the interfaces,
// that of the network, and one more.
var demoBilled = []string{"build", "log-archive", "security", "prod-shop", "shared-network", "backup"}

// demoCosts reads bills and counts of the demo's organisation, of the three months
// before its logs end.
func (p *program) demoCosts(ctx context.Context, r *rooms, dir string, end time.Time) error {
	c := configcost.Config{Seed: demoWorld.Seed, Last: time.Date(end.Year(), end.Month()-1, 1, 0, 0, 0, 0, time.UTC)}
	all := demoWorld.Estate().Accounts
	for _, name := range demoBilled {
		for _, a := range all {
			if a.Name == name {
				c.Accounts = append(c.Accounts, configcost.Named{ID: a.ID, Name: a.Name})
			}
		}
	}
	begun := time.Now()
	at := filepath.Join(dir, "world", "costs")
	if _, err := c.WriteBills(at); err != nil {
		return fmt.Errorf("bills of the demo: %w", err)
	}
	done, err := p.importCosts(ctx, r, []string{filepath.Join(at, "bills"), filepath.Join(at, "counts")})
	if err != nil {
		return err
	}
	if len(done.Failures) > 0 || done.Quarantined > 0 {
		return errors.New("bills of the demo: some of them cannot be read")
	}
	advice, err := p.advice(ctx, r, nil, false)
	if err != nil {
		return err
	}
	open := 0
	for _, a := range advice {
		if a.Verdict == "change" || a.Verdict == "not_advised" {
			open++
		}
	}
	fmt.Fprintf(p.stdout, "Its bills of three months and what AWS Config recorded: %s, %s of advice on cost, in %.1f s.\n", many(done.Stored, "row", "rows"), many(int64(open), "piece", "pieces"), time.Since(begun).Seconds())
	return nil
}
