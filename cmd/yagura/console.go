package main

import (
	"context"
	"os"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/lake"
	"github.com/yagura-sec/yagura/query"
)

// How old answers may be while they are worked out anew: those about what is under
// way, and those that few things change.
const (
	littleOld = 15 * time.Second
	quiteOld  = 10 * time.Minute
)

// console answers what the pages for exploring ask, beside what is stored.
func (s *server) console() api.Console {
	x := &explorer{lake: s.rooms.lake, changes: s.changes}
	x.timelines.old, x.values.old = littleOld, littleOld
	rules := &ruleBook{server: s}
	rules.present.old = quiteOld
	days := &dayAccount{server: s}
	days.days.old, days.formats.old = quiteOld, quiteOld
	s.rooms.secrets.warm = func(ctx context.Context) error { return warm(ctx, x, rules, days) }
	shown := s.boards()
	return api.Console{
		Dashboards: func() *dashboard.Book { return s.book },
		Panel:      shown.panel,
		Choices:    shown.choose,

		Histogram: x.histogram,
		Values:    x.fields,
		Complete:  x.complete,
		Draft:     draftOf,
		SQL: func(ctx context.Context, text string) (lake.SQLRows, error) {
			return s.rooms.lake.SQL(ctx, text, lake.SQLOptions{
				Timeout: time.Duration(s.cfg.SQL.Timeout), MaxRows: int64(s.cfg.SQL.Rows), MaxBytes: int64(s.cfg.SQL.Bytes),
			})
		},
		Secrets:   s.rooms.secrets.known,
		SecretUse: s.rooms.secrets.use,
		Rules:     rules.list,
		Rule:      rules.detail,
		Coverage:  rules.coverage,
		RuleWords: catalogue.RuleWords,
		Days:      days.matrix,
		Formats:   days.byFormat,
		Sources:   s.sourceStates,
		Settings:  s.settings,

		AccountName: accountNames(s.cfg.Estate),
	}
}

// accountNames gives the names of accounts that the configuration says.
func accountNames(e config.Estate) func(account string) string {
	names := map[string]string{}
	known, err := e.Finding(os.ReadFile)
	if err == nil { // else what is wrong is told where findings are given their place
		for _, a := range known.Accounts {
			names[a.ID] = a.Name
		}
	}
	return func(account string) string { return names[account] }
}

// warm works out what takes longest of what every page of that name begins with,
// before somebody asks.
func warm(ctx context.Context, x *explorer, rules *ruleBook, days *dayAccount) error {
	if _, err := x.histogram(ctx, query.Query{}, 60); err != nil {
		return err
	}
	if _, err := days.matrix(ctx, 90); err != nil {
		return err
	}
	_, err := rules.list(ctx)
	return err
}
