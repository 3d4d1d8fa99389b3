package trouble

import (
	"fmt"
	"strings"
	"time"

	"github.com/yagura-sec/yagura/simulate/estate"
)

const (
	agentECS     = "aws-sdk-java/2.32.4 ua/2.1 os/Linux#5.10.239 lang/java#21.0.8 exec-env/AWS_ECS_FARGATE"
	agentScript  = "aws-cli/2.27.50 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0-60 md/arch#x86_64 lang/python#3.13.4 md/installer#exe md/prompt#off md/command#secretsmanager.get-secret-value"
	agentBrowser = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36"
)

// as is a session of a program, as its everyday calls are.
func as(w *estate.Workload) estate.Caller {
	return estate.Caller{Class: w.Class, Role: w.Role, Account: w.Account, Workload: w, IMDSv1: w.IMDSv1}
}

// stolen is a session of a program whose records name it: of its credentials.
func (p *planner) stolen(w *estate.Workload) estate.Caller {
	c := as(w)
	switch w.Class {
	case estate.Lambda:
		c.Session, c.Scope = w.Name, "arn:aws:lambda:"+w.Region+":"+w.Account.ID+":function:"+w.Name
	case estate.ECS:
		c.Session = p.hex(32)
	case estate.EC2:
		c.Session = "i-0" + p.hex(16)
	case estate.EKS:
		c.Session = fmt.Sprintf("botocore-session-17%08d", p.rng.IntN(1e8))
	}
	return c
}

// byHand is a person's session in an account, at the command line or the
// console.
func byHand(x *estate.Person, s estate.PermissionSet, class estate.Class) estate.Caller {
	return estate.Caller{Class: class, Role: s.Role, Account: s.Account, Session: x.Email, Person: x}
}

// BreakGlass is the role for emergencies that every account has and that
// nobody uses from day to day.
func BreakGlass(a *estate.Account) string {
	return "arn:aws:iam::" + a.ID + ":role/break-glass-admin"
}

// SignInUser is the IAM user that a person has kept in an account from the time
// before single sign-on.
func SignInUser(x *estate.Person, a *estate.Account) string {
	name, _, _ := strings.Cut(x.Email, "@")
	return "arn:aws:iam::" + a.ID + ":user/" + name
}

// foreign is an address that nothing of the organisation has.
func (p *planner) foreign() string {
	if p.rng.IntN(3) == 0 {
		return fmt.Sprintf("198.51.100.%d", 2+p.rng.IntN(250))
	}
	return fmt.Sprintf("2001:db8:%x::%x", 0x1000+p.rng.IntN(0x5000), 1+p.rng.IntN(0xfff))
}

// hotel is an address on the way, no thief's.
func (p *planner) hotel() string {
	return fmt.Sprintf("2001:db8:%x::%x", 0x8000+p.rng.IntN(0x5000), 1+p.rng.IntN(0xfff))
}

func (p *planner) hex(n int) string {
	const set = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[p.rng.IntN(len(set))]
	}
	return string(b)
}

// draw is a whole number of the range.
func (p *planner) draw(r Range) int { return p.between(int(r.Least), int(r.Most)) }

// drawn is a number of the range.
func (p *planner) drawn(r Range) float64 { return r.Least + p.rng.Float64()*(r.Most-r.Least) }

// hours is a time of so many hours, of the range, in whole minutes.
func (p *planner) hours(r Range) time.Duration {
	return time.Duration(p.drawn(r) * float64(time.Hour)).Truncate(time.Minute)
}

// between is a number in [low, high].
func (p *planner) between(low, high int) int { return low + p.rng.IntN(high-low+1) }

// read is the call that tells the secret's value.
func read(at time.Time, by estate.Caller, s *estate.Secret, l *estate.Label) estate.Call {
	c := estate.Call{At: at, By: by, Account: s.Account, Region: s.Region, Service: "secretsmanager", Operation: "GetSecretValue", Secret: s, ReadOnly: true, Label: l}
	switch s.Sort {
	case estate.SortParameter:
		c.Service, c.Operation = "ssm", "GetParameter"
	case estate.SortKey:
		c.Service, c.Operation = "kms", "Decrypt"
	}
	return c
}

