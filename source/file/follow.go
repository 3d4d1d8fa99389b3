package file

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// coldAfter is how long a file must be unchanged to be looked at only every
// coldRounds polls. Its folder's time still shows at once when files come, go
// or are renamed.
const (
	coldAfter  = time.Minute
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
	w := &watcher{s: s, files: map[string]*watched{}}
	for {
		began := time.Now()
		targets, err := w.look(s.cfg.Now())
		if err != nil {
			return err
		}
		// Looking at very many files may take longer than Poll; it is to keep
		// at most a tenth of a core busy.
		pause := max(s.cfg.Poll, 10*time.Since(began))
		if err := s.read(ctx, targets); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// watcher finds what changed.
type watcher struct {
	s     *Source
	files map[string]*watched
	dirs  map[string]*dir
	round int
}

// look returns the files to read now. It reads only the folders that changed,
// and looks only at files that changed lately; now and then at everything.
func (w *watcher) look(now time.Time) ([]*target, error) {
	all := w.round%coldRounds == 0
	w.round++
	var changed []string
	for path, d := range w.dirs {
		info, err := os.Stat(path)
		// One that changed a moment ago counts, because another change within
		// the file system's resolution would not show.
		if err != nil || info.ModTime().UnixNano() != d.time || now.Sub(info.ModTime()) < 2*w.s.cfg.Poll {
			changed = append(changed, path)
			all = all || d.above
		}
	}
	var found []*target
	if all {
		var err error
		if found, err = w.list(now); err != nil {
			return nil, err
		}
	} else {
		found = append(w.within(changed, now), w.warm(now)...)
	}
	var targets []*target
	seen := make(map[string]bool, len(found))
	for _, t := range found {
		if seen[t.path] {
			continue
		}
		seen[t.path] = true
		if t := w.see(t, now); t != nil {
			targets = append(targets, t)
		}
	}
	return targets, nil
}

// within lists folders that changed, and new ones below them.
func (w *watcher) within(changed []string, now time.Time) []*target {
	slices.Sort(changed)
	var found []*target
	for _, path := range changed {
		info, err := os.Stat(path)
		if err != nil {
			delete(w.dirs, path) // its own folder changed too
			continue
		}
		l := lister{seen: map[string]bool{}, dirs: map[string]*dir{}, known: w.dirs, trail: w.dirs[path].trail}
		delete(w.dirs, path)
		l.folder(path, info, now)
		maps.Copy(w.dirs, l.dirs)
		found = append(found, l.found...)
	}
	return found
}

// warm looks at the files that changed lately.
func (w *watcher) warm(now time.Time) []*target {
	var found []*target
	for path, f := range w.files {
		if now.Sub(f.changed) > coldAfter && !f.pending {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			found = append(found, newTarget(path, info))
		}
	}
	return found
}

// list finds all files. A path that is not there yet may come.
func (w *watcher) list(now time.Time) ([]*target, error) {
	l := lister{seen: map[string]bool{}, dirs: map[string]*dir{}}
	for _, p := range w.s.cfg.Paths {
		err := l.path(p, now)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		w.above(&l, p)
	}
	w.dirs = l.dirs
	for _, path := range w.s.opened() {
		if f := w.files[path]; f != nil {
			f.pending = true
		}
	}
	for path := range w.files {
		if !l.seen[path] {
			delete(w.files, path)
		}
	}
	here := make(map[inode]bool, len(l.found))
	for _, t := range l.found {
		here[t.id] = true
	}
	w.s.forget(here)
	return l.found, nil
}

// above watches the folder that a path lies in, or the nearest one there is.
func (w *watcher) above(l *lister, p string) {
	folder := filepath.Dir(absolute(p))
	for {
		info, err := os.Stat(folder)
		if err == nil && !strings.ContainsAny(folder, `*?[\`) {
			if l.dirs[folder] == nil {
				l.dirs[folder] = &dir{time: info.ModTime().UnixNano(), above: true}
			}
			return
		}
		up := filepath.Dir(folder)
		if up == folder {
			return
		}
		folder = up
	}
}

// see decides whether t is to be read now.
func (w *watcher) see(t *target, now time.Time) *target {
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

// shut remembers a file that could not be opened.
func (s *Source) shut(path string) {
	if s.cfg.Follow {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closed[path] = true
	}
}

// opened returns the files that can be opened now, and could not before: a
// change of permissions leaves a file's time as it was.
func (s *Source) opened() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var paths []string
	for path := range s.closed {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err == nil {
			f.Close()
			paths = append(paths, path)
		}
		delete(s.closed, path)
	}
	return paths
}
