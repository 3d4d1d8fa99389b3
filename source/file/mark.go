package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/yagura-sec/yagura/source"
)

// A mark says how far a plain file with one record after another was read, and
// how to know the file again. Compressed files and containers have none: they
// do not grow, they are replaced.
type mark struct {
	Dev    uint64 `json:"dev"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	Head   string `json:"head"`  // SHA-256 of the first bytes before Offset, at most headBytes
	Stamp  string `json:"stamp"` // of the file when it was read
}

const headBytes = 4 << 10

func (m mark) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // two numbers and two strings
	}
	return string(b)
}

func parseMark(s string) (mark, bool) {
	var m mark
	if s == "" || json.Unmarshal([]byte(s), &m) != nil || m.Offset < 0 {
		return mark{}, false
	}
	return m, true
}

func headHash(r io.ReaderAt, offset int64) (string, error) {
	b := make([]byte, min(offset, headBytes))
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// matches tells whether the file at t is the one that m was made of, as it was
// or grown.
func (m mark) matches(t *target) bool {
	if t.id != (inode{m.Dev, m.Inode}) || t.size < m.Offset {
		return false
	}
	if t.stamp() == m.Stamp {
		return true
	}
	f, err := os.Open(t.path)
	if err != nil {
		return false // reading it from the start will tell the reason
	}
	defer f.Close()
	head, err := headHash(f, m.Offset)
	return err == nil && head == m.Head
}

// plan finds out what of t is left to read, under which version.
func (s *Source) plan(ctx context.Context, t *target) error {
	if t.pipe || t.err != nil {
		return nil
	}
	t.version = t.stamp()
	if m := s.memory(t.id); m != nil && m.applies(t) {
		t.name = m.name
		t.use(m.progress)
		t.done = t.done || m.dead
		return nil
	}
	for _, name := range append([]string{t.name}, unrotated(t.path)...) {
		past, err := s.cfg.Settled(ctx, name)
		if err != nil {
			return fmt.Errorf("ask what is settled of %s: %w", name, err)
		}
		for i := len(past) - 1; i >= 0; i-- {
			p := past[i]
			m, marked := parseMark(p.Mark)
			same := name == t.name && (p.Version == t.version || marked && m.Stamp == t.version) // whatever its inode: restored from a backup
			if same || marked && m.matches(t) {
				t.name = name
				if s.cfg.Reread {
					t.version, t.known = p.Version, true
					return nil
				}
				t.use(p)
				return nil
			}
		}
	}
	return nil
}

// use takes over what is known of t.
func (t *target) use(p source.Progress) {
	t.known = true
	t.settled = p.Settled
	t.atEnd = p.AtEnd
	whole := len(p.Settled) == 0 || len(p.Settled) == 1 && p.Settled[0].First == 0
	m, marked := parseMark(p.Mark)
	unchanged := p.Version == t.version || marked && m.Stamp == t.version
	t.version = p.Version
	if !whole {
		return // a batch in the middle was not acknowledged: read again, skip what is settled
	}
	t.done = p.Final && unchanged
	if marked {
		t.offset = m.Offset
		if len(p.Settled) == 1 {
			t.first = p.Settled[0].Records
		}
	}
}

// rotatedName is what log rotation appends: .1, .2026-11-21, -20261121.
var rotatedName = regexp.MustCompile(`[.-][0-9][0-9-]*$`)

// unrotated is what a file may have been called before it was rotated.
func unrotated(path string) []string {
	dir, base := filepath.Split(path)
	if at := rotatedName.FindStringIndex(base); at != nil && at[0] > 0 {
		return []string{filepath.Join(dir, base[:at[0]])}
	}
	return nil
}

// memory is how far a file was read in this run.
type memory struct {
	name     string
	progress source.Progress
	dead     bool // it is not JSON, and was said to be so: what is appended to it is not read
}

func (s *Source) memory(id inode) *memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[id]
}

// remember keeps m while following. Of what has no mark the ledger knows
// enough: it is read whole, or again.
func (s *Source) remember(r *reading, m *memory) {
	if !s.cfg.Follow || r.t.id == (inode{}) || m.progress.Mark == "" && !m.dead {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[r.t.id] = m
}

// forget drops what is remembered of files that are gone.
func (s *Source) forget(here map[inode]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.known {
		if !here[id] {
			delete(s.known, id)
		}
	}
}

// applies tells whether m is of the file at t, not of one that had its inode before.
func (m *memory) applies(t *target) bool {
	if m.dead {
		return m.name == t.name
	}
	if k, ok := parseMark(m.progress.Mark); ok {
		return k.matches(t)
	}
	return m.name == t.name && m.progress.Version == t.version
}
