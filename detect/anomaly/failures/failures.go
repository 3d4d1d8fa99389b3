// Package failures judges who is turned away: calls that are denied and
// credentials that are refused. It knows two axes. How many: a broken program
// fails the same call a thousand times. How wide: somebody who looks around
// fails few calls each of many kinds. Wide weighs more.
//
// Judged are, for each principal in an hour: denials with retries folded, pairs
// of operation and resource never denied to it before, secrets it was never
// denied nor given before, and those of the last 24 hours together; for each
// secret the denials of strangers to it; for each user failed sign-ins, and for
// each address the users it failed as. Each is held against what package tally
// learned of the same thing and of its peers.
package failures

import (
	"cmp"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Options leave parts out, to see what they are worth.
type Options struct {
	NoContext   bool // nothing accounts for anything
	NoPeers     bool // each principal by itself
	NoShrinkage bool // own figures only
}

// Gates.
const (
	matureDays  = 7 // days of log before anything is alerted on
	matureHours = 500
	adoptDays   = 3 // after these days something new counts as known
	looks       = 3 // axes that are looked at, as far as they are independent
	slowHours   = 24
)

// Classes of principals in the books.
const (
	programs = iota
	people
	pipelines // CI and static keys: they fail most
	classes
)

func classOf(c event.Caller) int {
	switch {
	case watch.Person(c):
		return people
	case c == event.CallerCI, c == event.CallerStaticKey:
		return pipelines
	}
	return programs
}

// principal is an actor, or a person whatever the role.
type principal struct {
	actor  int32 // -1 for a person
	person string
}

// id tells principals apart: an actor by its number, a person by a hash of the name.
func (p principal) id() uint64 {
	if p.person != "" {
		return xxhash.Sum64String(p.person) | 1<<63
	}
	return uint64(uint32(p.actor))
}

func who(actor int32, person string) principal {
	if person != "" {
		return principal{actor: -1, person: person}
	}
	return principal{actor: actor}
}

// sign implements watch.Sign.
type sign struct {
	opt Options

	volume  *tally.Book[uint64] // denials an active hour
	breadth *tally.Book[uint64] // new pairs in ten minutes, most of an active hour
	secrets *tally.Book[uint64] // new denied secrets an active hour
	slow    *tally.Book[uint64] // new denied secrets an active day
	refused *tally.Book[int32]  // denials of strangers an hour, by secret
	signIns *tally.Book[string] // failed sign-ins an hour with any, by user
	sources *tally.Book[string] // users failed as an hour, by address

	known  memory
	recent []watch.Act // of the last day learned: changes of what is allowed, and the last deploys
	tail   []fresh     // of the last day learned: new denied secrets
	grants [2]float64  // hours with secrets denied; those in which one was then given
	moves  [2]float64  // days of people; those with a network they were not seen in before
	users  map[string]user

	names    *watch.Names // of the day looked at
	gathered map[*watch.Hour][]*denied
	last     time.Time // of the last day learned
}

// user is one whose sign-ins have failed: the account that told, and the day.
type user struct{ account, last int32 }

// fresh is a secret that a principal was denied for the first time.
type fresh struct {
	who    principal
	secret int32
	at     time.Time
}

// New is the sign with nothing learned.
func New(opt Options) watch.Sign {
	t := tally.Options{NoPeers: opt.NoPeers, NoShrinkage: opt.NoShrinkage}
	volume := tally.New[uint64](classes, t)
	return &sign{
		opt:    opt,
		volume: volume, breadth: volume.Over(false), secrets: volume.Over(false), slow: volume.Over(true),
		refused: tally.New[int32](1, t), signIns: tally.New[string](1, t), sources: tally.New[string](1, t),
		users: map[string]user{}, gathered: map[*watch.Hour][]*denied{},
		grants: [2]float64{6, 1},
	}
}

func (s *sign) Name() string { return finding.SignFailures }

// Judge says who was turned away unusually in the hour.
func (s *sign) Judge(day *watch.Day, i int) []watch.Alarm {
	h := day.Hours[i]
	if h == nil {
		return nil
	}
	s.names = day.Names
	var out []watch.Alarm
	all := s.gather(h)
	for _, d := range all {
		if a, ok := s.judge(day, i, d); ok {
			out = append(out, a)
		}
	}
	out = append(out, s.judgeSecrets(day, i, all)...)
	return append(out, s.judgeSignIns(day, h)...)
}

// scores are a principal's hour on each axis.
type scores struct {
	volume, breadth, secrets, slow, grant float64
	best, trials                          float64
	slowCount                             int
	slowSecrets                           []int32
	slowSince                             time.Time
}

func (s *sign) score(day *watch.Day, i int, d *denied) scores {
	var c scores
	c.volume = s.volume.Usual(d.who.id(), d.class).Score(d.calls)
	c.breadth = s.breadth.Usual(d.who.id(), d.class).Score(d.breadth)
	c.secrets = s.secrets.Usual(d.who.id(), d.class).Score(len(d.fresh))
	if len(d.fresh) > 0 {
		c.slowSecrets, c.slowSince = s.lately(day, i, d)
		c.slowCount = len(c.slowSecrets)
		c.slow = s.slow.Usual(d.who.id(), d.class).Score(c.slowCount)
	}
	c.trials = s.trials(day.Names)
	// What is judged once a day is judged less often than what is every hour: as
	// of so many hours it is the rarer.
	c.best = max(c.volume, c.breadth, c.secrets)
	if c.slow > 0 {
		c.best = max(c.best, c.slow+log10(c.trials/s.perDay(s.slow, day.Names)))
	}
	c.best = max(0, c.best-log10(looks)) // as of so many looks at the same thing
	if len(d.granted) > 0 && d.calls >= 3 {
		// Being let in after being turned away is its own rare thing, and
		// independent of how often one was.
		c.grant = min(1.5, -log10((1+s.grants[1])/(1+s.grants[0]+s.grants[1])))
		c.best += c.grant
	}
	return c
}

// judge judges a principal's hour.
func (s *sign) judge(day *watch.Day, i int, d *denied) (watch.Alarm, bool) {
	c := s.score(day, i, d)
	if c.best < watch.Floor {
		return watch.Alarm{}, false
	}
	u := s.volume.Usual(d.who.id(), d.class)
	a := watch.Alarm{
		Sign: finding.SignFailures, Class: "failures/principal", Secret: -1, Actor: d.actor, Person: d.who.person,
		Account: d.account, Caller: d.caller, Region: d.region, Score: c.best, Trials: c.trials,
		First: d.first, Last: d.last, Count: int64(d.raw), Days: s.volume.Days(), Calls: int64(u.Occasions),
		Mature:   s.mature(),
		Severity: severity(d, c),
		Where: watch.Where{
			Actor: actorUID(day.Names, d.actor), Person: d.who.person,
			Outcomes: []event.Outcome{event.Denied, event.AuthFailed},
		},
	}
	concerned := d.secrets
	if len(d.granted) > 0 {
		// what was read in the end is evidence as much as what was not
		concerned = union(concerned, d.granted)
		a.Where.Outcomes = append(a.Where.Outcomes, event.Success)
		a.Where.Secrets = uids(day.Names, concerned)
	}
	switch {
	case len(concerned) == 1:
		a.Secret = concerned[0]
	case len(concerned) > 1:
		a.Secrets = mostStriking(concerned, d)
	}
	if !s.opt.NoContext {
		a.Context = s.context(day, i, d)
	}
	a.Tell = func() watch.Told { return s.tell(day, i, d, c) }
	return a, true
}

// severity: wide is worse than many, and to be let in is worst.
func severity(d *denied, c scores) finding.Severity {
	switch {
	case len(d.granted) > 0 && d.calls >= 5, d.breadth >= 5 && len(d.fresh) >= 5, len(d.fresh) >= 10:
		return finding.High
	case d.pairs <= 1 && len(d.fresh) == 0 && c.slowCount < 5:
		return finding.Low
	}
	return finding.Medium
}

func (s *sign) mature() bool {
	if s.volume.Days() < matureDays {
		return false
	}
	n := 0.0
	for c := range classes {
		n += s.volume.Occasions(c)
	}
	return n >= matureHours
}

// trials is how many hours of principals are judged, a day and secret.
func (s *sign) trials(n *watch.Names) float64 { return s.perDay(s.volume, n) }

func (s *sign) perDay(b *tally.Book[uint64], n *watch.Names) float64 {
	sum := 0.0
	for c := range classes {
		sum += b.PerDay(c)
	}
	return max(sum, 1) / float64(max(1, len(n.Secrets)))
}

// lately is which secrets the principal was denied for the first time in the 24
// hours up to the end of hour i, and since when.
func (s *sign) lately(day *watch.Day, i int, d *denied) ([]int32, time.Time) {
	since := day.Hours[i].Start.Add(time.Hour - slowHours*time.Hour)
	var list []int32
	first := d.first
	note := func(f fresh) {
		if f.who != d.who || f.at.Before(since) || slices.Contains(list, f.secret) {
			return
		}
		list = append(list, f.secret)
		if f.at.Before(first) {
			first = f.at
		}
	}
	for _, f := range s.tail {
		note(f)
	}
	for k := 0; k <= i; k++ {
		h := day.Hours[k]
		if h == nil || !anyDenied(h) {
			continue
		}
		for _, e := range s.gather(h) {
			if e.who != d.who {
				continue
			}
			for _, x := range e.fresh {
				note(fresh{d.who, x, e.first})
			}
		}
	}
	slices.Sort(list)
	return list, first
}

func anyDenied(h *watch.Hour) bool {
	return len(h.Tries) > 0 || slices.ContainsFunc(h.Acts, func(a watch.Act) bool { return a.Sort == watch.ActDenied })
}

// mostStriking puts secrets that were denied and then given first, new ones
// next, and then those most often denied.
func mostStriking(secrets []int32, d *denied) []int32 {
	rank := func(x int32) int {
		switch {
		case slices.Contains(d.granted, x):
			return 0
		case slices.Contains(d.fresh, x):
			return 1
		}
		return 2
	}
	out := slices.Clone(secrets)
	slices.SortStableFunc(out, func(a, b int32) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), -cmp.Compare(d.perSecret[a], d.perSecret[b]), cmp.Compare(a, b))
	})
	return out
}

