package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/sqlitedb"
	"github.com/yagura-sec/yagura/query"
)

// entry is what a finding is listed, counted and chosen by.
type entry struct {
	key                          string
	texts                        []string // by columns, see textColumns; lists are packed
	severity                     int8     // its rank
	priority                     int16
	count                        int64
	first, last, decided, closed int64 // microseconds; 0: never
	explained, demoted           bool
	named                        bool    // finding.Trouble.Resource is the first of its resources, and not empty
	score                        float64 // finding.Trouble.Score
}

// textColumns are the fields that an entry has texts of.
var textColumns = func() (out []*finding.Field) {
	all := finding.Fields()
	for i := range all {
		f := &all[i]
		switch {
		case f.Name == "key" || f.Name == "text": // the first is its own, the second put together of others
		case f.Type == query.Text, f.Type == query.Enum, f.Type == query.List:
			out = append(out, f)
		}
	}
	return out
}()

// columnOf is the place of a field in textColumns.
var columnOf = func() map[string]int {
	m := map[string]int{}
	for i, f := range textColumns {
		m[f.Name] = i
	}
	return m
}()

// layout names what entries hold: where it changes, stored ones are made anew.
var layout = func() string {
	s := "2"
	for _, f := range textColumns {
		s += " " + f.Name
	}
	return s
}()

func entryOf(f *finding.Finding, demoted bool) entry {
	e := entry{
		key: f.Key, texts: make([]string, len(textColumns)), severity: int8(f.Severity.Rank()), priority: int16(f.Priority), count: f.Count,
		first: f.FirstSeen.UnixMicro(), last: f.LastSeen.UnixMicro(), decided: sqlitedb.Micros(f.DecidedAt()), closed: sqlitedb.Micros(f.ClosedAt()),
		explained: len(f.Explained) > 0, demoted: demoted, named: f.Resource != "", score: f.Score(),
	}
	for i, x := range textColumns {
		switch v := x.Value(f).(type) {
		case string:
			e.texts[i] = v
		case []string:
			e.texts[i] = string(pack(v))
		}
	}
	return e
}

// pack writes texts, each behind its length.
func pack(list []string) []byte {
	n := 0
	for _, s := range list {
		n += len(s) + 2
	}
	b := make([]byte, 0, n)
	for _, s := range list {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// unpack appends the texts, which share memory with s.
func unpack(s string, into []string) ([]string, error) {
	for len(s) > 0 {
		// A length is seldom longer than two bytes.
		n, used := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
		if used <= 0 || n > uint64(len(s)-used) {
			return nil, errors.New("packed texts are damaged")
		}
		into = append(into, s[used:used+int(n)])
		s = s[used+int(n):]
	}
	return into, nil
}

// What the byte of flags among facts says.
const (
	flagExplained = 1 << iota
	flagNamed
)

// facts are the part of an entry that has no column of its own.
func (e *entry) facts() []byte {
	b := binary.AppendVarint(nil, e.decided)
	b = binary.AppendVarint(b, e.closed)
	var flags byte
	if e.explained {
		flags |= flagExplained
	}
	if e.named {
		flags |= flagNamed
	}
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.score))
	return append(b, pack(e.texts)...)
}

func (e *entry) setFacts(b []byte) (err error) {
	bad := fmt.Errorf("finding %s: what it is listed by is damaged", e.key)
	var n int
	if e.decided, n = binary.Varint(b); n <= 0 {
		return bad
	}
	b = b[n:]
	if e.closed, n = binary.Varint(b); n <= 0 || len(b) < n+1+8 {
		return bad
	}
	flags := b[n]
	e.explained, e.named = flags&flagExplained != 0, flags&flagNamed != 0
	e.score = math.Float64frombits(binary.LittleEndian.Uint64(b[n+1:]))
	if e.texts, err = unpack(string(b[n+1+8:]), e.texts[:0]); err != nil || len(e.texts) != len(textColumns) {
		return bad
	}
	return nil
}
