package anomaly

import "github.com/yagura-sec/yagura/finding"

// Maturity is how far a sign has learned.
type Maturity struct {
	Sign  string `json:"sign"`
	About string `json:"about"` // "secrets" or "principals"
	// Learned have history enough to be alerted on, Learning not yet.
	Learned  int `json:"learned"`
	Learning int `json:"learning"`
	// Days and Calls are what it takes; Missing is how many days the sign misses
	// of those that it needs, 0 once the first may be alerted on.
	Days    int   `json:"days"`
	Calls   int64 `json:"calls"`
	Missing int   `json:"missing"`
}

// Maturity tells how far each sign has learned.
func (h *Hunter) Maturity() []Maturity {
	var out []Maturity
	for _, s := range finding.Signs {
		out = append(out, Maturity{Sign: s})
	}
	return out
}
