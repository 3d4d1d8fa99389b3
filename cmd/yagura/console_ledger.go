package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/config"
	"github.com/yagura-sec/yagura/ledger"
)

// dayAccount answers for the ledger's matrix and its account by format.
type dayAccount struct {
	server  *server
	days    keptAnswers[ledger.Matrix]
	formats keptAnswers[ledger.ByFormat]
}

func (a *dayAccount) byFormat(ctx context.Context) (ledger.ByFormat, error) {
	s := a.server
	return a.formats.get(ctx, "", s.changes(), func(ctx context.Context) (ledger.ByFormat, error) {
		return ledger.CountFormats(ctx, s.rooms.ledger)
	})
}

func (a *dayAccount) matrix(ctx context.Context, days int) (ledger.Matrix, error) {
	s := a.server
	return a.days.get(ctx, fmt.Sprint(days), s.changes(), func(ctx context.Context) (ledger.Matrix, error) {
		report, err := s.report(ctx, s.rooms, "", ledger.MakeShortReport)
		if err != nil {
			return ledger.Matrix{}, err
		}
		return ledger.MakeMatrix(&report, days, s.now())
	})
}

// sourceStates are the sources of the configuration, and how they do.
func (s *server) sourceStates(context.Context) ([]api.SourceState, error) {
	var out []api.SourceState
	for i, t := range s.intake {
		node := s.cfg.Sources[i]
		since, errs, why := t.state()
		x := api.SourceState{Name: t.name, Type: node.Type, State: "running", Since: since, Errors: errs, Setting: settingsOf(node.Lines())}
		switch {
		case !since.IsZero():
			x.State, x.Reason = "stopped", reason(why)
		case t.over():
			x.State = "finished"
		}
		out = append(out, x)
	}
	return out, nil
}

// settings is the configuration as it holds.
func (s *server) settings(context.Context) (api.Settings, error) {
	return api.Settings{File: s.flags.config, Version: version, Data: s.dir, All: settingsOf(s.cfg.Lines())}, nil
}

func settingsOf(lines []config.Line) []api.Setting {
	out := []api.Setting{}
	for _, l := range lines {
		out = append(out, api.Setting{Key: l.Key, Value: strings.ToValidUTF8(l.Value, "\uFFFD"), Default: l.Default})
	}
	return out
}
