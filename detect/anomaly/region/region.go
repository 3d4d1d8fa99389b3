// Package region is the sign that a secret or key is used where it never was: in
// a region that is neither its home nor a replica in use, by a principal that
// does not work there; or from a network that its program never called from.
//
// As with callers, what is new is told apart by how near it is to what is usual
// (the region is used by the secret's family, by the account, by nobody; the
// principal is a usual reader, another program, a person), how often novelties of
// each nearness come of themselves is learned over the estate, and how much the
// account leans to them from its own past.
package region

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// Options leave parts of the method out, to measure what they are worth.
type Options struct {
	NoContext   bool // nothing accounts for anything
	NoPeers     bool // other secrets, accounts and principals tell nothing
	NoShrinkage bool // without the estate's rates and the account's leaning
}

// The learning gate, and what is forgotten when.
const (
	minDays      = 7
	minCalls     = 30
	dormant      = 30 // days after which a region is dormant in an account
	itemsEach    = 12 // uses abroad kept of a secret
	readersEach  = 8  // usual readers kept of a secret
	networksEach = 24 // networks kept of a principal
	networksMany = 8  // with more a principal is judged by how often it shows new ones
	networksAll  = 50000
)

// accounted is the kind of a novelty that something in the log accounted for.
const accounted = 255

// item is that an actor used a secret in a region that is not its home.
type item struct {
	actor int32
	novelty.Stay
	region uint8
	kind   uint8
}

// reader is an actor that uses a secret, wherever.
type reader struct {
	actor       int32
	first, last uint16
}

// held is what is kept of a secret or key.
type held struct {
	items   []item
	readers []reader
	calls   float32
	first   uint16
	last    uint16
	days    uint16
	crowded bool // had more readers than are kept
}

func (h *held) mature(today uint16) bool {
	return h.calls >= minCalls && h.days >= minDays && today >= h.first+minDays
}

// place is a region that an account, or an actor, calls in.
type place struct {
	region      uint8
	days        uint16
	first, last uint16
}

// places are an account's or actor's regions, at most 16.
type places []place

func (p places) find(region uint8) *place {
	for i := range p {
		if p[i].region == region {
			return &p[i]
		}
	}
	return nil
}

// take takes in a call in a region.
func (p *places) take(region uint8, today uint16) {
	x := p.find(region)
	if x == nil {
		if len(*p) >= 16 {
			return
		}
		*p = append(*p, place{region: region, first: today})
		x = &(*p)[len(*p)-1]
	}
	if x.last != today {
		x.last = today
		x.days++
	}
}

// usual tells whether the region is in steady use: on several days, not since
// yesterday only.
func (p places) usual(region uint8, today uint16) bool {
	x := p.find(region)
	return x != nil && x.days >= 2 && today >= x.first+novelty.Settle && today <= x.last+dormant
}

// network is one that a program calls from.
type network struct {
	id uint64
	novelty.Stay
	kind uint8
}

// networks are those of an actor.
type networks struct {
	list    []network
	calls   float32
	first   uint16
	last    uint16
	days    uint16
	novel   float32 // new networks since it is mature, forgotten by half in 60 days
	exposed float32 // days since, likewise
}

// own is how often the principal itself shows a new network a day, where it has so
// many that each says little: others tell nothing of it.
func (n *networks) own() float64 {
	if len(n.list) <= networksMany {
		return 0
	}
	return float64(n.novel) / (float64(n.exposed) + 1)
}

func (n *networks) mature(today uint16) bool {
	return n.calls >= minCalls && n.days >= minDays && today >= n.first+minDays
}

func (n *networks) find(id uint64) *network {
	for i := range n.list {
		if n.list[i].id == id {
			return &n.list[i]
		}
	}
	return nil
}

// origin is what is known of a network over the whole estate.
type origin struct {
	actor       int32 // one that calls from it
	several     bool  // actors of several accounts do
	first, last uint16
}

