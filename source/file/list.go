package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/source"
)

// A target is one object to be read, and what is known of it.
type target struct {
	path string // where it is now
	name string // of the object; differs from path once a file was rotated
	size int64
	time int64 // of the last change, nanoseconds since 1970
	id   inode
	err  error // why it cannot be looked at
	// pipe: it is read once from its beginning, and nothing can be known of it.
	pipe bool

	again    bool // while following: it was listed before
	unsteady bool // while following: it may still be being written

	// From plan.
	version string
	done    bool         // nothing is left to read
	known   bool         // something was settled before
	settled []source.Run // of this version
	offset  int64        // where to go on, for a plain file
	first   int64        // the position of the record at offset
	atEnd   bool         // that it was read so far is settled too
}

// inode tells files apart however they are named.
type inode struct{ dev, ino uint64 }

// stamp is the version of a file that nothing was known of: it changes whenever
// the file does, and costs no reading.
func (t *target) stamp() string { return fmt.Sprintf("%d-%d", t.size, t.time) }

// list finds every file that paths name, in order, each once. What cannot be
// looked at is a target with its error; a path where nothing is, no file and no
// link, is none of that, but missing.
func list(paths []string, now time.Time) (found []*target, missing []Failure) {
	l := lister{seen: map[string]bool{}}
	for _, p := range paths {
		if p == stdinName {
			// A stream has no identity: what comes next time is something else,
			// even if it should be equal, which its records' uids show.
			l.found = append(l.found, &target{path: p, name: p, pipe: true, version: "started " + now.UTC().Format(time.RFC3339Nano)})
			continue
		}
		if err := l.path(p, now); err != nil {
			missing = append(missing, Failure{p, because(err)})
		}
	}
	return l.found, missing
}

type lister struct {
	found []*target
	seen  map[string]bool // paths already found
	trail []inode         // the folders from the path down to here: a link back to one is a loop
	dirs  map[string]*dir // while following: the folders found
	known map[string]*dir // folders to leave out
}

// dir is a folder that is watched.
type dir struct {
	time  int64 // of its last change when it was listed, nanoseconds
	trail []inode
	above bool // not itself asked for: a path lies in it, or may come
}

// errNoMatch is a pattern that no name fits.
var errNoMatch = errors.New("nothing matches")

func (l *lister) path(p string, now time.Time) error {
	_, err := os.Lstat(p)
	if err == nil {
		l.add(absolute(p), now)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(p, `*?[\`) {
		return err
	}
	matches, err := filepath.Glob(p)
	if err != nil {
		return err
	}
	if len(matches) == 0 {
		return fmt.Errorf("%w: %w", errNoMatch, fs.ErrNotExist)
	}
	for _, m := range matches {
		l.add(absolute(m), now)
	}
	return nil
}

// add finds the file at path, or those below it.
func (l *lister) add(path string, now time.Time) {
	if l.seen[path] {
		return
	}
	l.seen[path] = true
	info, err := os.Stat(path)
	if err != nil {
		l.found = append(l.found, &target{path: path, name: path, err: err})
		return
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		l.folder(path, info, now)
	case mode.IsRegular():
		l.found = append(l.found, newTarget(path, info))
	case mode&(fs.ModeNamedPipe|fs.ModeCharDevice) != 0 && len(l.trail) == 0 && l.dirs == nil:
		// Named by the user, as in ingest <(…). One inside a folder, or one that
		// is followed, could block for ever.
		l.found = append(l.found, &target{path: path, name: path, pipe: true, version: "started " + now.UTC().Format(time.RFC3339Nano)})
	default:
		l.found = append(l.found, &target{path: path, name: path, err: fmt.Errorf("not a file: it is %s", kindOf(mode))})
	}
}

func newTarget(path string, info fs.FileInfo) *target {
	return &target{path: path, name: path, size: info.Size(), time: info.ModTime().UnixNano(), id: inodeOf(info)}
}

func (l *lister) folder(path string, info fs.FileInfo, now time.Time) {
	id := inodeOf(info)
	for _, above := range l.trail {
		if id == above && id != (inode{}) {
			return // everything in it is found on the way down from there
		}
	}
	if l.known[path] != nil {
		return
	}
	if l.dirs != nil {
		l.dirs[path] = &dir{time: info.ModTime().UnixNano(), trail: slices.Clone(l.trail)}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		l.found = append(l.found, &target{path: path, name: path, err: err})
	}
	l.trail = append(l.trail, id)
	for _, e := range entries {
		l.add(filepath.Join(path, e.Name()), now)
	}
	l.trail = l.trail[:len(l.trail)-1]
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
