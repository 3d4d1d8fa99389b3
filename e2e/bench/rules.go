package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// What a hunt is held to: five million stored events in a minute for all rules,
// and in half of one for a correlation.
const (
	huntRules       = 5e6 / 60
	huntCorrelation = 5e6 / 30
)

// measureHunt holds rules against what is stored.
func (b *bench) measureHunt(ctx context.Context) error {
	if err := b.filled(ctx); err != nil {
		return err
	}
	all, err := filepath.Glob("rules/aws/*.yml")
	if err != nil {
		return err
	}
	var rules []string
	for _, name := range all {
		if !strings.HasSuffix(name, ".cases.yml") {
			rules = append(rules, name)
		}
	}
	if len(rules) == 0 {
		return fmt.Errorf("rules/aws holds no rules: run it in the repository's folder")
	}
	stored := float64(b.in.records - b.in.again)
	b.table.title(fmt.Sprintf("rules held against %s stored events", grouped(stored)))
	f := func(what string, bar float64, names ...string) {
		if err != nil {
			return
		}
		b.say("hunting: %s", what)
		var u used
		if u, err = b.yagura(ctx, b.store, append([]string{"--format", "json", "rules", "hunt"}, names...)...); err != nil {
			return
		}
		if err = huntSaid(u.out, int64(stored)); err != nil {
			return
		}
		if bar > 0 {
			b.table.least(what, stored/u.wall.Seconds(), bar, perSecond)
		} else {
			b.table.plain(what, "%s", perSecond(stored/u.wall.Seconds()))
		}
		b.table.plain("  a CPU second", "%s", grouped(stored/u.cpu.Seconds()))
		b.table.atMost("  peak memory", u.peak, 512<<20, megabytes)
	}
	f(fmt.Sprintf("%d AWS rules", len(rules)), huntRules, rules...)
	f("a correlation of frequent calls", huntCorrelation, "rules/aws/correlation/secrets-swept.yml")
	f("a correlation of two rules", huntCorrelation, "rules/aws/correlation/denied-then-allowed.yml")
	f("all AWS rules and correlations", 0, "rules/aws")
	return err
}

// huntSaid checks that every rule looked at every stored event.
func huntSaid(out []byte, stored int64) error {
	var said struct {
		Rules []struct {
			Title     string
			LogEvents int64 `json:"log_events"`
		}
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return fmt.Errorf("what hunt says: %w", err)
	}
	if len(said.Rules) == 0 {
		return fmt.Errorf("no rule was hunted for")
	}
	for _, r := range said.Rules {
		if r.LogEvents < stored { // needles are stored besides
			return fmt.Errorf("%s: %d events of its log, want %d", r.Title, r.LogEvents, stored)
		}
	}
	return nil
}

// measureMatch runs the benchmarks of the engine, which are Go's own: from a
// record's bytes to the rules that match it, on one core.
func (b *bench) measureMatch(ctx context.Context) error {
	b.say("matching records")
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Rules|Load)$", "./sigma/match")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test: %w: %s", err, out)
	}
	b.table.title("rules held against records on one core (x encoding/json; rules; allocations a record)")
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		name, values, ok := metrics(lines.Text())
		switch {
		case !ok:
		case name == "Load":
			b.table.atMost(fmt.Sprintf("loading %.0f rules, CPU seconds", values["rules"]), values["CPU-s"], 2, twoPlaces)
			b.table.atMost("  memory", values["MB"]*1e6, 150e6, megabytes)
		default:
			what := fmt.Sprintf("%s (%.1f; %.0f; %.0f)", strings.TrimPrefix(name, "Rules/"), values["x-decode"], values["rules"], values["allocs/op"])
			b.table.least(what, values["events/s"], values["events/s"]/values["x-bar"], perSecond)
		}
	}
	return lines.Err()
}

// metrics reads a line of Go's benchmarks: a name and pairs of value and unit.
func metrics(line string) (name string, values map[string]float64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return "", nil, false
	}
	values = map[string]float64{}
	for i := 2; i+1 < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return "", nil, false
		}
		values[fields[i+1]] = v
	}
	return strings.TrimPrefix(fields[0], "Benchmark"), values, true
}
