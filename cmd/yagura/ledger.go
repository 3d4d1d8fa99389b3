package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/ledger/digest"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/pipeline"
)

func (p *program) ledger() *cobra.Command {
	var keys string
	var objects bool
	var by string
	c := &cobra.Command{
		Use: "ledger", Short: "Account for every record: totals, coverage, gaps, quarantine", Args: cobra.NoArgs,
		Long: `The ledger says what became of every record of every object. Stored, duplicate,
expired and quarantined add up to read. Gaps are hours in which a busy account
delivered nothing, log files that a digest vouches for and nobody read, and files
that differ from what a digest says.

An object is listed, partial (read up to a failure or a hole), growing (read to
its present end), complete, failed (nothing could be read), superseded (replaced
by a version that was read whole) or aside (no log, it only lies beside them).

--by format counts by the format that records were read as: objects, records, what
became of them, and why records are in quarantine, the most frequent reasons first.

Exit code 4: there are gaps, records in quarantine, or objects not read to their end.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if by != "" && by != "format" {
				return exit{exitUsage, fmt.Errorf("--by %s: there is only --by format", by)}
			}
			r, err := p.read(c.Context())
			if err != nil {
				return err
			}
			defer r.Close()
			if by != "" {
				return p.printFormats(c.Context(), r)
			}
			if objects {
				return p.printObjects(c.Context(), r)
			}
			report, err := p.report(c.Context(), r, keys, ledger.MakeReport)
			if err != nil {
				return err
			}
			return p.printReport(report)
		},
	}
	c.Flags().StringVar(&keys, "digest-keys", "", "a file with the answer of aws cloudtrail list-public-keys, to check the signatures of digests")
	c.Flags().BoolVar(&objects, "objects", false, "print the account of each object")
	c.Flags().StringVar(&by, "by", "", "count by this: format")
	c.MarkFlagsMutuallyExclusive("by", "objects")
	retry := &cobra.Command{
		Use: "retry", Short: "Try the records in quarantine again", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.retry(c.Context()) },
	}
	c.AddCommand(retry)
	return c
}

// report gathers the account as gather does; keys is a file of digest signing keys.
func (p *program) report(ctx context.Context, r *rooms, keys string, gather gatherer) (ledger.Report, error) {
	if keys == "" {
		keys = p.cfg.Ledger.DigestKeys
	}
	var public digest.PublicKeys
	if keys != "" {
		text, err := os.ReadFile(keys)
		if err != nil {
			return ledger.Report{}, err
		}
		if public, err = digest.ParseKeys(text); err != nil {
			return ledger.Report{}, fmt.Errorf("%s: %w", keys, err)
		}
	}
	return gather(ctx, r.ledger, public)
}

// gatherer is ledger.MakeReport, or MakeShortReport.
type gatherer = func(context.Context, ledger.Reader, digest.PublicKeys) (ledger.Report, error)

// reportRows is how many lines of coverage and of quarantine a table shows.
const reportRows = 20

func (p *program) printReport(r ledger.Report) error {
	var err error
	switch {
	case p.json():
		err = p.printJSON(r)
	case p.flags.format == "csv":
		err = p.flatReport(r)
	default:
		err = p.tableReport(r)
	}
	if err != nil {
		return err
	}
	return incomplete(r)
}

func (p *program) tableReport(r ledger.Report) error {
	t := r.Totals
	if err := p.printTable([]string{"objects", "read", "stored", "duplicate", "quarantined", "expired"},
		[][]string{{number(t.Objects), number(t.Read), number(t.Stored), number(t.Duplicate), number(t.Quarantined), number(t.Expired)}}); err != nil {
		return err
	}
	var coverage, gaps, quarantine, holes [][]string
	for _, c := range r.Coverage {
		coverage = append(coverage, []string{c.Account, c.Region, c.Day, number(c.Records)})
	}
	for _, g := range r.Gaps {
		gaps = append(gaps, []string{string(g.Kind), g.Account, g.Region, stamp(g.From), stamp(g.To), short(oneLine(g.Reason.String()), 200)})
	}
	for _, q := range r.Quarantine {
		quarantine = append(quarantine, []string{tail(q.Object, 60), fmt.Sprint(q.Position), oneLine(q.Reason.String())})
	}
	for _, o := range r.Incomplete {
		holes = append(holes, []string{tail(o.Name, 60), string(o.State), oneLine(o.Reason.String())})
	}
	err := errors.Join(
		p.part("Coverage", []string{"account", "region", "day", "records"}, coverage),
		p.part("Gaps", []string{"kind", "account", "region", "from", "to", "reason"}, gaps),
		p.part("Quarantine", []string{"object", "record", "reason"}, quarantine),
		p.part("Objects not read to their end", []string{"object", "state", "reason"}, holes),
	)
	if n := r.QuarantineSuperseded; err == nil && n > 0 {
		_, err = fmt.Fprintf(p.stdout, "\n%s of the quarantined are of files that were replaced by whole ones since.\n", number(n))
	}
	return err
}

// flatReport is the report as one CSV table, each row saying what it is.
func (p *program) flatReport(r ledger.Report) error {
	t := r.Totals
	row := func(what, account, region, from, to, object, record string, n int64, reason string) []string {
		return []string{what, account, region, from, to, object, record, p.count(n), reason}
	}
	var rows [][]string
	for what, n := range map[string]int64{"objects": t.Objects, "read": t.Read, "stored": t.Stored, "duplicate": t.Duplicate, "quarantined": t.Quarantined, "expired": t.Expired} {
		rows = append(rows, row("total:"+what, "", "", "", "", "", "", n, ""))
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	for _, c := range r.Coverage {
		rows = append(rows, row("coverage", c.Account, c.Region, c.Day, "", "", "", c.Records, ""))
	}
	for _, g := range r.Gaps {
		rows = append(rows, row("gap:"+string(g.Kind), g.Account, g.Region, p.when(g.From), p.when(g.To), "", "", 0, g.Reason.String()))
	}
	for _, q := range r.Quarantine {
		rows = append(rows, row("quarantine", "", "", "", "", q.Object, fmt.Sprint(q.Position), 1, q.Reason.String()))
	}
	for _, o := range r.Incomplete {
		rows = append(rows, row("incomplete:"+string(o.State), "", "", "", "", o.Name, "", o.Records, o.Reason.String()))
	}
	return p.printTable([]string{"what", "account", "region", "from", "to", "object", "record", "records", "reason"}, rows)
}

// tail keeps the end of an object's name, which tells it from its neighbours.
func tail(name string, most int) string {
	r := []rune(name)
	if len(r) <= most {
		return name
	}
	return "…" + string(r[len(r)-most+1:])
}

// part prints a titled table, cut to what a screen holds.
func (p *program) part(title string, head []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	left := 0
	if len(rows) > reportRows {
		rows, left = rows[:reportRows], len(rows)-reportRows
	}
	fmt.Fprintf(p.stdout, "\n%s\n", title)
	if err := p.printTable(head, rows); err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(p.stdout, "and %s more: --format json shows all\n", number(int64(left)))
	}
	return nil
}

// incomplete is the exit code of an account with holes.
func incomplete(r ledger.Report) error {
	if !r.Whole() {
		return exit{code: exitIncomplete}
	}
	return nil
}

func (p *program) printObjects(ctx context.Context, r *rooms) error {
	out := struct {
		Objects []ledger.Object `json:"objects"`
	}{Objects: []ledger.Object{}}
	var rows [][]string
	for o, err := range r.ledger.Objects(ctx, ledger.ObjectFilter{}) {
		if err != nil {
			return err
		}
		switch p.flags.format {
		case "json":
			out.Objects = append(out.Objects, o)
		case "jsonl":
			if err := p.printRow(o); err != nil {
				return err
			}
		default:
			rows = append(rows, p.objectRow(o))
		}
	}
	switch p.flags.format {
	case "json":
		return p.printJSON(out)
	case "jsonl":
		return nil
	}
	return p.printTable([]string{"object", "version", "state", "listed", "read", "records", "stored", "duplicate", "quarantined", "expired", "reason"}, rows)
}

func (p *program) objectRow(o ledger.Object) []string {
	return []string{o.Name, o.Version, string(o.State), p.when(o.Listed), p.when(o.Read), p.count(o.Records), p.count(o.Stored),
		p.count(o.Duplicate), p.count(o.Quarantined), p.count(o.Expired), oneLine(o.Reason.String())}
}

// retryBatch is how many records are tried in one batch.
const retryBatch = 1_000

// Retried is what `ledger retry` did.
type Retried struct {
	Tried       int64 `json:"tried"`
	Stored      int64 `json:"stored"`
	Duplicate   int64 `json:"duplicate"`
	Expired     int64 `json:"expired"`
	Quarantined int64 `json:"quarantined"` // still
	NotTried    int64 `json:"not_tried"`   // their bytes were not kept whole
}

func (p *program) retry(ctx context.Context) error {
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	pipe, err := p.pipe(ctx, r, pipeline.Options{Attempt: "retry " + p.now().UTC().Format(time.RFC3339Nano)}, nil)
	if err != nil {
		return err
	}
	before := pipe.Stats()
	var lost int64
	for b, err := range retries(ctx, r.ledger, p.formats, p.now(), &lost) {
		if err == nil {
			err = pipe.Deliver(ctx, b)
		}
		if err != nil {
			return err
		}
	}
	if err := r.lake.Merge(ctx); err != nil {
		return err
	}
	if err := p.correlate(ctx, r); err != nil {
		return err
	}
	s := pipe.Stats()
	done := Retried{
		Tried: s.Read - before.Read, Stored: s.Stored - before.Stored, Duplicate: s.Duplicate - before.Duplicate,
		Expired: s.Expired - before.Expired, Quarantined: s.Quarantined - before.Quarantined,
		NotTried: lost,
	}
	if p.json() {
		err = p.printJSON(done)
	} else {
		err = p.printTable([]string{"tried", "stored", "duplicate", "expired", "still quarantined", "not tried"},
			[][]string{{p.count(done.Tried), p.count(done.Stored), p.count(done.Duplicate), p.count(done.Expired), p.count(done.Quarantined), p.count(done.NotTried)}})
	}
	if err == nil && done.Quarantined+done.NotTried > 0 {
		return exit{code: exitIncomplete}
	}
	return err
}

// retries makes batches of what waits in quarantine, one span a record. Records
// whose bytes were not kept whole cannot be read again: lost counts them. The others count as
// received now, and a format that nobody reads here gives way to recognition.
func retries(ctx context.Context, l ledger.Reader, known normalise.Registry, now time.Time, lost *int64) iter.Seq2[event.Batch, error] {
	return func(yield func(event.Batch, error) bool) {
		var b event.Batch
		versions := map[string]string{} // a batch holds one version of an object
		for q, err := range l.Quarantine(ctx) {
			if err != nil {
				yield(event.Batch{}, err)
				return
			}
			if q.Superseded {
				continue // its file was replaced by a whole one
			}
			if q.BodyDropped || int64(len(q.Body)) < q.Size {
				*lost++
				continue
			}
			if v, ok := versions[q.Object]; len(b.Raws) == retryBatch || ok && v != q.Version {
				if !yield(b, nil) {
					return
				}
				b = event.Batch{}
				clear(versions)
			}
			versions[q.Object] = q.Version
			b.Spans = append(b.Spans, event.Span{Object: q.Object, Version: q.Version, First: q.Position, Records: 1})
			raw := event.Raw{Object: q.Object, Position: q.Position, Format: q.Format, Body: q.Body, Received: now.UTC().Truncate(time.Microsecond)}
			if !known.Has(raw.Format) {
				raw.Format = ""
			}
			b.Raws = append(b.Raws, raw)
		}
		if len(b.Raws) > 0 {
			yield(b, nil)
		}
	}
}

// firstGap is the sentence of the first gap in which nothing came.
func firstGap(gaps []ledger.Gap) string {
	for _, g := range gaps {
		if g.Kind == ledger.Silent {
			return safe(g.Reason.String())
		}
	}
	if len(gaps) > 0 {
		return safe(gaps[0].Reason.String())
	}
	return "none"
}
