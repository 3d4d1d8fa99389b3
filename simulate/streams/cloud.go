package streams

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
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
	c := &cloud{org: drawn(rng, 1, "123456789") + drawn(rng, 11, digits), of: map[*estate.Person][]*project{}}
	teams := s.w.Teams
	for i := range projectCount {
		if len(teams) == 0 {
			break
		}
		p := &project{team: teams[i%len(teams)], number: drawn(rng, 1, "123456789") + drawn(rng, 11, digits)}
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

// change is something people do there.
type change struct {
	service, method, permission string
	name                        string // of what is made: %p project, %n name, %z zone, %l location
	kind                        string // resource.type
	labels                      []string
	command                     string // of the command line
	request                     string // @type
	long                        bool   // an operation that goes on
	// Where a policy of the organisation refuses it:
	constraint, policy string
	checked, message   string
}

// Each with the constraint that may stand against it.
var changes = []change{
	{"compute.googleapis.com", "v1.compute.instances.insert", "compute.instances.create", "projects/%p/zones/%z/instances/%n", "gce_instance", []string{"instance_id", "zone"}, "compute.instances.create", "type.googleapis.com/compute.instances.insert", true,
		"constraints/compute.vmExternalIpAccess", "LIST_CONSTRAINT", "projects/%p/zones/%z/instances/%n", "Constraint constraints/compute.vmExternalIpAccess violated for project %N. Add instance projects/%p/zones/%z/instances/%n to the constraint to use external IP with it."},
	{"compute.googleapis.com", "v1.compute.instances.insert", "compute.instances.create", "projects/%p/zones/%z/instances/%n", "gce_instance", []string{"instance_id", "zone"}, "compute.instances.create", "type.googleapis.com/compute.instances.insert", true,
		"constraints/compute.requireShieldedVm", "BOOLEAN_CONSTRAINT", "", "Constraint constraints/compute.requireShieldedVm violated for project projects/%p. Secure Boot is not enabled in the 'shielded_instance_config' field."},
	{"compute.googleapis.com", "v1.compute.instances.insert", "compute.instances.create", "projects/%p/zones/%z/instances/%n", "gce_instance", []string{"instance_id", "zone"}, "compute.instances.create", "type.googleapis.com/compute.instances.insert", true,
		"constraints/compute.trustedImageProjects", "LIST_CONSTRAINT", "projects/ubuntu-os-cloud", "Constraint constraints/compute.trustedImageProjects violated for project %p. Use of images from project ubuntu-os-cloud is prohibited."},
	{"storage.googleapis.com", "storage.buckets.create", "storage.buckets.create", "projects/_/buckets/%n", "gcs_bucket", []string{"bucket_name", "location"}, "storage.buckets.create", "", false,
		"constraints/storage.uniformBucketLevelAccess", "BOOLEAN_CONSTRAINT", "", "Request violates constraint 'constraints/storage.uniformBucketLevelAccess'"},
	{"storage.googleapis.com", "storage.buckets.create", "storage.buckets.create", "projects/_/buckets/%n", "gcs_bucket", []string{"bucket_name", "location"}, "storage.buckets.create", "", false,
		"constraints/gcp.resourceLocations", "LIST_CONSTRAINT", "us", "'us' violates constraint 'constraints/gcp.resourceLocations'"},
	{"iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccountKey", "iam.serviceAccountKeys.create", "projects/-/serviceAccounts/%n@%p.iam.gserviceaccount.com", "service_account", []string{"email_id"}, "iam.service-accounts.keys.create", "type.googleapis.com/google.iam.admin.v1.CreateServiceAccountKeyRequest", false,
		"constraints/iam.disableServiceAccountKeyCreation", "BOOLEAN_CONSTRAINT", "", "Key creation is not allowed on this service account."},
	{"cloudresourcemanager.googleapis.com", "SetIamPolicy", "resourcemanager.projects.setIamPolicy", "projects/%p", "project", nil, "projects.add-iam-policy-binding", "type.googleapis.com/google.iam.v1.SetIamPolicyRequest", false,
		"constraints/iam.allowedPolicyMemberDomains", "LIST_CONSTRAINT", "user:partner@elsewhere.example", "One or more users named in the policy do not belong to a permitted customer."},
	{"cloudsql.googleapis.com", "cloudsql.instances.create", "cloudsql.instances.create", "projects/%p/instances/%n", "cloudsql_database", []string{"database_id"}, "sql.instances.create", "type.googleapis.com/google.cloud.sql.v1.SqlInstancesInsertRequest", true,
		"constraints/sql.restrictPublicIp", "BOOLEAN_CONSTRAINT", "", "Organization Policy check failure: the external IP of this instance violates the constraints/sql.restrictPublicIp enforced at the %p project."},
	{"aiplatform.googleapis.com", "google.cloud.aiplatform.v1.JobService.CreateCustomJob", "aiplatform.customJobs.create", "projects/%N/locations/%l", "audited_resource", []string{"method", "service"}, "ai.custom-jobs.create", "type.googleapis.com/google.cloud.aiplatform.v1.CreateCustomJobRequest", false,
		"constraints/gcp.restrictServiceUsage", "LIST_CONSTRAINT", "aiplatform.googleapis.com", "Request is disallowed by organization's constraints/gcp.restrictServiceUsage constraint for projects/%N attempting to use service 'aiplatform.googleapis.com'."},
	{"notebooks.googleapis.com", notebook, "notebooks.instances.create", "projects/%p/locations/%z/instances/%n", "audited_resource", []string{"method", "service"}, "workbench.instances.create", "type.googleapis.com/google.cloud.notebooks.v2.CreateInstanceRequest", true,
		"constraints/ainotebooks.disableRootAccess", "BOOLEAN_CONSTRAINT", "", "Constraint constraints/ainotebooks.disableRootAccess violated for project %p: root access has to be off."},
	{"pubsub.googleapis.com", "google.pubsub.v1.Publisher.CreateTopic", "pubsub.topics.create", "projects/%p/topics/%n", "pubsub_topic", []string{"topic_id"}, "pubsub.topics.create", "type.googleapis.com/google.pubsub.v1.Topic", false, "", "", "", ""},
	{"iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccount", "iam.serviceAccounts.create", "projects/%p", "service_account", []string{"email_id"}, "iam.service-accounts.create", "type.googleapis.com/google.iam.admin.v1.CreateServiceAccountRequest", false, "", "", "", ""},
	{"run.googleapis.com", "google.cloud.run.v2.Services.CreateService", "run.services.create", "projects/%p/locations/%l/services/%n", "audited_resource", []string{"method", "service"}, "run.deploy", "type.googleapis.com/google.cloud.run.v2.CreateServiceRequest", true, "", "", "", ""},
}

const notebook = "google.cloud.notebooks.v2.NotebookService.CreateInstance"

// A record of the audit log, as far as we write it
// (cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry).
type entry struct {
	Payload   payload    `json:"protoPayload"`
	InsertID  string     `json:"insertId"`
	Resource  monitored  `json:"resource"`
	Timestamp string     `json:"timestamp"`
	Severity  string     `json:"severity"`
	LogName   string     `json:"logName"`
	Operation *operation `json:"operation,omitempty"`
	Received  string     `json:"receiveTimestamp"`
}

type payload struct {
	Type     string          `json:"@type"`
	Status   *status         `json:"status,omitempty"`
	Who      authentication  `json:"authenticationInfo"`
	Meta     requestMeta     `json:"requestMetadata"`
	Service  string          `json:"serviceName"`
	Method   string          `json:"methodName"`
	Allowed  []authorization `json:"authorizationInfo,omitempty"`
	Resource string          `json:"resourceName"`
	Request  map[string]any  `json:"request,omitempty"`
	Place    *place          `json:"resourceLocation,omitempty"`
	Policy   *policyInfo     `json:"policyViolationInfo,omitempty"`
}

type status struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type authentication struct {
	Email   string `json:"principalEmail,omitempty"`
	Subject string `json:"principalSubject,omitempty"`
}

type requestMeta struct {
	IP          string         `json:"callerIp"`
	Agent       string         `json:"callerSuppliedUserAgent,omitempty"`
	Request     map[string]any `json:"requestAttributes"`
	Destination struct{}       `json:"destinationAttributes"`
}

type authorization struct {
	Permission string   `json:"permission"`
	Granted    bool     `json:"granted,omitempty"`
	Resource   string   `json:"resource"`
	Attributes struct{} `json:"resourceAttributes"`
}

type place struct {
	Locations []string `json:"currentLocations"`
}

type policyInfo struct {
	Org orgPolicy `json:"orgPolicyViolationInfo"`
}

type orgPolicy struct {
	ResourceType string      `json:"resourceType"`
	Violations   []violation `json:"violationInfo"`
}

type violation struct {
	Constraint string `json:"constraint"`
	Message    string `json:"errorMessage"`
	Checked    string `json:"checkedValue,omitempty"`
	PolicyType string `json:"policyType"`
}

type monitored struct {
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
}

type operation struct {
	ID       string `json:"id"`
	Producer string `json:"producer"`
	First    bool   `json:"first,omitempty"`
	Last     bool   `json:"last,omitempty"`
}

// act is one change of somebody in a project.
type act struct {
	at       time.Time
	project  *project
	what     *change
	email    string // of whom; empty: masked
	account  bool   // a service account
	ip       string
	agent    string
	name     string
	refused  bool   // by the policy of the organisation
	id       string // insertId, where a label names it
	location string
	rng      *rand.Rand
}

const (
	activityLog = "activity"
	policyLog   = "policy"
)

func (a *act) fill(s string) string {
	return strings.NewReplacer("%p", a.project.id, "%N", a.project.number, "%n", a.name, "%z", a.location+"-b", "%l", a.location).Replace(s)
}

// entry is the record of a.
func (a *act) entry(log string) *entry {
	stamp := a.at.UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	e := &entry{
		InsertID: drawn(a.rng, 12+a.rng.IntN(2), letters), Timestamp: stamp, Severity: "NOTICE",
		Received: a.at.UTC().Add(time.Duration(200+a.rng.IntN(1800)) * time.Millisecond).Format("2006-01-02T15:04:05.000000000Z07:00"),
		LogName:  "projects/" + a.project.id + "/logs/cloudaudit.googleapis.com%2F" + log,
		Resource: monitored{a.what.kind, map[string]string{"project_id": a.project.id}},
		Payload: payload{
			Type: "type.googleapis.com/google.cloud.audit.AuditLog", Service: a.what.service, Method: a.what.method, Resource: a.fill(a.what.name),
			Meta:    requestMeta{IP: a.ip, Agent: a.agent, Request: map[string]any{"time": stamp, "auth": map[string]any{}}},
			Allowed: []authorization{{Permission: a.what.permission, Granted: true, Resource: a.fill(a.what.name)}},
			Place:   &place{[]string{a.location}},
		},
	}
	if a.email != "" {
		e.Payload.Who = authentication{a.email, "user:" + a.email}
		if a.account {
			e.Payload.Who.Subject = "serviceAccount:" + a.email
		}
	}
	if a.what.request != "" {
		e.Payload.Request = map[string]any{"@type": a.what.request, "name": a.name}
	}
	for _, l := range a.what.labels {
		e.Resource.Labels[l] = map[string]string{
			"instance_id": drawn(a.rng, 19, "123456789"), "zone": a.location + "-b", "bucket_name": a.name, "location": a.location,
			"email_id": a.name + "@" + a.project.id + ".iam.gserviceaccount.com", "database_id": a.project.id + ":" + a.name,
			"topic_id": a.fill(a.what.name), "method": a.what.method, "service": a.what.service,
		}[l]
	}
	return e
}

// refusal is the record of a in the log of what policies denied.
func (a *act) refusal() *entry {
	e := a.entry(policyLog)
	e.Severity = "ERROR"
	code := 9 // FAILED_PRECONDITION
	if a.what.constraint == "constraints/gcp.restrictServiceUsage" || a.what.constraint == "constraints/storage.uniformBucketLevelAccess" {
		code = 7 // PERMISSION_DENIED
	}
	message := a.fill(a.what.message)
	e.Payload.Status = &status{code, message}
	e.Payload.Allowed, e.Payload.Place = nil, nil
	e.Resource = monitored{"audited_resource", map[string]string{"project_id": a.project.id, "method": a.what.method, "service": a.what.service}}
	kind, _, _ := strings.Cut(a.what.service, ".")
	e.Payload.Policy = &policyInfo{orgPolicy{
		ResourceType: a.what.service + "/" + strings.ToUpper(kind[:1]) + kind[1:],
		Violations:   []violation{{a.what.constraint, message, a.fill(a.what.checked), a.what.policy}},
	}}
	return e
}

// write puts the records of a into the logs.
func (a *act) write(activity, policy *log) error {
	if a.refused {
		return policy.addJSON(a.at, a.refusal())
	}
	e := a.entry(activityLog)
	if !a.what.long {
		return activity.addJSON(a.at, e)
	}
	e.Operation = &operation{ID: fmt.Sprintf("operation-%d-%s-%s", a.at.UnixMilli(), drawn(a.rng, 13, hexes), drawn(a.rng, 8, hexes)), Producer: a.what.service, First: true}
	if err := activity.addJSON(a.at, e); err != nil {
		return err
	}
	done := *a
	done.at = a.at.Add(time.Duration(4000+a.rng.IntN(50000)) * time.Millisecond)
	last := done.entry(activityLog)
	last.Operation = &operation{ID: e.Operation.ID, Producer: a.what.service, Last: true}
	last.Payload.Allowed, last.Payload.Request = nil, nil
	return activity.addJSON(done.at, last)
}

// By whom things are named.
var things = []string{"train", "web", "batch", "etl", "notebook", "sandbox", "cache", "report", "feature", "demo"}

// act draws a change of a person.
func (s *scene) act(d *shift, p *project, at time.Time) *act {
	c := &changes[d.rng.IntN(len(changes))]
	a := &act{at: at, project: p, what: c, email: d.person.Email, ip: d.address, rng: d.rng, location: s.location(p)}
	a.name = fmt.Sprintf("%s-%s-%s", p.team.Name, one(d.rng, things), drawn(d.rng, 4, letters))
	m := machineOf(d.person)
	if a.agent = m.gcloudAgent(c.command, drawn(d.rng, 32, hexes)); d.rng.IntN(3) == 0 {
		a.agent = m.browser + ",gzip(gfe)" // the console
	}
	a.refused = c.constraint != "" && d.rng.Float64() < shareRefused
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
			if err := a.put(activity, policy); err != nil {
				return err
			}
		}
	}
	var today time.Time
	err := s.shifts(ctx, "gcp", func(d *shift) error {
		for _, p := range s.cloud.of[d.person] {
			for range poisson(d.rng, cloudCalls/float64(len(s.cloud.of[d.person]))) {
				if err := s.act(d, p, d.moment()).write(activity, policy); err != nil {
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
		if err := activity.flush(until); err != nil {
			return err
		}
		return policy.flush(until)
	})
	if perr := policy.finish(err); err == nil {
		err = perr
	}
	return activity.finish(err)
}

// pipelines make changes on a workday.
func (s *scene) pipelines(day time.Time, activity, policy *log) error {
	for _, p := range s.cloud.projects {
		if !estate.Workday(p.team.Country, day) {
			continue
		}
		rng := s.chance("gcp pipeline", p.id, day.Unix())
		for range poisson(rng, pipelineCalls) {
			at := day.Add(time.Duration(rng.Float64() * float64(24*time.Hour))).Truncate(time.Millisecond)
			c := &changes[rng.IntN(len(changes))]
			a := &act{at: at, project: p, what: c, email: p.pipeline, account: true, ip: addressCI, agent: agentTerraform, rng: rng, location: s.location(p)}
			a.name = fmt.Sprintf("%s-%s-%s", p.team.Name, one(rng, things), drawn(rng, 4, letters))
			if err := a.write(activity, policy); err != nil {
				return err
			}
		}
	}
	return nil
}