func union(a, b []int32) []int32 {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func actorUID(n *watch.Names, a int32) string {
	if a < 0 || int(a) >= len(n.Actors) {
		return ""
	}
	return n.Actors[a].UID
}

func uids(n *watch.Names, secrets []int32) []string {
	out := make([]string, 0, len(secrets))
	for _, x := range secrets {
		out = append(out, n.Secrets[x].UID)
	}
	return out
}

// Clone is a copy that learns on its own.
func (s *sign) Clone() watch.Sign {
	c := *s
	c.gathered = map[*watch.Hour][]*denied{}
	c.volume = s.volume.Clone()
	c.breadth, c.secrets, c.slow = s.breadth.CloneOver(c.volume), s.secrets.CloneOver(c.volume), s.slow.CloneOver(c.volume)
	c.refused, c.signIns, c.sources = s.refused.Clone(), s.signIns.Clone(), s.sources.Clone()
	c.known = s.known.clone()
	c.recent, c.tail = slices.Clone(s.recent), slices.Clone(s.tail)
	c.users = make(map[string]user, len(s.users))
	for k, v := range s.users {
		c.users[k] = v
	}
	return &c
}

// Bytes: four books by principal, one by secret, two by user and address, and of
// each principal what it was given and denied.
func (s *sign) Bytes() int {
	n := s.volume.Bytes() + s.breadth.Bytes() + s.secrets.Bytes() + s.slow.Bytes() +
		s.refused.Bytes() + s.signIns.Bytes() + s.sources.Bytes()
	return n + s.known.bytes() + 300*len(s.recent) + 48*len(s.tail) + 80*len(s.users)
}
