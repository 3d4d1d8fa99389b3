// Package frequency judges how often secrets and keys are read: more in an hour,
// in five minutes or in a day than ever, slowly more from day to day, or many
// secrets by one who never read them.
//
// Of every secret it learns a level (calls an hour) and a profile (how the hours
// of working days and of days off share them), both held against its family, its
// account and the estate as long as there is little of its own. Counts are taken
// as negative binomial: their spread is learned too and held against that of the
// other secrets. What is learned in a day is bounded, see Bound.
package frequency

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Options leave parts out, to measure what they are worth.
type Options struct {
	NoContext   bool // deploys, restarts and rotations explain nothing
	NoPeers     bool // profiles are the secret's own only
	NoShrinkage bool // spreads are the secret's own only
}

// The classes of alarms: scores of one class are comparable.
const (
	ClassHour  = "frequency/hour"  // a secret's hour, or five minutes of it
	ClassDays  = "frequency/days"  // a secret's day so far, or a rise over days
	ClassSweep = "frequency/sweep" // many secrets by one who never read them
)

// MatureDays is how many days of a secret have to be known before it is judged.
const MatureDays = 7

// Bound is by how much a secret's level can grow in a day at most, whatever it
// is fed: 12 %. Only after three days in a row that were each out of the usual,
// and so were there to be seen, it follows faster (see adopt).
const Bound = 0.12

// sign implements watch.Sign.
type sign struct {
	o        Options
	packed   packed
	secrets  []state // all of packed, while a day is learned
	home     []home  // by secret
	pools    []pool
	poolOf   map[uint64]int32  // by the hash of what it is of
	families map[uint64]family // by the hash of account and name
	account  map[string]int32  // number of an account by its id
	days     int               // learned
	shape    float64           // median spread of the secrets
	day      float64           // the same of their days
	swings   swings            // how far hours go beyond their spread
	daily    swings            // the same of days
	judged   float64           // hours of secrets that were judged, decayed
	raised   float64           // of them, how many had a score of watch.Floor and more unexplained
	tail     stat.Tail         // scores of all secrets' hours
	late     []watch.Act       // of the last hour learned: what may explain the next
	sweep    sweep
	ends     map[int32]ends  // by family: what ends of months brought to several of its secrets
	ended    map[int32]int   // by family: secrets that showed the end of a month on the day being learned
	breadth  map[kin]int32   // how many secrets of a family an actor usually reads
	reading  map[string]bool // operations that read a value
	scratch  scratch
	today    today
}

// home is where a secret belongs.
type home struct {
	family  int32 // number of the family
	pool    int32 // of those it shares its hours with: the family's, or the account's where it has none
	account int32 // number of the account, or -1
}

// family is secrets that belong together. It has a pool from its second secret on.
type family struct{ number, first, pool int32 }

// kin is an actor that reads secrets of a family.
type kin struct{ actor, family int32 }

// New gives the sign.
func New(o Options) watch.Sign {
	s := &sign{o: o, poolOf: map[uint64]int32{}, families: map[uint64]family{}, account: map[string]int32{}, reading: map[string]bool{}, shape: 8, day: 8}
	s.sweep.init()
	s.breadth = map[kin]int32{}
	s.ends, s.ended = map[int32]ends{}, map[int32]int{}
	s.pools = append(s.pools, newPool(-1)) // 0: the estate
	return s
}

func (s *sign) Name() string { return finding.SignFrequency }

func (s *sign) Clone() watch.Sign {
	c := *s
	c.home = slices.Clone(s.home)
	c.pools = slices.Clone(s.pools)
	c.poolOf = maps.Clone(s.poolOf)
	c.families = maps.Clone(s.families)
	c.account = maps.Clone(s.account)
	c.reading = maps.Clone(s.reading)
	c.late = slices.Clone(s.late)
	c.breadth = maps.Clone(s.breadth)
	c.ends, c.ended = maps.Clone(s.ends), map[int32]int{}
	c.sweep = s.sweep.clone()
	c.scratch, c.today = scratch{}, today{}
	return &c
}

func (s *sign) Bytes() int {
	return len(s.packed.bytes) + 4*len(s.packed.ends) + len(s.home)*int(unsafe.Sizeof(home{})) +
		len(s.pools)*int(unsafe.Sizeof(pool{})) + 20*len(s.poolOf) + 32*len(s.families) + 20*len(s.breadth) + 24*len(s.ends) + s.sweep.bytes()
}

