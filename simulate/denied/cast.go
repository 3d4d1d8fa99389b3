package denied

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// behind is how many people have the shared address.
const behind = 41

// office is where people work.
type office struct {
	name    string
	address string // public: of everybody there
	net     string // "10.20", the first half of addresses inside
	zone    *time.Location
}

// person works in a team.
type person struct {
	name, email, user string // user: of devices
	team              string
	office            *office // nil: at home
	tunnel            bool    // at home, but behind the office's address
	home              string  // public address at home
	zone              *time.Location
	devices           []device
	projects          []*project // of Google Cloud, that let the person in
	number            int
}

// device is a machine of a person, or one that several use.
type device struct {
	name    string
	machine logs.Machine
	skew    time.Duration // of its clock
	second  bool
}

// address is the public address of a person's traffic.
func (p *person) address() string {
	if p.office != nil {
		return p.office.address
	}
	return p.home
}

var (
	given  = []string{"Mei", "Sora", "Ren", "Hana", "Yuto", "Aoi", "Kaito", "Rin", "Haru", "Mio", "Daiki", "Yuna", "Riku", "Saki", "Emma", "Noah", "Lena", "Jonas", "Mia", "Felix"}
	family = []string{"Tanaka", "Sato", "Suzuki", "Ito", "Kato", "Mori", "Abe", "Ono", "Hara", "Endo", "Fischer", "Weber", "Wagner", "Becker", "Koch", "Richter", "Klein", "Wolf"}
	teams  = []string{"kite", "harbour", "lantern", "maple", "summit", "river", "cedar"}
)

// cast makes offices and people: 41 behind the shared address, some of them
// through the tunnel, and as many elsewhere.
func (w *world) cast() {
	rng := w.chance("cast")
	w.offices = []*office{
		{name: "tokyo", address: fmt.Sprintf("203.0.113.%d", 10+rng.IntN(40)), net: "10.20", zone: tokyo},
		{name: "osaka", address: fmt.Sprintf("203.0.113.%d", 60+rng.IntN(40)), net: "10.24", zone: tokyo},
		{name: "berlin", address: fmt.Sprintf("203.0.113.%d", 110+rng.IntN(40)), net: "10.28", zone: berlin},
	}
	names := rng.Perm(len(given) * len(family))
	add := func(o *office, zone *time.Location, tunnel bool) {
		n := len(w.people)
		p := &person{number: n, office: o, tunnel: tunnel, zone: zone, home: fmt.Sprintf("198.51.100.%d", 20+n), team: teams[n%len(teams)]}
		p.name = given[names[n]%len(given)] + " " + family[names[n]/len(given)]
		p.user = strings.ToLower(strings.ReplaceAll(p.name, " ", "."))
		p.email = p.user + "@" + w.domain
		w.equip(p, rng)
		w.people = append(w.people, p)
	}
	viaVPN := 4 + rng.IntN(5)
	for i := range behind {
		add(w.offices[0], tokyo, i >= behind-viaVPN)
	}
	for range 22 {
		add(w.offices[1], tokyo, false)
	}
	for range 14 {
		add(w.offices[2], berlin, false)
	}
	for range 23 {
		add(nil, tokyo, false)
	}
}

// equip gives a person a machine, and some a second one. The organisation keeps
// browsers at one version, so that they tell nobody from the others.
func (w *world) equip(p *person, rng *rand.Rand) {
	n := 1
	if rng.Float64() < 0.25 {
		n = 2
	}
	for i := range n {
		d := device{second: i > 0, skew: time.Duration(rng.NormFloat64() * 2 * float64(time.Second))}
		if rng.Float64() < 0.1 {
			d.skew *= 3
		}
		d.name = fmt.Sprintf("hsn-%s-%04d", []string{"lt", "ds"}[i], 1000+p.number*7+i)
		d.machine = logs.MachineOf(d.name)
		d.machine.Browser = fleet[d.machine.Platform]
		p.devices = append(p.devices, d)
	}
}

// fleet are the browsers that the organisation keeps, by platform.
var fleet = map[string]string{
	"Mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
	"Win": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
	"Lin": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
}

// project is one at Google Cloud.
type project struct {
	id, number, team string
	region           string
	users            []*person
	services         []string // that its people and programs use
	pipeline         string   // service account
	programs         []string // service accounts
	owner            *person
}

// base are services that come with every project.
var base = []string{"serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com", "iam.googleapis.com", "logging.googleapis.com", "monitoring.googleapis.com"}

// kinds of projects by the services that they use besides.
var kinds = []struct {
	name     string
	services []string
}{
	{"web", []string{"run.googleapis.com", "storage.googleapis.com", "pubsub.googleapis.com", "cloudsql.googleapis.com"}},
	{"data", []string{"bigquery.googleapis.com", "storage.googleapis.com", "pubsub.googleapis.com"}},
	{"batch", []string{"compute.googleapis.com", "storage.googleapis.com", "pubsub.googleapis.com"}},
	{"ml", []string{"aiplatform.googleapis.com", "storage.googleapis.com", "bigquery.googleapis.com"}},
}

// found makes the projects: one of each of two kinds a team.
func (w *world) found() {
	rng := w.chance("projects")
	for i, team := range teams {
		for k := range 2 {
			kind := kinds[(i+2*k)%len(kinds)]
			p := &project{id: team + "-" + kind.name + "-" + logs.Drawn(rng, 3, logs.Digits), number: logs.Drawn(rng, 1, "123456789") + logs.Drawn(rng, 11, logs.Digits), team: team, region: "asia-northeast1"}
			p.services = append(p.services, kind.services...)
			p.pipeline = "deployer@" + p.id + ".iam.gserviceaccount.com"
			for n := range 2 + rng.IntN(3) {
				p.programs = append(p.programs, fmt.Sprintf("%s-%d@%s.iam.gserviceaccount.com", kind.name, n+1, p.id))
			}
			for _, x := range w.people {
				if x.team == team && rng.Float64() < 0.8 {
					p.let(x)
				}
			}
			if len(p.users) == 0 {
				for _, x := range w.people {
					if x.team == team {
						p.let(x)
						break
					}
				}
			}
			p.owner = p.users[0]
			w.projects = append(w.projects, p)
		}
	}
}

// let lets a person into a project.
func (p *project) let(x *person) {
	for _, y := range p.users {
		if x == y {
			return
		}
	}
	p.users, x.projects = append(p.users, x), append(x.projects, p)
}
