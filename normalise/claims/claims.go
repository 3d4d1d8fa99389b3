// Package claims tells who stands behind a token of Microsoft Entra, from the
// claims that Azure's logs repeat and from what sign-in logs say beside them: one
// stable actor for a person, one for an application, and what kind of thing made
// the call.
//
// A person is the user principal name in small letters, and where a record has
// only the object id, that. An application, service principal or managed identity
// is its object id, and where there is none, its application id. The object id of
// a person known by name is kept as the actor's session, so that records with only
// the id can be found.
package claims

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Token is what is known of the token of a call.
type Token struct {
	UPN      string // the user's principal name
	Name     string // for people: the display name of a user or an application
	ObjectID string // of the user or service principal, in its tenant
	AppID    string // the application that asked for the token
	Tenant   string
	Kind     string // idtyp: "user" or "app"; empty where the record does not say
	Identity string // xms_mirid: the resource id of the managed identity
	// Proof is how the application proved itself (appidacr): "0" not at all, "1"
	// with a secret, "2" with a certificate or a federated token.
	Proof   string
	MFA     bool
	Address string // the address as the token has it
	Agent   string // the user agent of the call, if the record has one
}

const (
	soap      = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	microsoft = "http://schemas.microsoft.com/identity/claims/"
	methods   = "http://schemas.microsoft.com/claims/authnmethodsreferences"
)

// Of reads the claims that Azure's logs repeat, in their long and short names.
func Of(v jsontree.Value) Token {
	get := func(keys ...string) string {
		for _, k := range keys {
			if s := strings.TrimSpace(v.Get(k).String()); s != "" {
				return s
			}
		}
		return ""
	}
	t := Token{
		UPN: get(soap+"upn", "upn", "unique_name", "preferred_username"), Name: get("name", "app_displayname"),
		ObjectID: get(microsoft+"objectidentifier", "oid"), AppID: get("appid", "azp"),
		Tenant: get(microsoft+"tenantid", "tid"), Kind: strings.ToLower(get("idtyp")),
		Identity: get("xms_mirid"), Proof: get("appidacr", "azpacr"), Address: get("ipaddr"),
	}
	if t.UPN == "" && t.Kind != "app" {
		for _, key := range []string{soap + "name", soap + "emailaddress", "email"} {
			if s := get(key); strings.Contains(s, "@") {
				t.UPN = s
				break
			}
		}
	}
	// Guests of Microsoft's own accounts are named live.com#user@example.com.
	if _, after, ok := strings.Cut(t.UPN, "#"); ok && strings.Contains(after, "@") && !strings.HasPrefix(after, "EXT#") {
		t.UPN = after
	}
	amr := v.Get(methods)
	if !amr.Exists() {
		amr = v.Get("amr")
	}
	t.MFA = strings.Contains(amr.Raw(), "mfa") || strings.Contains(amr.Raw(), "ngcmfa")
	return t
}

// Person tells whether the token stands for somebody, not for an application.
func (t Token) Person() bool {
	return t.Identity == "" && t.Kind != "app" && (strings.Contains(t.UPN, "@") || t.Kind == "user")
}

// Actor sets the columns of the actor. With nothing in the token it is masked.
func (t Token) Actor(e *event.Event) {
	e.ActorMFA = t.MFA
	switch {
	case t.Person():
		e.ActorType, e.ActorUID, e.ActorName = event.ActorUser, strings.ToLower(t.UPN), record.First(t.Name, t.UPN)
		if e.ActorUID == "" {
			e.ActorUID = strings.ToLower(t.ObjectID)
		} else {
			e.ActorSession = strings.ToLower(t.ObjectID)
		}
		if e.ActorUID == "" {
			e.ActorType = event.ActorMasked
		}
	case t.ObjectID != "" || t.AppID != "":
		e.ActorType, e.ActorUID = event.ActorRole, strings.ToLower(record.First(t.ObjectID, t.AppID))
		e.ActorName = record.First(t.Name, last(t.Identity))
		if t.Kind == "" && t.Identity == "" && t.Name == "" {
			e.ActorType = event.ActorUnknown // an object id alone may be of either
		}
	default:
		e.ActorType = event.ActorMasked
	}
	e.ActorAccountUID = strings.ToLower(t.Tenant)
}

// Caller sets the columns of what kind of thing made the call.
func (t Token) Caller(e *event.Event) {
	e.Caller, e.CallerConfidence, e.CallerEvidence = t.caller()
}

