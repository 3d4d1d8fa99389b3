package anomaly

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// TestExposed: a secret counts for what could be told of it. Four secrets, of two
// accounts: one is old, one new, one has only a few reads, and the account of the
// last is silent from the tenth day on.
func TestExposed(t *testing.T) {
	n := newNames()
	n.account("111122223333")
	n.account("444455556666")
	role := n.actor("arn:aws:iam::111122223333:role/app")
	var secrets []int32
	for _, uid := range []string{
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:old", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:new",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:rare", "arn:aws:secretsmanager:eu-west-1:444455556666:secret:away",
	} {
		secrets = append(secrets, n.secret(uid))
	}
	h := &history{}
	day := func(number int) *watch.Day {
		d := &watch.Day{Start: start.Add(time.Duration(number) * oneDay), Names: &n.Names}
		for i := range d.Hours {
			hour := &watch.Hour{Start: d.Start.Add(time.Duration(i) * time.Hour)}
			d.Hours[i] = hour
			if number == 15 && i >= 6 {
				continue // nothing is heard at all
			}
			use := func(secret, account int32) {
				hour.Uses = append(hour.Uses, watch.Use{Secret: secrets[secret], Actor: role, Account: account, Outcome: event.Success, Count: 1})
			}
			hour.Calls = append(hour.Calls, watch.Calls{Actor: role, Account: 0, Count: 1})
			use(0, 0)
			if number >= 9 {
				use(1, 0)
			}
			if i == 0 {
				use(2, 0)
			}
			if number < 10 {
				hour.Calls = append(hour.Calls, watch.Calls{Actor: role, Account: 1, Count: 1})
				use(3, 1)
			}
		}
		h.learn(d)
		return d
	}
	f := func(number int, want map[string]int) {
		t.Helper()
		exposed := h.exposed(day(number))
		for sign, n := range want {
			if got := exposed(sign); got != n {
				t.Errorf("day %d, %s: %d secrets, want %d", number, sign, got, n)
			}
		}
	}
	for number := range 5 {
		day(number)
	}
	f(5, map[string]int{finding.SignFrequency: 0, finding.SignCaller: 0, finding.SignFailures: 0, finding.SignTime: 3})
	f(6, map[string]int{finding.SignFrequency: 3, finding.SignCaller: 2, finding.SignFailures: 3, finding.SignView: 0})
	for number := 7; number < 14; number++ {
		day(number)
	}
	f(14, map[string]int{finding.SignFrequency: 2, finding.SignCaller: 1, finding.SignView: 1, finding.SignDenials: 4})
	f(15, map[string]int{finding.SignFrequency: 1, finding.SignFailures: 4}) // three for a quarter of the day
}

// TestGates: what is shown as learned is what alerts are given on.
func TestGates(t *testing.T) {
	f := func(sign string, first, days uint16, calls uint32, passed bool, missing int) {
		t.Helper()
		h := &history{first: 1000, day: 1013}
		p := &past{first: first, days: days, calls: calls}
		g := gates[sign]
		if got := g.passed(p, h); got != passed || g.missing(p, h) != missing {
			t.Errorf("%s, %d days of calls since %d: passed %v, missing %d", sign, days, first, got, g.missing(p, h))
		}
	}
	f(finding.SignView, 1000, 7, 30, true, 0)
	f(finding.SignView, 1001, 13, 300, false, 1)
	f(finding.SignView, 1000, 6, 300, false, 1)
	f(finding.SignView, 1000, 14, 29, false, 0)
	f(finding.SignDenials, 1013, 1, 1, true, 0) // what is new is judged by what is usual of all
	f(finding.SignFailures, 1013, 1, 1, true, 0)
	f(finding.SignFrequency, 1008, 6, 6, false, 1)
	f(finding.SignTime, 1000, 4, 40, false, 1)
	f(finding.SignGroup, 1012, 2, 40, false, 3)
}
