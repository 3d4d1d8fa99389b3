package configcost

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// World is what world.json says.
type World struct {
	Story    string    `json:"story"`
	Variant  string    `json:"variant"`
	Seed     int64     `json:"seed"`
	Start    time.Time `json:"start"` // of the logs
	End      time.Time `json:"end"`   // not included
	Ordinary int       `json:"records"`
	Told     int       `json:"story_records"`
	Rows     int       `json:"bill_rows"`
	Counted  time.Time `json:"counted_from"` // thirty days of items, to the end of the bills
	Accounts []Account `json:"accounts"`
	Truth    Truth     `json:"truth"`
}

// Account is one of the six.
type Account struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	ControlTower    bool   `json:"control_tower"`    // it is governed
	Recorder        string `json:"recorder"`         // of AWS Config
	FirewallManager bool   `json:"firewall_manager"` // it is administered, and policies apply
}

// Truth is what there is to be found.
type Truth struct {
	Account   string `json:"account"` // where interfaces come and go
	Network   string `json:"network_account"`
	Service   string `json:"service"` // that restarts, or the schedule's
	Cluster   string `json:"cluster"`
	Creations int    `json:"creations_per_day"`
	Deletions int    `json:"deletions_per_day"`
	Changes   int    `json:"changes_per_day"`

	Loop     bool      `json:"loop"`     // there is one
	Schedule bool      `json:"schedule"` // there is one that starts tasks each minute
	Share    float64   `json:"share"`    // of the creations, by either
	Since    time.Time `json:"since"`
	Life     float64   `json:"life_seconds_median"`

	ControlTower    []string `json:"control_tower"`     // accounts
	Withheld        []string `json:"recorder_not_ours"` // accounts whose recorder nobody may change
	FirewallManager string   `json:"firewall_manager"`

	Counted    bool     `json:"counted"` // items were; else they can be estimated from the logs only
	Advice     []Advice `json:"advice"`
	Total      Amount   `json:"total_saving_month"`
	Actionable Amount   `json:"total_actionable_month"`

	Months []Month `json:"months"`
	Moves  []Moved `json:"moves"`
	Spoilt int     `json:"spoilt_rows"` // of the bills
}

// Advice is what daily recording would save of a type.
type Advice struct {
	Account      string `json:"account"`
	ResourceType string `json:"resource_type"`
	Items        int64  `json:"items"` // in thirty days
	ResourceDays int64  `json:"resource_days"`
	Saving       Amount `json:"saving_month"` // 0 where it cannot be recorded daily
	Verdict      string `json:"verdict"`
}

// Month is what a bill comes to.
type Month struct {
	Month    string  `json:"month"`
	Currency string  `json:"currency"`
	Total    Amount  `json:"total"` // without tax, credits and refunds
	Security Amount  `json:"security"`
	Tax      Amount  `json:"tax"`
	Credit   Amount  `json:"credit"`
	Refund   Amount  `json:"refund"`
	Services []Share `json:"services"`
}

// Share is what a security service costs an account.
type Share struct {
	Service string `json:"service"`
	Account string `json:"account"`
	Amount  Amount `json:"amount"`
}

