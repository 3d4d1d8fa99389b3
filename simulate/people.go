package simulate

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// human is a person at work.
type human struct {
	*estate.Person
	clock    *clock
	rng      *rand.Rand
	day      int // of the clock, that what follows was decided for
	presence estate.Presence
	sets     []estate.PermissionSet
	known    map[string]*session // by role and class
	reads    []*own
	signed   map[*account]int // day of the last sign-in to the console
	changes  []*change
}

// own is a secret that a person reads every day.
type own struct {
	secret *secret
	class  class
	role   string
}

func (e *engine) addHuman(p *estate.Person) {
	h := &human{Person: p, clock: e.clock(p.Zone), rng: rand.New(rand.NewPCG(uint64(e.c.Seed), textHash(p.Email))), known: map[string]*session{}, signed: map[*account]int{}}
	h.sets = p.Sets
	e.humans, e.byPerson[p] = append(e.humans, h), h
	for _, s := range e.w.Secrets {
		for _, r := range s.Readers {
			if r != p {
				continue
			}
			o := &own{secret: e.secrets[s], class: person, role: h.roleIn(s.Account)}
			if chance(h.rng, shareConsole) {
				o.class = console
			}
			h.reads = append(h.reads, o)
		}
	}
}

// roleIn is what the person may use in an account, else the first they have.
func (h *human) roleIn(a *estate.Account) string {
	for _, s := range h.Sets {
		if s.Account == a {
			return s.Role
		}
	}
	if len(h.Sets) == 0 {
		return ""
	}
	return h.Sets[0].Role
}

func (h *human) sessionAs(role string, c class) *session {
	if c != console {
		c = person
	}
	key := role + string(rune('0'+c))
	s := h.known[key]
	if s == nil {
		s = newPrincipal(c, role, traits{}).session(h.Email, "", agentCLI)
		if c == console {
			s.agent = agentBrowser
		}
		h.known[key] = s
	}
	return s
}

// address is where the person is at a time: at their office where nothing else
// is known.
func (h *human) address(at int64) string {
	ip := h.presence.Address
	if ip == "" {
		ip = h.Home
	}
	for _, c := range h.changes {
		if c.holds(at) && c.IP != "" {
			ip = c.IP
		}
	}
	return ip
}

// dayAtDesk is how much of a day's work falls into an hour since work began.
var dayAtDesk = [...]float64{.8, 1.2, 1.3, .7, .9, 1.2, 1.2, 1, .7, .3}

// atWork is an hour of a person.
func (e *engine) atWork(h *human) {
	if h.day != h.clock.day {
		h.day = h.clock.day
		h.presence = e.w.Presence(h.Person, time.Unix(e.hour, 0).In(h.clock.loc))
	}
	active := activeIn(h.changes, e.hour, e.hour+3600)
	clock := h.clock
	for _, c := range active {
		if c.Shift != 0 {
			clock = h.clock.at(e.hour - int64(c.Shift.Seconds()))
		}
	}
	if !h.presence.Works && clock == h.clock || len(h.sets) == 0 {
		return
	}
	share := h.shareOf(float64(clock.hour))
	if share == 0 {
		return
	}
	rate := 1.0
	for _, c := range active {
		rate *= c.times()
	}
	calls := callsPerPerson * e.c.scale * rate * share
	for range poisson(h.rng, calls*gamma(h.rng, 4)/4) {
		e.deskWork(h, h.moment(e.hour, clock), active)
	}
	for _, o := range h.reads {
		for range poisson(h.rng, personReads*rate*share) {
			e.ownRead(h, o, h.moment(e.hour, clock), active)
		}
	}
}

// shareOf is how much of the day's work falls into the hour of the clock.
func (h *human) shareOf(hour float64) float64 {
	var all, part float64
	for i, w := range dayAtDesk {
		from, to := h.Begins+float64(i), min(h.Begins+float64(i)+1, h.Ends)
		if to <= from {
			break
		}
		all += w * (to - from)
		if cut := min(to, hour+1) - max(from, hour); cut > 0 {
			part += w * cut
		}
	}
	return part / all
}

