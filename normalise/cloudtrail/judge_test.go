package cloudtrail

import (
	"testing"

	"github.com/yagura-sec/yagura/event"
	"github.com/yagura-sec/yagura/internal/jsontree"
)

func TestOutcome(t *testing.T) {
	f := func(code, message string, want event.Outcome) {
		t.Helper()
		if got := outcomeOf(code, message, ""); got != want {
			t.Errorf("outcomeOf(%q, %q) = %s, want %s", code, message, got, want)
		}
	}
	f("", "", event.Success)
	f("", "something went wrong", event.Failed)
	f("AccessDenied", "", event.Denied)
	f("AccessDeniedException", "is not authorized to perform", event.Denied)
	f("Client.UnauthorizedOperation", "", event.Denied)
	f("UnauthorizedOperation", "", event.Denied)
	f("UnauthorizedAccess", "", event.Denied)
	f("NotAuthorized", "", event.Denied)
	f("NotAuthorizedException", "", event.Denied)
	f("VpceAccessDenied", "", event.Denied)
	f("com.amazon.coral.service#AccessDeniedException", "", event.Denied)
	f("AccessDenied", "with an explicit deny in an identity-based policy", event.Denied)
	f("AccessDenied", "… with an explicit deny in a service control policy", event.DeniedByOrgPolicy)
	f("AccessDeniedException", "… with an explicit deny in a resource control policy", event.DeniedByOrgPolicy)
	f("AccessDeniedException", "… because no service control policy allows the ec2:RunInstances action", event.DeniedByOrgPolicy)
	f("ValidationException", "the service control policy is too long", event.Invalid) // only a denial is by a policy
	f("InvalidClientTokenId", "", event.AuthFailed)
	f("UnrecognizedClientException", "", event.AuthFailed)
	f("SignatureDoesNotMatch", "", event.AuthFailed)
	f("InvalidSignatureException", "", event.AuthFailed)
	f("ExpiredToken", "", event.AuthFailed)
	f("ExpiredTokenException", "", event.AuthFailed)
	f("InvalidAccessKeyId", "", event.AuthFailed)
	f("AuthFailure", "", event.AuthFailed)
	f("Client.AuthFailure", "", event.AuthFailed)
	f("", "Failed authentication", event.AuthFailed)
	f("", "No username found in supplied account", event.AuthFailed)
	f("ThrottlingException", "", event.Throttled)
	f("Throttling", "", event.Throttled)
	f("Client.RequestLimitExceeded", "", event.Throttled)
	f("SlowDown", "", event.Throttled)
	f("TooManyRequestsException", "", event.Throttled)
	f("ProvisionedThroughputExceededException", "", event.Throttled)
	f("ResourceNotFoundException", "", event.NotFound)
	f("NoSuchBucketPolicy", "", event.NotFound)
	f("NoSuchEntityException", "", event.NotFound)
	f("Client.InvalidInstanceID.NotFound", "", event.NotFound)
	f("DBInstanceNotFoundFault", "", event.NotFound)
	f("InvocationDoesNotExist", "", event.NotFound)
	f("AWS.SimpleQueueService.NonExistentQueue", "", event.NotFound)
	f("ValidationException", "", event.Invalid)
	f("InvalidParameterValue", "", event.Invalid)
	f("EntityAlreadyExistsException", "", event.Invalid)
	f("BadRequestException", "", event.Invalid)
	f("DisabledException", "", event.Invalid)
	f("IncorrectKeyException", "", event.Invalid)
	f("OptInRequired", "", event.Failed)
	f("Client.DryRunOperation", "", event.Failed)
	f("InternalError", "", event.Failed)
	f("LimitExceededException", "", event.Failed)

	if got := outcomeOf("", "", "Failure"); got != event.AuthFailed {
		t.Errorf("a sign-in's Failure is %s", got)
	}
	if got := outcomeOf("", "", "Success"); got != event.Success {
		t.Errorf("a sign-in's Success is %s", got)
	}
}

