package normalise

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/yagura-sec/yagura/alert"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

// CloudTrail is the format of AWS CloudTrail records.
const CloudTrail = "aws.cloudtrail"

// Recognise tells the format of a record from its content, in whatever envelope
// it came. For what Yagura does not read, format is empty and why says, to a
// person, what was found.
//
// It looks only as far as it must: a bare CloudTrail record is known by its
// first two keys, so one that is broken further on is still CloudTrail, and its
// normaliser says what is wrong with it.
func Recognise(body []byte) (format, why string) {
	if isBareCloudTrail(body) {
		return CloudTrail, ""
	}
	tree := trees.Get().(*jsontree.Tree)
	defer func() {
		if !tree.Large() {
			trees.Put(tree)
		}
	}()
	body = bytes.TrimSpace(body)
	// No copy: a raw record's bytes never change (event.Raw), and every reason
	// is put together anew.
	format, why = recognise(tree, unsafe.String(unsafe.SliceData(body), len(body)), 0)
	if format == "" && len(body) > 0 && body[0] == '{' {
		if found, not := alert.Find(body); not == "" {
			return found.Format, ""
		} else if strings.HasPrefix(why, unknown) && !strings.HasPrefix(not, alert.NoFinding) && !strings.HasPrefix(not, "not JSON") {
			why = not
		}
	}
	return format, why
}

// unknown begins the reason for what is none of the shapes.
const unknown = "JSON, but none of the formats Yagura reads: "

var trees = sync.Pool{New: func() any { return new(jsontree.Tree) }}

// isBareCloudTrail knows records as CloudTrail itself writes them, which begin
// {"eventVersion":"1.08","userIdentity": (S3's notices begin alike, with 2.x).
// No is no answer: the record may be written otherwise.
func isBareCloudTrail(b []byte) bool {
	b, ok := token(b, `{`)
	if !ok {
		return false
	}
	if b, ok = token(b, `"eventVersion"`); !ok {
		return false
	}
	if b, ok = token(b, `:`); !ok {
		return false
	}
	if b, ok = token(b, `"1.`); !ok {
		return false
	}
	quote := bytes.IndexByte(b[:min(len(b), 8)], '"')
	if quote < 0 {
		return false
	}
	if b, ok = token(b[quote+1:], `,`); !ok {
		return false
	}
	_, ok = token(b, `"userIdentity"`)
	return ok
}

// token steps over white space and then t.
func token(b []byte, t string) ([]byte, bool) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	if len(b) < len(t) || string(b[:len(t)]) != t {
		return nil, false
	}
	return b[len(t):], true
}

func recognise(tree *jsontree.Tree, text string, inside int) (format, why string) {
	root, err := tree.Parse(text)
	if err != nil {
		return "", "not JSON: " + err.Error()
	}
	if root.Kind() != jsontree.Object {
		return "", "JSON, but " + root.Kind().String() + ", not a record"
	}
	if detail := root.Get("detail"); detail.Kind() == jsontree.Object && root.Get("detail-type").Exists() {
		return recogniseEventBridge(root, detail)
	}
	if root.Get("CloudTrailEvent").Kind() == jsontree.String || isCloudTrail(root) {
		return CloudTrail, ""
	}
	if m := root.Get("message").String(); inside < maxInside && strings.HasPrefix(strings.TrimSpace(m), "{") {
		format, why = recognise(new(jsontree.Tree), strings.TrimSpace(m), inside+1)
		if format == "" {
			why = "a CloudWatch Logs event; its message is " + why
		}
		return format, why
	}
	if format, why := recogniseGoogle(root, inside); format != "" || why != "" {
		return format, why
	}
	for _, k := range known {
		if k.is(root) {
			return k.format, ""
		}
	}
	if what := otherDevices(root); what != "" {
		return "", what
	}
	for _, s := range shapes {
		if s.is(root) {
			return "", s.what
		}
	}
	if what := otherIdentity(root); what != "" {
		return "", what
	}
	if format, why, ok := unwrapped(root, inside); ok {
		if what := ruleCase(root); format == "" && what != "" {
			return "", what
		}
		return format, why
	}
	return "", unknown + keys(root)
}

// maxInside is how many envelopes are looked into.
const maxInside = 2

const notYet = "; Yagura does not read these yet"

