package event

import (
	"reflect"
	"testing"
)

func TestFormats(t *testing.T) {
	var fs Formats
	fs = fs.Add("gcp.audit", 3).Add("gcp.audit", 1).Add("", 2).Add("none", 0).Add("okta.system", 1)
	text, err := fs.MarshalText()
	if err != nil || string(text) != "4 gcp.audit,2 ,1 okta.system" || fs.Records() != 7 {
		t.Errorf("%s: %d records, %v", text, fs.Records(), err)
	}
	var back Formats
	if err := back.UnmarshalText(text); err != nil || !reflect.DeepEqual(back, fs) {
		t.Errorf("round trip gives %v, %v", back, err)
	}
	for position, want := range []string{"gcp.audit", "gcp.audit", "gcp.audit", "gcp.audit", "", "", "okta.system", ""} {
		if got := fs.At(int64(position)); got != want {
			t.Errorf("At(%d) = %q, want %q", position, got, want)
		}
	}
	f := func(skip, n int64, want Formats) {
		t.Helper()
		if got := fs.Slice(skip, n); !reflect.DeepEqual(got, want) {
			t.Errorf("Slice(%d, %d) = %v, want %v", skip, n, got, want)
		}
	}
	f(3, 2, Formats{{1, "gcp.audit"}, {1, ""}})
	f(6, 3, Formats{{1, "okta.system"}, {2, ""}})
	f(9, 1, Formats{{1, ""}})
	for _, bad := range []string{"x", "0 a", "-1 a", "3 a,", "99999999999999999999 a"} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("UnmarshalText(%q) accepts it", bad)
		}
	}
	if text, err := (Formats{{5, ""}}).MarshalText(); len(text) > 0 || err != nil {
		t.Errorf("where nothing is known there is text: %q, %v", text, err)
	}
	if _, err := (Formats{{5, "a,b"}}).MarshalText(); err == nil {
		t.Error("a name with a comma is written")
	}
}
