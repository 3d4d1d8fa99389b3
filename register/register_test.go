package register_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/register"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestCompare(t *testing.T) {
	now := day("2026-03-10")
	entry := register.Entry{Project: "kite-ml", Owner: "ml", Services: []register.Service{
		{ID: "notebooks.googleapis.com"}, {ID: "bigquery.googleapis.com", Until: day("2026-03-01")}, {ID: "storage.googleapis.com"},
	}}
	f := func(service string, want register.State, allowed []string, used ...register.Use) {
		t.Helper()
		var by *register.Allowance
		if allowed != nil {
			by = &register.Allowance{Services: allowed, Source: register.FromList}
		}
		for _, l := range register.Compare(entry, used, by, []string{"serviceusage.googleapis.com"}, now) {
			if l.Service == service {
				if l.State != want {
					t.Errorf("%s is %s, want %s", service, l.State, want)
				}
				return
			}
		}
		if want != "" {
			t.Errorf("%s is not told of, want %s", service, want)
		}
	}
	call := func(service string, calls, denied int64) register.Use {
		return register.Use{Service: service, Calls: calls, Denied: denied, Last: now}
	}
	f("notebooks.googleapis.com", register.Fine, nil, call("notebooks.googleapis.com", 3, 0))
	f("notebooks.googleapis.com", register.Fine, nil, call("Notebooks.googleapis.com", 3, 2))
	f("notebooks.googleapis.com", register.NotGranted, nil, call("notebooks.googleapis.com", 3, 3))
	f("notebooks.googleapis.com", register.NotGranted, []string{"notebooks.googleapis.com"}, call("notebooks.googleapis.com", 3, 3))
	f("notebooks.googleapis.com", register.NotAllowed, []string{}, call("notebooks.googleapis.com", 3, 3))
	f("storage.googleapis.com", register.Idle, nil)
	f("compute.googleapis.com", register.Refused, nil, call("compute.googleapis.com", 23, 23))
	f("compute.googleapis.com", register.NotApplied, nil, call("compute.googleapis.com", 23, 22))
	f("compute.googleapis.com", register.TooWide, []string{"compute.googleapis.com"})
	f("bigquery.googleapis.com", register.NotApplied, nil, call("bigquery.googleapis.com", 1, 0)) // its time is over
	f("bigquery.googleapis.com", "", nil)
	f("serviceusage.googleapis.com", "", nil, call("serviceusage.googleapis.com", 9, 0))
}

func TestMostPressingComesFirst(t *testing.T) {
	entry := register.Entry{Project: "p", Owner: "o", Services: []register.Service{{ID: "a"}, {ID: "b"}}}
	var got []string
	for _, l := range register.Compare(entry, []register.Use{{Service: "b", Calls: 1}, {Service: "d", Calls: 1, Denied: 1}, {Service: "c", Calls: 1}}, nil, nil, day("2026-03-10")) {
		got = append(got, l.Service)
	}
	if want := []string{"c", "d", "a", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("lines come as %v, want %v", got, want)
	}
}

const sheet = "\ufeffProject,Applicant,Owner,Services,Applied,Approved,Purpose\n" +
	"kite-ml,mia@kite.example,ml-team,notebooks.googleapis.com storage.googleapis.com@2026-01-01..2026-06-30,2026-01-05,2026-01-08,\"forecasts, daily\"\n" +
	"kite-web,,,run.googleapis.com,,,\n" +
	"kite-ops,ola@kite.example,ops,,2026-02-30,,\n" +
	"kite-ml,ola@kite.example,ops,,,,\n" +
	"kite-x,\"ola@kite.example,ops,,,,\n"

