package simulate

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/simulate/estate"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > within {
		t.Errorf("%s: %.4f, want %.4f ± %.4f", what, got, want, within)
	}
}

// Delivery: most within minutes, one in a hundred late, one in a hundred twice,
// and one account silent for hours of which everything comes afterwards.
func TestRatesOfDelivery(t *testing.T) {
	c := Config{Seed: 1, Accounts: 2, Secrets: 10, Days: 6, Calm: true}.withDefaults()
	e := newEngine(c, newBuilder(c).world())
	e.d = &delivery{step: 3600}
	a := e.accounts[0]
	if a == e.gap.account {
		a = e.accounts[1]
	}
	const n = 40_000
	for i := range n {
		e.emit(call{at: e.from + int64(i)*10, who: a.byClass[service][0], op: &operations[0], in: a.main})
		e.emit(call{at: e.from + int64(i)*10, who: a.byClass[service][0], op: &operations[0], in: e.gap.account.main})
	}
	var delays []float64
	late, again := 0.0, 0.0
	for _, c := range a.main.pending {
		delays = append(delays, float64(c.due-c.at))
		if c.due-c.at > 20*60 {
			late++
		}
		if c.mark&isAgain != 0 {
			again++
		}
	}
	slices.Sort(delays)
	near(t, "median delay", delays[n/2], delayMedian, 10)
	near(t, "later than 20 minutes", late/n, 0.01, 0.002)
	near(t, "delivered again", again/n, shareAgain, 0.002)
	g := e.gap
	near(t, "hours of the gap", float64(g.to-g.from)/3600, gapHours, 0)
	waited := 0
	for _, c := range g.account.main.pending {
		if c.due >= g.from && c.due < g.to {
			t.Fatalf("something is delivered at %d, in the gap", c.due)
		}
		if c.at >= g.from && c.at < g.to && c.due >= g.to {
			waited++
		}
	}
	near(t, "records of the gap that come after it", float64(waited), gapHours*360, 60)
}

// What is done beside reading, in a world where little is read.
func TestRatesOfOperations(t *testing.T) {
	const days = 42
	w := readWorld(t, Config{Seed: 7, Accounts: 4, Secrets: 60, Days: days, Calm: true, scale: 0.02})
	var deploys, rotations, expected, denied, tags, scaled, services float64
	nights := map[string]bool{}
	seen := map[string]time.Time{}
	apps := map[*estate.Team]bool{}
	for _, a := range w.Apps {
		if slices.ContainsFunc(a.Workloads, func(wl *estate.Workload) bool { return wl.From.IsZero() }) {
			apps[a.Team] = true
		}
	}
	burst := map[string][]time.Time{} // reads of a secret
	for i := range w.events {
		e := &w.events[i]
		switch e.APIOperation {
		case "UpdateFunctionCode20150331v2", "UpdateFunctionCode", "RegisterTaskDefinition", "StartInstanceRefresh", "StartPipelineExecution":
			// One deploy is all of an application's programs at once.
			if last := seen[e.AccountUID]; strings.HasSuffix(e.ActorUID, "/ci-deploy") && w.ofWorkload(e) && e.Time.Sub(last) > time.Minute {
				deploys++
				seen[e.AccountUID] = e.Time
			}
		case "RotateSecret":
			if e.ResourceUID != "" && e.ActorUID == "secretsmanager.amazonaws.com" {
				rotations++
			}
		case "TagResource":
			tags++
		case "UpdateService", "RunInstances":
			if strings.Contains(e.ActorUID, "autoscaling") && w.ofWorkload(e) {
				scaled++
			}
		}
		if e.Caller == event.CallerPersonCLI {
			if p := w.byEmail[e.ActorSession]; p != nil && e.Time.In(w.zones[p.Zone]).Hour() < 5 {
				nights[e.Time.In(w.zones[p.Zone]).Format(time.DateOnly)] = true
			}
		}
		if strings.HasSuffix(e.ActorUID, "/"+misconfiguredName) && e.Outcome == event.Denied {
			denied++
		}
		if isRead(e) {
			burst[e.ResourceUID] = append(burst[e.ResourceUID], e.Time)
		}
	}
	workdays := 0.0
	for team := range apps {
		for d := range days {
			if estate.Workday(team.Country, w.Start.AddDate(0, 0, d).Add(12*time.Hour)) {
				workdays++
			}
		}
	}
	near(t, "marked deploys a weekday and team", deploys/workdays, deploysPerDay*(1-deployUnmarked), 0.08)
	for _, s := range w.Secrets {
		if s.Rotates > 0 {
			expected += days / float64(s.Rotates)
		}
	}
	near(t, "rotations", rotations/expected, 1, 0.35)
	near(t, "tag edits a day and 100 secrets", tags/days/float64(len(w.Secrets))*100, tagEditsPerDay*0.65, 0.25) // of secrets, not of parameters
	near(t, "denials of the broken pipeline an hour", denied/days/24, misconfigured*0.02, 0.2)
	near(t, "nights with a page", float64(len(nights)), pagesPerDay*days, 5.5)
	for _, wl := range w.Workloads {
		if wl.App != nil && wl.From.IsZero() && (wl.Class == estate.ECS || wl.Class == estate.EC2) {
			services++
		}
	}
	near(t, "scale-outs a day and service", scaled/days/services, scalesPerDay, 0.12)
	w.checkBursts(t, burst)
}

