// Package tally learns how often something rare happens to each of many things
// (a principal is denied, a secret is refused to a stranger) and how much of it
// comes at once, and says how unlikely an amount is.
//
// An amount of x at an occasion has the chance P(anything) x P(x or more, given
// anything). The first is beta-binomial, the second a negative binomial of x-1;
// both are estimated for each thing and shrunk towards all things of its class,
// by as much as those are alike. So a thing that never failed before is judged
// by how often, and how badly, its peers fail when they fail for the first time.
package tally

import (
	"math"
	"slices"
	"unsafe"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
)

// Figures of what is learned.
const (
	keepDay   = 0.98 // of a day's weight is left a day later: half after 34 days
	capSD     = 4    // standard deviations above which an amount is learned as less
	sizePeers = 10   // occasions that the peers' amounts count as
	leastPeer = 0.05 // the least weight of peers, in occasions with anything
	loud      = 4.0  // score of an amount from which on it is not taken for a habit,
	adoptDays = 3    // until there were so many days of it
	forgotten = 180  // days after which a thing that did not come is forgotten

	alonePrior, aloneWeight = 0.02, 25 // without peers: share of occasions, and its weight
)

// Options leave parts out, to see what they are worth.
type Options struct {
	NoPeers     bool // each thing by itself, under one fixed prior
	NoShrinkage bool // own figures only, as soon as there are any
}

// Book holds what was learned of things K in classes 0 to the number given to
// New.
type Book[K comparable] struct {
	rows  map[K]*row
	order []K // of rows, by first sight: sums must not depend on the order of a map
	pools []pool
	opt   Options
	day   int32   // the last one learned
	days  int32   // how many were learned
	kept  float64 // the same, decayed
	spare []row

	base  *Book[K] // where there is one, its rows tell the occasions
	daily bool     // and they are its days
}

// row is one thing.
type row struct {
	n, k    float32 // occasions, and those with anything
	there   float32 // days with occasions
	extra   float32 // sum of amount-1
	last    int32   // day
	days    uint16
	kept    uint16 // days with anything
	class   uint8
	loud    uint8 // days on which it was very unlike itself
	highest uint16
}

// pool is all things of a class.
type pool struct {
	n, k, extra float64
	spread      stat.Dispersion
	// of the prior, made once a day
	a, b  float64 // of the share of occasions with anything
	mean  float64 // of amount-1
	shape float64
}

// Seen is what one thing had on a day.
type Seen[K comparable] struct {
	Key       K
	Class     int
	Occasions int   // at least len(Amounts)
	Amounts   []int // those above 0
}

// New is an empty book of so many classes.
func New[K comparable](classes int, opt Options) *Book[K] {
	b := &Book[K]{rows: map[K]*row{}, pools: make([]pool, classes), opt: opt}
	for i := range b.pools {
		b.pools[i].settle(nil)
	}
	return b
}

// Over is an empty book about the things of b, that have their occasions there
// and then: as many a day, or one where daily is set. It keeps only those that
// ever had anything; all others are as b knows them. Each day is to be learned by
// b first.
func (b *Book[K]) Over(daily bool) *Book[K] {
	c := New[K](len(b.pools), b.opt)
	c.base, c.daily = b, daily
	return c
}

// Learn takes in a day, numbered from any beginning. What is not in seen had no
// occasion. A day of which nothing is known is not to be learned.
func (b *Book[K]) Learn(day int, seen []Seen[K]) {
	f := 1.0
	if b.days > 0 {
		f = math.Pow(keepDay, float64(int32(day)-b.day))
	}
	b.day = int32(day)
	b.days++
	b.kept = b.kept*f + 1
	for i := range b.pools {
		p := &b.pools[i]
		p.n, p.k, p.extra = p.n*f, p.k*f, p.extra*f
		p.spread.Decay(f)
	}
	for i := range seen {
		b.learn(&seen[i])
	}
	b.order = slices.DeleteFunc(b.order, func(k K) bool {
		old := b.day-b.rows[k].last > forgotten
		if old {
			delete(b.rows, k)
		}
		return old
	})
	all := b.order
	if b.base != nil {
		all = b.base.order
	}
	for i := range b.pools {
		b.pools[i].settle(func(yield func(n, k float64)) {
			for _, k := range all {
				r := b.rows[k]
				if r == nil {
					r = b.borrowed(k)
				}
				if r != nil && int(r.class) == i {
					f := math.Pow(keepDay, float64(b.day-r.last))
					yield(float64(r.n)*f, float64(r.k)*f)
				}
			}
		})
	}
}