// grow makes room for secrets that were not there yet.
func (s *sign) grow(names *watch.Names) {
	if len(s.account) < len(names.Accounts) {
		for i := len(s.account); i < len(names.Accounts); i++ {
			s.account[names.Accounts[i]] = int32(i)
		}
		for i := range s.home {
			if at, ok := s.account[names.Secrets[i].Account]; ok {
				s.home[i].account = at
			}
		}
	}
	for i := len(s.home); i < len(names.Secrets); i++ {
		n := &names.Secrets[i]
		at, ok := s.account[n.Account]
		if !ok {
			at = -1
		}
		acc := s.pool(hashOf("a", n.Account), 0)
		key := hashOf(n.Account, n.Family)
		f, ok := s.families[key]
		switch {
		case !ok:
			f = family{int32(len(s.families)), int32(i), acc}
			s.families[key] = f
		case f.pool == acc:
			f.pool = s.pool(hashOf("f", n.Account, n.Family), acc)
			s.families[key] = f
			s.home[f.first].pool = f.pool
		}
		s.home = append(s.home, home{f.number, f.pool, at})
		s.sweep.canon(int32(i), n)
	}
}

func (s *sign) pool(key uint64, parent int32) int32 {
	i, ok := s.poolOf[key]
	if !ok {
		i = int32(len(s.pools))
		s.pools = append(s.pools, newPool(parent))
		s.poolOf[key] = i
	}
	return i
}

// reads tells whether the operation gives out a value, or uses a key.
func (s *sign) reads(operation string) bool {
	yes, ok := s.reading[operation]
	if !ok {
		yes = reads(operation)
		s.reading[operation] = yes
	}
	return yes
}

func reads(operation string) bool {
	operation = operation[strings.LastIndexByte(operation, '.')+1:] // Google Cloud names methods in full
	switch operation {
	case "GetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory",
		"AccessSecretVersion", "SecretGet", "KeySign", "KeyUnwrap", "KeyDecrypt", "KeyEncrypt", "KeyWrap", "KeyRelease",
		"RawEncrypt", "RawDecrypt", "Decapsulate":
		return true
	}
	for _, head := range []string{"Decrypt", "GenerateDataKey", "GenerateMac", "Sign", "ReEncrypt", "Encrypt", "DeriveSharedSecret", "AsymmetricSign", "AsymmetricDecrypt", "MacSign"} {
		if strings.HasPrefix(operation, head) {
			return true
		}
	}
	return false
}

// counts tells whether the use is a read that this sign counts: what was denied,
// throttled or not found is the business of other signs.
func (s *sign) counts(u *watch.Use, names *watch.Names) bool {
	return u.Secret >= 0 && u.Outcome == event.Success && s.reads(u.Operation) &&
		(u.Caller != event.CallerAWSService || names.Secrets[u.Secret].Key)
}

// scratch is what an hour is gathered in, reused from hour to hour.
type scratch struct {
	at    []int32 // by secret: 1 + index in cells
	cells []cell
	near  []unpacked // by the secret's number, modulo its length
}

// cell is what one secret had in one hour.
type cell struct {
	secret      int32
	x           float64 // reads
	mean        float64 // expected
	k           float64 // spread of the prediction
	score       float64
	plain       float64 // the score by the secret's own spread alone
	peak        float64 // busiest five minutes; 0 if not known
	peakAt      time.Time
	first, last time.Time
	actor       int32 // with the greatest part of what is too much
	part        float64
	over        float64 // how many more than usual
	usual       bool    // it usually reads this secret
	kin         bool    // or others of its family
	caller      event.Caller
	region      string
	actors      []share
	context     []finding.Explanation
	run         float64 // calls of a run known at this hour
}

type share struct {
	actor       int32
	count       float64
	caller      event.Caller
	region      string
	first, last time.Time
}

