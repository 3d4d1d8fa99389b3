package change

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/query"
)

// thing is a sort of resource that is made and deleted, and how records name one.
type thing struct {
	name             string // as reports have it
	create, delete   string // operations
	created, deleted []string
	own              string // of the answer: what holds the tags and the description of the one made; empty: nothing
}

// things are those whose lives are followed.
var things = []thing{
	{"network interface", "CreateNetworkInterface", "DeleteNetworkInterface",
		[]string{"responseElements", "networkInterface", "networkInterfaceId"}, []string{"requestParameters", "networkInterfaceId"}, "networkInterface"},
	{"instance", "RunInstances", "TerminateInstances",
		[]string{"responseElements", "instancesSet", "items", "instanceId"}, []string{"requestParameters", "instancesSet", "items", "instanceId"}, ""},
	{"volume", "CreateVolume", "DeleteVolume",
		[]string{"responseElements", "volumeId"}, []string{"requestParameters", "volumeId"}, ""},
}

// Interface is the thing that the tasks of ECS on Fargate, and much else, bring.
const Interface = "network interface"

// helpers are operations that tell whose an interface is.
var helpers = []string{"RunTask", "CreateService", "UpdateService"}

// tagging is read where tags are set behind the making of a thing.
const tagging = "CreateTags"

// followed are the operations whose records are read.
func followed() []string {
	out := slices.Clone(helpers)
	for _, t := range things {
		out = append(out, t.create, t.delete)
	}
	return append(out, tagging)
}

// birth is a thing being made.
type birth struct {
	id    string
	at    time.Time
	thing int
	maker int // of gathered.makers
	ended time.Time
	first bool // of those that its call made: the call counts once
	// Of an interface of ECS whose maker was not told, or no more than its cluster:
	attachment, groups string
}

// gathered is what the records of an account say.
type gathered struct {
	tree    jsontree.Tree
	index   map[who]int
	makers  []who
	births  []birth
	deaths  map[string]death
	tagged  map[string]int // maker, by the id of what was tagged
	tasks   map[string]int // maker, by attachment
	groups  map[string]int // service, by its security groups; several: -1
	updates map[int][]time.Time
	// counts of what was read that is no birth, by maker and operation.
	counts map[made]int64
	read   int64
	first  time.Time // of what was read
}

// made is an operation of a maker.
type made struct {
	maker     int
	operation string
}

// death is a thing being deleted.
type death struct {
	at        time.Time
	maker     int // who deleted it, where nobody is known to have made it
	operation string
	first     bool // of those that its call deleted
}

// maxMakers is how many makers are told apart; beyond that they are one, without a
// name: an account has not so many services.
const maxMakers = 20_000

func newGathered() *gathered {
	return &gathered{
		index: map[who]int{}, deaths: map[string]death{}, tagged: map[string]int{}, tasks: map[string]int{}, groups: map[string]int{},
		updates: map[int][]time.Time{}, counts: map[made]int64{},
	}
}

// maker is the number of a maker.
func (g *gathered) maker(w who) int {
	if i, ok := g.index[w]; ok {
		return i
	}
	if len(g.makers) >= maxMakers {
		w = who{Unknown, ""}
		if i, ok := g.index[w]; ok {
			return i
		}
	}
	w.name = strings.Clone(w.name) // not to hold the record it was read from
	g.index[w] = len(g.makers)
	g.makers = append(g.makers, w)
	return len(g.makers) - 1
}

// columns are those that gather asks for.
var columns = []string{"time", "api_operation", "outcome", "twin", "actor_type", "actor_uid", "actor_session", "actor_invoked_by", "caller", "src_host", "raw"}

// gather reads the records of the followed operations.
func gather(ctx context.Context, find Find, account string, since, until time.Time, operations []string) (*gathered, error) {
	g := newGathered()
	var any []query.Expr
	for _, op := range operations {
		any = append(any, query.Eq{Field: "api_operation", Value: op})
	}
	where := query.And{X: []query.Expr{query.Eq{Field: "account_uid", Value: account}, query.Or{X: any}, query.Eq{Field: "outcome", Value: string(event.Success)}}}
	for e, err := range find(ctx, since, until, where, columns...) {
		if err != nil {
			return nil, fmt.Errorf("read who makes the changes of account %s: %w", account, err)
		}
		if !e.Twin {
			g.add(&e)
		}
	}
	g.settle()
	return g, nil
}

// add takes one record.
func (g *gathered) add(e *event.Event) {
	if g.read++; g.first.IsZero() || e.Time.Before(g.first) {
		g.first = e.Time
	}
	root, err := g.tree.Parse(string(e.Raw)) // a copy: the record's bytes do not last
	if err != nil {
		g.counts[made{g.maker(byCaller(e)), strings.Clone(e.APIOperation)}]++
		return
	}
	by := -1
	switch e.APIOperation {
	case "RunTask":
		g.runTask(root)
	case "CreateService", "UpdateService":
		g.service(e, root)
	case tagging:
		by = g.tags(e, root)
	default:
		for i := range things {
			switch e.APIOperation {
			case things[i].create:
				g.birth(e, root, i)
				return
			case things[i].delete:
				g.death(e, root, i)
				return
			}
		}
	}
	if by < 0 {
		by = g.maker(byCaller(e))
	}
	g.counts[made{by, strings.Clone(e.APIOperation)}]++
}

