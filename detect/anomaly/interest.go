package anomaly

import (
	"slices"
	"strings"

	"github.com/yagura-sec/yagura/detect/anomaly/watch"
	"github.com/yagura-sec/yagura/event"
)

// call is an operation of a service.
type call struct{ service, operation string }

// thing is what a call uses.
type thing int8

const (
	aSecret    thing = iota + 1 // the value of a secret
	aParameter                  // the value of a parameter
	aKey                        // a key
)

// uses are the calls that use a secret or key; other providers' are further rows. A batch of reads
// writes a record of each secret besides its own (BatchGetSecretValue), so it is
// not counted itself. Asking about a secret is not using it: consoles do so with
// every page.
var uses = withGoogle(map[call]thing{
	{"secretsmanager.amazonaws.com", "GetSecretValue"}: aSecret,

	{"ssm.amazonaws.com", "GetParameter"}:        aParameter,
	{"ssm.amazonaws.com", "GetParameters"}:       aParameter,
	{"ssm.amazonaws.com", "GetParametersByPath"}: aParameter,
	{"ssm.amazonaws.com", "GetParameterHistory"}: aParameter,

	{"kms.amazonaws.com", "Decrypt"}:                             aKey,
	{"kms.amazonaws.com", "Encrypt"}:                             aKey,
	{"kms.amazonaws.com", "ReEncrypt"}:                           aKey,
	{"kms.amazonaws.com", "GenerateDataKey"}:                     aKey,
	{"kms.amazonaws.com", "GenerateDataKeyWithoutPlaintext"}:     aKey,
	{"kms.amazonaws.com", "GenerateDataKeyPair"}:                 aKey,
	{"kms.amazonaws.com", "GenerateDataKeyPairWithoutPlaintext"}: aKey,
	{"kms.amazonaws.com", "GenerateMac"}:                         aKey,
	{"kms.amazonaws.com", "VerifyMac"}:                           aKey,
	{"kms.amazonaws.com", "Sign"}:                                aKey,
	{"kms.amazonaws.com", "Verify"}:                              aKey,
	{"kms.amazonaws.com", "DeriveSharedSecret"}:                  aKey,

	{"vault.azure.net", "SecretGet"}:       aSecret,
	{"vault.azure.net", "KeySign"}:         aKey,
	{"vault.azure.net", "KeyVerify"}:       aKey,
	{"vault.azure.net", "KeyEncrypt"}:      aKey,
	{"vault.azure.net", "KeyDecrypt"}:      aKey,
	{"vault.azure.net", "KeyWrap"}:         aKey,
	{"vault.azure.net", "KeyUnwrap"}:       aKey,
	{"vault.azure.net", "KeyRelease"}:      aKey,
	{"managedhsm.azure.net", "KeySign"}:    aKey,
	{"managedhsm.azure.net", "KeyVerify"}:  aKey,
	{"managedhsm.azure.net", "KeyEncrypt"}: aKey,
	{"managedhsm.azure.net", "KeyDecrypt"}: aKey,
	{"managedhsm.azure.net", "KeyWrap"}:    aKey,
	{"managedhsm.azure.net", "KeyUnwrap"}:  aKey,
	{"managedhsm.azure.net", "KeyRelease"}: aKey,
})

