package query

import (
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Type is what a column holds.
type Type int

// The types of columns.
const (
	Text  Type = iota // string
	Enum              // string, one of Column.Values
	Addr              // string, an IP address as the record wrote it; understands CIDR
	Int               // int64
	Float             // float32
	Bool              // bool
	Time              // time.Time, UTC, microseconds
	UUID              // event.UID
	List              // []string
	JSON              // []byte, JSON text; understands paths
)

func (t Type) String() string {
	return [...]string{"text", "enum", "address", "integer", "number", "boolean", "time", "uuid", "list", "json"}[t]
}

// ordered tells whether <, > and ranges make sense.
func (t Type) ordered() bool { return t == Int || t == Float || t == Time }

// Column is one column of an event: the table of them is what the filter
// language, the SQL views, tables and JSON output agree on.
type Column struct {
	Spec

	text func(*event.Event) string // Text, Enum, Addr
	get  func(*event.Event) any    // every other type
}

// Value is the event's value in this column, in the Go type of the column's
// Type. Lists and JSON share memory with the event.
func (c *Column) Value(e *event.Event) any {
	if c.text != nil {
		return c.text(e)
	}
	return c.get(e)
}

// Columns is every column of an event, in the order of the design's table.
// It is shared: do not change it.
func Columns() []Column { return columns }

// Lookup finds a column by its name or one of its aliases.
func Lookup(name string) (*Column, bool) {
	i, ok := events.byName[name]
	if !ok {
		return nil, false
	}
	return &columns[i], true
}

// events is the table of the columns of an event.
var events = func() *Table {
	specs := make([]Spec, len(columns))
	for i, c := range columns {
		specs[i] = c.Spec
	}
	return NewTable(specs)
}()

func text(name, doc string, f func(*event.Event) string, aliases ...string) Column {
	return Column{Spec: Spec{Name: name, Type: Text, Doc: doc, Aliases: aliases}, text: f}
}

func enum(name, doc string, values []string, f func(*event.Event) string, aliases ...string) Column {
	return Column{Spec: Spec{Name: name, Type: Enum, Doc: doc, Values: values, Aliases: aliases}, text: f}
}

func other(name string, t Type, doc string, f func(*event.Event) any, aliases ...string) Column {
	return Column{Spec: Spec{Name: name, Type: t, Doc: doc, Aliases: aliases}, get: f}
}

var columns = []Column{
	other("time", Time, "when it happened", func(e *event.Event) any { return e.Time }),
	other("ingest_time", Time, "when Yagura read it", func(e *event.Event) any { return e.IngestTime }, "ingested"),
	other("uid", UUID, "Yagura's identity of the event", func(e *event.Event) any { return e.UID }, "id"),
	text("event_uid", "the provider's id as given", func(e *event.Event) string { return e.EventUID }),
	text("shared_uid", "id shared by the copies of a cross-account call", func(e *event.Event) string { return e.SharedUID }),
	other("class_uid", Int, "OCSF class: 6003 API activity, 3002 sign-in, 3001 account change", func(e *event.Event) any { return int64(e.ClassUID) }, "class"),
	other("activity_id", Int, "OCSF activity", func(e *event.Event) any { return int64(e.ActivityID) }, "activity"),
	other("severity_id", Int, "OCSF severity", func(e *event.Event) any { return int64(e.SeverityID) }, "severity"),
	other("status_id", Int, "OCSF status: 1 success, 2 failure", func(e *event.Event) any { return int64(e.StatusID) }),
	text("status_code", "the provider's error code", func(e *event.Event) string { return e.StatusCode }, "error"),
	text("status_detail", "the provider's error message", func(e *event.Event) string { return e.StatusDetail }),
	enum("outcome", "how the call ended", outcomes, func(e *event.Event) string { return string(e.Outcome) }),
	text("format", "format of the record, such as aws.cloudtrail", func(e *event.Event) string { return e.Format }),
	text("cloud_provider", "the provider: AWS", func(e *event.Event) string { return e.CloudProvider }, "provider"),
	text("account_uid", "the account that received the call", func(e *event.Event) string { return e.AccountUID }, "account"),
	text("region", "the region that received the call", func(e *event.Event) string { return e.Region }),
	text("api_service", "such as secretsmanager.amazonaws.com", func(e *event.Event) string { return e.APIService }, "service"),
	text("api_operation", "such as GetSecretValue", func(e *event.Event) string { return e.APIOperation }, "operation", "action"),
	text("api_request_uid", "the provider's request id", func(e *event.Event) string { return e.APIRequestUID }, "request"),
	other("read_only", Bool, "the call changes nothing", func(e *event.Event) any { return e.ReadOnly }),
	enum("category", "kind of log", categories, func(e *event.Event) string { return string(e.Category) }),
	enum("actor_type", "kind of principal", actorTypes, func(e *event.Event) string { return string(e.ActorType) }),
	text("actor_uid", "stable principal: the role's or user's ARN", func(e *event.Event) string { return e.ActorUID }, "actor", "principal"),
	text("actor_name", "the principal's name", func(e *event.Event) string { return e.ActorName }, "user"),
	text("actor_account_uid", "the principal's account", func(e *event.Event) string { return e.ActorAccountUID }),
	text("actor_session", "the session's name", func(e *event.Event) string { return e.ActorSession }, "session"),
	text("actor_credential_uid", "the access key id", func(e *event.Event) string { return e.ActorCredentialUID }, "key"),
	text("actor_invoked_by", "the service that called on the principal's behalf", func(e *event.Event) string { return e.ActorInvokedBy }),
	other("actor_mfa", Bool, "the session was made with MFA", func(e *event.Event) any { return e.ActorMFA }, "mfa"),
	enum("caller", "kind of thing that called", callers, func(e *event.Event) string { return string(e.Caller) }),
	other("caller_confidence", Float, "how sure caller is, 0 to 1", func(e *event.Event) any { return e.CallerConfidence }),
	text("caller_evidence", "what the caller was told from", func(e *event.Event) string { return e.CallerEvidence }),
	{Spec: Spec{Name: "src_ip", Type: Addr, Doc: "address the call came from", Aliases: []string{"ip"}}, text: func(e *event.Event) string { return e.SrcIP }},
	text("src_host", "service name given in place of an address", func(e *event.Event) string { return e.SrcHost }, "host"),
	text("src_vpce", "the VPC endpoint the call came through", func(e *event.Event) string { return e.SrcVPCE }, "vpce"),
	text("user_agent", "the client as it calls itself", func(e *event.Event) string { return e.UserAgent }, "agent"),
	text("resource_uid", "the resource acted on", func(e *event.Event) string { return e.ResourceUID }),
	text("resource_type", "type of the resource acted on", func(e *event.Event) string { return e.ResourceType }),
	text("resource_account_uid", "account of the resource acted on", func(e *event.Event) string { return e.ResourceAccountUID }),
	other("resource_uids", List, "every resource named, the one acted on first", func(e *event.Event) any { return e.ResourceUIDs }, "resource", "resources"),
	other("twin", Bool, "repeats another record, such as KMS decrypting for an S3 read; not in usage", func(e *event.Event) any { return e.Twin }),
	text("device_uid", "identity of the machine, of endpoint logs", func(e *event.Event) string { return e.DeviceUID }),
	text("device_name", "name of the machine, of endpoint logs", func(e *event.Event) string { return e.DeviceName }, "device"),
	text("process", "the process, of endpoint and runtime logs", func(e *event.Event) string { return e.Process }),
	text("url", "the address asked for, of proxy logs", func(e *event.Event) string { return e.URL }),
	text("message", "one line a person can read", func(e *event.Event) string { return e.Message }),
	other("raw", JSON, "the record as it came", func(e *event.Event) any { return e.Raw }),
	text("object", "the source object it was read from", func(e *event.Event) string { return e.Object }, "file"),
	other("position", Int, "which record in the object, from 0", func(e *event.Event) any { return e.Position }),
	other("batch", UUID, "the batch that stored it", func(e *event.Event) any { return event.UID(e.Batch) }),
}

func list[T ~string](v ...T) []string {
	out := make([]string, len(v))
	for i, s := range v {
		out[i] = string(s)
	}
	return out
}

var (
	outcomes = list(event.Success, event.Denied, event.DeniedByOrgPolicy, event.AuthFailed,
		event.Throttled, event.NotFound, event.Invalid, event.Failed)
	categories = list(event.Management, event.Data, event.Insight, event.Network)
	actorTypes = list(event.ActorRole, event.ActorUser, event.ActorRoot, event.ActorFederated, event.ActorService,
		event.ActorAccount, event.ActorAnonymous, event.ActorMasked, event.ActorUnknown)
	callers = list(event.CallerLambda, event.CallerECS, event.CallerEC2, event.CallerEKS, event.CallerCI,
		event.CallerConsole, event.CallerPersonCLI, event.CallerAWSService, event.CallerStaticKey, event.CallerUnknown)
)

// typed accessors: Match is on the path of every event of a scan in memory, so
// it avoids boxing where it can.

func (c *Column) time(e *event.Event) time.Time { return c.get(e).(time.Time) }
func (c *Column) int(e *event.Event) int64      { return c.get(e).(int64) }
func (c *Column) float(e *event.Event) float32  { return c.get(e).(float32) }
func (c *Column) bool(e *event.Event) bool      { return c.get(e).(bool) }
func (c *Column) uuid(e *event.Event) event.UID { return c.get(e).(event.UID) }
func (c *Column) list(e *event.Event) []string  { return c.get(e).([]string) }
func (c *Column) json(e *event.Event) []byte    { return c.get(e).([]byte) }
