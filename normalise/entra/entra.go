// Package entra reads the sign-in and audit logs of Microsoft Entra: sign-ins of
// users, with a person present or not, of service principals and of managed
// identities; and what was changed in the directory. Both come as diagnostic
// settings deliver them (category, properties) and as Microsoft Graph answers them.
//
// A sign-in's account is the tenant, its resource the application that was signed
// in to, by its application id. Error codes that only ask for more, a second factor
// or consent, are no failures of an attacker: they have the outcome error, and the
// code says which.
package entra

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/claims"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Service is api_service of sign-ins.
const Service = "login.microsoftonline.com"

// SignIns reads sign-in logs. The zero value is ready and may be used from several
// goroutines.
type SignIns struct{}

var _ normalise.Normaliser = SignIns{}

// Format is "entra.signin".
func (SignIns) Format() string { return normalise.EntraSignIn }

// Append appends the event of r to dst.
func (SignIns) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	return record.Append(dst, r, normalise.EntraSignIn, normalise.IsEntraSignIn, signIn)
}

// told is the record proper: properties, or in Graph's form the whole.
func told(d *record.Doc) jsontree.Value {
	if p := d.Within(d.Root.Get("properties")); p.Kind() == jsontree.Object {
		return p
	}
	return d.Root
}

func signIn(e *event.Event, d *record.Doc) error {
	root, p := d.Root, told(d)
	stamp, field := p.Get("createdDateTime"), "createdDateTime"
	if !stamp.Exists() {
		stamp, field = root.Get("time"), "time"
	}
	when, err := record.Time(stamp, field)
	if err != nil {
		return err
	}
	e.Time, e.CloudProvider, e.APIService = when, "Azure", Service
	e.EventUID = p.Get("id").String()
	e.APIRequestUID = record.First(p.Get("correlationId").String(), root.Get("correlationId").String())
	e.APIOperation = kindOf(root.Get("category").String(), p)
	e.ClassUID, e.ActivityID = event.ClassAuthentication, 1
	e.AccountUID = strings.ToLower(record.First(root.Get("tenantId").String(), p.Get("tenantId").String(), p.Get("resourceTenantId").String()))
	e.ResourceUID, e.ResourceType = strings.ToLower(p.Get("appId").String()), "application"
	if e.ResourceUID == "" {
		e.ResourceUID, e.ResourceType = strings.ToLower(p.Get("resourceId").String()), "service"
	}
	e.UserAgent = p.Get("userAgent").String()
	e.SrcIP, e.SrcHost = record.Address(record.First(p.Get("ipAddress").String(), root.Get("callerIpAddress").String()))
	device := d.Within(p.Get("deviceDetail"))
	e.DeviceUID, e.DeviceName = strings.ToLower(device.Get("deviceId").String()), device.Get("displayName").String()

	code, reason := status(d, p)
	e.Outcome = Outcome(code)
	if code != "0" {
		e.StatusCode, e.StatusDetail = code, reason
	}
	who(e, root, p)
	e.Message = signInMessage(e, p)
	return nil
}

// status is the error code, "0" for a sign-in, and its words.
func status(d *record.Doc, p jsontree.Value) (code, reason string) {
	s := d.Within(p.Get("status"))
	code = record.First(s.Get("errorCode").Text(), d.Root.Get("resultType").Text(), "0")
	reason = record.First(s.Get("failureReason").String(), d.Root.Get("resultDescription").String())
	if more := s.Get("additionalDetails").String(); more != "" {
		reason = strings.TrimSpace(reason + " " + more)
	}
	return code, reason
}

// kindOf is the kind of sign-in, as api_operation has it.
func kindOf(category string, p jsontree.Value) string {
	if kind, ok := strings.CutSuffix(category, "SignInLogs"); ok && kind != "" {
		return kind + "SignIn"
	}
	interactive, known := record.Truth(p.Get("isInteractive"))
	kinds := p.Get("signInEventTypes").Raw()
	switch {
	case strings.Contains(kinds, "managedIdentity"):
		return "ManagedIdentitySignIn"
	case strings.Contains(kinds, "servicePrincipal"), p.Get("servicePrincipalId").String() != "" && p.Get("userPrincipalName").String() == "":
		return "ServicePrincipalSignIn"
	case known && !interactive:
		return "NonInteractiveUserSignIn"
	}
	return "UserSignIn"
}

