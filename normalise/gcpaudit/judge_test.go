package gcpaudit

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
)

// eventOf is the event of an entry whose AuditLog has these members besides what
// every one has.
func eventOf(t *testing.T, log, members string) event.Event {
	t.Helper()
	if members != "" {
		members = "," + members
	}
	body := `{"insertId":"x","timestamp":"2026-03-02T09:00:00Z","resource":{"type":"project","labels":{"project_id":"shop"}},` +
		`"logName":"projects/shop/logs/cloudaudit.googleapis.com%2F` + log + `","protoPayload":{"serviceName":"compute.googleapis.com","methodName":"v1.compute.instances.insert"` + members + `}}`
	if !json.Valid([]byte(body)) {
		t.Fatalf("no JSON: %s", body)
	}
	events, err := Normaliser{}.Append(nil, event.Raw{Body: []byte(body), Received: received})
	if err != nil {
		t.Fatal(err)
	}
	return events[0]
}

// TestMasked: nobody is named where nobody is, and an agent stands for somebody.
func TestMasked(t *testing.T) {
	f := func(authentication string, typ event.ActorType, uid, invokedBy string) {
		t.Helper()
		e := eventOf(t, "activity", `"authenticationInfo":`+authentication)
		if e.ActorType != typ || e.ActorUID != uid || e.ActorInvokedBy != invokedBy {
			t.Errorf("%s: %s %q by %q; want %s %q by %q", authentication, e.ActorType, e.ActorUID, e.ActorInvokedBy, typ, uid, invokedBy)
		}
	}
	agent := func(email, service string) {
		t.Helper()
		f(`{"principalEmail":"`+email+`"}`, event.ActorMasked, email, service)
	}
	f(`{}`, event.ActorMasked, "", "")
	f(`null`, event.ActorMasked, "", "")
	f(`{"principalEmail":""}`, event.ActorMasked, "", "")
	f(`{"principalEmail":"mei...@example.com"}`, event.ActorMasked, "", "")
	f(`{"principalEmail":"<redacted>","principalSubject":"user:mei...@example.com"}`, event.ActorMasked, "", "")
	agent("service-100200300400@gcp-sa-notebooks.iam.gserviceaccount.com", "notebooks.googleapis.com")
	agent("service-100200300400@gcp-sa-notebooks-vm.iam.gserviceaccount.com", "notebooks.googleapis.com")
	agent("service-100200300400@gcp-sa-aiplatform.iam.gserviceaccount.com", "aiplatform.googleapis.com")
	agent("service-100200300400@compute-system.iam.gserviceaccount.com", "compute.googleapis.com")
	agent("service-100200300400@container-engine-robot.iam.gserviceaccount.com", "container.googleapis.com")
	agent("service-100200300400@cloudcomposer-accounts.iam.gserviceaccount.com", "composer.googleapis.com")
	agent("100200300400@cloudservices.gserviceaccount.com", "cloudservices.gserviceaccount.com")

	f(`{"principalEmail":"Mei.Tanaka@Example.com"}`, event.ActorUser, "mei.tanaka@example.com", "")
	f(`{"principalSubject":"user:Mei.Tanaka@example.com"}`, event.ActorUser, "mei.tanaka@example.com", "")
	f(`{"principalEmail":"deploy@shop.iam.gserviceaccount.com"}`, event.ActorRole, "deploy@shop.iam.gserviceaccount.com", "")
	f(`{"principalEmail":"service-100200300400@shop.iam.gserviceaccount.com"}`, event.ActorRole, "service-100200300400@shop.iam.gserviceaccount.com", "")
	f(`{"principalEmail":"100200300400@cloudbuild.gserviceaccount.com"}`, event.ActorRole, "100200300400@cloudbuild.gserviceaccount.com", "")
	f(`{"principalSubject":"principal://iam.googleapis.com/locations/global/workforcePools/hoshino/subject/mei"}`, event.ActorFederated, "principal://iam.googleapis.com/locations/global/workforcePools/hoshino/subject/mei", "")
	f(`{"principalEmail":"system:anonymous"}`, event.ActorAnonymous, "", "")
}

