// Package activity says what an event of a Google Workspace application is: its
// class, how it ended, whether it only reads. The names are those of the Reports
// API (developers.google.com/workspace/admin/reports, "activity events"), which
// entries of Cloud Logging carry too.
package activity

import (
	"strings"

	"github.com/yagura-sec/yagura/event"
)

// OCSF 1.6.0 activity_id values: of API Activity, Authentication, Account Change.
const (
	apiCreate, apiRead, apiUpdate, apiDelete int32 = 1, 2, 3, 4
	logon, logoff                            int32 = 1, 2
	accountCreate, accountEnable             int32 = 1, 2
	passwordChange, passwordReset            int32 = 3, 4
	accountDisable, accountDelete            int32 = 5, 6
	policyAttach, policyDetach               int32 = 7, 8
	mfaEnable, mfaDisable                    int32 = 10, 11
	other                                    int32 = 99
)

// Kind is what an event is.
type Kind struct {
	Class, Activity int32
	Outcome         event.Outcome
	ReadOnly        bool
}

// of are the classes of events with a meaning of their own, by name in small
// letters.
var of = map[string]Kind{
	"login_success": {event.ClassAuthentication, logon, event.Success, false},
	"login_failure": {event.ClassAuthentication, logon, event.AuthFailed, false},
	"logout":        {event.ClassAuthentication, logoff, event.Success, false},
	// A step of signing in, whose end another event tells.
	"login_challenge":                  {event.ClassAuthentication, other, event.Success, false},
	"login_verification":               {event.ClassAuthentication, other, event.Success, false},
	"risky_sensitive_action_allowed":   {event.ClassAuthentication, other, event.Success, false},
	"risky_sensitive_action_blocked":   {event.ClassAuthentication, other, event.Denied, false},
	"suspicious_login":                 {event.ClassAuthentication, other, event.Success, false},
	"suspicious_login_less_secure_app": {event.ClassAuthentication, other, event.Success, false},
	"suspicious_programmatic_login":    {event.ClassAuthentication, other, event.Success, false},

	"2sv_enroll":                     {event.ClassAccountChange, mfaEnable, event.Success, false},
	"2sv_disable":                    {event.ClassAccountChange, mfaDisable, event.Success, false},
	"passkey_enrolled":               {event.ClassAccountChange, mfaEnable, event.Success, false},
	"passkey_removed":                {event.ClassAccountChange, mfaDisable, event.Success, false},
	"titanium_enroll":                {event.ClassAccountChange, mfaEnable, event.Success, false},
	"titanium_unenroll":              {event.ClassAccountChange, mfaDisable, event.Success, false},
	"password_edit":                  {event.ClassAccountChange, passwordChange, event.Success, false},
	"recovery_email_edit":            {event.ClassAccountChange, other, event.Success, false},
	"recovery_phone_edit":            {event.ClassAccountChange, other, event.Success, false},
	"recovery_secret_qa_edit":        {event.ClassAccountChange, other, event.Success, false},
	"email_forwarding_out_of_domain": {event.ClassAccountChange, other, event.Success, false},

	"create_user":                       {event.ClassAccountChange, accountCreate, event.Success, false},
	"undelete_user":                     {event.ClassAccountChange, accountEnable, event.Success, false},
	"delete_user":                       {event.ClassAccountChange, accountDelete, event.Success, false},
	"archive_user":                      {event.ClassAccountChange, accountDisable, event.Success, false},
	"unarchive_user":                    {event.ClassAccountChange, accountEnable, event.Success, false},
	"suspend_user":                      {event.ClassAccountChange, accountDisable, event.Success, false},
	"unsuspend_user":                    {event.ClassAccountChange, accountEnable, event.Success, false},
	"change_password":                   {event.ClassAccountChange, passwordReset, event.Success, false},
	"change_password_on_next_login":     {event.ClassAccountChange, other, event.Success, false},
	"turn_off_2_step_verification":      {event.ClassAccountChange, mfaDisable, event.Success, false},
	"unenroll_user_from_strong_auth":    {event.ClassAccountChange, mfaDisable, event.Success, false},
	"unenroll_user_from_titanium":       {event.ClassAccountChange, mfaDisable, event.Success, false},
	"grant_admin_privilege":             {event.ClassAccountChange, policyAttach, event.Success, false},
	"grant_delegated_admin_privileges":  {event.ClassAccountChange, policyAttach, event.Success, false},
	"assign_role":                       {event.ClassAccountChange, policyAttach, event.Success, false},
	"revoke_admin_privilege":            {event.ClassAccountChange, policyDetach, event.Success, false},
	"revoke_delegated_admin_privileges": {event.ClassAccountChange, policyDetach, event.Success, false},
	"unassign_role":                     {event.ClassAccountChange, policyDetach, event.Success, false},
	"add_recovery_email":                {event.ClassAccountChange, other, event.Success, false},
	"add_recovery_phone":                {event.ClassAccountChange, other, event.Success, false},
	"change_user_organization":          {event.ClassAccountChange, other, event.Success, false},
	"rename_user":                       {event.ClassAccountChange, other, event.Success, false},
	"add_group_member":                  {event.ClassAccountChange, other, event.Success, false},
	"remove_group_member":               {event.ClassAccountChange, other, event.Success, false},
}

