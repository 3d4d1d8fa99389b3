// Package sqlgen writes Sigma rules as SQL conditions, from what they were
// compiled to (sigma/ir).
//
// Superset gives a condition that holds for every event a rule can match and for
// as few others as columns can tell. Whoever reads the rows holds them against
// the rules again (sigma/match), so rows and rules agree by construction. It is
// the way to search stored events.
//
// Exact gives a condition that holds for the very events that a rule matches. It
// reads the record's JSON text, which costs far more than matching in Go, and is
// refused where SQL cannot say the same. It is for engines that nobody reads rows
// out of, and it is the second opinion that the first is tested with.
//
// Conditions are two-valued: none is ever NULL.
package sqlgen

import (
	"github.com/yagura-sec/yagura/sigma/match"
)

// Query is a condition on rows.
type Query struct {
	Where string // with ? for Args, in order
	Args  []any  // texts
	// NeedsRecheck: rows for which no rule holds may satisfy Where.
	NeedsRecheck bool
	// Why says what makes the condition wider than one would wish, or what could
	// not be said at all.
	Why []string
}

// Log is one log source as a table keeps it.
type Log struct {
	Source match.Source
	// Column and Value tell the rows of this log from others.
	Column, Value string
	// Fields are the fields of records that columns hold, by the names that
	// rules use.
	Fields map[string]Field
	// Raw is the column with the whole record as JSON text; Exact reads it.
	Raw string
}

// Field says what columns hold of a field of a record.
//
// The premise, which tests of a table have to prove on records, is: no object
// names a member twice, or a path at once; a field that is text stands in one of
// the columns as it is, cut at Max bytes, with U+FFFD for NUL; and if it is absent
// or null the columns are empty.
type Field struct {
	// Columns are text, never NULL. Of several one has the text, the rest are
	// empty: an address and a host name.
	Columns []string
	// Words are for a column that has other words than the field: by each of the
	// field's texts those that the column may have. They serve a rule that asks
	// for these texts whole; a text that is written otherwise, in the case of its
	// letters too, is taken not to occur.
	Words map[string][]string
	// Shared: where the field is absent the columns may be filled from elsewhere.
	Shared bool
	// Odd: the field may be something other than text in a record, in which case
	// the columns are empty, too. Rows with empty columns are then read whatever
	// a rule asks for, so it is of use where these are rare. Without it a record
	// whose field is no text is taken for one that lacks it.
	Odd bool
	// Only: a column that is not empty has the field's text, so that it can also
	// tell that a rule does not match.
	Only bool
	// Max is how many bytes of a text are kept; 0 means all.
	Max int
	// Share is about which part of rows one value has: it chooses between
	// columns. 0 stands for 0.01.
	Share float64
}

// A Dialect is how an engine writes what conditions are made of. Arguments are
// SQL expressions of texts.
type Dialect interface {
	Name() string
	// Column quotes a name.
	Column(name string) string
	// Lower folds the letters A to Z of text that is ASCII.
	Lower(x string) string
	// Bytes and Runes are the length of a text.
	Bytes(x string) string
	Runes(x string) string
	HasPrefix(x, part string) string
	HasSuffix(x, part string) string
	Contains(x, part string) string
	// Matches tells whether an RE2 expression is found in x.
	Matches(x, expr string) string
}

// Dialects are those there are, by name.
var Dialects = map[string]Dialect{"duckdb": DuckDB{}, "clickhouse": ClickHouse{}}
