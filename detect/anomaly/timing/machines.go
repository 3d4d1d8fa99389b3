package timing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// machine is what is learned of one program and secret, about 230 bytes.
type machine struct {
	hours
	sin, cos float32 // of the minute of the day of a lone run
	runs     float32 // days with one active hour
}

// widest is in how many hours of the day nine tenths of a program's activity may
// lie at most: one that calls around the clock is not judged.
const widest = 15

// What programs have in common counts as much as so many hours of its own.
const programWeight = 2

// stray is one program's use of one secret in an hour that is not its own.
type stray struct {
	pair
	count       int64
	caller      event.Caller
	region      string
	account     int32
	first, last time.Time
	score       float64
	class       int
	job         bool
}

// uses adds up the hour by program and secret.
func uses(h *watch.Hour) []*stray {
	by := map[pair]*stray{}
	var out []*stray
	for j := range h.Uses {
		u := &h.Uses[j]
		if !program(u) {
			continue
		}
		k := pair{u.Actor, u.Secret}
		x := by[k]
		if x == nil {
			x = &stray{pair: k, caller: u.Caller, region: u.Region, account: u.Account, first: u.First, last: u.Last}
			by[k] = x
			out = append(out, x)
		}
		x.count += u.Count
		if u.First.Before(x.first) {
			x.first = u.First
		}
		if u.Last.After(x.last) {
			x.last = u.Last
		}
	}
	slices.SortFunc(out, func(a, b *stray) int {
		if c := cmp.Compare(a.actor, b.actor); c != 0 {
			return c
		}
		return cmp.Compare(a.secret, b.secret)
	})
	return out
}

// scoreMachine judges one program's hour. Programs that were told apart from
// those around the clock only are judged.
func (s *sign) scoreMachine(m *machine, t time.Time) (score float64, c int, ok bool) {
	if m.seen < 8 || m.span() > widest {
		return 0, 0, false
	}
	d := s.machineDensity(m)
	c = class(t, m.offset)
	return stat.Score(math.Log(max(d.rarity(c, t.Hour()), 1e-12))), c, true
}

func (s *sign) machineDensity(m *machine) density {
	weight := float64(programWeight)
	if s.o.NoShrinkage {
		weight = 0.5
	}
	middle, _ := m.middle()
	prior := s.programs.around(middle)
	if s.o.NoPeers {
		prior = newUniform()
	}
	sd := 0.8
	if m.job() {
		sd = 0.4 // a minute either way is all that a job moves by itself
	}
	d, _ := m.of(&prior, weight, sd)
	return d
}

// job tells whether the program comes once a day at a fixed time: the lone runs
// of its days point in the same direction (Rayleigh's R above 0.9).
func (m *machine) job() bool {
	return m.runs >= 5 && m.runs >= 0.8*float32(m.on) && math.Hypot(float64(m.sin), float64(m.cos)) > 0.9*float64(m.runs)
}

func (s *sign) judgeMachines(day *watch.Day, i int) []watch.Alarm {
	t := day.Start.Add(time.Duration(i) * time.Hour)
	today := dayOf(day.Start)
	var odd []*stray
	for _, x := range uses(day.Hours[i]) {
		m := s.pairs[x.pair]
		if m == nil {
			continue
		}
		score, c, ok := s.scoreMachine(m, t)
		if ok && score >= 1.5 {
			x.score, x.class, x.job = score, c, m.job()
			odd = append(odd, x)
		}
	}
	var alarms []watch.Alarm
	for _, x := range odd {
		if x.score < watch.Floor {
			continue
		}
		m := s.pairs[x.pair]
		a := s.machineAlarm(day, i, x, m)
		if !s.o.NoContext {
			a.Context = s.whyMachine(day, i, x, odd)
		}
		a.Mature = m.mature(today)
		alarms = append(alarms, a)
	}
	return alarms
}

// whyMachine looks in the log for what accounts for the hour.
func (s *sign) whyMachine(day *watch.Day, i int, x *stray, odd []*stray) []finding.Explanation {
	var out []finding.Explanation
	names := day.Names
	acts := day.Hours[i].Acts
	if i > 0 && day.Hours[i-1] != nil {
		acts = append(slices.Clone(day.Hours[i-1].Acts), acts...)
	} else if i == 0 {
		acts = append(slices.Clone(s.late), acts...)
	}
	for j := range acts {
		a := &acts[j]
		if a.Account != x.account || a.First.After(x.last) || a.Last.Before(x.first.Add(-30*time.Minute)) {
			continue
		}
		if a.Sort == watch.ActDeploy || a.Sort == watch.ActRotate && a.Secret == x.secret {
			out = append(out, finding.Explanation{Kind: "context", ID: a.Sort,
				Text: fmt.Sprintf("%s in the same account at %s", a.Operation, a.First.UTC().Format("15:04"))})
			break
		}
	}
	shifted := 0
	for _, o := range odd {
		if o.pair == x.pair {
			continue
		}
		m := s.pairs[o.pair]
		here := m.active[o.class][i]
		if beside := max(m.active[o.class][(i+1)%24], m.active[o.class][(i+23)%24]); o.actor != x.actor && beside > 2 && here < 0.1*beside {
			shifted++
		}
	}
	if shifted >= 3 {
		out = append(out, finding.Explanation{Kind: "context", ID: "clock",
			Text: fmt.Sprintf("%d other programs came an hour off as well: as when clocks change", shifted)})
	}
	_ = names
	return out
}

