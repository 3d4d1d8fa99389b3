package normalise

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

const bare = `{"eventVersion":"1.08","userIdentity":{"type":"IAMUser"},"eventTime":"2026-03-01T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"ListBuckets"}`

func TestRecogniseCloudTrail(t *testing.T) {
	f := func(body string) {
		t.Helper()
		if format, why := Recognise([]byte(body)); format != CloudTrail {
			t.Errorf("Recognise(%s) = %q, %q", body, format, why)
		}
	}
	quoted, _ := json.Marshal(bare)
	f(bare)
	f(" \n" + strings.ReplaceAll(bare, ":", " : "))
	f(`{"eventName":"ListBuckets","eventTime":"2026-03-01T00:00:00Z","eventSource":"s3.amazonaws.com"}`)
	f(`{"insightDetails":{"state":"Start"},"eventTime":"2026-03-01T00:00:00Z","eventVersion":"1.07"}`)
	f(`{"eventVersion":"1.08","userIdentity":7,`) // broken further on, and CloudTrail's to complain about
	f(`{"eventVersion":{},"userIdentity":[],"eventTime":1,"eventSource":2,"eventName":3}`)
	f(`{"detail-type":"AWS API Call via CloudTrail","detail":` + bare + `}`)
	f(`{"detail-type":"AWS Console Sign In via CloudTrail","detail":{}}`)
	f(`{"detail-type":"AWS Insight via CloudTrail","detail":{"insightDetails":{}}}`)
	f(`{"detail-type":"relayed","detail":` + bare + `}`)
	f(`{"EventId":"x","CloudTrailEvent":` + string(quoted) + `}`)
	f(`{"id":"1","timestamp":2,"message":` + string(quoted) + `}`)
	f(`{"@version":"1","@timestamp":"2026-03-01T00:00:00Z","eventName":"ListBuckets","eventSource":"s3.amazonaws.com","awsRegion":"us-east-1"}`)
}

func TestRecogniseFindings(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if format, why := Recognise([]byte(body)); format != want || why != "" {
			t.Errorf("Recognise(%s) = %q, %q; want %q", body, format, why, want)
		}
	}
	f(`{"SchemaVersion":"2018-10-08","ProductArn":"a","Severity":{"Label":"LOW"}}`, "aws.securityhub")
	f(`{"detail-type":"GuardDuty Finding","detail":{"id":"1","accountId":"1","type":"t","severity":2,"resource":{},"service":{}}}`, "aws.guardduty")
	f(`{"class_uid":2004,"metadata":{"product":{"name":"Prowler"}}}`, "prowler")
	f(`{"output":"o","priority":"Notice","rule":"r","output_fields":{}}`, "falco")
}

