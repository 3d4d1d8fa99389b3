package sigma

import "fmt"

// Pos is a place in a file, both counted from 1. The zero Pos is no place.
type Pos struct {
	Line, Col int
}

// Error says where a rule is wrong, and why. Every refused rule gives one or more.
type Error struct {
	File string
	Pos
	// Rule is the id of the rule, or its title where it has none; empty if the
	// document could not be read so far.
	Rule   string
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Reason)
}

// Meta is what detection rules and correlations say about themselves.
type Meta struct {
	File string // where it was read from, for messages
	Pos  Pos    // of the document's first key

	ID          string
	Name        string
	Title       string
	Taxonomy    string
	Status      string // stable, test, experimental, deprecated, unsupported
	Description string
	License     string
	Author      string
	Date        string
	Modified    string
	Level       string // informational, low, medium, high, critical

	References     []string
	Tags           []string
	FalsePositives []string
	Fields         []string
	Scope          []string
	Related        []Related

	// Extra holds top-level keys that the specification does not know, decoded
	// into maps, slices, strings, numbers, booleans and nil.
	Extra map[string]any

	// Places of the top-level keys, for messages about them.
	Places map[string]Pos
}

// Rule is one detection rule as it is written.
type Rule struct {
	Meta
	LogSource LogSource
	Detection Detection
}

// Key names the rule: its id, else its name, else its title.
func (m *Meta) Key() string {
	switch {
	case m.ID != "":
		return m.ID
	case m.Name != "":
		return m.Name
	}
	return m.Title
}

// Errorf makes an error about this rule at pos.
func (m *Meta) Errorf(pos Pos, format string, args ...any) *Error {
	if pos == (Pos{}) {
		pos = m.Pos
	}
	return &Error{File: m.File, Pos: pos, Rule: m.Key(), Reason: fmt.Sprintf(format, args...)}
}

// Related points to another rule.
type Related struct {
	ID   string
	Type string
	Pos  Pos
}

// LogSource says which logs a rule is about. An empty part means any.
type LogSource struct {
	Category, Product, Service string
	Definition                 string
}

// String is the log source as people name it: "aws/cloudtrail". A category
// comes first, as in "process_creation/windows".
func (l LogSource) String() string {
	s := ""
	for _, part := range []string{l.Category, l.Product, l.Service} {
		if part == "" {
			continue
		}
		if s != "" {
			s += "/"
		}
		s += part
	}
	return s
}

// Detection is the searches of a rule and how they are joined.
type Detection struct {
	Searches   []Search // in order of the file
	Conditions []Condition
	// Required has to hold besides the conditions. Rules are not written so:
	// processing pipelines add it.
	Required []Requirement
}

// Requirement is a search that a pipeline adds to a rule. Conditions do not see
// it, so "1 of them" means what its author meant.
type Requirement struct {
	Search Search
	Not    bool // the search must not hold
}

// Search returns the search of that name, or nil.
func (d *Detection) Search(name string) *Search {
	for i := range d.Searches {
		if d.Searches[i].Name == name {
			return &d.Searches[i]
		}
	}
	return nil
}

// Condition is one condition as written. Several of them are alternatives.
type Condition struct {
	Text string
	Pos  Pos // of its first character
	// Folded: the text runs over several lines, so that an offset in it says
	// nothing about the column.
	Folded bool
}

// At is the place of the byte at offset in the condition.
func (c Condition) At(offset int) Pos {
	if c.Folded {
		return c.Pos
	}
	return Pos{c.Pos.Line, c.Pos.Col + offset}
}

// Search is a search identifier with what it looks for: one group of items has
// to hold, and in it every item. One without groups, which only a pipeline can
// leave, says nothing: conditions pass over it.
type Search struct {
	Name   string
	Pos    Pos
	Groups []Group
}

// Group is a map of a search; a keyword in a list is a group of one item.
type Group []Item

// Item is one key of a map with its values, or a keyword.
type Item struct {
	Key       string // as written: "userAgent|contains|all"
	Field     string // empty: any value of the record
	Modifiers []string
	Values    []Value
	Pos       Pos // of the key
	List      bool

	// Parts, where there are any, stand in the item's place: one of them has to
	// hold, or with Every all of them. Rules are not written so: pipelines map
	// one field to several.
	Parts []Item
	Every bool
}

// Kind is the type of a value in YAML.
type Kind uint8

// The kinds.
const (
	String Kind = iota
	Number
	Bool
	Null
)

// Value is one value of an item.
type Value struct {
	Kind Kind
	Text string // as YAML gives it; numbers in decimal
	Pos  Pos
}

// Filter narrows rules of others without touching their files.
type Filter struct {
	File string
	Pos  Pos

	ID, Title string
	LogSource LogSource
	Any       bool     // applies to every rule of its log source
	Rules     []string // ids or names
	Detection Detection

	// Extra holds top-level keys other than these, as those of rules.
	Extra map[string]any
	// Places of the top-level keys, for messages about them.
	Places map[string]Pos
}

// Errorf makes an error about this filter at pos.
func (f *Filter) Errorf(pos Pos, format string, args ...any) *Error {
	name := f.ID
	if name == "" {
		name = f.Title
	}
	return &Error{File: f.File, Pos: pos, Rule: name, Reason: fmt.Sprintf(format, args...)}
}

// Covers tells whether f is to be applied to r: r is named, and whatever f's
// log source says, r's says too.
func (f *Filter) Covers(r *Rule) bool {
	within := func(filter, rule string) bool { return filter == "" || filter == rule }
	if !within(f.LogSource.Category, r.LogSource.Category) ||
		!within(f.LogSource.Product, r.LogSource.Product) ||
		!within(f.LogSource.Service, r.LogSource.Service) {
		return false
	}
	if f.Any {
		return true
	}
	for _, name := range f.Rules {
		if name != "" && (name == r.ID || name == r.Name) {
			return true
		}
	}
	return false
}
