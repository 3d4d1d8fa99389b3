package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/yagura-sec/yagura/simulate"
)

// question is a filter whose answer is known for every needle.
type question struct {
	what   string
	filter func(needle) string
}

var questions = []question{
	{"an address", func(n needle) string { return "src_ip:" + n.address }},
	{"an access key", func(n needle) string { return "actor_credential_uid:" + n.key }},
	{"an event's id", func(n needle) string { return "uid:" + n.uid }},
	{"a resource", func(n needle) string { return fmt.Sprintf("resource_uid:%q", n.secret) }},
}

// word finds a needle by a word in its record.
var word = question{"a word of the record", func(n needle) string { return n.token }}

// ask asks for one needle and checks that it alone is found.
func (q question) ask(ctx context.Context, s *server, n needle) (time.Duration, error) {
	filter := q.filter(n)
	uids, took, err := s.search(ctx, filter, 10)
	if err == nil && !slices.Equal(uids, []string{n.uid}) {
		err = fmt.Errorf("%s finds %v, want %s", filter, uids, n.uid)
	}
	return took, err
}

// needleBar is for 5 M events.
const needleBar = 0.1

// measureQueries asks a store at rest: needles of the server, aggregates of sql.
func (b *bench) measureQueries(ctx context.Context) (err error) {
	if err := b.filled(ctx); err != nil {
		return err
	}
	b.say("asking at rest")
	s, err := b.serve(ctx, b.store, b.path("nothing"), poll, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	t := &b.table
	t.title(fmt.Sprintf("one event of %s at rest, over HTTP, warm (bar: of 5,000,000)", grouped(float64(b.in.records-b.in.again))))
	for _, q := range append(slices.Clone(questions), word) {
		ask, warm := b.in.needles, b.in.needles[:3]
		if q.what == word.what {
			ask, warm = ask[:5], ask[:1] // it may be a scan of everything
		}
		var all times
		for i, n := range slices.Concat(warm, ask) {
			took, err := q.ask(ctx, s, n)
			if err != nil {
				return err
			}
			if i >= len(warm) {
				all = append(all, took)
			}
		}
		t.atMost(q.what+", median", all.median(), needleBar, millis)
		t.plain(q.what+", worst of "+fmt.Sprint(len(all)), "%s", millis(all.worst()))
	}
	if err := b.frequent(ctx, s); err != nil {
		return err
	}
	return b.aggregates(ctx)
}

// frequent asks for things there are many of.
func (b *bench) frequent(ctx context.Context, s *server) error {
	var none, many times
	for i := range 20 {
		uids, took, err := s.search(ctx, fmt.Sprintf("src_ip:198.18.9.%d", i), 10)
		if err != nil || len(uids) > 0 {
			return errors.Join(err, fmt.Errorf("an address that is nowhere finds %d events", len(uids)))
		}
		none = append(none, took)
		if uids, took, err = s.search(ctx, "api_operation:GetSecretValue", 100); err != nil || len(uids) != 100 {
			return errors.Join(err, fmt.Errorf("GetSecretValue finds %d events, want 100", len(uids)))
		}
		many = append(many, took)
	}
	b.table.plain("an address that is nowhere", "%s", none)
	b.table.plain("the latest 100 of an operation", "%s", many)
	return nil
}

// aggregates are counts as analysts ask for them. Each is a process that starts
// another: that start is shown by itself.
func (b *bench) aggregates(ctx context.Context) error {
	b.table.title("aggregates, `yagura sql` from its start to its end, warm")
	secret, err := b.busiestSecret(ctx)
	if err != nil {
		return err
	}
	day := day0.AddDate(0, 0, days-2).Format(time.DateTime)
	next := day0.AddDate(0, 0, days-1).Format(time.DateTime)
	f := func(what, statement string) {
		if err != nil {
			return
		}
		var all times
		var out []byte
		if all, out, err = b.repeat(ctx, 6, b.store, "--format", "jsonl", "sql", statement); err != nil {
			return
		}
		if len(out) == 0 {
			err = fmt.Errorf("%s: no row", statement)
			return
		}
		b.table.plain(what, "%s", all[1:])
	}
	f("starting: select 1", "select 1")
	f("count by operation, 24 hours", "select api_operation, count(*) from events where time >= '"+day+"' and time < '"+next+"' group by 1 order by 2 desc")
	f("count by operation, all", "select api_operation, count(*) from events group by 1 order by 2 desc")
	f("callers of a secret, from usage", "select actor_uid, caller, sum(count) from usage where resource_uid = '"+secret+"' group by 1, 2 order by 3 desc limit 10")
	f("callers of a secret, from events", "select actor_uid, caller, count(*) from events where resource_uid = '"+secret+"' group by 1, 2 order by 3 desc limit 10")
	return err
}

func (b *bench) busiestSecret(ctx context.Context) (string, error) {
	u, err := b.yagura(ctx, b.store, "--format", "jsonl", "sql",
		"select resource_uid as secret from usage where api_operation = 'GetSecretValue' and resource_uid <> '' group by 1 order by sum(count) desc, 1 limit 1")
	if err != nil {
		return "", err
	}
	var row struct{ Secret string }
	if err := json.Unmarshal(u.out, &row); err != nil {
		return "", fmt.Errorf("the busiest secret: %w: %s", err, u.out)
	}
	return row.Secret, nil
}

// measureBusy asks while more arrives and is merged: half of it for a day that
// was at rest, half for a new one.
func (b *bench) measureBusy(ctx context.Context) (err error) {
	if err := b.filled(ctx); err != nil {
		return err
	}
	more := b.path("more")
	sum, err := simulate.Organisation{
		Seed: 2, Accounts: b.accounts(), Days: 1, Records: max(b.records/5, 5_000), Plain: true, Start: day0.AddDate(0, 0, days-1).Add(12 * time.Hour),
	}.Write(ctx, more)
	if err != nil {
		return err
	}
	syscall.Sync()
	b.say("asking while %s records arrive", grouped(float64(sum.Records)))
	follow := b.path("follow")
	s, err := b.serve(ctx, b.store, follow, poll, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, n := range b.in.needles[:3] { // warm
		if _, err := questions[0].ask(ctx, s, n); err != nil {
			return err
		}
	}
	before, err := s.counts(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := os.Rename(filepath.Join(more, "AWSLogs"), filepath.Join(follow, "AWSLogs")); err != nil {
		return err
	}
	w := watch{b: b, s: s, want: before.read() + sum.Records}
	asked, err := w.askUntilRest(ctx, start)
	if err != nil {
		return err
	}
	t := &b.table
	t.title(fmt.Sprintf("asking while %s records arrive and are merged", grouped(float64(sum.Records))))
	t.atMost("one event, median", asked.needles.median(), needleBar, millis)
	t.atMost("one event, worst of "+fmt.Sprint(len(asked.needles)), asked.needles.worst(), needleBar, millis)
	t.plain("count by operation, all (sql)", "%s", asked.aggregates)
	t.plain("arriving meanwhile, until acknowledged", "%s", perSecond(float64(sum.Records)/w.acked.Seconds()))
	err = s.stop()
	t.atMost("peak memory of the server", s.held, 512<<20, megabytes)
	return err
}

// watch asks questions beside a server's intake.
type watch struct {
	b     *bench
	s     *server
	want  int           // records that will have been acknowledged
	acked time.Duration // when they were
}

// answers are how long questions took.
type answers struct{ needles, aggregates times }

// quietFor is how long the list of files must stay as it is to be at rest: the
// server looks for something to merge twice a second.
const quietFor = 2 * time.Second

// askUntilRest asks in turn until everything is acknowledged and merged.
func (w *watch) askUntilRest(ctx context.Context, start time.Time) (a answers, err error) {
	var last sizes
	changed := start
	for i := 0; ; i++ {
		n := w.b.in.needles[i%len(w.b.in.needles)]
		took, err := questions[i/3%len(questions)].ask(ctx, w.s, n)
		if err != nil {
			return a, err
		}
		a.needles = append(a.needles, took)
		if i%25 == 24 {
			all, _, err := w.b.repeat(ctx, 1, w.b.store, "--format", "jsonl", "sql", "select api_operation, count(*) from events group by 1")
			if err != nil {
				return a, err
			}
			a.aggregates = append(a.aggregates, all...)
		}
		if i%5 != 4 {
			continue
		}
		c, err := w.s.counts(ctx)
		if err != nil {
			return a, err
		}
		if w.acked == 0 && c.read() >= w.want {
			w.acked = time.Since(start)
		}
		size, err := sizeOf(ctx, w.b.store)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // one may go while they are counted
			return a, err
		}
		if size.segments != last.segments || size.usageSegments != last.usageSegments || w.acked == 0 {
			last, changed = size, time.Now()
		}
		switch {
		case time.Since(changed) > quietFor:
			return a, nil
		case time.Since(start) > 5*time.Minute:
			return a, fmt.Errorf("not at rest after 5 minutes: %d of %d records", c.read(), w.want)
		}
	}
}
