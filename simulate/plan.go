package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// planned is a plan on its way.
type planned struct {
	calls []estate.Call // in order of time
	who   map[string]*session
}

// change is an estate.Change in seconds.
type change struct {
	*estate.Change
	from, until int64
}

// take prepares a plan: each flow and person is told what changes for them.
func (e *engine) take(p estate.Plan) {
	e.plan = &planned{calls: p.Calls, who: map[string]*session{}}
	byTime(e.plan.calls, func(c *estate.Call) int64 { return c.At.Unix() })
	for i := range p.Changes {
		c := &change{&p.Changes[i], p.Changes[i].From.Unix(), p.Changes[i].Until.Unix()}
		programs := len(c.Workloads) > 0 || len(c.Secrets) > 0
		if !programs || len(c.People) > 0 {
			for _, h := range e.humans {
				if len(c.People) == 0 || slices.Contains(c.People, h.Person) {
					h.changes = append(h.changes, c)
				}
			}
		}
		if !programs && len(c.People) > 0 {
			continue
		}
		for _, p := range e.programs {
			if len(c.Workloads) > 0 && !slices.Contains(c.Workloads, p.wl) {
				continue
			}
			for _, f := range p.flows {
				if len(c.Secrets) == 0 || slices.ContainsFunc(f.secrets, func(s *secret) bool { return slices.Contains(c.Secrets, s.Secret) }) {
					f.changes = append(f.changes, c)
				}
			}
		}
	}
}

func activeIn(all []*change, from, until int64) []*change {
	var out []*change
	for _, c := range all {
		if c.from < until && c.until > from {
			out = append(out, c)
		}
	}
	return out
}

func (c *change) holds(at int64) bool { return at >= c.from && at < c.until }

// share is of how many calls the change holds.
func (c *change) share() float64 {
	if c.Share == 0 {
		return 1
	}
	return c.Share
}

// times is by how much the change multiplies calls.
func (c *change) times() float64 {
	if c.Rate == 0 {
		return 1
	}
	return 1 + c.share()*(max(c.Rate, 0)-1)
}

// changed draws an hour in which changes hold for some or all of the time: as
// many calls as there are at most, thinned to what each moment has.
func (e *engine) changed(to []int64, f *flow, active []*change) []int64 {
	usual := f.level(e, f.clock, e.hour)
	level := func(at int64) float64 {
		v := usual
		for _, c := range active {
			if c.holds(at) && c.Shift != 0 {
				hour := at - int64(c.Shift.Seconds())
				v = f.level(e, f.clock.at(hour-hour%3600), hour)
			}
		}
		for _, c := range active {
			if c.holds(at) {
				v *= c.times()
			}
		}
		return v
	}
	most := 0.0
	for at := e.hour; at < e.hour+3600; at += 60 {
		most = max(most, level(at))
	}
	first := len(to)
	to = f.draw(to, e.hour, most)
	kept := to[:first]
	for _, at := range to[first:] {
		if f.rng.Float64()*most < level(at) {
			kept = append(kept, at)
		}
	}
	return kept
}

// modified is what changes make of one call.
type modified struct {
	as      *program
	region  string
	errCode string
	ip      string
	label   *estate.Label
}

// modify decides what changes make of a call at a time.
func (e *engine) modify(f *flow, at int64, active []*change) modified {
	var m modified
	batch := f.reading.Rhythm == estate.Batch || f.reading.Rhythm == estate.Weekly
	for _, c := range active {
		if !c.holds(at) || c.Share > 0 && c.Rate == 0 && e.rng.Float64() >= c.Share {
			continue
		}
		m.by(e, c)
	}
	if batch {
		// What was moved is the change's doing though it holds no more.
		for _, c := range f.changes {
			if c.Shift != 0 && c.Label != nil && c.holds(at-int64(c.Shift.Seconds())) {
				m.label = c.Label
			}
		}
	}
	return m
}

func (m *modified) by(e *engine, c *change) {
	if c.As != nil {
		m.as = e.byWork[c.As]
	}
	if c.Region != "" {
		m.region = c.Region
	}
	if c.Error != "" {
		m.errCode = c.Error
	}
	if c.IP != "" {
		m.ip = c.IP
	}
	if c.Label != nil {
		m.label = c.Label
	}
}

// asPlanned makes the plan's calls of the hour.
func (e *engine) asPlanned() {
	if e.plan == nil {
		return
	}
	for len(e.plan.calls) > 0 && e.plan.calls[0].At.Unix() < e.hour+3600 {
		e.planCall(&e.plan.calls[0])
		e.plan.calls = e.plan.calls[1:]
	}
}

func (e *engine) planCall(p *estate.Call) {
	s := e.sessionOf(&p.By, p.At.Unix())
	to := p.Account
	if to == nil && p.Secret != nil {
		to = p.Secret.Account
	}
	if to == nil {
		to = p.By.Account
	}
	region := p.Region
	if region == "" && p.Secret != nil {
		region = p.Secret.Region
	}
	if region == "" {
		region = to.Home
	}
	a := e.byID[to.ID]
	c := call{at: p.At.Unix(), who: s, in: a.stream(region)}
	e.fill(&c, p)
	switch {
	case c.secret != nil:
		e.read(c, p.Label)
	case s.account != "" && s.account != a.ID:
		c.id = e.newID()
		e.across(c, a, p.Label)
	default:
		c.id = e.newID()
		e.note(p.Label, &c)
		e.emit(c)
	}
}

