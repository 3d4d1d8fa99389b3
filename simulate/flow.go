package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// flow is that a program reads a secret, or that its starts read several.
type flow struct {
	reading *estate.Reading
	secrets []*secret
	clock   *clock
	rng     *rand.Rand // its own: what changes elsewhere does not change it
	k       float64    // dispersion
	way     way
	on      int64 // since when it is ON, of what switches
	off     int64 // until when
	next    int64 // when it comes on
	factor  float64
	phase   int64 // second of the hour in which caches end, of caching clients
	changes []*change
}

// way is how traffic comes.
type way uint8

const (
	smooth    way = iota // gamma-Poisson
	switching            // a steady level, and bursts with heavy tails
	caching              // clients that keep a secret for an hour
	toZero               // ON and OFF; every ON starts cold
)

func (e *engine) addFlows(p *program) {
	wl := p.wl
	if len(wl.Reads) == 0 {
		return
	}
	if wl.App.Together {
		f := e.newFlow(p, wl.Reads[0])
		for _, r := range wl.Reads[1:] {
			f.secrets = append(f.secrets, e.secrets[r.Secret])
		}
		return
	}
	for _, r := range wl.Reads {
		e.newFlow(p, r)
	}
}

func (e *engine) newFlow(p *program, r *estate.Reading) *flow {
	h := mix(p.who.hash ^ textHash(r.Secret.ARN))
	f := &flow{reading: r, secrets: []*secret{e.secrets[r.Secret]}, rng: rand.New(rand.NewPCG(uint64(e.c.Seed), h))}
	f.clock = e.clock(p.wl.App.Team.Zone)
	f.k = logNormal(f.rng, dispersionMedian, dispersionSigma)
	f.phase = int64(f.rng.IntN(cacheTTL))
	if e.w.Family == estate.Bursts {
		switch u := f.rng.Float64(); {
		case u < 0.5:
			f.way = switching
		case u < 0.85 && !p.wl.App.Together:
			f.way = caching
		default:
			f.way = toZero
		}
	}
	p.flows = append(p.flows, f)
	return f
}

// level is how many calls an hour is expected to have, as the clock stands.
func (f *flow) level(e *engine, c *clock, hour int64) float64 {
	r := f.reading
	v := r.Rate
	switch r.Rhythm {
	case estate.Office:
		v *= c.busy()
	case estate.Monthly:
		v *= c.busy()
		if c.monthEnd {
			v *= monthEnd
		}
	}
	if r.Growth != 0 {
		v *= 1 + r.Growth*float64(hour-e.from)/(30*86400)
	}
	if r.Step != 0 && hour >= r.StepAt.Unix() {
		v *= r.Step
	}
	return v
}

// draw appends the seconds of the hour's calls, about level of them.
func (f *flow) draw(to []int64, hour int64, level float64) []int64 {
	if level <= 0 {
		return to
	}
	switch f.way {
	case switching:
		if hour >= f.next {
			if f.next > 0 {
				length := int64(3600 * 0.45 * pareto(f.rng, onTail))
				f.on, f.off, f.factor = hour+int64(f.rng.IntN(3600)), 0, 1+min(pareto(f.rng, onTail), onFactorMax-1)
				f.off = f.on + min(length, 12*3600)
			}
			f.next = max(hour, f.off) + int64(f.rng.ExpFloat64()*3600/onShare)
		}
		base := level * math.Exp(offNoise*f.rng.NormFloat64()-offNoise*offNoise/2)
		to = f.spread(to, hour, hour+3600, base)
		if f.off > hour && f.on < hour+3600 {
			from, until := max(hour, f.on), min(hour+3600, f.off)
			to = f.spread(to, from, until, level*(f.factor-1)*float64(until-from)/3600)
		}
	case caching:
		// As many clients as calls in an hour; each asks again when its time to
		// live is over, all but the stragglers in the order they came.
		clients := int(level)
		if f.rng.Float64() < level-float64(clients) {
			clients++
		}
		for i := range clients {
			at := (f.phase + int64(i)*cacheTTL*618/1000 + int64(f.rng.IntN(8))) % cacheTTL
			to = append(to, hour+at)
		}
	case toZero:
		if hour >= f.next {
			length := int64(1800 * pareto(f.rng, onTail))
			f.on = hour + int64(f.rng.IntN(3600))
			f.off = f.on + min(length, 24*3600)
			f.next = f.off + int64(f.rng.ExpFloat64()*3600)
			cold := 1 + poisson(f.rng, min(level/2, 12))
			for range cold {
				to = append(to, f.on+int64(f.rng.IntN(25)))
			}
		}
		if f.off > hour && f.on < hour+3600 {
			from, until := max(hour, f.on), min(hour+3600, f.off)
			to = f.spread(to, from, until, 1.6*level*float64(until-from)/3600)
		}
	default:
		to = f.spread(to, hour, hour+3600, level*gamma(f.rng, f.k)/f.k)
	}
	return to
}

func (f *flow) spread(to []int64, from, until int64, mean float64) []int64 {
	for range poisson(f.rng, mean) {
		to = append(to, from+f.rng.Int64N(max(1, until-from)))
	}
	return to
}

// pareto draws from 1 up with a tail of exponent alpha.
func pareto(rng *rand.Rand, alpha float64) float64 {
	return math.Pow(1-rng.Float64(), -1/alpha)
}

