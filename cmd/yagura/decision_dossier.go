package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/api"
	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/picture"
	"github.com/yagura-sec/yagura/decision"
	"github.com/yagura-sec/yagura/decision/dossier"
	sentences "github.com/yagura-sec/yagura/say" // a test of this package has another say
)

// pictured is what pictures of decisions are made from.
type pictured struct {
	advice  func(ctx context.Context) ([]cost.Advice, error)
	changes func(ctx context.Context, account string) (api.CostChanges, error)
}

// picturedAccounts is of how many accounts a dossier shows the changes.
const picturedAccounts = 3

// draw draws what a decision rests on: of the advice that it is about the break-even
// of each type, and what changes their accounts a day.
func (x pictured) draw(ctx context.Context, d *decision.Decision, look picture.Look) (out []dossier.Picture, err error) {
	all, err := x.advice(ctx)
	if err != nil {
		return nil, err
	}
	about := slices.DeleteFunc(slices.Clone(all), func(a cost.Advice) bool { return !d.IsAbout(a.Key) })
	if b := breakEvenPicture(about); len(b.Points) > 0 {
		p := b.Draw(look)
		out = append(out, dossier.Picture{Name: "break-even.svg", Title: p.Title(), SVG: p.SVG()})
	}
	var accounts []string
	for _, a := range about {
		if a.Kind == cost.AboutRecording && !slices.Contains(accounts, a.Account) && len(accounts) < picturedAccounts {
			accounts = append(accounts, a.Account)
		}
	}
	for i, account := range accounts {
		found, err := x.changes(ctx, account)
		if err != nil {
			return nil, err
		}
		if c := changesPicture(found); len(c.Series) > 0 { // else the log has nothing of it
			p := c.Draw(look)
			out = append(out, dossier.Picture{Name: fmt.Sprintf("changes-%d.svg", i+1), Title: p.Title(), SVG: p.SVG()})
		}
	}
	return out, nil
}

// dossierFlags say how a decision is written down.
type dossierFlags struct {
	language, out string
	masked        bool
}

func (f *dossierFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.language, "dossier", "", "write it down for others to read, in this language: en or ja")
	c.Flags().BoolVar(&f.masked, "masked", false, "with --dossier: put aliases in the place of accounts, people and projects")
	c.Flags().StringVar(&f.out, "out", "", "with --dossier: a folder for Markdown, HTML and pictures (default: Markdown on standard output)")
}

// writeDossier writes a decision down.
func (p *program) writeDossier(ctx context.Context, r *rooms, x decision.Decision, f dossierFlags) (err error) {
	language := sentences.Language(f.language)
	if !slices.Contains(sentences.Languages, language) {
		return wrong("--dossier %s: en or ja", f.language)
	}
	known := p.reopeners(r)
	d := dossier.Dossier{Decision: x, State: x.Due(p.now(), known.readings(ctx)), Language: language, At: p.now()}
	if d.Changes, err = r.triage.DecisionHistory(ctx, x.ID); err != nil {
		return err
	}
	if f.masked {
		m, err := p.masker()
		if err != nil {
			return err
		}
		if d.Mask, err = api.MaskDecision(ctx, m, r.triage, &x, d.Changes); err != nil {
			return err
		}
	}
	drawn := pictured{known.advice, func(ctx context.Context, account string) (api.CostChanges, error) {
		return p.changes(ctx, r, account, time.Time{}, time.Time{})
	}}
	if d.Pictures, err = drawn.draw(ctx, &x, picture.Look{Language: language, Mask: d.Mask}); err != nil {
		return err
	}
	if f.out == "" {
		_, err = p.stdout.Write(d.Markdown(dossier.Inline))
		return err
	}
	return p.writeDossierTo(f.out, &d)
}

// writeDossierTo writes a dossier into a folder, as Markdown with its pictures beside
// it and as HTML with them in it.
func (p *program) writeDossierTo(dir string, d *dossier.Dossier) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	page, err := d.HTML()
	if err != nil {
		return err
	}
	base := "dossier-" + string(d.Language)
	for i := range d.Pictures { // that of another language may lie there too
		d.Pictures[i].Name = base + "-" + d.Pictures[i].Name
	}
	files := map[string][]byte{base + ".md": d.Markdown(dossier.File), base + ".html": page}
	for _, x := range d.Pictures {
		files[x.Name] = x.SVG
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
		p.warn("wrote %s", filepath.Join(dir, name))
	}
	return nil
}
