// Package arch holds the picture of who may import whom.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/yagura-sec/yagura/"

var (
	nouns     = []string{"event", "usage", "query", "finding", "resource"}
	libraries = []string{"sigma", "iam"}
	rooms     = []string{"source", "normalise", "detect", "lake", "ledger", "triage", "inventory", "posture", "respond", "cost", "news", "guide"}
)

// exceptions are imports between rooms that were argued for.
var exceptions = map[string]string{
	"ledger": "source", // what a source is told of an object is what the ledger remembers of it
}

// may is the table for everything that is neither noun, library nor room.
var may = map[string][]string{
	"simulate":  nil,
	"pipeline":  rooms, // their roots only: see below
	"catalogue": append([]string{"config", "rules"}, rooms...),
	"config":    nil,
	"api":       rooms,
	"rules":     {"sigma", "detect"}, // in tests only
	"internal":  nil,
	"e2e":       {"simulate"},
	"cmd":       append([]string{"pipeline", "simulate", "catalogue", "api", "config", "rules", "web"}, rooms...),
}

// engines may be imported whole (with their engine folders) by these only.
var wiring = []string{"catalogue", "cmd"}

// cgo is allowed in these packages only.
var cgo = []string{"lake/local"}

type pkg struct {
	ImportPath string
	Imports    []string
	GoFiles    []string
	CgoFiles   []string
	Doc        string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles,CgoFiles,Doc", module+"...").Output()
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
			if to, ours := strings.CutPrefix(imp, module); ours {
				if why := refuse(from, to); why != "" {
					t.Errorf("%s imports %s: %s", from, to, why)
				}
			} else if slices.Contains(nouns, top(from)) && strings.Contains(top(imp), ".") {
				t.Errorf("%s imports %s: nouns need the standard library only", from, imp)
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

// refuse says why from may not import to; empty: it may.
func refuse(from, to string) string {
	f, o := top(from), top(to)
	isRoom := slices.Contains(rooms, f)
	switch {
	case f == o:
		return ""
	case slices.Contains(libraries, f):
		return "libraries import none of ours"
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

func TestTable(t *testing.T) {
	f := func(from, to string, want bool) {
		t.Helper()
		if why := refuse(from, to); (why == "") != want {
			t.Errorf("%s → %s: %q", from, to, why)
		}
	}
	f("lake/local", "lake", true)
	f("lake/local", "event", true)
	f("lake/local", "ledger", false)
	f("event", "query", true)
	f("event", "lake", false)
	f("detect/rule", "sigma/ir", true)
	f("sigma", "event", false)
	f("pipeline", "lake", true)
	f("pipeline", "lake/local", false)
	f("cmd/yagura", "lake/local", true)
	f("ledger/sqlite", "source", true)
	f("ledger/sqlite", "source/file", false)
	f("query", "sigma", false)
	f("simulate", "lake", false)
	f("newthing", "lake", false)
}
