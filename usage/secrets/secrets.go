// Package secrets says what hourly usage tells of every secret, key, parameter and
// certificate: since when it is used, by whom, when in the week, from which regions,
// and with which others. Never what is in one: no log holds that, and nothing here
// asks for it.
//
// A Table takes usage day by day and answers from memory. What was not seen is not
// known: an hour in which an account delivered no record at all is told as such,
// not as an hour without use.
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

// Kinds lists all kinds.
var Kinds = []Kind{Secret, Key, Parameter, Certificate}

// Book is what is known of all of them at one time. It is shared: do not change it.
type Book struct {
	Secrets []Summary // by Resource
	Vaults  []Vault   // those that wrote nothing, by Resource
	Days    int       // that were summed
	Since   time.Time // start of the first of them
	Until   time.Time // end of the last hour of which any account delivered records
	// Dropped counts those that came when there was no room for more.
	Dropped int64

	version int64
	byForm  map[string]int32 // place in Secrets
}

// Find gives the one with that name, in any of its forms.
func (b *Book) Find(name string) (*Summary, bool) {
	i, ok := b.byForm[name]
	if !ok {
		return nil, false
	}
	return &b.Secrets[i], true
}

// Summary is what there is to say of one in a row of a list.
type Summary struct {
	Resource      string   // its full name
	Forms         []string // all its names, Resource first
	Kind          Kind
	Name          string // as its owners call it: the alias of a key that has one
	Account       string
	Region        string // where it lies
	CloudProvider string
	// Confirmed: a call on it succeeded. Anyone may ask for what is not there.
	Confirmed   bool
	First       time.Time // of any record that names it, to the second
	Created     time.Time // when it was made, if that was seen
	LastUse     time.Time // zero: no use was seen
	Calls       int64     // uses
	Failures    int64     // of them, those that did not succeed
	Actors      int       // different principals that used it
	Callers     []CallerCalls
	Regions     []string // that it was used in
	UsedDays    int      // days with uses that succeeded
	Rotation    Rotations
	QuietDays   int // whole days from the last use to the end of its account's log; -1: no use was seen
	UnknownDays int // days since First in which its account delivered no record; where Unseen, all
	// Unseen is the log that would tell of its use and of which nothing came; empty:
	// its use is seen. Records that name it came otherwise, and say nothing of use.
	Unseen Log

	secret int32 // its number in the Table
}

// Log is a log that tells the use of secrets and keys, and is off unless somebody
// turned it on.
type Log string

// The logs.
const (
	// DataAccess logs of Google Cloud are turned on by project and service.
	DataAccess Log = "data_access"
	// AuditEvents of Azure are delivered by a diagnostic setting of the vault.
	AuditEvents Log = "audit_event"
)

// CallerCalls is how often a class of callers used one.
type CallerCalls struct {
	Caller event.Caller `json:"caller"`
	Calls  int64        `json:"calls"`
}

// Rotations are calls that give one a new value.
type Rotations struct {
	Calls int64     `json:"calls" doc:"calls that succeeded, as far as they were seen"`
	Last  time.Time `json:"last,omitzero" doc:"the latest; absent: none was seen"`
}

// Use is everything about one.
type Use struct {
	Summary
	Heat         []Heat
	Known        []Known
	Days         []DayCalls
	ActorUse     []ActorUse
	Group        []GroupMember
	Failed       []FailedUse
	Unheard      []Unheard
	UnknownHours int64
}

// Heat is how often one is used in an hour of the week, UTC.
type Heat struct {
	Weekday int          `json:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday"`
	Hour    int          `json:"hour" minimum:"0" maximum:"23" doc:"UTC"`
	Caller  event.Caller `json:"caller"`
	Calls   int64        `json:"calls"`
}

// Known is how much of an hour of the week is known.
type Known struct {
	Weekday int `json:"weekday" minimum:"0" maximum:"6" doc:"0 is Sunday"`
	Hour    int `json:"hour" minimum:"0" maximum:"23" doc:"UTC"`
	Known   int `json:"known" doc:"such hours since its first sight with records of its account"`
	Unknown int `json:"unknown" doc:"such hours without any record of its account"`
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
	Resource string  `json:"resource"`
	Name     string  `json:"name"`
	Kind     Kind    `json:"kind" enum:"secret,key,parameter,certificate"`
	Hours    int     `json:"hours" doc:"hours, by principal, in which both were used"`
	Together float64 `json:"together" minimum:"0" maximum:"1" doc:"part of this one's hours of use"`
	Reverse  float64 `json:"reverse" minimum:"0" maximum:"1" doc:"part of the other's hours of use"`
}

// FailedUse is how uses ended that did not succeed.
type FailedUse struct {
	Outcome   event.Outcome `json:"outcome"`
	Operation string        `json:"operation"`
	Calls     int64         `json:"calls"`
	Last      time.Time     `json:"last"`
}

// Unheard is a stretch of time in which an account delivered no record.
type Unheard struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to" doc:"exclusive"`
}
