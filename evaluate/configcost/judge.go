// Package configcost holds what was said of worlds of a story (simulate/configcost)
// against their truth: what each service costs each account, how much changes and
// what goes round in a loop, what daily recording would save of each type, and whether
// anybody was told to touch what is Control Tower's.
package configcost

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/configcost"
)

// Advised is what `cost advise` says, by the names that scripts read.
type Advised struct {
	Advice     []Advice    `json:"advice"`
	Total      json.Number `json:"total_saving_month"`
	Actionable json.Number `json:"total_actionable_month"`
}

// Advice is one of them.
type Advice struct {
	Account      string          `json:"account"`
	ResourceType string          `json:"resource_type"`
	Kind         string          `json:"kind"`
	Items        int64           `json:"items"`
	ResourceDays int64           `json:"resource_days"`
	Saving       json.Number     `json:"saving_month"`
	Verdict      string          `json:"verdict"`
	Basis        string          `json:"basis"`
	Reason       json.RawMessage `json:"reason"`
	Plan         []string        `json:"plan"`
	Undo         []string        `json:"undo"`
}

// Shares is what `cost shares` says.
type Shares struct {
	Months []Month `json:"months"`
}

// Trend is what `cost trend` says.
type Trend struct {
	Moves []Move `json:"moves"`
}

// Month is a month's bill.
type Month struct {
	Month    string      `json:"month"`
	Currency string      `json:"currency"`
	Total    json.Number `json:"total"`
	Security json.Number `json:"security"`
	Tax      json.Number `json:"tax"`
	Credit   json.Number `json:"credit"`
	Refund   json.Number `json:"refund"`
	Services []struct {
		Service string      `json:"service"`
		Account string      `json:"account"`
		Amount  json.Number `json:"amount"`
	} `json:"services"`
	Missing struct {
		Rows int `json:"rows"`
	} `json:"missing"`
}

// Move is a cost that went from one service to another.
type Move struct {
	Account string `json:"account"`
	Month   string `json:"month"`
	From    string `json:"service"`
	To      string `json:"other"`
}

// Changes is what `cost changes` says of the account of the interfaces.
type Changes struct {
	Days []struct {
		Day       string `json:"day"`
		Operation string `json:"operation"`
		Count     int    `json:"count"`
	} `json:"days"`
	Makers []struct {
		Maker string `json:"maker"`
	} `json:"makers"`
	Loops []struct {
		Service string  `json:"service"`
		Cluster string  `json:"cluster"`
		PerDay  int     `json:"per_day"`
		Share   float64 `json:"share"`
		Life    float64 `json:"life_seconds_median"`
	} `json:"loops"`
	Schedules []struct {
		Maker  string `json:"maker"`
		PerDay int    `json:"per_day"`
	} `json:"schedules"`
	Items struct {
		Types []struct {
			ResourceType string `json:"resource_type"`
			Basis        string `json:"basis"`
			Items        int64  `json:"items"`
			Low          int64  `json:"low"`
			High         int64  `json:"high"`
		} `json:"types"`
	} `json:"items"`
}

// Run is one world and what was said of it.
type Run struct {
	World       configcost.World
	Quarantined int64 // records of the logs that were not read
	Shares      Shares
	Again       Shares // after the same files were imported once more
	Trend       Trend
	Changes     Changes
	Advised     Advised
	Ingest      float64 // seconds
	Import      float64
	Ask         float64 // shares, trend, changes and advice
	Confined    bool    // the kernel kept the truth out of reach
}

// Verdict is a world judged.
type Verdict struct {
	Variant string `json:"variant"`
	Seed    int64  `json:"seed"`
	Records int    `json:"records"`

	Shares   bool `json:"shares"`   // of each service, account and month are those of the bill, to its last digit
	Again    bool `json:"again"`    // the same files a second time change nothing
	Missing  bool `json:"missing"`  // as many rows are said to be missing as are
	Moved    bool `json:"moved"`    // a move is told where there is one, and only there
	Changes  bool `json:"changes"`  // of each day are counted
	Loop     bool `json:"loop"`     // is named with its number, share and life; none is where there is none
	Schedule bool `json:"schedule"` // is named where there is one
	Advice   bool `json:"advice"`   // each type's items, saving and verdict are right
	Totals   bool `json:"totals"`   // of the savings
	Plans    bool `json:"plans"`    // with undo where a change is advised, and nowhere else
	Touched  bool `json:"touched"`  // a plan calls a recorder that is Control Tower's
	Estimate bool `json:"estimate"` // where nothing was counted the truth is within bounds, and said to be estimated

	Wrong  []string `json:"wrong,omitempty"` // what is not as it should be
	Unread int64    `json:"unread"`          // records in quarantine
	Ingest float64  `json:"ingest_seconds"`
	Import float64  `json:"import_seconds"`
	Ask    float64  `json:"ask_seconds"`
}

