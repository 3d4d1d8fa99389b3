package local

import (
	"context"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// attend makes it known that this process reads beside a writer, until the
// store is closed. Where it cannot be made known (a directory nobody may write
// to) the writer's patience has to do.
func (s *Store) attend() {
	f, err := os.OpenFile(filepath.Join(s.dir, "readers"), os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		f.Close()
		return
	}
	s.reading = f
}

// alone tells whether no other process reads. One that begins now sees the
// list as it is now, without the files that were dropped.
func (s *Store) alone() bool {
	f, err := os.OpenFile(filepath.Join(s.dir, "readers"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false
	}
	defer f.Close() // gives up the lock
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// leave removes dropped files before their time if nobody can be reading them:
// this process is about to stop, or has only begun.
func (s *Store) leave(ctx context.Context) error {
	if !s.alone() {
		return s.unlinkDropped(ctx)
	}
	return s.unlinkDroppedUntil(ctx, math.MaxInt64)
}
