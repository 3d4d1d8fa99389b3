package who_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/detect/stored"
	"github.com/yagura-sec/yagura/detect/who"
	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/query"
)

var nine = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)

const (
	office  = "203.0.113.24"
	project = "kite-ml"
	chrome  = "Mozilla/5.0 (X11; Linux x86_64) Chrome/148.0.0.0 Safari/537.36"
	mei     = "mei.tanaka@hoshino.example"
)

// log is events in memory.
type log struct{ events []event.Event }

func (l *log) add(after time.Duration, change ...func(*event.Event)) {
	e := event.Event{
		Time: nine.Add(after), Format: "gcp.audit", CloudProvider: "GCP", ClassUID: event.ClassAPIActivity, Category: event.Management,
		Outcome: event.Success, ActorType: event.ActorUser, UID: event.HashUID("test", fmt.Sprint(len(l.events))),
	}
	for _, f := range change {
		f(&e)
	}
	l.events = append(l.events, e)
}

func (l *log) source() stored.Source {
	events := slices.Clone(l.events)
	slices.SortFunc(events, func(a, b event.Event) int { return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.UID[:], b.UID[:])) })
	return stored.Source{Select: func(_ context.Context, q query.Query) iter.Seq2[event.Event, error] {
		return func(yield func(event.Event, error) bool) {
			for i := range events {
				if q.Matches(&events[i]) && !yield(events[i], nil) {
					return
				}
			}
		}
	}}
}

func by(actor string) func(*event.Event) { return func(e *event.Event) { e.ActorUID = actor } }

func behind(address string) func(*event.Event) { return func(e *event.Event) { e.SrcIP = address } }

func agent(name string) func(*event.Event) { return func(e *event.Event) { e.UserAgent = name } }

// call is one of Google Cloud.
func call(account, service, operation, resource string) func(*event.Event) {
	return func(e *event.Event) {
		e.AccountUID, e.APIService, e.APIOperation, e.ResourceUID = account, service, operation, resource
	}
}

func reads(account string) func(*event.Event) {
	return call(account, "storage.googleapis.com", "storage.objects.list", "//storage.googleapis.com/projects/_/buckets/b")
}

// page is a line of the proxy; of an address that is not named, of the host alone.
func page(inside, url string) func(*event.Event) {
	return func(e *event.Event) {
		e.Format, e.CloudProvider, e.ClassUID, e.Category = "squid.access", "", event.ClassHTTP, event.Network
		e.SrcIP, e.URL, e.APIService, e.ActorType = inside, url, "console.cloud.google.com", event.ActorUnknown
	}
}

func lease(inside, device string) func(*event.Event) {
	return func(e *event.Event) {
		e.Format, e.CloudProvider, e.ClassUID, e.ActorType = "zeek.dhcp", "", event.ClassDHCP, event.ActorUnknown
		e.SrcIP, e.DeviceName, e.DeviceUID, e.ActivityID = inside, device, "02:1a:c5:"+device, 5
	}
}

func logon(device, user string) func(*event.Event) {
	return func(e *event.Event) {
		e.Format, e.CloudProvider, e.ClassUID, e.ActivityID = "edr.logon", "", event.ClassAuthentication, 1
		e.DeviceName, e.ActorUID = strings.ToUpper(device)+".hoshino.example", user
	}
}

func gone(e *event.Event) { e.ActivityID = 2 }

// attempts are refusals of a masked caller, ten minutes apart.
func attempts(n int, change ...func(*event.Event)) who.Run {
	r := who.Run{Project: project, Telling: []string{"/vertex-ai/workbench"}}
	for i := range n {
		e := event.Event{
			Time: nine.Add(time.Duration(i) * 10 * time.Minute), ActorType: event.ActorMasked, AccountUID: project, SrcIP: office, UserAgent: chrome,
			APIService: "compute.googleapis.com", APIOperation: "v1.compute.instances.insert", Outcome: event.DeniedByOrgPolicy,
			ResourceUID: fmt.Sprintf("//compute.googleapis.com/projects/%s/zones/z/instances/study-%d", project, i),
		}
		for _, f := range change {
			f(&e)
		}
		r.Attempts = append(r.Attempts, e)
	}
	return r
}

