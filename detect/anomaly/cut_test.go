package anomaly

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/say"
)

// uneven is echo with scores from 2 to 10, some of which the log accounts for.
type uneven struct{ watch.Sign }

func (u uneven) Clone() watch.Sign { return uneven{u.Sign.Clone()} }

func (u uneven) Judge(d *watch.Day, i int) []watch.Alarm {
	out := u.Sign.Judge(d, i)
	for i := range out {
		a := &out[i]
		a.Mature = true
		// What is accounted for is the more striking half of the time.
		switch k := int(a.Score*250) % 4; k {
		case 0, 1:
			a.Context = []finding.Explanation{{Kind: "deploy", Text: say.Plain("It was deployed.")}}
		}
		a.Score = 2 + (a.Score-2)*2
	}
	return out
}

// TestBudgetCut: what a hunt with a large budget finds, cut at a smaller one, is what a
// hunt with that finds, and nothing that is accounted for lends its score to what
// is not.
func TestBudgetCut(t *testing.T) {
	const days = 5
	l := &lakeOf{events: newWorld(41).events(days, 900)}
	end := start.Add(days * oneDay)
	o := l.options()
	o.Signs = func() []watch.Sign { return []watch.Sign{uneven{newEcho()}} }
	o.Nominal = true
	// Of a maintenance something is left that is not accounted for.
	o.Windows = func() []finding.Window {
		return []finding.Window{{ID: "w", Title: "Maintenance", Start: start.Add(30 * time.Hour), End: start.Add(50 * time.Hour), Resources: []string{secretARN(4), secretARN(5)}}}
	}
	hunt := func(budget float64) map[string]finding.Occurrence {
		o.Budget = budget
		said, err := New(o).Hunt(t.Context(), Name, start, end, end)
		if err != nil {
			t.Fatal(err)
		}
		k := newKept()
		k.record(said)
		if len(k.all) != len(said.Occurrences) {
			t.Errorf("%d occurrences are %d", len(said.Occurrences), len(k.all))
		}
		return k.all
	}
	all := hunt(20)
	for _, budget := range []float64{1, 5} {
		got := map[string]finding.Occurrence{}
		explained, several := 0, 0
		for id, x := range all {
			if x.Anomaly.Budget <= budget {
				got[id] = x
				if len(x.Explained) > 0 {
					explained++
				}
				if len(x.Anomaly.Resources) > 1 {
					several++
				}
			}
		}
		if explained < 10 || len(got)-explained < 10 || several < 5 || len(got) == len(all) {
			t.Errorf("%d of %d, %d explained, %d of several secrets: this shows nothing", len(got), len(all), explained, several)
		}
		if d := cmp.Diff(hunt(budget), got); d != "" {
			t.Errorf("at %v: %s", budget, d[:min(len(d), 2000)])
		}
	}
}

// TestNoNumber: a score that is no number is told nowhere, and one without end
// counts as the highest there is.
func TestNoNumber(t *testing.T) {
	f := func(score, trials, want float64) {
		t.Helper()
		h := New(Options{Budget: 1e9})
		m := h.newModelOf(start, nil)
		hour := &watch.Hour{Start: start}
		r := &teller{h: h, since: start, budget: 1e9}
		got := r.alarm(m, hour, &watch.Alarm{Class: "c", Sign: "time", Secret: -1, Actor: -1, Account: -1, Region: "x", Score: score, Trials: trials, Mature: true})
		m.learned.tails.learn(start, exposed(10), got)
		switch {
		case want == 0 && len(got)+len(r.out) > 0:
			t.Errorf("a score of %v gives %v", score, got)
		case want > 0 && (len(r.out) != 1 || r.out[0].Anomaly.Score != want || !(r.out[0].Anomaly.Budget < 1e-100)):
			t.Errorf("a score of %v and %v trials give %+v", score, trials, r.out)
		}
	}
	f(math.NaN(), 1, 0)
	f(math.Inf(-1), 1, 0)
	f(math.Inf(1), 1, maxScore)
	f(1e9, math.NaN(), maxScore)
	f(200, 0, 200)
}
