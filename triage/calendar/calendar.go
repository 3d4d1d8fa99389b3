// Package calendar reads planned work from files into finding.Window: our own
// JSON, or iCalendar (RFC 5545) as calendars export it.
//
// JSON is {"windows": [...]} or the bare list, each as finding.Window says.
//
// Of iCalendar it takes the events: SUMMARY is the title, UID the id, and what a
// window covers is told by properties, or by lines of the description:
//
//	X-YAGURA-ACCOUNTS:111122223333,444455556666
//	DESCRIPTION:Load test of the shop\naccounts: 111122223333\nkinds: frequency
//
// The lists are accounts, actors, people, resources, regions and kinds; sort,
// ticket and owner may be told the same way. Who is invited covers nothing:
// people are invited to what others do.
package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are known where the system has none, as in a container from scratch

	"github.com/yagura-sec/yagura/finding"
)

// The horizon when none is given.
const (
	DefaultBack  = 2 * 365 * 24 * time.Hour
	DefaultAhead = 365 * 24 * time.Hour
)

// Bounds of a file: what is beyond them is told, and not read.
const (
	maxBytes   = 32 << 20
	maxWindows = 100_000
	maxErrors  = 100
)

// Reader reads files of planned work.
type Reader struct {
	// Now is what the horizon is counted from. Recurrences are expanded from Back
	// before it (default two years) to Ahead after it (default a year); events that
	// do not recur are read whenever they are.
	Now         time.Time
	Back, Ahead time.Duration
	// Zone is that of times which name none, in a file that names none either
	// (default UTC).
	Zone *time.Location
	// Warn is told what is allowed and perhaps not meant; nil: nobody is.
	Warn func(Warning)
}

// Warning is something in a file that was read as it says and may not be meant.
type Warning struct {
	File   string
	Line   int
	Window string // its id
	Text   string
}

func (w Warning) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", w.File, w.Line, w.Window, w.Text)
}

// Load reads the file at path, deciding by content what it is. Windows come in
// order of their starts, each good by its Check and with an id of its own. An
// error tells, with file and line, of everything that could not be read; the
// windows beside it are good all the same.
func (r Reader) Load(path string) ([]finding.Window, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return r.Read(path, f)
}

// Read is Load of a file that is open; name is what errors call it.
func (r Reader) Read(name string, in io.Reader) ([]finding.Window, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("%s: more than %d MB", name, maxBytes>>20)
	}
	s := &reading{Reader: r, name: name, ids: map[string]int{}, warned: map[[2]string]bool{}}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	switch start := bytes.TrimLeft(text, " \t\r\n"); {
	case len(start) == 0:
		return nil, fmt.Errorf("%s: the file is empty", name)
	case start[0] == '{' || start[0] == '[':
		s.json(text)
	case len(start) >= 15 && strings.EqualFold(string(start[:15]), "BEGIN:VCALENDAR"):
		s.calendars(string(text))
	default:
		return nil, fmt.Errorf("%s:1: neither JSON nor iCalendar", name)
	}
	slices.SortFunc(s.windows, func(a, b finding.Window) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return s.windows, errors.Join(s.errs...)
}

// reading is the reading of one file.
type reading struct {
	Reader
	name    string
	windows []finding.Window
	ids     map[string]int     // line where a window's id was met
	warned  map[[2]string]bool // of a window's id, with that text
	errs    []error
	full    bool
	budget  budget
}

// wrong keeps an error of a line.
func (s *reading) wrong(line int, err error) {
	switch {
	case len(s.errs) < maxErrors:
		s.errs = append(s.errs, fmt.Errorf("%s:%d: %w", s.name, line, err))
	case len(s.errs) == maxErrors:
		s.errs = append(s.errs, fmt.Errorf("%s: more than %d things are wrong; the others are not told", s.name, maxErrors))
	}
}

// warn tells of a window, once: what is so of an event is so of each of its
// recurrences that was changed.
func (s *reading) warn(line int, id, text string) {
	if s.Warn == nil || s.warned[[2]string{id, text}] {
		return
	}
	s.warned[[2]string{id, text}] = true
	s.Warn(Warning{s.name, line, id, text})
}

// add takes a window, or tells why not.
func (s *reading) add(line int, w finding.Window) {
	if err := w.Check(); err != nil {
		s.wrong(line, err)
		return
	}
	if before, held := s.ids[w.ID]; held {
		s.wrong(line, fmt.Errorf("the id %s is that of line %d too", w.ID, before))
		return
	}
	if len(s.windows) >= maxWindows {
		if !s.full {
			s.wrong(line, fmt.Errorf("more than %d windows: this one and those that follow are not read", maxWindows))
		}
		s.full = true
		return
	}
	s.ids[w.ID] = line
	s.windows = append(s.windows, w)
}

const unscopedText = "names no account, actor, person, resource, region or kind: it covers everything in its time"

func (r Reader) horizon() (from, to time.Time) {
	back, ahead := r.Back, r.Ahead
	if back <= 0 {
		back = DefaultBack
	}
	if ahead <= 0 {
		ahead = DefaultAhead
	}
	return r.Now.Add(-back), r.Now.Add(ahead)
}