// sorts are the calls of note.
var sorts = func() map[call]string {
	m := map[call]string{}
	add := func(sort, service string, operations ...string) {
		for _, o := range operations {
			m[call{service, o}] = sort
		}
	}
	add(watch.ActDeploy, "ecs.amazonaws.com", "UpdateService", "RegisterTaskDefinition", "RunTask", "StartTask", "UpdateServicePrimaryTaskSet", "CreateTaskSet")
	add(watch.ActDeploy, "lambda.amazonaws.com", "UpdateFunctionCode", "UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration",
		"UpdateFunctionConfiguration20150331v2", "PublishVersion", "PublishVersion20150331", "UpdateAlias", "UpdateAlias20150331")
	add(watch.ActDeploy, "autoscaling.amazonaws.com", "StartInstanceRefresh", "UpdateAutoScalingGroup", "SetDesiredCapacity")
	add(watch.ActDeploy, "codedeploy.amazonaws.com", "CreateDeployment")
	add(watch.ActDeploy, "codepipeline.amazonaws.com", "StartPipelineExecution")
	add(watch.ActDeploy, "cloudformation.amazonaws.com", "UpdateStack", "ExecuteChangeSet")
	add(watch.ActDeploy, "eks.amazonaws.com", "UpdateNodegroupVersion", "UpdateNodegroupConfig")
	add(watch.ActDeploy, "apprunner.amazonaws.com", "StartDeployment", "UpdateService")
	add(watch.ActDeploy, "elasticbeanstalk.amazonaws.com", "UpdateEnvironment", "RestartAppServer")

	add(watch.ActRotate, "secretsmanager.amazonaws.com", "RotateSecret", "PutSecretValue", "UpdateSecretVersionStage", "UpdateSecret", "CancelRotateSecret")
	add(watch.ActRotate, "kms.amazonaws.com", "RotateKeyOnDemand", "RotateKey")

	add(watch.ActCreate, "secretsmanager.amazonaws.com", "CreateSecret", "RestoreSecret")
	add(watch.ActCreate, "kms.amazonaws.com", "CreateKey", "CancelKeyDeletion")
	add(watch.ActCreate, "ssm.amazonaws.com", "PutParameter")

	add(watch.ActDelete, "secretsmanager.amazonaws.com", "DeleteSecret", "RemoveRegionsFromReplication")
	add(watch.ActDelete, "kms.amazonaws.com", "ScheduleKeyDeletion", "DisableKey")
	add(watch.ActDelete, "ssm.amazonaws.com", "DeleteParameter", "DeleteParameters")

	add(watch.ActReplicate, "secretsmanager.amazonaws.com", "ReplicateSecretToRegions")
	add(watch.ActReplicate, "kms.amazonaws.com", "ReplicateKey")

	add(watch.ActBuild, "lambda.amazonaws.com", "CreateFunction", "CreateFunction20150331", "CreateEventSourceMapping20150331")
	add(watch.ActBuild, "ecs.amazonaws.com", "CreateService", "CreateCluster", "CreateCapacityProvider")
	add(watch.ActBuild, "ec2.amazonaws.com", "RunInstances", "CreateVpc", "CreateSubnet", "CreateVpcEndpoint", "CreateNatGateway",
		"CreateSecurityGroup", "CreateLaunchTemplate", "CreateFleet", "CreateInternetGateway", "CreateRouteTable")
	add(watch.ActBuild, "iam.amazonaws.com", "CreateRole", "CreateInstanceProfile", "AddRoleToInstanceProfile", "CreateServiceLinkedRole", "CreateUser")
	add(watch.ActBuild, "eks.amazonaws.com", "CreateCluster", "CreateNodegroup", "CreatePodIdentityAssociation", "CreateFargateProfile")
	add(watch.ActBuild, "autoscaling.amazonaws.com", "CreateAutoScalingGroup", "CreateLaunchConfiguration")
	add(watch.ActBuild, "cloudformation.amazonaws.com", "CreateStack", "CreateStackInstances", "CreateStackSet")
	add(watch.ActBuild, "rds.amazonaws.com", "CreateDBInstance", "CreateDBCluster", "CreateDBInstanceReadReplica", "PromoteReadReplica",
		"RestoreDBInstanceFromDBSnapshot", "RestoreDBClusterFromSnapshot", "FailoverDBCluster", "FailoverGlobalCluster", "CreateGlobalCluster")
	add(watch.ActBuild, "elasticloadbalancing.amazonaws.com", "CreateLoadBalancer", "CreateTargetGroup")
	add(watch.ActBuild, "route53.amazonaws.com", "ChangeResourceRecordSets")

	add(watch.ActPolicy, "secretsmanager.amazonaws.com", "PutResourcePolicy", "DeleteResourcePolicy", "TagResource", "UntagResource")
	add(watch.ActPolicy, "kms.amazonaws.com", "PutKeyPolicy", "CreateGrant", "RevokeGrant", "RetireGrant")
	add(watch.ActPolicy, "iam.amazonaws.com", "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "UpdateAssumeRolePolicy",
		"PutUserPolicy", "DeleteUserPolicy", "AttachUserPolicy", "DetachUserPolicy", "CreatePolicyVersion", "SetDefaultPolicyVersion",
		"PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary")
	add(watch.ActPolicy, "organizations.amazonaws.com", "AttachPolicy", "DetachPolicy", "UpdatePolicy")
	add(watch.ActPolicy, "sso.amazonaws.com", "ProvisionPermissionSet", "CreateAccountAssignment", "DeleteAccountAssignment",
		"PutInlinePolicyToPermissionSet", "AttachManagedPolicyToPermissionSet")
	azureSorts(add)
	googleSorts(add)
	return m
}()

