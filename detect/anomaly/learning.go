package anomaly

import (
	"slices"
	"time"

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

// gate is what a sign wants to have seen of a secret or principal: days on which
// it was used, or since when it is known, and calls.
type gate struct {
	principals bool
	days       int
	active     bool // days with calls, not days since the first
	calls      int64
}

// gates are about what the signs ask for themselves, each in its own way.
var gates = map[string]gate{
	finding.SignFrequency: {days: 7},
	finding.SignTime:      {principals: true, days: 5, active: true, calls: 20},
	finding.SignCaller:    {days: 7, calls: 30},
	finding.SignGroup:     {days: 5, active: true, calls: 20},
	finding.SignFailures:  {principals: true, days: 7},
	finding.SignView:      {days: 14, calls: 30},
	finding.SignRegion:    {days: 7, calls: 30},
	finding.SignDenials:   {principals: true},
}

// State is what a hunter knew after its latest hunt.
type State struct {
	Maturity    []Maturity    `json:"maturity"`
	Calibration []Calibration `json:"calibration"`
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
				m.count(&list[i], g, past.day)
			}
		}
		out = append(out, m)
	}
	return out
}

func (m *Maturity) count(p *past, g gate, today int32) {
	if p.days == 0 {
		return
	}
	days := int(today - p.first + 1)
	if g.active {
		days = int(p.days)
	}
	m.Missing = min(m.Missing, max(g.days-days, 0))
	if days >= g.days && int64(p.calls) >= g.calls {
		m.Learned++
	} else {
		m.Learning++
	}
}

// Bytes is about how much memory takes what was learned, by sign, and how many
// secrets and keys there are.
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
	return bySign, len(h.m.names.Secrets)
}

// past is how long and how often something was used.
type past struct {
	first int32 // day
	last  int32
	days  uint16 // with calls
	calls uint32
}

func (p *past) add(day int32, calls int64) {
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
	day             int32 // the last one
	secrets, actors []past
}

func (h *history) clone() *history {
	return &history{h.day, slices.Clone(h.secrets), slices.Clone(h.actors)}
}

// used is how many secrets and keys were ever used.
func (h *history) used() int {
	n := 0
	for i := range h.secrets {
		if h.secrets[i].days > 0 {
			n++
		}
	}
	return n
}

func (h *history) learn(d *watch.Day) {
	h.day = int32(d.Start.Unix() / int64(oneDay/time.Second))
	h.secrets = grown(h.secrets, len(d.Names.Secrets))
	h.actors = grown(h.actors, len(d.Names.Actors))
	for _, hour := range d.Hours {
		if hour == nil {
			continue
		}
		for i := range hour.Uses {
			if u := &hour.Uses[i]; !denied(u.Outcome) {
				h.secrets[u.Secret].add(h.day, u.Count)
			}
		}
		for i := range hour.Calls {
			h.actors[hour.Calls[i].Actor].add(h.day, hour.Calls[i].Count)
		}
	}
}

func grown(list []past, n int) []past {
	if n > len(list) {
		list = append(list, make([]past, n-len(list))...)
	}
	return list
}
