// Package dashboard reads saved queries and dashboards from files, checks them,
// asks what they ask, and marks what is unusual against its own past.
//
// A query is a file:
//
//	id: gcp-denials
//	version: 1
//	title: {en: Refusals by policy, ja: ポリシーによる拒否}
//	log: {name: {en: Google Cloud audit logs, ja: Google Cloud 監査ログ}, filter: 'format:gcp.audit'}
//	parameters: [{name: account, title: {en: Project, ja: プロジェクト}}]
//	from: events
//	filter: 'outcome:denied_by_org_policy account:$account'
//	by: [status_code, account_uid]
//	cases:
//	  - name: one of two
//	    events: [{format: gcp.audit, outcome: denied_by_org_policy, status_code: constraints/a, account_uid: p}]
//	    expect: [{status_code: constraints/a, account_uid: p, count: 1}]
//
// A dashboard is a file of panels, each of which shows a query. docs/dashboards.md
// describes both. The package imports no engine: what counts, asks SQL and judges
// is given to Engine as functions.
package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/query"
)

// Text is what a person reads, in both languages.
type Text struct {
	En string `yaml:"en" json:"en"`
	Ja string `yaml:"ja" json:"ja"`
}

// In is the text in a language ("en", "ja").
func (t Text) In(language string) string {
	if language == "ja" {
		return cmp.Or(t.Ja, t.En)
	}
	return t.En
}

// Query is a saved question.
type Query struct {
	ID          string      `yaml:"id"`
	Version     int         `yaml:"version"`
	Title       Text        `yaml:"title"`
	Description Text        `yaml:"description"`
	Log         Log         `yaml:"log"`
	Parameters  []Parameter `yaml:"parameters"`
	// From is "events" or "usage"; Filter chooses in it, in the filter language, By
	// are the columns it counts by.
	From   string   `yaml:"from"`
	Filter string   `yaml:"filter"`
	By     []string `yaml:"by"`
	// Distinct counts different values of this column in place of events or calls.
	Distinct string `yaml:"distinct"`
	// Share is a filter: what is shown is how much of the counted satisfies it.
	Share string `yaml:"share"`
	// SQL is a statement, in place of From to Share. Search is the filter under which
	// its rows are found among events.
	SQL    string `yaml:"sql"`
	Search string `yaml:"search"`
	// Lookback is how far before the time that is asked for the statement looks: a log
	// that begins later leaves it with too little.
	Lookback string `yaml:"lookback"`
	Cases    []Case `yaml:"cases"`

	// File is where it was read; Builtin: it is the program's own.
	File    string `yaml:"-"`
	Builtin bool   `yaml:"-"`

	log, filter, share, search query.Expr
	lookback                   time.Duration
	lines                      lines
}

// Log says which records a query rests on: where none came in, nothing can be known.
type Log struct {
	Name   Text   `yaml:"name"`
	Filter string `yaml:"filter"`
}

// Parameter is what may be chosen when a query is asked. An empty value chooses
// everything.
type Parameter struct {
	Name    string `yaml:"name"`
	Title   Text   `yaml:"title"`
	Type    string `yaml:"type"` // text (the default), pattern or number
	Default string `yaml:"default"`
	// Choices are all values there are; Query names a saved query the values of whose
	// first column may be chosen.
	Choices []string `yaml:"choices"`
	Query   string   `yaml:"query"`
}

// The types of parameters.
const (
	TypeText    = "text"
	TypePattern = "pattern" // with * and ?
	TypeNumber  = "number"  // of SQL
)

// Case is what a query answers to some events.
type Case struct {
	Name   string            `yaml:"name"`
	With   map[string]string `yaml:"with"`
	Since  time.Time         `yaml:"since"`
	Until  time.Time         `yaml:"until"`
	Events []map[string]any  `yaml:"events"` // by column; what is not given is as in CaseEvent
	Expect []map[string]any  `yaml:"expect"` // rows in their order, of the columns that matter
}

// Dashboard is panels that are looked at together.
type Dashboard struct {
	ID          string      `yaml:"id"`
	Version     int         `yaml:"version"`
	Title       Text        `yaml:"title"`
	Description Text        `yaml:"description"`
	Span        string      `yaml:"span"` // how far back it looks unless asked otherwise: 24h, 7d, 30d
	Parameters  []Parameter `yaml:"parameters"`
	Panels      []Panel     `yaml:"panels"`

	File    string `yaml:"-"`
	Builtin bool   `yaml:"-"`

	span  time.Duration
	lines lines
}

// Panel shows a query.
type Panel struct {
	ID          string `yaml:"id"`
	Title       Text   `yaml:"title"`       // empty: the query's
	Description Text   `yaml:"description"` // empty: the query's
	Query       string `yaml:"query"`
	Show        string `yaml:"show"` // timeline, bars, table or number
	// With gives the query's parameters values, or parameters of the dashboard
	// ($name). Those that have the same name need not be given.
	With map[string]string `yaml:"with"`
	Most int               `yaml:"most"` // series or rows; 0: 8 of a timeline, 20 of others
	Wide bool              `yaml:"wide"`
}

