// Package texttable makes JSON objects of records of text: rows of Zeek's
// tab-separated logs and of CSV with a header become {column: value}, any other
// line {"line": "…"}. It sees one record at a time; where records end its users
// find, with Quotes for CSV, whose records may span lines.
package texttable

import (
	"bytes"
	"fmt"
	"slices"
)

// The kinds of text.
const (
	Zeek  = "zeek"  // a table under a header of #fields and its like
	CSV   = "csv"   // a table under a line of column names
	Lines = "lines" // no table: each line is a record
)

// maxColumns is how many columns a table has at most: every row repeats their
// names.
const maxColumns = 4096

// PathKey is the column that Zeek's own JSON has for the log's name.
const PathKey = "_path"

// Table makes records of one object's text.
type Table struct {
	kind    string
	columns []column // nil: the header was not seen yet
	names   []string
	changed bool

	csv      csvReader
	preamble bool   // of CSV: an explanation stands before the header
	fault    string // of the header: no row can be read

	// What Zeek's header says.
	sep, set, empty, unset string
	path                   []byte // the member that names the log
}

type column struct {
	key []byte // quoted, with its colon
	typ zeekType
}

// New makes a table of a kind.
func New(kind string) *Table {
	return &Table{kind: kind, sep: "\t", set: ",", empty: "(empty)", unset: "-"}
}

// Kind is Zeek, CSV or Lines.
func (t *Table) Kind() string { return t.kind }

// Headed tells whether the header was seen, or there is to be none.
func (t *Table) Headed() bool { return t.kind == Lines || t.columns != nil || t.fault != "" }

// Changed tells whether a second header said something else than the first. What
// lies behind it cannot be read without it.
func (t *Table) Changed() bool { return t.changed }

// Append appends to dst the object that a record of text is, which ends in its
// line's end or in none. Without reason and without ok the text is no record but
// a blank line, a header, or a comment of Zeek's. The reason says to a person why
// it is not readable.
func (t *Table) Append(dst, text []byte) (out []byte, ok bool, reason string) {
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(bytes.TrimSpace(text)) == 0 {
		return dst, false, ""
	}
	if t.fault != "" && (t.kind != Zeek || text[0] != '#') {
		return dst, false, t.fault
	}
	switch t.kind {
	case Zeek:
		return t.zeekLine(dst, text)
	case CSV:
		return t.csvRecord(dst, text)
	}
	n := len(dst)
	dst = append(dst, `{"line":`...)
	if dst, reason = appendString(dst, text); reason != "" {
		return dst[:n], false, reason
	}
	return append(dst, '}'), true, ""
}

// Feed takes the header from the first bytes of an object that is read on from
// further down; what follows the header is ignored.
func (t *Table) Feed(head []byte) {
	if t.kind == Lines {
		return
	}
	for line := range bytes.Lines(bytes.TrimPrefix(head, bom)) {
		if t.kind == Zeek && line[0] != '#' {
			return
		}
		t.Append(nil, line) // a header's fault shows in every row
		if t.kind == CSV && t.columns != nil {
			return
		}
	}
}

var bom = []byte("\xef\xbb\xbf")

// width says for a person that a row is not as wide as its table.
func (t *Table) width(n int) string {
	return fmt.Sprintf("%d fields where the header names %d", n, len(t.columns))
}

// setColumns makes the columns of the names. Their fault is that of every row.
func (t *Table) setColumns(names []string) (fault string) {
	defer func() {
		if t.fault = ""; fault != "" {
			t.fault = "under a header that cannot be read: " + fault
		}
	}()
	if len(names) > maxColumns {
		return fmt.Sprintf("a header of %d columns; the limit is %d", len(names), maxColumns)
	}
	columns := make([]column, len(names))
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
		}
		for n, given := 2, name; seen[name]; n++ {
			name = fmt.Sprintf("%s_%d", given, n)
		}
		seen[name] = true
		key, reason := appendString(nil, []byte(name))
		if reason != "" {
			return "in the name of a column: " + reason
		}
		columns[i].key = append(key, ':')
	}
	t.columns, t.names = columns, names
	return ""
}

