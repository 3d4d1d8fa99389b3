package anomaly

import (
	"slices"
	"time"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
)

// Maturity is how far a sign has learned.
type Maturity struct {
	Sign  string `json:"sign"`
	About string `json:"about"` // what has to be learned: "secrets" or "principals"
	// Learned have history enough to be alerted on, Learning not yet.
	Learned  int `json:"learned"`
	Learning int `json:"learning"`
	// Days and Calls are what it takes. Missing is how many days the one that has
	// learned longest still misses; 0: alerts are given.
	Days    int   `json:"days"`
	Calls   int64 `json:"calls"`
	Missing int   `json:"missing"`
}

// gate is what a sign wants to have seen of a secret or principal.
type gate struct {
	principals bool
	days       int  // since the first use, or of the log
	log        bool // the days are those of the log: what is new is judged by what is usual of all
	on         int  // days with calls
	calls      int64
	// spread: what the sign judges is counted as it is judged, and spread over all
	// secrets.
	spread bool
}

// gates are what the signs ask for themselves: of a set of secrets that is read
// together, a secret of which has 20 reads at least, and so on.
var gates = map[string]gate{
	finding.SignFrequency: {days: 7},
	finding.SignTime:      {principals: true, days: 7, on: 5, calls: 20, spread: true},
	finding.SignCaller:    {days: 7, on: 7, calls: 30},
	finding.SignGroup:     {days: 7, log: true, on: 5, calls: 20, spread: true},
	finding.SignFailures:  {principals: true, days: 7, log: true, spread: true},
	finding.SignView:      {days: 14, on: 7, calls: 30},
	finding.SignRegion:    {days: 7, on: 7, calls: 30},
	finding.SignDenials:   {principals: true, days: 7, log: true, spread: true},
}

// State is what a hunter knew after its latest hunt.
type State struct {
	Maturity    []Maturity    `json:"maturity"`
	Calibration []Calibration `json:"calibration"`
	Drops
}

// State is that of the latest hunt; a hunt under way keeps nobody waiting.
func (h *Hunter) State() State {
	if s := h.state.Load(); s != nil {
		return *s
	}
	return State{Maturity: []Maturity{}, Calibration: []Calibration{}}
}

// keepState takes note of the state after a hunt; h.mu is held.
func (h *Hunter) keepState() {
	s := State{Maturity: h.maturity(), Calibration: []Calibration{}}
	if h.m != nil {
		s.Calibration = append(s.Calibration, h.m.learned.tails.calibration()...)
		s.Drops = h.m.drops()
	}
	h.state.Store(&s)
}

// maturity tells how far each sign has learned; h.mu is held.
func (h *Hunter) maturity() []Maturity {
	var out []Maturity
	for _, sign := range finding.Signs {
		g := gates[sign]
		m := Maturity{Sign: sign, About: "secrets", Days: g.days, Calls: g.calls, Missing: g.days}
		if g.principals {
			m.About = "principals"
		}
		if h.m != nil {
			past := h.m.learned.history
			list := past.secrets
			if g.principals {
				list = past.actors
			}
			for i := range list {
				m.count(&list[i], g, past)
			}
		}
		out = append(out, m)
	}
	return out
}

func (m *Maturity) count(p *past, g gate, h *history) {
	if p.days == 0 {
		return
	}
	m.Missing = min(m.Missing, g.missing(p, h))
	if g.passed(p, h) {
		m.Learned++
	} else {
		m.Learning++
	}
}

// missing is for how many days it takes yet, at the least.
func (g *gate) missing(p *past, h *history) int {
	since := int32(p.first)
	if g.log {
		since = h.first
	}
	return max(g.days-int(h.day-since+1), g.on-int(p.days), 0)
}

func (g *gate) passed(p *past, h *history) bool {
	return g.missing(p, h) == 0 && int64(p.calls) >= g.calls
}

