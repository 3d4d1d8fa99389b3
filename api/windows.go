package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/triage"
)

// Window is planned work as scripts read it, from the API and from `windows list
// --format json` alike.
type Window struct {
	ID        string              `json:"id"`
	Title     string              `json:"title"`
	Start     time.Time           `json:"start" doc:"of its first time"`
	End       time.Time           `json:"end" doc:"of its first time; exclusive"`
	Accounts  []string            `json:"accounts" doc:"of each list that is not empty one has to hold; a value that ends in * stands for all that begin so"`
	Actors    []string            `json:"actors"`
	People    []string            `json:"people"`
	Resources []string            `json:"resources"`
	Regions   []string            `json:"regions"`
	Kinds     []string            `json:"kinds" doc:"kinds of findings, or signs of anomalies"`
	Scope     string              `json:"scope" doc:"filter over the fields of findings that has to hold too; empty: any"`
	Sort      string              `json:"sort" doc:"maintenance, on_call, travel, test, …"`
	Ticket    string              `json:"ticket"`
	Owner     string              `json:"owner"`
	Repeat    string              `json:"repeat" doc:"RRULE of RFC 5545; empty: it takes place once"`
	Zone      string              `json:"zone" doc:"IANA time zone of repetitions; empty: UTC"`
	State     finding.WindowState `json:"state" enum:"proposed,active,cancelled"`
	Phase     string              `json:"phase" enum:"proposed,cancelled,open,coming,over" doc:"where it is as of now"`
	Now       *finding.Span       `json:"now,omitempty" doc:"the time that it takes place in now"`
	Next      *finding.Span       `json:"next,omitempty" doc:"the next time it takes place"`
	Last      *finding.Span       `json:"last,omitempty" doc:"the last time it took place"`
	By        string              `json:"by" doc:"who wrote it"`
	At        time.Time           `json:"at,omitzero"`
	Explains  int                 `json:"explains" doc:"findings that it accounts for now"`
	Evidence  []string            `json:"evidence" doc:"keys of findings that it was made from"`
	File      bool                `json:"file" doc:"it comes from a calendar of the configuration, and is changed there"`
}

// Windows are all of them.
type Windows struct {
	Windows []Window `json:"windows"`
	Next    string   `json:"next" doc:"always empty: all are told at once"`
}

// horizon is how far back and ahead repetitions are looked for.
const horizon = 400 * 24 * time.Hour

// ViewWindow gives w as scripts read it, as of now. Expand may be nil.
func ViewWindow(w finding.Window, now time.Time, expand triage.Expand) Window {
	v := Window{
		ID: w.ID, Title: w.Title, Start: w.Start, End: w.End, Accounts: list(w.Accounts), Actors: list(w.Actors), People: list(w.People),
		Resources: list(w.Resources), Regions: list(w.Regions), Kinds: list(w.Kinds), Scope: w.Scope.String(), Sort: w.Sort,
		Ticket: w.Ticket, Owner: w.Owner, Repeat: w.Repeat, Zone: w.Zone, State: cmp.Or(w.State, finding.WindowActive),
		By: w.By, At: w.At, Explains: w.Explains, Evidence: list(w.Evidence), Phase: "over",
	}
	for _, s := range timesOf(&w, now.Add(-horizon), now.Add(horizon), expand) {
		switch {
		case !s.End.After(now):
			v.Last = &s
		case !s.Start.After(now):
			v.Now = &s
		case v.Next == nil:
			v.Next = &s
		}
	}
	switch {
	case v.State != finding.WindowActive:
		v.Phase = string(v.State)
	case v.Now != nil:
		v.Phase = "open"
	case v.Next != nil:
		v.Phase = "coming"
	}
	return v
}

// timesOf is when w takes place between two times, in order.
func timesOf(w *finding.Window, from, to time.Time, expand triage.Expand) []finding.Span {
	if w.Repeat == "" && w.Times == nil {
		return []finding.Span{{Start: w.Start, End: w.End}}
	}
	if w.Repeat != "" && expand != nil {
		// What cannot be expanded was refused when it was made.
		times, _ := expand(w, from, to)
		return times
	}
	return w.Times
}

