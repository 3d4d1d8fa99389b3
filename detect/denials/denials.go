// Package denials hunts for runs of denials by a policy of the organisation in
// Google Cloud and Azure: an organisation policy, a service perimeter or Azure
// Policy said no, whatever the caller's own permissions are. Of AWS it judges
// what names no principal: those that are named are judged by anomaly/denials.
//
// Denials are folded first: clients and consoles try again by themselves. What is
// left is gathered by project, constraint and caller: the principal where the
// record names one, else the address and the family of the client. Each is held
// against its own past and that of its peers, and told as one finding, hour by
// hour. Where the record names nobody, package who says who it probably was, and
// package intent what they were about to do.
package denials

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/intent"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/detect/who"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/register"
)

// Name is the hunter's: that of its marks and hunts.
const Name = "denials"

const (
	hour = time.Hour
	day  = 24 * time.Hour

	// learnDays is how much of the past a denial is held against.
	learnDays = 14
	// An hour belongs to a run that goes back so far, and what it is taken for rests
	// on what follows within reach.
	back  = 2 * day
	reach = day
)

// Options is what a hunter reads. Events has to be given.
type Options struct {
	Events stored.Source
	// People gives the uids of all people who did anything in [since, until); nil:
	// see who.Finder.
	People func(ctx context.Context, since, until time.Time) ([]string, error)
	// Register gives what a project applied for, and whether the register has it;
	// nil: there is no register.
	Register func(ctx context.Context, project string) (register.Entry, bool, error)
	// Companions and Intents are what is known of services; nil: our own lists.
	Companions *companion.Catalogue
	Intents    *intent.Catalogue
	// Agents gives which services' agents called a service in a project in whole hours
	// from since to until, which adds to Companions what they bring along; nil: that is
	// not asked.
	Agents func(ctx context.Context, project, service string, since, until time.Time) ([]companion.Sighting, error)
}

// Hunter is the hunter named Name.
type Hunter struct {
	o          Options
	who        who.Finder
	companions *companion.Catalogue
	intents    *intent.Catalogue
}

var _ detect.Hunter = (*Hunter)(nil)

// New makes a hunter.
func New(o Options) *Hunter {
	h := &Hunter{o: o, companions: cmp.Or(o.Companions, companion.Builtin()), intents: cmp.Or(o.Intents, intent.Builtin())}
	h.who = who.Finder{Events: o.Events, People: o.People, Companions: h.companions}
	return h
}

// Hunters is detect.Hunter's.
func (h *Hunter) Hunters() []string { return []string{Name} }

// Hunt is detect.Hunter's. An hour with denials stays open until the log reaches
// a day beyond it: what follows a denial tells how to take it.
func (h *Hunter) Hunt(ctx context.Context, hunter string, since, until, now time.Time) (finding.Hunt, error) {
	said := finding.Hunt{Hunter: hunter, Since: since.UTC(), Until: until.UTC()}
	if hunter != Name {
		return said, fmt.Errorf("there is no hunter %q", hunter)
	}
	l, err := h.look(ctx, since, until)
	if err != nil || l == nil {
		return said, err
	}
	for _, at := range l.hours() {
		if now.Before(at.Add(hour + reach + retrySpan)) {
			said.Again = append(said.Again, at)
		}
	}
	said.Occurrences, err = l.tell(ctx)
	return said, err
}

// columns are what is read of a denial.
var columns = []string{
	"format", "cloud_provider", "account_uid", "region", "api_service", "api_operation", "api_request_uid", "status_code", "status_detail", "outcome",
	"actor_type", "actor_uid", "actor_name", "actor_invoked_by", "caller", "src_ip", "src_host", "user_agent", "resource_uid", "twin",
}

// denials is what is read, in the language of searches.
var denials = query.Eq{Field: "outcome", Value: string(event.DeniedByOrgPolicy)}

// ours tells whether a denial is judged here.
func ours(e *event.Event) bool {
	return e.Outcome == event.DeniedByOrgPolicy && (e.CloudProvider != "AWS" || e.ActorUID == "" || e.ActorType == event.ActorMasked)
}

// look reads the denials of whole hours with what they are judged by; nil where
// there are none in those hours.
func (h *Hunter) look(ctx context.Context, since, until time.Time) (*look, error) {
	in, err := h.read(ctx, since, until)
	if err != nil || len(in) == 0 {
		return nil, err
	}
	// Back to the first day that the first hour of the run is held against.
	from := since.Add(-back).UTC().Truncate(day).Add(-learnDays*day - foldSpan)
	before, err := h.read(ctx, from, since)
	if err != nil {
		return nil, err
	}
	after, err := h.read(ctx, until, until.Add(reach+hour+retrySpan))
	if err != nil {
		return nil, err
	}
	return &look{h: h, since: since.UTC(), until: until.UTC(), clusters: gather(fold(slices.Concat(before, in, after)))}, nil
}

// read gives the denials of [since, until) in the order of their times.
func (h *Hunter) read(ctx context.Context, since, until time.Time) ([]event.Event, error) {
	var out []event.Event
	for e, err := range h.o.Events.Find(ctx, since, until, denials, columns...) {
		if err != nil {
			return nil, fmt.Errorf("read denials by policy: %w", err)
		}
		if ours(&e) {
			e.Raw = nil
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b event.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:]))
	})
	return out, ctx.Err()
}

// look is one look at some hours.
type look struct {
	h            *Hunter
	since, until time.Time
	clusters     []*cluster // by their ids
	days         map[time.Time]*past
}

// hours are those with denials in what is looked at.
func (l *look) hours() []time.Time {
	var out []time.Time
	for _, c := range l.clusters {
		for i := range c.denials {
			if t := c.denials[i].Time; !t.Before(l.since) && t.Before(l.until) {
				out = append(out, finding.Hour(t))
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.Compact(out)
}

// tell says what there is to say of each hour.
func (l *look) tell(ctx context.Context) ([]finding.Occurrence, error) {
	var out []finding.Occurrence
	for _, c := range l.clusters {
		for _, at := range c.hours(l.since, l.until) {
			j := l.judge(c, at)
			if !j.told {
				continue
			}
			o, err := l.occurrence(ctx, c, at, j)
			if err != nil {
				return nil, err
			}
			out = append(out, o)
		}
	}
	return out, ctx.Err()
}
