package triagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/triage"
)

const hunter = "sigma/sweep"

// seen is what a hunter says of a key in the hour that is n minutes after noon.
func seen(key string, n int, change ...func(*finding.Occurrence)) finding.Occurrence {
	o := occurrence(key, n, append([]func(*finding.Occurrence){func(o *finding.Occurrence) {
		o.Kind, o.Rule, o.LogSource = finding.KindCorrelation, "sweep", ""
	}}, change...)...)
	o.Since = finding.Hour(o.FirstSeen)
	o.Until = o.Since.Add(time.Hour)
	o.Hunter = hunter
	return o
}

// hunt of hours from to before until, counted from noon.
func hunt(from, until int, os ...finding.Occurrence) finding.Hunt {
	return finding.Hunt{Hunter: hunter, Rule: "sweep", Since: noon.Add(time.Duration(from) * time.Hour), Until: noon.Add(time.Duration(until) * time.Hour), Occurrences: os}
}

func (b *bench) hunt(seen int64, h finding.Hunt) {
	b.Helper()
	b.ok(b.RecordHunt(b.Context(), h, seen))
}

func (b *bench) mark(batch byte, hours ...int) {
	b.Helper()
	var j finding.Judged
	for _, h := range hours {
		j.Marks = append(j.Marks, finding.Mark{Hunter: hunter, Hour: noon.Add(time.Duration(h)*time.Hour + 7*time.Minute)}) // whole hours are kept
	}
	b.ok(b.Record(b.Context(), event.BatchID{batch}, j))
}

// marks checks which hours are marked, and gives the greatest Seq.
func (b *bench) marks(want ...string) (latest int64) {
	b.Helper()
	all, err := b.Marks(b.Context())
	b.ok(err)
	var got []string
	for _, m := range all {
		got = append(got, fmt.Sprintf("%s %s", m.Hunter, m.Hour.Format("02T15:04")))
		latest = max(latest, m.Seq)
	}
	if !slices.Equal(got, want) {
		b.Errorf("marks are %q, want %q", got, want)
	}
	return latest
}

func marks(b *bench) {
	b.marks()
	b.mark(1, 0, 1, 0)
	b.mark(2, 3)
	b.ok(b.Record(b.Context(), event.BatchID{3}, finding.Judged{Marks: []finding.Mark{{Hunter: "sigma/other", Hour: noon}}}))
	first := b.marks("sigma/other 04T12:00", hunter+" 04T12:00", hunter+" 04T13:00", hunter+" 04T15:00")
	b.mark(2, 1) // while a hunt of what is marked so far is under way
	again := b.marks("sigma/other 04T12:00", hunter+" 04T12:00", hunter+" 04T13:00", hunter+" 04T15:00")
	if again <= first {
		b.Errorf("marking again gives number %d after %d", again, first)
	}
	b.hunt(first, hunt(0, 2))
	b.marks("sigma/other 04T12:00", hunter+" 04T13:00", hunter+" 04T15:00")
	b.hunt(0, hunt(0, 4))
	b.marks("sigma/other 04T12:00", hunter+" 04T13:00", hunter+" 04T15:00")
	h := hunt(0, 4)
	h.Again = []time.Time{noon.Add(3 * time.Hour)}
	b.hunt(again, h)
	b.hunt(again, h)
	open := b.marks("sigma/other 04T12:00", hunter+" 04T15:00")
	h = hunt(4, 6)
	h.Again = []time.Time{noon.Add(5 * time.Hour)} // was not marked
	b.hunt(open, h)
	open = b.marks("sigma/other 04T12:00", hunter+" 04T15:00", hunter+" 04T17:00")
	b.hunt(open, hunt(3, 6))
	b.marks("sigma/other 04T12:00")
	b.mark(1, 0) // the numbers of those that went are not given again
	if last := b.marks("sigma/other 04T12:00", hunter+" 04T12:00"); last <= open {
		b.Errorf("a new mark has number %d after %d", last, open)
	}
}

