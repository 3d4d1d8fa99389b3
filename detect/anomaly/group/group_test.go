package group

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
	"github.com/yagura-sec/yagura/finding"
)

const learned = 30 // days

const billing = "prod/billing/db,prod/billing/api,prod/billing/mq,prod/billing/smtp"

// starts is a month of programs that read all they need when they start, of one
// that refreshes each secret on a clock of its own, and of people.
func starts() *watchtest.History {
	h := watchtest.New("2026-03-02")
	for d := range learned + 2 {
		for hour := 0; hour < 24; hour += 3 {
			h.Burst(d, fmt.Sprintf("%d:10 lambda billing reads %s x2", hour, billing))
			h.Burst(d, fmt.Sprintf("%d:20 ecs billing-worker reads %s", hour, billing))
		}
		for a := range 10 {
			h.Burst(d, fmt.Sprintf("0-23 ecs app%d reads prod/app%d/a,prod/app%d/b,prod/app%d/c", a, a, a, a))
		}
		for hour := range 24 {
			h.Burst(d, fmt.Sprintf("%d:05 ecs cache reads prod/cache/a", hour))
			h.Burst(d, fmt.Sprintf("%d:25 ecs cache reads prod/cache/b", hour))
			if hour%4 == 0 {
				h.Burst(d, fmt.Sprintf("%d:45 ecs cache reads prod/cache/a,prod/cache/b", hour))
			}
		}
		h.Burst(d, "9 person_cli developer reads dev/alice by alice")
	}
	return h
}

func TestSets(t *testing.T) {
	h := starts()
	s := New(Options{}).(*sign)
	h.Learn(s, 0, learned)
	var got []string
	for _, x := range s.sets {
		got = append(got, fmt.Sprintf("%d secrets by %d", len(x.secrets), len(x.readers)))
	}
	want := []string{"4 secrets by 2"}
	for range 10 {
		want = append(want, "3 secrets by 1")
	}
	if !slices.Equal(got, want) {
		t.Errorf("sets %q; want %q", got, want)
	}
	if per := s.Bytes() / len(h.Names().Secrets); per > 1024 {
		t.Errorf("%d bytes a secret", per)
	}
}

// TestLinks: one secret that two programs' roles share does not make one set of
// two, and a role of two applications has two sets.
func TestLinks(t *testing.T) {
	h := watchtest.New("2026-03-02")
	for d := range 10 {
		h.Burst(d, "1 ecs both reads x/a,x/b,shared x3")
		h.Burst(d, "2 ecs both reads y/a,y/b,shared x3")
		h.Burst(d, "3 ecs rare reads z/a,z/b")
	}
	s := New(Options{}).(*sign)
	h.Learn(s, 0, 10)
	var got []string
	for _, x := range s.sets {
		var names []string
		for _, m := range x.secrets {
			names = append(names, h.Names().Secrets[m].Name)
		}
		got = append(got, strings.Join(names, "+"))
	}
	if !slices.Equal(got, []string{"x/a+x/b", "y/a+y/b"}) {
		t.Errorf("sets %q", got)
	}
}

