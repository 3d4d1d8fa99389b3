// Package denials judges runs of denials by a policy of the organisation: a
// service control policy or a resource control policy said no, whatever the
// caller's own permissions are. Once is a mistake; again and again, of several
// operations, or in several regions, somebody finds out what the organisation
// forgot.
//
// Judged is each principal in an account and hour: how many such denials with
// retries folded, and how many operations and regions were denied that were
// never denied there before; and on how many of the last days there were
// some. Each is held against the principal's, the account's and the
// peers' past by package tally.
package denials

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/tally"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// Options leave parts out, to see what they are worth.
type Options struct {
	NoContext   bool // nothing accounts for anything
	NoPeers     bool // each principal by itself
	NoShrinkage bool // own figures only
}

// Gates and figures.
const (
	matureDays  = 7
	matureHours = 500
	adoptDays   = 3  // after these days a denied call is known
	forgetDays  = 60 // and after these it is not any more
	looks       = 2  // axes, as far as they are independent
	leastCalls  = 3  // denials that make a run: two are a mistake and a second try
	maxKnown    = 256
	slowDays    = 7 // the longest of spans: a week
	slowLeast   = 3 // days with any that denials now and then have to have

	// A policy is new where so many principals in so many accounts are denied
	// the same operation within a day.
	rolloutActors, rolloutAccounts = 3, 2
)

// spans are over how many days denials now and then are taken together. Nobody
// says how much time somebody takes who has time, so three lengths are looked at.
var spans = [...]int32{3, 5, slowDays}

// Classes of principals.
const (
	programs = iota
	people
	classes
)

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

func classOf(c event.Caller) int {
	if watch.Person(c) {
		return people
	}
	return programs
}

type sign struct {
	opt     Options
	volume  *tally.Book[uint64]
	breadth *tally.Book[uint64]
	days    *tally.Book[uint64] // days with any, of days it was active
	account *tally.Book[int32]  // denials an hour of the account
	known   map[uint64]*seen    // operation, region and account that was denied
	own     map[principal][]call
	lastly  map[principal][]late // of the last slowDays days learned
	recent  []notice             // of the last day learned
	last    time.Time
}

// late is that a principal was denied on a day.
type late struct {
	day   int32
	calls int
	ops   []string
	first time.Time
}

// call is an operation and region that a principal was denied, and when last.
type call struct {
	key  uint64
	last int32 // day
}

// seen is when a call was denied by policy, by anybody.
type seen struct{ first, last int32 }

// notice is that an actor was denied an operation.
type notice struct {
	at             time.Time
	actor, account int32
	operation      string
	policy         bool // a change of an organisation's policy instead
}

// New is the sign with nothing learned.
func New(opt Options) watch.Sign {
	t := tally.Options{NoPeers: opt.NoPeers, NoShrinkage: opt.NoShrinkage}
	volume := tally.New[uint64](classes, t)
	return &sign{
		opt: opt, volume: volume, breadth: volume.Over(false), days: volume.Over(true), account: tally.New[int32](1, t),
		known: map[uint64]*seen{}, own: map[principal][]call{}, lastly: map[principal][]late{},
	}
}

func (s *sign) Name() string { return finding.SignDenials }

// run is what a principal was denied by policy in an hour and account.
type run struct {
	who     principal
	actor   int32
	account int32
	caller  event.Caller
	class   int
	calls   int // retries folded
	raw     int64
	ops     []string
	regions []string
	secrets []int32
	pairs   []uint64 // of operation and region: those never denied in the account for days, nor to the principal
	top     string
	most    int64
	first   time.Time
	last    time.Time
}

// judged tells whether an act is a denial that is judged here: one of AWS. Those of
// Google Cloud and Azure, whose services are of many names (a resource provider of
// Azure is its maker's), often name nobody, and name the constraint: detect/denials
// judges them by that, and takes for one what Azure writes twice.
func judged(a *watch.Act) bool {
	return a.Sort == watch.ActOrgDenied && (a.Service == "" || strings.HasSuffix(a.Service, ".amazonaws.com"))
}