// borrowed is a row of a thing that never had anything: as the base knows it.
func (b *Book[K]) borrowed(k K) *row {
	if b.base == nil {
		return nil
	}
	r := b.base.rows[k]
	if r == nil {
		return nil
	}
	x := &row{n: r.n, there: r.there, last: r.last, days: r.days, class: r.class}
	if b.daily {
		x.n = r.there
	}
	return x
}

func (b *Book[K]) learn(s *Seen[K]) {
	if s.Occasions == 0 {
		return
	}
	p := &b.pools[s.Class]
	p.n += float64(s.Occasions)
	r := b.rows[s.Key]
	switch {
	case r == nil && b.base != nil && len(s.Amounts) == 0:
		return
	case r == nil:
		r = b.add(s)
	default:
		r.take(s.Class, s.Occasions, b.day)
	}
	if len(s.Amounts) == 0 {
		return
	}
	u := b.Usual(s.Key, s.Class)
	strange := false
	for _, x := range s.Amounts {
		y := stat.Cap(float64(x-1), u.Mean, u.Shape, capSD)
		r.highest = max(r.highest, uint16(min(x, math.MaxUint16)))
		news := u.Score(x) >= loud && r.loud < adoptDays
		if news {
			y = min(y, 2*p.mean+1)
		}
		p.spread.Add(y, u.Mean)
		p.k++
		p.extra += y
		if news {
			strange = true
			continue
		}
		r.k++
		r.extra += float32(y)
	}
	if strange {
		r.loud++
	}
	r.kept++
}

// add is a new row, with the day's occasions.
func (b *Book[K]) add(s *Seen[K]) *row {
	if len(b.spare) == 0 {
		b.spare = make([]row, 64)
	}
	var r *row
	r, b.spare = &b.spare[0], b.spare[1:]
	b.rows[s.Key] = r
	b.order = append(b.order, s.Key)
	if x := b.borrowed(s.Key); x != nil { // the base has the day in it
		*r = *x
		r.class, r.last = uint8(s.Class), b.day
		return r
	}
	r.last = b.day
	r.take(s.Class, s.Occasions, b.day)
	return r
}

// take takes in a day's occasions.
func (r *row) take(class, n int, day int32) {
	f := float32(math.Pow(keepDay, float64(day-r.last)))
	r.n, r.k, r.extra, r.there = r.n*f, r.k*f, r.extra*f, r.there*f
	r.class, r.last, r.days = uint8(class), day, r.days+1
	r.n += float32(n)
	r.there++
}

// settle makes the prior from the rows, each given as (n, k): the strength by
// moments of how far their shares differ (Kleinman 1973), held between bounds so
// that one failing thing does not make all others suspect, nor a still day make
// all alike.
func (p *pool) settle(rows func(func(n, k float64))) {
	share := (p.k + 0.5) / (p.n + 50)
	weight, between, rows2 := 0.0, 0.0, 0.0
	if rows != nil {
		rows(func(n, k float64) {
			if n < 1 {
				return
			}
			d := min(k/n-share, 5*share+3/n) // winsorised
			weight += n
			between += n * d * d
			rows2++
		})
	}
	strength := 50.0
	if weight > 0 {
		own := share * (1 - share)
		over := between/weight - own*rows2/weight
		strength = own/max(over, own/2000) - 1
	}
	p.a = max(leastPeer, share*min(max(strength, 10), 2000))
	p.b = p.a * (1 - share) / share
	p.mean = (p.extra + 0.3) / (p.k + 1)
	p.shape = 1 // until something is known
	if k := p.spread.Shape(); k > 0 {
		p.shape = stat.Shrink(k, p.k, 1, 20)
	}
}

// size is the mean and shape of amount-1, given anything.
func (b *Book[K]) size(r *row, p *pool) (mean, shape float64) {
	mean, shape = p.mean, p.shape
	n := float64(sizePeers)
	if b.opt.NoPeers {
		mean, shape = 1, 0.5
	}
	if r == nil {
		return mean, shape
	}
	if b.opt.NoShrinkage && r.k > 0 {
		n = 0.1
	}
	mean = stat.Blend(float64(r.extra/max(r.k, 1e-6)), float64(r.k), mean, n)
	return mean, stat.Widen(shape, mean, float64(r.k)+n)
}

