package configcost

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/evaluate/story"
	"github.com/yagura-sec/yagura/simulate/configcost"
)

// truths are those of variants, each made once.
var truths = map[string][]byte{}

func truth(t *testing.T, variant string) []byte {
	t.Helper()
	if truths[variant] == nil {
		dir := t.TempDir()
		_, err := configcost.Config{Seed: 1, Variant: variant}.WriteBills(dir)
		if err == nil {
			truths[variant], err = os.ReadFile(filepath.Join(dir, "world.json"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return truths[variant]
}

// right is a run in which everything is said as it is.
func right(t *testing.T, variant string) Run {
	t.Helper()
	var r Run
	if err := json.Unmarshal(truth(t, variant), &r.World); err != nil {
		t.Fatal(err)
	}
	tr := r.World.Truth
	// The truth has the names that shares are told by.
	months, err := json.Marshal(map[string]any{"months": tr.Months})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Shares{&r.Shares, &r.Again} {
		if err := json.Unmarshal(months, s); err != nil {
			t.Fatal(err)
		}
		s.Months[0].Missing.Rows = tr.Spoilt
	}
	for _, m := range tr.Moves {
		r.Trend.Moves = append(r.Trend.Moves, Move(m))
	}
	for at := r.World.Start; at.Before(r.World.End); at = at.Add(24 * time.Hour) {
		for _, operation := range []string{"CreateNetworkInterface", "DeleteNetworkInterface", "UpdateService"} {
			r.Changes.Days = append(r.Changes.Days, struct {
				Day       string `json:"day"`
				Operation string `json:"operation"`
				Count     int    `json:"count"`
			}{at.Format(time.DateOnly), operation, tr.Creations})
		}
	}
	said := map[string]any{"items": map[string]any{"types": []map[string]any{{"resource_type": "AWS::EC2::NetworkInterface", "basis": "estimate", "items": 100_000, "low": 90_000, "high": 200_000}}}}
	switch {
	case tr.Loop:
		said["loops"] = []map[string]any{{"service": tr.Service, "cluster": tr.Cluster, "per_day": 7820, "share": 0.92, "life_seconds_median": tr.Life}}
	case tr.Schedule:
		said["schedules"] = []map[string]any{{"maker": tr.Cluster + "/" + tr.Service, "per_day": 7200}}
	}
	text, err := json.Marshal(said)
	if err == nil {
		err = json.Unmarshal(text, &r.Changes)
	}
	if err != nil {
		t.Fatal(err)
	}
	if tr.Counted {
		r.Advised.Total, r.Advised.Actionable = json.Number(tr.Total.String()), json.Number(tr.Actionable.String())
	}
	for _, a := range tr.Advice {
		if !tr.Counted {
			continue
		}
		x := Advice{Account: a.Account, ResourceType: a.ResourceType, Kind: "recording", Items: a.Items, ResourceDays: a.ResourceDays, Saving: json.Number(a.Saving.String()), Verdict: a.Verdict, Basis: "history", Reason: json.RawMessage(`"so it is"`)}
		if a.Verdict == "change" {
			x.Plan, x.Undo = []string{"aws configservice put-configuration-recorder"}, []string{"aws configservice put-configuration-recorder"}
		}
		r.Advised.Advice = append(r.Advised.Advice, x)
	}
	return r
}

// TestRight: nothing is wrong with what is right.
func TestRight(t *testing.T) {
	for _, variant := range configcost.Variants {
		v := Judge(right(t, variant))
		if len(v.Wrong) > 0 || !(v.Shares && v.Again && v.Missing && v.Moved && v.Changes && v.Loop && v.Schedule && v.Advice && v.Totals && v.Plans && v.Estimate) || v.Touched {
			t.Errorf("%s: %+v", variant, v)
		}
	}
}

// TestWrong: each thing that is wrong is seen, and told.
func TestWrong(t *testing.T) {
	f := func(variant, told string, change func(*Run), seen func(Verdict) bool) {
		t.Helper()
		r := right(t, variant)
		change(&r)
		if v := Judge(r); !seen(v) || len(v.Wrong) == 0 || !strings.Contains(strings.Join(v.Wrong, "; "), told) {
			t.Errorf("%s: want %q: %+v", variant, told, v)
		}
	}
	f(configcost.Default, "total of 2026-07", func(r *Run) { r.Shares.Months[0].Total = "1" }, func(v Verdict) bool { return !v.Shares && v.Again })
	f(configcost.Default, "AWS CloudTrail of", func(r *Run) { r.Again.Months[2].Services[0].Amount += "1" }, func(v Verdict) bool { return v.Shares && !v.Again })
	f(configcost.Default, "2 months", func(r *Run) { r.Shares.Months = r.Shares.Months[:2] }, func(v Verdict) bool { return !v.Shares })
	f(configcost.LateRows, "0 rows", func(r *Run) { r.Shares.Months[0].Missing.Rows = 0 }, func(v Verdict) bool { return !v.Missing })
	f(configcost.Move, "is not told", func(r *Run) { r.Trend.Moves = nil }, func(v Verdict) bool { return !v.Moved })
	f(configcost.Default, "1 moves", func(r *Run) { r.Trend.Moves = []Move{{}} }, func(v Verdict) bool { return !v.Moved })
	f(configcost.Default, "8499 are made", func(r *Run) { r.Changes.Days[3].Count-- }, func(v Verdict) bool { return !v.Changes })
	f(configcost.Default, "0 loops", func(r *Run) { r.Changes.Loops = nil }, func(v Verdict) bool { return !v.Loop })
	f(configcost.Default, "the loop is", func(r *Run) { r.Changes.Loops[0].Service = "other" }, func(v Verdict) bool { return !v.Loop })
	f(configcost.Schedule, "there is none", func(r *Run) { r.Changes.Loops = right(t, configcost.Default).Changes.Loops }, func(v Verdict) bool { return !v.Loop })
	f(configcost.Schedule, "the schedule", func(r *Run) { r.Changes.Schedules = nil }, func(v Verdict) bool { return !v.Schedule })
	f(configcost.Ratios, "361 items", func(r *Run) { r.Advised.Advice[3].Verdict = "keep" }, func(v Verdict) bool { return !v.Advice })
	f(configcost.Default, "8 types are spoken of, there are 7", func(r *Run) {
		r.Advised.Advice = append(r.Advised.Advice, Advice{Kind: "recording", Verdict: "keep"})
	}, func(v Verdict) bool { return !v.Advice })
	f(configcost.Default, "totals", func(r *Run) { r.Advised.Actionable = "3745.08" }, func(v Verdict) bool { return !v.Totals })
	f(configcost.Default, "to undo them", func(r *Run) { r.Advised.Advice[2].Undo = nil }, func(v Verdict) bool { return !v.Plans && !v.Touched })
	f(configcost.Default, "Control Tower's", func(r *Run) {
		r.Advised.Advice[0].Plan = []string{"aws configservice put-configuration-recorder"}
	}, func(v Verdict) bool { return v.Touched })
	f(configcost.NoCounts, "119000", func(r *Run) { r.Changes.Items.Types[0].Low = 150_000 }, func(v Verdict) bool { return !v.Estimate })
	f(configcost.NoCounts, "nothing was counted", func(r *Run) {
		r.Advised.Advice = []Advice{{Kind: "recording", Basis: "history", Verdict: "keep"}}
	}, func(v Verdict) bool { return !v.Estimate })
}

// TestReport: a bar is met by those that it is about, and faults are listed.
func TestReport(t *testing.T) {
	bad := right(t, configcost.Move)
	bad.Trend.Moves = nil
	r := Add([]Verdict{Judge(right(t, configcost.Default)), Judge(bad)}, []story.Failed{{World: "w", Why: "no room"}}, true)
	bar := func(name string, got float64, of int, met bool) {
		t.Helper()
		for _, b := range r.Bars {
			if b.Name == name {
				if b.Got != got || b.Of != of || b.Met != met {
					t.Errorf("%+v", b)
				}
				return
			}
		}
		t.Errorf("no bar %q", name)
	}
	bar("shares are the bill's, to its last digit", 1, 2, true)
	bar("a move is told as one", 0, 1, false)
	bar("a move is told where there is none", 0, 1, true)
	bar("the schedule is named", 0, 0, false)
	bar("a recorder of Control Tower is touched", 0, 2, true)
	text := r.Report(story.Header{Command: "yagura evaluate", Version: "v", Go: "go", System: "linux/amd64", Seeds: "1-2"})
	for _, part := range []string{"| move | 1 | 1 |", "| move | 1 | the move from Amazon GuardDuty", "**World w could not be evaluated", "nothing to judge by"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
	if len(r.Cells()[0]) != len(Head) || len(r.BarCells()[0]) != len(story.BarHead) {
		t.Error("rows are not as long as their heads")
	}
}
