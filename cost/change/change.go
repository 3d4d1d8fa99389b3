// Package change tells why a bill of what is charged by change is what it is: which
// operations changed how much on which day in an account, who makes the changes, what
// is made and deleted in a loop, and how many configuration items come of it.
//
// Counts by operation and day are those of the hourly sums, exact and for as long as
// those are kept. Who makes a change stands in the record: the tags and the
// description of a network interface name the service or function it is for, although
// the call is made by a service of AWS. So the records of what is made and deleted
// are read, the latest ones up to a limit, and the report says which were.
package change

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// Sum counts stored events; it is that of a lake.
type Sum func(ctx context.Context, s query.Sum) ([]query.Group, error)

// Find yields stored events with the columns asked for, in any order. A yielded
// event's record is valid until the next step.
type Find func(ctx context.Context, since, until time.Time, where query.Expr, columns ...string) iter.Seq2[event.Event, error]

// Counts gives what was counted of an account on the days in [since, until).
type Counts func(ctx context.Context, account string, since, until time.Time) ([]cost.Count, error)

// Price is that of one configuration item recorded continuously in a region on a
// day; false: it is not known.
type Price func(region string, day time.Time) (price decimal.Decimal, currency string, ok bool)

// Reader makes reports.
type Reader struct {
	Sum    Sum
	Find   Find
	Counts Counts // nil: nothing was counted
	Price  Price  // nil: no price is known
	// Most is how many records are read to tell makers; 0: DefaultMost.
	Most int64
}

// DefaultMost is about three weeks of an account that makes 8,500 interfaces a day.
const DefaultMost = 400_000

// Report is why an account changes as it does.
type Report struct {
	Account string
	Since   time.Time // start of the first day, UTC
	Until   time.Time // end of the last day
	// Days are in order of day and, in one day, of count.
	Days   []Day
	Total  int64   // changes
	Makers []Maker // who makes most first
	// Loops are what is made and deleted over and over; Schedules what is made by the
	// clock, or follows changes that somebody asks for.
	Loops     []Loop
	Schedules []Schedule
	Items     Items
	Read      Read
}

// Day is how often an operation succeeded on a day.
type Day struct {
	Day       string // "2026-04-01", UTC
	Operation string
	Count     int64
}

// Maker is who makes changes.
type Maker struct {
	Maker      string // as logs name it: whatever shows it escapes it
	Kind       Kind
	Operations []Operation // the most first
	Count      int64
	Share      float64 // of all changes, 0 to 1
	// Estimated: its records are of a part of the time, and were multiplied.
	Estimated bool
}

// Operation is how much of an operation a maker does.
type Operation struct {
	Operation string
	Count     int64
	Share     float64 // of all such changes of the account, 0 to 1
}

// Read is what makers were told from: not more than the time from the account's first
// event to its last one, in hours.
type Read struct {
	Since   time.Time
	Until   time.Time
	Records int64
	Whole   bool // of all the time asked for
}

const day = 24 * time.Hour

// maxMakersShown is how many makers a report names; the others stand together.
const maxMakersShown = 200

// Read reports on an account, for the whole days of UTC that [since, until) touches.
func (r Reader) Read(ctx context.Context, account string, since, until time.Time) (*Report, error) {
	since = since.UTC().Truncate(day)
	if end := until.UTC().Truncate(day); end.Equal(until.UTC()) {
		until = end
	} else {
		until = end.Add(day)
	}
	if account == "" || !since.Before(until) {
		return nil, fmt.Errorf("changes are told of an account and a time, not of %q from %s to %s", account, since.Format(time.DateOnly), until.Format(time.DateOnly))
	}
	counts, log, err := operations(ctx, r.Sum, account, since, until)
	if err != nil {
		return nil, err
	}
	out := &Report{Account: account, Since: since, Until: until, Read: log}
	out.Days, out.Total = daysOf(counts)
	total := map[string]int64{}
	for _, c := range counts {
		total[c.Operation] += c.Count
	}
	g, err := r.records(ctx, out, total)
	if err != nil {
		return nil, err
	}
	actors, err := r.actors(ctx, out, total)
	if err != nil {
		return nil, err
	}
	out.Makers = makers(g, actors, total, out)
	var known []cost.Count
	if r.Counts != nil {
		if known, err = r.Counts(ctx, account, since, until); err != nil {
			return nil, fmt.Errorf("read what was counted of account %s: %w", account, err)
		}
	}
	out.Items = itemsOf(account, counts, known)
	out.Loops, out.Schedules = loops(g, out.Read.Since, out.Read.Until)
	r.price(out, counts)
	return out, nil
}

