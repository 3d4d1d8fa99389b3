package triage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/register"
)

// Registrar keeps what projects and accounts were applied for. Each change is
// part of an entry's history, which nothing takes away, and an audit line.
type Registrar interface {
	// Registered gives what was applied for; ErrUnknown where nothing was.
	Registered(ctx context.Context, project string) (register.Entry, error)
	// Register gives the entries that f chooses, by project; total is how many on
	// all pages.
	Register(ctx context.Context, f RegisterFilter) (page []register.Entry, next string, total int, err error)
	// PutEntries keeps entries in the place of those of their projects, all or
	// none: ErrWrong where Check refuses one or a project is there twice. What is
	// as it was changes nothing. Findings that are explained otherwise by it are
	// made anew before it returns.
	PutEntries(ctx context.Context, entries []register.Entry, e Edit) (Edited, error)
	// RemoveEntry takes the entry away; ErrUnknown where there is none. Its history
	// stays. It says how many findings that changed.
	RemoveEntry(ctx context.Context, project string, e Edit) (touched int, err error)
	// RegisterHistory gives the changes of a project's entry, the latest first.
	RegisterHistory(ctx context.Context, project string) ([]register.Change, error)
	// Imported tells whether a file with these bytes was imported: see Edit.
	Imported(ctx context.Context, digest string) (bool, error)
}

// Edit is who changes the register, and why.
type Edit struct {
	By   string
	At   time.Time
	Note string
	// File is the name of the file that is imported, and Digest names its bytes;
	// both empty: nothing is imported.
	File, Digest string
}

// Edited is what became of entries.
type Edited struct {
	New     int `json:"new"`
	Changed int `json:"changed"`
	Same    int `json:"same"`    // as they were
	Touched int `json:"touched"` // findings that are explained otherwise now
}

// RegisterFilter chooses entries of the register. Empty fields choose all.
type RegisterFilter struct {
	Text     string   // in project, name, applicant, owner, purpose or a service, any case
	Projects []string // of these only
	Limit    int      // 0: all
	Cursor   string
}

// Match tells whether the filter chooses the entry, whatever page it is on.
func (f *RegisterFilter) Match(e *register.Entry) bool {
	if len(f.Projects) > 0 && !slices.Contains(f.Projects, e.Project) {
		return false
	}
	if f.Text == "" {
		return true
	}
	wanted := strings.ToLower(f.Text)
	texts := append([]string{e.Project, e.Name, e.Applicant, e.Owner, e.Purpose}, e.IDs()...)
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), wanted) })
}

// Page chooses among all entries, which are in the order of their projects.
func (f *RegisterFilter) Page(all []register.Entry) (page []register.Entry, next string, total int) {
	page = []register.Entry{}
	for _, e := range all {
		if !f.Match(&e) {
			continue
		}
		total++
		if f.Cursor != "" && e.Project <= f.Cursor {
			continue
		}
		if f.Limit > 0 && len(page) == f.Limit {
			next = page[len(page)-1].Project
			continue
		}
		page = append(page, e)
	}
	return page, next, total
}

// PreparedEntry is a change of the register as stores keep it.
type PreparedEntry struct {
	register.Change
	Line finding.AuditLine
}

// PrepareEntries checks entries and makes of them what stores keep: the changes,
// those of projects that are as they were left out. Old gives what is there.
func PrepareEntries(entries []register.Entry, e Edit, old func(project string) *register.Entry) (changes []PreparedEntry, done Edited, err error) {
	e = e.prepared()
	seen := map[string]bool{}
	group := ""
	if e.File != "" {
		group = finding.Key("register", e.Digest, e.At.Format(time.RFC3339Nano))
	}
	for _, x := range entries {
		x = copyOf(x)
		x.Clean()
		if err := x.Check(); err != nil {
			return nil, done, fmt.Errorf("%w: %w", ErrWrong, err)
		}
		if seen[x.Project] {
			return nil, done, fmt.Errorf("%w: project %s is there twice", ErrWrong, x.Project)
		}
		seen[x.Project] = true
		was := old(x.Project)
		action := "register.change"
		switch {
		case was == nil:
			done.New++
			action = "register.create"
		case alike(*was, x):
			done.Same++
			continue
		default:
			done.Changed++
		}
		c := PreparedEntry{Change: register.Change{Project: x.Project, At: e.At, By: e.By, Note: e.Note, Group: group, Before: was, After: &x}}
		c.Line = finding.AuditLine{At: e.At, By: e.By, Action: action, Subject: x.Project, Text: entryText(&c.Change)}
		if err := c.Line.Check(); err != nil {
			return nil, done, fmt.Errorf("%w: %w", ErrWrong, err)
		}
		changes = append(changes, c)
	}
	return changes, done, nil
}

// PrepareRemoval is PrepareEntries for an entry that is taken away.
func PrepareRemoval(was register.Entry, e Edit) (PreparedEntry, error) {
	e = e.prepared()
	c := PreparedEntry{Change: register.Change{Project: was.Project, At: e.At, By: e.By, Note: e.Note, Before: &was}}
	c.Line = finding.AuditLine{At: e.At, By: e.By, Action: "register.remove", Subject: was.Project, Text: entryText(&c.Change)}
	if err := c.Line.Check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	return c, nil
}

// ImportLine is the audit line of a file that was imported.
func ImportLine(e Edit, done Edited) finding.AuditLine {
	e = e.prepared()
	return finding.AuditLine{At: e.At, By: e.By, Action: "register.import", Subject: e.File,
		Text: fmt.Sprintf("import of %s: %d new, %d changed, %d as they were", e.File, done.New, done.Changed, done.Same)}
}

func (e Edit) prepared() Edit {
	for _, s := range []*string{&e.By, &e.Note, &e.File, &e.Digest} {
		*s = valid(*s)
	}
	e.At = micros(e.At)
	if e.Note == "" && e.File != "" {
		e.Note = "import of " + e.File
	}
	return e
}

// copyOf is an entry that shares nothing, of valid texts.
func copyOf(x register.Entry) register.Entry {
	for _, s := range []*string{&x.Project, &x.Provider, &x.Name, &x.Applicant, &x.Owner, &x.Purpose, &x.Approver} {
		*s = valid(*s)
	}
	x.Services = append([]register.Service{}, x.Services...)
	for i := range x.Services {
		s := &x.Services[i]
		s.ID, s.Note = valid(s.ID), valid(s.Note)
		s.From, s.Until = micros(s.From), micros(s.Until)
	}
	x.Applied, x.Approved = micros(x.Applied), micros(x.Approved)
	return x
}

// entryText is a change as one line that a person can read.
func entryText(c *register.Change) string {
	now := cmp.Or(c.After, c.Before)
	said := []string{now.Name}
	added, gone := c.Services()
	for _, x := range []struct{ what, value string }{
		{"owner", now.Owner}, {"applicant", now.Applicant}, {"adds", strings.Join(added, " ")}, {"takes away", strings.Join(gone, " ")}, {"", c.Note},
	} {
		if x.value != "" {
			said = append(said, strings.TrimSpace(x.what+" "+x.value))
		}
	}
	return strings.Join(slices.DeleteFunc(said, func(s string) bool { return s == "" }), "; ")
}
