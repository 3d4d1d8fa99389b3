package correlate_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/yagura-sec/yagura/detect"
	"github.com/yagura-sec/yagura/detect/correlate"
	"github.com/yagura-sec/yagura/detect/detecttest"
	"github.com/yagura-sec/yagura/detect/rule"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	engine "github.com/yagura-sec/yagura/sigma/correlate"
)

// sweep, with the rules that others of the correlations below use too.
const sweep = `title: Secrets swept
id: 11111111-0000-4000-8000-000000000001
name: sweep
status: test
tags: [attack.credential-access, attack.t1555.006]
level: medium
falsepositives: [A back-up]
correlation:
  type: value_count
  rules: [secret_read]
  group-by: [actor_uid]
  timespan: 10m
  condition: {field: requestParameters.secretId, gte: 4}
yagura:
  confidence: 0.7
  next: ["yagura search 'actor_uid:{actor} api_operation:GetSecretValue'", "aws secretsmanager list-secrets --region {region}"]
---
title: A secret was read
name: secret_read
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName: GetSecretValue}
  condition: sel
---
title: A key was made
name: key_made
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName: CreateAccessKey}
  condition: sel
---
title: A key was taken away
name: key_gone
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName: DeleteAccessKey}
  condition: sel
`

const calls = `title: Many reads
name: many_reads
level: low
correlation:
  type: event_count
  rules: [secret_read, key_made]
  group-by: [src_ip, account_uid]
  timespan: 30m
  condition: {gte: 5}
`

// chain is a sweep and then a key, and the sweep is of another actor's days.
const chain = `title: Sweep, then a key
name: sweep_then_key
level: high
correlation:
  type: temporal_ordered
  rules: [sweep, key_made]
  group-by: [actor_uid]
  timespan: 2h
`

const few = `title: Hardly a read
name: few_reads
level: low
correlation:
  type: event_count
  rules: [secret_read]
  group-by: [actor_uid]
  timespan: 45m
  condition: {lt: 2}
`

const kept = `title: A key was made and kept
name: key_kept
level: low
correlation:
  type: temporal
  rules: [key_made, key_gone]
  group-by: [actor_uid]
  timespan: 90m
  condition: key_made and not key_gone
`

// lake holds events in memory.
type lake struct {
	mu     sync.Mutex // guards the two below
	events []event.Event
	reads  int
}

func (l *lake) append(events ...event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, events...)
}

func (l *lake) selecting(ctx context.Context, q query.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(event.Event{}, err)
			return
		}
		l.mu.Lock()
		l.reads++
		all := slices.Clone(l.events)
		l.mu.Unlock()
		var found []event.Event
		for _, e := range all {
			if (q.Since.IsZero() || !e.Time.Before(q.Since)) && (q.Until.IsZero() || e.Time.Before(q.Until)) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, func(a, b event.Event) int { return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:])) })
		for _, e := range found {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (l *lake) count(since, until time.Time) (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if !e.Time.Before(since) && e.Time.Before(until) {
			n++
		}
	}
	return n
}

