package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// Proposal is something for a responder to accept or dismiss.
type Proposal struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" enum:"exception,window"`
	From     string    `json:"from" enum:"learned,registered,person" doc:"found by Yagura, told by a team through its link, or proposed by a person"`
	Title    say.Text  `json:"title"`
	Text     say.Text  `json:"text" doc:"what it rests on, in a sentence"`
	Scope    string    `json:"scope" doc:"of an exception: filter over the fields of findings"`
	Window   *Window   `json:"window,omitempty"`
	Owner    string    `json:"owner"`
	Reason   string    `json:"reason"`
	Until    time.Time `json:"until,omitzero" doc:"as proposed, of an exception"`
	By       string    `json:"by" doc:"who proposes it; empty: Yagura"`
	At       time.Time `json:"at,omitzero"`
	Evidence []string  `json:"evidence" doc:"keys of findings"`
	Count    int       `json:"count" doc:"findings that it rests on"`
}

// Proposals are all of them.
type Proposals struct {
	Proposals []Proposal `json:"proposals"`
	Next      string     `json:"next" doc:"always empty: all are told at once"`
}

// proposal is one with what would be kept of it.
type proposal struct {
	Proposal
	exception *finding.Exception
	window    *finding.Window
}

// allProposals are those that wait and that who asks may see.
func (r Rooms) allProposals(ctx context.Context) ([]proposal, error) {
	exceptions, err := r.Triage.Store.Exceptions(ctx)
	if err != nil {
		return nil, r.failure(err)
	}
	windows, err := r.Triage.Store.Windows(ctx)
	if err != nil {
		return nil, r.failure(err)
	}
	var out []proposal
	known := map[string]bool{} // what was accepted or dismissed is not proposed again
	for _, x := range exceptions {
		known[x.ID] = true
		if x.State == finding.ExceptionProposed {
			out = append(out, r.ofException(x, "person", say.Plain(x.Title), say.Text{}, len(x.Evidence)))
		}
	}
	for _, w := range windows {
		known[w.ID] = true
		if w.State == finding.WindowProposed {
			from := "person"
			if len(w.By) > 5 && w.By[:5] == "link " {
				from = "registered"
			}
			out = append(out, r.ofWindow(w, from, say.Plain(w.Title), say.Text{}, len(w.Evidence)))
		}
	}
	if r.Triage.Learned == nil {
		return out, nil
	}
	learned, err := r.Triage.Learned(ctx)
	if err != nil {
		return nil, r.failure(err)
	}
	me := who(ctx)
	for _, l := range learned {
		switch {
		case l.Exception != nil && !known[l.Exception.ID] && scopeWithin(l.Exception.Scope, me):
			out = append(out, r.ofException(*l.Exception, "learned", l.Title, l.Text, l.Count))
		case l.Window != nil && !known[l.Window.ID] && windowWithin(l.Window, me):
			out = append(out, r.ofWindow(*l.Window, "learned", l.Title, l.Text, l.Count))
		}
	}
	return out, nil
}

func (r Rooms) ofException(x finding.Exception, from string, title, text say.Text, count int) proposal {
	return proposal{Proposal{
		ID: x.ID, Kind: "exception", From: from, Title: title, Text: cmp.Or(text, say.Plain(x.Reason)), Scope: x.Scope.String(), Owner: x.Owner,
		Reason: x.Reason, Until: x.Until, By: x.By, At: x.At, Evidence: list(x.Evidence), Count: count,
	}, &x, nil}
}

func (r Rooms) ofWindow(w finding.Window, from string, title, text say.Text, count int) proposal {
	v := ViewWindow(w, r.Now(), r.Triage.Expand)
	return proposal{Proposal{
		ID: w.ID, Kind: "window", From: from, Title: title, Text: text, Scope: w.Scope.String(), Window: &v, Owner: w.Owner,
		By: w.By, At: w.At, Evidence: list(w.Evidence), Count: count,
	}, nil, &w}
}