// Quotes finds where a record of CSV ends: at a line's end outside quotes.
type Quotes struct{ inside bool }

// End is the index behind the line's end that ends the record which goes on in
// b; -1 where b does not have it.
func (q *Quotes) End(b []byte) int {
	for i := 0; i < len(b); {
		k := bytes.IndexAny(b[i:], "\"\n")
		if k < 0 {
			return -1
		}
		i += k + 1
		switch {
		case b[i-1] == '"':
			q.inside = !q.inside
		case !q.inside:
			return i
		}
	}
	return -1
}

// Inside tells whether what End went over ends inside quotes.
func (q *Quotes) Inside() bool { return q.inside }

// MaxQuoted is how many bytes a record of CSV has at most where it spans lines.
// A quote that is not closed in so many was not meant to be one.
const MaxQuoted = 1 << 20

// windowsDHCP is how the log of Windows' DHCP server begins: an explanation of
// its codes stands before the header.
var windowsDHCP = []byte("Microsoft DHCP")

// Recognise tells what text begins with head, all of it or a part; nil: nothing
// that is read. Known tells whether a record that a line or a row would be is of
// a format that is read: without it only Zeek's tables are. Wait: with more of
// the text the answer may be another.
func Recognise(head []byte, all bool, known func([]byte) bool) (t *Table, wait bool) {
	head = start(head)
	for _, begin := range []string{"#separator ", "#fields\t", "#set_separator\t", "#path\t"} {
		if bytes.HasPrefix(head, []byte(begin)) {
			return New(Zeek), false
		}
	}
	if known == nil {
		return nil, false
	}
	lines := firstLines(head, all)
	if len(lines) > 1 && isTable(lines, known) {
		return New(CSV), false
	}
	t = New(Lines)
	for _, line := range lines {
		if object, ok, _ := t.Append(nil, line); ok && known(object) {
			return t, false
		}
	}
	return nil, !all && len(lines) < looked && len(head) < maxHead
}

// Begun tells whether the text may be a table of CSV of which there is no whole
// row yet.
func Begun(head []byte) bool {
	head = start(head)
	lines, t := firstLines(head, false), New(CSV)
	if len(lines) != 1 {
		return false
	}
	_, _, reason := t.Append(nil, lines[0])
	return reason == "" && len(t.columns) > 2 && !slices.ContainsFunc(t.names, isNoName)
}

func start(head []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
}

// maxHead is how far a text's kind is looked for.
const maxHead = 256 << 10

// looked is how many lines are looked at to recognise what they are.
const looked = 10

// firstLines are the first lines of head that are not blank and have ended.
func firstLines(head []byte, all bool) (lines [][]byte) {
	preamble := bytes.HasPrefix(head, windowsDHCP)
	for line := range bytes.Lines(head) {
		if line[len(line)-1] != '\n' && !all {
			break
		}
		if preamble && !isWindowsHeader(line) {
			continue
		}
		preamble = false
		if len(bytes.TrimSpace(line)) > 0 {
			lines = append(lines, line)
		}
		if len(lines) == looked {
			break
		}
	}
	return lines
}

func isWindowsHeader(line []byte) bool { return bytes.HasPrefix(line, []byte("ID,Date,Time,")) }

// isTable tells whether the first line names columns and a row below it is known.
func isTable(lines [][]byte, known func([]byte) bool) bool {
	t := New(CSV)
	if _, _, reason := t.Append(nil, lines[0]); reason != "" || len(t.columns) < 2 {
		return false
	}
	for rest := bytes.Join(lines[1:], nil); len(rest) > 0; {
		var q Quotes
		n := q.End(rest)
		if n < 0 {
			n = len(rest)
		}
		if object, ok, _ := t.Append(nil, rest[:n]); ok && known(object) {
			return true
		}
		rest = rest[n:]
	}
	return false
}
