package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/bill"
	"github.com/yagura-sec/yagura/cost/count"
	costsqlite "github.com/yagura-sec/yagura/cost/sqlite"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
)

func (p *program) costImport() *cobra.Command {
	return &cobra.Command{
		Use: "import PATH...", Short: "Read bills, counts and settings that advice rests on",
		Long: `Import reads files and folders (- is standard input) and tells by their content what
they are: bills of AWS (both Cost and Usage Reports), Google, Azure and Oracle, FOCUS
of any provider, as CSV, JSON or Parquet, plain or .gz; counts of configuration items;
answers of describe and list commands. Other files are named and left alone. The
manifests of AWS's reports say which files a delivery has and which is the latest.

The same rows count once, however often they are read and in however many copies. A
file that has changed takes the place of what it said before, and a newer delivery of
a report that of the older one. A row that cannot be read is told of, with its line,
column and reason, and kept apart; all others count, and cost shares says what is
missing. Serve may run beside it.

Exit code 4: rows were kept apart, files could not be read, or files that a manifest
names are missing.`,
		Example: "  yagura cost import ./bills ./counts\n  aws cloudtrail describe-trails | yagura cost import -",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			r, err := p.recording(c.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			done, err := p.importCosts(c.Context(), r, args)
			if err != nil {
				return err
			}
			if err := p.printCostImported(done); err != nil {
				return err
			}
			if done.Quarantined > 0 || len(done.Failures) > 0 || len(done.Missing) > 0 {
				return exit{code: exitIncomplete}
			}
			return nil
		},
	}
}

// recording opens the data directory to add to what people and bills say: beside a
// writer where there is one, and anew where there is nothing yet.
func (p *program) recording(ctx context.Context) (*rooms, error) {
	if there(filepath.Join(p.dir, "lake.db")) {
		return p.existing(ctx, deciding)
	}
	return p.write(ctx)
}

// costs opens what is kept of bills, counts and facts. Where nothing was imported yet
// into a directory that is only read the error says so.
func (r *rooms) costs(ctx context.Context) (cost.Store, error) {
	s, err := costsqlite.On(ctx, r.state)
	if errors.Is(err, sqlitedb.ErrEmpty) {
		return nil, errNoBills
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

var errNoBills = errors.New("no bills were imported yet: `yagura cost import PATH` reads them")

// CostImported is what one run did: the JSON of `cost import`. Rows are stored,
// duplicates or quarantined.
type CostImported struct {
	Files       int64 `json:"files"` // that were looked at
	Rows        int64 `json:"rows"`  // of bills, counts and facts that could be read to their end
	Stored      int64 `json:"stored"`
	Duplicates  int64 `json:"duplicates"` // of files that are held already: the same, in another form, or newer
	Quarantined int64 `json:"quarantined"`

	Held     []CostFile    `json:"held"`     // files that were taken
	Skipped  []Failure     `json:"skipped"`  // files that were not, for a reason
	Refused  []CostRefused `json:"refused"`  // the first of the quarantined
	Failures []Failure     `json:"failures"` // files that are damaged, or could not be read
	Missing  []CostAbsent  `json:"missing"`  // of manifests that name files which are not held
	// Double are days that a query over AWS Config's history and its objects have
	// counted both: the query is taken.
	Double []CostDouble `json:"double"`
}

// CostDouble is days of a resource type that were counted in two ways.
type CostDouble struct {
	Account      string `json:"account"`
	Region       string `json:"region"`
	ResourceType string `json:"resource_type"`
	Since        string `json:"since"`
	Until        string `json:"until"` // the last day
	Taken        string `json:"taken"` // query
}

// CostAbsent is what is missing of a delivery whose manifest was read.
type CostAbsent struct {
	Manifest string   `json:"manifest"`
	Month    string   `json:"month"`
	Files    []string `json:"files"` // their names without endings
}

// CostFile is a file that is held.
type CostFile struct {
	File        string    `json:"file"`
	Holds       string    `json:"holds"` // bill, counts, facts or manifest
	Form        string    `json:"form"`
	Months      []string  `json:"months"` // of a bill
	Rows        int64     `json:"rows"`
	Quarantined int64     `json:"quarantined"`
	Imported    time.Time `json:"imported"`
	Replaces    []string  `json:"replaces"` // files whose place it took
	// Beside are files of other reports that share a bill with it: where they are not
	// parts of one, it counts twice.
	Beside []string `json:"beside"`
}

// CostRefused is a row that was kept apart.
type CostRefused struct {
	File   string `json:"file"`
	Row    int64  `json:"row"`
	Column string `json:"column"`
	Reason string `json:"reason"`
	Text   string `json:"text"` // the beginning of it
}

// costRun is one run of an import.
type costRun struct {
	*program
	store cost.Store
	at    time.Time
	done  CostImported
	known map[string]string // fingerprints of counts and facts, and who has them
	docs  []count.Document  // counts, which are joined at the end

	queried   map[string][]cost.Cover // what queries counted before, by the name of their file
	manifests bill.Manifests          // of all paths, read before the bills that they are about
}

// importCosts reads all files of the paths. The error is of what keeps them; what is
// wrong with a file is told in the answer, and costs no other.
func (p *program) importCosts(ctx context.Context, r *rooms, paths []string) (CostImported, error) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(ingestMemory))
	store, err := r.costs(ctx)
	if err != nil {
		return CostImported{}, err
	}
	in := &costRun{
		program: p, store: store, at: p.clock().UTC().Truncate(time.Microsecond), known: map[string]string{}, queried: map[string][]cost.Cover{},
		done: CostImported{Held: []CostFile{}, Skipped: []Failure{}, Refused: []CostRefused{}, Failures: []Failure{}, Missing: []CostAbsent{}, Double: []CostDouble{}},
	}
	held, err := store.Files(ctx)
	if err != nil {
		return in.done, err
	}
	for _, f := range held {
		if f.Holds != cost.HoldsBill {
			in.known[f.Holds+f.Fingerprint] = f.Name
			in.queried[f.Name] = append(in.queried[f.Name], f.Covers...)
		}
	}
	in.findManifests(ctx, paths)
	for _, path := range paths {
		if err := in.path(ctx, path); err != nil {
			return in.done, err
		}
	}
	return in.done, errors.Join(in.join(ctx), in.missing(ctx))
}