// ProposalAnswer is what a responder says of a proposal.
type ProposalAnswer struct {
	Accept  bool       `json:"accept,omitempty" doc:"this or dismiss"`
	Dismiss bool       `json:"dismiss,omitempty"`
	Owner   string     `json:"owner,omitempty" maxLength:"128" doc:"who answers for it; absent: as proposed, or who accepts it"`
	Reason  string     `json:"reason,omitempty" maxLength:"8192" doc:"why; absent: as proposed"`
	Until   *time.Time `json:"until,omitempty" doc:"of an exception; absent: as proposed"`
	Scope   *string    `json:"scope,omitempty" maxLength:"8192" doc:"of an exception: another one than proposed"`
}

// Answered is what became of a proposal.
type Answered struct {
	State     string     `json:"state" enum:"accepted,dismissed"`
	Exception *Exception `json:"exception,omitempty"`
	Window    *Window    `json:"window,omitempty"`
}

func proposals(a huma.API, rooms Rooms, lock *changing) {
	type all struct{ Body Proposals }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-proposals", Method: http.MethodGet, Path: "/api/proposals", Summary: "Exceptions and windows that wait for a responder",
		Description: "What people and teams propose, and what Yagura has learned from decisions and repetitions. None of them explains anything before it is accepted.",
	})), func(ctx context.Context, _ *struct{}) (*all, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("proposals")
		}
		found, err := rooms.allProposals(ctx)
		if err != nil {
			return nil, err
		}
		out := &all{Proposals{Proposals: []Proposal{}}}
		for _, p := range found {
			out.Body.Proposals = append(out.Body.Proposals, p.Proposal)
		}
		return out, nil
	})
	type answered struct{ Body Answered }
	huma.Register(a, need(people.Responder, within(huma.Operation{
		OperationID: "answer-proposal", Method: http.MethodPost, Path: "/api/proposals/{id}", Summary: "Accept or dismiss a proposal",
	})), func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Body ProposalAnswer
	}) (*answered, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("proposals")
		}
		if in.Body.Accept == in.Body.Dismiss {
			return nil, huma.Error422UnprocessableEntity("say either accept or dismiss")
		}
		lock.Lock()
		defer lock.Unlock()
		found, err := rooms.allProposals(ctx)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(found, func(p proposal) bool { return p.ID == in.ID })
		if i < 0 {
			return nil, huma.Error404NotFound("there is no such proposal, or it was answered already")
		}
		out, err := rooms.answer(ctx, found[i], in.Body)
		if err != nil {
			return nil, err
		}
		return &answered{out}, nil
	})
}

// answer keeps what was said of p.
func (r Rooms) answer(ctx context.Context, p proposal, b ProposalAnswer) (Answered, error) {
	out, me := Answered{State: "accepted"}, who(ctx)
	if b.Dismiss {
		out.State = "dismissed"
	}
	// What is kept has one language: that of who answers.
	title := p.Title.In(language(ctx))
	if w := p.window; w != nil {
		w.Title = title
		w.Owner, w.State = cmp.Or(b.Owner, w.Owner, me.User), finding.WindowActive
		if b.Dismiss {
			w.State = finding.WindowCancelled
		} else if w.Unscoped() {
			return out, huma.Error422UnprocessableEntity("the window names nothing that it covers: it would explain everything in its time")
		}
		kept, err := r.setWindow(ctx, *w)
		if err == nil {
			out.Window = &kept.Body
		}
		return out, err
	}
	x := p.exception
	x.Title = title
	x.Owner, x.Reason, x.State = cmp.Or(b.Owner, x.Owner, me.User), cmp.Or(b.Reason, x.Reason, p.Text.In(language(ctx))), finding.ExceptionActive
	set(&x.Until, b.Until)
	if b.Scope != nil {
		var err error
		if x.Scope, err = r.scopeAt(*b.Scope); err != nil {
			return out, err
		}
	}
	if b.Dismiss {
		Revoke(x, me.By(), r.Now())
	}
	kept, err := r.setException(ctx, *x)
	if err == nil {
		out.Exception = &kept.Body
	}
	return out, err
}
