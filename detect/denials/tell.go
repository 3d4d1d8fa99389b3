package denials

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/yagura-sec/yagura/detect/who"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// maxUIDs is how many events the first reason names.
const maxUIDs = 5

// occurrence is what is said of a cluster's hour.
func (l *look) occurrence(ctx context.Context, c *cluster, at time.Time, j judgement) (finding.Occurrence, error) {
	attempts, records := c.between(at, at.Add(hour))
	run, _ := c.between(at.Add(-back), at.Add(hour))
	o := finding.Occurrence{
		Hunter: Name, Since: at, Until: at.Add(hour), Count: int64(len(attempts)),
		FirstSeen: attempts[0].Time, LastSeen: attempts[len(attempts)-1].Time,
		Trouble: finding.Trouble{
			Key: finding.Key(Name, c.project, c.constraint, c.who), Kind: finding.KindAnomaly + "." + finding.SignDenials,
			Severity: finding.Medium, Confidence: 0.7, Account: c.project, Region: attempts[0].Region, Constraint: c.constraint,
			Anomaly: &finding.Anomaly{
				Sign: finding.SignDenials, Score: j.score, Days: j.known, Calls: int64(len(run)), Series: l.series(c, at, j.usual),
			},
		},
	}
	for i := range attempts {
		o.Evidence.Add(finding.Sighting{Time: attempts[i].Time, UID: attempts[i].UID})
	}
	a := around{look: l, c: c, run: run}
	if err := a.learn(ctx); err != nil {
		return o, err
	}
	o.Reasons = reasons(c, attempts, run, records, j)
	constraint := say.Plain(c.constraint)
	if c.named {
		o.Actor = c.who
		// Who is logged is not inferred, and what for is asked all the same.
		a.answer = who.Answer{Identities: []string{c.who}}
		o.Entitle(say.T("refused.title", say.Values{"who": c.who, "constraint": constraint, "project": c.project}))
	} else {
		o.Actor = from(&attempts[0].Event)
		o.Reasons = append(o.Reasons, nameless(&attempts[0].Event))
		o.Entitle(say.T("refused.title.masked", say.Values{"constraint": constraint, "project": c.project}))
		if err := a.infer(ctx, &o); err != nil {
			return o, err
		}
	}
	if err := a.explain(ctx, &o); err != nil {
		return o, err
	}
	o.Next = []string{shell.Command("yagura", "search", query.String(c.query(&attempts[0].Event)),
		"--since", run[0].Time.Truncate(time.Second).Format(time.RFC3339), "--until", o.LastSeen.Add(time.Second).Format(time.RFC3339))}
	return o, nil
}

// infer says who it probably was.
func (a *around) infer(ctx context.Context, o *finding.Occurrence) error {
	events := make([]event.Event, len(a.run))
	for i := range a.run {
		events[i] = a.run[i].Event
	}
	var err error
	if a.answer, err = a.h.who.Find(ctx, who.Run{
		Project: a.c.project, Attempts: events, Telling: a.h.intents.Telling(a.refused, a.agent()), Companions: a.known,
	}); err != nil {
		return err
	}
	i := a.answer.Inference
	o.Inferred = &i
	switch {
	case i.UID != "":
		o.Entitle(say.T("refused.title.inferred", say.Values{"who": i.UID, "constraint": a.c.constraint, "project": a.c.project}))
		o.Reasons = append(o.Reasons, finding.Reason{Kind: "inferred", Observed: say.Plain(i.UID),
			Text: say.T("refused.inferred", say.Values{"who": i.UID, "share": i.Probability, "why": evidence(i.Candidates[0], 3)})})
	case len(i.Candidates) > 0:
		some := make([]say.Text, len(i.Candidates))
		for k, x := range i.Candidates {
			some[k] = say.T("refused.candidate", say.Values{"who": x.UID, "share": x.Probability})
		}
		o.Reasons = append(o.Reasons, finding.Reason{Kind: "inferred",
			Text: say.T("refused.candidates", say.Values{"candidates": say.Each(some...), "none": i.None})})
	}
	return nil
}

