package finding

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"time"
)

// keyLength in characters of base32: 100 bits, so that two troubles never meet
// by chance and a person can still copy it.
const keyLength = 20

var keyEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Key is the identity of a trouble: a stable hash of what makes it the same
// trouble (rule, actor, resource, ...). Each part is preceded by its length, so
// that no two lists of parts run together. It is 20 characters of a-z and 2-7.
func Key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return keyEncoding.EncodeToString(h.Sum(nil))[:keyLength]
}

// CaseID names the case that gathers findings of one principal, resource and
// UTC day. A trouble that names neither principal nor resource is a case of its
// own: gathering everything anonymous would gather strangers.
func CaseID(t Trouble, day time.Time) string {
	if t.Actor == "" && t.Resource == "" {
		return Key("case", t.Key)
	}
	return Key("case", t.Actor, t.Resource, day.UTC().Format(time.DateOnly))
}
