package simulate

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/normalise/cloudtrail"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/trouble"
)

// written is a world and every record of its logs, each once, read as Yagura
// reads them.
type written struct {
	*estate.World
	sum    Summary
	events []event.Event
	again  int
	labels []*estate.Label
	roles  map[string]*estate.Workload
	uids   map[string]*estate.Secret

	byEmail map[string]*estate.Person
	zones   map[string]*time.Location
}

func readWorld(t testing.TB, c Config) *written {
	t.Helper()
	world := build(t, c)
	var plan estate.Plan
	if !c.Calm {
		plan = trouble.Plan(world, c.Seed)
	}
	return readPlanned(t, c, world, plan)
}

func readPlanned(t testing.TB, c Config, world *estate.World, plan estate.Plan) *written {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "world")
	sum, err := c.withDefaults().write(context.Background(), dir, world, plan)
	if err != nil {
		t.Fatal(err)
	}
	w := &written{World: world, sum: sum, roles: map[string]*estate.Workload{}, uids: map[string]*estate.Secret{}}
	for _, wl := range w.Workloads {
		w.roles[wl.Role] = wl
	}
	for _, s := range w.Secrets {
		w.uids[s.ARN] = s
	}
	w.byEmail, w.zones = map[string]*estate.Person{}, map[string]*time.Location{}
	for _, p := range w.People {
		w.byEmail[p.Email] = p
		loc, err := time.LoadLocation(p.Zone)
		if err != nil {
			t.Fatal(err)
		}
		w.zones[p.Zone] = loc
	}
	seen := map[event.UID]bool{}
	each(t, filepath.Join(dir, "logs"), func(path string, content []byte, err error) {
		var file struct{ Records []json.RawMessage }
		if err == nil {
			err = json.Unmarshal(content, &file)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, raw := range file.Records {
			w.add(t, seen, raw)
		}
	})
	w.labels = readLabels(t, filepath.Join(dir, "labels.jsonl"))
	slices.SortStableFunc(w.events, func(a, b event.Event) int { return a.Time.Compare(b.Time) })
	return w
}

func (w *written) add(t testing.TB, seen map[event.UID]bool, raw []byte) {
	t.Helper()
	events, err := cloudtrail.Normaliser{}.Append(nil, event.Raw{Body: raw})
	if err != nil || len(events) != 1 {
		t.Fatalf("%s: %d events, %v", raw, len(events), err)
	}
	e := events[0]
	if e.Raw = nil; e.APIService != "secretsmanager.amazonaws.com" && e.APIService != "kms.amazonaws.com" {
		e.Raw = raw
	}
	if seen[e.UID] {
		w.again++
		return
	}
	seen[e.UID] = true
	w.events = append(w.events, e)
}

// holds tells whether the account is one of the world's.
func (w *written) holds(account string) bool {
	return slices.ContainsFunc(w.Accounts, func(a *estate.Account) bool { return a.ID == account })
}

