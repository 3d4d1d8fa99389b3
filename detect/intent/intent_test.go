package intent

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/companion"
)

// story is a case as it would be read.
func (c *Case) story() Story {
	s := Story{Refused: c.Refused, Agent: c.Agent, Pages: c.Pages}
	for i, call := range c.Calls {
		f := append(strings.Fields(call), "", "")
		s.Calls = append(s.Calls, Call{At: time.Unix(int64(i), 0), Service: f[0], Operation: f[1], Resource: f[2]})
	}
	return s
}

func TestCases(t *testing.T) {
	for _, s := range Builtin().Sequences() {
		fires, quiet := 0, 0
		for _, c := range s.Cases {
			m := Builtin().Recognise(c.story())
			switch got := m != nil && m.ID == s.ID; {
			case got == c.Not:
				t.Errorf("%s: %q gives %v", s.ID, c.Name, m)
			case c.Not:
				quiet++
			default:
				fires++
			}
		}
		if fires == 0 || quiet == 0 {
			t.Errorf("%s has %d cases that it recognises and %d that it does not: both are needed", s.ID, fires, quiet)
		}
	}
}

// What is refused has to be something that the service brings along: the two lists
// tell of the same services.
func TestCompanions(t *testing.T) {
	for _, s := range Builtin().Sequences() {
		for _, refused := range s.Refused {
			if _, _, ok := companion.Builtin().Bringer(refused, []string{s.Service}); !ok {
				t.Errorf("%s: %s is not known to bring %s along", s.ID, s.Service, refused)
			}
		}
	}
}

func TestRecognise(t *testing.T) {
	call := func(service, operation string) Call { return Call{Service: service, Operation: operation} }
	f := func(s Story, want string) {
		t.Helper()
		got := ""
		if m := Builtin().Recognise(s); m != nil {
			got = m.ID
		}
		if got != want {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
	// What was asked for says more than a page that somebody looked at.
	f(Story{Refused: "compute.googleapis.com", Calls: []Call{call("dataproc.googleapis.com", "google.cloud.dataproc.v1.ClusterController.CreateCluster")},
		Pages: []string{"https://console.cloud.google.com/vertex-ai/workbench/instances"}}, "dataproc-cluster")
	// Two things alike are none.
	f(Story{Refused: "compute.googleapis.com", Calls: []Call{call("dataproc.googleapis.com", "google.cloud.dataproc.v1.ClusterController.CreateCluster"),
		call("notebooks.googleapis.com", "google.cloud.notebooks.v2.NotebookService.CreateInstance")}}, "")
	f(Story{}, "")
	m := Builtin().Recognise(Builtin().Sequences()[0].Cases[0].story())
	if m.Enabled == nil || m.Asked == nil || m.Times != 1 || m.Agent || m.Page != "" {
		t.Errorf("%+v", m)
	}
	if !slices.Contains(Builtin().Services(), "composer.googleapis.com") || Builtin().Sequence("gke-cluster") == nil || Builtin().Sequence("x") != nil {
		t.Error("services or sequences")
	}
}

func TestParse(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := Parse("x.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	const good = "- {id: a, provider: GCP, name: {en: a, ja: a}, service: s, create: [c], refused: [r]}\n"
	f("- {id: a, colour: red}", "x.yaml: ")
	f("- {id: a}", "sequence 1 lacks")
	f(good+good, "twice")
	f("- {id: a, provider: GCP, name: {en: a, ja: a}, service: s, create: [c]}", "does not say")
	if _, err := Parse("x.yaml", []byte(good)); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(builtin)
	f.Add([]byte("- {id: a, provider: GCP, name: {en: a, ja: a}, service: s, create: [c], refused: [r]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("x", text)
		if err != nil {
			return
		}
		for _, s := range c.Sequences() {
			if c.Sequence(s.ID) == nil || len(s.Create) == 0 {
				t.Errorf("%+v was read", s)
			}
			for _, k := range s.Cases {
				c.Recognise(k.story())
			}
		}
	})
}
