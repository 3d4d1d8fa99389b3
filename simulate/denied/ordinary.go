package denied

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/logs"
)

// shift is a person's day at work.
type shift struct {
	w        *world
	p        *person
	from, to time.Time
	inside   []string // addresses of the person's devices, as the proxy sees them
	rng      *rand.Rand
}

// hours are when a person works on a day, which is one of Japan's.
func (w *world) hours(p *person, day time.Time) (from, to time.Time) {
	rng := w.chance("hours", p.email, day.Unix())
	y, m, d := day.In(tokyo).Date()
	begin := time.Date(y, m, d, 9, 0, 0, 0, p.zone).Add(time.Duration(rng.NormFloat64()*1200) * time.Second)
	return begin, begin.Add(9*time.Hour + time.Duration(rng.NormFloat64()*1800)*time.Second)
}

// away tells who is not at work. Those of whom the story tells are.
func (w *world) away(p *person, day time.Time) bool {
	return !w.story.plays(p) && w.chance("away", p.email, day.Unix()).Float64() < shareAway
}

// moment is a time at work, seldom at noon.
func (s *shift) moment() time.Time {
	span := s.to.Sub(s.from)
	at := s.from.Add(time.Duration(s.rng.Float64() * float64(span)))
	if noon := at.Sub(s.from); noon > 3*time.Hour && noon < 4*time.Hour && s.rng.IntN(3) > 0 {
		at = at.Add(time.Hour)
	}
	return at
}

// workday is what a person does on a day.
func (w *world) workday(p *person, day time.Time) {
	if w.away(p, day) {
		return
	}
	s := &shift{w: w, p: p, rng: w.chance("workday", p.email, day.Unix())}
	s.from, s.to = w.hours(p, day)
	for i := range p.devices {
		s.inside = append(s.inside, w.inside(p, &p.devices[i], day))
	}
	for i := range p.devices {
		s.attend(&p.devices[i], s.inside[i])
	}
	s.signIn()
	s.browse(proxyLines)
	s.cloud()
}

// cloud is what a person does at Google Cloud.
func (s *shift) cloud() {
	if len(s.p.projects) == 0 || s.p.number%4 == 3 {
		return // three in four work there
	}
	for range s.w.count(s.rng, cloudReads, 2) {
		s.call(one(s.rng, s.p.projects), reads, dataAccess)
	}
	for range s.w.count(s.rng, cloudChanges, 1) {
		s.call(one(s.rng, s.p.projects), logs.Changes, activity)
	}
}

// call is one call of a person in a project, of a service that it uses.
func (s *shift) call(p *project, from []logs.Change, log string) {
	c := p.drawn(s.rng, from)
	if c == nil {
		return
	}
	a := s.w.act(s.rng, p, c, s.moment())
	a.Email, a.IP, a.Agent = s.p.email, s.p.address(), s.agent(c)
	s.w.put(log, a.At, a.Entry(log))
}

// agent is what the person's console or command line says of itself.
func (s *shift) agent(c *logs.Change) string {
	m := one(s.rng, s.p.devices).machine
	if c.Command == "" || s.rng.Float64() < shareConsole {
		return m.Browser + ",gzip(gfe),gzip(gfe)"
	}
	return m.GcloudAgent(c.Command, logs.Drawn(s.rng, 32, logs.Hexes))
}

// drawn is a change of a service that the project uses; keys of service accounts
// and who may enter a project are changed apart from the everyday.
func (p *project) drawn(rng *rand.Rand, from []logs.Change) *logs.Change {
	for range 50 {
		c := &from[rng.IntN(len(from))]
		if strings.HasSuffix(c.Method, "CreateServiceAccountKey") || c.Method == "SetIamPolicy" {
			continue
		}
		if slices.Contains(p.services, c.Service) || slices.Contains(base, c.Service) {
			return c
		}
	}
	return nil
}

