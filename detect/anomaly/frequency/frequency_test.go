package frequency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
)

// history is 30 days from a Monday: a shop whose program reads three secrets
// around 12 times an hour, a payroll that runs at 04:00, an agent with a key, and
// a family of 30 secrets of other programs.
func history() *watchtest.History {
	h := watchtest.New("2026-03-02")
	rng := rand.New(rand.NewPCG(5, 6))
	for d := range 36 {
		for hour := range 24 {
			for _, s := range []string{"db", "mq", "smtp"} {
				h.On(d, fmt.Sprintf("%d:20 ecs shop-web reads prod/shop/%s x%d", hour, s, 8+rng.IntN(9)))
			}
			h.On(d, fmt.Sprintf("%d:40 ecs lone-web reads prod/lone/db x%d", hour, 1+rng.IntN(3)))
		}
		h.On(d, "4:00 lambda payroll reads prod/payroll/bank x20")
		if d%7 == 2 {
			h.On(d, "6:00 lambda report reads prod/report/db x60")
		}
		for n := range 30 {
			h.On(d, fmt.Sprintf("%d:10 lambda app%d reads prod/app%d/key x3", n%24, n, n))
		}
	}
	return h
}

const (
	learned = 30 // days
	wed     = 30 // Wednesday 1 April: the day that is judged
)

// judged is what is said of the day after lines were put into it, mature and
// from score 4 on.
func judged(t *testing.T, o Options, lines ...string) (out []watch.Alarm, h *watchtest.History) {
	t.Helper()
	h = history()
	s := New(o)
	h.Learn(s, 0, learned)
	for _, l := range lines {
		h.On(wed+1, l) // Thursday, away from the end of the month
	}
	h.Learn(s, learned, wed+1)
	for _, a := range h.Judge(s, wed+1) {
		if a.Mature && a.Score >= 4 {
			out = append(out, a)
		}
	}
	return out, h
}

func TestFires(t *testing.T) {
	f := func(class, title, reason string, explained string, lines ...string) {
		t.Helper()
		alarms, _ := judged(t, Options{}, lines...)
		i := slices.IndexFunc(alarms, func(a watch.Alarm) bool { return a.Class == class })
		if i < 0 {
			t.Errorf("nothing is said of %s; but %d others", class, len(alarms))
			return
		}
		a := alarms[i]
		told := a.Tell()
		if told.Title.String() != title {
			t.Errorf("title %q; want %q", told.Title, title)
		}
		if told.Reasons[0].Text.String() != reason {
			t.Errorf("reason %q; want %q", told.Reasons[0].Text, reason)
		}
		got := ""
		for _, e := range a.Context {
			got += e.ID + " "
		}
		if got = strings.TrimSpace(got); got != explained {
			t.Errorf("explained by %q; want %q", got, explained)
		}
		if len(told.Next) == 0 || !slices.Contains(told.Attack, "T1555.006") || a.Trials <= 0 || len(a.Where.Secrets) == 0 {
			t.Errorf("incomplete: %+v %+v", a, told)
		}
	}
	// A stolen role reads one secret over and over.
	f(ClassHour, "prod/lone/db was read 41 times in an hour, usual are 0-5",
		"prod/lone/db was read 41 times 14:00-15:00 UTC on Thu 2 April; usual 0-5 in 23 such hours (working days)", "",
		"14:05 ecs lone-web reads prod/lone/db x40")
	// A stranger does.
	f(ClassHour, "prod/shop/db was read 164 times in an hour, usual are 6-20",
		"prod/shop/db was read 164 times 02:00-03:00 UTC on Thu 2 April; usual 6-20 in 22 such hours (working days)", "",
		"2:05 ec2 bastion reads prod/shop/db x150")
	// As much because of a deploy of what reads it, told but explained.
	f(ClassHour, "prod/lone/db was read 41 times in an hour, usual are 0-5",
		"prod/lone/db was read 41 times 14:00-15:00 UTC on Thu 2 April; usual 0-5 in 23 such hours (working days)", "deploy",
		"14:05 ecs lone-web reads prod/lone/db x40", "14:01 ci deployer deploy arn:aws:ecs:eu-west-1:111122223333:service/main/lone-web")
	// All that the program reads rises, as when it starts.
	f(ClassHour, "prod/shop/db was read 174 times in an hour, usual are 6-20",
		"prod/shop/db was read 174 times 02:00-03:00 UTC on Thu 2 April; usual 6-20 in 22 such hours (working days)", "family",
		"2:05 ecs shop-web reads prod/shop/db x160", "2:05 ecs shop-web reads prod/shop/mq x150", "2:06 ecs shop-web reads prod/shop/smtp x150")
	// A rotation has its readers read it again.
	f(ClassHour, "prod/lone/db was read 41 times in an hour, usual are 0-5",
		"prod/lone/db was read 41 times 14:00-15:00 UTC on Thu 2 April; usual 0-5 in 23 such hours (working days)", "rotation",
		"14:05 ecs lone-web reads prod/lone/db x40", "14:00 lambda rotator rotate prod/lone/db")

	// One principal goes through what others read.
	var sweep []string
	for n := range 25 {
		sweep = append(sweep, fmt.Sprintf("3:%02d ecs lone-web reads prod/app%d/key", 10+n, n))
	}
	f(ClassSweep, "lone-web read 25 secrets that it never read before",
		"lone-web read 25 secrets of 25 families for the first time on 2 April, 25 of them 03:00-04:00 UTC: prod/app0/key, prod/app1/key, prod/app10/key, prod/app11/key, prod/app12/key, prod/app13/key and 19 more", "", sweep...)
	for i := range sweep {
		sweep[i] = strings.Replace(sweep[i], "ecs lone-web", "person_cli AWSReservedSSO_Dev", 1) + " by mei@hoshino.example"
	}
	f(ClassSweep, "mei@hoshino.example read 25 secrets that it never read before",
		"mei@hoshino.example read 25 secrets of 25 families for the first time on 2 April, 25 of them 03:00-04:00 UTC: prod/app0/key, prod/app1/key, prod/app10/key, prod/app11/key, prod/app12/key, prod/app13/key and 19 more", "", sweep...)
}

