// Package normalise turns a provider's raw record into events; each folder
// reads one format.
package normalise

import "github.com/yagura-sec/yagura/event"

// Normaliser reads one format.
type Normaliser interface {
	// Format is the name records carry in Event.Format: "aws.cloudtrail".
	Format() string
	// Append appends the event of r to dst. It is pure: no clock, no network.
	// It may be called from several goroutines. On an error nothing was
	// appended; the error is a sentence for a person and names the field, and
	// the record goes to quarantine with it.
	Append(dst []event.Event, r event.Raw) ([]event.Event, error)
}
