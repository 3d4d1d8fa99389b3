package event

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// UID is a UUID, 16 bytes. Its text form is the usual lower-case one.
type UID [16]byte

// ParseUID reads the 36-character text form of a UUID, in either case.
func ParseUID(s string) (UID, bool) {
	var u UID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UID{}, false
	}
	at := 0
	for i := range u {
		if s[at] == '-' {
			at++
		}
		hi, lo := hexDigit(s[at]), hexDigit(s[at+1])
		if hi > 15 || lo > 15 {
			return UID{}, false
		}
		u[i] = hi<<4 | lo
		at += 2
	}
	return u, true
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// HashUID is the UUIDv8 (RFC 9562) over SHA-256 of the parts, each preceded by
// its length so that no two lists of parts run together.
func HashUID(parts ...string) UID {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	var u UID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u
}

func (u UID) String() string { return string(u.AppendText(nil)) }

// AppendText appends the text form of u to b.
func (u UID) AppendText(b []byte) []byte {
	var t [36]byte
	hex.Encode(t[:8], u[:4])
	hex.Encode(t[9:13], u[4:6])
	hex.Encode(t[14:18], u[6:8])
	hex.Encode(t[19:23], u[8:10])
	hex.Encode(t[24:], u[10:])
	t[8], t[13], t[18], t[23] = '-', '-', '-', '-'
	return append(b, t[:]...)
}

// MarshalText gives the text form.
func (u UID) MarshalText() ([]byte, error) { return u.AppendText(nil), nil }

// UnmarshalText reads the text form.
func (u *UID) UnmarshalText(b []byte) error {
	v, ok := ParseUID(string(b))
	if !ok {
		return fmt.Errorf("%q is not a UUID", b)
	}
	*u = v
	return nil
}

// IsZero tells whether u was never set.
func (u UID) IsZero() bool { return u == UID{} }
