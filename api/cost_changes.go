package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// CostChanges is who changes how much in one account, as scripts read it, from the
// API and from `cost changes --format json` alike.
type CostChanges struct {
	Account string          `json:"account"`
	Since   time.Time       `json:"since,omitzero"`
	Until   time.Time       `json:"until,omitzero"`
	Days    []CostChangeDay `json:"days" doc:"the earliest first; what is not here did not happen, or was not logged"`
	Makers  []CostMaker     `json:"makers" doc:"who makes most first"`
	Loops   []CostLoop      `json:"loops" doc:"what is made and deleted again and again"`
	Items   CostItems       `json:"items" doc:"configuration items that these changes make"`
	Said    []say.Text      `json:"said" doc:"all of it in sentences, what matters most first"`
}

// CostChangeDay is how often an operation was called on a day.
type CostChangeDay struct {
	Day       string `json:"day" example:"2026-03-24" doc:"in UTC"`
	Operation string `json:"operation" example:"CreateNetworkInterface"`
	Count     int64  `json:"count"`
}

// CostMaker is a service, cluster, function or person that changes something.
type CostMaker struct {
	Maker      string   `json:"maker" doc:"as the log names it; empty: the log does not tell"`
	Kind       string   `json:"kind" example:"ecs_service"`
	Operations []string `json:"operations"`
	Count      int64    `json:"count"`
	Share      float64  `json:"share" doc:"of all changes that were looked at, 0 to 1"`
}

// CostLoop is something that is made and deleted again and again: stopping it saves
// what no setting does.
type CostLoop struct {
	Maker    string    `json:"maker"`
	Kind     string    `json:"kind"`
	PerDay   float64   `json:"per_day" doc:"how many are made"`
	Life     float64   `json:"life_seconds_median" doc:"how long one is there"`
	Since    time.Time `json:"since,omitzero"`
	Saving   *Amount   `json:"saving_month,omitempty" doc:"of a month of 30 days without it; absent: not known"`
	Currency string    `json:"currency" doc:"of the saving"`
	Said     say.Text  `json:"said"`
}

// CostItems are configuration items, estimated or counted.
type CostItems struct {
	Basis cost.Basis `json:"basis" enum:"metric,history,estimate" doc:"how they were counted"`
	Low   int64      `json:"low" doc:"-1: not known"`
	High  int64      `json:"high" doc:"-1: not known"`
}

func costChanges(a huma.API, rooms Rooms) {
	type answered struct{ Body CostChanges }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-cost-changes", Method: http.MethodGet, Path: "/api/cost/changes", Summary: "How much is changed in an account, by whom, and what runs in circles",
		Description: "Changes are what configuration recording is billed by.",
	})), func(ctx context.Context, in *struct {
		Account string    `query:"account" required:"true" minLength:"1" maxLength:"512"`
		Since   time.Time `query:"since" doc:"absent: the latest week of the log"`
		Until   time.Time `query:"until"`
	}) (*answered, error) {
		if rooms.Cost.Changes == nil {
			return nil, absent("changes by operation")
		}
		if _, err := accountsOf(ctx, []string{in.Account}); err != nil {
			return nil, err
		}
		if !in.Since.IsZero() && !in.Until.IsZero() && !in.Since.Before(in.Until) {
			return nil, huma.Error422UnprocessableEntity("since is to be before until")
		}
		found, err := rooms.Cost.Changes(ctx, in.Account, in.Since, in.Until)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &answered{found}, nil
	})
}
