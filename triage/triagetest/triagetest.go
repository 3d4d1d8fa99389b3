// Package triagetest holds the contract that every triage keeps.
package triagetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// Open makes an empty triage, whose windows Expand repeats, that is closed at the
// test's end.
type Open func(t *testing.T) triage.Store

// Test runs the contract.
func Test(t *testing.T, open Open) {
	run := func(name string, f func(b *bench)) {
		t.Run(name, func(t *testing.T) { f(&bench{t, open(t)}) })
	}
	run("empty", empty)
	run("record and fold", fold)
	run("replaced", replaced)
	run("refused", refused)
	run("get", get)
	run("decide", decide)
	run("filter", filter)
	run("pages", pages)
	run("demotion", demotion)
	run("demotion follows the days", demotionDays)
	run("hostile texts", hostile)
	run("big batch", big)
	run("compact", compact)
	run("at once", atOnce)
	run("marks", marks)
	run("hunts", hunts)
	run("hunts refused", huntsRefused)
	run("hunts together", huntsTogether)
	run("hunt for a rule of batches", huntedRule)
	run("notes", notes)
	run("compact beside hunts", compactHunts)
	run("trials", stages)
	run("exceptions", exceptions)
	run("windows", windows)
	run("estate and assessments", estate)
	run("audit", audit)
	run("undo and bulk", undo)
	run("counts", counts)
	run("cases", cases)
	run("views", views)
	run("decisions that stand", standing)
	run("decisions reopened", standingReopened)
	run("register", registers)
	run("register imported", registerImport)
	run("register listed", registerList)
	run("gaps closed", closing)
	run("sorts", sorts)
	run("folds", folds)
	run("folds apart", apart)
	run("folds decided together", foldsTogether)
	run("folds parts of a run", foldsParts)
	t.Run("folds in any order", func(t *testing.T) { foldsAnyOrder(t, open) })
	t.Run("hunts in any order", func(t *testing.T) { huntsAnyOrder(t, open) })
	t.Run("any order", func(t *testing.T) { anyOrder(t, open) })
}

