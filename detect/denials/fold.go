package denials

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
)

const (
	// retrySpan is within which the same call, denied again, is the same attempt:
	// consoles and Terraform poll, client libraries try thrice.
	retrySpan = 5 * time.Minute
	// operationSpan is within which the end of a long-running operation follows
	// upon its beginning.
	operationSpan = time.Hour
	foldSpan      = max(retrySpan, operationSpan)
)

// denial is one record of a denial.
type denial struct {
	event.Event
	of    id
	retry bool // of an attempt that is counted already
}

// id is what makes denials one cluster.
type id struct {
	project    string
	constraint string
	who        string // the principal, or "ADDRESS FAMILY"
	named      bool   // the record names the principal
	person     bool   // and it is a person, or the client is one that people use
}

// class is whom it is held against.
func (d id) class() int {
	if d.person {
		return people
	}
	return programs
}

func (d id) compare(x id) int {
	return cmp.Or(strings.Compare(d.project, x.project), strings.Compare(d.constraint, x.constraint), strings.Compare(d.who, x.who))
}

// idOf is the cluster of a denial.
func idOf(e *event.Event) id {
	d := id{project: e.AccountUID, constraint: e.StatusCode}
	if d.named = e.ActorUID != "" && e.ActorType != event.ActorMasked; d.named {
		d.who, d.person = e.ActorUID, e.ActorType == event.ActorUser
		return d
	}
	name, person := family(e.UserAgent)
	d.person = person && e.ActorUID == ""
	// The agent of a service acts for whoever asked the service: for everybody of
	// the project, so that its address, if it has one, tells them apart.
	d.who = strings.TrimSpace(e.ActorUID + " " + place(e) + " " + name)
	return d
}

// place is where a call came from. Machines choose an address of IPv6 anew every
// day, and keep its first half.
func place(e *event.Event) string {
	if a, err := netip.ParseAddr(e.SrcIP); err == nil && a.Is6() && !a.Is4In6() {
		p, _ := a.WithZone("").Prefix(64)
		return p.String()
	}
	return cmp.Or(e.SrcIP, e.SrcHost)
}

// families are how clients call themselves; the first that is found counts, for
// Edge calls itself Chrome and Safari too.
var families = []struct {
	mark, name string
	person     bool // sits before it
}{
	{"Edg/", "Edge", true}, {"OPR/", "Opera", true}, {"Firefox/", "Firefox", true}, {"Chrome/", "Chrome", true}, {"Safari/", "Safari", true},
	{"terraform", "Terraform", false}, {"Terraform", "Terraform", false}, {"Pulumi", "Pulumi", false},
	{"gsutil", "gsutil", true}, {"gcloud", "gcloud", true}, {"kubectl", "kubectl", true},
	{"azurecli", "Azure CLI", true}, {"AZURECLI", "Azure CLI", true}, {"AzurePowershell", "Azure PowerShell", true}, {"aws-cli", "AWS CLI", true},
}

// family is a client without its version, which is what stays the same from call
// to call, and whether a person uses it.
func family(agent string) (name string, person bool) {
	for _, f := range families {
		if strings.Contains(agent, f.mark) {
			return f.name, f.person
		}
	}
	name, _, _ = strings.Cut(agent, " ")
	name, _, _ = strings.Cut(name, "/")
	return name, false
}

// denyAction is as what Azure Policy writes that it refused a change. The change
// that failed for it, or the deployment that it was part of, writes another record
// under the same correlation id, which names some of the policies or none.
const denyAction = "microsoft.authorization/policies/deny/action"

// denies are the records of Azure Policy by their correlation ids.
type denies map[string][]*event.Event

func deniesOf(events []event.Event) denies {
	out := denies{}
	for i := range events {
		if e := &events[i]; e.APIOperation == denyAction && e.APIRequestUID != "" {
			out[e.APIRequestUID] = append(out[e.APIRequestUID], e)
		}
	}
	return out
}

// of is the policy's record of the refusal that a failed change tells of too: of
// the same resource, where there is one; nil: there is none.
func (d denies) of(e *event.Event) *event.Event {
	if e.APIOperation == denyAction || e.APIRequestUID == "" {
		return nil
	}
	var found *event.Event
	for _, x := range d[e.APIRequestUID] {
		if e.Time.Sub(x.Time).Abs() <= retrySpan && (found == nil || x.ResourceUID == e.ResourceUID && found.ResourceUID != e.ResourceUID) {
			found = x
		}
	}
	return found
}

// fold tells attempts from their retries, in events in the order of their times.
// Whether a record is a retry depends on those within foldSpan before it, and, of
// what Azure writes twice, within retrySpan after it: each renews the span, so that
// polling for hours is one attempt.
func fold(events []event.Event) []denial {
	policies, tried := deniesOf(events), map[*event.Event]string{}
	for i := range events {
		if x := policies.of(&events[i]); x != nil && x.ResourceUID == events[i].ResourceUID {
			tried[x] = events[i].APIOperation
		}
	}
	type call struct{ project, constraint, who, resource, operation string }
	type request struct{ uid, resource string }
	calls, requests, begun := map[call]time.Time{}, map[request]time.Time{}, map[string]time.Time{}
	within := func(e *event.Event, last time.Time, span time.Duration) bool {
		return !last.IsZero() && e.Time.Sub(last) <= span
	}
	out := make([]denial, 0, len(events))
	for i := range events {
		e := &events[i]
		if x := policies.of(e); x != nil {
			out = append(out, denial{Event: *e, of: idOf(x), retry: true})
			continue
		}
		d := denial{Event: *e, of: idOf(e)}
		// What was tried says more than that it was denied.
		d.APIOperation = cmp.Or(tried[e], e.APIOperation)
		c := call{d.of.project, d.of.constraint, d.of.who, e.ResourceUID, d.APIOperation}
		r := request{e.APIRequestUID, e.ResourceUID}
		d.retry = within(e, calls[c], retrySpan) ||
			e.APIRequestUID != "" && within(e, requests[r], retrySpan) ||
			e.Twin && e.APIRequestUID != "" && within(e, begun[e.APIRequestUID], operationSpan)
		calls[c] = e.Time
		if e.APIRequestUID != "" {
			requests[r] = e.Time
			if !e.Twin {
				begun[e.APIRequestUID] = e.Time
			}
		}
		out = append(out, d)
	}
	return out
}

// cluster is the denials of one caller by one constraint in one project, in the
// order of their times.
type cluster struct {
	id
	denials []denial
}

func gather(all []denial) []*cluster {
	by := map[id]*cluster{}
	var out []*cluster
	for _, d := range all {
		c := by[d.of]
		if c == nil {
			c = &cluster{id: d.of}
			by[d.of] = c
			out = append(out, c)
		}
		c.denials = append(c.denials, d)
	}
	slices.SortFunc(out, func(a, b *cluster) int { return a.compare(b.id) })
	return out
}

// between are the attempts in [since, until), and how many records they have.
func (c *cluster) between(since, until time.Time) (attempts []denial, records int) {
	for _, d := range c.denials {
		if d.Time.Before(since) || !d.Time.Before(until) {
			continue
		}
		records++
		if !d.retry {
			attempts = append(attempts, d)
		}
	}
	return attempts, records
}

// hours are those of [since, until) with attempts.
func (c *cluster) hours(since, until time.Time) []time.Time {
	var out []time.Time
	attempts, _ := c.between(since, until)
	for _, d := range attempts {
		if at := finding.Hour(d.Time); len(out) == 0 || !out[len(out)-1].Equal(at) {
			out = append(out, at)
		}
	}
	return out
}
