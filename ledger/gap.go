package ledger

import (
	"time"

	"github.com/yagura-sec/yagura/say"
)

// GapKind says how a gap was noticed.
type GapKind string

// The kinds of gap.
const (
	Silent         GapKind = "silent"          // nothing came in hours that are normally busy
	DigestMissing  GapKind = "digest_missing"  // a digest, or a file that one vouches for, is absent
	DigestMismatch GapKind = "digest_mismatch" // a hash or signature differs
)

// Gap is a stretch of time whose records we do not have, or cannot vouch for.
type Gap struct {
	Kind    GapKind   `json:"kind"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`     // exclusive
	Reason  say.Text  `json:"reason"` // a sentence for a person, with its numbers
}
