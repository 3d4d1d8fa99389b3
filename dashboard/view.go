package dashboard

import (
	"cmp"
	"fmt"
	"strconv"
	"time"
)

// View is a dashboard as those who show it need to know it.
type View struct {
	ID          string          `json:"id"`
	Version     int             `json:"version"`
	Title       Text            `json:"title"`
	Description Text            `json:"description"`
	Span        int64           `json:"span" doc:"how far back it looks unless asked otherwise, in seconds"`
	Builtin     bool            `json:"builtin" doc:"it is the program's own"`
	File        string          `json:"file"`
	Parameters  []ParameterView `json:"parameters"`
	Panels      []PanelView     `json:"panels"`
}

// ParameterView is a parameter of a dashboard.
type ParameterView struct {
	Name    string   `json:"name"`
	Title   Text     `json:"title"`
	Type    string   `json:"type" enum:"text,pattern,number"`
	Default string   `json:"default"`
	Choices []string `json:"choices"`
}

// PanelView is a panel with what its query says of itself.
type PanelView struct {
	ID          string `json:"id"`
	Title       Text   `json:"title"`
	Description Text   `json:"description"`
	Query       string `json:"query"`
	Version     int    `json:"version" doc:"of the query"`
	Show        string `json:"show" enum:"timeline,bars,table,number"`
	Wide        bool   `json:"wide"`
	SQL         bool   `json:"sql" doc:"it asks SQL; otherwise a filter"`
	Log         Text   `json:"log" doc:"the records that it rests on"`
}

// View tells what the dashboard shows; every query it names is in b.
func (d *Dashboard) View(b *Book) View {
	v := View{
		ID: d.ID, Version: d.Version, Title: d.Title, Description: d.Description, Span: int64(d.span / time.Second),
		Builtin: d.Builtin, File: d.File, Parameters: []ParameterView{}, Panels: []PanelView{},
	}
	for _, p := range d.Parameters {
		v.Parameters = append(v.Parameters, ParameterView{p.Name, p.Title, p.Type, p.Default, append([]string{}, p.Choices...)})
	}
	for i := range d.Panels {
		p := &d.Panels[i]
		q := b.queries[p.Query]
		v.Panels = append(v.Panels, PanelView{
			ID: p.ID, Title: cmp.Or(p.Title, q.Title), Description: cmp.Or(p.Description, q.Description), Query: q.ID, Version: q.Version,
			Show: p.Show, Wide: p.Wide, SQL: q.SQL != "", Log: q.Log.Name,
		})
	}
	return v
}

// Settle fills in what is not asked: until now, and the dashboard's span.
func (d *Dashboard) Settle(a Ask) Ask {
	if a.Until.IsZero() {
		a.Until = a.Now
	}
	if a.Since.IsZero() {
		a.Since = a.Until.Add(-d.span)
	}
	return a
}

// Said is the mark in words and numbers.
func (m Mark) Said() string {
	n := func(x int64) string { return strconv.FormatInt(x, 10) }
	if m.Low == m.High {
		return n(m.Seen) + ", usual " + n(m.Low)
	}
	return n(m.Seen) + ", usual " + n(m.Low) + "-" + n(m.High)
}

// Unknown says in English what cannot be known; empty: all can.
func (a *Answer) Unknown() string {
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
	switch a.State {
	case NoLog:
		return fmt.Sprintf("no record of this has come in: %s; nothing can be known", a.Log.Name)
	case Silent:
		return fmt.Sprintf("the last record of this is of %s: %s; nothing is known since", day(a.Log.Last), a.Log.Name)
	case Began:
		return fmt.Sprintf("this begins %s: %s; nothing is known before", day(a.Log.First), a.Log.Name)
	}
	return ""
}
