// Package arch holds the picture of who may import whom.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/yagura-sec/yagura/"

var (
	nouns     = []string{"event", "usage", "query", "finding", "resource", "register", "say", "decision"}
	libraries = []string{"sigma", "iam", "alert", "mask", "companion"}
	rooms     = []string{"source", "normalise", "detect", "lake", "ledger", "triage", "people", "export", "inventory", "posture", "respond", "cost", "news", "guide", "dashboard"}
	// alone are folders of data, which import none of ours.
	alone = []string{"rules", "mappings", "dashboards", "queries"}
)

// exceptions are imports between rooms that were argued for.
var exceptions = map[string]string{
	"ledger": "source", // docs/decisions/ledger-source.md
}

// may is the table for everything that is neither noun, library nor room.
var may = map[string][]string{
	"simulate":  nil,
	"evaluate":  {"simulate"}, // for the nouns of a world
	"pipeline":  rooms,        // their roots only: see below
	"catalogue": append([]string{"config", "rules", "mappings", "queries", "dashboards"}, rooms...),
	"config":    nil,
	"api":       rooms,
	"internal":  nil,
	"e2e":       {"simulate"},
	"cmd":       append([]string{"pipeline", "simulate", "evaluate", "catalogue", "api", "config", "rules", "web"}, rooms...),
}

// mayInTests is what the tests of a folder may import besides.
var mayInTests = map[string][]string{
	"rules":    {"sigma", "simulate", "internal", "catalogue", "query"}, // the cases of our rules, read as they would arrive, and how quiet they are on a sample organisation
	"simulate": {"normalise"},                                           // its records are read as they would be
	"detect":   {"rules", "normalise"},                                  // what our own rules make of an event, and what records make of both
}

// inMemory may stand in for a room in the tests of these.
var inMemory = []string{"pipeline", "api"}

// wiring may import rooms whole, with their engine folders.
var wiring = []string{"catalogue", "cmd"}

// cgo is allowed in these packages only: their own, and that of the libraries
// below.
var cgo = []string{"lake/local"}

// keepers are the only packages that may import a library, tests included.
var keepers = map[string]string{
	"github.com/duckdb/":         "lake/local", // C++: whoever imports it links it
	"github.com/marcboeker/":     "lake/local", // its former name
	"github.com/mattn/go-sqlite": "nobody",     // C: modernc.org/sqlite is pure Go
	"modernc.org/sqlite":         "internal/sqlitedb",
	"github.com/coreos/go-oidc":  "people/oidc",
	"golang.org/x/oauth2":        "people/oidc",
	"github.com/aws/":            "respond/aws",
}

type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
	CgoFiles     []string
	Doc          string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,GoFiles,CgoFiles,Doc", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func top(path string) string {
	path, _, _ = strings.Cut(path, "/")
	return path
}

func TestImports(t *testing.T) {
	for _, p := range list(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			if why := refuse(from, imp, false); why != "" {
				t.Errorf("%s imports %s: %s", from, imp, why)
			}
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			if why := refuse(from, imp, true); why != "" {
				t.Errorf("a test of %s imports %s: %s", from, imp, why)
			}
		}
		if len(p.CgoFiles) > 0 && !slices.Contains(cgo, from) {
			t.Errorf("%s uses cgo", from)
		}
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", from)
		}
	}
}

// refuse says why from may not import imp; empty: it may.
func refuse(from, imp string, inTest bool) string {
	to, ours := strings.CutPrefix(imp, module)
	switch {
	case !ours:
		return refuseForeign(from, imp)
	case inTest && refuseOurs(from, to) != "":
		return refuseInTest(from, to)
	}
	return refuseOurs(from, to)
}

// refuseForeign is refuse for what is not ours.
func refuseForeign(from, imp string) string {
	for prefix, keeper := range keepers {
		if strings.HasPrefix(imp, prefix) && from != keeper {
			return "may be imported by " + keeper + " only"
		}
	}
	switch {
	case slices.Contains(nouns, top(from)) && strings.Contains(top(imp), "."):
		return "nouns need the standard library only"
	case imp == "C" && !slices.Contains(cgo, from):
		return "uses cgo"
	}
	return ""
}