func recogniseEventBridge(root, detail jsontree.Value) (format, why string) {
	if root.Get("detail-type").Kind() == jsontree.Array {
		return "", "an EventBridge rule's pattern, not an event"
	}
	typ := root.Get("detail-type").String()
	if strings.HasSuffix(typ, "via CloudTrail") || isCloudTrail(detail) {
		return CloudTrail, ""
	}
	switch {
	case typ == "GuardDuty Finding":
		return "", "a GuardDuty finding in an EventBridge envelope, without what makes it one"
	case strings.HasPrefix(typ, "Security Hub Findings"), strings.HasPrefix(typ, "Findings Imported"):
		return "", "Security Hub findings in an EventBridge envelope: a file, not a record"
	case typ == "AWS Health Event":
		return "", "an AWS Health event in an EventBridge envelope" + notYet
	case strings.HasPrefix(typ, "Config "):
		return "", "an AWS Config notice in an EventBridge envelope" + notYet
	case root.Get("source").String() == "aws.s3" && strings.HasPrefix(typ, "Object "):
		what := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(typ, "Object "), " ", "-"))
		return "", "an S3 object-" + alert.Plain(what) + " notice, not a log record"
	}
	return "", fmt.Sprintf("an EventBridge event %q from %q"+notYet, alert.Plain(typ), alert.Plain(root.Get("source").String()))
}

// isCloudTrail tells by keys alone, so that a record with a wrong type in every
// field is still known for what it is. Exporters cut records down: the name of
// what happened and two more of CloudTrail's keys are enough.
func isCloudTrail(v jsontree.Value) bool {
	if strings.HasPrefix(v.Get("eventSource").String(), "aws:") {
		return false // S3, SQS and others name themselves so in their notices
	}
	named, known := false, 0
	for m := v.First(); m.Exists(); m = m.Next() {
		switch m.Key() {
		case "eventName", "insightDetails":
			named = true
		case "eventVersion", "userIdentity", "eventTime", "eventSource", "awsRegion", "eventID", "eventType",
			"recipientAccountId", "sourceIPAddress", "requestParameters", "responseElements", "requestID":
			known++
		}
	}
	return named && known >= 2 || known >= 5
}

// known are the formats besides CloudTrail's and findings, each with how its
// records are known; gone through in order.
var known = []struct {
	format string
	is     func(jsontree.Value) bool
}{
	{EntraSignIn, IsEntraSignIn},
	{EntraAudit, IsEntraAudit},
	{KeyVault, IsKeyVault},
	{AzureActivity, IsAzureActivity},
	{Office365, IsOffice365},
	{Okta, IsOkta},
}

// shape is something that is JSON and not for us, and what to call it.
type shape struct {
	what string
	is   func(jsontree.Value) bool
}

// has is true of an object that has all of the keys.
func has(keys ...string) func(jsontree.Value) bool {
	return func(v jsontree.Value) bool {
		for _, k := range keys {
			if !v.Get(k).Exists() {
				return false
			}
		}
		return true
	}
}

// from is true of an object that names its source so.
func from(source string) func(jsontree.Value) bool {
	return func(v jsontree.Value) bool {
		return v.Get("eventSource").String() == source || v.Get("EventSource").String() == source
	}
}

// shapes is gone through in order.
var shapes = []shape{
	{"a CloudTrail digest; accounted for when it is a file of its own", has("digestStartTime", "digestS3Bucket")},
	{"an S3 event notice, not a log record", from("aws:s3")},
	{"an SQS message, not a log record", from("aws:sqs")},
	{"an SNS notification, not a log record", from("aws:sns")},
	{"an SNS notification, not a log record", has("Type", "TopicArn", "Message")},
	{"an S3 test notice, not a log record", func(v jsontree.Value) bool { return v.Get("Event").String() == "s3:TestEvent" }},
	{"an S3 access notice, not a log record", has("s3Bucket", "s3ObjectKey")},
	{"an SQS message, not a log record", has("messageId", "receiptHandle", "body")},
	{"several records in one: a file, not a record", has("Records")},
	{"a LookupEvents answer with several events, not a record", has("Events")},
	{"a CloudTrail record with its keys in small letters, as Athena writes them; Yagura reads CloudTrail's own spelling", has("eventname", "eventsource")},
	{"Security Hub findings: a file, not a record", has("findings", "actionName")},
	{"an AWS Config notice" + notYet, has("configurationItem")},
	{"an AWS Config notice" + notYet, has("configurationItemStatus", "resourceType")},
	{"a VPC Flow Logs record" + notYet, has("srcaddr", "dstaddr")},
}

// keys lists an object's first keys.
func keys(v jsontree.Value) string {
	const most = 6
	var b strings.Builder
	n := 0
	for m := v.First(); m.Exists(); m = m.Next() {
		if n++; n > most {
			continue
		}
		if n > 1 {
			b.WriteString(", ")
		}
		b.WriteString(alert.Plain(m.Key()))
	}
	switch {
	case n == 0:
		return "it has no keys"
	case n > most:
		b.WriteString(" and " + strconv.Itoa(n-most) + " more")
	}
	return "top-level keys " + b.String()
}
