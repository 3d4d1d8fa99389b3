// Package secrets says what hourly usage tells of every secret, key, parameter and
// certificate: since when it is used, by whom, when in the week, from which regions,
// and with which others. Never what is in one: no log holds that, and nothing here
// asks for it.
//
// What was not seen is not known: an hour in which an account delivered no record
// at all is a gap, not an hour without use.
package secrets

import (
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Kind is what sort of thing is watched.
type Kind string

// The kinds.
const (
	Secret      Kind = "secret"
	Key         Kind = "key"
	Parameter   Kind = "parameter"
	Certificate Kind = "certificate"
)

// Book is what is known of all of them at one time. It is shared: do not change it.
type Book struct {
	Secrets []Summary // by Resource
	// Until is the end of the last hour that was summed.
	Until time.Time
	// Dropped counts those that came when there was no room for more.
	Dropped int64
	byName  map[string]int // every form of a name
}

// Summary is what there is to say of one in a row of a list.
type Summary struct {
	Resource      string    // its full name, in the form that usage shows most completely
	Forms         []string  // all its names, Resource among them, in order
	Kind          Kind      //
	Name          string    // as its owners call it
	Account       string    //
	Region        string    // where it lies
	CloudProvider string    //
	First, Last   time.Time // of its uses; zero Last: it was only managed or asked about
	Calls         int64     // uses
	Actors        int       // different principals that used it
	Callers       []CallerCalls
	Regions       []string  // that it was used in
	Failures      int64     // uses that did not succeed
	Rotation      Rotations // calls that rotate it
	UsedDays      int       // days with uses
}

// CallerCalls is how often a class of callers used one.
type CallerCalls struct {
	Caller event.Caller `json:"caller"`
	Calls  int64        `json:"calls"`
}

// Rotations are calls that change one.
type Rotations struct {
	Calls int64     `json:"calls" doc:"calls seen"`
	Last  time.Time `json:"last,omitzero" doc:"the latest; absent: none was seen"`
}

// Use is everything about one.
type Use struct {
	Summary
	Heat     []Heat
	Days     []DayCalls
	ActorUse []ActorUse
	Group    []GroupMember
	Failed   []FailedUse
	Gaps     []Unheard
}

// Heat is how often one is used in an hour of the week, UTC.
type Heat struct {
	Weekday int          `json:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday"`
	Hour    int          `json:"hour" minimum:"0" maximum:"23" doc:"UTC"`
	Caller  event.Caller `json:"caller"`
	Calls   int64        `json:"calls"`
}

// DayCalls is how often one was used on a UTC day.
type DayCalls struct {
	Day    string       `json:"day" example:"2026-11-21"`
	Caller event.Caller `json:"caller"`
	Calls  int64        `json:"calls"`
}

// ActorUse is what one principal did with it.
type ActorUse struct {
	Actor    string       `json:"actor"`
	Caller   event.Caller `json:"caller"`
	Calls    int64        `json:"calls"`
	Failures int64        `json:"failures"`
	First    time.Time    `json:"first"`
	Last     time.Time    `json:"last"`
}

// GroupMember is another that is used along with it.
type GroupMember struct {
	Resource string `json:"resource"`
	Name     string `json:"name"`
	// Together is the part of this one's hours of use, by the same principal, in
	// which the other was used too.
	Together float64 `json:"together" minimum:"0" maximum:"1" doc:"part of the hours of use, by principal, in which both were used"`
	Hours    int     `json:"hours" doc:"such hours"`
}

// FailedUse is how uses ended that did not succeed.
type FailedUse struct {
	Outcome   event.Outcome `json:"outcome"`
	Operation string        `json:"operation"`
	Calls     int64         `json:"calls"`
	Last      time.Time     `json:"last"`
}

// Unheard is a stretch of time of which nothing is known.
type Unheard struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to" doc:"exclusive"`
	Reason string    `json:"reason"`
}
