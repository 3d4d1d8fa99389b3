package simulate

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// stream is what one account delivers from one region.
type stream struct {
	account *account
	region  string
	pending []call // not yet delivered
	chain   *chain // nil where no digests are kept
}

// delivery puts files below a folder as they lie in a bucket.
type delivery struct {
	e       *engine
	render  *renderer     // of files whose sum is needed at once
	content *bytes.Buffer // of such a file
	step    int64         // seconds from file to file of a stream
	perHour float64       // records of an account and hour of load 1, of a sample
	least   int           // a file waits for so many records, for some hours
	jobs    chan job
	spare   chan *bytes.Buffer
	packers sync.WaitGroup
	failed  chan struct{} // closed at the first error

	mu          sync.Mutex // guards what follows
	files       int
	bytes, size int64
	err         error
}

// job is a file to render, pack and store: calls or content; cut leaves out its
// end.
type job struct {
	path    string
	calls   []call
	content *bytes.Buffer
	cut     bool
}

const (
	trail    = "organisation"
	patience = 6 * 3600 // seconds that few records wait for more
	workers  = 2
)

func newDelivery(e *engine, root string) *delivery {
	const ahead = 16
	d := &delivery{e: e, render: newRenderer(e), content: new(bytes.Buffer), jobs: make(chan job, ahead), spare: make(chan *bytes.Buffer, ahead+2), failed: make(chan struct{})}
	d.step, d.least = 3600, 48
	if e.c.sample {
		d.step, d.least = e.c.slotLength(), 1
		if e.c.records > 0 {
			var load float64
			for at := e.from; at < e.end; at += 3600 {
				for _, a := range e.accounts {
					load += a.load(at)
				}
			}
			d.perHour = float64(e.c.records) / load
		}
	}
	if e.c.Story {
		for _, a := range e.accounts[:min(2, len(e.accounts))] {
			a.main.chain = &chain{account: a, region: a.Home, hour: e.w.Start}
		}
	}
	var folders sync.Map
	for range workers {
		p := &packer{d: d, root: root, folders: &folders, render: newRenderer(e)}
		p.gz, _ = gzip.NewWriterLevel(&p.packed, gzip.BestSpeed) // the level is a valid one
		d.packers.Add(1)
		go p.run()
	}
	return d
}