func TestSign(t *testing.T) {
	run := func(put func(h *watchtest.History)) []watch.Alarm {
		h := starts()
		put(h)
		s := New(Options{})
		h.Learn(s, 0, learned)
		return h.Judge(s, learned)
	}
	fires := func(least float64, severity finding.Severity, says string, put func(h *watchtest.History)) {
		t.Helper()
		alarms := run(put)
		if len(alarms) != 1 {
			t.Errorf("%d alarms", len(alarms))
			return
		}
		a := alarms[0]
		told := a.Tell()
		if a.Score < least || len(a.Context) > 0 || !a.Mature || a.Severity != severity || a.Trials <= 0 {
			t.Errorf("score %.1f, context %v, mature %v, severity %s", a.Score, a.Context, a.Mature, a.Severity)
		}
		if !slices.ContainsFunc(told.Reasons, func(r finding.Reason) bool {
			return strings.Contains(r.Text.String(), says) || r.Observed.String() == says
		}) || told.Title.String() == "" ||
			len(told.Attack) == 0 || len(told.Next) == 0 {
			t.Errorf("said %+v", told)
		}
	}
	quiet := func(put func(h *watchtest.History)) {
		t.Helper()
		for _, a := range run(put) {
			t.Errorf("%s: score %.1f", a.Tell().Title, a.Score)
		}
	}
	explained := func(id string, put func(h *watchtest.History)) {
		t.Helper()
		alarms := run(put)
		if len(alarms) == 0 {
			t.Error("nothing was said")
		}
		for _, a := range alarms {
			if len(a.Context) == 0 || a.Context[0].ID != id {
				t.Errorf("%s: context %v", a.Tell().Title, a.Context)
			}
		}
	}

	quiet(func(h *watchtest.History) {})
	// one of four, by a program that reads all four
	fires(3.5, finding.Low, "at 02:10 only prod/billing/db was read (prod/billing/api, prod/billing/mq, prod/billing/smtp not)", func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db")
	})
	// three of four, again and again
	fires(3.5, finding.Low, "In 3 bursts", func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/api,prod/billing/mq x3")
	})
	// every ten minutes, which is no flood yet; and all the time
	fires(3.5, finding.Low, "In 6 bursts", func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/api,prod/billing/mq x6")
	})
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/api,prod/billing/mq x20")
	})
	// two of four, by two sessions at once
	fires(3.5, finding.Low, "2 of 4", func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db")
		h.Burst(learned, "2:10 lambda billing reads prod/billing/api")
	})
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/mq")
		h.Burst(learned, "2:10 lambda billing reads prod/billing/api,prod/billing/smtp")
	})
	// one of three, with a secret that is not of the set
	fires(3.5, finding.Low, "only prod/app1/a was read", func(h *watchtest.History) {
		h.Burst(learned, "2:40 ecs app1 reads prod/app1/a,prod/cache/a")
	})
	// a stranger
	fires(2.5, finding.Medium, "Role break-glass never read any of them before; they are read by role billing, role billing-worker", func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda break-glass reads prod/billing/db")
	})
	// a person, a program of another kind, one that is denied: other signs'
	quiet(func(h *watchtest.History) { h.Burst(learned, "2:10 person_cli admin reads prod/billing/db by mallory") })
	quiet(func(h *watchtest.History) { h.Burst(learned, "2:10 ec2 break-glass reads prod/billing/db") })
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda break-glass reads prod/billing/db ends denied")
	})

	// over and over: for the sign of frequency
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db")
		h.On(learned, "2:12 lambda billing reads prod/billing/db x60")
	})

	// a stranger that reads all is new, but no part
	quiet(func(h *watchtest.History) { h.Burst(learned, "2:10 ec2 other reads "+billing) })
	// more than the set
	quiet(func(h *watchtest.History) { h.Burst(learned, "2:10 lambda billing reads prod/billing/new,"+billing) })
	// what rotates a secret reads that one
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda rotator reads prod/billing/db")
		h.On(learned, "2:11 lambda rotator rotate prod/billing/db")
	})
	// reads that come apart
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db")
		h.Burst(learned, "2:20 lambda billing reads prod/billing/api,prod/billing/mq")
		h.Burst(learned, "2:40 lambda billing reads prod/billing/smtp")
	})
	// at the end of an hour: once the next one tells whether the rest came, and it is
	// told with the time it was
	fires(3.5, finding.Low, "at 04:55 only prod/billing/db was read", func(h *watchtest.History) {
		h.Burst(learned, "4:55 lambda billing reads prod/billing/db")
	})
	quiet(func(h *watchtest.History) {
		h.Burst(learned, "4:55 lambda billing reads prod/billing/db")
		h.Burst(learned, "5:06 lambda billing reads prod/billing/api")
	})
	fires(3.5, finding.Low, "at 23:55 only prod/billing/db was read", func(h *watchtest.History) {
		h.Burst(learned-1, "23:55 lambda billing reads prod/billing/db")
	})
	quiet(func(h *watchtest.History) {
		h.Burst(learned-1, "23:55 lambda billing reads prod/billing/db")
		h.Burst(learned, "0:06 lambda billing reads prod/billing/api")
	})
	// a part that somebody reads every day
	quiet(func(h *watchtest.History) {
		for d := range 4 {
			h.Burst(learned-8+2*d, "7 lambda monitor reads prod/billing/db")
		}
		h.Burst(learned, "7 lambda monitor reads prod/billing/db")
	})
	// a member was deleted the day before, and just now
	quiet(func(h *watchtest.History) {
		h.On(learned-1, "22 person_cli admin delete prod/billing/smtp")
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/api,prod/billing/mq")
	})
	explained("member", func(h *watchtest.History) {
		h.On(learned, "2 person_cli admin delete prod/billing/smtp")
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/api,prod/billing/mq")
	})
	explained("deploy", func(h *watchtest.History) {
		h.On(learned, "2 ci deployer deploy function/billing")
		h.Burst(learned, "2:10 lambda billing reads prod/billing/db,prod/billing/api,prod/billing/mq")
	})
}

