package gcpaudit

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
)

// actor is who acted, by a name that stays the same from call to call.
type actor struct {
	typ        event.ActorType
	uid        string
	account    string // the project of a service account
	session    string // who acts through a service account
	credential string // the id of a service account's key
	invokedBy  string // the service of a service agent
	note       string

	agent       string // the service agent that vouched for a service account, or acts itself
	delegate    string // the principal behind a service account
	impersonate bool   // by a person
}

// actorOf finds the principal of an entry.
func actorOf(en *entry) actor {
	email := strings.ToLower(strings.TrimSpace(column.Str(en.authentication.Get("principalEmail"))))
	subject := column.Str(en.authentication.Get("principalSubject"))
	a := actor{uid: email}
	if key := column.Str(en.authentication.Get("serviceAccountKeyName")); key != "" {
		a.credential = key[strings.LastIndexByte(key, '/')+1:]
	}
	en.delegation(&a)
	if redactedName(email) {
		a.uid, a.note = "", column.Join(a.note, "principal redacted by Google")
		email = ""
	}
	if email == "" && !redactedName(subject) {
		kind, name, ok := strings.Cut(subject, ":")
		switch {
		case strings.HasPrefix(subject, "principal"):
			a.uid = subject
		case ok && (kind == "user" || kind == "serviceAccount"):
			a.uid = strings.ToLower(name)
		}
	}
	a.classify(en)
	return a
}

// redactedName tells a name that was made unreadable.
func redactedName(s string) bool {
	return s != "" && (strings.Contains(s, "...") || strings.Contains(s, "***") || strings.Contains(strings.ToLower(s), "redacted"))
}

// classify sets the type by the form of the name.
func (a *actor) classify(en *entry) {
	local, domain, isEmail := strings.Cut(a.uid, "@")
	switch {
	case a.uid == "":
		a.typ = event.ActorMasked
	case a.uid == "system:anonymous", a.uid == "allusers", a.uid == "anonymous":
		a.typ, a.uid = event.ActorAnonymous, ""
	case strings.HasPrefix(a.uid, "principal://"), strings.HasPrefix(a.uid, "principalset://"), strings.HasPrefix(a.uid, "principalSet://"):
		a.typ = event.ActorFederated
	case strings.HasPrefix(a.uid, "system:serviceaccount:"):
		a.typ = event.ActorRole // of Kubernetes
	case strings.HasPrefix(a.uid, "system:"):
		a.typ = event.ActorService
	case !isEmail:
		a.typ = event.ActorUnknown
	case strings.HasSuffix(a.uid, ".svc.id.goog") || strings.Contains(a.uid, ".svc.id.goog["):
		a.typ = event.ActorRole
	case domain == "google.com" && (local == "system" || strings.HasPrefix(local, "cloud-")), strings.HasSuffix(domain, "prod.google.com"),
		domain == "system.gserviceaccount.com":
		a.typ, a.invokedBy, a.agent = event.ActorService, a.uid, a.uid
	case serviceAgent(local, domain, en.account()) != "":
		a.typ, a.agent = event.ActorMasked, a.uid
		a.invokedBy = serviceAgent(local, domain, en.account())
		a.account = strings.TrimPrefix(local, "service-")
	case strings.HasSuffix(domain, "gserviceaccount.com"):
		a.typ, a.account = event.ActorRole, projectOf(local, domain)
	default:
		a.typ = event.ActorUser
	}
}

