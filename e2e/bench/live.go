package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/simulate"
)

const (
	// poll is how often servers look at the folder they follow.
	poll = 50 * time.Millisecond
	// quickPoll is for measuring what a batch takes, not how long it waits.
	quickPoll = 5 * time.Millisecond
	// linesPerSecond is the steady rate of a growing file.
	linesPerSecond = 100
)

// measureLive measures records that come one by one, as of now, into a server
// that follows a folder. Each part has a server and a folder of its own, since
// a server looks again and again at files that came lately.
func (b *bench) measureLive(ctx context.Context) error {
	backlog, closed, single, steady := 5_000, 60, 300, 20
	if b.records < 1_000_000 {
		backlog, closed, single, steady = 1_000, 20, 60, 5
	}
	all, err := b.liveRecords(ctx, backlog+closed+single+steady*linesPerSecond)
	if err != nil {
		return err
	}
	b.table.title(fmt.Sprintf("live: records one by one, a folder looked at every %s", poll))
	part := func(name string, records int, poll time.Duration, config string, measure func(*live, context.Context, []record) error) {
		if err != nil {
			return
		}
		b.say("live: %s, %d records", name, records)
		l := &live{bench: b, follow: b.path("live", name), staged: b.path("live", name+"-staged")}
		err = l.with(ctx, poll, config, func() error { return measure(l, ctx, all[:records]) })
		all = all[records:]
	}
	part("backlog", backlog, poll, "", (*live).backlog)
	part("growing", steady*linesPerSecond, poll, "", (*live).growing)
	part("found", closed, poll, "", (*live).found)
	part("single", single, quickPoll, "server: {wait: 0s}\n", (*live).single) // no waiting for others
	return err
}

// liveRecords are records of the last day.
func (b *bench) liveRecords(ctx context.Context, n int) ([]record, error) {
	dir := b.path("live", "made")
	_, err := simulate.Organisation{
		Seed: 3, Accounts: 3, Days: 1, Records: n + n/10 + 1000, Plain: true, Start: b.began.UTC().Add(-25 * time.Hour),
	}.Write(ctx, dir)
	if err != nil {
		return nil, err
	}
	all, err := sample(dir, n)
	if err == nil && len(all) < n {
		err = fmt.Errorf("%d different records were made, want %d", len(all), n)
	}
	return all, err
}

// live is a server and the folder it follows.
type live struct {
	*bench
	follow, staged string
	server         *server
	files          int
}

func (l *live) with(ctx context.Context, poll time.Duration, config string, measure func() error) (err error) {
	if err := os.MkdirAll(l.staged, 0o755); err != nil {
		return err
	}
	if l.server, err = l.serve(ctx, l.path("live", "data"), l.follow, poll, config); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.server.stop()) }()
	return measure()
}

// stage writes a record as a file of its own, to be put into the folder by put.
func (l *live) stage(r record) (name string, err error) {
	l.files++
	name = fmt.Sprintf("%08d.json", l.files)
	return name, os.WriteFile(filepath.Join(l.staged, name), append(slices.Clip(r.body), '\n'), 0o644)
}

func (l *live) put(name string) error {
	return os.Rename(filepath.Join(l.staged, name), filepath.Join(l.follow, name))
}

