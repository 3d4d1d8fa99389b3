package rule

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Hunting is what of the stored events rules are held against.
type Hunting struct {
	Source       stored.Source
	Since, Until time.Time // event time in [Since, Until); zero: open
	Progress     func(stored.Progress)
	// Most is how many occurrences (one a trouble and hour) are held; 0 is
	// MostOccurrences. A rule that finds more is a counter: see Hunted.Cut.
	Most int
}

// MostOccurrences bounds a hunt's memory: at about 4 KB each, 200 MB.
const MostOccurrences = 50_000

// Hunted is what a rule found in stored events.
type Hunted struct {
	Rule        *about.Rule
	Occurrences []finding.Occurrence // one a key and hour, in order of both
	Matches     []finding.MatchCount // by log source and day
	// Cut is how many matches are in Matches and in no occurrence, because there
	// were too many. A cut hunt must not be recorded.
	Cut int64
}

// hunted is Hunted in the making.
type hunted struct {
	at      map[keyHour]*finding.Occurrence
	matches map[finding.MatchCount]int64
	cut     int64
}

type keyHour struct {
	key  string
	hour int64
}

// huntChunk is how many matching events are judged together.
const huntChunk = 8192

// Hunt holds every rule against the stored events, and gives what each found, in
// order of the set. What it finds of an event is what Judge would: rules that
// only serve correlations find nothing.
func (d *Detector) Hunt(ctx context.Context, h Hunting) ([]Hunted, stored.Progress, error) {
	var judging []int
	byKey := map[string]*hunted{}
	for i := range d.set.Len() {
		if d.serves[i].findings {
			judging = append(judging, i)
			byKey[d.rules[i].Key] = &hunted{at: map[keyHour]*finding.Occurrence{}, matches: map[finding.MatchCount]int64{}}
		}
	}
	if len(judging) == 0 {
		return nil, stored.Progress{}, nil
	}
	left := cmp.Or(h.Most, MostOccurrences)
	hours := map[int64][]event.Event{}
	waiting := 0
	flush := func() error {
		for hour, events := range hours {
			j, err := d.Judge(ctx, event.BatchID{}, events)
			if err != nil {
				return err
			}
			left -= take(byKey, j, hour, left)
		}
		clear(hours)
		waiting = 0
		return nil
	}
	progress, err := stored.Scan(ctx, h.Source, d.set, stored.Options{
		Sources: d.sources, Rules: judging, Since: h.Since, Until: h.Until, Columns: about.Columns, Progress: h.Progress,
	}, func(e *event.Event, _ []int) error {
		hour := finding.Hour(e.Time).Unix()
		hours[hour] = append(hours[hour], *e)
		if waiting++; waiting < huntChunk {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, progress, fmt.Errorf("hunt: %w", err)
	}
	out := make([]Hunted, 0, len(judging))
	for _, i := range judging {
		out = append(out, byKey[d.rules[i].Key].done(&d.rules[i]))
	}
	return out, progress, nil
}

// take adds what was judged of an hour's events; no more than room occurrences
// are added, and their number is returned.
func take(byKey map[string]*hunted, j finding.Judged, hour int64, room int) (added int) {
	since := time.Unix(hour, 0).UTC()
	for _, o := range j.Occurrences {
		of := byKey[o.Rule]
		o.Since, o.Until, o.Hunter = since, since.Add(time.Hour), Hunter(o.Rule)
		at := keyHour{o.Key, hour}
		switch was := of.at[at]; {
		case was != nil:
			was.Merge(o)
		case added == room:
			of.cut += o.Count
		default:
			added++
			of.at[at] = &o
		}
	}
	for _, m := range j.Matches {
		n := m.Matches
		m.Matches = 0
		byKey[m.Rule].matches[m] += n
	}
	return added
}

func (h *hunted) done(r *about.Rule) Hunted {
	out := Hunted{Rule: r, Cut: h.cut}
	for _, o := range h.at {
		out.Occurrences = append(out.Occurrences, *o)
	}
	slices.SortFunc(out.Occurrences, func(a, b finding.Occurrence) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), a.Since.Compare(b.Since))
	})
	for m, n := range h.matches {
		m.Matches = n
		out.Matches = append(out.Matches, m)
	}
	slices.SortFunc(out.Matches, func(a, b finding.MatchCount) int {
		return cmp.Or(strings.Compare(a.LogSource, b.LogSource), a.Day.Compare(b.Day))
	})
	return out
}
