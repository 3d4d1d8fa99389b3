package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a running `yagura serve`.
type server struct {
	cmd   *exec.Cmd
	errs  *bytes.Buffer
	url   string
	token string
	ready time.Duration  // from its start to its first answer
	peak  func() float64 // ends the watch of its memory
	held  float64        // the most memory it held, once it is stopped
}

// serve starts a server of a data directory that follows a folder, looking at it
// every poll; more is put into its configuration.
func (b *bench) serve(ctx context.Context, data, follow string, poll time.Duration, more string) (*server, error) {
	if err := os.MkdirAll(follow, 0o755); err != nil {
		return nil, err
	}
	config := data + ".yaml"
	text := fmt.Sprintf("sources:\n  - {type: file, paths: [%q], follow: true, poll: %s}\n%s", follow, poll, more)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &server{cmd: b.command(ctx, data, "--config", config, "serve", "--listen", "127.0.0.1:0"), errs: new(bytes.Buffer)}
	s.cmd.Stderr = s.errs
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.peak = watchPeak(s.cmd.Process.Pid)
	for !s.answers(data) {
		if err := ctx.Err(); err != nil || time.Since(start) > time.Minute {
			return nil, fmt.Errorf("serve does not answer: %w, %w, %s", err, s.stop(), s.errs)
		}
		time.Sleep(2 * time.Millisecond)
	}
	s.ready = time.Since(start)
	return s, nil
}

// answers tells whether the server is there, and learns its address.
func (s *server) answers(data string) bool {
	text, err := os.ReadFile(filepath.Join(data, "serve.json"))
	var at struct {
		PID int
		URL string
	}
	if err != nil || json.Unmarshal(text, &at) != nil || at.PID != s.cmd.Process.Pid {
		return false
	}
	token, err := os.ReadFile(filepath.Join(data, "token"))
	if err != nil {
		return false
	}
	s.url, s.token = at.URL, strings.TrimSpace(string(token))
	resp, err := http.Get(s.url + "/healthz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop asks the server to end and waits for it.
func (s *server) stop() error {
	if s.cmd.ProcessState != nil {
		return nil
	}
	s.held = s.peak()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // Wait tells how it ended
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("serve: %w: %s", err, s.errs)
	}
	return nil
}

func (s *server) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, s.errs)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", path, resp.Status, body)
	}
	return body, err
}

// search gives the ids of what a filter finds and the time it took.
func (s *server) search(ctx context.Context, filter string, limit int) (uids []string, took time.Duration, err error) {
	start := time.Now()
	body, err := s.get(ctx, "/api/search?limit="+strconv.Itoa(limit)+"&q="+url.QueryEscape(filter))
	took = time.Since(start)
	if err != nil {
		return nil, took, err
	}
	var found struct{ Events []struct{ UID string } }
	if err := json.Unmarshal(body, &found); err != nil {
		return nil, took, fmt.Errorf("the answer to %s: %w", filter, err)
	}
	for _, e := range found.Events {
		uids = append(uids, e.UID)
	}
	return uids, took, nil
}

// counts are what a server's metrics say.
type counts struct {
	stored, duplicate, batches float64
	cpu                        float64 // seconds
}

func (c counts) read() int { return int(c.stored + c.duplicate) }

func (s *server) counts(ctx context.Context) (c counts, err error) {
	body, err := s.get(ctx, "/metrics")
	if err != nil {
		return c, err
	}
	for line := range strings.Lines(string(body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var into *float64
		switch name {
		case `yagura_records_total{verdict="stored"}`:
			into = &c.stored
		case `yagura_records_total{verdict="duplicate"}`:
			into = &c.duplicate
		case "yagura_batches_total":
			into = &c.batches
		case "process_cpu_seconds_total":
			into = &c.cpu
		default:
			continue
		}
		if *into, err = strconv.ParseFloat(value, 64); err != nil {
			return c, fmt.Errorf("metrics: %s: %w", name, err)
		}
	}
	return c, nil
}

// reach waits until so many records are acknowledged.
func (s *server) reach(ctx context.Context, records int, every, atMost time.Duration) (counts, error) {
	for start := time.Now(); ; {
		c, err := s.counts(ctx)
		if err != nil || c.read() >= records {
			return c, err
		}
		if time.Since(start) > atMost {
			return c, fmt.Errorf("%d of %d records are acknowledged after %s: %s", c.read(), records, atMost, s.errs)
		}
		time.Sleep(every)
	}
}
