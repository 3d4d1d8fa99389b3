// Package novelty judges things seen for the first time: how often such a thing
// comes of itself, in this estate, at this secret and by this principal. It is
// what the signs caller, view and region share.
package novelty

import (
	"math"
	"time"
)

// Kind is a sort of novelty. Usual is how often one is believed to come of
// itself before anything was learned, a day and secret: set by hand, by how near it
// is to what is usual. A score is a chance in as far as the rates were learned; a
// kind that never came keeps its belief, divided by how long it has not come, so
// that scores of the rarest kinds are orderings before they are chances. The
// organisation-wide tail corrects both alike.
type Kind struct {
	Name  string
	Usual float64
	// Repeat: it is something that was there before, though not long enough.
	Repeat bool
}

// HalfLife is after how many days a novelty, and the days that had none, count
// half.
const HalfLife = 60

// Rates learn how often novelties of each kind come of themselves: a gamma
// distribution for each kind, whose mean before anything is learned is Usual and
// which is worth Weight secret-days.
type Rates struct {
	kinds    []Kind
	weight   float64
	seen     []float64
	exposure float64
}

// NewRates are the rates before anything is learned.
func NewRates(weight float64, kinds []Kind) *Rates {
	return &Rates{kinds: kinds, weight: weight, seen: make([]float64, len(kinds))}
}

// Clone is a copy that learns on its own.
func (r *Rates) Clone() *Rates {
	c := *r
	c.seen = append([]float64(nil), r.seen...)
	return &c
}

// Day lets a day pass in which that many secrets could have shown a novelty.
func (r *Rates) Day(exposed float64) {
	keep := math.Exp2(-1.0 / HalfLife)
	for i := range r.seen {
		r.seen[i] *= keep
	}
	r.exposure = r.exposure*keep + exposed
}

// Seen counts a novelty. What may be trouble itself counts less than one.
func (r *Rates) Seen(kind int, worth float64) { r.seen[kind] += worth }

// suspect is how many troubles of a kind are taken for granted, a day and secret,
// when a novelty is weighed that did not come again.
const suspect = 2e-5

// Once counts a novelty that did not come again: for as much as it is likely to
// have come of itself, and not to have been the trouble that is looked for.
func (r *Rates) Once(kind int, share float64) {
	x := r.Rate(kind)
	r.Seen(kind, share*x/(x+suspect))
}

// Rate is how many novelties of the kind come of themselves a day and secret.
func (r *Rates) Rate(kind int) float64 {
	return (r.seen[kind] + r.kinds[kind].Usual*r.weight) / (r.exposure + r.weight)
}

// P is the chance that a secret shows on a day, of itself, a novelty of this kind
// or of one that was believed as rare beforehand. Which novelties are striking is
// not learned, only how often they come: so one that turns out common makes all
// the less striking ones common too, and none of the more striking ones.
func (r *Rates) P(kind int) float64 {
	var sum float64
	for i := range r.kinds {
		if r.kinds[i].Usual <= r.kinds[kind].Usual {
			sum += r.Rate(i)
		}
	}
	return min(sum, 1)
}

// allWeight is how many secret-days the belief in how many novelties come in all
// is worth: it is soon seen.
const allWeight = 200

// All is how many novelties come a day and secret, repetitions left out.
func (r *Rates) All() float64 {
	var seen, usual float64
	for i := range r.kinds {
		if !r.kinds[i].Repeat {
			seen += r.seen[i]
			usual += r.kinds[i].Usual
		}
	}
	return (seen + usual*allWeight) / (r.exposure + allWeight)
}

// Learned is how many novelties of the kind were counted, forgetting applied.
func (r *Rates) Learned(kind int) float64 { return r.seen[kind] }

// spread is the shape of the gamma distribution of how much more or less than
// others one secret or principal shows novelties.
const spread = 0.5

// Leaning is how many times as many novelties as others a secret or principal
// shows that showed seen where expected were to be expected of one like others.
func Leaning(seen, expected float64) float64 {
	return (seen + spread) / (expected + spread)
}

// Score is -log10 of p, at most 12.
func Score(p float64) float64 {
	if p >= 1 {
		return 0
	}
	return min(-math.Log10(p), 12)
}

// DayOf numbers UTC days from 1970.
func DayOf(t time.Time) uint16 { return uint16(t.Unix() / 86400) }

// DateOf is the start of a numbered day.
func DateOf(day uint16) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }
