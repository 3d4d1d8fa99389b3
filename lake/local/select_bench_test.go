package local

import (
	"context"
	"testing"

	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

// BenchmarkSelect is the queries of a working day on 500,000 events at rest.
func BenchmarkSelect(b *testing.B) {
	n := 500_000
	if testing.Short() {
		n = 50_000
	}
	evs := genEvents(1, n, 3)
	s := openTest(b, b.TempDir(), Options{})
	fillAtRest(b, s, evs, 400_000)
	some := evs[n/2]
	evs = nil
	run := func(name string, q query.Query) {
		b.Run(name, func(b *testing.B) {
			found := 0
			for b.Loop() {
				found = len(collect(b, s, q))
			}
			b.ReportMetric(float64(found), "events")
		})
	}
	run("first page", query.Query{Limit: 100})
	run("first page of a filter", query.Query{Where: parse(b, `outcome:denied -caller:lambda`), Limit: 100})
	run("first page of a word", query.Query{Where: parse(b, `stoplogging`), Limit: 100})
	run("absent word", query.Query{Where: parse(b, `zebrafish`), Limit: 100})
	run("uid", query.Query{Where: parse(b, `uid:`+some.UID.String())})
	run("absent uid", query.Query{Where: parse(b, `uid:00000000-0000-4000-8000-000000000000`)})
	run("access key", query.Query{Where: parse(b, `key:`+some.ActorCredentialUID)})
	run("address", query.Query{Where: parse(b, `ip:`+some.SrcIP)})
	run("rare resource", query.Query{Where: parse(b, `resource:arn:aws:s3:::bucket-170`)})
	run("resource", query.Query{Where: parse(b, `resource:arn:aws:s3:::bucket-3`), Limit: 100})
	run("path", query.Query{Where: parse(b, `raw.requestParameters.bucketName:bucket-70`), Limit: 100})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Count(context.Background(), query.Query{Where: parse(b, `outcome:denied -caller:lambda`)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("aggregate", func(b *testing.B) {
		db, err := s.duckdb()
		if err != nil {
			b.Fatal(err)
		}
		segs, err := s.live(genDay, genDay.AddDate(0, 0, 9))
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			var n int
			if err := db.QueryRow("SELECT count(*) FROM (SELECT resource_uid, actor_uid, hour(time), count(*) FROM " + eventsFrom(segs) + " GROUP BY ALL)").Scan(&n); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("whole day in order", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range s.Select(context.Background(), query.Query{Since: genDay, Until: genDay.AddDate(0, 0, 1)}) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(n), "events")
		}
	})
	b.Run("usage", func(b *testing.B) {
		for b.Loop() {
			for _, err := range s.Usage(context.Background(), usage.Query{}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkSQLChild is what a statement costs before it does anything.
func BenchmarkSQLChild(b *testing.B) {
	s, _ := sqlStore(b, 20_000, Options{})
	for b.Loop() {
		if _, err := ask(s, `select 1`, lake.SQLOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSegments is the price of many files: 3,000 segments of a few rows.
func BenchmarkSegments(b *testing.B) {
	n := 3_000
	if testing.Short() {
		n = 100
	}
	s := openTest(b, b.TempDir(), Options{noSync: true})
	evs := genEvents(9, n*4, 30)
	fillAtRest(b, s, evs, 4)
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Count(context.Background(), query.Query{Where: parse(b, `outcome:denied`)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one day", func(b *testing.B) {
		for b.Loop() {
			collect(b, s, query.Query{Since: genDay, Until: genDay.AddDate(0, 0, 1), Where: parse(b, `outcome:denied`), Limit: 100})
		}
	})
	b.Run("uid", func(b *testing.B) {
		for b.Loop() {
			collect(b, s, query.Query{Where: query.Eq{Field: "uid", Value: evs[5].UID}})
		}
	})
	b.Run("sql", func(b *testing.B) {
		for b.Loop() {
			if _, err := ask(s, `select count(*) from events where outcome = 'denied'`, lake.SQLOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
