package azureactivity

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise/record"
)

// OCSF 1.6.0 activity_id values of API Activity.
const (
	apiRead   int32 = 2
	apiUpdate int32 = 3
	apiDelete int32 = 4
	other     int32 = 99
)

// judge sets the columns that are judged rather than copied.
func judge(e *event.Event, d *record.Doc, a *activity) {
	e.ClassUID, e.ActivityID = event.ClassAPIActivity, other
	switch verb := a.operation[strings.LastIndexByte(a.operation, '/')+1:]; verb {
	case "read":
		e.ActivityID, e.ReadOnly = apiRead, true
	case "write":
		e.ActivityID = apiUpdate
	case "delete":
		e.ActivityID = apiDelete
	}
	e.Category = categoryOf(a)
	code, message, policies := failure(d, a)
	e.StatusCode, e.StatusDetail = code, message
	switch strings.ToLower(strings.TrimSuffix(a.result, ".")) {
	case "start", "started", "accept", "accepted", "inprogress", "in progress", "running", "updated":
		// The record of the end tells how it ended.
		e.Twin = e.Category == event.Management
		e.StatusCode, e.StatusDetail = "", ""
		return
	case "success", "succeeded", "active", "activated", "resolved", "informational", "":
		if a.operation != denyOperation {
			e.StatusCode, e.StatusDetail = "", ""
			return
		}
	}
	e.Outcome = outcomeOf(a.operation, code, a.httpCode)
	if e.Outcome == event.DeniedByOrgPolicy {
		if names := policyNames(policies); names != "" {
			e.StatusCode = names
		}
		if e.StatusDetail == "" {
			e.StatusDetail = code
		}
	}
}

// denyOperation is what a policy with the effect deny writes.
const denyOperation = "microsoft.authorization/policies/deny/action"

// categoryOf is the kind of log. What Azure concluded is no use of anything.
func categoryOf(a *activity) event.Category {
	switch a.category {
	case "Security", "ServiceHealth", "ResourceHealth", "Alert", "Recommendation":
		return event.Insight
	case "Policy":
		if strings.HasPrefix(a.operation, "microsoft.authorization/policies/audit") {
			return event.Insight
		}
	}
	return event.Management
}

// outcomeOf turns Azure Resource Manager's error code, or where there is none the
// status of its answer, into one of the eight outcomes
// (learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors).
func outcomeOf(operation, code, http string) event.Outcome {
	if operation == denyOperation {
		return event.DeniedByOrgPolicy
	}
	switch code {
	case "RequestDisallowedByPolicy", "PolicyViolation", "RequestDisallowedByAzure":
		return event.DeniedByOrgPolicy
	case "AuthorizationFailed", "LinkedAuthorizationFailed", "LinkedAccessCheckFailed", "Forbidden", "AccessDenied",
		"DenyAssignmentAuthorizationFailed", "AuthorizationPermissionMismatch", "ForbiddenByRbac", "ForbiddenByPolicy",
		"InsufficientPermissions", "Authorization_RequestDenied":
		return event.Denied
	case "AuthenticationFailed", "InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant", "ExpiredAuthenticationToken",
		"AuthenticationFailedMissingToken", "InvalidSignature", "Unauthorized":
		return event.AuthFailed
	case "TooManyRequests", "SubscriptionRequestsThrottled", "OperationThrottled", "RequestThrottled", "ResourceCollectionRequestsThrottled":
		return event.Throttled
	case "ScopeLocked", "Conflict", "AnotherOperationInProgress", "MissingSubscriptionRegistration", "NoRegisteredProviderFound",
		"SkuNotAvailable", "QuotaExceeded", "OperationNotAllowed", "ReadOnlyDisabledSubscription", "BadRequest":
		return event.Invalid
	}
	switch {
	case strings.Contains(code, "NotFound"), strings.Contains(code, "DoesNotExist"):
		return event.NotFound
	case strings.HasPrefix(code, "Invalid"), strings.HasPrefix(code, "Missing"), strings.Contains(code, "AlreadyExists"),
		strings.Contains(code, "AlreadyTaken"), strings.Contains(code, "Conflict"), strings.HasPrefix(code, "Unsupported"):
		return event.Invalid
	}
	return byStatus(http)
}

// byStatus is the outcome by the status of an answer, as a number or a word.
func byStatus(http string) event.Outcome {
	switch strings.ToLower(http) {
	case "403", "forbidden":
		return event.Denied
	case "401", "unauthorized":
		return event.AuthFailed
	case "404", "410", "notfound", "gone":
		return event.NotFound
	case "429", "toomanyrequests":
		return event.Throttled
	case "400", "405", "409", "412", "422", "badrequest", "conflict", "preconditionfailed", "methodnotallowed":
		return event.Invalid
	}
	return event.Failed
}

// failure is the error that the record tells, and the policies it names.
func failure(d *record.Doc, a *activity) (code, message string, policies []policy) {
	answer := d.Within(a.properties.Get("statusMessage"))
	if answer.Kind() == jsontree.String {
		message = answer.String()
	}
	failed := answer.Get("error")
	if !failed.Exists() {
		failed = answer
	}
	code, message = failed.Get("code").Text(), record.First(failed.Get("message").String(), message)
	if a.operation == denyOperation || isPolicy(code) {
		policies = policiesOf(d.Within(a.properties.Get("policies")), policies)
		policies = policiesOf(failed.Get("additionalInfo"), policies)
	}
	for detail := failed.Get("details").First(); detail.Exists(); detail = detail.Next() {
		// A deployment fails with a code of its own; why stands within.
		if c := detail.Get("code").Text(); code == "" || code == "InvalidTemplateDeployment" || code == "DeploymentFailed" || isPolicy(c) {
			code, message = record.First(c, code), record.First(detail.Get("message").String(), message)
		}
		if isPolicy(detail.Get("code").Text()) {
			policies = policiesOf(detail.Get("additionalInfo"), policies)
		}
	}
	if code == "" {
		code = a.httpCode
	}
	return code, message, policies
}

func isPolicy(code string) bool {
	return code == "RequestDisallowedByPolicy" || code == "PolicyViolation"
}

// policy is one that refused.
type policy struct{ definition, assignment string }

// policiesOf adds the policies of a list: properties.policies of the log, or
// additionalInfo of an error.
func policiesOf(list jsontree.Value, to []policy) []policy {
	for v := list.First(); v.Exists(); v = v.Next() {
		told := v
		if info := v.Get("info"); info.Kind() == jsontree.Object {
			told = info
		}
		p := policy{
			record.First(told.Get("policyDefinitionName").String(), last(told.Get("policyDefinitionId").String())),
			record.First(told.Get("policyAssignmentName").String(), last(told.Get("policyAssignmentId").String())),
		}
		if p != (policy{}) {
			to = append(to, p)
		}
	}
	return to
}

// policyNames are the names under which people know the policies.
func policyNames(policies []policy) string {
	var names []string
	for _, p := range policies {
		name := p.definition
		if name == "" || looksID(name) && p.assignment != "" && !looksID(p.assignment) {
			name = record.First(p.assignment, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

func last(id string) string {
	id = strings.TrimSuffix(id, "/")
	return id[strings.LastIndexByte(id, '/')+1:]
}
