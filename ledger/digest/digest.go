// Package digest verifies chains of CloudTrail digest files: every hour
// CloudTrail writes one per account, region and trail, which names the log
// files of the hour with their hashes, and the digest before it with its hash
// and signature.
//
// The rules are those of "Custom implementations of CloudTrail log file
// integrity validation" (docs.aws.amazon.com/awscloudtrail).
package digest

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/say"
)

// Kind is what is wrong.
type Kind string

// The kinds.
const (
	Missing  Kind = "digest_missing"  // a log file or digest that a digest names is not there
	Mismatch Kind = "digest_mismatch" // it is there, and is not what was signed
)

// Problem is a place where a chain does not hold.
type Problem struct {
	Kind     Kind
	Account  string
	Region   string
	From, To time.Time // the time in which something may be missing or changed
	Reason   say.Text  // a sentence for a person
}

// PublicKeys are CloudTrail's public keys by fingerprint.
type PublicKeys map[string]*rsa.PublicKey

// ParseKeys reads what `aws cloudtrail list-public-keys` prints.
func ParseKeys(text []byte) (PublicKeys, error) {
	var list struct {
		PublicKeyList []struct {
			Fingerprint string
			Value       string
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("public keys: %w", err)
	}
	if len(list.PublicKeyList) == 0 {
		return nil, errors.New("public keys: PublicKeyList is missing or empty")
	}
	keys := PublicKeys{}
	for i, k := range list.PublicKeyList {
		der, err := base64.StdEncoding.DecodeString(k.Value)
		if err != nil {
			return nil, fmt.Errorf("public keys: PublicKeyList[%d].Value: %w", i, err)
		}
		key, err := x509.ParsePKCS1PublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("public keys: PublicKeyList[%d].Value: %w", i, err)
		}
		if k.Fingerprint == "" {
			return nil, fmt.Errorf("public keys: PublicKeyList[%d] has no Fingerprint", i)
		}
		keys[strings.ToLower(k.Fingerprint)] = key
	}
	return keys, nil
}

// Verify checks the digests, in any order, and returns what is wrong by
// account, region and time. sha256Of tells the hash of a log file's
// decompressed content in hex: ok is false where there is no such file, and the
// hash empty where it is not known, which is no problem of the file's. Without
// keys no signature is checked. A digest's own signature is metadata of its
// object; where the source did not have it, the next digest of the chain does,
// so that only the newest one cannot be checked. That the first digest at hand
// names one before it is no problem.
func Verify(digests []event.Digest, sha256Of func(bucket, key string) (hash string, ok bool), keys PublicKeys) []Problem {
	v := verifier{sha256Of: sha256Of, keys: keys}
	chains := map[chain][]event.Digest{}
	for _, d := range digests {
		c := chainOf(d)
		chains[c] = append(chains[c], d)
	}
	for _, ds := range chains {
		slices.SortFunc(ds, func(a, b event.Digest) int {
			return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start), cmp.Compare(a.Key, b.Key), cmp.Compare(a.SHA256, b.SHA256))
		})
		// The same digest under two names is one; two contents of one key are not.
		v.chain(slices.CompactFunc(ds, func(a, b event.Digest) bool { return a.Key == b.Key && a.SHA256 == b.SHA256 }))
	}
	slices.SortFunc(v.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Reason.String(), b.Reason.String()))
	})
	return v.problems
}

// chain is what digests that follow each other have in common.
type chain struct {
	account, region, trail string
	backfill               bool // late log files are told in digests of their own
}

// chainOf takes the trail from …_CloudTrail-Digest_REGION_TRAIL_HOME_TIME.json.gz.
func chainOf(d event.Digest) chain {
	c := chain{account: d.Account, region: d.Region}
	_, rest, _ := strings.Cut(path.Base(d.Key), "_CloudTrail-Digest_")
	rest = strings.TrimSuffix(strings.TrimSuffix(rest, ".gz"), ".json")
	rest, c.backfill = strings.CutSuffix(rest, "_backfill")
	_, rest, _ = strings.Cut(rest, "_")
	for range 2 {
		if at := strings.LastIndexByte(rest, '_'); at >= 0 {
			rest = rest[:at]
		}
	}
	c.trail = rest
	return c
}

type verifier struct {
	sha256Of func(bucket, key string) (string, bool)
	keys     PublicKeys
	problems []Problem
}

func (v *verifier) add(k Kind, d event.Digest, from, to time.Time, reason say.Text) {
	v.problems = append(v.problems, Problem{Kind: k, Account: d.Account, Region: d.Region, From: from, To: to, Reason: reason})
}