func readLabels(t testing.TB, path string) (out []*estate.Label) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	for in.Buffer(nil, 1<<20); in.Scan(); {
		l := new(estate.Label)
		if err := json.Unmarshal(in.Bytes(), l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// isRead tells the reading of a secret's value or a key's use, leaving twins out.
func isRead(e *event.Event) bool {
	switch e.APIOperation {
	case "GetSecretValue", "GetParameter", "Decrypt":
		return !e.Twin
	}
	return false
}

// lived are two worlds, one of each family, written once for several tests.
var lived = map[estate.Family]*life{estate.Smooth: {}, estate.Bursts: {}}

type life struct {
	once sync.Once
	w    *written
}

func live(t testing.TB, f estate.Family) *written {
	l := lived[f]
	l.once.Do(func() { l.w = readWorld(t, Config{Seed: 4, Accounts: 4, Secrets: 30, Days: 15, Family: f}) })
	if l.w == nil {
		t.Fatal("the world could not be read")
	}
	return l.w
}

// callers are the classes that records are to show.
var callers = map[estate.Class]event.Caller{
	estate.Lambda: event.CallerLambda, estate.ECS: event.CallerECS, estate.EC2: event.CallerEC2, estate.EKS: event.CallerEKS, estate.CI: event.CallerCI,
}

func TestRecordsNameWhatTheWorldNames(t *testing.T) {
	for f := range lived {
		w := live(t, f)
		sets := map[string]bool{}
		for _, p := range w.People {
			for _, s := range p.Sets {
				sets[s.Role] = true
			}
		}
		bad := map[event.UID]bool{}
		for _, l := range w.labels {
			for _, id := range l.Events {
				if uid, ok := event.ParseUID(id); ok {
					bad[uid] = true
				}
			}
		}
		scope := w.Start.Add(w.End.Sub(w.Start) / 5)
		var reads, early int
		read := map[string]bool{}
		for i := range w.events {
			e := &w.events[i]
			if !isRead(e) || bad[e.UID] || e.Outcome != event.Success {
				continue
			}
			reads++
			s, wl := w.uids[e.ResourceUID], w.roles[e.ActorUID]
			switch {
			case s == nil && e.APIService == "kms.amazonaws.com", s == nil && strings.HasSuffix(e.ResourceUID, "/endpoint"):
				reads-- // everyday use of what is no secret of the world
				continue
			case s == nil:
				t.Fatalf("%s reads %q, which the world has not", e.ActorUID, e.ResourceUID)
			case wl == nil && !sets[e.ActorUID]:
				t.Fatalf("%q, whom the world has not, reads %s", e.ActorUID, s.Name)
			case wl == nil && e.Caller != event.CallerConsole && e.Caller != event.CallerPersonCLI:
				t.Fatalf("%s (%s) reads %s as %s: %s", e.ActorUID, e.ActorSession, s.Name, e.Caller, e.CallerEvidence)
			case wl != nil && e.Caller != callers[wl.Class]:
				if wl.Class != estate.Lambda || e.Caller != event.CallerUnknown || e.Time.After(scope) {
					t.Fatalf("%s of class %s reads %s as %s: %s", wl.Name, wl.Class, s.Name, e.Caller, e.CallerEvidence)
				}
				early++
			}
			if e.AccountUID != s.Account.ID || e.Region != s.Region {
				t.Fatalf("%s of %s in %s is read in %s in %s", s.Name, s.Account.ID, s.Region, e.AccountUID, e.Region)
			}
			read[s.ARN] = true
		}
		if reads < 10_000 || len(read) < len(w.Secrets)*9/10 {
			t.Errorf("%s: %d reads of %d secrets of %d", f, reads, len(read), len(w.Secrets))
		}
		t.Logf("%s: %d records, %d reads, %d by functions that say nothing of it yet", f, len(w.events), reads, early)
	}
}

// A call to a region knows the keys, parameters and secrets of that region only.
func TestCallsNameWhatIsInTheirRegion(t *testing.T) {
	for f := range lived {
		w := live(t, f)
		mine, home := map[string]bool{}, map[string]string{}
		for _, a := range w.Accounts {
			home[a.ID] = a.Home
		}
		for _, l := range w.labels {
			for _, id := range l.Events {
				mine[id] = true
			}
		}
		abroad := 0
		for i := range w.events {
			e := &w.events[i]
			parts := strings.SplitN(e.ResourceUID, ":", 6)
			if mine[e.EventUID] || len(parts) < 6 || parts[3] == "" {
				continue
			}
			switch e.APIService {
			case "kms.amazonaws.com", "ssm.amazonaws.com", "secretsmanager.amazonaws.com":
			default:
				continue
			}
			if parts[3] != e.Region {
				t.Fatalf("%s: %s in %s names %s", f, e.APIOperation, e.Region, e.ResourceUID)
			}
			if e.Region != home[e.AccountUID] {
				abroad++
			}
		}
		if abroad < 50 {
			t.Errorf("%s: %d calls to a second region only", f, abroad)
		}
	}
}

func TestLabelsNameRecords(t *testing.T) {
	for f := range lived {
		w := live(t, f)
		have := map[string]*event.Event{}
		for i := range w.events {
			have[w.events[i].EventUID] = &w.events[i]
		}
		events := 0
		for _, l := range w.labels {
			for _, id := range l.Events {
				e := have[id]
				if e == nil {
					t.Errorf("%s (%s) names %s, which is nowhere", l.ID, l.Sort, id)
					break
				}
				if e.Time.Before(w.TroubleAt) {
					t.Errorf("%s (%s) begins %s, before trouble may", l.ID, l.Sort, e.Time)
				}
			}
			events += len(l.Events)
		}
		if len(w.labels) < 10 || events < 100 {
			t.Errorf("%s: %d labels with %d events", f, len(w.labels), events)
		}
	}
}

func TestTogetherMeansTogether(t *testing.T) {
	w := readWorld(t, Config{Seed: 2, Accounts: 2, Secrets: 40, Days: 3, Calm: true, scale: 0.3})
	starts := 0
	for _, app := range w.Apps {
		if !app.Together {
			continue
		}
		counts := map[string]int{}
		for i := range w.events {
			if e := &w.events[i]; isRead(e) && e.Outcome == event.Success && w.uids[e.ResourceUID] != nil && w.uids[e.ResourceUID].App == app {
				counts[e.ResourceUID]++
			}
		}
		first := counts[app.Secrets[0].ARN]
		for _, s := range app.Secrets {
			if math.Abs(float64(counts[s.ARN]-first)) > 2 { // a start at the very end is cut off
				t.Errorf("%s: %s is read %d times, %s %d times", app.Name, s.Name, counts[s.ARN], app.Secrets[0].Name, first)
			}
		}
		starts += first
	}
	if starts < 50 {
		t.Errorf("%d starts of programs that read together", starts)
	}
}

func TestWorldSameSeedSameBytes(t *testing.T) {
	all := func(seed int64) map[string]string {
		dir := filepath.Join(t.TempDir(), "w")
		if _, err := (Config{Seed: seed, Accounts: 3, Secrets: 12, Days: 6}).Write(context.Background(), dir); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			files[strings.TrimPrefix(path, dir)] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	a := all(5)
	if !reflect.DeepEqual(a, all(5)) {
		t.Error("the same seed gave different files")
	}
	if reflect.DeepEqual(a, all(6)) {
		t.Error("another seed gave the same files")
	}
	for _, name := range []string{"/world.json", "/labels.jsonl", "/calendar.json"} {
		if a[name] == "" {
			t.Errorf("%s is missing or empty", name)
		}
	}
	var calendar struct{ Windows []json.RawMessage }
	if err := json.Unmarshal([]byte(a["/calendar.json"]), &calendar); err != nil || calendar.Windows == nil {
		t.Errorf("calendar.json: %v", err)
	}
	var world estate.World
	if err := json.Unmarshal([]byte(a["/world.json"]), &world); err != nil || len(world.Secrets) < 12 || len(world.Rates) < 50 || len(world.Apps) < 2 || world.Apps[0].Name == "" {
		t.Errorf("world.json: %v, %d secrets, %d rates, %d applications", err, len(world.Secrets), len(world.Rates), len(world.Apps))
	}
	var truth struct {
		Readings []struct{ Role, Secret, Rhythm string }
	}
	if err := json.Unmarshal([]byte(a["/world.json"]), &truth); err != nil || len(truth.Readings) < 12 || truth.Readings[0].Role == "" || truth.Readings[0].Rhythm == "" {
		t.Errorf("world.json: %v, %d readings", err, len(truth.Readings))
	}
}

func TestWrongConfigs(t *testing.T) {
	for _, c := range []Config{{Size: "vast"}, {Family: "wild"}, {Accounts: -1}, {Days: -1}, {Secrets: -1}, {Start: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if _, err := c.Write(context.Background(), filepath.Join(t.TempDir(), "w")); err == nil {
			t.Errorf("%+v was accepted", c)
		}
		if _, err := Build(c); err == nil {
			t.Errorf("%+v was built", c)
		}
	}
	if _, err := (Config{Accounts: 1, Secrets: 1, Days: 1}).Write(context.Background(), filepath.Join(t.TempDir(), "w")); err != nil {
		t.Error(err)
	}
}

// A call between accounts is in both logs, the second time without the caller's
// name.
func TestCallsAcrossAccounts(t *testing.T) {
	w := live(t, estate.Smooth)
	shared := map[string][]*event.Event{}
	for i := range w.events {
		if e := &w.events[i]; e.SharedUID != "" {
			shared[e.SharedUID] = append(shared[e.SharedUID], e)
		}
	}
	pairs := 0
	for id, both := range shared {
		if len(both) == 1 && !w.holds(both[0].ActorAccountUID) {
			continue // by somebody outside
		}
		if len(both) != 2 || both[0].AccountUID == both[1].AccountUID || !both[0].Time.Equal(both[1].Time) || both[0].APIOperation != both[1].APIOperation {
			t.Fatalf("shared id %s: %+v", id, both)
		}
		pairs++
	}
	if pairs < 50 {
		t.Errorf("%d calls between accounts", pairs)
	}
}

func TestDaylightSavingMovesOffices(t *testing.T) {
	zone := (&engine{from: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Unix()}).clock("Europe/Berlin")
	before, after := time.Date(2026, 3, 27, 8, 0, 0, 0, time.UTC), time.Date(2026, 3, 30, 8, 0, 0, 0, time.UTC)
	if h := zone.at(before.Unix()).hour; h != 9 {
		t.Errorf("8 h UTC is %d h in winter", h)
	}
	if h := zone.at(after.Unix()).hour; h != 10 {
		t.Errorf("8 h UTC is %d h in summer", h)
	}
	friday := zone.at(time.Date(2026, 4, 3, 8, 0, 0, 0, time.UTC).Unix())
	if friday.work || friday.busy() >= 0.3 {
		t.Errorf("Good Friday is worked: %+v", friday)
	}
	for _, d := range []int{30, 31} {
		if !zone.at(time.Date(2026, 3, d, 8, 0, 0, 0, time.UTC).Unix()).monthEnd {
			t.Errorf("March %d is no month's end", d)
		}
	}
	if zone.at(time.Date(2026, 3, 29, 8, 0, 0, 0, time.UTC).Unix()).monthEnd {
		t.Error("March 29 is a month's end")
	}
}

func BenchmarkWorld(b *testing.B) {
	var all, content int64
	for b.Loop() {
		sum, err := Config{Seed: 1, Accounts: 6, Secrets: 75, Days: 15, Calm: true}.Write(context.Background(), filepath.Join(b.TempDir(), "w"))
		if err != nil {
			b.Fatal(err)
		}
		all, content = all+int64(sum.Records), content+sum.Content
	}
	b.ReportMetric(float64(all)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(content)/float64(all), "bytes/record")
}
