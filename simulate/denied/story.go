package denied

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// How many refusals the story has, in how many bursts.
const (
	refusals = 23
	bursts   = 4
	smallest = 3 // refusals of a burst
)

// wish is what somebody wants, and what the service that does it is refused.
type wish struct {
	service string // wanted
	needs   string // refused
	intent  string
	create  logs.Change
	refused logs.Change
	agent   string // of the service, with %N for the project's number
	pages   []string
	name    string // what the console calls the next one; %t is the time
}

const insert = "v1.compute.instances.insert"

// machine is the call by which services make machines.
var machine = logs.Change{Service: "compute.googleapis.com", Method: insert, Permission: "compute.instances.create", Name: "projects/%p/zones/%z/instances/%n", Request: "type.googleapis.com/compute.instances.insert"}

var wishes = map[string]wish{
	Default: {
		service: "notebooks.googleapis.com", needs: "compute.googleapis.com", intent: "workbench-notebook",
		create:  logs.Change{Service: "notebooks.googleapis.com", Method: logs.Notebook, Permission: "notebooks.instances.create", Name: "projects/%p/locations/%z/instances/%n", Request: "type.googleapis.com/google.cloud.notebooks.v2.CreateInstanceRequest"},
		refused: machine, agent: "service-%N@gcp-sa-notebooks.iam.gserviceaccount.com",
		pages: []string{"/vertex-ai/workbench/instances", "/vertex-ai/workbench/create-instance"}, name: "instance-%t",
	},
	Dataproc: {
		service: "dataproc.googleapis.com", needs: "compute.googleapis.com", intent: "dataproc-cluster",
		create:  logs.Change{Service: "dataproc.googleapis.com", Method: "google.cloud.dataproc.v1.ClusterController.CreateCluster", Permission: "dataproc.clusters.create", Name: "projects/%p/regions/%l/clusters/%n", Request: "type.googleapis.com/google.cloud.dataproc.v1.CreateClusterRequest"},
		refused: machine, agent: "service-%N@dataproc-accounts.iam.gserviceaccount.com",
		pages: []string{"/dataproc/clusters", "/dataproc/clustersAdd"}, name: "cluster-%t",
	},
	Composer: {
		service: "composer.googleapis.com", needs: "container.googleapis.com", intent: "composer-environment",
		create:  logs.Change{Service: "composer.googleapis.com", Method: "google.cloud.orchestration.airflow.service.v1.Environments.CreateEnvironment", Permission: "composer.environments.create", Name: "projects/%p/locations/%l/environments/%n", Request: "type.googleapis.com/google.cloud.orchestration.airflow.service.v1.CreateEnvironmentRequest"},
		refused: logs.Change{Service: "container.googleapis.com", Method: "google.container.v1.ClusterManager.CreateCluster", Permission: "container.clusters.create", Name: "projects/%p/locations/%l/clusters/%n", Request: "type.googleapis.com/google.container.v1.CreateClusterRequest"},
		agent:   "service-%N@cloudcomposer-accounts.iam.gserviceaccount.com",
		pages:   []string{"/composer/environments", "/composer/environments/create"}, name: "environment-%t",
	},
	GKE: {
		service: "container.googleapis.com", needs: "compute.googleapis.com", intent: "gke-cluster",
		create:  logs.Change{Service: "container.googleapis.com", Method: "google.container.v1.ClusterManager.CreateCluster", Permission: "container.clusters.create", Name: "projects/%p/locations/%l/clusters/%n", Request: "type.googleapis.com/google.container.v1.CreateClusterRequest"},
		refused: logs.Change{Service: "compute.googleapis.com", Method: "v1.compute.instanceGroupManagers.insert", Permission: "compute.instanceGroupManagers.create", Name: "projects/%p/zones/%z/instanceGroupManagers/gke-%n-default-pool", Request: "type.googleapis.com/compute.instanceGroupManagers.insert"},
		agent:   "service-%N@container-engine-robot.iam.gserviceaccount.com",
		pages:   []string{"/kubernetes/list/overview", "/kubernetes/add"}, name: "cluster-%t",
	},
}

