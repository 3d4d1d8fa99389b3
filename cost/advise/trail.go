package advise

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/say"
)

// Usage types of CloudTrail: copies of management events beyond the first, and data
// events.
const (
	usageCopies = "PaidEventsRecorded"
	usageData   = "DataEventsRecorded"
)

// trails finds what is paid for further copies of management events: the first copy
// in a region is free, so that whoever pays for one has two.
func (j *judge) trails() (out []cost.Advice) {
	paid := j.of(serviceTrail, func(s *cost.Sum) string {
		if !charges(s, usageCopies) {
			return ""
		}
		return s.Account + "/" + s.Region
	})
	for _, k := range inOrder(paid) {
		account, region, _ := strings.Cut(k, "/")
		b := paid[k]
		a := b.advice(cost.AboutTrail, account, region, "AWS::CloudTrail::Trail", account, region)
		a.Sources = []cost.Source{sourceTrails}
		said := []say.Text{say.T("advice.trail", say.Values{"amount": say.Money(b.amount, b.currency), "month": cost.MonthText(b.month), "region": region})}
		kept, extra := j.copies(account, region)
		known := len(kept)+len(extra) > 0
		switch {
		case !known:
			unsure(&a)
			said = append(said, say.T("advice.trail.unknown", say.Values{"command": "aws cloudtrail describe-trails"}))
		case len(extra) == 0 || len(kept) == 0:
			unsure(&a)
			said = append(said, say.T("advice.trail.none", say.Values{"trails": names(append(kept, extra...))}))
		default:
			a.Verdict = cost.Change
			said = append(said, say.T("advice.trail.extra", say.Values{"kept": names(kept), "extra": names(extra)}))
			a.Lost = say.T("advice.trail.lost", say.Values{"extra": names(extra)})
			for _, t := range extra {
				plan, undo, ok := j.quiet(t, false)
				if !ok {
					said = append(said, say.T("advice.selectors.unknown", say.Values{"name": t.Name}))
				}
				a.Plan, a.Undo = append(a.Plan, plan...), append(a.Undo, undo...)
			}
		}
		a.Confidence = doubts{basis: a.Basis, unknown: !known}.confidence()
		a.Reason = joined(said)
		out = append(out, a)
	}
	return out
}

func names(trails []count.Trail) []any {
	var all []string
	for _, t := range trails {
		all = append(all, t.Name)
	}
	return say.List(all, namesMost)
}

// copies are the trails that deliver management events of a region of an account:
// those to keep, which are the organisation's or Control Tower's, or else the first,
// and the account's own that deliver them again.
func (j *judge) copies(account, region string) (kept, extra []count.Trail) {
	seen := map[string]bool{}
	for _, t := range j.Setup.Trails {
		if t.Account != account || seen[t.ARN] || !t.MultiRegion && t.Home != region || !j.delivers(t.ARN) {
			continue
		}
		seen[t.ARN] = true
		if t.Organisation || strings.HasPrefix(t.Name, towerPrefix) || t.Owner() != account {
			kept = append(kept, t)
		} else {
			extra = append(extra, t)
		}
	}
	if len(kept) == 0 && len(extra) > 1 {
		kept, extra = extra[:1], extra[1:]
	}
	return kept, extra
}

// delivers tells whether a trail has management events: as every trail does that was
// not told otherwise.
func (j *judge) delivers(arn string) bool {
	i := j.selectorsOf(arn)
	return i < 0 || j.Setup.Selectors[i].Management
}

// selectorsOf is where the setup has what a trail records; -1: it is not known.
func (j *judge) selectorsOf(arn string) int {
	return slices.IndexFunc(j.Setup.Selectors, func(s count.Selectors) bool { return s.ARN == arn })
}

// quiet stops a trail's management events, or its data events, and starts them again
// as they were described. False: that is not known, or it would leave a trail with
// nothing to record.
func (j *judge) quiet(t count.Trail, data bool) (plan, undo []string, ok bool) {
	i := j.selectorsOf(t.ARN)
	if i < 0 {
		return nil, nil, false
	}
	s := &j.Setup.Selectors[i]
	if !data && !s.Data { // nothing is left
		return []string{shell.Command("aws", "cloudtrail", "stop-logging", "--region", t.Home, "--name", t.ARN)},
			[]string{shell.Command("aws", "cloudtrail", "start-logging", "--region", t.Home, "--name", t.ARN)}, true
	}
	put := func(flag, value string) []string {
		return []string{shell.Command("aws", "cloudtrail", "put-event-selectors", "--region", t.Home, "--trail-name", t.ARN, flag, value)}
	}
	flag, was, without := "--event-selectors", s.Described.Plain, withoutPlain
	if len(s.Described.Advanced) > 0 {
		flag, was, without = "--advanced-event-selectors", s.Described.Advanced, withoutAdvanced
	}
	left, ok := without(was, data)
	if !ok {
		return nil, nil, false
	}
	return put(flag, left), put(flag, oneLine(was)), true
}
