package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

// DecisionAsked is what a person decides. Who and when are the server's to say.
type DecisionAsked struct {
	Status   finding.Status  `json:"status,omitempty" enum:"new,in_progress,resolved,suppressed" doc:"absent: unchanged"`
	Verdict  finding.Verdict `json:"verdict,omitempty" enum:"true_positive,false_positive,expected,undetermined" doc:"absent: unchanged"`
	Reason   string          `json:"reason,omitempty" maxLength:"64" doc:"reason code of the verdict" example:"planned_change"`
	Cause    finding.Cause   `json:"cause,omitempty" enum:"deploy,person,drift,provider,attack,unknown"`
	Assignee string          `json:"assignee,omitempty" maxLength:"128"`
	Comment  string          `json:"comment,omitempty" maxLength:"8192"`
}

// decision is what is kept of d.
func (d DecisionAsked) decision(ctx context.Context, r Rooms) (finding.Decision, error) {
	out := finding.Decision{
		At: r.Now().UTC(), By: who(ctx).By(), Status: d.Status, Verdict: d.Verdict, Reason: d.Reason, Cause: d.Cause,
		Assignee: d.Assignee, Comment: d.Comment,
	}
	if err := out.Check(); err != nil {
		return out, huma.Error422UnprocessableEntity(err.Error())
	}
	return out, nil
}

// BulkDone is what became of a bulk action.
type BulkDone struct {
	Group   string          `json:"group" doc:"by which it can be taken back"`
	Decided int             `json:"decided"`
	Failed  []triage.Failed `json:"failed"`
}

// BulkAsked is what is to be decided about several findings.
type BulkAsked struct {
	Keys     []string      `json:"keys,omitempty" maxItems:"100000" doc:"these, or q"`
	Q        string        `json:"q,omitempty" maxLength:"4096" doc:"filter, as the list of findings takes it"`
	Demoted  bool          `json:"demoted,omitempty" doc:"with q: also findings of rules that match too much"`
	Staged   bool          `json:"staged,omitempty" doc:"with q: also findings of rules on trial"`
	Folded   bool          `json:"folded,omitempty" doc:"with q: also findings that are folded into another; those of what q chooses are decided with it anyway"`
	Expect   *int          `json:"expect,omitempty" minimum:"0" doc:"with q: how many the person has seen it choose; 412 where it is more than that by now"`
	Decision DecisionAsked `json:"decision"`
}

// UndoAsked is what is to be taken back.
type UndoAsked struct {
	ID    string `json:"id,omitempty" maxLength:"128" doc:"of a decision; this or group"`
	Group string `json:"group,omitempty" maxLength:"128" doc:"of a bulk action"`
}

// Undone is what was taken back.
type Undone struct {
	Undone int `json:"undone" doc:"about so many findings; 0: all was taken back before"`
}

// bulkMost is how many findings are decided about at once.
const bulkMost = 100_000

func decisions(a huma.API, rooms Rooms, lock *changing) {
	decideOne(a, rooms, lock)
	decideMany(a, rooms, lock)
	type taken struct{ Body Undone }
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "undo-decisions", Method: http.MethodPost, Path: "/api/decisions/undo", Summary: "Take back a decision, or all of a bulk action",
		Description: "By new decisions: nothing is deleted.",
	})), func(ctx context.Context, in *struct {
		Body UndoAsked
	}) (*taken, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		lock.Lock()
		defer lock.Unlock()
		n, err := rooms.Triage.Store.Undo(ctx, triage.Undo{ID: in.Body.ID, Group: in.Body.Group, By: who(ctx).By(), At: rooms.Now().UTC()})
		if err != nil {
			return nil, rooms.wronged(err)
		}
		rooms.Live.Missed() // what it was about is not told one by one
		return &taken{Undone{n}}, nil
	})
}

func decideOne(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "decide", Method: http.MethodPost, Path: "/api/findings/{key}/decisions", Summary: "Decide, comment or assign",
	})), func(ctx context.Context, in *struct {
		Key string `path:"key"`
		Conditional
		Body DecisionAsked
	}) (*tagged[Finding], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		d, err := in.Body.decision(ctx, rooms)
		if err != nil {
			return nil, err
		}
		lock.Lock()
		defer lock.Unlock()
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		if err := in.fresh(&f); err != nil {
			return nil, err
		}
		if f, err = rooms.Triage.Store.Decide(ctx, f.Key, d); err != nil {
			return nil, rooms.wronged(err)
		}
		rooms.Live.Finding(ViewNews(&f, "decided"))
		return rooms.single(ctx, &f)
	})
}

// toldMost is how many findings of a bulk action listeners are told of one by one.
const toldMost = 50

func decideMany(a huma.API, rooms Rooms, lock *changing) {
	type done struct{ Body BulkDone }
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "decide-all", Method: http.MethodPost, Path: "/api/decisions", Summary: "Decide about several findings at once",
		Description:  "About those named by keys, or all that q chooses. What cannot be decided is told of, and the others are decided.",
		MaxBodyBytes: 8 << 20,
	})), func(ctx context.Context, in *struct {
		Body BulkAsked
	}) (*done, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("decisions")
		}
		d, err := in.Body.Decision.decision(ctx, rooms)
		if err != nil {
			return nil, err
		}
		if (len(in.Body.Keys) == 0) == (in.Body.Q == "") {
			return nil, huma.Error422UnprocessableEntity("say what to decide about: keys, or a filter in q")
		}
		lock.Lock()
		defer lock.Unlock()
		keys := slices.Compact(slices.Sorted(slices.Values(in.Body.Keys)))
		if in.Body.Q != "" {
			scope, err := rooms.scopeAt(in.Body.Q)
			if err != nil {
				return nil, err
			}
			f := triage.Filter{Scope: scope, Demoted: in.Body.Demoted, Staged: in.Body.Staged, Folded: in.Body.Folded, Limit: bulkMost + 1}
			if keys, err = rooms.Triage.Store.Keys(ctx, f); err != nil {
				return nil, rooms.wronged(err)
			}
			switch {
			case len(keys) > bulkMost:
				return nil, huma.Error422UnprocessableEntity("that is about more than 100,000 findings: choose fewer at once")
			case in.Body.Expect != nil && len(keys) > *in.Body.Expect:
				return nil, huma.Error412PreconditionFailed("the filter chooses more findings than before: look at it again")
			}
		}
		bulk, err := rooms.Triage.Store.DecideAll(ctx, keys, d)
		if err != nil {
			return nil, rooms.wronged(err)
		}
		rooms.tell(ctx, keys, bulk)
		return &done{BulkDone{bulk.Group, bulk.Decided, list(bulk.Failed)}}, nil
	})
}

// tell listeners of what was decided.
func (r Rooms) tell(ctx context.Context, keys []string, bulk triage.Bulk) {
	if !r.Live.Listened() {
		return
	}
	if len(keys) > toldMost {
		r.Live.Missed()
		return
	}
	for _, key := range keys {
		if slices.ContainsFunc(bulk.Failed, func(f triage.Failed) bool { return f.Key == key }) {
			continue
		}
		// News are a courtesy: what cannot be read now is in the list.
		if f, err := r.Findings.Get(ctx, key); err == nil {
			r.Live.Finding(ViewNews(&f, "decided"))
		}
	}
}
