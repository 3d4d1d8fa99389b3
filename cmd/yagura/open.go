package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/anomaly"
	"github.com/yagura-sec/yagura/detect/correlate"
	"github.com/yagura-sec/yagura/detect/denials"
	"github.com/yagura-sec/yagura/detect/external"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/ledger"
	ledgersqlite "github.com/yagura-sec/yagura/ledger/sqlite"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/triage/calendar"
	triagesqlite "github.com/yagura-sec/yagura/triage/sqlite"
)

// rooms are the opened rooms of a data directory.
type rooms struct {
	lake   *local.Store
	state  *sqlitedb.DB // the ledger and the findings share a file
	ledger ledger.Store
	triage *triagesqlite.Store
	people people.Store // nil when asking

	// Once a pipeline was made:
	rules   *rule.Live
	others  external.Detector
	hunter  atomic.Pointer[correlate.Hunter]
	hunting *pipeline.Hunting
	quiet   func(rule string) bool // of the rules on trial

	anomalies *anomaly.Hunter // nil where they are switched off
	lookout   *pipeline.Hunting

	secrets *secretUse // of a serving program
	touched touched    // of a serving program with outputs: what is to be looked at
	live    *api.Live  // of a serving program: who listens to what is new
}

// Close closes what was opened.
func (r *rooms) Close() error {
	var errs []error
	if r.people != nil {
		errs = append(errs, r.people.Close())
	}
	if r.triage != nil {
		errs = append(errs, r.triage.Close())
	}
	if r.ledger != nil {
		errs = append(errs, r.ledger.Close())
	}
	if r.state != nil {
		errs = append(errs, r.state.Close())
	}
	return errors.Join(append(errs, r.lake.Close())...)
}

// access is how a data directory is opened.
type access int

const (
	asking   access = iota // beside a writer, if there is one
	deciding               // asking, but people's decisions are written
	writing                // everything; one program at a time
)

// read opens the data directory for questions.
func (p *program) read(ctx context.Context) (*rooms, error) { return p.existing(ctx, asking) }

// existing opens a data directory that must be there already.
func (p *program) existing(ctx context.Context, how access) (*rooms, error) {
	none := fmt.Errorf("%s holds no data yet: `yagura ingest DIR` reads logs into it, `yagura demo` shows a sample", p.dir)
	if !there(filepath.Join(p.dir, "lake.db")) {
		return nil, none
	}
	r, err := p.open(ctx, how)
	if errors.Is(err, sqlitedb.ErrEmpty) || errors.Is(err, fs.ErrNotExist) {
		return nil, none // the first writer was interrupted, or has just begun
	}
	return r, err
}

// How often a lock that nobody serves under is tried again, and how far apart.
const (
	lockTries = 10
	lockWait  = 100 * time.Millisecond
)

// write opens the data directory for changes, and makes it if need be.
func (p *program) write(ctx context.Context) (*rooms, error) {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	r, err := p.open(ctx, writing)
	for range lockTries { // a writer that was killed holds the lock until it is gone
		if _, ok := served(p.dir); ok || !errors.Is(err, local.ErrLocked) || ctx.Err() != nil {
			break
		}
		time.Sleep(lockWait)
		r, err = p.open(ctx, writing)
	}
	if errors.Is(err, local.ErrLocked) {
		if s, ok := served(p.dir); ok {
			return nil, fmt.Errorf("%s is being served (process %d, %s): stop it first, or give the logs to a source of its configuration", p.dir, s.PID, s.URL)
		}
	}
	return r, err
}