func TestQuiet(t *testing.T) {
	f := func(lines ...string) {
		t.Helper()
		alarms, _ := judged(t, Options{}, lines...)
		for _, a := range alarms {
			if len(a.Context) == 0 {
				t.Errorf("%s %.1f: %s", a.Class, a.Score, a.Tell().Title)
			}
		}
	}
	f()                                                         // an ordinary day
	f("2:05 ecs shop-web reads prod/shop/db x9")                // nearly twice as much
	f("14:05 ecs lone-web reads prod/lone/db x400 ends denied") // another sign's business
	f("14:05 ecs lone-web reads prod/lone/db op DescribeSecret x400")
	f("14:05 aws_service config.amazonaws.com reads prod/lone/db x400")
	f("5:00 lambda payroll reads prod/payroll/bank x20") // an hour off: time's business
	f("14:05 ecs new-web reads prod/new/db x400")        // a secret of today is not known yet
	f("3:10 ecs lone-web reads prod/app1/key", "3:11 ecs lone-web reads prod/app2/key", "3:12 ecs lone-web reads prod/app3/key")
}

// said is what is said of day last after all before it were learned: whether
// something of the class, from score 3 on, is told, and what explains it.
func said(h *watchtest.History, last int, class string) (told bool, by []string) {
	s := New(Options{})
	h.Learn(s, 0, last)
	for _, a := range h.Judge(s, last) {
		if !a.Mature || a.Score < 3 || a.Class != class {
			continue
		}
		told = told || len(a.Context) == 0
		for _, e := range a.Context {
			by = append(by, e.ID)
		}
	}
	return told, by
}

