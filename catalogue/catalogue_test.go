package catalogue

import (
	"context"
	"go/parser"
	"go/token"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/config"
	exportmemory "github.com/yagura-sec/yagura/export/memory"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/source/receive"
)

// TestExamples opens every source as its package comment shows it.
func TestExamples(t *testing.T) {
	for name := range Sources {
		example := exampleOf(t, filepath.Join("..", "source", name))
		c, err := config.Parse(name, []byte("sources:\n  - "+strings.ReplaceAll(strings.TrimSpace(example), "\n", "\n    ")+"\n"))
		if err != nil {
			t.Errorf("%s: %v in\n%s", name, err, example)
			continue
		}
		if c.Sources[0].Type != name {
			t.Errorf("%s shows an example of %s", name, c.Sources[0].Type)
		}
		if _, err := Source(c.Sources[0], Asks{Now: time.Now, Getenv: secrets}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOutputExamples opens every output as its package comment shows it.
func TestOutputExamples(t *testing.T) {
	asks := OutputAsks{
		Changes: func(context.Context, time.Time) iter.Seq2[finding.Finding, error] { return nil },
		Outbox:  &exportmemory.Outbox{}, Getenv: secrets, Now: time.Now,
		Mask: func() (*mask.Masker, error) { return mask.New([]byte("a key that only tests have")) },
	}
	for name := range Outputs {
		example := exampleOf(t, filepath.Join("..", "export", name))
		c, err := config.Parse(name, []byte("exports:\n  - "+strings.ReplaceAll(strings.TrimSpace(example), "\n", "\n    ")+"\n"))
		if err != nil {
			t.Errorf("%s: %v in\n%s", name, err, example)
			continue
		}
		if _, err := Output(c.Exports[0], asks); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := func(text, want string) {
		t.Helper()
		c, err := config.Parse("x", []byte("exports:\n  - "+text+"\n"))
		if err == nil {
			_, err = Output(c.Exports[0], asks)
		}
		if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f("{type: pigeon}", "none of the outputs there are: hec")
	f("{type: hec, url: 'https://x', token: env:T}", "no name")
	f("{type: hec, name: x, token: env:T}", "https://HOST:8088")
	f("{type: hec, name: x, url: 'https://x', token: env:T, form: ocsf, masked: true, only: 'severity:high'}", "")
	f("{type: hec, name: x, url: 'https://x', token: env:T, form: xml}", "yagura or ocsf")
	f("{type: hec, name: x, url: 'https://x', token: env:T, only: 'severity:(('}", "only")
	f("{type: hec, name: x, url: 'https://x', token: env:T, ca: /nowhere}", "ca")
	f("{type: hec, name: x, url: 'https://x', token: env:T, indx: a}", "unknown key")
}

func secrets(string) string { return "a-token-that-tests-show" }

// exampleOf is the indented part of a package's comment.
func exampleOf(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.Lines(f.Doc.Text()) {
			if strings.HasPrefix(line, "\t") {
				lines = append(lines, strings.TrimPrefix(line, "\t"))
			}
		}
		if len(lines) > 0 {
			return strings.Join(lines, "")
		}
	}
	t.Fatalf("%s shows no example of its configuration", dir)
	return ""
}

func TestSource(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		c, err := config.Parse("x", []byte("sources:\n  - "+text+"\n"))
		if err == nil {
			_, err = Source(c.Sources[0], Asks{Now: time.Now, Getenv: secrets})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	f("{type: pigeon}", "none of the sources there are: file")
	f("{type: file}", "no path")
	f("{type: file, paths: [x], folow: true}", `x:2:30: unknown key "folow"`)
	f("{type: file, paths: [x], format: aws.cloudtrial}", "aws.cloudtrail")
	f("{type: file, paths: [x], max_record: huge}", "no size")
	f("{type: receive, name: x}", "no token")
	f("{type: receive, name: x, token: plain}", "by reference")
	f("{type: receive, name: X Y, token: env:T}", "name")
	f("{type: receive, name: x, token: env:T, sourcetypes: {a: nothing}}", `"nothing" is none of those`)
}

func TestRules(t *testing.T) {
	d, refused := Rules(config.Rules{Builtin: true}, nil)
	if d.Len() < 25 || len(refused) > 0 {
		t.Errorf("%d rules, refused %v", d.Len(), refused)
	}
	if d, _ := Rules(config.Rules{}, nil); d.Len() != 0 {
		t.Errorf("%d rules although none are wanted", d.Len())
	}
	if _, refused := Rules(config.Rules{Dirs: []string{"/nowhere"}}, nil); len(refused) != 1 {
		t.Errorf("of an absent folder is said %v", refused)
	}
}

func TestFormats(t *testing.T) {
	formats := Formats()
	for _, format := range []string{"aws.cloudtrail", "zeek.dns", "squid.access", "edr.process"} {
		if !formats.Has(format) {
			t.Errorf("%s is read by nobody: %v", format, formats.Formats())
		}
	}
}

// TestDocuments opens what docs/receive.md and docs/export.md show.
func TestDocuments(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"receive.md", "export.md"} {
		text, err := os.ReadFile(filepath.Join("..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "```yaml\n")
		example, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("%s has no example", name)
		}
		// Files it names are not here: the token's is put in place, the system's
		// certificates stand in for those of a server.
		if err := os.WriteFile(filepath.Join(dir, "token"), []byte("another-token-that-tests-show\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		example = strings.ReplaceAll(example, "/etc/yagura/hec-token", filepath.Join(dir, "token"))
		example = regexp.MustCompile(`(?m)^ *ca: .*\n`).ReplaceAllString(example, "")
		c, err := config.Parse(name, []byte(example))
		if err != nil {
			t.Fatal(err)
		}
		hub := &receive.Hub{}
		for _, n := range c.Sources {
			if _, err := Source(n, Asks{Now: time.Now, Getenv: secrets, Hub: hub}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, n := range c.Exports {
			asks := OutputAsks{
				Changes: func(context.Context, time.Time) iter.Seq2[finding.Finding, error] { return nil },
				Outbox:  &exportmemory.Outbox{}, Getenv: secrets, Now: time.Now,
			}
			if _, err := Output(n, asks); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(c.Sources)+len(c.Exports) == 0 {
			t.Errorf("%s shows nothing", name)
		}
	}
}
