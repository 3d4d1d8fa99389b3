package say

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestUses holds that every T in the repository names a sentence that there is and
// gives the values that it names, and that every sentence is said by one, or looked
// for by an Again.
func TestUses(t *testing.T) {
	said := map[string]bool{}
	for path, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok && calls(call.Fun, "Again") {
				before, _ := ends(call.Args[0])
				for id := range catalogue {
					said[id] = said[id] || before != "" && strings.HasPrefix(id, before)
				}
			}
			if !ok || !calls(call.Fun, "T") || len(call.Args) != 2 {
				return true
			}
			ids := idsOf(call.Args[0])
			if len(ids) == 0 {
				t.Errorf("%s: %s names no sentence", path, text(call.Args[0]))
			}
			given, whole := valuesOf(call.Args[1])
			for _, id := range ids {
				said[id] = true
				if want := catalogue[id].pieces[English].names(); whole && !slices.Equal(given, want) {
					t.Errorf("%s: %s is given %q, its template names %q", path, id, given, want)
				}
			}
			return true
		})
	}
	for _, id := range slices.Sorted(maps.Keys(catalogue)) {
		if !said[id] {
			t.Errorf("nothing says %s", id)
		}
	}
}

// sources are all that import this package, tests not included.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	out := map[string]*ast.File{}
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && d.Name() != ".."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "../say/"):
			return nil
		}
		f, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return nil // not this package's business: it does not compile either
		}
		for _, i := range f.Imports {
			if i.Path.Value == `"github.com/yagura-sec/yagura/say"` {
				out[path] = f
			}
		}
		return nil
	})
	if err != nil || len(out) < 10 {
		t.Fatalf("%d files say something: %v", len(out), err)
	}
	return out
}

// calls tells whether f is a function of this package.
func calls(f ast.Expr, name string) bool {
	s, ok := f.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	p, ok := s.X.(*ast.Ident)
	return ok && p.Name == "say"
}

// idsOf are the sentences that an expression may name: one, or all that begin and
// end as it does.
func idsOf(e ast.Expr) (out []string) {
	before, after := ends(e)
	for id := range catalogue {
		_, whole := e.(*ast.BasicLit)
		if whole && id == before || !whole && before != "" && strings.HasPrefix(id, before) && strings.HasSuffix(id, after) {
			out = append(out, id)
		}
	}
	return out
}

// ends are the words that an expression of texts begins and ends with.
func ends(e ast.Expr) (before, after string) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s, s
	case *ast.BinaryExpr:
		before, _ = ends(e.X)
		_, after = ends(e.Y)
	}
	return before, after
}

// valuesOf are the names of values that are given; whole: that can be told.
func valuesOf(e ast.Expr) (out []string, whole bool) {
	if isNil, ok := e.(*ast.Ident); ok {
		return nil, isNil.Name == "nil"
	}
	c, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil, false
	}
	for _, x := range c.Elts {
		key, _ := ends(x.(*ast.KeyValueExpr).Key)
		out = append(out, key)
	}
	slices.Sort(out)
	return out, true
}

func text(e ast.Expr) string {
	before, after := ends(e)
	return strconv.Quote(before + "…" + after)
}

// TestHelds holds that reasons of quarantine are still written as they are known
// again: the words of each stand in the code of those who give reasons.
func TestHelds(t *testing.T) {
	var code strings.Builder
	for _, room := range []string{"alert", "lake", "ledger", "normalise", "pipeline", "source"} {
		err := filepath.WalkDir("../"+room, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			code.Write(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, s := range helds {
		for _, p := range parse(s.en) {
			words := strings.Trim(p.words, " :()")
			for _, value := range []string{"it is ", "is missing, "} { // of those that are named
				words = strings.TrimPrefix(words, value)
			}
			if len(words) > 3 && !strings.Contains(code.String(), words) {
				t.Errorf("%s: nobody says %q any more", id, words)
			}
		}
	}
}

func TestHeldsInJapanese(t *testing.T) {
	f := func(english, want string) {
		t.Helper()
		said := Again("held.", english)
		if got := said.In(Japanese); said.String() != english || got != want {
			t.Errorf("%q is told as %q, want %q", said, got, want)
		}
	}
	f("the record is not JSON: unexpected EOF", "記録が JSON ではない: unexpected EOF")
	f(`line 3: it is 9000 bytes long; the limit is 8192 (max_record)`, "3 行目: 大きさは 9000 バイトで、上限 8192 バイト (max_record) を超えている")
	f(`not a record: it starts with "hello, where" where an object was expected`, `記録ではない: オブジェクトであるべき箇所で、先頭は "hello, where"`)
	f("eventTime is missing, not a time such as 2006-01-02T15:04:05Z", "eventTime がない(2006-01-02T15:04:05Z のような時刻が必要)")
	f(`eventTime is "x", not a time such as 2006-01-02T15:04:05Z`, `eventTime が "x" で、2006-01-02T15:04:05Z のような時刻ではない`)
	f("in detail: eventName is missing, not the name of what happened", "detail の中: eventName がない(出来事の名前が必要)")
	f("JSON, but no finding that Yagura reads: top-level keys a, b", "JSON だが、読み取れる検出ではない: 最上位のキー: a, b")
	f("not JSON: it is a zip archive; unpack it first", "JSON ではない: ZIP アーカイブ(先に展開が必要)")
	f("permission denied", "アクセス権がない")
	f("a detection rule, not a log record", "ログの記録ではなく、検知ルール")
	f("a case of a detection rule about GCP.AuditLog; Yagura does not read these yet", "GCP.AuditLog についての検知ルールのテストケース(まだ読み取りの対象外)")
	f("a record of Zeek's log x509; Yagura does not read these yet", "Zeek's log x509 の記録(まだ読み取りの対象外)")
	f("an event of Suricata; Yagura does not read these yet", "Suricata のイベント(まだ読み取りの対象外)")
	f("something that a library says", "something that a library says")
}
