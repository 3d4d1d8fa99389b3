package count

import (
	"encoding/json"
	"strings"
	"time"
)

// Setup is how things are set up, as far as facts say.
type Setup struct {
	Recorders        []Recorder
	Rules            []Rule
	RulesKnown       []Place // accounts and regions whose rules were asked for
	Packs            []Pack
	Policies         []Policy
	Targets          []Target
	LandingZones     []Landing
	NoLandingZone    bool // it was asked for, and there is none
	Enrolled         []Enrolment
	Trails           []Trail
	Selectors        []Selectors
	Analyzers        []Analyzer
	Detectors        []DetectorOf
	FirewallPolicies []Firewall
	Standards        []Standard
	Summaries        []Summary

	here place     // of the document that is read
	at   time.Time // of the same
	read int64     // things that it describes
}

// Place is an account and a region; empty: not known.
type Place struct{ Account, Region string }

func (p place) place() Place { return Place{p.account, p.region} }

// Recorder is a configuration recorder.
type Recorder struct {
	Place
	Name, Role string
	ARN        string
	Service    string // the principal of the service that it belongs to; empty: it is the customer's
	Scope      string // INTERNAL is recorded for free, PAID is charged; empty: not said
	Group      Group
	Mode       Mode
	Recording  *bool     // nil: not known
	At         time.Time // when it was so

	Described json.RawMessage // as the provider said it
}

// Group is which types a recorder records, as the provider's interface has it.
type Group struct {
	AllSupported               bool      `json:"allSupported"`
	IncludeGlobalResourceTypes bool      `json:"includeGlobalResourceTypes"`
	ResourceTypes              []string  `json:"resourceTypes,omitempty"`
	ExclusionByResourceTypes   *Excluded `json:"exclusionByResourceTypes,omitempty"`
	RecordingStrategy          *Strategy `json:"recordingStrategy,omitempty"`
}

// Excluded are types that are left out.
type Excluded struct {
	ResourceTypes []string `json:"resourceTypes"`
}

// Strategy is by what a group chooses: ALL_SUPPORTED_RESOURCE_TYPES,
// INCLUSION_BY_RESOURCE_TYPES or EXCLUSION_BY_RESOURCE_TYPES.
type Strategy struct {
	UseOnly string `json:"useOnly"`
}

// Mode is how often a recorder records; empty: as it did before there was a choice.
type Mode struct {
	Frequency string     `json:"recordingFrequency"` // CONTINUOUS or DAILY
	Overrides []Override `json:"recordingModeOverrides,omitempty"`
}

// Override is how often it records some types.
type Override struct {
	Description string   `json:"description,omitempty"`
	Types       []string `json:"resourceTypes"`
	Frequency   string   `json:"recordingFrequency"`
}

// Rule is a rule of AWS Config.
type Rule struct {
	Place
	Name      string
	Source    string   // of the managed rule, or what a custom one runs
	Types     []string // whose changes it looks at; none: of no type by name
	OnChange  bool     // it is evaluated when something changes
	CreatedBy string   // the service that made it; empty: a person
}

// Pack is a conformance pack.
type Pack struct {
	Place
	Name string
}

// Policy is one of the organisation's.
type Policy struct {
	ID, Name string
	Content  string // empty: only its name is known
}

// Target is what a policy is attached to.
type Target struct {
	ID     string // an account, a unit or a root
	Kind   string // ACCOUNT, ORGANIZATIONAL_UNIT or ROOT
	Policy string // its id, as the name of the file has it; empty: not known
}

// Landing is a landing zone of Control Tower.
type Landing struct {
	Place           // the management account and its home region
	Version  string // "3.3"
	Drift    string
	Config   *bool    // whether it sets up AWS Config; nil: the manifest does not say
	Governed []string // regions
}

// Enrolment is an account or unit that Control Tower's baseline is enabled for.
type Enrolment struct {
	Target   string // account or unit
	Baseline string
	Status   string
}

// Trail is a trail of CloudTrail.
type Trail struct {
	Place        // where it was asked for
	Name, ARN    string
	Home         string // region
	Organisation bool
	MultiRegion  bool
}

// Owner is the account that the trail belongs to.
func (t *Trail) Owner() string { return placeOfARN(t.ARN).account }

// Selectors are what a trail records.
type Selectors struct {
	ARN        string
	Management bool
	Data       bool
	Excludes   []string // services whose management events it leaves out
	Described  Described
}

// Described are selectors as the provider said them: one of the two.
type Described struct {
	Plain    json.RawMessage
	Advanced json.RawMessage
}

// Analyzer is one of IAM Access Analyzer.
type Analyzer struct {
	Place
	Name, ARN, Type, Status string
	Configuration           json.RawMessage
}

// DetectorOf is GuardDuty in a place.
type DetectorOf struct {
	Place
	Status   string
	Features map[string]string // name to ENABLED or DISABLED
}

// Firewall is a policy of Firewall Manager.
type Firewall struct {
	Place    // the account that it is known of; empty: see Accounts
	ID, Name string
	Service  string   // what it manages: "SECURITY_GROUPS_COMMON"
	Types    []string // resources that it protects
	Accounts []string // that it reaches; none: not said
}

// Standard is one that Security Hub checks.
type Standard struct {
	Place
	ARN, Status string
}

// Summary counts what IAM of an account has.
type Summary struct {
	Account      string
	Roles, Users int64
}

// found notes where a document turned out to be from, by what it says itself.
func (s *Setup) found(p place) place {
	if s.here.account == "" {
		s.here.account = p.account
	}
	if s.here.region == "" {
		s.here.region = p.region
	}
	return p
}

// named says which of several documents of a kind in a place this is.
func (s *Setup) named(name string) {
	if s.here.name == "" {
		s.here.name = name
	}
}

// truth is a boolean that may be missing, or a word.
type truth struct{ is *bool }

// UnmarshalJSON reads true, "true" and the like; of anything else nothing is known.
func (t *truth) UnmarshalJSON(text []byte) error {
	switch strings.ToLower(strings.Trim(string(text), `"`)) {
	case "true":
		yes := true
		t.is = &yes
	case "false":
		no := false
		t.is = &no
	}
	return nil
}
