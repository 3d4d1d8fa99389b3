package who

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
)

// Weights in nats. Those of what people share are counted from the log itself;
// these are set, and held by the cases of who_test.go.
const (
	// sameOperation: a record of the same operation names the candidate.
	sameOperation = 12.0
	// asked: the candidate asked a service, in the project and within askSpan
	// before, for a thing of the same name as the agent then could not make.
	asked = 9.0
	// askedOther: the same, of a thing whose name does not tell.
	askedOther = 4.5
	askSpan    = 5 * time.Minute
	askMost    = 12.0

	// seenBehind: the address is one that the candidate works from.
	seenBehind = 1.0
	// seenAlone: the same, and it is nearly nobody else's.
	seenAlone = 3.0
	// elsewhere: the candidate is never seen behind the address.
	elsewhere = -2.0
	// otherClient: behind the address, only with other clients.
	otherClient = -1.5
	// notInProject: does nothing else in the project.
	notInProject = -1.0

	// Of whom it was, the proxy has a line at so many of the attempts, and the
	// project's log a call around so many of the bursts: not all are logged.
	lineThere, callThere = 0.75, 0.6
	// Attempts, and bursts, are not independent of one another: they say at most so
	// much together, for somebody or against.
	lineMost, lineLeast = 12.0, -9.0
	// That somebody called nothing by name says little of calls that hide names.
	callMost, callLeast = 4.0, -1.5

	// rareMost bounds what a trait says that few share.
	rareMost = 3.0
	// signedIn is how long before a burst a sign-in counts, and signInMost how much.
	signedIn   = 8 * time.Hour
	signInMost = 1.5

	// ownAddress is behind how many people at most an address is one's own.
	ownAddress = 2
	// maxCommon is what a candidate weighs at most of whom there is nothing but
	// what people have in common: less than what a name needs.
	maxCommon = 1.0
)

// candidate is a person with what speaks for and against it.
type candidate struct {
	of    *person
	total float64
	why   []finding.Pointing
	own   bool // there is a record of the candidate's own
	clue  bool // anything speaks for the candidate
}

func (c *candidate) add(weight float64, text say.Text, q query.Expr) {
	if math.Abs(weight) < 0.05 {
		return
	}
	c.total += weight
	c.clue = c.clue || weight > 0
	c.why = append(c.why, finding.Pointing{Text: text, Weight: math.Round(100*weight) / 100, Query: query.String(q)})
}

// weigh weighs a person; nil: nothing points to them.
func (s *scene) weigh(p *person) *candidate {
	c := &candidate{of: p}
	s.byPlace(c)
	s.byProject(c)
	s.byRequest(c)
	s.byPages(c)
	if !c.clue {
		return nil
	}
	if !c.own {
		c.total = min(c.total, maxCommon)
	}
	slices.SortStableFunc(c.why, func(a, b finding.Pointing) int {
		switch {
		case math.Abs(a.Weight) > math.Abs(b.Weight):
			return -1
		case math.Abs(a.Weight) < math.Abs(b.Weight):
			return 1
		}
		return strings.Compare(a.Query, b.Query)
	})
	return c
}

// them are a person's records.
func them(p *person) query.Expr { return in("actor_uid", p.ids()) }

// byPlace weighs the address, the client and sign-ins.
func (s *scene) byPlace(c *candidate) {
	everybody := max(1, len(s.people.all))
	crowd := s.crowd()
	if len(crowd.people) == 0 {
		c.add(-math.Log(float64(everybody)), say.T("who.one", say.Values{"n": everybody}), all(them(c.of), during(s.since, s.until)))
		return
	}
	n := len(crowd.people)
	here := crowd.people[c.of]
	if here == nil {
		c.add(elsewhere-math.Log(float64(everybody)), say.T("who.elsewhere", say.Values{"addresses": say.List(s.addresses, 3)}), all(them(c.of), during(s.since, s.until)))
		return
	}
	at := all(them(c.of), in("src_ip", s.addresses), during(s.since, s.until))
	seen := seenBehind
	if n <= ownAddress {
		c.own, seen = true, seenAlone
	}
	c.add(seen-math.Log(float64(n)), say.T("who.behind", say.Values{"n": n, "addresses": say.List(s.addresses, 3)}), at)
	switch {
	case here.agent != "":
		c.add(rare(n, crowd.sameClient, rareMost), say.T("who.client", say.Values{"n": crowd.sameClient, "of": n}), all(at, eq("user_agent", here.agent)))
	case here.client && crowd.sameClient > 0:
		c.add(otherClient, say.T("who.client.other", nil), at)
	}
	if here.login {
		c.add(rare(n, crowd.logins, signInMost), say.T("who.login", say.Values{"addresses": say.List(s.addresses, 3), "n": crowd.logins, "of": n}),
			all(at, class(event.ClassAuthentication)))
	}
}