// WindowAsked is what a person asks for. In a change what is absent stays.
type WindowAsked struct {
	Title     *string              `json:"title,omitempty" maxLength:"512"`
	Start     *time.Time           `json:"start,omitempty"`
	End       *time.Time           `json:"end,omitempty"`
	Accounts  []string             `json:"accounts,omitempty" maxItems:"10000"`
	Actors    []string             `json:"actors,omitempty" maxItems:"10000"`
	People    []string             `json:"people,omitempty" maxItems:"10000"`
	Resources []string             `json:"resources,omitempty" maxItems:"10000"`
	Regions   []string             `json:"regions,omitempty" maxItems:"1000"`
	Kinds     []string             `json:"kinds,omitempty" maxItems:"100"`
	Scope     *string              `json:"scope,omitempty" maxLength:"8192"`
	Sort      *string              `json:"sort,omitempty" maxLength:"64"`
	Ticket    *string              `json:"ticket,omitempty" maxLength:"256"`
	Owner     *string              `json:"owner,omitempty" maxLength:"128"`
	Repeat    *string              `json:"repeat,omitempty" maxLength:"1024" example:"FREQ=WEEKLY;BYDAY=SU"`
	Zone      *string              `json:"zone,omitempty" maxLength:"64" example:"Asia/Tokyo"`
	State     *finding.WindowState `json:"state,omitempty" enum:"proposed,active,cancelled" doc:"of a new one active where absent; anything but proposed is for responders"`
	Evidence  []string             `json:"evidence,omitempty" maxItems:"200"`
}

func (in *WindowAsked) put(r Rooms, w *finding.Window) (err error) {
	set(&w.Title, in.Title)
	set(&w.Start, in.Start)
	set(&w.End, in.End)
	for _, l := range []struct {
		to    *[]string
		given []string
	}{
		{&w.Accounts, in.Accounts}, {&w.Actors, in.Actors}, {&w.People, in.People}, {&w.Resources, in.Resources},
		{&w.Regions, in.Regions}, {&w.Kinds, in.Kinds}, {&w.Evidence, in.Evidence},
	} {
		if l.given != nil {
			*l.to = l.given
		}
	}
	set(&w.Sort, in.Sort)
	set(&w.Ticket, in.Ticket)
	set(&w.Owner, in.Owner)
	set(&w.Repeat, in.Repeat)
	set(&w.Zone, in.Zone)
	set(&w.State, in.State)
	if in.Scope != nil {
		if w.Scope, err = r.scopeAt(*in.Scope); err != nil {
			return err
		}
	}
	if w.Title == "" {
		return huma.Error422UnprocessableEntity("a window needs a title: it is what findings are marked with")
	}
	if w.State != finding.WindowProposed && w.Unscoped() {
		return huma.Error422UnprocessableEntity("the window names no account, principal, person, resource, region, kind or scope: it would explain everything in its time")
	}
	return nil
}

// window gives one that who asks may see.
func (r Rooms) window(ctx context.Context, id string) (finding.Window, error) {
	if r.Triage.Store == nil {
		return finding.Window{}, absent("windows")
	}
	all, err := r.Triage.Store.Windows(ctx)
	if err != nil {
		return finding.Window{}, r.failure(err)
	}
	if i := slices.IndexFunc(all, func(w finding.Window) bool { return w.ID == id }); i >= 0 {
		return all[i], nil
	}
	return finding.Window{}, huma.Error404NotFound("there is no window " + id)
}

func (r Rooms) windowView(w finding.Window) *tagged[Window] {
	state := w
	state.Explains, state.Times = 0, nil // they change with the log, and nobody changed the window
	return tagging(state, ViewWindow(w, r.Now(), r.Triage.Expand))
}

