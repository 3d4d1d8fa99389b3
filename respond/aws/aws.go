// Package aws tells AWS Security Hub and Amazon GuardDuty what was decided about
// their findings, by the operations that their consoles use:
//
//   - Security Hub: BatchUpdateFindings sets the workflow status and the note; of
//     findings of version 2, BatchUpdateFindingsV2 the status and a comment.
//   - GuardDuty: ArchiveFindings and UnarchiveFindings, and UpdateFindingsFeedback
//     where somebody said whether it was right.
//
// In the configuration:
//
//	write_back:
//	  - product: guardduty        # or securityhub
//	    role: arn:aws:iam::{account}:role/yagura-write-back
//	    region: eu-west-1         # absent: the finding's
//	    endpoint: https://…       # absent: AWS's own
//
// {account} is the finding's account. Without a role requests are sent with the
// credentials that the AWS SDK finds: environment, profile, container, instance.
package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/yagura-sec/yagura/finding"
	"github.com/yagura-sec/yagura/respond"
)

// Config is an entry of write_back.
type Config struct {
	Product  string // "securityhub" or "guardduty"
	Role     string // ARN of a role to assume; {account} is the finding's
	Region   string // empty: the finding's
	Endpoint string // of the service and of STS; empty: AWS's own
}

// Products that can be told.
var Products = []string{"securityhub", "guardduty"}

var (
	roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}|\{account\}):role/[\w+=,.@/-]+$`)
	regions = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d+$`)
	account = regexp.MustCompile(`^\d{12}$`)
)

// request is one operation of a service: sent through its SDK with these options.
type request struct {
	operation string
	send      func(ctx context.Context, c aws.Config) (answer string, err error)
}

// Responder tells one product.
type Responder struct {
	cfg      Config
	requests func(f *finding.Finding, t respond.Told) ([]request, error)
}

var _ respond.Responder = (*Responder)(nil)

// New checks the configuration; it opens nothing.
func New(c Config) (*Responder, error) {
	r := &Responder{cfg: c}
	switch c.Product {
	case "securityhub":
		r.requests = toSecurityHub
	case "guardduty":
		r.requests = toGuardDuty
	default:
		return nil, fmt.Errorf("product %q cannot be told from here: it is one of %s", c.Product, strings.Join(Products, ", "))
	}
	if c.Role != "" && !roleARN.MatchString(c.Role) {
		return nil, fmt.Errorf("role %q is no ARN of a role", c.Role)
	}
	if c.Region != "" && !regions.MatchString(c.Region) {
		return nil, fmt.Errorf("region %q is none", c.Region)
	}
	if u, err := url.Parse(c.Endpoint); c.Endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u)) {
		return nil, fmt.Errorf("endpoint %q is no address by https, or of this machine", c.Endpoint)
	}
	return r, nil
}

func loopback(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost")
}

// As is respond.Responder's.
func (r *Responder) As(f *finding.Finding) string {
	if role := r.role(f); role != "" {
		return "as " + role
	}
	return "with the AWS credentials of Yagura's process"
}

func (r *Responder) role(f *finding.Finding) string {
	return strings.ReplaceAll(r.cfg.Role, "{account}", f.Account)
}

// where says in which region f is told of.
func (r *Responder) where(f *finding.Finding) (string, error) {
	region := r.cfg.Region
	if region == "" {
		region = f.Region
	}
	switch {
	case !regions.MatchString(region):
		return "", errors.New("the finding names no region: write_back has to name it")
	case strings.Contains(r.cfg.Role, "{account}") && !account.MatchString(f.Account):
		return "", errors.New("the finding names no account, which the role needs")
	}
	return region, nil
}

// Plan is respond.Responder's: what the SDK would send, short of the signature.
func (r *Responder) Plan(ctx context.Context, f *finding.Finding, t respond.Told) ([]respond.Call, error) {
	region, err := r.where(f)
	if err != nil {
		return nil, err
	}
	all, err := r.requests(f, t)
	if err != nil {
		return nil, err
	}
	out := []respond.Call{}
	for _, q := range all {
		call := respond.Call{Operation: q.operation, Region: region}
		c := aws.Config{Region: region, APIOptions: []func(*middleware.Stack) error{catch(&call)}}
		r.point(&c)
		if _, err := q.send(ctx, c); !errors.Is(err, errCaught) {
			return nil, fmt.Errorf("%s: %w", q.operation, err)
		}
		out = append(out, call)
	}
	return out, nil
}

func (r *Responder) point(c *aws.Config) {
	if r.cfg.Endpoint != "" {
		c.BaseEndpoint = aws.String(r.cfg.Endpoint)
	}
}

var errCaught = errors.New("not sent")

// catch keeps a request as it is before it would be signed, and stops it there.
func catch(call *respond.Call) func(*middleware.Stack) error {
	return func(s *middleware.Stack) error {
		stop := func(_ context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler) (out middleware.FinalizeOutput, m middleware.Metadata, err error) {
			q, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return out, m, fmt.Errorf("a request of type %T", in.Request)
			}
			body := []byte("null")
			if stream := q.GetStream(); stream != nil {
				if body, err = io.ReadAll(stream); err != nil {
					return out, m, err
				}
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, body); err != nil {
				return out, m, err
			}
			call.Method, call.URL, call.Body = q.Method, q.URL.String(), compact.Bytes()
			return out, m, errCaught
		}
		// After the endpoint is known, before the signature.
		return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("ShowRequest", stop), "ResolveEndpointV2", middleware.After)
	}
}

// credentialsMost is how long finding credentials may take: an instance that has
// none answers late.
const credentialsMost = 15 * time.Second

// Apply is respond.Responder's.
func (r *Responder) Apply(ctx context.Context, f *finding.Finding, t respond.Told) (answers []respond.Answer, err error) {
	region, err := r.where(f)
	if err != nil {
		return nil, err
	}
	all, err := r.requests(f, t)
	if err != nil {
		return nil, err
	}
	c, err := r.open(ctx, f, region)
	if err != nil {
		return nil, err
	}
	for _, q := range all {
		text, err := q.send(ctx, c)
		if err != nil {
			return answers, fmt.Errorf("%s: %w", q.operation, plain(err))
		}
		answers = append(answers, respond.Answer{Operation: q.operation, Text: text})
	}
	return answers, nil
}

// open finds credentials.
func (r *Responder) open(ctx context.Context, f *finding.Finding, region string) (aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return c, fmt.Errorf("read AWS's configuration: %w", err)
	}
	r.point(&c)
	look, cancel := context.WithTimeout(ctx, credentialsMost)
	defer cancel()
	if _, err := c.Credentials.Retrieve(look); err != nil {
		return c, fmt.Errorf("there are no AWS credentials: give the process a role, a profile or keys in its environment (%w)", err)
	}
	if role := r.role(f); role != "" {
		assume := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c), role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "yagura-write-back" })
		c.Credentials = aws.NewCredentialsCache(assume)
		if _, err := c.Credentials.Retrieve(ctx); err != nil {
			return c, fmt.Errorf("assume %s: %w", role, plain(err))
		}
	}
	return c, nil
}
