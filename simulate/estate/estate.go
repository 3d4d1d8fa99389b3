// Package estate holds the nouns of the simulated organisation: accounts,
// applications, secrets, programs and people, what they do and what changes.
// It decides nothing; simulate builds it and writes its logs, simulate/trouble
// puts trouble and what looks like it into it, simulate/streams writes the logs
// of other providers from the same people and machines.
package estate

import (
	"time"

	"github.com/yagura-sec/yagura/finding"
)

// Family is a way of making traffic.
type Family string

// The families. Smooth draws over-dispersed counts around a rhythm; Bursts
// switches on and off with heavy-tailed lengths, caches with a time to live, and
// starts cold. A detector that fits one must not be judged by it alone.
const (
	Smooth Family = "smooth"
	Bursts Family = "bursts"
)

// World is the truth: what world.json says.
type World struct {
	Name      string      `json:"name"`
	Org       string      `json:"org"` // the AWS organisation's id
	Seed      int64       `json:"seed"`
	Size      string      `json:"size"`
	Family    Family      `json:"family"`
	Start     time.Time   `json:"start"`
	End       time.Time   `json:"end"` // logs are of [Start, End)
	TroubleAt time.Time   `json:"trouble_from"`
	Rates     Rates       `json:"rates"`
	Accounts  []*Account  `json:"accounts"`
	Teams     []*Team     `json:"teams"`
	Apps      []*App      `json:"apps"`
	Secrets   []*Secret   `json:"secrets"`
	Workloads []*Workload `json:"workloads"`
	People    []*Person   `json:"people"`
}

// Account is an AWS account.
type Account struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	OU      string   `json:"ou"` // prod, non-prod, sandbox, security
	Index   int      `json:"-"`
	Home    string   `json:"home"`    // region
	Regions []string `json:"regions"` // in use, Home first
	DR      string   `json:"dr"`      // region kept for disasters
	NAT     string   `json:"nat"`     // public address of its programs
	Network string   `json:"network"` // "10.4", the first half of private addresses
	VPCE    string   `json:"vpce"`
}

// Team owns applications.
type Team struct {
	Name    string    `json:"name"`
	Zone    string    `json:"zone"`    // "Asia/Tokyo"
	Country string    `json:"country"` // of its holidays
	Apps    []*App    `json:"-"`
	People  []*Person `json:"-"`
}

// App is programs that share secrets in one account.
type App struct {
	Name      string      `json:"name"`
	Account   *Account    `json:"-"`
	Team      *Team       `json:"-"`
	Secrets   []*Secret   `json:"-"`
	Workloads []*Workload `json:"-"`
	// Together: every start of one of its programs reads all of its secrets, and
	// nothing reads only some.
	Together bool `json:"together"`
}

// Sorts of secrets.
const (
	SortSecret    = "secret"    // Secrets Manager
	SortParameter = "parameter" // Systems Manager parameter store, SecureString
	SortKey       = "key"       // KMS key used by programs themselves
)

// Secret is a secret, a secure parameter or a key.
//
// Calls name it as Yagura does. A call to another region names the replica
// there (its ARN has that region), if Replicas has the region, else the same
// ARN as at home. A secret whose callers give only its name has an ARN without
// the random suffix; a call to another region then names the one there.
type Secret struct {
	ARN      string    `json:"arn"` // as Yagura names it: resource_uid
	Name     string    `json:"name"`
	Sort     string    `json:"sort"`
	Account  *Account  `json:"-"`
	Region   string    `json:"region"`
	App      *App      `json:"-"`
	Owner    *Person   `json:"-"`
	Readers  []*Person `json:"-"`                      // of a Person secret: who read it every day, Owner first
	Key      string    `json:"key,omitempty"`          // ARN of the KMS key behind a secret
	Rotates  int       `json:"rotates_days,omitempty"` // a function of the account's renews it every so many days
	Replicas []string  `json:"replicas,omitempty"`
	Created  time.Time `json:"created,omitzero"` // zero: before Start
	Deleted  time.Time `json:"deleted,omitzero"` // zero: not within the logs
	Person   bool      `json:"person,omitempty"` // people read it every day: no application owns it
}

// Class is how a caller comes to its credentials.
type Class string

// The classes.
const (
	Lambda  Class = "lambda"
	ECS     Class = "ecs"
	EC2     Class = "ec2"
	EKS     Class = "eks"
	CI      Class = "ci"
	CLI     Class = "person_cli"
	Console Class = "console"
	Service Class = "aws_service"
	Static  Class = "static_key"
)

// Workload is a program with a role of its own.
type Workload struct {
	Name     string     `json:"name"`
	Role     string     `json:"role"` // ARN: its actor_uid
	Class    Class      `json:"class"`
	Account  *Account   `json:"-"`
	Region   string     `json:"region"`
	App      *App       `json:"-"` // nil: the account's own pipeline, rotation or the like
	Reads    []*Reading `json:"-"`
	From     time.Time  `json:"from,omitzero"`  // zero: before Start
	Until    time.Time  `json:"until,omitzero"` // zero: to the end
	IMDSv1   bool       `json:"imdsv1,omitempty"`
	Internal bool       `json:"internal,omitempty"` // calls come through the VPC endpoint
}

