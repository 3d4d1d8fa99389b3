package calendar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// zones are the time zones that a calendar may name.
type zones struct {
	zone  *time.Location // of times that name none
	named bool           // the calendar says so itself
	own   map[string]*component
	known map[string]*time.Location
	until time.Time // transitions are wanted until then
	work  *budget
}

// zonesOf gathers what a calendar says of zones.
func (s *reading) zonesOf(c *component) *zones {
	_, to := s.horizon()
	z := &zones{zone: s.Zone, own: map[string]*component{}, known: map[string]*time.Location{}, until: to.AddDate(1, 0, 0), work: &s.budget}
	if z.zone == nil {
		z.zone = time.UTC
	}
	for _, t := range c.children {
		if t.name == "VTIMEZONE" {
			z.own[t.text("TZID")] = t
		}
	}
	if p := c.get("X-WR-TIMEZONE"); p != nil && strings.TrimSpace(p.value) != "" {
		own, err := z.find(strings.TrimSpace(p.value))
		if err != nil {
			s.wrong(p.line, fmt.Errorf("X-WR-TIMEZONE: %w", err))
		} else {
			z.zone, z.named = own, true
		}
	}
	return z
}

// find is the zone of a TZID: by its name where the world knows it, otherwise as
// the file describes it. Names are believed first because the descriptions that
// calendars write often leave out what changed over the years.
func (z *zones) find(id string) (*time.Location, error) {
	id = strings.TrimSpace(id)
	if l := z.known[id]; l != nil {
		return l, nil
	}
	l, err := z.look(id)
	if err == nil {
		z.known[id] = l
	}
	return l, err
}

func (z *zones) look(id string) (*time.Location, error) {
	if l := byName(id); l != nil {
		return l, nil
	}
	own := z.own[id]
	if own != nil {
		if l := byName(own.text("X-LIC-LOCATION")); l != nil {
			return l, nil
		}
	}
	// Such as /example.org/20240101_1/Europe/Berlin.
	for tail := id; strings.HasPrefix(id, "/") && strings.Contains(tail, "/"); {
		_, tail, _ = strings.Cut(tail, "/")
		if l := byName(tail); l != nil && strings.Contains(tail, "/") {
			return l, nil
		}
	}
	if own == nil {
		return nil, fmt.Errorf("no time zone %.60q is known, and the file has no VTIMEZONE of it", id)
	}
	l, err := z.build(id, own)
	if err != nil {
		return nil, fmt.Errorf("time zone %.60q: %w", id, err)
	}
	return l, nil
}

// byName is a zone by its IANA or Windows name; nil: there is none.
func byName(name string) *time.Location {
	if iana := windowsZones[name]; iana != "" {
		name = iana
	}
	if name == "" || name == "Local" {
		return nil // to LoadLocation, the zone of this machine
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return l
}

// onset is that a zone's offset changes.
type onset struct {
	at     int64
	offset int // east of Greenwich, seconds, from then on
	dst    bool
}

const maxOnsets = 4_000

// build makes a zone of its VTIMEZONE.
func (z *zones) build(id string, c *component) (*time.Location, error) {
	if c.err != nil {
		return nil, c.err
	}
	var all []onset
	first := 0 // offset before any change
	for _, o := range c.children {
		if o.name != "STANDARD" && o.name != "DAYLIGHT" {
			continue
		}
		from, err := parseOffset(o.text("TZOFFSETFROM"))
		if err != nil {
			return nil, err
		}
		to, err := parseOffset(o.text("TZOFFSETTO"))
		if err != nil {
			return nil, err
		}
		walls, err := z.onsets(o, from)
		if err != nil {
			return nil, err
		}
		for _, w := range walls {
			all = append(all, onset{w.Unix() - int64(from), to, o.name == "DAYLIGHT"})
		}
		if len(walls) > 0 && all[len(all)-len(walls)].at <= earliest(all) {
			first = from
		}
	}
	switch {
	case len(all) == 0:
		return nil, errors.New("it has neither STANDARD nor DAYLIGHT")
	case len(all) > maxOnsets:
		return nil, fmt.Errorf("it changes more than %d times", maxOnsets)
	}
	slices.SortStableFunc(all, func(a, b onset) int { return int(min(max(a.at-b.at, -1), 1)) })
	return time.LoadLocationFromTZData(id, tzif(first, all))
}

func earliest(all []onset) int64 {
	return slices.MinFunc(all, func(a, b onset) int { return int(min(max(a.at-b.at, -1), 1)) }).at
}

// onsets are the wall's times when an offset begins to hold.
func (z *zones) onsets(o *component, from int) ([]time.Time, error) {
	start, err := time.Parse("20060102T150405", o.text("DTSTART"))
	if err != nil || start.Year() < 1600 {
		return nil, fmt.Errorf("%s: DTSTART %.40q is no time", o.name, o.text("DTSTART"))
	}
	all := []time.Time{start}
	for _, p := range o.all("RDATE") {
		for one := range strings.SplitSeq(p.value, ",") {
			t, err := time.Parse("20060102T150405", strings.TrimSpace(one))
			if err != nil {
				return nil, fmt.Errorf("%s: RDATE %.40q is no time", o.name, one)
			}
			all = append(all, t)
		}
	}
	for _, p := range o.all("RRULE") {
		r, err := parseRule(p.value)
		if err != nil {
			return nil, err
		}
		err = z.work.walls(r, start, z.until, func(t time.Time) time.Time { return t.Add(time.Duration(from) * time.Second) },
			func(t time.Time) { all = append(all, t) })
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parseOffset reads +0100 or -053000.
func parseOffset(s string) (int, error) {
	wrong := fmt.Errorf("%.20q is no offset from UTC", s)
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, wrong
	}
	n, err := strconv.ParseUint(s[1:], 10, 32)
	if err != nil {
		return 0, wrong
	}
	if len(s) == 5 {
		n *= 100
	}
	h, m, sec := int(n/10000), int(n/100%100), int(n%100)
	if h > 23 || m > 59 || sec > 59 {
		return 0, wrong
	}
	total := h*3600 + m*60 + sec
	if s[0] == '-' {
		total = -total
	}
	return total, nil
}

// tzif writes a zone in the form of zone files (RFC 8536), which is the one way
// to make a time.Location that knows summer time.
func tzif(first int, all []onset) []byte {
	type kind struct {
		offset int
		dst    bool
	}
	kinds := []kind{{first, false}}
	var times, indices []byte
	for _, o := range all {
		k := kind{o.offset, o.dst}
		i := slices.Index(kinds, k)
		if i < 0 && len(kinds) < 255 {
			i = len(kinds)
			kinds = append(kinds, k)
		}
		times = binary.BigEndian.AppendUint64(times, uint64(o.at))
		indices = append(indices, byte(max(i, 0)))
	}
	var b bytes.Buffer
	head := func(onsets, kinds, letters int) {
		b.WriteString("TZif2")
		b.Write(make([]byte, 15))
		for _, n := range []int{0, 0, 0, onsets, kinds, letters} {
			b.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
		}
	}
	// The first block is of 32 bits, for readers of long ago: one kind, no changes.
	head(0, 1, 1)
	b.Write(make([]byte, 7))
	head(len(all), len(kinds), 1)
	b.Write(times)
	b.Write(indices)
	for _, k := range kinds {
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(int32(k.offset))))
		b.WriteByte(map[bool]byte{true: 1}[k.dst])
		b.WriteByte(0)
	}
	b.WriteByte(0) // no abbreviations
	b.WriteString("\n\n")
	return b.Bytes()
}
