package finding

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Window is a time in which something is planned or known: maintenance, a load
// test, somebody on call, somebody travelling. What falls into it is found all
// the same and marked with it.
//
// Each list that is not empty has to hold one of the finding's values. A value
// that ends in * stands for all that begin like it. What the lists and the scope
// say has to hold together.
type Window struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"` // not included

	Accounts  []string `json:"accounts,omitempty"`
	Actors    []string `json:"actors,omitempty"` // principals by their stable name
	People    []string `json:"people,omitempty"` // persons by session or user name
	Resources []string `json:"resources,omitempty"`
	Regions   []string `json:"regions,omitempty"`
	// Kinds are kinds of findings, or signs of anomalies: "frequency" or
	// "anomaly.frequency".
	Kinds []string `json:"kinds,omitempty"`

	Sort   string `json:"sort,omitempty"` // "maintenance", "on_call", "travel", "test", ...
	Ticket string `json:"ticket,omitempty"`
	Owner  string `json:"owner,omitempty"`

	// Scope chooses findings besides the lists; empty: all.
	Scope Scope `json:"scope,omitzero"`
	// Repeat is a rule of RFC 5545 (RRULE) by which it takes place again, at the
	// same time of day in Zone; empty: it takes place once.
	Repeat string `json:"repeat,omitempty"`
	Zone   string `json:"zone,omitempty"` // an IANA name such as "Asia/Tokyo"; empty: UTC
	// State is proposed, active or cancelled; empty, of windows from a file, is
	// active.
	State WindowState `json:"state,omitempty"`
	By    string      `json:"by,omitempty"` // who wrote it, and when
	At    time.Time   `json:"at,omitzero"`
	// Evidence are keys of findings that it was made from.
	Evidence []string `json:"evidence,omitempty"`
	// Explains is how many findings it accounts for now: told by stores, never
	// kept.
	Explains int `json:"explains,omitempty"`

	// Times are when a window that repeats takes place, in order: made of Repeat
	// and Zone by whoever can (triage/calendar), and never kept.
	Times []Span `json:"-"`
}

// Span is a time from Start to before End.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// WindowState is where a window is in its life.
type WindowState string

// The states. Only an active window explains.
const (
	WindowProposed  WindowState = "proposed"
	WindowActive    WindowState = "active"
	WindowCancelled WindowState = "cancelled"
)

// Active tells whether the window explains what falls into it.
func (w *Window) Active() bool { return w.State == "" || w.State == WindowActive }

// Unscoped tells whether w covers everything in its time.
func (w *Window) Unscoped() bool {
	return len(w.Accounts)+len(w.Actors)+len(w.People)+len(w.Resources)+len(w.Regions)+len(w.Kinds) == 0 && w.Scope.Empty()
}

// Check tells in a person's words what is wrong with w.
func (w *Window) Check() error {
	switch {
	case w.ID == "":
		return errors.New("a window has no id")
	case w.Start.IsZero() || w.End.IsZero():
		return fmt.Errorf("window %s has no start or no end", w.ID)
	case !w.Start.Before(w.End):
		return fmt.Errorf("window %s ends before it starts", w.ID)
	case w.Scope.fleeting() != "":
		return fmt.Errorf("window %s asks for %s, which decisions and windows change themselves", w.ID, w.Scope.fleeting())
	case w.State != "" && w.State != WindowProposed && w.State != WindowActive && w.State != WindowCancelled:
		return fmt.Errorf("window %s: state %q is not one of proposed, active, cancelled", w.ID, w.State)
	}
	return nil
}

// spans are when it takes place, as far as that could touch [from, to].
func (w *Window) spans(from, to time.Time) []Span {
	if w.Repeat == "" && w.Times == nil {
		return []Span{{w.Start, w.End}}
	}
	// Spans are in order of their starts, and all about as long as the first, an
	// hour of daylight saving apart.
	long := w.End.Sub(w.Start) + time.Hour + grace
	i := sort.Search(len(w.Times), func(i int) bool { return w.Times[i].Start.Add(long).After(from) })
	j := sort.Search(len(w.Times), func(i int) bool { return w.Times[i].Start.Add(-grace).After(to) })
	return w.Times[i:max(i, j)]
}

