package streams

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/logs"
)

// KindDenials is the kind of labels that tell of denials by policies of the
// organisation at Google Cloud.
const KindDenials = "gcp_denials"

// Most labels name so many records of theirs.
const mostEvents = 1000

// knownShare is how much of what is harmless the calendar tells.
const knownShare = 0.7

// put writes an act that was planned, with the id that its label has.
func put(a *logs.Act, activity, policy *logs.Log) error {
	a.RNG = rand.New(rand.NewPCG(uint64(a.At.UnixNano()), 1)) // planned acts are written as often as asked
	if a.Refused {
		e := a.Refusal()
		e.InsertID = a.ID
		return policy.AddJSON(a.At, e)
	}
	return a.Write(activity, policy)
}

// cloudTrouble plans runs of denials, and what looks like them, of all three
// difficulties. Truth is in the labels: Person is who did it, Account the
// project; Principal what the log names, empty where it is masked.
func (s *scene) cloudTrouble() []*incident {
	if len(s.cloud.of) == 0 {
		return nil
	}
	var out []*incident
	number := map[bool]int{}
	rounds := map[string]int{"small": 1, "medium": 2, "large": 3}[s.w.Size]
	for round := range max(rounds, 1) {
		for n, make := range []func(*drama) bool{(*drama).persistent, (*drama).sharedAddress, (*drama).stranger, (*drama).agent, (*drama).retries, (*drama).everybody, (*drama).newPolicy, (*drama).pipelineTidied} {
			d := &drama{s: s, rng: s.chance("gcp trouble", round, n), span: s.w.End.Sub(s.w.TroubleAt)}
			d.label = &estate.Label{Kind: KindDenials, Benign: n >= 4}
			if !make(d) {
				continue
			}
			number[d.label.Benign]++
			d.label.ID = fmt.Sprintf("gcp-%s-%03d", map[bool]string{false: "trouble", true: "harmless"}[d.label.Benign], number[d.label.Benign])
			d.close()
			out = append(out, &d.incident)
		}
	}
	pair(out, s.chance("gcp calendar"))
	return out
}

// pair ties each trouble to something that looks like it, and takes from the
// calendar what nobody announced.
func pair(all []*incident, rng *rand.Rand) {
	var bad, good []*incident
	for _, i := range all {
		if i.label.Benign {
			good = append(good, i)
		} else {
			bad = append(bad, i)
		}
	}
	for k := range min(len(bad), len(good)) {
		bad[k].label.LookAlike, good[k].label.LookAlike = good[k].label.ID, bad[k].label.ID
	}
	known := int(math.Round(knownShare * float64(len(good))))
	for k, g := range rng.Perm(len(good)) {
		i := good[g]
		if i.label.Known = k < known; !i.label.Known {
			i.window = nil
			continue
		}
		i.window.ID, i.window.Ticket = "change-"+i.label.ID, fmt.Sprintf("CHG-%d", 40100+7*g)
	}
}

// drama is the making of one incident.
type drama struct {
	s    *scene
	rng  *rand.Rand
	span time.Duration
	incident
}

// close fills the label from the acts and gives each refusal its id.
func (d *drama) close() {
	slices.SortStableFunc(d.acts, func(a, b *logs.Act) int { return a.At.Compare(b.At) })
	l := d.label
	l.Events = []string{}
	for _, a := range d.acts {
		if !a.Refused {
			continue
		}
		a.ID = logs.Drawn(d.rng, 13, logs.Letters)
		if len(l.Events) == 0 {
			l.Start = a.At
		}
		l.End = a.At.Add(time.Millisecond)
		if len(l.Events) < mostEvents {
			l.Events = append(l.Events, a.ID)
		}
	}
	if d.window != nil {
		d.window.Start, d.window.End = l.Start.Truncate(time.Hour), l.End.Truncate(time.Hour).Add(2*time.Hour)
	}
}

// userOnce is somebody who works at Google Cloud, with a project and a day of
// theirs; nil where there is none.
func (d *drama) userOnce() (*estate.Person, *project, time.Time) {
	x, p := d.user()
	if x == nil {
		return nil, nil, time.Time{}
	}
	days := d.days(x, 1)
	if len(days) == 0 {
		return nil, nil, time.Time{}
	}
	return x, p, days[0]
}

// user draws somebody who is there all the time, with a project.
func (d *drama) user() (*estate.Person, *project) {
	for range 100 {
		p := one(d.rng, d.s.cloud.projects)
		if len(p.users) == 0 {
			continue
		}
		if x := one(d.rng, p.users); x.Joined.IsZero() && x.Left.IsZero() {
			return x, p
		}
	}
	return nil, nil
}