// abroad is where a family of secrets is used, homes left out, and by whom.
type abroad struct {
	regions uint64
	actors  []int32 // at most 32
}

// Sign is the sign.
type Sign struct {
	o        Options
	rates    [2]*novelty.Rates // of secrets, and of keys
	outside  *novelty.Rates    // of networks
	regions  []string          // by number
	secrets  []held
	accounts []places
	actors   []places
	families map[string]*abroad
	nets     map[int32]*networks
	origins  map[uint64]origin
	acts     novelty.Acts
	homes    novelty.Homes
	declared map[int32]uint64 // regions that a replication was declared for, by secret
	novel    map[int32]float32
	expected map[int32]float32
	today    uint16

	seen seen
}

var _ watch.Sign = (*Sign)(nil)

// New is the sign before it has learned anything.
func New(o Options) watch.Sign {
	weight := priorWeight
	if o.NoShrinkage {
		weight = 1
	}
	return &Sign{o: o, rates: [2]*novelty.Rates{novelty.NewRates(weight, kinds), novelty.NewRates(weight, kinds)}, outside: novelty.NewRates(weight, netKinds),
		families: map[string]*abroad{}, nets: map[int32]*networks{}, origins: map[uint64]origin{}, declared: map[int32]uint64{}, novel: map[int32]float32{}, expected: map[int32]float32{},
		acts: novelty.NewActs(7, watch.ActBuild, watch.ActDeploy, watch.ActReplicate).Only(func(a *watch.Act) bool { return novelty.Builds(a.Caller) })}
}

// Name is the sign's name.
func (*Sign) Name() string { return finding.SignRegion }

// number is the number of a region, made where it is not known; 63 is all that
// are too many.
func (s *Sign) number(region string) uint8 {
	if i := slices.Index(s.regions, region); i >= 0 {
		return uint8(i)
	}
	if len(s.regions) >= 62 {
		return 63
	}
	s.regions = append(s.regions, region)
	return uint8(len(s.regions) - 1)
}

// numbered is number for judging, which makes nothing: 62 is none known.
func (s *Sign) numbered(region string) uint8 {
	if i := slices.Index(s.regions, region); i >= 0 {
		return uint8(i)
	}
	return 62
}

func (s *Sign) secret(n int32) *held {
	if int(n) < len(s.secrets) {
		return &s.secrets[n]
	}
	return &held{}
}

func (s *Sign) account(n int32) places {
	if n >= 0 && int(n) < len(s.accounts) {
		return s.accounts[n]
	}
	return nil
}

func (s *Sign) actor(n int32) places {
	if n >= 0 && int(n) < len(s.actors) {
		return s.actors[n]
	}
	return nil
}

// watched tells whether the sign judges a use. A read that finds nothing counts:
// so ends asking where the secret is not.
func watched(u *watch.Use, names *watch.Names) bool {
	if u.Secret < 0 || u.Actor < 0 {
		return false
	}
	if s := &names.Secrets[u.Secret]; s.Away(u.Region) && bound(s) {
		return false
	}
	return novelty.Value(u.Operation) && u.Region != "" && u.Caller != event.CallerAWSService &&
		(novelty.Got(u.Outcome) || u.Outcome == event.NotFound || u.Outcome == event.Denied)
}

// bound tells whether a thing works in the region of its name only: records of it
// elsewhere are of something else. Keys of several regions say so, and a
// parameter of that name in another region is another one.
func bound(s *watch.Secret) bool {
	return s.Key && !strings.HasPrefix(s.Name, "mrk-") || strings.Contains(s.UID, ":ssm:")
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
	// The regions of the day count from the next one on.
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for i := range h.Calls {
			c := &h.Calls[i]
			if c.Region == "" || c.Denied == c.Count {
				continue
			}
			r := s.number(c.Region)
			if c.Account >= 0 && c.Caller != event.CallerAWSService {
				s.accounts[c.Account].take(r, today)
			}
			if c.Actor >= 0 {
				s.actors[c.Actor].take(r, today)
			}
		}
		s.learnNetworks(day.Names, h, today)
		s.learnReplicas(day.Names, h)
	}
	s.acts.Learn(day)
	s.close(day.Names, today, used)
	s.today = today + 1
	s.seen = seen{}
}

