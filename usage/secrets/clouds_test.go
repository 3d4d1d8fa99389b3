package secrets

import (
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

const (
	access = "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"
	made   = "google.cloud.secretmanager.v1.SecretManagerService.CreateSecret"
	add    = "google.cloud.secretmanager.v1.SecretManagerService.AddSecretVersion"
)

func inGoogle(project, name string) string {
	return "//secretmanager.googleapis.com/projects/" + project + "/secrets/" + name
}

// elsewhere is an event of another cloud's project or subscription.
func elsewhere(at time.Time, provider, account, service, operation string, outcome event.Outcome, resource string) event.Event {
	e := did(at, "orders", service, operation, outcome, resource)
	e.CloudProvider, e.AccountUID, e.ActorUID, e.Region = provider, account, "orders@"+account, ""
	return e
}

// TestGoogle: secrets and keys of Google Cloud are counted as those of AWS are.
func TestGoogle(t *testing.T) {
	key := "//cloudkms.googleapis.com/projects/shop/locations/europe-west3/keyRings/orders/cryptoKeys/cards"
	google := func(hour int, service, operation string, outcome event.Outcome, resource string) event.Event {
		return elsewhere(monday.Add(time.Duration(hour)*time.Hour), "GCP", "shop", service, operation, outcome, resource)
	}
	table := tableOf(t, 0,
		google(0, secretManager, made, event.Success, inGoogle("shop", "db")),
		google(1, secretManager, access, event.Success, inGoogle("shop", "db")),
		google(1, secretManager, access, event.Denied, inGoogle("shop", "db")),
		google(2, secretManager, add, event.Success, inGoogle("shop", "db")),
		google(3, cloudKMS, "Decrypt", event.Success, key),
		google(3, cloudKMS, "AsymmetricSign", event.Success, key),
		google(4, cloudKMS, "GetCryptoKey", event.Success, key),
		google(4, secretManager, made, event.Success, "//secretmanager.googleapis.com/projects/shop"), // no secret
	)
	if got := resources(table); !slices.Equal(got, []string{key, inGoogle("shop", "db")}) {
		t.Fatalf("secrets %v", got)
	}
	s := find(t, table, inGoogle("shop", "db"))
	if s.Kind != Secret || s.Name != "db" || s.Account != "shop" || s.CloudProvider != "GCP" || s.Calls != 2 || s.Failures != 1 ||
		s.Rotation.Calls != 1 || s.Created.IsZero() || s.Unseen != "" {
		t.Errorf("%+v", s)
	}
	if k := find(t, table, key); k.Kind != Key || k.Name != "orders/cards" || k.Region != "europe-west3" || k.Calls != 2 || k.Unseen != "" {
		t.Errorf("%+v", k)
	}
}

// TestUnseen: what lies where no use was ever told is not unused but unknown, for
// as long as it was seen; one use of anything beside it shows that there is a log.
func TestUnseen(t *testing.T) {
	const vault = "/subscriptions/s-1/resourcegroups/shop/providers/microsoft.keyvault/vaults/"
	at := func(day, hour int) time.Time { return monday.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour) }
	events := []event.Event{
		elsewhere(at(0, 9), "GCP", "quiet", secretManager, made, event.Success, inGoogle("quiet", "db")),
		elsewhere(at(2, 9), "GCP", "quiet", secretManager, add, event.Success, inGoogle("quiet", "db")),
		elsewhere(at(0, 9), "GCP", "loud", secretManager, made, event.Success, inGoogle("loud", "spare")),
		elsewhere(at(1, 9), "GCP", "loud", secretManager, access, event.Denied, inGoogle("loud", "db")),
		elsewhere(at(0, 9), "GCP", "quiet", cloudKMS, "CreateCryptoKey", event.Success, "//cloudkms.googleapis.com/projects/quiet/locations/global/keyRings/r/cryptoKeys/k"),
		elsewhere(at(0, 9), "Azure", "s-1", "microsoft.keyvault", "microsoft.keyvault/vaults/secrets/write", event.Success, vault+"a/secrets/db"),
		elsewhere(at(0, 9), "Azure", "s-1", keyVault, "SecretSet", event.Success, vault+"b/secrets/db"),
		did(at(0, 9), "deploy", sm, "CreateSecret", event.Success, arn+"prod/db-aB3xY9"),
	}
	table := tableOf(t, 0, events...)
	f := func(name string, want Log, days int) {
		t.Helper()
		if s := find(t, table, name); s.Unseen != want || s.UnknownDays != days || s.QuietDays > 2 {
			t.Errorf("%s: unseen %q, %d days unknown, %d quiet; want %q, %d", name, s.Unseen, s.UnknownDays, s.QuietDays, want, days)
		}
	}
	f(inGoogle("quiet", "db"), DataAccess, 3)
	f("//cloudkms.googleapis.com/projects/quiet/locations/global/keyRings/r/cryptoKeys/k", DataAccess, 3)
	f(inGoogle("loud", "spare"), "", 1) // Wednesday, when the project told nothing at all
	f(inGoogle("loud", "db"), "", 1)
	f(vault+"a/secrets/db", AuditEvents, 3)
	f(vault+"b/secrets/db", "", 2)
	f(arn+"prod/db-aB3xY9", "", 2)

	u, ok := table.Use(inGoogle("quiet", "db"))
	if !ok || len(u.Unheard) != 1 || u.UnknownHours != 2*24+1 || !u.Unheard[0].From.Equal(at(0, 9)) {
		t.Errorf("hours unknown: %d, %v", u.UnknownHours, u.Unheard)
	}
	for _, k := range u.Known {
		if k.Known > 0 {
			t.Fatalf("%+v is known", k)
		}
	}
}
