// Package unapplied tells of services that are used in projects of the register
// whose owners did not apply for them.
package unapplied

import (
	"context"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/say"
)

// Name is the hunter's.
const Name = "register"

// maxApplied is how many services a sentence names.
const maxApplied = 5

// Options are what a comparison is told of by.
type Options struct {
	Known *companion.Catalogue // of services that bring others along
	// Days gives the calls of a service in a project that were not refused, by day.
	Days func(ctx context.Context, project, service string) ([]register.Day, error)
	// Evidence gives some of those calls of a day; nil: none is at hand.
	Evidence func(ctx context.Context, project, service string, day register.Day) ([]finding.Sighting, error)
}

// Hunt is what there is to say of all projects: one finding a project of the
// register and service that was called, not only in vain, and that nobody applied
// for. It replaces all that was said before, so that what was applied for since is
// no finding any more.
//
// Of each day it has one occurrence, in the hour of the day's last call, that
// counts all calls of the day that were not refused.
func Hunt(ctx context.Context, all []register.Comparison, o Options, now time.Time) (finding.Hunt, error) {
	out := finding.Hunt{Hunter: Name, Since: time.Unix(0, 0).UTC(), Until: finding.Hour(now).Add(time.Hour)}
	for _, c := range all {
		if !c.Registered {
			continue
		}
		for _, l := range c.Lines {
			if l.State != register.NotApplied {
				continue
			}
			said, err := o.say(ctx, c, l)
			if err != nil {
				return finding.Hunt{}, err
			}
			for _, x := range said {
				if !x.Until.After(out.Until) {
					continue
				}
				out.Until = x.Until
			}
			out.Occurrences = append(out.Occurrences, said...)
		}
	}
	return out, nil
}

// say is what there is to say of a service, a day at a time.
func (o *Options) say(ctx context.Context, c register.Comparison, l register.Line) (out []finding.Occurrence, err error) {
	project, applied := c.Entry.Project, c.Entry.IDs()
	days, err := o.Days(ctx, project, l.Service)
	if err != nil || len(days) == 0 {
		return nil, err
	}
	var calls int64
	for _, d := range days {
		calls += d.Calls
	}
	t := finding.Trouble{
		Key: finding.Key(Name, project, l.Service), Kind: finding.KindRegister, Severity: finding.Medium, Confidence: 0.8, Account: project, Resource: l.Service,
		RegisterGap: &finding.RegisterGap{Project: project, Service: l.Service, Applied: applied},
		Next: []string{
			shell.Command("yagura", "register", "compare", project),
			shell.Command("yagura", "search", query.String(query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: project}, query.Eq{Field: "api_service", Value: l.Service}}})),
		},
	}
	t.Entitle(say.T("unapplied.title", say.Values{"service": l.Service, "project": project}))
	services := say.T("unapplied.nothing", nil)
	if len(applied) > 0 {
		services = say.T("unapplied.applied", say.Values{"services": say.List(applied, maxApplied)})
	}
	latest := days[len(days)-1].Last
	t.Reasons = []finding.Reason{{Kind: "register", Text: say.T("unapplied.sentence", say.Values{
		"n": calls, "service": l.Service, "project": project, "days": len(days), "since": days[0].First, "last": latest, "applied": services,
	})}}
	if by, bond, ok := o.Known.Bringer(l.Service, applied); ok {
		// The application named what brings it along: most likely it was forgotten.
		t.Severity, t.RegisterGap.NeededBy = finding.Low, by
		t.ImpliedService = l.Service
		sentence := say.T("unapplied.may_bring", say.Values{"by": by, "service": l.Service})
		if bond.Always {
			sentence = say.T("unapplied.brings", say.Values{"by": by, "service": l.Service})
		}
		t.Reasons = append(t.Reasons, finding.Reason{Kind: "companion", Text: sentence, Observed: say.Plain(bond.Source)})
	}
	for i, d := range days {
		hour := finding.Hour(d.Last)
		x := finding.Occurrence{Trouble: t, Hunter: Name, Since: hour, Until: hour.Add(time.Hour), FirstSeen: d.Last, LastSeen: d.Last, Count: d.Calls}
		if o.Evidence != nil && i == len(days)-1 {
			seen, err := o.Evidence(ctx, project, l.Service, d)
			if err != nil {
				return nil, fmt.Errorf("calls of %s in project %s: %w", l.Service, project, err)
			}
			for _, s := range seen {
				x.Evidence.Add(s)
			}
		}
		out = append(out, x)
	}
	return out, nil
}
