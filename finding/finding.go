// Package finding holds what Yagura concluded: findings, the occurrences they
// are made of, their reasons, and what people decided about them.
package finding

import (
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// Kind says what sort of judgement made a finding. Anomalies append their sign:
// "anomaly.caller".
type Kind string

// The kinds.
const (
	KindRule        Kind = "rule"
	KindCorrelation Kind = "correlation"
	KindAnomaly     Kind = "anomaly"
	KindPosture     Kind = "posture"
	KindExposure    Kind = "exposure"
	KindUnused      Kind = "unused"
	KindRegister    Kind = "register" // used, and not applied for
	KindExternal    Kind = "external"
)

// Severity in Sigma's words.
type Severity string

// The severities, lowest first.
const (
	Informational Severity = "informational"
	Low           Severity = "low"
	Medium        Severity = "medium"
	High          Severity = "high"
	Critical      Severity = "critical"
)

// Severities lists all severities, lowest first.
var Severities = []Severity{Informational, Low, Medium, High, Critical}

// Rank is the place of s in Severities, or -1.
func (s Severity) Rank() int {
	for i, x := range Severities {
		if x == s {
			return i
		}
	}
	return -1
}

// Status is where a finding is in its life.
type Status string

// The statuses.
const (
	New        Status = "new"
	InProgress Status = "in_progress"
	Resolved   Status = "resolved"
	Suppressed Status = "suppressed"
)

// Verdict is what a person says the finding is.
type Verdict string

// The verdicts. None: nobody has said yet.
const (
	NoVerdict     Verdict = ""
	TruePositive  Verdict = "true_positive"
	FalsePositive Verdict = "false_positive"
	Expected      Verdict = "expected"
	Undetermined  Verdict = "undetermined"
)

// Cause is what brought a finding about.
type Cause string

// The causes.
const (
	CauseUnknown  Cause = "unknown"
	CauseDeploy   Cause = "deploy"
	CausePerson   Cause = "person"
	CauseDrift    Cause = "drift"
	CauseProvider Cause = "provider"
	CauseAttack   Cause = "attack"
)

// Reason is one piece of why: as data and as a sentence.
type Reason struct {
	Kind     string      `json:"kind"` // "selection", "field", "count", ...
	Text     say.Text    `json:"text"` // one sentence with its values
	Observed say.Text    `json:"observed,omitzero"`
	Expected say.Text    `json:"expected,omitzero"`
	Evidence []event.UID `json:"evidence,omitempty"`
}

// Attack is an ATT&CK technique or tactic.
type Attack struct {
	ID      string `json:"id"` // "T1562.008", "TA0005"
	Name    string `json:"name,omitempty"`
	Version string `json:"version"` // of ATT&CK, "19"
}

// Ours is the source of what Yagura says itself.
const Ours = "yagura"

// Explanation marks a finding with something that accounts for it.
type Explanation struct {
	Kind string   `json:"kind"` // window, exception, register, calendar, context
	ID   string   `json:"id"`
	Text say.Text `json:"text"`
}

// Trouble is what occurrences of one key have in common, and what a finding
// shows of the latest of them.
type Trouble struct {
	Key        string   `json:"key"` // what makes it the same trouble: see Key
	Kind       Kind     `json:"kind"`
	Rule       string   `json:"rule,omitempty"` // the rule's id, where a rule made it
	LogSource  string   `json:"log_source,omitempty"`
	Title      string   `json:"title"` // in English, where it is ours
	Severity   Severity `json:"severity"`
	Confidence float64  `json:"confidence"` // 0..1
	// Headline is Title where it is a sentence of ours, to say it in other languages.
	Headline say.Text `json:"-"`
	// Actor is the principal, or the address where none is named: then a reason
	// of kind "actor" says so.
	Actor    string   `json:"actor,omitempty"`
	Resource string   `json:"resource,omitempty"`
	Account  string   `json:"account,omitempty"`
	Region   string   `json:"region,omitempty"`
	Reasons  []Reason `json:"reasons"`
	Attack   []Attack `json:"attack,omitempty"`
	// FalsePositives are the rule author's notes on what else looks like this.
	FalsePositives []string `json:"false_positives,omitempty"`
	Next           []string `json:"next,omitempty"` // what to do, commands first
	// Anomaly holds the numbers of an anomaly; nil for every other kind.
	Anomaly *Anomaly `json:"anomaly,omitempty"`
	// Inferred is who probably did it where the records do not say; nil where they
	// do, or nobody asked.
	Inferred *Inference `json:"actor_inferred,omitempty"`
	// Intent is what somebody was probably about to do: an id of detect/intent.
	Intent string `json:"intent,omitempty"`
	// Constraint is the policy that refused, as the status_code of events names it.
	Constraint string `json:"constraint,omitempty"`
	// ImpliedService is the service that was refused because another brings it along.
	ImpliedService string `json:"implied_service,omitempty"`
	// RegisterGap is what nobody applied for; nil where nothing is missing, or no
	// register says.
	RegisterGap *RegisterGap `json:"register_gap,omitempty"`
	// Proposed is the verdict that the evidence speaks for.
	Proposed *ProposedVerdict `json:"proposed_verdict,omitempty"`
	// External is what the product says whose finding it is; nil for our own.
	External *External `json:"external,omitempty"`
	// Source is the product that says it; empty: Yagura itself. It is shown as
	// Said gives it.
	Source string `json:"source,omitempty"`
	// Related are keys of findings, of others or ours, that speak of the same
	// trouble.
	Related []string `json:"related,omitempty"`
	// Explained is what accounts for it. A finding is explained where all of its
	// occurrences are.
	Explained []Explanation `json:"explained_by,omitempty"`
}

// Occurrence is what one batch contributes to a finding on one UTC day, or one
// hunter in one hour. (Key, Batch, Since) or (Key, Hunter, Since) is its
// identity: recording it again replaces it.
type Occurrence struct {
	Trouble
	Batch        event.BatchID `json:"batch"`
	Hunter       string        `json:"hunter,omitempty"` // set instead of Batch
	Since, Until time.Time     // the day, or the hunter's hour: all of its events are in [Since, Until)

	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Count     int64     `json:"count"` // events
	Evidence  Evidence  `json:"evidence"`
}

// EvidenceCap is how many of the first and of the latest events are kept.
const EvidenceCap = 50

// Sighting is one event as evidence.
type Sighting struct {
	Time time.Time `json:"time"`
	UID  event.UID `json:"uid"`
}

// Evidence keeps the first and the latest EvidenceCap sightings in order of
// (time, uid), whatever order they came in. An event is kept once, in First if
// it fits there.
type Evidence struct {
	First  []Sighting `json:"first"`
	Latest []Sighting `json:"latest,omitempty"`
}

// Finding is a trouble with everything known and decided about it.
type Finding struct {
	Trouble
	Priority  int           `json:"priority"` // 0..100
	Parts     []Part        `json:"priority_parts"`
	Status    Status        `json:"status"`
	Verdict   Verdict       `json:"verdict"`
	Reason    string        `json:"verdict_reason,omitempty"` // reason code
	Cause     Cause         `json:"cause"`
	Assignee  string        `json:"assignee,omitempty"`
	FirstSeen time.Time     `json:"first_seen"`
	LastSeen  time.Time     `json:"last_seen"`
	Count     int64         `json:"count"`
	Case      string        `json:"case"` // principal, resource and day gathered
	Evidence  Evidence      `json:"evidence"`
	Explained []Explanation `json:"explained_by"`
	// What the estate says of the account and resource: see Estate.Place.
	AccountName string `json:"account_name,omitempty"`
	Environment string `json:"environment,omitempty"`
	Owner       string `json:"owner,omitempty"`
	Criticality string `json:"criticality,omitempty"`
	// Demoted: its rule matched more than 1 % of a day's events of its log
	// source, so it is a counter and no finding to look at one by one.
	Demoted bool `json:"demoted"`
	// Staged: its rule runs on trial, or was retired after one.
	Staged    bool       `json:"staged,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
	// What stores tell of folding, which is a reading of all findings together
	// (triage.Fold): who else reports the trouble; the key of the finding that it
	// is folded into; and why it stands apart from one that it could be folded into.
	Also   []Also `json:"also_reported_by,omitempty"`
	Folded string `json:"folded_into,omitempty"`
	Apart  *Apart `json:"apart,omitempty"`
}

// Part is one factor of a priority.
type Part struct {
	Name  string   `json:"name"`  // severity, confidence, reach, exposure, environment
	Value float64  `json:"value"` // 0..1, priority = 100 × their product
	Why   say.Text `json:"why"`
}

// Decision is one thing a person decided about a finding: an audit line. It is
// never changed; what takes it back is another decision.
type Decision struct {
	// ID is its name among the decisions about the finding: one that is told
	// again is kept once.
	ID       string    `json:"id,omitempty"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Status   Status    `json:"status,omitempty"`  // empty: unchanged
	Verdict  Verdict   `json:"verdict,omitempty"` // empty: unchanged
	Reason   string    `json:"reason,omitempty"`  // reason code: see ReasonCodes
	Cause    Cause     `json:"cause,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	// Undoes is the ID of a decision about the same finding that this one takes
	// back, and nothing else with it.
	Undoes string `json:"undoes,omitempty"`
	// Group is what the decisions of one action about several findings share.
	Group string `json:"group,omitempty"`
	// Undone: a later decision took it back. It is told when a finding is made
	// and never kept.
	Undone bool `json:"undone,omitempty"`
}

// MatchCount is how often a rule matched on a day, and SourceCount how many
// events its log source had: what demotion is decided from.
type MatchCount struct {
	Rule      string
	LogSource string // as the rule names it: "aws/cloudtrail"
	Day       time.Time
	Matches   int64
}

// SourceCount is how many events of a log source a day had.
type SourceCount struct {
	LogSource string
	Day       time.Time
	Events    int64
}

// Judged is all that a detector says of one batch.
type Judged struct {
	Occurrences []Occurrence
	Matches     []MatchCount
	Sources     []SourceCount
	Marks       []Mark // hours that hunters have to look at; without Seq
}
