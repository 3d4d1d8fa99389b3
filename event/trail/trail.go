// Package trail tells what somebody did: the events of all logs as runs of like
// ones, each run in its lane and in a sentence.
package trail

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// Kind is what sort of log a lane is of.
type Kind string

// The kinds of lanes, in the order in which they are shown.
const (
	Identity Kind = "identity"
	Cloud    Kind = "cloud"
	Proxy    Kind = "proxy"
	Network  Kind = "network"
	Device   Kind = "device"
)

// Kinds are all of them.
var Kinds = []Kind{Identity, Cloud, Proxy, Network, Device}

// formats are patterns of the formats of each kind but Cloud, which has the rest.
var formats = map[Kind][]string{
	Identity: {"entra.*", "okta.*", "google.workspace*", "auth0.*", "duo.*", "onepassword.*", "pingone.*"},
	Proxy:    {"proxy.*", "squid.*"},
	Network:  {"zeek.*", "dns.*", "gcp.vpcflow", "gcp.firewall", "gcp.dns", "gcp.loadbalancer"},
	Device:   {"edr.*", "dhcp.*", "zeek.dhcp"},
}

// KindOf is the kind of the lane that an event of the format stands in.
func KindOf(format string) Kind {
	for _, kind := range []Kind{Device, Identity, Proxy, Network} { // of Zeek's logs leases are a device's
		if slices.ContainsFunc(formats[kind], func(p string) bool { ok, err := path.Match(p, format); return ok && err == nil }) {
			return kind
		}
	}
	return Cloud
}

// Of chooses the events of a kind; nil for Cloud.
func Of(kind Kind) query.Expr {
	var any query.Or
	for _, p := range formats[kind] {
		any.X = append(any.X, query.Like{Field: "format", Pattern: p})
	}
	if any.X == nil {
		return nil
	}
	return any
}

// Lane is where events of one project, directory, proxy or device are shown.
type Lane struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind" enum:"identity,cloud,proxy,network,device"`
	// Name is the project's or account's id, the directory, the device; empty
	// where the log does not say.
	Name     string `json:"name"`
	Provider string `json:"provider" example:"Google Cloud"`
}

// LaneOf is the lane of an event.
func LaneOf(e *event.Event) Lane {
	l := Lane{Kind: KindOf(e.Format), Name: e.AccountUID, Provider: e.CloudProvider}
	switch l.Kind {
	case Device:
		l.Name, l.Provider = cmp.Or(e.DeviceName, e.SrcHost, e.DeviceUID), ""
	case Proxy, Network:
		l.Name, l.Provider = "", ""
	case Identity:
		l.Provider = product(e.Format)
	}
	l.ID = strings.ToLower(string(l.Kind) + ":" + l.Provider + ":" + l.Name)
	return l
}

// products are names of directories by the beginning of their formats.
var products = [][2]string{
	{"entra.", "Entra ID"}, {"okta.", "Okta"}, {"google.workspace", "Google Workspace"}, {"auth0.", "Auth0"},
	{"duo.", "Duo"}, {"onepassword.", "1Password"}, {"pingone.", "PingOne"},
}

func product(format string) string {
	for _, p := range products {
		if strings.HasPrefix(format, p[0]) {
			return p[1]
		}
	}
	return format
}

// Log chooses all records of the log that the lane is drawn from, whoever they are
// of.
func (l Lane) Log() query.Expr {
	switch l.Kind {
	case Cloud:
		return query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: l.Name}, query.Eq{Field: "cloud_provider", Value: l.Provider}}}
	case Identity:
		for _, p := range products {
			if p[1] == l.Provider {
				return query.Like{Field: "format", Pattern: p[0] + "*"}
			}
		}
	}
	return Of(l.Kind)
}

// Rule says why an event is taken to be of somebody.
type Rule string

// The rules. By Lease and ByFinding nobody is named in the record: it is inferred.
const (
	ByName    Rule = "name"    // the record names the person or machine
	BySession Rule = "session" // the session of a role or service account has the name
	ByObject  Rule = "object"  // the object id that the directory's other records give beside the name
	ByUser    Rule = "user"    // a user of a device or proxy who is called as the address is before its @
	ByDevice  Rule = "device"  // a device that got an address, on which the person was logged on
	ByLease   Rule = "lease"   // without a user, from an address that was leased to that device
	ByFinding Rule = "finding" // a finding infers that it was the person
)

// Inferred tells whether records of the rule name nobody.
func (r Rule) Inferred() bool { return r == ByLease || r == ByFinding }

// Event is an event, why it is taken to be theirs, and what chooses all like it.
type Event struct {
	event.Event
	Rule  Rule
	Whose query.Expr
}

