package coverage_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/coverage"
)

var update = flag.Bool("update", false, "rewrite golden files")

var rules = []coverage.Rule{
	{Title: "Trail stopped", Tags: []string{"attack.stealth", "attack.t1562.008"}, Present: true, Fired: 3},
	{Title: "Log <deleted>", Tags: []string{"attack.t1685.002", "attack.T1685.002"}},
	{Title: "User made", Tags: []string{"attack.persistence", "attack.t1136.003", "attack.t1098"}, Present: true},
	{Title: "Key in Azure", Tags: []string{"attack.t1098.001"}},
	{Title: "Something", Tags: []string{"attack.persistence", "cve.2026-1"}},
}

func TestOf(t *testing.T) {
	all, untagged := coverage.Of(rules)
	var got []string
	for _, x := range all {
		got = append(got, x.ID+" "+string(x.State)+" "+strings.Join(x.Rules, "+"))
	}
	want := []string{"T1098 present User made", "T1098.001 covered Key in Azure", "T1136.003 present User made", "T1685.002 fired Trail stopped+Log <deleted>"}
	if !slices.Equal(got, want) || untagged != 1 {
		t.Errorf("%q and %d untagged, want %q and 1", got, untagged, want)
	}
	if x := all[3]; x.Present != 1 || x.FiredRules != 1 || x.Events != 3 || x.Name != "Disable or Modify Cloud Log" {
		t.Errorf("%+v", x)
	}
}

func TestNavigator(t *testing.T) {
	all, _ := coverage.Of(rules)
	var b strings.Builder
	if err := coverage.WriteNavigator(&b, all); err != nil {
		t.Fatal(err)
	}
	const path = "testdata/layer.golden"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the layer is\n%s", b.String())
	}
	var back struct {
		Versions   struct{ Layer string }
		Techniques []struct {
			TechniqueID string
			Score       int
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back.Versions.Layer != "4.5" || len(back.Techniques) != 6 {
		t.Errorf("%+v, %v", back, err) // two techniques of which only parts are covered are opened
	}
}