// OperationCount is how often an operation succeeded in a region on a day.
type OperationCount struct {
	Day       time.Time // UTC
	Region    string
	Operation string
	Count     int64
}

// Operations counts the changes of an account by day, region and operation; since
// and until are days.
func Operations(ctx context.Context, sum Sum, account string, since, until time.Time) ([]OperationCount, error) {
	out, _, err := operations(ctx, sum, account, since, until)
	return out, err
}

// operations also tells from when to when there are events of the account, by hours:
// before and behind, nothing is known of it.
func operations(ctx context.Context, sum Sum, account string, since, until time.Time) (out []OperationCount, log Read, err error) {
	s := query.Sum{
		Query: query.Query{Where: succeeded(account), Since: since, Until: until}, Usage: true,
		By: []string{"api_operation", "region"}, Start: since, Width: day, Step: day,
	}
	groups, err := sum(ctx, s)
	if err != nil {
		return nil, log, fmt.Errorf("count the changes of account %s: %w", account, err)
	}
	log = Read{Since: since, Until: since, Whole: true}
	for i, g := range groups {
		if first := g.First.Truncate(time.Hour); i == 0 || first.Before(log.Since) {
			log.Since = first
		}
		if last := g.Last.Truncate(time.Hour).Add(time.Hour); last.After(log.Until) {
			log.Until = last
		}
		if !g.Rest && Changes(g.By[0]) {
			out = append(out, OperationCount{since.Add(time.Duration(g.Bucket) * day), g.By[1], g.By[0], g.Count})
		}
	}
	return out, log, nil
}

func succeeded(account string) query.Expr {
	return query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: account}, query.Eq{Field: "outcome", Value: string(event.Success)}}}
}

// daysOf adds up regions.
func daysOf(counts []OperationCount) ([]Day, int64) {
	type key struct{ day, operation string }
	sums, total := map[key]int64{}, int64(0)
	for _, c := range counts {
		sums[key{c.Day.Format(time.DateOnly), c.Operation}] += c.Count
		total += c.Count
	}
	out := make([]Day, 0, len(sums))
	for k, n := range sums {
		out = append(out, Day{k.day, k.operation, n})
	}
	slices.SortFunc(out, func(a, b Day) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation))
	})
	return out, total
}

// records reads those of the followed operations, as far as they are still held: the
// latest hours of the time asked for that have no more than r.Most of them. Loops need
// all records of an hour, so hours are left out whole.
func (r Reader) records(ctx context.Context, out *Report, total map[string]int64) (*gathered, error) {
	operations := slices.DeleteFunc(followed(), func(op string) bool { return total[op] == 0 })
	if len(operations) == 0 {
		return newGathered(), nil
	}
	var any []query.Expr
	for _, op := range operations {
		any = append(any, query.Eq{Field: "api_operation", Value: op})
	}
	groups, err := r.Sum(ctx, query.Sum{
		Query: query.Query{Where: query.And{X: []query.Expr{succeeded(out.Account), query.Or{X: any}}}, Since: out.Since, Until: out.Until}, Usage: true,
		Start: out.Since, Width: time.Hour, Step: time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("count the changes of account %s by hour: %w", out.Account, err)
	}
	slices.SortFunc(groups, func(a, b query.Group) int { return cmp.Compare(b.Bucket, a.Bucket) })
	left, counted := cmp.Or(r.Most, DefaultMost), int64(0)
	for _, g := range groups {
		if left -= g.Count; left < 0 {
			out.Read.Since, out.Read.Whole = out.Since.Add(time.Duration(g.Bucket+1)*time.Hour), false
			break
		}
		counted += g.Count
	}
	g, err := gather(ctx, r.Find, out.Account, out.Read.Since, out.Read.Until, operations)
	if err != nil {
		return nil, err
	}
	out.Read.Records = g.read
	if g.read < counted { // records are kept for less long than sums
		out.Read.Whole = false
		if first := g.first.Truncate(time.Hour); first.After(out.Read.Since) {
			out.Read.Since = first
		}
	}
	return g, nil
}

// actorCount is how often somebody did something.
type actorCount struct {
	who       who
	operation string
	count     int64
}

// maxActors is how many pairs of operation and principal are told apart.
const maxActors = 5_000

// actors counts by principal what is not followed.
func (r Reader) actors(ctx context.Context, out *Report, total map[string]int64) ([]actorCount, error) {
	read := followed()
	operations := slices.SortedFunc(maps.Keys(total), func(a, b string) int { return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b)) })
	operations = slices.DeleteFunc(operations, func(op string) bool { return slices.Contains(read, op) })
	if len(operations) == 0 {
		return nil, nil
	}
	var any []query.Expr
	for _, op := range operations[:min(len(operations), 500)] {
		any = append(any, query.Eq{Field: "api_operation", Value: op})
	}
	groups, err := r.Sum(ctx, query.Sum{
		Query: query.Query{Where: query.And{X: []query.Expr{succeeded(out.Account), query.Or{X: any}}}, Since: out.Since, Until: out.Until, Limit: maxActors}, Usage: true,
		By: []string{"api_operation", "actor_uid", "actor_type", "caller"},
	})
	if err != nil {
		return nil, fmt.Errorf("count the changes of account %s by principal: %w", out.Account, err)
	}
	var all []actorCount
	for _, g := range groups {
		if g.Rest {
			all = append(all, actorCount{who{Unknown, ""}, "", g.Count})
			continue
		}
		all = append(all, actorCount{byActor(g.By[1], event.ActorType(g.By[2]), event.Caller(g.By[3])), g.By[0], g.Count})
	}
	return all, nil
}

