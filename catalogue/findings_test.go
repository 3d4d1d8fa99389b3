package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/detect/external"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/source/file"
	"github.com/yagura-sec/yagura/triage"
)

// taken is what became of a folder of findings: read by the file source, made
// events, judged and folded, as an ingest does it.
type taken struct {
	objects, records, duplicates int
	events                       map[string]int // by format
	rejects                      map[string]int // by reason
	findings                     []finding.Finding
	sources                      map[string]map[string]bool // formats by key
}

func take(t *testing.T, dirs ...string) taken {
	t.Helper()
	var mu sync.Mutex
	out := taken{events: map[string]int{}, rejects: map[string]int{}, sources: map[string]map[string]bool{}}
	seen := map[event.UID]bool{}
	occurrences := map[string][]finding.Occurrence{}
	detector, formats := &external.Detector{}, Formats()
	src, err := file.New(file.Config{Paths: dirs, Now: func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	err = src.Run(t.Context(), func(ctx context.Context, b event.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		var fresh []event.Event
		for _, r := range b.Rejects {
			out.rejects[r.Reason]++
			out.records++
		}
		for _, s := range b.Spans {
			if s.Final || s.AtEnd || s.Failure != "" {
				out.objects++
			}
		}
		for _, raw := range b.Raws {
			out.records++
			events, err := formats.Append(nil, raw)
			switch {
			case err != nil:
				out.rejects[err.Error()]++
			case seen[events[0].UID]:
				out.duplicates++
			default:
				seen[events[0].UID] = true
				out.events[events[0].Format]++
				fresh = append(fresh, events...)
				out.tell(t, events[0])
			}
		}
		j, err := detector.Judge(ctx, b.ID(), fresh)
		for _, o := range j.Occurrences {
			occurrences[o.Key] = append(occurrences[o.Key], o)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := detector.Unread(); n > 0 {
		t.Errorf("%d events of findings could not be read again", n)
	}
	for _, key := range slices.Sorted(maps.Keys(occurrences)) {
		out.findings = append(out.findings, finding.Fold(occurrences[key]))
	}
	return out
}

// tell notes in which format an event came.
func (x *taken) tell(t *testing.T, e event.Event) {
	a, err := alert.Read(e.Format, e.Raw)
	if !slices.Contains(alert.Formats, e.Format) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	key := external.Key(a.Ref)
	if x.sources[key] == nil {
		x.sources[key] = map[string]bool{}
	}
	x.sources[key][e.Format] = true
}

// TestFindings takes in our own fixtures in every shape that a file may have:
// one a line, an API's answer, an array, events.
func TestFindings(t *testing.T) {
	dir := t.TempDir()
	var lines, elements []string
	err := filepath.WalkDir("../alert/testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" || strings.HasPrefix(d.Name(), "bad-") {
			return err
		}
		body, err := os.ReadFile(path)
		lines = append(lines, strings.Join(strings.Fields(string(body)), " "))
		elements = append(elements, string(body))
		return err
	})
	if err != nil || len(lines) < 40 {
		t.Fatalf("%d fixtures, %v", len(lines), err)
	}
	f := func(name, text string) taken {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := take(t, path)
		if got.records != len(lines) || len(got.rejects) > 0 || got.duplicates > 0 {
			t.Errorf("%s: %d records of %d, %d duplicates, refused %v", name, got.records, len(lines), got.duplicates, got.rejects)
		}
		return got
	}
	all := strings.Join(elements, ",\n")
	want := f("lines.jsonl", strings.Join(lines, "\n"))
	for name, text := range map[string]string{
		"array.json": "[" + all + "]", "row.json": strings.Join(elements, "\n"),
		"answer.json": `{"Findings":[` + all + `],"NextToken":"t"}`, "value.json": `{"value":[` + all + `]}`,
		"event.json":    `{"version":"0","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","detail":{"findings":[` + all + `]}}`,
		"recorded.json": `{"status_code":200,"data":{"ResponseMetadata":{},"Findings":[` + all + `]}}`,
	} {
		got := f(name, text)
		if len(got.findings) != len(want.findings) {
			t.Errorf("%s gives %d findings, lines give %d", name, len(got.findings), len(want.findings))
		}
	}
	// Everything once more in another shape: nothing new.
	if got := take(t, filepath.Join(dir, "lines.jsonl"), filepath.Join(dir, "array.json")); got.duplicates < len(lines)*9/10 || len(got.findings) != len(want.findings) {
		t.Errorf("read twice, %d of %d are duplicates, %d findings", got.duplicates, len(lines), len(got.findings))
	}
}

// TestSharedFindings takes in everything that there is of real findings and
// counts what became of it. docs/findings-of-others.md tells the same numbers.
func TestSharedFindings(t *testing.T) {
	got := take(t, shared.Dir(t, "findings"), shared.Dir(t, "falco"))
	for _, reason := range slices.SortedFunc(maps.Keys(got.rejects), func(a, b string) int {
		return cmp.Or(cmp.Compare(got.rejects[b], got.rejects[a]), strings.Compare(a, b))
	}) {
		t.Logf("%4d %s", got.rejects[reason], reason)
	}
	rejected := 0
	for _, n := range got.rejects {
		rejected += n
	}
	want := map[string]int{
		"aws.cloudtrail": 3, "aws.guardduty": 7, "aws.inspector": 6, "aws.securityhub": 100, "azure.defender": 3, "falco": 9,
		"github.audit": 1,
		"ocsf":         4, "okta.system": 3, "prowler": 16, "sysdig": 2, "zeek.dns": 1, "zeek.http": 1,
	}
	if !maps.Equal(got.events, want) || got.objects != 233 || got.records != 280 || got.duplicates != 3 || rejected != 121 {
		t.Errorf("%d objects, %d records: events %v (want %v), %d duplicates, %d refused", got.objects, got.records, got.events, want, got.duplicates, rejected)
	}
	status, folded, throughBoth := map[finding.Status]int{}, 0, 0
	for _, f := range got.findings {
		status[f.Status]++
		if f.Count > 1 {
			folded++
			t.Logf("one finding of %d records: %s (%s) %v", f.Count, f.Title, f.External.Product, slices.Sorted(maps.Keys(got.sources[f.Key])))
		}
		if len(got.sources[f.Key]) > 1 {
			throughBoth++
		}
	}
	if len(got.findings) != 134 || folded != 7 || throughBoth != 2 || status[finding.New] != 105 || status[finding.Resolved] != 29 {
		t.Errorf("%d findings %v, %d of several records, %d in two formats", len(got.findings), status, folded, throughBoth)
	}
	shown := tellFolds(t, got.findings)
	if want := 134; shown != want {
		t.Errorf("people are shown %d findings, want %d", shown, want)
	}
	// What is a finding of a product that we read is not refused.
	for reason := range got.rejects {
		for _, word := range []string{"GuardDuty", "Security Hub finding", "Inspector", "Macie", "Falco", "Prowler", "Defender", "ASFF", "Sysdig event"} {
			if strings.Contains(reason, word) {
				t.Errorf("refused: %s", reason)
			}
		}
	}
}

// TestFolds: of our own fixtures, read as they would arrive, these are the same
// trouble.
func TestFolds(t *testing.T) {
	all := map[string]finding.Finding{}
	for _, f := range take(t, "../alert/testdata").findings {
		all[f.Key] = f
	}
	triage.Fold(all)
	var got []string
	for _, f := range all {
		for _, a := range f.Also {
			got = append(got, fmt.Sprintf("%s (%s) into %s (%s): %s", a.Product, a.Given, f.Product(), f.External.Given, a.Same.Trouble))
		}
	}
	slices.Sort(got)
	want := []string{"Security Hub (resolved) into AWS Config (new): check s3.8"}
	if !slices.Equal(got, want) {
		t.Errorf("folded are\n%s", strings.Join(got, "\n"))
	}
}

// tellFolds logs what is folded into what, what stands apart, and what is related
// and is not the same trouble; and gives how many findings are left to be shown.
func tellFolds(t *testing.T, all []finding.Finding) (shown int) {
	t.Helper()
	byKey := map[string]finding.Finding{}
	for _, f := range all {
		byKey[f.Key] = f
	}
	triage.Fold(byKey)
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		f := byKey[key]
		if f.Folded == "" {
			shown++
		}
		for _, a := range f.Also {
			t.Logf("folded: %s: %s, into %s: %s, by %s at %s", a.Product, a.Title, f.Product(), f.Title, a.Same.Trouble, a.Same.Subject)
		}
		if f.Apart != nil {
			beside := byKey[f.Apart.Beside]
			t.Logf("apart: %s: %s, beside %s: %s", f.Product(), f.Title, beside.Product(), f.Apart.Text)
		}
		for _, r := range finding.Relate(&f, all) {
			if x := byKey[r.Finding.Key]; x.Folded != key && f.Folded != x.Key && key < x.Key {
				t.Logf("related: %s: %s; %s: %s; %s", f.Product(), f.Title, x.Product(), x.Title, r.Why)
			}
		}
	}
	return shown
}
