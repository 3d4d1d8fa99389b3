package timing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
)

// history is 36 days from a Monday. Twelve people in Tokyo work 00-09 h UTC on
// working days and read a secret now and then; a job reads at 04:00 every day; a
// service works by day; another around the clock. On the 33rd day nobody works.
func history() *watchtest.History {
	h := watchtest.New("2026-03-02")
	rng := rand.New(rand.NewPCG(7, 8))
	for d := range 36 {
		off := d%7 >= 5
		for p := range 12 {
			if off || d == holiday || rng.Float64() < 0.05 {
				continue
			}
			for hour := range 9 {
				if rng.Float64() < 0.8 {
					h.On(d, fmt.Sprintf("%d:15 console AWSReservedSSO_Dev calls anything x3 by %s from 192.0.2.0/24", hour, name(p)))
				}
				if rng.Float64() < 0.2 {
					h.On(d, fmt.Sprintf("%d:20 console AWSReservedSSO_Dev reads team/%s by %s from 192.0.2.0/24", hour, name(p), name(p)))
				}
			}
		}
		h.On(d, "4:00 lambda payroll reads prod/payroll/bank x20")
		for hour := range 24 {
			if hour < 9 && !off {
				h.On(d, fmt.Sprintf("%d:30 ecs desk reads prod/desk/db x%d", hour, 1+rng.IntN(5)))
			}
			h.On(d, fmt.Sprintf("%d:40 ecs round reads prod/round/db x%d", hour, 1+rng.IntN(5)))
		}
	}
	return h
}

const (
	learned = 31
	holiday = 32 // Friday
)

func name(p int) string {
	return strings.Split("aoi ren yui sora hina riku mei kai emi jun rin nao", " ")[p] + "@hoshino.example"
}

func judged(day int, o Options, lines ...string) []watch.Alarm {
	h := history()
	s := New(o)
	for _, l := range lines {
		h.On(day, l)
	}
	h.Learn(s, 0, day)
	return slices.DeleteFunc(h.Judge(s, day), func(a watch.Alarm) bool { return !a.Mature || a.Score < 3 })
}

func TestFires(t *testing.T) {
	f := func(day int, class, title, reason, explained string, lines ...string) {
		t.Helper()
		alarms := judged(day, Options{}, lines...)
		if len(alarms) != 1 {
			t.Errorf("%d alarms; want one", len(alarms))
			for _, a := range alarms {
				t.Log(a.Class, a.Score, a.Tell().Title)
			}
			return
		}
		a := alarms[0]
		told := a.Tell()
		if a.Class != class || told.Title.String() != title {
			t.Errorf("%s %q; want %s %q", a.Class, told.Title, class, title)
		}
		if told.Reasons[0].Text.String() != reason {
			t.Errorf("reason %q; want %q", told.Reasons[0].Text, reason)
		}
		var got []string
		for _, e := range a.Context {
			got = append(got, e.ID)
		}
		if strings.Join(got, " ") != explained {
			t.Errorf("explained by %q; want %q", got, explained)
		}
		if len(told.Next) == 0 || len(told.Attack) == 0 || len(told.Series) == 0 || a.Trials <= 0 {
			t.Errorf("incomplete: %+v %+v", a, told)
		}
	}
	// A person at night, at work hours of a weekend, and on a day that nobody works on.
	f(31, ClassPerson, "aoi@hoshino.example read team/aoi at an hour that is not theirs",
		"aoi@hoshino.example read team/aoi at 17:12 UTC (about Fri 02:12 where they work); on 23 days they were active in 179 hours, nine in ten of them 07-09, 00-06 h UTC on working days; hours as rare as this hold less than 0.001 % of their pattern", "",
		"17:12 console AWSReservedSSO_Dev reads team/aoi@hoshino.example by aoi@hoshino.example")
	f(33, ClassPerson, "ren@hoshino.example read team/ren at an hour that is not theirs",
		"ren@hoshino.example read team/ren at 03:12 UTC (about Sat 12:12 where they work); on 22 days they were active in 171 hours, nine in ten of them 02-09, 00-01 h UTC on working days; hours as rare as this hold 0.002 % of their pattern", "",
		"3:12 console AWSReservedSSO_Dev reads team/ren@hoshino.example by ren@hoshino.example")
	f(holiday, ClassPerson, "mei@hoshino.example read team/mei at an hour that is not theirs",
		"mei@hoshino.example read team/mei at 06:12 UTC (about Fri 15:12 where they work); on 21 days they were active in 163 hours, nine in ten of them 08-09, 00-07 h UTC on working days; hours as rare as this hold 0.002 % of their pattern", "",
		"6:12 console AWSReservedSSO_Dev reads team/mei@hoshino.example by mei@hoshino.example")
	// Several hours of a night are one alarm: the first, as none is more striking.
	// A job, far from its time, with all it has to do.
	f(31, ClassJob, "the job payroll came at 12:05 UTC, which is not its time",
		"payroll read prod/payroll/bank 20 times at 12:05 UTC on Thu 2 April; on 31 days it came at about 04:00 with about 20 reads, and hardly ever otherwise", "",
		"12:05 lambda payroll reads prod/payroll/bank x20")
	// After a deploy in its account, explained.
	f(31, ClassJob, "the job payroll came at 12:05 UTC, which is not its time",
		"payroll read prod/payroll/bank 20 times at 12:05 UTC on Thu 2 April; on 31 days it came at about 04:00 with about 20 reads, and hardly ever otherwise", "deploy",
		"12:05 lambda payroll reads prod/payroll/bank x20", "12:01 ci deployer deploy function:payroll")
	// A program that works by day, called by night.
	f(31, ClassMachine, "desk read prod/desk/db at an hour that is not its own",
		"desk read prod/desk/db at 17:30 UTC on Thu 2 April; in 23 days it was active in 207 hours, nine in ten of them 00-09 h UTC on working days; hours as rare as this hold 0.002 % of its pattern", "",
		"17:30 ecs desk reads prod/desk/db x4")
}

