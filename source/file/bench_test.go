package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// typical is a record of the size and shape that CloudTrail writes, about 1.4 KB.
func typical(n int) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE%04d:i-0a1b2c3d4e5f60718","arn":"arn:aws:sts::111122223333:assumed-role/orders-api/i-0a1b2c3d4e5f60718","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%08d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE","arn":"arn:aws:iam::111122223333:role/orders-api","accountId":"111122223333","userName":"orders-api"},"attributes":{"creationDate":"2026-01-05T09:58:12Z","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0"}},"eventTime":"2026-01-05T10:%02d:%02dZ","eventSource":"secretsmanager.amazonaws.com","eventName":"GetSecretValue","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.%d","userAgent":"aws-sdk-go-v2/1.36.1 os/linux lang/go#1.24 md/GOOS#linux md/GOARCH#arm64 api/secretsmanager#1.34.1","requestParameters":{"secretId":"prod/orders/db-%d","note":"\"quoted\" text"},"responseElements":null,"requestID":"%08x-1111-4222-8333-444455556666","eventID":"%08x-aaaa-4bbb-8ccc-ddddeeeeffff","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"secretsmanager.eu-west-1.amazonaws.com"}}`,
		n%10000, n, n/60%60, n%60, n%250, n%40, n*2654435761, n*40503)
}

func typicalFile(from, n int) []byte {
	all := make([]string, n)
	for i := range all {
		all[i] = typical(from + i)
	}
	return []byte(`{"Records":[` + strings.Join(all, ",") + `]}`)
}

func BenchmarkSplit(b *testing.B) {
	content := typicalFile(0, 20_000)
	s := splitter{window: window{maxRecord: 16 << 20, maxDepth: 64}}
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		s.reset(bytes.NewReader(content), Auto)
		n := 0
		for _, ok := s.next(); ok; _, ok = s.next() {
			n++
		}
		if n != 20_000 || s.failure != "" {
			b.Fatal(n, s.failure)
		}
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// run reads the paths, drops what comes, and reports records per CPU second.
func run(b *testing.B, want int, cfg Config) {
	b.ReportAllocs()
	before, records := cpu(), 0
	for b.Loop() {
		cfg.Now = time.Now
		s, err := New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Run(b.Context(), func(context.Context, event.Batch) error { return nil }); err != nil {
			b.Fatal(err)
		}
		if n := int(s.Stats().Records); n != want {
			b.Fatalf("%d records, want %d", n, want)
		}
		records += want
	}
	b.ReportMetric(float64(records)/(cpu()-before).Seconds(), "records/cpu-s")
}

// BenchmarkSourceSmall reads many small objects, as buckets hold them.
func BenchmarkSourceSmall(b *testing.B) {
	dir := b.TempDir()
	for i := range 3000 {
		write(b, filepath.Join(dir, fmt.Sprint(i%30), fmt.Sprintf("111122223333_CloudTrail_%d.json.gz", i)), gz(b, typicalFile(i*6, 6)))
	}
	run(b, 18_000, Config{Paths: []string{dir}})
}

// BenchmarkSourceLarge reads objects of some megabytes.
func BenchmarkSourceLarge(b *testing.B) {
	dir := b.TempDir()
	for i := range 8 {
		write(b, filepath.Join(dir, fmt.Sprintf("111122223333_CloudTrail_%d.json.gz", i)), gz(b, typicalFile(i*10_000, 10_000)))
	}
	run(b, 80_000, Config{Paths: []string{dir}})
}

// BenchmarkSourceStream reads one array of 2 GB and reports the peak of memory.
func BenchmarkSourceStream(b *testing.B) {
	one := typical(1) + ","
	n := 2 << 30 / len(one)
	peak := uint64(0)
	for b.Loop() {
		in := io.MultiReader(strings.NewReader(`{"Records":[`), io.LimitReader(&endless{text: one}, int64(n*len(one)-1)), strings.NewReader("]}"))
		s, err := New(Config{Paths: []string{"-"}, Stdin: in, Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Run(b.Context(), func(context.Context, event.Batch) error {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		if got := s.Stats().Records; got != int64(n) {
			b.Fatalf("%d records, want %d", got, n)
		}
		b.SetBytes(int64(n * len(one)))
	}
	b.ReportMetric(float64(peak)/1e6, "peak-heap-MB")
}

// BenchmarkLook is one poll over 20,000 files in 400 folders in which nothing
// changed.
func BenchmarkLook(b *testing.B) {
	dir := b.TempDir()
	old := time.Now().Add(-time.Hour)
	for i := range 20_000 {
		path := write(b, filepath.Join(dir, fmt.Sprint(i%400), fmt.Sprintf("%d.json", i)), nil)
		if err := os.Chtimes(path, old, old); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 400 {
		if err := os.Chtimes(filepath.Join(dir, fmt.Sprint(i)), old, old); err != nil {
			b.Fatal(err)
		}
	}
	s, err := New(Config{Paths: []string{dir}, Follow: true, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	w := &watcher{s: s, files: map[string]*watched{}}
	if found, err := w.look(time.Now()); err != nil || len(found) != 20_000 {
		b.Fatal(len(found), err)
	}
	for b.Loop() {
		w.round = 1 // not the round that looks at everything
		if found, err := w.look(time.Now().Add(time.Minute)); err != nil || len(found) != 0 {
			b.Fatal(len(found), err)
		}
	}
}
