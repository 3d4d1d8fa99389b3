package gcpaudit

import (
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
)

// entry is a LogEntry and its AuditLog, as far as columns need them.
// https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
// https://docs.cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
type entry struct {
	body []byte // the LogEntry alone

	insertID, logName                   string
	timestamp, received                 jsontree.Value
	operationID                         string
	operationFirst, operationLast       bool
	resourceType                        string // of the monitored resource
	labels                              jsontree.Value
	payload                             jsontree.Value
	service, method, name               string // serviceName, methodName, resourceName
	rawMethod                           jsontree.Value
	callerIP, agent, network            string
	requestTime                         jsontree.Value
	authentication, authorization       jsontree.Value
	status, violation, metadata         jsontree.Value
	request, response, location, detail jsontree.Value // detail: serviceData
}

// readEntry picks the known members. Some exporters write the keys of a LogEntry
// in small letters.
func readEntry(root jsontree.Value, body []byte) entry {
	en := entry{body: body}
	for m := root.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "insertId", "insertid":
			en.insertID = column.Str(m)
		case "logName", "logname":
			en.logName = column.Str(m)
		case "timestamp":
			en.timestamp = m
		case "receiveTimestamp", "receivetimestamp":
			en.received = m
		case "operation":
			en.operationID = column.Str(m.Get("id"))
			en.operationFirst, _ = column.Truth(m.Get("first"))
			en.operationLast, _ = column.Truth(m.Get("last"))
		case "resource":
			en.resourceType = column.Str(m.Get("type"))
			en.labels = m.Get("labels")
		case "protoPayload", "protopayload":
			en.payload = m
		}
	}
	en.readPayload()
	return en
}

func (en *entry) readPayload() {
	for m := en.payload.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "serviceName":
			en.service = column.Str(m)
		case "methodName":
			en.rawMethod, en.method = m, column.Str(m)
		case "resourceName":
			en.name = column.Str(m)
		case "requestMetadata":
			en.callerIP = column.Str(m.Get("callerIp"))
			if en.callerIP == "" {
				en.callerIP = column.Str(m.Get("callerIP"))
			}
			en.agent = column.Str(m.Get("callerSuppliedUserAgent"))
			en.network = column.Str(m.Get("callerNetwork"))
			en.requestTime = m.Get("requestAttributes").Get("time")
		case "authenticationInfo":
			en.authentication = m
		case "authorizationInfo":
			en.authorization = m
		case "status":
			en.status = m
		case "policyViolationInfo":
			en.violation = m.Get("orgPolicyViolationInfo")
		case "metadata":
			en.metadata = m
		case "request":
			en.request = m
		case "response":
			en.response = m
		case "resourceLocation":
			en.location = m
		case "serviceData":
			en.detail = m
		}
	}
}

// time is when the call was, or, of entries cut down on their way, when it was
// received.
func (en *entry) time() (time.Time, error) {
	for _, v := range []jsontree.Value{en.timestamp, en.requestTime, en.received} {
		if t, ok := column.Time(v); ok {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("timestamp is %s, not a time such as 2006-01-02T15:04:05.999Z", column.Describe(en.timestamp))
}

// log is the kind of audit log: "activity", "data_access", "system_event",
// "policy"; empty where the entry does not say.
func (en *entry) log() string {
	_, log, ok := strings.Cut(en.logName, "cloudaudit.googleapis.com")
	if !ok {
		return ""
	}
	log = strings.TrimPrefix(log, "%2F")
	return strings.TrimPrefix(log, "/")
}

func (en *entry) category() event.Category {
	if en.log() == "data_access" {
		return event.Data
	}
	return event.Management
}

// account is the project's id; for entries of organisations, folders and billing
// accounts, whose id says what it is of: "organizations/123".
func (en *entry) account() string {
	if id := column.Scalar(en.labels.Get("project_id")); id != "" {
		return id
	}
	owner, _, _ := strings.Cut(en.logName, "/logs/")
	if owner == "" {
		owner = en.name
	}
	kind, id, _ := strings.Cut(owner, "/")
	id, _, _ = strings.Cut(id, "/")
	switch {
	case id == "" || id == "_" || id == "-":
		return ""
	case kind == "projects":
		return id
	case kind == "organizations", kind == "folders", kind == "billingAccounts":
		return kind + "/" + id
	}
	return ""
}

// place is the region, and the zone where the entry names one.
func (en *entry) place() (region, zone string) {
	at := ""
	for _, v := range []jsontree.Value{en.labels.Get("zone"), en.labels.Get("location"), en.labels.Get("region"), en.location.Get("currentLocations").First()} {
		if at = column.Str(v); at != "" {
			break
		}
	}
	if at == "" {
		at = after(en.name, "locations/", "zones/", "regions/")
	}
	if at == "-" {
		return "", ""
	}
	if n := len(at); n > 2 && at[n-2] == '-' && at[n-1] >= 'a' && at[n-1] <= 'z' && strings.Count(at, "-") == 2 {
		return at[:n-2], at
	}
	return at, ""
}

// after is the path's segment behind the first of the collections that it has.
func after(path string, collections ...string) string {
	for _, c := range collections {
		if i := strings.Index(path, c); i == 0 || i > 0 && path[i-1] == '/' {
			id, _, _ := strings.Cut(path[i+len(c):], "/")
			return id
		}
	}
	return ""
}

// repeats tells an entry of a long-running operation that is not its first: the
// attempt was counted then.
func (en *entry) repeats() bool {
	return en.operationID != "" && en.operationLast && !en.operationFirst
}

// application is that of Google Workspace whose activity the entry is, else empty.
func (en *entry) application() string {
	if !en.metadata.Get("event").Exists() {
		return ""
	}
	return normalise.WorkspaceApplication(en.service)
}
