// Package caller is the sign that something reads a secret or uses a key that
// never did: a caller of another kind ("only Lambda reads it; this is an EC2
// instance"), or a role that is new to it.
//
// What is new is told apart by how near it is to what is usual: whether the kind
// of caller occurs in the secret's family, whether the role reads its family,
// belongs to its account, resembles its readers in name. How often novelties of
// each nearness come of themselves is learned over the whole estate, and how much
// this secret and this principal lean to novelties from their own past; the
// product is the chance that is reported. A person who reads in the console is
// left to sign view.
package caller

import (
	"cmp"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Options leave parts of the method out, to measure what they are worth.
type Options struct {
	NoContext   bool // nothing accounts for anything
	NoPeers     bool // other secrets and roles tell nothing
	NoShrinkage bool // each secret by itself, without the estate's rates
}

// The learning gate, and what is forgotten when.
const (
	minDays   = 7
	minCalls  = 30
	itemsEach = 24 // callers kept of a secret
)

// item is a caller that a secret had.
type item struct {
	actor int32
	novelty.Stay
	class uint8
	kind  uint8 // of the novelty it was
}

// accounted is the kind of a novelty that something in the log accounted for.
const accounted = 255

// held is what is kept of a secret or key.
type held struct {
	items    []item
	calls    float32 // of programs and all others
	days     uint16  // on which it was used
	first    uint16
	last     uint16
	novel    float32 // novelties since it is judged
	expected float32
	stratum  uint8
	crowd    *crowd // nil of a secret all of whose callers are kept
}

// crowd is what is kept of callers that are not kept one by one: a secret with one
// is judged by kind of caller and account only.
type crowd struct {
	classes  uint16   // set of classes
	accounts []string // at most accountsEach: with more, accounts are not judged
}

const accountsEach = 16

// leave takes note of a usual caller that is kept no longer.
func (h *held) leave(names *watch.Names, it *item) {
	if h.crowd == nil {
		h.crowd = &crowd{}
	}
	h.crowd.classes |= 1 << it.class
	if a := names.Actors[it.actor].Account; len(h.crowd.accounts) < accountsEach && !slices.Contains(h.crowd.accounts, a) {
		h.crowd.accounts = append(slices.Clip(h.crowd.accounts), a)
	}
}

// among tells whether a caller may be one of those that are not kept: its kind and
// its account are usual at the secret.
func (h *held) among(names *watch.Names, actor int32, class uint8) bool {
	return h.crowd != nil && h.has(class) && h.hasAccount(names, names.Actors[actor].Account)
}

// hasAccount tells whether roles of the account usually read the secret.
func (h *held) hasAccount(names *watch.Names, account string) bool {
	return h.crowd != nil && (len(h.crowd.accounts) == accountsEach || slices.Contains(h.crowd.accounts, account)) ||
		slices.ContainsFunc(h.items, func(it item) bool { return it.Usual() && names.Actors[it.actor].Account == account })
}

// room makes room for a caller: of those that have not come for days first, so
// that a row of strangers does not make a crowd.
func (h *held) room(names *watch.Names, today uint16) {
	if len(h.items) < itemsEach {
		return
	}
	least := func(a, b item) int {
		return cmp.Or(cmp.Compare(truth(stays(&a, today)), truth(stays(&b, today))), int(a.Last)+int(a.Days)-int(b.Last)-int(b.Days))
	}
	i := slices.Index(h.items, slices.MinFunc(h.items, least))
	if h.items[i].Usual() {
		h.leave(names, &h.items[i])
	}
	h.items = slices.Delete(h.items, i, i+1)
}

// stays tells whether a caller is usual, or may yet become so.
func stays(it *item, today uint16) bool {
	return it.Usual() || it.New() && today <= it.Last+novelty.Settle
}

func (h *held) mature(today uint16) bool {
	return h.calls >= minCalls && h.days >= minDays && today >= h.first+minDays
}

// actor is what is kept of a principal.
type actor struct {
	novel    float32
	expected float32
	secrets  uint16 // it reads usually, at most 65535
	first    uint16
	last     uint16
}

// family is what is kept of secrets that belong together, where they are several.
type family struct {
	classes uint16  // set of classes that are usual
	actors  []int32 // usual readers, at most 64
}

// Sign is the sign.
type Sign struct {
	o        Options
	rates    [strata]*novelty.Rates
	secrets  []held
	actors   []actor
	families map[string]*family
	classes  [16]float64 // secrets that usually have callers of the class
	total    float64     // secrets that have callers
	acts     novelty.Acts
	staff    novelty.People
	words    novelty.Vocabulary
	homes    novelty.Homes
	today    uint16 // the day after the last one learned

	seen seen // of the day being judged
}

var _ watch.Sign = (*Sign)(nil)

// New is the sign before it has learned anything.
func New(o Options) watch.Sign {
	weight := priorWeight
	if o.NoShrinkage {
		weight = 1
	}
	return &Sign{o: o, rates: [strata]*novelty.Rates{novelty.NewRates(weight, kinds), novelty.NewRates(weight, kinds), novelty.NewRates(weight/10, manyKinds), novelty.NewRates(weight/10, manyKinds)}, families: map[string]*family{},
		acts: novelty.NewActs(7, watch.ActBuild, watch.ActDeploy, watch.ActRotate).Only(func(a *watch.Act) bool { return a.Sort == watch.ActRotate || novelty.Builds(a.Caller) })}
}

// Name is the sign's name.
func (*Sign) Name() string { return finding.SignCaller }

// watched tells whether the sign judges a use.
func watched(u *watch.Use, names *watch.Names) bool {
	if !novelty.Value(u.Operation) || !novelty.Got(u.Outcome) || u.Secret < 0 || u.Actor < 0 {
		return false
	}
	// A service that uses a key does so for somebody else's call.
	return u.Caller != event.CallerConsole && !(u.Caller == event.CallerAWSService && names.Secrets[u.Secret].Key)
}

// atHome tells whether the use was in the secret's own region: who uses it
// elsewhere is judged by sign region.
func (s *Sign) atHome(u *watch.Use, names *watch.Names) bool {
	return u.Region == "" || !names.Secrets[s.homes.Of(names, u.Secret)].Away(u.Region)
}

// secret is what is kept of a secret, or nothing.
func (s *Sign) secret(n int32) *held {
	if int(n) < len(s.secrets) {
		return &s.secrets[n]
	}
	return &held{}
}

func (s *Sign) actor(n int32) actor {
	if int(n) < len(s.actors) {
		return s.actors[n]
	}
	return actor{}
}

func (h *held) find(actor int32, class uint8) *item {
	for i := range h.items {
		if it := &h.items[i]; it.actor == actor && it.class == class {
			return it
		}
	}
	return nil
}

// has tells whether the class is usual at the secret.
func (h *held) has(class uint8) bool {
	return h.crowd != nil && h.crowd.classes&(1<<class) != 0 ||
		slices.ContainsFunc(h.items, func(it item) bool { return it.class == class && it.Usual() })
}

// Strata of secrets: how often new readers come differs between them.
const (
	few  = iota // readers
	live        // few readers, of production: what is usual elsewhere is not there
	many        // a token or key that a whole account shares
	aKey        // keys of few readers: which programs use one says less than who reads a secret
	strata
)

// manyReaders is from how many usual readers on a secret is one of many.
const manyReaders = 5

func (h *held) stratumOf(s *watch.Secret) uint8 {
	n := 0
	for i := range h.items {
		if h.items[i].Usual() {
			n++
		}
	}
	switch {
	case n >= manyReaders || h.crowd != nil:
		return many
	case s.Key:
		return aKey
	case novelty.Prod(s):
		return live
	}
	return few
}

// reads tells whether the actor usually reads the secret, and as what.
func (h *held) reads(actor int32) (class uint8, ok bool) {
	for i := range h.items {
		if it := &h.items[i]; it.actor == actor && it.Usual() {
			return it.class, true
		}
	}
	return 0, false
}

// Learn takes in a day.
func (s *Sign) Learn(day *watch.Day) {
	today := novelty.DayOf(day.Start)
	s.homes.Take(day.Names)
	s.grow(day.Names)
	used := map[int32]bool{}
	for hour, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.Uses {
			if u := &h.Uses[i]; watched(u, day.Names) {
				s.take(day, hour, u, today)
				used[s.homes.Of(day.Names, u.Secret)] = true
			}
		}
	}
	s.close(day.Names, today, used)
	s.acts.Learn(day)
	s.staff.Learn(day)
	s.today = today + 1
	s.seen = seen{}
}

