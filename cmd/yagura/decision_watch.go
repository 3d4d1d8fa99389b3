package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/picture"
	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/decision/dossier"
	"github.com/yagura-sec/yagura/export"
	"github.com/yagura-sec/yagura/mask"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
	"github.com/yagura-sec/yagura/triage"
)

// reopeners measure what reopens decisions, as of now.
func (p *program) reopeners(r *rooms) *reopeners {
	x := &reopeners{rooms: r, now: p.now()}
	var once sync.Once
	var all []cost.Advice
	var wrong error
	x.advice = func(ctx context.Context) ([]cost.Advice, error) {
		once.Do(func() { all, wrong = p.advice(ctx, r, nil, false) })
		return all, wrong
	}
	// What is wrong with prices is said by whoever judges with them.
	x.prices, _ = p.costPrices()
	return x
}

// advisedBy looks advice up by its key.
func advisedBy(advice func(context.Context) ([]cost.Advice, error)) func(context.Context, string) (api.Advised, error) {
	return func(ctx context.Context, key string) (api.Advised, error) {
		all, err := advice(ctx)
		if err != nil {
			return api.Advised{}, err
		}
		for _, a := range all {
			if a.Key == key {
				return advised(a), nil
			}
		}
		return api.Advised{}, fmt.Errorf("advice %s: %w", key, triage.ErrUnknown)
	}
}

// advised is what a decision about an advice takes from it.
func advised(a cost.Advice) api.Advised {
	of := strings.Join(strings.Fields(a.Account+" "+a.Region+" "+a.ResourceType), " ")
	x := api.Advised{Subject: decision.Subject{Kind: decision.Advice, ID: a.Key, Title: a.Title.String(), TitleMade: a.Title.Made(), Account: a.Account}}
	figure := func(name, value, unit, basis string) {
		x.Figures = append(x.Figures, decision.Figure{Name: name, Of: of, Value: value, Unit: unit, Basis: basis, At: a.Until})
	}
	if a.Items >= 0 {
		figure("items", fmt.Sprint(a.Items), "", string(a.Basis))
	}
	if a.ResourceDays >= 0 {
		basis := a.Basis
		if basis == cost.Metric { // which counts items and no resources: those are the history's
			basis = cost.History
		}
		figure("resource_days", fmt.Sprint(a.ResourceDays), "", string(basis))
	}
	if a.Currency != "" {
		basis := string(a.Basis)
		if a.Kind == cost.AboutRecording {
			basis = decision.Computed
		}
		figure("saving_month", a.Saving.String(), a.Currency, basis)
		x.Saving = &decision.Saving{Month: a.Saving.String(), Currency: a.Currency}
	}
	if why := a.Reason.String(); why != "" {
		x.Evidence = append(x.Evidence, decision.Evidence{Text: why, Made: a.Reason.Made()})
	}
	for _, s := range a.Sources {
		x.Evidence = append(x.Evidence, decision.Evidence{Text: s.Title, Link: s.URL, At: s.Date})
	}
	return x
}