// makers joins what records and what sums say of who changes things.
func makers(g *gathered, actors []actorCount, total map[string]int64, out *Report) []Maker {
	counts := map[who]map[string]float64{}
	add := func(w who, operation string, n float64) {
		if counts[w] == nil {
			counts[w] = map[string]float64{}
		}
		counts[w][operation] += n
	}
	read := map[string]int64{}
	for m, n := range g.counts {
		read[m.operation] += n
	}
	estimated := map[who]bool{}
	for m, n := range g.counts {
		w, times := g.makers[m.maker], 1.0
		if of := total[m.operation]; !out.Read.Whole && read[m.operation] > 0 && of > read[m.operation] {
			times, estimated[w] = float64(of)/float64(read[m.operation]), true
		}
		add(w, m.operation, float64(n)*times)
	}
	for _, op := range followed() { // of which no record is held any more
		if total[op] > 0 && read[op] == 0 {
			add(who{Unknown, ""}, op, float64(total[op]))
		}
	}
	for _, a := range actors {
		add(a.who, a.operation, float64(a.count))
	}
	var all []Maker
	for w, operations := range counts {
		m := Maker{Maker: w.name, Kind: w.kind, Estimated: estimated[w]}
		for op, n := range operations {
			count := int64(math.Round(n))
			m.Operations = append(m.Operations, Operation{op, count, share(count, total[op])})
			m.Count += count
		}
		slices.SortFunc(m.Operations, func(a, b Operation) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation))
		})
		m.Share = share(m.Count, out.Total)
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Maker) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Maker, b.Maker))
	})
	return fewMakers(all, out.Total)
}

// fewMakers puts those beyond what a report shows together, as one that is unknown.
func fewMakers(all []Maker, total int64) []Maker {
	if len(all) <= maxMakersShown {
		return all
	}
	rest := Maker{Kind: Others, Operations: []Operation{}}
	for _, m := range all[maxMakersShown:] {
		rest.Count += m.Count
		rest.Estimated = rest.Estimated || m.Estimated
	}
	rest.Share = share(rest.Count, total)
	return append(all[:maxMakersShown:maxMakersShown], rest)
}

// share is a part of a whole with four digits, which is more than it is worth.
func share(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return math.Round(float64(part)/float64(whole)*1e4) / 1e4
}

// price says what stopping each loop would save.
func (r Reader) price(out *Report, counts []OperationCount) {
	for i := range out.Loops {
		l := &out.Loops[i]
		l.Text = l.text()
		l.SavingNote = say.T("change.saving.unpriced", nil)
		if r.Price != nil {
			r.saving(l, out, counts)
		}
	}
}