func (s *Sign) grow(names *watch.Names) {
	s.secrets = watch.Grow(s.secrets, len(names.Secrets))
	s.actors = watch.Grow(s.actors, len(names.Actors))
}

// take takes in a use.
func (s *Sign) take(day *watch.Day, hour int, u *watch.Use, today uint16) {
	names := day.Names
	n := s.homes.Of(names, u.Secret)
	h := &s.secrets[n]
	class := novelty.Class(u.Caller)
	if h.first == 0 {
		h.first = today
	}
	h.calls += float32(u.Count)
	if h.last != today {
		h.last = today
		h.days++
	}
	a := &s.actors[u.Actor]
	if a.first == 0 {
		a.first = today
	}
	a.last = today
	if it := h.find(u.Actor, class); it != nil {
		it.Come(today)
		return
	}
	it := item{actor: u.Actor, class: class, Stay: novelty.Arrive(today, novelty.Founding)}
	if h.mature(today) {
		it.State = novelty.New
		it.kind = s.kindOf(names, n, u.Actor, class)
		f := found{use: use{n, u.Actor, class}, named: u.Secret, caller: u.Caller, kind: it.kind, first: u.First, last: u.Last}
		if h.among(names, u.Actor, class) || len(s.context(day, hour, []found{f})) > 0 {
			it.kind = accounted
		}
	}
	h.room(names, today)
	h.items = append(h.items, it)
	if novelty.Program(u.Caller) && !names.Secrets[n].Key {
		s.words.Take(names.Actors[u.Actor].Name, novelty.FamilyName(&names.Secrets[n]))
	}
}