func TestRecogniseOthers(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		if format, why := Recognise([]byte(body)); format != "" || !strings.Contains(why, want) {
			t.Errorf("Recognise(%s) = %q, %q; want %q", body, format, why, want)
		}
	}
	f(`{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{"severity":5}}`, "a GuardDuty finding in an EventBridge envelope, without what makes it one")
	f(`{"detail-type":"Object Created","source":"aws.s3","detail":{}}`, "an S3 object-created notice, not a log record")
	f(`{"detail-type":"Object Restore Completed","source":"aws.s3","detail":{}}`, "an S3 object-restore-completed notice")
	f(`{"detail-type":"Security Hub Findings - Custom Action","detail":{}}`, "Security Hub")
	f(`{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}`, `an EventBridge event "Scheduled Event" from "aws.events"`)
	f(`{"source":["aws.ec2"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["RunInstances"]}}`, "an EventBridge rule's pattern")
	f(`{"digestStartTime":"x","digestS3Bucket":"b","logFiles":[]}`, "a CloudTrail digest; accounted for when it is a file of its own")
	f(`{"eventVersion":"2.1","eventSource":"aws:s3","eventTime":"x","eventName":"ObjectCreated:Put","awsRegion":"r","userIdentity":{},"s3":{}}`, "an S3 event notice")
	f(`{"messageId":"1","receiptHandle":"h","body":"{}","eventSource":"aws:sqs","awsRegion":"r"}`, "an SQS message")
	f(`{"EventSource":"aws:sns","EventVersion":"1.0","Sns":{}}`, "an SNS notification")
	f(`{"Type":"Notification","TopicArn":"a","Message":"{}"}`, "an SNS notification")
	f(`{"Service":"Amazon S3","Event":"s3:TestEvent"}`, "an S3 test notice")
	f(`{"Records":[]}`, "a file, not a record")
	f(`{"eventname":"GetObject","eventsource":"s3.amazonaws.com"}`, "keys in small letters")
	f(`{"class_uid":3002,"metadata":{}}`, "an OCSF event of class 3002")
	f(`{"expected":[]}`, "answers that a test expects")
	f(`{"jsonPayload":{},"logName":"projects/x/logs/run.googleapis.com%2Fstdout","insertId":"1"}`, "Google Cloud's log run.googleapis.com/stdout")
	f(`{"b":1,"a":2,"c":{}}`, "JSON, but none of the formats Yagura reads: top-level keys b, a, c")
	f(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1}`, "a, b, c, d, e, f and 2 more")
	f(`{"\u001b[31m":1}`, "keys ?[31m")
	f(`{}`, "it has no keys")
	f(`{"message":"{\"x\":1}"}`, "a CloudWatch Logs event; its message is JSON, but none")
	f(`{"message":"{"}`, "a CloudWatch Logs event; its message is not JSON: byte 1")
	f(`[]`, "JSON, but an array, not a record")
	f(`7`, "JSON, but a number")
	f(``, "not JSON: byte 0")
	f(`hello`, "not JSON: byte 0")
	f("\"\xff\"", "byte 1: not valid UTF-8")
}

// one is a normaliser that appends one event, or fails.
type one struct {
	format string
	err    error
}

func (n one) Format() string { return n.format }

func (n one) Append(dst []event.Event, r event.Raw) ([]event.Event, error) {
	if n.err != nil {
		return dst, n.err
	}
	return append(dst, event.Event{Format: n.format}), nil
}

func TestRegistry(t *testing.T) {
	reg := NewRegistry(one{format: CloudTrail}, one{format: "other", err: errors.New("x is missing")})
	f := func(raw event.Raw, format, failure string) {
		t.Helper()
		before := []event.Event{{EventUID: "kept"}}
		got, err := reg.Append(before, raw)
		switch {
		case failure != "":
			if err == nil || !strings.Contains(err.Error(), failure) || len(got) != 1 {
				t.Errorf("%s: %d events, %v; want %q", raw.Body, len(got), err, failure)
			}
		case err != nil || len(got) != 2 || got[1].Format != format:
			t.Errorf("%s: %+v, %v", raw.Body, got, err)
		}
	}
	f(event.Raw{Body: []byte(bare)}, CloudTrail, "")
	f(event.Raw{Body: []byte(`{}`), Format: CloudTrail}, CloudTrail, "")
	f(event.Raw{Body: []byte(bare), Format: "other"}, "", "x is missing")
	f(event.Raw{Body: []byte(bare), Format: "gcp.audit"}, "", `format "gcp.audit" is none of those Yagura reads here: aws.cloudtrail, other`)
	f(event.Raw{Body: []byte(`{"a":1}`)}, "", "top-level keys a")
	if _, err := NewRegistry().Append(nil, event.Raw{Body: []byte(bare)}); err == nil {
		t.Error("a registry without CloudTrail reads CloudTrail")
	}
}

// FuzzRecognise: a format or a reason, never both or neither, and the reason is
// one line.
func FuzzRecognise(f *testing.F) {
	f.Add([]byte(bare))
	f.Add([]byte(`{"message":"{\"message\":\"{\\\"a\\\":1}\"}"}`))
	f.Add([]byte(`{"detail-type":"x\n","detail":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		format, why := Recognise(body)
		if (format == "") == (why == "") {
			t.Fatalf("format %q, why %q", format, why)
		}
		if strings.ContainsFunc(why, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("why %q", why)
		}
	})
}

// files knows no record.
type files struct{ replaces bool }

func (files) Ours(jsontree.Value) string     { return "" }
func (files) Theirs(v jsontree.Value) string { return v.Get("theirs").String() }
func (f files) Instead(jsontree.Value, string) string {
	return map[bool]string{true: "other"}[f.replaces]
}
func (f files) Replaces(format string) bool { return f.replaces && format == CloudTrail }

// TestMapped: a user's mapping gets what nobody knows, and records of another
// format only if it replaces that.
func TestMapped(t *testing.T) {
	f := func(body string, replaces bool, want string) {
		t.Helper()
		if got, why := NewRegistry().Mapped(files{replaces}).Recognise([]byte(body)); got != want || (got == "") == (why == "") {
			t.Errorf("%s: %q, %q; want %q", body, got, why, want)
		}
	}
	f(bare, false, CloudTrail)
	f(bare, true, "other")
	f(strings.Replace(bare, "{", `{"theirs":"x.y",`, 1), false, CloudTrail)
	f(`{"theirs":"x.y"}`, true, "x.y")
	f(`{"nobody":"x.y"}`, true, "")
	f(`{`, true, "")
}

func BenchmarkRecogniseMapped(b *testing.B) {
	body, reg := []byte(bare), NewRegistry().Mapped(files{})
	b.ReportAllocs()
	for b.Loop() {
		if format, _ := reg.Recognise(body); format == "" {
			b.Fatal("not recognised")
		}
	}
}

func BenchmarkRecognise(b *testing.B) {
	body := []byte(bare)
	b.ReportAllocs()
	for b.Loop() {
		if format, _ := Recognise(body); format == "" {
			b.Fatal("not recognised")
		}
	}
}
