package main

import (
	"os"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/query"
)

// BenchmarkDashboards answers every panel of every dashboard over the last week of
// the data directory that YAGURA_BENCH_DATA names, which is only read.
//
//	YAGURA_BENCH_DATA=/tmp/lake5m go test ./cmd/yagura -run '^$' -bench Dashboards -benchtime 3x
func BenchmarkDashboards(b *testing.B) {
	dir := os.Getenv("YAGURA_BENCH_DATA")
	if dir == "" {
		b.Skip("YAGURA_BENCH_DATA names no data directory")
	}
	l, err := local.Open(dir, local.Options{ReadOnly: true, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	book, refused := catalogue.Dashboards(nil, nil)
	if len(refused) > 0 {
		b.Fatal(refused)
	}
	all, err := l.Sum(b.Context(), query.Sum{})
	if err != nil || len(all) == 0 {
		b.Fatal(all, err)
	}
	until := all[0].Last
	b.Logf("%d events to %s", all[0].Count, until)
	e := engine(l, config.Default().SQL)
	for _, d := range book.Dashboards() {
		for i := range d.Panels {
			p := &d.Panels[i]
			b.Run(d.ID+"/"+p.ID, func(b *testing.B) {
				for b.Loop() {
					if _, err := e.Ask(b.Context(), book, d, p, d.Settle(dashboard.Ask{Until: until, Now: until})); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
