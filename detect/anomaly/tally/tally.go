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

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
	"github.com/yagura-sec/yagura/detect/anomaly/table"
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
	things table.Table[K, thing] // empty where there is a base, which has them
	had    table.Table[K, had]
	pools  []pool
	opt    Options
	day    int32   // the last one learned
	days   int32   // how many were learned
	kept   float64 // the same, decayed

	base  *Book[K] // where there is one, it tells the things and their occasions
	daily bool     // and they are its days
}

// thing is one thing. Most never have anything, and of them this is all.
type thing struct {
	n, there float32 // occasions, and days with any
	last     int32   // day
	days     uint16
	class    uint8
}

// had is what a thing had that ever had anything.
type had struct {
	k       float32 // occasions with anything
	extra   float32 // sum of amount-1
	last    uint16  // day of the last occasion; days are so many that differences can be told
	kept    uint16  // days with anything
	highest uint16
	loud    uint8 // days on which it was very unlike itself
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
	b := &Book[K]{pools: make([]pool, classes), opt: opt}
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
	b.things.Drop(func(_ K, t *thing) bool { return b.day-t.last > forgotten })
	b.had.Drop(func(_ K, h *had) bool { return uint16(b.day)-h.last > forgotten })
	for i := range b.pools {
		b.pools[i].settle(func(yield func(n, k float64)) {
			for key, t := range b.all().All {
				if int(t.class) != i {
					continue
				}
				k := 0.0
				if h := b.had.Get(key); h != nil {
					k = float64(h.k)
				}
				f := math.Pow(keepDay, float64(b.day-t.last))
				yield(float64(b.occasions(t))*f, k*f)
			}
		})
	}
}

// all is all things.
func (b *Book[K]) all() *table.Table[K, thing] {
	if b.base != nil {
		return &b.base.things
	}
	return &b.things
}

// occasions is how many the thing had, as of its last one.
func (b *Book[K]) occasions(t *thing) float32 {
	if b.daily {
		return t.there
	}
	return t.n
}

func (b *Book[K]) learn(s *Seen[K]) {
	if s.Occasions == 0 {
		return
	}
	p := &b.pools[s.Class]
	p.n += float64(s.Occasions)
	if b.base == nil {
		b.things.Put(s.Key).take(s.Class, s.Occasions, b.day)
	}
	h := b.had.Get(s.Key)
	if h != nil {
		f := float32(math.Pow(keepDay, float64(uint16(b.day)-h.last)))
		h.k, h.extra, h.last = h.k*f, h.extra*f, uint16(b.day)
	}
	if len(s.Amounts) == 0 {
		return
	}
	if h == nil {
		h = b.had.Put(s.Key)
		h.last = uint16(b.day)
	}
	u := b.Usual(s.Key, s.Class)
	strange := false
	for _, x := range s.Amounts {
		y := stat.Cap(float64(x-1), u.Mean, u.Shape, capSD)
		h.highest = max(h.highest, uint16(min(x, math.MaxUint16)))
		news := u.Score(x) >= loud && h.loud < adoptDays
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
		h.k++
		h.extra += float32(y)
	}
	if strange {
		h.loud++
	}
	h.kept++
}

// take takes in a day's occasions.
func (t *thing) take(class, n int, day int32) {
	if t.days > 0 {
		f := float32(math.Pow(keepDay, float64(day-t.last)))
		t.n, t.there = t.n*f, t.there*f
	}
	t.class, t.last, t.days = uint8(class), day, t.days+1
	t.n += float32(n)
	t.there++
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

// size is the mean and shape of amount-1, given anything, of a thing that has had
// so much.
func (b *Book[K]) size(h *had, p *pool) (mean, shape float64) {
	mean, shape = p.mean, p.shape
	n := float64(sizePeers)
	if b.opt.NoPeers {
		mean, shape = 1, 0.5
	}
	if h == nil {
		return mean, shape
	}
	if b.opt.NoShrinkage && h.k > 0 {
		n = 0.1
	}
	mean = stat.Blend(float64(h.extra/max(h.k, 1e-6)), float64(h.k), mean, n)
	return mean, stat.Widen(shape, mean, float64(h.k)+n)
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
	t, h, p := b.all().Get(k), b.had.Get(k), &b.pools[class]
	alpha, beta := p.a, p.b
	if b.opt.NoPeers {
		alpha, beta = alonePrior*aloneWeight, (1-alonePrior)*aloneWeight
	}
	if b.opt.NoShrinkage && t != nil {
		alpha, beta = 0.05, 0.95
	}
	u := Usual{Chance: alpha / (alpha + beta), Weight: alpha + beta}
	if t == nil {
		u.Mean, u.Shape = b.size(nil, p)
		return u
	}
	if h == nil {
		h = &had{}
	}
	u.Mean, u.Shape = b.size(h, p)
	f := math.Pow(keepDay, float64(b.day-t.last))
	u.Occasions, u.With = float64(b.occasions(t))*f, float64(h.k)*f
	u.Weight += u.Occasions
	u.Chance = (alpha + u.With) / u.Weight
	u.Days, u.DaysWith, u.Highest = int(t.days), int(h.kept), int(h.highest)
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
	c.things, c.had, c.pools = b.things.Clone(), b.had.Clone(), slices.Clone(b.pools)
	return &c
}

// Len is how many things are kept: of a book over another one, those that ever had
// anything.
func (b *Book[K]) Len() int {
	if b.base != nil {
		return b.had.Len()
	}
	return b.things.Len()
}

// Bytes is how much memory it takes, without that of a book it is over.
func (b *Book[K]) Bytes() int { return 256*len(b.pools) + b.things.Bytes() + b.had.Bytes() }
