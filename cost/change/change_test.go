package change

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/yagura-sec/yagura/cost"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/usage"
)

const account = "111122223333"

var monday = time.Date(2026, 4, 6, 0, 0, 0, 0, time.UTC)

// world is events under construction.
type world struct {
	events []event.Event
	rnd    *rand.Rand
	things int
	rows   []usage.Row // of events, once they were asked for
	held   time.Time   // from when on events are held; sums are for ever
}

func newWorld(seed uint64) *world { return &world{rnd: rand.New(rand.NewPCG(seed, 7))} }

// ecs is the caller of what ECS does for its tasks.
var ecs = event.Event{
	ActorType: event.ActorRole, ActorUID: "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
	ActorInvokedBy: "ecs.amazonaws.com", SrcHost: "ecs.amazonaws.com", Caller: event.CallerAWSService,
}

// person is somebody at a terminal.
var person = event.Event{ActorType: event.ActorRole, ActorUID: "arn:aws:iam::111122223333:role/analyst", ActorSession: "taro", Caller: event.CallerPersonCLI}

// call adds a call by somebody.
func (w *world) call(by event.Event, at time.Time, operation string, record any) {
	e := by
	e.Time, e.APIOperation, e.APIService = at, operation, "ec2.amazonaws.com"
	e.AccountUID, e.CloudProvider, e.Region, e.Outcome, e.Category = account, "AWS", "ap-northeast-1", event.Success, event.Management
	e.Raw, _ = json.Marshal(record)
	w.events = append(w.events, e)
}

type object = map[string]any

func tagged(kv ...string) object {
	items := []object{}
	for i := 0; i < len(kv); i += 2 {
		items = append(items, object{"key": kv[i], "value": kv[i+1]})
	}
	return object{"items": []object{{"resourceType": "network-interface", "tags": items}}}
}

// task adds the interface of one task, which lives so long; 0: it is not deleted.
func (w *world) task(at time.Time, life time.Duration, request object) {
	w.things++
	id := fmt.Sprintf("eni-%017x", w.things)
	if request["description"] == nil {
		request["description"] = fmt.Sprintf("arn:aws:ecs:ap-northeast-1:111122223333:attachment/%08x-0000-4000-8000-000000000000", w.things)
	}
	w.call(ecs, at, "CreateNetworkInterface", object{"requestParameters": request, "responseElements": object{"networkInterface": object{"networkInterfaceId": id}}})
	if life > 0 {
		w.call(ecs, at.Add(life), "DeleteNetworkInterface", object{"requestParameters": object{"networkInterfaceId": id}, "responseElements": object{"_return": true}})
	}
}

func service(cluster, name string) object {
	return object{"tagSpecificationSet": tagged("aws:ecs:clusterName", cluster, "aws:ecs:serviceName", name)}
}

// around is a length of time that varies.
func (w *world) around(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.7 + 0.6*w.rnd.Float64()))
}

// crashes adds a service whose tasks die and are started again.
func (w *world) crashes(cluster, name string, since, until time.Time, perHour float64, life time.Duration) {
	for at := since; at.Before(until); at = at.Add(time.Duration(w.rnd.ExpFloat64() * float64(time.Hour) / perHour)) {
		w.task(at, w.around(life), service(cluster, name))
	}
}

// reader asks the world.
func (w *world) reader() Reader {
	return Reader{Sum: w.sum, Find: w.find}
}

