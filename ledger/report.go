package ledger

import (
	"context"
	"iter"
	"math"
	"time"

	"github.com/yagura-sec/yagura/ledger/digest"
	"github.com/yagura-sec/yagura/say"
)

// Report is the whole account, as `ledger --format json` and the API give it.
//
// Every record in quarantine is counted once more: Totals.Quarantined =
// len(Quarantine) + QuarantineMore + QuarantineSuperseded.
type Report struct {
	Totals     Totals       `json:"totals"`
	Coverage   []DayRecords `json:"coverage"`
	Gaps       []Gap        `json:"gaps"`
	Quarantine []Held       `json:"quarantine"` // what waits there, oldest first
	// QuarantineMore wait there too, and were left out of a short report.
	QuarantineMore int64 `json:"quarantine_more"`
	// QuarantineSuperseded were rejected of versions that are Superseded: nobody
	// needs to look at them.
	QuarantineSuperseded int64    `json:"quarantine_superseded"`
	Incomplete           []Object `json:"incomplete"`      // objects not read to their end
	IncompleteMore       int64    `json:"incomplete_more"` // left out of a short report
}

// Whole tells whether nothing is missing: no gap, nothing in quarantine that
// waits, no object that was not read to its end.
func (r *Report) Whole() bool {
	return len(r.Gaps) == 0 && len(r.Quarantine) == 0 && r.QuarantineMore == 0 && len(r.Incomplete) == 0 && r.IncompleteMore == 0
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
	Object   string   `json:"object"`
	Position int64    `json:"position"`
	Reason   say.Text `json:"reason"`
}

// ShortRows is how many rows a short report lists: enough to see what is wrong.
const ShortRows = 1_000

// MakeReport gathers the account. Digests' signatures are checked with keys,
// where there are any.
func MakeReport(ctx context.Context, r Reader, keys digest.PublicKeys) (Report, error) {
	return makeReport(ctx, r, keys, math.MaxInt)
}

// MakeShortReport is MakeReport with no more than ShortRows records of the
// quarantine and objects that are incomplete, and the count of the others.
func MakeShortReport(ctx context.Context, r Reader, keys digest.PublicKeys) (Report, error) {
	return makeReport(ctx, r, keys, ShortRows)
}

func makeReport(ctx context.Context, r Reader, keys digest.PublicKeys, rows int) (Report, error) {
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
	if err := out.quarantine(ctx, r, rows); err != nil {
		return out, err
	}
	for o, err := range r.Objects(ctx, ObjectFilter{States: []State{Partial, Failed}}) {
		if err != nil {
			return out, err
		}
		if len(out.Incomplete) == rows {
			out.IncompleteMore++
			continue
		}
		out.Incomplete = append(out.Incomplete, o)
	}
	return out, nil
}

// quarantine lists so many records that wait. The others it does not read:
// their bodies may fill a GiB.
func (out *Report) quarantine(ctx context.Context, r Reader, rows int) error {
	for o, err := range r.Objects(ctx, ObjectFilter{States: []State{Superseded}}) {
		if err != nil {
			return err
		}
		out.QuarantineSuperseded += o.Quarantined
	}
	for q, err := range r.Quarantine(ctx) {
		if err != nil {
			return err
		}
		if q.Superseded {
			continue
		}
		if len(out.Quarantine) == rows { // at least this one, whatever was settled since the totals
			out.QuarantineMore = max(1, out.Totals.Quarantined-out.QuarantineSuperseded-int64(rows))
			break
		}
		out.Quarantine = append(out.Quarantine, Held{q.Object, q.Position, say.Again("held.", q.Reason)})
	}
	return nil
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
		if o.State != Waiting && o.State != Failed && o.State != Superseded {
			files.Add(o.Name, o.SHA256)
		}
	}
	var gaps []Gap
	for _, p := range digest.Verify(digests, files.SHA256Of, keys) {
		gaps = append(gaps, Gap{Kind: GapKind(p.Kind), Account: p.Account, Region: p.Region, From: p.From, To: p.To, Reason: p.Reason})
	}
	return gaps, nil
}