// Usual is what a thing is judged by.
type Usual struct {
	Chance      float64 // of anything, at an occasion
	Weight      float64 // occasions that it rests on, those of its peers included
	Mean, Shape float64 // of what comes beyond 1
	Occasions   float64 // its own, decayed
	With        float64 // of these, how many had anything
	Days        int     // on which it was there
	DaysWith    int     // on which it had anything
	Highest     int     // amount ever seen of it
}

// Usual is what is known of a thing; of one not known it is what is known of its
// class.
func (b *Book[K]) Usual(k K, class int) Usual {
	r, p := b.rows[k], &b.pools[class]
	if r == nil {
		r = b.borrowed(k)
	}
	alpha, beta := p.a, p.b
	if b.opt.NoPeers {
		alpha, beta = alonePrior*aloneWeight, (1-alonePrior)*aloneWeight
	}
	if b.opt.NoShrinkage && r != nil {
		alpha, beta = 0.05, 0.95
	}
	u := Usual{Chance: alpha / (alpha + beta), Weight: alpha + beta}
	u.Mean, u.Shape = b.size(r, p)
	if r == nil {
		return u
	}
	f := math.Pow(keepDay, float64(b.day-r.last))
	u.Occasions, u.With = float64(r.n)*f, float64(r.k)*f
	u.Weight += u.Occasions
	u.Chance = (alpha + u.With) / u.Weight
	u.Days, u.DaysWith, u.Highest = int(r.days), int(r.kept), int(r.highest)
	return u
}

// Score is -log10 of the chance of x or more at an occasion.
func (u Usual) Score(x int) float64 {
	if x <= 0 {
		return 0
	}
	return stat.Score(math.Log(u.Chance) + stat.LnUpper(float64(x-1), u.Mean, u.Shape))
}

// Without is the chance of anything if the last n occasions, which had something,
// are left out.
func (u Usual) Without(n int) float64 {
	k := min(float64(n), u.With)
	return max((u.Chance*u.Weight-k)/(u.Weight-k), 1e-6)
}

// Expected is the mean amount at an occasion.
func (u Usual) Expected() float64 { return u.Chance * (1 + u.Mean) }

// High is the amount that is reached in less than 2.5 % of the occasions.
func (u Usual) High() int {
	ln := math.Log(0.025)
	if math.Log(u.Chance) <= ln {
		return 0
	}
	x := 1
	for math.Log(u.Chance)+stat.LnUpper(float64(x), u.Mean, u.Shape) > ln && x < 1e6 {
		x++
	}
	return x
}

// Days is how many days were learned.
func (b *Book[K]) Days() int { return int(b.days) }

// Day is the number of the last day learned.
func (b *Book[K]) Day() int { return int(b.day) }

// Occasions is how many occasions the things of a class had, decayed.
func (b *Book[K]) Occasions(class int) float64 { return b.pools[class].n }

// PerDay is how many occasions the class has a day.
func (b *Book[K]) PerDay(class int) float64 {
	if b.kept == 0 {
		return 0
	}
	return b.pools[class].n / b.kept
}

// CloneOver is Clone of a book over another one, over base in its place.
func (b *Book[K]) CloneOver(base *Book[K]) *Book[K] {
	c := b.Clone()
	c.base = base
	return c
}

// Clone is a copy that learns on its own.
func (b *Book[K]) Clone() *Book[K] {
	c := *b
	c.rows, c.pools, c.spare = make(map[K]*row, len(b.rows)), append([]pool(nil), b.pools...), make([]row, len(b.rows))
	i := 0
	for k, r := range b.rows {
		c.spare[i] = *r
		c.rows[k] = &c.spare[i]
		i++
	}
	c.spare, c.order = nil, slices.Clone(b.order)
	return &c
}

// Len is how many things are known.
func (b *Book[K]) Len() int { return len(b.rows) }

// Bytes is about how much memory it takes: of each thing a row, its key twice,
// and a place in a map that is two thirds full.
func (b *Book[K]) Bytes() int {
	var k K
	key := int(unsafe.Sizeof(k))
	return 256*len(b.pools) + (int(unsafe.Sizeof(row{}))+key+3*(key+9)/2)*len(b.rows)
}
