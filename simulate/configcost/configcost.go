// Package configcost writes the logs, bills and counts of an organisation whose AWS
// Config costs too much because a service on Fargate restarts all day: one week of
// CloudTrail of six accounts, bills of three months, and the configuration items of
// thirty days.
//
//	logs/    CloudTrail, as an organisation's trail delivers it
//	bills/   two months of CUR 2.0 as CSV and one as Parquet
//	counts/  configuration items by type, and what is set up in the accounts
//	extra/   the last month once more, as FOCUS: for whoever reads it instead
//	world.json  the truth
//
// The same configuration writes the same bytes.
package configcost

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Variants of the story.
const (
	Default         = "default"          // the story itself
	Move            = "move"             // a part of GuardDuty is billed under Security Hub from the last month on
	IntegrationOff  = "integration-off"  // a landing zone that leaves AWS Config to the customer
	NoCounts        = "no-counts"        // CloudTrail and bills, but no counts of items
	Ratios          = "ratios"           // types just below, at and just above four items a changed resource-day
	NoControlTower  = "no-control-tower" // nobody governs the accounts
	FirewallManager = "firewall-manager" // its policies need the types that would be cheaper
	Schedule        = "schedule"         // a task of each minute, and no loop
	LateRows        = "late-rows"        // rows of the bills that cannot be read
)

// Variants are all of them, the story itself first.
var Variants = []string{Default, Move, IntegrationOff, NoCounts, Ratios, NoControlTower, FirewallManager, Schedule, LateRows}

// Bounds of Config.Records.
const (
	Records = 20_000
	fewest  = 2_000
	most    = 5_000_000
)

// Config says which world to write.
type Config struct {
	Seed    int64
	Variant string // one of Variants; empty: Default
	Records int    // of ordinary work; 0: Records

	// Accounts are those of another world whose bill this is: the management account,
	// log archive, audit, that of the interfaces, that of the network, and one more.
	// None: they are invented.
	Accounts []Named
	Last     time.Time // the first day of the last bill's month; zero: September 2026
}

// Named is an account by its id and name.
type Named struct{ ID, Name string }

// Check says what is wrong with a configuration.
func (c Config) Check() error {
	switch {
	case c.Variant != "" && !slices.Contains(Variants, c.Variant):
		return fmt.Errorf("variant %q: it is one of %s", c.Variant, strings.Join(Variants, ", "))
	case c.Records != 0 && (c.Records < fewest || c.Records > most):
		return fmt.Errorf("records %d: from %d to %d", c.Records, fewest, most)
	case len(c.Accounts) != 0 && len(c.Accounts) != accounts:
		return fmt.Errorf("%d accounts: it is %d", len(c.Accounts), accounts)
	}
	return nil
}

// Summary is what was written.
type Summary struct {
	Start, End time.Time // of the logs
	Ordinary   int       // records of ordinary work
	Story      int       // of interfaces, and of what governs the accounts
	Rows       int       // of the bills
	Truth      Truth
}

// Write writes the world below dir, which has to be empty or absent.
func (c Config) Write(ctx context.Context, dir string) (Summary, error) {
	if err := c.Check(); err != nil {
		return Summary{}, err
	}
	w := build(c)
	if err := w.writeLogs(ctx, filepath.Join(dir, "logs")); err != nil {
		return Summary{}, err
	}
	if err := ctx.Err(); err != nil {
		return Summary{}, err
	}
	if err := w.writeBills(dir); err != nil {
		return Summary{}, fmt.Errorf("bills: %w", err)
	}
	if err := w.writeCounts(filepath.Join(dir, "counts")); err != nil {
		return Summary{}, fmt.Errorf("counts: %w", err)
	}
	t, err := w.writeTruth(dir)
	return Summary{Start: w.start, End: w.end, Ordinary: w.ordinary, Story: w.told, Rows: w.rows, Truth: t}, err
}

