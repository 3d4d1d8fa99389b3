package simulate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

func write(t testing.TB, o Organisation) (string, Summary) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bucket")
	sum, err := o.Write(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, sum
}

// each calls f with every file's path below dir and its unpacked content; err
// is that of unpacking.
func each(t testing.TB, dir string, f func(path string, content []byte, err error)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		packed, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		zr, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return err
		}
		content, unpackErr := io.ReadAll(zr)
		rel, _ := filepath.Rel(dir, path)
		f(filepath.ToSlash(rel), content, unpackErr)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type record struct {
	EventVersion       string
	UserIdentity       map[string]any
	EventTime          time.Time
	EventSource        string
	EventName          string
	AWSRegion          string
	EventID            string
	EventType          string
	ErrorCode          string
	RecipientAccountID string
	SharedEventID      string
	RequestParameters  map[string]any
}

// tally is what was seen in the files.
type tally struct {
	read, again, late, size int
	seen                    map[string]place
	shared                  map[string]map[string]bool // shared id → accounts
	operations, sources     map[string]int
	secrets, twins          int
}

type place struct {
	path string
	body []byte
}

func TestEveryRecordIsAsCloudTrailWritesIt(t *testing.T) {
	dir, sum := write(t, Organisation{Seed: 1, Records: 12_000})
	n := tally{seen: map[string]place{}, shared: map[string]map[string]bool{}, operations: map[string]int{}, sources: map[string]int{}}
	each(t, dir, func(path string, content []byte, err error) {
		if !strings.Contains(path, "/CloudTrail/") || path == sum.DamagedFile {
			return
		}
		var file struct{ Records []json.RawMessage }
		if err == nil {
			err = json.Unmarshal(content, &file)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, raw := range file.Records {
			n.add(t, path, raw, sum)
		}
	})
	if n.read != sum.Records-2 || n.again != sum.Again { // the Insight pair lies elsewhere
		t.Errorf("read %d records, %d of them again; the summary says %d (with 2 Insight events) and %d", n.read, n.again, sum.Records, sum.Again)
	}
	n.checkShapes(t)
	checkShared(t, n.shared, sum)
}

func (n *tally) add(t *testing.T, path string, raw []byte, sum Summary) {
	t.Helper()
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, raw)
	}
	n.read++
	n.size += len(raw)
	if first, dup := n.seen[r.EventID]; dup {
		n.again++
		if !bytes.Equal(first.body, raw) {
			t.Fatalf("eventID %s stands for two different records", r.EventID)
		}
		if first.path == path {
			t.Errorf("%s holds eventID %s twice", path, r.EventID)
		}
		return
	}
	n.seen[r.EventID] = place{path, bytes.Clone(raw)}
	if delivered(t, path).Sub(r.EventTime) > time.Hour+time.Minute {
		n.late++
	}
	n.operations[r.EventName]++
	n.sources[r.EventSource]++
	checkRecord(t, path, r, sum)
	if r.SharedEventID != "" {
		if n.shared[r.SharedEventID] == nil {
			n.shared[r.SharedEventID] = map[string]bool{}
		}
		n.shared[r.SharedEventID][r.RecipientAccountID] = true
	}
	if r.EventName == "GetSecretValue" && r.ErrorCode == "" {
		n.secrets++
	}
	if c, _ := r.RequestParameters["encryptionContext"].(map[string]any); r.UserIdentity["invokedBy"] == "secretsmanager.amazonaws.com" && c["SecretARN"] != nil {
		n.twins++
	}
}

func (n *tally) checkShapes(t *testing.T) {
	t.Helper()
	if distinct := len(n.seen); distinct < 11_400 || distinct > 12_600 {
		t.Errorf("%d distinct records, asked for about 12,000", distinct)
	}
	if share := float64(n.again) / float64(n.read); share < 0.005 || share > 0.02 {
		t.Errorf("%.2f %% are delivered twice, want about 1 %%", 100*share)
	}
	if n.late < len(n.seen)/20 || n.late > len(n.seen)/7 {
		t.Errorf("%d of %d records come with the next hour's file, want about one in ten", n.late, len(n.seen))
	}
	if mean := n.size / n.read; mean < 1200 || mean > 1500 {
		t.Errorf("a record has %d bytes on average, want 1200 to 1500", mean)
	}
	if len(n.operations) < 90 || len(n.sources) < 20 {
		t.Errorf("%d operations of %d services", len(n.operations), len(n.sources))
	}
	if n.twins < n.secrets*8/10 || n.twins > n.secrets {
		t.Errorf("%d secrets read, %d twins", n.secrets, n.twins)
	}
}

