package usage

// secretManager begins the methods of Google Secret Manager, by version of its
// interface; audit logs name methods in full.
var secretManager = []string{"google.cloud.secretmanager.v1.SecretManagerService.", "google.cloud.secretmanager.v1beta2.SecretManagerService.", "google.cloud.secrets.v1beta1.SecretManagerService."}

// keyManagement begins the methods of Cloud KMS: its audit logs name them without
// their service, those of newer kinds with it.
// https://docs.cloud.google.com/kms/docs/audit-logging
var keyManagement = []string{"", "google.cloud.kms.v1.KeyManagementService."}

// InSecretManager are methods of Google Secret Manager as audit logs name them, in
// every version.
func InSecretManager(methods ...string) []string { return prefixed(secretManager, methods) }

// InCloudKMS are methods of Cloud KMS as audit logs name them.
func InCloudKMS(methods ...string) []string { return prefixed(keyManagement, methods) }

func prefixed(prefixes, methods []string) (out []string) {
	for _, m := range methods {
		for _, p := range prefixes {
			out = append(out, p+m)
		}
	}
	return out
}

// GoogleSecretReads are the methods that give out the value of a secret of Google's.
var GoogleSecretReads = InSecretManager("AccessSecretVersion")

// GoogleKeyUses are the methods that use a key of Cloud KMS.
var GoogleKeyUses = InCloudKMS("Encrypt", "Decrypt", "RawEncrypt", "RawDecrypt", "AsymmetricSign", "AsymmetricDecrypt", "MacSign", "MacVerify", "Decapsulate")
