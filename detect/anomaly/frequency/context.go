package frequency

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// A rise is explained by what happened at most so long before the first of its
// reads.
const before = 30 * time.Minute

// lnRare is the chance from which on a companion's rise counts, as a logarithm.
var lnRare = math.Log(0.01)

// accountOthers and a fifth of its secrets are many of an account.
const accountOthers = 5

// explain looks for what accounts for each rise of the hour. All of it asks that
// those who read too much are readers of the secret as it is, or of others of its
// family: a stranger's burst is explained by nothing that the log shows.
func (s *sign) explain(day *watch.Day, i int, cells []cell) {
	var rising []*cell
	for j := range cells {
		if c := &cells[j]; c.plain >= 1.0 || c.score >= watch.Floor {
			c.kin = c.usual || s.reader(c.actor, s.home[c.secret].family)
			rising = append(rising, c)
		}
	}
	at := day.Start.Add(time.Duration(i) * time.Hour)
	var acts []watch.Act
	for _, c := range rising {
		if !c.kin || c.plain < watch.Floor && c.score < watch.Floor {
			continue
		}
		if acts == nil {
			acts = s.actsAround(day, i)
		}
		with := s.together(c, rising)
		s.byAct(day, c, acts, len(with) > 0 || c.sudden())
		if len(with) >= 2 || len(with) == 1 && (s.likeStart(c) || inBursts(day.Hours[i], c, with[0].secret)) {
			s.byFamily(day, c, with)
		}
		s.byPrograms(day, c)
		if !c.usual {
			continue
		}
		s.byApplication(day, i, c, rising)
		s.byAccount(day, c, rising, cells)
		s.byRun(c, at)
		s.byMonth(day, i, c, at)
	}
}

// together are the other secrets that rose in the hour as rarely happens by
// chance, by about as much, and are read by the same actor or belong to the same
// family: a start of a program, or of all programs of an application, reads all
// that they need.
func (s *sign) together(c *cell, rising []*cell) (with []*cell) {
	for _, o := range rising {
		if o.secret == c.secret || !o.kin || stat.LnUpper(o.x, o.mean, o.k) > lnRare || s.home[o.secret].account != s.home[c.secret].account {
			continue
		}
		more := o.x - o.mean
		if by := o.overOf(c.actor, s.state(o.secret)); by > 0 {
			more = by
		} else if s.home[o.secret].family != s.home[c.secret].family {
			continue
		}
		if more >= 0.4*c.over && more <= 2.5*c.over {
			with = append(with, o)
		}
	}
	return with
}

// overOf is by how much an actor read the secret more than it usually does.
func (c *cell) overOf(actor int32, st *state) float64 {
	for _, a := range c.actors {
		if a.actor == actor {
			return a.count - st.part(actor)*c.mean
		}
	}
	return 0
}

// reader tells whether the actor usually reads secrets of the family.
func (s *sign) reader(actor, family int32) bool {
	_, ok := s.breadth[kin{actor, family}]
	return ok
}

// sudden tells whether most of what was read came within five minutes, as when
// programs start.
func (c *cell) sudden() bool { return c.peak >= 0.5*(c.x-c.mean) }

// likeStart tells whether the rise has the shape of a start: most of it at once, and
// no more than twice what the secret's starts have brought so far.
func (s *sign) likeStart(c *cell) bool {
	start := float64(s.state(c.secret).start)
	return c.peak > 0 && c.sudden() && start > 0 && c.x-c.mean <= 2*start+3
}

// inBursts tells whether at least half of the rise are sessions that each read both
// secrets as they began: many tasks that start. Who holds one session, and reads
// with it over and over, begins once.
func inBursts(h *watch.Hour, c *cell, other int32) bool {
	n := 0.0
	for j := range h.Bursts {
		b := &h.Bursts[j]
		if b.Actor == c.actor && slices.Contains(b.Secrets, c.secret) && slices.Contains(b.Secrets, other) {
			n += float64(b.Count)
		}
	}
	return n >= 3 && n >= 0.5*c.over
}

// actsAround are the acts of the hour and of the one before.
func (s *sign) actsAround(day *watch.Day, i int) []watch.Act {
	acts := day.Hours[i].Acts
	switch {
	case i > 0 && day.Hours[i-1] != nil:
		acts = append(append([]watch.Act(nil), day.Hours[i-1].Acts...), acts...)
	case i == 0:
		acts = append(append([]watch.Act(nil), s.late...), acts...)
	}
	return acts
}

