// Package keyvault reads the audit events of Azure Key Vault and of managed HSMs
// (category AuditEvent): who read which secret, who signed, decrypted or unwrapped
// with which key. Vaults write them only where a diagnostic setting delivers them;
// of a vault that is known from the activity log alone, nothing can be known about
// the use of what lies in it.
//
// A secret's name is the vault's resource id in small letters, then /secrets/ and
// its name, without the version; keys and certificates alike. The value of a secret
// is in no record.
//
// A client that has no token yet asks without one and is told where to get it: the
// vault writes a record of the operation Authentication with 401. It is the first
// half of every client's first call and says nothing, so it is a twin.
package keyvault

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/claims"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Format is the name of the format.
const Format = normalise.KeyVault

// The services of vaults and of managed HSMs, as api_service has them.
const (
	Vault = "vault.azure.net"
	HSM   = "managedhsm.azure.net"
)

// Normaliser reads audit events of vaults. The zero value is ready and may be used
// from several goroutines.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is "azure.keyvault".
func (Normaliser) Format() string { return Format }

// Append appends the event of r to dst.
func (Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	return record.Append(dst, r, Format, normalise.IsKeyVault, fill)
}

func fill(e *event.Event, d *record.Doc) error {
	root := d.Root
	when, err := record.Time(root.Get("time"), "time")
	if err != nil {
		return err
	}
	properties := d.Within(root.Get("properties"))
	vault := strings.ToLower(strings.TrimSuffix(root.Get("resourceId").String(), "/"))
	e.Time, e.CloudProvider, e.Category = when, "Azure", event.Data
	e.APIService = Vault
	if strings.Contains(vault, "/managedhsms/") {
		e.APIService = HSM
	}
	e.APIOperation, e.APIRequestUID = root.Get("operationName").String(), root.Get("correlationId").String()
	if e.APIOperation == "" {
		return record.Nameless(root.Get("operationName"), "operationName")
	}
	e.Region = strings.ToLower(record.First(root.Get("location").String(), properties.Get("location").String()))
	e.AccountUID = subscription(vault)
	e.ResourceUID, e.ResourceType = resource(vault, e.APIOperation, record.First(
		properties.Get("id").String(), properties.Get("requestUri").String(), root.Get("requestUri").String()))
	e.ResourceAccountUID = e.AccountUID
	e.ClassUID, e.ActivityID, e.ReadOnly = event.ClassAPIActivity, activity(e.APIOperation), readsOnly(e.APIOperation)
	if manages(e.APIOperation) {
		e.Category = event.Management
	}

	identity := d.Within(root.Get("identity"))
	claim := identity.Get("claim")
	if claim.Kind() != jsontree.Object {
		claim = identity.Get("claims")
	}
	token := claims.Of(claim)
	token.Agent = record.First(properties.Get("clientInfo").String(), root.Get("clientInfo").String())
	e.UserAgent = token.Agent
	token.Actor(e)
	token.Caller(e)
	if trusted := properties.Get("trustedService").String(); trusted != "" {
		e.ActorInvokedBy = trusted
		e.Caller, e.CallerConfidence, e.CallerEvidence = event.CallerAWSService, 0.9, "trustedService is "+trusted
	}
	e.SrcIP, e.SrcHost = record.Address(record.First(root.Get("callerIpAddress").String(), properties.Get("callerIpAddress").String()))
	judge(e, root, properties)
	return nil
}

// judge sets how the call ended.
func judge(e *event.Event, root, properties jsontree.Value) {
	signature := root.Get("resultSignature").Text()
	status := record.First(properties.Get("httpStatusCode").Text(), root.Get("httpStatusCode").Text())
	failed := !strings.EqualFold(root.Get("resultType").String(), "Success") ||
		strings.HasPrefix(status, "4") || strings.HasPrefix(status, "5")
	if !failed {
		return
	}
	e.StatusCode, e.StatusDetail = record.First(signature, status), root.Get("resultDescription").String()
	e.Outcome = outcomeOf(signature, status)
	if e.APIOperation == "Authentication" && e.Outcome == event.AuthFailed && e.ActorUID == "" {
		e.Twin, e.ActorType = true, event.ActorAnonymous
		e.StatusID = event.StatusFailure
	}
}

