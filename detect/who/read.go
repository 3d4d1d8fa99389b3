package who

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/companion"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// burstGap is the pause after which somebody came back.
const burstGap = 15 * time.Minute

// columns are what is read of events.
var columns = []string{
	"class_uid", "activity_id", "outcome", "format", "account_uid", "api_service", "api_operation", "api_request_uid", "actor_type", "actor_uid",
	"src_ip", "user_agent", "resource_uid", "device_uid", "device_name", "process", "url", "twin",
}

// scene is what was read around a run.
type scene struct {
	run          Run
	since, until time.Time
	bursts       []burst
	addresses    []string
	agents       map[string]bool
	service      string // whose agent made the calls
	companions   *companion.Catalogue

	project    []event.Event // done in the project by people
	behind     []event.Event // by people from the addresses
	operations []event.Event // of the same operations
	pages      []event.Event // of the provider's console, as the proxy saw them
	leases     []event.Event
	seats      []event.Event // logons and processes

	people  *people
	devices *devices
	sight   *sight
	crowded *crowd
	asked   []map[*person]request
	theirs  []map[*person]bool
}

// burst is attempts without a longer pause.
type burst struct {
	since, until time.Time
	attempts     []event.Event
}

func burstsOf(attempts []event.Event) []burst {
	var out []burst
	for _, e := range attempts {
		if n := len(out) - 1; n >= 0 && e.Time.Sub(out[n].until) <= burstGap {
			out[n].until = e.Time
			out[n].attempts = append(out[n].attempts, e)
			continue
		}
		out = append(out, burst{e.Time, e.Time, []event.Event{e}})
	}
	return out
}

// eq, or and the like write conditions.
func eq(field, value string) query.Expr { return query.Eq{Field: field, Value: value} }

func class(c int32) query.Expr { return query.Eq{Field: "class_uid", Value: int64(c)} }

func all(x ...query.Expr) query.Expr { return query.And{X: x} }

func either(x ...query.Expr) query.Expr {
	if len(x) == 1 {
		return x[0]
	}
	return query.Or{X: x}
}

func in(field string, values []string) query.Expr {
	x := make([]query.Expr, len(values))
	for i, v := range values {
		x[i] = eq(field, v)
	}
	return either(x...)
}

// during are events of [since, until), as a condition of a search.
func during(since, until time.Time) query.Expr {
	return all(query.Cmp{Field: "time", Op: query.Ge, Value: since.UTC().Truncate(time.Second)},
		query.Cmp{Field: "time", Op: query.Lt, Value: until.UTC().Truncate(time.Second).Add(time.Second)})
}

// instant are events of exactly that time, as a condition of a search.
func instant(t time.Time) query.Expr {
	t = t.UTC().Truncate(time.Microsecond)
	return all(query.Cmp{Field: "time", Op: query.Ge, Value: t}, query.Cmp{Field: "time", Op: query.Lt, Value: t.Add(time.Microsecond)})
}

// isPerson tells whether a record names a person.
func isPerson(e *event.Event) bool {
	return e.ActorUID != "" && (e.ActorType == event.ActorUser || e.ActorType == event.ActorRoot) && !ofSystem(e.ActorUID)
}

// ofSystem tells names under which devices do their own work.
func ofSystem(name string) bool {
	local := name[strings.LastIndexByte(name, '\\')+1:]
	return strings.HasPrefix(name, "s-1-5") || strings.HasPrefix(name, "S-1-5") || strings.HasSuffix(name, "$") || strings.HasPrefix(name, "nt authority") ||
		local == "system" || local == "root" || local == "localsystem" || strings.HasPrefix(local, "dwm-") || strings.HasPrefix(local, "umfd-")
}

// consoles are the hosts that people work at a provider on.
var consoles = []string{"console.cloud.google.com", "clients6.google.com", "portal.azure.com", "management.azure.com", "console.aws.amazon.com"}