// byAct looks for a deploy of what reads the secret, or a rotation of it. A
// deploy of something else in the account counts where it is a pipeline's or a
// service's and the rise is like a start. What the reader deploys itself accounts
// for nothing: who holds a stolen role can start a task with it.
func (s *sign) byAct(day *watch.Day, c *cell, acts []watch.Act, start bool) {
	names := day.Names
	var best *watch.Act
	match := 0
	for j := range acts {
		a := &acts[j]
		if a.Outcome != "" && a.Outcome != "success" || a.First.After(c.last) || a.Last.Before(c.from().Add(-before)) {
			continue
		}
		how := 0
		switch a.Sort {
		case watch.ActRotate:
			if a.Secret == c.secret {
				how = 3
			}
		case watch.ActDeploy, watch.ActBuild:
			if a.Account != s.home[c.secret].account || a.Actor == c.actor {
				continue
			}
			switch {
			case akin(a.Resource, names.Actors[c.actor].Name), alike(a.Resource, names.Actors[c.actor].Name):
				how = 2
			case a.Sort == watch.ActDeploy && start && novelty.Builds(a.Caller):
				how = 1
			}
		}
		if how > match {
			best, match = a, how
		}
	}
	switch match {
	case 3:
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "rotation",
			Text: say.T("frequency.rotated", say.Values{"at": best.First.UTC(), "operation": best.Operation})})
	case 2:
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "deploy",
			Text: say.T("frequency.deployed", say.Values{"operation": best.Operation, "resource": last(best.Resource), "by": actorName(names, best.Actor), "at": best.First.UTC()})})
	case 1:
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "deploy",
			Text: say.T("frequency.deployed.near", say.Values{"operation": best.Operation, "resource": last(best.Resource), "by": actorName(names, best.Actor), "at": best.First.UTC()})})
	}
}

// from is when the rise began at the earliest that is known.
func (c *cell) from() time.Time {
	for _, a := range c.actors {
		if a.actor == c.actor {
			return a.first
		}
	}
	return c.first
}

// byFamily: secrets that are read together rise together.
func (s *sign) byFamily(day *watch.Day, c *cell, with []*cell) {
	if len(with) == 0 {
		return
	}
	var names []int32
	for _, o := range with {
		names = append(names, o.secret)
	}
	c.context = append(c.context, finding.Explanation{Kind: "context", ID: "family",
		Text: say.T("frequency.family", say.Values{"secrets": list(day.Names, names, 3)})})
}

// byPrograms: several programs that read it rose at once.
func (s *sign) byPrograms(day *watch.Day, c *cell) {
	st := s.state(c.secret)
	n := 0
	for _, a := range c.actors {
		part := st.part(a.actor)
		if over := a.count - part*c.mean; part > 0 && over >= 3 && over >= 0.25*c.over {
			n++
		}
	}
	if n >= 2 {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "programs",
			Text: say.T("frequency.programs", say.Values{"n": n})})
	}
}

// fiveMinutes is what a peak lasts.
const fiveMinutes = 5 * time.Minute

// byApplication: programs of one application that start together, as when it is
// deployed by hand. Each reads its own secret, all in the same minutes; who holds
// the role of one does not have the others read. Or it is one program, and several
// of its sessions begin at once with as many reads as its starts have brought.
func (s *sign) byApplication(day *watch.Day, i int, c *cell, rising []*cell) {
	if c.peak == 0 || !c.sudden() {
		return
	}
	for _, o := range rising {
		if o.secret == c.secret || o.actor == c.actor || !o.usual || o.peak == 0 || !o.sudden() || o.peakAt.Sub(c.peakAt).Abs() > fiveMinutes ||
			s.home[o.secret].account != s.home[c.secret].account || stat.LnUpper(o.x, o.mean, o.k) > lnRare {
			continue
		}
		if mine, other := actorName(day.Names, c.actor), actorName(day.Names, o.actor); novelty.Alike(novelty.Words(mine.String()), novelty.Words(other.String())) {
			c.context = append(c.context, finding.Explanation{Kind: "context", ID: "application",
				Text: say.T("frequency.application", say.Values{"who": other, "secret": day.Names.Secrets[o.secret].Name, "n": o.x})})
			return
		}
	}
	if n := begun(day.Hours[i], c); n >= 2 && s.likeStart(c) {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "start",
			Text: say.T("frequency.sessions", say.Values{"n": n})})
	}
}

// begun counts the sessions of the one who reads too much that began to read the
// secret within its busiest minutes.
func begun(h *watch.Hour, c *cell) (n int32) {
	for j := range h.Bursts {
		b := &h.Bursts[j]
		if b.Actor == c.actor && slices.Contains(b.Secrets, c.secret) && !b.Last.Before(c.peakAt.Add(-fiveMinutes)) && b.First.Before(c.peakAt.Add(fiveMinutes)) {
			n += b.Count
		}
	}
	return n
}

