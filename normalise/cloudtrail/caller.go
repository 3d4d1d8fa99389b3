package cloudtrail

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/column"
)

// evidence is what a record holds about the kind of thing that called.
type evidence struct {
	idType, invokedBy string
	address           string // sourceIPAddress where it is not an address
	agent             string
	console           bool // sessionCredentialFromConsole
	signInSession     string
	scopeType         string // inScopeOf.issuerType
	scopeIssuedTo     string // inScopeOf.credentialsIssuedTo
	ec2Delivery       string // "1.0", "2.0"
	session, role     string
	provider          string // of a web identity or SAML session
	onBehalfOf        string
	accessKey         string
	eventType         string
	operation         string
}

// caller is a class, how sure it is (0..1), and why.
type caller struct {
	class      event.Caller
	confidence float32
	why        string
}

const awsInternal = "AWS Internal"

// callerOf decides the class; the first evidence that holds wins, the strongest
// kinds first: what AWS writes about the call, then how the credential came
// about, then names, and last the user agent, which the client chooses.
func callerOf(ev *evidence) caller {
	// Written out: through function values ev would have to live on the heap.
	c, ok := byService(ev)
	if !ok {
		c, ok = byConsole(ev)
	}
	if !ok {
		c, ok = byScope(ev)
	}
	if !ok {
		c, ok = bySession(ev)
	}
	if !ok {
		c, ok = byProvider(ev)
	}
	if !ok {
		c, ok = byPerson(ev)
	}
	if !ok {
		c, ok = byAgent(ev)
	}
	if !ok {
		c.class = event.CallerUnknown
	}
	return c
}

func byService(ev *evidence) (caller, bool) {
	service := func(confidence float32, why string) (caller, bool) {
		return caller{event.CallerAWSService, confidence, why}, true
	}
	switch {
	case ev.invokedBy == "signin.amazonaws.com":
		// So records said "in the console" before there was a flag for it.
		return caller{event.CallerConsole, 0.9, "invokedBy signin.amazonaws.com"}, true
	case ev.invokedBy == awsInternal && !ev.console:
		return service(0.8, "invokedBy AWS Internal without the console flag")
	case ev.invokedBy != "" && ev.invokedBy != awsInternal:
		return service(1, "invokedBy "+ev.invokedBy)
	case ev.idType == "AWSService":
		return service(1, "identity type AWSService")
	case isServiceHost(ev.address):
		return service(0.95, "sourceIPAddress "+ev.address)
	case ev.address == awsInternal && !ev.console:
		return service(0.7, "sourceIPAddress AWS Internal without the console flag")
	case ev.eventType == typeService && ev.idType == "":
		return service(0.8, "a service's own event")
	}
	return caller{}, false
}

// isServiceHost tells service names from the addresses and private hosts that
// also stand in sourceIPAddress.
func isServiceHost(s string) bool {
	return strings.HasSuffix(s, ".amazonaws.com") || strings.HasSuffix(s, ".amazonaws.com.cn") ||
		strings.HasSuffix(s, ".aws.internal")
}

func byConsole(ev *evidence) (caller, bool) {
	console := func(confidence float32, why string) (caller, bool) {
		return caller{event.CallerConsole, confidence, why}, true
	}
	switch {
	case ev.console:
		return console(1, "sessionCredentialFromConsole")
	case ev.eventType == typeSignIn && (ev.operation != "GetSigninToken" || isBrowser(ev.agent)):
		// A script may ask for a sign-in token; everything else of this type is
		// the sign-in page's.
		return console(0.95, "a sign-in page's event")
	case ev.eventType == typeService && isBrowser(ev.agent):
		// Identity Center writes its users' steps of signing in as its own events.
		return console(0.9, "a sign-in service's event, a browser's user agent")
	case ev.eventType == typeConsole:
		return console(0.95, "a console action's event")
	case ev.signInSession != "" && isBrowser(ev.agent):
		return console(0.8, "sign-in session and a browser's user agent")
	}
	return caller{}, false
}

