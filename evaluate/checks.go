package evaluate

import (
	"fmt"
	"math"
	"sort"
)

// Check is one of the scoring itself: what is known beforehand, and came.
type Check struct {
	Name string `json:"name"`
	Want Number `json:"want"`
	// Slack is how far Got may be from Want: 0 for what is certain, five standard
	// deviations for what is drawn.
	Slack Number `json:"slack"`
	Got   Number `json:"got"`
	OK    bool   `json:"ok"`
}

// Controlled is how much of the trouble in a world chance was to find, and found.
type Controlled struct{ want, variance, got float64 }

// Control counts how much of all trouble chance is to find, from how often it drew
// and how much of the history is about each label, and how much it found: v is the
// verdict on what it drew.
func Control(h *History, w *World, labels []Label, drawn []Sighting, v *Verdict) (c Controlled) {
	draws := map[string]int{}
	for i := range drawn {
		draws[drawn[i].Sign]++
	}
	first := h.after(w.From)
	from := sort.Search(len(h.rows), func(i int) bool { return h.rows[i].hour >= first })
	live := float64(len(h.rows) - from)
	for i := range labels {
		if labels[i].Benign {
			continue
		}
		m := newMatcher(&labels[i])
		n := 0
		for sign, k := range draws {
			if m.kind(sign) {
				n += k
			}
		}
		if live == 0 || n == 0 {
			continue
		}
		// The chance that none of n draws is about the label.
		p := 1 - math.Pow(1-h.about(m, from)/live, float64(n))
		c.want += p
		c.variance += p * (1 - p)
	}
	for i := range v.Labels {
		if l := &v.Labels[i]; !l.Benign && min(l.Needs, l.Explained) < never {
			c.got++
		}
	}
	return c
}

// about is how many rows from one on are about a label.
func (h *History) about(m *matcher, from int) (n float64) {
	type who struct{ secret, actor int32 }
	known := map[who]bool{}
	first, last := h.after(m.from)-1, h.after(m.until)
	for i := from + sort.Search(len(h.rows)-from, func(i int) bool { return h.rows[from+i].hour >= first }); i < len(h.rows) && h.rows[i].hour <= last; i++ {
		u := &h.rows[i]
		s := h.sighting("", u.secret, u.actor, u.hour, 0)
		if s.First.After(m.until) || s.Last.Before(m.from) {
			continue
		}
		k := who{u.secret, u.actor}
		yes, ok := known[k]
		if !ok {
			yes = m.about(&s)
			known[k] = yes
		}
		if yes {
			n++
		}
	}
	return n
}

// checks hold the oracle to all that is asked of it, and chance to its rate.
func checks(outcomes []Outcome) (out []Check) {
	add := func(name string, want, slack, got float64) {
		out = append(out, Check{name, Number(want), Number(slack), Number(got), math.Abs(got-want) <= slack})
	}
	var told []Verdict
	var c Controlled
	for _, o := range outcomes {
		for i, m := range Methods() {
			if m.Told && i < len(o.Methods) {
				told = append(told, o.Methods[i])
			}
		}
		c.want, c.variance, c.got = c.want+o.Control.want, c.variance+o.Control.variance, c.got+o.Control.got
	}
	if len(told) == 0 {
		return nil
	}
	s := Score(told)
	for _, kind := range kindsOf(told) {
		if k := s.Kinds[kind]; k.ByDifficulty[All].Labels > 0 {
			add(fmt.Sprintf("oracle: recall of %s, all difficulties", kind), 1, 0, k.ByDifficulty[All].Recall.At(1))
			add(fmt.Sprintf("oracle: precision of %s", kind), 1, 0, k.Precision.At(1))
		}
	}
	for _, x := range []Alarmed{s.Lookalikes.Known, s.Lookalikes.Unknown} {
		if x.Labels > 0 {
			add("oracle: look-alikes alarming", 0, 0, x.Unexplained.At(1))
		}
	}
	add("oracle: false alerts", 0, 0, s.False.At(Loosest))
	add("chance: troubles that it comes upon", c.want, 5*math.Sqrt(c.variance)+3, c.got)
	return out
}

// Unsound names the checks that do not hold: then no figure can be trusted.
func (r *Result) Unsound() (names []string) {
	for _, c := range r.Checks {
		if !c.OK {
			names = append(names, fmt.Sprintf("%s is %s, and has to be %s (± %s)", c.Name, short(float64(c.Got)), short(float64(c.Want)), short(float64(c.Slack))))
		}
	}
	return names
}
