package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/normalise"
)

// records takes a file of real data apart into records, the simple way.
func records(t testing.TB, path string) []json.RawMessage {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	var out []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return out // to the end, or to where a file is broken on purpose
		}
		out = append(out, spread(v)...)
	}
}

// spread takes files' wrappings off.
func spread(v json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil {
		return list
	}
	var file struct {
		Records, Events, List []json.RawMessage
		Event                 json.RawMessage
		JSON                  json.RawMessage `json:"json"`
		Data                  json.RawMessage
	}
	if json.Unmarshal(v, &file) != nil {
		return []json.RawMessage{v}
	}
	switch {
	case file.Records != nil:
		return file.Records
	case file.Events != nil:
		return file.Events
	case len(file.Event) > 0 && file.Event[0] == '{':
		return []json.RawMessage{file.Event}
	case len(file.JSON) > 0 && file.JSON[0] == '{':
		return []json.RawMessage{file.JSON}
	case len(file.Data) > 0 && file.Data[0] == '{':
		return []json.RawMessage{file.Data}
	}
	return []json.RawMessage{v}
}

// TestRealRecords: every record of every folder becomes an event that holds up,
// or is refused with a reason.
func TestRealRecords(t *testing.T) {
	root := shared.Dir(t, "cloudtrail")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	reg := normalise.NewRegistry(Normaliser{})
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			events, reasons := 0, map[string]int{}
			outcomes, callers := map[event.Outcome]int{}, map[event.Caller]int{}
			err := filepath.WalkDir(filepath.Join(root, folder.Name()), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || !strings.Contains(filepath.Base(path), ".json") && !strings.HasSuffix(path, ".log") {
					return err
				}
				for _, r := range records(t, path) {
					got, err := reg.Append(nil, event.Raw{Body: r, Received: time.Unix(1.8e9, 0)})
					if err != nil {
						reasons[err.Error()]++
						continue
					}
					events++
					outcomes[got[0].Outcome]++
					callers[got[0].Caller]++
					if why := flaw(got, r); why != "" {
						t.Errorf("%s: %s: %s", path, got[0].EventUID, why)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d events; outcomes %v; callers %v", events, outcomes, callers)
			for why, n := range reasons {
				t.Logf("%6d × %s", n, why)
			}
		})
	}
}
