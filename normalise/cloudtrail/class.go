package cloudtrail

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// OCSF 1.6.0 activity_id values of API Activity.
const (
	apiCreate int32 = 1
	apiRead   int32 = 2
	apiUpdate int32 = 3
	apiDelete int32 = 4
	other     int32 = 99
)

// Of Authentication.
const (
	logon  int32 = 1
	logoff int32 = 2
)

// Of Account Change.
const (
	accountCreate         int32 = 1
	accountEnable         int32 = 2
	accountPasswordChange int32 = 3
	accountPasswordReset  int32 = 4
	accountDisable        int32 = 5
	accountDelete         int32 = 6
	accountAttachPolicy   int32 = 7
	accountDetachPolicy   int32 = 8
	accountMFAEnable      int32 = 10
	accountMFADisable     int32 = 11
)

// Of Detection Finding.
const (
	findingCreate int32 = 1
	findingClose  int32 = 3
)

// authentication holds the operations by which someone becomes someone.
var authentication = map[string]int32{
	"ConsoleLogin": logon, "AssumeRole": logon, "AssumeRoleWithSAML": logon, "AssumeRoleWithWebIdentity": logon,
	"AssumeRoot": logon, "AssumeRoleForPodIdentity": logon, "GetSessionToken": logon, "GetFederationToken": logon,
	"GetSigninToken": logon, "SwitchRole": logon, "RenewRole": logon, "UserAuthentication": logon,
	"Authenticate": logon, "Federate": logon, "GetRoleCredentials": logon, "CreateOAuth2Token": logon,
	"CredentialVerification": logon, "CredentialChallenge": other, "CheckMfa": other, "ExitRole": logoff,
	"Logout": logoff, "UserLogout": logoff,
}

var authenticationServices = map[string]bool{
	"signin.amazonaws.com": true, "sts.amazonaws.com": true, "sso.amazonaws.com": true, "eks-auth.amazonaws.com": true,
}

// accountChange holds the operations that change users, their keys, their
// groups and what is attached to them.
var accountChange = map[string]int32{
	"CreateUser": accountCreate, "DeleteUser": accountDelete, "UpdateUser": other,
	"CreateAccessKey": accountCreate, "DeleteAccessKey": accountDelete, "UpdateAccessKey": other,
	"CreateLoginProfile": accountEnable, "UpdateLoginProfile": accountPasswordReset, "DeleteLoginProfile": accountDisable,
	"ChangePassword":   accountPasswordChange,
	"AttachUserPolicy": accountAttachPolicy, "AttachGroupPolicy": accountAttachPolicy, "AttachRolePolicy": accountAttachPolicy,
	"PutUserPolicy": accountAttachPolicy, "PutGroupPolicy": accountAttachPolicy, "PutRolePolicy": accountAttachPolicy,
	"DetachUserPolicy": accountDetachPolicy, "DetachGroupPolicy": accountDetachPolicy, "DetachRolePolicy": accountDetachPolicy,
	"DeleteUserPolicy": accountDetachPolicy, "DeleteGroupPolicy": accountDetachPolicy, "DeleteRolePolicy": accountDetachPolicy,
	"EnableMFADevice": accountMFAEnable, "DeactivateMFADevice": accountMFADisable,
	"CreateVirtualMFADevice": other, "DeleteVirtualMFADevice": other, "ResyncMFADevice": other,
	"AddUserToGroup": other, "RemoveUserFromGroup": other,
	"PutUserPermissionsBoundary": other, "DeleteUserPermissionsBoundary": other,
	"UploadSSHPublicKey": accountCreate, "UpdateSSHPublicKey": other, "DeleteSSHPublicKey": accountDelete,
	"UploadSigningCertificate": accountCreate, "UpdateSigningCertificate": other, "DeleteSigningCertificate": accountDelete,
	"CreateServiceSpecificCredential": accountCreate, "UpdateServiceSpecificCredential": other,
	"ResetServiceSpecificCredential": accountPasswordReset, "DeleteServiceSpecificCredential": accountDelete,
}

var directoryServices = map[string]bool{
	"identitystore.amazonaws.com": true, "sso-directory.amazonaws.com": true,
}