// TestAdopts: a program that reads less from a day on is adopted after days.
func TestAdopts(t *testing.T) {
	h := starts()
	s := New(Options{})
	h.Learn(s, 0, learned-10)
	alarms := map[int]int{}
	for d := learned - 10; d < learned; d++ {
		h.Burst(d, "5 ecs app3 reads prod/app3/a,prod/app3/b x4")
		for _, a := range h.Judge(s, d) {
			if a.Score > 3 {
				alarms[d-learned+10]++
			}
		}
		s.Learn(h.Day(d))
	}
	if alarms[0] != 1 || alarms[4] != 0 || alarms[9] != 0 {
		t.Errorf("alarms by day %v", alarms)
	}
}

// TestHeard: days without any log are neither days nor calm.
func TestHeard(t *testing.T) {
	h := starts()
	s := New(Options{}).(*sign)
	h.Learn(s, 0, learned)
	days, calm := s.days, s.calm
	s.Learn(h.Day(learned + 4))
	if s.days != days || s.calm > calm {
		t.Errorf("%d days and calm %.1f, then %d and %.1f", days, calm, s.days, s.calm)
	}
}

// TestTrials: parts and strangers are judged at different rates, and told apart.
func TestTrials(t *testing.T) {
	h := starts()
	h.Burst(learned, "2:10 lambda billing reads prod/billing/db")
	h.Burst(learned, "2:40 ecs app1 reads prod/app1/a")
	h.Burst(learned, "2:10 lambda break-glass reads prod/billing/db")
	s := New(Options{})
	h.Learn(s, 0, learned)
	trials := map[string]float64{}
	for _, a := range h.Judge(s, learned) {
		if had, ok := trials[a.Class]; ok && had != a.Trials {
			t.Errorf("%s: %v trials, and %v", a.Class, had, a.Trials)
		}
		trials[a.Class] = a.Trials
	}
	if len(trials) != 2 || trials["group/part"] <= trials["group/stranger"] {
		t.Errorf("trials %v", trials)
	}
}

// TestOptions: what is left out is left out.
func TestOptions(t *testing.T) {
	h := starts()
	h.On(learned, "2 ci deployer deploy function/billing")
	h.Burst(learned, "2:10 lambda billing reads prod/billing/db")
	f := func(opt Options) watch.Alarm {
		t.Helper()
		s := New(opt)
		h.Learn(s, 0, learned)
		alarms := h.Judge(s, learned)
		if len(alarms) != 1 {
			t.Fatalf("%+v: %d alarms", opt, len(alarms))
		}
		return alarms[0]
	}
	whole := f(Options{})
	if a := f(Options{NoContext: true}); len(whole.Context) != 1 || len(a.Context) != 0 || a.Score != whole.Score {
		t.Errorf("context %v, and without %v", whole.Context, a.Context)
	}
	if f(Options{NoPeers: true}).Score >= whole.Score || f(Options{NoShrinkage: true}).Score == whole.Score {
		t.Error("peers and shrinkage make no difference")
	}
}

func TestGates(t *testing.T) {
	f := func(days int, want bool) {
		t.Helper()
		h := starts()
		h.Burst(days, "2:10 lambda billing reads prod/billing/db")
		s := New(Options{})
		h.Learn(s, 0, days)
		alarms := h.Judge(s, days)
		mature := slices.ContainsFunc(alarms, func(a watch.Alarm) bool { return a.Mature })
		if mature != want {
			t.Errorf("after %d days: %d alarms, mature %v", days, len(alarms), mature)
		}
	}
	f(2, false)
	f(5, false)
	f(7, true)
}

// TestCalibration: where starts break off by chance, there are as many alarms as
// the scores promise.
func TestCalibration(t *testing.T) {
	h := watchtest.New("2026-03-02")
	rng := rand.New(rand.NewPCG(4, 4))
	const apps, days, from = 40, 60, 15
	names := func(a int) string {
		return fmt.Sprintf("p/app%d/a,p/app%d/b,p/app%d/c,p/app%d/d", a, a, a, a)
	}
	for d := range days {
		for a := range apps {
			for hour := range 24 {
				line := names(a)
				if rng.Float64() < 0.0005 {
					line = strings.Join(strings.Split(line, ",")[:1+rng.IntN(3)], ",")
				}
				h.Burst(d, fmt.Sprintf("%d ecs app%d reads %s", hour, a, line))
			}
		}
	}
	h.Calibrated(t, New(Options{}), from, days, len(h.Names().Secrets))
}
