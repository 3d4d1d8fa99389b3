package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/respond"
)

// WriteBackAsked is what is to be sent.
type WriteBackAsked struct {
	Plan string `json:"plan" minLength:"1" maxLength:"64" doc:"the id of the plan that was looked at; 409 where something else would be sent by now"`
}

// writeBack shows what would be told to the product whose finding it is, and tells
// it.
func writeBack(a huma.API, rooms Rooms) {
	type planned struct{ Body respond.Plan }
	huma.Register(a, need(people.Responder, within(huma.Operation{
		OperationID: "write-back-plan", Method: http.MethodGet, Path: "/api/findings/{key}/write-back",
		Summary:     "What would be told to the product whose finding it is, and what was",
		Description: "Nothing is sent. Without an id nothing can be sent from here, and why says why.",
	})), func(ctx context.Context, in *KeyInput) (*planned, error) {
		if rooms.Triage.WriteBack == nil {
			return nil, absent("what other products were told")
		}
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		p, err := rooms.Triage.WriteBack.Plan(ctx, &f)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &planned{p}, nil
	})
	type sent struct{ Body respond.Sent }
	huma.Register(a, need(people.Responder, within(huma.Operation{
		OperationID: "write-back", Method: http.MethodPost, Path: "/api/findings/{key}/write-back",
		Summary:     "Tell the product whose finding it is what was decided here",
		Description: "Exactly what the plan shows is sent. What came of it is in the audit trail and in the plan.",
	})), func(ctx context.Context, in *struct {
		Key  string `path:"key"`
		Body WriteBackAsked
	}) (*sent, error) {
		if rooms.Triage.WriteBack == nil {
			return nil, absent("what other products were told")
		}
		f, err := rooms.Findings.Get(ctx, in.Key)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out, err := rooms.Triage.WriteBack.Apply(ctx, &f, in.Body.Plan, who(ctx).By())
		switch {
		case errors.Is(err, respond.ErrOff):
			return nil, huma.Error422UnprocessableEntity(err.Error())
		case errors.Is(err, respond.ErrChanged):
			return nil, huma.Error409Conflict(err.Error())
		case err != nil && out.Step == respond.Failed:
			// The product's refusal is what a person has to read.
			return nil, huma.Error502BadGateway(f.Product() + ": " + err.Error())
		case err != nil:
			return nil, rooms.failure(err)
		}
		return &sent{out}, nil
	})
}