// The end of a month explains what it brought before, not by its date.
func TestMonthEnd(t *testing.T) {
	h := history() // from 2 March: no end of a month before
	h.On(29, "14:05 ecs shop-web reads prod/shop/db x40")
	if told, by := said(h, 29, ClassHour); !told || len(by) > 0 {
		t.Errorf("a burst on 31 March: told %v, explained by %v; want it told", told, by)
	}
	month := func(from int) *watchtest.History {
		h := watchtest.New("2026-03-02")
		rng := rand.New(rand.NewPCG(1, 2))
		for d := range 61 {
			for hour := range 24 {
				n := 8 + rng.IntN(9)
				if d == 29 && d >= from || d == 59 {
					n *= 4
				}
				h.On(d, fmt.Sprintf("%d:20 ecs books-web reads prod/books/db x%d", hour, n))
			}
		}
		return h
	}
	if told, by := said(month(0), 59, ClassHour); told || !slices.Contains(by, "month_end") {
		t.Errorf("the second closing of the books: told %v, explained by %v", told, by)
	}
	if told, _ := said(month(30), 59, ClassHour); !told {
		t.Error("the first closing of the books is not told")
	}
}

// One hour that was told of does not excuse the next week's, two do.
func TestTwice(t *testing.T) {
	h := history()
	h.On(16, "14:05 ecs lone-web reads prod/lone/db x40")
	h.On(23, "14:05 ecs lone-web reads prod/lone/db x40")
	if told, by := said(h, 23, ClassHour); !told {
		t.Errorf("the second time is explained by %v", by)
	}
	h.On(30, "14:05 ecs lone-web reads prod/lone/db x40")
	if told, _ := said(h, 30, ClassHour); told {
		t.Error("what came on three Wednesdays is told")
	}
}

// Two secrets of an application that rise together are no start by themselves: a
// thief reads them so, one after the other.
func TestCompanions(t *testing.T) {
	f := func(want bool, lines ...string) {
		t.Helper()
		h := history()
		for _, l := range lines {
			h.On(wed+1, l)
		}
		if told, by := said(h, wed+1, ClassHour); told != want {
			t.Errorf("%q: told %v, explained by %v", lines, told, by)
		}
	}
	f(true, "2:05 ecs shop-web reads prod/shop/db x300", "2:35 ecs shop-web reads prod/shop/mq x250")
	f(false, "2:05 ecs shop-web reads prod/shop/db x160", "2:05 ecs shop-web reads prod/shop/mq x150", "2:06 ecs shop-web reads prod/shop/smtp x150")
	// A deploy of something else counts where a pipeline makes it.
	f(true, "14:05 ecs lone-web reads prod/lone/db x40", "14:01 ecs lone-web deploy arn:aws:ecs:eu-west-1:111122223333:task/main/lone-web")
	f(true, "14:05 ecs lone-web reads prod/lone/db x40", "14:01 person_cli admin deploy arn:aws:ecs:eu-west-1:111122223333:service/main/other")
	f(false, "14:05 ecs lone-web reads prod/lone/db x40", "14:01 person_cli admin deploy arn:aws:ecs:eu-west-1:111122223333:service/main/lone-web")
}

// A second secret counts where both rise at once, as starts did before.
func TestStart(t *testing.T) {
	begin := func(x int) (bool, []string) {
		h := history()
		for _, d := range []int{15, 20, 25} {
			for _, s := range []string{"db", "mq", "smtp"} {
				atOnce(h, d, 9, s, 60)
			}
		}
		atOnce(h, wed+1, 9, "db", x)
		atOnce(h, wed+1, 9, "mq", x)
		return said(h, wed+1, ClassHour)
	}
	if told, by := begin(60); told || !slices.Contains(by, "family") {
		t.Errorf("a start as those before: told %v, explained by %v", told, by)
	}
	if told, _ := begin(400); !told {
		t.Error("seven times what starts brought is explained")
	}
	// Many tasks that each read both as they begin are a start, whatever was before.
	h := history()
	for _, minute := range []int{5, 25, 45} {
		h.Burst(wed+1, fmt.Sprintf("9:%02d ecs shop-web reads prod/shop/db,prod/shop/mq x60", minute))
	}
	if told, by := said(h, wed+1, ClassHour); told || !slices.Contains(by, "family") {
		t.Errorf("180 tasks that start: told %v, explained by %v", told, by)
	}
}

