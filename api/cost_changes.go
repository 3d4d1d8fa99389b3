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
	Account   string          `json:"account"`
	Since     time.Time       `json:"since"`
	Until     time.Time       `json:"until"`
	Total     int64           `json:"total" doc:"changes"`
	Days      []CostChangeDay `json:"days" doc:"the earliest first; what is not here did not happen, or was not logged"`
	Makers    []CostMaker     `json:"makers" doc:"who makes most first"`
	Loops     []CostLoop      `json:"loops" doc:"what is made and deleted again and again"`
	Schedules []CostSchedule  `json:"schedules" doc:"what looks like a loop and is none"`
	Items     CostItems       `json:"items" doc:"configuration items that these changes make"`
	Read      CostRead        `json:"read" doc:"the records that makers were told from"`
}

// CostChangeDay is how often an operation succeeded on a day.
type CostChangeDay struct {
	Day       string `json:"day" example:"2026-03-24" doc:"in UTC"`
	Operation string `json:"operation" example:"CreateNetworkInterface"`
	Count     int64  `json:"count"`
}

// CostMaker is a service, cluster, function or person that changes something.
type CostMaker struct {
	Maker      string          `json:"maker" doc:"as the log names it; empty: the log does not tell"`
	Kind       string          `json:"kind" example:"ecs_service"`
	Operations []CostOperation `json:"operations" doc:"the most first"`
	Count      int64           `json:"count"`
	Share      float64         `json:"share" doc:"of all changes, 0 to 1"`
	Estimated  bool            `json:"estimated" doc:"its records are of a part of the time, and were multiplied"`
}

// CostOperation is how much of an operation a maker does.
type CostOperation struct {
	Operation string  `json:"operation"`
	Count     int64   `json:"count"`
	Share     float64 `json:"share" doc:"of all such changes of the account, 0 to 1"`
}

// CostLoop is something that is made and deleted again and again: stopping it saves
// what no setting does.
type CostLoop struct {
	Maker         string    `json:"maker"`
	Kind          string    `json:"kind"`
	Service       string    `json:"service" doc:"of ECS; empty: it is none, or not known"`
	Cluster       string    `json:"cluster" doc:"of ECS"`
	Thing         string    `json:"thing" example:"network interface"`
	PerDay        int64     `json:"per_day" doc:"things that are made"`
	ChangesPerDay int64     `json:"changes_per_day" doc:"each thing is made and deleted"`
	Share         float64   `json:"share" doc:"of all such things of the account, 0 to 1"`
	Life          float64   `json:"life_seconds_median" doc:"how long one is there"`
	Since         time.Time `json:"since"`
	SinceBefore   bool      `json:"since_before" doc:"it went on when the records that were read begin"`
	Until         time.Time `json:"until,omitzero" doc:"when it ended; absent: it goes on"`
	Peers         *int64    `json:"peers_per_day,omitempty" doc:"what others of its kind make, at the median; absent: there are none"`
	Past          *int64    `json:"past_per_day,omitempty" doc:"what it made before; absent: not known"`
	Saving        *Amount   `json:"saving_month,omitempty" doc:"of 30 days without it; absent: see the note"`
	Low           *Amount   `json:"saving_low,omitempty" doc:"the least that is, where items are estimated"`
	High          *Amount   `json:"saving_high,omitempty" doc:"the most that is, where items are estimated"`
	Currency      string    `json:"currency" doc:"of the saving"`
	Note          say.Text  `json:"saving_note"`
	Said          say.Text  `json:"text" doc:"all of it in a sentence"`
}

// CostSchedule is what looks like a loop and is none.
type CostSchedule struct {
	Maker  string   `json:"maker"`
	Kind   string   `json:"kind"`
	Thing  string   `json:"thing"`
	PerDay int64    `json:"per_day"`
	Said   say.Text `json:"text" doc:"why it is none"`
}

// CostItems are configuration items, estimated or counted.
type CostItems struct {
	Basis cost.Basis      `json:"basis" enum:"metric,history,estimate" doc:"how they were counted: the worst of the types"`
	Items int64           `json:"items"`
	Low   int64           `json:"low"`
	High  int64           `json:"high"`
	Days  int             `json:"days" doc:"that were counted or estimated; 0: nothing is known"`
	Types []CostTypeItems `json:"types" doc:"the most first"`
	Said  say.Text        `json:"text"`
}

// CostTypeItems are those of one resource type.
type CostTypeItems struct {
	ResourceType string     `json:"resource_type" example:"AWS::EC2::NetworkInterface"`
	Basis        cost.Basis `json:"basis" enum:"metric,history,estimate"`
	Items        int64      `json:"items"`
	Low          int64      `json:"low"`
	High         int64      `json:"high"`
	Days         int        `json:"days"`
}

// CostRead is what makers were told from.
type CostRead struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Records int64     `json:"records"`
	Whole   bool      `json:"whole" doc:"of all the time asked for"`
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
