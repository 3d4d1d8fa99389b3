package timing

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/novelty"
	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// machine is what is learned of one program and secret, as it is
// while days are learned; between them it is packed.
type machine struct {
	hours
	account int32   // that received its last call
	size    float32 // reads of a run at its usual hour
	minute  float32 // of the day, of those runs
	odd     uint8   // hour of the latest run off its schedule
	odds    uint8   // such runs at that hour
	oddOn   uint16  // day of the latest
}

// widest is in how many hours of the day nine tenths of a program's activity may
// lie at most: one that calls around the clock is not judged.
const widest = 15

// What programs have in common counts as much as so many hours of its own.
// Programs that follow people's day call now and then in any hour of it, so that
// more than theirs is needed to say that they do not.
const programWeight = 20

// A job comes on so many of the days of its class, at the same hour or the one
// after, and hardly otherwise. A run off its schedule has so many reads at least,
// and about as many as it has on schedule: less is a program that starts, more is
// for package frequency to tell.
const (
	jobShare = 0.8
	jobOther = 0.5 // hours a day besides
	jobReads = 3
)

// strays are how often jobs of all programs run off their schedule without
// anything in the log that accounts for it. Before anything is known it is taken
// for once in 5,000 days, as if 2,000 had been seen.
type strays struct{ days, runs float64 }

func (r *strays) chance() float64 { return (r.runs + 0.4) / (r.days + 2000) }

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

// likeness is the chance that reads which have nothing to do with the job are at
// least as like one of its runs as count is: those that are looked at are between
// two fifths and three times as many, more or less evenly by ratio.
func (m *machine) likeness(count int64) float64 {
	size := max(float64(m.size), 1)
	return min(1, math.Abs(math.Log(float64(count)/size))+0.5/size+0.02)
}

// schedule gives the hour at which a job comes on days of a class: it is that
// hour or the one after. None: -1.
func (m *machine) schedule(c int) int {
	if m.days[c] < 1.5 {
		return -1
	}
	best, most := -1, float32(0)
	for i := range 24 {
		if two := m.active[c][i].n() + m.active[c][(i+1)%24].n(); two > most && m.active[c][i] > 0 {
			best, most = i, two
		}
	}
	if best < 0 || most < jobShare*m.days[c] {
		return -1
	}
	return best
}

// job tells whether the program comes at a fixed hour and hardly otherwise. On
// days off it may come then too, or not at all.
func (m *machine) job() bool {
	at := m.schedule(0)
	if m.on < matureDays || m.days[0] < 4 || at < 0 {
		return false
	}
	other, days := float32(0), float32(0)
	for c := range m.active {
		days += m.days[c]
		for i, n := range m.active[c] {
			if i != at && i != (at+1)%24 {
				other += n.n()
			}
		}
	}
	return other <= jobOther*days
}

// near tells whether the hour is on the schedule, or so many hours beside it.
func (m *machine) near(hour, beside int) bool {
	at := m.schedule(0)
	for d := -beside; d <= beside+1; d++ {
		if (at+d+24)%24 == hour {
			return at >= 0
		}
	}
	return false
}

// scoreMachine judges one program's hour. Jobs and programs that keep people's
// hours only are judged.
func (s *sign) scoreMachine(m *machine, t time.Time, count int64) (score float64, c int, job, ok bool) {
	if m.seen < matureDays {
		return 0, 0, false, false
	}
	c = class(t, m.offset)
	if m.job() {
		again := m.odds >= 2 && int(m.odd) == t.Hour() && dayOf(t)-m.oddOn <= 8
		if m.near(t.Hour(), 0) || again || count < max(jobReads, int64(0.4*m.size)) || count > int64(3*m.size)+jobReads {
			return 0, c, true, true
		}
		return stat.Score(math.Log(s.strays.chance() * m.likeness(count))), c, true, true
	}
	if m.seen < 3*matureHours || m.span() > widest {
		return 0, 0, false, false
	}
	d := s.machineDensity(m)
	return stat.Score(math.Log(max(d.rarity(c, t.Hour()), 1e-12))), c, false, true
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
	d, _ := m.of(&prior, weight, 1.5)
	return d
}