func byScope(ev *evidence) (caller, bool) {
	if ev.scopeType == "" {
		return caller{}, false
	}
	why := "inScopeOf " + ev.scopeType
	if ev.scopeIssuedTo != "" {
		why += " " + ev.scopeIssuedTo
	}
	switch {
	case strings.HasPrefix(ev.scopeType, "AWS::Lambda::"):
		return caller{event.CallerLambda, 1, why}, true
	case strings.HasPrefix(ev.scopeType, "AWS::ECS::"):
		return caller{event.CallerECS, 1, why}, true
	case strings.HasPrefix(ev.scopeType, "AWS::EC2::"):
		return caller{event.CallerEC2, 1, why}, true
	case strings.HasPrefix(ev.scopeType, "AWS::EKS::"):
		return caller{event.CallerEKS, 1, why}, true
	case strings.HasPrefix(ev.scopeType, "AWS::CodeBuild::"):
		return caller{event.CallerCI, 1, why}, true
	}
	// Some other service runs the workload; the type says which.
	return caller{event.CallerAWSService, 0.6, why}, true
}

func bySession(ev *evidence) (caller, bool) {
	switch {
	case ev.ec2Delivery != "":
		why := "ec2RoleDelivery " + ev.ec2Delivery
		switch ev.ec2Delivery {
		case "1.0":
			why += " (IMDSv1)"
		case "2.0":
			why += " (IMDSv2)"
		}
		if isInstanceID(ev.session) {
			why += ", session " + ev.session
		}
		return caller{event.CallerEC2, 1, onInstance(why, ev.agent)}, true
	case isInstanceID(ev.session):
		return caller{event.CallerEC2, 0.9, onInstance("session "+ev.session, ev.agent)}, true
	case isHex(ev.session) && len(ev.session) == 32:
		return caller{event.CallerECS, 0.9, "session is a task id"}, true
	case isUUID(ev.session):
		confidence, why := float32(0.6), "session is a UUID, as older task ids"
		if strings.Contains(ev.agent, "exec-env/AWS_ECS") {
			confidence, why = 0.8, "session is a UUID, user agent AWS_ECS"
		}
		return caller{event.CallerECS, confidence, why}, true
	}
	return caller{}, false
}

// onInstance notes what runs on an instance and uses the instance's own role.
func onInstance(why, agent string) string {
	switch {
	case strings.Contains(agent, "exec-env/AWS_ECS_EC2"):
		return why + "; a container of ECS on it"
	case strings.Contains(agent, "exec-env/AWS_EKS"), strings.Contains(agent, "kube"):
		return why + "; perhaps a pod of EKS on it"
	}
	return why
}

// isInstanceID is ^i-[0-9a-f]{8,17}$.
func isInstanceID(s string) bool {
	id, ok := strings.CutPrefix(s, "i-")
	return ok && len(id) >= 8 && len(id) <= 17 && isHex(id)
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if ('0' > c || c > '9') && ('a' > c || c > 'f') {
			return false
		}
	}
	return s != ""
}

func isUUID(s string) bool {
	_, ok := event.ParseUID(s)
	return ok
}

// ciProviders are the token issuers of build services, as they stand in the
// name of an OIDC provider.
var ciProviders = [...]struct{ host, name string }{
	{"token.actions.githubusercontent.com", "GitHub Actions"},
	{"gitlab.", "GitLab"},
	{"app.terraform.io", "HCP Terraform"},
	{"oidc.circleci.com", "CircleCI"},
	{"agent.buildkite.com", "Buildkite"},
	{"api.bitbucket.org", "Bitbucket"},
	{"vstoken.dev.azure.com", "Azure Pipelines"},
	{"api.pulumi.com", "Pulumi"},
	{"api.spacelift.io", "Spacelift"},
}

