package match_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

func TestFields(t *testing.T) {
	fields := match.NewFields([]string{"a", "a.b", "c.d.e", "list", "absent"})
	f := func(record string, want ...[]string) {
		t.Helper()
		got, err := fields.Read([]byte(record))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v; want %q", record, got, err, want)
		}
	}
	f(`{}`, nil, nil, nil, nil, nil)
	f(`{"a":{"b":1.50},"list":["x",null,["y",true]]}`, []string{`{"b":1.50}`}, []string{"1.50"}, nil, []string{"x", "y", "true"}, nil)
	f(`{"a":null,"a.b":"flat \u00e9\"","c":{"d.e":"1","d":{"e":"2"}},"list":[]}`, nil, []string{`flat é"`}, []string{"1"}, nil, nil)
	f(`{"c":[{"d":[{"e":1},{"e":[2,{"x": 3}]}]},{"d":{"e":""}}]}`, nil, nil, []string{"1", "2", `{"x":3}`, ""}, nil, nil)
	for _, bad := range []string{``, `[]`, `{"a"`, `{"a":1} x`} {
		if got, err := fields.Read([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "read fields: ") {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
	f(`{"a":"after a record that was none"}`, []string{"after a record that was none"}, nil, nil, nil, nil)
	if got, err := match.NewFields(nil).Read([]byte(`{"a":1}`)); err != nil || len(got) != 0 {
		t.Errorf("no fields: %q, %v", got, err)
	}
}

// What Read gives is the caller's, also while others read.
func TestFieldsAreTheCallers(t *testing.T) {
	fields := match.NewFields([]string{"a"})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			var kept [][][]string
			for k := range 50 {
				record := fmt.Appendf(nil, `{"a":"%d-\u0041%d"}`, i, k)
				got, err := fields.Read(record)
				if err != nil {
					t.Error(err)
					return
				}
				clear(record)
				kept = append(kept, got)
			}
			for k, got := range kept {
				if want := fmt.Sprintf("%d-A%d", i, k); got[0][0] != want {
					t.Errorf("%q became %q", want, got[0][0])
				}
			}
		})
	}
	wg.Wait()
}

// A rule that asks for a value holds if the value is among those read.
func TestFieldsAgreeWithRules(t *testing.T) {
	names := []string{"a", "b", "a.b", "a.b.a", "b.a"}
	values := []string{"1", "x"}
	var text strings.Builder
	for _, name := range names {
		for _, v := range values {
			fmt.Fprintf(&text, "---\ntitle: %s is %s\nlogsource: {product: p}\ndetection:\n  s: {'%s|cased': '%s'}\n  condition: s\n", name, v, name, v)
		}
	}
	docs, refused := sigma.Parse("f.yml", []byte(text.String()))
	set, more := match.Compile(docs.Rules, match.Options{})
	for _, e := range append(refused, more...) {
		t.Fatal(e)
	}
	sc, fields := set.NewScratch(), match.NewFields(names)
	var value func(rnd *rand.Rand, depth int) any
	value = func(rnd *rand.Rand, depth int) any {
		switch n := rnd.IntN(6 + 2*depth); {
		case n == 0:
			return nil
		case n < 3:
			return "x"
		case n < 6:
			return 1
		case n%2 == 0:
			return []any{value(rnd, depth-1), value(rnd, depth-1)}
		}
		out := map[string]any{}
		for _, key := range []string{"a", "b", "a.b", "b.a"} {
			if rnd.IntN(2) == 0 {
				out[key] = value(rnd, depth-1)
			}
		}
		return out
	}
	held := 0
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		record, err := json.Marshal(map[string]any{"a": value(rnd, 3), "b": value(rnd, 3), "a.b": value(rnd, 1)})
		if err != nil {
			t.Fatal(err)
		}
		hits, err := set.MatchJSON(sc, record, match.Source{Product: "p"})
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, i := range hits {
			want = append(want, set.Rule(i).Title)
		}
		read, err := fields.Read(record)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			for _, v := range values {
				for _, x := range read[i] {
					if x == v {
						got = append(got, name+" is "+v)
						break
					}
				}
			}
		}
		held += len(want)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: read %q, rules hold %q", record, got, want)
		}
	}
	if held < 2000 {
		t.Errorf("only %d rules held", held)
	}
}
