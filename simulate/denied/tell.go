package denied

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// Constraint is what refuses.
const Constraint = "constraints/gcp.restrictServiceUsage"

// tell writes the story's records of a day.
func (w *world) tell(day time.Time) {
	w.telling = true
	defer func() { w.telling = false }()
	s, rng := w.story, w.chance("tell", day.Unix())
	for i, b := range s.bursts {
		if !w.dayOf(b[0].at).Equal(day) {
			continue
		}
		if i+1 == s.drawn.Lab && s.network == "" {
			w.sitDown(rng, b)
		}
		if i == 0 {
			w.enable(rng, b[0])
		}
		for _, a := range b {
			w.try(rng, a)
		}
		w.beside(rng, b)
	}
	if !s.keyAt.IsZero() && w.dayOf(s.keyAt).Equal(day) {
		w.key(rng)
	}
	if s.network != "" {
		for _, b := range s.bursts {
			if w.dayOf(b[0].at).Equal(day) {
				w.login(rng, b[0].at.Add(-time.Duration(3+rng.IntN(9))*time.Minute), s.people[0], s.network, "login_success")
			}
		}
	}
}

// from is the public address that somebody of the story calls from.
func (w *world) from(p *person) string {
	if w.story.network != "" {
		return w.story.network
	}
	return p.address()
}

const gfe = ",gzip(gfe),gzip(gfe)"

// by makes a call somebody's, by name or hidden.
func (w *world) by(a *logs.Act, p *person, name string) {
	a.IP, a.Agent = w.from(p), p.devices[0].machine.Browser+gfe
	switch name {
	case shown:
		a.Email = p.email
	case pipeline:
		a.Email, a.Account, a.IP, a.Agent = w.story.project.pipeline, true, addressCI, agentTerraform
	default:
		a.IP = w.hiddenIP(p)
	}
}

// hiddenIP is the address that the log leaves of a call whose caller it hides.
func (w *world) hiddenIP(p *person) string {
	switch w.story.drawn.CallerIP {
	case private:
		return private
	case without:
		return ""
	}
	return w.from(p)
}

// enable turns the service on, before the first attempt.
func (w *world) enable(rng *rand.Rand, first attempt) {
	s := w.story
	at := first.at.Add(-time.Duration(90+rng.IntN(240)) * time.Second)
	w.look(rng, first.who, at.Add(-20*time.Second), "GET", console, "/apis/library/"+s.wish.service+"?project="+s.project.id)
	c := &logs.Change{Service: "serviceusage.googleapis.com", Method: "google.api.serviceusage.v1.ServiceUsage.EnableService", Permission: "serviceusage.services.enable", Name: "projects/%N/services/" + s.wish.service, Kind: "audited_resource", Labels: []string{"method", "service"}, Request: "type.googleapis.com/google.api.serviceusage.v1.EnableServiceRequest"}
	a := w.act(rng, s.project, c, at)
	w.by(a, first.who, s.drawn.Enable)
	e := a.Entry(activity)
	e.Payload.Place, e.Payload.Request = nil, map[string]any{"@type": c.Request, "name": a.Fill(c.Name)}
	w.put(activity, at, e)
}

// try is one attempt: the pages, the call to the service, and what becomes of
// what the service does for it.
func (w *world) try(rng *rand.Rand, x attempt) {
	s := w.story
	project := "?project=" + s.project.id
	w.look(rng, x.who, x.at.Add(-time.Duration(12+rng.IntN(14))*time.Second), "GET", console, s.wish.pages[1]+project)
	w.look(rng, x.who, x.at.Add(-time.Duration(rng.IntN(1500))*time.Millisecond), "POST", "cloudconsole-pa.clients6.google.com", "/v3/entityServices/"+strings.TrimSuffix(s.wish.service, ".googleapis.com")+":create"+project)
	create := w.act(rng, s.project, &s.wish.create, x.at)
	create.Name = x.name
	create.What = audited(s.wish.create)
	w.by(create, x.who, s.drawn.Create)
	e := create.Entry(activity)
	long := "projects/" + s.project.id + "/locations/" + s.project.region + "/operations/operation-" + logs.UUID(rng)
	e.Operation = &logs.Operation{ID: long, Producer: s.wish.service, First: true}
	w.put(activity, x.at, e)
	refused := x.at.Add(time.Duration(3000+rng.IntN(25000)) * time.Millisecond).Truncate(time.Microsecond)
	w.refuse(rng, x, refused)
	for again := refused; s.drawn.Retries > 0 && rng.Float64() < s.drawn.Retries; {
		again = again.Add(time.Duration(1500+rng.IntN(12000)) * time.Millisecond)
		w.refuse(rng, x, again)
	}
	w.look(rng, x.who, refused.Add(time.Duration(1+rng.IntN(6))*time.Second), "GET", console, s.wish.pages[0]+project)
	last := *create
	last.At = refused.Add(time.Duration(2+rng.IntN(9)) * time.Second)
	e = last.Entry(activity)
	e.Operation = &logs.Operation{ID: long, Producer: s.wish.service, Last: true}
	e.Payload.Allowed, e.Payload.Request = nil, nil
	if w.Variant != Granted {
		e.Severity, e.Payload.Status = "ERROR", &logs.Status{Code: 13, Message: "The instance could not be made."}
	}
	w.put(activity, last.At, e)
}

