package who

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

const (
	// skew is how far the clocks of devices and servers may be apart.
	skew = 30 * time.Second
	// seatHalf is the time after which somebody who was last seen at a device is
	// half as likely to be the one at it as somebody seen just now.
	seatHalf = 45 * time.Minute
	// seatLong is how long after a logon somebody may still sit there.
	seatLong = 16 * time.Hour
)

// devices tells who sat behind an inside address.
type devices struct {
	people  *people
	names   map[string]string // of devices, by what else identifies them, as the address of a network card
	holders map[string][]held // by address, in the order of their times
	seats   map[string][]seat // by device, likewise
}

// held is that a device got an address.
type held struct {
	at     time.Time
	device string
	gone   bool // it was given back
}

// seat is that somebody was seen at a device.
type seat struct {
	at   time.Time
	by   *person
	left bool
	// started: a process, which says that somebody works there; a logon may be of
	// a task that runs for them.
	started bool
}

// deviceOf is the name of a device as all logs would write it: without domain, in
// small letters; its identity where it has no name.
func deviceOf(e *event.Event) string {
	name, _, _ := strings.Cut(strings.ToLower(e.DeviceName), ".")
	if name == "" {
		name = strings.ToLower(e.DeviceUID)
	}
	return name
}

// called is the name of the device of an event, also where the log writes only what
// another has beside the name.
func (d *devices) called(e *event.Event) string {
	name := deviceOf(e)
	return cmp.Or(d.names[name], name)
}

// Of DHCP in OCSF.
const (
	dhcpRelease = 7
	dhcpExpire  = 8
)

func newDevices(s *scene) *devices {
	d := &devices{people: s.people, names: map[string]string{}, holders: map[string][]held{}, seats: map[string][]seat{}}
	for _, list := range [][]event.Event{s.leases, s.seats} {
		for i := range list {
			if e := &list[i]; e.DeviceName != "" && e.DeviceUID != "" {
				d.names[strings.ToLower(e.DeviceUID)] = deviceOf(e)
			}
		}
	}
	for i := range s.leases {
		e := &s.leases[i]
		device := d.called(e)
		if device == "" || e.Outcome != "" && e.Outcome != event.Success {
			continue
		}
		d.holders[e.SrcIP] = append(d.holders[e.SrcIP], held{e.Time, device, e.ActivityID == dhcpRelease || e.ActivityID == dhcpExpire})
	}
	for i := range s.seats {
		e := &s.seats[i]
		p, device := d.people.of(e.ActorUID), d.called(e)
		if p == nil || device == "" || e.Outcome != event.Success {
			continue
		}
		logon := e.ClassUID == event.ClassAuthentication
		d.seats[device] = append(d.seats[device], seat{e.Time, p, logon && e.ActivityID == 2, !logon})
		// Sensors write the address that a device has: there may be no lease of it.
		if !logon && e.SrcIP != "" {
			d.holders[e.SrcIP] = append(d.holders[e.SrcIP], held{e.Time, device, false})
		}
	}
	for _, list := range d.holders {
		slices.SortStableFunc(list, func(a, b held) int { return a.at.Compare(b.at) })
	}
	return d
}

// at is the device that has an inside address at a time; empty: not known.
func (d *devices) at(address string, t time.Time) string {
	list := d.holders[address]
	i := sort.Search(len(list), func(i int) bool { return list[i].at.After(t.Add(skew)) })
	if i == 0 {
		// A lease that was given before the log begins is renewed at half its time.
		if len(list) > 0 && list[0].at.Sub(t) <= seatLong/2 {
			return list[0].device
		}
		return ""
	}
	if list[i-1].gone {
		return ""
	}
	return list[i-1].device
}

// sat are the people who may have sat at a device at a time, each with how likely
// it was they.
func (d *devices) sat(device string, t time.Time) map[*person]float64 {
	nearest, left := map[*person]time.Duration{}, map[*person]bool{}
	for _, x := range d.seats[device] {
		age := t.Sub(x.at)
		switch {
		case age > seatLong || age < -burstGap:
		case age < -skew && !x.started:
		case age < 0:
			age = -age
			fallthrough
		default:
			if last, ok := nearest[x.by]; !ok || age <= last {
				nearest[x.by], left[x.by] = age, x.left
			}
		}
	}
	sum, out := 0.0, map[*person]float64{}
	for p, age := range nearest {
		if left[p] && len(nearest) > 1 {
			continue
		}
		out[p] = math.Exp2(-float64(age) / float64(seatHalf))
		sum += out[p]
	}
	for p := range out {
		out[p] /= sum
	}
	return out
}

// behind are the people who may have made a line of the proxy: whom it names, or
// who sat at the device that had the address.
func (d *devices) behind(e *event.Event) map[*person]float64 {
	if isPerson(e) {
		if p := d.people.of(e.ActorUID); p != nil {
			return map[*person]float64{p: 1}
		}
	}
	return d.sat(d.of(e), e.Time)
}

// of is the device that a line of the proxy came from; empty: not known.
func (d *devices) of(e *event.Event) string { return cmp.Or(d.called(e), d.at(e.SrcIP, e.Time)) }

const (
	// A name of the proxy's is somebody's who sat at its devices at so many lines, and
	// at nearly all there are.
	aliasLines = 5
	aliasShare = 0.9
)

// meet takes names that the proxy alone writes, as an employee's number, for whoever
// was logged on at the devices that they browse from.
func (d *devices) meet(pages []event.Event) {
	lines, sat := map[*person]float64{}, map[*person]map[*person]float64{}
	for i := range pages {
		e := &pages[i]
		p := d.people.of(e.ActorUID)
		if p == nil || !isPerson(e) || strings.Contains(p.uid, "@") {
			continue
		}
		lines[p]++
		for q, share := range d.sat(d.of(e), e.Time) {
			if sat[p] == nil {
				sat[p] = map[*person]float64{}
			}
			sat[p][q] += share
		}
	}
	for _, p := range slices.Clone(d.people.all) {
		for q, n := range sat[p] { // at most one is so often there
			if q != p && lines[p] >= aliasLines && n >= aliasShare*lines[p] {
				d.people.join(q, p)
			}
		}
	}
}
