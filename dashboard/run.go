package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/query"
)

// Engine asks what queries ask.
type Engine struct {
	// Sum counts: see lake.Summer.
	Sum func(ctx context.Context, s query.Sum) ([]query.Group, error)
	// SQL runs a statement whose parameters have values, on what lies in the accounts
	// if any are named.
	SQL func(ctx context.Context, text string, values map[string]any, accounts []string) (Table, error)
	// Judge says what is usual, from peers in the past, of counts; nil: nothing is marked.
	Judge func(seen []float64, past [][]float64) []Usual
}

// Table is what a statement of SQL answers.
type Table struct {
	Columns []string
	Rows    [][]any
	More    string // which limit cut it off
}

// Usual is what a count was expected to be. Low and High hold 95 of 100 such counts,
// Score is -log10 of the chance of one as far out, Below tells on which side it lies.
type Usual struct {
	Low, High, Score float64
	Below            bool
}

// Ask is what a panel is asked.
type Ask struct {
	Since, Until time.Time
	Values       map[string]string // of the dashboard's parameters
	Accounts     []string          // who asks may see no others; none: all
	Now          time.Time
}

// Answer is what a panel shows.
type Answer struct {
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// State says what is known: see the constants.
	State string    `json:"state" enum:"known,no_log,silent,began"`
	Log   *LogState `json:"log,omitempty" doc:"the records that the panel rests on"`

	Columns []Heading `json:"columns" doc:"of rows; of a series the columns that its values are of"`
	// Rows are an answer of SQL, or a group each: values of Columns.
	Rows [][]any `json:"rows" doc:"values of columns"`
	// Series are of a timeline: a group each, a count for every bucket.
	Series []Series  `json:"series"`
	Start  time.Time `json:"start" doc:"of the first bucket of series"`
	Width  int64     `json:"width" doc:"of a bucket, in seconds"`

	Total int64  `json:"total" doc:"everything that was counted, the rest included"`
	Of    int64  `json:"of" doc:"of a share: what it is the share of"`
	More  string `json:"more" doc:"which limit cut the answer off; empty: it is whole"`

	Marks []Mark `json:"marks" doc:"what is unusual against its own past"`
	Past  Past   `json:"past"`

	Search string   `json:"search" doc:"the filter under which what is shown is found among events; empty: there is none"`
	Keys   []string `json:"keys" doc:"columns of a row that narrow the search to it"`
}

// What is known of the time that was asked for.
const (
	Known  = "known"
	NoLog  = "no_log" // no record of the log ever came in: nothing can be known
	Silent = "silent" // the last record of the log is from before
	Began  = "began"  // the log begins within the time
)

