package finding

import (
	"slices"
	"time"
)

// A rule is demoted on a day when it matched at least DemoteMatches events and
// more than one in DemoteShare of its log source's. The least number keeps a
// small file's findings: 40 matches among 3,000 events are more than 1 % and
// still an afternoon's reading, not noise.
const (
	DemoteMatches = 100
	DemoteShare   = 100
)

// Tally is what a rule matched on a day beside all its log source had.
type Tally struct {
	Rule      string    `json:"rule"`
	LogSource string    `json:"log_source"`
	Day       time.Time `json:"day"`
	Matches   int64     `json:"matches"`
	Events    int64     `json:"events"`
}

// Demoted tells whether the rule is a counter on that day rather than something
// to look at one by one. Without a count of the log source's events nobody can
// say so.
func (t Tally) Demoted() bool {
	return t.Events > 0 && t.Matches >= DemoteMatches && t.Matches*DemoteShare > t.Events
}

// NeverDemoted tells that findings of that severity stay in sight however often
// they match: otherwise an attacker would hide a high finding by causing many.
func (s Severity) NeverDemoted() bool { return s.Rank() >= High.Rank() }

// Demoted tells whether every day from f's first to its last on which its rule
// matched at all is one of those on which the rule is demoted. The tallies are
// those of f's rule and log source; others are passed over. It asks for the
// rule's days, not for those of each occurrence, because a batch may span days
// and no finding may depend on how events fell into batches.
func Demoted(f *Finding, tallies []Tally) bool {
	if f.Rule == "" || f.Severity.NeverDemoted() {
		return false
	}
	first, last := Day(f.FirstSeen), Day(f.LastSeen)
	mine := func(t Tally) bool {
		return t.Rule == f.Rule && t.LogSource == f.LogSource && t.Matches > 0 &&
			!t.Day.Before(first) && !t.Day.After(last)
	}
	return slices.ContainsFunc(tallies, mine) &&
		!slices.ContainsFunc(tallies, func(t Tally) bool { return mine(t) && !t.Demoted() })
}

// Day is the UTC day that t falls on.
func Day(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
