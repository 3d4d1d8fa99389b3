package normalise

import (
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise/record"
)

// The formats of Azure and of identity providers.
const (
	AzureActivity = "azure.activity"
	KeyVault      = "azure.keyvault"
	EntraSignIn   = "entra.signin"
	EntraAudit    = "entra.audit"
	Office365     = "m365.audit"
	Okta          = "okta.system"
)

// IsAzureActivity is true of records of Azure's activity log: as the interface
// has it, as the SDKs for Python write that, and as diagnostic settings deliver it.
func IsAzureActivity(v jsontree.Value) bool {
	switch {
	case has("operationName", "eventTimestamp")(v), has("operation_name", "event_timestamp")(v):
		return true
	case !has("operationName", "category")(v) || !v.Get("time").Exists() || directory(v):
		return false
	}
	switch category := v.Get("category").String(); category {
	case "Administrative", "Security", "ServiceHealth", "ResourceHealth", "Alert", "Recommendation", "Policy", "Autoscale":
		return true
	case "Action", "Write", "Delete": // as it was before 2020
		return strings.Contains(v.Get("operationName").String(), "/")
	}
	return false
}

// IsKeyVault is true of the audit events of key vaults and managed HSMs.
func IsKeyVault(v jsontree.Value) bool {
	return v.Get("category").String() == "AuditEvent" &&
		strings.Contains(strings.ToLower(v.Get("resourceId").String()), "/providers/microsoft.keyvault/")
}

// IsEntraSignIn is true of sign-ins: as diagnostic settings deliver them and as
// Graph tells them.
func IsEntraSignIn(v jsontree.Value) bool {
	if strings.HasSuffix(v.Get("category").String(), "SignInLogs") {
		return true
	}
	return has("createdDateTime", "status")(v) && v.Get("status").Get("errorCode").Exists() &&
		(v.Get("appId").Exists() || v.Get("userPrincipalName").Exists() || v.Get("servicePrincipalId").Exists())
}

// IsEntraAudit is true of the directory's audit log, in both forms.
func IsEntraAudit(v jsontree.Value) bool {
	if has("activityDateTime", "activityDisplayName")(v) {
		return true
	}
	p := v.Get("properties")
	return directory(v) && (p.Get("activityDisplayName").Exists() || p.Get("initiatedBy").Exists() || p.Get("targetResources").Exists()) ||
		v.Get("category").String() == "AuditLogs" && !p.Get("ActivityType").Exists()
}

// directory is true of what the directory delivers through diagnostic settings.
func directory(v jsontree.Value) bool {
	return strings.Contains(strings.ToLower(v.Get("resourceId").String()), "/providers/microsoft.aadiam") ||
		v.Get("properties").Get("loggedByService").Exists()
}

// IsOffice365 is true of records of Microsoft 365's unified audit log. Some
// exporters write its keys in small letters.
func IsOffice365(v jsontree.Value) bool {
	return has("CreationTime", "RecordType")(v) || has("Workload", "Operation")(v) ||
		has("creationtime", "operation", "workload")(v)
}

// IsOkta is true of events of Okta's System Log. Some exporters write the keys of
// its top level in small letters.
func IsOkta(v jsontree.Value) bool {
	return has("published", "eventType", "actor")(v) || has("published", "eventtype", "actor")(v)
}

// otherIdentity names what Azure, Microsoft's security products and other products
// that people sign in with write beside.
func otherIdentity(v jsontree.Value) string {
	category := v.Get("category").String()
	switch {
	case strings.HasPrefix(category, "AdvancedHunting-"):
		return "a row of Defender's table " + alert.Plain(strings.TrimPrefix(category, "AdvancedHunting-")) + notYet
	case category == "AuditLogs" && v.Get("properties").Get("ActivityType").Exists():
		return "an audit record of Intune" + notYet
	case category != "" && (v.Get("resourceId").Exists() || v.Get("systemId").Exists() || has("time", "operationName")(v)):
		return "an Azure resource log of category " + alert.Plain(category) + notYet
	case has("time", "resourceId", "operationName", "properties")(v):
		return "an Azure resource log that does not say its category" + notYet
	case has("Type", "TimeGenerated")(v), has("TenantId", "TimeGenerated")(v):
		return "a row of a Log Analytics table, whose columns are not the record's own" + notYet
	}
	for _, s := range signInProducts {
		if s.is(v) {
			return s.what
		}
	}
	return ""
}

// signInProducts are what is known of products that people sign in with, besides the
// formats that mappings describe.
var signInProducts = []shape{
	{"an event of OneLogin" + notYet, has("event_type_id")},
	{"an incident of Microsoft Defender" + notYet, has("alerts", "redirectIncidentId")},
	{"an incident of Microsoft Defender" + notYet, has("alerts", "incidentWebUrl")},
	{"an alert of Defender for Endpoint" + notYet, has("incidentId", "investigationId")},
	{"an alert of Microsoft Graph" + notYet, has("tenantId", "title", "severity", "createdDateTime")},
	{"an answer of Microsoft Graph: a file, not a record", func(v jsontree.Value) bool { return v.Get("value").Kind() == jsontree.Array }},
	{"an alert of GitHub's code or secret scanning" + notYet, has("number", "html_url", "state")},
	{"an alert of GitHub's Dependabot" + notYet, has("dependencyScope", "dismissedAt")},
	{"a webhook of GitHub" + notYet, func(v jsontree.Value) bool { return v.Get("repository").Kind() == jsontree.Object }},
	{"a record of GitHub's audit log that does not say when it was", has("action", "actor")},
}

// unwrapped goes on inside of what a collector put around a record.
func unwrapped(root jsontree.Value, inside int) (format, why string, ok bool) {
	const most = 3
	inner, where := record.Inner(root)
	if where == "" || inside >= most {
		return "", "", false
	}
	format, why = recognise(new(jsontree.Tree), inner, inside+1)
	if format == "" {
		why = "an envelope; its " + where + " is " + why
	}
	return format, why, true
}
