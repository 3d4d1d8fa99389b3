package anomaly

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/instant"
)

// Spans of what is collected.
const (
	burstSpan = 5 * time.Minute
	peakSpan  = 5 * time.Minute
	peakReads = 10 // an hour's, for a peak to be worth telling
	trySpan   = 10 * time.Minute
	retrySpan = time.Minute
)

// collector makes hours of a summary from their events, which may come in any
// order. It has to be given those of burstSpan before and after the hours too.
type collector struct {
	s           *summary
	since       time.Time // hours [since, until)
	until       time.Time
	texts       map[string]int32
	text        []string
	peaks       map[peakKey]int32
	sources     map[sourceKey]int32 // in from
	from        []watch.SourceUse
	people      map[personKey]*person
	networks    map[string]string // by address
	reads       []read
	tries       []denial
	signs       []signIn
	callers     []event.Caller
	callerIndex map[event.Caller]uint8
	secrets     []int32 // scratch
	events      int64
}

type peakKey struct {
	secret int32
	slot   int32 // five minutes since the day's start
}

type sourceKey struct {
	actor, secret int32
	network       int32
	caller        uint8
	hour          int8
}

type personKey struct {
	person, actor, account, region int32
	caller                         uint8
	hour                           int8
}

type person struct {
	watch.PersonHour
	reads map[int32]*watch.PersonRead
}

// read is one use of a secret or key.
type read struct {
	at              time.Time
	actor, account  int32
	session, secret int32
	person          int32
	caller          uint8
	value           bool // of a secret or parameter
	denied, granted bool
	first           bool // of the secrets that the event names
}

// denial is one call that was turned away.
type denial struct {
	at                     time.Time
	actor, person, account int32
	operation, resource    int32
	code, network          int32
	caller                 uint8
	secrets                []int32
	uid                    event.UID
}

type signIn struct {
	at       time.Time
	account  int32
	user, ip int32
	failed   bool
}

func newCollector(s *summary, since, until time.Time) *collector {
	return &collector{
		s: s, since: since, until: until, texts: map[string]int32{}, peaks: map[peakKey]int32{}, sources: map[sourceKey]int32{},
		people: map[personKey]*person{}, networks: map[string]string{}, callerIndex: map[event.Caller]uint8{},
	}
}

func (c *collector) intern(s string) int32 {
	if i, ok := c.texts[s]; ok {
		return i
	}
	i := int32(len(c.text))
	c.text = append(c.text, s)
	c.texts[s] = i
	return i
}

func (c *collector) caller(x event.Caller) uint8 {
	if i, ok := c.callerIndex[x]; ok {
		return i
	}
	i := uint8(len(c.callers))
	c.callers = append(c.callers, x)
	c.callerIndex[x] = i
	return i
}

func (c *collector) network(e *event.Event) string {
	if e.SrcVPCE != "" || e.SrcHost != "" {
		return networkOf(e)
	}
	n, ok := c.networks[e.SrcIP]
	if !ok {
		n = networkOf(e)
		c.networks[e.SrcIP] = n
	}
	return n
}

// add takes an event for which ofInterest holds.
func (c *collector) add(e *event.Event) {
	if e.Time.Before(c.since.Add(-burstSpan)) || !e.Time.Before(c.until.Add(burstSpan)) {
		return
	}
	c.events++
	what := call{e.APIService, e.APIOperation}
	kind := uses[what]
	c.secrets = c.secrets[:0]
	if kind != 0 {
		c.named(e, kind)
	}
	within := !e.Time.Before(c.since) && e.Time.Before(c.until)
	if !within && len(c.secrets) == 0 {
		return
	}
	n := &c.s.names
	actor, caller := n.actor(e.ActorUID), c.caller(e.Caller)
	c.use(e, kind, actor, caller, within)
	if !within {
		return
	}
	hour := int8(e.Time.Sub(c.s.day) / time.Hour)
	if watch.Person(e.Caller) {
		c.person(e, actor, caller, hour)
	}
	switch {
	case signIns[what]:
		c.signIn(e)
	case denied(e.Outcome):
		c.denied(e, actor, caller)
	}
}

// named finds the secrets that a use is of.
func (c *collector) named(e *event.Event, kind thing) {
	if e.Outcome == event.NotFound || e.Outcome == event.Invalid {
		return // it may not exist
	}
	if kind.of(e.ResourceUID) {
		c.secrets = append(c.secrets, c.s.names.secret(e.ResourceUID))
	}
	for _, uid := range e.ResourceUIDs {
		if uid != e.ResourceUID && kind.of(uid) {
			if i := c.s.names.secret(uid); !slices.Contains(c.secrets, i) {
				c.secrets = append(c.secrets, i)
			}
		}
	}
}

