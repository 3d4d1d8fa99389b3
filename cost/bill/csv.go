package bill

import (
	"bytes"
	"errors"
	"fmt"
)

// maxRecord is how many bytes a row has at most. A quote that is not closed in so
// many was not meant to be one.
const maxRecord = 1 << 20

// recordEnd is the index behind the record that text begins with; 0: more of the
// text is needed. Whole: there is no more. Records end in line ends outside quotes.
//
// It is our own, and not encoding/csv, for what follows a broken row: one whose
// quote is not closed costs itself, not the rows up to the next quote.
func recordEnd(text []byte, sep byte, whole bool) int {
	line := bytes.IndexByte(text, '\n') + 1
	if line == 0 {
		if whole {
			return len(text)
		}
		return 0
	}
	// Of a record on one line all quotes are closed, so that they are even.
	if bytes.Count(text[:line], quote)%2 == 0 {
		return line
	}
	near := text[:min(len(text), maxRecord)]
	switch end := quotedEnd(near, sep, whole && len(near) == len(text)); {
	case end > 0:
		return end
	case len(near) < maxRecord && !whole:
		return 0
	}
	return line
}

var quote = []byte{'"'}

// quotedEnd is recordEnd, field by field; 0: there is no end.
func quotedEnd(text []byte, sep byte, whole bool) int {
	for i := 0; i < len(text); i++ { // at the beginning of a field
		if text[i] == '"' {
			n := quotedLen(text[i:])
			if n == 0 || i+n == len(text) && !whole {
				return 0 // or a quote may follow, of which two stand for one
			}
			i += n
		}
		for i < len(text) && text[i] != sep && text[i] != '\n' {
			i++
		}
		if i < len(text) && text[i] == '\n' {
			return i + 1
		}
	}
	if whole {
		return len(text)
	}
	return 0
}

// quotedLen is how long the quoted field is that text begins with; 0: it does not
// end.
func quotedLen(text []byte) int {
	for i := 1; ; i += 2 {
		k := bytes.IndexByte(text[i:], '"')
		if k < 0 {
			return 0
		}
		i += k
		if i+1 >= len(text) || text[i+1] != '"' {
			return i + 1
		}
	}
}

var errQuote = errors.New("a quoted field does not end in its quote")

// fields gives the fields of a record that are wanted: slots says for each column
// where in vals it goes, or -1. The values point into the record, or into scratch.
func fields(record []byte, sep byte, slots []int16, vals [][]byte, scratch []byte) ([]byte, error) {
	record = bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r"))
	scratch = scratch[:0]
	column := 0
	for i := 0; ; i++ {
		begin := i
		var val []byte
		if i < len(record) && record[i] == '"' {
			n := quotedLen(record[i:])
			if n == 0 || i+n < len(record) && record[i+n] != sep {
				return scratch, errQuote
			}
			val, i = record[begin+1:begin+n-1], i+n
		} else {
			for i < len(record) && record[i] != sep {
				i++
			}
			val = record[begin:i]
		}
		switch {
		case column >= len(slots):
			if len(val) > 0 { // empty fields behind the last are no harm
				return scratch, fmt.Errorf("more fields than the header's %d", len(slots))
			}
		case slots[column] >= 0:
			if begin < len(record) && record[begin] == '"' && bytes.IndexByte(val, '"') >= 0 {
				at := len(scratch)
				for j := 0; j < len(val); j++ {
					scratch = append(scratch, val[j])
					if val[j] == '"' {
						j++
					}
				}
				val = scratch[at:]
			}
			vals[slots[column]] = val
		}
		column++
		if i >= len(record) {
			break
		}
	}
	if column < len(slots) {
		return scratch, fmt.Errorf("%d fields where the header has %d", column, len(slots))
	}
	return scratch, nil
}

// split gives all fields of a record.
func split(record []byte, sep byte) ([][]byte, error) {
	n := bytes.Count(record, []byte{sep}) + 1
	slots := make([]int16, n)
	for i := range slots {
		slots[i] = int16(i)
	}
	vals := make([][]byte, n)
	if _, err := fields(record, sep, slots, vals, nil); err != nil && vals[0] == nil {
		return nil, err
	}
	for n > 0 && vals[n-1] == nil { // separators within quotes were counted too
		n--
	}
	return vals[:n], nil
}