// do is any other call in the caller's own account.
func do(at time.Time, by estate.Caller, region, service, operation, params string, l *estate.Label) estate.Call {
	return estate.Call{At: at, By: by, Account: by.Account, Region: region, Service: service, Operation: operation, Params: params, Label: l, ReadOnly: readsOnly(operation)}
}

func readsOnly(operation string) bool {
	for _, head := range []string{"Get", "List", "Describe", "Lookup", "Search"} {
		if strings.HasPrefix(operation, head) {
			return true
		}
	}
	return false
}

// deny makes the call fail because no policy allows it.
func deny(c estate.Call) estate.Call {
	action := c.Service + ":" + c.Operation
	c.Error = "AccessDenied"
	switch c.Service {
	case "kms", "ssm":
		c.Error = "AccessDeniedException"
	case "ec2":
		c.Error = "Client.UnauthorizedOperation"
	}
	on := c.Resource
	if c.Secret != nil {
		on = c.Secret.ARN
	}
	c.Message = "User: " + sessionARN(c.By) + " is not authorized to perform: " + action
	if on != "" {
		c.Message += " on resource: " + on
	}
	c.Message += " because no identity-based policy allows the " + action + " action"
	return c
}

// forbid makes the call fail by a policy of the organisation: "service" or
// "resource" control policy.
func forbid(c estate.Call, policy string) estate.Call {
	c = deny(c)
	head, _, _ := strings.Cut(c.Message, " because ")
	c.Message = head + " with an explicit deny in a " + policy + " control policy"
	return c
}

// anyOf names all of a service's resources in an account and a region, as far as
// their names tell either.
func anyOf(service, region string, a *estate.Account) string {
	switch service {
	case "iam", "organizations":
		return "arn:aws:" + service + "::" + a.ID + ":*"
	case "s3":
		return "arn:aws:s3:::*"
	}
	return "arn:aws:" + service + ":" + region + ":" + a.ID + ":*"
}

func sessionARN(c estate.Caller) string {
	if strings.Contains(c.Role, ":user/") {
		return c.Role
	}
	return "arn:aws:sts::" + c.Account.ID + ":assumed-role/" + lastPart(c.Role) + "/" + c.Session
}

// signIn is an attempt at the console's front door.
func signIn(at time.Time, x *estate.Person, a *estate.Account, ip string, ok bool, l *estate.Label) estate.Call {
	by := estate.Caller{Class: estate.Console, Role: SignInUser(x, a), Account: a, IP: ip, Agent: agentBrowser, Person: x}
	c := estate.Call{At: at, By: by, Account: a, Region: "us-east-1", Service: "signin", Operation: "ConsoleLogin", SignIn: "Success", Label: l}
	if !ok {
		c.SignIn, c.Message = "Failure", "Failed authentication"
	}
	return c
}

func (p *planner) add(calls ...estate.Call)        { p.calls = append(p.calls, calls...) }
func (p *planner) change(changes ...estate.Change) { p.changes = append(p.changes, changes...) }

// spread are n times in [from, to), in order, irregular.
func (p *planner) spread(n int, from, to time.Time) []time.Time {
	out := make([]time.Time, n)
	step := float64(to.Sub(from)) / float64(max(n, 1))
	for i := range out {
		out[i] = from.Add(time.Duration((float64(i) + p.rng.Float64()) * step)).Truncate(time.Second)
		if out[i].Before(from) {
			out[i] = from
		}
	}
	return out
}

// ci is the role that builds in the account, or a person of the team where
// there is none.
func (p *planner) ci(a *estate.Account, team *estate.Team) (estate.Caller, bool) {
	for _, w := range p.w.Workloads {
		if w.Class == estate.CI && w.Account == a && w.App == nil {
			return as(w), true
		}
	}
	if team == nil {
		return estate.Caller{}, false
	}
	for _, x := range team.People {
		if s, ok := set(x, a); ok && x.Joined.IsZero() && x.Left.IsZero() {
			return byHand(x, s, estate.CLI), true
		}
	}
	return estate.Caller{}, false
}

