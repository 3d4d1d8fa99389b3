package advise

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/count"
	"github.com/yagura-sec/yagura/internal/shell"
	"github.com/yagura-sec/yagura/say"
)

// Types of analyzers that look for unused access, which is paid for by role and user
// and analyzer.
const (
	analyzerAccount      = "ACCOUNT_UNUSED_ACCESS"
	analyzerOrganisation = "ORGANIZATION_UNUSED_ACCESS"
)

// analyzers finds unused access that is analysed twice: by an analyzer of the
// organisation and by one of the account, or by several of the account.
func (j *judge) analyzers() (out []cost.Advice) {
	var wide *count.Analyzer
	own := map[string][]count.Analyzer{}
	for i := range j.Setup.Analyzers {
		a := &j.Setup.Analyzers[i]
		switch {
		case a.Status != "" && a.Status != "ACTIVE":
		case a.Type == analyzerOrganisation:
			wide = a
		case a.Type == analyzerAccount:
			own[a.Account] = append(own[a.Account], *a)
		}
	}
	for account, all := range own {
		slices.SortFunc(all, func(a, b count.Analyzer) int { return strings.Compare(a.ARN, b.ARN) })
		other := wide
		if other == nil {
			other, all = &all[0], all[1:]
		}
		for _, a := range all {
			out = append(out, j.doubled(account, a, *other))
		}
	}
	return out
}

// doubled is an analyzer of what another analyses.
func (j *judge) doubled(account string, a, other count.Analyzer) cost.Advice {
	x := cost.Advice{
		Key: keyOf(cost.AboutAnalyzer, account, a.Region, a.Name), Kind: cost.AboutAnalyzer, Account: account, Region: a.Region, ResourceType: "AWS::AccessAnalyzer::Analyzer",
		Items: -1, ResourceDays: -1, Basis: cost.Described, Verdict: cost.Keep, Sources: []cost.Source{sourceUnused},
	}
	said := []say.Text{say.T("advice.analyzer", say.Values{"name": a.Name, "region": a.Region, "other": other.Name, "account": other.Account})}
	d := doubts{basis: x.Basis}
	i := slices.IndexFunc(j.Setup.Summaries, func(s count.Summary) bool { return s.Account == account })
	p, priced := j.Prices.Find(aws, serviceAnalyzer, "unused_access", a.Region, j.Now)
	switch {
	case !priced:
		said = append(said, say.T("advice.price.unknown", say.Values{"region": a.Region}))
	case i < 0:
		said = append(said, say.T("advice.analyzer.unknown", say.Values{"command": "aws iam get-account-summary"}))
	default:
		n := j.Setup.Summaries[i].Roles + j.Setup.Summaries[i].Users
		x.Saving, x.Currency = p.Of(decimal.NewFromInt(n)), p.Currency
		x.Sources = sourcesOf(p)
		d.price = p.Confidence
		said = append(said, say.T("advice.analyzer.saves", say.Values{"n": n, "saving": say.Saving(x.Saving, x.Currency)}))
	}
	if x.Saving.IsPositive() {
		x.Verdict = cost.Change
		x.Lost = say.T("advice.analyzer.lost", nil)
		if len(a.Configuration) > 0 && string(a.Configuration) != "null" {
			x.Plan = []string{shell.Command("aws", "accessanalyzer", "delete-analyzer", "--region", a.Region, "--analyzer-name", a.Name)}
			x.Undo = []string{shell.Command("aws", "accessanalyzer", "create-analyzer", "--region", a.Region, "--analyzer-name", a.Name, "--type", a.Type, "--configuration", oneLine(a.Configuration))}
		} else {
			said = append(said, say.T("advice.described.not", say.Values{"name": a.Name}))
		}
	}
	x.Confidence = d.confidence()
	x.Reason = joined(said)
	return x
}