func hunts(b *bench) {
	at := []finding.Occurrence{seen("k", 1), seen("k", 61), seen("other", 62), seen("late", 190)}
	b.hunt(0, hunt(0, 4, at...))
	b.same(b.list(triage.Filter{Rule: "sweep"}), []finding.Finding{finding.Fold(at[3:]), finding.Fold(at[2:3]), finding.Fold(at[:2])})
	b.hunt(0, hunt(0, 4, at...)) // again: doubles nothing
	b.same(b.list(triage.Filter{Kind: finding.KindCorrelation}), []finding.Finding{finding.Fold(at[3:]), finding.Fold(at[2:3]), finding.Fold(at[:2])})

	_, err := b.Decide(b.Context(), "late", finding.Decision{At: noon, By: "ann", Status: finding.Suppressed})
	b.ok(err)
	b.hunt(0, hunt(1, 4, seen("k", 63)))
	b.same(b.list(triage.Filter{}), []finding.Finding{finding.Fold([]finding.Occurrence{at[0], seen("k", 63)})})
	b.hunt(0, hunt(3, 4, at[3])) // what people said of it stays
	b.keys(triage.Filter{Status: []finding.Status{finding.Suppressed}}, "late")
	b.hunt(0, hunt(0, 1))
	b.hunt(0, hunt(1, 2))
	b.keys(triage.Filter{}, "late")

	// Two hunters, and a batch, speak of one key beside each other.
	own := seen("late", 190)
	other := hunt(3, 4, own)
	other.Hunter, other.Rule = "another", ""
	b.hunt(0, other)
	b.record(1, occurrence("late", 200))
	own.Hunter = "another"
	late := occurrence("late", 200)
	late.Batch = event.BatchID{1}
	late.Since = finding.Day(noon)
	f, err := b.Get(b.Context(), "late")
	b.ok(err)
	want := finding.Fold([]finding.Occurrence{at[3], own, late})
	if f.Count != want.Count || f.Title != want.Title || f.FirstSeen != want.FirstSeen || !reflect.DeepEqual(f.Evidence, want.Evidence) {
		b.Errorf("a finding of hunters and a batch is %+v, want %+v", f, want)
	}
	b.hunt(0, hunt(0, 100))
	b.record(1)
	other.Occurrences = nil
	b.hunt(0, other)
	b.keys(triage.Filter{})
}

func huntsRefused(b *bench) {
	b.mark(1, 0)
	b.hunt(0, hunt(0, 2, seen("k", 1)))
	f := func(change func(h *finding.Hunt)) {
		b.Helper()
		h := hunt(0, 2, seen("k", 2))
		change(&h)
		if err := b.RecordHunt(b.Context(), h, 1<<40); err == nil {
			b.Errorf("hunt %+v is recorded", h)
		}
	}
	f(func(h *finding.Hunt) { h.Hunter = "" })
	f(func(h *finding.Hunt) { h.Until = h.Since })
	f(func(h *finding.Hunt) { h.Until = h.Until.Add(time.Minute) })
	f(func(h *finding.Hunt) { h.Since = h.Since.Add(-time.Minute) })
	f(func(h *finding.Hunt) { h.Occurrences[0].Key = "" })
	f(func(h *finding.Hunt) { h.Occurrences[0].Since = noon.Add(2 * time.Hour) })
	f(func(h *finding.Hunt) { h.Occurrences[0].Since = noon.Add(time.Minute) })
	f(func(h *finding.Hunt) { h.Occurrences[0].LastSeen = noon.Add(time.Hour) })
	f(func(h *finding.Hunt) { h.Again = []time.Time{noon.Add(2 * time.Hour)} })
	f(func(h *finding.Hunt) { h.Matches = []finding.MatchCount{{Rule: "sweep", Day: noon, Matches: 1}} }) // no whole day
	f(func(h *finding.Hunt) {
		h.Until = noon.Add(48 * time.Hour)
		h.Matches = []finding.MatchCount{{Rule: "another", Day: noon.Add(24 * time.Hour), Matches: 1}}
	})
	b.marks(hunter + " 04T12:00")
	b.same(b.list(triage.Filter{}), []finding.Finding{finding.Fold([]finding.Occurrence{seen("k", 1)})})
}