// batch appends the seconds of a run that falls into the hour.
func (f *flow) batch(to []int64, c *clock, hour int64) []int64 {
	r := f.reading
	if c.hour != r.Minute/60 || r.Rhythm == estate.Weekly && int(c.weekday) != r.Weekday {
		return to
	}
	return f.runAt(to, hour+int64(r.Minute%60)*60, 1)
}

// runAt is a run that reads so many times as often as usual.
func (f *flow) runAt(to []int64, at int64, times float64) []int64 {
	at += int64(f.rng.IntN(91))
	for i := range int(float64(max(1, poisson(f.rng, f.reading.Rate))) * times) {
		to = append(to, at+int64(i/4)+int64(f.rng.IntN(3)))
	}
	return to
}

// work is an hour of a program.
func (e *engine) work(p *program) {
	if !p.alive(e.hour + 3599) {
		return
	}
	if p.deniedRate > 0 {
		e.refuse(p)
	}
	if len(p.flows) == 0 {
		return
	}
	if e.rng.Float64() < shareThrottled*8 {
		p.slowFrom = e.hour + int64(e.rng.IntN(3600))
		p.slowTo = p.slowFrom + 60 + int64(e.rng.IntN(120))
	}
	if e.rng.IntN(48) == 0 {
		p.renew()
	}
	for _, f := range p.flows {
		e.flow(p, f)
	}
}

func (e *engine) flow(p *program, f *flow) {
	r := f.reading
	times := e.seconds[:0]
	active := activeIn(f.changes, e.hour, e.hour+3600)
	switch {
	case r.Rhythm == estate.Batch || r.Rhythm == estate.Weekly:
		if len(f.changes) > 0 {
			times = f.shiftedBatch(times, e.hour)
		} else {
			times = f.batch(times, f.clock, e.hour)
		}
	case len(active) > 0:
		times = e.changed(times, f, active)
	default:
		times = f.draw(times, e.hour, f.level(e, f.clock, e.hour))
	}
	for _, at := range times {
		if p.alive(at) {
			e.start(p, f, at, active)
		}
	}
	e.seconds = times
}

// start is what one time of a flow does: a read, or a start that reads all.
func (e *engine) start(p *program, f *flow, at int64, active []*change) {
	m := e.modify(f, at, active)
	by := p
	if m.as != nil {
		by = m.as
	}
	s := by.any(e.rng)
	if len(f.secrets) > 1 {
		by.renew()
		s = by.live[len(by.live)-1]
	}
	for i, t := range f.secrets {
		if i > 0 {
			at += int64(e.rng.IntN(3))
		}
		if !t.exists(at) {
			continue
		}
		e.readBy(p, s, t, at, &m)
	}
}

// readBy is one read with the mishaps of every day.
func (e *engine) readBy(p *program, s *session, t *secret, at int64, m *modified) {
	region := t.Region
	if m.region != "" {
		region = m.region
	}
	c := call{at: at, who: s, secret: t, in: t.account.stream(region)}
	if m.errCode != "" {
		c.more = &more{errCode: m.errCode, errMsg: "The call failed"}
		if c.more.errCode == "AccessDeniedException" || c.more.errCode == "AccessDenied" {
			_, c.more.errMsg = denial(t.op.source, t.op.name, s.sessionARN())
		}
		e.read(c, m.label)
		return
	}
	if at >= p.slowFrom && at < p.slowTo {
		slow := c
		slow.mark |= isThrottled
		e.read(slow, nil)
		c.at += 1 + int64(e.rng.IntN(3))
	}
	e.read(c, m.label)
	if p.wl.App != nil && !p.wl.App.Together && e.rng.Float64() < shareNotFound {
		e.emit(call{at: at, who: s, op: &readOp, in: t.account.stream(region), mark: isMissing,
			more: &more{req: `{"secretId":"` + environment(t.account.Account) + "/" + p.wl.App.Name + `/legacy"}`}})
	}
}

// refuse has a program ask for what it may not have.
func (e *engine) refuse(p *program) {
	for range poisson(e.rng, p.deniedRate) {
		in := p.account.main
		if p.deniedOp.global {
			in = p.account.stream(global)
		}
		e.emit(call{at: e.hour + int64(e.rng.IntN(3600)), who: p.any(e.rng), op: p.deniedOp, in: in, mark: isDenied})
	}
}

// shiftedBatch is batch for a program whose runs some change moves, swells or
// stops.
func (f *flow) shiftedBatch(to []int64, hour int64) []int64 {
	r := f.reading
	for back := range 3 {
		local := time.Unix(hour, 0).In(f.clock.loc).AddDate(0, 0, 1-back)
		y, m, d := local.Date()
		at := time.Date(y, m, d, r.Minute/60, r.Minute%60, 0, 0, f.clock.loc)
		if r.Rhythm == estate.Weekly && int(at.Weekday()) != r.Weekday {
			continue
		}
		planned, times := at.Unix(), 1.0
		for _, c := range f.changes {
			if c.holds(planned) {
				at, times = at.Add(c.Shift), times*c.times()
			}
		}
		if at.Unix() >= hour && at.Unix() < hour+3600 {
			to = f.runAt(to, at.Unix(), times)
		}
	}
	return to
}