// path reads a file, or all files of a folder in the order of their names.
func (in *costRun) path(ctx context.Context, path string) error {
	if path == "-" {
		return in.input(ctx)
	}
	path, err := filepath.Abs(path) // which names have in all that is told
	if err != nil {
		return err
	}
	return filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			in.fail(path, err)
			return nil
		case d.IsDir():
			return nil
		}
		if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() { // a link may lead anywhere
			in.skip(path, "it is no file")
			return nil
		}
		return in.file(ctx, path)
	})
}

// fail tells of a file that cannot be read; the path stands beside the reason.
func (in *costRun) fail(name string, why error) {
	var path *fs.PathError
	if errors.As(why, &path) {
		why = path.Err
	}
	in.done.Failures = append(in.done.Failures, Failure{name, why.Error()})
}

func (in *costRun) skip(name, why string) {
	in.done.Skipped = append(in.done.Skipped, Failure{name, why})
}

// input reads standard input through a file: what is no bill is read a second time.
func (in *costRun) input(ctx context.Context) (err error) {
	f, err := os.CreateTemp("", "yagura-cost-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := io.Copy(f, in.stdin); err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return in.read(ctx, "-", f, in.at)
}

func (in *costRun) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		in.fail(name, err)
		return nil
	}
	defer f.Close() // nothing was written
	st, err := f.Stat()
	if err != nil {
		in.fail(name, err)
		return nil
	}
	return in.read(ctx, name, f, st.ModTime())
}