func (s *Sign) grow(names *watch.Names) {
	s.secrets = watch.Grow(s.secrets, len(names.Secrets))
	s.actors = watch.Grow(s.actors, len(names.Actors))
	s.accounts = watch.Grow(s.accounts, len(names.Accounts))
}

func (s *Sign) take(day *watch.Day, hour int, u *watch.Use, today uint16) {
	names := day.Names
	n := s.homes.Of(names, u.Secret)
	h := &s.secrets[n]
	if h.first == 0 {
		h.first = today
	}
	h.calls += float32(u.Count)
	if h.last != today {
		h.last = today
		h.days++
	}
	r := s.number(u.Region)
	if names.Secrets[n].Away(u.Region) {
		s.takeAbroad(day, hour, h, n, u, r, today)
	}
	if i := slices.IndexFunc(h.readers, func(x reader) bool { return x.actor == u.Actor }); i >= 0 {
		h.readers[i].last = today
		return
	}
	if len(h.readers) >= readersEach {
		h.crowded = true
		least := 0
		for i := range h.readers {
			if h.readers[i].last < h.readers[least].last {
				least = i
			}
		}
		h.readers = slices.Delete(h.readers, least, least+1)
	}
	h.readers = append(h.readers, reader{actor: u.Actor, first: today, last: today})
}

// takeAbroad takes in a use away from home.
func (s *Sign) takeAbroad(day *watch.Day, hour int, h *held, n int32, u *watch.Use, r uint8, today uint16) {
	for i := range h.items {
		it := &h.items[i]
		if it.actor != u.Actor || it.region != r {
			continue
		}
		it.Come(today)
		return
	}
	it := item{actor: u.Actor, region: r, Stay: novelty.Arrive(today, novelty.Founding)}
	if h.mature(today) {
		it.State = novelty.New
		it.kind = s.kindOf(day.Names, n, u.Actor, u.Account, u.Caller, r, today)
		f := found{place: spot{n, u.Actor, u.Region}, named: u.Secret, caller: u.Caller, region: u.Region, acct: u.Account, kind: it.kind, first: u.First, last: u.Last}
		if len(s.context(day, hour, today, []found{f})) > 0 {
			it.kind = accounted
		}
	}
	if len(h.items) >= itemsEach {
		h.items = slices.Delete(h.items, 0, 1)
	}
	h.items = append(h.items, it)
}

// learnReplicas takes in replications by those who build: what a person copies
// by hand is declared only once it has lasted.
func (s *Sign) learnReplicas(names *watch.Names, h *watch.Hour) {
	for i := range h.Acts {
		a := &h.Acts[i]
		if a.Sort != watch.ActReplicate || a.Secret < 0 || a.Outcome != event.Success || !novelty.Builds(a.Caller) {
			continue
		}
		n := s.homes.Of(names, a.Secret)
		// A record in the replica's own region is of the replica coming to be.
		if a.Region != "" && names.Secrets[n].Away(a.Region) {
			s.declared[n] |= 1 << s.number(a.Region)
		}
		for region, at := range names.Secrets[n].Replicas {
			if d := at.Sub(a.First); -time.Hour < d && d < time.Hour {
				s.declared[n] |= 1 << s.number(region)
			}
		}
	}
}

