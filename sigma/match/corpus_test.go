package match

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/ir"
)

// sharedFile is a path below the folder of shared data, or the test is skipped.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("../shared/data/%s is not here", name)
	}
	return path
}

// unrouted takes the log sources of rules away, and gives each an id of its own.
func unrouted(rules []*sigma.Rule) []*sigma.Rule {
	var out []*sigma.Rule
	for i, r := range rules {
		loose := *r
		loose.LogSource, loose.ID = sigma.LogSource{}, fmt.Sprint(i)
		out = append(out, &loose)
	}
	return out
}

// agreeOnSome holds all rules against a record the fast way, and those that
// match, those that were candidates and some others the plain way as well. It
// gives how many match.
func agreeOnSome(t *testing.T, r *rand.Rand, s *Set, sc *Scratch, record []byte, others int) int {
	t.Helper()
	got, err := s.MatchJSON(sc, record, Source{})
	if err != nil {
		t.Fatalf("%.300s: %v", record, err)
	}
	ask := slices.Clone(got)
	for _, i := range sc.cands {
		ask = append(ask, int(i))
	}
	for range others {
		ask = append(ask, r.IntN(s.Len()))
	}
	known := map[int32]*ir.Field{}
	for _, i := range ask {
		if want := s.referenceRule(known, record, i); want != slices.Contains(got, i) {
			t.Fatalf("rule %q (%s)\nrecord %.2000s\nmatches by reference: %v", s.Rule(i).Title, s.Rule(i).File, record, want)
		}
	}
	return len(got)
}

// All rules of the corpus in one set, against the events of all its cases.
func TestAgreesOnCorpus(t *testing.T) {
	text, err := os.ReadFile(sharedFile(t, "sigma-cases/cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var rules []*sigma.Rule
	var events [][]byte
	values := map[string][]string{}
	last := ""
	for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
		var c struct {
			Rule         string
			Event        json.RawMessage
			Events       []json.RawMessage
			Placeholders map[string][]string
		}
		if err := dec.Decode(&c); err != nil {
			t.Fatal(err)
		}
		if c.Rule != last {
			docs, _ := sigma.Parse("case.yml", []byte(c.Rule)) // some are to be refused
			rules, last = append(rules, docs.Rules...), c.Rule
		}
		for name, list := range c.Placeholders {
			values[name] = list
		}
		for _, event := range append(c.Events, c.Event) {
			if len(event) > 0 && event[0] == '{' {
				events = append(events, event)
			}
		}
	}
	s, _ := Compile(unrouted(rules), Options{Placeholders: values})
	sc, r, hits := s.NewScratch(), rand.New(rand.NewPCG(1, 3)), 0
	for _, event := range events {
		hits += agreeOnSome(t, r, s, sc, event, 40)
	}
	t.Logf("%d rules, %d events, %d matches", s.Len(), len(events), hits)
	if s.Len() < 300 || len(events) < 1500 || hits < 5000 {
		t.Error("that is too little")
	}
}

// All rules of SigmaHQ, unrouted, against records of a real trail and of Windows.
func TestAgreesOnSigmaHQ(t *testing.T) {
	var docs sigma.Documents
	for _, folder := range []string{"rules", "rules-compliance", "rules-emerging-threats", "rules-threat-hunting"} {
		some, _ := sigma.LoadPath(filepath.Join(sharedFile(t, "sigma/sigmahq-rules"), folder))
		docs.Add(some)
	}
	s, _ := Compile(unrouted(docs.Rules), Options{})
	sc, r := s.NewScratch(), rand.New(rand.NewPCG(5, 7))
	f := func(what string, records [][]byte, others, least int) {
		t.Helper()
		hits := 0
		for _, record := range records {
			hits += agreeOnSome(t, r, s, sc, record, others)
		}
		t.Logf("%s: %d rules, %d records, %d matches", what, s.Len(), len(records), hits)
		if len(records) < 50 || hits < least {
			t.Errorf("%s: that is too little", what)
		}
	}
	f("Windows", windowsRecords(t), 300, 100)
	f("CloudTrail", trailRecords(t, 40), 40, 1)
}

func windowsRecords(t *testing.T) [][]byte {
	var out [][]byte
	err := filepath.WalkDir(sharedFile(t, "sigma/sigmahq-regression"), func(name string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".json" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, record := range recordsOf(text) {
			if record[0] == '{' {
				out = append(out, record, flat(record))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// flat gives the fields that Windows nests at the top, where rules look for
// them.
func flat(record []byte) []byte {
	var event struct {
		Event struct{ System, EventData map[string]any }
	}
	_ = json.Unmarshal(record, &event) // of another shape: then there is nothing to lift
	all := map[string]any{}
	for _, part := range []map[string]any{event.Event.System, event.Event.EventData} {
		for k, v := range part {
			all[k] = v
		}
	}
	text, _ := json.Marshal(all) // what was decoded can be encoded
	return text
}

// trailRecords are the records of every n-th file of a real trail.
func trailRecords(t *testing.T, n int) [][]byte {
	names, _ := filepath.Glob(filepath.Join(sharedFile(t, "cloudtrail/sans504-s3-ransomware"), "*", "*", "*", "*", "*.gz"))
	var out [][]byte
	for i := 0; i < len(names); i += n {
		packed, err := os.Open(names[i])
		if err != nil {
			t.Fatal(err)
		}
		plain, err := gzip.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Records []json.RawMessage }
		if err := json.NewDecoder(plain).Decode(&file); err != nil {
			t.Fatal(err)
		}
		packed.Close()
		for _, record := range file.Records {
			out = append(out, record)
		}
	}
	return out
}
