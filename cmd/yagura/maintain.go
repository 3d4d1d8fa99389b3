package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/lake/local"
	"github.com/yagura-sec/yagura/pipeline"
)

func (p *program) usage() *cobra.Command {
	c := &cobra.Command{
		Use: "usage", Short: "Keep the hourly sums of who used what",
		Long: `Usage is the table of hourly sums of who used what, when, from where and with
what outcome. Query it with sql: it is the view called usage.`,
	}
	var during period
	rebuild := &cobra.Command{
		Use: "rebuild", Short: "Recompute usage from the events that are held", Args: cobra.NoArgs,
		Long: `Rebuild recomputes the hours whose events are all still held, and names those
that retention has taken events from: their sums stay as they are.`,
		RunE: func(c *cobra.Command, _ []string) error { return p.rebuildUsage(c.Context(), during) },
	}
	during.flags(rebuild)
	c.AddCommand(rebuild)
	return c
}

func (p *program) rebuildUsage(ctx context.Context, during period) error {
	since, until, err := during.times(p.now())
	if err != nil {
		return err
	}
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	n, refused, err := r.lake.RebuildUsage(ctx, since, until)
	if err != nil {
		return err
	}
	if p.flags.format == "json" || p.flags.format == "jsonl" {
		type hour struct {
			Hour   string `json:"hour"`
			Reason string `json:"reason"`
		}
		out := struct {
			Rebuilt int    `json:"rebuilt"`
			Refused []hour `json:"refused"`
		}{n, []hour{}}
		for _, h := range refused {
			out.Refused = append(out.Refused, hour{h.Hour.UTC().Format("2006-01-02T15:04:05Z"), h.Reason})
		}
		return p.printJSON(out)
	}
	held := len(refused)
	for len(refused) > 0 {
		n := 1 // hours in a row for the same reason are told of together
		for n < len(refused) && refused[n].Reason == refused[0].Reason && refused[n].Hour.Sub(refused[n-1].Hour) == time.Hour {
			n++
		}
		p.warn("%s, %s: not recomputed: %s", stamp(refused[0].Hour), many(int64(n), "hour", "hours in a row"), refused[0].Reason)
		refused = refused[n:]
	}
	_, err = fmt.Fprintf(p.stdout, "%s recomputed, %s refused\n", many(int64(n), "hour", "hours"), number(int64(held)))
	return err
}

func (p *program) renormalise() *cobra.Command {
	var during period
	c := &cobra.Command{
		Use: "renormalise", Short: "Read stored records again with the present normalisers", Args: cobra.NoArgs,
		Long: `Renormalise makes the columns of stored events anew from their raw records, under
the same uids, and recomputes the usage of the hours concerned. It is for after an
update that reads a format better.`,
		RunE: func(c *cobra.Command, _ []string) error { return p.runRenormalise(c.Context(), during) },
	}
	during.flags(c)
	return c
}

func (p *program) runRenormalise(ctx context.Context, during period) error {
	since, until, err := during.times(p.now())
	if err != nil {
		return err
	}
	r, err := p.write(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := p.pipe(ctx, r, pipeline.Options{}, nil); err != nil {
		return err
	}
	var kept int64
	again := p.formats
	n, err := r.lake.Rewrite(ctx, since, until, func(e event.Event) (event.Event, error) {
		out, err := again.Append(nil, event.Raw{Object: e.Object, Position: e.Position, Format: e.Format, Body: e.Raw, Received: e.IngestTime})
		if err != nil || len(out) != 1 {
			// A record that once could be read and now cannot stays as it is:
			// losing it would be worse than old columns.
			kept++
			return e, nil
		}
		return out[0], nil
	})
	if err != nil {
		return err
	}
	if kept > 0 {
		p.warn("%s events stay as they were: their records cannot be read by the present normalisers", number(kept))
	}
	if p.flags.format == "json" || p.flags.format == "jsonl" {
		return p.printJSON(map[string]int64{"changed": n, "kept": kept})
	}
	_, err = fmt.Fprintf(p.stdout, "%s events changed\n", number(n))
	return err
}

func (p *program) backup() *cobra.Command {
	return &cobra.Command{
		Use: "backup DIR", Short: "Write a consistent copy of the data directory", Args: cobra.ExactArgs(1),
		Long: `Backup copies everything of the data directory into an empty or absent folder
elsewhere: a data directory of its own, to be used with --data. While serve runs,
the copy is made by it, between two batches. A copy that was not finished cannot be
opened.

Segments never change, so on the same file system they are hard links and take no
time or room: the copy protects against mistakes, not against a damaged disk. Copy
it elsewhere, or back up to another disk.`,
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if err := p.runBackup(c.Context(), dir); err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, "written:", dir)
			return err
		},
	}
}

func (p *program) runBackup(ctx context.Context, dir string) error {
	r, err := p.existing(ctx, writing)
	if errors.Is(err, local.ErrLocked) {
		if s, ok := served(p.dir); ok {
			return backupThrough(ctx, s, dir)
		}
	}
	if err != nil {
		return err
	}
	defer r.Close()
	return copyRooms(ctx, r, dir, func(f func() error) error { return f() })
}

// copyRooms copies the state and the lake as of one moment; alone does what it
// is given while no batch is under way. The state comes first: what is copied
// last makes the copy one to be opened.
func copyRooms(ctx context.Context, r *rooms, dir string, alone func(func() error) error) error {
	return r.lake.BackupWith(ctx, dir, func(list func() error) error {
		return alone(func() error {
			if err := r.state.CopyTo(ctx, filepath.Join(dir, "state.db")); err != nil {
				return err
			}
			return list()
		})
	})
}

// backupThrough asks the server that holds the data directory, over its socket.
func backupThrough(ctx context.Context, s serving, dir string) error {
	body, err := json.Marshal(map[string]string{"dir": dir})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://serve/api/backup", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	var d net.Dialer
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", s.Socket)
	}}
	defer t.CloseIdleConnections()
	resp, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return fmt.Errorf("ask the server (process %d): %w", s.PID, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	// An answer that is no problem document leaves the detail empty.
	_ = json.NewDecoder(resp.Body).Decode(&problem)
	return fmt.Errorf("the server (process %d) answers %s: %s", s.PID, resp.Status, problem.Detail)
}