// read takes a bill, counts or facts.
func (in *costRun) read(ctx context.Context, name string, f *os.File, written time.Time) error {
	in.done.Files++
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err := in.bill(ctx, name, f, written)
	if !errors.Is(err, bill.ErrNotBill) {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	m, wrong := bill.ReadManifest(name, f, written)
	switch {
	case wrong == nil:
		return in.manifest(ctx, m)
	case !errors.Is(wrong, bill.ErrNotBill):
		in.fail(name, wrong)
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	doc, wrong := count.Read(name, f, in.at)
	switch {
	case errors.Is(wrong, count.ErrForeign):
		in.skip(name, fmt.Sprintf("%v, and %v", err, wrong))
	case wrong != nil:
		in.fail(name, wrong)
	default:
		return in.document(ctx, doc)
	}
	return nil
}

// costDraft is a bill that is being taken; it begins with the first lines.
type costDraft struct {
	cost.Draft
	store cost.Store
	err   error // of the store, not of the file
}

func (d *costDraft) begin(ctx context.Context) error {
	if d.Draft == nil && d.err == nil {
		d.Draft, d.err = d.store.Begin(ctx)
	}
	return d.err
}

func (d *costDraft) add(ctx context.Context, lines []cost.Line) error {
	if d.begin(ctx) == nil {
		d.err = d.Add(ctx, lines)
	}
	return d.err
}

// bill takes a bill; the error is bill.ErrNotBill where it is none.
func (in *costRun) bill(ctx context.Context, name string, from io.Reader, written time.Time) (err error) {
	d := &costDraft{store: in.store}
	defer func() {
		if d.Draft != nil { // behind a commit it does nothing
			err = errors.Join(err, d.Discard(context.WithoutCancel(ctx)))
		}
	}()
	f, err := bill.Read(ctx, from, d.add)
	switch {
	case d.err != nil:
		return d.err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, bill.ErrNotBill):
		return err
	case err != nil:
		in.fail(name, err)
		return nil
	}
	bill.Place(&f, name, written)
	in.manifests.Place(&f)
	f.Imported = in.at
	if err := d.begin(ctx); err != nil { // all rows were refused
		return err
	}
	settled, err := d.Commit(ctx, f)
	if err != nil {
		return err
	}
	in.done.Rows += f.Rows
	if settled.Outcome != cost.Stored {
		in.done.Duplicates += f.Rows
		in.skip(name, settled.Reason)
		return nil
	}
	in.take(f, settled)
	return nil
}

// take counts a file that is held now.
func (in *costRun) take(f cost.File, settled cost.Settled) {
	in.done.Stored += f.Rows - f.Refused
	in.done.Quarantined += f.Refused
	in.done.Held = append(in.done.Held, costFile(f, settled))
	in.done.Refused = append(in.done.Refused, costRefused(f)...)
}

func costFile(f cost.File, settled cost.Settled) CostFile {
	out := CostFile{File: f.Name, Holds: f.Holds, Form: f.Form, Months: []string{}, Rows: f.Rows, Quarantined: f.Refused, Imported: f.Imported,
		Replaces: append([]string{}, settled.Replaced...), Beside: append([]string{}, settled.Beside...)}
	for _, b := range f.Bills {
		if m := cost.MonthText(b.Month); !slices.Contains(out.Months, m) {
			out.Months = append(out.Months, m)
		}
	}
	return out
}

// document takes counts or facts.
func (in *costRun) document(ctx context.Context, doc count.Document) error {
	doc.File.Imported = in.at
	f := doc.File
	in.done.Rows += f.Rows
	if other, known := in.known[f.Holds+f.Fingerprint]; known {
		in.done.Duplicates += f.Rows
		in.skip(f.Name, "the same was imported from "+other)
		return nil
	}
	in.known[f.Holds+f.Fingerprint] = f.Name
	in.take(f, cost.Settled{})
	if f.Holds == cost.HoldsCounts {
		in.docs = append(in.docs, doc)
		return nil
	}
	if err := in.store.TakeFacts(ctx, doc.Facts); err != nil {
		return err
	}
	return in.store.Note(ctx, f)
}

// join takes the counts of all documents, of which several may be of one day.
func (in *costRun) join(ctx context.Context) error {
	if len(in.docs) == 0 {
		return nil
	}
	held, err := in.store.Counts(ctx, cost.CountFilter{})
	if err != nil {
		return err
	}
	counts, double := count.Join(held, slices.Concat(slices.Collect(maps.Values(in.queried))...), in.docs...)
	if err := in.store.TakeCounts(ctx, counts); err != nil {
		return err
	}
	for _, d := range double {
		in.done.Double = append(in.done.Double, CostDouble{d.Account, d.Region, d.ResourceType, d.Since.Format(time.DateOnly), d.Until.Format(time.DateOnly), "query"})
	}
	for _, d := range in.docs {
		// The counts of a file of this name stay where the new one has none.
		d.File.Covers = append(d.File.Covers, in.queried[d.File.Name]...)
		if err := in.store.Note(ctx, d.File); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) printCostImported(done CostImported) error {
	if p.json() {
		return p.printJSON(done)
	}
	err := p.printTable([]string{"files", "rows", "stored", "duplicates", "quarantined"},
		[][]string{{p.count(done.Files), p.count(done.Rows), p.count(done.Stored), p.count(done.Duplicates), p.count(done.Quarantined)}})
	if err != nil || p.flags.format == "csv" {
		return err
	}
	for _, f := range done.Held {
		if len(f.Beside) > 0 {
			p.warn("%s is of the same bill as %s: if they are two reports of it and not parts of one, it counts twice", tail(f.File, 60), tail(f.Beside[0], 60))
			break // which says enough of all
		}
	}
	var held, skipped, missing [][]string
	for _, f := range done.Held {
		instead := make([]string, len(f.Replaces))
		for i, r := range f.Replaces {
			instead[i] = tail(r, 40)
		}
		held = append(held, []string{tail(f.File, 60), f.Form, strings.Join(f.Months, " "), p.count(f.Rows), p.count(f.Quarantined), strings.Join(instead, " ")})
	}
	for _, s := range slices.Concat(done.Failures, done.Skipped) {
		skipped = append(skipped, []string{tail(s.Object, 60), short(oneLine(s.Reason), 200)})
	}
	for _, m := range done.Missing {
		missing = append(missing, []string{m.Month, oneLine(short(strings.Join(m.Files, " "), 200)), tail(m.Manifest, 60)})
	}
	var double [][]string
	for _, d := range done.Double {
		double = append(double, []string{d.Account, d.Region, d.ResourceType, d.Since, d.Until, d.Taken})
	}
	return errors.Join(
		p.part("Taken", []string{"file", "form", "months", "rows", "quarantined", "instead of"}, held),
		p.part("Not taken", []string{"file", "reason"}, skipped),
		p.part("Missing", []string{"month", "files", "named by"}, missing),
		p.part("Counted by a query and by objects: the query is taken", []string{"account", "region", "type", "since", "until", "taken"}, double),
		p.printCostRefused(done.Refused),
	)
}