// learnNetworks takes in from where programs call.
func (s *Sign) learnNetworks(names *watch.Names, h *watch.Hour, today uint16) {
	for i := range h.Sources {
		x := &h.Sources[i]
		if x.Actor < 0 || x.Network == "" || !novelty.Program(x.Caller) {
			continue
		}
		n := s.nets[x.Actor]
		if n == nil {
			n = &networks{first: today}
			s.nets[x.Actor] = n
		}
		if n.last != today {
			n.last = today
			n.days++
		}
		n.calls += float32(x.Count)
		id := xxhash.Sum64String(x.Network)
		if w := n.find(id); w != nil {
			w.Come(today)
			continue
		}
		w := network{id: id, Stay: novelty.Arrive(today, novelty.Founding)}
		if n.mature(today) {
			w.State, w.kind = novelty.New, s.netKind(names, x.Actor, x.Network, id)
			n.novel++
		}
		if len(n.list) >= networksEach {
			least := slices.MinFunc(n.list, func(a, b network) int {
				return cmp.Or(cmp.Compare(a.Last, b.Last), cmp.Compare(a.Days, b.Days), cmp.Compare(a.id, b.id))
			})
			n.list = slices.DeleteFunc(n.list, func(w network) bool { return w.id == least.id })
		}
		n.list = append(n.list, w)
	}
}

// close ends a day.
func (s *Sign) close(names *watch.Names, today uint16, used map[int32]bool) {
	var exposed [2]float64
	all := [2]float32{float32(s.rates[0].All()), float32(s.rates[1].All())}
	var over []past
	for n := range s.secrets {
		h := &s.secrets[n]
		if h.first == 0 {
			continue
		}
		h.calls *= keep
		if used[int32(n)] && h.mature(today) {
			key := truth(names.Secrets[n].Key)
			exposed[key]++
			s.expected[s.accountOf(names, int32(n))] += all[key]
		}
		for i := range h.items {
			if it := &h.items[i]; it.End(today) {
				over = append(over, past{int32(n), it, !it.Usual()})
			}
		}
	}
	s.count(names, over)
	for n := range s.secrets {
		h := &s.secrets[n]
		h.items = slices.DeleteFunc(h.items, func(it item) bool { return it.Forgotten(today) })
		h.readers = slices.DeleteFunc(h.readers, func(r reader) bool { return today > r.last+novelty.Forget })
		h.crowded = h.crowded && len(h.readers) > readersEach/2
	}
	for i := range exposed {
		s.rates[i].Day(exposed[i])
	}
	s.closeNetworks(names, today)
	s.relate(names)
}

// accountOf is the number of the account that the secret is in, or -1.
func (s *Sign) accountOf(names *watch.Names, secret int32) int32 {
	return int32(slices.Index(names.Accounts, names.Secrets[secret].Account))
}

// past is a novelty that is over.
type past struct {
	secret int32
	it     *item
	once   bool // it did not come again
}

// count counts novelties that are over. What one principal had of a kind on one
// day in one region is one, as it is one alarm.
func (s *Sign) count(names *watch.Names, over []past) {
	type event struct {
		actor  int32
		first  uint16
		region uint8
		kind   uint8
	}
	of := func(p *past) event { return event{p.it.actor, p.it.First, p.it.region, p.it.kind} }
	same := map[event]float64{}
	for i := range over {
		same[of(&over[i])]++
	}
	for i := range over {
		p := &over[i]
		if p.it.kind == accounted {
			continue // rates are of novelties that nothing accounts for
		}
		share, r := 1/same[of(p)], s.rates[truth(names.Secrets[p.secret].Key)]
		leans := 0.2
		if p.once {
			r.Once(int(p.it.kind), share)
		} else {
			r.Seen(int(p.it.kind), share)
			leans = 1
		}
		s.novel[s.accountOf(names, p.secret)] += float32(leans * share)
	}
}

