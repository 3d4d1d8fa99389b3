package denied

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/texttable"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/gcpaudit"
	"github.com/yagura-sec/yagura/normalise/mapping"
	"github.com/yagura-sec/yagura/normalise/workspace"
	"github.com/yagura-sec/yagura/register"
)

const few = fewest

// written is a world with its events, as they would come in.
type written struct {
	dir    string
	world  World
	events []event.Event
	files  map[string][]byte
}

func write(t *testing.T, c Config) written {
	t.Helper()
	w := written{dir: filepath.Join(t.TempDir(), "world"), files: map[string][]byte{}}
	sum, err := c.Write(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(w.dir, path)
		w.files[name] = unpacked(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(w.files["world.json"], &w.world); err != nil {
		t.Fatal(err)
	}
	w.read(t)
	if n := sum.Ordinary + sum.Story; n != len(w.events) {
		t.Errorf("%d records were counted, %d are there", n, len(w.events))
	}
	return w
}

func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return text
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return text
}

var readers = sync.OnceValues(func() (normalise.Registry, []*mapping.Error) {
	all, refused := mapping.Load(os.DirFS("../../mappings"), "mappings")
	set := mapping.NewSet(all, nil)
	return normalise.NewRegistry(slices.Concat(set.Formats(), workspace.All(), []normalise.Normaliser{gcpaudit.Normaliser{}})...).Mapped(set), refused
})

// read reads the logs as ingest would: nothing may be refused, and no two records
// may be one.
func (w *written) read(t *testing.T) {
	t.Helper()
	formats, refused := readers()
	for _, err := range refused {
		t.Fatal(err)
	}
	table := texttable.New(texttable.Lines)
	seen := map[event.UID]bool{}
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		if !strings.HasPrefix(name, "logs/") || strings.HasPrefix(name, "logs/register/") {
			continue
		}
		for line := range bytes.Lines(w.files[name]) {
			line = bytes.TrimRight(line, "\n")
			if strings.HasPrefix(name, "logs/proxy/") {
				var ok bool
				var why string
				if line, ok, why = table.Append(nil, line); !ok {
					t.Fatalf("%s: %s", name, why)
				}
			}
			events, err := formats.Append(nil, event.Raw{Object: name, Body: line, Received: w.world.End})
			if err != nil || len(events) != 1 {
				t.Fatalf("%s: %d events of %s: %v", name, len(events), line, err)
			}
			if seen[events[0].UID] {
				t.Errorf("%s: twice: %s", name, line)
			}
			seen[events[0].UID] = true
			w.events = append(w.events, events[0])
		}
	}
}

// refusals are the story's, by what was to be made.
func (w *written) refusals() map[string][]event.Event {
	out := map[string][]event.Event{}
	for _, e := range w.events {
		if slices.Contains(w.world.Truth.Records, e.EventUID) {
			out[e.ResourceUID] = append(out[e.ResourceUID], e)
		}
	}
	return out
}

func TestVariants(t *testing.T) {
	for i, variant := range Variants {
		t.Run("variant "+variant, func(t *testing.T) {
			w := write(t, Config{Seed: int64(5 + i), Variant: variant, Records: few})
			truth := w.world.Truth
			most := few
			if variant == Crowded || variant == QuietProxy { // colleagues who are there all the time may be more than the rest leaves
				most += few / 10
			}
			if w.world.Ordinary < few || w.world.Ordinary > most {
				t.Errorf("%d ordinary records", w.world.Ordinary)
			}
			made := w.refusals()
			if len(made) != 23 {
				t.Errorf("%d things were tried", len(made))
			}
			n := 0
			for _, again := range made {
				n += len(again)
				for _, e := range again {
					w.refused(t, e)
				}
			}
			if n != len(truth.Records) || truth.Refusals > 0 && w.world.Drawn.Retries == 0 && n != 23 {
				t.Errorf("%d records of refusals, the truth names %d", n, len(truth.Records))
			}
			if len(w.world.Bursts) != 4 {
				t.Errorf("%d bursts", len(w.world.Bursts))
			}
			w.registered(t)
			endpoint := slices.ContainsFunc(w.events, func(e event.Event) bool {
				return e.Format == "edr.logon" || e.Format == "squid.access" || e.Format == "zeek.dhcp"
			})
			if endpoint != (variant != NoEndpoint) {
				t.Errorf("logs of devices: %v", endpoint)
			}
		})
	}
}

// refused holds what the columns of a refusal say.
func (w *written) refused(t *testing.T, e event.Event) {
	t.Helper()
	outcome, code := event.DeniedByOrgPolicy, Constraint
	switch w.world.Variant {
	case VPCSC:
		code = gcpaudit.VPCServiceControls
	case Granted:
		outcome, code = event.Success, ""
	}
	if e.Outcome != outcome || e.StatusCode != code {
		t.Errorf("%s %q: %s", e.Outcome, e.StatusCode, e.Raw)
	}
	if e.ActorType != event.ActorMasked || e.AccountUID != w.world.Truth.Project || e.APIService != w.world.Truth.Service {
		t.Errorf("%s %s %s: %s", e.ActorType, e.AccountUID, e.APIService, e.Raw)
	}
	if d := w.world.Drawn; (e.ActorInvokedBy == "") != (d.Principal != byAgent) || d.Principal == byAgent && e.ActorInvokedBy != w.world.Truth.NeededBy {
		t.Errorf("%s asked by %q", d.Principal, e.ActorInvokedBy)
	}
	if want := w.world.Address; w.world.Drawn.CallerIP == shared && w.world.Variant != Hostile && e.SrcIP != want || w.world.Drawn.CallerIP != shared && e.SrcIP != "" {
		t.Errorf("from %q", e.SrcIP)
	}
}

