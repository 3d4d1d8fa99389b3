package streams

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/logs"
)

// world is a small organisation of two offices.
func world(days int) *estate.World {
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	w := &estate.World{
		Name: "test", Seed: 5, Size: "small", Start: start, End: start.AddDate(0, 0, days), TroubleAt: start.AddDate(0, 0, days/3),
		Rates: estate.Rates{"presence_share": 0.92, "from_home_share": 0.4},
	}
	for i := range 3 {
		w.Accounts = append(w.Accounts, &estate.Account{ID: fmt.Sprintf("%012d", 111122223333+i), Name: fmt.Sprintf("prod-%d", i), OU: "prod", Home: "ap-northeast-1", Regions: []string{"ap-northeast-1", "eu-west-1"}})
	}
	for i, t := range []*estate.Team{{Name: "storefront", Zone: "Asia/Tokyo", Country: "JP"}, {Name: "payments", Zone: "Europe/Berlin", Country: "DE"}} {
		w.Teams = append(w.Teams, t)
		for k := range 20 {
			p := &estate.Person{
				Name: fmt.Sprintf("Person %d-%d", i, k), Email: fmt.Sprintf("p%d.%d@hoshino.example", i, k), Team: t, Zone: t.Zone, Begins: 9, Ends: 18,
				Office: []string{"203.0.113.20", "198.18.255.20"}[i], Home: fmt.Sprintf("198.19.%d.%d", i, 5+k), Device: fmt.Sprintf("LT-%d%02d", i, k),
				Sets: []estate.PermissionSet{{Account: w.Accounts[i], Role: "arn:aws:iam::111122223333:role/dev"}},
			}
			t.People = append(t.People, p)
			w.People = append(w.People, p)
		}
	}
	w.People[1].Joined, w.People[2].Left = start.AddDate(0, 0, 9), start.AddDate(0, 0, 11)
	for i, a := range w.Accounts {
		app := &estate.App{Name: fmt.Sprintf("app%d", i), Account: a, Team: w.Teams[i%2]}
		s := &estate.Secret{ARN: "arn:aws:secretsmanager:ap-northeast-1:" + a.ID + ":secret:x", Sort: estate.SortSecret, Account: a, Region: a.Home, App: app, Key: "key-" + a.ID}
		wl := &estate.Workload{Name: "w", Account: a, App: app}
		wl.Reads = []*estate.Reading{{Workload: wl, Secret: s, Rhythm: estate.Flat, Rate: 10}}
		w.Secrets, w.Workloads, w.Apps = append(w.Secrets, s), append(w.Workloads, wl), append(w.Apps, app)
	}
	return w
}

// written writes the streams of w and gives each file's content, unpacked.
func written(t testing.TB, w *estate.World, plan estate.Plan) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	if err := Write(context.Background(), dir, w, plan); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				return err
			}
			if b, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		rel, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// month is what a world of thirty days with all its trouble comes to, written
// once for the tests that only read it.
var month struct {
	sync.Once
	w     *estate.World
	plan  estate.Plan
	files map[string][]byte
}

func ofMonth(t *testing.T) (*estate.World, estate.Plan, map[string][]byte) {
	t.Helper()
	month.Do(func() {
		w := world(30)
		plan := Plan(w, estate.Plan{})
		month.w, month.plan, month.files = w, plan, written(t, w, plan)
	})
	if month.files == nil {
		t.Skip("the world could not be written: see the test before")
	}
	return month.w, month.plan, month.files
}

