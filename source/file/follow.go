package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// coldAfter is how long a file must be unchanged to be looked at only every
// coldRounds polls. Its folder's time still shows at once when files come, go
// or are renamed.
const (
	coldAfter  = 5 * time.Minute
	coldRounds = 60
)

// watched is a file that was seen while following.
type watched struct {
	size, time int64
	id         inode
	changed    time.Time // when it was last seen to differ
	pending    bool      // read, but something was left until it is quiet
	read       bool
}

// follow reads what is there, and then what comes, until ctx ends.
func (s *Source) follow(ctx context.Context) error {
	w := &watcher{s: s, files: map[string]*watched{}, dirs: map[string]int64{}}
	for {
		targets, err := w.look(s.cfg.Now())
		if err != nil {
			return err
		}
		if err := s.read(ctx, targets); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(s.cfg.Poll):
		}
	}
}

// watcher finds what changed.
type watcher struct {
	s     *Source
	files map[string]*watched
	dirs  map[string]int64 // times of the folders when they were last listed
	round int
	stdin bool // already read
}

// look returns the files to read now.
func (w *watcher) look(now time.Time) ([]*target, error) {
	defer func() { w.round++ }()
	var targets []*target
	if w.round == 0 || w.foldersChanged(now) {
		found, err := w.list(now)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if t := w.see(t, now); t != nil {
				targets = append(targets, t)
			}
		}
		return targets, nil
	}
	n := 0
	for path, f := range w.files {
		n++
		if now.Sub(f.changed) > coldAfter && !f.pending && (n+w.round)%coldRounds != 0 {
			continue
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue // its folder's time brings a new listing
		}
		if t := w.see(newTarget(path, info), now); t != nil {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// list finds all files. A path that is not there yet may come.
func (w *watcher) list(now time.Time) ([]*target, error) {
	l := lister{seen: map[string]bool{}, dirs: map[string]int64{}}
	for _, p := range w.s.cfg.Paths {
		if p == stdinName {
			if !w.stdin {
				w.stdin = true
				found, err := list([]string{p}, now)
				if err != nil {
					return nil, err
				}
				l.found = append(l.found, found...)
			}
			continue
		}
		err := l.path(p, now)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		w.parent(&l, p)
	}
	w.dirs = l.dirs
	for path := range w.files {
		if !l.seen[path] {
			delete(w.files, path)
		}
	}
	return l.found, nil
}

// parent watches the folder that a file or glob lies in.
func (w *watcher) parent(l *lister, p string) {
	dir := filepath.Dir(absolute(p))
	for strings.ContainsAny(dir, `*?[\`) {
		dir = filepath.Dir(dir)
	}
	for {
		if info, err := os.Stat(dir); err == nil {
			l.dirs[dir] = info.ModTime().UnixNano()
			return
		}
		up := filepath.Dir(dir)
		if up == dir {
			return
		}
		dir = up
	}
}

// foldersChanged tells whether a file came, went or was renamed anywhere. A
// folder that changed a moment ago counts, because a second change within the
// file system's resolution would not show.
func (w *watcher) foldersChanged(now time.Time) bool {
	for dir, last := range w.dirs {
		info, err := os.Stat(dir)
		if err != nil || info.ModTime().UnixNano() != last || now.Sub(info.ModTime()) < 2*w.s.cfg.Poll {
			return true
		}
	}
	// Globs over folders that themselves come and go.
	return w.round%coldRounds == 0
}

// see decides whether t is to be read now.
func (w *watcher) see(t *target, now time.Time) *target {
	if t.pipe {
		return t
	}
	f := w.files[t.path]
	if t.err != nil {
		if f != nil {
			return nil // told once
		}
		w.files[t.path] = &watched{changed: now}
		return t
	}
	if f == nil {
		f = &watched{}
		w.files[t.path] = f
	}
	if f.size != t.size || f.time != t.time || f.id != t.id || f.changed.IsZero() {
		f.read = f.read && f.id == t.id
		f.size, f.time, f.id = t.size, t.time, t.id
		f.changed = now
		if age := now.Sub(time.Unix(0, t.time)); age > 3*w.s.cfg.Poll {
			f.changed = now.Add(-age) // it was there before us
		}
		f.pending = true
	} else if !f.pending {
		return nil
	}
	t.again = f.read
	t.unsteady = now.Sub(f.changed) < 2*w.s.cfg.Poll
	f.read = f.read || !t.unsteady
	f.pending = t.unsteady
	return t
}
