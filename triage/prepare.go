package triage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Prepare makes of what a detector said of a batch what stores keep: texts that
// are valid, times to the microsecond, one occurrence a key and UTC day, one
// count a rule, log source and day, in order of key; marks once each, of whole
// hours. Its occurrences belong to the batch. Those of a hunt are refused, for a
// hunt replaces hours, not batches, and so are those of several days.
func Prepare(batch event.BatchID, j finding.Judged) (finding.Judged, error) {
	var out finding.Judged
	for _, o := range j.Occurrences {
		if o.Key == "" || o.Hunter != "" {
			return out, fmt.Errorf("record occurrence of key %q, hunter %q: a batch's occurrences have a key and no hunter", o.Key, o.Hunter)
		}
		keep(&o)
		o.Batch, o.Since = batch, finding.Day(o.FirstSeen)
		o.Until = o.Since.AddDate(0, 0, 1)
		if !o.LastSeen.Before(o.Until) {
			return out, fmt.Errorf("record occurrence of key %q, from %s to %s: a batch's occurrences are of one day each (UTC)",
				o.Key, o.FirstSeen.Format(time.RFC3339), o.LastSeen.Format(time.RFC3339))
		}
		out.Occurrences = append(out.Occurrences, o)
	}
	out.Occurrences = once(out.Occurrences)
	out.Matches = matchCounts(j.Matches)
	counts := map[finding.SourceCount]int64{}
	for _, s := range j.Sources {
		counts[finding.SourceCount{LogSource: valid(s.LogSource), Day: finding.Day(s.Day)}] += s.Events
	}
	for c, n := range counts {
		c.Events = n
		out.Sources = append(out.Sources, c)
	}
	marks := map[finding.Mark]bool{}
	for _, m := range j.Marks {
		m = finding.Mark{Hunter: valid(m.Hunter), Hour: finding.Hour(m.Hour)}
		if !marks[m] {
			marks[m] = true
			out.Marks = append(out.Marks, m)
		}
	}
	return out, nil
}

// PrepareHunt is Prepare for a hunt. What is no statement about whole hours
// within the hunt's, or about whole days of its rule, is refused.
func PrepareHunt(h finding.Hunt) (finding.Hunt, error) {
	out := finding.Hunt{Hunter: valid(h.Hunter), Rule: valid(h.Rule), Since: h.Since.UTC(), Until: h.Until.UTC()}
	bad := func(format string, args ...any) (finding.Hunt, error) {
		return finding.Hunt{}, fmt.Errorf("record hunt of %q: "+format, append([]any{h.Hunter}, args...)...)
	}
	within := func(hour time.Time) bool {
		return hour.Equal(finding.Hour(hour)) && !hour.Before(h.Since) && hour.Before(h.Until)
	}
	if h.Hunter == "" || !within(h.Since) || !h.Until.Equal(finding.Hour(h.Until)) {
		return bad("from %s to %s: it needs a hunter and whole hours", h.Since.Format(time.RFC3339), h.Until.Format(time.RFC3339))
	}
	for _, o := range h.Occurrences {
		keep(&o)
		o.Hunter, o.Batch, o.Since = out.Hunter, event.BatchID{}, o.Since.UTC()
		o.Until = o.Since.Add(time.Hour)
		if o.Key == "" || !within(o.Since) || o.FirstSeen.Before(o.Since) || !o.LastSeen.Before(o.Until) {
			return bad("key %q, hour %s, events from %s to %s: an occurrence has a key and an hour of the hunt that its events are in",
				o.Key, o.Since.Format(time.RFC3339), o.FirstSeen.Format(time.RFC3339), o.LastSeen.Format(time.RFC3339))
		}
		out.Occurrences = append(out.Occurrences, o)
	}
	out.Occurrences = once(out.Occurrences)
	out.Matches = matchCounts(h.Matches)
	for _, n := range h.Notes {
		if n.Day = n.Day.UTC(); !n.Day.Equal(finding.Day(n.Day)) {
			return bad("note of %s: notes are of whole days (UTC)", n.Day.Format(time.RFC3339))
		}
		out.Notes = append(out.Notes, n)
	}
	first, end := WholeDays(out.Since, out.Until)
	for _, m := range out.Matches {
		if out.Rule == "" || m.Rule != out.Rule || m.Day.Before(first) || !m.Day.Before(end) {
			return bad("%d matches of rule %q on %s: it is not the hunt's rule on a day of the hunt", m.Matches, m.Rule, m.Day.Format(time.DateOnly))
		}
	}
	for _, hour := range h.Again {
		if !within(hour) {
			return bad("%s is no hour of the hunt", hour.Format(time.RFC3339))
		}
		out.Again = append(out.Again, hour.UTC())
	}
	return out, nil
}

// WholeDays gives the UTC days that lie wholly in [since, until): from first,
// end not included.
func WholeDays(since, until time.Time) (first, end time.Time) {
	first, end = finding.Day(since), finding.Day(until)
	if first.Before(since) {
		first = first.AddDate(0, 0, 1)
	}
	if end.Before(first) {
		end = first
	}
	return first, end
}

// PrepareStage checks s and makes of it what stores keep; at is when it is set.
func PrepareStage(s finding.Stage, at time.Time) (finding.Stage, error) {
	s.Rule, s.By, s.Comment = valid(s.Rule), valid(s.By), valid(s.Comment)
	if err := s.Check(); err != nil {
		return s, err
	}
	if s.State == finding.Staged {
		s.Since, s.Decided = micros(at), time.Time{}
	} else {
		s.Decided = micros(at)
	}
	return s, nil
}

// keep makes of an occurrence what stores keep.
func keep(o *finding.Occurrence) {
	o.Clean()
	o.FirstSeen, o.LastSeen = micros(o.FirstSeen), micros(o.LastSeen)
	o.Evidence = evidence(o.Evidence)
}

// once merges occurrences of one key and time, in order of both.
func once(all []finding.Occurrence) []finding.Occurrence {
	slices.SortStableFunc(all, func(a, b finding.Occurrence) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), a.Since.Compare(b.Since))
	})
	out := all[:0]
	for _, o := range all {
		if n := len(out); n > 0 && out[n-1].Key == o.Key && out[n-1].Since.Equal(o.Since) {
			out[n-1].Merge(o)
			continue
		}
		out = append(out, o)
	}
	return out
}

func matchCounts(all []finding.MatchCount) (out []finding.MatchCount) {
	counts := map[finding.MatchCount]int64{}
	for _, m := range all {
		counts[finding.MatchCount{Rule: valid(m.Rule), LogSource: valid(m.LogSource), Day: finding.Day(m.Day)}] += m.Matches
	}
	for c, n := range counts {
		c.Matches = n
		out = append(out, c)
	}
	return out
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