// Programs of one application that start in the same minutes account for each
// other; those of another application, or at another time, do not.
func TestApplication(t *testing.T) {
	f := func(want bool, other string, minute int) {
		t.Helper()
		h := watchtest.New("2026-03-02")
		for d := range wed + 2 {
			for hour := range 24 {
				h.On(d, fmt.Sprintf("%d:10 lambda coupons-web reads dev/coupons/db", hour))
				h.On(d, fmt.Sprintf("%d:20 lambda %s reads dev/other/token", hour, other))
			}
		}
		h.On(wed+1, "9:30 lambda coupons-web reads dev/coupons/db x60")
		h.On(wed+1, fmt.Sprintf("9:%02d lambda %s reads dev/other/token x70", minute, other))
		at := h.Day(wed + 1).Hours[9]
		at.Peaks = append(at.Peaks, watch.Peak{Secret: h.Secret("dev/coupons/db"), At: at.Start.Add(30 * time.Minute), Count: 60},
			watch.Peak{Secret: h.Secret("dev/other/token"), At: at.Start.Add(time.Duration(minute) * time.Minute), Count: 70})
		if told, by := said(h, wed+1, ClassHour); told != want || !want && !slices.Contains(by, "application") {
			t.Errorf("%s at %d: told %v, explained by %v", other, minute, told, by)
		}
	}
	f(false, "coupons-worker", 30)
	f(true, "coupons-worker", 50)
	f(true, "ledger-worker", 30)
}

// Reads that are half as many again from one day on are a step and no slow rise;
// those that grow day by day are one.
func TestStep(t *testing.T) {
	f := func(want bool, reads func(day int) float64) {
		t.Helper()
		h, s := watchtest.New("2026-03-02"), New(Options{})
		rng := rand.New(rand.NewPCG(5, 6))
		told := false
		for d := range 44 {
			for hour := range 24 {
				h.On(d, fmt.Sprintf("%d:20 ecs books-web reads prod/books/db x%.0f", hour, reads(d)*(0.8+0.4*rng.Float64())))
			}
			for _, a := range h.Judge(s, d) {
				told = told || a.Mature && !a.Began.IsZero() && a.Score >= watch.Floor
			}
			h.Learn(s, d, d+1)
		}
		if told != want {
			t.Errorf("told %v, want %v", told, want)
		}
	}
	f(false, func(d int) float64 {
		if d >= 30 {
			return 16
		}
		return 10
	})
	f(true, func(d int) float64 { return 10 * math.Pow(1.08, max(0, float64(d-28))) })
}

// A run of the first day, and one that a deploy happened to account for, are of the
// rhythm of weeks.
func TestFirstRun(t *testing.T) {
	f := func(want bool, days ...int) {
		t.Helper()
		h := history()
		for _, d := range days {
			h.On(d, "14:05 ecs weekly-web reads prod/weekly/db x40")
		}
		for d := range wed + 2 {
			h.On(d, "8:05 ecs weekly-web reads prod/weekly/db")
		}
		if told, by := said(h, days[len(days)-1], ClassHour); told != want {
			t.Errorf("runs on days %v: told %v, explained by %v", days, told, by)
		}
	}
	f(true, 0, 14)
	f(false, 0, 7, 14)
}

// atOnce puts reads of the shop's program within five minutes into an hour.
func atOnce(h *watchtest.History, day, hour int, secret string, x int) {
	h.On(day, fmt.Sprintf("%d:05 ecs shop-web reads prod/shop/%s x%d", hour, secret, x))
	at := h.Day(day).Hours[hour]
	at.Peaks = append(at.Peaks, watch.Peak{Secret: h.Secret("prod/shop/" + secret), At: at.Start.Add(5 * time.Minute), Count: int32(x)})
}

// What was read in a sweep is not known the day after, only when it is read day
// by day.
func TestSweepAgain(t *testing.T) {
	h := history()
	for d := 26; d < 32; d++ {
		for n := range 25 {
			h.On(d, fmt.Sprintf("3:%02d ecs lone-web reads prod/app%d/key", 10+n, n))
		}
	}
	var days []int
	for d := 26; d < 32; d++ {
		if told, _ := said(h, d, ClassSweep); told {
			days = append(days, d)
		}
	}
	if !slices.Equal(days, []int{26, 27, 28}) {
		t.Errorf("told on days %v; want the first three", days)
	}
}