func TestOutcomes(t *testing.T) {
	f := func(log, members string, outcome event.Outcome, code string) {
		t.Helper()
		e := eventOf(t, log, members)
		if e.Outcome != outcome || e.StatusCode != code || (e.StatusID == event.StatusSuccess) != (outcome == event.Success) {
			t.Errorf("%s %s: %s %q; want %s %q", log, members, e.Outcome, e.StatusCode, outcome, code)
		}
	}
	const (
		violation = `"policyViolationInfo":{"orgPolicyViolationInfo":{"violationInfo":[{"constraint":"gcp.resourceLocations"},{"constraint":"constraints/compute.vmExternalIpAccess"},{"constraint":"gcp.resourceLocations"}]}}`
		both      = "constraints/compute.vmExternalIpAccess,constraints/gcp.resourceLocations"
		refused   = `"authorizationInfo":[{"permission":"a.b","granted":false},{"permission":"a.c"}]`
		granted   = `"authorizationInfo":[{"permission":"a.b"},{"permission":"a.c","granted":true}]`
	)
	f("activity", ``, event.Success, "")
	f("activity", `"status":{}`, event.Success, "")
	f("activity", `"status":{"code":7}`, event.Denied, "PERMISSION_DENIED")
	f("activity", `"status":{"code":"7"}`, event.Denied, "PERMISSION_DENIED")
	f("activity", `"status":{"code":"PERMISSION_DENIED"}`, event.Denied, "PERMISSION_DENIED")
	f("activity", `"status":{"code":16}`, event.AuthFailed, "UNAUTHENTICATED")
	f("activity", `"status":{"code":5}`, event.NotFound, "NOT_FOUND")
	f("activity", `"status":{"code":8}`, event.Throttled, "RESOURCE_EXHAUSTED")
	f("activity", `"status":{"code":3}`, event.Invalid, "INVALID_ARGUMENT")
	f("activity", `"status":{"code":13}`, event.Failed, "INTERNAL")
	f("activity", `"status":{"code":403}`, event.Denied, "403")
	f("activity", `"status":{"code":500}`, event.Failed, "500")

	f("data_access", refused, event.Denied, "PERMISSION_DENIED")
	f("data_access", granted, event.Success, "")
	f("data_access", refused+`,"status":{}`, event.Success, "")
	f("data_access", `"authorizationInfo":[{"resourceAttributes":{}}]`, event.Success, "")

	f("policy", violation+`,"status":{"code":7}`, event.DeniedByOrgPolicy, both)
	f("policy", violation+`,"status":{"code":9}`, event.DeniedByOrgPolicy, both)
	f("policy", violation, event.DeniedByOrgPolicy, both)
	f("policy", violation+`,"status":{}`, event.Success, "")
	f("policy", violation+`,`+granted, event.Success, "")
	f("policy", `"policyViolationInfo":{"orgPolicyViolationInfo":{}},"status":{}`, event.Success, "")
	f("policy", granted, event.Success, "")
	f("activity", `"status":{"code":9,"message":"Constraint constraints/compute.vmExternalIpAccess violated for project shop."}`, event.DeniedByOrgPolicy, "constraints/compute.vmExternalIpAccess")
	f("activity", `"status":{"code":7,"message":"denied by customConstraints/custom.one and constraints/iam.disableServiceAccountKeyCreation."}`, event.DeniedByOrgPolicy, "constraints/iam.disableServiceAccountKeyCreation,customConstraints/custom.one")
	f("activity", `"status":{"code":5,"message":"constraints/x.y was not found"}`, event.NotFound, "NOT_FOUND")

	const perimeter = `"metadata":{"@type":"type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata","vpcServiceControlsUniqueId":"abc"`
	f("policy", perimeter+`},"status":{"code":7}`, event.DeniedByOrgPolicy, VPCServiceControls)
	f("policy", perimeter+`}`, event.DeniedByOrgPolicy, VPCServiceControls)
	f("policy", perimeter+`,"dryRun":true},"status":{"code":7}`, event.Success, VPCServiceControls)
	f("activity", `"status":{"code":7,"message":"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc"}`, event.DeniedByOrgPolicy, VPCServiceControls)
	if e := eventOf(t, "policy", perimeter+`},"status":{"code":7,"message":"no"}`); !strings.Contains(e.StatusDetail, "vpcServiceControlsUniqueIdentifier: abc") || !strings.HasPrefix(e.StatusDetail, "no") {
		t.Errorf("detail %q", e.StatusDetail)
	}
}

func TestCallers(t *testing.T) {
	f := func(authentication, agent string, want event.Caller) {
		t.Helper()
		e := eventOf(t, "data_access", `"authenticationInfo":`+authentication+`,"requestMetadata":{"callerSuppliedUserAgent":"`+agent+`"}`)
		if e.Caller != want || (want != event.CallerUnknown) != (e.CallerEvidence != "" && e.CallerConfidence > 0) {
			t.Errorf("%s, %s: %s %v %q; want %s", authentication, agent, e.Caller, e.CallerConfidence, e.CallerEvidence, want)
		}
	}
	const user = `{"principalEmail":"mei@example.com"}`
	by := func(behind string) string {
		return `{"principalEmail":"app@shop.iam.gserviceaccount.com","serviceAccountDelegationInfo":[{"firstPartyPrincipal":{"principalEmail":"` + behind + `"}}]}`
	}
	f(user, "Mozilla/5.0 (X11; Linux x86_64),gzip(gfe)", event.CallerConsole)
	f(user, "google-cloud-sdk gcloud/548.0.0 command/gcloud.compute.instances.create", event.CallerPersonCLI)
	f(user, "google-api-python-client/2", event.CallerPersonCLI)
	f(user, "", event.CallerUnknown)
	f(by("mei@example.com"), "gcloud/548.0.0", event.CallerPersonCLI)
	f(by("service-100200300400@compute-system.iam.gserviceaccount.com"), "x", event.CallerEC2)
	f(by("service-100200300400@serverless-robot-prod.iam.gserviceaccount.com"), "x", event.CallerLambda)
	f(by("service-100200300400@container-engine-robot.iam.gserviceaccount.com"), "x", event.CallerEKS)
	f(`{"principalEmail":"app@shop.iam.gserviceaccount.com","serviceAccountKeyName":"//iam.googleapis.com/projects/shop/serviceAccounts/app/keys/0a"}`, "x", event.CallerStaticKey)
	f(`{"principalEmail":"app@shop.iam.gserviceaccount.com"}`, "x", event.CallerUnknown)
	f(`{"principalEmail":"100-compute@developer.gserviceaccount.com"}`, "x", event.CallerEC2)
	f(`{"principalEmail":"100200300400@cloudbuild.gserviceaccount.com"}`, "x", event.CallerCI)
	f(`{"principalEmail":"shop.svc.id.goog[jobs/runner]"}`, "x", event.CallerEKS)
	f(`{"principalEmail":"system:serviceaccount:jobs:runner"}`, "kubectl", event.CallerEKS)
	f(`{"principalSubject":"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/repo:harbour/shop:ref:refs/heads/main"}`, "x", event.CallerCI)
	f(`{"principalSubject":"principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/shop.svc.id.goog/subject/ns/jobs/sa/runner"}`, "x", event.CallerEKS)
}
