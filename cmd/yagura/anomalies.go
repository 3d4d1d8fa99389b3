package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/anomaly"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/denials"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/triage/calendar"
	"github.com/yagura-sec/yagura/usage"
)

// anomalies makes the hunter for anomalies over what is stored.
func (p *program) anomalies(r *rooms, o anomaly.Options) *anomaly.Hunter {
	o.Usage = anomaly.Usage{
		Where: func(ctx context.Context, s anomaly.Sums) iter.Seq2[usage.Row, error] {
			return r.lake.UsageWhere(ctx, lake.UsageCondition(s))
		},
		Select: r.lake.Usage,
	}
	o.Events = r.history()
	o.Horizon = r.lake.Horizon
	o.Notes = func(ctx context.Context, since, until time.Time) ([]finding.Note, error) {
		return r.triage.Notes(ctx, anomaly.Name, since, until)
	}
	if o.Signs == nil {
		o.Signs = func() []watch.Sign { return anomaly.Signs(anomaly.SignOptions{}) }
	}
	if o.Budget == 0 {
		o.Budget = p.cfg.Anomalies.Budget
	}
	if o.Windows == nil {
		o.Windows = p.calendars(p.cfg.Anomalies.Calendars).windows
	}
	return anomaly.New(o)
}

// denials makes the hunter for runs of denials by policy over what is stored.
func (p *program) denials(r *rooms) *denials.Hunter {
	return denials.New(denials.Options{
		Events: r.history(), People: r.everybody,
		Register: r.registered, Agents: r.agents,
	})
}

// agents are the callers of a service in a project that no person stands behind by
// name, in [since, until), each with when last.
func (r *rooms) agents(ctx context.Context, project, service string, since, until time.Time) (out []companion.Sighting, err error) {
	for row, err := range r.lake.UsageWhere(ctx, lake.UsageCondition{
		Since: since, Until: until, Where: "resource_uid = '' AND actor_type = ? AND account_uid = ? AND api_service = ?",
		Args: []any{string(event.ActorMasked), project, service}, By: []string{"actor_uid"},
	}) {
		if err != nil {
			return nil, err
		}
		out = append(out, companion.Sighting{Agent: row.ActorUID, Called: service, Last: row.Last})
	}
	slices.SortFunc(out, func(a, b companion.Sighting) int { return strings.Compare(a.Agent, b.Agent) })
	return out, nil
}

// everybody are the uids of all people who did anything in [since, until).
func (r *rooms) everybody(ctx context.Context, since, until time.Time) ([]string, error) {
	var out []string
	for row, err := range r.lake.UsageWhere(ctx, lake.UsageCondition{
		Since: finding.Hour(since), Until: until, Where: "resource_uid = '' AND actor_type = ?", Args: []any{string(event.ActorUser)}, By: []string{"actor_uid"},
	}) {
		if err != nil {
			return nil, err
		}
		out = append(out, row.ActorUID)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// lookShare is which part of the time a serving program may look for anomalies:
// while logs of weeks are read, each look would be at all of them again.
const lookShare = 0.2

// lookout makes the hunting for anomalies.
func (p *program) lookout(r *rooms, live bool) {
	share := 0.0
	if live {
		share = lookShare
	}
	r.anomalies = p.anomalies(r, anomaly.Options{})
	r.lookout = pipeline.NewHunting(pipeline.HuntRooms{
		Hunters: []detect.Hunter{r.anomalies, p.denials(r)}, Triage: r.hunts(), Latest: r.latest, Horizon: r.lake.Horizon,
	}, pipeline.HuntOptions{Now: p.now, Share: share})
}

// look finds what is unusual in the hours that something came into.
func (p *program) look(ctx context.Context, r *rooms) error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(serveMemory))
	stop := p.progress(func() string { return huntingDay(r.anomalies.Progress()) })
	defer stop()
	return r.lookout.Run(ctx)
}

func huntingDay(s anomaly.Progress) string {
	if s.Day.IsZero() {
		return "looking for anomalies"
	}
	return fmt.Sprintf("looking for anomalies: %s of %s, %s secrets and keys", s.Day.Format(time.DateOnly), s.Last.Format(time.DateOnly), number(int64(s.Secrets)))
}

// calendars are files of planned work, which are read again when they change.
type calendars struct {
	p     *program
	files []string

	mu   sync.Mutex
	seen []string // state of each file when it was read
	all  []finding.Window
}

func (p *program) calendars(files []string) *calendars { return &calendars{p: p, files: files} }

// windows are those of all files. A file that cannot be read is told of, and
// what was read of it before stays until it can.
func (c *calendars) windows() []finding.Window {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.state(); !slices.Equal(now, c.seen) {
		all, err := c.load()
		if err != nil {
			c.p.warn("calendar: %v", err)
		}
		if err == nil || c.seen == nil {
			c.all = all
		}
		c.seen = now
	}
	return c.all
}

func (c *calendars) state() []string {
	out := []string{}
	for _, f := range c.files {
		info, err := os.Stat(f)
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, fmt.Sprint(info.Size(), info.ModTime().UnixNano()))
	}
	return out
}

func (c *calendars) load() (all []finding.Window, err error) {
	reader := calendar.Reader{Now: c.p.now(), Warn: func(w calendar.Warning) { c.p.warn("%s", w) }}
	var errs []error
	for _, f := range c.files {
		some, err := reader.Load(f)
		all = append(all, some...)
		errs = append(errs, err)
	}
	return all, errors.Join(errs...)
}
