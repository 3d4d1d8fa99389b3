package secrets

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/usage"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const (
	owner = "111122223333"
	sm    = "secretsmanager.amazonaws.com"
	kms   = "kms.amazonaws.com"
	arn   = "arn:aws:secretsmanager:eu-west-1:" + owner + ":secret:"
	keyA  = "arn:aws:kms:eu-west-1:" + owner + ":key/0a1b2c3d-0000-4000-8000-00000000000a"
	keyB  = "arn:aws:kms:eu-west-1:" + owner + ":key/0a1b2c3d-0000-4000-8000-00000000000b"
	alias = "arn:aws:kms:eu-west-1:" + owner + ":alias/orders"
)

// did is one event that names resources.
func did(at time.Time, actor, service, operation string, outcome event.Outcome, resources ...string) event.Event {
	e := event.Event{
		Time: at, CloudProvider: "AWS", AccountUID: owner, Region: "eu-west-1", APIService: service, APIOperation: operation,
		ActorUID: "arn:aws:iam::" + owner + ":role/" + actor, ActorType: event.ActorRole, Caller: event.CallerLambda, Outcome: outcome,
	}
	if len(resources) > 0 {
		e.ResourceUID, e.ResourceUIDs = resources[0], resources
	}
	return e
}

// tableOf sums events as the lake does and gives them to a table, a day at a time.
func tableOf(t *testing.T, cells int, events ...event.Event) *Table {
	t.Helper()
	table := NewTable(cells)
	fill(table, events)
	return table
}

func fill(table *Table, events []event.Event) {
	byDay := map[time.Time][]usage.Row{}
	heard := map[time.Time]map[string]uint32{}
	for _, r := range usage.Sum(events, 1<<30) {
		day := r.Hour.Truncate(oneDay)
		if heard[day] == nil {
			heard[day] = map[string]uint32{}
		}
		heard[day][r.AccountUID] |= 1 << r.Hour.Hour()
		if r.ResourceUID != "" {
			byDay[day] = append(byDay[day], r)
		}
	}
	for day := range heard {
		table.Replace(day, byDay[day], heard[day])
	}
}

func find(t *testing.T, table *Table, name string) Summary {
	t.Helper()
	s, ok := table.Book().Find(name)
	if !ok {
		t.Fatalf("%s is not there; there are %v", name, resources(table))
	}
	return *s
}

func resources(table *Table) (out []string) {
	for _, s := range table.Book().Secrets {
		out = append(out, s.Resource)
	}
	return out
}

// TestFormsOfSecrets: the two forms of a secret's name are one, and a call that
// names both is counted once.
func TestFormsOfSecrets(t *testing.T) {
	full, short := arn+"prod/db-aB3xY9", arn+"prod/db"
	table := tableOf(t, 0,
		did(monday, "deploy", sm, "CreateSecret", event.Success, short, full),
		did(monday.Add(time.Hour), "orders", sm, "GetSecretValue", event.Success, short),
		did(monday.Add(time.Hour), "orders", sm, "GetSecretValue", event.Success, full),
		did(monday.Add(2*time.Hour), "rotator", sm, "RotateSecret", event.Success, short, full),
		did(monday.Add(3*time.Hour), "orders", sm, "GetSecretValue", event.Denied, short),
		did(monday.Add(4*time.Hour), "person", sm, "DescribeSecret", event.Success, full),
		did(monday.Add(4*time.Hour), "orders", sm, "BatchGetSecretValue", event.Success, full),             // each read has a record of its own
		did(monday.Add(4*time.Hour), "orders", sm, "GetSecretValue", event.NotFound, arn+"prod/db-backup"), // a word, no suffix
	)
	if got := resources(table); !slices.Equal(got, []string{full, arn + "prod/db-backup"}) {
		t.Fatalf("secrets %v", got)
	}
	s := find(t, table, short)
	if s.Resource != full || s.Name != "prod/db" || s.Kind != Secret || s.Account != owner || s.Region != "eu-west-1" {
		t.Errorf("%+v", s)
	}
	if s.Calls != 3 || s.Failures != 1 || s.Actors != 1 || s.Rotation.Calls != 1 || !s.Rotation.Last.Equal(monday.Add(2*time.Hour)) {
		t.Errorf("calls %d, failures %d, actors %d, rotation %+v", s.Calls, s.Failures, s.Actors, s.Rotation)
	}
	if !s.First.Equal(monday) || !s.Created.Equal(monday) || !s.LastUse.Equal(monday.Add(3*time.Hour)) || !s.Confirmed {
		t.Errorf("first %s, created %s, last use %s, confirmed %v", s.First, s.Created, s.LastUse, s.Confirmed)
	}
	if other := find(t, table, arn+"prod/db-backup"); other.Confirmed || other.Failures != 1 {
		t.Errorf("what nobody found: %+v", other)
	}
}

