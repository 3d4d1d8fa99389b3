package frequency

import (
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/stat"
)

// pool is how the reads of many secrets share the hours of the week: of a
// family, an account, or the estate.
type pool struct {
	week   [168]portion // mean of reads/level by hour of the week, UTC, Monday first
	weight float32      // secret-weeks it rests on
	offset int8         // hours east of UTC where its days off begin at midnight
	parent int32
}

// portion is a number from 0 to 64 in steps of 1/1024.
type portion uint16

func toPortion(x float64) portion { return portion(min(max(x, 0)*1024+0.5, 65535)) }

func (p portion) value() float64 { return float64(p) / 1024 }

func newPool(parent int32) pool {
	p := pool{parent: parent}
	for i := range p.week {
		p.week[i] = toPortion(1)
	}
	return p
}

// hourOfWeek counts from Monday, 00:00 UTC.
func hourOfWeek(t time.Time) int {
	return (int(t.Weekday())+6)%7*24 + t.Hour()
}

// class is the class of day, 0 for working days and 1 for days off, where the
// pool's people live, and the hour of the day in UTC.
func (p *pool) class(t time.Time) (class, hour int) { return p.classOf(hourOfWeek(t)) }

func (p *pool) classOf(how int) (class, hour int) {
	if off(how, int(p.offset)) {
		class = 1
	}
	return class, how % 24
}

// off tells whether the hour of the week (UTC) is on a Saturday or Sunday so
// many hours east of UTC.
func off(how, offset int) bool { return (how+offset+168)%168 >= 120 }

// take averages what its secrets had on one day into the pool: sums[h] is the sum
// of weight*reads/level in hour h, weights[h] of the weights.
func (p *pool) take(day time.Time, sums, weights *[24]float64) {
	start := hourOfWeek(day)
	most := 0.0
	for h := range sums {
		if weights[h] <= 0 {
			continue
		}
		most = max(most, weights[h])
		// An hour of the week counts four times its weight a month; older ones
		// are forgotten by and by.
		had := min(float64(p.weight), 6*weights[h])
		gain := weights[h] / (had + weights[h] + 1e-9)
		w := &p.week[start+h]
		*w = toPortion(w.value() + gain*(sums[h]/weights[h]-w.value()))
	}
	p.weight = min(p.weight+float32(most/7), 1000)
}

// settle finds in what zone the pool's people live: where a line between working
// days and days off tells its hours apart best.
func (p *pool) settle(parent *pool) {
	if parent != nil {
		p.offset = parent.offset
	}
	if p.weight < 2 {
		return
	}
	best := p.within(int(p.offset)) * 0.98 // to change it takes more than noise
	for o := -11; o <= 14; o++ {
		if v := p.within(o); v < best {
			best, p.offset = v, int8(o)
		}
	}
}

// prior is what the hours of the pool's secrets are like where nothing is known of
// one: the mean of such hours, and that of its parent, which counts as much as two
// secrets in a week.
func (s *sign) prior(p *pool, class, hour int) float64 {
	base := 1.0
	if p.parent >= 0 {
		base = s.prior(&s.pools[p.parent], class, hour)
	}
	if p.weight < 0.5 {
		return base
	}
	sum, n := 0.0, 0.0
	for how := hour; how < len(p.week); how += 24 {
		if off(how, int(p.offset)) == (class == 1) {
			sum += p.week[how].value()
			n++
		}
	}
	return stat.Blend(sum/max(n, 1), float64(p.weight), base, 2)
}

func (p *pool) means(offset int) (means, n [2][24]float64) {
	for how, w := range p.week {
		c := 0
		if off(how, offset) {
			c = 1
		}
		means[c][how%24] += w.value()
		n[c][how%24]++
	}
	for c := range means {
		for h := range means[c] {
			means[c][h] /= max(n[c][h], 1)
		}
	}
	return means, n
}

// within is how much the pool's hours differ from the mean of their class.
func (p *pool) within(offset int) float64 {
	means, _ := p.means(offset)
	sum := 0.0
	for how, w := range p.week {
		c := 0
		if off(how, offset) {
			c = 1
		}
		d := w.value() - means[c][how%24]
		sum += d * d
	}
	return sum
}
