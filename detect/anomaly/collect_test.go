package anomaly

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// script makes events of lines "15:04:05 role session SECRET [outcome]".
func script(t *testing.T, lines string) []event.Event {
	t.Helper()
	w := newWorld(1)
	var out []event.Event
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		at, err := time.Parse("15:04:05", f[0])
		if err != nil {
			t.Fatal(err)
		}
		e := w.base(start.Add(at.Sub(at.Truncate(oneDay))), "secretsmanager", "GetSecretValue")
		w.by(&e, f[1], event.CallerECS, f[2])
		if strings.Contains(f[1], "SSO") {
			e.Caller = event.CallerConsole
		}
		e.SrcIP = "203.0.113.7"
		e.ResourceUID = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:" + f[3]
		if len(f) > 4 {
			e.Outcome, e.StatusCode = event.Outcome(f[4]), "AccessDeniedException"
		}
		out = append(out, e)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// collected is an hour of what a collector makes of events.
func collected(t *testing.T, events []event.Event, since, until int, hour int) (*watch.Hour, *names) {
	t.Helper()
	s := newSummary(start)
	c := newCollector(s, start.Add(time.Duration(since)*time.Hour), start.Add(time.Duration(until)*time.Hour))
	for i := range events {
		if ofInterest(&events[i]) {
			c.add(&events[i])
		}
	}
	c.finish()
	n := newNames()
	h := &watch.Hour{Start: start.Add(time.Duration(hour) * time.Hour)}
	s.bind(h, n)
	return h, n
}

func TestBursts(t *testing.T) {
	f := func(events string, want ...string) {
		t.Helper()
		for _, around := range [][2]int{{10, 11}, {0, 24}, {9, 12}} {
			h, n := collected(t, script(t, events), around[0], around[1], 10)
			var got []string
			for _, b := range h.Bursts {
				var names []string
				for _, s := range b.Secrets {
					names = append(names, n.Secrets[s].Name)
				}
				slices.Sort(names)
				got = append(got, fmt.Sprintf("%s %s x%d", b.First.Format("15:04:05"), strings.Join(names, " "), b.Count))
			}
			if !slices.Equal(got, want) {
				t.Errorf("hours %v: %q, want %q", around, got, want)
			}
		}
	}
	f("10:00:00 app s1 a\n10:00:01 app s1 b", "10:00:00 a b x1")
	// Two sessions are two bursts, alike.
	f("10:00:00 app s1 a\n10:00:01 app s1 b\n10:01:00 app s2 b\n10:01:02 app s2 a", "10:00:00 a b x2")
	// Refused and held back are read too.
	f("10:00:00 app s1 a denied\n10:00:01 app s1 b throttled", "10:00:00 a b x1")
	// Over the end of the hour; the burst of the next hour is its own.
	f("10:59:50 app s1 a\n11:00:02 app s1 b\n11:20:00 app s1 c", "10:59:50 a b x1")
	// What goes on from the hour before begins nothing.
	f("09:58:00 app s1 a\n10:01:00 app s1 b\n10:30:00 app s1 a", "10:30:00 a x1")
	// Five minutes are the end.
	f("10:00:00 app s1 a\n10:04:59 app s1 b\n10:05:00 app s1 c", "10:00:00 a b x1")
	// A session a call: the program is what reads.
	f("10:00:00 app s1 a\n10:00:01 app s2 b\n10:00:02 app s3 c", "10:00:00 a b c x1")
	f("")
}

func TestTries(t *testing.T) {
	events := script(t, `
		10:02:00 app s1 a denied
		10:02:20 app s1 a denied
		10:02:50 app s1 b denied
		10:03:10 app s1 a denied
		10:04:00 app s1 a
		10:05:00 app s1 c
		10:12:00 app s1 b denied
		10:40:00 app s1 b
		11:10:00 app s1 a
		10:03:00 other s1 b
	`)
	h, n := collected(t, events, 0, 24, 10)
	if len(h.Tries) != 2 {
		t.Fatalf("%+v", h.Tries)
	}
	names := func(list []int32) (out []string) {
		for _, s := range list {
			out = append(out, n.Secrets[s].Name)
		}
		return out
	}
	f := func(x *watch.Try, calls, pairs, attempts int32, secrets, granted string) {
		t.Helper()
		if x.Calls != calls || x.Pairs != pairs || x.Attempts != attempts || fmt.Sprint(names(x.Secrets)) != secrets || fmt.Sprint(names(x.Granted)) != granted {
			t.Errorf("%+v of %v, granted %v", x, names(x.Secrets), names(x.Granted))
		}
	}
	f(&h.Tries[0], 3, 2, 6, "[a b]", "[a]") // 10:02:00, 10:02:50 and 10:03:10
	f(&h.Tries[1], 1, 1, 1, "[b]", "[b]")
	if x := h.Tries[0]; x.Operation != "GetSecretValue" || x.Code != "AccessDeniedException" || x.Network != "203.0.113.0/24" {
		t.Errorf("%+v", x)
	}
}

func TestPeaksSourcesPeople(t *testing.T) {
	lines := "10:20:00 AWSReservedSSO_A ann@hoshino.example b\n10:21:00 AWSReservedSSO_A ann@hoshino.example b denied\n"
	for i := range 12 {
		lines += fmt.Sprintf("10:%02d:00 app s a\n", i)
	}
	h, n := collected(t, script(t, lines), 10, 11, 10)
	if len(h.Peaks) != 1 || h.Peaks[0].Count != 5 || h.Peaks[0].At.Minute() != 0 || n.Secrets[h.Peaks[0].Secret].Name != "a" {
		t.Errorf("peaks %+v", h.Peaks)
	}
	if len(h.Sources) != 2 || h.Sources[0].Count != 12 || h.Sources[0].Network != "203.0.113.0/24" {
		t.Errorf("sources %+v", h.Sources)
	}
	if len(h.People) != 1 {
		t.Fatalf("people %+v", h.People)
	}
	p := h.People[0]
	if p.Person != "ann@hoshino.example" || p.Calls != 2 || p.Writes != 0 || len(p.Reads) != 1 || p.Reads[0].Count != 2 || p.Reads[0].Denied != 1 {
		t.Errorf("%+v", p)
	}
}

func TestSignIns(t *testing.T) {
	w := newWorld(1)
	var events []event.Event
	for i, minute := range []int{1, 2, 3, 4, 13, 50} {
		e := w.base(start.Add(10*time.Hour+time.Duration(minute)*time.Minute), "signin", "ConsoleLogin")
		e.ActorName, e.Caller, e.SrcIP, e.Outcome = "HIDDEN_DUE_TO_SECURITY_REASONS", event.CallerConsole, "203.0.113.9", event.AuthFailed
		if i == 0 || i == 5 {
			e.Outcome = event.Success
		}
		events = append(events, e)
	}
	h, _ := collected(t, events, 10, 11, 10)
	if len(h.SignIns) != 2 || h.SignIns[0].Failed != 3 || h.SignIns[0].Succeeded != 0 || h.SignIns[1].Failed != 1 || h.SignIns[1].Succeeded != 1 || h.SignIns[0].User != "" {
		t.Errorf("%+v", h.SignIns)
	}
	if len(h.Tries) != 0 {
		t.Errorf("a sign-in is a try: %+v", h.Tries)
	}
	change := w.base(start.Add(10*time.Hour), "secretsmanager", "PutSecretValue")
	w.by(&change, "AWSReservedSSO_A", event.CallerConsole, "ann@hoshino.example")
	change.ReadOnly = false
	come := change
	come.APIService, come.APIOperation = "signin.amazonaws.com", "ConsoleLogin"
	if h, _ := collected(t, []event.Event{come, change}, 10, 11, 10); len(h.People) != 1 || h.People[0].Calls != 2 || h.People[0].Writes != 1 {
		t.Errorf("people %+v", h.People)
	}
}

// TestNoteHoldsAll: a note gives back what was written, and nothing that is
// damaged brings the reader down.
func TestNoteHoldsAll(t *testing.T) {
	s := newSummary(start)
	c := newCollector(s, start, start.Add(oneDay))
	for _, e := range newWorld(3).events(1, 2000) {
		if ofInterest(&e) {
			c.add(&e)
		}
	}
	c.finish()
	s.replicas[4] = []replica{{0, "us-west-2"}}
	n, ok := s.note(maxNote)
	if !ok || len(n.Body) > 60_000 {
		t.Fatalf("%d bytes", len(n.Body))
	}
	back, err := noted(n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.hours {
		if !reflect.DeepEqual(s.hours[i], back.hours[i]) {
			t.Fatalf("hour %d\n%+v\n%+v", i, s.hours[i], back.hours[i])
		}
	}
	if !reflect.DeepEqual(s.replicas, back.replicas) || !back.whole() {
		t.Error("replicas or hours are lost")
	}
	body, err := unpacker.DecodeAll(n.Body[1:], nil)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	bad := 0
	for range 3000 {
		b := slices.Clone(body[:rnd.IntN(len(body)+1)])
		if len(b) > 0 && rnd.IntN(2) == 0 {
			b = slices.Clone(body)
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		}
		n.Body = packer.EncodeAll(b, []byte{noteVersion})
		if s, err := noted(n); err != nil {
			bad++
		} else {
			s.bind(&watch.Hour{Start: start}, newNames())
		}
	}
	if bad < 1500 {
		t.Errorf("only %d of 3,000 damaged notes were noticed", bad)
	}
	n.Body = []byte{noteVersion + 1}
	if _, err := noted(n); err != errNote {
		t.Errorf("another version: %v", err)
	}
}
