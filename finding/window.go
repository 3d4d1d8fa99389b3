package finding

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is a time in which something is planned or known: maintenance, a load
// test, somebody on call, somebody travelling. What falls into it is found all
// the same and marked with it.
//
// Each list that is not empty has to hold one of the finding's values. A value
// that ends in * stands for all that begin like it.
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
	}
	return nil
}

// grace is how much earlier and later than planned things happen.
const grace = 5 * time.Minute

// during tells whether the occurrence is of the window's time: at least half of
// the time from its first to its last event, with five minutes' grace. It need
// not be all of it, because what is counted by the hour has everyday calls
// before and after.
func (w *Window) during(o *Occurrence) bool {
	start, end := w.Start.Add(-grace), w.End.Add(grace)
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
// named by the window.
func (w *Window) Covers(o *Occurrence) bool {
	if !w.during(o) {
		return false
	}
	var person string
	resources := []string{o.Resource}
	if a := o.Anomaly; a != nil {
		person = a.Person
		if len(a.Resources) > 0 {
			resources = a.Resources
		}
	}
	who := len(w.Actors) == 0 && len(w.People) == 0 || len(w.Actors) > 0 && named(w.Actors, o.Actor) || len(w.People) > 0 && named(w.People, person)
	if !who || !held(w.Accounts, o.Account) || !held(w.Regions, o.Region) {
		return false
	}
	if len(w.Kinds) > 0 && !named(w.Kinds, string(o.Kind)) && !named(w.Kinds, strings.TrimPrefix(string(o.Kind), string(KindAnomaly)+".")) {
		return false
	}
	return !slices.ContainsFunc(resources, func(r string) bool { return !held(w.Resources, r) })
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

// Explain marks the occurrence with every window that covers it.
func (o *Occurrence) Explain(windows []Window) {
	for i := range windows {
		w := &windows[i]
		if !w.Covers(o) {
			continue
		}
		text := w.Title
		if w.Ticket != "" && !strings.Contains(text, w.Ticket) {
			text += " (" + w.Ticket + ")"
		}
		o.Explained = append(o.Explained, Explanation{Kind: "calendar", ID: w.ID, Text: text})
	}
}