// gather adds up hour i by secret. What it returns is good until the next call.
func (s *sign) gather(day *watch.Day, i int) []cell {
	h := day.Hours[i]
	c := &s.scratch
	if n := len(s.home) - len(c.at); n > 0 {
		c.at = append(c.at, make([]int32, n)...)
	}
	for j := range c.cells {
		c.at[c.cells[j].secret] = 0
	}
	c.cells = c.cells[:0]
	for j := range h.Uses {
		u := &h.Uses[j]
		if !s.counts(u, day.Names) {
			continue
		}
		at := c.at[u.Secret]
		if at == 0 {
			if len(c.cells) < cap(c.cells) {
				c.cells = c.cells[:len(c.cells)+1]
				actors := c.cells[len(c.cells)-1].actors[:0]
				c.cells[len(c.cells)-1] = cell{secret: u.Secret, first: u.First, last: u.Last, actors: actors}
			} else {
				c.cells = append(c.cells, cell{secret: u.Secret, first: u.First, last: u.Last})
			}
			at = int32(len(c.cells))
			c.at[u.Secret] = at
		}
		c.cells[at-1].add(u)
	}
	for _, p := range h.Peaks {
		if p.Secret >= 0 && int(p.Secret) < len(c.at) && c.at[p.Secret] > 0 {
			x := &c.cells[c.at[p.Secret]-1]
			x.peak, x.peakAt = min(float64(p.Count), x.x), p.At
		}
	}
	return c.cells
}

func (c *cell) add(u *watch.Use) {
	c.x += float64(u.Count)
	if u.First.Before(c.first) {
		c.first = u.First
	}
	if u.Last.After(c.last) {
		c.last = u.Last
	}
	for i := range c.actors {
		if a := &c.actors[i]; a.actor == u.Actor {
			a.count += float64(u.Count)
			if u.First.Before(a.first) {
				a.first = u.First
			}
			if u.Last.After(a.last) {
				a.last = u.Last
			}
			return
		}
	}
	c.actors = append(c.actors, share{u.Actor, float64(u.Count), u.Caller, u.Region, u.First, u.Last})
}

// assess judges every secret that was read in hour i.
func (s *sign) assess(day *watch.Day, i int) []cell {
	cells := s.gather(day, i)
	at := day.Start.Add(time.Duration(i) * time.Hour)
	for j := range cells {
		s.judge(day, i, &cells[j], at)
	}
	if !s.o.NoContext {
		s.explain(day, i, cells)
	}
	return cells
}

// judge gives c its score.
func (s *sign) judge(day *watch.Day, i int, c *cell, at time.Time) {
	st := s.state(c.secret)
	c.mean, c.k = s.expect(c.secret, at)
	c.blame(st)
	if c.x <= c.mean || c.x < 2 {
		return
	}
	mean := c.mean
	if c.run = st.run(at, weekly); c.run > mean {
		mean = c.run
	}
	c.plain = interest(c.x, c.mean, c.k)
	if c.plain >= 1 {
		mean = max(mean, c.mean*s.lately(day, i, c.secret))
	}
	c.score = s.correct(st, min(interest(c.x, mean, c.k), stat.Score(s.swings.of(mean).lnUpper(c.x, mean, c.k))))
	if c.peak > 0 && st.peaks >= 5 {
		c.score = stat.Best(c.score, s.correct(st, st.peakScore(s.swings.of(mean), c.peak, mean, c.k)))
	}
}

// interest is the score of x reads where mean are usual, as far as the rise is of
// interest: it is measured from 1.6 times the usual and two more, so that a busy
// secret's small rise does not outdo a quiet one's great one. Such a score is
// rarer than chance alone would have it, never more often; see trials.
func interest(x, mean, k float64) float64 {
	return stat.Score(stat.LnUpper(x, tolerated(mean), k))
}

func tolerated(mean float64) float64 { return 1.6*mean + 2 }

// lately is how many times the usual the hours before were, 1 to 4: a level that
// has risen is told where it rises, not in each hour after. The greatest of them
// does not count, so that a burst does not make room for the next.
func (s *sign) lately(day *watch.Day, i int, secret int32) float64 {
	st := s.state(secret)
	at := day.Start.Add(time.Duration(i) * time.Hour)
	var x, mean, most, mostMean float64
	hours := 0
	for back := 1; back <= 6; back++ {
		n := -1.0
		if h := i - back; h < 0 {
			n = float64(st.past[len(st.past)+h]) - 1
		} else if day.Hours[h] != nil {
			n = s.readsOf(day, h, secret)
		}
		if n < 0 {
			continue
		}
		m, _ := s.expect(secret, at.Add(-time.Duration(back)*time.Hour))
		if n-m > most-mostMean {
			most, mostMean = n, m
		}
		x += n
		mean += m
		hours++
	}
	x, mean = x-most, mean-mostMean
	if hours < 4 || x <= mean {
		return 1
	}
	known := 1 / (1/max(mean, 0.1) + 1/(s.spread(st)*float64(hours-1)))
	return min(stat.Blend(x/max(mean, 0.1), known, 1, s.dayShape(st)), 4)
}

