package normalise

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// GCPAudit is the format of entries of Google Cloud's audit logs.
const GCPAudit = "gcp.audit"

// Workspace is the format of Google Workspace's activities. Those of the
// applications that rules are written for have formats of their own, as each has
// a log source of its own: google.workspace.login.
const Workspace = "google.workspace"

// workspaceApplications are those with a format of their own.
var workspaceApplications = []string{"admin", "login", "drive", "token", "saml", "groups", "user_accounts"}

// WorkspaceFormats are all formats of Workspace's activities.
func WorkspaceFormats() []string {
	out := []string{Workspace}
	for _, a := range workspaceApplications {
		out = append(out, Workspace+"."+a)
	}
	return out
}

// WorkspaceFormat is the format of the activities of an application, by the name
// that the Reports API calls it: "login".
func WorkspaceFormat(application string) string {
	if slices.Contains(workspaceApplications, application) {
		return Workspace + "." + application
	}
	return Workspace
}

// WorkspaceApplication is the application whose activities come as entries of
// Google Cloud's audit logs under the name of that service; empty for others.
// https://docs.cloud.google.com/logging/docs/audit/gsuite-audit-logging
func WorkspaceApplication(service string) string {
	switch service {
	case "admin.googleapis.com":
		return "admin"
	case "login.googleapis.com":
		return "login"
	case "oauth2.googleapis.com":
		return "token"
	case "cloudidentity.googleapis.com":
		return "groups"
	}
	return ""
}

// maxPubSub is how many bytes a Pub/Sub message's data may have: the service
// itself takes 10 MB.
const maxPubSub = 16 << 20

// PubSub takes out what lies in a message of Google's Pub/Sub: one pushed, one
// pulled, or the message alone, whose data is base64; or an event whose data is
// the record itself. Such is false where v is none of these, and text empty
// where the data cannot be read.
func PubSub(v jsontree.Value) (text string, such bool) {
	m := v
	if inner := v.Get("message"); inner.Kind() == jsontree.Object {
		m = inner
	}
	data := m.Get("data")
	switch data.Kind() {
	case jsontree.Object:
		if IsLogEntry(data) {
			return data.Raw(), true
		}
	case jsontree.String:
		if !pubSubMessage(m) && !pubSubMessage(v) {
			return "", false
		}
		return decodeBase64(data.String()), true
	}
	return "", false
}

// pubSubMessage is true of an object with what else a message or its envelope has.
func pubSubMessage(v jsontree.Value) bool {
	for _, key := range []string{"messageId", "message_id", "publishTime", "publish_time", "subscription", "ackId"} {
		if v.Get(key).Exists() {
			return true
		}
	}
	return false
}

func decodeBase64(s string) string {
	if len(s) > maxPubSub*4/3+4 {
		return ""
	}
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(s); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return ""
}

// IsLogEntry is true of an entry of Cloud Logging, of whatever log.
// https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
func IsLogEntry(v jsontree.Value) bool {
	known := 0
	for m := v.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "protoPayload", "protopayload":
			return m.Kind() == jsontree.Object
		case "logName", "logname", "insertId", "insertid", "resource", "receiveTimestamp", "jsonPayload", "textPayload":
			known++
		}
	}
	return known >= 3
}

// googleFormat is the format of what Google writes; why says what an entry of
// Cloud Logging is that Yagura does not read.
func googleFormat(v jsontree.Value) (format, why string) {
	application := v.Get("id").Get("applicationName").String()
	switch {
	case v.Get("kind").String() == "admin#reports#activity", application != "" && (v.Get("events").Exists() || v.Get("name").Exists()):
		return WorkspaceFormat(application), ""
	case v.Get("alertId").Exists() && v.Get("customerId").Exists():
		return "", "an alert of Google Workspace's alert centre" + notYet
	}
	if !IsLogEntry(v) {
		return "", ""
	}
	payload := v.Get("protoPayload")
	if payload.Kind() != jsontree.Object {
		payload = v.Get("protopayload")
	}
	if payload.Kind() != jsontree.Object {
		return "", "an entry of Google Cloud's log " + logName(v) + notYet
	}
	if t := payload.Get("@type").String(); t != "" && !strings.HasSuffix(t, "google.cloud.audit.AuditLog") {
		return "", "an entry of Google Cloud's log " + logName(v) + ", whose payload is a " + alert.Plain(t[strings.LastIndexByte(t, '/')+1:]) + notYet
	}
	if app := WorkspaceApplication(payload.Get("serviceName").String()); app != "" && payload.Get("metadata").Get("event").Exists() {
		return WorkspaceFormat(app), ""
	}
	return GCPAudit, ""
}

// logName is the name of the log without whose it is.
func logName(v jsontree.Value) string {
	name := v.Get("logName").String()
	if name == "" {
		name = v.Get("logname").String()
	}
	if _, log, ok := strings.Cut(name, "/logs/"); ok {
		name = strings.ReplaceAll(log, "%2F", "/")
	}
	if name == "" {
		return "that does not say its name"
	}
	return alert.Plain(name)
}

// recogniseGoogle is recognise for what Google writes, bare or in a message of
// Pub/Sub; both are empty for all else.
func recogniseGoogle(root jsontree.Value, inside int) (format, why string) {
	if format, why = googleFormat(root); format != "" || why != "" {
		return format, why
	}
	inner, such := PubSub(root)
	switch {
	case !such || inside >= maxInside:
		return "", ""
	case inner == "":
		return "", "a Pub/Sub message, whose data is no base64"
	}
	if format, why = recognise(new(jsontree.Tree), inner, inside+1); format == "" {
		why = "a Pub/Sub message; its data is " + why
	}
	return format, why
}