// WriteBills writes what Write does but for the logs: for a sample organisation whose
// logs are others'.
func (c Config) WriteBills(dir string) (Summary, error) {
	if err := c.Check(); err != nil {
		return Summary{}, err
	}
	w := build(c)
	if err := w.writeBills(dir); err != nil {
		return Summary{}, fmt.Errorf("bills: %w", err)
	}
	if err := w.writeCounts(filepath.Join(dir, "counts")); err != nil {
		return Summary{}, fmt.Errorf("counts: %w", err)
	}
	t, err := w.writeTruth(dir)
	return Summary{Start: w.start, End: w.end, Rows: w.rows, Truth: t}, err
}

// world is what is being written.
type world struct {
	Config
	scale      float64     // of ordinary work: 1 at Records
	months     []time.Time // of the bills
	first      time.Time   // of the thirty days that are counted
	start, end time.Time   // of the logs: a week of those days
	since      time.Time   // when the loop, or the schedule, began
	cast
	plan   plan
	makers []*maker
	items  []itemCount
	bills  []line // of the bills, in order of days

	delivery *delivery
	ordinary int
	told     int
	telling  bool // what is written belongs to the story
	rows     int
}

// How long things are.
const (
	countedDays = 30
	loggedDays  = 7
	accounts    = 6
	day         = 24 * time.Hour
)

// plan is what differs between variants in numbers.
type plan struct {
	creations int // of interfaces a day, and as many deletions
	looping   int // of them by the service that restarts, or by the schedule
	counts    []typeCount
}

// typeCount is what AWS Config recorded of a type in the thirty days.
type typeCount struct {
	account      *account
	kind         string
	items        int64
	resourceDays int64
}

func build(c Config) *world {
	if c.Records == 0 {
		c.Records = Records
	}
	if c.Variant == "" {
		c.Variant = Default
	}
	w := &world{Config: c, scale: float64(c.Records) / Records}
	last := c.Last
	switch {
	case !last.IsZero():
	case c.Variant == Move:
		last = moved.AddDate(0, 0, 1-moved.Day())
	default:
		last = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	}
	w.months = []time.Time{last.AddDate(0, -2, 0), last.AddDate(0, -1, 0), last}
	rng := w.chance("world")
	w.first = last.AddDate(0, 1, -countedDays)
	w.start = w.first.AddDate(0, 0, 4+rng.IntN(countedDays-loggedDays-5))
	w.end = w.start.AddDate(0, 0, loggedDays)
	w.since = w.months[0].AddDate(0, 0, 12+rng.IntN(36)).Add(time.Duration(rng.IntN(86400)) * time.Second)
	w.cast = w.casting(rng)
	w.plan = w.planned()
	w.makers = w.making()
	w.items = w.counting()
	w.bills = w.billing()
	return w
}

// planned are the numbers of a variant: those of the story are the same whatever the
// seed.
func (w *world) planned() plan {
	p := plan{creations: 8500, looping: 7820, counts: []typeCount{
		{w.churn, networkInterface, 510_000, 900},
		{w.churn, securityGroup, 255_000, 1200},
		{w.network, subnet, 255_000, 720},
		{w.network, vpc, 240_000, 90},
		{w.legacy, role, 120, 118},
		{w.archive, bucket, 300, 75},
		{w.audit, compliance, 400_000, 0},
	}}
	switch w.Variant {
	case Schedule:
		p.looping = 7200 // five tasks each minute
	case Ratios:
		p.creations, p.looping = 60, 0
		p.counts = []typeCount{
			{w.churn, networkInterface, 3601, 900}, // just above four
			{w.churn, securityGroup, 4799, 1200},   // just below
			{w.network, subnet, 2880, 720},         // four
			{w.network, vpc, 361, 90},              // just above
			{w.legacy, role, 471, 118},             // just below
			{w.archive, bucket, 300, 75},           // four
			{w.audit, compliance, 400_000, 0},
		}
	}
	return p
}

