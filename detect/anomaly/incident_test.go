package anomaly

import (
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/frequency"
	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// alarmOf is what a sign says of a role and secrets.
func alarmOf(sign, class string, actor int32, score float64, secrets ...int32) watch.Alarm {
	return watch.Alarm{Sign: sign, Class: class, Secret: -1, Secrets: secrets, Actor: actor, Account: -1, Score: score, Trials: 1, Mature: true}
}

// TestPiece: that a set was read in part is not told where another sign tells more
// of the same principal, earlier on the day or in the hour, at the same budget.
func TestPiece(t *testing.T) {
	part := alarmOf(finding.SignGroup, "group/stranger", 0, 6, 0)
	f := func(other watch.Alarm, later time.Duration, told bool) {
		t.Helper()
		h := New((&lakeOf{}).options())
		m := h.newModelOf(start, nil)
		m.names.actor("a")
		m.names.actor("b")
		m.names.secret(secretBase + "db")
		m.names.secret(secretBase + "mq")
		x := &teller{h: h, since: start, budget: 20}
		x.alarm(m, &watch.Hour{Start: start.Add(2 * time.Hour)}, &other)
		a := part
		x.alarm(m, &watch.Hour{Start: start.Add(2*time.Hour + later)}, &a)
		got := false
		for i := range x.out {
			got = got || x.out[i].Anomaly.Sign == finding.SignGroup
		}
		if got != told {
			t.Errorf("beside %s of %v: told %v", other.Sign, other.Secrets, got)
		}
	}
	caller := finding.SignCaller
	f(alarmOf(caller, caller, 0, 7, 0, 1), 0, false)
	f(alarmOf(caller, caller, 0, 7, 1), 3*time.Hour, false) // of another secret, earlier
	f(alarmOf(caller, caller, 0, 7, 1), -time.Hour, true)   // that is not known yet
	f(alarmOf(caller, caller, 0, 7, 0), 0, true)            // of that secret only: the set is the news
	f(alarmOf(caller, caller, 1, 7, 0, 1), 0, true)         // somebody else
	f(alarmOf(caller, caller, 0, 5, 0, 1), 0, true)         // less striking: not told at every budget
	f(alarmOf(finding.SignFrequency, frequency.ClassSweep, 0, 7, 0, 1), 0, false)
	f(alarmOf(finding.SignFrequency, frequency.ClassHour, 0, 7, 0, 1), 0, true)
	f(alarmOf(finding.SignRegion, finding.SignRegion, 0, 7, 0), 0, false) // from elsewhere
	accounted := alarmOf(caller, caller, 0, 7, 0, 1)
	accounted.Context = []finding.Explanation{{Kind: "context", ID: "built"}}
	f(accounted, 0, true)
}

// TestLate: an alarm of the hour before is told in the hour that it is known in,
// and its evidence is looked for where it is.
func TestLate(t *testing.T) {
	h := New((&lakeOf{}).options())
	m := h.newModelOf(start, nil)
	m.names.actor("a")
	m.names.secret(secretBase + "db")
	x := &teller{h: h, since: start, budget: 20}
	hour := start.Add(2 * time.Hour)
	a := alarmOf(finding.SignGroup, "group/part", 0, 6, 0)
	a.Late, a.First, a.Last = true, hour.Add(-5*time.Minute), hour.Add(-4*time.Minute)
	x.alarm(m, &watch.Hour{Start: hour}, &a)
	if len(x.out) != 1 || !x.out[0].FirstSeen.Equal(hour) || !x.out[0].LastSeen.Equal(hour) {
		t.Fatalf("%+v", x.out)
	}
	if p := x.open[0]; !p.since.Equal(a.First) || !p.until.Equal(hour) {
		t.Errorf("evidence from %s to %s", p.since, p.until)
	}
}
