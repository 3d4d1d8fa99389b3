package frequency

import "github.com/yagura-sec/yagura/detect/anomaly/pack"

// packed is what is learned of all secrets, one after the other: about 190 bytes
// each, which a state takes 430 for. It is written anew when a day was learned and
// never changed, so that copies share it.
type packed struct {
	bytes []byte
	ends  []uint32 // by secret, where it ends
}

// near is how many states are held unpacked at most, while hours are judged.
const near = 512

// unpacked is a state as it was when the day before had been learned.
type unpacked struct {
	secret int32
	state  *state
}

// state gives what is learned of a secret. Outside of Learn it is a copy, which
// changes nothing.
func (s *sign) state(secret int32) *state {
	if s.secrets != nil {
		return &s.secrets[secret]
	}
	if s.scratch.near == nil {
		s.scratch.near = make([]unpacked, near)
	}
	slot := &s.scratch.near[secret%near]
	if slot.state == nil || slot.secret != secret {
		slot.secret, slot.state = secret, s.packed.state(secret)
	}
	return slot.state
}

// open unpacks all that is learned, and seal packs it again.
func (s *sign) open() {
	s.scratch.near = nil
	all := make([]state, len(s.home))
	for i := range s.packed.ends {
		all[i].read(s.packed.of(int32(i)))
	}
	s.secrets = all
}

func (s *sign) seal() {
	w := pack.Writer{B: make([]byte, 0, len(s.packed.bytes)+len(s.packed.bytes)/16+256)}
	ends := make([]uint32, len(s.secrets))
	for i := range s.secrets {
		s.secrets[i].write(&w)
		w.End()
		ends[i] = uint32(len(w.B))
	}
	s.packed = packed{w.B, ends}
	s.secrets = nil
}

func (p *packed) of(secret int32) pack.Reader {
	start := uint32(0)
	if secret > 0 {
		start = p.ends[secret-1]
	}
	return pack.Reader{B: p.bytes[start:p.ends[secret]]}
}

// state of a secret; one that came since is empty.
func (p *packed) state(secret int32) *state {
	st := new(state)
	if int(secret) < len(p.ends) {
		st.read(p.of(secret))
	}
	return st
}

// floats are the fields that are often 0.
func (st *state) floats() [16]*float32 {
	d, e, t := &st.spread, &st.daily, &st.tail
	return [...]*float32{&st.level, &st.slow, &st.calls, &st.cusum, &st.peak, &st.peakVar, &st.start,
		&d.Square, &d.Spread, &d.Mean, &e.Square, &e.Spread, &e.Mean, &t.N, &t.Above, &t.Excess}
}

func (st *state) write(w *pack.Writer) {
	w.Bool(st.started)
	for _, x := range st.floats() {
		w.Float(*x)
	}
	w.Number(uint32(st.days))
	w.Number(uint32(st.peaks))
	w.Number(uint32(uint8(st.streak)))
	w.Number(uint32(uint8(st.fast)))
	st.writeRhythm(w)
	if w.Bool(st.rose[1] > 0); st.rose[1] > 0 {
		w.Bits(uint32(st.rose[0]), 16)
		w.Bits(uint32(st.rose[1]), 16)
	}
	if w.Number(uint32(st.climb.days)); st.climb.days > 0 {
		w.Float(st.climb.first)
		w.Float(st.climb.last)
	}
	for _, r := range st.known {
		if w.Number(uint32(r.actor)); r.actor > 0 {
			w.Float(r.part)
		}
	}
	for _, e := range st.ends {
		if w.Bool(e.day > 0); e.day > 0 {
			w.Bits(uint32(e.day), 16)
			w.Float(e.rise)
		}
	}
	for _, r := range st.runs { // those that are come first
		if w.Bool(r.size > 0); r.size <= 0 {
			break
		}
		w.Bits(uint32(r.day), 16)
		w.Bits(uint32(r.hour), 5)
		w.Bool(r.told)
		w.Float(r.size)
	}
}

// writeRhythm writes what goes by the hour. Samples are mostly as many as in the
// hour before.
func (st *state) writeRhythm(w *pack.Writer) {
	last := uint8(0)
	for c := range st.profile {
		for h, x := range st.profile[c] {
			if w.Bool(x > 0); x > 0 {
				w.Bits(uint32(x), 16)
			}
			n := st.samples[c][h]
			if w.Bool(n != last); n != last {
				w.Bits(uint32(n), 6)
				last = n
			}
		}
	}
	for _, x := range st.past {
		w.Number(swap(uint32(x)))
	}
}

// swap makes an hour without reads, which is 1 in state.past, take the least.
func swap(x uint32) uint32 {
	if x < 2 {
		return 1 - x
	}
	return x
}

func (st *state) read(r pack.Reader) {
	if len(r.B) == 0 {
		return
	}
	st.started = r.Bool()
	for _, x := range st.floats() {
		*x = r.Float()
	}
	st.days = uint16(r.Number())
	st.peaks = uint16(r.Number())
	st.streak = int8(uint8(r.Number()))
	st.fast = int8(uint8(r.Number()))
	st.readRhythm(&r)
	if r.Bool() {
		st.rose[0], st.rose[1] = uint16(r.Bits(16)), uint16(r.Bits(16))
	}
	if st.climb.days = uint8(r.Number()); st.climb.days > 0 {
		st.climb.first, st.climb.last = r.Float(), r.Float()
	}
	for i := range st.known {
		k := &st.known[i]
		if k.actor = int32(r.Number()); k.actor > 0 {
			k.part = r.Float()
		}
	}
	for i := range st.ends {
		if r.Bool() {
			st.ends[i].day = uint16(r.Bits(16))
			st.ends[i].rise = r.Float()
		}
	}
	for i := range st.runs {
		if !r.Bool() {
			break
		}
		st.runs[i] = run{day: uint16(r.Bits(16)), hour: uint8(r.Bits(5)), told: r.Bool(), size: r.Float()}
	}
}

func (st *state) readRhythm(r *pack.Reader) {
	last := uint8(0)
	for c := range st.profile {
		for h := range st.profile[c] {
			if r.Bool() {
				st.profile[c][h] = portion(r.Bits(16))
			}
			if r.Bool() {
				last = uint8(r.Bits(6))
			}
			st.samples[c][h] = last
		}
	}
	for i := range st.past {
		st.past[i] = uint16(swap(r.Number()))
	}
}