// How the log hides who was refused, and how devices name people.
const (
	byNobody  = "empty"
	redacted  = "redacted"
	byAgent   = "agent"
	shared    = "shared" // the office's address
	private   = "private"
	without   = "none"
	byEmail   = "email"
	byAccount = "domain account"
	shown     = "shown"
	hidden    = "hidden"
	pipeline  = "pipeline"
)

// Drawn are the small differences between worlds of a variant.
type Drawn struct {
	Principal  string  `json:"principal"`  // of the refusals: empty, redacted, or the service's agent
	CallerIP   string  `json:"caller_ip"`  // of the refusals: shared, private, none
	Enable     string  `json:"enable"`     // the call that enables the service: shown, hidden, or by the pipeline
	Create     string  `json:"create"`     // calls to the service: shown or hidden
	Inspected  float64 `json:"inspected"`  // share of the proxy's lines that have the URL
	ProxyUsers bool    `json:"proxy_user"` // the proxy says who
	Identity   string  `json:"identity"`   // how devices name people
	Retries    float64 `json:"retries"`    // share of refusals that the client repeats
	Nosy       bool    `json:"nosy"`       // a colleague opens the same page, and goes no further
	Crowded    bool    `json:"crowded"`    // colleagues are at the project's pages all through each burst
	Lab        int     `json:"lab"`        // the burst, from 1, that comes from a machine that several use; 0: none
	LeaseGap   float64 `json:"lease_gap"`  // hours without leases, as of a collector that is down
}

// attempt is one refusal of the story.
type attempt struct {
	at   time.Time
	who  *person
	name string
}

// story is what happens.
type story struct {
	wish     wish
	project  *project
	people   []*person // who does it
	alike    []*person // colleagues who work in the project at the same times
	drawn    Drawn
	bursts   [][]attempt
	network  string // a new one, of the hostile
	keyAt    time.Time
	gapAt    time.Time // when leases stop coming
	service  bool      // the register has what is refused
	insertID []string
}

func (s *story) plays(p *person) bool {
	return slices.Contains(s.people, p) || slices.Contains(s.alike, p)
}