// Resource types of AWS Config.
const (
	networkInterface = "AWS::EC2::NetworkInterface"
	securityGroup    = "AWS::EC2::SecurityGroup"
	subnet           = "AWS::EC2::Subnet"
	vpc              = "AWS::EC2::VPC"
	role             = "AWS::IAM::Role"
	bucket           = "AWS::S3::Bucket"
	compliance       = "AWS::Config::ResourceCompliance"
)

// itemCount is what AWS Config recorded of a type on a day.
type itemCount struct {
	account      *account
	kind         string
	day          time.Time
	items        int64
	resourceDays int64
}

// counting spreads the plan's counts over the days of the bills: exactly over the
// thirty that are counted, and about so before.
func (w *world) counting() (out []itemCount) {
	for _, c := range w.plan.counts {
		rng := w.chance("items", c.account.id, c.kind)
		even := w.madeByInterfaces(c.kind)
		days := spread(rng, c.resourceDays, true, w.logged)
		items := spread(rng, c.items-c.resourceDays, even, w.logged)
		for i := range items {
			items[i] += days[i] // each resource that changed has one item at least
		}
		for at := w.months[0]; at.Before(w.months[2].AddDate(0, 1, 0)); at = at.Add(day) {
			n := itemCount{c.account, c.kind, at, 0, 0}
			if i := int(at.Sub(w.first) / day); i >= 0 {
				n.items, n.resourceDays = items[i], days[i]
			} else {
				n.items, n.resourceDays = w.before(rng, c, at)
			}
			out = append(out, n)
		}
	}
	return out
}

// madeByInterfaces tells whether items of a type come from making interfaces.
func (w *world) madeByInterfaces(kind string) bool {
	return slices.Contains([]string{networkInterface, securityGroup, subnet, vpc}, kind)
}

// logged tells whether a day of the thirty has logs, from which its count follows.
func (w *world) logged(i int) bool {
	at := w.first.AddDate(0, 0, i)
	return !at.Before(w.start) && at.Before(w.end)
}

// before is a day's count before the thirty days: what restarts made it grow.
func (w *world) before(rng *rand.Rand, c typeCount, at time.Time) (items, resourceDays int64) {
	items, resourceDays = c.items/countedDays, c.resourceDays/countedDays
	if w.madeByInterfaces(c.kind) && w.plan.creations > 0 {
		share := 1.0
		if gone := w.since.Sub(at); gone > 0 {
			share = 1 - min(1, gone.Hours()/24)
		}
		items = int64(float64(items) * (float64(w.plan.creations-w.plan.looping) + share*float64(w.plan.looping)) / float64(w.plan.creations))
	}
	return int64(float64(items) * (0.96 + 0.08*rng.Float64())), min(items, resourceDays)
}

// spread is a total over thirty days: as even as it can be on the days that are
// fixed, and a little more or less on others if it is even at all.
func spread(rng *rand.Rand, total int64, even bool, fixed func(i int) bool) []int64 {
	out := make([]int64, countedDays)
	for i := range out {
		out[i] = total / countedDays
	}
	free := []int{}
	for i := range out {
		if !fixed(i) {
			free = append(free, i)
		}
	}
	for range total % countedDays {
		out[free[rng.IntN(len(free))]]++
	}
	shift := int64(float64(total/countedDays) * 0.03)
	if !even {
		shift = total / countedDays / 2
	}
	for k := range len(free) / 2 { // what one day has less, another has more
		if shift > 0 {
			n := rng.Int64N(shift + 1)
			out[free[2*k]] += n
			out[free[2*k+1]] -= n
		}
	}
	return out
}

// chance is a source of its own for each thing that is drawn, so that nothing
// depends on the order of writing.
func (w *world) chance(of ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, of...)
	return rand.New(rand.NewPCG(uint64(w.Seed), h.Sum64()))
}

func one[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