// runs gathers the hour by principal and account.
func (s *sign) runs(h *watch.Hour) []*run {
	var out []*run
	for i := range h.Acts {
		a := &h.Acts[i]
		if !judged(a) {
			continue
		}
		r := at(&out, h, a)
		if !again(h.Acts[:i], a) {
			r.raw += a.Count
			r.calls += fold(a)
		}
		if !slices.Contains(r.ops, a.Operation) {
			r.ops = append(r.ops, a.Operation)
		}
		if !slices.Contains(r.regions, a.Region) {
			r.regions = append(r.regions, a.Region)
		}
		if a.Secret >= 0 && !slices.Contains(r.secrets, a.Secret) {
			r.secrets = append(r.secrets, a.Secret)
		}
		if k := key(a.Operation, a.Region); !slices.Contains(r.pairs, k) && !s.usual(r, a) {
			r.pairs = append(r.pairs, k)
		}
		if a.Count > r.most {
			r.most, r.top = a.Count, a.Operation
		}
		if a.First.Before(r.first) {
			r.first = a.First
		}
		if a.Last.After(r.last) {
			r.last = a.Last
		}
	}
	return out
}

// again tells whether the act is of the same calls as one before it: a call that
// names two resources is there with each.
func again(before []watch.Act, a *watch.Act) bool {
	return slices.ContainsFunc(before, func(b watch.Act) bool {
		return b.Sort == a.Sort && b.Actor == a.Actor && b.Account == a.Account && b.Caller == a.Caller && b.Operation == a.Operation && b.Region == a.Region &&
			b.Resource != a.Resource && b.Count == a.Count && b.First.Equal(a.First) && b.Last.Equal(a.Last)
	})
}

// at is the run that the act belongs to.
func at(out *[]*run, h *watch.Hour, a *watch.Act) *run {
	person := personOf(h, a)
	w := principal{actor: a.Actor}
	if person != "" {
		w = principal{actor: -1, person: person}
	}
	for _, r := range *out {
		if r.who == w && r.account == a.Account {
			return r
		}
	}
	r := &run{who: w, actor: a.Actor, account: a.Account, caller: a.Caller, class: classOf(a.Caller), first: a.First, last: a.Last}
	*out = append(*out, r)
	return r
}

// fold is how many calls an act is if retries within a minute count once.
func fold(a *watch.Act) int {
	return int(min(a.Count, 1+int64(a.Last.Sub(a.First)/time.Minute)))
}

// personOf is who it was: acts name roles only, tries name people.
func personOf(h *watch.Hour, a *watch.Act) string {
	if !watch.Person(a.Caller) {
		return ""
	}
	name := ""
	for i := range h.Tries {
		t := &h.Tries[i]
		if t.Actor == a.Actor && t.Account == a.Account && !t.First.After(a.Last) && !t.Last.Before(a.First) {
			if t.Operation == a.Operation {
				return t.Person
			}
			name = t.Person
		}
	}
	if name != "" {
		return name
	}
	for i := range h.People {
		p := &h.People[i]
		if p.Actor == a.Actor && p.Account == a.Account && !p.First.After(a.First) && !p.Last.Before(a.Last) {
			if name != "" && name != p.Person {
				return "" // it may have been either
			}
			name = p.Person
		}
	}
	return name
}

func key(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return h.Sum64()
}

func number(n int32) string {
	return string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}

// usual tells whether the call has been denied in the account for days, or to
// the principal at all.
func (s *sign) usual(r *run, a *watch.Act) bool {
	k := key(a.Operation, a.Region)
	if slices.ContainsFunc(s.own[r.who], func(c call) bool { return c.key == k }) {
		return true
	}
	x := s.known[key(a.Operation, a.Region, number(a.Account))]
	return x != nil && s.today()-x.first >= adoptDays
}

func (s *sign) today() int32 {
	if s.last.IsZero() {
		return 0
	}
	return day(s.last) + 1
}

func day(t time.Time) int32 { return int32(t.Unix() / 86400) }

