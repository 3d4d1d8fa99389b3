package denied

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/register"
)

// World is what world.json says.
type World struct {
	Story    string    `json:"story"`
	Variant  string    `json:"variant"`
	Seed     int64     `json:"seed"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"` // not included
	Ordinary int       `json:"ordinary_records"`
	Told     int       `json:"story_records"`
	Truth    Truth     `json:"truth"`
	Drawn    Drawn     `json:"drawn"`
	Address  string    `json:"shared_address"`
	Bursts   []Burst   `json:"bursts"`
	People   []Member  `json:"people"`
	Projects []Project `json:"projects"`
}

// Truth is what a hunter should find.
type Truth struct {
	Person   string   `json:"person"`  // empty: more than one
	Persons  []string `json:"persons"` // all who did it
	Project  string   `json:"project"` //
	Service  string   `json:"service"` // refused: what the register forgot, if it is the story of a gap
	NeededBy string   `json:"needed_by"`
	Intent   string   `json:"intent"`
	// Harmless: it was nobody's attack.
	Harmless bool `json:"harmless"`
	// Gap: the register lacks the service, and the case may be closed as that.
	Gap      bool `json:"gap"`
	Refusals int  `json:"denials"` // after folding what clients repeat; 0: nothing was refused
	// Hidden: no log of the world tells who it was.
	Hidden  bool     `json:"hidden"`
	Records []string `json:"event_ids"` // insertIds of the refusals, those repeated too
}

// Burst is when refusals came.
type Burst struct {
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Refused int       `json:"refused"`
}

// Member is a person.
type Member struct {
	Name    string   `json:"name"`
	Email   string   `json:"email"`
	Team    string   `json:"team"`
	Office  string   `json:"office,omitempty"`
	Tunnel  bool     `json:"tunnel,omitempty"`
	Address string   `json:"address"`
	Devices []string `json:"devices"`
}

// Project is one at Google Cloud.
type Project struct {
	ID       string   `json:"id"`
	Team     string   `json:"team"`
	Users    []string `json:"users"`
	Services []string `json:"services"`
}

func (w *world) truth() Truth {
	s := w.story
	t := Truth{Project: s.project.id, Service: s.wish.needs, NeededBy: s.wish.service, Intent: s.wish.intent, Refusals: refusals, Records: s.insertID}
	for _, p := range s.people {
		t.Persons = append(t.Persons, p.email)
	}
	if len(t.Persons) == 1 {
		t.Person = t.Persons[0]
	}
	t.Gap = !slices.Contains([]string{RegisterOK, VPCSC, Granted, Hostile}, w.Variant)
	t.Harmless = w.Variant != Hostile
	t.Hidden = w.Variant == NoEndpoint
	if w.Variant == Granted {
		t.Refusals = 0
	}
	return t
}

// writeTruth writes world.json and the register.
func (w *world) writeTruth(dir string) error {
	out := World{
		Story: "policy-denied", Variant: w.Variant, Seed: w.Seed, Start: w.start, End: w.end, Ordinary: w.ordinary, Told: w.told,
		Truth: w.truth(), Drawn: w.story.drawn, Address: w.offices[0].address,
	}
	for _, b := range w.story.bursts {
		out.Bursts = append(out.Bursts, Burst{b[0].at, b[len(b)-1].at, len(b)})
	}
	for _, p := range w.people {
		m := Member{Name: p.name, Email: p.email, Team: p.team, Tunnel: p.tunnel, Address: p.address()}
		if p.office != nil {
			m.Office = p.office.name
		}
		for _, d := range p.devices {
			m.Devices = append(m.Devices, d.name)
		}
		out.People = append(out.People, m)
	}
	for _, p := range w.projects {
		x := Project{ID: p.id, Team: p.team, Services: p.services}
		for _, u := range p.users {
			x.Users = append(x.Users, u.email)
		}
		out.Projects = append(out.Projects, x)
	}
	text, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "world.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return errors.Join(w.writeRegister(filepath.Join(dir, "register.csv")), w.writeRegister(filepath.Join(dir, "logs", "register", "register.csv")))
}

// writeRegister writes what projects were applied for: all that they use, but for
// the one service of the story.
func (w *world) writeRegister(path string) (err error) {
	var entries []register.Entry
	for i, p := range w.projects {
		e := register.Entry{
			Project: p.id, Provider: "Google Cloud", Name: strings.ReplaceAll(p.id, "-", " "), Applicant: one(w.chance("applicant", p.id), p.users).email,
			Owner: p.owner.email, Purpose: "work of team " + p.team, Approver: "cloud-desk@" + w.domain,
			Applied: w.start.AddDate(0, 0, -90-11*i), Approved: w.start.AddDate(0, 0, -86-11*i),
		}
		services := slices.Concat(base, p.services)
		if p == w.story.project && w.Variant != Hostile {
			services = append(services, w.story.wish.service)
			if w.story.service {
				services = append(services, w.story.wish.needs)
			}
		}
		for _, id := range services {
			e.Services = append(e.Services, register.Service{ID: id})
		}
		e.Clean()
		if err := e.Check(); err != nil {
			return fmt.Errorf("register: %w", err)
		}
		entries = append(entries, e)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(register.WriteCSV(f, entries), f.Close())
}
