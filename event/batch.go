package event

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Raw is one record as a source found it.
type Raw struct {
	Object   string // the object it was read from, as in its Span
	Position int64  // which record in the object, from 0
	Format   string // "aws.cloudtrail" when the source was told; empty: to be recognised
	Body     []byte // JSON text of one record; never changed once delivered
	Received time.Time
}

// Object is something a source can read records from: a file, an S3 object, a
// queue message.
type Object struct {
	Name    string // path or URL, unique within the source
	Version string // changes when the content is replaced, not when it grows
	Size    int64  // bytes as stored, before decompression
}

// Span is a run of records of one object that one batch covers. Several spans
// of an object never overlap within a version.
type Span struct {
	Object  string `json:"object"`
	Version string `json:"version"`
	Kind    Kind   `json:"kind,omitempty"` // what the object was recognised as
	First   int64  `json:"first"`          // position of the first record
	Records int64  `json:"records"`        // how many; 0 for an object without records
	Final   bool   `json:"final"`          // the object ends here; a growing file is never final
	// AtEnd: everything the object held when it was read is settled with this
	// span; it may grow. Never set of a final span, or of one with a failure.
	AtEnd bool `json:"at_end,omitempty"`
	// Mark is what the source needs to go on behind this span (byte offset,
	// inode). Opaque to everyone else; kept by the ledger.
	Mark string `json:"mark,omitempty"`
	// SHA256 of the object's decompressed content, hex, where a final span's
	// object was read whole in one go; else empty.
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"` // bytes of the object as stored
	// Failure says in a person's words why the object could not be read beyond
	// this span (truncated gzip at byte N, permission denied); empty if it could.
	Failure string `json:"failure,omitempty"`
	// Formats say as what its records were read. The pipeline fills them.
	Formats Formats `json:"formats,omitempty"`
}

// Kind is what a source recognised an object as.
type Kind string

// The kinds.
const (
	KindRecords Kind = ""       // log records, or nothing
	KindDigest  Kind = "digest" // a CloudTrail digest file: accounted for, never an event
	KindOther   Kind = "other"  // no log at all, a note beside them; the span's Failure says what
)

// Reject is a record that could not become a stored event, with its reason.
type Reject struct {
	Object   string    `json:"object"`
	Version  string    `json:"version"`
	Position int64     `json:"position"`
	Reason   string    `json:"reason"` // a sentence for a person: what is wrong, and where in the record
	Format   string    `json:"format,omitempty"`
	Body     []byte    `json:"body,omitempty"` // the record's bytes, at most MaxRejectBody
	Size     int64     `json:"size"`           // its whole size in bytes
	Received time.Time `json:"received"`
}

// MaxRejectBody is how many bytes of a rejected record are kept.
const MaxRejectBody = 1 << 20

// Batch is what one acknowledgement covers: all of it is stored or none.
//
// A source fills Spans, Raws, Rejects and Digests; the pipeline turns Raws into
// Events (one event a record, or a Reject) and drops Raws. Events and Rejects
// together hold each record of the spans exactly once. A batch never holds two
// versions of one object, so that object and position name a record in it.
type Batch struct {
	Spans   []Span
	Raws    []Raw
	Events  []Event
	Rejects []Reject
	Digests []Digest
	// Attempt sets apart a later reading of spans that a batch covered before
	// (records taken out of quarantine, a re-read); empty for the first.
	Attempt string
}

// BatchID is the identity of a batch: the hash of its spans and attempt.
type BatchID UID

func (id BatchID) String() string               { return UID(id).String() }
func (id BatchID) MarshalText() ([]byte, error) { return UID(id).MarshalText() }

// UnmarshalText reads the text form.
func (id *BatchID) UnmarshalText(b []byte) error { return (*UID)(id).UnmarshalText(b) }

// ID is the UUIDv8 of SHA-256 over the attempt and the spans' objects, versions
// and positions.
func (b *Batch) ID() BatchID {
	h := sha256.New()
	fmt.Fprintf(h, "%d:%s", len(b.Attempt), b.Attempt)
	for _, s := range b.Spans {
		fmt.Fprintf(h, "%d:%s%d:%s%d+%d;", len(s.Object), s.Object, len(s.Version), s.Version, s.First, s.Records)
	}
	var u UID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return BatchID(u)
}

// SpanAccount is a span with what became of each of its records.
type SpanAccount struct {
	Span
	Verdicts Verdicts `json:"verdicts"` // as many as Span.Records
}

// Digest is what a CloudTrail digest file says about the log files delivered in
// its hour (docs.aws.amazon.com/awscloudtrail, "digest file structure").
type Digest struct {
	Object  string `json:"object"`  // the source object the digest was read from
	SHA256  string `json:"sha256"`  // of its decompressed content, hex
	Account string `json:"account"` // awsAccountId
	Region  string `json:"region"`  // of the log files, from the digest's own object key

	Start, End time.Time // digestStartTime, digestEndTime
	Bucket     string    // digestS3Bucket
	Key        string    // digestS3Object
	// Fingerprint names the public key that signed it (digestPublicKeyFingerprint).
	Fingerprint string
	Signature   string // hex, from object metadata where the source has it; usually empty

	PreviousBucket, PreviousKey string // empty for the first of a chain
	PreviousSHA256              string // previousDigestHashValue, hex
	PreviousSignature           string // previousDigestSignature, hex

	Files []DigestFile
}

// DigestFile is one log file a digest vouches for.
type DigestFile struct {
	Bucket, Key string
	SHA256      string // of the decompressed content, hex
	Oldest      time.Time
	Newest      time.Time
}