// act is a call in a project, by nobody yet.
func (w *world) act(rng *rand.Rand, p *project, c *logs.Change, at time.Time) *logs.Act {
	a := &logs.Act{At: at.Truncate(time.Microsecond), Project: p.id, Number: p.number, What: c, RNG: rng, Location: p.region}
	a.Name = fmt.Sprintf("%s-%s-%s", p.team, one(rng, things), logs.Drawn(rng, 4, logs.Letters))
	return a
}

// things are what everything is named by.
var things = []string{"train", "front", "nightly", "report", "cache", "events", "feature", "model", "export", "index"}

// put writes a record of the audit log.
func (w *world) put(log string, at time.Time, e *logs.Entry) {
	text, err := json.Marshal(e)
	if err != nil {
		w.interruptions = err
		return
	}
	w.add(log, at, text)
}

// addressCI is where pipelines run.
const (
	addressCI      = "192.0.2.51"
	agentTerraform = "Terraform/1.13.5 (+https://www.terraform.io) Terraform-Plugin-SDK/2.37.0 terraform-provider-google/7.12.0,gzip(gfe)"
)

// pipelines change projects by themselves.
func (w *world) pipelines(day time.Time) {
	for _, p := range w.projects {
		rng := w.chance("pipeline", p.id, day.Unix())
		for range w.count(rng, pipelineCalls, 1) {
			c := p.drawn(rng, logs.Changes)
			if c == nil {
				continue
			}
			a := w.act(rng, p, c, day.Add(time.Duration(rng.Float64()*float64(24*time.Hour))))
			a.Email, a.Account, a.IP, a.Agent = p.pipeline, true, addressCI, agentTerraform
			w.put(activity, a.At, a.Entry(activity))
		}
	}
	rng := w.chance("keys", day.Unix())
	for range keysADay {
		p := one(rng, w.projects)
		if p == w.story.project {
			continue
		}
		x := one(rng, p.users)
		if w.story.plays(x) {
			continue
		}
		from, to := w.hours(x, day)
		a := w.act(rng, p, change("google.iam.admin.v1.CreateServiceAccountKey"), from.Add(time.Duration(rng.Float64()*float64(to.Sub(from)))))
		a.Email, a.IP, a.Agent = x.email, x.address(), x.devices[0].machine.Browser+",gzip(gfe),gzip(gfe)"
		w.put(activity, a.At, a.Entry(activity))
	}
}

// change is the first of logs.Changes of a method.
func change(method string) *logs.Change {
	return &logs.Changes[slices.IndexFunc(logs.Changes, func(c logs.Change) bool { return c.Method == method })]
}

// programs are n calls of service accounts on a day.
func (w *world) programs(day time.Time, n int) {
	rng := w.chance("programs", day.Unix())
	for range max(0, n) {
		p := one(rng, w.projects)
		c := p.drawn(rng, reads)
		a := w.act(rng, p, c, day.Add(time.Duration(rng.Float64()*float64(24*time.Hour))))
		k := rng.IntN(len(p.programs))
		a.Email, a.Account, a.IP, a.Agent = p.programs[k], true, fmt.Sprintf("10.%d.0.%d", 128+len(p.id)%8, 2+k), agentProgram
		if k == 0 {
			a.IP = "private"
		}
		w.put(dataAccess, a.At, a.Entry(dataAccess))
	}
}

const agentProgram = "google-api-go-client/0.5 gcloud-golang-storage/1.57.0,gzip(gfe)"

