package evaluate

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Judged is a label with what was said of it.
type Judged struct {
	*Label
	// Needs is the smallest budget at which an alert of its kind tells of it,
	// AnyKind one of whatever kind, Explained one of its kind that is explained.
	// They are infinite where there is none.
	Needs, AnyKind, Explained float64
	// AnyExplained is Explained of whatever kind.
	AnyExplained float64
	// Both is Needs for an alert that is of its principal or person and of its
	// secret, as far as it names them.
	Both float64
	hits []hit // of its kind, unexplained, by time
}

type hit struct {
	needs float64
	delay time.Duration
}

// Alert is a finding: the sightings of one key.
type Alert struct {
	Key, Sign, Title string
	First            time.Time
	// Needs is the smallest budget at which it is an alert that nothing explains;
	// True the same for what is trouble of its kind, Near for what is trouble of
	// any kind, Like for what looks like trouble and is none. Explained is where
	// it is an alert that is explained, Context where the log alone explains it.
	Needs, True, Near, Like, Explained, Context float64
	trueBy                                      [4]float64 // True, by the difficulty of the label
	Labels                                      []string   // ids that it matches, of whatever kind
}

// Verdict is what a method said of one world.
type Verdict struct {
	World  World
	Labels []Judged
	Alerts []Alert // from World.From on
	// Early are alerts before World.From, at the loosest budget.
	Early int
	early []float64 // what each of them needs
}

var never = math.Inf(1)

// Judge holds sightings against labels.
func Judge(w World, labels []Label, sightings []Sighting) Verdict {
	v := Verdict{World: w}
	matchers := make([]*matcher, len(labels))
	for i := range labels {
		matchers[i] = newMatcher(&labels[i])
		v.Labels = append(v.Labels, Judged{Label: &labels[i], Needs: never, AnyKind: never, Explained: never, AnyExplained: never, Both: never})
	}
	at := byDay(matchers)
	alerts := map[string]*Alert{}
	early := map[string]float64{}
	for i := range sightings {
		s := &sightings[i]
		if s.First.Before(w.From) {
			if s.Needs <= Loosest && s.Explained == "" {
				if had, ok := early[s.Key]; !ok || s.Needs < had {
					early[s.Key] = s.Needs
				}
			}
			continue
		}
		a := alerts[s.Key]
		if a == nil {
			a = &Alert{Key: s.Key, Sign: s.Sign, Title: s.Title, First: s.First, Needs: never, True: never, Near: never, Like: never, Explained: never, Context: never,
				trueBy: [4]float64{never, never, never, never}}
			alerts[s.Key] = a
		}
		a.add(s, v.hold(s, at.labels(s), matchers))
	}
	for _, a := range alerts {
		slices.Sort(a.Labels)
		a.Labels = slices.Compact(a.Labels)
		v.Alerts = append(v.Alerts, *a)
	}
	slices.SortFunc(v.Alerts, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.Needs, b.Needs), a.First.Compare(b.First), cmp.Compare(a.Key, b.Key))
	})
	v.Early, v.early = len(early), slices.Sorted(maps.Values(early))
	return v
}

// days are which labels concern a UTC day, with a day's slack.
type days map[int64][]int

func byDay(matchers []*matcher) days {
	d := days{}
	for i, m := range matchers {
		for day := m.from.Unix() / 86400; day <= m.until.Unix()/86400; day++ {
			d[day] = append(d[day], i)
		}
	}
	return d
}

func (d days) labels(s *Sighting) []int {
	first, last := s.First.Unix()/86400, s.Last.Unix()/86400
	if first == last {
		return d[first]
	}
	var out []int
	for day := first; day <= last; day++ {
		out = append(out, d[day]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// match is what a sighting is about.
type match struct {
	kind, near, like bool
	difficulty       [4]bool
	labels           []string
}

// hold holds a sighting against labels, and tells them of it.
func (v *Verdict) hold(s *Sighting, candidates []int, matchers []*matcher) (found match) {
	var about []int
	for _, i := range candidates {
		if matchers[i].about(s) {
			about = append(about, i)
			l := v.Labels[i].Label
			found.labels = append(found.labels, l.ID)
			if l.Benign {
				found.like = true
				continue
			}
			found.near = true
			if matchers[i].kind(s.Sign) {
				found.kind = true
				found.difficulty[min(max(l.Difficulty, 0), 3)] = true
			}
		}
	}
	for _, i := range about {
		l := &v.Labels[i]
		if l.Benign && found.kind {
			continue // the alarm is about trouble of its kind that happens at the same time
		}
		ofKind := matchers[i].kind(s.Sign)
		l.told(s, ofKind)
		if ofKind && s.Explained == "" && matchers[i].both(s) {
			l.Both = min(l.Both, s.Needs)
		}
	}
	return found
}

func (l *Judged) told(s *Sighting, ofKind bool) {
	if s.Explained != "" {
		l.AnyExplained = min(l.AnyExplained, s.Needs)
		if ofKind {
			l.Explained = min(l.Explained, s.Needs)
		}
		return
	}
	l.AnyKind = min(l.AnyKind, s.Needs)
	if ofKind {
		l.Needs = min(l.Needs, s.Needs)
		l.hits = append(l.hits, hit{s.Needs, max(0, s.Known.Sub(l.Start))})
	}
}

// delay is how long after its start the label was told of at a budget.
func (l *Judged) delay(budget float64) (time.Duration, bool) {
	best, ok := time.Duration(0), false
	for _, h := range l.hits {
		if h.needs <= budget && (!ok || h.delay < best) {
			best, ok = h.delay, true
		}
	}
	return best, ok
}

func (a *Alert) add(s *Sighting, m match) {
	if s.First.Before(a.First) {
		a.First = s.First
	}
	a.Labels = append(a.Labels, m.labels...)
	if s.Explained != "" {
		a.Explained = min(a.Explained, s.Needs)
		if !explainedBy(s.Explained, "calendar") && !explainedBy(s.Explained, "window") {
			a.Context = min(a.Context, s.Needs)
		}
		return
	}
	if s.Needs < a.Needs {
		a.Needs, a.Title = s.Needs, s.Title
	}
	if m.kind {
		a.True = min(a.True, s.Needs)
		for d, yes := range m.difficulty {
			if yes {
				a.trueBy[d] = min(a.trueBy[d], s.Needs)
			}
		}
	}
	if m.near {
		a.Near = min(a.Near, s.Needs)
	} else if m.like {
		a.Like = min(a.Like, s.Needs)
	}
}