// delivered is the time in a file's name.
func delivered(t *testing.T, path string) time.Time {
	t.Helper()
	part := strings.Split(filepath.Base(path), "_")
	at, err := time.Parse("20060102T1504Z", part[3])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func checkRecord(t *testing.T, path string, r record, sum Summary) {
	t.Helper()
	if !strings.Contains(path, "/"+r.RecipientAccountID+"/CloudTrail/"+r.AWSRegion+"/") {
		t.Errorf("%s holds a record of %s in %s", path, r.RecipientAccountID, r.AWSRegion)
	}
	if r.EventTime.Before(sum.Start) || !r.EventTime.Before(sum.End.Add(time.Minute)) {
		t.Errorf("%s is outside %s to %s", r.EventTime, sum.Start, sum.End)
	}
	s := sum.Silent
	if r.RecipientAccountID == s.Account && !r.EventTime.Before(s.From) && r.EventTime.Before(s.To) {
		t.Errorf("account %s is to be silent at %s", s.Account, r.EventTime)
	}
	if r.UserIdentity["type"] == nil || r.EventVersion != "1.11" || r.EventType == "" || len(r.EventID) != 36 {
		t.Errorf("%s: incomplete record %+v", path, r)
	}
}

// A call between accounts is in both logs, unless one of them is lost by story.
func checkShared(t *testing.T, shared map[string]map[string]bool, sum Summary) {
	t.Helper()
	var pairs, single int
	for _, accounts := range shared {
		if len(accounts) == 2 {
			pairs++
		} else {
			single++
		}
	}
	if pairs < 50 || single > sum.Damaged+sum.Withheld+pairs/5 {
		t.Errorf("%d calls between accounts are in both logs, %d in one", pairs, single)
	}
}

func TestStory(t *testing.T) {
	dir, sum := write(t, Organisation{Seed: 7, Records: 3_000})
	ids := map[string]bool{}
	each(t, dir, func(path string, content []byte, err error) {
		if path == sum.DamagedFile {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s is to be cut off, reading it gave %v", path, err)
			}
			return
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, s := range sum.Story {
			if bytes.Contains(content, []byte(`"eventID":"`+s.EventID+`"`)) {
				ids[s.EventID] = true
			}
		}
	})
	var bad, good int
	for _, s := range sum.Story {
		if !ids[s.EventID] {
			t.Errorf("the record of %q (%s) is nowhere", s.What, s.Operation)
		}
		if s.Bad {
			bad++
		} else {
			good++
		}
	}
	if bad < 20 || good < 5 {
		t.Errorf("the story has %d bad and %d harmless calls", bad, good)
	}
	for _, path := range []string{sum.DamagedFile, sum.ForeignFile} {
		if _, err := os.Stat(filepath.Join(dir, path)); path == "" || err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, sum.MissingFile)); sum.MissingFile == "" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q is to be missing, stat says %v", sum.MissingFile, err)
	}
}

func TestDigestsVouchForFiles(t *testing.T) {
	dir, sum := write(t, Organisation{Seed: 3, Records: 3_000})
	hashes := map[string]string{}
	digests := map[string][]byte{}
	times := map[string][2]time.Time{}
	each(t, dir, func(path string, content []byte, err error) {
		h := sha256.Sum256(content)
		hashes[path] = hex.EncodeToString(h[:])
		if strings.Contains(path, "/CloudTrail-Digest/") {
			digests[path] = content
		} else if path != sum.DamagedFile && path != sum.ForeignFile {
			times[path] = span(t, content)
		}
	})
	if len(digests) != sum.Digests || len(digests) != 2*24*3 {
		t.Fatalf("%d digests, the summary says %d", len(digests), sum.Digests)
	}
	var missing, first int
	for path, content := range digests {
		var d struct {
			DigestS3Object, PreviousDigestS3Object, PreviousDigestHashValue string
			LogFiles                                                        []struct {
				S3Object, HashValue              string
				OldestEventTime, NewestEventTime time.Time
			}
		}
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatal(err)
		}
		if d.DigestS3Object != path {
			t.Errorf("%s calls itself %s", path, d.DigestS3Object)
		}
		if d.PreviousDigestS3Object == "" {
			first++
		} else if hashes[d.PreviousDigestS3Object] != d.PreviousDigestHashValue {
			t.Errorf("%s: the chain is broken", path)
		}
		for _, f := range d.LogFiles {
			switch hash, there := hashes[f.S3Object]; {
			case !there && f.S3Object == sum.MissingFile:
				missing++
			case hash != f.HashValue:
				t.Errorf("%s vouches for %s with another hash", path, f.S3Object)
			case times[f.S3Object] != [2]time.Time{f.OldestEventTime, f.NewestEventTime}:
				t.Errorf("%s says %s and %s of %s, whose records are of %s", path, f.OldestEventTime, f.NewestEventTime, f.S3Object, times[f.S3Object])
			}
		}
	}
	if missing != 1 || first != 2 {
		t.Errorf("%d files are missing and %d chains begin, want 1 and 2", missing, first)
	}
}

