package say

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// In gives v with every Text in it as words of the language, words of rules as
// names gives them: a copy of what holds any, for v may be shared. Values behind
// interfaces are left as they are.
func In(l Language, v any, names RuleWords) any {
	if l == English || v == nil {
		return v
	}
	x := reflect.ValueOf(v)
	if !holds(x.Type()) {
		return v
	}
	return translated(l, x, names).Interface()
}

var (
	textType = reflect.TypeFor[Text]()
	known    sync.Map // reflect.Type to bool: see holds
)

// holds tells whether values of a type may hold a Text.
func holds(t reflect.Type) bool {
	if is, ok := known.Load(t); ok {
		return is.(bool)
	}
	is := search(t, nil)
	known.Store(t, is)
	return is
}

func search(t reflect.Type, within []reflect.Type) bool {
	if t == textType {
		return true
	}
	if slices.Contains(within, t) {
		return false // it holds one if what it is within does
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return search(t.Elem(), within)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && search(f.Type, within) {
				return true
			}
		}
	}
	return false
}

func translated(l Language, v reflect.Value, names RuleWords) reflect.Value {
	t := v.Type()
	if t == textType {
		return reflect.ValueOf(Plain(names.in(l, v.Interface().(Text))))
	}
	if !holds(t) {
		return v
	}
	out := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(translated(l, v.Elem(), names))
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.MakeSlice(t, v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(translated(l, v.Index(i), names))
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(translated(l, v.Index(i), names))
		}
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.MakeMapWithSize(t, v.Len()))
		for k, x := range v.Seq2() {
			out.SetMapIndex(k, translated(l, x, names))
		}
	case reflect.Struct:
		out.Set(v)
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				out.Field(i).Set(translated(l, v.Field(i), names))
			}
		}
	}
	return out
}

// Preferred is the language that an Accept-Language header (RFC 9110, 12.5.4) asks
// for most: English where it asks for none of ours.
func Preferred(header string) Language {
	best, most := English, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(weight), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if l := Language(primary); slices.Contains(Languages, l) && q > most {
			best, most = l, q
		}
	}
	return best
}
