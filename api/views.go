package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
)

// View is a question that somebody saved.
type View struct {
	ID     string    `json:"id"`
	Page   string    `json:"page" doc:"findings, search, dashboard, …"`
	Title  string    `json:"title"`
	Query  string    `json:"query" doc:"as the page's address says it"`
	Shared bool      `json:"shared" doc:"everybody sees it; else its owner alone"`
	Owner  string    `json:"owner"`
	At     time.Time `json:"at"`
	Panels []Panel   `json:"panels" doc:"of a dashboard"`
}

// Views are all that somebody sees.
type Views struct {
	Views []View `json:"views"`
	Next  string `json:"next" doc:"always empty: all are told at once"`
}

// Panel is a part of a dashboard. What it shows and how is the console's to say.
type Panel map[string]any

// ViewAsked is what is to be saved.
type ViewAsked struct {
	Page   string  `json:"page" minLength:"1" maxLength:"32"`
	Title  string  `json:"title" minLength:"1" maxLength:"256"`
	Query  string  `json:"query,omitempty" maxLength:"8192"`
	Shared bool    `json:"shared,omitempty"`
	Panels []Panel `json:"panels,omitempty" maxItems:"50"`
}

func viewView(v finding.View) View {
	out := View{ID: v.ID, Page: v.Page, Title: v.Title, Query: v.Query, Shared: v.Shared, Owner: v.Owner, At: v.At, Panels: []Panel{}}
	if len(v.Panels) > 0 {
		// What is kept was made of such a list.
		_ = json.Unmarshal(v.Panels, &out.Panels)
	}
	return out
}

// view gives one that who asks may see.
func (r Rooms) view(ctx context.Context, id string) (View, error) {
	if r.Triage.Store == nil {
		return View{}, absent("views")
	}
	all, err := r.Triage.Store.Views(ctx, "", who(ctx).User)
	if err != nil {
		return View{}, r.failure(err)
	}
	if i := slices.IndexFunc(all, func(v finding.View) bool { return v.ID == id }); i >= 0 {
		return viewView(all[i]), nil
	}
	return View{}, huma.Error404NotFound("there is no view " + id)
}

func views(a huma.API, rooms Rooms, lock *changing) {
	type all struct{ Body Views }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-views", Method: http.MethodGet, Path: "/api/views", Summary: "Saved views and dashboards: one's own and shared ones",
	})), func(ctx context.Context, in *struct {
		Page string `query:"page" maxLength:"32" doc:"of this page; absent: of all"`
	}) (*all, error) {
		if rooms.Triage.Store == nil {
			return nil, absent("views")
		}
		found, err := rooms.Triage.Store.Views(ctx, in.Page, who(ctx).User)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := &all{Views{Views: []View{}}}
		for _, v := range found {
			out.Body.Views = append(out.Body.Views, viewView(v))
		}
		return out, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-view", Method: http.MethodGet, Path: "/api/views/{id}", Summary: "One saved view or dashboard",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*tagged[View], error) {
		v, err := rooms.view(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return tagging(v, v), nil
	})
	putView(a, rooms, lock)
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "delete-view", Method: http.MethodDelete, Path: "/api/views/{id}", Summary: "Take a view of one's own away", DefaultStatus: http.StatusNoContent,
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
	}) (*struct{}, error) {
		lock.Lock()
		defer lock.Unlock()
		v, err := rooms.view(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := in.fresh(v); err != nil {
			return nil, err
		}
		if v.Owner != who(ctx).User {
			return nil, huma.Error403Forbidden("this view is " + v.Owner + "'s")
		}
		return nil, rooms.wronged(rooms.Triage.Store.DeleteView(ctx, in.ID, who(ctx).User))
	})
}

func putView(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "put-view", Method: http.MethodPut, Path: "/api/views/{id}", Summary: "Save a view or dashboard, or change one's own",
		Description: "To share one with everybody needs the role analyst.", MaxBodyBytes: 1 << 20,
	})), func(ctx context.Context, in *struct {
		ID string `path:"id" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$"`
		Conditional
		Body ViewAsked
	}) (*tagged[View], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("views")
		}
		lock.Lock()
		defer lock.Unlock()
		me := who(ctx)
		old, err := rooms.view(ctx, in.ID)
		switch {
		case err != nil && in.IfMatch != "":
			return nil, err
		case err == nil && old.Owner != me.User:
			return nil, huma.Error403Forbidden("this view is " + old.Owner + "'s: save one of your own")
		case err == nil:
			if err := in.fresh(old); err != nil {
				return nil, err
			}
		}
		if in.Body.Shared && !me.Role.May(people.Analyst) {
			return nil, huma.Error403Forbidden("to share a view needs the role analyst; yours is " + string(me.Role))
		}
		v := finding.View{ID: in.ID, Page: in.Body.Page, Title: in.Body.Title, Query: in.Body.Query, Shared: in.Body.Shared, Owner: me.User, At: rooms.Now().UTC()}
		if len(in.Body.Panels) > 0 {
			if v.Panels, err = json.Marshal(in.Body.Panels); err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
		}
		if err := rooms.Triage.Store.SetView(ctx, v); err != nil {
			return nil, rooms.wronged(err)
		}
		kept, err := rooms.view(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return tagging(kept, kept), nil
	})
}
