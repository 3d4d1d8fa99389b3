package gcpaudit

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// caller is a class, how sure it is (0..1), and why.
type caller struct {
	class      event.Caller
	confidence float32
	why        string
}

// callerOf decides the class; the first evidence that holds wins: what Google
// writes of the credential, then the form of the name, and last the user agent,
// which the client chooses.
func callerOf(en *entry, a *actor) caller {
	for _, by := range [...]func(*entry, *actor) (caller, bool){byAgentOfGoogle, byKubernetes, byFederation, byKey, byPerson, byDelegation, byAccount} {
		if c, ok := by(en, a); ok {
			return c
		}
	}
	return caller{class: event.CallerUnknown}
}

func byAgentOfGoogle(en *entry, a *actor) (caller, bool) {
	switch {
	case a.agent != "" && a.agent == a.uid && a.typ == event.ActorMasked:
		return caller{event.CallerAWSService, 1, "service agent " + a.uid}, true
	case a.typ == event.ActorService:
		return caller{event.CallerAWSService, 1, "Google's own principal " + a.uid}, true
	case en.log() == "system_event":
		return caller{event.CallerAWSService, 0.9, "a system event"}, true
	}
	return caller{}, false
}

func byKubernetes(_ *entry, a *actor) (caller, bool) {
	if strings.HasPrefix(a.uid, "system:serviceaccount:") {
		return caller{event.CallerEKS, 1, "a Kubernetes service account"}, true
	}
	for _, name := range []string{a.uid, a.delegate} {
		if strings.Contains(name, ".svc.id.goog") {
			return caller{event.CallerEKS, 1, "workload identity of a GKE cluster"}, true
		}
	}
	return caller{}, false
}

// ciMarks are what principals of build services have in their names.
var ciMarks = [...]struct{ mark, name string }{
	{"repo:", "GitHub Actions"}, {"attribute.repository", "GitHub Actions"}, {"github", "GitHub Actions"},
	{"project_path:", "GitLab"}, {"gitlab", "GitLab"}, {"organization:", "HCP Terraform"}, {"terraform", "HCP Terraform"},
	{"circleci", "CircleCI"}, {"buildkite", "Buildkite"}, {"bitbucket", "Bitbucket"},
}

func byFederation(en *entry, a *actor) (caller, bool) {
	for _, name := range []string{a.uid, a.delegate} {
		if !strings.HasPrefix(name, "principal") {
			continue
		}
		if strings.Contains(name, "/workforcePools/") {
			return ofPerson(en.agent, "workforce identity")
		}
		for _, m := range ciMarks {
			if strings.Contains(name, m.mark) {
				return caller{event.CallerCI, 0.9, "workload identity that looks like " + m.name}, true
			}
		}
	}
	return caller{}, false
}

func byKey(_ *entry, a *actor) (caller, bool) {
	if a.credential == "" {
		return caller{}, false
	}
	return caller{event.CallerStaticKey, 0.95, "service account key " + a.credential}, true
}

func byPerson(en *entry, a *actor) (caller, bool) {
	switch {
	case a.typ == event.ActorUser && en.application() == "login":
		return caller{event.CallerConsole, 0.7, "a sign-in page's event"}, true
	case a.typ == event.ActorUser:
		return ofPerson(en.agent, "a user")
	case a.impersonate:
		return ofPerson(en.agent, "a user through a service account")
	}
	return caller{}, false
}

// ofPerson tells the console from command lines by the agent.
func ofPerson(agent, who string) (caller, bool) {
	switch {
	case isBrowser(agent), isConsole(agent):
		return caller{event.CallerConsole, 0.9, who + ", a browser's or the console's user agent"}, true
	case isCLI(agent):
		return caller{event.CallerPersonCLI, 0.9, who + ", a command line's user agent"}, true
	case agent == "":
		return caller{}, false
	}
	return caller{event.CallerPersonCLI, 0.6, who + ", a library's user agent"}, true
}

func isBrowser(agent string) bool { return strings.HasPrefix(agent, "Mozilla/") }

// isConsole knows the names the console's own servers call under.
func isConsole(agent string) bool {
	return strings.Contains(agent, "GoogleCloudConsole") || strings.Contains(agent, "Cloud Console") || strings.HasPrefix(agent, "Pantheon")
}

func isCLI(agent string) bool {
	for _, name := range []string{"gcloud/", "command/gcloud", "gsutil/", "kubectl/", "bq/", "Terraform/", "terraform", "Pulumi"} {
		if strings.Contains(agent, name) {
			return true
		}
	}
	return false
}

// handing are the classes of what gets its tokens from a service agent.
var handing = map[string]event.Caller{
	"compute.googleapis.com": event.CallerEC2, "container.googleapis.com": event.CallerEKS, "run.googleapis.com": event.CallerLambda,
	"cloudfunctions.googleapis.com": event.CallerLambda, "appengine.googleapis.com": event.CallerLambda, "cloudbuild.googleapis.com": event.CallerCI,
	"dataflow.googleapis.com": event.CallerEC2, "dataproc.googleapis.com": event.CallerEC2, "composer.googleapis.com": event.CallerEKS,
	"notebooks.googleapis.com": event.CallerEC2,
}

func byDelegation(en *entry, a *actor) (caller, bool) {
	if a.agent == "" {
		return caller{}, false
	}
	local, domain, _ := strings.Cut(a.agent, "@")
	service := serviceAgent(local, domain, en.account())
	if class, ok := handing[service]; ok {
		return caller{class, 0.9, "its token comes from the agent of " + service}, true
	}
	return caller{event.CallerAWSService, 0.7, "its token comes from the agent of " + service}, true
}

// byAccount reads what a service account's name and its agent tell.
func byAccount(en *entry, a *actor) (caller, bool) {
	_, domain, _ := strings.Cut(a.uid, "@")
	switch {
	case a.typ != event.ActorRole:
	case domain == "cloudbuild.gserviceaccount.com":
		return caller{event.CallerCI, 0.95, "Cloud Build's own service account"}, true
	case strings.Contains(en.agent, "environment/GCE"):
		return caller{event.CallerEC2, 0.8, "gcloud says that it runs on a virtual machine"}, true
	case strings.Contains(en.agent, "kube"), strings.Contains(en.agent, "cluster-autoscaler"), strings.HasPrefix(en.agent, "gke-"):
		return caller{event.CallerEKS, 0.6, "a Kubernetes component's user agent"}, true
	case domain == "developer.gserviceaccount.com":
		return caller{event.CallerEC2, 0.7, "the default service account of Compute Engine"}, true
	case domain == "appspot.gserviceaccount.com":
		return caller{event.CallerLambda, 0.6, "the default service account of App Engine and functions"}, true
	case strings.HasPrefix(en.agent, "AppEngine-Google"):
		return caller{event.CallerLambda, 0.6, "App Engine's user agent"}, true
	case en.network != "" || en.callerIP == "gce-internal-ip":
		return caller{event.CallerEC2, 0.5, "it calls from a VPC network"}, true
	}
	return caller{}, false
}
