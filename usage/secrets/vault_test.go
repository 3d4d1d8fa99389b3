package secrets

import (
	"fmt"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// TestVaults: a vault that only the activity log names is told of as one of which
// nothing can be known; one record that it wrote itself, of whatever, shows that it
// writes.
func TestVaults(t *testing.T) {
	const group = "/subscriptions/s-1/resourcegroups/shop/providers/microsoft.keyvault/"
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	manages := func(day int, operation string, outcome event.Outcome, uid string) event.Event {
		return did(at.AddDate(0, 0, day), "deploy", "microsoft.keyvault", operation, outcome, uid)
	}
	f := func(want string, events ...event.Event) {
		t.Helper()
		got := ""
		for _, v := range tableOf(t, 0, events...).Book().Vaults {
			got += fmt.Sprintf("%s of %s, %s-%s\n", v.Resource[len(group):], v.Account, v.First.Format("Jan 2"), v.Last.Format("Jan 2"))
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	made := manages(0, "microsoft.keyvault/vaults/write", event.Success, group+"vaults/v")
	deployed := manages(3, "microsoft.keyvault/vaults/secrets/write", event.Success, group+"vaults/v/secrets/db")
	f("vaults/v of s-1, Mar 2-Mar 5\n", made, deployed)
	f("managedhsms/h of s-1, Mar 3-Mar 3\n", manages(1, "microsoft.keyvault/managedhsms/write", event.Success, group+"managedhsms/h"))
	f("", made, deployed, did(at.AddDate(0, 0, 9), "app", "vault.azure.net", "SecretList", event.Success, group+"vaults/v"))
	f("", made, did(at, "app", "vault.azure.net", "SecretGet", event.Denied, group+"vaults/v/secrets/db"))
	f("", manages(0, "microsoft.keyvault/vaults/read", event.NotFound, group+"vaults/none"))
	f("", manages(0, "microsoft.keyvault/locations/write", event.Success, group+"locations/x"), did(at, "app", sm, "GetSecretValue", event.Success, arn+"db"))
}
