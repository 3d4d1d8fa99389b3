package failures

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/anomaly/watchtest"
	"github.com/yagura-sec/yagura/finding"
)

const learned = 30 // days

// office is a month of an organisation in which things fail as they do: programs
// now and then, a CI role every hour, a user who mistypes on Mondays.
func office() *watchtest.History {
	h := watchtest.New("2026-03-02")
	rng := rand.New(rand.NewPCG(1, 2))
	for a := range 12 {
		role := fmt.Sprintf("app%d", a)
		for x := range 3 {
			h.Every(learned+2, fmt.Sprintf("0-23 lambda %s reads prod/%s/s%d x5", role, role, x))
		}
		for d := range learned {
			if rng.Float64() < 0.3 {
				h.Deny(d, 2, fmt.Sprintf("%d lambda %s calls DescribeTable x%d", rng.IntN(24), role, 1+rng.IntN(3)))
			}
		}
	}
	for _, who := range []string{"alice", "bob", "carol", "dave"} {
		h.Every(learned+2, "8-17 person_cli developer calls DescribeInstances x3 by "+who+" from 203.0.113.0/24")
		h.Every(learned+2, "9 person_cli developer reads dev/"+who+" by "+who)
		for d := range learned {
			if rng.Float64() < 0.2 {
				h.Deny(d, 3, fmt.Sprintf("%d person_cli developer calls ListUsers,ListRoles x%d by %s", 8+rng.IntN(9), 1+rng.IntN(2), who))
			}
		}
	}
	h.Every(learned+2, "0-23 ci deployer calls UpdateService x4")
	for d := range learned {
		for hour := range 24 {
			h.Deny(d, 20, fmt.Sprintf("%d ci deployer calls TagResource x%d", hour, 3+rng.IntN(4)))
		}
		if d%7 == 0 {
			h.SignIn(d, 9, "erin", "203.0.113.8", 2, 1)
		}
	}
	return h
}

