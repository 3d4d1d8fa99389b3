package denials

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

// guarded is a month of an organisation whose policies deny now and then, and
// one role of a sandbox every hour.
func guarded() *watchtest.History {
	h := watchtest.New("2026-03-02")
	rng := rand.New(rand.NewPCG(1, 2))
	for a := range 12 {
		h.Every(learned+2, fmt.Sprintf("0-23 lambda %d/app reads prod/app%d/s x5", 111122220000+a, a))
		for d := range learned {
			if rng.Float64() < 0.05 {
				h.Deny(d, 2, fmt.Sprintf("%d lambda %d/app calls RunInstances x1 ends denied_by_org_policy in %d", rng.IntN(24), 111122220000+a, 111122220000+a))
			}
		}
	}
	for _, who := range []string{"alice", "bob", "carol", "dave"} {
		h.Every(learned+2, "8-17 person_cli developer calls DescribeInstances x3 by "+who)
	}
	h.Every(learned+2, "0-23 ci sandbox calls UpdateService x4 in 999900001111")
	for d := range learned {
		for hour := range 24 {
			h.Deny(d, 20, fmt.Sprintf("%d ci sandbox calls CreateUser x%d ends denied_by_org_policy in 999900001111", hour, 3+rng.IntN(4)))
		}
	}
	return h
}

func TestSign(t *testing.T) {
	run := func(put func(h *watchtest.History)) []watch.Alarm {
		h := guarded()
		put(h)
		s := New(Options{})
		h.Learn(s, 0, learned)
		return h.Judge(s, learned)
	}
	fires := func(least float64, severity finding.Severity, says string, put func(h *watchtest.History)) {
		t.Helper()
		alarms := run(put)
		if len(alarms) == 0 {
			t.Error("nothing was said")
			return
		}
		a := slices.MaxFunc(alarms, func(a, b watch.Alarm) int { return int(100 * (a.Score - b.Score)) })
		told := a.Tell()
		if a.Score < least || len(a.Context) > 0 || !a.Mature || a.Severity != severity || a.Trials <= 0 {
			t.Errorf("score %.1f, context %v, mature %v, severity %s", a.Score, a.Context, a.Mature, a.Severity)
		}
		if !slices.ContainsFunc(told.Reasons, func(r finding.Reason) bool { return strings.Contains(r.Text.String(), says) }) || told.Title.String() == "" ||
			len(told.Attack) == 0 || len(told.Next) == 0 || len(told.Unseen) == 0 {
			t.Errorf("said %+v", told)
		}
	}
	quiet := func(put func(h *watchtest.History)) {
		t.Helper()
		for _, a := range run(put) {
			if a.Score > 4.5 {
				t.Errorf("%s: score %.1f", a.Tell().Title, a.Score)
			}
		}
	}
	explained := func(id string, put func(h *watchtest.History)) {
		t.Helper()
		alarms := run(put)
		n := 0
		for _, a := range alarms {
			if a.Score > 5 && len(a.Context) > 0 && a.Context[0].ID == id {
				n++
			}
		}
		if n == 0 {
			t.Errorf("%d alarms, none explained", len(alarms))
		}
	}

	quiet(func(h *watchtest.History) {})
	fires(6, finding.High, "denied by policy of the organisation 12 times in 34 minutes", func(h *watchtest.History) {
		h.Deny(learned, 36, "2:05 lambda 111122220003/app calls StopLogging,CreateUser,LeaveOrganization,DisableKey x12 ends denied_by_org_policy")
	})
	fires(6, finding.High, "alice was denied by policy", func(h *watchtest.History) {
		h.Deny(learned, 36, "14:05 person_cli developer calls StopLogging,CreateUser,LeaveOrganization,DisableKey x12 by alice ends denied_by_org_policy")
	})
	// over the end of an hour
	fires(5, finding.Medium, "StopLogging", func(h *watchtest.History) {
		h.Deny(learned, 40, "2:42 lambda 111122220003/app calls StopLogging,CreateUser x12 ends denied_by_org_policy")
	})
	// the sandbox's role does what it never did
	fires(4, finding.High, "never denied in the account before", func(h *watchtest.History) {
		h.Deny(learned, 36, "2:05 ci sandbox calls StopLogging,LeaveOrganization,DisableKey,CreateAccessKey,DeleteDetector x12 in 999900001111 ends denied_by_org_policy")
	})

	// a little on each of four days
	fires(3, finding.Low, "on 4 of the last 7 days", func(h *watchtest.History) {
		for k, op := range []string{"StopLogging", "CreateUser", "LeaveOrganization", "DisableKey"} {
			h.Deny(learned-3+k, 1, "2:05 lambda 111122220003/app calls "+op+" x1 ends denied_by_org_policy")
		}
	})

	// as every hour
	quiet(func(h *watchtest.History) {
		h.Deny(learned, 20, "3 ci sandbox calls CreateUser x7 ends denied_by_org_policy in 999900001111")
	})
	// once, and again by a client that retries
	quiet(func(h *watchtest.History) {
		h.Deny(learned, 1, "3 lambda 111122220003/app calls RunInstances x40 ends denied_by_org_policy")
	})
	// denied by permissions: another sign's
	quiet(func(h *watchtest.History) {
		h.Deny(learned, 36, "2:05 lambda 111122220003/app calls StopLogging,CreateUser,LeaveOrganization x12")
	})
	// a policy is rolled out
	explained("rollout", func(h *watchtest.History) {
		for a := range 6 {
			h.Deny(learned, 40, fmt.Sprintf("%d:05 lambda %d/app calls PutBucketAcl x20 ends denied_by_org_policy in %d", 2+a/2, 111122220000+a, 111122220000+a))
		}
	})
	explained("policy", func(h *watchtest.History) {
		h.On(learned, "1 person_cli admin policy p-0123 op AttachPolicy service organizations.amazonaws.com")
		h.Deny(learned, 40, "2:05 lambda 111122220003/app calls PutBucketAcl x20 ends denied_by_org_policy")
	})
}