// setWindow keeps w and gives it back as it is kept.
func (r Rooms) setWindow(ctx context.Context, w finding.Window) (*tagged[Window], error) {
	if _, err := r.Triage.Store.SetWindow(ctx, w, who(ctx).By(), r.Now().UTC()); err != nil {
		return nil, r.wronged(err)
	}
	r.Live.Missed() // of what it touches
	w, err := r.window(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	return r.windowView(w), nil
}

// allWindows are those that are kept and those of files, as who asks sees them.
func (r Rooms) allWindows(ctx context.Context) ([]Window, error) {
	out := []Window{}
	if r.Triage.Store == nil {
		return out, nil
	}
	kept, err := r.Triage.Store.Windows(ctx)
	if err != nil {
		return nil, r.failure(err)
	}
	for _, w := range kept {
		out = append(out, r.windowView(w).Body)
	}
	if r.Triage.Calendar == nil {
		return out, nil
	}
	files, err := r.Triage.Calendar(ctx)
	if err != nil {
		return nil, r.failure(err)
	}
	for _, w := range files {
		if !windowWithin(&w, who(ctx)) {
			continue
		}
		v := ViewWindow(w, r.Now(), r.Triage.Expand)
		v.File = true
		out = append(out, v)
	}
	return out, nil
}

func windows(a huma.API, rooms Rooms, lock *changing) {
	type all struct{ Body Windows }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-windows", Method: http.MethodGet, Path: "/api/windows", Summary: "Planned work: open and coming first",
		Description: "Whoever is limited to accounts sees those that name their accounts.",
	})), func(ctx context.Context, in *struct {
		Phase string `query:"phase" enum:"proposed,cancelled,open,coming,over"`
	}) (*all, error) {
		found, err := rooms.allWindows(ctx)
		if err != nil {
			return nil, err
		}
		found = slices.DeleteFunc(found, func(w Window) bool { return in.Phase != "" && in.Phase != w.Phase })
		slices.SortStableFunc(found, Sooner)
		return &all{Windows{Windows: found}}, nil
	})
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-window", Method: http.MethodGet, Path: "/api/windows/{id}", Summary: "One window",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*tagged[Window], error) {
		w, err := rooms.window(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return rooms.windowView(w), nil
	})
	addWindow(a, rooms, lock)
	changeWindow(a, rooms, lock)
	importWindows(a, rooms, lock)
	windowSummary(a, rooms)
}

// phases in the order of a list.
var phases = []string{"open", "proposed", "coming", "over", "cancelled"}

// Sooner orders a list: by phase, then by when it takes place, the nearest first.
func Sooner(a, b Window) int {
	if c := cmp.Compare(slices.Index(phases, a.Phase), slices.Index(phases, b.Phase)); c != 0 {
		return c
	}
	switch a.Phase {
	case "open":
		return a.Now.End.Compare(b.Now.End)
	case "coming":
		return a.Next.Start.Compare(b.Next.Start)
	case "proposed":
		return a.Start.Compare(b.Start)
	}
	return b.End.Compare(a.End)
}

func addWindow(a huma.API, rooms Rooms, lock *changing) {
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "add-window", Method: http.MethodPost, Path: "/api/windows", Summary: "Tell of planned work, or propose it", DefaultStatus: http.StatusCreated,
		Description: "Analysts propose; responders accept. What falls into it is found all the same, and marked. Of whoever is limited to accounts it is narrowed to these.",
	})), func(ctx context.Context, in *struct{ Body WindowAsked }) (*tagged[Window], error) {
		if rooms.Triage.Store == nil {
			return nil, absent("windows")
		}
		w := finding.Window{ID: newID("win"), State: finding.WindowActive}
		if err := in.Body.put(rooms, &w); err != nil {
			return nil, err
		}
		if w.State != finding.WindowProposed {
			if err := mayAccept(ctx, "accept planned work"); err != nil {
				return nil, err
			}
		}
		lock.Lock()
		defer lock.Unlock()
		return rooms.setWindow(ctx, w)
	})
}