// byAccount: many secrets of an account at once are a restart of much of it.
func (s *sign) byAccount(day *watch.Day, c *cell, rising []*cell, cells []cell) {
	account := s.home[c.secret].account
	if account < 0 {
		return
	}
	up, all := 0, 0
	for _, o := range rising {
		if s.home[o.secret].account == account && o.usual {
			up++
		}
	}
	for j := range cells {
		if s.home[cells[j].secret].account == account {
			all++
		}
	}
	if up-1 >= accountOthers && 5*up >= all {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "account",
			Text: say.T("frequency.account", say.Values{"n": up, "all": all, "account": day.Names.Accounts[account]})})
	}
}

// byRun: a run that comes weekly or at the same place of the month, or the usual
// run of the hour before or after.
func (s *sign) byRun(c *cell, at time.Time) {
	st := s.state(c.secret)
	fits := func(size float64) bool { return size > 0 && c.x <= 1.5*size+10 }
	if size := st.run(at, calm); fits(size) {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "weekly",
			Text: say.T("frequency.weekly", say.Values{"n": size})})
	}
	if size := st.run(at, monthly); fits(size) {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "monthly",
			Text: say.T("frequency.monthly", say.Values{"n": size})})
	}
	for _, shift := range []time.Duration{time.Hour, -time.Hour} {
		mean, k := s.expect(c.secret, at.Add(shift))
		if mean >= 4*c.mean && math.Abs(c.x-mean) <= 2*math.Sqrt(mean+mean*mean/k) {
			c.context = append(c.context, finding.Explanation{Kind: "context", ID: "shift",
				Text: say.T("frequency.shift", say.Values{"at": at.Add(shift), "n": mean})})
			return
		}
	}
}

// byMonth: at the end of a month much is closed and paid. It accounts for what the
// secret, or its family, showed at an earlier end of a month: about as great a
// rise, at an hour with a usual run or among others that are above the usual. The
// date by itself accounts for nothing.
func (s *sign) byMonth(day *watch.Day, i int, c *cell, at time.Time) {
	if !s.monthEnd(c.secret, at) {
		return
	}
	rise := s.monthRise(c.secret, dayOf(day.Start))
	if rise == 0 || c.x > 1.5*rise*c.mean+10 {
		return
	}
	above := 0
	for h := max(0, i-5); h < i; h++ {
		if day.Hours[h] == nil {
			continue
		}
		mean, _ := s.expect(c.secret, day.Start.Add(time.Duration(h)*time.Hour))
		if s.readsOf(day, h, c.secret) >= 1.4*mean+1 {
			above++
		}
	}
	if above >= 2 || c.mean >= 3 && c.x <= 1.5*rise*c.mean {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "month_end",
			Text: say.T("frequency.month", say.Values{"rise": rise, "hours": above})})
	}
}

// monthRise is how many times the usual the secret's days were at an earlier end
// of a month, or those of its family; 0 if they were not above it.
func (s *sign) monthRise(secret int32, today uint16) float64 {
	return max(s.state(secret).ends.before(today), s.ends[s.home[secret].family].before(today))
}

// monthEnd tells whether the hour is on one of the last two days of a month or
// on its first, where the secret's people live.
func (s *sign) monthEnd(secret int32, at time.Time) bool {
	local := at.Add(time.Duration(s.pools[s.home[secret].pool].offset) * time.Hour)
	return toEnd(local) <= 1 || local.Day() == 1
}

// akin tells whether a resource and an actor are named after the same thing:
// "service/pay-charge" and "pay-charge-task-role".
func akin(resource, actor string) bool {
	a, b := plain(last(resource).String()), plain(actor)
	if len(a) < 4 || len(b) < 4 {
		return false
	}
	return strings.Contains(a, b) || strings.Contains(b, a)
}

// alike tells whether a resource and an actor have the telling words of an
// application in common.
func alike(resource, actor string) bool {
	return novelty.Alike(novelty.Words(last(resource).String()), novelty.Words(actor))
}

// plain takes away what names of roles, services and task definitions add.
func plain(name string) string {
	name = strings.ToLower(name)
	if head, tail, ok := strings.Cut(name, ":"); ok && strings.Trim(tail, "0123456789") == "" {
		name = head
	}
	for _, tail := range []string{"-role", "-task", "-execution", "-service", "-fn", "-lambda", "-function", "-svc", "_role", "_task"} {
		name = strings.TrimSuffix(name, tail)
	}
	return name
}

// last is the last part of an ARN's resource.
func last(resource string) say.Text {
	if resource == "" {
		return say.T("something", nil)
	}
	name := resource[strings.LastIndexByte(resource, '/')+1:]
	if i := strings.LastIndexByte(name, ':'); i >= 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		name = name[:i]
	}
	return say.Plain(name[strings.LastIndexByte(name, ':')+1:])
}

func actorName(names *watch.Names, actor int32) say.Text {
	if actor < 0 || int(actor) >= len(names.Actors) {
		return say.T("somebody", nil)
	}
	if n := &names.Actors[actor]; n.Name != "" {
		return say.Plain(n.Name)
	}
	return say.Plain(names.Actors[actor].UID)
}
