// Package simulate writes the audit logs of an organisation that does not
// exist: everyday work of many accounts, and trouble whose truth is known.
//
// The same seed gives the same bytes. Nothing here reads a clock.
package simulate

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Organisation says what to write. The zero value is the sample organisation
// of the demo.
type Organisation struct {
	Seed int64
	// Accounts, 12 if zero.
	Accounts int
	// Days of logs, 3 if zero.
	Days int
	// Records is about how many to write, 60,000 if zero. Records delivered
	// twice are not counted in it.
	Records int
	// Start is the first hour of the logs, in UTC; Monday 2 March 2026 if zero.
	Start time.Time
	// Plain leaves out the story, the gap, the digest files and the damage:
	// everyday work only, for measuring.
	Plain bool
}

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

// Write fills dir, which must be empty or absent, with the bucket of an
// organisation trail. On error what was written so far remains.
func (o Organisation) Write(ctx context.Context, dir string) (Summary, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return Summary{}, err
	}
	if err := emptyDir(dir); err != nil {
		return Summary{}, err
	}
	w := newWorld(o)
	d := newDelivery(w, dir)
	err := w.run(ctx, d)
	if closeErr := d.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Summary{}, err
	}
	return w.sum, nil
}

func (o Organisation) withDefaults() Organisation {
	if o.Accounts == 0 {
		o.Accounts = 12
	}
	if o.Days == 0 {
		o.Days = 3
	}
	if o.Records == 0 {
		o.Records = 60_000
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	}
	o.Start = o.Start.UTC().Truncate(time.Hour)
	return o
}

func (o Organisation) check() error {
	switch {
	case o.Accounts < 1 || o.Accounts > 5000:
		return fmt.Errorf("%d accounts: 1 to 5000 can be simulated", o.Accounts)
	case o.Days < 1 || o.Days > 3660:
		return fmt.Errorf("%d days: 1 to 3660 can be simulated", o.Days)
	case o.Records < 0:
		return fmt.Errorf("%d records: must not be negative", o.Records)
	}
	return nil
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

// run goes through time in slots, as CloudTrail delivers, and through all
// accounts in each slot, so that a call between two accounts reaches both.
func (w *world) run(ctx context.Context, d *delivery) error {
	step := w.slotLength()
	end := w.o.Start.AddDate(0, 0, w.o.Days)
	perSlot := float64(w.o.Records) / w.totalWeight(step)
	for at := w.o.Start; at.Before(end); at = at.Add(step) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, a := range w.accounts {
			if w.silent(a, at) {
				continue
			}
			a.credit += perSlot * a.load(at)
			for a.credit >= 1 {
				second := at.Unix() + int64(w.rng.IntN(int(step/time.Second)))
				a.credit -= float64(w.everyday(a, second))
			}
		}
		for len(w.script) > 0 && w.script[0].at.Before(at.Add(step)) {
			w.script[0].play(w)
			w.script = w.script[1:]
		}
		if err := d.slot(at.Add(step)); err != nil {
			return err
		}
	}
	if err := d.finish(end); err != nil {
		return err
	}
	w.sum.End = end
	return nil
}

// slotLength is CloudTrail's five minutes, or longer where there are so few
// records that files would hold only one or two.
func (w *world) slotLength() time.Duration {
	for _, step := range []time.Duration{5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute} {
		slots := float64(w.o.Accounts*w.o.Days) * float64(24*time.Hour/step)
		if float64(w.o.Records)/slots >= 60 {
			return step
		}
	}
	return time.Hour
}

func (w *world) totalWeight(step time.Duration) float64 {
	var sum float64
	for at := w.o.Start; at.Before(w.o.Start.AddDate(0, 0, w.o.Days)); at = at.Add(step) {
		for _, a := range w.accounts {
			sum += a.load(at)
		}
	}
	return sum
}

// load is how busy an account is at a time: an office in UTC+9 over a base of
// programs that never rest, or those programs alone.
func (a *account) load(at time.Time) float64 {
	if a.steady {
		return a.busy * 0.7
	}
	local := at.Add(9 * time.Hour)
	h := float64(local.Hour()) + float64(local.Minute())/60
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	switch {
	case !weekend && h >= 9 && h < 19:
		return a.busy
	case !weekend && h >= 7 && h < 22:
		return a.busy * 0.6
	}
	return a.busy * 0.35
}

func (w *world) silent(a *account, at time.Time) bool {
	s := w.sum.Silent
	return a.id == s.Account && !at.Before(s.From) && at.Before(s.To)
}
