package laketest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/event"
)

// Day is the day of most events that tests make.
var Day = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)

// Maker makes events of an invented organisation, the same for one seed.
type Maker struct {
	rnd *rand.Rand
	n   int
}

// NewMaker returns a maker of its own sequence of events.
func NewMaker(seed uint64) *Maker { return &Maker{rnd: rand.New(rand.NewPCG(seed, 7))} }

func pick[T any](m *Maker, from ...T) T { return from[m.rnd.IntN(len(from))] }

func (m *Maker) uid() event.UID {
	var u event.UID
	for i := range u {
		u[i] = byte(m.rnd.Uint32())
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

// Event makes an event at t that looks like one of CloudTrail: raw is about
// 1.4 KB and agrees with the columns. Object and Position are left to Batch.
func (m *Maker) Event(t time.Time) event.Event {
	m.n++
	uid := m.uid()
	account := pick(m, "111122223333", "444455556666", "777788889999")
	op := pick(m, "GetSecretValue", "Decrypt", "GetObject", "AssumeRole", "DescribeInstances", "PutObject", "ListBuckets")
	svc := map[string]string{"GetSecretValue": "secretsmanager", "Decrypt": "kms", "GetObject": "s3", "PutObject": "s3",
		"ListBuckets": "s3", "AssumeRole": "sts", "DescribeInstances": "ec2"}[op] + ".amazonaws.com"
	role := fmt.Sprintf("app-%d", m.rnd.IntN(12))
	e := event.Event{
		Time: t.UTC().Truncate(time.Microsecond), IngestTime: Day.Add(30 * 24 * time.Hour),
		UID: uid, EventUID: uid.String(), ClassUID: event.ClassAPIActivity, ActivityID: int32(1 + m.rnd.IntN(4)),
		SeverityID: event.SeverityInformational, StatusID: event.StatusSuccess, Outcome: event.Success,
		Format: "aws.cloudtrail", CloudProvider: "AWS", AccountUID: account,
		Region: pick(m, "ap-northeast-1", "us-east-1"), APIService: svc, APIOperation: op,
		APIRequestUID: m.uid().String(), ReadOnly: !strings.HasPrefix(op, "Put"), Category: event.Management,
		ActorType: event.ActorRole, ActorUID: "arn:aws:iam::" + account + ":role/" + role, ActorName: role,
		ActorAccountUID: account, ActorSession: fmt.Sprintf("i-%08x", m.rnd.IntN(40)),
		ActorCredentialUID: fmt.Sprintf("ASIAEXAMPLE%09d", m.rnd.IntN(200)), ActorMFA: m.rnd.IntN(9) == 0,
		Caller: pick(m, event.CallerEC2, event.CallerLambda, event.CallerUnknown), CallerConfidence: 0.75,
		CallerEvidence: "session name is an instance id",
		SrcIP:          fmt.Sprintf("203.0.113.%d", m.rnd.IntN(256)), UserAgent: "aws-sdk-go-v2/1.30 os/linux lang/go",
		Message: role + " called " + op,
	}
	if m.rnd.IntN(8) == 0 {
		e.Outcome, e.StatusID, e.StatusCode, e.StatusDetail = event.Denied, event.StatusFailure, "AccessDenied", "not authorised to perform "+op
	}
	switch op {
	case "GetSecretValue":
		e.ResourceUID = fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:db-%d", e.Region, account, m.rnd.IntN(20))
		e.ResourceType, e.ResourceAccountUID = "AWS::SecretsManager::Secret", account
	case "GetObject", "PutObject":
		e.ResourceUID = fmt.Sprintf("arn:aws:s3:::logs-%d/%d.gz", m.rnd.IntN(3), m.rnd.IntN(500))
		e.ResourceUIDs = []string{e.ResourceUID, e.ResourceUID[:strings.IndexByte(e.ResourceUID, '/')]}
	case "Decrypt":
		e.Twin = m.rnd.IntN(3) == 0
		if m.rnd.IntN(20) == 0 {
			e.Category = event.Insight
		}
	}
	if e.ResourceUID != "" && e.ResourceUIDs == nil {
		e.ResourceUIDs = []string{e.ResourceUID}
	}
	e.Raw = raw(m, &e)
	return e
}

func raw(m *Maker, e *event.Event) []byte {
	return fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%s:%s",`+
		`"arn":"arn:aws:sts::%s:assumed-role/%s/%s","accountId":"%s","accessKeyId":"%s","sessionContext":{"sessionIssuer":`+
		`{"type":"Role","principalId":"AROAEXAMPLE%s","arn":"%s","accountId":"%s","userName":"%s"},"attributes":`+
		`{"creationDate":"%s","mfaAuthenticated":"%v"}}},"eventTime":"%s","eventSource":"%s","eventName":"%s","awsRegion":"%s",`+
		`"sourceIPAddress":"%s","userAgent":"%s","errorCode":"%s","errorMessage":"%s","requestParameters":{"resource":"%s",`+
		`"maxResults":%d,"nextToken":"%x"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4",`+
		`"CipherSuite":"TLS_AES_128_GCM_SHA256","x-amz-id-2":"%x","bytesTransferredOut":%d},"requestID":"%s","eventID":"%s",`+
		`"readOnly":%v,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management",`+
		`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s"}}`,
		e.ActorName, e.ActorSession, e.AccountUID, e.ActorName, e.ActorSession, e.AccountUID, e.ActorCredentialUID,
		e.ActorName, e.ActorUID, e.AccountUID, e.ActorName, e.Time.Truncate(time.Hour).Format(time.RFC3339), e.ActorMFA,
		e.Time.Format(time.RFC3339), e.APIService, e.APIOperation, e.Region, e.SrcIP, e.UserAgent, e.StatusCode, e.StatusDetail,
		e.ResourceUID, m.rnd.IntN(100), m.rnd.Uint64(), m.rnd.Uint64(), m.rnd.IntN(1<<20), e.APIRequestUID, e.EventUID,
		e.ReadOnly, e.AccountUID, e.APIService)
}

// Events makes n events, spread over d from start on in the order of time.
func (m *Maker) Events(n int, start time.Time, d time.Duration) []event.Event {
	out := make([]event.Event, n)
	for i := range out {
		out[i] = m.Event(start.Add(d * time.Duration(i) / time.Duration(n)))
	}
	return out
}

// Batch puts events, as records 0, 1, … of one object, into a batch.
func Batch(object, version string, events ...event.Event) event.Batch {
	events = append([]event.Event(nil), events...)
	for i := range events {
		events[i].Object, events[i].Position, events[i].Batch = object, int64(i), event.BatchID{}
	}
	return event.Batch{
		Spans:  []event.Span{{Object: object, Version: version, Records: int64(len(events)), Final: true}},
		Events: events,
	}
}
