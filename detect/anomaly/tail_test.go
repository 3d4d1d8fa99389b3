package anomaly

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
)

// scored makes days of a class: of each secret so many judgements a day, the
// scores of which score draws, and some real incidents.
func scored(days, secrets, trials int, incidents float64, score func(*rand.Rand) float64) *tails {
	rnd := rand.New(rand.NewPCG(7, 7))
	t := newTails(false)
	for day := range days {
		var all []raised
		for s := range secrets {
			for range trials {
				if x := score(rnd); x >= watch.Floor {
					all = append(all, raised{class: "c", sign: "frequency", key: fmt.Sprint(s), score: x, trials: float64(trials)})
				}
			}
			if rnd.Float64() < incidents {
				// What somebody does is seen for some hours, each of them striking.
				for range 1 + rnd.IntN(5) {
					all = append(all, raised{class: "c", sign: "frequency", key: fmt.Sprint(s), score: 3 + rnd.ExpFloat64()*8, trials: float64(trials)})
				}
			}
		}
		t.learn(start.Add(time.Duration(day)*oneDay), exposed(secrets), all)
	}
	return t
}

func exposed(n int) func(string) int { return func(string) int { return n } }

func calibrated(r *rand.Rand) float64 { return -math.Log10(1 - r.Float64()) }

// TestRates: what is expected by chance is what chance gives, also where the
// chances of a sign are too small, and real trouble does not pass for chance.
func TestRates(t *testing.T) {
	const secrets, trials = 400, 24
	f := func(name string, x *tails, score, truth, within float64) {
		t.Helper()
		got := x.rate("c", score, trials)
		want := trials * 1000 * truth
		if got > want*within || got < want/within {
			t.Errorf("%s: a score of %v is expected %.3g times a day and 1,000 secrets, truly %.3g; level %.3g, slope %.3g",
				name, score, got, want, x.classes["c"].fit.level, x.classes["c"].fit.slope)
		}
	}
	good := scored(40, secrets, trials, 0, calibrated)
	f("calibrated", good, 3, 1e-3, 1.5)
	f("calibrated", good, 5, 1e-5, 2)

	// Twenty times too small at every score: what is said to be p happens at 20 p.
	small := scored(40, secrets, trials, 0, func(r *rand.Rand) float64 { return calibrated(r) + math.Log10(20) })
	f("too small", small, 4, 20e-4, 2)
	f("too small", small, 6, 20e-6, 3)

	// A heavy tail: p happens at p to the power of 0.6.
	heavy := scored(40, secrets, trials, 0, func(r *rand.Rand) float64 { return calibrated(r) / 0.6 })
	f("heavy", heavy, 5, math.Pow(10, -3), 3)
	f("heavy", heavy, 7, math.Pow(10, -4.2), 4)

	// One secret in a hundred has trouble every day: the bar may not rise so that
	// a score of 6.5 is not told.
	trouble := scored(40, secrets, trials, 0.01, calibrated)
	f("with trouble", trouble, 5, 1e-5, 4)
	if b := needed(trouble, trouble.rate("c", 6.5, trials)); b > 1 {
		t.Errorf("with trouble about, a score of 6.5 needs a budget of %v", b)
	}

	// Little was seen: what is nominal holds.
	f("new", scored(2, 5, 1, 0, calibrated), 5, 1e-5, 2)
	f("unknown", newTails(false), 5, 1e-5, 1.001)
	trouble.nominal = true
	f("at its word", trouble, 5, 1e-5, 1.001)
}

// TestOneIncidentIsOne: a secret's alarms of a day count once, and a day on which
// everything stirs counts as a bad day.
func TestOneIncidentIsOne(t *testing.T) {
	x := newTails(false)
	for day := range 30 {
		var all []raised
		for range 50 {
			all = append(all, raised{class: "c", sign: "time", key: "one", score: 3.3, trials: 24})
		}
		n := 5
		if day == 20 {
			n = 3000
		}
		for s := range n {
			all = append(all, raised{class: "c", sign: "time", key: fmt.Sprint(s), score: 2.5, trials: 24})
		}
		x.learn(start.Add(time.Duration(day)*oneDay), exposed(3000), all)
	}
	c := x.calibration()
	if len(c) != 30 || c[0].Observed != [3]int{6, 1, 0} || c[20].Observed[0] != 3001 {
		t.Errorf("%d days, %+v", len(c), c[0])
	}
	if n := c[0].Nominal[1]; math.Abs(n-72) > 1e-9 {
		t.Errorf("%v expected at one in 1,000, of 3,000 secrets 24 times a day", n)
	}
	if f := x.classes["c"].fit; f.seen > 30*6+25 {
		t.Errorf("%v exceedances are taken for seen", f.seen)
	}
	y := x.clone()
	y.learn(start.Add(31*oneDay), exposed(3000), nil)
	if len(x.classes["c"].days) != 30 || len(y.classes["c"].days) != 31 {
		t.Error("a copy learns for the other")
	}
}

// TestParts: the budget is parted among as many as would use it up.
func TestParts(t *testing.T) {
	f := func(x *tails, want float64) {
		t.Helper()
		if got := needed(x, 0.01); math.Abs(got-want) > 0.003 {
			t.Errorf("a rate of 0.01 needs %v, want %v", got, want)
		}
	}
	f(newTails(false), 0.08)
	// Eleven classes that are what they say, and one whose scores never come up.
	x := newTails(false)
	rnd := rand.New(rand.NewPCG(7, 7))
	for day := range 30 {
		var all []raised
		for class := range 11 {
			for s := range 400 {
				if y := calibrated(rnd); y >= watch.Floor {
					all = append(all, raised{class: fmt.Sprint(class), sign: "frequency", key: fmt.Sprint(s), score: y, trials: 1})
				}
			}
		}
		if day == 0 {
			all = append(all, raised{class: "shy", sign: "view", key: "k", score: 2.1, trials: 24})
		}
		x.learn(start.Add(time.Duration(day)*oneDay), exposed(400), all)
	}
	f(x, 0.11)
	if p := x.clone().split; p != x.split {
		t.Error("a copy has another budget")
	}
}

// TestPartsHaveNoOrder: a sum of many classes is the same to the last digit.
func TestPartsHaveNoOrder(t *testing.T) {
	x := newTails(false)
	for i := range 40 {
		x.classes[fmt.Sprint(i)] = &tail{fit: fit{level: 1, seen: float64(i) / 7, expected: float64(2*i) / 3}}
	}
	want := x.parts()
	if want <= 8 {
		t.Fatalf("%v parts: this shows nothing", want)
	}
	for range 500 {
		if got := x.parts(); got != want {
			t.Fatalf("%v parts, and then %v", want, got)
		}
	}
}

// TestTrialsOfOneClass: what is judged rarely is not taken for more striking than
// what is judged often.
func TestTrialsOfOneClass(t *testing.T) {
	x := newTails(false)
	x.learn(start, exposed(100), []raised{
		{class: "c", sign: "time", key: "a", score: 2.55, trials: 24},
		{class: "c", sign: "time", key: "b", score: 2.55, trials: 0.24},
		{class: "c", sign: "time", key: "b", score: 3.05, trials: 24},
	})
	d := x.classes["c"].days[0]
	if d.trials != 24 || d.bins[5] != 1 || d.bins[25] != 1 {
		t.Errorf("%v trials, bins %v", d.trials, d.bins)
	}
}
