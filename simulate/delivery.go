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
	buf     []byte                       // records of this slot, one after the other
	marks   []mark                       // one a record in buf
	again   []kept                       // copies of this slot's records that go into the next slot's file
	late    []kept                       // records of this slot that come one slot late
	due     struct{ again, late []kept } // what the slot before left to this one
	chain   *chain                       // nil where no digests are kept
}

// mark is where a record ends in its stream, and its time.
type mark struct {
	end int
	at  int64
}

type kept struct {
	body []byte
	at   int64
}

func (s *stream) add(d *draft) {
	s.buf = d.append(s.buf)
	s.marks = append(s.marks, mark{len(s.buf), d.at})
}

func (s *stream) last() kept {
	from, n := 0, len(s.marks)
	if n > 1 {
		from = s.marks[n-2].end
	}
	return kept{bytes.Clone(s.buf[from:]), s.marks[n-1].at}
}

// repeatLast delivers the record just added once more, in the next file.
func (s *stream) repeatLast() { s.again = append(s.again, s.last()) }

// delayLast takes the record just added out of this file and into the next.
func (s *stream) delayLast() {
	last := s.last()
	s.late = append(s.late, last)
	s.buf = s.buf[:len(s.buf)-len(last.body)]
	s.marks = s.marks[:len(s.marks)-1]
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
			for len(s.due.again)+len(s.due.late) > 0 {
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

// flush writes a stream's file of the slot that ends at at: its records, and
// what was kept from the slot before.
func (d *delivery) flush(s *stream, at time.Time) error {
	again, late := s.due.again, s.due.late
	s.due.again, s.due.late, s.again, s.late = s.again, s.late, nil, nil
	records := len(s.marks) + len(again) + len(late)
	if records == 0 {
		return nil
	}
	path := d.key(s.account, "CloudTrail", s.region, at, "_"+at.Format("20060102T1504Z")+"_"+d.w.mixed(16)+".json.gz")
	f := vouched{key: path}
	d.content.Reset()
	d.content.WriteString(`{"Records":[`)
	one := func(body []byte, second int64) {
		if f.newest > 0 {
			d.content.WriteByte(',')
		}
		d.content.Write(body)
		f.newest = max(f.newest, second)
		if f.oldest == 0 || second < f.oldest {
			f.oldest = second
		}
	}
	from := 0
	for _, m := range s.marks {
		one(s.buf[from:m.end], m.at)
		from = m.end
	}
	for _, k := range again {
		one(k.body, k.at)
	}
	for _, k := range late {
		one(k.body, k.at)
	}
	d.content.WriteString(`]}`)
	s.buf, s.marks = s.buf[:0], s.marks[:0]
	if err := d.deliver(s, f, at, records); err != nil {
		return err
	}
	if sum := &d.w.sum; path != sum.MissingFile && path != sum.DamagedFile {
		sum.Records += records
		sum.Again += len(again)
	}
	return nil
}

// deliver writes the content, except where the story withholds or cuts it.
func (d *delivery) deliver(s *stream, f vouched, at time.Time, records int) error {
	sum, path := &d.w.sum, f.key
	if s.chain != nil {
		f.sum = sha256.Sum256(d.content.Bytes())
		s.chain.files = append(s.chain.files, f)
	}
	switch {
	case d.w.o.Plain:
	case sum.MissingFile == "" && s.chain != nil && s.account.index == min(1, len(d.w.accounts)-1) && !at.Before(d.w.middle().Add(4*time.Hour)):
		sum.MissingFile, sum.Withheld = path, records
		s.due.again = nil // else a copy would be the only one, and no duplicate
		return nil
	case sum.DamagedFile == "" && s.chain == nil && s.region == home && records > 3 && !at.Before(d.w.middle().Add(6*time.Hour)):
		sum.DamagedFile, sum.Damaged = path, records
		s.due.again = nil
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
