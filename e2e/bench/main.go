// Command bench measures the built program from outside and prints what it
// measured beside the bars we hold ourselves to, as ratios.
//
// It writes the logs of an invented organisation, drives bin/yagura with them as
// a user would, and looks at the processes, the files and the answers. Wrong
// answers end it: a figure is only worth something when the work was done. See
// docs/benchmarks.md for what is measured and how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		stop()
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	binary  string
	dir     string // everything is written below it
	records int
	log     io.Writer
	began   time.Time
	table   table

	in       *input  // the organisation's logs; nil until made
	store    string  // the data directory that holds them; empty until ingested
	first    ingest  // the run that ingested them
	baseline float64 // encoding/json decodes a CPU second; 0: not measured
}

// parts are what can be measured, in order.
var parts = []struct {
	name    string
	measure func(*bench, context.Context) error
}{
	{"baseline", (*bench).measureBaseline},
	{"ingest", (*bench).measureIngest},
	{"resent", (*bench).measureResent},
	{"hunt", (*bench).measureHunt},
	{"match", (*bench).measureMatch},
	{"queries", (*bench).measureQueries},
	{"busy", (*bench).measureBusy},
	{"live", (*bench).measureLive},
	{"segments", (*bench).measureSegments},
	{"anomalies", (*bench).measureAnomalies},
	{"bill", (*bench).measureBill},
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	b := &bench{log: stderr, began: time.Now()}
	dir, keep, wanted, err := b.flags(args)
	if err != nil {
		return err
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if b.dir, err = os.MkdirTemp(dir, "yagura-bench-"); err != nil {
		return err
	}
	if !keep {
		defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	}
	b.table.head = machine(ctx, b)
	taken := others()
	for _, p := range parts {
		if !slices.Contains(wanted, p.name) {
			continue
		}
		err := p.measure(b, ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx) // what follows from it says nothing
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	b.say("done")
	if share := taken(); share > 0.05 { // the kernel's own work counts as others'
		b.table.head = append(b.table.head, fmt.Sprintf("NOT QUIET: other processes took %.0f %% of the machine; figures in wall time are too slow", 100*share))
	}
	return b.table.print(stdout)
}

// flags reads the command line.
func (b *bench) flags(args []string) (dir string, keep bool, wanted []string, err error) {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(b.log)
	flags.IntVar(&b.records, "records", 1_000_000, "how many records to generate")
	flags.StringVar(&b.binary, "binary", filepath.Join("bin", "yagura"), "the program to measure")
	flags.StringVar(&dir, "dir", "", "folder to work in, on the kind of disk to be measured (default: a temporary one)")
	flags.BoolVar(&keep, "keep", false, "leave the folder there")
	only := flags.String("only", "", "measure these only, with commas: "+strings.Join(names, ", "))
	if err := flags.Parse(args); err != nil {
		return "", false, nil, err
	}
	wanted = names
	if *only != "" {
		wanted = strings.Split(*only, ",")
	}
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			return "", false, nil, fmt.Errorf("-only %s: there are %s", w, strings.Join(names, ", "))
		}
	}
	if b.records < 10_000 {
		return "", false, nil, fmt.Errorf("-records %d: below 10,000 nothing is measured but starting", b.records)
	}
	if _, err := os.Stat(b.binary); err != nil {
		return "", false, nil, fmt.Errorf("%w: `make build` makes it", err)
	}
	return dir, keep, wanted, nil
}

// say tells on stderr what is being done now.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.log, "%6.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) path(parts ...string) string {
	return filepath.Join(append([]string{b.dir}, parts...)...)
}
