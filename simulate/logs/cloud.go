package logs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Change is something people do at Google Cloud.
type Change struct {
	Service, Method, Permission string
	Name                        string   // of what is made: %p project, %N its number, %n name, %z zone, %l location
	Kind                        string   // resource.type
	Labels                      []string // of the resource
	Command                     string   // of the command line
	Request                     string   // @type
	Long                        bool     // an operation that goes on
	// Where a policy of the organisation refuses it:
	Constraint, Policy string
	Checked, Message   string
}

// Changes are what people do in every project, each with the constraint that may
// stand against it.
var Changes = []Change{
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
	{"notebooks.googleapis.com", Notebook, "notebooks.instances.create", "projects/%p/locations/%z/instances/%n", "audited_resource", []string{"method", "service"}, "workbench.instances.create", "type.googleapis.com/google.cloud.notebooks.v2.CreateInstanceRequest", true,
		"constraints/ainotebooks.disableRootAccess", "BOOLEAN_CONSTRAINT", "", "Constraint constraints/ainotebooks.disableRootAccess violated for project %p: root access has to be off."},
	{"pubsub.googleapis.com", "google.pubsub.v1.Publisher.CreateTopic", "pubsub.topics.create", "projects/%p/topics/%n", "pubsub_topic", []string{"topic_id"}, "pubsub.topics.create", "type.googleapis.com/google.pubsub.v1.Topic", false, "", "", "", ""},
	{"iam.googleapis.com", "google.iam.admin.v1.CreateServiceAccount", "iam.serviceAccounts.create", "projects/%p", "service_account", []string{"email_id"}, "iam.service-accounts.create", "type.googleapis.com/google.iam.admin.v1.CreateServiceAccountRequest", false, "", "", "", ""},
	{"run.googleapis.com", "google.cloud.run.v2.Services.CreateService", "run.services.create", "projects/%p/locations/%l/services/%n", "audited_resource", []string{"method", "service"}, "run.deploy", "type.googleapis.com/google.cloud.run.v2.CreateServiceRequest", true, "", "", "", ""},
}

// Notebook is the method that makes a Workbench instance.
const Notebook = "google.cloud.notebooks.v2.NotebookService.CreateInstance"

// Entry is a record of the audit log, as far as we write it
// (cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry).
type Entry struct {
	Payload   Payload    `json:"protoPayload"`
	InsertID  string     `json:"insertId"`
	Resource  Monitored  `json:"resource"`
	Timestamp string     `json:"timestamp"`
	Severity  string     `json:"severity"`
	LogName   string     `json:"logName"`
	Operation *Operation `json:"operation,omitempty"`
	Received  string     `json:"receiveTimestamp"`
}

// Payload is the AuditLog in an Entry.
type Payload struct {
	Type     string          `json:"@type"`
	Status   *Status         `json:"status,omitempty"`
	Who      Authentication  `json:"authenticationInfo"`
	Meta     RequestMeta     `json:"requestMetadata"`
	Service  string          `json:"serviceName"`
	Method   string          `json:"methodName"`
	Allowed  []Authorization `json:"authorizationInfo,omitempty"`
	Resource string          `json:"resourceName"`
	Request  map[string]any  `json:"request,omitempty"`
	Place    *Place          `json:"resourceLocation,omitempty"`
	Policy   *PolicyInfo     `json:"policyViolationInfo,omitempty"`
	Metadata map[string]any  `json:"metadata,omitempty"`
}

// Status is how a call ended, where it did not succeed.
type Status struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details []any  `json:"details,omitempty"`
}

// Authentication is who called; empty: the log does not say.
type Authentication struct {
	Email   string `json:"principalEmail,omitempty"`
	Subject string `json:"principalSubject,omitempty"`
}

// RequestMeta is where the call came from.
type RequestMeta struct {
	IP          string         `json:"callerIp"`
	Agent       string         `json:"callerSuppliedUserAgent,omitempty"`
	Request     map[string]any `json:"requestAttributes"`
	Destination struct{}       `json:"destinationAttributes"`
}

// Authorization is a permission that was asked for.
type Authorization struct {
	Permission string   `json:"permission"`
	Granted    bool     `json:"granted,omitempty"`
	Resource   string   `json:"resource"`
	Attributes struct{} `json:"resourceAttributes"`
}

// Place is where the resource lies.
type Place struct {
	Locations []string `json:"currentLocations"`
}

// PolicyInfo is what policies of the organisation say of a call.
type PolicyInfo struct {
	Org OrgPolicy `json:"orgPolicyViolationInfo"`
}

// OrgPolicy holds the violations of constraints.
type OrgPolicy struct {
	ResourceType string      `json:"resourceType,omitempty"`
	Violations   []Violation `json:"violationInfo,omitempty"`
}

// Violation is of one constraint.
type Violation struct {
	Constraint string `json:"constraint"`
	Message    string `json:"errorMessage"`
	Checked    string `json:"checkedValue,omitempty"`
	PolicyType string `json:"policyType"`
}

// Monitored is the resource that the entry is filed under.
type Monitored struct {
	Type   string            `json:"type"`
	Labels map[string]string `json:"labels"`
}