// Bytes is about how much memory takes what was learned, by sign, and as "names"
// what is known of who there is; and how many secrets and keys there are.
func (h *Hunter) Bytes() (bySign map[string]int, secrets int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	bySign = map[string]int{}
	if h.m == nil {
		return bySign, 0
	}
	for _, s := range h.m.learned.signs {
		bySign[s.Name()] += s.Bytes()
	}
	bySign["names"] = h.m.names.size() + h.m.learned.history.bytes()
	return bySign, len(h.m.names.Secrets)
}

// past is how long and how often something was used.
type past struct {
	calls uint32
	first uint16 // day, of 65,536 from 1970 on
	last  uint16
	days  uint16 // with calls
}

func (p *past) add(day uint16, calls int64) {
	if p.days == 0 {
		p.first = day
	}
	if p.days == 0 || p.last != day {
		p.days++
	}
	p.last = day
	p.calls = uint32(min(int64(p.calls)+calls, 1<<32-1))
}

// history is how much was seen of whom.
type history struct {
	first, day      int32 // of the log, and the last one
	secrets, actors []past
}

func (h *history) bytes() int {
	return int(unsafe.Sizeof(past{})) * (cap(h.secrets) + cap(h.actors))
}

func (h *history) clone() *history {
	return &history{h.first, h.day, slices.Clone(h.secrets), slices.Clone(h.actors)}
}

// exposed gives how many secrets and keys a sign could have told of on the day
// that was learned last: those that have history enough, each for the part of the
// day in which something was heard of its account.
func (h *history) exposed(d *watch.Day) func(sign string) int {
	heard := heardOf(d)
	known := map[string]int{}
	return func(sign string) int {
		n, ok := known[sign]
		if !ok {
			n = h.exposedTo(gates[sign], d.Names, heard)
			known[sign] = n
		}
		return n
	}
}

func (h *history) exposedTo(g gate, n *watch.Names, heard map[string]float64) int {
	if g.log && int(h.day-h.first+1) < g.days {
		return 0
	}
	sum := 0.0
	for i := range h.secrets {
		p := &h.secrets[i]
		switch {
		case p.days == 0:
		case g.spread:
			sum++
		case g.passed(p, h):
			part, ok := heard[n.Secrets[i].Account]
			if !ok && n.Secrets[i].Account == "" {
				part = heard[""] // another provider's
			}
			sum += part
		}
	}
	return int(sum + 0.5)
}

// heardOf gives the part of a day in which something was heard, by account; by no
// name, of any.
func heardOf(d *watch.Day) map[string]float64 {
	out := map[string]float64{}
	for _, hour := range d.Hours {
		if hour == nil {
			continue
		}
		now := map[int32]bool{}
		for i := range hour.Calls {
			now[hour.Calls[i].Account] = true
		}
		for a := range now {
			if name := d.Names.Accounts[a]; name != "" {
				out[name]++
			}
		}
		if len(now) > 0 {
			out[""]++
		}
	}
	for name := range out {
		out[name] /= float64(len(d.Hours))
	}
	return out
}

func (h *history) learn(d *watch.Day) {
	if h.day = int32(d.Start.Unix() / int64(oneDay/time.Second)); h.first == 0 {
		h.first = h.day
	}
	h.secrets = grown(h.secrets, len(d.Names.Secrets))
	h.actors = grown(h.actors, len(d.Names.Actors))
	for _, hour := range d.Hours {
		if hour == nil {
			continue
		}
		for i := range hour.Uses {
			if u := &hour.Uses[i]; !denied(u.Outcome) {
				h.secrets[u.Secret].add(uint16(h.day), u.Count)
			}
		}
		for i := range hour.Calls {
			h.actors[hour.Calls[i].Actor].add(uint16(h.day), hour.Calls[i].Count)
		}
	}
}

func grown(list []past, n int) []past {
	if n <= len(list) {
		return list
	}
	if n > cap(list) {
		list = append(make([]past, 0, n+n/16), list...)
	}
	return list[:n]
}
