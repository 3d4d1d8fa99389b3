package bill

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// creditColumns are the columns of Google's credits, of which a row has any number.
// BigQuery writes them as credits.list.element.amount; others leave out one of the
// two groups between, or both.
type creditColumns struct {
	amount *parquet.Column
	kind   *parquet.Column // nil: no credit says what it is
	// level is the definition level from which on a value is of a credit. Below it
	// stands for a list that is empty or not there.
	level int
}

var errCredits = errors.New("the column credits of Parquet is no list of records with an amount, and without it the sums would be wrong")

// findCredits gives nil where a file has no credits at all, as after a query that
// left them out.
func findCredits(root *parquet.Column) (*creditColumns, error) {
	list := member(root, "credits")
	if list == nil {
		return nil, nil
	}
	for !list.Repeated() {
		in := list.Columns()
		if len(in) != 1 {
			return nil, errCredits
		}
		list = in[0]
	}
	found := &creditColumns{level: list.MaxDefinitionLevel()}
	entry := list
	if in := list.Columns(); len(in) == 1 && !in[0].Leaf() {
		entry = in[0]
	}
	found.amount, found.kind = member(entry, "amount"), member(entry, "type")
	for _, c := range []*parquet.Column{found.amount, found.kind} {
		if c != nil && (!c.Leaf() || c.MaxRepetitionLevel() != 1) {
			return nil, errCredits
		}
	}
	if found.amount == nil {
		return nil, errCredits
	}
	return found, nil
}

// member is the column of a name within another; nil: there is none.
func member(of *parquet.Column, name string) *parquet.Column {
	for _, c := range of.Columns() {
		if plainName(c.Name()) == name {
			return c
		}
	}
	return nil
}

// open begins to read the credits of a group of rows; nil where there are none.
func (c *creditColumns) open(g parquet.RowGroup) *creditLists {
	if c == nil {
		return nil
	}
	l := &creditLists{level: c.level, amount: openColumn(g, c.amount)}
	if c.kind != nil {
		l.kind = openColumn(g, c.kind)
	}
	return l
}

// creditLists reads the credits of one row after the other.
type creditLists struct {
	amount, kind *column
	level        int
}

func (l *creditLists) close() {
	if l == nil {
		return
	}
	l.amount.close()
	if l.kind != nil {
		l.kind.close()
	}
}

// next adds the credits of the next row to some, and what they say to raw.
func (l *creditLists) next(raw []byte, some []credit) ([]byte, []credit, error) {
	if l == nil {
		return raw, some, nil
	}
	for first := true; ; first = false {
		more, err := l.more(first)
		if !more || err != nil {
			return raw, some, err
		}
		if raw, some, err = l.one(raw, some); err != nil {
			return raw, some, err
		}
	}
}

// more tells whether what comes next is of the row that is read: a row has one value
// at least, and the first of each begins anew.
func (l *creditLists) more(first bool) (bool, error) {
	v, err := l.amount.peek()
	switch {
	case errors.Is(err, io.EOF) && first:
		return false, l.amount.short()
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, err
	case first && v.RepetitionLevel() != 0:
		return false, fmt.Errorf("column %s: it begins within a list", l.amount.name)
	}
	return first || v.RepetitionLevel() != 0, nil
}

// one reads a credit, or that there is none. Of a row that is too long anyway
// nothing more is added.
func (l *creditLists) one(raw []byte, some []credit) ([]byte, []credit, error) {
	amount, err := l.amount.peek()
	if err != nil {
		return raw, some, err
	}
	there, repeated := amount.DefinitionLevel() >= l.level, amount.RepetitionLevel()
	room := there && len(raw) <= maxRecord
	var c credit
	if room {
		at := len(raw)
		raw = appendValue(raw, *amount, l.amount.typ)
		c.Amount = json.Number(raw[at:])
		raw = append(raw, fieldEnd)
	}
	l.amount.at++
	if l.kind != nil {
		kind, err := l.kind.peek()
		if errors.Is(err, io.EOF) {
			return raw, some, l.kind.short()
		}
		if err != nil {
			return raw, some, err
		}
		if kind.RepetitionLevel() != repeated || (kind.DefinitionLevel() >= l.level) != there {
			return raw, some, fmt.Errorf("column %s: its lists are others than those of %s", l.kind.name, l.amount.name)
		}
		if room {
			at := len(raw)
			raw = appendValue(raw, *kind, l.kind.typ)
			c.Type = string(raw[at:])
			raw = append(raw, fieldEnd)
		}
		l.kind.at++
	}
	if room {
		some = append(some, c)
	}
	return raw, some, nil
}
