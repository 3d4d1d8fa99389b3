// Package office365 reads Microsoft 365's unified audit log, as the Management
// Activity API delivers it and as searches of the audit log export it: directory,
// Exchange, SharePoint, OneDrive, Teams and all other workloads.
//
// api_service is the workload, api_operation the operation, the account the
// organisation. Keys may be in small letters, as some exporters write them.
//
// What cmdlets of Exchange are given as a password is replaced in Raw.
package office365

import (
	"bytes"
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/claims"
	"github.com/yagura-sec/yagura/normalise/entra"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Format is the name of the format.
const Format = normalise.Office365

// Normaliser reads the unified audit log. The zero value is ready and may be used
// from several goroutines.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is "m365.audit".
func (Normaliser) Format() string { return Format }

// Append appends the event of r to dst.
func (Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	return record.Append(dst, r, Format, normalise.IsOffice365, fill)
}

func fill(e *event.Event, d *record.Doc) error {
	redact(d)
	root := d.Root
	get := func(key string) string { return strings.TrimSpace(record.Fold(root, key).String()) }
	when, err := record.Time(record.Fold(root, "CreationTime"), "CreationTime")
	if err != nil {
		return err
	}
	e.Time, e.CloudProvider, e.EventUID = when, "Microsoft 365", get("Id")
	e.AccountUID = strings.ToLower(get("OrganizationId"))
	e.APIService, e.APIOperation = record.First(get("Workload"), workloads[record.Fold(root, "RecordType").Text()]), get("Operation")
	if e.APIOperation == "" {
		return record.Nameless(record.Fold(root, "Operation"), "Operation")
	}
	e.APIRequestUID = record.First(get("CorrelationId"), get("InterSystemsId"))
	e.ClassUID, e.ActivityID, e.ReadOnly = classOf(e.APIOperation)
	e.Category = event.Management
	if data[e.APIOperation] {
		e.Category = event.Data
	}
	e.UserAgent = record.First(get("UserAgent"), pair(root, "ExtendedProperties", "UserAgent"), get("ClientInfoString"))
	for _, key := range []string{"ClientIP", "ClientIPAddress", "ActorIpAddress", "IPAddress"} {
		ip, host := record.Address(get(key))
		if ip != "" {
			e.SrcIP, e.SrcHost = ip, ""
			break
		}
		e.SrcHost = record.First(e.SrcHost, host)
	}
	who(e, root, get)
	about(e, root, get)
	judge(e, root, get)
	return nil
}

// workloads are by RecordType, for records that do not name theirs.
var workloads = map[string]string{
	"1": "Exchange", "2": "Exchange", "3": "Exchange", "50": "Exchange", "4": "SharePoint", "6": "SharePoint", "14": "SharePoint",
	"8": "AzureActiveDirectory", "9": "AzureActiveDirectory", "15": "AzureActiveDirectory", "25": "MicrosoftTeams", "22": "Yammer",
}

// who sets the actor, by what UserId and UserType say (Management Activity API
// schema: 2 administrator, 3 Microsoft's operators, 4 system, 5 application, 6
// service principal).
func who(e *event.Event, root jsontree.Value, get func(string) string) {
	id, kind := get("UserId"), record.Fold(root, "UserType").Text()
	t := claims.Token{
		UPN: id, Agent: e.UserAgent, Tenant: e.AccountUID, Kind: "user",
		AppID: record.First(get("ApplicationId"), get("AppId"), get("ClientAppId"), get("AadAppId")),
	}
	principal, isPrincipal := strings.CutPrefix(id, "ServicePrincipal_")
	lower := strings.ToLower(id)
	switch {
	case isPrincipal || kind == "6":
		t.Kind, t.UPN, t.ObjectID, t.Name = "app", "", principal, actorName(root)
	case lower == "" || lower == "not available" || lower == "unknown" || lower == "not-found" || lower == "certificate" || strings.Contains(id, "..."):
		t.UPN, t.Kind = "", ""
		if kind == "5" && t.AppID != "" {
			t.Kind = "app"
		}
		t.AppID = onlyIf(t.Kind == "app", t.AppID)
	case !strings.Contains(id, "@") || strings.HasSuffix(lower, "@sharepoint"):
		e.ActorType, e.ActorUID, e.ActorName = event.ActorService, lower, id
		if kind == "0" || kind == "2" || strings.HasPrefix(lower, "s-1-5-21-") {
			e.ActorType = event.ActorUser // an account that has no address, or a SID
			if lower == "app@sharepoint" {
				e.ActorType = event.ActorService
			}
		}
		e.ActorAccountUID = e.AccountUID
		if e.ActorType == event.ActorService {
			e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerAWSService, 0.8, "UserId is "+id
		}
		return
	}
	t.Actor(e)
	t.Caller(e)
	if t.Kind == "user" {
		e.ActorSession = record.First(get("SessionId"), record.Fold(root, "AppAccessContext").Get("AADSessionId").String())
	}
}

func onlyIf(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

// actorName is the name among the directory's list of what the actor is called: the
// first that is no id.
func actorName(root jsontree.Value) string {
	list := record.Fold(root, "Actor")
	for v := list.First(); v.Exists(); v = v.Next() {
		if s := v.Get("ID").String(); v.Get("Type").Text() == "1" && s != "" {
			return s
		}
	}
	return ""
}

// pair is a value of a list of names and values.
func pair(root jsontree.Value, list, name string) string {
	items := record.Fold(root, list)
	for v := items.First(); v.Exists(); v = v.Next() {
		if v.Get("Name").String() == name {
			return v.Get("Value").String()
		}
	}
	return ""
}

// about sets the resources.
func about(e *event.Event, root jsontree.Value, get func(string) string) {
	e.ResourceUID, e.ResourceType = get("ObjectId"), record.First(get("ItemType"), e.APIService)
	if owner := get("MailboxOwnerUPN"); owner != "" {
		e.ResourceUID, e.ResourceType = strings.ToLower(owner), "Mailbox"
	}
	if e.ResourceUID == "" || e.ResourceUID == "Not Available" || e.ResourceUID == "Unknown" {
		e.ResourceUID = record.First(get("SiteUrl"), get("TeamName"))
	}
	if e.ResourceUID == "" {
		e.ResourceType = ""
	}
	e.DeviceName = get("DeviceName")
}

// judge sets how the operation ended.
func judge(e *event.Event, root jsontree.Value, get func(string) string) {
	result := strings.ToLower(get("ResultStatus"))
	code := record.First(record.Fold(root, "ErrorNumber").Text(), record.Fold(root, "ErrorCode").Text())
	if e.APIOperation == "UserLoginFailed" {
		e.StatusCode, e.StatusDetail = code, get("LogonError")
		if e.Outcome = entra.Outcome(code); e.Outcome == event.Success || code == "" {
			e.StatusCode, e.Outcome = "", event.AuthFailed
		}
		return
	}
	switch result {
	case "", "success", "succeeded", "true", "partiallysucceeded", "completed", "ok", "resultstatusdetail":
		return
	}
	e.StatusCode, e.StatusDetail = record.First(code, get("ResultStatus")), record.First(get("LogonError"), pair(root, "ExtendedProperties", "ResultStatusDetail"))
	switch result {
	case "unauthorized", "accessdenied", "denied", "forbidden":
		e.Outcome = event.Denied
	default:
		e.Outcome = event.Failed
	}
}

// redact replaces what a cmdlet was given as a password.
func redact(d *record.Doc) {
	const instead = `"(not kept by Yagura)"`
	params := record.Fold(d.Root, "Parameters")
	for v := params.First(); v.Exists(); v = v.Next() {
		value := v.Get("Value")
		if !strings.Contains(strings.ToLower(v.Get("Name").String()), "password") || value.Kind() != jsontree.String ||
			value.Raw() == instead || value.String() == "" || strings.EqualFold(value.String(), "true") || strings.EqualFold(value.String(), "false") {
			continue
		}
		at := value.Offset()
		if d.Replace(append(append(bytes.Clone(d.Body[:at]), instead...), d.Body[at+len(value.Raw()):]...)) == nil {
			redact(d) // the values of the new text
		}
		return
	}
}
