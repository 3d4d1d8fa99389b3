package catalogue

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma/pipeline"
)

// fired are the rules that find something in records that nobody said the format of,
// by how many.
func fired(t *testing.T, d *rule.Detector, records ...[]byte) map[string]int {
	t.Helper()
	formats := Formats()
	var events []event.Event
	for i, body := range records {
		got, err := formats.Append(nil, event.Raw{Object: "o", Position: int64(i), Body: body, Received: time.Unix(1.8e9, 0)})
		if err != nil {
			continue // the tests of the formats say what is refused
		}
		events = append(events, got...)
	}
	judged, err := d.Judge(t.Context(), event.BatchID{1}, events)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, o := range judged.Occurrences {
		out[o.Rule]++
	}
	return out
}

// TestGoogleRules: a record that a rule for Google Cloud has to fire on is known by
// its content, read, and fired on; one that it has to stay quiet on is not.
func TestGoogleRules(t *testing.T) {
	d, refused := Rules(config.Rules{Builtin: true}, nil)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	names, err := fs.Glob(rules.FS(), "gcp/*"+rules.CasesSuffix)
	if err != nil {
		t.Fatal(err)
	}
	fires, quiet := 0, 0
	for _, name := range names {
		id, _ := ruleOf(t, strings.TrimSuffix(name, rules.CasesSuffix)+".yml")
		for _, c := range casesOf(t, name) {
			if got := fired(t, d, c.event)[id] > 0; got != c.fires {
				t.Errorf("%s: %s: fired %t, want %t", name, c.name, got, c.fires)
			}
			if c.fires {
				fires++
			} else {
				quiet++
			}
		}
	}
	if fires < 80 || quiet < 80 {
		t.Errorf("only %d cases that fire and %d that do not", fires, quiet)
	}
	t.Logf("%d cases fire, %d do not", fires, quiet)
}

// TestPublishedGoogleRules: rules of others fire on samples of others, through the
// formats and the aliases of fields.
func TestPublishedGoogleRules(t *testing.T) {
	published := shared.Dir(t, "sigma/sigmahq-rules/rules/cloud/gcp")
	d, refused := rule.Load(nil, []string{published}, func() (o rule.Options) {
		o.Aliases = pipeline.DefaultAliases()
		return o
	}())
	for _, err := range refused {
		t.Error(err)
	}
	var records [][]byte
	add := func(pattern string) {
		t.Helper()
		paths, err := filepath.Glob(shared.Dir(t, "gcp") + "/../" + pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(string(text), "\n") {
				var test struct{ Event json.RawMessage }
				if json.Unmarshal([]byte(line), &test) == nil && test.Event != nil {
					line = string(test.Event)
				}
				if line != "" {
					records = append(records, []byte(line))
				}
			}
		}
	}
	add("gcp/panther-tests/GCP.AuditLog.jsonl")
	add("gcp/elastic-gcp-audit/*.log")
	add("identity/elastic-google_workspace-login/*.log")
	add("identity/elastic-google_workspace-admin/*.log")
	got := fired(t, d, records...)
	titles := map[string]int{}
	for i := range d.Set().Len() {
		r := d.Set().Rule(i)
		if n := got[r.ID]; n > 0 {
			titles[r.Title] = n
		}
	}
	for _, title := range slices.Sorted(maps.Keys(titles)) {
		t.Logf("%d × %s", titles[title], title)
	}
	if len(titles) == 0 {
		t.Error("no rule fires on any sample")
	}
}
