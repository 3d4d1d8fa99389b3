package frequency

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// sweep knows who has read what, and judges who reads many secrets for the first
// time: in an hour, or in a day so far.
type sweep struct {
	same  []int32           // by secret: the first of the same account and name, in whatever region
	named map[uint64]int32  // that first one by the hash of account and name
	known map[uint32]uint16 // when who last read what, by the hash of both
	held  map[uint32]holds  // what was read in a sweep, not known yet, by the hash of both
	who   map[uint32]since  // by the hash of the reader
	born  []uint16          // by secret: the day it was first read
	rate  rate              // new secrets an hour in which somebody reads
	daily rate              // and a day
}

// reading is who reads: a person, or an actor where none is named.
type reading struct {
	actor  int32
	person string
}

type pair struct {
	reading
	secret int32
}

// since is on which days a reader was seen first and last, and how many secrets it
// has read, those included that it has not for long.
type since struct{ first, last, days, secrets uint16 }

// holds is on how many days something was read, and the last of them.
type holds struct{ days, last uint16 }

// usualDays is on how many days what was read in a sweep has to be read until it
// is the reader's own, and a newcomer has to be seen before many secrets are taken
// for his work. fewNew are no matter.
const (
	usualDays = 3
	fewNew    = 12
)

// hashOf is the FNV-1a hash of strings: what is learned needs to know them again,
// not to name them.
func hashOf(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}

func (r reading) mix() uint64 {
	return (hashOf(r.person) ^ uint64(uint32(r.actor))) * 0x9e3779b97f4a7c15
}

// The hashes that are kept have 32 bits: among 100,000 pairs one that was never
// seen is taken for known in one of 40,000 cases, and a sweep is of many.
func (r reading) hash() uint32 { return fold(r.mix()) }

func (p pair) hash() uint32 {
	return fold((p.mix() ^ uint64(uint32(p.secret))) * 0xff51afd7ed558ccd)
}

func fold(h uint64) uint32 { return uint32(h ^ h>>32) }

// rate is how many secrets a reader reads for the first time, in a unit of time
// in which it reads at all.
type rate struct {
	units, sum float64
	spread     stat.Dispersion
	readers    float64 // units a day and secret, smoothed
}

// forget is after how many days without a read a secret is new to its reader
// again.
const forget = 90

// least is how many secrets make a sweep: fewer are other signs' business.
const least = 8

func (w *sweep) init() {
	w.named = map[uint64]int32{}
	w.known = map[uint32]uint16{}
	w.held = map[uint32]holds{}
	w.who = map[uint32]since{}
}

func (w *sweep) clone() sweep {
	c := *w
	c.same = slices.Clone(w.same)
	c.named = maps.Clone(w.named)
	c.known = maps.Clone(w.known)
	c.held = maps.Clone(w.held)
	c.who = maps.Clone(w.who)
	c.born = slices.Clone(w.born)
	return c
}

// bytes counts of each entry of a map what it takes where two thirds are in use.
func (w *sweep) bytes() int {
	return 6*len(w.same) + 26*len(w.named) + 14*len(w.known) + 14*len(w.held) + 20*len(w.who)
}

func (w *sweep) canon(secret int32, n *watch.Secret) {
	key := hashOf(n.Account, n.Name)
	if n.Name == "" {
		key = hashOf(n.UID)
	}
	first, ok := w.named[key]
	if !ok {
		first = secret
		w.named[key] = secret
	}
	w.same = append(w.same, first)
	w.born = append(w.born, 0)
}

// tour is what one reader read for the first time.
type tour struct {
	reading
	account     int32
	caller      event.Caller
	region      string
	secrets     []int32 // new to it, as in Names
	hour        int     // of them, first read in the hour judged
	distinct    int     // known ones too
	first, last time.Time
	count       int64
}

// touring is who read what for the first time on a day so far.
type touring struct {
	by   map[reading]*tour
	seen map[pair]bool
	all  []*tour // in the order in which they began
}

func (t *touring) init() { t.by, t.seen = map[reading]*tour{}, map[pair]bool{} }

// take adds the next hour of the day. Of people's reads by name those of the
// hour's people are taken, where events are held.
func (w *sweep) take(t *touring, s *sign, day *watch.Day, i int) {
	hour := day.Hours[i]
	for _, x := range t.all {
		x.hour, x.count = 0, 0
	}
	if hour == nil {
		return
	}
	today := dayOf(day.Start)
	for j := range hour.Uses {
		u := &hour.Uses[j]
		if !s.counts(u, day.Names) || hour.Events && watch.Person(u.Caller) && len(hour.People) > 0 {
			continue
		}
		w.meet(t, today, reading{u.Actor, ""}, u.Secret, tour{account: u.Account, caller: u.Caller, region: u.Region, count: u.Count, first: u.First, last: u.Last})
	}
	for j := range hour.People {
		p := &hour.People[j]
		for _, r := range p.Reads {
			if r.Secret >= 0 && r.Count > r.Denied && watch.Person(p.Caller) {
				w.meet(t, today, reading{-1, p.Person}, r.Secret, tour{account: p.Account, caller: p.Caller, region: p.Region, count: int64(r.Count - r.Denied), first: r.First, last: p.Last})
			}
		}
	}
}

