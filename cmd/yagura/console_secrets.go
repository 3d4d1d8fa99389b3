package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/triage"
	"github.com/yagura-sec/yagura/usage"
	"github.com/yagura-sec/yagura/usage/secrets"
)

// How usage of secrets is summed again where something came in: some days at a
// time, and no more than a part of the time, for while old logs are read every
// look finds changes; at the start a greater part.
const (
	sumEvery = 2 * time.Second
	sumDays  = 4
	sumShare = 0.2
	sumFirst = 0.5
)

// secretUse keeps what usage says of secrets and keys in memory: all of it at the
// start, then the days into which events came.
type secretUse struct {
	rooms *rooms
	table *secrets.Table
	// warm is called once all is summed; nil: nothing is.
	warm func(context.Context) error

	uses keptAnswers[foundUse]

	mu     sync.Mutex
	behind map[int64]bool // days to sum, since 1970
	listed bool           // the days that were there at the start are among them
	counts findingCounts
}

// secretUse is a detector only to be told of events that are new; it judges
// nothing.
var _ detect.Detector = (*secretUse)(nil)

func newSecretUse(r *rooms) *secretUse {
	return &secretUse{rooms: r, table: secrets.NewTable(0), behind: map[int64]bool{}, uses: keptAnswers[foundUse]{old: littleOld}}
}

// Judge is detect.Detector's.
func (s *secretUse) Judge(_ context.Context, _ event.BatchID, events []event.Event) (finding.Judged, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range events {
		// Any event, for whether an account is heard of matters as well.
		s.behind[events[i].Time.Unix()/86400] = true
	}
	return finding.Judged{}, nil
}

// keep sums until ctx ends.
func (s *secretUse) keep(ctx context.Context) error {
	if err := s.all(ctx); err != nil {
		return err
	}
	if s.warm != nil {
		_ = s.warm(ctx) // whoever asks for it is told what is wrong with it
	}
	for {
		began := time.Now()
		worked, err := s.some(ctx)
		if err != nil {
			return err
		}
		rest := sumEvery
		if worked {
			rest = resting(began, sumShare)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return nil
		}
	}
}

// resting is how long to rest so that what began then takes that share of the time.
func resting(began time.Time, share float64) time.Duration {
	return time.Duration(float64(time.Since(began)) * (1/share - 1))
}

// all has every day summed that there is usage of.
func (s *secretUse) all(ctx context.Context) error {
	days := map[int64]bool{}
	for row, err := range s.rooms.lake.UsageWhere(ctx, lake.UsageCondition{Where: "resource_uid = ''", By: []string{}}) {
		if err != nil {
			return err
		}
		days[row.Hour.Unix()/86400] = true
	}
	s.mu.Lock()
	maps.Copy(s.behind, days)
	s.listed = true
	s.mu.Unlock()
	for {
		began := time.Now()
		if worked, err := s.some(ctx); err != nil || !worked {
			return err
		}
		select {
		case <-time.After(resting(began, sumFirst)):
		case <-ctx.Done():
			return nil
		}
	}
}

// some sums the latest of the days that are behind.
func (s *secretUse) some(ctx context.Context) (worked bool, err error) {
	s.mu.Lock()
	days := slices.Sorted(maps.Keys(s.behind))
	if len(days) == 0 {
		s.mu.Unlock()
		return false, nil
	}
	last := len(days) - 1
	first := last
	for first > 0 && days[first-1] == days[first]-1 && last-first < sumDays-1 {
		first--
	}
	days = days[first:]
	for _, d := range days {
		delete(s.behind, d) // what comes in meanwhile sets it again
	}
	s.mu.Unlock()
	if err := s.sum(ctx, days[0], days[len(days)-1]+1); err != nil {
		s.mu.Lock()
		for _, d := range days {
			s.behind[d] = true
		}
		s.mu.Unlock()
		return false, err
	}
	return true, nil
}

// ofSecrets chooses rows of usage in the lake's SQL; names are ours.
var ofSecrets = "resource_uid <> '' AND api_service IN ('" + strings.Join(secrets.Services, "', '") + "')"

var secretColumns = []string{
	"account_uid", "actor_uid", "actor_type", "caller", "api_service", "api_operation", "region", "outcome", "cloud_provider", "resource_uid",
}