func (c *collector) use(e *event.Event, kind thing, actor int32, caller uint8, within bool) {
	if len(c.secrets) == 0 {
		return
	}
	r := read{
		at: e.Time, actor: actor, account: c.s.names.account(e.AccountUID), session: c.intern(e.ActorSession), caller: caller,
		person: c.intern(personOf(e)), value: kind != aKey, denied: denied(e.Outcome), granted: e.Outcome == event.Success, first: true,
	}
	var network int32
	if within {
		network = c.intern(c.network(e))
	}
	for _, secret := range c.secrets {
		r.secret = secret
		c.reads = append(c.reads, r)
		r.first = false
		if !within {
			continue
		}
		since := e.Time.Sub(c.s.day)
		c.peaks[peakKey{secret, int32(since / peakSpan)}]++
		k := sourceKey{actor, secret, network, caller, int8(since / time.Hour)}
		at, ok := c.sources[k]
		if !ok {
			at = int32(len(c.from))
			c.sources[k] = at
			c.from = append(c.from, watch.SourceUse{Actor: actor, Secret: secret, Caller: e.Caller, Network: c.text[network], First: e.Time})
		}
		u := &c.from[at]
		u.Count++
		u.First = instant.Earlier(u.First, e.Time)
	}
}

func (c *collector) person(e *event.Event, actor int32, caller uint8, hour int8) {
	name := personOf(e)
	account := c.s.names.account(e.AccountUID)
	k := personKey{c.intern(name), actor, account, c.intern(e.Region), caller, hour}
	p := c.people[k]
	if p == nil {
		p = &person{reads: map[int32]*watch.PersonRead{}}
		p.PersonHour = watch.PersonHour{
			Person: name, Actor: actor, Account: account, Caller: e.Caller, Region: e.Region, First: e.Time, Last: e.Time,
		}
		c.people[k] = p
	}
	p.Calls++
	if !e.ReadOnly && !signIns[call{e.APIService, e.APIOperation}] {
		p.Writes++ // signing in, or failing to, changes nothing
	}
	p.First, p.Last = instant.Earlier(p.First, e.Time), instant.Later(p.Last, e.Time)
	if network := c.network(e); network != "" && !slices.Contains(p.Networks, network) {
		p.Networks = append(p.Networks, network)
	}
	for _, secret := range c.secrets {
		r := p.reads[secret]
		if r == nil {
			r = &watch.PersonRead{Secret: secret, First: e.Time}
			p.reads[secret] = r
		}
		r.Count++
		if denied(e.Outcome) {
			r.Denied++
		}
		r.First = instant.Earlier(r.First, e.Time)
	}
}

func (c *collector) signIn(e *event.Event) {
	user := e.ActorName
	if strings.Contains(e.ActorUID, "@") && !strings.HasPrefix(e.ActorUID, "arn:") {
		user = e.ActorUID
	}
	if strings.HasPrefix(user, "HIDDEN_") {
		user = ""
	}
	c.signs = append(c.signs, signIn{
		at: e.Time, account: c.s.names.account(e.AccountUID), user: c.intern(user), ip: c.intern(e.SrcIP), failed: e.Outcome != event.Success,
	})
}

func (c *collector) denied(e *event.Event, actor int32, caller uint8) {
	c.tries = append(c.tries, denial{
		at: e.Time, actor: actor, person: c.intern(personOf(e)), account: c.s.names.account(e.AccountUID),
		operation: c.intern(e.APIOperation), resource: c.intern(e.ResourceUID), code: c.intern(e.StatusCode),
		network: c.intern(c.network(e)), caller: caller, secrets: slices.Clone(c.secrets), uid: e.UID,
	})
}

// finish gives the summary its hours.
func (c *collector) finish() {
	s := c.s
	hour := func(t time.Time) *watch.Hour { return s.hours[t.Sub(s.day)/time.Hour] }
	for t := c.since; t.Before(c.until); t = t.Add(time.Hour) {
		s.hours[t.Sub(s.day)/time.Hour] = &watch.Hour{Start: t, Events: true}
	}
	c.tellPeaks()
	for k, at := range c.sources {
		h := s.hours[k.hour]
		h.Sources = append(h.Sources, c.from[at])
	}
	for k, p := range c.people {
		for _, r := range p.reads {
			p.Reads = append(p.Reads, *r)
		}
		slices.SortFunc(p.Reads, func(a, b watch.PersonRead) int {
			return cmp.Or(a.First.Compare(b.First), cmp.Compare(s.names.Secrets[a.Secret].UID, s.names.Secrets[b.Secret].UID))
		})
		slices.Sort(p.Networks)
		h := s.hours[k.hour]
		h.People = append(h.People, p.PersonHour)
	}
	for _, b := range c.bursts() {
		if !b.First.Before(c.since) && b.First.Before(c.until) {
			h := hour(b.First)
			h.Bursts = append(h.Bursts, b)
		}
	}
	for _, t := range c.triesTold() {
		h := hour(t.First)
		h.Tries = append(h.Tries, t)
	}
	for _, x := range c.signInsTold() {
		h := hour(x.First)
		h.SignIns = append(h.SignIns, x)
	}
	for t := c.since; t.Before(c.until); t = t.Add(time.Hour) {
		s.order(hour(t))
	}
}

