// Package triage keeps findings and people's decisions; each folder is one
// place to keep them.
package triage

import (
	"context"
	"errors"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// ErrNotFound: no finding has that key.
var ErrNotFound = errors.New("no such finding")

// ErrUnknown: there is no exception, window, view or decision of that id.
var ErrUnknown = errors.New("there is none of that id")

// ErrChanged: it is not as it was when the caller read it.
var ErrChanged = errors.New("somebody changed it meanwhile")

// ErrWrong wraps what is wrong with what was asked for, in a person's words.
var ErrWrong = errors.New("not possible")

// ErrCursor: a cursor is not one that List gave.
var ErrCursor = errors.New("not one that List gave")

// Recorder takes what detectors say.
type Recorder interface {
	// Record keeps what was judged of a batch, durably, before it returns. Recording a
	// batch again replaces what it contributed, so running anything twice
	// doubles nothing, and the order in which batches are recorded does not
	// change any finding.
	Record(ctx context.Context, batch event.BatchID, j finding.Judged) error
}

// Reader answers questions about findings.
type Reader interface {
	// List gives findings in the order of f.Sort; next is the cursor of the
	// following page, empty at the end. A cursor that is none, or one of another
	// order, is ErrCursor.
	List(ctx context.Context, f Filter) (page []finding.Finding, next string, err error)
	// Get gives one finding by its key or an unambiguous prefix of at least
	// eight characters; ErrNotFound otherwise.
	Get(ctx context.Context, key string) (finding.Finding, error)
	// Counters gives the rules that are demoted, each with its day, by day,
	// rule and log source. Findings of high and critical severity stay in List
	// even then: see finding.Demoted.
	Counters(ctx context.Context) ([]finding.Tally, error)
}

// Decider takes what people decide.
type Decider interface {
	// Decide applies d to the finding and writes an audit line; ErrNotFound
	// when there is none. A decision with the ID of one that was taken about the
	// finding, or without an ID and alike in everything, changes nothing.
	Decide(ctx context.Context, key string, d finding.Decision) (finding.Finding, error)
}

// Bulker decides about several findings at once, and takes decisions back.
type Bulker interface {
	// DecideAll applies d to each of the findings in one transaction. The
	// decisions share d.Group, or one that is made. A finding that is not there
	// fails, and the others are decided.
	DecideAll(ctx context.Context, keys []string, d finding.Decision) (Bulk, error)
	// Undo takes back a decision by its ID, or a group of them, by new decisions,
	// and says about how many findings; 0: all were taken back before. ErrUnknown
	// where there is neither.
	Undo(ctx context.Context, of Undo) (int, error)
}

// Bulk is what became of a bulk action.
type Bulk struct {
	Group   string   `json:"group"`
	Decided int      `json:"decided"`
	Failed  []Failed `json:"failed"`
}

// Failed is a finding that nothing was decided about.
type Failed struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// Undo says what to take back: a decision or a group.
type Undo struct {
	ID, Group string // one of them
	By        string
	At        time.Time
}

// Counter counts findings as List chooses them; limit, cursor and order of the
// filter are passed over.
type Counter interface {
	// Count is how many findings f chooses.
	Count(ctx context.Context, f Filter) (int, error)
	// Keys are the findings that f chooses, in the order of List, at most f.Limit
	// (0: all).
	Keys(ctx context.Context, f Filter) ([]string, error)
	// Facets counts the values of fields among the findings that f chooses: of
	// those named, or without names of all that are facets (finding.Field.Facet).
	// An unknown name is ErrWrong. Each field gives its most frequent values, at
	// most limit (0: 20), the most frequent first, then by value; of a field of
	// fixed words every one that occurs. Findings without a value count as "".
	Facets(ctx context.Context, f Filter, limit int, fields ...string) (Facets, error)
	// Days counts for each UTC day that overlaps [since, until); at most 3,660.
	Days(ctx context.Context, f Filter, since, until time.Time) ([]finding.DayCount, error)
	// Cases gives the cases of the findings that f chooses, the highest priority
	// first, then the latest, a page of f.Limit cases at a time (0: all), each
	// summing up those findings; total is how many cases there are.
	Cases(ctx context.Context, f Filter) (page []finding.Case, next string, total int, err error)
}

// Facets are counts of values.
type Facets struct {
	Total  int     `json:"total"`
	Facets []Facet `json:"facets"`
}

// Facet is the counts of one field's values. Of a field that is a list a finding
// counts with each of its values.
type Facet struct {
	Field  string       `json:"field"`
	Values []FacetValue `json:"values"`
	More   int          `json:"more"` // values beside these
}

// FacetValue is how many findings have a value.
type FacetValue struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Keeper keeps what people say is known: exceptions, windows, and what the
// estate is. What a change touches, and nothing else, is made anew before it
// returns; each that people say writes an audit line.
type Keeper interface {
	// Exceptions gives all, each with how many findings it explains, by id.
	Exceptions(ctx context.Context) ([]finding.Exception, error)
	// SetException keeps x in the place of what had its ID. It says how many
	// findings that changed. What its Check refuses is ErrWrong. By and At of
	// one that is there stay; of who and when the audit line tells. Setting what is
	// there changes nothing.
	SetException(ctx context.Context, x finding.Exception, by string, at time.Time) (touched int, err error)
	// Preview tells what an exception of that scope would explain, of findings
	// seen in [since, until).
	Preview(ctx context.Context, scope finding.Scope, since, until time.Time) (Preview, error)
	// Windows gives all, each with how many findings it explains, by id.
	Windows(ctx context.Context) ([]finding.Window, error)
	// SetWindow is SetException for a window.
	SetWindow(ctx context.Context, w finding.Window, by string, at time.Time) (touched int, err error)
	// SetEstate says where findings are: ErrWrong where Check refuses it. It
	// writes no audit line: the estate is configuration.
	SetEstate(ctx context.Context, e finding.Estate) (touched int, err error)
	// Assess replaces all that was judged of principals and resources.
	Assess(ctx context.Context, all []finding.Assessment) (touched int, err error)
}

// Preview is what an exception would explain.
type Preview struct {
	Days       int            `json:"days"` // UTC days looked at
	Findings   int            `json:"findings"`
	Explained  int            `json:"explained"` // of these, what is explained already
	Critical   int            `json:"critical"`
	BySeverity map[string]int `json:"by_severity"`
	// Sample are the most pressing, at most 20.
	Sample []finding.Finding `json:"sample"`
}

// Auditor keeps who changed what. Nothing can change or take away a line.
type Auditor interface {
	// Audit gives lines, the latest first, at most f.Limit (0: all).
	Audit(ctx context.Context, f AuditFilter) (lines []finding.AuditLine, next string, err error)
	// Log writes a line about something that triage does not keep: users, tokens,
	// sign-ins. Its ID is given.
	Log(ctx context.Context, l finding.AuditLine) error
}

// AuditFilter chooses audit lines. Empty fields choose all.
type AuditFilter struct {
	Since, Until time.Time // At in [Since, Until)
	By           string
	Action       string // that, or those that begin with it and a point
	Subject      string
	Limit        int
	Cursor       string
}

// Views keeps the questions that people saved.
type Views interface {
	// Views gives those of a page (empty: of all) that the person sees: their own
	// and shared ones, by title and id.
	Views(ctx context.Context, page, who string) ([]finding.View, error)
	// SetView keeps v in the place of what had its ID; that of somebody else is
	// ErrWrong.
	SetView(ctx context.Context, v finding.View) error
	// DeleteView takes away the view; ErrUnknown where who has none of that id.
	DeleteView(ctx context.Context, id, who string) error
}

// Expand gives when a window that repeats takes place between two times, in
// order: triage/calendar does.
type Expand func(w *finding.Window, from, to time.Time) ([]finding.Span, error)

// Compacter bounds what live batches leave behind; some engines.
type Compacter interface {
	// Compact puts the occurrences of released batches together, one per key
	// and day, and returns how many it saved. No finding changes, and hunts
	// replace what they did before. A batch for which released says true is
	// never recorded again: what it contributed cannot be told apart any more.
	Compact(ctx context.Context, released func(event.BatchID) bool) (saved int64, err error)
}

// Hunts keeps what hunters say, and where they have to look.
type Hunts interface {
	// Marks gives the hours that are marked, by hunter and hour. Record sets
	// those of Judged.Marks in the same transaction as the rest; a mark that is
	// there already gets a newer Seq.
	Marks(ctx context.Context) ([]finding.Mark, error)
	// RecordHunt replaces all that h.Hunter ever said of the hours of h and,
	// where h is a rule's, what batches said of that rule on the days that lie
	// wholly within them, its match counts included; it takes away the hunter's
	// marks of those hours whose Seq is at most seen, and sees to it that the
	// hours of h.Again are marked. All in one transaction: running a hunt twice
	// changes nothing.
	//
	// What batches recorded so far said of the rule on those days stays replaced
	// when they are recorded again; a batch recorded for the first time adds to
	// what is there. So whoever hunts for a rule that judges batches too lets no
	// batch be between Append and Record meanwhile.
	RecordHunt(ctx context.Context, h finding.Hunt, seen int64) error
	// RecordHunts records several hunts in their order, as RecordHunt does each,
	// but in one transaction: all or none. A transaction takes its time even if
	// little is in it.
	RecordHunts(ctx context.Context, all []Hunted) error
	// Notes gives what the hunter kept of the days in [since, until) by
	// Hunt.Notes, in order.
	Notes(ctx context.Context, hunter string, since, until time.Time) ([]finding.Note, error)
}

// Hunted is a hunt with the greatest Seq of the marks that it was sent by.
type Hunted struct {
	finding.Hunt
	Seen int64
}

// Stager keeps which rules are on trial.
type Stager interface {
	// Stages gives every trial, latest first for each rule.
	Stages(ctx context.Context) ([]finding.Stage, error)
	// SetStage begins a trial at that time, or ends the rule's latest by a
	// decision: of s are taken then the rule, the state, who and the comment. It
	// writes an audit line. A rule on trial begins no other; ending a trial that
	// there is not, or that was decided, is ErrNotFound.
	SetStage(ctx context.Context, s finding.Stage, at time.Time) error
}

// Store is all of triage.
type Store interface {
	Recorder
	Reader
	Decider
	Bulker
	Hunts
	Stager
	Counter
	Keeper
	Auditor
	Views
	Registrar
	Decisions
	Close() error
}

// Filter chooses findings. Empty fields choose all.
type Filter struct {
	Severity     finding.Severity // at least this
	Status       []finding.Status
	Kind         finding.Kind // "anomaly" chooses every sign
	Rule         string
	Account      string
	Actor        string
	Resource     string
	Text         string    // in title, actor or resource, any case
	Since, Until time.Time // LastSeen in [Since, Until)
	Demoted      bool      // also findings of demoted rules
	Staged       bool      // also findings of rules on trial and of retired ones
	Folded       bool      // also those of other products that are folded into another
	Unexplained  bool      // none that planned work or the log itself accounts for
	// Scope chooses among these.
	Scope  finding.Scope
	Sort   string // one of Sorts; empty: priority
	Limit  int    // 0: all
	Cursor string
}
