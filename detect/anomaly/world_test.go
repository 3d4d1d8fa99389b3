package anomaly

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
	"github.com/yagura-sec/yagura/say"
	"github.com/yagura-sec/yagura/usage"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// world makes events of a small organisation.
type world struct {
	rnd *rand.Rand
	n   int
}

func newWorld(seed uint64) *world { return &world{rnd: rand.New(rand.NewPCG(seed, 3))} }

func (w *world) base(at time.Time, service, operation string) event.Event {
	w.n++
	var uid event.UID
	binary.BigEndian.PutUint64(uid[:], uint64(w.n))
	return event.Event{
		Time: at.UTC().Truncate(time.Microsecond), UID: uid, Outcome: event.Success, Format: "aws.cloudtrail", CloudProvider: "AWS",
		AccountUID: "111122223333", Region: "eu-west-1", APIService: service + ".amazonaws.com", APIOperation: operation,
		ReadOnly: true, Category: event.Management, SrcIP: fmt.Sprintf("203.0.113.%d", w.rnd.IntN(4)),
	}
}

func (w *world) by(e *event.Event, role string, caller event.Caller, session string) {
	e.ActorType, e.ActorUID, e.ActorName, e.Caller, e.ActorSession = event.ActorRole, "arn:aws:iam::111122223333:role/"+role, role, caller, session
}

func secretARN(i int) string {
	return fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:111122223333:secret:app%d/part%d-aB3x%02d", i/3, i%3, i%100)
}

// event is one at a time: mostly a use of a secret.
func (w *world) event(at time.Time) event.Event {
	i := w.rnd.IntN(9)
	role := fmt.Sprintf("app%d", i/3)
	switch w.rnd.IntN(20) {
	case 8, 9, 10: // nothing to do with secrets
		e := w.base(at, "s3", "ListBuckets")
		w.by(&e, role, event.CallerLambda, role)
		return e
	case 0:
		e := w.base(at, "secretsmanager", "GetSecretValue")
		w.by(&e, "AWSReservedSSO_Admin", event.CallerConsole, fmt.Sprintf("person%d@hoshino.example", w.rnd.IntN(3)))
		e.ResourceUID = secretARN(i)
		return e
	case 1:
		e := w.base(at, "s3", "GetObject")
		w.by(&e, role, event.CallerLambda, role)
		e.Outcome, e.StatusCode = event.Denied, "AccessDenied"
		e.ResourceUID = fmt.Sprintf("arn:aws:s3:::logs/%d", w.rnd.IntN(5))
		return e
	case 2:
		e := w.base(at, "secretsmanager", "GetSecretValue")
		w.by(&e, role, event.CallerLambda, role)
		e.ResourceUID = secretARN((i + 4) % 9)
		if w.rnd.IntN(2) == 0 {
			e.Outcome, e.StatusCode = event.Denied, "AccessDeniedException"
		}
		return e
	case 3:
		e := w.base(at, "signin", "ConsoleLogin")
		e.ActorName = fmt.Sprintf("person%d", w.rnd.IntN(2))
		e.Caller = event.CallerConsole
		if w.rnd.IntN(3) > 0 {
			e.Outcome = event.AuthFailed
		}
		return e
	case 4:
		e := w.base(at, "lambda", "UpdateFunctionCode20150331v2")
		w.by(&e, "deploy", event.CallerCI, "build")
		e.ReadOnly = false
		return e
	case 5:
		e := w.base(at, "ssm", "GetParameters")
		w.by(&e, role, event.CallerECS, fmt.Sprintf("%032x", w.rnd.IntN(5)))
		e.ResourceUID = "arn:aws:ssm:eu-west-1:111122223333:parameter/a/b"
		e.ResourceUIDs = []string{e.ResourceUID, "arn:aws:ssm:eu-west-1:111122223333:parameter/a/c"}
		return e
	case 6:
		e := w.base(at, "kms", "Decrypt")
		w.by(&e, role, event.CallerLambda, role)
		e.ResourceUID, e.Twin = secretARN(i), w.rnd.IntN(2) == 0
		if !e.Twin {
			e.ResourceUID = "arn:aws:kms:eu-west-1:111122223333:key/0a1b"
		}
		return e
	case 7:
		e := w.base(at, "secretsmanager", "ReplicateSecretToRegions")
		w.by(&e, "deploy", event.CallerCI, "build")
		e.ResourceUID, e.Raw = secretARN(i), []byte(`{"requestParameters":{"addReplicaRegions":[{"region":"us-west-2"}]}}`)
		return e
	}
	e := w.base(at, "secretsmanager", "GetSecretValue")
	w.by(&e, role, event.CallerLambda, role)
	e.ResourceUID = secretARN(i)
	if w.rnd.IntN(4) == 0 {
		e.ResourceUID = canonical(e.ResourceUID) // asked for by name
	}
	return e
}

