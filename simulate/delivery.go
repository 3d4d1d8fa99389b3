package simulate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"
)

// stream is what one account delivers from one region.
type stream struct {
	account *account
	region  string
	buf     []byte // records of this slot, one after the other
	ends    []int  // where each ends in buf
	oldest  int64  // seconds, of the records in buf
	newest  int64
	again   [][]byte // copies that go into the next slot's file
	late    [][]byte // records that come one slot late
	chain   *chain   // nil where no digests are kept
}

func (s *stream) add(d *draft) {
	s.buf = d.append(s.buf)
	s.ends = append(s.ends, len(s.buf))
	if s.oldest == 0 || d.at < s.oldest {
		s.oldest = d.at
	}
	s.newest = max(s.newest, d.at)
}

func (s *stream) last() []byte {
	from := 0
	if n := len(s.ends); n > 1 {
		from = s.ends[n-2]
	}
	return s.buf[from:]
}

// repeatLast delivers the record just added once more, in the next file.
func (s *stream) repeatLast() { s.again = append(s.again, bytes.Clone(s.last())) }

// delayLast takes the record just added out of this file and into the next.
func (s *stream) delayLast() {
	last := s.last()
	s.late = append(s.late, bytes.Clone(last))
	s.buf = s.buf[:len(s.buf)-len(last)]
	s.ends = s.ends[:len(s.ends)-1]
}

// delivery puts files below a folder as they lie in a bucket.
type delivery struct {
	w       *world
	content *bytes.Buffer // of the file being put together
	jobs    chan job
	spare   chan *bytes.Buffer
	packer  *packer
}

// job is a file to pack and store; cut leaves out its end.
type job struct {
	path    string
	content *bytes.Buffer
	cut     bool
}

// packer packs and stores files beside the making of the next ones: creating
// a file may take longer than writing its records.
type packer struct {
	root   string
	made   map[string]bool // folders
	packed bytes.Buffer
	gz     *gzip.Writer

	files          int
	bytes, content int64
	err            error         // the first; nothing is stored after it
	done           chan struct{} // closed when all jobs are done
}

const trail = "organisation"

func newDelivery(w *world, root string) *delivery {
	const ahead = 8
	d := &delivery{w: w, content: new(bytes.Buffer), jobs: make(chan job, ahead), spare: make(chan *bytes.Buffer, ahead+2)}
	d.packer = &packer{root: root, made: map[string]bool{}, done: make(chan struct{})}
	d.packer.gz, _ = gzip.NewWriterLevel(&d.packer.packed, gzip.BestSpeed) // the level is a valid one
	go d.packer.run(d.jobs, d.spare)
	if !w.o.Plain {
		for _, a := range w.accounts[:min(2, len(w.accounts))] {
			a.main.chain = &chain{account: a, region: home, hour: w.o.Start}
		}
	}
	return d
}

