// Package watchtest builds days of use of secrets from short lines, for the
// tests of signs.
//
//	h := watchtest.New("2026-03-02")
//	h.Every(30, "0-23 lambda pay-charge reads prod/pay/db x20 from private")
//	h.On(30, "10:41 ec2 web-tier reads prod/pay/db")
//	h.Learn(sign, 0, 30)
//	alarms := h.Judge(sign, 30)
//
// A line is: when, caller, actor, verb, object, and then any of
//
//	xN             how often (1)
//	by NAME        the person (session) behind it
//	in ACCOUNT     the account that receives it (that of the secret, or Account)
//	at REGION      the region called (that of the secret, or Region)
//	from NETWORK   where the call comes from, as watch.SourceUse names it
//	op OPERATION   instead of the verb's usual one
//	service NAME   of an act
//	ends OUTCOME   denied, not_found, ... (success)
//
// when is an hour "9", a time "9:30" or hours "8-17". An actor is the name of a
// role, of another account "444455556666/role". The verb is "reads" with the
// name of a secret ("key/NAME" is a key), "calls" with anything, or the sort of
// an act with the name of a resource or secret: "build role/web-tier",
// "rotate prod/pay/db".
package watchtest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// Where a history is if nothing else is said.
const (
	Account = "111122223333"
	Region  = "eu-west-1"
)

// History is days being built.
type History struct {
	start    time.Time
	days     []*watch.Day
	names    *watch.Names
	secrets  map[string]int32
	actors   map[string]int32
	accounts map[string]int32
}

// New is an empty history that begins on a day, "2026-03-02".
func New(start string) *History {
	at, err := time.Parse(time.DateOnly, start)
	if err != nil {
		panic(err)
	}
	return &History{start: at, names: &watch.Names{}, secrets: map[string]int32{}, actors: map[string]int32{}, accounts: map[string]int32{}}
}

// Names are what the numbers stand for.
func (h *History) Names() *watch.Names { return h.names }

// Secret is the number of a secret, which is made where it is not known: in
// Account and Region unless another account and region are given.
func (h *History) Secret(name string, where ...string) int32 {
	if n, ok := h.secrets[name]; ok {
		return n
	}
	account, region := Account, Region
	if len(where) > 0 {
		account = where[0]
	}
	if len(where) > 1 {
		region = where[1]
	}
	plain, key := strings.CutPrefix(name, "key/")
	s := watch.Secret{Account: account, Region: region, Name: plain, Key: key}
	if key {
		s.UID = "arn:aws:kms:" + region + ":" + account + ":key/" + plain
	} else {
		// The same name in another region is said "name@region".
		s.Name, _, _ = strings.Cut(plain, "@")
		s.UID = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:" + s.Name
	}
	s.Family = account + " " + s.Name
	if i := strings.LastIndexByte(s.Name, '/'); i > 0 {
		s.Family = account + " " + s.Name[:i]
	}
	n := int32(len(h.names.Secrets))
	h.names.Secrets = append(h.names.Secrets, s)
	h.secrets[name] = n
	return n
}

// Actor is the number of an actor, which is made where it is not known.
func (h *History) Actor(name string) int32 {
	if n, ok := h.actors[name]; ok {
		return n
	}
	account, role, other := strings.Cut(name, "/")
	if !other {
		account, role = Account, name
	}
	n := int32(len(h.names.Actors))
	h.names.Actors = append(h.names.Actors, watch.Actor{UID: "arn:aws:iam::" + account + ":role/" + role, Name: role, Account: account})
	h.actors[name] = n
	return n
}

// AccountOf is the number of an account, which is made where it is not known.
func (h *History) AccountOf(id string) int32 {
	if n, ok := h.accounts[id]; ok {
		return n
	}
	n := int32(len(h.names.Accounts))
	h.names.Accounts = append(h.names.Accounts, id)
	h.accounts[id] = n
	return n
}

