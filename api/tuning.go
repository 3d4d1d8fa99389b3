package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

func tuning(a huma.API, rooms Rooms) {
	type told struct{ Body triage.Tuning }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "tuning", Method: http.MethodGet, Path: "/api/tuning", Summary: "How good rules and products are, by what people decided, and how long findings wait",
		Description: "Of the findings that q chooses. It may be some minutes old.",
	})), func(ctx context.Context, in *struct {
		Q string `query:"q" maxLength:"4096" doc:"filter, as the list of findings takes it"`
	}) (*told, error) {
		if rooms.Triage.Tuning == nil {
			return nil, absent("verdicts")
		}
		scope, err := rooms.scopeAt(in.Q)
		if err != nil {
			return nil, err
		}
		t, err := rooms.Triage.Tuning(ctx, scope.And(findingsOf(who(ctx))))
		if err != nil {
			return nil, rooms.failure(err)
		}
		t.Rules, t.Sources, t.Times = list(t.Rules), list(t.Sources), list(t.Times)
		return &told{t}, nil
	})
}
