package simulate

import (
	"fmt"

	"github.com/yagura-sec/yagura/finding"
)

// Estate is what the organisation's operators would say of its accounts.
func (c Config) Estate() finding.Estate {
	var e finding.Estate
	for i := range c.withDefaults().Accounts {
		name := accountNames[i%len(accountNames)]
		a := finding.Account{ID: accountID(i), Name: name, Said: said[name]}
		if n := i / len(accountNames); n > 0 {
			a.Name = fmt.Sprintf("%s-%d", name, n+1)
		}
		e.Accounts = append(e.Accounts, a)
	}
	return e
}

// accountID is the id of the account with that number.
func accountID(i int) string { return fmt.Sprintf("%012d", 111122223333+i) }

// said is what there is to say of accounts, by their names.
var said = map[string]finding.Said{
	"build":          {Environment: "production", Owner: "platform", Criticality: "high"},
	"prod-shop":      {Environment: "production", Owner: "storefront", Criticality: "critical"},
	"prod-pay":       {Environment: "production", Owner: "payments", Criticality: "critical"},
	"prod-data":      {Environment: "production", Owner: "data-platform", Criticality: "high"},
	"staging":        {Environment: "staging", Owner: "storefront"},
	"dev-shop":       {Environment: "development", Owner: "storefront"},
	"dev-pay":        {Environment: "development", Owner: "payments"},
	"shared-network": {Environment: "production", Owner: "platform", Criticality: "high"},
	"log-archive":    {Environment: "production", Owner: "security", Criticality: "high"},
	"security":       {Environment: "production", Owner: "security", Criticality: "critical"},
	"sandbox":        {Environment: "sandbox", Owner: "platform"},
	"backup":         {Environment: "production", Owner: "platform", Criticality: "high"},
}
