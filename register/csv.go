package register

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Columns of a register as CSV. Services stand in one column, with spaces or
// semicolons between them, each as ID or ID@FROM..UNTIL (days; either may be
// missing).
var Columns = []string{"project", "provider", "name", "applicant", "owner", "purpose", "services", "approver", "applied", "approved"}

// Problem is a row that could not be taken, and why.
type Problem struct {
	Line   int    `json:"line"` // from 1, the header's
	Reason string `json:"reason"`
}

// Limits of a CSV file.
const (
	maxRows  = 100_000
	maxBytes = 64 << 20
)

// ReadCSV reads a register: a header that names columns of Columns in any order
// and case, project among them, and a row a project. A row that cannot be taken
// is a problem and costs no other; of two rows of a project the second is one.
// The error is of the file as a whole.
func ReadCSV(r io.Reader) (entries []Entry, problems []Problem, err error) {
	in := csv.NewReader(io.LimitReader(r, maxBytes))
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("the register has no header: %w", err)
	}
	at, err := columnsOf(header)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]int{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return entries, problems, nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			problems = append(problems, Problem{wrong.StartLine, wrong.Err.Error()})
			continue
		}
		if err != nil {
			return entries, problems, fmt.Errorf("behind %d rows: %w", len(entries)+len(problems), err)
		}
		line, _ := in.FieldPos(0)
		if len(entries)+len(problems) >= maxRows {
			return entries, problems, fmt.Errorf("line %d: a register has at most %d rows", line, maxRows)
		}
		e, err := entryOf(row, at)
		if err == nil {
			e.Clean()
			err = e.Check()
		}
		if first := seen[e.Project]; err == nil && first > 0 {
			err = fmt.Errorf("project %s stands in line %d already", e.Project, first)
		}
		if err != nil {
			problems = append(problems, Problem{line, err.Error()})
			continue
		}
		seen[e.Project] = line
		entries = append(entries, e)
	}
}

// columnsOf is where each of Columns stands in a header; -1: nowhere.
func columnsOf(header []string) (map[string]int, error) {
	at := map[string]int{}
	for i, h := range header {
		if !utf8.ValidString(h) {
			return nil, errors.New("the register is not in UTF-8: save it as CSV in UTF-8")
		}
		h = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
		if !slices.Contains(Columns, h) {
			return nil, fmt.Errorf("the register's header names %q; columns are %s", h, strings.Join(Columns, ", "))
		}
		if _, twice := at[h]; twice {
			return nil, fmt.Errorf("the register's header names %q twice", h)
		}
		at[h] = i
	}
	if _, ok := at["project"]; !ok {
		return nil, errors.New("the register's header has no column project")
	}
	return at, nil
}

func entryOf(row []string, at map[string]int) (e Entry, err error) {
	get := func(column string) string {
		if i, ok := at[column]; ok && i < len(row) {
			return unguard(row[i])
		}
		return ""
	}
	if len(row) > len(at) {
		return e, fmt.Errorf("it has %d fields, the header %d", len(row), len(at))
	}
	e = Entry{
		Project: get("project"), Provider: get("provider"), Name: get("name"), Applicant: get("applicant"),
		Owner: get("owner"), Purpose: get("purpose"), Approver: get("approver"),
	}
	if e.Applied, err = dayOf("applied", get("applied")); err != nil {
		return e, err
	}
	if e.Approved, err = dayOf("approved", get("approved")); err != nil {
		return e, err
	}
	for _, text := range strings.FieldsFunc(get("services"), func(r rune) bool { return r == ';' || r == ' ' || r == '\n' || r == '\t' || r == ',' }) {
		s, err := ParseService(text)
		if err != nil {
			return e, err
		}
		e.Services = append(e.Services, s)
	}
	return e, nil
}

// EveryProject stands in a list of what is allowed for every project that has no
// row of its own.
const EveryProject = "*"

// ReadAllowed reads what policies allow projects by name: CSV with the columns
// project and services, the latter with spaces between them. The first row that
// cannot be taken is the error.
func ReadAllowed(r io.Reader) (map[string]*Allowance, error) {
	in := csv.NewReader(io.LimitReader(r, maxBytes))
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("the list has no header: %w", err)
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(header[i], "\ufeff")))
	}
	project, services := slices.Index(header, "project"), slices.Index(header, "services")
	if project < 0 || services < 0 || len(header) != 2 {
		return nil, fmt.Errorf("the list's header is %q; its columns are project and services", strings.Join(header, ","))
	}
	out := map[string]*Allowance{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		id := strings.TrimSpace(row[project])
		if id == "" || out[id] != nil {
			return nil, fmt.Errorf("line %d: project %q is empty or there twice", line, id)
		}
		a := &Allowance{Services: []string{}, Source: FromList}
		for _, s := range strings.Fields(row[services]) {
			a.Services = append(a.Services, ServiceID(s))
		}
		slices.Sort(a.Services)
		a.Services = slices.Compact(a.Services)
		out[id] = a
	}
}

// ParseService reads ID or ID@FROM..UNTIL, two days.
func ParseService(text string) (s Service, err error) {
	id, during, bounded := strings.Cut(text, "@")
	s.ID = ServiceID(id)
	if !bounded {
		return s, nil
	}
	from, until, ok := strings.Cut(during, "..")
	if !ok {
		return s, fmt.Errorf("service %q: behind @ stands FROM..UNTIL, two days", text)
	}
	if s.From, err = dayOf("service "+id, from); err != nil {
		return s, err
	}
	s.Until, err = dayOf("service "+id, until)
	return s, err
}

func dayOf(what, text string) (time.Time, error) {
	if text = strings.TrimSpace(text); text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006/1/2"} { // the latter as spreadsheets in Japan write it
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is no day such as 2026-03-02", what, text)
}

// WriteCSV writes what ReadCSV reads. Texts that a spreadsheet would take for a
// formula get an apostrophe in front, which ReadCSV takes away.
func WriteCSV(w io.Writer, entries []Entry) error {
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return err
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.DateOnly)
	}
	for _, e := range entries {
		var services []string
		for _, s := range e.Services {
			text := s.ID
			if !s.From.IsZero() || !s.Until.IsZero() {
				text += "@" + day(s.From) + ".." + day(s.Until)
			}
			services = append(services, text)
		}
		row := []string{e.Project, e.Provider, e.Name, e.Applicant, e.Owner, e.Purpose, strings.Join(services, " "), e.Approver, day(e.Applied), day(e.Approved)}
		for i := range row {
			row[i] = guard(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// formulas are what a spreadsheet begins a formula with.
const formulas = "=+-@\t\r"

func guard(s string) string {
	if s != "" && strings.ContainsRune(formulas+"'", rune(s[0])) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune(formulas+"'", rune(s[1])) {
		return s[1:]
	}
	return s
}
