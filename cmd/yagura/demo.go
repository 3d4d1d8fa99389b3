package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/simulate"
	"github.com/yagura-sec/yagura/triage"
)

// demoWorld is the organisation of the demo: small, and with a story to find.
var demoWorld = simulate.Config{Seed: 1, Days: 24, Accounts: 12, Secrets: 60, Story: true, Products: true}

// demoMark is a file that says a folder was made by demo and may be made anew.
const demoMark = ".yagura-demo"

func (p *program) demo() *cobra.Command {
	var dir string
	var serve bool
	c := &cobra.Command{
		Use: "demo", Short: "See it work on a sample organisation", Args: cobra.NoArgs, Annotations: noData,
		Long: `Demo writes the logs of an invented organisation as they would lie in a bucket,
ingests them with what security products say of it, lets a team of invented people
decide about some of what was found, and shows what is left. On a terminal it then
serves the console, as of the end of those logs, until Ctrl-C, and prints a one-time
link to sign in with. No account is needed, and nothing leaves the machine. Running
it again starts anew.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("serve") {
				serve = p.terminal
			}
			return p.runDemo(c.Context(), dir, serve)
		},
	}
	c.Flags().BoolVar(&serve, "serve", false, "serve the console afterwards (default: on a terminal)")
	c.Flags().StringVar(&dir, "dir", "", "folder for logs and data, made anew (default demo in the user's cache folder)")
	return c
}

func (p *program) runDemo(ctx context.Context, dir string, serve bool) error {
	if err := p.makeDemo(ctx, dir, serve); err != nil || !serve {
		return err
	}
	p.welcome = p.demoWelcome
	if l, err := net.Listen("tcp", p.cfg.Listen); err != nil {
		p.cfg.Listen = "127.0.0.1:0" // something else listens there
	} else if err := l.Close(); err != nil {
		return err
	}
	return p.runServe(ctx)
}

// demoUser signs in to the demo by a link; it has no password.
const demoUser = "demo"

// demoWelcome tells how to come in.
func (p *program) demoWelcome(ctx context.Context, d *people.Door) error {
	if _, err := d.AddUser(ctx, people.LocalOwner(), people.NewUser{Name: demoUser, Role: people.Admin}); err != nil {
		return err
	}
	secret, l, err := d.NewLink(ctx, people.LocalOwner(), people.LinkSignIn, demoUser)
	if err != nil {
		return err
	}
	at := fmt.Sprintf("%s --data %s", p.self, p.dir)
	fmt.Fprintf(p.stdout, `
Come in, once and within an hour, at

  %[1]s

As one of the team, or in another browser: %[2]s people link NAME --sign-in
(NAME: %[3]s an admin, yui.hara a responder, tomas.lindt an analyst, kenji.oda a viewer)
On a terminal: %[2]s findings list
On your own logs: %[4]s ingest DIR
It is open until Ctrl-C.
`, p.origin()+api.LinkPath(l.Kind, secret), at, demoUser, p.self)
	return nil
}

// makeDemo makes the sample organisation and tells what was found in its logs. What
// it tells is short where the console is served.
func (p *program) makeDemo(ctx context.Context, dir string, serve bool) error {
	if dir == "" {
		cache := config.CacheDir(p.getenv)
		if cache == "" {
			return wrong("there is no home for the demo: give --dir DIR")
		}
		dir = filepath.Join(cache, "demo")
	}
	dir, err := filepath.Abs(dir) // its configuration may be used from anywhere
	if err != nil {
		return err
	}
	if err := clearDemo(dir); err != nil {
		return err
	}
	world := filepath.Join(dir, "world")
	start := time.Now()
	made, err := demoWorld.Write(ctx, world)
	if err != nil {
		return err
	}
	if err := p.configureDemo(dir); err != nil {
		return err
	}
	// It is the morning after the last day of the logs, and time goes on.
	p.now = func() time.Time { return made.End.Add(time.Since(start)) }
	p.clock = p.now
	fmt.Fprintf(p.stdout, "A sample organisation: %d accounts, %d days, %s records in %s files, and %s findings of other products (%s), made in %.1f s.\n",
		len(made.Accounts), int(made.End.Sub(made.Start).Hours()/24+0.5), number(int64(made.Records)), number(int64(made.Files)), number(int64(made.Findings)), world, time.Since(start).Seconds())
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	done, err := p.ingestInto(ctx, r, demoPaths(dir), ingestFlags{})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Ingested in %.1f s: %s read = %s stored + %s duplicate + %s quarantined.\n",
		done.RestSeconds, number(done.Read), number(done.Stored), number(done.Duplicate), number(done.Quarantined))
	if err := p.demoCosts(ctx, r, dir, made.End); err != nil {
		return err
	}
	report, err := p.report(ctx, r, "", ledger.MakeReport)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "The ledger knows of %s; one says: %s\n", many(int64(len(report.Gaps)), "gap", "gaps"), firstGap(report.Gaps))
	lived := time.Now()
	if err := p.live(ctx, r, made); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "A team has worked with it for those weeks, in %.1f s.\n", time.Since(lived).Seconds())
	if err := p.demoFindings(ctx, r, serve); err != nil {
		return err
	}
	if !serve {
		p.demoFurther()
	}
	return nil
}

// clearDemo makes dir anew if demo made it, and refuses any other folder that
// is not empty.
func clearDemo(dir string) error {
	_, err := os.Stat(filepath.Join(dir, demoMark))
	if errors.Is(err, fs.ErrNotExist) {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return fmt.Errorf("%s is not empty and was not made by demo: choose another --dir", dir)
		}
	} else if err != nil {
		return err
	}
	for _, sub := range []string{"logs", "world", "data", demoConfigFile, demoTokenFile} { // logs: of older versions
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoMark), nil, 0o600)
}

// How many findings demo prints: fewer where the console shows all of them.
const (
	demoShown = 8
	demoShort = 3
)

func (p *program) demoFindings(ctx context.Context, r *rooms, serve bool) error {
	page, _, err := r.triage.List(ctx, triage.Filter{})
	if err != nil {
		return err
	}
	shown := demoShown
	if serve {
		shown = demoShort
	}
	explained, worked := 0, 0
	var waiting []finding.Finding
	for _, f := range page {
		switch {
		case len(f.Explained) > 0:
			explained++
		case f.Status == finding.New:
			waiting = append(waiting, f)
		case f.Status == finding.InProgress:
			worked++
		}
	}
	fmt.Fprintf(p.stdout, "%s: %d are accounted for by planned work, an exception or the log itself, %d wait for somebody, %d are being worked on; the most pressing:\n\n", many(int64(len(page)), "finding", "findings"), explained, len(waiting), worked)
	for _, f := range waiting[:min(shown, len(waiting))] {
		fmt.Fprintf(p.stdout, "%3d %-8s %s  %s\n             %s\n", f.Priority, f.Severity, f.Key[:12], safe(oneLine(f.Title)), safe(oneLine(sentence(f))))
	}
	return nil
}

func (p *program) demoFurther() {
	at := fmt.Sprintf("%s --data %s", p.self, p.dir)
	fmt.Fprintf(p.stdout, `
Look further:

  %[1]s findings cases --unexplained
  %[1]s findings list --kind anomaly
  %[1]s findings show KEY
  %[1]s hunt --dry-run --budget 5
  %[1]s search 'outcome:denied' --limit 20
  %[1]s sql "select actor_uid, sum(count) from usage where resource_uid = '' group by 1 order by 2 desc limit 10"
  %[1]s ledger
  %[1]s serve

And on your own logs: %[2]s ingest DIR
`, at, p.self)
}