func (s *Sign) closeNetworks(names *watch.Names, today uint16) {
	exposed := 0.0
	// In order, so that the same days always teach the same.
	for _, actor := range slices.Sorted(maps.Keys(s.nets)) {
		n := s.nets[actor]
		n.calls, n.novel, n.exposed = n.calls*keep, n.novel*keep, n.exposed*keep
		many := len(n.list) > networksMany // it has a rate of its own, and teaches others none
		if n.last == today && n.mature(today) {
			n.exposed++
			if !many {
				exposed++
			}
		}
		for i := range n.list {
			w := &n.list[i]
			if decided := w.End(today); decided && !many {
				if w.Usual() {
					s.outside.Seen(int(w.kind), 1)
				} else {
					s.outside.Once(int(w.kind), 1)
				}
			}
			if w.Last == today && w.Usual() {
				s.originate(names, actor, w, today)
			}
		}
		n.list = slices.DeleteFunc(n.list, func(w network) bool { return w.Forgotten(today) })
		if today > n.last+novelty.Forget {
			delete(s.nets, actor)
		}
	}
	s.outside.Day(exposed)
	if len(s.origins) > networksAll {
		maps.DeleteFunc(s.origins, func(_ uint64, o origin) bool { return today > o.last+dormant })
	}
}

// originate takes note that a network is used by an actor.
func (s *Sign) originate(names *watch.Names, actor int32, w *network, today uint16) {
	o, ok := s.origins[w.id]
	switch {
	case !ok && len(s.origins) > networksAll:
		return
	case !ok:
		o = origin{actor: actor, first: today}
	case names.Actors[o.actor].Account != names.Actors[actor].Account:
		o.several = true
	}
	o.last = today
	s.origins[w.id] = o
}

// relate works out anew which regions families use.
func (s *Sign) relate(names *watch.Names) {
	clear(s.families)
	for n := range s.secrets {
		for i := range s.secrets[n].items {
			if it := &s.secrets[n].items[i]; it.Usual() {
				f := s.families[names.Secrets[n].Family]
				if f == nil {
					f = &abroad{}
					s.families[names.Secrets[n].Family] = f
				}
				f.regions |= 1 << it.region
				if len(f.actors) < 32 && !slices.Contains(f.actors, it.actor) {
					f.actors = append(f.actors, it.actor)
				}
			}
		}
	}
}

// Clone is a copy that learns on its own.
func (s *Sign) Clone() watch.Sign {
	c := *s
	c.rates, c.outside = [2]*novelty.Rates{s.rates[0].Clone(), s.rates[1].Clone()}, s.outside.Clone()
	c.regions = slices.Clone(s.regions)
	c.secrets = slices.Clone(s.secrets)
	for i := range c.secrets {
		c.secrets[i].items = slices.Clone(c.secrets[i].items)
		c.secrets[i].readers = slices.Clone(c.secrets[i].readers)
	}
	c.accounts, c.actors = cloned(s.accounts), cloned(s.actors)
	// A family is never changed once the day is closed, only made anew.
	c.families = maps.Clone(s.families)
	c.nets = make(map[int32]*networks, len(s.nets))
	for k, n := range s.nets {
		x := *n
		x.list = slices.Clone(n.list)
		c.nets[k] = &x
	}
	c.origins = maps.Clone(s.origins)
	c.acts, c.homes = s.acts.Clone(), s.homes.Clone()
	c.declared = maps.Clone(s.declared)
	c.novel, c.expected = maps.Clone(s.novel), maps.Clone(s.expected)
	c.seen = seen{}
	return &c
}

func cloned(list []places) []places {
	c := slices.Clone(list)
	for i := range c {
		c[i] = slices.Clone(c[i])
	}
	return c
}

// Bytes is about how much memory what was learned takes.
func (s *Sign) Bytes() int {
	n := int(unsafe.Sizeof(held{}))*cap(s.secrets) + 24*(cap(s.accounts)+cap(s.actors)) + s.acts.Bytes() + s.homes.Bytes() + 40*len(s.origins) + 24*(len(s.declared)+len(s.novel)+len(s.expected))
	for i := range s.secrets {
		n += 12*cap(s.secrets[i].items) + 8*cap(s.secrets[i].readers)
	}
	for _, list := range [][]places{s.accounts, s.actors} {
		for _, p := range list {
			n += 8 * cap(p)
		}
	}
	for _, x := range s.nets {
		n += 72 + 16*cap(x.list)
	}
	for name := range s.families {
		n += 96 + len(name)
	}
	return n
}
