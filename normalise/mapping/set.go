package mapping

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
)

// A Set is mappings in the order in which they are asked whose a record is.
type Set struct {
	ours, theirs *group
	formats      map[string]*Format
}

// NewSet puts the mappings of the program before those of the user: a user's does
// not get a record that one of ours knows unless it says so.
func NewSet(ours, theirs []*Mapping) *Set {
	s := &Set{ours: newGroup(ours), theirs: newGroup(theirs), formats: map[string]*Format{}}
	of := map[string][]*Mapping{}
	instead := slices.DeleteFunc(slices.Clone(theirs), func(m *Mapping) bool { return len(m.InsteadOf) == 0 })
	for _, m := range slices.Concat(instead, ours, theirs) {
		if !slices.Contains(of[m.Format], m) {
			of[m.Format] = append(of[m.Format], m)
		}
	}
	for name, all := range of {
		s.formats[name] = &Format{name: name, mappings: newGroup(all)}
	}
	return s
}

// Formats are the normalisers of the set, by name.
func (s *Set) Formats() []normalise.Normaliser {
	var out []normalise.Normaliser
	for _, name := range keys(s.formats) {
		out = append(out, s.formats[name])
	}
	return out
}

// Mappings are all, in order.
func (s *Set) Mappings() []*Mapping { return slices.Concat(s.ours.all, s.theirs.all) }

var _ normalise.Recogniser = (*Set)(nil)

// Ours is the format of a record that a mapping of the program knows.
func (s *Set) Ours(root jsontree.Value) string { return s.ours.formatOf(root) }

// Theirs is that of one which a mapping of the user's knows.
func (s *Set) Theirs(root jsontree.Value) string { return s.theirs.formatOf(root) }

// Instead is the format that a user's mapping gives a record which is known as
// one of another format; empty where none wants it.
func (s *Set) Instead(root jsontree.Value, known string) string {
	for _, m := range s.theirs.all {
		if slices.Contains(m.InsteadOf, known) {
			if found, _ := newGroup([]*Mapping{m}).whose(root); found != nil {
				return m.Format
			}
		}
	}
	return ""
}

// Replaces tells whether any mapping wants records of the format.
func (s *Set) Replaces(format string) bool {
	return slices.ContainsFunc(s.theirs.all, func(m *Mapping) bool { return slices.Contains(m.InsteadOf, format) })
}

var trees = sync.Pool{New: func() any { return new(jsontree.Tree) }}

// read makes the event of a record, by the first mapping that knows it; a record
// that was said to be of this format is read by the only mapping there is.
func (f *Format) read(r event.Raw) (event.Event, error) {
	tree := trees.Get().(*jsontree.Tree)
	defer func() {
		if !tree.Large() {
			trees.Put(tree)
		}
	}()
	body := bytes.TrimSpace(r.Body)
	// No copy: a raw record's bytes never change (event.Raw).
	root, err := tree.Parse(unsafe.String(unsafe.SliceData(body), len(body)))
	switch {
	case err != nil:
		return event.Event{}, fmt.Errorf("not JSON: %w", err)
	case root.Kind() != jsontree.Object:
		return event.Event{}, fmt.Errorf("JSON, but %s, not a record", root.Kind())
	}
	m, o := f.mappings.whose(root)
	if all := f.mappings.all; m == nil && len(all) == 1 && all[0].lines == nil {
		m, o = all[0], opened{root: root}
	}
	if m != nil {
		// Of a record in an envelope the envelope is left away: rules read it by
		// its own paths.
		r.Body = body
		if text := o.root.Raw(); len(text) != len(body) {
			r.Body = []byte(text)
		}
		return m.event(&o, r)
	}
	return event.Event{}, fmt.Errorf("no record of the format %s: none of its mappings knows it", f.name)
}

// event fills the columns.
func (m *Mapping) event(rec *opened, r event.Raw) (event.Event, error) {
	e := event.Event{
		IngestTime: r.Received.UTC().Truncate(time.Microsecond), Format: m.Format, Caller: event.CallerUnknown,
		Raw: r.Body, Object: r.Object, Position: r.Position,
	}
	for i := range m.set {
		a := &m.set[i]
		s, err := a.value.of(rec, r.Received)
		if err != nil {
			return event.Event{}, fmt.Errorf("%s: %w", a.column.name, err)
		}
		if s != "" {
			a.column.set(&e, s)
		}
	}
	if e.Time.IsZero() {
		return event.Event{}, fmt.Errorf("time: the record has none where %q says", m.Title)
	}
	switch e.Outcome {
	case "":
	case event.Success:
		e.StatusID = event.StatusSuccess
	default:
		e.StatusID = event.StatusFailure
	}
	if e.ActorType == "" {
		e.ActorType = event.ActorUnknown
		if e.ActorUID != "" {
			e.ActorType = event.ActorUser
		}
	}
	e.UID = m.uid(rec, &e, r)
	return e, nil
}

// uid is the identity of the event: what the mapping says names it, or all of it.
func (m *Mapping) uid(rec *opened, e *event.Event, r event.Raw) event.UID {
	switch {
	case m.place:
		return event.HashUID(m.Format, r.Object, strconv.FormatInt(r.Position, 10))
	case e.EventUID != "":
		return event.HashUID(m.Format, e.AccountUID, e.EventUID)
	case m.identity != nil:
		parts := []string{m.Format}
		for _, p := range m.identity {
			parts = append(parts, rec.get(p))
		}
		if strings.Join(parts[1:], "") != "" {
			return event.HashUID(parts...)
		}
	}
	canonical, err := event.Canonical(r.Body)
	if err != nil { // it was parsed, but nests deeper than a canonical form may: its bytes are its identity
		canonical = r.Body
	}
	return event.HashUID(m.Format, string(canonical))
}

// line reads the values out of a line of text.
type line struct {
	names   []string
	pattern *regexp.Regexp // nil: values with commas between them
	more    bool           // there may be more values behind those that have names
}

// read gives the values; nil where the line is of another form.
func (l *line) read(text string) []string {
	if l.pattern != nil {
		m := l.pattern.FindStringSubmatch(text)
		if m == nil {
			return nil
		}
		return m[1:]
	}
	if strings.Count(text, ",") < len(l.names)-1 {
		return nil
	}
	in := csv.NewReader(strings.NewReader(text))
	in.TrimLeadingSpace = true
	values, err := in.Read()
	if err != nil || len(values) < len(l.names) || len(values) > len(l.names) && !l.more {
		return nil
	}
	return values[:len(l.names)]
}

// A Clash is a format that a mapping and another normaliser both want to be.
type Clash struct{ Mapping, Format string }

// Clashes are the user's mappings under names that others have: of the program's
// mappings, or in taken.
func (s *Set) Clashes(taken func(format string) bool) (out []Clash) {
	for _, m := range s.theirs.all {
		if taken(m.Format) && !slices.Contains(m.InsteadOf, m.Format) {
			out = append(out, Clash{m.File, m.Format})
		}
	}
	slices.SortFunc(out, func(a, b Clash) int { return cmp.Compare(a.Mapping, b.Mapping) })
	return out
}
