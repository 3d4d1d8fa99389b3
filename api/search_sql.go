package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/people"
)

// sqlBytes is how much of a statement is read.
const sqlBytes = 64 << 10

// SQLQuestion is a statement.
type SQLQuestion struct {
	Query string `json:"query" minLength:"1" doc:"one SELECT over the views events and usage, in DuckDB's dialect"`
}

// SQLAnswer is what it selects.
type SQLAnswer struct {
	Columns []lake.SQLColumn `json:"columns"`
	Rows    [][]any          `json:"rows" doc:"a value for each column"`
	More    string           `json:"more" doc:"which limit cut the answer off; empty: it is whole"`
	Seconds float64          `json:"seconds"`
}

func sqlStatement(a huma.API, rooms Rooms) {
	type asked struct{ Body SQLQuestion }
	type answered struct{ Body SQLAnswer }
	huma.Register(a, need(people.Analyst, huma.Operation{
		OperationID: "sql", Method: http.MethodPost, Path: "/api/sql", Summary: "Ask with SQL", MaxBodyBytes: sqlBytes,
		Description: "Runs in a process of its own that can read nothing but the two views, within the limits of the configuration.",
	}), func(ctx context.Context, in *asked) (*answered, error) {
		if rooms.Console.SQL == nil {
			return nil, absent("events in an engine that takes SQL")
		}
		start := time.Now()
		rows, err := rooms.Console.SQL(ctx, in.Body.Query)
		if err != nil {
			return nil, rooms.sqlFailure(err)
		}
		defer rows.Close()
		out := &answered{}
		out.Body.Columns, out.Body.Rows = list(rows.Columns()), [][]any{}
		for rows.Next() {
			out.Body.Rows = append(out.Body.Rows, append([]any{}, rows.Row()...))
		}
		if err := rows.Err(); err != nil {
			return nil, rooms.sqlFailure(err)
		}
		out.Body.More = rows.Truncated()
		out.Body.Seconds = time.Since(start).Seconds()
		return out, nil
	})
}

// sqlFailure tells who wrote a statement what is wrong with it.
func (r Rooms) sqlFailure(err error) error {
	var own *lake.SQLError
	if errors.As(err, &own) {
		return huma.Error422UnprocessableEntity(own.Msg)
	}
	return r.failure(err)
}
