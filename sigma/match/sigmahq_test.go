package match_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// shared is the folder of a SigmaHQ checkout, or the test is skipped.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "sigma", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the rules in ../shared/data/sigma are not here")
	}
	return dir
}

func TestSigmaHQ(t *testing.T) {
	f := func(folder string, placeholders bool) {
		t.Helper()
		docs, refused := sigma.LoadPath(filepath.Join(shared(t, "sigmahq-rules"), folder))
		set, more := match.Compile(docs.Rules, match.Options{})
		refused = append(refused, more...)
		for _, e := range refused {
			if e.Line < 1 || e.Col < 1 || e.File == "" {
				t.Errorf("%v has no place", e)
			}
			if !placeholders || !strings.Contains(e.Reason, "has no values") {
				t.Errorf("%s: %v", folder, e)
			}
		}
		t.Logf("%s: %d rules, %d atoms, %d refused", folder, set.Len(), len(set.Program().Atoms), len(refused))
	}
	f("rules", true)
	f("rules-compliance", false)
	f("rules-emerging-threats", true)
	f("rules-placeholder", true)
	f("rules-threat-hunting", false)
}

// What upstream gave up is refused or compiles, and what is refused says where.
func TestSigmaHQUnsupported(t *testing.T) {
	docs, refused := sigma.LoadPath(filepath.Join(shared(t, "sigmahq-rules"), "unsupported"))
	set, more := match.Compile(docs.Rules, match.Options{})
	pipes := 0
	for _, e := range append(refused, more...) {
		if e.Line < 1 || e.Col < 1 || e.File == "" {
			t.Errorf("%v has no place", e)
		}
		if strings.Contains(e.Reason, "event_count") {
			pipes++
		}
	}
	t.Logf("%d compile, %d refusals, %d of them old aggregations", set.Len(), len(refused)+len(more), pipes)
	if pipes == 0 {
		t.Error("no old aggregation was refused with a hint")
	}
}