func byProvider(ev *evidence) (caller, bool) {
	if strings.Contains(ev.provider, "oidc.eks.") {
		return caller{event.CallerEKS, 1, "web identity of an EKS cluster (IRSA)"}, true
	}
	for _, p := range ciProviders {
		if ev.provider != "" && strings.Contains(ev.provider, p.host) {
			return caller{event.CallerCI, 1, "web identity of " + p.name}, true
		}
	}
	if strings.HasPrefix(ev.session, "eks-") {
		return caller{event.CallerEKS, 0.85, "session " + ev.session + " (pod identity)"}, true
	}
	if strings.HasPrefix(ev.session, "AWSCodeBuild-") {
		return caller{event.CallerCI, 0.8, "session " + ev.session}, true
	}
	return caller{}, false
}

const ssoRole = "AWSReservedSSO_"

func byPerson(ev *evidence) (caller, bool) {
	browser := isBrowser(ev.agent)
	switch {
	case strings.HasPrefix(ev.role, ssoRole), ev.onBehalfOf != "", ev.idType == "IdentityCenterUser":
		why := "Identity Center user"
		if strings.HasPrefix(ev.role, ssoRole) {
			why = "Identity Center role"
		}
		if browser || isConsoleAgent(ev.agent) {
			return caller{event.CallerConsole, 0.7, why + ", a browser's or the console's user agent"}, true
		}
		return caller{event.CallerPersonCLI, 0.85, why}, true
	case ev.idType == "IAMUser" || ev.idType == "Root":
		if browser || isConsoleAgent(ev.agent) {
			return caller{event.CallerConsole, 0.7, "a browser's or the console's user agent, without the console flag"}, true
		}
		if isCLI(ev.agent) {
			return caller{event.CallerPersonCLI, 0.7, "a user's own key with a command line's user agent"}, true
		}
	}
	return caller{}, false
}

func byAgent(ev *evidence) (caller, bool) {
	if _, env, ok := strings.Cut(ev.agent, "exec-env/"); ok {
		env, _, _ = strings.Cut(env, " ")
		if c := callerOfEnvironment(env); c != "" {
			return caller{c, 0.6, "user agent exec-env/" + column.Text(env)}, true
		}
	}
	switch {
	case strings.HasPrefix(ev.accessKey, "AKIA"):
		return caller{event.CallerStaticKey, 0.7, "a long-lived access key"}, true
	case isConsoleAgent(ev.agent), isBrowser(ev.agent):
		return caller{event.CallerConsole, 0.6, "a browser's or the console's user agent, without the console flag"}, true
	}
	return caller{}, false
}

// callerOfEnvironment reads what the SDKs write behind exec-env/ in the agent.
func callerOfEnvironment(env string) event.Caller {
	switch {
	case strings.HasPrefix(env, "AWS_Lambda_"):
		return event.CallerLambda
	case strings.HasPrefix(env, "AWS_ECS_"):
		return event.CallerECS
	case strings.HasPrefix(env, "AWS_EKS"):
		return event.CallerEKS
	case env == "EC2", strings.HasPrefix(env, "AWS_EC2"):
		return event.CallerEC2
	case env == "CloudShell", strings.HasPrefix(env, "AWS_Cloud9"):
		return event.CallerPersonCLI
	}
	return ""
}

func isBrowser(agent string) bool {
	return strings.HasPrefix(agent, "Mozilla/") || strings.HasPrefix(agent, "[Mozilla/")
}

// isConsoleAgent knows the names the console's own servers call under.
func isConsoleAgent(agent string) bool {
	switch agent {
	case awsInternal, "[AWS Internal]", "console.amazonaws.com", "console.ec2.amazonaws.com", "signin.amazonaws.com":
		return true
	}
	return strings.Contains(agent, "S3Console/") || strings.HasPrefix(agent, "EC2ConsoleFrontend") ||
		strings.HasPrefix(agent, "AWSConsole") || strings.HasPrefix(agent, "console.amazonaws.com")
}

func isCLI(agent string) bool {
	return strings.HasPrefix(agent, "aws-cli/") || strings.HasPrefix(agent, "[aws-cli/") ||
		strings.HasPrefix(agent, "AWSPowerShell/") || strings.HasPrefix(agent, "aws-shell/")
}