// Run is like events that follow each other.
type Run struct {
	Lane       string        `json:"lane" doc:"id of its lane"`
	First      time.Time     `json:"first"`
	Last       time.Time     `json:"last"`
	Count      int           `json:"count" doc:"events"`
	Text       say.Text      `json:"text" doc:"what was done, in a sentence without its subject"`
	Act        string        `json:"act" doc:"what kind of act it is, as a word: see docs/timeline.md"`
	Notable    bool          `json:"notable" doc:"part of the story: it changes something, signs in, or was refused"`
	Operation  string        `json:"operation"`
	Service    string        `json:"service"`
	Account    string        `json:"account"`
	Outcome    event.Outcome `json:"outcome"`
	Status     string        `json:"status_code" doc:"the provider's code; of a denial by policy, the policy"`
	Actor      string        `json:"actor" doc:"as the records name it; empty: they name nobody"`
	Address    string        `json:"address" doc:"that the first came from"`
	Things     []string      `json:"things" doc:"what was acted on, the first few"`
	MoreThings int           `json:"more_things" doc:"how many others"`
	Rule       Rule          `json:"rule" enum:"name,session,object,user,device,lease,finding" doc:"why it is taken to be theirs"`
	Inferred   bool          `json:"inferred" doc:"the records name nobody: inferred, not logged"`
	Query      string        `json:"query" doc:"the filter that finds its records, between since and until"`
	Since      time.Time     `json:"since"`
	Until      time.Time     `json:"until" doc:"exclusive"`

	// For sentences.
	product, device string
	cloud           bool
}

// pause is how long like events may be apart in a run.
const pause = 10 * time.Minute

// mostThings is how many things a run names.
const mostThings = 3

// key is what the events of a run have in common.
type key struct {
	lane, format, service, operation, status, account, actor string
	outcome                                                  event.Outcome
	rule                                                     Rule
	whose                                                    string
}

// Fold makes runs of events, which are in order of time; twins are left out. Runs
// are in the order of their first events, lanes in that of Kinds and their names.
func Fold(events []Event) (lanes []Lane, runs []Run) {
	open := map[key]int{} // run
	things := map[int]map[string]bool{}
	met := map[string]bool{}
	for i := range events {
		e := &events[i]
		if e.Twin {
			continue
		}
		lane := LaneOf(&e.Event)
		if !met[lane.ID] {
			met[lane.ID] = true
			lanes = append(lanes, lane)
		}
		k := keyOf(e, lane)
		at, ok := open[k]
		if !ok || e.Time.Sub(runs[at].Last) > pause {
			at = len(runs)
			runs = append(runs, begin(e, lane))
			open[k], things[at] = at, map[string]bool{}
		}
		r := &runs[at]
		r.Last, r.Count = e.Time, r.Count+1
		if x := thing(&e.Event); x != "" && !things[at][x] {
			things[at][x] = true
			if len(r.Things) < mostThings {
				r.Things = append(r.Things, x)
			} else {
				r.MoreThings++
			}
		}
	}
	for i := range runs {
		runs[i].tell()
		// Clients of ours know milliseconds.
		runs[i].Since, runs[i].Until = runs[i].First.Truncate(time.Millisecond), runs[i].Last.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	Sort(lanes)
	return lanes, runs
}

// Sort puts lanes into the order of Kinds, then of their names.
func Sort(lanes []Lane) {
	slices.SortFunc(lanes, func(a, b Lane) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)), cmp.Compare(a.ID, b.ID))
	})
}

func keyOf(e *Event, l Lane) key {
	return key{
		l.ID, e.Format, e.APIService, e.APIOperation, e.StatusCode, e.AccountUID, e.ActorUID, e.Outcome, e.Rule, query.String(e.Whose),
	}
}

func begin(e *Event, l Lane) Run {
	return Run{
		Lane: l.ID, First: e.Time, Act: actOf(&e.Event), Operation: e.APIOperation, Service: e.APIService, Account: e.AccountUID,
		Outcome: e.Outcome, Status: e.StatusCode, Actor: e.ActorUID, Address: e.SrcIP, Things: []string{}, Rule: e.Rule, Inferred: e.Rule.Inferred(),
		Query: query.String(likes(e)), device: cmp.Or(e.DeviceName, e.SrcHost, e.DeviceUID), cloud: l.Kind == Cloud, product: l.Provider,
	}
}

// likes chooses the events of the run that e begins.
func likes(e *Event) query.Expr {
	x := query.And{X: []query.Expr{e.Whose}}
	for _, f := range [][2]string{
		{"format", e.Format}, {"account_uid", e.AccountUID}, {"api_service", e.APIService}, {"api_operation", e.APIOperation},
		{"outcome", string(e.Outcome)}, {"status_code", e.StatusCode},
	} {
		x.X = append(x.X, query.Eq{Field: f[0], Value: f[1]})
	}
	if e.Rule != ByName {
		x.X = append(x.X, query.Eq{Field: "actor_uid", Value: e.ActorUID})
	}
	if KindOf(e.Format) == Device {
		x.X = append(x.X, query.Eq{Field: "device_name", Value: e.DeviceName})
	}
	x.X = append(x.X, query.Eq{Field: "twin", Value: false})
	return x
}

// thing is what an event acted on, as people call it: the last part of a name.
func thing(e *event.Event) string {
	switch KindOf(e.Format) {
	case Proxy, Network:
		return e.URL
	case Device:
		return cmp.Or(e.Process, e.SrcIP)
	}
	return e.ResourceUID
}

// name is the last part of a resource's name.
func name(resource string) string {
	if strings.HasPrefix(resource, "arn:") {
		resource = resource[strings.LastIndexByte(resource, ':')+1:]
	}
	return resource[strings.LastIndexByte(resource, '/')+1:]
}
