package event

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCanonical(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := Canonical([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("Canonical(%s) = %s, %v; want %s", in, got, err, want)
		}
	}
	f(` { "b" : [ 1 , 2.50 ] , "a" : null } `, `{"a":null,"b":[1,2.50]}`)
	f(`{"z":{"y":1,"x":{"d":[],"c":{}}},"a":true}`, `{"a":true,"z":{"x":{"c":{},"d":[]},"y":1}}`)
	f(`{"\u0061":"\/\u00e9\u0022\u000a\u001f\ud83d\ude00"}`, `{"a":"/é\"\n\u001f😀"}`)
	f(`{"a":1,"b":2,"a":0}`, `{"a":1,"a":0,"b":2}`)
	f(`["\ud800x","\ud800\u0041"]`, `["`+"\uFFFDx"+`","`+"\uFFFDA"+`"]`)
	f(`1e3`, `1e3`)
	f(`-0.0`, `-0.0`)
	f(`{"ab":1,"a":2}`, `{"a":2,"ab":1}`)

	got, err := AppendCanonical([]byte("x,"), []byte(`{"b":{},"a":1}`))
	if err != nil || string(got) != `x,{"a":1,"b":{}}` {
		t.Errorf("appended to x, it is %s, %v", got, err)
	}
	if got, err := AppendCanonical([]byte("x"), []byte(`{"b":`)); err == nil || string(got) != "x" {
		t.Errorf("of a broken text it makes %s, %v", got, err)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if out, err := Canonical([]byte(in)); err == nil || len(out) > 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("Canonical(%q) = %s, %v; want an error with %q", in, out, err, want)
		}
	}
	f(``, "byte 0")
	f(`{"a":1,}`, "byte 7")
	f(`[1,]`, "byte 3")
	f(`{} x`, "byte 3")
	f("\"\xff\"", "byte 1: not valid UTF-8")
	f(`"\q"`, "byte 1")
	f("\"\n\"", "byte 1")
	f(`"abc`, "ends inside a string")
	f(`+1`, "byte 0")
	f(strings.Repeat("[", 1500), "nested deeper")
}

// FuzzCanonical: it accepts what encoding/json accepts, keeps the meaning, is
// its own canonical form, and does not touch its input.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":1,"a":[{"d":"\u00e9","c":null}]}`, `{"a":1,"a":2,"":3}`, `"\ud83d\ude00"`, `[-1.5e+10,0]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		got, err := Canonical(in)
		if !bytes.Equal(in, before) {
			t.Fatal("changed its input")
		}
		if !utf8.Valid(in) {
			if err == nil {
				t.Fatal("accepts invalid UTF-8")
			}
			return
		}
		if bytes.Count(in, []byte("["))+bytes.Count(in, []byte("{")) > maxCanonicalDepth {
			return
		}
		if json.Valid(in) != (err == nil) {
			t.Fatalf("Canonical says %v, encoding/json says valid=%v", err, json.Valid(in))
		}
		if err != nil {
			return
		}
		again, err := Canonical(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("of %s it makes %s, of that %s, %v", in, got, again, err)
		}
		if a, b := meaning(t, in), meaning(t, got); !reflect.DeepEqual(a, b) {
			t.Fatalf("%s became %s", in, got)
		}
	})
}

func meaning(t *testing.T, b []byte) any {
	var v any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func BenchmarkCanonical(b *testing.B) {
	in := []byte(`{"eventVersion":"1.08","userIdentity":{"type":"AWSService","invokedBy":"cloudtrail.amazonaws.com"},"eventTime":"2026-03-01T10:37:38Z","eventSource":"kms.amazonaws.com","eventName":"GenerateDataKey","awsRegion":"eu-west-1","requestParameters":{"keySpec":"AES_256","keyId":"arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::trail-logs/x"}},"responseElements":null,"eventID":"bb5df0ac-6f21-4f7d-b266-aa632702a76b","readOnly":true}`)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Canonical(in); err != nil {
			b.Fatal(err)
		}
	}
}