// TestAliases: a key and its alias are one where usage shows which key it is.
func TestAliases(t *testing.T) {
	events := []event.Event{
		did(monday, "orders", kms, "Decrypt", event.Success, keyA, alias),
		did(monday, "orders", kms, "Decrypt", event.Success, keyA),
		did(monday, "orders", kms, "Decrypt", event.Success, keyB), // in the same hour by the same principal
	}
	table := tableOf(t, 0, events...)
	if got := resources(table); len(got) != 3 {
		t.Errorf("it may be either key, but there are only %v", got)
	}
	if s := find(t, table, alias); s.Calls != 1 || s.Name != "alias/orders" {
		t.Errorf("an alias of a key that is not known has %d calls as %q", s.Calls, s.Name)
	}
	events = append(events,
		did(monday.Add(26*time.Hour), "billing", kms, "Decrypt", event.Success, keyA, alias), // alone: it is A
		did(monday.Add(26*time.Hour), "billing", kms, "Decrypt", event.Denied, alias),
	)
	table = tableOf(t, 0, events...)
	if got := resources(table); !slices.Equal(got, []string{keyA, keyB}) {
		t.Fatalf("keys %v", got)
	}
	s := find(t, table, alias)
	if s.Resource != keyA || s.Name != "alias/orders" || !slices.Equal(s.Forms, []string{keyA, alias}) {
		t.Errorf("%+v", s)
	}
	if s.Calls != 4 || s.Failures != 1 {
		t.Errorf("%d calls, %d failures; want 4 (three that succeeded, one refused) and 1", s.Calls, s.Failures)
	}
	if b := find(t, table, keyB); b.Calls != 1 {
		t.Errorf("the other key has %d calls", b.Calls)
	}
}

// TestAliasMoves: an alias that is given to another key stands for that.
func TestAliasMoves(t *testing.T) {
	table := tableOf(t, 0,
		did(monday, "orders", kms, "Decrypt", event.Success, keyA, alias),
		did(monday.AddDate(0, 0, 1), "orders", kms, "Decrypt", event.Success, keyB, alias),
	)
	if s := find(t, table, alias); s.Resource != keyB {
		t.Errorf("the alias stands for %s", s.Resource)
	}
	if s := find(t, table, keyA); s.Calls != 1 {
		t.Errorf("the first key has %d calls", s.Calls)
	}
}

// TestUnknownHours: what no log tells is unknown, and never without use.
func TestUnknownHours(t *testing.T) {
	get := func(h int) event.Event {
		return did(monday.Add(time.Duration(h)*time.Hour+5*time.Minute), "orders", sm, "GetSecretValue", event.Success, arn+"a-Q1w2E3")
	}
	other := did(monday.Add(100*time.Hour), "x", "s3.amazonaws.com", "GetObject", event.Success)
	other.AccountUID = "444455556666" // heard of to the end
	quiet := did(monday.Add(2*time.Hour), "x", "s3.amazonaws.com", "GetObject", event.Success)
	u, ok := tableOf(t, 0, get(0), get(1), quiet, get(50), other).Use(arn + "a-Q1w2E3")
	if !ok {
		t.Fatal("not there")
	}
	want := []Unheard{{monday.Add(3 * time.Hour), monday.Add(50 * time.Hour)}, {monday.Add(51 * time.Hour), monday.Add(101 * time.Hour)}}
	if !reflect.DeepEqual(u.Unheard, want) || u.UnknownHours != 97 {
		t.Errorf("unknown %v, %d hours", u.Unheard, u.UnknownHours)
	}
	if u.UnknownDays != 3 || u.QuietDays != 0 { // Tuesday, Thursday and Friday; its log ends with the last use
		t.Errorf("%d days unknown, %d days quiet", u.UnknownDays, u.QuietDays)
	}
	known, unknown := 0, 0
	for _, k := range u.Known {
		known, unknown = known+k.Known, unknown+k.Unknown
	}
	if k := u.Known[24+2]; k.Known != 1 || k.Unknown != 0 { // Monday, 2 o'clock: heard of, and no use
		t.Errorf("%+v", k)
	}
	if known != 4 || unknown != 97 {
		t.Errorf("%d hours known and %d unknown of %d", known, unknown, 101)
	}
}

