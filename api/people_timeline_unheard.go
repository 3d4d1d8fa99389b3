package api

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event/trail"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// habitDays is how far before and after the time asked for it is looked how busy a
// log usually is.
const habitDays = 7

// unheard makes the lanes, with where each one's log says nothing.
func (f *following) unheard(ctx context.Context, lanes []trail.Lane) error {
	if who(ctx).Limited() {
		f.Notes = append(f.Notes, say.T("trail.limited", nil))
	}
	all, err := f.hours(ctx, nil)
	if err != nil {
		return err
	}
	for _, kind := range []trail.Kind{trail.Identity, trail.Proxy, trail.Device} {
		if !slices.ContainsFunc(lanes, func(l trail.Lane) bool { return l.Kind == kind }) {
			lanes = append(lanes, trail.Lane{ID: string(kind), Kind: kind})
		}
	}
	trail.Sort(lanes)
	for _, l := range lanes {
		gaps, heard, err := f.gaps(ctx, l, all)
		if err != nil {
			return err
		}
		empty := l.ID == string(l.Kind)
		if empty && !heard {
			f.Notes = append(f.Notes, say.T("trail.deaf", say.Values{"kind": logOf(l)}))
		}
		if !empty || heard && len(gaps) > 0 {
			f.Lanes = append(f.Lanes, PersonLane{l, list(gaps)})
		}
	}
	return nil
}

// logOf is what a lane's log is called.
func logOf(l trail.Lane) say.Text {
	if l.Kind == trail.Cloud {
		return say.Plain(l.Name)
	}
	return say.T("trail.log."+string(l.Kind), nil)
}

// hourly is how many records came in each hour that something is known of.
type hourly struct {
	hours       map[int64]int64 // records by hour since 1970
	first, last int64           // hours with records; last < first: there are none
}

// hours counts the records that where chooses around the time asked for; nil: this
// server cannot count, or only knows a sample.
func (f *following) hours(ctx context.Context, where query.Expr) (*hourly, error) {
	if f.rooms.Console.Histogram == nil {
		return nil, nil
	}
	since := f.Since.Truncate(time.Hour).AddDate(0, 0, -habitDays)
	until := f.Until.AddDate(0, 0, habitDays).Truncate(time.Hour).Add(time.Hour)
	n := int(until.Sub(since) / time.Hour)
	h, err := f.rooms.Console.Histogram(ctx, query.Query{Where: where, Since: since, Until: until}, n)
	if err != nil || h.Width != int64(time.Hour/time.Second) || h.Sampled {
		return nil, err
	}
	return countHours(h), nil
}

func countHours(h lake.Histogram) *hourly {
	out := &hourly{hours: map[int64]int64{}, first: 1}
	for _, b := range h.Buckets {
		at := b.Time.Unix() / 3600
		if b.Count == 0 {
			continue
		}
		if len(out.hours) == 0 {
			out.first = at
		}
		out.hours[at], out.last = b.Count, at
	}
	return out
}

// gaps are the stretches of the time asked for of which a lane's log says nothing:
// before the first and behind the last record of all logs, where it is silent
// although it is busy at such hours (ledger.Silences), and where digests miss
// something. Heard: the log has records in the weeks around.
func (f *following) gaps(ctx context.Context, l trail.Lane, all *hourly) (out []PersonGap, any bool, err error) {
	own, err := f.hours(ctx, l.Log())
	if err != nil {
		return nil, false, err
	}
	if own == nil || all == nil {
		out, err = f.known(ctx, l)
		return out, true, err
	}
	if begin := hourAt(all.first); len(all.hours) > 0 && begin.After(f.Since) {
		out = append(out, PersonGap{f.Since, earlier(begin, f.Until), say.T("trail.begins", say.Values{"kind": logOf(l), "at": begin})})
	}
	silences, err := ledger.Silences(own.coverage(all))
	if err != nil {
		return nil, false, err
	}
	for _, g := range silences {
		if g.From.Before(f.Until) && g.To.After(f.Since) {
			out = append(out, PersonGap{g.From, g.To, say.T("trail.silent", say.Values{"kind": logOf(l), "from": g.From, "to": g.To})})
		}
	}
	if end := hourAt(all.last + 1); len(all.hours) > 0 && end.Before(f.Until) {
		out = append(out, PersonGap{later(end, f.Since), f.Until, say.T("trail.ends", say.Values{"kind": logOf(l), "at": end})})
	}
	digests, err := f.known(ctx, l)
	return append(out, digests...), len(own.hours) > 0, err
}

// known are the gaps that the ledger knows of a cloud's lane.
func (f *following) known(ctx context.Context, l trail.Lane) (out []PersonGap, err error) {
	if l.Kind != trail.Cloud {
		return nil, nil
	}
	gaps, err := f.rooms.gapsOf(ctx, f.Since, f.Until, func(account string) bool { return account == l.Name })
	for _, g := range gaps {
		out = append(out, PersonGap{g.From, g.To, g.Reason})
	}
	return out, err
}

// coverage is what Silences judges. It judges no hours before the first and behind
// the last record, which a log that was never heard again has; so the log is given a
// busy hour beside the ends of all logs.
func (h *hourly) coverage(all *hourly) iter.Seq2[ledger.Coverage, error] {
	return func(yield func(ledger.Coverage, error) bool) {
		if len(h.hours) == 0 {
			return
		}
		var busiest int64
		for _, n := range h.hours {
			busiest = max(busiest, n)
		}
		for at := all.first - 1; at <= all.last+1; at++ {
			n := h.hours[at]
			if at < all.first || at > all.last {
				n = busiest
			}
			if n > 0 && !yield(ledger.Coverage{Hour: hourAt(at), Records: n}, nil) {
				return
			}
		}
	}
}

func hourAt(h int64) time.Time { return time.Unix(h*3600, 0).UTC() }