// audited is a change whose resource is filed as most services file theirs.
func audited(c logs.Change) *logs.Change {
	c.Kind, c.Labels = "audited_resource", []string{"method", "service"}
	return &c
}

// beside is what colleagues, and whoever it is, do in the project around a burst,
// by name.
func (w *world) beside(rng *rand.Rand, b []attempt) {
	s := w.story
	w.telling = false
	defer func() { w.telling = true }()
	who := s.alike
	if s.network == "" {
		who = append(append([]*person{}, s.people...), s.alike...)
	}
	for _, p := range who {
		for range 2 + rng.IntN(3) {
			c := s.project.drawn(rng, reads)
			if c == nil {
				continue
			}
			span := b[len(b)-1].at.Sub(b[0].at) + 16*time.Minute
			at := b[0].at.Add(-8*time.Minute + time.Duration(rng.Float64()*float64(span))).Truncate(time.Microsecond)
			a := w.act(rng, s.project, c, at)
			a.Email, a.IP, a.Agent = p.email, p.address(), p.devices[0].machine.Browser+gfe
			w.put(dataAccess, at, a.Entry(dataAccess))
			w.look(rng, p, at.Add(-time.Second), "GET", console, consolePages[c.Service]+"?project="+s.project.id)
		}
	}
	if s.drawn.Crowded {
		for _, p := range s.alike {
			w.session(rng, p, s.project, b)
		}
	}
	for range busy {
		if p := one(rng, w.people[:behind]); p.works() && !s.plays(p) {
			w.session(rng, p, one(rng, p.projects), b)
		}
	}
	if len(s.alike) > 0 && rng.IntN(2) == 0 { // somebody only looks at the list
		page := s.wish.pages[0]
		if s.drawn.Nosy {
			page = s.wish.pages[1]
		}
		w.look(rng, one(rng, s.alike), b[0].at.Add(time.Duration(rng.IntN(400))*time.Second), "GET", console, page+"?project="+s.project.id)
	}
}

// session is somebody's work in the console all through a burst.
func (w *world) session(rng *rand.Rand, p *person, in *project, b []attempt) {
	end := b[len(b)-1].at.Add(3 * time.Minute)
	for at := b[0].at.Add(-3 * time.Minute); at.Before(end); at = at.Add(time.Duration(4+rng.IntN(22)) * time.Second) {
		page := consolePages[one(rng, in.services)]
		if rng.IntN(2) == 0 {
			w.look(rng, p, at, "POST", "cloudconsole-pa.clients6.google.com", "/v3/entityServices"+page+":list?project="+in.id)
			continue
		}
		w.look(rng, p, at, "GET", console, page+"?project="+in.id)
	}
}

// look is a page that somebody opens, as the proxy sees it; whoever is elsewhere
// does not come by the proxy.
func (w *world) look(rng *rand.Rand, p *person, at time.Time, method, host, page string) {
	if w.story.network != "" && w.story.people[0] == p {
		return
	}
	s := &shift{w: w, p: p, rng: rng, inside: []string{w.inside(p, &p.devices[0], w.dayOf(at))}}
	if w.atLab(p, at) {
		s.inside[0] = w.labAddress(sharedMachines)
	}
	s.visit(at, method, host, page, 180_000)
}

// atLab tells whether somebody of the story is at the machine that others use too.
func (w *world) atLab(p *person, at time.Time) bool {
	s := w.story
	if s.drawn.Lab == 0 || p != s.people[0] || p.tunnel {
		return false
	}
	b := s.bursts[s.drawn.Lab-1]
	return at.After(b[0].at.Add(-5*time.Minute)) && at.Before(b[len(b)-1].at.Add(2*time.Minute))
}

// sitDown is that the person goes to the machine that others use too, for a burst;
// somebody else was there before, and is afterwards.
func (w *world) sitDown(rng *rand.Rand, b []attempt) {
	d, inside, p := lab(sharedMachines), w.labAddress(sharedMachines), w.story.people[0]
	if !w.atLab(p, b[0].at) {
		return
	}
	begin, end := b[0].at.Add(-6*time.Minute), b[len(b)-1].at.Add(3*time.Minute)
	w.lease(rng, w.people[0], &d, inside, begin.Add(-2*time.Hour), end.Add(2*time.Hour))
	for i, x := range []*person{one(rng, w.people[:behind]), p, one(rng, w.people[:behind])} {
		s := &shift{w: w, p: x, rng: rng, inside: []string{inside}}
		from, to := []time.Time{begin.Add(-2 * time.Hour), begin, end.Add(10 * time.Minute)}[i], []time.Time{begin.Add(-10 * time.Minute), end, end.Add(90 * time.Minute)}[i]
		s.sensed(&d, inside, "UserLogon", from)
		s.process(&d, inside, from.Add(30*time.Second), commands[0])
		s.sensed(&d, inside, "UserLogoff", to)
	}
}

