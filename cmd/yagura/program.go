package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/mapping"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/sigma"
)

// program is one run: what is outside, the common flags, and what they mean.
type program struct {
	world
	flags struct{ data, config, format, now string }
	cfg   config.Config
	dir   string           // the data directory
	clock func() time.Time // the real one, whatever --now says

	ruleOptions rule.Options       // of the configuration
	formats     normalise.Registry // those that can be read

	// welcome tells how to come in to what is served; nil: see server.invite.
	welcome func(ctx context.Context, d *people.Door) error
}

var formats = []string{"table", "json", "jsonl", "csv"}

// settle gives the common flags their meaning.
func (p *program) settle() error {
	if !slices.Contains(formats, p.flags.format) {
		return wrong("--format %s: it is one of %s", p.flags.format, strings.Join(formats, ", "))
	}
	p.cfg, p.clock = config.Default(), p.now
	if p.flags.config != "" {
		c, err := config.Load(p.flags.config)
		if err != nil {
			return exit{exitUsage, err}
		}
		p.cfg = c
	}
	var bad []*sigma.Error
	if p.ruleOptions, bad = catalogue.RuleOptions(p.cfg.Rules); len(bad) > 0 {
		return exit{exitUsage, errors.Join(plain(bad)...)}
	}
	var refused []*mapping.Error
	if p.formats, refused = catalogue.FormatsWith(p.cfg.Mappings); len(refused) > 0 {
		return exit{exitUsage, errors.Join(plain(refused)...)}
	}
	switch {
	case p.flags.data != "":
		p.dir = p.flags.data
	case p.cfg.Data != "":
		p.dir = p.cfg.Data
	default:
		p.dir = config.DataDir(p.getenv)
	}
	if p.flags.now != "" {
		at, err := time.Parse(time.RFC3339, p.flags.now)
		if err != nil {
			return wrong("--now %s: a time in RFC 3339 is needed, such as 2026-11-21T09:00:00Z", p.flags.now)
		}
		p.now = func() time.Time { return at }
	}
	return nil
}

// noData marks commands that need no data directory, or make one of their own.
var noData = map[string]string{"data": "none"}

// housed refuses to go on without a data directory where c needs one.
func (p *program) housed(c *cobra.Command) error {
	if p.dir == "" && c.Annotations["data"] != noData["data"] {
		return wrong("there is no home for data: give --data DIR")
	}
	return nil
}

// period is the flags --since and --until.
type period struct{ since, until string }

func (d *period) flags(c *cobra.Command) {
	c.Flags().StringVar(&d.since, "since", "", "from this time on: RFC 3339, a date, or 90d ago")
	c.Flags().StringVar(&d.until, "until", "", "before this time")
}

// times gives the period as times; zero: open.
func (d *period) times(now time.Time) (since, until time.Time, err error) {
	if since, err = moment("--since", d.since, now); err != nil {
		return since, until, err
	}
	if until, err = moment("--until", d.until, now); err != nil {
		return since, until, err
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return since, until, wrong("--since %s is not before --until %s", d.since, d.until)
	}
	return since, until, nil
}

// moment reads a time: RFC 3339, a date (its start, UTC), or how long ago.
func moment(flag, s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(-d).UTC(), nil
	}
	return time.Time{}, wrong("%s %s: write a time (2026-11-21T09:00:00Z), a date (2026-11-21) or how long ago (90d, 12h)", flag, s)
}

// warn tells something on stderr that does not stop the work.
func (p *program) warn(format string, args ...any) {
	fmt.Fprintln(p.stderr, "yagura:", safe(fmt.Sprintf(format, args...)))
}
