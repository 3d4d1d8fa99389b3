package advise

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/cost/price"
	"github.com/yagura-sec/yagura/say"
)

// SelfService is the name under which the operator's price file says what this
// program's own disk and processors cost: items disk and cpu, in any region.
const SelfService = "Yagura"

// Items of SelfService.
const (
	selfDisk = "disk" // a gigabyte (2^30 bytes) for a month
	selfCPU  = "cpu"  // an hour of one processor
)

// Running is what this program takes, as measured.
type Running struct {
	Bytes  int64         // of its data directory
	Events int64         // that it keeps
	CPU    time.Duration // that its process took since it began; 0: not measured
	Up     time.Duration // since it began
}

// Self is what this program costs and what it found to save.
type Self struct {
	Month    *decimal.Decimal // of 30 days; nil: no price is known for what it takes
	Found    *decimal.Decimal // actionable in such a month; nil: nothing was judged, or in another currency
	Currency string
	Said     []say.Text
}

// SelfOf says what the program takes, what that costs by the operator's own prices,
// and what it found to save. Without prices the cost is not known, and that is said.
func SelfOf(r Running, prices *price.List, all []cost.Advice, now time.Time) (s Self) {
	gigabytes := decimal.NewFromInt(r.Bytes).DivRound(decimal.NewFromInt(1<<30), 3)
	s.Said = append(s.Said, say.T("advice.self.takes", say.Values{"gigabytes": gigabytes.String(), "events": r.Events}))
	disk, known := prices.Find(SelfService, SelfService, selfDisk, anyRegion, now)
	if known {
		month := disk.Of(gigabytes)
		s.Month, s.Currency = &month, disk.Currency
		if cpu, ok := prices.Find(SelfService, SelfService, selfCPU, anyRegion, now); ok && cpu.Currency == disk.Currency && r.Up > 0 {
			hours := decimal.NewFromFloat(r.CPU.Hours() / r.Up.Hours() * month24).Round(1)
			month = month.Add(cpu.Of(hours))
			s.Said = append(s.Said, say.T("advice.self.cpu", say.Values{"hours": hours.String()}))
		}
		s.Said = append(s.Said, say.T("advice.self.costs", say.Values{"amount": say.Money(month, s.Currency)}))
	} else {
		s.Said = append(s.Said, say.T("advice.self.unknown", nil))
	}
	if found, currency, ok := actionable(all); ok && (s.Currency == "" || s.Currency == currency) {
		s.Found, s.Currency = &found, currency
		s.Said = append(s.Said, say.T("advice.self.found", say.Values{"amount": say.Saving(found, currency)}))
	}
	return s
}

const (
	anyRegion = "here"     // prices of one's own are not by region: "*" holds
	month24   = month * 24 // hours
)

// actionable is what advice saves that is to be taken, in the currency of the first.
func actionable(all []cost.Advice) (sum decimal.Decimal, currency string, ok bool) {
	for _, a := range all {
		if a.Verdict != cost.Change || a.Kind == cost.AboutExclusion || currency != "" && a.Currency != currency {
			continue
		}
		sum, currency, ok = sum.Add(a.Saving), a.Currency, true
	}
	return sum, currency, ok
}
