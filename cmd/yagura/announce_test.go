package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestServed: an announcement counts while its process lives and has the lock.
func TestServed(t *testing.T) {
	dir := t.TempDir()
	f := func(want bool, announced, locked int) {
		t.Helper()
		if _, err := announce(dir, serving{PID: announced, URL: "http://x"}); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "lock"), fmt.Sprintln(locked))
		if s, ok := served(dir); ok != want || ok && s.URL != "http://x" {
			t.Errorf("process %d announced it, %d has the lock: %v, %v", announced, locked, s, ok)
		}
	}
	const nobody = 1 << 30 // beyond what any kernel gives
	f(true, os.Getpid(), os.Getpid())
	f(false, os.Getpid(), os.Getppid())
	f(false, nobody, nobody)
	retract(dir)
	if _, ok := served(dir); ok {
		t.Error("it is still announced")
	}
}

// TestListenLocal: the socket is the owner's alone, wherever it had to be.
func TestListenLocal(t *testing.T) {
	f := func(dir string) (path string, remove func()) {
		t.Helper()
		l, remove, err := listenLocal(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		path = l.Addr().String()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else {
			c.Close()
		}
		return path, remove
	}
	gone := func(path string) {
		t.Helper()
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
	t.Setenv("TMPDIR", shortDir(t))
	dir := shortDir(t)
	path, remove := f(dir)
	if path != filepath.Join(dir, "serve.sock") {
		t.Errorf("it is at %s", path)
	}
	// A server that was killed leaves it; then the next one takes its place.
	_, removeNext := f(dir)
	remove()
	removeNext()
	gone(path)

	long := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	path, remove = f(long)
	if !strings.HasPrefix(path, os.TempDir()) {
		t.Errorf("it is at %s", path)
	}
	remove()
	gone(filepath.Dir(path))

	path, _ = f(long) // killed
	if _, err := announce(long, serving{PID: os.Getpid(), Socket: path}); err != nil {
		t.Fatal(err)
	}
	retract(long)
	gone(filepath.Dir(path))
	gone(servingFile(long))
}

// shortDir is a folder whose sockets have short paths, whatever the test's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "y")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestRetract: it removes sockets, whatever the announcement says.
func TestRetract(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "dear")
	if _, err := announce(dir, serving{Socket: file}); err != nil {
		t.Fatal(err)
	}
	retract(dir)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestReachable(t *testing.T) {
	f := func(listens, want string) {
		t.Helper()
		addr, err := net.ResolveTCPAddr("tcp", listens)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(addr); got != want {
			t.Errorf("%s is reached at %s, want %s", listens, got, want)
		}
	}
	f("127.0.0.1:80", "127.0.0.1:80")
	f("0.0.0.0:80", "127.0.0.1:80")
	f("[::]:80", "[::1]:80")
	f("[2001:db8::1]:80", "[2001:db8::1]:80")
}