func TestCaller(t *testing.T) {
	f := func(ev evidence, want event.Caller, confidence float32) {
		t.Helper()
		got := callerOf(&ev)
		if got.class != want || got.confidence != confidence {
			t.Errorf("%+v is %+v, want %s at %v", ev, got, want, confidence)
		}
		if (got.why == "") != (want == event.CallerUnknown) {
			t.Errorf("%+v: evidence %q", ev, got.why)
		}
	}
	const browser, cli = "Mozilla/5.0 (X11; Linux x86_64)", "aws-cli/2.15.0 Python/3.11"
	const task = "99c28596f91341839c1d07da27b65fe2"

	// 1: a service, whatever else holds.
	f(evidence{invokedBy: "secretsmanager.amazonaws.com", console: true, session: "i-0abc1234def567890"}, event.CallerAWSService, 1)
	f(evidence{address: "lambda.amazonaws.com"}, event.CallerAWSService, 0.95)
	f(evidence{address: "ec2.amazonaws.com.cn"}, event.CallerAWSService, 0.95)
	f(evidence{idType: "AWSService"}, event.CallerAWSService, 1)
	f(evidence{invokedBy: awsInternal, agent: awsInternal}, event.CallerAWSService, 0.8)
	f(evidence{invokedBy: "signin.amazonaws.com"}, event.CallerConsole, 0.9)
	f(evidence{address: "evil.amazonaws.com.example.net"}, event.CallerUnknown, 0)
	// 2: the console.
	f(evidence{console: true, invokedBy: awsInternal, address: awsInternal}, event.CallerConsole, 1)
	f(evidence{console: true, scopeType: "AWS::Lambda::Function"}, event.CallerConsole, 1)
	f(evidence{signInSession: "arn:aws:signin:us-east-1:111122223333:session/x", agent: browser}, event.CallerConsole, 0.8)
	f(evidence{signInSession: "arn:aws:signin:us-east-1:111122223333:session/x", agent: cli, idType: "IAMUser"}, event.CallerPersonCLI, 0.7)
	f(evidence{eventType: typeSignIn, operation: "ConsoleLogin"}, event.CallerConsole, 0.95)
	f(evidence{eventType: typeSignIn, operation: "GetSigninToken", agent: "python-requests/2.31"}, event.CallerUnknown, 0)
	// 3: in scope of a service.
	f(evidence{scopeType: "AWS::Lambda::Function", session: "i-0abc1234def567890"}, event.CallerLambda, 1)
	f(evidence{scopeType: "AWS::ECS::TaskDefinition"}, event.CallerECS, 1)
	f(evidence{scopeType: "AWS::Glue::Job"}, event.CallerAWSService, 0.6)
	// 4: an instance.
	f(evidence{ec2Delivery: "2.0", session: "anything"}, event.CallerEC2, 1)
	f(evidence{session: "i-0abc1234def567890"}, event.CallerEC2, 0.9)
	f(evidence{session: "i-0abc1234"}, event.CallerEC2, 0.9)
	f(evidence{session: "i-0abc123"}, event.CallerUnknown, 0)
	f(evidence{session: "i-0ABC1234DEF567890"}, event.CallerUnknown, 0)
	f(evidence{session: "i-am-the-walrus"}, event.CallerUnknown, 0)
	// 5: a task.
	f(evidence{session: task}, event.CallerECS, 0.9)
	f(evidence{session: task[:31]}, event.CallerUnknown, 0)
	f(evidence{session: "5f0c2a10-7d3e-4b1a-9c00-000000000001"}, event.CallerECS, 0.6)
	// 6: a token's issuer.
	f(evidence{provider: "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/E"}, event.CallerEKS, 1)
	f(evidence{provider: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, event.CallerCI, 1)
	f(evidence{provider: "accounts.google.com"}, event.CallerUnknown, 0)
	f(evidence{session: "eks-shop-cart-6f2a"}, event.CallerEKS, 0.85)
	f(evidence{session: "AWSCodeBuild-5f0c2a10-7d3e-4b1a-9c00-000000000001"}, event.CallerCI, 0.8)
	// 7: a person.
	f(evidence{role: "AWSReservedSSO_Admin_1", agent: cli}, event.CallerPersonCLI, 0.85)
	f(evidence{role: "AWSReservedSSO_Admin_1", agent: browser}, event.CallerConsole, 0.7)
	f(evidence{onBehalfOf: "94482488"}, event.CallerPersonCLI, 0.85)
	f(evidence{idType: "IAMUser", agent: cli, accessKey: "AKIAEXAMPLE"}, event.CallerPersonCLI, 0.7)
	f(evidence{idType: "IAMUser", agent: browser}, event.CallerConsole, 0.7)
	// 8: what the client says of itself, and its key.
	f(evidence{agent: "aws-sdk-java/2 exec-env/AWS_Lambda_java21 x"}, event.CallerLambda, 0.6)
	f(evidence{agent: "aws-sdk-java/2 exec-env/AWS_ECS_FARGATE"}, event.CallerECS, 0.6)
	f(evidence{agent: "aws-sdk-go/1 exec-env/EC2"}, event.CallerEC2, 0.6)
	f(evidence{idType: "IAMUser", agent: "Boto3/1.34", accessKey: "AKIAEXAMPLE"}, event.CallerStaticKey, 0.7)
	f(evidence{agent: "Boto3/1.34", accessKey: "ASIAEXAMPLE"}, event.CallerUnknown, 0)
	f(evidence{agent: cli, idType: "AssumedRole"}, event.CallerUnknown, 0) // a person's or a script's, the record cannot tell
	f(evidence{agent: awsInternal}, event.CallerConsole, 0.6)
}

func TestActor(t *testing.T) {
	f := func(userIdentity string, typ event.ActorType, uid, name, account, session string) {
		t.Helper()
		var tree jsontree.Tree
		v, err := tree.Parse(userIdentity)
		if err != nil {
			t.Fatal(err)
		}
		id := readIdentity(v)
		a := actorOf(&id, partitionOf(id.arn, "eu-west-1"))
		if a.typ != typ || a.uid != uid || a.name != name || a.account != account || a.session != session {
			t.Errorf("%s\n is %+v", userIdentity, a)
		}
	}
	const acct = "111122223333"
	f(`{"type":"AssumedRole","principalId":"AROAX:s1","arn":"arn:aws:sts::111122223333:assumed-role/app/s1","accountId":"111122223333","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/team/app","userName":"app"}}}`,
		event.ActorRole, "arn:aws:iam::111122223333:role/team/app", "app", acct, "s1")
	f(`{"type":"AssumedRole","arn":"arn:aws-us-gov:sts::111122223333:assumed-role/app/s/1"}`,
		event.ActorRole, "arn:aws-us-gov:iam::111122223333:role/app", "app", acct, "s/1")
	f(`{"type":"AssumedRole","principalId":"AROAX:s1","accountId":"111122223333","sessionContext":{"sessionIssuer":{}}}`,
		event.ActorRole, "AROAX", "", acct, "s1")
	f(`{"type":"AssumedRole"}`, event.ActorMasked, "", "", "", "")
	f(`{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ops/jo","accountId":"111122223333","userName":"jo"}`,
		event.ActorUser, "arn:aws:iam::111122223333:user/ops/jo", "jo", acct, "")
	f(`{"type":"IAMUser","accountId":"111122223333","userName":"jo"}`,
		event.ActorUser, "arn:aws:iam::111122223333:user/jo", "jo", acct, "")
	f(`{"type":"IAMUser","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}`,
		event.ActorMasked, "", "", acct, "")
	f(`{"type":"Root","accountId":"111122223333"}`,
		event.ActorRoot, "arn:aws:iam::111122223333:root", "root", acct, "")
	f(`{"type":"AWSService","invokedBy":"config.amazonaws.com"}`,
		event.ActorService, "config.amazonaws.com", "config.amazonaws.com", "", "")
	f(`{"type":"AWSAccount","principalId":"AIDAX","accountId":"444455556666"}`,
		event.ActorAccount, "AIDAX", "", "444455556666", "")
	f(`{"type":"AWSAccount","accountId":"444455556666"}`,
		event.ActorAccount, "444455556666", "", "444455556666", "")
	f(`{"type":"AWSAccount","principalId":"","accountId":"ANONYMOUS_PRINCIPAL"}`,
		event.ActorAnonymous, "", "", "", "")
	f(`{"type":"WebIdentityUser","principalId":"accounts.example.com:app:jo","userName":"jo","identityProvider":"accounts.example.com"}`,
		event.ActorFederated, "accounts.example.com:app:jo", "jo", "", "")
	f(`{"type":"SAMLUser","userName":"jo@example.com","identityProvider":"Q="}`,
		event.ActorFederated, "Q=:jo@example.com", "jo@example.com", "", "")
	f(`{"type":"IdentityCenterUser","accountId":"111122223333","onBehalfOf":{"userId":"9448","identityStoreArn":"arn:aws-cn:identitystore::111122223333:identitystore/d-1"}}`,
		event.ActorFederated, "arn:aws-cn:identitystore:::user/9448", "", acct, "")
	f(`{"type":"Unknown","principalId":"111122223333","accountId":"111122223333","userName":"jo@example.com"}`,
		event.ActorUnknown, "jo@example.com", "jo@example.com", acct, "")
	f(`{"type":"SomethingNew","principalId":"XYZ:s","accountId":"111122223333"}`,
		event.ActorUnknown, "XYZ", "", acct, "s")
	f(`{"arn":"arn:aws:iam::111122223333:user/jo"}`,
		event.ActorUser, "arn:aws:iam::111122223333:user/jo", "jo", acct, "")
	f(`{"invokedBy":"kms.amazonaws.com","accountId":"111122223333"}`,
		event.ActorService, "kms.amazonaws.com", "kms.amazonaws.com", acct, "")
	f(`{"type":"IAMUser","accountId":12345678901,"userName":"jo"}`,
		event.ActorUser, "arn:aws:iam::012345678901:user/jo", "jo", "012345678901", "")
	f(`{}`, event.ActorMasked, "", "", "", "")
	f(`null`, event.ActorMasked, "", "", "", "")
	f(`"jo"`, event.ActorMasked, "", "", "", "")
}

func TestClass(t *testing.T) {
	f := func(source, name string, readOnly bool, class, activity int32) {
		t.Helper()
		c, a := classOf(&record{source: source + ".amazonaws.com", name: name}, readOnly)
		if c != class || a != activity {
			t.Errorf("%s %s is %d/%d, want %d/%d", source, name, c, a, class, activity)
		}
	}
	f("signin", "ConsoleLogin", false, event.ClassAuthentication, logon)
	f("sts", "AssumeRoleWithWebIdentity", true, event.ClassAuthentication, logon)
	f("sts", "GetCallerIdentity", true, event.ClassAPIActivity, apiRead)
	f("redshift", "Authenticate", false, event.ClassAPIActivity, other)
	f("iam", "CreateUser", false, event.ClassAccountChange, accountCreate)
	f("transfer", "CreateUser", false, event.ClassAPIActivity, apiCreate)
	f("iam", "DeactivateMFADevice", false, event.ClassAccountChange, accountMFADisable)
	f("iam", "CreateRole", false, event.ClassAPIActivity, apiCreate)
	f("ec2", "RunInstances", false, event.ClassAPIActivity, apiCreate)
	f("dynamodb", "BatchWriteItem", false, event.ClassAPIActivity, apiUpdate)
	f("kms", "Decrypt", true, event.ClassAPIActivity, apiRead)
	f("kms", "ScheduleKeyDeletion", false, event.ClassAPIActivity, apiUpdate)
	f("lambda", "Invoke", false, event.ClassAPIActivity, other)
	f("ec2", "TerminateInstances", false, event.ClassAPIActivity, apiDelete)
	f("x", "", false, event.ClassAPIActivity, other)
}
