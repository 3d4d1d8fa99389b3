package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// caseTime is when the events of a case happen unless they say otherwise.
var caseTime = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Period is the time that a case asks about: a day around its events unless it says
// otherwise.
func (c *Case) Period() (since, until time.Time) {
	since, until = caseTime.Truncate(24*time.Hour), caseTime.Truncate(24*time.Hour).AddDate(0, 0, 1)
	if !c.Since.IsZero() {
		since = c.Since
	}
	if !c.Until.IsZero() {
		until = c.Until
	}
	return since, until
}

// CaseEvent makes the nth event of a case of its columns. It happens at 9:00 UTC of
// 2 March 2026, has an id of its own and, without one given, an empty record.
func CaseEvent(columns map[string]any, n int) (event.Event, error) {
	set := map[string]any{"time": caseTime.Add(time.Duration(n) * time.Second), "event_uid": fmt.Sprint("case-", n)}
	raw := []byte("{}")
	for name, v := range columns {
		c, ok := query.Lookup(name)
		switch {
		case !ok || c.Name != name || c.Type == query.UUID:
			return event.Event{}, fmt.Errorf("events have no column %q to set", name)
		case name == "raw":
			text, err := json.Marshal(v)
			if err != nil {
				return event.Event{}, fmt.Errorf("raw: %w", err)
			}
			raw = text
			continue
		}
		set[name] = v
	}
	text, err := json.Marshal(set)
	if err != nil {
		return event.Event{}, err
	}
	var e event.Event
	if err := json.Unmarshal(text, &e); err != nil {
		return event.Event{}, fmt.Errorf("the columns of an event: %w", err)
	}
	e.Raw, e.Position = raw, int64(n)
	return e, nil
}

// CaseEvents are all events of the case.
func (c *Case) CaseEvents() ([]event.Event, error) {
	var out []event.Event
	for i, columns := range c.Events {
		e, err := CaseEvent(columns, i)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Failure is a case that went otherwise than it says.
type Failure struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Case string `json:"case"`
	Why  string `json:"why"`
}

// Test runs the ith case of the query on an engine that holds its events and nothing
// else; nil: it goes as it says.
func (q *Query) Test(ctx context.Context, e Engine, i int) *Failure {
	c := &q.Cases[i]
	fail := func(format string, args ...any) *Failure {
		return &Failure{q.File, q.lines.at("cases", i), c.Name, fmt.Sprintf(format, args...)}
	}
	e.Judge = nil
	since, until := c.Period()
	a, err := e.AskQuery(ctx, q, Ask{Since: since, Until: until, Values: c.With, Now: until})
	if err != nil {
		return fail("%v", err)
	}
	if len(a.Rows) != len(c.Expect) {
		return fail("%d rows, expected %d: %v", len(a.Rows), len(c.Expect), a.Rows)
	}
	for n, want := range c.Expect {
		have := map[string]any{}
		for j, col := range a.Columns {
			have[col.Name] = a.Rows[n][j]
		}
		for name, v := range want {
			got, ok := have[name]
			if !ok {
				return fail("the answer has no column %s", name)
			}
			if !same(got, v) {
				return fail("row %d: %s is %v, expected %v", n+1, name, got, v)
			}
		}
	}
	return nil
}

// same compares values as JSON writes them, so that 1 and 1.0 are one number.
func same(a, b any) bool {
	var x, y any
	ta, err1 := json.Marshal(a)
	tb, err2 := json.Marshal(b)
	if err1 != nil || err2 != nil || json.Unmarshal(ta, &x) != nil || json.Unmarshal(tb, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}
