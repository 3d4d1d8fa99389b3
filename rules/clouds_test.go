package rules_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// outside are the log sources of rules about clouds that are not AWS.
var outside = []match.Source{
	{Product: "gcp", Service: "gcp.audit"},
	{Product: "gcp", Service: "google_workspace.admin"},
	{Product: "azure", Service: "activitylogs"},
	{Product: "azure", Service: "auditlogs"},
	{Product: "azure", Service: "signinlogs"},
}

// The rules for Google Cloud and Azure say nothing high or critical about the
// samples that were collected of these clouds and of identity providers, but
// what its reader would want. Every record is held against every log source:
// what is of another kind has to stay quiet too. The sets named panther-tests
// hold attacks as well: deleted sinks, workspaces, keys and policies.
func TestSamplesOfOtherClouds(t *testing.T) {
	j := newJudge(t)
	levels := j.levels()
	f := func(area, set string, wanted ...string) {
		t.Helper()
		t.Run(area+"/"+set, func(t *testing.T) {
			count := map[string]int{}
			var n int
			var based []correlate.Hit
			for _, file := range files(t, shared.Dir(t, area), "") {
				name := filepath.ToSlash(file)
				if strings.Contains(name, "/panther-tests/") != (set == "panther-tests") || !isSample(name) {
					continue
				}
				for _, r := range stream(t, file) {
					n++
					for _, source := range outside {
						based = append(based, j.firedFrom(count, r, source)...)
					}
				}
			}
			j.correlated(count, based)
			t.Logf("%d records: %s", n, table(count, levels))
			if n == 0 {
				t.Error("no record was read")
			}
			for rule, n := range count {
				if l := levels[rule]; (l == "high" || l == "critical") && !slices.Contains(wanted, rule) {
					t.Errorf("%s (%s) fires %d times", rule, l, n)
				}
			}
		})
	}
	f("gcp", "ordinary")
	f("gcp", "panther-tests", "role-granted-to-private-mailbox", "key-version-destroyed", "log-sink-deleted")
	f("azure", "ordinary")
	f("azure", "panther-tests", "conditional-access-off", "key-vault-purged", "log-workspace-deleted", "risky-sign-in")
	f("identity", "ordinary")
	f("identity", "panther-tests")
}

// isSample leaves out what tells how others parse the records, and metadata.
func isSample(name string) bool {
	base := filepath.Base(name)
	return base != "SOURCE.txt" && !strings.HasSuffix(base, "-expected.json") && !strings.HasPrefix(base, "_")
}

// firedFrom adds to count which rules hold for a record, and gives what
// correlations are to know of it.
func (j *judge) firedFrom(count map[string]int, record json.RawMessage, source match.Source) (based []correlate.Hit) {
	j.t.Helper()
	hits, err := j.set.MatchJSON(j.scratch, record, source)
	if err != nil {
		j.t.Fatal(err)
	}
	for _, h := range hits {
		rule := j.set.Rule(h)
		if !j.plan.Quiet(&rule.Meta) {
			count[stem(&rule.Meta)]++
		}
		if b := j.plan.Base(rule); b != nil {
			hit, err := b.Hit(timeOf(record), "", record, nil)
			if err != nil {
				j.t.Fatal(err)
			}
			based = append(based, hit)
		}
	}
	return based
}

// timeOf is when a record says that it happened, under the names that the clouds
// have for it.
func timeOf(record json.RawMessage) time.Time {
	var at map[string]json.RawMessage
	if json.Unmarshal(record, &at) == nil {
		for _, key := range []string{"timestamp", "time", "eventTimestamp", "createdDateTime", "activityDateTime"} {
			var text string
			if json.Unmarshal(at[key], &text) != nil {
				continue
			}
			for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05"} {
				if t, err := time.Parse(layout, text); err == nil {
					return t
				}
			}
		}
	}
	return time.Time{}
}

// stream reads every JSON object of a file: one after the other, in arrays, or
// as the event of a test. Lines that are no JSON are other kinds of logs.
func stream(t testing.TB, name string) (out []json.RawMessage) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if zr, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
		if text, err = io.ReadAll(zr); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	for {
		var r json.RawMessage
		if err := dec.Decode(&r); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("%s: read up to byte %d: %v", filepath.Base(name), dec.InputOffset(), err)
			}
			return out
		}
		out = append(out, unwrap(r)...)
	}
}

func unwrap(r json.RawMessage) (out []json.RawMessage) {
	var list []json.RawMessage
	if json.Unmarshal(r, &list) == nil {
		for _, one := range list {
			out = append(out, unwrap(one)...)
		}
		return out
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(r, &o) != nil {
		return nil
	}
	for _, key := range []string{"event", "events", "Records", "records"} {
		if below := unwrap(o[key]); below != nil {
			return below
		}
	}
	return []json.RawMessage{r}
}
