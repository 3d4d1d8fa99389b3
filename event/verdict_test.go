package event

import (
	"reflect"
	"testing"
)

func TestVerdicts(t *testing.T) {
	var vs Verdicts
	vs = vs.Add(Stored, 3).Add(Stored, 1).Add(Duplicate, 2).Add(Quarantined, 0).Add(Expired, 1)
	text, _ := vs.MarshalText()
	if string(text) != "4s2d1e" || vs.Records() != 7 || vs.Count(Stored) != 4 || vs.Count(Quarantined) != 0 {
		t.Errorf("%s: %d records", text, vs.Records())
	}
	var back Verdicts
	if err := back.UnmarshalText(text); err != nil || !reflect.DeepEqual(back, vs) {
		t.Errorf("round trip gives %v, %v", back, err)
	}
	f := func(skip, n int64, want string) {
		t.Helper()
		got, _ := vs.Slice(skip, n).MarshalText()
		if string(got) != want {
			t.Errorf("Slice(%d, %d) = %s, want %s", skip, n, got, want)
		}
	}
	f(0, 7, "4s2d1e")
	f(3, 2, "1s1d")
	f(4, 2, "2d")
	f(6, 9, "1e")
	f(7, 1, "")
	for _, bad := range []string{"s", "4", "4x", "4s2", "99999999999999999999s"} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("UnmarshalText(%q) accepts it", bad)
		}
	}
}

func TestUID(t *testing.T) {
	const text = "ee702af6-14be-453d-a20a-b2f24cd0f222"
	u, ok := ParseUID("EE702AF6-14be-453d-a20a-b2f24cd0f222")
	if !ok || u.String() != text {
		t.Errorf("got %s, %v", u, ok)
	}
	for _, bad := range []string{"", "x", text[:35], text + "0", "ee702af6x14be-453d-a20a-b2f24cd0f222", "ge702af6-14be-453d-a20a-b2f24cd0f222"} {
		if _, ok := ParseUID(bad); ok {
			t.Errorf("ParseUID(%q) accepts it", bad)
		}
	}
	h := HashUID("ab", "c").String()
	if h == HashUID("a", "bc").String() {
		t.Error("parts run together")
	}
	if h[14] != '8' {
		t.Errorf("%s is not version 8", h)
	}
}
