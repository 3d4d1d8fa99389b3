package register

import (
	"maps"
	"slices"
	"time"
)

// Use is that a service was called in a project.
type Use struct {
	Service string
	Calls   int64
	Denied  int64 // of Calls: refused
	First   time.Time
	Last    time.Time
}

// State says how a service stands between what is used, applied for and allowed.
type State string

// The states, most pressing first.
const (
	NotApplied State = "not_applied" // used, and nobody applied for it
	Refused    State = "refused"     // only refused calls, and nobody applied for it
	NotAllowed State = "not_allowed" // applied for, and a policy does not allow it
	NotGranted State = "not_granted" // applied for, and only refused calls: by what is not known
	TooWide    State = "too_wide"    // allowed by name, and nobody applied for it or uses it
	Idle       State = "idle"        // applied for, and never called
	Fine       State = "fine"        // applied for and used
)

var states = []State{NotApplied, Refused, NotAllowed, NotGranted, TooWide, Idle, Fine}

// Line is one service of a comparison.
type Line struct {
	Service string    `json:"service"`
	State   State     `json:"state"`
	Applied bool      `json:"applied"`
	Allowed *bool     `json:"allowed,omitempty"` // nil: not known
	Calls   int64     `json:"calls"`
	Denied  int64     `json:"denied"`
	Last    time.Time `json:"last,omitzero"`
}

// Compare holds what a project uses against what was applied for at the time now
// and against what policies allow: nil where nothing is known of them, which is not
// the same as none allowed. Lines come most pressing first, then by service.
//
// Ignored are services that come with every project, such as the one that turns
// services on: they are left out unless somebody applied for them.
func Compare(e Entry, used []Use, allowed *Allowance, ignored []string, now time.Time) []Line {
	lines := map[string]*Line{}
	at := func(service string) *Line {
		service = ServiceID(service)
		if lines[service] == nil {
			lines[service] = &Line{Service: service, Applied: e.Covers(service, now)}
		}
		return lines[service]
	}
	for _, s := range e.Services {
		if e.Covers(s.ID, now) {
			at(s.ID)
		}
	}
	for _, u := range used {
		if slices.Contains(ignored, ServiceID(u.Service)) && !e.Covers(u.Service, now) {
			continue
		}
		l := at(u.Service)
		l.Calls += u.Calls
		l.Denied += u.Denied
		if u.Last.After(l.Last) {
			l.Last = u.Last
		}
	}
	if allowed != nil {
		for _, s := range allowed.Services {
			at(s)
		}
	}
	out := make([]Line, 0, len(lines))
	for _, service := range slices.Sorted(maps.Keys(lines)) {
		l := lines[service]
		l.Allowed = allowed.Allows(service)
		l.State = stateOf(l)
		out = append(out, *l)
	}
	slices.SortStableFunc(out, func(a, b Line) int {
		return slices.Index(states, a.State) - slices.Index(states, b.State)
	})
	return out
}

func stateOf(l *Line) State {
	switch granted := l.Calls - l.Denied; {
	case !l.Applied && granted > 0:
		return NotApplied
	case !l.Applied && l.Calls > 0:
		return Refused
	case !l.Applied:
		return TooWide
	case l.Allowed != nil && !*l.Allowed:
		return NotAllowed
	case l.Calls == 0:
		return Idle
	case granted == 0:
		return NotGranted
	}
	return Fine
}
