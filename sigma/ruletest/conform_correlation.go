package ruletest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/sigma/correlate"
	"github.com/yagura-sec/yagura/sigma/match"
)

// judge runs the case of a correlation: what counts is the firings of those
// correlations that no other refers to, once nothing comes any more.
func (c compiled) judge(out *Result, l labelled) {
	expected := strings.Trim(string(l.Expect), `"`)
	firings, err := c.fire(l)
	if err != nil {
		out.judge(l.ID, expected, "error", err.Error())
		return
	}
	var groups, why []string
	for _, f := range firings {
		if !f.Correlation.Findings {
			continue
		}
		groups = append(groups, fmt.Sprintf("%q", f.Group))
		why = append(why, fmt.Sprintf("%s: %s of %q is %v", f.At.Format(time.TimeOnly), f.Condition, f.Group, f.Value))
	}
	reason := strings.Join(why, "; ")
	if reason == "" {
		reason = "nothing fired"
	}
	got := fmt.Sprint(len(groups) > 0)
	if got != expected || l.ExpectGroups == nil {
		out.judge(l.ID, expected, got, reason)
		return
	}
	want, err := labelledGroups(l.ExpectGroups)
	if err != nil {
		out.fail(l.ID, "groups", "error", err.Error())
		return
	}
	out.judge(l.ID, set(want), set(groups), reason)
}

// set is the different texts in order.
func set(texts []string) string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), " ")
}

func labelledGroups(texts []string) ([]string, error) {
	var out []string
	for _, text := range texts {
		var group []string
		if err := json.Unmarshal([]byte(text), &group); err != nil {
			return nil, fmt.Errorf("group %s: %w", text, err)
		}
		out = append(out, fmt.Sprintf("%q", group))
	}
	return out, nil
}

// fire evaluates the events of a case.
func (c compiled) fire(l labelled) ([]*correlate.Firing, error) {
	if c.err != nil {
		return nil, c.err
	}
	sc := c.set.NewScratch()
	var hits []correlate.Hit
	for n, event := range l.Events {
		var when struct {
			At float64 `json:"@ts"`
		}
		if err := json.Unmarshal(event, &when); err != nil {
			return nil, fmt.Errorf("event %d: %w", n+1, err)
		}
		at := time.Unix(0, int64(when.At*1e9)).UTC()
		for i := range c.set.Len() {
			base := c.plan.Base(c.set.Rule(i))
			if base == nil {
				continue
			}
			found, err := c.set.MatchJSON(sc, event, match.SourceOf(c.set.Rule(i)))
			if err != nil {
				return nil, fmt.Errorf("event %d: %w", n+1, err)
			}
			if !slices.Contains(found, i) {
				continue
			}
			hit, err := base.Hit(at, fmt.Sprint(n), event, nil)
			if err != nil {
				return nil, fmt.Errorf("event %d: %w", n+1, err)
			}
			hits = append(hits, hit)
		}
	}
	firings, _ := correlate.Evaluate(c.plan, hits, time.Time{}, correlate.EngineOptions{})
	return firings, nil
}