// chain checks the digests of one chain, oldest first.
func (v *verifier) chain(ds []event.Digest) {
	byKey := map[string]int{}
	for i, d := range ds {
		if j, ok := byKey[path.Base(d.Key)]; ok {
			v.add(Mismatch, d, d.Start, d.End, say.T("digest.twice", say.Values{"digest": d.Key, "one": ds[j].Object, "other": d.Object}))
		}
		byKey[path.Base(d.Key)] = i
	}
	signatures := make([]string, len(ds))
	for i, d := range ds {
		signatures[i] = d.Signature
	}
	for i, d := range ds {
		if j, ok := v.previous(ds, byKey, i); ok && signatures[j] == "" {
			signatures[j] = d.PreviousSignature
		}
	}
	for i, d := range ds {
		v.signature(d, signatures[i])
		v.files(d)
	}
}

// previous checks the link from digest i back, and returns the digest it leads to.
func (v *verifier) previous(ds []event.Digest, byKey map[string]int, i int) (int, bool) {
	d := ds[i]
	if d.PreviousKey == "" {
		if i > 0 && ds[i-1].End.Before(d.Start) {
			v.add(Missing, d, ds[i-1].End, d.Start, say.T("digest.anew", say.Values{"digest": d.Key}))
		}
		return 0, false
	}
	j, ok := byKey[path.Base(d.PreviousKey)]
	if !ok {
		if i > 0 {
			v.add(Missing, d, ds[i-1].End, d.Start, say.T("digest.missing", say.Values{"digest": d.PreviousKey, "next": d.Key}))
		}
		return 0, false
	}
	p := ds[j]
	if p.SHA256 != "" && !strings.EqualFold(p.SHA256, d.PreviousSHA256) {
		v.add(Mismatch, p, p.Start, p.End, say.T("digest.changed", say.Values{"digest": p.Key, "is": p.SHA256, "was": d.PreviousSHA256}))
	}
	return j, true
}

func (v *verifier) signature(d event.Digest, signature string) {
	if len(v.keys) == 0 || signature == "" || d.SHA256 == "" {
		return
	}
	key, ok := v.keys[strings.ToLower(d.Fingerprint)]
	if !ok {
		v.add(Mismatch, d, d.Start, d.End, say.T("digest.key", say.Values{"digest": d.Key, "key": d.Fingerprint}))
		return
	}
	sig, err := hex.DecodeString(signature)
	if err == nil {
		hash := sha256.Sum256([]byte(signed(d)))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, hash[:], sig)
	}
	if err != nil {
		v.add(Mismatch, d, d.Start, d.End, say.T("digest.signature", say.Values{"digest": d.Key}))
	}
}

// signed is the text that CloudTrail signs for a digest.
func signed(d event.Digest) string {
	previous := d.PreviousSignature
	if previous == "" {
		previous = "null" // what CloudTrail signs for the first of a chain
	}
	return d.End.UTC().Format("2006-01-02T15:04:05Z") + "\n" + d.Bucket + "/" + d.Key + "\n" + strings.ToLower(d.SHA256) + "\n" + previous
}

func (v *verifier) files(d event.Digest) {
	for _, f := range d.Files {
		from, to := f.Oldest, f.Newest
		if from.IsZero() || to.IsZero() {
			from, to = d.Start, d.End
		}
		hash, ok := v.sha256Of(f.Bucket, f.Key)
		switch {
		case !ok:
			v.add(Missing, d, from, to, say.T("digest.file.missing", say.Values{"file": f.Key, "digest": d.Key}))
		case hash != "" && !strings.EqualFold(hash, f.SHA256):
			v.add(Mismatch, d, from, to, say.T("digest.file.changed", say.Values{"file": f.Key, "is": hash, "digest": d.Key, "was": f.SHA256}))
		}
	}
}

// Files finds log files by the last part of their key, which is unique: copies
// of a bucket lose what is before it, and often the compression. The zero value
// is ready to use.
type Files struct {
	byBase map[string][]file
}

type file struct{ name, hash string }

// Add makes an object known with the hash of its content; empty: not known.
func (fs *Files) Add(name, hash string) {
	if fs.byBase == nil {
		fs.byBase = map[string][]file{}
	}
	b := base(name)
	fs.byBase[b] = append(fs.byBase[b], file{name, hash})
}

func base(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(path.Base(strings.ReplaceAll(name, `\`, "/")), ".gz"), ".zst")
}

// SHA256Of is what Verify asks for. Of several files with the name it takes the
// one whose path agrees best with the key.
func (fs *Files) SHA256Of(bucket, key string) (hash string, ok bool) {
	best := -1
	for _, f := range fs.byBase[base(key)] {
		if n := commonSuffix(f.name, bucket+"/"+key); n > best {
			best, hash = n, f.hash
		}
	}
	return hash, best >= 0
}

func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
