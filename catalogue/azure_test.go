package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/rules"
)

// TestAzureStreams: the records of the cases of every rule for Azure go the whole way
// as they would arrive: they are recognised, become events, are held against the
// rules of their log, and the rule says about them what its case wants.
func TestAzureStreams(t *testing.T) {
	detector, refused := Rules(config.Rules{Builtin: true}, nil)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	formats := Formats()
	names, err := fs.Glob(rules.FS(), "azure/*"+rules.CasesSuffix)
	if err != nil || len(names) < 50 {
		t.Fatalf("%d files of cases, %v", len(names), err)
	}
	count := map[string]int{}
	for _, name := range names {
		id, source := ruleOf(t, strings.TrimSuffix(name, rules.CasesSuffix)+".yml")
		for _, c := range casesOf(t, name) {
			record, err := timed(c.event, "time", time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			events, err := formats.Append(nil, event.Raw{Object: "case", Body: record, Received: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Errorf("%s, %s: %v", name, c.name, err)
				continue
			}
			format := events[0].Format
			count[format]++
			if of := rule.Sources[format].Service; of != source && c.fires {
				t.Errorf("%s, %s: a record of %s becomes %s", name, c.name, source, format)
			}
			judged, err := detector.Judge(context.Background(), event.BatchID{}, events)
			if err != nil {
				t.Fatal(err)
			}
			fired := slices.ContainsFunc(judged.Occurrences, func(o finding.Occurrence) bool { return o.Rule == id })
			if fired != c.fires {
				t.Errorf("%s, %s: fires is %v, want %v", name, c.name, fired, c.fires)
			}
		}
	}
	t.Logf("%d rules, records by format %v", len(names), count)
	for _, format := range []string{"azure.activity", "entra.signin", "entra.audit"} {
		if count[format] < 50 {
			t.Errorf("%d records of %s: %v", count[format], format, slices.Sorted(maps.Keys(count)))
		}
	}
}

// ruleOf is a rule's id and the service of its log source.
func ruleOf(t *testing.T, name string) (id, service string) {
	t.Helper()
	var doc struct {
		ID        string
		LogSource struct{ Service string } `yaml:"logsource"`
	}
	decode(t, name, &doc)
	return doc.ID, doc.LogSource.Service
}

// oneCase is a record and whether the rule is to fire at it.
type oneCase struct {
	name  string
	fires bool
	event json.RawMessage
}

func casesOf(t *testing.T, name string) []oneCase {
	t.Helper()
	var doc struct {
		Cases []struct {
			Name  string
			Fires bool
			Event map[string]any
		}
	}
	decode(t, name, &doc)
	var out []oneCase
	for _, c := range doc.Cases {
		body, err := json.Marshal(c.Event)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		out = append(out, oneCase{c.Name, c.Fires, body})
	}
	return out
}

func decode(t *testing.T, name string, to any) {
	t.Helper()
	text, err := fs.ReadFile(rules.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