// key makes a service account's key, from the new network.
func (w *world) key(rng *rand.Rand) {
	s := w.story
	a := w.act(rng, s.project, change("google.iam.admin.v1.CreateServiceAccountKey"), s.keyAt)
	a.Email, a.IP, a.Agent, a.Name = s.people[0].email, s.network, s.people[0].devices[0].machine.Browser+gfe, "deployer"
	w.put(activity, a.At, a.Entry(activity))
}

// refuse writes that what the service did was refused, or, in some variants, what
// only looks like it.
func (w *world) refuse(rng *rand.Rand, x attempt, at time.Time) {
	s := w.story
	c := audited(s.wish.refused)
	c.Constraint, c.Policy, c.Checked = Constraint, "LIST_CONSTRAINT", s.wish.needs
	c.Message = "Request is disallowed by organization's " + Constraint + " constraint for 'projects/%p' attempting to use service '" + s.wish.needs + "'."
	a := w.act(rng, s.project, c, at)
	a.Name, a.IP = x.name, w.hiddenIP(x.who)
	if a.IP == w.from(x.who) {
		a.Agent = x.who.devices[0].machine.Browser + gfe
	}
	switch s.drawn.Principal {
	case redacted:
		a.Email = "REDACTED"
	case byAgent:
		a.Email, a.Account, a.Agent = a.Fill(s.wish.agent), true, "google-api-go-client/0.5,gzip(gfe)"
	}
	var e *logs.Entry
	switch w.Variant {
	case VPCSC:
		e = w.perimeter(rng, a)
	case Granted:
		e = a.Entry(policy)
		e.Payload.Policy = &logs.PolicyInfo{}
	default:
		e = a.Refusal()
	}
	s.insertID = append(s.insertID, e.InsertID)
	w.put(policy, at, e)
}

// perimeter is a refusal by VPC Service Controls.
func (w *world) perimeter(rng *rand.Rand, a *logs.Act) *logs.Entry {
	id := logs.Drawn(rng, 24, logs.Letters)
	e := a.Entry(policy)
	e.Severity, e.Payload.Allowed, e.Payload.Place, e.Payload.Request = "ERROR", nil, nil, nil
	e.Payload.Status = &logs.Status{Code: 7, Message: "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: " + id, Details: []any{
		map[string]any{"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations": []any{map[string]any{"type": "VPC_SERVICE_CONTROLS", "description": id}}},
	}}
	e.Payload.Metadata = map[string]any{
		"@type": "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata", "vpcServiceControlsUniqueId": id, "violationReason": "SERVICE_NOT_ALLOWED_FROM_VPC",
		"resourceNames":      []string{"projects/" + a.Number},
		"securityPolicyInfo": map[string]any{"organizationId": w.org, "servicePerimeterName": "accessPolicies/77/servicePerimeters/work"},
	}
	return e
}

// otherDenials are those of other projects: a pipeline that tries the same thing
// again and again, somebody who is refused by name and does something else, and
// one by nobody.
func (w *world) otherDenials(day time.Time) {
	rng := w.chance("other denials", day.Unix())
	pick := func() *project {
		for {
			if p := one(rng, w.projects); p != w.story.project {
				return p
			}
		}
	}
	bucket := guarded("constraints/storage.uniformBucketLevelAccess")
	p := pick()
	at := day.Add(time.Duration(rng.Float64() * 20 * float64(time.Hour)))
	first := w.act(rng, p, bucket, at)
	first.Email, first.Account, first.IP, first.Agent = p.pipeline, true, addressCI, agentTerraform
	for i := range 8 + rng.IntN(12) {
		a := *first
		a.At = at.Add(time.Duration(i*9000+rng.IntN(900)) * time.Millisecond)
		w.put(policy, a.At, a.Refusal())
	}
	p = pick()
	x := one(rng, p.users)
	from, _ := w.hours(x, day)
	for i := range 2 {
		a := w.act(rng, p, guarded("constraints/gcp.resourceLocations"), from.Add(time.Duration(2+i)*time.Hour))
		a.Email, a.IP, a.Agent = x.email, x.address(), x.devices[0].machine.Browser+gfe
		w.put(policy, a.At, a.Refusal())
	}
	p = pick()
	x = one(rng, p.users)
	from, _ = w.hours(x, day)
	a := w.act(rng, p, guarded("constraints/compute.vmExternalIpAccess"), from.Add(4*time.Hour))
	a.IP, a.Agent = x.address(), x.devices[0].machine.Browser+gfe
	w.put(policy, a.At, a.Refusal())
}

// guarded is the first of logs.Changes that a constraint may stand against.
func guarded(constraint string) *logs.Change {
	for i := range logs.Changes {
		if logs.Changes[i].Constraint == constraint {
			return &logs.Changes[i]
		}
	}
	panic(fmt.Sprintf("no change has %s", constraint)) // both are constants of ours
}
