package simulate

import (
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

// call is one record to be: small, as there are many at a time. The record's
// bytes follow from it alone.
type call struct {
	at     int64 // seconds
	due    int64 // when it is delivered
	id     uint64
	who    *session
	op     *operation
	secret *secret // read, or nil
	in     *stream // account and region that record it
	other  *account
	more   *more
	mark   marks
}

type marks uint16

const (
	isTwin     marks = 1 << iota // the key service's record of a read
	isForeign                    // recorded in another account than the caller's
	isShared                     // recorded in two accounts
	isAgain                      // to be delivered twice
	isRepeat                     // the second delivery
	isByName                     // the secret is called by its bare name
	isInternal                   // agent "AWS Internal"
	isThrottled
	isMissing
	isDenied
	isWrong = isThrottled | isMissing | isDenied
)

// more is what few records have.
type more struct {
	req, resp, extra, resources string // JSON; empty means what the operation implies, or null
	errCode, errMsg             string
	eventType                   string
	invokedBy                   string
	ip, agent                   string
	noFlag                      bool // without the console's flag although the session has it
}

// eventID is the provider's id of the record with an internal id.
func eventID(id uint64) string { return string(appendEventID(nil, id)) }

func appendEventID(b []byte, id uint64) []byte { return appendUUID(b, mix(id), mix(id^0x5bd1e995)) }

// draft is a record in the making. Its slices are reused from record to record.
type draft struct {
	*call
	source     string
	name       string
	region     string
	ip, agent  string
	vpce       string
	errCode    string
	errMsg     string
	req, resp  []byte // JSON; empty means null
	extra      []byte // additionalEventData
	resources  []byte
	eventType  string
	apiVersion string
	invokedBy  string
	console    bool
}

// renderer turns calls into records. It is for one goroutine; several may share
// an engine's accounts, which they only read.
type renderer struct {
	pcg       rand.PCG
	rng       *rand.Rand
	d         draft
	scopeFrom int64
	accounts  []*account
}

func newRenderer(e *engine) *renderer {
	r := &renderer{scopeFrom: e.scopeFrom, accounts: e.accounts}
	r.rng = rand.New(&r.pcg)
	return r
}

// append writes the call's record.
func (r *renderer) append(b []byte, c *call) []byte {
	r.pcg.Seed(c.id, 0x7265636f7264)
	d := r.begin(c)
	a := c.in.account
	switch {
	case c.mark&isTwin != 0:
		r.twin(d)
	case c.more != nil && c.more.req != "":
		d.req = append(d.req, c.more.req...)
	case c.secret != nil:
		r.read(d)
	case c.op.fill != nil:
		if c.mark&isForeign != 0 {
			a = c.other // the caller's, as in the first of both records
		}
		c.op.fill(r, a, d)
	}
	if m := c.more; m != nil {
		d.amend(m)
	}
	if c.mark&isWrong != 0 {
		d.fail()
	}
	return d.append(b, r.scopeFrom)
}

// begin drafts a call with everything that follows from who calls what where.
func (r *renderer) begin(c *call) *draft {
	d := &r.d
	*d = draft{
		call: c, source: c.op.source, name: c.op.name, region: c.in.region, ip: c.who.ip, agent: c.who.agent, vpce: c.who.vpce,
		req: d.req[:0], resp: d.resp[:0], extra: d.extra[:0], resources: d.resources[:0],
		eventType: "AwsApiCall", apiVersion: c.op.version, console: c.who.console,
	}
	if c.mark&isInternal != 0 {
		d.agent = internal
		if !d.console {
			d.invokedBy, d.ip, d.vpce = internal, internal, ""
		}
	}
	if c.who.class == service && c.who.sessions != "" {
		d.invokedBy = c.who.agent
	}
	return d
}

func (d *draft) amend(m *more) {
	d.resp = append(d.resp, m.resp...)
	d.extra = append(d.extra, m.extra...)
	d.resources = append(d.resources, m.resources...)
	if m.errCode != "" {
		d.errCode = m.errCode
	}
	if m.errMsg != "" {
		d.errMsg = m.errMsg
	}
	if m.eventType != "" {
		d.eventType = m.eventType
	}
	if m.invokedBy != "" {
		d.invokedBy, d.ip, d.agent, d.vpce = m.invokedBy, m.invokedBy, m.invokedBy, ""
	}
	if m.ip != "" {
		d.ip, d.vpce = m.ip, ""
	}
	if m.agent != "" {
		d.agent = m.agent
	}
	if m.noFlag {
		d.console = false
	}
	if d.errCode != "" {
		d.resp = d.resp[:0]
	}
}

// fail makes the drafted call end in one of the usual errors.
func (d *draft) fail() {
	switch {
	case d.mark&isThrottled != 0:
		d.errCode, d.errMsg = "ThrottlingException", "Rate exceeded"
	case d.mark&isMissing != 0:
		d.errCode, d.errMsg = "ResourceNotFoundException", "The requested resource was not found"
	default:
		d.errCode, d.errMsg = denial(d.source, d.name, d.who.sessionARN())
	}
	d.resp = d.resp[:0]
}

func denial(source, name, arn string) (code, message string) {
	switch source {
	case "ec2":
		return "Client.UnauthorizedOperation", "You are not authorized to perform this operation."
	case "kms", "ssm", "dynamodb", "ecs", "ecr", "lambda":
		code = "AccessDeniedException"
	default:
		code = "AccessDenied"
	}
	return code, "User: " + arn + " is not authorized to perform: " + source + ":" + name + " because no identity-based policy allows the action"
}

// read is the request for a secret's value, or the use of a key.
func (r *renderer) read(d *draft) {
	s := d.secret
	arn := s.in(d.region)
	switch s.Sort {
	case estate.SortKey:
		d.req = append(d.req, `{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"app":"`...)
		d.req = append(append(d.req, s.use...), `"}}`...)
		d.resource(s.Account.ID, "AWS::KMS::Key", arn)
	case estate.SortParameter:
		d.req = append(kv(d.req, "name", s.Name), `,"withDecryption":true}`...)
		d.resource(s.Account.ID, "AWS::SSM::Parameter", arn)
	default:
		id := arn
		if s.bare {
			id = s.Name
			if d.mark&isForeign != 0 || d.other != nil {
				id = arn
			}
		}
		d.req = append(kv(d.req, "secretId", id), '}')
	}
}

// twin is the key service's record of a call that the secret's service made on
// the caller's behalf.
func (r *renderer) twin(d *draft) {
	s := d.secret
	host, context := "secretsmanager.amazonaws.com", `{"encryptionContext":{"SecretARN":"`
	if s.Sort == estate.SortParameter {
		host, context = "ssm.amazonaws.com", `{"encryptionContext":{"PARAMETER_ARN":"`
	}
	d.invokedBy, d.ip, d.agent, d.vpce = host, host, host, ""
	d.req = append(append(append(d.req, context...), s.in(d.region)...), s.suffix...)
	if s.Sort == estate.SortSecret {
		d.req = append(d.req, `","SecretVersionId":"`...)
		d.req = appendUUID(d.req, s.hash, mix(s.hash))
	}
	d.req = append(d.req, `"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`...)
	d.resource(s.Account.ID, "AWS::KMS::Key", s.Key)
}

func (d *draft) resource(account, kind, arn string) {
	b := d.resources
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"accountId":"`...)
	b = append(b, account...)
	b = append(b, `","type":"`...)
	b = append(b, kind...)
	b = append(b, `","ARN":"`...)
	b = append(b, arn...)
	d.resources = append(b, `"}`...)
}

// text appends ,"key":"value". No value here holds a character that JSON
// escapes; a test parses every record.
func text(b []byte, key, value string) []byte {
	b = append(b, `,"`...)
	b = append(b, key...)
	b = append(b, `":"`...)
	b = append(b, value...)
	return append(b, '"')
}

func raw(b []byte, key string, value []byte) []byte {
	b = append(b, `,"`...)
	b = append(b, key...)
	b = append(b, `":`...)
	if len(value) == 0 {
		return append(b, "null"...)
	}
	return append(b, value...)
}

func stamp(b []byte, second int64) []byte {
	return time.Unix(second, 0).UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
}

// append writes the record in CloudTrail's own order of fields.
func (d *draft) append(b []byte, scopeFrom int64) []byte {
	b = append(b, `{"eventVersion":"1.11","userIdentity":`...)
	if d.mark&isForeign != 0 && d.who.brief != "" {
		b = d.who.appendBrief(b)
	} else {
		b = d.who.appendIdentity(b, d.at, scopeFrom)
	}
	if d.invokedBy != "" {
		b = text(b, "invokedBy", d.invokedBy)
	}
	b = append(b, `},"eventTime":"`...)
	b = stamp(b, d.at)
	b = append(b, `","eventSource":"`...)
	b = append(b, d.source...)
	b = append(b, `.amazonaws.com"`...)
	b = text(b, "eventName", d.name)
	b = text(b, "awsRegion", d.region)
	b = text(b, "sourceIPAddress", d.ip)
	b = text(b, "userAgent", d.agent)
	if d.errCode != "" {
		b = text(b, "errorCode", d.errCode)
	}
	if d.errMsg != "" {
		b = text(b, "errorMessage", d.errMsg)
	}
	b = raw(b, "requestParameters", d.req)
	b = raw(b, "responseElements", d.resp)
	if len(d.extra) > 0 {
		b = raw(b, "additionalEventData", d.extra)
	}
	b = append(b, `,"requestID":"`...)
	b = appendUUID(b, mix(d.id^0x7f4a7c15), d.id)
	b = append(b, `","eventID":"`...)
	b = appendEventID(b, d.id)
	b = append(b, '"')
	b = flag(b, "readOnly", d.op.readOnly)
	if len(d.resources) > 0 {
		b = append(b, `,"resources":[`...)
		b = append(b, d.resources...)
		b = append(b, ']')
	}
	b = text(b, "eventType", d.eventType)
	if d.apiVersion != "" {
		b = text(b, "apiVersion", d.apiVersion)
	}
	b = flag(b, "managementEvent", !d.op.data)
	b = text(b, "recipientAccountId", d.in.account.ID)
	if d.mark&isShared != 0 {
		b = append(b, `,"sharedEventID":"`...)
		b = appendUUID(b, mix(sharedID(d.id)), sharedID(d.id))
		b = append(b, '"')
	}
	return d.appendTail(b)
}

// foreignBit tells the ids of both records of one call apart.
const foreignBit = 1 << 63

func sharedID(id uint64) uint64 { return mix(id &^ foreignBit) }

func (d *draft) appendTail(b []byte) []byte {
	if d.vpce != "" {
		b = text(b, "vpcEndpointId", d.vpce)
		b = text(b, "vpcEndpointAccountId", d.in.account.ID)
	}
	if d.op.data {
		b = text(b, "eventCategory", "Data")
	} else {
		b = text(b, "eventCategory", "Management")
	}
	if d.invokedBy == "" && d.who.class != service && d.eventType == "AwsApiCall" {
		b = append(b, `,"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"`...)
		b = append(b, d.source...)
		b = append(b, '.')
		b = append(b, d.region...)
		b = append(b, `.amazonaws.com"}`...)
	}
	if d.console {
		b = text(b, "sessionCredentialFromConsole", "true")
	}
	return append(b, '}')
}

func flag(b []byte, key string, v bool) []byte {
	b = append(b, `,"`...)
	b = append(b, key...)
	if v {
		return append(b, `":true`...)
	}
	return append(b, `":false`...)
}

// secret is a secret as the engine uses it.
type secret struct {
	*estate.Secret
	account *account
	op      *operation // that reads it
	bare    bool       // called by its name
	suffix  string     // what the ARN of a bare one lacks
	use     string     // encryption context of a key's use
	hash    uint64
	from    int64 // exists
	until   int64 // and not any more; 0: to the end
}

func newSecret(s *estate.Secret, a *account) *secret {
	t := &secret{Secret: s, account: a, op: &readOp, hash: textHash(s.ARN)}
	switch s.Sort {
	case estate.SortKey:
		t.op = &decryptOp
		t.use = "records"
		if s.App != nil {
			t.use = s.App.Name
		}
	case estate.SortParameter:
		t.op = &parameterOp
	default:
		if strings.HasSuffix(s.ARN, ":secret:"+s.Name) {
			t.bare, t.suffix = true, "-"+upper36(t.hash, 6)
		}
	}
	if !s.Created.IsZero() {
		t.from = s.Created.Unix()
	}
	if !s.Deleted.IsZero() {
		t.until = s.Deleted.Unix()
	}
	return t
}

func (s *secret) exists(at int64) bool { return at >= s.from && (s.until == 0 || at < s.until) }

// in is the ARN that a call to a region names.
func (s *secret) in(region string) string {
	if region == s.Region {
		return s.ARN
	}
	named := s.bare || s.Sort == estate.SortParameter
	for _, r := range s.Replicas {
		named = named || r == region
	}
	if !named {
		return s.ARN
	}
	return strings.Replace(s.ARN, ":"+s.Region+":", ":"+region+":", 1)
}