// read reads all that a run's candidates are weighed by.
func (f *Finder) read(ctx context.Context, r Run) (*scene, error) {
	first, last := r.Attempts[0].Time, r.Attempts[len(r.Attempts)-1].Time
	s := &scene{
		run: r, since: first.Add(-Before), until: last.Add(After), bursts: burstsOf(r.Attempts), agents: map[string]bool{},
		companions: cmp.Or(r.Companions, f.Companions, companion.Builtin()),
	}
	var operations []string
	for i := range r.Attempts {
		e := &r.Attempts[i]
		if _, err := netip.ParseAddr(e.SrcIP); err == nil && !slices.Contains(s.addresses, e.SrcIP) {
			s.addresses = append(s.addresses, e.SrcIP)
		}
		if e.UserAgent != "" {
			s.agents[e.UserAgent] = true
		}
		if e.APIRequestUID != "" && !slices.Contains(operations, e.APIRequestUID) {
			operations = append(operations, e.APIRequestUID)
		}
		s.service = cmp.Or(s.service, s.companions.ServiceOf(e.ActorUID), e.ActorInvokedBy)
	}
	users := either(eq("actor_type", string(event.ActorUser)), eq("actor_type", string(event.ActorRoot)))
	var err error
	read := func(where query.Expr, keep func(*event.Event) bool) (out []event.Event) {
		if err == nil {
			out, err = collect(f.Events.Find(ctx, s.since, s.until, where, columns...), keep)
		}
		return out
	}
	s.project = read(all(eq("account_uid", r.Project), users), isPerson)
	if len(s.addresses) > 0 {
		s.behind = read(all(in("src_ip", s.addresses), users), isPerson)
	}
	if len(operations) > 0 {
		s.operations = read(all(in("api_request_uid", operations), users), isPerson)
	}
	s.pages = read(all(class(event.ClassHTTP), either(pageHosts()...)), onConsole)
	if addresses := insides(s.pages); len(addresses) > 0 {
		s.leases = read(all(class(event.ClassDHCP), in("src_ip", addresses)), nil)
		if cards := unnamed(s.leases); len(cards) > 0 {
			s.leases = append(s.leases, read(all(class(event.ClassDHCP), in("device_uid", cards), query.Exists{Field: "device_name"}), nil)...)
		}
	}
	if len(s.pages) > 0 {
		s.seats = read(all(class(event.ClassAuthentication), query.Exists{Field: "device_name"}), isPerson)
	}
	if err != nil {
		return nil, err
	}
	if err := f.processes(ctx, s); err != nil {
		return nil, err
	}
	return s, f.everybody(ctx, s)
}

// processes reads what people started on their devices around the bursts.
func (f *Finder) processes(ctx context.Context, s *scene) error {
	if len(s.pages) == 0 {
		return nil
	}
	for _, b := range s.bursts {
		some, err := collect(f.Events.Find(ctx, b.since.Add(-burstGap), b.until.Add(burstGap), class(event.ClassProcess), columns...), isPerson)
		if err != nil {
			return err
		}
		s.seats = append(s.seats, some...)
	}
	slices.SortFunc(s.seats, compare)
	s.seats = slices.CompactFunc(s.seats, func(a, b event.Event) bool { return a.UID == b.UID })
	return nil
}

// everybody finds all people, and makes persons of their names.
func (f *Finder) everybody(ctx context.Context, s *scene) error {
	var names []string
	for _, list := range [][]event.Event{s.project, s.behind, s.operations, s.pages, s.seats} {
		for i := range list {
			if isPerson(&list[i]) {
				names = append(names, list[i].ActorUID)
			}
		}
	}
	since, until := s.since.Truncate(time.Hour), s.until
	if f.People != nil {
		more, err := f.People(ctx, since, until)
		if err != nil {
			return err
		}
		names = append(names, more...)
	} else {
		for e, err := range f.Events.Find(ctx, since, until, eq("actor_type", string(event.ActorUser)), "actor_uid", "actor_type") {
			if err != nil {
				return err
			}
			if isPerson(&e) {
				names = append(names, e.ActorUID)
			}
		}
	}
	s.people = link(names)
	s.devices = newDevices(s)
	s.devices.meet(s.pages)
	s.sight = s.see()
	return ctx.Err()
}

// pageHosts choose the lines of proxies about a provider's console.
func pageHosts() []query.Expr {
	var out []query.Expr
	for _, host := range consoles {
		out = append(out, query.Like{Field: "api_service", Pattern: "*" + host}, query.Like{Field: "url", Pattern: "*" + host + "*"})
	}
	return out
}

func onConsole(e *event.Event) bool {
	return slices.ContainsFunc(consoles, func(host string) bool {
		return strings.HasSuffix(e.APIService, host) || strings.Contains(e.URL, host)
	})
}

// insides are the addresses that lines of proxies came from.
func insides(pages []event.Event) []string {
	var out []string
	for i := range pages {
		if a := pages[i].SrcIP; a != "" {
			out = append(out, a)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unnamed are what leases name devices by that they do not name.
func unnamed(leases []event.Event) []string {
	var out []string
	for i := range leases {
		if e := &leases[i]; e.DeviceName == "" && e.DeviceUID != "" {
			out = append(out, e.DeviceUID)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// collect takes the events that are kept, in the order of their times.
func collect(events iter.Seq2[event.Event, error], keep func(*event.Event) bool) ([]event.Event, error) {
	var out []event.Event
	for e, err := range events {
		if err != nil {
			return nil, err
		}
		if keep == nil || keep(&e) {
			e.Raw = nil
			out = append(out, e)
		}
	}
	slices.SortFunc(out, compare)
	return out, nil
}

func compare(a, b event.Event) int {
	return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:]))
}
