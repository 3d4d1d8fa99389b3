// Package who says who probably made calls whose records name nobody: inferred,
// not logged.
//
// Candidates come from all logs: who worked in the same project, who is seen
// behind the same address, who has a record of the same operation, whose request
// a service's agent carried out, whose device had the project's page open as the
// proxy saw it. What speaks for a candidate is weighed in nats: how much likelier
// it is to be seen if it was the candidate than if it was anybody else.
//
// Everybody who could have done it begins alike, at one to the number of those
// people, so that an address that forty share says a fortieth of what it says of
// one. Against them all stands that it was none of those whom any log names, at
// odds of one. What people have in common behind a shared address names nobody by
// itself, however much of it there is: without a record of the candidate's own
// (an operation, a request, a device's page, an address that is nobody else's)
// nothing weighs more than maxCommon.
//
// Weights, with what they rest on, are in weights.go and docs/masked-callers.md.
package who

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Before and After are how far around a run is read.
const (
	Before = 24 * time.Hour
	After  = 15 * time.Minute
)

// Run is what one caller did whom no record names.
type Run struct {
	Project  string
	Attempts []event.Event // in the order of their times; at least one
	// Telling are parts of the addresses of pages on which one asks for what was
	// refused, or for what needs it.
	Telling []string
	// Companions knows whose agent is whose, and what asks what; nil: as the Finder has it.
	Companions *companion.Catalogue
}

// Finder looks for who it was. Events has to be given.
type Finder struct {
	Events stored.Source
	// People gives the uids of all people who did anything in [since, until): an
	// actor_uid of type user. Nil: they are looked for among the events.
	People func(ctx context.Context, since, until time.Time) ([]string, error)
	// Companions knows whose agent is whose; nil: our own list.
	Companions *companion.Catalogue
}

// Answer is who it probably was.
type Answer struct {
	finding.Inference
	// Identities are all names under which the first candidate is logged.
	Identities []string
	// Works tells that the first candidate does other work in the project.
	Works bool
	// Addresses are those that the calls came from, and Alone tells that hardly
	// anybody else is seen behind them.
	Addresses []string
	Alone     bool
	// Pages are addresses of the project's pages that were open at the attempts: on
	// the devices of whoever is named, or of anybody.
	Pages []string
}

// Find says who probably made the calls of a run. It gives the same answer
// whatever the order in which events are stored.
func (f *Finder) Find(ctx context.Context, r Run) (Answer, error) {
	s, err := f.read(ctx, r)
	if err != nil {
		return Answer{}, fmt.Errorf("look for who called: %w", err)
	}
	return s.answer(), nil
}

// shown is how many candidates are told.
const shown = 3

// answer weighs the candidates and makes of it how probable each is.
func (s *scene) answer() Answer {
	var all []*candidate
	for _, p := range s.people.all {
		if c := s.weigh(p); c != nil {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.total, a.total), strings.Compare(a.of.uid, b.of.uid))
	})
	sum := 1.0 // that it was none of them
	for _, c := range all {
		sum += math.Exp(c.total)
	}
	a := Answer{Inference: finding.Inference{None: 1 / sum, Candidates: []finding.Candidate{}}}
	for _, c := range all[:min(shown, len(all))] {
		a.Candidates = append(a.Candidates, finding.Candidate{UID: c.of.uid, Probability: math.Exp(c.total) / sum, Why: c.why})
	}
	a.Name()
	if len(all) > 0 {
		a.Identities, a.Works = all[0].of.ids(), s.works(all[0].of)
	}
	n := len(s.crowd().people)
	a.Addresses, a.Alone = s.addresses, n > 0 && n <= ownAddress
	a.Pages = s.opened(a.UID)
	return a
}

// leastWork is how many calls make work: one may be a try.
const leastWork = 2

// works tells whether a person does other work in the project, by name: what lets
// somebody in is not that.
func (s *scene) works(p *person) bool {
	n := 0
	for i := range s.project {
		e := &s.project[i]
		if p.names[e.ActorUID] && e.Outcome == event.Success && e.APIService != "iam.googleapis.com" && !strings.HasSuffix(e.APIOperation, "SetIamPolicy") {
			n++
		}
	}
	return n >= leastWork
}

// opened are the project's pages at the attempts: a person's, or, if uid is empty,
// anybody's.
func (s *scene) opened(uid string) []string {
	var out []string
	for i := range s.pages {
		e := &s.pages[i]
		if !s.ofProject(e.URL) || s.attemptAt(e.Time) < 0 {
			continue
		}
		if p := s.people.of(uid); p == nil || s.devices.behind(e)[p] > 0 {
			out = append(out, e.URL)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