// slot writes a file for every stream that has something, then the digests of
// the hours that are over.
func (d *delivery) slot(at time.Time) error {
	for _, a := range d.w.accounts {
		for _, region := range []string{home, global, abroad} {
			s := a.streams[region]
			if err := d.flush(s, at); err != nil {
				return err
			}
			if s.chain != nil && at.Truncate(time.Hour).Equal(at) {
				if err := d.digest(s.chain, at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// finish delivers what was kept for a next slot, and the odd files.
func (d *delivery) finish(at time.Time) error {
	at = at.Add(5 * time.Minute)
	for _, a := range d.w.accounts {
		for _, region := range []string{home, global, abroad} {
			s := a.streams[region]
			for len(s.again)+len(s.late) > 0 {
				if err := d.flush(s, at); err != nil {
					return err
				}
			}
		}
	}
	if d.w.o.Plain {
		return nil
	}
	if err := d.insight(); err != nil {
		return err
	}
	return d.foreign()
}

// flush writes a stream's file of this slot.
func (d *delivery) flush(s *stream, at time.Time) error {
	w := d.w
	again, late := s.again, s.late
	records := len(s.ends) + len(again) + len(late)
	if records == 0 {
		return nil
	}
	d.content.Reset()
	d.content.WriteString(`{"Records":[`)
	from := 0
	for i, end := range s.ends {
		if i > 0 {
			d.content.WriteByte(',')
		}
		d.content.Write(s.buf[from:end])
		from = end
	}
	for i, r := range append(again, late...) {
		if i > 0 || from > 0 {
			d.content.WriteByte(',')
		}
		d.content.Write(r)
	}
	d.content.WriteString(`]}`)
	path := d.key(s.account, "CloudTrail", s.region, at, "_"+at.Format("20060102T1504Z")+"_"+w.mixed(16)+".json.gz")
	if err := d.deliver(s, path, at, records); err != nil {
		return err
	}
	if path != w.sum.MissingFile && path != w.sum.DamagedFile {
		w.sum.Records += records
		w.sum.Again += len(again)
	}
	s.buf, s.ends, s.oldest, s.newest = s.buf[:0], s.ends[:0], 0, 0
	s.again, s.late = nil, nil
	return nil
}

// deliver writes the content, except where the story withholds or cuts it.
func (d *delivery) deliver(s *stream, path string, at time.Time, records int) error {
	sum := &d.w.sum
	if s.chain != nil {
		s.chain.files = append(s.chain.files, vouched{path, sha256.Sum256(d.content.Bytes()), s.oldest, s.newest})
	}
	switch {
	case d.w.o.Plain:
	case sum.MissingFile == "" && s.chain != nil && s.account.index == min(1, len(d.w.accounts)-1) && !at.Before(d.w.middle().Add(4*time.Hour)):
		sum.MissingFile, sum.Withheld = path, records
		return nil
	case sum.DamagedFile == "" && s.chain == nil && s.region == home && records > 3 && !at.Before(d.w.middle().Add(6*time.Hour)):
		sum.DamagedFile, sum.Damaged = path, records
		return d.write(path, true)
	}
	return d.write(path, false)
}

// write hands the content over to be packed and stored, and takes a fresh
// buffer for the next. An error shows at the next call or in close.
func (d *delivery) write(path string, cut bool) error {
	select {
	case <-d.packer.done:
		return d.packer.err
	case d.jobs <- job{path, d.content, cut}:
	}
	select {
	case d.content = <-d.spare:
	default:
		d.content = new(bytes.Buffer)
	}
	return nil
}

// close waits until everything is stored and adds up what was.
func (d *delivery) close() error {
	close(d.jobs)
	<-d.packer.done
	sum := &d.w.sum
	sum.Files, sum.Bytes, sum.Content = d.packer.files, d.packer.bytes, d.packer.content
	return d.packer.err
}

func (p *packer) run(jobs <-chan job, spare chan<- *bytes.Buffer) {
	defer close(p.done)
	for j := range jobs {
		if p.err = p.store(j); p.err != nil {
			return
		}
		j.content.Reset()
		select {
		case spare <- j.content:
		default: // enough in stock
		}
	}
}

func (p *packer) store(j job) error {
	p.packed.Reset()
	p.gz.Reset(&p.packed)
	if _, err := p.gz.Write(j.content.Bytes()); err != nil {
		return err
	}
	if err := p.gz.Close(); err != nil {
		return err
	}
	packed := p.packed.Bytes()
	if j.cut {
		packed = packed[:len(packed)*2/3]
	}
	p.files++
	p.bytes += int64(len(packed))
	p.content += int64(j.content.Len())
	full := filepath.Join(p.root, filepath.FromSlash(j.path))
	if dir := filepath.Dir(full); !p.made[dir] {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		p.made[dir] = true
	}
	return os.WriteFile(full, packed, 0o644)
}

// key is an object's name below the bucket.
func (d *delivery) key(a *account, kind, region string, at time.Time, rest string) string {
	return fmt.Sprintf("AWSLogs/%s/%s/%s/%s/%s/%s_%s_%s%s", d.w.org, a.id, kind, region, at.Format("2006/01/02"), a.id, kind, region, rest)
}

func (w *world) mixed(n int) string {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[w.rng.IntN(len(set))]
	}
	return string(b)
}

// chain is the digest files of one account and region: each vouches for an
// hour's files and for the digest before it.
type chain struct {
	account *account
	region  string
	hour    time.Time // start of the hour not yet vouched for
	files   []vouched
	prevKey string
	prevSum string
}

type vouched struct {
	key            string
	sum            [sha256.Size]byte
	oldest, newest int64
}

const bucketName = "hoshino-organisation-trail"

func (d *delivery) digest(c *chain, end time.Time) error {
	key := d.key(c.account, "CloudTrail-Digest", c.region, end, "_"+trail+"_"+home+"_"+end.Format("20060102T150405Z")+".json.gz")
	b := d.content
	b.Reset()
	fmt.Fprintf(b, `{"awsAccountId":"%s","digestStartTime":"%s","digestEndTime":"%s","digestS3Bucket":"%s","digestS3Object":"%s","digestPublicKeyFingerprint":"47aab19f7eec22e9bd0b5e58cfa0e8cb","digestSignatureAlgorithm":"SHA256withRSA"`,
		c.account.id, c.hour.Format(time.RFC3339), end.Format(time.RFC3339), bucketName, key)
	var oldest, newest int64
	for _, f := range c.files {
		if oldest == 0 || f.oldest < oldest {
			oldest = f.oldest
		}
		newest = max(newest, f.newest)
	}
	fmt.Fprintf(b, `,"newestEventTime":%s,"oldestEventTime":%s`, timeOrNull(newest), timeOrNull(oldest))
	if c.prevKey == "" {
		b.WriteString(`,"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null`)
	} else {
		fmt.Fprintf(b, `,"previousDigestS3Bucket":"%s","previousDigestS3Object":"%s","previousDigestHashValue":"%s","previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":"%s"`,
			bucketName, c.prevKey, c.prevSum, d.w.hex(512))
	}
	b.WriteString(`,"logFiles":[`)
	for i, f := range c.files {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, `{"s3Bucket":"%s","s3Object":"%s","hashValue":"%x","hashAlgorithm":"SHA-256","newestEventTime":%s,"oldestEventTime":%s}`,
			bucketName, f.key, f.sum, timeOrNull(f.newest), timeOrNull(f.oldest))
	}
	b.WriteString(`]}`)
	sum := sha256.Sum256(b.Bytes())
	c.prevKey, c.prevSum = key, hex.EncodeToString(sum[:])
	c.hour, c.files = end, nil
	d.w.sum.Digests++
	return d.write(key, false)
}

func timeOrNull(second int64) string {
	if second == 0 {
		return "null"
	}
	return string(append(stamp([]byte{'"'}, second), '"'))
}
