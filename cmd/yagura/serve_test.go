package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	lakememory "github.com/yagura-sec/yagura/lake/memory"
	"github.com/yagura-sec/yagura/ledger"
	ledgermemory "github.com/yagura-sec/yagura/ledger/memory"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/triage"
	triagememory "github.com/yagura-sec/yagura/triage/memory"
)

// suspicious finds something in every event, and cannot keep it while broken.
type suspicious struct {
	triagememory.Store
	broken func() error
}

func (s *suspicious) Judge(_ context.Context, batch event.BatchID, events []event.Event) (j finding.Judged, err error) {
	for _, e := range events {
		o := finding.Occurrence{Batch: batch, FirstSeen: e.Time, LastSeen: e.Time, Count: 1}
		o.Key, o.Kind, o.Title, o.Severity, o.Confidence = finding.Key(e.UID.String()), finding.KindRule, "seen", finding.Low, 1
		j.Occurrences = append(j.Occurrences, o)
	}
	return j, nil
}

func (s *suspicious) Record(ctx context.Context, b event.BatchID, j finding.Judged) error {
	if s.broken != nil {
		if err := s.broken(); err != nil {
			return err
		}
	}
	return s.Store.Record(ctx, b, j)
}

// lines writes a file of records.
func lines(t *testing.T, path string, from, to int) {
	t.Helper()
	var text strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&text, "{\"at\":%d}\n", i)
	}
	write(t, path, text.String())
}

// memoryServer is a server over rooms in memory, with one source: the folder
// logs of its data directory, in which each line is an event.
func memoryServer(t *testing.T, records int, seen *suspicious) *server {
	t.Helper()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return noon.Add(time.Hour) }
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	lines(t, filepath.Join(logs, "1.jsonl"), 0, records)
	c, err := config.Parse("test", fmt.Appendf(nil, "sources:\n  - {type: file, paths: [%s], input_format: jsonl}\n", logs))
	if err != nil {
		t.Fatal(err)
	}
	p := &program{world: world{now: now, stderr: os.Stderr}, cfg: c, dir: dir}
	s := &server{program: p, rooms: &rooms{ledger: ledgermemory.New(ledger.Options{Now: now}), rules: rule.NewLive(p.detector(nil))}}
	s.rooms.hunter.Store(catalogue.Hunter(s.rooms.rules.Detector(), stored.Source{}, true, nil))
	s.rooms.hunting = pipeline.NewHunting(pipeline.HuntRooms{Triage: seen}, pipeline.HuntOptions{Now: now})
	s.pipe = pipeline.New(pipeline.Rooms{
		Normalise: func(dst []event.Event, r event.Raw) ([]event.Event, error) {
			return append(dst, event.Event{UID: event.HashUID(string(r.Body)), Time: noon, IngestTime: r.Received, Raw: r.Body}), nil
		},
		Lake: &lakememory.Store{}, Detectors: []detect.Detector{seen}, Triage: seen, Ledger: s.rooms.ledger,
	}, pipeline.Options{Now: now, Wait: 100 * time.Millisecond})
	if err := s.plan(); err != nil {
		t.Fatal(err)
	}
	for _, x := range append(s.intake, s.merge, s.upkeep, s.hunt) {
		x.warn = quiet
	}
	return s
}

// TestTakeRecovers: a batch that was stored when a later room failed is carried
// on before its source is read again, by which its records are known already.
func TestTakeRecovers(t *testing.T) {
	seen := &suspicious{}
	s := memoryServer(t, 20, seen)
	failed := false
	seen.broken = func() error {
		if failed {
			return nil
		}
		failed = true
		// So that its records come in another batch the next time.
		lines(t, filepath.Join(s.dir, "logs", "2.jsonl"), 20, 50)
		return errBroken
	}
	if err := s.take(t.Context(), 0, s.intake[0]); err != nil {
		t.Fatal(err)
	}
	totals, err := s.rooms.ledger.Totals(t.Context())
	if want := (ledger.Totals{Objects: 2, Read: 50, Stored: 50}); err != nil || totals != want {
		t.Errorf("%+v, want %+v; %v", totals, want, err)
	}
	if found, _, err := seen.List(t.Context(), triage.Filter{}); len(found) != 50 || err != nil {
		t.Errorf("%d of 50 events were judged; %v", len(found), err)
	}
	if stats := s.pipe.Stats(); stats.Stored != 50 || stats.Duplicate != 0 {
		t.Errorf("carried %+v", stats)
	}
	if since, n, _ := s.intake[0].state(); !since.IsZero() || n != 1 {
		t.Errorf("at the end: not working since %v, %d errors", since, n)
	}
}

// TestMetrics: the metrics tell what is so, and docs/api.md names each of ours.
func TestMetrics(t *testing.T) {
	s := memoryServer(t, 3, &suspicious{})
	if err := s.take(t.Context(), 0, s.intake[0]); err != nil {
		t.Fatal(err)
	}
	s.merge.fails(errBroken)
	w := httptest.NewRecorder()
	s.metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	got := w.Body.String()
	for _, line := range []string{
		`yagura_records_total{verdict="stored"} 3`, `yagura_intake_up{source="0:file"} 1`, `yagura_intake_errors_total{source="0:file"} 0`,
		`yagura_upkeep_up{task="merge"} 0`, `yagura_upkeep_errors_total{task="merge"} 1`, `yagura_upkeep_up{task="upkeep"} 1`, `yagura_upkeep_up{task="hunt"} 1`,
		`yagura_hunt_marked_hours 0`,
		`yagura_ledger_objects 1`, `yagura_ledger_records{verdict="stored"} 3`, `yagura_ledger_records{verdict="quarantined"} 0`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("there is no %s", line)
		}
	}
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	names := func(text, pattern string) (out []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			out = append(out, m[1])
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	is, said := names(got, `(?m)^# TYPE (yagura_\w+)`), names(string(text), `\b(yagura_\w+)`)
	if !slices.Equal(is, said) {
		t.Errorf("the metrics are\n%q, docs/api.md names\n%q", is, said)
	}
}

// TestStopped: what everybody is told of a source that does not work.
func TestStopped(t *testing.T) {
	s := memoryServer(t, 1, &suspicious{})
	if got := s.stopped(); len(got) != 0 {
		t.Errorf("at first %+v", got)
	}
	s.intake[0].fails(errors.New("open /secret/path"))
	got := s.stopped()
	if len(got) != 1 || got[0].Source != "0:file" || got[0].Since.IsZero() || strings.Contains(got[0].Reason, "secret") {
		t.Errorf("got %+v", got)
	}
	s.intake[0].works()
	if got := s.stopped(); len(got) != 0 {
		t.Errorf("at last %+v", got)
	}
}