// grace is how much earlier and later than planned things happen.
const grace = 5 * time.Minute

// during tells whether the occurrence is of the span's time: at least half of
// the time from its first to its last event, with five minutes' grace. It need
// not be all of it, because what is counted by the hour has everyday calls
// before and after.
func (s Span) during(o *Occurrence) bool {
	start, end := s.Start.Add(-grace), s.End.Add(grace)
	if !o.FirstSeen.Before(end) || o.LastSeen.Before(start) {
		return false
	}
	from, to := o.FirstSeen, o.LastSeen
	if from.Before(start) {
		from = start
	}
	if to.After(end) {
		to = end
	}
	return 2*to.Sub(from) >= o.LastSeen.Sub(o.FirstSeen)
}

// Covers tells whether the occurrence is of the window's time and of all that
// the window names. Of an occurrence that names several resources all have to be
// named by the window. A scope that asks for environment or owner is Known's to
// answer: here they are unknown.
func (w *Window) Covers(o *Occurrence) bool {
	return w.during(o) && w.concerns((*Known)(nil).seen(o))
}

// during tells whether the occurrence is of a time of the window.
func (w *Window) during(o *Occurrence) bool {
	return slices.ContainsFunc(w.spans(o.FirstSeen, o.LastSeen), func(s Span) bool { return s.during(o) })
}

// concerns tells whether the window names what the finding is about.
func (w *Window) concerns(f *Finding) bool {
	person := f.Person()
	who := len(w.Actors) == 0 && len(w.People) == 0 || len(w.Actors) > 0 && named(w.Actors, f.Actor) || len(w.People) > 0 && named(w.People, person)
	if !who || !held(w.Accounts, f.Account) || !held(w.Regions, f.Region) {
		return false
	}
	if len(w.Kinds) > 0 && !named(w.Kinds, string(f.Kind)) && !named(w.Kinds, strings.TrimPrefix(string(f.Kind), string(KindAnomaly)+".")) {
		return false
	}
	resources := f.Resources()
	if len(resources) == 0 && len(w.Resources) > 0 {
		return false
	}
	return !slices.ContainsFunc(resources, func(r string) bool { return !held(w.Resources, r) }) && w.Scope.Match(f)
}

// Touches tells whether the window names what f is about and is near its time:
// only then it can account for it, or a part of it.
func (w *Window) Touches(f *Finding) bool {
	if !w.Active() {
		return false
	}
	spans := w.spans(f.FirstSeen, f.LastSeen)
	near := slices.ContainsFunc(spans, func(s Span) bool {
		return f.FirstSeen.Before(s.End.Add(grace)) && !f.LastSeen.Before(s.Start.Add(-grace))
	})
	return near && w.concerns(f)
}

func held(list []string, value string) bool { return len(list) == 0 || named(list, value) }

func named(list []string, value string) bool {
	return value != "" && slices.ContainsFunc(list, func(s string) bool {
		if head, open := strings.CutSuffix(s, "*"); open {
			return strings.HasPrefix(value, head)
		}
		return s == value
	})
}

// told is how findings name it.
func (w *Window) told() string {
	if w.Ticket != "" && !strings.Contains(w.Title, w.Ticket) {
		return w.Title + " (" + w.Ticket + ")"
	}
	return w.Title
}

// Explain marks the occurrence with every window, of a file, that covers it.
func (o *Occurrence) Explain(windows []Window) {
	for i := range windows {
		if w := &windows[i]; w.Active() && w.Covers(o) {
			o.Explained = append(o.Explained, Explanation{Kind: "calendar", ID: w.ID, Text: say.Plain(w.told())})
		}
	}
}