func (s *sign) judgeMachines(day *watch.Day, i int) []watch.Alarm {
	t := day.Start.Add(time.Duration(i) * time.Hour)
	today := dayOf(day.Start)
	all := uses(day.Hours[i])
	odd := s.oddOnes(all, t)
	var alarms []watch.Alarm
	for _, x := range odd {
		if x.score < watch.Floor {
			continue
		}
		m := s.machine(x.pair)
		a := s.machineAlarm(day, i, x, m)
		if !s.o.NoContext {
			a.Context = s.whyMachine(day, i, x, odd, all)
		}
		a.Mature = m.mature(today) || x.job && today-m.first >= matureSince
		alarms = append(alarms, a)
	}
	return alarms
}

// oddOnes are those of the hour's uses that are not at their own hour.
func (s *sign) oddOnes(all []*stray, t time.Time) (odd []*stray) {
	for _, x := range all {
		m := s.machine(x.pair)
		if m == nil {
			continue
		}
		score, c, job, ok := s.scoreMachine(m, t, x.count)
		if ok && score >= 1.5 {
			x.score, x.class, x.job = score, c, job
			odd = append(odd, x)
		}
	}
	return odd
}

// whyMachine looks in the log for what accounts for the hour.
func (s *sign) whyMachine(day *watch.Day, i int, x *stray, odd, all []*stray) []finding.Explanation {
	var out []finding.Explanation
	if a := s.started(day, i, x); a != nil {
		out = append(out, finding.Explanation{Kind: "context", ID: a.Sort,
			Text: say.T("timing.act", say.Values{"operation": a.Operation, "at": a.First.UTC()})})
	}
	if n := s.alongside(x, all); n > 0 {
		out = append(out, finding.Explanation{Kind: "context", ID: "start",
			Text: say.T("timing.start", say.Values{"n": n})})
	}
	m := s.machine(x.pair)
	if with := s.startedWith(day, i, x, all); with != "" {
		out = append(out, finding.Explanation{Kind: "context", ID: "application",
			Text: say.T("timing.application", say.Values{"who": with})})
	}
	if x.job && m.near(i, 1) && !s.came(day, i, x) {
		out = append(out, finding.Explanation{Kind: "context", ID: "clock", Text: say.T("timing.clock", nil)})
	}
	shifted := 0
	for _, o := range odd {
		here := s.machine(o.pair)
		if beside := here.beside(o.class, i); o.actor != x.actor && beside > 2 && here.active[o.class][i].n() < 0.1*beside {
			shifted++
		}
	}
	if shifted >= 3 {
		out = append(out, finding.Explanation{Kind: "context", ID: "clock",
			Text: say.T("timing.clock.programs", say.Values{"n": shifted})})
	}
	return out
}

// came tells whether the job has come at its own hour in the two hours before.
func (s *sign) came(day *watch.Day, i int, x *stray) bool {
	m := s.machine(x.pair)
	for h := max(0, i-2); h < i; h++ {
		if day.Hours[h] != nil && m.near(h, 0) && slices.ContainsFunc(day.Hours[h].Uses, func(u watch.Use) bool { return program(&u) && u.Actor == x.actor && u.Secret == x.secret }) {
			return true
		}
	}
	return false
}

// akin tells whether the act is on something of the same application as the actor,
// by the words of their names.
func akin(a *watch.Act, actor *watch.Actor) bool {
	return novelty.Alike(novelty.Words(a.Resource[strings.LastIndexByte(a.Resource, '/')+1:]), novelty.Words(actor.Name))
}

// started finds the deploy, scaling or rotation before which a program would not
// have read: by a pipeline or a service, or of the program itself. What the program
// deploys accounts for nothing.
func (s *sign) started(day *watch.Day, i int, x *stray) *watch.Act {
	look := func(acts []watch.Act) *watch.Act {
		for j := range acts {
			a := &acts[j]
			if a.First.After(x.last) || a.Last.Before(x.first.Add(-30*time.Minute)) {
				continue
			}
			switch a.Sort {
			case watch.ActDeploy:
				if a.Account == x.account && a.Actor != x.actor && (novelty.Builds(a.Caller) || akin(a, &day.Names.Actors[x.actor])) {
					return a
				}
			case watch.ActBuild:
				if a.Account == x.account && a.Actor != x.actor && a.Caller == event.CallerAWSService {
					return a
				}
			case watch.ActRotate:
				if a.Secret == x.secret {
					return a
				}
			}
		}
		return nil
	}
	if a := look(day.Hours[i].Acts); a != nil {
		return a
	}
	if i == 0 {
		return look(s.late)
	}
	if day.Hours[i-1] != nil {
		return look(day.Hours[i-1].Acts)
	}
	return nil
}

