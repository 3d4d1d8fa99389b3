package ledger

import (
	"regexp"

	"github.com/yagura-sec/yagura/say"
)

// place is a cell of the matrix.
type place struct{ account, day string }

// flaw is what a cell lacks although its objects are there.
type flaw struct {
	objects, records int64
	first            say.Text // why, of the first that was found
}

// Names of objects tell days as folders (2026/03/01, 2026-03-01) or as times of
// CloudTrail's (20260301T0005Z).
var (
	dayInName = regexp.MustCompile(`(?:^|[^0-9])(20[0-9]{2})[-/]?(0[1-9]|1[0-2])[-/]?(0[1-9]|[12][0-9]|3[01])(?:[^0-9]|$)`)
	nameParts = regexp.MustCompile(`[/\\_=.:]+`)
)

// placeOf is the account and day that the name of an object tells of; account is
// empty where it tells of none that is known.
func placeOf(name string, known func(account string) bool) (p place) {
	if m := dayInName.FindStringSubmatch(name); m != nil {
		p.day = m[1] + "-" + m[2] + "-" + m[3]
	}
	for _, part := range nameParts.Split(name, -1) {
		if known(part) {
			p.account = part
			break
		}
	}
	return p
}

// flaws gathers what was not read, or waits in quarantine, by cell. Unplaced is
// how much belongs to none that is known; what a short report left out with it.
func (r *Report) flaws(known func(account string) bool) (by map[place]*flaw, unplaced int64) {
	by = map[place]*flaw{}
	at := func(name string) *flaw {
		p := placeOf(name, known)
		if p.account == "" || p.day == "" {
			unplaced++
			return nil
		}
		if by[p] == nil {
			by[p] = &flaw{}
		}
		return by[p]
	}
	for _, o := range r.Incomplete {
		if f := at(o.Name); f != nil {
			if f.objects++; f.first == (say.Text{}) {
				f.first = o.Reason
			}
		}
	}
	for _, h := range r.Quarantine {
		if f := at(h.Object); f != nil {
			if f.records++; f.first == (say.Text{}) {
				f.first = h.Reason
			}
		}
	}
	return by, unplaced + r.IncompleteMore + r.QuarantineMore
}

// flaws takes account of what was not read of the day. Nothing that may still come
// makes up for it, so that a late day is partial too.
func (c *Cell) flaws(f *flaw) {
	if f == nil {
		return
	}
	values := say.Values{"objects": f.objects, "records": f.records, "first": "", "before": ""}
	if f.first != (say.Text{}) {
		values["first"] = say.T("day.first", say.Values{"reason": f.first})
	}
	if c.Reason != (say.Text{}) {
		values["before"] = say.T("day.besides", say.Values{"reason": c.Reason})
	}
	c.State = DayPartial
	switch {
	case f.records == 0:
		c.Reason = say.T("day.unread", say.Values{"n": f.objects, "first": values["first"], "before": values["before"]})
	case f.objects == 0:
		c.Reason = say.T("day.held", say.Values{"n": f.records, "first": values["first"], "before": values["before"]})
	default:
		c.Reason = say.T("day.flaws", values)
	}
}
