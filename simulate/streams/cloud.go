package streams

import (
	"context"
	"fmt"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
	"github.com/yagura-sec/yagura/simulate/logs"
)

// cloud is the organisation at Google Cloud.
type cloud struct {
	org      string
	projects []*project
	of       map[*estate.Person][]*project // whom they let in
}

type project struct {
	id, number string
	team       *estate.Team
	users      []*estate.Person
	pipeline   string // service account
}

// purposes of projects: at least as many as projects, so that each has a name of
// its own.
var purposes = [projectCount]string{"ml", "data", "dev", "web", "ops", "lab", "batch", "edge", "app", "test"}

func newCloud(s *scene) *cloud {
	rng := s.chance("gcp")
	c := &cloud{org: logs.Drawn(rng, 1, "123456789") + logs.Drawn(rng, 11, logs.Digits), of: map[*estate.Person][]*project{}}
	teams := s.w.Teams
	for i := range projectCount {
		if len(teams) == 0 {
			break
		}
		p := &project{team: teams[i%len(teams)], number: logs.Drawn(rng, 1, "123456789") + logs.Drawn(rng, 11, logs.Digits)}
		p.id = fmt.Sprintf("hoshino-%s-%s", p.team.Name, purposes[(i/len(teams)+i%len(teams))%len(purposes)])
		p.pipeline = "deployer@" + p.id + ".iam.gserviceaccount.com"
		for _, x := range p.team.People {
			if rng.Float64() < cloudUsers {
				p.users = append(p.users, x)
				c.of[x] = append(c.of[x], p)
			}
		}
		c.projects = append(c.projects, p)
	}
	return c
}

// By whom things are named.
var things = []string{"train", "web", "batch", "etl", "notebook", "sandbox", "cache", "report", "feature", "demo"}

// act draws a change of a person.
func (s *scene) act(d *shift, p *project, at time.Time) *logs.Act {
	c := &logs.Changes[d.rng.IntN(len(logs.Changes))]
	a := &logs.Act{At: at, Project: p.id, Number: p.number, What: c, Email: d.person.Email, IP: d.address, RNG: d.rng, Location: s.location(p)}
	a.Name = fmt.Sprintf("%s-%s-%s", p.team.Name, one(d.rng, things), logs.Drawn(d.rng, 4, logs.Letters))
	m := logs.MachineOf(d.person.Device)
	if a.Agent = m.GcloudAgent(c.Command, logs.Drawn(d.rng, 32, logs.Hexes)); d.rng.IntN(3) == 0 {
		a.Agent = m.Browser + ",gzip(gfe)" // the console
	}
	a.Refused = c.Constraint != "" && d.rng.Float64() < shareRefused
	return a
}

func (s *scene) location(p *project) string {
	switch p.team.Country {
	case "JP":
		return "asia-northeast1"
	case "DE":
		return "europe-west3"
	}
	return "us-east4"
}

const agentTerraform = "Terraform/1.13.5 (+https://www.terraform.io) Terraform-Plugin-SDK/2.37.0 terraform-provider-google/7.12.0,gzip(gfe)"

// addressCI is where pipelines run, as in the logs of AWS.
const addressCI = "192.0.2.51"

func writeCloud(ctx context.Context, dir string, s *scene) error {
	activity, policy := s.daily(dir, "activity/2006-01-02.jsonl.gz"), s.daily(dir, "policy/2006-01-02.jsonl.gz")
	for _, i := range s.cloudTrouble() {
		if !s.wanted[i.label.ID] {
			continue
		}
		for _, a := range i.acts {
			if err := put(a, activity, policy); err != nil {
				return err
			}
		}
	}
	var today time.Time
	err := s.shifts(ctx, "gcp", func(d *shift) error {
		for _, p := range s.cloud.of[d.person] {
			for range poisson(d.rng, cloudCalls/float64(len(s.cloud.of[d.person]))) {
				if err := s.act(d, p, d.moment()).Write(activity, policy); err != nil {
					return err
				}
			}
		}
		return nil
	}, func(until time.Time) error {
		if day := until.Truncate(24 * time.Hour); day.After(today) && day.Before(s.w.End) {
			today = day
			if err := s.pipelines(day.AddDate(0, 0, 1), activity, policy); err != nil {
				return err
			}
		}
		if err := activity.Flush(until); err != nil {
			return err
		}
		return policy.Flush(until)
	})
	if perr := policy.Finish(err); err == nil {
		err = perr
	}
	return activity.Finish(err)
}

// pipelines make changes on a workday.
func (s *scene) pipelines(day time.Time, activity, policy *logs.Log) error {
	for _, p := range s.cloud.projects {
		if !estate.Workday(p.team.Country, day) {
			continue
		}
		rng := s.chance("gcp pipeline", p.id, day.Unix())
		for range poisson(rng, pipelineCalls) {
			at := day.Add(time.Duration(rng.Float64() * float64(24*time.Hour))).Truncate(time.Millisecond)
			c := &logs.Changes[rng.IntN(len(logs.Changes))]
			a := &logs.Act{At: at, Project: p.id, Number: p.number, What: c, Email: p.pipeline, Account: true, IP: addressCI, Agent: agentTerraform, RNG: rng, Location: s.location(p)}
			a.Name = fmt.Sprintf("%s-%s-%s", p.team.Name, one(rng, things), logs.Drawn(rng, 4, logs.Letters))
			if err := a.Write(activity, policy); err != nil {
				return err
			}
		}
	}
	return nil
}
