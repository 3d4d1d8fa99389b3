package simulate

import "time"

// draft is a record in the making. Its slices are reused from record to record.
type draft struct {
	at         int64 // seconds
	who        *principal
	source     string
	name       string
	region     string
	ip, agent  string
	errCode    string
	errMsg     string
	req, resp  []byte // JSON; empty means null
	extra      []byte // additionalEventData
	resources  []byte
	readOnly   bool
	data       bool // a data event, else management
	eventType  string
	apiVersion string
	recipient  string
	invokedBy  string
	vpce       string
	console    bool
	eventID    []byte
	requestID  []byte
	sharedID   []byte
	foreign    bool     // recorded in another account than the caller's
	secret     *secret  // read by this call
	other      *account // receives the call too
}

// begin drafts a call with everything that follows from who calls what where.
func (w *world) begin(a *account, who *principal, op *operation, second int64) *draft {
	d := &w.d
	*d = draft{
		at: second, who: who, source: op.source, name: op.name, region: home, ip: who.ip, agent: who.agent,
		req: d.req[:0], resp: d.resp[:0], extra: d.extra[:0], resources: d.resources[:0],
		readOnly: op.readOnly, data: op.data, eventType: "AwsApiCall", apiVersion: op.version,
		recipient: a.id, vpce: who.vpce, console: who.console,
		eventID: w.appendUUID(d.eventID[:0]), requestID: w.appendUUID(d.requestID[:0]), sharedID: d.sharedID[:0],
	}
	return d
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

func (d *draft) appendIdentity(b []byte) []byte {
	if d.foreign {
		b = append(b, d.who.accountBrief...)
	} else {
		b = append(b, d.who.before...)
		if d.who.after != "" {
			b = stamp(b, d.at-d.at%3600)
			b = append(b, d.who.after...)
		}
	}
	if d.invokedBy != "" {
		b = text(b, "invokedBy", d.invokedBy)
	}
	return append(b, '}')
}

// append writes the record in CloudTrail's own order of fields.
func (d *draft) append(b []byte) []byte {
	b = append(b, `{"eventVersion":"1.11","userIdentity":`...)
	b = d.appendIdentity(b)
	b = append(b, `,"eventTime":"`...)
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
	b = text(b, "requestID", string(d.requestID))
	b = text(b, "eventID", string(d.eventID))
	b = flag(b, "readOnly", d.readOnly)
	if len(d.resources) > 0 {
		b = append(b, `,"resources":[`...)
		b = append(b, d.resources...)
		b = append(b, ']')
	}
	b = text(b, "eventType", d.eventType)
	if d.apiVersion != "" {
		b = text(b, "apiVersion", d.apiVersion)
	}
	b = flag(b, "managementEvent", !d.data)
	b = text(b, "recipientAccountId", d.recipient)
	if len(d.sharedID) > 0 {
		b = text(b, "sharedEventID", string(d.sharedID))
	}
	return d.appendTail(b)
}

func (d *draft) appendTail(b []byte) []byte {
	if d.vpce != "" {
		b = text(b, "vpcEndpointId", d.vpce)
		b = text(b, "vpcEndpointAccountId", d.recipient)
	}
	if d.data {
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