// verbs are the first words of names that say what is done, in small letters.
var verbs = map[string]int32{
	"create": apiCreate, "add": apiCreate, "upload": apiCreate, "copy": apiCreate, "authorize": apiCreate, "insert": apiCreate, "generate": apiCreate,
	"view": apiRead, "preview": apiRead, "download": apiRead, "print": apiRead, "get": apiRead, "list": apiRead, "source": apiRead, "query": apiRead,
	"change": apiUpdate, "edit": apiUpdate, "update": apiUpdate, "rename": apiUpdate, "move": apiUpdate, "toggle": apiUpdate, "assign": apiUpdate,
	"unassign": apiUpdate, "grant": apiUpdate, "revoke": apiDelete, "set": apiUpdate, "enable": apiUpdate, "disable": apiUpdate, "approve": apiUpdate,
	"accept": apiUpdate, "join": apiUpdate, "suspend": apiUpdate, "unsuspend": apiUpdate, "transfer": apiUpdate, "allow": apiUpdate, "disallow": apiUpdate,
	"delete": apiDelete, "remove": apiDelete, "trash": apiDelete, "drop": apiDelete, "wipe": apiDelete,
}

// Of says what an event is by its name and, for sign-ins, its type. Google writes
// it when something was done: only what says otherwise failed.
func Of(typ, name string) Kind {
	name = strings.ToLower(name)
	if k, ok := of[name]; ok {
		return k
	}
	if strings.HasPrefix(name, "account_disabled_") {
		return Kind{event.ClassAccountChange, accountDisable, event.Success, false}
	}
	k := Kind{Class: event.ClassAPIActivity, Activity: other, Outcome: event.Success}
	first, _, _ := strings.Cut(name, "_")
	if a, ok := verbs[first]; ok {
		k.Activity = a
	}
	switch {
	case name == "activity": // an application used what it was authorised to
		k.Activity = apiRead
	case name == "deny", strings.HasSuffix(name, "_denied"), strings.HasSuffix(name, "_blocked"):
		k.Outcome = event.Denied
	case strings.HasSuffix(name, "_failure"), strings.HasSuffix(name, "_failed"):
		k.Outcome = event.Failed
	}
	if strings.EqualFold(typ, "login") && k.Outcome == event.Failed {
		k.Class, k.Outcome = event.ClassAuthentication, event.AuthFailed
	}
	k.ReadOnly = k.Activity == apiRead
	return k
}

// Thing names a user, group, file or client that an event is about, by a
// parameter's name; uid is empty for parameters that name none.
func Thing(parameter, value string) (uid, typ string) {
	if value == "" {
		return "", ""
	}
	switch strings.ToLower(parameter) {
	case "user_email", "affected_email_address", "target_user", "member_email", "user":
		if strings.Contains(value, "@") {
			return "user:" + strings.ToLower(value), "admin.googleapis.com/User"
		}
	case "group_email", "group_id":
		if strings.Contains(value, "@") {
			return "group:" + strings.ToLower(value), "admin.googleapis.com/Group"
		}
	case "doc_id":
		return "//drive.googleapis.com/files/" + value, "drive.googleapis.com/File"
	case "client_id", "api_client_name":
		return "//oauth2.googleapis.com/clients/" + value, "oauth2.googleapis.com/Client"
	}
	return "", ""
}