// rare is what a trait says that k of n people have.
func rare(n, k int, most float64) float64 {
	return min(math.Log(float64(n)/float64(max(1, k))), most)
}

// crowd is everybody who is seen behind the addresses.
type crowd struct {
	people             map[*person]*trait
	sameClient, logins int
}

// trait is what somebody behind the addresses is seen with.
type trait struct {
	agent  string // the same client as the attempts'
	client bool   // any client
	login  bool   // signed in within signedIn before a burst
}

func (s *scene) crowd() *crowd {
	if s.crowded != nil {
		return s.crowded
	}
	x := &crowd{people: map[*person]*trait{}}
	for i := range s.behind {
		e := &s.behind[i]
		p := s.people.of(e.ActorUID)
		if p == nil {
			continue
		}
		t := x.people[p]
		if t == nil {
			t = &trait{}
			x.people[p] = t
		}
		t.client = t.client || e.UserAgent != ""
		if s.agents[e.UserAgent] && t.agent == "" {
			t.agent = e.UserAgent
			x.sameClient++
		}
		if !t.login && e.ClassUID == event.ClassAuthentication && e.Outcome == event.Success && s.before(e.Time, signedIn) {
			t.login = true
			x.logins++
		}
	}
	s.crowded = x
	return x
}

// before tells whether a burst begins within so long after a time.
func (s *scene) before(t time.Time, within time.Duration) bool {
	return slices.ContainsFunc(s.bursts, func(b burst) bool { return !t.After(b.since) && b.since.Sub(t) <= within })
}

// byProject weighs what a person does in the project besides.
func (s *scene) byProject(c *candidate) {
	n, working := max(1, len(s.people.all)), len(s.sight.calls)
	if crowd := s.crowd(); len(crowd.people) > 0 {
		n, working = len(crowd.people), 0
		for p := range s.sight.calls {
			if crowd.people[p] != nil {
				working++
			}
		}
	}
	there := s.sight.calls[c.of]
	if there == nil {
		if working > 0 {
			c.add(notInProject, say.T("who.stranger", say.Values{"project": s.run.Project}), all(them(c.of), during(s.since, s.until)))
		}
		return
	}
	at := all(them(c.of), eq("account_uid", s.run.Project), during(s.since, s.until))
	c.add(rare(n, working, rareMost), say.T("who.project", say.Values{"project": s.run.Project, "n": max(1, working), "of": n}), at)
	weight, seen := s.presence(there)
	c.add(weight, say.T("who.calls", say.Values{"n": seen, "of": len(s.bursts), "project": s.run.Project}), at)
}

// presence weighs around how many of the bursts somebody called anything, beside
// how often they do at other times.
func (s *scene) presence(x *presence) (weight float64, seen int) {
	usual := (float64(len(x.bins)) + 0.5) / (float64(s.sight.bins) + 1)
	usual = min(max(usual, 0.02), 0.98)
	for i := range s.bursts {
		if _, ok := x.bursts[i]; !ok {
			weight += math.Log((1 - callThere) / (1 - usual))
			continue
		}
		seen++
		weight += math.Log(callThere / usual)
	}
	return max(min(weight, callMost), callLeast), seen
}

// byRequest weighs records of the same operation, and requests that a service's
// agent carried out.
func (s *scene) byRequest(c *candidate) {
	for i := range s.operations {
		e := &s.operations[i]
		if c.of.names[e.ActorUID] {
			c.own = true
			c.add(sameOperation, say.T("who.operation", nil), all(them(c.of), eq("api_request_uid", e.APIRequestUID)))
			break
		}
	}
	total, named, first := 0.0, 0, (*event.Event)(nil)
	for i := range s.bursts {
		weight, e := s.request(c.of, &s.bursts[i])
		if e == nil {
			continue
		}
		total += weight
		if first == nil {
			first = e
		}
		named++
	}
	if first == nil {
		return
	}
	c.own = true
	c.add(min(total, askMost), say.T("who.asked", say.Values{"operation": lastPart(first.APIOperation), "service": first.APIService, "at": first.Time, "n": named, "of": len(s.bursts)}),
		all(them(c.of), eq("account_uid", s.run.Project), eq("api_operation", first.APIOperation), during(first.Time, first.Time.Add(time.Second))))
}

