// Package azureactivity reads Azure's activity log: administrative, policy,
// security, alert, health, recommendation and autoscale events.
//
// The same event is written three ways: as the interface answers it and exports
// have it (operationName and status are objects), as the SDK for Python writes that
// (operation_name), and as diagnostic settings deliver it to an event hub or a
// storage account (operationName is a text in capitals, identity holds the claims).
// Names of operations and resources become small letters, so that the three agree.
//
// An operation writes a record when it begins, when it is accepted and when it
// ends. Those before the end are twins: one attempt is counted once. What Azure
// itself concludes (alerts, recommendations, health, audits of policies) is insight
// and never counted as use.
//
// # Denials by policy
//
// A change that Azure Policy refuses is denied_by_org_policy, and status_code names
// the policies that refused: their definitions, or, where a definition has no name
// but a number, their assignments; several in order, with commas. Azure writes two
// records of one refusal, one of category Policy and one of the change that failed;
// they have one correlationId, which is api_request_uid.
//
// # What is not kept
//
// Requests and answers that the record repeats (properties.requestbody,
// responseBody) may hold secret values. Members of a telling name, such as
// adminPassword and protectedSettings, and the value of a secret are replaced in
// Raw.
package azureactivity

import (
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
	"github.com/yagura-sec/yagura/normalise"
	"github.com/yagura-sec/yagura/normalise/claims"
	"github.com/yagura-sec/yagura/normalise/record"
)

// Format is the name of the format.
const Format = normalise.AzureActivity

// Normaliser reads the activity log. The zero value is ready and may be used from
// several goroutines.
type Normaliser struct{}

var _ normalise.Normaliser = Normaliser{}

// Format is "azure.activity".
func (Normaliser) Format() string { return Format }

// Append appends the event of r to dst.
func (Normaliser) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	return record.Append(dst, r, Format, normalise.IsAzureActivity, fill)
}

// activity is a record, whichever way it is written.
type activity struct {
	operation, category, result, sub, level string
	resource, subscription, location        string
	claims, authorization, properties       jsontree.Value
	httpCode                                string
}

func fill(e *event.Event, d *record.Doc) error {
	redact(d)
	root := d.Root
	when, err := timeOf(root)
	if err != nil {
		return err
	}
	a := read(d)
	e.Time, e.CloudProvider = when, "Azure"
	e.EventUID = record.First(text(root, "eventDataId"), text(root, "event_data_id"))
	e.APIRequestUID = record.First(text(root, "correlationId"), text(root, "correlation_id"))
	e.APIOperation, e.APIService = a.operation, provider(&a)
	e.Region = strings.ToLower(a.location)
	if e.Region == "global" {
		e.Region = ""
	}
	e.AccountUID = record.First(strings.ToLower(a.subscription), tenantOf(root))
	e.ResourceUID, e.ResourceType = a.resource, typeOf(a.resource)
	e.ResourceAccountUID = strings.ToLower(subscriptionOf(a.resource))
	if e.APIOperation == "" {
		return record.Nameless(root.Get("operationName"), "operationName")
	}
	who(e, root, &a)
	judge(e, d, &a)
	if e.Twin {
		e.Message = strings.Replace(record.Message(e), " called ", " began ", 1)
	}
	return nil
}

// timeOf is when it happened.
func timeOf(root jsontree.Value) (time.Time, error) {
	for _, key := range []string{"eventTimestamp", "event_timestamp"} {
		if v := root.Get(key); v.Exists() {
			return record.Time(v, key)
		}
	}
	return record.Time(root.Get("time"), "time")
}

// text is a member that is a text, or an object with the text in its value.
func text(v jsontree.Value, key string) string {
	m := v.Get(key)
	if m.Kind() == jsontree.Object {
		m = m.Get("value")
	}
	return m.Text()
}

func read(d *record.Doc) activity {
	root := d.Root
	either := func(camel, snake string) string { return record.First(text(root, camel), text(root, snake)) }
	identity := d.Within(root.Get("identity"))
	a := activity{
		operation: strings.ToLower(either("operationName", "operation_name")),
		category:  text(root, "category"),
		result:    record.First(either("status", "status"), text(root, "resultType")),
		sub:       record.First(either("subStatus", "sub_status"), text(root, "resultSignature")),
		level:     record.First(text(root, "level"), text(root, "Level")),
		resource:  strings.ToLower(either("resourceId", "resource_id")),
		location:  text(root, "location"), subscription: either("subscriptionId", "subscription_id"),
		claims:        firstObject(d.Within(root.Get("claims")), identity.Get("claims")),
		authorization: firstObject(d.Within(root.Get("authorization")), identity.Get("authorization")),
		properties:    d.Within(root.Get("properties")),
	}
	a.resource = strings.TrimSuffix(a.resource, "/")
	if a.subscription == "" {
		a.subscription = subscriptionOf(a.resource)
	}
	a.httpCode = record.First(a.properties.Get("statusCode").Text(), strings.TrimSuffix(afterDot(a.sub), "."))
	return a
}

