package keyvault

import "testing"

func TestResource(t *testing.T) {
	const vault = "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/v"
	f := func(operation, address, uid, typ string) {
		t.Helper()
		if gotUID, gotType := resource(vault, operation, address); gotUID != uid || gotType != typ {
			t.Errorf("%s %s: %s %s", operation, address, gotUID, gotType)
		}
	}
	const of = "microsoft.keyvault/vaults"
	f("SecretGet", "https://v.vault.azure.net/secrets/Db/0a1b", vault+"/secrets/db", of+"/secrets")
	f("SecretGet", "https://v.vault.azure.net/secrets/db?api-version=7.5", vault+"/secrets/db", of+"/secrets")
	f("SecretListVersions", "https://v.vault.azure.net/secrets/db/versions", vault+"/secrets/db", of+"/secrets")
	f("SecretList", "https://v.vault.azure.net/secrets?api-version=7.5", vault, of)
	f("SecretDeletedGet", "https://v.vault.azure.net/deletedsecrets/db", vault+"/secrets/db", of+"/secrets")
	f("KeyDecrypt", "https://v.vault.azure.net/keys/k/77aa/decrypt", vault+"/keys/k", of+"/keys")
	f("CertificateGet", "https://v.vault.azure.net/certificates/www/1", vault+"/certificates/www", of+"/certificates")
	f("VaultGet", "https://v.vault.azure.net/", vault, of)
	f("KeyRestore", "https://v.vault.azure.net/keys/restore", vault, of)
	f("VaultPut", "", vault, of)
	f("SecretGet", "not an address", vault, of)
}

func TestActivity(t *testing.T) {
	f := func(operation string, want int32, management, readOnly bool) {
		t.Helper()
		if activity(operation) != want || manages(operation) != management || readsOnly(operation) != readOnly {
			t.Errorf("%s: %d, manages %v, reads %v", operation, activity(operation), manages(operation), readsOnly(operation))
		}
	}
	f("SecretGet", apiRead, false, true)
	f("SecretSet", apiUpdate, true, false)
	f("SecretDelete", apiDelete, true, false)
	f("SecretDeletedGet", apiRead, false, true)
	f("SecretPurge", apiDelete, true, false)
	f("SecretList", apiRead, true, true)
	f("KeySign", other, false, true)
	f("KeyDecrypt", other, false, true)
	f("KeyCreate", apiCreate, true, false)
	f("KeyRotate", apiUpdate, true, false)
	f("VaultGet", apiRead, true, true)
	f("VaultPatch", apiUpdate, true, false)
	f("SomethingElse", other, false, false)
}