func refuseOurs(from, to string) string {
	f, o := top(from), top(to)
	isRoom := slices.Contains(rooms, f)
	switch {
	case f == o:
		return ""
	case slices.Contains(libraries, f):
		return "libraries import none of ours"
	case slices.Contains(alone, f):
		return "it imports none of ours"
	case slices.Contains(nouns, o):
		return ""
	case slices.Contains(nouns, f):
		return "nouns import nouns only"
	case o == "internal":
		return ""
	case slices.Contains(libraries, o):
		return ""
	case isRoom && exceptions[f] == o && to == o:
		return ""
	case isRoom:
		return "no room imports another"
	case !slices.Contains(may[f], o):
		return "not in the table"
	case slices.Contains(rooms, o) && to != o && !slices.Contains(wiring, f):
		return "only the root of a room, not its engines"
	}
	return ""
}

// refuseInTest is what still stands against an import that only a test makes.
func refuseInTest(from, to string) string {
	f, o := top(from), top(to)
	switch {
	case to == "internal/golden":
		return ""
	case slices.Contains(mayInTests[f], o):
		return ""
	case slices.Contains(inMemory, f) && slices.Contains(rooms, o) && path.Base(to) == "memory":
		return ""
	}
	return refuseOurs(from, to)
}

// TestGolden holds the Makefile's list of packages whose tests know -update:
// in others the flag is an error.
func TestGolden(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, named, _ := strings.Cut(string(makefile), "\nGOLDEN := ")
	named, _, _ = strings.Cut(named, "\n")
	tests, err := filepath.Glob("../../*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("../../*/*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, file := range append(tests, deeper...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"`+module+"internal/golden\"\n") || strings.Contains(string(text), "flag.Bool("+`"update"`) {
			have = append(have, "./"+filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), "../../")))
		}
	}
	slices.Sort(have)
	if got := strings.Join(slices.Compact(have), " "); got != named {
		t.Errorf("the Makefile's GOLDEN is %q; -update is known in %q", named, got)
	}
}

func TestTable(t *testing.T) {
	code := func(from, to string, want bool) {
		t.Helper()
		if why := refuse(from, module+to, false); (why == "") != want {
			t.Errorf("%s → %s: %q", from, to, why)
		}
	}
	code("lake/local", "lake", true)
	code("lake/local", "event", true)
	code("lake/local", "ledger", false)
	code("event", "query", true)
	code("event", "lake", false)
	code("detect/rule", "sigma/ir", true)
	code("detect/rule", "rules", false)
	code("sigma", "event", false)
	code("rules", "sigma", false)
	code("rules", "event", false)
	code("rules", "internal/shared", false)
	code("pipeline", "lake", true)
	code("pipeline", "lake/local", false)
	code("pipeline", "lake/memory", false)
	code("cmd/yagura", "lake/local", true)
	code("ledger/sqlite", "source", true)
	code("ledger/sqlite", "source/file", false)
	code("query", "sigma", false)
	code("simulate", "lake", false)
	code("newthing", "lake", false)

	test := func(from, to string, want bool) {
		t.Helper()
		if why := refuse(from, module+to, true); (why == "") != want {
			t.Errorf("a test of %s → %s: %q", from, to, why)
		}
	}
	test("rules", "sigma/match", true)
	test("rules", "simulate", true)
	test("rules", "lake", false)
	test("detect/rule", "rules", true)
	test("detect/rule", "lake", false)
	test("pipeline", "lake/memory", true)
	test("pipeline", "lake/local", false)
	test("api", "triage/memory", true)
	test("ledger/sqlite", "triage/memory", false)
	test("sigma/match", "internal/shared", false)
	test("event", "internal/shared", false)
	test("lake/local", "lake/laketest", true)

	foreign := func(from, imp string, want bool) {
		t.Helper()
		if why := refuse(from, imp, true); (why == "") != want {
			t.Errorf("%s → %s: %q", from, imp, why)
		}
	}
	foreign("lake/local", "github.com/duckdb/duckdb-go/v2", true)
	foreign("lake", "github.com/duckdb/duckdb-go/v2", false)
	foreign("e2e/bench", "github.com/duckdb/duckdb-go-bindings", false)
	foreign("triage/sqlite", "modernc.org/sqlite", false)
	foreign("query", "github.com/google/go-cmp/cmp", false)
	foreign("query", "net/netip", true)
	foreign("source/file", "C", false)
}