func open(t *testing.T, o correlate.Options, rules ...string) (detecttest.Hunted, *lake) {
	t.Helper()
	files := fstest.MapFS{}
	for i, text := range rules {
		files[fmt.Sprintf("%d.yml", i)] = &fstest.MapFile{Data: []byte(text)}
	}
	d, refused := rule.Load([]rule.Tree{{FS: files, Shown: "rules"}}, nil, rule.Options{Extended: true})
	for _, e := range refused {
		t.Fatal(e)
	}
	l := &lake{}
	h := correlate.New(d, stored.Source{Select: l.selecting}, o)
	return detecttest.Hunted{Hunter: h, Detector: d, Append: l.append}, l
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// call n is by a session of an actor, so long after noon.
func call(n int, after time.Duration, actor, name, secret string) event.Event {
	raw, _ := json.Marshal(map[string]any{"eventName": name, "requestParameters": map[string]any{"secretId": secret}})
	return event.Event{
		Time: noon.Add(after), UID: event.HashUID(fmt.Sprint(n)), Format: "aws.cloudtrail", AccountUID: "111122223333", Region: "eu-west-1",
		APIOperation: name, ActorType: event.ActorRole, ActorUID: "arn:aws:iam::111122223333:role/" + actor, ActorName: actor,
		ActorSession: fmt.Sprint("session-", n%3), SrcIP: "203.0.113.7", ResourceUID: secret, Raw: raw,
	}
}

// day is a day of calls, in which everything happens.
func day() (events []event.Event) {
	rng := rand.New(rand.NewPCG(1, 9))
	for n := range 300 {
		name := []string{"GetSecretValue", "GetSecretValue", "GetSecretValue", "CreateAccessKey", "DeleteAccessKey", "ListSecrets"}[rng.IntN(6)]
		after := time.Duration(rng.IntN(30*60)) * time.Minute
		if n%3 == 0 { // some come together, on both sides of an hour's end
			after = after.Truncate(6*time.Hour) + time.Duration(rng.IntN(20)-10)*time.Minute
		}
		e := call(n, after, fmt.Sprint("r", rng.IntN(3)), name, fmt.Sprint("secret-", rng.IntN(9)))
		e.SrcIP = fmt.Sprint("203.0.113.", rng.IntN(3))
		events = append(events, e)
	}
	return events
}

func TestContract(t *testing.T) {
	f := func(name string, o correlate.Options) {
		t.Run(name, func(t *testing.T) {
			detecttest.TestHunter(t, func(t *testing.T) detecttest.Hunted {
				var h detecttest.Hunted
				var l *lake
				o := o
				o.Count = func(_ context.Context, since, until time.Time) (int64, error) { return l.count(since, until), nil }
				h, l = open(t, o, strings.Replace(sweep, "correlation:", "generate: true\ncorrelation:", 1), calls, chain, few, kept)
				return h
			}, day())
		})
	}
	f("remembering", correlate.Options{})
	f("remembering little", correlate.Options{HourHits: 3, Hits: 5})
	f("remembering few hours", correlate.Options{Hits: 20})
	f("remembering nothing", correlate.Options{Hits: -1})
	f("remembering nothing of busy days", correlate.Options{Hits: -1, DayHits: 9})
}

// TestSparse: hours of many years are read together where little is stored, and
// what is said of them is what is said of each alone, also if there are more hits
// than can be put in order.
func TestSparse(t *testing.T) {
	const years = 6
	var events []event.Event
	rng := rand.New(rand.NewPCG(7, 7))
	for day := 0; day < 365*years; day += 1 + rng.IntN(20) {
		at := time.Duration(day)*24*time.Hour + time.Duration(rng.IntN(24*60))*time.Minute
		for i := range 1 + rng.IntN(6) {
			events = append(events, call(len(events), at+time.Duration(i)*time.Minute, "r1", "GetSecretValue", fmt.Sprint("secret-", i)))
		}
	}
	f := func(name string, o correlate.Options, count bool, atMost int) {
		t.Helper()
		var l *lake
		if count {
			o.Count = func(_ context.Context, since, until time.Time) (int64, error) { return l.count(since, until), nil }
		}
		o.Hits = -1
		var h detecttest.Hunted
		h, l = open(t, o, strings.Replace(sweep, "correlation:", "generate: true\ncorrelation:", 1), calls, few)
		l.append(events...)
		now := noon.AddDate(years+1, 0, 0)
		var looks []detect.Look
		for _, hunter := range h.Hunter.Hunters() {
			for i, e := range events {
				since := finding.Hour(e.Time)
				if i == 0 || !since.Equal(finding.Hour(events[i-1].Time)) {
					looks = append(looks, detect.Look{Hunter: hunter, Since: since, Until: since.Add(time.Hour)})
				}
			}
		}
		together, err := h.Hunter.(detect.Pack).HuntTogether(t.Context(), looks, now)
		if err != nil {
			t.Fatal(err)
		}
		if l.reads > atMost {
			t.Errorf("%s: %d reads for %d looks, want at most %d", name, l.reads, len(looks), atMost)
		}
		found := 0
		for i, x := range looks {
			alone, err := h.Hunter.Hunt(t.Context(), x.Hunter, x.Since, x.Until, now)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(together[i], alone) {
				t.Errorf("%s: %v is %+v, alone %+v", name, x, together[i], alone)
			}
			found += len(alone.Occurrences)
		}
		if found < 100 {
			t.Errorf("%s: %d occurrences: this shows too little", name, found)
		}
	}
	f("little is stored", correlate.Options{}, true, 2)
	f("many hits", correlate.Options{DayHits: 9}, true, 4*len(events))
	f("nothing is counted", correlate.Options{}, false, len(events))
}

func hunt(t *testing.T, h detecttest.Hunted, hunter string, from, until int, now time.Time) finding.Hunt {
	t.Helper()
	said, err := h.Hunter.Hunt(t.Context(), hunter, noon.Add(time.Duration(from)*time.Hour), noon.Add(time.Duration(until)*time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func TestFinding(t *testing.T) {
	h, _ := open(t, correlate.Options{}, sweep)
	var events []event.Event
	for n := range 6 {
		events = append(events, call(n, time.Duration(n-1)*45*time.Second+10*time.Second, "admin", "GetSecretValue", fmt.Sprint("secret-", n%5)))
	}
	events = append(events, call(7, time.Hour, "admin", "GetSecretValue", "secret-9"), call(8, time.Minute, "other", "GetSecretValue", "secret-9"))
	h.Append(events...)
	said := hunt(t, h, "sigma/11111111-0000-4000-8000-000000000001", -1, 2, noon.Add(24*time.Hour))
	if len(said.Occurrences) != 2 || said.Rule != "11111111-0000-4000-8000-000000000001" {
		t.Fatalf("hunt says %+v", said)
	}
	o := said.Occurrences[0]
	if o.Since.Equal(noon) {
		o = said.Occurrences[1]
	}
	if o.Count != 1 || !o.Since.Equal(noon.Add(-time.Hour)) {
		t.Errorf("the hour before has %d events, %s", o.Count, o.Since)
	}
	o = said.Occurrences[0]
	if !o.Since.Equal(noon) {
		o = said.Occurrences[1]
	}
	const actor = "arn:aws:iam::111122223333:role/admin"
	if o.Key != finding.Key("correlation", said.Rule, actor) || o.Kind != finding.KindCorrelation || o.Count != 5 || o.Actor != actor ||
		o.Resource != "" || o.Account != "111122223333" || o.Region != "eu-west-1" || o.Severity != finding.Medium || o.Confidence != 0.7 ||
		o.LogSource != "aws/cloudtrail" || len(o.Attack) != 2 || o.FalsePositives[0] != "A back-up" {
		t.Errorf("occurrence is %+v", o)
	}
	if want := []string{
		"yagura search 'actor_uid:arn:aws:iam::111122223333:role/admin api_operation:GetSecretValue'", "aws secretsmanager list-secrets --region eu-west-1",
	}; !reflect.DeepEqual(o.Next, want) {
		t.Errorf("next steps are %q", o.Next)
	}
	var got []string
	for _, r := range o.Reasons {
		got = append(got, fmt.Sprintf("%s: %s | %s | %s | %d", r.Kind, r.Text, r.Observed, r.Expected, len(r.Evidence)))
	}
	want := []string{
		`correlation: 5 different values of requestParameters.secretId in 6 × "A secret was read" by role admin (arn:aws:iam::111122223333:role/admin) from 203.0.113.7 in 3m45s (2026-03-04 11:59:25 to 12:03:10 UTC); the rule asks for >= 4 in 10m | 5 | value_count of requestParameters.secretId >= 4 in 10m | 6`,
		`group: actor_uid is "arn:aws:iam::111122223333:role/admin" in all of them | arn:aws:iam::111122223333:role/admin | the same actor_uid | 0`,
		`rule: "A secret was read" matched 6 events (2026-03-04 11:59:25 to 12:03:10 UTC) | 6 |  | 6`,
		`spread: Seen with 5 resources: secret-0, secret-1, secret-2 and 2 more | 5 |  | 0`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("reasons are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSentences(t *testing.T) {
	f := func(hunter, want string) {
		t.Helper()
		h, _ := open(t, correlate.Options{}, strings.Replace(sweep, "correlation:", "generate: true\ncorrelation:", 1), calls, chain, few, kept)
		for n := range 5 {
			h.Append(call(n, time.Duration(n)*time.Minute, "admin", "GetSecretValue", fmt.Sprint("secret-", n)))
		}
		h.Append(call(9, 26*time.Minute, "admin", "CreateAccessKey", ""))
		h.Append(call(10, 30*time.Hour, "lone", "GetSecretValue", "secret-1"))
		said := hunt(t, h, hunter, 0, 48, noon.Add(240*time.Hour))
		if len(said.Occurrences) != 1 {
			t.Fatalf("%s: %d occurrences", hunter, len(said.Occurrences))
		}
		if got := said.Occurrences[0].Reasons[0].Text.String(); got != want {
			t.Errorf("%s says\n%s\nwant\n%s", hunter, got, want)
		}
	}
	f("sigma/many_reads", `6 events by role admin from 203.0.113.7 in account 111122223333 in 26m (2026-03-04 12:00:00 to 12:26:00 UTC); the rule asks for >= 5 in 30m`)
	f("sigma/sweep_then_key", `"Secrets swept", then "A key was made": 6 events by role admin (arn:aws:iam::111122223333:role/admin) from 203.0.113.7 in 26m (2026-03-04 12:00:00 to 12:26:00 UTC); the rule asks for all 2 rules in this order in 2h`)
	f("sigma/few_reads", `1 × "A secret was read" by role lone (arn:aws:iam::111122223333:role/lone) from 203.0.113.7 (2026-03-05 18:00:00 UTC); the rule asks for < 2 in 45m`)
	f("sigma/key_kept", `"A key was made": 1 event by role admin (arn:aws:iam::111122223333:role/admin) from 203.0.113.7 (2026-03-04 12:26:00 UTC); the rule asks for key_made and not key_gone in 1h30m`)
}

const userMade = `title: User and key made
name: user_with_key
correlation:
  type: temporal
  rules: [user_made, key_for_user]
  group-by: [requestParameters.secretId, recipientAccountId]
  timespan: 1h
yagura:
  next:
    - aws iam list-access-keys --user-name {group.requestParameters.secretId}
    - aws iam get-role --role-name {actor}
    - yagura search 'actor_uid:{actor}'
---
title: User made
name: user_made
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName: CreateUser}
  condition: sel
---
title: Key made
name: key_for_user
logsource: {product: aws, service: cloudtrail}
detection:
  sel: {eventName: CreateAccessKey}
  condition: sel
`

// TestGroup: the first sentence says of what group it is, and names who it was.
func TestGroup(t *testing.T) {
	made := func(n int, after time.Duration, actor, name, user, address string) event.Event {
		e := call(n, after, actor, name, user)
		e.SrcIP, e.AccountUID = address, "444455556666"
		e.Raw = fmt.Appendf(nil, `{"eventName":%q,"requestParameters":{"secretId":%q},"recipientAccountId":"444455556666"}`, name, user)
		if actor == "" {
			e.ActorUID, e.ActorType, e.ActorSession = "", "", ""
		}
		return e
	}
	f := func(events []event.Event, actor, text string, next ...string) {
		t.Helper()
		h, _ := open(t, correlate.Options{}, userMade)
		h.Append(events...)
		said := hunt(t, h, "sigma/user_with_key", 0, 1, noon.Add(24*time.Hour))
		if len(said.Occurrences) != 1 {
			t.Fatalf("%d occurrences", len(said.Occurrences))
		}
		o := said.Occurrences[0]
		if o.Reasons[0].Text.String() != text || o.Actor != actor || !slices.Equal(o.Next, next) {
			t.Errorf("of %q it says\n%s\nwant\n%s\nand next %q, want %q", o.Actor, o.Reasons[0].Text, text, o.Next, next)
		}
		if unnamed := slices.ContainsFunc(o.Reasons, func(r finding.Reason) bool { return r.Kind == "actor" }); unnamed != (actor != "" && !strings.HasPrefix(actor, "arn:")) {
			t.Errorf("that nobody is named: %v, of actor %q", unnamed, actor)
		}
	}
	const role = "arn:aws:iam::111122223333:role/"
	f([]event.Event{made(1, 0, "ops", "CreateUser", "u1", "203.0.113.7"), made(2, time.Minute, "ops", "CreateAccessKey", "u1", "203.0.113.7")}, role+"ops",
		`"User made" and "Key made": 2 events with requestParameters.secretId "u1" by role ops from 203.0.113.7 in account 444455556666 in 1m (2026-03-04 12:00:00 to 12:01:00 UTC); the rule asks for all 2 rules in 1h`,
		"aws iam list-access-keys --user-name u1", "aws iam get-role --role-name ops", "yagura search 'actor_uid:"+role+"ops'")
	// Two principals: no one is the actor, least of all their address.
	f([]event.Event{made(1, 0, "ops", "CreateAccessKey", "u2", "203.0.113.7"), made(2, time.Minute, "dev", "CreateUser", "u2", "203.0.113.7")}, "",
		`"Key made" and "User made": 2 events with requestParameters.secretId "u2" by 2 principals (role dev, role ops) from 203.0.113.7 in account 444455556666 in 1m (2026-03-04 12:00:00 to 12:01:00 UTC); the rule asks for all 2 rules in 1h`,
		"aws iam list-access-keys --user-name u2", "yagura search 'src_ip:203.0.113.7'")
	f([]event.Event{
		made(1, 0, "a", "CreateUser", "u2", "203.0.113.1"), made(2, 0, "b", "CreateAccessKey", "u2", "203.0.113.2"), made(3, 0, "c", "CreateAccessKey", "u2", "203.0.113.3"),
		made(4, 0, "d", "CreateAccessKey", "u2", "203.0.113.3"), made(5, 0, "e", "CreateAccessKey", "u2", "203.0.113.3"),
	}, "",
		`"User made" and "Key made": 5 events with requestParameters.secretId "u2" by 5 principals (role a, role b, role c and 2 more) from 3 addresses (203.0.113.1, 203.0.113.2, 203.0.113.3) in account 444455556666 (2026-03-04 12:00:00 UTC); the rule asks for all 2 rules in 1h`,
		"aws iam list-access-keys --user-name u2")
	// Nobody is named: the address stands for the actor, and it is said.
	f([]event.Event{made(1, 0, "", "CreateUser", "u1", "203.0.113.7"), made(2, 0, "", "CreateAccessKey", "u1", "203.0.113.7")}, "203.0.113.7",
		`"User made" and "Key made": 2 events with requestParameters.secretId "u1" from 203.0.113.7 in account 444455556666 (2026-03-04 12:00:00 UTC); the rule asks for all 2 rules in 1h`,
		"aws iam list-access-keys --user-name u1", "yagura search 'src_ip:203.0.113.7'")
	// Roles of one name in two accounts are told apart.
	other := made(2, 0, "ops", "CreateAccessKey", "u1", "203.0.113.7")
	other.ActorUID = "arn:aws:iam::444455556666:role/ops"
	f([]event.Event{made(1, 0, "ops", "CreateUser", "u1", "203.0.113.7"), other}, "",
		`"User made" and "Key made": 2 events with requestParameters.secretId "u1" by 2 principals (role ops (arn:aws:iam::111122223333:role/ops), role ops (arn:aws:iam::444455556666:role/ops)) from 203.0.113.7 in account 444455556666 (2026-03-04 12:00:00 UTC); the rule asks for all 2 rules in 1h`,
		"aws iam list-access-keys --user-name u1", "yagura search 'src_ip:203.0.113.7'")
}

// TestOneInstant: events of one second are told in one way, in whatever order
// they are stored.
func TestOneInstant(t *testing.T) {
	var events []event.Event
	for n := range 24 {
		name := []string{"GetSecretValue", "CreateAccessKey", "DeleteAccessKey", "CreateUser"}[n%4]
		events = append(events, call(n, time.Duration(n/12)*time.Second, fmt.Sprint("r", n%2), name, fmt.Sprint("secret-", n%6)))
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, hunter := range []string{"sigma/11111111-0000-4000-8000-000000000001", "sigma/many_reads", "sigma/kept_or_gone"} {
		var want finding.Hunt
		for n := range 8 {
			h, _ := open(t, correlate.Options{}, strings.Replace(sweep, "gte: 4", "gte: 2", 1), calls, gone)
			for _, batch := range slices.Collect(slices.Chunk(events, 1+n)) {
				h.Append(batch...)
				if _, err := h.Detector.Judge(t.Context(), event.BatchID{byte(len(batch)), byte(rng.Int())}, batch); err != nil {
					t.Fatal(err)
				}
			}
			said := hunt(t, h, hunter, 0, 1, noon.Add(24*time.Hour))
			if n == 0 {
				want = said
			}
			if !reflect.DeepEqual(said, want) || len(want.Occurrences) == 0 {
				t.Errorf("%s: in another order it says\n%+v, want\n%+v", hunter, said.Occurrences, want.Occurrences)
			}
			rng.Shuffle(len(events), func(i, k int) { events[i], events[k] = events[k], events[i] })
		}
	}
}

const gone = `title: Keys made and gone
name: kept_or_gone
correlation:
  type: temporal
  rules: [key_made, key_gone]
  group-by: [account_uid]
  timespan: 90m
`

// TestReads: what the detector saw go by need not be read, and what was stored
// before is read once.
func TestReads(t *testing.T) {
	f := func(counting bool, stored int, want ...int) {
		t.Helper()
		var h detecttest.Hunted
		var l *lake
		o := correlate.Options{}
		if counting {
			o.Count = func(_ context.Context, since, until time.Time) (int64, error) { return l.count(since, until), nil }
		}
		h, l = open(t, o, sweep)
		var all, later []event.Event
		for n := range 8 {
			all = append(all, call(n, time.Duration(n)*time.Hour, "r", "GetSecretValue", "a"))
			later = append(later, call(10+n, time.Duration(n)*time.Hour+time.Minute, "r", "GetSecretValue", "b"), call(20+n, time.Duration(n)*time.Hour, "r", "ListSecrets", "b"),
				call(30+n, time.Duration(n)*time.Hour, "r", "GetSecretValue", "c"), call(40+n, time.Duration(n)*time.Hour, "r", "GetSecretValue", "d"))
		}
		h.Append(all[:stored]...) // by a program before this one
		judge := func(batch byte, events []event.Event) {
			if _, err := h.Detector.Judge(t.Context(), event.BatchID{batch}, events); err != nil {
				t.Fatal(err)
			}
		}
		h.Append(all[stored:]...)
		judge(1, all[stored:])
		judge(1, all[stored:]) // as when it is carried on after an error
		for i, reads := range want {
			l.reads = 0
			said := hunt(t, h, "sigma/11111111-0000-4000-8000-000000000001", 0, 10, noon.Add(24*time.Hour))
			if l.reads != reads {
				t.Errorf("counting %v, %d stored before: hunt %d reads %d times, want %d", counting, stored, i, l.reads, reads)
			}
			if found := len(said.Occurrences); i == 0 && found != 0 || i == 1 && found != 8 || found > 0 && said.Occurrences[0].Count != 4 {
				t.Errorf("counting %v, %d stored before: hunt %d finds %+v", counting, stored, i, said.Occurrences)
			}
			h.Append(later...)
			judge(2, later)
			later = nil
		}
	}
	// Six hours are read at once, of a UTC day: 11:00, 12:00 and 18:00 are in three.
	f(false, 0, 3, 0)
	f(false, 8, 3, 0)
	f(true, 0, 0, 0)
	f(true, 8, 2, 0)
	f(true, 3, 1, 0) // from 12:00 on, 3 before and 3 judged twice are 6, but not all
	f(true, 7, 2, 0)
}

// TestOverflow: what does not fit is counted, and the finding says so.
func TestOverflow(t *testing.T) {
	h, _ := open(t, correlate.Options{Engine: engine.EngineOptions{MaxHits: 8}}, sweep)
	for n := range 20 {
		h.Append(call(n, time.Duration(n)*time.Second, "admin", "GetSecretValue", fmt.Sprint("secret-", n)))
	}
	said := hunt(t, h, "sigma/11111111-0000-4000-8000-000000000001", 0, 1, noon.Add(24*time.Hour))
	o := said.Occurrences[0]
	if last := o.Reasons[len(o.Reasons)-1]; last.Kind != "overflow" || !strings.HasPrefix(o.Reasons[0].Text.String(), "at least 8 different values") {
		t.Errorf("reasons are %+v", o.Reasons)
	}
	if n := h.Hunter.(*correlate.Hunter).Overflow(); n != 12 {
		t.Errorf("overflow of %d, want 12", n)
	}
	if o.Count != 20 { // the windows together still tell all of them
		t.Errorf("%d events", o.Count)
	}
}

// TestOpen: what did not happen is said when the log reaches far enough, even if
// hits from beyond are there already.
func TestOpen(t *testing.T) {
	h, _ := open(t, correlate.Options{}, sweep, kept)
	h.Append(call(1, 0, "admin", "CreateAccessKey", ""), call(2, 20*time.Hour, "other", "DeleteAccessKey", ""))
	f := func(now time.Duration, found int, again ...time.Time) {
		t.Helper()
		said := hunt(t, h, "sigma/key_kept", -2, 19, noon.Add(now))
		if len(said.Occurrences) != found || !slices.EqualFunc(said.Again, again, time.Time.Equal) {
			t.Errorf("at %s: %d found, again %s, want %d, %s", now, len(said.Occurrences), said.Again, found, again)
		}
	}
	f(0, 0, noon)
	f(80*time.Minute, 0, noon)
	f(24*time.Hour, 1)
}

// TestWhileJudging: hunts go on beside batches that are stored and judged, and
// in the end know all of it.
func TestWhileJudging(t *testing.T) {
	for _, o := range []correlate.Options{{}, {Hits: 30}} {
		var l *lake
		o.Count = func(_ context.Context, since, until time.Time) (int64, error) { return l.count(since, until), nil }
		var h detecttest.Hunted
		h, l = open(t, o, sweep, calls)
		var wg sync.WaitGroup
		events := day()
		for worker := range 2 {
			wg.Go(func() {
				for n, batch := range slices.Collect(slices.Chunk(events[worker*150:(worker+1)*150], 7)) {
					h.Append(batch...)
					if _, err := h.Detector.Judge(t.Context(), event.BatchID{byte(worker), byte(n), 1}, batch); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		for going := true; going; {
			select {
			case <-done:
				going = false
			default:
			}
			hunt(t, h, "sigma/many_reads", -12, 36, noon.Add(240*time.Hour))
		}
		fresh, _ := open(t, correlate.Options{}, sweep, calls)
		fresh.Append(events...)
		want := hunt(t, fresh, "sigma/many_reads", -12, 36, noon.Add(240*time.Hour))
		if got := hunt(t, h, "sigma/many_reads", -12, 36, noon.Add(240*time.Hour)); !reflect.DeepEqual(got, want) || len(want.Occurrences) == 0 {
			t.Errorf("%d occurrences, want %d", len(got.Occurrences), len(want.Occurrences))
		}
	}
}
