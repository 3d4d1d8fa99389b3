package local

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/yagura-sec/yagura/lake"
)

// childValue is a parameter's value on its way to the child, with its type, which
// JSON would lose.
type childValue struct {
	Name   string
	Text   *string    `json:",omitempty"`
	Int    *int64     `json:",omitempty"`
	Number *float64   `json:",omitempty"`
	Truth  *bool      `json:",omitempty"`
	Time   *time.Time `json:",omitempty"`
}

// childValues are the values in the order of their names.
func childValues(values map[string]any) ([]childValue, error) {
	var out []childValue
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := childValue{Name: name}
		switch x := values[name].(type) {
		case string:
			v.Text = &x
		case int64:
			v.Int = &x
		case float64:
			v.Number = &x
		case bool:
			v.Truth = &x
		case time.Time:
			x = x.UTC()
			v.Time = &x
		default:
			return nil, fmt.Errorf("sql: a value of $%s cannot be a %T", name, x)
		}
		out = append(out, v)
	}
	return out, nil
}

// named is the value as the driver binds it.
func (v childValue) named() any {
	switch {
	case v.Text != nil:
		return sql.Named(v.Name, *v.Text)
	case v.Int != nil:
		return sql.Named(v.Name, *v.Int)
	case v.Number != nil:
		return sql.Named(v.Name, *v.Number)
	case v.Truth != nil:
		return sql.Named(v.Name, *v.Truth)
	case v.Time != nil:
		return sql.Named(v.Name, *v.Time)
	}
	return sql.Named(v.Name, nil)
}

// bound are the arguments of the request's statement.
func (req *childRequest) bound() []any {
	var out []any
	for _, v := range req.Values {
		out = append(out, v.named())
	}
	return out
}

// checkParameters holds that every parameter of a statement has a value: the
// driver would give one without some other's.
func (req *childRequest) checkParameters(s *duckdb.Stmt) error {
	for i := range s.NumInput() {
		name, err := s.ParamName(i + 1)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(req.Values, func(v childValue) bool { return v.Name == name }) {
			if len(req.Values) == 0 {
				return refuse("parameters have no values here")
			}
			return refuse("parameter $%s has no value", name)
		}
	}
	return nil
}

// boundColumns are the columns of a statement with parameters.
func boundColumns(ctx context.Context, conn *sql.Conn, req *childRequest) (columns []lake.SQLColumn, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT * FROM (\n"+strings.TrimRight(strings.TrimSpace(req.Text), "; \t\r\n")+"\n) AS q LIMIT 0", req.bound()...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	for _, name := range names {
		columns = append(columns, lake.SQLColumn{Name: name})
	}
	return columns, err
}

// within is the condition that narrows a view to the request's accounts; empty: it
// has all.
func (req *childRequest) within() string {
	if len(req.Accounts) == 0 {
		return ""
	}
	quoted := make([]string, len(req.Accounts))
	for i, a := range req.Accounts {
		quoted[i] = quoteSQL(a)
	}
	return " WHERE account_uid IN (" + strings.Join(quoted, ", ") + ")"
}