func TestSign(t *testing.T) {
	run := func(put func(h *watchtest.History)) (*watchtest.History, []watch.Alarm) {
		h := office()
		put(h)
		s := New(Options{})
		h.Learn(s, 0, learned)
		all := h.Judge(s, learned)
		for i := range all {
			told := all[i].Tell() // as long as nothing more is learned
			all[i].Tell = func() watch.Told { return told }
		}
		s.Learn(h.Day(learned))
		return h, append(all, h.Judge(s, learned+1)...)
	}
	strongest := func(alarms []watch.Alarm) *watch.Alarm {
		var best *watch.Alarm
		for i := range alarms {
			if a := &alarms[i]; best == nil || a.Score > best.Score {
				best = a
			}
		}
		return best
	}
	fires := func(least float64, severity finding.Severity, says string, put func(h *watchtest.History)) {
		t.Helper()
		_, alarms := run(put)
		a := strongest(alarms)
		switch {
		case a == nil:
			t.Error("nothing was said")
		case a.Score < least || len(a.Context) > 0 || !a.Mature || a.Severity != severity || a.Trials <= 0:
			t.Errorf("score %.1f, context %v, mature %v, severity %s", a.Score, a.Context, a.Mature, a.Severity)
		default:
			told := a.Tell()
			if !slices.ContainsFunc(told.Reasons, func(r finding.Reason) bool { return strings.Contains(r.Text.String(), says) }) || told.Title.String() == "" ||
				len(told.Attack) == 0 || len(told.Next) == 0 {
				t.Errorf("said %+v", told)
			}
		}
	}
	explained := func(id string, put func(h *watchtest.History)) {
		t.Helper()
		_, alarms := run(put)
		if len(alarms) == 0 {
			t.Error("nothing was said")
		}
		for _, a := range alarms {
			if a.Score > 5 && (len(a.Context) == 0 || a.Context[0].ID != id) {
				t.Errorf("%s: score %.1f, context %v", a.Tell().Title, a.Score, a.Context)
			}
		}
	}
	quiet := func(put func(h *watchtest.History)) {
		t.Helper()
		_, alarms := run(put)
		for _, a := range alarms {
			if a.Score >= 4.5 {
				t.Errorf("%s: score %.1f: %s", a.Tell().Title, a.Score, a.Tell().Reasons[0].Text)
			}
		}
	}
	spray := func(from, to int) string {
		var all []string
		for a := from; a < to; a++ {
			all = append(all, fmt.Sprintf("prod/app%d/s0", a), fmt.Sprintf("prod/app%d/s1", a))
		}
		return strings.Join(all, ",")
	}

	quiet(func(h *watchtest.History) {})
	// a spray over 20 secrets, by a program, a person, and one never seen before
	fires(7, finding.High, "Role app0 had 20 denials in 8 minutes on 20 different secrets", func(h *watchtest.History) {
		h.Deny(learned, 8, "2:05 lambda app0 reads "+spray(1, 11)+" x20")
	})
	fires(7, finding.High, "alice had 20 denials", func(h *watchtest.History) {
		h.Deny(learned, 8, "14:05 person_cli developer reads "+spray(1, 11)+" x20 by alice")
	})
	fires(5, finding.High, "it was never seen before", func(h *watchtest.History) {
		h.Deny(learned, 8, "2:05 ec2 newcomer reads "+spray(1, 11)+" x20")
	})
	// one secret, again and again
	fires(6, finding.Medium, "on prod/app7/s0", func(h *watchtest.History) {
		h.Deny(learned, 40, "2:05 lambda app0 reads prod/app7/s0 x30")
	})
	// some failures, then it opens
	fires(6, finding.High, "alice was given prod/app3/s0", func(h *watchtest.History) {
		h.Deny(learned, 20, "14:05 person_cli developer reads prod/app3/s0,prod/app3/s1,prod/app4/s0 x9 by alice")
		h.Grant(learned, "14:27 person_cli developer reads prod/app3/s0 by alice")
	})
	// one every two hours, over midnight
	fires(5, finding.Medium, "Since 1 April", func(h *watchtest.History) {
		for k, secret := range strings.Split(spray(1, 7), ",") {
			h.Deny(learned+(12+2*k)/24, 1, fmt.Sprintf("%d:10 lambda app0 reads %s", (12+2*k)%24, secret))
		}
	})
	// looking around without touching secrets
	fires(6, finding.Medium, "different calls were denied", func(h *watchtest.History) {
		h.Deny(learned, 9, "2:05 lambda app0 calls ListUsers,ListRoles,ListBuckets,DescribeInstances,ListKeys,ListTables,ListQueues,ListTopics x8")
	})
	// guessed passwords
	fires(4, finding.High, "then one succeeded", func(h *watchtest.History) {
		h.SignIn(learned, 3, "erin", "198.51.100.7", 12, 1)
	})
	fires(4, finding.High, "sign-ins of 12 users", func(h *watchtest.History) {
		for u := range 12 {
			h.SignIn(learned, 3, fmt.Sprintf("user%d", u), "198.51.100.7", 1, 0)
		}
	})

	// a broken deploy: the same call thousands of times
	explained("deploy", func(h *watchtest.History) {
		h.On(learned, "2:01 ci deployer deploy service/app0")
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/other/new x3000")
	})
	// a deploy of something else accounts for nothing
	fires(6, finding.Medium, "prod/other/new", func(h *watchtest.History) {
		h.On(learned, "2:01 ci deployer deploy service/crm-front")
		h.On(learned-3, "2:01 ci deployer reads prod/other/new")
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/other/new x3000")
	})
	// a program that is denied what it had: one thing, or after something changed
	explained("misconfiguration", func(h *watchtest.History) {
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/app0/s0 x200")
	})
	explained("deploy", func(h *watchtest.History) {
		h.On(learned, "1:40 ci deployer deploy service/app0")
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/app0/s0,prod/app0/s1,prod/app0/s2 x200")
	})
	explained("policy", func(h *watchtest.History) {
		h.On(learned, "1:30 person_cli admin policy role/app0")
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/app0/s0,prod/app0/s1,prod/app0/s2 x200")
	})
	// and many of its own, for no reason
	fires(5, finding.Medium, "denials", func(h *watchtest.History) {
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/app0/s0,prod/app0/s1,prod/app0/s2 x200")
	})
	explained("policy", func(h *watchtest.History) {
		h.On(learned, "1:30 person_cli admin policy role/app0")
		h.Deny(learned, 50, "2:05 lambda app0 reads prod/app0/s0 x200")
	})
	// credentials that have expired
	explained("misconfiguration", func(h *watchtest.History) {
		h.Every(learned, "0-23 ci releaser reads prod/release/key x2")
		h.Deny(learned, 58, "2 ci releaser reads prod/release/key x60 ends auth_failed")
	})
	// the CI role fails as ever, users mistype as ever, somebody errs once
	quiet(func(h *watchtest.History) {
		for hour := range 24 {
			h.Deny(learned, 20, fmt.Sprintf("%d ci deployer calls TagResource x6", hour))
		}
		h.SignIn(learned, 9, "erin", "203.0.113.8", 3, 1)
		h.Deny(learned, 4, "11:05 person_cli developer calls ListUsers,ListRoles x2 by bob")
		h.Deny(learned, 1, "15:05 lambda app3 calls DescribeTable x2")
	})
	// denied by a policy of the organisation: another sign's
	quiet(func(h *watchtest.History) {
		h.Deny(learned, 9, "2:05 lambda app0 calls ListUsers,ListRoles,ListBuckets,DescribeInstances,ListKeys,ListTables x12 ends denied_by_org_policy")
	})
}