// days draws n days at work of a person, one after the other.
func (d *drama) days(x *estate.Person, n int) []time.Time {
	var out []time.Time
	first := d.s.w.TroubleAt.Add(time.Duration(d.rng.Float64() * float64(d.span) * 0.7)).Truncate(24 * time.Hour)
	for day := first; day.Before(d.s.w.End) && len(out) < n; day = day.AddDate(0, 0, 1) {
		at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, d.s.zone(x.Zone)).Add(time.Duration((x.Begins + 1.5) * float64(time.Hour)))
		if d.s.w.Presence(x, day).Works && !at.Before(d.s.w.TroubleAt) && at.Add(6*time.Hour).Before(d.s.w.End) {
			out = append(out, at.UTC())
		}
	}
	return out
}

// refused is an act that a policy of the organisation denies.
func (d *drama) refused(at time.Time, p *project, c *logs.Change, email, ip, agent string) *logs.Act {
	a := &logs.Act{At: at.Truncate(time.Millisecond), Project: p.id, Number: p.number, What: c, Email: email, IP: ip, Agent: agent, Refused: true, RNG: d.rng, Location: d.s.location(p)}
	a.Name = fmt.Sprintf("%s-%s-%s", p.team.Name, one(d.rng, things), logs.Drawn(d.rng, 4, logs.Letters))
	return a
}

func guarded(constraint string) *logs.Change {
	i := slices.IndexFunc(logs.Changes, func(c logs.Change) bool { return c.Constraint == constraint })
	return &logs.Changes[i]
}

// persistent is one person at home who tries two ways around, masked; what the
// person did shortly before stands in the log by name.
func (d *drama) persistent() bool {
	x, p, day := d.userOnce()
	if x == nil {
		return false
	}
	m, n := logs.MachineOf(x.Device), 30+d.rng.IntN(31)
	l := d.label
	l.Sort, l.Difficulty, l.Person, l.Account = "masked, alone at the address", 1, x.Email, p.id
	c := guarded("constraints/gcp.restrictServiceUsage")
	other := guarded("constraints/gcp.resourceLocations")
	agent := m.GcloudAgent(c.Command, logs.Drawn(d.rng, 32, logs.Hexes))
	for i := range 6 { // by name
		a := d.refused(day.Add(time.Duration(i*40)*time.Second), p, guardless("pubsub.topics.create"), x.Email, x.Home, agent)
		a.Refused = false
		d.acts = append(d.acts, a)
	}
	for i := range n {
		what := c
		if i%3 == 2 {
			what = other
		}
		d.acts = append(d.acts, d.refused(day.Add(8*time.Minute+time.Duration(i)*4*time.Minute+time.Duration(d.rng.IntN(90))*time.Second), p, what, "", x.Home, agent))
	}
	return true
}

func guardless(command string) *logs.Change {
	i := slices.IndexFunc(logs.Changes, func(c logs.Change) bool { return c.Command == command && c.Constraint == "" })
	return &logs.Changes[i]
}

// sharedAddress is somebody in the office, whose address many share; the tools
// tell the device's version.
func (d *drama) sharedAddress() bool {
	x, p := d.user()
	if x == nil {
		return false
	}
	days := d.days(x, 3)
	if len(days) == 0 {
		return false
	}
	l := d.label
	l.Sort, l.Difficulty, l.Person, l.Account = "masked, several at the address", 2, x.Email, p.id
	c := guarded("constraints/compute.vmExternalIpAccess")
	for _, day := range days {
		agent := logs.MachineOf(x.Device).GcloudAgent(c.Command, logs.Drawn(d.rng, 32, logs.Hexes))
		for i := range 4 + d.rng.IntN(4) {
			d.acts = append(d.acts, d.refused(day.Add(time.Duration(i*11)*time.Minute+time.Duration(d.rng.IntN(300))*time.Second), p, c, "", x.Office, agent))
		}
	}
	return true
}

// stranger is denied at an address and by tools that nobody else uses: nobody
// can say who it was.
func (d *drama) stranger() bool {
	x, p := d.user()
	if x == nil {
		return false
	}
	days := d.days(x, 6)
	if len(days) < 2 {
		return false
	}
	l := d.label
	l.Sort, l.Difficulty, l.Account = "masked, nobody else at the address", 3, p.id
	ip := fmt.Sprintf("198.51.100.%d", 10+d.rng.IntN(200))
	for i, day := range days {
		if i == 0 || d.rng.IntN(4) > 0 {
			d.acts = append(d.acts, d.refused(day.Add(time.Duration(d.rng.IntN(300))*time.Minute), p, guarded("constraints/iam.disableServiceAccountKeyCreation"), "", ip, "python-requests/2.32.5,gzip(gfe)"))
		}
	}
	return true
}

