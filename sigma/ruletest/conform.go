// Package ruletest runs labelled cases against rules: the cases that stand
// beside a rule, and whole corpora of them.
package ruletest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/sigma"
	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// Result is how a run went.
type Result struct {
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Skipped  int       `json:"skipped"`
	Failures []Failure `json:"failures"`
	// Skips counts what was not run, by reason.
	Skips map[string]int `json:"skips,omitempty"`
	// Cases are the cases beside rules, in their order, with what became of
	// each. A corpus leaves none.
	Cases []Case `json:"-"`
}

// Failure is a case that went otherwise than its label says.
type Failure struct {
	ID       string `json:"id"`
	Expected string `json:"expected"` // "true", "false" or "error"
	Got      string `json:"got"`
	Why      string `json:"why"`
	// Diff says over several lines what was as the case has it and what was not.
	Diff string `json:"diff,omitempty"`
}

func (r *Result) fail(id, expected, got, why string) {
	r.Failed++
	r.Failures = append(r.Failures, Failure{ID: id, Expected: expected, Got: got, Why: why})
}

func (r *Result) skip(reason string) {
	r.Skipped++
	if r.Skips == nil {
		r.Skips = map[string]int{}
	}
	r.Skips[reason]++
}

func (r *Result) judge(id, expected, got, why string) {
	if expected == got {
		r.Passed++
		return
	}
	r.fail(id, expected, got, why)
}

// labelled is one line of a corpus.
type labelled struct {
	ID           string
	Kind         string
	Rule         string
	Event        json.RawMessage
	Events       []json.RawMessage // of a correlation, each with the seconds of its time as "@ts"
	Expect       json.RawMessage
	ExpectGroups []string `json:"expect_groups"` // of a correlation: JSON arrays
	Placeholders map[string][]string
	Flags        []string
}

// check says what keeps the line from being a case; empty: nothing.
func (c *labelled) check() string {
	switch expect := string(c.Expect); {
	case c.ID == "":
		return `"id" is missing`
	case !slices.Contains(kinds, c.Kind):
		return fmt.Sprintf(`"kind" is %q, not one of %s`, c.Kind, strings.Join(kinds, ", "))
	case c.Rule == "":
		return `"rule" is missing`
	case expect == "":
		return `"expect" is missing`
	case expect != "true" && expect != "false" && expect != `"error"`:
		return fmt.Sprintf(`"expect" is %s, not true, false or "error"`, expect)
	case c.Kind == "correlation" && len(c.Events) == 0 && expect != `"error"`:
		return `"events" is missing`
	case c.Kind != "correlation" && len(c.Event) == 0 && expect != `"error"`:
		return `"event" is missing`
	}
	return ""
}

var kinds = []string{"rule", "filter", "correlation"}

// LineError says which line of a corpus is no case, and why.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// maxLine is the longest line of a corpus.
const maxLine = 64 << 20

// Conform runs a corpus of one JSON object a line: id, kind (rule, filter,
// correlation), rule (YAML, several documents for filters and correlations),
// event, expect (true, false or "error": to be refused), placeholders, flags.
// The case of a correlation has events instead, with their times in seconds as
// "@ts", and may say which expect_groups fire. Cases flagged ambiguous or
// spec-ambiguous are skipped. The first line that is no case ends the run with a
// *LineError, and so does a corpus without a case.
func Conform(r io.Reader) (Result, error) {
	out := Result{Failures: []Failure{}}
	var last compiled
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	n := 1
	for ; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var c labelled
		if err := json.Unmarshal(line, &c); err != nil {
			return out, &LineError{n, fmt.Errorf("no case: %w", err)}
		}
		if why := c.check(); why != "" {
			return out, &LineError{n, errors.New("no case: " + why)}
		}
		if reason := notRun(c); reason != "" {
			out.skip(reason)
			continue
		}
		if key := c.Rule + fmt.Sprint(c.Placeholders); last.key != key {
			last = compile(key, c)
		}
		if c.Kind == "correlation" {
			last.judge(&out, c)
			continue
		}
		got, why := last.run(c)
		out.judge(c.ID, strings.Trim(string(c.Expect), `"`), got, why)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return out, &LineError{n, fmt.Errorf("no case: longer than %d MiB", maxLine>>20)}
	} else if err != nil {
		return out, fmt.Errorf("read cases: %w", err)
	}
	if out.Passed+out.Failed+out.Skipped == 0 {
		return out, &LineError{n, errors.New("the corpus ends without a case")}
	}
	return out, nil
}

func notRun(c labelled) string {
	for _, flag := range c.Flags {
		if flag == "ambiguous" || flag == "spec-ambiguous" {
			return "label is " + flag
		}
	}
	return ""
}

// compiled is the rule of the last cases: those of one rule follow each other.
type compiled struct {
	key  string
	set  *match.Set
	plan *correlate.Plan
	err  error
}

func compile(key string, c labelled) compiled {
	docs, refused := sigma.Parse(c.ID, []byte(c.Rule))
	set, more := match.Compile(docs.Rules, match.Options{Placeholders: c.Placeholders, Filters: docs.Filters})
	plan, errs := correlate.Compile(docs.Correlations, docs.Rules, correlate.Options{})
	if err := refusal(slices.Concat(refused, more, errs)); err != nil {
		return compiled{key: key, err: err}
	}
	if set.Len() == 0 {
		return compiled{key: key, err: errors.New("case holds no rule")}
	}
	return compiled{key: key, set: set, plan: plan}
}

func refusal(refused []*sigma.Error) error {
	var all []error
	for _, e := range refused {
		all = append(all, e)
	}
	return errors.Join(all...)
}

// run gives "true", "false" or "error", and why.
func (c compiled) run(l labelled) (got, why string) {
	if c.err != nil {
		return "error", c.err.Error()
	}
	sc := c.set.NewScratch()
	hits, err := c.set.MatchJSON(sc, l.Event, match.SourceOf(c.set.Rule(0)))
	if err != nil {
		return "error", err.Error()
	}
	return fmt.Sprint(len(hits) > 0), Describe(sc.Explain(0))
}

// Describe puts an explanation into a sentence: the facts that it rests on.
func Describe(e match.Explanation) string {
	facts := e.Facts()
	var parts []string
	for i, f := range facts {
		if i == 6 {
			parts = append(parts, fmt.Sprintf("and %d more", len(facts)-i))
			break
		}
		key := f.Key
		if key == "" {
			key = "keyword"
		}
		actual := "is absent"
		switch {
		case f.Field == "" && !f.Held:
			actual = "occurs nowhere"
		case len(f.Actual) > 0:
			actual = "is " + strings.Join(f.Actual, ", ")
		}
		verdict := "holds"
		if !f.Held {
			verdict = "does not hold (" + string(f.Why) + ")"
		}
		parts = append(parts, fmt.Sprintf("%s: %s %s of %q %s", f.Search, key, actual, f.Pattern, verdict))
	}
	if len(parts) == 0 {
		return "no value decided it"
	}
	return strings.Join(parts, "; ")
}
