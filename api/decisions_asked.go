package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// QuestionAsked is what somebody outside was asked.
type QuestionAsked struct {
	Vendor   string     `json:"vendor" minLength:"1" maxLength:"512"`
	Case     string     `json:"case,omitempty" maxLength:"512" doc:"its number"`
	Question string     `json:"question" minLength:"1" maxLength:"8000"`
	At       *time.Time `json:"at,omitempty" doc:"absent: now"`
}

// AnswerAsked is what came back.
type AnswerAsked struct {
	Question string     `json:"question,omitempty" maxLength:"64" doc:"its id; absent: the latest" example:"q1"`
	Text     string     `json:"text" minLength:"1" maxLength:"8000"`
	At       *time.Time `json:"at,omitempty" doc:"absent: now"`
}

func askVendor(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "ask-vendor", Method: http.MethodPost, Path: "/api/decisions/{id}/questions", Summary: "Note what a vendor was asked",
		Description: "Nothing is sent.",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
		Body QuestionAsked
	}) (*tagged[StandingDecision], error) {
		q := decision.Inquiry{Vendor: in.Body.Vendor, Case: in.Body.Case, Question: in.Body.Question, At: rooms.Now(), By: who(ctx).By()}
		set(&q.At, in.Body.At)
		return rooms.changeStanding(ctx, lock, in.ID, in.Conditional, "", func(d *decision.Decision) error {
			d.Asked = append(d.Asked, q)
			return nil
		})
	})
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "note-answer", Method: http.MethodPost, Path: "/api/decisions/{id}/answers", Summary: "Note what a vendor answered",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
		Body AnswerAsked
	}) (*tagged[StandingDecision], error) {
		answer := decision.Answer{Text: in.Body.Text, At: rooms.Now(), By: who(ctx).By()}
		set(&answer.At, in.Body.At)
		return rooms.changeStanding(ctx, lock, in.ID, in.Conditional, "", func(d *decision.Decision) error {
			if !d.Answer(in.Body.Question, answer) {
				return huma.Error422UnprocessableEntity("nothing was asked by that id: note the question first")
			}
			return nil
		})
	})
}

// StandingChange is one step of a decision's history.
type StandingChange struct {
	At     time.Time        `json:"at"`
	By     string           `json:"by"`
	Note   string           `json:"note" doc:"why"`
	Action string           `json:"action" enum:"create,change,ask,answer,reopen"`
	Before decision.Verdict `json:"verdict_before" doc:"empty: there was none"`
	After  decision.Verdict `json:"verdict"`
	Text   say.Text         `json:"text" doc:"what changed, as the audit trail has it"`
}

// StandingHistory is how a decision came about.
type StandingHistory struct {
	ID      string           `json:"id"`
	Changes []StandingChange `json:"changes" doc:"the latest first"`
}

// ViewStandingHistory gives a decision's changes as scripts read them.
func ViewStandingHistory(id string, all []decision.Change) StandingHistory {
	v := StandingHistory{ID: id, Changes: []StandingChange{}}
	for i := range all {
		c := &all[i]
		x := StandingChange{At: c.At, By: c.By, Note: c.Note, Action: c.Action, After: c.After.Verdict, Text: triage.DecisionSaid(c)}
		if c.Before != nil {
			x.Before = c.Before.Verdict
		}
		v.Changes = append(v.Changes, x)
	}
	return v
}

func standingHistory(a huma.API, rooms Rooms) {
	type told struct{ Body StandingHistory }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-decision-history", Method: http.MethodGet, Path: "/api/decisions/{id}/history", Summary: "Who changed a decision, when and why",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*told, error) {
		if _, err := rooms.standingDecision(ctx, in.ID); err != nil {
			return nil, err
		}
		changes, err := rooms.Triage.Store.DecisionHistory(ctx, in.ID)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &told{ViewStandingHistory(in.ID, changes)}, nil
	})
}

// StandingQuarter is what decisions came to in a quarter.
type StandingQuarter struct {
	Quarter  string `json:"quarter" example:"2026-Q4" doc:"of UTC"`
	Currency string `json:"currency"`
	Found    Amount `json:"found" doc:"a month's saving of decisions first written down in the quarter"`
	Done     Amount `json:"done" doc:"a month's saving of those that came to be taken in it"`
	Saved    Amount `json:"saved" doc:"of the quarter itself, by what was taken; to the hundredth"`
	Lost     Amount `json:"lost" doc:"of the quarter itself, by what was deferred or rejected; to the hundredth"`
}

// StandingSummary is what decisions came to.
type StandingSummary struct {
	Quarters  []StandingQuarter `json:"quarters" doc:"the earliest first, a currency each"`
	Undecided []StandingSaving  `json:"undecided" doc:"a month's saving of advice that nobody has decided about, a currency each"`
	Known     bool              `json:"undecided_known" doc:"false: no advice is known, and that says nothing"`
}

// ViewSummary gives what decisions came to as scripts read it; a nil undecided is
// not known.
func ViewSummary(quarters []decision.Quarter, undecided []decision.Saving) StandingSummary {
	v := StandingSummary{Quarters: []StandingQuarter{}, Undecided: []StandingSaving{}, Known: undecided != nil}
	number := func(s string) Amount { return Amount{decimal.RequireFromString(s)} } // decimals of our own
	for _, q := range quarters {
		v.Quarters = append(v.Quarters, StandingQuarter{q.Quarter, q.Currency, number(q.Found), number(q.Done), number(q.Saved), number(q.Lost)})
	}
	for _, s := range undecided {
		if x := viewSaving(s); x != nil {
			v.Undecided = append(v.Undecided, *x)
		}
	}
	return v
}

func standingSummary(a huma.API, rooms Rooms) {
	type told struct{ Body StandingSummary }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "summarise-decisions", Method: http.MethodGet, Path: "/api/decisions/summary", Summary: "Savings found, done and lost, by quarter",
	})), func(ctx context.Context, _ *struct{}) (*told, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		changes, err := rooms.Triage.Store.DecisionHistory(ctx, "")
		if err != nil {
			return nil, rooms.failure(err)
		}
		var undecided []decision.Saving
		if rooms.Decisions.Undecided != nil {
			if undecided, err = rooms.Decisions.Undecided(ctx, slices.Clone(who(ctx).Accounts)); err != nil {
				return nil, rooms.failure(err)
			}
		}
		return &told{ViewSummary(decision.Summary(changes, rooms.Now()), undecided)}, nil
	})
}