// meet adds that one reader read a secret, as new says.
func (w *sweep) meet(t *touring, today uint16, r reading, secret int32, new tour) {
	x := t.by[r]
	if x == nil {
		x = &tour{reading: r, account: new.account, caller: new.caller, region: new.region, first: new.first}
		t.by[r] = x
		t.all = append(t.all, x)
	}
	if new.last.After(x.last) {
		x.last = new.last
	}
	x.count += new.count
	p := pair{r, w.same[secret]}
	if t.seen[p] {
		return
	}
	t.seen[p] = true
	x.distinct++
	if on, ok := w.known[p.hash()]; ok && today-on <= forget {
		return
	}
	if b := w.born[p.secret]; b == 0 || today-b < 3 {
		return // new itself: nobody can have read it
	}
	x.secrets = append(x.secrets, secret)
	x.hour++
}

func (w *sweep) judge(s *sign, alarms []watch.Alarm, day *watch.Day, i int) []watch.Alarm {
	if s.days == 0 {
		return alarms
	}
	for _, t := range s.upTo(day, i+1).tours.all {
		if t.hour == 0 || len(t.secrets) < least {
			continue
		}
		// New ones today so far, of which the hour's may be all.
		score := stat.Best(w.rate.score(float64(t.hour)), w.daily.score(float64(len(t.secrets))))
		if score < watch.Floor {
			continue
		}
		alarms = append(alarms, s.sweepAlarm(day, i, t, score))
	}
	return alarms
}

// score of so many new secrets.
func (r *rate) score(n float64) float64 {
	mean := (r.sum + 1) / (r.units + 20)
	k := r.spread.Shape()
	if k == 0 {
		k = 0.05
	}
	return stat.Score(stat.LnUpper(n, mean, min(k, 0.3)))
}

func (r *rate) take(n float64) {
	mean := (r.sum + 1) / (r.units + 20)
	n = min(n, 12) // a sweep does not teach that sweeps are usual
	r.spread.Add(n, mean)
	r.sum += n
	r.units++
}

func (w *sweep) learn(s *sign, day *watch.Day) {
	today := dayOf(day.Start)
	settled := s.days >= MatureDays
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for _, u := range h.Uses {
			if u.Secret >= 0 && w.born[w.same[u.Secret]] == 0 {
				born := today
				if s.days == 0 {
					born = today - 3 // there before the log began
				}
				w.born[w.same[u.Secret]] = born
			}
		}
	}
	var t touring
	t.init()
	for i := range day.Hours {
		w.take(&t, s, day, i)
		for _, x := range t.all {
			if settled && x.count > 0 && w.old(x.reading, today) {
				w.rate.take(float64(x.hour))
			}
		}
	}
	for _, x := range t.all {
		if settled && w.old(x.reading, today) {
			w.daily.take(float64(len(x.secrets)))
		}
	}
	units := float64(len(t.all))
	if n := float64(len(s.home)); n > 0 {
		w.daily.readers += 0.2 * (units/n - w.daily.readers)
	}
	w.remember(s, day, today, &t)
	for _, r := range []*rate{&w.rate, &w.daily} {
		r.units *= 0.976
		r.sum *= 0.976
		r.spread.Decay(0.976)
	}
}

// old tells whether the reader was there a week ago: what newcomers read is all
// new.
func (w *sweep) old(r reading, today uint16) bool {
	at, ok := w.who[r.hash()]
	return ok && today-at.first >= MatureDays
}

// remember takes in who read what on a day. What was read in a sweep is held back
// until it is read on several days.
func (w *sweep) remember(s *sign, day *watch.Day, today uint16, t *touring) {
	meet := func(r reading, secret int32) {
		key := r.hash()
		at, ok := w.who[key]
		if !ok {
			at.first = today
		}
		if !ok || at.last != today {
			at.days++
		}
		at.last = today
		defer func() { w.who[key] = at }()
		p := pair{r, w.same[secret]}.hash()
		if _, ok := w.known[p]; !ok {
			x, held := t.by[r], w.held[p].days > 0
			if sweeps := s.days >= MatureDays && x != nil && len(x.secrets) >= least; (sweeps || held) && !w.settles(p, today) {
				return
			}
			delete(w.held, p)
			at.secrets++
		}
		w.known[p] = today
	}
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for j := range h.Uses {
			if u := &h.Uses[j]; s.counts(u, day.Names) {
				meet(reading{u.Actor, ""}, u.Secret)
			}
		}
		for j := range h.People {
			for _, r := range h.People[j].Reads {
				if r.Secret >= 0 && r.Count > r.Denied {
					meet(reading{-1, h.People[j].Person}, r.Secret)
				}
			}
		}
	}
	if today%7 == 0 {
		maps.DeleteFunc(w.known, func(_ uint32, on uint16) bool { return today-on > forget })
		maps.DeleteFunc(w.held, func(_ uint32, h holds) bool { return today-h.last > forget })
		maps.DeleteFunc(w.who, func(_ uint32, at since) bool { return today-at.last > forget })
	}
}

