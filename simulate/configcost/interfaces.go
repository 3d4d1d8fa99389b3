package configcost

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// maker makes network interfaces: so many a day, and deletes as many.
type maker struct {
	kind    string // of the functions below
	name    string
	cluster string
	daily   int
	over    int // of them, interfaces that live over midnight
	rhythm  func(rng *rand.Rand, i, n int) time.Duration
	life    func(rng *rand.Rand) time.Duration
	group   string // its security group
}

// Kinds of makers.
const (
	ofService  = "ecs-service"
	ofTask     = "ecs-task" // started by a schedule
	ofFunction = "lambda"
	ofBalancer = "load-balancer"
	ofPerson   = "person"
)

// Rhythms: when the i-th of n interfaces of a day is made.
func steady(rng *rand.Rand, i, n int) time.Duration {
	return time.Duration((float64(i) + rng.Float64()) / float64(n) * float64(day))
}

// byDay is work of the day in Japan, and little at night.
func byDay(rng *rand.Rand, _, _ int) time.Duration {
	for {
		at := rng.Float64()
		hour := int(at*24+9) % 24 // in Japan
		if hour >= 8 && hour < 21 || rng.Float64() < 0.12 {
			return time.Duration(at * float64(day))
		}
	}
}

// onTheMinute is n tasks, as many each minute, or each so many minutes.
func onTheMinute(rng *rand.Rand, i, n int) time.Duration {
	minutes := 24 * 60
	at := time.Duration(i*minutes/n) * time.Minute
	return at + time.Duration(2+rng.IntN(6))*time.Second
}

func between(least, most time.Duration) func(*rand.Rand) time.Duration {
	return func(rng *rand.Rand) time.Duration { return least + time.Duration(rng.Int64N(int64(most-least))) }
}

// making are the makers of the account of the story.
func (w *world) making() (out []*maker) {
	rng := w.chance("makers")
	left := w.plan.creations
	add := func(m *maker) {
		m.daily = min(m.daily, left)
		m.over = min(m.over, m.daily)
		left -= m.daily
		m.group = one(rng, w.groups)
		out = append(out, m)
	}
	switch {
	case w.Variant == Schedule:
		add(&maker{kind: ofTask, name: w.service, cluster: w.cluster, daily: w.plan.looping, rhythm: onTheMinute, life: between(18*time.Second, 50*time.Second)})
	case w.plan.looping > 0:
		shortest := time.Duration(38+rng.IntN(25)) * time.Second
		add(&maker{kind: ofService, name: w.service, cluster: w.cluster, daily: w.plan.looping, over: 5, rhythm: steady, life: between(shortest, shortest+30*time.Second)})
	}
	whole := w.plan.creations > 1000
	few := func(n, least int) int {
		if !whole {
			return least
		}
		return n
	}
	for _, f := range w.functions {
		add(&maker{kind: ofFunction, name: f, daily: few(4+rng.IntN(6), 2), over: 2, rhythm: byDay, life: between(20*time.Minute, 5*time.Hour)})
	}
	add(&maker{kind: ofTask, name: w.others[4] + "-nightly", cluster: w.cluster, daily: few(96, 12), rhythm: onTheMinute, life: between(2*time.Minute, 9*time.Minute)})
	add(&maker{kind: ofBalancer, name: w.others[0], daily: few(6, 2), over: 1, rhythm: byDay, life: between(3*time.Hour, 8*time.Hour)})
	add(&maker{kind: ofPerson, name: w.people[4].email, daily: 2, rhythm: byDay, life: between(5*time.Minute, 90*time.Minute)})
	for i, s := range w.others { // what is left is deployed and scaled by day
		n := left / (len(w.others) - i)
		add(&maker{kind: ofService, name: s, cluster: w.cluster, daily: n, over: n / 12, rhythm: byDay, life: between(25*time.Minute, 4*time.Hour)})
	}
	return out
}

// born is an interface's life.
type born struct {
	maker      *maker
	id, number string // eni-…, and of its attachment
	start, end time.Time
	first      bool // of those that a call starts together
	subnet     int
	address    string
}