// Day is a day by its number, from 0; every hour of it is there.
func (h *History) Day(n int) *watch.Day {
	for len(h.days) <= n {
		d := &watch.Day{Start: h.start.AddDate(0, 0, len(h.days)), Names: h.names}
		for i := range d.Hours {
			d.Hours[i] = &watch.Hour{Start: d.Start.Add(time.Duration(i) * time.Hour), Events: true}
		}
		h.days = append(h.days, d)
	}
	return h.days[n]
}

// Every puts the line into the days [0, days).
func (h *History) Every(days int, line string) { h.Between(0, days, line) }

// Between puts the line into the days [from, to).
func (h *History) Between(from, to int, line string) {
	for d := from; d < to; d++ {
		h.On(d, line)
	}
}

// On puts the line into a day.
func (h *History) On(day int, line string) {
	f := strings.Fields(line)
	if len(f) < 5 {
		panic("a line is: when caller actor verb object ...: " + line)
	}
	from, to, minute := when(f[0])
	for hour := from; hour <= to; hour++ {
		h.put(h.Day(day).Hours[hour], h.parse(f, h.Day(day).Start.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute)))
	}
}

func when(s string) (from, to, minute int) {
	if a, b, ok := strings.Cut(s, "-"); ok {
		return number(a), number(b), 0
	}
	hour, m, ok := strings.Cut(s, ":")
	if ok {
		minute = number(m)
	}
	return number(hour), number(hour), minute
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(fmt.Sprintf("%q is no number", s))
	}
	return n
}

// line is a line, read.
type line struct {
	at        time.Time
	caller    event.Caller
	actor     int32
	verb      string
	object    string
	secret    int32
	count     int64
	person    string
	account   string
	region    string
	network   string
	operation string
	service   string
	outcome   event.Outcome
}

