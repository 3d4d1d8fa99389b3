package products_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/simulate"
)

// world is one with everything that products can have noticed.
var world = simulate.Config{Seed: 3, Days: 24, Accounts: 12, Secrets: 24, Story: true, Products: true}

// written are the files of a world, by path.
func written(t *testing.T, c simulate.Config) (map[string][]byte, simulate.Summary) {
	t.Helper()
	dir := t.TempDir()
	sum, err := c.Write(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[strings.TrimPrefix(path, dir+"/")], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, sum
}

// told reads what products say in a world: every record has to be a finding of its
// product, of a time within the logs.
func told(t *testing.T, files map[string][]byte, sum simulate.Summary) (all []alert.Alert) {
	t.Helper()
	for path, text := range files {
		if !strings.HasPrefix(path, "findings/") {
			continue
		}
		for _, r := range records(t, path, text) {
			a, err := alert.Parse(r)
			if err != nil {
				t.Errorf("%s: %v: %.200s", path, err, r)
				continue
			}
			if a.At.Before(sum.Start) || !a.At.Before(sum.End) {
				t.Errorf("%s: %s is of %s, the logs are of %s to %s", path, a.Title, a.At, sum.Start, sum.End)
			}
			all = append(all, a)
		}
	}
	if len(all) != sum.Findings {
		t.Errorf("%d records, the summary says %d", len(all), sum.Findings)
	}
	return all
}

// records are those of a file: an array, or one a line.
func records(t *testing.T, path string, text []byte) (all []json.RawMessage) {
	t.Helper()
	if strings.HasSuffix(path, ".json") {
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return all
	}
	for line := range bytes.Lines(text) {
		all = append(all, json.RawMessage(line))
	}
	return all
}

// TestFindingsAreRead: all products speak, and what is told twice is one finding.
func TestFindingsAreRead(t *testing.T) {
	files, sum := written(t, world)
	formats, critical, forms := map[string]bool{}, map[alert.Ref]bool{}, map[alert.Ref]map[string]bool{}
	for _, a := range told(t, files, sum) {
		formats[a.Format] = true
		if a.Severity == alert.Critical {
			critical[a.Ref] = true
		}
		if forms[a.Ref] == nil {
			forms[a.Ref] = map[string]bool{}
		}
		forms[a.Ref][a.Format] = true
	}
	want := []string{"aws.config", "aws.guardduty", "aws.inspector", "aws.macie", "aws.securityhub", "azure.defender", "falco", "gcp.scc", "prowler", "sysdig"}
	if got := slices.Sorted(maps.Keys(formats)); !slices.Equal(got, want) {
		t.Errorf("formats %v, want %v", got, want)
	}
	if len(critical) != 2 {
		t.Errorf("critical are %v: it should be the sequence of the story and one package", critical)
	}
	twice := 0
	for _, f := range forms {
		if len(f) > 1 {
			twice++
		}
	}
	if twice < 5 {
		t.Errorf("%d findings came in two formats", twice)
	}
}

// TestNothingElseChanges: what products say is beside the world and is the same
// every time.
func TestNothingElseChanges(t *testing.T) {
	with := world
	with.Days, with.Accounts, with.Secrets = 6, 4, 8
	without := with
	without.Products = false
	all, _ := written(t, with)
	again, _ := written(t, with)
	plain, sum := written(t, without)
	if sum.Findings != 0 {
		t.Errorf("%d findings of products that were not asked for", sum.Findings)
	}
	for path, text := range all {
		if !bytes.Equal(text, again[path]) {
			t.Errorf("%s is another the second time", path)
		}
		if before, there := plain[path]; there == strings.HasPrefix(path, "findings/") || there && !bytes.Equal(text, before) {
			t.Errorf("%s differs from the world without products", path)
		}
	}
	if len(all) <= len(plain) {
		t.Errorf("%d files with products, %d without", len(all), len(plain))
	}
}

// TestShortWorlds: nothing is told of times behind the logs, or of accounts that
// are not there.
func TestShortWorlds(t *testing.T) {
	for _, c := range []simulate.Config{
		{Days: 1, Accounts: 1, Secrets: 2, Calm: true, Products: true},
		{Days: 9, Accounts: 3, Secrets: 6, Products: true},
	} {
		files, sum := written(t, c)
		for _, a := range told(t, files, sum) {
			if a.Cloud == "AWS" && !slices.Contains(sum.Accounts, a.Account) {
				t.Errorf("%s is of account %q, of which there are no logs", a.Title, a.Account)
			}
		}
	}
}