// span is the times of the oldest and newest record of a file.
func span(t *testing.T, content []byte) (out [2]time.Time) {
	t.Helper()
	var file struct{ Records []record }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	for i, r := range file.Records {
		if i == 0 || r.EventTime.Before(out[0]) {
			out[0] = r.EventTime
		}
		if i == 0 || r.EventTime.After(out[1]) {
			out[1] = r.EventTime
		}
	}
	return out
}

func TestSameSeedSameBytes(t *testing.T) {
	all := func(seed int64) (map[string]string, Summary) {
		dir, sum := write(t, Organisation{Seed: seed, Records: 2_000})
		files := map[string]string{}
		each(t, dir, func(path string, content []byte, _ error) { files[path] = string(content) })
		return files, sum
	}
	a, sumA := all(5)
	b, sumB := all(5)
	if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(sumA, sumB) {
		t.Error("the same seed gave different files")
	}
	if c, _ := all(6); reflect.DeepEqual(a, c) {
		t.Error("another seed gave the same files")
	}
}

func TestPlainHasNoTrouble(t *testing.T) {
	dir, sum := write(t, Organisation{Seed: 2, Records: 3_000, Accounts: 3, Days: 1, Plain: true})
	each(t, dir, func(path string, content []byte, err error) {
		if err != nil || !strings.Contains(path, "/CloudTrail/") || bytes.Contains(content, []byte(strangerIP)) {
			t.Errorf("%s: %v", path, err)
		}
	})
	if len(sum.Story) > 0 || sum.DamagedFile != "" || sum.Digests > 0 {
		t.Errorf("plain work came with trouble: %+v", sum)
	}
}

func TestSmallAndWrongSizes(t *testing.T) {
	for _, o := range []Organisation{{Accounts: 1, Days: 1, Records: 100}, {Accounts: 2, Days: 1, Records: 100}, {Accounts: 40, Days: 2, Records: 3000}} {
		if _, sum := write(t, o); sum.Records < o.Records/2 || len(sum.Accounts) != o.Accounts {
			t.Errorf("%+v gave %d records of %d accounts", o, sum.Records, len(sum.Accounts))
		}
	}
	for _, o := range []Organisation{{Accounts: -1}, {Days: -1}, {Records: -1}, {Accounts: 1e6}} {
		if _, err := o.Write(context.Background(), t.TempDir()); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Organisation{}).Write(context.Background(), full); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a full folder gave %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Organisation{}).Write(ctx, filepath.Join(full, "new")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled run gave %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	var all, content, packed int64
	for b.Loop() {
		o := Organisation{Seed: 1, Records: 60_000}
		sum, err := o.Write(context.Background(), filepath.Join(b.TempDir(), "bucket"))
		if err != nil {
			b.Fatal(err)
		}
		all, content, packed = all+int64(sum.Records), content+sum.Content, packed+sum.Bytes
	}
	b.ReportMetric(float64(all)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(content)/float64(all), "bytes/record")
	b.ReportMetric(float64(packed)/float64(all), "gz-bytes/record")
}

func TestWriteErrorIsReturned(t *testing.T) {
	inTheWay := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := Organisation{Records: 1000}.config()
	e := newEngine(c, newBuilder(c).world())
	e.d = newDelivery(e, inTheWay)
	runErr := e.run(context.Background())
	if closeErr := e.d.close(); runErr == nil || closeErr == nil {
		t.Errorf("writing below a file: run says %v, close says %v", runErr, closeErr)
	}
}
