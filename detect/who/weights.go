package who

import (
	"maps"
	"math"
	"slices"
	"sort"
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
	// asksFor: the candidate asked a service, in the project and within askSpan
	// before, for a thing of the same name as the agent then could not make.
	asksFor = 9.0
	// askedOther: the same, where names do not tell; askedElse: of a thing of
	// another name.
	askedOther, askedElse = 4.5, 1.0
	askSpan               = 5 * time.Minute
	askMost               = 12.0

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

	// Of whom it was, the project's log has a call by name around so many of the
	// bursts.
	callThere = 0.6
	// That somebody called nothing by name says little of calls that hide names.
	callMost, callLeast = 4.0, -1.5

	// rareMost bounds what a trait says that few share.
	rareMost = 3.0
	// signedIn is how long before a burst a sign-in counts, and signInMost how much.
	signedIn   = 8 * time.Hour
	signInMost = 1.5

	// others: a telling page is open with one in so many of those who work beside.
	others = 12.0
	// Attempts are not independent of one another: they say at most so much together.
	lineMost, lineLeast = 12.0, -6.0

	// mostOf is at which share of the attempts somebody has to have been there to be
	// named for all of them: two who take turns are each there at half.
	mostOf = 0.65

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
	part  bool // and others did some of it, as such records say
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
	c.part = s.partly(p) || s.tookTurns(p)
	if !c.own || c.part {
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
	behind := say.T("who.behind", say.Values{"n": n, "addresses": say.List(s.addresses, 3)})
	if n == 1 {
		behind = say.T("who.behind.only", say.Values{"addresses": say.List(s.addresses, 3)})
	}
	c.add(seen-math.Log(float64(n)), behind, at)
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
	if seen == 0 {
		weight = min(weight, 0)
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
	best, k, of := 0.0, 0, 0
	var theirs []*event.Event
	for _, asked := range s.requests() {
		x, mine := asked[c.of]
		if len(asked) > 0 {
			of++
		}
		if !mine {
			continue
		}
		k++
		best = max(best, x.weight)
		if !slices.Contains(theirs, x.e) {
			theirs = append(theirs, x.e)
		}
	}
	if len(theirs) == 0 {
		return
	}
	first := theirs[0]
	// Of several who asked, whoever asked for part of it is not named for all.
	c.own = c.own || best > askedElse && float64(k) >= mostOf*float64(of)
	c.add(min(best+math.Log(float64(k)), askMost), say.T("who.asked", say.Values{"operation": lastPart(first.APIOperation), "service": first.APIService, "at": first.Time, "n": k, "of": len(s.run.Attempts), "shown": bound(len(theirs))}),
		all(them(c.of), eq("account_uid", s.run.Project), moments(theirs, func(e *event.Event) query.Expr { return eq("api_operation", e.APIOperation) })))
}

// partly tells whether too many of the attempts that are somebody's by a record of
// their own are others'.
func (s *scene) partly(p *person) bool {
	mine, others := 0, 0
	for _, by := range s.direct() {
		switch {
		case by[p]:
			mine++
		case len(by) > 0:
			others++
		}
	}
	return others > 0 && float64(mine) < mostOf*float64(mine+others)
}

// direct are, by attempt, those who have a record of its very operation, or asked
// for the very thing.
func (s *scene) direct() []map[*person]bool {
	if s.theirs != nil {
		return s.theirs
	}
	named := map[string][]*person{} // by operation
	for i := range s.operations {
		if p := s.people.of(s.operations[i].ActorUID); p != nil {
			named[s.operations[i].APIRequestUID] = append(named[s.operations[i].APIRequestUID], p)
		}
	}
	s.theirs = make([]map[*person]bool, len(s.run.Attempts))
	for i, asked := range s.requests() {
		s.theirs[i] = map[*person]bool{}
		for p, r := range asked {
			if r.weight == asksFor {
				s.theirs[i][p] = true
			}
		}
		for _, p := range named[s.run.Attempts[i].APIRequestUID] {
			s.theirs[i][p] = true
		}
	}
	return s.theirs
}

// request is a call that an attempt may have carried out.
type request struct {
	weight float64
	e      *event.Event
}

// requests are, by attempt, the calls of each person that it may have carried out:
// the weightiest.
func (s *scene) requests() []map[*person]request {
	if s.asked != nil {
		return s.asked
	}
	s.asked = make([]map[*person]request, len(s.run.Attempts))
	for k := range s.run.Attempts {
		a := &s.run.Attempts[k]
		s.asked[k] = map[*person]request{}
		i := sort.Search(len(s.project), func(i int) bool { return !s.project[i].Time.Before(a.Time.Add(-askSpan)) })
		for ; i < len(s.project) && !s.project[i].Time.After(a.Time.Add(skew)); i++ {
			e := &s.project[i]
			p := s.people.of(e.ActorUID)
			if p == nil || e.Twin || !creates(e) || !s.brings(e.APIService, a) {
				continue
			}
			w := askedElse
			switch {
			case sameThing(e.ResourceUID, a.ResourceUID):
				w = asksFor
			case e.ResourceUID == "" || a.ResourceUID == "":
				w = askedOther
			}
			if w > s.asked[k][p].weight {
				s.asked[k][p] = request{w, e}
			}
		}
		s.bestOnly(s.asked[k])
	}
	return s.asked
}

// bestOnly leaves who asked for the very thing, if anybody did.
func (s *scene) bestOnly(by map[*person]request) {
	for _, x := range by {
		if x.weight == asksFor {
			maps.DeleteFunc(by, func(_ *person, y request) bool { return y.weight < asksFor })
			return
		}
	}
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
// pages on which what was refused is asked for, where the proxy sees pages, and at
// how many a page was opened as soon as the attempt was refused.
func (s *scene) byPages(c *candidate) {
	g := s.sight.pages[c.of]
	if g == nil || len(g.hits) == 0 {
		return // whose device is not known says nothing
	}
	n, there, telling, quick, named, share := 0, 0, 0, 0, 0, 0.0
	for i := range s.run.Attempts {
		if !s.watched(s.run.Attempts[i].Time) {
			continue
		}
		n++
		m, ok := g.hits[i]
		if !ok {
			continue
		}
		there++
		share += m.share
		telling, quick, named = telling+count(m.telling), quick+count(m.prompt), named+count(m.named)
	}
	if there == 0 {
		return
	}
	chance := 1 - math.Exp(-(float64(g.lines)+0.5)/s.sight.busy.Seconds()*prompt.Seconds())
	weight, most := coincidence(quick, n, besides(n, quick, chance)), quick
	if s.sight.telling {
		weight, most = weight/2+coincidence(telling, n, math.Exp(lnBetaBinomial(telling, n, 1, others))), max(quick, telling)
	}
	weight = max(min(weight, lineMost), lineLeast)
	share /= float64(there)
	weight = math.Log(share*math.Exp(weight) + 1 - share)
	if k := len(s.crowd().people); k > 0 && k <= ownAddress {
		weight = max(weight, 0) // whoever is at an address of their own does not come by the office's proxy
	}
	c.own = c.own || weight > 0 && float64(most) >= mostOf*float64(n)
	lines := s.lines(g, telling > 0)
	values := say.Values{"n": there, "of": n, "named": named, "prompt": quick, "project": s.run.Project, "shown": bound(len(lines))}
	text := say.T("who.console", values)
	switch {
	case telling > 0:
		values["n"] = telling
		text = say.T("who.telling", values)
	case named > 0:
		text = say.T("who.pages", values)
	}
	c.add(weight, text, all(class(event.ClassHTTP), moments(lines, fromOf)))
}

// leastTurn is how many attempts somebody else has to be seen at to have made them.
const leastTurn = 3

// tookTurns tells whether somebody else was there at most of the attempts at which
// a person was not, and seldom at those at which they were: who works beside them
// is there at either alike. Of bursts at which the person is not seen at all it may be
// the device that is not known; and what is theirs by a record is nobody else's.
func (s *scene) tookTurns(p *person) bool {
	mine := s.sight.pages[p]
	if mine == nil {
		return false
	}
	at := func(g *glimpses, i int) bool { return g.hits[i].prompt || g.hits[i].telling }
	var there, missed []int
	bursts := map[int]bool{}
	for i := range s.run.Attempts {
		if at(mine, i) {
			there, bursts[s.burstAt(s.run.Attempts[i].Time, 0)] = append(there, i), true
		}
	}
	for i := range s.run.Attempts {
		t := s.run.Attempts[i].Time
		if !at(mine, i) && !s.direct()[i][p] && s.watched(t) && bursts[s.burstAt(t, 0)] {
			missed = append(missed, i)
		}
	}
	if len(missed) < leastTurn || len(there) == 0 {
		return false
	}
	share := func(g *glimpses, of []int) float64 {
		n := 0
		for _, i := range of {
			n += count(at(g, i))
		}
		return float64(n) / float64(len(of))
	}
	for q, g := range s.sight.pages {
		if with, instead := share(g, there), share(g, missed); q != p && instead >= mostOf && with < instead/2 {
			return true
		}
	}
	return false
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// watched tells whether the proxy's log has anything of the time around.
func (s *scene) watched(t time.Time) bool {
	const around = time.Hour
	i := sort.Search(len(s.pages), func(i int) bool { return !s.pages[i].Time.Before(t.Add(-around)) })
	return i < len(s.pages) && !s.pages[i].Time.After(t.Add(around))
}

// coincidence weighs that somebody was there at k of n attempts, beside the chance
// of that for who has nothing to do with them.
//
// Who did it all was there at nearly each (a share of Beta(8, 1.5)); who did part of
// it, or is seen in part only, at any share.
func coincidence(k, n int, not float64) float64 {
	did := 0.7*math.Exp(lnBetaBinomial(k, n, 8, 1.5)) + 0.3/float64(n+1)
	return math.Log(did / max(not, 1e-12))
}

// besides is the chance that somebody who is at the console anyhow opens a page at k
// of n moments, at each by chance: by as much as people are unlike themselves from
// one hour to the next.
func besides(n, k int, chance float64) float64 {
	const alike = 6
	chance = min(max(chance, 0.02), 0.9)
	return 0.5*math.Exp(lnChoose(n, k)+float64(k)*math.Log(chance)+float64(n-k)*math.Log1p(-chance)) +
		0.5*math.Exp(lnBetaBinomial(k, n, alike*chance, alike*(1-chance)))
}

// lnBetaBinomial is the logarithm of the chance of k out of n, each with a share
// that is of Beta(a, b).
func lnBetaBinomial(k, n int, a, b float64) float64 {
	return lnChoose(n, k) + lnBeta(float64(k)+a, float64(n-k)+b) - lnBeta(a, b)
}

func lnChoose(n, k int) float64 {
	return -lnBeta(float64(n-k+1), float64(k+1)) - math.Log(float64(n+1))
}

func lnBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}

// maxMoments is how many records a query asks for by their times: searches have
// bounds, and a query is carried in addresses of pages. Where there are more, the
// text says how many are shown.
const maxMoments = 100

// bound says how many of so many records the query finds, where that is not all.
func bound(n int) say.Text {
	if n <= maxMoments {
		return say.Text{}
	}
	return say.T("who.shown", say.Values{"n": maxMoments, "of": n})
}

// lines are the proxy's lines of the moments that are counted: of the telling ones
// those alone, with those opened as soon as an attempt was refused.
func (s *scene) lines(g *glimpses, telling bool) []*event.Event {
	var out []*event.Event
	for i := range s.run.Attempts {
		m, ok := g.hits[i]
		if ok && s.watched(s.run.Attempts[i].Time) && (!telling || m.telling || m.prompt) {
			out = append(out, m.e)
		}
	}
	return out
}

// fromOf finds the records of who made one: the proxy's of an address, or of a name.
func fromOf(e *event.Event) query.Expr {
	if e.SrcIP == "" {
		return eq("actor_uid", e.ActorUID)
	}
	return eq("src_ip", e.SrcIP)
}

// moments finds the first maxMoments of some records by their times and what of
// tells of each.
func moments(events []*event.Event, of func(*event.Event) query.Expr) query.Expr {
	some := make([]query.Expr, min(len(events), maxMoments))
	for i := range some {
		some[i] = all(of(events[i]), instant(events[i].Time))
	}
	return either(some...)
}
