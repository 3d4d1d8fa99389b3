package finding

import (
	"time"

	"github.com/yagura-sec/yagura/say"
)

// Signs of anomalies. The kind of a finding is "anomaly." and the sign.
const (
	SignFrequency = "frequency"
	SignTime      = "time"
	SignCaller    = "caller"
	SignGroup     = "group"
	SignFailures  = "failures"
	SignView      = "view"
	SignRegion    = "region"
	SignDenials   = "denials" // a run of denials by organisation policy
)

// Signs are all signs.
var Signs = []string{SignFrequency, SignTime, SignCaller, SignGroup, SignFailures, SignView, SignRegion, SignDenials}

// Anomaly is what the finding of an anomaly says in numbers, beside its reasons.
type Anomaly struct {
	Sign string `json:"sign"`
	// Score is -log10 of the chance of seeing this, or more, under the usual
	// pattern.
	Score float64 `json:"score"`
	// Rate is how many alerts as striking as this are expected by chance, a day
	// and 1,000 secrets and keys: what an alert budget is compared with. Runs of
	// denials, which are of no secret, have 0 where they are judged by project,
	// policy and caller; of those of AWS's principals it is their share of that
	// budget.
	Rate float64 `json:"rate"`
	// Budget is the smallest alert budget that has room for it.
	Budget float64 `json:"budget"`
	// Person is the session or user name where a person acted.
	Person string `json:"person,omitempty"`
	// Resources are the secrets and keys concerned where they are several, at
	// most 50.
	Resources []string `json:"resources,omitempty"`
	// Days and Calls are what the judgement rests on.
	Days  int   `json:"days"`
	Calls int64 `json:"calls"`
	// Series is what to draw: what was seen beside what is usual.
	Series []Point `json:"series,omitempty"`
	// Unseen says in words what was not there to judge from.
	Unseen []say.Text `json:"unseen,omitempty"`
}

// Point is one value of a series with what is usual. Low and High hold 95 % of
// what is usual.
type Point struct {
	Time     time.Time `json:"time"`
	Seen     float64   `json:"seen"`
	Expected float64   `json:"expected"`
	Low      float64   `json:"low"`
	High     float64   `json:"high"`
}

// Note is what a hunter keeps of a UTC day because events do not last: replaced
// with the next hunt of that day.
type Note struct {
	Day  time.Time
	Body []byte
}
