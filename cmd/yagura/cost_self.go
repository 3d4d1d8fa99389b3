package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost/advise"
	"github.com/yagura-sec/yagura/query"
)

// costSelf says what this program takes and what its advice saves; began is when it
// began to run.
func (p *program) costSelf(ctx context.Context, r *rooms, began time.Time) (api.CostSelf, error) {
	all, err := p.advice(ctx, r, nil, false)
	if err != nil {
		return api.CostSelf{}, err
	}
	prices, err := p.costPrices()
	if err != nil {
		return api.CostSelf{}, err
	}
	at := p.clock().UTC()
	running := advise.Running{CPU: processorTime(), Up: at.Sub(began)}
	if running.Bytes, err = onDisk(p.dir); err != nil {
		return api.CostSelf{}, err
	}
	if running.Events, err = r.lake.Count(ctx, query.Query{}); err != nil {
		return api.CostSelf{}, err
	}
	s := advise.SelfOf(running, prices, all, at)
	return api.CostSelf{
		At: at, Bytes: running.Bytes, Events: running.Events, Currency: s.Currency,
		Month: costAmount(s.Month), Found: costAmount(s.Found), Said: s.Said,
	}, nil
}

// onDisk is what the files of a folder take, in bytes. One that is taken away while
// they are counted counts nothing.
func onDisk(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var info fs.FileInfo
			if info, err = e.Info(); err == nil {
				n += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return n, err
}