// LogState is what there is of a log.
type LogState struct {
	Title Text      `json:"-"`
	Name  string    `json:"name"` // Title in the language of who asks; English at first
	Count int64     `json:"count"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// Heading is that of a column of an answer.
type Heading struct {
	Name string `json:"name"`
	Type string `json:"type" enum:"text,number,time,share,other"`
}

// Series is a group over time.
type Series struct {
	By     []string `json:"by"`
	Rest   bool     `json:"rest" doc:"all other groups together"`
	Total  int64    `json:"total"`
	Counts []int64  `json:"counts" doc:"of each bucket; -1: nothing is known"`
	Of     []int64  `json:"of,omitempty" doc:"of a share: what the counts are the share of"`
}

// ErrSQL answers for statements where there is no engine for them.
var ErrSQL = errors.New("this engine answers no SQL")

// Ask answers a panel.
func (e Engine) Ask(ctx context.Context, b *Book, d *Dashboard, p *Panel, ask Ask) (Answer, error) {
	own, err := settle(d.Parameters, ask.Values)
	if err != nil {
		return Answer{}, err
	}
	q, ok := b.Query(p.Query)
	if !ok {
		return Answer{}, fmt.Errorf("there is no query %s", p.Query)
	}
	given := map[string]string{}
	for i := range q.Parameters {
		name := q.Parameters[i].Name
		value, with := p.With[name]
		ref, isRef := reference(value)
		switch {
		case with && isRef:
			given[name] = own[ref]
		case with:
			given[name] = value
		case find(d.Parameters, name) != nil:
			given[name] = own[name]
		}
	}
	return e.asked(ctx, q, p, given, ask)
}

// AskQuery answers a query by itself, as a table.
func (e Engine) AskQuery(ctx context.Context, q *Query, ask Ask) (Answer, error) {
	return e.asked(ctx, q, &Panel{ID: q.ID, Query: q.ID, Show: Rows, Most: 200}, ask.Values, ask)
}

func (e Engine) asked(ctx context.Context, q *Query, p *Panel, given map[string]string, ask Ask) (Answer, error) {
	values, err := settle(q.Parameters, given)
	if err != nil {
		return Answer{}, err
	}
	if !ask.Since.Before(ask.Until) {
		return Answer{}, &ValueError{"since", "it is not before until"}
	}
	x := &asked{Engine: e, q: q, p: p, values: values, ask: ask, out: Answer{
		Since: ask.Since, Until: ask.Until, State: Known, Columns: []Heading{}, Rows: [][]any{}, Series: []Series{}, Marks: []Mark{}, Keys: []string{},
	}}
	if err := x.log(ctx); err != nil || x.out.State == NoLog {
		return x.out, err
	}
	switch {
	case q.SQL != "":
		err = x.statement(ctx)
	case p.Show == Timeline:
		err = x.timeline(ctx)
	default:
		err = x.groups(ctx)
	}
	return x.out, err
}

// asked is one panel at work.
type asked struct {
	Engine
	q      *Query
	p      *Panel
	values map[string]string
	ask    Ask
	out    Answer
}

// within narrows a filter to the accounts of who asks.
func (x *asked) within(where query.Expr) query.Expr {
	if len(x.ask.Accounts) == 0 {
		return where
	}
	mine := query.Or{}
	for _, a := range x.ask.Accounts {
		mine.X = append(mine.X, query.Eq{Field: "account_uid", Value: a})
	}
	return both(mine, where)
}

func both(a, b query.Expr) query.Expr {
	switch all := slices.Concat(query.Conjuncts(a), query.Conjuncts(b)); len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	default:
		return query.And{X: all}
	}
}

// log finds out whether there is what the query rests on.
func (x *asked) log(ctx context.Context) error {
	usage := x.q.From == "usage"
	until := x.ask.Until
	if usage {
		until = wholeHour(until)
	}
	groups, err := x.Sum(ctx, query.Sum{Query: query.Query{Where: x.within(x.q.log), Until: until}, Usage: usage})
	if err != nil {
		return err
	}
	s := &LogState{Title: x.q.Log.Name, Name: x.q.Log.Name.En}
	x.out.Log = s
	if len(groups) == 0 {
		x.out.State = NoLog
		return nil
	}
	s.Count, s.First, s.Last = groups[0].Count, groups[0].First, groups[0].Last
	switch {
	case s.Last.Before(x.ask.Since) && !(usage && s.Last.Add(time.Hour).After(x.ask.Since)):
		x.out.State = Silent
	case s.First.After(x.ask.Since.Add(-x.q.lookback)):
		x.out.State = Began
	}
	return nil
}

// wholeHour is the end of the hour that t lies in, as usage is asked.
func wholeHour(t time.Time) time.Time { return t.Add(time.Hour - 1).Truncate(time.Hour) }

// filter is the query's, with the values in it.
func (x *asked) filter() query.Expr {
	where, _ := bind(x.q.filter, x.q.Parameters, x.values)
	where = both(x.q.log, where)
	if x.q.From != "usage" && !speaksOf(where, "twin") {
		// What repeats another record is counted once, as in usage.
		where = both(where, query.Eq{Field: "twin", Value: false})
	}
	return x.within(where)
}

func speaksOf(e query.Expr, field string) (yes bool) {
	query.Terms(e, func(term query.Expr) { yes = yes || query.FieldOf(term) == field })
	return yes
}

// sum is the count that the query asks for, without times.
func (x *asked) sum() query.Sum {
	return query.Sum{Query: query.Query{Where: x.filter(), Limit: x.p.most()}, Usage: x.q.From == "usage", By: x.q.By, Distinct: x.q.Distinct}
}

// counts asks for the groups, and of a share for what it is the share of.
func (x *asked) counts(ctx context.Context, s query.Sum) (groups, of []query.Group, err error) {
	if x.q.share == nil {
		groups, err = x.Sum(ctx, s)
		return groups, nil, err
	}
	// The groups are those that count most of all, not of what is shared.
	if of, err = x.Sum(ctx, s); err != nil {
		return nil, nil, err
	}
	part, _ := bind(x.q.share, x.q.Parameters, x.values)
	s.Where, s.Limit = both(s.Where, part), 0
	some, err := x.Sum(ctx, s)
	return match(some, of), of, err
}

// match gives the groups that of has, with what some has of each in each bucket.
func match(some, of []query.Group) []query.Group {
	named := map[string]bool{}
	for _, g := range of {
		named[groupKey(g)] = true
	}
	rest := map[int]int64{}
	have := map[string]int64{}
	for _, g := range some {
		if !named[groupKey(g)] {
			rest[g.Bucket] += g.Count
			continue
		}
		have[fmt.Sprint(g.Bucket, " ", groupKey(g))] = g.Count
	}
	out := slices.Clone(of)
	for i, g := range out {
		out[i].Count = have[fmt.Sprint(g.Bucket, " ", groupKey(g))]
		if g.Rest {
			out[i].Count = rest[g.Bucket]
		}
	}
	return out
}

func groupKey(g query.Group) string {
	if g.Rest {
		return "\x00"
	}
	return fmt.Sprintf("%q", g.By)
}

// columns are those of groups.
func (x *asked) columns() {
	for _, name := range x.q.By {
		x.out.Columns = append(x.out.Columns, Heading{name, "text"})
	}
	x.out.Keys = append(x.out.Keys, x.q.By...)
	x.out.Search = query.String(x.filter())
}

// statement answers by SQL.
func (x *asked) statement(ctx context.Context) error {
	if x.SQL == nil {
		return ErrSQL
	}
	values := sqlValues(x.q.Parameters, x.values)
	values["since"], values["until"] = x.ask.Since, x.ask.Until
	t, err := x.SQL(ctx, x.q.SQL, values, x.ask.Accounts)
	if err != nil {
		return err
	}
	for i, name := range t.Columns {
		x.out.Columns = append(x.out.Columns, Heading{name, typeOf(t.Rows, i, name)})
		if c, ok := query.Lookup(name); ok && c.Name == name && c.Type != query.Time {
			x.out.Keys = append(x.out.Keys, name)
		}
	}
	most := min(x.p.most(), len(t.Rows))
	x.out.Rows, x.out.More = append(x.out.Rows, t.Rows[:most]...), t.More
	x.out.Total = int64(len(t.Rows))
	if where, ok := bind(x.q.search, x.q.Parameters, x.values); ok {
		x.out.Search = query.String(where)
	}
	x.out.Past = Past{State: PastNone}
	return nil
}

func typeOf(rows [][]any, i int, name string) string {
	for _, r := range rows {
		switch v := r[i].(type) {
		case nil:
			continue
		case int64, float64:
			return "number"
		case string:
			if _, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return "time"
			}
			return "text"
		default:
			if _, ok := v.(fmt.Stringer); ok { // json.Number
				return "number"
			}
			return "other"
		}
	}
	return cmp.Or(map[string]string{"count": "number"}[name], "text")
}

// Choices gives the values that a parameter of a dashboard may have: those of its
// file, or of the first column of its query, those that count most first.
func (e Engine) Choices(ctx context.Context, b *Book, d *Dashboard, name string, ask Ask) ([]string, error) {
	p := find(d.Parameters, name)
	switch {
	case p == nil:
		return nil, &ValueError{name, "there is no such parameter"}
	case p.Query == "":
		return p.Choices, nil
	}
	q, ok := b.Query(p.Query)
	if !ok {
		return nil, fmt.Errorf("there is no query %s", p.Query)
	}
	e.Judge, ask.Values = nil, nil
	a, err := e.AskQuery(ctx, q, ask)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range a.Rows {
		if v, ok := row[0].(string); ok && v != "" {
			out = append(out, v)
		}
	}
	return out, nil
}