// How a panel is shown.
const (
	Timeline = "timeline" // counts over time, a series each group
	Bars     = "bars"
	Rows     = "table"
	Number   = "number"
)

// Shows are all of them.
var Shows = []string{Timeline, Bars, Rows, Number}

// most is how many groups a panel tells by name.
func (p *Panel) most() int {
	switch {
	case p.Most > 0:
		return p.Most
	case p.Show == Timeline:
		return 8
	}
	return 20
}

// Error is what is wrong with a file.
type Error struct {
	File   string
	Line   int // from 1
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// Book is queries and dashboards that were checked.
type Book struct {
	queries    map[string]*Query
	dashboards map[string]*Dashboard
}

// NewBook checks that what dashboards and parameters name is there. Of two with one
// id the later holds, so that one's own may stand in for the program's; within
// files of one kind they are refused.
func NewBook(queries []*Query, dashboards []*Dashboard) (*Book, []*Error) {
	b := &Book{queries: map[string]*Query{}, dashboards: map[string]*Dashboard{}}
	var refused []*Error
	for _, q := range queries {
		if had := b.queries[q.ID]; had != nil && had.Builtin == q.Builtin {
			refused = append(refused, &Error{q.File, q.lines.at("id"), fmt.Sprintf("id: %s is that of %s too", q.ID, had.File)})
			continue
		}
		b.queries[q.ID] = q
	}
	for _, d := range dashboards {
		if had := b.dashboards[d.ID]; had != nil && had.Builtin == d.Builtin {
			refused = append(refused, &Error{d.File, d.lines.at("id"), fmt.Sprintf("id: %s is that of %s too", d.ID, had.File)})
			continue
		}
		b.dashboards[d.ID] = d
	}
	for _, q := range b.Queries() {
		refused = append(refused, b.checkChoices(q.File, q.lines, q.Parameters)...)
	}
	for _, d := range b.Dashboards() {
		refused = append(refused, b.checkChoices(d.File, d.lines, d.Parameters)...)
		for i := range d.Panels {
			if e := b.checkPanel(d, i); e != nil {
				refused = append(refused, e)
			}
		}
	}
	return b, refused
}

func (b *Book) checkChoices(file string, at lines, ps []Parameter) (refused []*Error) {
	for i, p := range ps {
		if p.Query != "" && b.queries[p.Query] == nil {
			refused = append(refused, &Error{file, at.at("parameters", i, "query"), fmt.Sprintf("query: there is no query %q", p.Query)})
		}
	}
	return refused
}

func (b *Book) checkPanel(d *Dashboard, i int) *Error {
	p := &d.Panels[i]
	q := b.queries[p.Query]
	if q == nil {
		return &Error{d.File, d.lines.at("panels", i, "query"), fmt.Sprintf("query: there is no query %q", p.Query)}
	}
	if p.Show == Timeline && q.SQL != "" {
		return &Error{d.File, d.lines.at("panels", i, "show"), "show: an answer of SQL is shown as a table, bars or a number"}
	}
	for name, value := range p.With {
		if q.parameter(name) == nil {
			return &Error{d.File, d.lines.at("panels", i, "with", name), fmt.Sprintf("with: query %s has no parameter %q", q.ID, name)}
		}
		if own, ok := reference(value); ok && find(d.Parameters, own) == nil {
			return &Error{d.File, d.lines.at("panels", i, "with", name), fmt.Sprintf("with: the dashboard has no parameter %q", own)}
		}
	}
	return nil
}

// Queries are all, by id.
func (b *Book) Queries() []*Query {
	var out []*Query
	for _, q := range b.queries {
		out = append(out, q)
	}
	slices.SortFunc(out, func(x, y *Query) int { return cmp.Compare(x.ID, y.ID) })
	return out
}

// Dashboards are all, by id.
func (b *Book) Dashboards() []*Dashboard {
	var out []*Dashboard
	for _, d := range b.dashboards {
		out = append(out, d)
	}
	slices.SortFunc(out, func(x, y *Dashboard) int { return cmp.Compare(x.ID, y.ID) })
	return out
}

// Query gives one by its id.
func (b *Book) Query(id string) (*Query, bool) { q, ok := b.queries[id]; return q, ok }

// Dashboard gives one by its id.
func (b *Book) Dashboard(id string) (*Dashboard, bool) { d, ok := b.dashboards[id]; return d, ok }

// Panel gives a panel by its id.
func (d *Dashboard) Panel(id string) (*Panel, bool) {
	for i := range d.Panels {
		if d.Panels[i].ID == id {
			return &d.Panels[i], true
		}
	}
	return nil, false
}

// Length is how far back the dashboard looks unless asked otherwise.
func (d *Dashboard) Length() time.Duration { return d.span }

func (q *Query) parameter(name string) *Parameter { return find(q.Parameters, name) }

func find(ps []Parameter, name string) *Parameter {
	for i := range ps {
		if ps[i].Name == name {
			return &ps[i]
		}
	}
	return nil
}