// bench is a triage and a test that uses it.
type bench struct {
	*testing.T
	triage.Store
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// occurrence n of a key: n minutes after noon, n+1 events.
func occurrence(key string, n int, change ...func(*finding.Occurrence)) finding.Occurrence {
	o := finding.Occurrence{
		Trouble: finding.Trouble{
			Key: key, Kind: finding.KindRule, Rule: "rule", LogSource: "aws/cloudtrail", Title: fmt.Sprintf("Title %d", n),
			Severity: finding.Medium, Confidence: 0.5, Actor: "arn:aws:iam::111122223333:role/app", Account: "111122223333", Region: "eu-west-1",
			Reasons: []finding.Reason{{Kind: "selection", Text: say.Plain("it was seen"), Evidence: []event.UID{{byte(n)}}}},
			Attack:  []finding.Attack{{ID: "T1562.008", Version: "19"}}, FalsePositives: []string{"a deploy"}, Next: []string{"aws iam get-role"},
		},
		FirstSeen: noon.Add(time.Duration(n) * time.Minute), LastSeen: noon.Add(time.Duration(n) * time.Minute).Add(time.Second), Count: int64(n + 1),
	}
	for i := range 3 {
		o.Evidence.Add(finding.Sighting{Time: o.FirstSeen.Add(time.Duration(i) * time.Microsecond), UID: event.HashUID(key, fmt.Sprint(n, i))})
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

func (b *bench) record(batch byte, os ...finding.Occurrence) {
	b.Helper()
	b.ok(b.Record(b.Context(), event.BatchID{batch}, finding.Judged{Occurrences: os}))
}

func (b *bench) list(x triage.Filter) []finding.Finding {
	b.Helper()
	page, next, err := b.List(b.Context(), x)
	b.ok(err)
	if next != "" && x.Limit == 0 {
		b.Errorf("a list of all has a next page %q", next)
	}
	return page
}

func keys(fs []finding.Finding) []string {
	var out []string
	for _, f := range fs {
		out = append(out, f.Key)
	}
	return out
}

func (b *bench) keys(x triage.Filter, want ...string) {
	b.Helper()
	if got := keys(b.list(x)); !slices.Equal(got, want) {
		b.Errorf("list gives %q, want %q", got, want)
	}
}

// same by everything a reader sees.
func (b *bench) same(got, want any) {
	b.Helper()
	g, err := json.MarshalIndent(got, "", " ")
	b.ok(err)
	w, err := json.MarshalIndent(want, "", " ")
	b.ok(err)
	if string(g) != string(w) {
		b.Errorf("got %.4000s\nwant %.4000s", g, w)
	}
}

func empty(b *bench) {
	b.keys(triage.Filter{})
	b.record(1)
	b.keys(triage.Filter{})
	if _, err := b.Get(b.Context(), "aaaaaaaaaaaa"); !errors.Is(err, triage.ErrNotFound) {
		b.Errorf("got %v", err)
	}
	counters, err := b.Counters(b.Context())
	if err != nil || len(counters) != 0 {
		b.Errorf("counters %v, %v", counters, err)
	}
}

func fold(b *bench) {
	parts := []finding.Occurrence{occurrence("k", 5), occurrence("k", 9), occurrence("k", 1)}
	for i := range parts {
		parts[i].Batch = event.BatchID{byte(i)}
		b.record(byte(i), parts[i])
	}
	want := finding.Fold(parts)
	if want.Count != 18 || want.Title != "Title 9" || want.Evidence.Len() != 9 || want.Priority != 25 || want.Status != finding.New {
		b.Fatalf("the test's own fold is wrong: %+v", want)
	}
	b.same(b.list(triage.Filter{}), []finding.Finding{want})
	b.record(1, parts[1]) // again: doubles nothing
	b.same(b.list(triage.Filter{}), []finding.Finding{want})
}

func replaced(b *bench) {
	b.record(1, occurrence("a", 1), occurrence("b", 2), occurrence("c", 3))
	b.record(2, occurrence("a", 4), occurrence("b", 0))
	b.record(2, occurrence("a", 2), occurrence("d", 6)) // b gone, d new, a changed
	var counts []string
	for _, f := range b.list(triage.Filter{}) {
		counts = append(counts, fmt.Sprint(f.Key, f.Count, f.LastSeen.Minute()))
	}
	if want := []string{"d7 6", "c4 3", "a5 2", "b3 2"}; !slices.Equal(counts, want) {
		b.Errorf("got %q, want %q", counts, want)
	}
	b.record(2)
	b.record(1)
	b.keys(triage.Filter{})
	b.record(1, occurrence("a", 1))
	b.keys(triage.Filter{}, "a")
	// A detector that says one key twice means both.
	b.record(3, occurrence("twice", 1), occurrence("twice", 2))
	if f, err := b.Get(b.Context(), "twice"); err != nil || f.Count != 5 {
		b.Errorf("count %d, %v, want 5", f.Count, err)
	}
}

func refused(b *bench) {
	b.record(1, occurrence("a", 1))
	for _, bad := range []finding.Occurrence{
		occurrence("", 1),
		occurrence("b", 1, func(o *finding.Occurrence) { o.Hunter = "h" }),
		occurrence("b", 1, func(o *finding.Occurrence) { o.LastSeen = o.LastSeen.Add(12 * time.Hour) }), // two days
	} {
		if err := b.Record(b.Context(), event.BatchID{1}, finding.Judged{Occurrences: []finding.Occurrence{bad}}); err == nil {
			b.Errorf("an occurrence of key %q, hunter %q is recorded", bad.Key, bad.Hunter)
		}
	}
	b.keys(triage.Filter{}, "a") // as before
}

func get(b *bench) {
	b.record(1, occurrence("abcdefgh-1", 1), occurrence("abcdefgh-2", 1), occurrence("abcdefgi-3", 1), occurrence("abcdefgi", 1), occurrence("short", 1))
	f := func(key, want string) {
		b.Helper()
		got, err := b.Get(b.Context(), key)
		if want == "" && !errors.Is(err, triage.ErrNotFound) || want != "" && (err != nil || got.Key != want) {
			b.Errorf("Get(%q) gives %q, %v, want %q", key, got.Key, err, want)
		}
	}
	f("abcdefgh-1", "abcdefgh-1")
	f("abcdefgi-", "abcdefgi-3")
	f("abcdefgi", "abcdefgi") // exactly, though another begins so
	f("abcdefgh", "")         // ambiguous
	f("short", "short")
	f("shor", "")
	f("abcdefg", "")
	f("%bcdefgh-1", "")
	f("", "")
}

func decide(b *bench) {
	b.record(1, occurrence("key-of-trouble", 5))
	at := noon.Add(time.Hour)
	first := finding.Decision{At: at, By: "ann", Status: finding.InProgress, Assignee: "bob", Comment: "looking \x00 '"}
	f, err := b.Decide(b.Context(), "key-of-t", first) // a prefix will do
	b.ok(err)
	if f.Status != finding.InProgress || f.Assignee != "bob" {
		b.Errorf("decided %+v", f)
	}
	second := finding.Decision{At: at.Add(time.Minute), By: "bob", Status: finding.Resolved, Verdict: finding.TruePositive, Reason: "mistake", Cause: finding.CausePerson}
	f, err = b.Decide(b.Context(), "key-of-trouble", second)
	b.ok(err)
	got, err := b.Get(b.Context(), "key-of-trouble")
	b.ok(err)
	b.same(got, f)
	for _, d := range []*finding.Decision{&first, &second} {
		d.Name("key-of-trouble") // what has no ID gets one
	}
	b.same(got.Decisions, []finding.Decision{first, second})
	if got.Status != finding.Resolved || got.Verdict != finding.TruePositive || got.Reason != "mistake" || got.Cause != finding.CausePerson || got.Assignee != "bob" {
		b.Errorf("decided %+v", got)
	}
	b.keys(triage.Filter{Status: []finding.Status{finding.Resolved}}, "key-of-trouble")

	b.record(2, occurrence("key-of-trouble", 7)) // earlier than the decision: stays
	b.keys(triage.Filter{Status: []finding.Status{finding.Resolved}}, "key-of-trouble")
	b.record(3, occurrence("key-of-trouble", 200)) // later: opens again
	b.keys(triage.Filter{Status: []finding.Status{finding.New, finding.InProgress}}, "key-of-trouble")
	b.record(3) // it was not so after all
	b.keys(triage.Filter{Status: []finding.Status{finding.Resolved}}, "key-of-trouble")
	b.record(3, occurrence("key-of-trouble", 200))
	b.record(1)
	b.record(2)
	b.record(3) // the finding goes, what people said stays
	b.keys(triage.Filter{})
	b.record(1, occurrence("key-of-trouble", 5))
	b.keys(triage.Filter{Status: []finding.Status{finding.Resolved}}, "key-of-trouble")

	if _, err := b.Decide(b.Context(), "another-key", first); !errors.Is(err, triage.ErrNotFound) {
		b.Errorf("deciding about nothing gives %v", err)
	}
	if _, err := b.Decide(b.Context(), "key-of-trouble", finding.Decision{At: at, By: "ann", Status: "done"}); err == nil || errors.Is(err, triage.ErrNotFound) {
		b.Errorf("a status that is none gives %v", err)
	}
	if got, err := b.Get(b.Context(), "key-of-trouble"); err != nil || len(got.Decisions) != 2 {
		b.Errorf("%d decisions, %v", len(got.Decisions), err)
	}
}

func filter(b *bench) {
	b.record(1,
		occurrence("a", 1, func(o *finding.Occurrence) {
			o.Severity, o.Rule, o.Actor, o.Resource, o.Account = finding.Critical, "r1", "Ann_100%", "arn:Secret", "1"
		}),
		occurrence("b", 2, func(o *finding.Occurrence) {
			o.Severity, o.Kind = finding.Low, finding.KindAnomaly+".caller"
			o.Explained = []finding.Explanation{{Kind: "calendar", ID: "w", Text: say.Plain("a move")}}
		}),
		occurrence("c", 3, func(o *finding.Occurrence) { o.Severity, o.Title = "odd", "ÄRGER" }),
	)
	f := func(x triage.Filter, want ...string) { b.Helper(); b.keys(x, want...) }
	f(triage.Filter{}, "a", "c", "b")
	f(triage.Filter{Severity: finding.Informational}, "a", "b")
	f(triage.Filter{Severity: finding.Low}, "a", "b")
	f(triage.Filter{Severity: finding.High}, "a")
	f(triage.Filter{Kind: finding.KindRule}, "a", "c")
	f(triage.Filter{Kind: "anomaly.caller"}, "b")
	f(triage.Filter{Kind: "anomaly"}, "b")
	f(triage.Filter{Kind: "anomaly."})
	f(triage.Filter{Kind: "anom"})
	f(triage.Filter{Unexplained: true}, "a", "c")
	f(triage.Filter{Rule: "r1"}, "a")
	f(triage.Filter{Account: "1"}, "a")
	f(triage.Filter{Account: "111122223333", Rule: "rule"}, "c", "b")
	f(triage.Filter{Actor: "Ann_100%"}, "a")
	f(triage.Filter{Actor: "ann_100%"})
	f(triage.Filter{Resource: "arn:Secret"}, "a")
	f(triage.Filter{Text: "SECRET"}, "a")
	f(triage.Filter{Text: "_100%"}, "a")
	f(triage.Filter{Text: "%"}, "a")
	f(triage.Filter{Text: "role/APP"}, "c", "b")
	f(triage.Filter{Text: "ärg"}, "c")
	f(triage.Filter{Text: "nowhere"})
	f(triage.Filter{Since: noon.Add(2*time.Minute + time.Second)}, "c", "b")
	f(triage.Filter{Since: noon.Add(2*time.Minute + time.Second + 1)}, "c")
	f(triage.Filter{Until: noon.Add(2*time.Minute + time.Second)}, "a")
	f(triage.Filter{Until: noon.Add(2*time.Minute + time.Second + 1)}, "a", "b")
	f(triage.Filter{Status: []finding.Status{finding.New}}, "a", "c", "b")
	f(triage.Filter{Status: []finding.Status{finding.Suppressed, finding.Resolved}})
}

func pages(b *bench) {
	var all []finding.Occurrence
	for n := range 25 {
		all = append(all, occurrence(fmt.Sprintf("key-%02d", n), n%5, func(o *finding.Occurrence) { o.Confidence = float64(n%3) / 2 }))
	}
	b.record(1, all...)
	want := keys(b.list(triage.Filter{}))
	if len(want) != 25 {
		b.Fatalf("%d findings", len(want))
	}
	var got []string
	x := triage.Filter{Limit: 4}
	for pages := 0; ; pages++ {
		page, next, err := b.List(b.Context(), x)
		b.ok(err)
		got = append(got, keys(page)...)
		if next == "" {
			if pages != 6 || len(page) != 1 {
				b.Errorf("%d pages, %d on the last", pages+1, len(page))
			}
			break
		}
		if len(page) != 4 {
			b.Fatalf("page of %d", len(page))
		}
		if pages == 0 { // what comes before the cursor moves no page
			b.record(2, occurrence("new", 59, func(o *finding.Occurrence) { o.Severity, o.Confidence = finding.Critical, 1 }))
		}
		x.Cursor = next
	}
	if !slices.Equal(got, want) {
		b.Errorf("pages give %q, want %q", got, want)
	}
	if _, next, err := b.List(b.Context(), triage.Filter{Limit: 26}); err != nil || next != "" {
		b.Errorf("a page of exactly all has a next one %q, %v", next, err)
	}
	for _, bad := range []string{"x", "!!", "AA"} {
		if _, _, err := b.List(b.Context(), triage.Filter{Cursor: bad}); !errors.Is(err, triage.ErrCursor) {
			b.Errorf("cursor %q is none, the error is %v", bad, err)
		}
	}
}

func judged(day int, matches, events int64, os ...finding.Occurrence) finding.Judged {
	at := noon.AddDate(0, 0, day)
	return finding.Judged{Occurrences: os,
		Matches: []finding.MatchCount{{Rule: "rule", LogSource: "aws/cloudtrail", Day: at, Matches: matches}},
		Sources: []finding.SourceCount{{LogSource: "aws/cloudtrail", Day: at, Events: events}}}
}

func demotion(b *bench) {
	high := func(o *finding.Occurrence) { o.Severity = finding.High }
	other := func(o *finding.Occurrence) { o.Rule = "quiet" }
	rec := func(batch byte, j finding.Judged) { b.Helper(); b.ok(b.Record(b.Context(), event.BatchID{batch}, j)) }
	rec(1, judged(0, 150, 20000, occurrence("a", 1), occurrence("b", 2, high), occurrence("c", 3, other)))
	b.keys(triage.Filter{}, "b", "c", "a") // 0.75 %
	rec(2, judged(0, 60, 100, occurrence("a", 4)))
	b.keys(triage.Filter{}, "b", "c") // 210 of 20,100
	b.keys(triage.Filter{Demoted: true}, "b", "a", "c")
	f, err := b.Get(b.Context(), "a")
	b.ok(err)
	if !f.Demoted || f.Count != 7 {
		b.Errorf("demoted %v, count %d", f.Demoted, f.Count)
	}
	counters, err := b.Counters(b.Context())
	b.ok(err)
	want := []finding.Tally{{Rule: "rule", LogSource: "aws/cloudtrail", Day: finding.Day(noon), Matches: 210, Events: 20100}}
	if !reflect.DeepEqual(counters, want) {
		b.Errorf("counters %+v, want %+v", counters, want)
	}
	rec(3, judged(0, 1, 100, occurrence("d", 1))) // new findings of the day are demoted too
	b.keys(triage.Filter{}, "b", "c")
	rec(4, finding.Judged{Sources: []finding.SourceCount{{LogSource: "aws/cloudtrail", Day: noon, Events: 10000}}})
	b.keys(triage.Filter{}, "b", "a", "c", "d") // 211 of 30,200
	rec(4, finding.Judged{})
	b.keys(triage.Filter{}, "b", "c")
	rec(2, finding.Judged{})
	b.keys(triage.Filter{}, "b", "c", "a", "d")
}

func demotionDays(b *bench) {
	rec := func(batch byte, j finding.Judged) { b.Helper(); b.ok(b.Record(b.Context(), event.BatchID{batch}, j)) }
	const day = 24 * 60
	rec(1, judged(0, 150, 1000, occurrence("a", 1), occurrence("b", 2)))
	rec(2, judged(2, 150, 1000, occurrence("a", 2*day)))
	b.keys(triage.Filter{}) // all of its days are demoted
	rec(3, judged(1, 5, 1000, occurrence("c", day)))
	b.keys(triage.Filter{}, "a", "c") // a spans a day that is not
	rec(3, finding.Judged{})
	b.keys(triage.Filter{})
	rec(4, judged(3, 5, 1000, occurrence("a", 3*day)))
	b.keys(triage.Filter{}, "a")
	rec(5, judged(3, 500, 1000))
	b.keys(triage.Filter{})
}

func hostile(b *bench) {
	for i, text := range []string{`'; DROP TABLE finding; --`, "a\x00b", "\xff\xfe", "日本\n\"語\" \\", "%_*?", strings.Repeat("x", 1<<16)} {
		key := finding.Key("hostile", text)
		b.record(byte(i), occurrence(key, i, func(o *finding.Occurrence) {
			o.Title, o.Actor, o.Resource, o.Account, o.Rule, o.Region = text, text, text, text, text, text
			o.Reasons[0].Text, o.Next[0], o.Severity = say.Plain(text), text, finding.Severity(text)
		}))
		f, err := b.Get(b.Context(), key)
		b.ok(err)
		want := strings.ToValidUTF8(text, "\uFFFD")
		said := strings.TrimPrefix(f.Reasons[0].Text.String(), fmt.Sprintf("latest of %d events: ", f.Count))
		if f.Title != want || f.Actor != want || said != want || f.Next[0] != want {
			b.Errorf("%.20q is kept as %.20q", text, f.Title)
		}
		b.keys(triage.Filter{Actor: want, Text: want}, key)
	}
}

func big(b *bench) {
	const n = 20_000
	os := make([]finding.Occurrence, 0, n)
	for i := range n {
		os = append(os, occurrence(finding.Key("big", fmt.Sprint(i/4)), i%4, func(o *finding.Occurrence) { o.Evidence.Add(finding.Sighting{Time: noon, UID: event.UID{1}}) }))
	}
	for range 2 { // again: doubles nothing
		b.record(1, os...)
		var count int64
		all := b.list(triage.Filter{})
		for _, f := range all {
			count += f.Count
		}
		if len(all) != n/4 || count != n/4*10 {
			b.Fatalf("%d findings of %d events, want %d of %d", len(all), count, n/4, n/4*10)
		}
	}
}

func compact(b *bench) {
	c, can := b.Store.(triage.Compacter)
	if !can {
		b.Skip("this triage does not compact")
	}
	for n := range 40 { // four days, in batches of three keys
		day := n % 4 * 24 * 60
		b.ok(b.Record(b.Context(), event.BatchID{byte(n)}, judged(n%4, 10, 500, occurrence("a", day+n), occurrence("b", day+n/2), occurrence(fmt.Sprint("k", n), day+n))))
	}
	before := b.list(triage.Filter{Demoted: true})
	released := func(id event.BatchID) bool { return id[0] < 32 }
	saved, err := c.Compact(b.Context(), released)
	b.ok(err)
	if saved != 2*(32-4) { // of a and b, one a day stays
		b.Errorf("saved %d occurrences, want %d", saved, 2*(32-4))
	}
	b.same(b.list(triage.Filter{Demoted: true}), before)
	if saved, err := c.Compact(b.Context(), released); err != nil || saved != 0 {
		b.Errorf("the second time saves %d, %v", saved, err)
	}
	// What is not released is replaced as before; folding anew finds the rest.
	b.ok(b.Record(b.Context(), event.BatchID{39}, judged(3, 10, 500)))
	a, err := b.Get(b.Context(), "a")
	b.ok(err)
	var was finding.Finding
	for _, f := range before {
		if f.Key == "a" {
			was = f
		}
	}
	if a.Count != was.Count-(39+3*24*60+1) || a.FirstSeen != was.FirstSeen {
		b.Errorf("count %d, first %s after folding anew", a.Count, a.FirstSeen)
	}
	b.ok(b.Record(b.Context(), event.BatchID{39}, judged(3, 10, 500, occurrence("a", 3*24*60+39), occurrence("b", 3*24*60+19), occurrence("k39", 3*24*60+39))))
	b.same(b.list(triage.Filter{Demoted: true}), before)
}

// anyOrder records the same batches in another order, some of them more than
// once and some with other contents before, and finds the same.
func anyOrder(t *testing.T, open Open) {
	demoted := 0
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		severities, limits := finding.Severities, [3]int{6000, 60000, 9000}
		batch := func() finding.Judged {
			day := r.IntN(3)
			j := judged(day, int64(1+r.IntN(120)), int64(r.IntN(limits[day])))
			for range r.IntN(6) {
				n := r.IntN(8)
				key := fmt.Sprint("key", n)
				if n%2 == 0 { // of one day only
					key = fmt.Sprint("key", n, " of day ", day)
				}
				j.Occurrences = append(j.Occurrences, occurrence(key, day*24*60+r.IntN(20), func(o *finding.Occurrence) {
					o.Severity = severities[n%len(severities)]
				}))
			}
			return j
		}
		want := map[byte]finding.Judged{}
		for n := range byte(30) {
			want[n] = batch()
		}
		a, c := &bench{t, open(t)}, &bench{t, open(t)}
		for n := range byte(30) {
			a.ok(a.Record(t.Context(), event.BatchID{n}, want[n]))
		}
		order := r.Perm(30)
		for i, n := range order {
			if r.IntN(3) == 0 {
				c.ok(c.Record(t.Context(), event.BatchID{byte(n)}, batch())) // replaced below
			}
			c.ok(c.Record(t.Context(), event.BatchID{byte(n)}, want[byte(n)]))
			if again := byte(order[r.IntN(i+1)]); r.IntN(3) == 0 {
				c.ok(c.Record(t.Context(), event.BatchID{again}, want[again]))
			}
		}
		findings, counters := byHand(want)
		shown := slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool { return f.Demoted })
		if len(shown) == 0 {
			t.Fatalf("seed %d: all findings are demoted", seed)
		}
		demoted += len(findings) - len(shown)
		for _, x := range []*bench{a, c} {
			x.same(x.list(triage.Filter{Demoted: true}), findings)
			x.same(x.list(triage.Filter{}), shown)
			got, err := x.Counters(t.Context())
			x.ok(err)
			if !reflect.DeepEqual(got, counters) {
				t.Errorf("seed %d: counters %+v, want %+v", seed, got, counters)
			}
		}
	}
	if demoted == 0 {
		t.Error("no finding was demoted: the test shows too little")
	}
}

// byHand folds what all batches say, in the order of List, and the counters.
func byHand(batches map[byte]finding.Judged) (findings []finding.Finding, counters []finding.Tally) {
	perKey := map[string][]finding.Occurrence{}
	perDay := map[time.Time]finding.Tally{}
	for n, j := range batches {
		j, err := triage.Prepare(event.BatchID{n}, j)
		if err != nil {
			panic(err)
		}
		for _, o := range j.Occurrences {
			perKey[o.Key] = append(perKey[o.Key], o)
		}
		at := finding.Day(j.Matches[0].Day)
		day := perDay[at]
		perDay[at] = finding.Tally{Rule: "rule", LogSource: "aws/cloudtrail", Day: at,
			Matches: day.Matches + j.Matches[0].Matches, Events: day.Events + j.Sources[0].Events}
	}
	days := slices.Collect(maps.Values(perDay))
	slices.SortFunc(days, func(a, b finding.Tally) int { return a.Day.Compare(b.Day) })
	for _, d := range days {
		if d.Demoted() {
			counters = append(counters, d)
		}
	}
	for _, os := range perKey {
		f := finding.Fold(os)
		f.Demoted = finding.Demoted(&f, days)
		findings = append(findings, f)
	}
	slices.SortFunc(findings, func(a, b finding.Finding) int { return triage.PlaceOf(&a, "").Compare(triage.PlaceOf(&b, "")) })
	return findings, counters
}

// atOnce: batches are recorded from several goroutines while others read.
func atOnce(b *bench) {
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 10 {
				n := 10*worker + i
				if err := b.Record(b.Context(), event.BatchID{byte(n)}, judged(0, 2, 100, occurrence("a", n), occurrence(fmt.Sprint("k", n), n))); err != nil {
					b.Error(err)
				}
				if _, _, err := b.List(b.Context(), triage.Filter{Limit: 5}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if f, err := b.Get(b.Context(), "a"); err != nil || f.Count != 40*41/2 || f.Title != "Title 39" || len(b.list(triage.Filter{})) != 41 {
		b.Errorf("count %d, title %q, %v", f.Count, f.Title, err)
	}
}
