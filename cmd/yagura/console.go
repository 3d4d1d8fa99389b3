package main

import (
	"context"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/lake"
)

// console answers what the pages for exploring ask, beside what is stored.
func (s *server) console() api.Console {
	x := &explorer{lake: s.rooms.lake, changes: s.changes}
	rules := &ruleBook{server: s}
	days := &dayAccount{server: s}
	return api.Console{
		Histogram: x.histogram,
		Values:    x.fields,
		Complete:  x.complete,
		SQL: func(ctx context.Context, text string) (lake.SQLRows, error) {
			return s.rooms.lake.SQL(ctx, text, lake.SQLOptions{
				Timeout: time.Duration(s.cfg.SQL.Timeout), MaxRows: int64(s.cfg.SQL.Rows), MaxBytes: int64(s.cfg.SQL.Bytes),
			})
		},
		Secrets:   s.rooms.secrets.known,
		SecretUse: s.rooms.secrets.table.Use,
		Rules:     rules.list,
		Rule:      rules.detail,
		Coverage:  rules.coverage,
		Days:      days.matrix,
		Sources:   s.sourceStates,
		Settings:  s.settings,
	}
}