// Moved is a cost that another service bills than in the month before.
type Moved struct {
	Account string `json:"account"`
	Month   string `json:"month"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// Prices of AWS Config, of an item.
const (
	continuous = whole * 3 / 1000
	daily      = whole * 12 / 1000
)

// advise is what there is to say of a type: whether it would be cheaper daily, and
// who stands against it.
func (w *world) advise(c typeCount) Advice {
	a := Advice{Account: c.account.id, ResourceType: c.kind, Items: c.items, ResourceDays: c.resourceDays, Verdict: "keep"}
	if c.kind == compliance {
		a.Verdict = "cannot"
		return a
	}
	a.Saving = units(c.items).times(continuous) - units(c.resourceDays).times(daily)
	switch {
	case a.Saving <= 0:
	case w.withheld(c.account):
		a.Verdict = "not_advised"
	case w.Variant == FirewallManager && c.account == w.firewall: // which needs continuous recording
	default:
		a.Verdict = "change"
	}
	return a
}

// withheld tells whether the recorder of an account is Control Tower's.
func (w *world) withheld(a *account) bool { return a.governed && w.Variant != IntegrationOff }

func (w *world) truth() Truth {
	t := Truth{
		Account: w.churn.id, Network: w.network.id, Service: w.service, Cluster: w.cluster,
		Creations: w.plan.creations, Deletions: w.plan.creations, Changes: 2 * w.plan.creations,
		Loop: w.plan.looping > 0 && w.Variant != Schedule, Schedule: w.Variant == Schedule,
		Share: float64(w.plan.looping) / float64(w.plan.creations), Since: w.since,
		FirewallManager: w.firewall.id, Counted: w.Variant != NoCounts, ControlTower: []string{}, Withheld: []string{}, Moves: []Moved{},
	}
	if t.Loop || t.Schedule {
		var all []time.Duration
		for at := w.start; at.Before(w.end); at = at.Add(day) {
			for _, b := range w.lives(w.makers[0], at) {
				all = append(all, b.end.Sub(b.start))
			}
		}
		t.Life = median(all)
	}
	for _, a := range w.accounts {
		if a.governed {
			t.ControlTower = append(t.ControlTower, a.id)
		}
		if w.withheld(a) {
			t.Withheld = append(t.Withheld, a.id)
		}
	}
	for _, c := range w.plan.counts {
		a := w.advise(c)
		switch a.Verdict {
		case "change":
			t.Total += a.Saving
			t.Actionable += a.Saving
		case "not_advised":
			t.Total += a.Saving
		}
		t.Advice = append(t.Advice, a)
	}
	for _, m := range w.months {
		t.Months = append(t.Months, w.month(m))
	}
	if w.Variant == Move {
		t.Moves = append(t.Moves, Moved{w.churn.id, w.months[2].Format("2006-01"), "Amazon GuardDuty", "AWS Security Hub"})
	}
	if w.Variant == LateRows {
		t.Spoilt = Spoilt
	}
	return t
}

// month sums a month up.
func (w *world) month(at time.Time) Month {
	m := Month{Month: at.Format("2006-01"), Currency: "USD"}
	type key struct{ service, account string }
	shares := map[key]Amount{}
	for _, l := range w.bills {
		if l.day.Before(at) || !l.day.Before(at.AddDate(0, 1, 0)) {
			continue
		}
		switch l.kind {
		case taxLine:
			m.Tax += l.cost
			continue
		case creditLine:
			m.Credit += l.cost
			continue
		case refundLine:
			m.Refund += l.cost
			continue
		}
		m.Total += l.cost
		if name := securityNames[l.product]; name != "" {
			m.Security += l.cost
			shares[key{name, l.account.id}] += l.cost
		}
	}
	for k, n := range shares {
		m.Services = append(m.Services, Share{k.service, k.account, n})
	}
	slices.SortFunc(m.Services, func(a, b Share) int {
		return strings.Compare(a.Service+" "+a.Account, b.Service+" "+b.Account)
	})
	return m
}

// writeTruth writes world.json.
func (w *world) writeTruth(dir string) (Truth, error) {
	out := World{
		Story: "config-cost", Variant: w.Variant, Seed: w.Seed, Start: w.start, End: w.end,
		Ordinary: w.ordinary, Told: w.told, Rows: w.rows, Counted: w.first, Truth: w.truth(),
	}
	for _, a := range w.accounts {
		out.Accounts = append(out.Accounts, Account{a.id, a.name, a.governed, a.recorder, a == w.firewall})
	}
	text, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return out.Truth, err
	}
	return out.Truth, os.WriteFile(filepath.Join(dir, "world.json"), append(text, '\n'), 0o644)
}
