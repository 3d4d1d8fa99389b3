package match

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma/ir"
)

// reference is the plain way to the same answers: the record is decoded by
// encoding/json, every field is looked up by itself, every rule that applies is
// evaluated, no answer is remembered.

// pair is a member of an object; a map would lose keys that occur twice.
type pair struct {
	key   string
	value json.RawMessage
}

func pairs(object json.RawMessage) []pair {
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.Token()
	var out []pair
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return out
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return out
		}
		out = append(out, pair{key.(string), value})
	}
	return out
}

func elements(array json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	_ = json.Unmarshal(array, &out) // it was valid as a part of the record
	return out
}

// find adds what name means in v to f.
func find(f *ir.Field, v json.RawMessage, name string) {
	switch v[0] {
	case '[':
		for _, x := range elements(v) {
			find(f, x, name)
		}
	case '{':
		found := false
		for _, p := range pairs(v) {
			if p.key == name {
				found = true
				f.Present = true
				leaves(f, p.value, true)
			}
		}
		head, rest, nested := strings.Cut(name, ".")
		if found || !nested {
			return
		}
		for _, p := range pairs(v) {
			if p.key == head {
				find(f, p.value, rest)
			}
		}
	}
}

// leaves adds the values that v stands for.
func leaves(f *ir.Field, v json.RawMessage, objects bool) {
	switch v[0] {
	case '[':
		for _, x := range elements(v) {
			leaves(f, x, objects)
		}
	case '{':
		if objects {
			var compact bytes.Buffer
			if json.Compact(&compact, v) == nil {
				f.Values = append(f.Values, ir.Value{Kind: ir.Object, Text: compact.Bytes()})
			}
			return
		}
		for _, p := range pairs(v) {
			leaves(f, p.value, false)
		}
	case '"':
		var s string
		_ = json.Unmarshal(v, &s)
		f.Values = append(f.Values, ir.Value{Kind: ir.String, Text: []byte(s)})
	case 't', 'f':
		f.Values = append(f.Values, ir.Value{Kind: ir.Bool, Text: v})
	case 'n':
		f.Values = append(f.Values, ir.Value{Kind: ir.Null})
	default:
		f.Values = append(f.Values, ir.Value{Kind: ir.Number, Text: v})
	}
}

// referenceMatch gives the rules that match the record.
func (s *Set) referenceMatch(record []byte, src Source) []int {
	known := map[int32]*ir.Field{}
	var out []int
	for i := range s.program.Rules {
		if src.covers(s.program.Rules[i].LogSource) && s.referenceRule(known, record, i) {
			out = append(out, i)
		}
	}
	return out
}

// referenceRule tells whether rule i matches the record. It keeps the fields that
// it reads in known: they are the same for every rule.
func (s *Set) referenceRule(known map[int32]*ir.Field, record []byte, i int) bool {
	field := func(slot int32) *ir.Field {
		f := known[slot]
		if f == nil {
			f = &ir.Field{}
			if slot == keywordSlot {
				f.Present = true
				leaves(f, record, false)
			} else {
				find(f, record, s.fields[slot])
			}
			known[slot] = f
		}
		return f
	}
	return s.program.Rules[i].Expr.Eval(func(id ir.AtomID) bool {
		a := &s.program.Atoms[id]
		var ref *ir.Field
		if a.Op == ir.FieldRef {
			ref = field(s.refAt[id])
		}
		// A field of its own each time, since atoms fold its values in place.
		f := *field(s.atomAt[id])
		f.Values = slices.Clone(f.Values)
		return a.Holds(&f, ref, new(ir.Buffer))
	})
}
