package cloudtrail

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// maxWrappers is how many envelopes may lie around a record: EventBridge inside
// a CloudWatch Logs event is two.
const maxWrappers = 3

// CloudTrail's eventType values that mean something here.
const (
	typeSignIn  = "AwsConsoleSignIn"
	typeConsole = "AwsConsoleAction"
	typeService = "AwsServiceEvent"
	typeInsight = "AwsCloudTrailInsight"
	typeVPCE    = "AwsVpceEvent"
)

// open parses body and takes the CloudTrail record out of what it came in.
func (rd *reader) open(body []byte, wrappers int) (record, error) {
	root, err := rd.tree.Parse(column.Share(body))
	if err != nil {
		return record{}, fmt.Errorf("the record is not JSON: %w", err)
	}
	if root.Kind() != jsontree.Object {
		return record{}, fmt.Errorf("the record is %s, not a JSON object", root.Kind())
	}
	rec := record{body: body}
	rec.fields(root)
	if rec.rawName.Exists() || rec.rawTime.Exists() || rec.insight.Exists() {
		return rec, nil
	}
	if wrappers == maxWrappers {
		return record{}, errors.New("the record lies in more envelopes than Yagura opens")
	}
	if detail := root.Get("detail"); detail.Kind() == jsontree.Object {
		raw := detail.Raw()
		rec := record{body: body[detail.Offset() : detail.Offset()+len(raw)]}
		rec.fields(detail)
		return rec, nil
	}
	for _, key := range [...]string{"CloudTrailEvent", "message"} {
		if inner := root.Get(key); inner.Kind() == jsontree.String {
			rec, err := rd.open([]byte(strings.TrimSpace(inner.String())), wrappers+1)
			if err != nil {
				return record{}, fmt.Errorf("in %s: %w", key, err)
			}
			return rec, nil
		}
	}
	return rec, nil
}

// fields picks the known members of a record's top level. Of a key given twice
// the first counts.
func (rec *record) fields(root jsontree.Value) {
	once := func(dst *string, v jsontree.Value) {
		if *dst == "" {
			*dst = column.Str(v)
		}
	}
	first := func(dst *jsontree.Value, v jsontree.Value) {
		if !dst.Exists() {
			*dst = v
		}
	}
	var stamp jsontree.Value // Logstash moves eventTime here
	for m := root.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "eventTime":
			first(&rec.rawTime, m)
		case "@timestamp":
			first(&stamp, m)
		case "eventName":
			first(&rec.rawName, m)
			once(&rec.name, m)
		case "eventSource":
			once(&rec.source, m)
		case "awsRegion":
			once(&rec.region, m)
		case "sourceIPAddress":
			once(&rec.address, m)
		case "userAgent":
			once(&rec.agent, m)
		case "errorCode":
			once(&rec.errorCode, m)
		case "errorMessage":
			once(&rec.errorMessage, m)
		case "eventID":
			once(&rec.id, m)
		case "sharedEventID":
			once(&rec.sharedID, m)
		case "requestID":
			once(&rec.requestID, m)
		case "eventType":
			once(&rec.typ, m)
		case "eventCategory":
			once(&rec.category, m)
		case "recipientAccountId":
			if rec.account == "" {
				rec.account = accountID(m)
			}
		case "vpcEndpointId":
			once(&rec.vpce, m)
		case "userIdentity":
			first(&rec.identity, m)
		case "requestParameters":
			first(&rec.request, m)
		case "responseElements":
			first(&rec.response, m)
		case "resources":
			first(&rec.resources, m)
		case "insightDetails":
			if m.Kind() == jsontree.Object {
				first(&rec.insight, m)
			}
		case "additionalEventData":
			first(&rec.additional, m)
		case "serviceEventDetails":
			first(&rec.service, m)
		case "readOnly":
			first(&rec.readOnly, m)
		case "managementEvent":
			first(&rec.management, m)
		case "sessionCredentialFromConsole":
			first(&rec.fromConsole, m)
		}
	}
	if !rec.rawTime.Exists() && rec.rawName.Exists() {
		rec.rawTime = stamp
	}
}

