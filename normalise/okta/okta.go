// Package okta reads events of Okta's System Log: sign-ins, second factors, changes
// of users, groups, applications and policies.
//
// The log does not name the organisation it is of; account_uid is the host of the
// address that was called, where the event tells that.
package okta

import (
	"net/url"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Format is the name of the format.
const Format = normalise.Okta

// Service is api_service of all events.
const Service = "okta.com"

// Normaliser reads the System Log. The zero value is ready and may be used from
// several goroutines.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is "okta.system".
func (Normaliser) Format() string { return Format }

// Append appends the event of r to dst.
func (Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	return record.Append(dst, r, Format, normalise.IsOkta, fill)
}

func fill(e *event.Event, d *record.Doc) error {
	root := d.Root
	when, err := record.Time(record.Fold(root, "published"), "published")
	if err != nil {
		return err
	}
	e.Time, e.CloudProvider, e.EventUID = when, "Okta", record.Fold(root, "uuid").String()
	e.APIService, e.APIOperation = Service, record.Fold(root, "eventType").String()
	if e.APIOperation == "" {
		return record.Nameless(record.Fold(root, "eventType"), "eventType")
	}
	e.APIRequestUID = record.At(root, "transaction", "id").String()
	debug := d.Within(record.Fold(root, "debugContext").Get("debugData"))
	for _, key := range []string{"origin", "url", "requestUri"} {
		if u, err := url.Parse(debug.Get(key).String()); err == nil && u.Host != "" {
			e.AccountUID = strings.ToLower(u.Hostname())
			break
		}
	}
	e.ClassUID, e.ActivityID = classOf(e.APIOperation)
	e.ReadOnly = e.ActivityID == 2 && e.ClassUID == event.ClassAPIActivity
	client := record.Fold(root, "client")
	e.UserAgent = record.First(record.At(client, "userAgent", "rawUserAgent").String(), client.Get("userAgent").String())
	e.SrcIP, e.SrcHost = record.Address(client.Get("ipAddress").String())
	if e.SrcIP == "" {
		e.SrcIP, _ = record.Address(record.At(root, "request", "ipChain").First().Get("ip").String())
	}
	device := record.Fold(root, "device")
	e.DeviceUID, e.DeviceName = device.Get("id").String(), device.Get("name").String()
	e.SeverityID = severities[record.Fold(root, "severity").String()]

	outcome := record.Fold(root, "outcome")
	result, reason := strings.ToUpper(outcome.Get("result").String()), outcome.Get("reason").String()
	e.Outcome = outcomeOf(e.APIOperation, result, reason)
	if e.Outcome != event.Success || result == "CHALLENGE" {
		e.StatusCode, e.StatusDetail = record.First(codeOf(reason), result), reason
	}
	who(e, root)
	about(e, record.Fold(root, "target"))
	return nil
}

// severities are OCSF's, of Okta's words.
var severities = map[string]int32{
	"DEBUG": event.SeverityInformational, "INFO": event.SeverityInformational, "WARN": event.SeverityLow, "ERROR": event.SeverityMedium,
}

// codeOf is the reason where it is one word in capitals, such as INVALID_CREDENTIALS.
func codeOf(reason string) string {
	for _, c := range []byte(reason) {
		if c != '_' && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return reason
}

// outcomeOf is one of the eight outcomes. A policy that asks for more (CHALLENGE)
// refuses nothing.
func outcomeOf(operation, result, reason string) event.Outcome {
	if strings.Contains(operation, "rate_limit.violation") {
		return event.Throttled
	}
	switch result {
	case "", "SUCCESS", "ALLOW", "CHALLENGE", "SKIPPED", "DEFERRED", "SCHEDULED":
		return event.Success
	case "DENY", "BLOCKED":
		return event.Denied
	case "RATE_LIMIT":
		return event.Throttled
	}
	class, _ := classOf(operation)
	switch r := strings.ToUpper(reason); {
	case strings.Contains(r, "CREDENTIAL"), strings.Contains(r, "LOCKED_OUT"), strings.Contains(r, "VERIFICATION_ERROR"),
		strings.Contains(r, "USER REJECTED"), strings.Contains(r, "PASSWORD"), strings.Contains(r, "INVALID_TOKEN"),
		class == event.ClassAuthentication && !strings.Contains(r, "DENY") && !strings.Contains(r, "NOT ASSIGNED"):
		return event.AuthFailed
	case strings.Contains(r, "DENY"), strings.Contains(r, "DENIED"), strings.Contains(r, "NOT ASSIGNED"), strings.Contains(r, "FORBIDDEN"),
		strings.Contains(r, "INSUFFICIENT"), strings.Contains(r, "UNAUTHORIZED"):
		return event.Denied
	case strings.Contains(r, "NOT_FOUND"), strings.Contains(r, "NOT FOUND"):
		return event.NotFound
	case strings.Contains(r, "INVALID"):
		return event.Invalid
	}
	return event.Failed
}

// classOf is OCSF's class and activity of an event type. OCSF 1.6.0: of
// Authentication logon 1, logoff 2; of Account Change create 1, enable 2, password
// change 3 and reset 4, disable 5, delete 6; of API Activity create 1, update 3,
// delete 4.
func classOf(typ string) (class, activity int32) {
	switch {
	case typ == "user.session.end", typ == "user.authentication.slo":
		return event.ClassAuthentication, 2
	case typ == "user.session.start", strings.HasPrefix(typ, "user.authentication."), strings.HasPrefix(typ, "app.oauth2.as.token"), strings.HasPrefix(typ, "app.oauth2.token"):
		return event.ClassAuthentication, 1
	}
	last := typ[strings.LastIndexByte(typ, '.')+1:]
	if strings.HasPrefix(typ, "user.lifecycle.") || strings.HasPrefix(typ, "user.account.") || strings.HasPrefix(typ, "user.mfa.factor.") {
		switch last {
		case "create":
			return event.ClassAccountChange, 1
		case "activate", "reactivate", "unsuspend", "unlock":
			return event.ClassAccountChange, 2
		case "update_password":
			return event.ClassAccountChange, 3
		case "reset_password":
			return event.ClassAccountChange, 4
		case "deactivate", "suspend", "lock":
			return event.ClassAccountChange, 5
		case "delete":
			return event.ClassAccountChange, 6
		}
		return event.ClassAccountChange, 99
	}
	switch last {
	case "create", "add", "grant":
		return event.ClassAPIActivity, 1
	case "update", "activate", "deactivate", "change":
		return event.ClassAPIActivity, 3
	case "delete", "remove", "revoke":
		return event.ClassAPIActivity, 4
	}
	return event.ClassAPIActivity, 99
}

// who sets the actor and the caller. A user is the login, which mostly is an e-mail
// address, in small letters.
func who(e *event.Event, root jsontree.Value) {
	actor := record.Fold(root, "actor")
	id, login, name := known(actor.Get("id")), known(actor.Get("alternateId")), known(actor.Get("displayName"))
	session := known(record.Fold(root, "authenticationContext").Get("externalSessionId"))
	e.ActorName = record.First(name, login)
	switch actor.Get("type").String() {
	case "User":
		e.ActorType, e.ActorUID = event.ActorUser, strings.ToLower(record.First(login, id))
		e.ActorSession = session
		if agent := e.UserAgent; strings.HasPrefix(agent, "Mozilla/") {
			e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerConsole, 0.8, "a user with a browser"
		} else if agent != "" {
			e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerPersonCLI, 0.5, "a user with "+record.Name(agent)
		}
	case "SystemPrincipal":
		e.ActorType, e.ActorUID = event.ActorService, strings.ToLower(record.First(login, id, name))
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerAWSService, 0.9, "Okta's own principal"
	default:
		e.ActorType, e.ActorUID = event.ActorRole, record.First(id, login)
	}
	if e.ActorUID == "" {
		e.ActorType, e.ActorName = event.ActorMasked, ""
	}
	if token := record.At(root, "transaction", "detail", "requestApiTokenId").String(); token != "" {
		e.ActorCredentialUID = token
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerStaticKey, 0.9, "with an API token (requestApiTokenId)"
	}
	e.ActorMFA = e.Outcome == event.Success && e.APIOperation == "user.authentication.auth_via_mfa"
}

// known is a text, but for the word with which Okta says that it does not know.
func known(v jsontree.Value) string {
	if s := v.String(); s != "unknown" {
		return s
	}
	return ""
}

// about sets the resources: users by their login, all else by id.
func about(e *event.Event, targets jsontree.Value) {
	const most = 50
	for v := targets.First(); v.Exists() && len(e.ResourceUIDs) < most; v = v.Next() {
		uid := record.First(known(v.Get("id")), known(v.Get("alternateId")), v.Get("displayName").String())
		if v.Get("type").String() == "User" {
			uid = strings.ToLower(record.First(known(v.Get("alternateId")), uid))
		}
		if uid == "" {
			continue
		}
		if e.ResourceUID == "" {
			e.ResourceUID, e.ResourceType = uid, v.Get("type").String()
		}
		e.ResourceUIDs = append(e.ResourceUIDs, uid)
	}
}
