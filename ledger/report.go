package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/yagura-sec/yagura/ledger/digest"
)

// Report is the whole account, as `ledger --format json` and the API give it.
type Report struct {
	Totals     Totals       `json:"totals"`
	Coverage   []DayRecords `json:"coverage"`
	Gaps       []Gap        `json:"gaps"`
	Quarantine []Held       `json:"quarantine"`
	Incomplete []Object     `json:"incomplete"` // objects not read to their end
}

// DayRecords counts stored events of an account and region on a UTC day.
type DayRecords struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Day     string `json:"day"` // 2026-11-21
	Records int64  `json:"records"`
}

// Held is a record in quarantine, without its body.
type Held struct {
	Object   string `json:"object"`
	Position int64  `json:"position"`
	Reason   string `json:"reason"`
}

// MakeReport gathers the account. Digests' signatures are checked with keys,
// where there are any.
func MakeReport(ctx context.Context, r Reader, keys digest.PublicKeys) (Report, error) {
	out := Report{Coverage: []DayRecords{}, Gaps: []Gap{}, Quarantine: []Held{}, Incomplete: []Object{}}
	var err error
	if out.Totals, err = r.Totals(ctx); err != nil {
		return out, err
	}
	hours, err := collect(r.Coverage(ctx, time.Time{}, time.Time{}))
	if err != nil {
		return out, err
	}
	out.Coverage = days(hours)
	silent, err := Silences(r.Coverage(ctx, time.Time{}, time.Time{}))
	if err != nil {
		return out, err
	}
	out.Gaps = append(out.Gaps, silent...)
	broken, err := digestGaps(ctx, r, keys)
	if err != nil {
		return out, err
	}
	out.Gaps = append(out.Gaps, broken...)
	for q, err := range r.Quarantine(ctx) {
		if err != nil {
			return out, err
		}
		out.Quarantine = append(out.Quarantine, Held{q.Object, q.Position, q.Reason})
	}
	failed, err := collect(r.Objects(ctx, ObjectFilter{States: []State{Partial, Failed}}))
	out.Incomplete = append(out.Incomplete, failed...)
	return out, err
}

func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// days sums hours, which come in the order of account, region and hour.
func days(hours []Coverage) []DayRecords {
	out := []DayRecords{}
	for _, h := range hours {
		d := DayRecords{h.Account, h.Region, h.Hour.UTC().Format(time.DateOnly), h.Records}
		if last := len(out) - 1; last >= 0 && out[last].Account == d.Account && out[last].Region == d.Region && out[last].Day == d.Day {
			out[last].Records += d.Records
			continue
		}
		out = append(out, d)
	}
	return out
}

// digestGaps checks the digests that were read against the objects that were.
func digestGaps(ctx context.Context, r Reader, keys digest.PublicKeys) ([]Gap, error) {
	digests, err := collect(r.Digests(ctx))
	if err != nil || len(digests) == 0 {
		return nil, err
	}
	var files digest.Files
	for o, err := range r.Objects(ctx, ObjectFilter{}) {
		if err != nil {
			return nil, err
		}
		if o.State != Waiting && o.State != Failed {
			files.Add(o.Name, o.SHA256)
		}
	}
	var gaps []Gap
	for _, p := range digest.Verify(digests, files.SHA256Of, keys) {
		gaps = append(gaps, Gap{Kind: GapKind(p.Kind), Account: p.Account, Region: p.Region, From: p.From, To: p.To, Reason: p.Reason})
	}
	return gaps, nil
}