// birth takes the making of a thing.
func (g *gathered) birth(e *event.Event, root jsontree.Value, i int) {
	request, answer := root.Get("requestParameters"), root.Get("responseElements")
	b := birth{at: e.Time, thing: i, maker: -1}
	all := map[string]string{}
	readTags(request.Get("tagSpecificationSet"), all)
	text := request.Get("description").String()
	if own := things[i].own; own != "" {
		readTags(answer.Get(own).Get("tagSet"), all)
		text = cmp.Or(text, answer.Get(own).Get("description").String())
	} else {
		readTags(answer.Get("tagSet"), all)
	}
	service := byService(e)
	w, ok := byTags(all)
	if !ok && service {
		w, ok = byDescription(text)
	}
	if ok {
		b.maker = g.maker(w)
	}
	switch task := service && strings.HasPrefix(text, "arn:") && strings.Contains(text, ecsAttachment); {
	case task && (!ok || w.kind == ECSCluster):
		b.attachment = strings.Clone(lastPart(text))
		if b.groups = groupsOf(request, "groupSet", "items", "groupId"); b.groups == "" {
			b.groups = groupsOf(answer, "networkInterface", "groupSet", "items", "groupId")
		}
	case !ok:
		b.maker = g.maker(byCaller(e))
	}
	g.bear(b, root)
}

// bear adds a birth for each thing that the answer names.
func (g *gathered) bear(b birth, root jsontree.Value) {
	b.first = true
	texts(root, things[b.thing].created, func(id string) {
		b.id = strings.Clone(id)
		g.births = append(g.births, b)
		b.first = false
	})
	if b.first { // the answer is missing: it was made, and cannot be followed
		g.births = append(g.births, b)
	}
}

// death takes the deletion of things.
func (g *gathered) death(e *event.Event, root jsontree.Value, i int) {
	d := death{e.Time, g.maker(byCaller(e)), things[i].delete, true}
	texts(root, things[i].deleted, func(id string) {
		if _, twice := g.deaths[id]; !twice {
			g.deaths[strings.Clone(id)] = d
			d.first = false
		}
	})
	if d.first {
		g.counts[made{d.maker, d.operation}]++
	}
}

// runTask remembers which attachments are of tasks that somebody ran.
func (g *gathered) runTask(root jsontree.Value) {
	tasks := root.Get("responseElements").Get("tasks")
	for t := tasks.First(); t.Exists() && tasks.Kind() == jsontree.Array; t = t.Next() {
		family := lastPart(t.Get("taskDefinitionArn").String())
		family, _, _ = strings.Cut(family, ":") // without its revision
		by := g.maker(named(ECSTask, lastPart(t.Get("clusterArn").String())+"/"+family))
		texts(t, []string{"attachments", "id"}, func(id string) { g.tasks[strings.Clone(lastPart(id))] = by })
	}
}

// service remembers the security groups of a service, and that it was changed.
func (g *gathered) service(e *event.Event, root jsontree.Value) {
	request, answer := root.Get("requestParameters"), root.Get("responseElements").Get("service")
	cluster := lastPart(cmp.Or(answer.Get("clusterArn").String(), request.Get("cluster").String(), "default"))
	name := lastPart(cmp.Or(answer.Get("serviceName").String(), request.Get("serviceName").String(), request.Get("service").String()))
	if name == "" {
		return
	}
	m := g.maker(named(ECSService, cluster+"/"+name))
	if e.APIOperation == "UpdateService" {
		g.updates[m] = append(g.updates[m], e.Time)
	}
	for _, from := range []jsontree.Value{answer, request} {
		groups := groupsOf(from, "networkConfiguration", "awsvpcConfiguration", "securityGroups")
		if groups == "" {
			continue
		}
		if had, ok := g.groups[groups]; ok && had != m {
			m = -1
		}
		g.groups[groups] = m
		return
	}
}

// tags remembers whose tags were set on what, once it was made, and gives that maker;
// -1: the tags name none.
func (g *gathered) tags(e *event.Event, root jsontree.Value) int {
	request := root.Get("requestParameters")
	all := map[string]string{}
	readTags(request.Get("tagSet"), all)
	w, ok := byTags(all)
	if !ok || !byService(e) {
		return -1
	}
	m := g.maker(w)
	texts(request, []string{"resourcesSet", "items", "resourceId"}, func(id string) { g.tagged[strings.Clone(id)] = m })
	return m
}

// settle tells whose the interfaces of ECS are by what other records say, and joins
// births and deaths.
func (g *gathered) settle() {
	for i := range g.births {
		b := &g.births[i]
		if m, ok := g.tagged[b.id]; ok && b.id != "" {
			b.maker = m
		}
		if task, ok := g.tasks[b.attachment]; ok && b.attachment != "" && (b.maker < 0 || g.makers[b.maker].kind == ECSCluster) {
			b.maker = task
		}
		if b.maker < 0 {
			b.maker = g.byGroups(b.groups)
		}
		if b.first {
			g.counts[made{b.maker, things[b.thing].create}]++
		}
		if d, ok := g.deaths[b.id]; ok && b.id != "" && !d.at.Before(b.at) {
			b.ended = d.at
			if d.first {
				g.counts[made{b.maker, d.operation}]++
			}
			delete(g.deaths, b.id)
		}
	}
	for _, d := range g.deaths {
		if d.first {
			g.counts[made{d.maker, d.operation}]++
		}
	}
}

// byGroups is the service whose security groups these are, if there is one.
func (g *gathered) byGroups(groups string) int {
	if m, ok := g.groups[groups]; ok && m >= 0 {
		return m
	}
	return g.maker(named(ECSUntold, groups))
}
