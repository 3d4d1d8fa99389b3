package change

import (
	"cmp"
	"math"
	"slices"
)

// fitDays is how many counted days a fit needs. With fourteen the bounds are those of
// the farthest days.
const fitDays = 14

// inBounds is the part of days on which the truth is to lie within the bounds.
const inBounds = 0.8

// fit is how many items of a type operations make, as counts taught.
type fit struct {
	operations []string
	each       []float64 // items a call, by operation; behind them: items a day without any call
	// low and high are what the estimate of a day is multiplied by for its bounds.
	low, high float64
}

// items are those of a day.
func (f *fit) items(operations map[string]int64) float64 {
	sum := f.each[len(f.operations)]
	for i, op := range f.operations {
		sum += f.each[i] * float64(operations[op])
	}
	return sum
}

// fitType fits a type to the days on which it was counted and changes are known, and
// tells how many there are; fewer than fitDays: there is no fit.
//
// The bounds are conformal: each day is estimated by a fit to the others, and of the
// quotients of what was counted and what was estimated those of the rank are taken
// that leaves one of ten out at either end. So they hold whatever makes counts and
// estimates differ, as long as it goes on as it did.
func fitType(typ string, by map[place]map[string]int64, counted map[place]int64) (fit, int) {
	var f fit
	var start []float64
	for op, all := range effects {
		for _, e := range all {
			if e.typ == typ {
				f.operations = append(f.operations, op)
			}
		}
	}
	slices.Sort(f.operations)
	for _, op := range f.operations {
		for _, e := range effects[op] {
			if e.typ == typ {
				start = append(start, e.mid)
			}
		}
	}
	start = append(start, 0)
	var places []place
	days := map[int64]bool{}
	for at := range counted {
		if by[at] != nil {
			places = append(places, at)
			days[at.day.Unix()] = true
		}
	}
	if len(days) < fitDays {
		return f, len(days)
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Or(a.day.Compare(b.day), cmp.Compare(a.region, b.region)) })
	x, y := make([][]float64, len(places)), make([]float64, len(places))
	for i, at := range places {
		x[i] = make([]float64, len(start))
		for j, op := range f.operations {
			x[i][j] = float64(by[at][op])
		}
		x[i][len(start)-1] = 1
		y[i] = float64(counted[at])
	}
	f.each = nonNegative(x, y, start, -1)
	quotients := make([]float64, len(places))
	for i, at := range places {
		without := fit{operations: f.operations, each: nonNegative(x, y, start, i)}
		quotients[i] = (y[i] + 1) / (without.items(by[at]) + 1)
	}
	slices.Sort(quotients)
	f.low = min(1, quotients[max(0, rank(len(quotients), (1-inBounds)/2)-1)])
	f.high = max(1, quotients[min(len(quotients), rankUp(len(quotients), (1+inBounds)/2))-1])
	return f, len(days)
}

func rank(n int, part float64) int   { return int(math.Floor(float64(n+1) * part)) }
func rankUp(n int, part float64) int { return int(math.Ceil(float64(n+1) * part)) }

// sweeps is how often nonNegative goes over all coefficients at most. Of up to twenty
// of them it takes some dozens.
const sweeps = 500

// nonNegative gives the coefficients, none below zero, for which x·a comes nearest to
// y by least squares, rows weighted by 1/(y+1) as counts vary by their root. A little
// of the weight is on the start values, which tells apart what always goes together,
// such as making and deleting. The row leave is left out; -1: none.
//
// It goes over the coefficients one at a time, each at its best while the others
// stand: for a convex problem of this size that converges quickly and needs no matrix
// library. Those of Go have least squares without the bound at zero only.
func nonNegative(x [][]float64, y, start []float64, leave int) []float64 {
	n := len(start)
	gram, target := make([][]float64, n), make([]float64, n)
	for j := range gram {
		gram[j] = make([]float64, n)
	}
	for i := range x {
		if i == leave {
			continue
		}
		w := 1 / (y[i] + 1)
		for j := range n {
			for k := range n {
				gram[j][k] += w * x[i][j] * x[i][k]
			}
			target[j] += w * x[i][j] * y[i]
		}
	}
	for j := range n {
		pull := 1e-4*gram[j][j] + 1e-9
		gram[j][j] += pull
		target[j] += pull * start[j]
	}
	a := slices.Clone(start)
	for range sweeps {
		moved := 0.0
		for j := range n {
			rest := target[j]
			for k := range n {
				if k != j {
					rest -= gram[j][k] * a[k]
				}
			}
			best := max(0, rest/gram[j][j])
			moved = max(moved, math.Abs(best-a[j]))
			a[j] = best
		}
		if moved < 1e-9 {
			break
		}
	}
	return a
}