// slot writes a file for every stream that has something due at the second, and
// the digests of the hours that are over.
func (d *delivery) slot(second int64) error {
	at := time.Unix(second, 0).UTC()
	for _, a := range d.e.accounts {
		for _, s := range a.order {
			if err := d.flush(s, second, second%patience == 0); err != nil {
				return err
			}
			if s.chain != nil && second%3600 == 0 {
				if err := d.digest(s.chain, at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// finish delivers what is late, and the odd files.
func (d *delivery) finish(end int64) error {
	for at := end + 300; ; at += 1800 {
		left := false
		for _, a := range d.e.accounts {
			for _, s := range a.order {
				if err := d.flush(s, at, true); err != nil {
					return err
				}
				left = left || len(s.pending) > 0
			}
		}
		if !left {
			break
		}
	}
	if !d.e.c.Story {
		return nil
	}
	if err := d.insight(); err != nil {
		return err
	}
	return d.foreign()
}

// flush writes a stream's file of what is due, in the order of its coming.
func (d *delivery) flush(s *stream, second int64, all bool) error {
	n := 0
	for i := range s.pending {
		if s.pending[i].due <= second {
			n++
		}
	}
	if n == 0 || n < d.least && !all {
		return nil
	}
	calls := make([]call, 0, n)
	left := s.pending[:0]
	for i := range s.pending {
		if c := &s.pending[i]; c.due <= second {
			calls = append(calls, *c)
		} else {
			left = append(left, *c)
		}
	}
	s.pending = left
	slices.SortFunc(calls, func(a, b call) int {
		if a.due != b.due {
			return cmp.Compare(a.due, b.due)
		}
		return cmp.Compare(a.id, b.id)
	})
	at := time.Unix(second, 0).UTC()
	path := d.key(s.account, "CloudTrail", s.region, at, "_"+at.Format("20060102T1504Z")+"_"+mixedLetters(d.e.late, 16)+".json.gz")
	lost, cut := d.mishap(s, path, at, n)
	repeats := 0
	for i := range calls {
		switch c := &calls[i]; {
		case c.mark&isRepeat != 0:
			repeats++
		case c.mark&isAgain != 0 && !lost && !cut: // else the copy would be the only one, and no duplicate
			again := *c
			again.due, again.mark = second+1, c.mark&^isAgain|isRepeat
			s.pending = append(s.pending, again)
		}
	}
	if !lost && !cut {
		d.e.sum.Records += n
		d.e.sum.Again += repeats
	}
	if s.chain == nil {
		return d.hand(job{path: path, calls: calls, cut: cut})
	}
	return d.vouch(s, path, calls, lost)
}

// mishap decides which file of a story is never delivered, and which is cut off.
func (d *delivery) mishap(s *stream, path string, at time.Time, records int) (lost, cut bool) {
	sum := &d.e.sum
	switch {
	case !d.e.c.Story:
	case sum.MissingFile == "" && s.chain != nil && s.account.Index == min(1, len(d.e.accounts)-1) && !at.Before(d.e.middle().Add(4*time.Hour)):
		sum.MissingFile, sum.Withheld = path, records
		return true, false
	case sum.DamagedFile == "" && s.chain == nil && s.region == s.account.Home && records > 3 && !at.Before(d.e.middle().Add(6*time.Hour)):
		sum.DamagedFile, sum.Damaged = path, records
		return false, true
	}
	return false, false
}

// vouch renders a file at once, so that a digest can hold its sum.
func (d *delivery) vouch(s *stream, path string, calls []call, lost bool) error {
	renderFile(d.render, d.content, calls)
	f := vouched{key: path, sum: sha256.Sum256(d.content.Bytes())}
	for i := range calls {
		f.newest = max(f.newest, calls[i].at)
		if i == 0 || calls[i].at < f.oldest {
			f.oldest = calls[i].at
		}
	}
	s.chain.files = append(s.chain.files, f)
	if lost {
		return nil
	}
	return d.write(path, false)
}

func renderFile(r *renderer, to *bytes.Buffer, calls []call) {
	to.Reset()
	to.Grow(1600 * len(calls))
	b := append(to.AvailableBuffer(), `{"Records":[`...)
	for i := range calls {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.append(b, &calls[i])
	}
	to.Write(append(b, `]}`...))
}

// write hands the content over to be packed and stored, and takes a fresh
// buffer for the next. An error shows at the next call or in close.
func (d *delivery) write(path string, cut bool) error {
	err := d.hand(job{path: path, content: d.content, cut: cut})
	select {
	case d.content = <-d.spare:
	default:
		d.content = new(bytes.Buffer)
	}
	return err
}

func (d *delivery) hand(j job) error {
	select {
	case <-d.failed:
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.err
	case d.jobs <- j:
	}
	return nil
}

// close waits until everything is stored and adds up what was.
func (d *delivery) close() error {
	close(d.jobs)
	d.packers.Wait()
	sum := &d.e.sum
	sum.Files, sum.Bytes, sum.Content = d.files, d.bytes, d.size
	return d.err
}

// packer renders, packs and stores files beside the making of the next ones.
type packer struct {
	d       *delivery
	root    string
	folders *sync.Map
	render  *renderer
	plain   bytes.Buffer
	packed  bytes.Buffer
	gz      *gzip.Writer
}

func (p *packer) run() {
	defer p.d.packers.Done()
	for j := range p.d.jobs {
		select {
		case <-p.d.failed:
			continue // nothing is stored after the first error
		default:
		}
		if err := p.store(j); err != nil {
			p.d.mu.Lock()
			if p.d.err == nil {
				p.d.err = err
				close(p.d.failed)
			}
			p.d.mu.Unlock()
		}
		if j.content != nil {
			select {
			case p.d.spare <- j.content:
			default: // enough in stock
			}
		}
	}
}

func (p *packer) store(j job) error {
	content := j.content
	if content == nil {
		content = &p.plain
		renderFile(p.render, content, j.calls)
	}
	p.packed.Reset()
	p.gz.Reset(&p.packed)
	if _, err := p.gz.Write(content.Bytes()); err != nil {
		return err
	}
	if err := p.gz.Close(); err != nil {
		return err
	}
	packed := p.packed.Bytes()
	if j.cut {
		packed = packed[:len(packed)*2/3]
	}
	full := filepath.Join(p.root, filepath.FromSlash(j.path))
	dir := filepath.Dir(full)
	if _, made := p.folders.Load(dir); !made {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		p.folders.Store(dir, true)
	}
	if err := os.WriteFile(full, packed, 0o644); err != nil {
		return err
	}
	p.d.mu.Lock()
	defer p.d.mu.Unlock()
	p.d.files++
	p.d.bytes += int64(len(packed))
	p.d.size += int64(content.Len())
	return nil
}

// key is an object's name below the bucket.
func (d *delivery) key(a *account, kind, region string, at time.Time, rest string) string {
	return fmt.Sprintf("AWSLogs/%s/%s/%s/%s/%s/%s_%s_%s%s", d.e.w.Org, a.ID, kind, region, at.Format("2006/01/02"), a.ID, kind, region, rest)
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
		c.account.ID, c.hour.Format(time.RFC3339), end.Format(time.RFC3339), bucketName, key)
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
			bucketName, c.prevKey, c.prevSum, hexes(d.e.late, 512))
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
	d.e.sum.Digests++
	return d.write(key, false)
}

func timeOrNull(second int64) string {
	if second == 0 {
		return "null"
	}
	return string(append(stamp([]byte{'"'}, second), '"'))
}
