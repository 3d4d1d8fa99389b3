package say

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// encode appends what a text is made of: {"id":"novel.reads","of":{"who":"x","n":3}},
// the values in the order in which the English names them. Times are texts, and
// what a list leaves out is the number at its end.
func encode(b []byte, id string, t template, values Values) []byte {
	b = append(b, `{"id":`...)
	b = quote(b, id)
	sep := `,"of":{`
	met := map[string]bool{}
	for i := range t {
		name := t[i].name
		if name == "" || met[name] {
			continue
		}
		met[name] = true
		b = append(b, sep...)
		sep = ","
		b = append(quote(b, name), ':')
		b = encodeValue(b, values[name])
	}
	if sep == "," {
		b = append(b, '}')
	}
	return append(b, '}')
}

func encodeValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return quote(b, v)
	case float64:
		return strconv.AppendFloat(b, v, 'g', 12, 64)
	case time.Time:
		return append(v.AppendFormat(append(b, '"'), time.RFC3339), '"')
	case Text:
		if rule, is := strings.CutPrefix(v.of, ruleOf); is {
			b = append(quote(append(b, `{"rule":`...), rule), `,"words":`...)
			return append(quote(b, v.en), '}')
		}
		if v.of == "" {
			return quote(b, v.en)
		}
		return append(b, v.of...)
	case []any:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = encodeValue(b, x)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

func quote(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return append(b, text...)
}

var errMade = errors.New("not what a text is made of")

// decode reads what encode wrote.
func decode(made string) (id string, values Values, err error) {
	var x any
	if err := json.Unmarshal([]byte(made), &x); err != nil {
		return "", nil, err
	}
	o, ok := x.(map[string]any)
	if !ok {
		return "", nil, errMade
	}
	return madeOf(o)
}

func madeOf(o map[string]any) (id string, values Values, err error) {
	id, ok := o["id"].(string)
	if !ok {
		return "", nil, errMade
	}
	values = Values{}
	of, _ := o["of"].(map[string]any)
	for name, v := range of {
		if values[name], err = revive(v); err != nil {
			return "", nil, err
		}
	}
	return id, values, nil
}

// revive makes texts of what they are made of, anew in English.
func revive(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if rule, ok := v["rule"].(string); ok {
			words, _ := v["words"].(string)
			return OfRule(rule, words), nil
		}
		id, values, err := madeOf(v)
		if err != nil {
			return nil, err
		}
		return T(id, values), nil
	case []any:
		for i := range v {
			var err error
			if v[i], err = revive(v[i]); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
	return v, nil
}