// registered holds that the register lacks the service, where it is to.
func (w *written) registered(t *testing.T) {
	t.Helper()
	if !bytes.Equal(w.files["register.csv"], w.files["logs/register/register.csv"]) {
		t.Error("the registers differ")
	}
	entries, problems, err := register.ReadCSV(bytes.NewReader(w.files["register.csv"]))
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v %v", err, problems)
	}
	i := slices.IndexFunc(entries, func(e register.Entry) bool { return e.Project == w.world.Truth.Project })
	if i < 0 {
		t.Fatal("the project is in no register")
	}
	e, truth := entries[i], w.world.Truth
	if e.Covers(truth.Service, w.world.End) != (w.world.Variant == RegisterOK) || e.Covers(truth.NeededBy, w.world.End) == (w.world.Variant == Hostile) {
		t.Errorf("applied for: %v", e.Services)
	}
	for _, other := range entries {
		for _, x := range w.events {
			if x.AccountUID == other.Project && x.Outcome == event.Success && x.Format == gcpaudit.Format && !other.Covers(x.APIService, w.world.End) &&
				!slices.Contains([]string{truth.Service, truth.NeededBy}, x.APIService) {
				t.Fatalf("%s uses %s, which nobody applied for", other.Project, x.APIService)
			}
		}
	}
}

// TestShared: 41 people are behind the address, many of them at Google Cloud.
func TestShared(t *testing.T) {
	w := write(t, Config{Seed: 3, Records: 40_000})
	people, cloud := map[string]bool{}, map[string]bool{}
	for _, e := range w.events {
		if e.SrcIP == w.world.Address && e.ActorType == event.ActorUser {
			people[e.ActorUID] = true
			cloud[e.ActorUID] = cloud[e.ActorUID] || e.Format == gcpaudit.Format
		}
	}
	n := 0
	for _, is := range cloud {
		if is {
			n++
		}
	}
	if len(people) < 38 || len(people) > 41 || n < 25 {
		t.Errorf("%d people behind the address, %d of them at Google Cloud", len(people), n)
	}
	if n := slices.IndexFunc(w.world.People, func(m Member) bool { return m.Address != w.world.Address }); n != 41 {
		t.Errorf("%d people have the address", n)
	}
}

// TestChain: where the proxy opens connections, the page that makes a notebook was
// opened at an address that a device had at whose console the person was.
func TestChain(t *testing.T) {
	for seed := int64(1); seed <= 8; seed++ {
		w := write(t, Config{Seed: seed, Records: few})
		opened, days := map[string]int{}, map[string]string{} // by address and day; the address of most of a day's
		for _, e := range w.events {
			if e.Format == "squid.access" && strings.Contains(e.URL, "/workbench/create-instance?project="+w.world.Truth.Project) {
				opened[e.SrcIP+" "+e.Time.In(tokyo).Format(time.DateOnly)]++
			}
		}
		if (len(opened) == 0) != (w.world.Drawn.Inspected == 0) {
			t.Errorf("seed %d, inspected %v: opened at %v", seed, w.world.Drawn.Inspected, opened)
		}
		for where, n := range opened {
			ip, day, _ := strings.Cut(where, " ")
			if n > opened[days[day]+" "+day] {
				days[day] = ip
			}
		}
		user, _, _ := strings.Cut(w.world.Truth.Person, "@")
		for day, ip := range days {
			device := ""
			for _, e := range w.events {
				if e.Format == "zeek.dhcp" && e.SrcIP == ip && e.Time.In(tokyo).Format(time.DateOnly) == day {
					device = strings.ToUpper(e.DeviceName)
				}
			}
			at := slices.ContainsFunc(w.events, func(e event.Event) bool {
				return e.Format == "edr.logon" && e.DeviceName == device && strings.Contains(e.ActorUID, user)
			})
			if device == "" || !at {
				t.Errorf("seed %d: %s was device %q, and %s was not at it", seed, ip, device, user)
			}
		}
	}
}

// TestHostile: the key is made from the network of the refusals, by somebody whose
// project has nothing to do with it.
func TestHostile(t *testing.T) {
	w := write(t, Config{Seed: 9, Variant: Hostile, Records: few})
	var from string
	var last time.Time
	for _, again := range w.refusals() {
		from, last = again[0].SrcIP, again[0].Time
	}
	key := slices.IndexFunc(w.events, func(e event.Event) bool {
		return strings.HasSuffix(e.APIOperation, "CreateServiceAccountKey") && e.SrcIP == from && e.ActorUID == w.world.Truth.Person
	})
	if key < 0 || w.events[key].Time.Before(w.world.Bursts[0].Start) || from == w.world.Address || last.IsZero() || w.world.Truth.Harmless {
		t.Errorf("no key was made from %q", from)
	}
	for _, p := range w.world.Projects {
		if p.ID == w.world.Truth.Project && slices.Contains(p.Users, w.world.Truth.Person) {
			t.Error("the project lets the person in")
		}
	}
}

// TestSame: the same seed gives the same bytes, another gives others.
func TestSame(t *testing.T) {
	a, b := write(t, Config{Seed: 2, Records: few}), write(t, Config{Seed: 2, Records: few})
	if !maps.EqualFunc(a.files, b.files, bytes.Equal) {
		t.Error("the same seed gave other bytes")
	}
	c := write(t, Config{Seed: 4, Records: few})
	if bytes.Equal(a.files["world.json"], c.files["world.json"]) {
		t.Error("another seed gave the same")
	}
}

func TestCheck(t *testing.T) {
	f := func(c Config, ok bool) {
		t.Helper()
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
	f(Config{}, true)
	f(Config{Variant: Hostile, Records: few}, true)
	f(Config{Variant: "quiet"}, false)
	f(Config{Records: 10}, false)
	f(Config{Records: -1}, false)
}