// Rhythms.
const (
	Office  = "office" // with a dip at lunch, in the team's zone
	Flat    = "flat"
	Batch   = "batch"  // every day at a fixed minute
	Weekly  = "weekly" // a day of the week at a fixed minute
	Monthly = "month_end"
)

// Reading is that a program reads a secret.
type Reading struct {
	Workload *Workload `json:"-"`
	Secret   *Secret   `json:"-"`
	Rhythm   string    `json:"rhythm"`
	Rate     float64   `json:"rate"`             // calls in a busy hour
	Minute   int       `json:"minute,omitempty"` // of the day, in the team's zone: of batches
	Weekday  int       `json:"weekday,omitempty"`
	Growth   float64   `json:"growth,omitempty"` // a month, 0.2 is 20 %
	StepAt   time.Time `json:"step_at,omitzero"` // from then on times Step
	Step     float64   `json:"step,omitempty"`
}

// Person works in a team.
type Person struct {
	Name   string          `json:"name"`
	Email  string          `json:"email"` // the session name of single sign-on
	Team   *Team           `json:"-"`
	Zone   string          `json:"zone"`
	Begins float64         `json:"begins"` // hour of the day work begins, local
	Ends   float64         `json:"ends"`
	Joined time.Time       `json:"joined,omitzero"`
	Left   time.Time       `json:"left,omitzero"`
	Office string          `json:"office_ip"`
	Home   string          `json:"home_ip"`
	Device string          `json:"device"`
	Sets   []PermissionSet `json:"permission_sets"`
	Duty   []Shift         `json:"duty,omitempty"` // weeks on call
}

// PermissionSet is what a person may use in an account: a role that others use
// too.
type PermissionSet struct {
	Account *Account `json:"-"`
	Role    string   `json:"role"` // ARN
}

// Shift is a time on call.
type Shift struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Caller is who makes a call, as its record shows it. What is left empty is as
// usual for the Workload, or for the Person by Class: role (that of the
// account, if the person has one there), session, address and agent. Without
// either, Role, Account and IP have to be given.
type Caller struct {
	Class    Class
	Role     string // ARN; of Static the user's ARN
	Account  *Account
	Session  string // last part of the session's ARN
	IP       string
	Agent    string
	VPCE     string
	IMDSv1   bool
	Scope    string // inScopeOf.credentialsIssuedTo; empty: absent
	Person   *Person
	Workload *Workload
}

// Call is one call to a provider's API.
type Call struct {
	At        time.Time
	By        Caller
	Account   *Account // that receives it
	Region    string
	Service   string // "secretsmanager"
	Operation string // "GetSecretValue"
	Secret    *Secret
	Params    string // JSON of requestParameters; empty: what Secret implies, or null
	Resource  string // ARN, where there is no Secret
	Error     string // errorCode
	Message   string // errorMessage
	ReadOnly  bool
	Label     *Label // whose doing it is; nil: everyday work
	// SignIn is "Success" or "Failure" of a ConsoleLogin.
	SignIn string
}

// Change is what makes everyday work of programs and people other than it was,
// for a time. What is empty is not changed; Workloads, Secrets and People say
// whom it concerns, none of them: everybody.
type Change struct {
	From, Until time.Time
	Workloads   []*Workload
	Secrets     []*Secret
	People      []*Person
	Rate        float64       // times as many calls; 0: as many as ever; less than 0: none
	Region      string        // calls go there
	As          *Workload     // calls are made by this program instead
	Shift       time.Duration // rhythms come that much later
	Error       string        // calls fail so
	Share       float64       // of calls that are concerned, 0: all
	IP          string        // people call from there
	Label       *Label
}

// Label is one line of labels.jsonl: trouble, or what only looks like it.
type Label struct {
	ID    string   `json:"id"`
	Kind  string   `json:"kind"`            // a sign of finding.Signs, or "gcp_denials", "sign_in", "chain"
	Kinds []string `json:"kinds,omitempty"` // of a chain: all signs it shows
	// PartOf is the id of the chain that a label tells one sign of. The chain's
	// own label is no further trouble: it names no events, its parts do.
	PartOf     string `json:"part_of,omitempty"`
	Difficulty int    `json:"difficulty"` // 1 to 3
	Benign     bool   `json:"benign"`
	Sort       string `json:"sort"` // "burst", "deploy storm", ...
	Why        string `json:"why,omitempty"`
	LookAlike  string `json:"look_alike,omitempty"` // the id of the other of the pair
	Known      bool   `json:"known"`                // the calendar tells of it
	// Blind trouble comes to whatever is used: however young or rarely read it
	// is, and whatever else happens to it.
	Blind     bool      `json:"blind,omitempty"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	Account   string    `json:"account,omitempty"`
	Principal string    `json:"principal,omitempty"` // actor_uid
	Person    string    `json:"person,omitempty"`
	Secrets   []string  `json:"secrets,omitempty"` // resource_uid
	Events    []string  `json:"event_ids"`         // the provider's ids, at most 1,000
}

// Plan is what happens beside everyday work.
type Plan struct {
	Calls   []Call
	Changes []Change
	Labels  []*Label
	Windows []finding.Window // what the calendar tells
}
