package gcpaudit

import (
	"bytes"
	"slices"

	"github.com/yagura-sec/yagura/internal/jsontree"
)

// Redacted stands in Raw where a value of a secret stood.
const Redacted = `"(redacted by Yagura)"`

// secretFields are members of a request or answer that hold the value of a
// secret, a key or a token. Google leaves them out of its audit logs by its own
// account; what other writers of the same form, proxies and tests, put there is
// not kept.
var secretFields = map[string]bool{
	"privateKeyData": true, "private_key_data": true, "accessToken": true, "access_token": true, "signedJwt": true, "signed_jwt": true,
	"plaintext": true, "password": true, "rootPassword": true, "root_password": true, "keyString": true, "key_string": true,
	"clientSecret": true, "client_secret": true,
}

// redacted is the entry with the values of secrets replaced; body itself where it
// holds none.
func redacted(body []byte, payload jsontree.Value) []byte {
	var found []jsontree.Value
	for _, key := range []string{"request", "response"} {
		found = secretsIn(payload.Get(key), "", found, 0)
	}
	if len(found) == 0 {
		return body
	}
	// The tree may be of a text that body is a part of; its root's offset tells.
	slices.SortFunc(found, func(a, b jsontree.Value) int { return a.Offset() - b.Offset() })
	var out bytes.Buffer
	at := 0
	for _, v := range found {
		out.Write(body[at:v.Offset()])
		out.WriteString(Redacted)
		at = v.Offset() + len(v.Raw())
	}
	out.Write(body[at:])
	return out.Bytes()
}

// maxDepth bounds how deep a value of a secret is looked for.
const maxDepth = 8

func secretsIn(v jsontree.Value, parent string, found []jsontree.Value, depth int) []jsontree.Value {
	if depth == maxDepth {
		return found
	}
	for m := v.First(); m.Exists(); m = m.Next() {
		key := m.Key()
		secret := secretFields[key] || key == "data" && parent == "payload"
		if secret && m.Kind() == jsontree.String {
			if m.String() != "" && m.Raw() != Redacted {
				found = append(found, m)
			}
			continue
		}
		if v.Kind() == jsontree.Array {
			key = parent
		}
		found = secretsIn(m, key, found, depth+1)
	}
	return found
}
