package event

import (
	"fmt"
	"strconv"
)

// Verdict is what became of one record.
type Verdict byte

// The verdicts.
const (
	Stored      Verdict = 's'
	Duplicate   Verdict = 'd'
	Quarantined Verdict = 'q'
	Expired     Verdict = 'e'
)

// Verdicts says for a run of records, in order of position, what became of
// each: run-length encoded, so that an account can be cut at any record. Its
// text form is "4000s3d1q".
type Verdicts []Run[Verdict]

// Add appends n records with verdict v.
func (vs Verdicts) Add(v Verdict, n int64) Verdicts { return longer(vs, v, n) }

// Count is how many records have verdict v.
func (vs Verdicts) Count(v Verdict) int64 {
	var n int64
	for _, r := range vs {
		if r.Of == v {
			n += r.N
		}
	}
	return n
}

// Records is how many records vs speaks of.
func (vs Verdicts) Records() int64 { return length(vs) }

// Slice is the verdicts of n records from the skip-th on.
func (vs Verdicts) Slice(skip, n int64) Verdicts { return cut(vs, skip, n) }

// MarshalText gives the text form.
func (vs Verdicts) MarshalText() ([]byte, error) {
	var b []byte
	for _, r := range vs {
		b = strconv.AppendInt(b, r.N, 10)
		b = append(b, byte(r.Of))
	}
	return b, nil
}

// UnmarshalText reads the text form.
func (vs *Verdicts) UnmarshalText(b []byte) error {
	var out Verdicts
	var n int64
	digits := false
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9' && n < 1<<50:
			n, digits = n*10+int64(c-'0'), true
		case digits && (c == byte(Stored) || c == byte(Duplicate) || c == byte(Quarantined) || c == byte(Expired)):
			out = out.Add(Verdict(c), n)
			n, digits = 0, false
		default:
			return fmt.Errorf("verdicts %q: unexpected %q at byte %d", b, c, i)
		}
	}
	if digits {
		return fmt.Errorf("verdicts %q: ends in a number", b)
	}
	*vs = out
	return nil
}
