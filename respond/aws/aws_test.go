package aws

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/respond"
	"github.com/yagura-sec/yagura/respond/respondtest"
)

// cloud answers like AWS and remembers what it was asked.
type cloud struct {
	*httptest.Server
	mu      sync.Mutex // guards all below
	got     []respond.Call
	headers []http.Header
	assumed []string
	answer  func(w http.ResponseWriter)
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if bytes.HasPrefix(body, []byte("Action=AssumeRole")) {
			c.assumed = append(c.assumed, string(body))
			fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLEROLE00001</AccessKeyId>`+
				`<SecretAccessKey>s</SecretAccessKey><SessionToken>session</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
				time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
			return
		}
		c.got = append(c.got, respond.Call{Method: r.Method, URL: "http://" + r.Host + r.URL.String(), Body: body})
		c.headers = append(c.headers, r.Header)
		w.Header().Set("Content-Type", "application/json")
		if c.answer != nil {
			c.answer(w)
			return
		}
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(c.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY000001", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_CONFIG_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return c
}

func (c *cloud) received() []respond.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.got
	c.got = nil
	return got
}

func responder(t *testing.T, c Config) *Responder {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hubFinding() *finding.Finding {
	return &finding.Finding{Trouble: finding.Trouble{Key: "k", Account: "111122223333", Region: "eu-west-1", Source: "securityhub", External: &finding.External{
		Product: "Security Hub", Format: "aws.securityhub", UID: "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0a",
		Parent: "arn:aws:securityhub:eu-west-1::product/aws/securityhub", Given: finding.New,
	}}}
}

func guardFinding(given finding.Status) *finding.Finding {
	return &finding.Finding{Trouble: finding.Trouble{Key: "k", Account: "111122223333", Region: "eu-west-1", Source: "guardduty", External: &finding.External{
		Product: "GuardDuty", Format: "aws.guardduty", UID: "arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1", Parent: "d1", Given: given,
	}}}
}

var signed = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/eu-west-1/(\w+)/aws4_request, SignedHeaders=[\w;-]*host[\w;-]*, Signature=[0-9a-f]{64}$`)

// TestContract: what is planned is what the product gets, signed.
func TestContract(t *testing.T) {
	c := newCloud(t)
	f := func(product, service string, about *finding.Finding, told respond.Told, want ...string) {
		t.Helper()
		r := responder(t, Config{Product: product, Endpoint: c.URL})
		respondtest.Test(t, r, about, told, c.received)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, h := range c.headers {
			if m := signed.FindStringSubmatch(h.Get("Authorization")); m == nil || m[1] != "AKIAEXAMPLEKEY000001" || m[2] != service {
				t.Errorf("signed %q", h.Get("Authorization"))
			}
			if at := h.Get("X-Amz-Date"); len(at) != len("20260304T120000Z") {
				t.Errorf("dated %q", at)
			}
		}
		c.headers = nil
		calls, err := r.Plan(t.Context(), about, told)
		if err != nil || len(calls) != len(want) {
			t.Fatalf("planned %v, %v", calls, err)
		}
		for i, call := range calls {
			if got := call.Method + " " + strings.TrimPrefix(call.URL, c.URL) + " " + string(call.Body); got != want[i] {
				t.Errorf("planned %s\n   want %s", got, want[i])
			}
		}
	}
	const hubIDs = `"FindingIdentifiers":[{"Id":"arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0a","ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/securityhub"}]`
	f("securityhub", "securityhub", hubFinding(), respond.Told{Status: finding.Suppressed, Note: "change \"4711\""},
		`PATCH /findings/batchupdate {`+hubIDs+`,"Note":{"Text":"change \"4711\"","UpdatedBy":"yagura"},"Workflow":{"Status":"SUPPRESSED"}}`)
	f("securityhub", "securityhub", hubFinding(), respond.Told{Status: finding.Resolved}, `PATCH /findings/batchupdate {`+hubIDs+`,"Workflow":{"Status":"RESOLVED"}}`)
	f("securityhub", "securityhub", hubFinding(), respond.Told{Status: finding.InProgress}, `PATCH /findings/batchupdate {`+hubIDs+`,"Workflow":{"Status":"NOTIFIED"}}`)
	v2 := hubFinding()
	v2.External.Parent = "arn:aws:securityhub:eu-west-1::productv2/aws/guardduty"
	f("securityhub", "securityhub", v2, respond.Told{Status: finding.Suppressed, Note: "known"},
		`PATCH /findingsv2/batchupdatev2 {"Comment":"known","FindingIdentifiers":[{"CloudAccountUid":"111122223333","FindingInfoUid":"arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0a","MetadataProductUid":"arn:aws:securityhub:eu-west-1::productv2/aws/guardduty"}],"StatusId":3}`)
	const feedback = `POST /detector/d1/findings/feedback {"comments":"ours","feedback":"NOT_USEFUL","findingIds":["f1"]}`
	f("guardduty", "guardduty", guardFinding(finding.New), respond.Told{Status: finding.Resolved}, `POST /detector/d1/findings/archive {"findingIds":["f1"]}`)
	f("guardduty", "guardduty", guardFinding(finding.Suppressed), respond.Told{Status: finding.New}, `POST /detector/d1/findings/unarchive {"findingIds":["f1"]}`)
	f("guardduty", "guardduty", guardFinding(finding.New), respond.Told{Status: finding.Suppressed, Verdict: finding.FalsePositive, Note: "ours"},
		`POST /detector/d1/findings/archive {"findingIds":["f1"]}`, feedback)
	f("guardduty", "guardduty", guardFinding(finding.Suppressed), respond.Told{Status: finding.Resolved, Verdict: finding.FalsePositive, Note: "ours"}, feedback)
}

// TestOwnEndpoints: without an endpoint it is AWS's, in the region of the finding
// or the one configured.
func TestOwnEndpoints(t *testing.T) {
	f := func(c Config, want string) {
		t.Helper()
		calls, err := responder(t, c).Plan(t.Context(), guardFinding(finding.New), respond.Told{Status: finding.Resolved})
		if err != nil || len(calls) != 1 || calls[0].URL != want {
			t.Errorf("%v, %v; want %s", calls, err, want)
		}
	}
	f(Config{Product: "guardduty"}, "https://guardduty.eu-west-1.amazonaws.com/detector/d1/findings/archive")
	f(Config{Product: "guardduty", Region: "us-gov-west-1"}, "https://guardduty.us-gov-west-1.amazonaws.com/detector/d1/findings/archive")
}

// TestRole: a role is assumed, that of the finding's account.
func TestRole(t *testing.T) {
	c := newCloud(t)
	r := responder(t, Config{Product: "guardduty", Endpoint: c.URL, Role: "arn:aws:iam::{account}:role/yagura-write-back"})
	if got := r.As(guardFinding(finding.New)); got != "as arn:aws:iam::111122223333:role/yagura-write-back" {
		t.Errorf("it is sent %s", got)
	}
	if _, err := r.Apply(t.Context(), guardFinding(finding.New), respond.Told{Status: finding.Resolved}); err != nil {
		t.Fatal(err)
	}
	if len(c.assumed) != 1 || !strings.Contains(c.assumed[0], "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fyagura-write-back") || !strings.Contains(c.assumed[0], "RoleSessionName=yagura-write-back") {
		t.Errorf("assumed %v", c.assumed)
	}
	if h := c.headers[0]; !strings.Contains(h.Get("Authorization"), "ASIAEXAMPLEROLE00001") || h.Get("X-Amz-Security-Token") != "session" {
		t.Errorf("sent with %v", h)
	}
}

// TestRefused: what goes wrong is said plainly.
func TestRefused(t *testing.T) {
	c := newCloud(t)
	f := func(r *Responder, about *finding.Finding, told respond.Told, want string) {
		t.Helper()
		if _, err := r.Apply(t.Context(), about, told); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	hub := responder(t, Config{Product: "securityhub", Endpoint: c.URL})
	guard := responder(t, Config{Product: "guardduty", Endpoint: c.URL})
	close := respond.Told{Status: finding.Suppressed}
	c.answer = func(w http.ResponseWriter) {
		fmt.Fprint(w, `{"UnprocessedFindings":[{"FindingIdentifier":{"Id":"i","ProductArn":"p"},"ErrorCode":"FindingNotFound","ErrorMessage":"it is not there"}]}`)
	}
	f(hub, hubFinding(), close, "it was not taken: FindingNotFound it is not there")
	c.answer = func(w http.ResponseWriter) {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"Message":"you may not"}`)
	}
	f(hub, hubFinding(), close, "BatchUpdateFindings: AccessDeniedException: you may not")
	nowhere := guardFinding(finding.New)
	nowhere.Region = ""
	f(guard, nowhere, close, "names no region")
	nameless := guardFinding(finding.New)
	nameless.External.Parent = ""
	f(guard, nameless, close, "its detector")
	f(guard, guardFinding(finding.Suppressed), respond.Told{Status: finding.Resolved}, "as it was decided here")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	f(guard, guardFinding(finding.New), close, "there are no AWS credentials")
}

func TestConfig(t *testing.T) {
	f := func(c Config, want string) {
		t.Helper()
		_, err := New(c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	f(Config{Product: "guardduty", Role: "arn:aws-cn:iam::111122223333:role/path/x", Region: "cn-north-1", Endpoint: "https://example.com"}, "")
	f(Config{Product: "scc"}, "one of securityhub, guardduty")
	f(Config{Product: "guardduty", Role: "role/x"}, "no ARN")
	f(Config{Product: "guardduty", Region: "Europe"}, "region")
	f(Config{Product: "guardduty", Endpoint: "http://example.com"}, "https")
}

func TestNote(t *testing.T) {
	if got := []rune(note(strings.Repeat("ü", 600))); len(got) != noteMost || got[noteMost-1] != '…' {
		t.Errorf("%d characters", len(got))
	}
}
