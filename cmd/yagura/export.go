package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/export"
	exportsqlite "github.com/yagura-sec/yagura/export/sqlite"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/triage"
)

func (p *program) findingsExport() *cobra.Command {
	var chosen chosenFindings
	var format, out string
	var o export.Options
	var masked bool
	c := &cobra.Command{
		Use: "export", Short: "Write findings in the forms that other tools read", Args: cobra.NoArgs,
		Long: `Export writes all findings that the flags choose: as OCSF Detection Findings (a
line each), ASFF (a line for each call of BatchImportFindings), SARIF 2.1.0, CSV
that no spreadsheet takes for formulas, JSON, JSON lines, or events of Splunk's HTTP
Event Collector (a line each).

Masked, accounts, people and projects stand under aliases, the same in every
export of this data directory. The key of the aliases is DIR/mask.key.`,
		Example: "  yagura findings export --format ocsf --severity high > findings.jsonl\n  yagura findings export --format csv --masked --out findings.csv",
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(export.Formats, export.Format(format)) {
				return wrong("--format %s: it is one of %s", format, joined(export.Formats))
			}
			if _, err := export.ParseVersion(o.Version); err != nil {
				return wrong("--ocsf: %v", err)
			}
			f, err := chosen.filter(p.now())
			if err != nil {
				return err
			}
			return p.exportFindings(c.Context(), f, export.Format(format), o, masked, out)
		},
	}
	chosen.flags(c)
	flags := c.Flags()
	flags.StringVar(&format, "format", "json", joined(export.Formats))
	flags.StringVar(&o.Version, "ocsf", "1.6", "version of OCSF: 1.6, 1.3 or 1.1")
	flags.StringVar(&o.Product, "product", "", "ARN of the product that ASFF's findings are imported as (default the account's own)")
	flags.StringVar(&o.Index, "index", "", "index of events for Splunk (default the token's)")
	flags.BoolVar(&masked, "masked", false, "put aliases in the place of accounts, people and projects")
	flags.StringVar(&out, "out", "", "file to write (default standard output)")
	return c
}

func joined(formats []export.Format) string {
	words := make([]string, len(formats))
	for i, f := range formats {
		words[i] = string(f)
	}
	return strings.Join(words, ", ")
}

