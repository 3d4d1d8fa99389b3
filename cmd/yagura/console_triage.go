package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/triage/calendar"
)

// triage answers what the pages of triage ask, beside what is stored. What goes on
// behind the back of who asks ends with ctx.
func (s *server) triage(ctx context.Context) (api.Triage, error) {
	key, err := s.linkKey()
	if err != nil {
		return api.Triage{}, err
	}
	store := s.rooms.triage
	desk, err := s.desk(store)
	if err != nil {
		return api.Triage{}, err
	}
	first := &firstSights{lake: s.rooms.lake, warn: s.warn, base: ctx}
	files := s.calendars(s.cfg.Anomalies.Calendars)
	gaps := &keptAnswers[[]ledger.Gap]{old: quiteOld}
	all := &keptAnswers[[]finding.Finding]{old: quiteOld}
	proposals := &slowly[[]triage.Proposal]{warn: s.warn, base: ctx}
	tunings := &keptAnswers[triage.Tuning]{old: quiteOld}
	if warm := s.rooms.secrets.warm; warm != nil {
		s.rooms.secrets.warm = func(ctx context.Context) error {
			_, err := first.get(s.changes())
			return errors.Join(err, warm(ctx))
		}
	}
	return api.Triage{
		Store:       store,
		Expand:      calendar.Expand,
		ReadWindows: readWindows,
		Calendar:    func(context.Context) ([]finding.Window, error) { return files.windows(), nil },
		Activity:    func(context.Context) (*api.Activity, error) { return first.get(s.changes()) },
		Gaps: func(ctx context.Context, since, until time.Time) ([]ledger.Gap, error) {
			known, err := gaps.get(ctx, "", s.changes(), func(ctx context.Context) ([]ledger.Gap, error) {
				report, err := s.report(ctx, s.rooms, "", ledger.MakeShortReport)
				return report.Gaps, err
			})
			var out []ledger.Gap
			for _, g := range known {
				if g.From.Before(until) && g.To.After(since) {
					out = append(out, g)
				}
			}
			return out, err
		},
		Learned: func(ctx context.Context) ([]triage.Proposal, error) {
			return proposals.get(func(ctx context.Context) ([]triage.Proposal, error) {
				found, err := slim(ctx, store, triage.Filter{}, leisurely)
				if err != nil {
					return nil, err
				}
				zone, err := workZone(ctx, store)
				return triage.Propose(found, zone, s.now()), err
			}), nil
		},
		Tuning: func(ctx context.Context, of finding.Scope) (triage.Tuning, error) {
			return tunings.get(ctx, of.String(), s.changes(), func(ctx context.Context) (triage.Tuning, error) {
				found, err := all.get(ctx, of.String(), s.changes(), func(ctx context.Context) ([]finding.Finding, error) {
					return slim(ctx, store, triage.Filter{Scope: of, Demoted: true, Staged: true, Folded: true}, atOnce)
				})
				return triage.Tune(found), err
			})
		},
		Causes:    &api.Causes{Changes: s.changes},
		LinkKey:   key,
		WriteBack: desk,
	}, nil
}

