package anomaly

import (
	"maps"
	"slices"
	"testing"
)

// TestGoogle: the signs that hold for the secrets and keys of AWS hold for those of
// Google Secret Manager and Cloud KMS, where data access is logged.
func TestGoogle(t *testing.T) {
	f := func(like, google cloud) {
		t.Helper()
		want, got := signsIn(t, like), signsIn(t, google)
		if len(want) < 3 || !maps.Equal(got, want) {
			t.Errorf("%s of Google: %v\nof AWS: %v", google.read, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		t.Logf("%s: %v", google.read, slices.Sorted(maps.Keys(got)))
	}
	account := func(role string) string { return role + "@shop-prod.iam.gserviceaccount.com" }
	google := cloud{format: "gcp.audit", provider: "GCP", account: "shop-prod", actor: account, people: true}

	secrets := google
	secrets.service, secrets.read = secretManager, "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion"
	secrets.secret = func(name string) string { return "//secretmanager.googleapis.com/projects/shop-prod/secrets/" + name }
	f(clouds["aws"], secrets)

	// Keys are judged by less than secrets, so that they are held against those of AWS.
	awsKeys := clouds["aws"]
	awsKeys.service, awsKeys.read = "kms.amazonaws.com", "Decrypt"
	awsKeys.secret = func(name string) string { return "arn:aws:kms:eu-west-1:111122223333:key/" + name }
	for _, read := range []string{"Decrypt", "AsymmetricSign", "google.cloud.kms.v1.KeyManagementService.MacSign"} {
		keys := google
		keys.service, keys.read = cloudKMS, read
		keys.secret = func(name string) string {
			return "//cloudkms.googleapis.com/projects/shop-prod/locations/eu-west-1/keyRings/shop/cryptoKeys/" + name
		}
		f(awsKeys, keys)
	}
}

func TestServiceAccount(t *testing.T) {
	f := func(uid, name, account string) {
		t.Helper()
		n := newNames()
		i := n.actor(uid)
		if a := n.Actors[i]; a.UID != uid || a.Name != name || a.Account != account {
			t.Errorf("%s: %+v", uid, a)
		}
	}
	f("orders@shop-prod.iam.gserviceaccount.com", "orders", "shop-prod")
	f("mei.tanaka@example.com", "mei.tanaka@example.com", "")
	f("100200300400@cloudservices.gserviceaccount.com", "100200300400@cloudservices.gserviceaccount.com", "")
	f("arn:aws:iam::111122223333:role/orders", "orders", "111122223333")
}
