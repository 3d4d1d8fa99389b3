package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/yagura-sec/yagura/simulate/estate"
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

var classOf = map[estate.Class]class{
	estate.Lambda: lambda, estate.ECS: ecs, estate.EC2: ec2, estate.EKS: eks, estate.CI: ci,
	estate.CLI: person, estate.Console: console, estate.Service: service, estate.Static: static,
}

const (
	agentLambda     = "Boto3/1.40.4 md/Botocore#1.40.4 ua/2.1 os/linux#5.10.240 lang/python#3.13.5 exec-env/AWS_Lambda_python3.13"
	agentLambdaBare = "aws-sdk-rust/1.3.8 ua/2.1 api/secretsmanager/1.83.0 os/linux lang/rust/1.89.0"
	agentECS        = "aws-sdk-java/2.32.4 ua/2.1 os/Linux#5.10.239 lang/java#21.0.8 exec-env/AWS_ECS_FARGATE"
	agentEC2        = "aws-sdk-go-v2/1.38.0 ua/2.1 os/linux lang/go#1.26.1 md/GOOS#linux md/GOARCH#arm64 api/s3#1.87.0"
	agentEKS        = "aws-sdk-js/3.860.0 ua/2.1 os/linux#6.1.141-155.222.amzn2023.x86_64 lang/js md/nodejs#22.17.1 api/secrets-manager#3.860.0"
	agentCI         = "APN/1.0 HashiCorp/1.0 Terraform/1.13.5 (+https://www.terraform.io) terraform-provider-aws/6.22.0 aws-sdk-go-v2/1.39.6"
	agentCLI        = "aws-cli/2.31.7 md/awscrt#0.27.6 ua/2.1 os/macos#25.1.0 md/arch#arm64 lang/python#3.13.7 md/installer#exe"
	agentBrowser    = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/145.0.0.0 Safari/537.36"
	agentStatic     = "Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#5.15.0-1051 md/arch#x86_64 lang/python#3.10.12 md/pyimpl#CPython Botocore/1.34.11"
	internal        = "AWS Internal"
)

// principal is a role, a user or a service as its records show it. Of a role
// the session's name stands between head and middle and between middle and
// key, its access key between key and born, its creation between born and tail.
type principal struct {
	class    class
	arn      string // stable; of a role the role's
	hash     uint64 // of it
	account  string
	sessions string // what a session's ARN begins with; empty: there are no sessions

	head, middle, key, born, tail string
	scope                         string // inScopeOf, of programs from a day on
	scoped                        bool   // from the first day
	brief, briefTail              string // the userIdentity seen by another account
}

// session is a principal at work from somewhere.
type session struct {
	*principal
	name      string
	accessKey string
	ip, agent string
	vpce      string
	console   bool
}

func (s *session) sessionARN() string {
	if s.sessions == "" {
		return s.arn
	}
	return s.sessions + s.name
}

// traits are what a role's sessions show besides names.
type traits struct {
	provider string // of web identity
	delivery string // ec2RoleDelivery
	scopeTyp string // inScopeOf
	scopeTo  string
	scoped   bool
	mfa      bool
}

// newPrincipal reads what kind of thing arn names: a role, a user, the root of
// an account, or a service by its host name.
func newPrincipal(c class, arn string, t traits) *principal {
	p := &principal{class: c, arn: arn, hash: textHash(arn)}
	if !strings.HasPrefix(arn, "arn:") {
		p.head = `{"type":"AWSService","invokedBy":"` + arn + `"`
		return p
	}
	field := strings.SplitN(arn, ":", 6)
	p.account = field[4]
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	id := upper36(textHash(arn), 17)
	switch {
	case field[5] == "root":
		p.head = fmt.Sprintf(`{"type":"Root","principalId":"%s","arn":"%s","accountId":"%s"`, p.account, arn, p.account)
	case strings.HasPrefix(field[5], "user/"):
		p.head = fmt.Sprintf(`{"type":"IAMUser","principalId":"AIDA%s","arn":"%s","accountId":"%s","accessKeyId":"AKIA%s","userName":"%s"`, id, arn, p.account, upper36(mix(textHash(arn)), 16), name)
		p.brief = fmt.Sprintf(`{"type":"AWSAccount","principalId":"AIDA%s","accountId":"%s"`, id, p.account)
	default:
		p.ofRole(name, id, t)
	}
	return p
}

func (p *principal) ofRole(name, id string, t traits) {
	p.sessions = fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/", p.account, name)
	p.head = `{"type":"AssumedRole","principalId":"AROA` + id + ":"
	p.middle = `","arn":"` + p.sessions
	p.key = `","accountId":"` + p.account + `","accessKeyId":"ASIA`
	fed := ""
	if t.provider != "" {
		fed = `,"webIdFederationData":{"federatedProvider":"` + t.provider + `","attributes":{}}`
	}
	p.born = fmt.Sprintf(`","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA%s","arn":"%s","accountId":"%s","userName":"%s"}%s,"attributes":{"creationDate":"`,
		id, p.arn, p.account, name, fed)
	delivery := ""
	if t.delivery != "" {
		delivery = `,"ec2RoleDelivery":"` + t.delivery + `"`
	}
	p.tail = fmt.Sprintf(`","mfaAuthenticated":"%t"}%s}`, t.mfa, delivery)
	if t.scopeTyp != "" {
		p.scope, p.scoped = `,"inScopeOf":{"issuerType":"`+t.scopeTyp+`","credentialsIssuedTo":"`+t.scopeTo+`"}`, t.scoped
	}
	p.brief, p.briefTail = `{"type":"AWSAccount","principalId":"AROA`+id+":", `","accountId":"`+p.account+`"`
}

