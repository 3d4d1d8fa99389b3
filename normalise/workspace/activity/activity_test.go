package activity

import (
	"testing"

	"github.com/yagura-sec/yagura/event"
)

func TestOf(t *testing.T) {
	f := func(typ, name string, class, activity int32, outcome event.Outcome, readOnly bool) {
		t.Helper()
		if got, want := Of(typ, name), (Kind{class, activity, outcome, readOnly}); got != want {
			t.Errorf("%s %s: %+v, want %+v", typ, name, got, want)
		}
	}
	f("login", "login_success", event.ClassAuthentication, logon, event.Success, false)
	f("login", "login_failure", event.ClassAuthentication, logon, event.AuthFailed, false)
	f("login", "another_failure", event.ClassAuthentication, other, event.AuthFailed, false)
	f("account_warning", "account_disabled_hijacked", event.ClassAccountChange, accountDisable, event.Success, false)
	f("2sv_change", "2sv_disable", event.ClassAccountChange, mfaDisable, event.Success, false)
	f("USER_SETTINGS", "CREATE_USER", event.ClassAccountChange, accountCreate, event.Success, false)
	f("GROUP_SETTINGS", "CREATE_GROUP", event.ClassAPIActivity, apiCreate, event.Success, false)
	f("DOMAIN_SETTINGS", "CHANGE_ACCOUNT_AUTO_RENEWAL", event.ClassAPIActivity, apiUpdate, event.Success, false)
	f("access", "download", event.ClassAPIActivity, apiRead, event.Success, true)
	f("access", "trash", event.ClassAPIActivity, apiDelete, event.Success, false)
	f("auth", "activity", event.ClassAPIActivity, apiRead, event.Success, true)
	f("auth", "deny", event.ClassAPIActivity, other, event.Denied, false)
	f("call", "call_ended", event.ClassAPIActivity, other, event.Success, false)
	f("", "", event.ClassAPIActivity, other, event.Success, false)
}

func TestThing(t *testing.T) {
	f := func(parameter, value, uid, typ string) {
		t.Helper()
		if u, y := Thing(parameter, value); u != uid || y != typ {
			t.Errorf("%s=%s: %q, %q", parameter, value, u, y)
		}
	}
	f("USER_EMAIL", "Yui.Sato@example.com", "user:yui.sato@example.com", "admin.googleapis.com/User")
	f("group_email", "board@example.com", "group:board@example.com", "admin.googleapis.com/Group")
	f("doc_id", "1AbC", "//drive.googleapis.com/files/1AbC", "drive.googleapis.com/File")
	f("client_id", "77", "//oauth2.googleapis.com/clients/77", "oauth2.googleapis.com/Client")
	f("user_email", "nobody", "", "")
	f("doc_id", "", "", "")
	f("scope", "x", "", "")
}