func TestLearning(t *testing.T) {
	h := guarded()
	line := "2:05 lambda 111122220003/app calls StopLogging,CreateUser,LeaveOrganization,DisableKey x12 ends denied_by_org_policy"
	h.Deny(3, 36, line)
	s := New(Options{})
	h.Learn(s, 0, 3)
	for _, a := range h.Judge(s, 3) {
		if a.Mature {
			t.Errorf("alerted on after three days: %s", a.Tell().Title)
		}
	}
	h = guarded()
	s = New(Options{})
	h.Learn(s, 0, learned-10)
	var scores []float64
	for d := learned - 10; d < learned; d++ {
		h.Deny(d, 36, line)
		best := 0.0
		for _, a := range h.Judge(s, d) {
			best = max(best, a.Score)
		}
		scores = append(scores, best)
		c := s.Clone()
		c.Learn(h.Day(d))
		s = c
	}
	if scores[0] < 6 || scores[9] > scores[0]-3 {
		t.Errorf("day by day %.1f", scores)
	}
	if per := s.Bytes() / len(h.Names().Actors); per > 2048 {
		t.Errorf("%d bytes an actor", per)
	}
}

// TestOnce: a call that names two resources is one, and a run that goes over the
// end of an hour is told whole.
func TestOnce(t *testing.T) {
	h := guarded()
	h.Deny(learned, 40, "2:42 lambda 111122220003/app calls StopLogging,CreateUser,DisableKey x12 ends denied_by_org_policy")
	for _, hour := range h.Day(learned).Hours {
		for _, a := range slices.Clone(hour.Acts) {
			if a.Sort == watch.ActOrgDenied {
				a.Resource += "/other"
				hour.Acts = append(hour.Acts, a)
			}
		}
	}
	s := New(Options{})
	h.Learn(s, 0, learned)
	alarms := h.Judge(s, learned)
	if len(alarms) == 0 {
		t.Fatal("nothing was said")
	}
	text, all := alarms[len(alarms)-1].Tell().Reasons[0].Text.String(), int64(0)
	for _, a := range alarms {
		all += a.Count
	}
	if all > 12 || !strings.Contains(text, "12 times") || !strings.Contains(text, "StopLogging") || !strings.Contains(text, "DisableKey") || !strings.Contains(text, "CreateUser") {
		t.Errorf("count %d: %s", all, text)
	}
}