// idle is the share of a core that the server takes when nothing comes, asked
// for its counts at an interval.
func (l *live) idle(ctx context.Context, every time.Duration) (float64, error) {
	before, err := l.server.counts(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	after := before
	for time.Since(start) < 2*time.Second {
		time.Sleep(every)
		if after, err = l.server.counts(ctx); err != nil {
			return 0, err
		}
	}
	return (after.cpu - before.cpu) / time.Since(start).Seconds(), nil
}

// backlog puts many files of one record at once.
func (l *live) backlog(ctx context.Context, records []record) error {
	var names []string
	for _, r := range records {
		name, err := l.stage(r)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	before, err := l.server.counts(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	for _, name := range names {
		if err := l.put(name); err != nil {
			return err
		}
	}
	after, err := l.server.reach(ctx, before.read()+len(records), 20*time.Millisecond, 3*time.Minute)
	if err != nil {
		return err
	}
	n := float64(len(records))
	l.table.plain(grouped(n)+" files of one record at once, until acknowledged", "%s", perSecond(n/time.Since(start).Seconds()))
	l.table.plain("  CPU a record", "%.0f µs", (after.cpu-before.cpu)*1e6/n)
	l.table.plain("  records a batch", "%.1f", n/(after.batches-before.batches))
	return nil
}

// growing appends lines to a file at a steady rate. Lines of one file are read
// in order, so the k-th acknowledged is the k-th written.
func (l *live) growing(ctx context.Context, records []record) error {
	const every = 20 * time.Millisecond
	idle, err := l.idle(ctx, every)
	if err != nil {
		return err
	}
	before, err := l.server.counts(ctx)
	if err != nil {
		return err
	}
	written, failed := make(chan time.Time, len(records)), make(chan error, 1)
	go func() {
		defer close(written)
		failed <- l.grow(records, written)
	}()
	var took times
	after := before
	start := time.Now()
	for ; len(took) < len(records); time.Sleep(every) {
		if after, err = l.server.counts(ctx); err != nil {
			return err
		}
		for len(took) < after.read()-before.read() {
			at, ok := <-written
			if !ok {
				return errors.Join(<-failed, errors.New("more is acknowledged than was written"))
			}
			took = append(took, time.Since(at))
		}
		if time.Since(start) > 3*time.Minute {
			return fmt.Errorf("%d of %d lines are acknowledged after 3 minutes", len(took), len(records))
		}
	}
	busy := (after.cpu - before.cpu) / time.Since(start).Seconds()
	if err := <-failed; err != nil {
		return err
	}
	l.table.plain(fmt.Sprintf("a file growing by %d lines a second, written to acknowledged, median", linesPerSecond), "%s", millis(took.median()))
	l.table.plain("  95 of 100", "%s", millis(took.at(0.95)))
	l.table.plain("  records a batch", "%.1f", float64(len(records))/(after.batches-before.batches))
	l.table.plain("  share of a core, and idle", "%.0f %%, %.0f %%", 100*busy, 100*idle)
	return nil
}

func (l *live) grow(records []record, written chan<- time.Time) error {
	f, err := os.Create(filepath.Join(l.follow, "growing.jsonl"))
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second / linesPerSecond)
	defer tick.Stop()
	for _, r := range records {
		<-tick.C
		at := time.Now()
		if _, err := f.Write(append(slices.Clip(r.body), '\n')); err != nil {
			return errors.Join(err, f.Close())
		}
		written <- at
	}
	return f.Close()
}

// found puts a file and asks for its event until it is found, then the next.
func (l *live) found(ctx context.Context, records []record) error {
	var took times
	for i, r := range records {
		name, err := l.stage(r)
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(i*37%100) * time.Millisecond) // at no fixed time in the server's round
		start := time.Now()
		if err := l.put(name); err != nil {
			return err
		}
		for found := false; !found; {
			uids, _, err := l.server.search(ctx, "uid:"+r.id, 1)
			if err != nil {
				return err
			}
			found = len(uids) == 1
			if time.Since(start) > time.Minute {
				return fmt.Errorf("event %s is not found a minute after its file was there", r.id)
			}
			if !found {
				time.Sleep(5 * time.Millisecond)
			}
		}
		took = append(took, time.Since(start))
	}
	l.table.plain("one record in a file, written to found by search, median", "%s", millis(took.median()))
	l.table.plain("  95 of 100", "%s", millis(took.at(0.95)))
	return nil
}

// single puts one record after the other, each as soon as the one before is
// acknowledged: what a batch of one costs.
func (l *live) single(ctx context.Context, records []record) error {
	const every = quickPoll
	idle, err := l.idle(ctx, every)
	if err != nil {
		return err
	}
	before, err := l.server.counts(ctx)
	if err != nil {
		return err
	}
	after := before
	var took times
	began := time.Now()
	for i, r := range records {
		name, err := l.stage(r)
		if err != nil {
			return err
		}
		start := time.Now()
		if err := l.put(name); err != nil {
			return err
		}
		if after, err = l.server.reach(ctx, before.read()+i+1, every, time.Minute); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	cpu := after.cpu - before.cpu - idle*time.Since(began).Seconds()
	batches := after.batches - before.batches
	l.table.plain(fmt.Sprintf("batches of one record (wait: 0s, poll: %s), written to acknowledged, median", quickPoll), "%s", millis(took.median()))
	l.table.plain("  95 of 100", "%s", millis(took.at(0.95)))
	l.table.plain("  CPU a batch beyond idling", "%.1f ms", cpu*1e3/batches)
	l.table.plain("  records a batch", "%.1f", float64(len(records))/batches)
	return nil
}