func (t Token) caller() (class event.Caller, confidence float32, why string) {
	if t.Identity != "" {
		for _, h := range hosts {
			if strings.Contains(strings.ToLower(t.Identity), h.provider) {
				return h.class, h.confidence, "managed identity of " + t.Identity
			}
		}
		return event.CallerUnknown, 0.3, "managed identity " + t.Identity + ", which several things may use"
	}
	app := apps[strings.ToLower(t.AppID)]
	browser := strings.HasPrefix(t.Agent, "Mozilla/")
	switch {
	case t.Person() && app.class != "":
		return app.class, 0.95, "a user through " + app.name
	case t.Person() && browser:
		return event.CallerConsole, 0.8, "a user with a browser"
	case t.Person() && t.Agent != "":
		return event.CallerPersonCLI, 0.6, "a user with " + record.Name(t.Agent)
	case t.Person():
		return event.CallerPersonCLI, 0.4, "a user through application " + record.First(t.AppID, "unknown")
	case app.name != "" && app.class == "":
		return event.CallerAWSService, 0.9, "the service " + app.name
	case strings.Contains(t.Agent, "GitHubActions") || strings.Contains(t.Agent, "GITHUBACTIONS") || strings.Contains(t.Agent, "VSTS_") || strings.Contains(t.Agent, "AzurePipelines"):
		return event.CallerCI, 0.7, "the user agent is of a pipeline: " + record.Name(t.Agent)
	case t.Proof == "1":
		return event.CallerStaticKey, 0.8, "an application with a client secret"
	case t.Proof == "2":
		return event.CallerUnknown, 0.4, "an application with a certificate or a federated token"
	}
	return event.CallerUnknown, 0, ""
}

// hosts are the providers whose resources have identities of their own, and what
// runs on them.
var hosts = []struct {
	provider   string
	class      event.Caller
	confidence float32
}{
	{"/providers/microsoft.compute/", event.CallerEC2, 0.95},
	{"/providers/microsoft.hybridcompute/", event.CallerEC2, 0.9},
	{"/providers/microsoft.web/", event.CallerLambda, 0.9},
	{"/providers/microsoft.app/", event.CallerECS, 0.9},
	{"/providers/microsoft.containerinstance/", event.CallerECS, 0.95},
	{"/providers/microsoft.containerservice/", event.CallerEKS, 0.9},
	{"/providers/microsoft.kubernetes/", event.CallerEKS, 0.9},
	{"/providers/microsoft.devops", event.CallerCI, 0.9},
	{"/providers/microsoft.logic/", event.CallerAWSService, 0.9},
	{"/providers/microsoft.datafactory/", event.CallerAWSService, 0.9},
	{"/providers/microsoft.automation/", event.CallerAWSService, 0.9},
	{"/providers/microsoft.synapse/", event.CallerAWSService, 0.8},
	{"/providers/microsoft.machinelearningservices/", event.CallerAWSService, 0.8},
	{"/providers/microsoft.storage/", event.CallerAWSService, 0.9},
	{"/providers/microsoft.sql/", event.CallerAWSService, 0.9},
	{"/providers/microsoft.network/", event.CallerAWSService, 0.9},
	{"/providers/microsoft.authorization/policyassignments/", event.CallerAWSService, 0.95},
}

// app is an application of Microsoft's own. Without a class it acts by itself.
type app struct {
	name  string
	class event.Caller
}

// apps are by application id, as Microsoft lists them
// (learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in).
var apps = map[string]app{
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": {"the Azure portal", event.CallerConsole},
	"74658136-14ec-4630-ad9b-26e160ff0fc6": {"the Entra admin centre", event.CallerConsole},
	"80ccca67-54bd-44ab-8625-4b79c4dc7775": {"the Microsoft 365 security portal", event.CallerConsole},
	"00000006-0000-0ff1-ce00-000000000000": {"the Microsoft 365 admin centre", event.CallerConsole},
	"4765445b-32c6-49b0-83e6-1d93765276ca": {"the Microsoft 365 portal", event.CallerConsole},
	"1950a258-227b-4e31-a9cf-717495945fc2": {"Azure PowerShell", event.CallerPersonCLI},
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": {"the Azure CLI", event.CallerPersonCLI},
	"14d82eec-204b-4c2f-b7e8-296a70dab67e": {"the Microsoft Graph command line", event.CallerPersonCLI},
	"872cd9fa-d31f-45e0-9eab-6e460a02d1f1": {"Visual Studio", event.CallerPersonCLI},
	"aebc6443-996d-45c2-90f0-388ff96faa56": {"Visual Studio Code", event.CallerPersonCLI},
	"1b730954-1685-4b74-9bfd-dac224a7b894": {"the directory's PowerShell", event.CallerPersonCLI},
	"fb78d390-0c51-40cd-8e17-fdbfab77341b": {"Exchange's PowerShell", event.CallerPersonCLI},
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": {name: "Azure Resource Manager"},
	"00000003-0000-0000-c000-000000000000": {name: "Microsoft Graph"},
	"00000002-0000-0ff1-ce00-000000000000": {name: "Exchange Online"},
	"00000003-0000-0ff1-ce00-000000000000": {name: "SharePoint Online"},
	"cfa8b339-82a2-471a-a3c9-0fc0be7a4093": {name: "Azure Key Vault"},
	"fc780465-2017-40d4-a0c5-307022471b92": {name: "Defender for Endpoint"},
	"abfa0a7c-a6b6-4736-8310-5855508787cd": {name: "App Service"},
	"262044b1-e2ce-469f-a196-69ab7ada62d3": {name: "Azure Backup"},
}

// App is the name of an application of Microsoft's own, empty for others.
func App(id string) string { return apps[strings.ToLower(id)].name }

// last is what stands behind the last slash.
func last(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