func TestQuiet(t *testing.T) {
	f := func(day int, lines ...string) {
		t.Helper()
		for _, a := range judged(day, Options{}, lines...) {
			if len(a.Context) == 0 {
				t.Errorf("%s %.1f: %s", a.Class, a.Score, a.Tell().Title)
			}
		}
	}
	f(31)
	f(holiday)
	f(33)
	f(31, "9:12 console AWSReservedSSO_Dev reads team/aoi@hoshino.example by aoi@hoshino.example")  // a little later
	f(31, "17:12 console AWSReservedSSO_Dev calls anything x9 by aoi@hoshino.example")              // reads nothing, changes nothing
	f(31, "17:12 console AWSReservedSSO_Dev reads team/new by new@hoshino.example")                 // not known yet
	f(31, "12:05 lambda payroll reads prod/payroll/bank")                                           // a start, no run
	f(31, "17:30 ecs round reads prod/round/db x40")                                                // around the clock
	f(31, "17:12 console AWSReservedSSO_Dev reads team/aoi@hoshino.example by aoi@hoshino.example", // an incident
		"17:15 console AWSReservedSSO_Dev reads team/ren@hoshino.example by ren@hoshino.example",
		"17:18 console AWSReservedSSO_Dev reads team/yui@hoshino.example by yui@hoshino.example")
}

// Several hours of a night are told once: when they begin.
func TestOnce(t *testing.T) {
	var lines []string
	for hour := 15; hour < 20; hour++ {
		lines = append(lines, fmt.Sprintf("%d:12 console AWSReservedSSO_Dev reads team/aoi by aoi@hoshino.example", hour))
	}
	alarms := judged(31, Options{}, lines...)
	for i := range alarms {
		if i > 0 && alarms[i].Score <= alarms[i-1].Score {
			t.Errorf("%s is told after what is as striking", alarms[i].First)
		}
	}
	if len(alarms) == 0 {
		t.Error("nothing is told")
	}
}

// One who travels is explained when the days before were shifted too, from a
// network never seen.
func TestTravel(t *testing.T) {
	h := history()
	s := New(Options{})
	var last []watch.Alarm
	for d := range 31 {
		h.Learn(s, d, d+1)
	}
	for d := 31; d < 33; d++ { // Thursday and Friday, seven hours later
		for hour := range h.Day(d).Hours {
			x := h.Day(d).Hours[hour]
			x.People = slices.DeleteFunc(x.People, func(p watch.PersonHour) bool { return p.Person == name(0) })
		}
		for hour := 11; hour < 18; hour++ {
			h.On(d, fmt.Sprintf("%d:12 console AWSReservedSSO_Dev reads team/aoi by aoi@hoshino.example from 198.51.100.0/24", hour))
		}
		last = h.Judge(s, d)
		h.Learn(s, d, d+1)
	}
	if len(last) == 0 {
		t.Fatal("nothing is told")
	}
	for _, a := range last[1:] {
		if len(a.Context) == 0 || a.Context[0].ID != "travel" {
			t.Errorf("%s: %v", a.First, a.Context)
		}
	}
}