// huntedRule hunts for a rule that batches are judged by too.
func huntedRule(b *bench) {
	const day = 24 * 60
	rec := func(batch byte, j finding.Judged) { b.Helper(); b.ok(b.Record(b.Context(), event.BatchID{batch}, j)) }
	counts := func(want ...string) {
		b.Helper()
		var got []string
		for _, f := range b.list(triage.Filter{Demoted: true}) {
			got = append(got, fmt.Sprint(f.Key, " ", f.Count, " ", f.Demoted))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			b.Errorf("findings are %q, want %q", got, want)
		}
	}
	two := judged(1, 150, 1000, occurrence("a", day), occurrence("b", day+1))
	two.Occurrences = append(two.Occurrences, occurrence("a", 2*day+5))
	two.Matches = append(two.Matches, finding.MatchCount{Rule: "rule", LogSource: "aws/cloudtrail", Day: noon.AddDate(0, 0, 2), Matches: 1})
	rec(1, two)
	rec(2, judged(1, 0, 1000, occurrence("c", day, func(o *finding.Occurrence) { o.Rule = "another" })))
	counts(fmt.Sprint("a ", day+1+2*day+6, " false"), fmt.Sprint("b ", day+2, " true"), fmt.Sprint("c ", day+1, " false"))

	// The fifth is whole, the sixth is not.
	h := finding.Hunt{Hunter: "rule hunter", Rule: "rule", Since: finding.Day(noon), Until: finding.Day(noon).AddDate(0, 0, 2).Add(time.Hour)}
	h.Occurrences = []finding.Occurrence{occurrence("b", day+4), occurrence("d", day)}
	for i := range h.Occurrences {
		h.Occurrences[i].Since = finding.Hour(h.Occurrences[i].FirstSeen)
	}
	h.Matches = []finding.MatchCount{{Rule: "rule", LogSource: "aws/cloudtrail", Day: noon.AddDate(0, 0, 1), Matches: 60}}
	after := []string{fmt.Sprint("a ", 2*day+6, " false"), fmt.Sprint("b ", day+5, " false"), fmt.Sprint("c ", day+1, " false"), fmt.Sprint("d ", day+1, " false")}
	for range 2 {
		b.hunt(0, h)
		counts(after...)
	}
	rec(1, two) // what the batch said stays replaced
	counts(after...)
	rec(1, finding.Judged{})
	counts(after[1:]...)
	rec(1, two)
	counts(after...)
	rec(3, judged(1, 60, 10, occurrence("b", day+2))) // what comes later adds: 120 of 2010
	counts(after[0], fmt.Sprint("b ", day+5+day+3, " true"), after[2], fmt.Sprint("d ", day+1, " true"))
	h.Occurrences, h.Matches = nil, nil
	b.hunt(0, h) // all of that was not so
	counts(after[0], after[2])
	got, err := b.Counters(b.Context())
	if err != nil || len(got) != 0 {
		b.Errorf("counters %+v, %v", got, err)
	}
}

func compactHunts(b *bench) {
	c, can := b.Store.(triage.Compacter)
	if !can {
		b.Skip("this triage does not compact")
	}
	const day = 24 * 60
	b.hunt(0, hunt(0, 48, seen("a", 1), seen("a", 2), seen("a", 61), seen("a", day+1)))
	for n := range 6 {
		b.record(byte(n), occurrence("a", n), occurrence("a", day+n))
	}
	before := b.list(triage.Filter{})
	saved, err := c.Compact(b.Context(), func(event.BatchID) bool { return true })
	if err != nil || saved != 2*5 {
		b.Errorf("saved %d, %v, want 10", saved, err)
	}
	b.same(b.list(triage.Filter{}), before)
	b.hunt(0, hunt(1, 2))
	if f, err := b.Get(b.Context(), "a"); err != nil || f.Count != before[0].Count-62 {
		b.Errorf("count %d after an hour of a hunter went, was %d, %v", f.Count, before[0].Count, err)
	}
	h := finding.Hunt{Hunter: "rule hunter", Rule: "rule", Since: finding.Day(noon), Until: finding.Day(noon).AddDate(0, 0, 1)}
	b.hunt(0, h)
	const first = 1 + 2 + 3 + 4 + 5 + 6
	if f, err := b.Get(b.Context(), "a"); err != nil || f.Count != before[0].Count-62-first {
		b.Errorf("count %d after a day of batches went, was %d, %v", f.Count, before[0].Count, err)
	}
}