// Judge holds what was said of a world against its truth.
func Judge(r Run) Verdict {
	j := judge{r, Verdict{Variant: r.World.Variant, Seed: r.World.Seed, Records: r.World.Ordinary, Unread: r.Quarantined, Ingest: r.Ingest, Import: r.Import, Ask: r.Ask}}
	j.v.Shares = j.shares(r.Shares)
	j.v.Again = j.shares(r.Again)
	j.missing()
	j.moved()
	j.changes()
	j.loop()
	j.schedule()
	j.advice()
	j.plans()
	j.estimate()
	return j.v
}

type judge struct {
	Run
	v Verdict
}

func (j *judge) wrong(format string, args ...any) bool {
	if len(j.v.Wrong) < 6 {
		j.v.Wrong = append(j.v.Wrong, fmt.Sprintf(format, args...))
	}
	return false
}

// is tells whether a number of JSON is an amount, exactly.
func is(n json.Number, want configcost.Amount) bool {
	got, ok := new(big.Rat).SetString(string(n))
	must, _ := new(big.Rat).SetString(want.String())
	return ok && got.Cmp(must) == 0
}

func (j *judge) shares(s Shares) bool {
	truth := j.World.Truth.Months
	if len(s.Months) != len(truth) {
		return j.wrong("%d months are told, there are %d", len(s.Months), len(truth))
	}
	for i, want := range truth {
		m := s.Months[i]
		if m.Month != want.Month || m.Currency != want.Currency {
			return j.wrong("month %s %s, want %s %s", m.Month, m.Currency, want.Month, want.Currency)
		}
		for _, x := range []struct {
			what string
			got  json.Number
			want configcost.Amount
		}{{"total", m.Total, want.Total}, {"security", m.Security, want.Security}, {"tax", m.Tax, want.Tax}, {"credit", m.Credit, want.Credit}, {"refund", m.Refund, want.Refund}} {
			if !is(x.got, x.want) {
				return j.wrong("%s of %s is %s, want %s", x.what, m.Month, x.got, x.want)
			}
		}
		left := map[[2]string]configcost.Amount{}
		for _, x := range want.Services {
			if x.Amount != 0 { // what costs nothing may be left out
				left[[2]string{x.Service, x.Account}] = x.Amount
			}
		}
		for _, x := range m.Services {
			key := [2]string{x.Service, x.Account}
			if !is(x.Amount, left[key]) {
				return j.wrong("%s of %s in %s is %s, want %s", x.Service, x.Account, m.Month, x.Amount, left[key])
			}
			delete(left, key)
		}
		if len(left) > 0 {
			return j.wrong("%d shares of %s are not told", len(left), m.Month)
		}
	}
	return true
}

func (j *judge) missing() {
	n := 0
	for _, m := range j.Shares.Months {
		n += m.Missing.Rows
	}
	j.v.Missing = n == j.World.Truth.Spoilt || j.wrong("%d rows are said to be missing, %d are", n, j.World.Truth.Spoilt)
}

func (j *judge) moved() {
	for _, m := range j.World.Truth.Moves {
		if !slices.Contains(j.Trend.Moves, Move(m)) {
			j.wrong("the move from %s to %s is not told", m.From, m.To)
			return
		}
	}
	j.v.Moved = len(j.Trend.Moves) == len(j.World.Truth.Moves) || j.wrong("%d moves are told, there are %d", len(j.Trend.Moves), len(j.World.Truth.Moves))
}

func (j *judge) changes() {
	t := j.World.Truth
	type key struct{ day, operation string }
	count := map[key]int{}
	for _, d := range j.Changes.Days {
		count[key{d.Day, d.Operation}] = d.Count
	}
	for at := j.World.Start; at.Before(j.World.End); at = at.Add(24 * time.Hour) {
		day := at.Format(time.DateOnly)
		made, deleted := count[key{day, "CreateNetworkInterface"}], count[key{day, "DeleteNetworkInterface"}]
		if made != t.Creations || deleted != t.Deletions {
			j.wrong("on %s %d are made and %d deleted, want %d", day, made, deleted, t.Creations)
			return
		}
	}
	j.v.Changes = true
}

func (j *judge) loop() {
	t, loops := j.World.Truth, j.Changes.Loops
	switch {
	case !t.Loop:
		j.v.Loop = len(loops) == 0 || j.wrong("a loop is told, and there is none: %+v", loops)
	case len(loops) != 1:
		j.wrong("%d loops are told", len(loops))
	default:
		l := loops[0]
		made := int(math.Round(t.Share * float64(t.Creations)))
		near := math.Abs(float64(l.PerDay-made)) <= 0.005*float64(made) && math.Abs(l.Share-t.Share) < 0.005 && math.Abs(l.Life-t.Life) <= 2
		j.v.Loop = l.Service == t.Service && l.Cluster == t.Cluster && near ||
			j.wrong("the loop is %s/%s, %d a day, share %.3f, %.0f s, want %s/%s, %d, %.3f, %.0f s", l.Cluster, l.Service, l.PerDay, l.Share, l.Life, t.Cluster, t.Service, made, t.Share, t.Life)
	}
}