func (p *program) exportFindings(ctx context.Context, f triage.Filter, format export.Format, o export.Options, masked bool, out string) error {
	r, err := p.read(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	o.Program, o.View = version, api.ExportView
	all := func() iter.Seq2[finding.Finding, error] { return api.PagesOf(ctx, r.triage, f) }
	if masked {
		if o.Mask, err = p.masker(); err != nil {
			return err
		}
		if err := export.Learn(all(), o.Mask); err != nil {
			return err
		}
	}
	var done export.Result
	err = p.writeOut(out, func(w io.Writer) (err error) {
		done, err = export.Write(w, format, all(), o)
		return err
	})
	if err != nil {
		return err
	}
	if done.Skipped > 0 {
		p.warn("%s left out, because %s is about accounts of AWS only", many(int64(done.Skipped), "finding is", "findings are"), format)
	}
	return nil
}

// writeOut writes to standard output, or to a file that is there whole or not at
// all, for its owner alone.
func (p *program) writeOut(path string, write func(io.Writer) error) (err error) {
	if path == "" {
		return write(p.stdout)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// masker masks with the key of the data directory, which is made when it is asked
// for first. It knows the accounts of the configured estate by name.
func (p *program) masker() (*mask.Masker, error) {
	path := filepath.Join(p.dir, "mask.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := newKey(path); err != nil {
			return nil, fmt.Errorf("make the key of aliases: %w", err)
		}
		text, err = os.ReadFile(path) // ours, or of who was quicker
	}
	if err != nil {
		return nil, fmt.Errorf("the key of aliases: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("the key of aliases: %s is not in hexadecimal digits", path)
	}
	m, err := mask.New(key)
	if err != nil {
		return nil, fmt.Errorf("the key of aliases: %s: %w", path, err)
	}
	estate, err := p.cfg.Estate.Finding(os.ReadFile)
	if err != nil {
		return nil, err
	}
	for _, a := range estate.Accounts {
		// A name that is too common to be looked for is masked in its own field.
		_ = m.LearnAccount(a.ID, a.Name)
	}
	return m, nil
}

// newKey makes a key where there is none. It comes into its place whole: a
// program that reads it at the same time sees all of it or nothing.
func newKey(path string) (err error) {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	f, err := os.CreateTemp(filepath.Dir(path), ".mask.key.*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(hex.EncodeToString(key[:]) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// output makes output i of the configuration, which can be run once.
func (s *server) output(ctx context.Context, i int) (export.Output, error) {
	box, err := exportsqlite.On(ctx, s.rooms.state)
	if err != nil {
		return nil, err
	}
	out, err := catalogue.Output(s.cfg.Exports[i], catalogue.OutputAsks{
		Changes: s.changedFindings, Reopened: s.reopenedDecisions, Outbox: box, Getenv: s.getenv, Now: s.clock,
		Mask: func() (*mask.Masker, error) {
			m, err := s.masker()
			if err == nil {
				err = export.Learn(s.changedFindings(ctx, time.Time{}), m)
			}
			return m, err
		},
		Options: export.Options{Program: version, View: api.ExportView},
		Refused: func(key string, why error) { s.warn("exports[%d] will not have %s: %v", i, key, why) },
	})
	if err != nil {
		return nil, exit{exitUsage, fmt.Errorf("exports[%d]: %w", i, err)}
	}
	return out, nil
}

// touched remembers which findings were recorded when, for outputs to look at. The
// zero touched remembers nothing.
type touched struct {
	mu    sync.Mutex // guards all below
	on    bool
	at    map[string]time.Time // by the clock
	since time.Time            // from when on nothing was forgotten
}

// touchedMost is how many findings are remembered, and touchedLong for how long.
const (
	touchedMost = 100_000
	touchedLong = 15 * time.Minute
)

// remember begins to remember.
func (t *touched) remember(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.on, t.at, t.since = true, map[string]time.Time{}, now
}

// touch remembers what was recorded just now.
func (r *rooms) touch(all []finding.Occurrence) { r.touched.add(all, time.Now()) }

func (t *touched) add(all []finding.Occurrence, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.on {
		return
	}
	for i := range all {
		t.at[all[i].Key] = now
	}
	if len(t.at) > touchedMost {
		clear(t.at)
		t.since = now.Add(time.Nanosecond)
	}
}

// from gives the findings touched since a time; false where some were forgotten.
func (t *touched) from(since, now time.Time) (keys []string, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, at := range t.at {
		switch {
		case !at.Before(since):
			keys = append(keys, k)
		case now.Sub(at) > touchedLong:
			delete(t.at, k)
		}
	}
	if long := now.Add(-touchedLong); t.since.Before(long) {
		t.since = long
	}
	slices.Sort(keys)
	return keys, !t.since.After(since)
}

// changedFindings are those recorded or decided about since a time; all of them for
// the zero time, and where the change was of what explains findings, or is not
// known. It is an export.Changes.
func (s *server) changedFindings(ctx context.Context, since time.Time) iter.Seq2[finding.Finding, error] {
	all := api.PagesOf(ctx, s.rooms.triage, triage.Filter{})
	if since.IsZero() {
		return all
	}
	return func(yield func(finding.Finding, error) bool) {
		lines, _, err := s.rooms.triage.Audit(ctx, triage.AuditFilter{Since: since})
		if err != nil {
			yield(finding.Finding{}, err)
			return
		}
		keys, known := s.rooms.touched.from(since, s.clock())
		for _, l := range lines {
			switch area, _, _ := strings.Cut(l.Action, "."); area {
			case "finding":
				keys = append(keys, l.Subject)
			case "exception", "window", "rule":
				known = false
			}
		}
		if !known {
			all(yield)
			return
		}
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			f, err := s.rooms.triage.Get(ctx, key)
			if errors.Is(err, triage.ErrNotFound) || err == nil && (f.Demoted || f.Staged) {
				continue
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// nothingChanges is an export.Changes of no findings, to check outputs with.
func nothingChanges(context.Context, time.Time) iter.Seq2[finding.Finding, error] {
	return func(func(finding.Finding, error) bool) {}
}

// anyMask is a mask to check outputs with: the real one's key may not be there yet.
func anyMask() (*mask.Masker, error) { return mask.New(make([]byte, mask.MinKey)) }

// send runs output i until ctx ends.
func (s *server) send(ctx context.Context, i int, t *task) error {
	return t.run(ctx, func(ctx context.Context) error {
		out, err := s.output(ctx, i)
		if err != nil {
			return err
		}
		return out.Run(ctx)
	})
}
