package finding

import (
	"errors"
	"fmt"
	"time"
)

// Mark says that a hunter has to look at an hour, because an event that
// concerns it came into that hour. Marks are what makes hunters independent of
// the order in which events arrive: a late event marks its hour again.
type Mark struct {
	Hunter string
	Hour   time.Time // UTC, whole
	// Seq is given by triage and grows with every recording, so that a mark set
	// while its hour is being looked at is not taken away by that look.
	Seq int64
}

// Hunt is all that a hunter has to say about whole hours: what it found of them
// earlier and does not find now was not so.
type Hunt struct {
	Hunter       string    // who looked: "sigma/RULE"
	Rule         string    // the rule, where the hunter is a rule's; else empty
	Since, Until time.Time // UTC, whole hours, Until not included
	// Occurrences are one a key and hour: Since is the hour, Until its end.
	// What was seen is in the hour of the events, not in that of the conclusion.
	Occurrences []Occurrence
	Matches     []MatchCount // of a rule, whole days: they replace those of its batches
	// Notes are what the hunter wants to be given back of days, by
	// triage.Hunts.Notes. They replace those of the same days.
	Notes []Note
	// Again are hours in which something is still open, for example because the
	// log does not reach far enough to say that something did not happen. They
	// stay marked.
	Again []time.Time
}

// Hour is the UTC hour that t falls in.
func Hour(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// Stage is a rule's trial: what it finds is counted and kept out of sight until
// somebody decides whether it is worth reading.
type Stage struct {
	Rule    string    `json:"rule"`
	Since   time.Time `json:"since"`
	Days    int       `json:"days"` // how long it is to run
	By      string    `json:"by"`   // who began it, or decided it; and the comment likewise
	Comment string    `json:"comment,omitempty"`
	// State is "staged", "promoted" or "retired".
	State   StageState `json:"state"`
	Decided time.Time  `json:"decided,omitzero"`
}

// StageState is where a trial is.
type StageState string

// The states. The findings of a staged and of a retired rule are not listed
// unless asked for; those of a promoted one are, the old ones included.
const (
	Staged   StageState = "staged"
	Promoted StageState = "promoted"
	Retired  StageState = "retired"
)

// Hidden tells whether findings of the rule are kept out of sight.
func (s Stage) Hidden() bool { return s.State != Promoted }

// Check tells in a person's words what is wrong with s as something to set.
func (s Stage) Check() error {
	switch {
	case s.Rule == "":
		return errors.New("trial without a rule")
	case s.By == "":
		return errors.New("trial without a name: say who decides")
	case s.State == Staged && s.Days < 1:
		return fmt.Errorf("trial of %d days: it needs one at least", s.Days)
	case s.State != Staged && s.State != Promoted && s.State != Retired:
		return fmt.Errorf("state %q is not one of %s, %s, %s", s.State, Staged, Promoted, Retired)
	}
	return nil
}

// Ready is when the trial is over and waits for a decision.
func (s Stage) Ready() time.Time { return s.Since.AddDate(0, 0, s.Days) }
