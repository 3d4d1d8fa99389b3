package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/triage"
)

// Rule is a rule or correlation that judges.
type Rule struct {
	ID          string    `json:"id" doc:"as findings name it"`
	Title       say.Text  `json:"title"`
	Level       string    `json:"level" enum:",informational,low,medium,high,critical"`
	Status      string    `json:"status" doc:"as its author gives it: stable, test, experimental"`
	Kind        string    `json:"kind" enum:"rule,correlation"`
	LogSource   string    `json:"logsource" example:"aws/cloudtrail"`
	Attack      []string  `json:"attack" doc:"ids of ATT&CK techniques and tactics"`
	File        string    `json:"file"`
	Builtin     bool      `json:"builtin" doc:"it comes with the program"`
	Stage       string    `json:"stage" enum:",staged,promoted,retired" doc:"of its trial; empty: it was never on trial"`
	Demoted     bool      `json:"demoted" doc:"it matches so much that its findings are counted only"`
	Findings    int       `json:"findings" doc:"findings it made, those out of sight included; -1: not told to those who are limited to some accounts"`
	Open        int       `json:"open" doc:"of them, those that wait for a person; -1 likewise"`
	Logs        bool      `json:"logs" doc:"records of its log source are stored"`
	Cases       RuleCases `json:"cases"`
	Description say.Text  `json:"description"`
}

// RuleCases is what became of the cases that stand beside a rule.
type RuleCases struct {
	Passed int `json:"passed"`
	Failed int `json:"failed"`
}

// RuleCase is one of them.
type RuleCase struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Why    string `json:"why" doc:"of one that failed: what came out otherwise"`
}

// RuleDetail is all of a rule.
type RuleDetail struct {
	Rule
	Text           string     `json:"text" doc:"the file it is in"`
	Explain        say.Text   `json:"explain" doc:"what it looks for, in words"`
	Author         string     `json:"author"`
	License        string     `json:"license"`
	References     []string   `json:"references"`
	FalsePositives []say.Text `json:"false_positives"`
	Next           []say.Text `json:"next" doc:"what to do about a finding"`
	CaseList       []RuleCase `json:"case_list"`
}

// Coverage is which ATT&CK techniques rules are about.
type Coverage struct {
	Version  string           `json:"version" doc:"of ATT&CK" example:"19"`
	Tactics  []CoverageTactic `json:"tactics" doc:"in the order of ATT&CK's matrix"`
	Untagged int              `json:"rules_without_technique"`
}

// CoverageTactic is a column of the matrix.
type CoverageTactic struct {
	ID         string              `json:"id" example:"TA0006"`
	Name       string              `json:"name"`
	Techniques []CoverageTechnique `json:"techniques" doc:"by id"`
}

// CoverageTechnique is a technique that rules are about.
type CoverageTechnique struct {
	ID       string   `json:"id" example:"T1552.005"`
	Name     string   `json:"name" doc:"empty: not known here"`
	State    string   `json:"state" enum:"covered,present,fired" doc:"covered: a rule is about it; present: records of its log source are stored; fired: it has found something"`
	Rules    []string `json:"rules" doc:"ids"`
	Findings int      `json:"findings" doc:"findings of these rules; -1: not told to those who are limited to some accounts"`
}

// Rules is all of them.
type Rules struct {
	Rules []Rule `json:"rules"`
}

func ruleList(a huma.API, rooms Rooms) {
	type all struct{ Body Rules }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "list-rules", Method: http.MethodGet, Path: "/api/rules", Summary: "The rules and correlations that judge",
	})), func(ctx context.Context, _ *struct{}) (*all, error) {
		if rooms.Console.Rules == nil {
			return nil, absent("rules")
		}
		rules, err := rooms.Console.Rules(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		out := Rules{[]Rule{}}
		for _, r := range rules {
			out.Rules = append(out.Rules, r.within(ctx))
		}
		return &all{out}, nil
	})
}

// within is r without what is known of all accounts, for who is limited to some.
func (r Rule) within(ctx context.Context) Rule {
	if who(ctx).Limited() {
		r.Findings, r.Open = -1, -1
	}
	return r
}

// uncounted is c without what is known of all accounts. It shares nothing with c.
func (c Coverage) uncounted() Coverage {
	c.Tactics = slices.Clone(c.Tactics)
	for i := range c.Tactics {
		t := slices.Clone(c.Tactics[i].Techniques)
		for j := range t {
			t[j].Findings = -1
			if t[j].State == "fired" {
				t[j].State = "present"
			}
		}
		c.Tactics[i].Techniques = t
	}
	return c
}

func ruleDetail(a huma.API, rooms Rooms) {
	type one struct{ Body RuleDetail }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "get-rule", Method: http.MethodGet, Path: "/api/rules/{id}", Summary: "One rule with its text and its cases",
	})), func(ctx context.Context, in *struct {
		ID string `path:"id"`
	}) (*one, error) {
		if rooms.Console.Rule == nil {
			return nil, absent("rules")
		}
		r, err := rooms.Console.Rule(ctx, in.ID)
		if errors.Is(err, triage.ErrUnknown) {
			return nil, huma.Error404NotFound(err.Error())
		}
		if err != nil {
			return nil, rooms.failure(err)
		}
		r.Rule = r.within(ctx)
		return &one{r}, nil
	})
}

func ruleCoverage(a huma.API, rooms Rooms) {
	type matrix struct{ Body Coverage }
	huma.Register(a, need(people.Viewer, within(huma.Operation{
		OperationID: "rules-coverage", Method: http.MethodGet, Path: "/api/rules/coverage", Summary: "Which ATT&CK techniques rules are about, and which have fired",
	})), func(ctx context.Context, _ *struct{}) (*matrix, error) {
		if rooms.Console.Coverage == nil {
			return nil, absent("rules")
		}
		c, err := rooms.Console.Coverage(ctx)
		if err != nil {
			return nil, rooms.failure(err)
		}
		if who(ctx).Limited() {
			c = c.uncounted()
		}
		return &matrix{c}, nil
	})
}
