package normalise

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// Registry is the formats in use, by name.
type Registry map[string]Normaliser

// NewRegistry holds the given normalisers, each under its own format.
func NewRegistry(ns ...Normaliser) Registry {
	r := make(Registry, len(ns))
	for _, n := range ns {
		r[n.Format()] = n
	}
	return r
}

// Append appends the event of raw to dst: by the normaliser of raw.Format, or,
// if that is empty, of the format its content is recognised as. Errors are as
// those of Normaliser.Append; for what nobody reads, they say what it is.
func (r Registry) Append(dst []event.Event, raw event.Raw) ([]event.Event, error) {
	format := raw.Format
	if format == "" {
		var why string
		if format, why = Recognise(raw.Body); format == "" {
			return dst, errors.New(why)
		}
	}
	n, ok := r[format]
	if !ok {
		return dst, fmt.Errorf("format %q is none of those Yagura reads here: %s",
			format, strings.Join(slices.Sorted(maps.Keys(r)), ", "))
	}
	return n.Append(dst, raw)
}
