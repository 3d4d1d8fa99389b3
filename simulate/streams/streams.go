// Package streams writes the logs of other providers from the same people,
// machines and addresses as those of AWS, each as its provider delivers it:
//
//	gcp/       Google Cloud audit logs: activity, and what policies denied
//	idp/       sign-ins of Entra ID, category SignInLogs
//	endpoint/  proxy (squid's format), processes and logons (as CrowdStrike's
//	           replicator), leases of addresses (as Zeek)
//	hr/        who works here, and who joined, moved and left
//	bill/      the bill by day, account and usage type (as AWS CUR 2.0)
//
// Beside them lie labels.jsonl and calendar.json of what happens in these logs
// only: the world's own labels tell of the logs of AWS.
//
// The streams are thin: few types of records, each true to its shape, in a file
// a day (the bill: a month).
package streams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/logs"
)

// Write writes all streams of w below dir. Of the trouble that Plan adds it
// writes what plan has labels of. The same world and plan give the same bytes.
func Write(ctx context.Context, dir string, w *estate.World, plan estate.Plan) error {
	s := newScene(w, plan)
	for _, stream := range []struct {
		name  string
		write func(context.Context, string, *scene) error
	}{{"gcp", writeCloud}, {"idp", writeSignIns}, {"endpoint", writeEndpoint}, {"hr", writeStaff}, {"bill", writeBill}} {
		if err := stream.write(ctx, filepath.Join(dir, stream.name), s); err != nil {
			return fmt.Errorf("stream %s: %w", stream.name, err)
		}
	}
	return s.writeTruth(dir)
}

// writeTruth writes the labels of what is in the streams, and what a calendar
// tells of it.
func (s *scene) writeTruth(dir string) error {
	var labels bytes.Buffer
	windows := []finding.Window{}
	for _, i := range append(s.cloudTrouble(), s.signInTrouble()...) {
		if !s.wanted[i.label.ID] {
			continue
		}
		if err := json.NewEncoder(&labels).Encode(i.label); err != nil {
			return err
		}
		if i.window != nil {
			windows = append(windows, *i.window)
		}
	}
	calendar, err := json.MarshalIndent(map[string]any{"windows": windows}, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "labels.jsonl"), labels.Bytes(), 0o644),
		os.WriteFile(filepath.Join(dir, "calendar.json"), append(calendar, '\n'), 0o644))
}

// Plan adds to a world's plan what happens outside AWS: labels of the kinds
// "gcp_denials" and "sign_in", and what a calendar tells of them. It does not
// change the plan that it is given.
func Plan(w *estate.World, plan estate.Plan) estate.Plan {
	s := newScene(w, plan)
	plan.Labels = slices.Clone(plan.Labels)
	plan.Windows = slices.Clone(plan.Windows)
	for _, i := range append(s.cloudTrouble(), s.signInTrouble()...) {
		plan.Labels = append(plan.Labels, i.label)
		if i.window != nil {
			plan.Windows = append(plan.Windows, *i.window)
		}
	}
	return plan
}

// scene is what all streams have in common.
type scene struct {
	w       *estate.World
	wanted  map[string]bool // ids of labels
	labels  []*estate.Label
	travels []estate.Change
	zones   map[string]*time.Location
	teamOf  map[string]*estate.Team // by secret
	cloud   *cloud

	programs map[*estate.Account]int // how many run there
}

func newScene(w *estate.World, plan estate.Plan) *scene {
	s := &scene{w: w, labels: plan.Labels, wanted: map[string]bool{}, zones: map[string]*time.Location{}}
	for _, l := range plan.Labels {
		s.wanted[l.ID] = true
	}
	for _, c := range plan.Changes {
		if c.IP != "" && len(c.People) > 0 {
			s.travels = append(s.travels, c)
		}
	}
	s.teamOf = map[string]*estate.Team{}
	for _, x := range w.Secrets {
		if x.App != nil {
			s.teamOf[x.ARN] = x.App.Team
		}
	}
	s.programs = map[*estate.Account]int{}
	for _, wl := range w.Workloads {
		s.programs[wl.Account]++
	}
	s.cloud = newCloud(s)
	return s
}

func (s *scene) zone(name string) *time.Location {
	loc := s.zones[name]
	if loc == nil {
		var err error
		if loc, err = time.LoadLocation(name); err != nil {
			loc = time.UTC
		}
		s.zones[name] = loc
	}
	return loc
}

// chance is a source of its own for each thing that is drawn, so that nothing
// depends on the order of writing.
func (s *scene) chance(of ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, of...)
	return rand.New(rand.NewPCG(uint64(s.w.Seed), h.Sum64()))
}

func poisson(rng *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n := 0
	for p := rng.Float64(); p > math.Exp(-mean); n++ {
		p *= rng.Float64()
	}
	return n
}

func one[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// shift is a person's day at work.
type shift struct {
	person   *estate.Person
	number   int // of the person
	date     time.Time
	from, to time.Time
	home     bool
	address  string // public
	rng      *rand.Rand
}

// moment is a time of the day at work, seldom at noon.
func (d *shift) moment() time.Time {
	span := d.to.Sub(d.from)
	at := d.from.Add(time.Duration(d.rng.Float64() * float64(span)))
	if at.Sub(d.from) > 3*time.Hour && at.Sub(d.from) < 4*time.Hour && d.rng.IntN(3) > 0 {
		at = at.Add(time.Hour)
	}
	return at.Truncate(time.Millisecond)
}

// shifts calls do with every person's days of work, whole dates in order; after
// each date it calls done with the time before which nothing more comes.
func (s *scene) shifts(ctx context.Context, stream string, do func(*shift) error, done func(time.Time) error) error {
	for date := s.w.Start.Truncate(24*time.Hour).AddDate(0, 0, -1); date.Before(s.w.End.AddDate(0, 0, 1)); date = date.AddDate(0, 0, 1) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, p := range s.w.People {
			at := s.w.Presence(p, date)
			if !at.Works {
				continue
			}
			d := &shift{person: p, number: i, date: date, home: at.Home, address: at.Address, rng: s.chance(stream, p.Email, date.Unix())}
			in := s.zone(p.Zone)
			begin := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, in)
			d.from = begin.Add(time.Duration(p.Begins*3600+600*d.rng.NormFloat64()) * time.Second)
			d.to = begin.Add(time.Duration(p.Ends*3600+900*d.rng.NormFloat64()) * time.Second)
			for _, c := range s.travels {
				if slices.Contains(c.People, p) && !d.from.Before(c.From) && d.from.Before(c.Until) {
					d.address, d.home = c.IP, true
				}
			}
			if err := do(d); err != nil {
				return err
			}
		}
		// The next date begins nowhere earlier than this.
		if err := done(date.AddDate(0, 0, 1).Add(-14 * time.Hour)); err != nil {
			return err
		}
	}
	return done(s.w.End.AddDate(0, 0, 3))
}

// incident is trouble of a stream, or what only looks like it.
type incident struct {
	label  *estate.Label
	window *finding.Window
	acts   []*logs.Act // at Google Cloud
	signs  []signIn    // at the identity provider
}

// daily is a log with a file a day below dir, named by the layout of time.
func (s *scene) daily(dir, layout string) *logs.Log {
	return logs.New(dir, layout, s.w.Start, s.w.End)
}