// sum sums the days [from, to), since 1970.
func (s *secretUse) sum(ctx context.Context, from, to int64) error {
	since, until := time.Unix(from*86400, 0).UTC(), time.Unix(to*86400, 0).UTC()
	rows := make([][]usage.Row, to-from)
	for row, err := range s.rooms.lake.UsageWhere(ctx, lake.UsageCondition{Since: since, Until: until, Where: ofSecrets, By: secretColumns}) {
		if err != nil {
			return err
		}
		at := row.Hour.Unix()/86400 - from
		rows[at] = append(rows[at], row)
	}
	heard := make([]map[string]uint32, to-from)
	for i := range heard {
		heard[i] = map[string]uint32{}
	}
	for row, err := range s.rooms.lake.UsageWhere(ctx, lake.UsageCondition{Since: since, Until: until, Where: "resource_uid = ''", By: []string{"account_uid"}}) {
		if err != nil {
			return err
		}
		heard[row.Hour.Unix()/86400-from][row.AccountUID] |= 1 << row.Hour.UTC().Hour()
	}
	for i := range rows {
		s.table.Replace(since.AddDate(0, 0, i), rows[i], heard[i])
	}
	s.table.Book() // so that nobody has to wait for it
	return nil
}

// known is what the API asks.
func (s *secretUse) known(ctx context.Context) (api.KnownSecrets, error) {
	s.mu.Lock()
	behind := len(s.behind)
	if !s.listed {
		behind = max(behind, 1) // how many days there are is not known yet
	}
	s.mu.Unlock()
	counts, err := s.counts.get(ctx, s.rooms.triage)
	return api.KnownSecrets{Book: s.table.Latest(), Behind: behind, Findings: counts.resource}, err
}

// foundUse is a use that was looked for.
type foundUse struct {
	secrets.Use
	ok bool
}

// use is what the API asks of one. It is shared: nobody changes it.
func (s *secretUse) use(ctx context.Context, name string) (secrets.Use, bool, error) {
	u, err := s.uses.get(ctx, name, s.table.Version(), func(context.Context) (foundUse, error) {
		u, ok := s.table.Use(name)
		return foundUse{u, ok}, nil
	})
	return u.Use, u.ok, err
}

// countsAge is how old counts of findings may be.
const countsAge = 5 * time.Second

// findingCounts are how many findings there are on each resource and of each
// rule. They are counted again behind the back of who asks.
type findingCounts struct {
	mu      sync.Mutex
	last    counts
	at      time.Time
	running bool
}

// counts are numbers of findings. A map is not changed once it is here.
type counts struct {
	resource map[string]int // open ones
	rule     map[string]ruleCount
}

type ruleCount struct {
	all, open int
}

func (f *findingCounts) get(ctx context.Context, store triage.Reader) (counts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.at.IsZero():
		c, err := countFindings(ctx, store)
		if err != nil {
			return counts{}, err
		}
		f.last, f.at = c, time.Now()
	case time.Since(f.at) > countsAge && !f.running:
		f.running = true
		go f.again(context.WithoutCancel(ctx), store)
	}
	return f.last, nil
}

func (f *findingCounts) again(ctx context.Context, store triage.Reader) {
	c, err := countFindings(ctx, store)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = false
	f.at = time.Now()
	if err == nil { // else the next one tries again
		f.last = c
	}
}

// openStatus are those of findings that wait for a person.
var openStatus = []finding.Status{finding.New, finding.InProgress}

// countFindings counts with the store's own means where it has them.
func countFindings(ctx context.Context, store triage.Reader) (counts, error) {
	out := counts{resource: map[string]int{}, rule: map[string]ruleCount{}}
	all := triage.Filter{Demoted: true, Staged: true}
	if c, ok := store.(triage.Counter); ok {
		return out, out.facets(ctx, c, all)
	}
	page, _, err := store.List(ctx, all)
	for i := range page {
		f := &page[i]
		r := out.rule[f.Rule]
		r.all++
		if slices.Contains(openStatus, f.Status) {
			r.open++
			out.resource[f.Resource]++
		}
		out.rule[f.Rule] = r
	}
	return out, err
}

// manyValues is more than a field of findings has values worth counting.
const manyValues = 1_000_000

func (c *counts) facets(ctx context.Context, store triage.Counter, all triage.Filter) error {
	of, err := store.Facets(ctx, all, manyValues, "rule")
	if err != nil {
		return err
	}
	waiting := triage.Filter{Status: openStatus}
	open, err := store.Facets(ctx, waiting, manyValues, "rule", "resource")
	if err != nil {
		return err
	}
	for _, f := range of.Facets {
		for _, v := range f.Values {
			c.rule[v.Value] = ruleCount{all: v.Count}
		}
	}
	for _, f := range open.Facets {
		for _, v := range f.Values {
			if f.Field == "resource" {
				c.resource[v.Value] = v.Count
				continue
			}
			r := c.rule[v.Value]
			r.open = v.Count
			c.rule[v.Value] = r
		}
	}
	return nil
}
