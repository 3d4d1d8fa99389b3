package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/yagura-sec/yagura/catalogue"
)

// rulesEvery is how often a serving program looks whether rules have changed.
const rulesEvery = 2 * time.Second

// keepRules takes up rules that change in the configured folders and files, and
// all of them at SIGHUP, until ctx ends. Nothing waits for it.
func (s *server) keepRules(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(rulesEvery)
	defer tick.Stop()
	used := s.rulesRead
	last := used
	for {
		select {
		case <-hup:
			used = s.rulesNow()
			s.exchangeRules()
		case <-tick.C:
			// Files that are being written change from look to look.
			now := s.rulesNow()
			if now != used && now == last {
				used = now
				s.exchangeRules()
			}
			last = now
		case <-ctx.Done():
			return nil
		}
	}
}

// rulesNow is the state of the files that rules are read from, as a text.
func (s *server) rulesNow() string {
	var b strings.Builder
	for _, path := range slices.Concat(s.cfg.Rules.Dirs, s.cfg.Rules.Pipelines, []string{s.cfg.Rules.Aliases}) {
		// What cannot be read is a state as well: loading tells why.
		_ = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			if info, err := d.Info(); err == nil {
				fmt.Fprintf(&b, "%s\x00%d\x00%d\n", name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return b.String()
}

// exchangeRules reads the rules anew and puts them to use; those in use stay
// where the pipelines or aliases are wrong, without which rules mean something
// else, or a folder is gone.
func (s *server) exchangeRules() {
	if _, bad := catalogue.RuleOptions(s.cfg.Rules); len(bad) > 0 {
		s.warn("rules stay as they were: %v", bad[0])
		return
	}
	if err := s.rulesThere(nil); err != nil {
		s.warn("rules stay as they were: %v", err)
		return
	}
	d := s.detector(nil)
	hunter := s.rooms.hunterOf(d, true)
	s.rooms.rules.Exchange(d)
	s.rooms.hunter.Store(hunter)
	s.rooms.hunting.Exchange(hunter)
	s.reloads.Add(1)
	s.warn("took up rules that changed: %d rules, %d correlations", d.Len(), len(hunter.Hunters()))
}