// fill says what a planned call asks for and how it ends.
func (e *engine) fill(c *call, p *estate.Call) {
	m := &more{req: p.Params, errCode: p.Error, errMsg: p.Message}
	if p.Secret != nil {
		t := e.secrets[p.Secret]
		if p.Operation == "" || p.Operation == t.op.name {
			c.secret = t
		} else if m.req == "" {
			m.req = t.params(p.Operation, c.in.region)
		}
	}
	if c.secret == nil || p.Service != "" && p.Operation != "" {
		c.op = &operation{source: p.Service, name: p.Operation, readOnly: p.ReadOnly}
		if c.secret != nil {
			c.op = c.secret.op
		}
	}
	if p.Resource != "" {
		m.resources = `{"accountId":"` + c.in.account.ID + `","ARN":"` + p.Resource + `"}`
	}
	if p.SignIn != "" {
		m.eventType, m.resp, m.noFlag = "AwsConsoleSignIn", `{"ConsoleLogin":"`+p.SignIn+`"}`, true
		m.extra = `{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"No"}`
		if p.SignIn != "Success" && m.errMsg == "" {
			m.errMsg = "Failed authentication"
		}
	}
	if m.errCode != "" && m.errMsg == "" {
		m.errMsg = "The call failed"
		if o, msg := denial(p.Service, p.Operation, c.who.sessionARN()); strings.HasPrefix(m.errCode, "AccessDenied") || m.errCode == o {
			m.errMsg = msg
		}
	}
	c.more = m
}

// params name the secret in the request of some other operation.
func (s *secret) params(operation, region string) string {
	arn := s.in(region)
	switch s.Sort {
	case estate.SortKey:
		return `{"keyId":"` + arn + `"}`
	case estate.SortParameter:
		return `{"name":"` + s.Name + `"}`
	}
	if operation == "CreateSecret" {
		return `{"name":"` + s.Name + `"}`
	}
	if s.bare {
		arn = s.Name
	}
	return `{"secretId":"` + arn + `"}`
}

// sessionOf finds or makes the session that a plan's caller shows.
func (e *engine) sessionOf(by *estate.Caller, at int64) *session {
	b := *by
	var usual *session
	switch {
	case b.Workload != nil:
		p := e.byWork[b.Workload]
		usual = p.any(e.rng)
		if b.Role == "" {
			b.Role = b.Workload.Role
		}
		if b.Class == "" {
			b.Class = b.Workload.Class
		}
	case b.Person != nil:
		h := e.byPerson[b.Person]
		if b.Role == "" {
			b.Role = h.roleIn(b.Account)
		}
		if b.Class == "" {
			b.Class = estate.CLI
		}
		usual = h.sessionAs(b.Role, classOf[b.Class])
		if b.IP == "" {
			b.IP = h.address(at)
		}
	}
	if usual != nil {
		if b.Workload != nil && b.Role == b.Workload.Role && b.Class == b.Workload.Class && b.Session == "" && b.IP == "" && b.Agent == "" && b.VPCE == "" && b.Scope == "" {
			return usual
		}
		b.Session = either(b.Session, usual.name)
		if b.IP == "" && b.VPCE == "" {
			b.VPCE = usual.vpce
		}
		b.IP = either(b.IP, usual.ip)
		b.Agent = either(b.Agent, usual.agent)
	}
	key := fmt.Sprint(b.Class, "|", b.Role, "|", b.Session, "|", b.IP, "|", b.Agent, "|", b.VPCE, "|", b.IMDSv1, "|", b.Scope)
	s := e.plan.who[key]
	if s == nil {
		s = e.stranger(&b)
		e.plan.who[key] = s
	}
	return s
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// stranger makes a session from what a plan says of it.
func (e *engine) stranger(b *estate.Caller) *session {
	c := classOf[b.Class]
	account := ""
	if b.Account != nil {
		account = b.Account.ID
	}
	t := traits{}
	name, agent := b.Session, b.Agent
	h := mix(textHash(b.Role + b.Session))
	switch c {
	case lambda:
		name, agent = either(name, "function"), either(agent, agentLambda)
		t.scopeTyp, t.scopeTo, t.scoped = "AWS::Lambda::Function", b.Scope, b.Scope != ""
		if b.Scope == "" {
			t.scopeTo = "arn:aws:lambda:" + home + ":" + account + ":function:" + name
		}
	case ecs:
		name, agent = either(name, fmt.Sprintf("%016x%016x", h, mix(h))), either(agent, agentECS)
	case ec2:
		name, agent, t.delivery = either(name, fmt.Sprintf("i-0%016x", h)), either(agent, agentEC2), "2.0"
		if b.IMDSv1 {
			t.delivery = "1.0"
		}
	case eks:
		name, agent = either(name, fmt.Sprintf("botocore-session-17%08d", h%1e8)), either(agent, agentEKS)
		t.provider = fmt.Sprintf("arn:aws:iam::%s:oidc-provider/oidc.eks.%s.amazonaws.com/id/%s", account, home, upper36(textHash(account), 32))
	case ci:
		name, agent = either(name, "GitHubActions"), either(agent, agentCI)
		t.provider = "arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com"
	case console:
		agent = either(agent, agentBrowser)
	case static:
		agent = either(agent, agentStatic)
	default:
		agent = either(agent, agentCLI)
	}
	if c != lambda && b.Scope != "" {
		t.scopeTyp, t.scopeTo, t.scoped = "AWS::ECS::Task", b.Scope, true
	}
	s := newPrincipal(c, b.Role, t).session(either(name, "session"), b.IP, agent)
	s.vpce = b.VPCE
	return s
}
