package sigma_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/sigma/ruletest"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// between is what stands between two marks of the README.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	inside, _, closed := strings.Cut(rest, to)
	if !ok || !closed {
		t.Fatalf("the README has nothing between %q and %q", from, to)
	}
	return inside
}

// TestConformanceTable holds the README's table to what the corpus gives.
func TestConformanceTable(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "sigma-cases", "cases.jsonl"))
	if err != nil {
		t.Skip("the labelled corpus ../shared/data/sigma-cases is not here")
	}
	defer f.Close()
	sections := map[string]*bytes.Buffer{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var c struct{ Section string }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if sections[c.Section] == nil {
			sections[c.Section] = new(bytes.Buffer)
		}
		sections[c.Section].Write(lines.Bytes())
		sections[c.Section].WriteByte('\n')
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range sections {
		names = append(names, name)
	}
	slices.Sort(names)
	var table strings.Builder
	table.WriteString("\n| section | cases | passed | ambiguous, not run |\n| --- | ---: | ---: | ---: |\n")
	var all, passed, skipped int
	for _, name := range names {
		got, err := ruletest.Conform(sections[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, x := range got.Failures {
			t.Errorf("%s: got %s, want %s: %s", x.ID, x.Got, x.Expected, x.Why)
		}
		n := got.Passed + got.Failed + got.Skipped
		fmt.Fprintf(&table, "| %s | %d | %d | %d |\n", name, n, got.Passed, got.Skipped)
		all, passed, skipped = all+n, passed+got.Passed, skipped+got.Skipped
	}
	fmt.Fprintf(&table, "| all | %d | %d | %d |\n", all, passed, skipped)
	if have := between(t, readme(t), "<!-- conformance -->", "<!-- /conformance -->"); have != table.String() {
		t.Errorf("the README's table is not what the corpus gives:\n%s", table.String())
	}
}

// TestDecisions: every decision of the README names a test that is there.
func TestDecisions(t *testing.T) {
	rows := between(t, readme(t), "## What we decided", "\n## ")
	row := regexp.MustCompile(`(?m)^\| .* \| (\w+) (Test\w+(?:, Test\w+)*) \|$`)
	known := map[string]map[string]bool{}
	n := 0
	for _, m := range row.FindAllStringSubmatch(rows, -1) {
		n++
		folder := m[1]
		if known[folder] == nil {
			known[folder] = testsOf(t, folder)
		}
		for _, name := range strings.Split(m[2], ", ") {
			if !known[folder][name] {
				t.Errorf("%s has no test %s", folder, name)
			}
		}
	}
	if lines := strings.Count(rows, "\n| "); n != lines-2 { // the table's head
		t.Errorf("%d rows of %d name a test", n, lines-2)
	}
	// And every decision that match pins is in the table.
	for name := range testsIn(t, filepath.Join("match", "decided_test.go")) {
		if !strings.Contains(rows, "match "+name+" ") {
			t.Errorf("the README does not tell what %s decides", name)
		}
	}
}

func testsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, file := range files {
		for name := range testsIn(t, file) {
			out[name] = true
		}
	}
	return out
}

func testsIn(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
			out[fn.Name.Name] = true
		}
	}
	return out
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestQuickStart: the README's first code is a whole program, what it does is that
// of an example, which runs, and so is what it prints.
func TestQuickStart(t *testing.T) {
	text := readme(t)
	code := between(t, text, "```go\n", "```")
	f, err := parser.ParseFile(token.NewFileSet(), "main.go", code, 0)
	if err != nil {
		t.Fatalf("the README's quick start is no program: %v", err)
	}
	for _, spec := range f.Imports {
		name := strings.Trim(spec.Path.Value, `"`)
		if name = name[strings.LastIndex(name, "/")+1:]; !strings.Contains(code, name+".") {
			t.Errorf("the README's quick start imports %s and does not use it", name)
		}
	}
	for _, x := range f.Unresolved {
		if !slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return strings.HasSuffix(strings.Trim(s.Path.Value, `"`), x.Name) }) &&
			!slices.Contains([]string{"append", "byte", "nil", "range"}, x.Name) {
			t.Errorf("the README's quick start does not say what %s is", x.Name)
		}
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(code, "func main() {")
	want := between(t, string(example), "func Example_quickStart() {", "// Output:")
	if flat(body) != flat(want+"}") {
		t.Errorf("the README's quick start is not the example:\n%s\n\n%s", body, want)
	}
	_, rest, _ := strings.Cut(string(example), "func Example_quickStart() {")
	prints := strings.ReplaceAll(between(t, rest, "// Output:", "\n}"), "//", "")
	if !strings.Contains(flat(text), "It prints "+flat(prints)) {
		t.Errorf("the README does not say that the quick start prints\n%s", prints)
	}
}

// TestSnippets: what the README takes from examples, which run, is theirs.
func TestSnippets(t *testing.T) {
	found := regexp.MustCompile("(?s)<!-- from (\\S+) -->\n```go\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	if len(found) != 3 {
		t.Errorf("%d snippets", len(found))
	}
	for _, m := range found {
		example, err := os.ReadFile(filepath.FromSlash(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(flat(string(example)), flat(m[2])) {
			t.Errorf("the README's code is not that of %s:\n%s", m[1], m[2])
		}
	}
}

// TestPackages: every folder with Go files is in the README's list.
func TestPackages(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	text := readme(t)
	for _, file := range files {
		if folder := filepath.Dir(file); !strings.Contains(text, "["+folder+"]("+folder+")") {
			t.Errorf("the README does not tell of %s", folder)
		}
	}
}

// TestStandsAlone: no file imports anything but the standard library, a YAML
// parser and these packages, so that others can take them out.
func TestStandsAlone(t *testing.T) {
	const own = "github.com/yagura-sec/yagura/sigma"
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob(filepath.Join("*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(deeper) < 20 {
		t.Fatalf("only %d files found", len(deeper))
	}
	for _, file := range append(files, deeper...) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			host, _, _ := strings.Cut(path, "/")
			if strings.Contains(host, ".") && path != "go.yaml.in/yaml/v3" && path != own && !strings.HasPrefix(path, own+"/") {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}
