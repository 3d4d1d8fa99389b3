package rules_test

import (
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/rules"
)

// All that finds something, and nothing else, has a title in Japanese, and no two
// of one cloud have the same.
func TestJapaneseTitles(t *testing.T) {
	var titles map[string]string // an id that comes twice is an error
	if err := yaml.Unmarshal(rules.JapaneseTitles(), &titles); err != nil {
		t.Fatal(err)
	}
	english, cloud := map[string]string{}, map[string]string{}
	for _, name := range list(t) {
		var r rule
		decode(t, name, &r)
		english[r.ID] = r.Title
		cloud[r.ID], _, _ = strings.Cut(name, "/")
	}
	for name, metas := range correlations(t) { // the others only serve the first
		english[metas[0].ID] = metas[0].Title
		cloud[metas[0].ID], _, _ = strings.Cut(name, "/")
	}
	taken := map[string]string{}
	for id, title := range english {
		ja := titles[id]
		switch {
		case ja == "":
			t.Errorf("%s (%s) has no title in Japanese", id, title)
		case ja != strings.TrimSpace(ja) || len([]rune(ja)) > 60:
			t.Errorf("%s (%s): title %q: 1 to 60 characters", id, title, ja)
		case !strings.ContainsFunc(ja, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }):
			t.Errorf("%s (%s): %q is no Japanese", id, title, ja)
		}
		key := cloud[id] + ": " + ja
		if taken[key] != "" {
			t.Errorf("%s and %s are both called %s", id, taken[key], ja)
		}
		taken[key] = id
	}
	for id, ja := range titles {
		if english[id] == "" {
			t.Errorf("%q is the title of %s, which finds nothing or is no rule of ours", ja, id)
		}
	}
}