// moment is a second of the hour within working time.
func (h *human) moment(hour int64, c *clock) int64 {
	from, to := int64(0), int64(3600)
	if first := h.Begins - float64(c.hour); first > 0 && first < 1 {
		from = int64(first * 3600)
	}
	if last := h.Ends - float64(c.hour); last > 0 && last < 1 {
		to = int64(last * 3600)
	}
	return hour + from + h.rng.Int64N(max(1, to-from))
}

// deskWork is one call of a person that is not about a secret's value.
func (e *engine) deskWork(h *human, at int64, active []*change) {
	op := &operations[e.desk[h.rng.IntN(len(e.desk))]]
	set := &h.sets[h.rng.IntN(1+h.rng.IntN(len(h.sets)))]
	c := person
	if op.by&(1<<person) == 0 || op.by&(1<<console) != 0 && chance(h.rng, shareConsole) {
		c = console
	}
	e.byHand(h, set.Role, c, op, e.byID[set.Account.ID], at, active)
}

// byHand makes a person's call, after a sign-in if it is the console's first of
// the day.
func (e *engine) byHand(h *human, role string, c class, op *operation, a *account, at int64, active []*change) {
	in := a.main
	if op.global {
		in = a.stream(global)
	} else if len(a.Regions) > 1 && h.rng.IntN(10) == 0 {
		in = a.stream(a.Regions[1+h.rng.IntN(len(a.Regions)-1)])
	}
	if c == console && h.signed[a] != h.day {
		h.signed[a] = h.day
		e.emit(call{at: at - int64(5+h.rng.IntN(60)), who: h.sessionAs(role, c), op: &signInOp, in: a.stream(global),
			more: &more{ip: h.address(at), eventType: "AwsConsoleSignIn", noFlag: true}})
	}
	if op.name == "ConsoleLogin" {
		return // only that one
	}
	k := call{at: at, who: h.sessionAs(role, c), op: op, in: in, more: &more{ip: h.address(at)}}
	var label *estate.Label
	for _, x := range active {
		if x.holds(at) {
			if x.Error != "" && (x.Share == 0 || h.rng.Float64() < x.Share) {
				k.more.errCode, k.more.errMsg = x.Error, "The call failed"
			}
			label = x.Label
		}
	}
	if k.more.errCode == "" && h.rng.Float64() < peopleFailed {
		k.mark |= someError(h.rng)
	}
	if c == console && h.rng.Float64() < shareInternal {
		k.mark |= isInternal
	}
	k.id = e.newID()
	e.note(label, &k)
	e.emit(k)
}

var signInOp = operation{source: "signin", name: "ConsoleLogin", fill: signIn}

// ownRead is a person's reading of a secret of their own.
func (e *engine) ownRead(h *human, o *own, at int64, active []*change) {
	t := o.secret
	if !t.exists(at) {
		return
	}
	if o.class == console {
		e.byHand(h, o.role, console, &describeSecretOp, t.account, at-int64(2+h.rng.IntN(20)), nil)
	}
	region := t.Region
	var label *estate.Label
	m := &more{ip: h.address(at)}
	for _, x := range active {
		if !x.holds(at) {
			continue
		}
		region = either(x.Region, region)
		if x.Error != "" {
			m.errCode, m.errMsg = x.Error, "The call failed"
		}
		label = x.Label
	}
	e.read(call{at: at, who: h.sessionAs(o.role, o.class), secret: t, in: t.account.stream(region), more: m}, label)
}

var describeSecretOp = operation{source: "secretsmanager", name: "ListSecrets", readOnly: true}

// page calls whoever is on duty out of bed.
func (e *engine) page(t *estate.Team, at int64) {
	for _, p := range t.People {
		h := e.byPerson[p]
		for _, d := range p.Duty {
			if at < d.From.Unix() || at >= d.To.Unix() || len(h.sets) == 0 {
				continue
			}
			usual := h.presence.Address
			h.presence.Address = p.Home
			defer func() { h.presence.Address = usual }()
			set := &h.sets[0]
			for range 5 + h.rng.IntN(20) {
				op := &operations[e.desk[h.rng.IntN(len(e.desk))]]
				if strings.HasPrefix(op.name, "Console") || op.by&(1<<person) == 0 {
					continue
				}
				e.byHand(h, set.Role, person, op, e.byID[set.Account.ID], at+int64(h.rng.IntN(2400)), nil)
			}
			return
		}
	}
}
