package rules_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/rules"
)

// said is what a rule or correlation says to people in English.
type said struct {
	file, title, description, level string
	falsePositives, next            []string
}

// of tells what it says, as rules.Text.Of does.
func (s said) of() string {
	lines := slices.Concat([]string{s.title, strings.TrimSpace(s.description)}, s.falsePositives, s.next)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:4])
}

// findings are all that find something, by id.
func findings(t *testing.T) map[string]said {
	out := map[string]said{}
	for _, name := range list(t) {
		var r rule
		decode(t, name, &r)
		out[r.ID] = said{name, r.Title, r.Description, r.Level, r.Falsepositives, r.Yagura.Next}
	}
	for name, metas := range correlations(t) { // the others only serve the first
		var own struct{ Yagura struct{ Next []string } }
		text, err := fs.ReadFile(rules.FS(), name)
		if err == nil {
			err = yaml.Unmarshal(text, &own) // the first document
		}
		if err != nil {
			t.Fatal(err)
		}
		m := metas[0]
		out[m.ID] = said{name, m.Title, m.Description, m.Level, m.FalsePositives, own.Yagura.Next}
	}
	return out
}

// japaneseLevels are levels as the console shows them.
var japaneseLevels = map[string]string{"informational": "情報", "low": "低", "medium": "中", "high": "高", "critical": "重大"}

// All that finds something, and nothing else, says in Japanese what it says, and of
// the English as it is now.
func TestJapanese(t *testing.T) {
	japanese, err := rules.Japanese()
	if err != nil {
		t.Fatal(err)
	}
	english := findings(t)
	taken := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(english)) {
		en, ja := english[id], japanese[id]
		if want := "ja/" + en.file; ja.File != want {
			t.Errorf("%s is told in %q, which is to be %s", id, ja.File, want)
		}
		if ja.Of != en.of() {
			t.Errorf("%s (%s) is in Japanese of %q, and says %q now: see what has changed", id, en.title, ja.Of, en.of())
		}
		isJapanese(t, id, en.title, ja.Title)
		isJapanese(t, id, en.description, ja.Description)
		if !strings.Contains(ja.Description, "「"+japaneseLevels[en.level]+"」") {
			t.Errorf("%s: the description does not argue the level %s: %s", id, en.level, ja.Description)
		}
		if len([]rune(ja.Title)) > 60 {
			t.Errorf("%s: title %q: at most 60 characters", id, ja.Title)
		}
		cloud, _, _ := strings.Cut(en.file, "/")
		if key := cloud + ": " + ja.Title; taken[key] != "" {
			t.Errorf("%s and %s are both called %s", id, taken[key], ja.Title)
		} else {
			taken[key] = id
		}
		if len(ja.FalsePositives) != len(en.falsePositives) {
			t.Errorf("%s: %d false positives, %d in Japanese", id, len(en.falsePositives), len(ja.FalsePositives))
			continue
		}
		for i, words := range ja.FalsePositives {
			isJapanese(t, id, en.falsePositives[i], words)
		}
		japaneseSteps(t, id, en.next, ja.Next)
	}
	for id, ja := range japanese {
		if english[id].title == "" {
			t.Errorf("%q is said of %s, which finds nothing or is no rule of ours", ja.Title, id)
		}
	}
}

// japaneseSteps holds that sentences and notes are in Japanese, with the same values,
// and commands alone are not said again.
func japaneseSteps(t *testing.T, id string, english []string, japanese map[int]string) {
	t.Helper()
	for i, step := range english {
		words := step
		if step[0] >= 'a' && step[0] <= 'z' {
			_, words = rules.CutNote(step)
		}
		ja, ok := japanese[i+1]
		delete(japanese, i+1)
		if ok != (words != "") {
			t.Errorf("%s: in Japanese step %d is %q, of %q", id, i+1, ja, step)
			continue
		}
		if !ok {
			continue
		}
		isJapanese(t, id, words, ja)
		if a, b := holders(words), holders(ja); !slices.Equal(a, b) {
			t.Errorf("%s: step %d has %q, and in Japanese %q", id, i+1, a, b)
		}
	}
	for i := range japanese {
		t.Errorf("%s: there is no step %d", id, i)
	}
}

var values = regexp.MustCompile(`\{[\w.]+\}`)

func holders(step string) []string {
	return slices.Sorted(slices.Values(values.FindAllString(step, -1)))
}

// sentence is English left over: four words of small letters in a row. Commands and
// names of things have fewer, or what stands behind a colon.
var sentence = regexp.MustCompile(`\b[a-z]+ [a-z]+ [a-z]+ [a-z]+\b`)

func isJapanese(t *testing.T, id, english, ja string) {
	t.Helper()
	words, _, _ := strings.Cut(ja, ": ")
	switch {
	case ja == "":
		t.Errorf("%s: %q is not said in Japanese", id, english)
	case ja != strings.TrimSpace(ja):
		t.Errorf("%s: %q has space around it", id, ja)
	case !strings.ContainsFunc(ja, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) }):
		t.Errorf("%s: %q is no Japanese", id, ja)
	case sentence.MatchString(words):
		t.Errorf("%s: English is left in %q", id, ja)
	}
}
