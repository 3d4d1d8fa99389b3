// Package register holds what projects and accounts were applied for: by whom,
// what for, with which services, and who approved it. Held beside what is used
// and what is allowed it tells what nobody applied for, and what was applied for
// in vain.
package register

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Entry is what was applied for, for one project, account or subscription.
type Entry struct {
	Project   string    `json:"project"`            // its account_uid in events
	Provider  string    `json:"provider,omitempty"` // the cloud, as people call it: "AWS", "Google Cloud"
	Name      string    `json:"name,omitempty"`
	Applicant string    `json:"applicant"` // an actor_uid: who applied
	Owner     string    `json:"owner"`     // who answers for it: a person or a team
	Purpose   string    `json:"purpose,omitempty"`
	Services  []Service `json:"services"`
	Approver  string    `json:"approver,omitempty"`
	Applied   time.Time `json:"applied,omitzero"`  // UTC day
	Approved  time.Time `json:"approved,omitzero"` // UTC day; zero: not yet
}

// Service is one that was applied for.
type Service struct {
	ID string `json:"id"` // as logs name it (api_service): "notebooks.googleapis.com"
	// From and Until bound its use to [From, Until); zero is open.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	Note  string    `json:"note,omitempty"`
}

// Change is one step of an entry's history: Before is nil for the first, After
// for the last.
type Change struct {
	Project string    `json:"project"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
	Group   string    `json:"group,omitempty"` // what the changes of one import share
	Before  *Entry    `json:"before,omitempty"`
	After   *Entry    `json:"after,omitempty"`
}

// Services are those that the change adds, and those that it takes away.
func (c *Change) Services() (added, gone []string) {
	var was, is []string
	if c.Before != nil {
		was = c.Before.IDs()
	}
	if c.After != nil {
		is = c.After.IDs()
	}
	not := func(in []string) func(string) bool { return func(s string) bool { return slices.Contains(in, s) } }
	return slices.DeleteFunc(slices.Clone(is), not(was)), slices.DeleteFunc(was, not(is))
}

// maxText bounds each text of an entry, in bytes.
const maxText = 2000

// Clean puts an entry into the form in which it is kept: texts without spaces
// around them, services by name, each once, times as UTC.
func (e *Entry) Clean() {
	for _, s := range []*string{&e.Project, &e.Provider, &e.Name, &e.Applicant, &e.Owner, &e.Purpose, &e.Approver} {
		*s = strings.TrimSpace(*s)
	}
	for i := range e.Services {
		s := &e.Services[i]
		s.ID, s.Note = ServiceID(s.ID), strings.TrimSpace(s.Note)
		s.From, s.Until = s.From.UTC(), s.Until.UTC()
	}
	slices.SortStableFunc(e.Services, func(a, b Service) int { return cmp.Compare(a.ID, b.ID) })
	e.Services = slices.CompactFunc(e.Services, func(a, b Service) bool { return a.ID == b.ID })
	e.Applied, e.Approved = e.Applied.UTC(), e.Approved.UTC()
}

// Check says what is wrong with an entry, naming the field.
func (e *Entry) Check() error {
	switch {
	case e.Project == "":
		return fmt.Errorf("project is empty: it is the project's, account's or subscription's id")
	case strings.ContainsFunc(e.Project, unicode.IsControl):
		return fmt.Errorf("project %q has a line break or another control character in it", e.Project)
	case e.Applicant == "" && e.Owner == "":
		return fmt.Errorf("project %s: neither applicant nor owner is given", e.Project)
	case !e.Approved.IsZero() && e.Approved.Before(e.Applied):
		return fmt.Errorf("project %s: approved %s, before it was applied for (%s)", e.Project, e.Approved.Format(time.DateOnly), e.Applied.Format(time.DateOnly))
	}
	for name, text := range map[string]string{"project": e.Project, "name": e.Name, "applicant": e.Applicant, "owner": e.Owner, "purpose": e.Purpose, "approver": e.Approver} {
		switch {
		case len(text) > maxText:
			return fmt.Errorf("%s is longer than %d bytes", name, maxText)
		case !utf8.ValidString(text):
			return fmt.Errorf("%s is %q, which is not UTF-8", name, text)
		}
	}
	for _, s := range e.Services {
		switch {
		case s.ID == "":
			return fmt.Errorf("project %s: a service has no id", e.Project)
		case !s.Until.IsZero() && !s.Until.After(s.From):
			return fmt.Errorf("project %s: service %s ends %s, not after it begins", e.Project, s.ID, s.Until.Format(time.DateOnly))
		}
	}
	return nil
}

// Covers tells whether a service was applied for, at a time.
func (e *Entry) Covers(service string, at time.Time) bool {
	service = ServiceID(service)
	return slices.ContainsFunc(e.Services, func(s Service) bool {
		return s.ID == service && !at.Before(s.From) && (s.Until.IsZero() || at.Before(s.Until))
	})
}

// IDs are the services applied for, by name.
func (e *Entry) IDs() []string {
	out := make([]string, 0, len(e.Services))
	for _, s := range e.Services {
		out = append(out, s.ID)
	}
	return out
}

// ServiceID is the form in which services are compared: in small letters.
func ServiceID(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
