package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Hashing says how hard passwords are to guess from what is kept: argon2id of
// RFC 9106.
type Hashing struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over it
	Threads uint8
}

// DefaultHashing is the second recommended choice of RFC 9106, section 4, for
// where memory is scarce: 64 MiB, three passes, four lanes.
var DefaultHashing = Hashing{Memory: 64 << 10, Time: 3, Threads: 4}

// atOnce is how many passwords are hashed at the same time; the others wait.
// With the default each takes 64 MiB, and whoever is not signed in yet decides
// how many there are.
const atOnce = 2

// waitMost is how many may wait for that; more are told to come again.
const waitMost = 100

const (
	saltBytes = 16
	keyBytes  = 32
)

// hasher makes and checks hashes of passwords.
type hasher struct {
	Hashing
	slots   chan struct{}
	waiting *atomic.Int32
	dummy   func() string // the hash of a password that nobody has
}

func newHasher(h Hashing) hasher {
	out := hasher{Hashing: h, slots: make(chan struct{}, atOnce), waiting: &atomic.Int32{}}
	out.dummy = sync.OnceValue(func() string { return out.phc(rand.Text(), newSalt()) })
	return out
}

func newSalt() []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// phc is the hash of a password in the PHC string format.
func (h hasher) phc(password string, salt []byte) string {
	key := argon2.IDKey([]byte(password), salt, h.Time, h.Memory, h.Threads, keyBytes)
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Memory, h.Time, h.Threads, b.EncodeToString(salt), b.EncodeToString(key))
}

// wait takes one of the slots until free is called.
func (h hasher) wait(ctx context.Context) (free func(), err error) {
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > waitMost {
		return nil, &Wait{time.Second}
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// make hashes a password.
func (h hasher) make(ctx context.Context, password string) (string, error) {
	free, err := h.wait(ctx)
	if err != nil {
		return "", err
	}
	defer free()
	return h.phc(password, newSalt()), nil
}

// check tells whether a password is the one that was hashed, in the same time
// whether or not there is a hash; again: the hash was made with other settings
// than are now asked for.
func (h hasher) check(ctx context.Context, kept, password string) (ok, again bool, err error) {
	free, err := h.wait(ctx)
	if err != nil {
		return false, false, err
	}
	defer free()
	known := kept != ""
	if !known {
		kept = h.dummy()
	}
	if len(password) > longestPassword {
		password = "" // as long as none, and none fits
	}
	p, salt, key, err := parsePHC(kept)
	if err != nil {
		return false, false, err
	}
	got := argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1 && known, p != h.Hashing, nil
}

// parsePHC reads what phc wrote. What it would cost more than 4 GiB or 100
// passes to check is refused.
func parsePHC(s string) (p Hashing, salt, key []byte, err error) {
	bad := fmt.Errorf("a kept password is no argon2id hash in PHC format")
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil || n != 3 ||
		p.Memory < 8 || p.Memory > 4<<20 || p.Time < 1 || p.Time > 100 || p.Threads < 1 {
		return p, nil, nil, bad
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return p, nil, nil, bad
	}
	return p, salt, key, nil
}

// How many characters a password has (NIST SP 800-63B asks for 8 at least and
// advises more; composition rules it advises against), and how many bytes are
// ever hashed.
const (
	shortestPassword = 12
	longestPassword  = 1024
)

// checkPassword refuses passwords that are too short, too long, or the name.
func checkPassword(user, password string) error {
	n := utf8.RuneCountInString(password)
	if n < shortestPassword || len(password) > longestPassword || strings.EqualFold(password, user) {
		return ErrPassword
	}
	return nil
}
