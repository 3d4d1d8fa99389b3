package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	exportmemory "github.com/yagura-sec/yagura/export/memory"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/ledger/digest"
)

func (p *program) config() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Look at the configuration", Long: "The configuration is one strict YAML file; see docs/configuration.md."}
	c.AddCommand(&cobra.Command{
		Use: "check", Short: "Check the configuration and the machine", Args: cobra.NoArgs,
		Long: `Check reads the configuration, opens nothing that is configured, and says what
this machine lacks for it: the rules that are refused, the secrets that cannot be
read, whether the kernel can lock analysts' SQL in.`,
		RunE: func(*cobra.Command, []string) error { return p.checkConfig() },
	})
	return c
}

func (p *program) checkConfig() error {
	var troubles []string
	if _, err := p.cfg.Server.Token.Reveal(p.getenv); err != nil {
		troubles = append(troubles, "server.token: "+err.Error())
	}
	if err := listenable(p.cfg); err != nil {
		troubles = append(troubles, err.Error())
	}
	for i, n := range p.cfg.Sources {
		if _, err := catalogue.Source(n, catalogue.Asks{Formats: &p.formats, Now: p.now, Getenv: p.getenv}); err != nil {
			troubles = append(troubles, fmt.Sprintf("sources[%d]: %v", i, err))
		}
	}
	if _, err := p.providers(); err != nil {
		troubles = append(troubles, err.Error())
	}
	for i, n := range p.cfg.Exports {
		asks := catalogue.OutputAsks{Changes: nothingChanges, Outbox: &exportmemory.Outbox{}, Mask: anyMask, Getenv: p.getenv, Now: p.now}
		if _, err := catalogue.Output(n, asks); err != nil {
			troubles = append(troubles, fmt.Sprintf("exports[%d]: %v", i, err))
		}
	}
	if _, err := catalogue.Responders(p.cfg.WriteBack); err != nil {
		troubles = append(troubles, err.Error())
	}
	set, refused := catalogue.Rules(p.cfg.Rules, nil)
	for _, r := range refused {
		troubles = append(troubles, "rule refused: "+r.Error())
	}
	if f := p.cfg.Ledger.DigestKeys; f != "" {
		text, err := os.ReadFile(f)
		if err == nil {
			_, err = digest.ParseKeys(text)
		}
		if err != nil {
			troubles = append(troubles, "ledger.digest_keys: "+err.Error())
		}
	}
	windows, err := p.calendars(p.cfg.Anomalies.Calendars).load()
	if err != nil {
		troubles = append(troubles, "anomalies.calendars: "+err.Error())
	}
	watched := fmt.Sprintf("budget %s", small(p.cfg.Anomalies.Budget))
	if p.cfg.Anomalies.Off {
		watched = "off"
	}
	rows := [][]string{
		{"data", p.dir}, {"listen", p.cfg.Listen}, {"sources", fmt.Sprint(len(p.cfg.Sources))}, {"formats", fmt.Sprint(len(p.formats.Formats()))},
		{"rules", fmt.Sprint(set.Len())}, {"anomalies", watched}, {"calendar windows", fmt.Sprint(len(windows))}, {"sql sandbox", sandbox()},
	}
	if p.json() {
		out := map[string]any{"troubles": append([]string{}, troubles...)}
		for _, row := range rows {
			out[strings.ReplaceAll(row[0], " ", "_")] = row[1]
		}
		err = p.printJSON(out)
	} else {
		err = p.printTable([]string{"setting", "value"}, rows)
	}
	if err != nil {
		return err
	}
	for _, t := range troubles {
		p.warn("%s", t)
	}
	if len(troubles) > 0 {
		return exit{code: exitUsage}
	}
	return nil
}

// sandbox says what holds analysts' SQL on this machine.
func sandbox() string {
	if abi := local.Landlock(); abi > 0 {
		return fmt.Sprintf("child process, limits, Landlock ABI %d", abi)
	}
	return "child process, limits; this kernel has no Landlock: the engine's own settings alone keep SQL from files"
}