// close ends a day: what came often enough becomes usual, the rest is dropped in
// time, and the rates are learned from both.
func (s *Sign) close(names *watch.Names, today uint16, used map[int32]bool) {
	var exposed, all [strata]float64
	for i := range all {
		all[i] = s.rates[i].All()
	}
	var over []past
	keep := float32(keepCalls)
	for n := range s.secrets {
		h := &s.secrets[n]
		if h.first == 0 {
			continue
		}
		h.calls *= keep
		mature := h.mature(today)
		if mature && used[int32(n)] {
			exposed[h.stratum]++
			h.expected += float32(all[h.stratum])
		}
		for i := range h.items {
			if it := &h.items[i]; it.End(today) {
				over = append(over, past{h, it, !it.Usual()})
			}
		}
	}
	s.count(over)
	for n := range s.secrets {
		h := &s.secrets[n]
		h.items = slices.DeleteFunc(h.items, func(it item) bool { return it.Forgotten(today) })
		if len(h.items) <= itemsEach/2 {
			h.crowd = nil // those who crowded it are forgotten
		}
		h.stratum = h.stratumOf(&names.Secrets[n])
	}
	for i := range exposed {
		s.rates[i].Day(exposed[i])
	}
	s.relate(names, today)
	for i := range s.actors {
		if a := &s.actors[i]; a.last == today {
			a.expected += float32(all[0]) * float32(a.secrets)
		}
	}
}

// past is a novelty that is over.
type past struct {
	h    *held
	it   *item
	once bool // it did not come again
}

// count counts novelties that are over, for the estate, the secrets and the
// principals. What one principal had of a kind on one day is one novelty, as it is
// one alarm.
func (s *Sign) count(over []past) {
	type event struct {
		actor         int32
		first         uint16
		kind, stratum uint8
	}
	of := func(p *past) event { return event{p.it.actor, p.it.First, p.it.kind, p.h.stratum} }
	same := map[event]float64{}
	for i := range over {
		same[of(&over[i])]++
	}
	for i := range over {
		p := &over[i]
		if p.it.kind == accounted {
			continue // rates are of novelties that nothing accounts for
		}
		share, r := 1/same[of(p)], s.rates[p.h.stratum]
		leans := float32(0.2)
		if p.once {
			r.Once(int(p.it.kind), share)
		} else {
			r.Seen(int(p.it.kind), share)
			leans = 1
		}
		p.h.novel += leans
		if int(p.it.actor) < len(s.actors) {
			s.actors[p.it.actor].novel += leans * float32(share)
		}
	}
}

