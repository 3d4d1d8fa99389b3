package file

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Decompression ratios are not looked at before this much came out: short runs
// of equal records compress far better than a whole hour of logs does.
const ratioFrom = 256 << 20

// maxWindow is the largest zstd window that is read: what a frame asks for is
// memory, whatever its size.
const maxWindow = 64 << 20

// A contentError is a failure with a sentence for a person.
type contentError struct {
	text  string
	limit bool // of ours or of the disk: another try may get further
}

func (e *contentError) Error() string { return e.text }

// describe puts what ended a reading into words, and tells whether another try
// may get further with the same content.
func describe(err error) (text string, limit bool) {
	var c *contentError
	if errors.As(err, &c) {
		return c.text, c.limit
	}
	return err.Error(), true
}

// opener turns stored bytes into content. It is used for one object at a time,
// and again and again, because decompressors are costly to make.
type opener struct {
	maxBytes  int64
	maxRatio  int64
	ratioFrom int64

	stored  counter
	br      *bufio.Reader
	gz      *gzip.Reader
	zs      *zstd.Decoder
	content content
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// content is what an object holds, decompressed, counted, limited and hashed.
type content struct {
	o      *opener
	r      io.Reader
	kind   string // "gzip", "zstd" or empty
	n      int64
	hash   hash.Hash // nil: not wanted
	sum    hash.Hash // kept for the next object
	looked bool
}

// open recognises the compression by its first bytes. The content is valid
// until the next call.
func (o *opener) open(r io.Reader, name string) (*content, error) {
	o.stored = counter{r: r}
	if o.br == nil {
		o.br = bufio.NewReaderSize(nil, 64<<10)
	}
	o.br.Reset(&o.stored)
	c := &o.content
	*c = content{o: o, r: o.br, sum: c.sum}
	magic, _ := o.br.Peek(4) // a short or broken file shows when it is read
	var err error
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		c.kind = "gzip"
		err = o.gunzip()
		c.r = o.gz
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) || len(magic) == 4 && magic[0]&0xf0 == 0x50 && bytes.HasPrefix(magic[1:], []byte{0x2a, 0x4d, 0x18}):
		c.kind = "zstd"
		err = o.unzstd()
		c.r = o.zs
	}
	if err != nil {
		return nil, c.explain(err)
	}
	// Log files of CloudTrail are what digest files vouch for; other names can
	// never be checked, and hashing costs a third of what splitting does.
	if strings.Contains(name, "_CloudTrail") {
		c.wantHash()
	}
	return c, nil
}

// empty tells whether the object that was just opened holds no byte at all.
func (o *opener) empty() bool {
	_, err := o.br.Peek(1)
	return err == io.EOF && o.stored.n == 0
}

func (o *opener) gunzip() error {
	if o.gz == nil {
		o.gz = new(gzip.Reader)
	}
	return o.gz.Reset(o.br)
}

func (o *opener) unzstd() error {
	if o.zs == nil {
		zs, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		o.zs = zs
	}
	return o.zs.Reset(o.br)
}

// close lets go of what the decompressors hold.
func (o *opener) close() {
	if o.zs != nil {
		o.zs.Close()
		o.zs = nil
	}
}

func (c *content) wantHash() {
	if c.sum == nil {
		c.sum = sha256.New()
	}
	c.sum.Reset()
	c.hash = c.sum
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if !c.looked && n > 0 {
		c.looked = true
		if c.hash == nil && looksLikeDigest(p[:min(n, 1024)]) {
			c.wantHash()
		}
	}
	c.n += int64(n)
	if c.hash != nil {
		c.hash.Write(p[:n])
	}
	if err == nil || err == io.EOF {
		if c.kind != "" && c.n > c.o.maxBytes {
			return n, &contentError{fmt.Sprintf("more than %d bytes come out of it, which is the limit (max_decompressed)", c.o.maxBytes), true}
		}
		if c.kind != "" && c.n > c.o.ratioFrom && c.n/c.o.maxRatio > c.o.stored.n {
			return n, &contentError{fmt.Sprintf("a decompression bomb: %d bytes came out of %d, more than %d times as many (max_ratio)", c.n, c.o.stored.n, c.o.maxRatio), true}
		}
	}
	if err != nil && err != io.EOF {
		err = c.explain(err)
	}
	return n, err
}

// looksLikeDigest tells whether content begins like a CloudTrail digest file.
func looksLikeDigest(b []byte) bool {
	return bytes.Contains(b, []byte(`"digestStartTime"`)) && bytes.Contains(b, []byte(`"digestEndTime"`))
}

// sha256 is the hash of what was read, in hex; empty where it was not wanted.
func (c *content) sha256() string {
	if c.hash == nil {
		return ""
	}
	return hex.EncodeToString(c.hash.Sum(nil))
}

func (c *content) explain(err error) error {
	var path *fs.PathError
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &path):
		return err
	case c.kind == "":
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &contentError{text: fmt.Sprintf("truncated %s: the file ends after %d bytes, in the middle of the compressed data (%d bytes came out)", c.kind, c.o.stored.n, c.n)}
	case (errors.Is(err, gzip.ErrHeader) || errors.Is(err, zstd.ErrMagicMismatch)) && c.n > 0:
		return &contentError{text: fmt.Sprintf("corrupt %s: something else follows the compressed data (%d bytes came out)", c.kind, c.n)}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return &contentError{text: fmt.Sprintf("corrupt %s: the checksum does not match the %d bytes that came out", c.kind, c.n)}
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &contentError{text: fmt.Sprintf("this zstd needs a window of more than %d MiB; compress it without --long", maxWindow>>20), limit: true}
	case errors.As(err, &corrupt):
		return &contentError{text: fmt.Sprintf("corrupt gzip near byte %d of the file (%d bytes came out)", c.o.stored.n, c.n)}
	}
	return &contentError{text: fmt.Sprintf("corrupt %s near byte %d of the file (%d bytes came out): %v", c.kind, c.o.stored.n, c.n, err)}
}