// TestHeard: a day without any log, and an account without any, teach nothing.
func TestHeard(t *testing.T) {
	h := office()
	s := New(Options{}).(*sign)
	h.Learn(s, 0, learned)
	before := s.volume.Days()
	day := h.Day(learned)
	for i := range day.Hours {
		day.Hours[i] = &watch.Hour{Start: day.Hours[i].Start, Events: true}
	}
	s.Learn(day)
	if s.volume.Days() != before || s.refused.Days() != before || s.signIns.Days() != before {
		t.Errorf("a day without log counts: %d, %d, %d", s.volume.Days(), s.refused.Days(), s.signIns.Days())
	}
	silent := h.Names().Secrets[h.Secret("prod/app0/s0")]
	silent.Account, silent.UID = "444455556666", "arn:aws:secretsmanager:us-east-1:444455556666:secret:silent"
	names := h.Names()
	names.Secrets = append(names.Secrets, silent)
	s.Learn(h.Day(learned + 1))
	if u := s.refused.Usual(int32(len(names.Secrets)-1), 0); u.Occasions > 0 {
		t.Errorf("a secret whose account is silent had %.0f occasions", u.Occasions)
	}
	if u := s.refused.Usual(0, 0); u.Occasions < 100 {
		t.Errorf("a secret whose account is heard had %.0f occasions", u.Occasions)
	}
}

// TestTrials: what is of one class is judged as often, whichever look it is by.
func TestTrials(t *testing.T) {
	h := office()
	h.Deny(learned, 8, "2:05 lambda app0 reads prod/app1/s0,prod/app2/s0,prod/app3/s0,prod/app4/s0,prod/app5/s0 x10")
	for k := range 6 {
		h.Deny(learned, 1, fmt.Sprintf("%d:10 lambda app1 reads prod/app%d/s0", 2*k, 2+k))
	}
	h.Deny(learned, 40, "4:05 lambda app2 reads prod/app7/s0 x30")
	h.SignIn(learned, 3, "erin", "198.51.100.7", 12, 1)
	for u := range 12 {
		h.SignIn(learned, 3, fmt.Sprintf("user%d", u), "198.51.100.9", 1, 0)
	}
	s := New(Options{})
	h.Learn(s, 0, learned)
	trials := map[string]float64{}
	for _, a := range h.Judge(s, learned) {
		if had, ok := trials[a.Class]; ok && had != a.Trials {
			t.Errorf("%s: %v trials, and %v", a.Class, had, a.Trials)
		}
		trials[a.Class] = a.Trials
	}
	for _, class := range []string{"failures/principal", "failures/secret", "failures/sign_in"} {
		if trials[class] == 0 {
			t.Errorf("nothing of class %s: %v", class, trials)
		}
	}
}

// TestMirrored: a call into another account is in the logs of both, there under
// the id of the role.
func TestMirrored(t *testing.T) {
	h := office()
	line := "reads prod/app1/s0,prod/app2/s0,prod/app3/s0,prod/app4/s0,prod/app5/s0,prod/app6/s0 x6"
	h.Deny(learned, 8, "2:05 person_cli developer "+line+" by alice")
	h.Deny(learned, 8, "2:05 unknown AROAEXAMPLEEXAMPLE111 "+line)
	names := h.Names()
	for i := range names.Actors {
		if a := &names.Actors[i]; strings.HasPrefix(a.Name, "AROA") {
			a.UID = a.Name
		}
	}
	s := New(Options{})
	h.Learn(s, 0, learned)
	alarms := h.Judge(s, learned)
	if len(alarms) == 0 {
		t.Error("nothing was said")
	}
	for _, a := range alarms {
		if a.Person != "alice" {
			t.Errorf("%s: person %q", a.Tell().Title, a.Person)
		}
	}
}

// BenchmarkJudge is an hour of 20,000 secrets and 8,000 programs, of which one in
// ten is denied something.
func BenchmarkJudge(b *testing.B) {
	h := watchtest.New("2026-03-02")
	for a := range 8000 {
		h.On(0, fmt.Sprintf("3 lambda app%d reads prod/app%d/s0 x5", a, a))
		if a%10 == 0 {
			h.Deny(0, 9, fmt.Sprintf("3 lambda app%d reads prod/app%d/s0,prod/app%d/s0 x6", a, a+1, a+2))
		}
	}
	for x := range 12000 {
		h.Secret(fmt.Sprintf("more/%d", x))
	}
	s := New(Options{})
	for b.Loop() {
		s.(*sign).gathered = map[*watch.Hour][]*denied{}
		s.Judge(h.Day(0), 3)
	}
	b.ReportMetric(float64(s.Bytes()), "B/state")
}