// reads are calls that change nothing.
var reads = []logs.Change{
	{Service: "storage.googleapis.com", Method: "storage.objects.get", Permission: "storage.objects.get", Name: "projects/_/buckets/%p-data/objects/%n", Kind: "gcs_bucket", Labels: []string{"location"}, Command: "storage.cp"},
	{Service: "storage.googleapis.com", Method: "storage.objects.list", Permission: "storage.objects.list", Name: "projects/_/buckets/%p-data", Kind: "gcs_bucket", Labels: []string{"location"}, Command: "storage.ls"},
	{Service: "bigquery.googleapis.com", Method: "google.cloud.bigquery.v2.JobService.Query", Permission: "bigquery.jobs.create", Name: "projects/%p/jobs/%n", Kind: "bigquery_project", Labels: []string{"location"}},
	{Service: "pubsub.googleapis.com", Method: "google.pubsub.v1.Subscriber.GetSubscription", Permission: "pubsub.subscriptions.get", Name: "projects/%p/subscriptions/%n", Kind: "audited_resource", Labels: []string{"method", "service"}, Command: "pubsub.subscriptions.describe"},
	{Service: "compute.googleapis.com", Method: "v1.compute.instances.list", Permission: "compute.instances.list", Name: "projects/%p/zones/%z/instances", Kind: "gce_instance", Labels: []string{"zone"}, Command: "compute.instances.list"},
	{Service: "aiplatform.googleapis.com", Method: "google.cloud.aiplatform.v1.EndpointService.ListEndpoints", Permission: "aiplatform.endpoints.list", Name: "projects/%p/locations/%l", Kind: "audited_resource", Labels: []string{"method", "service"}},
	{Service: "run.googleapis.com", Method: "google.cloud.run.v2.Services.ListServices", Permission: "run.services.list", Name: "projects/%p/locations/%l", Kind: "audited_resource", Labels: []string{"method", "service"}, Command: "run.services.list"},
	{Service: "cloudsql.googleapis.com", Method: "cloudsql.instances.list", Permission: "cloudsql.instances.list", Name: "projects/%p", Kind: "cloudsql_database", Labels: []string{"database_id"}, Command: "sql.instances.list"},
	{Service: "logging.googleapis.com", Method: "google.logging.v2.LoggingServiceV2.ListLogEntries", Permission: "logging.logEntries.list", Name: "projects/%p", Kind: "audited_resource", Labels: []string{"method", "service"}},
	{Service: "monitoring.googleapis.com", Method: "google.monitoring.v3.MetricService.ListTimeSeries", Permission: "monitoring.timeSeries.list", Name: "projects/%p", Kind: "audited_resource", Labels: []string{"method", "service"}},
	{Service: "cloudresourcemanager.googleapis.com", Method: "GetProject", Permission: "resourcemanager.projects.get", Name: "projects/%p", Kind: "project", Command: "projects.describe"},
}

// signIn is how a person signs in at Google Workspace.
func (s *shift) signIn() {
	for i := range s.w.count(s.rng, signInsADay, 1) {
		at := s.moment()
		if i == 0 {
			at = s.from.Add(time.Duration(s.rng.IntN(900)) * time.Second)
		}
		if s.rng.Float64() < shareMistyped {
			s.w.login(s.rng, at.Add(-time.Duration(8+s.rng.IntN(20))*time.Second), s.p, s.p.address(), "login_failure")
		}
		s.w.login(s.rng, at, s.p, s.p.address(), "login_success")
	}
}

// login is a record of Google Workspace's log of sign-ins, in the form of the
// Reports API.
func (w *world) login(rng *rand.Rand, at time.Time, p *person, ip, name string) {
	parameters := []logs.Parameter{{Name: "login_type", Value: "google_password"}}
	if name == "login_success" {
		no := false
		parameters = append(parameters, logs.Parameter{Name: "login_challenge_method", Values: []string{"password", "security_key"}}, logs.Parameter{Name: "is_suspicious", Bool: &no})
	} else {
		parameters = append(parameters, logs.Parameter{Name: "login_failure_type", Value: "login_failure_invalid_password"})
	}
	r := logs.Activity{
		Kind:   "admin#reports#activity",
		ID:     logs.ActivityID{Time: at.UTC().Format("2006-01-02T15:04:05.000Z"), Qualifier: logs.Drawn(rng, 1, "123456789") + logs.Drawn(rng, 14, logs.Digits), Application: "login", Customer: "C0hoshino"},
		Actor:  logs.ActivityActor{Type: "USER", Email: p.email, Profile: fmt.Sprintf("1%020d", 7_000_003*(p.number+1))},
		IP:     ip,
		Events: []logs.ActivityEvent{{Type: "login", Name: name, Parameters: parameters}},
	}
	text, err := json.Marshal(r)
	if err != nil {
		w.interruptions = err
		return
	}
	w.add(signIns, at, text)
}