func TestCSV(t *testing.T) {
	entries, problems, err := register.ReadCSV(strings.NewReader(sheet))
	if err != nil {
		t.Fatal(err)
	}
	want := []register.Entry{{
		Project: "kite-ml", Applicant: "mia@kite.example", Owner: "ml-team", Purpose: "forecasts, daily",
		Services: []register.Service{{ID: "notebooks.googleapis.com"}, {ID: "storage.googleapis.com", From: day("2026-01-01"), Until: day("2026-06-30")}},
		Applied:  day("2026-01-05"), Approved: day("2026-01-08"),
	}}
	if !reflect.DeepEqual(entries, want) {
		t.Errorf("read %+v\nwant %+v", entries, want)
	}
	lines := map[int]string{3: "neither applicant nor owner", 4: "2026-02-30", 5: "line 2 already", 6: "quote"}
	for _, p := range problems {
		if part := lines[p.Line]; part == "" || !strings.Contains(p.Reason, part) {
			t.Errorf("line %d: %q, want one with %q", p.Line, p.Reason, part)
		}
		delete(lines, p.Line)
	}
	if len(lines) > 0 {
		t.Errorf("nothing is said of lines %v", lines)
	}
}

// What spreadsheets write otherwise than we do is taken, or refused by name: never
// kept as something else.
func TestCSVOfSpreadsheets(t *testing.T) {
	f := func(row, problem string, want *register.Entry) {
		t.Helper()
		entries, problems, err := register.ReadCSV(strings.NewReader("project,owner,applied\n" + row + "\n"))
		if err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		if want != nil && (len(entries) != 1 || len(problems) > 0 || !reflect.DeepEqual(entries[0], *want)) {
			t.Errorf("%q is read as %+v, %+v", row, entries, problems)
		}
		if want == nil && (len(entries) > 0 || len(problems) != 1 || !strings.Contains(problems[0].Reason, problem)) {
			t.Errorf("%q is read as %+v, %+v; want %q", row, entries, problems, problem)
		}
	}
	f("kite-ml,機械学習,2026/2/3", "", &register.Entry{Project: "kite-ml", Owner: "機械学習", Applied: day("2026-02-03")})
	f("kite-ml,o,3/2/2026", "no day such as", nil)
	f("kite-ml,\x8b@\x8aB,", "owner is", nil) // Shift JIS
	f("\x8b@\x8aB,o,", "not UTF-8", nil)
	f("\"kite\nml\",o,", "control character", nil)
}

func TestCSVRefusesHeaders(t *testing.T) {
	f := func(header, want string) {
		t.Helper()
		if _, _, err := register.ReadCSV(strings.NewReader(header + "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", header, err, want)
		}
	}
	f("", "no header")
	f("owner", "no column project")
	f("project,colour", `"colour"`)
	f("project,Project", "twice")
	f("\xff\xfep\x00", "not in UTF-8")
}

func FuzzCSV(f *testing.F) {
	f.Add(sheet)
	f.Add("project,owner,name\np,o,=cmd()\nq,'o,'-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		entries, _, err := register.ReadCSV(strings.NewReader(text))
		if err != nil {
			return
		}
		var written strings.Builder
		if err := register.WriteCSV(&written, entries); err != nil {
			t.Fatal(err)
		}
		again, problems, err := register.ReadCSV(strings.NewReader(written.String()))
		if err != nil || len(problems) > 0 || len(again) != len(entries) {
			t.Fatalf("what was written is read as %d of %d entries (%v, %v):\n%s", len(again), len(entries), problems, err, written.String())
		}
		for i := range entries {
			if a, b := entries[i], again[i]; a.Project != b.Project || a.Owner != b.Owner || !reflect.DeepEqual(a.IDs(), b.IDs()) {
				t.Errorf("%+v became %+v", a, b)
			}
		}
	})
}

func TestAllowed(t *testing.T) {
	got, err := register.ReadAllowed(strings.NewReader("Services,Project\nrun.googleapis.com Storage.googleapis.com run.googleapis.com,kite-web\n,kite-off\niam.googleapis.com,*\n"))
	want := map[string]*register.Allowance{
		"kite-web":            {Services: []string{"run.googleapis.com", "storage.googleapis.com"}, Source: register.FromList},
		"kite-off":            {Services: []string{}, Source: register.FromList},
		register.EveryProject: {Services: []string{"iam.googleapis.com"}, Source: register.FromList},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
	f := func(text, want string) {
		t.Helper()
		if _, err := register.ReadAllowed(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	f("", "no header")
	f("project,owner\n", "columns are project and services")
	f("project,services\na,x\na,y\n", "line 3")
	f("project,services\n,x\n", "line 2")
	f("project,services\na\n", "wrong number of fields")
}