func (w *world) find(_ context.Context, since, until time.Time, where query.Expr, _ ...string) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for _, e := range w.events {
			q := query.Query{Where: where, Since: later(since, w.held), Until: until}
			if q.Matches(&e) && !yield(e, nil) {
				return
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sum is a lake's of hourly sums, in small.
func (w *world) sum(_ context.Context, s query.Sum) ([]query.Group, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if w.rows == nil {
		w.rows = usage.Sum(w.events, usage.DefaultMax)
	}
	sums := map[string]*query.Group{}
	for _, r := range w.rows {
		e := event.Event{Time: r.Hour, AccountUID: r.AccountUID, ActorUID: r.ActorUID, ActorType: r.ActorType, Caller: r.Caller,
			APIService: r.APIService, APIOperation: r.APIOperation, Region: r.Region, Outcome: r.Outcome}
		bucket, ok := s.Bucket(r.Hour)
		if !ok || r.ResourceUID != "" || !s.Matches(&e) {
			continue
		}
		g := query.Group{Bucket: bucket, First: r.Hour, Last: r.Hour}
		for _, name := range s.By {
			c, _ := query.Lookup(name)
			g.By = append(g.By, c.Value(&e).(string))
		}
		key := fmt.Sprint(bucket, g.By)
		if sums[key] == nil {
			sums[key] = &g
		}
		sums[key].Count, sums[key].Last = sums[key].Count+r.Count, r.Hour
	}
	var out []query.Group
	for _, g := range sums {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b query.Group) int {
		return cmp.Or(slices.Compare(a.By, b.By), cmp.Compare(a.Bucket, b.Bucket))
	})
	return out, nil
}

func (w *world) read(t *testing.T, r Reader, days int) *Report {
	t.Helper()
	got, err := r.Read(context.Background(), account, monday, monday.AddDate(0, 0, days))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestReport is the whole of it: a week in which one service of several restarts for
// ever, with what it would save.
func TestReport(t *testing.T) {
	w := newWorld(1)
	until := monday.AddDate(0, 0, 7)
	w.crashes("shop", "checkout", monday.AddDate(0, 0, 2), until, 100, 90*time.Second)
	for d := range 7 {
		for h := 9; h < 18; h++ {
			w.task(monday.AddDate(0, 0, d).Add(time.Duration(h)*time.Hour), 9*time.Hour, service("shop", "web"))
		}
		w.call(person, monday.AddDate(0, 0, d).Add(10*time.Hour), "AuthorizeSecurityGroupIngress", object{})
		w.call(person, monday.AddDate(0, 0, d).Add(10*time.Hour), "DescribeInstances", object{})
	}
	w.task(monday.Add(time.Hour), 0, object{"description": "arn:aws:ecs:ap-northeast-1:111122223333:attachment/0", "groupSet": object{"items": []object{{"groupId": "sg-1"}}}})
	r := w.reader()
	r.Price = func(region string, _ time.Time) (decimal.Decimal, string, bool) {
		return decimal.RequireFromString("0.003"), "USD", region == "ap-northeast-1"
	}
	got := w.read(t, r, 7)
	if len(got.Loops) != 1 || len(got.Schedules) != 0 {
		t.Fatalf("loops %+v, schedules %+v", got.Loops, got.Schedules)
	}
	l := got.Loops[0]
	if l.Cluster != "shop" || l.Service != "checkout" || l.Kind != ECSService || l.Thing != Interface || l.Until != nil || l.SinceBefore ||
		l.Since.Sub(monday.AddDate(0, 0, 2)) > time.Hour || l.PerDay < 2200 || l.PerDay > 2600 || l.LifeSecondsMedian < 80 || l.LifeSecondsMedian > 100 {
		t.Errorf("loop %+v", l)
	}
	if l.PeersPerDay == nil || *l.PeersPerDay != 9 || l.PastPerDay == nil || *l.PastPerDay != 0 || l.Share < 0.99 {
		t.Errorf("peers %v, past %v, share %v", l.PeersPerDay, l.PastPerDay, l.Share)
	}
	// Per life: two items of the interface, one each of its group, subnet and VPC.
	want := float64(l.PerDay) * 5 * 30 * 0.003
	if s := l.SavingMonth; s == nil || s.InexactFloat64() < 0.95*want || s.InexactFloat64() > 1.05*want || l.Currency != "USD" || l.SavingLow.GreaterThan(*s) || l.SavingHigh.LessThan(*s) {
		t.Errorf("saving %v (%v to %v) %s, want about %.2f", l.SavingMonth, l.SavingLow, l.SavingHigh, l.Currency, want)
	}
	kinds := map[string]Kind{}
	for _, m := range got.Makers {
		kinds[m.Maker] = m.Kind
	}
	if got.Makers[0].Maker != "shop/checkout" || kinds["shop/web"] != ECSService || kinds["sg-1"] != ECSUntold || kinds["arn:aws:iam::111122223333:role/analyst"] != Person {
		t.Errorf("makers %v, first %+v", kinds, got.Makers[0])
	}
	sum, makers := int64(0), int64(0)
	for _, d := range got.Days {
		if d.Operation == "DescribeInstances" {
			t.Errorf("a question counts as a change: %+v", d)
		}
		sum += d.Count
	}
	for _, m := range got.Makers {
		makers += m.Count
	}
	if sum != got.Total || makers != got.Total {
		t.Errorf("days come to %d, makers to %d, the total is %d", sum, makers, got.Total)
	}
	if !got.Read.Whole || got.Items.Basis != cost.Estimate || got.Items.Low > got.Items.Items || got.Items.High < got.Items.Items {
		t.Errorf("read %+v, items %+v", got.Read, got.Items)
	}
}

// TestLoops holds what is a loop and what is none.
func TestLoops(t *testing.T) {
	until := monday.AddDate(0, 0, 7)
	f := func(name string, loops, schedules int, build func(w *world)) *Report {
		t.Helper()
		w := newWorld(3)
		build(w)
		got := w.read(t, w.reader(), 7)
		if len(got.Loops) != loops || len(got.Schedules) != schedules {
			t.Errorf("%s: loops %+v, schedules %+v", name, got.Loops, got.Schedules)
		}
		return got
	}
	f("a crash loop", 1, 0, func(w *world) { w.crashes("c", "s", monday, until, 150, time.Minute) })
	f("one task that dies every minute and a bit", 1, 0, func(w *world) {
		for at := monday; at.Before(until); at = at.Add(63*time.Second + time.Duration(w.rnd.IntN(800))*time.Millisecond) {
			w.task(at, 40*time.Second, service("c", "s"))
		}
	})
	f("health checks that fail after five minutes", 1, 0, func(w *world) { w.crashes("c", "s", monday, until, 24, 5*time.Minute) })
	f("a slow loop, held back by the scheduler", 1, 0, func(w *world) { w.crashes("c", "s", monday, until, 6, 2*time.Minute) })
	f("a loop that ended", 1, 0, func(w *world) { w.crashes("c", "s", monday, monday.AddDate(0, 0, 3), 60, time.Minute) })
	f("two loops", 2, 0, func(w *world) {
		w.crashes("c", "s", monday, until, 60, time.Minute)
		w.crashes("c", "r", monday, until, 100, time.Minute)
	})
	f("instances that an Auto Scaling group finds ill", 1, 0, func(w *world) {
		for at := monday; at.Before(until); at = at.Add(w.around(6 * time.Minute)) {
			w.things++
			id := fmt.Sprintf("i-%017x", w.things)
			group := object{"items": []object{{"resourceType": "instance", "tags": []object{{"key": "aws:autoscaling:groupName", "value": "workers"}}}}}
			w.call(ecs, at, "RunInstances", object{"requestParameters": object{"tagSpecificationSet": group}, "responseElements": object{"instancesSet": object{"items": []object{{"instanceId": id}}}}})
			w.call(ecs, at.Add(5*time.Minute), "TerminateInstances", object{"requestParameters": object{"instancesSet": object{"items": []object{{"instanceId": id}}}}})
		}
	})

	f("a task each minute", 0, 1, func(w *world) {
		for at := monday; at.Before(until); at = at.Add(time.Minute) {
			w.task(at.Add(time.Duration(w.rnd.IntN(4000))*time.Millisecond), 20*time.Second, object{"tagSpecificationSet": tagged("aws:ecs:clusterName", "batch")})
		}
	})
	f("scaling by day", 0, 0, func(w *world) {
		for d := range 7 {
			for n := range 200 {
				w.task(monday.AddDate(0, 0, d).Add(9*time.Hour+time.Duration(n)*3*time.Minute), w.around(20*time.Minute), service("c", "s"))
			}
		}
	})
	f("tasks that live for hours", 0, 0, func(w *world) { w.crashes("c", "s", monday, until, 60, 4*time.Hour) })
	f("tasks that live on", 0, 0, func(w *world) { w.crashes("c", "s", monday, until, 60, 0) })
	f("one night's batch", 0, 0, func(w *world) {
		w.crashes("c", "s", monday.Add(20*time.Hour), monday.Add(34*time.Hour), 500, time.Minute)
	})
	f("a deployment now and then", 0, 0, func(w *world) {
		for d := range 7 {
			for n := range 30 {
				w.task(monday.AddDate(0, 0, d).Add(11*time.Hour+time.Duration(n)*time.Second), 20*time.Minute, service("c", "s"))
			}
		}
	})
	f("few", 0, 0, func(w *world) { w.crashes("c", "s", monday, until, 1, time.Minute) })
	f("one an hour or so", 0, 0, func(w *world) {
		for at := monday; at.Before(until); at = at.Add(time.Hour) {
			w.task(at.Add(time.Duration(w.rnd.IntN(3000))*time.Second), time.Minute, service("c", "s"))
		}
	})
	f("a service that is scaled all the time", 0, 1, func(w *world) {
		for at := monday; at.Before(until); at = at.Add(w.around(4 * time.Minute)) {
			w.call(person, at, "UpdateService", object{"requestParameters": object{"cluster": "c", "service": "s", "desiredCount": 3}})
			w.task(at.Add(10*time.Second), 10*time.Minute, service("c", "s"))
		}
	})
	run := f("tasks that a program runs", 0, 1, func(w *world) {
		for at := monday; at.Before(until); at = at.Add(w.around(3 * time.Minute)) {
			attachment := fmt.Sprintf("%08x-1111-4000-8000-000000000000", w.things)
			w.call(person, at, "RunTask", object{"responseElements": object{"tasks": []object{{
				"clusterArn": "arn:aws:ecs:ap-northeast-1:111122223333:cluster/jobs", "taskDefinitionArn": "arn:aws:ecs:ap-northeast-1:111122223333:task-definition/report:7",
				"attachments": []object{{"id": attachment}}}}}})
			w.task(at, time.Minute, object{"description": "arn:aws:ecs:ap-northeast-1:111122223333:attachment/" + attachment, "tagSpecificationSet": tagged("aws:ecs:clusterName", "jobs")})
		}
	})
	if x := run.Schedules[0]; x.Maker != "jobs/report" || x.Kind != ECSTask || !x.RunEach {
		t.Errorf("tasks that a program runs: %+v", x)
	}
}

// TestLogEnds: what the log does not reach to is not known: neither did a loop begin
// with the log, nor end with it.
func TestLogEnds(t *testing.T) {
	w := newWorld(4)
	w.crashes("c", "s", monday.AddDate(0, 0, 2).Add(5*time.Hour), monday.AddDate(0, 0, 4).Add(10*time.Hour), 100, time.Minute)
	got := w.read(t, w.reader(), 7)
	if len(got.Loops) != 1 || !got.Loops[0].SinceBefore || got.Loops[0].Until != nil || got.Loops[0].PastPerDay != nil {
		t.Errorf("loops %+v", got.Loops)
	}
	if log := got.Read; !log.Whole || !log.Since.Equal(monday.AddDate(0, 0, 2).Add(5*time.Hour)) || log.Until.Sub(monday.AddDate(0, 0, 4).Add(10*time.Hour)).Abs() > time.Hour {
		t.Errorf("read %+v", log)
	}
}

// TestLatest reads the latest records only, and says so.
func TestLatest(t *testing.T) {
	w := newWorld(5)
	w.crashes("c", "s", monday, monday.AddDate(0, 0, 7), 100, time.Minute)
	r := w.reader()
	r.Most = 10_000
	got := w.read(t, r, 7)
	if got.Read.Whole || got.Read.Records > r.Most || got.Read.Records < r.Most*9/10 || len(got.Loops) != 1 || !got.Loops[0].SinceBefore {
		t.Errorf("read %+v, loops %+v", got.Read, got.Loops)
	}
	if m := got.Makers[0]; !m.Estimated || m.Maker != "c/s" || m.Count < got.Total*99/100 {
		t.Errorf("of %d: %+v", got.Total, m)
	}
}

// TestExpired: of days whose records are no longer held the sums still tell what
// changes, and makers and loops are told from the others, which is said.
func TestExpired(t *testing.T) {
	w := newWorld(6)
	w.crashes("c", "s", monday, monday.AddDate(0, 0, 7), 60, time.Minute)
	w.held = monday.AddDate(0, 0, 4)
	got := w.read(t, w.reader(), 7)
	if got.Read.Whole || !got.Read.Since.Equal(w.held) || len(got.Loops) != 1 || !got.Loops[0].SinceBefore || got.Loops[0].PastPerDay != nil {
		t.Errorf("read %+v, loops %+v", got.Read, got.Loops)
	}
	if m := got.Makers[0]; !m.Estimated || m.Count < got.Total*99/100 || len(got.Days) != 14 {
		t.Errorf("of %d on %d days: %+v", got.Total, len(got.Days), m)
	}
	w.held = monday.AddDate(0, 0, 8)
	got = w.read(t, w.reader(), 7)
	if m := got.Makers[0]; got.Read.Whole || len(got.Loops) != 0 || m.Kind != Unknown || m.Count != got.Total {
		t.Errorf("nothing is held: read %+v, loops %+v, %+v", got.Read, got.Loops, m)
	}
}

// TestHostile: names are bounded and valid, and records that are no JSON, or of
// other shapes, count all the same.
func TestHostile(t *testing.T) {
	w := newWorld(9)
	w.task(monday, time.Minute, service("c", strings.Repeat("あ", 1000)+"\xff"))
	w.task(monday, time.Minute, object{"tagSpecificationSet": object{"items": "no list"}, "groupSet": 7, "description": []int{1}})
	e := w.events[0]
	e.Raw, e.UID = []byte("{"), event.UID{1}
	w.events = append(w.events, e)
	got := w.read(t, w.reader(), 1)
	n := int64(0)
	for _, m := range got.Makers {
		n += m.Count
		if len(m.Maker) > maxName || strings.ToValidUTF8(m.Maker, "") != m.Maker {
			t.Errorf("maker %q", m.Maker)
		}
	}
	if n != 5 || got.Total != 5 {
		t.Errorf("makers come to %d of %d", n, got.Total)
	}
}

func TestMakerOf(t *testing.T) {
	f := func(by event.Event, request object, want who) {
		t.Helper()
		w := newWorld(1)
		w.call(by, monday, "CreateNetworkInterface", object{"requestParameters": request, "responseElements": object{"networkInterface": object{"networkInterfaceId": "eni-1"}}})
		g := newGathered()
		g.add(&w.events[0])
		g.settle()
		if got := g.makers[g.births[0].maker]; got != want {
			t.Errorf("%v is of %+v, want %+v", request, got, want)
		}
	}
	lambda := event.Event{ActorType: event.ActorRole, ActorUID: "arn:aws:iam::111122223333:role/resize", SrcHost: "lambda.amazonaws.com", ActorInvokedBy: "lambda.amazonaws.com"}
	elb := event.Event{ActorType: event.ActorService, ActorUID: "elasticloadbalancing.amazonaws.com", SrcHost: "elasticloadbalancing.amazonaws.com"}
	program := event.Event{ActorType: event.ActorRole, ActorUID: "arn:aws:iam::111122223333:role/node", Caller: event.CallerEC2}
	f(ecs, service("shop", "web"), who{ECSService, "shop/web"})
	f(ecs, object{"tagSpecificationSet": tagged("aws:ecs:clusterName", "shop")}, who{ECSCluster, "shop"})
	f(lambda, object{"description": "AWS Lambda VPC ENI-resize-0f1e2d3c-0000-4000-8000-000000000000"}, who{LambdaFunction, "resize"})
	f(lambda, object{"description": "AWS Lambda VPC ENI-resize-images"}, who{LambdaFunction, "resize-images"})
	f(elb, object{"description": "ELB app/front/0123456789abcdef"}, who{LoadBalancer, "front"})
	f(elb, object{"description": "ELB old"}, who{LoadBalancer, "old"})
	f(elb, object{"description": "Interface for NAT Gateway nat-01"}, who{NATGateway, "nat-01"})
	f(elb, object{"description": "RDSNetworkInterface"}, who{Database, "rds"})
	f(elb, object{"description": "Amazon EKS apps"}, who{EKSCluster, "apps"})
	f(elb, object{"description": "something new"}, who{AWSService, "elasticloadbalancing.amazonaws.com"})
	f(program, object{"tagSpecificationSet": tagged("kubernetes.io/cluster/apps", "owned")}, who{EKSCluster, "apps"})
	f(program, object{"tagSpecificationSet": tagged("aws:autoscaling:groupName", "workers")}, who{AutoScalingGroup, "workers"})
	f(program, object{"tagSpecificationSet": tagged("aws:cloudformation:stack-name", "net")}, who{Stack, "net"})
	// Whoever calls may write what they like into a description.
	f(program, object{"description": "ELB app/front/0123456789abcdef"}, who{Role, program.ActorUID})
	f(person, object{"description": "x"}, who{Person, person.ActorUID + "/taro"})
	f(event.Event{}, object{}, who{Unknown, ""})
}

func TestChanges(t *testing.T) {
	f := func(operation string, want bool) {
		t.Helper()
		if got := Changes(operation); got != want {
			t.Errorf("Changes(%q) = %v", operation, got)
		}
	}
	for _, op := range []string{"CreateNetworkInterface", "RunInstances", "PutBucketPolicy", "BatchDeleteImage", "PublishVersion", "v1.compute.instances.insert",
		"google.iam.admin.v1.CreateServiceAccountKey", "Microsoft.Compute/virtualMachines/write", "MICROSOFT.COMPUTE/VIRTUALMACHINES/DELETE", "SomethingNew", "ReplaceRoute"} {
		f(op, true)
	}
	for _, op := range []string{"", "DescribeInstances", "GetSecretValue", "BatchGetSecretValue", "AssumeRole", "ConsoleLogin", "Decrypt", "ReEncrypt", "GenerateDataKey", "PutObject",
		"v1.compute.instances.list", "beta.compute.instances.aggregatedList", "storage.objects.get", "Microsoft.KeyVault/vaults/read", "Microsoft.Authorization/policies/deny/action"} {
		f(op, false)
	}
}

// FuzzGather holds that no record breaks the reading of makers, and that each is
// counted once.
func FuzzGather(f *testing.F) {
	w := newWorld(2)
	w.task(monday, time.Minute, service("c", "s"))
	w.call(person, monday, "RunTask", object{"responseElements": object{"tasks": []object{{"attachments": []object{{"id": "a"}}}}}})
	w.call(person, monday, "UpdateService", object{"requestParameters": object{"service": "s"}})
	w.call(ecs, monday, "CreateTags", object{"requestParameters": object{"resourcesSet": object{"items": []object{{"resourceId": "eni-1"}}}, "tagSet": object{"items": []object{{"key": "aws:ecs:serviceName", "value": "s"}}}}})
	for _, e := range w.events {
		f.Add(e.APIOperation, string(e.Raw), true)
	}
	f.Fuzz(func(t *testing.T, operation, record string, service bool) {
		g := newGathered()
		for i := range 3 {
			e := person
			if service {
				e = ecs
			}
			e.Time, e.APIOperation, e.Raw = monday.Add(time.Duration(i)*time.Hour), operation, []byte(record)
			g.add(&e)
		}
		g.settle()
		n := int64(0)
		for _, c := range g.counts {
			n += c
		}
		if n != 3 || g.read != 3 {
			t.Errorf("3 records count as %d", n)
		}
		loops(g, monday, monday.AddDate(0, 0, 2))
	})
}
