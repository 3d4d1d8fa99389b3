package sqlite

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/bill"
	"github.com/yagura-sec/yagura/cost/costtest"
)

// segment is how much of a report is written at once; it is packed to a file, and a
// report larger than segments of them has the same rows again.
const (
	segment  = 64 << 20
	segments = 16
)

// BenchmarkImport takes a packed Cost and Usage Report whole, from the file to the
// sums that are kept. YAGURA_BENCH_CUR is how large it is unpacked: 256MB unless it
// says otherwise, such as 10GB. On a busy machine the rows of a CPU second say more
// than those of a second.
func BenchmarkImport(b *testing.B) {
	size := int64(256 << 20)
	if text := os.Getenv("YAGURA_BENCH_CUR"); text != "" {
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSuffix(text, "MB"), "GB"), 10, 64)
		if err != nil {
			b.Fatalf("YAGURA_BENCH_CUR is %q, not such as 10GB", text)
		}
		if size = n << 20; strings.HasSuffix(text, "GB") {
			size = n << 30
		}
	}
	report := makeReport(b, size)
	var rows, most int64
	var used time.Duration
	for b.Loop() {
		before := cpu()
		n := importReport(b, report)
		used += cpu() - before
		rows += n
		most = max(most, peak())
	}
	b.SetBytes(size)
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(rows)/used.Seconds(), "rows/CPU-s")
	b.ReportMetric(float64(rows)/float64(b.N), "rows")
	b.ReportMetric(float64(most)/1e6, "peak-MB")
}

// report is a report in parts, each packed, that are read one after the other.
type report struct {
	paths []string
	parts int // of which the first are read again where there are more
}

// makeReport writes what a report of so many bytes is read from.
func makeReport(b *testing.B, size int64) report {
	b.Helper()
	dir := b.TempDir()
	r := report{parts: int(max(1, size/segment))}
	for i := range min(segments, r.parts) {
		path := filepath.Join(dir, fmt.Sprint(i))
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		z, err := gzip.NewWriterLevel(f, 6) // as AWS packs
		if err != nil {
			b.Fatal(err)
		}
		if _, err := costtest.WriteCUR(z, min(size, segment), uint64(i)); err != nil {
			b.Fatal(err)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		r.paths = append(r.paths, path)
	}
	return r
}

// open gives the report as one stream: packed texts one behind the other are one.
func (r report) open(b *testing.B) io.Reader {
	b.Helper()
	pipe, out := io.Pipe()
	go func() {
		for i := range r.parts {
			f, err := os.Open(r.paths[i%len(r.paths)])
			if err == nil {
				_, err = io.Copy(out, f)
				f.Close()
			}
			if err != nil {
				out.CloseWithError(err)
				return
			}
		}
		out.Close()
	}()
	return pipe
}

// importReport takes it into a new store.
func importReport(b *testing.B, r report) (rows int64) {
	b.Helper()
	s, db := open(b, filepath.Join(b.TempDir(), "state.db"))
	defer db.Close()
	d, err := s.Begin(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	f, err := bill.Read(b.Context(), r.open(b), func(ctx context.Context, lines []cost.Line) error { return d.Add(ctx, lines) })
	if err != nil || f.Refused > 0 {
		b.Fatalf("%d rows refused, %v: %v", f.Refused, err, f.Refusals)
	}
	if _, err := d.Commit(b.Context(), f); err != nil {
		b.Fatal(err)
	}
	sums, err := s.Sums(b.Context(), cost.Query{})
	if err != nil || len(sums) != 1 || sums[0].Rows != f.Rows {
		b.Fatalf("%d rows were read, sums are %+v, %v", f.Rows, sums, err)
	}
	return f.Rows
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that this process had, in bytes.
func peak() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss * 1024
}