// relate works out anew who reads what: the peers of tomorrow's judgements.
func (s *Sign) relate(names *watch.Names, today uint16) {
	clear(s.families)
	s.classes, s.total = [16]float64{}, 0
	for i := range s.actors {
		s.actors[i].secrets = 0
	}
	lone := map[string]int{} // the only secret of a family so far
	for n := range s.secrets {
		if h := &s.secrets[n]; len(h.items) > 0 {
			name := names.Secrets[n].Family
			if first, ok := lone[name]; ok && s.families[name] == nil {
				s.families[name] = &family{}
				s.families[name].take(&s.secrets[first])
			}
			lone[name] = n
			if f := s.families[name]; f != nil {
				f.take(h)
			}
		}
	}
	for n := range s.secrets {
		h := &s.secrets[n]
		var set uint16
		for i := range h.items {
			it := &h.items[i]
			if !it.Usual() {
				continue
			}
			set |= 1 << it.class
			if a := &s.actors[it.actor]; a.secrets < 65535 {
				a.secrets++
			}
		}
		if set != 0 {
			s.total++
			for c := range s.classes {
				if set&(1<<c) != 0 {
					s.classes[c]++
				}
			}
		}
	}
}

// take takes in a secret of the family.
func (f *family) take(h *held) {
	for i := range h.items {
		it := &h.items[i]
		if !it.Usual() {
			continue
		}
		f.classes |= 1 << it.class
		if len(f.actors) < 64 && !slices.Contains(f.actors, it.actor) {
			f.actors = append(f.actors, it.actor)
		}
	}
}

// Clone is a copy that learns on its own.
func (s *Sign) Clone() watch.Sign {
	c := *s
	for i := range c.rates {
		c.rates[i] = s.rates[i].Clone()
	}
	c.secrets = slices.Clone(s.secrets)
	for i := range c.secrets {
		c.secrets[i].items = slices.Clone(c.secrets[i].items)
		if x := c.secrets[i].crowd; x != nil {
			c.secrets[i].crowd = &crowd{x.classes, slices.Clone(x.accounts)}
		}
	}
	c.actors = slices.Clone(s.actors)
	// A family is never changed once the day is closed, only made anew.
	c.families = maps.Clone(s.families)
	c.acts, c.staff, c.words = s.acts.Clone(), s.staff.Clone(), s.words.Clone()
	c.homes = s.homes.Clone()
	c.seen = seen{}
	return &c
}

// Bytes is about how much memory what was learned takes.
func (s *Sign) Bytes() int {
	n := int(unsafe.Sizeof(held{}))*cap(s.secrets) + int(unsafe.Sizeof(actor{}))*cap(s.actors) + s.acts.Bytes() + s.staff.Bytes() + s.words.Bytes() + s.homes.Bytes()
	for i := range s.secrets {
		n += 12 * cap(s.secrets[i].items)
		if x := s.secrets[i].crowd; x != nil {
			n += 32 + 16*cap(x.accounts)
		}
	}
	for name, f := range s.families {
		n += 88 + len(name) + 4*cap(f.actors)
	}
	return n
}

// seen is what was judged of a day so far, so that an hour says what is new in
// it and not what an earlier one said.
type seen struct {
	watch.Cursor
	uses map[use]time.Time
}

type use struct {
	secret, actor int32
	class         uint8
}

// until brings s.seen to the start of hour i.
func (s *Sign) until(day *watch.Day, i int) {
	d := &s.seen
	d.To(day, i, func() { *d = seen{uses: map[use]time.Time{}} }, func(h *watch.Hour) {
		for j := range h.Uses {
			u := &h.Uses[j]
			if !watched(u, day.Names) || !s.atHome(u, day.Names) {
				continue
			}
			id := use{s.homes.Of(day.Names, u.Secret), u.Actor, novelty.Class(u.Caller)}
			if _, ok := d.uses[id]; !ok {
				d.uses[id] = u.First
			}
		}
	})
}

// resembles tells whether the actor is called like the readers of the secret, or
// like its family.
func (s *Sign) resembles(names *watch.Names, secret, who int32) bool {
	own := s.words.Words(names.Actors[who].Name)
	if len(own) == 0 {
		return false
	}
	if novelty.Alike(own, s.words.Words(novelty.FamilyName(&names.Secrets[secret]))) {
		return true
	}
	return slices.ContainsFunc(s.secret(secret).items, func(it item) bool {
		return it.Usual() && it.actor != who && novelty.Program(novelty.CallerOf(it.class)) &&
			novelty.Alike(own, s.words.Words(names.Actors[it.actor].Name))
	})
}
