package texttable

import (
	"bytes"
	"iter"
)

// Record is a record of a text that is at hand whole.
type Record struct {
	Object []byte // the JSON object it is; nil where there is a reason
	Text   []byte // as it stands there
	Line   int    // where it begins, from 1
	Reason string // why it is not readable
}

// Split gives the records of a text.
func (t *Table) Split(text []byte) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		rest := bytes.TrimPrefix(text, bom)
		for line := 1; len(rest) > 0; {
			n := t.end(rest)
			object, ok, reason := t.Append(nil, rest[:n])
			if first := lineEnd(rest); reason != "" && n > first {
				// The quote that is open at the end of the first line was not meant to be one.
				n = first
				object, ok, reason = t.Append(nil, rest[:n])
			}
			if reason != "" {
				object = nil
			}
			if (ok || reason != "") && !yield(Record{object, rest[:n], line, reason}) {
				return
			}
			line += bytes.Count(rest[:n], []byte("\n"))
			rest = rest[n:]
		}
	}
}

// end is where the record that text begins with ends.
func (t *Table) end(text []byte) int {
	if t.kind == CSV && t.Headed() {
		var q Quotes
		near := text[:min(len(text), MaxQuoted)]
		if n := q.End(near); n > 0 {
			return n
		}
		if len(near) == len(text) && !q.Inside() {
			return len(text)
		}
	}
	return lineEnd(text)
}

func lineEnd(text []byte) int {
	if k := bytes.IndexByte(text, '\n'); k >= 0 {
		return k + 1
	}
	return len(text)
}