// Operation ties the entries of a long-running operation.
type Operation struct {
	ID       string `json:"id"`
	Producer string `json:"producer"`
	First    bool   `json:"first,omitempty"`
	Last     bool   `json:"last,omitempty"`
}

// Act is one change of somebody in a project.
type Act struct {
	At              time.Time
	Project, Number string // of the project: its id and number
	What            *Change
	Email           string // of whom; empty: masked
	Account         bool   // a service account
	IP, Agent       string
	Name            string // of what is made
	Refused         bool   // by the policy of the organisation
	ID              string // insertId, where a label names it
	Location        string // region
	RNG             *rand.Rand
}

// Logs of an audit log.
const (
	ActivityLog = "activity"
	PolicyLog   = "policy"
	DataLog     = "data_access"
)

// Fill puts what a names into a template of Change.
func (a *Act) Fill(s string) string {
	return strings.NewReplacer("%p", a.Project, "%N", a.Number, "%n", a.Name, "%z", a.Location+"-b", "%l", a.Location).Replace(s)
}

// Entry is the record of a.
func (a *Act) Entry(log string) *Entry {
	stamp := a.At.UTC().Format("2006-01-02T15:04:05.000000Z07:00")
	e := &Entry{
		InsertID: Drawn(a.RNG, 12+a.RNG.IntN(2), Letters), Timestamp: stamp, Severity: "NOTICE",
		Received: a.At.UTC().Add(time.Duration(200+a.RNG.IntN(1800)) * time.Millisecond).Format("2006-01-02T15:04:05.000000000Z07:00"),
		LogName:  "projects/" + a.Project + "/logs/cloudaudit.googleapis.com%2F" + log,
		Resource: Monitored{a.What.Kind, map[string]string{"project_id": a.Project}},
		Payload: Payload{
			Type: "type.googleapis.com/google.cloud.audit.AuditLog", Service: a.What.Service, Method: a.What.Method, Resource: a.Fill(a.What.Name),
			Meta:    RequestMeta{IP: a.IP, Agent: a.Agent, Request: map[string]any{"time": stamp, "auth": map[string]any{}}},
			Allowed: []Authorization{{Permission: a.What.Permission, Granted: true, Resource: a.Fill(a.What.Name)}},
			Place:   &Place{[]string{a.Location}},
		},
	}
	if a.Email != "" {
		e.Payload.Who = Authentication{a.Email, "user:" + a.Email}
		if a.Account {
			e.Payload.Who.Subject = "serviceAccount:" + a.Email
		}
	}
	if a.What.Request != "" {
		e.Payload.Request = map[string]any{"@type": a.What.Request, "name": a.Name}
	}
	for _, l := range a.What.Labels {
		e.Resource.Labels[l] = map[string]string{
			"instance_id": Drawn(a.RNG, 19, "123456789"), "zone": a.Location + "-b", "bucket_name": a.Name, "location": a.Location,
			"email_id": a.Name + "@" + a.Project + ".iam.gserviceaccount.com", "database_id": a.Project + ":" + a.Name,
			"topic_id": a.Fill(a.What.Name), "method": a.What.Method, "service": a.What.Service,
		}[l]
	}
	return e
}

// Refusal is the record of a in the log of what policies denied.
func (a *Act) Refusal() *Entry {
	e := a.Entry(PolicyLog)
	e.Severity = "ERROR"
	code := 9 // FAILED_PRECONDITION
	if a.What.Constraint == "constraints/gcp.restrictServiceUsage" || a.What.Constraint == "constraints/storage.uniformBucketLevelAccess" {
		code = 7 // PERMISSION_DENIED
	}
	message := a.Fill(a.What.Message)
	e.Payload.Status = &Status{Code: code, Message: message}
	e.Payload.Allowed, e.Payload.Place = nil, nil
	e.Resource = Monitored{"audited_resource", map[string]string{"project_id": a.Project, "method": a.What.Method, "service": a.What.Service}}
	kind, _, _ := strings.Cut(a.What.Service, ".")
	e.Payload.Policy = &PolicyInfo{OrgPolicy{
		ResourceType: a.What.Service + "/" + strings.ToUpper(kind[:1]) + kind[1:],
		Violations:   []Violation{{a.What.Constraint, message, a.Fill(a.What.Checked), a.What.Policy}},
	}}
	return e
}

// Write puts the records of a into the logs.
func (a *Act) Write(activity, policy *Log) error {
	if a.Refused {
		return policy.AddJSON(a.At, a.Refusal())
	}
	e := a.Entry(ActivityLog)
	if !a.What.Long {
		return activity.AddJSON(a.At, e)
	}
	e.Operation = &Operation{ID: fmt.Sprintf("operation-%d-%s-%s", a.At.UnixMilli(), Drawn(a.RNG, 13, Hexes), Drawn(a.RNG, 8, Hexes)), Producer: a.What.Service, First: true}
	if err := activity.AddJSON(a.At, e); err != nil {
		return err
	}
	done := *a
	done.At = a.At.Add(time.Duration(4000+a.RNG.IntN(50000)) * time.Millisecond)
	last := done.Entry(ActivityLog)
	last.Operation = &Operation{ID: e.Operation.ID, Producer: a.What.Service, Last: true}
	last.Payload.Allowed, last.Payload.Request = nil, nil
	return activity.AddJSON(done.At, last)
}
