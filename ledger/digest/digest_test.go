package digest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

var start = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// world is a trail of an invented account with its digests and log files.
type world struct {
	key     *rsa.PrivateKey
	digests []event.Digest
	files   Files
}

func newWorld(t *testing.T, hours int) *world {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{key: key}
	signature := ""
	for h := range hours {
		d := event.Digest{
			Object: fmt.Sprintf("digest-%d", h), Account: "111122223333", Region: "eu-west-1",
			Start: start.Add(time.Duration(h) * time.Hour), End: start.Add(time.Duration(h+1) * time.Hour),
			Bucket: "trail-logs", Fingerprint: "31e8",
			Key:    fmt.Sprintf("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/01/05/111122223333_CloudTrail-Digest_eu-west-1_main_log_eu-west-1_20260105T%02d0000Z.json.gz", 11+h),
			SHA256: fmt.Sprintf("%064x", h+1),
			Files:  []event.DigestFile{{Bucket: "trail-logs", Key: fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-west-1/log-%d.json.gz", h), SHA256: fmt.Sprintf("%064x", 100+h)}},
		}
		if h > 0 {
			p := w.digests[h-1]
			d.PreviousBucket, d.PreviousKey, d.PreviousSHA256, d.PreviousSignature = p.Bucket, p.Key, p.SHA256, signature
		}
		signature = w.sign(t, d)
		w.digests = append(w.digests, d)
		w.files.Add(fmt.Sprintf("/logs/log-%d.json", h), fmt.Sprintf("%064X", 100+h))
	}
	return w
}

// sign signs as the documentation says, spelled out apart from the code under test.
func (w *world) sign(t *testing.T, d event.Digest) string {
	t.Helper()
	previous := "null"
	if d.PreviousSignature != "" {
		previous = d.PreviousSignature
	}
	text := d.End.Format(time.RFC3339) + "\ntrail-logs/" + d.Key + "\n" + d.SHA256 + "\n" + previous
	hash := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, w.key, crypto.SHA256, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sig)
}

func (w *world) keys(t *testing.T) PublicKeys {
	t.Helper()
	text, err := json.Marshal(map[string]any{"PublicKeyList": []map[string]any{{
		"Fingerprint": "31E8", "Value": base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&w.key.PublicKey)),
		"ValidityStartTime": "2026-01-01T00:00:00+00:00",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestVerify(t *testing.T) {
	f := func(change func(w *world), want ...string) {
		t.Helper()
		w := newWorld(t, 4)
		change(w)
		got := Verify(w.digests, w.files.SHA256Of, w.keys(t))
		if len(got) != len(want) {
			t.Errorf("%d problems, want %d: %+v", len(got), len(want), got)
			return
		}
		for i, p := range got {
			text := fmt.Sprintf("%s %s %s %d-%d %s", p.Kind, p.Account, p.Region, p.From.Hour(), p.To.Hour(), p.Reason)
			for part := range strings.SplitSeq(want[i], "|") {
				if !strings.Contains(text, part) {
					t.Errorf("problem %q, want %q", text, part)
				}
			}
		}
	}
	f(func(*world) {})
	f(func(w *world) { w.digests[0], w.digests[3] = w.digests[3], w.digests[0] })
	f(func(w *world) { w.digests = append(w.digests, w.digests[1]) })
	f(func(w *world) { w.digests = w.digests[1:] }) // older ones were never here
	f(func(w *world) { w.digests = append(w.digests[:1], w.digests[2:]...) },
		"digest_missing 111122223333 eu-west-1 11-12|T120000Z.json.gz is missing")
	f(func(w *world) { w.files = Files{}; w.files.Add("log-1.json.gz", ""); w.files.Add("log-2.json.gz", "") },
		"digest_missing 111122223333 eu-west-1 10-11|log-0.json.gz is missing", "digest_missing|log-3.json.gz is missing")
	f(func(w *world) { w.digests[1].Files[0].SHA256 = "ff" },
		"digest_mismatch 111122223333 eu-west-1 11-12|log-1.json.gz was changed")
	f(func(w *world) { w.digests[1].SHA256 = strings.Repeat("e", 64) },
		"digest_mismatch 111122223333 eu-west-1 11-12|was changed: its hash is eee", "the signature of the digest|T120000Z")
	f(func(w *world) { // the newest one is checked where its own signature is known
		w.digests[3].Signature = w.sign(t, w.digests[3])
		w.digests[3].Files = nil
		w.digests[3].SHA256 = strings.Repeat("e", 64)
	}, "digest_mismatch 111122223333 eu-west-1 13-14|the signature")
	f(func(w *world) { w.digests[2].Fingerprint = "beef" }, "digest_mismatch|the key beef, which is not among")
	f(func(w *world) { w.digests[2].PreviousSignature = "zz" },
		"digest_mismatch 111122223333 eu-west-1 11-12|the signature", "digest_mismatch 111122223333 eu-west-1 12-13|the signature")
	f(func(w *world) { // switched off and on again
		w.digests[2].PreviousKey, w.digests[2].PreviousSignature = "", ""
		w.digests = w.digests[:3]
		w.digests[2].Start = w.digests[2].Start.Add(30 * time.Minute)
	}, "digest_missing 111122223333 eu-west-1 12-12|starts anew")
	f(func(w *world) { // other chains of the same account are apart
		d := w.digests[3]
		d.Key = strings.Replace(d.Key, "main_log", "other", 1)
		d.PreviousKey = strings.Replace(d.PreviousKey, "main_log", "other", 1)
		e := w.digests[2]
		e.Key = strings.Replace(e.Key, ".json.gz", "_backfill.json.gz", 1)
		e.PreviousKey, e.PreviousSignature = "", ""
		w.digests = append(w.digests, d, e)
	})
}

func TestChainOf(t *testing.T) {
	f := func(key string, want chain) {
		t.Helper()
		if got := chainOf(event.Digest{Key: key}); got != want {
			t.Errorf("chainOf(%s) = %+v, want %+v", key, got, want)
		}
	}
	f("AWSLogs/1/CloudTrail-Digest/us-east-2/2026/01/05/1_CloudTrail-Digest_us-east-2_a_b_us-east-1_20260105T110000Z.json.gz", chain{trail: "a_b"})
	f("1_CloudTrail-Digest_us-east-2_t_us-east-1_20260105T110000Z_backfill.json.gz", chain{trail: "t", backfill: true})
	f("odd", chain{})
}

func TestFiles(t *testing.T) {
	var fs Files
	fs.Add("/copy/b/AWSLogs/1/x.json.gz", "01")
	fs.Add("/old/x.json.gz", "02")
	if hash, ok := fs.SHA256Of("b", "AWSLogs/1/x.json.gz"); hash != "01" || !ok {
		t.Errorf("%q, %v", hash, ok)
	}
	if _, ok := fs.SHA256Of("b", "AWSLogs/1/y.json.gz"); ok {
		t.Error("y is found")
	}
}

func TestParseKeys(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if _, err := ParseKeys([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseKeys(%s) returns %v, want %q", in, err, want)
		}
	}
	f(`x`, "invalid character")
	f(`{}`, "missing or empty")
	f(`{"PublicKeyList":[{"Fingerprint":"a","Value":"?"}]}`, "PublicKeyList[0].Value")
	f(`{"PublicKeyList":[{"Fingerprint":"a","Value":"AAAA"}]}`, "PublicKeyList[0].Value")
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(`{"PublicKeyList":[{"Fingerprint":"a","Value":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		keys, err := ParseKeys(in)
		if (err == nil) != (len(keys) > 0) {
			t.Errorf("%d keys and %v", len(keys), err)
		}
	})
}
