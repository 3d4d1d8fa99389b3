package change

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/cost"
)

// churn are days of interfaces made and deleted, of a size that differs from day to
// day, and of security groups changed.
func churn(rnd *rand.Rand, days int) (out []OperationCount) {
	for d := range days {
		at := monday.AddDate(0, 0, d)
		n := int64(2000 * math.Exp(rnd.NormFloat64()/2))
		out = append(out,
			OperationCount{at, "ap-northeast-1", "CreateNetworkInterface", n},
			OperationCount{at, "ap-northeast-1", "DeleteNetworkInterface", n - rnd.Int64N(20)},
			OperationCount{at, "ap-northeast-1", "AuthorizeSecurityGroupIngress", rnd.Int64N(40)})
	}
	return out
}

// truth is what Config records of such days: so many items of a type a call, and
// noise.
func truth(rnd *rand.Rand, counts []OperationCount, typ string, each map[string]float64, noise float64) (out []cost.Count) {
	for at, operations := range operationsBy(counts) {
		items := 5.0
		for op, n := range operations {
			items += each[op] * float64(n)
		}
		n := int64(max(0, items*math.Exp(rnd.NormFloat64()*noise)))
		out = append(out, cost.Count{Account: account, Region: at.region, ResourceType: typ, Day: at.day, Items: n, ResourceDays: -1, Basis: cost.Metric, Low: n, High: n})
	}
	return out
}

// TestFitCovers holds the bounds of a fitted estimate to what they promise, over
// worlds whose coefficients no start value knows: the truth lies within on eight days
// of ten, neither much less nor nearly always.
func TestFitCovers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 1))
	const worlds, learn, ahead = 150, 20, 10
	within, days, share := 0, 0, 0.0
	for range worlds {
		counts := churn(rnd, learn+ahead)
		each := map[string]float64{"CreateNetworkInterface": 3 * rnd.Float64(), "DeleteNetworkInterface": 2 * rnd.Float64(), "AuthorizeSecurityGroupIngress": rnd.Float64()}
		all := truth(rnd, counts, typeSecurityGroup, each, 0.05+0.2*rnd.Float64())
		end := monday.AddDate(0, 0, learn)
		var known []cost.Count
		later := map[time.Time]int64{}
		for _, c := range all {
			if c.Day.Before(end) {
				known = append(known, c)
			} else {
				later[c.Day] = c.Items
			}
		}
		for _, c := range Estimate(account, counts, known) {
			if n, ok := later[c.Day]; ok && c.ResourceType == typeSecurityGroup {
				days++
				if c.Low <= n && n <= c.High {
					within++
				}
				share += math.Abs(float64(c.Items-n)) / float64(max(1, n))
			}
		}
	}
	got := float64(within) / float64(days)
	t.Logf("%d days: %.1f %% within the bounds, off by %.1f %% on average", days, 100*got, 100*share/float64(days))
	if days != worlds*ahead || got < 0.75 || got > 0.93 {
		t.Errorf("%d days, %.3f of them within the bounds, want about 0.8", days, got)
	}
}

// TestStartValues: whatever the documentation leaves possible lies within the bounds
// that go by start values.
func TestStartValues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(12, 1))
	for range 50 {
		counts := churn(rnd, 3)
		for typ := range map[string]bool{typeInterface: true, typeSecurityGroup: true, typeVPC: true} {
			for at, operations := range operationsBy(counts) {
				items := 0.0
				for op, n := range operations {
					for _, e := range effects[op] {
						if e.typ == typ {
							items += float64(n) * (e.low + rnd.Float64()*(e.high-e.low))
						}
					}
				}
				for _, c := range Estimate(account, counts, nil) {
					if c.Day.Equal(at.day) && c.ResourceType == typ && (float64(c.Low) > items || float64(c.High) < items) {
						t.Fatalf("%s on %s: %.0f items are not between %d and %d", typ, at.day, items, c.Low, c.High)
					}
				}
			}
		}
	}
}

func TestNonNegative(t *testing.T) {
	x := [][]float64{{10, 9, 1}, {20, 21, 1}, {5, 3, 1}, {40, 44, 1}, {7, 9, 1}}
	y := make([]float64, len(x))
	for i := range x {
		y[i] = 2*x[i][0] + 0.5*x[i][1] + 3
	}
	a := nonNegative(x, y, []float64{1, 1, 0}, -1)
	for i, want := range []float64{2, 0.5, 3} {
		if math.Abs(a[i]-want) > 0.05 {
			t.Errorf("coefficients %v", a)
		}
	}
	for i := range x {
		y[i] = 3*x[i][0] - 2*x[i][1]
	}
	for _, v := range nonNegative(x, y, []float64{1, 1, 0}, -1) {
		if v < 0 {
			t.Errorf("a coefficient is below zero: %v", v)
		}
	}
}

// TestItems: what was counted is taken as it is, and what was not is estimated, and
// which of it is said.
func TestItems(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 1))
	counts := churn(rnd, 30)
	each := map[string]float64{"CreateNetworkInterface": 1, "DeleteNetworkInterface": 1}
	all := truth(rnd, counts, typeInterface, each, 0)
	sum := int64(0)
	for _, c := range all {
		sum += c.Items
	}
	got := itemsOf(account, counts, all)
	if got.Basis != cost.Metric || got.Items != sum || got.Low != sum || got.High != sum || len(got.Types) != 1 || got.Days != 30 {
		t.Errorf("counted: %+v, want %d", got, sum)
	}
	end := monday.AddDate(0, 0, 20)
	var known []cost.Count
	for _, c := range all {
		if c.Day.Before(end) {
			known = append(known, c)
		}
	}
	got = itemsOf(account, counts, known)
	if got.Basis != cost.Estimate || len(got.Types) != 1 || got.Fitted != 20 || math.Abs(float64(got.Types[0].Items-sum)) > 0.02*float64(sum) {
		t.Errorf("20 days counted of 30: %+v, want about %d", got, sum)
	}
	got = itemsOf(account, counts, nil)
	if got.Basis != cost.Estimate || got.Fitted != 0 || got.Low >= got.Items || got.High <= got.Items || got.Low > sum {
		t.Errorf("nothing counted: %+v", got)
	}
	// Config history stands behind the metric, and an estimate of before behind both.
	better := []cost.Count{
		{ResourceType: typeVPC, Day: monday, Items: 9, Basis: cost.History},
		{ResourceType: typeVPC, Day: monday, Items: 7, Basis: cost.Metric},
		{ResourceType: typeVPC, Day: monday, Items: 99, Basis: cost.Estimate},
		{ResourceType: typeVPC, Day: monday.AddDate(0, 0, 1), Items: 3, Basis: cost.History},
		{ResourceType: typeVPC, Day: monday.AddDate(0, 0, 2), Items: -1, Basis: cost.Metric},
	}
	if got = itemsOf(account, nil, better); got.Items != 10 || got.Basis != cost.History || got.Days != 2 {
		t.Errorf("several ways: %+v", got)
	}
}