// TestGroup: those that the same principals use in the same hours belong together,
// and a key that everybody uses comes last.
func TestGroup(t *testing.T) {
	var events []event.Event
	a, b, c := arn+"g/a-A1b2C3", arn+"g/b-A1b2C3", arn+"other-A1b2C3"
	for day := range 10 {
		at := monday.AddDate(0, 0, day).Add(9 * time.Hour)
		events = append(events, did(at, "orders", sm, "GetSecretValue", event.Success, a),
			did(at, "orders", sm, "GetSecretValue", event.Success, b), did(at, "orders", kms, "Decrypt", event.Success, keyA))
		for h := range 12 {
			events = append(events, did(at.Add(time.Duration(h)*time.Hour), "billing", kms, "Decrypt", event.Success, keyA))
		}
		events = append(events, did(at, "billing", sm, "GetSecretValue", event.Success, c)) // the same hour, somebody else
	}
	u, _ := tableOf(t, 0, events...).Use(a)
	var got []string
	for _, m := range u.Group {
		got = append(got, fmt.Sprintf("%s %d %.2f %.2f", m.Resource, m.Hours, m.Together, m.Reverse))
	}
	if want := []string{b + " 10 1.00 1.00", keyA + " 10 1.00 0.08"}; !slices.Equal(got, want) {
		t.Errorf("group %v; want %v", got, want)
	}
}

// TestAgainstUsage: the figures are those that adding up the events gives.
func TestAgainstUsage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var events []event.Event
	names := []string{arn + "a-A1b2C3", arn + "b-A1b2C3", keyA, keyB, "arn:aws:ssm:eu-west-1:" + owner + ":parameter/app/x", "arn:aws:s3:::bucket"}
	services := []string{sm, sm, kms, kms, "ssm.amazonaws.com", "s3.amazonaws.com"}
	operations := map[string][]string{
		sm: {"GetSecretValue", "DescribeSecret", "PutSecretValue"}, kms: {"Decrypt", "GenerateDataKey", "DescribeKey"},
		"ssm.amazonaws.com": {"GetParameter", "PutParameter"}, "s3.amazonaws.com": {"GetObject"},
	}
	for range 3000 {
		i := r.IntN(len(names))
		ops := operations[services[i]]
		outcome := event.Success
		if r.IntN(5) == 0 {
			outcome = event.Denied
		}
		e := did(monday.Add(time.Duration(r.Int64N(int64(20*24*time.Hour)))), fmt.Sprint("r", r.IntN(4)), services[i], ops[r.IntN(len(ops))], outcome, names[i])
		e.Caller = []event.Caller{event.CallerECS, event.CallerLambda, event.CallerConsole}[r.IntN(3)]
		e.Region = []string{"eu-west-1", "us-east-1"}[r.IntN(2)]
		events = append(events, e)
	}
	table := tableOf(t, 0, events...)
	if len(table.Book().Secrets) != 5 {
		t.Fatalf("%v", resources(table))
	}
	for i, name := range names[:5] {
		u, _ := table.Use(name)
		checkAgainst(t, u, eventsOf(events, name), services[i])
	}
	// A day that is summed again replaces what it had been.
	before := *table.Book()
	fill(table, events)
	if after := table.Book(); !reflect.DeepEqual(before.Secrets, after.Secrets) {
		t.Error("summing the same days again changes something")
	}
}

func eventsOf(all []event.Event, name string) (out []event.Event) {
	for _, e := range all {
		if e.ResourceUID == name {
			out = append(out, e)
		}
	}
	return out
}

// checkAgainst adds up events in the plainest way.
func checkAgainst(t *testing.T, u Use, events []event.Event, service string) {
	t.Helper()
	var calls, failures, rotations int64
	actors, heat, days, regions := map[string]bool{}, map[Heat]int64{}, map[DayCalls]int64{}, map[string]bool{}
	var last time.Time
	for _, e := range events {
		if e.APIOperation == "PutSecretValue" || e.APIOperation == "PutParameter" {
			if e.Outcome == event.Success {
				rotations++
			}
			continue
		}
		if strings.HasPrefix(e.APIOperation, "Describe") {
			continue
		}
		calls++
		if e.Outcome != event.Success {
			failures++
		}
		actors[e.ActorUID], regions[e.Region] = true, true
		heat[Heat{Weekday: int(e.Time.Weekday()), Hour: e.Time.Hour(), Caller: e.Caller}]++
		days[DayCalls{Day: e.Time.Format(time.DateOnly), Caller: e.Caller}]++
		if e.Time.After(last) {
			last = e.Time
		}
	}
	if u.Calls != calls || u.Failures != failures || u.Actors != len(actors) || u.Rotation.Calls != rotations || len(u.Regions) != len(regions) {
		t.Errorf("%s: %d calls, %d failures, %d actors, %d rotations, regions %v; want %d, %d, %d, %d, %v",
			u.Resource, u.Calls, u.Failures, u.Actors, u.Rotation.Calls, u.Regions, calls, failures, len(actors), rotations, regions)
	}
	if !u.LastUse.Equal(last.Truncate(time.Second)) {
		t.Errorf("%s: last use %s, want %s", u.Resource, u.LastUse, last)
	}
	for _, h := range u.Heat {
		key := h
		key.Calls = 0
		if heat[key] != h.Calls {
			t.Errorf("%s: %+v, want %d", u.Resource, h, heat[key])
		}
		delete(heat, key)
	}
	for _, d := range u.Days {
		key := d
		key.Calls = 0
		if days[key] != d.Calls {
			t.Errorf("%s: %+v, want %d", u.Resource, d, days[key])
		}
		delete(days, key)
	}
	if len(heat)+len(days) > 0 {
		t.Errorf("%s: %d cells of the heat map and %d of days are missing", u.Resource, len(heat), len(days))
	}
	var byActor, byCaller int64
	for _, a := range u.ActorUse {
		byActor += a.Calls
	}
	for _, c := range u.Callers {
		byCaller += c.Calls
	}
	if byActor != calls || byCaller != calls {
		t.Errorf("%s: %d calls by principal and %d by caller; want %d", u.Resource, byActor, byCaller, calls)
	}
}

