// Command yagura is security observability for many cloud accounts, from one
// program: it reads logs, accounts for every record, judges them, and shows
// findings that explain themselves.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/yagura-sec/yagura/lake/local"
)

// version is set by the Makefile.
var version = "unknown"

// Exit codes.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitFindings   = 3 // findings at or above --fail-on
	exitIncomplete = 4 // gaps, quarantine; outranks exitFindings
)

func main() {
	// Analysts' SQL runs in this same program, started anew: see lake/local.
	if len(os.Args) > 1 && os.Args[1] == local.ChildArg {
		os.Exit(local.ChildMain(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, world{
		self: os.Args[0], args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
	})
	stop()
	os.Exit(code)
}

// world is everything a command may know of what is outside.
type world struct {
	self           string // how this program was called
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	terminal       bool // progress may be drawn on stderr
}

// exit is an error with an exit code of its own. A nil err prints nothing.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exit) Unwrap() error { return e.err }

// wrong is an error of use or configuration.
func wrong(format string, args ...any) error { return exit{exitUsage, fmt.Errorf(format, args...)} }

// run is the whole program; two can run in one process.
func run(ctx context.Context, w world) int {
	p := &program{world: w}
	root := p.root()
	root.SetArgs(w.args)
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitFailed
	var e exit
	switch {
	case errors.As(err, &e):
		code = e.code
	case fullDisk(err):
		code = exitIncomplete
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted; what was acknowledged is kept, and running it again goes on")
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(w.stderr, "yagura:", safe(text))
	}
	return code
}

// fullDisk tells whether there was no room: below the floor, at the end of the
// disk, or in SQLite's words, whose error has no value to compare with.
func fullDisk(err error) bool {
	return errors.Is(err, local.ErrSpace) || errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "database or disk is full")
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "yagura",
		Short: "Security observability for many cloud accounts, from one program",
		Long: `Yagura reads the logs of many cloud accounts, accounts for every record, keeps
them, judges them, and shows findings that explain themselves.

  yagura demo             see it work on a sample organisation
  yagura ingest DIR       read CloudTrail as it lies in a bucket
  yagura findings list    what it found`,
		SilenceUsage: true, SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if err := p.settle(); err != nil {
				return err
			}
			return p.housed(c)
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit{exitUsage, err} })
	flags := root.PersistentFlags()
	flags.StringVar(&p.flags.data, "data", "", "data directory (default $XDG_DATA_HOME/yagura)")
	flags.StringVar(&p.flags.config, "config", "", "configuration file")
	flags.StringVar(&p.flags.format, "format", "table", "table, json, jsonl or csv")
	flags.StringVar(&p.flags.now, "now", "", "judge as of this time (RFC 3339)")
	root.AddCommand(
		p.serve(), p.demo(), p.ingest(), p.search(), p.sql(), p.findings(), p.exceptions(), p.windows(), p.register(), p.cost(), p.decision(), p.tuning(), p.audit(), p.rules(), p.mappings(), p.dashboards(), p.queries(), p.huntAnomalies(),
		p.ledger(), p.people(), p.evaluate(), p.evaluateChild(), p.usage(), p.renormalise(), p.simulate(), p.backup(), p.config(), p.version(),
	)
	usageErrors(root)
	return root
}

// usageErrors makes wrong arguments exit with the code for wrong use, and a
// command that only groups others show its help, or refuse what it has not.
func usageErrors(c *cobra.Command) {
	if c.RunE == nil {
		c.Args = cobra.NoArgs
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return exit{exitUsage, err}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usageErrors(sub)
	}
}

func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case p.json():
				return p.printJSON(map[string]string{"version": version})
			case p.flags.format == "csv":
				return p.printTable([]string{"version"}, [][]string{{version}})
			}
			_, err := fmt.Fprintln(p.stdout, "yagura", version)
			return err
		},
	}
}
