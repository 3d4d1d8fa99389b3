// Package logs writes records of other providers' logs, each as its provider
// delivers it: Google Cloud's audit log, the endpoint's sensor (as CrowdStrike's
// replicator), leases of addresses (as Zeek) and a proxy (as squid). What happens
// is for others to decide: a record is what it is told.
package logs

import "math/rand/v2"

// Sets of letters for Drawn.
const (
	Digits  = "0123456789"
	Hexes   = "0123456789abcdef"
	Letters = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// Drawn is n letters of a set.
func Drawn(rng *rand.Rand, n int, set string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[rng.IntN(len(set))]
	}
	return string(b)
}

// UUID is a random UUID.
func UUID(rng *rand.Rand) string {
	h := Drawn(rng, 32, Hexes)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-" + string("89ab"[rng.IntN(4)]) + h[17:20] + "-" + h[20:]
}