// fill sets the columns that are judged rather than copied.
func (rd *reader) fill(e *event.Event, rec *record) {
	id := readIdentity(rec.identity)
	e.AccountUID = rec.account
	if e.AccountUID == "" {
		e.AccountUID = id.accountID
	}
	if addr, err := netip.ParseAddr(rec.address); err == nil && addr.Zone() == "" {
		e.SrcIP = rec.address
	} else {
		e.SrcHost = rec.address
	}
	e.Category = category(rec)
	if val, known := column.Truth(rec.readOnly); known {
		e.ReadOnly = val
	} else {
		e.ReadOnly = readsOnly(rec.name)
	}

	partition := partitionOf(id.arn, rec.region)
	a := actorOf(&id, partition)
	e.ActorType, e.ActorUID, e.ActorName = a.typ, a.uid, a.name
	e.ActorAccountUID, e.ActorSession = a.account, a.session
	e.ActorCredentialUID, e.ActorInvokedBy = id.accessKey, id.invokedBy
	e.ActorMFA = id.mfa
	if used, _ := column.Truth(rec.additional.Get("MFAUsed")); used {
		e.ActorMFA = true
	}

	signIn := signInResult(rec)
	e.Outcome = outcomeOf(rec.errorCode, rec.errorMessage, signIn)
	e.StatusID = event.StatusSuccess
	if e.Outcome != event.Success {
		e.StatusID = event.StatusFailure
	}
	e.ClassUID, e.ActivityID = classOf(rec, e.ReadOnly)
	e.SeverityID = severityOf(e.Outcome, rec.typ)

	c := callerOf(&evidence{
		idType: id.typ, invokedBy: id.invokedBy, address: e.SrcHost, agent: rec.agent,
		console: isTrue(rec.fromConsole), signInSession: id.signInSession,
		scopeType: id.scopeType, scopeIssuedTo: id.scopeIssuedTo, ec2Delivery: id.ec2Delivery,
		session: a.session, role: a.role, provider: id.provider, onBehalfOf: id.onBehalfOf,
		accessKey: id.accessKey, eventType: rec.typ, operation: rec.name,
	})
	e.Caller, e.CallerConfidence, e.CallerEvidence = c.class, c.confidence, c.why
	if a.note != "" {
		e.CallerEvidence = column.Text(column.Join(e.CallerEvidence, a.note))
	}

	rd.resources(e, rec, scope{partition, rec.region, e.AccountUID}, &id)
	e.Message = rd.message(e, rec, signIn)
}

func isTrue(v jsontree.Value) bool { val, _ := column.Truth(v); return val }

// category is the kind of log. Records before version 1.08 do not say; then
// the operations that are only ever logged as data decide.
func category(rec *record) event.Category {
	switch {
	case strings.EqualFold(rec.category, "Management"):
		return event.Management
	case strings.EqualFold(rec.category, "Data"):
		return event.Data
	case strings.EqualFold(rec.category, "Insight"), rec.category == "" && rec.typ == typeInsight:
		return event.Insight
	case strings.EqualFold(rec.category, "NetworkActivity"), rec.category == "" && rec.typ == typeVPCE:
		return event.Network
	}
	if val, known := column.Truth(rec.management); known {
		if val {
			return event.Management
		}
		return event.Data
	}
	if dataOperations[rec.source+" "+rec.name] {
		return event.Data
	}
	return event.Management
}

var dataOperations = map[string]bool{
	"s3.amazonaws.com GetObject": true, "s3.amazonaws.com PutObject": true,
	"s3.amazonaws.com DeleteObject": true, "s3.amazonaws.com DeleteObjects": true,
	"s3.amazonaws.com HeadObject": true, "s3.amazonaws.com CopyObject": true,
	"s3.amazonaws.com ListObjects": true, "s3.amazonaws.com ListObjectVersions": true,
	"s3.amazonaws.com GetObjectAcl": true, "s3.amazonaws.com PutObjectAcl": true,
	"s3.amazonaws.com GetObjectTagging": true, "s3.amazonaws.com PutObjectTagging": true,
	"s3.amazonaws.com RestoreObject": true, "s3.amazonaws.com SelectObjectContent": true,
	"s3.amazonaws.com CreateMultipartUpload": true, "s3.amazonaws.com UploadPart": true,
	"s3.amazonaws.com CompleteMultipartUpload": true, "s3.amazonaws.com AbortMultipartUpload": true,
	"lambda.amazonaws.com Invoke": true, "lambda.amazonaws.com InvokeAsync": true,
	"dynamodb.amazonaws.com GetItem": true, "dynamodb.amazonaws.com PutItem": true,
	"dynamodb.amazonaws.com UpdateItem": true, "dynamodb.amazonaws.com DeleteItem": true,
	"dynamodb.amazonaws.com BatchGetItem": true, "dynamodb.amazonaws.com BatchWriteItem": true,
	"dynamodb.amazonaws.com Query": true, "dynamodb.amazonaws.com Scan": true,
	"sqs.amazonaws.com SendMessage": true, "sqs.amazonaws.com ReceiveMessage": true,
	"sqs.amazonaws.com DeleteMessage": true, "sns.amazonaws.com Publish": true,
}

// epoch reads seconds since 1970, or milliseconds if the number is too large
// for that. Fractions are kept to the microsecond.
func epoch(s string) (time.Time, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1e14 {
		return time.Time{}, false
	}
	if f > 1e11 {
		f /= 1000
	}
	return time.UnixMicro(int64(f*1e6 + 0.5)).UTC(), true
}

// partitionOf takes the partition from a name that the record gives, else from
// the region. Regions that nobody knows are in the commercial partition.
func partitionOf(arn, region string) string {
	if rest, ok := strings.CutPrefix(arn, "arn:"); ok {
		if p, _, ok := strings.Cut(rest, ":"); ok && p != "" {
			return p
		}
	}
	for _, p := range [...]struct{ prefix, partition string }{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"us-iso-", "aws-iso"},
		{"us-isob-", "aws-iso-b"}, {"eu-isoe-", "aws-iso-e"}, {"us-isof-", "aws-iso-f"}, {"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p.partition
		}
	}
	return "aws"
}
