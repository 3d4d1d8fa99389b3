package secrets

import (
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

// Vault is a vault or managed HSM of Azure that the activity log names and that
// wrote nothing itself: nothing can be known of the use of what lies in it, nor what
// that is. What in it has a name is a Summary, with Unseen.
type Vault struct {
	Resource string    `json:"resource"`
	Account  string    `json:"account"`
	First    time.Time `json:"first" doc:"start of the first day on which the activity log names it"`
	Last     time.Time `json:"last" doc:"start of the last such day"`
}

// maxVaults bounds those of a day: anyone may ask for some that are not there.
const maxVaults = 20_000

// vaultOf is the vault that a call was about, or in which that lies; empty: none.
func vaultOf(service, uid string) string {
	if service != keyVault && service != managedHSM && service != vaultManagement {
		return ""
	}
	before, rest, ok := strings.Cut(uid, "/providers/microsoft.keyvault/")
	parts := strings.SplitN(rest, "/", 3)
	if !ok || len(parts) < 2 || parts[1] == "" || parts[0] != "vaults" && parts[0] != "managedhsms" {
		return ""
	}
	return before + "/providers/microsoft.keyvault/" + parts[0] + "/" + parts[1]
}

// vault notes the vault that a row is about, and whether it wrote that itself. What
// did not succeed may be about one that is not there.
func (d *day) vault(r *usage.Row) {
	name := vaultOf(r.APIService, r.ResourceUID)
	itself := r.APIService != vaultManagement
	if name == "" || !itself && r.Outcome != event.Success {
		return
	}
	wrote, met := d.vaults[name]
	if !met && len(d.vaults) >= maxVaults {
		return
	}
	if d.vaults == nil {
		d.vaults = map[string]bool{}
	}
	d.vaults[name] = wrote || itself
}

// silent are the vaults that wrote nothing on any day, by name.
func (v *view) silent() []Vault {
	all, wrote := map[string]*Vault{}, map[string]bool{}
	for _, d := range v.days {
		for name, itself := range d.vaults {
			wrote[name] = wrote[name] || itself
			if all[name] == nil {
				account, _, _ := strings.Cut(strings.TrimPrefix(name, "/subscriptions/"), "/")
				all[name] = &Vault{Resource: name, Account: account, First: d.start}
			}
			all[name].Last = d.start
		}
	}
	var out []Vault
	for name, x := range all {
		if !wrote[name] {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b Vault) int { return strings.Compare(a.Resource, b.Resource) })
	return out
}
