package finding

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/say"
)

// ExceptionState is where an exception is in its life.
type ExceptionState string

// The states. Expired is what an active one is called from its Until on: it is
// told by StateAt and never kept.
const (
	ExceptionProposed ExceptionState = "proposed"
	ExceptionActive   ExceptionState = "active"
	ExceptionExpired  ExceptionState = "expired"
	ExceptionRevoked  ExceptionState = "revoked"
)

// Exception says of findings that they are known and accepted for a time. What
// it covers is found all the same, and marked with it.
//
// An active one explains what its scope chooses and whose events all lie in
// [From, Until), those before it was written included; when the same trouble is
// seen after Until, it is unexplained again. A revoked or proposed one explains
// nothing.
type Exception struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Scope Scope  `json:"scope"`
	Owner string `json:"owner"`
	// Reason is why that is accepted, in a person's words.
	Reason string         `json:"reason"`
	From   time.Time      `json:"from,omitzero"` // zero: as far back as there are findings
	Until  time.Time      `json:"until"`         // not included; an exception without an end is none
	State  ExceptionState `json:"state"`
	By     string         `json:"by"` // who wrote it, and when
	At     time.Time      `json:"at"`
	// Evidence are keys of findings that it was made from.
	Evidence []string `json:"evidence,omitempty"`
	// Explains is how many findings it accounts for now: told by stores, never
	// kept.
	Explains int `json:"explains"`
}

// Check tells in a person's words what is wrong with x, if anything is.
func (x *Exception) Check() error {
	switch {
	case x.ID == "":
		return errors.New("an exception has no id")
	case x.Title == "":
		return fmt.Errorf("exception %s has no title", x.ID)
	case x.Scope.Empty():
		return fmt.Errorf("exception %s has no scope: it would explain everything", x.ID)
	case x.Scope.fleeting() != "":
		return fmt.Errorf("exception %s asks for %s, which decisions and exceptions change themselves", x.ID, x.Scope.fleeting())
	case !slices.Contains([]ExceptionState{ExceptionProposed, ExceptionActive, ExceptionRevoked}, x.State):
		return fmt.Errorf("exception %s: state %q is not one of proposed, active, revoked", x.ID, x.State)
	case x.State == ExceptionProposed:
		return nil // the rest is for whoever accepts it
	case x.Owner == "":
		return fmt.Errorf("exception %s has no owner: somebody has to answer for it", x.ID)
	case x.Reason == "":
		return fmt.Errorf("exception %s has no reason", x.ID)
	case x.Until.IsZero():
		return fmt.Errorf("exception %s has no end: say until when it holds", x.ID)
	case !x.From.Before(x.Until):
		return fmt.Errorf("exception %s ends before it starts", x.ID)
	}
	return nil
}

// StateAt is the state as of now: an active exception whose time is over is
// expired.
func (x *Exception) StateAt(now time.Time) ExceptionState {
	if x.State == ExceptionActive && !now.Before(x.Until) {
		return ExceptionExpired
	}
	return x.State
}

// Covers tells whether the exception accounts for the finding.
func (x *Exception) Covers(f *Finding) bool {
	return x.State == ExceptionActive && !f.FirstSeen.Before(x.From) && f.LastSeen.Before(x.Until) && x.Scope.Match(f)
}

// Explanation is how findings name it.
func (x *Exception) Explanation() Explanation {
	return Explanation{Kind: "exception", ID: x.ID, Text: say.Plain(x.Title)}
}
