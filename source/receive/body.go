package receive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// refusal is why a request is not taken. Its text is for whoever sends.
type refusal struct {
	status int
	code   int // in HEC's numbers
	text   string
	// keep is what is to be quarantined of a request that arrived whole and cannot
	// be read; nil: the sender has it still, and knows.
	keep []byte
}

func (r *refusal) Error() string { return r.text }

func refuse(status, code int, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, text: fmt.Sprintf(format, args...)}
}

// held counts the memory of requests under way.
type held struct {
	mu   sync.Mutex // guards n
	n    int64
	most int64
}

func (h *held) take(n int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.n+n > h.most {
		return false
	}
	h.n += n
	return true
}

func (h *held) give(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.n -= n
}

// share is what one request holds.
type share struct {
	of *held
	n  int64
}

func (s *share) take(n int64) bool {
	if !s.of.take(n) {
		return false
	}
	s.n += n
	return true
}

func (s *share) done() { s.of.give(s.n) }

// errFull: too much is under way.
var errFull = errors.New("too much is under way")

// readStep is how much memory a body takes at a time: what a sender announces is
// not believed.
const readStep = 256 << 10

// readAll reads at most one byte more than most.
func (s *share) readAll(r io.Reader, most int64) ([]byte, error) {
	var out []byte
	for int64(len(out)) <= most {
		if cap(out)-len(out) < readStep/2 {
			grow := max(int64(cap(out)), readStep)
			if !s.take(grow) {
				return out, errFull
			}
			out = append(make([]byte, 0, int64(cap(out))+grow), out...)
		}
		room := min(int64(cap(out)-len(out)), most+1-int64(len(out)))
		n, err := r.Read(out[len(out) : int64(len(out))+room])
		out = out[:len(out)+n]
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// body reads a request's body and takes it out of its gzip. Stored is its size as
// sent.
func (s *Source) body(w http.ResponseWriter, r *http.Request, held *share) (content []byte, stored int64, err *refusal) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if encoding != "" && encoding != "identity" && encoding != "gzip" && encoding != "x-gzip" {
		return nil, 0, refuse(http.StatusUnsupportedMediaType, codeFormat, "Content-Encoding %q: send gzip, or nothing", clip(encoding))
	}
	if t := r.Header.Get("Content-Type"); strings.HasPrefix(strings.ToLower(t), "multipart/") {
		return nil, 0, refuse(http.StatusUnsupportedMediaType, codeFormat, "Content-Type %q: send the records themselves as the body", clip(t))
	}
	if r.ContentLength > s.cfg.MaxBody {
		return nil, 0, s.tooLarge(r.ContentLength)
	}
	// Network time, whatever clock records are stamped by. A recorder of tests has
	// no deadline to set.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.cfg.BodyTimeout))
	raw, failed := held.readAll(r.Body, s.cfg.MaxBody)
	switch {
	case errors.Is(failed, errFull):
		return nil, 0, busy()
	case errors.Is(failed, os.ErrDeadlineExceeded):
		return nil, 0, refuse(http.StatusRequestTimeout, codeFormat, "the body did not arrive within %s; %d bytes did", s.cfg.BodyTimeout, len(raw))
	case failed != nil:
		return nil, 0, refuse(http.StatusBadRequest, codeFormat, "the body broke off after %d bytes", len(raw))
	case int64(len(raw)) > s.cfg.MaxBody:
		return nil, 0, s.tooLarge(-1)
	}
	_ = control.SetReadDeadline(time.Time{})
	if bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) { // what it is counts, not what it says
		content, err = s.unzip(raw, held)
		return content, int64(len(raw)), err
	}
	if strings.HasSuffix(encoding, "gzip") && len(raw) > 0 {
		e := refuse(http.StatusBadRequest, codeFormat, "Content-Encoding is gzip, but the body is none: it starts with the bytes % x", raw[:min(len(raw), 8)])
		e.keep = raw
		return nil, 0, e
	}
	return raw, int64(len(raw)), nil
}

func (s *Source) tooLarge(n int64) *refusal {
	if n < 0 {
		return refuse(http.StatusRequestEntityTooLarge, codeFormat, "the body is larger than %d bytes, which is the limit (max_body)", s.cfg.MaxBody)
	}
	return refuse(http.StatusRequestEntityTooLarge, codeFormat, "the body is %d bytes large; the limit is %d (max_body)", n, s.cfg.MaxBody)
}

var gunzips = sync.Pool{New: func() any { return new(gzip.Reader) }}

// unzip takes a body out of its gzip. One that cannot be read to its end is not
// taken in part: its sender has it whole, and would send the first part again.
func (s *Source) unzip(raw []byte, held *share) ([]byte, *refusal) {
	z := gunzips.Get().(*gzip.Reader)
	defer gunzips.Put(z)
	err := z.Reset(bytes.NewReader(raw))
	var out []byte
	if err == nil {
		out, err = held.readAll(z, s.cfg.MaxDecompressed)
	}
	var e *refusal
	switch {
	case errors.Is(err, errFull):
		return nil, busy()
	case err == nil && int64(len(out)) <= s.cfg.MaxDecompressed:
		return out, nil
	case err == nil:
		e = refuse(http.StatusRequestEntityTooLarge, codeFormat, "more than %d bytes come out of the %d of this gzip, which is the limit (max_decompressed)", s.cfg.MaxDecompressed, len(raw))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e = refuse(http.StatusBadRequest, codeFormat, "truncated gzip: the body ends after %d bytes, in the middle of the compressed data (%d bytes came out)", len(raw), len(out))
	case errors.Is(err, gzip.ErrChecksum):
		e = refuse(http.StatusBadRequest, codeFormat, "corrupt gzip: the checksum does not match the %d bytes that came out", len(out))
	default:
		e = refuse(http.StatusBadRequest, codeFormat, "corrupt gzip of %d bytes (%d bytes came out): %v", len(raw), len(out), err)
	}
	e.keep = raw
	return nil, e
}

// clip makes a text of the sender fit to be said back to it.
func clip(s string) string { return s[:min(len(s), 60)] }