// atOnce is within what time a program that starts reads its secrets.
const atOnce = 2 * time.Minute

// alongside counts the other secrets that the program read as often, give or
// take, in the hour, none of which it usually reads then: several, or one at the
// same time. One read later in the hour is no start.
func (s *sign) alongside(x *stray, all []*stray) (n int) {
	near := 0
	for _, o := range all {
		if o.actor != x.actor || o.secret == x.secret || 5*o.count < 2*x.count || 2*o.count > 5*x.count {
			continue
		}
		if m := s.machine(o.pair); m == nil || !m.usual(o.first) {
			n++
			if o.first.Sub(x.first).Abs() <= atOnce {
				near++
			}
		}
	}
	if near == 0 && n < 2 {
		return 0
	}
	return n
}

// startedWith gives another program of the same application that read in the same
// minutes what it usually does not at this hour, or far more often than in the
// rest of it. Who holds the role of one does not have others start.
func (s *sign) startedWith(day *watch.Day, i int, x *stray, all []*stray) string {
	names := day.Names
	words := novelty.Words(names.Actors[x.actor].Name)
	for _, o := range all {
		if o.actor == x.actor || o.account != x.account || o.count < jobReads || !novelty.Alike(words, novelty.Words(names.Actors[o.actor].Name)) {
			continue
		}
		m := s.machine(o.pair)
		if m != nil && !m.usual(o.first) && o.first.Sub(x.first).Abs() <= atOnce || peaked(day.Hours[i], x, o) {
			return names.Actors[o.actor].Name
		}
	}
	return ""
}

// peaked tells whether the reads of what another program reads have a peak as x
// begins, its own not counted, that is far above the rest of the hour.
func peaked(h *watch.Hour, x, o *stray) bool {
	for _, p := range h.Peaks {
		if p.Secret != o.secret || x.first.Before(p.At.Add(-atOnce)) || x.first.After(p.At.Add(5*time.Minute)) {
			continue
		}
		peak, rest := float64(p.Count), float64(o.count)
		if o.secret == x.secret {
			peak -= float64(x.count)
		}
		return peak >= 3*(max(0, rest-peak)/11)+jobReads
	}
	return false
}

// usual tells whether the program is active at that hour on a third of such
// days.
func (m *machine) usual(t time.Time) bool {
	c := class(t, m.offset)
	return m.active[c][t.UTC().Hour()].n() > 0.3*m.days[c]
}

// used are the hours of a day in which a program was active, and of them those
// that are not its own yet.
type used struct{ active, odd [24]bool }

func (s *sign) learnMachines(day *watch.Day, heard map[int32]bool) {
	by := map[pair]*used{}
	for i, h := range day.Hours {
		if h != nil {
			s.learnUses(day, i, by)
		}
	}
	s.programs.decay()
	judged, jobs := 0.0, 0.0
	today := dayOf(day.Start)
	for _, k := range slices.SortedFunc(maps.Keys(s.pairs), pair.compare) { // in order: sums of floats are to be the same each time
		m, x := s.pairs[k], by[k]
		switch {
		case today-m.last > 60 && x == nil:
			delete(s.pairs, k)
			continue
		case x == nil && !heard[m.account]:
			continue // nothing is known of its account
		case x == nil:
			x = &used{}
		}
		switch {
		case m.job():
			s.strays.days++
			jobs++
		case m.seen >= matureHours && m.span() <= widest:
			judged += s.learnPrograms(day, m, x)
		}
		m.hold(day.Start, &x.active, &x.odd)
		m.learn(day.Start, &x.active)
		if m.on <= 14 || today%7 == 0 {
			m.settle()
		}
	}
	s.strays.days *= 0.995
	s.strays.runs *= 0.995
	secrets := float64(max(1, len(day.Names.Secrets)))
	s.judged.machine += 0.15 * (judged/secrets - s.judged.machine)
	s.judged.job += 0.15 * (jobs/secrets - s.judged.job)
}

// learnPrograms adds a program's day to what programs do, and gives how many hours
// it was active.
func (s *sign) learnPrograms(day *watch.Day, m *machine, x *used) (n float64) {
	middle, _ := m.middle()
	for i, yes := range x.active {
		if !yes {
			continue
		}
		n++
		s.programs.add(class(day.Start.Add(time.Duration(i)*time.Hour), m.offset), float64(i)-middle)
	}
	return n
}