// Judge says whose run of denials is unusual in the hour.
func (s *sign) Judge(d *watch.Day, i int) []watch.Alarm {
	h := d.Hours[i]
	if h == nil {
		return nil
	}
	var out []watch.Alarm
	for _, here := range s.runs(h) {
		r := s.lately(d, i, here)
		slow := s.slow(r)
		if slow.score > 0 { // judged once a day: as of so many hours it is the rarer
			slow.score += math.Log10(s.perDay(s.volume) / s.perDay(s.days))
		}
		u, b := s.volume.Usual(r.who.id(), r.class), s.breadth.Usual(r.who.id(), r.class)
		// A run goes on over the hour's end.
		score := max(u.Score(r.calls), b.Score(len(r.pairs)), slow.score)
		// The account's past speaks where the principal has none: where policies
		// deny every day, one more is no news.
		if a := s.account.Usual(r.account, 0); a.With > 0 && u.Days < matureDays {
			score = min(score, a.Score(r.calls)+1)
		}
		score = max(0, score-math.Log10(looks))
		if score < watch.Floor || max(r.calls, slow.calls) < leastCalls {
			continue
		}
		a := watch.Alarm{
			Sign: finding.SignDenials, Class: "denials", Secret: -1, Actor: r.actor, Person: r.who.person, Account: r.account,
			Caller: r.caller, Score: score, Trials: s.trials(d.Names), First: here.first, Last: here.last, Count: here.raw,
			Severity: severity(r), Days: s.volume.Days(), Calls: int64(u.Occasions), Mature: s.mature(),
			Where: watch.Where{Actor: d.Names.Actors[r.actor].UID, Person: r.who.person, Outcomes: []event.Outcome{event.DeniedByOrgPolicy}},
		}
		if len(r.regions) == 1 {
			a.Region = r.regions[0]
		}
		switch len(r.secrets) {
		case 0:
		case 1:
			a.Secret = r.secrets[0]
		default:
			a.Secrets = r.secrets
		}
		if !s.opt.NoContext {
			a.Context = s.context(d, i, r)
		}
		a.Tell = func() watch.Told { return s.tell(d, i, r, slow, score) }
		out = append(out, a)
	}
	return out
}

func severity(r *run) finding.Severity {
	switch {
	case len(r.ops) >= 4 && len(r.pairs) >= 4:
		return finding.High
	case len(r.ops) == 1 && len(r.regions) == 1:
		return finding.Low
	}
	return finding.Medium
}

func (s *sign) mature() bool {
	n := 0.0
	for c := range classes {
		n += s.volume.Occasions(c)
	}
	return s.volume.Days() >= matureDays && n >= matureHours
}

func (s *sign) trials(n *watch.Names) float64 {
	return s.perDay(s.volume) / float64(max(1, len(n.Secrets)))
}

// perDay is how many judgements a book's things have a day.
func (s *sign) perDay(b *tally.Book[uint64]) float64 {
	sum := 0.0
	for c := range classes {
		sum += b.PerDay(c)
	}
	return max(sum, 1)
}

// lately is the run with what the principal was denied in the hour before, if it
// goes on from there.
func (s *sign) lately(d *watch.Day, i int, r *run) *run {
	if i == 0 || d.Hours[i-1] == nil || r.first.Sub(d.Hours[i].Start) > goesOn {
		return r
	}
	for _, p := range s.runs(d.Hours[i-1]) {
		if p.who == r.who && p.account == r.account && r.first.Sub(p.last) <= goesOn {
			x := *p
			x.calls, x.raw, x.last = p.calls+r.calls, p.raw+r.raw, r.last
			x.ops, x.regions, x.secrets, x.pairs = join(p.ops, r.ops), join(p.regions, r.regions), join(p.secrets, r.secrets), join(p.pairs, r.pairs)
			if r.most > x.most {
				x.most, x.top = r.most, r.top
			}
			return &x
		}
	}
	return r
}

// goesOn is how much time may pass between two denials of one run.
const goesOn = 30 * time.Minute

