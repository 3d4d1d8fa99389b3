package main

import (
	"context"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/lake"
)

// console answers what the pages for exploring ask, beside what is stored.
func (s *server) console() api.Console {
	return api.Console{
		SQL: func(ctx context.Context, text string) (lake.SQLRows, error) {
			return s.rooms.lake.SQL(ctx, text, lake.SQLOptions{
				Timeout: time.Duration(s.cfg.SQL.Timeout), MaxRows: int64(s.cfg.SQL.Rows), MaxBytes: int64(s.cfg.SQL.Bytes),
			})
		},
		Secrets:   s.rooms.secrets.known,
		SecretUse: s.rooms.secrets.table.Use,
	}
}
