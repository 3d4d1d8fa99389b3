// Package simulate writes the audit logs of an organisation that does not
// exist: everyday work of many accounts, programs and people, and trouble whose
// truth is known.
//
// The same seed gives the same bytes. Nothing here reads a clock.
package simulate

import (
	"fmt"
	"time"
	_ "time/tzdata" // the same world wherever it is made

	"github.com/yagura-sec/yagura/simulate/estate"
)

// Config says which world to make. The zero value is a small one.
type Config struct {
	Seed   int64
	Size   string        // "small", "medium" or "large"; small if empty
	Family estate.Family // Smooth if empty
	// Days, Accounts and Secrets are those of the size if zero.
	Days     int
	Accounts int
	Secrets  int
	// Start is the first hour of the logs, in UTC; Monday 2 March 2026 if zero.
	Start time.Time
	// Calm leaves out trouble and what looks like it.
	Calm bool
	// Story adds what rules and the ledger are there for: a pipeline's key leaks
	// and is used, an account is silent for an hour, digests vouch for a file that
	// was never delivered, another is cut off, and one is no log. It is told in
	// Summary, not in the labels.
	Story bool
	// Products adds what security products say of it, in findings/; everything else
	// stays byte for byte the same.
	Products bool
	// Progress is told of each hour of the logs that is about to be written; nil:
	// nobody is.
	Progress func(hour time.Time)

	// Of Organisation.
	sample  bool    // homes in one region, people in one office
	records int     // about so many records: rates follow from it
	scale   float64 // of rates of use and people's work
}

type size struct{ accounts, secrets, days int }

var sizes = map[string]size{
	"small":  {12, 150, 45},
	"medium": {100, 1_500, 60},
	"large":  {1_000, 20_000, 14},
}

// calmDays are the first days, in which nothing but everyday work happens, so
// that it can be learned: a third of shorter runs.
const calmDays = 15

func (c Config) withDefaults() Config {
	if c.Size == "" {
		c.Size = "small"
	}
	if c.Family == "" {
		c.Family = estate.Smooth
	}
	s := sizes[c.Size]
	if c.Days == 0 {
		c.Days = s.days
	}
	if c.Accounts == 0 {
		c.Accounts = s.accounts
	}
	if c.Secrets == 0 {
		c.Secrets = s.secrets
	}
	if c.Start.IsZero() {
		c.Start = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	}
	c.Start = c.Start.UTC().Truncate(time.Hour)
	if c.scale == 0 {
		c.scale = 1
	}
	return c
}

// Check tells what Build and Write would refuse.
func (c Config) Check() error { return c.withDefaults().check() }

func (c Config) check() error {
	_, known := sizes[c.Size]
	switch {
	case !known:
		return fmt.Errorf("size %q: there are small, medium and large", c.Size)
	case c.Family != estate.Smooth && c.Family != estate.Bursts:
		return fmt.Errorf("family %q: there are %s and %s", c.Family, estate.Smooth, estate.Bursts)
	case c.Accounts < 1 || c.Accounts > 5000:
		return fmt.Errorf("%d accounts: 1 to 5000 can be simulated", c.Accounts)
	case c.Days < 1 || c.Days > 3660:
		return fmt.Errorf("%d days: 1 to 3660 can be simulated", c.Days)
	case c.Secrets < 1 || c.Secrets > 1_000_000:
		return fmt.Errorf("%d secrets: 1 to 1,000,000 can be simulated", c.Secrets)
	case c.Start.Year() < 1980 || c.Start.Year() > 2088:
		return fmt.Errorf("start %s: holidays are known from 1980 to 2099", c.Start.Format(time.DateOnly))
	case c.records < 0:
		return fmt.Errorf("%d records: must not be negative", c.records)
	}
	return nil
}

// Build makes the world without writing anything.
func Build(c Config) (*estate.World, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return newBuilder(c).world(), nil
}

func (c Config) troubleAt() time.Time {
	days := calmDays
	if c.Days < 22 {
		days = max(1, c.Days/3)
	}
	return c.Start.AddDate(0, 0, days)
}
