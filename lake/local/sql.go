package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/yagura-sec/yagura/lake"
)

var _ lake.SQLQuerier = (*Store)(nil)

// ChildArg is the first argument with which the program runs as the child that
// answers one SQL statement: main calls ChildMain before anything else when it
// sees it.
const ChildArg = "sql-child"

// SQLLimits bounds the child processes that answer analysts' SQL.
type SQLLimits struct {
	// MaxRows and MaxBytes of a result, unless the caller asks for less or
	// more; 0 means 100,000 and 64 MiB.
	MaxRows, MaxBytes int64
	// Timeout of a statement; 0 means 30 s.
	Timeout time.Duration
	// AddressSpace of the child, in bytes; 0 means 2.5 GB. A third of it and
	// less is too little for DuckDB to start.
	AddressSpace int64
	// Memory that DuckDB aims to keep to in the child; 0 means 1 GiB.
	Memory int64
	// Spill bounds the child's temporary files; 0 means 2 GiB.
	Spill int64
	// Threads in the child; 0 means 2.
	Threads int
	// Concurrent is how many children run at once, others wait; 0 means 2.
	Concurrent int
}

func (l SQLLimits) withDefaults() SQLLimits {
	if l.MaxRows == 0 {
		l.MaxRows = 100_000
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = 64 << 20
	}
	if l.Timeout == 0 {
		l.Timeout = 30 * time.Second
	}
	if l.AddressSpace == 0 {
		l.AddressSpace = 2_500_000_000
	}
	if l.Memory == 0 {
		l.Memory = 1 << 30
	}
	if l.Spill == 0 {
		l.Spill = 2 << 30
	}
	if l.Threads == 0 {
		l.Threads = 2
	}
	if l.Concurrent == 0 {
		l.Concurrent = 2
	}
	return l
}

// childRequest is what the parent writes to the child's standard input, as one
// line of JSON. The pipe stays open: its end tells the child that nobody waits.
type childRequest struct {
	Text          string
	Events, Usage []string // paths of live segments
	Temp          string   // the child's own folder, its only writable place
	Values        []childValue
	Accounts      []string
	Limits        SQLLimits
}

// Frames on the child's standard output: a byte for the kind, four for the
// length, big endian, then JSON.
const (
	frameColumns   = 'c' // []lake.SQLColumn, first
	frameRow       = 'r' // []any
	frameTruncated = 't' // string: which limit cut the result off
	frameError     = 'e' // childError; last
	frameDone      = 'd' // last
)

// maxFrame is more than any frame a sound child writes.
const maxFrame = 1 << 30

type childError struct {
	Kind lake.SQLErrorKind // empty: not the statement's fault
	Msg  string
	Gone bool // a segment had been removed
}

// SQL answers one statement in a child process, see lake.SQLQuerier.
func (s *Store) SQL(ctx context.Context, text string, o lake.SQLOptions) (lake.SQLRows, error) {
	limits := s.opt.SQL.withDefaults()
	if o.MaxRows > 0 {
		limits.MaxRows = o.MaxRows
	}
	if o.MaxBytes > 0 {
		limits.MaxBytes = o.MaxBytes
	}
	if o.Timeout > 0 {
		limits.Timeout = o.Timeout
	}
	const maxText = 128 << 10
	if len(text) > maxText {
		return nil, refuse("the statement is longer than %d KiB", maxText>>10)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Timeout, &lake.SQLError{Kind: lake.SQLLimit,
		Msg: fmt.Sprintf("stopped after %s, the time limit of a statement", limits.Timeout)})
	slots := s.children.init(limits.Concurrent)
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		cancel()
		return nil, fmt.Errorf("sql: waiting for %d other statements: %w", limits.Concurrent, context.Cause(ctx))
	}
	release := func() { cancel(); <-slots }
	values, err := childValues(o.Values)
	if err != nil {
		release()
		return nil, err
	}
	for again := 0; ; again++ {
		rows, err := s.startChild(ctx, childRequest{Text: text, Limits: limits, Values: values, Accounts: o.Accounts})
		if gone := (*goneError)(nil); errors.As(err, &gone) && again < 3 {
			if err = s.reload(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			release()
			return nil, err
		}
		rows.release = sync.OnceFunc(release)
		return rows, nil
	}
}

// children counts the child processes at work.
type children struct {
	once  sync.Once
	slots chan struct{}
}

func (c *children) init(n int) chan struct{} {
	c.once.Do(func() { c.slots = make(chan struct{}, n) })
	return c.slots
}

// goneError: the child met a file that had been merged away.
type goneError struct{ msg string }

func (e *goneError) Error() string { return e.msg }

