package api

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/people"
)

func ledgers(a huma.API, rooms Rooms) {
	type report struct{ Body ledger.Report }
	huma.Register(a, need(people.Viewer, huma.Operation{
		OperationID: "ledger", Method: http.MethodGet, Path: "/api/ledger", Summary: "The account of every record: totals, coverage, gaps, quarantine",
	}), func(ctx context.Context, _ *struct{}) (*report, error) {
		r, err := rooms.Report(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &report{r}, nil
	})
	type formats struct{ Body ledger.ByFormat }
	huma.Register(a, need(people.Viewer, huma.Operation{
		OperationID: "ledger-formats", Method: http.MethodGet, Path: "/api/ledger/formats", Summary: "The account of the records of each format, and why records of it are in quarantine",
	}), func(ctx context.Context, _ *struct{}) (*formats, error) {
		if rooms.Console.Formats == nil {
			return nil, absent("the account by format")
		}
		f, err := rooms.Console.Formats(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &formats{f}, nil
	})
	type objects struct {
		Body struct {
			Objects []ledger.Object `json:"objects"`
			Next    string          `json:"next" doc:"cursor of the following page; empty at the end"`
		}
	}
	huma.Register(a, need(people.Viewer, huma.Operation{
		OperationID: "ledger-objects", Method: http.MethodGet, Path: "/api/ledger/objects", Summary: "The account of each object",
	}), func(ctx context.Context, in *struct {
		State  []ledger.State `query:"state" enum:"listed,partial,growing,superseded,complete,failed,aside" doc:"one of these"`
		Limit  int            `query:"limit" default:"100" minimum:"1" maximum:"10000"`
		Cursor string         `query:"cursor"`
	}) (*objects, error) {
		after, err := parseCursor(in.Cursor)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		out := &objects{}
		out.Body.Objects = []ledger.Object{}
		for o, err := range rooms.Ledger.Objects(ctx, ledger.ObjectFilter{States: in.State, After: after}) {
			if err != nil {
				return nil, rooms.failure(err)
			}
			if len(out.Body.Objects) == in.Limit {
				last := out.Body.Objects[in.Limit-1]
				out.Body.Next = cursor(ledger.Place{Name: last.Name, Version: last.Version})
				break
			}
			out.Body.Objects = append(out.Body.Objects, o)
		}
		return out, nil
	})
}

// cursor is the text form of p.
func cursor(p ledger.Place) string {
	b := binary.AppendUvarint(nil, uint64(len(p.Name)))
	return base64.RawURLEncoding.EncodeToString(append(append(b, p.Name...), p.Version...))
}

// parseCursor reads that form; an empty one is before all.
func parseCursor(s string) (p ledger.Place, err error) {
	if s == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	length, n := binary.Uvarint(b)
	if err != nil || n <= 0 || length > uint64(len(b)-n) {
		return p, fmt.Errorf("cursor %q: not one that this list gave", s)
	}
	name, version := b[n:n+int(length)], b[n+int(length):]
	return ledger.Place{Name: string(name), Version: string(version)}, nil
}
