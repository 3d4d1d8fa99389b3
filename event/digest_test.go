package event

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/internal/golden"
)

func TestParseDigest(t *testing.T) {
	content, err := os.ReadFile("testdata/digest.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDigest("logs/digest.json.gz", content)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden.Check(t, "testdata/digest.json.golden", got)
}

func TestParseDigestRefuses(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if d, err := ParseDigest("x", []byte(in)); err == nil || !strings.Contains(err.Error(), want) || !reflect.DeepEqual(d, Digest{}) {
			t.Errorf("ParseDigest(%s) = %+v, %v; want %q", in, d, err, want)
		}
	}
	f(`[]`, "digest file: json")
	f(`{}`, "awsAccountId or digestS3Object is missing")
	f(`{"awsAccountId":"1","digestS3Object":"k"}`, `digestStartTime "" is not a time`)
	f(`{"awsAccountId":"1","digestS3Object":"k","digestStartTime":"2026-01-05T10:00:00Z","digestEndTime":"now"}`, `digestEndTime "now" is not a time`)
	f(`{"awsAccountId":"1","digestS3Object":"k","digestStartTime":"2026-01-05T10:00:00Z","digestEndTime":"2026-01-05T11:00:00Z","logFiles":[{}]}`, "logFiles[0] lacks")
	f(`{"awsAccountId":7}`, "digest file: json")
}

func FuzzParseDigest(f *testing.F) {
	content, err := os.ReadFile("testdata/digest.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"awsAccountId":"1","logFiles":null}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := ParseDigest("x", in)
		if err != nil && !reflect.DeepEqual(d, Digest{}) {
			t.Errorf("%v, and a digest %+v", err, d)
		}
		if err == nil && (d.Account == "" || d.Key == "" || d.Start.IsZero() && d.End.IsZero()) {
			t.Errorf("a digest without its parts: %+v", d)
		}
	})
}
