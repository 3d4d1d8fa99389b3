package rules_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
)

// correlations are the files of correlations: what they find, and what serves it.
func correlations(t *testing.T) map[string][]*sigma.Meta {
	t.Helper()
	names, err := fs.Glob(rules.FS(), "*/correlation/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]*sigma.Meta{}
	for _, name := range names {
		if stem, isCases := strings.CutSuffix(name, rules.CasesSuffix); isCases {
			if !slices.Contains(names, stem+".yml") {
				t.Errorf("%s has no correlation beside it", name)
			}
			continue
		}
		text, err := fs.ReadFile(rules.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		docs, refused := sigma.Parse(name, text)
		if len(refused) > 0 || len(docs.Correlations) == 0 {
			t.Errorf("%s: %d correlations, %v", name, len(docs.Correlations), refused)
			continue
		}
		for _, c := range docs.Correlations {
			out[name] = append(out[name], &c.Meta)
		}
		for _, r := range docs.Rules {
			out[name] = append(out[name], &r.Meta)
		}
	}
	if len(out) < 32 {
		t.Fatalf("found %d files of correlations, want at least 32", len(out))
	}
	return out
}

// The first document of a file is what it finds, and says as much as a rule does.
// All others only serve it: they have an id, a name and a title.
func TestCorrelations(t *testing.T) {
	taken := map[string]string{}
	for name, metas := range correlations(t) {
		cloud, _, _ := strings.Cut(name, "/")
		t.Run(strings.TrimSuffix(name, ".yml"), func(t *testing.T) {
			for _, m := range metas {
				for _, key := range []string{m.ID, m.Name} {
					if taken[key] != "" {
						t.Errorf("%s is also in %s", key, taken[key])
					}
					taken[key] = name
				}
				if !uuid4.MatchString(m.ID) || m.Title == "" || len(m.Title) > 110 || !strings.HasPrefix(m.Name, cloud+"_") {
					t.Errorf("id %q, name %q, title %q", m.ID, m.Name, m.Title)
				}
			}
			first, stem := metas[0], strings.TrimSuffix(path.Base(name), ".yml")
			if first.Pos.Line != 1 || first.Name != cloud+"_"+strings.ReplaceAll(stem, "-", "_") {
				t.Errorf("the file begins with %q", first.Name)
			}
			checkTags(t, first.Tags)
			checkText(t, first, grouped(t, name))
			for _, m := range metas[1:] {
				if m.Level != "informational" || len(m.Tags) > 0 {
					t.Errorf("%s finds nothing of its own, but has level %q and tags %q", m.Name, m.Level, m.Tags)
				}
			}
		})
	}
}

// grouped are the fields by which the first correlation of a file groups.
func grouped(t *testing.T, name string) []string {
	t.Helper()
	text, err := fs.ReadFile(rules.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	docs, _ := sigma.Parse(name, text)
	return docs.Correlations[0].GroupBy
}

// checkText reads what people are told of a correlation.
func checkText(t *testing.T, m *sigma.Meta, groupBy []string) {
	t.Helper()
	if m.Author == "" || m.Date == "" || m.Status == "" || len(m.References) < 2 {
		t.Error("author, date, status and two references are needed")
	}
	if !slices.Contains(levels, m.Level) || !strings.Contains(strings.ToLower(m.Description), m.Level) {
		t.Errorf("the description does not argue the level %s: %s", m.Level, m.Description)
	}
	text, err := yaml.Marshal(m.Extra["yagura"])
	if err != nil {
		t.Fatal(err)
	}
	r := rule{Falsepositives: m.FalsePositives}
	if err := yaml.Unmarshal(text, &r.Yagura); err != nil {
		t.Fatal(err)
	}
	checkAdvice(t, r)
	for _, step := range r.Yagura.Next {
		for _, found := range groupHolder.FindAllStringSubmatch(step, -1) {
			if !slices.Contains(groupBy, found[1]) {
				t.Errorf("%q names %s, by which nothing is grouped", step, found[1])
			}
		}
	}
}

// groupHolder is the placeholder of what the events of a finding have in common.
var groupHolder = regexp.MustCompile(`\{group\.([^}]*)\}`)

// A field by which is grouped or counted is one of the record as it comes, or a
// column that holds text.
func TestCorrelationFields(t *testing.T) {
	j := newJudge(t)
	types := map[sigma.CorrelationType]int{}
	for _, c := range j.plan.Correlations {
		types[c.Type]++
		if len(c.GroupBy) == 0 {
			t.Errorf("%s groups by nothing: everything would be one trouble", c.Name)
		}
	}
	for _, b := range j.plan.Bases {
		for _, field := range b.Fields {
			column, known := query.Lookup(field)
			switch {
			case strings.Contains(field, ".") || recordFields[field]:
			case !known || column.Name != field:
				t.Errorf("%s: %s is neither a field of the record nor a column", b.Rule.Name, field)
			case column.Type != query.Text:
				t.Errorf("%s: column %s holds no text", b.Rule.Name, field)
			}
		}
		if b.Findings {
			t.Errorf("%s only serves a correlation, but gives findings", b.Rule.Name)
		}
	}
	t.Log(types)
	for _, typ := range []sigma.CorrelationType{sigma.EventCount, sigma.ValueCount, sigma.Temporal, sigma.TemporalOrdered, sigma.ValueSum, sigma.ValueAvg} {
		if types[typ] == 0 {
			t.Errorf("no correlation is of type %s", typ)
		}
	}
}

// recordFields are those of the first level of a record: of CloudTrail, of Azure's
// activity log, of sign-ins as Graph answers them.
var recordFields = map[string]bool{
	"eventName": true, "eventSource": true, "awsRegion": true, "sourceIPAddress": true, "recipientAccountId": true,
	"callerIpAddress": true, "resourceId": true,
	"ipAddress": true, "userPrincipalName": true, "servicePrincipalId": true,
}

// Each correlation that finds something has a case that fires and two that stay
// quiet, of whole records; their time is mostly that which the case gives them.
func TestCorrelationCasesAreWhole(t *testing.T) {
	eventIDs := map[string]string{}
	for name := range correlations(t) {
		stem := strings.TrimSuffix(name, ".yml")
		cloud, _, _ := strings.Cut(name, "/")
		t.Run(stem, func(t *testing.T) {
			var c struct {
				Cases []struct {
					Name, Rule, Until string
					Fires             bool
					Groups            [][]string
					Events            []struct {
						At, Every string
						Repeat    int
						Event     map[string]any
					}
				}
			}
			decode(t, stem+rules.CasesSuffix, &c)
			fires, quiet := map[string]int{}, map[string]int{}
			for _, one := range c.Cases {
				if one.Fires {
					fires[one.Rule]++
				} else {
					quiet[one.Rule]++
				}
				inCase := map[string]bool{}
				for _, e := range one.Events {
					if cloud == "aws" {
						e.Event["eventTime"] = "given by the case"
					}
					id := checkRecord(t, cloud, one.Name, e.Event)
					if other := eventIDs[id]; inCase[id] || other != "" && other != stem {
						t.Errorf("%s: eventID %s is also in %s", one.Name, id, other)
					}
					if e.Repeat > 0 && !strings.HasSuffix(id, "{n}") {
						t.Errorf("%s: eventID %s stays the same for all repeats", one.Name, id)
					}
					inCase[id], eventIDs[id] = true, stem
				}
			}
			own := c.Cases[0].Rule // of the correlation the file is about
			if fires[own] < 1 || quiet[own] < 2 {
				t.Errorf("%d cases fire and %d stay quiet, want at least one and two", fires[own], quiet[own])
			}
		})
	}
}

// How far back a correlation looks bounds what a late record sets in motion.
func TestCorrelationsAreBounded(t *testing.T) {
	longest := slices.MaxFunc(newJudge(t).plan.Correlations, func(a, b *correlate.Correlation) int { return int(a.Reach - b.Reach) })
	t.Logf("longest: %s, %s", longest.Name, longest.Reach)
	if longest.Wait > 0 || longest.Reach.Hours() > 7*24 {
		t.Errorf("%s reaches over %s and waits %s", longest.Name, longest.Reach, longest.Wait)
	}
}
