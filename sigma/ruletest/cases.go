package ruletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Options is how cases beside rules are run.
type Options struct {
	match.Options
	// Require makes a rule fail that has no case which fires, or none which
	// stays quiet. Without it a rule that has no cases file is skipped.
	Require bool
}

// Test runs the cases beside the rules of fsys: NAME.cases.yml beside NAME.yml
// holds
//
//	cases:
//	  - name: what it shows
//	    fires: true
//	    event: {…}   # one raw record, as YAML or as JSON text
//
// Where a file holds several rules, a case says by "rule" which of them it is
// about, by id, name or title. A case is held against its rule alone, whatever
// the log source. Rules that are refused are failures; shown is how messages
// name fsys.
func Test(fsys fs.FS, shown string, o Options) Result {
	out := Result{Failures: []Failure{}}
	docs, refused := sigma.Load(fsys, shown)
	set, more := match.Compile(docs.Rules, o.Options)
	for _, e := range append(refused, more...) {
		out.fail(fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Col), "a rule that compiles", "error", e.Reason)
	}
	byFile := map[string][]int{}
	var files []string
	for i := range set.Len() {
		file := set.Rule(i).File
		if byFile[file] == nil {
			files = append(files, file)
		}
		byFile[file] = append(byFile[file], i)
	}
	sc := set.NewScratch()
	prefix := strings.TrimSuffix(path.Join(shown, "x"), "x") // as Load joins them
	for _, file := range files {
		testFile(&out, fsys, strings.TrimPrefix(file, prefix), set, sc, byFile[file], o)
	}
	return out
}

// oneCase is a case as written.
type oneCase struct {
	Name  string
	Rule  string
	Fires *bool
	Event yaml.Node
}

func testFile(out *Result, fsys fs.FS, name string, set *match.Set, sc *match.Scratch, rules []int, o Options) {
	file := set.Rule(rules[0]).File
	casesFile := strings.TrimSuffix(name, path.Ext(name)) + sigma.CasesSuffix
	cases, err := readCases(fsys, casesFile)
	if errors.Is(err, fs.ErrNotExist) {
		if !o.Require {
			out.skip("rule has no cases")
			return
		}
		err = nil
	}
	if err != nil {
		out.fail(file, "cases that can be read", "error", fmt.Sprintf("%s: %v", casesFile, err))
		return
	}
	fires, quiet := map[int]int{}, map[int]int{}
	for n, c := range cases {
		id := fmt.Sprintf("%s: %s", file, c.Name)
		if c.Name == "" {
			id = fmt.Sprintf("%s: case %d", file, n+1)
		}
		rule, err := ruleOf(set, rules, c.Rule)
		if err == nil && c.Fires == nil {
			err = errors.New(`"fires" is missing`)
		}
		if err != nil {
			out.fail(id, "a whole case", "error", fmt.Sprintf("%s:%d: %v", casesFile, c.Event.Line, err))
			continue
		}
		if *c.Fires {
			fires[rule]++
		} else {
			quiet[rule]++
		}
		got, why := runCase(set, sc, rule, &c.Event)
		out.judge(id, fmt.Sprint(*c.Fires), got, why)
	}
	if !o.Require {
		return
	}
	for _, i := range rules {
		if fires[i] == 0 {
			out.fail(set.Rule(i).File, "a case that fires", "none", "rule "+set.Rule(i).Key()+" has no case that fires")
		}
		if quiet[i] == 0 {
			out.fail(set.Rule(i).File, "a case that stays quiet", "none", "rule "+set.Rule(i).Key()+" has no case that stays quiet")
		}
	}
}

func readCases(fsys fs.FS, name string) ([]oneCase, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var file struct{ Cases []oneCase }
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return file.Cases, nil
}

// ruleOf finds the rule that a case is about.
func ruleOf(set *match.Set, rules []int, name string) (int, error) {
	if name == "" {
		if len(rules) > 1 {
			return 0, errors.New(`file holds several rules: "rule" has to say which one is meant`)
		}
		return rules[0], nil
	}
	for _, i := range rules {
		if r := set.Rule(i); name == r.ID || name == r.Name || name == r.Title {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no rule %q in the file", name)
}

func runCase(set *match.Set, sc *match.Scratch, rule int, event *yaml.Node) (got, why string) {
	record, err := recordOf(event)
	if err != nil {
		return "error", err.Error()
	}
	e, err := set.ExplainJSON(sc, record, match.SourceOf(set.Rule(rule)), rule)
	if err != nil {
		return "error", err.Error()
	}
	return fmt.Sprint(e.Held), Describe(e)
}

// recordOf writes an event as JSON with its keys in the order of the file: some
// rules look at an object as text.
func recordOf(n *yaml.Node) ([]byte, error) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		if !json.Valid([]byte(n.Value)) {
			return nil, errors.New("event is text, but no JSON")
		}
		return []byte(n.Value), nil
	}
	return appendJSON(nil, n, 0)
}

// maxNesting bounds what aliases can make of a few lines.
const maxNesting = 100

func appendJSON(dst []byte, n *yaml.Node, depth int) ([]byte, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("line %d: event is nested more than %d deep", n.Line, maxNesting)
	}
	var err error
	switch n.Kind {
	case yaml.AliasNode:
		return appendJSON(dst, n.Alias, depth+1)
	case yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			key, err := json.Marshal(n.Content[i].Value)
			if err != nil {
				return nil, err
			}
			dst = append(append(dst, key...), ':')
			if dst, err = appendJSON(dst, n.Content[i+1], depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, x := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, x, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case yaml.ScalarNode:
		return appendScalar(dst, n)
	}
	return nil, errors.New("event is missing")
}

func appendScalar(dst []byte, n *yaml.Node) ([]byte, error) {
	var v any = n.Value
	if n.Tag != "!!str" && n.Tag != "!!timestamp" {
		if err := n.Decode(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // as the provider writes it
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return append(dst, bytes.TrimRight(b.Bytes(), "\n")...), nil
}
