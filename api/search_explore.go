package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/query"
)

// exploreTime bounds looking around: after it a part of the events has to do.
const exploreTime = 10 * time.Second

// Chosen are the events that someone looks around in.
type Chosen struct {
	Q     string    `query:"q" doc:"filter, as for /api/search"`
	Since time.Time `query:"since"`
	Until time.Time `query:"until"`
}

func (c *Chosen) query(ctx context.Context, rooms Rooms) (query.Query, error) {
	where, err := query.ParseAt(c.Q, rooms.Now())
	if err != nil {
		return query.Query{}, huma.Error422UnprocessableEntity(err.Error())
	}
	return query.Query{Where: where, Since: c.Since, Until: c.Until}, nil
}

func histogram(a huma.API, rooms Rooms) {
	type counted struct{ Body lake.Histogram }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "search-histogram", Method: http.MethodGet, Path: "/api/search/histogram", Summary: "How many events satisfy a filter, over time",
	})), func(ctx context.Context, in *struct {
		Chosen
		Buckets int `query:"buckets" default:"60" minimum:"1" maximum:"500" doc:"at most so many"`
	}) (*counted, error) {
		if rooms.Console.Histogram == nil {
			return nil, absent("counts over time")
		}
		q, err := in.query(ctx, rooms)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, exploreTime)
		defer cancel()
		h, err := rooms.Console.Histogram(ctx, q, in.Buckets)
		if err != nil {
			return nil, rooms.failure(err)
		}
		h.Buckets, h.Sample = list(h.Buckets), sampleFor(ctx, h.Sample, h.Total)
		return &counted{h}, nil
	})
}

// sampleFor says how much was looked at, to who is limited to some accounts without
// telling how much there is in others.
func sampleFor(ctx context.Context, s lake.Sample, total int64) lake.Sample {
	if !who(ctx).Limited() || s.Stored == 0 {
		return s
	}
	part := float64(s.Looked) / float64(s.Stored)
	return lake.Sample{Sampled: s.Sampled, Looked: int64(part * float64(total)), Stored: total}
}

// shownFields are the columns whose values are worth a look at any events.
var shownFields = []string{
	"api_operation", "api_service", "outcome", "caller", "actor_name", "actor_type", "account_uid", "region", "src_ip",
	"resource_uid", "resource_type", "status_code", "user_agent", "category", "format",
}

func fieldValues(a huma.API, rooms Rooms) {
	type counted struct{ Body lake.FieldValues }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "search-fields", Method: http.MethodGet, Path: "/api/search/fields", Summary: "Which values the fields of events have, and how often",
	})), func(ctx context.Context, in *struct {
		Chosen
		Fields []string `query:"fields" doc:"columns or their aliases; without, those that are most of use"`
		Most   int      `query:"most" default:"10" minimum:"1" maximum:"100" doc:"values of each"`
	}) (*counted, error) {
		if rooms.Console.Values == nil {
			return nil, absent("the values of fields")
		}
		q, err := in.query(ctx, rooms)
		if err != nil {
			return nil, err
		}
		fields, err := columnNames(in.Fields)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, exploreTime)
		defer cancel()
		v, err := rooms.Console.Values(ctx, q, fields, in.Most)
		if err != nil {
			return nil, rooms.failure(err)
		}
		v.Fields, v.Sample = list(v.Fields), sampleFor(ctx, v.Sample, v.Total)
		return &counted{v}, nil
	})
}

// columnNames are the columns that names or aliases mean; none: shownFields.
func columnNames(names []string) ([]string, error) {
	if len(names) == 0 {
		return shownFields, nil
	}
	var out []string
	for _, name := range names {
		c, ok := query.Lookup(name)
		if !ok || c.Type == query.JSON {
			return nil, huma.Error422UnprocessableEntity("fields: no column " + name + " whose values can be counted")
		}
		out = append(out, c.Name)
	}
	return out, nil
}

// Completions are values to complete a filter with.
type Completions struct {
	Values []string `json:"values" doc:"the most used first"`
}

func complete(a huma.API, rooms Rooms) {
	type found struct{ Body Completions }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "search-complete", Method: http.MethodGet, Path: "/api/search/complete", Summary: "Values of a field that begin with what was typed",
	})), func(ctx context.Context, in *struct {
		Field  string `query:"field" required:"true" doc:"a column or one of its aliases"`
		Prefix string `query:"prefix" maxLength:"512"`
		Limit  int    `query:"limit" default:"20" minimum:"1" maximum:"100"`
	}) (*found, error) {
		if rooms.Console.Complete == nil {
			return nil, absent("values to complete with")
		}
		c, ok := query.Lookup(in.Field)
		if !ok {
			return nil, huma.Error422UnprocessableEntity("field: there is no column " + in.Field)
		}
		values, err := rooms.Console.Complete(ctx, c.Name, in.Prefix, nil, in.Limit)
		if err != nil {
			return nil, rooms.failure(err)
		}
		return &found{Completions{list(values)}}, nil
	})
}

// Draft is a rule that says what a filter does.
type Draft struct {
	Rule string `json:"rule" doc:"a Sigma rule, as YAML"`
}

func draft(a huma.API, rooms Rooms) {
	type drafted struct{ Body Draft }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "search-rule", Method: http.MethodGet, Path: "/api/search/rule", Summary: "A filter as a draft of a Sigma rule",
		Description: "A filter that no rule can say is refused with the reason (422). Nothing is kept.",
	})), func(_ context.Context, in *struct {
		Q string `query:"q" maxLength:"4096" required:"true"`
	}) (*drafted, error) {
		if rooms.Console.Draft == nil {
			return nil, absent("rules")
		}
		where, err := query.ParseAt(in.Q, rooms.Now())
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		text, err := rooms.Console.Draft(where, in.Q)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		return &drafted{Draft{string(text)}}, nil
	})
}

// Column is a column of events as those who write filters need to know it.
type Column struct {
	Name    string   `json:"name"`
	Type    string   `json:"type" enum:"text,enum,address,integer,number,boolean,time,uuid,list,json"`
	Aliases []string `json:"aliases" doc:"shorter names that filters take as well"`
	Values  []string `json:"values" doc:"of an enum: every value there is"`
	Doc     string   `json:"doc" doc:"one line for a person"`
}

// Columns is all of them.
type Columns struct {
	Columns []Column `json:"columns" doc:"of events, which filters and SQL name"`
	Usage   []Column `json:"usage" doc:"of usage, the other table of SQL"`
}

func columns(a huma.API) {
	type all struct{ Body Columns }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "columns", Method: http.MethodGet, Path: "/api/columns", Summary: "The columns of events and usage, which filters and SQL name",
	})), func(context.Context, *struct{}) (*all, error) {
		told := func(c *query.Spec) Column {
			return Column{c.Name, c.Type.String(), list(c.Aliases), list(c.Values), c.Doc}
		}
		out := &all{}
		for _, c := range query.Columns() {
			out.Body.Columns = append(out.Body.Columns, told(&c.Spec))
		}
		for _, c := range query.UsageColumns() {
			out.Body.Usage = append(out.Body.Usage, told(&c))
		}
		return out, nil
	})
}
