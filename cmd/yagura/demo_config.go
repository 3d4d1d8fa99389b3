package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/config"
)

// The demo's own configuration, and the token of its receiver, in its folder.
const (
	demoConfigFile = "yagura.yaml"
	demoTokenFile  = "receiver.token"
)

// demoPaths are what the demo reads.
func demoPaths(dir string) []string {
	return []string{filepath.Join(dir, "world", "logs"), filepath.Join(dir, "world", "findings")}
}

// configureDemo writes the demo's configuration, as its operators would have, and
// takes it: all of it, or of a configuration that was given what that does not say
// itself.
func (p *program) configureDemo(dir string) error {
	token := filepath.Join(dir, demoTokenFile)
	if err := os.WriteFile(token, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	text, err := yaml.Marshal(map[string]any{
		"data": filepath.Join(dir, "data"),
		"sources": []map[string]any{
			{"type": "file", "paths": demoPaths(dir), "follow": true},
			{"type": "receive", "name": "products", "token": "file:" + token},
		},
		"anomalies": map[string]any{"calendars": []string{filepath.Join(dir, "world", "calendar.json")}},
		"estate":    map[string]any{"accounts": demoAccounts()},
	})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, demoConfigFile)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	made, err := config.Load(path)
	if err != nil {
		return fmt.Errorf("configuration of the demo: %w", err)
	}
	p.dir = made.Data
	if p.flags.config == "" {
		p.cfg, p.flags.config = made, path
		return nil
	}
	p.cfg.Sources = append(p.cfg.Sources, made.Sources...)
	p.cfg.Anomalies.Calendars, p.cfg.Estate = made.Anomalies.Calendars, made.Estate
	return nil
}

// demoAccounts are what the configuration says of the accounts.
func demoAccounts() (out []map[string]any) {
	for _, a := range demoWorld.Estate().Accounts {
		account := map[string]any{"id": a.ID, "name": a.Name}
		for name, said := range map[string]string{"environment": a.Environment, "owner": a.Owner, "criticality": a.Criticality} {
			if said != "" {
				account[name] = said
			}
		}
		out = append(out, account)
	}
	return out
}