// events of some days, in no order.
func (w *world) events(days, perDay int) []event.Event {
	var out []event.Event
	for range days * perDay {
		out = append(out, w.event(start.Add(time.Duration(w.rnd.Int64N(int64(days)*int64(oneDay))))))
	}
	return out
}

// lakeOf holds events for a hunter.
type lakeOf struct {
	events  []event.Event
	dropped time.Time
	rows    []usage.Row // of the first summed events
	summed  int
}

func (l *lakeOf) options() Options {
	return Options{
		Usage: Usage{Select: l.usage}, Events: stored.Source{Select: l.find}, Signs: func() []watch.Sign { return []watch.Sign{newEcho()} },
		Horizon: func() (time.Time, error) { return l.dropped, nil }, Lateness: -1, Budget: 1e9,
	}
}

func (l *lakeOf) usage(_ context.Context, q usage.Query) iter.Seq2[usage.Row, error] {
	return func(yield func(usage.Row, error) bool) {
		if l.summed != len(l.events) {
			l.rows = usage.Fold(append(l.rows, usage.Sum(l.events[l.summed:], usage.DefaultMax)...), usage.DefaultMax)
			l.summed = len(l.events)
		}
		for _, r := range l.rows {
			if q.Matches(&r.Key) && !yield(r, nil) {
				return
			}
		}
	}
}