// upper36 is n characters that follow from h.
func upper36(h uint64, n int) string {
	const set = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, n)
	for i := range b {
		if i%12 == 0 {
			h = mix(h)
		}
		b[i] = set[h&31]
		h >>= 5
	}
	return string(b)
}

func (p *principal) session(name, ip, agent string) *session {
	return &session{principal: p, name: name, accessKey: upper36(textHash(name)^textHash(p.arn), 16), ip: ip, agent: agent, console: p.class == console}
}

// appendIdentity writes userIdentity as of a time.
func (s *session) appendIdentity(b []byte, at, scopeFrom int64) []byte {
	b = append(b, s.head...)
	if s.sessions == "" {
		return b
	}
	b = append(b, s.name...)
	b = append(b, s.middle...)
	b = append(b, s.name...)
	b = append(b, s.key...)
	b = append(b, s.accessKey...)
	b = append(b, s.born...)
	b = stamp(b, at-at%3600)
	b = append(b, s.tail...)
	if s.scope != "" && (s.scoped || at >= scopeFrom) {
		b = append(b, s.scope...)
	}
	return b
}

func (s *session) appendBrief(b []byte) []byte {
	b = append(b, s.brief...)
	if s.sessions != "" {
		b = append(b, s.name...)
		b = append(b, s.briefTail...)
	}
	return b
}

// program is a workload at work: the sessions it has at the moment.
type program struct {
	wl      *estate.Workload
	account *account
	who     *principal
	agent   string
	live    []*session
	born    uint64 // sessions so far
	flows   []*flow
	pods    bool // pod identity in place of a web identity

	deniedRate float64 // times a busy hour
	deniedOp   *operation
	slowFrom   int64 // throttled until slowTo
	slowTo     int64
}

func (e *engine) newProgram(wl *estate.Workload) *program {
	a := e.byID[wl.Account.ID]
	h := textHash(wl.Role)
	p := &program{wl: wl, account: a}
	t := traits{}
	switch wl.Class {
	case estate.Lambda:
		t.scopeTyp, t.scopeTo = "AWS::Lambda::Function", "arn:aws:lambda:"+wl.Region+":"+wl.Account.ID+":function:"+wl.Name
		p.agent = agentLambda
		if float64(mix(h)%1000)/1000 >= shareExecEnv {
			p.agent = agentLambdaBare
		}
	case estate.ECS:
		p.agent = agentECS
	case estate.EC2:
		p.agent, t.delivery = agentEC2, "2.0"
		if wl.IMDSv1 {
			t.delivery = "1.0"
		}
	case estate.EKS:
		p.agent, p.pods = agentEKS, h%3 == 0
		if !p.pods {
			t.provider = fmt.Sprintf("arn:aws:iam::%s:oidc-provider/oidc.eks.%s.amazonaws.com/id/%s", wl.Account.ID, wl.Region, upper36(textHash(wl.Account.ID+wl.Region), 32))
		}
	case estate.CI:
		p.agent, t.provider = agentCI, "arn:aws:iam::"+wl.Account.ID+":oidc-provider/token.actions.githubusercontent.com"
	}
	p.who = newPrincipal(classOf[wl.Class], wl.Role, t)
	n := 1
	if wl.Class == estate.ECS || wl.Class == estate.EC2 || wl.Class == estate.EKS {
		n = 1 + int(h%3)
	}
	for range n {
		p.live = append(p.live, p.start())
	}
	return p
}

// start is a new session: a task, an instance, a pod, a run.
func (p *program) start() *session {
	p.born++
	h := mix(textHash(p.who.arn) + p.born)
	var name string
	switch p.wl.Class {
	case estate.Lambda:
		name = p.wl.Name
	case estate.ECS:
		name = fmt.Sprintf("%016x%016x", h, mix(h))
	case estate.EC2:
		name = fmt.Sprintf("i-0%016x", h)
	case estate.EKS:
		if p.pods {
			name = "eks-" + p.wl.Account.Name + "-" + p.wl.Name + "-" + string(appendUUID(nil, h, mix(h)))
		} else {
			name = fmt.Sprintf("botocore-session-17%08d", h%1e8)
		}
	case estate.CI:
		name = "GitHubActions"
	default:
		name = p.wl.Name
	}
	s := p.who.session(name, p.wl.Account.NAT, p.agent)
	if p.wl.Internal {
		s.ip, s.vpce = fmt.Sprintf("%s.%d.%d", p.wl.Account.Network, 4+4*int(p.who.class)+int(h>>8&3), 10+h>>16%230), p.wl.Account.VPCE
	}
	if p.wl.Class == estate.CI {
		s.ip = fmt.Sprintf("192.0.2.%d", 48+h%16) // the build service's own runners
	}
	return s
}

// renew puts a new session in place of the oldest, where sessions are things
// that come and go.
func (p *program) renew() {
	switch p.wl.Class {
	case estate.ECS, estate.EC2, estate.EKS:
		p.live = append(p.live[1:], p.start())
	}
}

func (p *program) any(rng *rand.Rand) *session {
	if len(p.live) == 1 {
		return p.live[0]
	}
	return p.live[rng.IntN(len(p.live))]
}

// alive tells whether the program exists at the second.
func (p *program) alive(at int64) bool {
	return (p.wl.From.IsZero() || at >= p.wl.From.Unix()) && (p.wl.Until.IsZero() || at < p.wl.Until.Unix())
}