func (s *sign) learnMachines(day *watch.Day) {
	type seen struct {
		active [24]bool
		n      int
		minute int
	}
	by := map[pair]*seen{}
	judged := 0
	for i, h := range day.Hours {
		if h == nil {
			continue
		}
		for _, x := range uses(h) {
			k := by[x.pair]
			if k == nil {
				k = &seen{}
				by[x.pair] = k
			}
			k.active[i] = true
			k.n++
			k.minute = x.first.Hour()*60 + x.first.Minute()
			if m := s.pairs[x.pair]; m != nil {
				if _, _, ok := s.scoreMachine(m, day.Start.Add(time.Duration(i)*time.Hour)); ok {
					judged++
				}
			}
			if s.pairs[x.pair] == nil {
				s.pairs[x.pair] = &machine{}
			}
		}
	}
	s.programs.decay()
	today := dayOf(day.Start)
	for k, m := range s.pairs {
		var active [24]bool
		if x := by[k]; x != nil {
			active = x.active
			if x.n == 1 {
				sin, cos := math.Sincos(2 * math.Pi * float64(x.minute) / 1440)
				m.sin += float32(sin)
				m.cos += float32(cos)
				m.runs++
			}
			if m.seen >= matureHours && m.span() <= widest {
				middle, _ := m.middle()
				for i, yes := range active {
					if yes {
						s.programs.add(class(day.Start.Add(time.Duration(i)*time.Hour), m.offset), float64(i)-middle)
					}
				}
			}
		}
		m.learn(day.Start, &active)
		if m.on <= 14 || today%7 == 0 {
			m.settle()
		}
		if today-m.last > 60 {
			delete(s.pairs, k)
		}
	}
	s.judged.machine += 0.15 * (float64(judged)/float64(max(1, len(day.Names.Secrets))) - s.judged.machine)
}

func (s *sign) machineAlarm(day *watch.Day, i int, x *stray, m *machine) watch.Alarm {
	names := day.Names
	n := &names.Secrets[x.secret]
	actor := &names.Actors[x.actor]
	a := watch.Alarm{
		Sign: finding.SignTime, Class: ClassMachine, Secret: x.secret, Actor: x.actor, Account: x.account, Region: x.region, Caller: x.caller,
		Score: x.score, Trials: max(s.judged.machine, 0.01), First: x.first, Last: x.last, Count: x.count,
		Severity: finding.Medium, Days: int(m.on), Calls: int64(m.seen),
		Where: watch.Where{Actor: actor.UID, Secrets: []string{n.UID}},
	}
	if x.job {
		a.Severity = finding.Low
	}
	told, learned := *x, *m
	density := s.machineDensity(m)
	t := day.Start.Add(time.Duration(i) * time.Hour)
	a.Tell = func() watch.Told {
		usual := learned.said(&density)
		text := fmt.Sprintf("%s read %s at %s UTC on %s; in %d days it was active in %d hours, nine in ten of them %s; hours as rare as this hold %s of its pattern",
			actor.Name, n.Name, told.first.UTC().Format("15:04"), t.Format("Mon 2 January"), learned.on, learned.seen, usual, percent(told.score))
		title := fmt.Sprintf("%s read %s at an hour that is not its own", actor.Name, n.Name)
		if told.job {
			title = fmt.Sprintf("the job %s came at %s UTC, which is not its time", actor.Name, told.first.UTC().Format("15:04"))
			minute := math.Mod(math.Atan2(float64(learned.sin), float64(learned.cos))/(2*math.Pi)*1440+1440, 1440)
			text = fmt.Sprintf("%s read %s at %s UTC; on %.0f of %d days it came once, at about %02d:%02d", actor.Name, n.Name, told.first.UTC().Format("15:04"),
				learned.runs, learned.on, int(minute)/60, int(minute)%60)
		}
		return watch.Told{
			Title:   title,
			Reasons: []finding.Reason{{Kind: "time", Text: text, Observed: told.first.UTC().Format("15:04"), Expected: usual}},
			Series: seriesOf(day, i, &learned.hours, &density, func(h *watch.Hour) float64 {
				c := 0.0
				for _, u := range h.Uses {
					if u.Actor == told.actor && u.Secret == told.secret && program(&u) {
						c = 1
					}
				}
				return c
			}),
			Next:   []string{search("actor_uid", actor.UID, t), "look at the schedule or the pipeline that starts " + actor.Name},
			Attack: []string{"T1555.006", "T1078.004"},
			Unseen: learned.unseen(),
		}
	}
	return a
}

func search(field, value string, t time.Time) string {
	return fmt.Sprintf("yagura search '%s:%q' --since %s --until %s", field, value, t.Add(-time.Hour).UTC().Format(time.RFC3339), t.Add(2*time.Hour).UTC().Format(time.RFC3339))
}

func percent(score float64) string {
	p := 100 * math.Pow(10, -score)
	if p < 0.001 {
		return "less than 0.001 %"
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", p), "0"), ".") + " %"
}
