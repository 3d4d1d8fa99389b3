package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
)

// SourceState is a source of the configuration and how it does.
type SourceState struct {
	Name    string    `json:"name" example:"0:file" doc:"its place in the configuration, and its type"`
	Type    string    `json:"type" example:"file"`
	State   string    `json:"state" enum:"running,stopped,finished" doc:"stopped: it does not work, and is being tried again; finished: it has read all there was"`
	Since   time.Time `json:"since,omitzero" doc:"of the state; absent: since the start of the server"`
	Reason  string    `json:"reason" doc:"why it is stopped; names no paths"`
	Errors  int64     `json:"errors" doc:"how often it stopped since the start of the server"`
	Setting []Setting `json:"settings" doc:"what the configuration says of it, for admins; secrets as references"`
}

// Setting is one line of the configuration as it holds.
type Setting struct {
	Key     string `json:"key" example:"retention.events"`
	Value   string `json:"value" doc:"as YAML on one line; secrets as the references they are given by"`
	Default bool   `json:"default" doc:"nobody has set it"`
}

// Settings is the configuration as it holds.
type Settings struct {
	File    string    `json:"file" doc:"where it was read from; empty: no file, all as by default"`
	Version string    `json:"version"`
	Data    string    `json:"data" doc:"the data directory"`
	All     []Setting `json:"settings"`
}

// Sources is all of them.
type Sources struct {
	Sources []SourceState `json:"sources"`
}

func sources(a huma.API, rooms Rooms) {
	type all struct{ Body Sources }
	huma.Register(a, need(people.Viewer, huma.Operation{
		OperationID: "sources", Method: http.MethodGet, Path: "/api/sources", Summary: "The sources of the configuration, and how they do",
	}), func(ctx context.Context, _ *struct{}) (*all, error) {
		if rooms.Console.Sources == nil {
			return nil, absent("sources")
		}
		states, err := rooms.Console.Sources(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := Sources{[]SourceState{}}
		for _, s := range states {
			if s.Setting = list(s.Setting); !who(ctx).Role.May(people.Admin) {
				s.Setting = []Setting{} // they name paths and machines
			}
			out.Sources = append(out.Sources, s)
		}
		return &all{out}, nil
	})
}

func settings(a huma.API, rooms Rooms) {
	type one struct{ Body Settings }
	huma.Register(a, need(people.Admin, huma.Operation{
		OperationID: "settings", Method: http.MethodGet, Path: "/api/settings", Summary: "The configuration as it holds",
	}), func(ctx context.Context, _ *struct{}) (*one, error) {
		if rooms.Console.Settings == nil {
			return nil, absent("settings")
		}
		s, err := rooms.Console.Settings(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		s.All = list(s.All)
		return &one{s}, nil
	})
}
