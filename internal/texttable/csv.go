package texttable

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"
)

// csvReader is one reader of encoding/csv for all records of an object: a new one
// for each would cost a buffer each.
type csvReader struct {
	comma        rune
	in           bytes.Reader
	strict, lazy *csv.Reader
}

// fields are those of one record, valid until the next call.
func (c *csvReader) fields(record []byte, lazy bool) ([]string, error) {
	r := &c.strict
	if lazy {
		r = &c.lazy
	}
	if *r == nil {
		*r = csv.NewReader(&c.in)
		(*r).Comma, (*r).FieldsPerRecord, (*r).ReuseRecord = c.comma, -1, true
		(*r).LazyQuotes, (*r).TrimLeadingSpace = lazy, lazy
	}
	c.in.Reset(record)
	fields, err := (*r).Read()
	if err != nil || c.in.Len() > 0 {
		*r = nil // it may hold a part of this record
	}
	return fields, err
}

// csvRecord makes the object of a record, which may span lines.
func (t *Table) csvRecord(dst, text []byte) (out []byte, ok bool, reason string) {
	if t.columns == nil {
		return dst, false, t.csvHeader(text)
	}
	fields, err := t.csv.fields(text, false)
	if err != nil || !t.fits(fields) {
		// A quote within a field, or a space before one: what most programs write
		// that do not know of quoting. It must be as wide as the table to be taken.
		if bytes.IndexByte(text, '\n') < 0 && !t.csv.torn(text) {
			if lazy, e := t.csv.fields(text, true); e == nil && t.fits(lazy) {
				fields, err = lazy, nil
			}
		}
	}
	switch {
	case err != nil:
		return dst, false, "not CSV: " + cause(err)
	case !t.fits(fields):
		return dst, false, t.width(len(fields))
	}
	n := len(dst)
	for i, c := range t.columns {
		dst = append(append(dst, "{,"[min(i, 1)]), c.key...)
		if dst, reason = appendString(dst, []byte(fields[i])); reason != "" {
			return dst[:n], false, fmt.Sprintf("in the column %.80s %s", c.key, reason)
		}
	}
	return append(dst, '}'), true, ""
}

// torn tells whether a field in quotes does not end: a reader that is lenient
// would take it for whole.
func (c *csvReader) torn(text []byte) bool {
	if bytes.Count(text, []byte(`"`))%2 == 0 {
		return false
	}
	for field := range bytes.SplitSeq(text, []byte(string(c.comma))) {
		if bytes.HasPrefix(bytes.TrimLeft(field, " "), []byte(`"`)) {
			return true
		}
	}
	return false
}

// fits tells whether a row is as wide as the table; empty fields behind are no harm.
func (t *Table) fits(fields []string) bool {
	return len(fields) >= len(t.columns) && strings.Join(fields[len(t.columns):], "") == ""
}

func (t *Table) csvHeader(text []byte) (reason string) {
	if t.preamble = t.preamble || bytes.HasPrefix(bytes.TrimSpace(text), windowsDHCP); t.preamble && !isWindowsHeader(text) {
		return ""
	}
	text = bytes.TrimPrefix(text, bom)
	t.csv.comma = comma(text)
	names, err := t.csv.fields(text, true)
	if err != nil {
		t.fault = "under a header that is not CSV: " + cause(err)
		return "not a header of CSV: " + cause(err)
	}
	trimmed := make([]string, len(names))
	for i, name := range names {
		trimmed[i] = strings.TrimSpace(name)
	}
	return t.setColumns(trimmed)
}

// comma is what stands between the names of a header.
func comma(header []byte) rune {
	most, best := bytes.Count(header, []byte(",")), ','
	for _, c := range []rune{';', '\t'} {
		if n := bytes.Count(header, []byte(string(c))); n > most {
			most, best = n, c
		}
	}
	return best
}

// cause is what encoding/csv says without its line, which it counts from where
// the record begins.
func cause(err error) string {
	if p, ok := err.(*csv.ParseError); ok {
		err = p.Err
	}
	return err.Error()
}

var columnName = regexp.MustCompile(`^[\pL_#@][\pL\pN_ .:/()#@-]{0,63}$`)

func isNoName(s string) bool { return !columnName.MatchString(s) }
