package shared

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"testing"
)

// Records takes a file of logs apart into records, the simple way: values in a row,
// arrays, and lists under the keys that answers and test sets use. A file that is
// broken on purpose gives what stands before.
func Records(tb testing.TB, path string) []json.RawMessage {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if data, err = io.ReadAll(z); err != nil {
			tb.Fatalf("%s: %v", path, err)
		}
	}
	var out []json.RawMessage
	for dec := json.NewDecoder(bytes.NewReader(data)); ; {
		var v json.RawMessage
		if dec.Decode(&v) != nil {
			return out
		}
		out = append(out, spread(v)...)
	}
}

func spread(v json.RawMessage) (out []json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil {
		for _, r := range list {
			out = append(out, spread(r)...)
		}
		return out
	}
	var file struct {
		Records, Value, Events json.RawMessage
		Kind                   string // of one record of Google's, which has events of its own
	}
	if json.Unmarshal(v, &file) == nil && file.Kind == "" {
		for _, l := range []json.RawMessage{file.Records, file.Value, file.Events} {
			if json.Unmarshal(l, &list) == nil && len(list) > 0 {
				return list
			}
		}
	}
	return []json.RawMessage{v}
}