func firstObject(vs ...jsontree.Value) jsontree.Value {
	for _, v := range vs {
		if v.Kind() == jsontree.Object {
			return v
		}
	}
	return jsontree.Value{}
}

// afterDot is what follows "Failed." in resultSignature, or all of it.
func afterDot(s string) string {
	if _, after, ok := strings.Cut(s, "."); ok {
		return after
	}
	return s
}

func subscriptionOf(resource string) string {
	rest, ok := strings.CutPrefix(strings.ToLower(resource), "/subscriptions/")
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

func tenantOf(root jsontree.Value) string {
	return strings.ToLower(record.First(text(root, "tenantId"), text(root, "tenant_id")))
}

// provider is the resource provider that was called: "microsoft.compute".
func provider(a *activity) string {
	if p, _, ok := strings.Cut(a.operation, "/"); ok && strings.Contains(p, ".") {
		return p
	}
	if _, after, ok := strings.Cut(a.resource, "/providers/"); ok {
		p, _, _ := strings.Cut(after, "/")
		return p
	}
	return "microsoft.resources"
}

// typeOf is the type of a resource by its id: "microsoft.compute/virtualmachines".
// Of one within another the types are joined.
func typeOf(id string) string {
	i := strings.LastIndex(id, "/providers/")
	if i < 0 {
		switch n := strings.Count(strings.Trim(id, "/"), "/"); {
		case !strings.HasPrefix(id, "/subscriptions/"):
			return ""
		case n == 1:
			return "microsoft.resources/subscriptions"
		default:
			return "microsoft.resources/resourcegroups"
		}
	}
	parts := strings.Split(id[i+len("/providers/"):], "/")
	typ := parts[0]
	for i := 1; i < len(parts); i += 2 {
		typ += "/" + parts[i]
	}
	return typ
}

// who sets the actor, the caller and where the call came from.
func who(e *event.Event, root jsontree.Value, a *activity) {
	token := claims.Of(a.claims)
	caller := text(root, "caller")
	if token.UPN == "" && strings.Contains(caller, "@") {
		token.UPN = caller
	}
	evidence := a.authorization.Get("evidence")
	if token.ObjectID == "" {
		token.ObjectID = dashed(evidence.Get("principalId").String())
		if token.ObjectID == "" && looksID(caller) {
			token.ObjectID = caller
		}
	}
	if token.Kind == "" {
		switch strings.ToLower(evidence.Get("principalType").String()) {
		case "user":
			token.Kind = "user"
		case "serviceprincipal", "application", "msi":
			token.Kind = "app"
		}
	}
	if token.UPN == "" && token.Kind == "" && token.AppID != "" && token.AppID != token.ObjectID {
		token.Kind = "app" // claims of a person have a name
	}
	if token.Tenant == "" {
		token.Tenant = tenantOf(root)
	}
	token.Agent = record.First(a.properties.Get("userAgent").String(), record.At(root, "httpRequest", "userAgent").String())
	token.Actor(e)
	token.Caller(e)
	if e.ActorUID == "" {
		service(e, a, caller)
	}
	e.UserAgent = token.Agent
	for _, s := range []string{
		text(root, "callerIpAddress"), record.At(root, "httpRequest", "clientIpAddress").String(),
		record.At(root, "http_request", "client_ip_address").String(), token.Address,
	} {
		ip, host := record.Address(s)
		if ip != "" {
			e.SrcIP, e.SrcHost = ip, ""
			break
		}
		if e.SrcHost == "" {
			e.SrcHost = host
		}
	}
}

// service names the provider's own service where nobody else is: by a caller such as
// "Microsoft.Advisor", or, of what Azure itself concluded, the provider that tells it.
func service(e *event.Event, a *activity, caller string) {
	switch {
	case caller != "":
		e.CallerEvidence = "caller is " + caller
	case categoryOf(a) == event.Insight:
		caller = provider(a)
		e.CallerEvidence = "Azure's own conclusion, of " + caller
	default:
		return
	}
	e.ActorType, e.ActorUID, e.ActorName = event.ActorService, strings.ToLower(caller), caller
	e.Caller, e.CallerConfidence = event.CallerAWSService, 0.8
}

// looksID tells a number such as 0c0ffee0-1111-4222-8333-444455556666, with or
// without its hyphens, from a name.
func looksID(s string) bool {
	n := 0
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			n++
		case c != '-':
			return false
		}
	}
	return n == 32
}

// dashed puts the hyphens back into an id that the authorisation's evidence has
// without.
func dashed(s string) string {
	if len(s) != 32 || !looksID(s) {
		return s
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