// TestBounds: the oldest days go when there is no room, and do not come back.
func TestBounds(t *testing.T) {
	var events []event.Event
	for day := range 10 {
		for h := range 10 {
			events = append(events, did(monday.AddDate(0, 0, day).Add(time.Duration(h)*time.Hour), "orders", sm, "GetSecretValue", event.Success, arn+"a-A1b2C3"))
		}
	}
	table := NewTable(35)
	for day := range 10 {
		fill(table, events[day*10:day*10+10])
	}
	b := table.Book()
	if b.Days != 3 || !b.Since.Equal(monday.AddDate(0, 0, 7)) || b.Secrets[0].Calls != 30 {
		t.Errorf("%d days since %s, %d calls", b.Days, b.Since, b.Secrets[0].Calls)
	}
	fill(table, events[:10])
	if b := table.Book(); b.Secrets[0].Calls != 30 {
		t.Errorf("a day that was let go came back: %d calls", b.Secrets[0].Calls)
	}
}

func FuzzThingOf(f *testing.F) {
	for _, s := range []string{arn + "a-A1b2C3", keyA, alias, "arn:aws:ssm:eu-west-1:1:parameter/x", "arn:aws:acm:eu-west-1:1:certificate/0a", "arn:aws:kms:::alias/", "arn:::::", usage.Other} {
		for _, service := range Services {
			f.Add(service, s)
		}
	}
	f.Fuzz(func(t *testing.T, service, uid string) {
		what, ok := thingOf(service, uid)
		if !ok {
			return
		}
		if what.name == "" || what.kind == "" || !strings.HasPrefix(uid, what.canonical) {
			t.Errorf("%q of %s: %+v", uid, service, what)
		}
		again, ok := thingOf(service, what.canonical)
		if ok && !randomSuffix(what.canonical) && again.canonical != what.canonical {
			t.Errorf("%q: the canonical name %q has another, %q", uid, what.canonical, again.canonical)
		}
	})
}

// BenchmarkBook sums up 1,000,000 cells of 1,360 secrets and keys.
func BenchmarkBook(b *testing.B) {
	table := benchTable(1360, 60)
	b.ResetTimer()
	for b.Loop() {
		table.mu.Lock()
		table.version++
		table.mu.Unlock()
		table.Book()
	}
	b.ReportMetric(float64(table.cells), "cells")
}

func BenchmarkUse(b *testing.B) {
	table := benchTable(1360, 60)
	table.Book()
	name := table.Book().Secrets[7].Resource
	b.ResetTimer()
	for b.Loop() {
		table.Use(name)
	}
}

func benchTable(n, days int) *Table {
	table := NewTable(0)
	r := rand.New(rand.NewPCG(1, 1))
	for d := range days {
		day := monday.AddDate(0, 0, d)
		var rows []usage.Row
		for s := range n {
			for range 12 {
				hour := day.Add(time.Duration(r.IntN(24)) * time.Hour)
				rows = append(rows, usage.Row{Key: usage.Key{
					Hour: hour, CloudProvider: "AWS", AccountUID: owner, ActorUID: fmt.Sprintf("arn:aws:iam::%s:role/r%d", owner, (s+r.IntN(5))%200), Caller: event.CallerECS,
					APIService: sm, APIOperation: "GetSecretValue", ResourceUID: fmt.Sprintf("%ss%04d-A1b2C3", arn, s), Region: "eu-west-1", Outcome: event.Success,
				}, Count: 3, First: hour, Last: hour.Add(time.Minute)})
			}
		}
		table.Replace(day, rows, map[string]uint32{owner: 1<<24 - 1})
	}
	return table
}
