package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/register"
	"github.com/yagura-sec/yagura/triage"
)

// registerFolder is the name of folders beside logs that hold registers.
const registerFolder = "register"

// registersIn finds the registers that lie in folders called register below paths:
// files whose first line names a project and services, as package register has it.
func registersIn(paths []string) (out []string) {
	for _, p := range paths {
		// What cannot be looked at is told of where logs are looked for.
		_ = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Base(filepath.Dir(path)) != registerFolder || !strings.EqualFold(filepath.Ext(path), ".csv") {
				return nil
			}
			if isRegister(path) && !slices.Contains(out, path) {
				out = append(out, path)
			}
			return nil
		})
	}
	return out
}

func isRegister(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false // told of where logs are looked for
	}
	defer f.Close()
	row, err := csv.NewReader(bufio.NewReader(f)).Read()
	if err != nil {
		return false
	}
	for i := range row {
		row[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(row[i], "\ufeff")))
	}
	return slices.Contains(row, "project") && slices.Contains(row, "services")
}

// importRegisters takes the registers beside logs, each version of a file once.
func (p *program) importRegisters(ctx context.Context, r *rooms, paths []string) (out []api.RegisterImported, err error) {
	var errs []error
	for _, path := range registersIn(paths) {
		done, err := p.importRegister(ctx, r, path, p.whoami(), true)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
			continue
		}
		if done != nil {
			out = append(out, *done)
		}
	}
	return out, errors.Join(errs...)
}

// importRegister takes the register of a file; nil: once is asked for, and it was
// imported before.
func (p *program) importRegister(ctx context.Context, r *rooms, path, by string, once bool) (*api.RegisterImported, error) {
	text, err := p.readAll(path)
	if err != nil {
		return nil, err
	}
	digest := api.RegisterDigest(text)
	if once {
		if before, err := r.triage.Imported(ctx, digest); err != nil || before {
			return nil, err
		}
	}
	entries, problems, err := register.ReadCSV(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	out := &api.RegisterImported{File: filepath.Base(path), Problems: append([]register.Problem{}, problems...)}
	out.Edited, err = r.triage.PutEntries(ctx, entries, triage.Edit{By: by, At: p.clock().UTC(), File: out.File, Digest: digest})
	return out, err
}
