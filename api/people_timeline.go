package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/event/trail"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
)

// PersonTimeline is what a person or machine did, over all logs.
type PersonTimeline struct {
	Since      time.Time        `json:"since"`
	Until      time.Time        `json:"until" doc:"exclusive"`
	Identities []PersonIdentity `json:"identities" doc:"under what the person was looked for, and why"`
	Notes      []say.Text       `json:"notes" doc:"what was left out, and what cannot be known"`
	Lanes      []PersonLane     `json:"lanes" doc:"directories, projects and accounts, proxies, networks, devices, in that order"`
	Runs       []trail.Run      `json:"runs" doc:"the oldest first"`
	Events     int              `json:"events" doc:"how many the runs are made of"`
	More       bool             `json:"more" doc:"there are more than are told: the first are"`
	End        *PersonEnd       `json:"end,omitempty" doc:"absent where the last that is seen is close to until"`
	Latest     time.Time        `json:"latest,omitzero" doc:"where nothing is seen in the time asked for: the latest event before it"`
	Finding    *PersonFinding   `json:"finding,omitempty" doc:"the finding that was asked for by around"`
}

// PersonIdentity is a name, device or address that stands for the person.
type PersonIdentity struct {
	UID      string     `json:"uid"`
	Rule     trail.Rule `json:"rule" enum:"name,session,object,user,device,lease,finding"`
	Inferred bool       `json:"inferred" doc:"no record names the person by it"`
	Text     say.Text   `json:"text"`
	Query    string     `json:"query" doc:"the filter that chooses its events"`
	Events   int        `json:"events"`
}

// PersonLane is a lane and where its log is not known.
type PersonLane struct {
	trail.Lane
	Gaps []PersonGap `json:"gaps" doc:"nothing seen there is not nothing done"`
}

// PersonGap is a stretch of time that a log says nothing of.
type PersonGap struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to" doc:"exclusive"`
	Reason say.Text  `json:"reason"`
}

// PersonEnd is after what nothing more is seen.
type PersonEnd struct {
	At    time.Time `json:"at"`
	Known bool      `json:"known" doc:"every log is whole from then on: nothing more was done that they tell of"`
	Text  say.Text  `json:"text"`
}

// PersonFinding is what a finding says of the person.
type PersonFinding struct {
	Key         string    `json:"key"`
	Title       say.Text  `json:"title"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
	Inferred    bool      `json:"inferred" doc:"it infers that the person may have done it"`
	Probability float64   `json:"probability" doc:"where it is inferred"`
}

// Bounds of a timeline of a person.
const (
	personSpan   = 31 * 24 * time.Hour // the longest
	personAround = 2 * time.Hour       // before and after a finding
	personUsual  = 24 * time.Hour      // without since and around
	personMost   = 5000                // events
	endsAfter    = 30 * time.Minute    // without anything more somebody has stopped
)

// PersonInput names a person or machine and a time.
type PersonInput struct {
	UID    string    `path:"uid" maxLength:"2048" doc:"an actor_uid; a device's name; an address"`
	Since  time.Time `query:"since"`
	Until  time.Time `query:"until"`
	Around string    `query:"around" maxLength:"256" doc:"key of a finding: its time where none is given, and what it infers"`
}

func personTimeline(a huma.API, rooms Rooms) {
	type told struct{ Body PersonTimeline }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "person-timeline", Method: http.MethodGet, Path: "/api/people/{uid}/timeline", Summary: "What a person or machine did, over clouds, directories, proxies and devices",
		Description: "Without since and until: the last day, or the time around a finding. At most 31 days and 5,000 events. How records are taken to be theirs: docs/timeline.md.",
	})), func(ctx context.Context, in *PersonInput) (*told, error) {
		ctx, cancel := context.WithTimeout(ctx, searchTime)
		defer cancel()
		f := &following{rooms: rooms, uid: in.UID, PersonTimeline: PersonTimeline{
			Since: in.Since, Until: in.Until, Identities: []PersonIdentity{}, Notes: []say.Text{}, Lanes: []PersonLane{}, Runs: []trail.Run{},
		}}
		if err := f.bound(ctx, in.Around); err != nil {
			return nil, err
		}
		if err := f.follow(ctx); err != nil {
			return nil, rooms.failure(err)
		}
		return &told{f.PersonTimeline}, nil
	})
}

// bound sets the time that is looked at, and reads the finding if one is named.
func (f *following) bound(ctx context.Context, around string) error {
	if around != "" {
		found, err := f.rooms.Findings.Get(ctx, around)
		if err != nil {
			return f.rooms.failure(err)
		}
		f.found = &found
		if f.Since.IsZero() {
			f.Since = found.FirstSeen.Add(-personAround)
		}
		if f.Until.IsZero() {
			f.Until = found.LastSeen.Add(personAround)
			if f.Until.Sub(f.Since) > personSpan {
				f.Until = f.Since.Add(personSpan)
			}
		}
	}
	if f.Until.IsZero() {
		f.Until = f.rooms.Now()
	}
	if f.Since.IsZero() {
		f.Since = f.Until.Add(-personUsual)
	}
	f.Since, f.Until = f.Since.UTC(), f.Until.UTC()
	switch span := f.Until.Sub(f.Since); {
	case span <= 0:
		return huma.Error422UnprocessableEntity("until: is to be after since")
	case span > personSpan:
		return huma.Error422UnprocessableEntity("since: at most 31 days are told at once")
	}
	return nil
}
