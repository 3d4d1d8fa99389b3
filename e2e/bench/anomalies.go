package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// What looking for anomalies is held to: the use of 1,500 secrets over 60 days
// in two minutes, so many days of a secret a second; state a secret in all; and
// writing a world.
const (
	huntSecretDays   = 1500 * 60 / 120.0
	stateBytes       = 2048
	simulatedRecords = 100_000
)

// measureAnomalies simulates a small world, ingests it and looks back over it.
func (b *bench) measureAnomalies(ctx context.Context) error {
	b.table.title("anomalies, over a small world (12 accounts, 150 secrets and keys, 45 days)")
	world, data := b.path("world"), b.path("world-data")
	b.say("simulating a world")
	u, err := b.yagura(ctx, data, "--format", "json", "simulate", "--seed", "1", "--out", world)
	if err != nil {
		return err
	}
	var made struct{ Records float64 }
	if err := json.Unmarshal(u.out, &made); err != nil || made.Records < 1e5 {
		return fmt.Errorf("simulate says %.200s, %v", u.out, err)
	}
	b.table.least("simulate, records", made.Records/u.wall.Seconds(), simulatedRecords, perSecond)
	b.table.atMost("  peak memory", u.peak, 512<<20, megabytes)

	b.say("ingesting it")
	if u, err = b.yagura(ctx, data, "--format", "json", "ingest", "--no-anomalies", world+"/logs"); err != nil {
		return err
	}
	b.say("looking for anomalies")
	if u, err = b.yagura(ctx, data, "--format", "json", "hunt", "--dry-run"); err != nil {
		return err
	}
	var said struct {
		Hours, Secrets float64
		Findings       []json.RawMessage
		StateBytes     float64 `json:"state_bytes"`
	}
	if err := json.Unmarshal(u.out, &said); err != nil || len(said.Findings) < 5 || said.Hours < 24*44 {
		return fmt.Errorf("hunt says %.200s, %v", u.out, err)
	}
	days := said.Secrets * said.Hours / 24
	b.table.least(fmt.Sprintf("look back over %.0f days of %.0f secrets and keys, days of one", said.Hours/24, said.Secrets),
		days/u.wall.Seconds(), huntSecretDays, perSecond)
	b.table.plain("  in all", "%.1f s, %.1f s of the processors", u.wall.Seconds(), u.cpu.Seconds())
	b.table.atMost("  state a secret or key, bytes", said.StateBytes/said.Secrets, stateBytes, grouped)
	b.table.atMost("  peak memory", u.peak, 512<<20, megabytes)
	return nil
}
