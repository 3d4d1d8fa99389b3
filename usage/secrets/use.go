package secrets

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Bounds of what is told of one.
const (
	maxActorUse = 500
	maxGroup    = 50
	maxUnheard  = 2_000 // the latest
)

// What makes a group: others that are used in at least this part of the hours, and
// in so many.
const (
	groupPart  = 0.5
	groupHours = 3
)

// Use gives all of the one with that name, in any of its forms; false: there is
// none.
func (t *Table) Use(name string) (Use, bool) {
	b := t.Book()
	s, ok := b.Find(name)
	if !ok {
		return Use{}, false
	}
	v := t.now()
	u := &user{view: &v, root: s.secret, roots: v.roots()}
	u.uses, _, _ = v.sorts()
	out := Use{Summary: *s}
	u.collect()
	out.Heat, out.Days, out.ActorUse, out.Failed = u.heat(), u.daily(), u.actorUse(), u.failed()
	out.Group = u.group(b)
	u.unheard(&out, b)
	return out, true
}

// user goes through the cells for one.
type user struct {
	*view
	root  int32
	roots []int32
	uses  []bool

	byHeat  map[Heat]int64 // Calls 0
	byDay   map[DayCalls]int64
	byActor map[[2]uint32]*ActorUse // principal, caller
	byFail  map[[2]uint16]*FailedUse
	// hours are those of use: for each day, by principal, bit h stands for hour h.
	hours []map[uint32]uint32
}

// mine are the cells of a day that are about it, with those of its aliases.
func (u *user) mine(d *day, f func(*cell)) {
	for i := range d.cells {
		if c := &d.cells[i]; u.roots[c.secret] == u.root && u.uses[c.call] && !u.skips(c, u.roots) {
			f(c)
		}
	}
}

func (u *user) collect() {
	u.byHeat, u.byDay = map[Heat]int64{}, map[DayCalls]int64{}
	u.byActor, u.byFail = map[[2]uint32]*ActorUse{}, map[[2]uint16]*FailedUse{}
	u.hours = make([]map[uint32]uint32, len(u.days))
	for i, d := range u.days {
		name, weekday := d.start.Format(time.DateOnly), int(d.start.Weekday())
		u.mine(d, func(c *cell) {
			caller, n := u.callers[c.caller], int64(c.count)
			u.byHeat[Heat{Weekday: weekday, Hour: int(c.hour), Caller: caller}] += n
			u.byDay[DayCalls{Day: name, Caller: caller}] += n
			u.addActor(d, c)
			if u.results[c.outcome] != event.Success {
				u.addFailure(d, c)
			}
			if u.hours[i] == nil {
				u.hours[i] = map[uint32]uint32{}
			}
			u.hours[i][c.actor] |= 1 << c.hour
		})
	}
}

func (u *user) addActor(d *day, c *cell) {
	key := [2]uint32{c.actor, uint32(c.caller)}
	a := u.byActor[key]
	if a == nil {
		a = &ActorUse{Actor: u.actors[c.actor], Caller: u.callers[c.caller], First: d.first(c), Last: d.last(c)}
		u.byActor[key] = a
	}
	a.Calls += int64(c.count)
	if u.results[c.outcome] != event.Success {
		a.Failures += int64(c.count)
	}
	if at := d.first(c); at.Before(a.First) {
		a.First = at
	}
	if at := d.last(c); at.After(a.Last) {
		a.Last = at
	}
}

func (u *user) addFailure(d *day, c *cell) {
	key := [2]uint16{uint16(c.outcome), c.call}
	f := u.byFail[key]
	if f == nil {
		f = &FailedUse{Outcome: u.results[c.outcome], Operation: u.calls[c.call].operation}
		u.byFail[key] = f
	}
	f.Calls += int64(c.count)
	if at := d.last(c); at.After(f.Last) {
		f.Last = at
	}
}

func (u *user) heat() (out []Heat) {
	for h, n := range u.byHeat {
		h.Calls = n
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Heat) int {
		return cmp.Or(cmp.Compare(a.Weekday, b.Weekday), cmp.Compare(a.Hour, b.Hour), strings.Compare(string(a.Caller), string(b.Caller)))
	})
	return out
}

