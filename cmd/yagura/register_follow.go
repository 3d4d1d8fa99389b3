package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
)

// followEvery is how often a serving program looks for registers beside the logs
// that its sources follow. One is imported when it is at two looks the same.
const followEvery = 15 * time.Second

// registerFiles are the registers beside logs, as they were at the last look.
type registerFiles struct {
	p     *program
	paths []string
	seen  map[string]fileState
}

// fileState is what tells whether a file changed.
type fileState struct {
	size, time int64 // bytes; nanoseconds
	done       bool  // it was imported, or told of
}

// followed are the places in which file sources that go on look for logs.
func (s *server) followed() (paths []string, err error) {
	for _, n := range s.cfg.Sources {
		some, follow, err := catalogue.Files(n)
		if err != nil {
			return nil, err
		}
		if follow {
			paths = append(paths, some...)
		}
	}
	return paths, nil
}

// followRegisters imports the registers that come, and change, in the folders that
// sources follow, until ctx ends.
func (s *server) followRegisters(ctx context.Context) error {
	paths, err := s.followed()
	if err != nil || len(paths) == 0 {
		return err
	}
	files := &registerFiles{p: s.program, paths: paths}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if len(files.look(ctx, s.rooms)) > 0 {
			s.registerDiffers()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look imports what rests since the last look and was not imported before. What is
// wrong is told once, until the file changes.
func (f *registerFiles) look(ctx context.Context, r *rooms) (out []api.RegisterImported) {
	now := map[string]fileState{}
	for _, path := range registersIn(expanded(f.paths)) {
		info, err := os.Stat(path)
		if err != nil {
			continue // it went meanwhile
		}
		is := fileState{size: info.Size(), time: info.ModTime().UnixNano()}
		was, known := f.seen[path]
		rests := known && was.size == is.size && was.time == is.time
		if is.done = rests && was.done; rests && !is.done {
			done, err := f.p.importRegister(ctx, r, path, f.p.whoami(), true)
			switch {
			case ctx.Err() != nil:
				return out
			case err != nil:
				f.p.warn("register %s: %v", path, err)
			case done != nil:
				out = append(out, *done)
				for _, x := range done.Problems {
					f.p.warn("register %s, line %d: %s", path, x.Line, x.Reason)
				}
			}
			is.done = true
		}
		now[path] = is
	}
	f.seen = now
	return out
}

// expanded are paths with those in place of each pattern that it fits.
func expanded(paths []string) (out []string) {
	for _, p := range paths {
		if _, err := os.Lstat(p); err != nil && strings.ContainsAny(p, `*?[\`) {
			some, _ := filepath.Glob(p) // a pattern that is none is told of by its source
			out = append(out, some...)
			continue
		}
		out = append(out, p)
	}
	return out
}
