// Package event holds one thing that happened in an account, and the raw
// record, the span and the batch that brought it.
//
// Names and meanings are OCSF's (SchemaVersion), flattened to columns.
package event

import "time"

// SchemaVersion is the version of OCSF whose names and numbers Event uses.
const SchemaVersion = "1.6.0"

// Event is one record of a provider's log in the columns every room speaks.
//
// Strings are empty where the record does not say; an empty value never means
// "none" in the sense of a judgement. Strings and Raw may share memory with
// the Raw record they were made from, so nobody changes a record's bytes after
// it was delivered.
type Event struct {
	Time       time.Time `json:"time"`        // when it happened, UTC, microseconds
	IngestTime time.Time `json:"ingest_time"` // when Yagura read it, UTC, microseconds

	UID       UID    `json:"uid"`                  // Yagura's identity of the event
	EventUID  string `json:"event_uid,omitempty"`  // the provider's id as given
	SharedUID string `json:"shared_uid,omitempty"` // CloudTrail's sharedEventID

	ClassUID     int32  `json:"class_uid"`
	ActivityID   int32  `json:"activity_id"`
	SeverityID   int32  `json:"severity_id"`
	StatusID     int32  `json:"status_id"`
	StatusCode   string `json:"status_code,omitempty"`   // the provider's error code
	StatusDetail string `json:"status_detail,omitempty"` // the provider's error message

	Outcome Outcome `json:"outcome"`

	Format        string `json:"format"`                // "aws.cloudtrail"
	CloudProvider string `json:"cloud_provider"`        // "AWS"
	AccountUID    string `json:"account_uid,omitempty"` // the account that received the call
	Region        string `json:"region,omitempty"`

	APIService    string   `json:"api_service,omitempty"`   // "secretsmanager.amazonaws.com"
	APIOperation  string   `json:"api_operation,omitempty"` // "GetSecretValue"
	APIRequestUID string   `json:"api_request_uid,omitempty"`
	ReadOnly      bool     `json:"read_only"`
	Category      Category `json:"category,omitempty"`

	ActorType          ActorType `json:"actor_type,omitempty"`
	ActorUID           string    `json:"actor_uid,omitempty"` // stable: a role's ARN, never a session's
	ActorName          string    `json:"actor_name,omitempty"`
	ActorAccountUID    string    `json:"actor_account_uid,omitempty"`
	ActorSession       string    `json:"actor_session,omitempty"`
	ActorCredentialUID string    `json:"actor_credential_uid,omitempty"` // the access key id
	ActorInvokedBy     string    `json:"actor_invoked_by,omitempty"`
	ActorMFA           bool      `json:"actor_mfa"`

	Caller           Caller  `json:"caller"`
	CallerConfidence float32 `json:"caller_confidence"` // 0..1
	CallerEvidence   string  `json:"caller_evidence,omitempty"`

	SrcIP     string `json:"src_ip,omitempty"`
	SrcHost   string `json:"src_host,omitempty"` // a service name given in place of an address
	SrcVPCE   string `json:"src_vpce,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`

	ResourceUID        string   `json:"resource_uid,omitempty"` // full name of the resource acted on
	ResourceType       string   `json:"resource_type,omitempty"`
	ResourceAccountUID string   `json:"resource_account_uid,omitempty"`
	ResourceUIDs       []string `json:"resource_uids,omitempty"` // every resource named, ResourceUID first

	Twin bool `json:"twin"` // repeats another record; not counted in usage

	DeviceUID  string `json:"device_uid,omitempty"`
	DeviceName string `json:"device_name,omitempty"`
	Process    string `json:"process,omitempty"`
	URL        string `json:"url,omitempty"`

	Message string `json:"message,omitempty"` // one line a person can read
	Raw     []byte `json:"-"`                 // the record as it came, JSON text

	Object   string  `json:"object"`   // the source object it was read from
	Position int64   `json:"position"` // which record in the object, from 0
	Batch    BatchID `json:"batch"`    // the batch that stored it
}

// OCSF class_uid values in use.
const (
	ClassProcess           int32 = 1007
	ClassAccountChange     int32 = 3001
	ClassAuthentication    int32 = 3002
	ClassNetwork           int32 = 4001
	ClassHTTP              int32 = 4002
	ClassDNS               int32 = 4003
	ClassDHCP              int32 = 4004
	ClassAPIActivity       int32 = 6003
	ClassVulnerability     int32 = 2002
	ClassComplianceFinding int32 = 2003
	ClassDetectionFinding  int32 = 2004
	ClassDataSecurity      int32 = 2006
	ClassIAMAnalysis       int32 = 2008
)

// OCSF status_id values.
const (
	StatusUnknown int32 = 0
	StatusSuccess int32 = 1
	StatusFailure int32 = 2
)

// OCSF severity_id values.
const (
	SeverityUnknown       int32 = 0
	SeverityInformational int32 = 1
	SeverityLow           int32 = 2
	SeverityMedium        int32 = 3
	SeverityHigh          int32 = 4
	SeverityCritical      int32 = 5
)

// Outcome says how a call ended, in eight words for all providers.
type Outcome string

// The outcomes. A provider's error code becomes one of these in one function
// of its normaliser.
const (
	Success           Outcome = "success"
	Denied            Outcome = "denied"
	DeniedByOrgPolicy Outcome = "denied_by_org_policy"
	AuthFailed        Outcome = "auth_failed"
	Throttled         Outcome = "throttled"
	NotFound          Outcome = "not_found"
	Invalid           Outcome = "invalid"
	Failed            Outcome = "error"
)

// Category is the kind of log a record came in.
type Category string

// The categories.
const (
	Management Category = "management"
	Data       Category = "data"
	Insight    Category = "insight"
	Network    Category = "network"
)

// ActorType is the kind of principal.
type ActorType string

// The actor types. Masked: the principal is empty, absent, redacted or only a
// service agent.
const (
	ActorRole      ActorType = "role"
	ActorUser      ActorType = "user"
	ActorRoot      ActorType = "root"
	ActorFederated ActorType = "federated" // web identity, SAML, federated user
	ActorService   ActorType = "service"   // an AWS service itself
	ActorAccount   ActorType = "account"   // another account, nothing more known
	ActorAnonymous ActorType = "anonymous" // unsigned call
	ActorMasked    ActorType = "masked"
	ActorUnknown   ActorType = "unknown"
)

// Caller is the kind of thing that made a call.
type Caller string

// The ten caller classes, named after AWS: in other clouds each stands for its
// like (Lambda for Cloud Run functions, EC2 for any virtual machine, AWSService
// for the provider's own services, StaticKey for a service account's key or a
// client secret). Finer ones go into CallerEvidence.
const (
	CallerLambda     Caller = "lambda"
	CallerECS        Caller = "ecs"
	CallerEC2        Caller = "ec2"
	CallerEKS        Caller = "eks"
	CallerCI         Caller = "ci"
	CallerConsole    Caller = "console"
	CallerPersonCLI  Caller = "person_cli"
	CallerAWSService Caller = "aws_service"
	CallerStaticKey  Caller = "static_key"
	CallerUnknown    Caller = "unknown"
)
