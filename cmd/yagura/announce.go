package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// serving says where a data directory is being served: DIR/serve.json.
type serving struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
	// Socket is where the directory's owner asks for what is not in the public
	// interface: a unix socket that nobody else can open.
	Socket string `json:"socket"`
}

func servingFile(dir string) string { return filepath.Join(dir, "serve.json") }

// announce tells local commands where dir is served, until forget is called.
func announce(dir string, s serving) (forget func(), err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	// The file only helps messages and local commands; the lock decides.
	return func() { _ = os.Remove(servingFile(dir)) }, os.WriteFile(servingFile(dir), text, 0o600)
}

// served tells whether and where dir is being served. A server that was killed
// leaves its announcement behind: it counts only while its process lives and is
// the one that took the lock.
func served(dir string) (s serving, ok bool) {
	text, err := os.ReadFile(servingFile(dir))
	if err != nil || json.Unmarshal(text, &s) != nil {
		return s, false
	}
	holder, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err != nil || strings.TrimSpace(string(holder)) != strconv.Itoa(s.PID) {
		return s, false
	}
	err = syscall.Kill(s.PID, 0) // only asks
	return s, err == nil || errors.Is(err, syscall.EPERM)
}

// retract removes what a server that was killed left. Whoever calls it holds
// the lock.
func retract(dir string) {
	var s serving
	if text, err := os.ReadFile(servingFile(dir)); err == nil && json.Unmarshal(text, &s) == nil {
		if info, err := os.Lstat(s.Socket); err == nil && info.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(s.Socket)
			if filepath.Dir(filepath.Dir(s.Socket)) == filepath.Clean(os.TempDir()) {
				_ = os.Remove(filepath.Dir(s.Socket))
			}
		}
	}
	// What cannot be removed misleads nobody: see served.
	_ = os.Remove(servingFile(dir))
}

// listenLocal opens the socket of the directory's owner: in dir, or where its
// path is too long for a socket (or its file system has none) in a short folder
// of its own. Closing it removes it.
func listenLocal(ctx context.Context, dir string) (l net.Listener, remove func(), err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "serve.sock")
	_ = os.Remove(path) // left by a server that was killed: the lock is ours
	if l, err := listenOwner(ctx, path); err == nil {
		return l, func() { l.Close() }, nil
	}
	short, err := os.MkdirTemp("", "yagura-")
	if err != nil {
		return nil, nil, err
	}
	l, err = listenOwner(ctx, filepath.Join(short, "serve.sock"))
	if err != nil {
		return nil, nil, errors.Join(err, os.Remove(short))
	}
	return l, func() { l.Close(); _ = os.Remove(short) }, nil
}

// listenOwner opens a unix socket that only its owner can ask.
func listenOwner(ctx context.Context, path string) (net.Listener, error) {
	// The mode before the name exists, where the kernel takes it; after it
	// everywhere.
	c := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = unix.Fchmod(int(fd), 0o600) })
	}}
	l, err := c.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// reachable is an address to ask at from the same machine: one that listens
// everywhere is announced by its loopback.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "::1"
		if ip.To4() != nil {
			host = "127.0.0.1"
		}
	}
	return net.JoinHostPort(host, port)
}
