package bill

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yagura-sec/yagura/cost"
)

// json reads one object a line, or an array of objects. Begin is what the text
// begins with.
func (r *reader) json(in *bufio.Reader, begin []byte, whole bool) (f cost.File, err error) {
	if begin[0] == '[' {
		return r.array(in)
	}
	line := begin
	if end := bytes.IndexByte(begin, '\n'); end >= 0 {
		line = begin[:end]
	} else if !whole {
		return f, ErrNotBill
	}
	var first flat
	if err := first.read(line); err != nil {
		return f, ErrNotBill
	}
	l, err := layoutOfObject(&first)
	if err != nil || l == nil {
		return f, orNotBill(err)
	}
	return r.blocks(in, l, 1, jsonRows{}, "jsonl")
}

func orNotBill(err error) error {
	if err == nil {
		return ErrNotBill
	}
	return err
}

// layoutOfObject is layoutOf for the members of an object. Others may have members
// that the first lacks: all that the form knows are looked for.
func layoutOfObject(first *flat) (*layout, error) {
	l, err := layoutOf(first.names)
	if l == nil || err != nil {
		return l, err
	}
	all := append([]string(nil), first.names...)
	known := map[string]bool{}
	for _, name := range all {
		known[plainName(name)] = true
	}
	for _, names := range l.columns {
		for _, name := range names {
			if !known[name] {
				known[name] = true
				all = append(all, name)
			}
		}
	}
	l, err = layoutOf(all)
	if l != nil {
		// Nested members have no slash either way.
		l.name = l.form.name
	}
	return l, err
}

// flat is an object's members by name, those of objects in it with their path.
type flat struct {
	names   []string
	values  map[string][]byte // by plain name
	credits []credit
}

// credit is what Google pays itself for a row.
type credit struct {
	Type   string      `json:"type"`
	Amount json.Number `json:"amount"`
}

func (f *flat) read(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	if members == nil {
		return errors.New("it is no object")
	}
	f.names, f.credits, f.values = f.names[:0], f.credits[:0], map[string][]byte{}
	return f.add("", members)
}

// maxNesting is how deep members are looked for: bills nest twice.
const maxNesting = 4

func (f *flat) add(path string, members map[string]json.RawMessage) error {
	for name, raw := range members {
		name = path + name
		switch {
		case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
			f.set(name, nil)
		case raw[0] != '[' && strings.EqualFold(name, "credits"):
			return fmt.Errorf("in %s: it is no list", name)
		case raw[0] == '{':
			var in map[string]json.RawMessage
			if err := json.Unmarshal(raw, &in); err != nil {
				return err
			}
			if strings.Count(name, ".") < maxNesting {
				if err := f.add(name+".", in); err != nil {
					return err
				}
			}
		case raw[0] == '[':
			if plainName(name) != "credits" {
				continue
			}
			if err := json.Unmarshal(raw, &f.credits); err != nil {
				return fmt.Errorf("in %s: %w", name, err)
			}
		case raw[0] == '"':
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return err
			}
			f.set(name, []byte(s))
		default:
			f.set(name, raw)
		}
	}
	return nil
}

func (f *flat) set(name string, value []byte) {
	f.names = append(f.names, name)
	f.values[plainName(name)] = value
}

// take gives an object to a tally.
func (f *flat) take(t *tally, at int64, raw []byte, s *scratch) error {
	for i, name := range t.names {
		s.vals[i] = f.values[plainName(name)]
	}
	return t.credited(s.vals, f.credits, at, raw)
}

// credited takes a row with the credits that it has.
func (t *tally) credited(vals [][]byte, credits []credit, at int64, raw []byte) error {
	extras, err := creditsOf(credits)
	if err != nil {
		t.unread(at, raw, &fault{column: "credits", reason: err})
		return nil
	}
	return t.row(vals, extras, at, raw)
}

func creditsOf(credits []credit) (out []extra, err error) {
	for _, c := range credits {
		n, err := parseNumber([]byte(c.Amount), false)
		if err != nil {
			return nil, fmt.Errorf("a credit's amount %w", err)
		}
		kind, known := creditKinds[strings.ToLower(c.Type)]
		if !known {
			kind = cost.Credit
		}
		out = append(out, extra{kind, n})
	}
	return out, nil
}

// jsonRows are objects, one a line.
type jsonRows struct{}

func (jsonRows) end(text []byte, whole bool) int {
	if end := bytes.IndexByte(text, '\n') + 1; end > 0 || !whole {
		return end
	}
	return len(text)
}

func (j jsonRows) record(t *tally, text []byte, line int64, s *scratch) (n int, err error) {
	n = j.end(text, true)
	record := bytes.TrimSpace(bytes.TrimPrefix(text[:n], bom))
	if len(record) == 0 {
		return n, nil
	}
	var f flat
	if err := f.read(record); err != nil {
		t.broken(line, record, notJSON(err))
		return n, nil
	}
	return n, f.take(t, line, record, s)
}

func notJSON(err error) error { return fmt.Errorf("it is no JSON object: %w", err) }

// array reads [{…}, {…}].
func (r *reader) array(in *bufio.Reader) (f cost.File, err error) {
	if b, err := in.Peek(len(bom)); err == nil && bytes.Equal(b, bom) {
		if _, err := in.Discard(len(bom)); err != nil {
			return f, err
		}
	}
	dec := json.NewDecoder(in)
	if _, err := dec.Token(); err != nil {
		return f, ErrNotBill
	}
	var t *tally
	var s *scratch
	for n := int64(1); dec.More(); n++ {
		if err := r.ctx.Err(); err != nil {
			return f, err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			if t == nil {
				return f, ErrNotBill
			}
			return f, fmt.Errorf("behind row %s: %w", strconv.FormatInt(n-1, 10), packedError(err))
		}
		var object flat
		wrong := object.read(raw)
		if t == nil {
			if wrong != nil {
				return f, ErrNotBill
			}
			l, err := layoutOfObject(&object)
			if l == nil {
				return f, orNotBill(err)
			}
			t, s = newTally(l, r.add), &scratch{vals: make([][]byte, l.width)}
		}
		if wrong != nil {
			t.broken(n, raw, notJSON(wrong))
			continue
		}
		if err := object.take(t, n, raw, s); err != nil {
			return f, err
		}
	}
	if t == nil {
		return f, ErrNotBill
	}
	if _, err := dec.Token(); err != nil {
		return f, fmt.Errorf("the array does not end: %w", io.ErrUnexpectedEOF)
	}
	return r.finish(t.layout, "json", []*tally{t})
}
