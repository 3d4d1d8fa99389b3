package timing

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
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
		what := fmt.Sprintf("made %d calls that change something", told.writes)
		if len(told.secrets) > 0 {
			what = "read " + names.Secrets[told.secrets[0]].Name
			if n := len(told.secrets); n > 1 {
				what = fmt.Sprintf("read %s and %d more secrets", names.Secrets[told.secrets[0]].Name, n-1)
			}
		}
		usual := learned.said(&density)
		zone := time.FixedZone("", int(learned.offset)*3600)
		text := fmt.Sprintf("%s %s at %s UTC (about %s where they work); on %d days they were active in %d hours, nine in ten of them %s; hours as rare as this hold %s of their pattern",
			told.person, what, told.first.UTC().Format("15:04"), told.first.In(zone).Format("Mon 15:04"), learned.on, learned.seen, usual, percent(told.score))
		reasons := []finding.Reason{{Kind: "time", Text: text, Observed: told.first.UTC().Format("15:04"), Expected: usual}}
		if free {
			reasons = append(reasons, finding.Reason{Kind: "holiday", Text: "hardly anybody of the same place works on this day: it is judged as a day off"})
		}
		if told.new {
			reasons = append(reasons, finding.Reason{Kind: "network", Text: "the calls came from a network that is new to " + told.person, Observed: strings.Join(told.best.Networks, ", ")})
		}
		return watch.Told{
			Title:   fmt.Sprintf("%s %s at an hour that is not theirs", told.person, what),
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
			Next:   []string{search(watch.PersonQuery(told.person), t), "ask " + told.person + " whether it was them"},
			Attack: []string{"T1078.004", "T1555.006"},
		}
	}
	return a
}

// said says in which hours nine tenths of the activity lie: "08-19 h UTC on
// working days".
func (h *hours) said(d *density) string {
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
	var parts []string
	for c, name := range []string{"on working days", "on days off"} {
		if spans := spans(&on[c]); spans != "" {
			parts = append(parts, spans+" h UTC "+name)
		}
	}
	return strings.Join(parts, " and ")
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

func (h *hours) unseen() []string {
	var out []string
	if h.days[1] < 4 {
		out = append(out, fmt.Sprintf("more than %.0f days off", math.Round(float64(h.days[1]))))
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