// startChild runs a child up to its columns.
func (s *Store) startChild(ctx context.Context, req childRequest) (*childRows, error) {
	events, err := s.live(time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	usages, err := s.liveUsage(time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	req.Events = pathsOf(events)
	for _, u := range usages {
		req.Usage = append(req.Usage, u.Path)
	}
	if req.Temp, err = s.tempDir(); err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	// A path outside is a symlink's target for Landlock, so name the real one.
	if req.Temp, err = filepath.EvalSymlinks(req.Temp); err != nil {
		return nil, fmt.Errorf("sql: %w", err)
	}
	r := &childRows{ctx: ctx, s: s, temp: req.Temp, limits: req.Limits, release: func() {}}
	if err := r.start(&req); err != nil {
		os.RemoveAll(req.Temp)
		return nil, fmt.Errorf("sql: start the child process: %w", err)
	}
	kind, body, err := r.frame()
	if err == nil && kind == frameColumns {
		if err = json.Unmarshal(body, &r.columns); err == nil {
			return r, nil
		}
	}
	if err == nil && kind == frameError {
		err = r.childError(body)
	}
	if err == nil {
		err = fmt.Errorf("sql: unexpected frame %q", kind)
	}
	err = r.whyEnded(err)
	r.Close()
	return nil, err
}

// childRows is a child process at work and its result.
type childRows struct {
	ctx     context.Context
	s       *Store
	temp    string
	limits  SQLLimits
	release func()

	cmd      *exec.Cmd
	stdin    io.Closer
	closeOut func() error
	out      *bufio.Reader
	stderr   tail
	waited   chan struct{} // closed when the child has ended
	wait     error         // valid then
	stop     func() bool   // ends the watch on ctx

	columns   []lake.SQLColumn
	row       []any
	truncated string
	done      bool
	err       error
}

// start runs this very program again, with nothing of its surroundings: no
// environment, an empty folder, its own process group, and a kernel that kills
// it when its parent dies.
func (r *childRows) start(req *childRequest) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, ChildArg)
	cmd.Env = []string{}
	cmd.Dir = req.Temp
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &r.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, pipe, err := os.Pipe() // not StdoutPipe, which Wait would close under the reader
	if err != nil {
		return err
	}
	cmd.Stdout = pipe
	r.cmd, r.stdin, r.out, r.waited = cmd, stdin, bufio.NewReaderSize(stdout, 256<<10), make(chan struct{})
	started := make(chan error)
	go func() {
		// The death signal is tied to the thread that starts the child, so that
		// thread must live as long as the child does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		pipe.Close()
		started <- err
		if err != nil {
			return
		}
		r.wait = cmd.Wait()
		close(r.waited)
	}()
	if err := <-started; err != nil {
		stdout.Close()
		return err
	}
	r.stop = context.AfterFunc(r.ctx, r.kill)
	if _, err := stdin.Write(append(body, '\n')); err != nil && !errors.Is(err, syscall.EPIPE) {
		r.kill()
		<-r.waited
		stdout.Close()
		return err
	}
	r.closeOut = stdout.Close
	return nil
}

// kill ends the child's process group.
func (r *childRows) kill() {
	select {
	case <-r.waited: // its id may be another's by now
	default:
		syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it ended meanwhile
	}
}

func (r *childRows) frame() (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r.out, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("frame of %d bytes", n)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r.out, body)
	return head[0], body, err
}

func (r *childRows) childError(body []byte) error {
	var e childError
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	e.Msg = r.scrub(e.Msg)
	switch {
	case e.Gone:
		return &goneError{e.Msg}
	case e.Kind == "":
		return fmt.Errorf("sql: %s", e.Msg)
	}
	return &lake.SQLError{Kind: e.Kind, Msg: e.Msg}
}

// scrub takes the host's paths out of a message.
func (r *childRows) scrub(msg string) string {
	for _, dir := range []string{r.temp, r.s.dir} {
		msg = strings.ReplaceAll(msg, dir, "DIR")
	}
	return msg
}

// whyEnded tells why a child ended without saying so itself.
func (r *childRows) whyEnded(err error) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	<-r.waited
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	var exit *exec.ExitError
	text := r.stderr.String()
	if errors.As(r.wait, &exit) {
		status, _ := exit.Sys().(syscall.WaitStatus)
		if status.Signaled() && status.Signal() == syscall.SIGXCPU || status.Signaled() && status.Signal() == syscall.SIGKILL {
			return &lake.SQLError{Kind: lake.SQLLimit, Msg: "stopped at the limit of processor time of a statement"}
		}
		for _, sign := range []string{"bad_alloc", "out of memory", "cannot allocate memory", "Cannot allocate", "mmap", "failed to create new OS thread"} {
			if strings.Contains(text, sign) {
				return &lake.SQLError{Kind: lake.SQLLimit, Msg: fmt.Sprintf("stopped at %d MB, the memory limit of a statement", r.limits.AddressSpace/1_000_000)}
			}
		}
		if status.Signaled() && (status.Signal() == syscall.SIGABRT || status.Signal() == syscall.SIGSEGV) {
			return &lake.SQLError{Kind: lake.SQLLimit, Msg: "the statement was more than the engine could take: most often memory; try less of it"}
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return fmt.Errorf("sql: the child process ended early (%v): %s", r.wait, r.scrub(line))
}

func (r *childRows) Columns() []lake.SQLColumn { return r.columns }
func (r *childRows) Row() []any                { return r.row }
func (r *childRows) Err() error                { return r.err }
func (r *childRows) Truncated() string         { return r.truncated }

func (r *childRows) Next() bool {
	for !r.done {
		kind, body, err := r.frame()
		if err == nil {
			switch kind {
			case frameRow:
				if r.row, err = decodeRow(body, r.columns); err == nil {
					return true
				}
			case frameTruncated:
				err = json.Unmarshal(body, &r.truncated)
			case frameError:
				err = r.childError(body)
			case frameDone:
				r.done = true
			default:
				err = fmt.Errorf("sql: unexpected frame %q", kind)
			}
		}
		if err != nil {
			r.err, r.done = r.whyEnded(err), true
		}
	}
	return false
}

// Close ends the child, wherever it is.
func (r *childRows) Close() error {
	r.done = true
	r.stop()
	r.stdin.Close()
	r.kill()
	<-r.waited
	r.closeOut()
	r.release()
	return os.RemoveAll(r.temp)
}

// tail keeps the beginning of what a child says on standard error: a crash
// tells its reason first.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const keep = 8 << 10
	if room := keep - t.buf.Len(); room > 0 {
		t.buf.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
