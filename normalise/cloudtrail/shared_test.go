package cloudtrail

import (
	"encoding/json"
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

// records are those of a file of real data, out of what collectors put around them.
func records(t testing.TB, path string) (out []json.RawMessage) {
	t.Helper()
	for _, v := range shared.Records(t, path) {
		out = append(out, spread(v)...)
	}
	return out
}

// spread takes files' wrappings off.
func spread(v json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(v, &list) == nil {
		var out []json.RawMessage
		for _, r := range list {
			out = append(out, spread(r)...)
		}
		return out
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
		return spread(file.Data)
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
				if err != nil || d.IsDir() || strings.Contains(path, "xpected") || !strings.Contains(filepath.Base(path), ".json") && !strings.HasSuffix(path, ".log") {
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
					if events > 3000 {
						continue // the large set is much of the same
					}
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

// TestElasticMapping compares with what another reader of CloudTrail, Elastic's
// ingest pipeline, made of the same records.
func TestElasticMapping(t *testing.T) {
	dir := shared.Dir(t, "cloudtrail/elastic-aws-cloudtrail")
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	compared := 0
	for _, path := range paths {
		data, err := os.ReadFile(path + "-expected.json")
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Expected []struct {
				Time  time.Time `json:"@timestamp"`
				Event struct{ Action, Outcome, ID string }
				User  struct {
					Name   string
					Target struct{ Name string }
				}
				Source struct{ Address string }
				Cloud  struct {
					Account struct{ ID string }
					Region  string
				}
			}
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		got := records(t, path)
		if len(got) != len(want.Expected) {
			t.Fatalf("%s: %d records, %d expected", path, len(got), len(want.Expected))
		}
		for i, r := range got {
			w := want.Expected[i]
			events, err := Normaliser{}.Append(nil, event.Raw{Body: r})
			if err != nil || w.Event.Action == "" {
				continue // a digest, an Insight
			}
			compared++
			e := events[0]
			same := func(what, got, want string) {
				t.Helper()
				if got != want {
					t.Errorf("%s %s: %s %q, want %q", filepath.Base(path), w.Event.ID, what, got, want)
				}
			}
			outcome := "failure"
			if e.Outcome == event.Success {
				outcome = "success"
			}
			same("action", e.APIOperation, w.Event.Action)
			same("outcome", outcome, w.Event.Outcome)
			same("id", e.EventUID, w.Event.ID)
			same("user", e.ActorName, w.User.Name)
			same("address", e.SrcIP, w.Source.Address)
			same("account", e.ActorAccountUID, w.Cloud.Account.ID)
			same("region", e.Region, w.Cloud.Region)
			same("time", e.Time.Format(time.RFC3339), w.Time.Format(time.RFC3339))
			if target := w.User.Target.Name; target != "" {
				same("target", afterLast(e.ResourceUID, '/'), target)
			}
		}
	}
	if compared < 15 {
		t.Errorf("compared only %d records", compared)
	}
}

// TestRansomwareLab holds the counts of a set whose records are all genuine:
// everything is read, and nothing but two trails' deliveries shares an id.
func TestRansomwareLab(t *testing.T) {
	root := shared.Dir(t, "cloudtrail/sans504-s3-ransomware")
	reg := normalise.NewRegistry(Normaliser{})
	read, uids, twins := 0, map[event.UID]bool{}, 0
	var events []event.Event
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".gz") {
			return err
		}
		for _, r := range records(t, path) {
			read++
			if events, err = reg.Append(events[:0], event.Raw{Body: r}); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			uids[events[0].UID] = true
			if events[0].Twin {
				twins++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read != 29462 || len(uids) != 23029 {
		t.Errorf("%d records, %d ids; want 29462 and 23029", read, len(uids))
	}
	t.Logf("%d twins", twins)
}
