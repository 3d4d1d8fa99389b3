package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/simulate"
)

// correlations that find something in every sample organisation.
const correlations = `title: Busy
name: busy
level: low
correlation:
  type: event_count
  rules: [reading]
  group-by: [actor_uid, src_ip]
  timespan: 10m
  condition: {gte: 8}
---
title: In several regions
name: regions
level: low
correlation:
  type: value_count
  rules: [reading, taking]
  group-by: [actor_uid]
  timespan: 1h
  condition: {field: awsRegion, gte: 2}
---
title: Busy, then a key is used
name: busy_then_key
level: medium
correlation:
  type: temporal_ordered
  rules: [busy, using]
  group-by: [actor_uid]
  timespan: 30m
  generate: true
---
title: Something is read
name: reading
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName|startswith: [Get, List, Describe]}
  condition: sel
---
title: A role is taken
name: taking
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName|startswith: Assume}
  condition: sel
---
title: A key is used
name: using
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName|startswith: [Decrypt, GenerateDataKey]}
  condition: sel
`

// ownRules writes those correlations into a folder.
func ownRules(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "correlations.yml"), []byte(correlations), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// correlated is all that is said of correlations in a data directory.
func correlated(t *testing.T, data string) (text string, n int) { return said(t, data, "correlation") }

// said is all that findings of a kind say, by key: what they come to in order of
// priority depends on how far principals reach, which a server judges by and by.
func said(t *testing.T, data, kind string) (text string, n int) {
	t.Helper()
	type finding struct {
		Key, Kind, Rule, Title, Actor, Resource, Account, Region string
		First                                                    string `json:"first_seen"`
		Last                                                     string `json:"last_seen"`
		Count                                                    int64
		Reasons, Evidence, Next, Anomaly                         any
		ExplainedBy                                              any `json:"explained_by"`
	}
	var all struct{ Findings []finding }
	decode(t, yagura(t, data, "findings", "list", "--demoted", "--kind", kind, "--format", "json"), &all)
	slices.SortFunc(all.Findings, func(a, b finding) int { return strings.Compare(a.Key, b.Key) })
	out, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out), len(all.Findings)
}

// TestCorrelationsAnyOrder: what correlations say does not depend on the order
// in which objects are delivered, nor on how many runs that takes.
func TestCorrelationsAnyOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("ingests a sample organisation three times")
	}
	dir := t.TempDir()
	logs, rules := filepath.Join(dir, "logs"), ownRules(t)
	if _, err := (simulate.Organisation{Seed: 5, Accounts: 3, Days: 2, Records: 12_000}).Write(context.Background(), logs); err != nil {
		t.Fatal(err)
	}
	files := filesIn(t, logs)
	ingest := func(data string, files ...string) {
		t.Helper()
		yagura(t, data, append([]string{"ingest", "--rules", rules}, files...)...)
	}
	whole := filepath.Join(dir, "whole")
	ingest(whole, logs)
	want, n := correlated(t, whole)
	for _, title := range []string{"In several regions", "Busy, then a key is used", "Busy"} {
		if !strings.Contains(want, `"Title": "`+title+`"`) {
			t.Errorf("%q finds nothing: the test shows too little", title)
		}
	}
	t.Logf("%d findings of correlations over %d objects", n, len(files))

	f := func(name string, pieces int, order func()) {
		t.Helper()
		order()
		data := filepath.Join(dir, name)
		for piece := range slices.Chunk(files, len(files)/pieces+1) {
			ingest(data, piece...)
		}
		got, _ := correlated(t, data)
		compare(t, map[string]string{"findings of correlations, " + name: want}, map[string]string{"findings of correlations, " + name: got})
	}
	f("backwards", 6, func() { slices.Reverse(files) })
	rng := rand.New(rand.NewPCG(5, 5))
	f("shuffled", 3, func() { rng.Shuffle(len(files), func(i, k int) { files[i], files[k] = files[k], files[i] }) })
}

// TestServeCorrelates: a server finds what an ingest does, as objects arrive in
// a folder, and although it is killed in between.
func TestServeCorrelates(t *testing.T) {
	if testing.Short() {
		t.Skip("serves for a while")
	}
	dir := t.TempDir()
	logs, rules := filepath.Join(dir, "logs"), ownRules(t)
	if _, err := (simulate.Organisation{Seed: 6, Accounts: 2, Days: 1, Records: 4000}).Write(context.Background(), logs); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(dir, "whole")
	yagura(t, whole, "ingest", "--rules", rules, logs)
	want, n := correlated(t, whole)
	if n == 0 {
		t.Fatal("no correlation finds anything: the test shows too little")
	}
	inbox, data := filepath.Join(dir, "inbox"), filepath.Join(dir, "data")
	if err := os.Mkdir(inbox, 0o700); err != nil {
		t.Fatal(err)
	}
	serving := func() *server {
		return serveWith(t, data, "127.0.0.1:0", fmt.Sprintf("rules: {dirs: [%s]}\nsources:\n  - {type: file, paths: [%s], follow: true, poll: 100ms}\n", rules, inbox))
	}
	files := filesIn(t, logs)
	arrive := func(some []string) {
		t.Helper()
		for _, path := range some { // whole at once, as from a bucket
			if err := os.Rename(path, filepath.Join(inbox, filepath.Base(path))); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := serving()
	arrive(files[len(files)/2:]) // the later ones first
	waitFor(t, "a first finding of a correlation", func() bool { _, n := correlated(t, data); return n > 0 })
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // it says that it was killed
	s = serving()
	arrive(files[:len(files)/2])
	got := ""
	for end := time.Now().Add(time.Minute); got != want && time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		got, _ = correlated(t, data)
	}
	compare(t, map[string]string{"findings of correlations": want}, map[string]string{"findings of correlations": got})
	if _, body := s.ask("/metrics", nil); !strings.Contains(body, "yagura_hunt_overflow_total 0\n") || strings.Contains(body, "yagura_hunts_total 0\n") {
		t.Error("the metrics tell of no hunt, or of an overflow")
	}
}

func filesIn(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
