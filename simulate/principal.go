package simulate

import (
	"fmt"
	"strings"
)

// class is how a caller comes to its credentials.
type class uint16

const (
	lambda class = iota
	ecs
	ec2
	eks
	ci
	person // single sign-on, command line
	console
	service
	static // an IAM user's long-lived key
	classes
)

// Sets of classes, as bits.
const (
	programs  = 1<<lambda | 1<<ecs | 1<<ec2 | 1<<eks
	people    = 1<<person | 1<<console
	operators = 1<<person | 1<<console | 1<<ci
	anyone    = programs | operators
)

// principal is a caller as its records show it.
type principal struct {
	class class
	arn   string
	// identity is the record's userIdentity without its closing parts: before
	// and after the session's creation time; after is empty without a session.
	before, after string
	accountBrief  string // the userIdentity seen by another account
	ip, agent     string
	vpce          string
	console       bool
}

const (
	agentLambda  = "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.240 lang/python#3.13.5 exec-env/AWS_Lambda_python3.13"
	agentECS     = "aws-sdk-java/2.32.4 ua/2.1 os/Linux#5.10.239 lang/java#21.0.8 exec-env/AWS_ECS_FARGATE"
	agentEC2     = "aws-sdk-go-v2/1.38.0 ua/2.1 os/linux lang/go#1.26.1 md/GOOS#linux md/GOARCH#arm64 api/s3#1.87.0"
	agentEKS     = "aws-sdk-js/3.860.0 ua/2.1 os/linux#6.1.141-155.222.amzn2023.x86_64 lang/js md/nodejs#22.17.1 api/secrets-manager#3.860.0"
	agentCI      = "APN/1.0 HashiCorp/1.0 Terraform/1.13.5 (+https://www.terraform.io) terraform-provider-aws/6.22.0 aws-sdk-go-v2/1.39.6"
	agentCLI     = "aws-cli/2.31.7 md/awscrt#0.27.6 ua/2.1 os/macos#25.1.0 md/arch#arm64 lang/python#3.13.7 md/installer#exe"
	agentBrowser = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/145.0.0.0 Safari/537.36"
	agentStatic  = "Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#5.15.0-1051 md/arch#x86_64 lang/python#3.10.12 md/pyimpl#CPython Botocore/1.34.11"
)

// people fills an account with those who act in it.
func (w *world) people(a *account) {
	nat := fmt.Sprintf("203.0.113.%d", 10+a.index%200)
	vpce := "vpce-" + w.hex(17)
	for i, fn := range a.functions {
		p := w.role(a, lambda, fn+"-role", fn, "", fmt.Sprintf(`,"inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:%s:%s:function:%s"}`, home, a.id, fn), "")
		p.ip, p.agent = nat, agentLambda
		if i%3 == 0 {
			p.ip, p.vpce = fmt.Sprintf("10.%d.4.%d", a.index%250, 20+i), vpce
		}
	}
	for i := range 3 {
		p := w.role(a, ecs, systems[(a.index+i)%len(systems)]+"-task", w.hex(32), "", "", "")
		p.ip, p.agent, p.vpce = fmt.Sprintf("10.%d.8.%d", a.index%250, 11+i), agentECS, vpce
	}
	for i := range 4 {
		p := w.role(a, ec2, "web-tier", "i-"+w.hex(17), "", "", `,"ec2RoleDelivery":"2.0"`)
		p.ip, p.agent = fmt.Sprintf("10.%d.16.%d", a.index%250, 30+i), agentEC2
	}
	for i := range 2 {
		sys := systems[(a.index+i)%len(systems)]
		oidc := fmt.Sprintf("arn:aws:iam::%s:oidc-provider/oidc.eks.%s.amazonaws.com/id/%s", a.id, home, strings.ToUpper(w.hex(32)))
		p := w.role(a, eks, "eks-"+sys, fmt.Sprintf("botocore-session-17%08d", w.rng.IntN(1e8)), fmt.Sprintf(`{"federatedProvider":"%s","attributes":{}}`, oidc), "", "")
		p.ip, p.agent = fmt.Sprintf("10.%d.32.%d", a.index%250, 40+i), agentEKS
	}
	deploy := w.role(a, ci, "ci-deploy", "GitHubActions", fmt.Sprintf(`{"federatedProvider":"arn:aws:iam::%s:oidc-provider/token.actions.githubusercontent.com","attributes":{}}`, a.id), "", "")
	deploy.ip, deploy.agent = "192.0.2.51", agentCI
	for i := range 5 {
		who := names[(a.index*3+i)%len(names)] + "@hoshino.example"
		set := "AWSReservedSSO_" + []string{"ReadOnly", "Developer", "Operator"}[i%3] + "_" + w.hex(16)
		p := w.role(a, person, set, who, "", "", "")
		p.ip, p.agent = fmt.Sprintf("192.0.2.%d", 100+i), agentCLI
		c := *p
		c.class, c.console, c.agent = console, true, agentBrowser
		a.byClass[console] = append(a.byClass[console], &c)
	}
	for _, host := range []string{"cloudtrail", "config", "autoscaling", "delivery.logs", "lambda", "ecs-tasks"} {
		p := &principal{class: service, before: `{"type":"AWSService","invokedBy":"` + host + `.amazonaws.com"`, ip: host + ".amazonaws.com", agent: host + ".amazonaws.com"}
		a.byClass[service] = append(a.byClass[service], p)
	}
	user := w.user(a, "report-export")
	user.ip, user.agent = "192.0.2.77", agentStatic
}

// role makes a session of a role. fed is webIdFederationData, scope what
// follows the session context, delivery what follows its attributes.
func (w *world) role(a *account, c class, name, session, fed, scope, delivery string) *principal {
	id := "AROA" + strings.ToUpper(w.letters(17))
	path := name
	if strings.HasPrefix(name, "AWSReservedSSO_") {
		path = "aws-reserved/sso.amazonaws.com/" + home + "/" + name
	}
	if fed != "" {
		fed = `,"webIdFederationData":` + fed
	}
	p := &principal{class: c, arn: fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", a.id, name, session)}
	p.before = fmt.Sprintf(`{"type":"AssumedRole","principalId":"%s:%s","arn":"%s","accountId":"%s","accessKeyId":"ASIA%s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"%s","arn":"arn:aws:iam::%s:role/%s","accountId":"%s","userName":"%s"}%s,"attributes":{"creationDate":"`,
		id, session, p.arn, a.id, strings.ToUpper(w.letters(16)), id, a.id, path, a.id, name, fed)
	p.after = `","mfaAuthenticated":"false"}` + delivery + "}" + scope
	p.accountBrief = fmt.Sprintf(`{"type":"AWSAccount","principalId":"%s:%s","accountId":"%s"`, id, session, a.id)
	a.byClass[c] = append(a.byClass[c], p)
	return p
}

func (w *world) user(a *account, name string) *principal {
	id := "AIDA" + strings.ToUpper(w.letters(17))
	p := &principal{class: static, arn: fmt.Sprintf("arn:aws:iam::%s:user/%s", a.id, name)}
	p.before = fmt.Sprintf(`{"type":"IAMUser","principalId":"%s","arn":"%s","accountId":"%s","accessKeyId":"AKIA%s","userName":"%s"`, id, p.arn, a.id, strings.ToUpper(w.letters(16)), name)
	p.accountBrief = fmt.Sprintf(`{"type":"AWSAccount","principalId":"%s","accountId":"%s"`, id, a.id)
	a.byClass[static] = append(a.byClass[static], p)
	return p
}
