package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/bill"
)

// findManifests reads the manifests of all paths. What cannot be read is told when
// its turn comes.
func (in *costRun) findManifests(ctx context.Context, paths []string) {
	for _, path := range paths {
		_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return fs.SkipAll
			}
			if err == nil && !d.IsDir() && strings.HasSuffix(strings.ToLower(d.Name()), "manifest.json") {
				in.findManifest(path)
			}
			return nil
		})
	}
}

func (in *costRun) findManifest(path string) {
	name, err := filepath.Abs(path)
	if err != nil {
		return
	}
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close() // nothing was written
	if m, err := bill.ReadManifest(name, f, st.ModTime()); err == nil {
		in.manifests = append(in.manifests, m)
	}
}

// manifest keeps what a manifest says.
func (in *costRun) manifest(ctx context.Context, m cost.File) error {
	in.manifests.Place(&m)
	m.Imported = in.at
	if other, known := in.known[m.Holds+m.Fingerprint]; known {
		in.skip(m.Name, "the same was imported from "+other)
		return nil
	}
	in.known[m.Holds+m.Fingerprint] = m.Name
	in.take(m, cost.Settled{})
	return in.store.Note(ctx, m)
}

// missing tells which files the manifests that were read name and nobody has.
func (in *costRun) missing(ctx context.Context) error {
	if len(in.manifests) == 0 {
		return nil
	}
	held, err := in.store.Files(ctx)
	if err != nil {
		return err
	}
	for _, m := range in.manifests {
		in.manifests.Place(&m)
		if absent := m.Absent(held); len(absent) > 0 {
			in.done.Missing = append(in.done.Missing, CostAbsent{m.Name, cost.MonthText(m.Bills[0].Month), absent})
		}
	}
	return nil
}
