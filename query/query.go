// Package query is the filter language over events: what a person types, the
// expression it parses to, and whether an event satisfies it.
package query

import "time"

// Query chooses events. The zero Query chooses all.
type Query struct {
	Where        Expr      // nil: every event
	Since, Until time.Time // event time in [Since, Until); zero: open
	Limit        int       // at most so many; 0: no limit
	// OldestFirst asks for ascending (time, uid); otherwise newest first.
	OldestFirst bool
}

// Expr is a node of a filter expression.
type Expr interface{ expr() }