// TestOfAWS: what Google Cloud and Azure refuse is detect/denials' business, under
// whatever name its service goes.
func TestOfAWS(t *testing.T) {
	for service, want := range map[string]bool{
		"ec2.amazonaws.com": true, "compute.googleapis.com": false, "microsoft.network": false, "microsoft.authorization": false, "datadog.monitor": false,
	} {
		h := guarded()
		h.Deny(learned, 36, "2:05 lambda 111122220003/app calls StopLogging,CreateUser,LeaveOrganization,DisableKey x12 service "+service+" ends denied_by_org_policy")
		s := New(Options{})
		h.Learn(s, 0, learned)
		alarms := h.Judge(s, learned)
		if got := len(alarms) > 0; got != want {
			t.Errorf("%s: %d alarms", service, len(alarms))
		}
	}
}

// TestForgets: what a principal was denied is forgotten with time, the oldest
// first where there is too much of it.
func TestForgets(t *testing.T) {
	h := guarded()
	h.Deny(0, 5, "2:05 lambda 111122220003/app calls StopLogging x1 ends denied_by_org_policy")
	s := New(Options{}).(*sign)
	w := principal{actor: h.Actor("111122220003/app")}
	had := func() bool {
		return slices.ContainsFunc(s.own[w], func(c call) bool { return c.key == key("StopLogging", "eu-west-1") })
	}
	h.Learn(s, 0, 20)
	if !had() {
		t.Errorf("not known after 20 days: %v", s.own[w])
	}
	h.Learn(s, 20, forgetDays+2)
	if had() {
		t.Error("known for ever")
	}
	var many []call
	for i := range 2 * maxKnown {
		many = append(many, call{key: uint64(i * 2654435761), last: int32(i)})
	}
	kept := latest(many)
	if len(kept) != maxKnown || slices.ContainsFunc(kept, func(c call) bool { return c.last < maxKnown }) {
		t.Errorf("%d kept, not the latest", len(kept))
	}
}

// TestNoLog: a day without any log teaches nothing.
func TestNoLog(t *testing.T) {
	h := guarded()
	s := New(Options{}).(*sign)
	h.Learn(s, 0, learned)
	s.Learn(h.Day(learned + 5))
	if s.volume.Days() != learned || s.account.Days() != learned {
		t.Errorf("%d and %d days", s.volume.Days(), s.account.Days())
	}
}

// TestCalibration: with nothing but chance, there are as many alarms as scores
// promise.
func TestCalibration(t *testing.T) {
	h := watchtest.New("2026-03-02")
	rng := rand.New(rand.NewPCG(9, 9))
	const roles, days, from = 60, 60, 14
	for a := range roles {
		h.Every(days, fmt.Sprintf("0-23 lambda app%d reads prod/app%d/s x3", a, a))
	}
	for d := range days {
		for a := range roles {
			if rng.Float64() < 0.05*float64(a)/roles {
				n := 1
				for rng.Float64() < 0.5 {
					n++
				}
				h.Deny(d, min(2*n, 50), fmt.Sprintf("%d lambda app%d calls Op%d x%d ends denied_by_org_policy", rng.IntN(24), a, rng.IntN(3), n))
			}
		}
	}
	h.Calibrated(t, New(Options{}), from, days, len(h.Names().Secrets))
}