// join is a and what of b is not in it.
func join[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// slowly is what a principal was denied in the last days together.
type slowly struct {
	score float64
	calls int
	days  int
	ops   []string
	since time.Time
}

// slow takes the hour together with the days before: over the span in which it is
// the rarest. What came on nearly every day of the longest span is a habit by now,
// and was told of when it was none.
func (s *sign) slow(r *run) slowly {
	best := slowly{calls: r.calls, days: 1, ops: r.ops, since: r.first}
	if len(s.lastly[r.who]) >= 2*adoptDays {
		return best
	}
	usual := s.days.Usual(r.who.id(), r.class)
	for _, span := range spans {
		x := slowly{calls: r.calls, days: 1, ops: slices.Clone(r.ops), since: r.first}
		for _, l := range s.lastly[r.who] {
			if s.today()-l.day < span {
				x.add(l)
			}
		}
		if x.days < slowLeast {
			continue
		}
		x.score = stat.Score(stat.LnBinomialUpper(float64(x.days), float64(span), usual.Without(min(x.days-1, adoptDays)))) - math.Log10(float64(len(spans)))
		if x.score > best.score {
			best = x
		}
	}
	return best
}

func (x *slowly) add(l late) {
	x.days++
	x.calls += l.calls
	for _, op := range l.ops {
		if !slices.Contains(x.ops, op) {
			x.ops = append(x.ops, op)
		}
	}
	if l.first.Before(x.since) {
		x.since = l.first
	}
}

// context is what accounts for the run: a policy that was rolled out.
func (s *sign) context(d *watch.Day, i int, r *run) []finding.Explanation {
	var actors, accounts []int32
	var changed *notice
	look := func(x notice) {
		switch {
		case x.at.After(r.last) || r.last.Sub(x.at) > 24*time.Hour:
		case x.policy:
			if changed == nil || x.at.After(changed.at) {
				changed = &x
			}
		case slices.Contains(r.ops, x.operation):
			actors, accounts = add(actors, x.actor), add(accounts, x.account)
		}
	}
	for _, x := range s.recent {
		look(x)
	}
	for k := 0; k <= i; k++ {
		if d.Hours[k] != nil {
			for _, x := range notices(d.Hours[k]) {
				look(x)
			}
		}
	}
	rollout := len(actors) >= rolloutActors && len(accounts) >= rolloutAccounts
	switch {
	case len(r.ops) > 2:
		return nil // a policy forbids an operation or two; more are somebody's interest
	case rollout:
		return []finding.Explanation{{Kind: "context", ID: "rollout",
			Text: say.T("denials.rollout", say.Values{"principals": len(actors), "accounts": len(accounts), "operation": r.top})}}
	case changed != nil && r.class == programs:
		return []finding.Explanation{{Kind: "context", ID: "policy",
			Text: say.T("denials.policy", say.Values{"operation": changed.operation, "at": changed.at.UTC()})}}
	case r.caller == event.CallerCI && s.volume.Usual(r.who.id(), r.class).Days >= matureDays:
		return []finding.Explanation{{Kind: "context", ID: "pipeline",
			Text: say.T("denials.pipeline", say.Values{"operations": r.ops})}}
	}
	return nil
}

func add(list []int32, x int32) []int32 {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

// notices is what context is looked for in.
func notices(h *watch.Hour) []notice {
	var out []notice
	for k := range h.Acts {
		switch a := &h.Acts[k]; {
		case judged(a):
			out = append(out, notice{a.First, a.Actor, a.Account, a.Operation, false})
		case a.Sort == watch.ActPolicy && a.Service == "organizations.amazonaws.com":
			out = append(out, notice{a.First, a.Actor, a.Account, a.Operation, true})
		}
	}
	return out
}

// Clone is a copy that learns on its own.
func (s *sign) Clone() watch.Sign {
	c := *s
	c.volume, c.account = s.volume.Clone(), s.account.Clone()
	c.breadth, c.days = s.breadth.CloneOver(c.volume), s.days.CloneOver(c.volume)
	c.known = make(map[uint64]*seen, len(s.known))
	for k, x := range s.known {
		y := *x
		c.known[k] = &y
	}
	c.own = make(map[principal][]call, len(s.own))
	for k, l := range s.own {
		c.own[k] = slices.Clone(l)
	}
	c.lastly = make(map[principal][]late, len(s.lastly))
	for k, l := range s.lastly {
		c.lastly[k] = slices.Clone(l)
	}
	c.recent = slices.Clone(s.recent)
	return &c
}

// Bytes: three books by principal, one by account, 56 for each call that was
// denied, and 16 for each of a principal's.
func (s *sign) Bytes() int {
	n := s.volume.Bytes() + s.breadth.Bytes() + s.days.Bytes() + s.account.Bytes() + 56*len(s.known) + 64*len(s.recent)
	n += 256 * len(s.lastly)
	for _, l := range s.own {
		n += 80 + 16*cap(l)
	}
	return n
}
