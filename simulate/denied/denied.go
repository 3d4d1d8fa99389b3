// Package denied writes the logs of an organisation in which somebody is refused
// again and again by a policy of the organisation at Google Cloud, while the log
// hides who it was: two days, a few hundred thousand records of ordinary work, 23
// denials in four bursts by one of 41 people behind one address, and a register of
// what projects were applied for that forgot one service.
//
//	logs/gcp/        audit logs: activity, data access, and what policies denied
//	logs/workspace/  sign-ins
//	logs/proxy/      squid's format
//	logs/endpoint/   processes and logons (as CrowdStrike's replicator)
//	logs/dhcp/       leases of addresses (as Zeek)
//	logs/register/   what projects were applied for, as CSV
//	register.csv     the same
//	world.json       the truth
//
// The same configuration writes the same bytes.
package denied

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// Variants of the story.
const (
	Default      = "default"       // the story itself
	NoEndpoint   = "no-endpoint"   // without logs of proxy, endpoint and leases, and without a call by name that tells
	VPCSC        = "vpc-sc"        // VPC Service Controls refuse, not a policy of the organisation
	Granted      = "granted"       // the calls are granted, and their records have an empty violation
	Hostile      = "hostile"       // somebody of elsewhere, from a new network, who then makes a service account's key
	Dataproc     = "dataproc"      // a cluster of Dataproc instead of a notebook
	Composer     = "composer"      // an environment of Cloud Composer, whose cluster is refused
	GKE          = "gke"           // a cluster of Kubernetes Engine
	ServiceShown = "service-shown" // the service's agent is refused, and who called the service stands in the log
	TwoPeople    = "two-people"    // two colleagues try at the same time
	RegisterOK   = "register-ok"   // the register has the service
	Crowded      = "crowded"       // up to four colleagues are at the project's pages all through each burst, one at the same page
	QuietProxy   = "quiet-proxy"   // the proxy sees no page and no name, and half of the worlds are crowded
)

// Variants are all of them, the story itself first.
var Variants = []string{Default, NoEndpoint, VPCSC, Granted, Hostile, Dataproc, Composer, GKE, ServiceShown, TwoPeople, RegisterOK, Crowded, QuietProxy}

// Defaults of Config.
const (
	Records = 300_000
	fewest  = 8_000
	most    = 5_000_000
)

// Config says which world to write.
type Config struct {
	Seed    int64
	Variant string // one of Variants; empty: Default
	Records int    // of ordinary work; 0: Records
}

// Check says what is wrong with a configuration.
func (c Config) Check() error {
	switch {
	case c.Variant != "" && !slices.Contains(Variants, c.Variant):
		return fmt.Errorf("variant %q: it is one of %s", c.Variant, strings.Join(Variants, ", "))
	case c.Records != 0 && (c.Records < fewest || c.Records > most):
		return fmt.Errorf("records %d: from %d to %d", c.Records, fewest, most)
	}
	return nil
}

// Summary is what was written.
type Summary struct {
	Start, End time.Time
	Ordinary   int // records of ordinary work
	Story      int // records of what the story tells, beside them
	Truth      Truth
}

// Write writes the world below dir, which has to be empty or absent.
func (c Config) Write(ctx context.Context, dir string) (Summary, error) {
	if err := c.Check(); err != nil {
		return Summary{}, err
	}
	w := build(c)
	w.open(filepath.Join(dir, "logs"))
	err := w.days(ctx)
	for _, l := range w.files {
		if e := l.Finish(err); err == nil {
			err = e
		}
	}
	if err == nil {
		err = w.writeTruth(dir)
	}
	return Summary{Start: w.start, End: w.end, Ordinary: w.ordinary, Story: w.told, Truth: w.truth()}, err
}

// world is what is being written.
type world struct {
	Config
	scale      float64 // of rates: 1 at Records
	start, end time.Time
	domain     string
	org        string
	offices    []*office
	people     []*person
	projects   []*project
	story      *story

	files         map[string]*logs.Log
	ordinary      int
	told          int
	telling       bool // what is written belongs to the story
	interruptions error
}

// span is how long the logs are.
const span = 48 * time.Hour