// agent is a person who makes notebooks whose machines the service may not
// make: the denial names the service's agent only.
func (d *drama) agent() bool {
	x, p := d.user()
	if x == nil {
		return false
	}
	days := d.days(x, 2)
	if len(days) == 0 {
		return false
	}
	agent := "service-" + p.number + "@gcp-sa-notebooks.iam.gserviceaccount.com"
	l := d.label
	l.Sort, l.Difficulty, l.Person, l.Account, l.Principal = "a service's agent for a person", 2, x.Email, p.id, agent
	make := guarded("constraints/ainotebooks.disableRootAccess")
	for _, day := range days {
		at := d.s.w.Presence(x, day.In(d.s.zone(x.Zone)))
		for i := range 2 + d.rng.IntN(4) {
			asked := d.refused(day.Add(time.Duration(i*17)*time.Minute), p, make, x.Email, at.Address, logs.MachineOf(x.Device).GcloudAgent(make.Command, logs.Drawn(d.rng, 32, logs.Hexes)))
			asked.Refused = false
			denied := d.refused(asked.At.Add(time.Duration(15+d.rng.IntN(80))*time.Second), p, guarded("constraints/compute.requireShieldedVm"), agent, "private", "Google-API-Java-Client/2.7.2 Google-HTTP-Java-Client/1.46.3 (gzip),gzip(gfe)")
			denied.Account, denied.Name = true, asked.Name
			d.acts = append(d.acts, asked, denied)
		}
	}
	return true
}

// retries are one apply of a pipeline that tries the same thing again and again.
func (d *drama) retries() bool {
	x, p, day := d.userOnce()
	if x == nil {
		return false
	}
	l := d.label
	l.Sort, l.Difficulty, l.Account, l.Principal, l.Why = "retries of a pipeline", 1, p.id, p.pipeline, "one apply, tried again every few seconds: the same resource all along"
	first := d.refused(day, p, guarded("constraints/storage.uniformBucketLevelAccess"), p.pipeline, addressCI, agentTerraform)
	for i := range 15 + d.rng.IntN(15) {
		a := *first
		a.Account, a.At = true, day.Add(time.Duration(i*9000+d.rng.IntN(900))*time.Millisecond)
		d.acts = append(d.acts, &a)
	}
	d.announce("pipeline of "+p.id+" is being set up", p.team.Name, p.id)
	return true
}

// everybody in an office meets the same policy once: many people behind one
// address, none of them often.
func (d *drama) everybody() bool {
	x, p, day := d.userOnce()
	if x == nil {
		return false
	}
	l := d.label
	l.Sort, l.Difficulty, l.Account, l.Why = "many at one address", 2, p.id, "the people of an office, each denied once: the address is shared"
	c := guarded("constraints/compute.requireShieldedVm")
	for i, y := range p.users {
		if y.Office != x.Office || d.s.w.Presence(y, day.In(d.s.zone(y.Zone))).Home {
			continue
		}
		agent := logs.MachineOf(y.Device).GcloudAgent(c.Command, logs.Drawn(d.rng, 32, logs.Hexes))
		d.acts = append(d.acts, d.refused(day.Add(time.Duration(i*23)*time.Minute), p, c, "", y.Office, agent))
	}
	d.announce("training: machines at Google Cloud, "+p.id, p.team.Name, p.id)
	return len(d.acts) > 1
}

// newPolicy is a policy that was brought in with notice; people meet it by name.
func (d *drama) newPolicy() bool {
	x, p := d.user()
	if x == nil {
		return false
	}
	days := d.days(x, 2)
	if len(days) == 0 {
		return false
	}
	l := d.label
	l.Sort, l.Difficulty, l.Account, l.Why = "new policy", 2, p.id, "a policy was brought in with notice, and everybody meets it for two days"
	c := guarded("constraints/iam.allowedPolicyMemberDomains")
	for k, day := range days {
		for i, y := range p.users {
			if at := d.s.w.Presence(y, day.In(d.s.zone(y.Zone))); at.Works {
				d.acts = append(d.acts, d.refused(day.Add(time.Duration(i*31+7*k)*time.Minute), p, c, y.Email, at.Address, logs.MachineOf(y.Device).Browser+",gzip(gfe)"))
			}
		}
	}
	d.announce("domain-restricted sharing is switched on in "+p.id, "platform", p.id)
	return len(d.acts) > 0
}

// pipelineTidied is a person who tidies up after a policy, named and few.
func (d *drama) pipelineTidied() bool {
	x, p := d.user()
	if x == nil {
		return false
	}
	days := d.days(x, 4)
	if len(days) < 2 {
		return false
	}
	l := d.label
	l.Sort, l.Difficulty, l.Person, l.Account, l.Principal, l.Why = "slow migration", 3, x.Email, p.id, x.Email, "a person moves databases one by one to private addresses and forgets the setting at times"
	for _, day := range days {
		at := d.s.w.Presence(x, day.In(d.s.zone(x.Zone)))
		d.acts = append(d.acts, d.refused(day.Add(time.Duration(d.rng.IntN(200))*time.Minute), p, guarded("constraints/sql.restrictPublicIp"), x.Email, at.Address, logs.MachineOf(x.Device).Browser+",gzip(gfe)"))
	}
	d.announce("databases of "+p.id+" move to private addresses", p.team.Name, p.id)
	return true
}

// announce makes the window that a calendar tells of the incident.
func (d *drama) announce(title, owner, account string) {
	d.window = &finding.Window{Title: title, Owner: owner, Sort: "change", Accounts: []string{account}, Kinds: []string{KindDenials}}
}