// A journey teaches nothing of somebody's hours at home: what is odd there is told
// after it as before.
func TestJourney(t *testing.T) {
	score := func(network string) float64 {
		h, s := history(), New(Options{})
		for d := 26; d < 30; d++ {
			for hour := range h.Day(d).Hours {
				x := h.Day(d).Hours[hour]
				x.People = slices.DeleteFunc(x.People, func(p watch.PersonHour) bool { return p.Person == name(0) })
			}
			for hour := 11; hour < 20; hour++ {
				h.On(d, fmt.Sprintf("%d:12 console AWSReservedSSO_Dev reads team/aoi by aoi@hoshino.example from %s", hour, network))
			}
		}
		h.On(31, "17:12 console AWSReservedSSO_Dev reads team/aoi by aoi@hoshino.example from 192.0.2.0/24")
		h.Learn(s, 0, 31)
		for _, a := range h.Judge(s, 31) {
			if a.Person == name(0) && len(a.Context) == 0 {
				return a.Score
			}
		}
		return 0
	}
	if got := score("198.51.100.0/24"); got < 3 {
		t.Errorf("after four days far away an odd hour at home has score %.1f", got)
	}
	if got := score("192.0.2.0/24"); got >= 3 {
		t.Errorf("after four days of such hours at home one more has score %.1f", got)
	}
}

// A job that moved is told, and known where it comes again and again.
func TestMoved(t *testing.T) {
	h := watchtest.New("2026-03-02")
	for d := range 40 {
		hour := 4
		if d >= 30 {
			hour = 11
		}
		h.On(d, fmt.Sprintf("%d:00 lambda payroll reads prod/payroll/bank x20", hour))
	}
	told := map[int]bool{}
	for _, a := range h.Run(New(Options{}), 0, 40) {
		if a.Mature && a.Score >= 3 {
			told[int(a.First.Sub(h.Day(0).Start).Hours()/24)] = true
		}
	}
	if !told[30] || told[33] || told[38] {
		t.Errorf("told on days %v; it moved on day 30", told)
	}
}

// An odd night is no habit: the next ones are told too, until there were three.
func TestAgain(t *testing.T) {
	h := history()
	var scores []float64
	s := New(Options{})
	h.Learn(s, 0, 21)
	for d := 21; d < 25; d++ { // Tuesday to Friday in Tokyo
		h.On(d, "17:12 console AWSReservedSSO_Dev reads team/aoi@hoshino.example by aoi@hoshino.example")
		best := 0.0
		for _, a := range h.Judge(s, d) {
			if a.Person == "aoi@hoshino.example" {
				best = max(best, a.Score)
			}
		}
		scores = append(scores, best)
		h.Learn(s, d, d+1)
	}
	for i, score := range scores {
		if told := score >= watch.Floor; told != (i < 3) {
			t.Errorf("night %d: score %.1f", i+1, score)
		}
	}
	h = history() // the same of a program
	s = New(Options{})
	h.Learn(s, 0, 21)
	for d := 21; d < 23; d++ {
		h.On(d, "17:30 ecs desk reads prod/desk/db x4")
		if !slices.ContainsFunc(h.Judge(s, d), func(a watch.Alarm) bool { return a.Class == ClassMachine && a.Score >= watch.Floor }) {
			t.Errorf("day %d: a program's night is not told", d)
		}
		h.Learn(s, d, d+1)
	}
}

// A week without any record of its account makes no job less of one.
func TestSilence(t *testing.T) {
	h := watchtest.New("2026-03-02")
	for d := range 39 {
		h.On(d, "10:00 ecs round reads prod/round/db x9 in 444455556666")
		if d < 30 || d >= 37 {
			h.On(d, "4:00 lambda payroll reads prod/payroll/bank x20")
		}
	}
	h.On(38, "12:05 lambda payroll reads prod/payroll/bank x20")
	s := New(Options{})
	h.Learn(s, 0, 37)
	for _, a := range h.Judge(s, 37) {
		t.Errorf("its own run: %s", a.Tell().Title)
	}
	h.Learn(s, 37, 38)
	if !slices.ContainsFunc(h.Judge(s, 38), func(a watch.Alarm) bool { return a.Class == ClassJob }) {
		t.Error("a run off the schedule is not told of after the silence")
	}
}

// Two secrets read in one hour, one long after the other, are no start, and what
// the reader deploys itself, or people do to something else, is no cause.
func TestNoExcuse(t *testing.T) {
	f := func(want bool, lines ...string) {
		t.Helper()
		told := false
		for _, a := range judged(31, Options{}, lines...) {
			told = told || len(a.Context) == 0
		}
		if told != want {
			t.Errorf("%q: told %v", lines, told)
		}
	}
	const run = "12:05 lambda payroll reads prod/payroll/bank x20"
	f(true, run, "12:45 lambda payroll reads prod/payroll/tax x20")
	f(false, run, "12:05 lambda payroll reads prod/payroll/tax x20")
	f(true, run, "12:01 lambda payroll deploy function:payroll")
	f(true, run, "12:01 person_cli admin deploy service/main/other")
	f(false, run, "12:01 person_cli admin deploy service/main/payroll")
}