// settles counts the day for what is held back, and tells whether it is usual now.
func (w *sweep) settles(p uint32, today uint16) bool {
	h := w.held[p]
	if h.days == 0 || h.last != today {
		h.days++
	}
	h.last = today
	w.held[p] = h
	return h.days >= usualDays
}

func (s *sign) sweepAlarm(day *watch.Day, i int, t *tour, score float64) watch.Alarm {
	w := &s.sweep
	names := day.Names
	secrets := slices.Clone(t.secrets)
	slices.Sort(secrets)
	a := watch.Alarm{
		Sign: finding.SignFrequency, Class: ClassSweep, Secret: -1, Secrets: secrets,
		Actor: t.actor, Person: t.person, Account: t.account, Region: t.region, Caller: t.caller,
		Score: score, Trials: max(6*w.daily.readers, 0.01),
		First: t.first, Last: t.last, Count: t.count, Severity: finding.High,
		Days: s.days, Mature: s.days >= MatureDays,
		Where: watch.Where{Person: t.person, Caller: t.caller},
	}
	for _, x := range secrets {
		a.Where.Secrets = append(a.Where.Secrets, names.Secrets[x].UID)
	}
	who := say.Plain(t.person)
	if t.actor >= 0 {
		a.Where.Actor = names.Actors[t.actor].UID
		who = actorName(names, t.actor)
	}
	if !s.o.NoContext {
		a.Context = s.newcomer(day, t)
	}
	families := map[int32]bool{}
	for _, x := range secrets {
		families[s.home[x].family] = true
	}
	known, first := w.who[t.hash()].secrets, w.who[t.hash()].first
	all, hour := t.distinct, t.hour
	at := day.Start.Add(time.Duration(i) * time.Hour)
	a.Tell = func() watch.Told {
		text := say.T("frequency.sweep", say.Values{
			"who": who, "n": len(secrets), "families": len(families), "at": at, "hour": hour, "until": at.Add(time.Hour), "secrets": list(names, secrets, 6),
		})
		had := say.T("frequency.sweep.had", say.Values{"n": int(known), "since": dateOf(first), "today": all})
		if first == 0 {
			had = say.T("frequency.sweep.never", nil)
		}
		return watch.Told{
			Title:   say.T("frequency.sweep.title", say.Values{"who": who, "n": len(secrets)}),
			Reasons: []finding.Reason{{Kind: "distinct", Text: text, Observed: say.Plain(fmt.Sprint(len(secrets))), Expected: say.Plain("0")}, {Kind: "history", Text: had, Observed: say.Plain(fmt.Sprint(all)), Expected: say.Plain(fmt.Sprint(known))}},
			Next:    []string{watch.Search(at, at.Add(time.Hour), query.Eq{Field: "api_operation", Value: "GetSecretValue"}, by(names, t.reading))},
			Attack:  []string{"T1555.006", "T1078.004"},
		}
	}
	return a
}

func by(names *watch.Names, r reading) query.Expr {
	if r.actor >= 0 {
		return watch.ByActor(names.Actors[r.actor].UID)
	}
	return watch.ByPerson(r.person)
}

// newcomer explains a person in his first two weeks who reads what others of the
// same role read: a few secrets, or many after several days of work. A name that
// was never seen accounts for nothing by itself, as anybody can choose one.
func (s *sign) newcomer(day *watch.Day, t *tour) []finding.Explanation {
	if t.person == "" || s.days < 21 {
		return nil
	}
	at, ok := s.sweep.who[t.hash()]
	if today := dayOf(day.Start); ok && today-at.first > 14 {
		return nil
	}
	if len(t.secrets) > fewNew && at.days < usualDays {
		return nil
	}
	shared := 0
	for _, x := range t.secrets {
		for _, r := range s.state(x).known {
			if r.actor > 0 && sharedRole(day, t, r.actor-1) {
				shared++
				break
			}
		}
	}
	if shared < len(t.secrets)*4/5 {
		return nil
	}
	return []finding.Explanation{{Kind: "context", ID: "newcomer",
		Text: say.T("frequency.newcomer", say.Values{"who": t.person, "n": shared, "all": len(t.secrets)})}}
}

// sharedRole tells whether the person acted as the actor on this day.
func sharedRole(day *watch.Day, t *tour, actor int32) bool {
	for _, h := range day.Hours {
		if h == nil {
			continue
		}
		for j := range h.People {
			if h.People[j].Person == t.person && h.People[j].Actor == actor {
				return true
			}
		}
	}
	return false
}
