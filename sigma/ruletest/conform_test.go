package ruletest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

func TestSharedCorpus(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "sigma-cases", "cases.jsonl"))
	if err != nil {
		t.Skip("the labelled corpus ../shared/data/sigma-cases is not here")
	}
	defer f.Close()
	got, err := ruletest.Conform(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range got.Failures {
		t.Errorf("%s: got %s, want %s: %s", x.ID, x.Got, x.Expected, x.Why)
	}
	t.Logf("%d passed, %d failed, %d skipped: %v", got.Passed, got.Failed, got.Skipped, got.Skips)
}