// request is the candidate's request that a burst's attempts carried out.
func (s *scene) request(p *person, b *burst) (weight float64, found *event.Event) {
	for i := range s.project {
		e := &s.project[i]
		if !p.names[e.ActorUID] || e.Twin || !creates(e) || e.Time.Before(b.since.Add(-askSpan)) || e.Time.After(b.until) {
			continue
		}
		for k := range b.attempts {
			a := &b.attempts[k]
			if d := a.Time.Sub(e.Time); d < -skew || d > askSpan || !s.brings(e.APIService, a) {
				continue
			}
			w := askedOther
			if sameThing(e.ResourceUID, a.ResourceUID) {
				w = asked
			}
			if w > weight {
				weight, found = w, e
			}
		}
	}
	return weight, found
}

// brings tells whether what was asked of a service may have led to an attempt.
func (s *scene) brings(service string, a *event.Event) bool {
	if service == a.APIService || service == s.service {
		return true
	}
	_, _, ok := s.companions.Bringer(a.APIService, []string{service})
	return ok
}

// creates tells whether a call asks for something new.
func creates(e *event.Event) bool {
	op := strings.ToLower(lastPart(e.APIOperation))
	return slices.ContainsFunc([]string{"create", "insert", "submit", "run", "write", "start", "put"}, func(verb string) bool { return strings.HasPrefix(op, verb) })
}

func lastPart(operation string) string {
	return operation[max(strings.LastIndexByte(operation, '.'), strings.LastIndexByte(operation, '/'))+1:]
}

// sameThing tells whether a machine is called like the thing that it is to be
// part of: churn-study, churn-study-m, gke-churn-study-pool.
func sameThing(asked, made string) bool {
	last := func(uid string) string { return uid[strings.LastIndexByte(uid, '/')+1:] }
	a, m := last(asked), last(made)
	return len(a) >= 4 && strings.Contains(m, a)
}

// byPages weighs at how many of the attempts the candidate's devices were at the
// project's pages, or at a console whose pages the proxy does not see, beside how
// often they are there by chance.
func (s *scene) byPages(c *candidate) {
	g := s.sight.pages[c.of]
	if g == nil || len(g.hits) == 0 {
		return // whose device is not known says nothing
	}
	chance := 1 - math.Exp(-(float64(g.other)+0.5)/max(s.sight.minutes, 60)*(leads+follows).Minutes())
	chance = min(max(chance, 0.01), 0.9)
	weight := 0.0
	for i := range s.run.Attempts {
		m, ok := g.hits[i]
		if !ok {
			weight += math.Log((1 - lineThere) / (1 - chance))
			continue
		}
		weight += math.Log(m.share*lineThere/chance + (1 - m.share))
	}
	weight = max(min(weight, lineMost), lineLeast)
	if n := len(s.crowd().people); n > 0 && n <= ownAddress {
		weight = max(weight, 0) // whoever is at an address of their own does not come by the office's proxy
	}
	c.own = c.own || weight > 0
	values := say.Values{"n": len(g.hits), "of": len(s.run.Attempts), "named": g.named, "project": s.run.Project}
	text := say.T("who.pages", values)
	if g.named == 0 {
		text = say.T("who.console", say.Values{"n": len(g.hits), "of": len(s.run.Attempts)})
	}
	c.add(weight, text, s.lines(g))
}

// maxMoments is how many lines of the proxy a query asks for.
const maxMoments = 12

// lines finds the proxy's lines of the moments.
func (s *scene) lines(g *glimpses) query.Expr {
	var some []query.Expr
	for i := range s.run.Attempts {
		m, ok := g.hits[i]
		if !ok || len(some) == maxMoments {
			continue
		}
		who := eq("src_ip", m.e.SrcIP)
		if m.e.SrcIP == "" {
			who = eq("actor_uid", m.e.ActorUID)
		}
		some = append(some, all(who, during(m.e.Time, m.e.Time.Add(time.Second))))
	}
	return all(class(event.ClassHTTP), either(some...))
}