// classOf gives the OCSF class and activity. An Insight event is no call by
// anyone: it is AWS's own finding about many.
func classOf(rec *record, readOnly bool) (class, activity int32) {
	if rec.typ == typeInsight || rec.insight.Exists() {
		if rec.insight.Get("state").String() == "End" {
			return event.ClassDetectionFinding, findingClose
		}
		return event.ClassDetectionFinding, findingCreate
	}
	if a, ok := authentication[rec.name]; ok && (rec.typ == typeSignIn || authenticationServices[rec.source]) {
		return event.ClassAuthentication, a
	}
	if a, ok := accountChange[rec.name]; ok && (rec.source == "iam.amazonaws.com" || directoryServices[rec.source]) {
		if rec.name == "UpdateAccessKey" {
			a = keyStatus(rec.request.Get("status").String())
		}
		return event.ClassAccountChange, a
	}
	return event.ClassAPIActivity, activityOf(rec.name, readOnly)
}

func keyStatus(s string) int32 {
	switch s {
	case "Active":
		return accountEnable
	case "Inactive":
		return accountDisable
	}
	return other
}

// activityOf reads the activity from the operation's verb. What is read-only is
// a read whatever it is called.
func activityOf(operation string, readOnly bool) int32 {
	if readOnly {
		return apiRead
	}
	if a, ok := verbs[verb(operation)]; ok {
		return a
	}
	return other
}

// verb is the operation's first word: "Batch" is none of its own.
func verb(operation string) string {
	operation = strings.TrimPrefix(operation, "Batch")
	for i := 1; i < len(operation); i++ {
		if c := operation[i]; 'A' <= c && c <= 'Z' {
			return operation[:i]
		}
	}
	return operation
}

var verbs = map[string]int32{
	"Create": apiCreate, "Run": apiCreate, "Register": apiCreate, "Import": apiCreate, "Allocate": apiCreate,
	"Upload": apiCreate, "Copy": apiCreate, "Clone": apiCreate, "Request": apiCreate, "Purchase": apiCreate,
	"Publish": apiCreate, "Launch": apiCreate, "Provision": apiCreate, "Issue": apiCreate, "Restore": apiCreate,

	"Get": apiRead, "List": apiRead, "Describe": apiRead, "Head": apiRead, "Lookup": apiRead, "Search": apiRead,
	"Query": apiRead, "Scan": apiRead, "Select": apiRead, "View": apiRead, "Check": apiRead, "Download": apiRead,
	"Filter": apiRead, "Simulate": apiRead, "Preview": apiRead, "Test": apiRead, "Estimate": apiRead,

	"Update": apiUpdate, "Modify": apiUpdate, "Put": apiUpdate, "Set": apiUpdate, "Change": apiUpdate, "Edit": apiUpdate,
	"Add": apiUpdate, "Attach": apiUpdate, "Detach": apiUpdate, "Associate": apiUpdate, "Disassociate": apiUpdate,
	"Enable": apiUpdate, "Disable": apiUpdate, "Tag": apiUpdate, "Untag": apiUpdate, "Replace": apiUpdate,
	"Reset": apiUpdate, "Rotate": apiUpdate, "Start": apiUpdate, "Stop": apiUpdate, "Reboot": apiUpdate,
	"Authorize": apiUpdate, "Revoke": apiUpdate, "Remove": apiUpdate, "Schedule": apiUpdate, "Cancel": apiUpdate,
	"Upgrade": apiUpdate, "Move": apiUpdate, "Apply": apiUpdate, "Write": apiUpdate, "Suspend": apiUpdate,
	"Resume": apiUpdate, "Share": apiUpdate, "Grant": apiUpdate, "Configure": apiUpdate, "Switch": apiUpdate,

	"Delete": apiDelete, "Terminate": apiDelete, "Deregister": apiDelete, "Purge": apiDelete, "Release": apiDelete,
	"Destroy": apiDelete, "Retire": apiDelete, "Abort": apiDelete, "Leave": apiDelete, "Close": apiDelete,
}

// readsOnly guesses readOnly for records that do not say.
func readsOnly(operation string) bool { return verbs[verb(operation)] == apiRead }
