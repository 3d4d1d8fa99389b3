package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/shared"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/sourcetest"
)

func write(t testing.TB, path string, content []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func gz(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zst(t testing.TB, content []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(content, nil)
}

// record is the nth record of an invented log.
func record(n int) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","eventID":"%08d-0000-4000-8000-000000000000","recipientAccountId":"111122223333","sourceIPAddress":"203.0.113.7"}`, n)
}

func recordsJSON(from, n int) []byte {
	var all []string
	for i := range n {
		all = append(all, record(from+i))
	}
	return []byte(`{"Records":[` + strings.Join(all, ",") + `]}`)
}

func lines(from, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(record(from+i) + "\n")
	}
	return b.Bytes()
}

func config(l *sourcetest.Ledger, paths ...string) Config {
	return Config{Paths: paths, Settled: l.Settled, Listed: l.List, Now: time.Now}
}

// ingest runs a source once and returns what it did.
func ingest(t *testing.T, cfg Config, l *sourcetest.Ledger) Stats {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), l.Deliver); err != nil {
		t.Fatal(err)
	}
	return s.Stats()
}

// last is the last span of the object.
func last(l *sourcetest.Ledger, object string) event.Span {
	var sp event.Span
	for _, b := range l.Batches {
		for _, s := range b.Spans {
			if s.Object == object && s.First+s.Records >= sp.First+sp.Records {
				sp = s
			}
		}
	}
	return sp
}

func rejects(l *sourcetest.Ledger) (out []string) {
	for _, b := range l.Batches {
		for _, r := range b.Rejects {
			out = append(out, fmt.Sprintf("%s %d: %s", filepath.Base(r.Object), r.Position, r.Reason))
		}
	}
	return out
}