// TestOptions: what is left out is left out.
func TestOptions(t *testing.T) {
	h := office()
	h.On(learned, "2:01 ci deployer deploy service/app0")
	h.Deny(learned, 50, "2:05 lambda app0 reads prod/other/new x3000")
	f := func(opt Options, contexts bool) (best float64) {
		t.Helper()
		s := New(opt)
		h.Learn(s, 0, learned)
		got := false
		for _, a := range h.Judge(s, learned) {
			best = max(best, a.Score)
			got = got || len(a.Context) > 0
		}
		if got != contexts {
			t.Errorf("%+v: context %v", opt, got)
		}
		return best
	}
	whole := f(Options{}, true)
	if got := f(Options{NoContext: true}, false); got != whole {
		t.Errorf("without context the score is %.2f, not %.2f", got, whole)
	}
	if got := f(Options{NoPeers: true}, true); got == whole {
		t.Error("peers make no difference")
	}
	if got := f(Options{NoShrinkage: true}, true); got == whole {
		t.Error("shrinkage makes no difference")
	}
}

func TestImmature(t *testing.T) {
	h := office()
	h.Deny(3, 8, "2:05 lambda app0 reads prod/app1/s0,prod/app2/s0,prod/app3/s0,prod/app4/s0,prod/app5/s0 x10")
	s := New(Options{})
	h.Learn(s, 0, 3)
	for _, a := range h.Judge(s, 3) {
		if a.Mature {
			t.Errorf("alerted on after three days: %s", a.Tell().Title)
		}
	}
}

func TestPoisonAdoptsSlowly(t *testing.T) {
	h := office()
	line := "2:05 lambda app0 reads prod/app1/s0,prod/app2/s0,prod/app3/s0,prod/app4/s0,prod/app5/s0 x10"
	s := New(Options{})
	h.Learn(s, 0, learned-8)
	best := func(day int) float64 {
		b := 0.0
		for _, a := range h.Judge(s, day) {
			b = max(b, a.Score)
		}
		return b
	}
	var scores []float64
	for d := learned - 8; d < learned; d++ {
		h.Deny(d, 8, line)
		scores = append(scores, best(d))
		s.Learn(h.Day(d))
	}
	if scores[2] < 6 || scores[7] > scores[2] {
		t.Errorf("scores day by day %.1f", scores)
	}
}

func TestJudgeLearnsNothing(t *testing.T) {
	h := office()
	h.Deny(learned, 8, "2:05 lambda app0 reads prod/app1/s0,prod/app2/s0,prod/app3/s0,prod/app4/s0,prod/app5/s0 x10")
	s := New(Options{})
	h.Learn(s, 0, learned)
	c := s.Clone()
	c.Learn(h.Day(learned))
	once, again := h.Judge(s, learned), h.Judge(s, learned)
	if len(once) == 0 || len(once) != len(again) {
		t.Fatalf("%d alarms, then %d", len(once), len(again))
	}
	for i := range once {
		if once[i].Score != again[i].Score || once[i].Tell().Title != again[i].Tell().Title {
			t.Errorf("%v, then %v", once[i], again[i])
		}
	}
	if per := s.Bytes() / len(h.Names().Actors); per > 4096 {
		t.Errorf("%d bytes an actor", per)
	}
}

// TestCalibration: with nothing but chance, there are as many alarms as scores
// promise, give or take.
func TestCalibration(t *testing.T) {
	f := func(opt Options, seed uint64) {
		t.Helper()
		h := watchtest.New("2026-03-02")
		rng := rand.New(rand.NewPCG(seed, 1))
		const roles, days, from = 60, 60, 14
		rates := make([]float64, roles)
		for a := range roles {
			h.Every(days, fmt.Sprintf("0-23 lambda app%d reads prod/app%d/s0 x3", a, a))
			rates[a] = 0.01 * math.Exp(rng.NormFloat64())
		}
		for d := range days {
			for a := range roles {
				for hour := range 24 {
					if rng.Float64() < rates[a] {
						n := 1
						for rng.Float64() < 0.4 {
							n++
						}
						h.Deny(d, min(n*2, 50), fmt.Sprintf("%d lambda app%d calls Op%d x%d", hour, a, rng.IntN(4), n))
					}
				}
			}
		}
		h.Calibrated(t, New(opt), from, days, roles)
	}
	f(Options{}, 1)
	f(Options{}, 2)
}