// undecidedBy is the saving of advice of those accounts (none: of all) that nobody
// has decided about; nil: no advice is known.
func undecidedBy(ctx context.Context, r *rooms, advice func(context.Context) ([]cost.Advice, error), accounts []string) ([]decision.Saving, error) {
	all, err := advice(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := r.triage.Decisions(ctx)
	return undecided(ofAccounts(all, accounts), decisions), err
}

// decisions answers what the pages of decisions ask, beside what is stored and what
// those of cost are answered.
func (s *server) decisions(answers api.Cost) api.Decisions {
	advice := func(ctx context.Context) ([]cost.Advice, error) { return answers.Advice(ctx, nil) }
	if answers.Advice == nil {
		advice = nil
	}
	measured := &keptAnswers[*sharedReadings]{old: quiteOld}
	d := api.Decisions{
		Readings: func(ctx context.Context) decision.Readings {
			x, err := measured.get(ctx, "", s.changes(), func(ctx context.Context) (*sharedReadings, error) {
				x := s.reopeners(s.rooms)
				x.advice = advice
				return &sharedReadings{read: x.readings(context.WithoutCancel(ctx))}, nil
			})
			if err != nil {
				return nil // nobody knows: that is what is said then
			}
			return x.get
		},
	}
	if advice != nil {
		d.Advised = advisedBy(advice)
		drawn := pictured{advice, func(ctx context.Context, account string) (api.CostChanges, error) {
			return answers.Changes(ctx, account, time.Time{}, time.Time{})
		}}
		d.Pictures = func(ctx context.Context, x decision.Decision, l sentences.Language, mask func(string) string) ([]dossier.Picture, error) {
			return drawn.draw(ctx, &x, picture.Look{Language: l, Mask: mask})
		}
		d.Undecided = func(ctx context.Context, accounts []string) ([]decision.Saving, error) {
			return undecidedBy(ctx, s.rooms, advice, accounts)
		}
	}
	return d
}

// sharedReadings are measured for everybody who asks at the time.
type sharedReadings struct {
	mu   sync.Mutex // held while something is measured: it is measured once
	read decision.Readings
}

func (x *sharedReadings) get(d *decision.Decision, t decision.Trigger) decision.Reading {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.read(d, t)
}

// reopener is who reopens decisions, in audit lines.
const reopener = "yagura"

// reopen notes which decisions come back as of now, and says how many.
func (p *program) reopen(ctx context.Context, r *rooms) (reopened int, err error) {
	all, readings, err := p.standing(ctx, r)
	if err != nil {
		return 0, err
	}
	for i := range all {
		state := all[i].Due(p.now(), readings)
		if len(state.Why) == len(all[i].Reopened) { // nothing that was not known
			continue
		}
		is, err := r.triage.Reopen(ctx, all[i].ID, state.Why, triage.Edit{By: reopener, At: p.now().UTC()})
		if err != nil {
			return reopened, err
		}
		if is {
			reopened++
		}
	}
	return reopened, nil
}

// How often a serving program looks whether decisions come back; first some time
// after it begins, when what it has to read is read.
const (
	reopenFirst = time.Minute
	reopenEvery = time.Hour
)

// keepReopening looks whether decisions come back, until ctx ends.
func (s *server) keepReopening(ctx context.Context) error {
	for next := time.After(reopenFirst); ; {
		select {
		case <-next:
			next = time.After(reopenEvery)
		case <-ctx.Done():
			return nil
		}
		n, err := s.reopen(ctx, s.rooms)
		if err != nil && ctx.Err() == nil {
			// What is decided stays; in an hour it is looked at again.
			s.warn("look whether decisions come back: %v", err)
		}
		if n > 0 {
			s.warn("%d decisions came back: yagura decision list --status reopened", n)
		}
	}
}

// reopenedDecisions are those that came back since a time, whoever noted it: this
// program or a hunt beside it. It is an export.Reopenings.
func (s *server) reopenedDecisions(ctx context.Context, since time.Time, m *mask.Masker) iter.Seq2[export.Reopening, error] {
	return func(yield func(export.Reopening, error) bool) {
		ids, err := s.reopenedSince(ctx, since)
		for _, id := range ids {
			for r, err := range s.reopenings(ctx, id, m) {
				if (err != nil || !r.At.Before(since)) && !yield(r, err) || err != nil {
					return
				}
			}
		}
		if err != nil {
			yield(export.Reopening{}, err)
		}
	}
}

// reopenedSince names the decisions that came back since a time, as the audit trail
// has it: who asks every few seconds reads no history for it.
func (s *server) reopenedSince(ctx context.Context, since time.Time) (ids []string, err error) {
	for f := (triage.AuditFilter{Since: since, Action: "decision.reopen"}); ; {
		lines, next, err := s.rooms.triage.Audit(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if !slices.Contains(ids, l.Subject) {
				ids = append(ids, l.Subject)
			}
		}
		if next == "" {
			return ids, nil
		}
		f.Cursor = next
	}
}

// reopenings are all of one decision.
func (s *server) reopenings(ctx context.Context, id string, m *mask.Masker) iter.Seq2[export.Reopening, error] {
	return func(yield func(export.Reopening, error) bool) {
		changes, err := s.rooms.triage.DecisionHistory(ctx, id)
		var text func(string) string
		if err == nil && m != nil && len(changes) > 0 {
			text, err = api.MaskDecision(ctx, m, s.rooms.triage, changes[0].After, changes)
		}
		if err != nil {
			yield(export.Reopening{}, err)
			return
		}
		for i := range changes {
			if r, ok := export.NewReopening(&changes[i], text); ok && !yield(r, nil) {
				return
			}
		}
	}
}
