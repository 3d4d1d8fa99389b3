package usage

import "testing"

func TestHeldIn(t *testing.T) {
	f := func(uid string, want Held) {
		t.Helper()
		if got, ok := HeldIn(uid); got != want || ok != (want != Held{}) {
			t.Errorf("HeldIn(%q) = %+v, %v; want %+v", uid, got, ok, want)
		}
	}
	const vault = "/subscriptions/s-1/resourcegroups/shop/providers/microsoft.keyvault/vaults/v"
	const hsm = "/subscriptions/s-1/resourcegroups/shop/providers/microsoft.keyvault/managedhsms/h"
	f(vault+"/secrets/db", Held{"secret", "s-1", "", vault, "v/db"})
	f(vault+"/keys/release", Held{"key", "s-1", "", vault, "v/release"})
	f(vault+"/certificates/www", Held{"certificate", "s-1", "", vault, "v/www"})
	f(hsm+"/keys/root", Held{"key", "s-1", "", hsm, "h/root"})
	f(vault, Held{})
	f(vault+"/secrets/", Held{})
	f(vault+"/accesspolicies/add", Held{})
	f("/subscriptions/s-1/resourcegroups/shop/providers/microsoft.storage/storageaccounts/a/keys/k", Held{})
	f("//secretmanager.googleapis.com/projects/p/secrets/db", Held{"secret", "p", "", "//secretmanager.googleapis.com/projects/p", "db"})
	f("//secretmanager.googleapis.com/projects/p/locations/asia-northeast1/secrets/db", Held{"secret", "p", "asia-northeast1", "//secretmanager.googleapis.com/projects/p", "db"})
	f("//cloudkms.googleapis.com/projects/p/locations/global/keyRings/r/cryptoKeys/k", Held{"key", "p", "", "//cloudkms.googleapis.com/projects/p", "r/k"})
	f("//secretmanager.googleapis.com/projects/p", Held{})
	f("//secretmanager.googleapis.com/projects/", Held{})
	f("//cloudkms.googleapis.com/projects/p/locations/global/keyRings/r", Held{})
	f("arn:aws:secretsmanager:us-east-1:111122223333:secret:db", Held{})
	f("", Held{})
}