func TestContract(t *testing.T) {
	dir := t.TempDir()
	want := map[string]int64{}
	add := func(name string, n int64, content []byte) { want[write(t, filepath.Join(dir, name), content)] = n }
	add("a/large.json.gz", 100, gz(t, recordsJSON(0, 100)))
	add("a/lines.jsonl", 40, lines(100, 40))
	add("a/array.zst", 9, zst(t, []byte("["+record(200)+strings.Repeat(",\n"+record(201), 8)+"]")))
	add("a/b/two.gz", 6, append(gz(t, lines(300, 3)), gz(t, lines(303, 3))...))
	add("empty.json", 0, nil)
	add("empty.gz", 0, gz(t, nil))
	add("none.gz", 0, gz(t, []byte(`{"Records":[]}`)))
	add("notes.log", 1, []byte("what lies beside logs\nin two lines\n"))
	add("bad.jsonl", 3, []byte(record(400)+"\n{\"a\":\n"+record(401)))
	for i := range 20 {
		add(fmt.Sprintf("c/%02d.gz", i), 3, gz(t, recordsJSON(500+3*i, 3)))
	}
	add("digest.json.gz", 0, gz(t, []byte(digest)))
	whole := gz(t, recordsJSON(600, 200))
	cut := write(t, filepath.Join(dir, "cut.json.gz"), whole[:len(whole)/2])
	var l sourcetest.Ledger
	want[cut] = ingest(t, config(&l, cut), &l).Records
	if want[cut] < 20 {
		t.Fatalf("%d records of the truncated file: too few to test with", want[cut])
	}
	sourcetest.Test(t, sourcetest.Case{
		Records: want,
		Open: func(t *testing.T, settled source.Settled, listed source.Listed) source.Source {
			s, err := New(Config{Paths: []string{dir}, BatchRecords: 16, Settled: settled, Listed: listed, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
	})
}

func TestNew(t *testing.T) {
	f := func(cfg Config, want string) {
		t.Helper()
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%+v) returns %v, want %q", cfg, err, want)
		}
	}
	f(Config{Now: time.Now}, "no path")
	f(Config{Now: time.Now, Paths: []string{"a", ""}}, "empty")
	f(Config{Now: time.Now, Paths: []string{"[a"}}, "syntax error")
	f(Config{Now: time.Now, Paths: []string{"-"}}, "standard input")
	f(Config{Now: time.Now, Paths: []string{"a", "-"}, Stdin: strings.NewReader(""), Follow: true}, "cannot be followed")
	f(Config{Now: time.Now, Paths: []string{"a"}, InputFormat: "xml"}, "none of")
	f(Config{Now: time.Now, Paths: []string{"a"}, MaxDepth: -1}, "negative")
	f(Config{Paths: []string{"a"}}, "clock")
}

func TestPaths(t *testing.T) {
	dir := t.TempDir()
	a := write(t, filepath.Join(dir, "x", "a.json"), lines(0, 2))
	b := write(t, filepath.Join(dir, "x", "y", "b.json"), lines(2, 3))
	if err := os.Symlink(dir, filepath.Join(dir, "x", "y", "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "x", "dangling")); err != nil {
		t.Fatal(err)
	}
	f := func(want map[string]int64, paths ...string) {
		t.Helper()
		var l sourcetest.Ledger
		ingest(t, config(&l, paths...), &l)
		if d := cmp.Diff(want, l.Records()); d != "" {
			t.Errorf("%q (-want +got)\n%s", paths, d)
		}
	}
	both := map[string]int64{a: 2, b: 3, filepath.Join(dir, "x", "dangling"): 0}
	f(both, dir)
	f(both, dir, a, filepath.Join(dir, "x")+"/")
	f(map[string]int64{a: 2}, filepath.Join(dir, "*", "*.json"))
	t.Chdir(filepath.Join(dir, "x"))
	f(map[string]int64{a: 2}, "./a.json")

	f(map[string]int64{}, "y/none", t.TempDir()) // an empty folder is something
}

// TestMissing: a path that does not exist is told, and is no object; the others
// are read. Where no path exists nothing was meant to be read.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	a := write(t, filepath.Join(dir, "a.json"), lines(0, 2))
	b := write(t, filepath.Join(dir, "b.json"), lines(2, 3))
	t.Chdir(dir)
	f := func(reason string, missing string) {
		t.Helper()
		var l sourcetest.Ledger
		st := ingest(t, config(&l, a, missing, b), &l)
		if want := []Failure{{missing, reason}}; !slices.Equal(st.Failures, want) || st.Failed != 1 || st.Objects != 2 {
			t.Errorf("%+v, want failures %v", st, want)
		}
		if d := cmp.Diff(map[string]int64{a: 2, b: 3}, l.Records()); d != "" || len(l.Listed) != 2 {
			t.Errorf("the ledger knows %v (-want +got)\n%s", l.Listed, d)
		}
		s, err := New(config(&l, missing, missing))
		if err != nil {
			t.Fatal(err)
		}
		before := len(l.Batches)
		if err := s.Run(t.Context(), l.Deliver); err == nil || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), reason) || len(l.Batches) > before {
			t.Errorf("only paths that do not exist give %v and %d batches", err, len(l.Batches)-before)
		}
	}
	f("there is no such file or folder", "none.json")
	f("there is no such file or folder", filepath.Join(dir, "no", "folder"))
	f("nothing matches", "*.gz")
	f("lstat: not a directory", "a.json/x")
}

func TestStdin(t *testing.T) {
	var l sourcetest.Ledger
	cfg := config(&l, "-")
	cfg.Stdin = bytes.NewReader(gz(t, recordsJSON(0, 5)))
	ingest(t, cfg, &l)
	if got := last(&l, "-"); got.Records != 5 || !got.Final || !strings.HasPrefix(got.Version, "started ") || got.Mark != "" {
		t.Errorf("span %+v", got)
	}
}

