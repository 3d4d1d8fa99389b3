package simulate

import (
	"context"
	"time"
)

// Organisation is a small configuration of the simulator: a sample of everyday
// work of about so many records, with a story told in it. The zero value is the
// sample organisation of tests and measurements.
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

// sampleShare is how much of a sample is use of secrets; people's work is less,
// and the rest is everything else.
const sampleShare = 0.25

func (o Organisation) config() Config {
	if o.Accounts == 0 {
		o.Accounts = 12
	}
	if o.Days == 0 {
		o.Days = 3
	}
	if o.Records == 0 {
		o.Records = 60_000
	}
	c := Config{
		Seed: o.Seed, Accounts: o.Accounts, Days: o.Days, Secrets: 8 * max(o.Accounts, 1), Start: o.Start, Calm: true,
		sample: true, Story: !o.Plain, records: o.Records,
	}
	const perSecretAndDay = 220 // records, at the usual rates
	if o.Accounts > 0 && o.Days > 0 && o.Records > 0 {
		c.scale = min(4, sampleShare*float64(o.Records)/float64(o.Days*c.Secrets)/perSecretAndDay)
	}
	return c.withDefaults()
}

// Write fills dir, which must be empty or absent, with the bucket of an
// organisation trail. On error what was written so far remains.
func (o Organisation) Write(ctx context.Context, dir string) (Summary, error) {
	c := o.config()
	if err := c.check(); err != nil {
		return Summary{}, err
	}
	if err := emptyDir(dir); err != nil {
		return Summary{}, err
	}
	return o.write(ctx, dir)
}

func (o Organisation) write(ctx context.Context, dir string) (Summary, error) {
	c := o.config()
	e := newEngine(c, newBuilder(c).world())
	e.d = newDelivery(e, dir)
	err := e.run(ctx)
	if closeErr := e.d.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Summary{}, err
	}
	return e.sum, nil
}

// slotLength is CloudTrail's five minutes, or longer where there are so few
// records that files would hold only one or two; in seconds.
func (c *Config) slotLength() int64 {
	for _, step := range []int64{300, 600, 900, 1800} {
		slots := float64(c.Accounts*c.Days) * float64(86400/step)
		if float64(c.records)/slots >= 60 {
			return step
		}
	}
	return 3600
}

// middle is midnight of the day in which things happen.
func (e *engine) middle() time.Time {
	if !e.c.sample {
		return e.w.Start.AddDate(0, 0, e.c.Days*3/4) // when there is something to compare with
	}
	return e.w.Start.AddDate(0, 0, e.c.Days/2)
}
