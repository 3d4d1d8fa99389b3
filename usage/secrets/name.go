package secrets

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/usage"
)

// call is an operation of a service.
type call struct{ service, operation string }

// Services of Google Cloud and Azure that hold secrets and keys.
const (
	secretManager = "secretmanager.googleapis.com"
	cloudKMS      = "cloudkms.googleapis.com"
	keyVault      = "vault.azure.net"
	managedHSM    = "managedhsm.azure.net"
	// vaultManagement is what Azure's activity log tells of vaults.
	vaultManagement = "microsoft.keyvault"
)

// Services are those whose calls are about secrets, keys, parameters and
// certificates.
var Services = []string{
	"secretsmanager.amazonaws.com", "kms.amazonaws.com", "ssm.amazonaws.com", "acm.amazonaws.com",
	secretManager, cloudKMS,
	keyVault, managedHSM,
	vaultManagement, // vaults themselves, and what templates deploy into them
}

// serviceKinds are the kinds of thing that calls of a service of AWS are about.
var serviceKinds = map[string]Kind{
	"secretsmanager.amazonaws.com": Secret,
	"kms.amazonaws.com":            Key,
	"ssm.amazonaws.com":            Parameter,
	"acm.amazonaws.com":            Certificate,
}

// What a call does with one, besides using it (see uses).
var (
	rotates = withCalls(map[call]bool{
		{"secretsmanager.amazonaws.com", "RotateSecret"}:             true,
		{"secretsmanager.amazonaws.com", "PutSecretValue"}:           true,
		{"secretsmanager.amazonaws.com", "UpdateSecretVersionStage"}: true,
		{"secretsmanager.amazonaws.com", "RotationSucceeded"}:        true,
		{"kms.amazonaws.com", "RotateKeyOnDemand"}:                   true,
		{"kms.amazonaws.com", "RotateKey"}:                           true,
		{"kms.amazonaws.com", "ImportKeyMaterial"}:                   true,
		{"ssm.amazonaws.com", "PutParameter"}:                        true,
		{"acm.amazonaws.com", "ImportCertificate"}:                   true,
		{"acm.amazonaws.com", "RenewCertificate"}:                    true,

		{keyVault, "SecretSet"}:   true,
		{keyVault, "KeyRotate"}:   true,
		{managedHSM, "KeyRotate"}: true,
	}, map[string][]string{
		secretManager: usage.InSecretManager("AddSecretVersion"),
		cloudKMS:      usage.InCloudKMS("CreateCryptoKeyVersion", "UpdateCryptoKeyPrimaryVersion", "ImportCryptoKeyVersion"),
	})
	creates = withCalls(map[call]bool{
		{"secretsmanager.amazonaws.com", "CreateSecret"}: true,
		{"kms.amazonaws.com", "CreateKey"}:               true,
		{"acm.amazonaws.com", "RequestCertificate"}:      true,
		{"acm.amazonaws.com", "ImportCertificate"}:       true,

		{keyVault, "KeyCreate"}:         true,
		{keyVault, "CertificateCreate"}: true,
		{managedHSM, "KeyCreate"}:       true,
	}, map[string][]string{
		secretManager: usage.InSecretManager("CreateSecret"),
		cloudKMS:      usage.InCloudKMS("CreateCryptoKey"),
	})
)

// withCalls adds operations by service.
func withCalls(m map[call]bool, more map[string][]string) map[call]bool {
	for service, operations := range more {
		for _, o := range operations {
			m[call{service, o}] = true
		}
	}
	return m
}

// uses tells whether a call gives out the value of one, or uses a key.
func (c call) uses() bool {
	switch c.operation {
	case "ExportCertificate", "GetCertificate":
		return c.service == "acm.amazonaws.com"
	case "BatchGetSecretValue":
		return false // it writes a record of each secret besides its own
	}
	return usage.Reads(c.operation)
}

// thing is what a name says.
type thing struct {
	kind            Kind
	account, region string
	name            string // as people know it
	canonical       string // under which the forms of one name meet
	alias           bool   // of a key: another name of one that it does not tell
	container       string // what decides whether its use is logged; empty: it always is
}

// thingOf reads the name of a resource that a call of that service is about. A
// record may name others beside, of which this is told here.
func thingOf(service, uid string) (t thing, ok bool) {
	if h, held := usage.HeldIn(uid); held {
		return thing{kind: Kind(h.Kind), account: h.Account, region: h.Region, name: h.Name, canonical: uid, container: h.Container},
			slices.Contains(Services, service)
	}
	kind, ok := serviceKinds[service]
	if !ok || uid == "" || uid == usage.Other {
		return t, false
	}
	parts := strings.SplitN(uid, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return t, false
	}
	t = thing{kind: kind, region: parts[3], account: parts[4], canonical: uid}
	rest := parts[5]
	switch parts[2] {
	case "secretsmanager":
		if t.name, ok = strings.CutPrefix(rest, "secret:"); !ok || kind != Secret {
			return t, false
		}
		if randomSuffix(uid) {
			t.name, t.canonical = t.name[:max(len(t.name)-7, 0)], uid[:len(uid)-7]
		}
	case "kms":
		if t.name, ok = strings.CutPrefix(rest, "key/"); !ok {
			t.name, t.alias = strings.CutPrefix(rest, "alias/")
			t.name = "alias/" + t.name
			ok = t.alias
		}
		ok = ok && kind == Key
	case "ssm":
		if t.name, ok = strings.CutPrefix(rest, "parameter"); !ok || kind != Parameter {
			return t, false
		}
		if strings.Count(t.name, "/") == 1 {
			t.name = t.name[1:] // "parameter/x" is the ARN of "x"
		}
	case "acm":
		t.name, ok = strings.CutPrefix(rest, "certificate/")
		ok = ok && kind == Certificate
	default:
		return t, false
	}
	return t, ok && t.name != ""
}

// randomSuffix tells the random characters that Secrets Manager adds to a name,
// which requests may leave out, from the name's last word. Six lower case letters
// or six digits are taken to be a word, as the hunter for anomalies does: drawn by
// chance they are so once in 190 times, and then the two forms count as two.
func randomSuffix(s string) bool {
	if len(s) < 8 || s[len(s)-7] != '-' {
		return false
	}
	lower, digits := 0, 0
	for _, c := range []byte(s[len(s)-6:]) {
		switch {
		case 'a' <= c && c <= 'z':
			lower++
		case '0' <= c && c <= '9':
			digits++
		case c < 'A' || c > 'Z':
			return false
		}
	}
	return lower < 6 && digits < 6
}
