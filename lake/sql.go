package lake

import (
	"context"
	"time"
)

// SQLQuerier runs SQL that people write, where an engine has it.
type SQLQuerier interface {
	// SQL runs one SELECT over the views events and usage, whose columns are
	// those of an event and of a usage row. It returns once the columns are
	// known; the caller closes the rows. Nothing the statement does can write,
	// read anything but the two views, or take more than the options allow; it
	// ends with ctx. Errors are *SQLError where the statement is at fault.
	SQL(ctx context.Context, text string, o SQLOptions) (SQLRows, error)
}

// SQLOptions bounds a statement. Zero values mean the engine's defaults.
type SQLOptions struct {
	MaxRows  int64         // rows returned
	MaxBytes int64         // bytes of values returned
	Timeout  time.Duration // from start to the last row
	// Values are those of the statement's parameters ($name), by name: string,
	// int64, float64, bool or time.Time. They are bound, never put into the text. A
	// parameter without a value is refused; values that none asks for are left aside.
	Values map[string]any
	// Accounts, if there are any, narrow the two views to them. That keeps an honest
	// statement to what its reader may see; it is no fence against who writes the
	// statement, for an engine may compute on a row before it leaves it out.
	Accounts []string
}

// SQLRows is a result that arrives as it is read.
type SQLRows interface {
	Columns() []SQLColumn
	// Next moves to the next row; false at the end or after an error.
	Next() bool
	// Row is the current row, valid after the next step. Values marshal to
	// JSON: nil, bool, int64, float64, json.Number (decimals and integers beyond
	// 64 bits), string, []any, map[string]any, json.RawMessage (values of type
	// JSON). Times are RFC 3339 in UTC; numbers JSON cannot write are the
	// strings NaN, Infinity, -Infinity.
	Row() []any
	Err() error
	// Truncated says, after the last row, which limit cut the result off; empty
	// if it is whole.
	Truncated() string
	Close() error
}

// SQLColumn is a column of a result.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // as the engine calls it
}

// SQLError is a statement's own fault, told in words for the one who wrote it.
type SQLError struct {
	Kind SQLErrorKind
	Msg  string
}

func (e *SQLError) Error() string { return e.Msg }

// SQLErrorKind is why a statement was not answered.
type SQLErrorKind string

// The kinds.
const (
	SQLInvalid SQLErrorKind = "invalid" // it does not parse, bind or compute
	SQLRefused SQLErrorKind = "refused" // it asks for something that is not allowed
	SQLLimit   SQLErrorKind = "limit"   // it took too much time, memory or disk
)