// correct holds the score against how the scores of this secret, and of all
// others, come out.
func (s *sign) correct(st *state, score float64) float64 {
	if s.o.NoShrinkage {
		return st.tail.Correct(score, stat.Tail{}, 300)
	}
	return st.tail.Correct(score, s.tail, 300)
}

// blame finds whose calls are too many.
func (c *cell) blame(st *state) {
	most := math.Inf(-1)
	for _, a := range c.actors {
		part := st.part(a.actor)
		if over := a.count - part*c.mean; over > most {
			most = over
			c.actor, c.over, c.part, c.caller, c.region = a.actor, over, a.count/c.x, a.caller, a.region
			c.usual = part > 0
		}
	}
}

// expect is the mean of a secret's reads in the hour, and the shape of the
// prediction.
func (s *sign) expect(secret int32, at time.Time) (mean, k float64) {
	st := s.state(secret)
	p := &s.pools[s.home[secret].pool]
	class, hour := p.class(at)
	return s.expectCell(st, p, class, hour)
}

func (s *sign) expectCell(st *state, p *pool, class, hour int) (mean, k float64) {
	k = s.spread(st)
	level := float64(st.level)
	r, v := st.rhythm(s.prior(p, class, hour), class, hour, k, s.o.NoPeers)
	mean = max(level*r, 1e-3)
	// The level is known from the last 1/0.12 days or so, or fewer.
	days := min(float64(st.days), 8) + 0.5
	v += (1/max(24*level, 0.5) + 1/(24*k)) / days
	return mean, 1 / (1/k + v)
}

// spread is the shape of a secret's counts, held against that of the others.
func (s *sign) spread(st *state) float64 {
	if s.o.NoShrinkage {
		if own := st.spread.Shape(); own > 0 {
			return own
		}
		return s.shape
	}
	n := float64(st.days) * 24 * min(1, float64(st.level))
	return stat.Shrink(st.spread.Shape(), n, s.shape, 300)
}

func (s *sign) Judge(day *watch.Day, i int) []watch.Alarm {
	if day.Hours[i] == nil {
		return nil
	}
	s.grow(day.Names)
	var alarms []watch.Alarm
	s.upTo(day, i)
	cells := s.takeHour(day, i)
	for j := range cells {
		if c := &cells[j]; c.score >= watch.Floor {
			alarms = append(alarms, s.alarm(day, i, c))
		}
	}
	alarms = s.judgeDay(alarms, day, i)
	return s.sweep.judge(s, alarms, day, i)
}

func (s *sign) alarm(day *watch.Day, i int, c *cell) watch.Alarm {
	st := s.state(c.secret)
	n := &day.Names.Secrets[c.secret]
	a := watch.Alarm{
		Sign: finding.SignFrequency, Class: ClassHour,
		Secret: c.secret, Actor: -1, Account: s.home[c.secret].account, Region: c.region,
		Score: c.score, Trials: s.trials(),
		First: c.first, Last: c.last, Count: int64(c.x),
		Severity: severity(c.x, c.mean), Days: int(st.days), Calls: int64(st.calls),
		Mature:  st.mature(),
		Context: slices.Clone(c.context),
		Where:   watch.Where{Secrets: []string{n.UID}},
	}
	if c.part > 0.6 {
		a.Actor, a.Caller = c.actor, c.caller
		a.Where.Actor = day.Names.Actors[c.actor].UID
	}
	told := *c
	told.actors = slices.Clone(c.actors)
	names := day.Names
	seen := s.series(day, i, c.secret)
	a.Tell = func() watch.Told { return s.tellHour(names, &told, day.Start.Add(time.Duration(i)*time.Hour), seen) }
	return a
}

// trials is how many judgements a day and secret there are in effect. Scores are
// of whole numbers, with a tolerance and of the more cautious of several chances,
// so that fewer reach the floor than chance would give of 24 a day: it is as if
// there were fewer.
func (s *sign) trials() float64 {
	const nominal = 1.0 / 100 // that reach watch.Floor
	share := (s.raised + 5) / (s.judged + 50/nominal)
	return 24 * min(max(share/nominal, 0.02), 1)
}

func severity(x, mean float64) finding.Severity {
	switch over := x - mean; {
	case over >= 100 && x >= 5*mean:
		return finding.High
	case over >= 10 && x >= 3*mean:
		return finding.Medium
	}
	return finding.Low
}