// ofWorkload tells whether the call names one of the account's programs.
func (w *written) ofWorkload(e *event.Event) bool {
	return slices.ContainsFunc(w.Workloads, func(wl *estate.Workload) bool {
		return wl.App != nil && wl.Account.ID == e.AccountUID && bytes.Contains(e.Raw, []byte(`"`+wl.Name+`"`))
	})
}

// checkBursts holds deploys against how often they read: hours with several
// reads of a secret that is hardly read otherwise.
func (w *written) checkBursts(t *testing.T, reads map[string][]time.Time) {
	t.Helper()
	var sizes []int
	for _, times := range reads {
		for i := 0; i < len(times); {
			k := i
			for k < len(times) && times[k].Sub(times[i]) < 10*time.Minute {
				k++
			}
			if k-i >= deployReadsMin {
				sizes = append(sizes, k-i)
			}
			i = k
		}
	}
	slices.Sort(sizes)
	if len(sizes) < 100 {
		t.Fatalf("%d bursts", len(sizes))
	}
	if most := sizes[len(sizes)*98/100]; most < 30 || most > deployReadsMax+10 {
		t.Errorf("the largest bursts have %d reads, want about %d", most, deployReadsMax)
	}
}

// Everyday reading by programs: twins, errors, the day's shape.
func TestRatesOfUse(t *testing.T) {
	w := live(t, estate.Smooth)
	var reads, twins, slow, lunch, rest float64
	daily := map[string]bool{}
	for _, wl := range w.Workloads {
		for _, r := range wl.Reads {
			if r.Rhythm == estate.Office {
				daily[wl.Role+r.Secret.ARN] = true
			}
		}
	}
	for e := range w.calm {
		s := w.uids[e.ResourceUID]
		switch {
		case e.Twin:
			twins++
		case isRead(e) && s != nil && e.Outcome == event.Throttled:
			slow++
		case isRead(e) && s != nil && s.Sort != estate.SortKey && e.Outcome == event.Success:
			reads++
		}
		wl := w.roles[e.ActorUID]
		if e.Twin || wl == nil || !daily[e.ActorUID+e.ResourceUID] {
			continue
		}
		local := e.Time.In(w.zone(t, wl.App.Team.Zone))
		switch h := local.Hour(); {
		case !estate.Workday(wl.App.Team.Country, local):
		case h == 12:
			lunch++
		case h >= 10 && h <= 16:
			rest++
		}
	}
	near(t, "reads with a record of the key's use", twins/reads, shareTwin, 0.03)
	near(t, "throttled reads", slow/reads, shareThrottled*4, 0.002)
	near(t, "noon against the rest of the day", lunch/(rest/6), office[12], 0.2)
	near(t, "delivered again", float64(w.again)/float64(len(w.events)), shareAgain, 0.003)
}

// calm yields the events of the days before trouble.
func (w *written) calm(yield func(*event.Event) bool) {
	for i := range w.events {
		if e := &w.events[i]; !e.Time.Before(w.TroubleAt) || !yield(e) {
			return
		}
	}
}

func (w *written) zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestRatesOfPeople(t *testing.T) {
	w := live(t, estate.Smooth)
	calls := map[string]float64{} // by person and day
	var console, inner, wrong, all, days, own float64
	for e := range w.calm {
		if s := w.uids[e.ResourceUID]; isRead(e) && s != nil && s.Person {
			own++
		}
		if !strings.Contains(e.ActorUID, "AWSReservedSSO") || e.Twin || e.APIOperation == "ConsoleLogin" || isRead(e) {
			continue
		}
		all++
		calls[e.ActorSession+e.Time.Format(time.DateOnly)]++
		if e.Outcome != event.Success {
			wrong++
		}
		if e.Caller == event.CallerConsole {
			console++
			if e.UserAgent == internal {
				inner++
			}
		}
	}
	for _, s := range w.Secrets {
		for _, p := range s.Readers {
			for at := w.Start; at.Before(w.TroubleAt); at = at.AddDate(0, 0, 1) {
				if w.Presence(p, at.Add(12*time.Hour)).Works {
					days++
				}
			}
		}
	}
	near(t, "calls in the console", console/all, shareConsole, 0.06)
	near(t, "console calls under the agent AWS Internal", inner/console, shareInternal, 0.06)
	near(t, "calls that fail", wrong/all, peopleFailed, 0.012)
	near(t, "calls of a person at work", all/float64(len(calls)), callsPerPerson, 8)
	near(t, "reads of a person's secret a day at work", own/days, personReads, 0.8)
}

