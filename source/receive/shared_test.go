package receive

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/source/file"
	"github.com/yagura-sec/yagura/source/sourcetest"
)

// TestShared: what others' files hold is split as the source of files splits it,
// whichever way it comes.
func TestShared(t *testing.T) {
	files := 0
	for _, area := range []string{"findings", "falco", "cloudtrail/delivery-envelopes", "cloudtrail/misc-small", "gcp"} {
		err := filepath.WalkDir(shared.Dir(t, area), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(path, ".json") && !strings.HasSuffix(path, ".log") {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil || len(content) > 1<<20 || strings.HasPrefix(string(content), "\x1f\x8b") {
				return err
			}
			var l sourcetest.Ledger
			s, err := file.New(file.Config{Paths: []string{path}, Settled: l.Settled, Listed: l.List, Now: time.Now})
			if err != nil {
				return err
			}
			if err := s.Run(t.Context(), l.Deliver); err != nil {
				return err
			}
			want, wantRejects := 0, 0
			for _, b := range l.Batches {
				want += len(b.Raws)
				wantRejects += len(b.Rejects)
			}
			got, rejects := 0, 0
			sp := splitter{body: content, maxRecord: 16 << 20, maxDepth: 64}
			for p, ok := sp.next(); ok; p, ok = sp.next() {
				if p.reason == "" {
					got++
				} else {
					rejects++
				}
			}
			// Rejects may be cut apart differently; there are some for both or for none.
			if got != want || (rejects > 0) != (wantRejects > 0) {
				t.Errorf("%s: %d records and %d rejects, as a file %d and %d", path, got, rejects, want, wantRejects)
			}
			files++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files", files)
}
