package local

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/query"
)

// genDay is the first day of generated events.
var genDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// genEvents makes n events spread over days, with the shape of CloudTrail: a
// few dozen operations of very different frequency, 1.4 KB of raw each.
func genEvents(seed uint64, n, days int) []event.Event {
	r := rand.New(rand.NewPCG(seed, 1))
	ops := [][2]string{
		{"s3.amazonaws.com", "GetObject"}, {"kms.amazonaws.com", "Decrypt"}, {"sts.amazonaws.com", "AssumeRole"},
		{"secretsmanager.amazonaws.com", "GetSecretValue"}, {"ec2.amazonaws.com", "DescribeInstances"}, {"s3.amazonaws.com", "PutObject"},
		{"iam.amazonaws.com", "ListRoles"}, {"logs.amazonaws.com", "CreateLogStream"}, {"cloudtrail.amazonaws.com", "StopLogging"},
	}
	outcomes := []event.Outcome{event.Success, event.Success, event.Success, event.Success, event.Denied, event.NotFound}
	callers := []event.Caller{event.CallerLambda, event.CallerECS, event.CallerConsole, event.CallerPersonCLI, event.CallerUnknown}
	out := make([]event.Event, n)
	for i := range out {
		op := ops[int(r.ExpFloat64()*1.6)%len(ops)]
		account := fmt.Sprintf("1111222233%02d", r.IntN(6))
		role := fmt.Sprintf("role-%03d", int(r.ExpFloat64()*40))
		at := genDay.Add(time.Duration(r.Int64N(int64(days)*86_400_000_000)) * time.Microsecond)
		if i%5 != 0 {
			at = at.Truncate(time.Second)
		}
		bucket := fmt.Sprintf("arn:aws:s3:::bucket-%d", int(r.ExpFloat64()*20))
		e := event.Event{
			Time: at, IngestTime: at.Add(5 * time.Minute), ClassUID: event.ClassAPIActivity, ActivityID: 2, SeverityID: 1, StatusID: 1,
			Outcome: outcomes[r.IntN(len(outcomes))], Format: "aws.cloudtrail", CloudProvider: "AWS", AccountUID: account,
			Region: []string{"ap-northeast-1", "us-east-1", "eu-west-1"}[r.IntN(3)], APIService: op[0], APIOperation: op[1],
			APIRequestUID: fmt.Sprintf("%016X", r.Uint64()), ReadOnly: op[1][0] != 'P', Category: event.Management,
			ActorType: event.ActorRole, ActorUID: "arn:aws:iam::" + account + ":role/" + role, ActorName: role,
			ActorSession: fmt.Sprintf("session-%d", r.IntN(500)), ActorCredentialUID: fmt.Sprintf("ASIA%012d", r.IntN(n/20+1)),
			ActorMFA: r.IntN(9) == 0, Caller: callers[r.IntN(len(callers))], CallerConfidence: float32(r.IntN(11)) / 10,
			SrcIP:     fmt.Sprintf("10.%d.%d.%d", r.IntN(3), r.IntN(40), r.IntN(250)),
			UserAgent: []string{"Boto3/1.26", "aws-cli/2.1", "console.amazonaws.com", "Café İKſ/1"}[r.IntN(4)],
			Message:   role + " called " + op[1] + " 拒否", Object: fmt.Sprintf("s3://trail/%05d.json.gz", i/400), Position: int64(i % 400),
		}
		switch r.IntN(12) {
		case 0:
			e.SrcIP = fmt.Sprintf("2001:db8:%x::%x", r.IntN(3), r.IntN(200))
		case 1:
			e.SrcIP, e.SrcHost = "", op[0]
		}
		if r.IntN(3) > 0 {
			e.ResourceUID, e.ResourceType = bucket, "AWS::S3::Bucket"
			e.ResourceUIDs = []string{bucket}
			if r.IntN(4) == 0 {
				e.ResourceUIDs = append(e.ResourceUIDs, bucket+"/key", "arn:aws:kms:eu-west-1:"+account+":key/k")
			}
		}
		if e.Outcome == event.Denied {
			e.StatusID, e.StatusCode, e.StatusDetail = 2, "AccessDenied", "User is not authorized"
		}
		for k := 0; k < 16; k += 8 {
			v := r.Uint64()
			for b := range 8 {
				e.UID[k+b] = byte(v >> (8 * b))
			}
		}
		e.EventUID = e.UID.String()
		if i%50 == 0 {
			e.EventUID = fmt.Sprintf("shared-%d", i)
		}
		e.Raw = fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROA%016X:%s","arn":"arn:aws:sts::%s:assumed-role/%s/%s","accountId":"%s","accessKeyId":"%s","sessionContext":{"sessionIssuer":{"type":"Role","arn":"%s","userName":"%s"},"attributes":{"creationDate":"%s","mfaAuthenticated":"%v"}}},"eventTime":"%s","eventSource":"%s","eventName":"%s","awsRegion":"%s","sourceIPAddress":"%s","userAgent":"%s","requestParameters":{"bucketName":"%s","n":%d,"tags":[{"k":"a%d"},{"k":"b"}],"empty":null},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"x-amz-id-2":"%016x%016x%016x%016x"},"requestID":"%s","eventID":"%s","readOnly":%v,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s"}}`,
			r.Uint64(), e.ActorSession, account, role, e.ActorSession, account, e.ActorCredentialUID, e.ActorUID, role, at.Format(time.RFC3339), e.ActorMFA, at.Format(time.RFC3339),
			e.APIService, e.APIOperation, e.Region, e.SrcIP, e.UserAgent, strings.TrimPrefix(bucket, "arn:aws:s3:::"), r.IntN(20), r.IntN(3),
			r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), e.APIRequestUID, e.UID, e.ReadOnly, account, e.APIService)
		out[i] = e
	}
	return out
}

func restOrder(a, b record) int {
	if c := strings.Compare(a.AccountUID, b.AccountUID); c != 0 {
		return c
	}
	if c := strings.Compare(a.APIOperation, b.APIOperation); c != 0 {
		return c
	}
	if c := a.Time.Compare(b.Time); c != 0 {
		return c
	}
	return slices.Compare(a.UID[:], b.UID[:])
}

// fillAtRest lists the events as merged segments of at most perFile rows.
func fillAtRest(tb testing.TB, s *Store, evs []event.Event, perFile int) {
	tb.Helper()
	days := map[int32][]record{}
	for i := range evs {
		d := dayOf(evs[i].Time)
		days[d] = append(days[d], record{Event: &evs[i]})
	}
	var ch change
	for d, recs := range days {
		slices.SortFunc(recs, restOrder)
		for part := range slices.Chunk(recs, perFile) {
			g, err := s.writeEvents(restEvents, d, part)
			if err != nil {
				tb.Fatal(err)
			}
			g.Released = true
			ch.add = append(ch.add, g)
		}
	}
	if err := s.commit(context.Background(), &ch); err != nil {
		tb.Fatal(err)
	}
}

func openTest(tb testing.TB, dir string, opt Options) *Store {
	tb.Helper()
	s, err := Open(dir, opt)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// everything is the query of all events.
var everything query.Query