// huntsAnyOrder: what is there in the end depends on what each batch and hour
// was said to be last, in whatever order and however cut.
func huntsAnyOrder(t *testing.T, open Open) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		const hours = 30
		said := func() (os []finding.Occurrence) {
			for hour := range hours {
				for range r.IntN(3) {
					os = append(os, seen(fmt.Sprint("key", r.IntN(5)), 60*hour+r.IntN(50)))
				}
			}
			return os
		}
		within := func(os []finding.Occurrence, from, until int) finding.Hunt {
			h := hunt(from, until)
			for _, o := range os {
				if !o.Since.Before(h.Since) && o.Since.Before(h.Until) {
					h.Occurrences = append(h.Occurrences, o)
				}
			}
			return h
		}
		truth, a, c := said(), &bench{t, open(t)}, &bench{t, open(t)}
		batches := map[byte]finding.Occurrence{}
		for n := range byte(10) {
			batches[n] = occurrence(fmt.Sprint("key", r.IntN(5)), r.IntN(60*hours))
			a.record(n, batches[n])
		}
		a.hunt(0, within(truth, 0, hours))
		for n := range 40 {
			from := r.IntN(hours)
			c.hunt(0, within(said(), from, from+1+r.IntN(hours-from)))
			if batch := byte(n % 10); n < 20 {
				c.record(batch, batches[batch])
			}
		}
		for from := 0; from < hours; {
			until := from + 1 + r.IntN(hours-from)
			c.hunt(0, within(truth, max(0, from-2), until))
			from = until
		}
		c.same(c.list(triage.Filter{}), a.list(triage.Filter{}))
		var all []finding.Occurrence
		perKey := map[string][]finding.Occurrence{}
		h, err := triage.PrepareHunt(within(truth, 0, hours)) // which merges what is twice
		c.ok(err)
		all = append(all, h.Occurrences...)
		for n, o := range batches {
			j, err := triage.Prepare(event.BatchID{n}, finding.Judged{Occurrences: []finding.Occurrence{o}})
			c.ok(err)
			all = append(all, j.Occurrences...)
		}
		for _, o := range all {
			perKey[o.Key] = append(perKey[o.Key], o)
		}
		for _, f := range c.list(triage.Filter{}) {
			c.same(f, finding.Fold(perKey[f.Key]))
		}
	}
}

func stages(b *bench) {
	b.record(1, occurrence("a", 1), occurrence("b", 2, func(o *finding.Occurrence) { o.Rule = "quiet" }))
	b.hunt(0, hunt(0, 4, seen("c", 3)))
	set := func(rule string, state finding.StageState, at time.Duration) error {
		return b.SetStage(b.Context(), finding.Stage{Rule: rule, Days: 7, By: "ann", Comment: string(state), State: state}, noon.Add(at))
	}
	shown := func(want ...string) {
		b.Helper()
		b.keys(triage.Filter{}, want...)
		b.keys(triage.Filter{Staged: true}, "c", "b", "a")
		for _, f := range b.list(triage.Filter{Staged: true}) {
			if f.Staged == slices.Contains(want, f.Key) {
				b.Errorf("%s: staged is %v", f.Key, f.Staged)
			}
		}
	}
	shown("c", "b", "a")
	b.ok(set("rule", finding.Staged, 0))
	shown("c", "b")
	b.ok(set("sweep", finding.Staged, time.Hour))
	shown("b")
	if err := set("rule", finding.Staged, time.Hour); err == nil || errors.Is(err, triage.ErrNotFound) {
		b.Errorf("a second trial beside the first gives %v", err)
	}
	b.ok(set("rule", finding.Promoted, 2*time.Hour))
	shown("b", "a")
	b.ok(set("sweep", finding.Retired, 2*time.Hour))
	shown("b", "a")
	for _, rule := range []string{"rule", "sweep", "quiet"} {
		if err := set(rule, finding.Promoted, 3*time.Hour); !errors.Is(err, triage.ErrNotFound) {
			b.Errorf("ending no trial of %s gives %v", rule, err)
		}
	}
	b.ok(set("sweep", finding.Staged, 3*time.Hour)) // another try
	shown("b", "a")
	b.ok(set("sweep", finding.Promoted, 4*time.Hour))
	shown("c", "b", "a")
	for _, bad := range []finding.Stage{
		{Days: 1, By: "ann", State: finding.Staged}, {Rule: "x", Days: 1, State: finding.Staged},
		{Rule: "x", By: "ann", State: finding.Staged}, {Rule: "x", Days: 1, By: "ann", State: "paused"},
	} {
		if err := b.SetStage(b.Context(), bad, noon); err == nil || errors.Is(err, triage.ErrNotFound) {
			b.Errorf("setting %+v gives %v", bad, err)
		}
	}
	got, err := b.Stages(b.Context())
	b.ok(err)
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	b.same(got, []finding.Stage{
		{Rule: "rule", Since: at(0), Days: 7, By: "ann", Comment: "promoted", State: finding.Promoted, Decided: at(2)},
		{Rule: "sweep", Since: at(3), Days: 7, By: "ann", Comment: "promoted", State: finding.Promoted, Decided: at(4)},
		{Rule: "sweep", Since: at(1), Days: 7, By: "ann", Comment: "retired", State: finding.Retired, Decided: at(2)},
	})
	// Demotion and trials do not know of each other.
	b.ok(set("rule", finding.Staged, 5*time.Hour))
	b.ok(b.Record(b.Context(), event.BatchID{1}, judged(0, 150, 1000, occurrence("a", 1))))
	b.keys(triage.Filter{Demoted: true}, "c")
	b.keys(triage.Filter{Demoted: true, Staged: true}, "c", "a")
	if got, err := b.Counters(b.Context()); err != nil || len(got) != 1 {
		b.Errorf("counters %+v, %v", got, err)
	}
}