func (p *program) open(ctx context.Context, how access) (_ *rooms, err error) {
	state := filepath.Join(p.dir, "state.db")
	// A new directory has lake.db first, a copy state.db.
	if there(state) && !there(filepath.Join(p.dir, "lake.db")) {
		return nil, fmt.Errorf("%s has state.db but no lake.db: it is a backup that was not finished, or damaged", p.dir)
	}
	r := &rooms{}
	r.lake, err = local.Open(p.dir, local.Options{
		ReadOnly: how != writing, MinFree: int64(p.cfg.Lake.FreeSpaceFloor), Now: p.now,
		Query: local.QueryOptions{Memory: int64(p.cfg.Lake.QueryMemory), Threads: p.cfg.Lake.QueryThreads},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if how == writing {
		// Whoever announced the directory is gone: the lock is ours.
		retract(p.dir)
	}
	if !there(state) {
		if empty, err := r.lake.Empty(ctx); err != nil || !empty {
			return nil, errors.Join(err, fmt.Errorf("%s has events but its state.db is missing: restore it from a backup", p.dir))
		}
	}
	if how == asking {
		r.state, err = sqlitedb.OpenReader(ctx, state)
	} else {
		r.state, err = sqlitedb.Open(ctx, state)
	}
	if err != nil {
		return nil, err
	}
	opt := ledger.Options{Now: p.now, QuarantineBytes: int64(p.cfg.Ledger.QuarantineSize)}
	accounts, err := ledgersqlite.On(ctx, r.state, opt)
	if err != nil {
		return nil, err // and r.ledger stays nil, not an interface that holds a nil
	}
	r.ledger = accounts
	if r.triage, err = triagesqlite.On(ctx, r.state, triagesqlite.Expanding(calendar.Expand)); err != nil || how == asking {
		return r, err
	}
	if err := p.placeFindings(ctx, r.triage); err != nil {
		return r, err
	}
	return r, r.openPeople(ctx)
}

// there tells whether there is such a file.
func there(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// pipe joins the rooms and carries on what an interrupted run left.
func (p *program) pipe(ctx context.Context, r *rooms, opt pipeline.Options, extra []string) (*pipeline.Pipeline, error) {
	hidden, err := outOfSight(ctx, r.triage)
	if err != nil {
		return nil, err
	}
	r.quiet = func(rule string) bool { return hidden[rule] }
	opt.Now, opt.Quiet = p.now, r.quiet
	r.rules = rule.NewLive(p.detector(extra))
	live := opt.Wait > 0 // who waits for company of batches goes on for long
	p.hunters(r, live)
	detectors := []detect.Detector{r.rules, &r.others}
	if r.secrets != nil {
		detectors = append(detectors, r.secrets)
	}
	if !p.cfg.Anomalies.Off {
		p.lookout(r, live)
		detectors = append(detectors, anomaly.Marker{}, &denials.Marker{Events: r.history()})
	}
	pipe := pipeline.New(pipeline.Rooms{
		Normalise: p.formats.Append,
		Lake:      r.lake, Detectors: detectors, Triage: r.recorder(), Ledger: r.ledger,
	}, opt)
	n, err := pipe.Recover(ctx)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		p.warn("carried on %d batches that an interrupted run had stored", n)
	}
	return pipe, p.retain(ctx, r)
}

// retain drops what the configuration does not keep. Events that arrive later
// than that count as expired.
func (p *program) retain(ctx context.Context, r *rooms) error {
	if keep := time.Duration(p.cfg.Retention.Events); keep > 0 {
		if _, err := r.lake.Expire(ctx, p.now().Add(-keep)); err != nil {
			return err
		}
	}
	if most := int64(p.cfg.Retention.Size); most > 0 {
		if _, err := r.lake.ExpireBytes(ctx, most); err != nil {
			return err
		}
	}
	return nil
}

// refusedShown is how many refused rules are told of one by one.
const refusedShown = 10

func (p *program) refused(errs []error) {
	for i, err := range errs {
		if i == refusedShown {
			p.warn("%d more rules refused; `yagura rules lint PATH` says which and why", len(errs)-i)
			return
		}
		p.warn("rule refused: %v", err)
	}
}

// detector judges with the rules of the configuration and of extra folders. A
// refused rule is told of and never drops the others.
func (p *program) detector(extra []string) *rule.Detector {
	d, refused := catalogue.Rules(p.cfg.Rules, extra)
	p.refused(refused)
	return d
}