func TestSlowStdinIsDeliveredInTime(t *testing.T) {
	var l sourcetest.Ledger
	cfg := config(&l, "-")
	in, out := io.Pipe()
	cfg.Stdin, cfg.BatchWait = in, 10*time.Millisecond
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan int, 100)
	done := make(chan error)
	go func() {
		done <- s.Run(t.Context(), func(ctx context.Context, b event.Batch) error {
			came <- len(b.Raws)
			return l.Deliver(ctx, b)
		})
	}()
	for i := range 3 {
		if _, err := out.Write(lines(i, 1)); err != nil {
			t.Fatal(err)
		}
		if n := <-came; n != 1 {
			t.Fatalf("%d records came", n)
		}
	}
	out.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestBlockedStdinStops(t *testing.T) {
	var l sourcetest.Ledger
	cfg := config(&l, "-")
	in, out := io.Pipe()
	defer out.Close()
	cfg.Stdin, cfg.BatchWait = in, time.Millisecond
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- s.Run(ctx, func(ctx context.Context, b event.Batch) error {
			cancel()
			return l.Deliver(ctx, b)
		})
	}()
	if _, err := out.Write(lines(0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != context.Canceled {
		t.Errorf("Run returns %v", err)
	}
	if sp := last(&l, "-"); sp.Records != 1 || sp.Final || sp.Failure != "" {
		t.Errorf("span %+v", sp)
	}
}

func TestRestored(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 10))
	ingest(t, config(&l, dir), &l)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(t.TempDir(), "old")); err != nil {
		t.Fatal(err)
	}
	write(t, path, lines(0, 10))
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if st := ingest(t, config(&l, dir), &l); st.AlreadySettled != 1 {
		t.Errorf("%+v", st)
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	whole := gz(t, recordsJSON(0, 500))
	cut := write(t, filepath.Join(dir, "cut.gz"), whole[:len(whole)*2/3])
	sum := write(t, filepath.Join(dir, "sum.gz"), append(bytes.Clone(whole[:len(whole)-8]), 0, 0, 0, 0, 0, 0, 0, 0))
	tail := write(t, filepath.Join(dir, "tail.gz"), append(bytes.Clone(whole), "garbage garbage"...))
	header := write(t, filepath.Join(dir, "header.gz"), whole[:5])
	z := zst(t, recordsJSON(0, 500))
	zcut := write(t, filepath.Join(dir, "cut.zst"), z[:len(z)/2])
	ztail := write(t, filepath.Join(dir, "tail.zst"), append(bytes.Clone(z), "garbage garbage"...))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0x55
	bits := write(t, filepath.Join(dir, "bits.gz"), flipped)
	wide := write(t, filepath.Join(dir, "wide.zst"), []byte("\x28\xb5\x2f\xfd\x00\xa0\x00\x00\x00"))
	secret := write(t, filepath.Join(dir, "secret.json"), lines(0, 1))
	good := write(t, filepath.Join(dir, "z.json"), lines(500, 7))
	nothing := write(t, filepath.Join(dir, "nothing.json.gz"), nil)
	znothing := write(t, filepath.Join(dir, "nothing.ZST"), nil)
	plain := write(t, filepath.Join(dir, "nothing.json"), nil)
	zero := write(t, filepath.Join(dir, "zero.gz"), gz(t, nil))
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	st := ingest(t, config(&l, dir), &l)
	f := func(object, failure string, final bool) event.Span {
		t.Helper()
		sp := last(&l, object)
		if !strings.Contains(sp.Failure, failure) || failure == "" && sp.Failure != "" || sp.Final != final {
			t.Errorf("%s: %+v, want failure %q", filepath.Base(object), sp, failure)
		}
		return sp
	}
	if sp := f(cut, "truncated gzip: the file ends after", false); sp.Records < 100 || sp.Records > 499 {
		t.Errorf("%d records of a truncated file", sp.Records)
	}
	if sp := f(sum, "checksum", false); sp.Records != 500 {
		t.Errorf("%d records of a file with a wrong checksum", sp.Records)
	}
	if sp := f(tail, "something else follows", false); sp.Records != 500 {
		t.Errorf("%d records of a file with garbage behind", sp.Records)
	}
	f(header, "truncated gzip", false)
	f(zcut, "truncated zstd", false)
	f(ztail, "corrupt zstd: something else follows", false)
	f(bits, "corrupt gzip", false)
	f(wide, "this zstd needs a window of more than 64 MiB", false)
	f(good, "", true)
	if sp := f(nothing, "empty, where gzip was expected", false); sp.Records != 0 {
		t.Errorf("%+v", sp)
	}
	f(znothing, "empty, where zstd was expected", false)
	f(plain, "", true)
	f(zero, "", true)
	failures := int64(10)
	if os.Getuid() != 0 {
		f(secret, "permission denied", false)
		failures++
	}
	if st.Failed != failures || int64(len(st.Failures)) != failures {
		t.Errorf("%d failures, want %d: %v", st.Failed, failures, st.Failures)
	}
	got := rejects(&l)
	if !slices.ContainsFunc(got, func(r string) bool {
		return strings.HasPrefix(r, "cut.gz") && strings.Contains(r, "the record is cut off: the input ends after")
	}) {
		t.Errorf("rejects %q", got)
	}
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	ingest(t, config(&l, dir), &l)
	f(secret, "", true)
}