// deployed are the records that a deploy of a program leaves.
func deployed(at time.Time, by estate.Caller, w *estate.Workload, l *estate.Label) []estate.Call {
	switch w.Class {
	case estate.Lambda:
		return []estate.Call{do(at, by, w.Region, "lambda", "UpdateFunctionCode20150331v2", `{"functionName":"`+w.Name+`","dryRun":false,"publish":true}`, l)}
	case estate.ECS:
		return []estate.Call{
			do(at, by, w.Region, "ecs", "RegisterTaskDefinition", `{"family":"`+w.Name+`","networkMode":"awsvpc","taskRoleArn":"`+w.Role+`"}`, l),
			do(at.Add(20*time.Second), by, w.Region, "ecs", "UpdateService", `{"service":"`+w.Name+`","cluster":"main","taskDefinition":"`+w.Name+`","forceNewDeployment":true}`, l),
		}
	case estate.EC2:
		return []estate.Call{do(at, by, w.Region, "autoscaling", "StartInstanceRefresh", `{"autoScalingGroupName":"`+w.Name+`","strategy":"Rolling"}`, l)}
	case estate.EKS:
		return []estate.Call{do(at, by, w.Region, "eks", "UpdateNodegroupVersion", `{"clusterName":"main","nodegroupName":"`+w.Name+`"}`, l)}
	}
	return []estate.Call{do(at, by, w.Region, "codebuild", "StartBuild", `{"projectName":"`+w.Name+`"}`, l)}
}

// built are the records of a program set up anew in a region.
func built(at time.Time, by estate.Caller, w *estate.Workload, region string, l *estate.Label) []estate.Call {
	role := do(at, by, "us-east-1", "iam", "CreateRole", `{"roleName":"`+lastPart(w.Role)+`"}`, l)
	role.Resource = w.Role
	policy := do(at.Add(4*time.Second), by, "us-east-1", "iam", "PutRolePolicy", `{"roleName":"`+lastPart(w.Role)+`","policyName":"read-secrets"}`, l)
	policy.Resource = w.Role
	calls := []estate.Call{role, policy}
	if region != w.Region {
		calls = nil // its role is there already
	}
	at = at.Add(time.Minute)
	switch w.Class {
	case estate.Lambda:
		calls = append(calls, do(at, by, region, "lambda", "CreateFunction20150331", `{"functionName":"`+w.Name+`","role":"`+w.Role+`","publish":true}`, l))
	case estate.ECS:
		calls = append(calls,
			do(at, by, region, "ecs", "RegisterTaskDefinition", `{"family":"`+w.Name+`","networkMode":"awsvpc","taskRoleArn":"`+w.Role+`"}`, l),
			do(at.Add(9*time.Second), by, region, "ecs", "CreateService", `{"serviceName":"`+w.Name+`","cluster":"main","taskDefinition":"`+w.Name+`","desiredCount":3}`, l))
	case estate.EKS:
		calls = append(calls, do(at, by, region, "eks", "CreateNodegroup", `{"clusterName":"main","nodegroupName":"`+w.Name+`"}`, l))
	default:
		calls = append(calls,
			do(at, by, region, "ec2", "CreateLaunchTemplate", `{"LaunchTemplateName":"`+w.Name+`"}`, l),
			do(at.Add(15*time.Second), by, region, "ec2", "RunInstances", `{"instancesSet":{"items":[{"minCount":2,"maxCount":2}]},"instanceType":"m7g.large"}`, l))
	}
	return calls
}

// replicated is the record of a secret's copy coming to a region.
func replicated(at time.Time, by estate.Caller, s *estate.Secret, region string, l *estate.Label) estate.Call {
	c := do(at, by, s.Region, "secretsmanager", "ReplicateSecretToRegions", `{"secretId":"`+s.ARN+`","addReplicaRegions":[{"region":"`+region+`"}],"forceOverwriteReplicaSecret":false}`, l)
	c.Secret, c.Account = s, s.Account
	return c
}

// label begins the label of j. Its end is not included.
func (p *planner) label(j *job, sort string, from, to time.Time) *estate.Label {
	l := &estate.Label{Kind: j.kind, Difficulty: j.difficulty, Benign: j.benign, Blind: p.blind, Sort: sort, Start: from, End: to}
	l.ID = fmt.Sprintf("%p", j) // until they are numbered
	j.label = l
	p.labels = append(p.labels, l)
	return l
}

func uids(secrets ...*estate.Secret) []string {
	out := make([]string, len(secrets))
	for i, s := range secrets {
		out[i] = s.ARN
	}
	return out
}
