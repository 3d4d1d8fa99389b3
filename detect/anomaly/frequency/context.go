package frequency

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// A rise is explained by what happened at most so long before the first of its
// reads.
const before = 30 * time.Minute

// accountOthers and a fifth of its secrets are many of an account.
const accountOthers = 5

// explain looks for what accounts for each rise of the hour. All of it asks that
// those who read too much are readers of the secret as it is: a stranger's burst
// is explained by nothing that the log shows.
func (s *sign) explain(day *watch.Day, i int, cells []cell) {
	var rising []*cell
	for j := range cells {
		if c := &cells[j]; c.plain >= 1.3 {
			rising = append(rising, c)
		}
	}
	if len(rising) == 0 {
		return
	}
	at := day.Start.Add(time.Duration(i) * time.Hour)
	acts := s.actsAround(day, i)
	for _, c := range rising {
		if !c.usual || c.score < watch.Floor {
			continue
		}
		others, of := s.together(c, rising)
		s.byAct(day, c, acts, others > 0 || of == 0 && c.sudden())
		s.byFamily(day, c, others, of)
		s.byAccount(day, c, rising, cells)
		s.byRun(c, at)
	}
}

// together counts the other secrets that rose in the hour by the same actor and
// by about as much: a start of a program reads all that it needs. It also gives
// how many others the actor usually reads.
func (s *sign) together(c *cell, rising []*cell) (others, of int) {
	for _, o := range rising {
		if more := o.x - o.mean; o.secret != c.secret && o.actor == c.actor && o.usual && more >= 0.4*(c.x-c.mean) && more <= 2.5*(c.x-c.mean) {
			others++
		}
	}
	return others, int(s.breadth[c.actor]) - 1
}

// sudden tells whether most of what was read came within five minutes, as when
// programs start.
func (c *cell) sudden() bool { return c.peak >= 0.5*(c.x-c.mean) }

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
// deploy of something else in the account counts where the rise is like a start.
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
			if a.Account != s.home[c.secret].account {
				continue
			}
			switch {
			case akin(a.Resource, names.Actors[c.actor].Name):
				how = 2
			case a.Sort == watch.ActDeploy && start:
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
			Text: fmt.Sprintf("it was rotated at %s (%s)", best.First.UTC().Format("15:04"), best.Operation)})
	case 2:
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "deploy",
			Text: fmt.Sprintf("%s of %s by %s at %s, which reads it", best.Operation, last(best.Resource), actorName(names, best.Actor), best.First.UTC().Format("15:04"))})
	case 1:
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "deploy",
			Text: fmt.Sprintf("%s %s in the same account by %s at %s, and its usual readers read it", best.Operation, last(best.Resource), actorName(names, best.Actor), best.First.UTC().Format("15:04"))})
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

// byFamily: a start of a program reads all of its secrets, so they rise together
// and by about as much.
func (s *sign) byFamily(day *watch.Day, c *cell, others, of int) {
	if others >= 1 {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "family",
			Text: fmt.Sprintf("%d of the %d other secrets that %s reads rose in the same hour: as when a program starts", others, max(of, others), actorName(day.Names, c.actor))})
	}
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
			Text: fmt.Sprintf("%d of the %d secrets of account %s in use rose in the same hour by their usual readers: as when much of it is started anew", up, all, day.Names.Accounts[account])})
	}
}

// byRun: a run that comes weekly or at the same place of the month, or the usual
// run of the hour before or after.
func (s *sign) byRun(c *cell, at time.Time) {
	st := &s.secrets[c.secret]
	fits := func(size float64) bool { return size > 0 && c.x <= 1.5*size+10 }
	if size := st.run(at, once); fits(size) {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "weekly",
			Text: fmt.Sprintf("at this hour of the week it was read %.0f times not long ago", size)})
	}
	if size := st.run(at, monthly); fits(size) {
		c.context = append(c.context, finding.Explanation{Kind: "context", ID: "monthly",
			Text: fmt.Sprintf("on this day of last month it was read %.0f times at this hour", size)})
	}
	for _, shift := range []time.Duration{time.Hour, -time.Hour} {
		mean, k := s.expect(c.secret, at.Add(shift))
		if mean >= 4*c.mean && math.Abs(c.x-mean) <= 2*math.Sqrt(mean+mean*mean/k) {
			c.context = append(c.context, finding.Explanation{Kind: "context", ID: "shift",
				Text: fmt.Sprintf("it is what is usual at %s (%.0f reads): as when clocks change", at.Add(shift).Format("15:04"), mean)})
			return
		}
	}
}

// akin tells whether a resource and an actor are named after the same thing:
// "service/pay-charge" and "pay-charge-task-role".
func akin(resource, actor string) bool {
	a, b := plain(last(resource)), plain(actor)
	if len(a) < 4 || len(b) < 4 {
		return false
	}
	return strings.Contains(a, b) || strings.Contains(b, a)
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
func last(resource string) string {
	if resource == "" {
		return "something"
	}
	name := resource[strings.LastIndexByte(resource, '/')+1:]
	if i := strings.LastIndexByte(name, ':'); i >= 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		name = name[:i]
	}
	return name[strings.LastIndexByte(name, ':')+1:]
}

func actorName(names *watch.Names, actor int32) string {
	if actor < 0 || int(actor) >= len(names.Actors) {
		return "somebody"
	}
	if n := &names.Actors[actor]; n.Name != "" {
		return n.Name
	}
	return names.Actors[actor].UID
}
