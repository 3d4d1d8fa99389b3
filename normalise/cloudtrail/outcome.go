package cloudtrail

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// signInResult is what a sign-in record says in responseElements under the
// operation's own name ("Success", "Failure"), else empty.
func signInResult(rec *record) string {
	if rec.typ != typeSignIn && rec.typ != typeService && rec.name != "ConsoleLogin" {
		return ""
	}
	for _, in := range [...]jsontree.Value{rec.response, rec.service} {
		if s := column.Str(in.Get(rec.name)); s != "" {
			return s
		}
	}
	return ""
}

// outcomeOf turns an error code, its message and a sign-in's result into one of
// the eight outcomes.
//
// denied is "who you are may not do this", denied_by_org_policy the same said
// by a service or resource control policy, auth_failed "we do not believe who
// you are", invalid "no one could do this as it was asked or as things stand",
// error all that is left, among it dry runs and services never opted into.
func outcomeOf(code, message, signIn string) event.Outcome {
	if code == "" {
		switch {
		case strings.EqualFold(signIn, "Failure"), message == "Failed authentication",
			strings.HasPrefix(message, "No username found"):
			return event.AuthFailed
		case message != "" && !strings.EqualFold(signIn, "Success"):
			return event.Failed
		}
		return event.Success
	}
	o := outcomeOfCode(bareCode(code))
	if o == event.Denied && byOrgPolicy(message) {
		return event.DeniedByOrgPolicy
	}
	return o
}

// byOrgPolicy recognises what AWS says when an organisation's policy denied:
// "with an explicit deny in a service control policy", "because no service
// control policy allows the … action", and both for resource control policies.
func byOrgPolicy(message string) bool {
	return strings.Contains(message, "service control policy") ||
		strings.Contains(message, "resource control policy")
}

// bareCode takes off what services put around an error's name:
// "Client.", "Server.", "com.amazon.coral.service#", and the ending
// "Exception".
func bareCode(code string) string {
	code = afterLast(code, '#')
	code = strings.TrimPrefix(code, "Client.")
	code = strings.TrimPrefix(code, "Server.")
	return strings.TrimSuffix(code, "Exception")
}

func outcomeOfCode(code string) event.Outcome {
	switch code {
	case "AccessDenied", "UnauthorizedOperation", "UnauthorizedAccess", "Unauthorized", "NotAuthorized",
		"AuthorizationError", "Forbidden", "AccessForbidden", "VpceAccessDenied", "KMSAccessDenied", "KMS.AccessDenied",
		"AccountProblem", "AllAccessDisabled", "AccessDeniedFault", "ExplicitDeny", "S3AccessDenied":
		return event.Denied
	case "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch", "InvalidSignature",
		"ExpiredToken", "InvalidAccessKeyId", "AuthFailure", "InvalidToken", "TokenRefreshRequired",
		"IncompleteSignature", "MissingAuthenticationToken", "InvalidIdentityToken", "IDPRejectedClaim",
		"RequestExpired", "InvalidSecurityToken", "NotSignedUp", "ExpiredTokenId":
		return event.AuthFailed
	case "RequestLimitExceeded", "TooManyRequests", "SlowDown", "ProvisionedThroughputExceeded",
		"RequestThrottled", "BandwidthLimitExceeded", "PriorRequestNotComplete", "EC2Throttled", "Throttled":
		return event.Throttled
	case "DryRunOperation", "OptInRequired", "SubscriptionRequired":
		return event.Failed
	case "Disabled", "KMSInvalidState", "IncorrectKey", "EntityTemporarilyUnmodifiable", "DeleteConflict",
		"BucketNotEmpty", "ResourceInUse", "Conflict", "OperationAborted", "UnsupportedOperation",
		"PasswordPolicyViolation", "IncorrectState", "IncorrectInstanceState":
		return event.Invalid
	}
	switch {
	case strings.HasPrefix(code, "AccessDenied"):
		return event.Denied
	case strings.HasPrefix(code, "Throttl"):
		return event.Throttled
	case strings.HasPrefix(code, "NoSuch"), strings.Contains(code, "NotFound"), strings.Contains(code, "DoesNotExist"),
		strings.Contains(code, "NonExistent"), strings.HasPrefix(code, "UnknownResource"):
		return event.NotFound
	case strings.HasPrefix(code, "Invalid"), strings.HasPrefix(code, "Validation"), strings.HasPrefix(code, "Malformed"),
		strings.HasPrefix(code, "Missing"), strings.HasPrefix(code, "Unknown"), strings.HasPrefix(code, "Bad"),
		strings.Contains(code, "AlreadyExists"), strings.Contains(code, "AlreadyOwned"), strings.HasSuffix(code, "Conflict"),
		strings.HasPrefix(code, "Illegal"), strings.HasPrefix(code, "Unsupported"):
		return event.Invalid
	}
	return event.Failed
}

// severityOf is the event's own weight, which is no judgement: informational,
// low where a caller was turned away, medium where AWS itself calls the
// activity unusual. Judging is detection's work.
func severityOf(o event.Outcome, eventType string) int32 {
	switch {
	case eventType == typeInsight:
		return event.SeverityMedium
	case o == event.Denied, o == event.DeniedByOrgPolicy, o == event.AuthFailed:
		return event.SeverityLow
	}
	return event.SeverityInformational
}