// A job that comes off its time as another program of its application begins what it
// does not do then either is started with it.
func TestApplication(t *testing.T) {
	f := func(want bool, other string, minute int) {
		t.Helper()
		h, s := history(), New(Options{})
		for d := range 31 {
			h.On(d, fmt.Sprintf("20:15 ecs %s reads prod/payroll/mq x5", other))
		}
		h.On(31, "12:05 lambda payroll reads prod/payroll/bank x20")
		h.On(31, fmt.Sprintf("12:%02d ecs %s reads prod/payroll/mq x6", minute, other))
		h.Learn(s, 0, 31)
		told, by := false, ""
		for _, a := range h.Judge(s, 31) {
			if a.Mature && a.Score >= 3 && a.Secret == h.Secret("prod/payroll/bank") {
				told = len(a.Context) == 0
				if !told {
					by = a.Context[0].ID
				}
			}
		}
		if told != want || !want && by != "application" {
			t.Errorf("%s at minute %d: told %v, explained by %q", other, minute, told, by)
		}
	}
	f(false, "payroll-worker", 6)
	f(true, "payroll-worker", 45)
	f(true, "ledger-desk", 6)
}

// Judging changes nothing that was learned, and a clone learns on its own.
func TestPure(t *testing.T) {
	h := history()
	s := New(Options{})
	h.On(33, "3:12 console AWSReservedSSO_Dev reads team/ren by ren@hoshino.example")
	h.Learn(s, 0, 33)
	say := func(s watch.Sign) string {
		text := ""
		for _, a := range h.Judge(s, 33) {
			told := a.Tell()
			text += fmt.Sprintln(a.Class, a.Score, a.Person, a.Context, told.Reasons, told.Series)
		}
		return text
	}
	c := s.Clone()
	first := say(s)
	if again := say(s); again != first || first == "" {
		t.Errorf("judged again: %q; first %q", again, first)
	}
	h.Learn(s, 33, 36)
	if of := say(c); of != first {
		t.Errorf("the clone says %q; want %q", of, first)
	}
}

// Calibration: of people who keep to their hours more or less, scores are
// exceeded no more often than they say.
func TestCalibration(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	h := watchtest.New("2026-03-02")
	type worker struct{ begin, length, weekend, night float64 }
	var all []worker
	for range 60 {
		all = append(all, worker{7 + 3*rng.Float64(), 7 + 3*rng.Float64(), 0.03 * rng.Float64(), 0.01 * rng.Float64()})
	}
	const days, from = 50, 25
	for d := range days {
		for p, w := range all {
			if d%7 >= 5 && rng.Float64() > w.weekend {
				continue
			}
			begin := w.begin + rng.NormFloat64()*0.7
			for hour := range 24 {
				if at := float64(hour); at >= begin && at < begin+w.length && rng.Float64() < 0.7 || rng.Float64() < w.night/24 {
					h.On(d, fmt.Sprintf("%d:15 person_cli Dev reads team/%d by p%d@hoshino.example", hour, p%20, p))
				}
			}
		}
	}
	s := New(Options{})
	h.Learn(s, 0, from)
	judged := 0.0
	over := map[float64]float64{}
	for d := from; d < days; d++ {
		for i := range 24 {
			judged += float64(len(h.Day(d).Hours[i].People))
		}
		for _, a := range h.Judge(s, d) {
			for _, score := range []float64{2, 3} {
				if a.Class == ClassPerson && a.Score >= score {
					over[score]++
				}
			}
		}
		h.Learn(s, d, d+1)
	}
	for _, score := range []float64{2, 3} {
		nominal := judged * map[float64]float64{2: 1e-2, 3: 1e-3}[score]
		t.Logf("score %v: %.0f observed, %.1f nominal of %.0f person-hours", score, over[score], nominal, judged)
		if over[score] > 2*nominal+5 {
			t.Errorf("score %v and more: %.0f times, nominal %.1f", score, over[score], nominal)
		}
	}
}

// What is learned of a program and secret is packed and unpacked as it was.
func TestPacked(t *testing.T) {
	h, s := history(), New(Options{}).(*sign)
	h.Learn(s, 0, learned)
	s.open()
	if len(s.pairs) != 3 {
		t.Fatalf("%d programs and secrets, want 3", len(s.pairs))
	}
	first := true
	want := map[pair]machine{}
	for k, m := range s.pairs {
		if first {
			m.heldOn, m.stray, m.held[1][23] = 20500, 0.25, heldDays
			m.odd, m.odds, m.oddOn = 23, 100, 20501
			m.offset, m.account = -11, -1
			first = false
		}
		want[k] = *m
	}
	s.seal()
	for k, m := range want {
		if got := s.machine(k); got == nil || *got != m {
			t.Errorf("%v:\n got %+v\nwant %+v", k, got, m)
		}
	}
	if s.machine(pair{1000, 1000}) != nil {
		t.Error("something is known of a program that never was")
	}
}