// learnUses takes one hour in: who was active, where it is not by a start.
func (s *sign) learnUses(day *watch.Day, i int, by map[pair]*used) {
	all := uses(day.Hours[i])
	odd := map[pair]bool{}
	for _, x := range s.oddOnes(all, day.Start.Add(time.Duration(i)*time.Hour)) {
		odd[x.pair] = !x.job && x.score >= watch.Floor
		if x.job && (s.o.NoContext || len(s.whyMachine(day, i, x, nil, all)) == 0) {
			s.strays.runs++
			s.machine(x.pair).strayed(i, dayOf(day.Start))
		}
	}
	for _, x := range all {
		m := s.machine(x.pair)
		if m == nil {
			m = &machine{}
			s.pairs[x.pair] = m
		}
		m.account = x.account
		if m.near(i, 0) {
			m.run(x)
		}
		if !s.o.NoContext && m.on >= 3 && !m.usual(x.first) && (s.started(day, i, x) != nil || s.alongside(x, all) > 0) {
			continue
		}
		if by[x.pair] == nil {
			by[x.pair] = &used{}
		}
		by[x.pair].active[i], by[x.pair].odd[i] = true, odd[x.pair]
	}
}

// strayed remembers a run off the schedule: one that comes again and again is
// its new schedule.
func (m *machine) strayed(hour int, today uint16) {
	if int(m.odd) != hour || today-m.oddOn > 8 {
		m.odds = 0
	}
	m.odd, m.oddOn = uint8(hour), today
	m.odds = min(m.odds+1, 100)
}

// run learns from a run on schedule.
func (m *machine) run(x *stray) {
	at := float32(x.first.UTC().Hour()*60 + x.first.UTC().Minute())
	if m.size == 0 {
		m.size, m.minute = float32(x.count), at
		return
	}
	m.size += 0.15 * (min(float32(x.count), 3*m.size) - m.size)
	if d := at - m.minute; d < 120 && d > -120 {
		m.minute += 0.15 * d
	}
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
		a.Class, a.Trials, a.Severity = ClassJob, max(s.judged.job, 0.01), finding.Low
	}
	told, learned := *x, *m
	density := s.machineDensity(m)
	t := day.Start.Add(time.Duration(i) * time.Hour)
	a.Tell = func() watch.Told {
		usual := learned.said(&density)
		text := say.T("timing.machine", say.Values{
			"who": actor.Name, "secret": n.Name, "at": told.first.UTC(), "day": t, "days": int(learned.on), "hours": int(learned.seen),
			"usual": usual, "share": percent(told.score),
		})
		title := say.T("timing.machine.title", say.Values{"who": actor.Name, "secret": n.Name})
		if told.job {
			title = say.T("timing.job.title", say.Values{"who": actor.Name, "at": told.first.UTC()})
			text = say.T("timing.job", say.Values{
				"who": actor.Name, "secret": n.Name, "n": told.count, "at": told.first.UTC(), "day": t, "days": int(learned.on),
				"hour": int(learned.minute) / 60, "minute": int(learned.minute) % 60, "reads": learned.size,
			})
		}
		return watch.Told{
			Title:   title,
			Reasons: []finding.Reason{{Kind: "time", Text: text, Observed: say.Plain(told.first.UTC().Format("15:04")), Expected: usual}},
			Series: seriesOf(day, i, &learned.hours, &density, func(h *watch.Hour) float64 {
				c := 0.0
				for _, u := range h.Uses {
					if u.Actor == told.actor && u.Secret == told.secret && program(&u) {
						c = 1
					}
				}
				return c
			}),
			Next:   []string{search(watch.ByActor(actor.UID), t), say.T("step.schedule", say.Values{"program": actor.Name}).String()},
			Attack: []string{"T1555.006", "T1078.004"},
			Unseen: learned.unseen(),
		}
	}
	return a
}

func search(what query.Expr, t time.Time) string {
	return watch.Search(t.Add(-time.Hour), t.Add(2*time.Hour), what)
}

func percent(score float64) say.Text {
	p := 100 * math.Pow(10, -score)
	if p < 0.001 {
		return say.T("timing.percent.less", nil)
	}
	return say.Plain(strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", p), "0"), ".") + " %")
}
