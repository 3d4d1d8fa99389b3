package triage

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// PrefixLength is how much of a key Get needs at least.
const PrefixLength = 8

// Match tells whether the filter chooses f, whatever page it is on.
func (x *Filter) Match(f *finding.Finding) bool {
	return f.Severity.Rank() >= x.Severity.Rank() &&
		(len(x.Status) == 0 || slices.Contains(x.Status, f.Status)) &&
		(x.Kind == "" || x.Kind == f.Kind) &&
		(x.Rule == "" || x.Rule == f.Rule) &&
		(x.Account == "" || x.Account == f.Account) &&
		(x.Actor == "" || x.Actor == f.Actor) &&
		(x.Resource == "" || x.Resource == f.Resource) &&
		(x.Text == "" || strings.Contains(SearchText(&f.Trouble), strings.ToLower(x.Text))) &&
		!f.LastSeen.Before(x.Since) &&
		(x.Until.IsZero() || f.LastSeen.Before(x.Until)) &&
		(x.Demoted || !f.Demoted)
}

// SearchText is what Filter.Text is looked for in: lower case, a line each.
func SearchText(t *finding.Trouble) string {
	return strings.ToLower(t.Title + "\n" + t.Actor + "\n" + t.Resource)
}

// Place is where a finding stands in the order of List.
type Place struct {
	Priority int
	LastSeen time.Time
	Key      string
}

// PlaceOf f.
func PlaceOf(f *finding.Finding) Place { return Place{f.Priority, f.LastSeen, f.Key} }

// Compare is the order of List: highest priority first, then latest, then key.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(q.Priority, p.Priority), q.LastSeen.Compare(p.LastSeen), cmp.Compare(p.Key, q.Key))
}

// Cursor is the text form of p: the page after it begins behind p, wherever p
// is by then.
func (p Place) Cursor() string {
	b := binary.AppendVarint(nil, int64(p.Priority))
	b = binary.AppendVarint(b, p.LastSeen.UnixMicro())
	return base64.RawURLEncoding.EncodeToString(append(b, p.Key...))
}

// ParseCursor reads that form.
func ParseCursor(s string) (Place, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	priority, n := binary.Varint(b)
	if err != nil || n <= 0 {
		return Place{}, fmt.Errorf("cursor %q: %w", s, ErrCursor)
	}
	seen, m := binary.Varint(b[n:])
	if m <= 0 {
		return Place{}, fmt.Errorf("cursor %q: %w", s, ErrCursor)
	}
	return Place{int(priority), time.UnixMicro(seen).UTC(), string(b[n+m:])}, nil
}

// Prepare makes of what a detector said of a batch what stores keep: texts that
// are valid, times to the microsecond, one occurrence a key, one count a rule,
// log source and day, in order of key. Its occurrences belong to the batch. Occurrences of a
// hunt are refused: a hunt replaces whole windows, not batches.
func Prepare(batch event.BatchID, j finding.Judged) (finding.Judged, error) {
	var out finding.Judged
	at := map[string]int{}
	for _, o := range j.Occurrences {
		if o.Key == "" || o.Hunter != "" {
			return out, fmt.Errorf("record occurrence of key %q, hunter %q: a batch's occurrences have a key and no hunter", o.Key, o.Hunter)
		}
		o.Batch = batch
		o.Clean()
		o.FirstSeen, o.LastSeen = micros(o.FirstSeen), micros(o.LastSeen)
		o.Evidence = evidence(o.Evidence)
		if i, twice := at[o.Key]; twice {
			out.Occurrences[i].Merge(o)
			continue
		}
		at[o.Key] = len(out.Occurrences)
		out.Occurrences = append(out.Occurrences, o)
	}
	slices.SortFunc(out.Occurrences, func(a, b finding.Occurrence) int { return cmp.Compare(a.Key, b.Key) })
	type count struct {
		rule, source string
		day          time.Time
	}
	counts := map[count]int64{}
	for _, m := range j.Matches {
		counts[count{valid(m.Rule), valid(m.LogSource), finding.Day(m.Day)}] += m.Matches
	}
	for c, n := range counts {
		out.Matches = append(out.Matches, finding.MatchCount{Rule: c.rule, LogSource: c.source, Day: c.day, Matches: n})
	}
	clear(counts)
	for _, s := range j.Sources {
		counts[count{"", valid(s.LogSource), finding.Day(s.Day)}] += s.Events
	}
	for c, n := range counts {
		out.Sources = append(out.Sources, finding.SourceCount{LogSource: c.source, Day: c.day, Events: n})
	}
	return out, nil
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// evidence with times to the microsecond; the order can change by that.
func evidence(e finding.Evidence) (out finding.Evidence) {
	for _, list := range [][]finding.Sighting{e.First, e.Latest} {
		for _, s := range list {
			out.Add(finding.Sighting{Time: micros(s.Time), UID: s.UID})
		}
	}
	return out
}

// PrepareDecision checks d and makes of it what stores keep.
func PrepareDecision(d finding.Decision) (finding.Decision, error) {
	d.At = micros(d.At)
	d.By, d.Assignee, d.Comment = valid(d.By), valid(d.Assignee), valid(d.Comment)
	return d, d.Check()
}