// linkKey signs links by which teams register windows. It lies in the data
// directory, made at the first start; whoever deletes it takes back every link.
func (p *program) linkKey() ([]byte, error) {
	path := filepath.Join(p.dir, "links.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key)
		return key, os.WriteFile(path, []byte(hex.EncodeToString(key)+"\n"), 0o600)
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < 32 {
		return nil, fmt.Errorf("%s is no key: delete it, and a new one is made; links to register windows have to be made again", path)
	}
	return key, nil
}

// readWindows reads a file of planned work that a caller gives.
func readWindows(name string, text []byte, now time.Time) ([]finding.Window, []string, error) {
	var warnings []string
	r := calendar.Reader{Now: now, Warn: func(w calendar.Warning) { warnings = append(warnings, w.String()) }}
	windows, err := r.Read(name, bytes.NewReader(text))
	return windows, warnings, err
}

// workZone is the time zone that people work in, as their windows tell: the one
// that most of them name; nil: none does.
func workZone(ctx context.Context, store triage.Keeper) (*time.Location, error) {
	windows, err := store.Windows(ctx)
	if err != nil {
		return nil, err
	}
	n, best := map[string]int{}, ""
	for _, w := range windows {
		if w.Zone == "" {
			continue
		}
		n[w.Zone]++
		if best == "" || n[w.Zone] > n[best] || n[w.Zone] == n[best] && w.Zone < best {
			best = w.Zone
		}
	}
	if best == "" {
		return nil, nil
	}
	zone, err := time.LoadLocation(best)
	if err != nil {
		return nil, nil // a name of Outlook's: what repeats is told in UTC
	}
	return zone, nil
}

// slimPage is how many findings are read at a time. What goes on behind the back of
// who asks rests after each page for so many times as long as that took, so that
// answers need not wait for it.
const (
	slimPage  = 500
	leisurely = 3
	atOnce    = 0
)

// slim gives findings without what takes most of their room and neither proposals
// nor tuning look at: reasons, evidence, what to do, pictures.
func slim(ctx context.Context, store triage.Reader, f triage.Filter, rest time.Duration) ([]finding.Finding, error) {
	var out []finding.Finding
	f.Limit = slimPage
	for {
		began := time.Now()
		page, next, err := store.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, x := range page {
			x.Reasons, x.Evidence, x.FalsePositives, x.Next, x.Parts, x.Related = nil, finding.Evidence{}, nil, nil, nil, nil
			if x.Anomaly != nil {
				a := *x.Anomaly
				a.Series, a.Unseen = nil, nil
				x.Anomaly = &a
			}
			if x.External != nil {
				e := *x.External
				e.Links = nil
				x.External = &e
			}
			out = append(out, x)
		}
		if next == "" {
			return out, nil
		}
		f.Cursor = next
		select {
		case <-time.After(rest * time.Since(began)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// slowly works something out behind the back of who asks, who gets what is known
// by then: nothing at first. It takes no more than a part of the time.
type slowly[T any] struct {
	warn func(format string, args ...any)
	base context.Context // of the program

	mu      sync.Mutex
	value   T
	after   time.Time // when it may be worked out again
	running bool
}

const (
	slowEvery = time.Minute
	slowShare = 0.05
)

func (s *slowly[T]) get(work func(context.Context) (T, error)) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running && time.Now().After(s.after) {
		s.running = true
		go s.again(work)
	}
	return s.value
}

func (s *slowly[T]) again(work func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(s.base, 10*time.Minute)
	defer cancel()
	began := time.Now()
	value, err := work(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	s.after = time.Now().Add(max(slowEvery, time.Duration(float64(time.Since(began))/slowShare)))
	if err != nil {
		if s.base.Err() == nil {
			s.warn("proposals: %v", err) // and the next one tries again
		}
		return
	}
	s.value = value
}

// How often first sights are looked for: where something came in, in the latest
// hours of usage; in all of it, for old logs may have been read, seldom.
const (
	sightsEvery = 10 * time.Second
	sightsAll   = time.Hour
	sightsBack  = 72 * time.Hour
)

// firstSights knows when each principal and region of each account was first
// seen.
type firstSights struct {
	lake lake.UsageConditioner
	warn func(format string, args ...any)
	base context.Context // of the program

	mu      sync.Mutex
	running bool
	changes int64
	at, all time.Time // when it was last looked, and at all usage
	horizon time.Time // the end of usage then
	actors  map[sight]time.Time
	regions map[sight]time.Time
	last    map[string]time.Time
	known   *api.Activity
}

type sight struct{ name, account string }

// get gives what is known, nil before the first look, and looks again behind the
// back of who asks.
func (f *firstSights) get(changes int64) (*api.Activity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if !f.running && (f.known == nil || changes != f.changes && now.Sub(f.at) > sightsEvery) {
		f.running = true
		go f.look(changes)
	}
	return f.known, nil
}

// look reads usage and adds what it tells; only one runs at a time.
func (f *firstSights) look(changes int64) {
	ctx, cancel := context.WithTimeout(f.base, 10*time.Minute)
	defer cancel()
	began := time.Now()
	since := time.Time{}
	whole := f.known == nil || began.Sub(f.all) > sightsAll
	if !whole {
		since = f.horizon.Add(-sightsBack)
	}
	err := f.read(ctx, since)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running, f.at, f.changes = false, began, changes
	if err != nil {
		if f.base.Err() == nil {
			f.warn("who and what is new: %v", err) // and the next one tries again
		}
		return
	}
	if whole {
		f.all = began
	}
	f.known = f.activity()
}

// read adds usage from since on. Only look calls it, and nobody else reads what it
// writes.
func (f *firstSights) read(ctx context.Context, since time.Time) error {
	if f.actors == nil {
		f.actors, f.regions, f.last = map[sight]time.Time{}, map[sight]time.Time{}, map[string]time.Time{}
	}
	early := func(m map[sight]time.Time, s sight, at time.Time) {
		if was, there := m[s]; s.name != "" && (!there || at.Before(was)) {
			m[s] = at
		}
	}
	condition := lake.UsageCondition{Since: since, Where: "resource_uid = ''", By: []string{"account_uid", "actor_uid", "actor_type", "region"}}
	for row, err := range f.lake.UsageWhere(ctx, condition) {
		if err != nil {
			return err
		}
		switch row.ActorType {
		case event.ActorService, event.ActorMasked, event.ActorUnknown, event.ActorAnonymous: // nobody that could be new
		default:
			early(f.actors, sight{row.ActorUID, row.AccountUID}, row.First)
		}
		early(f.regions, sight{row.Region, row.AccountUID}, row.First)
		if row.Last.After(f.last[row.AccountUID]) {
			f.last[row.AccountUID] = row.Last
		}
		if row.Hour.After(f.horizon) {
			f.horizon = row.Hour
		}
	}
	return nil
}

// activity is a copy of what is known, in order.
func (f *firstSights) activity() *api.Activity {
	ordered := func(m map[sight]time.Time) []api.FirstSight {
		out := make([]api.FirstSight, 0, len(m))
		for s, at := range m {
			out = append(out, api.FirstSight{Name: s.name, Account: s.account, At: at})
		}
		slices.SortFunc(out, func(a, b api.FirstSight) int {
			return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Name, b.Name), strings.Compare(a.Account, b.Account))
		})
		return out
	}
	last := map[string]time.Time{}
	for account, at := range f.last {
		last[account] = at
	}
	return &api.Activity{Principals: ordered(f.actors), Regions: ordered(f.regions), LastEvent: last}
}