// A name that was never seen excuses no great sweep, several days of work do.
func TestNewcomer(t *testing.T) {
	tour := func(h *watchtest.History, day, n int, person string) {
		for i := range n {
			h.On(day, fmt.Sprintf("9:%02d console Dev reads prod/app%d/key by %s", i, i, person))
		}
	}
	f := func(n int, works, want bool) {
		t.Helper()
		h := history()
		for d := range 29 {
			tour(h, d, 28, "aoi@hoshino.example")
		}
		for d := 26; works && d < 31; d++ {
			h.On(d, "9:40 console Dev reads prod/app1/key by new@hoshino.example")
		}
		tour(h, wed+1, n, "new@hoshino.example")
		if told, by := said(h, wed+1, ClassSweep); told != want {
			t.Errorf("%d secrets, at work before %v: told %v, explained by %v", n, works, told, by)
		}
	}
	f(10, false, false)
	f(25, false, true)
	f(25, true, false)
}

// A job of every week is known after it has come twice.
func TestWeekly(t *testing.T) {
	h, s := history(), New(Options{})
	for _, a := range h.Run(s, 0, 35) {
		if day := int(a.First.Sub(h.Day(0).Start).Hours() / 24); a.Mature && day > 16 && a.Score >= 3 && len(a.Context) == 0 {
			t.Errorf("day %d: %s", day, a.Tell().Title)
		}
	}
}

// Nothing is said before a week is known, and nothing at all is known of hours
// without any record.
func TestImmature(t *testing.T) {
	h, s := history(), New(Options{})
	h.On(5, "14:05 ecs lone-web reads prod/lone/db x400")
	for _, a := range h.Run(s, 0, 6) {
		if a.Mature {
			t.Errorf("after %d days: %s", a.Days, a.Tell().Title)
		}
	}

	h, s = history(), New(Options{})
	for d := 10; d < 20; d++ { // an account falls silent
		for i := range h.Day(d).Hours {
			hour := h.Day(d).Hours[i]
			hour.Uses, hour.Calls = nil, nil
		}
	}
	h.Learn(s, 0, learned)
	st := s.(*sign).state(h.Secret("prod/shop/db"))
	if st.days != 20 || st.level < 10 || st.level > 14 {
		t.Errorf("%d days, %.1f reads an hour; want those 20 that were heard, 12 an hour", st.days, st.level)
	}
}

// A slow attacker cannot teach more than Bound a day, and one great day next to
// nothing.
func TestPoisoning(t *testing.T) {
	h, s := history(), New(Options{})
	h.Learn(s, 0, 20)
	st := s.(*sign).state(h.Secret("prod/shop/db"))
	before := float64(st.level)
	for hour := range 24 {
		h.On(20, fmt.Sprintf("%d:30 ecs shop-web reads prod/shop/db x5000", hour))
	}
	h.Learn(s, 20, 21)
	st = s.(*sign).state(h.Secret("prod/shop/db"))
	if ratio := float64(st.level) / before; ratio > 1+Bound+1e-6 {
		t.Errorf("a day of 400 times the usual taught %.2f times the level", ratio)
	}
	h, s = history(), New(Options{})
	h.Learn(s, 0, 20)
	h.On(20, "3:30 ecs shop-web reads prod/shop/db x5000")
	h.Learn(s, 20, 21)
	st = s.(*sign).state(h.Secret("prod/shop/db"))
	if ratio := float64(st.level) / before; ratio > 1.02 {
		t.Errorf("one hour of 400 times the usual taught %.3f times the level", ratio)
	}
}

