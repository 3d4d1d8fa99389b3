package entra

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/claims"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Audits reads the directory's audit log. The zero value is ready and may be used
// from several goroutines.
type Audits struct{}

var _ normalise.Normaliser = Audits{}

// Format is "entra.audit".
func (Audits) Format() string { return normalise.EntraAudit }

// Append appends the event of r to dst.
func (Audits) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	return record.Append(dst, r, normalise.EntraAudit, normalise.IsEntraAudit, audit)
}

func audit(e *event.Event, d *record.Doc) error {
	root, p := d.Root, told(d)
	stamp, field := p.Get("activityDateTime"), "activityDateTime"
	if !stamp.Exists() {
		stamp, field = root.Get("time"), "time"
	}
	when, err := record.Time(stamp, field)
	if err != nil {
		return err
	}
	e.Time, e.CloudProvider = when, "Azure"
	e.EventUID = p.Get("id").String()
	e.APIRequestUID = record.First(p.Get("correlationId").String(), root.Get("correlationId").String())
	e.APIService = record.First(p.Get("loggedByService").String(), "Core Directory")
	e.APIOperation = record.First(p.Get("activityDisplayName").String(), root.Get("operationName").String(), p.Get("operationName").String())
	if e.APIOperation == "" {
		return record.Nameless(p.Get("activityDisplayName"), "activityDisplayName")
	}
	e.AccountUID = strings.ToLower(record.First(root.Get("tenantId").String(), p.Get("tenantId").String()))
	e.ClassUID, e.ActivityID, e.ReadOnly = event.ClassAPIActivity, activities[strings.ToLower(p.Get("operationType").String())], false
	if e.ActivityID == 0 {
		e.ActivityID = 99
	}
	switch p.Get("category").String() {
	case "UserManagement", "GroupManagement", "RoleManagement":
		e.ClassUID = event.ClassAccountChange
		e.ActivityID = accountActivity(e.ActivityID)
	}
	initiator(e, d, p)
	targets(e, d.Within(p.Get("targetResources")))

	result := strings.ToLower(record.First(p.Get("result").String(), root.Get("resultType").Text(), root.Get("resultSignature").String()))
	if result == "failure" || result == "failed" || result == "clienterror" {
		e.StatusDetail = record.First(p.Get("resultReason").String(), root.Get("resultDescription").String())
		e.StatusCode, e.Outcome = "failure", reasonOf(e.StatusDetail)
	}
	return nil
}

// activities are OCSF's activity_id values of API Activity by operationType.
var activities = map[string]int32{"add": 1, "create": 1, "assign": 1, "update": 3, "delete": 4, "unassign": 4, "read": 2}

// accountActivity is the activity_id of Account Change: create 1, delete 6, other 99.
func accountActivity(api int32) int32 {
	switch api {
	case 1:
		return 1
	case 4:
		return 6
	}
	return 99
}

// reasonOf is the outcome by the words that the directory gives for a failure.
func reasonOf(reason string) event.Outcome {
	r := strings.ToLower(reason)
	switch {
	case strings.Contains(r, "authorization_requestdenied"), strings.Contains(r, "insufficient privileges"),
		strings.Contains(r, "unauthorized"), strings.Contains(r, "access denied"), strings.Contains(r, "forbidden"):
		return event.Denied
	case strings.Contains(r, "notfound"), strings.Contains(r, "not found"), strings.Contains(r, "does not exist"):
		return event.NotFound
	case strings.Contains(r, "badrequest"), strings.Contains(r, "invalid"), strings.Contains(r, "conflict"), strings.Contains(r, "already exist"):
		return event.Invalid
	}
	return event.Failed
}

// initiator sets who did it: a user, an application, or nobody named.
func initiator(e *event.Event, d *record.Doc, p jsontree.Value) {
	by := d.Within(p.Get("initiatedBy"))
	user, app := by.Get("user"), by.Get("app")
	if user.Kind() != jsontree.Object {
		user = p.Get("userInitiated")
	}
	details := func(key string) string {
		list := p.Get("additionalDetails")
		for v := list.First(); v.Exists(); v = v.Next() {
			if v.Get("key").String() == key {
				return v.Get("value").String()
			}
		}
		return ""
	}
	e.UserAgent = record.First(p.Get("userAgent").String(), details("User-Agent"))
	t := claims.Token{Tenant: e.AccountUID, Agent: e.UserAgent, AppID: details("AppId")}
	switch {
	case user.Kind() == jsontree.Object && (user.Get("userPrincipalName").String() != "" || user.Get("id").String() != ""):
		t.Kind, t.UPN, t.ObjectID, t.Name = "user", user.Get("userPrincipalName").String(), user.Get("id").String(), user.Get("displayName").String()
	case app.Kind() == jsontree.Object:
		t.Kind, t.Name = "app", record.First(app.Get("displayName").String(), app.Get("servicePrincipalName").String())
		t.ObjectID, t.AppID = app.Get("servicePrincipalId").String(), record.First(app.Get("appId").String(), t.AppID)
	default:
		t.AppID = ""
	}
	t.Actor(e)
	t.Caller(e)
	if t.Kind == "app" && t.ObjectID == "" && t.AppID == "" && t.Name != "" {
		// "Microsoft Substrate Management": a service of Microsoft's own, by name only.
		e.ActorType, e.ActorUID, e.ActorName = event.ActorService, strings.ToLower(t.Name), t.Name
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerAWSService, 0.8, "initiated by "+t.Name+", which has no application here"
	}
	e.SrcIP, e.SrcHost = record.Address(record.First(user.Get("ipAddress").String(), root(d, "callerIpAddress"), p.Get("ipAddress").String()))
}

func root(d *record.Doc, key string) string { return d.Root.Get(key).String() }

// targets sets the resources, the first first. Most are named by their object id, a
// user by the name.
func targets(e *event.Event, list jsontree.Value) {
	const most = 50
	for v := list.First(); v.Exists() && len(e.ResourceUIDs) < most; v = v.Next() {
		uid := strings.ToLower(record.First(v.Get("userPrincipalName").String(), v.Get("id").String(), v.Get("displayName").String()))
		if uid == "" {
			continue
		}
		if e.ResourceUID == "" {
			e.ResourceUID, e.ResourceType = uid, v.Get("type").String()
		}
		e.ResourceUIDs = append(e.ResourceUIDs, uid)
	}
}