func changeWindow(a huma.API, rooms Rooms, lock *changing) {
	change := func(ctx context.Context, id string, m Conditional, put func(*finding.Window) error) (*tagged[Window], error) {
		lock.Lock()
		defer lock.Unlock()
		w, err := rooms.window(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := m.matches(rooms.windowView(w).ETag); err != nil {
			return nil, err
		}
		was := w.Active()
		if err := put(&w); err != nil {
			return nil, err
		}
		if was || w.Active() {
			if err := mayAccept(ctx, "change planned work"); err != nil {
				return nil, err
			}
		}
		return rooms.setWindow(ctx, w)
	}
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "change-window", Method: http.MethodPatch, Path: "/api/windows/{id}", Summary: "Change, accept or cancel a window",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
		Body WindowAsked
	}) (*tagged[Window], error) {
		return change(ctx, in.ID, in.Conditional, func(w *finding.Window) error { return in.Body.put(rooms, w) })
	})
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "cancel-window", Method: http.MethodDelete, Path: "/api/windows/{id}", Summary: "Cancel a window",
		Description: "It stays, cancelled: nothing is deleted. What it explained alone is unexplained again.",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
		Conditional
	}) (*tagged[Window], error) {
		return change(ctx, in.ID, in.Conditional, func(w *finding.Window) error {
			w.State = finding.WindowCancelled
			return nil
		})
	})
}

// Imported is what became of a file of planned work.
type Imported struct {
	Windows  []Window `json:"windows"`
	Warnings []string `json:"warnings" doc:"what was read as it says and may not be meant, and what could not be read and was left out; each with its line"`
}

// importMost is how many bytes a file may have.
const importMost = 32 << 20

func importWindows(a huma.API, rooms Rooms, lock *changing) {
	type imported struct{ Body Imported }
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	huma.Register(a, need(people.Analyst, within(huma.Operation{
		OperationID: "import-windows", Method: http.MethodPost, Path: "/api/windows/import", Summary: "Read planned work from an iCalendar file or JSON",
		Description:  "What is wrong in the file is told, and the rest is taken; a window with the id of one that is here takes its place. See docs/calendar.md for how a file says what it covers.",
		MaxBodyBytes: importMost, SkipValidateBody: true, // it is read by itself
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/calendar": text, "application/json": {Schema: &huma.Schema{}}}},
	})), func(ctx context.Context, in *struct {
		State   finding.WindowState `query:"state" enum:"proposed,active" default:"active" doc:"of what is read; active needs a responder"`
		Owner   string              `query:"owner" maxLength:"128" doc:"of windows whose file names none"`
		Dry     bool                `query:"dry" doc:"only tell what would be taken"`
		RawBody []byte
	}) (*imported, error) {
		if rooms.Triage.Store == nil || rooms.Triage.ReadWindows == nil {
			return nil, absent("windows")
		}
		if in.State != finding.WindowProposed && !in.Dry {
			if err := mayAccept(ctx, "accept planned work"); err != nil {
				return nil, err
			}
		}
		read, warnings, err := rooms.Triage.ReadWindows("file", in.RawBody, rooms.Now())
		if err != nil && len(read) == 0 {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		out := Imported{Windows: []Window{}, Warnings: list(warnings)}
		out.Warnings = append(out.Warnings, lines(err)...)
		lock.Lock()
		defer lock.Unlock()
		for _, w := range read {
			w.State, w.Owner = in.State, cmp.Or(w.Owner, in.Owner)
			switch {
			case in.Dry:
				out.Windows = append(out.Windows, ViewWindow(w, rooms.Now(), rooms.Triage.Expand))
				continue
			case w.Unscoped() && in.State == finding.WindowActive:
				out.Warnings = append(out.Warnings, "left out: "+w.Title+" ("+w.ID+") names nothing that it covers: it would explain everything in its time")
				continue
			}
			kept, err := rooms.setWindow(ctx, w)
			if err != nil {
				out.Warnings = append(out.Warnings, "left out: "+w.Title+" ("+w.ID+"): "+err.Error())
				continue
			}
			out.Windows = append(out.Windows, kept.Body)
		}
		return &imported{out}, nil
	})
}

// lines are the errors that err joins, each as a text.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	if many, is := err.(interface{ Unwrap() []error }); is {
		var out []string
		for _, e := range many.Unwrap() {
			out = append(out, e.Error())
		}
		return out
	}
	return []string{err.Error()}
}
