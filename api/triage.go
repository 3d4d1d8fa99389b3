package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/respond"
	"github.com/yagura-sec/yagura/triage"
)

// Triage is what the pages of triage ask and change, besides Rooms.Findings. A
// function that is nil is a talent that this server does not have: what it would
// tell is left out, or answers 501.
type Triage struct {
	// Store takes decisions, exceptions, windows, views, and counts; nil: nobody
	// decides anything here.
	Store TriageStore
	// Expand tells when windows repeat.
	Expand triage.Expand
	// ReadWindows reads a file of planned work, iCalendar or JSON: what could be
	// read, what is allowed and perhaps not meant, and what is wrong in err.
	ReadWindows func(name string, text []byte, now time.Time) (windows []finding.Window, warnings []string, err error)
	// Calendar gives the windows of the configuration's files, which nobody
	// changes here.
	Calendar func(ctx context.Context) ([]finding.Window, error)
	// Activity gives what usage says of who and what is new.
	Activity func(ctx context.Context) (*Activity, error)
	// Gaps gives the gaps of the log that touch [since, until).
	Gaps func(ctx context.Context, since, until time.Time) ([]ledger.Gap, error)
	// Learned gives what could be an exception or a window, as what people have
	// decided and what findings repeat suggest.
	Learned func(ctx context.Context) ([]triage.Proposal, error)
	// Tuning tells of the findings that a scope chooses how good what made them is.
	Tuning func(ctx context.Context, of finding.Scope) (triage.Tuning, error)
	// Causes keeps what was found to be probable causes; nil: they are worked out
	// each time.
	Causes *Causes
	// WriteBack tells other products what was decided about their findings; nil:
	// nobody does.
	WriteBack *respond.Desk
	// LinkKey signs links by which teams register windows; without one there are
	// none.
	LinkKey []byte
}

// TriageStore is what operations ask of triage besides reading findings.
type TriageStore interface {
	triage.Decider
	triage.Bulker
	triage.Counter
	triage.Keeper
	triage.Auditor
	triage.Views
	triage.Registrar
	triage.Decisions
}

// Activity is what usage says of who and what is new. It is shared: do not change
// it.
type Activity struct {
	Principals []FirstSight // each principal in each account, the latest first
	Regions    []FirstSight // each region of each account
	LastEvent  map[string]time.Time
}

// FirstSight is when something was first seen.
type FirstSight struct {
	Name    string
	Account string
	At      time.Time
}

// changing is held while something is looked at and then changed, so that of two
// who change the same thing with the same tag, one is told so.
type changing struct{ sync.Mutex }

// scopeAt reads a scope of a caller, in which times may be relative to now.
func (r Rooms) scopeAt(text string) (finding.Scope, error) {
	s, err := finding.ParseScopeAt(text, r.Now())
	var syntax *query.SyntaxError
	if errors.As(err, &syntax) {
		return s, huma.Error422UnprocessableEntity(syntax.Error(), &huma.ErrorDetail{Message: syntax.Msg, Location: "q", Value: text})
	}
	return s, err
}

// wronged turns what triage refuses into an answer.
func (r Rooms) wronged(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, triage.ErrUnknown):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, triage.ErrChanged):
		return huma.Error412PreconditionFailed(err.Error())
	case errors.Is(err, triage.ErrWrong):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return r.failure(err)
}

// triaging registers the operations that ask rooms.Triage.
func triaging(a huma.API, rooms Rooms) {
	lock := &changing{}
	facets(a, rooms)
	cases(a, rooms)
	decisions(a, rooms, lock)
	evidence(a, rooms)
	timeline(a, rooms)
	similar(a, rooms)
	today(a, rooms)
	exceptions(a, rooms, lock)
	windows(a, rooms, lock)
	windowLinks(a, rooms, lock)
	proposals(a, rooms, lock)
	tuning(a, rooms)
	audit(a, rooms)
	writeBack(a, rooms)
	views(a, rooms, lock)
	registers(a, rooms, lock)
	standing(a, rooms)
}