// The counts of one family are gamma-Poisson, those of the other are not.
func TestFamilies(t *testing.T) {
	spread := func(f estate.Family) (k []float64, on float64) {
		c := Config{Seed: 2, Accounts: 6, Secrets: 200, Family: f, Calm: true}.withDefaults()
		e := newEngine(c, newBuilder(c).world())
		const hours = 600
		var onHours, switchHours float64
		for _, p := range e.programs {
			for _, fl := range p.flows {
				const level = 20.0
				var sum, square float64
				for h := range int64(hours) {
					n := float64(len(fl.draw(nil, e.from+h*3600, level)))
					sum, square = sum+n, square+n*n
					if fl.way == switching {
						switchHours++
						if fl.off > e.from+h*3600 && fl.on < e.from+(h+1)*3600 {
							onHours++
						}
					}
				}
				mean := sum / hours
				variance := square/hours - mean*mean
				k = append(k, mean*mean/max(variance-mean, 1e-9))
			}
		}
		slices.Sort(k)
		return k, onHours / max(switchHours, 1)
	}
	k, _ := spread(estate.Smooth)
	near(t, "median dispersion", k[len(k)/2], dispersionMedian, 4)
	near(t, "log dispersion, 10th to 90th centile", math.Log(k[len(k)*9/10]/k[len(k)/10]), 2*1.2816*dispersionSigma, 0.7)
	_, on := spread(estate.Bursts)
	near(t, "hours with switching traffic ON", on, onShare*1.6, 0.04) // an ON touches more hours than it lasts
}

func TestRhythms(t *testing.T) {
	e := &engine{from: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Unix()}
	c := e.clock("Asia/Tokyo")
	level := func(r estate.Reading, day, hour int) float64 {
		at := time.Date(2026, 3, day, hour-9, 0, 0, 0, time.UTC).Unix()
		return (&flow{reading: &r}).level(e, c.at(at), at)
	}
	near(t, "a busy hour", level(estate.Reading{Rhythm: estate.Office, Rate: 10}, 4, 10), 10, 0)
	near(t, "a Sunday", level(estate.Reading{Rhythm: estate.Office, Rate: 10}, 8, 10), 1.6, 0)
	near(t, "a holiday", level(estate.Reading{Rhythm: estate.Office, Rate: 10}, 20, 10), 1.6, 0)
	near(t, "by day and night", level(estate.Reading{Rhythm: estate.Flat, Rate: 10}, 8, 3), 10, 0)
	near(t, "the end of the month", level(estate.Reading{Rhythm: estate.Monthly, Rate: 10}, 31, 10), 10*monthEnd, 0)
	near(t, "another day", level(estate.Reading{Rhythm: estate.Monthly, Rate: 10}, 25, 10), 10, 0)
	near(t, "growth in thirty days", level(estate.Reading{Rhythm: estate.Flat, Rate: 10, Growth: 0.2}, 31, 9+24), 12, 0.01)
	step := estate.Reading{Rhythm: estate.Flat, Rate: 10, Step: 2, StepAt: time.Date(2026, 3, 10, 3, 0, 0, 0, time.UTC)}
	near(t, "before a step", level(step, 10, 11), 10, 0)
	near(t, "after it", level(step, 10, 12), 20, 0)
}

// A client that keeps a secret for an hour asks in the same second of it.
func TestCachingClients(t *testing.T) {
	c := Config{Seed: 2, Accounts: 6, Secrets: 100, Family: estate.Bursts, Calm: true}.withDefaults()
	e := newEngine(c, newBuilder(c).world())
	found := 0
	for _, p := range e.programs {
		for _, f := range p.flows {
			if f.way != caching {
				continue
			}
			found++
			for h := range int64(5) {
				hour := e.from + h*3600
				for _, at := range f.draw(nil, hour, 1) {
					if d := (at - hour - f.phase + cacheTTL) % cacheTTL; d > 8 {
						t.Fatalf("a client asks %d s after its cache ended", d)
					}
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d flows of caching clients", found)
	}
}
