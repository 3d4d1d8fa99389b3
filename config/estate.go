package config

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/yagura-sec/yagura/finding"
)

// Estate says which accounts there are and what holds for them: see docs/triage.md.
type Estate struct {
	// File has more of the same, accounts and rules at its top; or it is the
	// answer of `aws organizations list-accounts`.
	File     string       `yaml:"file"`
	Accounts []Account    `yaml:"accounts"`
	Rules    []EstateRule `yaml:"rules"`
}

// Account is finding.Account.
type Account struct {
	ID          string            `yaml:"id"`
	Name        string            `yaml:"name"`
	Tags        map[string]string `yaml:"tags"`
	Environment string            `yaml:"environment"`
	Owner       string            `yaml:"owner"`
	Criticality string            `yaml:"criticality"`
}

// EstateRule is finding.EstateRule.
type EstateRule struct {
	Accounts    []string          `yaml:"accounts"`
	Tags        map[string]string `yaml:"tags"`
	Resources   []string          `yaml:"resources"`
	Environment string            `yaml:"environment"`
	Owner       string            `yaml:"owner"`
	Criticality string            `yaml:"criticality"`
}

// Finding gives the estate as findings are placed by, with what its File says,
// which read reads; of an account in both the section has the word.
func (e Estate) Finding(read func(path string) ([]byte, error)) (finding.Estate, error) {
	out := e.own()
	if e.File != "" {
		text, err := read(e.File)
		if err != nil {
			return out, fmt.Errorf("estate: %w", err)
		}
		more, err := parseEstate(e.File, text)
		if err != nil {
			return out, err
		}
		here := map[string]bool{}
		for _, a := range out.Accounts {
			here[a.ID] = true
		}
		for _, a := range more.Accounts {
			if !here[a.ID] {
				out.Accounts = append(out.Accounts, a)
			}
		}
		out.Rules = append(out.Rules, more.Rules...)
	}
	if err := out.Check(); err != nil {
		return out, fmt.Errorf("estate: %w", err)
	}
	return out, nil
}

func (e Estate) own() (out finding.Estate) {
	for _, a := range e.Accounts {
		out.Accounts = append(out.Accounts, finding.Account{ID: a.ID, Name: a.Name, Tags: a.Tags,
			Said: finding.Said{Environment: a.Environment, Owner: a.Owner, Criticality: a.Criticality}})
	}
	for _, r := range e.Rules {
		out.Rules = append(out.Rules, finding.EstateRule{Accounts: r.Accounts, Tags: r.Tags, Resources: r.Resources,
			Said: finding.Said{Environment: r.Environment, Owner: r.Owner, Criticality: r.Criticality}})
	}
	return out
}

// parseEstate reads a file of an estate.
func parseEstate(name string, text []byte) (finding.Estate, error) {
	var organisation struct {
		Accounts []struct{ ID, Name string }
	}
	// JSON is case-blind to keys and YAML is not: the organisation's answer has
	// "Accounts", our own form "accounts".
	if err := json.Unmarshal(text, &organisation); err == nil && strings.Contains(string(text), `"Accounts"`) {
		var out finding.Estate
		for _, a := range organisation.Accounts {
			out.Accounts = append(out.Accounts, finding.Account{ID: a.ID, Name: a.Name})
		}
		return out, out.Check()
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return finding.Estate{}, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return finding.Estate{}, nil
	}
	var e struct {
		Accounts []Account    `yaml:"accounts"`
		Rules    []EstateRule `yaml:"rules"`
	}
	if err := decode(name, doc.Content[0], &e); err != nil {
		return finding.Estate{}, err
	}
	return Estate{Accounts: e.Accounts, Rules: e.Rules}.own(), nil
}
