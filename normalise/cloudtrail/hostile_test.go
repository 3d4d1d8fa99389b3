package cloudtrail

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/golden"
)

// TestWrongTypes puts odd values in the place of every value of every fixture,
// and takes every value out: the record stays an event without a
// flaw, unless it was the time or the name, or what it came wrapped in.
func TestWrongTypes(t *testing.T) {
	odd := []any{
		nil, true, json.Number("7"), json.Number("-1e999"), "x", "", "arn:", "arn:aws:iam::1:role/", ":", "/",
		[]any{}, []any{[]any{"a"}, nil}, map[string]any{}, map[string]any{"": map[string]any{"a": 1}},
		strings.Repeat("é", column.Max), "\x00\x1b", "arn:aws:sts::111122223333:assumed-role/",
	}
	tried, refused := 0, 0
	for _, in := range golden.Inputs(t, "testdata/*.json") {
		path := in.Path
		var root any
		dec := json.NewDecoder(bytes.NewReader(in.Body))
		dec.UseNumber()
		if err := dec.Decode(&root); err != nil {
			t.Fatal(err)
		}
		try := func(where string) {
			body, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			tried++
			got, err := Normaliser{}.Append(nil, event.Raw{Body: body, Received: received})
			if err != nil {
				refused++
				if len(got) != 0 || !mayRefuse(where) || !strings.Contains(err.Error(), "eventTime") && !strings.Contains(err.Error(), "eventName") && !strings.Contains(err.Error(), "JSON") {
					t.Errorf("%s at %s: %v", path, where, err)
				}
				return
			}
			if why := flaw(got, body); why != "" {
				t.Errorf("%s at %s: %s\n%s", path, where, why, body)
			}
		}
		if golden, err := os.ReadFile(path + ".golden"); err != nil || strings.HasPrefix(string(golden), "error") {
			continue
		}
		mutate(root, "", odd, try)
	}
	t.Logf("%d records, %d refused", tried, refused)
	if tried < 8000 || refused == 0 {
		t.Errorf("only %d records tried, %d refused", tried, refused)
	}
}

func mayRefuse(where string) bool {
	for _, part := range []string{"/eventTime", "/eventName", "/detail", "/CloudTrailEvent", "/message", "/@timestamp", "/insightDetails"} {
		if where == part || strings.HasPrefix(where, part+"/event") || where == "/detail"+part {
			return true
		}
	}
	return false
}

// mutate calls try with each value below v replaced by odd ones in turn, and
// with each member taken out, and restores it.
func mutate(v any, where string, odd []any, try func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			old := v[k]
			for i := len(k) % 3; i < len(odd); i += 3 { // a third of them at each place
				v[k] = odd[i]
				try(where + "/" + k)
			}
			delete(v, k)
			try(where + "/" + k)
			v[k] = old
			mutate(old, where+"/"+k, odd, try)
		}
	case []any:
		for i, old := range v {
			for at := i % 3; at < len(odd); at += 3 {
				v[i] = odd[at]
				try(where + "/#")
			}
			v[i] = old
			mutate(old, where+"/#", odd, try)
		}
	}
}

func TestRefused(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		dst := []event.Event{{EventUID: "kept"}}
		got, err := Normaliser{}.Append(dst, event.Raw{Body: []byte(body)})
		if err == nil || !strings.Contains(err.Error(), want) || len(got) != 1 {
			t.Errorf("%.80q: %d events, %v; want %q", body, len(got)-1, err, want)
		}
	}
	const head = `{"eventVersion":"1.08","eventSource":"s3.amazonaws.com","eventName":"ListBuckets",`
	f("", "the record is not JSON: byte 0")
	f("null", "the record is null, not a JSON object")
	f(`[{}]`, "the record is an array")
	f(`{}`, "eventTime is missing")
	f(head+`"eventTime":null}`, "eventTime is null")
	f(head+`"eventTime":"2026-13-01T00:00:00Z"}`, `eventTime is "2026-13-01T00:00:00Z"`)
	f(head+`"eventTime":"`+strings.Repeat("9", 1000)+`"}`, "eventTime is a long string")
	f(head+`"eventTime":-1}`, `eventTime is "-1"`)
	f(head+`"eventTime":1e300}`, `eventTime is "1e300"`)
	f(head+`"eventTime":{}}`, "eventTime is an object")
	f(head+`"eventTime":"2026-03-01T00:00:00Z"`, "the record is not JSON: byte ")
	f(head+`"eventTime":"2026-03-01T00:00:00Z","userAgent":"`+"\xc3\x28"+`"}`, "byte 130: not valid UTF-8")
	f(head+`"eventTime":"2026-03-01T00:00:00Z","userAgent":"`+"\x00"+`"}`, "a control character in a string")
	f(head+`"eventTime":"2026-03-01T00:00:00Z","x":NaN}`, "not a JSON value")
	f(head+`"eventTime":"2026-03-01T00:00:00Z","x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`, "nested deeper than 200")
	f(`{"eventTime":"2026-03-01T00:00:00Z","eventSource":"s3.amazonaws.com"}`, "eventName is missing")
	f(`{"eventTime":"2026-03-01T00:00:00Z","eventName":""}`, `eventName is ""`)
	f(`{"CloudTrailEvent":"nonsense"}`, "in CloudTrailEvent: the record is not JSON: byte 0")
	inner := "{}"
	for range 5 {
		quoted, _ := json.Marshal(inner)
		inner = `{"message":` + string(quoted) + `}`
	}
	f(inner, "more envelopes than Yagura opens")
}

func TestHuge(t *testing.T) {
	long := strings.Repeat("x", 5<<20)
	body := `{"userIdentity":{"type":"IAMUser","userName":"` + long + `","accountId":"` + long + `","arn":"arn:aws:iam::1:user/` + long + `"},"eventTime":"2026-03-01T00:00:00Z","eventSource":"` + long + `","eventName":"` + long + `","errorCode":"` + long + `","requestParameters":{"a":"arn:aws:s3:::` + long + `"}}`
	got, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	if why := flaw(got, []byte(body)); why != "" {
		t.Errorf("%.500s", why)
	}
	if len(got[0].Raw) != len(body) || len(got[0].Message) > 2000 {
		t.Errorf("raw of %d bytes, message of %d", len(got[0].Raw), len(got[0].Message))
	}
}

// TestReaderLeavesNothing: what one record leaves in a reader never shows in
// another's event, and events are right when many goroutines read.
func TestReaderLeavesNothing(t *testing.T) {
	inputs := golden.Inputs(t, "testdata/*.json")
	var want [][]byte
	for _, in := range inputs {
		want = append(want, shown(t, in.Body))
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 5 * len(inputs) {
				i := (n*(2*g+1) + g) % len(inputs)
				if got := shown(t, inputs[i].Body); string(got) != string(want[i]) {
					t.Errorf("%s: %s, was %s", inputs[i].Path, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}
