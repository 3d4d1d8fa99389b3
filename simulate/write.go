package simulate

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/products"
	"github.com/yagura-sec/yagura/simulate/streams"
	"github.com/yagura-sec/yagura/simulate/trouble"
)

// Summary is what was written, and the truth about it.
type Summary struct {
	Organisation string    `json:"organisation"`
	Accounts     []string  `json:"accounts"`
	Start        time.Time `json:"start"`
	End          time.Time `json:"end"`

	Files    int   `json:"files"`    // all files, with digests and damaged ones
	Digests  int   `json:"digests"`  // digest files among them
	Bytes    int64 `json:"bytes"`    // as stored
	Content  int64 `json:"content"`  // before compression
	Records  int   `json:"records"`  // readable records in files, with duplicates
	Again    int   `json:"again"`    // records among them that are delivered a second time
	Damaged  int   `json:"damaged"`  // records in the file that is cut off: some of them can be read
	Withheld int   `json:"withheld"` // records of the file that a digest names and nobody delivered
	Labels   int   `json:"labels"`   // trouble and what looks like it
	Findings int   `json:"findings"` // records of security products, in findings/

	// DamagedFile, ForeignFile and MissingFile are paths below the folder: a
	// gzip file that ends too early, one that is no CloudTrail, and one that a
	// digest vouches for but that is not there. Empty where there is none.
	DamagedFile string `json:"damaged_file,omitempty"`
	ForeignFile string `json:"foreign_file,omitempty"`
	MissingFile string `json:"missing_file,omitempty"`
	// Silent is the account and the hour in which it delivered nothing.
	Silent Silence `json:"silent,omitzero"`
	// Story tells what happened beside everyday work, in order of time.
	Story []Scene `json:"story,omitempty"`
}

// Silence is a time in which an account that is usually busy delivered nothing.
type Silence struct {
	Account string    `json:"account"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// Scene is one call that was put among the others on purpose.
type Scene struct {
	At        time.Time `json:"at"`
	Account   string    `json:"account"`
	EventID   string    `json:"event_id"`
	Operation string    `json:"operation"`
	Actor     string    `json:"actor"`
	// Bad tells an attacker's call from a harmless one that looks like it.
	Bad  bool   `json:"bad"`
	What string `json:"what"`
}

// Write fills dir, which must be empty or absent: logs/ is the bucket of an
// organisation trail, streams/ has the logs of others, world.json says what
// there is, labels.jsonl what happened beside everyday work, and calendar.json
// what was known of it; with Products, findings/ what security products say. On error what was written so far remains.
func (c Config) Write(ctx context.Context, dir string) (Summary, error) {
	c = c.withDefaults()
	w, err := Build(c)
	if err != nil {
		return Summary{}, err
	}
	if err := emptyDir(dir); err != nil {
		return Summary{}, err
	}
	var plan estate.Plan
	if !c.Calm {
		plan = trouble.Plan(w, c.Seed)
	}
	return c.write(ctx, dir, w, plan)
}

// write lets the world live as planned.
func (c Config) write(ctx context.Context, dir string, w *estate.World, plan estate.Plan) (Summary, error) {
	e := newEngine(c, w)
	e.take(plan)
	e.d = newDelivery(e, filepath.Join(dir, "logs"))
	err := e.run(ctx)
	if closeErr := e.d.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Summary{}, err
	}
	e.sum.Labels = len(plan.Labels)
	beside := plan // with what happens at other providers
	if !c.Calm {
		beside = streams.Plan(w, plan)
	}
	if err := streams.Write(ctx, filepath.Join(dir, "streams"), w, beside); err != nil {
		return Summary{}, err
	}
	if c.Products {
		seen := products.Seen{World: w, Labels: plan.Labels}
		for _, s := range e.sum.Story {
			call := products.Call{At: s.At, Account: s.Account, Operation: s.Operation, Actor: s.Actor, Bad: s.Bad}
			if s.Bad {
				call.IP = strangerIP
			}
			seen.Story = append(seen.Story, call)
		}
		if e.sum.Findings, err = products.Write(ctx, filepath.Join(dir, "findings"), seen); err != nil {
			return Summary{}, err
		}
	}
	if err := writeTruth(dir, w, plan); err != nil {
		return Summary{}, err
	}
	return e.sum, nil
}

// writeTruth writes what is beside the logs.
func writeTruth(dir string, w *estate.World, plan estate.Plan) error {
	if err := writeJSON(filepath.Join(dir, "world.json"), truthOf(w)); err != nil {
		return err
	}
	windows := append([]finding.Window{}, plan.Windows...)
	if err := writeJSON(filepath.Join(dir, "calendar.json"), map[string][]finding.Window{"windows": windows}); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "labels.jsonl"))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	enc := json.NewEncoder(out)
	for _, l := range plan.Labels {
		if l.Events == nil {
			l.Events = []string{} // of the other streams
		}
		if err := enc.Encode(l); err != nil {
			f.Close()
			return err
		}
	}
	if err := out.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// truth is a world with what its nouns have of each other, by name.
type truth struct {
	*estate.World
	Apps     []appTruth     `json:"apps"`
	People   []personTruth  `json:"people"`
	Readings []readingTruth `json:"readings"`
}

type appTruth struct {
	*estate.App
	Account   string   `json:"account"`
	Team      string   `json:"team"`
	Secrets   []string `json:"secrets"`
	Workloads []string `json:"workloads"` // roles
}

type personTruth struct {
	*estate.Person
	Team string `json:"team"`
}

type readingTruth struct {
	Role   string `json:"role"`
	Secret string `json:"secret"`
	*estate.Reading
}

func truthOf(w *estate.World) truth {
	t := truth{World: w}
	for _, a := range w.Apps {
		at := appTruth{App: a, Account: a.Account.ID, Team: a.Team.Name}
		for _, s := range a.Secrets {
			at.Secrets = append(at.Secrets, s.ARN)
		}
		for _, wl := range a.Workloads {
			at.Workloads = append(at.Workloads, wl.Role)
		}
		t.Apps = append(t.Apps, at)
	}
	for _, p := range w.People {
		t.People = append(t.People, personTruth{p, p.Team.Name})
	}
	for _, wl := range w.Workloads {
		for _, r := range wl.Reads {
			t.Readings = append(t.Readings, readingTruth{wl.Role, r.Secret.ARN, r})
		}
	}
	return t
}

func writeJSON(path string, v any) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if names, _ := f.Readdirnames(1); len(names) > 0 {
		return fmt.Errorf("%s is not empty: choose a folder of its own", dir)
	}
	return nil
}