func (c *collector) tellPeaks() {
	const slots = int32(time.Hour / peakSpan)
	keys := make([]peakKey, 0, len(c.peaks))
	for k := range c.peaks {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b peakKey) int {
		if a.secret != b.secret {
			return cmp.Compare(a.secret, b.secret)
		}
		return cmp.Compare(a.slot, b.slot)
	})
	for at := 0; at < len(keys); {
		first := keys[at]
		sum, most, slot := int32(0), int32(0), int32(0)
		for ; at < len(keys) && keys[at].secret == first.secret && keys[at].slot/slots == first.slot/slots; at++ {
			n := c.peaks[keys[at]]
			sum += n
			if n > most {
				most, slot = n, keys[at].slot
			}
		}
		if sum >= peakReads {
			h := c.s.hours[first.slot/slots]
			h.Peaks = append(h.Peaks, watch.Peak{Secret: first.secret, At: c.s.day.Add(time.Duration(slot) * peakSpan), Count: most})
		}
	}
}

// bursts finds the sets of secrets read together. A burst begins with a read
// before which the session read nothing for burstSpan: so it is known from little
// around it, wherever one begins to look.
func (c *collector) bursts() []watch.Burst {
	reads := slices.DeleteFunc(slices.Clone(c.reads), func(r read) bool { return !r.value })
	slices.SortFunc(reads, func(a, b read) int {
		if n := cmp.Compare(a.actor, b.actor); n != 0 {
			return n
		}
		if n := cmp.Compare(a.caller, b.caller); n != 0 {
			return n
		}
		if n := cmp.Compare(a.session, b.session); n != 0 {
			return n
		}
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return cmp.Compare(a.secret, b.secret)
	})
	var out []watch.Burst
	sets := map[string]int{} // in out, of the actor and hour
	for at := 0; at < len(reads); {
		end := at
		for end < len(reads) && reads[end].actor == reads[at].actor && reads[end].caller == reads[at].caller {
			end++
		}
		for i, some := range c.byHour(reads[at:end]) {
			clear(sets)
			c.burstsOf(some, c.s.day.Add(time.Duration(i)*time.Hour), sets, &out)
		}
		at = end
	}
	return out
}

// byHour gives each hour that is collected its reads and those around it, in
// their order.
func (c *collector) byHour(reads []read) (out [24][]read) {
	for i := range reads {
		t := reads[i].at
		before := int(floor(t.Add(-burstSpan).Sub(c.s.day)))
		for hour := before; hour <= int(floor(t.Add(burstSpan).Sub(c.s.day))); hour++ {
			if start := c.s.day.Add(time.Duration(hour) * time.Hour); !start.Before(c.since) && start.Before(c.until) {
				out[hour] = append(out[hour], reads[i])
			}
		}
	}
	return out
}

// floor is the number of whole hours in d, downward.
func floor(d time.Duration) time.Duration {
	if d < 0 {
		return -1
	}
	return d / time.Hour
}

// burstsOf adds the bursts of an actor that begin in an hour. Where nearly every
// call has a session of its own the actor is what reads together.
func (c *collector) burstsOf(reads []read, hour time.Time, sets map[string]int, out *[]watch.Burst) {
	sessions, calls := 0, 0
	last := int32(-1)
	for i := range reads {
		r := &reads[i]
		if r.session != last {
			sessions++
			last = r.session
		}
		if r.first {
			calls++
		}
	}
	if sessions > 1 && float64(calls) < 1.2*float64(sessions) {
		for i := range reads {
			reads[i].session = 0
		}
		slices.SortFunc(reads, func(a, b read) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.secret, b.secret)) })
	}
	var key []byte
	for i := 0; i < len(reads); {
		r := &reads[i]
		if i > 0 && reads[i-1].session == r.session && r.at.Sub(reads[i-1].at) <= burstSpan {
			i++
			continue
		}
		var set []int32
		j := i
		for ; j < len(reads) && reads[j].session == r.session && reads[j].at.Sub(r.at) < burstSpan; j++ {
			set = append(set, reads[j].secret)
		}
		i = j
		if r.at.Before(hour) || !r.at.Before(hour.Add(time.Hour)) {
			continue
		}
		slices.Sort(set)
		set = slices.Compact(set)
		key = key[:0]
		for _, s := range set {
			key = append(key, byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
		}
		if at, ok := sets[string(key)]; ok {
			b := &(*out)[at]
			b.Count++
			b.First, b.Last = instant.Earlier(b.First, r.at), instant.Later(b.Last, r.at)
			continue
		}
		sets[string(key)] = len(*out)
		*out = append(*out, watch.Burst{Actor: r.actor, Caller: c.callers[r.caller], Secrets: set, Count: 1, First: r.at, Last: r.at})
	}
}
