package main

import (
	"context"
	"crypto/rand"
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
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/catalogue"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/dashboard"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/ledger"
	"github.com/yagura-sec/yagura/mask"
	"github.com/yagura-sec/yagura/people"
	"github.com/yagura-sec/yagura/pipeline"
	"github.com/yagura-sec/yagura/source"
	"github.com/yagura-sec/yagura/source/receive"
	"github.com/yagura-sec/yagura/web"
)

func (p *program) serve() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use: "serve", Short: "Read the configured sources and answer over HTTP", Args: cobra.NoArgs,
		Long: `Serve reads the sources of the configuration as their records arrive, judges
them, and answers over HTTP: the console at /, and what it asks under /api/,
/metrics, /healthz and /openapi.json. While there is no admin it prints a one-time
link that makes the first admin; see "yagura people". Scripts show the token of the
data directory (DIR/token, made at the first start, or server.token of the
configuration) or one made by "yagura people token" as "Authorization: Bearer TOKEN".

A source that fails, as when the disk is full, is tried again, and meanwhile the
rest goes on and /healthz answers 503.

Rules that change in rules.dirs are taken up within seconds, and all of them at
SIGHUP; they judge what comes from then on.

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
	if err := p.rulesThere(nil); err != nil {
		return err
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
	s := &server{program: p, rooms: r, applied: make(chan struct{}, 1)}
	if s.door, err = p.door(r); err != nil {
		return err
	}
	r.live = &api.Live{RuleWords: catalogue.RuleWords}
	if s.aliases, err = p.masker(); err != nil {
		return err
	}
	if s.book, err = p.book(); err != nil {
		return err
	}
	if err := s.plan(); err != nil {
		return err
	}
	r.secrets = newSecretUse(r)
	if s.pipe, err = p.pipe(ctx, r, pipeline.Options{Wait: time.Duration(p.cfg.Server.Wait)}, nil); err != nil {
		return err
	}
	public, err := net.Listen("tcp", p.cfg.Listen)
	if err != nil {
		return err
	}
	defer public.Close()
	owner, remove, err := listenLocal(ctx, p.dir)
	if err != nil {
		return err
	}
	defer remove()
	scheme := "http://"
	if p.cfg.Server.TLSCert != "" {
		scheme = "https://"
	}
	forget, err := announce(p.dir, serving{os.Getpid(), scheme + reachable(public.Addr()), owner.Addr().String()})
	if err != nil {
		return err
	}
	defer forget()
	return s.run(ctx, public, owner, token)
}

// server is a program that serves.
type server struct {
	*program
	rooms *rooms
	door  *people.Door
	pipe  *pipeline.Pipeline
	gate  sync.RWMutex // held for reading by deliveries; see alone
	// applied says that somebody changed the register; it has room for one.
	applied chan struct{}
	hub     receive.Hub // where senders reach the sources that receive

	aliases *mask.Masker    // of answers that are to be masked
	book    *dashboard.Book // queries and dashboards

	intake        []*task // one a source, called by its place and type
	merge, upkeep *task
	hunt, watch   *task
	uses          *task        // sums the use of secrets
	outputs       []*task      // one an output of findings, called by its place and type
	rulesRead     string       // the files that rules were read from: see rulesNow
	reloads       atomic.Int64 // of the rules
}

// plan checks the sources and makes the tasks; it opens nothing.
func (s *server) plan() error {
	for i, n := range s.cfg.Sources {
		if _, err := s.source(i); err != nil {
			return err
		}
		s.intake = append(s.intake, &task{name: fmt.Sprintf("%d:%s", i, n.Type), warn: s.warn})
	}
	if len(s.cfg.Exports) > 0 {
		s.rooms.touched.remember(s.clock())
	}
	for i, n := range s.cfg.Exports {
		s.outputs = append(s.outputs, &task{name: fmt.Sprintf("exports[%d]:%s", i, n.Type), warn: s.warn})
	}
	s.merge, s.upkeep = &task{name: "merge", warn: s.warn}, &task{name: "upkeep", warn: s.warn}
	s.uses = &task{name: "secrets", warn: s.warn}
	s.hunt, s.watch = &task{name: "hunt", warn: s.warn}, &task{name: "anomalies", warn: s.warn}
	s.rulesRead = s.rulesNow() // before they are read: what changes meanwhile is taken up
	return nil
}

// source makes source i, which can be run once.
func (s *server) source(i int) (source.Source, error) {
	src, err := catalogue.Source(s.cfg.Sources[i], catalogue.Asks{Formats: &s.formats, Ledger: s.rooms.ledger, Now: s.now, Getenv: s.getenv, Hub: &s.hub})
	if err != nil {
		return nil, exit{exitUsage, fmt.Errorf("sources[%d]: %w", i, err)}
	}
	return src, nil
}

// run runs everything long-lived until ctx ends or something fails that trying
// again does not mend.
func (s *server) run(ctx context.Context, public, owner net.Listener, token string) error {
	rooms := s.apiRooms()
	triaged, err := s.triage(ctx)
	if err != nil {
		return err
	}
	rooms.Triage, rooms.Register = triaged, s.register()
	rooms.Cost = s.costAnswers()
	rooms.Decisions = s.decisions(rooms.Cost)
	g, ctx := errgroup.WithContext(ctx)
	for i, t := range s.intake {
		g.Go(func() error { return s.take(ctx, i, t) })
	}
	g.Go(func() error {
		return s.merge.run(ctx, func(ctx context.Context) error { return tend(ctx, s.rooms.lake) })
	})
	g.Go(func() error {
		return s.hunt.run(ctx, func(ctx context.Context) error { return keepHunting(ctx, s.rooms.hunting, s.changes) })
	})
	if s.rooms.lookout != nil {
		g.Go(func() error {
			return s.watch.run(ctx, func(ctx context.Context) error { return keepHunting(ctx, s.rooms.lookout, s.changes) })
		})
	}
	g.Go(func() error { return s.keep(ctx) })
	g.Go(func() error { return s.uses.run(ctx, s.rooms.secrets.keep) })
	g.Go(func() error { return s.keepAssessed(ctx) })
	g.Go(func() error { return s.keepRules(ctx) })
	g.Go(func() error { return s.keepRegister(ctx) })
	g.Go(func() error { return s.followRegisters(ctx) })
	g.Go(func() error { return s.keepReopening(ctx) })
	g.Go(func() error { return s.keepNews(ctx) })
	for i, t := range s.outputs {
		g.Go(func() error { return s.send(ctx, i, t) })
	}
	s.answer(ctx, g, api.New(s.apiConfig(token), rooms), func(h *http.Server) error {
		if s.cfg.Server.TLSCert != "" {
			return h.ServeTLS(public, s.cfg.Server.TLSCert, s.cfg.Server.TLSKey)
		}
		return h.Serve(public)
	})
	s.answer(ctx, g, api.Owner(rooms), func(h *http.Server) error { return h.Serve(owner) })
	fmt.Fprintf(s.stderr, "yagura: serving %s on %s (token: %s)\n", s.dir, public.Addr(), s.tokenPlace())
	if err := s.invite(ctx); err != nil {
		return err
	}
	defer s.pipe.Drain()
	return g.Wait()
}

// changes is a number that grows when there may be something new to hunt for:
// events, or rules.
func (s *server) changes() int64 { return s.pipe.Stats().Stored + s.reloads.Load() }

// answer serves with h until ctx ends.
func (s *server) answer(ctx context.Context, g *errgroup.Group, h http.Handler, serve func(*http.Server) error) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	server.RegisterOnShutdown(s.rooms.live.End)
	g.Go(func() error {
		if err := serve(server); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(stop)
	})
}

// take reads source i until ctx ends, or to its end if it does not follow.
func (s *server) take(ctx context.Context, i int, t *task) error {
	deliver := func(ctx context.Context, b event.Batch) error {
		err := s.deliver(ctx, b)
		if err == nil {
			t.works()
		}
		return err
	}
	again := false
	return t.run(ctx, func(ctx context.Context) error {
		if again {
			if err := s.recover(ctx); err != nil {
				return err
			}
		}
		again = true
		src, err := s.source(i)
		if err != nil {
			return err
		}
		return src.Run(ctx, deliver)
	})
}

// recover carries on what a failed delivery left between the lake and its
// release: the source reads those records again, and then they are duplicates,
// which nobody judges.
func (s *server) recover(ctx context.Context) error {
	return s.alone(func() error {
		n, err := s.pipe.Recover(ctx)
		if n > 0 {
			s.warn("carried on %d batches that had been stored and not judged", n)
		}
		return err
	})
}

// alone does f while no batch is under way.
func (s *server) alone(f func() error) error {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.pipe.Drain() // what callers that went away left
	return f()
}

// deliver is the pipeline's Deliver, kept out while something is done alone.
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
		if err := s.upkeep.run(ctx, s.tidy); err != nil {
			return err
		}
	}
}

func (s *server) tidy(ctx context.Context) error {
	if err := s.retain(ctx, s.rooms); err != nil {
		return err
	}
	if err := s.compact(ctx); err != nil {
		return err
	}
	return s.rooms.lake.Merge(ctx)
}

// compact folds the occurrences of batches that will not be recorded again.
func (s *server) compact(ctx context.Context) error {
	return s.alone(func() error {
		open := map[event.BatchID]bool{}
		for r, err := range s.rooms.lake.Unreleased(ctx) {
			if err != nil {
				return err
			}
			open[r.Batch] = true
		}
		_, err := s.rooms.triage.Compact(ctx, func(id event.BatchID) bool { return !open[id] })
		return err
	})
}

func (s *server) apiRooms() api.Rooms {
	return api.Rooms{
		Findings: s.rooms.triage,
		Select:   s.rooms.lake.Select,
		Ledger:   s.rooms.ledger,
		Report: func(ctx context.Context) (ledger.Report, error) {
			return s.report(ctx, s.rooms, "", ledger.MakeShortReport)
		},
		Backup: func(ctx context.Context, dir string) error {
			return copyRooms(ctx, s.rooms, dir, s.alone)
		},
		Stopped: s.stopped,
		Receive: &s.hub,
		Mask:    s.aliases,
		Console: s.console(),
		Metrics: s.metrics(),
		People:  s.door,
		Live:    s.rooms.live,
		Pages:   web.Handler(),
		Now:     s.now,
		Failed:  func(err error) { s.warn("%v", err) },
	}
}

func (s *server) apiConfig(token string) api.Config {
	return api.Config{Version: version, Token: token, Hosts: s.hosts(), TLS: s.cfg.Server.TLSCert != "", BehindProxy: s.cfg.Server.BehindProxy}
}

// invite tells where the console is, and while nobody may come in, how the first
// one does.
func (s *server) invite(ctx context.Context) error {
	if !web.Built() {
		s.warn("%s", web.HowToBuild)
	}
	if s.welcome != nil {
		return s.welcome(ctx, s.door)
	}
	first, err := s.door.FirstRun(ctx)
	if err != nil {
		return err
	}
	if !first {
		s.warn("the console is at %s", s.origin())
		return nil
	}
	secret, l, err := s.door.NewLink(ctx, people.LocalOwner(), people.LinkFirst, "")
	if err != nil {
		return err
	}
	s.warn("there is no admin yet; make the first one, once and within %d hours, at\n  %s", int(people.FirstRunLasts.Hours()), s.origin()+api.LinkPath(l.Kind, secret))
	return nil
}

// stopped are the sources that do not work.
func (s *server) stopped() (out []api.Stopped) {
	for _, t := range s.intake {
		if since, _, why := t.state(); !since.IsZero() {
			out = append(out, api.Stopped{Source: t.name, Since: since, Reason: reason(why)})
		}
	}
	return out
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