// TestRise: one who adds a twelfth a day for a fortnight is told of before he has
// doubled it, and a rise is one trouble, however many days it goes on.
func TestRise(t *testing.T) {
	h, s := history(), New(Options{})
	h.Learn(s, 0, 16)
	told := 0
	since := map[time.Time]int{}
	for d := 16; d < 34; d++ {
		for hour := range 24 {
			h.On(d, fmt.Sprintf("%d:30 ecs shop-web reads prod/shop/db x%d", hour, 1+(d-16)))
		}
		for _, a := range h.Judge(s, d) {
			if a.Class == ClassDays && a.Score >= 3 && told == 0 {
				told = d - 16
			}
			if !a.Began.IsZero() {
				since[a.Began]++
				if a.Began.After(a.First) {
					t.Errorf("day %d: it is said to have begun at %s, after %s", d, a.Began, a.First)
				}
			}
		}
		h.Learn(s, d, d+1)
	}
	if told == 0 || told > 11 {
		t.Errorf("a rise of a twelfth a day is told of after %v days", told)
	}
	if sum := len(since); sum == 0 || sum > 3 {
		t.Errorf("the rise is %d troubles: %v", sum, since)
	}
}

// Judging changes nothing, whatever was judged before, and a clone learns on its
// own.
func TestPure(t *testing.T) {
	h := history()
	h.On(wed+1, "14:05 ecs lone-web reads prod/lone/db x40")
	s := New(Options{})
	h.Learn(s, 0, wed+1)
	say := func(s watch.Sign, i int) string {
		text := ""
		for _, a := range s.Judge(h.Day(wed+1), i) {
			told := a.Tell()
			text += fmt.Sprintln(a.Class, a.Score, a.Secret, a.Context, told.Title, told.Reasons, told.Series)
		}
		return text
	}
	c := s.Clone()
	first := say(s, 14)
	say(s, 3)
	say(s, 23)
	if again := say(s, 14); again != first || first == "" {
		t.Errorf("judged again: %q; first %q", again, first)
	}
	s.Learn(h.Day(wed + 1))
	s.Learn(h.Day(wed + 2))
	if of := say(c, 14); of != first {
		t.Errorf("the clone says %q; want %q", of, first)
	}
	if reflect.DeepEqual(s.(*sign).packed, c.(*sign).packed) {
		t.Error("the clone has learned what the sign has")
	}
}

// Reads that a log brings in another order are judged the same.
func TestOrder(t *testing.T) {
	h := history()
	h.On(wed+1, "14:05 ec2 bastion reads prod/lone/db x40")
	s := New(Options{})
	h.Learn(s, 0, wed+1)
	day := h.Day(wed + 1)
	one := fmt.Sprint(scores(s.Judge(day, 14)))
	slices.Reverse(day.Hours[14].Uses)
	turned := *day
	hour := *day.Hours[14]
	turned.Hours[14] = &hour
	two := fmt.Sprint(scores(s.Judge(&turned, 14)))
	if one != two {
		t.Errorf("%s and %s", one, two)
	}
}

func scores(alarms []watch.Alarm) map[int32]float64 {
	out := map[int32]float64{}
	for _, a := range alarms {
		out[a.Secret] = a.Score
	}
	return out
}

func TestOptions(t *testing.T) {
	lines := []string{"14:05 ecs lone-web reads prod/lone/db x40", "14:01 ci deployer deploy arn:aws:ecs:eu-west-1:111122223333:service/main/lone-web"}
	alarms, _ := judged(t, Options{NoContext: true}, lines...)
	if len(alarms) == 0 || len(alarms[0].Context) > 0 {
		t.Errorf("without context: %+v", alarms)
	}
	for _, o := range []Options{{NoPeers: true}, {NoShrinkage: true}} {
		if alarms, _ := judged(t, o, lines...); len(alarms) == 0 {
			t.Errorf("%+v: nothing", o)
		}
	}
}