// evidence is what speaks for a candidate most.
func evidence(c finding.Candidate, most int) []any {
	var out []say.Text
	for _, p := range c.Why {
		if p.Weight > 0 && len(out) < most {
			out = append(out, p.Text)
		}
	}
	return say.Each(out...)
}

// query finds the cluster's denials.
func (c *cluster) query(e *event.Event) query.Expr {
	x := []query.Expr{
		query.Eq{Field: "outcome", Value: string(event.DeniedByOrgPolicy)}, query.Eq{Field: "account_uid", Value: c.project},
		query.Eq{Field: "status_code", Value: c.constraint},
	}
	switch {
	case e.ActorUID != "":
		x = append(x, query.Eq{Field: "actor_uid", Value: e.ActorUID})
	case e.SrcIP != "":
		x = append(x, query.Eq{Field: "src_ip", Value: e.SrcIP})
	}
	return query.And{X: x}
}

// from is what a record tells of a caller that it does not name.
func from(e *event.Event) string { return cmp.Or(e.ActorUID, e.SrcIP) }

func nameless(e *event.Event) finding.Reason {
	if e.ActorUID != "" {
		return finding.Reason{Kind: "actor", Observed: say.Plain(e.ActorUID), Evidence: []event.UID{e.UID},
			Text: say.T("refused.agent", say.Values{"agent": e.ActorUID, "service": cmp.Or(e.ActorInvokedBy, e.ActorUID)})}
	}
	at := say.Plain(cmp.Or(e.SrcIP, e.SrcHost))
	if at.String() == "" {
		at = say.T("refused.nowhere", nil)
	}
	return finding.Reason{Kind: "actor", Observed: at, Evidence: []event.UID{e.UID}, Text: say.T("refused.actor", say.Values{"from": at})}
}

// reasons are what the judgement rests on.
func reasons(c *cluster, attempts, run []denial, records int, j judgement) []finding.Reason {
	var retries, more say.Text
	if records > len(attempts) {
		retries = say.T("refused.retries", say.Values{"n": records})
	}
	if len(run) > len(attempts) {
		more = say.T("refused.more", say.Values{"n": len(run), "since": run[0].Time})
	}
	usual := say.T("refused.never", say.Values{"days": j.known})
	switch {
	case j.known == 0:
		usual = say.T("refused.none", nil)
	case j.usual.DaysWith > 0:
		usual = say.T("refused.some", say.Values{"days": j.known, "n": j.usual.DaysWith, "most": j.usual.Highest})
	}
	first := finding.Reason{
		Kind: "denials", Observed: say.Plain(strconv.Itoa(len(attempts))), Expected: say.T("range", say.Values{"low": 0, "high": j.usual.High()}),
		Text: say.T("refused.sentence", say.Values{
			"n": len(attempts), "calls": say.List(operations(attempts), 3), "project": c.project, "constraint": c.constraint,
			"since": attempts[0].Time, "until": attempts[len(attempts)-1].Time, "retries": retries, "more": more, "usual": usual,
		}),
	}
	for _, d := range attempts[:min(len(attempts), maxUIDs)] {
		first.Evidence = append(first.Evidence, d.UID)
	}
	out := []finding.Reason{first}
	if j.fresh && j.known > 0 { // else the sentence has said that nothing is known
		out = append(out, finding.Reason{Kind: "fresh", Text: say.T("refused.fresh", say.Values{"constraint": c.constraint, "project": c.project})})
	}
	if j.days >= leastDays {
		out = append(out, finding.Reason{Kind: "slow", Observed: say.Plain(strconv.Itoa(j.days)), Text: say.T("refused.slow", say.Values{"n": j.days, "days": slowDays})})
	}
	chance := say.T("refused.chance", say.Values{"score": min(j.score, 15)})
	if j.slow {
		chance = say.T("refused.rare", say.Values{"score": min(j.score, 15), "days": slowDays})
	}
	return append(out, finding.Reason{Kind: "chance", Text: chance})
}

// operations are what was tried, each once.
func operations(attempts []denial) []string {
	var out []string
	for i := range attempts {
		if op := attempts[i].APIOperation; !slices.Contains(out, op) {
			out = append(out, op)
		}
	}
	return out
}