// projectOf is the project of a service account; of those that Google made its
// number.
func projectOf(local, domain string) string {
	if project, ok := strings.CutSuffix(domain, ".iam.gserviceaccount.com"); ok {
		return project
	}
	number, _, _ := strings.Cut(local, "-")
	if isNumber(number) {
		return number
	}
	return local // of App Engine: PROJECT@appspot.gserviceaccount.com
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// agentServices are the services of agents whose address does not say it.
// https://docs.cloud.google.com/iam/docs/service-agents
var agentServices = map[string]string{
	"compute-system": "compute.googleapis.com", "container-engine-robot": "container.googleapis.com",
	"gcp-sa-gkenode": "container.googleapis.com", "containerregistry": "containerregistry.googleapis.com",
	"dataproc-accounts": "dataproc.googleapis.com", "dataflow-service-producer-prod": "dataflow.googleapis.com",
	"cloudcomposer-accounts": "composer.googleapis.com", "gcf-admin-robot": "cloudfunctions.googleapis.com",
	"serverless-robot-prod": "run.googleapis.com", "gs-project-accounts": "storage.googleapis.com",
	"bigquery-encryption": "bigquery.googleapis.com", "cloud-ml.google.com": "ml.googleapis.com",
	"gae-api-prod.google.com": "appengine.googleapis.com", "gcp-gae-service": "appengine.googleapis.com",
	"cloud-redis": "redis.googleapis.com", "cloud-filer": "file.googleapis.com", "cloud-tpu": "tpu.googleapis.com",
	"dlp-api": "dlp.googleapis.com", "container-analysis": "containeranalysis.googleapis.com",
	"gcp-sa-notebooks-vm": "notebooks.googleapis.com", "gcp-sa-aiplatform-cc": "aiplatform.googleapis.com",
	"gcp-sa-aiplatform-vm": "aiplatform.googleapis.com", "gcp-sa-cloud-sql": "sqladmin.googleapis.com",
	"gcp-sa-bigquerydatatransfer": "bigquerydatatransfer.googleapis.com", "gcp-sa-cloudbuild": "cloudbuild.googleapis.com",
	"gcp-sa-gcf-build": "cloudfunctions.googleapis.com", "gcp-sa-firestore": "firestore.googleapis.com",
	"gcp-sa-mi": "metastore.googleapis.com", "gcp-sa-securitycenter": "securitycenter.googleapis.com",
	"security-center-api": "securitycenter.googleapis.com", "storage-transfer-service": "storagetransfer.googleapis.com",
}

// serviceAgent is the service whose agent an address is of: service-NUMBER@ in a
// project of Google's, NUMBER@cloudservices and the like. It is empty for service
// accounts that customers have made, whatever they called them: those are of
// their own project.
func serviceAgent(local, domain, project string) string {
	if domain == "cloudservices.gserviceaccount.com" && isNumber(local) {
		return domain // of the APIs of Google that make resources for others; it is no service's name
	}
	place, ok := strings.CutSuffix(domain, ".iam.gserviceaccount.com")
	if !ok || place == project {
		return ""
	}
	if service, known := agentServices[place]; known {
		return service
	}
	if name, ok := strings.CutPrefix(place, "gcp-sa-"); ok {
		return name + ".googleapis.com"
	}
	number, ok := strings.CutPrefix(local, "service-")
	if ok && len(number) >= 9 && isNumber(number) {
		return place
	}
	return ""
}

// delegation reads the chain of principals behind a service account: who
// impersonates it, or the service agent that hands its tokens to machines.
func (en *entry) delegation(a *actor) {
	for m := en.authentication.Get("serviceAccountDelegationInfo").First(); m.Exists(); m = m.Next() {
		name := strings.ToLower(column.Str(m.Get("firstPartyPrincipal").Get("principalEmail")))
		if name == "" {
			name = column.Str(m.Get("principalSubject"))
			name = strings.TrimPrefix(strings.TrimPrefix(name, "user:"), "serviceAccount:")
		}
		if name == "" || redactedName(name) {
			continue
		}
		local, domain, _ := strings.Cut(name, "@")
		if service := serviceAgent(local, domain, en.account()); service != "" {
			a.agent = name
			continue
		}
		a.delegate = name
	}
	if a.delegate == "" {
		return
	}
	a.session = a.delegate
	a.impersonate = !strings.HasSuffix(a.delegate, "gserviceaccount.com") && strings.Contains(a.delegate, "@")
	a.note = column.Join(a.note, "impersonated by "+a.delegate)
}
