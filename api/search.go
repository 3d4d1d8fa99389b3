package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
)

// Event is an event as scripts read it: its columns, and the record itself.
type Event struct {
	event.Event
	Raw json.RawMessage `json:"raw"`
}

// ViewEvent gives e as scripts read it.
func ViewEvent(e event.Event) Event {
	raw := json.RawMessage(e.Raw)
	if len(raw) == 0 {
		raw = json.RawMessage("null")
	}
	return Event{Event: e, Raw: raw}
}

type searchInput struct {
	Q           string    `query:"q" doc:"filter: field:value, phrases, wildcards, ranges, and, or, not" example:"api_operation:GetSecretValue outcome:denied"`
	Since       time.Time `query:"since"`
	Until       time.Time `query:"until"`
	Limit       int       `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	OldestFirst bool      `query:"oldest_first"`
}

// searchTime bounds one search: a scan over everything is cut off, visibly.
const searchTime = 30 * time.Second

func search(a huma.API, rooms Rooms) {
	type found struct {
		Body struct {
			Events []Event `json:"events"`
			More   bool    `json:"more" doc:"there are more than the limit"`
		}
	}
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "search", Method: http.MethodGet, Path: "/api/search", Summary: "Events that satisfy a filter, newest first",
	})), func(ctx context.Context, in *searchInput) (*found, error) {
		where, err := query.ParseAt(in.Q, rooms.Now())
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		ctx, cancel := context.WithTimeout(ctx, searchTime)
		defer cancel()
		out := &found{}
		out.Body.Events = []Event{}
		q := query.Query{Where: where, Since: in.Since, Until: in.Until, Limit: in.Limit + 1, OldestFirst: in.OldestFirst}
		for e, err := range rooms.Select(ctx, q) {
			if err != nil {
				return nil, rooms.failure(err)
			}
			if len(out.Body.Events) == in.Limit {
				out.Body.More = true
				break
			}
			out.Body.Events = append(out.Body.Events, ViewEvent(e))
		}
		return out, nil
	})
}
