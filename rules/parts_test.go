package rules_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/rules"
	"github.com/yagura-sec/yagura/sigma/ruletest"
)

// Each part of a correlation for AWS is there for a reason that a case shows: with
// another timespan or threshold, without a field of group-by, without one of the
// rules or their order, or without an exception of a base rule, a case goes
// otherwise.
func TestEveryPartHasACase(t *testing.T) {
	if testing.Short() {
		t.Skip("runs all cases of correlations about ten times")
	}
	var changes int
	for name := range correlations(t) {
		if !strings.HasPrefix(name, "aws/") {
			continue
		}
		t.Run(strings.TrimSuffix(name, ".yml"), func(t *testing.T) {
			w := newWorkshop(t, name)
			if failed := w.failures(); failed > 0 {
				t.Fatalf("%d cases fail as it is", failed)
			}
			for _, doc := range w.docs {
				w.title = member(doc, "title").Value
				if c := member(doc, "correlation"); c != nil {
					w.correlation(c)
				} else {
					w.exceptions(member(doc, "detection"))
				}
			}
			changes += w.changes
		})
	}
	t.Logf("%d changes", changes)
}

// workshop changes the documents of a file, one place at a time.
type workshop struct {
	t       *testing.T
	docs    []*yaml.Node // mappings
	cases   []byte
	title   string // of the document that is changed
	changes int
}

func newWorkshop(t *testing.T, name string) *workshop {
	t.Helper()
	read := func(name string) []byte {
		text, err := fs.ReadFile(rules.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	w := &workshop{t: t, cases: read(strings.TrimSuffix(name, ".yml") + rules.CasesSuffix)}
	for dec := yaml.NewDecoder(bytes.NewReader(read(name))); ; {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return w
		} else if err != nil {
			t.Fatal(err)
		}
		w.docs = append(w.docs, doc.Content[0])
	}
}

// failures is how many cases go otherwise than they say.
func (w *workshop) failures() int {
	w.t.Helper()
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	for _, doc := range w.docs {
		if err := enc.Encode(doc); err != nil {
			w.t.Fatal(err)
		}
	}
	fsys := fstest.MapFS{"changed.yml": {Data: text.Bytes()}, "changed" + rules.CasesSuffix: {Data: w.cases}}
	return ruletest.Test(fsys, "", ruletest.Options{Record: catalogue.CaseRecord}).Failed
}

// matters tells of a change that no case notices.
func (w *workshop) matters(what string, args ...any) {
	w.t.Helper()
	w.changes++
	if w.failures() == 0 {
		w.t.Errorf("%q: no case notices %s", w.title, fmt.Sprintf(what, args...))
	}
}

// set changes a scalar and calls then.
func (w *workshop) set(n *yaml.Node, value, what string) {
	w.t.Helper()
	was := n.Value
	n.Value = value
	w.matters(what, was, value)
	n.Value = was
}

func (w *workshop) correlation(c *yaml.Node) {
	w.t.Helper()
	w.set(member(c, "timespan"), "3000d", "a timespan of more than %s: %s")
	if !soon[w.title] {
		w.set(member(c, "timespan"), "1s", "a timespan of less than %s: %s")
	}
	if condition := member(c, "condition"); condition != nil {
		for _, op := range []string{"gte", "gt"} {
			limit := member(condition, op)
			if limit == nil {
				continue
			}
			n, err := strconv.Atoi(limit.Value)
			if err != nil {
				w.t.Fatal(err)
			}
			step := 1
			if n > 1000 { // bytes
				step = n / 4
			}
			w.set(limit, strconv.Itoa(n+step), "a threshold above %s: %s")
			w.set(limit, strconv.Itoa(n-step), "a threshold below %s: %s")
		}
	}
	if groups := member(c, "group-by"); groups != nil {
		w.without(groups, "group-by")
	}
	if members := member(c, "rules"); len(members.Content) > 1 {
		w.without(members, "rules")
	}
	if kind := member(c, "type"); kind.Value == "temporal_ordered" {
		w.set(kind, "temporal", "the order of the rules: %s, %s")
	}
}

// soon are correlations for which a timespan cannot be too short, because all
// that they are about comes together with one event.
var soon = map[string]bool{"A person reads very large objects one after the other": true}

// without takes one entry of a list away at a time.
func (w *workshop) without(list *yaml.Node, key string) {
	w.t.Helper()
	all := list.Content
	for i, entry := range all {
		list.Content = slices.Delete(slices.Clone(all), i, i+1)
		w.matters("%s without %s", key, entry.Value)
	}
	list.Content = all
}

// exceptions takes the "and not" parts out of the condition of a base rule.
func (w *workshop) exceptions(detection *yaml.Node) {
	w.t.Helper()
	condition := member(detection, "condition")
	for i := 0; i < len(detection.Content); i += 2 {
		part := " and not " + detection.Content[i].Value
		if strings.Contains(condition.Value+" ", part+" ") || strings.Contains(condition.Value, part+")") {
			w.set(condition, strings.Replace(condition.Value, part, "", 1), "the exception in %q, as against %q")
		}
	}
}

// member is the value of a key of a mapping, or nil.
func member(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}
