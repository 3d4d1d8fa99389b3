// Package watch holds what anomalies are judged from: the use of secrets and
// keys hour by hour, and what goes on around it. Package anomaly fills it from
// stored usage and events; each sign of trouble judges it.
package watch

import (
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// Names numbers what is watched, so that what is learned can be kept in slices.
// Numbers are given in the order of first sight and never change.
type Names struct {
	Secrets  []Secret
	Actors   []Actor
	Accounts []string
	// (look-up tables are package anomaly's)
}

// Secret is a secret, a secure parameter or a key.
type Secret struct {
	UID     string // resource_uid; of a Secrets Manager secret without the random suffix where both forms occur
	Account string
	Region  string // its home, from its name; empty: the name does not say
	Name    string // "prod/payments/db"
	Family  string // secrets that belong together by account and name prefix
	Key     bool   // a key, not a secret
	// Replicas are regions that a replication was seen for, with when.
	Replicas map[string]time.Time
}

// Away tells whether a region is not its home. Of what does not say where it lies,
// such as what is in a vault of Azure, no region is known to be away.
func (s *Secret) Away(region string) bool { return s.Region != "" && region != s.Region }

// Actor is a principal by its stable name.
type Actor struct {
	UID     string
	Name    string // what people call it: the role's name
	Account string // from its name; empty if unknown
}

// Use is what an actor did with a secret or key in an hour: a row of usage.
type Use struct {
	Secret, Actor int32
	Account       int32 // that received the calls
	Caller        event.Caller
	Operation     string
	Region        string
	Outcome       event.Outcome
	Count         int64
	First, Last   time.Time
}

// Person tells whether people stand behind the caller.
func Person(c event.Caller) bool { return c == event.CallerConsole || c == event.CallerPersonCLI }

// ByPerson is what a person did. A role's session names who is behind it; where
// people are principals themselves, an address is their actor_uid.
func ByPerson(person string) query.Expr {
	session := query.Eq{Field: "actor_session", Value: person}
	if strings.Contains(person, "@") {
		return query.Or{X: []query.Expr{session, ByActor(person)}}
	}
	return session
}

// ByActor is what a principal did.
func ByActor(uid string) query.Expr { return query.Eq{Field: "actor_uid", Value: uid} }

// Search is the command that finds what all of some conditions are true of, in the
// seconds that a time touches.
func Search(since, until time.Time, all ...query.Expr) string {
	from, to := since.UTC().Truncate(time.Second), until.UTC().Add(time.Second-1).Truncate(time.Second)
	return shell.Command("yagura", "search", query.String(query.And{X: all}), "--since", from.Format(time.RFC3339), "--until", to.Format(time.RFC3339))
}

// Calls is what an actor called in an hour in an account and region, all
// operations together: the rows of usage without a resource.
type Calls struct {
	Actor, Account int32
	Caller         event.Caller
	Region         string
	Count          int64 // all
	Denied         int64 // denied, auth_failed and denied_by_org_policy among them
	OrgDenied      int64 // denied_by_org_policy
	First, Last    time.Time
}

// Act is a call of note, by usage: a deploy, a rotation, a change of a secret, a
// thing of infrastructure made, a denial. Package anomaly's list says which.
type Act struct {
	Sort           string // ActDeploy, ...
	Actor, Account int32
	Caller         event.Caller
	Service        string
	Operation      string
	Resource       string // resource_uid, may be empty
	Secret         int32  // where the resource is one, else -1
	Region         string
	Outcome        event.Outcome
	Count          int64
	First, Last    time.Time
}

// Sorts of acts.
const (
	ActDeploy    = "deploy"    // UpdateService, RegisterTaskDefinition, UpdateFunctionCode, StartInstanceRefresh, RunTask, ...
	ActRotate    = "rotate"    // RotateSecret, PutSecretValue, UpdateSecretVersionStage
	ActCreate    = "create"    // CreateSecret, CreateKey, PutParameter
	ActDelete    = "delete"    // DeleteSecret, ScheduleKeyDeletion, DeleteParameter
	ActReplicate = "replicate" // ReplicateSecretToRegions, ReplicateKey
	ActBuild     = "build"     // CreateFunction, CreateService, RunInstances, CreateRole, CreateVpc, ...: infrastructure comes
	ActPolicy    = "policy"    // PutResourcePolicy, PutKeyPolicy, role policies: what is allowed changes
	ActDenied    = "denied"    // any call that was denied, by permission or authentication
	ActOrgDenied = "org_denied"
)

// Hour is what happened in one UTC hour.
type Hour struct {
	Start time.Time
	Uses  []Use   // by secret, actor, caller, region, operation, outcome
	Calls []Calls // by actor, account, caller, region
	Acts  []Act   // by sort, actor, first

	// From events, where they are or were held (Events tells). Cut tells that there
	// was more than is kept of an hour: the last of it is not here.
	Events  bool
	Cut     bool
	Peaks   []Peak
	Bursts  []Burst
	People  []PersonHour
	Sources []SourceUse
	Tries   []Try
	SignIns []SignIn
}

// Heard tells whether anything at all is known of the account in this hour. An
// hour of which nothing is known is not an hour without calls.
func (h *Hour) Heard(account int32) bool {
	for i := range h.Calls {
		if h.Calls[i].Account == account {
			return true
		}
	}
	return false
}

// Peak is the busiest five minutes (of the clock) that a secret had in an hour
// with 10 or more reads.
type Peak struct {
	Secret int32
	At     time.Time
	Count  int32
}

// Burst is what one session of an actor, or the actor where sessions are one a
// call, read within five minutes of its first read: the set of secrets. It is in
// the hour of its first read. Equal bursts of an actor in an hour are counted
// together.
type Burst struct {
	Actor   int32
	Caller  event.Caller
	Secrets []int32 // ascending, each once; denied and throttled reads count as read
	Count   int32   // how many such bursts
	First   time.Time
	Last    time.Time // start of the last one
}

// PersonHour is what a person called in an hour in an account as an actor.
type PersonHour struct {
	Person   string // session or user name
	Actor    int32
	Account  int32
	Caller   event.Caller
	Region   string
	Calls    int64
	Writes   int64    // calls that change something; signing in does not
	Networks []string // as SourceUse names them
	Reads    []PersonRead
	First    time.Time
	Last     time.Time
}

// PersonRead is that a person read a secret's value.
type PersonRead struct {
	Secret int32
	Count  int32
	Denied int32 // of Count
	First  time.Time
}

// SourceUse is from where an actor used a secret: "198.51.100.0/24" or
// "2001:db8:1::/48", "vpce-0123", "private", or the name of a service.
type SourceUse struct {
	Actor, Secret int32
	Caller        event.Caller
	Network       string
	Count         int32
	First         time.Time
}

// Try is what an actor (or person) was denied in ten minutes of the clock:
// retries of one call within a minute count once.
type Try struct {
	Actor     int32
	Person    string
	Account   int32
	Caller    event.Caller
	At        time.Time // start of the ten minutes
	Calls     int32     // denied, retries folded
	Pairs     int32     // different (operation, resource) denied
	Secrets   []int32   // denied, ascending, at most 64
	Attempts  int32     // all secret reads, allowed ones included
	Granted   []int32   // secrets denied before in the same hour and then read
	Operation string    // of most denials
	Code      string    // error code of most denials
	Network   string
	First     time.Time
	Last      time.Time
}

// SignIn is failed sign-ins in ten minutes of the clock by one user name (empty
// if the provider hides it) from one address.
type SignIn struct {
	Account     int32
	User        string
	IP          string
	At          time.Time
	Failed      int32
	Succeeded   int32 // after the first failure
	First, Last time.Time
}

// Day is one UTC day. Hours that are not over, or not yet to be judged, are nil;
// an hour that is over and had nothing is there and empty.
type Day struct {
	Start time.Time
	Hours [24]*Hour
	// Names are those of all numbers in the hours.
	Names *Names
}

// Sign judges one sign of trouble. It is used by one goroutine.
//
// Judge changes nothing that was learned: what it says is a function of what
// Learn took in of the days before and of the hours of the day up to and with
// the one judged. Learn takes whole days in order.
type Sign interface {
	Name() string // of finding.Signs
	// Judge says what is unusual in hour i of the day: everything whose score is
	// at least Floor, whether or not it is worth an alert.
	Judge(day *Day, i int) []Alarm
	Learn(day *Day)
	// Clone is a copy that learns on its own.
	Clone() Sign
	// Bytes is about how much memory what was learned takes.
	Bytes() int
}

// Floor is the score from which on the tail of scores is kept.
const Floor = 2.0

// Alarm is one unusual thing in one hour.
type Alarm struct {
	Sign string
	// Class is which scores are comparable: the tail is kept for each. Usually
	// the sign, or the sign and a part: "time/person".
	Class   string
	Secret  int32   // -1: several or none
	Secrets []int32 // where they are several, most striking first
	Actor   int32   // -1: none stands out
	Person  string
	Account int32
	Region  string
	Caller  event.Caller
	// Score is -log10 of the chance under the usual pattern, corrected for how
	// many such judgements are made on the same thing in an hour (several
	// windows, several directions).
	Score float64
	// Trials is how many judgements of this class are made a day and secret, so
	// that chance alone gives Trials x 10^-Score alarms a day and secret.
	Trials      float64
	First, Last time.Time
	// Late: First and Last are in the hour before the one judged, of which enough
	// is known only now.
	Late bool
	// Began is the day on which what goes on over days began: it is one trouble
	// from then on. Zero: it is of its own day.
	Began    time.Time
	Count    int64 // calls concerned
	Severity finding.Severity
	Days     int // what it rests on
	Calls    int64
	// Mature: there is enough history to alert on. What is not is counted and
	// shown as learning, never alerted on.
	Mature bool
	// Context is what accounts for it, from the log itself: a deploy, a
	// migration, a rotation, a declared replica. It marks, it never hides.
	Context []finding.Explanation
	// Tell fills in what a person reads, before anything more is learned. It is
	// called for alarms that become findings only.
	Tell func() Told
	// Where says which events are its evidence.
	Where Where
}

// Told is what a person reads of an alarm.
type Told struct {
	Title   say.Text
	Reasons []finding.Reason // the strongest first; its text is one whole sentence with numbers
	Series  []finding.Point
	Unseen  []say.Text
	Next    []string // commands
	Attack  []string // technique ids
}

// Where chooses events of the alarm's time: empty fields choose all.
type Where struct {
	Actor      string
	Person     string // actor_session
	Secrets    []string
	Caller     event.Caller
	Region     string
	Operations []string
	Outcomes   []event.Outcome
	SrcIP      string
}