func private(e *event.Event) { e.SrcIP, e.SrcHost, e.UserAgent = "", "private", "" }

func notebooksAgent(e *event.Event) {
	private(e)
	e.ActorUID, e.ActorInvokedBy = "service-100200300400@gcp-sa-notebooks.iam.gserviceaccount.com", "notebooks.googleapis.com"
}

// crowd are forty colleagues who work behind the office's address with the same
// browser, the first five of them in the project.
func crowd(l *log) {
	for i := range 40 {
		for k := range 8 {
			account := "other"
			if i < 5 {
				account = project
			}
			l.add(time.Duration(-60+17*k+i)*time.Minute, by(fmt.Sprintf("colleague.%02d@hoshino.example", i)), behind(office), agent(chrome), reads(account))
		}
	}
	for k := range 8 {
		l.add(time.Duration(-55+17*k)*time.Minute, by(mei), behind(office), agent(chrome), reads(project))
	}
}

// ask looks for who it was, and holds that each pointing's query finds records.
func ask(t *testing.T, l *log, r who.Run) who.Answer {
	t.Helper()
	src := l.source()
	f := who.Finder{Events: src}
	a, err := f.Find(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	sum := a.None
	for _, c := range a.Candidates {
		sum += c.Probability
		for _, p := range c.Why {
			where, err := query.Parse(p.Query)
			if err != nil {
				t.Fatalf("%s: %v", p.Query, err)
			}
			rows := 0
			for range src.Select(t.Context(), query.Query{Where: where}) {
				rows++
			}
			holdsCount(t, p, rows)
			if rows == 0 || p.Text.String() == "" || p.Weight == 0 {
				t.Errorf("%s, weight %v: %s finds %d records", p.Text, p.Weight, p.Query, rows)
			}
		}
	}
	if len(a.Candidates) > 3 || sum > 1.000001 || a.None <= 0 {
		t.Errorf("%d candidates, together %v", len(a.Candidates), sum)
	}
	return a
}

var counts = regexp.MustCompile(`(?:page|console).* at (\d+) of \d+ attempts?.* at once after (\d+)|before (\d+) of \d+ attempts?|shows the first (\d+) of`)

// holdsCount: where a text counts lines or requests, its query finds as many, of
// telling pages also those opened at once.
func holdsCount(t *testing.T, p finding.Pointing, rows int) {
	t.Helper()
	for _, m := range counts.FindAllStringSubmatch(p.Text.String(), -1) {
		n := make([]int, len(m))
		for i := range m {
			n[i], _ = strconv.Atoi(m[i])
		}
		shown := strings.Contains(p.Text.String(), "shows the first")
		switch {
		case m[4] != "" && rows != n[4]:
			t.Errorf("%s: its query finds %d", p.Text, rows)
		case m[1] != "" && !shown && (rows < n[1] || rows > n[1]+n[2]):
			t.Errorf("%s: its query finds %d lines", p.Text, rows)
		case m[3] != "" && !shown && (rows < 1 || rows > n[3]): // one request may lead to several attempts
			t.Errorf("%s: its query finds %d requests", p.Text, rows)
		}
	}
}

func names(t *testing.T, l *log, r who.Run, want string) who.Answer {
	t.Helper()
	a := ask(t, l, r)
	if a.UID != want {
		t.Errorf("named is %q, want %q: %+v", a.UID, want, a.Inference)
	}
	return a
}

// Behind a shared address nobody is named by what all have in common, even where
// one alone of them works in the project.
func TestShared(t *testing.T) {
	l := &log{}
	crowd(l)
	a := names(t, l, attempts(4), "")
	if len(a.Candidates) != 3 || a.Candidates[0].Probability >= finding.Named || a.Alone {
		t.Errorf("%+v", a)
	}
	only := &log{}
	crowd(only)
	for i := range only.events {
		if e := &only.events[i]; e.ActorUID != mei {
			e.AccountUID = "other"
		}
	}
	if a := names(t, only, attempts(4), ""); a.Candidates[0].UID != mei {
		t.Errorf("%s comes first, want %s", a.Candidates[0].UID, mei)
	}
}

// An address of one's own, a record of the operation, and a request of the same
// name name somebody.
func TestOwn(t *testing.T) {
	l := &log{}
	l.add(-20*time.Minute, by(mei), behind(office), agent(chrome), reads(project))
	l.add(-15*time.Minute, by("x@hoshino.example"), behind("198.51.100.7"), agent(chrome), reads("other"))
	if a := names(t, l, attempts(3), mei); !a.Alone || !slices.Equal(a.Addresses, []string{office}) {
		t.Errorf("%+v", a)
	}

	l = &log{}
	crowd(l)
	long := func(e *event.Event) { e.APIRequestUID = "operation-1" }
	l.add(-time.Second, by(mei), call(project, "notebooks.googleapis.com", "google.cloud.notebooks.v2.NotebookService.CreateInstance", ""), long)
	names(t, l, attempts(1, long), mei)

	request := func(actor, name string, after time.Duration) *log {
		l := &log{}
		crowd(l)
		l.add(after, by(actor), behind(office), agent(chrome),
			call(project, "notebooks.googleapis.com", "google.cloud.notebooks.v2.NotebookService.CreateInstance", "//notebooks.googleapis.com/projects/"+project+"/locations/z/instances/"+name))
		return l
	}
	a := names(t, request(mei, "study-0", -20*time.Second), attempts(1, notebooksAgent), mei)
	if !slices.Contains(a.Identities, mei) || !a.Works {
		t.Errorf("%+v", a)
	}
	// Where others asked for some of it, nobody is named for all, whatever the proxy saw.
	turns := func(theirs int) *log {
		l := &log{}
		crowd(l)
		l.add(-2*time.Hour, lease("10.20.4.17", "pc-17"))
		l.add(-90*time.Minute, logon("pc-17", mei))
		r := attempts(12, notebooksAgent)
		seen(l, r, "10.20.4.17", pageOfProject)
		for i, e := range r.Attempts {
			who := mei
			if i < theirs {
				who = "colleague.02@hoshino.example"
			}
			l.add(e.Time.Sub(nine)-20*time.Second, by(who), behind(office), agent(chrome),
				call(project, "notebooks.googleapis.com", "google.cloud.notebooks.v2.NotebookService.CreateInstance", fmt.Sprintf("//notebooks.googleapis.com/projects/%s/locations/z/instances/study-%d", project, i)))
		}
		return l
	}
	a = names(t, turns(5), attempts(12, notebooksAgent), "")
	if two := []string{a.Candidates[0].UID, a.Candidates[1].UID}; !slices.Contains(two, mei) || !slices.Contains(two, "colleague.02@hoshino.example") {
		t.Errorf("%q come first", two)
	}
	names(t, turns(1), attempts(12, notebooksAgent), mei) // a colleague who tried once
	// Of another thing, or long before, it is no request of this.
	names(t, request(mei, "other-thing", -20*time.Second), attempts(1, notebooksAgent), "")
	names(t, request(mei, "study-0", -20*time.Minute), attempts(1, notebooksAgent), "")
}

const pageOfProject = "https://console.cloud.google.com/vertex-ai/workbench/create-instance?project=" + project

// seen has the proxy see a device's page shortly before each attempt.
func seen(l *log, r who.Run, inside, url string, change ...func(*event.Event)) {
	for _, e := range r.Attempts {
		for _, after := range []time.Duration{-20 * time.Second, 3 * time.Second} {
			l.add(e.Time.Sub(nine)+after, append([]func(*event.Event){page(inside, url)}, change...)...)
		}
	}
}

// machines are the crowd with two devices, of which one is at somebody else's pages.
func machines() *log {
	l := &log{}
	crowd(l)
	for k := range 20 { // somebody else's pages
		l.add(time.Duration(-180+20*k)*time.Minute, page("10.20.4.99", "https://console.cloud.google.com/storage/browser?project="+project))
	}
	l.add(-2*time.Hour, lease("10.20.4.17", "pc-17"))
	l.add(-2*time.Hour, lease("10.20.4.99", "pc-99"))
	l.add(-100*time.Minute, logon("pc-99", `hoshino\colleague.01`))
	return l
}

// TestNames: what a device or its user is called differs from log to log.
func TestNames(t *testing.T) {
	r := attempts(6, private)
	// The proxy may name people as nobody else does: then whoever is logged on there.
	l := machines()
	l.add(-90*time.Minute, logon("pc-17", mei))
	seen(l, r, "10.20.4.17", pageOfProject, by("u20417"), func(e *event.Event) { e.ActorType = event.ActorUser })
	if a := names(t, l, r, mei); !slices.Contains(a.Identities, "u20417") {
		t.Errorf("identities %q", a.Identities)
	}
	// A name that is seen where others sit stands for itself.
	l = machines()
	l.add(-90*time.Minute, logon("pc-17", mei))
	l.add(25*time.Minute, logon("pc-17", mei), gone)
	l.add(26*time.Minute, logon("pc-17", "colleague.03@hoshino.example"))
	seen(l, r, "10.20.4.17", pageOfProject, by("u20417"), func(e *event.Event) { e.ActorType = event.ActorUser })
	if a := ask(t, l, r); slices.Contains(a.Identities, mei) {
		t.Errorf("identities %q", a.Identities)
	}
	// A lease may name the card alone, where another record names the device with it.
	l = machines()
	l.add(-90*time.Minute, lease("10.20.4.18", ""), func(e *event.Event) { e.DeviceUID = "02:1a:c5:pc-17" })
	l.add(-90*time.Minute, logon("pc-17", mei))
	seen(l, r, "10.20.4.18", pageOfProject)
	names(t, l, r, mei)
}

func TestDevices(t *testing.T) {
	r := attempts(6, private)
	// Lease, logon, page: the name of the device's user is taken for the e-mail.
	for _, user := range []string{mei, `hoshino\mei.tanaka`, `hoshino\mtanaka`, "tanaka"} {
		l := machines()
		l.add(-90*time.Minute, logon("pc-17", user))
		seen(l, r, "10.20.4.17", pageOfProject)
		a := names(t, l, r, mei)
		if !slices.Equal(a.Pages, []string{pageOfProject}) || !slices.Contains(a.Identities, user) {
			t.Errorf("pages %q, identities %q", a.Pages, a.Identities)
		}
	}
	// Where the proxy sees the host alone, being there each time does.
	l := machines()
	l.add(-90*time.Minute, logon("pc-17", mei))
	seen(l, r, "10.20.4.17", "console.cloud.google.com:443")
	names(t, l, r, mei)
	// The proxy may say who it is.
	l = machines()
	seen(l, r, "10.20.4.17", pageOfProject, by(mei), func(e *event.Event) { e.ActorType = event.ActorUser })
	names(t, l, r, mei)
	// Pages of another project say nothing, nor does a project whose name is longer.
	for _, other := range []string{"other", project + "-2"} {
		l = machines()
		l.add(-90*time.Minute, logon("pc-17", mei))
		seen(l, r, "10.20.4.17", "https://console.cloud.google.com/vertex-ai/workbench?project="+other)
		names(t, l, r, "")
	}
	// An address that changed hands belongs to whoever has it.
	l = machines()
	l.add(-90*time.Minute, logon("pc-17", "someone.else@hoshino.example"))
	l.add(-30*time.Minute, lease("10.20.4.17", "pc-18"))
	l.add(-29*time.Minute, logon("pc-18", mei))
	seen(l, r, "10.20.4.17", pageOfProject)
	names(t, l, r, mei)
	// Whoever has left a machine that several use is not at it.
	l = machines()
	l.add(-90*time.Minute, logon("pc-17", "someone.else@hoshino.example"))
	l.add(-40*time.Minute, logon("pc-17", "someone.else@hoshino.example"), gone)
	l.add(-35*time.Minute, logon("pc-17", mei))
	seen(l, r, "10.20.4.17", pageOfProject)
	names(t, l, r, mei)
}

// Two people who did it in turns are told as two, also where one is seen at some of
// the other's attempts; who works beside somebody is not the other.
func TestTurns(t *testing.T) {
	twelve := attempts(12, private)
	world := func(mine, theirs func(i int) bool) *log {
		l := machines()
		l.add(-90*time.Minute, logon("pc-17", mei))
		l.add(-2*time.Hour, lease("10.20.4.30", "pc-30"))
		l.add(-90*time.Minute, logon("pc-30", "colleague.02@hoshino.example"))
		for i, e := range twelve.Attempts {
			for _, after := range []time.Duration{-20 * time.Second, 3 * time.Second} {
				if mine(i) {
					l.add(e.Time.Sub(nine)+after, page("10.20.4.17", pageOfProject))
				}
				if theirs(i) {
					l.add(e.Time.Sub(nine)+after, page("10.20.4.30", pageOfProject))
				}
			}
		}
		return l
	}
	even := func(i int) bool { return i%2 == 0 }
	odd := func(i int) bool { return i%2 == 1 }
	most := func(i int) bool { return i%2 == 0 || i%6 == 1 }
	two := func(l *log) {
		t.Helper()
		a := names(t, l, twelve, "")
		if both := []string{a.Candidates[0].UID, a.Candidates[1].UID}; !slices.Contains(both, mei) || !slices.Contains(both, "colleague.02@hoshino.example") {
			t.Errorf("%q come first", both)
		}
	}
	two(world(even, odd))
	two(world(most, odd))
	names(t, world(most, func(int) bool { return false }), twelve, mei)      // some of theirs is not seen
	names(t, world(most, func(i int) bool { return i%5 == 1 }), twelve, mei) // a colleague, now and then
	// Of a burst at which only another is seen the device may be taken for theirs.
	for i := 9; i < 12; i++ {
		twelve.Attempts[i].Time = twelve.Attempts[i].Time.Add(2 * time.Hour)
	}
	names(t, world(func(i int) bool { return i < 9 }, func(i int) bool { return i >= 9 }), twelve, mei)
}

// Whoever is in no log is none of those that are.
func TestNone(t *testing.T) {
	a := names(t, &log{}, attempts(3), "")
	if a.None != 1 || a.Candidates == nil || len(a.Candidates) != 0 {
		t.Errorf("%+v", a.Inference)
	}
	l := &log{}
	l.add(-time.Hour, by(mei), behind("198.51.100.9"), agent("curl/8"), reads("other"))
	names(t, l, attempts(3), "")
}

func TestAnyOrder(t *testing.T) {
	l := &log{}
	crowd(l)
	r := attempts(5)
	l.add(-2*time.Hour, lease("10.20.4.17", "pc-17"))
	l.add(-90*time.Minute, logon("pc-17", `hoshino\mtanaka`))
	seen(l, r, "10.20.4.17", pageOfProject)
	want := ask(t, l, r)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		rng.Shuffle(len(l.events), func(i, k int) { l.events[i], l.events[k] = l.events[k], l.events[i] })
		if got := ask(t, l, r); !reflect.DeepEqual(got, want) {
			t.Errorf("in another order\n%+v\nwant\n%+v", got, want)
		}
	}
}

// TestManyMoments: a query has bounds; where it shows not all that is counted, the text says so.
func TestManyMoments(t *testing.T) {
	for _, x := range []struct {
		n    int
		says bool
	}{{23, false}, {100, false}, {130, true}} {
		r := attempts(x.n, private)
		l := machines()
		l.add(-90*time.Minute, logon("pc-17", mei))
		for k := range 24 { // who is at it the whole day keeps the address and signs in again
			l.add(time.Duration(k)*time.Hour, lease("10.20.4.17", "pc-17"))
			l.add(time.Duration(k)*time.Hour, logon("pc-17", mei))
		}
		seen(l, r, "10.20.4.17", pageOfProject)
		a := ask(t, l, r)
		found := false
		for _, c := range a.Candidates {
			for _, p := range c.Why {
				if !strings.Contains(p.Text.String(), "the page of") {
					continue
				}
				found = true
				if says := strings.Contains(p.Text.String(), fmt.Sprintf("the search shows the first 100 of %d records", x.n)); says != x.says {
					t.Errorf("of %d attempts: %s", x.n, p.Text)
				}
			}
		}
		if !found {
			t.Errorf("of %d attempts no page is told: %+v", x.n, a.Candidates)
		}
	}
}
