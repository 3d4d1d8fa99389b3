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
		Use: "demo", Short: "See it work on a sample organisation", Args: cobra.NoArgs,
		Long: `Demo writes the logs of an invented organisation as they would lie in a bucket,
ingests them, and shows what there is to find. On a terminal it then serves the
console, as of the end of those logs, until Ctrl-C, and prints a one-time link to
sign in with. No account is needed, and nothing leaves the machine. Running it again
starts anew.`,
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
	if err := p.makeDemo(ctx, dir); err != nil || !serve {
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
	fmt.Fprintf(p.stdout, "\nThe console is open until Ctrl-C. Come in, once and within an hour, at\n\n  %s\n\nFor another browser: %s --data %s people link %s --sign-in\n\n",
		p.origin()+api.LinkPath(l.Kind, secret), p.self, p.dir, demoUser)
	return nil
}

// makeDemo makes the sample organisation and tells what was found in its logs.
func (p *program) makeDemo(ctx context.Context, dir string) error {
	if dir == "" {
		cache := config.CacheDir(p.getenv)
		if cache == "" {
			return wrong("there is no home for the demo: give --dir DIR")
		}
		dir = filepath.Join(cache, "demo")
	}
	if err := clearDemo(dir); err != nil {
		return err
	}
	world := filepath.Join(dir, "world")
	logs := filepath.Join(world, "logs")
	p.dir = filepath.Join(dir, "data")
	p.cfg.Anomalies.Calendars = []string{filepath.Join(world, "calendar.json")}
	p.cfg.Estate = configured(demoWorld.Estate())
	start := time.Now()
	made, err := demoWorld.Write(ctx, world)
	if err != nil {
		return err
	}
	// It is the morning after the last day of the logs, and time goes on.
	p.now = func() time.Time { return made.End.Add(time.Since(start)) }
	p.clock = p.now
	fmt.Fprintf(p.stdout, "A sample organisation: %d accounts, %d days, %s records in %s files (%s), made in %.1f s.\n\n",
		len(made.Accounts), int(made.End.Sub(made.Start).Hours()/24+0.5), number(int64(made.Records)), number(int64(made.Files)), logs, time.Since(start).Seconds())
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	done, err := p.ingestInto(ctx, r, []string{logs, filepath.Join(world, "findings")}, ingestFlags{})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Ingested in %.1f s: %s read = %s stored + %s duplicate + %s quarantined.\n",
		done.RestSeconds, number(done.Read), number(done.Stored), number(done.Duplicate), number(done.Quarantined))
	report, err := p.report(ctx, r, "", ledger.MakeReport)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "The ledger knows of %s; one says: %s\n\n", many(int64(len(report.Gaps)), "gap", "gaps"), firstGap(report.Gaps))
	if err := p.demoFindings(ctx, r); err != nil {
		return err
	}
	p.demoFurther()
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
	for _, sub := range []string{"logs", "world", "data"} { // logs: of older versions
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoMark), nil, 0o600)
}

// demoShown is how many findings demo prints; the others are a command away.
const demoShown = 8

func (p *program) demoFindings(ctx context.Context, r *rooms) error {
	page, _, err := r.triage.List(ctx, triage.Filter{})
	if err != nil {
		return err
	}
	explained := 0
	for _, f := range page {
		if len(f.Explained) > 0 {
			explained++
		}
	}
	fmt.Fprintf(p.stdout, "%s, %d of them accounted for by the calendar or by the log itself; the most pressing:\n\n", many(int64(len(page)), "finding", "findings"), explained)
	for i, f := range page {
		if i == demoShown {
			break
		}
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
