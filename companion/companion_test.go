package companion_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/companion"
)

func TestOwnCatalogue(t *testing.T) {
	c := companion.Builtin()
	for _, s := range c.Services() {
		for _, b := range s.Brings {
			if u, err := url.Parse(b.Source); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s brings %s: source %q is no address", s.ID, b.Service, b.Source)
			}
		}
	}
}

func TestBringsWhatIsBroughtInTurn(t *testing.T) {
	c := companion.Builtin()
	f := func(id string, want ...string) {
		t.Helper()
		got := map[string]bool{}
		for _, b := range c.Brings(id) {
			if got[b.Service] {
				t.Errorf("%s brings %s twice", id, b.Service)
			}
			got[b.Service] = true
		}
		for _, w := range want {
			if !got[w] {
				t.Errorf("%s does not bring %s: %v", id, w, got)
			}
		}
		if len(want) == 0 && len(got) > 0 {
			t.Errorf("%s brings %v, want nothing", id, got)
		}
	}
	f("notebooks.googleapis.com", "compute.googleapis.com")
	f("composer.googleapis.com", "container.googleapis.com", "compute.googleapis.com")
	f("compute.googleapis.com")
	f("nobody.example")
}

func TestBringer(t *testing.T) {
	f := func(want string, always bool, wanted string, services ...string) {
		t.Helper()
		got, b, ok := companion.Builtin().Bringer(wanted, services)
		if got != want || b.Always != always || ok != (want != "") {
			t.Errorf("%s is brought by %q (always %v), want %q (%v)", wanted, got, b.Always, want, always)
		}
	}
	f("notebooks.googleapis.com", true, "compute.googleapis.com", "aiplatform.googleapis.com", "notebooks.googleapis.com")
	f("aiplatform.googleapis.com", false, "compute.googleapis.com", "aiplatform.googleapis.com", "bigquery.googleapis.com")
	f("", false, "compute.googleapis.com", "bigquery.googleapis.com")
	f("microsoft.machinelearningservices", true, "microsoft.keyvault", "microsoft.machinelearningservices")
}

func TestAgents(t *testing.T) {
	f := func(agent, want string) {
		t.Helper()
		if got := companion.Builtin().ServiceOf(agent); got != want {
			t.Errorf("%s acts for %q, want %q", agent, got, want)
		}
	}
	f("service-118812345678@gcp-sa-notebooks.iam.gserviceaccount.com", "notebooks.googleapis.com")
	f("service-118812345678@compute-system.iam.gserviceaccount.com", "compute.googleapis.com")
	f("118812345678@cloudbuild.gserviceaccount.com", "cloudbuild.googleapis.com")
	f("app@kite-dev.iam.gserviceaccount.com", "")
	f("", "")
}

func TestWhatAgentsAreSeenToDoIsAdded(t *testing.T) {
	day := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	agent := "service-118812345678@gcp-sa-notebooks.iam.gserviceaccount.com"
	c := companion.Builtin().With([]companion.Sighting{
		{Agent: agent, Called: "dns.googleapis.com", Last: day},
		{Agent: agent, Called: "compute.googleapis.com", Last: day.Add(time.Hour)},
		{Agent: "somebody@kite-dev.iam.gserviceaccount.com", Called: "pubsub.googleapis.com", Last: day},
	})
	seen := map[string]time.Time{}
	for _, b := range c.Brings("notebooks.googleapis.com") {
		seen[b.Service] = b.Seen
	}
	if !seen["dns.googleapis.com"].Equal(day) || !seen["compute.googleapis.com"].Equal(day.Add(time.Hour)) {
		t.Errorf("what was seen is not told: %v", seen)
	}
	if _, there := seen["pubsub.googleapis.com"]; there {
		t.Error("what no agent did is added")
	}
	for _, b := range companion.Builtin().Brings("notebooks.googleapis.com") {
		if b.Service == "dns.googleapis.com" || !b.Seen.IsZero() {
			t.Errorf("the catalogue itself was changed: %+v", b)
		}
	}
}

func TestRefusesWhatSaysTooLittle(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := companion.Parse("own.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	f("- {id: a}", "lacks an id or a name")
	f("- {id: a, name: {en: A, ja: A}, bring: []}", "bring")
	f("- {id: a, name: {en: A, ja: A}}\n- {id: a, name: {en: A, ja: A}}", "twice")
	f("- {id: a, name: {en: A, ja: A}, brings: [{service: b}]}", "without saying")
}

// TestPerhapsOfPerhaps: what is always needed by something that may be needed may
// be needed; where it is needed always on another way, it is.
func TestPerhapsOfPerhaps(t *testing.T) {
	const text = `
- {id: a, provider: p, name: {en: A, ja: A}, brings: [{service: b, why: {en: w, ja: w}}, {service: c, always: true, why: {en: w, ja: w}}]}
- {id: b, provider: p, name: {en: B, ja: B}, brings: [{service: d, always: true, why: {en: w, ja: w}}, {service: a, always: true, why: {en: w, ja: w}}]}
- {id: c, provider: p, name: {en: C, ja: C}, brings: [{service: e, always: true, why: {en: w, ja: w}}]}
- {id: e, provider: p, name: {en: E, ja: E}, brings: [{service: b, always: true, why: {en: w, ja: w}}]}
`
	f := func(id, want string) {
		t.Helper()
		c, err := companion.Parse("t", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range c.Brings(id) {
			got = append(got, fmt.Sprint(b.Service, b.Always))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s brings %s, want %s", id, s, want)
		}
	}
	f("b", "dtrue atrue ctrue etrue")
	f("a", "btrue ctrue dtrue etrue") // b first perhaps, and by way of c and e always
	f("d", "")
}
