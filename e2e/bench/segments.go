package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"
)

// manySegments is how many live segments there are when starting is measured:
// one a day, eight years of them.
const manySegments = 3_000

// measureSegments measures how long commands take before they have something to
// say, where there are many live segments.
func (b *bench) measureSegments(ctx context.Context) error {
	b.say("making %s live segments", grouped(manySegments))
	const perDay, perFile = 5, 250
	logs, data := b.path("years", "logs"), b.path("years", "data")
	first := b.began.UTC().Truncate(24*time.Hour).AddDate(0, 0, -manySegments)
	var last needle
	var file []string
	for d := range manySegments {
		for i := range perDay {
			n := d*perDay + i
			last = needle{
				at: first.AddDate(0, 0, d).Add(time.Duration(1+4*i) * time.Hour), uid: fmt.Sprintf("5eed0001-0000-4000-8000-%012d", n),
				address: fmt.Sprintf("198.18.%d.%d", 20+n%100, n%250), key: fmt.Sprintf("AKIABENCHYEARS%06d", n%50),
				secret: fmt.Sprintf("arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:bench/%02d-Qx7Zp1", n%40), token: fmt.Sprint("zqy", n),
			}
			file = append(file, last.record("111122223333"))
		}
		if len(file) >= perDay*perFile || d == manySegments-1 {
			if _, err := writeGzip(filepath.Join(logs, fmt.Sprintf("%04d.json.gz", d)), file...); err != nil {
				return err
			}
			file = nil
		}
	}
	made, err := b.ingest(ctx, data, logs, manySegments*perDay, 0)
	if err != nil {
		return err
	}
	size, err := sizeOf(ctx, data)
	if err != nil {
		return err
	}
	syscall.Sync()
	b.say("starting on %d segments", size.segments)
	t := &b.table
	t.title(fmt.Sprintf("starting, %s live segments (%s events)", grouped(float64(size.segments)), grouped(manySegments*perDay)))
	t.plain("making them", "%.1f s", made.wall.Seconds())
	f := func(what string, args ...string) {
		if err == nil {
			var all times
			if all, _, err = b.repeat(ctx, 6, data, args...); err == nil {
				t.plain(what, "%s", all[1:])
			}
		}
	}
	f("version (the floor)", "version")
	f("search --limit 1", "search", "--limit", "1")
	f("search for an id", "search", "uid:"+last.uid)
	f("sql: count of all", "sql", "select count(*) from events")
	f("ledger", "ledger", "--format", "json")
	if err != nil {
		return err
	}
	var ready times
	for range 3 {
		s, err := b.serve(ctx, data, b.path("nothing"), poll, "")
		if err != nil {
			return err
		}
		ready = append(ready, s.ready)
		if _, _, err := s.search(ctx, "uid:"+last.uid, 1); err != nil {
			return errors.Join(err, s.stop())
		}
		if err := s.stop(); err != nil {
			return err
		}
	}
	t.plain("serve, to its first answer", "%s", ready)
	return nil
}
