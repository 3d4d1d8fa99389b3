package api

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/event/trail"
	"github.com/yagura-sec/yagura/query"
)

const (
	// beforehand is how long before the time asked for logons and leases are read
	// that may still hold in it.
	beforehand = 24 * time.Hour
	// sitting is how long somebody is taken to be at a device after what shows it,
	// unless they leave or somebody else comes.
	sitting = 8 * time.Hour
	// mostDevices and mostShown bound what is read of devices.
	mostDevices = 20
	mostShown   = 2000
)

// stretch is a time that something holds.
type stretch struct{ from, to time.Time }

// byDevice takes the leases of the devices that the person was at, and from the
// addresses that these had the records that name nobody.
func (f *following) byDevice(ctx context.Context) error {
	presence, err := f.presence(ctx)
	if err != nil {
		return err
	}
	for _, device := range slices.Sorted(maps.Keys(presence))[:min(len(presence), mostDevices)] {
		leases, err := f.leases(ctx, device)
		if err != nil {
			return err
		}
		for _, l := range leases {
			for _, at := range presence[device] {
				from, to := later(l.from, at.from), earlier(l.to, at.to)
				whose := query.And{X: []query.Expr{is("src_ip", l.address), is("actor_uid", ""), query.Not{X: trail.Of(trail.Device)}}}
				if _, err := f.take(ctx, trail.ByLease, l.address+" ("+device+")", whose, from, to); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// presence is when the person was at which device.
func (f *following) presence(ctx context.Context) (map[string][]stretch, error) {
	var mine query.Or
	for _, n := range f.names() {
		mine.X = append(mine.X, is("actor_uid", n))
	}
	shown := query.And{X: []query.Expr{mine, query.Like{Field: "format", Pattern: "edr.*"}}}
	own, err := f.some(ctx, shown)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	var devices query.Or
	named := map[string]bool{}
	for i := range own {
		if name := own[i].DeviceName; name != "" && !named[name] && len(named) < mostDevices {
			named[name] = true
			devices.X = append(devices.X, is("device_name", name))
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	logons, err := f.some(ctx, query.And{X: []query.Expr{devices, is("format", "edr.logon"), query.Not{X: mine}}})
	if err != nil {
		return nil, err
	}
	out := map[string][]stretch{}
	for i := range own {
		e := &own[i]
		to := e.Time.Add(sitting)
		if e.APIOperation == "UserLogoff" || e.ActivityID == logoff {
			to = e.Time
		}
		for j := range logons { // the next who came
			if o := &logons[j]; deviceOf(o) == deviceOf(e) && o.Time.After(e.Time) && o.Outcome == event.Success {
				to = earlier(to, o.Time)
			}
		}
		out[deviceOf(e)] = join(out[deviceOf(e)], stretch{e.Time, to}, e.ActivityID == logoff)
	}
	delete(out, "")
	return out, nil
}

// logoff is OCSF's activity of who leaves.
const logoff int32 = 2

// join adds what a later event shows; who leaves has left.
func join(all []stretch, s stretch, left bool) []stretch {
	n := len(all)
	switch {
	case n > 0 && left && s.from.Before(all[n-1].to):
		all[n-1].to = s.from
	case n > 0 && !left && !s.from.After(all[n-1].to):
		all[n-1].to = later(all[n-1].to, s.to)
	case s.to.After(s.from):
		all = append(all, s)
	}
	return all
}

// some reads a bounded number of events of the time asked for and of before, the
// oldest first.
func (f *following) some(ctx context.Context, where query.Expr) (out []event.Event, err error) {
	q := query.Query{Where: where, Since: f.Since.Add(-beforehand), Until: f.Until, OldestFirst: true, NoRaw: true, Limit: mostShown}
	for e, err := range f.rooms.Select(ctx, q) {
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// lease is an address that a device had for a time.
type lease struct {
	address string
	stretch
}

// leases are those of a device, until the address was given to another, the device
// got another, or a day was over. The records of leases are taken too.
func (f *following) leases(ctx context.Context, device string) ([]lease, error) {
	given := query.Or{X: []query.Expr{query.Like{Field: "format", Pattern: "dhcp.*"}, is("format", "zeek.dhcp")}}
	called := query.Or{X: []query.Expr{query.Has{Field: "device_name", Pattern: query.Escape(device)}, query.Has{Field: "src_host", Pattern: query.Escape(device)}}}
	mine, err := f.some(ctx, query.And{X: []query.Expr{given, called}})
	if err != nil {
		return nil, err
	}
	mine = slices.DeleteFunc(mine, func(e event.Event) bool { return deviceOf(&e) != device || e.SrcIP == "" })
	var addresses query.Or
	for i := range mine {
		if x := is("src_ip", mine[i].SrcIP); !slices.Contains(addresses.X, x) {
			addresses.X = append(addresses.X, x)
		}
		name := mine[i].DeviceName
		if name == "" {
			continue
		}
		if _, err := f.take(ctx, trail.ByDevice, device, query.And{X: []query.Expr{given, is("device_name", name)}}, f.Since, f.Until); err != nil {
			return nil, err
		}
	}
	if len(addresses.X) == 0 {
		return nil, nil
	}
	all, err := f.some(ctx, query.And{X: []query.Expr{given, addresses}})
	if err != nil {
		return nil, err
	}
	var out []lease
	for i := range mine {
		l := lease{mine[i].SrcIP, stretch{mine[i].Time, mine[i].Time.Add(beforehand)}}
		for j := range all {
			if o := &all[j]; o.SrcIP == l.address && deviceOf(o) != device && o.Time.After(l.from) {
				l.to = earlier(l.to, o.Time)
			}
		}
		for j := range mine {
			if o := &mine[j]; o.SrcIP != l.address && o.Time.After(l.from) {
				l.to = earlier(l.to, o.Time)
			}
		}
		if n := len(out); n > 0 && out[n-1].address == l.address && !l.from.After(out[n-1].to) {
			out[n-1].to = later(out[n-1].to, l.to)
			continue
		}
		out = append(out, l)
	}
	return out, nil
}
