package config

import (
	"errors"
	"strings"
	"testing"
)

func TestEstate(t *testing.T) {
	f := func(section, file, want string) {
		t.Helper()
		c, err := Parse("c.yaml", []byte(section))
		if err != nil {
			t.Errorf("%s: %v", section, err)
			return
		}
		e, err := c.Estate.Finding(func(path string) ([]byte, error) {
			if path != "accounts.yaml" {
				return nil, errors.New("no such file")
			}
			return []byte(file), nil
		})
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", section, err, want)
			}
			return
		}
		p := e.Place("111122223333", "")
		if got := strings.Join([]string{p.Name, p.Environment, p.Owner, p.Criticality}, " "); got != want {
			t.Errorf("%s: %q, want %q", section, got, want)
		}
	}
	const section = "estate:\n  accounts:\n    - {id: \"111122223333\", name: shop-prod, tags: {team: shop}}\n  rules:\n    - {accounts: [\"*-prod\"], environment: production, criticality: high}\n"
	f("", "", "   ")
	f(section, "", "shop-prod production  high")
	f(section+"    - {tags: {team: shop}, owner: bo}\n", "", "shop-prod production bo high")
	f("estate: {file: accounts.yaml}\n", "accounts: [{id: \"111122223333\", environment: test}]\n", " test  ")
	f("estate: {file: accounts.yaml}\n", `{"Accounts": [{"Id": "111122223333", "Arn": "arn:aws:organizations::x", "Name": "shop", "Status": "ACTIVE"}]}`, "shop   ")
	f(section+"  file: accounts.yaml\n", "accounts: [{id: \"111122223333\", name: other}]\n", "shop-prod production  high")
	f("estate: {file: accounts.yaml}\n", "colour: red\n", "accounts.yaml:1:1")
	f("estate: {file: accounts.yaml}\n", "accounts: [\n", "accounts.yaml")
	f("estate: {file: gone.yaml}\n", "", "no such file")
	f("estate: {rules: [{accounts: [\"*\"], criticality: very}]}\n", "", `criticality "very" is not one of low, medium, high, critical`)
	f("estate: {rules: [{environment: x}]}\n", "", "rule 1 names no account")
}
