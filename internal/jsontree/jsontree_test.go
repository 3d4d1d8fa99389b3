package jsontree

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	var tree Tree
	v, err := tree.Parse(` {"a":[1,-2.5e3,"x"], "b":{"c":null,"d":true}, "k\u0065y":"q\"\u00e9\ud83d\ude00\ud800", "a":2} `)
	if err != nil {
		t.Fatal(err)
	}
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(v.Get("a").Raw(), `[1,-2.5e3,"x"]`)
	f(v.Get("a").First().Text(), "1")
	f(v.Get("a").First().String(), "")
	f(v.Get("a").First().Next().Next().String(), "x")
	f(v.Get("a").First().Next().Next().Raw(), `"x"`)
	f(v.Get("b").Get("d").Kind().String(), "true")
	f(v.Get("b").Get("c").Kind().String(), "null")
	f(v.Get("b").Get("zz").Kind().String(), "nothing")
	f(v.Get("b").Get("zz").Get("y").Text(), "")
	f(v.Get("key").String(), "q\"é😀\uFFFD")
}

func TestParseRefuses(t *testing.T) {
	var tree Tree
	f := func(in string, offset int) {
		t.Helper()
		_, err := tree.Parse(in)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Fatalf("Parse(%q) = %v", in, err)
		}
		if se.Offset != offset {
			t.Errorf("Parse(%q): %v; want byte %d", in, err, offset)
		}
	}
	f("", 0)
	f("{", 1)
	f(`{"a"`, 4)
	f(`{"a":}`, 5)
	f(`{"a":1,}`, 7)
	f(`[1,]`, 3)
	f(`[1 2]`, 3)
	f(`{a:1}`, 1)
	f(`nan`, 0)
	f(`NaN`, 0)
	f(`01`, 1)
	f(`1.`, 2)
	f(`-`, 0)
	f(`1e`, 2)
	f(`"a`, 2)
	f("\"a\x01\"", 2)
	f(`"\x"`, 1)
	f(`"\u12g4"`, 1)
	f(`"`+"\xff"+`"`, 1)
	f(`{} {}`, 3)
	f(strings.Repeat("[", MaxDepth+1), MaxDepth+1)
	f("["+strings.Repeat("0,", MaxValues)+"0]", 1+2*(MaxValues-1))
	if !tree.Large() {
		t.Error("a tree of a million values is not large")
	}
}

// FuzzParse holds that Parse accepts exactly what encoding/json does, bar
// invalid UTF-8 and depth, and reads the same from it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":"c\n"}],"d":null}`, `"\ud83d\ude00\udc00"`, `-0.1e+5`, `[[],{}]`, `{"a":1,"a":2}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var tree Tree
		v, err := tree.Parse(s)
		if !utf8.ValidString(s) || strings.Count(s, "[")+strings.Count(s, "{") > MaxDepth {
			return
		}
		if ok := json.Valid([]byte(s)); ok != (err == nil) {
			t.Fatalf("Parse says %v, encoding/json says valid=%v", err, ok)
		}
		if err != nil {
			return
		}
		var want any
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := plain(v); !reflect.DeepEqual(got, want) {
			t.Fatalf("read %#v, want %#v", got, want)
		}
	})
}

func plain(v Value) any {
	switch v.Kind() {
	case True, False:
		return v.Kind() == True
	case Number:
		return json.Number(v.Text())
	case String:
		return v.Text()
	case Array:
		out := []any{}
		for e := v.First(); e.Exists(); e = e.Next() {
			out = append(out, plain(e))
		}
		return out
	case Object:
		out := map[string]any{}
		for e := v.First(); e.Exists(); e = e.Next() {
			out[e.Key()] = plain(e) // encoding/json keeps the last of a key given twice
		}
		return out
	}
	return nil
}
