package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/pipeline"
)

func (p *program) serve() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use: "serve", Short: "Read the configured sources and answer over HTTP", Args: cobra.NoArgs,
		Long: `Serve reads the sources of the configuration as their records arrive, judges
them, and answers over HTTP: /api/findings, /api/search, /api/ledger, /metrics,
/healthz, /openapi.json. Every request needs the token (DIR/token, made at the first
start, or server.token of the configuration) as "Authorization: Bearer TOKEN".

It listens on loopback unless told otherwise; a public address needs TLS
(server.tls_cert, server.tls_key) or a declared proxy (server.behind_proxy).`,
		RunE: func(c *cobra.Command, _ []string) error {
			if listen != "" {
				p.cfg.Listen = listen
			}
			return p.runServe(c.Context())
		},
	}
	c.Flags().StringVar(&listen, "listen", "", "address to listen on (default 127.0.0.1:8484)")
	return c
}

// listenable refuses a public address over which tokens would go in the clear.
func listenable(c config.Config) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen %s: an address with a port is needed, such as 127.0.0.1:8484", c.Listen)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() || c.Server.TLSCert != "" || c.Server.BehindProxy {
		return nil
	}
	return fmt.Errorf("listen %s: beyond loopback, TLS (server.tls_cert, server.tls_key) or a declared proxy (server.behind_proxy: true) is needed", c.Listen)
}

func (p *program) runServe(ctx context.Context) (err error) {
	if err := listenable(p.cfg); err != nil {
		return exit{exitUsage, err}
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(serveMemory))
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	token, err := p.token()
	if err != nil {
		return err
	}
	s := &server{program: p, rooms: r}
	if s.pipe, err = p.pipe(ctx, r, pipeline.Options{Wait: time.Duration(p.cfg.Server.Wait)}, nil); err != nil {
		return err
	}
	l, err := net.Listen("tcp", p.cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	forget, err := announce(p.dir, l.Addr(), p.cfg.Server.TLSCert != "")
	if err != nil {
		return err
	}
	defer forget()
	return s.run(ctx, l, token)
}

// server is a program that serves.
type server struct {
	*program
	rooms *rooms
	pipe  *pipeline.Pipeline
	gate  sync.RWMutex // held for reading by deliveries, for writing by a backup
}

// run runs everything long-lived until ctx ends or one part fails.
func (s *server) run(ctx context.Context, l net.Listener, token string) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, n := range s.cfg.Sources {
		src, err := catalogue.Source(n, catalogue.Asks{Ledger: s.rooms.ledger, Now: s.now})
		if err != nil {
			return exit{exitUsage, fmt.Errorf("sources[%d]: %w", i, err)}
		}
		g.Go(func() error {
			if err := src.Run(ctx, s.deliver); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("sources[%d] (%s): %w", i, n.Type, err)
			}
			return nil // a source that does not follow has read everything
		})
	}
	g.Go(func() error { return tend(ctx, s.rooms.lake) })
	g.Go(func() error { return s.keep(ctx) })
	h := &http.Server{Handler: s.handler(token), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	g.Go(func() error {
		var err error
		if s.cfg.Server.TLSCert != "" {
			err = h.ServeTLS(l, s.cfg.Server.TLSCert, s.cfg.Server.TLSKey)
		} else {
			err = h.Serve(l)
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return h.Shutdown(stop)
	})
	fmt.Fprintf(s.stderr, "yagura: serving %s on %s (token: %s)\n", s.dir, l.Addr(), s.tokenPlace())
	defer s.pipe.Drain()
	return g.Wait()
}

// deliver is the pipeline's Deliver, kept out while a backup is made.
func (s *server) deliver(ctx context.Context, b event.Batch) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	return s.pipe.Deliver(ctx, b)
}

// keep applies retention, folds old occurrences together and merges what
// trickled in, once an hour.
func (s *server) keep(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		err := s.retain(ctx, s.rooms)
		if err == nil {
			err = s.compact(ctx)
		}
		if err == nil {
			err = s.rooms.lake.Merge(ctx)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// compact folds the occurrences of batches that will not be recorded again.
// Deliveries wait, so that no batch is between the lake and its release.
func (s *server) compact(ctx context.Context) error {
	s.gate.Lock()
	defer s.gate.Unlock()
	open := map[event.BatchID]bool{}
	for r, err := range s.rooms.lake.Unreleased(ctx) {
		if err != nil {
			return err
		}
		open[r.Batch] = true
	}
	_, err := s.rooms.triage.Compact(ctx, func(id event.BatchID) bool { return !open[id] })
	return err
}

func (s *server) handler(token string) http.Handler {
	return api.New(api.Config{Version: version, Token: token, Hosts: s.hosts()}, api.Rooms{
		Findings: s.rooms.triage,
		Select:   s.rooms.lake.Select,
		Ledger:   s.rooms.ledger,
		Report:   func(ctx context.Context) (ledger.Report, error) { return s.report(ctx, s.rooms, "") },
		Backup: func(ctx context.Context, dir string) error {
			s.gate.Lock()
			defer s.gate.Unlock()
			return copyRooms(ctx, s.rooms, dir)
		},
		Metrics: s.metrics(),
		Now:     s.now,
		Failed:  func(err error) { s.warn("%v", err) },
	})
}

// hosts are the names the server may be asked by.
func (s *server) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(s.cfg.Listen); err == nil && host != "" {
		hosts = append(hosts, strings.ToLower(host))
	}
	for _, h := range s.cfg.Server.Hosts {
		hosts = append(hosts, strings.ToLower(h))
	}
	return hosts
}

// token is what callers must show: the configuration's, or the one kept in the
// data directory, made at the first start.
func (p *program) token() (string, error) {
	if p.cfg.Server.Token != "" {
		t, err := p.cfg.Server.Token.Reveal(p.getenv)
		if err == nil && t == "" {
			err = errors.New("it is empty")
		}
		if err != nil {
			return "", exit{exitUsage, fmt.Errorf("server.token: %w", err)}
		}
		return t, nil
	}
	t, err := tokenOf(p.dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return t, err
	}
	t = rand.Text()
	return t, os.WriteFile(tokenFile(p.dir), []byte(t+"\n"), 0o600)
}

func (p *program) tokenPlace() string {
	if p.cfg.Server.Token != "" {
		return string(p.cfg.Server.Token)
	}
	return tokenFile(p.dir)
}

func tokenFile(dir string) string { return filepath.Join(dir, "token") }

func tokenOf(dir string) (string, error) {
	text, err := os.ReadFile(tokenFile(dir))
	return strings.TrimSpace(string(text)), err
}

// serving says where a data directory is being served: DIR/serve.json.
type serving struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
}

func announce(dir string, addr net.Addr, tls bool) (forget func(), err error) {
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	text, err := json.Marshal(serving{os.Getpid(), scheme + addr.String()})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "serve.json")
	// The file only helps messages and local commands; the lock decides.
	return func() { _ = os.Remove(file) }, os.WriteFile(file, text, 0o600)
}

// served tells whether and where dir is being served.
func served(dir string) (s serving, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, "serve.json"))
	return s, err == nil && json.Unmarshal(text, &s) == nil
}