// notes are kept of days, and replaced.
func notes(b *bench) {
	day := finding.Day(noon)
	of := func(days int, text string) finding.Note {
		return finding.Note{Day: day.AddDate(0, 0, days), Body: []byte(text)}
	}
	with := func(notes ...finding.Note) finding.Hunt {
		h := hunt(0, 48)
		h.Notes = notes
		return h
	}
	b.hunt(1, with(of(0, "a"), of(1, "b")))
	b.hunt(1, with(of(1, "c")))
	check := func(hunter string, from, to int, want ...finding.Note) {
		b.Helper()
		got, err := b.Notes(b.Context(), hunter, day.AddDate(0, 0, from), day.AddDate(0, 0, to))
		b.ok(err)
		if !reflect.DeepEqual(got, want) {
			b.Errorf("notes of %s are %v, want %v", hunter, got, want)
		}
	}
	check(hunter, 0, 2, of(0, "a"), of(1, "c"))
	check(hunter, 1, 2, of(1, "c"))
	check(hunter, 2, 9)
	check("other", 0, 9)
	h := with(finding.Note{Day: noon, Body: []byte("no day")})
	if err := b.RecordHunt(b.Context(), h, 1); err == nil {
		b.Error("a note of noon was taken")
	}
}

// huntsTogether: several hunts of one transaction are as those recorded one by one,
// or none is recorded.
func huntsTogether(b *bench) {
	b.mark(1, 0, 2, 3)
	seq := b.marks(hunter+" 04T12:00", hunter+" 04T14:00", hunter+" 04T15:00")
	bad := hunt(5, 6, seen("k", 1))
	if err := b.RecordHunts(b.Context(), []triage.Hunted{{Hunt: hunt(0, 1, seen("k", 1)), Seen: seq}, {Hunt: bad, Seen: seq}}); err == nil {
		b.Error("a hunt that says something of another hour is recorded")
	}
	b.keys(triage.Filter{})
	b.marks(hunter+" 04T12:00", hunter+" 04T14:00", hunter+" 04T15:00")

	other := hunt(0, 1, seen("k", 2))
	other.Hunter, other.Rule = "another", ""
	b.ok(b.RecordHunts(b.Context(), []triage.Hunted{
		{Hunt: hunt(0, 1, seen("k", 1), seen("gone", 1)), Seen: seq},
		{Hunt: hunt(2, 3, seen("k", 121)), Seen: seq},
		{Hunt: other},
		{Hunt: hunt(3, 4, seen("late", 190)), Seen: 0},
		{Hunt: hunt(0, 1, seen("k", 3)), Seen: seq}, // takes the place of the first
	}))
	b.marks(hunter + " 04T15:00")
	own := seen("k", 2)
	own.Hunter = "another"
	b.same(b.list(triage.Filter{}), []finding.Finding{
		finding.Fold([]finding.Occurrence{seen("late", 190)}), finding.Fold([]finding.Occurrence{own, seen("k", 3), seen("k", 121)}),
	})
	b.ok(b.RecordHunts(b.Context(), nil))
}
