package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/people"
)

// panelTime bounds one panel's answer.
const panelTime = 30 * time.Second

// Board is a dashboard that a file describes.
type Board struct {
	ID          string           `json:"id"`
	Version     int              `json:"version" doc:"of its file; another one where what it shows is another"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Span        int64            `json:"span" doc:"how far back it looks unless asked otherwise, in seconds"`
	Builtin     bool             `json:"builtin" doc:"it is the program's own"`
	Parameters  []BoardParameter `json:"parameters"`
	Panels      []BoardPanel     `json:"panels"`
}

// BoardParameter is what may be chosen when a dashboard is asked.
type BoardParameter struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Type    string   `json:"type" enum:"text,pattern,number"`
	Default string   `json:"default"`
	Choices []string `json:"choices" doc:"all values there are; empty: any, see the path choices"`
}

// BoardPanel is a panel of a dashboard.
type BoardPanel struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Query       string `json:"query" doc:"the saved query that it shows"`
	Version     int    `json:"version" doc:"of the query"`
	Show        string `json:"show" enum:"timeline,bars,table,number"`
	Wide        bool   `json:"wide"`
	SQL         bool   `json:"sql" doc:"it asks SQL; otherwise a filter"`
}

// boardView is a dashboard in a language.
func boardView(v dashboard.View, language string) Board {
	out := Board{
		ID: v.ID, Version: v.Version, Title: v.Title.In(language), Description: v.Description.In(language), Span: v.Span, Builtin: v.Builtin,
		Parameters: []BoardParameter{}, Panels: []BoardPanel{},
	}
	for _, p := range v.Parameters {
		out.Parameters = append(out.Parameters, BoardParameter{p.Name, p.Title.In(language), p.Type, p.Default, list(p.Choices)})
	}
	for _, p := range v.Panels {
		out.Panels = append(out.Panels, panelView(p, language))
	}
	return out
}

func panelView(p dashboard.PanelView, language string) BoardPanel {
	return BoardPanel{p.ID, p.Title.In(language), p.Description.In(language), p.Query, p.Version, p.Show, p.Wide, p.SQL}
}

// Boards are all of them.
type Boards struct {
	Dashboards []Board `json:"dashboards"`
	Next       string  `json:"next" doc:"always empty: all are told at once"`
}

func dashboardList(a huma.API, rooms Rooms) {
	type all struct{ Body Boards }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-dashboards", Method: http.MethodGet, Path: "/api/dashboards", Summary: "Dashboards that files describe: the program's and one's own",
		Description: "Dashboards that people put together in the console are views of the page dashboard.",
	})), func(ctx context.Context, _ *struct{}) (*all, error) {
		if rooms.Console.Dashboards == nil {
			return nil, absent("dashboards")
		}
		book := rooms.Console.Dashboards()
		out := &all{}
		out.Body.Dashboards = []Board{}
		for _, d := range book.Dashboards() {
			out.Body.Dashboards = append(out.Body.Dashboards, boardView(d.View(book), string(language(ctx))))
		}
		return out, nil
	})
}

// BoardAsked is what a dashboard is asked.
type BoardAsked struct {
	ID    string    `path:"id"`
	Since time.Time `query:"since" doc:"absent: the dashboard's span before until"`
	Until time.Time `query:"until" doc:"absent: now"`
	Param []string  `query:"param,explode" doc:"values of parameters, each name=value" example:"account=111122223333"`
}

// find gives the dashboard and the question about it.
func (in *BoardAsked) find(ctx context.Context, rooms Rooms) (*dashboard.Book, *dashboard.Dashboard, dashboard.Ask, error) {
	if rooms.Console.Dashboards == nil {
		return nil, nil, dashboard.Ask{}, absent("dashboards")
	}
	book := rooms.Console.Dashboards()
	d, ok := book.Dashboard(in.ID)
	if !ok {
		return nil, nil, dashboard.Ask{}, huma.Error404NotFound("there is no dashboard " + in.ID)
	}
	ask := dashboard.Ask{Since: in.Since, Until: in.Until, Values: map[string]string{}, Accounts: who(ctx).Accounts, Now: rooms.Now()}
	for _, p := range in.Param {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return nil, nil, ask, huma.Error422UnprocessableEntity("param: write name=value")
		}
		ask.Values[name] = value
	}
	return book, d, d.Settle(ask), nil
}

// PanelAnswer is a panel and what it shows, or why it shows nothing.
type PanelAnswer struct {
	BoardPanel
	Answer  *dashboard.Answer `json:"answer,omitempty"`
	Problem string            `json:"problem" doc:"why there is no answer; empty: there is one"`
	Seconds float64           `json:"seconds"`
}

// BoardAnswer is a dashboard with its panels' answers.
type BoardAnswer struct {
	ID      string        `json:"id"`
	Version int           `json:"version"`
	Since   time.Time     `json:"since"`
	Until   time.Time     `json:"until"`
	Panels  []PanelAnswer `json:"panels"`
}

func dashboardAnswers(a huma.API, rooms Rooms) {
	type answered struct{ Body BoardAnswer }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-dashboard", Method: http.MethodGet, Path: "/api/dashboards/{id}", Summary: "What a dashboard shows, all of it or some panels",
		Description: "A panel that cannot be answered says why and leaves the others alone.",
	})), func(ctx context.Context, in *struct {
		BoardAsked
		Panel []string `query:"panel" doc:"these panels alone"`
	}) (*answered, error) {
		book, d, ask, err := in.find(ctx, rooms)
		if err != nil {
			return nil, err
		}
		wanted := map[string]bool{}
		for _, id := range in.Panel {
			if _, ok := d.Panel(id); !ok {
				return nil, huma.Error422UnprocessableEntity("panel: the dashboard has no panel " + id)
			}
			wanted[id] = true
		}
		out := &answered{BoardAnswer{d.ID, d.Version, ask.Since, ask.Until, []PanelAnswer{}}}
		for _, v := range d.View(book).Panels {
			if len(wanted) > 0 && !wanted[v.ID] {
				continue
			}
			one, err := rooms.panel(ctx, d, v, ask)
			if err != nil {
				return nil, err
			}
			out.Body.Panels = append(out.Body.Panels, one)
		}
		return out, nil
	})
}

// panel answers one. What is wrong with the question is an error, what stands in the
// way of this panel alone is said by it.
func (r Rooms) panel(ctx context.Context, d *dashboard.Dashboard, v dashboard.PanelView, ask dashboard.Ask) (PanelAnswer, error) {
	p, _ := d.Panel(v.ID)
	out := PanelAnswer{BoardPanel: panelView(v, string(language(ctx)))}
	start := time.Now()
	within, cancel := context.WithTimeout(ctx, panelTime)
	defer cancel()
	answer, err := r.Console.Panel(within, d, p, ask)
	out.Seconds = time.Since(start).Seconds()
	var bad *dashboard.ValueError
	var own *lake.SQLError
	switch {
	case err == nil:
		if answer.Log != nil {
			log := *answer.Log // the answer may be kept for others
			log.Name = log.Title.In(string(language(ctx)))
			answer.Log = &log
		}
		out.Answer = &answer
	case errors.As(err, &bad):
		return out, huma.Error422UnprocessableEntity(err.Error())
	case errors.As(err, &own):
		out.Problem = own.Msg
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		out.Problem = "it took longer than " + panelTime.String()
	default:
		return out, r.failure(err)
	}
	return out, nil
}

func dashboardChoices(a huma.API, rooms Rooms) {
	type found struct{ Body Completions }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-dashboard-choices", Method: http.MethodGet, Path: "/api/dashboards/{id}/choices", Summary: "Values that a parameter of a dashboard may be given",
	})), func(ctx context.Context, in *struct {
		BoardAsked
		Of string `query:"of" required:"true" doc:"the parameter"`
	}) (*found, error) {
		_, d, ask, err := in.find(ctx, rooms)
		if err != nil {
			return nil, err
		}
		values, err := rooms.Console.Choices(ctx, d, in.Of, ask)
		var bad *dashboard.ValueError
		switch {
		case errors.As(err, &bad):
			return nil, huma.Error422UnprocessableEntity(err.Error())
		case err != nil:
			return nil, rooms.failure(err)
		}
		return &found{Completions{list(values)}}, nil
	})
}

// SavedQuery is the file of a saved query.
type SavedQuery struct {
	Query string `json:"query" doc:"as YAML; see docs/dashboards.md"`
}

func queryDraft(a huma.API, rooms Rooms) {
	type drafted struct{ Body SavedQuery }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "search-query", Method: http.MethodGet, Path: "/api/search/query", Summary: "A filter as the file of a saved query",
		Description: "A filter that no saved query can say is refused with the reason (422). Nothing is kept.",
	})), func(_ context.Context, in *struct {
		Q string `query:"q" maxLength:"4096" required:"true"`
	}) (*drafted, error) {
		text, err := dashboard.Draft(in.Q, rooms.Now())
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		return &drafted{SavedQuery{string(text)}}, nil
	})
}