// tale draws the story of a world.
func (w *world) tale() *story {
	rng := w.chance("story")
	s := &story{wish: wishes[Default], drawn: w.draw(rng), service: w.Variant == RegisterOK}
	if x, ok := wishes[w.Variant]; ok {
		s.wish = x
	}
	w.story = s
	w.choose(s, rng)
	sizes := split(rng, refusals)
	first := bursts / 2
	if rng.IntN(3) == 0 {
		first += 1 - 2*rng.IntN(2) // three on one day
	}
	for i, n := range sizes {
		day, k, of := w.start, i, first
		if i >= first {
			day, k, of = w.start.Add(24*time.Hour), i-first, bursts-first
		}
		from, to := w.hours(s.people[0], day)
		for _, p := range s.people[1:] {
			f, t := w.hours(p, day)
			from, to = later(from, f), earlier(to, t)
		}
		// Each burst has its part of the day.
		part := to.Sub(from.Add(30*time.Minute)) / time.Duration(of)
		at := from.Add(30*time.Minute + part*time.Duration(k) + time.Duration(rng.Float64()*0.5*float64(part)))
		s.bursts = append(s.bursts, s.burst(rng, at, n))
	}
	s.gapAt = s.bursts[rng.IntN(bursts)][0].at.Add(-time.Duration(rng.Float64() * s.drawn.LeaseGap * float64(time.Hour)))
	if w.Variant == Hostile {
		s.network = fmt.Sprintf("192.0.2.%d", 200+rng.IntN(50))
		last := s.bursts[2+rng.IntN(2)]
		s.keyAt = last[len(last)-1].at.Add(time.Duration(5+rng.IntN(35)) * time.Minute)
	}
	return s
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// draw draws what differs from seed to seed.
func (w *world) draw(rng *rand.Rand) Drawn {
	d := Drawn{Principal: byNobody, Enable: hidden, Create: hidden, Identity: byEmail}
	if rng.Float64() < 0.4 {
		d.Principal = byAgent
	}
	if d.Principal == byNobody && rng.Float64() < 0.2 {
		d.Principal = redacted
	}
	if d.Principal != byAgent {
		d.CallerIP = []string{shared, private, without}[weighed(rng, 0.6, 0.2, 0.2)]
	} else {
		d.CallerIP = []string{private, without}[weighed(rng, 0.8, 0.2)]
	}
	d.Enable = []string{shown, hidden, pipeline}[weighed(rng, 0.3, 0.5, 0.2)]
	if rng.Float64() < 0.3 {
		d.Create = shown
	}
	d.Inspected = []float64{1, 0.9, 0.6, 0.3, 0}[weighed(rng, 0.25, 0.25, 0.25, 0.17, 0.08)]
	d.ProxyUsers = rng.Float64() < 0.2
	if rng.Float64() < 0.5 {
		d.Identity = byAccount
	}
	if rng.Float64() < 0.4 {
		d.Retries = 0.1 + 0.3*rng.Float64()
	}
	d.Nosy = rng.Float64() < 0.25
	d.Crowded = rng.Float64() < 0.1
	if rng.Float64() < 0.15 {
		d.Lab = 1 + rng.IntN(bursts)
	}
	if rng.Float64() < 0.15 {
		d.LeaseGap = 2 + 4*rng.Float64()
	}
	switch w.Variant {
	case NoEndpoint: // nothing by name may tell
		d.Enable, d.Create = hidden, hidden
	case ServiceShown:
		d.Principal, d.CallerIP, d.Create = byAgent, private, shown
	case Hostile:
		d.Principal, d.CallerIP, d.Enable, d.Create = byNobody, shared, hidden, hidden
	case VPCSC, Granted:
		d.Principal, d.CallerIP = byNobody, shared
	case Crowded:
		d.Crowded, d.Nosy = true, true
	case QuietProxy:
		d.Inspected, d.ProxyUsers, d.Crowded = 0, false, rng.IntN(2) == 0
	}
	return d
}

// choose says who does it, where, and who works beside them.
func (w *world) choose(s *story, rng *rand.Rand) {
	var there []*project // where enough people work who share the address
	near := func(p *project) (out []*person) {
		for _, x := range p.users {
			if x.office == w.offices[0] && x.works() {
				out = append(out, x)
			}
		}
		return out
	}
	for _, p := range w.projects {
		if len(near(p)) >= 2 && !slices.Contains(p.services, s.wish.needs) {
			there = append(there, p)
		}
	}
	s.project = one(rng, there)
	for _, x := range rng.Perm(behind) { // some colleagues of other teams work there too
		if p := w.people[x]; len(near(s.project)) < 5 && p.works() {
			s.project.let(p)
		}
	}
	team := near(s.project)
	rng.Shuffle(len(team), func(i, k int) { team[i], team[k] = team[k], team[i] })
	n := 1
	if w.Variant == TwoPeople {
		n = 2
	}
	alike := 2
	if w.Variant == Crowded || w.Variant == QuietProxy {
		alike = 4
	}
	s.people, s.alike = team[:n:n], team[n:min(len(team), n+alike)]
	if w.Variant == Hostile {
		s.alike = nil
		for _, i := range rng.Perm(behind) {
			if p := w.people[i]; p.works() && p.team != s.project.team && !slices.Contains(s.project.users, p) {
				s.people = []*person{p}
				break
			}
		}
	}
}

// works tells who works at Google Cloud.
func (p *person) works() bool { return len(p.projects) > 0 && p.number%4 != 3 }

// split divides n refusals among the bursts.
func split(rng *rand.Rand, n int) []int {
	out := make([]int, bursts)
	for i := range out {
		out[i] = smallest
		n -= smallest
	}
	for range n {
		out[rng.IntN(bursts)]++
	}
	return out
}

// burst is n attempts from a time on: each a new thing, as the console names them
// by the clock.
func (s *story) burst(rng *rand.Rand, at time.Time, n int) []attempt {
	out := make([]attempt, 0, n)
	for i := range n {
		who := s.people[i%len(s.people)]
		name := strings.ReplaceAll(s.wish.name, "%t", at.UTC().Format("20060102-150405"))
		out = append(out, attempt{at.Truncate(time.Microsecond), who, name})
		at = at.Add(time.Duration(35+rng.IntN(150))*time.Second + time.Duration(rng.IntN(1e6))*time.Microsecond)
	}
	return out
}