// azureSorts adds Azure's calls of note. Names of operations are in small letters
// but for those of a vault itself.
func azureSorts(add func(sort, service string, operations ...string)) {
	for _, vault := range []string{"vault.azure.net", "managedhsm.azure.net"} {
		add(watch.ActRotate, vault, "SecretSet", "KeyRotate", "KeyImport")
		add(watch.ActCreate, vault, "SecretRestore", "SecretRecover", "KeyCreate", "KeyRestore", "KeyRecover")
		add(watch.ActDelete, vault, "SecretDelete", "SecretPurge", "KeyDelete", "KeyPurge")
	}
	add(watch.ActDeploy, "microsoft.web", "microsoft.web/sites/write", "microsoft.web/sites/restart/action", "microsoft.web/sites/publish/action",
		"microsoft.web/sites/slots/slotsswap/action", "microsoft.web/sites/slotsswap/action", "microsoft.web/sites/config/write")
	add(watch.ActDeploy, "microsoft.app", "microsoft.app/containerapps/write", "microsoft.app/jobs/start/action")
	add(watch.ActDeploy, "microsoft.containerservice", "microsoft.containerservice/managedclusters/agentpools/write")
	add(watch.ActDeploy, "microsoft.compute", "microsoft.compute/virtualmachinescalesets/manualupgrade/action", "microsoft.compute/virtualmachinescalesets/rollingupgrades/action")
	add(watch.ActBuild, "microsoft.compute", "microsoft.compute/virtualmachines/write", "microsoft.compute/virtualmachinescalesets/write")
	add(watch.ActBuild, "microsoft.network", "microsoft.network/virtualnetworks/write", "microsoft.network/privateendpoints/write", "microsoft.network/networksecuritygroups/write")
	add(watch.ActBuild, "microsoft.containerinstance", "microsoft.containerinstance/containergroups/write")
	add(watch.ActBuild, "microsoft.containerservice", "microsoft.containerservice/managedclusters/write")
	add(watch.ActBuild, "microsoft.managedidentity", "microsoft.managedidentity/userassignedidentities/write")
	add(watch.ActPolicy, "microsoft.keyvault", "microsoft.keyvault/vaults/accesspolicies/write", "microsoft.keyvault/vaults/write")
	add(watch.ActPolicy, "microsoft.authorization", "microsoft.authorization/roleassignments/write", "microsoft.authorization/roleassignments/delete",
		"microsoft.authorization/policyassignments/write", "microsoft.authorization/policyassignments/delete", "microsoft.authorization/roledefinitions/write")
}

// denied tells whether a call was turned away for who made it.
func denied(o event.Outcome) bool {
	return o == event.Denied || o == event.AuthFailed || o == event.DeniedByOrgPolicy
}

// signIns are the calls with which people sign in.
var signIns = map[call]bool{
	{"signin.amazonaws.com", "ConsoleLogin"}:           true,
	{"signin.amazonaws.com", "CredentialVerification"}: true,
	{"signin.amazonaws.com", "CredentialChallenge"}:    true,
	{"login.microsoftonline.com", "UserSignIn"}:        true,
	{"login.googleapis.com", "login_success"}:          true,
	{"login.googleapis.com", "login_failure"}:          true,
}

// ofInterest tells whether an event is read for what usage does not say: it is
// what eventsWhere chooses.
func ofInterest(e *event.Event) bool {
	if e.Twin || e.Category == event.Insight {
		return false
	}
	return watch.Person(e.Caller) || denied(e.Outcome) || uses[call{e.APIService, e.APIOperation}] != 0 || signIns[call{e.APIService, e.APIOperation}]
}

// eventsWhere is ofInterest in the SQL of the lake.
var eventsWhere = func() string {
	return `NOT twin AND category <> 'insight' AND (caller IN ('console', 'person_cli') OR outcome IN ('denied', 'auth_failed', 'denied_by_org_policy')` +
		` OR (` + callsIn(uses) + `) OR (` + callsIn(signIns) + `))`
}()

// callsIn is that a row is one of the calls, in SQL. Names are ours, without
// quotes.
func callsIn[T any](calls map[call]T) string {
	operations := map[string][]string{}
	for c := range calls {
		operations[c.service] = append(operations[c.service], "'"+c.operation+"'")
	}
	var parts []string
	for service, list := range operations {
		slices.Sort(list)
		parts = append(parts, "api_service = '"+service+"' AND api_operation IN ("+strings.Join(list, ", ")+")")
	}
	slices.Sort(parts)
	return strings.Join(parts, " OR ")
}