// outcomeOf is one of the eight outcomes, by the word or the number of the answer's
// status. A vault's firewall, its access policies and its roles all answer
// Forbidden.
func outcomeOf(signature, status string) event.Outcome {
	switch s := strings.ToLower(strings.ReplaceAll(record.First(signature, status), " ", "")); {
	case strings.HasPrefix(s, "forbidden"), s == "accessdenied", s == "403":
		return event.Denied
	case s == "unauthorized", s == "401":
		return event.AuthFailed
	case strings.HasSuffix(s, "notfound"), s == "404":
		return event.NotFound
	case s == "toomanyrequests", s == "throttled", s == "429":
		return event.Throttled
	case s == "badrequest", s == "conflict", s == "preconditionfailed", s == "400", s == "409", s == "412":
		return event.Invalid
	case signature != "" && status != "":
		return outcomeOf("", status)
	}
	return event.Failed
}

func subscription(vault string) string {
	_, rest, _ := strings.Cut(vault, "/subscriptions/")
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// resource is what a call is about: what lies in the vault, by the address that the
// record has, or the vault itself.
func resource(vault, operation, address string) (uid, typ string) {
	_, path, ok := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if ok && len(parts) > 1 && strings.HasPrefix(parts[0], "deleted") {
		parts[0] = strings.TrimPrefix(parts[0], "deleted")
	}
	of := "microsoft.keyvault/vaults"
	if strings.Contains(vault, "/managedhsms/") {
		of = "microsoft.keyvault/managedhsms"
	}
	if vault == "" || !ok || len(parts) < 2 || parts[1] == "" || parts[1] == "restore" || strings.HasSuffix(operation, "List") {
		return vault, of
	}
	switch parts[0] {
	case "secrets", "keys", "certificates":
		return vault + "/" + parts[0] + "/" + strings.ToLower(parts[1]), of + "/" + parts[0]
	}
	return vault, of
}

// manages tells the operations on vaults and what they hold from their use.
func manages(operation string) bool {
	switch activity(operation) {
	case apiRead:
		return strings.HasPrefix(operation, "Vault") || strings.HasSuffix(operation, "List") || strings.Contains(operation, "ListVersions")
	case other:
		return false
	}
	return true
}

// OCSF 1.6.0 activity_id values of API Activity.
const (
	apiCreate int32 = 1
	apiRead   int32 = 2
	apiUpdate int32 = 3
	apiDelete int32 = 4
	other     int32 = 99
)

// uses are the operations that use a key: they read nothing.
var uses = map[string]bool{
	"KeySign": true, "KeyVerify": true, "KeyWrap": true, "KeyUnwrap": true, "KeyEncrypt": true, "KeyDecrypt": true,
	"KeyRelease": true, "Authentication": true,
}

// activity reads the activity from the operation's name: SecretGet, KeyCreate,
// VaultPatch, CertificateDeletedPurge, SecretListVersions.
func activity(operation string) int32 {
	if uses[operation] {
		return other
	}
	for _, w := range [...]struct {
		word string
		is   int32
	}{
		{"List", apiRead}, {"Purge", apiDelete}, {"Delete", apiDelete}, {"Recover", apiUpdate}, {"Restore", apiCreate},
		{"Create", apiCreate}, {"Import", apiCreate}, {"Set", apiUpdate}, {"Put", apiUpdate}, {"Patch", apiUpdate},
		{"Update", apiUpdate}, {"Rotate", apiUpdate}, {"Backup", apiRead}, {"Get", apiRead},
	} {
		if strings.Contains(operation, w.word) && (w.word != "Delete" || !strings.HasSuffix(operation, "Get")) {
			return w.is
		}
	}
	return other
}

func readsOnly(operation string) bool { return activity(operation) == apiRead || uses[operation] }
