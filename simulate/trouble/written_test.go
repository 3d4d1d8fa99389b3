package trouble_test

import (
	"bufio"
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

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/trouble"
)

// record is what a test wants to know of a record of CloudTrail.
type record struct {
	EventID      string    `json:"eventID"`
	EventTime    time.Time `json:"eventTime"`
	EventName    string    `json:"eventName"`
	Region       string    `json:"awsRegion"`
	IP           string    `json:"sourceIPAddress"`
	ErrorCode    string    `json:"errorCode"`
	ErrorMessage string    `json:"errorMessage"`
	Console      string    `json:"sessionCredentialFromConsole"`
	Identity     struct {
		ARN       string `json:"arn"`
		InvokedBy string `json:"invokedBy"`
		Context   struct {
			Issuer struct {
				ARN string `json:"arn"`
			} `json:"sessionIssuer"`
		} `json:"sessionContext"`
	} `json:"userIdentity"`
	Response struct {
		ConsoleLogin string `json:"ConsoleLogin"`
	} `json:"responseElements"`
}

func (r *record) principal() string {
	if r.Identity.Context.Issuer.ARN != "" {
		return r.Identity.Context.Issuer.ARN
	}
	return r.Identity.ARN
}

func (r *record) read() bool {
	switch r.EventName {
	case "GetSecretValue", "GetParameter", "Decrypt":
		return r.Identity.InvokedBy == ""
	}
	return false
}

// written writes a small world and gives its labels with their records, each
// once.
func written(t *testing.T, c simulate.Config) map[*estate.Label][]record {
	t.Helper()
	dir := t.TempDir()
	if _, err := c.Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	out, of := map[*estate.Label][]record{}, map[string]*estate.Label{}
	f, err := os.Open(filepath.Join(dir, "labels.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		l := &estate.Label{}
		if err := json.Unmarshal(lines.Bytes(), l); err != nil {
			t.Fatal(err)
		}
		out[l] = nil
		for _, id := range l.Events {
			if of[id] != nil {
				t.Errorf("%s is of %s and of %s", id, of[id].ID, l.ID)
			}
			of[id] = l
		}
	}
	seen := map[string]bool{}
	each := func(line []byte) {
		const mark = `"eventID":"`
		i := bytes.Index(line, []byte(mark)) + len(mark)
		id := string(line[i : i+36])
		l := of[id]
		if l == nil || seen[id] {
			return
		}
		seen[id] = true
		var r record
		if err := json.Unmarshal(line, &r); err != nil || r.EventID != id {
			t.Fatal(err, r.EventID, id)
		}
		out[l] = append(out[l], r)
	}
	if err := filepath.WalkDir(filepath.Join(dir, "logs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		gz, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		all, err := io.ReadAll(gz)
		if err != nil {
			return err
		}
		const begin = `{"eventVersion":`
		for rest := bytes.TrimSuffix(all, []byte("]}")); ; {
			i := bytes.LastIndex(rest, []byte(begin))
			if i < 0 {
				return nil
			}
			each(bytes.TrimSuffix(rest[i:], []byte(",")))
			rest = rest[:i]
		}
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWritten reads the records that labels name, and holds them against what
// the labels say.
func TestWritten(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a whole world")
	}
	for l, records := range written(t, simulate.Config{Seed: 21, Days: 30, Accounts: 8, Secrets: 80}) {
		if l.Kind == trouble.KindChain && !l.Benign {
			continue // its parts have the records
		}
		if len(records) == 0 || len(records) != len(l.Events) {
			t.Errorf("%s (%s): %d records of %d", l.ID, l.Sort, len(records), len(l.Events))
			continue
		}
		var own, reads, denied, forbidden, console, failed int
		for i := range records {
			r := &records[i]
			if r.EventTime.Before(l.Start) || !r.EventTime.Before(l.End) {
				t.Errorf("%s (%s): %s at %v, not in [%v, %v)", l.ID, l.Sort, r.EventName, r.EventTime, l.Start, l.End)
			}
			count := func(n *int, yes bool) {
				if yes {
					*n++
				}
			}
			count(&own, r.principal() == l.Principal)
			count(&reads, r.read() && r.ErrorCode == "")
			count(&denied, r.ErrorCode != "")
			count(&forbidden, strings.Contains(r.ErrorMessage, " control policy"))
			count(&console, r.read() && r.Console == "true")
			count(&failed, r.Response.ConsoleLogin == "Failure")
		}
		if own == 0 {
			t.Errorf("%s (%s): nothing is by %s", l.ID, l.Sort, l.Principal)
		}
		if l.Benign {
			continue
		}
		short := func(got, want int, what string) {
			if got < want {
				t.Errorf("%s (%s, difficulty %d): %d %s, want %d or more", l.ID, l.Sort, l.Difficulty, got, what, want)
			}
		}
		switch l.Kind {
		case finding.SignFrequency:
			short(reads, int(trouble.BurstSmall.Least), "reads")
		case finding.SignCaller, finding.SignGroup, finding.SignRegion:
			short(reads, 1, "reads")
		case finding.SignFailures:
			short(denied+failed, int(trouble.SignInSlow.Least), "failures")
		case finding.SignView:
			short(console, 1, "secrets opened in the console")
		case finding.SignDenials:
			short(forbidden, int(trouble.DenialsFew.Least), "denials by policy")
		}
	}
}