func (u *user) daily() (out []DayCalls) {
	for d, n := range u.byDay {
		d.Calls = n
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b DayCalls) int {
		return cmp.Or(strings.Compare(a.Day, b.Day), strings.Compare(string(a.Caller), string(b.Caller)))
	})
	return out
}

func (u *user) actorUse() (out []ActorUse) {
	for _, a := range u.byActor {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b ActorUse) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), strings.Compare(a.Actor, b.Actor), strings.Compare(string(a.Caller), string(b.Caller)))
	})
	return out[:min(len(out), maxActorUse)]
}

func (u *user) failed() (out []FailedUse) {
	for _, f := range u.byFail {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b FailedUse) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), strings.Compare(string(a.Outcome), string(b.Outcome)), strings.Compare(a.Operation, b.Operation))
	})
	return out
}

// group are the others that the same principals use in the same hours.
func (u *user) group(b *Book) []GroupMember {
	own := 0
	for _, day := range u.hours {
		for _, mask := range day {
			own += bits.OnesCount32(mask)
		}
	}
	both, all := u.together()
	var out []GroupMember
	for i := range b.Secrets {
		s := &b.Secrets[i]
		n := both[s.secret]
		if s.secret == u.root || n < groupHours || float64(n) < groupPart*float64(own) {
			continue
		}
		out = append(out, GroupMember{
			Resource: s.Resource, Name: s.Name, Kind: s.Kind, Hours: n,
			Together: min(1, float64(n)/float64(own)), Reverse: min(1, float64(n)/float64(max(all[s.secret], 1))),
		})
	}
	// What is used with everything, as a key of many secrets is, comes last.
	slices.SortFunc(out, func(a, b GroupMember) int {
		return cmp.Or(cmp.Compare(b.Together*b.Reverse, a.Together*a.Reverse), strings.Compare(a.Resource, b.Resource))
	})
	return out[:min(len(out), maxGroup)]
}

// together counts, for every other one, its hours of use by principal, and how
// many of them are hours of use of this one.
func (u *user) together() (both, all []int) {
	both, all = make([]int, len(u.roots)), make([]int, len(u.roots))
	mine := make([]uint32, len(u.actors))
	for i, d := range u.days {
		for actor, mask := range u.hours[i] {
			mine[actor] = mask
		}
		for at := 0; at < len(d.cells); {
			secret, actor, mask := d.cells[at].secret, d.cells[at].actor, uint32(0)
			for ; at < len(d.cells) && d.cells[at].secret == secret && d.cells[at].actor == actor; at++ {
				if c := &d.cells[at]; u.uses[c.call] && !u.skips(c, u.roots) {
					mask |= 1 << c.hour
				}
			}
			all[u.roots[secret]] += bits.OnesCount32(mask)
			both[u.roots[secret]] += bits.OnesCount32(mask & mine[actor])
		}
		for actor := range u.hours[i] {
			mine[actor] = 0
		}
	}
	return both, all
}

// unheard tells which hours since its first sight nothing is known of.
func (u *user) unheard(out *Use, b *Book) {
	g := u.view.logs().of(u.view, u.root)
	for d := range 7 {
		for h := range 24 {
			out.Known = append(out.Known, Known{Weekday: d, Hour: h})
		}
	}
	for hour := out.First.Truncate(time.Hour); hour.Before(b.Until); hour = hour.Add(time.Hour) {
		k := &out.Known[int(hour.Weekday())*24+hour.Hour()]
		if out.Unseen == "" && g.heard(hour) {
			k.Known++
			continue
		}
		k.Unknown++
		out.UnknownHours++
		if n := len(out.Unheard); n > 0 && out.Unheard[n-1].To.Equal(hour) {
			out.Unheard[n-1].To = hour.Add(time.Hour)
			continue
		}
		out.Unheard = append(out.Unheard, Unheard{hour, hour.Add(time.Hour)})
	}
	out.Unheard = out.Unheard[max(0, len(out.Unheard)-maxUnheard):]
}