// lines gives the lines of the files below a folder, file by file in order, and
// holds that each file's times are within its own.
func lines(t *testing.T, files map[string][]byte, folder string) [][]byte {
	t.Helper()
	var names []string
	for name := range files {
		if strings.HasPrefix(name, folder) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out [][]byte
	for _, name := range names {
		sc := bufio.NewScanner(bytes.NewReader(files[name]))
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			out = append(out, slices.Clone(sc.Bytes()))
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no records", folder)
	}
	return out
}

func parse[T any](t *testing.T, lines [][]byte) []T {
	t.Helper()
	out := make([]T, len(lines))
	for i, l := range lines {
		d := json.NewDecoder(bytes.NewReader(l))
		d.DisallowUnknownFields()
		if err := d.Decode(&out[i]); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	return out
}

func TestTheSameAgain(t *testing.T) {
	w := world(12)
	plan := Plan(w, estate.Plan{})
	a, b := written(t, w, plan), written(t, world(12), Plan(world(12), estate.Plan{}))
	if len(a) != len(b) {
		t.Fatalf("%d files, then %d", len(a), len(b))
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s is not the same again", name)
		}
	}
	other := world(12)
	other.Seed++
	if c := written(t, other, estate.Plan{}); bytes.Equal(a["bill/data/BILLING_PERIOD=2026-03/hoshino-00001.csv.gz"], c["bill/data/BILLING_PERIOD=2026-03/hoshino-00001.csv.gz"]) {
		t.Error("another seed writes the same bill")
	}
}

func TestPlan(t *testing.T) {
	w := world(30)
	before := estate.Plan{Labels: make([]*estate.Label, 1, 50)}
	before.Labels[0] = &estate.Label{ID: "trouble-001"}
	plan := Plan(w, before)
	if before.Labels[:2][1] != nil {
		t.Error("the plan that was given is changed")
	}
	ids, bad, good := map[string]*estate.Label{}, 0, 0
	for _, l := range plan.Labels[1:] {
		if ids[l.ID] != nil || l.ID == "" {
			t.Errorf("the id %q comes twice", l.ID)
		}
		ids[l.ID] = l
		if l.Benign {
			good++
		} else {
			bad++
		}
		switch {
		case l.Kind != KindDenials && l.Kind != KindSignIn:
			t.Errorf("%s is of kind %s", l.ID, l.Kind)
		case l.Start.Before(w.TroubleAt) || l.End.After(w.End) || !l.Start.Before(l.End):
			t.Errorf("%s lasts from %s to %s", l.ID, l.Start, l.End)
		case l.Difficulty < 1 || l.Difficulty > 3 || l.Sort == "" || len(l.Events) == 0 || l.Benign && l.Why == "":
			t.Errorf("%s says too little: %+v", l.ID, l)
		}
	}
	if bad != 5 || good != 5 {
		t.Errorf("%d troubles and %d that look like it, want five each", bad, good)
	}
	for _, l := range ids {
		if l.LookAlike != "" && ids[l.LookAlike].LookAlike != l.ID {
			t.Errorf("%s and %s are no pair", l.ID, l.LookAlike)
		}
	}
	if len(plan.Windows) != 4 { // three of four at Google Cloud, and the phone
		t.Errorf("the calendar tells of %d things, want 4", len(plan.Windows))
	}
	for _, x := range plan.Windows {
		if err := x.Check(); err != nil {
			t.Error(err)
		}
		l := ids[strings.TrimPrefix(x.ID, "change-")]
		if l == nil || !l.Benign || !l.Known || l.Start.Before(x.Start) || l.End.After(x.End) {
			t.Errorf("the window %s is of %+v", x.ID, l)
		}
	}
	for _, l := range ids {
		if known := slices.ContainsFunc(plan.Windows, func(x finding.Window) bool { return x.ID == "change-"+l.ID }); known != l.Known {
			t.Errorf("%s: known is %v, and the calendar has it: %v", l.ID, l.Known, known)
		}
	}
}

// TestLabelled holds that labels and logs agree, and that a plan without labels
// has no trouble in the logs.
func TestLabelled(t *testing.T) {
	w, plan, files := ofMonth(t)
	held := func(files map[string][]byte) map[string]bool {
		ids := map[string]bool{}
		for _, e := range parse[logs.Entry](t, lines(t, files, "gcp/")) {
			ids[e.InsertID] = true
		}
		for _, e := range parse[signInRecord](t, lines(t, files, "idp/")) {
			ids[e.Properties.ID] = true
		}
		return ids
	}
	with, without := held(files), held(written(t, w, estate.Plan{}))
	labels := parse[estate.Label](t, lines(t, files, "labels.jsonl"))
	if len(labels) != len(plan.Labels) {
		t.Errorf("%d labels are written, %d were planned", len(labels), len(plan.Labels))
	}
	var calendar struct{ Windows []finding.Window }
	if err := json.Unmarshal(files["calendar.json"], &calendar); err != nil || len(calendar.Windows) != len(plan.Windows) {
		t.Errorf("the calendar has %d windows, %v; planned were %d", len(calendar.Windows), err, len(plan.Windows))
	}
	for _, l := range plan.Labels {
		for _, id := range l.Events {
			if !with[id] || without[id] {
				t.Fatalf("%s names %s: it is in the log %v, and without the label %v", l.ID, id, with[id], without[id])
			}
		}
	}
}

// people are who may be named, and from where.
func people(w *estate.World) map[string][]string {
	out := map[string][]string{}
	for _, p := range w.People {
		out[p.Email] = []string{p.Office, p.Home}
	}
	return out
}

func TestCloud(t *testing.T) {
	w, plan, files := ofMonth(t)
	known := people(w)
	masked := map[string]bool{}
	for _, l := range plan.Labels {
		if l.Kind == KindDenials && l.Principal == "" && !l.Benign {
			for _, id := range l.Events {
				masked[id] = true
			}
		}
	}
	var byPeople, refusedByName, projects = 0, 0, map[string]bool{}
	for _, e := range parse[logs.Entry](t, lines(t, files, "gcp/")) {
		at, err := time.Parse(time.RFC3339Nano, e.Timestamp)
		if err != nil || at.Before(w.Start) || !at.Before(w.End) {
			t.Fatalf("%s: %v", e.Timestamp, err)
		}
		projects[e.Resource.Labels["project_id"]] = true
		policy := strings.HasSuffix(e.LogName, "%2Fpolicy")
		if policy != (e.Payload.Policy != nil) {
			t.Fatalf("%s tells of a violation: %v", e.LogName, e.Payload.Policy)
		}
		if policy {
			v := e.Payload.Policy.Org.Violations[0]
			if !strings.HasPrefix(v.Constraint, "constraints/") || (v.PolicyType == "BOOLEAN_CONSTRAINT") != (v.Checked == "") || e.Payload.Status.Code == 0 || strings.Contains(v.Message, "%") {
				t.Errorf("violation %+v, status %+v", v, e.Payload.Status)
			}
		}
		who := e.Payload.Who.Email
		switch {
		case who == "" && !policy:
			t.Errorf("%s of the activity log is masked", e.InsertID)
		case who == "":
			continue
		case strings.HasSuffix(who, ".gserviceaccount.com"):
			continue
		case masked[e.InsertID]:
			t.Errorf("%s is not masked", e.InsertID)
		case !slices.Contains(known[who], e.Payload.Meta.IP):
			t.Errorf("%s calls from %s, which is none of %s", who, e.Payload.Meta.IP, known[who])
		}
		byPeople++
		if policy {
			refusedByName++
		}
	}
	if len(projects) != projectCount || byPeople == 0 || refusedByName == 0 {
		t.Errorf("%d projects, %d changes by people, %d of them refused", len(projects), byPeople, refusedByName)
	}
}

// TestAgents holds that each denial of a service's agent has a person's request
// for the same machine shortly before it.
func TestAgents(t *testing.T) {
	_, _, files := ofMonth(t)
	all := parse[logs.Entry](t, lines(t, files, "gcp/"))
	found := 0
	for _, e := range all {
		if !strings.Contains(e.Payload.Who.Email, "gcp-sa-notebooks") {
			continue
		}
		found++
		name := e.Payload.Resource[strings.LastIndex(e.Payload.Resource, "/")+1:]
		parent := slices.ContainsFunc(all, func(p logs.Entry) bool {
			return p.Payload.Method == logs.Notebook && strings.HasSuffix(p.Payload.Resource, "/"+name) && strings.Contains(p.Payload.Who.Email, "@hoshino.example") &&
				p.Timestamp < e.Timestamp && p.Resource.Labels["project_id"] == e.Resource.Labels["project_id"]
		})
		if !parent {
			t.Errorf("nobody asked for %s", e.Payload.Resource)
		}
	}
	if found == 0 {
		t.Error("no agent was denied anything")
	}
}

func TestSignIns(t *testing.T) {
	w, plan, files := ofMonth(t)
	known := people(w)
	labelled := map[string]bool{}
	for _, l := range plan.Labels {
		if l.Kind == KindSignIn {
			for _, id := range l.Events {
				labelled[id] = true
			}
		}
	}
	codes, days := map[string]int{}, map[string]bool{}
	firsts := 0
	for _, r := range parse[signInRecord](t, lines(t, files, "idp/")) {
		if labelled[r.Properties.ID] {
			continue
		}
		ours := slices.Contains(known[r.Properties.User], r.IP)
		if r.Type == "0" && !ours {
			t.Errorf("%s signs in from %s", r.Properties.User, r.IP)
		}
		if r.Type != strconv.Itoa(r.Properties.Status.Code) || r.IP != r.Properties.IP || (r.Type == "0") != (r.Reason == "") {
			t.Errorf("the record contradicts itself: %+v", r)
		}
		if ours {
			codes[r.Type]++
			days[r.Properties.User+r.Time[:10]] = true
		}
		if r.Type == "0" {
			firsts++
		}
	}
	if firsts == 0 {
		t.Fatal("nobody signs in")
	}
	near(t, "mistyped", float64(codes["50126"])/float64(codes["0"]), shareMistyped, 0.012)
	near(t, "second factor", float64(codes["50076"])/float64(codes["0"]), shareMFA, 0.02)
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if math.Abs(got-want) > within {
		t.Errorf("%s: %.4f, want %.4f ± %.4f", what, got, want, within)
	}
}

func TestEndpoint(t *testing.T) {
	w := world(20)
	files := written(t, w, estate.Plan{})
	known := people(w)
	type held struct {
		from time.Time
		host string
	}
	leased := map[string][]held{}
	for _, r := range parse[logs.Lease](t, lines(t, files, "endpoint/dhcp/")) {
		at := time.UnixMicro(int64(r.At * 1e6))
		for _, before := range leased[r.Assigned] {
			if before.host != r.Host && at.Sub(before.from) < leaseHours*time.Hour {
				t.Errorf("%s is leased to %s and %s on %s", r.Assigned, before.host, r.Host, at)
			}
		}
		leased[r.Assigned] = append(leased[r.Assigned], held{at, r.Host})
	}
	// holder has the address at a time, or leased it that day before the logs began.
	holder := func(address string, at time.Time) (host string) {
		for _, l := range leased[address] {
			if l.from.Before(at.Add(leaseHours * time.Hour)) {
				host = l.host
			}
		}
		return host
	}
	devices := map[string]string{}
	for _, p := range w.People {
		devices[p.Email] = p.Device
	}
	logons, started := 0.0, 0.0
	for _, r := range parse[logs.Sensor](t, lines(t, files, "endpoint/edr/")) {
		if devices[r.Principal] != r.Computer || !slices.Contains(known[r.Principal], r.PublicIP) {
			t.Errorf("%s at %s, %s", r.Principal, r.Computer, r.PublicIP)
		}
		switch r.Event {
		case "UserLogon":
			logons++
		case "ProcessRollup2":
			started++
		}
	}
	near(t, "programs a logon", started/logons, processes, 0.3)
	requests := 0.0
	for _, l := range lines(t, files, "endpoint/proxy/") {
		f := strings.Fields(string(l))
		if len(f) != 10 || f[5] != "CONNECT" {
			t.Fatalf("%s is no line of an access log", l)
		}
		requests++
		at, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		if client := f[2]; strings.HasPrefix(client, "172.20.") {
			host := holder(client, time.UnixMilli(int64(at*1000)))
			if host != devices[f[7]] {
				t.Fatalf("%s comes from %s, which is leased to %s", f[7], client, host)
			}
		} else if !slices.Contains(known[f[7]], client) {
			t.Fatalf("%s comes from %s", f[7], client)
		}
	}
	near(t, "requests a logon", requests/logons, proxyRequests, 0.7)
}

func TestStaff(t *testing.T) {
	w := world(20)
	plan := estate.Plan{Labels: []*estate.Label{{ID: "harmless-001", Sort: "change of team", Person: w.People[4].Email, Secrets: []string{w.Secrets[1].ARN}, Start: w.Start.AddDate(0, 0, 8)}}}
	files := written(t, w, plan)
	staff, err := csv.NewReader(bytes.NewReader(files["hr/people.csv"])).ReadAll()
	if err != nil || len(staff) != len(w.People)+1 {
		t.Fatalf("%d rows, %v", len(staff), err)
	}
	if row := strings.Join(staff[5], ","); !strings.Contains(row, ",payments,") {
		t.Errorf("who moved is of the old team still: %s", row)
	}
	changes, err := csv.NewReader(bytes.NewReader(files["hr/changes.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := "date,change,employee_id,email,from_team,to_team\n" +
		"2026-03-10,move,E10005,p0.4@hoshino.example,storefront,payments\n" +
		"2026-03-11,join,E10002,p0.1@hoshino.example,,storefront\n" +
		"2026-03-13,leave,E10003,p0.2@hoshino.example,storefront,\n"
	var got strings.Builder
	for _, row := range changes {
		got.WriteString(strings.Join(row, ",") + "\n")
	}
	if got.String() != want {
		t.Errorf("%s\nwant\n%s", got.String(), want)
	}
}

func TestBill(t *testing.T) {
	w := world(40)
	files := written(t, w, estate.Plan{})
	cost, ids := map[string]float64{}, map[string]bool{}
	calls, days := 0.0, map[string]bool{}
	for _, month := range []string{"2026-03", "2026-04"} {
		rows, err := csv.NewReader(bytes.NewReader(files["bill/data/BILLING_PERIOD="+month+"/hoshino-00001.csv.gz"])).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatal(len(rows), err)
		}
		col := map[string]int{}
		for i, name := range rows[0] {
			col[name] = i
		}
		for _, r := range rows[1:] {
			at := func(name string) string { return r[col[name]] }
			number := func(name string) float64 {
				v, err := strconv.ParseFloat(at(name), 64)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if ids[at("identity_line_item_id")] || !strings.HasPrefix(at("line_item_usage_start_date"), month) {
				t.Fatalf("row %v", r)
			}
			ids[at("identity_line_item_id")] = true
			days[at("line_item_usage_start_date")] = true
			near(t, at("line_item_usage_type"), number("line_item_unblended_cost"), number("line_item_usage_amount")*number("line_item_unblended_rate"), 1e-6)
			cost[at("line_item_product_code")] += number("line_item_unblended_cost")
			if strings.HasSuffix(at("line_item_usage_type"), "AWSSecretsManagerAPIRequest") {
				calls += number("line_item_usage_amount")
			}
		}
	}
	near(t, "days", float64(len(days)), 40, 0)
	near(t, "calls a day and secret", calls/40/3, 240, 10) // ten an hour all day
	near(t, "cost of three secrets", cost["AWSSecretsManager"]-calls*0.000005, 3*0.4*(30./31+10./30), 0.001)
	for _, product := range []string{"AWSConfig", "AmazonGuardDuty", "AWSSecurityHub", "awskms", "AmazonEC2"} {
		if cost[product] <= 0 {
			t.Errorf("%s costs nothing", product)
		}
	}
}

// TestRates holds what is written against Rates, where no other test does.
func TestRates(t *testing.T) {
	w := world(60)
	w.People[1].Joined, w.People[2].Left = time.Time{}, time.Time{}
	s := newScene(w, estate.Plan{})
	files := written(t, w, estate.Plan{})
	worked, byUsers, days := 0.0, 0.0, map[bool]float64{}
	for day := w.Start; day.Before(w.End); day = day.AddDate(0, 0, 1) {
		for _, p := range w.People {
			if w.Presence(p, day).Works {
				worked++
				byUsers += min(1, float64(len(s.cloud.of[p])))
			}
		}
		for _, p := range s.cloud.projects {
			if estate.Workday(p.team.Country, day) {
				days[true]++
			}
		}
	}
	var users, pipelines, refused, refusable float64
	for _, e := range parse[logs.Entry](t, lines(t, files, "gcp/")) {
		if e.Operation != nil && e.Operation.Last {
			continue // told twice
		}
		if e.Payload.Who.Email == "" || strings.HasSuffix(e.Payload.Who.Email, ".gserviceaccount.com") {
			pipelines++
			continue
		}
		users++
		if e.Payload.Policy != nil {
			refused++
		}
		if slices.ContainsFunc(logs.Changes, func(c logs.Change) bool { return c.Method == e.Payload.Method && c.Constraint != "" }) {
			refusable++
		}
	}
	near(t, "changes a user's workday", users/byUsers, cloudCalls, 0.3)
	near(t, "changes of a pipeline a workday", pipelines/days[true], pipelineCalls, 0.3)
	near(t, "refused", refused/refusable, shareRefused, 0.004)
	var alien, good float64
	for _, r := range parse[signInRecord](t, lines(t, files, "idp/")) {
		switch {
		case r.Type == "0":
			good++
		case strings.HasPrefix(r.IP, "198.51.100."):
			alien++
		}
	}
	near(t, "sign-ins a workday", good/worked, signInsPerDay, 0.1)
	near(t, "wrong passwords from anywhere a day", alien/60, failuresAlien*float64(len(w.People))/100, 0.4)
	var users2, all float64
	for i := range 200 { // worlds
		w.Seed = int64(i)
		for _, p := range newCloud(newScene(w, estate.Plan{})).projects {
			users2 += float64(len(p.users))
			all += float64(len(p.team.People))
		}
	}
	near(t, "who works in a team's project", users2/all, cloudUsers, 0.01)
	var second, churning float64
	const accounts = 2000
	for i := range accounts {
		a := &estate.Account{ID: fmt.Sprintf("%012d", i), Home: "eu-west-1"}
		for _, x := range s.items(a, a.Home, &use{}, w.Start) {
			switch {
			case strings.HasSuffix(x.usage, "-PaidEventsRecorded"):
				second++
			case strings.HasSuffix(x.usage, "-ConfigurationItemRecorded") && x.amount > 5*configItems:
				churning++
			}
		}
	}
	near(t, "accounts with a second trail", second/accounts, shareSecondTrail, 0.03)
	near(t, "accounts that churn", churning/accounts, shareChurning, 0.02)
}

// TestTiny holds that a world too short for trouble is written all the same.
func TestTiny(t *testing.T) {
	w := world(2)
	w.TroubleAt = w.Start.AddDate(0, 0, 1)
	written(t, w, Plan(w, estate.Plan{}))
	w.People, w.Teams, w.Secrets, w.Workloads, w.Apps = nil, nil, nil, nil, nil
	if err := Write(context.Background(), t.TempDir(), w, Plan(w, estate.Plan{})); err != nil {
		t.Error(err)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := Write(ctx, t.TempDir(), world(2), estate.Plan{}); err == nil {
		t.Error("an interrupted writing says nothing")
	}
}

func BenchmarkWrite(b *testing.B) {
	w := world(30)
	plan := Plan(w, estate.Plan{})
	for b.Loop() {
		if err := Write(context.Background(), b.TempDir(), w, plan); err != nil {
			b.Fatal(err)
		}
	}
}
