package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

// boards answers dashboards, and keeps what they answered for a while.
type boards struct {
	book    *dashboard.Book
	lake    lake.Summer
	engine  dashboard.Engine
	changes func() int64

	panels  keptAnswers[dashboard.Answer]
	choices keptAnswers[[]string]
	totals  keptAnswers[[]query.Group]
}

func (s *server) boards() *boards {
	b := &boards{book: s.book, lake: s.rooms.lake, engine: engine(s.rooms.lake, s.cfg.SQL), changes: s.changes}
	b.panels.old, b.choices.old, b.totals.old = littleOld, quiteOld, quiteOld
	b.engine.Sum = b.sum
	return b
}

// sum keeps counts of all time, which tell whether there is a log: panels share them.
func (b *boards) sum(ctx context.Context, s query.Sum) ([]query.Group, error) {
	count := func(ctx context.Context) ([]query.Group, error) { return b.lake.Sum(ctx, s) }
	q := query.Query{Where: s.Where, Until: s.Until.Truncate(time.Hour)}
	if key := keyOf(q); len(s.By) == 0 && s.Width == 0 && s.Distinct == "" && s.Since.IsZero() && key != "" {
		return b.totals.get(ctx, fmt.Sprint(s.Usage, key), b.changes(), count)
	}
	return count(ctx)
}

// key names a question. One that ends now is the same for a minute.
func (b *boards) key(d *dashboard.Dashboard, what string, ask dashboard.Ask) string {
	const minute = time.Minute
	return fmt.Sprintf("%s/%d/%s %d-%d %s %q", d.ID, d.Version, what,
		ask.Since.Truncate(minute).Unix(), ask.Until.Truncate(minute).Unix(), paramsText(ask.Values), strings.Join(ask.Accounts, "\x00"))
}

func (b *boards) panel(ctx context.Context, d *dashboard.Dashboard, p *dashboard.Panel, ask dashboard.Ask) (dashboard.Answer, error) {
	return b.panels.get(ctx, b.key(d, p.ID, ask), b.changes(), func(ctx context.Context) (dashboard.Answer, error) {
		return b.engine.Ask(ctx, b.book, d, p, ask)
	})
}

func (b *boards) choose(ctx context.Context, d *dashboard.Dashboard, parameter string, ask dashboard.Ask) ([]string, error) {
	return b.choices.get(ctx, b.key(d, "of "+parameter, ask), b.changes(), func(ctx context.Context) ([]string, error) {
		return b.engine.Choices(ctx, b.book, d, parameter, ask)
	})
}
