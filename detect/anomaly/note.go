package anomaly

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

// noteVersion is the first byte of a note. A note of another version is as none.
const noteVersion = 1

// maxNote is how large a note may be; a day that needs more is not noted.
const maxNote = 16 << 20

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1))
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
)

// note writes the summary of a whole day down. An hour takes about 5 bytes a
// secret and user of it, compressed. Ok is false where it would be too large.
func (s *summary) note(limit int) (n finding.Note, ok bool) {
	w := &coder{day: s.day, writing: true, texts: map[string]uint64{}}
	w.summary(s)
	body := binary.AppendUvarint(nil, uint64(len(w.list)))
	for _, t := range w.list {
		body = binary.AppendUvarint(body, uint64(len(t)))
		body = append(body, t...)
	}
	body = append(body, w.buf...)
	n = finding.Note{Day: s.day, Body: packer.EncodeAll(body, []byte{noteVersion})}
	return n, len(n.Body) <= limit
}

var errNote = errors.New("not a note of this version")

// noted reads a note.
func noted(n finding.Note) (*summary, error) {
	if len(n.Body) == 0 || n.Body[0] != noteVersion {
		return nil, errNote
	}
	body, err := unpacker.DecodeAll(n.Body[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("note of %s: %w", n.Day.Format(time.DateOnly), err)
	}
	r := &coder{day: n.Day, buf: body}
	for range r.length(r.get()) {
		k := r.length(r.get())
		r.list = append(r.list, string(r.buf[:k]))
		r.buf = r.buf[k:]
	}
	s := newSummary(n.Day)
	r.summary(s)
	if r.err == nil && len(r.buf) > 0 {
		r.err = errors.New("there is more than was written")
	}
	if r.err != nil {
		return nil, fmt.Errorf("note of %s: %w", n.Day.Format(time.DateOnly), r.err)
	}
	return s, nil
}

// coder writes or reads: the same walk through a summary does both.
type coder struct {
	day     time.Time
	writing bool
	buf     []byte
	texts   map[string]uint64
	list    []string
	err     error
}

func (c *coder) get() uint64 {
	x, n := binary.Uvarint(c.buf)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.buf = c.buf[n:]
	return x
}

func (c *coder) fail() {
	if c.err == nil {
		c.err = errors.New("it is cut off or damaged")
	}
	c.buf = nil
}

// length is how many things follow, which take a byte each at least.
func (c *coder) length(n uint64) int {
	if n > uint64(len(c.buf)) {
		c.fail()
		return 0
	}
	return int(n)
}

func number[T int32 | int64 | int](c *coder, x *T) {
	if c.writing {
		c.buf = binary.AppendVarint(c.buf, int64(*x))
		return
	}
	v, n := binary.Varint(c.buf)
	if n <= 0 {
		c.fail()
		return
	}
	c.buf = c.buf[n:]
	*x = T(v)
}

func text[T ~string](c *coder, s *T) {
	if c.writing {
		i, ok := c.texts[string(*s)]
		if !ok {
			i = uint64(len(c.list))
			c.list = append(c.list, string(*s))
			c.texts[string(*s)] = i
		}
		c.buf = binary.AppendUvarint(c.buf, i)
		return
	}
	i := c.get()
	if i >= uint64(len(c.list)) {
		c.fail()
		return
	}
	*s = T(c.list[i])
}

// moment is a time to the microsecond since the hour.
func moment(c *coder, hour time.Time, t *time.Time) {
	d := int64(t.Sub(hour) / time.Microsecond)
	number(c, &d)
	if !c.writing {
		*t = hour.Add(time.Duration(d) * time.Microsecond)
	}
}

func list[T any](c *coder, l *[]T, each func(*T)) {
	n := len(*l)
	if c.writing {
		c.buf = binary.AppendUvarint(c.buf, uint64(n))
	} else {
		n = c.length(c.get())
		if n > 0 {
			*l = make([]T, n)
		}
	}
	for i := range n {
		if c.err != nil {
			return
		}
		each(&(*l)[i])
	}
}

func (c *coder) summary(s *summary) {
	c.names(&s.names)
	for i := range s.hours {
		h := s.hours[i]
		there := 0 // 1: it is; 2: and cut
		if h != nil {
			there = 1
			if h.Cut {
				there = 2
			}
		}
		number(c, &there)
		if there == 0 {
			continue
		}
		if !c.writing {
			h = &watch.Hour{Start: c.day.Add(time.Duration(i) * time.Hour), Events: true, Cut: there == 2}
			s.hours[i] = h
		}
		c.hour(h)
		list(c, &s.replicas[i], func(r *replica) { c.index(&r.secret, len(s.names.Secrets)); text(c, &r.region) })
		if !c.writing {
			c.check(s, h)
		}
	}
}

// index is a number below n, or -1.
func (c *coder) index(x *int32, n int) {
	number(c, x)
	if *x < -1 || int(*x) >= n {
		c.fail()
		*x = -1
	}
}

func (c *coder) names(n *names) {
	var secrets, actors, accounts []string
	if c.writing {
		for i := range n.Secrets {
			secrets = append(secrets, n.Secrets[i].UID)
		}
		for i := range n.Actors {
			actors = append(actors, n.Actors[i].UID)
		}
		accounts = n.Accounts
	}
	for _, l := range []*[]string{&secrets, &actors, &accounts} {
		list(c, l, func(s *string) { text(c, s) })
	}
	if c.writing {
		return
	}
	for _, s := range secrets {
		n.secret(s)
	}
	for _, s := range actors {
		n.actor(s)
	}
	for _, s := range accounts {
		n.account(s)
	}
	if len(n.Secrets) != len(secrets) || len(n.Actors) != len(actors) || len(n.Accounts) != len(accounts) {
		c.fail() // names that are none of ours
	}
}

func (c *coder) hour(h *watch.Hour) {
	at := h.Start
	caller := func(x *event.Caller) { text(c, x) }
	ids := func(l *[]int32) { list(c, l, func(x *int32) { number(c, x) }) }
	list(c, &h.Peaks, func(p *watch.Peak) { number(c, &p.Secret); moment(c, at, &p.At); number(c, &p.Count) })
	list(c, &h.Bursts, func(b *watch.Burst) {
		number(c, &b.Actor)
		caller(&b.Caller)
		ids(&b.Secrets)
		number(c, &b.Count)
		moment(c, at, &b.First)
		moment(c, at, &b.Last)
	})
	list(c, &h.People, func(p *watch.PersonHour) {
		text(c, &p.Person)
		number(c, &p.Actor)
		number(c, &p.Account)
		caller(&p.Caller)
		text(c, &p.Region)
		number(c, &p.Calls)
		number(c, &p.Writes)
		list(c, &p.Networks, func(s *string) { text(c, s) })
		list(c, &p.Reads, func(r *watch.PersonRead) {
			number(c, &r.Secret)
			number(c, &r.Count)
			number(c, &r.Denied)
			moment(c, at, &r.First)
		})
		moment(c, at, &p.First)
		moment(c, at, &p.Last)
	})
	list(c, &h.Sources, func(u *watch.SourceUse) {
		number(c, &u.Actor)
		number(c, &u.Secret)
		caller(&u.Caller)
		text(c, &u.Network)
		number(c, &u.Count)
		moment(c, at, &u.First)
	})
	list(c, &h.Tries, func(t *watch.Try) {
		number(c, &t.Actor)
		text(c, &t.Person)
		number(c, &t.Account)
		caller(&t.Caller)
		moment(c, at, &t.At)
		for _, n := range []*int32{&t.Calls, &t.Pairs, &t.Attempts} {
			number(c, n)
		}
		ids(&t.Secrets)
		ids(&t.Granted)
		text(c, &t.Operation)
		text(c, &t.Code)
		text(c, &t.Network)
		moment(c, at, &t.First)
		moment(c, at, &t.Last)
	})
	list(c, &h.SignIns, func(s *watch.SignIn) {
		number(c, &s.Account)
		text(c, &s.User)
		text(c, &s.IP)
		moment(c, at, &s.At)
		number(c, &s.Failed)
		number(c, &s.Succeeded)
		moment(c, at, &s.First)
		moment(c, at, &s.Last)
	})
}

// check refuses numbers that name nothing.
func (c *coder) check(s *summary, h *watch.Hour) {
	below := func(n int, list ...int32) {
		for _, x := range list {
			if x < 0 || int(x) >= n {
				c.fail()
			}
		}
	}
	secrets, actors, accounts := len(s.names.Secrets), len(s.names.Actors), len(s.names.Accounts)
	for i := range h.Peaks {
		below(secrets, h.Peaks[i].Secret)
	}
	for i := range h.Bursts {
		below(actors, h.Bursts[i].Actor)
		below(secrets, h.Bursts[i].Secrets...)
	}
	for i := range h.People {
		below(actors, h.People[i].Actor)
		below(accounts, h.People[i].Account)
		for _, r := range h.People[i].Reads {
			below(secrets, r.Secret)
		}
	}
	for i := range h.Sources {
		below(actors, h.Sources[i].Actor)
		below(secrets, h.Sources[i].Secret)
	}
	for i := range h.Tries {
		below(actors, h.Tries[i].Actor)
		below(accounts, h.Tries[i].Account)
		below(secrets, h.Tries[i].Secrets...)
		below(secrets, h.Tries[i].Granted...)
	}
	for i := range h.SignIns {
		below(accounts, h.SignIns[i].Account)
	}
}