func TestBomb(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bomb.gz")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, io.LimitReader(&endless{text: record(1) + "\n"}, 20<<20)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	out.Close()
	f := func(set func(*Config), want string) {
		t.Helper()
		var l sourcetest.Ledger
		cfg := config(&l, dir)
		set(&cfg)
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.ratioFrom = 8 << 20
		n := 0
		var failure string
		err = s.Run(t.Context(), func(_ context.Context, b event.Batch) error {
			n += len(b.Raws)
			failure += b.Spans[len(b.Spans)-1].Failure
			return nil
		})
		if err != nil || !strings.Contains(failure, want) || n == 0 {
			t.Errorf("%d records, failure %q, %v; want %q", n, failure, err, want)
		}
	}
	f(func(c *Config) { c.MaxRatio = 50; c.Parallel = 1 }, "a decompression bomb")
	f(func(c *Config) { c.MaxDecompressed = 1 << 20 }, "the limit (max_decompressed)")
}

// TestGrowing lets a file grow by odd pieces between runs: whatever the cuts,
// every record that is whole in the end is delivered once.
func TestGrowing(t *testing.T) {
	content := bytes.Join([][]byte{lines(0, 5), []byte("{\"a\":tru\ngarbage\n"), lines(5, 5), []byte("{\n \"pretty\": [\n  1\n ]\n}\n"), lines(10, 3)}, nil)
	for seed := range int64(60) {
		rnd := rand.New(rand.NewSource(seed))
		path := filepath.Join(t.TempDir(), "a.log")
		var l sourcetest.Ledger
		for at := 0; at < len(content); {
			n := min(1+rnd.Intn(700), len(content)-at)
			appendTo(t, path, content[at:at+n])
			at += n
			if err := os.Chtimes(path, time.Time{}, time.Unix(1_760_000_000+int64(at), 0)); err != nil {
				t.Fatal(err)
			}
			ingest(t, config(&l, path), &l)
		}
		got := map[string]int{}
		for _, b := range l.Batches {
			for _, r := range b.Raws {
				got[string(r.Body)]++
			}
		}
		for i := range 13 {
			if got[record(i)] != 1 {
				t.Errorf("seed %d: record %d came %d times", seed, i, got[record(i)])
			}
		}
		if past, _ := l.Settled(t.Context(), path); len(past) != 1 || len(past[0].Settled) != 1 {
			t.Errorf("seed %d: settled %+v", seed, past)
		}
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	huge := filepath.Join(dir, "huge.json")
	out, err := os.Create(huge)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{
		strings.NewReader(`{"Records":[` + record(1) + `,{"a":"`), io.LimitReader(&endless{text: "x"}, 100<<20), strings.NewReader(`"},` + record(2) + "]}"),
	} {
		if _, err := io.Copy(out, r); err != nil {
			t.Fatal(err)
		}
	}
	out.Close()
	utf8 := write(t, filepath.Join(dir, "utf8.jsonl"), []byte(record(3)+"\n{\"a\":\"\xff\xfe\"}\n"+record(4)+"\n"))
	utf16 := write(t, filepath.Join(dir, "utf16.json"), []byte("\xff\xfe{\x00\"\x00"))
	image := write(t, filepath.Join(dir, "image.png"), append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0, '\n', 7}, 1<<20)...))
	deep := write(t, filepath.Join(dir, "deep.json"), []byte("["+record(5)+","+strings.Repeat(`{"a":`, 100)+"1"+strings.Repeat("}", 100)+","+record(6)+"]"))
	zip := write(t, filepath.Join(dir, "zip.gz"), gz(t, gz(t, lines(7, 1))))
	if st := ingest(t, config(&l, dir), &l); st.Failed != 0 || st.Skipped != 1 || st.Rejects != 4 {
		t.Errorf("%+v", st)
	}
	if d := cmp.Diff(map[string]int64{huge: 3, utf8: 3, utf16: 1, image: 0, deep: 3, zip: 1}, l.Records()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if sp := last(&l, image); sp.Records != 0 || sp.Failure != "not JSON: it is a PNG image" {
		t.Errorf("image: %+v", sp)
	}
	got := rejects(&l)
	slices.Sort(got)
	if d := cmp.Diff([]string{
		"deep.json 1: the record is nested deeper than 64 levels (max_depth)",
		"huge.json 1: the record is 104857608 bytes long; the limit is 16777216 (max_record)",
		"utf16.json 0: not JSON in UTF-8: the text is UTF-16 or UTF-32; convert it to UTF-8",
		"zip.gz 0: not JSON: it is gzip inside the compression; unpack it once",
	}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, b := range l.Batches {
		for _, r := range b.Rejects {
			if r.Object == huge && (len(r.Body) != event.MaxRejectBody || r.Size != 100<<20+8) {
				t.Errorf("huge: %d bytes of %d", len(r.Body), r.Size)
			}
		}
	}
}

func TestAside(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	notes := write(t, filepath.Join(dir, "notes.txt"), []byte("what lies beside logs\n"))
	write(t, filepath.Join(dir, "z.json"), lines(0, 2))
	cfg := config(&l, dir)
	if st := ingest(t, cfg, &l); st.Records != 2 || st.Skipped != 1 || st.Failed != 0 {
		t.Errorf("%+v", st)
	}
	if sp := last(&l, notes); sp.Records != 0 || sp.Kind != event.KindOther || !sp.Final || sp.Failure != `not JSON: it starts with "what lies beside logs"` {
		t.Errorf("%+v", sp)
	}
	if st := ingest(t, cfg, &l); st.AlreadySettled != 2 {
		t.Errorf("again: %+v", st)
	}
}

func TestGrown(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	path := write(t, filepath.Join(dir, "a.log"), lines(0, 10))
	if st := ingest(t, config(&l, dir), &l); st.Records != 10 {
		t.Fatalf("%+v", st)
	}
	if st := ingest(t, config(&l, dir), &l); st.Read != 0 || st.AlreadySettled != 1 {
		t.Fatalf("unchanged: %+v", st)
	}
	out, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(lines(10, 5)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	version := last(&l, path).Version
	if st := ingest(t, config(&l, dir), &l); st.Records != 5 {
		t.Fatalf("grown: %+v", st)
	}
	if sp := last(&l, path); sp.First != 10 || sp.Records != 5 || sp.Version != version {
		t.Errorf("grown: %+v, before it was %s", sp, version)
	}
	if st := ingest(t, config(&l, dir), &l); st.Read != 0 || st.AlreadySettled != 1 {
		t.Fatalf("unchanged again: %+v", st)
	}
	// Rotated: the old file is known under its new name, the new one is new.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path, lines(15, 4))
	if st := ingest(t, config(&l, dir), &l); st.Records != 4 || st.AlreadySettled != 1 {
		t.Fatalf("rotated: %+v", st)
	}
	// Truncated and written anew, longer than before.
	write(t, path, lines(100, 8))
	if st := ingest(t, config(&l, path), &l); st.Records != 8 {
		t.Fatalf("replaced: %+v", st)
	}
	// A re-read delivers all of it again, as batches of their own.
	cfg := config(&l, path)
	cfg.Reread = true
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := s.Run(t.Context(), func(_ context.Context, b event.Batch) error {
		n += len(b.Raws)
		past, _ := l.Settled(t.Context(), path)
		if b.Attempt == "" || b.Spans[0].Version != past[len(past)-1].Version {
			t.Errorf("attempt %q, version %s", b.Attempt, b.Spans[0].Version)
		}
		return nil
	}); err != nil || n != 8 {
		t.Errorf("a re-read gives %d records, %v", n, err)
	}
}

const digest = `{"awsAccountId":"111122223333","digestStartTime":"2026-01-05T10:00:00Z","digestEndTime":"2026-01-05T11:00:00Z",
"digestS3Bucket":"trail-logs","digestS3Object":"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/01/05/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260105T110000Z.json.gz",
"digestPublicKeyFingerprint":"31e8","previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestSignature":null,
"logFiles":[{"s3Bucket":"trail-logs","s3Object":"AWSLogs/111122223333/CloudTrail/eu-west-1/a.json.gz","hashValue":"AB12","hashAlgorithm":"SHA-256","newestEventTime":"2026-01-05T10:50:00Z","oldestEventTime":"2026-01-05T10:10:00Z"}]}`

func TestDigest(t *testing.T) {
	dir := t.TempDir()
	var l sourcetest.Ledger
	path := write(t, filepath.Join(dir, "renamed.gz"), gz(t, []byte(digest)))
	log := write(t, filepath.Join(dir, "111122223333_CloudTrail_eu-west-1_x.json.gz"), gz(t, recordsJSON(0, 3)))
	ingest(t, config(&l, dir), &l)
	if sp := last(&l, path); sp.Kind != event.KindDigest || sp.Records != 0 || !sp.Final || len(l.Batches[0].Digests)+len(l.Batches[len(l.Batches)-1].Digests) == 0 {
		t.Fatalf("span %+v", sp)
	}
	if sp := last(&l, log); len(sp.SHA256) != 64 || sp.Records != 3 {
		t.Errorf("log file: %+v", sp)
	}
	for _, b := range l.Batches {
		for _, d := range b.Digests {
			if d.Object != path || d.Region != "eu-west-1" || len(d.SHA256) != 64 || d.Files[0].SHA256 != "ab12" {
				t.Errorf("digest %+v", d)
			}
		}
	}
	if st := ingest(t, config(&l, dir), &l); st.AlreadySettled != 2 {
		t.Errorf("again: %+v", st)
	}
	// Beside other records it is a record like them.
	var l2 sourcetest.Ledger
	both := write(t, filepath.Join(dir, "both.jsonl"), []byte(strings.ReplaceAll(digest, "\n", "")+"\n"+record(1)+"\n"))
	if st := ingest(t, config(&l2, both), &l2); st.Records != 2 || st.Digests != 0 {
		t.Errorf("both: %+v", st)
	}
}

func TestRansomwareLab(t *testing.T) {
	dir := shared.Dir(t, "cloudtrail/sans504-s3-ransomware")
	var l sourcetest.Ledger
	st := ingest(t, config(&l, dir), &l)
	if st.Records != 29_462 || st.Rejects != 0 || st.Skipped != 1 {
		t.Errorf("%+v", st)
	}
	if sp := last(&l, filepath.Join(dir, "SOURCE.txt")); sp.Kind != event.KindOther || !strings.HasPrefix(sp.Failure, `not JSON: it starts with "`) {
		t.Errorf("%+v", sp)
	}
	if st := ingest(t, config(&l, dir), &l); st.Read != 0 || st.AlreadySettled != st.Objects {
		t.Errorf("again: %+v", st)
	}
}

func TestAllRealData(t *testing.T) {
	dir := shared.Dir(t, "cloudtrail")
	var l sourcetest.Ledger
	st := ingest(t, config(&l, dir), &l)
	if st.Failed > 0 {
		for _, b := range l.Batches {
			for _, sp := range b.Spans {
				if sp.Failure != "" && sp.Kind != event.KindOther {
					t.Errorf("%s: %s", sp.Object, sp.Failure)
				}
			}
		}
	}
	if st.Digests == 0 || st.Records < 30_000 {
		t.Errorf("%+v", st)
	}
	for _, r := range rejects(&l) {
		t.Error(r)
	}
}