func (h *History) parse(f []string, at time.Time) *line {
	l := &line{at: at, caller: event.Caller(f[1]), actor: h.Actor(f[2]), verb: f[3], object: f[4], secret: -1, count: 1, outcome: event.Success}
	for i := 5; i < len(f); i++ {
		if n, ok := strings.CutPrefix(f[i], "x"); ok {
			l.count = int64(number(n))
			continue
		}
		if i+1 == len(f) {
			panic("nothing follows " + f[i])
		}
		fields := map[string]*string{"by": &l.person, "in": &l.account, "at": &l.region, "from": &l.network, "op": &l.operation, "service": &l.service, "ends": (*string)(&l.outcome)}
		to := fields[f[i]]
		if to == nil {
			panic("what is " + f[i])
		}
		i++
		*to = f[i]
	}
	switch l.verb {
	case "reads", watch.ActRotate, watch.ActCreate, watch.ActReplicate, watch.ActDelete:
		l.secret = h.Secret(l.object)
		s := &h.names.Secrets[l.secret]
		l.account, l.region = or(l.account, s.Account), or(l.region, s.Region)
	}
	l.account, l.region = or(l.account, Account), or(l.region, Region)
	return l
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// usual are the operations of verbs.
var usual = map[string]string{
	"reads": "GetSecretValue", "calls": "DescribeInstances", watch.ActDeploy: "UpdateService", watch.ActRotate: "PutSecretValue",
	watch.ActCreate: "CreateSecret", watch.ActDelete: "DeleteSecret", watch.ActReplicate: "ReplicateSecretToRegions",
	watch.ActBuild: "CreateRole", watch.ActPolicy: "PutResourcePolicy", watch.ActDenied: "ListSecrets", watch.ActOrgDenied: "ListSecrets",
}

func (h *History) put(hour *watch.Hour, l *line) {
	account := h.AccountOf(l.account)
	op := or(l.operation, usual[l.verb])
	if l.verb == "reads" {
		if l.operation == "" && h.names.Secrets[l.secret].Key {
			op = "Decrypt"
		}
		hour.Uses = append(hour.Uses, watch.Use{Secret: l.secret, Actor: l.actor, Account: account, Caller: l.caller, Operation: op,
			Region: l.region, Outcome: l.outcome, Count: l.count, First: l.at, Last: l.at})
		if l.network != "" {
			hour.Sources = append(hour.Sources, watch.SourceUse{Actor: l.actor, Secret: l.secret, Caller: l.caller, Network: l.network, Count: int32(l.count), First: l.at})
		}
	} else if l.verb != "calls" {
		hour.Acts = append(hour.Acts, watch.Act{Sort: l.verb, Actor: l.actor, Account: account, Caller: l.caller, Service: l.service, Operation: op,
			Resource: l.object, Secret: l.secret, Region: l.region, Outcome: l.outcome, Count: l.count, First: l.at, Last: l.at})
	}
	h.call(hour, l, account)
	if l.person != "" {
		h.person(hour, l, account)
	}
}

func (h *History) call(hour *watch.Hour, l *line, account int32) {
	i := slices.IndexFunc(hour.Calls, func(c watch.Calls) bool {
		return c.Actor == l.actor && c.Account == account && c.Caller == l.caller && c.Region == l.region
	})
	if i < 0 {
		i = len(hour.Calls)
		hour.Calls = append(hour.Calls, watch.Calls{Actor: l.actor, Account: account, Caller: l.caller, Region: l.region, First: l.at})
	}
	c := &hour.Calls[i]
	c.Count, c.Last = c.Count+l.count, l.at
	switch l.outcome {
	case event.DeniedByOrgPolicy:
		c.OrgDenied += l.count
		c.Denied += l.count
	case event.Denied, event.AuthFailed:
		c.Denied += l.count
	}
}

func (h *History) person(hour *watch.Hour, l *line, account int32) {
	i := slices.IndexFunc(hour.People, func(p watch.PersonHour) bool {
		return p.Person == l.person && p.Actor == l.actor && p.Account == account && p.Caller == l.caller && p.Region == l.region
	})
	if i < 0 {
		i = len(hour.People)
		hour.People = append(hour.People, watch.PersonHour{Person: l.person, Actor: l.actor, Account: account, Caller: l.caller, Region: l.region, First: l.at})
	}
	p := &hour.People[i]
	p.Calls, p.Last = p.Calls+l.count, l.at
	if l.network != "" && !slices.Contains(p.Networks, l.network) {
		p.Networks = append(p.Networks, l.network)
	}
	if l.verb != "reads" {
		if l.verb != "calls" {
			p.Writes += l.count
		}
		return
	}
	r := watch.PersonRead{Secret: l.secret, Count: int32(l.count), First: l.at}
	if l.outcome == event.Denied {
		r.Denied = r.Count
	}
	p.Reads = append(p.Reads, r)
}

// Learn lets the sign learn the days [from, to).
func (h *History) Learn(s watch.Sign, from, to int) {
	for d := from; d < to; d++ {
		s.Learn(h.Day(d))
	}
}

// Judge is what the sign says of all hours of a day, in order.
func (h *History) Judge(s watch.Sign, day int) []watch.Alarm {
	var all []watch.Alarm
	for i := range 24 {
		all = append(all, s.Judge(h.Day(day), i)...)
	}
	return all
}

// Run lets the sign judge and then learn the days [from, to), and is what it said.
func (h *History) Run(s watch.Sign, from, to int) []watch.Alarm {
	var all []watch.Alarm
	for d := from; d < to; d++ {
		all = append(all, h.Judge(s, d)...)
		s.Learn(h.Day(d))
	}
	return all
}

// Calibrated holds a sign to what its scores promise of a history in which there is
// nothing but chance: taught the days before from, it may alarm about things by a score
// of n in one of 10^n trials of each on each day until days, give or take.
func (h *History) Calibrated(t testing.TB, s watch.Sign, from, days, things int) {
	t.Helper()
	h.Learn(s, 0, from)
	above, trials := map[int]float64{}, 0.0
	for _, a := range h.Run(s, from, days) {
		trials = a.Trials
		for level := 2; a.Score >= float64(level); level++ {
			above[level]++
		}
	}
	for level := 2; level <= 5; level++ {
		want := trials * math.Pow(10, -float64(level)) * float64(things*(days-from))
		t.Logf("score >= %d: %.0f, chance gives %.1f", level, above[level], want)
		if above[level] > 2*want+4 {
			t.Errorf("score >= %d: %.0f, chance gives %.1f", level, above[level], want)
		}
	}
}