// lives are the interfaces that a maker makes on a day: exactly so many are made, and
// as many of the same maker are deleted, since as many live over each midnight.
func (w *world) lives(m *maker, at time.Time) []born {
	rng := w.chance("lives", m.kind, m.name, at.Unix())
	starts := make([]time.Duration, m.daily)
	for i := range starts {
		starts[i] = min(m.rhythm(rng, i, m.daily).Truncate(time.Second), day-2*time.Second) // it may be deleted before midnight
	}
	slices.Sort(starts)
	out := make([]born, 0, m.daily)
	for i, s := range starts {
		b := born{maker: m, id: "eni-0" + logs.Drawn(rng, 16, logs.Hexes), number: logs.UUID(rng), start: at.Add(s), subnet: rng.IntN(len(w.subnets)),
			first: i == 0 || s/time.Minute != starts[i-1]/time.Minute}
		b.address = fmt.Sprintf("10.%d.%d.%d", 32+b.subnet, rng.IntN(16), 4+rng.IntN(250))
		b.end = b.start.Add(m.life(rng)).Truncate(time.Second)
		midnight := at.Add(day)
		switch over := i >= m.daily-m.over; {
		case over && b.end.Before(midnight):
			b.end = midnight.Add(time.Duration(3+rng.IntN(55)) * time.Second)
		case !over && !b.end.Before(midnight):
			b.end = later(b.start.Add(time.Second), midnight.Add(-time.Duration(1+rng.IntN(20))*time.Second))
		}
		if !b.end.Before(midnight.Add(day)) {
			b.end = midnight.Add(day - time.Second)
		}
		out = append(out, b)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// interfaces writes what is made on a day, and deleted then or on the day after.
func (w *world) interfaces(at time.Time) error {
	for _, m := range w.makers {
		all := w.lives(m, at)
		for i, b := range all {
			if m.kind == ofTask && b.first {
				n := 1
				for i+n < len(all) && !all[i+n].first {
					n++
				}
				if err := w.runTask(all[i : i+n]); err != nil {
					return err
				}
			}
			if err := w.live(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// live writes the records of one interface.
func (w *world) live(b born) error {
	who := w.callerOf(b)
	description := w.describe(b)
	tags := tagsOf(b.maker)
	tagged, tagSet := "", `{}`
	if tags != "" {
		tagged = `,"tagSpecificationSet":{"items":[{"resourceType":"network-interface","tags":[` + tags + `]}]}`
		tagSet = `{"items":[` + tags + `]}`
	}
	token := b.number
	if err := w.put(call{source: "ec2", name: "CreateNetworkInterface", account: w.churn, at: b.start, requestedBy: who,
		request: `{"subnetId":"` + w.subnets[b.subnet] + `","description":` + quoted(description) + `,"groupSet":{"items":[{"groupId":"` + b.maker.group + `"}]},"privateIpAddressesSet":{},"ipv6AddressCount":0,"clientToken":"` + token + `"` + tagged + `}`,
		response: `{"requestId":"` + token + `","networkInterface":{"networkInterfaceId":"` + b.id + `","subnetId":"` + w.subnets[b.subnet] + `","vpcId":"` + w.vpcs[b.subnet%len(w.vpcs)] +
			`","availabilityZone":"` + w.zones[b.subnet] + `","description":` + quoted(description) + `,"ownerId":"` + w.churn.id + `","requesterId":"` + who.who.PrincipalID + `","requesterManaged":true,"status":"pending","interfaceType":"interface","macAddress":"` +
			mac(b.id) + `","privateIpAddress":"` + b.address + `","sourceDestCheck":true,"groupSet":{"items":[{"groupId":"` + b.maker.group + `","groupName":` + quoted(b.maker.name) + `}]},"privateIpAddressesSet":{"item":[{"privateIpAddress":"` +
			b.address + `","primary":true}]},"ipv6AddressesSet":{},"tagSet":` + tagSet + `}}`,
	}); err != nil {
		return err
	}
	return w.put(call{source: "ec2", name: "DeleteNetworkInterface", account: w.churn, at: b.end, requestedBy: w.callerOf(b),
		request: `{"networkInterfaceId":"` + b.id + `"}`, response: `{"requestId":"` + token + `","_return":true}`})
}

// mac is the address of an interface, from its id.
func mac(id string) string {
	return "06:" + id[5:7] + ":" + id[7:9] + ":" + id[9:11] + ":" + id[11:13] + ":" + id[13:15]
}

// callerOf is who makes and deletes an interface: for tasks and functions the
// service does, by its service-linked role or that of the function.
func (w *world) callerOf(b born) caller {
	switch b.maker.kind {
	case ofFunction:
		id := w.assumed(w.churn, "/service-role/", b.maker.name+"-role", "awslambda_"+b.maker.name, b.start)
		id.InvokedBy = "lambda.amazonaws.com"
		return caller{id, "lambda.amazonaws.com", "lambda.amazonaws.com"}
	case ofBalancer:
		return w.linked(w.churn, "elasticloadbalancing", "AWSServiceRoleForElasticLoadBalancing", "ElasticLoadBalancing", b.start)
	case ofPerson:
		return w.by(w.people[4], w.churn, b.start)
	}
	return w.linked(w.churn, "ecs", "AWSServiceRoleForECS", "ecs-eni-provisioning", b.start)
}

// describe is the description that a service gives its interface.
func (w *world) describe(b born) string {
	switch b.maker.kind {
	case ofFunction:
		return "AWS Lambda VPC ENI-" + b.maker.name + "-" + b.number
	case ofBalancer:
		return "ELB app/" + b.maker.name + "/" + logs.Drawn(w.chance("balancer", b.maker.name), 16, logs.Hexes)
	case ofPerson:
		return "test"
	}
	return "arn:aws:ecs:" + home + ":" + w.churn.id + ":attachment/" + b.number
}

// tagsOf are those that ECS puts on interfaces of services whose managed tags are on.
func tagsOf(m *maker) string {
	if m.cluster == "" {
		return ""
	}
	tags := `{"key":"aws:ecs:clusterName","value":` + quoted(m.cluster) + `}`
	if m.kind == ofService {
		tags += `,{"key":"aws:ecs:serviceName","value":` + quoted(m.name) + `}`
	}
	return tags
}

// runTask writes the call by which a schedule starts the tasks that interfaces are
// made for.
func (w *world) runTask(all []born) error {
	b := all[0]
	rule := b.maker.name
	id := w.assumed(w.churn, "/service-role/", "ecsEventsRole", logs.Drawn(w.chance("rule", rule), 32, logs.Hexes), b.start)
	id.InvokedBy = "events.amazonaws.com"
	arn := "arn:aws:ecs:" + home + ":" + w.churn.id
	var tasks []string
	for _, x := range all {
		tasks = append(tasks, fmt.Sprintf(`{"taskArn":%q,"clusterArn":%q,"taskDefinitionArn":%q,"launchType":"FARGATE","lastStatus":"PROVISIONING","startedBy":"events-rule/%s","attachments":[{"id":%q,"type":"ElasticNetworkInterface","status":"PRECREATED"}]}`,
			arn+":task/"+w.cluster+"/"+logs.Drawn(w.chance("task", x.number), 32, logs.Hexes), arn+":cluster/"+w.cluster, arn+":task-definition/"+rule+":3", rule, x.number))
	}
	return w.put(call{source: "ecs", name: "RunTask", account: w.churn, at: b.start.Add(-2 * time.Second), requestedBy: caller{id, "events.amazonaws.com", "events.amazonaws.com"},
		request: fmt.Sprintf(`{"cluster":%q,"taskDefinition":%q,"count":%d,"launchType":"FARGATE","startedBy":"events-rule/%s","networkConfiguration":{"awsvpcConfiguration":{"subnets":[%q],"securityGroups":[%q],"assignPublicIp":"DISABLED"}}}`,
			arn+":cluster/"+w.cluster, arn+":task-definition/"+rule, len(all), rule, w.subnets[b.subnet], b.maker.group),
		response: `{"failures":[],"tasks":[` + strings.Join(tasks, ",") + `]}`,
	})
}

// median is the middle one of lengths of time, in seconds.
func median(all []time.Duration) float64 {
	slices.SortFunc(all, cmp.Compare)
	if len(all) == 0 {
		return 0
	}
	n := len(all)
	return (all[(n-1)/2] + all[n/2]).Seconds() / 2
}
