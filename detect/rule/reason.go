package rule

import (
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/detect/about"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/sigma/match"
)

// A finding shows so many facts, and its first sentence so many of them.
const (
	maxReasons = 20
	maxSaid    = 3
)

// reasons puts an explanation into a sentence with its values, and then every
// fact that it rests on.
func reasons(e *event.Event, explained match.Explanation) []finding.Reason {
	facts := gather(explained.Facts())
	evidence := []event.UID{e.UID}
	var said []string
	var out []finding.Reason
	for i, f := range facts {
		if i == maxReasons {
			out = append(out, finding.Reason{Kind: "more", Text: fmt.Sprintf("%d more facts of the rule hold.", len(facts)-i)})
			break
		}
		out = append(out, finding.Reason{
			Kind: f.kind(), Text: f.sentence(), Observed: f.observed(), Expected: f.expected(), Evidence: evidence,
		})
		// The service is in the first half of the sentence already.
		if !f.Negated && (f.observed() != e.APIService || e.APIService == "") {
			said = append(said, f.sentence())
		}
	}
	if len(said) > maxSaid {
		said = append(said[:maxSaid], fmt.Sprintf("%d more", len(said)-maxSaid))
	}
	text := about.Subject(e)
	if len(said) > 0 {
		text += ": " + strings.Join(said, ", ")
	}
	summary := finding.Reason{Kind: "match", Text: text, Evidence: evidence}
	if e.ActorUID == "" && e.SrcIP != "" {
		out = append(out, about.Unnamed(e.SrcIP, evidence))
	}
	return append([]finding.Reason{summary}, out...)
}

// fact is one or more answers about one item of a rule.
type fact struct {
	match.Fact
	patterns []string // as written
}

// gather joins the facts of an item: a list of forty excluded names is one fact.
func gather(facts []match.Fact) []fact {
	var out []fact
	for _, f := range facts {
		if n := len(out); n > 0 && out[n-1].Search == f.Search && out[n-1].Key == f.Key && out[n-1].Negated == f.Negated && f.Key != "" {
			out[n-1].patterns = append(out[n-1].patterns, f.Pattern)
			continue
		}
		out = append(out, fact{f, []string{f.Pattern}})
	}
	return out
}

func (f fact) kind() string {
	switch {
	case f.Negated:
		return "exclusion" // what would have kept the rule quiet, and was not there
	case f.Field == "":
		return "keyword"
	}
	return "field"
}

// expected is what the rule asks for, with its modifiers.
func (f fact) expected() string {
	shown := f.patterns
	more := ""
	if len(shown) > maxSaid {
		more = fmt.Sprintf(" or %d more", len(shown)-maxSaid)
		shown = shown[:maxSaid]
	}
	text := strings.Join(shown, " or ") + more
	if f.Key != "" {
		text = f.Key + ": " + text
	}
	if f.Negated {
		text = "not " + text
	}
	return text
}

// observed is what the record holds.
func (f fact) observed() string { return strings.Join(f.Actual, ", ") }

// sentence says what the record holds under the name of the field.
func (f fact) sentence() string {
	if f.Field == "" {
		if !f.Held {
			return fmt.Sprintf("%q occurs nowhere", f.patterns[0])
		}
		return fmt.Sprintf("%q occurs in %q", f.patterns[0], f.observed())
	}
	switch {
	case len(f.Actual) == 0:
		return f.Field + " is absent"
	case len(f.Actual) == 1 && f.Actual[0] == "null":
		return f.Field + " is null"
	case len(f.Actual) == 1:
		return fmt.Sprintf("%s is %q", f.Field, f.Actual[0])
	}
	return fmt.Sprintf("%s holds %q", f.Field, f.Actual)
}