var tokyo, berlin = time.FixedZone("JST", 9*3600), time.FixedZone("CET", 3600)

// dayOf is when the day of a time began.
func (w *world) dayOf(at time.Time) time.Time {
	return w.start.Add(at.Sub(w.start) / (24 * time.Hour) * (24 * time.Hour))
}

func build(c Config) *world {
	if c.Records == 0 {
		c.Records = Records
	}
	if c.Variant == "" {
		c.Variant = Default
	}
	w := &world{Config: c, scale: float64(c.Records) / Records, domain: "hoshino.example", files: map[string]*logs.Log{}}
	rng := w.chance("world")
	// Two days of work in a row, by Japan's clock: Monday to Friday of one of the first
	// two weeks of March 2026, which has no holiday anywhere.
	w.start = time.Date(2026, 3, 2+7*rng.IntN(2)+rng.IntN(4), 0, 0, 0, 0, tokyo).UTC()
	w.end = w.start.Add(span)
	w.org = logs.Drawn(rng, 1, "123456789") + logs.Drawn(rng, 11, logs.Digits)
	w.cast()
	w.found()
	w.story = w.tale()
	return w
}

// chance is a source of its own for each thing that is drawn, so that nothing
// depends on the order of writing.
func (w *world) chance(of ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, of...)
	return rand.New(rand.NewPCG(uint64(w.Seed), h.Sum64()))
}

// Files of the logs, by what is in them.
const (
	activity   = logs.ActivityLog
	policy     = logs.PolicyLog
	dataAccess = logs.DataLog
	signIns    = "workspace"
	proxied    = "proxy"
	sensed     = "endpoint"
	leased     = "dhcp"
)

func (w *world) open(dir string) {
	layouts := map[string]string{
		activity: "gcp/activity/2006-01-02.jsonl.gz", policy: "gcp/policy/2006-01-02.jsonl.gz", dataAccess: "gcp/data_access/2006-01-02.jsonl.gz",
		signIns: "workspace/2006-01-02.jsonl.gz",
	}
	if w.Variant != NoEndpoint {
		layouts[proxied] = "proxy/access.log-20060102.gz"
		layouts[sensed] = "endpoint/2006-01-02.jsonl.gz"
		layouts[leased] = "dhcp/dhcp.2006-01-02.log.gz"
	}
	for name, layout := range layouts {
		w.files[name] = logs.New(dir, layout, w.start, w.end)
	}
}

// add writes a line of a log, if the world has that log and the time is in it.
func (w *world) add(log string, at time.Time, line []byte) {
	l := w.files[log]
	gap := at.Sub(w.story.gapAt).Hours()
	if l == nil || log == leased && gap >= 0 && gap < w.story.drawn.LeaseGap || at.Before(w.start) || !at.Before(w.end) {
		return
	}
	l.Add(at, line)
	if w.telling {
		w.told++
	} else {
		w.ordinary++
	}
}

// days writes day by day: what people do, what machines do besides, and the
// story; then as many records of programs as are missing.
func (w *world) days(ctx context.Context) error {
	for day := w.start; day.Before(w.end); day = day.Add(24 * time.Hour) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, p := range w.people {
			w.workday(p, day)
		}
		w.labs(day)
		w.pipelines(day)
		w.otherDenials(day)
		w.tell(day)
		wanted := w.Records / 2
		if !day.Add(24 * time.Hour).Before(w.end) {
			wanted = w.Records
		}
		w.programs(day, wanted-w.ordinary)
		for _, l := range w.files {
			if err := l.Flush(day.Add(24 * time.Hour)); err != nil {
				return errors.Join(err, w.interruptions)
			}
		}
	}
	return w.interruptions
}

func one[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// weighed draws an index by weights.
func weighed(rng *rand.Rand, weights ...float64) int {
	sum := 0.0
	for _, x := range weights {
		sum += x
	}
	at := rng.Float64() * sum
	for i, x := range weights {
		if at -= x; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// count is about mean things: never fewer than some where mean was scaled down.
func (w *world) count(rng *rand.Rand, mean float64, least int) int {
	mean *= w.scale
	return max(least, int(mean*(0.6+0.8*rng.Float64())+rng.Float64()))
}