func (j *judge) schedule() {
	t := j.World.Truth
	j.v.Schedule = !t.Schedule
	for _, s := range j.Changes.Schedules {
		if t.Schedule && strings.Contains(s.Maker, t.Service) {
			j.v.Schedule = true
		}
	}
	if !j.v.Schedule {
		j.wrong("the schedule %s is not told: %+v", t.Service, j.Changes.Schedules)
	}
}

// recordings are the advice about how a type is recorded.
func (j *judge) recordings() (out []Advice) {
	for _, a := range j.Advised.Advice {
		if a.Kind == "" || a.Kind == "recording" {
			out = append(out, a)
		}
	}
	return out
}

func (j *judge) advice() {
	t, all := j.World.Truth, j.recordings()
	if !t.Counted {
		j.v.Advice, j.v.Totals = true, true // see estimate
		return
	}
	j.v.Advice = true
	for _, want := range t.Advice {
		i := slices.IndexFunc(all, func(a Advice) bool { return a.Account == want.Account && a.ResourceType == want.ResourceType })
		if i < 0 {
			j.v.Advice = j.wrong("nothing is said of %s in %s", want.ResourceType, want.Account)
			continue
		}
		a := all[i]
		saving := is(a.Saving, want.Saving) || want.Verdict == "cannot"
		if a.Items != want.Items || want.ResourceDays > 0 && a.ResourceDays != want.ResourceDays || !saving || a.Verdict != want.Verdict || a.Basis == "estimate" || len(a.Reason) <= len(`""`) {
			j.v.Advice = j.wrong("%s: %d items, %d resource-days, %s, %s by %s, want %d, %d, %s, %s", want.ResourceType, a.Items, a.ResourceDays, a.Saving, a.Verdict, a.Basis, want.Items, want.ResourceDays, want.Saving, want.Verdict)
		}
	}
	if len(all) != len(t.Advice) {
		j.v.Advice = j.wrong("%d types are spoken of, there are %d", len(all), len(t.Advice))
	}
	j.v.Totals = is(j.Advised.Total, t.Total) && is(j.Advised.Actionable, t.Actionable) ||
		j.wrong("totals %s and %s, want %s and %s", j.Advised.Total, j.Advised.Actionable, t.Total, t.Actionable)
}

// plans holds that a change comes with a plan and its undoing, that nothing else has
// one, and that no plan calls a recorder of Control Tower's.
func (j *judge) plans() {
	j.v.Plans = true
	for _, a := range j.Advised.Advice {
		text := strings.Join(append(slices.Clone(a.Plan), a.Undo...), "\n")
		if slices.Contains(j.World.Truth.Withheld, a.Account) && strings.Contains(text, "configuration-recorder") {
			j.v.Touched = true
			j.wrong("a plan calls the recorder of %s, which is Control Tower's", a.Account)
		}
		planned := len(a.Plan) > 0 && len(a.Undo) > 0
		if (a.Kind == "" || a.Kind == "recording") && planned != (a.Verdict == "change") {
			j.v.Plans = j.wrong("%s of %s is to %s, with %d commands and %d to undo them", a.ResourceType, a.Account, a.Verdict, len(a.Plan), len(a.Undo))
		}
	}
}

// estimate holds that what was not counted is said to be estimated, with bounds that
// hold the truth.
func (j *judge) estimate() {
	const about = "AWS::EC2::NetworkInterface"
	if j.World.Truth.Counted {
		j.v.Estimate = true
		return
	}
	days := int64(j.World.End.Sub(j.World.Start).Hours() / 24)
	truth := int64(j.World.Truth.Changes) * days
	for _, x := range j.Changes.Items.Types {
		if x.ResourceType == about {
			j.v.Estimate = x.Basis == "estimate" && x.Low <= truth && truth <= x.High && x.Low < x.High ||
				j.wrong("%s: %d items, %d to %d by %s, want %d", about, x.Items, x.Low, x.High, x.Basis, truth)
		}
	}
	if !j.v.Estimate {
		j.wrong("items of %s are not estimated", about)
	}
	for _, a := range j.recordings() {
		if a.Basis != "estimate" || a.Verdict == "change" && slices.Contains(j.World.Truth.Withheld, a.Account) {
			j.v.Estimate = j.wrong("%s of %s: %s by %s, and nothing was counted", a.ResourceType, a.Account, a.Verdict, a.Basis)
		}
	}
}
