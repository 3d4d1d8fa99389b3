package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/ledger"
)

func ledgers(a huma.API, rooms Rooms) {
	type report struct{ Body ledger.Report }
	huma.Register(a, huma.Operation{
		OperationID: "ledger", Method: http.MethodGet, Path: "/api/ledger", Summary: "The account of every record: totals, coverage, gaps, quarantine",
	}, func(ctx context.Context, _ *struct{}) (*report, error) {
		r, err := rooms.Report(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &report{r}, nil
	})
	type objects struct {
		Body struct {
			Objects []ledger.Object `json:"objects"`
			More    bool            `json:"more" doc:"there are more than the limit"`
		}
	}
	huma.Register(a, huma.Operation{
		OperationID: "ledger-objects", Method: http.MethodGet, Path: "/api/ledger/objects", Summary: "The account of each object",
	}, func(ctx context.Context, in *struct {
		State []ledger.State `query:"state" enum:"listed,partial,growing,superseded,complete,failed,aside" doc:"one of these"`
		Limit int            `query:"limit" default:"100" minimum:"1" maximum:"10000"`
	}) (*objects, error) {
		out := &objects{}
		out.Body.Objects = []ledger.Object{}
		for o, err := range rooms.Ledger.Objects(ctx, ledger.ObjectFilter{States: in.State}) {
			if err != nil {
				return nil, rooms.failure(err)
			}
			if len(out.Body.Objects) == in.Limit {
				out.Body.More = true
				break
			}
			out.Body.Objects = append(out.Body.Objects, o)
		}
		return out, nil
	})
}