// who sets the actor and the caller of a sign-in.
func who(e *event.Event, root, p jsontree.Value) {
	t := claims.Token{
		UPN: p.Get("userPrincipalName").String(), Name: record.First(p.Get("userDisplayName").String(), root.Get("identity").String()),
		ObjectID: p.Get("userId").String(), AppID: p.Get("appId").String(), Kind: "user", Agent: e.UserAgent,
		Tenant: record.First(p.Get("homeTenantId").String(), e.AccountUID),
	}
	if id := p.Get("servicePrincipalId").String(); t.UPN == "" && t.ObjectID == "" && id != "" {
		t.Kind, t.ObjectID, t.Name = "app", id, p.Get("servicePrincipalName").String()
		t.Identity = p.Get("managedServiceIdentity").Get("associatedResourceId").String()
	}
	if !strings.Contains(t.UPN, "@") && t.ObjectID != "" {
		t.UPN = "" // the directory writes an id here where it hides or lost the name
	}
	t.MFA = e.Outcome == event.Success && strings.Contains(p.Get("authenticationRequirement").String(), "multiFactor")
	t.Actor(e)
	t.Caller(e)
	e.ActorCredentialUID = record.First(p.Get("servicePrincipalCredentialKeyId").String(), p.Get("federatedCredentialId").String())
	if t.Kind == "app" && t.Identity == "" {
		e.Caller, e.CallerConfidence, e.CallerEvidence = applicationOf(e.APIOperation, p)
		return
	}
	if t.Kind == "user" && e.Caller == event.CallerPersonCLI && e.CallerConfidence < 0.8 && p.Get("clientAppUsed").String() == "Browser" {
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerConsole, 0.7, "clientAppUsed is Browser"
	}
}

// applicationOf is what kind of thing signed in as an application.
func applicationOf(operation string, p jsontree.Value) (class event.Caller, confidence float32, why string) {
	kind := p.Get("clientCredentialType").String()
	switch {
	case operation == "ManagedIdentitySignIn":
		return event.CallerUnknown, 0.3, "a managed identity; the record does not say of what"
	case p.Get("federatedCredentialId").String() != "" || strings.HasPrefix(kind, "federated"):
		return event.CallerCI, 0.6, "a federated credential: a pipeline or a cluster outside"
	case kind == "clientSecret", kind == "certificate", kind == "clientAssertion":
		return event.CallerStaticKey, 0.9, "clientCredentialType is " + kind
	case p.Get("servicePrincipalCredentialKeyId").String() != "":
		return event.CallerStaticKey, 0.7, "signed in with a key of the application's own (servicePrincipalCredentialKeyId)"
	}
	return event.CallerUnknown, 0, ""
}

// signInMessage is one line of a sign-in.
func signInMessage(e *event.Event, p jsontree.Value) string {
	who := record.Name(record.First(e.ActorUID, "someone unnamed"))
	if e.ActorType == event.ActorRole {
		who = "application " + record.Name(record.First(e.ActorName, e.ActorUID))
	}
	said := " signed in"
	switch {
	case e.Outcome == event.Success && e.ActorMFA:
		said = " signed in with a second factor"
	case e.Outcome != event.Success:
		said = " did not sign in"
	}
	if app := record.First(p.Get("appDisplayName").String(), p.Get("resourceDisplayName").String()); app != "" {
		said += " to " + record.Name(app)
	}
	said += record.Where(e)
	if e.StatusCode != "" {
		said += ": " + record.Name(strings.TrimSpace(e.StatusCode+" "+e.StatusDetail))
	}
	return who + said
}
