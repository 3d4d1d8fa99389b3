package timing

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

func (s *sign) personAlarm(day *watch.Day, i int, x *hour, p *person, free bool) watch.Alarm {
	names := day.Names
	a := watch.Alarm{
		Sign: finding.SignTime, Class: ClassPerson, Secret: -1, Secrets: x.secrets, Actor: x.best.Actor, Person: x.person,
		Account: x.best.Account, Region: x.best.Region, Caller: x.best.Caller,
		Score: x.score, Trials: max(s.judged.person, 0.01), First: x.first, Last: x.last, Count: x.reads + x.writes,
		Severity: finding.Medium, Days: int(p.on), Calls: int64(p.seen),
		Where: watch.Where{Person: x.person},
	}
	if len(x.secrets) == 1 {
		a.Secret = x.secrets[0]
	}
	for _, n := range x.secrets {
		a.Where.Secrets = append(a.Where.Secrets, names.Secrets[n].UID)
	}
	density, _ := s.densityOf(p)
	told, learned := *x, p.hours
	t := day.Start.Add(time.Duration(i) * time.Hour)
	a.Tell = func() watch.Told {
		what := say.T("timing.wrote", say.Values{"n": told.writes})
		if n := len(told.secrets); n > 1 {
			what = say.T("timing.read.several", say.Values{"secret": names.Secrets[told.secrets[0]].Name, "n": n - 1})
		} else if n == 1 {
			what = say.T("timing.read", say.Values{"secret": names.Secrets[told.secrets[0]].Name})
		}
		usual := learned.said(&density)
		zone := time.FixedZone("", int(learned.offset)*3600)
		text := say.T("timing.person", say.Values{
			"who": told.person, "what": what, "at": told.first.UTC(), "there": told.first.In(zone), "days": int(learned.on), "hours": int(learned.seen),
			"usual": usual, "share": percent(told.score),
		})
		reasons := []finding.Reason{{Kind: "time", Text: text, Observed: say.Plain(told.first.UTC().Format("15:04")), Expected: usual}}
		if free {
			reasons = append(reasons, finding.Reason{Kind: "holiday", Text: say.T("timing.holiday", nil)})
		}
		if told.new {
			reasons = append(reasons, finding.Reason{Kind: "network", Text: say.T("timing.network", say.Values{"who": told.person}), Observed: say.Plain(strings.Join(told.best.Networks, ", "))})
		}
		return watch.Told{
			Title:   say.T("timing.person.title", say.Values{"who": told.person, "what": what}),
			Reasons: reasons,
			Series: seriesOf(day, i, &learned, &density, func(h *watch.Hour) float64 {
				for j := range h.People {
					if h.People[j].Person == told.person {
						return 1
					}
				}
				return 0
			}),
			Unseen: learned.unseen(),
			Next:   []string{search(watch.ByPerson(told.person), t), say.T("step.ask", say.Values{"person": told.person}).String()},
			Attack: []string{"T1078.004", "T1555.006"},
		}
	}
	return a
}

// said says in which hours nine tenths of the activity lie: "08-19 h UTC on
// working days".
func (h *hours) said(d *density) say.Text {
	var on [2][24]bool
	total := 0.0
	for c := range h.active {
		for i := range h.active[c] {
			total += float64(h.active[c][i].n())
		}
	}
	left := 0.9 * total
	for left > 0 {
		bc, bi, best := -1, 0, float32(0)
		for c := range h.active {
			for i, x := range h.active[c] {
				if rate := x.n() / float32(daysOf[c]); !on[c][i] && rate > best {
					bc, bi, best = c, i, rate
				}
			}
		}
		if bc < 0 {
			break
		}
		on[bc][bi] = true
		left -= float64(h.active[bc][bi].n())
	}
	working, off := spans(&on[0]), spans(&on[1])
	switch {
	case working != "" && off != "":
		return say.T("timing.hours", say.Values{"working": working, "off": off})
	case working != "":
		return say.T("timing.hours.working", say.Values{"hours": working})
	case off != "":
		return say.T("timing.hours.off", say.Values{"hours": off})
	}
	return say.Text{}
}

// spans says which hours are set: "08-12, 13-19", the circle closed.
func spans(on *[24]bool) string {
	start := -1
	for i := range 24 {
		if !on[i] {
			start = i
			break
		}
	}
	if start < 0 {
		return "00-24"
	}
	var out []string
	for k := 0; k < 24; k++ {
		i := (start + k) % 24
		if !on[i] {
			continue
		}
		n := 1
		for on[(i+n)%24] {
			n++
		}
		out = append(out, fmt.Sprintf("%02d-%02d", i, (i+n-1)%24+1))
		k += n - 1
	}
	return strings.Join(out, ", ")
}

func (h *hours) unseen() []say.Text {
	var out []say.Text
	if h.days[1] < 4 {
		out = append(out, say.T("timing.unseen", say.Values{"n": math.Round(float64(h.days[1]))}))
	}
	return out
}

// seriesOf draws the day up to hour i: whether there was activity, and how often
// there is.
func seriesOf(day *watch.Day, i int, l *hours, d *density, seen func(*watch.Hour) float64) []finding.Point {
	var points []finding.Point
	for h := 0; h <= i; h++ {
		if day.Hours[h] == nil {
			continue
		}
		t := day.Start.Add(time.Duration(h) * time.Hour)
		c := class(t, l.offset)
		expected := 0.0
		if l.days[c] > 0 {
			expected = math.Min(1, float64(l.active[c][h].n()/l.days[c]))
		}
		high := 0.0
		if expected > 0.025 {
			high = 1
		}
		low := 0.0
		if expected > 0.975 {
			low = 1
		}
		points = append(points, finding.Point{Time: t, Seen: seen(day.Hours[h]), Expected: math.Round(100*expected) / 100, Low: low, High: high})
	}
	return points
}
