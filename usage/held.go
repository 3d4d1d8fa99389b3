package usage

import "strings"

// Held is a thing whose use is watched, as its name in a cloud other than AWS tells
// it.
type Held struct {
	Kind    string // "secret", "key" or "certificate"
	Account string // subscription, project
	Region  string // where it lies, if its name says so
	// Container is what it lies in and what decides whether its use is logged: a
	// vault, a project.
	Container string
	Name      string // as its owners call it
}

// HeldIn reads the full name of a secret, key or certificate of Azure Key Vault, of
// a managed HSM, of Google Secret Manager or of Cloud KMS; false: the name is of
// something else, such as a vault itself.
func HeldIn(uid string) (Held, bool) {
	switch {
	case strings.HasPrefix(uid, "/subscriptions/"):
		return heldInAzure(uid)
	case strings.HasPrefix(uid, "//secretmanager.googleapis.com/projects/"), strings.HasPrefix(uid, "//cloudkms.googleapis.com/projects/"):
		return heldInGoogle(uid)
	}
	return Held{}, false
}

// heldInAzure reads /subscriptions/S/resourcegroups/G/providers/microsoft.keyvault/vaults/V/secrets/N.
func heldInAzure(uid string) (Held, bool) {
	before, after, ok := strings.Cut(uid, "/providers/microsoft.keyvault/")
	parts := strings.Split(after, "/")
	if !ok || len(parts) != 4 || parts[0] != "vaults" && parts[0] != "managedhsms" || parts[3] == "" {
		return Held{}, false
	}
	kind, ok := strings.CutSuffix(parts[2], "s")
	if !ok || kind != "secret" && kind != "key" && kind != "certificate" {
		return Held{}, false
	}
	account, _, _ := strings.Cut(strings.TrimPrefix(before, "/subscriptions/"), "/")
	return Held{Kind: kind, Account: account, Container: strings.TrimSuffix(uid, "/"+parts[2]+"/"+parts[3]), Name: parts[1] + "/" + parts[3]}, true
}

// heldInGoogle reads //secretmanager.googleapis.com/projects/P/secrets/N, with
// locations/L before secrets where it lies in one region, and
// //cloudkms.googleapis.com/projects/P/locations/L/keyRings/R/cryptoKeys/N.
func heldInGoogle(uid string) (Held, bool) {
	parts := strings.Split(strings.TrimPrefix(uid, "//"), "/")
	h := Held{Account: parts[2], Container: "//" + parts[0] + "/projects/" + parts[2]}
	rest := parts[3:]
	if len(rest) > 2 && rest[0] == "locations" {
		h.Region, rest = strings.ToLower(rest[1]), rest[2:]
		if h.Region == "global" {
			h.Region = ""
		}
	}
	switch {
	case len(rest) == 2 && rest[0] == "secrets" && rest[1] != "":
		h.Kind, h.Name = "secret", rest[1]
	case len(rest) == 4 && rest[0] == "keyRings" && rest[2] == "cryptoKeys" && rest[3] != "":
		h.Kind, h.Name = "key", rest[1]+"/"+rest[3]
	default:
		return Held{}, false
	}
	return h, true
}