func TestDescribe(t *testing.T) {
	f := func(uid string, key bool, want string) {
		t.Helper()
		if got := describe(&watch.Secret{UID: uid, Region: "eu-west-1", Key: key}); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
	f("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/shop/db", false,
		"aws secretsmanager describe-secret --secret-id arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/shop/db --region eu-west-1")
	f("arn:aws:ssm:eu-west-1:111122223333:parameter/prod/shop/db", false,
		"aws ssm describe-parameters --parameter-filters Key=Name,Values=/prod/shop/db --region eu-west-1")
	f("arn:aws:kms:eu-west-1:111122223333:key/4041e2d2", true,
		"aws kms describe-key --key-id arn:aws:kms:eu-west-1:111122223333:key/4041e2d2 --region eu-west-1")
}

func TestSamePlace(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		x, _ := time.Parse(time.DateOnly, a)
		y, _ := time.Parse(time.DateOnly, b)
		if got := samePlace(x, y); got != want {
			t.Errorf("%s and %s: %v", a, b, got)
		}
	}
	f("2026-03-31", "2026-04-30", true) // last days
	f("2026-02-28", "2026-03-30", true) // a day beside
	f("2026-03-15", "2026-04-15", true) // the same day
	f("2026-05-29", "2026-06-30", true) // last working days
	f("2026-03-01", "2026-04-02", true) // first days
	f("2026-03-10", "2026-04-14", false)
	f("2026-03-31", "2026-04-14", false)
}

// Calibration: of both families of traffic, scores are exceeded no more often
// than they say.
func TestCalibration(t *testing.T) {
	for _, bursty := range []bool{false, true} {
		toy := newToy(9, 40, bursty)
		toy.storms, toy.drift = false, false
		out := play(toy, Options{}, 40, 25, nil, ClassHour)
		hours := out.judged / 24 * out.trials // in effect
		if out.trials == 0 || out.trials > 24 {
			t.Fatalf("%v trials a day and secret", out.trials)
		}
		for _, score := range []float64{2, 3} {
			n := 0.0
			for _, x := range out.clean1 {
				if x >= score {
					n++
				}
			}
			nominal := hours
			for range int(score) {
				nominal /= 10
			}
			t.Logf("bursty %v: score %v: %.0f observed, %.1f nominal", bursty, score, n, nominal)
			if n > 3*nominal+6 {
				t.Errorf("bursty %v: score %v and more: %.0f times, nominal %.1f", bursty, score, n, nominal)
			}
		}
	}
}

func TestBytes(t *testing.T) {
	toy := newToy(3, 100, false)
	s := New(Options{})
	for d := range 8 {
		s.Learn(toy.day(d, nil))
	}
	if b := s.Bytes() / len(toy.secrets); b > 450 {
		t.Errorf("%d bytes a secret", b)
	}
}

func BenchmarkDay(b *testing.B) {
	toy := newToy(3, 250, false) // 1,000 secrets
	s := New(Options{})
	var days []*watch.Day
	for d := range 14 {
		days = append(days, toy.day(d, nil))
	}
	for d := range 10 {
		s.Learn(days[d])
	}
	b.ReportAllocs()
	for i := range b.N {
		c := s.Clone()
		day := days[10+i%4]
		for h := range 24 {
			c.Judge(day, h)
		}
		c.Learn(day)
	}
}

// What is learned of a secret is packed and unpacked as it was.
func TestPacked(t *testing.T) {
	h, s := history(), New(Options{}).(*sign)
	h.On(wed+1, "14:05 ecs lone-web reads prod/lone/db x40")
	h.Learn(s, 0, wed+3)
	s.open()
	learned := slices.Clone(s.secrets)
	learned[0].runs = [8]run{{20500, 23, true, 12.5}, {20501, 0, false, 1 << 20}}
	learned[0].ends[1].day, learned[0].ends[1].rise = 20500, 1.7
	learned[0].streak, learned[0].fast, learned[0].rose = -2, 3, [2]uint16{20400, 20402}
	learned[0].climb = climb{3, 1.5, 2.5}
	learned[0].past[3], learned[0].past[4] = math.MaxUint16, 0
	copy(s.secrets, learned)
	s.seal()
	for i := range learned {
		if got := *s.state(int32(i)); !reflect.DeepEqual(got, learned[i]) {
			t.Errorf("secret %d:\n got %+v\nwant %+v", i, got, learned[i])
		}
	}
	if per := len(s.packed.bytes) / len(learned); per == 0 || per > 250 {
		t.Errorf("%d bytes a secret", per)
	}
}