func (l *lakeOf) find(_ context.Context, q query.Query) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var found []event.Event
		for i := range l.events {
			if e := l.events[i]; q.Matches(&e) && !e.Time.Before(l.dropped) {
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

// echo is a sign that says what it was shown, in numbers: whatever differs in
// what it is shown, or in what it learned before, shows in what it says. It
// relies on no number of a name.
type echo struct{ past uint64 }

func newEcho() *echo { return &echo{} }

func (e *echo) Name() string      { return finding.SignFrequency }
func (e *echo) Clone() watch.Sign { c := *e; return &c }
func (e *echo) Bytes() int        { return 8 }

func (e *echo) Learn(d *watch.Day) {
	for i := range d.Hours {
		e.past = sum(e.past, hashOf(d, i))
	}
}

func (e *echo) Judge(d *watch.Day, i int) []watch.Alarm {
	state := e.past
	for j := range i + 1 {
		state = sum(state, hashOf(d, j))
	}
	for j := i + 1; j < len(d.Hours); j++ {
		if d.Hours[j] != nil {
			panic("what is later is shown")
		}
	}
	var out []watch.Alarm
	for _, u := range d.Hours[i].Uses {
		s, a := &d.Names.Secrets[u.Secret], &d.Names.Actors[u.Actor]
		h := sum(state, hashed(s.UID, a.UID, fmt.Sprint(s.Replicas)))
		said := say.Plain(fmt.Sprintf("%016x", h))
		out = append(out, watch.Alarm{
			Sign: e.Name(), Class: "frequency/" + string(u.Caller), Secret: u.Secret, Actor: u.Actor, Account: u.Account, Region: u.Region,
			Score: 2 + float64(h%1000)/250, Trials: 24, First: u.First, Last: u.Last, Count: u.Count, Mature: h%7 > 0, Severity: finding.Low,
			Tell: func() watch.Told {
				return watch.Told{Title: said, Reasons: []finding.Reason{{Kind: "echo", Text: said}}}
			},
			Where: watch.Where{Actor: a.UID, Secrets: []string{s.UID}},
		})
	}
	return out
}

func sum(a, b uint64) uint64 { return (a ^ b) * 0x9e3779b97f4a7c15 }

func hashed(parts ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, parts...)
	return h.Sum64()
}

// hashOf is of all that an hour holds, by names, in no order.
func hashOf(d *watch.Day, i int) uint64 {
	h, n := d.Hours[i], d.Names
	if h == nil {
		return 0
	}
	total := hashed(h.Start, h.Events)
	secrets := func(list []int32) (out []string) {
		for _, s := range list {
			out = append(out, n.Secrets[s].UID)
		}
		slices.Sort(out)
		return out
	}
	add := func(parts ...any) { total += hashed(parts...) }
	for _, u := range h.Uses {
		add("use", n.Secrets[u.Secret].UID, n.Actors[u.Actor].UID, n.Accounts[u.Account], u.Caller, u.Operation, u.Region, u.Outcome, u.Count, u.First, u.Last)
	}
	for _, c := range h.Calls {
		add("call", n.Actors[c.Actor].UID, n.Accounts[c.Account], c.Caller, c.Region, c.Count, c.Denied, c.OrgDenied, c.First, c.Last)
	}
	for _, a := range h.Acts {
		secret := ""
		if a.Secret >= 0 {
			secret = n.Secrets[a.Secret].UID
		}
		add("act", a.Sort, n.Actors[a.Actor].UID, a.Operation, a.Resource, secret, a.Outcome, a.Count, a.First, a.Last)
	}
	for _, p := range h.Peaks {
		add("peak", n.Secrets[p.Secret].UID, p.At, p.Count)
	}
	for _, b := range h.Bursts {
		add("burst", n.Actors[b.Actor].UID, b.Caller, secrets(b.Secrets), b.Count, b.First, b.Last)
	}
	for _, p := range h.People {
		add("person", p.Person, n.Actors[p.Actor].UID, n.Accounts[p.Account], p.Region, p.Calls, p.Writes, p.Networks, p.First, p.Last)
		for _, r := range p.Reads {
			add("reads", p.Person, n.Secrets[r.Secret].UID, r.Count, r.Denied, r.First)
		}
	}
	for _, s := range h.Sources {
		add("source", n.Actors[s.Actor].UID, n.Secrets[s.Secret].UID, s.Caller, s.Network, s.Count, s.First)
	}
	for _, t := range h.Tries {
		add("try", n.Actors[t.Actor].UID, t.Person, t.Caller, t.At, t.Calls, t.Pairs, secrets(t.Secrets), t.Attempts, secrets(t.Granted), t.Operation, t.Code, t.Network, t.First, t.Last)
	}
	for _, s := range h.SignIns {
		add("sign-in", s.User, s.IP, s.At, s.Failed, s.Succeeded, s.First, s.Last)
	}
	return total
}

// kept is what a triage would hold of hunts.
type kept struct {
	all   map[string]finding.Occurrence // by hour and key
	notes map[time.Time]finding.Note
	marks map[time.Time]bool
}

func newKept() *kept {
	return &kept{map[string]finding.Occurrence{}, map[time.Time]finding.Note{}, map[time.Time]bool{}}
}

func (k *kept) record(h finding.Hunt) {
	maps.DeleteFunc(k.all, func(_ string, o finding.Occurrence) bool { return !o.Since.Before(h.Since) && o.Since.Before(h.Until) })
	for _, o := range h.Occurrences {
		k.all[o.Since.Format(time.RFC3339)+" "+o.Key] = o
	}
	for _, n := range h.Notes {
		k.notes[n.Day] = n
	}
	maps.DeleteFunc(k.marks, func(t time.Time, _ bool) bool { return !t.Before(h.Since) && t.Before(h.Until) })
	for _, t := range h.Again {
		k.marks[t] = true
	}
}

func (k *kept) give(_ context.Context, since, until time.Time) ([]finding.Note, error) {
	var out []finding.Note
	for _, n := range k.notes {
		if !n.Day.Before(since) && n.Day.Before(until) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b finding.Note) int { return a.Day.Compare(b.Day) })
	return out, nil
}

// round hunts as the pipeline does: from the first marked hour to the last.
func (k *kept) round(t *testing.T, h *Hunter, now time.Time) {
	t.Helper()
	hours := slices.SortedFunc(maps.Keys(k.marks), time.Time.Compare)
	if len(hours) == 0 {
		return
	}
	said, err := h.Hunt(t.Context(), Name, hours[0], hours[len(hours)-1].Add(time.Hour), now)
	if err != nil {
		t.Fatal(err)
	}
	k.record(said)
}

// mark has the marker look at events.
func (k *kept) mark(t *testing.T, events []event.Event) {
	t.Helper()
	j, err := Marker{}.Judge(t.Context(), event.BatchID{}, events)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range j.Marks {
		k.marks[m.Hour] = true
	}
}
